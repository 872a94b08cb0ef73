/* tests/crypto/test_hash_evp.c - hashes, HMAC and HKDF give what libcrypto's EVP gives: random
 * inputs of every length around block boundaries, in random pieces. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "support_crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "crypto/hash.h"

/* 400: over three blocks of SHA-512, and over what is put together before it is hashed */
#define MAX_LEN   400
#define MAX_PARTS 5

static const struct {
    enum cl_hash_id id;
    const char *name;
} hashes[] = {
    {CL_HASH_SHA1, "SHA1"},
    {CL_HASH_SHA256, "SHA256"},
    {CL_HASH_SHA384, "SHA384"},
    {CL_HASH_SHA512, "SHA512"},
};

#define NUM_HASHES (sizeof(hashes) / sizeof(hashes[0]))

static uint32_t below(uint32_t n)
{
    static uint32_t x = 2463534242; /* Marsaglia's xorshift: the same inputs in every run */
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x % n;
}

static void fill(uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        p[i] = (uint8_t)below(256);
    }
}

/* split cuts len bytes at p into pieces, empty ones among them. */
static void split(const uint8_t *p, size_t len, struct cl_rd parts[MAX_PARTS])
{
    for (size_t i = 0; i < MAX_PARTS; i++) {
        const size_t take = i + 1 == MAX_PARTS ? len : below((uint32_t)len + 1);
        parts[i] = cl_rd_of(p, take);
        p += take;
        len -= take;
    }
}

static void test_running_hashes_in_pieces_equal_evps(void **state)
{
    uint8_t text[MAX_LEN], expected[CL_HASH_MAX_LEN], out[CL_HASH_MAX_LEN];
    for (size_t n = 0; n < NUM_HASHES; n++) {
        const EVP_MD *md = EVP_get_digestbyname(hashes[n].name);
        for (size_t len = 0; len <= MAX_LEN; len++) {
            struct cl_rd parts[MAX_PARTS];
            struct cl_hash h;
            fill(text, len);
            split(text, len, parts);
            cl_hash_init(&h, hashes[n].id);
            for (size_t i = 0; i < MAX_PARTS; i++) {
                cl_hash_update(&h, parts[i].p, parts[i].len);
            }
            cl_hash_peek(&h, out);
            assert_int_equal(EVP_Digest(text, len, expected, NULL, md, NULL), 1);
            assert_memory_equal(out, expected, cl_hash_len(hashes[n].id));
        }
    }
}

static void test_macs_of_any_length_in_pieces_equal_libcryptos(void **state)
{
    uint8_t key[MAX_LEN], text[MAX_LEN], expected[CL_HASH_MAX_LEN], out[CL_HASH_MAX_LEN];
    for (size_t n = 0; n < NUM_HASHES; n++) {
        const EVP_MD *md = EVP_get_digestbyname(hashes[n].name);
        for (size_t len = 0; len <= MAX_LEN; len++) {
            struct cl_rd parts[MAX_PARTS];
            struct cl_hmac_key k;
            const size_t key_len = below(MAX_LEN + 1);
            fill(key, key_len);
            fill(text, len);
            split(text, len, parts);
            cl_hmac_key_init(&k, hashes[n].id, cl_rd_of(key, key_len));
            assert_non_null(HMAC(md, key, (int)key_len, text, len, expected, NULL));
            for (int again = 0; again < 2; again++) {
                cl_hmac_run(&k, parts, MAX_PARTS, out);
                assert_memory_equal(out, expected, cl_hash_len(hashes[n].id));
            }
        }
    }
}

static void evp_hkdf(int mode, const char *hash, struct cl_rd key, struct cl_rd salt_or_info,
                     uint8_t *out, size_t out_len)
{
    const bool extract = mode == EVP_KDF_HKDF_MODE_EXTRACT_ONLY;
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)hash, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key.p, key.len),
        OSSL_PARAM_construct_octet_string(extract ? OSSL_KDF_PARAM_SALT : OSSL_KDF_PARAM_INFO,
                                          (void *)(uintptr_t)salt_or_info.p, salt_or_info.len),
        OSSL_PARAM_construct_end(),
    };
    assert_int_equal(EVP_KDF_derive(ctx, out, out_len, params), 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

static void test_hkdf_with_prepared_keys_equals_evps(void **state)
{
    uint8_t key[MAX_LEN], salt[MAX_LEN], expected[MAX_LEN], out[MAX_LEN];
    for (size_t n = 0; n < NUM_HASHES; n++) {
        const size_t len = cl_hash_len(hashes[n].id);
        for (size_t i = 1; i <= MAX_LEN; i++) {
            const struct cl_rd k = cl_rd_of(key, i);
            const struct cl_rd s = cl_rd_of(salt, 1 + below(MAX_LEN));
            struct cl_secret prk;
            struct cl_hmac_key salt_key, prk_key;
            fill(key, k.len);
            fill(salt, s.len);
            evp_hkdf(EVP_KDF_HKDF_MODE_EXTRACT_ONLY, hashes[n].name, k, s, expected, len);
            cl_hkdf_extract(hashes[n].id, s, k, &prk);
            assert_int_equal(prk.len, len);
            assert_memory_equal(prk.bytes, expected, len);
            /* salt becomes the info, and as many bytes are asked for as there are of the key */
            cl_hmac_key_init(&salt_key, hashes[n].id, s);
            cl_hkdf_extract_key(&salt_key, k, &prk_key);
            evp_hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, hashes[n].name, cl_rd_of(prk.bytes, len), s,
                     expected, i);
            cl_hkdf_expand_key(&prk_key, s, out, i);
            assert_memory_equal(out, expected, i);
        }
    }
}

/* RFC 9846 7.1, put together here from scratch. */
static size_t hkdf_label(uint8_t *out, size_t out_len, const char *label, struct cl_rd context)
{
    struct cl_wr w = cl_wr_of(out, 2 * MAX_LEN);
    cl_wr_u16(&w, (uint16_t)out_len);
    struct cl_wr_mark m = cl_wr_open8(&w);
    cl_wr_view(&w, cl_rd_str("tls13 "));
    cl_wr_view(&w, cl_rd_str(label));
    cl_wr_close(&w, m);
    m = cl_wr_open8(&w);
    cl_wr_view(&w, context);
    cl_wr_close(&w, m);
    assert_true(cl_wr_ok(&w));
    return w.len;
}

static void test_labels_of_any_length_expand_as_evps_hkdf_does(void **state)
{
    uint8_t secret[CL_HASH_MAX_LEN], context[255], info[2 * MAX_LEN], expected[MAX_LEN],
        out[MAX_LEN];
    char label[250];
    for (size_t n = 0; n < NUM_HASHES; n++) {
        const struct cl_rd s = cl_rd_of(secret, cl_hash_len(hashes[n].id));
        for (size_t i = 0; i < 600; i++) {
            /* half of them as in a handshake: short labels, contexts of a digest's length or less
             */
            const bool usual = i % 2 == 0;
            const size_t label_len = 1 + below(usual ? 16 : 249);
            const struct cl_rd c = cl_rd_of(context, below(usual ? 65 : 256));
            const size_t out_len = 1 + below(usual ? 64 : MAX_LEN);
            memset(label, 'a' + (int)below(26), label_len);
            label[label_len] = '\0';
            fill(secret, s.len);
            fill(context, c.len);
            const size_t info_len = hkdf_label(info, out_len, label, c);
            evp_hkdf(EVP_KDF_HKDF_MODE_EXPAND_ONLY, hashes[n].name, s, cl_rd_of(info, info_len),
                     expected, out_len);
            cl_hkdf_expand_label(hashes[n].id, s, label, c, out, out_len);
            assert_memory_equal(out, expected, out_len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_running_hashes_in_pieces_equal_evps),
        cmocka_unit_test(test_macs_of_any_length_in_pieces_equal_libcryptos),
        cmocka_unit_test(test_hkdf_with_prepared_keys_equals_evps),
        cmocka_unit_test(test_labels_of_any_length_expand_as_evps_hkdf_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
