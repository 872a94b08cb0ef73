/* The proxy's URL, and who needs none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "conn/proxy.h"

static void test_urls_that_are_well_formed(void **state)
{
    static const struct {
        const char *text;
        enum cl_proxy_kind kind;
        const char *host;
        uint16_t port;
        const char *user, *password; /* NULL: none */
    } rows[] = {
        {"http://proxy.example:3128", CL_PROXY_HTTP, "proxy.example", 3128, NULL, NULL},
        {"proxy.example", CL_PROXY_HTTP, "proxy.example", 1080, NULL, NULL},
        {"HTTP://Proxy.Example./", CL_PROXY_HTTP, "proxy.example", 1080, NULL, NULL},
        {"https://proxy.example", CL_PROXY_HTTPS, "proxy.example", 443, NULL, NULL},
        {"https://proxy.example:80/path?query", CL_PROXY_HTTPS, "proxy.example", 80, NULL, NULL},
        {"socks5://[::1]:9050", CL_PROXY_SOCKS5, "::1", 9050, NULL, NULL},
        {"SOCKS5H://192.0.2.1", CL_PROXY_SOCKS5H, "192.0.2.1", 1080, NULL, NULL},
        {"u:p@proxy.example:1", CL_PROXY_HTTP, "proxy.example", 1, "u", "p"},
        {"http://u@h", CL_PROXY_HTTP, "h", 1080, "u", ""},
        {"http://:p@h", CL_PROXY_HTTP, "h", 1080, "", "p"},
        {"http://u%40x:a%3Ab%2f%25:c@h", CL_PROXY_HTTP, "h", 1080, "u@x", "a:b/%:c"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_proxy p;
        struct cleat_error err = {0};
        assert_int_equal(cl_proxy_parse(rows[i].text, &p, &err), CL_OK);
        assert_int_equal(p.kind, rows[i].kind);
        assert_string_equal(p.host, rows[i].host);
        assert_int_equal(p.port, rows[i].port);
        assert_int_equal(p.has_user, rows[i].user != NULL);
        assert_string_equal(p.user, rows[i].user != NULL ? rows[i].user : "");
        assert_string_equal(p.password, rows[i].password != NULL ? rows[i].password : "");
        cl_proxy_deinit(&p);
    }
}

static void test_urls_that_are_none_are_refused_without_repeating_them(void **state)
{
    static const struct {
        const char *text;
        int code;
    } rows[] = {
        {"", CLEAT_ERR_BAD_URL},
        {"http://", CLEAT_ERR_BAD_URL},
        {"http://host:0x1", CLEAT_ERR_BAD_URL},
        {"http://host:65536", CLEAT_ERR_BAD_URL},
        {"http://s3cret:w0rd@", CLEAT_ERR_BAD_URL},
        {"http://s3cret:w0rd%0d%0a@host", CLEAT_ERR_BAD_URL},
        {"http://s3cret%00:w0rd@host", CLEAT_ERR_BAD_URL},
        {"http://s3cret:w0rd%4@host", CLEAT_ERR_BAD_URL},
        {"http://s3cret%3a:w0rd@host", CLEAT_ERR_BAD_URL},
        {"http://s3cret:w0rd@ho st", CLEAT_ERR_BAD_URL},
        {"http://b\xc3\xbc"
         "cher.example",
         CLEAT_ERR_BAD_URL},
        {"socks4://host", CLEAT_ERR_UNSUPPORTED},
        {"ftp://s3cret:w0rd@host", CLEAT_ERR_UNSUPPORTED},
        {"://host", CLEAT_ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_proxy p;
        struct cleat_error err = {0};
        assert_int_equal(cl_proxy_parse(rows[i].text, &p, &err), rows[i].code);
        assert_null(strstr(err.text, "s3cret"));
        assert_null(strstr(err.text, "w0rd"));
        cl_proxy_deinit(&p);
    }
}

static void test_credentials_that_are_too_long_are_refused(void **state)
{
    char text[2 * CL_PROXY_MAX_CREDENTIAL + 32];
    struct cl_proxy p;
    for (int extra = 0; extra < 2; extra++) {
        memset(text, 'x', sizeof(text));
        memcpy(text + CL_PROXY_MAX_CREDENTIAL + extra, "@host", 6);
        assert_int_equal(cl_proxy_parse(text, &p, NULL), extra ? CLEAT_ERR_BAD_URL : CL_OK);
        cl_proxy_deinit(&p);
        assert_int_equal(cl_proxy_parse("host", &p, NULL), CL_OK);
        memcpy(text + CL_PROXY_MAX_CREDENTIAL + extra, ":y", 3);
        assert_int_equal(cl_proxy_set_user(&p, text, NULL), extra ? CLEAT_ERR_USAGE : CL_OK);
        cl_proxy_deinit(&p);
    }
}

static void test_a_user_given_apart_replaces_the_urls(void **state)
{
    struct cl_proxy p;
    assert_int_equal(cl_proxy_parse("http://a:b@h", &p, NULL), CL_OK);
    assert_int_equal(cl_proxy_set_user(&p, "c:d:%41", NULL), CL_OK);
    assert_string_equal(p.user, "c");
    assert_string_equal(p.password, "d:%41"); /* nothing is decoded */
    assert_int_equal(cl_proxy_set_user(&p, "e", NULL), CL_OK);
    assert_string_equal(p.password, "");
    assert_int_equal(cl_proxy_set_user(&p, "e:\r\nX: y", NULL), CLEAT_ERR_USAGE);
    cl_proxy_deinit(&p);
}

static void test_who_needs_no_proxy(void **state)
{
    static const struct {
        const char *list, *host;
        bool exempt;
    } rows[] = {
        {"", "example.com", false},
        {"*", "example.com", true},
        {"*", "192.0.2.1", true},
        {"*.com", "example.com", false}, /* no patterns */
        {"x,*", "example.com", false},
        {"example.com", "example.com", true},
        {"EXAMPLE.com", "example.com", true},
        {"example.com.", "example.com", true},
        {".example.com", "example.com", true},
        {".example.com", "www.example.com", true},
        {"example.com", "a.b.example.com", true},
        {"example.com", "notexample.com", false},
        {"www.example.com", "example.com", false},
        {"com", "example.com", true},
        {".", "example.com", false},
        {"a,b , example.com", "example.com", true},
        {"a b example.com", "example.com", true},
        {",,,example.com", "example.com", true},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.10", false},
        {"192.0.2.0/24", "192.0.2.77", true},
        {"192.0.2.0/24", "192.0.3.77", false},
        {"192.0.2.0/31", "192.0.2.1", true},
        {"192.0.2.0/31", "192.0.2.2", false},
        {"192.0.2.1/0", "192.0.2.1", true}, /* 0 is all bits, as with curl */
        {"192.0.2.1/0", "192.0.2.2", false},
        {"192.0.2.0/33", "192.0.2.0", false},
        {"192.0.2.0/-1", "192.0.2.0", false},
        {"192.0.2.0/", "192.0.2.0", false},
        {"192.0.2.0/2x", "192.0.2.0", false},
        {"2.1", "192.0.2.1", false}, /* an address has no domain */
        {"2001:db8::/32", "2001:db8:1::1", true},
        {"2001:db8::/33", "2001:db8:8000::1", false},
        {"::1", "::1", true},
        {"0:0:0:0:0:0:0:1", "::1", true},
        {"::ffff:192.0.2.1", "192.0.2.1", false},
        {"192.0.2.0/24", "example.com", false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(cl_proxy_is_exempt(rows[i].list, rows[i].host), rows[i].exempt);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls_that_are_well_formed),
        cmocka_unit_test(test_urls_that_are_none_are_refused_without_repeating_them),
        cmocka_unit_test(test_credentials_that_are_too_long_are_refused),
        cmocka_unit_test(test_a_user_given_apart_replaces_the_urls),
        cmocka_unit_test(test_who_needs_no_proxy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
