/* conn/h2_carried.c - see h2_carried.h. Implementation notes:
 *
 * Three owners come and go: whoever waits for `done`, the stream below, the cl_tcp above. Memory
 * goes in a later turn, when the stream below has closed and the two others are through (`over`).
 * What has come and nobody reads above stays in `inbox`; the stream's window, which is opened as it
 * is read, bounds it. Whatever is called from above does its work in the next turn of the stream
 * below (`drained`), so that nothing is told from inside a call.
 */
#include "conn/h2_carried.h"

#include <inttypes.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cleat/h2.h"
#include "conn/carried.h"
#include "net/clock.h"

struct cl_h2_carried {
    struct cl_tcp_carrier carrier; /* first: told by its own address */
    struct cl_h2_connect_spec spec;
    struct cleat_h2 *h2;
    struct cl_tcp *tcp;
    struct cl_stream *below; /* NULL: closed */
    uv_timer_t timer;        /* once closing; its handle's end is the end of all this */
    uint32_t stream;         /* 0: not asked yet */
    struct cl_buf inbox;
    const uint8_t *rest; /* of a send under way */
    size_t rest_len;
    bool waiting; /* for `done` */
    bool carries; /* the cl_tcp has an owner */
    bool over;    /* nobody is above (any more) */
    bool got_end; /* END_STREAM, behind the inbox */
    bool ended;   /* and that was told above */
    bool failed;
    int status; /* what the end is: 0, or a libuv code */
};

/* ---- the end ---- */

static void on_timer_closed(uv_handle_t *handle)
{
    struct cl_h2_carried *c = handle->data;
    cl_tcp_drop(c->tcp);
    cleat_h2_free(c->h2);
    cl_buf_deinit(&c->inbox);
    cl_free(c);
}

static void on_time(uv_timer_t *timer)
{
    struct cl_h2_carried *c = timer->data;
    if (c->below != NULL) {
        cl_stream_abort(c->below, NULL);
    }
}

static void flush(struct cl_h2_carried *c)
{
    const uint8_t *p;
    size_t len;
    while (c->below != NULL && (len = cleat_h2_output(c->h2, &p)) > 0) {
        const size_t taken = cl_stream_write(c->below, p, len);
        cleat_h2_sent(c->h2, taken);
        if (taken < len) {
            return;
        }
    }
}

/* Nobody is above: ends the connection. */
static void leave(struct cl_h2_carried *c)
{
    c->over = true;
    if (c->below == NULL) {
        uv_close((uv_handle_t *)&c->timer, on_timer_closed);
        return;
    }
    if (c->stream != 0) {
        cleat_h2_reset(c->h2, c->stream, CLEAT_H2_CANCEL); /* unless it is through */
    }
    (void)cleat_h2_shutdown(c->h2, cl_clock_mono_us());
    flush(c);
    cl_stream_close(c->below);
    uv_update_time(c->timer.loop);
    (void)uv_timer_start(&c->timer, on_time, CL_CARRIED_CLOSE_MS, 0);
}

/* ---- asking ---- */

static void finish(struct cl_h2_carried *c, struct cl_h2_connected *result)
{
    c->waiting = false;
    result->tcp = c->tcp;
    c->carries = true; /* for what is called on the transport in `done` */
    c->carries = c->spec.done(c->spec.ctx, result);
    if (!c->carries && !c->over) {
        leave(c);
    }
}

static void fail(struct cl_h2_carried *c, struct cl_why why, const char *text)
{
    struct cl_h2_connected result = {0};
    if (!c->waiting) {
        c->status = UV_ECONNRESET;
        c->got_end = true;
        return;
    }
    if (cleat_h2_error(c->h2, &result.error) == CLEAT_OK) {
        (void)cl_error_set(&result.error, why, "%s", text);
    }
    finish(c, &result);
}

static void ask(struct cl_h2_carried *c)
{
    struct cleat_http_head h;
    const struct cl_rd text = c->spec.request;
    if (!cleat_h2_settled(c->h2) || c->stream != 0) {
        return;
    }
    if (!cleat_h2_allows_connect(c->h2)) {
        struct cl_h2_connected result = {.unsupported = true};
        (void)cl_error_set(&result.error,
                           (struct cl_why){.code = CLEAT_ERR_UNSUPPORTED, .section = "RFC 8441 3"},
                           "the server's SETTINGS do not allow extended CONNECT");
        finish(c, &result);
        return;
    }
    cleat_http_request_init(&h);
    h.max_head = UINT16_MAX;
    if (cleat_http_head_feed(&h, text.p, text.len, NULL) != CLEAT_HTTP_COMPLETE ||
        cleat_h2_request(c->h2, &h, true, c->spec.protocol, false, c, &c->stream) != CLEAT_OK) {
        fail(c, (struct cl_why){.code = CLEAT_ERR_USAGE}, "the request cannot be sent by HTTP/2");
        return;
    }
    cl_trace_note(c->spec.trace, "http", "stream %" PRIu32 ": CONNECT, :protocol %s", c->stream,
                  c->spec.protocol);
    cl_trace_http_head(c->spec.trace, c->stream, true, (const char *)text.p, text.len);
}

/* ---- what the stream below brings ---- */

/* Hands over what nobody read before. */
static void deliver(struct cl_h2_carried *c)
{
    if (c->over || !c->carries) {
        return;
    }
    if (c->inbox.len > 0) {
        const size_t n = cl_tcp_arrived(c->tcp, c->inbox.p, c->inbox.len);
        cleat_h2_consume(c->h2, c->stream, n);
        cl_buf_drop(&c->inbox, n);
    }
    if (c->inbox.len == 0) {
        cl_buf_deinit(&c->inbox);
    }
    if (c->inbox.len == 0 && c->got_end && !c->ended && !c->over) {
        c->ended = true;
        cl_tcp_arrived_end(c->tcp, c->status);
    }
}

static void on_data_frame(struct cl_h2_carried *c, const struct cleat_h2_io *io)
{
    if (!c->carries) {
        cleat_h2_consume(c->h2, io->stream, io->data_len);
    } else if (cl_buf_append(&c->inbox, io->data, io->data_len, SIZE_MAX) == CL_OK) {
        deliver(c);
    } else {
        cl_stream_abort(c->below, "out of memory");
    }
}

static void send_rest(struct cl_h2_carried *c)
{
    size_t taken = 0;
    if (c->rest_len == 0 || c->over) {
        return;
    }
    if (cleat_h2_write(c->h2, c->stream, c->rest, c->rest_len, false, &taken) != CLEAT_OK) {
        return; /* the stream is gone, which is told */
    }
    c->rest += taken;
    c->rest_len -= taken;
    if (c->rest_len == 0) {
        cl_tcp_sent_rest(c->tcp, 0);
    }
}

static void on_head(struct cl_h2_carried *c, const struct cleat_h2_io *io)
{
    struct cl_h2_connected result = {.head = io->head};
    cl_trace_http_head(c->spec.trace, io->stream, false, io->head->base, io->head->len);
    if (c->waiting && io->head->status >= 200) {
        finish(c, &result);
    }
}

static void on_event(struct cl_h2_carried *c, enum cleat_h2_next what, const struct cleat_h2_io *io)
{
    const struct cl_why why = {.code = CLEAT_ERR_HTTP_TRUNCATED, .section = "RFC 9113 5.4"};
    if (what == CLEAT_H2_HEAD) {
        on_head(c, io);
    } else if (what == CLEAT_H2_DATA) {
        on_data_frame(c, io);
    } else if (what == CLEAT_H2_END) {
        c->got_end = true;
    } else if (what == CLEAT_H2_WRITABLE) {
        send_rest(c);
    } else if (what == CLEAT_H2_RESET || what == CLEAT_H2_REFUSED) {
        cl_trace_note(c->spec.trace, "http", "stream %" PRIu32 " was reset: %s", io->stream,
                      cleat_h2_code_name(io->code));
        fail(c, why, "the server reset the stream");
    } else if (what == CLEAT_H2_FAILED) {
        c->failed = true;
        flush(c);
        fail(c, why, "the connection broke HTTP/2");
    }
}

static bool run(struct cl_h2_carried *c, struct cleat_h2_io *io)
{
    bool any = false;
    io->now = cl_clock_mono_us();
    while (!c->over && !c->failed) {
        const enum cleat_h2_next next = cleat_h2_step(c->h2, io);
        if (next == CLEAT_H2_NEEDS_INPUT) {
            break;
        }
        any = true;
        on_event(c, next, io);
    }
    if (!c->over && c->waiting && !c->failed) {
        ask(c);
    }
    return any;
}

/* Everything that there is to do, until there is nothing more. */
static void settle(struct cl_h2_carried *c)
{
    struct cleat_h2_io none = {0};
    uint64_t next = UINT64_MAX;
    do {
        flush(c);
        deliver(c);
    } while (run(c, &none));
    flush(c);
    if (c->over || c->below == NULL) {
        return;
    }
    const uint64_t now = cl_clock_mono_us();
    cleat_h2_tick(c->h2, now, &next);
    const uint64_t us = next == UINT64_MAX ? 0 : next > now ? next - now : 1;
    cl_stream_deadline(c->below, (us + 999) / 1000);
}

static size_t on_data(void *ctx, uint8_t *p, size_t len)
{
    struct cl_h2_carried *c = ctx;
    struct cleat_h2_io io = {.in = p, .in_len = len};
    if (!c->over) {
        (void)run(c, &io);
        settle(c);
    }
    return len;
}

static void on_turn(void *ctx)
{
    struct cl_h2_carried *c = ctx;
    if (!c->over) {
        settle(c);
    }
}

static void end(struct cl_h2_carried *c, int status, const char *text)
{
    if (c->over) {
        return;
    }
    c->status = c->got_end ? c->status : status;
    c->got_end = true;
    if (c->waiting) {
        fail(c, (struct cl_why){.code = CLEAT_ERR_TRUNCATED}, text);
    } else {
        deliver(c);
    }
}

static void on_eof(void *ctx)
{
    end(ctx, UV_ECONNRESET, "the server closed the connection without an answer");
}

static void on_closed(void *ctx, const struct cl_stream_end *how)
{
    struct cl_h2_carried *c = ctx;
    c->below = NULL;
    if (c->over) {
        uv_close((uv_handle_t *)&c->timer, on_timer_closed);
        return;
    }
    end(c, how->sys != 0 ? how->sys : UV_ECONNRESET, how->error.text);
}

static const struct cl_stream_handler handler = {
    .data = on_data,
    .drained = on_turn,
    .deadline = on_turn,
    .eof = on_eof,
    .closed = on_closed,
};

/* ---- what is asked from above ---- */

static struct cl_h2_carried *of(struct cl_tcp_carrier *carrier)
{
    return (struct cl_h2_carried *)carrier;
}

/* In the next turn. */
static void go_on(struct cl_h2_carried *c)
{
    if (c->below != NULL) {
        cl_stream_want_drained(c->below);
    }
}

static void read_above(struct cl_tcp_carrier *carrier, bool on)
{
    struct cl_h2_carried *c = of(carrier);
    if (on && (c->inbox.len > 0 || c->got_end)) {
        go_on(c);
    }
}

static ssize_t send_above(struct cl_tcp_carrier *carrier, const uint8_t *p, size_t len)
{
    struct cl_h2_carried *c = of(carrier);
    size_t taken = 0;
    if (c->below == NULL || c->failed ||
        cleat_h2_write(c->h2, c->stream, p, len, false, &taken) != CLEAT_OK) {
        return UV_ECONNRESET;
    }
    c->rest = p + taken;
    c->rest_len = len - taken;
    flush(c);
    go_on(c);
    return (ssize_t)taken;
}

static void finish_above(struct cl_tcp_carrier *carrier)
{
    struct cl_h2_carried *c = of(carrier);
    size_t taken;
    (void)cleat_h2_write(c->h2, c->stream, NULL, 0, true, &taken); /* once; or it is gone */
    flush(c);
    go_on(c);
}

static void close_above(struct cl_tcp_carrier *carrier)
{
    struct cl_h2_carried *c = of(carrier);
    c->carries = false;
    leave(c);
}

static bool is_at_end(const struct cl_tcp_carrier *carrier)
{
    const struct cl_h2_carried *c = (const struct cl_h2_carried *)carrier;
    return c->got_end && c->inbox.len == 0;
}

static const struct cl_tcp *socket_below(const struct cl_tcp_carrier *carrier)
{
    const struct cl_h2_carried *c = (const struct cl_h2_carried *)carrier;
    return c->below != NULL ? cl_stream_tcp(c->below) : NULL;
}

static size_t unsent(const struct cl_tcp_carrier *carrier)
{
    const struct cl_h2_carried *c = (const struct cl_h2_carried *)carrier;
    const struct cl_tcp *tcp = socket_below(carrier);
    return c->rest_len + (tcp != NULL ? cl_tcp_unsent(tcp) : 0);
}

/* ---- */

cl_result cl_h2_connect(const struct cl_h2_connect_spec *spec, struct cl_h2_carried **out)
{
    struct cleat_h2_options o;
    struct cl_h2_carried *c = cl_calloc(1, sizeof(*c));
    if (c == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    c->carrier = (struct cl_tcp_carrier){.read = read_above,
                                         .send = send_above,
                                         .finish = finish_above,
                                         .close = close_above,
                                         .is_at_end = is_at_end,
                                         .below = socket_below,
                                         .unsent = unsent};
    cleat_h2_options_init(&o, false);
    o.stall_timeout = 0; /* who is above has its own clock */
    if (cleat_h2_client_new(&o, &c->h2) != CLEAT_OK ||
        cl_tcp_new_carried(cl_hub_loop(spec->hub), &c->carrier, &c->tcp) != CL_OK) {
        cleat_h2_free(c->h2);
        cl_free(c);
        return CLEAT_ERR_NOMEM;
    }
    (void)uv_timer_init(cl_hub_loop(spec->hub), &c->timer);
    c->timer.data = c;
    c->spec = *spec;
    c->below = spec->stream;
    c->waiting = true;
    cl_stream_handle(c->below, &handler, c);
    cl_stream_want_drained(c->below); /* the preface goes out in the turn */
    *out = c;
    return CL_OK;
}

void cl_h2_connect_cancel(struct cl_h2_carried *c)
{
    if (c != NULL && c->waiting) {
        c->waiting = false;
        leave(c);
    }
}
