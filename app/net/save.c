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
/* of a new file, and of most for ever: nobody else's */
#define OURS     (S_IRUSR | S_IWUSR)

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
    return 0;
}

/* What a file is to be besides its contents. */
struct looks {
    mode_t mode;
    const struct timespec *times; /* NULL: now */
    bool is_cache;                /* it can be had again: the disk is not waited for */
};

/* The mode comes last: until then it is nobody else's. */
static int fill(int fd, struct cl_rd bytes, const struct looks *looks)
{
    int failure = write_all(fd, bytes);
    if (failure == 0 && looks->times != NULL && futimens(fd, looks->times) != 0) {
        failure = errno;
    }
    if (failure == 0 && looks->mode != OURS && fchmod(fd, looks->mode) != 0) {
        failure = errno;
    }
    if (failure == 0 && !looks->is_cache && fsync(fd) != 0) {
        failure = errno;
    }
    return failure;
}

static int save(int dir_fd, const char *name, struct cl_rd bytes, const struct looks *looks)
{
    char fresh[MAX_NAME + 1];
    const int len = snprintf(fresh, sizeof(fresh), ".%s.%ld-%llx", name, (long)getpid(),
                             (unsigned long long)cl_clock_ns(NULL));
    if (len < 0 || (size_t)len >= sizeof(fresh)) {
        return ENAMETOOLONG;
    }
    const int fd =
        openat(dir_fd, fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, OURS);
    if (fd < 0) {
        return errno;
    }
    int failure = fill(fd, bytes, looks);
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
    if (!looks->is_cache) {
        (void)fsync(dir_fd); /* the name; the contents are safe */
    }
    return 0;
}

int cl_save_file(int dir_fd, const char *name, struct cl_rd bytes)
{
    return save(dir_fd, name, bytes, &(struct looks){.mode = OURS});
}

int cl_save_cached(int dir_fd, const char *name, struct cl_rd bytes, int64_t time)
{
    const struct timespec times[2] = {{.tv_sec = time}, {.tv_sec = time}};
    return save(dir_fd, name, bytes,
                &(struct looks){.mode = OURS, .times = times, .is_cache = true});
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
    const int failure =
        save(dir_fd, slash != NULL ? slash + 1 : path, bytes, &(struct looks){.mode = mode});
    (void)close(dir_fd);
    return failure;
}
