/* tests/http/test_body.c - decoding bodies: chunks, trailers, limits, truncation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support_http.h"

#include <stdio.h>

#define HEAD "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"

static const struct {
    const char *name;
    const char *body;
    int code;
} refused_rows[] = {
    {"an extension", "3;a=b\r\nabc\r\n0\r\n\r\n", CLEAT_ERR_HTTP_AMBIGUOUS},
    {"an empty extension", "3;\r\nabc\r\n0\r\n\r\n", CLEAT_ERR_HTTP_AMBIGUOUS},
    {"an extension of the last chunk", "0;a\r\n\r\n", CLEAT_ERR_HTTP_AMBIGUOUS},
    {"a space behind the size", "3 \r\nabc\r\n0\r\n\r\n", CLEAT_ERR_HTTP_AMBIGUOUS},
    {"LF alone behind the size", "3\nabc\r\n0\r\n\r\n", CLEAT_ERR_HTTP_AMBIGUOUS},
    {"CR alone behind the size", "3\rabc\r\n0\r\n\r\n", CLEAT_ERR_HTTP_AMBIGUOUS},
    {"no size", "\r\nabc\r\n0\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"a space before the size", " 3\r\nabc\r\n0\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"a negative size", "-3\r\nabc\r\n0\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"0x", "0x3\r\nabc\r\n0\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"a size of 17 digits", "00000000000000003\r\nabc\r\n0\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"content longer than the chunk", "3\r\nabcd\r\n0\r\n\r\n", CLEAT_ERR_HTTP_AMBIGUOUS},
    {"LF alone behind a chunk", "3\r\nabc\n0\r\n\r\n", CLEAT_ERR_HTTP_AMBIGUOUS},
    {"CR and something behind a chunk", "3\r\nabc\rX0\r\n\r\n", CLEAT_ERR_HTTP_AMBIGUOUS},
    {"CR and something at the end", "0\r\n\rX", CLEAT_ERR_HTTP_AMBIGUOUS},
    {"LF alone at the end", "0\r\n\n", CLEAT_ERR_HTTP_SYNTAX},
    {"a trailer without colon", "0\r\nabc\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"a trailer without name", "0\r\n: a\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"space before the colon of a trailer", "0\r\na : b\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"a folded trailer", "0\r\na: b\r\n c\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"LF in a trailer", "0\r\na: b\nc: d\r\n\r\n", CLEAT_ERR_HTTP_AMBIGUOUS},
    {"CR in a trailer", "0\r\na: b\rc\r\n\r\n", CLEAT_ERR_HTTP_AMBIGUOUS},
    {"ESC in a trailer", "0\r\na: \x1b\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    {"a length in the trailers", "0\r\na: b\r\nContent-Length: 3\r\n\r\n",
     CLEAT_ERR_HTTP_AMBIGUOUS},
    {"a coding in the trailers", "0\r\ntransfer-encoding: chunked\r\n\r\n",
     CLEAT_ERR_HTTP_AMBIGUOUS},
    {"a host in the trailers", "0\r\nHOST: h\r\n\r\n", CLEAT_ERR_HTTP_AMBIGUOUS},
    {"a connection option in the trailers", "0\r\nConnection: close\r\n\r\n",
     CLEAT_ERR_HTTP_AMBIGUOUS},
    {"an upgrade in the trailers", "0\r\nUpgrade: h2c\r\n\r\n", CLEAT_ERR_HTTP_AMBIGUOUS},
    {"an expectation in the trailers", "0\r\nExpect: 100-continue\r\n\r\n",
     CLEAT_ERR_HTTP_AMBIGUOUS},
};

static void test_malformed_chunks_and_trailers_are_refused_however_they_are_cut(void **state)
{
    for (size_t i = 0; i < sizeof(refused_rows) / sizeof(refused_rows[0]); i++) {
        char bytes[300];
        (void)snprintf(bytes, sizeof(bytes), "%s%s", HEAD, refused_rows[i].body);
        struct stream s = {.bytes = bytes, .len = strlen(bytes)};
        struct seen seen;
        run_every_way(refused_rows[i].name, &s, &seen);
        if (seen.code != refused_rows[i].code || seen.reply_status != 400) {
            fail_msg("%s: %s", refused_rows[i].name, cleat_error_name(seen.code));
        }
        seen_deinit(&seen);
    }
}

static struct cleat_http_body new_body(enum cleat_http_framing framing, uint64_t len, uint64_t max)
{
    struct cleat_http_head h = {.framing = (uint8_t)framing, .content_length = len};
    struct cleat_http_body b;
    assert_int_equal(cleat_http_body_init(&b, &h, max, NULL), CLEAT_OK);
    return b;
}

/* Feeds a text until something other than DATA comes. */
static int feed_all(struct cleat_http_body *b, const char *text, size_t *out_content)
{
    struct cleat_http_view v;
    size_t used;
    int rc;
    size_t len = strlen(text);
    *out_content = 0;
    while ((rc = cleat_http_body_feed(b, text, len, &used, &v, NULL)) == CLEAT_HTTP_DATA) {
        *out_content += v.len;
        text += used;
        len -= used;
    }
    return rc;
}

static void test_content_beyond_the_limit_is_refused_in_every_framing(void **state)
{
    size_t n;
    struct cleat_http_head h = {.framing = CLEAT_HTTP_LENGTH, .content_length = 11};
    struct cleat_http_body b;
    assert_int_equal(cleat_http_body_init(&b, &h, 10, NULL), CLEAT_ERR_HTTP_TOO_LARGE);
    assert_int_equal(cleat_http_reply_status(CLEAT_ERR_HTTP_TOO_LARGE), 413);
    b = new_body(CLEAT_HTTP_CHUNKED, 0, 10);
    assert_int_equal(feed_all(&b, "5\r\nabcde\r\n5\r\nabcde\r\n0\r\n\r\n", &n),
                     CLEAT_HTTP_COMPLETE);
    assert_int_equal(n, 10);
    b = new_body(CLEAT_HTTP_CHUNKED, 0, 10);
    assert_int_equal(feed_all(&b, "5\r\nabcde\r\n6\r\nabcdef\r\n0\r\n\r\n", &n),
                     CLEAT_ERR_HTTP_TOO_LARGE);
    b = new_body(CLEAT_HTTP_CHUNKED, 0, 10);
    assert_int_equal(feed_all(&b, "5\r\nabcde\r\nffffffffffffffff\r\n", &n),
                     CLEAT_ERR_HTTP_TOO_LARGE);
    b = new_body(CLEAT_HTTP_UNTIL_CLOSE, 0, 10);
    assert_int_equal(feed_all(&b, "0123456789", &n), CLEAT_HTTP_MORE);
    assert_int_equal(feed_all(&b, "x", &n), CLEAT_ERR_HTTP_TOO_LARGE);
}

static void test_trailers_with_other_names_are_taken_however_they_are_cut(void **state)
{
    const char *bytes = HEAD "0\r\nHos: a\r\nHosts: b\r\nX-Host: c\r\nContent-Lengt: d\r\n"
                             "Content-Length-X: e\r\nUpgradeHost: f\r\nH: Host:\r\n\r\n";
    struct stream s = {.bytes = bytes, .len = strlen(bytes)};
    struct seen seen;
    run_every_way("trailers", &s, &seen);
    assert_int_equal(seen.code, 0);
    assert_true(seen.messages[0].complete);
    seen_deinit(&seen);
}

static void test_trailers_have_limits_of_bytes_and_of_fields(void **state)
{
    size_t n;
    struct cleat_http_body b = new_body(CLEAT_HTTP_CHUNKED, 0, 10);
    assert_int_equal(feed_all(&b, "0\r\n", &n), CLEAT_HTTP_MORE);
    for (int i = 0; i < CLEAT_HTTP_MAX_TRAILER_FIELDS; i++) {
        assert_int_equal(feed_all(&b, "a: b\r\n", &n), CLEAT_HTTP_MORE);
    }
    assert_int_equal(feed_all(&b, "a: b\r\n", &n), CLEAT_ERR_HTTP_TOO_LARGE);
    b = new_body(CLEAT_HTTP_CHUNKED, 0, 10);
    assert_int_equal(feed_all(&b, "0\r\na:", &n), CLEAT_HTTP_MORE);
    for (int i = 2; i < CLEAT_HTTP_MAX_TRAILERS; i++) {
        assert_int_equal(feed_all(&b, "x", &n), CLEAT_HTTP_MORE);
    }
    assert_int_equal(feed_all(&b, "x", &n), CLEAT_ERR_HTTP_TOO_LARGE);
}

/* Feeds text `piece` bytes at a time and puts the trailer section together. */
static int gather_trailers(const char *text, size_t piece, char *out, size_t cap)
{
    struct cleat_http_body b = new_body(CLEAT_HTTP_CHUNKED, 0, 100);
    const size_t len = strlen(text);
    size_t at = 0, there = piece < len ? piece : len, num = 0;
    b.tell_trailers = true;
    for (;;) {
        struct cleat_http_view view;
        size_t used;
        const int code = cleat_http_body_feed(&b, text + at, there - at, &used, &view, NULL);
        at += used;
        if (code == CLEAT_HTTP_TRAILER) {
            assert_true(num + view.len < cap);
            memcpy(out + num, view.p, view.len);
            num += view.len;
        } else if (code == CLEAT_HTTP_MORE && there < len) {
            there = there + piece < len ? there + piece : len;
        } else if (code != CLEAT_HTTP_DATA) {
            out[num] = '\0';
            return code;
        }
    }
}

static void test_trailers_are_handed_out_on_request(void **state)
{
    static const char text[] = "3\r\nabc\r\n0\r\nX-Sum: 17\r\nx-empty:\r\nx-last:  a b \r\n\r\n";
    struct cleat_http_head h;
    char out[200];
    (void)state;
    for (size_t piece = 1; piece <= sizeof(text); piece++) {
        assert_int_equal(gather_trailers(text, piece, out, sizeof(out)), CLEAT_HTTP_COMPLETE);
        assert_string_equal(out, "X-Sum: 17\r\nx-empty:\r\nx-last:  a b \r\n\r\n");
        assert_int_equal(gather_trailers("0\r\n\r\n", piece, out, sizeof(out)),
                         CLEAT_HTTP_COMPLETE);
        assert_string_equal(out, ""); /* there are none */
    }
    assert_int_equal(gather_trailers(text, sizeof(text), out, sizeof(out)), CLEAT_HTTP_COMPLETE);
    assert_int_equal(cleat_http_trailers_parse(&h, out, strlen(out), NULL), CLEAT_OK);
    assert_int_equal(h.num_fields, 3);
    assert_true(cleat_http_is(cleat_http_find(&h, "x-sum", NULL), "17"));
    assert_true(cleat_http_is(cleat_http_find(&h, "X-Last", NULL), "a b"));
    assert_int_equal(h.status, 0);
}

static void test_trailers_that_must_be_none_are_refused(void **state)
{
    static const struct {
        const char *text;
        int code;
    } rows[] = {
        {"a: b\r\n\r\n", CLEAT_OK},
        {"grpc-status: 0\r\n\r\n", CLEAT_OK},
        {"Authorization: x\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
        {"a: b\r\nset-cookie: x\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
        {"Content-Encoding: gzip\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
        {"Content-Length: 3\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
        {"Transfer-Encoding: gzip\r\n\r\n", CLEAT_ERR_HTTP_AMBIGUOUS},
        {"a: b\r\n", CLEAT_ERR_HTTP_SYNTAX}, /* not complete */
        {"a: b\r\n\r\nc: d\r\n", CLEAT_ERR_HTTP_SYNTAX},
        {"a b\r\n\r\n", CLEAT_ERR_HTTP_SYNTAX},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cleat_http_head h;
        struct cleat_error err = {0};
        const int code = cleat_http_trailers_parse(&h, rows[i].text, strlen(rows[i].text), &err);
        if (code != rows[i].code || (code == CLEAT_OK) != (err.text[0] == '\0')) {
            fail_msg("%s: %s %s", rows[i].text, cleat_error_name(code), err.text);
        }
    }
}

static void test_a_body_that_ends_early_is_truncated(void **state)
{
    size_t n;
    struct cleat_http_body b = new_body(CLEAT_HTTP_LENGTH, 5, 10);
    assert_int_equal(feed_all(&b, "abcd", &n), CLEAT_HTTP_MORE);
    assert_int_equal(cleat_http_body_eof(&b, true, NULL), CLEAT_ERR_HTTP_TRUNCATED);
    b = new_body(CLEAT_HTTP_CHUNKED, 0, 10);
    assert_int_equal(feed_all(&b, "1\r\na\r\n0\r\n", &n), CLEAT_HTTP_MORE);
    assert_int_equal(cleat_http_body_eof(&b, true, NULL), CLEAT_ERR_HTTP_TRUNCATED);
    b = new_body(CLEAT_HTTP_UNTIL_CLOSE, 0, 10);
    assert_int_equal(feed_all(&b, "abcd", &n), CLEAT_HTTP_MORE);
    assert_int_equal(cleat_http_body_eof(&b, false, NULL), CLEAT_ERR_HTTP_TRUNCATED);
    assert_int_equal(cleat_http_body_eof(&b, true, NULL), CLEAT_OK);
    assert_int_equal(feed_all(&b, "", &n), CLEAT_HTTP_COMPLETE);
}

static void test_what_follows_a_body_is_not_consumed(void **state)
{
    struct cleat_http_body b = new_body(CLEAT_HTTP_LENGTH, 3, 10);
    struct cleat_http_view v;
    size_t used;
    assert_int_equal(cleat_http_body_feed(&b, "abcGET", 6, &used, &v, NULL), CLEAT_HTTP_DATA);
    assert_true(used == 3 && v.len == 3);
    assert_int_equal(cleat_http_body_feed(&b, "GET", 3, &used, &v, NULL), CLEAT_HTTP_COMPLETE);
    assert_int_equal(used, 0);
    b = new_body(CLEAT_HTTP_CHUNKED, 0, 10);
    assert_int_equal(cleat_http_body_feed(&b, "0\r\n\r\nGET", 8, &used, &v, NULL),
                     CLEAT_HTTP_COMPLETE);
    assert_int_equal(used, 5);
}

static void test_no_body_is_complete_at_once(void **state)
{
    static const enum cleat_http_framing framings[] = {CLEAT_HTTP_NO_BODY, CLEAT_HTTP_LENGTH,
                                                       CLEAT_HTTP_SWITCHED};
    for (size_t i = 0; i < 3; i++) {
        size_t n;
        struct cleat_http_body b = new_body(framings[i], 0, 0);
        assert_int_equal(feed_all(&b, "abc", &n), CLEAT_HTTP_COMPLETE);
        assert_int_equal(n, 0);
        assert_int_equal(cleat_http_body_eof(&b, false, NULL), CLEAT_OK);
    }
}

static void test_a_failed_body_takes_no_more(void **state)
{
    size_t n;
    struct cleat_http_body b = new_body(CLEAT_HTTP_CHUNKED, 0, 10);
    assert_int_equal(feed_all(&b, "x", &n), CLEAT_ERR_HTTP_SYNTAX);
    assert_int_equal(feed_all(&b, "0\r\n\r\n", &n), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_http_body_eof(&b, true, NULL), CLEAT_ERR_HTTP_TRUNCATED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_malformed_chunks_and_trailers_are_refused_however_they_are_cut),
        cmocka_unit_test(test_content_beyond_the_limit_is_refused_in_every_framing),
        cmocka_unit_test(test_trailers_with_other_names_are_taken_however_they_are_cut),
        cmocka_unit_test(test_trailers_have_limits_of_bytes_and_of_fields),
        cmocka_unit_test(test_trailers_are_handed_out_on_request),
        cmocka_unit_test(test_trailers_that_must_be_none_are_refused),
        cmocka_unit_test(test_a_body_that_ends_early_is_truncated),
        cmocka_unit_test(test_what_follows_a_body_is_not_consumed),
        cmocka_unit_test(test_no_body_is_complete_at_once),
        cmocka_unit_test(test_a_failed_body_takes_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
