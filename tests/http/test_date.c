/* tests/http/test_date.c - HTTP dates in their three forms. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "http/date.h"

/* 2026-11-21T00:00:00Z */
#define NOW 1795219200

static void test_formatting_agrees_with_libc_over_all_years(void **state)
{
    /* a step that is no multiple of a day, so that all times of day come by */
    for (int64_t t = -62135596800; t <= 253402300799; t += 86400 * 17 + 12347) {
        char ours[CL_HTTP_DATE_SIZE];
        char theirs[CL_HTTP_DATE_SIZE + 10];
        struct tm tm;
        time_t libc_time = (time_t)t;
        int64_t back = 0;
        assert_non_null(gmtime_r(&libc_time, &tm));
        cl_http_date_format(t, ours);
        assert_true(strftime(theirs, sizeof(theirs), "%a, %d %b ", &tm) != 0);
        assert_memory_equal(ours, theirs, 12);
        assert_true(strftime(theirs, sizeof(theirs), " %H:%M:%S GMT", &tm) != 0);
        assert_string_equal(ours + 16, theirs);
        assert_true(cl_http_date_parse(cl_rd_str(ours), NOW, &back));
        assert_true(back == t);
    }
}

static void test_times_beyond_the_years_are_clamped(void **state)
{
    char out[CL_HTTP_DATE_SIZE];
    cl_http_date_format(INT64_MAX, out);
    assert_string_equal(out, "Fri, 31 Dec 9999 23:59:59 GMT");
    cl_http_date_format(INT64_MIN, out);
    assert_string_equal(out, "Mon, 01 Jan 0001 00:00:00 GMT");
}

static const struct {
    const char *text;
    int64_t t; /* -1: refused */
} rows[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
    {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
    {"Sun Nov  6 08:49:37 1994", 784111777},
    {"Wed Nov 16 08:49:37 1994", 784975777},
    {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
    {"Thu, 29 Feb 2024 00:00:00 GMT", 1709164800},
    {"Thursday, 01-Jan-70 00:00:00 GMT", 3155760000}, /* 2070: 44 years ahead */
    {"Friday, 01-Jan-77 00:00:00 GMT", 220924800},    /* 2077 would be 51 years ahead */
    {"Wed, 29 Feb 2023 00:00:00 GMT", -1},
    {"Sun, 31 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 00 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 06 Nov 1994 24:00:00 GMT", -1},
    {"Sun, 06 Nov 1994 08:60:00 GMT", -1},
    {"Sun, 06 Nov 1994 08:00:61 GMT", -1},
    {"Sun, 06 Nov 0000 08:49:37 GMT", -1},
    {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 06 nov 1994 08:49:37 GMT", -1},
    {"sun, 06 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 06 Nov 1994 08:49:37", -1},
    {"Sun, 06 Nov 1994 08:49:37 UTC", -1},
    {"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
    {"Sun, 06 Nov 1994 08:49:37 +0000", -1},
    {"Xyz, 06 Nov 1994 08:49:37 GMT", -1},
    {"Sun Nov  6 08:49:37 94", -1},
    {"Sunday, 06-Nov-1994 08:49:37 GMT", -1},
    {"06 Nov 1994 08:49:37 GMT", -1},
    {"784111777", -1},
    {"", -1},
};

static void test_the_three_forms_are_read_and_nothing_else(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t t = -1;
        bool ok = cl_http_date_parse(cl_rd_str(rows[i].text), NOW, &t);
        if (ok != (rows[i].t != -1) || (ok && t != rows[i].t)) {
            fail_msg("%s: %d %lld", rows[i].text, ok, (long long)t);
        }
    }
}

static void test_every_prefix_of_a_date_is_refused(void **state)
{
    for (size_t i = 0; i < 3; i++) {
        struct cl_rd text = cl_rd_str(rows[i].text);
        int64_t t;
        while (text.len-- > 1) {
            assert_false(cl_http_date_parse(text, NOW, &t));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formatting_agrees_with_libc_over_all_years),
        cmocka_unit_test(test_times_beyond_the_years_are_clamped),
        cmocka_unit_test(test_the_three_forms_are_read_and_nothing_else),
        cmocka_unit_test(test_every_prefix_of_a_date_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
