/* x509/ocsp.h - OCSP responses (RFC 6960 4.2), parsed strictly, and requests (4.1).
 *
 * A response is parsed whole before anything of it counts; who signed it, and whether it is about a
 * certificate and current, revoke_ocsp.c decides. What a response may not be used for - an unknown
 * critical extension, a status that is an error - it says in `unusable`.
 */
#ifndef CL_X509_OCSP_H
#define CL_X509_OCSP_H

#include "base/buf.h"
#include "x509/fields.h"

/* 256 KiB: real responses have 500 bytes to 3 KB; one for each certificate of a small CA has room
 */
#define CL_OCSP_MAX_LEN     (256u << 10)
/* 8: a responder sends its own certificate, perhaps with its issuers */
#define CL_OCSP_MAX_CERTS   8
/* 1,024: answers of one response; usually there is one */
#define CL_OCSP_MAX_ANSWERS 1024
/* 64: responses of one set: one for each certificate of a path, from several sources */
#define CL_OCSP_MAX         64

/* 7 days: how old a response without nextUpdate may be, when the options say nothing; browsers
 * take no older one */
#define CL_OCSP_DEFAULT_AGE (7 * 86400)

enum cl_ocsp_status {
    CL_OCSP_GOOD = 0,
    CL_OCSP_REVOKED = 1,
    CL_OCSP_UNKNOWN = 2,
};

/* SingleResponse: what is said about one certificate. */
struct cl_ocsp_answer {
    enum cl_hash_id hash; /* CL_HASH_NONE: one that is not known */
    struct cl_rd issuer_name_hash;
    struct cl_rd issuer_key_hash;
    struct cl_rd serial;
    enum cl_ocsp_status status;
    int64_t revoked_at;
    uint32_t reason;
    int64_t this_update;
    int64_t next_update;  /* INT64_MIN when absent */
    const char *unusable; /* why, or NULL */
    struct cl_rd scts;    /* RFC 6962 3.3: SignedCertificateTimestampList, empty when absent */
};

struct cl_ocsp {
    _Atomic unsigned num_refs; /* sets that share it */
    struct cl_rd der;
    uint8_t response_status; /* 0: successful, and all that follows is there */
    struct cl_rd tbs;
    struct cl_rd signature;
    struct cl_rd sig_oid;
    const struct cl_sig_alg *sig_alg; /* NULL: not accepted (SHA-1 …) */
    struct cl_name responder_name;    /* empty when the responder is named by its key */
    struct cl_rd responder_key;       /* SHA-1 of its key, empty when it is named */
    int64_t produced_at;
    struct cl_rd answers;
    size_t num_answers;
    struct cl_rd nonce; /* contents of the nonce's OCTET STRING, empty when absent */
    const char *unusable;
    struct cleat_cert *certs[CL_OCSP_MAX_CERTS];
    size_t num_certs;
};

struct cleat_ocsp_set {
    _Atomic unsigned num_refs;
    size_t num;
    struct cl_ocsp *responses[CL_OCSP_MAX];
};

/* cl_ocsp_parse copies der and parses it. BAD_CERTIFICATE (err says which field), LIMIT, NOMEM. */
CL_MUST cl_result cl_ocsp_parse(struct cl_ocsp **out, struct cl_rd der, struct cleat_error *err);
/* cl_ocsp_free gives a reference back and takes NULL. */
struct cl_ocsp *cl_ocsp_ref(struct cl_ocsp *response);
void cl_ocsp_free(struct cl_ocsp *response);

/* cl_ocsp_set_digest: SHA-256 over all responses of the set, in their order. */
void cl_ocsp_set_digest(const struct cleat_ocsp_set *set, uint8_t out[32]);

/* cl_ocsp_next takes the next answer from what is left of response->answers. */
CL_RD_MUST bool cl_ocsp_next(struct cl_rd *answers, struct cl_ocsp_answer *out);

/* cl_ocsp_is_about: the answer is about this certificate, issued by the holder of this other one
 * (RFC 6960 4.1.1: hash of the issuer's name, hash of its key, serial number). */
CL_RD_MUST bool cl_ocsp_is_about(const struct cl_ocsp_answer *answer, const struct cleat_cert *cert,
                                 const struct cleat_cert *issuer);

/* cl_ocsp_named_by: the response's ResponderID is this certificate's holder. */
CL_RD_MUST bool cl_ocsp_named_by(const struct cl_ocsp *response, const struct cleat_cert *cert);

/* cl_ocsp_status_name: "successful", "tryLater" … (RFC 6960 4.2.1). */
const char *cl_ocsp_status_name(uint8_t response_status);

/* cl_ocsp_request appends an OCSPRequest for one certificate to out; nonce (RFC 9654: 1 to 128
 * bytes, 32 recommended) may be empty. NOMEM. */
CL_MUST cl_result cl_ocsp_request(struct cl_buf *out, const struct cleat_cert *cert,
                                  const struct cleat_cert *issuer, struct cl_rd nonce);

#endif
