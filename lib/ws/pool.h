/* ws/pool.h - memory that connections share: a budget, spare buffers, spare states of zlib.
 *
 * A NULL pool means the caller's own memory: no budget, nothing is kept. Everything here may fail
 * with LIMIT (the budget) or NOMEM. One thread at a time.
 */
#ifndef CL_WS_POOL_H
#define CL_WS_POOL_H

#include <zlib.h>

#include "base/buf.h"
#include "cleat/ws.h"

/* 16 KiB: what is decompressed at a time; most messages fit whole */
#define CL_WS_BLOCK 16384

/* A state of zlib, and the block that an inflater writes to. */
struct cl_ws_codec {
    z_stream z;
    struct cl_ws_codec *next;
    struct cleat_ws_pool *pool;
    size_t held;  /* bytes counted for it */
    bool refused; /* zlib asked for more than the budget has */
    uint8_t window_bits;
    uint8_t level; /* of a deflater; 0: an inflater */
    uint8_t block[];
};

/* cl_ws_codec_take gives an inflater (level 0) or a deflater of that window and level, at the
 * beginning of a stream. A deflater for 2^8 uses 2^9: see codec.c. */
CL_MUST cl_result cl_ws_codec_take(struct cleat_ws_pool *pool, uint8_t level, uint8_t window_bits,
                                   struct cl_ws_codec **out);
/* cl_ws_codec_give gives it back and sets *codec to NULL; NULL is fine. */
void cl_ws_codec_give(struct cl_ws_codec **codec);
void cl_ws_codec_free(struct cl_ws_codec *codec);

/* cl_ws_grow makes room for `extra` bytes behind b->len, beginning with a spare buffer when b has
 * none; cl_ws_drop_buf gives the buffer back: b is {0} afterwards. */
CL_MUST cl_result cl_ws_grow(struct cleat_ws_pool *pool, struct cl_buf *b, size_t extra);
void cl_ws_drop_buf(struct cleat_ws_pool *pool, struct cl_buf *b);

/* cl_ws_charge counts bytes against the budget, after having freed spare ones if that helps. LIMIT.
 */
CL_MUST cl_result cl_ws_charge(struct cleat_ws_pool *pool, size_t len);
void cl_ws_refund(struct cleat_ws_pool *pool, size_t len);

uint64_t cl_ws_budget(const struct cleat_ws_pool *pool);

#endif
