/* tests/app/test_body_source.c - bodies out of memory and files, read piece by piece. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "serve/body_source.h"

#define DIGITS "0123456789"

static uv_loop_t loop;

struct run {
    struct cl_body_source *source;
    struct cl_file_read *reader;
    uint8_t got[256];
    size_t len;
    size_t cap;
    enum cl_body_next next;
};

static void on_read(void *ctx, ssize_t n)
{
    struct run *r = ctx;
    r->len += cl_body_source_arrived(r->source, r->got + r->len, r->cap, r->reader, n, &r->next);
}

/* Reads to the end, or the failure, in pieces of at most cap bytes. */
static void read_all(struct run *r, struct cl_body_source *source, size_t cap)
{
    *r = (struct run){.source = source, .cap = cap, .next = CL_BODY_MORE};
    assert_int_equal(cl_file_read_new(&loop, on_read, r, &r->reader), CL_OK);
    while (r->next == CL_BODY_MORE) {
        assert_true(r->len + cap <= sizeof(r->got));
        size_t n = cl_body_source_read(source, r->got + r->len, cap, r->reader, &r->next);
        assert_true(n <= cap);
        r->len += n;
        r->cap = cap - n;
        if (r->next == CL_BODY_WAIT) {
            uv_run(&loop, UV_RUN_DEFAULT);
        }
        r->cap = cap;
    }
    cl_file_read_free(r->reader, NULL);
}

static int file_of(const char *text)
{
    int fd = memfd_create("body", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    return fd;
}

struct row {
    const char *name;
    const char *memory; /* NULL: none */
    const char *file;   /* NULL: none */
    uint64_t offset, length;
    const char *expected;
};

static const struct row rows[] = {
    {"nothing", NULL, NULL, 0, 0, ""},
    {"memory", "some text", NULL, 0, 0, "some text"},
    {"a file", NULL, DIGITS, 0, 10, DIGITS},
    {"a range of a file", NULL, DIGITS, 3, 4, "3456"},
    {"the last byte", NULL, DIGITS, 9, 1, "9"},
    {"no byte of a file", NULL, DIGITS, 0, 0, ""},
    {"memory, then a file", "begin:", DIGITS, 8, 2, "begin:89"},
};

static void make(struct cl_body_source *s, const struct row *row)
{
    *s = (struct cl_body_source)CL_BODY_SOURCE_INIT;
    if (row->memory != NULL) {
        assert_int_equal(cl_buf_append(&s->memory, row->memory, strlen(row->memory), 100), CL_OK);
    }
    if (row->file != NULL) {
        s->fd = file_of(row->file);
        s->offset = row->offset;
        s->length = row->length;
    }
}

static void test_bodies_come_whole_in_pieces_of_any_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t cap = 1; cap < 24; cap++) {
            struct cl_body_source s;
            struct run r;
            uint64_t length = 0;
            make(&s, &rows[i]);
            assert_true(cl_body_source_length(&s, &length));
            read_all(&r, &s, cap);
            if (r.next != CL_BODY_END || length != strlen(rows[i].expected) || r.len != length ||
                memcmp(r.got, rows[i].expected, r.len) != 0) {
                fail_msg("%s, by %zu: '%.*s'", rows[i].name, cap, (int)r.len, (char *)r.got);
            }
            assert_true(cl_body_source_length(&s, &length));
            assert_int_equal(length, r.len);
            cl_body_source_deinit(&s);
            assert_int_equal(s.fd, -1);
        }
    }
}

static void test_what_was_not_taken_is_given_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len = strlen(rows[i].expected);
        for (size_t back = 0; back <= len; back++) {
            struct cl_body_source s;
            struct run r;
            make(&s, &rows[i]);
            read_all(&r, &s, 24);
            assert_int_equal(r.len, len);
            cl_body_source_unread(&s, back);
            read_all(&r, &s, 24);
            assert_int_equal(r.next, CL_BODY_END);
            assert_int_equal(r.len, back);
            assert_memory_equal(r.got, rows[i].expected + len - back, back);
            cl_body_source_deinit(&s);
        }
    }
}

static void test_a_file_that_has_become_shorter_fails(void **state)
{
    struct cl_body_source s = CL_BODY_SOURCE_INIT;
    struct run r;
    (void)state;
    s.fd = file_of(DIGITS);
    s.length = 10;
    assert_int_equal(ftruncate(s.fd, 6), 0);
    read_all(&r, &s, 4);
    assert_int_equal(r.next, CL_BODY_FAILED);
    assert_int_equal(r.len, 6);
    cl_body_source_deinit(&s);
}

static void test_what_is_not_in_memory_yet_arrives_later(void **state)
{
    struct cl_body_source s = CL_BODY_SOURCE_INIT;
    struct run r = {.source = &s, .cap = 4, .next = CL_BODY_MORE};
    (void)state;
    s.length = 10;
    s.fd = file_of(DIGITS);
    assert_int_equal(cl_file_read_new(&loop, on_read, &r, &r.reader), CL_OK);
    on_read(&r, 4); /* as if the thread pool had read "0123" */
    assert_int_equal(r.len, 4);
    assert_int_equal(r.next, CL_BODY_MORE);
    r.len += cl_body_source_read(&s, r.got + r.len, 6, r.reader, &r.next);
    if (r.next == CL_BODY_WAIT) {
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    assert_int_equal(r.next, CL_BODY_END);
    assert_int_equal(r.len, 10);
    assert_memory_equal(r.got + 4, "456789", 6);
    cl_file_read_free(r.reader, NULL);
    cl_body_source_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies_come_whole_in_pieces_of_any_size),
        cmocka_unit_test(test_what_was_not_taken_is_given_again),
        cmocka_unit_test(test_a_file_that_has_become_shorter_fails),
        cmocka_unit_test(test_what_is_not_in_memory_yet_arrives_later),
    };
    if (uv_loop_init(&loop) != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return uv_loop_close(&loop) != 0 ? 1 : failed;
}
