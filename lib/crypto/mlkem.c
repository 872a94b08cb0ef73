/* crypto/mlkem.c - see mlkem.h: the parameter sets, lengths, and the choice between
 * libcrypto and us. */
#include "crypto/mlkem.h"

#include "base/mem.h"
#include "crypto/mlkem_impl.h"

/* FIPS 203 tables 2 and 3 */
const struct cl_mlkem_set cl_mlkem_512 = {"ML-KEM-512", 2, 3, 10, 4, 800, 1632, 768};
const struct cl_mlkem_set cl_mlkem_768 = {"ML-KEM-768", 3, 2, 10, 4, 1184, 2400, 1088};
const struct cl_mlkem_set cl_mlkem_1024 = {"ML-KEM-1024", 4, 2, 11, 5, 1568, 3168, 1568};

struct cl_mlkem_key {
    const struct cl_mlkem_set *set;
    EVP_PKEY *pkey; /* libcrypto's; NULL: ours, below */
    uint8_t dk[];   /* dk_len bytes */
};

void cl_mlkem_key_free(struct cl_mlkem_key *key)
{
    if (key != NULL) {
        const size_t dk_len = key->pkey == NULL ? key->set->dk_len : 0;
        EVP_PKEY_free(key->pkey);
        cl_free_secret(key, sizeof(*key) + dk_len);
    }
}

cl_result cl_mlkem_keygen(const struct cl_mlkem_set *set, const uint8_t seed[CL_MLKEM_SEED_LEN],
                          uint8_t *ek, struct cl_mlkem_key **out)
{
    const bool libcrypto = cl_mlkem_is_libcrypto();
    const struct cl_mlkem_way *way = libcrypto ? NULL : cl_mlkem_way();
    cl_result r = CL_OK;
    *out = NULL;
    if (!libcrypto && way == NULL) {
        return CLEAT_ERR_CRYPTO;
    }
    struct cl_mlkem_key *key = cl_calloc(1, sizeof(*key) + (libcrypto ? 0 : set->dk_len));
    if (key == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    key->set = set;
    if (libcrypto) {
        r = cl_mlkem_ossl_keygen(set, seed, ek, &key->pkey);
    } else {
        cl_mlkem_own_keygen(way, set, seed, ek, key->dk);
    }
    if (r != CL_OK) {
        cl_free(key);
        return r;
    }
    *out = key;
    return CL_OK;
}

cl_result cl_mlkem_encap(const struct cl_mlkem_set *set, struct cl_rd ek,
                         const uint8_t random[CL_MLKEM_RANDOM_LEN], uint8_t *ct,
                         uint8_t secret[CL_MLKEM_SECRET_LEN])
{
    if (ek.len != set->ek_len) {
        return CLEAT_ERR_BAD_KEY_SHARE;
    }
    if (cl_mlkem_is_libcrypto()) {
        return cl_mlkem_ossl_encap(set, ek.p, random, ct, secret);
    }
    const struct cl_mlkem_way *way = cl_mlkem_way();
    return way != NULL ? cl_mlkem_own_encap(way, set, ek.p, random, ct, secret) : CLEAT_ERR_CRYPTO;
}

cl_result cl_mlkem_decap(const struct cl_mlkem_key *key, struct cl_rd ct,
                         uint8_t secret[CL_MLKEM_SECRET_LEN])
{
    if (ct.len != key->set->ct_len) {
        return CLEAT_ERR_BAD_KEY_SHARE;
    }
    if (key->pkey != NULL) {
        return cl_mlkem_ossl_decap(key->set, key->pkey, ct.p, secret);
    }
    const struct cl_mlkem_way *way = cl_mlkem_way();
    if (way == NULL) {
        return CLEAT_ERR_CRYPTO;
    }
    cl_mlkem_own_decap(way, key->set, key->dk, ct.p, secret);
    return CL_OK;
}
