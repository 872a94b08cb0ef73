/* conn/stream_drive.c - a stream between its socket and its engine. Implementation notes:
 *
 * Input: the socket reads into `in`; the engine decrypts there. Plaintext that the handler leaves
 * keeps `in` as it is and stops the reading, so a stream never holds more than one input buffer.
 * Output: everything is appended to `out`, which the turn sends; what the socket did not take stays
 * in place until it has. There is never more than one output buffer: no room means back-pressure.
 * The last CLEAT_TLS_MIN_OUTPUT bytes of `out` are the engine's, so that writing cannot starve it.
 */
#include <string.h>

#include "cleat/tls_auth.h"
#include "cleat/tls_early.h"
#include "cleat/tls_options.h"
#include "conn/stream_impl.h"

static void fail(struct cl_stream *s)
{
    const struct cleat_error *error = cleat_tls_error(s->tls);
    cl_capture_failed(s->capture, error);
    cl_stream_begin_closing(s, CL_STREAM_TLS);
    if (s->handler->failed != NULL) {
        s->handler->failed(s->ctx, error);
    }
}

static void become_ready(struct cl_stream *s)
{
    s->state = CL_STREAM_OPEN;
    s->was_ready = true;
    s->early = NULL;
    cl_timer_stop(s->timer);
    if (s->handler->ready != NULL) {
        s->handler->ready(s->ctx);
    }
}

static void report_eof(struct cl_stream *s)
{
    if (s->got_eof || s->state != CL_STREAM_OPEN) {
        return;
    }
    s->got_eof = true;
    if (s->handler->eof != NULL) {
        s->handler->eof(s->ctx);
    } else {
        cl_stream_close(s);
    }
}

static void decide(struct cl_stream *s)
{
    s->deciding = true;
    if (s->handler->decision != NULL) {
        s->handler->decision(s->ctx, cleat_tls_decision(s->tls));
        return;
    }
    cleat_tls_refuse(s->tls, 80, "nobody is there to decide");
    cl_stream_decided(s);
}

/* Offers the plaintext that waits. False when the handler has left some of it. */
static bool deliver(struct cl_stream *s)
{
    size_t taken = s->data_len;
    if (s->handler->data != NULL) {
        taken = s->handler->data(s->ctx, s->data, s->data_len);
    }
    if (!cl_stream_talks(s)) {
        return false;
    }
    s->data += taken;
    s->data_len -= taken;
    if (s->data_len > 0) {
        s->blocked = true;
        return false;
    }
    s->in_at += s->data_used;
    s->data_used = 0;
    return true;
}

/* The engine says nothing of its own when the answer is complete. */
static void look_for_certificate(struct cl_stream *s)
{
    if (s->asked && s->state == CL_STREAM_OPEN && !cleat_tls_certificate_pending(s->tls)) {
        s->asked = false;
        if (s->handler->certificate != NULL) {
            s->handler->certificate(s->ctx);
        }
    }
}

/* Does what a step has returned. False: that is all for now. */
static bool act_on(struct cl_stream *s, enum cleat_tls_next next, const struct cleat_tls_io *io)
{
    bool progress = io->in_used > 0;
    if (next == CLEAT_TLS_HAS_DATA) {
        if (s->state == CL_STREAM_HANDSHAKE && io->early) {
            s->state = CL_STREAM_EARLY;
        } else if (s->state == CL_STREAM_HANDSHAKE) {
            /* The peer's Finished and its first data came together. */
            become_ready(s);
        }
        if (!cl_stream_talks(s)) {
            return false;
        }
        s->data = io->data;
        s->data_len = io->data_len;
        s->data_used = io->in_used;
        return true;
    }
    s->in_at += io->in_used;
    switch (next) {
    case CLEAT_TLS_HAS_OUTPUT:
        s->starved = true;
        return false;
    case CLEAT_TLS_NEEDS_JOB:
        cl_hub_add_job(s);
        return false;
    case CLEAT_TLS_NEEDS_DECISION:
        decide(s);
        return !s->deciding;
    case CLEAT_TLS_READY:
        if (s->state == CL_STREAM_HANDSHAKE || s->state == CL_STREAM_EARLY) {
            become_ready(s);
            progress = true;
        }
        return progress;
    case CLEAT_TLS_NEEDS_INPUT:
        /* RFC 7918: the application may write; the peer's Finished is still to come */
        if (s->state == CL_STREAM_HANDSHAKE && cleat_tls_false_started(s->tls)) {
            become_ready(s);
        }
        return progress;
    case CLEAT_TLS_CLOSED:
        if (s->state == CL_STREAM_HANDSHAKE) {
            become_ready(s);
        }
        /* RFC 9846 6.1: what comes behind close_notify is ignored. */
        s->in_at = s->in_len;
        report_eof(s);
        return false;
    case CLEAT_TLS_FAILED:
        fail(s);
        return false;
    default:
        return progress;
    }
}

static bool can_step(const struct cl_stream *s)
{
    bool active = s->state == CL_STREAM_HANDSHAKE || cl_stream_talks(s);
    return active && !s->has_job && !s->deciding && !s->blocked && !s->starved;
}

bool cl_stream_have_out(struct cl_stream *s)
{
    if (s->out == NULL) {
        s->out = cl_pool_take(cl_hub_pool(s->hub));
    }
    if (s->out == NULL) {
        cl_stream_abort(s, "out of memory");
        return false;
    }
    if (CL_POOL_BUFFER - s->out_len < CLEAT_TLS_MIN_OUTPUT) {
        s->starved = true;
        return false;
    }
    return true;
}

/* All of it or nothing: what a client's request needs to be known as sent. */
static void send_early(struct cl_stream *s)
{
    struct cleat_tls_io io = {.out = s->out, .out_cap = CL_POOL_BUFFER, .out_len = s->out_len};
    size_t room = cleat_tls_early_data_room(s->tls);
    size_t written = 0;
    if (room < s->early_len ||
        CL_POOL_BUFFER - s->out_len < s->early_len + CLEAT_TLS_MIN_OUTPUT + CL_STREAM_OVERHEAD) {
        return; /* not yet, or never */
    }
    const int code = cl_track_write(s->track, s->tls, &io, s->early, s->early_len, &written);
    s->early_sent = code == CLEAT_OK && written == s->early_len;
    s->out_len = io.out_len;
    s->early = NULL;
}

static void step_tls(struct cl_stream *s)
{
    bool again = true;
    while (again && can_step(s) && (s->step || s->in_at < s->in_len)) {
        if (s->data_len > 0) {
            again = deliver(s);
            continue;
        }
        if (!cl_stream_have_out(s)) {
            return;
        }
        s->step = false;
        struct cleat_tls_io io = {
            .in = s->in != NULL ? s->in + s->in_at : NULL,
            .in_len = s->in_len - s->in_at,
            .out = s->out,
            .out_cap = CL_POOL_BUFFER,
            .out_len = s->out_len,
        };
        enum cleat_tls_next next = cl_track_step(s->track, s->tls, &io);
        s->out_len = io.out_len;
        if (s->early != NULL && next == CLEAT_TLS_NEEDS_INPUT) {
            send_early(s);
        }
        again = act_on(s, next, &io);
        look_for_certificate(s);
    }
}

static void step_clear(struct cl_stream *s)
{
    s->step = false;
    if (s->state == CL_STREAM_HANDSHAKE) {
        become_ready(s);
    }
    if (!can_step(s) || s->in_at == s->in_len) {
        return;
    }
    if (s->data_len == 0) {
        s->data = s->in + s->in_at;
        s->data_len = s->in_len - s->in_at;
        s->data_used = s->data_len;
    }
    (void)deliver(s);
}

/* The peer's FIN, once everything before it has been worked off. */
static void take_fin(struct cl_stream *s)
{
    if (!s->got_fin || !can_step(s)) {
        return;
    }
    if (s->tls == NULL) {
        report_eof(s);
        return;
    }
    if (s->got_eof) {
        return;
    }
    if (cl_track_eof(s->track, s->tls) == CLEAT_OK) {
        report_eof(s);
        return;
    }
    cl_capture_failed(s->capture, cleat_tls_error(s->tls));
    cl_stream_die(s, CL_STREAM_TRUNCATED);
}

/* The buffer for output goes back when all of it has gone to the kernel. With TLS it holds what
 * everybody on the way has seen: nothing to wipe. */
static void give_out(struct cl_stream *s)
{
    if (s->out != NULL && s->out_at == s->out_len && !s->sending) {
        cl_pool_give(cl_hub_pool(s->hub), s->out, s->tls != NULL ? 0 : s->out_len);
        s->out = NULL;
        s->out_at = s->out_len = 0;
    }
}

/* The engine has had its say about everything that has come, as far as it could. */
static bool secrets_are_told(const struct cl_stream *s)
{
    return s->was_ready || s->state >= CL_STREAM_CLOSING || (can_step(s) && !s->step);
}

/* Buffers go back as soon as they are empty; reading follows the room there is. */
static void settle(struct cl_stream *s)
{
    if (s->in != NULL && s->in_at == s->in_len && s->data_len == 0) {
        cl_pool_give(cl_hub_pool(s->hub), s->in, s->in_len);
        s->in = NULL;
        s->in_at = s->in_len = 0;
    }
    give_out(s);
    if (s->state == CL_STREAM_DEAD) {
        return;
    }
    if (s->capture != NULL && secrets_are_told(s)) {
        cl_capture_release(s->capture);
    }
    bool room = s->in_len - s->in_at < CL_POOL_BUFFER;
    cl_tcp_read(s->tcp, !s->blocked && !s->got_fin && room);
}

static void send_out(struct cl_stream *s)
{
    if (s->sending || s->out_at == s->out_len) {
        return;
    }
    ssize_t n = cl_tcp_send(s->tcp, s->out + s->out_at, s->out_len - s->out_at);
    if (n < 0) {
        cl_stream_die_of_network(s, (int)n);
        return;
    }
    cl_capture_sent(s->capture, s->out + s->out_at, (size_t)n);
    s->out_at += (size_t)n;
    s->bytes_out += (size_t)n;
    cl_count_add(&cl_hub_counts(s->hub)->bytes_out, (size_t)n);
    s->sending = s->out_at < s->out_len;
    s->out_flight = s->out_len;
}

void cl_stream_relieve(struct cl_stream *s)
{
    if (s->state == CL_STREAM_DEAD || !cl_pool_is_crowded(cl_hub_pool(s->hub))) {
        return;
    }
    send_out(s);
    give_out(s);
}

void cl_stream_drive(struct cl_stream *s)
{
    if (s->tls != NULL) {
        step_tls(s);
    } else {
        step_clear(s);
    }
    take_fin(s);
    if (s->out_at < s->out_len || (s->want_finish && !s->finished)) {
        cl_hub_queue(s);
        cl_stream_relieve(s);
    }
    settle(s);
}

/* ---- the socket ---- */

static uint8_t *on_room(void *ctx, size_t *len)
{
    struct cl_stream *s = ctx;
    if (s->in == NULL) {
        s->in = cl_pool_take(cl_hub_pool(s->hub));
        s->in_at = s->in_len = 0;
        if (s->in == NULL) {
            cl_stream_abort(s, "out of memory");
            return NULL;
        }
    }
    if (s->in_at > 0 && s->data_len == 0) {
        memmove(s->in, s->in + s->in_at, s->in_len - s->in_at);
        s->in_len -= s->in_at;
        s->in_at = 0;
    }
    *len = CL_POOL_BUFFER - s->in_len;
    return *len > 0 ? s->in + s->in_len : NULL;
}

static void on_received(void *ctx, size_t len)
{
    struct cl_stream *s = ctx;
    s->bytes_in += len;
    cl_count_add(&cl_hub_counts(s->hub)->bytes_in, len);
    cl_capture_received(s->capture, s->in + s->in_len, len);
    if (s->state == CL_STREAM_CLOSING || s->state == CL_STREAM_LINGER) {
        s->in_len += len; /* what is wiped when the buffer goes back */
        s->in_at = s->in_len;
        s->dropped += len;
        settle(s);
        if (s->dropped > CL_STREAM_LINGER_BYTES) {
            cl_stream_die(s, s->cause);
        }
        return;
    }
    s->in_len += len;
    cl_stream_drive(s);
}

static void on_ended(void *ctx, int status)
{
    struct cl_stream *s = ctx;
    if (status != 0) {
        cl_stream_die_of_network(s, status);
        return;
    }
    cl_capture_peer_finished(s->capture);
    s->got_fin = true;
    if (s->state == CL_STREAM_LINGER) {
        cl_stream_die(s, s->cause);
        return;
    }
    cl_stream_drive(s);
}

static void on_sent(void *ctx, int status)
{
    struct cl_stream *s = ctx;
    s->sending = false;
    if (status != 0) {
        cl_stream_die_of_network(s, status);
        return;
    }
    cl_capture_sent(s->capture, s->out + s->out_at, s->out_flight - s->out_at);
    s->bytes_out += s->out_flight - s->out_at;
    cl_count_add(&cl_hub_counts(s->hub)->bytes_out, s->out_flight - s->out_at);
    s->out_at = s->out_flight;
    cl_hub_queue(s);
}

const struct cl_tcp_handler cl_stream_socket = {
    .room = on_room,
    .received = on_received,
    .ended = on_ended,
    .sent = on_sent,
};

/* ---- the turn ---- */

/* All of out has gone to the kernel. */
static void go_on(struct cl_stream *s)
{
    give_out(s);
    if (s->starved) {
        s->starved = false;
        s->step = true;
        cl_hub_queue(s);
        return;
    }
    if (s->state == CL_STREAM_CLOSING && s->finished) {
        cl_stream_linger(s);
        return;
    }
    if (s->tls == NULL && s->finished) {
        cl_stream_send_fin(s);
    }
    if (cl_stream_talks(s) && s->want_drained) {
        s->want_drained = false;
        if (s->handler->drained != NULL) {
            s->handler->drained(s->ctx);
        }
    }
}

void cl_stream_turn(struct cl_stream *s)
{
    if (s->step || s->data_len > 0) {
        cl_stream_drive(s);
    }
    if (s->state != CL_STREAM_DEAD) {
        cl_stream_finish_if_wanted(s);
        send_out(s);
    }
    if (s->state != CL_STREAM_DEAD && s->out_at == s->out_len) {
        go_on(s);
    }
    if (s->state == CL_STREAM_DEAD) {
        cl_stream_burial(s);
        return;
    }
    /* close_notify that did not fit, or output made by `drained` */
    if (s->out_at < s->out_len && !s->sending) {
        cl_hub_queue(s);
    }
    settle(s);
}
