/* h2/heap.c - see heap.h. */
#include "h2/heap.h"

static void *heap_alloc(size_t size, void *ctx)
{
    return cl_heap_alloc(ctx, size);
}

static void heap_free(void *p, void *ctx)
{
    cl_heap_free(ctx, p);
}

static void *heap_calloc(size_t num, size_t size, void *ctx)
{
    return cl_heap_calloc(ctx, num, size);
}

static void *heap_realloc(void *p, size_t size, void *ctx)
{
    return cl_heap_realloc(ctx, p, size);
}

nghttp2_mem cl_h2_heap_mem(struct cl_heap *heap)
{
    return (nghttp2_mem){
        .mem_user_data = heap,
        .malloc = heap_alloc,
        .free = heap_free,
        .calloc = heap_calloc,
        .realloc = heap_realloc,
    };
}
