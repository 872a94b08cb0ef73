/* net/pool.h - buffers of one size, lent to whoever has bytes under way. One thread.
 *
 * A buffer is taken when bytes arrive or are to be sent and put back when it is empty, so that a
 * connection that waits holds none. Contents are wiped as they come back: they may be plaintext.
 */
#ifndef CL_NET_POOL_H
#define CL_NET_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 33,792: two records of the longest kind (2 * 16,645 bytes, RFC 9846 5.2), rounded up to KiB */
#define CL_POOL_BUFFER 33792
/* 64: 2 MiB a thread stay for the next burst, the rest goes back to the system */
#define CL_POOL_KEEP   64

struct cl_pool {
    struct cl_pool_free *free;
    size_t num_free;
    size_t num_lent;
};

/* cl_pool_take lends CL_POOL_BUFFER bytes; NULL when memory is short. */
uint8_t *cl_pool_take(struct cl_pool *pool) __attribute__((warn_unused_result));

/* cl_pool_give takes a buffer back, of which the first `used` bytes were written to. NULL is fine.
 */
void cl_pool_give(struct cl_pool *pool, uint8_t *buffer, size_t used);

/* cl_pool_is_crowded: more are lent than would stay here. Who holds bytes that could leave at once
 * should let them. */
static inline bool cl_pool_is_crowded(const struct cl_pool *pool)
{
    return pool->num_lent > CL_POOL_KEEP;
}

/* cl_pool_deinit frees what is not lent; {0} afterwards. */
void cl_pool_deinit(struct cl_pool *pool);

#endif
