/* Files of the configuration: read whole, bounded, and who else may read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/small_file.h"

static char path[] = "/tmp/cleat-small-file-XXXXXX";
static int fd;

static int make_file(void **state)
{
    fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    return 0;
}

static int remove_file(void **state)
{
    close(fd);
    return unlink(path);
}

static void test_a_file_is_read_up_to_its_limit(void **state)
{
    for (size_t max = 9; max <= 11; max++) {
        const struct cl_small_file file = {"the thing", path, max, false};
        struct cleat_error err = {0};
        struct cl_buf out = {0};
        cl_result r = cl_small_file_read(&file, &out, &err);
        if (max < 10) {
            assert_int_equal(r, CLEAT_ERR_BAD_CONFIG);
            assert_non_null(strstr(err.text, "the thing /tmp/"));
            assert_non_null(strstr(err.text, "is longer than 9 bytes"));
        } else {
            assert_int_equal(r, CL_OK);
            assert_int_equal(out.len, 10);
            assert_memory_equal(out.p, "0123456789", 10);
        }
        cl_buf_deinit(&out);
    }
}

static void test_what_cannot_be_read_is_named(void **state)
{
    static const char *const bad[] = {"/nonexistent/x", "/tmp"};
    for (size_t i = 0; i < 2; i++) {
        const struct cl_small_file file = {"the key", bad[i], 100, true};
        struct cleat_error err = {0};
        struct cl_buf out = {0};
        assert_int_equal(cl_small_file_read(&file, &out, &err), CLEAT_ERR_BAD_CONFIG);
        assert_non_null(strstr(err.text, "the key /"));
        cl_buf_deinit(&out);
    }
}

static void test_secrets_are_for_their_owner(void **state)
{
    static const struct {
        mode_t mode;
        bool open;
    } rows[] = {{0600, false}, {0400, false}, {0640, true}, {0604, true}, {0602, true}};
    struct stat st;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(fchmod(fd, rows[i].mode), 0);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(cl_secret_file_is_open("the key", path, &st, ""), rows[i].open);
    }
    st.st_mode = S_IFIFO | 0666; /* a pipe from a shell */
    assert_false(cl_secret_file_is_open("the key", path, &st, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_is_read_up_to_its_limit),
        cmocka_unit_test(test_what_cannot_be_read_is_named),
        cmocka_unit_test(test_secrets_are_for_their_owner),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
