/* tests/tls/support_early.c - see support_early.h. */
#include "tls/support_early.h"

#include <string.h>

struct cleat_ticket_keys *test_early_keys;
struct cleat_strike_register *test_early_register;

int test_early_setup(void **state)
{
    int r = test_world_setup(state);
    assert_int_equal(cleat_ticket_keys_new(3600, &test_early_keys), CLEAT_OK);
    return r;
}

int test_early_teardown(void **state)
{
    cleat_ticket_keys_free(test_early_keys);
    cleat_strike_register_free(test_early_register);
    test_early_register = NULL;
    return test_world_teardown(state);
}

int test_early_fresh(void **state)
{
    (void)state;
    world.now_ms = TEST_NOW_MS;
    cleat_strike_register_free(test_early_register);
    assert_int_equal(cleat_strike_register_new(1024, TEST_NOW_MS - 3600000, &test_early_register),
                     CLEAT_OK);
    return 0;
}

struct cleat_tls_builder *test_late_server(void)
{
    struct cleat_tls_builder *b = test_server_builder();
    assert_int_equal(cleat_tls_builder_tickets(b, test_early_keys, 1), CLEAT_OK);
    return b;
}

struct cleat_tls_builder *test_early_server(uint32_t max)
{
    struct cleat_tls_builder *b = test_late_server();
    struct cleat_strike strike = cleat_strike_of_register(test_early_register);
    assert_int_equal(cleat_tls_builder_early_data(b, &strike, max, 0), CLEAT_OK);
    return b;
}

struct cleat_tls_session *test_early_session_with(struct cleat_tls_builder *c,
                                                  struct cleat_tls_builder *s)
{
    return test_session_of(test_finish(c), test_finish(s), "localhost");
}

struct cleat_tls_session *test_early_session(void)
{
    return test_early_session_with(test_client_builder(), test_early_server(0));
}

void test_early_begin(struct test_pair *p, struct cleat_tls_builder *c, struct cleat_tls_builder *s,
                      struct cleat_tls_session *session, const void *data, size_t len)
{
    struct cl_buf out = {0};
    test_pair_make(p, test_finish(c), test_finish(s), session);
    assert_int_equal(cleat_tls_offer_early_data(p->client.tls), CLEAT_OK);
    assert_int_equal(cleat_tls_early_data_room(p->client.tls), 0);
    test_end_step(&p->client, &out, 0);
    assert_int_equal(p->client.next, CLEAT_TLS_NEEDS_INPUT);
    assert_int_equal(cleat_tls_early_data_status(p->client.tls), CLEAT_EARLY_DATA_OFFERED);
    test_end_feed(&p->server, out.p, out.len);
    cl_buf_deinit(&out);
    test_write(&p->client, &p->server, data, len);
}

void test_early_run(struct test_pair *p, struct cleat_tls_builder *c, struct cleat_tls_builder *s,
                    struct cleat_tls_session *session, const char *text)
{
    test_early_begin(p, c, s, session, text, strlen(text));
    test_pair_run(p);
}

void test_assert_early(const struct test_pair *p, enum cleat_early_data want, size_t len)
{
    test_assert_ready(p);
    assert_int_equal(cleat_tls_early_data_status(p->client.tls), want);
    assert_int_equal(cleat_tls_early_data_status(p->server.tls), want);
    assert_int_equal(test_info(&p->client).early_data, want);
    assert_int_equal(test_info(&p->server).early_data, want);
    assert_int_equal(p->server.num_early, len);
    assert_int_equal(p->server.data.len, len);
}
