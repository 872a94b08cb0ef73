/* x509/verify.h - from a leaf and candidates to a verdict with its proof, driven by jobs.
 *
 * The verifier never checks a signature itself: cl_verify_step returns NEEDS_JOB, the caller runs
 * cl_verify_job (now, in a batch, elsewhere) and steps again. Everything else - building paths,
 * RFC 5280 6, names, policies, CRLs - happens inside step, without recursion and in bounded work.
 */
#ifndef CL_X509_VERIFY_H
#define CL_X509_VERIFY_H

#include "crypto/job.h"
#include "x509/cert.h"
#include "x509/trust.h"

/* 128: Go's and limbo's hostile chains have 100; a peer's handshake message bounds it already */
#define CL_VERIFY_MAX_CERTS            128
/* 10: leaf, anchor and eight between; the web's longest have three between */
#define CL_VERIFY_MAX_DEPTH            10
/* 64: a path needs at most 9, and every failed one is remembered */
#define CL_VERIFY_MAX_SIGNATURES       64
/* 2,000: each looks at one candidate issuer, some 50 ns */
#define CL_VERIFY_MAX_STEPS            2000
/* 25,000: names times constraints, some 30 nanoseconds each; a leaf of 100 names below a CA with
 * 100 constraints needs 10,000 */
#define CL_VERIFY_MAX_NAME_COMPARISONS 25000
/* 32: paths that reach an anchor and fail all the same */
#define CL_VERIFY_MAX_PATHS            32
/* 64: initial policies by the application */
#define CL_VERIFY_MAX_POLICIES         64

/* As struct cleat_verify_options, which says what each field means. */
struct cl_verify_params {
    const struct cleat_trust_store *trust;
    const struct cleat_dane *dane;
    const char *host;
    int64_t now;
    enum cleat_purpose purpose;
    enum cleat_policy policy;
    enum cleat_revocation revocation;
    enum cleat_source from_crls;
    enum cleat_source from_ocsp;
    int64_t max_revocation_age;
    const struct cleat_crl_set *crls;
    const struct cleat_ocsp_set *ocsp;
    struct cl_rd staple;
    enum cleat_ct ct;
    const struct cleat_ct_logs *ct_logs;
    struct cl_rd scts; /* with its outer length; valid until the verification ends */
    bool staple_asked;
    bool staple_required;
    const struct cleat_suffix_list *suffixes;
    const char *email;
    int max_intermediates;
    const char *const *initial_policies;
    size_t num_initial_policies;
    bool require_explicit_policy;
    bool inhibit_policy_mapping;
    bool inhibit_any_policy;
    uint64_t (*clock)(void *ctx);
    void *clock_ctx;
    struct cleat_verify_cache *cache;
};

struct cl_verify;

/* cl_verify_new starts the verification of chain_der (leaf first, at least one), or ends it at once
 * when the chain is remembered. It copies what it needs: the bytes may go afterwards. A leaf that
 * cannot be parsed, or too many certificates, is a verdict, not a failure of this call. NOMEM,
 * USAGE (no trust store, bad options), NO_CERTIFICATE.
 */
CL_MUST cl_result cl_verify_new(struct cl_verify **out, const struct cl_verify_params *params,
                                const struct cl_rd *chain_der, size_t num);

/* cl_verify_new_certs is the same for certificates parsed already, of which it keeps references. */
CL_MUST cl_result cl_verify_new_certs(struct cl_verify **out, const struct cl_verify_params *params,
                                      const struct cleat_cert *const *certs, size_t num);

enum cl_verify_next {
    CL_VERIFY_NEEDS_JOB, /* run cl_verify_job(), then step again */
    CL_VERIFY_DONE,      /* take the verdict */
};
enum cl_verify_next cl_verify_step(struct cl_verify *v);

/* cl_verify_job is the pending job, valid until the next step; NULL when there is none. */
struct cl_job *cl_verify_job(struct cl_verify *v);

/* cl_verify_take_verdict hands the verdict over, once, after DONE. It lives on without v. NULL when
 * memory was short or it was taken already. */
struct cleat_verdict *cl_verify_take_verdict(struct cl_verify *v);

void cl_verify_free(struct cl_verify *v);

/* cl_verdict_leaf_ref gives a reference to the leaf as presented, to be freed; NULL if unparsable.
 */
struct cleat_cert *cl_verdict_leaf_ref(const struct cleat_verdict *verdict);

/* cl_verdict_is_by_key: a TLSA record names the leaf or its key, so that its dates say nothing (RFC
 * 7671 5.1). */
bool cl_verdict_is_by_key(const struct cleat_verdict *verdict);

/* cl_verdict_is_dane_anchor: a certificate of a path is in it because a TLSA record names or holds
 * it. */
bool cl_verdict_is_dane_anchor(const struct cleat_verdict *verdict, const struct cleat_cert *cert);

#endif
