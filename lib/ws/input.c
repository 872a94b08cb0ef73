/* ws/input.c - reading frames (RFC 6455 5): a machine whose states consume the input and tell what
 * it means. Every rule is a check in judge_begin (what two bytes show), judge_length, or where a
 * control frame or message is complete. */
#include "base/mem.h"
#include "ws/conn.h"
#include "ws/mask.h"

/* 100 empty fragments in a row: a sender may flush a few; each costs work and brings nothing */
#define MAX_EMPTY_FRAGMENTS 100
#define SECOND              1000000u

static int failed(struct cleat_ws *ws, enum cl_ws_flaw flaw, uint64_t a, uint64_t b)
{
    cl_ws_fail(ws, flaw, a, b);
    return CLEAT_WS_FAILED;
}

/* ---- headers ----------------------------------------------------------------------------------*/

static enum cl_ws_flaw judge_rsv(const struct cleat_ws *ws, const struct cl_ws_head *h)
{
    /* RFC 6455 5.2: "MUST be 0 unless an extension is negotiated that defines meanings for non-zero
     * values." */
    if ((h->rsv & ~CL_WS_RSV1) != 0 || (h->rsv != 0 && !ws->o.deflate.on)) {
        return CL_WS_FLAW_RSV;
    }
    /* RFC 7692 6.1: "An endpoint MUST NOT set the 'Per-Message Compressed' bit of control frames
     * and non-first fragments of a data message." */
    if (h->rsv != 0 && cl_ws_is_control(h->opcode)) {
        return CL_WS_FLAW_RSV1_CONTROL;
    }
    if (h->rsv != 0 && h->opcode == CL_WS_OP_CONTINUATION) {
        return CL_WS_FLAW_RSV1_CONTINUED;
    }
    return CL_WS_FLAW_NONE;
}

static enum cl_ws_flaw judge_begin(const struct cleat_ws *ws, const struct cl_ws_head *h)
{
    enum cl_ws_flaw flaw = judge_rsv(ws, h);
    if (flaw != CL_WS_FLAW_NONE) {
        return flaw;
    }
    /* RFC 6455 5.1: "The server MUST close the connection upon receiving a frame that is not
     * masked." "A client MUST close a connection if it detects a masked frame." */
    if (h->masked == ws->is_client) {
        return ws->is_client ? CL_WS_FLAW_MASKED : CL_WS_FLAW_UNMASKED;
    }
    if (cl_ws_is_control(h->opcode)) {
        return CL_WS_FLAW_NONE;
    }
    /* RFC 6455 5.4: "The fragments of one message MUST NOT be interleaved between the fragments of
     * another message" */
    if (h->opcode == CL_WS_OP_CONTINUATION && ws->kind == 0) {
        return CL_WS_FLAW_NOTHING_TO_CONTINUE;
    }
    if (h->opcode != CL_WS_OP_CONTINUATION && ws->kind != 0) {
        return CL_WS_FLAW_NOT_CONTINUED;
    }
    if (h->opcode == CL_WS_OP_TEXT && ws->o.refuse_text) {
        return CL_WS_FLAW_NO_TEXT;
    }
    return h->opcode == CL_WS_OP_BINARY && ws->o.refuse_binary ? CL_WS_FLAW_NO_BINARY
                                                               : CL_WS_FLAW_NONE;
}

/* What a message may have on the wire: compressed it may be longer than its content, a little. */
static uint64_t most_received(const struct cleat_ws *ws, bool compressed)
{
    uint64_t max = ws->o.max_message;
    if (!compressed) {
        return max;
    }
    /* 1/8 and 1 KiB: stored blocks of 40 bytes, worse than any compressor does */
    return max < UINT64_MAX / 2 ? max + max / 8 + 1024 : UINT64_MAX;
}

/* The lengths of a data frame against the limits, as announced: nothing is stored yet. */
static bool judge_length(struct cleat_ws *ws, const struct cl_ws_head *h)
{
    bool begins = h->opcode != CL_WS_OP_CONTINUATION;
    uint64_t before = begins ? 0 : ws->len_in;
    uint64_t most = most_received(ws, begins ? h->rsv != 0 : ws->compressed);
    if (h->len > ws->o.max_frame) {
        cl_ws_fail(ws, CL_WS_FLAW_FRAME_SIZE, h->len, ws->o.max_frame);
        return false;
    }
    if (before > most || h->len > most - before) {
        cl_ws_fail(ws, CL_WS_FLAW_MESSAGE_SIZE, before + h->len, ws->o.max_message);
        return false;
    }
    ws->num_empty = h->len == 0 && !h->fin && !begins ? ws->num_empty + 1 : 0;
    if (ws->num_empty > MAX_EMPTY_FRAGMENTS) {
        cl_ws_fail(ws, CL_WS_FLAW_EMPTY_FRAGMENTS, MAX_EMPTY_FRAGMENTS, 0);
        return false;
    }
    ws->num_fragments = begins ? 1 : ws->num_fragments + 1;
    if (ws->o.max_fragments != 0 && ws->num_fragments > ws->o.max_fragments) {
        cl_ws_fail(ws, CL_WS_FLAW_FRAGMENTS, ws->o.max_fragments, 0);
        return false;
    }
    return true;
}

static int begin_data(struct cleat_ws *ws)
{
    const struct cl_ws_head *h = &ws->frame;
    if (!judge_length(ws, h)) {
        return CLEAT_WS_FAILED;
    }
    if (h->opcode != CL_WS_OP_CONTINUATION) {
        ws->kind = h->opcode;
        ws->compressed = h->rsv != 0;
        ws->given = false;
        ws->utf8 = (struct cl_ws_utf8){0};
        ws->len = 0;
        ws->len_in = 0;
        if (ws->compressed && !cl_ws_inflate_begin(ws)) {
            return CLEAT_WS_FAILED;
        }
    }
    ws->at = ws->compressed ? CL_WS_AT_INFLATE : CL_WS_AT_DATA;
    return CL_WS_GO_ON;
}

static int begin_control(struct cleat_ws *ws, uint64_t now)
{
    if (now - ws->control_since >= SECOND) {
        ws->control_since = now;
        ws->num_control = 0;
    }
    if (++ws->num_control > ws->o.max_control) {
        return failed(ws, CL_WS_FLAW_CONTROL_FLOOD, ws->o.max_control, 0);
    }
    ws->at = CL_WS_AT_CONTROL;
    return CL_WS_GO_ON;
}

/* The values that go with a flaw of a header. */
static int head_failed(struct cleat_ws *ws, enum cl_ws_flaw flaw, const struct cl_ws_head *h,
                       size_t size)
{
    cl_ws_tell_frame(ws, h, true);
    if (flaw == CL_WS_FLAW_RSV) {
        return failed(ws, flaw, h->rsv, 0);
    }
    if (flaw == CL_WS_FLAW_NOT_MINIMAL) {
        return failed(ws, flaw, h->len, size - (h->masked ? 6 : 2));
    }
    return failed(ws, flaw, h->opcode, 0);
}

/* Takes input until `want` bytes are collected; false when there is not enough. */
static bool collect(struct cleat_ws *ws, struct cleat_ws_io *io, uint8_t *room, size_t want)
{
    size_t n = io->in_len - io->in_used;
    n = n < want - ws->num_small ? n : want - ws->num_small;
    if (n != 0) {
        memcpy(room + ws->num_small, io->in + io->in_used, n);
    }
    ws->num_small = (uint8_t)(ws->num_small + n);
    io->in_used += n;
    return ws->num_small == want;
}

static int at_head(struct cleat_ws *ws, struct cleat_ws_io *io)
{
    uint8_t *bytes = ws->small.head;
    if (ws->num_small < 2) {
        if (!collect(ws, io, bytes, 2)) {
            return CLEAT_WS_NEEDS_INPUT;
        }
        enum cl_ws_flaw early = cl_ws_head_begin(bytes[0], bytes[1], &ws->frame);
        if (early == CL_WS_FLAW_NONE) {
            early = judge_begin(ws, &ws->frame);
        }
        if (early != CL_WS_FLAW_NONE) {
            return head_failed(ws, early, &ws->frame, 2);
        }
    }
    size_t size = cl_ws_head_size(bytes[1]);
    if (!collect(ws, io, bytes, size)) {
        return CLEAT_WS_NEEDS_INPUT;
    }
    struct cl_rd r = cl_rd_of(bytes, size);
    enum cl_ws_flaw flaw = cl_ws_head_parse(&r, &ws->frame);
    if (flaw != CL_WS_FLAW_NONE) {
        return head_failed(ws, flaw, &ws->frame, size);
    }
    cl_ws_tell_frame(ws, &ws->frame, true);
    ws->num_small = 0;
    ws->left = ws->frame.len;
    return cl_ws_is_control(ws->frame.opcode) ? begin_control(ws, io->now) : begin_data(ws);
}

/* ---- control frames ---------------------------------------------------------------------------*/

static int on_close(struct cleat_ws *ws, struct cleat_ws_io *io, struct cl_rd payload)
{
    uint16_t code = CLEAT_WS_NO_STATUS;
    struct cl_ws_utf8 utf8 = {0};
    /* RFC 6455 5.5.1: "If there is a body, the first two bytes of the body MUST be a 2-byte
     * unsigned integer" */
    if (payload.len != 0 && !cl_rd_u16(&payload, &code)) {
        return failed(ws, CL_WS_FLAW_CLOSE_SHORT, 0, 0);
    }
    if (ws->frame.len != 0 && !cleat_ws_code_may_be_sent(code)) {
        return failed(ws, CL_WS_FLAW_CLOSE_CODE, code, 0);
    }
    if (cl_ws_utf8_feed(&utf8, payload.p, payload.len) != payload.len || !cl_ws_utf8_done(&utf8)) {
        return failed(ws, CL_WS_FLAW_CLOSE_UTF8, 0, 0);
    }
    ws->close_received = true;
    ws->at = CL_WS_AT_END;
    /* RFC 6455 5.5.1: "the endpoint MUST send a Close frame in response. (When sending a Close
     * frame in response, the endpoint typically echos the status code it received.)" */
    if (!ws->close_wanted) {
        cl_result rc = cl_ws_put_close(ws, code, NULL, 0);
        if (rc != CL_OK) {
            cl_ws_fail_code(ws, rc);
            return CLEAT_WS_FAILED;
        }
    }
    io->code = code;
    io->data = payload.p;
    io->data_len = payload.len;
    return CLEAT_WS_CLOSE;
}

static int on_pong(struct cleat_ws *ws, struct cleat_ws_io *io, struct cl_rd payload)
{
    uint64_t number;
    struct cl_rd r = payload;
    io->rtt = UINT64_MAX;
    if (ws->ping_open && cl_rd_u64(&r, &number) && cl_rd_done(&r) && number == ws->num_pings) {
        ws->ping_open = false;
        io->rtt = io->now - ws->ping_at;
    }
    io->data = payload.p;
    io->data_len = payload.len;
    return CLEAT_WS_PONG;
}

static int at_control(struct cleat_ws *ws, struct cleat_ws_io *io)
{
    size_t len = (size_t)ws->frame.len;
    if (!collect(ws, io, ws->small.control, len)) {
        return CLEAT_WS_NEEDS_INPUT;
    }
    if (ws->frame.masked) {
        cl_ws_mask(ws->small.control, ws->small.control, len, ws->frame.key, 0);
    }
    struct cl_rd payload = cl_rd_of(ws->small.control, len);
    ws->num_small = 0;
    ws->at = CL_WS_AT_HEAD;
    switch (ws->frame.opcode) {
    case CL_WS_OP_CLOSE:
        return on_close(ws, io, payload);
    case CL_WS_OP_PONG:
        return on_pong(ws, io, payload);
    default:
        cl_ws_put_pong(ws, payload.p, payload.len);
        io->data = payload.p;
        io->data_len = payload.len;
        return CLEAT_WS_PING;
    }
}

/* ---- messages ---------------------------------------------------------------------------------*/

bool cl_ws_check_text(struct cleat_ws *ws, const uint8_t *p, size_t len)
{
    if (ws->kind != CL_WS_OP_TEXT) {
        return true;
    }
    size_t fine = cl_ws_utf8_feed(&ws->utf8, p, len);
    if (fine != len) {
        cl_ws_fail(ws, CL_WS_FLAW_UTF8, p[fine], ws->len + fine);
    }
    return fine == len;
}

static int message(struct cleat_ws *ws, struct cleat_ws_io *io, const uint8_t *p, size_t len,
                   bool last)
{
    io->data = len != 0 ? p : (const uint8_t *)"";
    io->data_len = len;
    io->binary = ws->kind == CL_WS_OP_BINARY;
    io->first = !ws->given;
    io->last = last;
    ws->given = true;
    if (last) {
        ws->kind = 0;
        ws->num_control = 0;
        ws->stats.messages_received++;
    }
    return CLEAT_WS_MESSAGE;
}

int cl_ws_give(struct cleat_ws *ws, struct cleat_ws_io *io, const uint8_t *p, size_t len, bool last)
{
    if (last && !cl_ws_utf8_done(&ws->utf8)) {
        return failed(ws, CL_WS_FLAW_UTF8_END, ws->utf8.need, ws->len);
    }
    if (ws->o.stream) {
        return len != 0 || last ? message(ws, io, p, len, last) : CL_WS_GO_ON;
    }
    if (last && ws->whole.len == 0) {
        return message(ws, io, p, len, true);
    }
    if (len != 0) {
        cl_result rc = cl_ws_grow(ws->o.pool, &ws->whole, len);
        if (rc != CL_OK) {
            cl_ws_fail_code(ws, rc);
            return CLEAT_WS_FAILED;
        }
        struct cl_wr w = cl_buf_writer(&ws->whole);
        cl_wr_bytes(&w, p, len);
        cl_buf_commit(&ws->whole, &w);
    }
    if (!last) {
        return CL_WS_GO_ON;
    }
    ws->whole_shown = true;
    return message(ws, io, ws->whole.p, ws->whole.len, true);
}

static int at_data(struct cleat_ws *ws, struct cleat_ws_io *io)
{
    size_t len = io->in_len - io->in_used;
    len = len < ws->left ? len : (size_t)ws->left;
    if (len == 0 && ws->left != 0) {
        return CLEAT_WS_NEEDS_INPUT;
    }
    uint8_t *p = io->in + io->in_used;
    if (ws->frame.masked && len != 0) {
        cl_ws_mask(p, p, len, ws->frame.key, ws->frame.len - ws->left);
    }
    io->in_used += len;
    ws->left -= len;
    if (!cl_ws_check_text(ws, p, len)) {
        return CLEAT_WS_FAILED;
    }
    ws->len += len;
    ws->len_in += len;
    if (ws->left == 0) {
        ws->at = CL_WS_AT_HEAD;
    }
    return cl_ws_give(ws, io, p, len, ws->left == 0 && ws->frame.fin);
}

static int at_end(struct cleat_ws *ws, struct cleat_ws_io *io)
{
    (void)ws;
    io->in_used = io->in_len;
    return CLEAT_WS_NEEDS_INPUT;
}

/* ---- steps ------------------------------------------------------------------------------------*/

/* Takes back what the last step handed out. */
static void take_back(struct cleat_ws *ws)
{
    if (ws->whole_shown) {
        ws->whole_shown = false;
        cl_ws_drop_buf(ws->o.pool, &ws->whole);
    }
    if (ws->block_shown) {
        ws->block_shown = false;
        ws->inflater->z.next_out = ws->inflater->block;
        ws->inflater->z.avail_out = CL_WS_BLOCK;
    }
    if (ws->inflater_idle) {
        ws->inflater_idle = false;
        if (!cl_ws_keeps_inflater(ws)) {
            cl_ws_codec_give(&ws->inflater);
        }
    }
}

enum cleat_ws_next cleat_ws_step(struct cleat_ws *ws, struct cleat_ws_io *io)
{
    static int (*const states[])(struct cleat_ws *, struct cleat_ws_io *) = {
        [CL_WS_AT_HEAD] = at_head,
        [CL_WS_AT_CONTROL] = at_control,
        [CL_WS_AT_DATA] = at_data,
        [CL_WS_AT_INFLATE] = cl_ws_inflate_payload,
        [CL_WS_AT_TAIL] = cl_ws_inflate_tail,
        [CL_WS_AT_END] = at_end,
    };
    io->data = NULL;
    io->data_len = 0;
    if (io->in_len != io->in_used) {
        ws->has_seen = true;
        ws->seen_at = io->now;
    }
    if (ws->flaw == CL_WS_FLAW_NONE) {
        take_back(ws);
        int next = CL_WS_GO_ON;
        while (next == CL_WS_GO_ON) {
            next = states[ws->at](ws, io);
        }
        if (next != CLEAT_WS_FAILED) {
            return (enum cleat_ws_next)next;
        }
    }
    cl_ws_give_memory_back(ws);
    io->in_used = io->in_len;
    return CLEAT_WS_FAILED;
}
