/* tests/crypto/test_aead.c - each AEAD against published values, tampering, gathering, in place. */
#include "support_crypto.h"

#include <pthread.h>

#include <openssl/evp.h>

#include "crypto/aead.h"

static const struct vector {
    const char *name;
    enum cl_aead_id id;
    const char *key, *nonce, *aad, *text, *sealed;
} vectors[] = {
    {"GCM specification, test case 1", CL_AEAD_AES_128_GCM, "00000000000000000000000000000000",
     "000000000000000000000000", "", "", "58e2fccefa7e3061367f1d57a4e7455a"},
    {"GCM specification, test case 4", CL_AEAD_AES_128_GCM, "feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
     "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {"GCM specification, test case 16", CL_AEAD_AES_256_GCM,
     "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
     "76fc6ece0f4e1768cddf8853bb2d551b"},
    {"RFC 8439 2.8.2", CL_AEAD_CHACHA20_POLY1305,
     "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f", "070000004041424344454647",
     "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
     "73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
     "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
     "637265656e20776f756c642062652069742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
     "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
     "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
     "3ff4def08e4b7a9de576d26586cec64b6116"
     "1ae10b594f09e26a7e902ecbd0600691"},
    {"SP 800-38C, example 3", CL_AEAD_AES_128_CCM_8, "404142434445464748494a4b4c4d4e4f",
     "101112131415161718191a1b", "000102030405060708090a0b0c0d0e0f10111213",
     "202122232425262728292a2b2c2d2e2f3031323334353637",
     "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951"},
};

#define NUM_VECTORS (sizeof(vectors) / sizeof(vectors[0]))

static const uint8_t test_key[CL_AEAD_MAX_KEY_LEN] = {1, 2, 3};
static const uint8_t test_nonce[CL_AEAD_NONCE_LEN] = {7};

static struct cl_aead_key make(enum cl_aead_id id, const uint8_t *bytes, bool seals)
{
    struct cl_aead_key key;
    assert_int_equal(cl_aead_key_init(&key, id, bytes, seals), CL_OK);
    return key;
}

static void test_sealing_and_opening_give_the_published_values(void **state)
{
    for (size_t i = 0; i < NUM_VECTORS; i++) {
        const struct vector *v = &vectors[i];
        uint8_t key[UNHEX_MAX], nonce[UNHEX_MAX], aad[UNHEX_MAX], text[UNHEX_MAX], out[UNHEX_MAX];
        assert_int_equal(unhex(v->key, key), cl_aead_info(v->id)->key_len);
        assert_int_equal(unhex(v->nonce, nonce), CL_AEAD_NONCE_LEN);
        const struct cl_rd ad = cl_rd_of(aad, unhex(v->aad, aad));
        const struct cl_rd in = cl_rd_of(text, unhex(v->text, text));
        const size_t sealed_len = in.len + cl_aead_info(v->id)->tag_len;
        struct cl_aead_key a = make(v->id, key, true);
        assert_int_equal(cl_aead_seal(&a, nonce, ad, &in, 1, out), CL_OK);
        assert_hex(out, sealed_len, v->sealed);
        cl_aead_key_wipe(&a);
        size_t len = 99;
        a = make(v->id, key, false);
        assert_int_equal(cl_aead_open(&a, nonce, ad, out, sealed_len, &len), CL_OK);
        assert_hex(out, len, v->text);
        cl_aead_key_wipe(&a);
    }
}

/* SP 800-38C with q = 3 and n = 12, from single AES blocks: an independent CCM. */
static void block_encrypt(EVP_CIPHER_CTX *ecb, uint8_t *block)
{
    int n = 0;
    assert_int_equal(EVP_EncryptUpdate(ecb, block, &n, block, 16), 1);
}

static void mac_bytes(EVP_CIPHER_CTX *ecb, uint8_t *mac, size_t at, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        mac[at++] ^= p[i];
        if (at == 16 || i + 1 == len) {
            block_encrypt(ecb, mac);
            at = 0;
        }
    }
}

static void ccm_by_hand(const uint8_t *key, size_t tag_len, const uint8_t *nonce, struct cl_rd aad,
                        struct cl_rd in, uint8_t *out)
{
    EVP_CIPHER_CTX *ecb = EVP_CIPHER_CTX_new();
    assert_int_equal(EVP_EncryptInit_ex(ecb, EVP_aes_128_ecb(), NULL, key, NULL), 1);
    uint8_t mac[16] = {(uint8_t)((aad.len != 0 ? 64 : 0) + (tag_len - 2) / 2 * 8 + 2)};
    memcpy(mac + 1, nonce, 12);
    mac[13] = (uint8_t)(in.len >> 16);
    mac[14] = (uint8_t)(in.len >> 8);
    mac[15] = (uint8_t)in.len;
    block_encrypt(ecb, mac);
    mac[1] ^= aad.len != 0 ? (uint8_t)aad.len : 0;
    mac_bytes(ecb, mac, 2, aad.p, aad.len);
    mac_bytes(ecb, mac, 0, in.p, in.len);
    for (size_t i = 0; i <= (in.len + 15) / 16; i++) {
        uint8_t stream[16] = {2};
        memcpy(stream + 1, nonce, 12);
        stream[14] = (uint8_t)(i >> 8);
        stream[15] = (uint8_t)i;
        block_encrypt(ecb, stream);
        for (size_t k = 0; k < 16; k++) {
            if (i == 0 && k < tag_len) {
                out[in.len + k] = mac[k] ^ stream[k];
            } else if (i != 0 && 16 * (i - 1) + k < in.len) {
                out[16 * (i - 1) + k] = in.p[16 * (i - 1) + k] ^ stream[k];
            }
        }
    }
    EVP_CIPHER_CTX_free(ecb);
}

static void test_ccm_of_any_length_is_what_single_blocks_give(void **state)
{
    static const enum cl_aead_id ids[] = {CL_AEAD_AES_128_CCM, CL_AEAD_AES_128_CCM_8};
    static uint8_t text[17000], expected[17016], out[17016];
    static const size_t lens[] = {0, 1, 15, 16, 17, 100, 1400, 16385};
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = (uint8_t)(i * 31);
    }
    for (size_t i = 0; i < 2; i++) {
        const size_t tag_len = cl_aead_info(ids[i])->tag_len;
        struct cl_aead_key a = make(ids[i], test_key, true);
        for (size_t k = 0; k < sizeof(lens) / sizeof(lens[0]); k++) {
            const struct cl_rd in = cl_rd_of(text, lens[k]);
            const struct cl_rd aad = cl_rd_of(text, k % 2 == 0 ? 5 : 0);
            ccm_by_hand(test_key, tag_len, test_nonce, aad, in, expected);
            assert_int_equal(cl_aead_seal(&a, test_nonce, aad, &in, 1, out), CL_OK);
            assert_memory_equal(out, expected, in.len + tag_len);
        }
        cl_aead_key_wipe(&a);
    }
}

static void test_a_change_to_any_byte_fails_authentication(void **state)
{
    for (int id = 0; id < CL_AEAD_COUNT; id++) {
        const struct cl_aead_info *info = cl_aead_info((enum cl_aead_id)id);
        struct cl_aead_key sealer = make((enum cl_aead_id)id, test_key, true);
        struct cl_aead_key opener = make((enum cl_aead_id)id, test_key, false);
        const struct cl_rd in = cl_rd_str("forty-two bytes of text, more than a block");
        const size_t len = in.len + info->tag_len;
        uint8_t aad[5] = {23, 3, 3, 0, 58}, nonce[CL_AEAD_NONCE_LEN] = {9}, sealed[80], copy[80];
        const struct cl_rd ad = cl_rd_of(aad, sizeof(aad));
        size_t out_len = 0;
        assert_int_equal(cl_aead_seal(&sealer, nonce, ad, &in, 1, sealed), CL_OK);
        for (size_t i = 0; i < len + sizeof(aad) + sizeof(nonce); i++) {
            uint8_t *flip = i < len                 ? &copy[i]
                            : i < len + sizeof(aad) ? &aad[i - len]
                                                    : &nonce[i - len - sizeof(aad)];
            memcpy(copy, sealed, len);
            *flip ^= 0x40;
            assert_int_equal(cl_aead_open(&opener, nonce, ad, copy, len, &out_len),
                             CLEAT_ERR_BAD_RECORD_MAC);
            assert_int_equal(out_len, 0);
            *flip ^= 0x40;
        }
        for (size_t cut = 0; cut < len; cut++) {
            memcpy(copy, sealed, len);
            assert_int_equal(cl_aead_open(&opener, nonce, ad, copy, cut, &out_len),
                             CLEAT_ERR_BAD_RECORD_MAC);
        }
        /* and the context still works after all that */
        assert_int_equal(cl_aead_open(&opener, nonce, ad, sealed, len, &out_len), CL_OK);
        assert_memory_equal(sealed, in.p, in.len);
        assert_no_libcrypto_error();
        cl_aead_key_wipe(&sealer);
        cl_aead_key_wipe(&opener);
    }
}

static void test_pieces_seal_to_the_same_bytes_as_the_whole(void **state)
{
    static const size_t cuts[][3] = {
        {0, 0, 0}, {1, 1, 40}, {16, 17, 33}, {5, 32, 48}, {48, 48, 48}};
    uint8_t text[48], whole[64], gathered[64];
    memset(text, 'x', sizeof(text));
    for (int id = 0; id < CL_AEAD_COUNT; id++) {
        struct cl_aead_key a = make((enum cl_aead_id)id, test_key, true);
        const struct cl_rd in = cl_rd_of(text, sizeof(text));
        assert_int_equal(cl_aead_seal(&a, test_nonce, cl_rd_str("aad"), &in, 1, whole), CL_OK);
        for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
            const size_t *c = cuts[i];
            const struct cl_rd parts[] = {cl_rd_of(text, c[0]), cl_rd_of(text + c[0], c[1] - c[0]),
                                          cl_rd_of(text + c[1], c[2] - c[1]),
                                          cl_rd_of(text + c[2], sizeof(text) - c[2])};
            memset(gathered, 0, sizeof(gathered));
            assert_int_equal(cl_aead_seal(&a, test_nonce, cl_rd_str("aad"), parts, 4, gathered),
                             CL_OK);
            assert_memory_equal(gathered, whole,
                                sizeof(text) + cl_aead_info((enum cl_aead_id)id)->tag_len);
        }
        cl_aead_key_wipe(&a);
    }
}

static void test_an_input_may_lie_where_its_ciphertext_goes(void **state)
{
    for (int id = 0; id < CL_AEAD_COUNT; id++) {
        const size_t tag_len = cl_aead_info((enum cl_aead_id)id)->tag_len;
        struct cl_aead_key a = make((enum cl_aead_id)id, test_key, true);
        uint8_t apart[80], in_place[80];
        const struct cl_rd parts[] = {cl_rd_str("somewhere else: "), cl_rd_str("in place\x17")};
        const size_t total = parts[0].len + parts[1].len;
        assert_int_equal(cl_aead_seal(&a, test_nonce, cl_rd_of(NULL, 0), parts, 2, apart), CL_OK);
        memcpy(in_place + parts[0].len, parts[1].p, parts[1].len);
        const struct cl_rd mixed[] = {parts[0], cl_rd_of(in_place + parts[0].len, parts[1].len)};
        assert_int_equal(cl_aead_seal(&a, test_nonce, cl_rd_of(NULL, 0), mixed, 2, in_place),
                         CL_OK);
        assert_memory_equal(in_place, apart, total + tag_len);
        cl_aead_key_wipe(&a);
    }
}

static void test_nothing_at_all_can_be_sealed_and_opened(void **state)
{
    for (int id = 0; id < CL_AEAD_COUNT; id++) {
        const size_t tag_len = cl_aead_info((enum cl_aead_id)id)->tag_len;
        struct cl_aead_key sealer = make((enum cl_aead_id)id, test_key, true);
        struct cl_aead_key opener = make((enum cl_aead_id)id, test_key, false);
        uint8_t out[16];
        size_t len = 99;
        assert_int_equal(cl_aead_seal(&sealer, test_nonce, cl_rd_of(NULL, 0), NULL, 0, out), CL_OK);
        assert_int_equal(cl_aead_open(&opener, test_nonce, cl_rd_of(NULL, 0), out, tag_len, &len),
                         CL_OK);
        assert_int_equal(len, 0);
        out[0] ^= 1;
        assert_int_equal(cl_aead_open(&opener, test_nonce, cl_rd_of(NULL, 0), out, tag_len, &len),
                         CLEAT_ERR_BAD_RECORD_MAC);
        cl_aead_key_wipe(&sealer);
        cl_aead_key_wipe(&opener);
    }
}

static void test_the_limits_are_those_of_the_standard(void **state)
{
    /* RFC 9846 5.5: 2^24.5 for GCM; 2^24.5 squared is 2^49 */
    const uint64_t gcm = cl_aead_info(CL_AEAD_AES_128_GCM)->max_records;
    assert_true(gcm * gcm <= UINT64_C(1) << 49 && (gcm + 1) * (gcm + 1) > UINT64_C(1) << 49);
    assert_true(cl_aead_info(CL_AEAD_AES_256_GCM)->max_records == gcm);
    assert_true(cl_aead_info(CL_AEAD_CHACHA20_POLY1305)->max_records == UINT64_MAX);
    assert_true(cl_aead_info(CL_AEAD_AES_128_CCM)->max_records == 8388608);
    assert_int_equal(cl_aead_info(CL_AEAD_AES_128_CCM_8)->tag_len, 8);
}

static void *try_without_memory(void *result)
{
    struct cl_aead_key key;
    fail_allocation(0);
    *(cl_result *)result = cl_aead_key_init(&key, CL_AEAD_AES_128_GCM, test_key, true);
    (void)stop_failing();
    return NULL;
}

static void test_a_thread_without_memory_for_its_cache_is_told(void **state)
{
    pthread_t thread;
    cl_result r = CL_OK;
    assert_int_equal(pthread_create(&thread, NULL, try_without_memory, &r), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(r, CLEAT_ERR_NOMEM);
}

static void test_what_fails_authentication_is_not_given_out(void **state)
{
    for (int id = 0; id < CL_AEAD_COUNT; id++) {
        uint8_t sealed[3000 + CL_AEAD_MAX_TAG_LEN] = {1, 2, 3};
        static const uint8_t zeros[sizeof(sealed)];
        const size_t len = sizeof(sealed) - CL_AEAD_MAX_TAG_LEN;
        struct cl_aead_key opener = make((enum cl_aead_id)id, test_key, false);
        size_t out_len = 1;
        assert_int_equal(
            cl_aead_open(&opener, test_nonce, cl_rd_of(NULL, 0), sealed, len, &out_len),
            CLEAT_ERR_BAD_RECORD_MAC);
        assert_int_equal(out_len, 0);
        assert_memory_equal(sealed, zeros, len - cl_aead_info((enum cl_aead_id)id)->tag_len);
        cl_aead_key_wipe(&opener);
    }
}

static void test_a_key_serves_one_direction(void **state)
{
    uint8_t bytes[64] = {0};
    size_t len;
    struct cl_aead_key sealer = make(CL_AEAD_AES_128_GCM, test_key, true);
    struct cl_aead_key opener = make(CL_AEAD_AES_128_GCM, test_key, false);
    assert_int_equal(cl_aead_open(&sealer, test_nonce, cl_rd_of(NULL, 0), bytes, 64, &len),
                     CLEAT_ERR_CRYPTO);
    assert_int_equal(cl_aead_seal(&opener, test_nonce, cl_rd_of(NULL, 0), NULL, 0, bytes),
                     CLEAT_ERR_CRYPTO);
    cl_aead_key_wipe(&sealer);
    cl_aead_key_wipe(&opener);
    assert_int_equal(cl_aead_seal(&sealer, test_nonce, cl_rd_of(NULL, 0), NULL, 0, bytes),
                     CLEAT_ERR_CRYPTO);
}

static void test_what_computes_is_told(void **state)
{
#ifdef CLEAT_IPSEC_MB
    assert_null(strstr(cl_aead_describe(), "built without"));
#else
    assert_string_equal(cl_aead_describe(), "libcrypto: built without ipsec-mb");
#endif
}

/* Everything once more, computed by libcrypto alone. */
static int with_libcrypto_alone(void **state)
{
    cl_aead_switch(false);
    return 0;
}

static int as_chosen(void **state)
{
    cl_aead_switch(true);
    return 0;
}

#define TESTS                                                                 \
    cmocka_unit_test(test_sealing_and_opening_give_the_published_values),     \
        cmocka_unit_test(test_ccm_of_any_length_is_what_single_blocks_give),  \
        cmocka_unit_test(test_a_change_to_any_byte_fails_authentication),     \
        cmocka_unit_test(test_pieces_seal_to_the_same_bytes_as_the_whole),    \
        cmocka_unit_test(test_an_input_may_lie_where_its_ciphertext_goes),    \
        cmocka_unit_test(test_nothing_at_all_can_be_sealed_and_opened),       \
        cmocka_unit_test(test_the_limits_are_those_of_the_standard),          \
        cmocka_unit_test(test_a_thread_without_memory_for_its_cache_is_told), \
        cmocka_unit_test(test_what_fails_authentication_is_not_given_out),    \
        cmocka_unit_test(test_a_key_serves_one_direction)

int main(void)
{
    const struct CMUnitTest chosen[] = {TESTS, cmocka_unit_test(test_what_computes_is_told)};
    const struct CMUnitTest libcrypto[] = {TESTS};
    printf("%s\n", cl_aead_describe());
    return cmocka_run_group_tests(chosen, NULL, NULL) |
           cmocka_run_group_tests(libcrypto, with_libcrypto_alone, as_chosen);
}
