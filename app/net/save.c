/* net/save.c - see save.h. */
#include "net/save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/clock.h"

/* 4,096: the longest path that a system takes */
#define MAX_PATH 4096
/* 255: the longest name of a file */
#define MAX_NAME 255

int cl_save_folder(const char *path)
{
    char part[MAX_PATH];
    const size_t len = strlen(path);
    if (len == 0 || len >= sizeof(part)) {
        return len == 0 ? ENOENT : ENAMETOOLONG;
    }
    memcpy(part, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            return errno;
        }
        part[i] = path[i];
    }
    return 0;
}

static int write_all(int fd, struct cl_rd bytes)
{
    while (!cl_rd_done(&bytes)) {
        const ssize_t n = write(fd, bytes.p, bytes.len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0 || !cl_rd_skip(&bytes, (size_t)n)) {
            return n < 0 ? errno : EIO;
        }
    }
    return fsync(fd) == 0 ? 0 : errno;
}

/* The mode comes last: until then it is nobody else's. */
static int save(int dir_fd, const char *name, struct cl_rd bytes, mode_t mode)
{
    char fresh[MAX_NAME + 1];
    const int len = snprintf(fresh, sizeof(fresh), ".%s.%ld-%llx", name, (long)getpid(),
                             (unsigned long long)cl_clock_ns(NULL));
    if (len < 0 || (size_t)len >= sizeof(fresh)) {
        return ENAMETOOLONG;
    }
    const int fd = openat(dir_fd, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                          S_IRUSR | S_IWUSR);
    if (fd < 0) {
        return errno;
    }
    int failure = write_all(fd, bytes);
    if (failure == 0 && mode != (S_IRUSR | S_IWUSR) && fchmod(fd, mode) != 0) {
        failure = errno;
    }
    if (close(fd) != 0 && failure == 0) {
        failure = errno; /* a full disk may tell only now */
    }
    if (failure == 0 && renameat(dir_fd, fresh, dir_fd, name) != 0) {
        failure = errno;
    }
    if (failure != 0) {
        (void)unlinkat(dir_fd, fresh, 0);
        return failure;
    }
    (void)fsync(dir_fd); /* the name; the contents are safe */
    return 0;
}

int cl_save_file(int dir_fd, const char *name, struct cl_rd bytes)
{
    return save(dir_fd, name, bytes, S_IRUSR | S_IWUSR);
}

int cl_save_path(const char *path, struct cl_rd bytes, mode_t mode)
{
    char folder[MAX_PATH];
    const char *slash = strrchr(path, '/');
    const size_t len = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    if (len >= sizeof(folder)) {
        return ENAMETOOLONG;
    }
    memcpy(folder, path, len);
    folder[len] = '\0';
    const char *where = len != 0 ? folder : ".";
    int dir_fd = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0 && errno == EACCES) { /* it may be entered all the same */
        dir_fd = open(where, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    if (dir_fd < 0) {
        return errno;
    }
    const int failure = save(dir_fd, slash != NULL ? slash + 1 : path, bytes, mode);
    (void)close(dir_fd);
    return failure;
}
