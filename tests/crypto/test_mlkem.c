/* tests/crypto/test_mlkem.c - ML-KEM: published vectors, each of our own ways of computing it
 * against libcrypto where that has the algorithm, what must be refused, what must not be told. The
 * parts of the ways are compared in test_mlkem_ways.c. */
#include "support_crypto.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/ct.h"
#include "base/text.h"
#include "crypto/mlkem_impl.h"

static const struct cl_mlkem_set *const sets[] = {&cl_mlkem_512, &cl_mlkem_768, &cl_mlkem_1024};
#define NUM_SETS (sizeof(sets) / sizeof(sets[0]))

static const struct {
    enum cl_mlkem_who who;
    const char *name;
} ways[] = {
    {CL_MLKEM_LIBCRYPTO, "libcrypto"},
    {CL_MLKEM_PORTABLE, "portable"},
    {CL_MLKEM_AVX2, "AVX2"},
    {CL_MLKEM_AVX512, "AVX-512"},
};
#define NUM_WAYS  (sizeof(ways) / sizeof(ways[0]))
#define FIRST_OWN 1

/* Makes ways[i] compute; false, with a word about it: it is not here. */
static bool use(size_t i)
{
    if (!cl_mlkem_use(ways[i].who)) {
        (void)fprintf(stderr, "SKIP: ML-KEM by %s: not here\n", ways[i].name);
        return false;
    }
    return true;
}

static int use_the_fastest(void **state)
{
    return cl_mlkem_use(CL_MLKEM_FASTEST) ? 0 : -1;
}

/* The longest field is a decapsulation key. */
struct bytes {
    size_t len;
    uint8_t p[CL_MLKEM_MAX_DK + 64];
};

static struct bytes field(const json_t *test, const char *name)
{
    struct bytes b;
    const char *hex = json_string_value(json_object_get(test, name));
    assert_non_null(hex);
    assert_true(cl_hex_decode(hex, strlen(hex), b.p, sizeof(b.p), &b.len));
    return b;
}

static bool is_valid(const json_t *test)
{
    const char *result = json_string_value(json_object_get(test, "result"));
    return result == NULL || strcmp(result, "valid") == 0;
}

typedef void (*check)(const struct cl_mlkem_set *set, const json_t *test);

/* Runs a file's tests and returns how many there were; 0 without the file. */
static size_t each_vector(const char *kind, const struct cl_mlkem_set *set, check one)
{
    char name[64];
    size_t num = 0;
    size_t i;
    size_t k;
    json_t *group;
    json_t *test;
    (void)snprintf(name, sizeof(name), "wycheproof/mlkem_%d_%s.json", 256 * set->k, kind);
    json_t *root = test_data(name);
    json_array_foreach(json_object_get(root, "testGroups"), i, group)
    {
        json_array_foreach(json_object_get(group, "tests"), k, test)
        {
            one(set, test);
            num++;
        }
    }
    assert_true(root == NULL || num > 0);
    json_decref(root);
    return num;
}

/* In each of the ways that there are here, those from `first` on. */
static void each_file(const char *kind, size_t first, check one)
{
    size_t num = 0;
    for (size_t i = first; i < NUM_WAYS; i++) {
        if (use(i)) {
            num += each_vector(kind, &cl_mlkem_768, one);
            num += each_vector(kind, &cl_mlkem_1024, one);
        }
    }
    if (num == 0) {
        skip();
    }
}

static void one_keygen(const struct cl_mlkem_set *set, const json_t *test)
{
    const struct bytes seed = field(test, "seed");
    const struct bytes expected = field(test, "ek");
    uint8_t ek[CL_MLKEM_MAX_EK];
    uint8_t dk[CL_MLKEM_MAX_DK];
    struct cl_mlkem_key *key = NULL;
    assert_int_equal(seed.len, CL_MLKEM_SEED_LEN);
    assert_int_equal(expected.len, set->ek_len);
    assert_int_equal(cl_mlkem_keygen(set, seed.p, ek, &key), CL_OK);
    assert_memory_equal(ek, expected.p, set->ek_len);
    cl_mlkem_key_free(key);
    if (json_object_get(test, "dk") != NULL) {
        const struct bytes expanded = field(test, "dk");
        assert_int_equal(expanded.len, set->dk_len);
        cl_mlkem_own_keygen(cl_mlkem_way(), set, seed.p, ek, dk);
        cl_ct_public(dk, sizeof(dk));
        assert_memory_equal(dk, expanded.p, set->dk_len);
    }
}

static void test_keys_are_the_published_ones(void **state)
{
    each_file("keygen_seed_test", 0, one_keygen);
}

static void one_encap(const struct cl_mlkem_set *set, const json_t *test)
{
    const struct bytes m = field(test, "m");
    const struct bytes ek = field(test, "ek");
    uint8_t ct[CL_MLKEM_MAX_CT];
    uint8_t secret[CL_MLKEM_SECRET_LEN];
    assert_int_equal(m.len, CL_MLKEM_RANDOM_LEN);
    const cl_result r = cl_mlkem_encap(set, cl_rd_of(ek.p, ek.len), m.p, ct, secret);
    if (!is_valid(test)) {
        assert_int_equal(r, CLEAT_ERR_BAD_KEY_SHARE);
        assert_no_libcrypto_error();
        return;
    }
    assert_int_equal(r, CL_OK);
    assert_memory_equal(ct, field(test, "c").p, set->ct_len);
    assert_memory_equal(secret, field(test, "K").p, sizeof(secret));
}

static void test_encapsulation_gives_the_published_secrets_and_refuses_unreduced_keys(void **state)
{
    each_file("encaps_test", 0, one_encap);
}

static void one_decap(const struct cl_mlkem_set *set, const json_t *test)
{
    const struct bytes seed = field(test, "seed");
    const struct bytes ct = field(test, "c");
    uint8_t ek[CL_MLKEM_MAX_EK];
    uint8_t secret[CL_MLKEM_SECRET_LEN];
    struct cl_mlkem_key *key = NULL;
    if (seed.len != CL_MLKEM_SEED_LEN) {
        assert_false(is_valid(test)); /* a seed is ours alone and has one length */
        return;
    }
    assert_int_equal(cl_mlkem_keygen(set, seed.p, ek, &key), CL_OK);
    const cl_result r = cl_mlkem_decap(key, cl_rd_of(ct.p, ct.len), secret);
    cl_mlkem_key_free(key);
    if (!is_valid(test)) {
        assert_int_equal(r, CLEAT_ERR_BAD_KEY_SHARE);
        return;
    }
    assert_int_equal(r, CL_OK);
    assert_memory_equal(secret, field(test, "K").p, sizeof(secret));
}

static void test_decapsulation_gives_the_published_secrets_of_good_and_bad_ciphertexts(void **state)
{
    each_file("test", 0, one_decap);
}

/* Decapsulation keys as they are written down, which only our own code reads. */
static void one_expanded(const struct cl_mlkem_set *set, const json_t *test)
{
    const struct bytes dk = field(test, "dk");
    const struct bytes ct = field(test, "c");
    uint8_t secret[CL_MLKEM_SECRET_LEN];
    if (is_valid(test)) {
        assert_int_equal(dk.len, set->dk_len);
        assert_int_equal(ct.len, set->ct_len);
        cl_mlkem_own_decap(cl_mlkem_way(), set, dk.p, ct.p, secret);
        assert_memory_equal(secret, field(test, "K").p, sizeof(secret));
    }
}

static void test_an_expanded_key_decapsulates(void **state)
{
    each_file("semi_expanded_decaps_test", FIRST_OWN, one_expanded);
}

/* ---- without files ---- */

/* A stream of bytes: SHAKE128 of nothing, read from where it stands. */
struct stream {
    uint8_t *bytes;
    size_t at;
    size_t len;
};

static void stream_init(struct stream *s, size_t len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    *s = (struct stream){.bytes = cl_alloc(len), .len = len};
    assert_non_null(s->bytes);
    assert_int_equal(EVP_DigestInit_ex(ctx, EVP_shake128(), NULL), 1);
    assert_int_equal(EVP_DigestFinalXOF(ctx, s->bytes, len), 1);
    EVP_MD_CTX_free(ctx);
}

static const uint8_t *next(struct stream *s, size_t len)
{
    assert_true(len <= s->len - s->at);
    s->at += len;
    return s->bytes + s->at - len;
}

/* A key, a ciphertext and a random one, all of the stream; what comes out is hashed. */
static void one_round(const struct cl_mlkem_set *set, struct stream *in, EVP_MD_CTX *out)
{
    uint8_t ek[CL_MLKEM_MAX_EK];
    uint8_t ct[CL_MLKEM_MAX_CT];
    uint8_t ours[CL_MLKEM_SECRET_LEN];
    uint8_t theirs[CL_MLKEM_SECRET_LEN];
    struct cl_mlkem_key *key = NULL;
    assert_int_equal(cl_mlkem_keygen(set, next(in, CL_MLKEM_SEED_LEN), ek, &key), CL_OK);
    assert_int_equal(EVP_DigestUpdate(out, ek, set->ek_len), 1);
    assert_int_equal(
        cl_mlkem_encap(set, cl_rd_of(ek, set->ek_len), next(in, CL_MLKEM_RANDOM_LEN), ct, ours),
        CL_OK);
    assert_int_equal(EVP_DigestUpdate(out, ct, set->ct_len), 1);
    assert_int_equal(EVP_DigestUpdate(out, ours, sizeof(ours)), 1);
    assert_int_equal(cl_mlkem_decap(key, cl_rd_of(ct, set->ct_len), theirs), CL_OK);
    assert_memory_equal(ours, theirs, sizeof(ours));
    const struct cl_rd other = cl_rd_of(next(in, set->ct_len), set->ct_len);
    assert_int_equal(cl_mlkem_decap(key, other, theirs), CL_OK);
    assert_int_equal(EVP_DigestUpdate(out, theirs, sizeof(theirs)), 1);
    cl_mlkem_key_free(key);
}

static void accumulate(const struct cl_mlkem_set *set, size_t rounds, uint8_t digest[32])
{
    struct stream in;
    EVP_MD_CTX *out = EVP_MD_CTX_new();
    stream_init(&in, rounds * (CL_MLKEM_SEED_LEN + CL_MLKEM_RANDOM_LEN + set->ct_len));
    assert_int_equal(EVP_DigestInit_ex(out, EVP_shake128(), NULL), 1);
    for (size_t i = 0; i < rounds; i++) {
        one_round(set, &in, out);
    }
    assert_int_equal(EVP_DigestFinalXOF(out, digest, 32), 1);
    EVP_MD_CTX_free(out);
    cl_free(in.bytes);
}

/* 100 rounds of 36 or more sampled polynomials: some need a fourth block of SHAKE128. */
#define ROUNDS 100

static void test_our_own_code_gives_what_libcryptos_gives(void **state)
{
    if (!use(0)) {
        (void)fprintf(stderr, "SKIP: this libcrypto (%s) has no ML-KEM\n",
                      OpenSSL_version(OPENSSL_VERSION));
        skip();
    }
    for (size_t i = 0; i < NUM_SETS; i++) {
        uint8_t theirs[32];
        uint8_t ours[32];
        assert_true(use(0));
        accumulate(sets[i], ROUNDS, theirs);
        for (size_t k = FIRST_OWN; k < NUM_WAYS; k++) {
            if (use(k)) {
                accumulate(sets[i], ROUNDS, ours);
                assert_memory_equal(ours, theirs, sizeof(ours));
            }
        }
    }
}

/* The same in libcrypto 3.5.7; the value for ML-KEM-768 is known from other implementations too. */
static void test_many_rounds_give_the_known_digests(void **state)
{
    static const struct {
        size_t rounds;
        const char *digest;
    } known[NUM_SETS] = {
        {20, "c243a772c4f5d940208abf28d7f736bc4166753dc87d1daf599967dfff4444f7"},
        {100, "1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415"},
        {20, "dafdc6a75799978259954377f123d3f0150564fa287a80a976033052e4368142"},
    };
    for (size_t k = FIRST_OWN; k < NUM_WAYS; k++) {
        for (size_t i = 0; i < NUM_SETS && use(k); i++) {
            uint8_t digest[32];
            accumulate(sets[i], known[i].rounds, digest);
            assert_hex(digest, sizeof(digest), known[i].digest);
        }
    }
}

/* A key of one way opens what another way has sealed. */
static void test_keys_outlive_the_way_that_made_them(void **state)
{
    static const uint8_t seed[CL_MLKEM_SEED_LEN] = {3};
    static const uint8_t random[CL_MLKEM_RANDOM_LEN] = {4};
    for (size_t i = 0; i < NUM_WAYS; i++) {
        uint8_t ek[CL_MLKEM_MAX_EK];
        uint8_t ct[CL_MLKEM_MAX_CT];
        uint8_t ours[CL_MLKEM_SECRET_LEN];
        uint8_t theirs[CL_MLKEM_SECRET_LEN];
        struct cl_mlkem_key *key = NULL;
        if (!use(i)) {
            continue;
        }
        assert_int_equal(cl_mlkem_keygen(&cl_mlkem_768, seed, ek, &key), CL_OK);
        assert_true(use(FIRST_OWN));
        const struct cl_rd peer = cl_rd_of(ek, cl_mlkem_768.ek_len);
        assert_int_equal(cl_mlkem_encap(&cl_mlkem_768, peer, random, ct, ours), CL_OK);
        assert_int_equal(cl_mlkem_decap(key, cl_rd_of(ct, cl_mlkem_768.ct_len), theirs), CL_OK);
        assert_memory_equal(ours, theirs, sizeof(ours));
        cl_mlkem_key_free(key);
    }
}

/* On x86-64 ours is faster than libcrypto 3.5; elsewhere it is libcrypto, if it has ML-KEM. */
static void test_the_faster_one_is_the_default(void **state)
{
#ifdef CL_KECCAK_X86
    const bool measured = true;
#else
    const bool measured = false;
#endif
    const bool libcrypto = cl_mlkem_use(CL_MLKEM_LIBCRYPTO);
    assert_true(cl_mlkem_use(CL_MLKEM_FASTEST));
    assert_int_equal(cl_mlkem_is_libcrypto(), libcrypto && !measured);
    print_message("ML-KEM: %s\n", cl_mlkem_describe());
    assert_non_null(strstr(cl_mlkem_describe(), cl_mlkem_is_libcrypto() ? "libcrypto" : "our own"));
    assert_null(strstr(cl_mlkem_describe(), "self-test"));
}

/* Every bit of a ciphertext matters, and what comes out of a wrong one is always the same. */
static void test_a_changed_ciphertext_gives_another_secret_and_no_error(void **state)
{
    static const uint8_t seed[CL_MLKEM_SEED_LEN] = {1};
    static const uint8_t random[CL_MLKEM_RANDOM_LEN] = {2};
    uint8_t ek[CL_MLKEM_MAX_EK];
    uint8_t ct[CL_MLKEM_MAX_CT];
    uint8_t good[CL_MLKEM_SECRET_LEN];
    uint8_t bad[CL_MLKEM_SECRET_LEN];
    uint8_t again[CL_MLKEM_SECRET_LEN];
    struct cl_mlkem_key *key = NULL;
    assert_int_equal(cl_mlkem_keygen(&cl_mlkem_768, seed, ek, &key), CL_OK);
    const struct cl_rd peer = cl_rd_of(ek, cl_mlkem_768.ek_len);
    const struct cl_rd whole = cl_rd_of(ct, cl_mlkem_768.ct_len);
    assert_int_equal(cl_mlkem_encap(&cl_mlkem_768, peer, random, ct, good), CL_OK);
    for (size_t i = 0; i < whole.len; i += 31) {
        ct[i] ^= (uint8_t)(1U << i % 8);
        assert_int_equal(cl_mlkem_decap(key, whole, bad), CL_OK);
        assert_memory_not_equal(bad, good, sizeof(bad));
        assert_int_equal(cl_mlkem_decap(key, whole, again), CL_OK);
        assert_memory_equal(bad, again, sizeof(bad));
        ct[i] ^= (uint8_t)(1U << i % 8);
    }
    assert_int_equal(cl_mlkem_decap(key, whole, again), CL_OK);
    assert_memory_equal(again, good, sizeof(good));
    cl_mlkem_key_free(key);
}

static void test_lengths_that_are_not_the_sets_are_refused(void **state)
{
    static const uint8_t zero[CL_MLKEM_MAX_CT + 1];
    uint8_t ek[CL_MLKEM_MAX_EK];
    uint8_t ct[CL_MLKEM_MAX_CT];
    uint8_t secret[CL_MLKEM_SECRET_LEN];
    for (size_t i = 0; i < NUM_SETS; i++) {
        const struct cl_mlkem_set *set = sets[i];
        struct cl_mlkem_key *key = NULL;
        const size_t ek_lens[] = {0, set->ek_len - 1U, set->ek_len + 1U};
        const size_t ct_lens[] = {0, set->ct_len - 1U, set->ct_len + 1U};
        assert_int_equal(cl_mlkem_keygen(set, zero, ek, &key), CL_OK);
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(cl_mlkem_encap(set, cl_rd_of(zero, ek_lens[k]), zero, ct, secret),
                             CLEAT_ERR_BAD_KEY_SHARE);
            assert_int_equal(cl_mlkem_decap(key, cl_rd_of(zero, ct_lens[k]), secret),
                             CLEAT_ERR_BAD_KEY_SHARE);
        }
        cl_mlkem_key_free(key);
    }
}

/* FIPS 203 7.2: each coefficient alone, the smallest value that is too large and the largest. */
static void one_coefficient(const struct cl_mlkem_set *set, size_t i, unsigned v)
{
    static const uint8_t zero[CL_MLKEM_SEED_LEN];
    uint8_t ek[CL_MLKEM_MAX_EK] = {0};
    uint8_t ct[CL_MLKEM_MAX_CT];
    uint8_t secret[CL_MLKEM_SECRET_LEN];
    uint8_t *at = ek + i / 2 * 3;
    at[0] = i % 2 == 0 ? (uint8_t)v : 0;
    at[1] = (uint8_t)(i % 2 == 0 ? v >> 8 : v << 4);
    at[2] = i % 2 == 0 ? 0 : (uint8_t)(v >> 4);
    assert_int_equal(cl_mlkem_encap(set, cl_rd_of(ek, set->ek_len), zero, ct, secret),
                     v < CL_MLKEM_Q ? CL_OK : CLEAT_ERR_BAD_KEY_SHARE);
}

static void test_each_coefficient_of_a_key_must_be_reduced(void **state)
{
    for (size_t k = FIRST_OWN; k < NUM_WAYS; k++) {
        for (size_t i = 0; i < (size_t)3 * CL_MLKEM_N && use(k); i += 31) {
            one_coefficient(&cl_mlkem_768, i, CL_MLKEM_Q - 1);
            one_coefficient(&cl_mlkem_768, i, CL_MLKEM_Q);
            one_coefficient(&cl_mlkem_768, i, 4095);
        }
    }
}

static void test_memory_that_is_short_is_reported(void **state)
{
    static const uint8_t zero[CL_MLKEM_SEED_LEN];
    uint8_t ek[CL_MLKEM_MAX_EK];
    struct cl_mlkem_key *key = (struct cl_mlkem_key *)ek;
    fail_allocation(0);
    assert_int_equal(cl_mlkem_keygen(&cl_mlkem_768, zero, ek, &key), CLEAT_ERR_NOMEM);
    assert_true(stop_failing());
    assert_null(key);
}

#define EACH(test) cmocka_unit_test_teardown(test, use_the_fastest)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_faster_one_is_the_default),
        EACH(test_keys_are_the_published_ones),
        EACH(test_encapsulation_gives_the_published_secrets_and_refuses_unreduced_keys),
        EACH(test_decapsulation_gives_the_published_secrets_of_good_and_bad_ciphertexts),
        EACH(test_an_expanded_key_decapsulates),
        EACH(test_our_own_code_gives_what_libcryptos_gives),
        EACH(test_many_rounds_give_the_known_digests),
        EACH(test_keys_outlive_the_way_that_made_them),
        cmocka_unit_test(test_a_changed_ciphertext_gives_another_secret_and_no_error),
        cmocka_unit_test(test_lengths_that_are_not_the_sets_are_refused),
        EACH(test_each_coefficient_of_a_key_must_be_reduced),
        cmocka_unit_test(test_memory_that_is_short_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
