/* h2/closed.h - which of a client's streams have ended, and how: what frames that come all the same
 * are (RFC 9113 5.1, 5.1.1). nghttp2 ignores them all.
 *
 * A stream is not remembered for ever: where it is forgotten how it ended, frames are let through,
 * to be ignored. So a peer that is slow is never taken for one that breaks the rules.
 */
#ifndef CL_H2_CLOSED_H
#define CL_H2_CLOSED_H

#include <stdbool.h>
#include <stdint.h>

/* 16: 64 bytes a connection; a page that is left may reset more at once, and then the judgement of
 * the streams before them is as mild as if we had reset them all */
#define CL_H2_NUM_RESET 16

struct cl_h2_closed {
    uint32_t next; /* the smallest number that the client has not used */
    uint32_t gap,
        used;      /* of those before, gap up to used were skipped; all from used on were not */
    uint32_t last; /* in our GOAWAY: what the client opens beyond is not looked at */
    uint32_t forgotten; /* up to this stream it is not known how they ended */
    uint32_t
        resets[CL_H2_NUM_RESET]; /* streams that ended by a reset, with a flag; 0: a free place */
};

enum cl_h2_verdict {
    CL_H2_PASSES,        /* to nghttp2, which may ignore it or know worse */
    CL_H2_RESETS_STREAM, /* STREAM_CLOSED for the stream: the peer had reset it itself */
    CL_H2_IS_CLOSED,     /* STREAM_CLOSED for the connection: the peer had ended it */
    CL_H2_GOES_BACK, /* PROTOCOL_ERROR: a new stream, numbered below the last (RFC 9113 5.1.1) */
};

void cl_h2_closed_init(struct cl_h2_closed *c);

/* cl_h2_closed_open tells that the client opens a stream; of one that it has used, it is ignored.
 */
void cl_h2_closed_open(struct cl_h2_closed *c, uint32_t stream);

/* cl_h2_closed_reset tells that we have reset a stream whose peer had not ended it: what is on its
 * way still comes. */
void cl_h2_closed_reset(struct cl_h2_closed *c, uint32_t stream);

/* cl_h2_closed_judge looks at a frame that the peer sends. remote_close: what nghttp2 says, 0: it
 * is open for the peer, 1: the peer has ended it, -1: nghttp2 does not know it any more. */
enum cl_h2_verdict cl_h2_closed_judge(struct cl_h2_closed *c, uint8_t type, uint8_t flags,
                                      uint32_t stream, int remote_close);

#endif
