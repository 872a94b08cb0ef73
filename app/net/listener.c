/* net/listener.c - see listener.h. */
#include "net/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "base/mem.h"

struct cl_listener {
    uv_tcp_t uv;
    const struct cl_listener_handler *handler;
    void *ctx;
    bool held;
    bool waiting; /* libuv has a connection for us that we have not taken */
    bool freed;
};

static socklen_t addr_len(const struct sockaddr_storage *addr)
{
    return addr->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static int open_socket(const struct sockaddr_storage *addr, bool share)
{
    int fd = socket(addr->ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -errno;
    }
    int on = 1;
    int failed = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (share) {
        failed |= setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    }
    if (addr->ss_family == AF_INET6) {
        failed |= setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    }
    if (failed != 0 || bind(fd, (const struct sockaddr *)addr, addr_len(addr)) != 0) {
        int code = errno;
        close(fd);
        return -code;
    }
    return fd;
}

int cl_listener_bind(struct sockaddr_storage *addr, bool first)
{
    if (first) {
        /* SO_REUSEPORT alone would let two servers of one user share the port unnoticed. */
        int probe = open_socket(addr, false);
        if (probe < 0) {
            return probe;
        }
        close(probe);
    }
    int fd = open_socket(addr, true);
    if (fd < 0) {
        return fd;
    }
    socklen_t len = sizeof(*addr);
    if (getsockname(fd, (struct sockaddr *)addr, &len) != 0) {
        int code = errno;
        close(fd);
        return -code;
    }
    return fd;
}

static void take(struct cl_listener *l)
{
    struct cl_tcp *tcp = NULL;
    l->waiting = false;
    if (cl_tcp_new(l->uv.loop, &tcp) != CL_OK) {
        l->handler->error(l->ctx, UV_ENOMEM);
        return;
    }
    int status = cl_tcp_accept(tcp, (uv_stream_t *)&l->uv);
    if (status != 0) {
        cl_tcp_free(tcp);
        l->handler->error(l->ctx, status);
        return;
    }
    l->handler->incoming(l->ctx, tcp);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct cl_listener *l = stream->data;
    if (l->freed) {
        return;
    }
    if (status != 0) {
        l->handler->error(l->ctx, status);
        return;
    }
    /* libuv stops polling until the connection that waits is accepted. */
    l->waiting = true;
    if (!l->held) {
        take(l);
    } else if (l->handler->waiting != NULL) {
        l->handler->waiting(l->ctx);
    }
}

static void on_closed(uv_handle_t *handle)
{
    cl_free(handle->data);
}

int cl_listener_new(uv_loop_t *loop, int fd, const struct cl_listener_handler *handler, void *ctx,
                    struct cl_listener **out)
{
    struct cl_listener *l = cl_calloc(1, sizeof(*l));
    if (l == NULL) {
        close(fd);
        return UV_ENOMEM;
    }
    l->handler = handler;
    l->ctx = ctx;
    l->uv.data = l;
    int status = uv_tcp_init(loop, &l->uv);
    if (status != 0) {
        close(fd);
        cl_free(l);
        return status;
    }
    status = uv_tcp_open(&l->uv, fd);
    if (status != 0) {
        close(fd);
    } else {
        /* One connection a turn would be libuv's default on some systems: take all there are. */
        uv_tcp_simultaneous_accepts(&l->uv, 1);
        status = uv_listen((uv_stream_t *)&l->uv, CL_LISTENER_BACKLOG, on_connection);
    }
    if (status != 0) {
        cl_listener_free(l);
        return status;
    }
    *out = l;
    return 0;
}

void cl_listener_hold(struct cl_listener *l, bool hold)
{
    if (l->freed || l->held == hold) {
        return;
    }
    l->held = hold;
    if (!hold && l->waiting) {
        take(l);
    }
}

bool cl_listener_is_waited_for(const struct cl_listener *l)
{
    return l->waiting;
}

void cl_listener_free(struct cl_listener *l)
{
    if (l == NULL || l->freed) {
        return;
    }
    l->freed = true;
    uv_close((uv_handle_t *)&l->uv, on_closed);
}
