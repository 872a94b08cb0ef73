/* crypto/rand.h - where randomness comes from. */
#ifndef CL_CRYPTO_RAND_H
#define CL_CRYPTO_RAND_H

#include <stdbool.h>

#include "base/result.h"

/* A source of random bytes. fill returns 0 on success; anything else fails the operation. It may be
 * called from every thread that uses the object it was given to. */
struct cl_rng {
    int (*fill)(void *ctx, uint8_t *out, size_t len);
    void *ctx;
};

/* cl_rng_system is libcrypto's generator, buffered per thread: the buffer is wiped as it is used
 * and dropped in a forked child. */
extern const struct cl_rng cl_rng_system;

/* cl_rng_is_system says whether rng is cl_rng_system or a copy of it. */
bool cl_rng_is_system(const struct cl_rng *rng);

/* cl_rand fills out from rng. RANDOM when the source fails. */
CL_MUST cl_result cl_rand(const struct cl_rng *rng, uint8_t *out, size_t len);

#endif
