/* tests/app/test_staple_store.c - OCSP responses on disk, and files that are written whole or not
 * at all. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypto/key.h"
#include "net/save.h"
#include "serve/staple_store.h"
#include "x509/build.h"
#include "x509/cert.h"

static char base[] = "/tmp/cleat-staple-store-XXXXXX";
static struct cleat_cert *certs[2];
static const uint8_t response[] = {0x30, 0x03, 0x0a, 0x01, 0x06};

static int setup(void **state)
{
    struct cleat_key *key = NULL;
    assert_non_null(mkdtemp(base));
    assert_int_equal(cl_key_generate(&key, CL_KEY_EC_P256, 0), CL_OK);
    for (uint8_t i = 0; i < 2; i++) {
        const uint8_t serial[] = {1, i};
        const struct cl_cert_template t = {.common_name = "test",
                                           .spki = cl_key_spki(key),
                                           .serial = serial,
                                           .serial_len = sizeof(serial),
                                           .not_after = 2000000000,
                                           .path_len = -1};
        struct cl_buf der = {0};
        struct cleat_error err;
        assert_int_equal(cl_cert_build(&der, &t, key, &err), CL_OK);
        assert_int_equal(cl_cert_parse(&certs[i], cl_buf_view(&der), &err), CL_OK);
        cl_buf_deinit(&der);
    }
    cleat_key_free(key);
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    return remove(path);
}

static int teardown(void **state)
{
    cleat_cert_free(certs[0]);
    cleat_cert_free(certs[1]);
    return nftw(base, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void open_store(struct cl_staple_store *store, const char *name)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", base, name);
    assert_int_equal(cl_staple_store_open(store, path), CL_OK);
}

static size_t count_files(const struct cl_staple_store *store)
{
    DIR *dir = opendir(store->folder);
    const struct dirent *entry;
    size_t num = 0;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        num += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    (void)closedir(dir);
    return num;
}

static void assert_loaded(const struct cl_staple_store *store, size_t cert, const uint8_t *p,
                          size_t len)
{
    struct cl_buf got = {0};
    struct cleat_error err = {0};
    assert_int_equal(cl_staple_store_load(store, certs[cert], &got, &err), CL_OK);
    assert_int_equal(got.len, len);
    assert_true(len == 0 || memcmp(got.p, p, len) == 0);
    cl_buf_deinit(&got);
}

static void test_each_certificate_has_its_own_response(void **state)
{
    struct cl_staple_store store;
    struct cleat_error err = {0};
    open_store(&store, "new/folder");
    assert_loaded(&store, 0, NULL, 0);
    assert_int_equal(cl_staple_store_save(&store, certs[0], cl_rd_of(response, 5), &err), CL_OK);
    assert_loaded(&store, 0, response, 5);
    assert_loaded(&store, 1, NULL, 0);
    assert_int_equal(cl_staple_store_save(&store, certs[0], cl_rd_of(response, 2), &err), CL_OK);
    assert_loaded(&store, 0, response, 2);
    assert_int_equal(count_files(&store), 1);
    cl_staple_store_drop(&store, certs[1]);
    assert_loaded(&store, 0, response, 2);
    cl_staple_store_drop(&store, certs[0]);
    assert_loaded(&store, 0, NULL, 0);
    assert_int_equal(count_files(&store), 0);
    cl_staple_store_close(&store);
}

static void test_without_a_folder_nothing_is_kept_and_nothing_fails(void **state)
{
    struct cl_staple_store store;
    struct cleat_error err = {0};
    assert_int_equal(setenv("STATE_DIRECTORY", "relative", 1), 0);
    assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0);
    assert_int_equal(setenv("HOME", "", 1), 0);
    assert_int_equal(cl_staple_store_open(&store, NULL), CL_OK);
    assert_null(store.folder);
    assert_int_equal(cl_staple_store_save(&store, certs[0], cl_rd_of(response, 5), &err), CL_OK);
    assert_loaded(&store, 0, NULL, 0);
    cl_staple_store_drop(&store, certs[0]);
    cl_staple_store_sweep(&store, 2000000000);
    cl_staple_store_close(&store);
}

/* The only file of the store. */
static void path_of(const struct cl_staple_store *store, char *out, size_t cap)
{
    DIR *dir = opendir(store->folder);
    const struct dirent *entry;
    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL && entry->d_name[0] == '.') {
    }
    assert_non_null(entry);
    (void)snprintf(out, cap, "%s/%s", store->folder, entry->d_name);
    (void)closedir(dir);
}

static void assert_unreadable(const struct cl_staple_store *store, const char *why)
{
    struct cl_buf got = {0};
    struct cleat_error err = {0};
    assert_int_equal(cl_staple_store_load(store, certs[0], &got, &err), CLEAT_ERR_BAD_CONFIG);
    assert_non_null(strstr(err.text, why));
    cl_buf_deinit(&got);
}

static void test_what_is_no_file_of_a_sane_length_is_not_read(void **state)
{
    struct cl_staple_store store;
    struct cleat_error err = {0};
    char path[512];
    static const uint8_t zeros[CL_STAPLE_MAX_LEN];
    open_store(&store, "odd");
    assert_int_equal(cl_staple_store_save(&store, certs[0], cl_rd_of(zeros, sizeof(zeros)), &err),
                     CL_OK);
    assert_loaded(&store, 0, zeros, sizeof(zeros));
    path_of(&store, path, sizeof(path));
    assert_int_equal(truncate(path, CL_STAPLE_MAX_LEN + 1), 0);
    assert_unreadable(&store, "File too large");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_unreadable(&store, strerror(ELOOP));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0); /* it would block for ever */
    assert_unreadable(&store, "Invalid argument");
    cl_staple_store_close(&store);
}

static void test_a_full_disk_leaves_what_was_there_and_nothing_else(void **state)
{
    struct cl_staple_store store;
    struct cleat_error err = {0};
    struct rlimit old, full;
    open_store(&store, "full");
    assert_int_equal(cl_staple_store_save(&store, certs[0], cl_rd_of(response, 5), &err), CL_OK);
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    full = (struct rlimit){.rlim_cur = 3, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    const cl_result r = cl_staple_store_save(&store, certs[0], cl_rd_of(response, 4), &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(r, CLEAT_ERR_BAD_CONFIG);
    assert_non_null(strstr(err.text, "cannot be saved: File too large"));
    assert_loaded(&store, 0, response, 5);
    assert_int_equal(count_files(&store), 1);
    cl_staple_store_close(&store);
}

static void test_saved_files_are_for_their_owner_alone(void **state)
{
    struct cl_staple_store store;
    struct cleat_error err = {0};
    struct stat st;
    char path[512];
    const mode_t mask = umask(0);
    open_store(&store, "modes");
    assert_int_equal(cl_staple_store_save(&store, certs[0], cl_rd_of(response, 5), &err), CL_OK);
    (void)umask(mask);
    assert_int_equal(stat(store.folder, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    path_of(&store, path, sizeof(path));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    cl_staple_store_close(&store);
}

static void test_names_that_cannot_be_are_errors(void **state)
{
    char longest[5000];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(cl_save_folder(""), ENOENT);
    assert_int_equal(cl_save_folder(longest), ENAMETOOLONG);
    assert_int_equal(cl_save_folder("/proc/none/such"), ENOENT);
    assert_int_equal(cl_save_folder("/"), 0);
    const int dir_fd = open(base, O_RDONLY | O_DIRECTORY);
    assert_int_equal(cl_save_file(dir_fd, longest, cl_rd_of(response, 5)), ENAMETOOLONG);
    assert_int_equal(cl_save_file(dir_fd, "none/such", cl_rd_of(response, 5)), ENOENT);
    assert_int_equal(cl_save_file(dir_fd, "empty", cl_rd_of(NULL, 0)), 0);
    (void)close(dir_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_certificate_has_its_own_response),
        cmocka_unit_test(test_without_a_folder_nothing_is_kept_and_nothing_fails),
        cmocka_unit_test(test_what_is_no_file_of_a_sane_length_is_not_read),
        cmocka_unit_test(test_a_full_disk_leaves_what_was_there_and_nothing_else),
        cmocka_unit_test(test_saved_files_are_for_their_owner_alone),
        cmocka_unit_test(test_names_that_cannot_be_are_errors),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
