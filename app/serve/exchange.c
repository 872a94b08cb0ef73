/* serve/exchange.c - see exchange.h. Implementation notes:
 *
 * A small answer goes through the engine, so that it is one record with its head; a long one over
 * HTTP/1.1 goes past it. What was promised to the engine that way and not taken by the stream is
 * read again.
 * Nothing here runs the engine: who calls (serve/session_http.c) steps it afterwards.
 */
#include "serve/exchange.h"

#include "base/mem.h"
#include "serve/session.h"
#include "serve/ws_carrier.h"
#include "serve/ws_upgrade.h"

/* 16 KiB: a frame, and a record: how much of a body is read while its stream's turn lasts, so that
 * a hundred streams hold no more than what one large answer would */
#define PIECE 16384

/* ---- the beginning and the end ---- */

static cl_result make(struct cl_session *s, struct cleat_http_exchange *wire,
                      struct cl_exchange **out)
{
    struct cl_exchange *x = cl_calloc(1, sizeof(*x));
    *out = x;
    if (x == NULL) {
        cleat_http_exchange_reset(wire, CLEAT_H2_INTERNAL_ERROR);
        return CLEAT_ERR_NOMEM;
    }
    cl_answer_init(&x->answer, s->worker->site);
    x->answer.kept = s->worker->kept;
    x->answer.visit = s->visit;
    x->answer.secure = cl_stream_tls(s->stream) != NULL;
    x->answer.redirects = s->redirects;
    x->session = s;
    x->wire = wire;
    cleat_http_exchange_set(wire, x);
    TAILQ_INSERT_TAIL(&s->exchanges, x, link);
    return CL_OK;
}

static struct cl_pool *pool_of(const struct cl_exchange *x)
{
    return cl_hub_pool(x->session->worker->hub);
}

static void give_buf(struct cl_exchange *x)
{
    cl_pool_give(pool_of(x), x->buf, CL_POOL_BUFFER);
    x->buf = NULL;
    x->buf_len = 0;
}

static void free_exchange(struct cl_exchange *x)
{
    give_buf(x);
    cl_answer_deinit(&x->answer);
    cl_free(x);
}

/* The disk has written into the buffer of an exchange that is gone. */
static void on_released(void *ctx)
{
    struct cl_exchange *x = ctx;
    struct cl_session *s = x->session;
    free_exchange(x);
    cl_session_release(s);
}

void cl_exchange_gone(struct cl_exchange *x)
{
    struct cl_session *s = x->session;
    if (x->ws != NULL) {
        cl_ws_carrier_gone(x);
    } else if (x->state == CL_EXCHANGE_BODY || x->state == CL_EXCHANGE_SENDING ||
               x->state == CL_EXCHANGE_OVER) {
        cl_session_log_request(s, x);
    }
    TAILQ_REMOVE(&s->exchanges, x, link);
    x->wire = NULL;
    struct cl_file_read *file = x->file;
    if (file != NULL && cl_file_read_is_busy(file)) {
        s->num_reads++;
        cl_file_read_free(file, on_released);
        return;
    }
    cl_file_read_free(file, NULL);
    free_exchange(x);
}

static void give_up(struct cl_exchange *x, uint32_t code)
{
    x->state = CL_EXCHANGE_OVER;
    cleat_http_exchange_reset(x->wire, code);
}

/* ---- when to answer ---- */

static bool has_body(const struct cl_exchange *x)
{
    uint64_t length;
    return !cl_body_source_length(&x->answer.reply.body, &length) || length > 0;
}

static void send_answer(struct cl_exchange *x)
{
    struct cl_static_reply *reply = &x->answer.reply;
    struct cl_session *s = x->session;
    bool last = x->answer.last && cleat_http_exchange_protocol(x->wire) == CLEAT_HTTP_1;
    if (last || x->answer.leave) {
        (void)cleat_http_server_shutdown(s->http, s->now); /* behind this one */
    }
    x->state = CL_EXCHANGE_SENDING;
    x->is_long = reply->length > PIECE;
    int code =
        cleat_http_exchange_respond(x->wire, (uint16_t)reply->status, (const char *)reply->fields.p,
                                    reply->fields.len, reply->length, reply->length == 0);
    if (code != CLEAT_OK && code != CLEAT_ERR_CLOSED) {
        give_up(x, CLEAT_H2_INTERNAL_ERROR);
    } else if (!has_body(x)) {
        x->state = CL_EXCHANGE_OVER;
    }
}

bool cl_exchange_accept(struct cl_exchange *x, int status, const struct cl_buf *fields)
{
    x->answer.reply.status = status;
    return cleat_http_exchange_respond(x->wire, (uint16_t)status, (const char *)fields->p,
                                       fields->len, CLEAT_HTTP_LENGTH_UNKNOWN, false) == CLEAT_OK;
}

/* True: the request is not answered now. */
static bool wait_for_client(struct cl_exchange *x)
{
    switch (cl_session_ask_client(x->session, x)) {
    case CL_SESSION_WAIT:
        x->state = CL_EXCHANGE_ASKED;
        return true;
    case CL_SESSION_ELSEWHERE:
        /* RFC 9113 9.2.3: no post-handshake authentication. 7: "HTTP_1_1_REQUIRED: The endpoint
         * requires that HTTP/1.1 be used instead of HTTP/2." */
        give_up(x, CLEAT_H2_HTTP_1_1_REQUIRED);
        return true;
    default:
        return false;
    }
}

/* The request has come: what is left is to know who asks. */
static void respond(struct cl_exchange *x)
{
    if (x->answer.must_wait && !cl_stream_is_ready(x->session->stream)) {
        x->state = CL_EXCHANGE_HELD;
    } else if (!wait_for_client(x)) {
        send_answer(x);
    }
}

/* The request is for a WebSocket, and everything about the client is known. */
static void upgrade(struct cl_exchange *x, const struct cleat_http_head *head)
{
    if (x->answer.reply.status != 0 || !cl_ws_upgrade(x, head)) {
        send_answer(x);
    }
}

static void take_upgrade(struct cl_exchange *x, const struct cleat_http_head *head)
{
    /* early data is refused whoever asks */
    if (x->answer.early || !wait_for_client(x)) {
        upgrade(x, head);
    } else if (x->state == CL_EXCHANGE_ASKED &&
               cleat_http_exchange_keep_head(x->wire) != CLEAT_OK) {
        give_up(x, CLEAT_H2_INTERNAL_ERROR);
    }
}

static void await_body(struct cl_exchange *x)
{
    x->state = CL_EXCHANGE_BODY;
    if (cl_stream_is_ready(x->session->stream)) {
        (void)cleat_http_exchange_continue(x->wire); /* else the client goes on by itself */
    }
}

static void count_request(const struct cl_exchange *x)
{
    struct cl_counters *counters = x->session->worker->counters;
    bool h2 = cleat_http_exchange_protocol(x->wire) == CLEAT_HTTP_2;
    cl_count_add(h2 ? &counters->requests_h2 : &counters->requests_h1, 1);
}

void cl_exchange_request(struct cl_session *s, const struct cleat_http_server_io *io)
{
    struct cl_exchange *x;
    if (make(s, io->exchange, &x) != CL_OK) {
        return;
    }
    x->behind = io->in_len - io->in_used;
    count_request(x);
    unsigned major = cleat_http_exchange_protocol(x->wire) == CLEAT_HTTP_2 ? 2 : 1;
    enum cl_answer_next next = cl_answer_request(&x->answer, io->head, major, io->protocol);
    bool denied = cl_session_deny_client(s, &x->answer);
    if (next == CL_ANSWER_WEBSOCKET && !denied) {
        take_upgrade(x, io->head);
    } else if (io->end || x->answer.at_once) {
        respond(x);
    } else {
        await_body(x);
    }
}

void cl_exchange_refused(struct cl_session *s, const struct cleat_http_server_io *io)
{
    struct cl_exchange *x = cleat_http_exchange_ctx(io->exchange);
    struct cleat_error err = {0};
    if (x == NULL && make(s, io->exchange, &x) != CL_OK) {
        return;
    }
    (void)cleat_http_server_why(s->http, &err);
    const char *text = io->status == 408 ? "The request took too long to arrive." : err.text;
    cl_answer_refuse_text(&x->answer, io->status, text, io->data, io->data_len);
    send_answer(x);
}

void cl_exchange_data(struct cl_exchange *x, const struct cleat_http_server_io *io)
{
    if (x->ws != NULL) {
        cl_ws_carrier_data(x, io->data, io->data_len);
    } else {
        cleat_http_exchange_consume(x->wire, io->data_len);
    }
}

void cl_exchange_end(struct cl_exchange *x)
{
    if (x->ws != NULL) {
        cl_ws_carrier_eof(x);
    } else if (x->state == CL_EXCHANGE_BODY) {
        respond(x);
    }
}

void cl_exchange_ready(struct cl_exchange *x)
{
    if (x->state == CL_EXCHANGE_HELD) {
        respond(x);
    } else if (x->state == CL_EXCHANGE_BODY) {
        await_body(x);
    }
}

void cl_exchange_certified(struct cl_exchange *x)
{
    if (x->answer.is_upgrade) {
        upgrade(x, cleat_http_exchange_head(x->wire));
    } else {
        send_answer(x);
    }
}

void cl_exchange_uncertified(struct cl_exchange *x)
{
    cl_session_client_silent(x->session, &x->answer);
    send_answer(x);
}

/* ---- the body ---- */

/* Into the engine, or past it. Returns how much of the piece was taken. */
static size_t hand_on(struct cl_exchange *x, const uint8_t *p, size_t len, bool last)
{
    struct cl_session *s = x->session;
    size_t taken = 0;
    if (x->promised == 0) {
        (void)cleat_http_exchange_write(x->wire, p, len, last, &taken);
        return taken;
    }
    taken = cl_stream_write(s->stream, p, len < x->promised ? len : x->promised);
    x->promised -= taken;
    cleat_http_server_sent(s->http, taken);
    return taken;
}

/* What was read goes on its way; what is not taken now is read again. True: some of it was. */
static bool take_piece(struct cl_exchange *x, const uint8_t *p, size_t len, enum cl_body_next next)
{
    if (next == CL_BODY_FAILED) {
        cl_session_log_shrunk(x->session);
        give_up(x, CLEAT_H2_INTERNAL_ERROR);
        return true;
    }
    bool last = next == CL_BODY_END;
    size_t taken = hand_on(x, p, len, last);
    if (taken < len) {
        cl_body_source_unread(&x->answer.reply.body, len - taken);
    } else if (last) {
        x->state = CL_EXCHANGE_OVER;
    }
    return taken > 0 || x->state == CL_EXCHANGE_OVER;
}

static void on_file_read(void *ctx, ssize_t n)
{
    struct cl_exchange *x = ctx;
    struct cl_session *s = x->session;
    enum cl_body_next next;
    size_t len = x->buf_len;
    len += cl_body_source_arrived(&x->answer.reply.body, x->buf + len, CL_POOL_BUFFER - len,
                                  x->file, n, &next);
    (void)take_piece(x, x->buf, len, next);
    give_buf(x);
    cl_session_run(s);
}

static bool have_reader(struct cl_exchange *x)
{
    return x->file != NULL || !cl_body_source_uses_file(&x->answer.reply.body) ||
           cl_file_read_new(&x->session->worker->loop, on_file_read, x, &x->file) == CL_OK;
}

/* How much may be read now; 0: nothing. The engine is promised bytes before there is room for them:
 * it looks at how fast the client takes what waits. */
static size_t room_for(struct cl_exchange *x)
{
    struct cl_session *s = x->session;
    if (x->promised == 0 && x->is_long) {
        x->promised = cleat_http_exchange_pass(x->wire, CL_POOL_BUFFER);
    }
    if (x->promised == 0) {
        size_t room = cleat_http_exchange_room(x->wire);
        return room < PIECE ? room : PIECE;
    }
    size_t room = cl_stream_room(s->stream);
    if (room == 0) {
        cl_stream_want_drained(s->stream);
    }
    return room < x->promised ? room : x->promised;
}

bool cl_exchange_pump(struct cl_exchange *x)
{
    if (x->state != CL_EXCHANGE_SENDING || x->buf != NULL) {
        return false;
    }
    size_t cap = room_for(x);
    if (cap == 0) {
        return false;
    }
    uint8_t *buf = cl_pool_take(pool_of(x));
    if (buf == NULL || !have_reader(x)) {
        cl_pool_give(pool_of(x), buf, 0);
        give_up(x, CLEAT_H2_INTERNAL_ERROR);
        return true;
    }
    enum cl_body_next next;
    size_t n = cl_body_source_read(&x->answer.reply.body, buf, cap, x->file, &next);
    if (next == CL_BODY_WAIT) {
        x->buf = buf;
        x->buf_len = n;
        return false;
    }
    bool moved = take_piece(x, buf, n, next);
    cl_pool_give(pool_of(x), buf, n);
    return moved;
}
