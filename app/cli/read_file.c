/* cli/read_file.c - see read_file.h. */
#include "cli/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool cl_read_file(const char *path, struct cl_buf *out, size_t max, const char **why)
{
    bool is_stdin = strcmp(path, "-") == 0;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        *why = strerror(errno);
        return false;
    }
    ssize_t n;
    bool ok = true;
    do {
        if (cl_buf_reserve(out, 16384, max + 16384) != CL_OK || out->len > max) {
            *why = "it is too large";
            ok = false;
            break;
        }
        n = read(fd, out->p + out->len, 16384);
        if (n < 0 && errno != EINTR) {
            *why = strerror(errno);
            ok = false;
            break;
        }
        out->len += n > 0 ? (size_t)n : 0;
    } while (n != 0);
    if (!is_stdin) {
        (void)close(fd);
    }
    return ok;
}
