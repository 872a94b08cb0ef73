/* tests/tls/test_config_staples.c - a configuration like another one, with other OCSP responses. */
#include <string.h>

#include "cleat/tls_options.h"
#include "tls/support_tls.h"
#include "tls/wire.h"

static const uint8_t first[] = {0x30, 0x03, 0x0a, 0x01, 0x00};
static const uint8_t second[] = {0x30, 0x00};
static const uint8_t scts[] = {0, 9, 0, 3, 'a', 'b', 'c', 0, 2, 'd', 'e'};
static const uint16_t versions[] = {CLEAT_TLS_1_2, CLEAT_TLS_1_3};

static uint64_t now_ms;

static uint64_t test_now(void *ctx)
{
    (void)ctx;
    return now_ms;
}

static struct cleat_tls_config *with_staple(struct cleat_tls_config *config, const uint8_t *p,
                                            size_t len, uint64_t until_ms)
{
    const struct cleat_staple s = {.response = p, .len = len, .until_ms = until_ms};
    struct cleat_tls_config *out = NULL;
    assert_int_equal(cleat_tls_config_with_staples(config, &s, 1, &out), CLEAT_OK);
    return out;
}

/* A client of this version gets these bytes from this server; len 0: none. */
static void assert_stapled(struct cleat_tls_config *server, uint16_t version, const uint8_t *p,
                           size_t len)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair pair;
    size_t got;
    assert_int_equal(cleat_tls_builder_versions(c, version, version), CLEAT_OK);
    test_pair_make(&pair, test_finish(c), cleat_tls_config_ref(server), NULL);
    test_pair_run(&pair);
    test_assert_ready(&pair);
    const uint8_t *staple = cleat_tls_peer_staple(pair.client.tls, &got);
    assert_int_equal(got, len);
    assert_true(len == 0 || memcmp(staple, p, len) == 0);
    (void)cleat_tls_peer_scts(pair.client.tls, &got);
    assert_int_equal(got, sizeof(scts));
    test_assert_echo(&pair);
    test_pair_drop(&pair);
}

static struct cleat_tls_config *server(void)
{
    struct cleat_tls_builder *b = test_server_builder();
    now_ms = TEST_NOW_MS;
    cleat_tls_builder_clock(b, test_now, NULL);
    assert_int_equal(cleat_tls_builder_scts(b, scts, sizeof(scts)), CLEAT_OK);
    return test_finish(b);
}

static void test_a_response_comes_is_replaced_and_goes(void **state)
{
    struct cleat_tls_config *none = server();
    struct cleat_tls_config *one = with_staple(none, first, sizeof(first), 0);
    struct cleat_tls_config *two = with_staple(one, second, sizeof(second), 0);
    struct cleat_tls_config *gone = with_staple(two, NULL, 0, 0);
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        assert_stapled(none, versions[i], NULL, 0); /* what was there stays as it was */
        assert_stapled(one, versions[i], first, sizeof(first));
        assert_stapled(two, versions[i], second, sizeof(second));
        assert_stapled(gone, versions[i], NULL, 0);
    }
    cleat_tls_config_free(none);
    cleat_tls_config_free(one);
    cleat_tls_config_free(gone);
    assert_stapled(two, CLEAT_TLS_1_3, second, sizeof(second)); /* whichever goes first */
    cleat_tls_config_free(two);
}

static void test_a_response_is_not_sent_from_its_end_on(void **state)
{
    struct cleat_tls_config *none = server();
    const uint64_t start = now_ms;
    struct cleat_tls_config *one = with_staple(none, first, sizeof(first), start + 5000);
    cleat_tls_config_free(none);
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        now_ms = start + 4999;
        assert_stapled(one, versions[i], first, sizeof(first));
        now_ms = start + 5000;
        assert_stapled(one, versions[i], NULL, 0);
    }
    /* the end goes along to the next generation, which changes nothing */
    struct cleat_tls_config *same = NULL;
    assert_int_equal(cleat_tls_config_with_staples(one, NULL, 0, &same), CLEAT_OK);
    assert_stapled(same, CLEAT_TLS_1_3, NULL, 0);
    now_ms = start;
    assert_stapled(same, CLEAT_TLS_1_3, first, sizeof(first));
    cleat_tls_config_free(same);
    cleat_tls_config_free(one);
}

static void test_a_session_goes_on_under_another_response(void **state)
{
    struct cleat_ticket_keys *keys;
    struct cleat_tls_builder *b = test_server_builder();
    struct cleat_tls_session *session;
    struct test_pair p;
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_tickets(b, keys, 1), CLEAT_OK);
    cleat_ticket_keys_free(keys);
    struct cleat_tls_config *none = test_finish(b);
    struct cleat_tls_config *client = test_client_config();
    test_pair_make(&p, cleat_tls_config_ref(client), cleat_tls_config_ref(none), NULL);
    test_pair_run(&p);
    session = cleat_tls_take_session(p.client.tls);
    assert_non_null(session);
    test_pair_drop(&p);
    struct cleat_tls_config *one = with_staple(none, first, sizeof(first), 0);
    cleat_tls_config_free(none);
    test_pair_make(&p, client, one, session);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_true(test_info(&p.client).resumed);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_what_names_no_certificate_or_is_too_long_is_refused(void **state)
{
    static const uint8_t bytes[65532] = {0};
    const struct cleat_staple rows[] = {
        {.credential = 1, .response = first, .len = sizeof(first)},
        {.credential = SIZE_MAX, .response = first, .len = sizeof(first)},
        {.credential = 0, .response = NULL, .len = 1},
        {.credential = 0, .response = bytes, .len = sizeof(bytes)},
    };
    struct cleat_tls_config *config = server();
    struct cleat_tls_config *out = NULL;
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        assert_int_equal(cleat_tls_config_with_staples(config, &rows[i], 1, &out), CLEAT_ERR_USAGE);
        assert_null(out);
    }
    /* the timestamps go into the same 16-bit length */
    const struct cleat_staple full = {.response = bytes, .len = sizeof(bytes) - 1};
    assert_int_equal(cleat_tls_config_with_staples(config, &full, 1, &out), CLEAT_ERR_LIMIT);
    assert_null(out);
    struct cleat_tls_config *longest = with_staple(config, bytes, 65000, 0);
    assert_stapled(longest, CLEAT_TLS_1_2, bytes, 65000);
    assert_stapled(longest, CLEAT_TLS_1_3, bytes, 65000);
    cleat_tls_config_free(longest);
    assert_non_null(cleat_tls_config_chain(config, 0));
    assert_null(cleat_tls_config_chain(config, 1));
    cleat_tls_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_response_comes_is_replaced_and_goes),
        cmocka_unit_test(test_a_response_is_not_sent_from_its_end_on),
        cmocka_unit_test(test_a_session_goes_on_under_another_response),
        cmocka_unit_test(test_what_names_no_certificate_or_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
