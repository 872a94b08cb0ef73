/* How times are spread: percentiles and histograms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "measure/spread.h"

static void test_one_value_is_every_percentile(void **state)
{
    uint32_t us[] = {1234};
    struct cl_spread s;
    cl_spread_of(us, 1, &s);
    assert_int_equal(s.min, 1234);
    assert_int_equal(s.p50, 1234);
    assert_int_equal(s.p99, 1234);
    assert_int_equal(s.max, 1234);
    assert_true(s.mean == 1234);
}

static void test_percentiles_are_nearest_ranks_of_what_is_sorted(void **state)
{
    uint32_t us[100];
    struct cl_spread s;
    for (uint32_t i = 0; i < 100; i++) {
        us[i] = 100 - i;
    }
    cl_spread_of(us, 100, &s);
    assert_int_equal(us[0], 1);
    assert_int_equal(us[99], 100);
    assert_int_equal(s.min, 1);
    assert_int_equal(s.p50, 50);
    assert_int_equal(s.p90, 90);
    assert_int_equal(s.p99, 99);
    assert_int_equal(s.max, 100);
    assert_true(s.mean == 50.5);
}

static void test_a_histogram_goes_from_the_least_to_the_greatest(void **state)
{
    const uint32_t us[] = {160, 170, 250, 310, 320, 330};
    struct cl_bar bars[CL_MAX_BARS];
    assert_int_equal(cl_histogram(us, 6, bars), 3);
    assert_int_equal(bars[0].from, 150);
    assert_int_equal(bars[0].to, 200);
    assert_int_equal(bars[0].num, 2);
    assert_int_equal(bars[1].num, 1);
    assert_int_equal(bars[2].from, 300);
    assert_int_equal(bars[2].to, 500);
    assert_int_equal(bars[2].num, 3);
}

static void test_a_bound_belongs_to_the_bar_above_it(void **state)
{
    const uint32_t us[] = {199, 200};
    struct cl_bar bars[CL_MAX_BARS];
    assert_int_equal(cl_histogram(us, 2, bars), 2);
    assert_int_equal(bars[0].to, 200);
    assert_int_equal(bars[0].num, 1);
    assert_int_equal(bars[1].num, 1);
}

static void test_the_extremes_have_a_bar(void **state)
{
    const uint32_t us[] = {0, 3, UINT32_MAX};
    struct cl_bar bars[CL_MAX_BARS];
    size_t num = cl_histogram(us, 3, bars), sum = 0;
    assert_int_equal(bars[0].from, 0);
    assert_int_equal(bars[0].num, 2);
    assert_int_equal(bars[num - 1].num, 1);
    for (size_t i = 0; i < num; i++) {
        sum += bars[i].num;
        assert_true(i == 0 || bars[i].from == bars[i - 1].to);
    }
    assert_int_equal(sum, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_value_is_every_percentile),
        cmocka_unit_test(test_percentiles_are_nearest_ranks_of_what_is_sorted),
        cmocka_unit_test(test_a_histogram_goes_from_the_least_to_the_greatest),
        cmocka_unit_test(test_a_bound_belongs_to_the_bar_above_it),
        cmocka_unit_test(test_the_extremes_have_a_bar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
