/* The access log line: its columns, and that nothing from a client can break out of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "serve/access.h"

static struct cl_access_note note_of(const char *request)
{
    struct cl_access_note note = {0};
    static struct cleat_http_head head;
    cleat_http_request_init(&head);
    assert_int_equal(cleat_http_head_feed(&head, request, strlen(request), NULL),
                     CLEAT_HTTP_COMPLETE);
    cl_access_note_head(&note, &head, 1);
    return note;
}

static void test_a_request_fills_every_column(void **state)
{
    struct cl_access_note note = note_of("GET /a?b=c HTTP/1.1\r\nHost: x\r\nUser-Agent: curl/8\r\n"
                                         "Referer: https://x/\r\n\r\n");
    struct cl_access a = {
        .address = "192.0.2.1:40000",
        .time = 784111777,
        .note = &note,
        .status = 200,
        .bytes = 12,
        .us = 1000042,
        .version = "TLSv1.3",
        .cipher = "TLS_AES_128_GCM_SHA256",
        .group = "X25519",
        .resumed = true,
        .alpn = "http/1.1",
        .sni = "example.com",
        .ja4 = "t13d1516h2_8daaf6152771_e5627efa2ab1",
        .ja3 = "6c320c139f0efe4d20c19f81dc01bbd8",
    };
    char line[1024];
    size_t len = cl_access_format(&a, line, sizeof(line));
    assert_int_equal(len, strlen(line));
    assert_string_equal(line, "192.0.2.1:40000 - - [06/Nov/1994:08:49:37 +0000] "
                              "\"GET /a?b=c HTTP/1.1\" 200 12 \"https://x/\" \"curl/8\" 1.000042 "
                              "TLSv1.3 TLS_AES_128_GCM_SHA256 X25519 resumed http/1.1 "
                              "example.com t13d1516h2_8daaf6152771_e5627efa2ab1 "
                              "6c320c139f0efe4d20c19f81dc01bbd8\n");
    cl_access_deinit(&note);
}

static void test_a_request_that_came_early_is_told(void **state)
{
    struct cl_access_note note = note_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    struct cl_access a = {
        .address = "::1", .note = &note, .status = 200, .resumed = true, .early = true};
    char line[1024];
    cl_access_format(&a, line, sizeof(line));
    assert_non_null(strstr(line, " - early - - - -\n"));
    cl_access_deinit(&note);
}

static void test_absent_values_are_dashes(void **state)
{
    struct cl_access_note note = note_of("GET / HTTP/1.0\r\n\r\n");
    struct cl_access a = {.address = "::1", .note = &note, .status = 404};
    char line[1024];
    cl_access_format(&a, line, sizeof(line));
    assert_string_equal(line, "::1 - - [01/Jan/1970:00:00:00 +0000] \"GET / HTTP/1.0\" 404 0 "
                              "\"-\" \"-\" 0.000000 - - - full - - - -\n");
    cl_access_deinit(&note);
}

static void test_quotes_and_control_bytes_are_escaped(void **state)
{
    struct cl_access_note note = {0};
    static const char bad[] = "GET /\"\\\x1b[2J\xff\x7f HTTP/1.1\r\nnext";
    cl_access_note_text(&note, bad, sizeof(bad) - 1);
    struct cl_rd text = cl_buf_view(&note.request);
    assert_true(cl_rd_equal_str(text, "GET /\\x22\\x5c\\x1b[2J\\xff\\x7f HTTP/1.1"));
    cl_access_deinit(&note);
}

static void test_a_quote_in_the_user_agent_stays_inside(void **state)
{
    struct cl_access_note note =
        note_of("GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: a\" 200 \"b\r\n\r\n");
    assert_true(cl_rd_equal_str(cl_buf_view(&note.agent), "\"-\" \"a\\x22 200 \\x22b\""));
    cl_access_deinit(&note);
}

static void test_what_is_kept_of_a_request_is_bounded(void **state)
{
    struct cl_access_note note = {0};
    static char text[20000];
    memset(text, 1, sizeof(text));
    cl_access_note_text(&note, text, sizeof(text));
    assert_true(note.request.len <= CL_ACCESS_MAX_REQUEST);
    assert_int_equal(note.request.len % 4, 0); /* no escape is cut in half */
    cl_access_deinit(&note);
}

static void test_a_line_that_does_not_fit_still_ends_in_a_newline(void **state)
{
    struct cl_access_note note = note_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    struct cl_access a = {.address = "192.0.2.1", .note = &note, .status = 200};
    char line[32];
    assert_int_equal(cl_access_format(&a, line, sizeof(line)), 31);
    assert_int_equal(line[30], '\n');
    cl_access_deinit(&note);
}

static void test_a_websocket_adds_how_it_ended_and_what_was_said(void **state)
{
    struct cl_access_note note = note_of("GET /chat HTTP/1.1\r\nHost: x\r\n\r\n");
    const struct cl_access_ws ws = {.code = 1001,
                                    .who = "server",
                                    .sentence = "going away",
                                    .messages_in = 1,
                                    .bytes_in = 2,
                                    .messages_out = 3,
                                    .bytes_out = 4,
                                    .messages_dropped = 5};
    struct cl_access a = {.address = "192.0.2.1:40000", .note = &note, .status = 101, .ws = &ws};
    char line[1024];
    size_t len = cl_access_format(&a, line, sizeof(line));
    line[len] = '\0';
    assert_non_null(strstr(line, " 101 0 "));
    assert_non_null(strstr(line, " - - ws 1001 server \"going away\" 1 2 3 4 5\n"));
    cl_access_deinit(&note);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_fills_every_column),
        cmocka_unit_test(test_a_request_that_came_early_is_told),
        cmocka_unit_test(test_absent_values_are_dashes),
        cmocka_unit_test(test_quotes_and_control_bytes_are_escaped),
        cmocka_unit_test(test_a_quote_in_the_user_agent_stays_inside),
        cmocka_unit_test(test_what_is_kept_of_a_request_is_bounded),
        cmocka_unit_test(test_a_line_that_does_not_fit_still_ends_in_a_newline),
        cmocka_unit_test(test_a_websocket_adds_how_it_ended_and_what_was_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
