/* conn/counts.h - what a thread's streams and batches add up to, for other threads to read.
 *
 * One thread writes, with plain loads and stores; whoever reads gets numbers that were right a
 * moment ago, each for itself. No lock, no read-modify-write.
 */
#ifndef CL_CONN_COUNTS_H
#define CL_CONN_COUNTS_H

#include <stdatomic.h>
#include <stdint.h>

typedef _Atomic(uint64_t) cl_count;

/* 8: the lanes of a multi-buffer kernel; larger batches are counted together with that many */
#define CL_HUB_LANES 8

struct cl_hub_counts {
    cl_count bytes_in; /* on the wire */
    cl_count bytes_out;
    cl_count jobs;
    cl_count batches[CL_HUB_LANES]; /* that had 1, 2, ... jobs; the last: 8 or more */
};

/* cl_count_add: by the thread that the counter belongs to. cl_count_read: by any. */
static inline void cl_count_add(cl_count *c, uint64_t n)
{
    uint64_t now = atomic_load_explicit(c, memory_order_relaxed);
    atomic_store_explicit(c, now + n, memory_order_relaxed);
}

static inline uint64_t cl_count_read(const cl_count *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

#endif
