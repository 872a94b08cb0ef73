/* crypto/pubkey.c - public keys from a SubjectPublicKeyInfo, and what there is to say about types.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/key_impl.h"

#include <pthread.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>

#include "base/mem.h"
#include "crypto/ossl.h"

/* 512: below it a modulus cannot even hold a PKCS#1 signature with SHA-256. Who trusts a key of
 * less than 2048 bits is decided elsewhere. */
#define RSA_MIN_BITS          512
/* 64: what libcrypto takes with a modulus above 3072 bits; 65537 is what everybody uses */
#define RSA_MAX_EXPONENT_BITS 64
/* RFC 5480 2.2: the first byte of an uncompressed point */
#define UNCOMPRESSED          4

static const struct {
    const char *name;
    int nid; /* of the curve */
    uint16_t bits;
    uint16_t key_len; /* bytes of the public key; 0: it varies */
    const char *evp_name;
} types[] = {
    [CL_KEY_NONE] = {"none", 0, 0, 0, NULL},
    [CL_KEY_RSA] = {"RSA", 0, 0, 0, NULL},
    [CL_KEY_RSA_PSS] = {"RSA-PSS", 0, 0, 0, NULL},
    [CL_KEY_EC_P256] = {"ECDSA P-256", NID_X9_62_prime256v1, 256, 65, NULL},
    [CL_KEY_EC_P384] = {"ECDSA P-384", NID_secp384r1, 384, 97, NULL},
    [CL_KEY_EC_P521] = {"ECDSA P-521", NID_secp521r1, 521, 133, NULL},
    [CL_KEY_ED25519] = {"Ed25519", 0, 256, 32, "ED25519"},
    [CL_KEY_ED448] = {"Ed448", 0, 456, 57, "ED448"},
    /* FIPS 204, table 2; bits as libcrypto counts them */
    [CL_KEY_ML_DSA_44] = {"ML-DSA-44", 0, 8 * 1312, 1312, "ML-DSA-44"},
    [CL_KEY_ML_DSA_65] = {"ML-DSA-65", 0, 8 * 1952, 1952, "ML-DSA-65"},
    [CL_KEY_ML_DSA_87] = {"ML-DSA-87", 0, 8 * 2592, 2592, "ML-DSA-87"},
};

const char *cl_key_type_name(enum cl_key_type type)
{
    return types[type].name;
}

int cl_key_type_nid(enum cl_key_type type)
{
    return types[type].nid;
}

const char *cl_key_type_evp_name(enum cl_key_type type)
{
    return types[type].evp_name;
}

/* Made once, never changed, shared by threads, kept until the process ends: a digest of each hash,
 * and whether there is ML-DSA. */
static EVP_MD *digests[CL_HASH_SHA512 + 1];
static bool has_ml_dsa;
static pthread_once_t shared_once = PTHREAD_ONCE_INIT;

static void make_shared(void)
{
    digests[CL_HASH_SHA256] = EVP_MD_fetch(NULL, "SHA2-256", NULL);
    digests[CL_HASH_SHA384] = EVP_MD_fetch(NULL, "SHA2-384", NULL);
    digests[CL_HASH_SHA512] = EVP_MD_fetch(NULL, "SHA2-512", NULL);
    EVP_SIGNATURE *ml_dsa = EVP_SIGNATURE_fetch(NULL, "ML-DSA-44", NULL);
    has_ml_dsa = ml_dsa != NULL;
    EVP_SIGNATURE_free(ml_dsa);
    ERR_clear_error();
}

bool cl_ml_dsa_available(void)
{
    return pthread_once(&shared_once, make_shared) == 0 && has_ml_dsa;
}

const EVP_MD *cl_hash_md(enum cl_hash_id id)
{
    return pthread_once(&shared_once, make_shared) == 0 ? digests[id] : NULL;
}

int cl_hash_nid(enum cl_hash_id id)
{
    static const int nids[] = {
        [CL_HASH_NONE] = NID_undef,    [CL_HASH_SHA1] = NID_sha1,     [CL_HASH_SHA256] = NID_sha256,
        [CL_HASH_SHA384] = NID_sha384, [CL_HASH_SHA512] = NID_sha512,
    };
    return nids[id];
}

static cl_result rsa_key(struct cl_pubkey *key, struct cl_rd der)
{
    struct cl_rd n_bytes;
    struct cl_rd e_bytes;
    CL_TRY(cl_spki_rsa_key(der, &n_bytes, &e_bytes));
    if (n_bytes.len > CL_RSA_MAX_BITS / 8 || e_bytes.len > RSA_MAX_EXPONENT_BITS / 8) {
        return CLEAT_ERR_BAD_KEY;
    }
    BIGNUM *n = BN_bin2bn(n_bytes.p, (int)n_bytes.len, NULL);
    BIGNUM *e = BN_bin2bn(e_bytes.p, (int)e_bytes.len, NULL);
    key->rsa = RSA_new();
    if (n == NULL || e == NULL || key->rsa == NULL || RSA_set0_key(key->rsa, n, e, NULL) != 1) {
        BN_free(n);
        BN_free(e);
        return cl_ossl_failed(CLEAT_ERR_NOMEM);
    }
    key->bits = (unsigned)BN_num_bits(n);
    /* RFC 8017 3.1: n is a product of odd primes, 3 <= e < n, and e is odd */
    const bool usable = key->bits >= RSA_MIN_BITS && BN_is_odd(n) && BN_is_odd(e) && !BN_is_one(e);
    return usable ? CL_OK : CLEAT_ERR_BAD_KEY;
}

static cl_result ec_key(struct cl_pubkey *key, struct cl_rd point)
{
    EC_KEY *ec;
    /* RFC 5480 2.2 allows compressed points; RFC 9846 and the CA/Browser Forum's profile do not. */
    if (point.len != types[key->alg.type].key_len || point.p[0] != UNCOMPRESSED) {
        return CLEAT_ERR_BAD_KEY;
    }
    /* Is it on the curve? (The order of these curves is prime: no further check is needed.) */
    CL_TRY(cl_ec_take(&ec, key->alg.type, point.p, point.len));
    cl_ec_put(key->alg.type, ec);
    memcpy(key->point, point.p, point.len);
    key->point_len = (uint8_t)point.len;
    key->bits = types[key->alg.type].bits;
    return CL_OK;
}

static cl_result evp_key(struct cl_pubkey *key, struct cl_rd bytes)
{
    if (bytes.len != types[key->alg.type].key_len) {
        return CLEAT_ERR_BAD_KEY;
    }
    if (cl_key_is_ml_dsa(key->alg.type) && !cl_ml_dsa_available()) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    key->bits = types[key->alg.type].bits;
    key->evp = EVP_PKEY_new_raw_public_key_ex(NULL, types[key->alg.type].evp_name, NULL, bytes.p,
                                              bytes.len);
    return key->evp != NULL ? CL_OK : cl_ossl_failed(CLEAT_ERR_BAD_KEY);
}

cl_result cl_pubkey_parse(struct cl_pubkey **out, struct cl_rd spki)
{
    struct cl_spki parsed;
    *out = NULL;
    CL_TRY(cl_spki_parse(&parsed, spki));
    struct cl_pubkey *key = cl_calloc(1, sizeof(*key));
    if (key == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    key->alg = parsed.alg;
    cl_result r;
    if (key->alg.type == CL_KEY_RSA || key->alg.type == CL_KEY_RSA_PSS) {
        r = rsa_key(key, parsed.key);
    } else if (types[key->alg.type].nid != 0) {
        r = ec_key(key, parsed.key);
    } else {
        r = evp_key(key, parsed.key);
    }
    if (r != CL_OK) {
        cl_pubkey_free(key);
        return r;
    }
    *out = key;
    return CL_OK;
}

void cl_pubkey_deinit(struct cl_pubkey *key)
{
    RSA_free(key->rsa);
    EC_KEY_free(key->ec);
    EVP_PKEY_free(key->evp);
    memset(key, 0, sizeof(*key));
}

void cl_pubkey_free(struct cl_pubkey *key)
{
    if (key != NULL) {
        cl_pubkey_deinit(key);
        cl_free(key);
    }
}

enum cl_key_type cl_pubkey_type(const struct cl_pubkey *key)
{
    return key->alg.type;
}

unsigned cl_pubkey_bits(const struct cl_pubkey *key)
{
    return key->bits;
}
