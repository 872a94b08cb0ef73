/* ws/pool.c - see pool.h: the budget and the buffers; codec.c has zlib's states.
 *
 * A buffer of a usual size that is given back waits for the next taker, so that a connection which
 * sends and receives in turn allocates nothing. Spare ones are wiped as far as they were used when
 * they are given back, and are the first to go when the budget is short.
 */
#include "ws/pool.h"

#include "base/mem.h"
#include "ws/pool_impl.h"

int cleat_ws_pool_new(size_t budget, struct cleat_ws_pool **out)
{
    struct cleat_ws_pool *pool = cl_calloc(1, sizeof(*pool));
    *out = pool;
    if (pool == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    pool->refs = 1;
    pool->budget = budget;
    return CLEAT_OK;
}

struct cleat_ws_pool *cleat_ws_pool_ref(struct cleat_ws_pool *pool)
{
    if (pool != NULL) {
        pool->refs++;
    }
    return pool;
}

static void free_spares(struct cleat_ws_pool *pool)
{
    for (size_t i = 0; i < pool->num_bufs; i++) {
        pool->used -= pool->bufs[i].cap;
        cl_buf_deinit(&pool->bufs[i]);
    }
    pool->num_bufs = 0;
    while (pool->codecs != NULL) {
        struct cl_ws_codec *codec = pool->codecs;
        pool->codecs = codec->next;
        cl_ws_codec_free(codec);
    }
    pool->num_codecs = 0;
}

void cleat_ws_pool_free(struct cleat_ws_pool *pool)
{
    if (pool == NULL || --pool->refs != 0) {
        return;
    }
    free_spares(pool);
    cl_free(pool);
}

size_t cleat_ws_pool_used(const struct cleat_ws_pool *pool)
{
    return pool->used;
}

uint64_t cl_ws_budget(const struct cleat_ws_pool *pool)
{
    return pool != NULL ? pool->budget : UINT64_MAX;
}

cl_result cl_ws_charge(struct cleat_ws_pool *pool, size_t len)
{
    if (pool == NULL) {
        return CL_OK;
    }
    if (len > pool->budget - pool->used) {
        free_spares(pool);
    }
    if (len > pool->budget - pool->used) {
        return CLEAT_ERR_LIMIT;
    }
    pool->used += len;
    return CL_OK;
}

void cl_ws_refund(struct cleat_ws_pool *pool, size_t len)
{
    if (pool != NULL) {
        pool->used -= len;
    }
}

cl_result cl_ws_grow(struct cleat_ws_pool *pool, struct cl_buf *b, size_t extra)
{
    if (b->p == NULL && pool != NULL && pool->num_bufs != 0) {
        *b = pool->bufs[--pool->num_bufs];
    }
    if (b->p != NULL && extra <= b->cap - b->len) {
        return CL_OK;
    }
    if (extra > SIZE_MAX / 4 - b->len) {
        return CLEAT_ERR_LIMIT;
    }
    /* twice as much as there is, so that a long message is not copied for each of its pieces */
    size_t cap = b->cap < SPARE_BUF_MIN / 2 ? SPARE_BUF_MIN : 2 * b->cap;
    cap = cap < b->len + extra ? b->len + extra : cap;
    /* the old and the new one are there together for a moment */
    cl_result rc = cl_ws_charge(pool, cap);
    if (rc != CL_OK && cap > b->len + extra) {
        cap = b->len + extra;
        rc = cl_ws_charge(pool, cap);
    }
    CL_TRY(rc);
    struct cl_buf bigger = {.p = cl_alloc(cap), .len = b->len, .cap = cap};
    if (bigger.p == NULL) {
        cl_ws_refund(pool, cap);
        return CLEAT_ERR_NOMEM;
    }
    if (b->len != 0) {
        memcpy(bigger.p, b->p, b->len);
    }
    cl_ws_refund(pool, b->cap);
    cl_buf_deinit(b);
    *b = bigger;
    return CL_OK;
}

void cl_ws_drop_buf(struct cleat_ws_pool *pool, struct cl_buf *b)
{
    if (b->p == NULL) {
        return;
    }
    if (pool != NULL && b->cap <= SPARE_BUF_MAX && pool->num_bufs < MAX_SPARE_BUFS) {
        cl_wipe(b->p, b->len);
        b->len = 0;
        pool->bufs[pool->num_bufs++] = *b;
    } else {
        cl_ws_refund(pool, b->cap);
        cl_buf_deinit(b);
    }
    *b = (struct cl_buf){0};
}
