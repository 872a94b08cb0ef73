/* tests/tls/test_store.c - a client's store of sessions: bounds, what is used once, bytes. */
#include <string.h>

#include "cleat/session.h"
#include "tls/session.h"
#include "tls/support_tls.h"

static struct cleat_ticket_keys *keys;
static struct cleat_tls_config *server;

static int setup(void **state)
{
    int r = test_world_setup(state);
    struct cleat_tls_builder *b = test_server_builder();
    assert_int_equal(cleat_ticket_keys_new(7200, &keys), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_tickets(b, keys, 1), CLEAT_OK);
    server = test_finish(b);
    return r;
}

static int teardown(void **state)
{
    cleat_tls_config_free(server);
    cleat_ticket_keys_free(keys);
    return test_world_teardown(state);
}

static struct cleat_tls_session *a_session(uint16_t version)
{
    struct cleat_tls_builder *b = test_client_builder();
    assert_int_equal(cleat_tls_builder_versions(b, version, version), CLEAT_OK);
    return test_session_of(test_finish(b), cleat_tls_config_ref(server), "localhost");
}

static void put(struct cleat_session_store *store, const char *name, uint16_t version)
{
    struct cleat_tls_session *session = a_session(version);
    assert_int_equal(cleat_session_store_put(store, name, session), CLEAT_OK);
    cleat_tls_session_free(session);
}

static bool take(struct cleat_session_store *store, const char *name)
{
    struct cleat_tls_session *session = cleat_session_store_take(store, name, world.now_ms);
    cleat_tls_session_free(session);
    return session != NULL;
}

static struct cleat_session_store *a_store(size_t max)
{
    struct cleat_session_store *store;
    assert_int_equal(cleat_session_store_new(max, &store), CLEAT_OK);
    return store;
}

static void test_a_ticket_of_13_is_taken_once_and_one_of_12_stays(void **state)
{
    struct cleat_session_store *store = a_store(10);
    put(store, "a:443", CLEAT_TLS_1_3);
    put(store, "b:443", CLEAT_TLS_1_2);
    assert_true(take(store, "a:443"));
    assert_false(take(store, "a:443"));
    assert_true(take(store, "b:443"));
    assert_true(take(store, "b:443"));
    assert_false(take(store, "b:44"));
    assert_int_equal(cleat_session_store_num(store), 1);
    cleat_session_store_free(store);
}

static void test_the_newest_of_a_name_comes_first_and_four_are_kept(void **state)
{
    struct cleat_session_store *store = a_store(10);
    struct cleat_tls_session *newest = a_session(CLEAT_TLS_1_3);
    for (int i = 0; i < 6; i++) {
        put(store, "a:443", CLEAT_TLS_1_3);
    }
    assert_int_equal(cleat_session_store_put(store, "a:443", newest), CLEAT_OK);
    assert_int_equal(cleat_session_store_num(store), CLEAT_SESSION_STORE_PER_NAME);
    struct cleat_tls_session *taken = cleat_session_store_take(store, "a:443", world.now_ms);
    assert_ptr_equal(taken, newest);
    cleat_tls_session_free(taken);
    cleat_tls_session_free(newest);
    cleat_session_store_free(store);
}

static void test_the_store_is_bounded_and_the_least_used_goes(void **state)
{
    struct cleat_session_store *store = a_store(3);
    put(store, "a", CLEAT_TLS_1_2);
    put(store, "b", CLEAT_TLS_1_2);
    put(store, "c", CLEAT_TLS_1_2);
    assert_true(take(store, "a"));
    put(store, "d", CLEAT_TLS_1_2);
    assert_int_equal(cleat_session_store_num(store), 3);
    assert_false(take(store, "b"));
    assert_true(take(store, "a"));
    cleat_session_store_free(store);
}

static void test_what_has_expired_is_dropped(void **state)
{
    struct cleat_session_store *store = a_store(3);
    put(store, "a", CLEAT_TLS_1_3);
    put(store, "b", CLEAT_TLS_1_2);
    world.now_ms += 7200 * 1000;
    assert_false(take(store, "a"));
    assert_int_equal(cleat_session_store_num(store), 0);
    world.now_ms = TEST_NOW_MS;
    cleat_session_store_free(store);
}

static uint8_t bytes[65536];

static size_t exported(struct cleat_session_store *store)
{
    size_t len = 0;
    assert_int_equal(cleat_session_store_export(store, world.now_ms, NULL, &len), CLEAT_ERR_LIMIT);
    size_t need = len;
    assert_in_range(need, 5, sizeof(bytes));
    len = need - 1;
    assert_int_equal(cleat_session_store_export(store, world.now_ms, bytes, &len), CLEAT_ERR_LIMIT);
    assert_int_equal(cleat_session_store_export(store, world.now_ms, bytes, &len), CLEAT_OK);
    assert_int_equal(len, need);
    return len;
}

static void test_a_store_comes_back_from_its_bytes_in_the_same_order(void **state)
{
    struct cleat_session_store *store = a_store(10);
    struct cleat_session_store *back = a_store(10);
    struct cleat_tls_session *last = a_session(CLEAT_TLS_1_3);
    put(store, "a", CLEAT_TLS_1_2);
    put(store, "b", CLEAT_TLS_1_3);
    assert_int_equal(cleat_session_store_put(store, "b", last), CLEAT_OK);
    size_t len = exported(store);
    assert_int_equal(cleat_session_store_import(back, bytes, len, world.now_ms), CLEAT_OK);
    assert_int_equal(cleat_session_store_num(back), 3);
    struct cleat_tls_session *first = cleat_session_store_take(back, "b", world.now_ms);
    assert_int_equal(first->ticket.len, last->ticket.len);
    assert_memory_equal(first->ticket.p, last->ticket.p, last->ticket.len);
    cleat_session_store_drop(back, last);
    assert_int_equal(cleat_session_store_num(back), 2);
    cleat_tls_session_free(first);
    cleat_tls_session_free(last);
    cleat_session_store_free(store);
    cleat_session_store_free(back);
}

static void test_damaged_bytes_add_nothing(void **state)
{
    struct cleat_session_store *store = a_store(10);
    struct cleat_session_store *back = a_store(10);
    put(store, "a", CLEAT_TLS_1_2);
    put(store, "b", CLEAT_TLS_1_3);
    size_t len = exported(store);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(cleat_session_store_import(back, bytes, i, world.now_ms),
                         CLEAT_ERR_DECODE);
    }
    bytes[len] = 0;
    assert_int_equal(cleat_session_store_import(back, bytes, len + 1, world.now_ms),
                     CLEAT_ERR_DECODE);
    bytes[0]++;
    assert_int_equal(cleat_session_store_import(back, bytes, len, world.now_ms), CLEAT_ERR_DECODE);
    assert_int_equal(cleat_session_store_num(back), 0);
    cleat_session_store_free(store);
    cleat_session_store_free(back);
}

static void test_names_and_bounds_that_cannot_be_are_refused(void **state)
{
    struct cleat_session_store *store = a_store(1);
    struct cleat_tls_session *session = a_session(CLEAT_TLS_1_3);
    char name[513];
    memset(name, 'a', 512);
    name[512] = '\0';
    assert_int_equal(cleat_session_store_put(store, name, session), CLEAT_ERR_USAGE);
    name[511] = '\0';
    assert_int_equal(cleat_session_store_put(store, name, session), CLEAT_OK);
    cleat_session_store_free(store);
    assert_int_equal(cleat_session_store_new(0, &store), CLEAT_ERR_BAD_CONFIG);
    assert_int_equal(cleat_session_store_new(100001, &store), CLEAT_ERR_BAD_CONFIG);
    cleat_session_store_free(NULL);
    cleat_tls_session_free(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_ticket_of_13_is_taken_once_and_one_of_12_stays),
        cmocka_unit_test(test_the_newest_of_a_name_comes_first_and_four_are_kept),
        cmocka_unit_test(test_the_store_is_bounded_and_the_least_used_goes),
        cmocka_unit_test(test_what_has_expired_is_dropped),
        cmocka_unit_test(test_a_store_comes_back_from_its_bytes_in_the_same_order),
        cmocka_unit_test(test_damaged_bytes_add_nothing),
        cmocka_unit_test(test_names_and_bounds_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
