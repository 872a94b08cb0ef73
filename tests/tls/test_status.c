/* tests/tls/test_status.c - OCSP responses and certificate timestamps that travel with a
 * certificate (RFC 9846 4.5.1.1, RFC 6962 3.3.1). */
#include <string.h>

#include "cleat/tls_options.h"
#include "tls/support_tls.h"
#include "tls/wire.h"

static const uint8_t staple[] = {0x30, 0x03, 0x0a, 0x01, 0x00};
static const uint8_t scts[] = {0, 9, 0, 3, 'a', 'b', 'c', 0, 2, 'd', 'e'};

static struct cleat_tls_builder *with_both(struct cleat_tls_builder *b)
{
    assert_int_equal(cleat_tls_builder_staple(b, staple, sizeof(staple)), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_scts(b, scts, sizeof(scts)), CLEAT_OK);
    return b;
}

static void assert_got(const struct test_end *e, bool expected)
{
    size_t len;
    const uint8_t *p = cleat_tls_peer_staple(e->tls, &len);
    assert_int_equal(len, expected ? sizeof(staple) : 0);
    assert_int_equal(p != NULL, expected);
    assert_true(!expected || memcmp(p, staple, len) == 0);
    p = cleat_tls_peer_scts(e->tls, &len);
    assert_int_equal(len, expected ? sizeof(scts) : 0);
    assert_int_equal(p != NULL, expected);
    assert_true(!expected || memcmp(p, scts, len) == 0);
}

static void test_a_client_gets_what_it_asked_for(void **state)
{
    for (int ask = 0; ask < 2; ask++) {
        struct cleat_tls_builder *c = test_client_builder();
        struct test_pair p;
        cleat_tls_builder_ask_status(c, ask != 0);
        test_pair_make(&p, test_finish(c), test_finish(with_both(test_server_builder())), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_got(&p.client, ask != 0);
        assert_got(&p.server, false);
        cleat_tls_forget(p.client.tls);
        assert_got(&p.client, false);
        test_assert_echo(&p);
        test_pair_drop(&p);
    }
}

static struct cleat_tls_builder *at_12(struct cleat_tls_builder *b)
{
    assert_int_equal(cleat_tls_builder_versions(b, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    return b;
}

static void test_both_travel_in_12_too(void **state)
{
    for (int ask = 0; ask < 2; ask++) {
        struct cleat_tls_builder *c = at_12(test_client_builder());
        struct test_pair p;
        cleat_tls_builder_ask_status(c, ask != 0);
        test_pair_make(&p, test_finish(c), test_finish(with_both(test_server_builder())), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_got(&p.client, ask != 0);
        assert_int_equal(test_count_messages(&p.server, true, CL_HT_CERTIFICATE_STATUS), ask);
        test_pair_drop(&p);
    }
}

static void test_a_certificate_status_that_is_malformed_or_not_promised_is_refused(void **state)
{
    static const struct {
        const char *hex; /* of CertificateStatus; NULL: ServerHello does not promise it */
        int code;
        uint8_t alert;
    } rows[] = {
        {NULL, CLEAT_ERR_UNEXPECTED_MESSAGE, 10}, {"", CLEAT_ERR_DECODE, 50},
        {"01000000", CLEAT_ERR_DECODE, 50},       {"0200000130", CLEAT_ERR_DECODE, 50},
        {"0100000230", CLEAT_ERR_DECODE, 50},     {"010000013000", CLEAT_ERR_DECODE, 50},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_edit edit = {
            .type = CL_HT_CERTIFICATE_STATUS, .edit = test_edit_body, .hex = rows[i].hex};
        struct cleat_tls_builder *s = with_both(test_server_builder());
        struct test_pair p;
        if (rows[i].hex == NULL) {
            edit = (struct test_edit){.type = CL_HT_SERVER_HELLO,
                                      .edit = test_edit_ext_remove,
                                      .ext = CL_ET_STATUS_REQUEST};
        }
        test_builder_edit(s, &edit);
        test_pair_make(&p, test_finish(at_12(test_client_builder())), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_failed(&p.client, &p.server, rows[i].code, rows[i].alert);
        test_pair_drop(&p);
    }
}

static void test_each_of_the_two_travels_alone(void **state)
{
    for (int only_staple = 0; only_staple < 2; only_staple++) {
        struct cleat_tls_builder *s = test_server_builder();
        struct test_pair p;
        size_t len;
        if (only_staple != 0) {
            assert_int_equal(cleat_tls_builder_staple(s, staple, sizeof(staple)), CLEAT_OK);
        } else {
            assert_int_equal(cleat_tls_builder_scts(s, scts, sizeof(scts)), CLEAT_OK);
        }
        test_pair_make(&p, test_client_config(), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_int_equal(cleat_tls_peer_staple(p.client.tls, &len) != NULL, only_staple != 0);
        assert_int_equal(cleat_tls_peer_scts(p.client.tls, &len) != NULL, only_staple == 0);
        test_pair_drop(&p);
    }
}

static void test_a_server_that_asks_gets_the_clients(void **state)
{
    for (int ask = 0; ask < 2; ask++) {
        struct cleat_tls_builder *c = test_client_builder();
        struct cleat_tls_builder *s = test_server_builder();
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                         CLEAT_OK);
        assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
        cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
        cleat_tls_builder_ask_status(s, ask != 0);
        test_pair_make(&p, test_finish(with_both(c)), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_got(&p.server, ask != 0);
        test_pair_drop(&p);
    }
}

/* A Certificate or CertificateStatus message of the test's own making; staple and list NULL: the
 * entry's extensions are empty. */
static struct cl_buf expected_certificate(bool is_13, bool with_staple, bool with_scts)
{
    struct cl_buf out = {0};
    assert_int_equal(cl_buf_reserve(&out, 4096, 4096), CL_OK);
    struct cl_wr w = cl_buf_writer(&out);
    cl_wr_u8(&w, CL_HT_CERTIFICATE);
    struct cl_wr_mark body = cl_wr_open24(&w);
    if (is_13) {
        cl_wr_u8(&w, 0);
    }
    struct cl_wr_mark list = cl_wr_open24(&w);
    for (size_t i = 0; i < cleat_chain_num(world.server.chain); i++) {
        size_t len;
        const uint8_t *der = cleat_cert_der(cleat_chain_at(world.server.chain, i), &len);
        cl_wr_u24(&w, (uint32_t)len);
        cl_wr_bytes(&w, der, len);
        struct cl_wr_mark extensions = {0};
        if (is_13) {
            extensions = cl_wr_open16(&w);
        }
        if (with_staple && i == 0) {
            static const uint8_t head[] = {0, 5, 0, 9, 1, 0, 0, 5};
            cl_wr_bytes(&w, head, sizeof(head));
            cl_wr_bytes(&w, staple, sizeof(staple));
        }
        if (with_scts && i == 0) {
            static const uint8_t head[] = {0, 18, 0, sizeof(scts)};
            cl_wr_bytes(&w, head, sizeof(head));
            cl_wr_bytes(&w, scts, sizeof(scts));
        }
        if (is_13) {
            cl_wr_close(&w, extensions);
        }
    }
    cl_wr_close(&w, list);
    cl_wr_close(&w, body);
    assert_true(cl_wr_ok(&w));
    cl_buf_commit(&out, &w);
    return out;
}

static void assert_same_bytes(struct cl_rd got, struct cl_rd expected)
{
    assert_int_equal(got.len, expected.len);
    assert_memory_equal(got.p, expected.p, expected.len);
}

static struct cleat_tls_builder *with_some(struct cleat_tls_builder *b, bool a_staple, bool a_list)
{
    static const uint8_t old[] = {0x30, 0x00};
    if (a_staple) { /* what is given last counts, also when messages were prepared before */
        assert_int_equal(cleat_tls_builder_staple(b, old, sizeof(old)), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_staple(b, staple, sizeof(staple)), CLEAT_OK);
    }
    if (a_list) {
        assert_int_equal(cleat_tls_builder_scts(b, scts, sizeof(scts)), CLEAT_OK);
    }
    return b;
}

static void test_prepared_certificate_messages_are_what_they_would_be_otherwise(void **state)
{
    for (unsigned i = 0; i < 16; i++) {
        bool a_staple = (i & 1) != 0;
        bool a_list = (i & 2) != 0;
        bool is_12 = (i & 4) != 0;
        bool ask = (i & 8) != 0;
        struct cleat_tls_builder *c = test_client_builder();
        struct cl_buf expected =
            expected_certificate(!is_12, !is_12 && ask && a_staple, !is_12 && ask && a_list);
        struct cleat_tls_config *server =
            test_finish(with_some(test_server_builder(), a_staple, a_list));
        cleat_tls_builder_ask_status(c, ask);
        struct cleat_tls_config *client = test_finish(is_12 ? at_12(c) : c);
        for (int twice = 0; twice < 2; twice++) {
            struct test_pair p;
            test_pair_make(&p, cleat_tls_config_ref(client), cleat_tls_config_ref(server), NULL);
            test_pair_run(&p);
            test_assert_ready(&p);
            assert_same_bytes(test_message(&p.client, false, CL_HT_CERTIFICATE, 0),
                              cl_buf_view(&expected));
            assert_int_equal(test_count_messages(&p.client, false, CL_HT_CERTIFICATE_STATUS),
                             is_12 && ask && a_staple);
            if (is_12 && ask && a_staple) {
                static const uint8_t status[] = {22, 0, 0, 9, 1, 0, 0, 5, 0x30, 3, 0x0a, 1, 0};
                assert_same_bytes(test_message(&p.client, false, CL_HT_CERTIFICATE_STATUS, 0),
                                  cl_rd_of(status, sizeof(status)));
            }
            test_pair_drop(&p);
        }
        cleat_tls_config_free(client);
        cleat_tls_config_free(server);
        cl_buf_deinit(&expected);
    }
}

static void test_a_resumption_has_none_and_outlives_a_new_staple(void **state)
{
    static const uint8_t fresh[] = {0x30, 0x00};
    struct cleat_ticket_keys *keys;
    struct cleat_tls_session *session;
    struct test_pair p;
    size_t len;
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    struct cleat_tls_builder *s = with_both(test_server_builder());
    assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
    struct cleat_tls_config *client = test_client_config();
    test_pair_make(&p, cleat_tls_config_ref(client), test_finish(s), NULL);
    test_pair_run(&p);
    session = cleat_tls_take_session(p.client.tls);
    assert_non_null(session);
    test_pair_drop(&p);
    s = test_server_builder();
    assert_int_equal(cleat_tls_builder_staple(s, fresh, sizeof(fresh)), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
    struct cleat_tls_config *newer = test_finish(s);
    test_pair_make(&p, cleat_tls_config_ref(client), cleat_tls_config_ref(newer), session);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_true(test_info(&p.client).resumed);
    assert_got(&p.client, false);
    test_pair_drop(&p);
    test_pair_make(&p, client, newer, NULL);
    test_pair_run(&p);
    assert_memory_equal(cleat_tls_peer_staple(p.client.tls, &len), fresh, sizeof(fresh));
    test_pair_drop(&p);
    cleat_tls_session_free(session);
    cleat_ticket_keys_free(keys);
}

static void test_tls_12_carries_timestamps_in_the_server_hello(void **state)
{
    for (int ask = 0; ask < 2; ask++) {
        struct cleat_tls_builder *c = test_client_builder();
        struct cleat_tls_builder *s = with_both(test_server_builder());
        struct test_pair p;
        size_t len;
        assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_versions(s, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
        cleat_tls_builder_ask_status(c, ask != 0);
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_int_equal(cleat_tls_peer_scts(p.client.tls, &len) != NULL, ask != 0);
        assert_int_equal(len, ask != 0 ? sizeof(scts) : 0);
        test_pair_drop(&p);
    }
}

/* ---- negative ---- */

struct row {
    const char *name;
    uint8_t message;
    uint16_t ext;
    const char *hex;
    int code;
    uint8_t alert;
};

static const struct row rows[] = {
    {"an empty body", 11, 5, "", CLEAT_ERR_DECODE, 50},
    {"a status of another type", 11, 5, "020000013000", CLEAT_ERR_DECODE, 50},
    {"a response without bytes", 11, 5, "01000000", CLEAT_ERR_DECODE, 50},
    {"a response cut short", 11, 5, "0100000330", CLEAT_ERR_DECODE, 50},
    {"bytes behind the response", 11, 5, "010000013000", CLEAT_ERR_DECODE, 50},
    {"an empty list of SCTs", 11, 18, "0000", CLEAT_ERR_DECODE, 50},
    {"an empty SCT", 11, 18, "00020000", CLEAT_ERR_DECODE, 50},
    {"an SCT cut short", 11, 18, "0004000361", CLEAT_ERR_DECODE, 50},
    {"bytes behind the SCTs", 11, 18, "00030001610000", CLEAT_ERR_DECODE, 50},
    {"status_request in EncryptedExtensions", 8, 5, "", CLEAT_ERR_ILLEGAL_PARAMETER, 47},
    {"SCTs in EncryptedExtensions", 8, 18, "0003000161", CLEAT_ERR_ILLEGAL_PARAMETER, 47},
};

static void test_malformed_proofs_are_refused_by_the_client(void **state)
{
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *s = with_both(test_server_builder());
        struct test_edit edit = {.type = rows[i].message,
                                 .edit = test_edit_ext_put,
                                 .ext = rows[i].ext,
                                 .hex = rows[i].hex};
        struct test_pair p;
        print_message("  %s\n", rows[i].name);
        test_builder_edit(s, &edit);
        test_pair_make(&p, test_client_config(), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_failed(&p.client, &p.server, rows[i].code, rows[i].alert);
        test_pair_drop(&p);
    }
}

static void test_proofs_not_asked_for_are_refused_by_the_client(void **state)
{
    static const uint16_t types[] = {5, 18};
    for (size_t i = 0; i < TEST_LEN(types); i++) {
        struct cleat_tls_builder *c = test_client_builder();
        struct cleat_tls_builder *s = test_server_builder();
        struct test_edit edit = {.type = 11,
                                 .edit = test_edit_ext_put,
                                 .ext = types[i],
                                 .hex = i == 0 ? "010000023000" : "0003000161"};
        struct test_pair p;
        cleat_tls_builder_ask_status(c, false);
        test_builder_edit(s, &edit);
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_UNSUPPORTED_EXTENSION, 110);
        test_pair_drop(&p);
    }
}

static void test_malformed_questions_are_refused_by_the_server(void **state)
{
    static const struct row questions[] = {
        {"no bytes", 1, 5, "", 0, 0},
        {"no lists", 1, 5, "01", 0, 0},
        {"an empty responder", 1, 5,
         "0100020000"
         "0000",
         0, 0},
        {"bytes behind", 1, 5, "010000000000", 0, 0},
        {"SCTs with a body", 1, 18, "00", 0, 0},
    };
    for (size_t i = 0; i < TEST_LEN(questions); i++) {
        struct cleat_tls_builder *c = test_client_builder();
        struct test_edit edit = {
            .type = 1, .edit = test_edit_ext_put, .ext = questions[i].ext, .hex = questions[i].hex};
        struct test_pair p;
        print_message("  %s\n", questions[i].name);
        test_builder_edit(c, &edit);
        test_pair_make(&p, test_finish(c), test_server_config(), NULL);
        test_pair_run(&p);
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_DECODE, 50);
        test_pair_drop(&p);
    }
}

static void test_a_question_of_another_type_is_not_answered(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct test_edit edit = {.type = 1, .edit = test_edit_ext_put, .ext = 5, .hex = "02ffff"};
    struct test_pair p;
    size_t len;
    test_builder_edit(c, &edit);
    test_pair_make(&p, test_finish(c), test_finish(with_both(test_server_builder())), NULL);
    test_pair_run(&p);
    /* the binder aside, both hash the changed message: it is the client's own */
    test_assert_ready(&p);
    assert_null(cleat_tls_peer_staple(p.client.tls, &len));
    assert_non_null(cleat_tls_peer_scts(p.client.tls, &len));
    test_pair_drop(&p);
}

/* No certificate is shown that they could be about. */
static void test_timestamps_of_a_server_that_resumes_12_are_dropped(void **state)
{
    struct cleat_ticket_keys *keys;
    struct cleat_tls_session *session = NULL;
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    for (int i = 0; i < 2; i++) {
        struct cleat_tls_builder *c = test_client_builder();
        struct cleat_tls_builder *s = test_server_builder();
        struct test_edit edit = {
            .type = 2, .edit = test_edit_ext_append, .ext = 18, .hex = "0003000161"};
        struct test_pair p;
        size_t len;
        assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
        test_builder_edit(s, &edit);
        test_pair_make(&p, test_finish(c), test_finish(s), session);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_int_equal(test_info(&p.client).resumed, i != 0);
        assert_int_equal(cleat_tls_peer_scts(p.client.tls, &len) != NULL, i == 0);
        cleat_tls_session_free(session);
        session = cleat_tls_take_session(p.client.tls);
        test_pair_drop(&p);
    }
    cleat_tls_session_free(session);
    cleat_ticket_keys_free(keys);
}

static void test_the_builder_refuses_what_cannot_be_sent(void **state)
{
    static const uint8_t bad_list[] = {0, 1, 0};
    struct cleat_tls_builder *b = test_client_builder();
    assert_int_equal(cleat_tls_builder_staple(b, staple, sizeof(staple)), CLEAT_ERR_BAD_CONFIG);
    cleat_tls_builder_free(b);
    b = test_server_builder();
    assert_int_equal(cleat_tls_builder_staple(b, staple, 0), CLEAT_ERR_BAD_CONFIG);
    cleat_tls_builder_free(b);
    b = test_server_builder();
    assert_int_equal(cleat_tls_builder_scts(b, bad_list, sizeof(bad_list)), CLEAT_ERR_BAD_CONFIG);
    cleat_tls_builder_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_client_gets_what_it_asked_for),
        cmocka_unit_test(test_both_travel_in_12_too),
        cmocka_unit_test(test_a_certificate_status_that_is_malformed_or_not_promised_is_refused),
        cmocka_unit_test(test_each_of_the_two_travels_alone),
        cmocka_unit_test(test_a_server_that_asks_gets_the_clients),
        cmocka_unit_test(test_prepared_certificate_messages_are_what_they_would_be_otherwise),
        cmocka_unit_test(test_a_resumption_has_none_and_outlives_a_new_staple),
        cmocka_unit_test(test_tls_12_carries_timestamps_in_the_server_hello),
        cmocka_unit_test(test_malformed_proofs_are_refused_by_the_client),
        cmocka_unit_test(test_proofs_not_asked_for_are_refused_by_the_client),
        cmocka_unit_test(test_malformed_questions_are_refused_by_the_server),
        cmocka_unit_test(test_a_question_of_another_type_is_not_answered),
        cmocka_unit_test(test_timestamps_of_a_server_that_resumes_12_are_dropped),
        cmocka_unit_test(test_the_builder_refuses_what_cannot_be_sent),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
