/* Files compressed in memory: made once, kept within a budget, made anew when they change; and how
 * what is kept goes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "allocations.h"
#include "serve/body_source.h"

struct file {
    int fd;
    struct stat st;
};

/* Text of len bytes that shrinks well, or does not. */
static struct file file_of(size_t len, bool shrinks)
{
    struct file f = {.fd = memfd_create("page", MFD_CLOEXEC)};
    char *text = malloc(len);
    uint32_t state = 7;
    assert_true(f.fd >= 0 && text != NULL);
    for (size_t i = 0; i < len; i++) {
        state = state * 1664525 + 1013904223;
        text[i] = shrinks ? "a page\n"[i % 7] : (char)(state >> 24);
    }
    assert_int_equal(write(f.fd, text, len), (ssize_t)len);
    free(text);
    assert_int_equal(fstat(f.fd, &f.st), 0);
    return f;
}

static struct cl_encoded_cache *cache_of(size_t budget)
{
    struct cl_encoded_cache *cache = NULL;
    assert_int_equal(cl_encoded_cache_new(budget, &cache), CL_OK);
    return cache;
}

static void test_a_file_is_compressed_once_and_shared(void **state)
{
    struct cl_encoded_cache *cache = cache_of(1 << 20);
    struct file f = file_of(100000, true);
    (void)state;
    struct cl_encoded *a = cl_encoded_get(cache, f.fd, &f.st, CLEAT_CODING_GZIP);
    struct cl_encoded *b = cl_encoded_get(cache, f.fd, &f.st, CLEAT_CODING_GZIP);
    struct cl_encoded *c = cl_encoded_get(cache, f.fd, &f.st, CLEAT_CODING_BR);
    assert_true(a != NULL && a == b && c != NULL && c != a);
    assert_true(a->len > 100 && a->len < 2000);
    assert_int_equal(cl_encoded_cache_used(cache), a->len + c->len);
    cl_encoded_cache_free(cache); /* those who send it still can */
    assert_int_equal(a->bytes[0], 0x1f);
    cl_encoded_release(a);
    cl_encoded_release(b);
    cl_encoded_release(c);
    close(f.fd);
}

static void test_a_changed_file_is_another_one(void **state)
{
    struct cl_encoded_cache *cache = cache_of(1 << 20);
    struct file f = file_of(100000, true);
    struct stat before = f.st;
    (void)state;
    struct cl_encoded *a = cl_encoded_get(cache, f.fd, &f.st, CLEAT_CODING_GZIP);
    assert_int_equal(ftruncate(f.fd, 50000), 0);
    assert_int_equal(fstat(f.fd, &f.st), 0);
    struct cl_encoded *b = cl_encoded_get(cache, f.fd, &f.st, CLEAT_CODING_GZIP);
    assert_true(a != NULL && b != NULL && a != b);
    /* what is no more as it was said to be is not kept under its name */
    assert_null(cl_encoded_get(cache, f.fd, &before, CLEAT_CODING_ZSTD));
    cl_encoded_release(a);
    cl_encoded_release(b);
    cl_encoded_cache_free(cache);
    close(f.fd);
}

static void test_what_is_not_worth_it_is_known_the_second_time(void **state)
{
    struct cl_encoded_cache *cache = cache_of(1 << 20);
    struct file noise = file_of(50000, false);
    struct file small = file_of(CL_ENCODED_MIN_FILE - 1, true);
    struct file large = file_of(CL_ENCODED_MAX_FILE + 1, true);
    struct allocations allocations;
    (void)state;
    assert_null(cl_encoded_get(cache, noise.fd, &noise.st, CLEAT_CODING_GZIP));
    allocations_watch(&allocations, 0);
    assert_null(cl_encoded_get(cache, noise.fd, &noise.st, CLEAT_CODING_GZIP));
    assert_null(cl_encoded_get(cache, small.fd, &small.st, CLEAT_CODING_GZIP));
    assert_null(cl_encoded_get(cache, large.fd, &large.st, CLEAT_CODING_GZIP));
    allocations_leave();
    assert_int_equal(allocations.num, 0);
    assert_int_equal(cl_encoded_cache_used(cache), 0);
    cl_encoded_cache_free(cache);
    close(noise.fd);
    close(small.fd);
    close(large.fd);
}

static void test_the_budget_holds_and_the_oldest_goes(void **state)
{
    struct file f[12];
    size_t one = 0;
    (void)state;
    struct cl_encoded_cache *cache = cache_of(1000);
    for (size_t i = 0; i < 12; i++) {
        f[i] = file_of(100000 + i, true);
        struct cl_encoded *e = cl_encoded_get(cache, f[i].fd, &f[i].st, CLEAT_CODING_GZIP);
        assert_non_null(e);
        one = e->len;
        cl_encoded_release(e);
        assert_true(cl_encoded_cache_used(cache) <= 1000);
    }
    assert_true(cl_encoded_cache_used(cache) > 1000 - 2 * one);
    struct allocations allocations;
    allocations_watch(&allocations, 0);
    cl_encoded_release(cl_encoded_get(cache, f[11].fd, &f[11].st, CLEAT_CODING_GZIP));
    assert_int_equal(allocations.num, 0);
    cl_encoded_release(cl_encoded_get(cache, f[0].fd, &f[0].st, CLEAT_CODING_GZIP));
    assert_true(allocations.num > 0);
    allocations_leave();
    cl_encoded_cache_free(cache);
    for (size_t i = 0; i < 12; i++) {
        close(f[i].fd);
    }
}

static void test_every_failed_allocation_means_as_it_is(void **state)
{
    static const enum cleat_coding codings[] = {CLEAT_CODING_GZIP, CLEAT_CODING_BR,
                                                CLEAT_CODING_ZSTD};
    struct file f = file_of(5000, true);
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct allocations allocations = {.failed = true};
        for (size_t n = 1; allocations.failed; n++) {
            struct cl_encoded_cache *cache = cache_of(1 << 20);
            allocations_watch(&allocations, n);
            struct cl_encoded *e = cl_encoded_get(cache, f.fd, &f.st, codings[i]);
            allocations_leave();
            /* what cannot be kept can be sent */
            assert_true(e != NULL || allocations.failed);
            cl_encoded_release(e);
            cl_encoded_cache_free(cache);
        }
        assert_true(allocations.num >= 3);
    }
    close(f.fd);
}

struct crowd {
    struct cl_encoded_cache *cache;
    struct file files[8];
};

static void *run(void *ctx)
{
    struct crowd *c = ctx;
    for (size_t i = 0; i < 400; i++) {
        const struct file *f = &c->files[i % 8];
        struct cl_encoded *e = cl_encoded_get(c->cache, f->fd, &f->st,
                                              i % 3 == 0 ? CLEAT_CODING_GZIP : CLEAT_CODING_ZSTD);
        if (e == NULL || e->len == 0) {
            return ctx;
        }
        cl_encoded_release(e);
    }
    return NULL;
}

static void test_workers_share_it(void **state)
{
    struct crowd c = {.cache = cache_of(1200)};
    pthread_t threads[4];
    (void)state;
    for (size_t i = 0; i < 8; i++) {
        c.files[i] = file_of(3000 + i, true);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, run, &c), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    cl_encoded_cache_free(c.cache);
    for (size_t i = 0; i < 8; i++) {
        close(c.files[i].fd);
    }
}

static void test_it_goes_out_in_pieces_and_again_where_it_was_not_taken(void **state)
{
    struct cl_encoded_cache *cache = cache_of(1 << 20);
    struct file f = file_of(100000, true);
    uint8_t got[2000];
    (void)state;
    struct cl_encoded *e = cl_encoded_get(cache, f.fd, &f.st, CLEAT_CODING_GZIP);
    assert_non_null(e);
    for (size_t cap = 1; cap < 200; cap += 7) {
        struct cl_body_source s = CL_BODY_SOURCE_INIT;
        enum cl_body_next next = CL_BODY_MORE;
        uint64_t length;
        size_t at = 0;
        s.encoded = cl_encoded_get(cache, f.fd, &f.st, CLEAT_CODING_GZIP);
        assert_true(cl_body_source_length(&s, &length) && length == e->len);
        assert_false(cl_body_source_uses_file(&s));
        while (next == CL_BODY_MORE) {
            size_t n = cl_body_source_read(&s, got + at, cap, NULL, &next);
            assert_true(n > 0 && n <= cap);
            if (n == cap && at % 3 == 0) { /* half of it is not taken */
                cl_body_source_unread(&s, n / 2);
                n -= n / 2;
                next = CL_BODY_MORE;
            }
            at += n;
        }
        assert_int_equal(next, CL_BODY_END);
        assert_int_equal(at, e->len);
        assert_memory_equal(got, e->bytes, at);
        cl_body_source_deinit(&s);
    }
    assert_int_equal(e->refs, 2);
    cl_encoded_release(e);
    cl_encoded_cache_free(cache);
    close(f.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_is_compressed_once_and_shared),
        cmocka_unit_test(test_a_changed_file_is_another_one),
        cmocka_unit_test(test_what_is_not_worth_it_is_known_the_second_time),
        cmocka_unit_test(test_the_budget_holds_and_the_oldest_goes),
        cmocka_unit_test(test_every_failed_allocation_means_as_it_is),
        cmocka_unit_test(test_workers_share_it),
        cmocka_unit_test(test_it_goes_out_in_pieces_and_again_where_it_was_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
