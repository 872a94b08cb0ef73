/* tests/base/test_bytes.c - the reader and the writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/bytes.h"

static void test_a_short_read_leaves_the_reader_as_it_was(void **state)
{
    const uint8_t bytes[] = {1, 2, 3};
    struct cl_rd r = cl_rd_of(bytes, sizeof(bytes));
    uint32_t v = 0;
    assert_false(cl_rd_u32(&r, &v));
    assert_int_equal(r.len, 3);
    assert_true(cl_rd_u24(&r, &v));
    assert_int_equal(v, 0x010203);
    assert_true(cl_rd_done(&r));
}

static void test_a_vector_longer_than_the_input_is_refused_and_nothing_is_consumed(void **state)
{
    const uint8_t bytes[] = {0, 5, 'a', 'b'};
    struct cl_rd r = cl_rd_of(bytes, sizeof(bytes));
    struct cl_rd vec;
    assert_false(cl_rd_vec16(&r, &vec));
    assert_int_equal(r.len, 4);
    assert_true(cl_rd_vec8(&r, &vec));
    assert_int_equal(vec.len, 0);
}

static void test_integers_are_big_endian_both_ways(void **state)
{
    uint8_t out[18];
    struct cl_wr w = cl_wr_of(out, sizeof(out));
    cl_wr_u8(&w, 0x11);
    cl_wr_u16(&w, 0x2233);
    cl_wr_u24(&w, 0x445566);
    cl_wr_u32(&w, 0x778899aa);
    cl_wr_u64(&w, 0xbbccddeeff001122);
    assert_true(cl_wr_ok(&w));
    struct cl_rd r = cl_rd_of(out, w.len);
    uint8_t a = 0;
    uint16_t b;
    uint32_t c, d;
    uint64_t e;
    assert_true(cl_rd_u8(&r, &a) && cl_rd_u16(&r, &b) && cl_rd_u24(&r, &c) && cl_rd_u32(&r, &d) &&
                cl_rd_u64(&r, &e));
    assert_true(a == 0x11 && b == 0x2233 && c == 0x445566 && d == 0x778899aa);
    assert_true(e == 0xbbccddeeff001122 && cl_rd_done(&r));
}

static void test_nested_vectors_get_their_lengths(void **state)
{
    uint8_t out[32];
    struct cl_wr w = cl_wr_of(out, sizeof(out));
    struct cl_wr_mark outer = cl_wr_open24(&w);
    struct cl_wr_mark inner = cl_wr_open16(&w);
    cl_wr_bytes(&w, "abc", 3);
    cl_wr_close(&w, inner);
    cl_wr_close(&w, outer);
    assert_true(cl_wr_ok(&w));
    assert_memory_equal(out, "\0\0\5\0\3abc", 8);
}

static void test_a_full_writer_stays_failed(void **state)
{
    uint8_t out[4];
    struct cl_wr w = cl_wr_of(out, sizeof(out));
    cl_wr_bytes(&w, "abcde", 5);
    assert_false(cl_wr_ok(&w));
    cl_wr_u8(&w, 1);
    assert_false(cl_wr_ok(&w));
    assert_int_equal(w.len, 0);
}

static void test_a_vector_too_long_for_its_prefix_fails_the_writer(void **state)
{
    uint8_t out[300];
    struct cl_wr w = cl_wr_of(out, sizeof(out));
    struct cl_wr_mark m = cl_wr_open8(&w);
    cl_wr_zeros(&w, 256);
    cl_wr_close(&w, m);
    assert_false(cl_wr_ok(&w));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_short_read_leaves_the_reader_as_it_was),
        cmocka_unit_test(test_a_vector_longer_than_the_input_is_refused_and_nothing_is_consumed),
        cmocka_unit_test(test_integers_are_big_endian_both_ways),
        cmocka_unit_test(test_nested_vectors_get_their_lengths),
        cmocka_unit_test(test_a_full_writer_stays_failed),
        cmocka_unit_test(test_a_vector_too_long_for_its_prefix_fails_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
