/* ws/conn.c - making, ending and watching a connection: options, failure, time, the end of the
 * transport (RFC 6455 7). */
#include "ws/conn.h"

#include "base/mem.h"
#include "crypto/rand.h"

/* 123: what a control frame's 125 bytes leave for a reason (RFC 6455 5.5.1) */
#define MAX_REASON  123
#define MILLISECOND 1000u

void cleat_ws_options_init(struct cleat_ws_options *o)
{
    *o = (struct cleat_ws_options){
        .max_message = 1u << 20,
        .max_frame = UINT64_MAX,
        .max_fragments = 1u << 18,
        .max_control = 1000,
        .max_ratio = 200,
        .deflate_level = 1,
        .deflate_min = 256,
        .full = CLEAT_WS_FULL_BLOCK,
        .queue_limit = 65536,
        .ping_interval = 30000,
        .pong_timeout = 20000,
        .close_timeout = 5000,
    };
}

static bool are_bits(uint8_t bits)
{
    return bits >= 8 && bits <= 15;
}

static int make(const struct cleat_ws_options *o, bool is_client, struct cleat_ws **out)
{
    *out = NULL;
    const struct cleat_ws_deflate *d = &o->deflate;
    if (d->on && (!are_bits(d->server_max_window_bits) || !are_bits(d->client_max_window_bits) ||
                  o->deflate_level < 1 || o->deflate_level > 9)) {
        return CLEAT_ERR_USAGE;
    }
    struct cleat_ws *ws = cl_calloc(1, sizeof(*ws));
    if (ws == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    ws->o = *o;
    ws->is_client = is_client;
    (void)cleat_ws_pool_ref(o->pool);
    if (o->random == NULL) {
        ws->o.random = cl_rng_system.fill;
        ws->o.random_ctx = cl_rng_system.ctx;
    }
    *out = ws;
    return CLEAT_OK;
}

int cleat_ws_server_new(const struct cleat_ws_options *o, struct cleat_ws **out)
{
    return make(o, false, out);
}

int cleat_ws_client_new(const struct cleat_ws_options *o, struct cleat_ws **out)
{
    return make(o, true, out);
}

void cl_ws_give_memory_back(struct cleat_ws *ws)
{
    ws->whole_shown = false;
    ws->block_shown = false;
    cl_ws_drop_buf(ws->o.pool, &ws->whole);
    cl_ws_codec_give(&ws->inflater);
    cl_ws_codec_give(&ws->deflater);
}

void cleat_ws_free(struct cleat_ws *ws)
{
    if (ws == NULL) {
        return;
    }
    cl_ws_give_memory_back(ws);
    cl_ws_queue_deinit(ws, &ws->data);
    cl_ws_queue_deinit(ws, &ws->control);
    cl_ws_shared_deinit(ws);
    cl_ws_drop_buf(ws->o.pool, &ws->farewell);
    cleat_ws_pool_free(ws->o.pool);
    cl_free_secret(ws, sizeof(*ws));
}

bool cl_ws_keeps_inflater(const struct cleat_ws *ws)
{
    return ws->is_client ? !ws->o.deflate.server_no_context_takeover
                         : !ws->o.deflate.client_no_context_takeover;
}

bool cl_ws_keeps_deflater(const struct cleat_ws *ws)
{
    /* a message that is dropped from the queue would be missing from the peer's context */
    if (ws->o.full == CLEAT_WS_FULL_DROP_OLDEST) {
        return false;
    }
    return ws->is_client ? !ws->o.deflate.client_no_context_takeover
                         : !ws->o.deflate.server_no_context_takeover;
}

uint8_t cl_ws_inflate_bits(const struct cleat_ws *ws)
{
    return ws->is_client ? ws->o.deflate.server_max_window_bits
                         : ws->o.deflate.client_max_window_bits;
}

uint8_t cl_ws_deflate_bits(const struct cleat_ws *ws)
{
    return ws->is_client ? ws->o.deflate.client_max_window_bits
                         : ws->o.deflate.server_max_window_bits;
}

void cl_ws_tell_frame(struct cleat_ws *ws, const struct cl_ws_head *h, bool received)
{
    uint64_t number = received ? ++ws->stats.frames_received : ++ws->stats.frames_sent;
    if (ws->o.frame == NULL) {
        return;
    }
    struct cleat_ws_frame frame = {
        .received = received,
        .fin = h->fin,
        .masked = h->masked,
        .rsv = h->rsv,
        .opcode = h->opcode,
        .len = h->len,
        .number = number,
    };
    ws->o.frame(ws->o.frame_ctx, &frame);
}

void cl_ws_fail(struct cleat_ws *ws, enum cl_ws_flaw flaw, uint64_t a, uint64_t b)
{
    if (ws->flaw != CL_WS_FLAW_NONE) {
        return;
    }
    ws->flaw = (uint8_t)flaw;
    ws->flaw_frame = ws->at != CL_WS_AT_END && cl_ws_flaw_code(flaw) <= CLEAT_ERR_WS_PROTOCOL &&
                             cl_ws_flaw_code(flaw) >= CLEAT_ERR_WS_POLICY
                         ? ws->stats.frames_received
                         : 0;
    ws->flaw_values[0] = a;
    ws->flaw_values[1] = b;
    /* Answers to what was right are still sent: whether they had gone before the peer's mistake
     * came would else be a matter of how the bytes were cut. */
    if (!cl_ws_flaw_is_the_peers(flaw)) {
        cl_ws_discard(ws);
    }
    if (!ws->whole_shown && !ws->block_shown) {
        cl_ws_give_memory_back(ws);
    }
    uint16_t code = cl_ws_flaw_close(flaw);
    if (code != 0 && !ws->close_queued) {
        struct cleat_error why;
        (void)cleat_ws_error(ws, &why);
        size_t len = strlen(why.text);
        ws->close_wanted = false;
        /* short of memory the transport is closed without a word */
        cl_result rc = cl_ws_put_close(ws, code, why.text, len < MAX_REASON ? len : MAX_REASON);
        (void)rc;
    }
}

void cl_ws_fail_code(struct cleat_ws *ws, cl_result rc)
{
    switch ((int)rc) {
    case CLEAT_ERR_LIMIT:
        cl_ws_fail(ws, CL_WS_FLAW_BUDGET, cl_ws_budget(ws->o.pool), 0);
        return;
    case CLEAT_ERR_NOMEM:
        cl_ws_fail(ws, CL_WS_FLAW_NOMEM, 0, 0);
        return;
    case CLEAT_ERR_RANDOM:
        cl_ws_fail(ws, CL_WS_FLAW_RANDOM, 0, 0);
        return;
    default:
        cl_ws_fail(ws, CL_WS_FLAW_ZLIB, 0, 0);
        return;
    }
}

int cleat_ws_error(const struct cleat_ws *ws, struct cleat_error *out)
{
    *out = (struct cleat_error){0};
    if (ws->flaw != CL_WS_FLAW_NONE) {
        cl_ws_flaw_tell((enum cl_ws_flaw)ws->flaw, ws->flaw_frame, ws->flaw_values, out);
    }
    return out->code;
}

uint16_t cleat_ws_failure_code(const struct cleat_ws *ws)
{
    if (ws->flaw == CL_WS_FLAW_NONE) {
        return 0;
    }
    uint16_t code = cl_ws_flaw_close((enum cl_ws_flaw)ws->flaw);
    return code != 0 ? code : CLEAT_WS_ABNORMAL;
}

enum cleat_ws_state cleat_ws_state(const struct cleat_ws *ws)
{
    if (ws->flaw != CL_WS_FLAW_NONE) {
        return CLEAT_WS_BROKEN;
    }
    if (ws->close_received && ws->close_wanted) {
        return CLEAT_WS_CLOSED;
    }
    return ws->close_received || ws->close_wanted ? CLEAT_WS_CLOSING : CLEAT_WS_OPEN;
}

void cleat_ws_stats(const struct cleat_ws *ws, struct cleat_ws_stats *out)
{
    *out = ws->stats;
}

int cleat_ws_eof(struct cleat_ws *ws)
{
    if (ws->flaw == CL_WS_FLAW_NONE) {
        bool answered = ws->close_wanted;
        if (ws->close_received && answered && cleat_ws_queued(ws) == 0) {
            return CLEAT_OK;
        }
        cl_ws_fail(ws, answered ? CL_WS_FLAW_UNCLEAN_CLOSING : CL_WS_FLAW_UNCLEAN, 0, 0);
    } else {
        cl_ws_discard(ws);
    }
    return (int)cl_ws_flaw_code((enum cl_ws_flaw)ws->flaw);
}

int cleat_ws_close(struct cleat_ws *ws, uint64_t now, uint16_t code, const char *reason,
                   size_t reason_len)
{
    struct cl_ws_utf8 utf8 = {0};
    if (ws->flaw != CL_WS_FLAW_NONE || ws->close_wanted) {
        return CLEAT_ERR_CLOSED;
    }
    if (ws->piece_kind != 0 || reason_len > MAX_REASON ||
        (code == CLEAT_WS_NO_STATUS ? reason_len != 0 : !cleat_ws_code_may_be_sent(code)) ||
        cl_ws_utf8_feed(&utf8, (const uint8_t *)reason, reason_len) != reason_len ||
        !cl_ws_utf8_done(&utf8)) {
        return CLEAT_ERR_USAGE;
    }
    CL_TRY(cl_ws_put_close(ws, code, reason, reason_len));
    ws->close_at = now;
    return CLEAT_OK;
}

int cleat_ws_ping(struct cleat_ws *ws, uint64_t now, const void *data, size_t len)
{
    uint8_t own[8];
    struct cl_wr w = cl_wr_of(own, sizeof(own));
    if (ws->flaw != CL_WS_FLAW_NONE || ws->close_wanted) {
        return CLEAT_ERR_CLOSED;
    }
    if (len > CL_WS_MAX_CONTROL) {
        return CLEAT_ERR_USAGE;
    }
    if (data == NULL) {
        cl_wr_u64(&w, ws->num_pings + 1);
        data = own;
        len = sizeof(own);
    }
    struct cl_ws_head head = {.len = len, .opcode = CL_WS_OP_PING, .fin = true};
    cl_result rc = cl_ws_put(ws, &ws->control, head, data);
    if (rc != CL_OK) {
        return rc == CLEAT_ERR_LIMIT ? CLEAT_ERR_WS_QUEUE_FULL : rc;
    }
    if (data == own) {
        ws->num_pings++;
        ws->ping_open = true;
        ws->ping_at = now;
    }
    return CLEAT_OK;
}

static uint64_t after(uint64_t start, uint32_t milliseconds)
{
    return start + (uint64_t)milliseconds * MILLISECOND;
}

/* When the peer is given up, UINT64_MAX for never, and with which words. */
static uint64_t patience(const struct cleat_ws *ws, enum cl_ws_flaw *flaw, uint32_t *limit)
{
    if (ws->close_wanted && !ws->close_received) {
        *flaw = CL_WS_FLAW_CLOSE_LATE;
        *limit = ws->o.close_timeout;
        return *limit != 0 ? after(ws->close_at, *limit) : UINT64_MAX;
    }
    *flaw = CL_WS_FLAW_PONG_LATE;
    *limit = ws->o.pong_timeout;
    if (!ws->ping_open || *limit == 0 || ws->close_received) {
        return UINT64_MAX;
    }
    /* whatever arrives is a sign of life: the pong may have to wait behind a large message */
    return after(ws->seen_at > ws->ping_at ? ws->seen_at : ws->ping_at, *limit);
}

int cleat_ws_tick(struct cleat_ws *ws, uint64_t now, uint64_t *out_next)
{
    uint64_t next = UINT64_MAX;
    enum cl_ws_flaw flaw;
    uint32_t limit;
    int rc = CLEAT_OK;
    if (ws->flaw != CL_WS_FLAW_NONE) {
        goto out;
    }
    if (!ws->has_seen) {
        ws->has_seen = true;
        ws->seen_at = now;
    }
    next = patience(ws, &flaw, &limit);
    if (now >= next) {
        cl_ws_fail(ws, flaw, limit, 0);
        next = UINT64_MAX;
        rc = (int)cl_ws_flaw_code(flaw);
        goto out;
    }
    if (ws->o.ping_interval != 0 && !ws->ping_open && !ws->close_wanted && !ws->close_received) {
        uint64_t due = after(ws->seen_at, ws->o.ping_interval);
        if (now >= due) {
            /* short of memory: the next call tries again */
            (void)cleat_ws_ping(ws, now, NULL, 0);
            due = after(now, ws->o.pong_timeout != 0 ? ws->o.pong_timeout : ws->o.ping_interval);
        }
        next = due < next ? due : next;
    }
out:
    if (out_next != NULL) {
        *out_next = next;
    }
    return rc;
}
