/* --retry and -C: what is tried again and when, and which answers go on with a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/get_resume.h"
#include "cli/get_retry.h"
#include "cli/get_upload.h"

static struct get_options options;
static struct get_retries retries;

static int set_options(void **state)
{
    (void)state;
    options = (struct get_options){.retry = 3};
    retries = (struct get_retries){.began_us = 1};
    return 0;
}

/* The wait before the next attempt; -1: there is none. */
static long long next_at(struct get_attempt attempt, uint64_t now_ms)
{
    uint64_t ms = 0;
    return get_retry_next(&retries, &options, &attempt, now_ms * 1000 + 1, &ms) ? (long long)ms
                                                                                : -1;
}

static long long next(int exit_code, long status)
{
    return next_at((struct get_attempt){.exit_code = exit_code, .status = status}, 0);
}

static void test_waits_double_up_to_ten_minutes(void **state)
{
    (void)state;
    options.retry = 100;
    long long want = 1000;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(next(0, 503), want);
        want = want * 2 < 600000 ? want * 2 : 600000;
    }
    assert_int_equal(retries.num, 20);
}

static void test_there_are_so_many_retries_and_no_more(void **state)
{
    (void)state;
    assert_int_equal(next(28, 0), 1000);
    assert_int_equal(next(28, 0), 2000);
    assert_int_equal(next(28, 0), 4000);
    assert_int_equal(next(28, 0), -1);
    options.retry = 0;
    retries.num = 0;
    assert_int_equal(next(28, 0), -1);
}

static void test_what_passes_is_curls_list(void **state)
{
    (void)state;
    static const struct {
        int exit_code;
        long status;
        bool again, all, refused;
    } rows[] = {
        {0, 200, false, false, false}, {0, 404, false, false, false}, {0, 408, true, true, false},
        {0, 429, true, true, false},   {0, 500, true, true, false},   {0, 501, false, false, false},
        {0, 502, true, true, false},   {22, 503, true, true, false},  {0, 504, true, true, false},
        {0, 522, true, true, false},   {0, 524, true, true, false},   {22, 404, false, true, false},
        {28, 0, true, true, false},    {6, 0, true, true, false},     {7, 0, false, true, false},
        {7, 0, false, true, true},     {35, 0, false, true, false},   {60, 0, false, true, false},
        {18, 503, false, true, false}, {56, 200, false, true, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct get_attempt a = {
            .exit_code = rows[i].exit_code, .status = rows[i].status, .refused = rows[i].refused};
        set_options(NULL);
        bool plain = next_at(a, 0) >= 0;
        set_options(NULL);
        options.retry_all_errors = true;
        bool all = next_at(a, 0) >= 0;
        set_options(NULL);
        options.retry_connrefused = true;
        bool refused = next_at(a, 0) >= 0;
        if (plain != rows[i].again || all != rows[i].all ||
            refused != (rows[i].again || rows[i].refused)) {
            fail_msg("row %zu: %d, %ld", i, rows[i].exit_code, rows[i].status);
        }
    }
}

static void test_a_delay_that_is_given_stays_the_same(void **state)
{
    (void)state;
    options.retry_delay_ms = 300;
    assert_int_equal(next(28, 0), 300);
    assert_int_equal(next(28, 0), 300);
}

static void test_what_the_server_says_comes_first(void **state)
{
    (void)state;
    const struct get_attempt busy = {.status = 503, .retry_after_s = 7};
    const struct get_attempt late = {.exit_code = 28, .retry_after_s = 7};
    assert_int_equal(next_at(busy, 0), 7000);
    assert_int_equal(next_at(late, 0), 2000); /* no answer: what it said before counts no more */
}

static void test_the_whole_has_a_limit(void **state)
{
    (void)state;
    const struct get_attempt busy = {.status = 503, .retry_after_s = 60};
    options.retry_max_ms = 5000;
    assert_int_equal(next_at((struct get_attempt){.exit_code = 28}, 3000), 1000);
    assert_int_equal(next_at((struct get_attempt){.exit_code = 28}, 3000), -1);
    assert_int_equal(next_at(busy, 0), -1);
}

static void test_retry_after_is_seconds_or_a_date(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t wait;
    } rows[] = {
        {"120", 120},
        {"0", 0},
        {"99999999999999999999999", 21600},
        {"30000", 21600},
        {"Fri, 31 Dec 1999 23:59:59 GMT", 59},
        {"Fri, 31 Dec 1999 23:00:00 GMT", 0},
        {"Sat, 31 Dec 2039 23:59:59 GMT", 21600},
        {"soon", 0},
        {"-5", 0},
        {"", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(get_retry_after(cl_rd_str(rows[i].text), 946684740), rows[i].wait);
    }
}

/* ---- -C ---- */

static enum get_resume judge(const char *text, uint64_t offset)
{
    struct cleat_http_head h;
    char why[120];
    cleat_http_response_init(&h, (struct cleat_http_view){"GET", 3});
    assert_int_equal(cleat_http_head_feed(&h, text, strlen(text), NULL), CLEAT_HTTP_COMPLETE);
    enum get_resume r = get_resume_judge(&h, offset, why, sizeof(why));
    assert_int_equal(r == GET_RESUME_CANNOT, why[0] != '\0');
    return r;
}

static void test_a_part_must_begin_where_the_file_ends(void **state)
{
    (void)state;
    static const struct {
        const char *head;
        enum get_resume want;
    } rows[] = {
        {"206 P\r\nContent-Range: bytes 5-9/10", GET_RESUME_GO_ON},
        {"206 P\r\nContent-Range: bytes 5-9/*", GET_RESUME_GO_ON},
        {"206 P\r\nContent-Range: BYTES 5-9/10", GET_RESUME_GO_ON},
        {"206 P\r\nContent-Range: bytes 4-9/10", GET_RESUME_CANNOT},
        {"206 P\r\nContent-Range: bytes 0-9/10", GET_RESUME_CANNOT},
        {"206 P\r\nContent-Range: lines 5-9/10", GET_RESUME_CANNOT},
        {"206 P\r\nContent-Range: bytes five", GET_RESUME_CANNOT},
        {"206 P\r\nContent-Type: multipart/byteranges", GET_RESUME_CANNOT},
        {"416 R\r\nContent-Range: bytes */5", GET_RESUME_WHOLE},
        {"416 R\r\nContent-Length: 0", GET_RESUME_WHOLE},
        {"416 R\r\nContent-Range: bytes */4", GET_RESUME_CANNOT},
        {"200 OK\r\nContent-Length: 5", GET_RESUME_WHOLE},
        {"200 OK\r\nContent-Length: 10", GET_RESUME_CANNOT},
        {"200 OK\r\nServer: x", GET_RESUME_CANNOT},
        {"404 N\r\nContent-Length: 5", GET_RESUME_CANNOT},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[200];
        (void)snprintf(text, sizeof(text), "HTTP/1.1 %s\r\n\r\n", rows[i].head);
        if (judge(text, 5) != rows[i].want) {
            fail_msg("%s", rows[i].head);
        }
    }
}

/* ---- -T ---- */

static void test_a_url_without_a_name_gets_that_of_the_file(void **state)
{
    (void)state;
    static const struct {
        const char *url, *name, *want;
    } rows[] = {
        {"https://h/a/", "/tmp/f.txt", "https://h/a/f.txt"},
        {"https://h/a", "/tmp/f.txt", "https://h/a"},
        {"https://h", "f", "https://h/f"},
        {"h:8443", "f", "h:8443/f"},
        {"https://h/?q=/", "f", "https://h/f?q=/"},
        {"https://h/a?q=/", "f", "https://h/a?q=/"},
        {"https://h?q", "f", "https://h/f?q"},
        {"https://h/", "a b?#%/c d?#%", "https://h/c%20d%3F%23%25"},
        {"https://h/", "-", "https://h/"},
        {"https://h/", ".", "https://h/"},
    };
    char out[64];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(get_upload_url(rows[i].url, rows[i].name, out, sizeof(out)));
        assert_string_equal(out, rows[i].want);
    }
    for (size_t cap = 0; cap < strlen("https://h/a/f.txt") + 1; cap++) {
        assert_false(get_upload_url("https://h/a/", "f.txt", out, cap));
    }
}

#define TEST(f) cmocka_unit_test_setup(f, set_options)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_waits_double_up_to_ten_minutes),
        TEST(test_there_are_so_many_retries_and_no_more),
        TEST(test_what_passes_is_curls_list),
        TEST(test_a_delay_that_is_given_stays_the_same),
        TEST(test_what_the_server_says_comes_first),
        TEST(test_the_whole_has_a_limit),
        TEST(test_retry_after_is_seconds_or_a_date),
        TEST(test_a_part_must_begin_where_the_file_ends),
        TEST(test_a_url_without_a_name_gets_that_of_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
