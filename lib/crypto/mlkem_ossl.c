/* crypto/mlkem_ossl.c - ML-KEM through libcrypto's EVP, which has it from 3.5 on.
 *
 * Looked up by name at run time: built with an older libcrypto, this uses what a newer one has. The
 * randomness is handed in (seed and ikme), so that it comes from the configuration's source.
 */
#include <pthread.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include "base/mem.h"
#include "crypto/mlkem_impl.h"
#include "crypto/ossl.h"

/* OSSL_PKEY_PARAM_ML_KEM_SEED and OSSL_KEM_PARAM_IKME of libcrypto 3.5; the latter has a name in
 * the headers of 3.2 on */
#define PARAM_SEED "seed"
#define PARAM_IKME "ikme"

static pthread_once_t looked_once = PTHREAD_ONCE_INIT;
static bool present;

static void look(void)
{
    EVP_KEM *kem = EVP_KEM_fetch(NULL, cl_mlkem_768.name, NULL);
    EVP_KEYMGMT *keys = EVP_KEYMGMT_fetch(NULL, cl_mlkem_768.name, NULL);
    present = kem != NULL && keys != NULL;
    EVP_KEM_free(kem);
    EVP_KEYMGMT_free(keys);
    ERR_clear_error(); /* there is none: an error for libcrypto only */
}

bool cl_mlkem_ossl_present(void)
{
    return pthread_once(&looked_once, look) == 0 && present;
}

cl_result cl_mlkem_ossl_keygen(const struct cl_mlkem_set *set, const uint8_t *seed, uint8_t *ek,
                               EVP_PKEY **out)
{
    uint8_t copy[CL_MLKEM_SEED_LEN]; /* OSSL_PARAM has no const */
    size_t len = 0;
    memcpy(copy, seed, sizeof(copy));
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(PARAM_SEED, copy, sizeof(copy)),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, set->name, NULL);
    *out = NULL;
    const bool ok = ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1 &&
                    EVP_PKEY_CTX_set_params(ctx, params) == 1 && EVP_PKEY_generate(ctx, out) == 1 &&
                    EVP_PKEY_get_octet_string_param(*out, OSSL_PKEY_PARAM_PUB_KEY, ek, set->ek_len,
                                                    &len) == 1 &&
                    len == set->ek_len;
    EVP_PKEY_CTX_free(ctx);
    cl_wipe(copy, sizeof(copy));
    if (!ok) {
        EVP_PKEY_free(*out);
        *out = NULL;
        return cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    return CL_OK;
}

cl_result cl_mlkem_ossl_encap(const struct cl_mlkem_set *set, const uint8_t *ek,
                              const uint8_t *random, uint8_t *ct, uint8_t *secret)
{
    uint8_t copy[CL_MLKEM_RANDOM_LEN];
    size_t ct_len = set->ct_len;
    size_t secret_len = CL_MLKEM_SECRET_LEN;
    /* FIPS 203 7.2: libcrypto makes the modulus check as it imports */
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key_ex(NULL, set->name, NULL, ek, set->ek_len);
    if (peer == NULL) {
        return cl_ossl_failed(CLEAT_ERR_BAD_KEY_SHARE);
    }
    memcpy(copy, random, sizeof(copy));
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(PARAM_IKME, copy, sizeof(copy)),
        OSSL_PARAM_construct_end(),
    };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, peer, NULL);
    const bool ok = ctx != NULL && EVP_PKEY_encapsulate_init(ctx, params) == 1 &&
                    EVP_PKEY_encapsulate(ctx, ct, &ct_len, secret, &secret_len) == 1 &&
                    ct_len == set->ct_len && secret_len == CL_MLKEM_SECRET_LEN;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    cl_wipe(copy, sizeof(copy));
    return ok ? CL_OK : cl_ossl_failed(CLEAT_ERR_CRYPTO);
}

cl_result cl_mlkem_ossl_decap(const struct cl_mlkem_set *set, EVP_PKEY *key, const uint8_t *ct,
                              uint8_t *secret)
{
    size_t secret_len = CL_MLKEM_SECRET_LEN;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    const bool ok = ctx != NULL && EVP_PKEY_decapsulate_init(ctx, NULL) == 1 &&
                    EVP_PKEY_decapsulate(ctx, secret, &secret_len, ct, set->ct_len) == 1 &&
                    secret_len == CL_MLKEM_SECRET_LEN;
    EVP_PKEY_CTX_free(ctx);
    return ok ? CL_OK : cl_ossl_failed(CLEAT_ERR_CRYPTO);
}
