/* crypto/verify.c - checking a signature, driven by the algorithm's row alone.
 *
 * Every way to fail says BAD_SIGNATURE, except a shortage of memory: nothing here fails open, and a
 * caller cannot learn why. Verification needs no secret; it need not be constant time.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/key_impl.h"

#include <openssl/ecdsa.h>

#include "base/mem.h"
#include "crypto/ossl.h"

static bool rsa_pss(RSA *rsa, const struct cl_sig_alg *alg, const uint8_t *digest,
                    struct cl_rd signature)
{
    uint8_t em[CL_RSA_MAX_BITS / 8];
    const EVP_MD *md = cl_hash_md(alg->hash);
    /* RFC 9846 4.3.3: "The length of the Salt MUST be equal to the length of the output of the
     * digest algorithm" */
    return md != NULL &&
           RSA_public_decrypt((int)signature.len, signature.p, em, rsa, RSA_NO_PADDING) ==
               RSA_size(rsa) &&
           RSA_verify_PKCS1_PSS_mgf1(rsa, digest, md, md, em, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool rsa(const struct cl_pubkey *key, const struct cl_sig_alg *alg, const uint8_t *digest,
                struct cl_rd signature)
{
    /* RFC 8017 8.1.2, 8.2.2: the signature is as long as the modulus, to the byte. */
    if (signature.len != (size_t)RSA_size(key->rsa)) {
        return false;
    }
    if (alg->padding == CL_PAD_PSS) {
        return rsa_pss(key->rsa, alg, digest, signature);
    }
    return alg->padding == CL_PAD_PKCS1 &&
           RSA_verify(cl_hash_nid(alg->hash), digest, (unsigned)cl_hash_len(alg->hash), signature.p,
                      (unsigned)signature.len, key->rsa) == 1;
}

static bool ecdsa(const struct cl_pubkey *key, const struct cl_sig_alg *alg, const uint8_t *digest,
                  struct cl_rd signature)
{
    EC_KEY *ec;
    if (cl_ec_take(&ec, key->alg.type, key->point, key->point_len) != CL_OK) {
        return false;
    }
    /* libcrypto refuses anything but DER, and bytes behind it. */
    const bool ok = ECDSA_verify(0, digest, (int)cl_hash_len(alg->hash), signature.p,
                                 (int)signature.len, ec) == 1;
    cl_ec_put(key->alg.type, ec);
    return ok;
}

static bool by_evp(const struct cl_pubkey *key, struct cl_rd message, struct cl_rd signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const bool ok = ctx != NULL &&
                    EVP_DigestVerifyInit_ex(ctx, NULL, NULL, NULL, NULL, key->evp, NULL) == 1 &&
                    EVP_DigestVerify(ctx, signature.p, signature.len, message.p, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

bool cl_pubkey_may_use(const struct cl_pubkey *key, const struct cl_sig_alg *alg)
{
    /* SHA-1 is never for a signature; EdDSA and ML-DSA hash for themselves. */
    const bool hash_fits =
        key->evp != NULL ? alg->hash == CL_HASH_NONE : alg->hash >= CL_HASH_SHA256;
    /* RFC 4055 1.2: a key of id-RSASSA-PSS is for PSS only */
    const bool padding_fits = key->alg.type != CL_KEY_RSA_PSS || alg->padding == CL_PAD_PSS;
    return hash_fits && padding_fits && cl_sig_alg_fits(alg, key->alg.type) &&
           (key->alg.pss_hash == CL_HASH_NONE || key->alg.pss_hash == alg->hash);
}

cl_result cl_verify(const struct cl_pubkey *key, const struct cl_sig_alg *alg, struct cl_rd message,
                    struct cl_rd signature)
{
    if (!cl_pubkey_may_use(key, alg) || signature.len > CL_SIGNATURE_MAX) {
        return CLEAT_ERR_BAD_SIGNATURE;
    }
    uint8_t digest[CL_HASH_MAX_LEN];
    bool ok;
    if (key->evp != NULL) {
        ok = by_evp(key, message, signature);
    } else {
        cl_hash_once(alg->hash, message.p, message.len, digest);
        ok = key->rsa != NULL ? rsa(key, alg, digest, signature)
                              : ecdsa(key, alg, digest, signature);
    }
    return ok ? CL_OK : cl_ossl_failed(CLEAT_ERR_BAD_SIGNATURE);
}
