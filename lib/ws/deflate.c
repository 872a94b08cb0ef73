/* ws/deflate.c - compressing messages (RFC 7692 7.2.1).
 *
 * The deflater is taken from the pool for one message, or kept when its context goes on. When it is
 * lost (a failure, no memory) the next message begins with an empty context, which is always
 * allowed (RFC 7692 7.1.1: the parameters bound what a compressor uses, not what it must use).
 */
#include "ws/conn.h"

/* 1 GiB: zlib counts in 32 bits */
#define MAX_AT_ONCE (1u << 30)
/* 4: what RFC 7692 7.2.1 has the sender remove, 0x00 0x00 0xff 0xff */
#define TAIL_LEN    4
/* 512: room for zlib to go on with */
#define MIN_ROOM    512

/* Runs zlib until the input is used up and, when flushing, all is out. */
static cl_result run(struct cleat_ws *ws, struct cl_buf *out, int flush)
{
    z_stream *z = &ws->deflater->z;
    do {
        /* what is likely: a third of the input; growth is by doubling */
        CL_TRY(cl_ws_grow(ws->o.pool, out, MIN_ROOM + z->avail_in / 3));
        size_t room = out->cap - out->len;
        room = room < MAX_AT_ONCE ? room : MAX_AT_ONCE;
        z->next_out = out->p + out->len;
        z->avail_out = (uInt)room;
        int rc = deflate(z, flush);
        if (rc != Z_OK && rc != Z_BUF_ERROR) {
            return CLEAT_ERR_CRYPTO;
        }
        out->len += room - z->avail_out;
    } while (z->avail_out == 0);
    return CL_OK;
}

static cl_result feed(struct cleat_ws *ws, struct cl_buf *out, struct cl_rd rest, bool whole)
{
    z_stream *z = &ws->deflater->z;
    do {
        struct cl_rd part;
        if (!cl_rd_take(&rest, rest.len < MAX_AT_ONCE ? rest.len : MAX_AT_ONCE, &part)) {
            return CLEAT_ERR_INTERNAL;
        }
        z->next_in = (z_const Bytef *)(uintptr_t)part.p;
        z->avail_in = (uInt)part.len;
        CL_TRY(run(ws, out, whole && rest.len == 0 ? Z_SYNC_FLUSH : Z_NO_FLUSH));
    } while (rest.len != 0);
    return CL_OK;
}

/* Removes the end of the message's last block. */
static cl_result cut_tail(struct cl_buf *out, size_t before)
{
    if (out->len == before) {
        /* RFC 7692 7.2.3.6: nothing at all is "an empty uncompressed DEFLATE block" without its
         * tail: 0x00 (zlib does not flush twice) */
        out->p[out->len++] = 0x00;
        return CL_OK;
    }
    if (out->len - before < TAIL_LEN) {
        return CLEAT_ERR_INTERNAL;
    }
    out->len -= TAIL_LEN;
    return CL_OK;
}

cl_result cl_ws_deflate(struct cleat_ws *ws, struct cl_buf *out, const uint8_t *p, size_t len,
                        bool whole)
{
    size_t before = out->len;
    if (ws->deflater == NULL) {
        CL_TRY(cl_ws_codec_take(ws->o.pool, ws->o.deflate_level, cl_ws_deflate_bits(ws),
                                &ws->deflater));
    }
    cl_result rc = feed(ws, out, cl_rd_of(p, len), whole);
    if (rc == CL_OK && whole) {
        rc = cut_tail(out, before);
    }
    if (rc != CL_OK || (whole && !cl_ws_keeps_deflater(ws))) {
        cl_ws_codec_give(&ws->deflater);
    }
    return rc;
}
