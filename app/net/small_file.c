/* net/small_file.c - see small_file.h. */
#include "net/small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* 4,096: a key, or most of a chain, at a time */
#define PART 4096

static bool silent;

void cl_secret_file_warnings(bool on)
{
    silent = !on;
}

bool cl_secret_file_is_open(const char *what, const char *path, const struct stat *st,
                            const char *more)
{
    /* a pipe or /dev/fd has no mode of its own */
    if (!S_ISREG(st->st_mode) || (st->st_mode & (S_IRWXG | S_IRWXO)) == 0) {
        return false;
    }
    if (silent) {
        return true;
    }
    (void)fprintf(stderr,
                  "cleat: warning: %s %s can be read or written by others (mode %03o)%s; "
                  "chmod 600 it\n",
                  what, path, (unsigned)st->st_mode & 0777, more);
    return true;
}

static cl_result cannot(const struct cl_small_file *file, struct cleat_error *err, const char *why)
{
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                        "%s %s cannot be read: %s", file->what, file->path, why);
}

/* Into the buffer itself: nothing else holds a secret. */
static cl_result read_all(int fd, const struct cl_small_file *file, struct cl_buf *out,
                          struct cleat_error *err)
{
    size_t end = out->len + file->max;
    for (;;) {
        CL_TRY(cl_buf_reserve(out, PART, end + PART));
        ssize_t n = read(fd, out->p + out->len, PART);
        if (n == 0) {
            return CL_OK;
        }
        if (n < 0 && errno != EINTR) {
            return cannot(file, err, strerror(errno));
        }
        out->len += n > 0 ? (size_t)n : 0;
        if (out->len > end) {
            return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                                "%s %s is longer than %zu bytes", file->what, file->path,
                                file->max);
        }
    }
}

cl_result cl_small_file_read(const struct cl_small_file *file, struct cl_buf *out,
                             struct cleat_error *err)
{
    struct stat st;
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) != 0) {
        cl_result r = cannot(file, err, strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return r;
    }
    if (file->secret) {
        (void)cl_secret_file_is_open(file->what, file->path, &st, "");
    }
    cl_result r = read_all(fd, file, out, err);
    (void)close(fd);
    return r;
}
