/* h2/heap.c - see heap.h. */
#include "h2/heap.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

struct cl_h2_block {
    LIST_ENTRY(cl_h2_block) link;
    alignas(max_align_t) uint8_t bytes[];
};

static struct cl_h2_block *block_of(void *p)
{
    return (struct cl_h2_block *)((uint8_t *)p - offsetof(struct cl_h2_block, bytes));
}

static void *heap_alloc(size_t size, void *ctx)
{
    struct cl_h2_heap *heap = ctx;
    struct cl_h2_block *b = size <= SIZE_MAX - sizeof(*b) ? cl_alloc(sizeof(*b) + size) : NULL;
    if (b == NULL) {
        return NULL;
    }
    LIST_INSERT_HEAD(heap, b, link);
    return b->bytes;
}

static void heap_free(void *p, void *ctx)
{
    (void)ctx;
    if (p != NULL) {
        struct cl_h2_block *b = block_of(p);
        LIST_REMOVE(b, link);
        cl_free(b);
    }
}

static void *heap_calloc(size_t num, size_t size, void *ctx)
{
    size_t len;
    if (__builtin_mul_overflow(num, size, &len)) {
        return NULL;
    }
    void *p = heap_alloc(len, ctx);
    if (p != NULL) {
        memset(p, 0, len);
    }
    return p;
}

static void *heap_realloc(void *p, size_t size, void *ctx)
{
    struct cl_h2_heap *heap = ctx;
    if (p == NULL) {
        return heap_alloc(size, ctx);
    }
    if (size > SIZE_MAX - sizeof(struct cl_h2_block)) {
        return NULL;
    }
    struct cl_h2_block *old = block_of(p);
    LIST_REMOVE(old, link);
    struct cl_h2_block *b = cl_realloc(old, sizeof(*b) + size);
    if (b == NULL) {
        LIST_INSERT_HEAD(heap, old, link);
        return NULL;
    }
    LIST_INSERT_HEAD(heap, b, link);
    return b->bytes;
}

nghttp2_mem cl_h2_heap_mem(struct cl_h2_heap *heap)
{
    LIST_INIT(heap);
    return (nghttp2_mem){
        .mem_user_data = heap,
        .malloc = heap_alloc,
        .free = heap_free,
        .calloc = heap_calloc,
        .realloc = heap_realloc,
    };
}

void cl_h2_heap_drop(struct cl_h2_heap *heap)
{
    struct cl_h2_block *b;
    while ((b = LIST_FIRST(heap)) != NULL) {
        LIST_REMOVE(b, link);
        cl_free(b);
    }
}
