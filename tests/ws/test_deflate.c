/* tests/ws/test_deflate.c - permessage-deflate: the examples of RFC 7692 7.2.3, pairs of our own
 * with every window (sections 12 and 13 of the public suite: sizes, fragments, parameters), zlib as
 * an independent reader, bombs, damaged streams, memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support_ws.h"

#include <stdio.h>
#include <zlib.h>

static struct cleat_ws_options deflate_options(bool server_takeover, bool client_takeover,
                                               uint8_t bits)
{
    struct cleat_ws_options o;
    cleat_ws_options_init(&o);
    o.deflate = (struct cleat_ws_deflate){
        .on = true,
        .server_no_context_takeover = !server_takeover,
        .client_no_context_takeover = !client_takeover,
        .server_max_window_bits = bits,
        .client_max_window_bits = bits,
    };
    o.max_message = 16u << 20;
    o.queue_limit = 32u << 20;
    return o;
}

/* RFC 7692 7.2.3: payloads of the messages "Hello". */
static const struct {
    const char *name;
    const char *payload;
    size_t len;
    size_t first; /* bytes in the first fragment, 0: one frame */
} hello_rows[] = {
    {"7.2.3.1: one block", "\xf2\x48\xcd\xc9\xc9\x07\x00", 7, 0},
    {"7.2.3.1: in two fragments", "\xf2\x48\xcd\xc9\xc9\x07\x00", 7, 3},
    {"7.2.3.3: a block without compression", "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11, 0},
    {"7.2.3.4: a block with BFINAL", "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8, 0},
    {"7.2.3.5: two blocks", "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13, 0},
};

static void test_the_examples_of_the_rfc_say_hello(void **state)
{
    for (size_t i = 0; i < sizeof(hello_rows) / sizeof(hello_rows[0]); i++) {
        for (size_t step = 1; step < 20; step += 6) {
            struct cleat_ws_options o = deflate_options(false, false, 15);
            o.deflate_min = UINT32_MAX;
            struct echo e;
            struct cl_buf wire = {0};
            struct cl_buf got = {0};
            size_t first = hello_rows[i].first;
            const char *payload = hello_rows[i].payload;
            if (first != 0) {
                support_frame(&wire, true, false, 4, TEXT, payload, first);
                support_frame(&wire, true, true, 0, PING, "between", 7);
            }
            support_frame(&wire, true, true, first != 0 ? 0 : 4, first != 0 ? CONT : TEXT,
                          payload + first, hello_rows[i].len - first);
            support_echo_init(&e, false, &o);
            support_feed_cut(&e, wire.p, wire.len, step);
            support_trace(&e.sent, false, &got);
            const char *expected = first != 0 ? "O(between) T(Hello)" : "T(Hello)";
            if (strcmp(support_text(&got), expected) != 0) {
                fail_msg("%s: %s %s", hello_rows[i].name, (char *)got.p, e.err.text);
            }
            support_echo_deinit(&e);
            cl_buf_deinit(&wire);
            cl_buf_deinit(&got);
        }
    }
}

/* 7.2.3.2: the second message refers to the first. */
static void test_a_context_that_goes_on_is_kept(void **state)
{
    for (int kept = 0; kept < 2; kept++) {
        struct cleat_ws_options o = deflate_options(true, kept != 0, 15);
        o.deflate_min = UINT32_MAX;
        struct echo e;
        struct cl_buf wire = {0};
        struct cl_buf got = {0};
        support_frame(&wire, true, true, 4, TEXT, "\xf2\x48\xcd\xc9\xc9\x07\x00", 7);
        support_frame(&wire, true, true, 4, TEXT, "\xf2\x00\x11\x00\x00", 5);
        support_echo_init(&e, false, &o);
        support_feed(&e, wire.p, wire.len);
        support_trace(&e.sent, false, &got);
        assert_string_equal(support_text(&got), kept ? "T(Hello) T(Hello)" : "T(Hello) C(1007)");
        assert_int_equal(e.err.code, kept ? CLEAT_OK : CLEAT_ERR_WS_DEFLATE);
        support_echo_deinit(&e);
        cl_buf_deinit(&wire);
        cl_buf_deinit(&got);
    }
}

static const struct {
    const char *name;
    const char *payload;
    size_t len;
    int code;
    const char *close;
} broken_rows[] = {
    {"a block type that is not", "\x07\x00", 2, CLEAT_ERR_WS_DEFLATE, "C(1007)"},
    {"a distance before the beginning", "\xf2\x00\x11\x00\x00", 5, CLEAT_ERR_WS_DEFLATE, "C(1007)"},
    {"a stored block cut off", "\x00\x05\x00\xfa\xff\x48\x65", 7, CLEAT_ERR_WS_DEFLATE, "C(1007)"},
    {"a stored block with a wrong length", "\x00\x05\x00\xfb\xff\x48", 6, CLEAT_ERR_WS_DEFLATE,
     "C(1007)"},
    {"a block cut off", "\xf2\x48\xcd\xc9", 4, CLEAT_ERR_WS_DEFLATE, "C(1007)"},
    {"no byte at all", "", 0, CLEAT_ERR_WS_DEFLATE, "C(1007)"},
    {"text that is not UTF-8", "\x00\x02\x00\xfd\xff\xc3\x28\x00", 8, CLEAT_ERR_WS_UTF8, "C(1007)"},
    {"text that ends in a character", "\x00\x01\x00\xfe\xff\xc3\x00", 7, CLEAT_ERR_WS_UTF8,
     "C(1007)"},
};

static void test_damaged_streams_are_refused(void **state)
{
    for (size_t i = 0; i < sizeof(broken_rows) / sizeof(broken_rows[0]); i++) {
        for (size_t step = 1; step < 20; step += 9) {
            struct cleat_ws_options o = deflate_options(false, false, 15);
            struct echo e;
            struct cl_buf wire = {0};
            struct cl_buf got = {0};
            support_frame(&wire, true, true, 4, TEXT, broken_rows[i].payload, broken_rows[i].len);
            support_echo_init(&e, false, &o);
            support_feed_cut(&e, wire.p, wire.len, step);
            support_trace(&e.sent, false, &got);
            if (e.err.code != broken_rows[i].code ||
                strcmp(support_text(&got), broken_rows[i].close) != 0) {
                fail_msg("%s: %s, %s", broken_rows[i].name, (char *)got.p, e.err.text);
            }
            support_echo_deinit(&e);
            cl_buf_deinit(&wire);
            cl_buf_deinit(&got);
        }
    }
}

static void test_rsv1_stands_on_the_first_frame_of_a_message_alone(void **state)
{
    static const struct {
        uint8_t opcode;
        bool begin;
    } rows[] = {{CONT, true}, {PING, false}, {CLOSE, false}, {PONG, true}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cleat_ws_options o = deflate_options(false, false, 15);
        struct echo e;
        struct cl_buf wire = {0};
        if (rows[i].begin) {
            support_frame(&wire, true, false, 4, TEXT, "\xf2\x48\xcd", 3);
        }
        support_frame(&wire, true, true, 4, rows[i].opcode, "", 0);
        support_echo_init(&e, false, &o);
        support_feed(&e, wire.p, wire.len);
        assert_int_equal(e.err.code, CLEAT_ERR_WS_PROTOCOL);
        assert_string_equal(e.err.section, "RFC 7692 6.1");
        support_echo_deinit(&e);
        cl_buf_deinit(&wire);
    }
}

/* ---- pairs ------------------------------------------------------------------------------------
 */

/* Text like JSON: some of it repeats, near and far. */
static void make_text(uint8_t *p, size_t len, uint32_t *seed)
{
    static const char *const words[] = {"\"name\": ", "\"value\": ", "{\n  ",        "},\n",
                                        "1234.5, ",   "\"cleat\"",   "\"\xc3\xa9\"", "true, "};
    size_t at = 0;
    while (at < len) {
        const char *word = words[support_random(seed) % 8];
        size_t n = strlen(word);
        if (n > len - at || support_random(seed) % 4 == 0) {
            p[at++] = (uint8_t)('a' + support_random(seed) % 26);
            continue;
        }
        memcpy(p + at, word, n);
        at += n;
    }
}

/* Moves one side's output to the other, in steps. */
static void carry(struct cleat_ws *from, struct echo *to)
{
    const uint8_t *p;
    size_t len;
    while ((len = cleat_ws_output(from, &p)) != 0) {
        len = len < 5000 ? len : 5000;
        struct cl_buf copy = {0};
        assert_int_equal(cl_buf_append(&copy, p, len, len), CL_OK);
        cleat_ws_sent(from, len);
        support_feed(to, copy.p, copy.len);
        cl_buf_deinit(&copy);
    }
}

static void run_pair(struct cleat_ws_options o, size_t len, size_t fragment, size_t count)
{
    struct echo server;
    struct cleat_ws *client;
    struct cl_buf text = {0};
    uint32_t seed = (uint32_t)(len + fragment + 1);
    assert_int_equal(cl_buf_reserve(&text, len + 1, len + 1), CL_OK);
    support_echo_init(&server, false, &o);
    o.fragment_size = fragment;
    assert_int_equal(cleat_ws_client_new(&o, &client), CLEAT_OK);
    for (size_t i = 0; i < count; i++) {
        make_text(text.p, len, &seed);
        assert_int_equal(cleat_ws_send(client, false, text.p, len), CLEAT_OK);
        server.sent.len = 0;
        carry(client, &server);
        assert_int_equal(server.err.code, CLEAT_OK);
        struct cleat_ws_io io = {.in = server.sent.p, .in_len = server.sent.len};
        assert_int_equal(cleat_ws_step(client, &io), CLEAT_WS_MESSAGE);
        assert_int_equal(io.data_len, len);
        assert_memory_equal(io.data, text.p, len);
        if (len >= 1024) {
            assert_true(io.in_len < len);
        }
        assert_int_equal(cleat_ws_step(client, &io), CLEAT_WS_NEEDS_INPUT);
    }
    cleat_ws_free(client);
    support_echo_deinit(&server);
    cl_buf_deinit(&text);
}

static const struct {
    size_t len, fragment;
} size_rows[] = {
    {16, 0},      {64, 0},      {256, 0},      {1024, 0},      {4096, 0},      {8192, 0},
    {16384, 0},   {32768, 0},   {65536, 0},    {131072, 0},    {8192, 256},    {16384, 256},
    {32768, 256}, {65536, 256}, {131072, 256}, {131072, 1024}, {131072, 4096}, {131072, 32768},
};

/* 12.x and 13.x: each size with each set of parameters. */
static void test_messages_of_every_size_come_back_with_every_parameter(void **state)
{
    static const struct {
        bool server, client;
        uint8_t bits;
    } params[] = {{true, true, 15},  {false, false, 15}, {true, true, 9},
                  {false, false, 9}, {true, false, 15},  {false, true, 12}};
    for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
        for (size_t k = 0; k < sizeof(size_rows) / sizeof(size_rows[0]); k++) {
            struct cleat_ws_options o =
                deflate_options(params[i].server, params[i].client, params[i].bits);
            o.deflate_min = 0;
            run_pair(o, size_rows[k].len, size_rows[k].fragment, 4);
        }
    }
}

static void test_every_window_from_8_to_15_works_in_both_directions(void **state)
{
    for (uint8_t bits = 8; bits <= 15; bits++) {
        for (uint8_t level = 1; level <= 9; level += 4) {
            struct cleat_ws_options o = deflate_options(true, true, bits);
            o.deflate_level = level;
            run_pair(o, 20000, 0, 4);
        }
    }
}

/* The window that was agreed is kept: an inflater of zlib's with that window, fed byte by byte so
 * that it has no more history than it, reads everything. */
static void test_nothing_reaches_behind_the_agreed_window(void **state)
{
    for (uint8_t bits = 8; bits <= 10; bits++) {
        struct cleat_ws_options o = deflate_options(true, true, bits);
        o.deflate_level = 9;
        struct cleat_ws *ws;
        z_stream z = {0};
        uint8_t text[3000];
        uint8_t out[1];
        uint32_t seed = bits;
        assert_int_equal(cleat_ws_server_new(&o, &ws), CLEAT_OK);
        assert_int_equal(inflateInit2(&z, -bits), Z_OK);
        for (int round = 0; round < 20; round++) {
            const uint8_t *p;
            size_t at = 0;
            make_text(text, sizeof(text), &seed);
            assert_int_equal(cleat_ws_send(ws, true, text, sizeof(text)), CLEAT_OK);
            size_t len = cleat_ws_output(ws, &p);
            assert_int_equal(p[0], 0xc2);
            size_t head = p[1] == 126 ? 4 : 2;
            struct cl_buf wire = {0};
            assert_int_equal(cl_buf_append(&wire, p + head, len - head, len + 4), CL_OK);
            assert_int_equal(cl_buf_append(&wire, "\x00\x00\xff\xff", 4, len + 4), CL_OK);
            z.next_in = wire.p;
            z.avail_in = (uInt)wire.len;
            int rc = Z_OK;
            while (rc == Z_OK) {
                z.next_out = out;
                z.avail_out = 1;
                rc = inflate(&z, Z_SYNC_FLUSH);
                if (z.avail_out == 0) {
                    assert_true(at < sizeof(text));
                    assert_int_equal(out[0], text[at]);
                    at++;
                }
            }
            assert_int_equal(rc, Z_BUF_ERROR);
            assert_int_equal(at, sizeof(text));
            cleat_ws_sent(ws, len);
            cl_buf_deinit(&wire);
        }
        inflateEnd(&z);
        cleat_ws_free(ws);
    }
}

static void test_pieces_are_compressed_into_one_message(void **state)
{
    for (int takeover = 0; takeover < 2; takeover++) {
        struct cleat_ws_options o = deflate_options(takeover, takeover, 15);
        struct cleat_ws *client;
        struct echo server;
        static uint8_t text[100000];
        uint32_t seed = 7;
        size_t taken;
        support_echo_init(&server, false, &o);
        assert_int_equal(cleat_ws_client_new(&o, &client), CLEAT_OK);
        for (int round = 0; round < 3; round++) {
            make_text(text, sizeof(text), &seed);
            for (size_t at = 0; at < sizeof(text); at += 2500) {
                assert_int_equal(cleat_ws_send_piece(client, false, text + at, 2500, false, &taken),
                                 CLEAT_OK);
                assert_int_equal(taken, 2500);
                carry(client, &server);
            }
            assert_int_equal(cleat_ws_send_piece(client, false, NULL, 0, true, &taken), CLEAT_OK);
            /* and one of nothing at all */
            assert_int_equal(cleat_ws_send_piece(client, false, NULL, 0, false, &taken), CLEAT_OK);
            assert_int_equal(cleat_ws_send_piece(client, false, NULL, 0, true, &taken), CLEAT_OK);
            carry(client, &server);
        }
        assert_string_equal(server.err.text, "");
        assert_int_equal(server.num_messages, 6);
        assert_int_equal(server.num_bytes, 3 * sizeof(text));
        cleat_ws_free(client);
        support_echo_deinit(&server);
    }
}

/* ---- bombs and memory -------------------------------------------------------------------------
 */

/* A compressed message of len zero bytes. */
static void make_bomb(struct cl_buf *wire, size_t len)
{
    struct cleat_ws_options o = deflate_options(false, false, 15);
    struct cleat_ws *client;
    struct cl_buf zeros = {0};
    const uint8_t *p;
    o.deflate_level = 9;
    assert_int_equal(cl_buf_reserve(&zeros, len, len), CL_OK);
    memset(zeros.p, 0, len);
    assert_int_equal(cleat_ws_client_new(&o, &client), CLEAT_OK);
    assert_int_equal(cleat_ws_send(client, true, zeros.p, len), CLEAT_OK);
    size_t n = cleat_ws_output(client, &p);
    assert_int_equal(cl_buf_append(wire, p, n, n), CL_OK);
    cleat_ws_free(client);
    cl_buf_deinit(&zeros);
}

static void test_bombs_are_refused_by_size_and_by_ratio(void **state)
{
    static const struct {
        const char *name;
        size_t len;
        uint64_t max_message;
        uint32_t max_ratio;
        bool stream;
        const char *text; /* NULL: accepted */
    } rows[] = {
        {"by size", 8u << 20, 1u << 20, 0, false, "limit 1048576"},
        {"by size, in pieces", 8u << 20, 1u << 20, 0, true, "limit 1048576"},
        {"by ratio", 8u << 20, UINT64_MAX, 200, false, "a compression bomb"},
        {"by ratio, in pieces", 8u << 20, UINT64_MAX, 200, true, "a compression bomb"},
        {"allowed", 8u << 20, UINT64_MAX, 0, false, NULL},
        {"small enough", 200000, 1u << 20, 200, false, NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cleat_ws_options o = deflate_options(false, false, 15);
        struct cleat_ws_pool *pool;
        struct echo e;
        struct cl_buf wire = {0};
        make_bomb(&wire, rows[i].len);
        assert_int_equal(cleat_ws_pool_new(32u << 20, &pool), CLEAT_OK);
        o.pool = pool;
        o.max_message = rows[i].max_message;
        o.max_ratio = rows[i].max_ratio;
        o.stream = rows[i].stream;
        support_echo_init(&e, false, &o);
        e.keep_views = true;
        support_feed(&e, wire.p, wire.len);
        if (rows[i].text == NULL) {
            assert_int_equal(e.num_bytes, rows[i].len);
            assert_int_equal(e.err.code, CLEAT_OK);
        } else {
            assert_int_equal(e.err.code, CLEAT_ERR_WS_TOO_LARGE);
            assert_non_null(strstr(e.err.text, rows[i].text));
            assert_true(e.num_bytes <= (2u << 20));
        }
        support_echo_deinit(&e);
        cleat_ws_pool_free(pool);
        cl_buf_deinit(&wire);
    }
}

/* A few bytes can be the whole of a large text: all of it is handed out when they have come,
 * however they are cut. */
static void test_everything_that_has_come_is_handed_out_at_once(void **state)
{
    struct cleat_ws_options o = deflate_options(false, false, 15);
    struct cl_buf wire = {0};
    make_bomb(&wire, 200000);
    o.stream = true;
    for (size_t len = 10; len < wire.len; len += 3) {
        uint64_t num_bytes[2];
        for (size_t i = 0; i < 2; i++) {
            struct echo e;
            support_echo_init(&e, false, &o);
            e.keep_views = true;
            support_feed_cut(&e, wire.p, len, i == 0 ? len : 1);
            num_bytes[i] = e.num_bytes;
            support_echo_deinit(&e);
        }
        assert_int_equal(num_bytes[0], num_bytes[1]);
    }
    cl_buf_deinit(&wire);
}

static void test_an_idle_connection_holds_no_memory_of_the_pool(void **state)
{
    struct cleat_ws_pool *pool;
    struct echo idle[50];
    struct cl_buf wire = {0};
    static uint8_t text[20000];
    uint32_t seed = 3;
    make_text(text, sizeof(text), &seed);
    assert_int_equal(cleat_ws_pool_new(4u << 20, &pool), CLEAT_OK);
    size_t peak = 0; /* of the spare ones */
    for (size_t i = 0; i < 50; i++) {
        struct cleat_ws_options o = deflate_options(false, false, 15);
        struct cleat_ws *client;
        const uint8_t *p;
        o.pool = pool;
        support_echo_init(&idle[i], false, &o);
        assert_int_equal(cleat_ws_client_new(&o, &client), CLEAT_OK);
        assert_int_equal(cleat_ws_send(client, false, text, sizeof(text)), CLEAT_OK);
        size_t n = cleat_ws_output(client, &p);
        wire.len = 0;
        assert_int_equal(cl_buf_append(&wire, p, n, n), CL_OK);
        cleat_ws_free(client);
        support_feed(&idle[i], wire.p, wire.len);
        assert_int_equal(idle[i].num_messages, 1);
        /* the view was taken back */
        support_feed(&idle[i], "", 0);
        peak = i == 9 ? cleat_ws_pool_used(pool) : peak;
    }
    /* fifty hold no more than ten: only what is spare */
    assert_int_equal(cleat_ws_pool_used(pool), peak);
    for (size_t i = 0; i < 50; i++) {
        support_echo_deinit(&idle[i]);
    }
    assert_int_equal(cleat_ws_pool_used(pool), peak);
    cleat_ws_pool_free(pool);
    cl_buf_deinit(&wire);
}

static void test_a_budget_that_is_used_up_is_said_with_1013(void **state)
{
    struct cleat_ws_options o = deflate_options(false, false, 15);
    struct cleat_ws_pool *pool;
    struct echo e;
    struct cl_buf wire = {0};
    struct cl_buf got = {0};
    make_bomb(&wire, 100000);
    assert_int_equal(cleat_ws_pool_new(20000, &pool), CLEAT_OK);
    o.pool = pool;
    support_echo_init(&e, false, &o);
    support_feed(&e, wire.p, wire.len);
    support_trace(&e.sent, false, &got);
    assert_string_equal(support_text(&got), "C(1013)");
    assert_int_equal(e.err.code, CLEAT_ERR_LIMIT);
    assert_string_equal(e.err.text,
                        "the memory budget of all connections, 20000 bytes, is used up");
    support_echo_deinit(&e);
    cleat_ws_pool_free(pool);
    cl_buf_deinit(&wire);
    cl_buf_deinit(&got);
}

static void test_without_memory_for_a_compressor_messages_go_uncompressed(void **state)
{
    struct cleat_ws_options o = deflate_options(false, false, 15);
    struct cleat_ws_pool *pool;
    struct cleat_ws *ws;
    static uint8_t text[2000];
    const uint8_t *p;
    memset(text, 'a', sizeof(text));
    assert_int_equal(cleat_ws_pool_new(20000, &pool), CLEAT_OK);
    o.pool = pool;
    assert_int_equal(cleat_ws_server_new(&o, &ws), CLEAT_OK);
    assert_int_equal(cleat_ws_send(ws, false, text, sizeof(text)), CLEAT_OK);
    assert_int_equal(cleat_ws_output(ws, &p), 4 + sizeof(text));
    assert_int_equal(p[0], 0x81);
    cleat_ws_free(ws);
    cleat_ws_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_examples_of_the_rfc_say_hello),
        cmocka_unit_test(test_a_context_that_goes_on_is_kept),
        cmocka_unit_test(test_damaged_streams_are_refused),
        cmocka_unit_test(test_rsv1_stands_on_the_first_frame_of_a_message_alone),
        cmocka_unit_test(test_messages_of_every_size_come_back_with_every_parameter),
        cmocka_unit_test(test_every_window_from_8_to_15_works_in_both_directions),
        cmocka_unit_test(test_nothing_reaches_behind_the_agreed_window),
        cmocka_unit_test(test_pieces_are_compressed_into_one_message),
        cmocka_unit_test(test_bombs_are_refused_by_size_and_by_ratio),
        cmocka_unit_test(test_everything_that_has_come_is_handed_out_at_once),
        cmocka_unit_test(test_an_idle_connection_holds_no_memory_of_the_pool),
        cmocka_unit_test(test_a_budget_that_is_used_up_is_said_with_1013),
        cmocka_unit_test(test_without_memory_for_a_compressor_messages_go_uncompressed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
