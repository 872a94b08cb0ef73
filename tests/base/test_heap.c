/* tests/base/test_heap.c - blocks that are counted, limited, and dropped together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/heap.h"
#include "base/mem.h"

static bool never(void *ctx, size_t size)
{
    (void)ctx;
    (void)size;
    return false;
}

static void test_what_is_held_is_counted_and_dropped(void **state)
{
    struct cl_heap heap = {0};
    (void)state;
    char *a = cl_heap_alloc(&heap, 100);
    char *b = cl_heap_calloc(&heap, 10, 10);
    assert_true(a != NULL && b != NULL && b[99] == 0);
    assert_true(heap.used >= 200 && heap.used < 300);
    memcpy(a, "kept", 5);
    a = cl_heap_realloc(&heap, a, 10000);
    assert_string_equal(a, "kept");
    assert_true(heap.used >= 10100 && heap.used < 10200);
    cl_heap_free(&heap, b);
    cl_heap_free(&heap, NULL);
    assert_true(heap.used >= 10000 && heap.used < 10100);
    assert_non_null(cl_heap_realloc(&heap, NULL, 1));
    cl_heap_drop(&heap);
    assert_int_equal(heap.used, 0);
    assert_false(heap.refused || heap.exhausted);
}

static void test_a_limit_holds(void **state)
{
    struct cl_heap heap = {.max = 1000};
    (void)state;
    void *a = cl_heap_alloc(&heap, 600);
    assert_non_null(a);
    assert_null(cl_heap_alloc(&heap, 500));
    assert_true(heap.refused);
    assert_null(cl_heap_realloc(&heap, a, 1000));
    a = cl_heap_realloc(&heap, a, 900); /* in place of the 600, not beside them */
    assert_non_null(a);
    assert_null(cl_heap_alloc(&heap, SIZE_MAX));
    assert_null(cl_heap_calloc(&heap, SIZE_MAX / 2, 3));
    assert_null(cl_heap_realloc(&heap, a, SIZE_MAX - 8));
    assert_false(heap.exhausted);
    cl_heap_drop(&heap);
}

static void test_no_memory_is_no_limit(void **state)
{
    struct cl_heap heap = {0};
    (void)state;
    char *a = cl_heap_alloc(&heap, 5);
    assert_non_null(a);
    memcpy(a, "kept", 5);
    size_t used = heap.used;
    cl_mem_test_hook(never, NULL);
    assert_null(cl_heap_alloc(&heap, 10));
    assert_null(cl_heap_realloc(&heap, a, 10));
    cl_mem_test_hook(NULL, NULL);
    assert_true(heap.exhausted && !heap.refused);
    assert_string_equal(a, "kept");
    assert_int_equal(heap.used, used);
    cl_heap_drop(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_held_is_counted_and_dropped),
        cmocka_unit_test(test_a_limit_holds),
        cmocka_unit_test(test_no_memory_is_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
