/* One request and its response, without sockets: statuses, closing, bodies, positions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/exchange.h"
#include "serve/page.h"

static char folder[] = "/tmp/cleat-exchange-XXXXXX";
static struct cl_site site;

static int make_root(void **state)
{
    assert_non_null(mkdtemp(folder));
    site.files.root_fd = open(folder, O_RDONLY | O_DIRECTORY);
    assert_true(site.files.root_fd >= 0);
    int fd = openat(site.files.root_fd, "a.txt", O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    close(fd);
    return 0;
}

static int remove_root(void **state)
{
    unlinkat(site.files.root_fd, "a.txt", 0);
    close(site.files.root_fd);
    return rmdir(folder);
}

/* Feeds a request in pieces of `step` bytes; returns what came of it. */
static enum cl_exchange_next feed(struct cl_exchange *x, const char *text, size_t step,
                                  bool want_close)
{
    size_t len = strlen(text);
    size_t at = 0;
    bool in_body = false;
    while (at < len) {
        size_t n = len - at < step ? len - at : step;
        size_t used = 0;
        const uint8_t *p = (const uint8_t *)text + at;
        enum cl_exchange_next next = in_body ? cl_exchange_body(x, p, n, &used)
                                             : cl_exchange_head(x, p, n, want_close, &used);
        at += used;
        in_body = in_body || next == CL_EXCHANGE_BODY;
        if (next == CL_EXCHANGE_RESPOND) {
            return next;
        }
    }
    return in_body ? CL_EXCHANGE_BODY : CL_EXCHANGE_NEED_MORE;
}

struct row {
    const char *name;
    const char *request;
    int status;
    bool close;
    uint64_t body; /* length of the response's body; 0: not looked at */
};

static const struct row rows[] = {
    {"a file", "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", 200, false, 10},
    {"its head", "HEAD /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", 200, false, 0},
    {"a range", "GET /a.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=2-4\r\n\r\n", 206, false, 3},
    {"no such file", "GET /b.txt HTTP/1.1\r\nHost: x\r\n\r\n", 404, false, 0},
    {"out of the root", "GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404, false, 0},
    {"a last request", "GET /a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200, true,
     10},
    {"HTTP/1.0", "GET /a.txt HTTP/1.0\r\n\r\n", 200, true, 10},
    {"HTTP/1.0 to be kept", "GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, false,
     10},
    {"a method that is not for files",
     "PUT /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405, false, 0},
    {"a method that nobody knows", "BREW /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", 501, false, 0},
    {"a body that is dropped", "POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
     405, false, 0},
    {"a chunked body",
     "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 405,
     false, 0},
    {"a bad chunk", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400,
     true, 0},
    {"both lengths",
     "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
     true, 0},
    {"a body beyond the limit", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10485761\r\n\r\n",
     413, true, 0},
    {"a refused body that was to be asked for",
     "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", 405, true,
     0},
    {"another expectation", "GET /a.txt HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", 417, true, 0},
    {"no host", "GET / HTTP/1.1\r\n\r\n", 400, true, 0},
    {"no HTTP", "@@@ nothing\r\n\r\n", 400, true, 0},
    {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505, true, 0},
};

static void check_row(const struct row *row, size_t step)
{
    struct cl_exchange *x = NULL;
    assert_int_equal(cl_exchange_new(&site, &x), CL_OK);
    if (feed(x, row->request, step, false) != CL_EXCHANGE_RESPOND) {
        fail_msg("%s: no response (in steps of %zu)", row->name, step);
    }
    if (x->answer.reply.status != row->status || x->close != row->close) {
        fail_msg("%s: %d%s, not %d (in steps of %zu)", row->name, x->answer.reply.status,
                 x->close ? " and close" : "", row->status, step);
    }
    cl_exchange_seal(x);
    if (row->body != 0) {
        assert_int_equal(cl_exchange_body_bytes(x, cl_exchange_total(x)), row->body);
    }
    struct cl_rd head = cl_buf_view(&x->out_head);
    assert_non_null(memmem(head.p, head.len, "\r\nDate: ", 8));
    assert_non_null(memmem(head.p, head.len, "\r\nServer: cleat/", 15));
    bool says_close = memmem(head.p, head.len, "\r\nConnection: close\r\n", 21) != NULL;
    assert_int_equal(says_close, row->close);
    cl_exchange_free(x);
}

static void test_requests_get_their_status_however_they_arrive(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_row(&rows[i], 1);
        check_row(&rows[i], 7);
        check_row(&rows[i], 100000);
    }
}

static void test_the_bytes_behind_a_head_are_left_to_the_next(void **state)
{
    static const char two[] = "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\nGET /b";
    struct cl_exchange *x = NULL;
    size_t used = 0;
    assert_int_equal(cl_exchange_new(&site, &x), CL_OK);
    assert_int_equal(cl_exchange_head(x, (const uint8_t *)two, 10, false, &used),
                     CL_EXCHANGE_NEED_MORE);
    assert_int_equal(used, 10);
    assert_int_equal(cl_exchange_head(x, (const uint8_t *)two + 10, sizeof(two) - 11, false, &used),
                     CL_EXCHANGE_RESPOND);
    assert_int_equal(10 + used, sizeof(two) - 1 - strlen("GET /b"));
    cl_exchange_free(x);
}

static void test_a_head_beyond_16_kib_is_431(void **state)
{
    static char text[40000];
    memset(text, 'a', sizeof(text));
    memcpy(text, "GET / HTTP/1.1\r\nHost: x\r\nCookie: ", 33);
    text[sizeof(text) - 1] = '\0';
    for (size_t step = 1000; step <= 40000; step += 39000) {
        struct cl_exchange *x = NULL;
        assert_int_equal(cl_exchange_new(&site, &x), CL_OK);
        assert_int_equal(feed(x, text, step, false), CL_EXCHANGE_RESPOND);
        assert_int_equal(x->answer.reply.status, 431);
        assert_true(x->close);
        assert_true(x->pending.len <= CLEAT_HTTP_MAX_REQUEST_HEAD + 1);
        cl_exchange_free(x);
    }
}

static void test_an_expected_body_is_asked_for_when_it_will_be_read(void **state)
{
    struct cl_exchange *x = NULL;
    assert_int_equal(cl_exchange_new(&site, &x), CL_OK);
    assert_int_equal(feed(x,
                          "GET /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n"
                          "Expect: 100-continue\r\n\r\n",
                          1000, false),
                     CL_EXCHANGE_BODY);
    assert_true(x->interim);
    assert_false(x->close);
    cl_exchange_free(x);
}

/* The whole response, in pieces of cap bytes. */
static size_t fill_whole(uv_loop_t *loop, size_t cap, uint8_t *whole)
{
    struct cl_exchange *x = NULL;
    struct cl_file_read *file = NULL;
    enum cl_body_next next = CL_BODY_MORE;
    assert_int_equal(cl_file_read_new(loop, NULL, NULL, &file), CL_OK);
    assert_int_equal(cl_exchange_new(&site, &x), CL_OK);
    assert_int_equal(feed(x, "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", 1000, false),
                     CL_EXCHANGE_RESPOND);
    cl_exchange_seal(x);
    size_t total = (size_t)cl_exchange_total(x);
    size_t at = 0;
    while (next == CL_BODY_MORE) {
        size_t n = cl_exchange_fill(x, at, whole + at, cap, file, &next);
        assert_true(n > 0 && n <= cap);
        at += n;
        assert_int_equal(next, at == total ? CL_BODY_END : CL_BODY_MORE);
    }
    cl_exchange_free(x);
    cl_file_read_free(file, NULL);
    return at;
}

static void test_the_response_can_be_had_in_pieces_of_any_size(void **state)
{
    uv_loop_t loop;
    uint8_t whole[1024];
    uint8_t pieces[1024];
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    size_t total = fill_whole(&loop, sizeof(whole), whole);
    assert_memory_equal(whole + total - 10, "0123456789", 10);
    for (size_t cap = 1; cap < 40; cap += 3) {
        assert_int_equal(fill_whole(&loop, cap, pieces), total);
        assert_memory_equal(pieces + total - 14, "\r\n\r\n0123456789", 14);
    }
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_an_error_page_quotes_nothing_unescaped(void **state)
{
    struct cl_page page = {.status = 400, .text = "<script>alert('x')</script>"};
    struct cl_buf head = {0};
    struct cl_buf body = {0};
    assert_int_equal(cl_page_build(&page, &head, &body), CL_OK);
    assert_null(memmem(body.p, body.len, "<script", 7));
    assert_non_null(memmem(body.p, body.len, "&#60;script&#62;", 16));
    cl_buf_deinit(&head);
    cl_buf_deinit(&body);
}

static void test_plain_http_is_told_the_https_url(void **state)
{
    static const char request[] = "GET /x HTTP/1.1\r\nHost: example.com:8443\r\n\r\n";
    struct cl_buf out = {0};
    assert_int_equal(
        cl_page_wrong_port((const uint8_t *)request, sizeof(request) - 1, "[::1]:8443", &out),
        CL_OK);
    assert_non_null(memmem(out.p, out.len, "HTTP/1.1 400 ", 13));
    assert_non_null(memmem(out.p, out.len, "https://example.com:8443/", 25));
    cl_buf_deinit(&out);
    assert_int_equal(cl_page_wrong_port((const uint8_t *)request, 10, "[::1]:8443", &out), CL_OK);
    assert_non_null(memmem(out.p, out.len, "https://[::1]:8443/", 19));
    cl_buf_deinit(&out);
}

/* RFC 8470 3: what changes nothing may be answered before the handshake is done. */
static void test_only_get_and_head_are_answered_early(void **state)
{
    static const struct {
        const char *request;
        bool must_wait;
    } early[] = {
        {"GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", false},
        {"HEAD /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", false},
        {"GET /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", true},
        {"POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", true},
        {"OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n", true},
        {"DELETE /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", true},
        {"get /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", true},
    };
    for (size_t i = 0; i < sizeof(early) / sizeof(early[0]); i++) {
        for (size_t step = 1; step < 400; step += 199) {
            struct cl_exchange *x = NULL;
            assert_int_equal(cl_exchange_new(&site, &x), CL_OK);
            x->early = true;
            assert_int_equal(feed(x, early[i].request, step, false), CL_EXCHANGE_RESPOND);
            assert_int_equal(x->answer.must_wait, early[i].must_wait);
            assert_true(x->head.early);
            cl_exchange_free(x);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_get_their_status_however_they_arrive),
        cmocka_unit_test(test_the_bytes_behind_a_head_are_left_to_the_next),
        cmocka_unit_test(test_a_head_beyond_16_kib_is_431),
        cmocka_unit_test(test_an_expected_body_is_asked_for_when_it_will_be_read),
        cmocka_unit_test(test_the_response_can_be_had_in_pieces_of_any_size),
        cmocka_unit_test(test_an_error_page_quotes_nothing_unescaped),
        cmocka_unit_test(test_plain_http_is_told_the_https_url),
        cmocka_unit_test(test_only_get_and_head_are_answered_early),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
