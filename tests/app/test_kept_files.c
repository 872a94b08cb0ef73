/* Small files that are kept for a second: what changes is seen at once, and answers are the same
 * as those from the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "allocations.h"
#include "serve/static.h"

#define LONG (CL_KEPT_MAX_FILE + 1)

struct fixture {
    char folder[64];
    int fd;
    int64_t now; /* long after the files were made */
    struct cl_kept_files *kept;
    struct cl_static_config config;
};

static void put_file(const struct fixture *f, const char *name, const char *text, size_t len)
{
    int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), (ssize_t)len);
    assert_int_equal(close(fd), 0);
}

static void put_text(const struct fixture *f, const char *name, const char *text)
{
    put_file(f, name, text, strlen(text));
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    const char *tmp = getenv("TMPDIR");
    snprintf(f->folder, sizeof(f->folder), "%.40s/cleat-kept-XXXXXX", tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(f->folder));
    f->fd = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(f->fd >= 0);
    put_text(f, "a.txt", "0123456789");
    f->now = (int64_t)time(NULL) + 1000;
    f->config = (struct cl_static_config){.root_fd = f->fd, .codings.precompressed = true};
    assert_int_equal(cl_kept_files_new(&f->kept), CL_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"a.txt", "b.txt", "a.txt.gz", "long"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)unlinkat(f->fd, names[i], 0);
    }
    cl_kept_files_free(f->kept);
    close(f->fd);
    int rc = rmdir(f->folder);
    free(f);
    return rc;
}

static void ask(const struct fixture *f, struct cl_kept_files *kept, const char *request,
                struct cl_static_reply *out)
{
    struct cleat_http_head head;
    cleat_http_request_init(&head);
    assert_int_equal(cleat_http_head_feed(&head, request, strlen(request), NULL), CLEAT_OK);
    struct cl_static_ask question = {.request = &head, .now = f->now, .kept = kept};
    *out = (struct cl_static_reply)CL_STATIC_REPLY_INIT;
    assert_int_equal(cl_static_answer(&f->config, &question, out), CL_OK);
}

static size_t body_of(const struct cl_static_reply *r, char *to, size_t cap)
{
    if (r->body.fd < 0) {
        if (r->body.memory.len > 0) {
            memcpy(to, r->body.memory.p, r->body.memory.len);
        }
        return r->body.memory.len;
    }
    ssize_t n =
        pread(r->body.fd, to, r->body.length < cap ? r->body.length : cap, (off_t)r->body.offset);
    return n > 0 ? (size_t)n : 0;
}

/* Asks for a.txt; the body is the text. */
static void assert_text(const struct fixture *f, int status, const char *text)
{
    char body[100];
    struct cl_static_reply r;
    ask(f, f->kept, "GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n", &r);
    assert_int_equal(r.status, status);
    if (text != NULL) {
        assert_int_equal(body_of(&r, body, sizeof(body)), strlen(text));
        assert_memory_equal(body, text, strlen(text));
    }
    cl_static_reply_deinit(&r);
}

static bool is_kept(const struct fixture *f, const char *name)
{
    const struct cl_kept_file *file = cl_kept_files_find(f->kept, f->fd, name, f->now);
    return file != NULL && file->bytes != NULL;
}

static void test_a_small_file_is_kept_for_a_second(void **state)
{
    struct fixture *f = *state;
    assert_text(f, 200, "0123456789");
    assert_true(is_kept(f, "a.txt"));
    assert_text(f, 200, "0123456789");
    f->now++;
    assert_false(is_kept(f, "a.txt"));
    assert_text(f, 200, "0123456789");
    assert_true(is_kept(f, "a.txt"));
}

static const char *const requests[] = {
    "GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n",
    "HEAD /a.txt HTTP/1.1\r\nHost: h\r\n\r\n",
    "POST /a.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=2-4\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=-1\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: h\r\nRange: bytes=10-\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: h\r\nIf-Match: \"x\"\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n",
    "GET /a.txt HTTP/1.1\r\nHost: h\r\nAccept-Encoding: identity;q=0\r\n\r\n",
};

static void test_answers_are_those_of_the_file(void **state)
{
    struct fixture *f = *state;
    assert_text(f, 200, "0123456789");
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        char body[2][100];
        struct cl_static_reply r[2];
        assert_true(is_kept(f, "a.txt"));
        ask(f, f->kept, requests[i], &r[0]);
        ask(f, NULL, requests[i], &r[1]);
        assert_true(r[0].body.fd < 0);
        assert_int_equal(r[0].status, r[1].status);
        assert_int_equal(r[0].length, r[1].length);
        assert_int_equal(r[0].fields.len, r[1].fields.len);
        assert_memory_equal(r[0].fields.p, r[1].fields.p, r[1].fields.len);
        const size_t len = body_of(&r[1], body[1], sizeof(body[1]));
        assert_int_equal(body_of(&r[0], body[0], sizeof(body[0])), len);
        assert_true(len == 0 || memcmp(body[0], body[1], len) == 0);
        cl_static_reply_deinit(&r[0]);
        cl_static_reply_deinit(&r[1]);
    }
}

static void test_what_changes_is_seen_at_once(void **state)
{
    struct fixture *f = *state;
    assert_text(f, 200, "0123456789");
    put_text(f, "a.txt", "9876543210");
    assert_text(f, 200, "9876543210");
    put_text(f, "b.txt", "replaced..");
    assert_int_equal(renameat(f->fd, "b.txt", f->fd, "a.txt"), 0);
    assert_text(f, 200, "replaced..");
    assert_true(is_kept(f, "a.txt"));
    assert_int_equal(fchmodat(f->fd, "a.txt", 0600, 0), 0);
    assert_false(is_kept(f, "a.txt"));
    assert_text(f, 200, "replaced..");
    assert_int_equal(unlinkat(f->fd, "a.txt", 0), 0);
    assert_text(f, 404, NULL);
    assert_int_equal(symlinkat("/etc/passwd", f->fd, "a.txt"), 0);
    assert_text(f, 404, NULL);
}

static void test_a_file_that_has_just_changed_is_not_kept(void **state)
{
    struct fixture *f = *state;
    f->now = (int64_t)time(NULL) + 1;
    assert_text(f, 200, "0123456789");
    assert_false(is_kept(f, "a.txt"));
}

static void test_a_compressed_file_beside_it_is_found_in_the_next_second(void **state)
{
    struct fixture *f = *state;
    assert_text(f, 200, "0123456789");
    put_text(f, "a.txt.gz", "packed");
    f->now++;
    assert_text(f, 200, "0123456789");
    assert_false(is_kept(f, "a.txt")); /* from now on it depends on who asks */
}

static void test_of_a_long_file_only_what_is_known_is_kept(void **state)
{
    struct fixture *f = *state;
    static char text[LONG];
    static const char request[] = "GET /long HTTP/1.1\r\nHost: h\r\n\r\n";
    struct cl_static_reply r;
    put_file(f, "long", text, sizeof(text));
    for (int i = 0; i < 2; i++) {
        ask(f, f->kept, request, &r);
        assert_int_equal(r.length, LONG);
        assert_true(r.body.fd >= 0);
        cl_static_reply_deinit(&r);
        assert_non_null(cl_kept_files_find(f->kept, f->fd, "long", f->now));
        assert_false(is_kept(f, "long"));
    }
}

static void test_more_names_than_places_push_each_other_out(void **state)
{
    struct fixture *f = *state;
    char name[20];
    struct stat st;
    int fd = openat(f->fd, "a.txt", O_RDONLY | O_CLOEXEC);
    size_t num = 0;
    assert_int_equal(fstat(fd, &st), 0);
    for (int i = 0; i < 4 * CL_KEPT_MAX_FILES; i++) {
        snprintf(name, sizeof(name), "./%d/../a.txt", i);
        cl_kept_files_put(f->kept, i, name, fd, &st, f->now);
    }
    for (int i = 0; i < 4 * CL_KEPT_MAX_FILES; i++) {
        snprintf(name, sizeof(name), "./%d/../a.txt", i);
        num += cl_kept_files_find(f->kept, i, name, f->now + 1) != NULL;
        cl_kept_files_put(f->kept, f->fd, "a.txt", fd, &st, f->now);
        assert_true(is_kept(f, "a.txt"));
    }
    assert_int_equal(num, 0);
    close(fd);
}

static void test_where_memory_is_short_files_are_opened(void **state)
{
    struct fixture *f = *state;
    struct allocations allocations = {.failed = true};
    struct stat st;
    int fd = openat(f->fd, "a.txt", O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    for (size_t n = 1; allocations.failed; n++) {
        struct cl_kept_files *kept;
        allocations_watch(&allocations, n);
        const cl_result made = cl_kept_files_new(&kept);
        if (made == CL_OK) {
            cl_kept_files_put(kept, f->fd, "a.txt", fd, &st, f->now);
        }
        allocations_leave();
        const struct cl_kept_file *file =
            made == CL_OK ? cl_kept_files_find(kept, f->fd, "a.txt", f->now) : NULL;
        assert_true(allocations.failed == (file == NULL || file->bytes == NULL));
        cl_kept_files_free(made == CL_OK ? kept : NULL);
    }
    assert_int_equal(allocations.num, 3);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_small_file_is_kept_for_a_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_answers_are_those_of_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_changes_is_seen_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_that_has_just_changed_is_not_kept, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_compressed_file_beside_it_is_found_in_the_next_second, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_of_a_long_file_only_what_is_known_is_kept, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_more_names_than_places_push_each_other_out, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_where_memory_is_short_files_are_opened, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
