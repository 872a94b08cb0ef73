/* tls/compress.c - see compress.h. The libraries are called here and, for WebSocket messages, in
 * lib/ws, which streams and keeps contexts; the two floors know nothing of each other.
 *
 * What is expanded comes from strangers: every call gets exactly the room that the message has
 * announced, and brotli and zlib, whose own memory depends on the input, get it from a purse.
 */
#include "tls/compress.h"

#include <string.h>
#include <zlib.h>

#include "base/mem.h"

/* IANA's numbers (RFC 8879 7.3) */
#define ID_ZLIB   1
#define ID_BROTLI 2
#define ID_ZSTD   3

/* 2 MiB: brotli's decoder takes 0.7 MiB for the longest message, in the worst case; zlib's 40 KiB.
 * A brotli stream may ask for a window of 16 MiB. */
#define EXPAND_MEMORY (2u << 20)

/* Memory that is spent and not given back: a call is short. */
struct purse {
    size_t left;
    bool starved; /* there was no memory, although it was within the limit */
};

static void *from_purse(struct purse *purse, size_t size)
{
    if (size > purse->left) {
        return NULL;
    }
    purse->left -= size;
    void *p = cl_alloc(size != 0 ? size : 1);
    purse->starved = purse->starved || p == NULL;
    return p;
}

static cl_result failed(const struct purse *purse)
{
    return purse->starved ? CLEAT_ERR_NOMEM : CLEAT_ERR_DECODE;
}

/* ---- zlib ---- */

static voidpf zlib_alloc(voidpf opaque, uInt num, uInt size)
{
    return from_purse(opaque, (size_t)num * size);
}

static void zlib_free(voidpf opaque, voidpf p)
{
    (void)opaque;
    cl_free(p);
}

static cl_result zlib_compress(struct cl_rd in, struct cl_buf *out, size_t max)
{
    struct purse purse = {.left = EXPAND_MEMORY};
    z_stream z = {.zalloc = zlib_alloc, .zfree = zlib_free, .opaque = &purse};
    if (deflateInit(&z, Z_BEST_COMPRESSION) != Z_OK) {
        return CLEAT_ERR_NOMEM;
    }
    cl_result r = cl_buf_reserve(out, deflateBound(&z, (uLong)in.len), max);
    if (r == CL_OK) {
        z.next_in = (z_const Bytef *)(uintptr_t)in.p;
        z.avail_in = (uInt)in.len;
        z.next_out = out->p + out->len;
        z.avail_out = (uInt)(out->cap - out->len);
        r = deflate(&z, Z_FINISH) == Z_STREAM_END ? CL_OK : CLEAT_ERR_CRYPTO;
        out->len += r == CL_OK ? z.total_out : 0;
    }
    (void)deflateEnd(&z);
    return r;
}

static cl_result zlib_expand(struct cl_rd in, uint8_t *out, size_t out_len)
{
    struct purse purse = {.left = EXPAND_MEMORY};
    z_stream z = {.zalloc = zlib_alloc, .zfree = zlib_free, .opaque = &purse};
    if (inflateInit(&z) != Z_OK) {
        return CLEAT_ERR_NOMEM;
    }
    z.next_in = (z_const Bytef *)(uintptr_t)in.p;
    z.avail_in = (uInt)in.len;
    z.next_out = out;
    z.avail_out = (uInt)out_len;
    bool whole = inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_in == 0 && z.avail_out == 0;
    (void)inflateEnd(&z);
    return whole ? CL_OK : failed(&purse);
}

/* ---- brotli ---- */

#ifdef CLEAT_HAVE_BROTLI
#include <brotli/decode.h>
#include <brotli/encode.h>

/* 9: 10 and 11 take a hundred times as long and save nothing on certificates */
#define BROTLI_QUALITY 9
/* 2^16: more than chains have; above it the encoder's tables take 33 MiB */
#define BROTLI_WINDOW  16
/* 8 MiB: the encoder takes 1.4 MiB for a chain, 3 MiB for the longest message; pages that are not
 * touched cost nothing */
#define BROTLI_ARENA   (8u << 20)

/* The encoder ends the process when it gets no memory, which a library must not: it is given all
 * that it needs beforehand. */
struct arena {
    uint8_t *p;
    size_t used;
};

static void *arena_alloc(void *opaque, size_t size)
{
    struct arena *a = opaque;
    size_t rounded = (size + 63) & ~(size_t)63;
    if (rounded > BROTLI_ARENA - a->used) {
        return cl_alloc(size); /* a message longer than any that is sent */
    }
    void *p = a->p + a->used;
    a->used += rounded;
    return p;
}

static void arena_free(void *opaque, void *p)
{
    const struct arena *a = opaque;
    if ((uintptr_t)p < (uintptr_t)a->p || (uintptr_t)p >= (uintptr_t)a->p + BROTLI_ARENA) {
        cl_free(p);
    }
}

static void *brotli_alloc(void *opaque, size_t size)
{
    return from_purse(opaque, size);
}

static void brotli_free(void *opaque, void *p)
{
    (void)opaque;
    cl_free(p);
}

static cl_result brotli_compress(struct cl_rd in, struct cl_buf *out, size_t max)
{
    struct arena arena = {0};
    CL_TRY(cl_buf_reserve(out, BrotliEncoderMaxCompressedSize(in.len), max));
    arena.p = cl_alloc(BROTLI_ARENA);
    if (arena.p == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    BrotliEncoderState *s = BrotliEncoderCreateInstance(arena_alloc, arena_free, &arena);
    size_t room = out->cap - out->len;
    uint8_t *at = out->p + out->len;
    bool ok =
        BrotliEncoderSetParameter(s, BROTLI_PARAM_QUALITY, BROTLI_QUALITY) &&
        BrotliEncoderSetParameter(s, BROTLI_PARAM_LGWIN, BROTLI_WINDOW) &&
        BrotliEncoderSetParameter(s, BROTLI_PARAM_SIZE_HINT, (uint32_t)in.len) &&
        BrotliEncoderCompressStream(s, BROTLI_OPERATION_FINISH, &in.len, &in.p, &room, &at, NULL) &&
        BrotliEncoderIsFinished(s);
    BrotliEncoderDestroyInstance(s);
    cl_free(arena.p);
    out->len = ok ? (size_t)(at - out->p) : out->len;
    return ok ? CL_OK : CLEAT_ERR_CRYPTO;
}

static cl_result brotli_expand(struct cl_rd in, uint8_t *out, size_t out_len)
{
    struct purse purse = {.left = EXPAND_MEMORY};
    BrotliDecoderState *s = BrotliDecoderCreateInstance(brotli_alloc, brotli_free, &purse);
    if (s == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    bool whole = BrotliDecoderDecompressStream(s, &in.len, &in.p, &out_len, &out, NULL) ==
                     BROTLI_DECODER_RESULT_SUCCESS &&
                 in.len == 0 && out_len == 0;
    BrotliDecoderDestroyInstance(s);
    return whole ? CL_OK : failed(&purse);
}
#endif

/* ---- zstd ---- */

#ifdef CLEAT_HAVE_ZSTD
#include <zstd.h>

/* 19: the best of the ordinary levels; 0.2 ms for a chain */
#define ZSTD_LEVEL 19

static cl_result zstd_compress(struct cl_rd in, struct cl_buf *out, size_t max)
{
    CL_TRY(cl_buf_reserve(out, ZSTD_compressBound(in.len), max));
    size_t n = ZSTD_compress(out->p + out->len, out->cap - out->len, in.p, in.len, ZSTD_LEVEL);
    if (ZSTD_isError(n)) {
        return CLEAT_ERR_NOMEM; /* there is room, and nothing else can go wrong */
    }
    out->len += n;
    return CL_OK;
}

/* One frame of the standard format alone (RFC 8878 3.1.1): the library reads older formats too,
 * which nobody sends, and frames in a row. Its memory does not depend on the input: the output is
 * the window. */
static cl_result zstd_expand(struct cl_rd in, uint8_t *out, size_t out_len)
{
    static const uint8_t magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
    if (in.len < sizeof(magic) || memcmp(in.p, magic, sizeof(magic)) != 0 ||
        ZSTD_findFrameCompressedSize(in.p, in.len) != in.len) {
        return CLEAT_ERR_DECODE;
    }
    ZSTD_DCtx *context = ZSTD_createDCtx();
    if (context == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    size_t n = ZSTD_decompressDCtx(context, out, out_len, in.p, in.len);
    (void)ZSTD_freeDCtx(context);
    return !ZSTD_isError(n) && n == out_len ? CL_OK : CLEAT_ERR_DECODE;
}
#endif

/* ---- the table ---- */

static const struct cl_compression rows[] = {
#ifdef CLEAT_HAVE_BROTLI
    {ID_BROTLI, "brotli", false, brotli_compress, brotli_expand},
#endif
#ifdef CLEAT_HAVE_ZSTD
    {ID_ZSTD, "zstd", false, zstd_compress, zstd_expand},
#endif
    {ID_ZLIB, "zlib", false, zlib_compress, zlib_expand},
};

#define NUM_ROWS (sizeof(rows) / sizeof(rows[0]))
_Static_assert(NUM_ROWS < CL_COMPRESS_MAX, "a configuration has room for all");

const struct cl_compression *cl_compression_at(size_t i)
{
    return i < NUM_ROWS ? &rows[i] : NULL;
}

const struct cl_compression *cl_compression_by_name(const char *name, size_t len)
{
    for (size_t i = 0; i < NUM_ROWS; i++) {
        if (strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}
