/* coding/codec.h - one coding of a body, behind one interface: a table of functions for each way.
 *
 * A stage owns its output buffer; what it is given stays the caller's. Functions that fail leave a
 * sentence in `why`. Codecs that are not built in have no row (cl_coding_rows).
 */
#ifndef CL_CODING_CODEC_H
#define CL_CODING_CODEC_H

#include "base/bytes.h"
#include "base/heap.h"
#include "base/result.h"
#include "cleat/coding.h"

/* 16 KiB: a TLS record's worth; the libraries are called a few times for what a socket brings */
#define CL_CODING_OUT 16384

struct cl_decode;

struct cl_decode_ops {
    /* Makes the state. NOMEM, HTTP_TOO_LARGE. */
    cl_result (*open)(struct cl_decode *d);
    /* Takes from *in and puts *produced bytes into d->out. CODING, HTTP_TOO_LARGE, NOMEM. */
    cl_result (*run)(struct cl_decode *d, struct cl_rd *in, size_t *produced);
    /* What is held outside the heap. */
    size_t (*memory)(const struct cl_decode *d);
    void (*close)(struct cl_decode *d);
};

/* One coding being undone (a stage of a decoder). */
struct cl_decode {
    const struct cl_decode_ops *ops;
    enum cleat_coding coding;
    struct cl_heap *heap; /* the decoder's */
    void *state;          /* made by open, freed by close or with the heap */
    struct cl_rd in;      /* what the stage before it has made and this one has not taken yet */
    uint64_t total_out;
    bool began;      /* a byte has come */
    bool ended;      /* the coding is complete with what has come */
    bool more;       /* the buffer was full: there may be more without another byte */
    uint8_t held[4]; /* bytes by which the format is recognized, until there are enough of them */
    uint8_t num_held;
    const char *why; /* static text, or the library's */
    uint8_t out[CL_CODING_OUT];
};

/* cl_decode_short tells why there was no memory: NOMEM, or HTTP_TOO_LARGE beyond the limit. */
cl_result cl_decode_short(struct cl_decode *d);

/* cl_decode_hold takes bytes from *in until `want` of them are held; true: they are. */
bool cl_decode_hold(struct cl_decode *d, struct cl_rd *in, uint8_t want);

struct cl_encode;

struct cl_encode_ops {
    /* Makes the state; size 0: not known. NOMEM. */
    cl_result (*open)(struct cl_encode *e, int level, uint64_t size);
    /* Takes from *in and puts *produced bytes into e->out; *done: there is no more for this op. */
    cl_result (*run)(struct cl_encode *e, struct cl_rd *in, enum cleat_encoder_op op,
                     size_t *produced, bool *done);
    size_t (*memory)(const struct cl_encode *e);
    void (*close)(struct cl_encode *e);
};

/* One coding being applied. */
struct cl_encode {
    const struct cl_encode_ops *ops;
    enum cleat_coding coding;
    struct cl_heap heap;
    void *state;
    uint8_t out[CL_CODING_OUT];
};

/* What there is of a coding: NULL where it is not built in. */
struct cl_coding_row {
    const char *name;
    const struct cl_decode_ops *decode;
    const struct cl_encode_ops *encode;
    int level, max_level; /* the default, the highest; the lowest is 1 */
};

extern const struct cl_coding_row cl_coding_rows[CLEAT_NUM_CODINGS];

extern const struct cl_decode_ops cl_decode_gzip, cl_decode_deflate;
extern const struct cl_encode_ops cl_encode_gzip, cl_encode_deflate;
#ifdef CLEAT_HAVE_BROTLI
extern const struct cl_decode_ops cl_decode_br;
extern const struct cl_encode_ops cl_encode_br;
#endif
#ifdef CLEAT_HAVE_ZSTD
extern const struct cl_decode_ops cl_decode_zstd;
extern const struct cl_encode_ops cl_encode_zstd;
#endif

/* cl_coding_bits returns the number of bits of a window that holds `size` bytes, between least and
 * most; size 0: most. */
int cl_coding_bits(uint64_t size, int least, int most);

#endif
