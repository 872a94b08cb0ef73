/* ws/codec.c - states of zlib, taken from the pool and given back (see pool.h).
 *
 * zlib's memory comes from base/mem.h and is counted against the budget. A deflater with a window
 * of 2^8 does not exist in raw form; one of 2^9 does the same, because zlib never reaches back
 * further than the window less 262 bytes: 250. (tests/ws/test_deflate.c holds it to that.)
 */
#include "base/mem.h"
#include "ws/pool_impl.h"

/* 8 of 9: zlib's own default, the last one that is worth its memory */
#define MEM_LEVEL 8

/* What zlib allocates carries its length in front, for the count. */
struct counted {
    size_t len;
    _Alignas(16) uint8_t bytes[];
};

static voidpf counted_alloc(voidpf ctx, uInt num, uInt size)
{
    struct cl_ws_codec *codec = ctx;
    size_t len = sizeof(struct counted) + (size_t)num * size;
    if (cl_ws_charge(codec->pool, len) != CL_OK) {
        codec->refused = true;
        return NULL;
    }
    struct counted *c = cl_alloc(len);
    if (c == NULL) {
        cl_ws_refund(codec->pool, len);
        return NULL;
    }
    c->len = len;
    codec->held += len;
    return c->bytes;
}

static void counted_free(voidpf ctx, voidpf p)
{
    struct cl_ws_codec *codec = ctx;
    struct counted *c = (struct counted *)((uint8_t *)p - offsetof(struct counted, bytes));
    size_t len = c->len;
    codec->held -= len;
    cl_ws_refund(codec->pool, len);
    /* windows hold what was said */
    cl_free_secret(c, len);
}

static size_t size_of(uint8_t level)
{
    return sizeof(struct cl_ws_codec) + (level == 0 ? CL_WS_BLOCK : 0);
}

static int init(struct cl_ws_codec *codec)
{
    if (codec->level == 0) {
        return inflateInit2(&codec->z, -(int)codec->window_bits);
    }
    int bits = codec->window_bits == 8 ? 9 : codec->window_bits;
    return deflateInit2(&codec->z, codec->level, Z_DEFLATED, -bits, MEM_LEVEL, Z_DEFAULT_STRATEGY);
}

static cl_result make(struct cleat_ws_pool *pool, uint8_t level, uint8_t window_bits,
                      struct cl_ws_codec **out)
{
    CL_TRY(cl_ws_charge(pool, size_of(level)));
    struct cl_ws_codec *codec = cl_alloc(size_of(level));
    if (codec == NULL) {
        cl_ws_refund(pool, size_of(level));
        return CLEAT_ERR_NOMEM;
    }
    *codec = (struct cl_ws_codec){.pool = pool, .level = level, .window_bits = window_bits};
    codec->z.zalloc = counted_alloc;
    codec->z.zfree = counted_free;
    codec->z.opaque = codec;
    int rc = init(codec);
    if (rc != Z_OK) {
        cl_result why = codec->refused      ? CLEAT_ERR_LIMIT
                        : rc == Z_MEM_ERROR ? CLEAT_ERR_NOMEM
                                            : CLEAT_ERR_CRYPTO;
        cl_free(codec);
        cl_ws_refund(pool, size_of(level));
        return why;
    }
    *out = codec;
    return CL_OK;
}

static struct cl_ws_codec *take_spare(struct cleat_ws_pool *pool, uint8_t level,
                                      uint8_t window_bits)
{
    for (struct cl_ws_codec **at = &pool->codecs; *at != NULL; at = &(*at)->next) {
        struct cl_ws_codec *codec = *at;
        if (codec->level == level && codec->window_bits == window_bits) {
            *at = codec->next;
            pool->num_codecs--;
            return codec;
        }
    }
    return NULL;
}

cl_result cl_ws_codec_take(struct cleat_ws_pool *pool, uint8_t level, uint8_t window_bits,
                           struct cl_ws_codec **out)
{
    struct cl_ws_codec *spare = pool != NULL ? take_spare(pool, level, window_bits) : NULL;
    if (spare == NULL) {
        return make(pool, level, window_bits, out);
    }
    spare->refused = false;
    if ((level == 0 ? inflateReset(&spare->z) : deflateReset(&spare->z)) != Z_OK) {
        cl_ws_codec_free(spare);
        return CLEAT_ERR_CRYPTO;
    }
    *out = spare;
    return CL_OK;
}

void cl_ws_codec_free(struct cl_ws_codec *codec)
{
    struct cleat_ws_pool *pool = codec->pool;
    size_t size = size_of(codec->level);
    (void)(codec->level == 0 ? inflateEnd(&codec->z) : deflateEnd(&codec->z));
    cl_free_secret(codec, size);
    cl_ws_refund(pool, size);
}

void cl_ws_codec_give(struct cl_ws_codec **codec)
{
    struct cl_ws_codec *c = *codec;
    *codec = NULL;
    if (c == NULL) {
        return;
    }
    if (c->pool == NULL || c->pool->num_codecs == MAX_SPARE_CODECS) {
        cl_ws_codec_free(c);
        return;
    }
    c->next = c->pool->codecs;
    c->pool->codecs = c;
    c->pool->num_codecs++;
}
