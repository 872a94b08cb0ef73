/* tests/crypto/test_aead_agree.c - the chosen kernels against libcrypto's, and both against
 * Wycheproof's vectors.
 *
 * Kernels are assembly that no sanitizer sees: every input and output ends at a page that must not
 * be touched, and has a fence in front. "test_crypto_aead_agree NUM" compares NUM random records
 * of each cipher.
 */
#include "support_crypto.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/text.h"
#include "crypto/aead_kernel.h"

/* 20,480: a record and some */
#define ROOM       20480
#define PAGE       4096
#define FENCE      64
#define FENCE_BYTE 0xa5
/* 1,000: a fifth of a second, half a minute under valgrind */
#define NUM_RANDOM 1000

static const enum cl_aead_id ids[] = {CL_AEAD_AES_128_GCM, CL_AEAD_AES_256_GCM,
                                      CL_AEAD_CHACHA20_POLY1305};
#define NUM_IDS (sizeof(ids) / sizeof(ids[0]))

static unsigned long num_random = NUM_RANDOM;

/* Memory whose end is the end of what may be touched. */
struct fenced {
    uint8_t *end;
};

static struct fenced text, sealed, expected, aad, nonce;

static struct fenced fence(void)
{
    uint8_t *p =
        mmap(NULL, ROOM + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    assert_int_equal(mprotect(p + ROOM, PAGE, PROT_NONE), 0);
    return (struct fenced){.end = p + ROOM};
}

/* The last len bytes, behind a fence. */
static uint8_t *last(const struct fenced *f, size_t len)
{
    uint8_t *p = f->end - len;
    memset(p - FENCE, FENCE_BYTE, FENCE);
    return p;
}

static void assert_fence(const uint8_t *p)
{
    for (size_t i = 1; i <= FENCE; i++) {
        assert_int_equal(p[-(ptrdiff_t)i], FENCE_BYTE);
    }
}

/* xorshift64*: the same numbers in every run. */
static uint64_t seed = 0x9e3779b97f4a7c15;

static size_t number(size_t below)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (size_t)((seed * 0x2545f4914f6cdd1d) >> 33) % below;
}

static void scatter(uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)number(256);
    }
}

/* A record: what is sealed, and in how many pieces. */
struct trial {
    enum cl_aead_id id;
    uint8_t key[CL_AEAD_MAX_KEY_LEN];
    size_t len;
    size_t aad_len;
    size_t num_parts;
};

#define MAX_PARTS 4

static void seal(const struct trial *t, bool libcrypto, uint8_t *out)
{
    struct cl_rd parts[MAX_PARTS];
    const uint8_t *at = text.end - t->len;
    size_t left = t->len;
    for (size_t i = 0; i < t->num_parts; i++) {
        const size_t len = i + 1 == t->num_parts ? left : number(left + 1);
        parts[i] = cl_rd_of(at, len);
        at += len;
        left -= len;
    }
    struct cl_aead_key key;
    cl_aead_switch(!libcrypto);
    assert_int_equal(cl_aead_key_init(&key, t->id, t->key, true), CL_OK);
    assert_int_equal(cl_aead_seal(&key, nonce.end - CL_AEAD_NONCE_LEN,
                                  cl_rd_of(aad.end - t->aad_len, t->aad_len), parts, t->num_parts,
                                  out),
                     CL_OK);
    cl_aead_key_wipe(&key);
}

static cl_result unseal(const struct trial *t, bool libcrypto, uint8_t *inout)
{
    struct cl_aead_key key;
    size_t len;
    cl_aead_switch(!libcrypto);
    assert_int_equal(cl_aead_key_init(&key, t->id, t->key, false), CL_OK);
    const cl_result r = cl_aead_open(&key, nonce.end - CL_AEAD_NONCE_LEN,
                                     cl_rd_of(aad.end - t->aad_len, t->aad_len), inout,
                                     t->len + CL_AEAD_MAX_TAG_LEN, &len);
    assert_int_equal(len, r == CL_OK ? t->len : 0);
    cl_aead_key_wipe(&key);
    return r;
}

static void assert_both_agree(const struct trial *t)
{
    static const uint8_t zeros[ROOM];
    const size_t sealed_len = t->len + CL_AEAD_MAX_TAG_LEN;
    uint8_t *ours = last(&sealed, sealed_len);
    uint8_t *theirs = last(&expected, sealed_len);
    scatter(text.end - t->len, t->len);
    seal(t, false, ours);
    seal(t, true, theirs);
    assert_memory_equal(ours, theirs, sealed_len);
    assert_fence(ours);
    assert_int_equal(unseal(t, false, ours), CL_OK);
    assert_memory_equal(ours, text.end - t->len, t->len);
    assert_fence(ours);
    memcpy(ours, theirs, sealed_len);
    ours[number(sealed_len)] ^= (uint8_t)(1U << number(8));
    memcpy(theirs, ours, sealed_len);
    assert_int_equal(unseal(t, false, ours), CLEAT_ERR_BAD_RECORD_MAC);
    assert_int_equal(unseal(t, true, theirs), CLEAT_ERR_BAD_RECORD_MAC);
    assert_memory_equal(ours, zeros, t->len);
    assert_fence(ours);
}

static struct trial trial_of(enum cl_aead_id id, size_t len, size_t aad_len, size_t num_parts)
{
    struct trial t = {.id = id, .len = len, .aad_len = aad_len, .num_parts = num_parts};
    scatter(t.key, sizeof(t.key));
    scatter(aad.end - aad_len, aad_len);
    scatter(nonce.end - CL_AEAD_NONCE_LEN, CL_AEAD_NONCE_LEN);
    return t;
}

static bool nothing_to_compare(void)
{
    cl_aead_switch(true);
    if (strncmp(cl_aead_describe(), "libcrypto", 9) != 0) {
        return false;
    }
    printf("SKIP: libcrypto is compared with itself: %s\n", cl_aead_describe());
    return true;
}

/* What is installed works; not to be there is no failure. */
static void test_kernels_that_are_there_give_known_answers(void **state)
{
    print_message("%s\n", cl_aead_describe());
    assert_null(strstr(cl_aead_describe(), "self-test"));
}

/* Kernels that are libcrypto's, but for one thing. */
static struct cl_aead_kernel flawed;

static bool seal_a_wrong_tag(struct cl_aead_slot *slot, const uint8_t *iv, struct cl_rd ad,
                             const struct cl_rd *in, size_t num, uint8_t *out)
{
    size_t len = 0;
    for (size_t i = 0; i < num; i++) {
        len += in[i].len;
    }
    const bool ok = cl_aead_ossl(CL_AEAD_AES_128_GCM)->seal(slot, iv, ad, in, num, out);
    out[len + CL_AEAD_MAX_TAG_LEN - 1] ^= 1;
    return ok;
}

static bool open_whatever_comes(struct cl_aead_slot *slot, const uint8_t *iv, struct cl_rd ad,
                                uint8_t *inout, size_t len)
{
    (void)!cl_aead_ossl(CL_AEAD_AES_128_GCM)->open(slot, iv, ad, inout, len);
    return true;
}

static void test_a_kernel_that_errs_is_not_used(void **state)
{
    flawed = *cl_aead_ossl(CL_AEAD_AES_128_GCM);
    assert_true(cl_aead_kernel_well(&flawed, CL_AEAD_AES_128_GCM));
    flawed.seal = seal_a_wrong_tag;
    assert_false(cl_aead_kernel_well(&flawed, CL_AEAD_AES_128_GCM));
    flawed = *cl_aead_ossl(CL_AEAD_AES_128_GCM);
    flawed.open = open_whatever_comes;
    assert_false(cl_aead_kernel_well(&flawed, CL_AEAD_AES_128_GCM));
}

static void test_both_seal_and_open_alike_around_every_block(void **state)
{
    static const size_t aad_lens[] = {0, 5, 13, 16, 20};
    if (nothing_to_compare()) {
        skip();
    }
    for (size_t i = 0; i < NUM_IDS; i++) {
        for (size_t len = 0; len <= 400; len++) {
            const struct trial t = trial_of(ids[i], len, aad_lens[len % 5], 1 + len % MAX_PARTS);
            assert_both_agree(&t);
        }
    }
}

static void test_both_seal_and_open_alike_around_each_threshold(void **state)
{
    /* where kernels change their way: 1,024, 2,048; a full record with its type and some padding */
    static const size_t around[] = {1024, 2048, 4096, 16385, 16640};
    if (nothing_to_compare()) {
        skip();
    }
    for (size_t i = 0; i < NUM_IDS; i++) {
        for (size_t k = 0; k < sizeof(around) / sizeof(around[0]); k++) {
            for (size_t len = around[k] - 18; len <= around[k] + 18; len++) {
                const struct trial t = trial_of(ids[i], len, 5, 1 + len % MAX_PARTS);
                assert_both_agree(&t);
            }
        }
    }
}

static void test_both_seal_and_open_alike_at_random(void **state)
{
    if (nothing_to_compare()) {
        skip();
    }
    for (size_t i = 0; i < NUM_IDS; i++) {
        for (unsigned long k = 0; k < num_random; k++) {
            const size_t limit = k % 8 == 0 ? ROOM - 2 * FENCE : 1500;
            const struct trial t =
                trial_of(ids[i], number(limit), number(64), 1 + number(MAX_PARTS));
            assert_both_agree(&t);
        }
    }
}

/* ---- Wycheproof ---- */

/* 2,048: of their longest text, and of the longest additional data */
#define MAX_VECTOR 2048

struct vector {
    size_t len;
    uint8_t bytes[MAX_VECTOR];
};

static void member(const json_t *test, const char *name, struct vector *out)
{
    const char *hex = json_string_value(json_object_get(test, name));
    assert_non_null(hex);
    assert_true(cl_hex_decode(hex, strlen(hex), out->bytes, sizeof(out->bytes), &out->len));
}

static void check_vector(const json_t *test, enum cl_aead_id id, bool libcrypto)
{
    struct vector key, iv, ad, msg, ct, tag;
    uint8_t out[MAX_VECTOR + CL_AEAD_MAX_TAG_LEN];
    struct cl_aead_key k;
    size_t len;
    member(test, "key", &key);
    member(test, "iv", &iv);
    member(test, "aad", &ad);
    member(test, "msg", &msg);
    member(test, "ct", &ct);
    member(test, "tag", &tag);
    const bool valid = strcmp(json_string_value(json_object_get(test, "result")), "valid") == 0;
    const struct cl_rd in = cl_rd_of(msg.bytes, msg.len);
    cl_aead_switch(!libcrypto);
    if (valid) {
        assert_int_equal(cl_aead_key_init(&k, id, key.bytes, true), CL_OK);
        assert_int_equal(cl_aead_seal(&k, iv.bytes, cl_rd_of(ad.bytes, ad.len), &in, 1, out),
                         CL_OK);
        assert_memory_equal(out, ct.bytes, ct.len);
        assert_memory_equal(out + ct.len, tag.bytes, tag.len);
        cl_aead_key_wipe(&k);
    }
    memcpy(out, ct.bytes, ct.len);
    memcpy(out + ct.len, tag.bytes, tag.len);
    assert_int_equal(cl_aead_key_init(&k, id, key.bytes, false), CL_OK);
    assert_int_equal(
        cl_aead_open(&k, iv.bytes, cl_rd_of(ad.bytes, ad.len), out, ct.len + tag.len, &len),
        valid ? CL_OK : CLEAT_ERR_BAD_RECORD_MAC);
    cl_aead_key_wipe(&k);
}

/* The cipher of a group of tests; false: none of ours. */
static bool id_of(const json_t *group, enum cl_aead_id first, enum cl_aead_id *out)
{
    for (enum cl_aead_id id = first; id < CL_AEAD_COUNT; id++) {
        const struct cl_aead_info *info = cl_aead_info(id);
        const bool same = (info->name[0] == 'A') == (cl_aead_info(first)->name[0] == 'A');
        if (same && json_integer_value(json_object_get(group, "keySize")) == 8 * info->key_len &&
            json_integer_value(json_object_get(group, "tagSize")) == 8 * info->tag_len &&
            json_integer_value(json_object_get(group, "ivSize")) == 8 * CL_AEAD_NONCE_LEN) {
            *out = id;
            return true;
        }
    }
    return false;
}

/* Those of a file that are of a cipher from first on; the least number that there must be. */
static void check_file(const char *name, enum cl_aead_id first, size_t least)
{
    json_t *root = test_data(name);
    size_t num = 0;
    size_t i;
    size_t k;
    json_t *group;
    json_t *test;
    enum cl_aead_id id;
    if (root == NULL) {
        skip();
    }
    json_array_foreach(json_object_get(root, "testGroups"), i, group)
    {
        if (!id_of(group, first, &id)) {
            continue;
        }
        json_array_foreach(json_object_get(group, "tests"), k, test)
        {
            check_vector(test, id, false);
            check_vector(test, id, true);
            num++;
        }
    }
    assert_true(num >= least);
    json_decref(root);
}

static void test_both_agree_with_wycheproof_about_gcm(void **state)
{
    check_file("wycheproof/aes_gcm_test.json", CL_AEAD_AES_128_GCM, 100);
}

static void test_both_agree_with_wycheproof_about_chacha20_poly1305(void **state)
{
    check_file("wycheproof/chacha20_poly1305_test.json", CL_AEAD_CHACHA20_POLY1305, 200);
}

static void test_libcrypto_agrees_with_wycheproof_about_ccm(void **state)
{
    check_file("wycheproof/aes_ccm_test.json", CL_AEAD_AES_128_CCM, 60);
}

static int set_up(void **state)
{
    text = fence();
    sealed = fence();
    expected = fence();
    aad = fence();
    nonce = fence();
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernels_that_are_there_give_known_answers),
        cmocka_unit_test(test_a_kernel_that_errs_is_not_used),
        cmocka_unit_test(test_both_seal_and_open_alike_around_every_block),
        cmocka_unit_test(test_both_seal_and_open_alike_around_each_threshold),
        cmocka_unit_test(test_both_seal_and_open_alike_at_random),
        cmocka_unit_test(test_both_agree_with_wycheproof_about_gcm),
        cmocka_unit_test(test_both_agree_with_wycheproof_about_chacha20_poly1305),
        cmocka_unit_test(test_libcrypto_agrees_with_wycheproof_about_ccm),
    };
    if (argc > 1) {
        num_random = strtoul(argv[1], NULL, 10);
    }
    return cmocka_run_group_tests(tests, set_up, NULL);
}
