/* tests/crypto/test_sign.c - signatures through jobs: each scheme made and checked, by us and by
 * libcrypto; everything that must not verify. */
#include "support_crypto.h"

#include <pthread.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

/* ML-DSA-87's, FIPS 204, table 2 */
#define MAX_SIGNATURE 4627

static const struct cl_rd message = {(const uint8_t *)"what is to be signed", 20};

/* One key of each kind, made once: RSA takes its time. */
static struct cleat_key *keys[CL_KEY_ML_DSA_87 + 1];
static struct cl_pubkey *pubs[CL_KEY_ML_DSA_87 + 1];

static int last_type(void)
{
    return cl_ml_dsa_available() ? CL_KEY_ML_DSA_87 : CL_KEY_ED448;
}

static int make_keys(void **state)
{
    for (int t = CL_KEY_RSA; t <= last_type(); t++) {
        if (cl_key_generate(&keys[t], (enum cl_key_type)t, 2048) != CL_OK ||
            cl_pubkey_parse(&pubs[t], cl_key_spki(keys[t])) != CL_OK) {
            return -1;
        }
    }
    return 0;
}

static int free_keys(void **state)
{
    for (int t = 0; t <= CL_KEY_ML_DSA_87; t++) {
        cleat_key_free(keys[t]);
        cl_pubkey_free(pubs[t]);
    }
    return 0;
}

static cl_result sign(const struct cleat_key *key, const struct cl_sig_alg *alg, uint8_t *out,
                      size_t cap, size_t *out_len)
{
    struct cl_job job = {.kind = CL_JOB_SIGN, .status = CL_JOB_PENDING};
    job.sign = (struct cl_job_sign){
        .key = key, .alg = alg, .message = message, .signature = out, .signature_cap = cap};
    cl_job_run(&job);
    assert_int_equal(job.status, CL_JOB_DONE);
    assert_no_libcrypto_error();
    *out_len = job.sign.signature_len;
    return job.result;
}

static cl_result verify(const struct cl_pubkey *key, const struct cl_sig_alg *alg,
                        struct cl_rd text, struct cl_rd signature)
{
    struct cl_job job = {.kind = CL_JOB_VERIFY, .status = CL_JOB_PENDING};
    job.verify =
        (struct cl_job_verify){.key = key, .alg = alg, .message = text, .signature = signature};
    cl_job_run(&job);
    assert_int_equal(job.status, CL_JOB_DONE);
    assert_no_libcrypto_error();
    assert_batch_agrees(&job);
    return job.result;
}

/* sign_ok signs with the key that the scheme is for. */
static struct cl_rd sign_ok(const struct cl_sig_alg *alg, uint8_t *out)
{
    size_t len = 0;
    const struct cleat_key *key = keys[alg->key_type];
    assert_true(cl_key_max_signature(key) <= MAX_SIGNATURE);
    assert_int_equal(sign(key, alg, out, cl_key_max_signature(key), &len), CL_OK);
    return cl_rd_of(out, len);
}

static void test_each_scheme_signs_and_verifies(void **state)
{
    const struct cl_sig_alg *alg;
    size_t i;
    for (i = 0; (alg = cl_sig_scheme_at(i)) != NULL; i++) {
        for (int again = 0; again < 8; again++) { /* ECDSA signatures vary in length */
            uint8_t signature[MAX_SIGNATURE];
            const struct cl_rd sig = sign_ok(alg, signature);
            assert_int_equal(verify(pubs[alg->key_type], alg, message, sig), CL_OK);
        }
    }
    assert_int_equal(i, cl_ml_dsa_available() ? 17 : 14);
}

static void test_each_flipped_bit_fails(void **state)
{
    const struct cl_sig_alg *alg;
    for (size_t i = 0; (alg = cl_sig_scheme_at(i)) != NULL; i++) {
        uint8_t signature[MAX_SIGNATURE];
        const struct cl_rd sig = sign_ok(alg, signature);
        const struct cl_pubkey *pub = pubs[alg->key_type];
        for (size_t k = 0; k < sig.len; k++) {
            signature[k] ^= (uint8_t)(1 << (k % 8));
            assert_int_equal(verify(pub, alg, message, sig), CLEAT_ERR_BAD_SIGNATURE);
            signature[k] ^= (uint8_t)(1 << (k % 8));
        }
        for (size_t k = 0; k < message.len; k++) {
            uint8_t text[20];
            memcpy(text, message.p, sizeof(text));
            text[k] ^= 0x80;
            assert_int_equal(verify(pub, alg, cl_rd_of(text, 20), sig), CLEAT_ERR_BAD_SIGNATURE);
        }
        assert_int_equal(verify(pub, alg, message, sig), CL_OK);
    }
}

static void test_signatures_of_any_other_length_fail(void **state)
{
    const struct cl_sig_alg *alg;
    for (size_t i = 0; (alg = cl_sig_scheme_at(i)) != NULL; i++) {
        static uint8_t signature[MAX_SIGNATURE + 1000];
        memset(signature, 0, sizeof(signature));
        const struct cl_rd sig = sign_ok(alg, signature);
        const struct cl_pubkey *pub = pubs[alg->key_type];
        for (size_t len = 0; len < sig.len; len++) {
            assert_int_equal(verify(pub, alg, message, cl_rd_of(signature, len)),
                             CLEAT_ERR_BAD_SIGNATURE);
        }
        signature[sig.len] = 0;
        assert_int_equal(verify(pub, alg, message, cl_rd_of(signature, sig.len + 1)),
                         CLEAT_ERR_BAD_SIGNATURE);
        assert_int_equal(verify(pub, alg, message, cl_rd_of(signature, sizeof(signature))),
                         CLEAT_ERR_BAD_SIGNATURE);
    }
}

/* A scheme fits exactly one kind of key; the digest and the padding are bound as well. */
static void test_a_signature_verifies_under_its_own_scheme_alone(void **state)
{
    const struct cl_sig_alg *made;
    const struct cl_sig_alg *other;
    for (size_t i = 0; (made = cl_sig_scheme_at(i)) != NULL; i++) {
        uint8_t signature[MAX_SIGNATURE];
        const struct cl_rd sig = sign_ok(made, signature);
        for (size_t k = 0; (other = cl_sig_scheme_at(k)) != NULL; k++) {
            const cl_result r = verify(pubs[made->key_type], other, message, sig);
            assert_int_equal(r, k == i ? CL_OK : CLEAT_ERR_BAD_SIGNATURE);
        }
    }
}

static void test_a_key_signs_only_with_schemes_that_fit(void **state)
{
    const struct cl_sig_alg *alg;
    for (size_t i = 0; (alg = cl_sig_scheme_at(i)) != NULL; i++) {
        for (int t = CL_KEY_RSA; t <= last_type(); t++) {
            uint8_t signature[MAX_SIGNATURE];
            size_t len = 0;
            const bool fits = cl_sig_alg_fits(alg, (enum cl_key_type)t);
            assert_true(fits == (alg->key_type == (enum cl_key_type)t));
            const cl_result r = sign(keys[t], alg, signature, sizeof(signature), &len);
            assert_int_equal(r, fits ? CL_OK : CLEAT_ERR_USAGE);
        }
    }
}

static void test_room_that_is_too_small_is_a_misuse_and_not_an_overflow(void **state)
{
    const struct cl_sig_alg *alg;
    for (size_t i = 0; (alg = cl_sig_scheme_at(i)) != NULL; i++) {
        uint8_t signature[32];
        size_t len = 0;
        memset(signature, 0xee, sizeof(signature));
        assert_int_equal(sign(keys[alg->key_type], alg, signature, 31, &len), CLEAT_ERR_USAGE);
        assert_int_equal(len, 0);
        assert_int_equal(signature[31], 0xee);
    }
}

/* X.509's rows name no curve: ecdsa-with-SHA384 on a P-256 key is allowed there. */
static void test_an_algorithm_without_a_curve_takes_each_curve_and_nothing_else(void **state)
{
    static const enum cl_hash_id hashes[] = {CL_HASH_SHA256, CL_HASH_SHA384, CL_HASH_SHA512};
    for (size_t i = 0; i < 3; i++) {
        const struct cl_sig_alg any = {.name = "ecdsa-with-SHA2", .hash = hashes[i]};
        for (int t = CL_KEY_RSA; t <= last_type(); t++) {
            uint8_t signature[MAX_SIGNATURE];
            size_t len = 0;
            const bool ec = t >= CL_KEY_EC_P256 && t <= CL_KEY_EC_P521;
            const cl_result r = sign(keys[t], &any, signature, sizeof(signature), &len);
            assert_int_equal(r, ec ? CL_OK : CLEAT_ERR_USAGE);
            assert_int_equal(verify(pubs[t], &any, message, cl_rd_of(signature, len)),
                             ec ? CL_OK : CLEAT_ERR_BAD_SIGNATURE);
        }
    }
}

static void test_sha1_never_verifies(void **state)
{
    static const struct cl_sig_alg weak[] = {
        {.name = "ecdsa-with-SHA1", .hash = CL_HASH_SHA1},
        {.name = "sha1WithRSA",
         .key_type = CL_KEY_RSA,
         .padding = CL_PAD_PKCS1,
         .hash = CL_HASH_SHA1},
        {.name = "ecdsa without a hash", .hash = CL_HASH_NONE},
    };
    for (size_t i = 0; i < 3; i++) {
        uint8_t signature[MAX_SIGNATURE];
        size_t len = 0;
        const int t = i == 1 ? CL_KEY_RSA : CL_KEY_EC_P256;
        assert_int_equal(sign(keys[t], &weak[i], signature, sizeof(signature), &len),
                         CLEAT_ERR_USAGE);
        assert_int_equal(verify(pubs[t], &weak[i], message, cl_rd_of(signature, 72)),
                         CLEAT_ERR_BAD_SIGNATURE);
    }
}

/* ---- against libcrypto's EVP ---- */

static const EVP_MD *md_of(enum cl_hash_id hash)
{
    static const char *const names[] = {
        [CL_HASH_SHA256] = "SHA256", [CL_HASH_SHA384] = "SHA384", [CL_HASH_SHA512] = "SHA512"};
    return hash == CL_HASH_NONE ? NULL : EVP_get_digestbyname(names[hash]);
}

static EVP_PKEY *public_evp(enum cl_key_type type)
{
    const struct cl_rd spki = cl_key_spki(keys[type]);
    const uint8_t *p = spki.p;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &p, (long)spki.len);
    assert_non_null(pkey);
    return pkey;
}

static void test_libcrypto_accepts_our_signatures(void **state)
{
    const struct cl_sig_alg *alg;
    for (size_t i = 0; (alg = cl_sig_scheme_at(i)) != NULL; i++) {
        uint8_t signature[MAX_SIGNATURE];
        const struct cl_rd sig = sign_ok(alg, signature);
        EVP_PKEY *pkey = public_evp(alg->key_type);
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        EVP_PKEY_CTX *pctx = NULL;
        assert_int_equal(EVP_DigestVerifyInit(ctx, &pctx, md_of(alg->hash), NULL, pkey), 1);
        if (alg->padding == CL_PAD_PSS) {
            assert_true(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0);
            assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) > 0);
        }
        assert_int_equal(EVP_DigestVerify(ctx, sig.p, sig.len, message.p, message.len), 1);
        EVP_MD_CTX_free(ctx);
        EVP_PKEY_free(pkey);
    }
}

/* How libcrypto shall sign with RSA-PSS. */
struct pss {
    int salt;
    const EVP_MD *mgf1;
    cl_result expected;
};

static void sign_pss_and_verify(EVP_PKEY *pkey, const struct cl_pubkey *pub,
                                const struct cl_sig_alg *alg, struct pss pss)
{
    uint8_t signature[MAX_SIGNATURE];
    size_t len = sizeof(signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    assert_int_equal(EVP_DigestSignInit(ctx, &pctx, md_of(alg->hash), NULL, pkey), 1);
    assert_true(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, pss.salt) > 0);
    assert_true(EVP_PKEY_CTX_set_rsa_mgf1_md(pctx, pss.mgf1) > 0);
    assert_int_equal(EVP_DigestSign(ctx, signature, &len, message.p, message.len), 1);
    assert_int_equal(verify(pub, alg, message, cl_rd_of(signature, len)), pss.expected);
    EVP_MD_CTX_free(ctx);
}

static struct cl_pubkey *pub_of(EVP_PKEY *pkey)
{
    uint8_t *der = NULL;
    struct cl_pubkey *pub = NULL;
    const int len = i2d_PUBKEY(pkey, &der);
    assert_int_equal(cl_pubkey_parse(&pub, cl_rd_of(der, (size_t)len)), CL_OK);
    OPENSSL_free(der);
    return pub;
}

static void test_pss_takes_one_salt_length_and_one_mask_hash(void **state)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
    struct cl_pubkey *pub = pub_of(pkey);
    const struct cl_sig_alg *alg = cl_sig_scheme(0x0804);
    const struct pss rows[] = {
        {32, EVP_sha256(), CL_OK},
        {0, EVP_sha256(), CLEAT_ERR_BAD_SIGNATURE},
        {20, EVP_sha256(), CLEAT_ERR_BAD_SIGNATURE},
        {31, EVP_sha256(), CLEAT_ERR_BAD_SIGNATURE},
        {33, EVP_sha256(), CLEAT_ERR_BAD_SIGNATURE},
        {RSA_PSS_SALTLEN_MAX, EVP_sha256(), CLEAT_ERR_BAD_SIGNATURE},
        {32, EVP_sha384(), CLEAT_ERR_BAD_SIGNATURE},
        {32, EVP_sha1(), CLEAT_ERR_BAD_SIGNATURE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sign_pss_and_verify(pkey, pub, alg, rows[i]);
    }
    cl_pubkey_free(pub);
    EVP_PKEY_free(pkey);
}

static void test_a_pss_key_bound_to_one_hash_takes_that_one_alone(void **state)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, 2048), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_keygen_md(ctx, EVP_sha384()), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_keygen_mgf1_md(ctx, EVP_sha384()), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_keygen_saltlen(ctx, 48), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &pkey), 1);
    EVP_PKEY_CTX_free(ctx);
    struct cl_pubkey *pub = pub_of(pkey);
    sign_pss_and_verify(pkey, pub, cl_sig_scheme(0x080a), (struct pss){48, EVP_sha384(), CL_OK});
    uint8_t signature[MAX_SIGNATURE] = {0};
    assert_int_equal(verify(pub, cl_sig_scheme(0x0809), message, cl_rd_of(signature, 256)),
                     CLEAT_ERR_BAD_SIGNATURE);
    cl_pubkey_free(pub);
    EVP_PKEY_free(pkey);
}

static void test_ed448_verifies(void **state)
{
    EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
    struct cl_pubkey *pub = pub_of(pkey);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t signature[114];
    size_t len = sizeof(signature);
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey), 1);
    assert_int_equal(EVP_DigestSign(ctx, signature, &len, message.p, message.len), 1);
    const struct cl_sig_alg *alg = cl_sig_scheme(0x0808);
    assert_int_equal(verify(pub, alg, message, cl_rd_of(signature, len)), CL_OK);
    signature[100] ^= 1;
    assert_int_equal(verify(pub, alg, message, cl_rd_of(signature, len)), CLEAT_ERR_BAD_SIGNATURE);
    EVP_MD_CTX_free(ctx);
    cl_pubkey_free(pub);
    EVP_PKEY_free(pkey);
}

static void test_ecdsa_in_anything_but_der_fails(void **state)
{
    const struct cl_sig_alg *alg = cl_sig_scheme(0x0403);
    uint8_t signature[MAX_SIGNATURE], other[MAX_SIGNATURE];
    struct cl_rd sig;
    do { /* until both integers have the same, common length */
        sig = sign_ok(alg, signature);
    } while (sig.len != 70);
    memcpy(other, signature, 2); /* a length in a longer form */
    other[1] = 0x81;
    memcpy(other + 2, signature + 1, sig.len - 1);
    assert_int_equal(verify(pubs[CL_KEY_EC_P256], alg, message, cl_rd_of(other, sig.len + 1)),
                     CLEAT_ERR_BAD_SIGNATURE);
    memcpy(other, signature, 4); /* a zero byte in front of r */
    other[1]++;
    other[3]++;
    other[4] = 0;
    memcpy(other + 5, signature + 4, sig.len - 4);
    assert_int_equal(verify(pubs[CL_KEY_EC_P256], alg, message, cl_rd_of(other, sig.len + 1)),
                     CLEAT_ERR_BAD_SIGNATURE);
    static const uint8_t zeros[] = {0x30, 6, 2, 1, 0, 2, 1, 0};
    assert_int_equal(verify(pubs[CL_KEY_EC_P256], alg, message, cl_rd_of(zeros, sizeof(zeros))),
                     CLEAT_ERR_BAD_SIGNATURE);
}

/* Private keys are shared by all threads; libcrypto keeps blinding and caches behind locks. */
static void *sign_in_thread(void *failed)
{
    static const enum cl_key_type types[] = {CL_KEY_RSA, CL_KEY_EC_P256, CL_KEY_ED25519};
    static const uint16_t schemes[] = {0x0804, 0x0403, 0x0807};
    for (size_t i = 0; i < 30; i++) {
        uint8_t signature[MAX_SIGNATURE];
        struct cl_job make = {.kind = CL_JOB_SIGN, .status = CL_JOB_PENDING};
        struct cl_job check = {.kind = CL_JOB_VERIFY, .status = CL_JOB_PENDING};
        struct cleat_key *key = cleat_key_ref(keys[types[i % 3]]);
        make.sign = (struct cl_job_sign){.key = key,
                                         .alg = cl_sig_scheme(schemes[i % 3]),
                                         .message = message,
                                         .signature = signature,
                                         .signature_cap = sizeof(signature)};
        cl_job_run(&make);
        check.verify =
            (struct cl_job_verify){.key = pubs[types[i % 3]],
                                   .alg = make.sign.alg,
                                   .message = message,
                                   .signature = cl_rd_of(signature, make.sign.signature_len)};
        cl_job_run(&check);
        if (make.result != CL_OK || check.result != CL_OK) {
            *(bool *)failed = true;
        }
        cleat_key_free(key);
    }
    return NULL;
}

static void test_threads_share_keys(void **state)
{
    pthread_t threads[4];
    bool failed[4] = {false};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, sign_in_thread, &failed[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(failed[i]);
    }
}

/* ---- the table ---- */

static void test_schemes_are_in_order_and_found_by_number_and_name(void **state)
{
    static const uint16_t order[] = {0x0403, 0x0807, 0x0503, 0x0603, 0x0804, 0x0805,
                                     0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501,
                                     0x0601, 0x0808, 0x0904, 0x0905, 0x0906};
    const size_t num = sizeof(order) / sizeof(order[0]) - (cl_ml_dsa_available() ? 0 : 3);
    for (size_t i = 0; i < num; i++) {
        const struct cl_sig_alg *alg = cl_sig_scheme_at(i);
        assert_int_equal(alg->scheme, order[i]);
        assert_ptr_equal(cl_sig_scheme(order[i]), alg);
        assert_ptr_equal(cl_sig_scheme_by_name(alg->name, strlen(alg->name)), alg);
        assert_true(alg->tls12 == !cl_key_is_ml_dsa(alg->key_type));
        assert_true(alg->tls13 == (alg->padding != CL_PAD_PKCS1));
    }
    assert_null(cl_sig_scheme_at(num));
    assert_null(cl_sig_scheme(0x0201));
    assert_null(cl_sig_scheme(0));
    assert_int_equal(cl_sig_scheme_by_name("ECDSA+SHA256", 12)->scheme, 0x0403);
    assert_int_equal(cl_sig_scheme_by_name("rsa-pss+sha512", 14)->scheme, 0x0806);
    assert_int_equal(cl_sig_scheme_by_name("RSA+SHA384", 10)->scheme, 0x0501);
    assert_null(cl_sig_scheme_by_name("RSA+SHA1", 8));
    assert_null(cl_sig_scheme_by_name("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_scheme_signs_and_verifies),
        cmocka_unit_test(test_each_flipped_bit_fails),
        cmocka_unit_test(test_signatures_of_any_other_length_fail),
        cmocka_unit_test(test_a_signature_verifies_under_its_own_scheme_alone),
        cmocka_unit_test(test_a_key_signs_only_with_schemes_that_fit),
        cmocka_unit_test(test_room_that_is_too_small_is_a_misuse_and_not_an_overflow),
        cmocka_unit_test(test_an_algorithm_without_a_curve_takes_each_curve_and_nothing_else),
        cmocka_unit_test(test_sha1_never_verifies),
        cmocka_unit_test(test_libcrypto_accepts_our_signatures),
        cmocka_unit_test(test_pss_takes_one_salt_length_and_one_mask_hash),
        cmocka_unit_test(test_a_pss_key_bound_to_one_hash_takes_that_one_alone),
        cmocka_unit_test(test_ed448_verifies),
        cmocka_unit_test(test_ecdsa_in_anything_but_der_fails),
        cmocka_unit_test(test_threads_share_keys),
        cmocka_unit_test(test_schemes_are_in_order_and_found_by_number_and_name),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
