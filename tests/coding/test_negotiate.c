/* tests/coding/test_negotiate.c - names, Content-Encoding and Accept-Encoding. */
#include <stdio.h>

#include "support_coding.h"

static struct cleat_http_view view(const char *s)
{
    return (struct cleat_http_view){s, strlen(s)};
}

static void test_names_are_found_in_any_case(void **state)
{
    static const struct {
        const char *name;
        enum cleat_coding coding;
    } rows[] = {
        {"gzip", CLEAT_CODING_GZIP},
        {"GZip", CLEAT_CODING_GZIP},
        {"x-gzip", CLEAT_CODING_GZIP},
        {"deflate", CLEAT_CODING_DEFLATE},
        {"br", CLEAT_CODING_BR},
        {"zstd", CLEAT_CODING_ZSTD},
        {"identity", CLEAT_CODING_IDENTITY},
    };
    static const char *const others[] = {"", "gz", "gzip2", "x-deflate", "compress", "brotli", "*"};
    enum cleat_coding got;
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(cleat_coding_find(view(rows[i].name), &got));
        assert_int_equal(got, rows[i].coding);
        assert_true(cleat_coding_built_in(got));
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(cleat_coding_find(view(others[i]), &got));
    }
    assert_string_equal(cleat_coding_name(CLEAT_CODING_ZSTD), "zstd");
    assert_string_equal(cleat_coding_name((enum cleat_coding)99), "");
    assert_false(cleat_coding_built_in((enum cleat_coding)99));
}

#define LINE(value) "Content-Encoding: " value "\r\n"

static void test_content_encoding_is_read_in_its_order(void **state)
{
    static const struct {
        const char *lines;
        int code;
        const char *list;
    } rows[] = {
        {"", CLEAT_OK, ""},
        {LINE(""), CLEAT_OK, ""},
        {LINE("identity"), CLEAT_OK, ""},
        {LINE("gzip"), CLEAT_OK, "gzip "},
        {LINE("X-GZIP"), CLEAT_OK, "gzip "},
        {LINE("gzip, br"), CLEAT_OK, "gzip br "},
        {LINE("gzip") LINE("zstd"), CLEAT_OK, "gzip zstd "},
        {LINE(",, deflate ,identity,"), CLEAT_OK, "deflate "},
        {LINE("br,br,br,br,br"), CLEAT_OK, "br br br br br "},
        {LINE("br,br,br,br,br,br"), CLEAT_ERR_LIMIT, NULL},
        {LINE("br,br,br") LINE("br,br,br"), CLEAT_ERR_LIMIT, NULL},
        {LINE("compress"), CLEAT_ERR_UNSUPPORTED, NULL},
        {LINE("gzip, rot13"), CLEAT_ERR_UNSUPPORTED, NULL},
        {LINE("gzip;q=1"), CLEAT_ERR_HTTP_SYNTAX, NULL},
        {LINE("gzip br"), CLEAT_ERR_HTTP_SYNTAX, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char room[512];
        char list[64] = "";
        struct cleat_http_head h;
        struct cleat_codings codings;
        struct cleat_error err = {0};
        response_with(&h, room, sizeof(room), rows[i].lines);
        int code = cleat_codings_parse(&codings, &h, &err);
        for (uint8_t n = 0; n < codings.num; n++) {
            size_t len = strlen(list);
            snprintf(list + len, sizeof(list) - len, "%s ", cleat_coding_name(codings.list[n]));
        }
        if (code != rows[i].code || err.code != code ||
            (rows[i].list != NULL && strcmp(list, rows[i].list) != 0)) {
            fail_msg("%s: %d '%s' %s", rows[i].lines, code, list, err.text);
        }
    }
}

/* What is chosen of "br zstd gzip", in that order; NULL: nothing is acceptable. */
static const struct {
    const char *value; /* NULL: no such field */
    const char *chosen;
} choices[] = {
    {NULL, "identity"},
    {"", "identity"},
    {"gzip", "gzip"},
    {"x-gzip", "gzip"},
    {"GZIP", "gzip"},
    {"gzip, deflate, br, zstd", "br"},
    {"gzip, br;q=0.9, zstd;q=0.95", "gzip"},
    {"gzip;q=0.5, br;q=0.5", "br"},
    {"gzip;q=0.001", "gzip"},
    {"gzip;q=0", "identity"},
    {"gzip;q=0.000", "identity"},
    {"*", "br"},
    {"*;q=0", NULL},
    {"*;q=0, gzip", "gzip"},
    {"*;q=0, identity", "identity"},
    {"identity, *;q=0", "identity"},
    {"identity;q=0", NULL},
    {"identity;q=0, gzip", "gzip"},
    {"identity;q=0, *", "br"},
    {"identity;q=1, gzip;q=0.5", "identity"},
    {"identity;q=0.5, gzip", "gzip"},
    {"identity, gzip", "gzip"},
    {"gzip;q=0, *;q=0.1", "br"},
    {"br;q=0, zstd;q=0, *;q=0.1", "gzip"},
    {"compress, rot13", "identity"},
    {"compress, identity;q=0", NULL},
    {"gzip ; q=0.8", "gzip"},
    {"gzip;Q=0.8", "gzip"},
    {"gzip;q=1.000", "gzip"},
    {"br;q=0, br;q=1", "identity"},
    /* what is not valid is passed over */
    {"gzip;q=1.001", "identity"},
    {"gzip;q=2", "identity"},
    {"gzip;q=0.1234", "identity"},
    {"gzip;q=", "identity"},
    {"gzip;q=x", "identity"},
    {"gzip;q=1x", "identity"},
    {"gzip;level=9", "identity"},
    {"gzip;q=0.5;q=0.6", "identity"},
    {"gzip;q=-1, zstd", "zstd"},
    {"gzip br", "identity"},
};

static void test_the_best_coding_is_chosen(void **state)
{
    static const enum cleat_coding have[] = {CLEAT_CODING_BR, CLEAT_CODING_ZSTD, CLEAT_CODING_GZIP};
    (void)state;
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        char lines[128] = "";
        char room[512];
        struct cleat_http_head h;
        struct cleat_coding_weights w;
        enum cleat_coding got;
        if (choices[i].value != NULL) {
            snprintf(lines, sizeof(lines), "Accept-Encoding: %s\r\n", choices[i].value);
        }
        request_with(&h, room, sizeof(room), lines);
        cleat_accept_encoding(&w, &h);
        bool any = cleat_coding_choose(&w, have, 3, &got);
        const char *name = any ? cleat_coding_name(got) : NULL;
        if (any != (choices[i].chosen != NULL) || (any && strcmp(name, choices[i].chosen) != 0)) {
            fail_msg("%s: %s, not %s", choices[i].value, name, choices[i].chosen);
        }
    }
}

static void test_several_fields_are_one_list(void **state)
{
    static const enum cleat_coding have[] = {CLEAT_CODING_GZIP};
    char room[512];
    struct cleat_http_head h;
    struct cleat_coding_weights w;
    enum cleat_coding got;
    (void)state;
    request_with(&h, room, sizeof(room),
                 "Accept-Encoding: br;q=0.25\r\nAccept-Encoding: identity;q=0, gzip;q=0.75\r\n");
    cleat_accept_encoding(&w, &h);
    assert_int_equal(w.of[CLEAT_CODING_BR], 250);
    assert_int_equal(w.of[CLEAT_CODING_GZIP], 750);
    assert_int_equal(w.of[CLEAT_CODING_ZSTD], 0);
    assert_int_equal(w.of[CLEAT_CODING_IDENTITY], 0);
    assert_true(cleat_coding_choose(&w, have, 1, &got));
    assert_int_equal(got, CLEAT_CODING_GZIP);
    assert_false(cleat_coding_choose(&w, NULL, 0, &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_are_found_in_any_case),
        cmocka_unit_test(test_content_encoding_is_read_in_its_order),
        cmocka_unit_test(test_the_best_coding_is_chosen),
        cmocka_unit_test(test_several_fields_are_one_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
