/* x509/ct.h - signed certificate timestamps (RFC 6962): parsed, the bytes that they sign, the logs;
 * for lib/x509 alone. */
#ifndef CL_X509_CT_H
#define CL_X509_CT_H

#include <stdatomic.h>

#include "base/buf.h"
#include "cleat/ct.h"
#include "x509/fields.h"

/* 16: certificates have two to five; each costs a signature check */
#define CL_SCT_MAX     16
/* 1,024: browsers' lists have some 70 */
#define CL_CT_MAX_LOGS 1024
#define CL_CT_ID_LEN   32

struct cl_ct_log {
    uint8_t id[CL_CT_ID_LEN];
    struct cl_pubkey *key;
    const struct cl_sig_alg *alg;
    char description[96];
    char operated_by[64];
    enum cleat_ct_state state;
    int64_t state_since;
    int64_t not_after_from;
    int64_t not_after_until;
};

struct cleat_ct_logs {
    _Atomic unsigned num_refs;
    uint64_t number; /* cl_verify_number() */
    size_t num;
    struct cl_ct_log *logs[CL_CT_MAX_LOGS];
};

const struct cl_ct_log *cl_ct_find(const struct cleat_ct_logs *logs, struct cl_rd id);

/* One timestamp; views into where it was found. */
struct cl_sct {
    struct cl_rd log_id;
    uint64_t timestamp; /* milliseconds since 1970 */
    struct cl_rd extensions;
    uint16_t algorithm; /* hash and signature as in TLS 1.2: 0x0403 */
    struct cl_rd signature;
};

/* cl_sct_next takes the next SerializedSCT from the contents of a SignedCertificateTimestampList:
 * false at its end, or where it is broken. *ok false: the bytes of this one are no timestamp of
 * version 1. */
CL_RD_MUST bool cl_sct_next(struct cl_rd *list, struct cl_sct *out, bool *ok);

/* cl_sct_embedded gives the contents of the list in the certificate; false when there is none, or
 * it is malformed. */
CL_RD_MUST bool cl_sct_embedded(const struct cleat_cert *cert, struct cl_rd *list);

/* cl_sct_message appends what the timestamp signs: of a certificate as it is, or, when issuer is
 * given, of its precertificate (RFC 6962 3.2), which is made anew. BAD_CERTIFICATE, NOMEM. */
CL_MUST cl_result cl_sct_message(struct cl_buf *out, const struct cl_sct *sct,
                                 const struct cleat_cert *cert, const struct cleat_cert *issuer);

#endif
