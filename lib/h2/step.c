/* h2/step.c - reading: a frame at a time past the gate into nghttp2, and what came of it told. */
#include <string.h>

#include "h2/conn.h"

/* ---- failing ---- */

/* The gate's words, which are in h2->error already. */
static void fail_judged(struct cleat_h2 *h2, uint32_t code)
{
    (void)nghttp2_session_terminate_session(h2->session, code);
}

/* What nghttp2 refused: its GOAWAY is written, and says which rule of RFC 9113 7 it was. */
static void fail_protocol(struct cleat_h2 *h2)
{
    (void)cl_h2_fail(h2, CLEAT_ERR_HTTP_SYNTAX, h2->sent_code, "RFC 9113 5.4.1",
                     "the peer breaks HTTP/2 (%s): %s; frame type %u, stream %d",
                     cleat_h2_code_name(h2->sent_code),
                     h2->invalid != 0 ? nghttp2_strerror(h2->invalid) : "a frame is malformed",
                     (unsigned)h2->invalid_type, (int)h2->invalid_stream);
}

static void fail_feed(struct cleat_h2 *h2, ssize_t r)
{
    h2->broken = true;
    if (r == NGHTTP2_ERR_NOMEM) {
        (void)cl_h2_fail(h2, CLEAT_ERR_NOMEM, CLEAT_H2_INTERNAL_ERROR, NULL, "out of memory");
    } else if (r == NGHTTP2_ERR_BAD_CLIENT_MAGIC) {
        (void)cl_h2_fail(h2, CLEAT_ERR_HTTP_SYNTAX, CLEAT_H2_PROTOCOL_ERROR, "RFC 9113 3.4",
                         "the client does not begin with HTTP/2's preface");
    } else if (r == NGHTTP2_ERR_FLOODED) {
        (void)cl_h2_fail(h2, CLEAT_ERR_LIMIT, CLEAT_H2_ENHANCE_YOUR_CALM, "RFC 9113 10.5",
                         "more than %d answers wait for a peer that goes on asking",
                         CL_H2_MAX_ACKS);
    } else { /* CALLBACK_FAILURE: ours, which has said why, or memory is short */
        (void)cl_h2_fail(h2, CLEAT_ERR_NOMEM, CLEAT_H2_INTERNAL_ERROR, NULL, "%s",
                         nghttp2_strerror((int)r));
    }
}

/* ---- reading ---- */

/* Gives nghttp2 len bytes, and returns how many it took. */
static size_t feed(struct cleat_h2 *h2, const uint8_t *p, size_t len)
{
    const ssize_t n = nghttp2_session_mem_recv(h2->session, p, len);
    if (n < 0) {
        fail_feed(h2, n);
    }
    return n > 0 ? (size_t)n : 0;
}

/* What nghttp2 did because of a frame is seen when it is written: a GOAWAY, resets. Behind whole
 * frames only, so that it does not matter in which pieces they came. */
static void look(struct cleat_h2 *h2)
{
    if (h2->gate.left != 0 || h2->error.code != 0) {
        return;
    }
    cl_h2_gate_done(&h2->gate);
    cl_h2_fill(h2);
    if (h2->error.code == 0 && h2->too_many_resets) {
        (void)cl_h2_gate_tell(CL_H2_RESETS, &h2->error);
        fail_judged(h2, CLEAT_H2_ENHANCE_YOUR_CALM);
    } else if (h2->error.code == 0 && h2->sent_code != 0) {
        fail_protocol(h2);
    }
}

/* What a frame does to a stream that has ended already; false: the connection fails for it. */
static bool judge_state(struct cleat_h2 *h2)
{
    const struct cl_h2_gate *g = &h2->gate;
    const unsigned type = g->type, stream = g->stream;
    const int remote_close =
        nghttp2_session_get_stream_remote_close(h2->session, (int32_t)g->stream);
    if (h2->is_server && type == NGHTTP2_HEADERS && stream >= h2->closed.next) {
        cl_h2_closed_open(&h2->closed, stream);
        return true;
    }
    switch (cl_h2_closed_judge(&h2->closed, g->type, g->flags, stream, remote_close)) {
    case CL_H2_RESETS_STREAM:
        (void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, (int32_t)stream,
                                        CLEAT_H2_STREAM_CLOSED);
        return true;
    case CL_H2_IS_CLOSED:
        (void)cl_h2_fail(h2, CLEAT_ERR_HTTP_SYNTAX, CLEAT_H2_STREAM_CLOSED, "RFC 9113 5.1",
                         "the peer goes on with stream %u, which it had ended; frame type %u",
                         stream, type);
        return false;
    case CL_H2_GOES_BACK:
        (void)cl_h2_fail(h2, CLEAT_ERR_HTTP_SYNTAX, CLEAT_H2_PROTOCOL_ERROR, "RFC 9113 5.1.1",
                         "the peer opens stream %u, which is below those that it has opened",
                         stream);
        return false;
    default:
        return true;
    }
}

/* The header of a frame is kept back until it is complete and judged. */
static void feed_header(struct cleat_h2 *h2, struct cleat_h2_io *io)
{
    struct cl_h2_gate *g = &h2->gate;
    const size_t there = io->in_len - io->in_used;
    const size_t wanted = (size_t)(CL_H2_FRAME_HEAD - g->head_len);
    const size_t n = there < wanted ? there : wanted;
    memcpy(g->head + g->head_len, io->in + io->in_used, n);
    g->head_len = (uint8_t)(g->head_len + n);
    io->in_used += n;
    if (g->head_len < CL_H2_FRAME_HEAD) {
        return;
    }
    g->head_len = 0;
    const cl_result r = cl_h2_gate_judge(g, h2->o.max_head * CL_H2_PATIENCE, h2->now, &h2->error);
    if (r != CL_OK) {
        fail_judged(h2, r == CLEAT_ERR_HTTP_SYNTAX ? CLEAT_H2_PROTOCOL_ERROR
                                                   : CLEAT_H2_ENHANCE_YOUR_CALM);
        return;
    }
    if (judge_state(h2)) {
        (void)feed(h2, g->head, CL_H2_FRAME_HEAD);
        look(h2);
    }
}

static void feed_some(struct cleat_h2 *h2, struct cleat_h2_io *io)
{
    struct cl_h2_gate *g = &h2->gate;
    const size_t there = io->in_len - io->in_used;
    const uint8_t *p = io->in + io->in_used;
    size_t used = 0;
    if (g->preface_left == 0 && g->left == 0) {
        feed_header(h2, io);
        return;
    }
    if (g->preface_left > 0) {
        used = feed(h2, p, there < g->preface_left ? there : g->preface_left);
        g->preface_left = (uint8_t)(g->preface_left - used);
    } else {
        used = feed(h2, p, there < g->left ? there : g->left);
        g->left -= (uint32_t)used;
    }
    io->in_used += used;
    look(h2);
}

/* ---- telling ---- */

static enum cleat_h2_next tell_data(struct cleat_h2 *h2, struct cleat_h2_io *io)
{
    io->stream = (uint32_t)h2->data_stream->id;
    io->ctx = h2->data_stream->ctx;
    io->data = h2->data;
    io->data_len = h2->data_len;
    h2->data_stream = NULL;
    h2->paused = true;
    return CLEAT_H2_DATA;
}

/* The first thing of the first stream that has any. */
static enum cleat_h2_next tell_stream(struct cleat_h2 *h2, struct cleat_h2_io *io)
{
    static const struct {
        uint8_t what;
        enum cleat_h2_next next;
    } rows[] = {
        {CL_H2_TELL_HEAD, CLEAT_H2_HEAD},   {CL_H2_TELL_REFUSED, CLEAT_H2_REFUSED},
        {CL_H2_TELL_END, CLEAT_H2_END},     {CL_H2_TELL_WRITABLE, CLEAT_H2_WRITABLE},
        {CL_H2_TELL_RESET, CLEAT_H2_RESET}, {CL_H2_TELL_DONE, CLEAT_H2_DONE},
    };
    struct cl_h2_stream *s = TAILQ_FIRST(&h2->told);
    size_t i = 0;
    while ((s->tell & rows[i].what) == 0) {
        i++;
    }
    s->tell = (uint8_t)(s->tell & ~rows[i].what);
    io->stream = (uint32_t)s->id;
    io->ctx = s->ctx;
    io->code = s->code;
    io->unprocessed = s->unprocessed;
    io->by_peer = s->reset_by_peer;
    io->sent = s->ended_out;
    const bool own = h2->head_stream == s;
    if (rows[i].what == CL_H2_TELL_HEAD) {
        const size_t at = h2->collect->values[CL_H2_PROTOCOL].at;
        h2->collect->head.early = h2->early;
        io->head = &h2->collect->head;
        io->end = (s->tell & CL_H2_TELL_END) != 0;
        io->protocol = h2->collect->values[CL_H2_PROTOCOL].there
                           ? (const char *)h2->collect->pseudo.p + at
                           : NULL;
        h2->head_stream = NULL; /* an END that follows has no trailers */
    } else if (rows[i].what == CL_H2_TELL_REFUSED) {
        io->status = h2->refused_status;
        io->end = (s->tell & CL_H2_TELL_END) != 0;
        h2->head_stream = NULL;
    } else if (rows[i].what == CL_H2_TELL_END && own && h2->collect->head.len > 0) {
        io->head = &h2->collect->head;
        h2->head_stream = NULL;
    }
    if (s->tell == 0) {
        TAILQ_REMOVE(&h2->told, s, next);
        s->is_listed = false;
    }
    if (rows[i].what == CL_H2_TELL_RESET || rows[i].what == CL_H2_TELL_DONE) {
        cl_h2_stream_free(h2, s);
    }
    return rows[i].next;
}

static void clear(struct cleat_h2_io *io)
{
    io->stream = io->code = 0;
    io->ctx = NULL;
    io->head = NULL;
    io->protocol = NULL;
    io->data = NULL;
    io->data_len = 0;
    io->end = io->unprocessed = io->by_peer = io->sent = false;
    io->status = 0;
}

/* What was told last may be forgotten: nothing more is read into it. */
static void forget(struct cleat_h2 *h2)
{
    if (h2->head_stream == NULL && h2->collect != NULL) {
        h2->collect->head.len = 0;
    }
}

/* A connection that waits for input holds no memory for what was told, or written. */
static void rest(struct cleat_h2 *h2)
{
    if (h2->head_stream == NULL) {
        cl_h2_collect_free(h2->collect);
        h2->collect = NULL;
    }
    cl_h2_drop_output(h2);
}

enum cleat_h2_next cleat_h2_step(struct cleat_h2 *h2, struct cleat_h2_io *io)
{
    clear(io);
    h2->now = io->now;
    h2->early = io->early;
    h2->began = h2->began != 0 ? h2->began : io->now;
    forget(h2);
    for (;;) {
        if (h2->error.code != 0) {
            io->in_used = io->in_len;
            return CLEAT_H2_FAILED;
        }
        if (h2->data_stream != NULL) {
            return tell_data(h2, io);
        }
        if (!TAILQ_EMPTY(&h2->told)) {
            return tell_stream(h2, io);
        }
        if (h2->tell_goaway) {
            h2->tell_goaway = false;
            io->code = h2->goaway_code;
            return CLEAT_H2_GOAWAY;
        }
        if (h2->paused) { /* what comes behind the data of its frame */
            h2->paused = false;
            (void)feed(h2, io->in, 0);
            look(h2);
        } else if (io->in_used < io->in_len) {
            feed_some(h2, io);
        } else {
            rest(h2);
            return CLEAT_H2_NEEDS_INPUT;
        }
    }
}
