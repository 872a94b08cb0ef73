/* serve/exchange.c - see exchange.h. */
#include "serve/exchange.h"

#include <string.h>

#include "base/mem.h"
#include "http/write.h"

cl_result cl_exchange_new(const struct cl_site *site, struct cl_exchange **out)
{
    struct cl_exchange *x = cl_calloc(1, sizeof(*x));
    if (x == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    cl_answer_init(&x->answer, site);
    cleat_http_request_init(&x->head);
    *out = x;
    return CL_OK;
}

void cl_exchange_free(struct cl_exchange *x)
{
    if (x == NULL) {
        return;
    }
    cl_buf_deinit(&x->pending);
    cl_buf_deinit(&x->out_head);
    cl_answer_deinit(&x->answer);
    cl_free(x);
}

bool cl_exchange_begun(const struct cl_exchange *x)
{
    return x->pending.len > 0 || x->answer.began != 0;
}

void cl_exchange_refuse(struct cl_exchange *x, int status, const char *text)
{
    x->close = true;
    x->interim = false;
    cl_answer_refuse_text(&x->answer, status, text, x->pending.p, x->pending.len);
}

/* The head is complete: the response is made while the head's bytes are still there. */
static enum cl_exchange_next take_request(struct cl_exchange *x, bool want_close)
{
    struct cleat_error err = {0};
    struct cl_answer *a = &x->answer;
    x->head.early = x->early;
    x->close = want_close || !x->head.keep_alive;
    if (cl_answer_request(a, &x->head, NULL) == CL_ANSWER_WEBSOCKET) {
        return CL_EXCHANGE_UPGRADE;
    }
    int code = cleat_http_body_init(&x->body, &x->head, CL_SERVE_MAX_BODY, &err);
    if (code != CLEAT_OK) {
        cl_exchange_refuse(x, cleat_http_reply_status(code), err.text);
        return CL_EXCHANGE_RESPOND;
    }
    x->close = x->close || a->last;
    if (x->head.framing == CLEAT_HTTP_NO_BODY || x->head.framing == CLEAT_HTTP_SWITCHED ||
        (x->head.framing == CLEAT_HTTP_LENGTH && x->head.content_length == 0) || a->at_once) {
        return CL_EXCHANGE_RESPOND;
    }
    x->interim = x->head.expect == CLEAT_HTTP_EXPECT_CONTINUE;
    return CL_EXCHANGE_BODY;
}

enum cl_exchange_next cl_exchange_head(struct cl_exchange *x, const uint8_t *p, size_t len,
                                       bool want_close, size_t *out_used)
{
    struct cleat_error err = {0};
    size_t before = x->pending.len;
    /* One byte more than allowed lets the parser see that it is too much. */
    size_t room = CLEAT_HTTP_MAX_REQUEST_HEAD + 1 - before;
    size_t take = len < room ? len : room;
    const uint8_t *bytes = p;
    *out_used = len;
    if (before > 0) {
        if (cl_buf_append(&x->pending, p, take, CLEAT_HTTP_MAX_REQUEST_HEAD + 1) != CL_OK) {
            cl_exchange_refuse(x, 500, NULL);
            return CL_EXCHANGE_RESPOND;
        }
        bytes = x->pending.p;
    }
    int code = cleat_http_head_feed(&x->head, bytes, before + take, &err);
    if (code == CLEAT_HTTP_COMPLETE) {
        *out_used = x->head.len - before;
        x->behind = len - *out_used;
        enum cl_exchange_next next = take_request(x, want_close);
        if (next != CL_EXCHANGE_UPGRADE) {
            cl_buf_deinit(&x->pending);
        }
        return next;
    }
    if (code != CLEAT_HTTP_MORE) {
        x->close = true;
        cl_answer_refuse_text(&x->answer, x->head.reply_status != 0 ? x->head.reply_status : 400,
                              err.text, bytes, before + take);
        return CL_EXCHANGE_RESPOND;
    }
    *out_used = take;
    if (before == 0 &&
        cl_buf_append(&x->pending, p, take, CLEAT_HTTP_MAX_REQUEST_HEAD + 1) != CL_OK) {
        cl_exchange_refuse(x, 500, NULL);
        return CL_EXCHANGE_RESPOND;
    }
    return CL_EXCHANGE_NEED_MORE;
}

cl_result cl_exchange_keep_head(struct cl_exchange *x)
{
    if (x->pending.len == 0) {
        CL_TRY(cl_buf_append(&x->pending, x->head.base, x->head.len, CLEAT_HTTP_MAX_REQUEST_HEAD));
        x->head.base = (const char *)x->pending.p;
    }
    return CL_OK;
}

enum cl_exchange_next cl_exchange_body(struct cl_exchange *x, const uint8_t *p, size_t len,
                                       size_t *out_used)
{
    *out_used = 0;
    for (;;) {
        struct cleat_error err = {0};
        struct cleat_http_view content;
        size_t used = 0;
        int code =
            cleat_http_body_feed(&x->body, p + *out_used, len - *out_used, &used, &content, &err);
        *out_used += used;
        if (code == CLEAT_HTTP_COMPLETE) {
            return CL_EXCHANGE_RESPOND;
        }
        if (code == CLEAT_HTTP_MORE) {
            return CL_EXCHANGE_NEED_MORE;
        }
        if (code != CLEAT_HTTP_DATA) {
            *out_used = len;
            cl_exchange_refuse(x, cleat_http_reply_status(code), err.text);
            return CL_EXCHANGE_RESPOND;
        }
    }
}

/* HTTP/1.0 clients that asked to keep the connection are told so (RFC 9112 C.2.2). */
static const char *connection_value(const struct cl_exchange *x)
{
    /* RFC 9110 7.8: the sender of Upgrade lists it here too */
    return x->answer.reply.status == 426 ? "close, Upgrade"
           : x->close                    ? "close"
           : x->head.minor == 0          ? "keep-alive"
                                         : NULL;
}

static cl_result make_head(struct cl_exchange *x)
{
    const struct cl_static_reply *reply = &x->answer.reply;
    struct cl_buf *out = &x->out_head;
    const char *connection = connection_value(x);
    CL_TRY(cl_http_write_response(out, reply->status));
    CL_TRY(cl_buf_append(out, reply->fields.p, reply->fields.len, CL_HTTP_MAX_WRITTEN_HEAD));
    if (reply->status != 304 && reply->status != 204) {
        CL_TRY(cl_http_write_field_u64(out, "Content-Length", reply->length));
    }
    if (connection != NULL) {
        CL_TRY(cl_http_write_field_str(out, "Connection", connection));
    }
    return cl_http_write_end(out);
}

void cl_exchange_seal(struct cl_exchange *x)
{
    if (make_head(x) != CL_OK) {
        x->out_head.len = 0;
        cl_body_source_deinit(&x->answer.reply.body);
        x->close = true;
    }
}

uint64_t cl_exchange_total(const struct cl_exchange *x)
{
    uint64_t body = 0;
    /* no answer of today is made while it goes out */
    (void)cl_body_source_length(&x->answer.reply.body, &body);
    return x->out_head.len + body;
}

uint64_t cl_exchange_body_bytes(const struct cl_exchange *x, uint64_t at)
{
    return at > x->out_head.len ? at - x->out_head.len : 0;
}

size_t cl_exchange_fill(struct cl_exchange *x, uint64_t at, uint8_t *buf, size_t cap,
                        struct cl_file_read *file, enum cl_body_next *next)
{
    const struct cl_buf *head = &x->out_head;
    size_t n = 0;
    *next = CL_BODY_MORE;
    if (at < head->len) {
        n = head->len - (size_t)at < cap ? head->len - (size_t)at : cap;
        memcpy(buf, head->p + at, n);
    }
    return n == cap ? n
                    : n + cl_body_source_read(&x->answer.reply.body, buf + n, cap - n, file, next);
}

void cl_exchange_untaken(struct cl_exchange *x, uint64_t at, size_t n, size_t taken)
{
    uint64_t untaken = cl_exchange_body_bytes(x, at + n) - cl_exchange_body_bytes(x, at + taken);
    cl_body_source_unread(&x->answer.reply.body, (size_t)untaken);
}
