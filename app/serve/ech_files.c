/* serve/ech_files.c - see ech_files.h. */
#include "serve/ech_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "net/small_file.h"

/* 128 KiB: a key and the longest list, in base64 */
#define MAX_FILE 131072
/* 4,096: the longest path that a system takes */
#define MAX_PATH 4096

static cl_result cannot(struct cleat_error *err, const char *path, const char *why)
{
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG}, "the ECH key %s: %s",
                        path, why);
}

static cl_result add_file(struct cleat_ech_keys *keys, const char *path, bool retry,
                          struct cleat_error *err)
{
    const struct cl_small_file file = {"the ECH key", path, MAX_FILE, true};
    struct cl_buf text = {0};
    struct cleat_error detail = {0};
    cl_result r = cl_small_file_read(&file, &text, err);
    if (r == CL_OK) {
        r = (cl_result)cleat_ech_keys_add_pem(keys, (const char *)text.p, text.len, retry, &detail);
        if (r != CL_OK) {
            const struct cl_why why = {.code = r, .hint = detail.hint};
            r = cl_error_set(err, why, "the ECH key %s: %s", path,
                             detail.text[0] != '\0' ? detail.text : cleat_error_sentence((int)r));
        }
    }
    cl_buf_deinit(&text);
    return r;
}

static int is_pem(const struct dirent *entry)
{
    const size_t len = strlen(entry->d_name);
    return len > 4 && entry->d_name[0] != '.' && strcmp(entry->d_name + len - 4, ".pem") == 0;
}

static cl_result add_folder(struct cleat_ech_keys *keys, const char *folder, bool retry,
                            struct cleat_error *err)
{
    struct dirent **names = NULL;
    char path[MAX_PATH];
    int num = scandir(folder, &names, is_pem, alphasort);
    cl_result r = num > 0
                      ? CL_OK
                      : cannot(err, folder,
                               num < 0 ? strerror(errno) : "no file in this folder ends in .pem");
    for (int i = 0; i < num; i++) {
        int len = snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
        if (r == CL_OK) {
            r = len > 0 && (size_t)len < sizeof(path)
                    ? add_file(keys, path, retry && i == num - 1, err)
                    : cannot(err, folder, "the path is too long");
        }
        free(names[i]);
    }
    free(names);
    return r;
}

cl_result cl_ech_files_add(struct cleat_tls_builder *b, const char *const *paths, size_t num,
                           struct cleat_error *err)
{
    struct cleat_ech_keys *keys;
    CL_TRY((cl_result)cleat_ech_keys_new(&keys));
    cl_result r = CL_OK;
    for (size_t i = 0; i < num && r == CL_OK; i++) {
        struct stat st;
        if (stat(paths[i], &st) != 0) {
            r = cannot(err, paths[i], strerror(errno));
        } else {
            r = S_ISDIR(st.st_mode) ? add_folder(keys, paths[i], i == 0, err)
                                    : add_file(keys, paths[i], i == 0, err);
        }
    }
    if (r == CL_OK) {
        r = (cl_result)cleat_tls_builder_ech_keys(b, keys);
    }
    cleat_ech_keys_free(keys);
    return r;
}
