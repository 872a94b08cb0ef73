/* serve/staple_store.c - see staple_store.h. */
#include "serve/staple_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "net/save.h"
#include "x509/cert.h"
#include "x509/ocsp.h"

#define SUFFIX     ".ocsp"
#define HEX_DIGITS 64
/* SHA-256 in hexadecimal, the suffix, NUL */
#define NAME_SIZE  (HEX_DIGITS + sizeof(SUFFIX))
/* 4,096: the longest path that a system takes */
#define MAX_PATH   4096

static bool from_environment(char *out, size_t cap)
{
    const char *service = getenv("STATE_DIRECTORY"); /* systemd's StateDirectory= */
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int n = -1;
    if (service != NULL && service[0] == '/') { /* several are separated by colons */
        n = snprintf(out, cap, "%.*s/staples", (int)strcspn(service, ":"), service);
    } else if (state != NULL && state[0] == '/') {
        n = snprintf(out, cap, "%s/cleat/staples", state);
    } else if (home != NULL && home[0] == '/') {
        n = snprintf(out, cap, "%s/.local/state/cleat/staples", home);
    }
    return n > 0 && (size_t)n < cap;
}

cl_result cl_staple_store_open(struct cl_staple_store *store, const char *folder)
{
    char found[MAX_PATH];
    *store = (struct cl_staple_store){0};
    if (folder == NULL) {
        folder = from_environment(found, sizeof(found)) ? found : NULL;
    }
    if (folder == NULL) {
        return CL_OK;
    }
    store->folder = cl_strndup(folder, strlen(folder));
    return store->folder != NULL ? CL_OK : CLEAT_ERR_NOMEM;
}

void cl_staple_store_close(struct cl_staple_store *store)
{
    cl_free(store->folder);
    *store = (struct cl_staple_store){0};
}

static void name_of(const struct cleat_cert *cert, char out[NAME_SIZE])
{
    uint8_t digest[HEX_DIGITS / 2];
    const struct cl_rd der = cl_cert_der(cert);
    cl_hash_once(CL_HASH_SHA256, der.p, der.len, digest);
    cl_hex_encode(digest, sizeof(digest), out);
    memcpy(out + HEX_DIGITS, SUFFIX, sizeof(SUFFIX));
}

static int open_folder(const struct cl_staple_store *store)
{
    return store->folder != NULL ? open(store->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

static cl_result fail(const struct cl_staple_store *store, const char *name, const char *doing,
                      const char *why, struct cleat_error *err)
{
    return cl_error_set(
        err,
        (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG,
                        .hint = "give a folder that this user may write to with --staple-dir, and "
                                "see that its disk has room"},
        "the OCSP response %s/%s cannot be %s: %s", store->folder, name, doing, why);
}

/* 0 or an errno value. A file that is longer than anything that can be sent is none of ours. */
static int read_file(int dir_fd, const char *name, struct cl_buf *out)
{
    struct stat st;
    const int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    int failure = fstat(fd, &st) != 0                                         ? errno
                  : !S_ISREG(st.st_mode)                                      ? EINVAL
                  : st.st_size > CL_STAPLE_MAX_LEN                            ? EFBIG
                  : cl_buf_reserve(out, CL_STAPLE_MAX_LEN, SIZE_MAX) != CL_OK ? ENOMEM
                                                                              : 0;
    ssize_t n = 1;
    for (size_t left = CL_STAPLE_MAX_LEN; failure == 0 && n > 0 && left > 0; left -= (size_t)n) {
        n = read(fd, out->p + out->len, left);
        failure = n < 0 ? errno : 0;
        n = n < 0 ? 0 : n;
        out->len += (size_t)n;
    }
    (void)close(fd);
    return failure;
}

cl_result cl_staple_store_load(const struct cl_staple_store *store, const struct cleat_cert *cert,
                               struct cl_buf *out, struct cleat_error *err)
{
    char name[NAME_SIZE];
    const int dir_fd = open_folder(store);
    if (dir_fd < 0) {
        return store->folder == NULL || errno == ENOENT
                   ? CL_OK
                   : fail(store, "", "read", strerror(errno), err);
    }
    name_of(cert, name);
    const int failure = read_file(dir_fd, name, out);
    (void)close(dir_fd);
    return failure == 0 || failure == ENOENT ? CL_OK
                                             : fail(store, name, "read", strerror(failure), err);
}

cl_result cl_staple_store_save(const struct cl_staple_store *store, const struct cleat_cert *cert,
                               struct cl_rd response, struct cleat_error *err)
{
    char name[NAME_SIZE];
    if (store->folder == NULL) {
        return CL_OK;
    }
    name_of(cert, name);
    int failure = cl_save_folder(store->folder);
    int dir_fd = failure == 0 ? open_folder(store) : -1;
    if (failure == 0) {
        failure = dir_fd >= 0 ? cl_save_file(dir_fd, name, response) : errno;
    }
    if (dir_fd >= 0) {
        (void)close(dir_fd);
    }
    return failure == 0 ? CL_OK : fail(store, name, "saved", strerror(failure), err);
}

void cl_staple_store_drop(const struct cl_staple_store *store, const struct cleat_cert *cert)
{
    char name[NAME_SIZE];
    const int dir_fd = open_folder(store);
    if (dir_fd >= 0) {
        name_of(cert, name);
        (void)unlinkat(dir_fd, name, 0);
        (void)close(dir_fd);
    }
}

/* ---- what is left over ---- */

static bool is_name(const char *name)
{
    return strlen(name) == NAME_SIZE - 1 && strspn(name, "0123456789abcdef") == HEX_DIGITS &&
           strcmp(name + HEX_DIGITS, SUFFIX) == 0;
}

/* Every answer of it has ended, without one that never does. */
static bool has_ended(struct cl_rd bytes, int64_t before)
{
    struct cl_ocsp *response = NULL;
    struct cleat_error err;
    struct cl_ocsp_answer answer;
    if (cl_ocsp_parse(&response, bytes, &err) != CL_OK) {
        return false;
    }
    bool ended = response->response_status == 0;
    struct cl_rd rest = response->answers;
    while (ended && cl_ocsp_next(&rest, &answer)) {
        const int64_t end = answer.next_update != INT64_MIN
                                ? answer.next_update
                                : answer.this_update + CL_OCSP_DEFAULT_AGE;
        ended = end < before;
    }
    cl_ocsp_free(response);
    return ended;
}

static bool is_left_over(int dir_fd, const char *name, int64_t before)
{
    struct stat st;
    if (name[0] == '.' && strlen(name) > NAME_SIZE && name[NAME_SIZE] == '.') {
        char whole[NAME_SIZE];
        memcpy(whole, name + 1, NAME_SIZE - 1);
        whole[NAME_SIZE - 1] = '\0';
        return is_name(whole) && fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
               st.st_mtime < before;
    }
    struct cl_buf bytes = {0};
    const bool ended = is_name(name) && read_file(dir_fd, name, &bytes) == 0 &&
                       has_ended(cl_buf_view(&bytes), before);
    cl_buf_deinit(&bytes);
    return ended;
}

void cl_staple_store_sweep(const struct cl_staple_store *store, int64_t now)
{
    const int dir_fd = open_folder(store);
    DIR *dir = dir_fd >= 0 ? fdopendir(dir_fd) : NULL;
    const struct dirent *entry;
    if (dir == NULL) {
        if (dir_fd >= 0) {
            (void)close(dir_fd);
        }
        return;
    }
    while ((entry = readdir(dir)) != NULL) {
        if (is_left_over(dir_fd, entry->d_name, now - CL_STAPLE_KEEP_S)) {
            (void)unlinkat(dir_fd, entry->d_name, 0);
        }
    }
    (void)closedir(dir);
}
