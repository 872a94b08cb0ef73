/* cli/get_exchange.c - what is the same for every exchange: its body's pieces, and its end. */
#include "cli/get_exchange.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/get_codes.h"
#include "cli/get_conn.h"

/* "4000" CR LF in front of a piece, CR LF behind it */
#define CHUNK_BEFORE 8
#define CHUNK_BEHIND 2
#define LAST_CHUNK   "0\r\n\r\n"

void get_exchange_reset(struct get_exchange *x)
{
    x->conn = NULL;
    x->begun = x->on_kept = x->answered = x->head_done = x->early = false;
    x->body_ended = x->body == NULL;
    x->head_sent = x->piece_at = 0;
    x->body_sent = x->received = 0;
    x->num_interim = 0;
    x->piece.len = 0;
    x->stream = 0;
    x->end_sent = false;
}

void get_exchange_leave(struct get_exchange *x)
{
    if (x->conn != NULL) {
        TAILQ_REMOVE(&x->conn->exchanges, x, link);
        x->conn = NULL;
    }
    if (x->body != NULL) {
        x->body->wake = NULL;
    }
    cl_buf_deinit(&x->piece);
}

void get_exchange_cancel(struct get_exchange *x)
{
    struct get_conn *c = x->conn;
    if (c != NULL) {
        get_conn_forget(c, x);
        get_exchange_leave(x);
        get_conn_settle(c);
    }
}

void get_exchange_end(struct get_exchange *x)
{
    get_exchange_leave(x);
    x->handler->end(x->ctx, x->received);
}

void get_exchange_fail_with(struct get_exchange *x, const struct get_failure *failure)
{
    get_exchange_leave(x);
    x->handler->failed(x->ctx, failure);
}

void get_exchange_fail(struct get_exchange *x, int exit_code, struct cl_why why, const char *fmt,
                       ...)
{
    struct cleat_error err = {0};
    char text[sizeof(err.text)];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    (void)cl_error_set(&err, why, "%s", text);
    get_exchange_fail_with(
        x, &(struct get_failure){.exit_code = exit_code, .stage = "http", .err = &err});
}

/* ---- the body that is sent ---- */

static enum get_fill fail_source(struct get_exchange *x, const struct cleat_error *err)
{
    struct get_conn *c = x->conn;
    get_conn_forget(c, x);
    get_exchange_fail_with(
        x, &(struct get_failure){.exit_code = GET_EXIT_READ_FILE, .stage = "http", .err = err});
    get_conn_settle(c);
    return GET_FILL_FAILED;
}

/* RFC 9110 8.6: what the head has promised must come. */
static enum get_fill end_source(struct get_exchange *x, bool chunked)
{
    struct cleat_error err = {0};
    x->body_ended = true;
    if (x->body->len != GET_LENGTH_UNKNOWN && x->body_sent != x->body->len) {
        (void)cl_error_set(&err, (struct cl_why){.code = CLEAT_ERR_SYSTEM},
                           "the body ended after %" PRIu64 " of %" PRIu64
                           " bytes: it was changed while it was sent",
                           x->body_sent, x->body->len);
        return fail_source(x, &err);
    }
    x->handler->sent(x->ctx, x->body_sent);
    if (!chunked) {
        return GET_FILL_NOTHING;
    }
    x->piece_at = 0;
    memcpy(x->piece.p, LAST_CHUNK, sizeof(LAST_CHUNK) - 1);
    x->piece.len = sizeof(LAST_CHUNK) - 1;
    return GET_FILLED;
}

static size_t frame_chunk(struct get_exchange *x, size_t len)
{
    char size[CHUNK_BEFORE + 1];
    const size_t n = (size_t)snprintf(size, sizeof(size), "%zx\r\n", len);
    memcpy(x->piece.p + CHUNK_BEFORE - n, size, n);
    memcpy(x->piece.p + CHUNK_BEFORE + len, "\r\n", CHUNK_BEHIND);
    x->piece.len = CHUNK_BEFORE + len + CHUNK_BEHIND;
    return CHUNK_BEFORE - n;
}

enum get_fill get_exchange_fill(struct get_exchange *x, bool chunked)
{
    struct cleat_error err = {0};
    const size_t all = CHUNK_BEFORE + GET_PIECE + CHUNK_BEHIND;
    if (x->piece_at < x->piece.len) {
        return GET_FILLED;
    }
    if (x->body_ended) {
        return GET_FILL_NOTHING;
    }
    x->piece.len = x->piece_at = 0;
    if (cl_buf_reserve(&x->piece, all, all) != CL_OK) {
        (void)cl_error_set(&err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
        return fail_source(x, &err);
    }
    const size_t before = chunked ? CHUNK_BEFORE : 0;
    const uint64_t left = x->body->len - x->body_sent; /* unknown: as good as everything */
    const size_t cap = left < GET_PIECE ? (size_t)left : GET_PIECE;
    const ssize_t n =
        cap == 0 ? GET_SOURCE_END : x->body->calls->read(x->body, x->piece.p + before, cap, &err);
    if (n == GET_SOURCE_LATER) {
        return GET_FILL_NOTHING;
    }
    if (n < 0) {
        return fail_source(x, &err);
    }
    if (n == GET_SOURCE_END) {
        return end_source(x, chunked);
    }
    x->body_sent += (uint64_t)n;
    if (chunked) {
        x->piece_at = frame_chunk(x, (size_t)n);
    } else {
        x->piece.len = (size_t)n;
    }
    return GET_FILLED;
}

bool get_exchange_all_sent(const struct get_exchange *x)
{
    return x->begun && x->head_sent == x->head.len && x->body_ended && x->piece_at == x->piece.len;
}

bool get_exchange_says_close(const struct get_exchange *x)
{
    struct cleat_http_head h;
    cleat_http_request_init(&h);
    h.max_head = UINT16_MAX;
    return cleat_http_head_feed(&h, x->head.p, x->head.len, NULL) == CLEAT_HTTP_COMPLETE &&
           !h.keep_alive;
}

/* ---- words ---- */

void get_exchange_where(const struct get_exchange *x, char out[GET_WHERE_SIZE])
{
    if (!x->begun) {
        (void)snprintf(out, GET_WHERE_SIZE, "%s",
                       x->conn != NULL ? get_conn_doing(x->conn) : "waiting for a connection");
    } else if (!x->head_done) {
        (void)snprintf(out, GET_WHERE_SIZE, "%s",
                       !get_exchange_all_sent(x) ? "sending the request"
                       : !x->answered            ? "waiting for the response"
                                                 : "inside the response's head");
    } else if (x->response.framing == CLEAT_HTTP_LENGTH) {
        (void)snprintf(out, GET_WHERE_SIZE, "after %" PRIu64 " of %" PRIu64 " bytes of the body",
                       x->received, x->response.content_length);
    } else {
        (void)snprintf(out, GET_WHERE_SIZE, "after %" PRIu64 " bytes of the body", x->received);
    }
}
