/* tests/crypto/test_kex.c - key agreement through jobs: each group against itself, against
 * libcrypto's own objects and published values; shares that must be refused. */
#include "support_crypto.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "crypto/kex.h"
#include "crypto/mlkem.h"

static cl_result keygen(const struct cl_group *group, const struct cl_rng *rng,
                        struct cl_kex_key **key, uint8_t *share)
{
    struct cl_job job = {.kind = CL_JOB_KEYGEN, .status = CL_JOB_PENDING};
    job.kex = (struct cl_job_kex){.group = group, .rng = rng, .share = share};
    cl_job_run(&job);
    assert_int_equal(job.status, CL_JOB_DONE);
    *key = job.kex.key;
    assert_true((job.result == CL_OK) == (*key != NULL));
    assert_true(job.result != CL_OK || job.kex.share_len == group->client_share_len);
    return job.result;
}

static cl_result decap(const struct cl_group *group, struct cl_kex_key *key, struct cl_rd peer,
                       uint8_t *secret)
{
    struct cl_job job = {.kind = CL_JOB_DECAP, .status = CL_JOB_PENDING};
    job.kex = (struct cl_job_kex){.group = group, .key = key, .peer_share = peer};
    cl_job_run(&job);
    assert_batch_agrees(&job);
    memcpy(secret, job.kex.secret, CL_GROUP_MAX_SECRET);
    assert_int_equal(job.kex.secret_len, job.result == CL_OK ? group->secret_len : 0);
    assert_no_libcrypto_error();
    return job.result;
}

static cl_result encap(const struct cl_group *group, struct cl_rd peer, uint8_t *share,
                       uint8_t *secret)
{
    struct cl_job job = {.kind = CL_JOB_ENCAP, .status = CL_JOB_PENDING};
    job.kex = (struct cl_job_kex){
        .group = group, .rng = &cl_rng_system, .peer_share = peer, .share = share};
    cl_job_run(&job);
    memcpy(secret, job.kex.secret, CL_GROUP_MAX_SECRET);
    assert_no_libcrypto_error();
    return job.result;
}

static void test_groups_are_found_by_number_and_by_each_name(void **state)
{
    static const struct {
        const char *name;
        uint16_t id;
    } names[] = {{"X25519", CL_GROUP_X25519},
                 {"x25519", CL_GROUP_X25519},
                 {"P-256", CL_GROUP_SECP256R1},
                 {"p-256", CL_GROUP_SECP256R1},
                 {"secp256r1", CL_GROUP_SECP256R1},
                 {"prime256v1", CL_GROUP_SECP256R1},
                 {"secp384r1", CL_GROUP_SECP384R1},
                 {"P-521", CL_GROUP_SECP521R1},
                 {"x25519mlkem768", CL_GROUP_X25519_MLKEM768},
                 {"SecP256r1MLKEM768", CL_GROUP_SECP256R1_MLKEM768},
                 {"SecP384r1MLKEM1024", CL_GROUP_SECP384R1_MLKEM1024},
                 {"MLKEM768", CL_GROUP_MLKEM768},
                 {"ML-KEM-1024", CL_GROUP_MLKEM1024}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct cl_group *g = cl_group_by_name(names[i].name, strlen(names[i].name));
        assert_non_null(g);
        assert_int_equal(g->id, names[i].id);
        assert_ptr_equal(g, cl_group_by_id(names[i].id));
    }
    assert_null(cl_group_by_name("X25519x", 7));
    assert_null(cl_group_by_name("X2551", 5));
    assert_null(cl_group_by_id(0x11ff));
    assert_int_equal(cl_group_at(0)->id, CL_GROUP_X25519_MLKEM768);
    assert_null(cl_group_at(15));
}

static void test_both_sides_arrive_at_the_same_secret(void **state)
{
    const struct cl_group *g;
    for (size_t i = 0; (g = cl_group_at(i)) != NULL && !g->finite_field; i++) {
        struct cl_kex_key *key = NULL;
        uint8_t ours[CL_GROUP_MAX_SHARE], theirs[CL_GROUP_MAX_SHARE];
        uint8_t a[CL_GROUP_MAX_SECRET], b[CL_GROUP_MAX_SECRET];
        assert_int_equal(keygen(g, &cl_rng_system, &key, ours), CL_OK);
        assert_int_equal(encap(g, cl_rd_of(ours, g->client_share_len), theirs, a), CL_OK);
        assert_int_equal(decap(g, key, cl_rd_of(theirs, g->server_share_len), b), CL_OK);
        assert_memory_equal(a, b, g->secret_len);
        cl_kex_key_free(key);
    }
}

/* The other side in libcrypto's own terms: generation, encoding, derivation through EVP. */
static void agree_with_libcrypto(const struct cl_group *g, const char *type, const char *curve)
{
    EVP_PKEY *theirs = curve != NULL ? EVP_PKEY_Q_keygen(NULL, NULL, type, curve)
                                     : EVP_PKEY_Q_keygen(NULL, NULL, type);
    EVP_PKEY *ours = EVP_PKEY_new();
    uint8_t *encoded = NULL;
    uint8_t share[CL_GROUP_MAX_SHARE], secret[CL_GROUP_MAX_SECRET], expected[CL_GROUP_MAX_SECRET];
    size_t len = sizeof(expected);
    const size_t encoded_len = EVP_PKEY_get1_encoded_public_key(theirs, &encoded);
    assert_int_equal(encap(g, cl_rd_of(encoded, encoded_len), share, secret), CL_OK);
    assert_int_equal(EVP_PKEY_copy_parameters(ours, theirs), 1);
    assert_int_equal(EVP_PKEY_set1_encoded_public_key(ours, share, g->server_share_len), 1);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(theirs, NULL);
    assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
    assert_int_equal(EVP_PKEY_derive_set_peer(ctx, ours), 1);
    assert_int_equal(EVP_PKEY_derive(ctx, expected, &len), 1);
    assert_int_equal(len, g->secret_len);
    assert_memory_equal(secret, expected, len);
    EVP_PKEY_CTX_free(ctx);
    OPENSSL_free(encoded);
    EVP_PKEY_free(ours);
    EVP_PKEY_free(theirs);
}

static void test_libcryptos_own_objects_arrive_at_the_same_secret(void **state)
{
    for (int i = 0; i < 20; i++) {
        agree_with_libcrypto(cl_group_by_id(CL_GROUP_SECP256R1), "EC", "P-256");
        agree_with_libcrypto(cl_group_by_id(CL_GROUP_SECP384R1), "EC", "P-384");
        agree_with_libcrypto(cl_group_by_id(CL_GROUP_SECP521R1), "EC", "P-521");
    }
}

/* RFC 5903 8.1 (P-256), RFC 8448 3 (X25519) */
static const struct {
    uint16_t group;
    const char *scalar, *share, *peer, *secret;
} published[] = {
    {CL_GROUP_SECP256R1, "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
     "04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
     "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
     "04d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
     "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
     "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"},
    {CL_GROUP_X25519, "49af42ba7f7994852d713ef2784bcbcaa7911de26adc5642cb634540e7ea5005",
     "99381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c",
     "c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f",
     "8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d"},
};

static void test_a_fixed_source_gives_the_published_share_and_secret(void **state)
{
    for (size_t i = 0; i < sizeof(published) / sizeof(published[0]); i++) {
        const struct cl_group *g = cl_group_by_id(published[i].group);
        struct fixed_source source = {0};
        uint8_t scalar[UNHEX_MAX], peer[UNHEX_MAX], share[CL_GROUP_MAX_SHARE];
        uint8_t secret[CL_GROUP_MAX_SECRET];
        source.len = unhex(published[i].scalar, scalar);
        memcpy(source.bytes, scalar, source.len);
        const struct cl_rng rng = fixed_rng(&source);
        struct cl_kex_key *key = NULL;
        assert_int_equal(keygen(g, &rng, &key, share), CL_OK);
        assert_hex(share, g->client_share_len, published[i].share);
        const size_t peer_len = unhex(published[i].peer, peer);
        assert_int_equal(decap(g, key, cl_rd_of(peer, peer_len), secret), CL_OK);
        assert_hex(secret, g->secret_len, published[i].secret);
        cl_kex_key_free(key);
    }
}

/* RFC 10024: which part is first. */
static const struct {
    uint16_t group;
    uint16_t curve;
    const struct cl_mlkem_set *kem;
    bool kem_first;
} hybrids[] = {
    {CL_GROUP_X25519_MLKEM768, CL_GROUP_X25519, &cl_mlkem_768, true},
    {CL_GROUP_SECP256R1_MLKEM768, CL_GROUP_SECP256R1, &cl_mlkem_768, false},
    {CL_GROUP_SECP384R1_MLKEM1024, CL_GROUP_SECP384R1, &cl_mlkem_1024, false},
};

/* whole is a and b, in one order or the other. */
static void assert_parts(const uint8_t *whole, size_t whole_len, struct cl_rd a, struct cl_rd b,
                         bool b_first)
{
    assert_int_equal(whole_len, a.len + b.len);
    assert_memory_equal(whole + (b_first ? b.len : 0), a.p, a.len);
    assert_memory_equal(whole + (b_first ? 0 : a.len), b.p, b.len);
}

static void test_a_hybrid_group_is_its_parts_in_the_published_order(void **state)
{
    struct fixed_source source = {.len = 66};
    const struct cl_rng rng = fixed_rng(&source);
    for (size_t i = 0; i < sizeof(source.bytes); i++) {
        source.bytes[i] = (uint8_t)(i + 1);
    }
    for (size_t i = 0; i < sizeof(hybrids) / sizeof(hybrids[0]); i++) {
        const struct cl_group *g = cl_group_by_id(hybrids[i].group);
        const struct cl_group *curve = cl_group_by_id(hybrids[i].curve);
        const struct cl_mlkem_set *set = hybrids[i].kem;
        struct cl_kex_key *key = NULL;
        struct cl_kex_key *point = NULL;
        struct cl_mlkem_key *kem = NULL;
        uint8_t whole[CL_GROUP_MAX_SHARE], half[CL_GROUP_MAX_SHARE], ek[CL_MLKEM_MAX_EK];
        uint8_t secret[CL_GROUP_MAX_SECRET], half_secret[CL_GROUP_MAX_SECRET];
        uint8_t ct[CL_MLKEM_MAX_CT], kem_secret[CL_MLKEM_SECRET_LEN];
        assert_int_equal(keygen(g, &rng, &key, whole), CL_OK);
        assert_int_equal(keygen(curve, &rng, &point, half), CL_OK);
        assert_int_equal(cl_mlkem_keygen(set, source.bytes, ek, &kem), CL_OK);
        const struct cl_rd own = cl_rd_of(whole, g->client_share_len);
        assert_parts(whole, own.len, cl_rd_of(half, curve->client_share_len),
                     cl_rd_of(ek, set->ek_len), hybrids[i].kem_first);
        /* a server with the same randomness */
        uint8_t answer[CL_GROUP_MAX_SHARE];
        struct cl_job job = {.kind = CL_JOB_ENCAP, .status = CL_JOB_PENDING};
        job.kex = (struct cl_job_kex){.group = g, .rng = &rng, .peer_share = own, .share = answer};
        cl_job_run(&job);
        assert_int_equal(job.result, CL_OK);
        assert_int_equal(
            cl_mlkem_encap(set, cl_rd_of(ek, set->ek_len), source.bytes, ct, kem_secret), CL_OK);
        assert_parts(answer, job.kex.share_len, cl_rd_of(half, curve->client_share_len),
                     cl_rd_of(ct, set->ct_len), hybrids[i].kem_first);
        assert_int_equal(decap(curve, point, cl_rd_of(half, curve->client_share_len), half_secret),
                         CL_OK);
        assert_parts(job.kex.secret, job.kex.secret_len, cl_rd_of(half_secret, curve->secret_len),
                     cl_rd_of(kem_secret, sizeof(kem_secret)), hybrids[i].kem_first);
        assert_int_equal(decap(g, key, cl_rd_of(answer, job.kex.share_len), secret), CL_OK);
        assert_memory_equal(secret, job.kex.secret, g->secret_len);
        cl_kex_key_free(key);
        cl_kex_key_free(point);
        cl_mlkem_key_free(kem);
    }
}

/* Either part decides, and nothing of the other's secret is left. */
static void test_a_hybrid_share_with_one_bad_part_is_refused(void **state)
{
    for (size_t i = 0; i < sizeof(hybrids) / sizeof(hybrids[0]); i++) {
        static const uint8_t zero[CL_GROUP_MAX_SECRET];
        const struct cl_group *g = cl_group_by_id(hybrids[i].group);
        const size_t point_len = cl_group_by_id(hybrids[i].curve)->client_share_len;
        uint8_t share[CL_GROUP_MAX_SHARE], answer[CL_GROUP_MAX_SHARE];
        uint8_t secret[CL_GROUP_MAX_SECRET];
        for (int part = 0; part < 2; part++) {
            struct cl_kex_key *key = NULL;
            assert_int_equal(keygen(g, &cl_rng_system, &key, share), CL_OK);
            cl_kex_key_free(key);
            uint8_t *point = share + (hybrids[i].kem_first ? hybrids[i].kem->ek_len : 0);
            uint8_t *kem = share + (hybrids[i].kem_first ? 0 : point_len);
            if (part == 0) {
                memset(point, 0, point_len);
            } else {
                memset(kem, 0xff, 3);
            }
            assert_int_equal(encap(g, cl_rd_of(share, g->client_share_len), answer, secret),
                             CLEAT_ERR_BAD_KEY_SHARE);
            assert_memory_equal(secret, zero, g->secret_len);
        }
    }
}

static bool one_x25519_vector(const json_t *test)
{
    uint8_t scalar[UNHEX_MAX], peer[UNHEX_MAX], expected[UNHEX_MAX];
    uint8_t share[CL_GROUP_MAX_SHARE], secret[CL_GROUP_MAX_SECRET];
    const char *shared = json_string_value(json_object_get(test, "shared"));
    const struct cl_group *g = cl_group_by_id(CL_GROUP_X25519);
    struct fixed_source source = {.len = 32};
    const struct cl_rng rng = fixed_rng(&source);
    struct cl_kex_key *key = NULL;
    assert_int_equal(unhex(json_string_value(json_object_get(test, "private")), scalar), 32);
    memcpy(source.bytes, scalar, 32);
    const size_t peer_len = unhex(json_string_value(json_object_get(test, "public")), peer);
    assert_int_equal(keygen(g, &rng, &key, share), CL_OK);
    const cl_result r = decap(g, key, cl_rd_of(peer, peer_len), secret);
    cl_kex_key_free(key);
    unhex(shared, expected);
    const bool zero = strspn(shared, "0") == strlen(shared);
    if (zero) {
        assert_int_equal(r, CLEAT_ERR_BAD_KEY_SHARE);
        assert_memory_equal(secret, expected, 32); /* nothing is left of it */
    } else {
        assert_int_equal(r, CL_OK);
        assert_memory_equal(secret, expected, 32);
    }
    return zero;
}

static void test_x25519_gives_wycheproofs_secrets_and_refuses_points_of_low_order(void **state)
{
    json_t *root = test_data("wycheproof/x25519_test.json");
    if (root == NULL) {
        skip();
    }
    size_t num = 0;
    size_t num_zero = 0;
    size_t i;
    size_t k;
    json_t *group;
    json_t *test;
    json_array_foreach(json_object_get(root, "testGroups"), i, group)
    {
        json_array_foreach(json_object_get(group, "tests"), k, test)
        {
            num++;
            num_zero += one_x25519_vector(test) ? 1 : 0;
        }
    }
    assert_int_equal(num, json_integer_value(json_object_get(root, "numberOfTests")));
    assert_true(num_zero >= 30);
    json_decref(root);
}

/* RFC 9846 7.4.2: leading zeros of the x-coordinate are kept. One secret in 256 has one. */
static void test_a_secret_with_a_leading_zero_keeps_its_length(void **state)
{
    const struct cl_group *g = cl_group_by_id(CL_GROUP_SECP256R1);
    struct fixed_source source = {.len = 32};
    const struct cl_rng rng = fixed_rng(&source);
    struct cl_kex_key *peer_key = NULL;
    uint8_t peer[CL_GROUP_MAX_SHARE], share[CL_GROUP_MAX_SHARE];
    uint8_t a[CL_GROUP_MAX_SECRET], b[CL_GROUP_MAX_SECRET];
    source.bytes[31] = 1;
    assert_int_equal(keygen(g, &rng, &peer_key, peer), CL_OK);
    bool seen = false;
    for (unsigned i = 2; i < 5000 && !seen; i++) {
        struct cl_kex_key *key = NULL;
        source.bytes[30] = (uint8_t)(i >> 8);
        source.bytes[31] = (uint8_t)i;
        assert_int_equal(keygen(g, &rng, &key, share), CL_OK);
        assert_int_equal(decap(g, key, cl_rd_of(peer, 65), a), CL_OK);
        /* the peer's scalar is 1: the secret is the x-coordinate of our own share */
        assert_memory_equal(a, share + 1, 32);
        assert_int_equal(decap(g, peer_key, cl_rd_of(share, 65), b), CL_OK);
        assert_memory_equal(a, b, 32);
        seen = a[0] == 0;
        cl_kex_key_free(key);
    }
    assert_true(seen);
    cl_kex_key_free(peer_key);
}

static const uint16_t nist[] = {CL_GROUP_SECP256R1, CL_GROUP_SECP384R1, CL_GROUP_SECP521R1};

/* refused checks that neither side takes a share. */
static void refused(const struct cl_group *g, struct cl_kex_key *key, const uint8_t *p, size_t len)
{
    uint8_t share[CL_GROUP_MAX_SHARE], secret[CL_GROUP_MAX_SECRET];
    assert_int_equal(decap(g, key, cl_rd_of(p, len), secret), CLEAT_ERR_BAD_KEY_SHARE);
    assert_int_equal(encap(g, cl_rd_of(p, len), share, secret), CLEAT_ERR_BAD_KEY_SHARE);
}

static void test_points_off_the_curve_and_in_other_forms_are_refused(void **state)
{
    for (size_t i = 0; i < 3; i++) {
        const struct cl_group *g = cl_group_by_id(nist[i]);
        const size_t len = g->client_share_len;
        struct cl_kex_key *key = NULL;
        uint8_t good[CL_GROUP_MAX_SHARE], bad[CL_GROUP_MAX_SHARE];
        assert_int_equal(keygen(g, &cl_rng_system, &key, good), CL_OK);
        const size_t flips[] = {1, len / 2, len / 2 + 1, len - 1};
        for (size_t k = 0; k < 4; k++) { /* off the curve */
            memcpy(bad, good, len);
            bad[flips[k]] ^= 1;
            refused(g, key, bad, len);
        }
        for (int form = 0; form < 256; form++) { /* compressed, hybrid, anything but 4 */
            memcpy(bad, good, len);
            bad[0] = (uint8_t)form;
            if (form != 4) {
                refused(g, key, bad, len);
            }
        }
        bad[0] = 2 + (good[len - 1] & 1);
        refused(g, key, bad, (len + 1) / 2); /* compressed, in its own length */
        memset(bad + 1, 0, len - 1);
        bad[0] = 0;
        refused(g, key, bad, 1); /* the point at infinity */
        refused(g, key, bad, len);
        bad[0] = 4;
        refused(g, key, bad, len); /* (0, 0) */
        memset(bad + 1, 0xff, len - 1);
        refused(g, key, bad, len); /* coordinates beyond the field */
        cl_kex_key_free(key);
    }
}

static void test_shares_of_a_wrong_length_are_refused(void **state)
{
    const struct cl_group *g;
    for (size_t i = 0; (g = cl_group_at(i)) != NULL && !g->finite_field; i++) {
        struct cl_kex_key *key = NULL;
        uint8_t share[CL_GROUP_MAX_SHARE] = {0};
        assert_int_equal(keygen(g, &cl_rng_system, &key, share), CL_OK);
        refused(g, key, share, 0);
        refused(g, key, share, 1);
        refused(g, key, share, g->client_share_len - 1U);
        refused(g, key, share, g->client_share_len + 1U);
        cl_kex_key_free(key);
    }
}

static void test_a_source_that_never_gives_a_scalar_in_range_fails(void **state)
{
    for (size_t i = 0; i < 3; i++) {
        struct fixed_source source = {.len = 66};
        const struct cl_rng rng = fixed_rng(&source);
        struct cl_kex_key *key = NULL;
        uint8_t share[CL_GROUP_MAX_SHARE];
        const struct cl_group *g = cl_group_by_id(nist[i]);
        assert_int_equal(keygen(g, &rng, &key, share), CLEAT_ERR_RANDOM); /* zero */
        memset(source.bytes, 0xff, sizeof(source.bytes));
        assert_int_equal(keygen(g, &rng, &key, share), CLEAT_ERR_RANDOM); /* above the order */
        assert_int_equal(keygen(g, &broken_rng, &key, share), CLEAT_ERR_RANDOM);
    }
}

static void test_the_bits_above_p521s_order_are_masked(void **state)
{
    struct fixed_source source = {.len = 66};
    const struct cl_rng rng = fixed_rng(&source);
    const struct cl_group *g = cl_group_by_id(CL_GROUP_SECP521R1);
    struct cl_kex_key *key = NULL;
    uint8_t a[CL_GROUP_MAX_SHARE], b[CL_GROUP_MAX_SHARE];
    source.bytes[65] = 3;
    assert_int_equal(keygen(g, &rng, &key, a), CL_OK);
    cl_kex_key_free(key);
    source.bytes[0] = 0xfe;
    assert_int_equal(keygen(g, &rng, &key, b), CL_OK);
    cl_kex_key_free(key);
    assert_memory_equal(a, b, g->client_share_len);
}

static void test_a_key_of_another_group_is_a_misuse(void **state)
{
    struct cl_kex_key *key = NULL;
    uint8_t share[CL_GROUP_MAX_SHARE], secret[CL_GROUP_MAX_SECRET];
    const struct cl_group *g = cl_group_by_id(CL_GROUP_SECP256R1);
    const struct cl_group *other = cl_group_by_id(CL_GROUP_X25519);
    assert_int_equal(keygen(other, &cl_rng_system, &key, share), CL_OK);
    assert_int_equal(decap(g, key, cl_rd_of(share, 65), secret), CLEAT_ERR_USAGE);
    assert_int_equal(decap(g, NULL, cl_rd_of(share, 65), secret), CLEAT_ERR_USAGE);
    cl_kex_key_free(key);
    cl_kex_key_free(NULL);
}

static void test_a_job_of_no_known_kind_is_done_and_failed(void **state)
{
    struct cl_job job = {.status = CL_JOB_PENDING};
    cl_job_run(&job);
    assert_int_equal(job.status, CL_JOB_DONE);
    assert_int_equal(job.result, CLEAT_ERR_USAGE);
    job.kind = (enum cl_job_kind)17;
    cl_job_run(&job);
    assert_int_equal(job.result, CLEAT_ERR_USAGE);
    cl_job_complete(&job, CLEAT_ERR_JOB_FAILED);
    assert_int_equal(job.result, CLEAT_ERR_JOB_FAILED);
    cl_job_reset(&job);
    assert_int_equal(job.status, CL_JOB_EMPTY);
    assert_int_equal(job.kind, CL_JOB_NONE);
}

static void test_an_allocation_that_fails_is_reported_and_nothing_leaks(void **state)
{
    const struct cl_group *g;
    for (size_t i = 0; (g = cl_group_at(i)) != NULL && !g->finite_field; i++) {
        bool failed = true;
        for (unsigned n = 0; failed; n++) {
            struct cl_kex_key *key = NULL;
            uint8_t share[CL_GROUP_MAX_SHARE];
            fail_allocation(n);
            const cl_result r = keygen(g, &cl_rng_system, &key, share);
            failed = stop_failing();
            assert_int_equal(r, failed ? CLEAT_ERR_NOMEM : CL_OK);
            cl_kex_key_free(key);
        }
    }
}

/* Threads share the groups and keep what X25519 needs for themselves. */
static void *agree_many_times(void *failed)
{
    const struct cl_group *g;
    for (size_t i = 0; i < 30 && (g = cl_group_at(i % 10)) != NULL; i++) {
        struct cl_job make = {.kind = CL_JOB_KEYGEN};
        struct cl_job encap_job = {.kind = CL_JOB_ENCAP};
        struct cl_job decap_job = {.kind = CL_JOB_DECAP};
        uint8_t ours[CL_GROUP_MAX_SHARE], theirs[CL_GROUP_MAX_SHARE];
        make.kex = (struct cl_job_kex){.group = g, .rng = &cl_rng_system, .share = ours};
        cl_job_run(&make);
        encap_job.kex = make.kex;
        encap_job.kex.peer_share = cl_rd_of(ours, make.kex.share_len);
        encap_job.kex.share = theirs;
        cl_job_run(&encap_job);
        decap_job.kex = make.kex;
        decap_job.kex.peer_share = cl_rd_of(theirs, encap_job.kex.share_len);
        cl_job_run(&decap_job);
        if (decap_job.result != CL_OK ||
            memcmp(decap_job.kex.secret, encap_job.kex.secret, g->secret_len) != 0) {
            *(bool *)failed = true;
        }
        cl_kex_key_free(make.kex.key);
    }
    return NULL;
}

static void test_threads_do_not_disturb_each_other(void **state)
{
    pthread_t threads[4];
    bool failed[4] = {false};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, agree_many_times, &failed[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_false(failed[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_are_found_by_number_and_by_each_name),
        cmocka_unit_test(test_both_sides_arrive_at_the_same_secret),
        cmocka_unit_test(test_libcryptos_own_objects_arrive_at_the_same_secret),
        cmocka_unit_test(test_a_fixed_source_gives_the_published_share_and_secret),
        cmocka_unit_test(test_a_hybrid_group_is_its_parts_in_the_published_order),
        cmocka_unit_test(test_a_hybrid_share_with_one_bad_part_is_refused),
        cmocka_unit_test(test_x25519_gives_wycheproofs_secrets_and_refuses_points_of_low_order),
        cmocka_unit_test(test_a_secret_with_a_leading_zero_keeps_its_length),
        cmocka_unit_test(test_points_off_the_curve_and_in_other_forms_are_refused),
        cmocka_unit_test(test_shares_of_a_wrong_length_are_refused),
        cmocka_unit_test(test_a_source_that_never_gives_a_scalar_in_range_fails),
        cmocka_unit_test(test_the_bits_above_p521s_order_are_masked),
        cmocka_unit_test(test_a_key_of_another_group_is_a_misuse),
        cmocka_unit_test(test_a_job_of_no_known_kind_is_done_and_failed),
        cmocka_unit_test(test_an_allocation_that_fails_is_reported_and_nothing_leaks),
        cmocka_unit_test(test_threads_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
