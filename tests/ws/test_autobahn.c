/* tests/ws/test_autobahn.c - the cases of the public suite for WebSocket (crossbario/
 * autobahn-testsuite), sections 1 to 5, 7 and 10, each as a row: what its fuzzing peer sends, and
 * what an echo of ours has to answer. Every row runs against a server and a client of ours, with
 * the bytes cut in several ways. Section 6 is test_autobahn_text.c, 9 test_limits.c, 12 and 13
 * test_deflate.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support_ws.h"

#include <stdio.h>

struct spec {
    uint8_t opcode;
    bool fin;
    uint8_t rsv;
    size_t len;
    const char *payload; /* or, when len is longer than it, its first byte repeated */
    bool fill;
};

#define F(op, fin, rsv, text)                       \
    {                                               \
        op, fin, rsv, sizeof(text) - 1, text, false \
    }
#define FILL(op, byte, len)         \
    {                               \
        op, FIN, 0, len, byte, true \
    }
#define BYE F(CLOSE, FIN, 0, "\x03\xe8")

#define MAX_SPECS 12
struct row {
    const char *id;
    const char *expected; /* NULL: the one message or ping, echoed, then C(1000) */
    struct spec specs[MAX_SPECS];
};

#define HELLO "Hello, world!"

static const struct row rows[] = {
    {"1.1.1", NULL, {F(TEXT, FIN, 0, "")}},
    {"1.1.2", NULL, {FILL(TEXT, "*", 125)}},
    {"1.1.3", NULL, {FILL(TEXT, "*", 126)}},
    {"1.1.4", NULL, {FILL(TEXT, "*", 127)}},
    {"1.1.5", NULL, {FILL(TEXT, "*", 128)}},
    {"1.1.6", NULL, {FILL(TEXT, "*", 65535)}},
    {"1.1.7, 1.1.8", NULL, {FILL(TEXT, "*", 65536)}},
    {"1.2.1", NULL, {F(BINARY, FIN, 0, "")}},
    {"1.2.2", NULL, {FILL(BINARY, "\xfe", 125)}},
    {"1.2.3", NULL, {FILL(BINARY, "\xfe", 126)}},
    {"1.2.4", NULL, {FILL(BINARY, "\xfe", 127)}},
    {"1.2.5", NULL, {FILL(BINARY, "\xfe", 128)}},
    {"1.2.6", NULL, {FILL(BINARY, "\xfe", 65535)}},
    {"1.2.7, 1.2.8", NULL, {FILL(BINARY, "\xfe", 65536)}},

    {"2.1", NULL, {F(PING, FIN, 0, "")}},
    {"2.2", NULL, {F(PING, FIN, 0, HELLO)}},
    {"2.3", NULL, {F(PING, FIN, 0, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff")}},
    {"2.4, 2.6", NULL, {FILL(PING, "\xfe", 125)}},
    {"2.5", "C(1002)", {FILL(PING, "\xfe", 126)}},
    {"2.7", "C(1000)", {F(PONG, FIN, 0, ""), BYE}},
    {"2.8", "C(1000)", {F(PONG, FIN, 0, "unsolicited pong payload"), BYE}},
    {"2.9",
     "O(ping payload) C(1000)",
     {F(PONG, FIN, 0, "unsolicited"), F(PING, FIN, 0, "ping payload"), BYE}},
    {"2.10, 2.11",
     "O(0) O(1) O(2) O(3) O(4) O(5) O(6) O(7) O(8) O(9) C(1000)",
     {F(PING, FIN, 0, "0"), F(PING, FIN, 0, "1"), F(PING, FIN, 0, "2"), F(PING, FIN, 0, "3"),
      F(PING, FIN, 0, "4"), F(PING, FIN, 0, "5"), F(PING, FIN, 0, "6"), F(PING, FIN, 0, "7"),
      F(PING, FIN, 0, "8"), F(PING, FIN, 0, "9"), BYE}},

    {"3.1", "C(1002)", {F(TEXT, FIN, 1, HELLO)}},
    {"3.2",
     "T(Hello, world!) C(1002)",
     {F(TEXT, FIN, 0, HELLO), F(TEXT, FIN, 2, HELLO), F(PING, FIN, 0, "")}},
    {"3.3",
     "T(Hello, world!) C(1002)",
     {F(TEXT, FIN, 0, HELLO), F(TEXT, FIN, 3, HELLO), F(PING, FIN, 0, "")}},
    {"3.4",
     "T(Hello, world!) C(1002)",
     {F(TEXT, FIN, 0, HELLO), F(TEXT, FIN, 4, HELLO), F(PING, FIN, 0, "")}},
    {"3.5", "C(1002)", {F(BINARY, FIN, 5, "\x00\xff\xfe\xfd\xfc\xfb\x00\xff")}},
    {"3.6", "C(1002)", {F(PING, FIN, 6, HELLO)}},
    {"3.7", "C(1002)", {F(CLOSE, FIN, 7, "")}},

    {"4.1.1", "C(1002)", {F(3, FIN, 0, "")}},
    {"4.1.2", "C(1002)", {F(4, FIN, 0, "reserved opcode payload")}},
    {"4.1.3",
     "T(Hello, world!) C(1002)",
     {F(TEXT, FIN, 0, HELLO), F(5, FIN, 0, ""), F(PING, FIN, 0, "")}},
    {"4.1.4",
     "T(Hello, world!) C(1002)",
     {F(TEXT, FIN, 0, HELLO), F(6, FIN, 0, HELLO), F(PING, FIN, 0, "")}},
    {"4.1.5",
     "T(Hello, world!) C(1002)",
     {F(TEXT, FIN, 0, HELLO), F(7, FIN, 0, HELLO), F(PING, FIN, 0, "")}},
    {"4.2.1", "C(1002)", {F(11, FIN, 0, "")}},
    {"4.2.2", "C(1002)", {F(12, FIN, 0, "reserved opcode payload")}},
    {"4.2.3",
     "T(Hello, world!) C(1002)",
     {F(TEXT, FIN, 0, HELLO), F(13, FIN, 0, ""), F(PING, FIN, 0, "")}},
    {"4.2.4",
     "T(Hello, world!) C(1002)",
     {F(TEXT, FIN, 0, HELLO), F(14, FIN, 0, HELLO), F(PING, FIN, 0, "")}},
    {"4.2.5",
     "T(Hello, world!) C(1002)",
     {F(TEXT, FIN, 0, HELLO), F(15, FIN, 0, HELLO), F(PING, FIN, 0, "")}},

    {"5.1", "C(1002)", {F(PING, NO_FIN, 0, "a"), F(CONT, FIN, 0, "b")}},
    {"5.2", "C(1002)", {F(PONG, NO_FIN, 0, "a"), F(CONT, FIN, 0, "b")}},
    {"5.3, 5.4, 5.5", "T(ab) C(1000)", {F(TEXT, NO_FIN, 0, "a"), F(CONT, FIN, 0, "b"), BYE}},
    {"5.6, 5.7, 5.8",
     "O(ping) T(ab) C(1000)",
     {F(TEXT, NO_FIN, 0, "a"), F(PING, FIN, 0, "ping"), F(CONT, FIN, 0, "b"), BYE}},
    {"5.9, 5.10, 5.11", "C(1002)", {F(CONT, FIN, 0, "no"), F(TEXT, FIN, 0, HELLO)}},
    {"5.12, 5.13, 5.14", "C(1002)", {F(CONT, NO_FIN, 0, "no"), F(TEXT, FIN, 0, HELLO)}},
    {"5.15",
     "T(ab) C(1002)",
     {F(TEXT, NO_FIN, 0, "a"), F(CONT, FIN, 0, "b"), F(CONT, NO_FIN, 0, "c"),
      F(TEXT, FIN, 0, "d")}},
    {"5.16",
     "C(1002)",
     {F(CONT, NO_FIN, 0, "a"), F(TEXT, NO_FIN, 0, "b"), F(CONT, FIN, 0, "c"),
      F(CONT, NO_FIN, 0, "a"), F(TEXT, NO_FIN, 0, "b"), F(CONT, FIN, 0, "c")}},
    {"5.17",
     "C(1002)",
     {F(CONT, FIN, 0, "a"), F(TEXT, NO_FIN, 0, "b"), F(CONT, FIN, 0, "c"), F(CONT, FIN, 0, "a"),
      F(TEXT, NO_FIN, 0, "b"), F(CONT, FIN, 0, "c")}},
    {"5.18", "C(1002)", {F(TEXT, NO_FIN, 0, "a"), F(TEXT, FIN, 0, "b")}},
    {"5.19, 5.20",
     "O(pongme 1!) O(pongme 2!) T(abcde) C(1000)",
     {F(TEXT, NO_FIN, 0, "a"), F(CONT, NO_FIN, 0, "b"), F(PING, FIN, 0, "pongme 1!"),
      F(CONT, NO_FIN, 0, "c"), F(CONT, NO_FIN, 0, "d"), F(PING, FIN, 0, "pongme 2!"),
      F(CONT, FIN, 0, "e"), BYE}},

    {"7.1.1", "T(Hello World!) C(1000)", {F(TEXT, FIN, 0, "Hello World!"), BYE}},
    {"7.1.2", "C(1000)", {BYE, F(CLOSE, FIN, 0, "")}},
    {"7.1.3", "C(1000)", {BYE, F(PING, FIN, 0, "")}},
    {"7.1.4", "C(1000)", {BYE, F(TEXT, FIN, 0, "Hello World!")}},
    {"7.1.5", "C(1000)", {F(TEXT, NO_FIN, 0, "a"), BYE, F(CONT, FIN, 0, "b")}},
    {"7.3.1", "C()", {F(CLOSE, FIN, 0, "")}},
    {"7.3.2", "C(1002)", {F(CLOSE, FIN, 0, "a")}},
    {"7.3.3", "C(1000)", {BYE}},
    {"7.3.4", "C(1000)", {F(CLOSE, FIN, 0, "\x03\xe8Hello World!")}},
    {"7.3.6", "C(1002)", {FILL(CLOSE, "\x03", 126)}},
    {"7.5.1",
     "C(1007)",
     {F(CLOSE, FIN, 0,
        "\x03\xe8\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"
        "edited")}},
    {"7.7.1", "C(1000)", {F(CLOSE, FIN, 0, "\x03\xe8")}},
    {"7.7.2", "C(1001)", {F(CLOSE, FIN, 0, "\x03\xe9")}},
    {"7.7.3", "C(1002)", {F(CLOSE, FIN, 0, "\x03\xea")}},
    {"7.7.4", "C(1003)", {F(CLOSE, FIN, 0, "\x03\xeb")}},
    {"7.7.5", "C(1007)", {F(CLOSE, FIN, 0, "\x03\xef")}},
    {"7.7.6", "C(1008)", {F(CLOSE, FIN, 0, "\x03\xf0")}},
    {"7.7.7", "C(1009)", {F(CLOSE, FIN, 0, "\x03\xf1")}},
    {"7.7.8", "C(1010)", {F(CLOSE, FIN, 0, "\x03\xf2")}},
    {"7.7.9", "C(1011)", {F(CLOSE, FIN, 0, "\x03\xf3")}},
    {"7.7.10", "C(3000)", {F(CLOSE, FIN, 0, "\x0b\xb8")}},
    {"7.7.11", "C(3999)", {F(CLOSE, FIN, 0, "\x0f\x9f")}},
    {"7.7.12", "C(4000)", {F(CLOSE, FIN, 0, "\x0f\xa0")}},
    {"7.7.13", "C(4999)", {F(CLOSE, FIN, 0, "\x13\x87")}},
    {"7.9.1: 0", "C(1002)", {F(CLOSE, FIN, 0, "\x00\x00")}},
    {"7.9.2: 999", "C(1002)", {F(CLOSE, FIN, 0, "\x03\xe7")}},
    {"7.9.3: 1004", "C(1002)", {F(CLOSE, FIN, 0, "\x03\xec")}},
    {"7.9.4: 1005", "C(1002)", {F(CLOSE, FIN, 0, "\x03\xed")}},
    {"7.9.5: 1006", "C(1002)", {F(CLOSE, FIN, 0, "\x03\xee")}},
    {"7.9.6: 1016", "C(1002)", {F(CLOSE, FIN, 0, "\x03\xf8")}},
    {"7.9.7: 1100", "C(1002)", {F(CLOSE, FIN, 0, "\x04\x4c")}},
    {"7.9.8: 2000", "C(1002)", {F(CLOSE, FIN, 0, "\x07\xd0")}},
    {"7.9.9: 2999", "C(1002)", {F(CLOSE, FIN, 0, "\x0b\xb7")}},
    {"1015", "C(1002)", {F(CLOSE, FIN, 0, "\x03\xf7")}},
    {"7.13.1: 5000", "C(1002)", {F(CLOSE, FIN, 0, "\x13\x88")}},
    {"7.13.2: 65535", "C(1002)", {F(CLOSE, FIN, 0, "\xff\xff")}},
};

/* The bytes that the peer sends, and what it has to see. */
static void build(const struct row *row, bool masked, struct cl_buf *wire, struct cl_buf *expected)
{
    for (size_t i = 0; i < MAX_SPECS && (row->specs[i].payload != NULL); i++) {
        const struct spec *s = &row->specs[i];
        struct cl_buf payload = {0};
        assert_int_equal(cl_buf_reserve(&payload, s->len + 1, 1u << 20), CL_OK);
        if (s->fill) {
            memset(payload.p, s->payload[0], s->len);
        } else {
            memcpy(payload.p, s->payload, s->len);
        }
        support_frame(wire, masked, s->fin, s->rsv, s->opcode, payload.p, s->len);
        if (row->expected == NULL) {
            support_word(expected,
                         s->opcode == PING   ? 'O'
                         : s->opcode == TEXT ? 'T'
                                             : 'B',
                         payload.p, s->len);
        }
        cl_buf_deinit(&payload);
    }
    if (row->expected == NULL) {
        support_frame(wire, masked, true, 0, CLOSE, "\x03\xe8", 2);
        support_word(expected, 'C', "\x03\xe8", 2);
    } else {
        assert_int_equal(cl_buf_printf(expected, 1u << 20, "%s", row->expected), CL_OK);
    }
}

static void run(const struct row *row, bool is_client, size_t step)
{
    struct echo e;
    struct cl_buf wire = {0};
    struct cl_buf expected = {0};
    struct cl_buf got = {0};
    build(row, !is_client, &wire, &expected);
    support_echo_init(&e, is_client, NULL);
    support_feed_cut(&e, wire.p, wire.len, step);
    support_trace(&e.sent, is_client, &got);
    if (strcmp(support_text(&got), support_text(&expected)) != 0) {
        fail_msg("%s, %s, cut at %zu: got %s, expected %s", row->id,
                 is_client ? "client" : "server", step, (char *)got.p, (char *)expected.p);
    }
    bool is_failure = row->expected != NULL && e.close_code == 0;
    assert_int_equal(cleat_ws_state(e.ws), is_failure ? CLEAT_WS_BROKEN : CLEAT_WS_CLOSED);
    assert_int_equal(cleat_ws_eof(e.ws), is_failure ? e.err.code : CLEAT_OK);
    if (is_failure) {
        assert_true(e.err.section[0] != '\0' && e.err.text[0] != '\0');
    }
    support_echo_deinit(&e);
    cl_buf_deinit(&wire);
    cl_buf_deinit(&expected);
    cl_buf_deinit(&got);
}

static void test_every_row_is_answered_as_the_suite_wants(void **state)
{
    static const size_t steps[] = {SIZE_MAX / 2, 1, 2, 3, 7, 997};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++) {
            run(&rows[i], false, steps[k]);
            run(&rows[i], true, steps[k]);
        }
    }
}

/* 7.1.6: the echo of a large message is still on its way when the close frame comes. */
static void test_a_message_before_the_close_frame_is_answered_before_it(void **state)
{
    struct echo e;
    struct cl_buf wire = {0};
    struct cl_buf got = {0};
    struct cl_buf payload = {0};
    assert_int_equal(cl_buf_reserve(&payload, 256 << 10, 1 << 20), CL_OK);
    memset(payload.p, 'B', 256 << 10);
    support_frame(&wire, true, true, 0, TEXT, payload.p, 256 << 10);
    support_frame(&wire, true, true, 0, TEXT, "Hello World!", 12);
    support_frame(&wire, true, true, 0, CLOSE, "\x03\xe8", 2);
    support_frame(&wire, true, true, 0, PING, "", 0);
    support_echo_init(&e, false, NULL);
    struct cleat_ws_io io = {.in = wire.p, .in_len = wire.len};
    enum cleat_ws_next next;
    do {
        next = cleat_ws_step(e.ws, &io);
        if (next == CLEAT_WS_MESSAGE) {
            assert_int_equal(cleat_ws_send(e.ws, false, io.data, io.data_len), CLEAT_OK);
        }
    } while (next != CLEAT_WS_NEEDS_INPUT);
    support_drain(&e);
    support_trace(&e.sent, false, &got);
    assert_non_null(strstr(support_text(&got), ") T(Hello World!) C(1000)"));
    assert_int_equal(strncmp((char *)got.p, "T(262144 bytes", 14), 0);
    assert_int_equal(cleat_ws_state(e.ws), CLEAT_WS_CLOSED);
    support_echo_deinit(&e);
    cl_buf_deinit(&wire);
    cl_buf_deinit(&got);
    cl_buf_deinit(&payload);
}

/* 7.3.5: a reason of 123 bytes is the longest. */
static void test_the_reason_of_a_close_frame_is_told(void **state)
{
    char payload[125] = "\x03\xe8";
    memset(payload + 2, '*', 123);
    struct echo e;
    struct cl_buf wire = {0};
    support_frame(&wire, true, true, 0, CLOSE, payload, 125);
    support_echo_init(&e, false, NULL);
    support_feed_cut(&e, wire.p, wire.len, 10);
    assert_int_equal(e.close_code, CLEAT_WS_NORMAL);
    assert_int_equal(strlen(e.close_reason), 123);
    assert_int_equal(strspn(e.close_reason, "*"), 123);
    support_echo_deinit(&e);
    cl_buf_deinit(&wire);
}

/* 10.1.1: 65,536 bytes in fragments of 1,300 are 50 full ones and one of 536. */
static void test_long_messages_are_sent_in_fragments_when_asked_for(void **state)
{
    struct cleat_ws_options o;
    cleat_ws_options_init(&o);
    o.fragment_size = 1300;
    struct echo e;
    struct cl_buf payload = {0};
    struct cl_buf got = {0};
    struct cl_buf expected = {0};
    assert_int_equal(cl_buf_reserve(&payload, 65536, 65536), CL_OK);
    memset(payload.p, '*', 65536);
    support_echo_init(&e, true, &o);
    assert_int_equal(cleat_ws_send(e.ws, false, payload.p, 65536), CLEAT_OK);
    support_drain(&e);
    support_trace(&e.sent, true, &got);
    support_word(&expected, 'T', payload.p, 65536);
    assert_string_equal(support_text(&got), support_text(&expected));
    struct cleat_ws_stats stats;
    cleat_ws_stats(e.ws, &stats);
    assert_int_equal(stats.frames_sent, 51);
    assert_int_equal(stats.messages_sent, 1);
    support_echo_deinit(&e);
    cl_buf_deinit(&payload);
    cl_buf_deinit(&got);
    cl_buf_deinit(&expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_is_answered_as_the_suite_wants),
        cmocka_unit_test(test_a_message_before_the_close_frame_is_answered_before_it),
        cmocka_unit_test(test_the_reason_of_a_close_frame_is_told),
        cmocka_unit_test(test_long_messages_are_sent_in_fragments_when_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
