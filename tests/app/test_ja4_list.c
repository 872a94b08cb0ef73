/* Lists of JA4 fingerprints: what matches, and what is no fingerprint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "serve/ja4_list.h"

#define CHROME  "t13d1516h2_8daaf6152771_e5627efa2ab1"
#define FIREFOX "t13d1715h2_5b57614c22b0_3d5424432f57"

static struct cl_ja4_list *load(const char *word)
{
    struct cl_ja4_list *list = NULL;
    struct cleat_error err = {0};
    if (cl_ja4_list_load(&word, 1, &list, &err) != CL_OK) {
        fail_msg("%s: %s", word, err.text);
    }
    return list;
}

static void test_words_match_whole_and_with_stars(void **state)
{
    static const struct {
        const char *word;
        const char *ja4;
        const char *entry; /* NULL: no match */
    } rows[] = {
        {CHROME, CHROME, CHROME},
        {CHROME, FIREFOX, NULL},
        {FIREFOX "," CHROME, CHROME, CHROME},
        {FIREFOX " , " CHROME, CHROME, CHROME},
        {"t13d1516h2_*", CHROME, "t13d1516h2_*"},
        {"t13d1516h2_*", FIREFOX, NULL},
        {"t13*_e5627efa2ab1", CHROME, "t13*_e5627efa2ab1"},
        {"*_8daaf6152771_*", CHROME, "*_8daaf6152771_*"},
        {"t12*,*h2_*", CHROME, "*h2_*"},
        {"t13d1516H2_*", CHROME, NULL},
        {CHROME, "", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *where = NULL;
        struct cl_ja4_list *list = load(rows[i].word);
        const char *entry = cl_ja4_list_find(list, rows[i].ja4, &where);
        if (rows[i].entry == NULL ? entry != NULL
                                  : entry == NULL || strcmp(entry, rows[i].entry) != 0) {
            fail_msg("'%s' and %s: %s", rows[i].word, rows[i].ja4, entry != NULL ? entry : "none");
        }
        if (entry != NULL) {
            assert_string_equal(where, "the command line");
        }
        cl_ja4_list_free(list);
    }
}

static cl_result load_file(const char *text, struct cl_ja4_list **out, char path[32],
                           struct cleat_error *err)
{
    (void)snprintf(path, 32, "/tmp/cleat-ja4-XXXXXX");
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
    const char *word = path;
    const cl_result r = cl_ja4_list_load(&word, 1, out, err);
    (void)unlink(path);
    return r;
}

static void test_a_file_has_lines_and_comments(void **state)
{
    struct cl_ja4_list *list = NULL;
    struct cleat_error err = {0};
    char path[32];
    const char *where = NULL;
    assert_int_equal(
        load_file("# scanners\n\n  " CHROME "  # one\r\nt12*\n" FIREFOX, &list, path, &err), CL_OK);
    assert_int_equal(cl_ja4_list_num(list), 3);
    assert_string_equal(cl_ja4_list_find(list, CHROME, &where), CHROME);
    assert_string_equal(where, path);
    assert_string_equal(cl_ja4_list_find(list, FIREFOX, &where), FIREFOX);
    assert_string_equal(cl_ja4_list_find(list, "t12i860500_e18388e7f3a3_a1e935682795", &where),
                        "t12*");
    cl_ja4_list_free(list);
}

static void test_what_is_no_fingerprint_is_named_with_its_line(void **state)
{
    static const char *const wrong[] = {
        "",
        "*",
        "**",
        "t13d1516h2",
        "t13d1516h2_8daaf6152771",
        "t13d1516h2_8DAAF6152771_e5627efa2ab1",
        "t13d1516h2-8daaf6152771-e5627efa2ab1",
        CHROME "0",
        "t13d*[a-z]",
        "t13d1516h2_8daaf6152771_e5627efa2a*1*",
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char words[100];
        const char *word = words;
        struct cl_ja4_list *list = NULL;
        struct cleat_error err = {0};
        (void)snprintf(words, sizeof(words), FIREFOX ",%s,t12*", wrong[i]);
        if (cl_ja4_list_load(&word, 1, &list, &err) != CLEAT_ERR_BAD_CONFIG ||
            strstr(err.text, "the command line: '") == NULL) {
            fail_msg("'%s' was taken, or '%s'", wrong[i], err.text);
        }
    }
    struct cl_ja4_list *list = NULL;
    struct cleat_error err = {0};
    char path[32];
    assert_int_equal(load_file(CHROME "\n\nhello\n", &list, path, &err), CLEAT_ERR_BAD_CONFIG);
    assert_non_null(strstr(err.text, ":3: 'hello' is not a JA4 fingerprint"));
}

static void test_a_file_that_is_not_there_is_named(void **state)
{
    const char *word = "/nowhere/list";
    struct cl_ja4_list *list = NULL;
    struct cleat_error err = {0};
    assert_int_equal(cl_ja4_list_load(&word, 1, &list, &err), CLEAT_ERR_BAD_CONFIG);
    assert_non_null(strstr(err.text, "/nowhere/list"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_match_whole_and_with_stars),
        cmocka_unit_test(test_a_file_has_lines_and_comments),
        cmocka_unit_test(test_what_is_no_fingerprint_is_named_with_its_line),
        cmocka_unit_test(test_a_file_that_is_not_there_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
