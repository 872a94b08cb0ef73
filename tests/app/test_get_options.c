/* The command line of `cleat get`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <string.h>
#include <cmocka.h>

#include "cleat/tls.h"
#include "cli/get_options.h"
#include "cli/get_session.h"

#define MAX_WORDS 24

static int parse(struct get_options *o, const char *const *words)
{
    char *argv[MAX_WORDS] = {(char *)(uintptr_t) "get"};
    int argc = 1;
    for (; words[argc - 1] != NULL; argc++) {
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    }
    return get_options_parse(o, argc, argv);
}
#define PARSE(o, ...) parse((o), (const char *const[]){__VA_ARGS__, NULL})

static void expect_body(const struct get_options *o, const char *want)
{
    struct get_parts_source s;
    struct cleat_error err = {0};
    uint8_t got[64];
    size_t len = 0;
    ssize_t n;
    assert_true(o->has_body);
    get_parts_source_init(&s, &o->body);
    assert_int_equal(s.source.len, strlen(want));
    while ((n = s.source.calls->read(&s.source, got + len, sizeof(got) - len, &err)) > 0) {
        len += (size_t)n;
    }
    get_parts_source_deinit(&s);
    assert_int_equal(len, strlen(want));
    assert_memory_equal(got, want, strlen(want));
}

static void test_bundled_short_options_are_taken_apart(void **state)
{
    struct get_options o;
    assert_int_equal(PARSE(&o, "-sSLkvo", "out", "https://a.example/", "-XPUT"), 0);
    assert_true(o.silent && o.show_error && o.location && o.client.insecure && o.client.verbose);
    assert_string_equal(o.method, "PUT");
    assert_int_equal(o.outputs.num, 1);
    assert_string_equal(o.outputs.items[0], "out");
    assert_int_equal(o.urls.num, 1);
    get_options_deinit(&o);
}

static void test_protocols_and_parallel_transfers_are_as_in_curl(void **state)
{
    struct get_options o;
    assert_int_equal(PARSE(&o, "https://a.example/"), 0);
    assert_string_equal(o.client.alpn, "h2,http/1.1");
    assert_true(!o.parallel && o.parallel_max == 50);
    get_options_deinit(&o);
    assert_int_equal(PARSE(&o, "--http1.1", "-Z", "--parallel-max", "3", "https://a.example/"), 0);
    assert_string_equal(o.client.alpn, "http/1.1");
    assert_true(o.parallel && o.parallel_max == 3);
    get_options_deinit(&o);
    assert_int_equal(PARSE(&o, "--http1.1", "--http2", "https://a.example/"), 0);
    assert_string_equal(o.client.alpn, "h2,http/1.1");
    get_options_deinit(&o);
    for (size_t i = 0; i < 3; i++) {
        static const char *const bad[] = {"0", "301", "many"};
        assert_int_equal(PARSE(&o, "--parallel-max", bad[i], "https://a.example/"), 2);
        get_options_deinit(&o);
    }
}

static void test_defaults_are_curls(void **state)
{
    struct get_options o;
    assert_int_equal(PARSE(&o, "https://a.example/"), 0);
    assert_int_equal(o.max_redirects, 50);
    assert_int_equal(o.client.family, AF_UNSPEC);
    assert_false(o.location || o.client.insecure || o.fail || o.has_body);
    assert_int_equal(o.client.connect_timeout_ms, 0);
    get_options_deinit(&o);
}

static void test_times_are_decimal_seconds(void **state)
{
    struct get_options o;
    assert_int_equal(PARSE(&o, "-m", "1.5", "--connect-timeout", "0.0001", "u.example"), 0);
    assert_int_equal(o.max_time_ms, 1500);
    assert_int_equal(o.client.connect_timeout_ms, 1);
    get_options_deinit(&o);
}

static void test_tls_versions_are_understood(void **state)
{
    struct get_options o;
    assert_int_equal(PARSE(&o, "--tlsv1.3", "--tls-max", "1.3", "u.example"), 0);
    assert_int_equal(o.client.tls_min, CLEAT_TLS_1_3);
    assert_int_equal(o.client.tls_max, CLEAT_TLS_1_3);
    get_options_deinit(&o);
}

static void test_form_data_is_joined_with_ampersands(void **state)
{
    struct get_options o;
    assert_int_equal(PARSE(&o, "-d", "a=1", "--data-raw", "@b", "-dc=3", "u.example"), 0);
    expect_body(&o, "a=1&@b&c=3");
    get_options_deinit(&o);
}

static void test_json_parts_are_not_joined(void **state)
{
    struct get_options o;
    assert_int_equal(PARSE(&o, "--json", "{\"a\":", "--json", "1}", "u.example"), 0);
    expect_body(&o, "{\"a\":1}");
    assert_true(o.json);
    get_options_deinit(&o);
}

static void test_data_files_lose_line_ends_unless_binary(void **state)
{
    struct get_options o;
    char path[] = "/tmp/cleat-test-XXXXXX", at_path[64];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a\r\nb\n", 5), 5);
    (void)snprintf(at_path, sizeof(at_path), "@%s", path);
    assert_int_equal(PARSE(&o, "-d", at_path, "u.example"), 0);
    expect_body(&o, "ab");
    get_options_deinit(&o);
    assert_int_equal(PARSE(&o, "--data-binary", at_path, "u.example"), 0);
    expect_body(&o, "a\r\nb\n");
    get_options_deinit(&o);
    (void)close(fd);
    (void)unlink(path);
    assert_int_equal(PARSE(&o, "-d", at_path, "u.example"), 26);
    get_options_deinit(&o);
}

static void test_command_lines_that_make_no_sense_are_refused(void **state)
{
    static const char *const rows[][6] = {
        {"-v", NULL},
        {"--nonsense", "u.example", NULL},
        {"-m", "soon", "u.example", NULL},
        {"-m", "-1", "u.example", NULL},
        {"-m", "nan", "u.example", NULL},
        {"--tls-max", "1.4", "u.example", NULL},
        {"--key", "k.pem", "u.example", NULL},
        {"-u", "nobody", "u.example", NULL},
        {"-d", "a", "-F", "b=c", "u.example", NULL},
        {"-d", "a", "-T", "/dev/null", "u.example", NULL},
        {"-I", "-F", "b=c", "u.example", NULL},
        {"-T", "/dev/null", "-T", "/dev/null", "u.example", NULL},
        {"-C", "x", "u.example", NULL},
        {"-C", "-1", "u.example", NULL},
        {"-C", "5", "-r", "0-1", "u.example", NULL},
        {"-C", "5", "--compressed", "u.example", NULL},
        {"-C", "-", "-T", "/dev/null", "u.example", NULL},
        {"--retry", "-1", "u.example", NULL},
        {"--slo", "total", "u.example", NULL},
        {"-F", "nothing", "u.example", NULL},
        {"-Id", "x", "u.example", NULL},
        {"-OO", "u.example", NULL},
        {"--max-redirs", "-2", "u.example", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct get_options o;
        print_message("%s\n", rows[i][0]);
        assert_int_equal(parse(&o, rows[i]), 2);
        get_options_deinit(&o);
    }
}

static void test_json_and_form_data_cannot_be_mixed(void **state)
{
    struct get_options o;
    assert_int_equal(PARSE(&o, "-d", "a", "--json", "{}", "u.example"), 2);
    get_options_deinit(&o);
    assert_int_equal(PARSE(&o, "--json", "{}", "-d", "a", "u.example"), 2);
    get_options_deinit(&o);
}

static void expect_connect_to(const char *option, const char *host, uint16_t port)
{
    const char *items[] = {option};
    const struct cl_words words = {.items = items, .num = 1};
    char got_host[CLIENT_HOST_SIZE];
    uint16_t got_port = 0;
    print_message("%s\n", option);
    assert_true(client_connect_to(&words, "a.example", 443, got_host, &got_port, NULL));
    assert_string_equal(got_host, host);
    assert_int_equal(got_port, port);
}

static void test_connect_to_replaces_what_matches(void **state)
{
    expect_connect_to("a.example:443:b.example:8443", "b.example", 8443);
    expect_connect_to("A.EXAMPLE:443::8443", "a.example", 8443);
    expect_connect_to("::127.0.0.1:", "127.0.0.1", 443);
    expect_connect_to("::[::1]:8443", "::1", 8443);
    expect_connect_to("a.example:444:b.example:1", "a.example", 443);
    expect_connect_to("c.example:443:b.example:1", "a.example", 443);
}

static void test_connect_to_refuses_what_it_cannot_read(void **state)
{
    static const char *const rows[] = {"a.example:443:b.example:x", "::b.example:0",
                                       "::b.example:65536", "::b.example:1:2", "[::1:1:b:2"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *items[] = {rows[i]};
        const struct cl_words words = {.items = items, .num = 1};
        char host[CLIENT_HOST_SIZE];
        uint16_t port;
        struct cleat_error err = {0};
        print_message("%s\n", rows[i]);
        assert_false(client_connect_to(&words, "a.example", 443, host, &port, &err));
        assert_int_equal(err.code, CLEAT_ERR_USAGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bundled_short_options_are_taken_apart),
        cmocka_unit_test(test_protocols_and_parallel_transfers_are_as_in_curl),
        cmocka_unit_test(test_defaults_are_curls),
        cmocka_unit_test(test_times_are_decimal_seconds),
        cmocka_unit_test(test_tls_versions_are_understood),
        cmocka_unit_test(test_form_data_is_joined_with_ampersands),
        cmocka_unit_test(test_json_parts_are_not_joined),
        cmocka_unit_test(test_data_files_lose_line_ends_unless_binary),
        cmocka_unit_test(test_command_lines_that_make_no_sense_are_refused),
        cmocka_unit_test(test_json_and_form_data_cannot_be_mixed),
        cmocka_unit_test(test_connect_to_replaces_what_matches),
        cmocka_unit_test(test_connect_to_refuses_what_it_cannot_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
