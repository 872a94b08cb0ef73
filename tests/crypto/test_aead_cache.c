/* tests/crypto/test_aead_cache.c - expanded keys: made when they are needed, wiped when they go. */
#include "support_crypto.h"

#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/aead_cache.h"

/* 3 times as many keys as there are slots */
#define NUM_KEYS (3 * CL_AEAD_NUM_SLOTS)

static const uint8_t nonce[CL_AEAD_NONCE_LEN] = {9};

static struct cl_aead_key key_of(enum cl_aead_id id, uint8_t first_byte, bool seals)
{
    const uint8_t bytes[CL_AEAD_MAX_KEY_LEN] = {first_byte, 1, 2};
    struct cl_aead_key key;
    assert_int_equal(cl_aead_key_init(&key, id, bytes, seals), CL_OK);
    return key;
}

/* What a key makes of a text, ciphertext and tag: 20 + 16 bytes at most. */
static void seal(struct cl_aead_key *key, uint8_t out[36])
{
    const struct cl_rd text = cl_rd_str("twenty bytes of text");
    memset(out, 0, 36);
    assert_int_equal(cl_aead_seal(key, nonce, cl_rd_str("aad"), &text, 1, out), CL_OK);
}

static bool is_zero(const void *p, size_t len)
{
    const uint8_t *bytes = p;
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++) {
        any |= bytes[i];
    }
    return any == 0;
}

static void test_more_keys_than_slots_take_turns(void **state)
{
    static struct cl_aead_key keys[NUM_KEYS];
    static uint8_t first[NUM_KEYS][36];
    uint8_t again[36];
    for (size_t i = 0; i < NUM_KEYS; i++) {
        keys[i] = key_of((enum cl_aead_id)(i % CL_AEAD_COUNT), (uint8_t)i, true);
        seal(&keys[i], first[i]);
        assert_true(i < CL_AEAD_COUNT || memcmp(first[i], first[i - CL_AEAD_COUNT], 36) != 0);
    }
    for (size_t turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < NUM_KEYS; i++) {
            seal(&keys[i], again);
            assert_memory_equal(again, first[i], sizeof(again));
        }
    }
    for (size_t i = 0; i < NUM_KEYS; i++) {
        cl_aead_key_wipe(&keys[i]);
    }
    assert_int_equal(cl_aead_cache_mine->used, 0);
    assert_true(is_zero(cl_aead_cache_mine->slots, sizeof(cl_aead_cache_mine->slots)));
}

static void test_a_key_that_is_used_stays_where_it_is(void **state)
{
    uint8_t out[36];
    struct cl_aead_key key = key_of(CL_AEAD_AES_128_GCM, 1, true);
    assert_false(cl_aead_cache_has(&key)); /* before its first use nothing has been expanded */
    seal(&key, out);
    const uint16_t slot = key.slot;
    assert_true(cl_aead_cache_has(&key));
    seal(&key, out);
    assert_int_equal(key.slot, slot);
    cl_aead_key_wipe(&key);
}

static void test_a_key_that_is_wiped_leaves_nothing(void **state)
{
    for (int id = 0; id < CL_AEAD_COUNT; id++) {
        uint8_t out[36];
        struct cl_aead_key key = key_of((enum cl_aead_id)id, 1, true);
        seal(&key, out);
        const struct cl_aead_slot *slot = &cl_aead_cache_mine->slots[key.slot];
        assert_false(is_zero(slot, sizeof(*slot)));
        cl_aead_key_wipe(&key);
        assert_true(is_zero(slot, sizeof(*slot)));
        assert_true(is_zero(&key, sizeof(key)));
    }
}

static void test_copies_of_a_key_are_the_key(void **state)
{
    uint8_t one[36];
    uint8_t other[36];
    struct cl_aead_key key = key_of(CL_AEAD_AES_256_GCM, 1, true);
    struct cl_aead_key copy = key;
    seal(&key, one);
    seal(&copy, other);
    assert_memory_equal(one, other, sizeof(one));
    cl_aead_key_wipe(&copy);
    seal(&key, other);
    assert_memory_equal(one, other, sizeof(one));
    cl_aead_key_wipe(&key);
}

struct elsewhere {
    struct cl_aead_key key;
    uint8_t out[36];
};

static void *seal_elsewhere(void *p)
{
    struct elsewhere *e = p;
    struct cl_aead_key own = key_of(CL_AEAD_AES_128_CCM, 7, true);
    seal(&own, e->out); /* takes the slot that the key has in its old thread */
    seal(&e->key, e->out);
    return NULL; /* what this thread has expanded goes with it */
}

static void test_a_key_may_go_to_another_thread_and_come_back(void **state)
{
    struct elsewhere e = {.key = key_of(CL_AEAD_CHACHA20_POLY1305, 3, true)};
    uint8_t here[36];
    pthread_t thread;
    seal(&e.key, here);
    assert_int_equal(pthread_create(&thread, NULL, seal_elsewhere, &e), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_memory_equal(e.out, here, sizeof(here));
    seal(&e.key, e.out);
    assert_memory_equal(e.out, here, sizeof(here));
    cl_aead_key_wipe(&e.key);
}

static void test_a_forked_child_has_none_and_makes_its_own(void **state)
{
    struct cl_aead_key key = key_of(CL_AEAD_AES_128_GCM, 5, true);
    struct cl_aead_key other = key_of(CL_AEAD_AES_128_CCM, 6, true);
    uint8_t here[36];
    uint8_t there[36];
    seal(&key, here);
    seal(&other, there);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct cl_rd text = cl_rd_str("twenty bytes of text");
        const bool gone = is_zero(cl_aead_cache_mine, sizeof(*cl_aead_cache_mine));
        const bool same = cl_aead_seal(&key, nonce, cl_rd_str("aad"), &text, 1, there) == CL_OK &&
                          memcmp(there, here, sizeof(here)) == 0;
        _exit(gone && same ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    cl_aead_key_wipe(&key);
    cl_aead_key_wipe(&other);
}

/* Of the pages of the cache, the line that smaps has for a core dump's eyes. */
static bool left_out_of_dumps(const void *p)
{
    char line[512];
    bool inside = false;
    bool left_out = false;
    FILE *f = fopen("/proc/self/smaps", "r");
    assert_non_null(f);
    while (fgets(line, sizeof(line), f) != NULL) {
        unsigned long from;
        unsigned long to;
        if (sscanf(line, "%lx-%lx ", &from, &to) == 2) {
            inside = from <= (unsigned long)p && (unsigned long)p < to;
        } else if (inside && strncmp(line, "VmFlags:", 8) == 0) {
            left_out = strstr(line, " dd") != NULL;
        }
    }
    (void)fclose(f);
    return left_out;
}

static void test_core_dumps_leave_the_cache_out(void **state)
{
    assert_int_equal(cl_aead_cache_ready(), CL_OK);
    assert_true(left_out_of_dumps(cl_aead_cache_mine));
    assert_true(left_out_of_dumps(&cl_aead_cache_mine->slots[CL_AEAD_NUM_SLOTS - 1]));
}

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

#define TESTS                                                                \
    cmocka_unit_test(test_more_keys_than_slots_take_turns),                  \
        cmocka_unit_test(test_a_key_that_is_used_stays_where_it_is),         \
        cmocka_unit_test(test_a_key_that_is_wiped_leaves_nothing),           \
        cmocka_unit_test(test_copies_of_a_key_are_the_key),                  \
        cmocka_unit_test(test_a_key_may_go_to_another_thread_and_come_back), \
        cmocka_unit_test(test_a_forked_child_has_none_and_makes_its_own)

int main(void)
{
    const struct CMUnitTest chosen[] = {TESTS,
                                        cmocka_unit_test(test_core_dumps_leave_the_cache_out)};
    const struct CMUnitTest libcrypto[] = {TESTS};
    return cmocka_run_group_tests(chosen, NULL, NULL) |
           cmocka_run_group_tests(libcrypto, with_libcrypto_alone, as_chosen);
}
