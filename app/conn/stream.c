/* conn/stream.c - what a stream's user calls. See stream.h. */
#include "conn/stream.h"

#include <string.h>

#include "base/mem.h"
#include "cleat/tls_auth.h"
#include "conn/stream_impl.h"

static void on_timer(void *ctx)
{
    struct cl_stream *s = ctx;
    if (s->state == CL_STREAM_CLOSING) {
        cl_stream_check_closing(s);
    } else if (s->state == CL_STREAM_LINGER) {
        cl_stream_die(s, s->cause);
    } else if (s->state == CL_STREAM_OPEN && s->handler->deadline != NULL) {
        s->handler->deadline(s->ctx);
    } else {
        cl_stream_die_of(s, CL_STREAM_TIMED_OUT,
                         !s->was_ready ? "the handshake was not finished in time"
                                       : "the peer was silent for too long");
    }
}

cl_result cl_stream_open(struct cl_hub *hub, const struct cl_stream_setup *setup,
                         struct cl_stream **out)
{
    struct cl_stream *s = cl_calloc(1, sizeof(*s));
    if (s != NULL && cl_timer_new(cl_hub_loop(hub), on_timer, s, &s->timer) != CL_OK) {
        cl_free(s);
        s = NULL;
    }
    if (s == NULL) {
        cl_tcp_free(setup->tcp);
        cleat_tls_free(setup->tls);
        cl_track_free(setup->track);
        return CLEAT_ERR_NOMEM;
    }
    s->hub = hub;
    s->tcp = setup->tcp;
    s->tls = setup->tls;
    s->track = setup->track;
    s->handler = setup->handler;
    s->ctx = setup->ctx;
    s->early = setup->early;
    s->early_len = setup->early_len;
    s->step = true;
    s->capture = cl_capture_connect(setup->capture, s->tcp, setup->connect_us);
    cl_tcp_attach(s->tcp, &cl_stream_socket, s);
    cl_tcp_read(s->tcp, true);
    cl_timer_set(s->timer, setup->handshake_ms != 0 ? setup->handshake_ms : CL_STREAM_HANDSHAKE_MS);
    cl_hub_queue(s);
    *out = s;
    return CL_OK;
}

void cl_stream_handle(struct cl_stream *s, const struct cl_stream_handler *handler, void *ctx)
{
    s->handler = handler;
    s->ctx = ctx;
}

size_t cl_stream_room(const struct cl_stream *s)
{
    if (!cl_stream_talks(s) || s->want_finish || s->starved) {
        return 0;
    }
    size_t kept = s->out_len + CLEAT_TLS_MIN_OUTPUT + CL_STREAM_OVERHEAD;
    return kept < CL_POOL_BUFFER ? CL_POOL_BUFFER - kept : 0;
}

static size_t write_tls(struct cl_stream *s, const uint8_t *p, size_t len)
{
    struct cleat_tls_io io = {
        .out = s->out,
        .out_cap = CL_POOL_BUFFER - CLEAT_TLS_MIN_OUTPUT,
        .out_len = s->out_len,
    };
    size_t written = 0;
    if (cl_track_write(s->track, s->tls, &io, p, len, &written) != CLEAT_OK) {
        s->step = true; /* the step tells what is wrong */
    }
    s->out_len = io.out_len;
    return written;
}

size_t cl_stream_write(struct cl_stream *s, const void *p, size_t len)
{
    size_t room = cl_stream_room(s);
    size_t take = len < room ? len : room;
    if (!cl_stream_talks(s) || s->want_finish || len == 0) {
        return 0;
    }
    if (take > 0 && s->out == NULL) {
        s->out = cl_pool_take(cl_hub_pool(s->hub));
        if (s->out == NULL) {
            cl_stream_abort(s, "out of memory");
            return 0;
        }
    }
    if (take > 0 && s->tls != NULL) {
        take = write_tls(s, p, take);
    } else if (take > 0) {
        memcpy(s->out + s->out_len, p, take);
        s->out_len += take;
    }
    s->want_drained = s->want_drained || take < len;
    cl_hub_queue(s);
    if (s->out_len - s->out_at <= CL_STREAM_SMALL) {
        cl_stream_relieve(s);
    }
    return take;
}

void cl_stream_want_drained(struct cl_stream *s)
{
    s->want_drained = true;
    cl_hub_queue(s);
}

void cl_stream_resume(struct cl_stream *s)
{
    if (!s->blocked) {
        return;
    }
    s->blocked = false;
    s->step = s->step || s->in_at < s->in_len || s->got_fin;
    cl_hub_queue(s);
}

void cl_stream_finish(struct cl_stream *s)
{
    if (s->state == CL_STREAM_OPEN && !s->want_finish) {
        s->want_finish = true;
        cl_hub_queue(s);
    }
}

void cl_stream_close(struct cl_stream *s)
{
    if (s->state == CL_STREAM_HANDSHAKE || cl_stream_talks(s)) {
        cl_stream_begin_closing(s, CL_STREAM_FINISHED);
    }
}

void cl_stream_abort(struct cl_stream *s, const char *why)
{
    cl_stream_die_of(s, CL_STREAM_ABORTED, why != NULL ? why : "the connection was given up");
}

void cl_stream_deadline(struct cl_stream *s, uint64_t ms)
{
    if (s->state != CL_STREAM_OPEN) {
        return;
    }
    if (ms == 0) {
        cl_timer_stop(s->timer);
    } else {
        cl_timer_set(s->timer, ms);
    }
}

void cl_stream_decided(struct cl_stream *s)
{
    s->deciding = false;
    s->step = true;
    cl_hub_queue(s);
}

void cl_stream_key_update(struct cl_stream *s, bool request_peer)
{
    if (s->state != CL_STREAM_OPEN || s->tls == NULL || !cl_stream_have_out(s)) {
        return;
    }
    struct cleat_tls_io io = {.out = s->out, .out_cap = CL_POOL_BUFFER, .out_len = s->out_len};
    if (cleat_tls_key_update(s->tls, &io, request_peer) == CLEAT_OK) {
        s->out_len = io.out_len;
    }
    cl_hub_queue(s);
}

int cl_stream_request_certificate(struct cl_stream *s)
{
    int code = s->state == CL_STREAM_OPEN && s->tls != NULL
                   ? cleat_tls_request_certificate(s->tls, false)
                   : CLEAT_ERR_USAGE;
    if (code == CLEAT_OK) {
        s->asked = true;
        s->step = true;
        cl_hub_queue(s);
    }
    return code;
}

void cl_stream_reply_clear(struct cl_stream *s, const void *p, size_t len)
{
    if (s->state != CL_STREAM_CLOSING || s->tls == NULL ||
        cleat_tls_error(s->tls)->code != CLEAT_ERR_HTTP_ON_TLS_PORT || s->out == NULL ||
        s->sending || len > CL_POOL_BUFFER) {
        return;
    }
    memcpy(s->out, p, len);
    s->out_at = 0;
    s->out_len = len;
}

const uint8_t *cl_stream_clear_input(const struct cl_stream *s, size_t *out_len)
{
    *out_len = s->in != NULL ? s->in_len : 0;
    return s->in;
}

struct cleat_tls *cl_stream_tls(const struct cl_stream *s)
{
    return s->tls;
}

struct cl_tcp *cl_stream_tcp(const struct cl_stream *s)
{
    return s->tcp;
}

bool cl_stream_is_ready(const struct cl_stream *s)
{
    return s->was_ready;
}

bool cl_stream_early_sent(const struct cl_stream *s)
{
    return s->early_sent;
}
