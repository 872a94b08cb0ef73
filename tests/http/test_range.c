/* tests/http/test_range.c - Range, entity tags, If-Range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "http/range.h"

static const struct {
    const char *field;
    uint64_t size;
    const char *ranges; /* "first-last ..."; "416"; "200" */
} range_rows[] = {
    {"bytes=0-0", 10, "0-0"},
    {"bytes=0-", 10, "0-9"},
    {"bytes=5-", 10, "5-9"},
    {"bytes=5-100", 10, "5-9"},
    {"bytes=-1", 10, "9-9"},
    {"bytes=-100", 10, "0-9"},
    {"Bytes=2-3", 10, "2-3"},
    {"bytes=0-1,5-6", 10, "0-1 5-6"},
    {"bytes=5-6, 0-1", 10, "0-1 5-6"},
    {"bytes=0-4,2-6", 10, "0-6"},
    {"bytes=0-4,5-6", 10, "0-6"},
    {"bytes=0-9,3-4,8-", 10, "0-9"},
    {"bytes=0-1,50-60", 10, "0-1"},
    {"bytes=,0-1 ,", 10, "0-1"},
    {"bytes=10-", 10, "416"},
    {"bytes=10-11", 10, "416"},
    {"bytes=-0", 10, "416"},
    {"bytes=0-", 0, "416"},
    {"bytes=-5", 0, "416"},
    {"bytes=99999999999999999999-", 10, "416"},
    {"bytes=0-99999999999999999999", 10, "0-9"},
    {"bytes=-99999999999999999999", 10, "0-9"},
    {"bytes=3-2", 10, "200"},
    {"bytes=-", 10, "200"},
    {"bytes=", 10, "200"},
    {"bytes=a-b", 10, "200"},
    {"bytes=1--2", 10, "200"},
    {"bytes=1 - 2", 10, "200"},
    {"bytes= 1-2", 10, "1-2"},
    {"bytes=0-1,x", 10, "200"},
    {"bytes:0-1", 10, "200"},
    {"items=0-1", 10, "200"},
    {"", 10, "200"},
    {"bytes=0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-", 10, "0-9"},
    {"bytes=0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-,0-", 10, "200"},
    {"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30",
     99, "0-0 2-2 4-4 6-6 8-8 10-10 12-12 14-14 16-16 18-18 20-20 22-22 24-24 26-26 28-28 30-30"},
};

static void test_ranges_are_cut_to_the_size_sorted_and_merged(void **state)
{
    for (size_t i = 0; i < sizeof(range_rows) / sizeof(range_rows[0]); i++) {
        struct cl_http_range ranges[CL_HTTP_MAX_RANGES];
        size_t num;
        char text[300] = "";
        switch (
            cl_http_range_parse(cl_rd_str(range_rows[i].field), range_rows[i].size, ranges, &num)) {
        case CL_HTTP_RANGE_IGNORE:
            (void)snprintf(text, sizeof(text), "200");
            break;
        case CL_HTTP_RANGE_UNSATISFIABLE:
            (void)snprintf(text, sizeof(text), "416");
            break;
        case CL_HTTP_RANGE_OK:
            assert_true(num != 0);
            for (size_t k = 0; k < num; k++) {
                (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%llu-%llu",
                               k != 0 ? " " : "", (unsigned long long)ranges[k].first,
                               (unsigned long long)ranges[k].last);
            }
        }
        if (strcmp(text, range_rows[i].ranges) != 0) {
            fail_msg("%s of %llu: %s", range_rows[i].field, (unsigned long long)range_rows[i].size,
                     text);
        }
    }
}

static const struct {
    const char *list;
    const char *etag;
    bool strong, weak;
} etag_rows[] = {
    {"\"a\"", "\"a\"", true, true},
    {"W/\"a\"", "\"a\"", false, true},
    {"\"a\"", "W/\"a\"", false, true},
    {"W/\"a\"", "W/\"a\"", false, true},
    {"\"a\"", "\"b\"", false, false},
    {"\"b\", \"a\"", "\"a\"", true, true},
    {"\"b\",W/\"a\" ,\"c\"", "\"a\"", false, true},
    {"\"a,b\", \"c\"", "\"a,b\"", true, true},
    {", ,\"a\"", "\"a\"", true, true},
    {"*", "\"a\"", true, true},
    {" * ", "\"a\"", true, true},
    {"\"*\"", "\"a\"", false, false},
    {"a", "\"a\"", false, false},
    {"\"a", "\"a\"", false, false},
    {"w/\"a\"", "\"a\"", false, false},
    {"\"b\" \"a\"", "\"a\"", false, false},
    {"x, \"a\"", "\"a\"", false, false},
    {"\"\"", "\"\"", true, true},
    {"", "\"a\"", false, false},
};

static void test_entity_tags_compare_strongly_and_weakly(void **state)
{
    for (size_t i = 0; i < sizeof(etag_rows) / sizeof(etag_rows[0]); i++) {
        struct cl_rd list = cl_rd_str(etag_rows[i].list);
        struct cl_rd etag = cl_rd_str(etag_rows[i].etag);
        if (cl_http_etag_listed(list, etag, false) != etag_rows[i].strong ||
            cl_http_etag_listed(list, etag, true) != etag_rows[i].weak) {
            fail_msg("%s and %s", etag_rows[i].list, etag_rows[i].etag);
        }
    }
}

static void test_if_range_holds_for_the_same_strong_tag_or_an_old_equal_date(void **state)
{
    const char *date = "Sun, 06 Nov 1994 08:49:37 GMT";
    const int64_t t = 784111777;
    struct cl_rd etag = cl_rd_str("\"a\"");
    assert_true(cl_http_if_range_holds(cl_rd_str("\"a\""), etag, t, t + 1000));
    assert_false(cl_http_if_range_holds(cl_rd_str("\"b\""), etag, t, t + 1000));
    assert_false(cl_http_if_range_holds(cl_rd_str("W/\"a\""), etag, t, t + 1000));
    assert_false(cl_http_if_range_holds(cl_rd_str("\"a\""), cl_rd_str("W/\"a\""), t, t + 1000));
    assert_false(cl_http_if_range_holds(cl_rd_str("*"), etag, t, t + 1000));
    assert_true(cl_http_if_range_holds(cl_rd_str(date), etag, t, t + 60));
    assert_false(cl_http_if_range_holds(cl_rd_str(date), etag, t, t + 59));
    assert_false(cl_http_if_range_holds(cl_rd_str(date), etag, t - 1, t + 1000));
    assert_false(cl_http_if_range_holds(cl_rd_str(date), etag, t + 1, t + 1000));
    assert_false(cl_http_if_range_holds(cl_rd_str("x"), etag, t, t + 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges_are_cut_to_the_size_sorted_and_merged),
        cmocka_unit_test(test_entity_tags_compare_strongly_and_weakly),
        cmocka_unit_test(test_if_range_holds_for_the_same_strong_tag_or_an_old_equal_date),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
