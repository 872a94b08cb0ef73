/* Durations, shares of a lifetime and spans of time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "watch/findings.h"

static void test_durations_have_units(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds; /* -1: refused */
    } rows[] = {{"90", 90},         {"90s", 90},      {"15m", 900},
                {"12h", 43200},     {"30d", 2592000}, {"2w", 1209600},
                {"0", 0},           {"", -1},         {"d", -1},
                {"-1d", -1},        {"1.5d", -1},     {"1 d", -1},
                {"1dd", -1},        {"3654d", -1},    {"99999999999999999999999", -1},
                {"9999999999w", -1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t seconds = -1;
        const bool ok = cl_watch_duration_parse(rows[i].text, &seconds);
        assert_int_equal(ok ? seconds : -1, rows[i].seconds);
    }
}

static void test_shares_are_fractions_percents_or_times(void **state)
{
    static const struct {
        const char *text;
        int64_t num, den; /* den -1: refused */
    } rows[] = {{"1/3", 1, 3},       {"1/6", 1, 6},        {"25%", 25, 100}, {"100%", 100, 100},
                {"30d", 2592000, 0}, {"1/0", 0, -1},       {"4/3", 0, -1},   {"101%", 0, -1},
                {"1/", 0, -1},       {"/3", 0, -1},        {"1/3x", 0, -1},  {"%", 0, -1},
                {"", 0, -1},         {"1/99999999", 0, -1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_watch_share share = {0};
        const bool ok = cl_watch_share_parse(rows[i].text, &share);
        assert_int_equal(ok, rows[i].den >= 0);
        if (ok) {
            assert_int_equal(share.num, rows[i].num);
            assert_int_equal(share.den, rows[i].den);
        }
    }
}

static void test_spans_are_in_the_unit_that_tells_most(void **state)
{
    static const struct {
        int64_t seconds;
        const char *text;
    } rows[] = {{0, "0 seconds"},     {1, "1 second"},       {119, "119 seconds"},
                {120, "2 minutes"},   {7199, "119 minutes"}, {7200, "2 hours"},
                {172799, "47 hours"}, {172800, "2 days"},    {86400 * 398, "398 days"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[CL_WATCH_SPAN_SIZE];
        cl_watch_span_text(rows[i].seconds, text);
        assert_string_equal(text, rows[i].text);
    }
    char left[CL_WATCH_LEFT_SIZE];
    cl_watch_left_text(25 * 86400, 90 * 86400, left);
    assert_string_equal(left, "25 of 90 days left");
    cl_watch_left_text(47 * 3600, 6 * 86400, left);
    assert_string_equal(left, "47 hours of 6 days left");
}

static void test_findings_have_ids_of_their_own(void **state)
{
    assert_int_equal(cl_watch_kind_named("expired", 7), CL_WATCH_EXPIRED_FOUND);
    assert_int_equal(cl_watch_kind_named("expire", 6), -1);
    assert_int_equal(cl_watch_kind_named("", 0), -1);
    for (int i = 0; i < CL_WATCH_NUM_KINDS; i++) {
        const char *id = cl_watch_kind((enum cl_watch_kind_id)i)->id;
        assert_int_equal(cl_watch_kind_named(id, __builtin_strlen(id)), i);
    }
    assert_true(CL_WATCH_NUM_KINDS <= 64); /* sets of them are masks */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations_have_units),
        cmocka_unit_test(test_shares_are_fractions_percents_or_times),
        cmocka_unit_test(test_spans_are_in_the_unit_that_tells_most),
        cmocka_unit_test(test_findings_have_ids_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
