/* chat_server.c - chat_server PORT CERT-FILE KEY-FILE: a room over wss://. Whatever a member says
 * is told to the others. With PORT 0 the system chooses; the port is the first thing printed. */
#include "config.h"
#include "host.h"
#include "websocket.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_MEMBERS 64

struct member {
    struct websocket socket;
    struct cleat_http_head request;
    bool secured; /* the TLS handshake is done */
};

static struct member *members[MAX_MEMBERS];

static void leave(size_t i)
{
    fprintf(stderr, "member %zu leaves\n", i);
    (void)stream_close(&members[i]->socket.stream);
    cleat_ws_free(members[i]->socket.ws);
    cleat_tls_free(members[i]->socket.stream.tls);
    close(members[i]->socket.stream.fd);
    free(members[i]);
    members[i] = NULL;
}

static void tell_others(void *ctx, const uint8_t *text, size_t len)
{
    for (size_t i = 0; i < MAX_MEMBERS; i++) {
        struct member *m = members[i];
        if (m != NULL && m != ctx && m->socket.ws != NULL) {
            /* A member whose queue is full misses it: the room does not wait. */
            (void)cleat_ws_send(m->socket.ws, false, text, len);
        }
    }
}

/* Answers the upgrade once its head is complete. 0 or -1. */
static int upgrade(struct member *m, const uint8_t *data, size_t len)
{
    struct cleat_ws_accept policy = {.secure = true};
    struct cleat_ws_options options;
    struct cleat_ws_upgrade agreed = {.status = 400};
    struct cleat_error error = {0};
    char answer[2048];
    size_t used, answer_len;
    int status = websocket_head(&m->socket, &m->request, data, len, &used, &error);
    if (status == 0) {
        return 0;
    }
    policy.behind = len - used;
    cleat_ws_deflate_init(&policy.deflate, true);
    if (status == 1) {
        status = cleat_ws_upgrade_check(&agreed, &m->request, &policy, &error);
    }
    if (cleat_ws_upgrade_write(&agreed, &error, answer, sizeof(answer), &answer_len) != CLEAT_OK ||
        stream_write(&m->socket.stream, (const uint8_t *)answer, answer_len) != 0) {
        return -1;
    }
    cleat_ws_options_init(&options);
    options.deflate = agreed.deflate;
    return status == CLEAT_OK ? cleat_ws_server_new(&options, &m->socket.ws) : -1;
}

/* Takes what has come from a member. 0, or -1 when it has to leave. */
static int hear(struct member *m)
{
    const uint8_t *data;
    size_t len;
    int status = m->secured ? 0 : stream_handshake(&m->socket.stream);
    m->secured = m->secured || status == 0;
    while (status == 0 && (status = stream_read(&m->socket.stream, &data, &len)) == 1) {
        status = m->socket.ws == NULL ? upgrade(m, data, len)
                                      : websocket_feed(&m->socket, data, len, tell_others, m);
    }
    return status == STREAM_LATER ? 0 : -1;
}

static void enter(int listener, struct cleat_tls_config *config)
{
    size_t i = 0;
    int fd = accept(listener, NULL, NULL);
    while (i < MAX_MEMBERS && members[i] != NULL) {
        i++;
    }
    struct member *m = fd >= 0 && i < MAX_MEMBERS ? calloc(1, sizeof(*m)) : NULL;
    if (m == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
        close(fd); /* the room is full */
        free(m);
        return;
    }
    m->socket.stream.fd = fd;
    cleat_http_request_init(&m->request);
    must(cleat_tls_server_new(config, NULL, &m->socket.stream.tls), NULL);
    members[i] = m;
}

/* Pings, time-outs, and what has been queued for each. */
static void attend(size_t i)
{
    struct cleat_ws *ws = members[i]->socket.ws;
    if (ws != NULL && (cleat_ws_tick(ws, now_us(), NULL) != CLEAT_OK ||
                       websocket_flush(&members[i]->socket) != 0)) {
        leave(i);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: chat_server PORT CERT-FILE KEY-FILE\n");
        return 2;
    }
    struct cleat_tls_config *config = server_config(argv[2], argv[3], NULL, 0);
    int listener = tcp_listen((uint16_t)strtoul(argv[1], NULL, 10));
    struct pollfd fds[MAX_MEMBERS + 1];
    for (;;) {
        for (size_t i = 0; i < MAX_MEMBERS; i++) {
            int fd = members[i] != NULL ? members[i]->socket.stream.fd : -1; /* -1: passed over */
            fds[i] = (struct pollfd){.fd = fd, .events = POLLIN};
        }
        fds[MAX_MEMBERS] = (struct pollfd){.fd = listener, .events = POLLIN};
        if (poll(fds, MAX_MEMBERS + 1, 1000) < 0 && errno != EINTR) {
            perror("chat_server");
            return 1;
        }
        for (size_t i = 0; i < MAX_MEMBERS; i++) {
            if (fds[i].revents != 0 && hear(members[i]) != 0) {
                leave(i);
            }
        }
        for (size_t i = 0; i < MAX_MEMBERS; i++) {
            if (members[i] != NULL) {
                attend(i);
            }
        }
        if (fds[MAX_MEMBERS].revents != 0) {
            enter(listener, config);
        }
    }
}
