/* tests/h2/test_abuse.c - what a peer may not make a server do (RFC 9113 10.5), each attack by its
 * name: the connection ends with ENHANCE_YOUR_CALM and words, or the stream does. */
#include <string.h>

#include "support_h2.h"

static struct end server;

static int set_up(void **state)
{
    (void)state;
    start(&server, true, NULL);
    greet(&server);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    finish(&server);
    return 0;
}

static void assert_calmed(const char *what)
{
    struct cleat_error err;
    assert_int_not_equal(cleat_h2_error(server.h2, &err), CLEAT_OK);
    if (strstr(err.text, what) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.text, what);
    }
    assert_int_equal(code_of_goaway(&server), CLEAT_H2_ENHANCE_YOUR_CALM);
    assert_int_equal(cleat_h2_state(server.h2), CLEAT_H2_CLOSED);
}

static void send_frame(uint8_t type, uint8_t flags, uint32_t stream, const void *p, size_t len)
{
    struct cl_buf b = {0};
    frame(&b, type, flags, stream, p, len);
    feed(&server, b.p, b.len);
    cl_buf_deinit(&b);
}

static void open_stream(uint32_t stream, bool end)
{
    struct cl_buf b = {0};
    block(&b, "/");
    send_frame(1, end ? 5 : 4, stream, b.p, b.len);
    cl_buf_deinit(&b);
}

/* How many of `n` frames went through before the end. */
static size_t flood(uint8_t type, uint8_t flags, uint32_t stream, const void *p, size_t len,
                    size_t n)
{
    size_t i = 0;
    struct cleat_error err;
    for (; i < n && cleat_h2_error(server.h2, &err) == CLEAT_OK; i++) {
        (void)code_of_goaway(&server);
        send_frame(type, flags, stream, p, len);
    }
    return i;
}

static void test_rapid_reset(void **state)
{
    (void)state;
    struct cleat_error err;
    uint32_t id = 1;
    for (; id < 2000 && cleat_h2_error(server.h2, &err) == CLEAT_OK; id += 2) {
        open_stream(id, true);
        send_frame(3, 0, id, "\0\0\0\x08", 4);
    }
    assert_true(id < 2 * 210);
    assert_calmed("streams that end by a reset");
}

static void test_resets_at_the_pace_of_a_browser_are_fine(void **state)
{
    (void)state;
    struct cleat_error err;
    for (uint32_t id = 1; id < 4000; id += 2) {
        open_stream(id, true);
        send_frame(3, 0, id, "\0\0\0\x08", 4);
        server.now += 50000; /* twenty a second */
        (void)code_of_goaway(&server);
    }
    assert_int_equal(cleat_h2_error(server.h2, &err), CLEAT_OK);
}

/* CVE-2025-8671: the server is made to reset, by a window that overflows. */
static void test_made_you_reset(void **state)
{
    (void)state;
    struct cleat_error err;
    uint32_t id = 1;
    for (; id < 4000 && cleat_h2_error(server.h2, &err) == CLEAT_OK; id += 2) {
        (void)code_of_goaway(&server);
        open_stream(id, true);
        send_frame(8, 0, id, "\x7f\xff\xff\xff", 4);
        server.now += 20000; /* so that it is not WINDOW_UPDATE that ends it */
    }
    assert_true(id < 4000);
    assert_calmed("streams that end by a reset");
}

static void test_a_flood_of_pings(void **state)
{
    (void)state;
    assert_true(flood(6, 0, 0, "12345678", 8, 1000) <= 101);
    assert_calmed("PING frames");
}

static void test_a_flood_of_settings(void **state)
{
    (void)state;
    assert_true(flood(4, 0, 0, "", 0, 1000) <= 21);
    assert_calmed("SETTINGS frames");
}

static void test_a_flood_of_empty_data(void **state)
{
    (void)state;
    open_stream(1, false);
    assert_true(flood(0, 0, 1, "", 0, 1000) <= 101);
    assert_calmed("are empty");
}

/* nghttp2 skips what RFC 7540's priorities would need, this rule (RFC 9113 6.3) with it. */
static void test_a_priority_for_no_stream(void **state)
{
    struct cleat_error err;
    (void)state;
    send_frame(2, 0, 3, "\0\0\0\0\x10", 5);
    assert_int_equal(cleat_h2_error(server.h2, &err), CLEAT_OK);
    send_frame(2, 0, 0x80000000u, "\0\0\0\0\x10", 5);
    assert_int_equal(cleat_h2_error(server.h2, &err), CLEAT_ERR_HTTP_SYNTAX);
    assert_string_equal(err.section, "RFC 9113 6.3");
    assert_int_equal(code_of_goaway(&server), CLEAT_H2_PROTOCOL_ERROR);
}

static void test_a_flood_of_priorities(void **state)
{
    (void)state;
    assert_true(flood(2, 0, 3, "\0\0\0\0\x10", 5, 3000) <= 1001);
    assert_calmed("about priority");
}

static void test_a_flood_of_window_updates(void **state)
{
    (void)state;
    assert_true(flood(8, 0, 0, "\0\0\0\x01", 4, 3000) <= 1001);
    assert_calmed("WINDOW_UPDATE frames");
}

static void test_a_flood_of_unknown_frames(void **state)
{
    (void)state;
    assert_true(flood(0xf0, 0, 0, "x", 1, 1000) <= 101);
    assert_calmed("types that nobody knows");
}

static void test_a_flood_of_continuations(void **state)
{
    (void)state;
    struct cl_buf b = {0};
    block(&b, "/");
    send_frame(1, 1, 1, b.p, b.len); /* without END_HEADERS */
    cl_buf_deinit(&b);
    literal(&b, "a", "b");
    assert_true(flood(9, 0, 1, b.p, b.len, 1000) <= 9);
    cl_buf_deinit(&b);
    assert_calmed("CONTINUATION");
}

/* One byte for 4 KB: an entry of the table, again and again. */
static void test_an_hpack_bomb(void **state)
{
    (void)state;
    struct cl_buf b = {0};
    static char value[3000];
    static const uint8_t indexed[1000] = {0};
    uint8_t again[1000];
    memset(value, 'v', sizeof(value) - 1);
    memset(again, 0xbe, sizeof(again)); /* index 62: the newest entry */
    (void)indexed;
    block(&b, "/");
    const size_t at = b.len;
    literal(&b, "x", value);
    b.p[at] = 0x40; /* with indexing */
    assert_int_equal(cl_buf_append(&b, again, sizeof(again), SIZE_MAX), CL_OK);
    send_frame(1, 5, 1, b.p, b.len);
    cl_buf_deinit(&b);
    assert_calmed("beyond 8 times its limits");
}

static void many_fields(size_t n, size_t len)
{
    struct cl_buf b = {0};
    char value[400];
    memset(value, 'v', len);
    value[len] = '\0';
    block(&b, "/");
    for (size_t i = 0; i < n; i++) {
        literal(&b, "cookie", value);
    }
    send_frame(1, 5, 1, b.p, b.len);
    cl_buf_deinit(&b);
}

static void test_more_than_a_hundred_fields_are_refused_and_crumbs_count(void **state)
{
    (void)state;
    struct cleat_error why;
    many_fields(97, 2); /* four pseudo-fields beside them */
    const struct told *t = find(&server, CLEAT_H2_REFUSED, 1, 0);
    assert_non_null(t);
    assert_int_equal(t->status, 431);
    assert_int_equal(cleat_h2_why(server.h2, &why), CLEAT_ERR_HTTP_TOO_LARGE);
    assert_int_equal(cleat_h2_error(server.h2, &why), CLEAT_OK);
    respond(&server, 1, "too large");
}

static void test_a_hundred_fields_are_fine(void **state)
{
    (void)state;
    many_fields(96, 2);
    assert_non_null(find(&server, CLEAT_H2_HEAD, 1, 0));
}

static void test_each_field_counts_32_bytes_more(void **state)
{
    (void)state;
    many_fields(60, 250); /* 60 * (6 + 250 + 32) > 16,384 */
    assert_non_null(find(&server, CLEAT_H2_REFUSED, 1, 0));
}

static void test_more_streams_than_allowed_are_refused(void **state)
{
    (void)state;
    for (uint32_t id = 1; id < 2 * 101; id += 2) {
        open_stream(id, true);
    }
    assert_non_null(find(&server, CLEAT_H2_HEAD, 2 * 99 + 1, 0));
    assert_null(find(&server, CLEAT_H2_HEAD, 2 * 100 + 1, 0));
    assert_int_equal(cleat_h2_num_streams(server.h2), 100);
}

static void test_a_window_that_stays_closed(void **state)
{
    (void)state;
    struct cleat_http_head h;
    uint64_t next;
    size_t taken;
    static const uint8_t body[65536];
    send_frame(4, 0, 0, "\0\x04\0\0\0\0", 6); /* INITIAL_WINDOW_SIZE 0 */
    open_stream(1, true);
    assert_int_equal(cleat_h2_respond(server.h2, 1, response(&h, "HTTP/1.1 200 OK\r\n\r\n"), false),
                     CLEAT_OK);
    assert_int_equal(cleat_h2_write(server.h2, 1, body, sizeof(body), false, &taken), CLEAT_OK);
    assert_int_equal(taken, 0); /* what the window does not let through is not queued */
    cleat_h2_tick(server.h2, 1, &next);
    assert_int_equal(next, 30000001);
    for (uint64_t now = 1; now < 30000001; now += 1000000) { /* a byte a second is no reading */
        server.now = now;
        send_frame(8, 0, 1, "\0\0\0\x01", 4);
        (void)code_of_goaway(&server);
        feed(&server, "", 0); /* there is room for it now */
        assert_int_equal(cleat_h2_write(server.h2, 1, body, sizeof(body), false, &taken), CLEAT_OK);
        assert_int_equal(taken, 1);
        cleat_h2_tick(server.h2, now, &next);
        assert_null(find(&server, CLEAT_H2_RESET, 1, 0));
    }
    cleat_h2_tick(server.h2, 30000001, &next);
    (void)code_of_goaway(&server);
    feed(&server, "", 0);
    assert_int_equal(find(&server, CLEAT_H2_RESET, 1, 0)->code, CLEAT_H2_ENHANCE_YOUR_CALM);
}

static void test_a_hundred_streams_queue_as_much_as_four(void **state)
{
    (void)state;
    struct cleat_http_head h;
    size_t taken, total = 0, sent = 0, n;
    const uint8_t *p;
    static const uint8_t body[65536];
    send_frame(4, 0, 0, "\0\x04\0\x10\0\0", 6); /* INITIAL_WINDOW_SIZE 1 MiB */
    send_frame(8, 0, 0, "\x7f\0\0\0", 4);
    for (uint32_t id = 1; id < 2 * 100; id += 2) {
        open_stream(id, true);
        assert_int_equal(
            cleat_h2_respond(server.h2, id, response(&h, "HTTP/1.1 200 OK\r\n\r\n"), false), 0);
        assert_int_equal(cleat_h2_write(server.h2, id, body, sizeof(body), true, &taken), CLEAT_OK);
        total += taken;
    }
    /* and what went to the transport's buffer meanwhile */
    assert_true(total >= 4 * sizeof(body) && total <= 4 * sizeof(body) + 3 * 16384);
    for (unsigned told = 0; total < 100 * sizeof(body);) { /* all of it goes out all the same */
        for (; (n = cleat_h2_output(server.h2, &p)) > 0; sent += n) {
            cleat_h2_sent(server.h2, n);
        }
        feed(&server, "", 0);
        const struct told *t = find(&server, CLEAT_H2_WRITABLE, 0, told++);
        assert_non_null(t);
        assert_int_equal(cleat_h2_write(server.h2, t->stream, body, sizeof(body), true, &taken), 0);
        total += taken;
    }
    for (; (n = cleat_h2_output(server.h2, &p)) > 0; sent += n) {
        cleat_h2_sent(server.h2, n);
    }
    feed(&server, "", 0);
    assert_true(sent > total);
    assert_int_equal(cleat_h2_num_streams(server.h2), 0);
}

static void test_settings_that_are_not_acknowledged(void **state)
{
    (void)state;
    struct cleat_error err;
    uint64_t next;
    struct cl_buf b = {0};
    finish(&server);
    start(&server, true, NULL);
    assert_int_equal(cl_buf_append(&b, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24, SIZE_MAX), CL_OK);
    frame(&b, 4, 0, 0, "", 0);
    feed(&server, b.p, b.len);
    cl_buf_deinit(&b);
    cleat_h2_tick(server.h2, 9999999, &next);
    assert_int_equal(cleat_h2_error(server.h2, &err), CLEAT_OK);
    cleat_h2_tick(server.h2, 10000001, &next);
    assert_int_equal(cleat_h2_error(server.h2, &err), CLEAT_ERR_LIMIT);
    assert_int_equal(code_of_goaway(&server), CLEAT_H2_SETTINGS_TIMEOUT);
}

static void test_what_is_no_http_2_is_told_as_such(void **state)
{
    (void)state;
    struct cleat_error err;
    finish(&server);
    start(&server, true, NULL);
    feed(&server, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
    assert_int_equal(cleat_h2_error(server.h2, &err), CLEAT_ERR_HTTP_SYNTAX);
    assert_non_null(strstr(err.text, "preface"));
}

static void test_a_frame_that_breaks_the_rules_ends_the_connection_with_its_code(void **state)
{
    (void)state;
    struct cleat_error err;
    send_frame(6, 0, 1, "12345678", 8); /* a PING with a stream: RFC 9113 6.7 */
    assert_int_equal(cleat_h2_error(server.h2, &err), CLEAT_ERR_HTTP_SYNTAX);
    assert_non_null(strstr(err.text, "PROTOCOL_ERROR"));
    assert_non_null(find(&server, CLEAT_H2_FAILED, 0, 0));
}

static void test_a_frame_too_long(void **state)
{
    (void)state;
    struct cleat_error err;
    static uint8_t big[16385];
    open_stream(1, false);
    send_frame(0, 0, 1, big, sizeof(big));
    assert_int_equal(cleat_h2_error(server.h2, &err), CLEAT_ERR_HTTP_SYNTAX);
    assert_non_null(strstr(err.text, "FRAME_SIZE_ERROR"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(test_rapid_reset),
        T(test_resets_at_the_pace_of_a_browser_are_fine),
        T(test_made_you_reset),
        T(test_a_flood_of_pings),
        T(test_a_flood_of_settings),
        T(test_a_flood_of_empty_data),
        T(test_a_priority_for_no_stream),
        T(test_a_flood_of_priorities),
        T(test_a_flood_of_window_updates),
        T(test_a_flood_of_unknown_frames),
        T(test_a_flood_of_continuations),
        T(test_an_hpack_bomb),
        T(test_more_than_a_hundred_fields_are_refused_and_crumbs_count),
        T(test_a_hundred_fields_are_fine),
        T(test_each_field_counts_32_bytes_more),
        T(test_more_streams_than_allowed_are_refused),
        T(test_a_window_that_stays_closed),
        T(test_a_hundred_streams_queue_as_much_as_four),
        T(test_settings_that_are_not_acknowledged),
        T(test_what_is_no_http_2_is_told_as_such),
        T(test_a_frame_that_breaks_the_rules_ends_the_connection_with_its_code),
        T(test_a_frame_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
