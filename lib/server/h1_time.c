/* server/h1_time.c - HTTP/1.1: what is due by time. There is one thing at a time that a client may
 * be too slow at, beside taking what is sent. */
#include "base/mem.h"
#include "server/h1.h"

/* 1 s: requests of one page come closer together than that; then the memory for them is freed */
#define SPARE_US 1000000

static void fail_slow(struct cleat_http_server *s)
{
    struct cleat_error err;
    (void)cl_server_too_slow(&err, "the client takes nothing any more", s->limits.stall_timeout,
                             s->limits.stall_bytes);
    cl_h1_drop_output(s);
    s->then = 0; /* what was to end in good order does not */
    cl_h1_lose(s, CLEAT_H2_ENHANCE_YOUR_CALM, &err);
}

static void look_at_idle(struct cleat_http_server *s, uint64_t *next)
{
    const bool first = s->num_requests == 0;
    const uint32_t timeout = first ? s->limits.header_timeout : s->limits.keep_alive_timeout;
    uint64_t at = timeout != 0 ? s->since + CL_SERVER_US(timeout) : UINT64_MAX;
    if (s->draining) {
        cl_server_lower(&at, first ? s->since + CL_SERVER_LAST_US : s->now);
    }
    if (s->now >= at) {
        s->then = CLEAT_HTTP_SERVER_CLOSE;
        return;
    }
    cl_server_lower(next, at);
    if (s->now >= s->since + SPARE_US) {
        cl_h1_give_back(s);
    } else if (s->h1.spare != NULL) {
        cl_server_lower(next, s->since + SPARE_US);
    }
}

static void look_at_head(struct cleat_http_server *s, uint64_t *next)
{
    struct cleat_error err = {0};
    if (s->limits.header_timeout == 0) {
        return;
    }
    const uint64_t at = s->since + CL_SERVER_US(s->limits.header_timeout);
    if (s->now < at) {
        cl_server_lower(next, at);
        return;
    }
    const struct cl_why why = {.code = CLEAT_ERR_LIMIT, .section = "RFC 9110 15.5.9"};
    (void)cl_error_set(&err, why, "a head that is not complete after %u ms",
                       (unsigned)s->limits.header_timeout);
    cl_h1_refuse(s, 408, &err);
}

static void look_at_body(struct cleat_http_server *s, uint64_t *next)
{
    struct cleat_http_exchange *x = &s->h1.x->x;
    struct cleat_error err;
    const bool turn = x->dropping || (!x->expects && x->unconsumed < s->limits.window);
    if (cl_server_look(&x->in, turn, x->received, s->now, x->stall_timeout, x->stall_bytes, next)) {
        (void)cl_server_too_slow(&err, "the body of a request", x->stall_timeout, x->stall_bytes);
        cl_h1_refuse(s, 408, &err);
    }
}

void cl_h1_tick(struct cleat_http_server *s, uint64_t *next)
{
    const bool waits = cl_h1_queued(s) > 0;
    if (s->then == CLEAT_HTTP_SERVER_SWITCHED) {
        return;
    }
    if (cl_server_look(&s->out, waits, s->moved, s->now, s->limits.stall_timeout,
                       s->limits.stall_bytes, next)) {
        fail_slow(s);
    }
    if (s->then != 0) {
        return;
    }
    if (s->h1.state == CL_H1_IDLE && !waits) {
        look_at_idle(s, next);
    } else if (s->h1.state == CL_H1_HEAD) {
        look_at_head(s, next);
    } else if (s->h1.state == CL_H1_BODY) {
        look_at_body(s, next);
    }
}
