/* server/h2.c - HTTP/2: exchanges over the streams of lib/h2, with the limits on bodies and time
 * that HTTP/1.1 has. What it takes to hold a hostile peer's frames is lib/h2's.
 *
 * A stream's ctx is its exchange; NULL, where memory was short for one. When the connection fails,
 * its streams are told by nobody: the exchanges that are left are told from their list.
 */
#include <string.h>

#include "base/mem.h"
#include "http/trailers.h"
#include "http/write.h"
#include "server/server.h"

/* 5 s: for a client to see that what it sends is not wanted; some take the reset that comes then
 * for a failure of the response */
#define LINGER_MS 5000

/* ---- exchanges ---- */

static struct cleat_http_exchange *new_exchange(struct cleat_http_server *s, uint32_t stream,
                                                const struct cleat_http_head *head)
{
    struct cleat_http_exchange *x = cl_calloc(1, sizeof(*x));
    if (x == NULL) {
        cleat_h2_reset(s->h2.h2, stream, CLEAT_H2_INTERNAL_ERROR);
        return NULL;
    }
    cl_server_init_exchange(s, x, head);
    x->stream = stream;
    TAILQ_INSERT_TAIL(&s->h2.exchanges, x, link);
    s->h2.num_exchanges++;
    cleat_h2_stream_set(s->h2.h2, stream, x);
    if (cl_server_is_last(s) && !s->draining) {
        (void)cleat_http_server_shutdown(s, s->now);
    }
    return x;
}

static void free_exchange(struct cleat_http_server *s, struct cleat_http_exchange *x)
{
    if (x != NULL) {
        s->h2.unconsumed -= x->unconsumed;
        s->h2.num_refuse -= x->refuse != 0;
        TAILQ_REMOVE(&s->h2.exchanges, x, link);
        cl_server_deinit_exchange(x);
        cl_free(x);
    }
}

static enum cleat_http_server_next tell_last(struct cleat_http_server *s,
                                             struct cleat_http_server_io *io,
                                             struct cleat_http_exchange *x, bool done)
{
    x->over = true;
    io->exchange = x;
    s->h2.over = x;
    s->h2.num_exchanges--;
    s->since = s->now;
    return done ? CLEAT_HTTP_SERVER_DONE : CLEAT_HTTP_SERVER_GONE;
}

static void reset(struct cleat_http_exchange *x, uint32_t code)
{
    x->gone = true;
    cleat_h2_reset(x->s->h2.h2, x->stream, code);
}

/* ---- refusing ---- */

static void refuse(struct cleat_http_exchange *x, uint16_t status, const struct cleat_error *why)
{
    struct cleat_http_server *s = x->s;
    if (x->refused || x->response_done) {
        x->refused = x->request_done = true;
    } else if (x->status != 0) {
        reset(x, status == 400 ? CLEAT_H2_PROTOCOL_ERROR : CLEAT_H2_ENHANCE_YOUR_CALM);
    } else {
        (void)cl_server_note(s, why);
        x->refused = x->request_done = true;
        x->refuse = status;
        s->h2.num_refuse++;
    }
}

static enum cleat_http_server_next tell_refused(struct cleat_http_server *s,
                                                struct cleat_http_server_io *io)
{
    struct cleat_http_exchange *x;
    TAILQ_FOREACH(x, &s->h2.exchanges, link)
    {
        if (x->refuse != 0) {
            s->h2.num_refuse--;
            io->exchange = x;
            io->status = x->refuse;
            x->refuse = 0;
            return CLEAT_HTTP_SERVER_REFUSED;
        }
    }
    return CL_SERVER_GO_ON;
}

/* True: the body is longer than allowed, and that is seen to. */
static bool is_too_long(struct cleat_http_exchange *x, uint64_t len)
{
    struct cleat_error err;
    if (len <= x->max_body || x->is_tunnel) {
        return false;
    }
    (void)cl_server_too_long(&err, len, x->max_body);
    refuse(x, 413, &err);
    return true;
}

/* ---- events of lib/h2 ---- */

static enum cleat_http_server_next on_head(struct cleat_http_server *s,
                                           struct cleat_http_server_io *io,
                                           const struct cleat_h2_io *q)
{
    struct cleat_http_exchange *x = new_exchange(s, q->stream, q->head);
    if (x == NULL) {
        return CL_SERVER_GO_ON;
    }
    x->ended_in = q->end;
    x->request_done = x->request_done || q->end;
    x->is_tunnel = q->protocol != NULL || x->to_connect;
    x->to_connect = x->is_tunnel;
    x->stall_timeout = x->is_tunnel ? 0 : x->stall_timeout;
    s->h2.fresh = x;
    s->h2.fresh_head = q->head;
    io->exchange = x;
    io->head = q->head;
    io->protocol = q->protocol;
    io->end = x->request_done;
    return CLEAT_HTTP_SERVER_REQUEST;
}

static enum cleat_http_server_next on_refused(struct cleat_http_server *s,
                                              struct cleat_http_server_io *io,
                                              const struct cleat_h2_io *q)
{
    struct cleat_error why;
    struct cleat_http_exchange *x = new_exchange(s, q->stream, NULL);
    if (x == NULL) {
        return CL_SERVER_GO_ON;
    }
    x->ended_in = q->end;
    (void)cleat_h2_why(s->h2.h2, &why);
    (void)cl_server_note(s, &why);
    io->exchange = x;
    io->status = q->status;
    return CLEAT_HTTP_SERVER_REFUSED;
}

static enum cleat_http_server_next on_data(struct cleat_http_server *s,
                                           struct cleat_http_server_io *io,
                                           const struct cleat_h2_io *q)
{
    struct cleat_http_exchange *x = q->ctx;
    if (x == NULL || x->gone || x->refused) {
        return CL_SERVER_GO_ON; /* not wanted; its window stays closed until the stream has ended */
    }
    x->expects = false; /* it did not wait */
    x->received += q->data_len;
    if (is_too_long(x, x->received)) {
        return CL_SERVER_GO_ON;
    }
    if (x->response_done) {
        cleat_h2_consume(s->h2.h2, q->stream, q->data_len);
        return CL_SERVER_GO_ON;
    }
    x->unconsumed += q->data_len;
    s->h2.unconsumed += q->data_len;
    io->exchange = x;
    io->data = q->data;
    io->data_len = q->data_len;
    return CLEAT_HTTP_SERVER_DATA;
}

static enum cleat_http_server_next on_end(struct cleat_http_server *s,
                                          struct cleat_http_server_io *io,
                                          const struct cleat_h2_io *q)
{
    struct cleat_http_exchange *x = q->ctx;
    struct cleat_error err;
    (void)s;
    err.code = CLEAT_OK;
    if (x != NULL) {
        x->ended_in = true;
    }
    if (x == NULL || x->gone || x->request_done || x->response_done) {
        return CL_SERVER_GO_ON;
    }
    if (q->head != NULL && cl_http_trailers_check(q->head, &err) != CL_OK) {
        refuse(x, 400, &err);
        return CL_SERVER_GO_ON;
    }
    x->request_done = true;
    io->exchange = x;
    io->head = q->head;
    return CLEAT_HTTP_SERVER_END;
}

static enum cleat_http_server_next on_writable(struct cleat_http_server *s,
                                               struct cleat_http_server_io *io,
                                               const struct cleat_h2_io *q)
{
    struct cleat_http_exchange *x = q->ctx;
    (void)s;
    if (x == NULL || x->gone || x->response_done || !x->wants_room) {
        return CL_SERVER_GO_ON;
    }
    x->wants_room = false;
    io->exchange = x;
    return CLEAT_HTTP_SERVER_WRITABLE;
}

static enum cleat_http_server_next on_reset(struct cleat_http_server *s,
                                            struct cleat_http_server_io *io,
                                            const struct cleat_h2_io *q)
{
    struct cleat_http_exchange *x = q->ctx;
    io->code = q->code;
    return x == NULL ? CL_SERVER_GO_ON : tell_last(s, io, x, x->response_done && q->sent);
}

static enum cleat_http_server_next on_done(struct cleat_http_server *s,
                                           struct cleat_http_server_io *io,
                                           const struct cleat_h2_io *q)
{
    return q->ctx == NULL ? CL_SERVER_GO_ON : tell_last(s, io, q->ctx, true);
}

static enum cleat_http_server_next on_goaway(struct cleat_http_server *s,
                                             struct cleat_http_server_io *io,
                                             const struct cleat_h2_io *q)
{
    (void)io;
    (void)q;
    s->draining = true;
    return CL_SERVER_GO_ON;
}

static enum cleat_http_server_next on_failed(struct cleat_http_server *s,
                                             struct cleat_http_server_io *io,
                                             const struct cleat_h2_io *q)
{
    struct cleat_error why;
    (void)io;
    (void)q;
    (void)cleat_h2_error(s->h2.h2, &why);
    (void)cl_server_fail(s, &why);
    return CL_SERVER_GO_ON;
}

static enum cleat_http_server_next on_silence(struct cleat_http_server *s,
                                              struct cleat_http_server_io *io,
                                              const struct cleat_h2_io *q)
{
    (void)io;
    (void)q;
    if (TAILQ_EMPTY(&s->h2.exchanges) && cleat_h2_state(s->h2.h2) == CLEAT_H2_CLOSED) {
        s->then = CLEAT_HTTP_SERVER_CLOSE;
        return CL_SERVER_GO_ON;
    }
    return CLEAT_HTTP_SERVER_NEEDS_INPUT;
}

/* ---- a step ---- */

/* Nothing more is read: what is left is told of, then how the connection ends. */
static enum cleat_http_server_next step_end(struct cleat_http_server *s,
                                            struct cleat_http_server_io *io)
{
    struct cleat_http_exchange *x = TAILQ_FIRST(&s->h2.exchanges);
    io->in_used = io->in_len;
    if (x == NULL) {
        return (enum cleat_http_server_next)s->then;
    }
    io->code = CLEAT_H2_CANCEL;
    return tell_last(s, io, x, false);
}

static void end_last(struct cleat_http_server *s)
{
    free_exchange(s, s->h2.over);
    s->h2.over = NULL;
    if (s->h2.fresh != NULL) {
        struct cleat_http_exchange *x = s->h2.fresh;
        x->fresh = false;
        s->h2.fresh = NULL;
        if (x->announced != UINT64_MAX && x->status == 0 && !x->request_done) {
            (void)is_too_long(x, x->announced);
        }
    }
}

static enum cleat_http_server_next step(struct cleat_http_server *s,
                                        struct cleat_http_server_io *io)
{
    static enum cleat_http_server_next (*const rows[])(struct cleat_http_server * s,
                                                       struct cleat_http_server_io * io,
                                                       const struct cleat_h2_io *q) = {
        [CLEAT_H2_NEEDS_INPUT] = on_silence,
        [CLEAT_H2_HEAD] = on_head,
        [CLEAT_H2_REFUSED] = on_refused,
        [CLEAT_H2_DATA] = on_data,
        [CLEAT_H2_END] = on_end,
        [CLEAT_H2_WRITABLE] = on_writable,
        [CLEAT_H2_RESET] = on_reset,
        [CLEAT_H2_DONE] = on_done,
        [CLEAT_H2_GOAWAY] = on_goaway,
        [CLEAT_H2_FAILED] = on_failed,
    };
    enum cleat_http_server_next next = CL_SERVER_GO_ON;
    end_last(s);
    while (next == CL_SERVER_GO_ON) {
        if (s->then != 0) {
            return step_end(s, io);
        }
        if (s->h2.num_refuse > 0) {
            return tell_refused(s, io);
        }
        struct cleat_h2_io q = {
            .in = io->in,
            .in_len = io->in_len,
            .in_used = io->in_used,
            .now = io->now,
            .early = io->early,
        };
        const enum cleat_h2_next got = cleat_h2_step(s->h2.h2, &q);
        io->in_used = q.in_used;
        next = rows[got](s, io, &q);
    }
    return next;
}

/* ---- the application's side ---- */

static cl_result keep_head(struct cleat_http_exchange *x)
{
    const struct cleat_http_head *head = x->s->h2.fresh == x ? x->s->h2.fresh_head : NULL;
    struct cl_server_kept *k = head != NULL ? cl_alloc(sizeof(*k) + head->len) : NULL;
    if (k == NULL) {
        return head != NULL ? CLEAT_ERR_NOMEM : CLEAT_ERR_USAGE;
    }
    k->head = *head;
    memcpy(k->text, head->base, head->len);
    k->head.base = k->text;
    x->kept = k;
    return CL_OK;
}

static bool is_its_turn(const struct cleat_http_exchange *x, size_t own, size_t all)
{
    return !x->expects && own < x->s->h2.stream_window / 2 && all < x->s->h2.connection_window / 2;
}

static void consume(struct cleat_http_exchange *x, size_t len)
{
    struct cleat_http_server *s = x->s;
    if (!is_its_turn(x, x->unconsumed + len, s->h2.unconsumed)) {
        x->in.since = 0;
    }
    s->h2.unconsumed -= len;
    cleat_h2_consume(s->h2.h2, x->stream, len);
}

/* What the library and the connection add becomes fields like the others, in one text. */
static cl_result put_together(const struct cl_server_response *r, struct cl_buf *text)
{
    bool upgrade;
    CL_TRY(cl_buf_append(text, r->common.p, r->common.len, UINT16_MAX));
    CL_TRY(cl_buf_append(text, r->fields.p, r->fields.len, UINT16_MAX));
    r->head->base = (const char *)text->p;
    if (r->common.len > 0) {
        CL_TRY(cl_server_fields(r->head, (const char *)text->p, text->len, false, &upgrade));
    }
    if (r->length == CLEAT_HTTP_LENGTH_UNKNOWN) {
        return CL_OK;
    }
    static const char name[] = "content-length";
    const size_t at = text->len, value_at = at + strlen(name) + 2;
    if (r->head->num_fields == CLEAT_HTTP_MAX_FIELDS || value_at > UINT16_MAX - 32) {
        return CLEAT_ERR_USAGE;
    }
    CL_TRY(cl_http_write_field_u64(text, name, r->length));
    r->head->base = (const char *)text->p;
    r->head->fields[r->head->num_fields].name =
        (struct cleat_http_span){.at = (uint16_t)at, .len = (uint16_t)strlen(name)};
    r->head->fields[r->head->num_fields].value = (struct cleat_http_span){
        .at = (uint16_t)value_at, .len = (uint16_t)(text->len - value_at - 2)};
    r->head->num_fields++;
    return CL_OK;
}

static cl_result respond(struct cleat_http_exchange *x, const struct cl_server_response *r)
{
    const bool is_final = r->status >= 200;
    struct cl_buf text;
    uint8_t lent[1024];
    cl_result result = CL_OK;
    cl_buf_lend(&text, lent, sizeof(lent));
    r->head->status = r->status;
    if (is_final) {
        result = put_together(r, &text);
    }
    if (result == CL_OK) {
        result = (cl_result)cleat_h2_respond(x->s->h2.h2, x->stream, r->head, is_final && r->end);
    }
    cl_buf_deinit(&text);
    return result;
}

static cl_result write_body(struct cleat_http_exchange *x, const void *p, size_t len, bool end,
                            size_t *taken)
{
    return (cl_result)cleat_h2_write(x->s->h2.h2, x->stream, p, len, end, taken);
}

static size_t room(const struct cleat_http_exchange *x)
{
    return cleat_h2_room(x->s->h2.h2, x->stream);
}

static cl_result send_trailers(struct cleat_http_exchange *x, struct cleat_http_head *fields,
                               struct cl_rd text)
{
    fields->len = text.len;
    return (cl_result)cleat_h2_trailers(x->s->h2.h2, x->stream, fields);
}

/* ---- the connection ---- */

static void fail_slow(struct cleat_http_server *s)
{
    struct cleat_error err;
    (void)cl_server_too_slow(&err, "the client takes nothing any more", s->limits.stall_timeout,
                             s->limits.stall_bytes);
    s->mute = true;
    s->then = 0; /* what was to end in good order does not */
    (void)cl_server_fail(s, &err);
}

static void look_at_idle(struct cleat_http_server *s, uint64_t *next)
{
    const uint32_t timeout =
        s->num_requests == 0 ? s->limits.header_timeout : s->limits.keep_alive_timeout;
    const uint64_t at = s->since + CL_SERVER_US(timeout);
    if (timeout == 0 || s->draining) {
        return;
    }
    if (s->now >= at) {
        (void)cleat_http_server_shutdown(s, s->now);
    } else {
        cl_server_lower(next, at);
    }
}

/* A request that goes on behind its response: what is dropped may come as fast as any body; a
 * client whose body is not taken any more sees the response and stops by itself, or is stopped. */
static void look_at_rest(struct cleat_http_exchange *x, uint64_t *next)
{
    const uint32_t timeout = x->refused ? LINGER_MS : x->stall_timeout;
    const uint32_t bytes = x->refused ? UINT32_MAX : x->stall_bytes;
    if (cl_server_look(&x->in, !x->stopped, x->received, x->s->now, timeout, bytes, next)) {
        x->stopped = true;
        cleat_h2_stop(x->s->h2.h2, x->stream);
    }
}

static void look_at_body(struct cleat_http_exchange *x, uint64_t *next)
{
    struct cleat_http_server *s = x->s;
    struct cleat_error err;
    if (x->over || x->gone || x->ended_in || x->is_tunnel) {
        return;
    }
    if (x->response_done) {
        look_at_rest(x, next);
        return;
    }
    const bool turn = !x->request_done && is_its_turn(x, x->unconsumed, s->h2.unconsumed);
    if (cl_server_look(&x->in, turn, x->received, s->now, x->stall_timeout, x->stall_bytes, next)) {
        (void)cl_server_too_slow(&err, "the body of a request", x->stall_timeout, x->stall_bytes);
        refuse(x, 408, &err);
    }
}

static void tick(struct cleat_http_server *s, uint64_t *next)
{
    struct cleat_http_exchange *x;
    if (cl_server_look(&s->out, s->h2.shown > 0 && !s->mute, s->moved, s->now,
                       s->limits.stall_timeout, s->limits.stall_bytes, next)) {
        fail_slow(s);
    }
    if (s->then != 0) {
        return;
    }
    if (s->h2.num_exchanges == 0) {
        look_at_idle(s, next);
    }
    uint64_t below = UINT64_MAX;
    cleat_h2_tick(s->h2.h2, s->now, &below);
    cl_server_lower(next, below);
    TAILQ_FOREACH(x, &s->h2.exchanges, link)
    {
        look_at_body(x, next);
    }
}

static int end_of_input(struct cleat_http_server *s)
{
    const int code = cleat_h2_eof(s->h2.h2);
    s->then = CLEAT_HTTP_SERVER_CLOSE;
    return code == CLEAT_OK || code == CLEAT_ERR_HTTP_TRUNCATED ? code : CLEAT_OK;
}

static void cut(struct cleat_http_server *s)
{
    (void)s; /* step_end tells them */
}

static int shut_down(struct cleat_http_server *s)
{
    return cleat_h2_shutdown(s->h2.h2, s->now);
}

static size_t output(struct cleat_http_server *s, const uint8_t **p)
{
    const size_t n = cleat_h2_output(s->h2.h2, p);
    if (s->h2.shown == 0) {
        s->out.since = 0; /* until now it was not the client's turn */
    }
    s->h2.shown = n;
    return n;
}

static void sent(struct cleat_http_server *s, size_t n)
{
    s->h2.shown -= n < s->h2.shown ? n : s->h2.shown;
    cleat_h2_sent(s->h2.h2, n);
}

static bool is_idle(const struct cleat_http_server *s)
{
    return s->h2.num_exchanges == 0 && s->h2.shown == 0 && cleat_h2_num_streams(s->h2.h2) == 0;
}

static size_t num_exchanges(const struct cleat_http_server *s)
{
    return s->h2.num_exchanges;
}

static void free_h2(struct cleat_http_server *s)
{
    struct cleat_http_exchange *x;
    while ((x = TAILQ_FIRST(&s->h2.exchanges)) != NULL) {
        free_exchange(s, x);
    }
    cleat_h2_free(s->h2.h2);
}

cl_result cl_server_h2_open(struct cleat_http_server *s, const struct cleat_h2_options *o)
{
    TAILQ_INIT(&s->h2.exchanges);
    s->h2.stream_window = o->stream_window;
    s->h2.connection_window = o->connection_window;
    return (cl_result)cleat_h2_server_new(o, &s->h2.h2);
}

const struct cl_server_ops cl_server_h2_ops = {
    .step = step,
    .tick = tick,
    .eof = end_of_input,
    .cut = cut,
    .shutdown = shut_down,
    .output = output,
    .sent = sent,
    .is_idle = is_idle,
    .num_exchanges = num_exchanges,
    .free = free_h2,
    .keep_head = keep_head,
    .consume = consume,
    .respond = respond,
    .write = write_body,
    .room = room,
    .trailers = send_trailers,
    .reset = reset,
};
