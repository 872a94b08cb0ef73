/* bench/wire.h - one direction of a connection: bytes in memory, in the order they were written.
 */
#ifndef BENCH_WIRE_H
#define BENCH_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/* What a library's transport callbacks work on; it may be pointed to other wires at any time. */
struct bench_ends {
    struct bench_wire *in;
    struct bench_wire *out;
};

/* bench_wire_take moves at most len bytes from `in` to out; how many, 0: there are none.
 * bench_wire_put appends to `out` (or drops); false: they do not fit. */
static inline size_t bench_wire_take(struct bench_wire *w, void *out, size_t len)
{
    size_t left = w->len - w->at;
    size_t take = len < left ? len : left;
    memcpy(out, w->bytes + w->at, take);
    w->at += take;
    return take;
}

static inline bool bench_wire_put(struct bench_wire *w, const void *p, size_t len)
{
    if (w->discard) {
        return true;
    }
    if (len > sizeof(w->bytes) - w->len) {
        return false;
    }
    memcpy(w->bytes + w->len, p, len);
    w->len += len;
    return true;
}

#endif
