/* serve/static_path.c - see static_path.h. */
#include "serve/static_path.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* O_NONBLOCK: opening a FIFO must not wait for its writer */
#define READ_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

/* 8: openat2 asks for another try when a folder is renamed meanwhile */
#define MAX_TRIES 8

static bool segment_ok(struct cl_rd segment, bool is_first)
{
    if (segment.len == 0) {
        return false;
    }
    /* covers "." and ".." too */
    return segment.p[0] != '.' || (is_first && cl_rd_equal_str(segment, ".well-known"));
}

/* Every segment of a relative path; the last one may be empty: a folder. */
static bool segments_ok(struct cl_rd name)
{
    for (bool is_first = true; name.len != 0; is_first = false) {
        const uint8_t *slash = memchr(name.p, '/', name.len);
        size_t len = slash != NULL ? (size_t)(slash - name.p) : name.len;
        struct cl_rd segment;
        uint8_t skipped;
        if (!cl_rd_take(&name, len, &segment) || !segment_ok(segment, is_first)) {
            return false;
        }
        if (slash != NULL && !cl_rd_u8(&name, &skipped)) {
            return false;
        }
    }
    return true;
}

/* Removes the prefix; false when the path is not below it. */
static bool drop_prefix(struct cl_rd *path, const char *prefix, bool *out_needs_slash)
{
    struct cl_rd front;
    size_t len = prefix != NULL ? strlen(prefix) : 0;
    while (len != 0 && prefix[len - 1] == '/') {
        len--;
    }
    if (!cl_rd_take(path, len, &front) || (len != 0 && memcmp(front.p, prefix, len) != 0)) {
        return false;
    }
    *out_needs_slash = path->len == 0;
    return path->len == 0 || path->p[0] == '/';
}

struct cleat_http_view cl_static_path_of(const struct cleat_http_head *request)
{
    struct cleat_http_view path = cleat_http_text(request, request->path);
    if (request->form == CLEAT_HTTP_ABSOLUTE_FORM && path.len == 0) {
        path = (struct cleat_http_view){"/", 1};
    }
    return path;
}

int cl_static_path_read(struct cleat_http_view path, const char *prefix, struct cl_static_path *out)
{
    size_t len = 0;
    char decoded[CLEAT_HTTP_MAX_TARGET];
    if (path.len == 0 || path.p[0] != '/' || memchr(path.p, '\0', path.len) != NULL ||
        cleat_http_path_decode(path, decoded, sizeof(decoded), &len) != CLEAT_OK) {
        return 400;
    }
    struct cl_rd name = cl_rd_of(decoded, len);
    if (!drop_prefix(&name, prefix, &out->needs_slash)) {
        return 404;
    }
    if (name.len != 0 && !cl_rd_skip(&name, 1)) {
        return 404;
    }
    if (!segments_ok(name)) {
        return 404;
    }
    memcpy(out->name, name.p, name.len);
    out->name[name.len] = '\0';
    out->is_folder = name.len == 0 || name.p[name.len - 1] == '/';
    return 0;
}

int cl_static_open_walk(int root_fd, const char *name)
{
    char segment[NAME_MAX + 1];
    int folder = root_fd;
    int fd = -1;
    for (;;) {
        size_t len = strcspn(name, "/");
        bool is_last = name[len] == '\0' || name[len + 1] == '\0';
        if (len >= sizeof(segment)) {
            errno = ENAMETOOLONG;
            break;
        }
        memcpy(segment, len != 0 ? name : ".", len != 0 ? len : 1);
        segment[len != 0 ? len : 1] = '\0';
        int flags = is_last ? READ_FLAGS | (name[len] == '/' ? O_DIRECTORY : 0)
                            : O_PATH | O_CLOEXEC | O_DIRECTORY;
        if (strcmp(segment, "..") == 0) {
            errno = EXDEV;
            break;
        }
        fd = openat(folder, segment, flags | O_NOFOLLOW);
        if (fd < 0 || is_last) {
            break;
        }
        if (folder != root_fd) {
            close(folder);
        }
        folder = fd;
        fd = -1;
        name += len + 1;
    }
    int saved = errno;
    if (folder != root_fd) {
        close(folder);
    }
    errno = saved;
    return fd;
}

int cl_static_open(int root_fd, const char *name)
{
    struct open_how how = {.flags = READ_FLAGS, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    for (int i = 0; i < MAX_TRIES; i++) {
        long fd = syscall(SYS_openat2, root_fd, name[0] != '\0' ? name : ".", &how, sizeof(how));
        if (fd >= 0) {
            return (int)fd;
        }
        /* EPERM: a sandbox that does not know the call */
        if (errno == ENOSYS || errno == EPERM) {
            return cl_static_open_walk(root_fd, name);
        }
        if (errno != EAGAIN && errno != EINTR) {
            return -1;
        }
    }
    return -1;
}
