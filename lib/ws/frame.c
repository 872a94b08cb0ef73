/* ws/frame.c - see frame.h. */
#include "ws/frame.h"

#define FIN    0x80
#define MASKED 0x80
/* What the 7 bits say when 16 or 64 bits follow. */
#define LEN_16 126
#define LEN_64 127

size_t cl_ws_head_size(uint8_t second)
{
    size_t size = (second & MASKED) != 0 ? 6 : 2;
    switch (second & 0x7f) {
    case LEN_16:
        return size + 2;
    case LEN_64:
        return size + 8;
    default:
        return size;
    }
}

enum cl_ws_flaw cl_ws_head_begin(uint8_t first, uint8_t second, struct cl_ws_head *out)
{
    *out = (struct cl_ws_head){
        .len = second & 0x7f,
        .opcode = first & 0x0f,
        .rsv = first >> 4 & 7,
        .fin = (first & FIN) != 0,
        .masked = (second & MASKED) != 0,
    };
    /* RFC 6455 5.2: "If an unknown opcode is received, the receiving endpoint MUST _Fail the
     * WebSocket Connection_." */
    if (out->opcode > CL_WS_OP_PONG ||
        (out->opcode > CL_WS_OP_BINARY && out->opcode < CL_WS_OP_CLOSE)) {
        return CL_WS_FLAW_OPCODE;
    }
    /* RFC 6455 5.5: "All control frames MUST have a payload length of 125 bytes or less and MUST
     * NOT be fragmented." */
    if (cl_ws_is_control(out->opcode) && !out->fin) {
        return CL_WS_FLAW_CONTROL_FRAGMENT;
    }
    if (cl_ws_is_control(out->opcode) && out->len > CL_WS_MAX_CONTROL) {
        return CL_WS_FLAW_CONTROL_LONG;
    }
    return CL_WS_FLAW_NONE;
}

enum cl_ws_flaw cl_ws_head_parse(struct cl_rd *r, struct cl_ws_head *out)
{
    uint8_t first;
    uint8_t second;
    uint16_t len16;
    if (!cl_rd_u8(r, &first) || !cl_rd_u8(r, &second)) {
        return CL_WS_FLAW_INTERNAL;
    }
    enum cl_ws_flaw flaw = cl_ws_head_begin(first, second, out);
    if (flaw != CL_WS_FLAW_NONE) {
        return flaw;
    }
    uint64_t least = 0;
    if (out->len == LEN_16 && cl_rd_u16(r, &len16)) {
        out->len = len16;
        least = LEN_16;
    } else if (out->len == LEN_64 && cl_rd_u64(r, &out->len)) {
        least = 0x10000;
    }
    if (out->masked && !cl_rd_copy(r, out->key, sizeof(out->key))) {
        return CL_WS_FLAW_INTERNAL;
    }
    /* RFC 6455 5.2: "the most significant bit MUST be 0" */
    if (out->len >> 63 != 0) {
        return CL_WS_FLAW_LENGTH_SIGN;
    }
    /* RFC 6455 5.2: "the minimal number of bytes MUST be used to encode the length" */
    return out->len < least ? CL_WS_FLAW_NOT_MINIMAL : CL_WS_FLAW_NONE;
}

void cl_ws_head_build(struct cl_wr *w, const struct cl_ws_head *h)
{
    uint8_t mask = h->masked ? MASKED : 0;
    cl_wr_u8(w, (uint8_t)((h->fin ? FIN : 0) | h->rsv << 4 | h->opcode));
    if (h->len < LEN_16) {
        cl_wr_u8(w, (uint8_t)(mask | h->len));
    } else if (h->len <= UINT16_MAX) {
        cl_wr_u8(w, mask | LEN_16);
        cl_wr_u16(w, (uint16_t)h->len);
    } else {
        cl_wr_u8(w, mask | LEN_64);
        cl_wr_u64(w, h->len);
    }
    if (h->masked) {
        cl_wr_bytes(w, h->key, sizeof(h->key));
    }
}
