/* tests/tls/test_early.c - early data that follows the rules: taken once, fresh, up to its limit;
 * or refused for a reason that is told, and the connection goes on. */
#include <string.h>

#include "tls/conn.h"
#include "tls/support_early.h"

static const char text[] = "GET / HTTP/1.1\r\n\r\n";
#define TEXT_LEN (sizeof(text) - 1)

/* ---- accepted ---- */

static void test_early_data_arrives_before_the_handshake_ends(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    struct cl_buf out = {0};
    test_early_begin(&p, test_client_builder(), test_early_server(0), session, text, TEXT_LEN);
    test_end_step(&p.server, &out, 0);
    assert_int_equal(p.server.next, CLEAT_TLS_NEEDS_INPUT);
    assert_int_equal(p.server.num_early, TEXT_LEN);
    assert_memory_equal(p.server.data.p, text, TEXT_LEN);
    struct cleat_tls_info info = test_info(&p.server);
    assert_true(info.resumed);
    assert_int_equal(info.early_data, CLEAT_EARLY_DATA_ACCEPTED);
    test_end_feed(&p.client, out.p, out.len);
    test_pair_run(&p);
    test_assert_early(&p, CLEAT_EARLY_DATA_ACCEPTED, TEXT_LEN);
    assert_int_equal(test_count_messages(&p.client, true, 5), 1);
    assert_false(cleat_tls_early_data_may_resend(p.client.tls));
    assert_int_equal(cleat_tls_early_data_room(p.client.tls), 0);
    assert_true(test_log_has(&p.server, "early data"));
    test_assert_echo(&p);
    cl_buf_deinit(&out);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

/* Half a round trip: the answer is there together with the server's Finished. */
static void test_a_server_answers_before_the_clients_finished(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    struct cl_buf out = {0};
    test_early_begin(&p, test_client_builder(), test_early_server(0), session, text, TEXT_LEN);
    test_end_step(&p.server, &out, 0);
    test_end_feed(&p.client, out.p, out.len);
    assert_int_equal(p.server.next, CLEAT_TLS_NEEDS_INPUT);
    test_write(&p.server, &p.client, "200", 3);
    out.len = 0;
    test_end_step(&p.client, &out, 0);
    assert_int_equal(p.client.next, CLEAT_TLS_READY);
    assert_int_equal(p.client.data.len, 3);
    assert_memory_equal(p.client.data.p, "200", 3);
    test_end_feed(&p.server, out.p, out.len);
    test_pair_run(&p);
    test_assert_early(&p, CLEAT_EARLY_DATA_ACCEPTED, TEXT_LEN);
    test_assert_echo(&p);
    cl_buf_deinit(&out);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_a_server_may_not_write_before_early_data_or_ready(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    uint8_t room[600];
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    size_t written;
    struct cl_buf out = {0};
    test_pair_make(&p, test_client_config(), test_finish(test_early_server(0)), session);
    test_end_step(&p.client, &out, 0);
    assert_int_equal(cleat_tls_write(p.client.tls, &io, room, 1, &written), CLEAT_ERR_USAGE);
    test_end_feed(&p.server, out.p, out.len);
    out.len = 0;
    test_end_step(&p.server, &out, 0);
    assert_int_equal(cleat_tls_write(p.server.tls, &io, room, 1, &written), CLEAT_ERR_USAGE);
    assert_int_equal(io.out_len, 0);
    cl_buf_deinit(&out);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_early_data_may_be_streamed_until_the_servers_finished(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    struct cl_buf out = {0};
    test_early_begin(&p, test_client_builder(), test_early_server(0), session, text, TEXT_LEN);
    test_end_step(&p.server, &out, 0);
    /* ServerHello alone, the rest later: the client is in the middle of its handshake */
    size_t hello = 5U + (size_t)out.p[3] * 256 + out.p[4];
    test_end_feed(&p.client, out.p, hello);
    cl_buf_drop(&out, hello);
    struct cl_buf more = {0};
    test_end_step(&p.client, &more, 0);
    assert_int_equal(p.client.next, CLEAT_TLS_NEEDS_INPUT);
    assert_int_equal(more.len, 0);
    assert_int_equal(cleat_tls_early_data_room(p.client.tls), CLEAT_EARLY_DATA_SIZE - TEXT_LEN);
    test_write(&p.client, &p.server, "more", 4);
    test_end_feed(&p.client, out.p, out.len);
    test_pair_run(&p);
    test_assert_early(&p, CLEAT_EARLY_DATA_ACCEPTED, TEXT_LEN + 4);
    assert_memory_equal(p.server.data.p + TEXT_LEN, "more", 4);
    test_assert_echo(&p);
    cl_buf_deinit(&out);
    cl_buf_deinit(&more);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_accepted_without_any_data(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    test_early_run(&p, test_client_builder(), test_early_server(0), session, "");
    test_assert_early(&p, CLEAT_EARLY_DATA_ACCEPTED, 0);
    test_assert_echo(&p);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_any_cut_of_the_stream_and_little_room_make_no_difference(void **state)
{
    static const struct {
        size_t chunk;
        size_t out_cap;
    } rows[] = {{1, 0}, {7, 0}, {100, 512}, {0, 512}};
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_session *session = test_early_session();
        struct test_pair p;
        test_early_begin(&p, test_client_builder(), test_early_server(0), session, text, TEXT_LEN);
        struct cl_buf flight = p.server.in;
        p.server.in = (struct cl_buf){0};
        for (size_t at = 0; at < flight.len; at++) {
            struct cl_buf out = {0};
            test_end_feed(&p.server, flight.p + at, 1);
            test_end_step(&p.server, &out, rows[i].out_cap);
            test_end_feed(&p.client, out.p, out.len);
            cl_buf_deinit(&out);
        }
        p.chunk = rows[i].chunk;
        p.out_cap = rows[i].out_cap;
        test_pair_run(&p);
        test_assert_early(&p, CLEAT_EARLY_DATA_ACCEPTED, TEXT_LEN);
        cl_buf_deinit(&flight);
        test_pair_drop(&p);
        cleat_tls_session_free(session);
    }
}

static void test_every_suite_carries_early_data(void **state)
{
    static const char *const suites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                         "TLS_CHACHA20_POLY1305_SHA256"};
    for (size_t i = 0; i < TEST_LEN(suites); i++) {
        struct cleat_tls_builder *c = test_client_builder();
        assert_int_equal(cleat_tls_builder_ciphers(c, suites[i]), CLEAT_OK);
        struct cleat_tls_session *session = test_early_session_with(c, test_early_server(0));
        struct test_pair p;
        test_early_run(&p, test_client_builder(), test_early_server(0), session, text);
        test_assert_early(&p, CLEAT_EARLY_DATA_ACCEPTED, TEXT_LEN);
        assert_string_equal(test_info(&p.server).cipher_name, suites[i]);
        test_pair_drop(&p);
        cleat_tls_session_free(session);
    }
}

static void test_both_ends_log_and_export_the_same(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    struct cl_buf out = {0};
    uint8_t ours[40];
    uint8_t theirs[40];
    uint8_t normal[40];
    test_early_begin(&p, test_client_builder(), test_early_server(0), session, text, TEXT_LEN);
    test_end_step(&p.server, &out, 0);
    assert_int_equal(
        cleat_tls_export_early(p.client.tls, "EXPORTER-test", NULL, 0, ours, sizeof(ours)),
        CLEAT_OK);
    assert_int_equal(
        cleat_tls_export_early(p.server.tls, "EXPORTER-test", NULL, 0, theirs, sizeof(theirs)),
        CLEAT_OK);
    assert_memory_equal(ours, theirs, sizeof(ours));
    assert_int_equal(cleat_tls_export_early(p.server.tls, "x", NULL, 0, ours, 0), CLEAT_ERR_USAGE);
    test_end_feed(&p.client, out.p, out.len);
    test_pair_run(&p);
    test_assert_early(&p, CLEAT_EARLY_DATA_ACCEPTED, TEXT_LEN);
    static const char *const labels[] = {"CLIENT_EARLY_TRAFFIC_SECRET", "EARLY_EXPORTER_SECRET"};
    for (size_t i = 0; i < TEST_LEN(labels); i++) {
        const struct cl_secret *a = test_secret(&p.client, labels[i]);
        const struct cl_secret *b = test_secret(&p.server, labels[i]);
        assert_int_equal(a->len, 32);
        assert_memory_equal(a->bytes, b->bytes, 32);
    }
    assert_int_equal(
        cleat_tls_export(p.client.tls, "EXPORTER-test", NULL, 0, normal, sizeof(normal)), CLEAT_OK);
    assert_memory_not_equal(normal, theirs, sizeof(normal));
    assert_int_equal(
        cleat_tls_export_early(p.client.tls, "EXPORTER-test", NULL, 0, ours, sizeof(ours)),
        CLEAT_ERR_USAGE);
    cl_buf_deinit(&out);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_a_renewed_ticket_carries_early_data_again(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    for (int i = 0; i < 3; i++) {
        struct test_pair p;
        test_early_run(&p, test_client_builder(), test_early_server(0), session, text);
        test_assert_early(&p, CLEAT_EARLY_DATA_ACCEPTED, TEXT_LEN);
        cleat_tls_session_free(session);
        session = cleat_tls_take_session(p.client.tls);
        assert_non_null(session);
        test_pair_drop(&p);
    }
    cleat_tls_session_free(session);
}

static void test_a_stored_session_keeps_what_early_data_needs(void **state)
{
    static const char *const h1[] = {"http/1.1"};
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_early_server(1000);
    assert_int_equal(cleat_tls_builder_alpn(c, h1, 1), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_alpn(s, h1, 1), CLEAT_OK);
    struct cleat_tls_session *session = test_early_session_with(c, s);
    struct cleat_tls_session *copy = NULL;
    uint8_t bytes[8192];
    size_t len = sizeof(bytes);
    assert_int_equal(cleat_tls_session_export(session, bytes, &len), CLEAT_OK);
    assert_int_equal(cleat_tls_session_import(bytes, len, &copy), CLEAT_OK);
    assert_int_equal(copy->early_max, 1000);
    struct test_pair p;
    c = test_client_builder();
    s = test_early_server(1000);
    assert_int_equal(cleat_tls_builder_alpn(c, h1, 1), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_alpn(s, h1, 1), CLEAT_OK);
    test_early_run(&p, c, s, copy, text);
    test_assert_early(&p, CLEAT_EARLY_DATA_ACCEPTED, TEXT_LEN);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
    cleat_tls_session_free(copy);
}

/* ---- who may offer it ---- */

static void assert_not_offered(struct cleat_tls_session *session, struct cleat_tls_builder *c)
{
    struct test_pair p;
    test_pair_make(&p, test_finish(c), test_finish(test_early_server(0)), session);
    assert_int_equal(cleat_tls_offer_early_data(p.client.tls), CLEAT_ERR_USAGE);
    test_pair_run(&p);
    test_assert_early(&p, CLEAT_EARLY_DATA_NONE, 0);
    test_assert_echo(&p);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_nothing_is_offered_that_the_session_does_not_allow(void **state)
{
    assert_not_offered(NULL, test_client_builder());
    assert_not_offered(test_early_session_with(test_client_builder(), test_late_server()),
                       test_client_builder());
    struct cleat_tls_session *session = test_early_session();
    session->binding[0] ^= 1;
    assert_not_offered(session, test_client_builder());
    session = test_early_session();
    assert_int_equal(cl_buf_append(&session->alpn, "h2", 2, 10), CL_OK);
    assert_not_offered(session, test_client_builder());
    session = test_early_session();
    world.now_ms += 3600000;
    assert_not_offered(session, test_client_builder());
}

static void test_it_is_offered_before_the_first_step_and_by_clients_only(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    test_pair_make(&p, test_client_config(), test_finish(test_early_server(0)), session);
    assert_int_equal(cleat_tls_offer_early_data(p.server.tls), CLEAT_ERR_USAGE);
    struct cl_buf out = {0};
    test_end_step(&p.client, &out, 0);
    assert_int_equal(cleat_tls_offer_early_data(p.client.tls), CLEAT_ERR_USAGE);
    cl_buf_deinit(&out);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_a_session_that_is_not_offered_early_data_for_is_as_before(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    test_pair_make(&p, test_client_config(), test_finish(test_early_server(0)), session);
    test_pair_run(&p);
    test_assert_early(&p, CLEAT_EARLY_DATA_NONE, 0);
    assert_true(test_info(&p.server).resumed);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_configurations_that_make_no_sense_are_refused(void **state)
{
    static const struct {
        enum cleat_role role;
        bool use;
        uint32_t max;
        uint32_t window;
    } rows[] = {
        {CLEAT_CLIENT, true, 0, 0},
        {CLEAT_SERVER, false, 0, 0},
        {CLEAT_SERVER, true, 16777217, 0},
        {CLEAT_SERVER, true, 0, 60001},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *b;
        struct cleat_strike strike = cleat_strike_of_register(test_early_register);
        assert_int_equal(cleat_tls_builder_new(rows[i].role, &b), CLEAT_OK);
        strike.use = rows[i].use ? strike.use : NULL;
        assert_int_equal(cleat_tls_builder_early_data(b, &strike, rows[i].max, rows[i].window),
                         CLEAT_ERR_BAD_CONFIG);
        cleat_tls_builder_free(b);
    }
}

/* ---- limits ---- */

static void test_a_client_writes_no_more_than_the_ticket_allows(void **state)
{
    struct cleat_tls_session *session =
        test_early_session_with(test_client_builder(), test_early_server(5000));
    struct test_pair p;
    uint8_t big[6000] = {0};
    uint8_t out[8000];
    struct cleat_tls_io io = {.out = out, .out_cap = sizeof(out)};
    size_t written;
    assert_int_equal(session->early_max, 5000);
    test_early_begin(&p, test_client_builder(), test_early_server(5000), session, "", 0);
    assert_int_equal(cleat_tls_early_data_room(p.client.tls), 5000);
    assert_int_equal(cleat_tls_write(p.client.tls, &io, big, sizeof(big), &written), CLEAT_OK);
    assert_int_equal(written, 5000);
    assert_int_equal(cleat_tls_early_data_room(p.client.tls), 0);
    assert_int_equal(cleat_tls_write(p.client.tls, &io, big, 1, &written), CLEAT_OK);
    assert_int_equal(written, 0);
    test_end_feed(&p.server, out, io.out_len);
    test_pair_run(&p);
    test_assert_early(&p, CLEAT_EARLY_DATA_ACCEPTED, 5000);
    test_assert_echo(&p);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_a_server_takes_no_more_than_the_ticket_allows(void **state)
{
    uint8_t big[CLEAT_EARLY_DATA_SIZE + 1] = {0};
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    session->early_max++;
    test_early_begin(&p, test_client_builder(), test_early_server(0), session, big, sizeof(big));
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_TOO_MUCH_EARLY_DATA, 10);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

/* ---- refused ---- */

/* The connection goes on as if none had been sent, and the same can be sent again. */
static void assert_refused(struct test_pair *p, const char *why)
{
    test_assert_early(p, CLEAT_EARLY_DATA_REJECTED, 0);
    if (!test_log_has(&p->server, why)) {
        fail_msg("not told: %s", why);
    }
    assert_int_equal(test_count_messages(&p->client, true, 5), 0);
    assert_true(cleat_tls_early_data_may_resend(p->client.tls));
    assert_int_equal(cleat_tls_early_data_room(p->client.tls), 0);
    test_assert_echo(p);
    test_pair_drop(p);
}

static void test_refused_where_it_is_off(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    test_early_run(&p, test_client_builder(), test_late_server(), session, text);
    assert_true(test_info(&p.server).resumed);
    assert_refused(&p, "early data is off here");
    cleat_tls_session_free(session);
}

static void test_refused_with_a_full_handshake(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    session->ticket.p[0] ^= 1;
    test_early_run(&p, test_client_builder(), test_early_server(0), session, text);
    assert_false(test_info(&p.server).resumed);
    assert_refused(&p, "no ticket was taken");
    cleat_tls_session_free(session);
}

static void test_refused_with_a_client_that_must_show_its_certificate(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct cleat_tls_builder *s = test_early_server(0);
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
    assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                     CLEAT_OK);
    test_early_run(&p, c, s, session, text);
    assert_true(test_info(&p.server).peer_authenticated);
    assert_refused(&p, "no ticket was taken");
    cleat_tls_session_free(session);
}

static void test_refused_when_the_ticket_promises_none(void **state)
{
    struct cleat_tls_session *session =
        test_early_session_with(test_client_builder(), test_late_server());
    struct test_pair p;
    session->early_max = 100;
    test_early_run(&p, test_client_builder(), test_early_server(0), session, text);
    assert_refused(&p, "the ticket does not allow it");
    cleat_tls_session_free(session);
}

static void test_refused_when_the_limit_was_lowered(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    test_early_run(&p, test_client_builder(), test_early_server(100), session, text);
    assert_refused(&p, "more than the configuration now does");
    cleat_tls_session_free(session);
}

static void test_refused_when_the_protocol_changes(void **state)
{
    static const char *const both[] = {"http/1.1", "h2"};
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_early_server(0);
    assert_int_equal(cleat_tls_builder_alpn(c, both, 1), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_alpn(s, both, 2), CLEAT_OK);
    struct cleat_tls_session *session = test_early_session_with(c, s);
    c = test_client_builder();
    s = test_early_server(0);
    assert_int_equal(cleat_tls_builder_alpn(c, both + 1, 1), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_alpn(s, both, 2), CLEAT_OK);
    struct cleat_tls_config *config = test_finish(c);
    struct test_pair p;
    cl_session_binding(config, "localhost", session->binding);
    session->alpn.len = 0;
    assert_int_equal(cl_buf_append(&session->alpn, "h2", 2, 10), CL_OK);
    test_pair_make(&p, config, test_finish(s), session);
    assert_int_equal(cleat_tls_offer_early_data(p.client.tls), CLEAT_OK);
    test_pair_run(&p);
    assert_refused(&p, "another application protocol");
    cleat_tls_session_free(session);
}

static void test_nothing_may_be_resent_under_another_protocol(void **state)
{
    static const char *const both[] = {"h2", "http/1.1"};
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_early_server(0);
    assert_int_equal(cleat_tls_builder_alpn(c, both, 2), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_alpn(s, both, 1), CLEAT_OK);
    struct cleat_tls_session *session = test_early_session_with(c, s);
    struct test_pair p;
    c = test_client_builder();
    s = test_early_server(0);
    assert_int_equal(cleat_tls_builder_alpn(c, both, 2), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_alpn(s, both + 1, 1), CLEAT_OK);
    test_early_run(&p, c, s, session, text);
    test_assert_early(&p, CLEAT_EARLY_DATA_REJECTED, 0);
    assert_false(cleat_tls_early_data_may_resend(p.client.tls));
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_refused_by_a_hello_retry_request(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct cleat_tls_builder *s = test_early_server(0);
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_groups(s, "P-256"), CLEAT_OK);
    test_early_run(&p, test_client_builder(), s, session, text);
    assert_true(test_info(&p.server).hello_retry);
    assert_true(test_info(&p.server).resumed);
    assert_refused(&p, "a HelloRetryRequest is needed");
    cleat_tls_session_free(session);
}

/* ---- freshness ---- */

static void age(int64_t off, enum cleat_early_data want)
{
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    world.now_ms += 100000;
    session->received_ms = (uint64_t)((int64_t)session->received_ms + off);
    test_early_run(&p, test_client_builder(), test_early_server(0), session, text);
    test_assert_early(&p, want, want == CLEAT_EARLY_DATA_ACCEPTED ? TEXT_LEN : 0);
    assert_int_equal(test_log_has(&p.server, "age is not what the client says"),
                     want == CLEAT_EARLY_DATA_REJECTED);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_an_age_that_is_off_by_more_than_the_window_is_refused(void **state)
{
    age(0, CLEAT_EARLY_DATA_ACCEPTED);
    age(10000, CLEAT_EARLY_DATA_ACCEPTED);
    age(10001, CLEAT_EARLY_DATA_REJECTED);
    age(-10000, CLEAT_EARLY_DATA_ACCEPTED);
    age(-10001, CLEAT_EARLY_DATA_REJECTED);
    age(90000, CLEAT_EARLY_DATA_REJECTED);
}

/* What was kept back on the way. */
static void delayed(uint64_t ms, enum cleat_early_data want)
{
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    world.now_ms += 100000;
    test_early_begin(&p, test_client_builder(), test_early_server(0), session, text, TEXT_LEN);
    world.now_ms += ms;
    test_pair_run(&p);
    test_assert_early(&p, want, want == CLEAT_EARLY_DATA_ACCEPTED ? TEXT_LEN : 0);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_a_hello_that_comes_late_is_refused(void **state)
{
    delayed(10000, CLEAT_EARLY_DATA_ACCEPTED);
    delayed(10001, CLEAT_EARLY_DATA_REJECTED);
}

/* ---- single use ---- */

static struct cl_buf recorded(struct cleat_tls_session *session)
{
    struct test_pair p;
    struct cl_buf flight = {0};
    test_early_begin(&p, test_client_builder(), test_early_server(0), session, text, TEXT_LEN);
    assert_int_equal(cl_buf_append(&flight, p.server.in.p, p.server.in.len, SIZE_MAX / 2), CL_OK);
    test_pair_drop(&p);
    return flight;
}

/* One more server is shown the recorded flight. Returns how many bytes of early data it took. */
static size_t replay(const struct cl_buf *flight, struct cleat_tls_builder *s, const char *why)
{
    struct test_pair p;
    struct cl_buf out = {0};
    test_pair_make(&p, test_client_config(), test_finish(s), NULL);
    test_end_feed(&p.server, flight->p, flight->len);
    test_end_step(&p.server, &out, 0);
    assert_int_equal(p.server.next, CLEAT_TLS_NEEDS_INPUT);
    size_t len = p.server.num_early;
    assert_int_equal(cleat_tls_early_data_status(p.server.tls),
                     len != 0 ? CLEAT_EARLY_DATA_ACCEPTED : CLEAT_EARLY_DATA_REJECTED);
    assert_int_equal(p.server.data.len, len);
    assert_true(test_log_has(&p.server, why));
    cl_buf_deinit(&out);
    test_pair_drop(&p);
    return len;
}

static void test_a_replay_is_refused_for_as_long_as_it_is_fresh(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct cl_buf flight = recorded(session);
    uint64_t then = world.now_ms;
    assert_int_equal(replay(&flight, test_early_server(0), "not seen before"), TEXT_LEN);
    for (uint64_t ms = 0; ms <= 10000; ms += 1000) {
        world.now_ms = then + ms;
        assert_int_equal(replay(&flight, test_early_server(0), "a replay"), 0);
    }
    world.now_ms = then + 10001;
    assert_int_equal(replay(&flight, test_early_server(0), "age is not"), 0);
    cl_buf_deinit(&flight);
    cleat_tls_session_free(session);
}

static void test_one_ticket_carries_early_data_of_two_connections(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    for (int i = 0; i < 2; i++) {
        struct cl_buf flight = recorded(session);
        assert_int_equal(replay(&flight, test_early_server(0), "not seen before"), TEXT_LEN);
        cl_buf_deinit(&flight);
    }
    cleat_tls_session_free(session);
}

static void test_a_server_that_has_just_started_refuses(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    cleat_strike_register_free(test_early_register);
    assert_int_equal(cleat_strike_register_new(16, world.now_ms, &test_early_register), CLEAT_OK);
    struct cl_buf flight = recorded(session);
    world.now_ms += 10000;
    assert_int_equal(replay(&flight, test_early_server(0), "cannot be told"), 0);
    cl_buf_deinit(&flight);
    world.now_ms += 1;
    flight = recorded(session);
    assert_int_equal(replay(&flight, test_early_server(0), "not seen before"), TEXT_LEN);
    cl_buf_deinit(&flight);
    cleat_tls_session_free(session);
}

static void test_a_full_register_refuses(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    cleat_strike_register_free(test_early_register);
    assert_int_equal(cleat_strike_register_new(16, 0, &test_early_register), CLEAT_OK);
    for (int i = 0; i < 17; i++) {
        struct cl_buf flight = recorded(session);
        assert_int_equal(
            replay(&flight, test_early_server(0), i < 16 ? "not seen before" : "cannot be told"),
            i < 16 ? TEXT_LEN : 0);
        cl_buf_deinit(&flight);
    }
    cleat_tls_session_free(session);
}

/* ---- a register elsewhere ---- */

static enum cleat_strike_answer say_later(void *ctx, const struct cleat_strike_query *query)
{
    *(struct cleat_strike_query *)ctx = *query;
    return CLEAT_STRIKE_LATER;
}

static void test_a_register_may_answer_later(void **state)
{
    static const struct {
        enum cleat_strike_answer answer;
        enum cleat_early_data want;
    } rows[] = {
        {CLEAT_STRIKE_FIRST, CLEAT_EARLY_DATA_ACCEPTED},
        {CLEAT_STRIKE_SEEN, CLEAT_EARLY_DATA_REJECTED},
        {CLEAT_STRIKE_REFUSED, CLEAT_EARLY_DATA_REJECTED},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_session *session = test_early_session();
        struct cleat_tls_builder *s = test_late_server();
        struct cleat_strike_query asked = {0};
        struct cleat_strike strike = {.use = say_later, .ctx = &asked};
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_early_data(s, &strike, 0, 0), CLEAT_OK);
        test_early_run(&p, test_client_builder(), s, session, text);
        assert_int_equal(p.server.next, CLEAT_TLS_NEEDS_DECISION);
        assert_int_equal(cleat_tls_decision(p.server.tls), CLEAT_DECIDE_EARLY_DATA);
        assert_ptr_equal(asked.user, &p.server);
        assert_int_equal(asked.now_ms, world.now_ms);
        assert_int_equal(asked.expires_ms, world.now_ms + 10000);
        assert_int_equal(asked.opens_ms, world.now_ms - 10000);
        assert_int_equal(cleat_tls_answer_strike(p.server.tls, CLEAT_STRIKE_LATER),
                         CLEAT_ERR_USAGE);
        assert_int_equal(cleat_tls_answer_strike(p.server.tls, rows[i].answer), CLEAT_OK);
        assert_int_equal(cleat_tls_answer_strike(p.server.tls, CLEAT_STRIKE_FIRST),
                         CLEAT_ERR_USAGE);
        test_pair_run(&p);
        test_assert_early(&p, rows[i].want,
                          rows[i].want == CLEAT_EARLY_DATA_ACCEPTED ? TEXT_LEN : 0);
        test_assert_echo(&p);
        test_pair_drop(&p);
        cleat_tls_session_free(session);
    }
}

static int num_released;

static void count_release(void *ctx)
{
    (void)ctx;
    num_released++;
}

static void test_a_register_is_released_with_its_configuration(void **state)
{
    struct cleat_strike strike = {.use = say_later, .release = count_release};
    num_released = 0;
    struct cleat_tls_builder *b = test_late_server();
    assert_int_equal(cleat_tls_builder_early_data(b, &strike, 0, 0), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_early_data(b, &strike, 0, 0), CLEAT_OK);
    assert_int_equal(num_released, 1);
    cleat_tls_config_free(test_finish(b));
    assert_int_equal(num_released, 2);
}

#define T(name) cmocka_unit_test_setup(name, test_early_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_early_data_arrives_before_the_handshake_ends),
        T(test_a_server_answers_before_the_clients_finished),
        T(test_a_server_may_not_write_before_early_data_or_ready),
        T(test_early_data_may_be_streamed_until_the_servers_finished),
        T(test_accepted_without_any_data),
        T(test_any_cut_of_the_stream_and_little_room_make_no_difference),
        T(test_every_suite_carries_early_data),
        T(test_both_ends_log_and_export_the_same),
        T(test_a_renewed_ticket_carries_early_data_again),
        T(test_a_stored_session_keeps_what_early_data_needs),
        T(test_nothing_is_offered_that_the_session_does_not_allow),
        T(test_it_is_offered_before_the_first_step_and_by_clients_only),
        T(test_a_session_that_is_not_offered_early_data_for_is_as_before),
        T(test_configurations_that_make_no_sense_are_refused),
        T(test_a_client_writes_no_more_than_the_ticket_allows),
        T(test_a_server_takes_no_more_than_the_ticket_allows),
        T(test_refused_where_it_is_off),
        T(test_refused_with_a_full_handshake),
        T(test_refused_with_a_client_that_must_show_its_certificate),
        T(test_refused_when_the_ticket_promises_none),
        T(test_refused_when_the_limit_was_lowered),
        T(test_refused_when_the_protocol_changes),
        T(test_nothing_may_be_resent_under_another_protocol),
        T(test_refused_by_a_hello_retry_request),
        T(test_an_age_that_is_off_by_more_than_the_window_is_refused),
        T(test_a_hello_that_comes_late_is_refused),
        T(test_a_replay_is_refused_for_as_long_as_it_is_fresh),
        T(test_one_ticket_carries_early_data_of_two_connections),
        T(test_a_server_that_has_just_started_refuses),
        T(test_a_full_register_refuses),
        T(test_a_register_may_answer_later),
        T(test_a_register_is_released_with_its_configuration),
    };
    return cmocka_run_group_tests(tests, test_early_setup, test_early_teardown);
}
