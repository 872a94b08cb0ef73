/* bench/wire.h - one direction of a connection: bytes in memory, in the order they were written.
 *
 * A BIO over two wires lets libssl read from one and write to the other. It is cheaper than
 * libssl's own memory BIO: one copy in, one copy out, which is what a socket would cost it at
 * least.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/bio.h>

/* 512 KiB: the longest batch of records that is opened at once, with room to spare; and 1,064
 * bytes, so that the beginnings of wires that lie side by side do not share the sets of the cache
 */
#define BENCH_WIRE_CAP (524288 + 1064)

struct bench_wire {
    size_t at;    /* read so far */
    size_t len;   /* written so far */
    bool discard; /* what is written is dropped */
    uint8_t bytes[BENCH_WIRE_CAP];
};

static inline void bench_wire_reset(struct bench_wire *w)
{
    w->at = 0;
    w->len = 0;
}

/* Where a BIO reads and writes; it may be pointed to other wires at any time. */
struct bench_ends {
    struct bench_wire *in;
    struct bench_wire *out;
};

/* bench_bio_new makes a BIO over ends, which must outlive it; NULL when memory is short. */
BIO *bench_bio_new(struct bench_ends *ends);

#endif
