/* h2/gate.h - what a peer may make this side do: each frame's header is judged before nghttp2 sees
 * the frame (RFC 9113 10.5).
 *
 * A budget is a bucket of tokens that fills with time: a burst is fine, a rate that goes on is not.
 * Frames that come with data cost nothing here; flow control and the limits on heads hold those.
 */
#ifndef CL_H2_GATE_H
#define CL_H2_GATE_H

#include "base/bytes.h"
#include "base/result.h"

#define CL_H2_FRAME_HEAD 9

enum cl_h2_budget {
    CL_H2_RESETS, /* of streams, by the peer, or by us for what the peer did */
    CL_H2_PINGS,
    CL_H2_SETTINGS,
    CL_H2_EMPTY,      /* frames of a head or body without a byte of it */
    CL_H2_PRIORITIES, /* PRIORITY, PRIORITY_UPDATE */
    CL_H2_WINDOWS,    /* WINDOW_UPDATE */
    CL_H2_UNKNOWN,    /* types that nobody knows: RFC 9113 5.5 has them ignored */
    CL_H2_NUM_BUDGETS
};

struct cl_h2_gate {
    uint8_t preface_left; /* of a client's connection preface */
    uint8_t head[CL_H2_FRAME_HEAD];
    uint8_t head_len;
    uint8_t type, flags;  /* the frame's */
    uint32_t stream;      /* ... without the reserved bit */
    uint32_t left;        /* of the frame's payload */
    uint32_t block_len;   /* of the head that is coming in pieces, compressed */
    uint32_t num_pieces;  /* CONTINUATION frames of it */
    uint64_t block_since; /* microseconds: when it began; 0: none is coming */
    bool block_ends;      /* with this frame */
    struct {
        uint32_t tokens;
        uint64_t since; /* microseconds: when tokens were last added */
    } budgets[CL_H2_NUM_BUDGETS];
};

void cl_h2_gate_init(struct cl_h2_gate *g, bool is_server);

/* cl_h2_gate_take takes a token of a budget: false, there is none left. */
bool cl_h2_gate_take(struct cl_h2_gate *g, enum cl_h2_budget budget, uint64_t now);

/* cl_h2_gate_add gives tokens back: to WINDOWS for data that was sent. */
void cl_h2_gate_add(struct cl_h2_gate *g, enum cl_h2_budget budget, uint32_t tokens);

/* cl_h2_gate_judge looks at the complete header of the next frame. max_block: bytes that a head may
 * have compressed. LIMIT: err says which budget is used up; HTTP_SYNTAX: what it breaks. */
CL_MUST cl_result cl_h2_gate_judge(struct cl_h2_gate *g, uint32_t max_block, uint64_t now,
                                   struct cleat_error *err);

/* cl_h2_gate_done tells that a frame has come to its end. */
void cl_h2_gate_done(struct cl_h2_gate *g);

/* cl_h2_gate_tell is what the error of a used-up budget says. */
cl_result cl_h2_gate_tell(enum cl_h2_budget budget, struct cleat_error *err);

#endif
