/* net/replace_file.c - see replace_file.h. */
#include "net/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* Before the rename: a machine that fails in between must not be left with an empty file. */
static bool write_fd(int fd, struct cl_rd bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.p, bytes.len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        if (n > 0 && !cl_rd_skip(&bytes, (size_t)n)) {
            return false;
        }
    }
    return fsync(fd) == 0;
}

cl_result cl_replace_file(const char *path, struct cl_rd bytes, mode_t mode,
                          struct cleat_error *err)
{
    const size_t cap = strlen(path) + sizeof(".XXXXXX");
    char *fresh = cl_alloc(cap);
    if (fresh == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    (void)snprintf(fresh, cap, "%s.XXXXXX", path);
    int fd = mkostemp(fresh, O_CLOEXEC); /* mode 0600 until it is complete */
    bool ok = fd >= 0 && write_fd(fd, bytes) && fchmod(fd, mode) == 0;
    int code = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        code = errno;
        ok = false;
    }
    if (ok && rename(fresh, path) != 0) {
        code = errno;
        ok = false;
    }
    if (fd >= 0 && !ok) {
        (void)unlink(fresh);
    }
    cl_free(fresh);
    errno = code;
    return ok ? CL_OK
              : cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "cannot write %s: %s",
                             path, strerror(code));
}
