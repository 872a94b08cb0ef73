/* h2/send.c - what goes out: heads, bodies through a queue for each stream, nghttp2's frames into
 * one buffer.
 *
 * nghttp2 asks for a body's bytes when windows and priorities let it; what is queued then is what
 * it gets, copied once, into the buffer for the transport. Nothing is queued that the peer's
 * windows do not let through, and by all streams not more than by CL_H2_FULL_QUEUES. Who found no
 * room is parked until some is made: then nghttp2 asks again, the most urgent stream first, and the
 * application is told in that order.
 */
#include <string.h>

#include "base/mem.h"
#include "h2/conn.h"
#include "http/chars.h"

/* 4 KiB: below it a frame is copied again sooner than memory for several is wiped */
#define LONG_FRAME 4096

/* ---- what nghttp2 calls ---- */

ssize_t cl_h2_send_frame(nghttp2_session *session, const uint8_t *p, size_t len, int flags,
                         void *ctx)
{
    struct cleat_h2 *h2 = ctx;
    (void)session;
    (void)flags;
    if (h2->out.len >= CL_H2_OUT_ROOM) {
        return NGHTTP2_ERR_WOULDBLOCK;
    }
    if (cl_buf_append(&h2->out, p, len, SIZE_MAX) != CL_OK) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return (ssize_t)len;
}

static size_t less(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t beyond(int64_t window, size_t used)
{
    return window > 0 && (size_t)window > used ? (size_t)window - used : 0;
}

static size_t room_of(const struct cleat_h2 *h2, const struct cl_h2_stream *s)
{
    const size_t queued = cl_h2_queued(s);
    const size_t limit = h2->o.queue_limit;
    int64_t window = nghttp2_session_get_stream_remote_window_size(h2->session, s->id);
    if (window < 0) { /* a request that nghttp2 has not written yet */
        window =
            nghttp2_session_get_remote_settings(h2->session, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
    }
    size_t room = queued < limit ? limit - queued : 0;
    room = less(
        room, CL_H2_FULL_QUEUES * limit > h2->queued ? CL_H2_FULL_QUEUES * limit - h2->queued : 0);
    room = less(room, beyond(window, queued));
    return less(room, beyond(nghttp2_session_get_remote_window_size(h2->session), h2->queued));
}

static void park(struct cleat_h2 *h2, struct cl_h2_stream *s)
{
    if (!s->is_parked) {
        s->is_parked = true;
        h2->num_parked++;
    }
}

/* nghttp2 asks again for what it was told to wait for; fails when the stream is gone. */
static void go_on(struct cleat_h2 *h2, struct cl_h2_stream *s)
{
    s->is_parked = false;
    if (s->waits) {
        s->waits = false;
        (void)nghttp2_session_resume_data(h2->session, s->id);
    }
}

static void unpark(struct cleat_h2 *h2)
{
    struct cl_h2_stream *s;
    h2->has_room = false;
    if (h2->num_parked > 0) {
        h2->num_parked = 0;
        TAILQ_FOREACH(s, &h2->streams, link)
        {
            if (s->is_parked && !s->is_gone) {
                go_on(h2, s);
            }
        }
    }
}

ssize_t cl_h2_read_queue(nghttp2_session *session, int32_t id, uint8_t *buf, size_t len,
                         uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
    struct cleat_h2 *h2 = ctx;
    struct cl_h2_stream *s = source->ptr;
    const size_t queued = cl_h2_queued(s);
    (void)buf;
    if (queued == 0 && !s->queue_ends) {
        s->waits = true;
        if (s->wants_room && room_of(h2, s) == 0) {
            park(h2, s);
        } else if (s->wants_room) {
            s->wants_room = false;
            cl_h2_tell(h2, s, CL_H2_TELL_WRITABLE);
        }
        return NGHTTP2_ERR_DEFERRED;
    }
    const size_t n = queued < len ? queued : len;
    *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    if (n == queued && s->queue_ends) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (s->trailers != NULL) {
            struct cl_h2_fields f = {0};
            cl_h2_fields_of(&f, &s->trailers->head);
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            if (nghttp2_submit_trailer(session, id, f.nv, f.num) != 0) {
                return NGHTTP2_ERR_CALLBACK_FAILURE;
            }
        }
    }
    return (ssize_t)n;
}

/* An empty queue holds no memory; one that is not is moved to its front when more of it has been
 * sent than is left, so that a byte is moved once at most. */
void cl_h2_drop_queue(struct cleat_h2 *h2, struct cl_h2_stream *s, size_t len)
{
    s->queue_at += len;
    h2->queued -= len;
    h2->has_room = true;
    if (s->queue_at == s->queue.len) {
        cl_buf_deinit(&s->queue);
        s->queue_at = 0;
    } else if (s->queue_at > s->queue.len / 2) {
        cl_buf_drop(&s->queue, s->queue_at);
        s->queue_at = 0;
    }
}

int cl_h2_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head, size_t len,
                    nghttp2_data_source *source, void *ctx)
{
    struct cleat_h2 *h2 = ctx;
    struct cl_h2_stream *s = source->ptr;
    (void)session;
    (void)frame; /* never padded: no callback chooses padding */
    if (h2->out.len >= CL_H2_OUT_ROOM) {
        return NGHTTP2_ERR_WOULDBLOCK;
    }
    /* Long frames come in rows: room for those that go out together, as far as they are there. */
    const size_t behind = less(h2->queued - len, CL_H2_OUT_ROOM - h2->out.len);
    const size_t room = len > LONG_FRAME ? behind + CL_H2_FRAME_HEAD : 0;
    if (cl_buf_reserve(&h2->out, CL_H2_FRAME_HEAD + len + room, SIZE_MAX) != CL_OK ||
        cl_buf_append(&h2->out, head, CL_H2_FRAME_HEAD, SIZE_MAX) != CL_OK ||
        (len > 0 && cl_buf_append(&h2->out, s->queue.p + s->queue_at, len, SIZE_MAX) != CL_OK)) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    cl_h2_drop_queue(h2, s, len);
    s->sent += len;
    h2->stats.data_out += len;
    /* Two updates, for the stream and for the connection, answer each frame at most, and small ones
     * of the reader's as it goes on. */
    cl_h2_gate_add(&h2->gate, CL_H2_WINDOWS, 4 + (uint32_t)(len / 1024));
    if (s->wants_room && cl_h2_queued(s) <= h2->o.queue_limit / 2 && room_of(h2, s) > 0) {
        s->wants_room = false;
        cl_h2_tell(h2, s, CL_H2_TELL_WRITABLE);
    }
    return 0;
}

/* ---- the transport's side ---- */

void cl_h2_fill(struct cleat_h2 *h2)
{
    if (h2->broken || h2->out.len >= CL_H2_OUT_ROOM) {
        return;
    }
    if (h2->has_room) {
        unpark(h2);
    }
    if (!nghttp2_session_want_write(h2->session)) {
        return;
    }
    const int r = nghttp2_session_send(h2->session);
    if (r != 0 && r != NGHTTP2_ERR_WOULDBLOCK) {
        h2->broken = true;
        (void)cl_h2_fail(h2, r == NGHTTP2_ERR_NOMEM ? CLEAT_ERR_NOMEM : CLEAT_ERR_INTERNAL,
                         CLEAT_H2_INTERNAL_ERROR, NULL, "sending: %s", nghttp2_strerror(r));
    }
}

/* What was written stays until there is nothing more to write: the memory is used again. */
void cl_h2_drop_output(struct cleat_h2 *h2)
{
    if (h2->out.len == 0) {
        cl_buf_deinit(&h2->out);
    }
}

size_t cleat_h2_output(struct cleat_h2 *h2, const uint8_t **p)
{
    if (h2->out.len == 0) {
        cl_h2_fill(h2);
    }
    if (h2->out.len == 0) {
        cl_h2_drop_output(h2);
        *p = NULL;
        return 0;
    }
    *p = h2->out.p + h2->out_at;
    return h2->out.len - h2->out_at;
}

void cleat_h2_sent(struct cleat_h2 *h2, size_t n)
{
    const size_t left = h2->out.len - h2->out_at;
    h2->out_at += n < left ? n : left;
    if (h2->out_at == h2->out.len) {
        h2->out_at = h2->out.len = 0;
    }
}

/* ---- heads ---- */

static int result_of(int r)
{
    switch (r) {
    case 0:
        return CLEAT_OK;
    case NGHTTP2_ERR_NOMEM:
        return CLEAT_ERR_NOMEM;
    case NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE:
    case NGHTTP2_ERR_START_STREAM_NOT_ALLOWED:
    case NGHTTP2_ERR_STREAM_CLOSED:
    case NGHTTP2_ERR_STREAM_SHUT_WR:
    case NGHTTP2_ERR_PROTO:
        return CLEAT_ERR_CLOSED;
    case NGHTTP2_ERR_DATA_EXIST:
    case NGHTTP2_ERR_INVALID_ARGUMENT:
        return CLEAT_ERR_USAGE;
    default:
        return CLEAT_ERR_INTERNAL;
    }
}

int cleat_h2_respond(struct cleat_h2 *h2, uint32_t stream, const struct cleat_http_head *response,
                     bool end)
{
    struct cl_h2_stream *s = cl_h2_stream_find(h2, stream);
    struct cl_h2_fields f = {0};
    char status[4];
    if (s == NULL || s->ended_out) {
        return CLEAT_ERR_CLOSED;
    }
    const bool interim = response->status >= 100 && response->status < 200;
    if (!h2->is_server || s->answered || response->status < 100 || response->status > 999 ||
        response->status == 101 || (interim && end)) {
        return CLEAT_ERR_USAGE;
    }
    for (unsigned i = 0, n = response->status; i < 3; i++, n /= 10) {
        status[2 - i] = (char)('0' + n % 10);
    }
    cl_h2_fields_add(&f, ":status", cl_rd_of(status, 3));
    cl_h2_fields_of(&f, response);
    const nghttp2_data_provider body = {.source.ptr = s, .read_callback = cl_h2_read_queue};
    int r = interim ? nghttp2_submit_headers(h2->session, NGHTTP2_FLAG_NONE, s->id, NULL, f.nv,
                                             f.num, NULL)
                    : nghttp2_submit_response(h2->session, s->id, f.nv, f.num, end ? NULL : &body);
    if (!interim && r == 0) {
        s->answered = true;
        s->queue_ends = end;
    }
    return result_of(r < 0 ? r : 0);
}

static int check_request(const struct cleat_h2 *h2, const struct cleat_http_head *request,
                         const char *protocol)
{
    if (h2->is_server || request->is_response || request->method.len == 0) {
        return CLEAT_ERR_USAGE;
    }
    if (h2->error.code != 0 || h2->goaway_in || h2->goaway_out) {
        return CLEAT_ERR_CLOSED;
    }
    if (protocol != NULL && !cleat_h2_allows_connect(h2)) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    const uint32_t max =
        nghttp2_session_get_remote_settings(h2->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    return h2->num_streams >= max ? CLEAT_ERR_LIMIT : CLEAT_OK;
}

/* The pseudo-fields come first (RFC 9113 8.3). */
static void request_fields(struct cl_h2_fields *f, const struct cleat_http_head *request,
                           bool secure, const char *protocol)
{
    const struct cl_rd method = cl_http_rd(cleat_http_text(request, request->method));
    const bool to_connect = protocol != NULL || cl_rd_equal_str(method, "CONNECT");
    cl_h2_fields_add(f, ":method", to_connect ? cl_rd_of("CONNECT", 7) : method);
    if (protocol != NULL || !to_connect) {
        cl_h2_fields_add(f, ":scheme", secure ? cl_rd_of("https", 5) : cl_rd_of("http", 4));
        cl_h2_fields_add(f, ":path", cl_http_rd(cleat_http_text(request, request->target)));
    }
    cl_h2_fields_add(f, ":authority", cl_http_rd(cleat_http_text(request, request->authority)));
    if (protocol != NULL) {
        cl_h2_fields_add(f, ":protocol", cl_rd_of(protocol, strlen(protocol)));
    }
    cl_h2_fields_of(f, request);
}

int cleat_h2_request(struct cleat_h2 *h2, const struct cleat_http_head *request, bool secure,
                     const char *protocol, bool end, void *ctx, uint32_t *out_stream)
{
    struct cl_h2_fields f = {0};
    int code = check_request(h2, request, protocol);
    if (code != CLEAT_OK) {
        return code;
    }
    struct cl_h2_stream *s = cl_h2_stream_new(h2, 0);
    if (s == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    request_fields(&f, request, secure, protocol);
    const nghttp2_data_provider body = {.source.ptr = s, .read_callback = cl_h2_read_queue};
    s->id = nghttp2_submit_request(h2->session, NULL, f.nv, f.num, end ? NULL : &body, s);
    if (s->id < 0) {
        code = result_of(s->id);
        cl_h2_stream_free(h2, s);
        return code;
    }
    s->ctx = ctx;
    s->is_known = s->answered = true;
    s->queue_ends = end;
    s->to_head = cleat_http_is(cleat_http_text(request, request->method), "HEAD");
    s->to_connect =
        cleat_http_is(cleat_http_text(request, request->method), "CONNECT") || protocol != NULL;
    *out_stream = (uint32_t)s->id;
    return CLEAT_OK;
}

/* ---- bodies ---- */

size_t cleat_h2_room(const struct cleat_h2 *h2, uint32_t stream)
{
    const struct cl_h2_stream *s = cl_h2_stream_find(h2, stream);
    return s == NULL || s->queue_ends ? 0 : room_of(h2, s);
}

int cleat_h2_write(struct cleat_h2 *h2, uint32_t stream, const void *p, size_t len, bool end,
                   size_t *taken)
{
    struct cl_h2_stream *s = cl_h2_stream_find(h2, stream);
    *taken = 0;
    if (s == NULL || !s->answered || s->queue_ends || s->ended_out) {
        return CLEAT_ERR_CLOSED;
    }
    const size_t n = less(len, room_of(h2, s));
    if (n > 0) {
        CL_TRY(cl_buf_append(&s->queue, p, n, SIZE_MAX));
        h2->queued += n;
    }
    *taken = n;
    s->queue_ends = end && n == len;
    s->wants_room = n < len;
    if (n > 0 || s->queue_ends) {
        go_on(h2, s);
    } else if (s->wants_room && s->waits) {
        park(h2, s);
    }
    return CLEAT_OK;
}

/* They go to nghttp2 when the last of the data does, or they would overtake it. */
int cleat_h2_trailers(struct cleat_h2 *h2, uint32_t stream, const struct cleat_http_head *fields)
{
    struct cl_h2_stream *s = cl_h2_stream_find(h2, stream);
    if (s == NULL || !s->answered || s->queue_ends || s->ended_out) {
        return CLEAT_ERR_CLOSED;
    }
    struct cl_h2_trailers *t = cl_alloc(sizeof(*t) + fields->len);
    if (t == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    memcpy(t->text, fields->base, fields->len);
    t->head = *fields;
    t->head.base = t->text;
    s->trailers = t;
    s->queue_ends = true;
    go_on(h2, s);
    return CLEAT_OK;
}
