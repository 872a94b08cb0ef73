/* tests/tls/test_ticket_keys.c - the ring of ticket keys: rotation by the clock, what is published
 * before it is used, keys from outside. */
#include <string.h>

#include "tls/support_tls.h"
#include "tls/ticket_keys.h"

#define HOUR_MS UINT64_C(3600000)

static struct cleat_ticket_keys *a_ring(void)
{
    struct cleat_ticket_keys *keys;
    assert_int_equal(cleat_ticket_keys_new(3600, &keys), CLEAT_OK);
    return keys;
}

static struct cl_buf seal(struct cleat_ticket_keys *keys, uint64_t now)
{
    struct cl_buf out = {0};
    struct cl_ticket t = {.version = 0x0304, .suite = 0x1301, .expires_ms = now + HOUR_MS};
    t.psk.len = 32;
    assert_int_equal(cl_ticket_seal(keys, &cl_rng_system, now, &t, &out), CL_OK);
    return out;
}

static bool opens(struct cleat_ticket_keys *keys, const struct cl_buf *sealed, uint64_t now)
{
    struct cl_buf plain = {0};
    struct cl_ticket t;
    bool ok = cl_ticket_open(keys, now, cl_buf_view(sealed), &plain, &t);
    cl_buf_deinit(&plain);
    return ok;
}

static void test_a_key_seals_for_its_lifetime_and_opens_for_another(void **state)
{
    struct cleat_ticket_keys *keys = a_ring();
    uint64_t start = TEST_NOW_MS;
    struct cl_buf first = seal(keys, start);
    struct cl_buf last = seal(keys, start + HOUR_MS - 1);
    struct cl_buf after = seal(keys, start + HOUR_MS);
    assert_memory_equal(first.p, last.p, CL_TICKET_NAME_LEN);
    assert_memory_not_equal(first.p, after.p, CL_TICKET_NAME_LEN);
    assert_true(opens(keys, &last, start + 2 * HOUR_MS - 1));
    assert_false(opens(keys, &last, start + 2 * HOUR_MS));
    assert_true(opens(keys, &after, start + 2 * HOUR_MS));
    cl_buf_deinit(&first);
    cl_buf_deinit(&last);
    cl_buf_deinit(&after);
    cleat_ticket_keys_free(keys);
}

static void test_the_next_key_is_published_before_it_seals(void **state)
{
    struct cleat_ticket_keys *keys = a_ring();
    uint8_t early[4][CLEAT_TICKET_KEY_LONG];
    uint8_t later[4][CLEAT_TICKET_KEY_LONG];
    size_t num = 1;
    assert_int_equal(cleat_ticket_keys_publish(keys, TEST_NOW_MS, early, &num), CLEAT_ERR_LIMIT);
    assert_int_equal(num, 2);
    assert_int_equal(cleat_ticket_keys_publish(keys, TEST_NOW_MS, early, &num), CLEAT_OK);
    num = 4;
    assert_int_equal(cleat_ticket_keys_publish(keys, TEST_NOW_MS + HOUR_MS, later, &num), CLEAT_OK);
    assert_int_equal(num, 3);
    assert_memory_equal(later[0], early[1], CLEAT_TICKET_KEY_LONG);
    assert_memory_equal(later[2], early[0], CLEAT_TICKET_KEY_LONG);
    struct cl_buf sealed = seal(keys, TEST_NOW_MS + HOUR_MS);
    assert_memory_equal(sealed.p, later[0], CL_TICKET_NAME_LEN);
    cl_buf_deinit(&sealed);
    cleat_ticket_keys_free(keys);
}

static void test_another_machine_opens_with_published_keys_even_after_the_rotation(void **state)
{
    struct cleat_ticket_keys *ours = a_ring();
    struct cleat_ticket_keys *theirs = a_ring();
    uint8_t bytes[4][CLEAT_TICKET_KEY_LONG];
    struct cleat_ticket_key list[4];
    size_t num = 4;
    assert_int_equal(cleat_ticket_keys_publish(ours, TEST_NOW_MS, bytes, &num), CLEAT_OK);
    for (size_t i = 0; i < num; i++) {
        list[i] = (struct cleat_ticket_key){bytes[i], sizeof(bytes[i])};
    }
    assert_int_equal(cleat_ticket_keys_set(theirs, list, num), CLEAT_OK);
    struct cl_buf now = seal(ours, TEST_NOW_MS);
    struct cl_buf later = seal(ours, TEST_NOW_MS + HOUR_MS);
    struct cl_buf back = seal(theirs, TEST_NOW_MS);
    assert_true(opens(theirs, &now, TEST_NOW_MS));
    assert_true(opens(theirs, &later, TEST_NOW_MS + HOUR_MS));
    assert_true(opens(ours, &back, TEST_NOW_MS));
    assert_int_equal(cleat_ticket_keys_publish(theirs, TEST_NOW_MS, bytes, &num), CLEAT_ERR_USAGE);
    cl_buf_deinit(&now);
    cl_buf_deinit(&later);
    cl_buf_deinit(&back);
    cleat_ticket_keys_free(ours);
    cleat_ticket_keys_free(theirs);
}

static void test_keys_from_outside_replace_all_and_never_age(void **state)
{
    struct cleat_ticket_keys *keys = a_ring();
    uint8_t a[CLEAT_TICKET_KEY_SHORT];
    uint8_t b[CLEAT_TICKET_KEY_LONG];
    memset(a, 1, sizeof(a));
    memset(b, 2, sizeof(b));
    const struct cleat_ticket_key ab[] = {{a, sizeof(a)}, {b, sizeof(b)}};
    const struct cleat_ticket_key ba[] = {{b, sizeof(b)}, {a, sizeof(a)}};
    struct cl_buf own = seal(keys, TEST_NOW_MS);
    assert_int_equal(cleat_ticket_keys_set(keys, ab, 2), CLEAT_OK);
    assert_false(opens(keys, &own, TEST_NOW_MS));
    struct cl_buf by_a = seal(keys, TEST_NOW_MS);
    assert_memory_equal(by_a.p, a, CL_TICKET_NAME_LEN);
    assert_int_equal(cleat_ticket_keys_set(keys, ba, 2), CLEAT_OK);
    struct cl_buf by_b = seal(keys, TEST_NOW_MS);
    assert_memory_equal(by_b.p, b, CL_TICKET_NAME_LEN);
    assert_true(opens(keys, &by_a, TEST_NOW_MS + 1000 * HOUR_MS));
    assert_true(opens(keys, &by_b, TEST_NOW_MS));
    assert_int_equal(cleat_ticket_keys_set(keys, ba, 1), CLEAT_OK);
    assert_false(opens(keys, &by_a, TEST_NOW_MS));
    cl_buf_deinit(&own);
    cl_buf_deinit(&by_a);
    cl_buf_deinit(&by_b);
    cleat_ticket_keys_free(keys);
}

static void test_keys_that_cannot_be_are_refused_and_change_nothing(void **state)
{
    struct cleat_ticket_keys *keys = a_ring();
    uint8_t bytes[CLEAT_TICKET_KEY_LONG + 1] = {0};
    struct cl_buf sealed = seal(keys, TEST_NOW_MS);
    struct cleat_ticket_key list[CLEAT_TICKET_KEYS_MAX + 1];
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        list[0] = (struct cleat_ticket_key){bytes, len};
        bool good = len == CLEAT_TICKET_KEY_SHORT || len == CLEAT_TICKET_KEY_LONG;
        if (!good) {
            assert_int_equal(cleat_ticket_keys_set(keys, list, 1), CLEAT_ERR_BAD_CONFIG);
        }
    }
    list[0] = list[1] = (struct cleat_ticket_key){bytes, CLEAT_TICKET_KEY_LONG};
    assert_int_equal(cleat_ticket_keys_set(keys, list, 2), CLEAT_ERR_BAD_CONFIG);
    assert_int_equal(cleat_ticket_keys_set(keys, list, 0), CLEAT_ERR_BAD_CONFIG);
    assert_int_equal(cleat_ticket_keys_set(keys, list, CLEAT_TICKET_KEYS_MAX + 1),
                     CLEAT_ERR_BAD_CONFIG);
    assert_true(opens(keys, &sealed, TEST_NOW_MS));
    cl_buf_deinit(&sealed);
    cleat_ticket_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_key_seals_for_its_lifetime_and_opens_for_another),
        cmocka_unit_test(test_the_next_key_is_published_before_it_seals),
        cmocka_unit_test(test_another_machine_opens_with_published_keys_even_after_the_rotation),
        cmocka_unit_test(test_keys_from_outside_replace_all_and_never_age),
        cmocka_unit_test(test_keys_that_cannot_be_are_refused_and_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
