/* serve/ws_carrier.c - see ws_carrier.h. */
#include "serve/ws_carrier.h"

#include "serve/ws_conn.h"

/* 64 KiB: more than the window of a stream */
#define MAX_INBOX 65536

/* ---- the stream of an HTTP/1.1 connection ---- */

/* The engine's last words, the 101, go first. False: not all of them have gone. */
static bool end_http(struct cl_session *s)
{
    if (s->http == NULL) {
        return true;
    }
    if (!cl_session_send_output(s)) {
        return false;
    }
    cl_session_drop_http(s);
    return true;
}

static size_t write_stream(struct cl_websocket *w, const void *p, size_t len)
{
    struct cl_session *s = w->session;
    bool mine = s->ws == w && end_http(s);
    return mine ? cl_stream_write(s->stream, p, len) : 0;
}

static void resume_stream(struct cl_websocket *w)
{
    cl_stream_resume(w->session->stream);
}

static void close_stream(struct cl_websocket *w)
{
    cl_session_close(w->session);
}

static void abort_stream(struct cl_websocket *w, const char *why)
{
    cl_stream_abort(w->session->stream, why);
}

/* What the kernel still holds has not arrived. */
static size_t unsent_stream(const struct cl_websocket *w)
{
    return cl_tcp_unsent(cl_stream_tcp(w->session->stream));
}

const struct cl_ws_carrier cl_ws_over_stream = {
    .write = write_stream,
    .resume = resume_stream,
    .close = close_stream,
    .abort = abort_stream,
    .unsent = unsent_stream,
};

static size_t on_data(void *ctx, uint8_t *p, size_t len)
{
    return cl_websocket_data(ctx, p, len);
}

static void on_drained(void *ctx)
{
    struct cl_websocket *w = ctx;
    if (end_http(w->session)) {
        cl_websocket_drained(w);
    }
}

static void on_eof(void *ctx)
{
    cl_websocket_eof(ctx);
}

static void on_closed(void *ctx, const struct cl_stream_end *end)
{
    struct cl_websocket *w = ctx;
    struct cl_session *s = w->session;
    s->ws = NULL;
    cl_websocket_gone(w);
    cl_session_closed(s, end);
}

static const struct cl_stream_handler handler = {
    .data = on_data,
    .drained = on_drained,
    .eof = on_eof,
    .closed = on_closed,
};

void cl_ws_carrier_switch(struct cl_exchange *x)
{
    struct cl_session *s = x->session;
    s->ws = x->ws;
    s->ws->x = NULL;
    x->ws = NULL;
    s->state = CL_SESSION_UPGRADED;
}

void cl_ws_carrier_begin(struct cl_session *s)
{
    cl_worker_list(s->worker, s, CL_WORKER_BUSY);
    cl_stream_handle(s->stream, &handler, s->ws);
    cl_stream_deadline(s->stream, 0);
    (void)end_http(s);
    cl_websocket_flush(s->ws);
}

/* ---- an exchange of HTTP/2 ---- */

/* The engine is run at the end of the turn: this may be inside of one of its events, or of a call
 * of the WebSocket's. */
static void run_later(struct cl_session *s)
{
    if (!s->running) {
        cl_stream_want_drained(s->stream);
    }
}

static size_t write_exchange(struct cl_websocket *w, const void *p, size_t len)
{
    size_t taken = 0;
    if (w->x != NULL) {
        (void)cleat_http_exchange_write(w->x->wire, p, len, false, &taken);
        run_later(w->session);
    }
    return taken;
}

static void resume_exchange(struct cl_websocket *w)
{
    w->inbox.wanted = true;
    run_later(w->session);
}

/* RFC 8441 5: an orderly end of TCP is END_STREAM. */
static void close_exchange(struct cl_websocket *w)
{
    size_t taken = 0;
    if (w->x != NULL) {
        (void)cleat_http_exchange_write(w->x->wire, "", 0, true, &taken);
        run_later(w->session);
    }
}

/* RFC 8441 5: "TCP connection … reset … RST_STREAM with CANCEL" */
static void abort_exchange(struct cl_websocket *w, const char *why)
{
    struct cleat_error err = {0};
    if (w->x == NULL) {
        return;
    }
    if (!w->closing) {
        (void)cl_error_set(&err, (struct cl_why){.code = CLEAT_ERR_CLOSED}, "%s", why);
        cl_session_log_failure(w->session, "WebSocket given up", &err);
    }
    cleat_http_exchange_reset(w->x->wire, CLEAT_H2_CANCEL);
    run_later(w->session);
}

/* Nothing is taken that the client's window does not let through. */
static size_t unsent_exchange(const struct cl_websocket *w)
{
    return 0;
}

const struct cl_ws_carrier cl_ws_over_exchange = {
    .write = write_exchange,
    .resume = resume_exchange,
    .close = close_exchange,
    .abort = abort_exchange,
    .unsent = unsent_exchange,
};

/* Offers what has come until the WebSocket leaves some of it. */
static void offer(struct cl_websocket *w)
{
    struct cl_ws_inbox *in = &w->inbox;
    in->wanted = false;
    while (in->now.len > 0 || in->more.len > 0) {
        if (in->now.len == 0) {
            cl_buf_deinit(&in->now);
            in->now = in->more;
            in->more = (struct cl_buf){0};
        }
        size_t len = in->now.len;
        if (!w->closing && cl_websocket_data(w, in->now.p, len) == 0) {
            return;
        }
        cleat_http_exchange_consume(w->x->wire, len);
        in->now.len = 0;
    }
    cl_buf_deinit(&in->now);
}

void cl_ws_carrier_data(struct cl_exchange *x, const uint8_t *p, size_t len)
{
    struct cl_websocket *w = x->ws;
    bool held = w->inbox.now.len > 0;
    if (cl_buf_append(held ? &w->inbox.more : &w->inbox.now, p, len, MAX_INBOX) != CL_OK) {
        abort_exchange(w, "out of memory");
        return;
    }
    if (!held) {
        offer(w);
    }
}

void cl_ws_carrier_eof(struct cl_exchange *x)
{
    cl_websocket_eof(x->ws);
}

void cl_ws_carrier_drained(struct cl_exchange *x)
{
    cl_websocket_drained(x->ws);
    cl_ws_carrier_resume(x);
}

void cl_ws_carrier_resume(struct cl_exchange *x)
{
    if (x->ws != NULL && x->ws->inbox.wanted) {
        offer(x->ws);
    }
}

void cl_ws_carrier_gone(struct cl_exchange *x)
{
    struct cl_websocket *w = x->ws;
    x->ws = NULL;
    w->x = NULL;
    cl_websocket_gone(w);
}
