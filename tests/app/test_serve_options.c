/* The options of `cleat serve`: what its table says beside the rows, which the configuration file
 * relies on, agrees with what the rows tell people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/serve_config.h"
#include "cli/serve_options.h"

static void test_options_for_files_are_paths(void **state)
{
    size_t num;
    size_t found = 0;
    const struct cl_option *rows = cl_serve_option_rows(&num);
    for (size_t i = 0; i < num; i++) {
        const char *arg = rows[i].arg;
        const bool names_file =
            arg != NULL && (strstr(arg, "FILE") != NULL || strstr(arg, "DIR") != NULL);
        const unsigned traits = cl_serve_option_traits(rows[i].id);
        const bool is_path = (traits & CL_SERVE_PATH) != 0;
        const bool or_words = (traits & CL_SERVE_OR_WORDS) != 0; /* "LIST": of words, or a file */
        if (rows[i].id > 0 && !or_words && names_file != is_path) {
            fail_msg("--%s: %s", rows[i].name, is_path ? "a path, says the table" : "no path");
        }
        found += is_path;
    }
    assert_true(found >= 10);
}

static void test_options_that_say_so_repeat(void **state)
{
    size_t num;
    const struct cl_option *rows = cl_serve_option_rows(&num);
    for (size_t i = 0; i < num; i++) {
        const bool told = rows[i].id > 0 && (strstr(rows[i].help, "repeated") != NULL ||
                                             strstr(rows[i].help, "repeat ") != NULL);
        if (told && (cl_serve_option_traits(rows[i].id) & CL_SERVE_REPEATS) == 0) {
            fail_msg("--%s may be repeated, says its help", rows[i].name);
        }
    }
}

static void test_ids_leave_room_for_a_commands_own(void **state)
{
    size_t num;
    const struct cl_option *rows = cl_serve_option_rows(&num);
    for (size_t i = 0; i < num; i++) {
        assert_true(rows[i].id < CL_SERVE_OPT_END);
        assert_true(cl_serve_option_group(rows[i].id) < CL_SERVE_OPT_END);
    }
}

static void test_values_keep_their_order_and_blocks_come_last(void **state)
{
    static const char text[] = "certificate {\n key = k2\n cert = c2\n}\n"
                               "cert = { c1 }\nkey = /abs/k1\naccess-log = off\nroot = \"\"\n";
    static const struct {
        const char *name;
        const char *value;
        int line;
    } want[] = {
        {"cert", "etc/c1", 5}, {"key", "/abs/k1", 6}, {"access-log", "off", 7},
        {"root", "", 8},       {"cert", "etc/c2", 3}, {"key", "etc/k2", 2},
    };
    const size_t num = sizeof(want) / sizeof(want[0]);
    struct cl_serve_config *config = NULL;
    assert_int_equal(cl_serve_config_parse("etc/web.conf", text, sizeof(text) - 1, NULL, &config),
                     CL_EXIT_OK);
    for (size_t i = 0; i < num; i++) {
        const struct cl_serve_key *key = cl_serve_config_at(config, i);
        assert_non_null(key);
        assert_string_equal(key->name, want[i].name);
        assert_string_equal(key->value, want[i].value);
        assert_int_equal(key->line, want[i].line);
    }
    assert_null(cl_serve_config_at(config, num));
    cl_serve_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_for_files_are_paths),
        cmocka_unit_test(test_options_that_say_so_repeat),
        cmocka_unit_test(test_ids_leave_room_for_a_commands_own),
        cmocka_unit_test(test_values_keep_their_order_and_blocks_come_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
