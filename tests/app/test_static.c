/* tests/app/test_static.c - static files: what is found, what is refused, conditions and ranges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "http/date.h"
#include "http/write.h"
#include "serve/mime.h"
#include "serve/static.h"
#include "serve/static_path.h"

/* 2026-11-21T00:00:00Z; the files are from 1994 */
#define NOW      1795219200
#define MODIFIED 784111777
#define DATE     "Sun, 06 Nov 1994 08:49:37 GMT"

#define NOBODY 65534

struct fixture {
    char outside[64]; /* temporary folder; the root is "root" in it */
    int root_fd;
    struct cl_static_config config;
};

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    struct timespec times[2] = {{.tv_sec = MODIFIED}, {.tv_sec = MODIFIED}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void put_folder(const char *folder, const char *name)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0755), 0);
}

static void put_link(const char *folder, const char *name, const char *target)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(symlink(target, path), 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const char *tmp = getenv("TMPDIR");
    snprintf(f->outside, sizeof(f->outside), "%.40s/cleat-static-XXXXXX",
             tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(f->outside));
    char root[80];
    snprintf(root, sizeof(root), "%s/root", f->outside);
    put_folder(f->outside, "root");
    put_folder(f->outside, "rootless");
    put_file(f->outside, "secret.txt", "secret");
    put_file(root, "a.txt", "0123456789");
    put_file(root, "empty.css", "");
    put_file(root, "with space.HTML", "x");
    put_file(root, "..two", "x");
    put_file(root, ".hidden", "x");
    put_file(root, "index.html", "index");
    put_folder(root, "sub");
    put_file(root, "sub/index.html", "sub index");
    put_file(root, "sub/b.js", "b");
    put_folder(root, "bare");
    put_folder(root, "odd");
    put_folder(root, "odd/index.html");
    put_folder(root, ".git");
    put_file(root, ".git/config", "x");
    put_folder(root, ".well-known");
    put_file(root, ".well-known/a", "known");
    put_file(root, ".well-known/.b", "x");
    put_link(root, "inside", "sub/b.js");
    put_link(root, "outside", "../secret.txt");
    put_link(root, "absolute", "/etc/passwd");
    put_link(root, "up", "..");
    put_link(root, "loop", "loop");
    char fifo[100];
    snprintf(fifo, sizeof(fifo), "%s/fifo", root);
    assert_int_equal(mkfifo(fifo, 0644), 0);
    f->root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(f->root_fd >= 0);
    f->config = (struct cl_static_config){.root_fd = f->root_fd};
    *state = f;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
    return remove(path);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    close(f->root_fd);
    int rc = nftw(f->outside, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return rc;
}

struct got {
    struct cl_static_reply reply;
    struct cl_buf text; /* the answer's head, as it would stand in HTTP/1.1 */
    struct cleat_http_head head;
    struct cl_buf body;
};

/* What frames the body is added by whoever sends it; so here. */
static void parse_answer(struct got *got, struct cleat_http_view method)
{
    const struct cl_static_reply *r = &got->reply;
    assert_int_equal(cl_http_write_response(&got->text, r->status), CL_OK);
    assert_int_equal(cl_buf_append(&got->text, r->fields.p, r->fields.len, 10000), CL_OK);
    if (r->status != 304) {
        assert_int_equal(cl_http_write_field_u64(&got->text, "Content-Length", r->length), CL_OK);
    }
    assert_int_equal(cl_http_write_end(&got->text), CL_OK);
    cleat_http_response_init(&got->head, method);
    assert_int_equal(cleat_http_head_feed(&got->head, got->text.p, got->text.len, NULL), CLEAT_OK);
    assert_int_equal(got->head.len, got->text.len);
}

/* Asks for a path, with more field lines; the answer's head must be one that our client accepts. */
static void ask(const struct fixture *f, const char *method, const char *target, const char *fields,
                struct got *got)
{
    char bytes[1000];
    struct cleat_http_head request;
    int len = snprintf(bytes, sizeof(bytes), "%s %s HTTP/1.1\r\nHost: h\r\n%s\r\n", method, target,
                       fields);
    cleat_http_request_init(&request);
    assert_int_equal(cleat_http_head_feed(&request, bytes, (size_t)len, NULL), CLEAT_OK);
    struct cl_static_ask question = {.request = &request, .now = NOW};
    *got = (struct got){.reply = CL_STATIC_REPLY_INIT};
    assert_int_equal(cl_static_answer(&f->config, &question, &got->reply), CL_OK);
    parse_answer(got, cleat_http_text(&request, request.method));
    assert_int_equal(got->head.status, got->reply.status);
    const struct cl_static_reply *r = &got->reply;
    assert_int_equal(cl_buf_append(&got->body, r->body.memory.p, r->body.memory.len, 10000), CL_OK);
    if (r->body.fd >= 0) {
        char content[1000];
        ssize_t n = pread(r->body.fd, content, (size_t)r->body.length, (off_t)r->body.offset);
        assert_int_equal(n, r->body.length);
        assert_int_equal(cl_buf_append(&got->body, content, (size_t)n, 10000), CL_OK);
    }
    if (got->head.framing == CLEAT_HTTP_LENGTH) {
        assert_int_equal(got->head.content_length, got->body.len);
    } else {
        assert_int_equal(got->body.len, 0);
    }
}

static void done(struct got *got)
{
    cl_static_reply_deinit(&got->reply);
    cl_buf_deinit(&got->text);
    cl_buf_deinit(&got->body);
}

static bool has(const struct got *got, const char *name, const char *value)
{
    struct cleat_http_view v = cleat_http_find(&got->head, name, NULL);
    return value == NULL ? v.p == NULL : v.p != NULL && cleat_http_is(v, value);
}

static void assert_answer(void **state, const char *method, const char *target, const char *fields,
                          int status, const char *body)
{
    struct got got;
    ask(*state, method, target, fields, &got);
    if (got.reply.status != status ||
        (body != NULL &&
         (got.body.len != strlen(body) || memcmp(got.body.p, body, got.body.len) != 0))) {
        fail_msg("%s %s %s: %d '%.*s'", method, target, fields, got.reply.status, (int)got.body.len,
                 (char *)got.body.p);
    }
    done(&got);
}

static const struct {
    const char *target;
    int status;
    const char *body;
} path_rows[] = {
    {"/a.txt", 200, "0123456789"},
    {"/a.txt?x=y", 200, "0123456789"},
    {"/%61.txt", 200, "0123456789"},
    {"http://h/a.txt", 200, "0123456789"},
    {"http://h", 200, "index"},
    {"/", 200, "index"},
    {"/sub/", 200, "sub index"},
    {"/sub/b.js", 200, "b"},
    {"/with%20space.HTML", 200, "x"},
    {"/empty.css", 200, ""},
    {"/.well-known/a", 200, "known"},
    {"/sub", 301, NULL},
    {"/nothing", 404, NULL},
    {"/a.txt/", 404, NULL},
    {"/a.txt/x", 404, NULL},
    {"/bare/", 404, NULL},
    {"/odd/", 404, NULL},
    {"/sub//b.js", 404, NULL},
    {"//a.txt", 404, NULL},
    {"//sub", 404, NULL},
    {"/./a.txt", 404, NULL},
    {"/sub/../a.txt", 404, NULL},
    {"/../secret.txt", 404, NULL},
    {"/%2e%2e/secret.txt", 404, NULL},
    {"/sub/%2e%2E/%2e%2e/secret.txt", 404, NULL},
    {"/..%5csecret.txt", 404, NULL},
    {"/../rootless", 404, NULL},
    {"/..two", 404, NULL},
    {"/.hidden", 404, NULL},
    {"/%2ehidden", 404, NULL},
    {"/.git/config", 404, NULL},
    {"/.well-known/.b", 404, NULL},
    {"/sub/.well-known", 404, NULL},
    {"/outside", 404, NULL},
    {"/absolute", 404, NULL},
    {"/up/secret.txt", 404, NULL},
    {"/loop", 404, NULL},
    {"/fifo", 404, NULL},
    {"/..%2fsecret.txt", 400, NULL},
    {"/a.txt%00.html", 400, NULL},
    {"/%", 400, NULL},
    {"/%c0%ae%c0%ae/secret.txt", 404, NULL},
};

static void test_paths_lead_to_files_below_the_root_and_nowhere_else(void **state)
{
    for (size_t i = 0; i < sizeof(path_rows) / sizeof(path_rows[0]); i++) {
        assert_answer(state, "GET", path_rows[i].target, "", path_rows[i].status,
                      path_rows[i].body);
    }
}

static void test_a_link_that_stays_below_the_root_is_followed_where_the_kernel_guards_it(
    void **state)
{
    struct fixture *f = *state;
    struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
    long fd = syscall(SYS_openat2, f->root_fd, "a.txt", &how, sizeof(how));
    if (fd < 0) {
        print_message("no openat2 here: links are not followed\n");
        assert_answer(state, "GET", "/inside", "", 404, NULL);
        return;
    }
    close((int)fd);
    assert_answer(state, "GET", "/inside", "", 200, "b");
}

static void test_a_name_too_long_is_not_found(void **state)
{
    char target[400] = "/";
    memset(target + 1, 'x', 300);
    assert_answer(state, "GET", target, "", 404, NULL);
}

static void test_other_methods_get_405_with_allow(void **state)
{
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get", "X"};
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        struct got got;
        ask(*state, methods[i], "/a.txt", "", &got);
        assert_int_equal(got.reply.status, 405);
        assert_true(has(&got, "Allow", "GET, HEAD"));
        assert_int_equal(got.reply.body.fd, -1);
        done(&got);
    }
}

static void test_a_folder_without_slash_is_redirected_with_its_query(void **state)
{
    struct got got;
    ask(*state, "GET", "/s%75b?a=%0d%0a", "", &got);
    assert_int_equal(got.reply.status, 301);
    assert_true(has(&got, "Location", "/s%75b/?a=%0d%0a"));
    done(&got);
}

static void test_a_file_has_its_type_validators_and_nosniff(void **state)
{
    struct got got;
    ask(*state, "GET", "/a.txt", "", &got);
    assert_true(has(&got, "Content-Type", "text/plain; charset=utf-8"));
    assert_true(has(&got, "X-Content-Type-Options", "nosniff"));
    assert_true(has(&got, "Last-Modified", DATE));
    assert_true(has(&got, "Accept-Ranges", "bytes"));
    assert_true(has(&got, "Content-Length", "10"));
    assert_true(has(&got, "Date", "Sat, 21 Nov 2026 00:00:00 GMT"));
    struct cleat_http_view etag = cleat_http_find(&got.head, "ETag", NULL);
    assert_true(etag.len == 18 && etag.p[0] == '"' && etag.p[17] == '"');
    done(&got);
}

static void test_head_is_as_get_without_the_body(void **state)
{
    static const char *const targets[] = {"/a.txt", "/sub", "/nothing"};
    for (size_t i = 0; i < 3; i++) {
        struct got get;
        struct got head;
        ask(*state, "GET", targets[i], "", &get);
        ask(*state, "HEAD", targets[i], "", &head);
        assert_int_equal(get.text.len, head.text.len);
        assert_memory_equal(get.text.p, head.text.p, get.text.len);
        assert_int_equal(head.body.len, 0);
        assert_int_equal(head.reply.body.fd, -1);
        done(&get);
        done(&head);
    }
}

/* E is replaced by the file's entity tag. */
static const struct {
    const char *fields;
    int status;
} condition_rows[] = {
    {"If-None-Match: E", 304},
    {"If-None-Match: W/E", 304},
    {"If-None-Match: \"x\", E", 304},
    {"If-None-Match: \"x\"\r\nIf-None-Match: E", 304},
    {"If-None-Match: *", 304},
    {"If-None-Match: \"x\"", 200},
    {"If-None-Match: \"x\"\r\nIf-Modified-Since: " DATE, 200},
    {"If-None-Match: E\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT", 304},
    {"If-Modified-Since: " DATE, 304},
    {"If-Modified-Since: Sun, 06 Nov 1994 08:49:38 GMT", 304},
    {"If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT", 200},
    {"If-Modified-Since: yesterday", 200},
    {"If-Modified-Since: " DATE "\r\nIf-Modified-Since: " DATE, 200},
    {"If-Match: E", 200},
    {"If-Match: *", 200},
    {"If-Match: W/E", 412},
    {"If-Match: \"x\"", 412},
    {"If-Match: \"x\"\r\nIf-None-Match: E", 412},
    {"If-Match: E\r\nIf-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT", 200},
    {"If-Match: E\r\nIf-None-Match: E", 304},
    {"If-Unmodified-Since: " DATE, 200},
    {"If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT", 412},
    {"If-Unmodified-Since: tomorrow", 200},
    {"If-None-Match: E\r\nRange: bytes=0-1", 304},
    {"Range: bytes=0-1\r\nIf-Range: E", 206},
    {"Range: bytes=0-1\r\nIf-Range: W/E", 200},
    {"Range: bytes=0-1\r\nIf-Range: \"x\"", 200},
    {"Range: bytes=0-1\r\nIf-Range: " DATE, 206},
    {"Range: bytes=0-1\r\nIf-Range: Sun, 06 Nov 1994 08:49:38 GMT", 200},
    {"Range: bytes=90-\r\nIf-Range: \"x\"", 200},
};

static void test_conditions_are_judged_in_the_order_of_rfc_9110(void **state)
{
    struct got got;
    ask(*state, "GET", "/a.txt", "", &got);
    struct cleat_http_view etag = cleat_http_find(&got.head, "ETag", NULL);
    for (size_t i = 0; i < sizeof(condition_rows) / sizeof(condition_rows[0]); i++) {
        char fields[300];
        size_t len = 0;
        for (const char *p = condition_rows[i].fields; *p != '\0'; p++) {
            if (*p == 'E' && (p[1] == '\0' || p[1] == '\r')) {
                memcpy(fields + len, etag.p, etag.len);
                len += etag.len;
            } else {
                fields[len++] = *p;
            }
        }
        memcpy(fields + len, "\r\n", 3);
        assert_answer(state, "GET", "/a.txt", fields, condition_rows[i].status, NULL);
        /* what does not exist has no conditions */
        assert_answer(state, "GET", "/nothing", fields, 404, NULL);
    }
    done(&got);
}

static void test_a_304_has_the_validators_and_no_content(void **state)
{
    struct got got;
    ask(*state, "GET", "/a.txt", "If-None-Match: *\r\n", &got);
    assert_int_equal(got.reply.status, 304);
    assert_true(cleat_http_find(&got.head, "ETag", NULL).p != NULL);
    assert_true(has(&got, "Content-Length", NULL));
    assert_true(has(&got, "Content-Type", NULL));
    assert_int_equal(got.reply.body.fd, -1);
    done(&got);
}

static const struct {
    const char *range;
    int status;
    const char *content_range; /* NULL: none */
    const char *body;          /* NULL: any */
} range_rows[] = {
    {"bytes=0-0", 206, "bytes 0-0/10", "0"},       {"bytes=2-5", 206, "bytes 2-5/10", "2345"},
    {"bytes=8-", 206, "bytes 8-9/10", "89"},       {"bytes=-3", 206, "bytes 7-9/10", "789"},
    {"bytes=5-100", 206, "bytes 5-9/10", "56789"}, {"bytes=0-2,2-4", 206, "bytes 0-4/10", "01234"},
    {"bytes=0-1,90-", 206, "bytes 0-1/10", "01"},  {"bytes=0-1,4-5", 200, NULL, "0123456789"},
    {"bytes=5-2", 200, NULL, "0123456789"},        {"lines=1-2", 200, NULL, "0123456789"},
    {"bytes=10-", 416, "bytes */10", NULL},        {"bytes=-0", 416, "bytes */10", NULL},
};

static void test_ranges_give_the_part_that_was_asked_for(void **state)
{
    for (size_t i = 0; i < sizeof(range_rows) / sizeof(range_rows[0]); i++) {
        char fields[100];
        struct got got;
        snprintf(fields, sizeof(fields), "Range: %s\r\n", range_rows[i].range);
        assert_answer(state, "GET", "/a.txt", fields, range_rows[i].status, range_rows[i].body);
        ask(*state, "GET", "/a.txt", fields, &got);
        assert_true(has(&got, "Content-Range", range_rows[i].content_range));
        done(&got);
    }
    assert_answer(state, "HEAD", "/a.txt", "Range: bytes=0-0\r\n", 200, "");
    assert_answer(state, "GET", "/a.txt", "Range: bytes=0-0\r\nRange: bytes=1-1\r\n", 200, NULL);
    assert_answer(state, "GET", "/empty.css", "Range: bytes=0-\r\n", 416, NULL);
}

static void test_a_changed_file_has_another_entity_tag(void **state)
{
    struct fixture *f = *state;
    struct got before;
    struct got after;
    char root[80];
    snprintf(root, sizeof(root), "%s/root", f->outside);
    put_file(root, "changing", "one");
    ask(f, "GET", "/changing", "", &before);
    put_file(root, "changing", "four");
    ask(f, "GET", "/changing", "", &after);
    struct cleat_http_view a = cleat_http_find(&before.head, "ETag", NULL);
    struct cleat_http_view b = cleat_http_find(&after.head, "ETag", NULL);
    assert_true(a.len == b.len && memcmp(a.p, b.p, a.len) != 0);
    done(&before);
    done(&after);
}

static void test_a_file_from_the_future_was_modified_now(void **state)
{
    struct fixture *f = *state;
    struct got got;
    char path[100];
    char root[80];
    snprintf(root, sizeof(root), "%s/root", f->outside);
    put_file(root, "future", "x");
    snprintf(path, sizeof(path), "%s/future", root);
    struct timespec times[2] = {{.tv_sec = NOW + 1000}, {.tv_sec = NOW + 1000}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    ask(f, "GET", "/future", "", &got);
    assert_true(has(&got, "Last-Modified", "Sat, 21 Nov 2026 00:00:00 GMT"));
    done(&got);
}

static void test_a_prefix_is_removed_and_other_paths_are_not_found(void **state)
{
    struct fixture f = *(struct fixture *)*state;
    void *here = &f;
    struct got got;
    f.config.prefix = "/files/";
    assert_answer(&here, "GET", "/files/a.txt", "", 200, "0123456789");
    assert_answer(&here, "GET", "/files/", "", 200, "index");
    assert_answer(&here, "GET", "/filesa.txt", "", 404, NULL);
    assert_answer(&here, "GET", "/a.txt", "", 404, NULL);
    assert_answer(&here, "GET", "/files//a.txt", "", 404, NULL);
    assert_answer(&here, "GET", "/files/../a.txt", "", 404, NULL);
    ask(&f, "GET", "/files?x", "", &got);
    assert_true(got.reply.status == 301 && has(&got, "Location", "/files/?x"));
    done(&got);
    ask(&f, "GET", "/files/sub", "", &got);
    assert_true(has(&got, "Location", "/files/sub/"));
    done(&got);
}

static void test_configured_index_cache_control_and_extra_fields_are_used(void **state)
{
    struct fixture f = *(struct fixture *)*state;
    struct cleat_http_head request;
    const char *bytes = "GET /sub/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    struct got got = {.reply = CL_STATIC_REPLY_INIT};
    cleat_http_request_init(&request);
    assert_int_equal(cleat_http_head_feed(&request, bytes, strlen(bytes), NULL), CLEAT_OK);
    struct cl_static_ask question = {
        .request = &request, .now = NOW, .extra_fields = "X-Extra: y\r\n"};
    f.config.index = "b.js";
    f.config.cache_control = "max-age=60";
    assert_int_equal(cl_static_answer(&f.config, &question, &got.reply), CL_OK);
    parse_answer(&got, (struct cleat_http_view){"GET", 3});
    assert_true(has(&got, "Content-Type", "text/javascript; charset=utf-8"));
    assert_true(has(&got, "Cache-Control", "max-age=60"));
    assert_true(has(&got, "X-Extra", "y"));
    assert_true(has(&got, "Connection", NULL));
    done(&got);
}

static void test_a_file_that_may_not_be_read_is_forbidden(void **state)
{
    struct fixture *f = *state;
    char path[100];
    char root[80];
    snprintf(root, sizeof(root), "%s/root", f->outside);
    put_file(root, "closed", "x");
    snprintf(path, sizeof(path), "%s/closed", root);
    assert_int_equal(chmod(path, 0), 0);
    bool is_root = geteuid() == 0;
    if (is_root) {
        assert_int_equal(seteuid(NOBODY), 0); /* root may read everything */
    }
    struct got got;
    ask(f, "GET", "/closed", "", &got);
    if (is_root) {
        assert_int_equal(seteuid(0), 0);
    }
    assert_int_equal(got.reply.status, 403);
    done(&got);
}

static void test_the_walk_for_old_kernels_follows_no_link_at_all(void **state)
{
    static const struct {
        const char *name;
        bool opens;
    } rows[] = {
        {"a.txt", true},         {"sub/b.js", true},       {"sub/index.html", true},
        {"sub", true},           {"sub/", true},           {"", true},
        {".well-known/a", true}, {"inside", false},        {"outside", false},
        {"absolute", false},     {"up/secret.txt", false}, {"up/root/a.txt", false},
        {"loop", false},         {"../secret.txt", false}, {"sub/../../secret.txt", false},
        {"..", false},           {"a.txt/", false},        {"a.txt/x", false},
        {"nothing", false},      {"/etc/passwd", false},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int fd = cl_static_open_walk(f->root_fd, rows[i].name);
        if ((fd >= 0) != rows[i].opens) {
            fail_msg("%s: %d %s", rows[i].name, fd, strerror(errno));
        }
        if (fd >= 0) {
            close(fd);
        }
    }
}

static void test_types_are_found_by_the_last_extension_in_any_case(void **state)
{
    assert_string_equal(cl_mime_type(cl_rd_str("a/b.HTML")), "text/html; charset=utf-8");
    assert_string_equal(cl_mime_type(cl_rd_str("b.tar.gz")), "application/gzip");
    assert_string_equal(cl_mime_type(cl_rd_str("x.html/y")), "application/octet-stream");
    assert_string_equal(cl_mime_type(cl_rd_str("html")), "application/octet-stream");
    assert_string_equal(cl_mime_type(cl_rd_str("a.")), "application/octet-stream");
    assert_string_equal(cl_mime_type(cl_rd_str("")), "application/octet-stream");
}

static void test_no_descriptor_is_left_behind(void **state)
{
    int before = dup(0);
    close(before);
    for (size_t i = 0; i < sizeof(path_rows) / sizeof(path_rows[0]); i++) {
        assert_answer(state, "GET", path_rows[i].target, "", path_rows[i].status, NULL);
        assert_answer(state, "HEAD", path_rows[i].target, "If-None-Match: *\r\n",
                      path_rows[i].status == 200 ? 304 : path_rows[i].status, NULL);
    }
    int after = dup(0);
    close(after);
    assert_int_equal(before, after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_lead_to_files_below_the_root_and_nowhere_else),
        cmocka_unit_test(
            test_a_link_that_stays_below_the_root_is_followed_where_the_kernel_guards_it),
        cmocka_unit_test(test_a_name_too_long_is_not_found),
        cmocka_unit_test(test_other_methods_get_405_with_allow),
        cmocka_unit_test(test_a_folder_without_slash_is_redirected_with_its_query),
        cmocka_unit_test(test_a_file_has_its_type_validators_and_nosniff),
        cmocka_unit_test(test_head_is_as_get_without_the_body),
        cmocka_unit_test(test_conditions_are_judged_in_the_order_of_rfc_9110),
        cmocka_unit_test(test_a_304_has_the_validators_and_no_content),
        cmocka_unit_test(test_ranges_give_the_part_that_was_asked_for),
        cmocka_unit_test(test_a_changed_file_has_another_entity_tag),
        cmocka_unit_test(test_a_file_from_the_future_was_modified_now),
        cmocka_unit_test(test_a_prefix_is_removed_and_other_paths_are_not_found),
        cmocka_unit_test(test_configured_index_cache_control_and_extra_fields_are_used),
        cmocka_unit_test(test_a_file_that_may_not_be_read_is_forbidden),
        cmocka_unit_test(test_the_walk_for_old_kernels_follows_no_link_at_all),
        cmocka_unit_test(test_types_are_found_by_the_last_extension_in_any_case),
        cmocka_unit_test(test_no_descriptor_is_left_behind),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
