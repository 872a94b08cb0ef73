/* --write-out, the progress bar, and the exit codes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "cli/get_codes.h"
#include "cli/get_output.h"
#include "cli/get_slo.h"
#include "cli/get_write_out.h"

static struct get_facts facts;

static void expect(const char *format, const char *want)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    assert_non_null(f);
    assert_true(get_write_out(format, &facts, f));
    (void)fclose(f);
    assert_string_equal(text, want);
    free(text);
}

static int set_facts(void **state)
{
    facts = (struct get_facts){.http_code = 200,
                               .time_total = 1234567,
                               .size_download = 4096,
                               .num_redirects = 2,
                               .url_effective = "https://example.com/",
                               .tls_cipher = "TLS_AES_128_GCM_SHA256"};
    return 0;
}

static void test_variables_are_replaced(void **state)
{
    expect("%{http_code} %{response_code}", "200 200");
    expect("%{time_total}s %{size_download}B", "1.234567s 4096B");
    expect("%{url_effective}|%{content_type}|%{num_redirects}", "https://example.com/||2");
    expect("%{tls_cipher}", "TLS_AES_128_GCM_SHA256");
}

static void test_a_transfer_without_answer_has_code_000(void **state)
{
    facts.http_code = 0;
    expect("%{http_code}", "000");
}

static void test_escapes_and_percent_signs(void **state)
{
    expect("a\\nb\\tc\\rd\\qe", "a\nb\tc\rd\\qe");
    expect("100%% %", "100% %");
    expect("%{http_code", "%{http_code");
    expect("\\", "\\");
}

static void test_an_unknown_variable_is_left_out(void **state)
{
    expect("[%{no_such_thing}]", "[]");
}

static void test_json_has_every_variable_with_its_type(void **state)
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    assert_non_null(f);
    (void)snprintf(facts.content_type, sizeof(facts.content_type), "text/\"odd\"\\");
    assert_true(get_write_out("%{json}", &facts, f));
    (void)fclose(f);
    json_t *all = json_loads(text, 0, NULL);
    assert_non_null(all);
    assert_int_equal(json_integer_value(json_object_get(all, "schema")), 1);
    assert_int_equal(json_integer_value(json_object_get(all, "http_code")), 200);
    assert_true(json_is_real(json_object_get(all, "time_total")));
    assert_true(json_is_null(json_object_get(all, "errormsg")));
    assert_true(json_is_false(json_object_get(all, "tls_resumed")));
    assert_string_equal(json_string_value(json_object_get(all, "content_type")), "text/\"odd\"\\");
    assert_in_range(json_object_size(all), 50, 70);
    json_decref(all);
    free(text);
}

static void set_head(const char *head)
{
    facts.head.len = 0;
    assert_int_equal(cl_buf_append(&facts.head, head, strlen(head), 4096), CL_OK);
}

static void test_fields_of_the_response_are_found_by_name(void **state)
{
    set_head("HTTP/1.1 200 OK\r\nServer: a: b\r\nX-Two: 1\r\nx-two:  2 \r\nEmpty:\r\n");
    expect("%header{server}|%header{X-TWO}|%header{empty}|%header{no}|%header{HTTP/1.1 200 OK}",
           "a: b|1|||");
    expect("%{header_json}", "{\"server\":[\"a: b\"],\"x-two\":[\"1\",\"2\"],\"empty\":[\"\"]}");
    get_facts_deinit(&facts);
    expect("%header{server}%{header_json}", "{}");
}

static void test_urls_are_taken_apart(void **state)
{
    (void)snprintf(facts.url, sizeof(facts.url), "u:p@example.org:8443/a/b?c=d#e");
    expect("%{url.scheme} %{url.user} %{url.password} %{url.host} %{url.port} %{url.path} "
           "%{url.query} %{url.fragment}|%{url.zoneid}%{url.options}",
           "https u p example.org 8443 /a/b c=d e|");
    expect("%{urle.host}|%{urle.port}|%{urle.path}|%{urle.query}", "example.com|443|/|");
    (void)snprintf(facts.url, sizeof(facts.url), "https://[bad");
    expect("[%{url.host}%{url.port}]", "[]");
    expect("[%{url.nonsense}]", "[]");
}

static void test_onerror_is_the_end_of_what_went_well(void **state)
{
    expect("a%{onerror}b", "a");
    facts.exit_code = 28;
    expect("a%{onerror}b %{exitcode}", "ab 28");
}

static void test_output_goes_into_a_file(void **state)
{
    char name[] = "/tmp/cleat-write-out-XXXXXX", format[128], text[64] = "";
    int fd = mkstemp(name);
    assert_true(fd >= 0);
    (void)close(fd);
    (void)snprintf(format, sizeof(format), "a%%output{%s}b%%{stdout}c", name);
    expect(format, "ac");
    (void)snprintf(format, sizeof(format), "a%%output{>>%s}d%%{http_code}", name);
    expect(format, "a");
    FILE *f = fopen(name, "r");
    assert_non_null(f);
    assert_int_equal(fread(text, 1, sizeof(text) - 1, f), 5);
    assert_string_equal(text, "bd200");
    (void)fclose(f);
    (void)unlink(name);
    expect("a%output{/no/such/folder/x}b", "ab");
}

static void test_time_is_now_in_utc(void **state)
{
    char *text = NULL;
    size_t len = 0;
    int year = 0;
    FILE *f = open_memstream(&text, &len);
    assert_non_null(f);
    assert_true(get_write_out("%time{%Y %f%%}", &facts, f));
    (void)fclose(f);
    assert_int_equal(sscanf(text, "%d", &year), 1);
    assert_in_range(year, 2026, 9999);
    assert_int_equal(strlen(text), strlen("2026 000000%"));
    free(text);
}

static void test_json_tells_limits_that_were_missed(void **state)
{
    struct get_slo slo = {.is_set = true};
    char *text = NULL;
    size_t len = 0;
    expect("[%{slo}]", "[]");
    slo.limit_us[GET_PHASE_TOTAL] = 1000000;
    facts.slo = &slo;
    expect("%{slo}", "missed: total");
    FILE *f = open_memstream(&text, &len);
    assert_non_null(f);
    assert_true(get_write_out("%{json}", &facts, f));
    (void)fclose(f);
    json_t *all = json_loads(text, 0, NULL);
    json_t *total =
        json_object_get(json_object_get(json_object_get(all, "slo"), "phases"), "total");
    assert_true(json_is_false(json_object_get(total, "met")));
    assert_float_equal(json_number_value(json_object_get(total, "limit_ms")), 1000, 0.001);
    assert_float_equal(json_number_value(json_object_get(total, "ms")), 1234.567, 0.001);
    json_decref(all);
    free(text);
    slo.limit_us[GET_PHASE_TOTAL] = 2000000;
    expect("%{slo}", "met");
    facts.slo = NULL;
}

static const char *bar(size_t columns, uint64_t bytes, uint64_t total, uint64_t us)
{
    static char text[160];
    memset(text, 'x', sizeof(text));
    get_output_bar(text, sizeof(text), columns, bytes, total, us);
    return text;
}

static void test_the_bar_tells_part_sizes_speed_and_time(void **state)
{
    assert_string_equal(bar(80, 512 * 1024, 1024 * 1024, 1000000),
                        " 50% [=============              ] 512.0 KiB of 1.0 MiB  512"
                        ".0 KiB/s  0:01 left");
    assert_string_equal(bar(80, 2048, 1024, 61000000),
                        "100% [=======================================] 2.0 KiB of 1."
                        "0 KiB  34 B/s  1:01");
    assert_string_equal(bar(80, 0, 1024, 0),
                        "  0% [                                        ] 0 B of 1.0 K"
                        "iB  0 B/s  0:00");
    assert_string_equal(bar(80, 999, 0, 3723000000), "999 B  0 B/s  1:02:03");
    assert_string_equal(bar(40, 1, 1ull << 40, 1000000), "  0% 1 B of 1.0 TiB  1 B/s  -:-- left");
}

static void test_the_bar_is_narrower_than_the_terminal(void **state)
{
    static const uint64_t sizes[] = {0, 1, 999, 1000000, 123456789012, UINT64_MAX};
    for (size_t columns = 0; columns < 300; columns++) {
        for (size_t i = 0; i < 6; i++) {
            for (size_t k = 0; k < 6; k++) {
                for (size_t us = 0; us < 6; us++) {
                    size_t len = strlen(bar(columns, sizes[i], sizes[k], sizes[us]));
                    assert_true(len < columns || (columns == 0 && len == 0));
                    assert_true(len < 120);
                }
            }
        }
    }
}

static void test_the_bar_does_not_say_100_percent_too_early(void **state)
{
    assert_memory_equal(bar(80, 9999999, 10000000, 1000000), " 99% [", 6);
}

static void test_handshake_failures_are_60_only_for_our_verdict_on_the_peer(void **state)
{
    struct cleat_error error = {.code = CLEAT_ERR_CERT_EXPIRED, .alert = 45};
    assert_int_equal(get_exit_of_handshake(&error), 60);
    error.from_peer = true;
    assert_int_equal(get_exit_of_handshake(&error), 35);
    error = (struct cleat_error){.code = CLEAT_ERR_PEER_ALERT, .alert = 42, .from_peer = true};
    assert_int_equal(get_exit_of_handshake(&error), 35);
    error = (struct cleat_error){.code = CLEAT_ERR_PIN_MISMATCH, .alert = 46};
    assert_int_equal(get_exit_of_handshake(&error), 90);
    error = (struct cleat_error){.code = CLEAT_ERR_NO_SHARED_CIPHER};
    assert_int_equal(get_exit_of_handshake(&error), 35);
}

static void test_verify_results_are_openssls_numbers(void **state)
{
    assert_int_equal(get_verify_result(CLEAT_OK), 0);
    assert_int_equal(get_verify_result(CLEAT_ERR_CERT_EXPIRED), 10);
    assert_int_equal(get_verify_result(CLEAT_ERR_NAME_MISMATCH), 62);
    assert_int_equal(get_verify_result(CLEAT_ERR_NOMEM), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_variables_are_replaced, set_facts),
        cmocka_unit_test_setup(test_a_transfer_without_answer_has_code_000, set_facts),
        cmocka_unit_test_setup(test_escapes_and_percent_signs, set_facts),
        cmocka_unit_test_setup(test_an_unknown_variable_is_left_out, set_facts),
        cmocka_unit_test_setup(test_json_has_every_variable_with_its_type, set_facts),
        cmocka_unit_test_setup(test_fields_of_the_response_are_found_by_name, set_facts),
        cmocka_unit_test_setup(test_urls_are_taken_apart, set_facts),
        cmocka_unit_test_setup(test_onerror_is_the_end_of_what_went_well, set_facts),
        cmocka_unit_test_setup(test_output_goes_into_a_file, set_facts),
        cmocka_unit_test_setup(test_time_is_now_in_utc, set_facts),
        cmocka_unit_test_setup(test_json_tells_limits_that_were_missed, set_facts),
        cmocka_unit_test(test_the_bar_tells_part_sizes_speed_and_time),
        cmocka_unit_test(test_the_bar_is_narrower_than_the_terminal),
        cmocka_unit_test(test_the_bar_does_not_say_100_percent_too_early),
        cmocka_unit_test(test_handshake_failures_are_60_only_for_our_verdict_on_the_peer),
        cmocka_unit_test(test_verify_results_are_openssls_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
