/* x509/verify_impl.h - the verifier's own state, between verify.c (life, state machine), search.c
 * (path building), checks.c (one certificate in its role), dane_verify.c (TLSA records), revoke.c
 * (revocation) and verdict.c (the proof). */
#ifndef CL_X509_VERIFY_IMPL_H
#define CL_X509_VERIFY_IMPL_H

#include "x509/crl.h"
#include "x509/ct.h"
#include "x509/dane.h"
#include "x509/dn.h"
#include "x509/ocsp.h"
#include "x509/path.h"
#include "x509/verify_cache.h"

/* What a checked certificate is known to be as an issuer. */
enum cl_ca_state {
    CL_CA_UNKNOWN = 0,
    CL_CA_GOOD,
    CL_CA_BAD,
};

/* A certificate of the presented chain. */
struct cl_pooled {
    struct cleat_cert *cert;
    uint8_t position; /* in the chain as presented, from 0 */
    uint8_t ca_state;
    bool is_anchor; /* the trust store has the very same certificate */
};

enum cl_signed {
    CL_SIGNED_CERT, /* struct cleat_cert */
    CL_SIGNED_CRL,  /* struct cl_crl */
    CL_SIGNED_OCSP, /* struct cl_ocsp */
};

/* A signature that was checked: over one of those, with the key of a certificate. */
struct cl_memo {
    const void *what;
    const struct cleat_cert *signer;
    enum cl_signed kind;
    bool good;
    uint64_t ns;
};

enum cl_sig_state {
    CL_SIG_GOOD,
    CL_SIG_BAD,
    CL_SIG_NEEDED, /* v->wanted is filled in */
    CL_SIG_LIMIT,
};

/* Where the search stands below one certificate of the path: candidates are anchors and pool
 * certificates with the right subject, those whose key identifier fits first. */
struct cl_frame {
    size_t first_anchor;
    size_t num_anchors;
    size_t first_pooled; /* in v->order */
    size_t num_pooled;
    uint8_t phase;
    size_t at;
    bool tried; /* a candidate was good enough to look at */
};

enum cl_phase {
    CL_PHASE_SEARCH,
    CL_PHASE_SIGNATURES,
    CL_PHASE_REVOCATION,
    CL_PHASE_TRANSPARENCY,
    CL_PHASE_DONE,
};

/* What a path is held to. With TLSA records a chain is looked at in this order, as far as they go.
 */
enum cl_rule {
    CL_RULE_ORDINARY = 0, /* there are no records, or none is usable */
    CL_RULE_DANE_EE,      /* the leaf alone: what a record names */
    CL_RULE_DANE_TA,      /* anchors are what records name */
    CL_RULE_PKIX,         /* anchors are the trust store's, and the path has what a record names */
};

/* What became of a record. */
struct cl_tlsa_note {
    uint8_t result;   /* enum cleat_tlsa_result */
    uint8_t position; /* of the matching certificate, from 1; 0: none that was presented */
};

struct cl_try {
    struct cleat_error error;
    const char *openssl;
    const struct cleat_cert *certs[CL_VERIFY_MAX_DEPTH];
    uint32_t signature_ns[CL_VERIFY_MAX_DEPTH];
    uint64_t ns;
    uint8_t num;
    uint8_t fail_check;
    uint8_t fail_depth;
    bool complete;
    bool accepted;
    bool policies_skipped;
    uint8_t rule; /* enum cl_rule */
};

/* What is known about the revocation of one certificate of an accepted path, for the proof. */
enum cl_note_source {
    CL_NOTE_NONE = 0, /* it was not asked */
    CL_NOTE_UNKNOWN,
    CL_NOTE_CRL,
    CL_NOTE_OCSP,
    CL_NOTE_STAPLE,
};
struct cl_note {
    enum cl_note_source source;
    int64_t this_update;
    int64_t next_update; /* INT64_MIN: none */
    const char *problem; /* UNKNOWN: why what there is was of no use; NULL: there was nothing */
};

struct cleat_verdict {
    int refs;        /* atomic; more than one only once it is remembered */
    bool remembered; /* by a cache: only read from then on */
    /* what was asked */
    struct cleat_trust_store *trust; /* may be NULL with dane */
    struct cleat_dane *dane;         /* or NULL */
    char *host;
    char *email;
    int64_t now;
    enum cleat_purpose purpose;
    enum cleat_policy policy;
    enum cleat_revocation revocation;
    /* what came of it */
    struct cleat_error error;
    const char *openssl;
    struct cleat_verify_work work;
    struct cl_pooled pool[CL_VERIFY_MAX_CERTS];
    size_t num_pool;
    size_t num_presented;
    bool has_leaf;
    struct cl_path path; /* accepted */
    struct cl_note notes[CL_VERIFY_MAX_DEPTH];
    struct cl_tlsa_note tlsa[CLEAT_DANE_MAX_RECORDS];
    struct cleat_trust_store *dane_trust; /* what DANE-TA records name; NULL: nothing */
    enum cleat_ct ct;
    struct cleat_sct *scts; /* CL_SCT_MAX; NULL when nobody asks */
    size_t num_scts;
    struct cl_try *tries;
    size_t num_tries;
    size_t cap_tries;
};

/* A timestamp being checked; the verdict's of the same index says what came of it. */
struct cl_sct_work {
    struct cl_sct sct;
    const struct cl_ct_log *log;
    bool to_check;
};

struct cl_verify {
    struct cleat_verdict *verdict;
    struct cleat_crl_set *crls;
    struct cleat_ocsp_set *ocsp;
    struct cl_ocsp
        *staple;         /* what the peer stapled to its leaf; NULL: nothing, or it is malformed */
    bool staple_problem; /* it is malformed */
    bool staple_asked;
    bool staple_required;
    enum cleat_source from_crls;
    enum cleat_source from_ocsp;
    enum cleat_ct ct;
    struct cleat_ct_logs *ct_logs;
    struct cl_rd scts;
    struct cl_sct_work *sct_work; /* CL_SCT_MAX */
    size_t sct_at;
    bool scts_collected;
    struct cl_buf sct_message; /* what the pending job's timestamp signs */
    int64_t max_age;           /* seconds; 0: what the lists and responses say */
    struct cleat_suffix_list *suffixes;
    int max_intermediates;
    struct cl_policy_inputs policies;
    struct cl_rd policy_oids[CL_VERIFY_MAX_POLICIES];
    uint8_t *policy_bytes;
    struct cleat_verify_cache *cache; /* or NULL */
    uint8_t cache_key[CL_VERIFY_KEY_LEN];

    uint8_t order[CL_VERIFY_MAX_CERTS]; /* the pool by hash of the subject */
    struct cl_path path;
    struct cl_frame frames[CL_VERIFY_MAX_DEPTH];
    size_t num_frames;
    enum cl_phase phase;
    enum cl_rule rule;
    const struct cleat_trust_store *anchors; /* by the rule; NULL: none */
    bool leaf_is_anchor;                     /* and that path has not been tried yet */
    bool policies_skipped;
    uint32_t num_complete;

    struct cl_memo memos[CL_VERIFY_MAX_SIGNATURES];
    size_t num_memos;
    struct cl_memo wanted;
    struct cl_job job;

    uint64_t (*clock)(void *ctx); /* or NULL: nothing is measured */
    void *clock_ctx;
    uint64_t began; /* all of it; the try at hand; the pending job */
    uint64_t try_began;
    uint64_t job_began;

    int best_rank;                 /* of the failure in verdict->error */
    struct cleat_error unparsable; /* the first certificate of the chain that is none */
    size_t unparsable_position;
};

static inline uint64_t cl_verify_now(const struct cl_verify *v)
{
    return v->clock != NULL ? v->clock(v->clock_ctx) : 0;
}

/* ---- checks.c: false with fail set when a check fails. The order of the checks is that of
 * cl_check_order in verdict.c, which tells the proof. ---- */
CL_RD_MUST bool cl_check_leaf(struct cl_verify *v, struct cl_fail *fail);
/* The last certificate of v->path as an issuer of the one before; anchor says in which role. known:
 * what depends on the certificate alone was found good before. */
CL_RD_MUST bool cl_check_issuer(struct cl_verify *v, bool anchor, bool known, struct cl_fail *fail);
/* Checks of the keys of the path's issuers: those that cost. */
CL_RD_MUST bool cl_check_keys(struct cl_verify *v, struct cl_fail *fail);

/* cl_check_key: of the certificate of the path at depth. cl_check_host: of the leaf. */
CL_RD_MUST bool cl_check_key(const struct cleat_cert *cert, size_t depth, struct cl_fail *fail);
CL_RD_MUST bool cl_check_host(const struct cl_verify *v, const struct cleat_cert *cert,
                              struct cl_fail *fail);

/* ---- dane_verify.c ---- */
/* cl_dane_begin looks which records match what was presented, and sets the first rule. True: that
 * was all, there is a verdict. The path is the leaf alone. */
CL_RD_MUST bool cl_dane_begin(struct cl_verify *v);
/* cl_dane_next_rule goes over to the next rule when no path keeps this one; false: there is none.
 */
CL_RD_MUST bool cl_dane_next_rule(struct cl_verify *v);
/* cl_dane_check_path: the complete path has what a record names, if that is the rule. */
CL_RD_MUST bool cl_dane_check_path(struct cl_verify *v, struct cl_fail *fail);
/* cl_dane_no_issuer: there is no issuer for the last certificate of the path that a record names.
 */
void cl_dane_no_issuer(struct cl_verify *v, struct cl_fail *fail);
/* cl_dane_accepted notes which record counted, for the accepted path. */
void cl_dane_accepted(struct cl_verify *v);
/* cl_dane_say tells it, and cl_dane_say_anchor which record names a path's anchor. */
void cl_dane_say(const struct cleat_verdict *verdict, char *out, size_t cap);
void cl_dane_say_anchor(const struct cleat_verdict *verdict, const struct cleat_cert *anchor,
                        char *out, size_t cap);

/* ---- search.c ---- */
enum cl_search {
    CL_SEARCH_PATH,      /* v->path is complete and has passed every check but those with jobs */
    CL_SEARCH_EXHAUSTED, /* there is no other */
};
void cl_search_start(struct cl_verify *v);
enum cl_search cl_search_next(struct cl_verify *v);
/* cl_search_reject gives up the current path; depth: nothing above that certificate can mend it. */
void cl_search_reject(struct cl_verify *v, size_t depth);

/* ---- verify.c ---- */
/* cl_verify_set_anchors: from now on paths lead to these; NULL: to none. */
void cl_verify_set_anchors(struct cl_verify *v, const struct cleat_trust_store *anchors);
enum cl_sig_state cl_sig_state(struct cl_verify *v, const void *what, enum cl_signed kind,
                               const struct cleat_cert *signer);

/* ---- revoke.c ---- */
enum cl_revoke {
    CL_REVOKE_PASSED,
    CL_REVOKE_FAILED, /* fail is set */
    CL_REVOKE_NEEDS_JOB,
};
enum cl_revoke cl_revoke_check(struct cl_verify *v, struct cl_fail *fail);
/* cl_revoke_wanted: somebody asks about revocation, be it only the peer by its staple. */
bool cl_revoke_wanted(const struct cl_verify *v);

/* ---- transparency.c ---- */
enum cl_ct_step {
    CL_CT_PASSED,
    CL_CT_FAILED, /* fail is set */
    CL_CT_NEEDS_JOB,
    CL_CT_AGAIN,
    CL_CT_NOMEM,
};
enum cl_ct_step cl_ct_check(struct cl_verify *v, struct cl_fail *fail);
/* cl_ct_take takes the result of the job that cl_ct_check asked for. */
void cl_ct_take(struct cl_verify *v, bool good);

/* ---- verdict.c ---- */
/* cl_fail_begin gives a failure to be filled in for v's current path, with its text if it is
 * wanted. */
struct cl_fail cl_fail_begin(struct cl_verify *v, struct cleat_error *storage);
/* cl_verdict_reject adds a try with that failure, and keeps it if it is the most telling so far. */
void cl_verdict_reject(struct cl_verify *v, const struct cl_fail *fail);
void cl_verdict_accept(struct cl_verify *v);
/* cl_verdict_copy_text: a copy of text, NULL of NULL. NOMEM. */
CL_MUST cl_result cl_verdict_copy_text(char **out, const char *text);
/* cl_verdict_remember copies an accepting verdict without timings; NULL: memory is short. */
struct cleat_verdict *cl_verdict_remember(const struct cleat_verdict *verdict);
struct cleat_verdict *cl_verdict_ref(struct cleat_verdict *verdict);
/* cl_verdict_final overrides whatever was kept. */
void cl_verdict_final(struct cl_verify *v, cl_result code, const char *openssl, const char *hint,
                      const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
