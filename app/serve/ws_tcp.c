/* serve/ws_tcp.c - `--ws-tcp`: a bridge to a TCP server. The bytes of messages go there; what comes
 * from there are binary messages, cut as it comes.
 *
 * Back-pressure: each side is not read from while the other does not take. The server's FIN closes
 * the WebSocket with 1000, behind everything that came before; the client's close frame sends FIN.
 * A bridge lives until both of its sides have let go of it.
 */
#include "base/mem.h"
#include "conn/dial.h"
#include "serve/log.h"
#include "serve/ws_conn.h"

/* 10 s: for looking up and connecting; who waits longer has gone */
#define CONNECT_MS 10000

struct cl_ws_bridge {
    LIST_ENTRY(cl_ws_bridge) link;
    struct cl_ws_hub *hub;
    struct cl_websocket *w; /* NULL: it has gone */
    struct cl_dial *dial;   /* NULL: done */
    struct cl_stream *stream;
    bool ended; /* FIN has come from there */
};

static void free_if_over(struct cl_ws_bridge *b)
{
    struct cl_ws_hub *hub = b->hub;
    if (b->w != NULL || b->stream != NULL) {
        return;
    }
    LIST_REMOVE(b, link);
    cl_free(b);
    hub->changed(hub->ctx);
}

/* ---- from the server ---- */

static size_t on_data(void *ctx, uint8_t *p, size_t len)
{
    struct cl_ws_bridge *b = ctx;
    if (b->w == NULL) {
        return len;
    }
    bool full = cl_websocket_send(b->w, true, p, len) == CLEAT_ERR_WS_QUEUE_FULL;
    cl_websocket_flush(b->w);
    return full ? 0 : len;
}

static void on_drained(void *ctx)
{
    struct cl_ws_bridge *b = ctx;
    if (b->w != NULL) {
        cl_websocket_resume(b->w);
    }
}

/* For the client, too, that is the end. */
static void end_websocket(struct cl_ws_bridge *b, uint16_t code, const char *reason)
{
    if (b->w != NULL) {
        cl_websocket_close(b->w, code, reason);
        cl_websocket_resume(b->w);
        cl_websocket_flush(b->w);
    }
}

static void on_eof(void *ctx)
{
    struct cl_ws_bridge *b = ctx;
    b->ended = true;
    end_websocket(b, CLEAT_WS_NORMAL, NULL);
}

static void tell(const struct cl_ws_bridge *b, const char *text)
{
    cl_log_line(b->hub->errors, "cleat: %s: %s: %s:%u: %s", b->w->session->peer,
                b->w->endpoint->path, b->w->endpoint->host, b->w->endpoint->port, text);
}

static void on_closed(void *ctx, const struct cl_stream_end *end)
{
    struct cl_ws_bridge *b = ctx;
    b->stream = NULL;
    if (b->w != NULL && !b->ended) {
        tell(b, end->error.text);
        end_websocket(b, CLEAT_WS_BAD_GATEWAY, "the server behind has gone");
    }
    free_if_over(b);
}

static const struct cl_stream_handler handler = {
    .data = on_data,
    .drained = on_drained,
    .eof = on_eof,
    .closed = on_closed,
};

/* ---- to the server ---- */

static bool tcp_message(struct cl_websocket *w, struct cl_ws_piece *piece)
{
    struct cl_ws_bridge *b = w->state;
    if (b->stream == NULL) {
        return b->dial == NULL; /* not yet, or never */
    }
    size_t taken = cl_stream_write(b->stream, piece->p, piece->len);
    piece->p += taken;
    piece->len -= taken;
    return piece->len == 0;
}

static void tcp_writable(struct cl_websocket *w)
{
    struct cl_ws_bridge *b = w->state;
    if (b->stream != NULL) {
        cl_stream_resume(b->stream);
    }
}

/* ---- beginning and end ---- */

static void on_dialled(void *ctx, const struct cl_dial_result *result)
{
    struct cl_ws_bridge *b = ctx;
    b->dial = NULL;
    if (result->stage == CL_DIAL_DONE) {
        b->stream = result->stream;
        cl_websocket_resume(b->w);
        return;
    }
    tell(b, result->error.text);
    end_websocket(b, CLEAT_WS_BAD_GATEWAY, "the server behind cannot be reached");
}

static int tcp_open(struct cl_websocket *w, const struct cleat_http_head *head,
                    struct cleat_error *err)
{
    struct cl_ws_bridge *b = cl_calloc(1, sizeof(*b));
    const struct cl_dial_spec spec = {
        .hub = w->session->worker->hub,
        .dns = w->hub->dns,
        .host = w->endpoint->host,
        .port = w->endpoint->port,
        .family = AF_UNSPEC,
        .timeout_ms = CONNECT_MS,
        .server_name = w->endpoint->host,
        .handler = &handler,
        .ctx = b,
        .done = on_dialled,
    };
    if (b == NULL || cl_dial(&spec, &b->dial) != CL_OK) {
        cl_free(b);
        cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
        return 503;
    }
    b->hub = w->hub;
    b->w = w;
    LIST_INSERT_HEAD(&w->hub->bridges, b, link);
    w->state = b;
    return 0;
}

static void tcp_close(struct cl_websocket *w)
{
    struct cl_ws_bridge *b = w->state;
    w->state = NULL;
    b->w = NULL;
    cl_dial_cancel(b->dial);
    b->dial = NULL;
    if (b->stream != NULL) {
        cl_stream_close(b->stream);
    }
    free_if_over(b);
}

void cl_ws_bridges_abort(struct cl_ws_hub *hub)
{
    struct cl_ws_bridge *b;
    LIST_FOREACH(b, &hub->bridges, link)
    {
        if (b->stream != NULL) {
            cl_stream_abort(b->stream, "the server stops");
        }
    }
}

const struct cl_ws_kind cl_ws_tcp = {
    .open = tcp_open,
    .message = tcp_message,
    .writable = tcp_writable,
    .close = tcp_close,
};
