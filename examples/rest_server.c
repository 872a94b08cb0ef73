/* rest_server.c - rest_server PORT CERT-FILE KEY-FILE: the service of notes.h over HTTP/2 and
 * HTTP/1.1. With PORT 0 the system chooses; the port is the first thing printed. SIGTERM: what is
 * in flight is answered, then it ends.
 *
 * All the HTTP is in attend(): step and dispatch, send what there is, read more. */
#include "config.h"
#include "host.h"
#include "notes.h"
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CLIENTS 64
/* 10 s: then who has not come to an end is cut off */
#define STOP_US     10000000
/* 2 s: and what a client that was answered may go on sending */
#define LINGER_US   2000000

struct client {
    struct stream stream;
    struct cleat_http_server *http; /* NULL: the TLS handshake goes on */
    struct cleat_http_server_io io; /* its input is a view into the stream */
    uint64_t next;                  /* when to look at the clock again */
    bool wants_output;              /* the socket is full */
    bool ended;                     /* the client sends nothing any more */
    bool is_leaving;                /* everything is said: what still comes is dropped */
};

static struct client *clients[MAX_CLIENTS];
static size_t num_clients;
static char date[64];
static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Every response begins with it, whose connection looks here (cleat_http_server_fields). */
static void set_date(void)
{
    const time_t seconds = (time_t)(now_ms(NULL) / 1000);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) != NULL) {
        strftime(date, sizeof(date), "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
    }
}

/* ---- one client ---- */

/* The handshake: 1 when it is done, 0 when there is more to come, or -1. */
static int begin(struct client *c)
{
    struct cleat_http_server_options options;
    struct cleat_tls_info info;
    const int status = stream_handshake(&c->stream);
    if (status != 0) {
        return status == STREAM_LATER ? 0 : -1;
    }
    must(cleat_tls_info(c->stream.tls, &info), NULL);
    const bool is_h2 = info.alpn != NULL && strcmp(info.alpn, "h2") == 0;
    cleat_http_server_options_init(&options);
    if (cleat_http_server_new(&options, is_h2 ? CLEAT_HTTP_2 : CLEAT_HTTP_1, now_us(), &c->http) !=
        CLEAT_OK) {
        return -1;
    }
    cleat_http_server_fields(c->http, date, strlen(date));
    return 1;
}

/* Sends as long as the socket takes something: true when it took any. */
static bool send_some(struct client *c)
{
    struct pollfd room = {.fd = c->stream.fd, .events = POLLOUT};
    const uint8_t *p;
    size_t n;
    bool any = false;
    while ((n = cleat_http_server_output(c->http, &p)) > 0) {
        n = n < 16384 ? n : 16384;
        c->wants_output = poll(&room, 1, 0) <= 0;
        if (c->wants_output) {
            return any;
        }
        if (stream_write(&c->stream, p, n) != 0) {
            cleat_http_server_abort(c->http);
            return true;
        }
        cleat_http_server_sent(c->http, n);
        any = true;
    }
    return any;
}

/* Reads when all that was read before is used: true when there is something new to tell. */
static bool read_some(struct client *c)
{
    c->io.in_len = c->io.in_used = 0;
    if (c->ended) {
        return false;
    }
    switch (stream_read(&c->stream, &c->io.in, &c->io.in_len)) {
    case 1:
        return true;
    case 0:
        c->ended = true;
        (void)cleat_http_server_eof(c->http); /* what was cut off is told by the next steps */
        return true;
    case STREAM_LATER:
        return false;
    default:
        cleat_http_server_abort(c->http);
        return true;
    }
}

/* A client that still sends (a body that was refused) would have its answer destroyed by a reset if
 * the socket were closed now (RFC 9112 9.6): for a while what comes is dropped. 0 or -1. */
static int say_goodbye(struct client *c)
{
    c->is_leaving = true;
    c->next = now_us() + LINGER_US;
    const bool said = stream_close(&c->stream) == 0 && shutdown(c->stream.fd, SHUT_WR) == 0;
    return said && !c->ended ? 0 : -1;
}

static int drop_some(struct client *c)
{
    ssize_t n;
    do {
        n = recv(c->stream.fd, c->stream.in, sizeof(c->stream.in), 0);
    } while (n > 0 && now_us() < c->next);
    return n < 0 && errno == EAGAIN && now_us() < c->next ? 0 : -1;
}

/* Does what there is to do. 0, or -1 when the client is to be let go. */
static int attend(struct client *c, const struct cleat_http_app *app)
{
    enum cleat_http_server_next next;
    bool more = true;
    if (c->is_leaving) {
        return drop_some(c);
    }
    const int status = c->http == NULL ? begin(c) : 1;
    if (status <= 0) {
        return status;
    }
    while (more) {
        c->io.now = now_us();
        cleat_http_server_tick(c->http, c->io.now, NULL);
        while (cleat_http_dispatch(app, next = cleat_http_server_step(c->http, &c->io), &c->io)) {
        }
        more = send_some(c);
        if (next == CLEAT_HTTP_SERVER_FAILED) {
            return -1;
        }
        if (next == CLEAT_HTTP_SERVER_CLOSE) {
            return c->wants_output ? 0 : say_goodbye(c);
        }
        if (next == CLEAT_HTTP_SERVER_NEEDS_INPUT) {
            more = read_some(c) || more;
        }
    }
    cleat_http_server_tick(c->http, now_us(), &c->next);
    return 0;
}

/* ---- all of them ---- */

static void let_go(size_t i, const struct cleat_http_app *app)
{
    struct client *c = clients[i];
    struct cleat_error why;
    if (c->http != NULL) {
        if (cleat_http_server_error(c->http, &why) != CLEAT_OK) {
            fprintf(stderr, "a client: %s\n", why.text);
        }
        cleat_http_server_abort(c->http); /* handlers hear of what is left */
        while (cleat_http_dispatch(app, cleat_http_server_step(c->http, &c->io), &c->io)) {
        }
    }
    cleat_http_server_free(c->http);
    cleat_tls_free(c->stream.tls);
    close(c->stream.fd);
    free(c);
    clients[i] = clients[--num_clients];
}

static void enter(int listener, struct cleat_tls_config *config)
{
    const int fd = accept(listener, NULL, NULL);
    struct client *c = fd >= 0 && num_clients < MAX_CLIENTS ? calloc(1, sizeof(*c)) : NULL;
    if (c == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        if (fd >= 0) {
            close(fd);
        }
        free(c);
        return;
    }
    c->stream.fd = fd;
    c->next = now_us() + 10000000; /* 10 s for the handshake */
    must(cleat_tls_server_new(config, NULL, &c->stream.tls), NULL);
    clients[num_clients++] = c;
}

/* Waits for a socket, or until a clock is to be looked at. */
static int wait_for(struct pollfd *polls, int listener)
{
    const uint64_t now = now_us();
    uint64_t wait = 1000000; /* 1 s: the date changes */
    for (size_t i = 0; i < num_clients; i++) {
        const struct client *c = clients[i];
        /* While it is blocked, or cannot be written to, it is not read from. */
        const bool is_full = !c->is_leaving && (c->io.in_used < c->io.in_len || c->ended);
        polls[i + 1].fd = c->stream.fd;
        polls[i + 1].events = (short)((is_full ? 0 : POLLIN) | (c->wants_output ? POLLOUT : 0));
        polls[i + 1].revents = 0;
        const uint64_t left = c->next > now ? c->next - now : 0;
        wait = left < wait ? left : wait;
    }
    polls[0] = (struct pollfd){.fd = stopping ? -1 : listener, .events = POLLIN};
    return poll(polls, num_clients + 1, (int)((wait + 999) / 1000));
}

static void serve(int listener, struct cleat_tls_config *config, const struct cleat_http_app *app)
{
    struct pollfd polls[MAX_CLIENTS + 1];
    uint64_t stopped_at = 0;
    while (!stopping || (num_clients > 0 && now_us() < stopped_at + STOP_US)) {
        if (wait_for(polls, listener) < 0 && errno != EINTR) {
            return;
        }
        set_date();
        if (stopping && stopped_at == 0) {
            stopped_at = now_us();
            for (size_t i = 0; i < num_clients; i++) {
                if (clients[i]->http != NULL) {
                    (void)cleat_http_server_shutdown(clients[i]->http, stopped_at);
                }
            }
        }
        for (size_t i = num_clients; i-- > 0;) { /* from the end: the last one fills a gap */
            struct client *c = clients[i];
            const bool late = c->http == NULL && now_us() >= c->next;
            if (late || attend(c, app) != 0) {
                let_go(i, app);
            }
        }
        if (!stopping && (polls[0].revents & POLLIN) != 0) {
            enter(listener, config);
        }
    }
    while (num_clients > 0) {
        let_go(num_clients - 1, app);
    }
}

int main(int argc, char **argv)
{
    static const char *const alpn[] = {"h2", "http/1.1"};
    struct sigaction action = {.sa_handler = on_signal};
    if (argc != 4) {
        fprintf(stderr, "usage: rest_server PORT CERT-FILE KEY-FILE\n");
        return 2;
    }
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    struct cleat_tls_config *config = server_config(argv[2], argv[3], alpn, 2);
    struct cleat_http_routes *routes = notes_routes();
    const struct cleat_http_app app = {.routes = routes};
    const int listener = tcp_listen((uint16_t)strtoul(argv[1], NULL, 10));
    serve(listener, config, &app);
    close(listener);
    cleat_http_routes_free(routes);
    cleat_tls_config_free(config);
    notes_free();
    return 0;
}
