/* tests/crypto/test_premaster.c - RSA key exchange as jobs: what one end encrypts the other
 * decrypts; all that is malformed gives another secret, the same result, and nothing else. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "support_crypto.h"

#include <string.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define VERSION 0x0303
/* 2048 bits */
#define LEN     256

static struct cleat_key *key;
static struct cl_pubkey *pub;
static RSA *raw; /* libcrypto's view of the public half, to make what is malformed */

static int make_keys(void **state)
{
    const uint8_t *p;
    if (cl_key_generate(&key, CL_KEY_RSA, 2048) != CL_OK ||
        cl_pubkey_parse(&pub, cl_key_spki(key)) != CL_OK) {
        return -1;
    }
    p = cl_key_spki(key).p;
    raw = d2i_RSA_PUBKEY(NULL, &p, (long)cl_key_spki(key).len);
    return raw != NULL ? 0 : -1;
}

static int free_keys(void **state)
{
    RSA_free(raw);
    cl_pubkey_free(pub);
    cleat_key_free(key);
    return 0;
}

static struct cl_job decrypt(const uint8_t *ciphertext, size_t len, uint16_t version)
{
    struct cl_job job = {.kind = CL_JOB_DECRYPT, .status = CL_JOB_PENDING};
    job.premaster.key = key;
    job.premaster.rng = &cl_rng_system;
    job.premaster.version = version;
    job.premaster.ciphertext = cl_rd_of(ciphertext, len);
    cl_job_run(&job);
    return job;
}

static struct cl_job encrypt(uint8_t *out, const struct cl_rng *rng)
{
    struct cl_job job = {.kind = CL_JOB_ENCRYPT, .status = CL_JOB_PENDING};
    job.premaster.peer = pub;
    job.premaster.rng = rng;
    job.premaster.version = VERSION;
    job.premaster.encrypted = out;
    job.premaster.encrypted_cap = LEN;
    cl_job_run(&job);
    return job;
}

/* A right block: 00 02, bytes that are not zero, 00, version and 46 bytes. */
static void right_block(uint8_t em[LEN])
{
    for (size_t i = 0; i < LEN; i++) {
        em[i] = (uint8_t)(1 + i % 255);
    }
    em[0] = 0;
    em[1] = 2;
    em[LEN - 49] = 0;
    em[LEN - 48] = VERSION >> 8;
    em[LEN - 47] = VERSION & 0xff;
}

static void seal(const uint8_t em[LEN], uint8_t out[LEN])
{
    assert_int_equal(RSA_public_encrypt(LEN, em, out, raw, RSA_NO_PADDING), LEN);
}

/* Says whether the secret that a block gives is the block's. Implicit rejection: the result is OK
 * all the same. */
static bool accepted(const uint8_t em[LEN])
{
    uint8_t ciphertext[LEN];
    seal(em, ciphertext);
    struct cl_job job = decrypt(ciphertext, LEN, VERSION);
    assert_int_equal(job.result, CL_OK);
    return memcmp(job.premaster.secret, em + LEN - CL_PREMASTER_LEN, CL_PREMASTER_LEN) == 0;
}

static void test_what_is_encrypted_is_decrypted(void **state)
{
    uint8_t out[LEN];
    for (int i = 0; i < 20; i++) {
        struct cl_job sent = encrypt(out, &cl_rng_system);
        assert_int_equal(sent.result, CL_OK);
        assert_int_equal(sent.premaster.encrypted_len, LEN);
        assert_int_equal(sent.premaster.secret[0] << 8 | sent.premaster.secret[1], VERSION);
        struct cl_job received = decrypt(out, LEN, VERSION);
        assert_int_equal(received.result, CL_OK);
        assert_memory_equal(received.premaster.secret, sent.premaster.secret, CL_PREMASTER_LEN);
    }
}

static void test_libcrypto_reads_what_is_encrypted(void **state)
{
    uint8_t out[LEN];
    uint8_t em[LEN];
    struct cl_buf pem = {0};
    struct cl_job sent = encrypt(out, &cl_rng_system);
    assert_int_equal(cl_key_to_pem(key, &pem), CL_OK);
    BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.len);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    RSA *rsa = EVP_PKEY_get1_RSA(pkey);
    assert_int_equal(RSA_private_decrypt(LEN, out, em, rsa, RSA_PKCS1_PADDING), 48);
    assert_memory_equal(em, sent.premaster.secret, 48);
    RSA_free(rsa);
    EVP_PKEY_free(pkey);
    BIO_free(bio);
    cl_wipe(pem.p, pem.len);
    cl_buf_deinit(&pem);
}

static void test_a_right_block_is_accepted(void **state)
{
    uint8_t em[LEN];
    right_block(em);
    assert_true(accepted(em));
}

static void test_a_zero_anywhere_in_the_padding_is_rejected_in_silence(void **state)
{
    uint8_t em[LEN];
    for (size_t at = 2; at < LEN - 49; at++) {
        right_block(em);
        em[at] = 0;
        assert_false(accepted(em));
    }
}

static void test_what_takes_the_place_of_a_wrong_secret_is_another_each_time(void **state)
{
    uint8_t em[LEN] = {0};
    uint8_t ciphertext[LEN];
    em[LEN - 1] = 1;
    seal(em, ciphertext);
    struct cl_job a = decrypt(ciphertext, LEN, VERSION);
    struct cl_job b = decrypt(ciphertext, LEN, VERSION);
    assert_memory_not_equal(a.premaster.secret, b.premaster.secret, CL_PREMASTER_LEN);
}

static void test_every_other_malformed_block_is_rejected_in_silence(void **state)
{
    static const struct {
        size_t at;
        uint8_t value;
    } rows[] = {
        {0, 1},        {1, 1},           {1, 0},           {1, 3},           {1, 0xff},
        {LEN - 49, 1}, {LEN - 49, 0xff}, {LEN - 48, 2},    {LEN - 48, 4},    {LEN - 47, 2},
        {LEN - 47, 4}, {LEN - 47, 0},    {LEN - 48, 0xff}, {LEN - 47, 0xff},
    };
    uint8_t em[LEN];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        right_block(em);
        em[rows[i].at] = rows[i].value;
        assert_false(accepted(em));
    }
    /* a secret one byte longer or shorter: the separator is elsewhere */
    right_block(em);
    em[LEN - 49] = 1;
    em[LEN - 50] = 0;
    assert_false(accepted(em));
    right_block(em);
    em[LEN - 49] = 1;
    em[LEN - 48] = 0;
    assert_false(accepted(em));
    memset(em, 0, sizeof(em));
    assert_false(accepted(em));
    em[LEN - 1] = 1;
    assert_false(accepted(em));
}

static void test_ciphertexts_of_another_length_are_rejected_in_silence(void **state)
{
    static const size_t lens[] = {0, 1, 48, LEN - 1, LEN + 1, 2 * LEN};
    uint8_t em[LEN];
    uint8_t ciphertext[2 * LEN] = {0};
    right_block(em);
    seal(em, ciphertext);
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        struct cl_job a = decrypt(ciphertext, lens[i], VERSION);
        assert_int_equal(a.result, CL_OK);
        assert_memory_not_equal(a.premaster.secret, em + LEN - 48, 48);
    }
    memset(ciphertext, 0xff, LEN); /* above the modulus */
    assert_int_equal(decrypt(ciphertext, LEN, VERSION).result, CL_OK);
    assert_no_libcrypto_error();
}

static void test_the_version_is_the_one_of_the_hello(void **state)
{
    uint8_t em[LEN];
    uint8_t ciphertext[LEN];
    right_block(em);
    seal(em, ciphertext);
    struct cl_job a = decrypt(ciphertext, LEN, 0x0304);
    assert_int_equal(a.result, CL_OK);
    assert_memory_not_equal(a.premaster.secret, em + LEN - 48, 48);
}

static void test_without_randomness_nothing_is_made(void **state)
{
    uint8_t out[LEN] = {0};
    assert_int_equal(encrypt(out, &broken_rng).result, CLEAT_ERR_RANDOM);
    struct cl_job job = {.kind = CL_JOB_DECRYPT, .status = CL_JOB_PENDING};
    job.premaster.key = key;
    job.premaster.rng = &broken_rng;
    job.premaster.ciphertext = cl_rd_of(out, LEN);
    cl_job_run(&job);
    assert_int_equal(job.result, CLEAT_ERR_RANDOM);
}

static void test_other_keys_do_not_serve(void **state)
{
    struct cleat_key *ec;
    struct cl_pubkey *ec_pub;
    uint8_t out[LEN];
    assert_int_equal(cl_key_generate(&ec, CL_KEY_EC_P256, 0), CL_OK);
    assert_int_equal(cl_pubkey_parse(&ec_pub, cl_key_spki(ec)), CL_OK);
    struct cl_job job = {.kind = CL_JOB_ENCRYPT, .status = CL_JOB_PENDING};
    job.premaster.peer = ec_pub;
    job.premaster.rng = &cl_rng_system;
    job.premaster.encrypted = out;
    job.premaster.encrypted_cap = LEN;
    cl_job_run(&job);
    assert_int_equal(job.result, CLEAT_ERR_BAD_KEY);
    job = (struct cl_job){.kind = CL_JOB_DECRYPT, .status = CL_JOB_PENDING};
    job.premaster.key = ec;
    job.premaster.rng = &cl_rng_system;
    cl_job_run(&job);
    assert_int_equal(job.result, CLEAT_ERR_USAGE);
    cl_pubkey_free(ec_pub);
    cleat_key_free(ec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_encrypted_is_decrypted),
        cmocka_unit_test(test_libcrypto_reads_what_is_encrypted),
        cmocka_unit_test(test_a_right_block_is_accepted),
        cmocka_unit_test(test_a_zero_anywhere_in_the_padding_is_rejected_in_silence),
        cmocka_unit_test(test_what_takes_the_place_of_a_wrong_secret_is_another_each_time),
        cmocka_unit_test(test_every_other_malformed_block_is_rejected_in_silence),
        cmocka_unit_test(test_ciphertexts_of_another_length_are_rejected_in_silence),
        cmocka_unit_test(test_the_version_is_the_one_of_the_hello),
        cmocka_unit_test(test_without_randomness_nothing_is_made),
        cmocka_unit_test(test_other_keys_do_not_serve),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
