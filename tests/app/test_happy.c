/* Happy Eyeballs (RFC 8305) with injected answers and time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dns/happy.h"

static struct cl_addr addr(const char *text)
{
    struct cl_addr a;
    assert_true(cl_addr_parse(text, 443, &a));
    return a;
}

static void expect_start(struct cl_happy *h, uint64_t now, const char *want)
{
    struct cl_addr got;
    uint64_t until = 0;
    char text[CL_ADDR_TEXT_SIZE];
    assert_int_equal(cl_happy_next(h, now, &got, &until), CL_HAPPY_START);
    cl_addr_format(&got, text);
    assert_string_equal(text, want);
}

static void expect_wait(struct cl_happy *h, uint64_t now, uint64_t want)
{
    struct cl_addr got;
    uint64_t until = 0;
    assert_int_equal(cl_happy_next(h, now, &got, &until), CL_HAPPY_WAIT);
    assert_int_equal(until, want);
}

static void expect(struct cl_happy *h, uint64_t now, enum cl_happy_next want)
{
    struct cl_addr got;
    uint64_t until = 0;
    assert_int_equal(cl_happy_next(h, now, &got, &until), want);
}

static void test_families_are_interleaved_with_ipv6_first(void **state)
{
    struct cl_happy h;
    const struct cl_addr v6[] = {addr("2001:db8::1"), addr("2001:db8::2"), addr("2001:db8::3")};
    const struct cl_addr v4[] = {addr("192.0.2.1")};
    cl_happy_init(&h, AF_UNSPEC);
    expect(&h, 1000, CL_HAPPY_WAIT_DNS);
    cl_happy_answer(&h, AF_INET6, v6, 3, 1000);
    cl_happy_answer(&h, AF_INET, v4, 1, 1000);
    expect_start(&h, 1000, "2001:db8::1");
    expect_wait(&h, 1001, 1250);
    expect_start(&h, 1250, "192.0.2.1");
    expect_start(&h, 1500, "2001:db8::2");
    expect_start(&h, 1750, "2001:db8::3");
    expect(&h, 2000, CL_HAPPY_EXHAUSTED);
}

static void test_an_early_a_answer_waits_50_ms_for_aaaa(void **state)
{
    struct cl_happy h;
    const struct cl_addr v4 = addr("192.0.2.1"), v6 = addr("2001:db8::1");
    cl_happy_init(&h, AF_UNSPEC);
    cl_happy_answer(&h, AF_INET, &v4, 1, 100);
    expect_wait(&h, 100, 150);
    cl_happy_answer(&h, AF_INET6, &v6, 1, 140);
    expect_start(&h, 140, "2001:db8::1");
    expect_start(&h, 390, "192.0.2.1");
    expect(&h, 640, CL_HAPPY_EXHAUSTED);
}

static void test_ipv4_starts_when_aaaa_stays_away(void **state)
{
    struct cl_happy h;
    const struct cl_addr v4 = addr("192.0.2.1"), v6 = addr("2001:db8::1");
    cl_happy_init(&h, AF_UNSPEC);
    cl_happy_answer(&h, AF_INET, &v4, 1, 100);
    expect_start(&h, 150, "192.0.2.1");
    expect(&h, 400, CL_HAPPY_WAIT_DNS);
    cl_happy_answer(&h, AF_INET6, &v6, 1, 500);
    expect_start(&h, 500, "2001:db8::1");
}

static void test_an_early_aaaa_answer_starts_at_once(void **state)
{
    struct cl_happy h;
    const struct cl_addr v6 = addr("2001:db8::1");
    cl_happy_init(&h, AF_UNSPEC);
    cl_happy_answer(&h, AF_INET6, &v6, 1, 7);
    expect_start(&h, 7, "2001:db8::1");
}

static void test_a_failed_attempt_lets_the_next_start_at_once(void **state)
{
    struct cl_happy h;
    const struct cl_addr v4[] = {addr("192.0.2.1"), addr("192.0.2.2")};
    cl_happy_init(&h, AF_INET);
    cl_happy_answer(&h, AF_INET, v4, 2, 0);
    expect_start(&h, 0, "192.0.2.1");
    expect_wait(&h, 1, 250);
    cl_happy_failed(&h);
    expect_start(&h, 2, "192.0.2.2");
    expect(&h, 3, CL_HAPPY_EXHAUSTED);
}

static void test_no_address_at_all_is_exhausted_only_after_both_answers(void **state)
{
    struct cl_happy h;
    cl_happy_init(&h, AF_UNSPEC);
    cl_happy_answer(&h, AF_INET, NULL, 0, 0);
    expect(&h, 1000, CL_HAPPY_WAIT_DNS);
    cl_happy_answer(&h, AF_INET6, NULL, 0, 1000);
    expect(&h, 1000, CL_HAPPY_EXHAUSTED);
}

static void test_addresses_beyond_the_limit_are_dropped(void **state)
{
    struct cl_happy h;
    struct cl_addr many[CL_HAPPY_MAX_ADDRS + 4], got;
    uint64_t until;
    for (size_t i = 0; i < CL_HAPPY_MAX_ADDRS + 4; i++) {
        many[i] = addr("192.0.2.1");
    }
    cl_happy_init(&h, AF_INET);
    cl_happy_answer(&h, AF_INET, many, CL_HAPPY_MAX_ADDRS + 4, 0);
    size_t started = 0;
    while (cl_happy_next(&h, started * CL_HAPPY_ATTEMPT_DELAY, &got, &until) == CL_HAPPY_START) {
        started++;
    }
    assert_int_equal(started, CL_HAPPY_MAX_ADDRS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_families_are_interleaved_with_ipv6_first),
        cmocka_unit_test(test_an_early_a_answer_waits_50_ms_for_aaaa),
        cmocka_unit_test(test_ipv4_starts_when_aaaa_stays_away),
        cmocka_unit_test(test_an_early_aaaa_answer_starts_at_once),
        cmocka_unit_test(test_a_failed_attempt_lets_the_next_start_at_once),
        cmocka_unit_test(test_no_address_at_all_is_exhausted_only_after_both_answers),
        cmocka_unit_test(test_addresses_beyond_the_limit_are_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
