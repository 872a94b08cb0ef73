/* The phases of a transfer: how its time is cut, drawn, and judged by --slo. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/get_timing.h"

static struct get_facts facts;

static int set_facts(void **state)
{
    (void)state;
    facts = (struct get_facts){.time_namelookup = 10000,
                               .time_connect = 30000,
                               .time_appconnect = 60000,
                               .time_pretransfer = 60100,
                               .time_posttransfer = 60200,
                               .time_starttransfer = 90000,
                               .time_total = 100000};
    return 0;
}

static void test_each_phase_begins_where_the_one_before_it_ends(void **state)
{
    (void)state;
    struct get_phase p[GET_NUM_PHASES];
    get_phases(&facts, p);
    assert_false(p[GET_PHASE_REDIRECTS].reached);
    assert_int_equal(p[GET_PHASE_DNS].us, 10000);
    assert_int_equal(p[GET_PHASE_TCP].start_us, 10000);
    assert_int_equal(p[GET_PHASE_TCP].us, 20000);
    assert_int_equal(p[GET_PHASE_TLS].us, 30000);
    assert_int_equal(p[GET_PHASE_SEND].us, 200);
    assert_int_equal(p[GET_PHASE_FIRST_BYTE].us, 29800);
    assert_int_equal(p[GET_PHASE_TRANSFER].us, 10000);
    assert_int_equal(p[GET_PHASE_TOTAL].us, 100000);
    assert_false(p[GET_PHASE_TRANSFER].unfinished);
}

static void test_redirects_come_first_and_are_one_phase(void **state)
{
    (void)state;
    struct get_phase p[GET_NUM_PHASES];
    facts.time_redirect = 8000;
    get_phases(&facts, p);
    assert_int_equal(p[GET_PHASE_REDIRECTS].us, 8000);
    assert_int_equal(p[GET_PHASE_DNS].start_us, 8000);
    assert_int_equal(p[GET_PHASE_DNS].us, 2000);
}

static void test_a_connection_that_was_there_has_no_dns_tcp_and_tls(void **state)
{
    (void)state;
    struct get_phase p[GET_NUM_PHASES];
    facts.time_namelookup = facts.time_connect = facts.time_appconnect = 0;
    get_phases(&facts, p);
    assert_false(p[GET_PHASE_DNS].reached || p[GET_PHASE_TCP].reached || p[GET_PHASE_TLS].reached);
    assert_int_equal(p[GET_PHASE_FIRST_BYTE].us, 29800);
}

static void test_a_failure_is_in_the_phase_that_did_not_end(void **state)
{
    (void)state;
    struct get_phase p[GET_NUM_PHASES];
    facts.exit_code = 60;
    facts.time_appconnect = facts.time_pretransfer = facts.time_posttransfer = 0;
    facts.time_starttransfer = 0;
    get_phases(&facts, p);
    assert_true(p[GET_PHASE_TLS].reached && p[GET_PHASE_TLS].unfinished);
    assert_int_equal(p[GET_PHASE_TLS].us, 70000);
    assert_false(p[GET_PHASE_FIRST_BYTE].reached || p[GET_PHASE_TRANSFER].reached);
    set_facts(NULL);
    facts.exit_code = 18;
    get_phases(&facts, p);
    assert_true(p[GET_PHASE_TRANSFER].unfinished);
    assert_false(p[GET_PHASE_FIRST_BYTE].unfinished);
}

static char *drawn(const struct get_slo *slo, const struct get_timing_look *look)
{
    static const struct get_slo none;
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    assert_non_null(f);
    get_timing_draw(f, &facts, slo != NULL ? slo : &none, look);
    (void)fclose(f);
    return text;
}

static void test_bars_share_one_scale(void **state)
{
    (void)state;
    const struct get_timing_look look = {.columns = 48};
    char *text = drawn(NULL, &look);
    assert_string_equal(text, "DNS            10.0 ms    ##\n"
                              "TCP            20.0 ms      ####\n"
                              "TLS            30.0 ms          ######\n"
                              "first byte     29.8 ms                ######\n"
                              "transfer       10.0 ms                      ##\n"
                              "total         100.0 ms    ####################\n");
    free(text);
}

static void test_no_line_is_wider_than_the_terminal(void **state)
{
    (void)state;
    facts.time_redirect = 1;
    facts.size_upload = 1;
    facts.time_total = 7200000000;
    for (size_t columns = 38; columns < 200; columns++) {
        const struct get_timing_look look = {.columns = columns};
        char *text = drawn(NULL, &look);
        for (char *p = text; *p != '\0'; p += strcspn(p, "\n") + 1) {
            assert_true(strcspn(p, "\n") < columns);
        }
        free(text);
    }
}

static void test_blocks_and_colours_where_they_can_be_shown(void **state)
{
    (void)state;
    const struct get_timing_look look = {.columns = 80, .utf8 = true, .colour = true};
    char *text = drawn(NULL, &look);
    assert_non_null(strstr(text, "\033[36m\xe2\x96\x88"));
    assert_null(strchr(text, '#'));
    free(text);
}

static void test_what_missed_its_limit_is_marked(void **state)
{
    (void)state;
    const struct get_timing_look look = {.columns = 48};
    const char *bad;
    size_t bad_len;
    struct get_slo slo = {0};
    assert_null(get_slo_parse(&slo, "tls=29.9,total=100", &bad, &bad_len));
    char *text = drawn(&slo, &look);
    assert_non_null(strstr(text, "TLS            30.0 ms !"));
    assert_non_null(strstr(text, "total         100.0 ms   "));
    free(text);
}

/* ---- --slo ---- */

static void test_limits_are_milliseconds_by_phase(void **state)
{
    (void)state;
    const char *bad;
    size_t bad_len;
    struct get_slo slo = {0};
    assert_null(get_slo_parse(&slo, "total=500,tls=0.5s,dns=20ms,first-byte=1.5", &bad, &bad_len));
    assert_true(slo.is_set);
    assert_int_equal(slo.limit_us[GET_PHASE_TOTAL], 500000);
    assert_int_equal(slo.limit_us[GET_PHASE_TLS], 500000);
    assert_int_equal(slo.limit_us[GET_PHASE_DNS], 20000);
    assert_int_equal(slo.limit_us[GET_PHASE_FIRST_BYTE], 1500);
    assert_int_equal(slo.limit_us[GET_PHASE_TCP], 0);
}

static void test_what_is_no_limit_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",          "total",    "total=",         "=5",         "totl=5",   "total=0",
        "total=-1",  "total=5x", "total=1e3",      "total=0x10", "total=5,", "total=5,,tls=1",
        "total=nan", "total=5 ", "total=99999999", "total=1.2.3"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *bad;
        size_t bad_len;
        struct get_slo slo = {0};
        if (get_slo_parse(&slo, rows[i], &bad, &bad_len) == NULL) {
            fail_msg("\"%s\" was accepted", rows[i]);
        }
    }
}

static void test_the_report_says_what_was_missed_by_how_much(void **state)
{
    (void)state;
    const char *bad;
    size_t bad_len;
    char text[400];
    struct get_phase p[GET_NUM_PHASES];
    struct get_slo slo = {0};
    assert_null(get_slo_parse(&slo, "total=88,tls=25,dns=10", &bad, &bad_len));
    get_phases(&facts, p);
    assert_true(get_slo_report(&slo, p, text, sizeof(text)));
    assert_string_equal(text, "tls took 30.0 ms, 5.0 ms over its limit; total took 100.0 ms, 12.0 "
                              "ms over its limit");
    slo = (struct get_slo){0};
    assert_null(get_slo_parse(&slo, "total=100", &bad, &bad_len));
    assert_false(get_slo_report(&slo, p, text, sizeof(text)));
    assert_string_equal(text, "");
}

#define TEST(f) cmocka_unit_test_setup(f, set_facts)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each_phase_begins_where_the_one_before_it_ends),
        TEST(test_redirects_come_first_and_are_one_phase),
        TEST(test_a_connection_that_was_there_has_no_dns_tcp_and_tls),
        TEST(test_a_failure_is_in_the_phase_that_did_not_end),
        TEST(test_bars_share_one_scale),
        TEST(test_no_line_is_wider_than_the_terminal),
        TEST(test_blocks_and_colours_where_they_can_be_shown),
        TEST(test_what_missed_its_limit_is_marked),
        TEST(test_limits_are_milliseconds_by_phase),
        TEST(test_what_is_no_limit_is_refused),
        TEST(test_the_report_says_what_was_missed_by_how_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
