/* What a page loads over plain HTTP: markup, style sheets, and what only looks like it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "agent/html.h"
#include "agent/mixed_content.h"

static char found[4096];

static bool note(void *ctx, const struct cl_mixed *m)
{
    (void)ctx;
    size_t at = strlen(found);
    (void)snprintf(found + at, sizeof(found) - at, "%lu %s %.*s %s %.*s%s\n", m->line,
                   cl_mixed_kind_name(m->kind), (int)m->element.len, (const char *)m->element.p,
                   m->attribute, (int)m->url.len, (const char *)m->url.p,
                   m->upgraded ? " upgraded" : "");
    return true;
}

static void scan(const char *text, bool is_css, bool upgrades)
{
    struct cl_mixed_page page = {.text = cl_rd_str(text), .is_css = is_css, .upgrades = upgrades};
    static const char url[] = "https://example.com/dir/page";
    assert_int_equal(cleat_http_url_parse(&page.url, url, strlen(url), NULL), CLEAT_OK);
    found[0] = '\0';
    assert_int_equal(cl_mixed_scan(&page, note, NULL), CL_OK);
}

static void expect(const char *text, const char *want)
{
    scan(text, false, false);
    if (strcmp(found, want) != 0) {
        fail_msg("%s\n  gives \"%s\", not \"%s\"", text, found, want);
    }
}

static void test_every_way_to_load_something_is_known(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"<script src=http://a/>", "1 active script src http://a/\n"},
        {"<SCRIPT SRC='HTTP://a/'></SCRIPT>", "1 active SCRIPT SRC HTTP://a/\n"},
        {"<iframe src=\"http://a/\">", "1 active iframe src http://a/\n"},
        {"<frame src=http://a>", "1 active frame src http://a\n"},
        {"<object data=http://a>", "1 active object data http://a\n"},
        {"<embed src=http://a>", "1 active embed src http://a\n"},
        {"<track src=http://a>", "1 active track src http://a\n"},
        {"<a ping=http://a href=http://b>", "1 active a ping http://a\n"},
        {"<link rel='x StyleSheet' href=http://a>", "1 active link href http://a\n"},
        {"<link rel=preload href=http://a>", "1 active link href http://a\n"},
        {"<link rel='shortcut icon' href=http://a>", "1 passive link href http://a\n"},
        {"<img src=http://a>", "1 passive img src http://a\n"},
        {"<audio src=http://a>", "1 passive audio src http://a\n"},
        {"<video src=http://a poster=http://b>",
         "1 passive video src http://a\n1 passive video poster http://b\n"},
        {"<source src=http://a>", "1 passive source src http://a\n"},
        {"<svg><image xlink:href=http://a></svg>", "1 passive image xlink:href http://a\n"},
        {"<svg><use href=http://a></svg>", "1 active use href http://a\n"},
        {"<td background=http://a>", "1 passive td background http://a\n"},
        {"<input type=IMAGE src=http://a>", "1 passive input src http://a\n"},
        {"<form action=http://a>", "1 form form action http://a\n"},
        {"<button formaction=http://a>", "1 form button formaction http://a\n"},
        {"<meta http-equiv=refresh content='5; URL=http://a'>",
         "1 navigation meta content http://a\n"},
        {"<meta http-equiv=refresh content=\"0;url='http://a'\">",
         "1 navigation meta content http://a\n"},
        {"<p style='background: url(http://a)'>", "1 passive p style http://a\n"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char want[200];
        (void)snprintf(want, sizeof(want), "%s", rows[i][1]);
        char *src = strstr(want, "SRC"); /* attributes are told in our own case */
        if (src != NULL) {
            memcpy(src, "src", 3);
        }
        expect(rows[i][0], want);
    }
}

static void test_what_is_not_loaded_in_clear_is_not_told(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "<script src=https://a/>",
        "<script src=//a/>",
        "<script src=a/http://b>",
        "<img src=''>",
        "<img src='data:image/png,http://a'>",
        "<a href=http://a>text</a>",
        "<link rel=canonical href=http://a>",
        "<link href=http://a>",
        "<input type=text src=http://a>",
        "<!-- <img src=http://a> -->",
        "<!--><!-- <img src=http://a>",
        "<script>var a = '<img src=http://a>';</script>",
        "<textarea><img src=http://a></textarea>",
        "<title><img src=http://a></title>",
        "<img title='src=http://a'>",
        "<img data-src=http://a>",
        "<p>src=http://a</p>",
        "<img src=http://a", /* the document ends inside it */
        "<img src='http://a>",
        "< img src=http://a>",
        "<?xml img src=http://a>",
        "<!img src=http://a>",
        "<img src=http://localhost/x>",
        "<img src=http://localhost:8080/x>",
        "<img src=http://127.0.0.1/x>",
        "<img src=http://[::1]:80/x>",
        "<img src=http://a.localhost/x>",
        "<style>/* url(http://a) */ p { content: \"url(http://a)\" }</style>",
        "<meta http-equiv=refresh content=5>",
        "<meta name=refresh content='5;url=http://a'>",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect(rows[i], "");
    }
}

static void test_urls_are_read_as_browsers_do(void **state)
{
    (void)state;
    expect("<img src=' \n http&colon;//a&#x2f;b&#47;c\n '>", "1 passive img src http://a/b/c\n");
    expect("<img src='ht\ntp://a'>", "1 passive img src http://a\n");
    expect("<img src=\"http://a?b&amp;c&amp\">", "1 passive img src http://a?b&c&\n");
    expect("<img src=http:\\\\a>", "1 passive img src http:\\\\a\n");
    expect("<img src=http://localhost@a/>", "1 passive img src http://localhost@a/\n");
    expect("<img src=http://localhost.a/>", "1 passive img src http://localhost.a/\n");
    expect("<img src=http://127.0.0.1.a?>", "1 passive img src http://127.0.0.1.a?\n");
}

static void test_a_set_has_candidates(void **state)
{
    (void)state;
    expect("<img srcset='http://a 1x, https://b 2x,http://c'>",
           "1 active img srcset http://a\n1 active img srcset http://c\n");
    expect("<picture><source srcset='http://a,b 100w, http://c (x,y), http://d'></picture>",
           "1 active source srcset http://a,b\n1 active source srcset http://c\n"
           "1 active source srcset http://d\n");
}

static void test_the_first_attribute_of_a_name_counts(void **state)
{
    (void)state;
    expect("<img src=https://a src=http://b>", "");
    expect("<img src=http://a src=https://b>", "1 passive img src http://a\n");
}

static void test_a_base_in_clear_makes_everything_relative_plain(void **state)
{
    (void)state;
    expect("<base href=http://plain.example/dir/><base href=https://x/><script src=a.js></script>"
           "<img src=//b/c><img src=https://d>",
           "1 active script src http://plain.example/dir/a.js\n"
           "1 passive img src http://b/c\n");
    expect("<base href=/other/><img src=a>", "");
}

static void test_lines_are_those_of_the_value(void **state)
{
    (void)state;
    expect("<html>\n<img\n  alt='a\nb'\n  src=http://a>\r\n<img src=http://b>\r<img src=http://c>",
           "5 passive img src http://a\n6 passive img src http://b\n7 passive img src http://c\n");
    expect("<style>\n@import 'http://a';\np {\n background: url(http://b) }\n</style>"
           "<img src=http://c>",
           "2 active style @import http://a\n4 passive style url() http://b\n"
           "5 passive img src http://c\n");
}

static void test_style_sheets_tell_imports_fonts_and_images(void **state)
{
    (void)state;
    scan("@charset \"x\"; @import url(http://a) screen;\n@IMPORT \"http://b\";\n"
         "@font-face { src: local('x'), url( 'http://c' ) format('y') }\n"
         "p { background: URL(http://d) } @media print { p { background: url(\"http://e\") } }\n"
         "p { x: my-url(http://no); y: url(\\68ttp://f\\)g); z: 'http://no' }",
         true, false);
    assert_string_equal(found, "1 active css @import http://a\n2 active css @import http://b\n"
                               "3 active css url() http://c\n4 passive css url() http://d\n"
                               "4 passive css url() http://e\n5 passive css url() http://f)g\n");
}

static void test_a_policy_upgrades(void **state)
{
    (void)state;
    assert_true(
        cl_mixed_policy_upgrades(cl_rd_str("default-src 'self'; Upgrade-Insecure-Requests")));
    assert_false(cl_mixed_policy_upgrades(cl_rd_str("default-src 'self'; upgrade-insecure")));
    scan("<img src=http://a>", false, true);
    assert_string_equal(found, "1 passive img src http://a upgraded\n");
    expect("<img src=http://a><meta http-equiv=content-security-policy "
           "content='upgrade-insecure-requests'><img src=http://b>",
           "1 passive img src http://a\n1 passive img src http://b upgraded\n");
}

static void test_character_references_become_bytes(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"a&amp;b", "a&b"},
        {"&#65;&#x42;&#X43", "ABC"},
        {"&unknown;", "&unknown;"},
        {"&", "&"},
        {"&#;", "&#;"},
        {"&#x;", "&#x;"},
        {"&#228;", "\xc3\xa4"},
        {"&#x1f600;", "\xf0\x9f\x98\x80"},
        {"&#0;", "\xef\xbf\xbd"},
        {"&#xd800;", "\xef\xbf\xbd"},
        {"&#99999999;", "\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_rd v = cl_rd_str(rows[i][0]);
        char text[64] = "";
        uint8_t out[CL_HTML_DECODED_MAX];
        size_t n, len = 0;
        while ((n = cl_html_decode(&v, out)) > 0) {
            memcpy(text + len, out, n);
            len += n;
            text[len] = '\0';
        }
        assert_string_equal(text, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_way_to_load_something_is_known),
        cmocka_unit_test(test_what_is_not_loaded_in_clear_is_not_told),
        cmocka_unit_test(test_urls_are_read_as_browsers_do),
        cmocka_unit_test(test_a_set_has_candidates),
        cmocka_unit_test(test_the_first_attribute_of_a_name_counts),
        cmocka_unit_test(test_a_base_in_clear_makes_everything_relative_plain),
        cmocka_unit_test(test_lines_are_those_of_the_value),
        cmocka_unit_test(test_style_sheets_tell_imports_fonts_and_images),
        cmocka_unit_test(test_a_policy_upgrades),
        cmocka_unit_test(test_character_references_become_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
