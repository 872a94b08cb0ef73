/* serve/session_http.c - HTTP on a session's stream: bytes into the engine, its events to the
 * exchanges, its output and their bodies into the stream. See session.h. Implementation notes:
 *
 * A round works off events until there are none, then moves bytes, a piece of each body in turn
 * (the engine decides which stream's go first), and begins again while that has moved anything; the
 * stream's buffer bounds it. Nothing in a round runs another one.
 * What HTTP/1.1 does not take of the input stays in the stream, so that pipelining costs no memory.
 * Early data (RFC 8470) is held up by that as well, and the end of the handshake stands behind it:
 * what follows a request that waits for that end, or for the client's certificate, is dropped, and
 * the client asks again on another connection (RFC 9112 9.3.2).
 */
#include <string.h>

#include "net/clock.h"
#include "serve/session.h"
#include "serve/ws_carrier.h"

/* 2 MiB: of all request bodies that were not read yet; they are read and dropped at once, but for
 * WebSockets, each of which may have one window */
#define CONNECTION_WINDOW 2097152
/* 10 s: for the engine's last words to find room in the stream, which has a time of its own then */
#define END_US            10000000

cl_result cl_session_begin_http(struct cl_session *s)
{
    struct cleat_http_server_options o;
    struct cleat_tls_info info = {0};
    struct cleat_tls *tls = cl_stream_tls(s->stream);
    cleat_http_server_options_init(&o);
    o.max_body = CL_SERVE_MAX_BODY;
    o.h2.connect_protocol = s->worker->ws != NULL;
    o.h2.connection_window = CONNECTION_WINDOW;
    bool h2 = tls != NULL && cleat_tls_info(tls, &info) == CLEAT_OK && info.alpn != NULL &&
              strcmp(info.alpn, "h2") == 0;
    s->now = cl_clock_mono_us();
    int code = cleat_http_server_new(&o, h2 ? CLEAT_HTTP_2 : CLEAT_HTTP_1, s->now, &s->http);
    if (code != CLEAT_OK) {
        return CLEAT_ERR_NOMEM;
    }
    s->state = CL_SESSION_HTTP;
    if (s->worker->stopping) {
        (void)cleat_http_server_shutdown(s->http, s->now);
    }
    return CL_OK;
}

/* ---- events ---- */

/* An exchange for which there was no memory has none of ours. */
static void tell_exchange(struct cl_session *s, enum cleat_http_server_next next,
                          const struct cleat_http_server_io *io)
{
    /* SWITCHED stays, and tells of no exchange the second time */
    struct cl_exchange *x = io->exchange != NULL ? cleat_http_exchange_ctx(io->exchange) : NULL;
    if (x == NULL) {
        if (next == CLEAT_HTTP_SERVER_DATA) {
            cleat_http_exchange_consume(io->exchange, io->data_len);
        }
        return;
    }
    switch (next) {
    case CLEAT_HTTP_SERVER_DATA:
        cl_exchange_data(x, io);
        return;
    case CLEAT_HTTP_SERVER_END:
        cl_exchange_end(x);
        return;
    case CLEAT_HTTP_SERVER_WRITABLE:
        if (x->ws != NULL) {
            cl_ws_carrier_drained(x);
        }
        return;
    case CLEAT_HTTP_SERVER_SWITCHED:
        cl_ws_carrier_switch(x);
        cl_exchange_gone(x);
        return;
    default: /* GONE, DONE */
        cl_exchange_gone(x);
        return;
    }
}

/* Works off what there is to tell; returns why it stopped. */
static enum cleat_http_server_next work(struct cl_session *s, struct cleat_http_server_io *io)
{
    for (;;) {
        enum cleat_http_server_next next = cleat_http_server_step(s->http, io);
        switch (next) {
        case CLEAT_HTTP_SERVER_NEEDS_INPUT:
        case CLEAT_HTTP_SERVER_BLOCKED:
        case CLEAT_HTTP_SERVER_CLOSE:
        case CLEAT_HTTP_SERVER_FAILED:
            return next;
        case CLEAT_HTTP_SERVER_REQUEST:
            cl_exchange_request(s, io);
            break;
        case CLEAT_HTTP_SERVER_REFUSED:
            cl_exchange_refused(s, io);
            break;
        case CLEAT_HTTP_SERVER_SWITCHED:
            tell_exchange(s, next, io);
            return next;
        default:
            tell_exchange(s, next, io);
            break;
        }
    }
}

/* ---- bytes ---- */

bool cl_session_send_output(struct cl_session *s)
{
    const uint8_t *p;
    size_t len;
    while ((len = cleat_http_server_output(s->http, &p)) != 0) {
        size_t taken = cl_stream_write(s->stream, p, len);
        cleat_http_server_sent(s->http, taken);
        s->moved += taken;
        if (taken < len) {
            return false;
        }
    }
    return true;
}

/* One piece of each body. False: none was moved. */
static bool pump(struct cl_session *s)
{
    struct cl_exchange *x;
    bool moved = false;
    TAILQ_FOREACH(x, &s->exchanges, link)
    {
        moved = cl_exchange_pump(x) || moved;
    }
    return moved;
}

/* As far as the stream has room. False: nothing was moved that there could be news of. */
static bool move(struct cl_session *s)
{
    uint64_t before = s->moved;
    bool pumped = false;
    while (cl_session_send_output(s) && pump(s)) {
        pumped = true;
    }
    return pumped || s->moved != before;
}

/* ---- rounds ---- */

void cl_session_close(struct cl_session *s)
{
    s->state = CL_SESSION_CLOSED;
    cl_worker_list(s->worker, s, CL_WORKER_BUSY);
    /* what was said early is no reason to break the handshake off: on_ready closes */
    if (cl_stream_is_ready(s->stream)) {
        cl_stream_close(s->stream);
    }
}

/* The engine has ended; its last words go out first. HTTP/1.1 that has failed is cut: an orderly
 * end could make a body look complete. */
static void finish(struct cl_session *s, enum cleat_http_server_next how)
{
    if (how == CLEAT_HTTP_SERVER_FAILED) {
        cl_session_log_http(s);
        if (cleat_http_server_protocol(s->http) == CLEAT_HTTP_1) {
            s->state = CL_SESSION_CLOSED;
            cl_stream_abort(s->stream, "see above");
            return;
        }
    }
    if (s->end_by == 0) {
        s->end_by = s->now + END_US;
        cl_stream_deadline(s->stream, END_US / 1000);
    }
    if (cl_session_send_output(s) || s->now >= s->end_by) {
        cl_session_close(s);
    }
}

/* Which list it belongs into: idle is who has nothing under way. */
static void list(struct cl_session *s)
{
    bool idle = cleat_http_server_is_idle(s->http);
    uint64_t num = cleat_http_server_num_requests(s->http);
    enum cl_worker_list to = idle ? CL_WORKER_IDLE : CL_WORKER_BUSY;
    if (!cl_stream_is_ready(s->stream) || (s->list == to && (!idle || s->num_requests == num))) {
        return;
    }
    s->num_requests = num;
    cl_worker_list(s->worker, s, to);
}

static void set_deadline(struct cl_session *s)
{
    uint64_t next = UINT64_MAX;
    cleat_http_server_tick(s->http, s->now, &next);
    if (s->ask_until != 0 && s->ask_until < next) {
        next = s->ask_until;
    }
    /* never 0, which is no deadline; rounded up: a millisecond early would be in vain */
    cl_stream_deadline(s->stream, next == UINT64_MAX ? 0
                                  : next > s->now    ? (next - s->now + 999) / 1000
                                                     : 1);
}

static enum cleat_http_server_next round_of(struct cl_session *s, struct cleat_http_server_io *io)
{
    enum cleat_http_server_next next;
    s->running = true;
    do {
        next = work(s, io);
    } while (next != CLEAT_HTTP_SERVER_SWITCHED && s->state == CL_SESSION_HTTP && move(s));
    s->running = false;
    return next;
}

/* What a round has left to be done. */
static void settle(struct cl_session *s, enum cleat_http_server_next next)
{
    if (next == CLEAT_HTTP_SERVER_SWITCHED) {
        cl_ws_carrier_begin(s);
        return;
    }
    if (s->state != CL_SESSION_HTTP) {
        return;
    }
    if (next == CLEAT_HTTP_SERVER_CLOSE || next == CLEAT_HTTP_SERVER_FAILED) {
        finish(s, next);
        return;
    }
    list(s);
    set_deadline(s);
}

/* Nobody can go on but the client, and what it has sent stands in the way. */
static bool must_drop(const struct cl_session *s)
{
    const struct cl_exchange *x = TAILQ_FIRST(&s->exchanges);
    return x != NULL && (x->state == CL_EXCHANGE_HELD || x->state == CL_EXCHANGE_ASKED);
}

size_t cl_session_take(struct cl_session *s, const uint8_t *p, size_t len)
{
    s->now = cl_clock_mono_us();
    struct cleat_http_server_io io = {
        .in = p,
        .in_len = len,
        .now = s->now,
        .early = !cl_stream_is_ready(s->stream),
    };
    enum cleat_http_server_next next = round_of(s, &io);
    s->blocked = next == CLEAT_HTTP_SERVER_BLOCKED && io.in_used < len;
    if (s->blocked && must_drop(s)) {
        (void)cleat_http_server_shutdown(s->http, s->now);
        s->blocked = false;
        io.in_used = len;
    }
    settle(s, next);
    return s->blocked ? io.in_used : len;
}

static void resume_websockets(struct cl_session *s)
{
    struct cl_exchange *x;
    if (s->worker->ws == NULL) {
        return;
    }
    s->running = true;
    TAILQ_FOREACH(x, &s->exchanges, link)
    {
        cl_ws_carrier_resume(x);
    }
    s->running = false;
}

void cl_session_run(struct cl_session *s)
{
    if (s->running || s->state != CL_SESSION_HTTP) {
        return;
    }
    s->now = cl_clock_mono_us();
    resume_websockets(s);
    struct cleat_http_server_io io = {.now = s->now};
    settle(s, round_of(s, &io));
    if (s->blocked && s->state == CL_SESSION_HTTP) {
        cl_stream_resume(s->stream);
    }
}

static void give_up_certificate(struct cl_session *s)
{
    struct cl_exchange *x;
    s->ask_until = 0;
    TAILQ_FOREACH(x, &s->exchanges, link)
    {
        if (x->state == CL_EXCHANGE_ASKED) {
            cl_exchange_uncertified(x);
        }
    }
}

void cl_session_due(struct cl_session *s)
{
    if (s->state != CL_SESSION_HTTP) {
        return;
    }
    s->now = cl_clock_mono_us();
    cleat_http_server_tick(s->http, s->now, NULL);
    if (s->ask_until != 0 && s->now >= s->ask_until) {
        give_up_certificate(s);
    }
    cl_session_run(s);
}

void cl_session_drop_http(struct cl_session *s)
{
    if (s->http == NULL) {
        return;
    }
    struct cleat_http_server_io io = {.now = cl_clock_mono_us()};
    s->running = true;
    cleat_http_server_abort(s->http);
    (void)work(s, &io);
    s->num_requests = cleat_http_server_num_requests(s->http);
    cleat_http_server_free(s->http);
    s->http = NULL;
    s->running = false;
}
