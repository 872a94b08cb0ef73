/* crypto/sign.c - making a signature.
 *
 * RSA is blinded by libcrypto, with a blinding for each thread; its result is checked before it is
 * given out, because one faulty CRT signature gives the factors away. ECDSA nonces are libcrypto's:
 * random, mixed with the key and the digest.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/key_impl.h"

#include <openssl/ecdsa.h>

#include "base/mem.h"
#include "crypto/ossl.h"

static bool rsa_pss(RSA *rsa, const struct cl_sig_alg *alg, const uint8_t *digest, uint8_t *out)
{
    uint8_t em[CL_RSA_MAX_BITS / 8];
    const EVP_MD *md = cl_hash_md(alg->hash);
    const int len = RSA_size(rsa);
    return md != NULL &&
           RSA_padding_add_PKCS1_PSS_mgf1(rsa, em, digest, md, md, RSA_PSS_SALTLEN_DIGEST) == 1 &&
           RSA_private_encrypt(len, em, out, rsa, RSA_NO_PADDING) == len;
}

static cl_result rsa(const struct cleat_key *key, const struct cl_sig_alg *alg,
                     struct cl_rd message, struct cl_wr *out)
{
    RSA *const rsa_key = key->pub.rsa;
    uint8_t digest[CL_HASH_MAX_LEN];
    unsigned len = (unsigned)RSA_size(rsa_key);
    uint8_t *at = cl_wr_reserve(out, len);
    if (at == NULL) {
        return CLEAT_ERR_USAGE;
    }
    cl_hash_once(alg->hash, message.p, message.len, digest);
    const bool ok = alg->padding == CL_PAD_PSS
                        ? rsa_pss(rsa_key, alg, digest, at)
                        : alg->padding == CL_PAD_PKCS1 &&
                              RSA_sign(cl_hash_nid(alg->hash), digest,
                                       (unsigned)cl_hash_len(alg->hash), at, &len, rsa_key) == 1;
    if (!ok) {
        return cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    const cl_result r = cl_verify(&key->pub, alg, message, cl_rd_of(at, len));
    if (r == CL_OK) {
        return CL_OK;
    }
    cl_wipe(at, len);
    return r == CLEAT_ERR_NOMEM ? r : CLEAT_ERR_CRYPTO;
}

static cl_result ecdsa(const struct cleat_key *key, const struct cl_sig_alg *alg,
                       struct cl_rd message, struct cl_wr *out)
{
    uint8_t digest[CL_HASH_MAX_LEN];
    uint8_t signature[160];
    unsigned len = 0;
    _Static_assert(sizeof(signature) >= 139, "P-521: two integers of 66 bytes and their headers");
    cl_hash_once(alg->hash, message.p, message.len, digest);
    if (ECDSA_sign(0, digest, (int)cl_hash_len(alg->hash), signature, &len, key->pub.ec) != 1) {
        return cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    cl_wr_bytes(out, signature, len);
    return cl_wr_ok(out) ? CL_OK : CLEAT_ERR_USAGE;
}

static cl_result by_evp(const struct cleat_key *key, struct cl_rd message, struct cl_wr *out)
{
    size_t len = cl_key_max_signature(key);
    uint8_t *at = cl_wr_reserve(out, len);
    if (at == NULL) {
        return CLEAT_ERR_USAGE;
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const bool ok = ctx != NULL &&
                    EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, key->pkey, NULL) == 1 &&
                    EVP_DigestSign(ctx, at, &len, message.p, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok ? CL_OK : cl_ossl_failed(CLEAT_ERR_CRYPTO);
}

cl_result cl_sign(const struct cleat_key *key, const struct cl_sig_alg *alg, struct cl_rd message,
                  struct cl_wr *out)
{
    if (!cl_pubkey_may_use(&key->pub, alg)) {
        return CLEAT_ERR_USAGE;
    }
    if (key->external) {
        return CLEAT_ERR_JOB_FAILED;
    }
    if (key->pub.rsa != NULL) {
        return rsa(key, alg, message, out);
    }
    return key->pub.ec != NULL ? ecdsa(key, alg, message, out) : by_evp(key, message, out);
}
