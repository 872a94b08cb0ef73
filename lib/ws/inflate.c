/* ws/inflate.c - decompressing messages (RFC 7692 7.2.2), a block of CL_WS_BLOCK bytes at a time.
 *
 * Never trusts a length: what comes out is counted against the limits after every block, so that a
 * bomb costs one block more than what is allowed.
 */
#include "base/mem.h"
#include "ws/conn.h"
#include "ws/mask.h"

/* 256 KiB: what any message may grow to, whatever it was compressed from */
#define RATIO_FREE  (256u << 10)
/* 1 GiB: zlib counts in 32 bits */
#define MAX_AT_ONCE (1u << 30)

/* RFC 7692 7.2.2: "Append 4 octets of 0x00 0x00 0xff 0xff to the tail end of the payload" */
static const uint8_t tail[4] = {0x00, 0x00, 0xff, 0xff};

/* zlib.h, inflate(): data_type has 128 "if inflate() returned immediately after decoding an
 * end-of-block code", the number of unused bits below */
#define AT_BLOCK_END 128

bool cl_ws_inflate_begin(struct cleat_ws *ws)
{
    ws->plain = 0;
    ws->inflater_full = false;
    if (ws->inflater == NULL) {
        cl_result rc = cl_ws_codec_take(ws->o.pool, 0, cl_ws_inflate_bits(ws), &ws->inflater);
        if (rc != CL_OK) {
            cl_ws_fail_code(ws, rc);
            return false;
        }
    }
    ws->inflater->z.next_out = ws->inflater->block;
    ws->inflater->z.avail_out = CL_WS_BLOCK;
    return true;
}

/* A block with BFINAL ended the stream; the next one may refer to it (RFC 7692 7.2.3.4, 7.2.3.3).
 */
static cl_result begin_again(struct cl_ws_codec *codec)
{
    uInt len = 32768;
    uint8_t *window = cl_alloc(len);
    if (window == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    cl_result rc = CLEAT_ERR_CRYPTO;
    if (inflateGetDictionary(&codec->z, window, &len) == Z_OK && inflateReset(&codec->z) == Z_OK &&
        (len == 0 || inflateSetDictionary(&codec->z, window, len) == Z_OK)) {
        rc = CL_OK;
    }
    cl_free_secret(window, 32768);
    return rc;
}

static bool limits_hold(struct cleat_ws *ws)
{
    if (ws->len > ws->o.max_message) {
        cl_ws_fail(ws, CL_WS_FLAW_MESSAGE_SIZE, ws->len, ws->o.max_message);
        return false;
    }
    if (ws->o.max_ratio != 0 && ws->len > RATIO_FREE && ws->len / ws->o.max_ratio > ws->len_in) {
        cl_ws_fail(ws, CL_WS_FLAW_DEFLATE_RATIO, ws->len_in, ws->len - 1);
        return false;
    }
    return true;
}

/* Runs zlib over what z.next_in has until that is used up or the block is full. Z_OK, or
 * Z_BUF_ERROR when nothing could be done, or an error of zlib's. */
static int run(struct cl_ws_codec *codec, cl_result *broken)
{
    z_stream *z = &codec->z;
    int rc;
    do {
        rc = inflate(z, Z_NO_FLUSH);
        if (rc == Z_STREAM_END) {
            *broken = begin_again(codec);
            rc = *broken == CL_OK ? Z_OK : Z_STREAM_ERROR;
        }
    } while (rc == Z_OK && z->avail_in != 0 && z->avail_out != 0);
    if (rc == Z_MEM_ERROR) {
        *broken = codec->refused ? CLEAT_ERR_LIMIT : CLEAT_ERR_NOMEM;
    }
    return rc;
}

/* Runs zlib and checks what came out. False: failed. */
static bool run_payload(struct cleat_ws *ws)
{
    const uint8_t *start = ws->inflater->z.next_out;
    cl_result broken = CL_OK;
    int rc = run(ws->inflater, &broken);
    if (broken != CL_OK) {
        cl_ws_fail_code(ws, broken);
        return false;
    }
    /* in the order in which the bytes came, so that the verdict does not depend on how they are
     * cut: text up to the limit, the limit, what zlib found behind it */
    size_t made = (size_t)(ws->inflater->z.next_out - start);
    uint64_t allowed = ws->o.max_message - ws->len;
    if (!cl_ws_check_text(ws, start, made < allowed ? made : (size_t)allowed)) {
        return false;
    }
    ws->len += made;
    if (!limits_hold(ws)) {
        return false;
    }
    if (rc != Z_OK && rc != Z_BUF_ERROR) {
        cl_ws_fail(ws, CL_WS_FLAW_DEFLATE_DATA, cl_ws_inflate_bits(ws), 0);
        return false;
    }
    return true;
}

/* Hands the block out. */
static int give_block(struct cleat_ws *ws, struct cleat_ws_io *io, bool last)
{
    struct cl_ws_codec *codec = ws->inflater;
    int next = cl_ws_give(ws, io, codec->block, CL_WS_BLOCK - codec->z.avail_out, last);
    if (next == CL_WS_GO_ON) {
        codec->z.next_out = codec->block;
        codec->z.avail_out = CL_WS_BLOCK;
    } else if (next == CLEAT_WS_MESSAGE) {
        ws->block_shown = true;
    }
    return next;
}

int cl_ws_inflate_payload(struct cleat_ws *ws, struct cleat_ws_io *io)
{
    z_stream *z = &ws->inflater->z;
    size_t len = io->in_len - io->in_used;
    len = len < ws->left ? len : (size_t)ws->left;
    len = len < MAX_AT_ONCE ? len : MAX_AT_ONCE;
    if (len == 0 && ws->left != 0 && !ws->inflater_full) {
        return CLEAT_WS_NEEDS_INPUT;
    }
    uint8_t *p = io->in + io->in_used;
    if (ws->frame.masked && len > ws->plain) {
        uint64_t at = ws->frame.len - ws->left + ws->plain;
        cl_ws_mask(p + ws->plain, p + ws->plain, len - ws->plain, ws->frame.key, at);
    }
    z->next_in = p;
    z->avail_in = (uInt)len;
    ws->len_in += len;
    if (!run_payload(ws)) {
        return CLEAT_WS_FAILED;
    }
    ws->inflater_full = z->avail_out == 0;
    ws->len_in -= z->avail_in;
    size_t used = len - z->avail_in;
    ws->plain = z->avail_in;
    io->in_used += used;
    ws->left -= used;
    bool ended = ws->left == 0 && z->avail_out != 0;
    if (ended) {
        ws->at = ws->frame.fin ? CL_WS_AT_TAIL : CL_WS_AT_HEAD;
    }
    /* what streams is handed out as it comes, but not a last piece without saying so */
    bool waits = ws->o.stream && z->avail_out != CL_WS_BLOCK && !(ended && ws->frame.fin);
    return z->avail_out == 0 || waits ? give_block(ws, io, false) : CL_WS_GO_ON;
}

int cl_ws_inflate_tail(struct cleat_ws *ws, struct cleat_ws_io *io)
{
    z_stream *z = &ws->inflater->z;
    cl_result broken = CL_OK;
    uInt room = z->avail_out;
    z->next_in = (z_const Bytef *)(uintptr_t)tail;
    z->avail_in = sizeof(tail);
    /* all input is used up and there is room, so that zlib has nothing left to tell: what comes now
     * is the end of an empty stored block, without any output, or the message is not complete */
    int rc = run(ws->inflater, &broken);
    if (broken != CL_OK) {
        cl_ws_fail_code(ws, broken);
        return CLEAT_WS_FAILED;
    }
    if (rc != Z_OK || z->avail_in != 0 || z->avail_out != room ||
        (z->data_type & AT_BLOCK_END) == 0) {
        cl_ws_fail(ws, CL_WS_FLAW_DEFLATE_END, 0, 0);
        return CLEAT_WS_FAILED;
    }
    ws->at = CL_WS_AT_HEAD;
    int next = give_block(ws, io, true);
    ws->inflater_idle = next == CLEAT_WS_MESSAGE;
    return next;
}
