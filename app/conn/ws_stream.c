/* conn/ws_stream.c - see ws_stream.h. Implementation notes:
 *
 * The stream's deadline is the only timer: while the connection is open it is when cleat_ws_tick is
 * due, once it is over (`ending`) how long we wait for the other end. It is set anew after
 * everything that happens. The stream calls `drained` once its output is empty; only then more is
 * queued there, so what overtakes data (pongs, a close frame) waits behind one buffer at the most.
 */
#include "conn/ws_stream.h"

#include "net/clock.h"

/* 1 s: after a pause the peer's pong may have been in the socket for long; it is read before the
 * connection is asked what is overdue */
#define AFTER_PAUSE_US 1000000

static void tell_failure(struct cl_ws_stream *s)
{
    if (!s->failed_told) {
        s->failed_told = true;
        s->handler->event(s->ctx, CLEAT_WS_FAILED, &(struct cleat_ws_io){0});
    }
}

/* Moves what is queued to the stream. False: the stream has no room for all of it. */
static bool pump(struct cl_ws_stream *s)
{
    const uint8_t *p;
    size_t len;
    while ((len = cleat_ws_output(s->ws, &p)) > 0) {
        size_t taken = cl_stream_write(s->stream, p, len);
        cleat_ws_sent(s->ws, taken);
        if (taken < len) {
            return false;
        }
    }
    return true;
}

/* Sends, and sees whether the connection is over. */
static void send_out(struct cl_ws_stream *s)
{
    bool all = pump(s);
    enum cleat_ws_state state = cleat_ws_state(s->ws);
    bool over = state == CLEAT_WS_CLOSED || state == CLEAT_WS_BROKEN;
    if (!over) {
        return;
    }
    /* RFC 6455 7.1.1: "the underlying TCP connection, in most normal cases, SHOULD be closed first
     * by the server" */
    bool wait_for_server = state == CLEAT_WS_CLOSED && s->is_client;
    if (all && !wait_for_server) {
        cl_stream_close(s->stream);
    } else if (!s->ending) {
        s->ending = true;
        cl_stream_deadline(s->stream, CL_WS_STREAM_END_MS);
    }
}

/* Sets the deadline to when there is something to do; now, if it is due. */
static void arm(struct cl_ws_stream *s, uint64_t now, uint64_t next)
{
    if (s->ending) {
        return;
    }
    uint64_t us = next == UINT64_MAX ? 0 : next > now ? next - now : 1;
    cl_stream_deadline(s->stream, (us + 999) / 1000);
}

/* After everything that happened in a callback of the stream. */
static void settle(struct cl_ws_stream *s)
{
    uint64_t now = cl_clock_mono_us();
    uint64_t next = UINT64_MAX;
    /* Whoever does not read cannot say that the peer is silent. */
    if (!s->paused && cleat_ws_tick(s->ws, now, &next) != CLEAT_OK) {
        tell_failure(s);
    }
    send_out(s);
    if (s->want_drained && cleat_ws_queued(s->ws) == 0) {
        s->want_drained = false;
        if (s->handler->drained != NULL) {
            s->handler->drained(s->ctx);
            send_out(s);
        }
    }
    arm(s, now, s->more && !s->paused ? now : next);
}

/* Steps until everything is consumed, or the application has paused. */
static void run(struct cl_ws_stream *s, struct cleat_ws_io *io)
{
    s->more = false;
    while (!s->paused) {
        enum cleat_ws_next next = cleat_ws_step(s->ws, io);
        if (next == CLEAT_WS_NEEDS_INPUT) {
            return;
        }
        if (next == CLEAT_WS_FAILED) {
            io->in_used = io->in_len;
            tell_failure(s);
            return;
        }
        s->code = next == CLEAT_WS_CLOSE ? io->code : s->code;
        s->handler->event(s->ctx, next, io);
    }
    s->more = true;
}

static size_t on_data(void *ctx, uint8_t *p, size_t len)
{
    struct cl_ws_stream *s = ctx;
    struct cleat_ws_io io = {.in = p, .in_len = len, .now = cl_clock_mono_us()};
    do {
        run(s, &io);
        settle(s);
    } while (!s->paused && io.in_used < len);
    return io.in_used;
}

size_t cl_ws_stream_take(struct cl_ws_stream *s, uint8_t *p, size_t len)
{
    return len > 0 ? on_data(s, p, len) : 0;
}

static void on_drained(void *ctx)
{
    settle(ctx);
}

static void on_deadline(void *ctx)
{
    struct cl_ws_stream *s = ctx;
    if (s->ending) {
        cl_stream_close(s->stream);
        return;
    }
    if (s->more) {
        struct cleat_ws_io io = {.now = cl_clock_mono_us()};
        run(s, &io);
    }
    settle(s);
}

static void on_eof(void *ctx)
{
    struct cl_ws_stream *s = ctx;
    if (cleat_ws_eof(s->ws) != CLEAT_OK) {
        tell_failure(s);
    }
    cl_stream_close(s->stream);
}

static void on_closed(void *ctx, const struct cl_stream_end *how)
{
    struct cl_ws_stream *s = ctx;
    struct cl_ws_end end = {.code = s->code, .stream = how};
    end.clean = cleat_ws_eof(s->ws) == CLEAT_OK;
    (void)cleat_ws_error(s->ws, &end.error);
    struct cleat_ws *ws = s->ws;
    s->handler->closed(s->ctx, &end);
    cleat_ws_free(ws);
}

static const struct cl_stream_handler on_stream = {
    .data = on_data,
    .drained = on_drained,
    .eof = on_eof,
    .deadline = on_deadline,
    .closed = on_closed,
};

void cl_ws_stream_open(struct cl_ws_stream *s, struct cl_stream *stream, struct cleat_ws *ws,
                       bool is_client, const struct cl_ws_handler *handler, void *ctx)
{
    *s = (struct cl_ws_stream){.stream = stream,
                               .ws = ws,
                               .handler = handler,
                               .ctx = ctx,
                               .code = CLEAT_WS_ABNORMAL,
                               .is_client = is_client};
    cl_stream_handle(stream, &on_stream, s);
    uint64_t now = cl_clock_mono_us();
    uint64_t next = UINT64_MAX;
    (void)cleat_ws_tick(ws, now, &next); /* which starts the clock of its pings */
    arm(s, now, next);
}

void cl_ws_stream_flush(struct cl_ws_stream *s)
{
    uint64_t now = cl_clock_mono_us();
    send_out(s);
    arm(s, now, now); /* when the close frame is due, for instance: tick tells */
}

void cl_ws_stream_want_drained(struct cl_ws_stream *s)
{
    s->want_drained = true;
    cl_stream_want_drained(s->stream);
}

void cl_ws_stream_pause(struct cl_ws_stream *s)
{
    s->paused = true;
}

void cl_ws_stream_resume(struct cl_ws_stream *s)
{
    if (s->paused) {
        uint64_t now = cl_clock_mono_us();
        s->paused = false;
        cl_stream_resume(s->stream);
        arm(s, now, s->more ? now : now + AFTER_PAUSE_US);
    }
}
