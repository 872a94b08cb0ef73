/* tests/tls/test_traffic.c - an established connection: key updates, closing in each direction,
 * truncation, limits on what brings nothing. */
#include <string.h>

#include "cleat/tls_auth.h"
#include "cleat/tls_options.h"
#include "tls/conn.h"
#include "tls/support_tls.h"

static void open_pair(struct test_pair *p)
{
    test_pair_make(p, test_client_config(), test_server_config(), NULL);
    test_pair_run(p);
    test_assert_ready(p);
}

static void update(struct test_end *from, struct test_end *to, bool request)
{
    uint8_t room[CLEAT_TLS_MIN_OUTPUT];
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    assert_int_equal(cleat_tls_key_update(from->tls, &io, request), CLEAT_OK);
    test_end_feed(to, room, io.out_len);
}

/* ---- key updates ---- */

static void test_either_side_changes_its_key_alone(void **state)
{
    struct test_pair p;
    open_pair(&p);
    for (int i = 0; i < 3; i++) {
        uint8_t before[32];
        memcpy(before, p.client.tls->server_app.bytes, 32);
        update(&p.client, &p.server, false);
        test_assert_echo(&p);
        assert_memory_equal(before, p.client.tls->server_app.bytes, 32);
        assert_memory_equal(p.client.tls->client_app.bytes, p.server.tls->client_app.bytes, 32);
        memcpy(before, p.client.tls->client_app.bytes, 32);
        update(&p.server, &p.client, false);
        test_assert_echo(&p);
        assert_memory_equal(before, p.client.tls->client_app.bytes, 32);
        assert_memory_equal(p.client.tls->server_app.bytes, p.server.tls->server_app.bytes, 32);
    }
    test_pair_drop(&p);
}

static void test_a_request_is_answered_once_and_not_requested_back(void **state)
{
    for (int server_asks = 0; server_asks < 2; server_asks++) {
        struct test_pair p;
        open_pair(&p);
        struct test_end *asks = server_asks ? &p.server : &p.client;
        struct test_end *answers = server_asks ? &p.client : &p.server;
        update(asks, answers, true);
        test_pair_run(&p);
        assert_int_equal(test_count_messages(answers, true, 24), 1);
        struct cl_rd answer = test_message(answers, true, 24, 0);
        assert_int_equal(answer.p[4], 0);
        assert_int_equal(test_count_messages(asks, true, 24), 1);
        test_assert_ready(&p);
        test_assert_echo(&p);
        test_pair_drop(&p);
    }
}

static void test_several_requests_get_one_answer(void **state)
{
    struct test_pair p;
    open_pair(&p);
    for (int i = 0; i < 5; i++) {
        update(&p.client, &p.server, true);
    }
    test_pair_run(&p);
    assert_int_equal(test_count_messages(&p.server, true, 24), 1);
    test_assert_echo(&p);
    test_pair_drop(&p);
}

static void test_requests_one_by_one_get_one_answer_until_data_goes_out(void **state)
{
    struct test_pair p;
    open_pair(&p);
    for (int i = 0; i < 5; i++) {
        update(&p.client, &p.server, true);
        test_pair_run(&p);
    }
    assert_int_equal(test_count_messages(&p.server, true, 24), 1);
    test_assert_echo(&p);
    update(&p.client, &p.server, true);
    test_pair_run(&p);
    assert_int_equal(test_count_messages(&p.server, true, 24), 2);
    test_pair_drop(&p);
}

static void test_an_answer_that_has_no_room_goes_out_with_the_next_data(void **state)
{
    struct test_pair p;
    open_pair(&p);
    update(&p.client, &p.server, true);
    struct cleat_tls_io io = {.in = p.server.in.p, .in_len = p.server.in.len};
    assert_int_equal(cleat_tls_step(p.server.tls, &io), CLEAT_TLS_READY);
    cl_buf_drop(&p.server.in, io.in_used);
    assert_int_equal(test_count_messages(&p.server, true, 24), 0);
    test_assert_echo(&p);
    assert_int_equal(test_count_messages(&p.server, true, 24), 1);
    test_pair_drop(&p);
}

static void test_a_closed_side_does_not_answer(void **state)
{
    struct test_pair p;
    open_pair(&p);
    test_close(&p.server, &p.client);
    update(&p.client, &p.server, true);
    test_pair_run(&p);
    assert_int_equal(test_count_messages(&p.server, true, 24), 0);
    assert_int_equal(p.server.next, CLEAT_TLS_READY);
    test_pair_drop(&p);
}

static void test_keys_change_by_themselves_after_so_many_records(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    cleat_tls_builder_rekey(c, 3);
    test_pair_make(&p, test_finish(c), test_server_config(), NULL);
    test_pair_run(&p);
    for (int i = 0; i < 10; i++) {
        test_write(&p.client, &p.server, "0123456789", 10);
    }
    test_pair_run(&p);
    assert_int_equal(p.server.data.len, 100);
    assert_int_equal(test_count_messages(&p.client, true, 24), 3);
    assert_int_equal(test_count_messages(&p.server, true, 24), 0);
    test_assert_echo(&p);
    test_pair_drop(&p);
}

static void test_a_large_write_crosses_key_changes(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    struct cl_buf big = {0};
    cleat_tls_builder_rekey(c, 2);
    test_pair_make(&p, test_finish(c), test_server_config(), NULL);
    test_pair_run(&p);
    assert_int_equal(cl_buf_reserve(&big, 200000, 200000), CL_OK);
    for (size_t i = 0; i < 200000; i++) {
        big.p[i] = (uint8_t)(i * 7 + i / 251);
    }
    test_write(&p.client, &p.server, big.p, 200000);
    test_pair_run(&p);
    assert_int_equal(p.server.data.len, 200000);
    assert_memory_equal(p.server.data.p, big.p, 200000);
    assert_true(test_count_messages(&p.client, true, 24) >= 6);
    cl_buf_deinit(&big);
    test_pair_drop(&p);
}

static void test_key_updates_in_a_row_are_counted_and_refused(void **state)
{
    struct test_pair p;
    open_pair(&p);
    for (int i = 0; i < 32; i++) {
        update(&p.client, &p.server, false);
    }
    test_pair_run(&p);
    test_assert_ready(&p);
    test_write(&p.client, &p.server, "x", 1); /* data starts the count anew */
    for (int i = 0; i < 32; i++) {
        update(&p.client, &p.server, false);
    }
    test_pair_run(&p);
    test_assert_ready(&p);
    update(&p.client, &p.server, false);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_TOO_MANY_RECORDS, 10);
    test_pair_drop(&p);
}

static void test_a_key_update_needs_room_and_an_open_connection(void **state)
{
    uint8_t room[64];
    struct cleat_tls_io io = {.out = room, .out_cap = 8};
    struct test_pair p;
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    assert_int_equal(cleat_tls_key_update(p.client.tls, &io, false), CLEAT_ERR_USAGE);
    test_pair_run(&p);
    assert_int_equal(cleat_tls_key_update(p.client.tls, &io, false), CLEAT_ERR_LIMIT);
    assert_int_equal(io.out_len, 0);
    test_assert_echo(&p);
    test_close(&p.client, &p.server);
    io.out_cap = sizeof(room);
    assert_int_equal(cleat_tls_key_update(p.client.tls, &io, false), CLEAT_ERR_CLOSED);
    test_pair_drop(&p);
}

/* ---- closing ---- */

static void test_closing_one_direction_leaves_the_other_open(void **state)
{
    for (int server_first = 0; server_first < 2; server_first++) {
        struct test_pair p;
        open_pair(&p);
        struct test_end *a = server_first ? &p.server : &p.client;
        struct test_end *b = server_first ? &p.client : &p.server;
        test_close(a, b);
        test_pair_run(&p);
        assert_int_equal(b->next, CLEAT_TLS_CLOSED);
        assert_int_equal(a->next, CLEAT_TLS_READY);
        test_write(b, a, "still here", 10);
        test_pair_run(&p);
        assert_int_equal(a->data.len, 10);
        uint8_t room[64];
        struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
        size_t written;
        assert_int_equal(cleat_tls_write(a->tls, &io, room, 1, &written), CLEAT_ERR_CLOSED);
        assert_int_equal(cleat_tls_close(a->tls, &io), CLEAT_OK);
        assert_int_equal(io.out_len, 0);
        assert_int_equal(cleat_tls_eof(b->tls), CLEAT_OK);
        test_close(b, a);
        test_pair_run(&p);
        assert_int_equal(a->next, CLEAT_TLS_CLOSED);
        assert_int_equal(cleat_tls_eof(a->tls), CLEAT_OK);
        assert_int_equal(cleat_tls_error(a->tls)->code, CLEAT_OK);
        assert_int_equal(a->log.alerts[0].level, 1);
        assert_int_equal(a->log.alerts[0].alert, 0);
        test_pair_drop(&p);
    }
}

static void test_what_follows_close_notify_is_ignored(void **state)
{
    struct test_pair p;
    struct cl_buf out = {0};
    open_pair(&p);
    test_write(&p.client, &p.server, "last", 4);
    test_close(&p.client, &p.server);
    test_end_feed(&p.server, "GARBAGE that is no record at all", 32);
    test_end_step(&p.server, &out, 0);
    assert_int_equal(p.server.next, CLEAT_TLS_CLOSED);
    test_end_step(&p.server, &out, 0);
    assert_int_equal(p.server.next, CLEAT_TLS_CLOSED);
    assert_int_equal(p.server.data.len, 4);
    assert_int_equal(p.server.in.len, 0);
    assert_int_equal(out.len, 0);
    assert_int_equal(cleat_tls_eof(p.server.tls), CLEAT_OK);
    cl_buf_deinit(&out);
    test_pair_drop(&p);
}

static void test_close_notify_without_room_waits(void **state)
{
    uint8_t room[64];
    struct cleat_tls_io io = {.out = room, .out_cap = 20};
    struct test_pair p;
    open_pair(&p);
    assert_int_equal(cleat_tls_close(p.client.tls, &io), CLEAT_ERR_LIMIT);
    assert_int_equal(io.out_len, 0);
    test_assert_echo(&p);
    test_close(&p.client, &p.server);
    test_pair_run(&p);
    assert_int_equal(p.server.next, CLEAT_TLS_CLOSED);
    test_pair_drop(&p);
}

static void test_an_end_without_close_notify_is_a_truncation(void **state)
{
    struct test_pair p;
    open_pair(&p);
    test_write(&p.client, &p.server, "half", 4);
    p.server.in.len -= 3;
    struct cl_buf out = {0};
    test_end_step(&p.server, &out, 0);
    assert_int_equal(cleat_tls_eof(p.server.tls), CLEAT_ERR_TRUNCATED);
    assert_int_equal(cleat_tls_error(p.server.tls)->code, CLEAT_ERR_TRUNCATED);
    test_end_step(&p.server, &out, 0);
    assert_int_equal(p.server.next, CLEAT_TLS_FAILED);
    assert_int_equal(out.len, 0);
    assert_int_equal(cleat_tls_eof(p.server.tls), CLEAT_ERR_TRUNCATED);
    cl_buf_deinit(&out);
    test_pair_drop(&p);
}

static void test_close_notify_in_the_handshake_ends_it(void **state)
{
    struct test_pair p;
    static const uint8_t closed[] = {1, 0};
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    test_plain(&p.client.in, 21, closed, 2);
    struct cl_buf out = {0};
    test_end_step(&p.client, &out, 0);
    assert_int_equal(p.client.next, CLEAT_TLS_FAILED);
    assert_int_equal(cleat_tls_error(p.client.tls)->code, CLEAT_ERR_PEER_ALERT);
    assert_true(cleat_tls_error(p.client.tls)->from_peer);
    assert_int_equal(p.client.log.num_alerts, 1);
    cl_buf_deinit(&out);
    test_pair_drop(&p);
}

/* ---- alerts ---- */

static void inject(struct test_end *as, struct test_end *to, uint8_t type, const void *bytes,
                   size_t len)
{
    struct cl_buf record = {0};
    test_seal(&as->tls->wr, &record, type, bytes, len, 0);
    test_end_feed(to, record.p, record.len);
    cl_buf_deinit(&record);
}

static void test_any_alert_but_close_notify_and_user_canceled_is_fatal(void **state)
{
    static const uint8_t alerts[] = {10, 20, 22, 40,  42,  47,  50, 51,
                                     70, 80, 86, 100, 112, 120, 255};
    for (size_t i = 0; i < TEST_LEN(alerts); i++) {
        for (uint8_t level = 0; level < 4; level++) {
            uint8_t bytes[] = {level, alerts[i]};
            struct test_pair p;
            open_pair(&p);
            inject(&p.client, &p.server, 21, bytes, 2);
            test_pair_run(&p);
            assert_int_equal(p.server.next, CLEAT_TLS_FAILED);
            assert_int_equal(cleat_tls_error(p.server.tls)->code, CLEAT_ERR_PEER_ALERT);
            assert_int_equal(cleat_tls_error(p.server.tls)->alert, alerts[i]);
            assert_int_equal(p.server.log.num_alerts, 1); /* none is sent back */
            test_pair_drop(&p);
        }
    }
}

static void test_alerts_of_another_size_are_refused(void **state)
{
    static const size_t sizes[] = {0, 1, 3, 4};
    for (size_t i = 0; i < TEST_LEN(sizes); i++) {
        static const uint8_t bytes[] = {1, 0, 1, 0};
        struct test_pair p;
        open_pair(&p);
        inject(&p.client, &p.server, 21, bytes, sizes[i]);
        test_pair_run(&p);
        /* RFC 9846 5.1: an empty fragment that is not application data is an unexpected_message */
        test_assert_failed(&p.server, &p.client,
                           sizes[i] == 0 ? CLEAT_ERR_UNEXPECTED_MESSAGE : CLEAT_ERR_DECODE,
                           sizes[i] == 0 ? 10 : 50);
        test_pair_drop(&p);
    }
}

static void test_records_that_bring_nothing_are_counted_and_refused(void **state)
{
    static const struct {
        uint8_t type;
        size_t len;
        uint8_t bytes[2];
        int max;
    } rows[] = {
        {23, 0, {0}, 32},    /* empty application data */
        {21, 2, {1, 90}, 4}, /* user_canceled */
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_pair p;
        open_pair(&p);
        for (int k = 0; k < rows[i].max; k++) {
            inject(&p.client, &p.server, rows[i].type, rows[i].bytes, rows[i].len);
        }
        test_assert_echo(&p); /* not yet too many, and data starts the count anew */
        for (int k = 0; k <= rows[i].max; k++) {
            inject(&p.client, &p.server, rows[i].type, rows[i].bytes, rows[i].len);
        }
        test_pair_run(&p);
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_TOO_MANY_RECORDS, 10);
        test_pair_drop(&p);
    }
}

static void test_after_a_failure_nothing_is_written(void **state)
{
    struct test_pair p;
    struct cl_buf out = {0};
    uint8_t room[128];
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    size_t written = 7;
    open_pair(&p);
    static const uint8_t rubbish[] = {0x17, 3,  3,  0,  20, 1,  2,  3,  4,  5,  6,  7, 8,
                                      9,    10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
    test_end_feed(&p.server, rubbish, sizeof(rubbish));
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_BAD_RECORD_MAC, 20);
    assert_int_equal(cleat_tls_write(p.server.tls, &io, room, 1, &written), CLEAT_ERR_CLOSED);
    assert_int_equal(written, 0);
    assert_int_equal(cleat_tls_close(p.server.tls, &io), CLEAT_OK);
    assert_int_equal(cleat_tls_key_update(p.server.tls, &io, true), CLEAT_ERR_CLOSED);
    assert_int_equal(cleat_tls_export(p.server.tls, "x", NULL, 0, room, 16), CLEAT_ERR_USAGE);
    assert_int_equal(io.out_len, 0);
    test_end_step(&p.server, &out, 0);
    assert_int_equal(p.server.next, CLEAT_TLS_FAILED);
    assert_int_equal(out.len, 0);
    cl_buf_deinit(&out);
    test_pair_drop(&p);
}

static void test_writing_before_the_handshake_ends_is_refused(void **state)
{
    uint8_t room[64];
    struct cleat_tls_io io = {.out = room, .out_cap = sizeof(room)};
    size_t written;
    struct test_pair p;
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    assert_int_equal(cleat_tls_write(p.client.tls, &io, room, 1, &written), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_tls_write(p.server.tls, &io, room, 1, &written), CLEAT_ERR_USAGE);
    test_pair_drop(&p);
}

/* ---- aborting ---- */

static void test_an_application_ends_a_connection_with_an_alert_of_its_own(void **state)
{
    for (int before = 0; before < 2; before++) {
        uint8_t room[CLEAT_TLS_MIN_OUTPUT];
        struct cleat_tls_io io = {.out = room, .out_cap = before ? sizeof(room) : 3};
        struct test_pair p;
        test_pair_make(&p, test_client_config(), test_server_config(), NULL);
        test_pair_run(&p);
        assert_int_equal(cleat_tls_abort(p.server.tls, &io, 0, "x"), CLEAT_ERR_USAGE);
        assert_int_equal(cleat_tls_abort(p.server.tls, &io, 90, "x"), CLEAT_ERR_USAGE);
        assert_int_equal(cleat_tls_abort(p.server.tls, &io, 49, "revoked meanwhile"), CLEAT_OK);
        assert_int_equal(io.out_len != 0, before); /* without room the next step sends it */
        test_end_feed(&p.client, room, io.out_len);
        test_pair_run(&p);
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_REFUSED, 49);
        assert_string_equal(cleat_tls_error(p.server.tls)->text, "revoked meanwhile");
        assert_int_equal(cleat_tls_error(p.client.tls)->alert, 49);
        assert_int_equal(cleat_tls_abort(p.server.tls, &io, 49, "again"), CLEAT_ERR_CLOSED);
        test_pair_drop(&p);
    }
}

/* ---- lengths of records ---- */

struct longest {
    size_t plain;
};

static void watch(void *ctx, bool to_server, size_t at, uint8_t *p, size_t len)
{
    struct longest *longest = ctx;
    size_t i = 0;
    while (!to_server && i + 5 <= len) {
        size_t size = (size_t)p[i + 3] * 256 + p[i + 4];
        longest->plain = size > longest->plain ? size : longest->plain;
        i += 5 + size;
    }
    assert_true(to_server || i == len);
}

static void test_records_are_no_longer_than_they_shall_be(void **state)
{
    static uint8_t data[5000];
    for (uint16_t version = CLEAT_TLS_1_2; version <= CLEAT_TLS_1_3; version++) {
        struct cleat_tls_builder *s = test_server_builder();
        struct longest longest = {0};
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_max_fragment(s, 63), CLEAT_ERR_BAD_CONFIG);
        cleat_tls_builder_free(s);
        s = test_server_builder();
        assert_int_equal(cleat_tls_builder_versions(s, version, version), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_max_fragment(s, 200), CLEAT_OK);
        test_pair_make(&p, test_client_config(), test_finish(s), NULL);
        p.tamper = watch;
        p.tamper_ctx = &longest;
        test_pair_run(&p);
        test_assert_ready(&p);
        test_write(&p.server, &p.client, data, sizeof(data));
        watch(&longest, false, 0, p.client.in.p, p.client.in.len);
        test_pair_run(&p);
        assert_int_equal(p.client.data.len, sizeof(data));
        /* type and tag; explicit nonce and tag */
        assert_int_equal(longest.plain, 200 + (version == CLEAT_TLS_1_3 ? 1 + 16 : 8 + 16));
        test_pair_drop(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_either_side_changes_its_key_alone),
        cmocka_unit_test(test_a_request_is_answered_once_and_not_requested_back),
        cmocka_unit_test(test_several_requests_get_one_answer),
        cmocka_unit_test(test_requests_one_by_one_get_one_answer_until_data_goes_out),
        cmocka_unit_test(test_an_answer_that_has_no_room_goes_out_with_the_next_data),
        cmocka_unit_test(test_a_closed_side_does_not_answer),
        cmocka_unit_test(test_keys_change_by_themselves_after_so_many_records),
        cmocka_unit_test(test_a_large_write_crosses_key_changes),
        cmocka_unit_test(test_key_updates_in_a_row_are_counted_and_refused),
        cmocka_unit_test(test_a_key_update_needs_room_and_an_open_connection),
        cmocka_unit_test(test_closing_one_direction_leaves_the_other_open),
        cmocka_unit_test(test_what_follows_close_notify_is_ignored),
        cmocka_unit_test(test_close_notify_without_room_waits),
        cmocka_unit_test(test_an_end_without_close_notify_is_a_truncation),
        cmocka_unit_test(test_close_notify_in_the_handshake_ends_it),
        cmocka_unit_test(test_any_alert_but_close_notify_and_user_canceled_is_fatal),
        cmocka_unit_test(test_alerts_of_another_size_are_refused),
        cmocka_unit_test(test_records_that_bring_nothing_are_counted_and_refused),
        cmocka_unit_test(test_after_a_failure_nothing_is_written),
        cmocka_unit_test(test_writing_before_the_handshake_ends_is_refused),
        cmocka_unit_test(test_an_application_ends_a_connection_with_an_alert_of_its_own),
        cmocka_unit_test(test_records_are_no_longer_than_they_shall_be),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
