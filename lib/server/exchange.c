/* server/exchange.c - what an application does with an exchange, in both protocols. */
#include "server/server.h"

#include <string.h>

#include "base/mem.h"

static const struct cl_server_ops *ops_of(const struct cleat_http_exchange *x)
{
    return cl_server_ops(x->s);
}

/* Its last event has been told, or comes next. */
static bool is_closed(const struct cleat_http_exchange *x)
{
    return x->over || x->gone || x->switched ||
           (x->s->then != 0 && x->s->then != CLEAT_HTTP_SERVER_CLOSE);
}

/* ---- what it is ---- */

void cleat_http_exchange_set(struct cleat_http_exchange *x, void *ctx)
{
    x->ctx = ctx;
}

void *cleat_http_exchange_ctx(const struct cleat_http_exchange *x)
{
    return x->ctx;
}

struct cleat_http_server *cleat_http_exchange_server(const struct cleat_http_exchange *x)
{
    return x->s;
}

enum cleat_http_protocol cleat_http_exchange_protocol(const struct cleat_http_exchange *x)
{
    return (enum cleat_http_protocol)x->s->protocol;
}

uint32_t cleat_http_exchange_stream(const struct cleat_http_exchange *x)
{
    return x->stream;
}

uint16_t cleat_http_exchange_status(const struct cleat_http_exchange *x)
{
    return x->status;
}

uint64_t cleat_http_exchange_received(const struct cleat_http_exchange *x)
{
    return x->received;
}

uint64_t cleat_http_exchange_sent(const struct cleat_http_exchange *x)
{
    return x->sent;
}

bool cleat_http_exchange_is_early(const struct cleat_http_exchange *x)
{
    return x->is_early;
}

bool cleat_http_exchange_is_head(const struct cleat_http_exchange *x)
{
    return x->is_head;
}

int cleat_http_exchange_keep_head(struct cleat_http_exchange *x)
{
    if (x->kept != NULL) {
        return CLEAT_OK;
    }
    return x->fresh ? (int)ops_of(x)->keep_head(x) : CLEAT_ERR_USAGE;
}

const struct cleat_http_head *cleat_http_exchange_head(const struct cleat_http_exchange *x)
{
    return x->kept != NULL ? &x->kept->head : NULL;
}

/* ---- the request ---- */

void cleat_http_exchange_max_body(struct cleat_http_exchange *x, uint64_t max)
{
    x->max_body = max;
}

void cleat_http_exchange_stall(struct cleat_http_exchange *x, uint32_t timeout, uint32_t bytes)
{
    x->stall_timeout = timeout;
    x->stall_bytes = bytes;
    x->in.since = 0;
}

int cleat_http_exchange_continue(struct cleat_http_exchange *x)
{
    if (is_closed(x)) {
        return CLEAT_ERR_CLOSED;
    }
    if (!x->expects || x->status != 0 ||
        (x->announced != UINT64_MAX && x->announced > x->max_body)) {
        return CLEAT_OK;
    }
    const int code = cleat_http_exchange_respond(x, 100, NULL, 0, CLEAT_HTTP_LENGTH_UNKNOWN, false);
    if (code == CLEAT_OK) {
        x->expects = false;
        x->in.since = 0;
    }
    return code;
}

void cleat_http_exchange_consume(struct cleat_http_exchange *x, size_t len)
{
    const size_t n = len < x->unconsumed ? len : x->unconsumed;
    if (n > 0) {
        x->unconsumed -= n;
        ops_of(x)->consume(x, n);
    }
}

/* ---- the response ---- */

/* RFC 9110 6.4.1, 8.6 */
static bool has_no_body(const struct cleat_http_exchange *x, uint16_t status)
{
    return x->is_head || status == 204 || status == 304;
}

static cl_result check_interim(const struct cleat_http_exchange *x, uint16_t status, bool upgrade,
                               bool end)
{
    if (end || (upgrade && status != 101)) {
        return CLEAT_ERR_USAGE;
    }
    /* RFC 9113 8.6: HTTP/2 has no 101. What is behind an unread body cannot be another protocol. */
    return status == 101 && (x->s->protocol == CLEAT_HTTP_2 || !upgrade || !x->request_done)
               ? CLEAT_ERR_USAGE
               : CL_OK;
}

static cl_result check_final(const struct cleat_http_exchange *x, struct cl_server_response *r,
                             uint64_t length, bool end)
{
    const bool is_known = length != CLEAT_HTTP_LENGTH_UNKNOWN;
    const bool without = has_no_body(x, r->status);
    const bool tunnel = x->to_connect && r->status / 100 == 2;
    if ((is_known && tunnel) || (r->status == 205 && is_known && length != 0) ||
        (end && is_known && length != 0 && !without)) {
        return CLEAT_ERR_USAGE;
    }
    r->length = length;
    r->end = without || end || (is_known && length == 0 && !tunnel);
    if (r->status == 204 || (r->status == 304 && length == 0)) {
        r->length = CLEAT_HTTP_LENGTH_UNKNOWN;
    } else if (!is_known && r->end && !without) {
        r->length = 0;
    }
    return CL_OK;
}

int cleat_http_exchange_respond(struct cleat_http_exchange *x, uint16_t status, const char *fields,
                                size_t fields_len, uint64_t length, bool end)
{
    struct cleat_http_head head;
    struct cl_server_response r = {
        .status = status,
        .fields = cl_rd_of(fields, fields_len),
        .head = &head,
        .length = CLEAT_HTTP_LENGTH_UNKNOWN,
    };
    if (is_closed(x)) {
        return CLEAT_ERR_CLOSED;
    }
    if (x->status != 0 || status < 100 || status > 999) {
        return CLEAT_ERR_USAGE;
    }
    if (status >= 200 && x->s->fields_len > 0) {
        r.common = cl_rd_of(x->s->fields, x->s->fields_len);
        CL_TRY(cl_server_fields(&head, x->s->fields, x->s->fields_len, false, &r.upgrade));
    }
    CL_TRY(cl_server_fields(&head, fields, fields_len, false, &r.upgrade));
    if (status < 200) {
        CL_TRY(check_interim(x, status, r.upgrade, end));
        return ops_of(x)->respond(x, &r);
    }
    CL_TRY(check_final(x, &r, length, end));
    CL_TRY(ops_of(x)->respond(x, &r));
    x->status = status;
    x->without_body = has_no_body(x, status);
    x->length = length;
    x->response_done = r.end;
    x->in.since = 0;
    return CLEAT_OK;
}

size_t cleat_http_exchange_room(const struct cleat_http_exchange *x)
{
    return is_closed(x) || x->status == 0 || x->response_done ? 0 : ops_of(x)->room(x);
}

int cleat_http_exchange_write(struct cleat_http_exchange *x, const void *p, size_t len, bool end,
                              size_t *taken)
{
    *taken = 0;
    if (is_closed(x)) {
        return CLEAT_ERR_CLOSED;
    }
    if (x->without_body) {
        *taken = len;
        return CLEAT_OK;
    }
    const bool is_known = x->length != CLEAT_HTTP_LENGTH_UNKNOWN;
    if (x->status == 0 || x->response_done || (is_known && len > x->length - x->sent) ||
        (is_known && end && len < x->length - x->sent)) {
        return CLEAT_ERR_USAGE;
    }
    const bool ends = is_known ? len == x->length - x->sent : end;
    CL_TRY(ops_of(x)->write(x, p, len, ends, taken));
    x->sent += *taken;
    x->response_done = ends && *taken == len;
    x->in.since = x->response_done ? 0 : x->in.since;
    x->wants_room = *taken < len;
    return CLEAT_OK;
}

void cl_server_reply_on(struct cleat_http_exchange *x)
{
    struct cl_server_reply *r = x->reply;
    size_t taken = 0;
    const int code = cleat_http_exchange_write(x, r->bytes + r->at, r->len - r->at, true, &taken);
    r->at += taken;
    if (code != CLEAT_OK || r->at == r->len) {
        cl_free(r);
        x->reply = NULL;
    }
    if (code != CLEAT_OK && code != CLEAT_ERR_CLOSED) {
        cleat_http_exchange_reset(x, CLEAT_H2_INTERNAL_ERROR);
    }
}

int cleat_http_exchange_reply(struct cleat_http_exchange *x, uint16_t status, const char *fields,
                              size_t fields_len, const void *body, size_t len)
{
    size_t taken = 0;
    if (status < 200) {
        return CLEAT_ERR_USAGE;
    }
    CL_TRY((cl_result)cleat_http_exchange_respond(x, status, fields, fields_len, len, false));
    if (x->response_done) {
        return CLEAT_OK;
    }
    int code = cleat_http_exchange_write(x, body, len, true, &taken);
    if (code == CLEAT_OK && taken < len) {
        struct cl_server_reply *r = cl_alloc(sizeof(*r) + len - taken);
        code = r != NULL ? CLEAT_OK : CLEAT_ERR_NOMEM;
        if (r != NULL) {
            r->len = len - taken;
            r->at = 0;
            memcpy(r->bytes, (const uint8_t *)body + taken, r->len);
            x->reply = r;
        }
    }
    if (code != CLEAT_OK && code != CLEAT_ERR_CLOSED) {
        cleat_http_exchange_reset(x, CLEAT_H2_INTERNAL_ERROR);
    }
    return code;
}

int cleat_http_exchange_trailers(struct cleat_http_exchange *x, const char *fields,
                                 size_t fields_len)
{
    struct cleat_http_head head;
    bool upgrade;
    if (is_closed(x)) {
        return CLEAT_ERR_CLOSED;
    }
    CL_TRY(cl_server_fields(&head, fields, fields_len, true, &upgrade));
    if (x->without_body) {
        return CLEAT_OK;
    }
    if (x->status == 0 || x->response_done || x->length != CLEAT_HTTP_LENGTH_UNKNOWN) {
        return CLEAT_ERR_USAGE;
    }
    CL_TRY(ops_of(x)->trailers(x, &head, cl_rd_of(fields, fields_len)));
    x->response_done = true;
    return CLEAT_OK;
}

void cleat_http_exchange_reset(struct cleat_http_exchange *x, uint32_t code)
{
    if (!is_closed(x)) {
        ops_of(x)->reset(x, code);
    }
}
