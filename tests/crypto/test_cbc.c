/* tests/crypto/test_cbc.c - AES-CBC with HMAC: what libcrypto computes is what we do; every padding
 * of every length, good and bad; the same answer and the same number of hash compressions whatever
 * is wrong. Under the preset `ct` valgrind also watches each branch (base/ct.h). */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "support_crypto.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "crypto/cbc.h"

/* ---- what is hashed ---- */

/* Bytes given to libcrypto: whole blocks to be compressed, and texts. */
static struct {
    size_t blocks;
    size_t updates;
    size_t bytes;
} hashed;

#define WRAP_TRANSFORM(name, ctx)                          \
    void __real_##name(ctx *c, const unsigned char *data); \
    void __wrap_##name(ctx *c, const unsigned char *data); \
    void __wrap_##name(ctx *c, const unsigned char *data)  \
    {                                                      \
        hashed.blocks++;                                   \
        __real_##name(c, data);                            \
    }
#define WRAP_UPDATE(name, ctx)                               \
    int __real_##name(ctx *c, const void *data, size_t len); \
    int __wrap_##name(ctx *c, const void *data, size_t len); \
    int __wrap_##name(ctx *c, const void *data, size_t len)  \
    {                                                        \
        hashed.updates++;                                    \
        hashed.bytes += len;                                 \
        return __real_##name(c, data, len);                  \
    }
WRAP_TRANSFORM(SHA1_Transform, SHA_CTX)
WRAP_TRANSFORM(SHA256_Transform, SHA256_CTX)
WRAP_TRANSFORM(SHA512_Transform, SHA512_CTX)
WRAP_UPDATE(SHA1_Update, SHA_CTX)
WRAP_UPDATE(SHA256_Update, SHA256_CTX)
WRAP_UPDATE(SHA512_Update, SHA512_CTX)

/* ---- suites, and a record as libcrypto would make it ---- */

static const struct kind {
    const char *name;
    size_t key_len;
    enum cl_hash_id hash;
    const char *digest;
} kinds[] = {
    {"AES-128-CBC-SHA", 16, CL_HASH_SHA1, "SHA1"},
    {"AES-256-CBC-SHA", 32, CL_HASH_SHA1, "SHA1"},
    {"AES-128-CBC-SHA256", 16, CL_HASH_SHA256, "SHA256"},
    {"AES-256-CBC-SHA384", 32, CL_HASH_SHA384, "SHA384"},
};
#define NUM_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* 2,048: the longest record made here */
#define ROOM 2048

static const uint8_t key[32] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17};
static const uint8_t mac_key[48] = {0xa0, 0xa1, 0xa2, 0xa3};
static const uint8_t iv[CL_CBC_BLOCK] = {0xf0, 0xf1, 0xf2};
static const uint8_t head[CL_CBC_HEAD] = {0, 0, 0, 0, 0, 0, 0, 7, 23, 3, 3};

static struct cl_cbc *make(const struct kind *k, bool encrypt_then_mac, bool seal)
{
    const struct cl_cbc_params params = {.key_len = k->key_len,
                                         .key = key,
                                         .hash = k->hash,
                                         .mac_key = mac_key,
                                         .encrypt_then_mac = encrypt_then_mac,
                                         .seal = seal};
    struct cl_cbc *c;
    assert_int_equal(cl_cbc_new(&c, &params), CL_OK);
    return c;
}

static void encrypt(const struct kind *k, uint8_t *p, size_t len)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;
    assert_int_equal(EVP_EncryptInit_ex(ctx,
                                        k->key_len == 16 ? EVP_aes_128_cbc() : EVP_aes_256_cbc(),
                                        NULL, key, iv),
                     1);
    assert_int_equal(EVP_CIPHER_CTX_set_padding(ctx, 0), 1);
    assert_int_equal(EVP_EncryptUpdate(ctx, p, &n, p, (int)len), 1);
    assert_int_equal(n, len);
    EVP_CIPHER_CTX_free(ctx);
}

static size_t hmac(const struct kind *k, const uint8_t *p, size_t len, uint8_t *out)
{
    uint8_t text[ROOM + 13];
    unsigned n;
    memcpy(text, head, CL_CBC_HEAD);
    text[CL_CBC_HEAD] = (uint8_t)(len >> 8);
    text[CL_CBC_HEAD + 1] = (uint8_t)len;
    memcpy(text + CL_CBC_HEAD + 2, p, len);
    assert_non_null(HMAC(EVP_get_digestbyname(k->digest), mac_key, (int)cl_hash_len(k->hash), text,
                         CL_CBC_HEAD + 2 + len, out, &n));
    return n;
}

static void fill_text(uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        p[i] = (uint8_t)(i * 7 + 1);
    }
}

/* IV, text, MAC and `padding` bytes behind the first; the last `harmed` plaintext is for the
 * caller to spoil before encrypt(). Returns the whole length, 0 when these are not whole blocks. */
static size_t plain_record(const struct kind *k, size_t text_len, size_t padding, uint8_t *out)
{
    uint8_t *p = out + CL_CBC_BLOCK;
    size_t len = text_len + cl_hash_len(k->hash) + padding + 1;
    if (len % CL_CBC_BLOCK != 0) {
        return 0;
    }
    memcpy(out, iv, CL_CBC_BLOCK);
    fill_text(p, text_len);
    size_t at = text_len + hmac(k, p, text_len, p + text_len);
    memset(p + at, (int)padding, padding + 1);
    return CL_CBC_BLOCK + len;
}

/* ---- sealing ---- */

static void test_a_sealed_record_is_what_libcrypto_would_make(void **state)
{
    static const size_t lens[] = {0, 1, 11, 12, 13, 15, 16, 17, 100, 1000};
    uint8_t expected[ROOM];
    uint8_t text[ROOM];
    uint8_t out[ROOM];
    for (size_t i = 0; i < NUM_KINDS * 10; i++) {
        const struct kind *k = &kinds[i / 10];
        size_t len = lens[i % 10];
        struct cl_cbc *c = make(k, false, true);
        size_t padding = 0;
        while (plain_record(k, len, padding, expected) == 0) {
            padding++;
        }
        size_t whole = plain_record(k, len, padding, expected);
        encrypt(k, expected + CL_CBC_BLOCK, whole - CL_CBC_BLOCK);
        fill_text(text, len);
        assert_int_equal(cl_cbc_sealed_len(c, len), whole);
        assert_true(whole <= len + cl_cbc_overhead(c));
        assert_int_equal(cl_cbc_seal(c, head, iv, cl_rd_of(text, len), out), CL_OK);
        assert_memory_equal(out, expected, whole);
        cl_cbc_free(c);
    }
}

static void test_encrypt_then_mac_puts_the_mac_over_iv_and_ciphertext(void **state)
{
    uint8_t expected[ROOM];
    uint8_t text[33];
    uint8_t out[ROOM];
    for (size_t i = 0; i < NUM_KINDS; i++) {
        const struct kind *k = &kinds[i];
        struct cl_cbc *c = make(k, true, true);
        fill_text(text, sizeof(text));
        memcpy(expected, iv, CL_CBC_BLOCK);
        memcpy(expected + CL_CBC_BLOCK, text, sizeof(text));
        memset(expected + CL_CBC_BLOCK + 33, 14, 15);
        encrypt(k, expected + CL_CBC_BLOCK, 48);
        size_t whole = CL_CBC_BLOCK + 48;
        whole += hmac(k, expected, whole, expected + whole);
        assert_int_equal(cl_cbc_sealed_len(c, sizeof(text)), whole);
        assert_int_equal(cl_cbc_seal(c, head, iv, cl_rd_of(text, sizeof(text)), out), CL_OK);
        assert_memory_equal(out, expected, whole);
        cl_cbc_free(c);
    }
}

/* ---- opening ---- */

static cl_result open_with(struct cl_cbc *c, uint8_t *p, size_t len, size_t *text_len)
{
    memset(&hashed, 0, sizeof(hashed));
    return cl_cbc_open(c, head, p, len, text_len);
}

static void test_what_was_sealed_is_opened(void **state)
{
    uint8_t text[ROOM];
    uint8_t out[ROOM];
    size_t len;
    fill_text(text, sizeof(text));
    for (size_t i = 0; i < NUM_KINDS * 2; i++) {
        struct cl_cbc *sealer = make(&kinds[i / 2], i % 2 == 1, true);
        struct cl_cbc *opener = make(&kinds[i / 2], i % 2 == 1, false);
        for (size_t n = 0; n < 1500; n += n < 100 ? 1 : 97) {
            assert_int_equal(cl_cbc_seal(sealer, head, iv, cl_rd_of(text, n), out), CL_OK);
            assert_int_equal(open_with(opener, out, cl_cbc_sealed_len(sealer, n), &len), CL_OK);
            assert_int_equal(len, n);
            assert_memory_equal(out + CL_CBC_BLOCK, text, n);
        }
        cl_cbc_free(sealer);
        cl_cbc_free(opener);
    }
}

static void test_padding_of_every_length_is_accepted_by_equal_work(void **state)
{
    uint8_t record[ROOM];
    size_t len;
    for (size_t i = 0; i < NUM_KINDS; i++) {
        const struct kind *k = &kinds[i];
        struct cl_cbc *c = make(k, false, false);
        size_t blocks = 0;
        size_t bytes = 0;
        /* the same length on the wire each time: 256 bytes of text and padding, and 16 more */
        for (size_t padding = 0; padding < 256; padding++) {
            size_t room = 272 + (CL_CBC_BLOCK - cl_hash_len(k->hash) % CL_CBC_BLOCK);
            size_t text_len = room - 1 - padding;
            size_t whole = plain_record(k, text_len, padding, record);
            assert_true(whole != 0);
            encrypt(k, record + CL_CBC_BLOCK, whole - CL_CBC_BLOCK);
            assert_int_equal(open_with(c, record, whole, &len), CL_OK);
            assert_int_equal(len, text_len);
            assert_true(hashed.blocks >= 3);
            assert_true(padding == 0 || hashed.blocks == blocks);
            assert_true(padding == 0 || hashed.bytes == bytes);
            blocks = hashed.blocks;
            bytes = hashed.bytes;
        }
        cl_cbc_free(c);
    }
}

/* What an attacker of the padding could try: every padding length, with each of its bytes changed,
 * longer than the record, and a wrong MAC under a good padding. All look alike. */
static void test_every_malformed_padding_gives_the_same_answer_by_equal_work(void **state)
{
    uint8_t good[ROOM];
    uint8_t record[ROOM];
    size_t len;
    for (size_t i = 0; i < NUM_KINDS; i++) {
        const struct kind *k = &kinds[i];
        struct cl_cbc *c = make(k, false, false);
        size_t room = 272 + (CL_CBC_BLOCK - cl_hash_len(k->hash) % CL_CBC_BLOCK);
        size_t blocks = 0;
        size_t bytes = 0;
        size_t num = 0;
        for (size_t padding = 0; padding < 256; padding += padding < 20 || padding > 250 ? 1 : 23) {
            size_t whole = plain_record(k, room - 1 - padding, padding, good);
            /* 0 to padding: that byte of it; beyond: of the MAC */
            for (size_t harmed = 0; harmed <= padding + 3; harmed++) {
                memcpy(record, good, whole);
                record[whole - 1 - harmed] ^= harmed == 0 ? 0x80 : 1;
                encrypt(k, record + CL_CBC_BLOCK, whole - CL_CBC_BLOCK);
                assert_int_equal(open_with(c, record, whole, &len), CLEAT_ERR_BAD_RECORD_MAC);
                assert_int_equal(len, 0);
                assert_true(num == 0 || (hashed.blocks == blocks && hashed.bytes == bytes));
                blocks = hashed.blocks;
                bytes = hashed.bytes;
                num++;
            }
        }
        assert_true(num > 1000);
        cl_cbc_free(c);
    }
}

static void test_a_padding_longer_than_the_record_is_refused(void **state)
{
    uint8_t record[ROOM];
    size_t len;
    for (size_t i = 0; i < NUM_KINDS; i++) {
        const struct kind *k = &kinds[i];
        struct cl_cbc *c = make(k, false, false);
        size_t mac_len = cl_hash_len(k->hash);
        size_t inner = (mac_len / CL_CBC_BLOCK + 1) * CL_CBC_BLOCK;
        for (int value = 0; value < 256; value++) {
            memcpy(record, iv, CL_CBC_BLOCK);
            memset(record + CL_CBC_BLOCK, value, inner);
            encrypt(k, record + CL_CBC_BLOCK, inner);
            assert_int_equal(open_with(c, record, CL_CBC_BLOCK + inner, &len),
                             CLEAT_ERR_BAD_RECORD_MAC);
        }
        cl_cbc_free(c);
    }
}

static void test_every_byte_of_a_record_is_protected(void **state)
{
    uint8_t text[40];
    uint8_t sealed[ROOM];
    uint8_t record[ROOM];
    size_t len;
    fill_text(text, sizeof(text));
    for (size_t i = 0; i < NUM_KINDS * 2; i++) {
        struct cl_cbc *sealer = make(&kinds[i / 2], i % 2 == 1, true);
        struct cl_cbc *opener = make(&kinds[i / 2], i % 2 == 1, false);
        size_t whole = cl_cbc_sealed_len(sealer, sizeof(text));
        assert_int_equal(cl_cbc_seal(sealer, head, iv, cl_rd_of(text, sizeof(text)), sealed),
                         CL_OK);
        for (size_t at = 0; at < whole; at++) {
            memcpy(record, sealed, whole);
            record[at] ^= 0x10;
            assert_int_equal(open_with(opener, record, whole, &len), CLEAT_ERR_BAD_RECORD_MAC);
            memcpy(record, sealed, whole);
            assert_int_equal(open_with(opener, record, at, &len), CLEAT_ERR_BAD_RECORD_MAC);
        }
        for (size_t at = 0; at < CL_CBC_HEAD; at++) {
            uint8_t other[CL_CBC_HEAD];
            memcpy(other, head, sizeof(other));
            other[at] ^= 1;
            memcpy(record, sealed, whole);
            assert_int_equal(cl_cbc_open(opener, other, record, whole, &len),
                             CLEAT_ERR_BAD_RECORD_MAC);
        }
        cl_cbc_free(sealer);
        cl_cbc_free(opener);
    }
    assert_no_libcrypto_error();
}

static void test_making_a_context_survives_a_shortage_of_memory(void **state)
{
    const struct cl_cbc_params params = {
        .key_len = 16, .key = key, .hash = CL_HASH_SHA1, .mac_key = mac_key};
    struct cl_cbc *c = (struct cl_cbc *)1;
    fail_allocation(0);
    assert_int_equal(cl_cbc_new(&c, &params), CLEAT_ERR_NOMEM);
    assert_true(stop_failing());
    assert_null(c);
    cl_cbc_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sealed_record_is_what_libcrypto_would_make),
        cmocka_unit_test(test_encrypt_then_mac_puts_the_mac_over_iv_and_ciphertext),
        cmocka_unit_test(test_what_was_sealed_is_opened),
        cmocka_unit_test(test_padding_of_every_length_is_accepted_by_equal_work),
        cmocka_unit_test(test_every_malformed_padding_gives_the_same_answer_by_equal_work),
        cmocka_unit_test(test_a_padding_longer_than_the_record_is_refused),
        cmocka_unit_test(test_every_byte_of_a_record_is_protected),
        cmocka_unit_test(test_making_a_context_survives_a_shortage_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
