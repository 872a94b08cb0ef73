/* ws/output.c - the queues of outgoing frames (RFC 6455 5.4, 5.5): putting in, making room, showing
 * what is next. A queue holds frames as they go on the wire and is read like the wire when its
 * frames have to be told apart. */
#include "crypto/rand.h"
#include "ws/conn.h"
#include "ws/mask.h"

/* 2 KiB: sixteen pongs of the largest size; a peer that pings faster than it reads gets the newest
 */
#define MAX_CONTROL_QUEUE 2048
/* 4 KiB: less than that is not moved to the front while the queue is in use */
#define MIN_MOVE          4096

static size_t waiting(const struct cl_ws_queue *q)
{
    return q->buf.len - q->head;
}

/* Reads the header of the frame at an offset; gives the frame's whole size, 0 at the end. */
static size_t frame_at(const struct cl_ws_queue *q, size_t at, struct cl_ws_head *out)
{
    struct cl_rd r = cl_buf_view(&q->buf);
    if (!cl_rd_skip(&r, at) || cl_rd_done(&r)) {
        return 0;
    }
    size_t left = r.len;
    if (cl_ws_head_parse(&r, out) != CL_WS_FLAW_NONE || out->len > r.len) {
        return 0;
    }
    return left - r.len + (size_t)out->len;
}

static void cut(struct cl_ws_queue *q, size_t from, size_t to)
{
    memmove(q->buf.p + from, q->buf.p + to, q->buf.len - to);
    q->buf.len -= to - from;
}

void cl_ws_queue_deinit(struct cleat_ws *ws, struct cl_ws_queue *q)
{
    cl_ws_drop_buf(ws->o.pool, &q->buf);
    *q = (struct cl_ws_queue){0};
}

static void move_to_front(struct cl_ws_queue *q)
{
    if (q->head >= MIN_MOVE && q->head >= q->buf.len / 2) {
        cut(q, 0, q->head);
        q->head = 0;
    }
}

cl_result cl_ws_put(struct cleat_ws *ws, struct cl_ws_queue *q, struct cl_ws_head head,
                    const uint8_t *payload)
{
    /* RFC 6455 5.3: "The masking key needs to be unpredictable" */
    head.masked = ws->is_client;
    if (head.masked && ws->o.random(ws->o.random_ctx, head.key, sizeof(head.key)) != 0) {
        return CLEAT_ERR_RANDOM;
    }
    move_to_front(q);
    CL_TRY(cl_ws_grow(ws->o.pool, &q->buf, CL_WS_MAX_HEAD + (size_t)head.len));
    struct cl_wr w = cl_buf_writer(&q->buf);
    cl_ws_head_build(&w, &head);
    uint8_t *room = cl_wr_reserve(&w, (size_t)head.len);
    if (!cl_wr_ok(&w)) {
        return CLEAT_ERR_INTERNAL;
    }
    if (head.len != 0 && head.masked) {
        cl_ws_mask(room, payload, (size_t)head.len, head.key, 0);
    } else if (head.len != 0) {
        memcpy(room, payload, (size_t)head.len);
    }
    cl_buf_commit(&q->buf, &w);
    cl_ws_tell_frame(ws, &head, false);
    return CL_OK;
}

/* ---- control frames ---------------------------------------------------------------------------*/

/* Takes the pongs that were not begun out of the queue. */
static void skip_pongs(struct cleat_ws *ws)
{
    struct cl_ws_queue *q = &ws->control;
    struct cl_ws_head head;
    size_t at = q->head + (size_t)q->partial;
    size_t size;
    while ((size = frame_at(q, at, &head)) != 0) {
        if (head.opcode == CL_WS_OP_PONG) {
            cut(q, at, at + size);
            ws->stats.pongs_skipped++;
        } else {
            at += size;
        }
    }
}

void cl_ws_put_pong(struct cleat_ws *ws, const uint8_t *payload, size_t len)
{
    struct cl_ws_head head = {.len = len, .opcode = CL_WS_OP_PONG, .fin = true};
    /* RFC 6455 5.5.1: "The application MUST NOT send any more data frames after sending a Close
     * frame"; a pong behind it would find nobody either */
    if (ws->close_queued) {
        return;
    }
    /* RFC 6455 5.5.3: "MAY elect to send a Pong frame for only the most recently processed Ping" */
    if (waiting(&ws->control) + CL_WS_MAX_HEAD + len > MAX_CONTROL_QUEUE) {
        skip_pongs(ws);
    }
    if (cl_ws_put(ws, &ws->control, head, payload) != CL_OK) {
        ws->stats.pongs_skipped++;
    }
}

cl_result cl_ws_put_close(struct cleat_ws *ws, uint16_t code, const char *reason, size_t reason_len)
{
    CL_TRY(cl_ws_grow(ws->o.pool, &ws->farewell, CL_WS_MAX_CONTROL));
    ws->farewell.len = 0;
    if (code != CLEAT_WS_NO_STATUS) {
        struct cl_wr w = cl_buf_writer(&ws->farewell);
        cl_wr_u16(&w, code);
        cl_wr_bytes(&w, reason, reason_len);
        cl_buf_commit(&ws->farewell, &w);
    }
    ws->close_wanted = true;
    return CL_OK;
}

/* Queues the close frame once nothing is in front of it. */
static void say_farewell(struct cleat_ws *ws)
{
    struct cl_ws_head head = {.len = ws->farewell.len, .opcode = CL_WS_OP_CLOSE, .fin = true};
    if (!ws->close_wanted || ws->close_queued || cleat_ws_queued(ws) != 0) {
        return;
    }
    ws->close_queued = true;
    cl_result rc = cl_ws_put(ws, &ws->control, head, ws->farewell.p);
    cl_ws_drop_buf(ws->o.pool, &ws->farewell);
    if (rc != CL_OK) {
        cl_ws_fail_code(ws, rc);
    }
}

/* ---- making room ------------------------------------------------------------------------------*/

/* Drops the oldest message that was not begun; false when there is none. */
static bool drop_oldest(struct cleat_ws *ws)
{
    struct cl_ws_queue *q = &ws->data;
    struct cl_ws_head head;
    size_t from = q->head + (size_t)q->partial;
    size_t size = frame_at(q, from, &head);
    while (size != 0 && head.opcode == CL_WS_OP_CONTINUATION) {
        from += size;
        size = frame_at(q, from, &head);
    }
    if (size == 0) {
        return cl_ws_shared_drop(ws);
    }
    size_t to = from + size;
    while (!head.fin && (size = frame_at(q, to, &head)) != 0) {
        to += size;
    }
    cut(q, from, to);
    ws->stats.messages_dropped++;
    return true;
}

void cl_ws_discard(struct cleat_ws *ws)
{
    while (drop_oldest(ws)) {
    }
    /* what is left of a message whose beginning was sent: that one is lost too */
    size_t keep = ws->data.head + (size_t)ws->data.partial;
    if (ws->data.buf.len > keep || ws->piece_begun) {
        ws->stats.messages_dropped++;
    }
    ws->data.buf.len = keep;
    ws->control.buf.len = ws->control.head + (size_t)ws->control.partial;
}

static bool fits(const struct cleat_ws *ws, size_t need)
{
    size_t now = cleat_ws_queued(ws);
    return now == 0 || (need <= ws->o.queue_limit && now <= ws->o.queue_limit - need);
}

int cl_ws_make_room(struct cleat_ws *ws, size_t need)
{
    int rc = CLEAT_OK;
    if (!fits(ws, need) && ws->o.full == CLEAT_WS_FULL_CLOSE) {
        cl_ws_fail(ws, CL_WS_FLAW_QUEUE, cleat_ws_queued(ws), ws->o.queue_limit);
        return CLEAT_ERR_WS_QUEUE_FULL;
    }
    while (!fits(ws, need)) {
        if (ws->o.full != CLEAT_WS_FULL_DROP_OLDEST || !drop_oldest(ws)) {
            return CLEAT_ERR_WS_QUEUE_FULL;
        }
        rc = CLEAT_WS_DROPPED;
    }
    return rc;
}

/* ---- messages ---------------------------------------------------------------------------------*/

static int queue_code(cl_result rc)
{
    return rc == CLEAT_ERR_LIMIT ? CLEAT_ERR_WS_QUEUE_FULL : (int)rc;
}

/* Queues a message in as many frames as the options ask for, all of them or none. */
static cl_result put_message(struct cleat_ws *ws, struct cl_ws_head head, struct cl_rd rest)
{
    struct cl_ws_queue *q = &ws->data;
    size_t before = waiting(q);
    size_t most = ws->o.fragment_size != 0 ? ws->o.fragment_size : SIZE_MAX;
    do {
        struct cl_rd part;
        head.len = rest.len < most ? rest.len : most;
        head.fin = head.len == rest.len;
        cl_result rc = cl_rd_take(&rest, (size_t)head.len, &part) ? cl_ws_put(ws, q, head, part.p)
                                                                  : CLEAT_ERR_INTERNAL;
        if (rc != CL_OK) {
            q->buf.len = q->head + before;
            return rc;
        }
        head.opcode = CL_WS_OP_CONTINUATION;
        head.rsv = 0;
    } while (rest.len != 0);
    return CL_OK;
}

static size_t framed(const struct cleat_ws *ws, size_t len)
{
    size_t num = ws->o.fragment_size != 0 ? len / ws->o.fragment_size : 0;
    return len + (num + 1) * CL_WS_MAX_HEAD;
}

int cleat_ws_send(struct cleat_ws *ws, bool binary, const void *data, size_t len)
{
    struct cl_ws_head head = {.opcode = binary ? CL_WS_OP_BINARY : CL_WS_OP_TEXT};
    struct cl_rd content = cl_rd_of(data, len);
    struct cl_ws_utf8 utf8 = {0};
    struct cl_buf smaller = {0};
    if (ws->flaw != CL_WS_FLAW_NONE || ws->close_wanted) {
        return CLEAT_ERR_CLOSED;
    }
    if (ws->piece_kind != 0) {
        return CLEAT_ERR_USAGE;
    }
    if (!binary && (cl_ws_utf8_feed(&utf8, content.p, len) != len || !cl_ws_utf8_done(&utf8))) {
        return CLEAT_ERR_WS_UTF8;
    }
    int room = cl_ws_make_room(ws, framed(ws, len));
    if (room < 0) {
        return room;
    }
    cl_result rc = cl_ws_shared_flatten(ws);
    if (rc != CL_OK) {
        return queue_code(rc);
    }
    /* without memory for a compressor the message goes as it is */
    if (ws->o.deflate.on && len != 0 && len >= ws->o.deflate_min &&
        cl_ws_deflate(ws, &smaller, content.p, len, true) == CL_OK) {
        content = cl_buf_view(&smaller);
        head.rsv = CL_WS_RSV1;
    }
    rc = put_message(ws, head, content);
    if (rc != CL_OK && head.rsv != 0) {
        /* the peer will not see what the context holds now */
        cl_ws_codec_give(&ws->deflater);
    }
    cl_ws_drop_buf(ws->o.pool, &smaller);
    if (rc != CL_OK) {
        return queue_code(rc);
    }
    ws->stats.messages_sent++;
    return room;
}

/* How much of a piece may be queued now. */
static size_t room_for_piece(const struct cleat_ws *ws, size_t len)
{
    size_t now = cleat_ws_queued(ws) + CL_WS_MAX_HEAD;
    size_t room = now < ws->o.queue_limit ? ws->o.queue_limit - now : 0;
    if (cleat_ws_queued(ws) == 0 && room == 0) {
        room = 1;
    }
    return len < room ? len : room;
}

static cl_result put_piece(struct cleat_ws *ws, struct cl_rd part, bool fin)
{
    struct cl_buf smaller = {0};
    struct cl_ws_head head = {
        .fin = fin,
        .opcode = ws->piece_begun ? CL_WS_OP_CONTINUATION : ws->piece_kind,
        .rsv = ws->piece_compressed && !ws->piece_begun ? CL_WS_RSV1 : 0,
    };
    cl_result rc = CL_OK;
    if (ws->piece_compressed) {
        rc = cl_ws_deflate(ws, &smaller, part.p, part.len, fin);
        part = cl_buf_view(&smaller);
    }
    head.len = part.len;
    /* zlib may keep all of it for later: nothing to send yet */
    if (rc == CL_OK && (part.len != 0 || fin)) {
        rc = cl_ws_put(ws, &ws->data, head, part.p);
        ws->piece_begun = true;
    }
    cl_ws_drop_buf(ws->o.pool, &smaller);
    return rc;
}

int cleat_ws_send_piece(struct cleat_ws *ws, bool binary, const void *data, size_t len, bool last,
                        size_t *taken)
{
    struct cl_rd rest = cl_rd_of(data, len);
    struct cl_rd part;
    *taken = 0;
    if (ws->flaw != CL_WS_FLAW_NONE || ws->close_wanted) {
        return CLEAT_ERR_CLOSED;
    }
    uint8_t kind = binary ? CL_WS_OP_BINARY : CL_WS_OP_TEXT;
    if (ws->piece_kind != 0 && ws->piece_kind != kind) {
        return CLEAT_ERR_USAGE;
    }
    size_t most = room_for_piece(ws, len);
    if (len != 0 && most == 0) {
        return CLEAT_ERR_WS_QUEUE_FULL;
    }
    bool fin = last && most == len;
    struct cl_ws_utf8 utf8 = ws->piece_kind != 0 ? ws->piece_utf8 : (struct cl_ws_utf8){0};
    if (!cl_rd_take(&rest, most, &part) ||
        (!binary &&
         (cl_ws_utf8_feed(&utf8, part.p, most) != most || (fin && !cl_ws_utf8_done(&utf8))))) {
        return CLEAT_ERR_WS_UTF8;
    }
    if (ws->piece_kind == 0) {
        ws->piece_kind = kind;
        ws->piece_begun = false;
        ws->piece_compressed = ws->o.deflate.on && (!last || len >= ws->o.deflate_min);
    }
    cl_result rc = cl_ws_shared_flatten(ws);
    if (rc == CL_OK) {
        rc = put_piece(ws, part, fin);
    }
    if (rc != CL_OK) {
        /* a message that has begun cannot be taken back, nor compressed bytes be made again */
        cl_ws_fail_code(ws, rc);
        return queue_code(rc);
    }
    ws->piece_utf8 = utf8;
    if (fin) {
        ws->piece_kind = 0;
        ws->piece_begun = false;
        ws->stats.messages_sent++;
    }
    *taken = most;
    return CLEAT_OK;
}

/* ---- showing ----------------------------------------------------------------------------------*/

size_t cleat_ws_output(struct cleat_ws *ws, const uint8_t **p)
{
    if (waiting(&ws->control) == 0) {
        say_farewell(ws);
    }
    /* a frame that has begun goes on; control frames overtake the ones behind it */
    ws->showing_control =
        ws->data.partial == 0 && ws->shared.sent == 0 && waiting(&ws->control) != 0;
    ws->showing_shared = !ws->showing_control && waiting(&ws->data) == 0 && ws->shared.num != 0;
    if (ws->showing_shared) {
        struct cl_rd left = cl_ws_shared_front(ws);
        *p = left.p;
        return left.len;
    }
    const struct cl_ws_queue *q = ws->showing_control ? &ws->control : &ws->data;
    *p = q->buf.p != NULL ? q->buf.p + q->head : NULL;
    if (q == &ws->data && q->partial != 0 && waiting(&ws->control) != 0) {
        return (size_t)q->partial;
    }
    return waiting(q);
}

void cleat_ws_sent(struct cleat_ws *ws, size_t n)
{
    struct cl_ws_queue *q = ws->showing_control ? &ws->control : &ws->data;
    struct cl_ws_head head;
    if (ws->showing_shared) {
        cl_ws_shared_sent(ws, n);
        return;
    }
    n = n < waiting(q) ? n : waiting(q);
    while (n != 0) {
        uint64_t size = q->partial != 0 ? q->partial : frame_at(q, q->head, &head);
        if (size == 0) {
            cl_ws_fail(ws, CL_WS_FLAW_INTERNAL, 0, 0);
            return;
        }
        size_t step = n < size ? n : (size_t)size;
        q->head += step;
        q->partial = size - step;
        n -= step;
    }
    if (waiting(q) == 0) {
        cl_ws_queue_deinit(ws, q);
    }
}

size_t cleat_ws_queued(const struct cleat_ws *ws)
{
    return waiting(&ws->data) + ws->shared.bytes;
}
