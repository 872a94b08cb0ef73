/* crypto/kex_impl.h - between kex.c, its groups and job.c: what a group must be able to do. */
#ifndef CL_CRYPTO_KEX_IMPL_H
#define CL_CRYPTO_KEX_IMPL_H

#include <openssl/evp.h>

#include "base/bytes.h"
#include "crypto/kex.h"

#define CL_KEX_X25519_LEN 32
/* 66: the scalar of P-521 */
#define CL_KEX_MAX_SCALAR 66

struct cl_kex_key {
    const struct cl_group *group;
    EVP_PKEY *pkey;                    /* X25519; NULL when the pair came from elsewhere */
    uint8_t scalar[CL_KEX_MAX_SCALAR]; /* as long as the field */
    uint8_t share[CL_KEX_X25519_LEN];  /* X25519: its public half */
};

/* keygen fills in key (all zero before, group set) and writes client_share_len bytes to share.
 * agree computes secret_len bytes from a key and a share whose length has been checked. NOMEM,
 * CRYPTO, RANDOM; BAD_KEY_SHARE from agree. */
struct cl_kex_ops {
    cl_result (*keygen)(struct cl_kex_key *key, const struct cl_rng *rng, uint8_t *share);
    cl_result (*agree)(const struct cl_kex_key *key, struct cl_rd peer, uint8_t *secret);
};

extern const struct cl_kex_ops cl_kex_x25519;
extern const struct cl_kex_ops cl_kex_nist;

/* The steps of jobs. cl_kex_keygen allocates *out; cl_kex_encap keeps no key. */
CL_MUST cl_result cl_kex_keygen(const struct cl_group *group, const struct cl_rng *rng,
                                struct cl_kex_key **out, uint8_t *share);
CL_MUST cl_result cl_kex_decap(const struct cl_kex_key *key, struct cl_rd peer, uint8_t *secret);
CL_MUST cl_result cl_kex_encap(const struct cl_group *group, const struct cl_rng *rng,
                               struct cl_rd peer, uint8_t *share, uint8_t *secret);

/* cl_kex_key_of makes a key of a pair that somebody else has made; NULL when memory is short.
 * cl_kex_agree_with agrees with such a pair: peer's length has been checked; as cl_kex_decap. */
struct cl_kex_key *cl_kex_key_of(const struct cl_group *group, const uint8_t *scalar,
                                 const uint8_t *share);
CL_MUST cl_result cl_kex_agree_with(const struct cl_group *group, const uint8_t *scalar,
                                    const uint8_t *share, struct cl_rd peer, uint8_t *secret);

#endif
