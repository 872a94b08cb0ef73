/* serve/ticket_files.c - see ticket_files.h. */
#include "serve/ticket_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static cl_result bad_file(struct cleat_error *err, const char *path, const char *why)
{
    return cl_error_set(err,
                        (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG,
                                        .hint = "make one with: openssl rand -out FILE 80"},
                        "ticket key %s: %s", path, why);
}

static cl_result read_key(const char *path, uint8_t out[CLEAT_TICKET_KEY_LONG + 1], size_t *len,
                          struct cleat_error *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        cl_result r = bad_file(err, path, strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return r;
    }
    ssize_t got = read(fd, out, CLEAT_TICKET_KEY_LONG + 1);
    close(fd);
    if (got != CLEAT_TICKET_KEY_SHORT && got != CLEAT_TICKET_KEY_LONG) {
        return bad_file(err, path, "it must be 48 or 80 bytes long");
    }
    if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        fprintf(stderr, "cleat serve: warning: others may read the ticket key %s (mode %04o)\n",
                path, (unsigned)(st.st_mode & 07777));
    }
    *len = (size_t)got;
    return CL_OK;
}

cl_result cl_ticket_files_load(struct cleat_ticket_keys *keys, const char *const *paths, size_t num,
                               struct cleat_error *err)
{
    uint8_t bytes[CLEAT_TICKET_KEYS_MAX][CLEAT_TICKET_KEY_LONG + 1];
    struct cleat_ticket_key list[CLEAT_TICKET_KEYS_MAX];
    cl_result r = CL_OK;
    for (size_t i = 0; i < num && r == CL_OK; i++) {
        list[i].bytes = bytes[i];
        r = read_key(paths[i], bytes[i], &list[i].len, err);
    }
    if (r == CL_OK && num != 0 && cleat_ticket_keys_set(keys, list, num) != CLEAT_OK) {
        r = bad_file(err, paths[0], "two of the keys have the same name (their first 16 bytes)");
    }
    cl_wipe(bytes, sizeof(bytes));
    return r;
}
