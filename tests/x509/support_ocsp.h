/* support_ocsp.h - OCSP responses made on the spot. */
#ifndef TEST_SUPPORT_OCSP_H
#define TEST_SUPPORT_OCSP_H

#include "cleat/revocation.h"
#include "support_x509.h"
#include "x509/ocsp.h"

/* One answer; {.cert, .issuer} says "good", from an hour before T_NOW to a day after it. */
struct t_answer {
    const struct cleat_cert *cert;
    const struct cleat_cert *issuer;
    enum cl_ocsp_status status;
    int64_t this_update;  /* 0: an hour before T_NOW */
    int64_t next_update;  /* 0: a day after it; -1: none */
    bool sha256;          /* CertID with SHA-256, not SHA-1 */
    const char *hash_oid; /* what CertID says that its hashes are, whatever they are */
    bool unknown_critical;
};

/* {.signer, .answers} is a good response; who signs is its responder. */
struct t_ocsp {
    const struct entity *signer;
    const struct entity *certs[2]; /* sent along */
    struct t_answer answers[4];
    int64_t produced_at; /* 0: an hour before T_NOW */
    uint8_t response_status;
    bool by_key;
    bool bad_signature;
    bool unknown_critical;
    struct cl_rd nonce;
    const struct entity *named; /* whom ResponderID names, when not the signer */
    struct cl_rd algorithm;     /* what it says of its signature, as t_sign's */
};

/* t_responder makes a certificate that may sign responses when it is appointed (OCSPSigning);
 * nocheck: with id-pkix-ocsp-nocheck; not_after 0: as other leaves. */
struct entity t_responder(const char *cn, const struct entity *issuer, size_t key, bool appointed,
                          bool nocheck, int64_t not_after);

/* t_ocsp_der writes the response; its length. out has room for T_MAX_DER bytes. */
size_t t_ocsp_der(const struct t_ocsp *response, uint8_t *out);

/* t_ocsp_set makes a set; the caller's to free. */
struct cleat_ocsp_set *t_ocsp_set(const struct t_ocsp *responses, size_t num);

#endif
