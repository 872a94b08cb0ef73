/* ws/flaw.h - every way in which a connection fails: its error code, the close code that the peer
 * is sent, the section, a sentence with up to two values, a hint.
 *
 * A connection keeps a pointer to the row and the values; the text is made when somebody asks.
 */
#ifndef CL_WS_FLAW_H
#define CL_WS_FLAW_H

#include "base/result.h"

enum cl_ws_flaw {
    CL_WS_FLAW_NONE,
    /* in what the peer has sent: up to NO_BINARY */
    CL_WS_FLAW_RSV,
    CL_WS_FLAW_RSV1_CONTINUED,
    CL_WS_FLAW_RSV1_CONTROL,
    CL_WS_FLAW_OPCODE,
    CL_WS_FLAW_CONTROL_FRAGMENT,
    CL_WS_FLAW_CONTROL_LONG,
    CL_WS_FLAW_NOTHING_TO_CONTINUE,
    CL_WS_FLAW_NOT_CONTINUED,
    CL_WS_FLAW_UNMASKED,
    CL_WS_FLAW_MASKED,
    CL_WS_FLAW_NOT_MINIMAL,
    CL_WS_FLAW_LENGTH_SIGN,
    CL_WS_FLAW_CLOSE_SHORT,
    CL_WS_FLAW_CLOSE_CODE,
    CL_WS_FLAW_CLOSE_UTF8,
    CL_WS_FLAW_UTF8,
    CL_WS_FLAW_UTF8_END,
    CL_WS_FLAW_FRAME_SIZE,
    CL_WS_FLAW_MESSAGE_SIZE,
    CL_WS_FLAW_FRAGMENTS,
    CL_WS_FLAW_EMPTY_FRAGMENTS,
    CL_WS_FLAW_CONTROL_FLOOD,
    CL_WS_FLAW_DEFLATE_DATA,
    CL_WS_FLAW_DEFLATE_END,
    CL_WS_FLAW_DEFLATE_RATIO,
    CL_WS_FLAW_NO_TEXT,
    CL_WS_FLAW_NO_BINARY,
    /* ours, or the transport's */
    CL_WS_FLAW_BUDGET,
    CL_WS_FLAW_NOMEM,
    CL_WS_FLAW_RANDOM,
    CL_WS_FLAW_ZLIB,
    CL_WS_FLAW_QUEUE,
    CL_WS_FLAW_PONG_LATE,
    CL_WS_FLAW_CLOSE_LATE,
    CL_WS_FLAW_UNCLEAN,
    CL_WS_FLAW_UNCLEAN_CLOSING,
    CL_WS_FLAW_INTERNAL,
};

/* cl_ws_flaw_code returns the error's code, cl_ws_flaw_close the close code for the peer, 0 when
 * there is nobody to tell. */
cl_result cl_ws_flaw_code(enum cl_ws_flaw flaw);
uint16_t cl_ws_flaw_close(enum cl_ws_flaw flaw);

/* cl_ws_flaw_is_the_peers tells whether it lies in what the peer has sent. */
static inline bool cl_ws_flaw_is_the_peers(enum cl_ws_flaw flaw)
{
    return flaw >= CL_WS_FLAW_RSV && flaw <= CL_WS_FLAW_NO_BINARY;
}

/* cl_ws_flaw_tell fills *e. frame: the number of the frame in which it was found, 0 for none. */
void cl_ws_flaw_tell(enum cl_ws_flaw flaw, uint64_t frame, const uint64_t values[2],
                     struct cleat_error *e);

#endif
