/* tests/crypto/test_hash.c - SHA, HMAC, HKDF against published values. */
#include "support_crypto.h"

#include "crypto/hash.h"

/* FIPS 180-4 examples (csrc.nist.gov), "abc", "" and the two-block messages. */
static const struct {
    enum cl_hash_id id;
    const char *message;
    const char *digest;
} vectors[] = {
    {CL_HASH_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {CL_HASH_SHA1, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    {CL_HASH_SHA256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {CL_HASH_SHA256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {CL_HASH_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {CL_HASH_SHA384, "abc",
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
     "8086072ba1e7cc2358baeca134c825a7"},
    {CL_HASH_SHA512, "abc",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
     "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
};

static void test_digests_are_those_of_fips_180(void **state)
{
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        uint8_t out[CL_HASH_MAX_LEN];
        const char *m = vectors[i].message;
        cl_hash_once(vectors[i].id, m, strlen(m), out);
        assert_hex(out, cl_hash_len(vectors[i].id), vectors[i].digest);
    }
}

static void test_lengths_and_names_are_those_of_the_digests(void **state)
{
    assert_int_equal(cl_hash_len(CL_HASH_NONE), 0);
    assert_int_equal(cl_hash_len(CL_HASH_SHA1), 20);
    assert_int_equal(cl_hash_len(CL_HASH_SHA384), 48);
    assert_string_equal(cl_hash_name(CL_HASH_SHA256), "SHA-256");
}

static void test_pieces_of_any_size_give_the_digest_of_the_whole(void **state)
{
    uint8_t message[700];
    for (size_t i = 0; i < sizeof(message); i++) {
        message[i] = (uint8_t)(i * 7);
    }
    for (int id = CL_HASH_SHA1; id <= CL_HASH_SHA512; id++) {
        uint8_t whole[CL_HASH_MAX_LEN];
        cl_hash_once((enum cl_hash_id)id, message, sizeof(message), whole);
        for (size_t step = 1; step < 300; step += 37) {
            struct cl_hash h;
            uint8_t out[CL_HASH_MAX_LEN];
            cl_hash_init(&h, (enum cl_hash_id)id);
            for (size_t at = 0; at < sizeof(message); at += step) {
                const size_t left = sizeof(message) - at;
                cl_hash_update(&h, message + at, left < step ? left : step);
            }
            cl_hash_peek(&h, out);
            assert_memory_equal(out, whole, cl_hash_len((enum cl_hash_id)id));
        }
    }
}

static void test_a_peek_lets_the_hash_run_on_and_a_copy_runs_apart(void **state)
{
    for (int i = CL_HASH_SHA1; i <= CL_HASH_SHA512; i++) {
        const enum cl_hash_id id = (enum cl_hash_id)i;
        uint8_t a[CL_HASH_MAX_LEN], b[CL_HASH_MAX_LEN], expected[CL_HASH_MAX_LEN];
        struct cl_hash h;
        cl_hash_init(&h, id);
        cl_hash_update(&h, "ab", 2);
        cl_hash_peek(&h, a);
        cl_hash_peek(&h, b);
        assert_memory_equal(a, b, cl_hash_len(id));
        struct cl_hash copy = h;
        cl_hash_update(&copy, "x", 1);
        cl_hash_update(&h, "c", 1);
        cl_hash_peek(&h, a);
        cl_hash_once(id, "abc", 3, expected);
        assert_memory_equal(a, expected, cl_hash_len(id));
        cl_hash_peek(&copy, b);
        cl_hash_once(id, "abx", 3, expected);
        assert_memory_equal(b, expected, cl_hash_len(id));
    }
}

/* RFC 4231 4.3, 4.7 and 4.8; RFC 2202 3 for SHA-1. */
static void test_hmac_gives_the_values_of_rfc_4231(void **state)
{
    uint8_t out[CL_HASH_MAX_LEN];
    uint8_t long_key[131];
    memset(long_key, 0xaa, sizeof(long_key));
    const struct cl_rd parts[] = {cl_rd_str("what do ya "), cl_rd_str(""),
                                  cl_rd_str("want for nothing?")};
    cl_hmac(CL_HASH_SHA256, cl_rd_str("Jefe"), parts, 3, out);
    assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    cl_hmac(CL_HASH_SHA384, cl_rd_str("Jefe"), parts, 3, out);
    assert_hex(out, 48,
               "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
               "8e2240ca5e69e2c78b3239ecfab21649");
    cl_hmac(CL_HASH_SHA1, cl_rd_str("Jefe"), parts, 3, out);
    assert_hex(out, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    const struct cl_rd large = cl_rd_str("Test Using Larger Than Block-Size Key - Hash Key First");
    cl_hmac(CL_HASH_SHA256, cl_rd_of(long_key, sizeof(long_key)), &large, 1, out);
    assert_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* RFC 5869 A.1, A.2, A.3 */
static const struct {
    const char *ikm, *salt, *info, *prk, *okm;
} hkdf_vectors[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
     "f0f1f2f3f4f5f6f7f8f9", "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627"
     "28292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
     "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f8081828384858687"
     "88898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
     "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7"
     "d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
     "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c6"
     "5e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
     "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

static void test_hkdf_gives_the_values_of_rfc_5869(void **state)
{
    for (size_t i = 0; i < sizeof(hkdf_vectors) / sizeof(hkdf_vectors[0]); i++) {
        uint8_t ikm[UNHEX_MAX], salt[UNHEX_MAX], info[UNHEX_MAX], okm[UNHEX_MAX];
        const size_t ikm_len = unhex(hkdf_vectors[i].ikm, ikm);
        const size_t salt_len = unhex(hkdf_vectors[i].salt, salt);
        const size_t info_len = unhex(hkdf_vectors[i].info, info);
        const size_t okm_len = strlen(hkdf_vectors[i].okm) / 2;
        struct cl_secret prk;
        cl_hkdf_extract(CL_HASH_SHA256, cl_rd_of(salt, salt_len), cl_rd_of(ikm, ikm_len), &prk);
        assert_hex(prk.bytes, prk.len, hkdf_vectors[i].prk);
        cl_hkdf_expand(CL_HASH_SHA256, cl_rd_of(prk.bytes, prk.len), cl_rd_of(info, info_len), okm,
                       okm_len);
        assert_hex(okm, okm_len, hkdf_vectors[i].okm);
    }
}

static void test_hkdf_may_run_over_its_own_input(void **state)
{
    uint8_t zeros[32] = {0};
    struct cl_secret s;
    cl_hkdf_extract(CL_HASH_SHA256, cl_rd_of(NULL, 0), cl_rd_of(zeros, 32), &s);
    /* RFC 8448 3: {server} extract secret "early" */
    assert_hex(s.bytes, s.len, "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a");
    struct cl_secret again = s;
    cl_hkdf_extract(CL_HASH_SHA256, cl_rd_of(again.bytes, 32), cl_rd_of(zeros, 32), &s);
    cl_hkdf_extract(CL_HASH_SHA256, cl_rd_of(again.bytes, 32), cl_rd_of(zeros, 32), &again);
    assert_memory_equal(s.bytes, again.bytes, 32);
}

/* RFC 8448 3: "derived" of the early secret; key and IV of the server's handshake traffic secret.
 */
static void test_labels_expand_to_the_values_of_rfc_8448(void **state)
{
    uint8_t secret[UNHEX_MAX], empty[32], out[32];
    unhex("33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a", secret);
    cl_hash_once(CL_HASH_SHA256, NULL, 0, empty);
    cl_hkdf_expand_label(CL_HASH_SHA256, cl_rd_of(secret, 32), "derived", cl_rd_of(empty, 32), out,
                         32);
    assert_hex(out, 32, "6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba");
    unhex("b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38", secret);
    cl_hkdf_expand_label(CL_HASH_SHA256, cl_rd_of(secret, 32), "key", cl_rd_of(NULL, 0), out, 16);
    assert_hex(out, 16, "3fce516009c21727d0f2e4e86ee403bc");
    cl_hkdf_expand_label(CL_HASH_SHA256, cl_rd_of(secret, 32), "iv", cl_rd_of(NULL, 0), out, 12);
    assert_hex(out, 12, "5d313eb2671276ee13000b30");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digests_are_those_of_fips_180),
        cmocka_unit_test(test_lengths_and_names_are_those_of_the_digests),
        cmocka_unit_test(test_pieces_of_any_size_give_the_digest_of_the_whole),
        cmocka_unit_test(test_a_peek_lets_the_hash_run_on_and_a_copy_runs_apart),
        cmocka_unit_test(test_hmac_gives_the_values_of_rfc_4231),
        cmocka_unit_test(test_hkdf_gives_the_values_of_rfc_5869),
        cmocka_unit_test(test_hkdf_may_run_over_its_own_input),
        cmocka_unit_test(test_labels_expand_to_the_values_of_rfc_8448),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
