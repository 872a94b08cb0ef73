/* tests/base/test_buf.c - buffers that begin in lent room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

static size_t num_allocations;

static bool count(void *ctx, size_t size)
{
    (void)ctx;
    (void)size;
    num_allocations++;
    return true;
}

static void fill(uint8_t *p, size_t len, uint8_t byte)
{
    for (size_t i = 0; i < len; i++) {
        p[i] = byte;
    }
}

static void assert_all(const uint8_t *p, size_t len, uint8_t byte)
{
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(p[i], byte);
    }
}

static void test_what_fits_into_lent_room_allocates_nothing(void **state)
{
    uint8_t room[64];
    uint8_t bytes[64];
    struct cl_buf b;
    fill(bytes, sizeof(bytes), 7);
    num_allocations = 0;
    cl_mem_test_hook(count, NULL);
    cl_buf_lend(&b, room, sizeof(room));
    assert_int_equal(cl_buf_append(&b, bytes, 40, 1000), CL_OK);
    assert_int_equal(cl_buf_append(&b, bytes, 24, 1000), CL_OK);
    cl_mem_test_hook(NULL, NULL);
    assert_int_equal(num_allocations, 0);
    assert_ptr_equal(b.p, room);
    assert_int_equal(b.len, 64);
    assert_all(room, 64, 7);
    cl_buf_deinit(&b);
}

static void test_room_that_is_outgrown_is_left_wiped(void **state)
{
    uint8_t room[64];
    uint8_t bytes[100];
    struct cl_buf b;
    fill(bytes, sizeof(bytes), 7);
    cl_buf_lend(&b, room, sizeof(room));
    assert_int_equal(cl_buf_append(&b, bytes, 60, 1000), CL_OK);
    assert_int_equal(cl_buf_append(&b, bytes, 100, 1000), CL_OK);
    assert_ptr_not_equal(b.p, room);
    assert_int_equal(b.len, 160);
    assert_all(b.p, 160, 7);
    assert_all(room, 64, 0);
    cl_buf_deinit(&b);
}

static void test_lent_room_is_wiped_and_not_freed_at_the_end(void **state)
{
    uint8_t room[64];
    struct cl_buf b;
    fill(room, sizeof(room), 9);
    cl_buf_lend(&b, room, sizeof(room));
    assert_int_equal(cl_buf_append(&b, "secret", 6, 1000), CL_OK);
    cl_buf_deinit(&b);
    assert_all(room, 64, 0);
    assert_null(b.p);
    assert_false(b.lent);
}

static void test_the_limit_counts_for_lent_room_too(void **state)
{
    uint8_t room[64];
    struct cl_buf b;
    cl_buf_lend(&b, room, sizeof(room));
    assert_int_equal(cl_buf_append(&b, "12345678", 8, 8), CL_OK);
    assert_int_equal(cl_buf_append(&b, "9", 1, 8), CLEAT_ERR_LIMIT);
    assert_int_equal(b.len, 8);
    cl_buf_deinit(&b);
}

static void test_a_trimmed_buffer_holds_the_same_and_may_grow_again(void **state)
{
    struct cl_buf b = {0};
    uint8_t room[64];
    cl_buf_trim(&b);
    assert_int_equal(cl_buf_append(&b, "some bytes", 10, 1000), CL_OK);
    assert_in_range(b.cap, 11, 1000);
    cl_buf_trim(&b);
    assert_int_equal(b.cap, 10);
    assert_int_equal(cl_buf_append(&b, " more", 5, 1000), CL_OK);
    assert_memory_equal(b.p, "some bytes more", 15);
    cl_buf_deinit(&b);
    cl_buf_lend(&b, room, sizeof(room));
    assert_int_equal(cl_buf_append(&b, "lent", 4, 1000), CL_OK);
    cl_buf_trim(&b);
    assert_ptr_equal(b.p, room);
    cl_buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_fits_into_lent_room_allocates_nothing),
        cmocka_unit_test(test_room_that_is_outgrown_is_left_wiped),
        cmocka_unit_test(test_lent_room_is_wiped_and_not_freed_at_the_end),
        cmocka_unit_test(test_a_trimmed_buffer_holds_the_same_and_may_grow_again),
        cmocka_unit_test(test_the_limit_counts_for_lent_room_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
