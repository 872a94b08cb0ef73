/* crypto/hash_impl.h - between hash.c, hmac.c and hash_ct.c: a hash as what its blocks do to a
 * chaining value, which is how a state of libcrypto's begins. */
#ifndef CL_CRYPTO_HASH_IMPL_H
#define CL_CRYPTO_HASH_IMPL_H

#include "crypto/hash.h"

/* 80: SHA-384, whose blocks have 128 bytes */
#define CL_HASH_MAX_TAIL 80

struct cl_hash_alg {
    const char *name;
    uint8_t len;       /* of the digest; these in bytes */
    uint8_t block;     /* that is compressed at once; a power of 2 */
    uint8_t state_len; /* of libcrypto's state */
    uint8_t word;      /* of the chaining value; the message's length takes two of them */
    /* compress takes a block into the chaining value, and touches nothing else of the state. */
    void (*compress)(struct cl_hash *h, const uint8_t *block);
    /* What pads a block and a digest to two blocks. */
    uint8_t tail[CL_HASH_MAX_TAIL];
};

const struct cl_hash_alg *cl_hash_alg(unsigned id);

/* A chaining value is the front of a state, at most CL_HASH_MAX_LEN bytes, words in the machine's
 * order. cl_hash_resume makes a running hash of the one after a first block. */
void cl_hash_resume(struct cl_hash *h, enum cl_hash_id id, const uint8_t *chain);

/* cl_hash_put_chain writes the chaining value as the digest that it is once a message is padded;
 * what is behind the digest's length has no meaning. */
void cl_hash_put_chain(const struct cl_hash *h, uint8_t out[CL_HASH_MAX_LEN]);

#endif
