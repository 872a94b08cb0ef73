/* cleat/job.h - signatures that are made elsewhere: by an HSM, by a process of its own, by a thread
 * that may take its time.
 *
 * A credential whose private key is not here has the public half in its place
 * (cleat_key_external). When cleat_tls_step() returns CLEAT_TLS_NEEDS_JOB,
 * cleat_job_sign_request() tells such a job from those that are to be run here, and gives what is
 * to be signed. Send it to whoever has the key, go on with other connections, and hand the
 * signature over when it comes (cleat_job_signed): it is checked with the public key before it is
 * used. Then step the connection again. A step before that does nothing and asks for the same job.
 *
 * A job is part of its connection: when the connection is freed meanwhile, the job is gone, and an
 * answer that comes for it must be dropped. The library sets no time limit.
 */
#ifndef CLEAT_JOB_H
#define CLEAT_JOB_H

#include "cleat/key.h"
#include "cleat/tls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cleat_key_external makes a key whose private half is elsewhere, of its SubjectPublicKeyInfo (DER,
 * len bytes, copied), which is the certificate's (cleat_cert_spki) or another public key's. It goes
 * wherever a private key goes; whatever would compute with it here fails with
 * CLEAT_ERR_JOB_FAILED. *out is the caller's (cleat_key_free). CLEAT_ERR_BAD_KEY (malformed or no
 * valid key), CLEAT_ERR_UNSUPPORTED, CLEAT_ERR_NOMEM. */
int cleat_key_external(const uint8_t *spki, size_t len, struct cleat_key **out);

/* 64: a digest of SHA-512 */
#define CLEAT_MAX_DIGEST 64

/* What is to be signed. Pointers are valid until the job is done, or its connection freed. */
struct cleat_sign_request {
    const struct cleat_key *key; /* the credential's */
    uint16_t scheme;             /* SignatureScheme (RFC 9846 4.3.3), as 0x0403; in TLS 1.2 an ECDSA
                                  * scheme names the hash alone, and the curve is the key's */
    const char *scheme_name;     /* "ecdsa_secp256r1_sha256" */
    const uint8_t *message;      /* the bytes under the signature */
    size_t message_len;
    uint8_t digest[CLEAT_MAX_DIGEST]; /* of the message, by the scheme's hash */
    size_t digest_len;                /* 0: the scheme signs the message itself (EdDSA, ML-DSA) */
    size_t max_len;                   /* no signature of the key is longer */
};

/* cleat_job_sign_request says whether a job waits for a signature of an external key, and for
 * which. False for every other job: run those (cleat_job_run, cleat_batch_add). */
bool cleat_job_sign_request(const struct cleat_job *job, struct cleat_sign_request *out);

/* cleat_job_signed gives the job its signature, of len bytes, copied: in TLS' form (ECDSA: DER of r
 * and s). The job is then done, whatever is returned; when it is not CLEAT_OK the connection's next
 * step fails. CLEAT_ERR_BAD_SIGNATURE: it does not fit message and public key. CLEAT_ERR_USAGE: the
 * job did not wait for a signature; nothing has happened. Any thread, one at a time for a
 * connection. */
int cleat_job_signed(struct cleat_job *job, const uint8_t *signature, size_t len);

/* cleat_job_fail ends a job that nobody could do, of any kind: the connection's next step fails
 * with CLEAT_ERR_JOB_FAILED and sends the alert internal_error. */
void cleat_job_fail(struct cleat_job *job);

/* cleat_key_sign signs a message here and now, for programs that hold the key for others. scheme as
 * in struct cleat_sign_request; out has room for cap bytes, *len is the signature's length.
 * CLEAT_ERR_UNSUPPORTED (no such scheme), CLEAT_ERR_USAGE (the key does not go with the scheme, or
 * cap is too small), CLEAT_ERR_JOB_FAILED (the key is external), CLEAT_ERR_CRYPTO,
 * CLEAT_ERR_NOMEM. */
int cleat_key_sign(const struct cleat_key *key, uint16_t scheme, const uint8_t *message,
                   size_t message_len, uint8_t *out, size_t cap, size_t *len);

#ifdef __cplusplus
}
#endif
#endif
