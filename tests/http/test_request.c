/* tests/http/test_request.c - request heads: what is understood, and what is refused and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "support_http.h"

struct refused_row {
    const char *name;
    const char *bytes;
    int code;
    int status;
};

#define HOST "Host: h\r\n"
#define S    CLEAT_ERR_HTTP_SYNTAX
#define A    CLEAT_ERR_HTTP_AMBIGUOUS

static const struct refused_row refused_rows[] = {
    {"both lengths",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", A, 400},
    {"both lengths, other order",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", A, 400},
    {"different lengths",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", A, 400},
    {"the same length twice",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\ncontent-length: 3\r\n\r\n", A, 400},
    {"a list of lengths", "POST / HTTP/1.1\r\n" HOST "Content-Length: 3, 3\r\n\r\n", A, 400},
    {"a signed length", "POST / HTTP/1.1\r\n" HOST "Content-Length: +3\r\n\r\n", A, 400},
    {"a negative length", "POST / HTTP/1.1\r\n" HOST "Content-Length: -3\r\n\r\n", A, 400},
    {"a hexadecimal length", "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x3\r\n\r\n", A, 400},
    {"an empty length", "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", A, 400},
    {"a length beyond 63 bits",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775808\r\n\r\n",
     CLEAT_ERR_HTTP_TOO_LARGE, 413},
    {"an unknown coding under chunked",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n", CLEAT_ERR_UNSUPPORTED,
     501},
    {"chunked not last", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, gzip\r\n\r\n", A,
     400},
    {"chunked twice", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked, chunked\r\n\r\n", A,
     400},
    {"chunked with a parameter",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked;a=b\r\n\r\n", A, 400},
    {"chunked with an empty element",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked,\r\n\r\n", A, 400},
    {"chunked in two fields",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     A, 400},
    {"chunked and then no coding",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding:\r\n\r\n", A, 400},
    {"quoted chunked", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \"chunked\"\r\n\r\n", A, 400},
    {"vertical tab before chunked",
     "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: \vchunked\r\n\r\n", S, 400},
    {"identity", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", A, 400},
    {"an empty coding", "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding:\r\n\r\n", A, 400},
    {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", A,
     400},
    {"a folded line", "GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", A, 400},
    {"a folded line with a tab", "GET / HTTP/1.1\r\n" HOST "A: b\r\n\tc\r\n\r\n", A, 400},
    {"space in front of the first field", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", A, 400},
    {"bare CR in a value", "GET / HTTP/1.1\r\n" HOST "A: b\rC: d\r\n\r\n", A, 400},
    {"bare LF in a value", "GET / HTTP/1.1\r\n" HOST "A: b\nC: d\r\n\r\n", A, 400},
    {"CR CR LF", "GET / HTTP/1.1\r\n" HOST "A: b\r\r\nC: d\r\n\r\n", A, 400},
    {"lines ended by LF alone", "GET / HTTP/1.1\nHost: h\n\n", A, 400},
    {"bare CR in the request line", "GET /\r HTTP/1.1\r\n" HOST "\r\n", A, 400},
    {"space before the colon", "GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n", A, 400},
    {"tab before the colon", "GET / HTTP/1.1\r\n" HOST "A\t: b\r\n\r\n", A, 400},
    {"a space inside a name", "GET / HTTP/1.1\r\n" HOST "A b: c\r\n\r\n", S, 400},
    {"no colon", "GET / HTTP/1.1\r\n" HOST "Abc\r\n\r\n", S, 400},
    {"an empty name", "GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n", S, 400},
    {"a name with a quote", "GET / HTTP/1.1\r\n" HOST "A\": b\r\n\r\n", S, 400},
    {"a name above ASCII", "GET / HTTP/1.1\r\n" HOST "\xc3\xa4: b\r\n\r\n", S, 400},
    {"ESC in a value", "GET / HTTP/1.1\r\n" HOST "A: \x1b[2J\r\n\r\n", S, 400},
    {"DEL in a value", "GET / HTTP/1.1\r\n" HOST "A: \x7f\r\n\r\n", S, 400},
    {"no Host", "GET / HTTP/1.1\r\n\r\n", S, 400},
    {"two Hosts", "GET / HTTP/1.1\r\n" HOST HOST "\r\n", S, 400},
    {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\n" HOST HOST "\r\n", S, 400},
    {"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", S, 400},
    {"a Host with user information", "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", S, 400},
    {"a Host with a path", "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n", S, 400},
    {"a Host with a space", "GET / HTTP/1.1\r\nHost: h x\r\n\r\n", S, 400},
    {"a list of Hosts", "GET / HTTP/1.1\r\nHost: h, h2:80\r\n\r\n", S, 400},
    {"a Host with a bad port", "GET / HTTP/1.1\r\nHost: h:99999\r\n\r\n", S, 400},
    {"a Host above ASCII", "GET / HTTP/1.1\r\nHost: \xc3\xa4\r\n\r\n", S, 400},
    {"no Host beside an absolute target", "GET http://h/ HTTP/1.1\r\n\r\n", S, 400},
    {"user information in the target", "GET http://u:p@h/ HTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"a target of another scheme", "GET ftp://h/ HTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"an absolute target without host", "GET http:///x HTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"a relative target", "GET x/y HTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"an asterisk with GET", "GET * HTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"a fragment in the target", "GET /a#b HTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"a backslash in the path", "GET /a\\b HTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"a byte above 0x7f in the target", "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"a space in the target", "GET /a b HTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"two spaces before the version", "GET /  HTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"two spaces before the target", "GET  / HTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"a space behind the version", "GET / HTTP/1.1 \r\n" HOST "\r\n", S, 400},
    {"a tab as separator", "GET\t/\tHTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"an empty method", " / HTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"a method that is no token", "G(T / HTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"CONNECT without port", "CONNECT h HTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"CONNECT with port 0", "CONNECT h:0 HTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"CONNECT with a path", "CONNECT /x HTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"CONNECT with content", "CONNECT h:1 HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\n", A, 400},
    {"HTTP/0.9", "GET /\r\n\r\n", CLEAT_ERR_HTTP_VERSION, 505},
    {"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", CLEAT_ERR_HTTP_VERSION, 505},
    {"HTTP/1.2", "GET / HTTP/1.2\r\n" HOST "\r\n", CLEAT_ERR_HTTP_VERSION, 505},
    {"HTTP/1.10", "GET / HTTP/1.10\r\n" HOST "\r\n", S, 400},
    {"a version in lower case", "GET / http/1.1\r\n" HOST "\r\n", S, 400},
    {"three empty lines in front", "\r\n\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", S, 400},
    {"TLS", "\x16\x03\x01\x02", S, 400},
};

static void test_what_is_not_strict_http_is_refused_in_the_same_way_however_it_is_cut(void **state)
{
    for (size_t i = 0; i < sizeof(refused_rows) / sizeof(refused_rows[0]); i++) {
        const struct refused_row *row = &refused_rows[i];
        struct stream s = {.bytes = row->bytes, .len = strlen(row->bytes)};
        struct seen seen;
        run_every_way(row->name, &s, &seen);
        if (seen.code != row->code || seen.reply_status != row->status) {
            fail_msg("%s: %s %d instead of %s %d", row->name, cleat_error_name(seen.code),
                     seen.reply_status, cleat_error_name(row->code), row->status);
        }
        seen_deinit(&seen);
    }
}

static void test_nul_is_refused_in_names_values_and_targets(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"GET / HTTP/1.1\r\nHost: h\0x\r\n\r\n", 28},
        {"GET / HTTP/1.1\r\nHo\0st: h\r\n\r\n", 27},
        {"GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n", 28},
    };
    for (size_t i = 0; i < 3; i++) {
        struct stream s = {.bytes = rows[i].bytes, .len = rows[i].len};
        struct seen seen;
        run_every_way("NUL", &s, &seen);
        assert_int_equal(seen.code, CLEAT_ERR_HTTP_SYNTAX);
        seen_deinit(&seen);
    }
}

struct accepted_row {
    const char *name;
    const char *bytes;
    const char *text; /* what support_http.c writes for it */
};

static const struct accepted_row accepted_rows[] = {
    {"a plain GET", "GET /a?b=c HTTP/1.1\r\nHost: h:8080\r\nA:  b \t\r\nB:\r\n\r\n",
     "head GET /a?b=c 1.1 0 '' form=0 framing=0 length=0 keep=1 upgrade=0 expect=0 "
     "authority='h:8080' path='/a' query=1'b=c'\n  Host: 'h:8080'\n  A: 'b'\n  B: ''\n\nend\n"},
    {"two empty lines in front", "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
     "head GET / 1.1 0 '' form=0 framing=0 length=0 keep=1 upgrade=0 expect=0 "
     "authority='h' path='/' query=0''\n  Host: 'h'\n\nend\n"},
    {"a body by length and the next request",
     "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 003\r\n\r\nabcGET /? HTTP/1.0\r\n\r\n",
     "head POST / 1.1 0 '' form=0 framing=1 length=3 keep=1 upgrade=0 expect=0 "
     "authority='h' path='/' query=0''\n  Host: 'h'\n  Content-Length: '003'\nabc\nend\n"
     "head GET /? 1.0 0 '' form=0 framing=0 length=0 keep=0 upgrade=0 expect=0 "
     "authority='' path='/' query=1''\n\nend\n"},
    {"a chunked body",
     "PUT / HTTP/1.1\r\nhost: h\r\nTRANSFER-ENCODING: Chunked\r\n\r\n"
     "3\r\nabc\r\n00A\r\n0123456789\r\n0\r\nX: y\r\n\r\n",
     "head PUT / 1.1 0 '' form=0 framing=2 length=0 keep=1 upgrade=0 expect=0 "
     "authority='h' path='/' query=0''\n  host: 'h'\n  TRANSFER-ENCODING: 'Chunked'\n"
     "abc0123456789\nend\n"},
    {"an absolute target wins over Host", "GET HTTP://[::1]:81?x HTTP/1.1\r\nHost: other\r\n\r\n",
     "head GET HTTP://[::1]:81?x 1.1 0 '' form=1 framing=0 length=0 keep=1 upgrade=0 expect=0 "
     "authority='[::1]:81' path='' query=1'x'\n  Host: 'other'\n\nend\n"},
    {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: h\r\nConnection: foo, Close\r\n\r\n",
     "head OPTIONS * 1.1 0 '' form=3 framing=0 length=0 keep=0 upgrade=0 expect=0 "
     "authority='h' path='' query=0''\n  Host: 'h'\n  Connection: 'foo, Close'\n\nend\n"},
    {"a quote in Connection hides no option",
     "GET / HTTP/1.1\r\nHost: h\r\nConnection: \",close\r\n\r\n",
     "head GET / 1.1 0 '' form=0 framing=0 length=0 keep=0 upgrade=0 expect=0 "
     "authority='h' path='/' query=0''\n  Host: 'h'\n  Connection: '\",close'\n\nend\n"},
    {"HTTP/1.0 kept alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
     "head GET / 1.0 0 '' form=0 framing=0 length=0 keep=1 upgrade=0 expect=0 "
     "authority='' path='/' query=0''\n  Connection: 'Keep-Alive'\n\nend\n"},
    {"expecting 100",
     "PUT / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 0\r\n\r\n",
     "head PUT / 1.1 0 '' form=0 framing=1 length=0 keep=1 upgrade=0 expect=1 "
     "authority='h' path='/' query=0''\n  Host: 'h'\n  Expect: '100-Continue'\n"
     "  Content-Length: '0'\n\nend\n"},
    {"expecting something else", "GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue, x=y\r\n\r\n",
     "head GET / 1.1 0 '' form=0 framing=0 length=0 keep=1 upgrade=0 expect=2 "
     "authority='h' path='/' query=0''\n  Host: 'h'\n  Expect: '100-continue, x=y'\n\nend\n"},
    {"upgrade and expect are ignored in HTTP/1.0",
     "GET / HTTP/1.0\r\nExpect: 100-continue\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
     "head GET / 1.0 0 '' form=0 framing=0 length=0 keep=0 upgrade=0 expect=0 "
     "authority='' path='/' query=0''\n  Expect: '100-continue'\n  Connection: 'upgrade'\n"
     "  Upgrade: 'x'\n\nend\n"},
    {"an Upgrade field alone is no upgrade", "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\n\r\n",
     "head GET / 1.1 0 '' form=0 framing=0 length=0 keep=1 upgrade=0 expect=0 "
     "authority='h' path='/' query=0''\n  Host: 'h'\n  Upgrade: 'x'\n\nend\n"},
    {"bytes above 0x7f in a value", "GET / HTTP/1.1\r\nHost: h\r\nA: \xff\r\n\r\n",
     "head GET / 1.1 0 '' form=0 framing=0 length=0 keep=1 upgrade=0 expect=0 "
     "authority='h' path='/' query=0''\n  Host: 'h'\n  A: '\xff'\n\nend\n"},
    {"browsers' characters in a query", "GET /a?|^`{}[]\\ HTTP/1.1\r\nHost: h\r\n\r\n",
     "head GET /a?|^`{}[]\\ 1.1 0 '' form=0 framing=0 length=0 keep=1 upgrade=0 expect=0 "
     "authority='h' path='/a' query=1'|^`{}[]\\'\n  Host: 'h'\n\nend\n"},
};

static void test_every_byte_at_every_place_of_a_value_is_judged_alike(void **state)
{
    for (int c = 0; c < 256; c++) {
        bool good = c == '\t' || (c >= ' ' && c != 0x7f);
        for (size_t at = 0; at < 20; at++) {
            char bytes[] = "GET / HTTP/1.1\r\nHost: h\r\nA: x\xff\x80xxxxxxxxxxxxx\txxxxx\r\n\r\n";
            bytes[29 + at] = (char)c;
            struct cleat_http_head h;
            cleat_http_request_init(&h);
            int rc = cleat_http_head_feed(&h, bytes, sizeof(bytes) - 1, NULL);
            if (c == '\r' || c == '\n') {
                assert_int_equal(rc, CLEAT_ERR_HTTP_AMBIGUOUS);
            } else {
                assert_int_equal(rc, good ? CLEAT_HTTP_COMPLETE : CLEAT_ERR_HTTP_SYNTAX);
            }
        }
    }
}

static void test_good_requests_are_understood_in_the_same_way_however_they_are_cut(void **state)
{
    for (size_t i = 0; i < sizeof(accepted_rows) / sizeof(accepted_rows[0]); i++) {
        const struct accepted_row *row = &accepted_rows[i];
        struct stream s = {.bytes = row->bytes, .len = strlen(row->bytes)};
        struct seen seen;
        run_every_way(row->name, &s, &seen);
        size_t len = strlen(row->text);
        if (seen.text.len < len || memcmp(seen.text.p, row->text, len) != 0 || seen.code != 0) {
            fail_msg("%s:\n%.*s", row->name, (int)seen.text.len, (char *)seen.text.p);
        }
        assert_false(seen.in_message);
        seen_deinit(&seen);
    }
}

static void test_an_upgrade_stops_before_the_bytes_of_the_other_protocol(void **state)
{
    const char *bytes = "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\n"
                        "Upgrade: websocket\r\n\r\n\x81\x05hello";
    struct stream s = {.bytes = bytes, .len = strlen(bytes)};
    struct seen seen;
    run_every_way("upgrade", &s, &seen);
    assert_int_equal(seen.code, 0);
    assert_true(seen.switched);
    assert_int_equal(seen.num_messages, 1);
    seen_deinit(&seen);
}

static void test_what_follows_connect_is_never_the_next_request(void **state)
{
    struct cleat_http_head h;
    const char *bytes = "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n";
    cleat_http_request_init(&h);
    assert_int_equal(cleat_http_head_feed(&h, bytes, strlen(bytes), NULL), CLEAT_HTTP_COMPLETE);
    assert_false(h.keep_alive);
    assert_int_equal(h.form, CLEAT_HTTP_AUTHORITY_FORM);
}

/* Writes "GET /xxx... HTTP/1.1" with a target of target_len bytes, num fields and pad bytes in one
 * more field. */
static char *long_request(size_t target_len, size_t num, size_t pad, size_t *out_len)
{
    size_t cap = target_len + num * 16 + pad + 100;
    char *p = malloc(cap);
    assert_non_null(p);
    size_t len = (size_t)snprintf(p, cap, "GET /");
    memset(p + len, 'x', target_len - 1);
    len += target_len - 1;
    len += (size_t)snprintf(p + len, cap - len, " HTTP/1.1\r\nHost: h\r\n");
    for (size_t i = 0; i < num; i++) {
        len += (size_t)snprintf(p + len, cap - len, "A%zu: b\r\n", i);
    }
    if (pad != 0) {
        len += (size_t)snprintf(p + len, cap - len, "P: ");
        memset(p + len, 'p', pad);
        len += pad;
        len += (size_t)snprintf(p + len, cap - len, "\r\n");
    }
    len += (size_t)snprintf(p + len, cap - len, "\r\n");
    *out_len = len;
    return p;
}

static int feed_long(size_t target_len, size_t num, size_t pad, int *out_status, size_t *out_len)
{
    struct cleat_http_head h;
    char *p = long_request(target_len, num, pad, out_len);
    cleat_http_request_init(&h);
    int rc = CLEAT_HTTP_MORE;
    for (size_t n = 0; n <= *out_len && rc == CLEAT_HTTP_MORE; n++) {
        rc = cleat_http_head_feed(&h, p, n, NULL);
    }
    struct cleat_http_head whole;
    cleat_http_request_init(&whole);
    assert_int_equal(cleat_http_head_feed(&whole, p, *out_len, NULL), rc);
    assert_int_equal(whole.reply_status, h.reply_status);
    *out_status = h.reply_status;
    free(p);
    return rc;
}

static void test_the_limits_are_exact_and_tell_their_status(void **state)
{
    int status;
    size_t len;
    assert_int_equal(feed_long(CLEAT_HTTP_MAX_TARGET, 0, 0, &status, &len), 0);
    assert_int_equal(feed_long(CLEAT_HTTP_MAX_TARGET + 1, 0, 0, &status, &len),
                     CLEAT_ERR_HTTP_TOO_LARGE);
    assert_int_equal(status, 414);
    assert_int_equal(feed_long(CLEAT_HTTP_MAX_REQUEST_HEAD, 0, 0, &status, &len),
                     CLEAT_ERR_HTTP_TOO_LARGE);
    assert_int_equal(status, 414);
    assert_int_equal(feed_long(1, CLEAT_HTTP_MAX_FIELDS - 1, 0, &status, &len), 0);
    assert_int_equal(feed_long(1, CLEAT_HTTP_MAX_FIELDS, 0, &status, &len),
                     CLEAT_ERR_HTTP_TOO_LARGE);
    assert_int_equal(status, 431);
    assert_int_equal(feed_long(1, 0, 1, &status, &len), 0);
    size_t room = CLEAT_HTTP_MAX_REQUEST_HEAD - len + 1;
    assert_int_equal(feed_long(1, 0, room, &status, &len), 0);
    assert_int_equal(len, CLEAT_HTTP_MAX_REQUEST_HEAD);
    assert_int_equal(feed_long(1, 0, room + 1, &status, &len), CLEAT_ERR_HTTP_TOO_LARGE);
    assert_int_equal(status, 431);
}

static void test_fields_are_found_in_any_case_and_lists_are_taken_apart(void **state)
{
    const char *bytes = "GET / HTTP/1.1\r\nHost: h\r\nAccept: a, \"b,\\\"c\";q=1 ,, d\r\n"
                        "accept: E;x=1\r\nEmpty:\r\n\r\n";
    struct cleat_http_head h;
    cleat_http_request_init(&h);
    assert_int_equal(cleat_http_head_feed(&h, bytes, strlen(bytes), NULL), 0);
    assert_int_equal(cleat_http_count(&h, "ACCEPT"), 2);
    assert_true(cleat_http_find(&h, "nothing", NULL).p == NULL);
    struct cleat_http_view empty = cleat_http_find(&h, "empty", NULL);
    assert_true(empty.p != NULL && empty.len == 0);
    struct cleat_http_view rest = cleat_http_find(&h, "accept", NULL);
    struct cleat_http_view item;
    assert_true(cleat_http_list_next(&rest, &item) && cleat_http_is(item, "a"));
    assert_true(cleat_http_list_next(&rest, &item) && cleat_http_is(item, "\"b,\\\"c\";q=1"));
    assert_true(cleat_http_list_next(&rest, &item) && cleat_http_is(item, "d"));
    assert_false(cleat_http_list_next(&rest, &item));
    assert_true(cleat_http_has_token(&h, "Accept", "e"));
    assert_true(cleat_http_has_token(&h, "Accept", "D"));
    assert_false(cleat_http_has_token(&h, "Accept", "x"));
    assert_false(cleat_http_has_token(&h, "Empty", ""));
}

static void test_a_connection_that_ends_inside_a_head_is_truncated(void **state)
{
    struct cleat_http_head h;
    cleat_http_request_init(&h);
    assert_int_equal(cleat_http_head_eof(&h, 0, NULL), CLEAT_OK);
    assert_int_equal(cleat_http_head_feed(&h, "\r\n", 2, NULL), CLEAT_HTTP_MORE);
    assert_int_equal(cleat_http_head_eof(&h, 2, NULL), CLEAT_OK);
    assert_int_equal(cleat_http_head_feed(&h, "\r\n\r", 3, NULL), CLEAT_HTTP_MORE);
    assert_int_equal(cleat_http_head_eof(&h, 3, NULL), CLEAT_ERR_HTTP_TRUNCATED);
    assert_int_equal(cleat_http_head_feed(&h, "\r\nGET", 5, NULL), CLEAT_HTTP_MORE);
    assert_int_equal(cleat_http_head_eof(&h, 5, NULL), CLEAT_ERR_HTTP_TRUNCATED);
}

static void test_a_failed_or_complete_head_takes_no_more(void **state)
{
    struct cleat_http_head h;
    cleat_http_request_init(&h);
    assert_int_equal(cleat_http_head_feed(&h, "\n", 1, NULL), CLEAT_ERR_HTTP_AMBIGUOUS);
    assert_int_equal(cleat_http_head_feed(&h, "\n", 1, NULL), CLEAT_ERR_USAGE);
    assert_int_equal(h.reply_status, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_strict_http_is_refused_in_the_same_way_however_it_is_cut),
        cmocka_unit_test(test_nul_is_refused_in_names_values_and_targets),
        cmocka_unit_test(test_every_byte_at_every_place_of_a_value_is_judged_alike),
        cmocka_unit_test(test_good_requests_are_understood_in_the_same_way_however_they_are_cut),
        cmocka_unit_test(test_an_upgrade_stops_before_the_bytes_of_the_other_protocol),
        cmocka_unit_test(test_what_follows_connect_is_never_the_next_request),
        cmocka_unit_test(test_the_limits_are_exact_and_tell_their_status),
        cmocka_unit_test(test_fields_are_found_in_any_case_and_lists_are_taken_apart),
        cmocka_unit_test(test_a_connection_that_ends_inside_a_head_is_truncated),
        cmocka_unit_test(test_a_failed_or_complete_head_takes_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
