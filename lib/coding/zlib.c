/* coding/zlib.c - gzip and deflate, by zlib. Members of gzip follow one another (RFC 1952 2.2);
 * "deflate" comes with zlib's header or without (RFC 9110 8.4.1.2, its note). */
#include <zlib.h>

#include "coding/codec.h"

#define WINDOW_BITS 15
/* what zlib wants added for gzip's wrapping, and how raw deflate is asked for */
#define GZIP        16
/* 1 GiB: zlib counts in 32 bits */
#define MAX_AT_ONCE (1u << 30)
/* 8: zlib's default, 128 KiB for matches */
#define MEM_LEVEL   8

static voidpf zlib_alloc(voidpf opaque, uInt num, uInt size)
{
    return cl_heap_calloc(opaque, num, size);
}

static void zlib_free(voidpf opaque, voidpf p)
{
    cl_heap_free(opaque, p);
}

static void set_input(z_stream *z, struct cl_rd in)
{
    z->next_in = (z_const Bytef *)(uintptr_t)in.p;
    z->avail_in = (uInt)(in.len < MAX_AT_ONCE ? in.len : MAX_AT_ONCE);
}

/* ---- decoding ---- */

static cl_result begin(struct cl_decode *d, int bits)
{
    z_stream *z = cl_heap_calloc(d->heap, 1, sizeof(*z));
    if (z == NULL) {
        return cl_decode_short(d);
    }
    z->zalloc = zlib_alloc;
    z->zfree = zlib_free;
    z->opaque = d->heap;
    if (inflateInit2(z, bits) != Z_OK) {
        return cl_decode_short(d);
    }
    d->state = z;
    return CL_OK;
}

static cl_result gzip_open(struct cl_decode *d)
{
    return begin(d, WINDOW_BITS + GZIP);
}

/* The first two bytes tell. */
static cl_result deflate_open(struct cl_decode *d)
{
    (void)d;
    return CL_OK;
}

/* Inflates from *in behind the bytes that are in d->out. */
static cl_result inflate_some(struct cl_decode *d, struct cl_rd *in, size_t *produced)
{
    z_stream *z = d->state;
    set_input(z, *in);
    z->next_out = d->out + *produced;
    z->avail_out = (uInt)(sizeof(d->out) - *produced);
    const size_t given = z->avail_in;
    const int rc = inflate(z, Z_NO_FLUSH);
    *produced = sizeof(d->out) - z->avail_out;
    d->more = z->avail_out == 0;
    d->ended = rc == Z_STREAM_END;
    if (rc == Z_MEM_ERROR) {
        return cl_decode_short(d);
    }
    if ((rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) ||
        !cl_rd_skip(in, given - z->avail_in)) {
        d->why = rc == Z_NEED_DICT ? "a dictionary is needed" : z->msg;
        return CLEAT_ERR_CODING;
    }
    return CL_OK;
}

static cl_result gzip_run(struct cl_decode *d, struct cl_rd *in, size_t *produced)
{
    do {
        if (d->ended) {
            d->more = false;
            if (cl_rd_done(in)) {
                return CL_OK;
            }
            (void)inflateReset(d->state); /* the next member */
        }
        CL_TRY(inflate_some(d, in, produced));
    } while (d->ended && !d->more);
    return CL_OK;
}

/* RFC 1950 2.2: CM 8, a window of at most 32 KiB, no dictionary, and a check */
static bool is_zlib_header(const uint8_t b[2])
{
    return (b[0] & 0x0f) == 8 && b[0] >> 4 <= 7 && (b[1] & 0x20) == 0 &&
           ((unsigned)b[0] << 8 | b[1]) % 31 == 0;
}

static cl_result deflate_run(struct cl_decode *d, struct cl_rd *in, size_t *produced)
{
    if (d->state == NULL) {
        if (!cl_decode_hold(d, in, 2)) {
            return CL_OK;
        }
        struct cl_rd held = cl_rd_of(d->held, 2);
        CL_TRY(begin(d, is_zlib_header(d->held) ? WINDOW_BITS : -WINDOW_BITS));
        CL_TRY(inflate_some(d, &held, produced));
        if (!cl_rd_done(&held)) { /* no stream of deflate is as short as that */
            return CLEAT_ERR_CODING;
        }
    }
    if (!d->ended) {
        CL_TRY(inflate_some(d, in, produced));
    } else {
        d->more = false;
    }
    if (d->ended && !cl_rd_done(in)) {
        d->why = "bytes behind its end";
        return CLEAT_ERR_CODING;
    }
    return CL_OK;
}

static size_t all_on_heap(const struct cl_decode *d)
{
    (void)d;
    return 0;
}

static void inflate_close(struct cl_decode *d)
{
    (void)d; /* everything is the heap's */
}

const struct cl_decode_ops cl_decode_gzip = {gzip_open, gzip_run, all_on_heap, inflate_close};
const struct cl_decode_ops cl_decode_deflate = {deflate_open, deflate_run, all_on_heap,
                                                inflate_close};

/* ---- encoding ---- */

static cl_result deflate_begin(struct cl_encode *e, int level, int bits)
{
    z_stream *z = cl_heap_calloc(&e->heap, 1, sizeof(*z));
    if (z == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    z->zalloc = zlib_alloc;
    z->zfree = zlib_free;
    z->opaque = &e->heap;
    e->state = z;
    return deflateInit2(z, level, Z_DEFLATED, bits, MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK
               ? CL_OK
               : CLEAT_ERR_NOMEM;
}

/* zlib has no window of 256 bytes, and the difference below 1 KiB is none. */
static int window(uint64_t size)
{
    return cl_coding_bits(size, 10, WINDOW_BITS);
}

static cl_result gzip_encode_open(struct cl_encode *e, int level, uint64_t size)
{
    return deflate_begin(e, level, window(size) + GZIP);
}

static cl_result deflate_encode_open(struct cl_encode *e, int level, uint64_t size)
{
    return deflate_begin(e, level, window(size));
}

static cl_result deflate_encode(struct cl_encode *e, struct cl_rd *in, enum cleat_encoder_op op,
                                size_t *produced, bool *done)
{
    static const int flushes[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
    z_stream *z = e->state;
    set_input(z, *in);
    const size_t given = z->avail_in;
    z->next_out = e->out;
    z->avail_out = sizeof(e->out);
    /* what is not given yet keeps the end away */
    const int rc = deflate(z, given < in->len ? Z_NO_FLUSH : flushes[op]);
    *produced = sizeof(e->out) - z->avail_out;
    if ((rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) ||
        !cl_rd_skip(in, given - z->avail_in)) {
        return CLEAT_ERR_INTERNAL;
    }
    *done = cl_rd_done(in) && (op == CLEAT_ENCODE_END ? rc == Z_STREAM_END : z->avail_out != 0);
    return CL_OK;
}

static size_t encode_on_heap(const struct cl_encode *e)
{
    (void)e;
    return 0;
}

static void deflate_close(struct cl_encode *e)
{
    (void)e;
}

const struct cl_encode_ops cl_encode_gzip = {gzip_encode_open, deflate_encode, encode_on_heap,
                                             deflate_close};
const struct cl_encode_ops cl_encode_deflate = {deflate_encode_open, deflate_encode, encode_on_heap,
                                                deflate_close};
