/* crypto/kex_impl.h - between kex.c, its groups and job.c: what a group must be able to do. */
#ifndef CL_CRYPTO_KEX_IMPL_H
#define CL_CRYPTO_KEX_IMPL_H

#include <openssl/evp.h>

#include "base/bytes.h"
#include "crypto/kex.h"
#include "crypto/mlkem.h"

#define CL_KEX_X25519_LEN 32
/* 66: the scalar of P-521 */
#define CL_KEX_MAX_SCALAR 66

struct cl_kex_key {
    const struct cl_group *group;
    const struct cl_group *curve;      /* whose key the next three are: the group, or its part */
    EVP_PKEY *pkey;                    /* X25519; NULL when the pair came from elsewhere */
    uint8_t scalar[CL_KEX_MAX_SCALAR]; /* as long as the field; an exponent of its own length */
    uint8_t share[CL_KEX_X25519_LEN];  /* X25519: its public half */
    struct cl_mlkem_key *kem;          /* of a group that has ML-KEM in it */
};

/* keygen fills in key (all zero before, curve set) and writes client_share_len bytes to share.
 * agree computes secret_len bytes from a key and a share whose length has been checked. NOMEM,
 * CRYPTO, RANDOM; BAD_KEY_SHARE from agree. */
struct cl_kex_ops {
    cl_result (*keygen)(struct cl_kex_key *key, const struct cl_rng *rng, uint8_t *share);
    cl_result (*agree)(const struct cl_kex_key *key, struct cl_rd peer, uint8_t *secret);
};

extern const struct cl_kex_ops cl_kex_x25519;
extern const struct cl_kex_ops cl_kex_nist;
extern const struct cl_kex_ops cl_kex_ffdhe;

/* ---- the parts of a group ---- */

/* cl_kex_curve_of returns the group's curve, itself where it is nothing else; NULL: there is none.
 */
const struct cl_group *cl_kex_curve_of(const struct cl_group *group);

/* cl_kex_curve_at returns at which byte of a share, or of the shared secret, the curve's part
 * begins. */
enum cl_kex_text { CL_KEX_CLIENT_SHARE, CL_KEX_SERVER_SHARE, CL_KEX_SECRET };
size_t cl_kex_curve_at(const struct cl_group *group, enum cl_kex_text text);

/* What the group's ML-KEM does, if it has one, of and into its part of the whole shares and
 * secrets; peer's length has been checked. BAD_KEY_SHARE, RANDOM, NOMEM, CRYPTO. */
CL_MUST cl_result cl_kex_kem_keygen(struct cl_kex_key *key, const struct cl_rng *rng,
                                    uint8_t *share);
CL_MUST cl_result cl_kex_kem_encap(const struct cl_group *group, const struct cl_rng *rng,
                                   struct cl_rd peer, uint8_t *share, uint8_t *secret);
CL_MUST cl_result cl_kex_kem_decap(const struct cl_kex_key *key, struct cl_rd peer,
                                   uint8_t *secret);

/* The steps of jobs. cl_kex_keygen allocates *out; cl_kex_encap keeps no key. */
CL_MUST cl_result cl_kex_keygen(const struct cl_group *group, const struct cl_rng *rng,
                                struct cl_kex_key **out, uint8_t *share);
CL_MUST cl_result cl_kex_decap(const struct cl_kex_key *key, struct cl_rd peer, uint8_t *secret);
CL_MUST cl_result cl_kex_encap(const struct cl_group *group, const struct cl_rng *rng,
                               struct cl_rd peer, uint8_t *share, uint8_t *secret);

/* cl_kex_key_of makes a key of a pair on the group's curve that somebody else has made, without an
 * ML-KEM part; NULL when memory is short. cl_kex_agree_with agrees on a curve with such a pair:
 * peer's length has been checked; as cl_kex_decap. */
struct cl_kex_key *cl_kex_key_of(const struct cl_group *group, const uint8_t *scalar,
                                 const uint8_t *share);
CL_MUST cl_result cl_kex_agree_with(const struct cl_group *curve, const uint8_t *scalar,
                                    const uint8_t *share, struct cl_rd peer, uint8_t *secret);

#endif
