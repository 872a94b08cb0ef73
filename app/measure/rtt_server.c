/* measure/rtt_server.c - see rtt_server.h. */
#include "measure/rtt_server.h"

#include <string.h>
#include <sys/queue.h>

#include "base/mem.h"
#include "net/listener.h"

struct client {
    TAILQ_ENTRY(client) link;
    struct cl_rtt_server *server;
    struct cl_stream *stream;
    size_t matched; /* bytes of the empty line that ends a request's head */
};

struct cl_rtt_server {
    struct cl_hub *hub;
    struct cl_listener *listener;
    struct cleat_tls_config *config;
    uint32_t handshake_ms;
    TAILQ_HEAD(, client) clients;
};

static size_t on_data(void *ctx, uint8_t *p, size_t len)
{
    static const char end[] = "\r\n\r\n";
    static const char response[] = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    struct client *c = ctx;
    for (size_t i = 0; i < len; i++) {
        c->matched = p[i] == (uint8_t)end[c->matched] ? c->matched + 1 : p[i] == '\r' ? 1 : 0;
        if (c->matched == sizeof(end) - 1) {
            (void)cl_stream_write(c->stream, response, sizeof(response) - 1);
            c->matched = 0;
        }
    }
    return len;
}

static void on_closed(void *ctx, const struct cl_stream_end *end)
{
    struct client *c = ctx;
    TAILQ_REMOVE(&c->server->clients, c, link);
    cl_free(c);
}

static const struct cl_stream_handler stream_handler = {.data = on_data, .closed = on_closed};

static void on_incoming(void *ctx, struct cl_tcp *tcp)
{
    struct cl_rtt_server *server = ctx;
    struct cleat_tls *tls = NULL;
    struct client *c = cl_calloc(1, sizeof(*c));
    if (c == NULL || server->config == NULL ||
        cleat_tls_server_new(server->config, NULL, &tls) != CLEAT_OK) {
        cl_free(c);
        cl_tcp_free(tcp);
        return;
    }
    c->server = server;
    struct cl_stream_setup setup = {.tcp = tcp,
                                    .tls = tls,
                                    .handler = &stream_handler,
                                    .ctx = c,
                                    .handshake_ms = server->handshake_ms};
    if (cl_stream_open(server->hub, &setup, &c->stream) != CL_OK) {
        cl_free(c);
        return;
    }
    TAILQ_INSERT_TAIL(&server->clients, c, link);
}

static void on_error(void *ctx, int status)
{
    /* the client that is waited for says that it did not get through */
}

cl_result cl_rtt_server_new(struct cl_hub *hub, struct cl_rtt_server **out, struct cl_addr *addr)
{
    static const struct cl_listener_handler listening = {.incoming = on_incoming,
                                                         .error = on_error};
    struct sockaddr_storage bound = {0};
    struct cl_rtt_server *server = cl_calloc(1, sizeof(*server));
    if (server == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    TAILQ_INIT(&server->clients);
    server->hub = hub;
    bool ok = cl_addr_parse("127.0.0.1", 0, addr);
    memcpy(&bound, addr, sizeof(*addr));
    int fd = ok ? cl_listener_bind(&bound, true) : -1;
    if (fd < 0 ||
        cl_listener_new(cl_hub_loop(hub), fd, &listening, server, &server->listener) != 0) {
        cl_free(server);
        return CLEAT_ERR_SYSTEM;
    }
    memcpy(addr, &bound, sizeof(*addr));
    *out = server;
    return CL_OK;
}

void cl_rtt_server_use(struct cl_rtt_server *server, struct cleat_tls_config *config,
                       uint32_t handshake_ms)
{
    cleat_tls_config_free(server->config);
    server->config = cleat_tls_config_ref(config);
    server->handshake_ms = handshake_ms;
}

void cl_rtt_server_stop(struct cl_rtt_server *server)
{
    struct client *c;
    if (server == NULL) {
        return;
    }
    cl_listener_free(server->listener);
    server->listener = NULL;
    TAILQ_FOREACH(c, &server->clients, link)
    {
        cl_stream_abort(c->stream, NULL);
    }
}

void cl_rtt_server_free(struct cl_rtt_server *server)
{
    if (server != NULL) {
        cleat_tls_config_free(server->config);
        cl_free(server);
    }
}
