/* crypto/lane_key.c - see lane_key.h. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/lane_key.h"

#include <openssl/bn.h>

#include "base/mem.h"

#define EXPONENT 65537

bool cl_lane_rsa_fits(const struct cl_pubkey *key)
{
    return key->rsa != NULL && (key->bits == 2048 || key->bits == 3072 || key->bits == 4096) &&
           RSA_get_multi_prime_extra_count(key->rsa) == 0 &&
           BN_is_word(RSA_get0_e(key->rsa), EXPONENT);
}

/* words writes a number of at most num words; false when it is longer or missing. */
static bool words(uint64_t *out, const BIGNUM *number, size_t num)
{
    return number != NULL && BN_bn2lebinpad(number, (uint8_t *)out, (int)(num * 8)) >= 0;
}

static bool rsa_numbers(struct cl_lane_key *key, const struct cl_pubkey *pub)
{
    const size_t num = pub->bits / 64;
    return words(key->rsa.p, RSA_get0_p(pub->rsa), num / 2) &&
           words(key->rsa.q, RSA_get0_q(pub->rsa), num / 2) &&
           words(key->rsa.dp, RSA_get0_dmp1(pub->rsa), num / 2) &&
           words(key->rsa.dq, RSA_get0_dmq1(pub->rsa), num / 2) &&
           words(key->rsa.iq, RSA_get0_iqmp(pub->rsa), num / 2) &&
           words(key->rsa.n, RSA_get0_n(pub->rsa), num);
}

static bool numbers(struct cl_lane_key *key, const struct cl_pubkey *pub)
{
    if (pub->rsa != NULL) {
        return rsa_numbers(key, pub);
    }
    return words(key->d, EC_KEY_get0_private_key(pub->ec), pub->bits / 64);
}

cl_result cl_lane_key_new(struct cl_lane_key **out, const struct cl_pubkey *pub)
{
    const bool curve = pub->alg.type == CL_KEY_EC_P256 || pub->alg.type == CL_KEY_EC_P384;
    *out = NULL;
    if (!curve && !cl_lane_rsa_fits(pub)) {
        return CL_OK;
    }
    struct cl_lane_key *key = cl_calloc(1, sizeof(*key));
    if (key == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    if (!numbers(key, pub)) {
        cl_lane_key_free(key); /* primes of different lengths, say: the single path does it */
        return CL_OK;
    }
    *out = key;
    return CL_OK;
}

void cl_lane_key_free(struct cl_lane_key *key)
{
    if (key != NULL) {
        cl_free_secret(key, sizeof(*key));
    }
}
