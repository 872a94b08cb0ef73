/* cleat/ct.h - Certificate Transparency (RFC 6962): which logs are known, and how many timestamps
 * of theirs a server's certificate needs.
 *
 * The verifier (cleat/x509.h: ct, ct_logs, scts) takes timestamps from the certificate itself, from
 * the TLS extension and from OCSP responses about it, checks each with the key of its log, and
 * tells in the proof what became of every one. It asks no log for an inclusion proof.
 *
 * The list of logs comes from the application: it ages, and browsers publish theirs as JSON, which
 * `cleat get --ct-logs` reads. A set belongs to one thread while it is filled; from its first use
 * in a verification on it is immutable and may be used from every thread. Sets are
 * reference-counted; free(NULL) is fine.
 */
#ifndef CLEAT_CT_H
#define CLEAT_CT_H

#include "cleat/x509.h"

#ifdef __cplusplus
extern "C" {
#endif

/* As the lists of browsers have it. A log that is retired counts for what it timestamped before,
 * embedded in the certificate, beside one of a log that is not retired; one that is pending or
 * rejected counts for nothing. */
enum cleat_ct_state {
    CLEAT_CT_USABLE = 0, /* usable or qualified */
    CLEAT_CT_READONLY,
    CLEAT_CT_RETIRED,
    CLEAT_CT_PENDING,
    CLEAT_CT_REJECTED,
};

/* A log; texts and key are copied. */
struct cleat_ct_log {
    const uint8_t *key; /* DER SubjectPublicKeyInfo: P-256 or RSA; its SHA-256 is the log's ID */
    size_t key_len;
    const char *description; /* for people */
    const char *operated_by; /* two timestamps of the same operator are one witness */
    enum cleat_ct_state state;
    int64_t state_since;     /* Unix seconds; of RETIRED, else for people (0: not known) */
    int64_t not_after_from;  /* only certificates that end from here … */
    int64_t not_after_until; /* … to before here are taken (RFC 6962's shards); 0 and 0: all */
};

struct cleat_ct_logs;

/* cleat_ct_logs_new makes an empty set; cleat_ct_logs_add adds a log, at most 1,024. CLEAT_OK,
 * CLEAT_ERR_BAD_KEY (no key, or of another kind), CLEAT_ERR_USAGE (no operator, the log is there
 * already), CLEAT_ERR_LIMIT, CLEAT_ERR_NOMEM; err may be NULL. */
int cleat_ct_logs_new(struct cleat_ct_logs **out);
int cleat_ct_logs_add(struct cleat_ct_logs *logs, const struct cleat_ct_log *log,
                      struct cleat_error *err);
struct cleat_ct_logs *cleat_ct_logs_ref(const struct cleat_ct_logs *logs);
void cleat_ct_logs_free(struct cleat_ct_logs *logs);
size_t cleat_ct_logs_num(const struct cleat_ct_logs *logs);

/* What became of one timestamp. */
enum cleat_sct_result {
    CLEAT_SCT_VALID = 0,
    CLEAT_SCT_UNKNOWN_LOG,
    CLEAT_SCT_BAD_SIGNATURE,
    CLEAT_SCT_FUTURE,
    CLEAT_SCT_LOG_STATE,    /* the log was pending, rejected, or already retired */
    CLEAT_SCT_LOG_INTERVAL, /* the log takes certificates that end at another time */
    CLEAT_SCT_MALFORMED,    /* or of a version that is not 1 */
};
enum cleat_sct_source {
    CLEAT_SCT_EMBEDDED = 0, /* RFC 6962 3.3 */
    CLEAT_SCT_TLS,
    CLEAT_SCT_OCSP,
};
struct cleat_sct {
    enum cleat_sct_result result;
    enum cleat_sct_source source;
    uint8_t log_id[32];
    int64_t timestamp;    /* milliseconds since 1970 */
    char description[96]; /* of the log; empty when it is not known */
    char operated_by[64];
    enum cleat_ct_state state; /* of the log, where it is known */
    int64_t state_since;       /* Unix seconds; 0: not known */
};

/* cleat_verdict_sct gives the i-th timestamp of the leaf, on the path that was accepted, or on the
 * last one that had too few of them (CLEAT_ERR_NOT_TRANSPARENT); false past the end.
 * cleat_verdict_num_scts: how many there are. cleat_sct_result_name: "valid", "unknown log";
 * cleat_ct_state_name: "usable"; cleat_sct_source_name: "embedded", "TLS", "OCSP". */
size_t cleat_verdict_num_scts(const struct cleat_verdict *verdict);
bool cleat_verdict_sct(const struct cleat_verdict *verdict, size_t i, struct cleat_sct *out);
const char *cleat_sct_result_name(enum cleat_sct_result result);
const char *cleat_sct_source_name(enum cleat_sct_source source);
const char *cleat_ct_state_name(enum cleat_ct_state state);

/* cleat_tls_builder_transparency: what the engine's own verification of a server asks of its
 * certificate's timestamps, and which logs it knows. A reference to logs is taken; NULL: none is
 * known. Default: off. CLEAT_OK, CLEAT_ERR_BAD_CONFIG (REQUIRED without logs). */
struct cleat_tls_builder;
int cleat_tls_builder_transparency(struct cleat_tls_builder *b, enum cleat_ct ct,
                                   const struct cleat_ct_logs *logs);

#ifdef __cplusplus
}
#endif
#endif
