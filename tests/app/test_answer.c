/* What becomes of one request, without a wire: statuses, fields, what is waited for. */
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

#include "serve/answer.h"
#include "serve/page.h"

static char folder[] = "/tmp/cleat-answer-XXXXXX";
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

/* The answer to a request, which has to be a complete head. */
static void ask(struct cl_answer *a, const char *text, bool early)
{
    struct cleat_http_head head;
    size_t len = strlen(text);
    cleat_http_request_init(&head);
    assert_int_equal(cleat_http_head_feed(&head, text, len, NULL), CLEAT_OK);
    assert_int_equal(head.len, len);
    head.early = early;
    cl_answer_init(a, &site);
    assert_int_equal(cl_answer_request(a, &head, 1, NULL), CL_ANSWER_READY);
}

struct row {
    const char *name;
    const char *request;
    int status;
    bool last, at_once;
    uint64_t length; /* of the response's body; 0: not looked at */
};

static const struct row rows[] = {
    {"a file", "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", 200, false, false, 10},
    {"its head", "HEAD /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", 200, false, false, 10},
    {"a range", "GET /a.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=2-4\r\n\r\n", 206, false, false, 3},
    {"no such file", "GET /b.txt HTTP/1.1\r\nHost: x\r\n\r\n", 404, false, false, 0},
    {"out of the root", "GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404, false, false, 0},
    {"a method that is not for files",
     "PUT /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405, false, false, 0},
    {"a tunnel", "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", 405, false, false, 0},
    {"what the server can do", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 204, false, false, 0},
    {"a method that nobody knows", "BREW /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", 501, false, false, 0},
    {"a body", "POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", 405, false, false,
     0},
    {"a body that was to be asked for, for a file",
     "GET /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", 200,
     false, false, 10},
    {"a refused body that was to be asked for",
     "POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", 405,
     true, true, 0},
    {"another expectation", "GET /a.txt HTTP/1.1\r\nHost: x\r\nExpect: tea\r\n\r\n", 417, true,
     true, 0},
};

static void test_requests_get_their_answers(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct cl_answer a;
        ask(&a, row->request, false);
        struct cl_rd fields = cl_buf_view(&a.reply.fields);
        if (a.reply.status != row->status || a.last != row->last || a.at_once != row->at_once ||
            (row->length != 0 && a.reply.length != row->length)) {
            fail_msg("%s: %d, %llu bytes%s%s", row->name, a.reply.status,
                     (unsigned long long)a.reply.length, a.last ? ", last" : "",
                     a.at_once ? ", at once" : "");
        }
        assert_non_null(memmem(fields.p, fields.len, "Date: ", 6));
        assert_non_null(memmem(fields.p, fields.len, "Server: cleat/", 14));
        assert_null(memmem(fields.p, fields.len, "Content-Length", 14));
        assert_null(memmem(fields.p, fields.len, "Connection", 10));
        cl_answer_deinit(&a);
    }
}

static void test_the_answer_to_head_has_the_length_and_no_body(void **state)
{
    struct cl_answer a;
    uint64_t length = 1;
    ask(&a, "HEAD /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", false);
    assert_int_equal(a.reply.length, 10);
    assert_true(cl_body_source_length(&a.reply.body, &length));
    assert_int_equal(length, 0);
    cl_answer_deinit(&a);
}

static void test_a_refusal_replaces_the_answer_and_is_the_last(void **state)
{
    struct cl_answer a;
    ask(&a, "GET /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", false);
    cl_answer_refuse(&a, 403, "Not you.");
    assert_int_equal(a.reply.status, 403);
    assert_true(a.last && a.at_once);
    assert_int_equal(a.reply.body.fd, -1);
    assert_non_null(memmem(a.reply.body.memory.p, a.reply.body.memory.len, "Not you.", 8));
    assert_int_equal(a.reply.length, a.reply.body.memory.len);
    cl_answer_deinit(&a);
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
        {"GET /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n", true},
        {"POST /a.txt HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n", true},
        {"OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n", true},
        {"DELETE /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", true},
        {"get /a.txt HTTP/1.1\r\nHost: x\r\n\r\n", true},
    };
    for (size_t i = 0; i < sizeof(early) / sizeof(early[0]); i++) {
        struct cl_answer a;
        ask(&a, early[i].request, true);
        assert_int_equal(a.must_wait, early[i].must_wait);
        assert_true(a.early);
        cl_answer_deinit(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests_get_their_answers),
        cmocka_unit_test(test_the_answer_to_head_has_the_length_and_no_body),
        cmocka_unit_test(test_a_refusal_replaces_the_answer_and_is_the_last),
        cmocka_unit_test(test_an_error_page_quotes_nothing_unescaped),
        cmocka_unit_test(test_plain_http_is_told_the_https_url),
        cmocka_unit_test(test_only_get_and_head_are_answered_early),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
