/* tests/http/test_url.c - URLs: taken apart, refused, resolved, decoded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cleat/http.h"
#include "http/url.h"

#define STR(v) (int)(v).len, (v).p != NULL ? (v).p : "-"

static const struct {
    const char *url;
    const char *text; /* userinfo|host|port|path|query|flags */
} good_rows[] = {
    {"http://h", "|h|80|/||"},
    {"HTTPS://Example.COM/a/b?c=d#e", "|Example.COM|443|/a/b|c=d|s"},
    {"https://h:8443/", "|h|8443|/||sp"},
    {"https://h:/x", "|h|443|/x||s"},
    {"ws://h?x", "|h|80|/|x|w"},
    {"wss://h:1/?", "|h|1|/||spw"},
    {"http://user:p%40ss@h/", "user:p%40ss|h|80|/||"},
    {"http://@h/", "|h|80|/||"},
    {"http://[::1]:8080/x", "|::1|8080|/x||p6"},
    {"http://[2001:db8::192.0.2.1]/", "|2001:db8::192.0.2.1|80|/||6"},
    {"http://[1:2:3:4:5:6:7:8]/", "|1:2:3:4:5:6:7:8|80|/||6"},
    {"http://[1:2:3:4:5:6:7::]/", "|1:2:3:4:5:6:7::|80|/||6"},
    {"http://192.0.2.255/", "|192.0.2.255|80|/||4"},
    {"http://a_b.example/", "|a_b.example|80|/||"},
    {"http://h./", "|h.|80|/||"},
    {"http://1.example/", "|1.example|80|/||"},
    {"http://b\xc3\xbc"
     "cher.example/\xc3\xa4?\xc3\xb6",
     "|b\xc3\xbc"
     "cher.example|80|/\xc3\xa4|\xc3\xb6|i"},
    {"http://h/a//b/../c;d=e:f@g", "|h|80|/a//b/../c;d=e:f@g||"},
    {"http://h/?a=b?c/d|e", "|h|80|/|a=b?c/d|e|"},
    {"http://h#f", "|h|80|/||"},
    {"http://h/%zz", "|h|80|/%zz||"},
};

static void test_urls_are_taken_apart_without_being_changed(void **state)
{
    for (size_t i = 0; i < sizeof(good_rows) / sizeof(good_rows[0]); i++) {
        struct cleat_http_url u;
        struct cleat_error err = {0};
        char text[300];
        if (cleat_http_url_parse(&u, good_rows[i].url, strlen(good_rows[i].url), &err) != 0) {
            fail_msg("%s: %s", good_rows[i].url, err.text);
        }
        snprintf(text, sizeof(text), "%.*s|%.*s|%u|%.*s|%.*s|%s%s%s%s%s%s", (int)u.userinfo.len,
                 u.userinfo.p, STR(u.host), u.port, STR(u.path), (int)u.query.len, u.query.p,
                 u.secure ? "s" : "", u.has_port ? "p" : "", u.websocket ? "w" : "",
                 u.is_ipv4 ? "4" : "", u.is_ipv6 ? "6" : "", u.is_idn ? "i" : "");
        assert_string_equal(text, good_rows[i].text);
    }
}

static const char *const bad_rows[] = {
    "",
    "h",
    "/x",
    "//h/x",
    "h:80/x",
    "http:/h",
    "http:h",
    "http://",
    "http:///x",
    "http://:80/",
    "http://?x",
    "ftp://h/",
    "httpss://h/",
    "1http://h/",
    "http://h:0/",
    "http://h:65536/",
    "http://h:8a/",
    "http://h:+80/",
    "http://h:80:80/",
    "http://h /",
    "http://h/a b",
    " http://h/",
    "http://h/\n",
    "http://h\r\nX: y/",
    "http://h/\x7f",
    "http://h\\@evil/",
    "http://a@b@c/",
    "http://a b@c/",
    "http://a%zz@c/",
    "http://h%41/",
    "http://h<x/",
    "http://h/<x>",
    "http://h/a\\b",
    "http://h/\"",
    "http://h/{a}",
    "http://h/?\"",
    "http://[::1/",
    "http://::1/",
    "http://[::1]x/",
    "http://[::1%25eth0]/",
    "http://[1:2:3:4:5:6:7:8:9]/",
    "http://[1:2:3:4:5:6:7]/",
    "http://[1:2:3:4:5:6:7:8::]/",
    "http://[::1::]/",
    "http://[:::]/",
    "http://[12345::]/",
    "http://[::1.2.3.256]/",
    "http://[1.2.3.4::]/",
    "http://[v1.x]/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://0177.0.0.1/",
    "http://1.2.3.4.5/",
    "http://1.2.3.4./",
    "http://256.1.1.1/",
    "http://a.1/",
};

static void test_doubtful_urls_are_refused_with_a_reason(void **state)
{
    for (size_t i = 0; i < sizeof(bad_rows) / sizeof(bad_rows[0]); i++) {
        struct cleat_http_url u;
        struct cleat_error err = {0};
        int rc = cleat_http_url_parse(&u, bad_rows[i], strlen(bad_rows[i]), &err);
        if (rc != CLEAT_ERR_BAD_URL || err.code != rc || err.text[0] == '\0') {
            fail_msg("accepted: %s", bad_rows[i]);
        }
    }
}

static void test_a_url_with_nul_or_beyond_the_limit_is_refused(void **state)
{
    static char text[CLEAT_HTTP_MAX_URL + 2] = "http://h/";
    struct cleat_http_url u;
    assert_int_equal(cleat_http_url_parse(&u, "http://h\0.x/", 12, NULL), CLEAT_ERR_BAD_URL);
    memset(text + 9, 'x', sizeof(text) - 9);
    assert_int_equal(cleat_http_url_parse(&u, text, CLEAT_HTTP_MAX_URL, NULL), CLEAT_OK);
    assert_int_equal(cleat_http_url_parse(&u, text, CLEAT_HTTP_MAX_URL + 1, NULL),
                     CLEAT_ERR_BAD_URL);
}

static void test_target_and_authority_are_what_a_request_needs(void **state)
{
    static const struct {
        const char *url;
        const char *target;
        const char *authority;
    } rows[] = {
        {"http://h", "/", "h"},
        {"http://h:80?x", "/?x", "h"},
        {"https://h:80/a?", "/a?", "h:80"},
        {"https://[::1]:443/", "/", "[::1]"},
        {"wss://[::1]:4433/", "/", "[::1]:4433"},
        {"http://h/\xc3\xa4%C3?\xff", "/%C3%A4%C3?%FF", "h"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cleat_http_url u;
        char out[64];
        size_t len;
        assert_int_equal(cleat_http_url_parse(&u, rows[i].url, strlen(rows[i].url), NULL), 0);
        assert_int_equal(cleat_http_url_target(&u, out, sizeof(out), &len), 0);
        out[len] = '\0';
        assert_string_equal(out, rows[i].target);
        assert_int_equal(cleat_http_url_target(&u, out, len - 1, &len), CLEAT_ERR_LIMIT);
        assert_int_equal(cleat_http_url_authority(&u, out, sizeof(out), &len), 0);
        out[len] = '\0';
        assert_string_equal(out, rows[i].authority);
    }
}

/* The first rows are the examples of RFC 3986 5.4, without those whose result is no HTTP URL. */
static const struct {
    const char *ref;
    const char *url;
} resolve_rows[] = {
    {"g", "http://a/b/c/g"},
    {"./g", "http://a/b/c/g"},
    {"g/", "http://a/b/c/g/"},
    {"/g", "http://a/g"},
    {"//g", "http://g"},
    {"?y", "http://a/b/c/d;p?y"},
    {"g?y", "http://a/b/c/g?y"},
    {"#s", "http://a/b/c/d;p?q"},
    {"g#s", "http://a/b/c/g"},
    {"g?y#s", "http://a/b/c/g?y"},
    {";x", "http://a/b/c/;x"},
    {"g;x", "http://a/b/c/g;x"},
    {"", "http://a/b/c/d;p?q"},
    {".", "http://a/b/c/"},
    {"./", "http://a/b/c/"},
    {"..", "http://a/b/"},
    {"../", "http://a/b/"},
    {"../g", "http://a/b/g"},
    {"../..", "http://a/"},
    {"../../", "http://a/"},
    {"../../g", "http://a/g"},
    {"../../../g", "http://a/g"},
    {"../../../../g", "http://a/g"},
    {"/./g", "http://a/g"},
    {"/../g", "http://a/g"},
    {"g.", "http://a/b/c/g."},
    {".g", "http://a/b/c/.g"},
    {"g..", "http://a/b/c/g.."},
    {"..g", "http://a/b/c/..g"},
    {"./../g", "http://a/b/g"},
    {"./g/.", "http://a/b/c/g/"},
    {"g/./h", "http://a/b/c/g/h"},
    {"g/../h", "http://a/b/c/h"},
    {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
    {"g;x=1/../y", "http://a/b/c/y"},
    {"g?y/./x", "http://a/b/c/g?y/./x"},
    {"g?y/../x", "http://a/b/c/g?y/../x"},
    {"g#s/./x", "http://a/b/c/g"},
    {"https://x:1/a/../b?c#d", "https://x:1/b?c"},
    {"//x/../y", "http://x/y"},
    {"/a:b", "http://a/a:b"},
    {"./a:b", "http://a/b/c/a:b"},
    {"?", "http://a/b/c/d;p?"},
    {"//x?y", "http://x?y"},
};

static void test_references_are_resolved_as_rfc_3986_shows(void **state)
{
    struct cleat_http_url base;
    assert_int_equal(cleat_http_url_parse(&base, "http://a/b/c/d;p?q", 18, NULL), 0);
    for (size_t i = 0; i < sizeof(resolve_rows) / sizeof(resolve_rows[0]); i++) {
        char out[100];
        size_t len;
        const char *ref = resolve_rows[i].ref;
        assert_int_equal(
            cleat_http_url_resolve(&base, ref, strlen(ref), out, sizeof(out) - 1, &len, NULL), 0);
        out[len] = '\0';
        assert_string_equal(out, resolve_rows[i].url);
        assert_int_equal(cleat_http_url_resolve(&base, ref, strlen(ref), out, len - 1, &len, NULL),
                         CLEAT_ERR_LIMIT);
    }
}

static void test_a_reference_keeps_port_and_literal_and_drops_user_information(void **state)
{
    static const char text[] = "https://u:p@[::1]:8443/a";
    struct cleat_http_url base;
    char out[100];
    size_t len;
    assert_int_equal(cleat_http_url_parse(&base, text, strlen(text), NULL), 0);
    assert_int_equal(cleat_http_url_resolve(&base, "/b", 2, out, sizeof(out), &len, NULL), 0);
    assert_int_equal(len, 20);
    assert_memory_equal(out, "https://[::1]:8443/b", 20);
    struct cleat_error err = {0};
    assert_int_equal(cleat_http_url_resolve(&base, "mailto:x", 8, out, sizeof(out), &len, &err),
                     CLEAT_ERR_BAD_URL);
    assert_int_equal(err.code, CLEAT_ERR_BAD_URL);
}

static void test_paths_are_decoded_and_dangerous_escapes_refused(void **state)
{
    static const struct {
        const char *path;
        const char *decoded; /* NULL: refused */
    } rows[] = {
        {"/a%20b", "/a b"},   {"/%C3%A4+", "/\xc3\xa4+"},
        {"/%2e%2E/", "/../"}, {"/%25%32%65", "/%2e"},
        {"/%00", NULL},       {"/%2f", NULL},
        {"/%2F", NULL},       {"/%", NULL},
        {"/%4", NULL},        {"/%4g", NULL},
        {"/%g4", NULL},       {"/%%41", NULL},
        {"/%u0041", NULL},    {"", ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[32];
        size_t len = 0;
        struct cleat_http_view path = {rows[i].path, strlen(rows[i].path)};
        int rc = cleat_http_path_decode(path, out, path.len, &len);
        if (rows[i].decoded == NULL) {
            assert_int_equal(rc, CLEAT_ERR_BAD_URL);
        } else {
            assert_int_equal(rc, CLEAT_OK);
            out[len] = '\0';
            assert_string_equal(out, rows[i].decoded);
        }
    }
    char small[2];
    size_t len;
    assert_int_equal(cleat_http_path_decode((struct cleat_http_view){"/ab", 3}, small, 2, &len),
                     CLEAT_ERR_LIMIT);
}

static void test_a_host_is_looked_up_in_lower_case_and_without_its_last_dot(void **state)
{
    static const struct {
        const char *url;
        const char *host;
    } rows[] = {
        {"https://Example.COM/", "example.com"},
        {"https://example.com./", "example.com"},
        {"https://[2001:DB8::A]/", "2001:db8::a"},
        {"https://127.0.0.1/", "127.0.0.1"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cleat_http_url url;
        char host[12];
        assert_int_equal(cleat_http_url_parse(&url, rows[i].url, strlen(rows[i].url), NULL),
                         CLEAT_OK);
        assert_true(cl_http_url_host(&url, host, sizeof(host)));
        assert_string_equal(host, rows[i].host);
        assert_false(cl_http_url_host(&url, host, strlen(rows[i].host)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls_are_taken_apart_without_being_changed),
        cmocka_unit_test(test_doubtful_urls_are_refused_with_a_reason),
        cmocka_unit_test(test_a_url_with_nul_or_beyond_the_limit_is_refused),
        cmocka_unit_test(test_target_and_authority_are_what_a_request_needs),
        cmocka_unit_test(test_references_are_resolved_as_rfc_3986_shows),
        cmocka_unit_test(test_a_reference_keeps_port_and_literal_and_drops_user_information),
        cmocka_unit_test(test_a_host_is_looked_up_in_lower_case_and_without_its_last_dot),
        cmocka_unit_test(test_paths_are_decoded_and_dangerous_escapes_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
