/* tests/tls/test_ech_early.c - early data beside Encrypted Client Hello (RFC 9849 6.1.1, 6.1.5):
 * taken by who decrypts, skipped by who does not, and never readable by either's name. */
#include <string.h>

#include "tls/conn.h"
#include "tls/support_early.h"
#include "tls/support_ech.h"

static const char text[] = "GET /secret HTTP/1.1\r\n\r\n";
#define TEXT_LEN (sizeof(text) - 1)

static struct test_ech key, other;
static const struct test_ech *const only_key[] = {&key};
static const struct test_ech *const only_other[] = {&other};

static int setup(void **state)
{
    const int r = test_early_setup(state);
    test_ech_make(&key, NULL, 7);
    test_ech_make(&other, NULL, 8);
    return r;
}

static int teardown(void **state)
{
    test_ech_drop(&key);
    test_ech_drop(&other);
    return test_early_teardown(state);
}

/* A server of both names that issues a ticket and takes early data. */
static struct cleat_tls_builder *server(const struct test_ech *const *keys)
{
    struct cleat_tls_builder *b = test_ech_server(keys, 1, 0);
    const struct cleat_strike strike = cleat_strike_of_register(test_early_register);
    assert_int_equal(cleat_tls_builder_tickets(b, test_early_keys, 1), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_early_data(b, &strike, 0, 0), CLEAT_OK);
    return b;
}

static struct cleat_tls_session *session_for_early_data(void)
{
    struct test_pair p;
    test_ech_pair(&p, test_ech_client(), server(only_key), &key, NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    struct cleat_tls_session *session = cleat_tls_take_session(p.client.tls);
    assert_non_null(session);
    assert_true(cleat_tls_session_early_data(session) != 0);
    test_pair_drop(&p);
    return session;
}

/* A client that has offered early data and written it, both to the server's input. */
static void begin(struct test_pair *p, struct cleat_tls_builder *s,
                  struct cleat_tls_session *session)
{
    struct cl_buf out = {0};
    test_ech_pair(p, test_ech_client(), s, &key, session);
    assert_int_equal(cleat_tls_offer_early_data(p->client.tls), CLEAT_OK);
    test_end_step(&p->client, &out, 0);
    assert_int_equal(p->client.next, CLEAT_TLS_NEEDS_INPUT);
    assert_int_equal(cleat_tls_early_data_status(p->client.tls), CLEAT_EARLY_DATA_OFFERED);
    assert_false(test_has_bytes(&out, TEST_ECH_HOST));
    test_end_feed(&p->server, out.p, out.len);
    test_write(&p->client, &p->server, text, TEXT_LEN);
    cl_buf_deinit(&out);
}

static void test_early_data_is_taken_with_the_inner_hello(void **state)
{
    struct cleat_tls_session *session = session_for_early_data();
    struct test_pair p;
    begin(&p, server(only_key), session);
    test_pair_run(&p);
    test_assert_early(&p, CLEAT_EARLY_DATA_ACCEPTED, TEXT_LEN);
    assert_memory_equal(p.server.data.p, text, TEXT_LEN);
    assert_int_equal(cleat_tls_ech_status(p.client.tls), CLEAT_ECH_ACCEPTED);
    assert_int_equal(cleat_tls_ech_status(p.server.tls), CLEAT_ECH_ACCEPTED);
    /* it is the inner ClientHello that the early secrets are made of, on both sides */
    const struct cl_secret *ours = test_secret(&p.client, "CLIENT_EARLY_TRAFFIC_SECRET");
    const struct cl_secret *theirs = test_secret(&p.server, "CLIENT_EARLY_TRAFFIC_SECRET");
    assert_memory_equal(ours->bytes, theirs->bytes, ours->len);
    test_assert_echo(&p);
    cleat_tls_session_free(session);
    test_pair_drop(&p);
}

static void test_early_data_is_taken_once_however_it_is_encrypted(void **state)
{
    struct cleat_tls_session *session = session_for_early_data();
    struct test_pair p, replay;
    begin(&p, server(only_key), session);
    struct cl_buf flight = {0};
    assert_int_equal(cl_buf_append(&flight, p.server.in.p, p.server.in.len, SIZE_MAX / 2), CL_OK);
    test_pair_run(&p);
    test_assert_early(&p, CLEAT_EARLY_DATA_ACCEPTED, TEXT_LEN);
    test_ech_pair(&replay, test_ech_client(), server(only_key), NULL, NULL);
    struct cl_buf out = {0};
    test_end_feed(&replay.server, flight.p, flight.len);
    test_end_step(&replay.server, &out, 0);
    assert_int_equal(cleat_tls_ech_status(replay.server.tls), CLEAT_ECH_ACCEPTED);
    assert_int_equal(cleat_tls_early_data_status(replay.server.tls), CLEAT_EARLY_DATA_REJECTED);
    assert_int_equal(replay.server.num_early, 0);
    assert_true(test_log_has(&replay.server, "a replay"));
    cl_buf_deinit(&flight);
    cl_buf_deinit(&out);
    cleat_tls_session_free(session);
    test_pair_drop(&p);
    test_pair_drop(&replay);
}

/* RFC 9849 6.1.2: in the outer ClientHello there is no PSK that the server could take. */
static void test_a_server_that_rejects_ech_skips_the_early_data(void **state)
{
    struct cleat_tls_session *session = session_for_early_data();
    struct test_pair p;
    begin(&p, server(only_other), session);
    test_pair_run(&p);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_ECH_REJECTED, 121);
    assert_int_equal(p.server.num_early, 0);
    assert_int_equal(cleat_tls_early_data_status(p.server.tls), CLEAT_EARLY_DATA_REJECTED);
    assert_int_equal(cleat_tls_early_data_status(p.client.tls), CLEAT_EARLY_DATA_REJECTED);
    /* nothing of it may be sent again on this connection, which is the public name's */
    assert_false(cleat_tls_early_data_may_resend(p.client.tls));
    assert_int_equal(cleat_tls_early_data_room(p.client.tls), 0);
    cleat_tls_session_free(session);
    test_pair_drop(&p);
}

static void test_after_a_retry_request_there_is_no_early_data_and_the_rest_goes_on(void **state)
{
    struct cleat_tls_session *session = session_for_early_data();
    struct cleat_tls_builder *s = server(only_key);
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_groups(s, "P-384"), CLEAT_OK);
    begin(&p, s, session);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_true(test_info(&p.server).hello_retry);
    assert_true(test_info(&p.server).resumed);
    assert_int_equal(p.server.num_early, 0);
    assert_int_equal(cleat_tls_early_data_status(p.client.tls), CLEAT_EARLY_DATA_REJECTED);
    assert_int_equal(cleat_tls_ech_status(p.client.tls), CLEAT_ECH_ACCEPTED);
    assert_int_equal(cleat_tls_ech_status(p.server.tls), CLEAT_ECH_ACCEPTED);
    assert_true(cleat_tls_early_data_may_resend(p.client.tls));
    assert_false(test_has_bytes(&p.to_server, TEST_ECH_HOST));
    test_assert_echo(&p);
    cleat_tls_session_free(session);
    test_pair_drop(&p);
}

static void test_after_a_retry_request_a_rejection_is_one_still(void **state)
{
    struct cleat_tls_session *session = session_for_early_data();
    struct cleat_tls_builder *s = server(only_other);
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_groups(s, "P-384"), CLEAT_OK);
    begin(&p, s, session);
    test_pair_run(&p);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_ECH_REJECTED, 121);
    assert_int_equal(p.server.num_early, 0);
    assert_false(cleat_tls_early_data_may_resend(p.client.tls));
    cleat_tls_session_free(session);
    test_pair_drop(&p);
}

#define T(f) cmocka_unit_test_setup(f, test_early_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_early_data_is_taken_with_the_inner_hello),
        T(test_early_data_is_taken_once_however_it_is_encrypted),
        T(test_a_server_that_rejects_ech_skips_the_early_data),
        T(test_after_a_retry_request_there_is_no_early_data_and_the_rest_goes_on),
        T(test_after_a_retry_request_a_rejection_is_one_still),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
