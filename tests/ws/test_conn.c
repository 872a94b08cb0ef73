/* tests/ws/test_conn.c - the life of a connection: closing, clean and unclean ends, pings and their
 * time, time-outs, what is queued and in which order, what happens when the queue is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support_ws.h"

#include <stdio.h>

#define SECOND 1000000u

static struct cleat_ws *new_server(const struct cleat_ws_options *o)
{
    struct cleat_ws *ws;
    struct cleat_ws_options defaults;
    cleat_ws_options_init(&defaults);
    assert_int_equal(cleat_ws_server_new(o != NULL ? o : &defaults, &ws), CLEAT_OK);
    return ws;
}

/* Takes at most n bytes of the output onto sent. */
static size_t take(struct cleat_ws *ws, struct cl_buf *sent, size_t n)
{
    const uint8_t *p;
    size_t len = cleat_ws_output(ws, &p);
    len = len < n ? len : n;
    assert_int_equal(cl_buf_append(sent, p, len, 1u << 24), CL_OK);
    cleat_ws_sent(ws, len);
    return len;
}

static void take_all(struct cleat_ws *ws, struct cl_buf *sent)
{
    while (take(ws, sent, SIZE_MAX) != 0) {
    }
}

static void expect(struct cl_buf *sent, const char *trace)
{
    struct cl_buf got = {0};
    support_trace(sent, false, &got);
    assert_string_equal(support_text(&got), trace);
    cl_buf_deinit(&got);
    cl_buf_deinit(sent);
}

static enum cleat_ws_next feed(struct cleat_ws *ws, uint64_t now, bool fin, uint8_t opcode,
                               const char *payload, size_t len, struct cleat_ws_io *io)
{
    static uint8_t room[512];
    struct cl_buf wire = {0};
    support_frame(&wire, true, fin, 0, opcode, payload, len);
    assert_true(wire.len <= sizeof(room));
    memcpy(room, wire.p, wire.len);
    *io = (struct cleat_ws_io){.in = room, .in_len = wire.len, .now = now};
    cl_buf_deinit(&wire);
    return cleat_ws_step(ws, io);
}

/* ---- closing ----------------------------------------------------------------------------------
 */

static void test_our_close_frame_goes_out_behind_the_messages(void **state)
{
    struct cleat_ws *ws = new_server(NULL);
    struct cleat_ws_io io;
    struct cl_buf sent = {0};
    assert_int_equal(cleat_ws_send(ws, false, "one", 3), CLEAT_OK);
    assert_int_equal(cleat_ws_close(ws, 0, CLEAT_WS_GOING_AWAY, "bye", 3), CLEAT_OK);
    assert_int_equal(cleat_ws_state(ws), CLEAT_WS_CLOSING);
    assert_int_equal(cleat_ws_send(ws, false, "two", 3), CLEAT_ERR_CLOSED);
    assert_int_equal(cleat_ws_close(ws, 0, CLEAT_WS_NORMAL, NULL, 0), CLEAT_ERR_CLOSED);
    assert_int_equal(cleat_ws_ping(ws, 0, NULL, 0), CLEAT_ERR_CLOSED);
    take_all(ws, &sent);
    assert_int_equal(sent.len, 5 + 7);
    assert_memory_equal(sent.p + 5,
                        "\x88\x05\x03\xe9"
                        "bye",
                        7);
    expect(&sent, "T(one) C(1001)");
    /* what the peer had on its way still arrives */
    assert_int_equal(feed(ws, 0, true, TEXT, "late", 4, &io), CLEAT_WS_MESSAGE);
    assert_int_equal(feed(ws, 0, true, CLOSE, "\x03\xe9", 2, &io), CLEAT_WS_CLOSE);
    assert_int_equal(io.code, 1001);
    assert_int_equal(cleat_ws_state(ws), CLEAT_WS_CLOSED);
    take_all(ws, &sent);
    assert_int_equal(sent.len, 0);
    assert_int_equal(cleat_ws_eof(ws), CLEAT_OK);
    cleat_ws_free(ws);
    cl_buf_deinit(&sent);
}

static void test_codes_and_reasons_that_must_not_be_sent_are_refused(void **state)
{
    struct cleat_ws *ws = new_server(NULL);
    static const uint16_t codes[] = {0, 999, 1004, 1006, 1015, 1016, 2999, 5000};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        assert_int_equal(cleat_ws_close(ws, 0, codes[i], NULL, 0), CLEAT_ERR_USAGE);
    }
    char reason[124];
    memset(reason, 'x', sizeof(reason));
    assert_int_equal(cleat_ws_close(ws, 0, 1000, reason, 124), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_ws_close(ws, 0, 1000, "\xff", 1), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_ws_close(ws, 0, CLEAT_WS_NO_STATUS, "x", 1), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_ws_close(ws, 0, CLEAT_WS_NO_STATUS, NULL, 0), CLEAT_OK);
    cleat_ws_free(ws);
}

static void test_an_end_without_close_frame_is_unclean(void **state)
{
    struct cleat_error err;
    struct cleat_ws *ws = new_server(NULL);
    assert_int_equal(cleat_ws_eof(ws), CLEAT_ERR_WS_UNCLEAN);
    assert_int_equal(cleat_ws_error(ws, &err), CLEAT_ERR_WS_UNCLEAN);
    assert_non_null(strstr(err.text, "1006"));
    cleat_ws_free(ws);

    ws = new_server(NULL);
    assert_int_equal(cleat_ws_close(ws, 0, 1000, NULL, 0), CLEAT_OK);
    assert_int_equal(cleat_ws_eof(ws), CLEAT_ERR_WS_UNCLEAN);
    cleat_ws_free(ws);
}

static void test_an_end_with_messages_unsent_is_unclean_and_counts_them(void **state)
{
    struct cleat_ws_stats stats;
    struct cleat_ws_io io;
    struct cleat_ws *ws = new_server(NULL);
    assert_int_equal(cleat_ws_send(ws, false, "one", 3), CLEAT_OK);
    assert_int_equal(cleat_ws_send(ws, false, "two", 3), CLEAT_OK);
    assert_int_equal(feed(ws, 0, true, CLOSE, "", 0, &io), CLEAT_WS_CLOSE);
    assert_int_equal(io.code, CLEAT_WS_NO_STATUS);
    assert_int_equal(cleat_ws_eof(ws), CLEAT_ERR_WS_UNCLEAN);
    cleat_ws_stats(ws, &stats);
    assert_int_equal(stats.messages_dropped, 2);
    cleat_ws_free(ws);
}

static void test_what_was_queued_before_the_peers_mistake_is_still_sent(void **state)
{
    struct cleat_ws_io io;
    struct cl_buf sent = {0};
    struct cleat_ws *ws = new_server(NULL);
    assert_int_equal(cleat_ws_send(ws, false, "answer", 6), CLEAT_OK);
    assert_int_equal(feed(ws, 0, true, 3, "bad", 3, &io), CLEAT_WS_FAILED);
    take_all(ws, &sent);
    assert_memory_equal(sent.p,
                        "\x81\x06"
                        "answer",
                        8);
    assert_int_equal(sent.p[8], 0x88);
    assert_memory_equal(sent.p + 10, "\x03\xea", 2);
    cleat_ws_free(ws);
    cl_buf_deinit(&sent);
}

/* ---- time -------------------------------------------------------------------------------------
 */

static void test_a_pong_tells_the_round_trip(void **state)
{
    struct cleat_ws_io io;
    struct cl_buf sent = {0};
    struct cleat_ws *ws = new_server(NULL);
    assert_int_equal(cleat_ws_ping(ws, 5 * SECOND, NULL, 0), CLEAT_OK);
    take_all(ws, &sent);
    assert_int_equal(sent.len, 10);
    assert_int_equal(feed(ws, 5 * SECOND + 10, true, PONG, "other", 5, &io), CLEAT_WS_PONG);
    assert_true(io.rtt == UINT64_MAX);
    assert_int_equal(feed(ws, 5 * SECOND + 1234, true, PONG, (const char *)sent.p + 2, 8, &io),
                     CLEAT_WS_PONG);
    assert_int_equal(io.rtt, 1234);
    assert_int_equal(feed(ws, 5 * SECOND + 1300, true, PONG, (const char *)sent.p + 2, 8, &io),
                     CLEAT_WS_PONG);
    assert_true(io.rtt == UINT64_MAX);
    cleat_ws_free(ws);
    cl_buf_deinit(&sent);
}

static void test_a_silent_peer_is_pinged_and_then_given_up(void **state)
{
    uint64_t next;
    struct cleat_error err;
    struct cl_buf sent = {0};
    struct cleat_ws *ws = new_server(NULL);
    assert_int_equal(cleat_ws_tick(ws, 100 * SECOND, &next), CLEAT_OK);
    assert_int_equal(next, 130 * SECOND);
    assert_int_equal(cleat_ws_tick(ws, 129 * SECOND, &next), CLEAT_OK);
    assert_int_equal(next, 130 * SECOND);
    take_all(ws, &sent);
    assert_int_equal(sent.len, 0);
    assert_int_equal(cleat_ws_tick(ws, 130 * SECOND, &next), CLEAT_OK);
    assert_int_equal(next, 150 * SECOND);
    take_all(ws, &sent);
    expect(&sent, "I(\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x01)");
    assert_int_equal(cleat_ws_tick(ws, 150 * SECOND, &next), CLEAT_ERR_WS_TIMEOUT);
    assert_true(next == UINT64_MAX);
    assert_int_equal(cleat_ws_tick(ws, 151 * SECOND, &next), CLEAT_OK);
    assert_int_equal(cleat_ws_error(ws, &err), CLEAT_ERR_WS_TIMEOUT);
    take_all(ws, &sent);
    expect(&sent, "C(1011)");
    cleat_ws_free(ws);
}

static void test_whatever_arrives_puts_the_ping_off(void **state)
{
    uint64_t next;
    struct cleat_ws_io io;
    struct cleat_ws *ws = new_server(NULL);
    assert_int_equal(feed(ws, 100 * SECOND, true, TEXT, "x", 1, &io), CLEAT_WS_MESSAGE);
    assert_int_equal(cleat_ws_tick(ws, 110 * SECOND, &next), CLEAT_OK);
    assert_int_equal(next, 130 * SECOND);
    assert_int_equal(cleat_ws_tick(ws, 130 * SECOND, &next), CLEAT_OK);
    assert_int_equal(feed(ws, 140 * SECOND, true, TEXT, "x", 1, &io), CLEAT_WS_MESSAGE);
    assert_int_equal(cleat_ws_tick(ws, 159 * SECOND, &next), CLEAT_OK);
    assert_int_equal(next, 160 * SECOND);
    cleat_ws_free(ws);
}

static void test_a_peer_that_does_not_close_is_given_up(void **state)
{
    uint64_t next;
    struct cleat_ws *ws = new_server(NULL);
    assert_int_equal(cleat_ws_close(ws, 10 * SECOND, 1000, NULL, 0), CLEAT_OK);
    assert_int_equal(cleat_ws_tick(ws, 11 * SECOND, &next), CLEAT_OK);
    assert_int_equal(next, 15 * SECOND);
    assert_int_equal(cleat_ws_tick(ws, 15 * SECOND, &next), CLEAT_ERR_WS_TIMEOUT);
    assert_int_equal(cleat_ws_state(ws), CLEAT_WS_BROKEN);
    cleat_ws_free(ws);
}

/* ---- the queue --------------------------------------------------------------------------------
 */

static void test_control_frames_overtake_data_but_not_inside_a_frame(void **state)
{
    struct cleat_ws_options o;
    struct cleat_ws_io io;
    cleat_ws_options_init(&o);
    o.fragment_size = 4;
    for (size_t first = 1; first < 30; first++) {
        struct cl_buf sent = {0};
        struct cleat_ws *ws = new_server(&o);
        assert_int_equal(cleat_ws_send(ws, false, "abcdefghij", 10), CLEAT_OK);
        assert_int_equal(cleat_ws_send(ws, false, "second", 6), CLEAT_OK);
        take(ws, &sent, first);
        assert_int_equal(feed(ws, 0, true, PING, "now", 3, &io), CLEAT_WS_PING);
        while (take(ws, &sent, 1) != 0) {
        }
        expect(&sent, first <= 12   ? "O(now) T(abcdefghij) T(second)"
                      : first <= 22 ? "T(abcdefghij) O(now) T(second)"
                                    : "T(abcdefghij) T(second) O(now)");
        cleat_ws_free(ws);
    }
}

static void test_a_full_queue_blocks_and_goes_on(void **state)
{
    struct cleat_ws_options o;
    struct cl_buf sent = {0};
    char message[400];
    cleat_ws_options_init(&o);
    o.queue_limit = 1000;
    memset(message, 'm', sizeof(message));
    struct cleat_ws *ws = new_server(&o);
    assert_int_equal(cleat_ws_send(ws, false, message, 400), CLEAT_OK);
    assert_int_equal(cleat_ws_send(ws, false, message, 400), CLEAT_OK);
    assert_int_equal(cleat_ws_send(ws, false, message, 400), CLEAT_ERR_WS_QUEUE_FULL);
    assert_int_equal(cleat_ws_queued(ws), 2 * 404);
    take(ws, &sent, 404);
    assert_int_equal(cleat_ws_send(ws, false, message, 400), CLEAT_OK);
    take_all(ws, &sent);
    assert_int_equal(sent.len, 3 * 404);
    assert_int_equal(cleat_ws_queued(ws), 0);
    cleat_ws_free(ws);
    cl_buf_deinit(&sent);
}

static void test_a_message_beyond_the_limit_is_taken_by_an_empty_queue(void **state)
{
    struct cleat_ws_options o;
    static char message[5000];
    cleat_ws_options_init(&o);
    o.queue_limit = 1000;
    struct cleat_ws *ws = new_server(&o);
    assert_int_equal(cleat_ws_send(ws, true, message, sizeof(message)), CLEAT_OK);
    assert_int_equal(cleat_ws_send(ws, true, message, 1), CLEAT_ERR_WS_QUEUE_FULL);
    cleat_ws_free(ws);
}

static void test_pieces_are_taken_as_far_as_the_queue_has_room(void **state)
{
    struct cleat_ws_options o;
    struct cl_buf sent = {0};
    struct cl_buf got = {0};
    struct cl_buf expected = {0};
    static char message[5000];
    size_t at = 0;
    cleat_ws_options_init(&o);
    o.queue_limit = 1000;
    memset(message, 'm', sizeof(message));
    struct cleat_ws *ws = new_server(&o);
    while (at < sizeof(message)) {
        size_t taken;
        int rc = cleat_ws_send_piece(ws, true, message + at, sizeof(message) - at, true, &taken);
        at += taken;
        assert_true(cleat_ws_queued(ws) <= 1000);
        if (taken == 0) {
            assert_int_equal(rc, CLEAT_ERR_WS_QUEUE_FULL);
            take(ws, &sent, 700);
        }
        if (at != sizeof(message)) {
            assert_int_equal(cleat_ws_send(ws, true, "x", 1), CLEAT_ERR_USAGE);
            assert_int_equal(cleat_ws_close(ws, 0, 1000, NULL, 0), CLEAT_ERR_USAGE);
        }
    }
    take_all(ws, &sent);
    support_trace(&sent, false, &got);
    support_word(&expected, 'B', message, sizeof(message));
    assert_string_equal(support_text(&got), support_text(&expected));
    cleat_ws_free(ws);
    cl_buf_deinit(&sent);
    cl_buf_deinit(&got);
    cl_buf_deinit(&expected);
}

static void test_the_oldest_messages_make_room_and_are_counted(void **state)
{
    struct cleat_ws_options o;
    struct cleat_ws_stats stats;
    struct cl_buf sent = {0};
    char message[92];
    cleat_ws_options_init(&o);
    o.queue_limit = 500;
    o.full = CLEAT_WS_FULL_DROP_OLDEST;
    o.fragment_size = 40;
    struct cleat_ws *ws = new_server(&o);
    for (int i = 0; i < 10; i++) {
        memset(message, '0' + i, sizeof(message));
        int rc = cleat_ws_send(ws, false, message, i == 0 ? 60 : 1);
        /* two frames of the first are begun, it is never dropped */
        assert_true(rc == CLEAT_OK);
        if (i == 0) {
            take(ws, &sent, 10);
        }
    }
    memset(message, 'x', sizeof(message));
    int dropped = 0;
    for (int i = 0; i < 6; i++) {
        dropped += cleat_ws_send(ws, false, message, 92) == CLEAT_WS_DROPPED;
    }
    assert_true(dropped >= 2);
    cleat_ws_stats(ws, &stats);
    assert_true(stats.messages_dropped >= 9);
    assert_true(cleat_ws_queued(ws) <= 500);
    take_all(ws, &sent);
    struct cl_buf got = {0};
    support_trace(&sent, false, &got);
    const char *text = support_text(&got);
    assert_int_equal(strncmp(text, "T(000000000000000000", 20), 0);
    assert_null(strchr(text, '1'));
    size_t words = 0;
    for (const char *p = text; (p = strchr(p, 'T')) != NULL; p++) {
        words++;
    }
    assert_int_equal(words + stats.messages_dropped, 16);
    cleat_ws_free(ws);
    cl_buf_deinit(&sent);
    cl_buf_deinit(&got);
}

static void test_a_peer_that_is_too_slow_is_closed_with_1013(void **state)
{
    struct cleat_ws_options o;
    struct cleat_ws_stats stats;
    struct cleat_error err;
    struct cl_buf sent = {0};
    char message[400];
    cleat_ws_options_init(&o);
    o.queue_limit = 1000;
    o.full = CLEAT_WS_FULL_CLOSE;
    memset(message, 'm', sizeof(message));
    struct cleat_ws *ws = new_server(&o);
    assert_int_equal(cleat_ws_send(ws, true, message, 400), CLEAT_OK);
    assert_int_equal(cleat_ws_send(ws, true, message, 400), CLEAT_OK);
    take(ws, &sent, 10);
    assert_int_equal(cleat_ws_send(ws, true, message, 400), CLEAT_ERR_WS_QUEUE_FULL);
    assert_int_equal(cleat_ws_send(ws, true, message, 1), CLEAT_ERR_CLOSED);
    assert_int_equal(cleat_ws_error(ws, &err), CLEAT_ERR_WS_QUEUE_FULL);
    assert_non_null(strstr(err.text, "798 bytes wait, limit 1000"));
    take_all(ws, &sent);
    /* the frame that had begun is finished, so that the close frame can be read */
    assert_int_equal(sent.p[404], 0x88);
    assert_memory_equal(sent.p + 406, "\x03\xf5", 2);
    cleat_ws_stats(ws, &stats);
    assert_int_equal(stats.messages_dropped, 1);
    cleat_ws_free(ws);
    cl_buf_deinit(&sent);
}

/* Failing by sending must not take away what the last step handed out. */
static void test_a_view_outlives_a_failure_until_the_next_step(void **state)
{
    struct cleat_ws_options o;
    struct cleat_ws_io io;
    cleat_ws_options_init(&o);
    o.queue_limit = 10;
    o.full = CLEAT_WS_FULL_CLOSE;
    cleat_ws_deflate_init(&o.deflate, true);
    for (int compressed = 0; compressed < 2; compressed++) {
        struct cleat_ws *ws = new_server(&o);
        if (compressed) {
            uint8_t wire[] = {0xc1, 0x87, 0, 0, 0, 0, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00};
            io = (struct cleat_ws_io){.in = wire, .in_len = sizeof(wire)};
            assert_int_equal(cleat_ws_step(ws, &io), CLEAT_WS_MESSAGE);
        } else {
            assert_int_equal(feed(ws, 0, false, TEXT, "Hel", 3, &io), CLEAT_WS_NEEDS_INPUT);
            assert_int_equal(feed(ws, 0, true, CONT, "lo", 2, &io), CLEAT_WS_MESSAGE);
        }
        assert_int_equal(cleat_ws_send(ws, false, "first one", 9), CLEAT_OK);
        assert_int_equal(cleat_ws_send(ws, false, io.data, io.data_len), CLEAT_ERR_WS_QUEUE_FULL);
        assert_int_equal(io.data_len, 5);
        assert_memory_equal(io.data, "Hello", 5);
        assert_int_equal(cleat_ws_step(ws, &io), CLEAT_WS_FAILED);
        cleat_ws_free(ws);
    }
}

static void test_pings_faster_than_the_output_get_the_newest_pongs(void **state)
{
    struct cleat_ws_stats stats;
    struct cleat_ws_io io;
    struct cl_buf sent = {0};
    struct cleat_ws *ws = new_server(NULL);
    char payload[100];
    memset(payload, 'p', sizeof(payload));
    for (int i = 0; i < 900; i++) {
        payload[0] = (char)('0' + i % 10);
        assert_int_equal(feed(ws, 0, true, PING, payload, sizeof(payload), &io), CLEAT_WS_PING);
    }
    take_all(ws, &sent);
    assert_true(sent.len <= 2048);
    assert_int_equal(sent.p[sent.len - 100], '9');
    cleat_ws_stats(ws, &stats);
    assert_int_equal(sent.len / 102 + stats.pongs_skipped, 900);
    cleat_ws_free(ws);
    cl_buf_deinit(&sent);
}

static void test_text_that_is_not_utf8_is_not_sent(void **state)
{
    size_t taken;
    struct cleat_ws *ws = new_server(NULL);
    assert_int_equal(cleat_ws_send(ws, false, "\xc3", 1), CLEAT_ERR_WS_UTF8);
    assert_int_equal(cleat_ws_send(ws, false, "\xed\xa0\x80", 3), CLEAT_ERR_WS_UTF8);
    assert_int_equal(cleat_ws_send_piece(ws, false, "\xc3", 1, false, &taken), CLEAT_OK);
    assert_int_equal(cleat_ws_send_piece(ws, false, "x", 1, true, &taken), CLEAT_ERR_WS_UTF8);
    assert_int_equal(cleat_ws_send_piece(ws, false, "", 0, true, &taken), CLEAT_ERR_WS_UTF8);
    assert_int_equal(cleat_ws_send_piece(ws, false, "\xa9", 1, true, &taken), CLEAT_OK);
    cleat_ws_free(ws);
}

static void count_frame(void *ctx, const struct cleat_ws_frame *frame)
{
    struct cl_buf *text = ctx;
    assert_int_equal(cl_buf_printf(text, 4096, "%s%llu op=%u fin=%d rsv=%u masked=%d len=%llu\n",
                                   frame->received ? "<" : ">", (unsigned long long)frame->number,
                                   frame->opcode, frame->fin, frame->rsv, frame->masked,
                                   (unsigned long long)frame->len),
                     CL_OK);
}

static void test_every_frame_is_told_the_wrong_one_too(void **state)
{
    struct cleat_ws_options o;
    struct cleat_ws_io io;
    struct cl_buf text = {0};
    cleat_ws_options_init(&o);
    o.frame = count_frame;
    o.frame_ctx = &text;
    struct cleat_ws *ws = new_server(&o);
    assert_int_equal(feed(ws, 0, true, PING, "hi", 2, &io), CLEAT_WS_PING);
    assert_int_equal(feed(ws, 0, true, 5, "", 0, &io), CLEAT_WS_FAILED);
    struct cl_buf sent = {0};
    take_all(ws, &sent);
    static const char expected[] = "<1 op=9 fin=1 rsv=0 masked=1 len=2\n"
                                   ">1 op=10 fin=1 rsv=0 masked=0 len=2\n"
                                   "<2 op=5 fin=1 rsv=0 masked=1 len=0\n"
                                   ">2 op=8 fin=1 rsv=0 masked=0 len=";
    assert_true(text.len > sizeof(expected));
    assert_memory_equal(text.p, expected, sizeof(expected) - 1);
    cleat_ws_free(ws);
    cl_buf_deinit(&sent);
    cl_buf_deinit(&text);
}

static int fill_fixed(void *ctx, uint8_t *out, size_t len)
{
    memset(out, 0x5a, len);
    return *(int *)ctx;
}

static void test_masking_keys_come_from_the_given_source(void **state)
{
    struct cleat_ws_options o;
    struct cleat_ws *ws;
    const uint8_t *p;
    int result = 0;
    cleat_ws_options_init(&o);
    o.random = fill_fixed;
    o.random_ctx = &result;
    assert_int_equal(cleat_ws_client_new(&o, &ws), CLEAT_OK);
    assert_int_equal(cleat_ws_send(ws, false, "A", 1), CLEAT_OK);
    assert_int_equal(cleat_ws_output(ws, &p), 7);
    assert_memory_equal(p, "\x81\x81\x5a\x5a\x5a\x5a\x1b", 7);
    result = 1;
    assert_int_equal(cleat_ws_send(ws, false, "A", 1), CLEAT_ERR_RANDOM);
    assert_int_equal(cleat_ws_output(ws, &p), 7);
    cleat_ws_free(ws);
}

static void test_close_codes_have_words(void **state)
{
    for (unsigned code = 0; code <= 5000; code++) {
        assert_true(strlen(cleat_ws_code_sentence((uint16_t)code)) > 5);
    }
    assert_string_equal(cleat_ws_code_sentence(1002), "protocol error");
    assert_string_equal(cleat_ws_code_sentence(3500), "a code of a library or framework");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_our_close_frame_goes_out_behind_the_messages),
        cmocka_unit_test(test_codes_and_reasons_that_must_not_be_sent_are_refused),
        cmocka_unit_test(test_an_end_without_close_frame_is_unclean),
        cmocka_unit_test(test_an_end_with_messages_unsent_is_unclean_and_counts_them),
        cmocka_unit_test(test_what_was_queued_before_the_peers_mistake_is_still_sent),
        cmocka_unit_test(test_a_pong_tells_the_round_trip),
        cmocka_unit_test(test_a_silent_peer_is_pinged_and_then_given_up),
        cmocka_unit_test(test_whatever_arrives_puts_the_ping_off),
        cmocka_unit_test(test_a_peer_that_does_not_close_is_given_up),
        cmocka_unit_test(test_control_frames_overtake_data_but_not_inside_a_frame),
        cmocka_unit_test(test_a_full_queue_blocks_and_goes_on),
        cmocka_unit_test(test_a_message_beyond_the_limit_is_taken_by_an_empty_queue),
        cmocka_unit_test(test_pieces_are_taken_as_far_as_the_queue_has_room),
        cmocka_unit_test(test_the_oldest_messages_make_room_and_are_counted),
        cmocka_unit_test(test_a_peer_that_is_too_slow_is_closed_with_1013),
        cmocka_unit_test(test_a_view_outlives_a_failure_until_the_next_step),
        cmocka_unit_test(test_pings_faster_than_the_output_get_the_newest_pongs),
        cmocka_unit_test(test_text_that_is_not_utf8_is_not_sent),
        cmocka_unit_test(test_every_frame_is_told_the_wrong_one_too),
        cmocka_unit_test(test_masking_keys_come_from_the_given_source),
        cmocka_unit_test(test_close_codes_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
