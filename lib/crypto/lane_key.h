/* crypto/lane_key.h - a private key's numbers in the form that crypto_mb's kernels take. */
#ifndef CL_CRYPTO_LANE_KEY_H
#define CL_CRYPTO_LANE_KEY_H

#include "crypto/key_impl.h"
#include "crypto/mb.h"

struct cl_lane_key {
    union {
        uint64_t d[CL_MB_EC_WORDS];
        struct {
            uint64_t p[CL_MB_RSA_WORDS / 2];
            uint64_t q[CL_MB_RSA_WORDS / 2];
            uint64_t dp[CL_MB_RSA_WORDS / 2];
            uint64_t dq[CL_MB_RSA_WORDS / 2];
            uint64_t iq[CL_MB_RSA_WORDS / 2];
            uint64_t n[CL_MB_RSA_WORDS];
        } rsa;
    };
};

/* cl_lane_key_new makes *out of a private key whose halves have been checked; NULL when no kernel
 * takes keys of this kind. The caller frees it, which wipes it. NOMEM. */
CL_MUST cl_result cl_lane_key_new(struct cl_lane_key **out, const struct cl_pubkey *key);
void cl_lane_key_free(struct cl_lane_key *key);

/* cl_lane_rsa_fits says whether the RSA kernels take keys like this one: two primes, 2048, 3072 or
 * 4096 bits, exponent 65537. A public key fits without its primes. */
bool cl_lane_rsa_fits(const struct cl_pubkey *key);

#endif
