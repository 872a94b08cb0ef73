/* ws/frame.h - frame headers (RFC 6455 5.2): bytes from and to a struct. What they mean for a
 * connection is input.c's business. */
#ifndef CL_WS_FRAME_H
#define CL_WS_FRAME_H

#include "base/bytes.h"
#include "ws/flaw.h"

enum {
    CL_WS_OP_CONTINUATION = 0,
    CL_WS_OP_TEXT = 1,
    CL_WS_OP_BINARY = 2,
    CL_WS_OP_CLOSE = 8,
    CL_WS_OP_PING = 9,
    CL_WS_OP_PONG = 10,
};

#define CL_WS_RSV1        4
/* 14 = 2 + 8 + 4: with a 64-bit length and a masking key */
#define CL_WS_MAX_HEAD    14
/* RFC 6455 5.5 */
#define CL_WS_MAX_CONTROL 125

struct cl_ws_head {
    uint64_t len;
    uint8_t key[4];
    uint8_t opcode;
    uint8_t rsv;
    bool fin;
    bool masked;
};

static inline bool cl_ws_is_control(uint8_t opcode)
{
    return opcode >= CL_WS_OP_CLOSE;
}

/* cl_ws_head_size tells from the second byte of a header how long the header is. */
size_t cl_ws_head_size(uint8_t second);

/* cl_ws_head_begin reads the first two bytes, and checks what can be seen from them alone: known
 * opcode, control frames whole and short. out->len is as written in 7 bits. */
enum cl_ws_flaw cl_ws_head_begin(uint8_t first, uint8_t second, struct cl_ws_head *out);

/* cl_ws_head_parse reads a whole header of cl_ws_head_size bytes, and checks that its length is
 * minimal. It takes it off the reader. */
enum cl_ws_flaw cl_ws_head_parse(struct cl_rd *r, struct cl_ws_head *out);

/* cl_ws_head_build writes a header. */
void cl_ws_head_build(struct cl_wr *w, const struct cl_ws_head *h);

#endif
