/* h2/events.c - what nghttp2 calls while it reads and writes; notes what there is to tell. */
#include "h2/conn.h"

#include <string.h>

#include "base/mem.h"

/* ---- heads ---- */

/* A server's stream begins; or any other head does: a response, an interim one, trailers. */
static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct cleat_h2 *h2 = ctx;
    const int32_t id = frame->hd.stream_id;
    struct cl_h2_stream *s = nghttp2_session_get_stream_user_data(session, id);
    if (s == NULL && h2->is_server) {
        s = cl_h2_stream_new(h2, id);
        if (s == NULL || nghttp2_session_set_stream_user_data(session, id, s) != 0) {
            return NGHTTP2_ERR_CALLBACK_FAILURE;
        }
        s->id = id;
    }
    if (cl_h2_collect_begin(&h2->collect) != CL_OK) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    h2->head_stream = s;
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *ctx)
{
    struct cleat_h2 *h2 = ctx;
    const struct cl_h2_limits limits = {h2->o.max_head, h2->o.max_fields};
    (void)session;
    (void)frame;
    (void)flags;
    if (h2->error.code != 0 || h2->collect == NULL) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* the rest of the frame is only decoded */
    }
    if (cl_h2_collect_add(h2->collect, cl_rd_of(name, name_len), cl_rd_of(value, value_len),
                          &limits)) {
        return 0;
    }
    (void)cl_h2_fail(h2, CLEAT_ERR_LIMIT, CLEAT_H2_ENHANCE_YOUR_CALM, "RFC 9113 10.5.1",
                     "a head that goes on beyond %d times its limits (%u bytes, %u fields)",
                     CL_H2_PATIENCE, h2->o.max_head, h2->o.max_fields);
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void end_trailers(struct cleat_h2 *h2, struct cl_h2_stream *s)
{
    struct cleat_error why = {0};
    if (cl_h2_collect_trailers(h2->collect, &why) != CL_OK) {
        cl_h2_note(h2, &why);
        cleat_h2_reset(h2, (uint32_t)s->id, CLEAT_H2_PROTOCOL_ERROR);
    }
}

static void end_head(struct cleat_h2 *h2, struct cl_h2_stream *s, bool ends)
{
    const struct cl_h2_expect expect = {
        .is_response = !h2->is_server,
        .to_head = s->to_head,
        .to_connect = s->to_connect,
        .ends = ends,
    };
    struct cleat_error why = {0};
    cl_free(h2->why);
    h2->why = NULL;
    if (cl_h2_collect_head(h2->collect, &expect, &h2->refused_status, &why) == CL_OK) {
        const struct cleat_http_head *head = &h2->collect->head;
        s->has_head = h2->is_server || head->status >= 200;
        s->is_known = true;
        cl_h2_tell(h2, s, CL_H2_TELL_HEAD);
        return;
    }
    if (why.code == 0) {
        (void)cl_error_set(&why, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    }
    cl_h2_note(h2, &why);
    s->has_head = s->is_known = true;
    cl_h2_tell(h2, s, CL_H2_TELL_REFUSED);
    if (!h2->is_server) {
        cleat_h2_reset(h2, (uint32_t)s->id, CLEAT_H2_CANCEL);
    }
}

static void on_headers(struct cleat_h2 *h2, const nghttp2_frame *frame)
{
    struct cl_h2_stream *s = h2->head_stream;
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (s == NULL || s->is_gone || s->id != frame->hd.stream_id) {
        return;
    }
    if (s->has_head) {
        end_trailers(h2, s);
    } else {
        end_head(h2, s, ends);
    }
}

/* ---- frames ---- */

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct cleat_h2 *h2 = ctx;
    const bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    struct cl_h2_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
        on_headers(h2, frame);
        break;
    case NGHTTP2_DATA:
        break;
    case NGHTTP2_SETTINGS:
        h2->acknowledged = h2->acknowledged || (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
        h2->settled = h2->settled || (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0;
        h2->has_room = true; /* INITIAL_WINDOW_SIZE */
        return 0;
    case NGHTTP2_WINDOW_UPDATE:
        h2->has_room = true;
        return 0;
    case NGHTTP2_GOAWAY:
        h2->tell_goaway = h2->tell_goaway || !h2->goaway_in;
        h2->goaway_in = true;
        h2->goaway_code = frame->goaway.error_code;
        return 0;
    case NGHTTP2_RST_STREAM:
        h2->stats.resets_in++;
        if (s != NULL) {
            s->reset_by_peer = true;
        }
        return 0;
    default:
        return 0;
    }
    if (ends && s != NULL && s->is_known) {
        s->ended_in = true;
        cl_h2_tell(h2, s, CL_H2_TELL_END);
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *p,
                   size_t len, void *ctx)
{
    struct cleat_h2 *h2 = ctx;
    struct cl_h2_stream *s = nghttp2_session_get_stream_user_data(session, id);
    (void)flags;
    if (s == NULL || !s->is_known) {
        (void)nghttp2_session_consume(session, id, len);
        return 0;
    }
    s->unconsumed += len;
    h2->stats.data_in += len;
    h2->data_stream = s;
    h2->data = p;
    h2->data_len = len;
    return NGHTTP2_ERR_PAUSE;
}

/* RST_STREAM was written, or will be: until then nghttp2 knows nothing of one that it refuses. */
static void note_reset(struct cleat_h2 *h2, int32_t id)
{
    if (id > 0 && nghttp2_session_get_stream_remote_close(h2->session, id) != 1) {
        cl_h2_closed_reset(&h2->closed, (uint32_t)id);
    }
}

/* What nghttp2 does not like: it resets the stream, or ends the connection. */
static int on_invalid(nghttp2_session *session, const nghttp2_frame *frame, int code, void *ctx)
{
    struct cleat_h2 *h2 = ctx;
    (void)session;
    note_reset(h2, frame->hd.stream_id);
    h2->invalid = code;
    h2->invalid_type = frame->hd.type;
    h2->invalid_stream = frame->hd.stream_id;
    struct cleat_error why = {0};
    (void)cl_error_set(&why, (struct cl_why){CLEAT_ERR_HTTP_SYNTAX, 0, "RFC 9113 8.1.1", NULL},
                       "%s; frame type %u, stream %d", nghttp2_strerror(code),
                       (unsigned)frame->hd.type, (int)frame->hd.stream_id);
    cl_h2_note(h2, &why);
    return 0;
}

static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *ctx)
{
    struct cleat_h2 *h2 = ctx;
    struct cl_h2_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        h2->goaway_out = true;
        h2->sent_code = frame->goaway.error_code;
        if (h2->is_server) {
            h2->closed.last = (uint32_t)frame->goaway.last_stream_id;
        }
    } else if (frame->hd.type == NGHTTP2_RST_STREAM) {
        h2->stats.resets_out++;
        note_reset(h2, frame->hd.stream_id);
        /* CVE-2025-8671: who has us reset streams does not escape the budget of resets */
        if (h2->is_server && (s == NULL || !s->reset_by_us) &&
            !cl_h2_gate_take(&h2->gate, CL_H2_RESETS, h2->now)) {
            h2->too_many_resets = true;
        }
    }
    if (!h2->is_server && frame->hd.type == NGHTTP2_HEADERS) {
        cl_h2_closed_open(&h2->closed, (uint32_t)frame->hd.stream_id);
    }
    if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) && s != NULL &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
        s->ended_out = true;
        cl_h2_stop_ended(h2, s);
    }
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *ctx)
{
    struct cleat_h2 *h2 = ctx;
    struct cl_h2_stream *s = nghttp2_session_get_stream_user_data(session, id);
    if (s == NULL) {
        return 0;
    }
    s->is_gone = true;
    s->code = code;
    s->unprocessed = !h2->is_server && code == NGHTTP2_REFUSED_STREAM;
    if (!s->is_known) {
        cl_h2_stream_free(h2, s);
    } else {
        const bool done = code == NGHTTP2_NO_ERROR && s->ended_in && s->ended_out;
        cl_h2_tell(h2, s, done ? CL_H2_TELL_DONE : CL_H2_TELL_RESET);
    }
    return 0;
}

cl_result cl_h2_callbacks(nghttp2_session_callbacks **out)
{
    nghttp2_session_callbacks *c;
    if (nghttp2_session_callbacks_new(&c) != 0) {
        return CLEAT_ERR_NOMEM;
    }
    nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(c, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c, on_invalid);
    nghttp2_session_callbacks_set_on_frame_send_callback(c, on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(c, on_close);
    nghttp2_session_callbacks_set_send_callback(c, cl_h2_send_frame);
    nghttp2_session_callbacks_set_send_data_callback(c, cl_h2_send_data);
    *out = c;
    return CL_OK;
}
