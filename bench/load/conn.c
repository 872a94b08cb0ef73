/* bench/load/conn.c - one client on a socket that does not block: of a WebSocket, or, with a URL
 * of HTTP, of a connection that is kept between requests (HTTP/2: h2.c).
 *
 * Received bytes go through TLS (or not), the head of the response, then the WebSocket connection.
 * Buffers are shared by all clients; a client keeps only what could not be consumed or sent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

/* 256 KiB: sixteen records at a time */
#define ROOM              (256u << 10)
/* 64 MiB: bounds what a stalled server leaves here */
#define MAX_UNSENT        (64u << 20)
/* 20,000: below the number of ephemeral ports of one address */
#define CONNS_PER_ADDRESS 20000

static uint8_t in_room[ROOM];
static uint8_t out_room[ROOM];

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

bool load_conn_fail(struct load *l, struct load_conn *c, const char *what, const char *why)
{
    c->failed = true;
    if (l->why[0] == '\0') {
        snprintf(l->why, sizeof(l->why), "%s: %s", what, why);
    }
    return false;
}

/* ---- down: to the socket ----------------------------------------------------------------------*/

static bool put(struct load *l, struct load_conn *c, const uint8_t *p, size_t len)
{
    ssize_t n = c->out.len == 0 ? send(c->fd, p, len, MSG_NOSIGNAL) : 0;
    if (n < 0 && errno != EAGAIN) {
        return load_conn_fail(l, c, "send", strerror(errno));
    }
    n = n < 0 ? 0 : n;
    if (cl_buf_append(&c->out, p + n, len - (size_t)n, MAX_UNSENT) != CL_OK) {
        return load_conn_fail(l, c, "send", "the server reads too slowly");
    }
    c->want_write = c->out.len != 0;
    return true;
}

static bool flush(struct load *l, struct load_conn *c)
{
    while (c->out.len != 0) {
        ssize_t n = send(c->fd, c->out.p, c->out.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            return true;
        }
        if (n < 0) {
            return load_conn_fail(l, c, "send", strerror(errno));
        }
        cl_buf_drop(&c->out, (size_t)n);
    }
    cl_buf_deinit(&c->out);
    c->want_write = false;
    return true;
}

bool load_conn_put(struct load *l, struct load_conn *c, const uint8_t *p, size_t len)
{
    if (c->tls == NULL) {
        return put(l, c, p, len);
    }
    while (len > 0) {
        struct cleat_tls_io io = {.out = out_room, .out_cap = ROOM};
        size_t written = 0;
        if (cleat_tls_write(c->tls, &io, p, len, &written) != CLEAT_OK) {
            return load_conn_fail(l, c, "TLS", "a write was refused");
        }
        if (!put(l, c, io.out, io.out_len)) {
            return false;
        }
        p += written;
        len -= written;
    }
    return true;
}

static bool put_frames(struct load *l, struct load_conn *c)
{
    const uint8_t *p;
    for (size_t len; (len = cleat_ws_output(c->ws, &p)) != 0; cleat_ws_sent(c->ws, len)) {
        if (!load_conn_put(l, c, p, len)) {
            return false;
        }
    }
    return true;
}

static bool put_request(struct load *l, struct load_conn *c)
{
    char request[2048];
    const struct cleat_http_view *path = &l->options->url.path;
    if (l->options->h2) {
        return load_h2_ask(l, c);
    }
    int len = snprintf(request, sizeof(request), "GET %.*s HTTP/1.1\r\nHost: localhost\r\n\r\n",
                       (int)path->len, path->p);
    if (len < 0 || (size_t)len >= sizeof(request)) {
        return load_conn_fail(l, c, "request", "the path is too long");
    }
    return load_conn_put(l, c, (const uint8_t *)request, (size_t)len);
}

bool load_conn_send(struct load *l, struct load_conn *c)
{
    const struct load_options *o = l->options;
    if (!o->url.websocket) {
        return put_request(l, c);
    }
    if (cleat_ws_send(c->ws, o->binary, l->message, o->size) != CLEAT_OK) {
        return load_conn_fail(l, c, "WebSocket", "a message was refused");
    }
    return put_frames(l, c);
}

/* ---- up: from the socket ----------------------------------------------------------------------*/

static bool on_frames(struct load *l, struct load_conn *c, uint8_t *p, size_t len)
{
    struct cleat_ws_io io = {.in = p, .in_len = len, .now = now_us()};
    struct cleat_error error;
    for (;;) {
        switch (cleat_ws_step(c->ws, &io)) {
        case CLEAT_WS_NEEDS_INPUT:
            return put_frames(l, c);
        case CLEAT_WS_MESSAGE:
            if (io.data_len != l->options->size) {
                return load_conn_fail(l, c, "echo", "of another length");
            }
            c->num_received++;
            l->num_messages++;
            if (l->echoing && !load_conn_send(l, c)) {
                return false;
            }
            break;
        case CLEAT_WS_CLOSE:
            return load_conn_fail(l, c, "closed", cleat_ws_code_sentence(io.code));
        case CLEAT_WS_FAILED:
            cleat_ws_error(c->ws, &error);
            return load_conn_fail(l, c, "WebSocket", error.text);
        default:
            break;
        }
    }
}

static bool start_websocket(struct load *l, struct load_conn *c, const struct cleat_ws_upgrade *u)
{
    struct cleat_ws_options o;
    cleat_ws_options_init(&o);
    o.max_message = l->options->size;
    o.queue_limit = SIZE_MAX;
    o.ping_interval = 0;
    o.max_control = UINT32_MAX;
    o.deflate = u->deflate;
    o.pool = l->pool;
    if (cleat_ws_client_new(&o, &c->ws) != CLEAT_OK) {
        return load_conn_fail(l, c, "WebSocket", "out of memory");
    }
    c->upgraded = true;
    return true;
}

static void offer_init(const struct load *l, struct cleat_ws_offer *offer)
{
    *offer = (struct cleat_ws_offer){0};
    if (l->options->deflate) {
        cleat_ws_deflate_init(&offer->deflate, false);
        offer->deflate.server_no_context_takeover = true;
        offer->deflate.client_no_context_takeover = true;
        offer->require_deflate = true;
    }
}

static bool ask_for_upgrade(struct load *l, struct load_conn *c)
{
    struct cleat_ws_offer offer;
    char request[2048];
    size_t len;
    if (!l->options->url.websocket) {
        c->established = true;
        return put_request(l, c);
    }
    offer_init(l, &offer);
    if (cleat_ws_request_write(&offer, &l->options->url, c->key, request, sizeof(request), &len,
                               NULL) != CLEAT_OK) {
        return load_conn_fail(l, c, "WebSocket", "the request cannot be written");
    }
    c->established = true;
    return load_conn_put(l, c, (const uint8_t *)request, len);
}

/* The response's head may come in pieces, and frames behind it. */
static bool on_response(struct load *l, struct load_conn *c, const uint8_t *p, size_t len)
{
    struct cleat_ws_offer offer;
    struct cleat_ws_upgrade u;
    struct cleat_http_head head;
    struct cleat_error error = {0};
    if (cl_buf_append(&c->response, p, len, ROOM) != CL_OK) {
        return load_conn_fail(l, c, "upgrade", "the response is too long");
    }
    cleat_http_response_init(&head, (struct cleat_http_view){"GET", 3});
    int rc = cleat_http_head_feed(&head, c->response.p, c->response.len, &error);
    if (rc == CLEAT_HTTP_MORE) {
        return true;
    }
    offer_init(l, &offer);
    if (rc != CLEAT_HTTP_COMPLETE ||
        cleat_ws_response_check(&u, &head, &offer, c->key, &error) != CLEAT_OK) {
        return load_conn_fail(l, c, "upgrade", error.text);
    }
    bool ok = start_websocket(l, c, &u) &&
              on_frames(l, c, c->response.p + head.len, c->response.len - head.len);
    cl_buf_deinit(&c->response);
    return ok;
}

/* A whole response of HTTP: the first one says that the connection is as it is to stay. */
static bool on_answer(struct load *l, struct load_conn *c, const uint8_t *p, size_t len)
{
    struct cleat_http_head head;
    struct cleat_http_body body;
    struct cleat_http_view content;
    struct cleat_error error = {0};
    size_t used;
    if (cl_buf_append(&c->response, p, len, ROOM) != CL_OK) {
        return load_conn_fail(l, c, "response", "it is too long");
    }
    cleat_http_response_init(&head, (struct cleat_http_view){"GET", 3});
    int rc = cleat_http_head_feed(&head, c->response.p, c->response.len, &error);
    if (rc == CLEAT_HTTP_COMPLETE) {
        size_t at = head.len;
        rc = cleat_http_body_init(&body, &head, ROOM, &error);
        for (rc = rc == CLEAT_OK ? CLEAT_HTTP_DATA : rc; rc == CLEAT_HTTP_DATA; at += used) {
            rc = cleat_http_body_feed(&body, c->response.p + at, c->response.len - at, &used,
                                      &content, &error);
        }
    }
    if (rc == CLEAT_HTTP_MORE) {
        return true;
    }
    if (rc != CLEAT_HTTP_COMPLETE) {
        return load_conn_fail(l, c, "response", error.text);
    }
    cl_buf_deinit(&c->response);
    l->num_messages += c->upgraded ? 1 : 0;
    c->upgraded = true;
    return true;
}

static bool on_plain(struct load *l, struct load_conn *c, uint8_t *p, size_t len)
{
    if (c->h2 != NULL) {
        return load_h2_data(l, c, p, len);
    }
    if (!l->options->url.websocket) {
        return on_answer(l, c, p, len);
    }
    return c->upgraded ? on_frames(l, c, p, len) : on_response(l, c, p, len);
}

/* Steps TLS over len bytes at p; *used: how many of them are done with. */
static bool on_records(struct load *l, struct load_conn *c, uint8_t *p, size_t len, size_t *used)
{
    for (;;) {
        struct cleat_tls_io io = {
            .in = p + *used, .in_len = len - *used, .out = out_room, .out_cap = ROOM};
        enum cleat_tls_next next = cleat_tls_step(c->tls, &io);
        *used += io.in_used;
        if (io.out_len != 0 && !put(l, c, io.out, io.out_len)) {
            return false;
        }
        switch (next) {
        case CLEAT_TLS_NEEDS_JOB:
            cleat_job_run(cleat_tls_job(c->tls));
            break;
        case CLEAT_TLS_HAS_OUTPUT:
            break;
        case CLEAT_TLS_HAS_DATA:
            if (!on_plain(l, c, io.data, io.data_len)) {
                return false;
            }
            break;
        case CLEAT_TLS_READY:
            if (c->established) {
                return true;
            }
            cleat_tls_forget(c->tls);
            if (!ask_for_upgrade(l, c)) {
                return false;
            }
            break;
        case CLEAT_TLS_NEEDS_INPUT:
            return true;
        default:
            return load_conn_fail(l, c, "TLS", cleat_tls_error(c->tls)->text);
        }
    }
}

/* ---- the socket -------------------------------------------------------------------------------*/

bool load_conn_open(struct load *l, struct load_conn *c, unsigned i)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(l->options->url.port)};
    struct sockaddr_in from = {.sin_family = AF_INET};
    const int one = 1;
    *c = (struct load_conn){0};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + i / CONNS_PER_ADDRESS);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0) {
        return load_conn_fail(l, c, "socket", strerror(errno));
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
    if (bind(c->fd, (struct sockaddr *)&from, sizeof(from)) != 0 ||
        (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0 && errno != EINPROGRESS)) {
        return load_conn_fail(l, c, "connect", strerror(errno));
    }
    if (l->config != NULL &&
        cleat_tls_client_new(l->config, "localhost", NULL, NULL, &c->tls) != CLEAT_OK) {
        return load_conn_fail(l, c, "TLS", "out of memory");
    }
    c->want_write = true; /* the socket tells so that it is connected */
    return true;
}

/* What a connected socket has to say first. */
static bool begin(struct load *l, struct load_conn *c)
{
    int error = 0;
    socklen_t len = sizeof(error);
    size_t used = 0;
    c->connected = true;
    c->want_write = false;
    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || error != 0) {
        return load_conn_fail(l, c, "connect", strerror(error));
    }
    return c->tls == NULL ? ask_for_upgrade(l, c) : on_records(l, c, in_room, 0, &used);
}

bool load_conn_event(struct load *l, struct load_conn *c)
{
    if (!c->connected && !begin(l, c)) {
        return false;
    }
    if (!flush(l, c)) {
        return false;
    }
    size_t len = c->in.len, used = 0;
    if (len != 0) {
        memcpy(in_room, c->in.p, len);
    }
    ssize_t n = recv(c->fd, in_room + len, ROOM - len, 0);
    if (n < 0 && errno == EAGAIN) {
        return true;
    }
    if (n <= 0) {
        return load_conn_fail(l, c, "receive", n == 0 ? "the server has closed" : strerror(errno));
    }
    len += (size_t)n;
    cl_buf_deinit(&c->in);
    if (c->tls == NULL) {
        return on_plain(l, c, in_room, len);
    }
    if (!on_records(l, c, in_room, len, &used)) {
        return false;
    }
    return used == len || cl_buf_append(&c->in, in_room + used, len - used, ROOM) == CL_OK ||
           load_conn_fail(l, c, "receive", "out of memory");
}

void load_conn_close(struct load_conn *c)
{
    if (c->fd > 0) {
        close(c->fd);
    }
    cleat_ws_free(c->ws);
    cleat_h2_free(c->h2);
    cleat_tls_free(c->tls);
    cl_buf_deinit(&c->in);
    cl_buf_deinit(&c->out);
    cl_buf_deinit(&c->response);
    *c = (struct load_conn){0};
}
