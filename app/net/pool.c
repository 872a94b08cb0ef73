/* net/pool.c - see pool.h. Free buffers are linked through their own first bytes. */
#include "net/pool.h"

#include "base/mem.h"

struct cl_pool_free {
    struct cl_pool_free *next;
};

uint8_t *cl_pool_take(struct cl_pool *pool)
{
    struct cl_pool_free *buffer = pool->free;
    if (buffer != NULL) {
        pool->free = buffer->next;
        pool->num_free--;
    } else {
        buffer = cl_alloc(CL_POOL_BUFFER);
        if (buffer == NULL) {
            return NULL;
        }
    }
    pool->num_lent++;
    return (uint8_t *)buffer;
}

void cl_pool_give(struct cl_pool *pool, uint8_t *buffer, size_t used)
{
    if (buffer == NULL) {
        return;
    }
    cl_wipe(buffer, used < CL_POOL_BUFFER ? used : CL_POOL_BUFFER);
    pool->num_lent--;
    if (pool->num_free >= CL_POOL_KEEP) {
        cl_free(buffer);
        return;
    }
    struct cl_pool_free *entry = (struct cl_pool_free *)(void *)buffer;
    entry->next = pool->free;
    pool->free = entry;
    pool->num_free++;
}

void cl_pool_deinit(struct cl_pool *pool)
{
    while (pool->free != NULL) {
        struct cl_pool_free *next = pool->free->next;
        cl_free(pool->free);
        pool->free = next;
    }
    *pool = (struct cl_pool){0};
}
