/* conn/stream_close.c - how a stream ends: in good order, or at once. See stream_impl.h. */
#include "base/mem.h"
#include "conn/stream_impl.h"

void cl_stream_die(struct cl_stream *s, enum cl_stream_cause cause)
{
    if (s->state == CL_STREAM_DEAD) {
        return;
    }
    /* What made it close in the first place is what is told: not how the closing went. */
    if (s->state != CL_STREAM_CLOSING && s->state != CL_STREAM_LINGER) {
        s->cause = cause;
    }
    s->state = CL_STREAM_DEAD;
    cl_capture_closing(s->capture);
    cl_tcp_free(s->tcp);
    s->tcp = NULL;
    cl_timer_free(s->timer);
    s->timer = NULL;
    cl_hub_queue(s);
}

void cl_stream_die_of(struct cl_stream *s, enum cl_stream_cause cause, const char *why)
{
    if (s->state != CL_STREAM_DEAD) {
        s->why = why;
        cl_capture_given_up(s->capture, why);
    }
    cl_stream_die(s, cause);
}

void cl_stream_die_of_network(struct cl_stream *s, int status)
{
    if (s->state == CL_STREAM_HANDSHAKE || cl_stream_talks(s)) {
        s->sys = status;
    }
    if (s->state != CL_STREAM_DEAD) {
        cl_capture_network_failed(s->capture, status);
    }
    cl_stream_die(s, CL_STREAM_NETWORK);
}

/* The detail is put together only now: a stream that lives long does not carry it about. */
static void describe_end(const struct cl_stream *s, struct cl_stream_end *out)
{
    *out = (struct cl_stream_end){
        .cause = s->cause,
        .sys = s->sys,
        .was_ready = s->was_ready,
        .bytes_in = s->bytes_in,
        .bytes_out = s->bytes_out,
    };
    switch (s->cause) {
    case CL_STREAM_TLS:
    case CL_STREAM_TRUNCATED:
        out->error = *cleat_tls_error(s->tls);
        break;
    case CL_STREAM_NETWORK:
        cl_error_set(&out->error, (struct cl_why){.code = CLEAT_ERR_TRUNCATED}, "%s",
                     uv_strerror(s->sys));
        break;
    case CL_STREAM_TIMED_OUT:
        cl_error_set(&out->error, (struct cl_why){.code = CLEAT_ERR_LIMIT}, "%s", s->why);
        break;
    case CL_STREAM_ABORTED:
        cl_error_set(&out->error, (struct cl_why){.code = CLEAT_ERR_REFUSED}, "%s", s->why);
        break;
    default:
        break;
    }
}

void cl_stream_burial(struct cl_stream *s)
{
    struct cl_pool *pool = cl_hub_pool(s->hub);
    cl_hub_forget(s);
    cl_pool_give(pool, s->in, s->in_len);
    cl_pool_give(pool, s->out, s->out_len);
    s->in = NULL;
    s->out = NULL;
    cl_capture_disconnect(s->capture);
    struct cl_stream_end how;
    describe_end(s, &how);
    s->handler->closed(s->ctx, &how);
    cl_track_free(s->track);
    cleat_tls_free(s->tls);
    cl_free(s);
}

void cl_stream_begin_closing(struct cl_stream *s, enum cl_stream_cause cause)
{
    s->cause = cause;
    s->state = CL_STREAM_CLOSING;
    s->blocked = false;
    s->deciding = false;
    s->data_len = 0;
    s->in_at = s->in_len;
    s->last_unsent = SIZE_MAX;
    cl_timer_set(s->timer, CL_STREAM_CLOSE_MS);
    cl_hub_queue(s);
}

/* A slow reader gets its time, as long as it takes something. */
void cl_stream_check_closing(struct cl_stream *s)
{
    size_t unsent = cl_tcp_unsent(s->tcp) + (s->out_len - s->out_at);
    bool moved = s->last_unsent == SIZE_MAX || unsent + CL_STREAM_CLOSE_BYTES <= s->last_unsent;
    s->last_unsent = unsent;
    if (moved && unsent > 0) {
        cl_timer_set(s->timer, CL_STREAM_CLOSE_MS);
        return;
    }
    cl_stream_die(s, s->cause);
}

/* Appends close_notify; false: there is no room for it yet. */
static bool write_close(struct cl_stream *s)
{
    if (s->tls == NULL || s->finished) {
        return true;
    }
    if (s->out == NULL) {
        s->out = cl_pool_take(cl_hub_pool(s->hub));
        if (s->out == NULL) {
            return true;
        }
    }
    struct cleat_tls_io io = {.out = s->out, .out_cap = CL_POOL_BUFFER, .out_len = s->out_len};
    int code = cl_track_close(s->track, s->tls, &io);
    s->out_len = io.out_len;
    return code != CLEAT_ERR_LIMIT;
}

void cl_stream_finish_if_wanted(struct cl_stream *s)
{
    bool closing = s->state == CL_STREAM_CLOSING;
    if (s->finished || !(s->want_finish || closing)) {
        return;
    }
    /* After a failure the alert is the last word. */
    if (s->cause != CL_STREAM_TLS && !write_close(s)) {
        return;
    }
    s->finished = true;
}

void cl_stream_send_fin(struct cl_stream *s)
{
    cl_capture_finished(s->capture);
    cl_tcp_finish(s->tcp);
}

/* Everything is out: FIN, and wait for the peer's, which mostly has come with its close_notify:
 * closing then sends ours, and spares a turn of the loop. */
void cl_stream_linger(struct cl_stream *s)
{
    if (s->got_fin || (s->got_eof && cl_tcp_is_at_end(s->tcp))) {
        cl_stream_die(s, s->cause);
        return;
    }
    cl_stream_send_fin(s);
    s->state = CL_STREAM_LINGER;
    cl_timer_set(s->timer, CL_STREAM_LINGER_MS);
    cl_tcp_read(s->tcp, true);
}
