/* The option table: what each spelling means, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

enum { OPT_FLAG = 1, OPT_SILENT, OPT_OUT, OPT_MAX };

static const struct cl_option table[] = {
    {0, 0, "Heading", NULL, NULL},
    {OPT_FLAG, 'f', "flag", NULL, "a flag"},
    {OPT_SILENT, 's', NULL, NULL, "a letter alone"},
    {OPT_OUT, 'o', "output", "FILE", "with an argument\nand a second line"},
    {OPT_MAX, 0, "tls-max", "VERSION", "a name alone"},
};
static const struct cl_usage usage = {
    .command = "test",
    .synopsis = "[OPTION]... FILE",
    .about = "About.",
    .options = table,
    .num_options = sizeof(table) / sizeof(table[0]),
};

#define MAX_WORDS 6
struct row {
    const char *name;
    const char *words[MAX_WORDS];
    struct {
        int id;
        const char *value;
    } want[MAX_WORDS]; /* ends with CL_OPTIONS_END or _ERROR */
};

static const struct row rows[] = {
    {"nothing", {0}, {{CL_OPTIONS_END, NULL}}},
    {"letters in a bundle",
     {"-fs"},
     {{OPT_FLAG, NULL}, {OPT_SILENT, NULL}, {CL_OPTIONS_END, NULL}}},
    {"a bundle ending in an argument",
     {"-foX"},
     {{OPT_FLAG, NULL}, {OPT_OUT, "X"}, {CL_OPTIONS_END, NULL}}},
    {"an argument in the next word", {"-o", "X"}, {{OPT_OUT, "X"}, {CL_OPTIONS_END, NULL}}},
    {"an argument that looks like an option",
     {"-o", "-f"},
     {{OPT_OUT, "-f"}, {CL_OPTIONS_END, NULL}}},
    {"a name with =", {"--output=a=b"}, {{OPT_OUT, "a=b"}, {CL_OPTIONS_END, NULL}}},
    {"an empty argument", {"--output="}, {{OPT_OUT, ""}, {CL_OPTIONS_END, NULL}}},
    {"a name and a word", {"--tls-max", "1.3"}, {{OPT_MAX, "1.3"}, {CL_OPTIONS_END, NULL}}},
    {"operands between options",
     {"a", "-f", "b"},
     {{0, "a"}, {OPT_FLAG, NULL}, {0, "b"}, {CL_OPTIONS_END, NULL}}},
    {"a dash is an operand", {"-"}, {{0, "-"}, {CL_OPTIONS_END, NULL}}},
    {"-- ends the options", {"--", "-f", "--"}, {{0, "-f"}, {0, "--"}, {CL_OPTIONS_END, NULL}}},
    {"a missing argument", {"-o"}, {{CL_OPTIONS_ERROR, NULL}}},
    {"a missing argument of a name", {"--output"}, {{CL_OPTIONS_ERROR, NULL}}},
    {"an argument for a flag", {"--flag=1"}, {{CL_OPTIONS_ERROR, NULL}}},
    {"an unknown letter", {"-fx"}, {{OPT_FLAG, NULL}, {CL_OPTIONS_ERROR, NULL}}},
    {"an unknown name", {"--outptu=X"}, {{CL_OPTIONS_ERROR, NULL}}},
    {"an abbreviation", {"--out=X"}, {{CL_OPTIONS_ERROR, NULL}}},
    {"a name's prefix with more", {"--flags"}, {{CL_OPTIONS_ERROR, NULL}}},
};

static void test_options_are_read_as_the_table_says(void **state)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char command[] = "test";
        char *argv[MAX_WORDS + 2] = {command};
        int argc = 1;
        for (; argc <= MAX_WORDS && rows[i].words[argc - 1] != NULL; argc++) {
            argv[argc] = (char *)(uintptr_t)rows[i].words[argc - 1];
        }
        struct cl_options o;
        cl_options_init(&o, &usage, argc, argv);
        for (size_t k = 0; k < MAX_WORDS; k++) {
            int id = cl_options_next(&o);
            if (id != rows[i].want[k].id) {
                fail_msg("%s: word %zu gave %d, not %d", rows[i].name, k, id, rows[i].want[k].id);
            }
            if (id < 0) {
                break;
            }
            if (rows[i].want[k].value != NULL) {
                assert_string_equal(o.value, rows[i].want[k].value);
            } else {
                assert_null(o.value);
            }
        }
    }
}

static void test_a_number_must_be_whole_and_within_bounds(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } numbers[] = {{"1", true},   {"100", true}, {"0", false},  {"101", false},
                   {"1x", false}, {"", false},   {"-1", false}, {"99999999999999999999", false}};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct cl_options o = {.usage = &usage, .value = numbers[i].text, .spelled = "--n"};
        long n = 0;
        assert_int_equal(cl_options_number(&o, 1, 100, &n), numbers[i].good);
    }
}

static void test_the_nearest_name_is_suggested(void **state)
{
    static const char *const names[] = {"serve", "get", "cert", NULL};
    static const struct {
        const char *word;
        const char *want;
    } words[] = {{"srve", "serve"}, {"server", "serve"},  {"certs", "cert"},
                 {"gte", "get"},    {"inspection", NULL}, {"xxxxx", NULL}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const char *near = cl_nearest(words[i].word, names, 4);
        if (words[i].want == NULL) {
            assert_null(near);
        } else {
            assert_non_null(near);
            assert_string_equal(near, words[i].want);
        }
    }
}

static void test_help_lists_every_option_with_its_argument(void **state)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    cl_options_help(&usage, out);
    fclose(out);
    assert_non_null(strstr(text, "Usage: cleat test [OPTION]... FILE\n"));
    assert_non_null(strstr(text, "\nHeading:\n"));
    assert_non_null(strstr(text, "  -f, --flag                  a flag\n"));
    assert_non_null(strstr(text, "  -o, --output FILE           with an argument\n"));
    assert_non_null(strstr(text, "\n                              and a second line\n"));
    assert_non_null(strstr(text, "      --tls-max VERSION       a name alone\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_are_read_as_the_table_says),
        cmocka_unit_test(test_a_number_must_be_whole_and_within_bounds),
        cmocka_unit_test(test_the_nearest_name_is_suggested),
        cmocka_unit_test(test_help_lists_every_option_with_its_argument),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
