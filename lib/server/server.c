/* server/server.c - what connections of both protocols have in common; see server.h. */
#include "server/server.h"

#include "base/mem.h"

void cleat_http_server_options_init(struct cleat_http_server_options *o)
{
    *o = (struct cleat_http_server_options){
        .max_body = 10485760,
        .header_timeout = 15000,
        .keep_alive_timeout = 75000,
        .stall_timeout = 30000,
        .stall_bytes = 8192,
        .max_requests = 10000,
        .window = 65536,
        .queue = 65536,
    };
    cleat_h2_options_init(&o->h2, true);
}

int cleat_http_server_new(const struct cleat_http_server_options *o,
                          enum cleat_http_protocol protocol, uint64_t now,
                          struct cleat_http_server **out)
{
    if (o->window == 0 || o->queue == 0 || now == 0) {
        return CLEAT_ERR_USAGE;
    }
    struct cleat_http_server *s = cl_calloc(1, sizeof(*s));
    if (s == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    s->limits = (struct cl_server_limits){
        .max_body = o->max_body,
        .header_timeout = o->header_timeout,
        .keep_alive_timeout = o->keep_alive_timeout,
        .stall_timeout = o->stall_timeout,
        .stall_bytes = o->stall_bytes,
        .max_requests = o->max_requests,
        .window = o->window,
        .queue = o->queue,
    };
    s->protocol = (uint8_t)protocol;
    s->now = s->since = now;
    const cl_result r = protocol == CLEAT_HTTP_2 ? cl_server_h2_open(s, &o->h2) : CL_OK;
    if (r != CL_OK) {
        cl_free(s);
        return r;
    }
    *out = s;
    return CLEAT_OK;
}

void cleat_http_server_free(struct cleat_http_server *s)
{
    if (s != NULL) {
        cl_server_ops(s)->free(s);
        cl_free(s->error);
        cl_free(s->why);
        cl_free(s);
    }
}

/* ---- errors ---- */

static void keep_error(struct cleat_error **slot, const struct cleat_error *e)
{
    if (*slot == NULL) {
        *slot = cl_alloc(sizeof(**slot));
    }
    if (*slot != NULL) {
        **slot = *e;
    }
}

cl_result cl_server_fail(struct cleat_http_server *s, const struct cleat_error *why)
{
    if (s->error_code == 0) {
        s->error_code = (int16_t)why->code;
        keep_error(&s->error, why);
    }
    s->then = s->then != 0 ? s->then : CLEAT_HTTP_SERVER_FAILED;
    return (cl_result)why->code;
}

cl_result cl_server_note(struct cleat_http_server *s, const struct cleat_error *why)
{
    s->why_code = (int16_t)why->code;
    keep_error(&s->why, why);
    return (cl_result)why->code;
}

static int give_error(const struct cleat_error *e, int code, struct cleat_error *out)
{
    if (out != NULL) {
        *out = (struct cleat_error){0};
        if (e != NULL && code != 0) {
            *out = *e;
        } else if (code != 0) {
            (void)cl_error_set(out, (struct cl_why){.code = (cl_result)code}, "%s",
                               cleat_error_sentence(code));
        }
    }
    return code;
}

int cleat_http_server_error(const struct cleat_http_server *s, struct cleat_error *out)
{
    return give_error(s->error, s->error_code, out);
}

int cleat_http_server_why(const struct cleat_http_server *s, struct cleat_error *out)
{
    return give_error(s->why, s->why_code, out);
}

cl_result cl_server_too_slow(struct cleat_error *err, const char *what, uint32_t timeout,
                             uint32_t bytes)
{
    const struct cl_why why = {.code = CLEAT_ERR_LIMIT, .section = "RFC 9110 15.5.9"};
    *err = (struct cleat_error){0};
    return cl_error_set(err, why, "%s: less than %u bytes in %u ms", what, (unsigned)bytes,
                        (unsigned)timeout);
}

cl_result cl_server_too_long(struct cleat_error *err, uint64_t len, uint64_t max)
{
    const struct cl_why why = {.code = CLEAT_ERR_HTTP_TOO_LARGE, .section = "RFC 9110 15.5.14"};
    *err = (struct cleat_error){0};
    return cl_error_set(err, why, "a body of at least %llu bytes, limit %llu",
                        (unsigned long long)len, (unsigned long long)max);
}

/* ---- events ---- */

enum cleat_http_server_next cleat_http_server_step(struct cleat_http_server *s,
                                                   struct cleat_http_server_io *io)
{
    enum cleat_http_server_next next;
    s->now = io->now;
    do {
        io->exchange = NULL;
        io->head = NULL;
        io->protocol = NULL;
        io->data = NULL;
        io->data_len = 0;
        io->end = false;
        io->status = 0;
        io->code = 0;
        next = cl_server_ops(s)->step(s, io);
        if (next != CLEAT_HTTP_SERVER_WRITABLE || io->exchange->reply == NULL) {
            return next;
        }
        cl_server_reply_on(io->exchange);
    } while (true);
}

void cl_server_init_exchange(struct cleat_http_server *s, struct cleat_http_exchange *x,
                             const struct cleat_http_head *head)
{
    s->num_requests++;
    x->s = s;
    x->known = x->fresh = true;
    x->max_body = s->limits.max_body;
    x->stall_timeout = s->limits.stall_timeout;
    x->stall_bytes = s->limits.stall_bytes;
    x->announced = UINT64_MAX;
    x->length = CLEAT_HTTP_LENGTH_UNKNOWN;
    if (head == NULL) {
        x->refused = x->request_done = true;
        return;
    }
    const struct cleat_http_view method = cleat_http_text(head, head->method);
    x->is_head = cleat_http_is(method, "HEAD");
    x->to_connect = cleat_http_is(method, "CONNECT");
    x->is_early = head->early;
    x->request_done = head->framing == CLEAT_HTTP_NO_BODY;
    if (head->framing == CLEAT_HTTP_LENGTH) {
        x->announced = head->content_length;
        x->request_done = x->announced == 0;
    }
    x->expects = head->expect == CLEAT_HTTP_EXPECT_CONTINUE && !x->request_done;
}

void cl_server_deinit_exchange(struct cleat_http_exchange *x)
{
    cl_free(x->kept);
    cl_free(x->reply);
    x->kept = NULL;
    x->reply = NULL;
}

bool cl_server_is_last(const struct cleat_http_server *s)
{
    return s->draining || s->eof ||
           (s->limits.max_requests != 0 && s->num_requests >= s->limits.max_requests);
}

/* ---- time ---- */

bool cl_server_look(struct cl_server_watch *w, bool is_turn, uint64_t moved, uint64_t now,
                    uint32_t timeout, uint32_t bytes, uint64_t *next)
{
    if (!is_turn || timeout == 0) {
        w->since = 0;
        return false;
    }
    if (w->since == 0 || moved - w->moved >= bytes) {
        w->since = now;
        w->moved = moved;
    }
    cl_server_lower(next, w->since + CL_SERVER_US(timeout));
    return now >= w->since + CL_SERVER_US(timeout);
}

void cleat_http_server_tick(struct cleat_http_server *s, uint64_t now, uint64_t *out_next)
{
    uint64_t next = UINT64_MAX;
    s->now = now;
    s->since = s->since != 0 ? s->since : now;
    cl_server_ops(s)->tick(s, &next);
    if (out_next != NULL) {
        *out_next = next;
    }
}

int cleat_http_server_eof(struct cleat_http_server *s)
{
    s->eof = true;
    return s->then != 0 ? CLEAT_OK : cl_server_ops(s)->eof(s);
}

void cleat_http_server_abort(struct cleat_http_server *s)
{
    s->mute = true;
    s->then = s->then != 0 ? s->then : CLEAT_HTTP_SERVER_CLOSE;
    cl_server_ops(s)->cut(s);
}

int cleat_http_server_shutdown(struct cleat_http_server *s, uint64_t now)
{
    if (s->draining || s->then != 0) {
        return CLEAT_OK;
    }
    s->now = now;
    s->draining = true;
    return cl_server_ops(s)->shutdown(s);
}

/* ---- what there is ---- */

enum cleat_http_server_state cleat_http_server_state(const struct cleat_http_server *s)
{
    if (s->then != 0) {
        return CLEAT_HTTP_SERVER_CLOSED;
    }
    return s->draining || s->eof ? CLEAT_HTTP_SERVER_DRAINING : CLEAT_HTTP_SERVER_OPEN;
}

enum cleat_http_protocol cleat_http_server_protocol(const struct cleat_http_server *s)
{
    return (enum cleat_http_protocol)s->protocol;
}

bool cleat_http_server_is_idle(const struct cleat_http_server *s)
{
    return cl_server_ops(s)->is_idle(s);
}

size_t cleat_http_server_num_exchanges(const struct cleat_http_server *s)
{
    return cl_server_ops(s)->num_exchanges(s);
}

uint64_t cleat_http_server_num_requests(const struct cleat_http_server *s)
{
    return s->num_requests;
}

void cleat_http_server_fields(struct cleat_http_server *s, const char *fields, size_t len)
{
    s->fields = fields;
    s->fields_len = len;
}

size_t cleat_http_server_output(struct cleat_http_server *s, const uint8_t **p)
{
    *p = NULL;
    return s->mute ? 0 : cl_server_ops(s)->output(s, p);
}

void cleat_http_server_sent(struct cleat_http_server *s, size_t n)
{
    if (!s->mute) {
        s->moved += n;
        cl_server_ops(s)->sent(s, n);
    }
}
