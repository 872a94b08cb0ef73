/* server/h1_send.c - HTTP/1.1: what goes out, through one buffer that is there while it holds
 * something. It begins in the room of the exchange, so that a head with a small body costs no
 * allocation. */
#include <string.h>

#include "http/write.h"
#include "server/h1.h"

/* 160: status line, Content-Length or Transfer-Encoding, Connection, the empty line */
#define HEAD_ROOM  160
/* "\r\n" behind a chunk, and the last chunk with the end of the trailers */
#define CHUNK_ROOM (CL_HTTP_CHUNK_HEAD_MAX + 2 + 5)

/* ---- the buffer ---- */

static void drop_sent(struct cleat_http_server *s)
{
    struct cl_buf *out = &s->h1.out;
    if (s->h1.out_at == out->len) {
        s->h1.out_at = out->len = 0;
        if (!out->lent) {
            cl_buf_deinit(out);
        }
    }
}

void cl_h1_drop_output(struct cleat_http_server *s)
{
    s->h1.out_at = s->h1.out.len;
    s->h1.passing = 0;
    drop_sent(s);
}

static cl_result make_room(struct cleat_http_server *s, struct cl_h1_exchange *h, size_t len)
{
    struct cl_buf *out = &s->h1.out;
    if (out->len == 0 && (out->p == NULL || out->lent)) {
        cl_buf_lend(out, h->room, sizeof(h->room));
    }
    if (s->h1.out_at > 0 && s->h1.out_at >= out->len - s->h1.out_at) {
        cl_buf_drop(out, s->h1.out_at);
        s->h1.out_at = 0;
    }
    if (cl_h1_queued(s) == 0) {
        s->out.since = 0; /* until now it was not the client's turn */
    }
    return cl_buf_reserve(out, len, SIZE_MAX);
}

size_t cl_h1_output(struct cleat_http_server *s, const uint8_t **p)
{
    *p = s->h1.out.len > s->h1.out_at ? s->h1.out.p + s->h1.out_at : NULL;
    return s->h1.out.len - s->h1.out_at;
}

void cl_h1_sent(struct cleat_http_server *s, size_t n)
{
    const size_t there = s->h1.out.len - s->h1.out_at;
    const size_t own = n < there ? n : there;
    const size_t passed = n - own < s->h1.passing ? n - own : s->h1.passing;
    struct cleat_http_exchange *x = s->h1.x != NULL ? &s->h1.x->x : NULL;
    s->h1.out_at += own;
    s->h1.passing -= passed;
    drop_sent(s);
    if (x != NULL && x->wants_room && s->h1.passing == 0 &&
        cl_h1_queued(s) <= s->limits.queue / 2) {
        x->wants_room = false;
        x->writable = true;
    }
    if (s->h1.state == CL_H1_IDLE && cl_h1_queued(s) == 0) {
        s->since = 0; /* idle from now on */
    }
}

/* ---- heads ---- */

static void put_status_line(struct cl_wr *w, uint16_t status)
{
    const char *reason = cleat_http_reason(status);
    const char digits[] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10),
                           (char)('0' + status % 10), ' '};
    cl_wr_bytes(w, "HTTP/1.1 ", 9);
    cl_wr_bytes(w, digits, sizeof(digits));
    cl_wr_bytes(w, reason, strlen(reason));
    cl_wr_bytes(w, "\r\n", 2);
}

static void put_str(struct cl_wr *w, const char *text)
{
    cl_wr_bytes(w, text, strlen(text));
}

static void put_length(struct cl_wr *w, uint64_t value)
{
    char digits[CL_HTTP_MAX_DIGITS];
    put_str(w, "Content-Length: ");
    cl_wr_view(w, cl_http_digits(digits, value));
    cl_wr_bytes(w, "\r\n", 2);
}

/* How the body ends is decided here (RFC 9112 6.3), and whether the connection does (9.3). */
static void decide(struct cl_h1_exchange *h, const struct cl_server_response *r)
{
    struct cleat_http_exchange *x = &h->x;
    const bool is_known = r->length != CLEAT_HTTP_LENGTH_UNKNOWN;
    x->chunked = !is_known && !r->end && h->head.minor == 1;
    x->switched = r->status == 101 || (x->to_connect && r->status / 100 == 2);
    if (x->switched) {
        x->chunked = false;
        return;
    }
    /* RFC 9110 10.1.1: whether the body follows cannot be known. */
    if ((!is_known && !r->end && !x->chunked) || x->expects || cl_server_is_last(x->s)) {
        x->close = true;
    }
}

static void put_connection(struct cl_wr *w, const struct cl_h1_exchange *h,
                           const struct cl_server_response *r)
{
    if (h->x.close && !h->x.switched && r->status >= 200) {
        put_str(w, r->upgrade ? "Connection: upgrade, close\r\n" : "Connection: close\r\n");
    } else if (r->upgrade) {
        put_str(w, "Connection: upgrade\r\n");
    } else if (h->head.minor == 0 && r->status >= 200 && !h->x.switched) {
        put_str(w, "Connection: keep-alive\r\n"); /* RFC 9112 C.2.2 */
    }
}

cl_result cl_h1_respond(struct cleat_http_exchange *x, const struct cl_server_response *r)
{
    struct cl_h1_exchange *h = cl_h1_of(x);
    struct cleat_http_server *s = x->s;
    /* RFC 9110 15.2: "A server MUST NOT send a 1xx response to an HTTP/1.0 client." */
    if (r->status < 200 && h->head.minor == 0) {
        return r->status == 101 ? CLEAT_ERR_USAGE : CL_OK;
    }
    if (s->h1.passing > 0) {
        return CLEAT_ERR_USAGE;
    }
    CL_TRY(make_room(
        s, h, HEAD_ROOM + strlen(cleat_http_reason(r->status)) + r->common.len + r->fields.len));
    if (r->status >= 200 || r->status == 101) {
        decide(h, r);
    }
    struct cl_wr w = cl_buf_writer(&s->h1.out);
    put_status_line(&w, r->status);
    cl_wr_view(&w, r->common);
    cl_wr_view(&w, r->fields);
    if (r->status >= 200 && r->length != CLEAT_HTTP_LENGTH_UNKNOWN) {
        put_length(&w, r->length);
    } else if (r->status >= 200 && x->chunked) {
        put_str(&w, "Transfer-Encoding: chunked\r\n");
    }
    put_connection(&w, h, r);
    cl_wr_bytes(&w, "\r\n", 2);
    cl_buf_commit(&s->h1.out, &w);
    return cl_wr_ok(&w) ? CL_OK : CLEAT_ERR_INTERNAL;
}

/* ---- bodies ---- */

size_t cl_h1_room(const struct cleat_http_exchange *x)
{
    const size_t queued = cl_h1_queued(x->s);
    return x->s->h1.passing > 0 || queued >= x->s->limits.queue ? 0 : x->s->limits.queue - queued;
}

cl_result cl_h1_write(struct cleat_http_exchange *x, const void *p, size_t len, bool end,
                      size_t *taken)
{
    struct cleat_http_server *s = x->s;
    const size_t room = cl_h1_room(x);
    const size_t n = len < room ? len : room;
    uint8_t head[CL_HTTP_CHUNK_HEAD_MAX];
    end = end && n == len;
    if (n == 0 && !end) {
        return CL_OK;
    }
    CL_TRY(make_room(s, cl_h1_of(x), n + (x->chunked ? CHUNK_ROOM : 0)));
    struct cl_wr w = cl_buf_writer(&s->h1.out);
    if (x->chunked && n > 0) {
        cl_wr_bytes(&w, head, cl_http_chunk_head(head, n));
    }
    cl_wr_bytes(&w, p, n);
    if (x->chunked && n > 0) {
        put_str(&w, CL_HTTP_CHUNK_TAIL);
    }
    if (x->chunked && end) {
        put_str(&w, CL_HTTP_LAST_CHUNK);
    }
    cl_buf_commit(&s->h1.out, &w);
    *taken = n;
    return cl_wr_ok(&w) ? CL_OK : CLEAT_ERR_INTERNAL;
}

cl_result cl_h1_trailers(struct cleat_http_exchange *x, struct cleat_http_head *fields,
                         struct cl_rd text)
{
    struct cleat_http_server *s = x->s;
    (void)fields;
    if (!x->chunked) {
        return CL_OK; /* to HTTP/1.0: the connection's end is the body's */
    }
    CL_TRY(make_room(s, cl_h1_of(x), text.len + CHUNK_ROOM));
    struct cl_wr w = cl_buf_writer(&s->h1.out);
    put_str(&w, "0\r\n");
    cl_wr_view(&w, text);
    cl_wr_bytes(&w, "\r\n", 2);
    cl_buf_commit(&s->h1.out, &w);
    return cl_wr_ok(&w) ? CL_OK : CLEAT_ERR_INTERNAL;
}

size_t cleat_http_exchange_pass(struct cleat_http_exchange *x, size_t len)
{
    struct cleat_http_server *s = x->s;
    if (s->protocol == CLEAT_HTTP_2 || s->then != 0 || x->over || x->gone || x->status == 0 ||
        x->response_done || x->length == CLEAT_HTTP_LENGTH_UNKNOWN || s->h1.passing > 0) {
        return 0;
    }
    const uint64_t left = x->length - x->sent;
    const size_t n = len < left ? len : (size_t)left;
    if (cl_h1_queued(s) == 0) {
        s->out.since = 0;
    }
    s->h1.passing = n;
    x->sent += n;
    x->response_done = x->sent == x->length;
    return n;
}
