/* cli/get_h2.c - HTTP/2 on a connection (RFC 9113): each exchange a stream, as many at a time as
 * the server allows.
 *
 * The connection's deadline is the clock of cleat_h2_tick(). Whatever happens ends in settle():
 * what there is to send goes out, and what became of it (room in a queue, a reset) is told, until
 * nothing is left to tell.
 */
#include "cli/get_h2.h"

#include <inttypes.h>

#include "cli/get_codes.h"
#include "net/clock.h"

#define GAVE_UP_HINT "the server, or something between, gave up: try again, and look at its log"

/* ---- sending ---- */

static void flush(struct get_conn *c)
{
    const uint8_t *p;
    size_t len;
    while ((len = cleat_h2_output(c->h2, &p)) > 0) {
        const size_t taken = cl_stream_write(c->stream, p, len);
        cleat_h2_sent(c->h2, taken);
        if (taken < len) {
            return;
        }
    }
}

static void pump(struct get_conn *c, struct get_exchange *x)
{
    size_t taken = 0;
    enum get_fill fill;
    while ((fill = get_exchange_fill(x, false)) == GET_FILLED) {
        const size_t want = x->piece.len - x->piece_at;
        if (cleat_h2_write(c->h2, x->stream, x->piece.p + x->piece_at, want, false, &taken) !=
            CLEAT_OK) {
            return; /* the stream is gone, which will be told */
        }
        x->piece_at += taken;
        if (taken < want) {
            return;
        }
    }
    if (fill == GET_FILL_NOTHING && x->body_ended && !x->end_sent) {
        x->end_sent = true;
        (void)cleat_h2_write(c->h2, x->stream, NULL, 0, true, &taken);
    }
}

/* Takes the exchange off before anything else is told of its stream. */
static void let_go(struct get_conn *c, const struct get_exchange *x)
{
    cleat_h2_stream_set(c->h2, x->stream, NULL);
}

static bool submit(struct cleat_h2 *h2, struct get_exchange *x, struct cleat_error *err)
{
    struct cleat_http_head h;
    cleat_http_request_init(&h);
    h.max_head = UINT16_MAX;
    int code = cleat_http_head_feed(&h, x->head.p, x->head.len, err);
    if (code == CLEAT_OK) {
        code = cleat_h2_request(h2, &h, true, NULL, x->body == NULL, x, &x->stream);
    } else if (code == CLEAT_HTTP_MORE) {
        code = CLEAT_ERR_HTTP_SYNTAX;
    }
    x->end_sent = x->body == NULL;
    if (code != CLEAT_OK && err->code == 0) {
        (void)cl_error_set(err, (struct cl_why){.code = (cl_result)code}, "%s",
                           cleat_error_sentence(code));
    }
    return code == CLEAT_OK;
}

static void settle(struct get_conn *c);

static void start(struct get_conn *c, struct get_exchange *x)
{
    struct cleat_error err = {0};
    c->is_last = c->is_last || get_exchange_says_close(x);
    if (x->stream == 0 && !submit(c->h2, x, &err)) {
        get_exchange_fail_with(
            x, &(struct get_failure){.exit_code = GET_EXIT_SEND, .stage = "http", .err = &err});
        return;
    }
    x->head_sent = x->head.len;
    cl_trace_http_head(get_conn_trace(c), x->stream, true, (const char *)x->head.p, x->head.len);
    if (x->body != NULL) {
        pump(c, x);
    }
    settle(c);
}

static void go_on(struct get_conn *c, struct get_exchange *x)
{
    pump(c, x);
    settle(c);
}

static void forget(struct get_conn *c, struct get_exchange *x)
{
    let_go(c, x);
    cleat_h2_reset(c->h2, x->stream, CLEAT_H2_CANCEL);
    if (!c->is_closing) {
        settle(c);
    }
}

/* ---- what comes ---- */

static void fail(struct get_conn *c, struct get_exchange *x, int exit_code,
                 const struct cleat_error *err)
{
    let_go(c, x);
    get_exchange_fail_with(
        x, &(struct get_failure){.exit_code = exit_code, .stage = "http", .err = err});
}

static void answered(struct get_exchange *x)
{
    if (!x->answered) {
        x->answered = true;
        x->handler->first(x->ctx);
    }
}

/* As HTTP/1.1 would spell it, behind "HTTP/2". */
static bool spell(struct get_conn *c, const struct cleat_http_head *head)
{
    const size_t skip = strlen("HTTP/1.1");
    c->in.len = 0;
    return cl_buf_append(&c->in, "HTTP/2", 6, SIZE_MAX) == CL_OK &&
           cl_buf_append(&c->in, head->base + skip, head->len - skip, SIZE_MAX) == CL_OK;
}

static void on_head(struct get_conn *c, struct get_exchange *x, const struct cleat_h2_io *io)
{
    const bool interim = io->head->status < 200;
    struct cleat_error err = {0};
    answered(x);
    x->response = *io->head;
    x->head_done = !interim;
    if (interim && ++x->num_interim > GET_MAX_INTERIM) {
        (void)cl_error_set(&err, (struct cl_why){.code = CLEAT_ERR_HTTP_TOO_LARGE},
                           "more than %d interim responses", GET_MAX_INTERIM);
        cleat_h2_reset(c->h2, x->stream, CLEAT_H2_ENHANCE_YOUR_CALM);
        fail(c, x, GET_EXIT_WEIRD_REPLY, &err);
        return;
    }
    if (!spell(c, io->head) || !x->handler->head(x->ctx, io->head, cl_buf_view(&c->in))) {
        get_exchange_cancel(x);
    }
}

/* What cannot be written is not given back: the server waits, and sends no more. */
static void on_data(struct get_conn *c, struct get_exchange *x, const struct cleat_h2_io *io)
{
    x->received += io->data_len;
    if (x->handler->data(x->ctx, io->data, io->data_len)) {
        cleat_h2_consume(c->h2, io->stream, io->data_len);
    } else {
        get_exchange_cancel(x);
    }
}

/* Without the status line that the codec has put in front of them. */
static void tell_trailers(struct get_conn *c, const struct cleat_h2_io *io)
{
    const char *end = memchr(io->head->base, '\n', io->head->len);
    if (end != NULL) {
        const size_t skip = (size_t)(end + 1 - io->head->base);
        cl_trace_note(get_conn_trace(c), "http", "trailers, which nothing is done with:");
        cl_trace_http_head(get_conn_trace(c), io->stream, false, end + 1, io->head->len - skip);
    }
}

/* RFC 9113 8.1: a response may be complete before the request is. */
static void on_end(struct get_conn *c, struct get_exchange *x, const struct cleat_h2_io *io)
{
    if (io->head != NULL) {
        tell_trailers(c, io);
    }
    let_go(c, x);
    if (!x->end_sent) {
        cleat_h2_reset(c->h2, io->stream, CLEAT_H2_CANCEL);
    }
    get_exchange_end(x);
}

static void on_reset(struct get_conn *c, struct get_exchange *x, const struct cleat_h2_io *io)
{
    const char *name = cleat_h2_code_name(io->code);
    struct cleat_error err = {0}, why = {0};
    struct get_failure f = {.exit_code = GET_EXIT_HTTP2_STREAM, .stage = "http", .err = &err};
    char where[GET_WHERE_SIZE];
    get_exchange_where(x, where);
    const bool older = io->by_peer && io->code == CLEAT_H2_HTTP_1_1_REQUIRED;
    if (io->unprocessed || older) {
        f.again = GET_UNPROCESSED;
        c->is_last = true; /* it would refuse the next one too */
        c->origin->wants_older = c->origin->wants_older || older;
    }
    if (io->by_peer || io->unprocessed) {
        const struct cl_why reason = {
            .code = CLEAT_ERR_HTTP_TRUNCATED, .section = "RFC 9113 5.4.2", .hint = GAVE_UP_HINT};
        (void)cl_error_set(&err, reason, "the server reset stream %" PRIu32 " (%s), %s", io->stream,
                           name, where);
    } else {
        const int code = cleat_h2_why(c->h2, &why);
        const struct cl_why reason = {.code = CLEAT_ERR_HTTP_SYNTAX, .section = "RFC 9113 8.1.1"};
        (void)cl_error_set(
            &err, reason, "the response on stream %" PRIu32 " breaks HTTP/2 (%s)%s%.200s",
            io->stream, name, code != CLEAT_OK ? ": " : "", code != CLEAT_OK ? why.text : "");
    }
    let_go(c, x);
    get_exchange_fail_with(x, &f);
}

static void on_refused(struct get_conn *c, struct get_exchange *x)
{
    struct cleat_error err = {0};
    if (cleat_h2_why(c->h2, &err) == CLEAT_OK) {
        (void)cl_error_set(&err, (struct cl_why){.code = CLEAT_ERR_HTTP_SYNTAX},
                           "the response is not valid HTTP");
    }
    fail(c, x, GET_EXIT_WEIRD_REPLY, &err);
}

static void on_goaway(struct get_conn *c, uint32_t code)
{
    c->is_last = true;
    c->goaway_code = code;
    cl_trace_note(get_conn_trace(c), "http", "the server takes no more streams (GOAWAY, %s)",
                  cleat_h2_code_name(code));
}

/* Our GOAWAY still goes out. */
static void on_failure(struct get_conn *c)
{
    struct get_exchange *x;
    struct cleat_error err = {0};
    const int exit_code =
        cleat_h2_error(c->h2, &err) == CLEAT_ERR_NOMEM ? GET_EXIT_NO_MEMORY : GET_EXIT_HTTP2;
    flush(c);
    c->is_last = c->h2_failed = true;
    while ((x = TAILQ_FIRST(&c->exchanges)) != NULL) {
        get_exchange_fail_with(
            x, &(struct get_failure){.exit_code = exit_code, .stage = "http", .err = &err});
    }
}

static void on_event(struct get_conn *c, enum cleat_h2_next what, const struct cleat_h2_io *io)
{
    struct get_exchange *x = io->ctx;
    if (what == CLEAT_H2_GOAWAY) {
        on_goaway(c, io->code);
    } else if (what == CLEAT_H2_FAILED) {
        on_failure(c);
    } else if (x == NULL) {
        cleat_h2_consume(c->h2, io->stream, io->data_len);
    } else if (what == CLEAT_H2_HEAD) {
        on_head(c, x, io);
    } else if (what == CLEAT_H2_DATA) {
        on_data(c, x, io);
    } else if (what == CLEAT_H2_END) {
        on_end(c, x, io);
    } else if (what == CLEAT_H2_WRITABLE) {
        pump(c, x);
    } else if (what == CLEAT_H2_RESET) {
        on_reset(c, x, io);
    } else if (what == CLEAT_H2_REFUSED) {
        on_refused(c, x);
    }
}

static void tell_settings(struct get_conn *c)
{
    struct cleat_h2_settings s;
    char streams[32] = "any number of streams";
    if (c->settings_told || !cleat_h2_settled(c->h2)) {
        return;
    }
    c->settings_told = true;
    cleat_h2_peer_settings(c->h2, &s);
    if (s.max_streams != UINT32_MAX) {
        (void)snprintf(streams, sizeof(streams), "%" PRIu32 " streams at a time", s.max_streams);
    }
    cl_trace_note(get_conn_trace(c), "http",
                  "the server's SETTINGS: %s, windows of %" PRIu32 ", frames of up to %" PRIu32
                  " bytes%s",
                  streams, s.stream_window, s.max_frame,
                  cleat_h2_allows_connect(c->h2) ? ", extended CONNECT" : "");
}

/* Steps until everything is read and told. False: there was nothing. */
static bool run(struct get_conn *c, struct cleat_h2_io *io)
{
    bool any = false;
    io->now = cl_clock_mono_us();
    while (!c->is_closing && !c->h2_failed) {
        const enum cleat_h2_next next = cleat_h2_step(c->h2, io);
        tell_settings(c);
        if (next == CLEAT_H2_NEEDS_INPUT) {
            break;
        }
        any = true;
        on_event(c, next, io);
    }
    return any;
}

static void arm(struct get_conn *c)
{
    const uint64_t now = cl_clock_mono_us();
    uint64_t next = UINT64_MAX;
    cleat_h2_tick(c->h2, now, &next);
    const uint64_t us = next == UINT64_MAX ? 0 : next > now ? next - now : 1;
    cl_stream_deadline(c->stream, (us + 999) / 1000);
}

static void settle(struct get_conn *c)
{
    if (c->h2_busy) { /* what is under way settles at its end */
        return;
    }
    struct cleat_h2_io none = {0};
    c->h2_busy = true;
    do {
        flush(c);
    } while (run(c, &none));
    c->h2_busy = false;
    if (!c->is_closing) {
        arm(c);
    }
}

static size_t data(struct get_conn *c, uint8_t *p, size_t len)
{
    struct cleat_h2_io io = {.in = p, .in_len = len};
    c->h2_busy = true;
    (void)run(c, &io);
    c->h2_busy = false;
    settle(c);
    get_conn_settle(c);
    return len;
}

static void drained(struct get_conn *c)
{
    settle(c);
    get_conn_settle(c);
}

static void deadline(struct get_conn *c)
{
    cleat_h2_tick(c->h2, cl_clock_mono_us(), NULL);
    struct cleat_h2_io none = {0};
    c->h2_busy = true;
    (void)run(c, &none);
    c->h2_busy = false;
    settle(c);
    get_conn_settle(c);
}

/* ---- the connection ---- */

static int make(struct cleat_h2 **out)
{
    struct cleat_h2_options o;
    cleat_h2_options_init(&o, false);
    o.stall_timeout = 0; /* an upload waits as long as --max-time lets it */
    return cleat_h2_client_new(&o, out);
}

bool get_h2_early(struct get_conn *c, struct get_exchange *x)
{
    struct cleat_error err = {0};
    const uint8_t *p;
    if (make(&c->h2) != CLEAT_OK || !submit(c->h2, x, &err)) {
        return false;
    }
    const size_t len = cleat_h2_output(c->h2, &p);
    return cl_buf_append(&c->early, p, len, SIZE_MAX) == CL_OK;
}

void get_h2_drop(struct get_conn *c)
{
    cleat_h2_free(c->h2);
    c->h2 = NULL;
}

static bool open_h2(struct get_conn *c)
{
    if (c->h2 != NULL && c->facts.early_taken) {
        const uint8_t *p;
        (void)cleat_h2_output(c->h2, &p);
        cleat_h2_sent(c->h2, c->early.len);
    }
    return c->h2 != NULL || make(&c->h2) == CLEAT_OK;
}

static bool has_room(const struct get_conn *c)
{
    struct cleat_h2_settings s;
    cleat_h2_peer_settings(c->h2, &s);
    return !c->h2_failed && cleat_h2_state(c->h2) == CLEAT_H2_OPEN &&
           cleat_h2_num_streams(c->h2) < s.max_streams;
}

/* The connection has ended in the middle of a stream. */
static void cut(struct get_conn *c, struct get_exchange *x, bool clean)
{
    struct cleat_error err = {0};
    struct get_failure f = {.exit_code = GET_EXIT_HTTP2_STREAM, .stage = "http", .err = &err};
    const struct cl_why why = {
        .code = CLEAT_ERR_HTTP_TRUNCATED, .section = "RFC 9113 5.4", .hint = GAVE_UP_HINT};
    char where[GET_WHERE_SIZE];
    get_exchange_where(x, where);
    if (c->goaway_code != CLEAT_H2_NO_ERROR) {
        f.exit_code = GET_EXIT_HTTP2;
        (void)cl_error_set(&err, why, "the server ended the connection (GOAWAY, %s), %s",
                           cleat_h2_code_name(c->goaway_code), where);
    } else if (!x->answered) {
        f.exit_code = GET_EXIT_EMPTY;
        f.again = x->on_kept ? GET_STALE : GET_FINAL;
        (void)cl_error_set(&err, (struct cl_why){.code = CLEAT_ERR_HTTP_TRUNCATED},
                           "empty reply: the server closed the connection without an answer%s",
                           clean ? "" : " (and without close_notify)");
    } else {
        (void)cl_error_set(&err, why, "the connection ended %s",
                           x->head_done ? where : "before the response's head");
    }
    let_go(c, x);
    get_exchange_fail_with(x, &f);
}

static void ended(struct get_conn *c, bool clean, const struct cl_stream_end *end)
{
    struct get_exchange *x, *next;
    c->is_last = true;
    for (x = TAILQ_FIRST(&c->exchanges); x != NULL; x = next) {
        next = TAILQ_NEXT(x, link);
        if (!x->begun) {
            continue;
        }
        if (clean || end->cause == CL_STREAM_TRUNCATED) {
            cut(c, x, clean);
        } else {
            let_go(c, x);
            get_conn_broke(c, x, end);
        }
    }
}

static void say_goodbye(struct get_conn *c)
{
    (void)cleat_h2_shutdown(c->h2, cl_clock_mono_us());
    flush(c);
}

const struct get_protocol get_h2 = {
    .name = "HTTP/2",
    .open = open_h2,
    .has_room = has_room,
    .start = start,
    .forget = forget,
    .go_on = go_on,
    .data = data,
    .drained = drained,
    .deadline = deadline,
    .ended = ended,
    .shutdown = say_goodbye,
    .deinit = get_h2_drop,
};
