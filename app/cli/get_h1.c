/* cli/get_h1.c - HTTP/1.1 on a connection (RFC 9112): one exchange after the other. */
#include <inttypes.h>

#include "cli/get_codes.h"
#include "cli/get_conn.h"

#define GAVE_UP_HINT "the server, or something between, gave up: try again, and look at its log"

static struct get_exchange *current(const struct get_conn *c)
{
    struct get_exchange *x = TAILQ_FIRST(&c->exchanges);
    return x != NULL && x->begun ? x : NULL;
}

static bool open_h1(struct get_conn *c)
{
    c->origin->one_at_a_time = true;
    return true;
}

static bool has_room(const struct get_conn *c)
{
    return current(c) == NULL;
}

/* ---- sending ---- */

static bool is_chunked(const struct get_exchange *x)
{
    return x->body != NULL && x->body->len == GET_LENGTH_UNKNOWN;
}

static void pump(struct get_conn *c, struct get_exchange *x)
{
    if (x->head_sent < x->head.len) {
        x->head_sent +=
            cl_stream_write(c->stream, x->head.p + x->head_sent, x->head.len - x->head_sent);
        if (x->head_sent < x->head.len) {
            return;
        }
    }
    while (get_exchange_fill(x, is_chunked(x)) == GET_FILLED) {
        const size_t want = x->piece.len - x->piece_at;
        const size_t took = cl_stream_write(c->stream, x->piece.p + x->piece_at, want);
        x->piece_at += took;
        if (took < want) {
            return;
        }
    }
}

static void start(struct get_conn *c, struct get_exchange *x)
{
    const struct cleat_http_view method = {x->method, strlen(x->method)};
    cleat_http_response_init(&x->response, method);
    c->in.len = 0;
    c->is_last = c->is_last || get_exchange_says_close(x);
    cl_trace_http_head(get_conn_trace(c), 0, true, (const char *)x->head.p, x->head.len);
    x->head_sent = x->early ? x->head.len : 0;
    pump(c, x);
}

static void drained(struct get_conn *c)
{
    struct get_exchange *x = current(c);
    if (x != NULL) {
        pump(c, x);
    }
}

/* What is left of the response would be taken for the next one. */
static void forget(struct get_conn *c, struct get_exchange *x)
{
    (void)x;
    get_conn_abort(c);
}

/* ---- the response ---- */

static void fail(struct get_conn *c, struct get_exchange *x, int exit_code, int code)
{
    get_conn_abort(c);
    get_exchange_fail(x, exit_code, (struct cl_why){.code = (cl_result)code}, "%s",
                      cleat_error_sentence(code));
}

/* With the detail that the codec has given. */
static void fail_http(struct get_conn *c, struct get_exchange *x, int exit_code, int code,
                      const struct cleat_error *err)
{
    if (err->code == 0) {
        fail(c, x, exit_code, code);
        return;
    }
    get_conn_abort(c);
    get_exchange_fail_with(
        x, &(struct get_failure){.exit_code = exit_code, .stage = "http", .err = err});
}

/* `left` bytes have come behind the response, which nobody has asked for. */
static void complete(struct get_conn *c, struct get_exchange *x, size_t left)
{
    const bool keeps = x->response.keep_alive && left == 0 &&
                       x->response.framing != CLEAT_HTTP_UNTIL_CLOSE && get_exchange_all_sent(x);
    c->is_last = c->is_last || !keeps;
    c->in.len = 0;
    get_exchange_end(x);
    get_conn_settle(c);
}

static void take_body(struct get_conn *c, struct get_exchange *x, const uint8_t *p, size_t len)
{
    struct cleat_error err = {0};
    for (;;) {
        struct cleat_http_view content = {0};
        size_t used = 0;
        const int r = cleat_http_body_feed(&x->decoder, p, len, &used, &content, &err);
        p += used;
        len -= used;
        x->received = x->decoder.total;
        if (r == CLEAT_HTTP_COMPLETE) {
            complete(c, x, len);
            return;
        }
        if (r == CLEAT_HTTP_MORE) {
            return;
        }
        if (r != CLEAT_HTTP_DATA) {
            fail_http(c, x, GET_EXIT_RECEIVE, r, &err);
            return;
        }
        if (!x->handler->data(x->ctx, (const uint8_t *)content.p, content.len)) {
            get_exchange_cancel(x);
            return;
        }
    }
}

/* Tells a complete head, and moves it out of the way; what follows it stays in c->in. False: the
 * exchange is over. */
static bool take_head(struct get_conn *c, struct get_exchange *x)
{
    struct cleat_error err = {0};
    const bool interim = x->response.status < 200 && x->response.status != 101;
    if (!x->handler->head(x->ctx, &x->response, cl_rd_of(c->in.p, x->response.len))) {
        get_exchange_cancel(x);
        return false;
    }
    if (interim) {
        if (++x->num_interim > GET_MAX_INTERIM) {
            fail(c, x, GET_EXIT_WEIRD_REPLY, CLEAT_ERR_HTTP_TOO_LARGE);
            return false;
        }
        cl_buf_drop(&c->in, x->response.len);
        cleat_http_response_init(&x->response,
                                 (struct cleat_http_view){x->method, strlen(x->method)});
        return true;
    }
    x->head_done = true;
    const int code = cleat_http_body_init(&x->decoder, &x->response, UINT64_MAX, &err);
    if (code != CLEAT_OK) {
        fail_http(c, x, GET_EXIT_WEIRD_REPLY, code, &err);
        return false;
    }
    cl_buf_drop(&c->in, x->response.len);
    return true;
}

static void take_heads(struct get_conn *c, struct get_exchange *x)
{
    while (!x->head_done) {
        struct cleat_error err = {0};
        const int r = cleat_http_head_feed(&x->response, c->in.p, c->in.len, &err);
        if (r == CLEAT_HTTP_MORE) {
            return;
        }
        if (r != CLEAT_HTTP_COMPLETE) {
            fail_http(c, x, GET_EXIT_WEIRD_REPLY, r, &err);
            return;
        }
        if (!take_head(c, x)) {
            return;
        }
    }
    take_body(c, x, c->in.p, c->in.len);
}

static size_t data(struct get_conn *c, uint8_t *p, size_t len)
{
    struct get_exchange *x = current(c);
    if (x == NULL) { /* nobody has asked for anything: 408 Request Timeout, say */
        c->is_last = true;
        get_conn_settle(c);
        return len;
    }
    if (!x->answered) {
        x->answered = true;
        x->handler->first(x->ctx);
    }
    if (x->head_done) {
        take_body(c, x, p, len);
    } else if (cl_buf_append(&c->in, p, len, CLEAT_HTTP_MAX_RESPONSE_HEAD + CLEAT_TLS_MAX_RECORD) !=
               CL_OK) {
        fail(c, x, GET_EXIT_WEIRD_REPLY, CLEAT_ERR_HTTP_TOO_LARGE);
    } else {
        take_heads(c, x);
    }
    return len;
}

/* ---- the end ---- */

static void fail_early(struct get_exchange *x, bool clean)
{
    const struct cl_why truncated = {
        .code = CLEAT_ERR_HTTP_TRUNCATED, .section = "RFC 9112 8", .hint = GAVE_UP_HINT};
    if (!x->answered) {
        struct cleat_error err = {0};
        (void)cl_error_set(&err, (struct cl_why){.code = CLEAT_ERR_HTTP_TRUNCATED},
                           "empty reply: the server closed the connection without an answer%s",
                           clean ? "" : " (and without close_notify)");
        get_exchange_fail_with(x, &(struct get_failure){.exit_code = GET_EXIT_EMPTY,
                                                        .stage = "http",
                                                        .again = x->on_kept ? GET_STALE : GET_FINAL,
                                                        .err = &err});
    } else if (!x->head_done) {
        get_exchange_fail(x, GET_EXIT_RECEIVE, truncated,
                          "the connection ended inside the response's head");
    } else if (x->response.framing == CLEAT_HTTP_LENGTH) {
        get_exchange_fail(x, GET_EXIT_PARTIAL, truncated,
                          "the connection ended after %" PRIu64 " of %" PRIu64 " bytes of the body",
                          x->received, x->response.content_length);
    } else {
        get_exchange_fail(x, GET_EXIT_PARTIAL, truncated,
                          "the connection ended after %" PRIu64 " bytes, before the last chunk",
                          x->received);
    }
}

static void ended(struct get_conn *c, bool clean, const struct cl_stream_end *end)
{
    struct get_exchange *x = current(c);
    struct cleat_error err = {0};
    c->is_last = true;
    if (x == NULL) {
        return;
    }
    if (!clean && end->cause != CL_STREAM_TRUNCATED) {
        get_conn_broke(c, x, end);
    } else if (!x->head_done) {
        fail_early(x, clean);
    } else if (cleat_http_body_eof(&x->decoder, clean, &err) == CLEAT_OK) {
        get_exchange_end(x);
    } else if (x->response.framing == CLEAT_HTTP_UNTIL_CLOSE) {
        get_exchange_fail_with(x, &(struct get_failure){.exit_code = GET_EXIT_RECEIVE,
                                                        .stage = "tls",
                                                        .err = clean ? &err : &end->error});
    } else {
        fail_early(x, clean);
    }
}

const struct get_protocol get_h1 = {
    .name = "HTTP/1.1",
    .open = open_h1,
    .has_room = has_room,
    .start = start,
    .forget = forget,
    .go_on = pump,
    .data = data,
    .drained = drained,
    .ended = ended,
};
