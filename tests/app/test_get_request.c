/* URLs, requests and redirects of `cleat get`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cli/get_codes.h"
#include "cli/get_request.h"

static struct client_target *target_of(const char *url)
{
    struct client_target *t = calloc(1, sizeof(*t));
    struct cleat_error err = {0};
    assert_non_null(t);
    assert_int_equal(client_target_parse(t, url, strlen(url), &err), 0);
    return t;
}

/* ---- URLs ---- */

static void test_urls_give_host_port_and_authority(void **state)
{
    static const struct {
        const char *url, *host, *authority;
        uint16_t port;
    } rows[] = {
        {"https://Example.COM/", "example.com", "example.com", 443},
        {"example.com", "example.com", "example.com", 443},
        {"example.com:8443/x", "example.com", "example.com:8443", 8443},
        {"https://example.com.:443/", "example.com", "example.com", 443},
        {"https://[::1]:8443/", "::1", "[::1]:8443", 8443},
        {"https://127.0.0.1/", "127.0.0.1", "127.0.0.1", 443},
        {"https://b\xc3\xbc"
         "cher.example/",
         "xn--bcher-kva.example", "xn--bcher-kva.example", 443},
        {"https://user:pass@example.com/", "example.com", "example.com", 443},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        print_message("%s\n", rows[i].url);
        struct client_target *t = target_of(rows[i].url);
        assert_string_equal(t->host, rows[i].host);
        assert_string_equal(t->authority, rows[i].authority);
        assert_int_equal(t->port, rows[i].port);
        free(t);
    }
}

static void test_urls_that_are_refused_have_curls_exit_code(void **state)
{
    static const struct {
        const char *url;
        int code;
    } rows[] = {
        {"http://example.com/", GET_EXIT_PROTOCOL},
        {"ftp://example.com/", GET_EXIT_PROTOCOL},
        {"wss://example.com/", GET_EXIT_PROTOCOL},
        {"https://", GET_EXIT_BAD_URL},
        {"https:///path", GET_EXIT_BAD_URL},
        {"https://exa mple.com/", GET_EXIT_BAD_URL},
        {"https://example.com:99999/", GET_EXIT_BAD_URL},
        {"", GET_EXIT_BAD_URL},
    };
    struct client_target *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cleat_error err = {0};
        print_message("%s\n", rows[i].url);
        assert_int_equal(client_target_parse(t, rows[i].url, strlen(rows[i].url), &err),
                         rows[i].code);
        assert_true(err.text[0] != '\0');
    }
    free(t);
}

static void test_the_file_name_is_the_last_part_of_the_path(void **state)
{
    static const char *const rows[][2] = {{"https://a.example/x/y.txt?z=/q", "y.txt"},
                                          {"https://a.example/x/", ""},
                                          {"https://a.example", ""}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct client_target *t = target_of(rows[i][0]);
        assert_true(cleat_http_is(client_target_file_name(t), rows[i][1]));
        free(t);
    }
}

/* ---- requests ---- */

struct fixture {
    struct get_options o;
    struct get_hop hop;
    struct client_target *target;
    const char *headers[8];
    char text[4096];
};

static void setup(struct fixture *f, const char *url)
{
    memset(f, 0, sizeof(*f));
    f->target = target_of(url);
    f->hop = (struct get_hop){.target = f->target, .method = "GET", .first_origin = true};
    f->o.headers.items = f->headers;
}

static void add_header(struct fixture *f, const char *line)
{
    f->headers[f->o.headers.num++] = line;
}

static cl_result build(struct fixture *f)
{
    struct cl_buf out = {0};
    struct cleat_error err = {0};
    cl_result r = get_request_build(&out, &f->hop, &f->o, &err);
    assert_true(out.len < sizeof(f->text));
    if (out.len > 0) {
        memcpy(f->text, out.p, out.len);
    }
    f->text[out.len] = '\0';
    cl_buf_deinit(&out);
    assert_true((r == CL_OK) == (err.code == 0));
    return r;
}

static void teardown(struct fixture *f)
{
    get_parts_deinit(&f->o.body);
    free(f->target);
}

static void test_a_request_has_these_fields_and_no_others(void **state)
{
    struct fixture f;
    setup(&f, "https://example.com:8443/a?q=1#frag");
    f.o.user_agent = "test";
    assert_int_equal(build(&f), CL_OK);
    assert_string_equal(f.text, "GET /a?q=1 HTTP/1.1\r\n"
                                "Host: example.com:8443\r\n"
                                "User-Agent: test\r\n"
                                "Accept: */*\r\n"
                                "\r\n");
    teardown(&f);
}

static void test_own_headers_replace_remove_and_add(void **state)
{
    struct fixture f;
    setup(&f, "https://example.com/");
    add_header(&f, "Host: other.example");
    add_header(&f, "accept:");
    add_header(&f, "User-Agent: me");
    add_header(&f, "X-Empty;");
    add_header(&f, "X-Two:1");
    add_header(&f, "X-Two: 2");
    assert_int_equal(build(&f), CL_OK);
    assert_string_equal(f.text, "GET / HTTP/1.1\r\n"
                                "Host: other.example\r\n"
                                "User-Agent: me\r\n"
                                "X-Empty: \r\n"
                                "X-Two: 1\r\n"
                                "X-Two: 2\r\n"
                                "\r\n");
    teardown(&f);
}

static void test_headers_cannot_smuggle_lines(void **state)
{
    static const char *const rows[] = {"X: a\r\nY: b", "X\r\nY: b", "no colon", ": x", "X y: z"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture f;
        print_message("row %zu\n", i);
        setup(&f, "https://example.com/");
        add_header(&f, rows[i]);
        assert_int_equal(build(&f), CLEAT_ERR_USAGE);
        teardown(&f);
    }
}

static void test_a_method_that_is_no_token_is_refused(void **state)
{
    struct fixture f;
    setup(&f, "https://example.com/");
    f.hop.method = "GET /x HTTP/1.1\r\nX: y";
    assert_int_equal(build(&f), CLEAT_ERR_USAGE);
    teardown(&f);
}

static void test_user_and_password_become_basic_credentials(void **state)
{
    struct fixture f;
    setup(&f, "https://example.com/");
    f.o.user = "Aladdin:open sesame";
    assert_int_equal(build(&f), CL_OK);
    assert_non_null(strstr(f.text, "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
    teardown(&f);
    setup(&f, "https://Aladdin:open%20sesame@example.com/");
    assert_int_equal(build(&f), CL_OK);
    assert_non_null(strstr(f.text, "\r\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
    teardown(&f);
}

static void test_credentials_and_host_stay_with_the_first_origin(void **state)
{
    struct fixture f;
    setup(&f, "https://other.example/");
    f.hop.first_origin = false;
    f.o.user = "u:p";
    add_header(&f, "Authorization: Bearer secret");
    add_header(&f, "cookie: secret=1");
    add_header(&f, "Host: first.example");
    add_header(&f, "X-Other: stays");
    assert_int_equal(build(&f), CL_OK);
    assert_null(strstr(f.text, "secret"));
    assert_null(strstr(f.text, "uthorization"));
    assert_non_null(strstr(f.text, "\r\nHost: other.example\r\n"));
    assert_non_null(strstr(f.text, "\r\nX-Other: stays\r\n"));
    teardown(&f);
}

static void test_a_body_has_type_and_length(void **state)
{
    struct fixture f;
    setup(&f, "https://example.com/");
    f.o.has_body = f.o.json = true;
    assert_int_equal(get_parts_bytes(&f.o.body, "{}", 2), CL_OK);
    get_hop_first(&f.hop, &f.o);
    f.hop.body_len = 2;
    assert_int_equal(build(&f), CL_OK);
    assert_memory_equal(f.text, "POST / ", 7);
    assert_non_null(strstr(f.text, "\r\nAccept: application/json\r\n"));
    assert_non_null(strstr(f.text, "\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"));
    teardown(&f);
}

static void test_a_body_of_unknown_length_is_sent_in_chunks(void **state)
{
    struct fixture f;
    setup(&f, "https://example.com/");
    f.o.has_body = true;
    get_hop_first(&f.hop, &f.o);
    f.hop.body_len = GET_LENGTH_UNKNOWN;
    assert_int_equal(build(&f), CL_OK);
    assert_non_null(strstr(f.text, "\r\nTransfer-Encoding: chunked\r\n"));
    assert_null(strstr(f.text, "Content-Length"));
    teardown(&f);
}

/* ---- redirects ---- */

static void test_redirects_change_method_and_body_as_rfc_9110_says(void **state)
{
    static const struct {
        unsigned status;
        const char *before, *after;
        bool body_stays;
    } rows[] = {
        {301, "POST", "GET", false},     {302, "POST", "GET", false}, {303, "POST", "GET", false},
        {307, "POST", "POST", true},     {308, "POST", "POST", true}, {301, "PUT", "PUT", true},
        {302, "DELETE", "DELETE", true}, {303, "PUT", "GET", false},  {303, "HEAD", "HEAD", true},
        {302, "GET", "GET", true},       {302, "HEAD", "HEAD", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct get_hop hop = {.method = rows[i].before, .with_body = true};
        print_message("%u %s\n", rows[i].status, rows[i].before);
        get_hop_redirect(&hop, rows[i].status);
        assert_string_equal(hop.method, rows[i].after);
        assert_int_equal(hop.with_body, rows[i].body_stays);
    }
}

static void test_only_five_statuses_redirect(void **state)
{
    unsigned num = 0;
    for (unsigned status = 100; status < 600; status++) {
        num += get_hop_is_redirect(status) ? 1 : 0;
    }
    assert_int_equal(num, 5);
    assert_false(get_hop_is_redirect(304) || get_hop_is_redirect(300));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls_give_host_port_and_authority),
        cmocka_unit_test(test_urls_that_are_refused_have_curls_exit_code),
        cmocka_unit_test(test_the_file_name_is_the_last_part_of_the_path),
        cmocka_unit_test(test_a_request_has_these_fields_and_no_others),
        cmocka_unit_test(test_own_headers_replace_remove_and_add),
        cmocka_unit_test(test_headers_cannot_smuggle_lines),
        cmocka_unit_test(test_a_method_that_is_no_token_is_refused),
        cmocka_unit_test(test_user_and_password_become_basic_credentials),
        cmocka_unit_test(test_credentials_and_host_stay_with_the_first_origin),
        cmocka_unit_test(test_a_body_has_type_and_length),
        cmocka_unit_test(test_a_body_of_unknown_length_is_sent_in_chunks),
        cmocka_unit_test(test_redirects_change_method_and_body_as_rfc_9110_says),
        cmocka_unit_test(test_only_five_statuses_redirect),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
