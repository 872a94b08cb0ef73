/* net/file.c - see file.h. */
#include "net/file.h"

#include <errno.h>
#include <sys/uio.h>

#include "base/mem.h"

struct cl_file_read {
    uv_fs_t req;
    uv_loop_t *loop;
    void (*done)(void *ctx, ssize_t n);
    void (*released)(void *ctx);
    void *ctx;
    bool busy;
    bool freed;
    bool no_nowait; /* the file system does not know RWF_NOWAIT */
};

cl_result cl_file_read_new(uv_loop_t *loop, void (*done)(void *ctx, ssize_t n), void *ctx,
                           struct cl_file_read **out)
{
    struct cl_file_read *r = cl_calloc(1, sizeof(*r));
    if (r == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    r->loop = loop;
    r->done = done;
    r->ctx = ctx;
    r->req.data = r;
    *out = r;
    return CL_OK;
}

static void on_read(uv_fs_t *req)
{
    struct cl_file_read *r = req->data;
    ssize_t n = req->result;
    r->busy = false;
    uv_fs_req_cleanup(req);
    if (!r->freed) {
        r->done(r->ctx, n);
        return;
    }
    if (r->released != NULL) {
        r->released(r->ctx);
    }
    cl_free(r);
}

ssize_t cl_file_read_at(struct cl_file_read *r, int fd, uint64_t offset, uint8_t *buf, size_t len)
{
    if (r->busy) {
        return UV_EBUSY;
    }
    if (!r->no_nowait) {
        struct iovec part = {.iov_base = buf, .iov_len = len};
        ssize_t n = preadv2(fd, &part, 1, (off_t)offset, RWF_NOWAIT);
        if (n > 0) {
            return n;
        }
        /* 0 may be the end, or a page that is not there: the thread pool finds out. */
        r->no_nowait = n < 0 && errno != EAGAIN && errno != EINTR;
    }
    uv_buf_t to = uv_buf_init((char *)buf, (unsigned)len);
    int status = uv_fs_read(r->loop, &r->req, fd, &to, 1, (int64_t)offset, on_read);
    if (status != 0) {
        return status;
    }
    r->busy = true;
    return UV_EAGAIN;
}

bool cl_file_read_cached(int fd, uint8_t *to, size_t len)
{
    size_t at = 0;
    int flags = RWF_NOWAIT;
    while (at < len) {
        struct iovec part = {.iov_base = to + at, .iov_len = len - at};
        ssize_t n = preadv2(fd, &part, 1, (off_t)at, flags);
        if (n < 0 && flags != 0 && (errno == EOPNOTSUPP || errno == ENOSYS)) {
            flags = 0; /* such file systems are in memory, but for some of the network */
            continue;
        }
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        at += (size_t)n;
    }
    return true;
}

bool cl_file_read_is_busy(const struct cl_file_read *r)
{
    return r->busy;
}

void cl_file_read_free(struct cl_file_read *r, void (*released)(void *ctx))
{
    if (r == NULL) {
        return;
    }
    if (r->busy) {
        r->freed = true;
        r->released = released;
        uv_cancel((uv_req_t *)&r->req); /* works while it has not begun; it ends in on_read too */
        return;
    }
    void *ctx = r->ctx;
    cl_free(r);
    if (released != NULL) {
        released(ctx);
    }
}
