/* server/h1.c - HTTP/1.1: requests out of what comes, one after the other.
 *
 * A head that comes whole is parsed where it lies, one in pieces is put together in the exchange;
 * data of a body is told as views into the input. The exchange of a connection is used for request
 * after request; an idle one gives it back (h1_time.c). What follows a request that was refused, or
 * a response behind which the connection ends, is never looked at (RFC 9112 9.3, 11.2).
 */
#include "server/h1.h"

#include <string.h>

#include "base/mem.h"

/* What the decoder counts, and the LF of each line. */
#define MAX_TRAILER_TEXT (CLEAT_HTTP_MAX_TRAILERS + CLEAT_HTTP_MAX_TRAILER_FIELDS + 2)

/* ---- exchanges ---- */

static void empty_exchange(struct cl_h1_exchange *h)
{
    cl_buf_deinit(&h->pending);
    cl_buf_deinit(&h->trailers);
    cl_free(h->trailer_head);
    h->trailer_head = NULL;
    cl_server_deinit_exchange(&h->x);
}

static void free_exchange(struct cl_h1_exchange *h)
{
    if (h != NULL) {
        empty_exchange(h);
        cl_free_secret(h, sizeof(*h));
    }
}

/* The exchange has ended, or never began: the next one takes its place. */
static void put_aside(struct cleat_http_server *s)
{
    if (s->h1.x != NULL) {
        empty_exchange(s->h1.x);
        s->h1.spare = s->h1.x;
        s->h1.x = NULL;
    }
}

static struct cl_h1_exchange *take_spare(struct cleat_http_server *s)
{
    struct cl_h1_exchange *h = s->h1.spare;
    if (h == NULL) {
        h = cl_alloc(sizeof(*h));
    }
    s->h1.spare = NULL;
    if (h != NULL) {
        memset(h, 0, offsetof(struct cl_h1_exchange, head));
        cleat_http_request_init(&h->head);
        h->x.s = s;
    }
    return h;
}

void cl_h1_give_back(struct cleat_http_server *s)
{
    if (s->h1.out.len == 0) {
        s->h1.out = (struct cl_buf){0};
        free_exchange(s->h1.spare);
        s->h1.spare = NULL;
    }
}

/* ---- ends ---- */

void cl_h1_lose(struct cleat_http_server *s, uint32_t code, const struct cleat_error *why)
{
    struct cl_h1_exchange *h = s->h1.x;
    s->h1.state = CL_H1_DEAF;
    if (why != NULL) {
        (void)cl_server_fail(s, why);
    }
    s->then = s->then != 0 ? s->then : CLEAT_HTTP_SERVER_CLOSE;
    if (h != NULL && h->x.known && !h->x.over) {
        h->x.gone = true;
        h->x.code = code;
    } else {
        put_aside(s);
    }
}

void cl_h1_refuse(struct cleat_http_server *s, uint16_t status, const struct cleat_error *why)
{
    struct cleat_http_exchange *x = &s->h1.x->x;
    if (x->response_done) { /* which was not about this */
        s->h1.state = CL_H1_DEAF;
        x->close = x->request_done = true;
    } else if (x->status != 0) {
        cl_h1_lose(s, status == 408 ? CLEAT_H2_ENHANCE_YOUR_CALM : CLEAT_H2_PROTOCOL_ERROR, why);
    } else {
        s->h1.state = CL_H1_DEAF;
        (void)cl_server_note(s, why);
        if (!x->known) {
            cl_server_init_exchange(s, x, NULL);
        }
        x->close = x->refused = x->request_done = true;
        x->refuse = status;
    }
}

static void lose_memory(struct cleat_http_server *s)
{
    struct cleat_error err = {0};
    (void)cl_error_set(&err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    cl_h1_lose(s, CLEAT_H2_INTERNAL_ERROR, &err);
}

/* ---- heads ---- */

static enum cleat_http_server_next tell_request(struct cleat_http_server *s,
                                                struct cleat_http_server_io *io)
{
    struct cl_h1_exchange *h = s->h1.x;
    h->head.early = io->early;
    cl_server_init_exchange(s, &h->x, &h->head);
    h->x.close = !h->head.keep_alive || cl_server_is_last(s);
    s->h1.state = h->x.request_done ? CL_H1_RECEIVED : CL_H1_BODY;
    io->exchange = &h->x;
    io->head = &h->head;
    io->end = h->x.request_done;
    return CLEAT_HTTP_SERVER_REQUEST;
}

/* Adds what came to a head in pieces, and parses on. out_used: of the input. */
static int feed_head(struct cl_h1_exchange *h, struct cl_rd in, size_t *out_used,
                     struct cleat_error *err)
{
    const size_t before = h->pending.len;
    /* One byte more than allowed lets the parser see that it is too much. */
    const size_t max = (size_t)h->head.max_head + 1;
    const size_t len = in.len < max - before ? in.len : max - before;
    const void *p = in.p;
    *out_used = len;
    if (before > 0) {
        CL_TRY(cl_buf_append(&h->pending, in.p, len, max));
        p = h->pending.p;
    }
    const int code = cleat_http_head_feed(&h->head, p, before + len, err);
    if (code == CLEAT_HTTP_COMPLETE) {
        *out_used = h->head.len - before;
    } else if (before == 0) { /* when it is refused, for whoever wants to see it */
        CL_TRY(cl_buf_append(&h->pending, in.p, len, max));
    }
    return code;
}

static enum cleat_http_server_next take_head(struct cleat_http_server *s,
                                             struct cleat_http_server_io *io)
{
    struct cl_h1_exchange *h = s->h1.x;
    struct cleat_error err;
    size_t used;
    err.code = CLEAT_OK;
    if (io->in_used == io->in_len) {
        return CLEAT_HTTP_SERVER_NEEDS_INPUT;
    }
    const struct cl_rd in = cl_rd_of(io->in + io->in_used, io->in_len - io->in_used);
    const int code = feed_head(h, in, &used, &err);
    io->in_used += used;
    if (code == CLEAT_HTTP_COMPLETE) {
        return tell_request(s, io);
    }
    if (code == CLEAT_HTTP_MORE) {
        return CLEAT_HTTP_SERVER_NEEDS_INPUT;
    }
    if (code == CLEAT_ERR_NOMEM) {
        lose_memory(s);
    } else {
        cl_h1_refuse(s, h->head.reply_status != 0 ? h->head.reply_status : 400, &err);
    }
    return CL_SERVER_GO_ON;
}

static enum cleat_http_server_next begin_head(struct cleat_http_server *s,
                                              struct cleat_http_server_io *io)
{
    if (s->draining && s->num_requests > 0) {
        s->then = CLEAT_HTTP_SERVER_CLOSE;
        return CL_SERVER_GO_ON;
    }
    if (io->in_used == io->in_len) {
        return CLEAT_HTTP_SERVER_NEEDS_INPUT;
    }
    if (cl_h1_queued(s) >= s->limits.queue) {
        return CLEAT_HTTP_SERVER_BLOCKED;
    }
    s->h1.x = take_spare(s);
    if (s->h1.x == NULL) {
        lose_memory(s);
        return CL_SERVER_GO_ON;
    }
    s->h1.state = CL_H1_HEAD;
    /* The first request's time runs since the connection began. */
    s->since = s->num_requests > 0 ? s->now : s->since;
    return CL_SERVER_GO_ON;
}

/* ---- bodies ---- */

static enum cleat_http_server_next begin_body(struct cleat_http_server *s)
{
    struct cl_h1_exchange *h = s->h1.x;
    struct cleat_error err;
    err.code = CLEAT_OK;
    h->body_begun = true;
    if (cleat_http_body_init(&h->body, &h->head, h->x.max_body, &err) != CLEAT_OK) {
        cl_h1_refuse(s, 413, &err);
    }
    h->body.tell_trailers = true;
    return CL_SERVER_GO_ON;
}

static enum cleat_http_server_next tell_data(struct cleat_http_server *s,
                                             struct cleat_http_server_io *io,
                                             struct cleat_http_view data)
{
    struct cleat_http_exchange *x = &s->h1.x->x;
    x->received += data.len;
    x->expects = false; /* it did not wait */
    if (x->dropping) {
        return CL_SERVER_GO_ON;
    }
    x->unconsumed += data.len;
    io->exchange = x;
    io->data = (const uint8_t *)data.p;
    io->data_len = data.len;
    return CLEAT_HTTP_SERVER_DATA;
}

static cl_result parse_trailers(struct cl_h1_exchange *h, struct cleat_error *err)
{
    h->trailer_head = cl_alloc(sizeof(*h->trailer_head));
    if (h->trailer_head == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    return (cl_result)cleat_http_trailers_parse(&h->trailer_head->head, h->trailers.p,
                                                h->trailers.len, err);
}

static enum cleat_http_server_next end_body(struct cleat_http_server *s,
                                            struct cleat_http_server_io *io)
{
    struct cl_h1_exchange *h = s->h1.x;
    struct cleat_error err;
    err.code = CLEAT_OK;
    cl_result r = h->trailers.len > 0 ? parse_trailers(h, &err) : CL_OK;
    if (r == CLEAT_ERR_NOMEM) {
        lose_memory(s);
        return CL_SERVER_GO_ON;
    }
    if (r != CL_OK) {
        cl_h1_refuse(s, 400, &err);
        return CL_SERVER_GO_ON;
    }
    h->x.request_done = true;
    s->h1.state = CL_H1_RECEIVED;
    if (h->x.dropping) {
        return CL_SERVER_GO_ON;
    }
    io->exchange = &h->x;
    io->head = h->trailer_head != NULL ? &h->trailer_head->head : NULL;
    return CLEAT_HTTP_SERVER_END;
}

static void refuse_body(struct cleat_http_server *s, int code, const struct cleat_error *err)
{
    const bool trailers = s->h1.x->body.trailer_len > 0;
    cl_h1_refuse(s,
                 code == CLEAT_ERR_HTTP_TOO_LARGE && trailers
                     ? 431
                     : (uint16_t)cleat_http_reply_status(code),
                 err);
}

static enum cleat_http_server_next take_body(struct cleat_http_server *s,
                                             struct cleat_http_server_io *io)
{
    struct cl_h1_exchange *h = s->h1.x;
    if (!h->body_begun) {
        return begin_body(s);
    }
    const size_t there = io->in_len - io->in_used;
    const size_t window =
        h->x.unconsumed < s->limits.window ? s->limits.window - h->x.unconsumed : 0;
    const size_t len = there < window || h->x.dropping ? there : window;
    struct cleat_http_view view;
    struct cleat_error err;
    size_t used;
    err.code = CLEAT_OK;
    const int code = cleat_http_body_feed(&h->body, there > 0 ? io->in + io->in_used : NULL, len,
                                          &used, &view, &err);
    io->in_used += used;
    switch (code) {
    case CLEAT_HTTP_DATA:
        return tell_data(s, io, view);
    case CLEAT_HTTP_TRAILER:
        if (cl_buf_append(&h->trailers, view.p, view.len, MAX_TRAILER_TEXT) != CL_OK) {
            lose_memory(s);
        }
        return CL_SERVER_GO_ON;
    case CLEAT_HTTP_COMPLETE:
        return end_body(s, io);
    case CLEAT_HTTP_MORE:
        if (io->in_used == io->in_len) {
            return CLEAT_HTTP_SERVER_NEEDS_INPUT;
        }
        return len == 0 ? CLEAT_HTTP_SERVER_BLOCKED : CL_SERVER_GO_ON;
    default:
        refuse_body(s, code, &err);
        return CL_SERVER_GO_ON;
    }
}

/* ---- behind a request ---- */

static enum cleat_http_server_next wait_for_response(struct cleat_http_server *s,
                                                     struct cleat_http_server_io *io)
{
    const struct cl_h1_exchange *h = s->h1.x;
    if (io->in_used == io->in_len) {
        return CLEAT_HTTP_SERVER_NEEDS_INPUT;
    }
    if (!h->x.close || h->x.to_connect || h->head.upgrade) {
        return CLEAT_HTTP_SERVER_BLOCKED;
    }
    io->in_used = io->in_len;
    return CLEAT_HTTP_SERVER_NEEDS_INPUT;
}

static enum cleat_http_server_next hear_nothing(struct cleat_http_server *s,
                                                struct cleat_http_server_io *io)
{
    (void)s;
    io->in_used = io->in_len;
    return CLEAT_HTTP_SERVER_NEEDS_INPUT;
}

static enum cleat_http_server_next end_exchange(struct cleat_http_server *s,
                                                struct cleat_http_server_io *io)
{
    struct cleat_http_exchange *x = &s->h1.x->x;
    x->over = true;
    io->exchange = x;
    s->since = s->now;
    s->h1.state = CL_H1_IDLE;
    if (x->close || s->eof || s->draining) {
        s->h1.state = CL_H1_DEAF;
        s->then = CLEAT_HTTP_SERVER_CLOSE;
    }
    return CLEAT_HTTP_SERVER_DONE;
}

/* The response is complete, and the request is not: the rest is dropped, unless that may take for
 * ever (RFC 9110 10.1.1), or there is more than is allowed. */
static enum cleat_http_server_next drop_rest(struct cleat_http_server *s,
                                             struct cleat_http_server_io *io)
{
    struct cleat_http_exchange *x = &s->h1.x->x;
    if (x->close || (x->announced != UINT64_MAX && x->announced > x->max_body)) {
        x->close = true;
        return end_exchange(s, io);
    }
    x->dropping = true;
    x->in.since = 0;
    return CL_SERVER_GO_ON;
}

static enum cleat_http_server_next tell_end(struct cleat_http_server *s,
                                            struct cleat_http_server_io *io)
{
    struct cleat_http_exchange *x = &s->h1.x->x;
    x->over = true;
    io->exchange = x;
    if (x->gone) {
        io->code = x->code;
        return CLEAT_HTTP_SERVER_GONE;
    }
    s->then = CLEAT_HTTP_SERVER_SWITCHED;
    return CLEAT_HTTP_SERVER_SWITCHED;
}

static enum cleat_http_server_next tell_refused(struct cleat_http_server *s,
                                                struct cleat_http_server_io *io)
{
    struct cl_h1_exchange *h = s->h1.x;
    io->exchange = &h->x;
    io->status = h->x.refuse;
    io->data = h->pending.p;
    io->data_len = h->pending.len;
    h->x.refuse = 0;
    return CLEAT_HTTP_SERVER_REFUSED;
}

/* What the application has done since the last step, and the clock. */
static enum cleat_http_server_next tell(struct cleat_http_server *s,
                                        struct cleat_http_server_io *io)
{
    struct cleat_http_exchange *x = s->h1.x != NULL ? &s->h1.x->x : NULL;
    if (x == NULL || !x->known) {
        return CL_SERVER_GO_ON;
    }
    if (x->gone || x->switched) {
        return tell_end(s, io);
    }
    if (x->refuse != 0) {
        return tell_refused(s, io);
    }
    if (x->response_done && s->h1.passing == 0) {
        return x->request_done ? end_exchange(s, io)
               : x->dropping   ? CL_SERVER_GO_ON
                               : drop_rest(s, io);
    }
    if (x->writable) {
        x->writable = false;
        io->exchange = x;
        return CLEAT_HTTP_SERVER_WRITABLE;
    }
    return CL_SERVER_GO_ON;
}

static enum cleat_http_server_next step(struct cleat_http_server *s,
                                        struct cleat_http_server_io *io)
{
    static enum cleat_http_server_next (*const states[])(struct cleat_http_server * s,
                                                         struct cleat_http_server_io * io) = {
        [CL_H1_IDLE] = begin_head,   [CL_H1_HEAD] = take_head,
        [CL_H1_BODY] = take_body,    [CL_H1_RECEIVED] = wait_for_response,
        [CL_H1_DEAF] = hear_nothing,
    };
    if (s->h1.x != NULL && s->h1.x->x.over) {
        put_aside(s);
    } else if (s->h1.x != NULL) {
        s->h1.x->x.fresh = false;
    }
    for (;;) {
        enum cleat_http_server_next next = tell(s, io);
        if (next == CL_SERVER_GO_ON && s->then != 0 &&
            (s->h1.x == NULL || !s->h1.x->x.known || s->then == CLEAT_HTTP_SERVER_SWITCHED)) {
            if (s->then != CLEAT_HTTP_SERVER_SWITCHED) {
                io->in_used = io->in_len;
            }
            return (enum cleat_http_server_next)s->then;
        }
        if (next == CL_SERVER_GO_ON) {
            next = states[s->h1.state](s, io);
        }
        if (next != CL_SERVER_GO_ON) {
            return next;
        }
    }
}

/* ---- the connection ---- */

static int end_of_input(struct cleat_http_server *s)
{
    struct cl_h1_exchange *h = s->h1.x;
    struct cleat_error err;
    int code = CLEAT_OK;
    err.code = CLEAT_OK;
    switch (s->h1.state) {
    case CL_H1_IDLE:
        s->then = CLEAT_HTTP_SERVER_CLOSE;
        return CLEAT_OK;
    case CL_H1_HEAD:
        code = cleat_http_head_eof(&h->head, h->pending.len, &err);
        cl_h1_lose(s, CLEAT_H2_CANCEL, NULL);
        return code;
    case CL_H1_BODY:
        if (h->x.response_done) {
            h->x.request_done = h->x.close = true;
            return CLEAT_OK;
        }
        cl_h1_lose(s, CLEAT_H2_CANCEL, NULL);
        return CLEAT_ERR_HTTP_TRUNCATED;
    default:
        return CLEAT_OK;
    }
}

static void cut(struct cleat_http_server *s)
{
    cl_h1_drop_output(s);
    cl_h1_lose(s, CLEAT_H2_CANCEL, NULL);
}

static void reset(struct cleat_http_exchange *x, uint32_t code)
{
    struct cleat_error err = {0};
    (void)cl_error_set(&err, (struct cl_why){.code = CLEAT_ERR_CLOSED},
                       "the application gave the exchange up (%s)", cleat_h2_code_name(code));
    cl_h1_lose(x->s, code, &err);
}

static int shut_down(struct cleat_http_server *s)
{
    if (s->h1.x != NULL) {
        s->h1.x->x.close = true;
    } else if (s->num_requests == 0) {
        s->since = s->now;
    }
    return CLEAT_OK;
}

static bool is_idle(const struct cleat_http_server *s)
{
    return (s->h1.x == NULL || s->h1.x->x.over) && cl_h1_queued(s) == 0;
}

static size_t num_exchanges(const struct cleat_http_server *s)
{
    return s->h1.x != NULL && s->h1.x->x.known && !s->h1.x->x.over ? 1 : 0;
}

static void free_h1(struct cleat_http_server *s)
{
    cl_buf_deinit(&s->h1.out);
    free_exchange(s->h1.x);
    free_exchange(s->h1.spare);
}

static cl_result keep_head(struct cleat_http_exchange *x)
{
    const struct cleat_http_head *head = &cl_h1_of(x)->head;
    struct cl_server_kept *k = cl_alloc(sizeof(*k) + head->len);
    if (k == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    k->head = *head;
    memcpy(k->text, head->base, head->len);
    k->head.base = k->text;
    x->kept = k;
    return CL_OK;
}

static void consume(struct cleat_http_exchange *x, size_t len)
{
    if (x->unconsumed + len >= x->s->limits.window) {
        x->in.since = 0; /* until now it was not the client's turn */
    }
}

const struct cl_server_ops cl_server_h1_ops = {
    .step = step,
    .tick = cl_h1_tick,
    .eof = end_of_input,
    .cut = cut,
    .shutdown = shut_down,
    .output = cl_h1_output,
    .sent = cl_h1_sent,
    .is_idle = is_idle,
    .num_exchanges = num_exchanges,
    .free = free_h1,
    .keep_head = keep_head,
    .consume = consume,
    .respond = cl_h1_respond,
    .write = cl_h1_write,
    .room = cl_h1_room,
    .trailers = cl_h1_trailers,
    .reset = reset,
};
