/* tests/crypto/test_kex_ffdhe.c - Diffie-Hellman in the finite fields of RFC 7919, through jobs:
 * against the RFC's own formula, libcrypto's objects, and arithmetic; values that must be refused.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "support_crypto.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/evp.h>

#include "crypto/kex.h"

static const struct field {
    uint16_t id;
    const char *name;
    size_t len;
    /* RFC 7919 A.1 to A.5: p = 2^b - 2^(b-64) + {[2^(b-130) e] + x} * 2^64 - 1 */
    unsigned long x;
    unsigned exponent_bits; /* the same: "peers that want to optimize performance should use" */
} fields[] = {
    {CL_GROUP_FFDHE2048, "ffdhe2048", 256, 560316, 225},
    {CL_GROUP_FFDHE3072, "ffdhe3072", 384, 2625351, 275},
    {CL_GROUP_FFDHE4096, "ffdhe4096", 512, 5736041, 325},
    {CL_GROUP_FFDHE6144, "ffdhe6144", 768, 15705020, 375},
    {CL_GROUP_FFDHE8192, "ffdhe8192", 1024, 10965728, 400},
};
#define NUM_FIELDS (sizeof(fields) / sizeof(fields[0]))

static const struct cl_group *group_of(size_t i)
{
    return cl_group_by_id(fields[i].id);
}

static cl_result keygen(const struct cl_group *group, const struct cl_rng *rng,
                        struct cl_kex_key **key, uint8_t *share)
{
    struct cl_job job = {.kind = CL_JOB_KEYGEN, .status = CL_JOB_PENDING};
    job.kex = (struct cl_job_kex){.group = group, .rng = rng, .share = share};
    cl_job_run(&job);
    *key = job.kex.key;
    assert_true((job.result == CL_OK) == (*key != NULL));
    assert_true(job.result != CL_OK || job.kex.share_len == group->client_share_len);
    assert_no_libcrypto_error();
    return job.result;
}

static cl_result decap(const struct cl_group *group, struct cl_kex_key *key, struct cl_rd peer,
                       uint8_t *secret)
{
    struct cl_job job = {.kind = CL_JOB_DECAP, .status = CL_JOB_PENDING};
    job.kex =
        (struct cl_job_kex){.group = group, .key = key, .peer_share = peer, .field_secret = secret};
    cl_job_run(&job);
    if (group->id == CL_GROUP_FFDHE2048) { /* the others would take long under valgrind */
        assert_batch_agrees(&job);
    }
    assert_int_equal(job.kex.secret_len, job.result == CL_OK ? group->secret_len : 0);
    assert_no_libcrypto_error();
    return job.result;
}

static cl_result encap(const struct cl_group *group, struct cl_rd peer, uint8_t *share,
                       uint8_t *secret)
{
    struct cl_job job = {.kind = CL_JOB_ENCAP, .status = CL_JOB_PENDING};
    job.kex = (struct cl_job_kex){.group = group,
                                  .rng = &cl_rng_system,
                                  .peer_share = peer,
                                  .share = share,
                                  .field_secret = secret};
    cl_job_run(&job);
    assert_no_libcrypto_error();
    return job.result;
}

/* ---- the groups ---- */

/* 2^bits * e, rounded down: the sum of 2^bits / k!, with 64 bits more for what rounding loses. */
static void times_e(BIGNUM *out, int bits)
{
    BIGNUM *term = BN_new();
    assert_int_equal(BN_set_bit(term, bits + 64), 1);
    BN_zero(out);
    for (BN_ULONG k = 1; !BN_is_zero(term); k++) {
        assert_int_equal(BN_add(out, out, term), 1);
        assert_true(BN_div_word(term, k) != (BN_ULONG)-1);
    }
    assert_int_equal(BN_rshift(out, out, 64), 1);
    BN_free(term);
}

static void test_the_primes_are_those_of_the_rfcs_formula(void **state)
{
    for (size_t i = 0; i < NUM_FIELDS; i++) {
        const int bits = (int)fields[i].len * 8;
        uint8_t expected[CL_GROUP_MAX_PRIME];
        BIGNUM *p = BN_new(), *high = BN_new(), *low = BN_new();
        times_e(p, bits - 130);
        assert_int_equal(BN_add_word(p, fields[i].x), 1);
        assert_int_equal(BN_lshift(p, p, 64), 1);
        assert_int_equal(BN_set_bit(high, bits), 1);
        assert_int_equal(BN_set_bit(low, bits - 64), 1);
        assert_int_equal(BN_add(p, p, high), 1);
        assert_int_equal(BN_sub(p, p, low), 1);
        assert_int_equal(BN_sub_word(p, 1), 1);
        assert_int_equal(BN_bn2binpad(p, expected, (int)fields[i].len), fields[i].len);
        const struct cl_rd prime = cl_group_prime(group_of(i));
        assert_int_equal(prime.len, fields[i].len);
        assert_memory_equal(prime.p, expected, prime.len);
        BN_free(p);
        BN_free(high);
        BN_free(low);
    }
}

static void test_a_group_is_found_by_its_prime_and_generator_alone(void **state)
{
    static const uint8_t two[] = {2}, five[] = {5}, long_two[] = {0, 2};
    uint8_t other[CL_GROUP_MAX_PRIME];
    for (size_t i = 0; i < NUM_FIELDS; i++) {
        const struct cl_group *g = group_of(i);
        const struct cl_rd prime = cl_group_prime(g);
        assert_ptr_equal(cl_group_by_prime(prime, cl_rd_of(two, 1)), g);
        assert_null(cl_group_by_prime(prime, cl_rd_of(five, 1)));
        assert_null(cl_group_by_prime(prime, cl_rd_of(long_two, 2)));
        assert_null(cl_group_by_prime(prime, cl_rd_of(NULL, 0)));
        assert_null(cl_group_by_prime(cl_rd_of(prime.p, prime.len - 1), cl_rd_of(two, 1)));
        for (size_t at = 0; at < prime.len; at += 17) {
            memcpy(other, prime.p, prime.len);
            other[at] ^= 4;
            assert_null(cl_group_by_prime(cl_rd_of(other, prime.len), cl_rd_of(two, 1)));
        }
    }
    BIGNUM *modp = BN_get_rfc3526_prime_2048(NULL);
    assert_int_equal(BN_bn2binpad(modp, other, 256), 256);
    assert_null(cl_group_by_prime(cl_rd_of(other, 256), cl_rd_of(two, 1)));
    BN_free(modp);
    assert_null(cl_group_by_prime(cl_rd_of(NULL, 0), cl_rd_of(two, 1)));
    assert_int_equal(cl_group_prime(cl_group_by_id(CL_GROUP_SECP256R1)).len, 0);
    assert_int_equal(cl_group_prime(NULL).len, 0);
}

static void test_groups_are_found_by_number_and_name_and_belong_to_no_curve_list(void **state)
{
    for (size_t i = 0; i < NUM_FIELDS; i++) {
        const struct cl_group *g = group_of(i);
        assert_non_null(g);
        assert_ptr_equal(cl_group_by_name(fields[i].name, strlen(fields[i].name)), g);
        assert_true(g->finite_field);
        assert_true(g->by_name_only);
        assert_false(g->post_quantum);
    }
}

/* ---- agreement ---- */

static void test_both_sides_arrive_at_the_same_secret(void **state)
{
    for (size_t i = 0; i < NUM_FIELDS; i++) {
        const struct cl_group *g = group_of(i);
        struct cl_kex_key *key;
        uint8_t ours[CL_GROUP_MAX_PRIME], theirs[CL_GROUP_MAX_PRIME];
        uint8_t a[CL_GROUP_MAX_PRIME], b[CL_GROUP_MAX_PRIME];
        assert_int_equal(keygen(g, &cl_rng_system, &key, ours), CL_OK);
        assert_int_equal(encap(g, cl_rd_of(ours, g->client_share_len), theirs, a), CL_OK);
        assert_int_equal(decap(g, key, cl_rd_of(theirs, g->server_share_len), b), CL_OK);
        assert_memory_equal(a, b, g->secret_len);
        cl_kex_key_free(key);
    }
}

static EVP_PKEY *libcryptos_key(const char *name)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
    EVP_PKEY *key = NULL;
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_group_name(ctx, name), 1);
    assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static void test_libcryptos_own_objects_arrive_at_the_same_secret(void **state)
{
    for (size_t i = 0; i < NUM_FIELDS; i++) {
        const struct cl_group *g = group_of(i);
        EVP_PKEY *theirs = libcryptos_key(fields[i].name);
        EVP_PKEY *ours = EVP_PKEY_new();
        uint8_t *encoded = NULL;
        uint8_t share[CL_GROUP_MAX_PRIME], secret[CL_GROUP_MAX_PRIME], expected[CL_GROUP_MAX_PRIME];
        size_t len = sizeof(expected);
        const size_t encoded_len = EVP_PKEY_get1_encoded_public_key(theirs, &encoded);
        assert_int_equal(encap(g, cl_rd_of(encoded, encoded_len), share, secret), CL_OK);
        assert_int_equal(EVP_PKEY_copy_parameters(ours, theirs), 1);
        assert_int_equal(EVP_PKEY_set1_encoded_public_key(ours, share, g->server_share_len), 1);
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(theirs, NULL);
        assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
        assert_int_equal(EVP_PKEY_CTX_set_dh_pad(ctx, 1), 1);
        assert_int_equal(EVP_PKEY_derive_set_peer(ctx, ours), 1);
        assert_int_equal(EVP_PKEY_derive(ctx, expected, &len), 1);
        assert_int_equal(len, g->secret_len);
        assert_memory_equal(secret, expected, len);
        EVP_PKEY_CTX_free(ctx);
        OPENSSL_free(encoded);
        EVP_PKEY_free(ours);
        EVP_PKEY_free(theirs);
    }
}

/* A source that gives exponent x, when it is small. */
static struct cl_rng small_exponent(struct fixed_source *source, const struct field *f, uint8_t x)
{
    *source = (struct fixed_source){.len = (f->exponent_bits + 7) / 8};
    source->bytes[source->len - 1] = x;
    return fixed_rng(source);
}

/* 2^2 = 4, and (2^2)^2 = 16: nearly all of such a secret are zeros in front. */
static void test_zeros_in_front_of_secrets_and_public_values_are_kept(void **state)
{
    for (size_t i = 0; i < NUM_FIELDS; i++) {
        const struct cl_group *g = group_of(i);
        struct fixed_source source;
        const struct cl_rng rng = small_exponent(&source, &fields[i], 2);
        struct cl_kex_key *key;
        uint8_t share[CL_GROUP_MAX_PRIME], secret[CL_GROUP_MAX_PRIME];
        uint8_t expected[CL_GROUP_MAX_PRIME] = {0};
        assert_int_equal(keygen(g, &rng, &key, share), CL_OK);
        expected[g->secret_len - 1] = 4;
        assert_memory_equal(share, expected, g->secret_len);
        memset(secret, 0xee, sizeof(secret));
        assert_int_equal(decap(g, key, cl_rd_of(share, g->secret_len), secret), CL_OK);
        expected[g->secret_len - 1] = 16;
        assert_memory_equal(secret, expected, g->secret_len);
        cl_kex_key_free(key);
    }
}

/* RFC 7919 5.2: as long as the strength of the group asks for, and no longer. */
static void test_exponents_have_the_rfcs_short_length(void **state)
{
    BN_CTX *ctx = BN_CTX_new();
    for (size_t i = 0; i < NUM_FIELDS; i++) {
        const struct cl_group *g = group_of(i);
        const struct cl_rd prime = cl_group_prime(g);
        struct fixed_source source;
        const struct cl_rng rng = small_exponent(&source, &fields[i], 0);
        struct cl_kex_key *key;
        uint8_t share[CL_GROUP_MAX_PRIME], expected[CL_GROUP_MAX_PRIME];
        memset(source.bytes, 0xff, source.len);
        assert_int_equal(keygen(g, &rng, &key, share), CL_OK);
        BIGNUM *x = BN_new(), *two = BN_new(), *y = BN_new();
        BIGNUM *p = BN_bin2bn(prime.p, (int)prime.len, NULL);
        assert_int_equal(BN_set_bit(x, (int)fields[i].exponent_bits), 1);
        assert_int_equal(BN_sub_word(x, 1), 1);
        assert_int_equal(BN_set_word(two, 2), 1);
        assert_int_equal(BN_mod_exp(y, two, x, p, ctx), 1);
        assert_int_equal(BN_bn2binpad(y, expected, (int)prime.len), prime.len);
        assert_memory_equal(share, expected, prime.len);
        BN_free(x);
        BN_free(two);
        BN_free(y);
        BN_free(p);
        cl_kex_key_free(key);
    }
    BN_CTX_free(ctx);
}

static void test_a_source_that_never_gives_an_exponent_in_range_fails(void **state)
{
    for (size_t i = 0; i < NUM_FIELDS; i++) {
        struct fixed_source source;
        struct cl_kex_key *key;
        uint8_t share[CL_GROUP_MAX_PRIME];
        for (uint8_t x = 0; x < 2; x++) {
            const struct cl_rng rng = small_exponent(&source, &fields[i], x);
            assert_int_equal(keygen(group_of(i), &rng, &key, share), CLEAT_ERR_RANDOM);
        }
        assert_int_equal(keygen(group_of(i), &broken_rng, &key, share), CLEAT_ERR_RANDOM);
    }
}

/* ---- what is refused ---- */

static void check(const struct cl_group *g, struct cl_kex_key *key, const uint8_t *y, size_t len,
                  bool good)
{
    static const uint8_t zeros[CL_GROUP_MAX_PRIME];
    uint8_t share[CL_GROUP_MAX_PRIME], secret[CL_GROUP_MAX_PRIME];
    const cl_result expected = good ? CL_OK : CLEAT_ERR_BAD_KEY_SHARE;
    memset(secret, 0xee, sizeof(secret));
    assert_int_equal(decap(g, key, cl_rd_of(y, len), secret), expected);
    assert_true(good || len != g->secret_len || memcmp(secret, zeros, g->secret_len) == 0);
    assert_int_equal(encap(g, cl_rd_of(y, len), share, secret), expected);
}

/* RFC 7919 5.1: 1 < Y < p-1 */
static void test_public_values_out_of_range_are_refused(void **state)
{
    for (size_t i = 0; i < NUM_FIELDS; i++) {
        const struct cl_group *g = group_of(i);
        const struct cl_rd prime = cl_group_prime(g);
        uint8_t share[CL_GROUP_MAX_PRIME], y[CL_GROUP_MAX_PRIME] = {0};
        struct cl_kex_key *key;
        assert_int_equal(keygen(g, &cl_rng_system, &key, share), CL_OK);
        for (uint8_t small = 0; small < 4; small++) {
            y[prime.len - 1] = small;
            check(g, key, y, prime.len, small >= 2);
        }
        memcpy(y, prime.p, prime.len); /* it ends in ff */
        for (int below = 0; below < 4; below++) {
            y[prime.len - 1] = (uint8_t)(0xff - below);
            check(g, key, y, prime.len, below >= 2);
        }
        memset(y, 0xff, prime.len);
        check(g, key, y, prime.len, false);
        memcpy(y, prime.p, prime.len); /* p + 1 */
        for (size_t at = prime.len; at-- > 0 && ++y[at] == 0;) {
        }
        check(g, key, y, prime.len, false);
        cl_kex_key_free(key);
    }
}

static void test_public_values_of_a_wrong_length_are_refused(void **state)
{
    for (size_t i = 0; i < NUM_FIELDS; i++) {
        const struct cl_group *g = group_of(i);
        uint8_t share[CL_GROUP_MAX_PRIME + 1] = {0};
        struct cl_kex_key *key;
        assert_int_equal(keygen(g, &cl_rng_system, &key, share), CL_OK);
        check(g, key, share, 0, false);
        check(g, key, share, 1, false);
        check(g, key, share, g->client_share_len - 1U, false);
        check(g, key, share, g->client_share_len + 1U, false);
        cl_kex_key_free(key);
    }
}

static void test_without_room_for_the_secret_nothing_is_computed(void **state)
{
    const struct cl_group *g = group_of(0);
    uint8_t share[CL_GROUP_MAX_PRIME], answer[CL_GROUP_MAX_PRIME];
    struct cl_kex_key *key;
    assert_int_equal(keygen(g, &cl_rng_system, &key, share), CL_OK);
    assert_int_equal(encap(g, cl_rd_of(share, g->client_share_len), answer, NULL), CLEAT_ERR_USAGE);
    struct cl_job job = {.kind = CL_JOB_DECAP, .status = CL_JOB_PENDING};
    job.kex = (struct cl_job_kex){
        .group = g, .key = key, .peer_share = cl_rd_of(share, g->client_share_len)};
    cl_job_run(&job);
    assert_int_equal(job.result, CLEAT_ERR_USAGE);
    cl_kex_key_free(key);
}

static void test_a_shortage_of_memory_is_told(void **state)
{
    struct cl_kex_key *key;
    uint8_t share[CL_GROUP_MAX_PRIME];
    fail_allocation(0);
    const cl_result r = keygen(group_of(0), &cl_rng_system, &key, share);
    assert_true(stop_failing());
    assert_int_equal(r, CLEAT_ERR_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_primes_are_those_of_the_rfcs_formula),
        cmocka_unit_test(test_a_group_is_found_by_its_prime_and_generator_alone),
        cmocka_unit_test(test_groups_are_found_by_number_and_name_and_belong_to_no_curve_list),
        cmocka_unit_test(test_both_sides_arrive_at_the_same_secret),
        cmocka_unit_test(test_libcryptos_own_objects_arrive_at_the_same_secret),
        cmocka_unit_test(test_zeros_in_front_of_secrets_and_public_values_are_kept),
        cmocka_unit_test(test_exponents_have_the_rfcs_short_length),
        cmocka_unit_test(test_a_source_that_never_gives_an_exponent_in_range_fails),
        cmocka_unit_test(test_public_values_out_of_range_are_refused),
        cmocka_unit_test(test_public_values_of_a_wrong_length_are_refused),
        cmocka_unit_test(test_without_room_for_the_secret_nothing_is_computed),
        cmocka_unit_test(test_a_shortage_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
