/* tests/tls/test_early_wrong.c - early data that breaks the rules, on either side, and how far a
 * server skips what it has refused. */
#include <string.h>

#include "tls/conn.h"
#include "tls/support_early.h"

static const char text[] = "early";
#define TEXT_LEN (sizeof(text) - 1)

#define EARLY_LABEL "CLIENT_EARLY_TRAFFIC_SECRET"

/* ---- to the server: records under the early key ---- */

/* A server that has accepted early data of `text`; *keys seals more of it. */
static void accepted(struct test_pair *p, struct cleat_tls_session *session,
                     struct cl_record_keys *keys)
{
    struct cl_buf out = {0};
    test_early_begin(p, test_client_builder(), test_early_server(0), session, text, TEXT_LEN);
    test_end_step(&p->server, &out, 0);
    assert_int_equal(p->server.num_early, TEXT_LEN);
    assert_int_equal(
        cl_record_keys_13(keys, p->server.tls->suite, test_secret(&p->client, EARLY_LABEL), true),
        CL_OK);
    keys->seq = 1; /* the first record was the text */
    cl_buf_deinit(&out);
}

static void assert_server_fails(struct test_pair *p, int code, uint8_t alert)
{
    struct cl_buf out = {0};
    test_end_step(&p->server, &out, 0);
    test_assert_failed(&p->server, NULL, code, alert);
    cl_buf_deinit(&out);
}

static void test_handshake_messages_under_the_early_key_are_refused(void **state)
{
    static const struct {
        const char *what;
        const char *hex;
        int code;
        uint8_t alert;
    } rows[] = {
        /* RFC 9846 4.7.3: no KeyUpdate before Finished */
        {"KeyUpdate", "1800000100", CLEAT_ERR_UNEXPECTED_MESSAGE, 10},
        {"Finished",
         "14000020"
         "0000000000000000000000000000000000000000000000000000000000000000",
         CLEAT_ERR_UNEXPECTED_MESSAGE, 10},
        {"Certificate", "0b00000400000000", CLEAT_ERR_UNEXPECTED_MESSAGE, 10},
        {"ClientHello", "01000000", CLEAT_ERR_UNEXPECTED_MESSAGE, 10},
        {"EndOfEarlyData with contents", "0500000100", CLEAT_ERR_DECODE, 50},
        {"EndOfEarlyData twice", "0500000005000000", CLEAT_ERR_UNEXPECTED_MESSAGE, 10},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_session *session = test_early_session();
        struct cl_record_keys keys = {0};
        struct cl_buf record = {0};
        struct cl_buf m = test_hex(rows[i].hex);
        struct test_pair p;
        print_message("%s\n", rows[i].what);
        accepted(&p, session, &keys);
        test_seal(&keys, &record, 22, m.p, m.len, 0);
        test_end_feed(&p.server, record.p, record.len);
        assert_server_fails(&p, rows[i].code, rows[i].alert);
        cl_record_keys_deinit(&keys);
        cl_buf_deinit(&record);
        cl_buf_deinit(&m);
        test_pair_drop(&p);
        cleat_tls_session_free(session);
    }
}

static void test_early_data_inside_a_handshake_message_is_refused(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct cl_record_keys keys = {0};
    struct cl_buf records = {0};
    struct test_pair p;
    accepted(&p, session, &keys);
    test_seal(&keys, &records, 22, "\x05\x00", 2, 0);
    test_seal(&keys, &records, 23, "x", 1, 0);
    test_end_feed(&p.server, records.p, records.len);
    assert_server_fails(&p, CLEAT_ERR_UNEXPECTED_MESSAGE, 10);
    cl_record_keys_deinit(&keys);
    cl_buf_deinit(&records);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_empty_early_records_without_end_are_refused(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct cl_record_keys keys = {0};
    struct cl_buf records = {0};
    struct test_pair p;
    accepted(&p, session, &keys);
    for (int i = 0; i < 33; i++) {
        test_seal(&keys, &records, 23, "", 0, 0);
    }
    test_end_feed(&p.server, records.p, records.len);
    assert_server_fails(&p, CLEAT_ERR_TOO_MANY_RECORDS, 10);
    cl_record_keys_deinit(&keys);
    cl_buf_deinit(&records);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

/* RFC 9846 4.7.1: padding does not count. */
static void test_padding_is_no_early_data(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct cl_record_keys keys = {0};
    struct cl_buf records = {0};
    struct test_pair p;
    struct cl_buf out = {0};
    accepted(&p, session, &keys);
    for (int i = 0; i < 3; i++) {
        test_seal(&keys, &records, 23, "x", 1, 15000);
    }
    test_end_feed(&p.server, records.p, records.len);
    test_end_step(&p.server, &out, 0);
    assert_int_equal(p.server.next, CLEAT_TLS_NEEDS_INPUT);
    assert_int_equal(p.server.num_early, TEXT_LEN + 3);
    cl_record_keys_deinit(&keys);
    cl_buf_deinit(&records);
    cl_buf_deinit(&out);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

/* RFC 9846 4.3.10: once accepted, a record that does not decrypt ends the connection. */
static void test_an_early_record_that_does_not_decrypt_is_a_bad_record_mac(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    struct cl_buf out = {0};
    test_early_begin(&p, test_client_builder(), test_early_server(0), session, text, TEXT_LEN);
    p.server.in.p[p.server.in.len - 1] ^= 1;
    test_end_step(&p.server, &out, 0);
    test_assert_failed(&p.server, NULL, CLEAT_ERR_BAD_RECORD_MAC, 20);
    assert_int_equal(p.server.data.len, 0);
    cl_buf_deinit(&out);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

/* ---- to the server: the client's messages ---- */

static void edited_client(struct test_edit *edit, struct cleat_tls_builder *s, int code,
                          uint8_t alert)
{
    struct cleat_tls_session *session = test_early_session();
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    test_builder_edit(c, edit);
    test_early_run(&p, c, s, session, text);
    test_assert_failed(&p.server, NULL, code, alert);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void take_out(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                     size_t start)
{
    flight->len = start;
}

static void put_in_front(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                         size_t start)
{
    struct cl_buf m = test_hex(e->hex);
    test_buf_splice(flight, start, 0, m.p, m.len);
    cl_buf_deinit(&m);
}

/* Without it the server still reads with the early key. */
static void test_a_missing_end_of_early_data_is_a_bad_record_mac(void **state)
{
    struct test_edit edit = {.type = 5, .edit = take_out};
    edited_client(&edit, test_early_server(0), CLEAT_ERR_BAD_RECORD_MAC, 20);
}

static void test_end_of_early_data_twice_is_unexpected(void **state)
{
    struct test_edit edit = {.type = 5, .edit = put_in_front, .hex = "05000000"};
    edited_client(&edit, test_early_server(0), CLEAT_ERR_UNEXPECTED_MESSAGE, 10);
    struct test_edit late = {.type = 20, .edit = put_in_front, .hex = "05000000"};
    edited_client(&late, test_early_server(0), CLEAT_ERR_UNEXPECTED_MESSAGE, 10);
}

static void test_end_of_early_data_that_was_refused_is_unexpected(void **state)
{
    struct test_edit edit = {.type = 20, .edit = put_in_front, .hex = "05000000"};
    edited_client(&edit, test_late_server(), CLEAT_ERR_UNEXPECTED_MESSAGE, 10);
}

static void test_early_data_in_a_second_hello_is_refused(void **state)
{
    struct test_edit edit = {.type = 1, .skip = 1, .edit = test_edit_ext_put, .ext = 42, .hex = ""};
    struct cleat_tls_builder *s = test_early_server(0);
    assert_int_equal(cleat_tls_builder_groups(s, "P-256"), CLEAT_OK);
    edited_client(&edit, s, CLEAT_ERR_ILLEGAL_PARAMETER, 47);
}

static void test_the_extension_with_contents_is_refused(void **state)
{
    struct test_edit edit = {.type = 1, .edit = test_edit_ext_put, .ext = 42, .hex = "00"};
    edited_client(&edit, test_early_server(0), CLEAT_ERR_DECODE, 50);
}

/* The extension alone, with nothing to resume: refused, and the handshake is as usual. */
static void test_early_data_without_a_psk_is_refused(void **state)
{
    struct test_edit edit = {.type = 1, .edit = test_edit_ext_put, .ext = 42, .hex = ""};
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    test_builder_edit(c, &edit);
    test_pair_make(&p, test_finish(c), test_finish(test_early_server(0)), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_int_equal(cleat_tls_early_data_status(p.server.tls), CLEAT_EARLY_DATA_REJECTED);
    test_assert_echo(&p);
    test_pair_drop(&p);
}

static void test_data_that_was_not_offered_is_refused(void **state)
{
    struct test_pair p;
    struct cl_buf out = {0};
    struct cl_buf record = {0};
    uint8_t noise[60] = {1};
    test_pair_make(&p, test_client_config(), test_finish(test_early_server(0)), NULL);
    test_end_step(&p.client, &out, 0);
    test_plain(&record, 23, noise, sizeof(noise));
    test_end_feed(&p.server, out.p, out.len);
    test_end_feed(&p.server, record.p, record.len);
    out.len = 0;
    test_end_step(&p.server, &out, 0);
    test_assert_failed(&p.server, NULL, CLEAT_ERR_BAD_RECORD_MAC, 20);
    cl_buf_deinit(&out);
    cl_buf_deinit(&record);
    test_pair_drop(&p);
}

static void test_no_key_update_while_early_data_is_sent(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    uint8_t room[600];
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    struct cl_buf out = {0};
    test_early_begin(&p, test_client_builder(), test_early_server(0), session, text, TEXT_LEN);
    assert_int_equal(cleat_tls_key_update(p.client.tls, &io, false), CLEAT_ERR_USAGE);
    test_end_step(&p.server, &out, 0);
    assert_int_equal(cleat_tls_key_update(p.server.tls, &io, false), CLEAT_ERR_USAGE);
    assert_int_equal(io.out_len, 0);
    cl_buf_deinit(&out);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

/* Where the key would have to change, early data stops; nothing changes. */
static void test_a_limit_of_records_stops_early_data(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    uint8_t room[600];
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    size_t written;
    cleat_tls_builder_rekey(c, 1);
    test_early_begin(&p, c, test_early_server(0), session, text, TEXT_LEN);
    assert_int_equal(cleat_tls_write(p.client.tls, &io, room, 1, &written), CLEAT_OK);
    assert_int_equal(written, 0);
    test_pair_run(&p);
    test_assert_early(&p, CLEAT_EARLY_DATA_ACCEPTED, TEXT_LEN);
    test_assert_echo(&p);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

/* ---- how far is skipped ---- */

/* Refused early data of these records: the outcome. */
static void skips(struct cleat_tls_builder *s, size_t num_records, size_t len, bool ok)
{
    static uint8_t big[CL_RECORD_MAX_PLAIN];
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    session->early_max = UINT32_MAX;
    test_early_begin(&p, test_client_builder(), s, session, "", 0);
    struct cl_record_keys keys = {0};
    struct cl_buf records = {0};
    assert_int_equal(
        cl_record_keys_13(&keys, p.client.tls->suite, test_secret(&p.client, EARLY_LABEL), true),
        CL_OK);
    for (size_t i = 0; i < num_records; i++) {
        test_seal(&keys, &records, 23, big, len, 0);
    }
    test_end_feed(&p.server, records.p, records.len);
    test_pair_run(&p);
    if (ok) {
        test_assert_early(&p, CLEAT_EARLY_DATA_REJECTED, 0);
        test_assert_echo(&p);
    } else {
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_TOO_MUCH_EARLY_DATA, 10);
    }
    cl_record_keys_deinit(&keys);
    cl_buf_deinit(&records);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static struct cleat_tls_builder *retrying(struct cleat_tls_builder *s)
{
    assert_int_equal(cleat_tls_builder_groups(s, "P-256"), CLEAT_OK);
    return s;
}

static void test_refused_early_data_is_skipped_up_to_a_limit(void **state)
{
    skips(test_late_server(), 1, 16384, true);
    skips(test_late_server(), 16, 1024, true);
    skips(test_late_server(), 16384, 1, true);
    skips(retrying(test_early_server(0)), 1, 16384, true);
    skips(retrying(test_early_server(0)), 16, 1024, true);
    skips(retrying(test_early_server(40000)), 4, 10000, true);
}

static void test_refused_early_data_beyond_the_limit_ends_the_connection(void **state)
{
    skips(test_late_server(), 2, 8193, false);
    skips(test_late_server(), 16385, 0, false);
    skips(retrying(test_early_server(0)), 2, 8193, false);
    skips(retrying(test_early_server(0)), 16385, 0, false);
}

/* Only up to the first record that decrypts: what is damaged afterwards is damaged. */
static void test_the_skipping_ends_with_the_first_good_record(void **state)
{
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    struct cl_buf record = {0};
    uint8_t noise[60] = {1};
    struct cl_buf out = {0};
    test_early_run(&p, test_client_builder(), test_late_server(), session, text);
    test_assert_early(&p, CLEAT_EARLY_DATA_REJECTED, 0);
    test_plain(&record, 23, noise, sizeof(noise));
    test_end_feed(&p.server, record.p, record.len);
    test_end_step(&p.server, &out, 0);
    test_assert_failed(&p.server, NULL, CLEAT_ERR_BAD_RECORD_MAC, 20);
    cl_buf_deinit(&out);
    cl_buf_deinit(&record);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

/* ---- to the client ---- */

static void edited_server(struct test_edit *edit, struct cleat_tls_builder *s, bool offer, int code,
                          uint8_t alert)
{
    struct cleat_tls_session *session = test_early_session();
    struct test_pair p;
    test_builder_edit(s, edit);
    test_pair_make(&p, test_client_config(), test_finish(s), session);
    if (offer) {
        assert_int_equal(cleat_tls_offer_early_data(p.client.tls), CLEAT_OK);
    }
    test_pair_run(&p);
    test_assert_failed(&p.client, NULL, code, alert);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_an_acceptance_that_was_not_asked_for_is_refused(void **state)
{
    struct test_edit edit = {.type = 8, .edit = test_edit_ext_put, .ext = 42, .hex = ""};
    edited_server(&edit, test_late_server(), false, CLEAT_ERR_UNSUPPORTED_EXTENSION, 110);
    edit.seen = 0;
    edited_server(&edit, retrying(test_early_server(0)), true, CLEAT_ERR_UNSUPPORTED_EXTENSION,
                  110);
}

static void test_an_acceptance_with_contents_is_refused(void **state)
{
    struct test_edit edit = {.type = 8, .edit = test_edit_ext_put, .ext = 42, .hex = "00"};
    edited_server(&edit, test_early_server(0), true, CLEAT_ERR_DECODE, 50);
}

static void test_an_acceptance_without_the_ticket_is_refused(void **state)
{
    struct test_edit edit = {.type = 8, .edit = test_edit_ext_put, .ext = 42, .hex = ""};
    struct cleat_tls_builder *s = test_early_server(0);
    assert_int_equal(cleat_tls_builder_binding(s, "elsewhere"), CLEAT_OK);
    edited_server(&edit, s, true, CLEAT_ERR_ILLEGAL_PARAMETER, 47);
}

static void test_an_acceptance_under_another_protocol_is_refused(void **state)
{
    static const char *const both[] = {"h2", "http/1.1"};
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_early_server(0);
    assert_int_equal(cleat_tls_builder_alpn(c, both, 2), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_alpn(s, both, 2), CLEAT_OK);
    struct cleat_tls_session *session = test_early_session_with(c, s);
    /* "http/1.1" instead of "h2" */
    struct test_edit edit = {
        .type = 8, .edit = test_edit_ext_put, .ext = 16, .hex = "000908687474702f312e31"};
    struct test_pair p;
    c = test_client_builder();
    s = test_early_server(0);
    assert_int_equal(cleat_tls_builder_alpn(c, both, 2), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_alpn(s, both, 2), CLEAT_OK);
    test_builder_edit(s, &edit);
    test_early_run(&p, c, s, session, text);
    test_assert_failed(&p.client, NULL, CLEAT_ERR_ILLEGAL_PARAMETER, 47);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

/* RFC 9846 4.6: "Servers MUST NOT send this message" */
static void test_end_of_early_data_from_a_server_is_unexpected(void **state)
{
    struct test_edit edit = {.type = 20, .edit = put_in_front, .hex = "05000000"};
    edited_server(&edit, test_early_server(0), true, CLEAT_ERR_UNEXPECTED_MESSAGE, 10);
}

/* RFC 9846 E.3 */
static void test_an_answer_of_tls_1_2_is_refused(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_3), CLEAT_OK);
    struct cleat_tls_session *session = test_early_session_with(c, test_early_server(0));
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    c = test_client_builder();
    assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_3), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_versions(s, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    test_early_begin(&p, c, s, session, "", 0);
    test_pair_run(&p);
    test_assert_failed(&p.client, NULL, CLEAT_ERR_PROTOCOL_VERSION, 70);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

#define T(name) cmocka_unit_test_setup(name, test_early_fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_handshake_messages_under_the_early_key_are_refused),
        T(test_early_data_inside_a_handshake_message_is_refused),
        T(test_empty_early_records_without_end_are_refused),
        T(test_padding_is_no_early_data),
        T(test_an_early_record_that_does_not_decrypt_is_a_bad_record_mac),
        T(test_a_missing_end_of_early_data_is_a_bad_record_mac),
        T(test_end_of_early_data_twice_is_unexpected),
        T(test_end_of_early_data_that_was_refused_is_unexpected),
        T(test_early_data_in_a_second_hello_is_refused),
        T(test_the_extension_with_contents_is_refused),
        T(test_early_data_without_a_psk_is_refused),
        T(test_data_that_was_not_offered_is_refused),
        T(test_no_key_update_while_early_data_is_sent),
        T(test_a_limit_of_records_stops_early_data),
        T(test_refused_early_data_is_skipped_up_to_a_limit),
        T(test_refused_early_data_beyond_the_limit_ends_the_connection),
        T(test_the_skipping_ends_with_the_first_good_record),
        T(test_an_acceptance_that_was_not_asked_for_is_refused),
        T(test_an_acceptance_with_contents_is_refused),
        T(test_an_acceptance_without_the_ticket_is_refused),
        T(test_an_acceptance_under_another_protocol_is_refused),
        T(test_end_of_early_data_from_a_server_is_unexpected),
        T(test_an_answer_of_tls_1_2_is_refused),
    };
    return cmocka_run_group_tests(tests, test_early_setup, test_early_teardown);
}
