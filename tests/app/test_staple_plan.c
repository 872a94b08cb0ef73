/* tests/app/test_staple_plan.c - when OCSP responses are asked for again. No clock: times come in.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "serve/staple_plan.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

#define T0_S INT64_C(1795262400) /* 2026-11-21T12:00:00Z */
#define T0   (T0_S * 1000)
#define SEC  INT64_C(1000)
#define MIN  (60 * SEC)
#define HOUR (60 * MIN)
#define DAY  (24 * HOUR)

static const uint32_t dice[] = {0, 1, UINT32_MAX / 2, UINT32_MAX - 1, UINT32_MAX};

static struct cl_staple_life of_days(int days)
{
    return cl_staple_life_of(T0_S, T0_S + days * DAY / SEC);
}

static void test_a_response_is_served_until_a_moment_before_its_end(void **state)
{
    const struct cl_staple_life week = of_days(7);
    assert_int_equal(week.from, T0);
    assert_int_equal(week.until, T0 + 7 * DAY - CL_STAPLE_MARGIN_MS);
    assert_false(week.endless);
    const struct cl_staple_life endless = cl_staple_life_of(T0_S, INT64_MIN);
    assert_true(endless.endless);
    assert_int_equal(endless.until, T0 + 7 * DAY - CL_STAPLE_MARGIN_MS);
}

static void test_times_that_make_no_sense_overflow_nothing(void **state)
{
    static const int64_t odd[] = {INT64_MIN, INT64_MIN + 1, -1, 0, T0_S, INT64_MAX - 1, INT64_MAX};
    for (size_t i = 0; i < LEN(odd); i++) {
        for (size_t k = 0; k < LEN(odd); k++) {
            const struct cl_staple_life life = cl_staple_life_of(odd[i], odd[k]);
            assert_true(life.from >= 0 && life.until >= life.from - CL_STAPLE_MARGIN_MS);
            for (size_t d = 0; d < LEN(dice); d++) {
                const int64_t due = cl_staple_refresh(&life, T0, dice[d]);
                assert_in_range(due - T0, CL_STAPLE_MIN_MS, CL_STAPLE_MAX_MS * 11 / 10);
            }
        }
    }
}

static void test_it_is_asked_for_again_at_half_of_its_life(void **state)
{
    static const int days[] = {1, 3, 7, 10};
    for (size_t i = 0; i < LEN(days); i++) {
        const struct cl_staple_life life = of_days(days[i]);
        for (size_t d = 0; d < LEN(dice); d++) {
            const int64_t due = cl_staple_refresh(&life, T0 + 10 * SEC, dice[d]);
            assert_in_range(due - T0, days[i] * DAY / 2 * 89 / 100, days[i] * DAY / 2 * 111 / 100);
            /* and so when it was made a while ago */
            assert_int_equal(due, cl_staple_refresh(&life, T0 + days[i] * DAY / 4, dice[d]));
        }
        /* not all servers at once */
        assert_int_not_equal(cl_staple_refresh(&life, T0, 0),
                             cl_staple_refresh(&life, T0, UINT32_MAX));
    }
}

static void test_a_responder_that_repeats_itself_is_not_asked_in_a_loop(void **state)
{
    const struct cl_staple_life life = of_days(4);
    int64_t now = T0 + 3 * DAY;
    for (int num = 0; now < life.until; num++) {
        const int64_t due = cl_staple_refresh(&life, now, UINT32_MAX / 2);
        assert_true(due >= now + CL_STAPLE_MIN_MS);
        assert_true(num < 60);
        now = due;
    }
}

static void test_responses_of_seconds_and_of_years_stay_within_bounds(void **state)
{
    const struct cl_staple_life brief = cl_staple_life_of(T0_S, T0_S + 1);
    const struct cl_staple_life years = of_days(3650);
    for (size_t d = 0; d < LEN(dice); d++) {
        assert_in_range(cl_staple_refresh(&brief, T0, dice[d]) - T0, CL_STAPLE_MIN_MS,
                        CL_STAPLE_MIN_MS * 11 / 10);
        assert_in_range(cl_staple_refresh(&years, T0, dice[d]) - T0, CL_STAPLE_MAX_MS * 89 / 100,
                        CL_STAPLE_MAX_MS * 11 / 10);
    }
}

static void test_without_an_end_it_is_asked_for_every_hour(void **state)
{
    const struct cl_staple_life life = cl_staple_life_of(T0_S - 3 * DAY / SEC, INT64_MIN);
    for (size_t d = 0; d < LEN(dice); d++) {
        const int64_t due = cl_staple_refresh(&life, T0, dice[d]);
        assert_in_range(due - T0, 54 * MIN, 66 * MIN);
    }
}

static void test_a_stored_one_is_refreshed_at_once_when_half_of_it_is_over(void **state)
{
    const struct cl_staple_life life = of_days(4);
    const struct cl_staple_life endless = cl_staple_life_of(T0_S, INT64_MIN);
    assert_int_equal(cl_staple_first(NULL, T0, 7), T0);
    assert_int_equal(cl_staple_first(&endless, T0, 7), T0);
    assert_int_equal(cl_staple_first(&life, T0 + 3 * DAY, 7), T0 + 3 * DAY);
    assert_in_range(cl_staple_first(&life, T0 + DAY, 7) - T0, DAY, 3 * DAY);
}

static void test_failures_wait_longer_and_longer_up_to_an_hour(void **state)
{
    static const int64_t minutes[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    for (unsigned i = 0; i < LEN(minutes); i++) {
        for (size_t d = 0; d < LEN(dice); d++) {
            const int64_t wait = cl_staple_retry(i + 1, NULL, T0, dice[d]) - T0;
            assert_in_range(wait, minutes[i] * MIN * 90 / 100, minutes[i] * MIN * 110 / 100);
            assert_true(wait <= CL_STAPLE_MAX_RETRY_MS);
        }
    }
    assert_true(cl_staple_retry(UINT32_MAX, NULL, T0, UINT32_MAX) - T0 <= CL_STAPLE_MAX_RETRY_MS);
}

static void test_a_failure_is_repaired_before_the_last_response_ends(void **state)
{
    static const int64_t left[] = {11 * SEC, MIN, HOUR, DAY};
    for (size_t i = 0; i < LEN(left); i++) {
        struct cl_staple_life life = of_days(4);
        const int64_t now = life.until - left[i];
        for (unsigned failures = 1; failures < 20; failures++) {
            for (size_t d = 0; d < LEN(dice); d++) {
                assert_true(cl_staple_retry(failures, &life, now, dice[d]) < life.until);
            }
        }
        /* once it has ended there is nothing to be in time for */
        assert_true(cl_staple_retry(9, &life, life.until, 0) >= life.until + 50 * MIN);
    }
}

static void test_clocks_that_go_apart_are_noticed(void **state)
{
    assert_false(cl_staple_clock_jumped(60 * SEC, 60 * SEC));
    assert_false(cl_staple_clock_jumped(61 * SEC, 59 * SEC)); /* NTP */
    assert_true(cl_staple_clock_jumped(8 * HOUR, 60 * SEC));  /* the machine slept */
    assert_true(cl_staple_clock_jumped(-HOUR, 60 * SEC));     /* somebody set it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_response_is_served_until_a_moment_before_its_end),
        cmocka_unit_test(test_times_that_make_no_sense_overflow_nothing),
        cmocka_unit_test(test_it_is_asked_for_again_at_half_of_its_life),
        cmocka_unit_test(test_a_responder_that_repeats_itself_is_not_asked_in_a_loop),
        cmocka_unit_test(test_responses_of_seconds_and_of_years_stay_within_bounds),
        cmocka_unit_test(test_without_an_end_it_is_asked_for_every_hour),
        cmocka_unit_test(test_a_stored_one_is_refreshed_at_once_when_half_of_it_is_over),
        cmocka_unit_test(test_failures_wait_longer_and_longer_up_to_an_hour),
        cmocka_unit_test(test_a_failure_is_repaired_before_the_last_response_ends),
        cmocka_unit_test(test_clocks_that_go_apart_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
