/* tests/http/test_response.c - response heads: status line, framing by status and request method.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "support_http.h"

static const struct {
    const char *name;
    const char *bytes;
    int code;
} refused_rows[] = {
    {"an empty line in front", "\r\nHTTP/1.1 200 OK\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"two digits", "HTTP/1.1 20 OK\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"four digits", "HTTP/1.1 2000 OK\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"a status below 100", "HTTP/1.1 099 x\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"a tab behind the code", "HTTP/1.1 200\tOK\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"two spaces before the code", "HTTP/1.1  200 OK\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"a request", "GET / HTTP/1.1\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"ICY", "ICY 200 OK\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"HTTP/0.9", "HTTP/0.9 200 OK\r\n\r\n", CLEAT_ERR_HTTP_VERSION},
    {"HTTP/3", "HTTP/3.0 200 OK\r\n\r\n", CLEAT_ERR_HTTP_VERSION},
    {"both lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     CLEAT_ERR_HTTP_AMBIGUOUS},
    {"both lengths of a response without body",
     "HTTP/1.1 304 x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     CLEAT_ERR_HTTP_AMBIGUOUS},
    {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
     CLEAT_ERR_HTTP_AMBIGUOUS},
    {"a coding that is not chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: deflate\r\n\r\n",
     CLEAT_ERR_HTTP_AMBIGUOUS},
    {"two codings", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
     CLEAT_ERR_UNSUPPORTED},
    {"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
     CLEAT_ERR_HTTP_AMBIGUOUS},
    {"a folded line", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", CLEAT_ERR_HTTP_AMBIGUOUS},
    {"bare CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", CLEAT_ERR_HTTP_AMBIGUOUS},
    {"ESC in the reason", "HTTP/1.1 200 \x1b[2J\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
};

static void test_what_is_not_a_strict_response_is_refused_however_it_is_cut(void **state)
{
    for (size_t i = 0; i < sizeof(refused_rows) / sizeof(refused_rows[0]); i++) {
        struct stream s = {.is_response = true,
                           .bytes = refused_rows[i].bytes,
                           .len = strlen(refused_rows[i].bytes)};
        struct seen seen;
        run_every_way(refused_rows[i].name, &s, &seen);
        if (seen.code != refused_rows[i].code) {
            fail_msg("%s: %s", refused_rows[i].name, cleat_error_name(seen.code));
        }
        seen_deinit(&seen);
    }
}

#define N CLEAT_HTTP_NO_BODY
#define L CLEAT_HTTP_LENGTH
#define C CLEAT_HTTP_CHUNKED
#define U CLEAT_HTTP_UNTIL_CLOSE
#define W CLEAT_HTTP_SWITCHED

static const struct {
    const char *method;
    const char *status;
    const char *field;
    enum cleat_http_framing framing;
    bool keep_alive;
} framing_rows[] = {
    {"GET", "200 OK", "Content-Length: 3", L, true},
    {"GET", "200 OK", "Transfer-Encoding: chunked", C, true},
    {"GET", "200 OK", "A: b", U, false},
    {"GET", "200", "Content-Length: 3", L, true},
    {"GET", "200 ", "Content-Length: 3", L, true},
    {"GET", "999 odd", "Content-Length: 3", L, true},
    {"HEAD", "200 OK", "Content-Length: 3", N, true},
    {"HEAD", "200 OK", "Transfer-Encoding: chunked", N, true},
    {"HEAD", "200 OK", "A: b", N, true},
    {"GET", "204 No Content", "Content-Length: 3", N, true},
    {"GET", "304 Not Modified", "Content-Length: 3", N, true},
    {"GET", "304 Not Modified", "Connection: close", N, false},
    {"GET", "100 Continue", "A: b", N, true},
    {"GET", "103 Early Hints", "Content-Length: 3", N, true},
    {"GET", "101 Switching Protocols", "Upgrade: x", W, false},
    {"CONNECT", "200 OK", "Content-Length: 3", W, false},
    {"CONNECT", "299 x", "Transfer-Encoding: chunked", W, false},
    {"CONNECT", "403 Forbidden", "Content-Length: 3", L, true},
    {"connect", "200 OK", "Content-Length: 3", L, true},
};

static void test_status_and_request_method_decide_whether_a_body_follows(void **state)
{
    for (size_t i = 0; i < sizeof(framing_rows) / sizeof(framing_rows[0]); i++) {
        char bytes[200];
        struct cleat_http_head h;
        int len = snprintf(bytes, sizeof(bytes), "HTTP/1.1 %s\r\n%s\r\n\r\n",
                           framing_rows[i].status, framing_rows[i].field);
        cleat_http_response_init(
            &h, (struct cleat_http_view){framing_rows[i].method, strlen(framing_rows[i].method)});
        assert_int_equal(cleat_http_head_feed(&h, bytes, (size_t)len, NULL), CLEAT_HTTP_COMPLETE);
        if (h.framing != framing_rows[i].framing || h.keep_alive != framing_rows[i].keep_alive) {
            fail_msg("row %zu: framing %u keep %d", i, h.framing, h.keep_alive);
        }
    }
}

static void test_a_100_and_the_final_response_are_two_messages(void **state)
{
    const char *bytes =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    struct stream s = {.is_response = true, .bytes = bytes, .len = strlen(bytes)};
    struct seen seen;
    run_every_way("100", &s, &seen);
    assert_int_equal(seen.num_messages, 2);
    assert_int_equal(seen.messages[0].status, 100);
    assert_int_equal(seen.messages[1].status, 200);
    assert_true(seen.messages[1].complete);
    seen_deinit(&seen);
}

static void test_a_body_until_close_is_everything(void **state)
{
    const char *bytes = "HTTP/1.0 200 OK\r\n\r\nHTTP/1.0 500 x\r\n\r\n";
    struct stream s = {.is_response = true, .bytes = bytes, .len = strlen(bytes)};
    struct seen seen;
    run_every_way("until close", &s, &seen);
    assert_int_equal(seen.num_messages, 1);
    assert_int_equal(seen.messages[0].content_len, strlen(bytes) - 19);
    assert_false(seen.in_message);
    seen_deinit(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_a_strict_response_is_refused_however_it_is_cut),
        cmocka_unit_test(test_status_and_request_method_decide_whether_a_body_follows),
        cmocka_unit_test(test_a_100_and_the_final_response_are_two_messages),
        cmocka_unit_test(test_a_body_until_close_is_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
