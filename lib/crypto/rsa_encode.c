/* crypto/rsa_encode.c - see rsa_encode.h. Digests and encoded messages are public. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/rsa_encode.h"

#include "base/mem.h"
#include "crypto/ossl.h"

#define PSS_ZEROS   8
#define PSS_TRAILER 0xbc
/* 11: 00 01, at least eight bytes ff, 00 (RFC 8017 9.2) */
#define PKCS1_OVER  11

/* RFC 8017 9.2 note 1: DigestInfo up to the digest itself, but for its hash and its length */
#define PREFIX_LEN 19
static const uint8_t prefix_256[PREFIX_LEN] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                               0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                               0x01, 0x05, 0x00, 0x04, 0x20};
static const uint8_t prefix_384[PREFIX_LEN] = {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                               0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                               0x02, 0x05, 0x00, 0x04, 0x30};
static const uint8_t prefix_512[PREFIX_LEN] = {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60,
                                               0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
                                               0x03, 0x05, 0x00, 0x04, 0x40};

static const uint8_t *const prefixes[] = {
    [CL_HASH_SHA256] = prefix_256,
    [CL_HASH_SHA384] = prefix_384,
    [CL_HASH_SHA512] = prefix_512,
};

static cl_result encode_pkcs1(enum cl_hash_id hash, const uint8_t *digest, uint8_t *em, size_t len)
{
    const size_t hash_len = cl_hash_len(hash);
    if (hash < CL_HASH_SHA256 || len < PREFIX_LEN + hash_len + PKCS1_OVER) {
        return CLEAT_ERR_USAGE;
    }
    const size_t pad = len - PREFIX_LEN - hash_len - 3;
    em[0] = 0;
    em[1] = 1;
    memset(em + 2, 0xff, pad);
    em[2 + pad] = 0;
    memcpy(em + 3 + pad, prefixes[hash], PREFIX_LEN);
    memcpy(em + len - hash_len, digest, hash_len);
    return CL_OK;
}

/* mask_with xors MGF1 of a seed (RFC 8017 B.2.1) into len bytes. */
static void mask_with(enum cl_hash_id hash, const uint8_t *seed, uint8_t *at, size_t len)
{
    const size_t hash_len = cl_hash_len(hash);
    uint8_t block[CL_HASH_MAX_LEN];
    struct cl_hash seeded;
    cl_hash_init(&seeded, hash);
    cl_hash_update(&seeded, seed, hash_len);
    for (uint32_t counter = 0; len != 0; counter++) {
        const uint8_t bytes[4] = {(uint8_t)(counter >> 24), (uint8_t)(counter >> 16),
                                  (uint8_t)(counter >> 8), (uint8_t)counter};
        struct cl_hash h = seeded;
        cl_hash_update(&h, bytes, sizeof(bytes));
        cl_hash_peek(&h, block);
        const size_t take = len < hash_len ? len : hash_len;
        for (size_t i = 0; i < take; i++) {
            at[i] ^= block[i];
        }
        at += take;
        len -= take;
    }
}

static cl_result encode_pss(enum cl_hash_id hash, const uint8_t *digest, uint8_t *em, size_t len)
{
    static const uint8_t zeros[PSS_ZEROS];
    const size_t hash_len = cl_hash_len(hash);
    if (hash < CL_HASH_SHA256 || len < 2 * hash_len + 2) {
        return CLEAT_ERR_USAGE;
    }
    /* DB: zeros, 01, salt; then H; then bc */
    const size_t db_len = len - hash_len - 1;
    uint8_t *salt = em + db_len - hash_len;
    memset(em, 0, db_len);
    CL_TRY(cl_rand(&cl_rng_system, salt, hash_len));
    salt[-1] = 1;
    struct cl_hash h;
    cl_hash_init(&h, hash);
    cl_hash_update(&h, zeros, sizeof(zeros));
    cl_hash_update(&h, digest, hash_len);
    cl_hash_update(&h, salt, hash_len);
    cl_hash_peek(&h, em + db_len);
    mask_with(hash, em + db_len, em, db_len);
    em[0] &= 0x7f; /* the modulus has 8 * len bits, the encoding one less */
    em[len - 1] = PSS_TRAILER;
    return CL_OK;
}

cl_result cl_rsa_encode(const struct cl_sig_alg *alg, const uint8_t *digest, uint8_t *em,
                        size_t len)
{
    switch (alg->padding) {
    case CL_PAD_PSS:
        return encode_pss(alg->hash, digest, em, len);
    case CL_PAD_PKCS1:
        return encode_pkcs1(alg->hash, digest, em, len);
    default:
        return CLEAT_ERR_USAGE;
    }
}

bool cl_rsa_is_encoding(const struct cl_pubkey *key, const struct cl_sig_alg *alg,
                        const uint8_t *digest, const uint8_t *em, size_t len)
{
    uint8_t expected[CL_RSA_MAX_BITS / 8];
    if (alg->padding == CL_PAD_PKCS1) {
        return len <= sizeof(expected) && cl_rsa_encode(alg, digest, expected, len) == CL_OK &&
               memcmp(em, expected, len) == 0;
    }
    const EVP_MD *md = cl_hash_md(alg->hash);
    const bool ok =
        alg->padding == CL_PAD_PSS && md != NULL &&
        RSA_verify_PKCS1_PSS_mgf1(key->rsa, digest, md, md, em, RSA_PSS_SALTLEN_DIGEST) == 1;
    return ok || cl_ossl_failed(CLEAT_ERR_BAD_SIGNATURE) == CL_OK;
}
