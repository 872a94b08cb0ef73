/* tests/ws/test_limits.c - section 9 of the public suite for WebSocket (large messages, many small
 * fragments, small cuts, many messages), and our own limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support_ws.h"

#include <stdio.h>

#define MIB (1u << 20)

/* 9.1 to 9.6: size, fragment (0: one frame), cut (0: whole frames), kind. */
static const struct {
    const char *id;
    size_t len, fragment, cut;
    uint8_t kind;
} large_rows[] = {
    {"9.1.1", 64 << 10, 0, 0, TEXT},
    {"9.1.2", 256 << 10, 0, 0, TEXT},
    {"9.1.3", MIB, 0, 0, TEXT},
    {"9.1.4", 4 * MIB, 0, 0, TEXT},
    {"9.1.5", 8 * MIB, 0, 0, TEXT},
    {"9.1.6", 16 * MIB, 0, 0, TEXT},
    {"9.2.1", 64 << 10, 0, 0, BINARY},
    {"9.2.2", 256 << 10, 0, 0, BINARY},
    {"9.2.3", MIB, 0, 0, BINARY},
    {"9.2.4", 4 * MIB, 0, 0, BINARY},
    {"9.2.5", 8 * MIB, 0, 0, BINARY},
    {"9.2.6", 16 * MIB, 0, 0, BINARY},
    {"9.3.1", 4 * MIB, 64, 65536, TEXT},
    {"9.3.2", 4 * MIB, 256, 65536, TEXT},
    {"9.3.3", 4 * MIB, 1 << 10, 65536, TEXT},
    {"9.3.4", 4 * MIB, 4 << 10, 65536, TEXT},
    {"9.3.5", 4 * MIB, 16 << 10, 65536, TEXT},
    {"9.3.6", 4 * MIB, 64 << 10, 65536, TEXT},
    {"9.3.7", 4 * MIB, 256 << 10, 65536, TEXT},
    {"9.3.8", 4 * MIB, MIB, 65536, TEXT},
    {"9.3.9", 4 * MIB, 4 * MIB, 65536, TEXT},
    {"9.4.1", 4 * MIB, 64, 65536, BINARY},
    {"9.4.2", 4 * MIB, 256, 65536, BINARY},
    {"9.4.3", 4 * MIB, 1 << 10, 65536, BINARY},
    {"9.4.4", 4 * MIB, 4 << 10, 65536, BINARY},
    {"9.4.5", 4 * MIB, 16 << 10, 65536, BINARY},
    {"9.4.6", 4 * MIB, 64 << 10, 65536, BINARY},
    {"9.4.7", 4 * MIB, 256 << 10, 65536, BINARY},
    {"9.4.8", 4 * MIB, MIB, 65536, BINARY},
    {"9.4.9", 4 * MIB, 4 * MIB, 65536, BINARY},
    {"9.5.1", MIB, 0, 64, TEXT},
    {"9.5.2", MIB, 0, 128, TEXT},
    {"9.5.3", MIB, 0, 256, TEXT},
    {"9.5.4", MIB, 0, 512, TEXT},
    {"9.5.5", MIB, 0, 1024, TEXT},
    {"9.5.6", MIB, 0, 2048, TEXT},
    {"9.6.1", MIB, 0, 64, BINARY},
    {"9.6.2", MIB, 0, 128, BINARY},
    {"9.6.3", MIB, 0, 256, BINARY},
    {"9.6.4", MIB, 0, 512, BINARY},
    {"9.6.5", MIB, 0, 1024, BINARY},
    {"9.6.6", MIB, 0, 2048, BINARY},
};

static void fill(struct cl_buf *b, size_t len, uint8_t kind)
{
    static const char text[] = "BAsd7&jh23";
    static const char binary[] = "\x00\xfe\x23\xfa\xf0";
    b->len = 0;
    assert_int_equal(cl_buf_reserve(b, len, 64 * MIB), CL_OK);
    for (size_t i = 0; i < len; i++) {
        b->p[i] = (uint8_t)(kind == TEXT ? text[i % 10] : binary[i % 5]);
    }
    b->len = len;
}

static void run_large(size_t i, bool is_client)
{
    struct cleat_ws_options o;
    struct echo e;
    struct cl_buf payload = {0};
    struct cl_buf wire = {0};
    struct cl_buf got = {0};
    struct cl_buf expected = {0};
    fill(&payload, large_rows[i].len, large_rows[i].kind);
    size_t part = large_rows[i].fragment != 0 ? large_rows[i].fragment : payload.len;
    for (size_t at = 0; at < payload.len; at += part) {
        support_frame(&wire, !is_client, at + part >= payload.len, 0,
                      at == 0 ? large_rows[i].kind : CONT, payload.p + at, part);
    }
    cleat_ws_options_init(&o);
    o.max_message = 16 * MIB;
    support_echo_init(&e, is_client, &o);
    support_feed_cut(&e, wire.p, wire.len, large_rows[i].cut != 0 ? large_rows[i].cut : wire.len);
    support_trace(&e.sent, is_client, &got);
    support_word(&expected, large_rows[i].kind == TEXT ? 'T' : 'B', payload.p, payload.len);
    if (strcmp(support_text(&got), support_text(&expected)) != 0) {
        fail_msg("%s: got %s, expected %s", large_rows[i].id, (char *)got.p, (char *)expected.p);
    }
    support_echo_deinit(&e);
    cl_buf_deinit(&payload);
    cl_buf_deinit(&wire);
    cl_buf_deinit(&got);
    cl_buf_deinit(&expected);
}

static void test_large_and_fragmented_messages_come_back_whole(void **state)
{
    for (size_t i = 0; i < sizeof(large_rows) / sizeof(large_rows[0]); i++) {
        run_large(i, false);
        run_large(i, true);
    }
}

/* 9.7, 9.8: a thousand messages of 0 to 16 KiB. */
static void test_many_messages_come_back_in_order(void **state)
{
    static const size_t sizes[] = {0, 16, 64, 256, 1024, 4096};
    for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint8_t kind = i % 2 == 0 ? TEXT : BINARY;
        struct echo e;
        struct cl_buf payload = {0};
        struct cl_buf wire = {0};
        fill(&payload, sizes[i / 2], kind);
        support_echo_init(&e, false, NULL);
        for (size_t k = 0; k < 1000; k++) {
            wire.len = 0;
            e.sent.len = 0;
            support_frame(&wire, true, true, 0, kind, payload.p, payload.len);
            support_feed(&e, wire.p, wire.len);
            assert_int_equal(e.sent.len, wire.len - 4);
            assert_memory_equal(e.sent.p + e.sent.len - payload.len, payload.p, payload.len);
        }
        assert_int_equal(e.num_messages, 1000);
        support_echo_deinit(&e);
        cl_buf_deinit(&payload);
        cl_buf_deinit(&wire);
    }
}

/* 9.9: a message that does not end is taken in pieces, in bounded memory. */
static void test_a_message_larger_than_memory_is_taken_in_pieces(void **state)
{
    struct cleat_ws_options o;
    struct cleat_ws_pool *pool;
    struct echo e;
    struct cl_buf payload = {0};
    struct cl_buf wire = {0};
    assert_int_equal(cleat_ws_pool_new(8192, &pool), CLEAT_OK);
    cleat_ws_options_init(&o);
    o.stream = true;
    o.max_message = UINT64_MAX;
    o.max_fragments = 0;
    o.pool = pool;
    fill(&payload, 4096, TEXT);
    support_echo_init(&e, false, &o);
    e.keep_views = true;
    for (size_t i = 0; i < 4000; i++) {
        wire.len = 0;
        support_frame(&wire, true, false, 0, i == 0 ? TEXT : CONT, payload.p, payload.len);
        support_feed_cut(&e, wire.p, wire.len, 1500);
        assert_true(cleat_ws_pool_used(pool) <= 8192);
    }
    assert_int_equal(e.num_bytes, 4000 * 4096);
    assert_int_equal(e.num_messages, 0);
    assert_int_equal(e.err.code, CLEAT_OK);
    support_echo_deinit(&e);
    assert_int_equal(cleat_ws_pool_used(pool), 0);
    cleat_ws_pool_free(pool);
    cl_buf_deinit(&payload);
    cl_buf_deinit(&wire);
}

static void test_pieces_say_which_is_the_first_and_which_the_last(void **state)
{
    struct cleat_ws_options o;
    struct cleat_ws *ws;
    struct cl_buf wire = {0};
    cleat_ws_options_init(&o);
    o.stream = true;
    assert_int_equal(cleat_ws_client_new(&o, &ws), CLEAT_OK);
    support_frame(&wire, false, false, 0, BINARY, "ab", 2);
    support_frame(&wire, false, false, 0, CONT, "", 0);
    support_frame(&wire, false, false, 0, CONT, "c", 1);
    support_frame(&wire, false, true, 0, CONT, "", 0);
    struct cleat_ws_io io = {.in = wire.p, .in_len = wire.len};
    static const struct {
        const char *data;
        bool first, last;
    } pieces[] = {{"ab", true, false}, {"c", false, false}, {"", false, true}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(cleat_ws_step(ws, &io), CLEAT_WS_MESSAGE);
        assert_true(io.binary);
        assert_int_equal(io.data_len, strlen(pieces[i].data));
        assert_memory_equal(io.data, pieces[i].data, io.data_len);
        assert_int_equal(io.first, pieces[i].first);
        assert_int_equal(io.last, pieces[i].last);
    }
    assert_int_equal(cleat_ws_step(ws, &io), CLEAT_WS_NEEDS_INPUT);
    cleat_ws_free(ws);
    cl_buf_deinit(&wire);
}

static void test_a_message_in_one_frame_is_a_view_into_the_input(void **state)
{
    struct cleat_ws_options o;
    struct cleat_ws *ws;
    struct cl_buf wire = {0};
    cleat_ws_options_init(&o);
    assert_int_equal(cleat_ws_server_new(&o, &ws), CLEAT_OK);
    support_frame(&wire, true, true, 0, TEXT, "Hello", 5);
    struct cleat_ws_io io = {.in = wire.p, .in_len = wire.len};
    assert_int_equal(cleat_ws_step(ws, &io), CLEAT_WS_MESSAGE);
    assert_ptr_equal(io.data, wire.p + 6);
    assert_memory_equal(io.data, "Hello", 5);
    cleat_ws_free(ws);
    cl_buf_deinit(&wire);
}

/* What is announced is judged before it arrives: the header alone is sent. */
static const struct {
    const char *name;
    const char *head;
    size_t len;
    int code;
    const char *close;
    const char *text;
} announced_rows[] = {
    {"a gigabyte", "\x82\xff\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00", 14,
     CLEAT_ERR_WS_TOO_LARGE, "C(1009)",
     "frame 1: a message of at least 1073741824 bytes, limit 1000"},
    {"one byte too many", "\x82\xfe\x03\xe9\x00\x00\x00\x00", 8, CLEAT_ERR_WS_TOO_LARGE, "C(1009)",
     "at least 1001 bytes, limit 1000"},
    {"2^63 - 1", "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", 14,
     CLEAT_ERR_WS_TOO_LARGE, "C(1009)", "9223372036854775807"},
    {"2^63", "\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 14, CLEAT_ERR_WS_PROTOCOL,
     "C(1002)", "first bit"},
    {"5 in 16 bits", "\x82\xfe\x00\x05\x00\x00\x00\x00", 8, CLEAT_ERR_WS_PROTOCOL, "C(1002)",
     "a payload of 5 bytes, its length written in 2 bytes"},
    {"125 in 16 bits", "\x82\xfe\x00\x7d\x00\x00\x00\x00", 8, CLEAT_ERR_WS_PROTOCOL, "C(1002)",
     "shortest"},
    {"65535 in 64 bits", "\x82\xff\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x00\x00", 14,
     CLEAT_ERR_WS_PROTOCOL, "C(1002)", "a payload of 65535 bytes, its length written in 8 bytes"},
    {"a frame without mask", "\x82\x05", 2, CLEAT_ERR_WS_PROTOCOL, "C(1002)", "without mask"},
    {"a ping of 126", "\x89\xfe", 2, CLEAT_ERR_WS_PROTOCOL, "C(1002)", "more than 125"},
};

static void test_lengths_are_judged_as_announced(void **state)
{
    struct cleat_ws_options o;
    cleat_ws_options_init(&o);
    o.max_message = 1000;
    for (size_t i = 0; i < sizeof(announced_rows) / sizeof(announced_rows[0]); i++) {
        struct echo e;
        struct cl_buf got = {0};
        support_echo_init(&e, false, &o);
        support_feed_cut(&e, announced_rows[i].head, announced_rows[i].len, 1);
        support_trace(&e.sent, false, &got);
        assert_string_equal(support_text(&got), announced_rows[i].close);
        assert_int_equal(e.err.code, announced_rows[i].code);
        if (strstr(e.err.text, announced_rows[i].text) == NULL) {
            fail_msg("%s: \"%s\"", announced_rows[i].name, e.err.text);
        }
        support_echo_deinit(&e);
        cl_buf_deinit(&got);
    }
}

static void test_a_masked_frame_of_a_server_is_refused(void **state)
{
    struct echo e;
    struct cl_buf wire = {0};
    support_frame(&wire, true, true, 0, TEXT, "Hello", 5);
    support_echo_init(&e, true, NULL);
    support_feed(&e, wire.p, wire.len);
    assert_int_equal(e.err.code, CLEAT_ERR_WS_PROTOCOL);
    assert_string_equal(e.err.section, "RFC 6455 5.1");
    support_echo_deinit(&e);
    cl_buf_deinit(&wire);
}

/* Sends fragments until the connection fails; returns how many it took. */
static size_t flood(const struct cleat_ws_options *o, uint8_t opcode, const char *payload,
                    struct cleat_error *err)
{
    struct echo e;
    struct cl_buf wire = {0};
    size_t num = 0;
    support_echo_init(&e, false, o);
    while (e.err.code == CLEAT_OK && num < 100000) {
        bool control = opcode >= CLOSE;
        wire.len = 0;
        support_frame(&wire, true, control, 0, control || num == 0 ? opcode : CONT, payload,
                      strlen(payload));
        support_feed(&e, wire.p, wire.len);
        num++;
    }
    *err = e.err;
    support_echo_deinit(&e);
    cl_buf_deinit(&wire);
    return num;
}

static void test_endless_fragments_end_at_the_limits(void **state)
{
    struct cleat_ws_options o;
    struct cleat_error err;
    cleat_ws_options_init(&o);
    o.max_fragments = 5000;
    assert_int_equal(flood(&o, TEXT, "x", &err), 5001);
    assert_int_equal(err.code, CLEAT_ERR_WS_POLICY);
    assert_int_equal(flood(&o, TEXT, "", &err), 102);
    assert_int_equal(err.code, CLEAT_ERR_WS_POLICY);
    o.max_message = 300;
    assert_int_equal(flood(&o, BINARY, "ten bytes.", &err), 31);
    assert_int_equal(err.code, CLEAT_ERR_WS_TOO_LARGE);
}

static void test_floods_of_control_frames_are_refused(void **state)
{
    struct cleat_ws_options o;
    struct cleat_error err;
    cleat_ws_options_init(&o);
    assert_int_equal(flood(&o, PING, "", &err), 1001);
    assert_int_equal(err.code, CLEAT_ERR_WS_POLICY);
    assert_int_equal(flood(&o, PONG, "x", &err), 1001);
    assert_string_equal(err.text, "frame 1001: more than 1000 control frames within a second");
}

static void test_pings_that_are_spread_in_time_are_no_flood(void **state)
{
    struct echo e;
    struct cl_buf wire = {0};
    support_frame(&wire, true, true, 0, PING, "x", 1);
    support_echo_init(&e, false, NULL);
    for (size_t i = 0; i < 5000; i++) {
        support_feed(&e, wire.p, wire.len);
        e.now += 2000;
    }
    assert_int_equal(e.num_pings, 5000);
    assert_int_equal(e.err.code, CLEAT_OK);
    support_echo_deinit(&e);
    cl_buf_deinit(&wire);
}

static void test_kinds_that_are_refused_get_1003(void **state)
{
    struct cleat_ws_options o;
    struct cleat_error err;
    cleat_ws_options_init(&o);
    o.refuse_binary = true;
    assert_int_equal(flood(&o, BINARY, "x", &err), 1);
    assert_int_equal(err.code, CLEAT_ERR_WS_POLICY);
    o.refuse_binary = false;
    o.refuse_text = true;
    assert_int_equal(flood(&o, TEXT, "x", &err), 1);
    assert_string_equal(err.section, "RFC 6455 7.4.1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large_and_fragmented_messages_come_back_whole),
        cmocka_unit_test(test_many_messages_come_back_in_order),
        cmocka_unit_test(test_a_message_larger_than_memory_is_taken_in_pieces),
        cmocka_unit_test(test_pieces_say_which_is_the_first_and_which_the_last),
        cmocka_unit_test(test_a_message_in_one_frame_is_a_view_into_the_input),
        cmocka_unit_test(test_lengths_are_judged_as_announced),
        cmocka_unit_test(test_a_masked_frame_of_a_server_is_refused),
        cmocka_unit_test(test_endless_fragments_end_at_the_limits),
        cmocka_unit_test(test_floods_of_control_frames_are_refused),
        cmocka_unit_test(test_pings_that_are_spread_in_time_are_no_flood),
        cmocka_unit_test(test_kinds_that_are_refused_get_1003),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
