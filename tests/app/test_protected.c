/* Which requests --client-auth-path concerns: paths as files are found, never as they are spelled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "cleat/error.h"
#include "serve/protected.h"

static bool holds(const struct cl_protected *p, const char *method, const char *target)
{
    struct cleat_http_head head;
    char text[256];
    int len =
        snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: a.test\r\n\r\n", method, target);
    cleat_http_request_init(&head);
    assert_int_equal(cleat_http_head_feed(&head, (const uint8_t *)text, (size_t)len, NULL),
                     CLEAT_HTTP_COMPLETE);
    return cl_protected_holds(p, &head);
}

static void test_a_path_and_what_lies_below_it(void **state)
{
    static const char *const paths[] = {"/admin/", "/a b/c"};
    static const struct {
        const char *target;
        bool held;
    } rows[] = {
        {"/admin", true},
        {"/admin/", true},
        {"/admin?x", true},
        {"/admin/x/y", true},
        {"/%61dmin/x", true},
        {"https://a.test/admin", true},
        {"/a%20b/c/", true},
        {"/", false},
        {"/adminx", false},
        {"/admi", false},
        {"/x/admin", false},
        {"/a%20b/cd", false},
        {"/a%20b", false},
        {"https://a.test", false},
        /* no file answers these */
        {"//admin/x", false},
        {"/./admin/x", false},
        {"/x/../admin/x", false},
        {"/admin%2fx", false},
        {"/admin%00", false},
    };
    struct cl_protected *p;
    assert_int_equal(cl_protected_new(paths, 2, &p, NULL), CL_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (holds(p, "GET", rows[i].target) != rows[i].held) {
            fail_msg("%s", rows[i].target);
        }
    }
    assert_true(holds(p, "POST", "/admin/x"));
    assert_false(holds(p, "OPTIONS", "*"));
    cl_protected_free(p);
}

static void test_the_root_is_everything_and_none_is_nothing(void **state)
{
    static const char *const paths[] = {"/"};
    struct cl_protected *p;
    assert_int_equal(cl_protected_new(paths, 1, &p, NULL), CL_OK);
    assert_true(holds(p, "GET", "/"));
    assert_true(holds(p, "GET", "/x/y"));
    assert_true(holds(p, "GET", "https://a.test"));
    cl_protected_free(p);
    assert_false(holds(NULL, "GET", "/"));
}

static void test_what_is_no_path_is_refused(void **state)
{
    static const char *const bad[] = {"", "admin", "/a/../b", "/%zz", "//a", "/.hidden"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct cl_protected *p;
        struct cleat_error err = {0};
        assert_int_equal(cl_protected_new(&bad[i], 1, &p, &err), CLEAT_ERR_BAD_CONFIG);
        assert_null(p);
        assert_non_null(strstr(err.text, "--client-auth-path"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_path_and_what_lies_below_it),
        cmocka_unit_test(test_the_root_is_everything_and_none_is_nothing),
        cmocka_unit_test(test_what_is_no_path_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
