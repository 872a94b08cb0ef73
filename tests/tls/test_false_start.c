/* tests/tls/test_false_start.c - data of a client behind its own Finished (RFC 7918), TLS 1.2. */
#include <string.h>

#include "cleat/tls_options.h"
#include "tls/hs.h"
#include "tls/support_tls.h"

static struct cleat_tls_builder *client(enum cleat_false_start mode, bool alpn)
{
    static const char *const protocols[] = {"http/1.1"};
    struct cleat_tls_builder *b = test_client_builder();
    cleat_tls_builder_false_start(b, mode);
    assert_int_equal(cleat_tls_builder_versions(b, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_alpn(b, protocols, alpn ? 1 : 0), CLEAT_OK);
    return b;
}

static struct cleat_tls_builder *server(void)
{
    static const char *const protocols[] = {"http/1.1"};
    struct cleat_tls_builder *b = test_server_builder();
    assert_int_equal(cleat_tls_builder_alpn(b, protocols, 1), CLEAT_OK);
    return b;
}

/* Up to the client's second flight, which is left in *flight; the server has not seen it. */
static void run_to_second_flight(struct test_pair *p, struct cl_buf *flight)
{
    struct cl_buf to_client = {0};
    test_end_step(&p->client, flight, 0);
    test_end_feed(&p->server, flight->p, flight->len);
    flight->len = 0;
    test_end_step(&p->server, &to_client, 0);
    test_end_feed(&p->client, to_client.p, to_client.len);
    cl_buf_deinit(&to_client);
    test_end_step(&p->client, flight, 0);
    assert_int_equal(p->client.next, CLEAT_TLS_NEEDS_INPUT);
}

static void start(struct test_pair *p, struct cl_buf *flight)
{
    test_pair_make(p, test_finish(client(CLEAT_FALSE_START_WITH_ALPN, true)), test_finish(server()),
                   NULL);
    run_to_second_flight(p, flight);
    assert_true(cleat_tls_false_started(p->client.tls));
}

static void test_data_goes_out_behind_the_clients_finished(void **state)
{
    struct test_pair p;
    struct cl_buf flight = {0};
    uint8_t keys[2][16];
    start(&p, &flight);
    assert_string_equal(test_info(&p.client).alpn, "http/1.1");
    assert_true(test_info(&p.client).peer_authenticated);
    assert_int_equal(cleat_tls_export(p.client.tls, "EXPORTER-x", NULL, 0, keys[0], 16), CLEAT_OK);
    test_end_feed(&p.server, flight.p, flight.len);
    test_write(&p.client, &p.server, "early", 5);
    assert_null(cleat_tls_take_session(p.client.tls));
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_false(cleat_tls_false_started(p.client.tls));
    assert_int_equal(p.server.data.len, 5);
    assert_memory_equal(p.server.data.p, "early", 5);
    assert_int_equal(p.server.num_early, 0);
    assert_int_equal(cleat_tls_export(p.client.tls, "EXPORTER-x", NULL, 0, keys[1], 16), CLEAT_OK);
    assert_memory_equal(keys[0], keys[1], 16);
    cl_buf_deinit(&p.server.data);
    test_assert_echo(&p);
    cl_buf_deinit(&flight);
    test_pair_drop(&p);
}

/* Each row is one condition that is not met. */
static void test_without_its_conditions_nothing_is_written_early(void **state)
{
    static const struct {
        const char *name;
        enum cleat_false_start mode;
        bool alpn;
        const char *cipher;
        bool starts;
    } rows[] = {
        {"off", CLEAT_FALSE_START_OFF, true, "ECDHE-ECDSA-AES128-GCM-SHA256", false},
        {"no protocol agreed", CLEAT_FALSE_START_WITH_ALPN, false, "ECDHE-ECDSA-AES128-GCM-SHA256",
         false},
        {"a tag of 8 bytes", CLEAT_FALSE_START_ALWAYS, true, "ECDHE-ECDSA-AES128-CCM8", false},
        {"no protocol, none wanted", CLEAT_FALSE_START_ALWAYS, false,
         "ECDHE-ECDSA-AES128-GCM-SHA256", true},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *c = client(rows[i].mode, rows[i].alpn);
        struct cleat_tls_builder *s = server();
        struct cl_buf flight = {0};
        uint8_t room[CLEAT_TLS_MIN_OUTPUT];
        struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
        size_t written;
        struct test_pair p;
        print_message("  %s\n", rows[i].name);
        assert_int_equal(cleat_tls_builder_ciphers(c, rows[i].cipher), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_ciphers(s, rows[i].cipher), CLEAT_OK);
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        run_to_second_flight(&p, &flight);
        assert_int_equal(cleat_tls_false_started(p.client.tls), rows[i].starts);
        assert_int_equal(cleat_tls_write(p.client.tls, &io, (const uint8_t *)"x", 1, &written),
                         rows[i].starts ? CLEAT_OK : CLEAT_ERR_USAGE);
        cl_buf_deinit(&flight);
        test_pair_drop(&p);
    }
}

static void test_tls_13_and_resumptions_need_none(void **state)
{
    struct cleat_tls_builder *c = client(CLEAT_FALSE_START_ALWAYS, true);
    struct cleat_ticket_keys *keys;
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_3), CLEAT_OK);
    test_pair_make(&p, test_finish(c), test_finish(server()), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_false(test_log_has(&p.client, "False Start"));
    test_pair_drop(&p);

    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    struct cleat_tls_session *session = NULL;
    for (int i = 0; i < 2; i++) {
        struct cleat_tls_builder *s = server();
        assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
        test_pair_make(&p, test_finish(client(CLEAT_FALSE_START_ALWAYS, true)), test_finish(s),
                       session);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_int_equal(test_info(&p.client).resumed, i != 0);
        assert_int_equal(test_log_has(&p.client, "False Start"), i == 0);
        cleat_tls_session_free(session);
        session = cleat_tls_take_session(p.client.tls);
        test_pair_drop(&p);
    }
    cleat_tls_session_free(session);
    cleat_ticket_keys_free(keys);
}

static void test_data_of_the_server_before_its_finished_is_refused(void **state)
{
    struct test_pair p;
    struct cl_buf flight = {0};
    start(&p, &flight);
    test_plain(&p.client.in, CL_CT_APPLICATION_DATA, "forged", 6);
    test_end_step(&p.client, &flight, 0);
    assert_int_equal(p.client.next, CLEAT_TLS_FAILED);
    assert_int_equal(cleat_tls_error(p.client.tls)->code, CLEAT_ERR_UNEXPECTED_MESSAGE);
    assert_int_equal(p.client.data.len, 0);
    assert_false(cleat_tls_false_started(p.client.tls));
    cl_buf_deinit(&flight);
    test_pair_drop(&p);
}

static void test_a_wrong_finished_ends_it_without_a_session(void **state)
{
    struct cleat_tls_builder *s = server();
    struct test_edit edit = {.type = CL_HT_FINISHED, .edit = test_edit_flip, .ext = 7};
    struct cleat_ticket_keys *keys;
    struct cl_buf flight = {0};
    struct test_pair p;
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
    test_builder_edit(s, &edit);
    test_pair_make(&p, test_finish(client(CLEAT_FALSE_START_WITH_ALPN, true)), test_finish(s),
                   NULL);
    run_to_second_flight(&p, &flight);
    assert_true(cleat_tls_false_started(p.client.tls));
    test_end_feed(&p.server, flight.p, flight.len);
    test_write(&p.client, &p.server, "early", 5);
    test_pair_run(&p);
    assert_int_equal(cleat_tls_error(p.client.tls)->code, CLEAT_ERR_DECRYPT_ERROR);
    assert_null(cleat_tls_take_session(p.client.tls));
    cl_buf_deinit(&flight);
    cleat_ticket_keys_free(keys);
    test_pair_drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_goes_out_behind_the_clients_finished),
        cmocka_unit_test(test_without_its_conditions_nothing_is_written_early),
        cmocka_unit_test(test_tls_13_and_resumptions_need_none),
        cmocka_unit_test(test_data_of_the_server_before_its_finished_is_refused),
        cmocka_unit_test(test_a_wrong_finished_ends_it_without_a_session),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
