/* ws/conn.h - a connection, for the files that share it: conn.c makes, ends and watches it, input.c
 * reads, inflate.c decompresses, output.c queues, deflate.c compresses.
 *
 * Invariants: `flaw` is set once, by cl_ws_fail, and nothing is read or queued afterwards. A queue
 * begins with a frame, or with the `partial` last bytes of one; once a shared frame has begun, none
 * of the connection's own is in front of it. Data frames leave in the order in
 * which they came; control frames go in front of them, but never into a frame; the close frame is
 * the last. A view that was handed out is kept until the next step.
 */
#ifndef CL_WS_CONN_H
#define CL_WS_CONN_H

#include "ws/frame.h"
#include "ws/pool.h"
#include "ws/shared.h"
#include "ws/utf8.h"

/* What waits to be sent: whole frames as they go on the wire. */
struct cl_ws_queue {
    struct cl_buf buf;
    size_t head;      /* what is before it has been sent */
    uint64_t partial; /* bytes at the head that end a frame whose beginning has been sent */
};

enum cl_ws_at {
    CL_WS_AT_HEAD,
    CL_WS_AT_CONTROL,
    CL_WS_AT_DATA,
    CL_WS_AT_INFLATE, /* the payload of a frame of a compressed message */
    CL_WS_AT_TAIL,    /* behind the last one: what its sender left out */
    CL_WS_AT_END,     /* a close frame has come: the rest is ignored */
};

struct cleat_ws {
    struct cleat_ws_options o;
    struct cleat_ws_stats stats;
    bool is_client;

    uint8_t flaw; /* enum cl_ws_flaw */
    bool close_wanted, close_queued, close_received;
    uint64_t flaw_frame;
    uint64_t flaw_values[2];

    /* reading: the frame */
    uint8_t at; /* enum cl_ws_at */
    uint8_t num_small;
    union {
        uint8_t head[CL_WS_MAX_HEAD];
        uint8_t control[CL_WS_MAX_CONTROL];
    } small; /* what may come in pieces and is wanted whole: num_small bytes */
    struct cl_ws_head frame;
    uint64_t left; /* of the frame's payload */
    size_t plain;  /* bytes at the front of the input that are unmasked already */

    /* reading: the message */
    uint8_t kind; /* its opcode; 0: none has begun */
    bool compressed;
    bool given; /* a piece of it was handed out */
    struct cl_ws_utf8 utf8;
    uint32_t num_fragments, num_empty;
    uint64_t len;    /* of the payload so far, decompressed */
    uint64_t len_in; /* the same as received */
    struct cl_buf whole;
    struct cl_ws_codec *inflater;
    bool whole_shown, block_shown;
    bool inflater_full; /* the block was too small for what zlib had to tell */
    bool inflater_idle;

    /* sending */
    struct cl_ws_queue data, control;
    struct cl_ws_shared shared; /* behind data */
    struct cl_buf farewell;     /* our close frame, until it is queued */
    bool showing_control;
    bool showing_shared;
    struct cl_ws_codec *deflater;
    uint8_t piece_kind; /* of the message of cleat_ws_send_piece; 0: none */
    bool piece_begun;   /* its first frame is queued */
    bool piece_compressed;
    struct cl_ws_utf8 piece_utf8;

    /* time, in microseconds */
    bool has_seen, ping_open;
    uint64_t seen_at, ping_at, close_at;
    uint64_t num_pings;
    uint64_t control_since;
    uint32_t num_control;
};

/* cl_ws_fail ends the connection, unless it has failed before: drops what is queued (unless the
 * mistake is the peer's), queues the close frame that the flaw asks for, gives memory back, but for
 * a view that the caller still has.
 */
void cl_ws_fail(struct cleat_ws *ws, enum cl_ws_flaw flaw, uint64_t a, uint64_t b);

/* cl_ws_give_memory_back ends what the reader and the compressor hold, views that were handed out
 * too. */
void cl_ws_give_memory_back(struct cleat_ws *ws);

/* cl_ws_fail_code is cl_ws_fail for a result of pool.h. */
void cl_ws_fail_code(struct cleat_ws *ws, cl_result rc);

/* cl_ws_tell_frame tells the application's function of a frame. */
void cl_ws_tell_frame(struct cleat_ws *ws, const struct cl_ws_head *h, bool received);

/* Parameters of the two directions (RFC 7692 7.1). */
bool cl_ws_keeps_inflater(const struct cleat_ws *ws);
bool cl_ws_keeps_deflater(const struct cleat_ws *ws);
uint8_t cl_ws_inflate_bits(const struct cleat_ws *ws);
uint8_t cl_ws_deflate_bits(const struct cleat_ws *ws);

/* ---- input.c, inflate.c -----------------------------------------------------------------------
 */

/* What the states of the reader return beside enum cleat_ws_next: nothing to tell yet. */
#define CL_WS_GO_ON (-1)

/* cl_ws_check_text checks the next bytes of a text message as they will be handed out. False: the
 * connection has failed. */
CL_RD_MUST bool cl_ws_check_text(struct cleat_ws *ws, const uint8_t *p, size_t len);

/* cl_ws_give hands out bytes of the message, or keeps them until it is whole. */
int cl_ws_give(struct cleat_ws *ws, struct cleat_ws_io *io, const uint8_t *p, size_t len,
               bool last);

/* cl_ws_inflate_begin takes an inflater for the message that begins. False: failed. */
CL_RD_MUST bool cl_ws_inflate_begin(struct cleat_ws *ws);
int cl_ws_inflate_payload(struct cleat_ws *ws, struct cleat_ws_io *io);
int cl_ws_inflate_tail(struct cleat_ws *ws, struct cleat_ws_io *io);

/* ---- output.c, deflate.c ----------------------------------------------------------------------
 */

/* cl_ws_put appends a frame to a queue. NOMEM, LIMIT, RANDOM; the queue is unchanged then. */
CL_MUST cl_result cl_ws_put(struct cleat_ws *ws, struct cl_ws_queue *q, struct cl_ws_head head,
                            const uint8_t *payload);

/* cl_ws_put_pong queues a pong, or, when too many wait, takes the place of those. */
void cl_ws_put_pong(struct cleat_ws *ws, const uint8_t *payload, size_t len);

/* cl_ws_put_close makes the close frame wait for the end of the data. code 1005: an empty one. */
CL_MUST cl_result cl_ws_put_close(struct cleat_ws *ws, uint16_t code, const char *reason,
                                  size_t reason_len);

/* cl_ws_make_room makes room for `need` bytes by the policy: CLEAT_OK, CLEAT_WS_DROPPED, or
 * WS_QUEUE_FULL. */
int cl_ws_make_room(struct cleat_ws *ws, size_t need);

/* cl_ws_discard drops every frame of the queues that was not begun. */
void cl_ws_discard(struct cleat_ws *ws);
void cl_ws_queue_deinit(struct cleat_ws *ws, struct cl_ws_queue *q);

/* cl_ws_deflate compresses bytes of a message onto the end of out; whole: the message ends with
 * them. LIMIT, NOMEM, CRYPTO: the deflater is gone, and with it its context. */
CL_MUST cl_result cl_ws_deflate(struct cleat_ws *ws, struct cl_buf *out, const uint8_t *p,
                                size_t len, bool whole);

#endif
