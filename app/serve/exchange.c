/* serve/exchange.c - see exchange.h. */
#include "serve/exchange.h"

#include <string.h>

#include "base/mem.h"
#include "cleat/version.h"
#include "net/clock.h"
#include "serve/page.h"
#include "serve/protected.h"

#define SERVER_FIELD "Server: cleat/" CLEAT_VERSION_STRING "\r\n"
/* HTTP/1.0 clients that asked to keep the connection are told so (RFC 9112 C.2.2). */
#define KEEP_FIELD   "Connection: keep-alive\r\n"

/* Methods that RFC 9110 9 and RFC 5789 define: known, but most are not for files (405); any other
 * is not known here (501). */
static const char *const known_methods[] = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
};

cl_result cl_exchange_new(const struct cl_site *site, struct cl_exchange **out)
{
    struct cl_exchange *x = cl_calloc(1, sizeof(*x));
    if (x == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    x->site = site;
    x->reply = (struct cl_static_reply)CL_STATIC_REPLY_INIT;
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
    cl_static_reply_deinit(&x->reply);
    cl_access_deinit(&x->note);
    cl_free(x);
}

bool cl_exchange_begun(const struct cl_exchange *x)
{
    return x->pending.len > 0 || x->note.request.len > 0;
}

static bool is_method(const struct cl_exchange *x, const char *name)
{
    return cleat_http_is(cleat_http_text(&x->head, x->head.method), name);
}

/* What may be a replay is answered at once when that changes nothing. */
static bool is_safe(const struct cl_exchange *x)
{
    return x->head.framing == CLEAT_HTTP_NO_BODY && (is_method(x, "GET") || is_method(x, "HEAD"));
}

static bool method_is_known(const struct cl_exchange *x)
{
    for (size_t i = 0; i < sizeof(known_methods) / sizeof(known_methods[0]); i++) {
        if (is_method(x, known_methods[i])) {
            return true;
        }
    }
    return false;
}

static void stamp(struct cl_exchange *x)
{
    if (x->began == 0) {
        x->began = cl_clock_mono_us();
        x->now = (int64_t)(cl_clock_unix_ms() / 1000);
    }
}

static void answer_page(struct cl_exchange *x, int status, const char *text, bool without_body)
{
    struct cl_page page = {
        .status = status,
        .text = text,
        .now = x->now,
        .close = x->close,
        .without_body = without_body,
        .extra_fields = SERVER_FIELD,
    };
    cl_static_reply_deinit(&x->reply);
    x->reply.status = status;
    if (cl_page_build(&page, &x->reply.head, &x->reply.body.memory) != CL_OK) {
        /* Out of memory: an empty response ends the connection without a word. */
        x->reply.head.len = 0;
        x->reply.body.memory.len = 0;
        x->close = true;
    }
}

void cl_exchange_refuse(struct cl_exchange *x, int status, const char *text)
{
    stamp(x);
    if (x->note.request.len == 0 && x->pending.len > 0) {
        cl_access_note_text(&x->note, x->pending.p, x->pending.len);
    }
    x->close = true;
    x->interim = false;
    answer_page(x, status, text, x->is_head);
}

static void answer_file(struct cl_exchange *x)
{
    bool old = x->head.minor == 0 && !x->close;
    struct cl_static_ask ask = {
        .request = &x->head,
        .now = x->now,
        .close = x->close,
        .extra_fields = old ? SERVER_FIELD KEEP_FIELD : SERVER_FIELD,
    };
    cl_static_reply_deinit(&x->reply);
    if (cl_static_answer(&x->site->files, &ask, &x->reply) != CL_OK) {
        x->close = true;
        answer_page(x, 500, NULL, x->is_head);
    }
}

static void answer(struct cl_exchange *x)
{
    if (x->head.expect == CLEAT_HTTP_EXPECT_UNKNOWN) {
        x->close = true;
        answer_page(x, 417, "Only 100-continue can be expected.", x->is_head);
    } else if (!method_is_known(x)) {
        answer_page(x, 501, "This server does not know the method.", false);
    } else {
        answer_file(x);
    }
}

/* Where there are WebSockets, a path of theirs, and whoever asks for one. */
static bool is_for_websocket(const struct cl_exchange *x)
{
    const struct cl_ws_server *ws = x->site->ws;
    return ws != NULL &&
           (cleat_ws_wants_upgrade(&x->head) ||
            cl_ws_config_find(ws->config, cleat_http_text(&x->head, x->head.path)) != NULL);
}

/* The head is complete: the response is made while the head's bytes are still there. */
static enum cl_exchange_next take_request(struct cl_exchange *x, bool want_close)
{
    struct cleat_error err = {0};
    stamp(x);
    x->head.early = x->early;
    x->is_head = is_method(x, "HEAD");
    x->is_protected = cl_protected_holds(x->site->protected, &x->head);
    /* a certificate can be asked for after the handshake only */
    x->must_wait = x->early && (!is_safe(x) || x->is_protected);
    cl_access_note_head(&x->note, &x->head);
    x->close = want_close || !x->head.keep_alive;
    if (is_for_websocket(x)) {
        x->is_upgrade = true;
        return CL_EXCHANGE_UPGRADE;
    }
    int code = cleat_http_body_init(&x->body, &x->head, CL_SERVE_MAX_BODY, &err);
    if (code != CLEAT_OK) {
        cl_exchange_refuse(x, cleat_http_reply_status(code), err.text);
        return CL_EXCHANGE_RESPOND;
    }
    answer(x);
    if (x->head.framing == CLEAT_HTTP_NO_BODY || x->head.framing == CLEAT_HTTP_SWITCHED ||
        (x->head.framing == CLEAT_HTTP_LENGTH && x->head.content_length == 0)) {
        return CL_EXCHANGE_RESPOND;
    }
    if (x->head.expect == CLEAT_HTTP_EXPECT_CONTINUE && x->reply.status >= 400) {
        /* RFC 9110 10.1.1: a final answer at once. Whether the body comes all the same cannot be
         * known, so the connection ends. */
        x->close = true;
        answer(x);
        return CL_EXCHANGE_RESPOND;
    }
    x->interim = x->head.expect == CLEAT_HTTP_EXPECT_CONTINUE;
    return x->head.expect == CLEAT_HTTP_EXPECT_UNKNOWN ? CL_EXCHANGE_RESPOND : CL_EXCHANGE_BODY;
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
        cl_access_note_text(&x->note, bytes, before + take);
        cl_exchange_refuse(x, x->head.reply_status != 0 ? x->head.reply_status : 400, err.text);
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

uint64_t cl_exchange_total(const struct cl_exchange *x)
{
    uint64_t body = 0;
    /* no answer of today is made while it goes out */
    (void)cl_body_source_length(&x->reply.body, &body);
    return x->reply.head.len + body;
}

uint64_t cl_exchange_body_bytes(const struct cl_exchange *x, uint64_t at)
{
    return at > x->reply.head.len ? at - x->reply.head.len : 0;
}

size_t cl_exchange_fill(struct cl_exchange *x, uint64_t at, uint8_t *buf, size_t cap,
                        struct cl_file_read *file, enum cl_body_next *next)
{
    const struct cl_buf *head = &x->reply.head;
    size_t n = 0;
    *next = CL_BODY_MORE;
    if (at < head->len) {
        n = head->len - (size_t)at < cap ? head->len - (size_t)at : cap;
        memcpy(buf, head->p + at, n);
    }
    return n == cap ? n : n + cl_body_source_read(&x->reply.body, buf + n, cap - n, file, next);
}

void cl_exchange_untaken(struct cl_exchange *x, uint64_t at, size_t n, size_t taken)
{
    uint64_t untaken = cl_exchange_body_bytes(x, at + n) - cl_exchange_body_bytes(x, at + taken);
    cl_body_source_unread(&x->reply.body, (size_t)untaken);
}
