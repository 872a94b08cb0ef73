/* crypto/job.h - an asymmetric operation as a plain struct: what to do, inputs, outputs.
 *
 * The engine and the certificate verifier never compute one themselves: they fill in a job and
 * pause. Whoever drives them runs it - now (cl_job_run), in a batch with jobs of other connections,
 * or in another thread or process - and goes on. A job belongs to the object that made it; its
 * inputs stay valid until the job is reset.
 *
 * Results are checked where they are made: points are validated, an all-zero shared secret is
 * refused (RFC 9846 7.4.2), an RSA signature is verified before it is given out.
 */
#ifndef CL_CRYPTO_JOB_H
#define CL_CRYPTO_JOB_H

#include "base/bytes.h"
#include "crypto/kex.h"
#include "crypto/key.h"

enum cl_job_kind {
    CL_JOB_NONE = 0,
    CL_JOB_KEYGEN, /* make a key and its share (client) */
    CL_JOB_ENCAP,  /* from the peer's share: our share and the shared secret (server) */
    CL_JOB_DECAP,  /* from our key and the peer's share: the shared secret (client) */
    CL_JOB_SIGN,
    CL_JOB_VERIFY,
    CL_JOB_ENCRYPT, /* RSA key exchange of TLS 1.2: a premaster secret for the peer's key */
    CL_JOB_DECRYPT, /* what such a secret is; never says whether it was a right one */
};

enum cl_job_status {
    CL_JOB_EMPTY = 0,
    CL_JOB_PENDING, /* filled in, to be run */
    CL_JOB_DONE,    /* see result */
};

struct cl_job_kex {
    const struct cl_group *group;
    const struct cl_rng *rng;            /* KEYGEN, ENCAP */
    struct cl_rd peer_share;             /* ENCAP, DECAP */
    struct cl_kex_key *key;              /* KEYGEN: out; DECAP: in; owned by the job's owner */
    uint8_t *share;                      /* KEYGEN, ENCAP: out; room for the group's share */
    size_t share_len;                    /* out */
    uint8_t secret[CL_GROUP_MAX_SECRET]; /* ENCAP, DECAP: out */
    uint8_t *field_secret; /* of a finite field: out instead; room for CL_GROUP_MAX_PRIME bytes */
    size_t secret_len;     /* out; leading zeros included */
};

/* cl_job_kex_secret returns where the shared secret is, or goes; NULL: there is no room for it. */
static inline uint8_t *cl_job_kex_secret(struct cl_job_kex *kex)
{
    return kex->group->finite_field ? kex->field_secret : kex->secret;
}

struct cl_job_sign {
    const struct cleat_key *key;
    const struct cl_sig_alg *alg;
    struct cl_rd message; /* hashed by the job */
    uint8_t *signature;   /* out; room for cl_key_max_signature() bytes */
    size_t signature_cap;
    size_t signature_len; /* out */
};

struct cl_job_verify {
    const struct cl_pubkey *key;
    const struct cl_sig_alg *alg;
    struct cl_rd message;
    struct cl_rd signature;
};

/* 48: two bytes of version and 46 of randomness (RFC 5246 7.4.7.1) */
#define CL_PREMASTER_LEN 48

struct cl_job_premaster {
    const struct cl_pubkey *peer; /* ENCRYPT */
    const struct cleat_key *key;  /* DECRYPT */
    const struct cl_rng *rng;
    uint16_t version;                 /* ClientHello's legacy_version */
    uint8_t *encrypted;               /* ENCRYPT: out; room for encrypted_cap bytes */
    size_t encrypted_cap;             /* as long as the modulus, or more */
    size_t encrypted_len;             /* ENCRYPT: out */
    struct cl_rd ciphertext;          /* DECRYPT */
    uint8_t secret[CL_PREMASTER_LEN]; /* out */
};

struct cl_job {
    enum cl_job_kind kind;
    enum cl_job_status status;
    /* Once DONE: CL_OK; BAD_KEY_SHARE (the peer's share is invalid), BAD_SIGNATURE (VERIFY: it does
     * not match), CRYPTO, RANDOM, NOMEM, JOB_FAILED (whoever ran it could not). */
    cl_result result;
    struct cl_job *next; /* the batch's, while the job waits in one (cleat/batch.h) */
    union {
        struct cl_job_kex kex;
        struct cl_job_sign sign;
        struct cl_job_verify verify;
        struct cl_job_premaster premaster;
    };
};

/* cl_job_run does the job here and now with libcrypto; status is DONE afterwards. */
void cl_job_run(struct cl_job *job);

/* cl_job_complete marks a job as done by somebody else, with its outputs filled in. */
void cl_job_complete(struct cl_job *job, cl_result result);

/* cl_job_reset wipes the job; it is EMPTY afterwards. It frees nothing. */
void cl_job_reset(struct cl_job *job);

#endif
