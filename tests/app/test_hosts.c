/* Hosts file, localhost, overrides, and the resolver's answers that need no name server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "dns/resolve.h"

static const char hosts_text[] = "# comment\n"
                                 "127.0.0.1 localhost\n"
                                 "192.0.2.7\tShop.Example www.shop.example # trailing\r\n"
                                 "2001:db8::7  shop.example\n"
                                 "not-an-address shop.example\n"
                                 "192.0.2.9 #shop.example\n"
                                 "192.0.2.8 other.example";

static void expect_host(const char *name, int family, const char *want)
{
    struct cl_addr found[4];
    bool known;
    char text[CL_ADDR_TEXT_SIZE] = "";
    size_t num = cl_hosts_find(cl_rd_str(hosts_text), name, family, found, 4, &known);
    assert_int_equal(num, want[0] != '\0' ? 1 : 0);
    if (num == 1) {
        cl_addr_format(&found[0], text);
    }
    assert_string_equal(text, want);
}

static void test_hosts_file_finds_names_of_both_families(void **state)
{
    expect_host("shop.example", AF_INET, "192.0.2.7");
    expect_host("SHOP.example", AF_INET6, "2001:db8::7");
    expect_host("www.shop.example", AF_INET, "192.0.2.7");
    expect_host("other.example", AF_INET, "192.0.2.8");
    expect_host("www.shop.example", AF_INET6, "");
    expect_host("shop", AF_INET, "");
    expect_host("192.0.2.7", AF_INET, "");
}

static void test_hosts_file_knows_a_name_that_has_only_the_other_family(void **state)
{
    struct cl_addr found[1];
    bool known;
    assert_int_equal(
        cl_hosts_find(cl_rd_str(hosts_text), "other.example", AF_INET6, found, 1, &known), 0);
    assert_true(known);
    (void)cl_hosts_find(cl_rd_str(hosts_text), "none.example", AF_INET6, found, 1, &known);
    assert_false(known);
}

static void test_localhost_and_names_below_it_are_recognised(void **state)
{
    assert_true(cl_hosts_is_localhost("localhost"));
    assert_true(cl_hosts_is_localhost("LOCALHOST."));
    assert_true(cl_hosts_is_localhost("app.localhost"));
    assert_false(cl_hosts_is_localhost("notlocalhost"));
    assert_false(cl_hosts_is_localhost("localhost.example"));
    assert_false(cl_hosts_is_localhost(""));
}

static void test_overrides_that_are_well_formed(void **state)
{
    static const struct {
        const char *text;
        const char *host;
        uint16_t port;
        size_t num;
        const char *first;
        bool remove;
    } rows[] = {
        {"Example.com:443:127.0.0.1", "example.com", 443, 1, "127.0.0.1:443", false},
        {"+example.com:8443:::1", "example.com", 8443, 1, "[::1]:8443", false},
        {"example.com:1:[2001:db8::1],192.0.2.1", "example.com", 1, 2, "[2001:db8::1]:1", false},
        {"*:443:127.0.0.1", "*", 443, 1, "127.0.0.1:443", false},
        {"-example.com:443", "example.com", 443, 0, "", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_override o;
        struct cleat_error err = {0};
        char text[CL_ADDR_TEXT_SIZE] = "";
        print_message("%s\n", rows[i].text);
        assert_int_equal(cl_override_parse(rows[i].text, &o, &err), CL_OK);
        assert_string_equal(o.host, rows[i].host);
        assert_int_equal(o.port, rows[i].port);
        assert_int_equal(o.num, rows[i].num);
        assert_int_equal(o.remove, rows[i].remove);
        if (o.num > 0) {
            cl_addr_format_port(&o.addrs[0], text);
        }
        assert_string_equal(text, rows[i].first);
    }
}

static void test_overrides_that_are_refused(void **state)
{
    static const char *const rows[] = {
        "",           "example.com",        "example.com:443",      "example.com:443:",
        ":443:::1",   "example.com:0:::1",  "example.com:65536::1", "example.com:x:::1",
        "[::1:1:::1", "e.com:1:host.name",  "e.com:1:127.0.0.1,,",  "-example.com:443:::1",
        "[]:1:::1",   "e.com:-1:127.0.0.1",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_override o;
        struct cleat_error err = {0};
        print_message("%s\n", rows[i]);
        assert_int_equal(cl_override_parse(rows[i], &o, &err), CLEAT_ERR_USAGE);
        assert_true(err.text[0] != '\0');
    }
}

static void test_the_last_exact_override_wins_over_the_wildcard(void **state)
{
    struct cl_override list[4];
    assert_int_equal(cl_override_parse("a.example:443:192.0.2.1", &list[0], NULL), CL_OK);
    assert_int_equal(cl_override_parse("*:443:192.0.2.2", &list[1], NULL), CL_OK);
    assert_int_equal(cl_override_parse("a.example:443:192.0.2.3", &list[2], NULL), CL_OK);
    assert_int_equal(cl_override_parse("-a.example:443", &list[3], NULL), CL_OK);
    assert_ptr_equal(cl_override_find(list, 3, "A.example", 443), &list[2]);
    assert_ptr_equal(cl_override_find(list, 3, "b.example", 443), &list[1]);
    assert_null(cl_override_find(list, 3, "a.example", 444));
    assert_ptr_equal(cl_override_find(list, 4, "a.example", 443), &list[1]);
}

struct heard {
    char text[512];
    unsigned answers, last;
};

static void hear(void *ctx, const struct cl_dns_answer *a)
{
    struct heard *h = ctx;
    h->answers++;
    h->last += a->last ? 1 : 0;
    for (size_t i = 0; i < a->num; i++) {
        char text[CL_ADDR_TEXT_SIZE];
        size_t at = strlen(h->text);
        cl_addr_format_port(&a->addrs[i], text);
        (void)snprintf(h->text + at, sizeof(h->text) - at, "%s %s;", a->source, text);
    }
}

static void expect_lookup(const char *host, unsigned kinds, const char *want)
{
    uv_loop_t loop;
    struct cl_dns *dns;
    struct cl_dns_query *q;
    struct cl_override o;
    struct heard h = {0};
    struct cl_dns_spec spec = {.host = host, .port = 44, .kinds = kinds, .cb = hear, .ctx = &h};
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(cl_dns_new(&loop, &dns, NULL), CL_OK);
    assert_int_equal(cl_override_parse("over.example:44:192.0.2.4,::4", &o, NULL), CL_OK);
    assert_int_equal(cl_dns_override(dns, &o), CL_OK);
    assert_int_equal(cl_dns_lookup(dns, &spec, &q), CL_OK);
    assert_int_equal(h.answers, 0);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_string_equal(h.text, want);
    assert_int_equal(h.answers, kinds == (CL_DNS_A | CL_DNS_AAAA) ? 2 : 1);
    assert_int_equal(h.last, 1);
    cl_dns_free(dns);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_lookup_answers_without_a_name_server(void **state)
{
    const unsigned both = CL_DNS_A | CL_DNS_AAAA;
    expect_lookup("192.0.2.1", both, "literal 192.0.2.1:44;");
    expect_lookup("2001:db8::1", both, "literal [2001:db8::1]:44;");
    expect_lookup("localhost", both, "localhost [::1]:44;localhost 127.0.0.1:44;");
    expect_lookup("localhost", CL_DNS_A, "localhost 127.0.0.1:44;");
    expect_lookup("over.example", both, "override [::4]:44;override 192.0.2.4:44;");
    expect_lookup("::1", CL_DNS_A, "");
}

static void test_a_cancelled_lookup_calls_nobody(void **state)
{
    uv_loop_t loop;
    struct cl_dns *dns;
    struct cl_dns_query *q;
    struct heard h = {0};
    struct cl_dns_spec spec = {.host = "localhost", .kinds = CL_DNS_A, .cb = hear, .ctx = &h};
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(cl_dns_new(&loop, &dns, NULL), CL_OK);
    assert_int_equal(cl_dns_lookup(dns, &spec, &q), CL_OK);
    cl_dns_cancel(q);
    spec.host = "name.invalid";
    assert_int_equal(cl_dns_lookup(dns, &spec, &q), CL_OK);
    cl_dns_free(dns);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(h.answers, 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts_file_finds_names_of_both_families),
        cmocka_unit_test(test_hosts_file_knows_a_name_that_has_only_the_other_family),
        cmocka_unit_test(test_localhost_and_names_below_it_are_recognised),
        cmocka_unit_test(test_overrides_that_are_well_formed),
        cmocka_unit_test(test_overrides_that_are_refused),
        cmocka_unit_test(test_the_last_exact_override_wins_over_the_wildcard),
        cmocka_unit_test(test_lookup_answers_without_a_name_server),
        cmocka_unit_test(test_a_cancelled_lookup_calls_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
