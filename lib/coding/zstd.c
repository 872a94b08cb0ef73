/* coding/zstd.c - zstd (RFC 8878), by libzstd. Frames follow one another, also skippable ones
 * (RFC 8878 3.1). The library's memory is its own: it is limited by the window and counted. */
#ifdef CLEAT_HAVE_ZSTD
#include <zstd.h>
#include <zstd_errors.h>

#include "coding/codec.h"

/* RFC 9659 3: 'the "zstd" content coding [...] Window_Size [...] no larger than 8 MB' */
#define MAX_WINDOW 23
/* what the format has at least (RFC 8878 3.1.1.1.2) */
#define MIN_WINDOW 10

/* ---- decoding ---- */

static cl_result decode_open(struct cl_decode *d)
{
    ZSTD_DStream *z = ZSTD_createDStream();
    int window = MAX_WINDOW;
    while (d->heap->max != 0 && window > MIN_WINDOW && (size_t)1 << window > d->heap->max) {
        window--;
    }
    d->state = z;
    if (z == NULL || ZSTD_isError(ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, window))) {
        return CLEAT_ERR_NOMEM;
    }
    return CL_OK;
}

/* The library reads older formats too, which nobody sends: 0xfd2fb528 or 0x184d2a5?. */
static bool is_frame(const uint8_t m[4])
{
    return (m[0] == 0x28 && m[1] == 0xb5 && m[2] == 0x2f && m[3] == 0xfd) ||
           (m[0] >> 4 == 0x5 && m[1] == 0x2a && m[2] == 0x4d && m[3] == 0x18);
}

static cl_result decode_some(struct cl_decode *d, struct cl_rd *in, size_t *produced)
{
    ZSTD_inBuffer from = {.src = in->p, .size = in->len};
    ZSTD_outBuffer to = {.dst = d->out, .size = sizeof(d->out), .pos = *produced};
    const size_t rc = ZSTD_decompressStream(d->state, &to, &from);
    if (ZSTD_isError(rc)) {
        d->why = ZSTD_getErrorName(rc);
        return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation ? CLEAT_ERR_NOMEM
                                                                     : CLEAT_ERR_CODING;
    }
    *produced = to.pos;
    d->ended = rc == 0;
    d->more = !d->ended && to.pos == to.size;
    return cl_rd_skip(in, from.pos) ? CL_OK : CLEAT_ERR_INTERNAL;
}

static cl_result begin_frame(struct cl_decode *d)
{
    struct cl_rd magic = cl_rd_of(d->held, 4);
    size_t produced = 0;
    if (!is_frame(d->held)) {
        d->why = "not a frame of zstd";
        return CLEAT_ERR_CODING;
    }
    CL_TRY(decode_some(d, &magic, &produced));
    return cl_rd_done(&magic) && produced == 0 ? CL_OK : CLEAT_ERR_INTERNAL;
}

static cl_result decode_run(struct cl_decode *d, struct cl_rd *in, size_t *produced)
{
    do {
        if (d->ended) {
            if (cl_rd_done(in)) {
                return CL_OK;
            }
            d->num_held = 0;
            d->ended = false;
        }
        if (d->num_held < 4) {
            if (!cl_decode_hold(d, in, 4)) {
                return CL_OK;
            }
            CL_TRY(begin_frame(d));
        }
        if (cl_rd_done(in) && !d->more) {
            return CL_OK;
        }
        CL_TRY(decode_some(d, in, produced));
    } while (d->ended && *produced < sizeof(d->out));
    return CL_OK;
}

static size_t decode_memory(const struct cl_decode *d)
{
    return d->state != NULL ? ZSTD_sizeof_DStream(d->state) : 0;
}

static void decode_close(struct cl_decode *d)
{
    (void)ZSTD_freeDStream(d->state);
}

const struct cl_decode_ops cl_decode_zstd = {decode_open, decode_run, decode_memory, decode_close};

/* ---- encoding ---- */

static cl_result encode_open(struct cl_encode *e, int level, uint64_t size)
{
    ZSTD_CCtx *z = ZSTD_createCCtx();
    e->state = z;
    if (z == NULL || ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_compressionLevel, level)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1))) {
        return CLEAT_ERR_NOMEM;
    }
    if (size == 0 || size >= (uint64_t)1 << MAX_WINDOW) {
        return CL_OK; /* the level's, at most MAX_WINDOW */
    }
    const int window = cl_coding_bits(size, MIN_WINDOW, MAX_WINDOW);
    return ZSTD_isError(ZSTD_CCtx_setParameter(z, ZSTD_c_windowLog, window)) ? CLEAT_ERR_INTERNAL
                                                                             : CL_OK;
}

static cl_result encode_run(struct cl_encode *e, struct cl_rd *in, enum cleat_encoder_op op,
                            size_t *produced, bool *done)
{
    static const ZSTD_EndDirective directives[] = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
    ZSTD_inBuffer from = {.src = in->p, .size = in->len};
    ZSTD_outBuffer to = {.dst = e->out, .size = sizeof(e->out)};
    const size_t rc = ZSTD_compressStream2(e->state, &to, &from, directives[op]);
    if (ZSTD_isError(rc)) {
        return ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation ? CLEAT_ERR_NOMEM
                                                                     : CLEAT_ERR_INTERNAL;
    }
    *produced = to.pos;
    *done = from.pos == from.size && (op == CLEAT_ENCODE ? to.pos < to.size : rc == 0);
    return cl_rd_skip(in, from.pos) ? CL_OK : CLEAT_ERR_INTERNAL;
}

static size_t encode_memory(const struct cl_encode *e)
{
    return e->state != NULL ? ZSTD_sizeof_CStream(e->state) : 0;
}

static void encode_close(struct cl_encode *e)
{
    (void)ZSTD_freeCCtx(e->state);
}

const struct cl_encode_ops cl_encode_zstd = {encode_open, encode_run, encode_memory, encode_close};
#else
typedef int cl_coding_without_zstd;
#endif
