/* crypto/hpke_key.c - HPKE's key pairs as PrivateKeyInfo (RFC 5958), through libcrypto's decoder
 * and encoder: read and written by tools, at start-up, never in a handshake. */
#include "crypto/hpke_impl.h"

#include <limits.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "crypto/kex.h"
#include "crypto/ossl.h"

static const struct {
    uint16_t kem;
    int nid;
    const char *curve; /* NULL: the key is its own bytes */
} curves[] = {
    {CL_HPKE_X25519, EVP_PKEY_X25519, NULL},
    {CL_HPKE_P256, NID_X9_62_prime256v1, SN_X9_62_prime256v1},
    {CL_HPKE_P384, NID_secp384r1, SN_secp384r1},
    {CL_HPKE_P521, NID_secp521r1, SN_secp521r1},
};

#define NUM_CURVES (sizeof(curves) / sizeof(curves[0]))

/* parse_ec takes the scalar of an EC key, by the name of its curve. */
static cl_result parse_ec(struct cl_hpke_key *out, const EVP_PKEY *pkey)
{
    char group[64]; /* no name of a curve has as many */
    uint8_t scalar[CL_HPKE_MAX_PRIVATE];
    BIGNUM *k = NULL;
    cl_result r = CLEAT_ERR_UNSUPPORTED;
    if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
                                       NULL) != 1 ||
        EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &k) != 1) {
        return cl_ossl_failed(CLEAT_ERR_BAD_KEY);
    }
    for (size_t i = 0; i < NUM_CURVES; i++) {
        const struct cl_hpke_kem *kem = cl_hpke_kem_by_id(curves[i].kem);
        if (curves[i].curve != NULL && OBJ_txt2nid(group) == curves[i].nid) {
            const int len = kem->private_len;
            r = BN_bn2binpad(k, scalar, len) == len
                    ? cl_hpke_key_of(out, kem, cl_rd_of(scalar, kem->private_len))
                    : CLEAT_ERR_BAD_KEY;
        }
    }
    BN_clear_free(k);
    cl_wipe(scalar, sizeof(scalar));
    return r;
}

static cl_result parse_x25519(struct cl_hpke_key *out, const EVP_PKEY *pkey)
{
    uint8_t scalar[CL_HPKE_MAX_PRIVATE];
    size_t len = sizeof(scalar);
    if (EVP_PKEY_get_raw_private_key(pkey, scalar, &len) != 1) {
        return cl_ossl_failed(CLEAT_ERR_BAD_KEY);
    }
    const cl_result r =
        cl_hpke_key_of(out, cl_hpke_kem_by_id(CL_HPKE_X25519), cl_rd_of(scalar, len));
    cl_wipe(scalar, sizeof(scalar));
    return r;
}

cl_result cl_hpke_key_parse(struct cl_hpke_key *out, struct cl_rd der)
{
    const uint8_t *p = der.p;
    memset(out, 0, sizeof(*out));
    PKCS8_PRIV_KEY_INFO *info =
        der.len <= LONG_MAX ? d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)der.len) : NULL;
    EVP_PKEY *pkey = info != NULL && p == der.p + der.len ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    if (pkey == NULL) {
        return cl_ossl_failed(CLEAT_ERR_BAD_KEY);
    }
    cl_result r = CLEAT_ERR_UNSUPPORTED;
    if (EVP_PKEY_is_a(pkey, "X25519")) {
        r = parse_x25519(out, pkey);
    } else if (EVP_PKEY_is_a(pkey, "EC")) {
        r = parse_ec(out, pkey);
    }
    EVP_PKEY_free(pkey);
    return r;
}

static EVP_PKEY *ec_pkey(const struct cl_hpke_key *key, const char *curve)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    BIGNUM *k = BN_bin2bn(key->private_key, key->kem->private_len, NULL);
    if (bld != NULL && ctx != NULL && k != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY, key->public_key,
                                         key->kem->public_len) == 1 &&
        OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, k) == 1 &&
        (params = OSSL_PARAM_BLD_to_param(bld)) != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1) {
        pkey = NULL;
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(bld);
    EVP_PKEY_CTX_free(ctx);
    BN_clear_free(k);
    return pkey;
}

static EVP_PKEY *pkey_of(const struct cl_hpke_key *key)
{
    for (size_t i = 0; i < NUM_CURVES; i++) {
        if (curves[i].kem == key->kem->id && curves[i].curve != NULL) {
            return ec_pkey(key, curves[i].curve);
        }
    }
    return EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, key->private_key,
                                           key->kem->private_len);
}

cl_result cl_hpke_key_build(const struct cl_hpke_key *key, struct cl_buf *out)
{
    uint8_t *der = NULL;
    EVP_PKEY *pkey = pkey_of(key);
    PKCS8_PRIV_KEY_INFO *info = pkey != NULL ? EVP_PKEY2PKCS8(pkey) : NULL;
    const int len = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
    PKCS8_PRIV_KEY_INFO_free(info);
    EVP_PKEY_free(pkey);
    if (len <= 0) {
        return cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    /* 4 KiB: a PrivateKeyInfo of these keys has some 250 bytes */
    const cl_result r = cl_buf_append(out, der, (size_t)len, 4096);
    OPENSSL_clear_free(der, (size_t)len);
    return r;
}
