/* How many lines of failures of one kind go to the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cleat/error.h"
#include "serve/failures.h"

struct fixture {
    int ends[2];
    struct cl_log *log;
    struct cl_failures *failures;
    char text[65536];
};

static void begin(struct fixture *x)
{
    assert_int_equal(pipe(x->ends), 0);
    assert_int_equal(cl_log_new(x->ends[1], true, &x->log), CL_OK);
    assert_int_equal(cl_failures_new(x->log, &x->failures), CL_OK);
}

/* The end of the server: x->text is all that was logged. */
static void end(struct fixture *x)
{
    size_t len = 0;
    ssize_t n = 0;
    cl_failures_free(x->failures);
    cl_log_free(x->log);
    while ((n = read(x->ends[0], x->text + len, sizeof(x->text) - 1 - len)) > 0) {
        len += (size_t)n;
    }
    x->text[len] = '\0';
    close(x->ends[0]);
}

static size_t count(struct cl_failures *f, size_t num, const char *what, int code)
{
    size_t lines = 0;
    for (size_t i = 0; i < num; i++) {
        lines += cl_failures_count(f, what, code) ? 1 : 0;
    }
    return lines;
}

static void test_few_failures_have_a_line_each_and_no_summary(void **state)
{
    struct fixture x;
    begin(&x);
    assert_int_equal(count(x.failures, CL_FAILURES_LINES, "a", CLEAT_ERR_DECODE),
                     CL_FAILURES_LINES);
    cl_failures_tick(x.failures);
    end(&x);
    assert_string_equal(x.text, "");
}

static void test_many_are_told_in_one_line_when_the_period_ends(void **state)
{
    struct fixture x;
    begin(&x);
    assert_int_equal(count(x.failures, 50000, "handshake failed", CLEAT_ERR_TRUNCATED),
                     CL_FAILURES_LINES);
    cl_failures_tick(x.failures);
    cl_failures_tick(x.failures);
    end(&x);
    assert_string_equal(x.text, "cleat: and 49950 more like this: handshake failed: TRUNCATED\n");
}

static void test_what_is_still_to_be_told_is_told_at_the_end(void **state)
{
    struct fixture x;
    begin(&x);
    (void)count(x.failures, CL_FAILURES_LINES + 1, "handshake failed", CLEAT_ERR_DECODE);
    end(&x);
    assert_string_equal(x.text, "cleat: and 1 more like this: handshake failed: DECODE\n");
}

static void test_each_period_begins_anew(void **state)
{
    struct fixture x;
    begin(&x);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(count(x.failures, CL_FAILURES_LINES + 1, "a", CLEAT_ERR_DECODE),
                         CL_FAILURES_LINES);
        cl_failures_tick(x.failures);
    }
    end(&x);
}

static void test_a_flood_of_one_kind_hides_no_other(void **state)
{
    struct fixture x;
    begin(&x);
    (void)count(x.failures, 1000, "handshake failed", CLEAT_ERR_TRUNCATED);
    assert_int_equal(count(x.failures, 1, "handshake failed", CLEAT_ERR_DECODE), 1);
    assert_int_equal(count(x.failures, 1, "connection failed", CLEAT_ERR_TRUNCATED), 1);
    end(&x);
    assert_null(strstr(x.text, "DECODE"));
    assert_null(strstr(x.text, "connection"));
}

static void test_kinds_beyond_the_table_share_a_place(void **state)
{
    struct fixture x;
    size_t lines = 0;
    begin(&x);
    for (int code = 1; code <= 10 * CL_FAILURES_KINDS; code++) {
        lines += count(x.failures, 1, "a", -code);
    }
    assert_int_equal(lines, CL_FAILURES_KINDS + CL_FAILURES_LINES);
    end(&x);
    assert_string_equal(x.text, "cleat: and 526 more like this: failures of other kinds\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_few_failures_have_a_line_each_and_no_summary),
        cmocka_unit_test(test_many_are_told_in_one_line_when_the_period_ends),
        cmocka_unit_test(test_what_is_still_to_be_told_is_told_at_the_end),
        cmocka_unit_test(test_each_period_begins_anew),
        cmocka_unit_test(test_a_flood_of_one_kind_hides_no_other),
        cmocka_unit_test(test_kinds_beyond_the_table_share_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
