/* tests/ws/test_prepared.c - messages that are encoded once and sent on many connections: their
 * order among others, the queue's limit and policies, compression, half-sent frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "support_ws.h"

static struct cleat_ws_options options(void)
{
    struct cleat_ws_options o;
    cleat_ws_options_init(&o);
    return o;
}

static struct cleat_ws_prepared *prepare(const struct cleat_ws_options *o, const char *text)
{
    struct cleat_ws_prepared *m = NULL;
    assert_int_equal(cleat_ws_prepare(o, false, text, strlen(text), &m), CLEAT_OK);
    return m;
}

static void send_text(struct cleat_ws *ws, const char *text)
{
    assert_int_equal(cleat_ws_send(ws, false, text, strlen(text)), CLEAT_OK);
}

/* Takes the output in steps of `step` bytes. */
static void drain(struct cleat_ws *ws, struct cl_buf *wire, size_t step)
{
    const uint8_t *p;
    size_t len;
    while ((len = cleat_ws_output(ws, &p)) != 0) {
        len = len < step ? len : step;
        assert_int_equal(cl_buf_append(wire, p, len, SIZE_MAX), CL_OK);
        cleat_ws_sent(ws, len);
    }
}

static void assert_trace(struct cl_buf *wire, const char *expected)
{
    struct cl_buf text = {0};
    support_trace(wire, false, &text);
    assert_string_equal(support_text(&text), expected);
    cl_buf_deinit(&text);
    cl_buf_deinit(wire);
}

static void test_it_arrives_on_every_connection_and_is_freed_with_the_last(void **state)
{
    struct cleat_ws_options o = options();
    struct cleat_ws_prepared *m = prepare(&o, "to all");
    struct cleat_ws *ws[3];
    struct cl_buf wire = {0};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(cleat_ws_server_new(&o, &ws[i]), CLEAT_OK);
        assert_int_equal(cleat_ws_send_prepared(ws[i], m), CLEAT_OK);
        assert_int_equal(cleat_ws_queued(ws[i]), cleat_ws_prepared_size(m));
    }
    cleat_ws_prepared_free(m);
    for (size_t i = 0; i < 2; i++) {
        drain(ws[i], &wire, 3);
        assert_int_equal(cleat_ws_queued(ws[i]), 0);
        assert_trace(&wire, "T(to all)");
        cleat_ws_free(ws[i]);
    }
    cleat_ws_free(ws[2]); /* not sent */
}

static void test_messages_of_both_kinds_keep_their_order(void **state)
{
    struct cleat_ws_options o = options();
    struct cleat_ws_prepared *m = prepare(&o, "shared");
    for (size_t step = 1; step < 30; step++) {
        struct cleat_ws *ws = NULL;
        struct cl_buf wire = {0};
        const uint8_t *p;
        assert_int_equal(cleat_ws_server_new(&o, &ws), CLEAT_OK);
        send_text(ws, "1");
        assert_int_equal(cleat_ws_send_prepared(ws, m), CLEAT_OK);
        assert_int_equal(cleat_ws_send_prepared(ws, m), CLEAT_OK);
        /* some of it goes, then one of its own comes behind */
        size_t len = cleat_ws_output(ws, &p);
        len = len < step ? len : step;
        assert_int_equal(cl_buf_append(&wire, p, len, SIZE_MAX), CL_OK);
        cleat_ws_sent(ws, len);
        len = cleat_ws_output(ws, &p);
        len = len < step ? len : step;
        assert_int_equal(cl_buf_append(&wire, p, len, SIZE_MAX), CL_OK);
        cleat_ws_sent(ws, len);
        send_text(ws, "2");
        assert_int_equal(cleat_ws_send_prepared(ws, m), CLEAT_OK);
        assert_int_equal(cleat_ws_close(ws, 0, 1000, NULL, 0), CLEAT_OK);
        drain(ws, &wire, step);
        assert_trace(&wire, "T(1) T(shared) T(shared) T(2) T(shared) C(1000)");
        cleat_ws_free(ws);
    }
    cleat_ws_prepared_free(m);
}

static void test_control_frames_overtake_but_never_go_into_a_frame(void **state)
{
    struct cleat_ws_options o = options();
    struct cleat_ws_prepared *m = prepare(&o, "shared");
    struct cleat_ws *ws = NULL;
    struct cl_buf wire = {0};
    const uint8_t *p;
    assert_int_equal(cleat_ws_server_new(&o, &ws), CLEAT_OK);
    assert_int_equal(cleat_ws_send_prepared(ws, m), CLEAT_OK);
    assert_int_equal(cleat_ws_send_prepared(ws, m), CLEAT_OK);
    assert_true(cleat_ws_output(ws, &p) >= 3);
    assert_int_equal(cl_buf_append(&wire, p, 3, SIZE_MAX), CL_OK);
    cleat_ws_sent(ws, 3);
    assert_int_equal(cleat_ws_ping(ws, 0, "p", 1), CLEAT_OK);
    drain(ws, &wire, SIZE_MAX);
    assert_trace(&wire, "T(shared) I(p) T(shared)");
    cleat_ws_free(ws);
    cleat_ws_prepared_free(m);
}

static void test_the_limit_and_its_policies_hold_for_it_too(void **state)
{
    for (enum cleat_ws_full full = CLEAT_WS_FULL_BLOCK; full <= CLEAT_WS_FULL_CLOSE; full++) {
        struct cleat_ws_options o = options();
        o.full = full;
        o.queue_limit = 30;
        struct cleat_ws_prepared *one = prepare(&o, "1234567");
        struct cleat_ws_prepared *two = prepare(&o, "abcdefg");
        struct cleat_ws *ws = NULL;
        struct cl_buf wire = {0};
        assert_int_equal(cleat_ws_server_new(&o, &ws), CLEAT_OK);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(cleat_ws_send_prepared(ws, one), CLEAT_OK);
        }
        int code = cleat_ws_send_prepared(ws, two);
        assert_int_equal(code, full == CLEAT_WS_FULL_DROP_OLDEST ? CLEAT_WS_DROPPED
                                                                 : CLEAT_ERR_WS_QUEUE_FULL);
        struct cleat_ws_stats stats;
        cleat_ws_stats(ws, &stats);
        const uint64_t dropped[] = {0, 1, 3};
        assert_int_equal(stats.messages_dropped, dropped[full]);
        if (full == CLEAT_WS_FULL_CLOSE) {
            assert_int_equal(cleat_ws_failure_code(ws), 1013);
            cl_buf_deinit(&wire);
        } else {
            drain(ws, &wire, SIZE_MAX);
            assert_trace(&wire, full == CLEAT_WS_FULL_BLOCK ? "T(1234567) T(1234567) T(1234567)"
                                                            : "T(1234567) T(1234567) T(abcdefg)");
        }
        cleat_ws_free(ws);
        cleat_ws_prepared_free(one);
        cleat_ws_prepared_free(two);
    }
}

static void test_who_agreed_on_compression_gets_it_compressed(void **state)
{
    struct cleat_ws_options o = options();
    cleat_ws_deflate_init(&o.deflate, true);
    char text[1001];
    memset(text, 'x', 1000);
    text[1000] = '\0';
    struct cleat_ws_prepared *m = prepare(&o, text);
    for (int kind = 0; kind < 4; kind++) {
        struct cleat_ws_options own = o;
        struct cleat_ws *ws = NULL;
        const uint8_t *p;
        own.deflate.on = kind != 1;
        own.deflate.server_no_context_takeover = kind != 2;
        own.deflate.server_max_window_bits = kind == 3 ? 9 : 15;
        assert_int_equal(cleat_ws_server_new(&own, &ws), CLEAT_OK);
        assert_int_equal(cleat_ws_send_prepared(ws, m), CLEAT_OK);
        size_t len = cleat_ws_output(ws, &p);
        assert_int_equal((p[0] & 0x40) != 0, kind == 0);
        assert_int_equal(len < 100, kind == 0);
        assert_int_equal(cleat_ws_queued(ws), len);
        cleat_ws_free(ws);
    }
    cleat_ws_prepared_free(m);
}

static void test_a_client_and_a_message_that_is_no_text_are_refused(void **state)
{
    struct cleat_ws_options o = options();
    struct cleat_ws_prepared *m = NULL;
    struct cleat_ws *ws = NULL;
    assert_int_equal(cleat_ws_prepare(&o, false, "\xff", 1, &m), CLEAT_ERR_WS_UTF8);
    assert_null(m);
    assert_int_equal(cleat_ws_prepare(&o, true, "\xff", 1, &m), CLEAT_OK);
    assert_int_equal(cleat_ws_client_new(&o, &ws), CLEAT_OK);
    assert_int_equal(cleat_ws_send_prepared(ws, m), CLEAT_ERR_USAGE);
    cleat_ws_free(ws);
    cleat_ws_prepared_free(m);
}

static void test_a_thousand_wait_and_go_in_their_order(void **state)
{
    struct cleat_ws_options o = options();
    struct cleat_ws *ws = NULL;
    struct cl_buf wire = {0};
    struct cl_buf expected = {0};
    assert_int_equal(cleat_ws_server_new(&o, &ws), CLEAT_OK);
    for (int i = 0; i < 1000; i++) {
        char text[16];
        (void)snprintf(text, sizeof(text), "%d", i);
        struct cleat_ws_prepared *m = prepare(&o, text);
        assert_int_equal(cleat_ws_send_prepared(ws, m), CLEAT_OK);
        cleat_ws_prepared_free(m);
        assert_int_equal(cl_buf_printf(&expected, SIZE_MAX, "%sT(%d)", i > 0 ? " " : "", i), CL_OK);
        if (i % 3 == 0) {
            const uint8_t *p;
            size_t len = cleat_ws_output(ws, &p);
            assert_int_equal(cl_buf_append(&wire, p, len, SIZE_MAX), CL_OK);
            cleat_ws_sent(ws, len);
        }
    }
    drain(ws, &wire, SIZE_MAX);
    assert_trace(&wire, support_text(&expected));
    cl_buf_deinit(&expected);
    cleat_ws_free(ws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_arrives_on_every_connection_and_is_freed_with_the_last),
        cmocka_unit_test(test_messages_of_both_kinds_keep_their_order),
        cmocka_unit_test(test_control_frames_overtake_but_never_go_into_a_frame),
        cmocka_unit_test(test_the_limit_and_its_policies_hold_for_it_too),
        cmocka_unit_test(test_who_agreed_on_compression_gets_it_compressed),
        cmocka_unit_test(test_a_client_and_a_message_that_is_no_text_are_refused),
        cmocka_unit_test(test_a_thousand_wait_and_go_in_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
