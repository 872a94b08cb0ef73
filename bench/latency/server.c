/* bench/latency/server.c - see latency.h. */
#include "latency.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn/stream.h"
#include "net/listener.h"

struct latency_server {
    bool loop;
    struct cleat_tls_config *config;
    int fd; /* listens; the loop's thread takes it over */
    struct sockaddr_storage addr;
    pthread_t thread;
    uv_loop_t uv;
    uv_async_t stop;
    struct cl_hub *hub;
    struct cl_listener *listener;
};

/* ---- blocking ---------------------------------------------------------------------------------*/

bool latency_step(struct cleat_tls *tls, int fd)
{
    uint8_t in[CLEAT_TLS_MAX_RECORD];
    uint8_t out[CLEAT_TLS_MAX_RECORD];
    size_t len = 0;
    for (;;) {
        struct cleat_tls_io io = {.in = in, .in_len = len, .out = out, .out_cap = sizeof(out)};
        enum cleat_tls_next next = cleat_tls_step(tls, &io);
        len -= io.in_used;
        memmove(in, in + io.in_used, len);
        if (io.out_len != 0 && send(fd, out, io.out_len, MSG_NOSIGNAL) != (ssize_t)io.out_len) {
            return false;
        }
        if (next == CLEAT_TLS_NEEDS_JOB) {
            cleat_job_run(cleat_tls_job(tls));
        } else if (next == CLEAT_TLS_NEEDS_DECISION) {
            cleat_tls_accept_peer(tls);
        } else if (next == CLEAT_TLS_NEEDS_INPUT) {
            ssize_t n = recv(fd, in + len, sizeof(in) - len, 0);
            if (n <= 0) {
                return false;
            }
            len += (size_t)n;
        } else if (next != CLEAT_TLS_HAS_OUTPUT) {
            return next == CLEAT_TLS_READY;
        }
    }
}

/* Until the listening socket is shut down. */
static void *run_blocking(void *arg)
{
    struct latency_server *s = arg;
    const int one = 1;
    for (int fd; (fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC)) >= 0; close(fd)) {
        struct cleat_tls *tls = NULL;
        char byte;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        if (cleat_tls_server_new(s->config, NULL, &tls) == CLEAT_OK && latency_step(tls, fd)) {
            (void)!recv(fd, &byte, 1, 0); /* the client goes */
        }
        cleat_tls_free(tls);
    }
    return NULL;
}

/* ---- the loop ---------------------------------------------------------------------------------*/

static void on_closed(void *ctx, const struct cl_stream_end *end)
{
}

static const struct cl_stream_handler stream_handler = {.closed = on_closed};

static void on_incoming(void *ctx, struct cl_tcp *tcp)
{
    struct latency_server *s = ctx;
    struct cl_stream_setup setup = {.tcp = tcp, .handler = &stream_handler};
    struct cl_stream *stream = NULL;
    if (cleat_tls_server_new(s->config, NULL, &setup.tls) != CLEAT_OK) {
        cl_tcp_free(tcp);
        return;
    }
    if (cl_stream_open(s->hub, &setup, &stream) != CL_OK) {
        return; /* the client notices */
    }
}

static void on_error(void *ctx, int status)
{
}

static const struct cl_listener_handler listener_handler = {
    .incoming = on_incoming,
    .error = on_error,
};

static void on_stop(uv_async_t *stop)
{
    struct latency_server *s = stop->data;
    cl_listener_free(s->listener);
    cl_hub_free(s->hub);
    uv_close((uv_handle_t *)stop, NULL);
}

static void *run_loop(void *arg)
{
    struct latency_server *s = arg;
    uv_run(&s->uv, UV_RUN_DEFAULT);
    uv_loop_close(&s->uv);
    return NULL;
}

static bool prepare_loop(struct latency_server *s)
{
    if (uv_loop_init(&s->uv) != 0 || uv_async_init(&s->uv, &s->stop, on_stop) != 0 ||
        cl_hub_new(&s->uv, &s->hub) != CL_OK) {
        return false;
    }
    s->stop.data = s;
    return cl_listener_new(&s->uv, s->fd, &listener_handler, s, &s->listener) == 0;
}

/* ---- both -------------------------------------------------------------------------------------*/

struct latency_server *latency_server_new(bool loop, struct cleat_tls_config *config)
{
    struct latency_server *s = calloc(1, sizeof(*s));
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (s == NULL) {
        return NULL;
    }
    s->loop = loop;
    s->config = config;
    memcpy(&s->addr, &any, sizeof(any));
    s->fd = cl_listener_bind(&s->addr, true);
    bool ok = s->fd >= 0 &&
              (loop ? prepare_loop(s) : fcntl(s->fd, F_SETFL, 0) == 0 && listen(s->fd, 16) == 0);
    if (!ok || pthread_create(&s->thread, NULL, loop ? run_loop : run_blocking, s) != 0) {
        free(s); /* the program ends */
        return NULL;
    }
    return s;
}

uint16_t latency_server_port(const struct latency_server *s)
{
    return ntohs(((const struct sockaddr_in *)(const void *)&s->addr)->sin_port);
}

void latency_server_free(struct latency_server *s)
{
    if (s == NULL) {
        return;
    }
    if (s->loop) {
        uv_async_send(&s->stop);
    } else {
        shutdown(s->fd, SHUT_RDWR);
    }
    pthread_join(s->thread, NULL);
    if (!s->loop) {
        close(s->fd);
    }
    free(s);
}
