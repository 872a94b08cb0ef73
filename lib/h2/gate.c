/* h2/gate.c - see gate.h. */
#include "h2/gate.h"

#include <nghttp2/nghttp2.h>

/* RFC 9113 3.4: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" */
#define PREFACE_LEN     24
/* 8: 16 KiB each; a head that is within its limit fits into one or two */
#define MAX_PIECES      8
/* RFC 9113 4.1: the bit in front is reserved, and ignored */
#define STREAM_MASK     0x7fffffffu
/* RFC 9218 7.1 */
#define PRIORITY_UPDATE 0x10

/* A bucket holds `burst` tokens and gains `rate` a second. */
static const struct budget {
    uint32_t burst, rate;
    const char *what, *hint;
} budgets[CL_H2_NUM_BUDGETS] = {
    /* A page that is left cancels what it was loading, 100 streams at once, and soon the next. */
    [CL_H2_RESETS] =
        {200, 33, "streams that end by a reset",
         "CVE-2023-44487 (rapid reset) and CVE-2025-8671 (MadeYouReset) look like this"},
    /* Clients measure with one a second at most; libraries for RPC with one a BDP probe. */
    [CL_H2_PINGS] = {100, 10, "PING frames", "one a second suffices to keep a connection alive"},
    [CL_H2_SETTINGS] = {20, 1, "SETTINGS frames", "they are sent once, and when something changes"},
    [CL_H2_EMPTY] = {100, 10, "frames of a head or body that are empty", "CVE-2019-9518"},
    /* Some clients sent a tree of a few hundred; browsers send an update or two a stream. */
    [CL_H2_PRIORITIES] = {1000, 100, "frames about priority", "CVE-2019-9513"},
    /* Each says that something was read: for the data that we send, tokens are added. */
    [CL_H2_WINDOWS] = {1000, 100, "WINDOW_UPDATE frames",
                       "many small updates cost more than the data that they are for"},
    [CL_H2_UNKNOWN] = {100, 10, "frames of types that nobody knows", NULL},
};

void cl_h2_gate_init(struct cl_h2_gate *g, bool is_server)
{
    *g = (struct cl_h2_gate){.preface_left = is_server ? PREFACE_LEN : 0};
    for (int i = 0; i < CL_H2_NUM_BUDGETS; i++) {
        g->budgets[i].tokens = budgets[i].burst;
    }
}

void cl_h2_gate_add(struct cl_h2_gate *g, enum cl_h2_budget budget, uint32_t tokens)
{
    const uint32_t room = budgets[budget].burst - g->budgets[budget].tokens;
    g->budgets[budget].tokens += tokens < room ? tokens : room;
}

bool cl_h2_gate_take(struct cl_h2_gate *g, enum cl_h2_budget budget, uint64_t now)
{
    const uint64_t each = 1000000 / budgets[budget].rate;
    if (g->budgets[budget].since == 0 || now < g->budgets[budget].since) {
        g->budgets[budget].since = now;
    }
    const uint64_t gained = (now - g->budgets[budget].since) / each;
    if (gained > 0) {
        cl_h2_gate_add(g, budget, gained < UINT32_MAX ? (uint32_t)gained : UINT32_MAX);
        g->budgets[budget].since += gained * each;
    }
    if (g->budgets[budget].tokens == 0) {
        return false;
    }
    g->budgets[budget].tokens--;
    return true;
}

cl_result cl_h2_gate_tell(enum cl_h2_budget budget, struct cleat_error *err)
{
    const struct budget *b = &budgets[budget];
    const struct cl_why why = {CLEAT_ERR_LIMIT, 0, "RFC 9113 10.5", b->hint};
    return cl_error_set(err, why, "too many %s: more than %u at once and %u a second", b->what,
                        (unsigned)b->burst, (unsigned)b->rate);
}

/* The budget that a frame is taken from; CL_H2_NUM_BUDGETS: none. */
static enum cl_h2_budget budget_of(uint8_t type, uint8_t flags, uint32_t len)
{
    switch (type) {
    case NGHTTP2_DATA: /* empty: with END_STREAM it says something */
        return len == 0 && (flags & NGHTTP2_FLAG_END_STREAM) == 0 ? CL_H2_EMPTY : CL_H2_NUM_BUDGETS;
    case NGHTTP2_HEADERS:
    case NGHTTP2_CONTINUATION:
        return len == 0 ? CL_H2_EMPTY : CL_H2_NUM_BUDGETS;
    case NGHTTP2_RST_STREAM:
        return CL_H2_RESETS;
    case NGHTTP2_PING:
        return CL_H2_PINGS;
    case NGHTTP2_SETTINGS:
        return CL_H2_SETTINGS;
    case NGHTTP2_PRIORITY:
    case PRIORITY_UPDATE:
        return CL_H2_PRIORITIES;
    case NGHTTP2_WINDOW_UPDATE:
        return CL_H2_WINDOWS;
    case NGHTTP2_PUSH_PROMISE: /* an error, which nghttp2 tells */
    case NGHTTP2_GOAWAY:
        return CL_H2_NUM_BUDGETS;
    default:
        return CL_H2_UNKNOWN;
    }
}

/* The size of a head in pieces: CVE-2024-27316 and its relatives send CONTINUATION without end. */
static cl_result judge_block(struct cl_h2_gate *g, uint8_t type, uint32_t len, uint32_t max_block,
                             uint64_t now, struct cleat_error *err)
{
    const struct cl_why why = {CLEAT_ERR_LIMIT, 0, "RFC 9113 10.5.1", NULL};
    if (type == NGHTTP2_HEADERS) {
        g->block_len = 0;
        g->num_pieces = 0;
        g->block_since = now;
    } else if (type != NGHTTP2_CONTINUATION) {
        return CL_OK;
    }
    g->block_len += len;
    g->num_pieces += type == NGHTTP2_CONTINUATION;
    if (g->num_pieces > MAX_PIECES) {
        return cl_error_set(err, why, "a head in more than %d CONTINUATION frames", MAX_PIECES);
    }
    if (g->block_len > max_block) {
        return cl_error_set(err, why, "a head of at least %u bytes, compressed; limit %u",
                            (unsigned)g->block_len, (unsigned)max_block);
    }
    return CL_OK;
}

cl_result cl_h2_gate_judge(struct cl_h2_gate *g, uint32_t max_block, uint64_t now,
                           struct cleat_error *err)
{
    struct cl_rd r = cl_rd_of(g->head, CL_H2_FRAME_HEAD);
    if (!cl_rd_u24(&r, &g->left) || !cl_rd_u8(&r, &g->type) || !cl_rd_u8(&r, &g->flags) ||
        !cl_rd_u32(&r, &g->stream)) {
        return CLEAT_ERR_INTERNAL;
    }
    const uint8_t type = g->type, flags = g->flags;
    g->stream &= STREAM_MASK;
    if (type == NGHTTP2_PRIORITY && g->stream == 0) { /* which nghttp2 would skip */
        const struct cl_why why = {CLEAT_ERR_HTTP_SYNTAX, 0, "RFC 9113 6.3", NULL};
        return cl_error_set(err, why, "a PRIORITY frame that is for no stream");
    }
    const enum cl_h2_budget budget = budget_of(type, flags, g->left);
    if (budget != CL_H2_NUM_BUDGETS && !cl_h2_gate_take(g, budget, now)) {
        return cl_h2_gate_tell(budget, err);
    }
    g->block_ends = (type == NGHTTP2_HEADERS || type == NGHTTP2_CONTINUATION) &&
                    (flags & NGHTTP2_FLAG_END_HEADERS) != 0;
    return judge_block(g, type, g->left, max_block, now, err);
}

void cl_h2_gate_done(struct cl_h2_gate *g)
{
    if (g->block_ends) {
        g->block_since = 0;
        g->block_ends = false;
    }
}
