/* net/tcp.c - see tcp.h. A cl_tcp lives until libuv has let go of its handle. What a connect, a
 * send that waits and a FIN need is allocated for as long as they last: idle sockets are many. */
#include "net/tcp.h"

#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "base/mem.h"

struct cl_tcp {
    uv_tcp_t uv;
    const struct cl_tcp_handler *handler;
    void *ctx;
    struct cl_tcp_carrier *carrier; /* NULL: uv is a socket; else only its loop is set */
    bool reading;
    bool sending;
    bool finished;
    bool freed;
};

static const struct cl_tcp_handler nobody;

cl_result cl_tcp_new(uv_loop_t *loop, struct cl_tcp **out)
{
    struct cl_tcp *tcp = cl_calloc(1, sizeof(*tcp));
    if (tcp == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    tcp->handler = &nobody;
    if (uv_tcp_init(loop, &tcp->uv) != 0) {
        cl_free(tcp);
        return CLEAT_ERR_NOMEM;
    }
    tcp->uv.data = tcp;
    *out = tcp;
    return CL_OK;
}

static void on_closed(uv_handle_t *handle)
{
    cl_free(handle->data);
}

void cl_tcp_free(struct cl_tcp *tcp)
{
    if (tcp == NULL || tcp->freed) {
        return;
    }
    tcp->freed = true;
    tcp->handler = &nobody;
    if (tcp->carrier != NULL) {
        tcp->carrier->close(tcp->carrier);
        return;
    }
    uv_close((uv_handle_t *)&tcp->uv, on_closed);
}

struct connecting {
    uv_connect_t uv;
    void (*done)(void *ctx, int status);
    void *ctx;
};

static void on_connected(uv_connect_t *uv, int status)
{
    struct connecting req = *(struct connecting *)uv->data;
    const struct cl_tcp *tcp = uv->handle->data;
    cl_free(uv->data);
    if (!tcp->freed) {
        req.done(req.ctx, status);
    }
}

int cl_tcp_connect(struct cl_tcp *tcp, const struct sockaddr *addr,
                   void (*done)(void *ctx, int status), void *ctx)
{
    struct connecting *req = cl_alloc(sizeof(*req));
    if (req == NULL) {
        return UV_ENOMEM;
    }
    req->uv.data = req;
    req->done = done;
    req->ctx = ctx;
    int status = uv_tcp_connect(&req->uv, &tcp->uv, addr, on_connected);
    if (status != 0) {
        cl_free(req);
    }
    return status;
}

int cl_tcp_accept(struct cl_tcp *tcp, uv_stream_t *listener)
{
    return uv_accept(listener, (uv_stream_t *)&tcp->uv);
}

void cl_tcp_attach(struct cl_tcp *tcp, const struct cl_tcp_handler *handler, void *ctx)
{
    tcp->handler = handler;
    tcp->ctx = ctx;
    if (tcp->carrier == NULL) {
        uv_tcp_nodelay(&tcp->uv, 1);
    }
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct cl_tcp *tcp = handle->data;
    size_t len = 0;
    uint8_t *room = tcp->handler->room != NULL ? tcp->handler->room(tcp->ctx, &len) : NULL;
    /* libuv's lengths are 32 bits wide on some systems; a room is a few KiB. */
    *buf = uv_buf_init((char *)room, room != NULL ? (unsigned)len : 0);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct cl_tcp *tcp = stream->data;
    if (n == UV_ENOBUFS) {
        cl_tcp_read(tcp, false);
        return;
    }
    if (n >= 0) {
        if (tcp->handler->received != NULL) {
            tcp->handler->received(tcp->ctx, (size_t)n);
        }
        return;
    }
    cl_tcp_read(tcp, false);
    if (tcp->handler->ended != NULL) {
        tcp->handler->ended(tcp->ctx, n == UV_EOF ? 0 : (int)n);
    }
}

void cl_tcp_read(struct cl_tcp *tcp, bool on)
{
    if (tcp->freed || tcp->reading == on) {
        return;
    }
    tcp->reading = on;
    if (tcp->carrier != NULL) {
        tcp->carrier->read(tcp->carrier, on);
    } else if (on) {
        /* Fails only for a socket that is not connected, which then reports its end by itself. */
        tcp->reading = uv_read_start((uv_stream_t *)&tcp->uv, on_room, on_read) == 0;
    } else {
        uv_read_stop((uv_stream_t *)&tcp->uv);
    }
}

static void on_written(uv_write_t *req, int status)
{
    struct cl_tcp *tcp = req->handle->data;
    cl_free(req);
    tcp->sending = false;
    if (tcp->handler->sent != NULL) {
        tcp->handler->sent(tcp->ctx, status);
    }
}

ssize_t cl_tcp_send(struct cl_tcp *tcp, const uint8_t *p, size_t len)
{
    if (tcp->freed || tcp->sending) {
        return UV_EBUSY;
    }
    if (tcp->carrier != NULL) {
        const ssize_t taken = tcp->carrier->send(tcp->carrier, p, len);
        tcp->sending = taken >= 0 && (size_t)taken < len;
        return taken;
    }
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)p, (unsigned)len);
    int n = uv_try_write((uv_stream_t *)&tcp->uv, &buf, 1);
    if (n == UV_EAGAIN) {
        n = 0;
    }
    if (n < 0 || (size_t)n == len) {
        return n;
    }
    buf = uv_buf_init((char *)(uintptr_t)p + n, (unsigned)(len - (size_t)n));
    uv_write_t *req = cl_alloc(sizeof(*req));
    int status =
        req != NULL ? uv_write(req, (uv_stream_t *)&tcp->uv, &buf, 1, on_written) : UV_ENOMEM;
    if (status != 0) {
        cl_free(req);
        return status;
    }
    tcp->sending = true;
    return n;
}

/* A peer that is gone already is noticed by the reader. */
static void on_shutdown(uv_shutdown_t *req, int status)
{
    cl_free(req);
}

void cl_tcp_finish(struct cl_tcp *tcp)
{
    if (tcp->freed || tcp->finished) {
        return;
    }
    tcp->finished = true;
    if (tcp->carrier != NULL) {
        tcp->carrier->finish(tcp->carrier);
        return;
    }
    uv_shutdown_t *req = cl_alloc(sizeof(*req));
    /* Without memory the FIN comes with the end of the socket. */
    if (req != NULL && uv_shutdown(req, (uv_stream_t *)&tcp->uv, on_shutdown) != 0) {
        cl_free(req);
    }
}

/* A number of bytes that the kernel holds; 0 too when it does not say. */
static size_t held(const struct cl_tcp *tcp, unsigned long which)
{
    uv_os_fd_t fd;
    int num = 0;
    if (tcp->carrier != NULL) {
        return 0;
    }
    if (uv_fileno((const uv_handle_t *)&tcp->uv, &fd) != 0 || ioctl(fd, which, &num) != 0) {
        return 0;
    }
    return num > 0 ? (size_t)num : 0;
}

size_t cl_tcp_unsent(const struct cl_tcp *tcp)
{
    return tcp->carrier != NULL ? tcp->carrier->unsent(tcp->carrier) : held(tcp, SIOCOUTQ);
}

size_t cl_tcp_unread(const struct cl_tcp *tcp)
{
    return held(tcp, SIOCINQ);
}

size_t cl_tcp_mss(const struct cl_tcp *tcp)
{
    uv_os_fd_t fd;
    int mss = 0;
    socklen_t len = sizeof(mss);
    if (tcp->carrier != NULL) {
        return 0;
    }
    if (uv_fileno((const uv_handle_t *)&tcp->uv, &fd) != 0 ||
        getsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, &len) != 0) {
        return 0;
    }
    return mss > 0 ? (size_t)mss : 0;
}

bool cl_tcp_is_at_end(const struct cl_tcp *tcp)
{
    uv_os_fd_t fd;
    char byte;
    if (tcp->carrier != NULL) {
        return tcp->carrier->is_at_end(tcp->carrier);
    }
    return uv_fileno((const uv_handle_t *)&tcp->uv, &fd) == 0 &&
           recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

bool cl_tcp_peer(const struct cl_tcp *tcp, struct sockaddr_storage *out)
{
    int len = sizeof(*out);
    if (tcp->carrier != NULL) {
        const struct cl_tcp *below = tcp->carrier->below(tcp->carrier);
        return below != NULL && cl_tcp_peer(below, out);
    }
    return uv_tcp_getpeername(&tcp->uv, (struct sockaddr *)out, &len) == 0;
}

bool cl_tcp_local(const struct cl_tcp *tcp, struct sockaddr_storage *out)
{
    int len = sizeof(*out);
    if (tcp->carrier != NULL) {
        const struct cl_tcp *below = tcp->carrier->below(tcp->carrier);
        return below != NULL && cl_tcp_local(below, out);
    }
    return uv_tcp_getsockname(&tcp->uv, (struct sockaddr *)out, &len) == 0;
}

uv_loop_t *cl_tcp_loop(const struct cl_tcp *tcp)
{
    return tcp->uv.loop;
}

/* ---- without a socket ---- */

cl_result cl_tcp_new_carried(uv_loop_t *loop, struct cl_tcp_carrier *carrier, struct cl_tcp **out)
{
    struct cl_tcp *tcp = cl_calloc(1, sizeof(*tcp));
    if (tcp == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    tcp->handler = &nobody;
    tcp->uv.loop = loop;
    tcp->carrier = carrier;
    *out = tcp;
    return CL_OK;
}

void cl_tcp_drop(struct cl_tcp *tcp)
{
    cl_free(tcp);
}

size_t cl_tcp_arrived(struct cl_tcp *tcp, const uint8_t *p, size_t len)
{
    size_t taken = 0;
    while (taken < len && tcp->reading && !tcp->freed) {
        size_t cap = 0;
        uint8_t *room = tcp->handler->room != NULL ? tcp->handler->room(tcp->ctx, &cap) : NULL;
        if (room == NULL || cap == 0) {
            tcp->reading = false; /* as with a socket (UV_ENOBUFS) */
            return taken;
        }
        const size_t step = len - taken < cap ? len - taken : cap;
        memcpy(room, p + taken, step);
        taken += step;
        tcp->handler->received(tcp->ctx, step);
    }
    return taken;
}

void cl_tcp_arrived_end(struct cl_tcp *tcp, int status)
{
    tcp->reading = false;
    if (tcp->handler->ended != NULL) {
        tcp->handler->ended(tcp->ctx, status);
    }
}

void cl_tcp_sent_rest(struct cl_tcp *tcp, int status)
{
    tcp->sending = false;
    if (tcp->handler->sent != NULL) {
        tcp->handler->sent(tcp->ctx, status);
    }
}
