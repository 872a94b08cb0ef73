/* coding/brotli.c - br (RFC 7932), by brotli.
 *
 * Its encoder ends the process where it gets no memory, which a library must not: the allocation
 * that fails leaves it by a jump, back to the call (`guarded`), and the encoder is never called
 * again. All it holds is the heap's, so nothing is lost. It is plain C without locks, and nothing
 * of ours lies between the call and the allocation.
 */
#ifdef CLEAT_HAVE_BROTLI
#include <brotli/decode.h>
#include <brotli/encode.h>
#include <setjmp.h>

#include "coding/codec.h"

/* ---- decoding ---- */

static void *decode_alloc(void *opaque, size_t size)
{
    return cl_heap_alloc(opaque, size);
}

static void decode_free(void *opaque, void *p)
{
    cl_heap_free(opaque, p);
}

static cl_result decode_open(struct cl_decode *d)
{
    d->state = BrotliDecoderCreateInstance(decode_alloc, decode_free, d->heap);
    return d->state != NULL ? CL_OK : cl_decode_short(d);
}

static bool is_memory_error(BrotliDecoderErrorCode code)
{
    return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
           code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
}

static cl_result decode_run(struct cl_decode *d, struct cl_rd *in, size_t *produced)
{
    size_t room = sizeof(d->out);
    uint8_t *at = d->out;
    if (!d->ended) {
        const BrotliDecoderResult rc =
            BrotliDecoderDecompressStream(d->state, &in->len, &in->p, &room, &at, NULL);
        if (rc == BROTLI_DECODER_RESULT_ERROR) {
            const BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(d->state);
            d->why = BrotliDecoderErrorString(code);
            return is_memory_error(code) ? cl_decode_short(d) : CLEAT_ERR_CODING;
        }
        d->ended = rc == BROTLI_DECODER_RESULT_SUCCESS;
        d->more = rc == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
        *produced = sizeof(d->out) - room;
    }
    if (d->ended && !cl_rd_done(in)) {
        d->why = "bytes behind its end";
        return CLEAT_ERR_CODING;
    }
    return CL_OK;
}

static size_t decode_memory(const struct cl_decode *d)
{
    (void)d;
    return 0;
}

static void decode_close(struct cl_decode *d)
{
    (void)d; /* everything is the heap's */
}

const struct cl_decode_ops cl_decode_br = {decode_open, decode_run, decode_memory, decode_close};

/* ---- encoding ---- */

/* 2^19 bytes, as common servers: with the libraries' default of 22 an encoder takes 34 MiB, for 1 %
 * on files of a megabyte */
#define MAX_WINDOW 19

struct encoder {
    BrotliEncoderState *brotli;
    struct cl_heap *heap;
    jmp_buf escape;
};

/* One call of the encoder: its arguments and results, which a jump leaves whole. */
struct call {
    struct encoder *encoder;
    int level, window;
    uint32_t size;
    BrotliEncoderOperation op;
    size_t in_len, room;
    const uint8_t *in;
    uint8_t *out;
    bool ok;
};

static void *encode_alloc(void *opaque, size_t size)
{
    struct encoder *e = opaque;
    void *p = cl_heap_alloc(e->heap, size);
    if (p == NULL) {
        longjmp(e->escape, 1);
    }
    return p;
}

static void encode_free(void *opaque, void *p)
{
    struct encoder *e = opaque;
    cl_heap_free(e->heap, p);
}

/* Runs `step`; NOMEM: it was left because memory is short. */
static cl_result guarded(struct call *c, void (*step)(struct call *c))
{
    if (setjmp(c->encoder->escape) != 0) {
        return CLEAT_ERR_NOMEM;
    }
    step(c);
    return c->ok ? CL_OK : CLEAT_ERR_INTERNAL;
}

static void create(struct call *c)
{
    BrotliEncoderState *s = BrotliEncoderCreateInstance(encode_alloc, encode_free, c->encoder);
    c->encoder->brotli = s;
    c->ok = s != NULL && BrotliEncoderSetParameter(s, BROTLI_PARAM_QUALITY, (uint32_t)c->level) &&
            BrotliEncoderSetParameter(s, BROTLI_PARAM_LGWIN, (uint32_t)c->window) &&
            BrotliEncoderSetParameter(s, BROTLI_PARAM_SIZE_HINT, c->size);
}

static void compress(struct call *c)
{
    c->ok = BrotliEncoderCompressStream(c->encoder->brotli, c->op, &c->in_len, &c->in, &c->room,
                                        &c->out, NULL);
}

static cl_result encode_open(struct cl_encode *e, int level, uint64_t size)
{
    struct encoder *s = cl_heap_calloc(&e->heap, 1, sizeof(*s));
    if (s == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    s->heap = &e->heap;
    e->state = s;
    struct call c = {.encoder = s,
                     .level = level,
                     .window = cl_coding_bits(size, BROTLI_MIN_WINDOW_BITS, MAX_WINDOW),
                     .size = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX};
    return guarded(&c, create);
}

static cl_result encode_run(struct cl_encode *e, struct cl_rd *in, enum cleat_encoder_op op,
                            size_t *produced, bool *done)
{
    static const BrotliEncoderOperation ops[] = {BROTLI_OPERATION_PROCESS, BROTLI_OPERATION_FLUSH,
                                                 BROTLI_OPERATION_FINISH};
    struct encoder *s = e->state;
    struct call c = {.encoder = s,
                     .op = ops[op],
                     .in_len = in->len,
                     .in = in->p,
                     .room = sizeof(e->out),
                     .out = e->out};
    CL_TRY(guarded(&c, compress));
    *in = cl_rd_of(c.in, c.in_len);
    *produced = sizeof(e->out) - c.room;
    *done = cl_rd_done(in) && !BrotliEncoderHasMoreOutput(s->brotli) &&
            (op != CLEAT_ENCODE_END || BrotliEncoderIsFinished(s->brotli));
    return CL_OK;
}

static size_t encode_memory(const struct cl_encode *e)
{
    (void)e;
    return 0;
}

static void encode_close(struct cl_encode *e)
{
    (void)e; /* everything is the heap's */
}

const struct cl_encode_ops cl_encode_br = {encode_open, encode_run, encode_memory, encode_close};
#else
typedef int cl_coding_without_brotli;
#endif
