/* base/heap.c - see heap.h. */
#include "base/heap.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

struct cl_heap_block {
    LIST_ENTRY(cl_heap_block) link;
    size_t size;
    alignas(max_align_t) uint8_t bytes[];
};

static struct cl_heap_block *block_of(void *p)
{
    return (struct cl_heap_block *)((uint8_t *)p - offsetof(struct cl_heap_block, bytes));
}

/* Whether a block of `size` may stand where one of `before` bytes is counted; 0: none. */
static bool within(struct cl_heap *heap, size_t before, size_t size)
{
    bool fits = size <= SIZE_MAX / 2 && heap->used - before <= SIZE_MAX / 2 &&
                (heap->max == 0 || heap->used - before + size <= heap->max);
    heap->refused = heap->refused || !fits;
    return fits;
}

static void *enter(struct cl_heap *heap, struct cl_heap_block *b, size_t size)
{
    b->size = size;
    heap->used += size;
    LIST_INSERT_HEAD(&heap->blocks, b, link);
    return b->bytes;
}

static void leave(struct cl_heap *heap, struct cl_heap_block *b)
{
    LIST_REMOVE(b, link);
    heap->used -= b->size;
}

void *cl_heap_alloc(struct cl_heap *heap, size_t size)
{
    size_t whole;
    if (__builtin_add_overflow(size, sizeof(struct cl_heap_block), &whole) ||
        !within(heap, 0, whole)) {
        return NULL;
    }
    struct cl_heap_block *b = cl_alloc(whole);
    heap->exhausted = heap->exhausted || b == NULL;
    return b != NULL ? enter(heap, b, whole) : NULL;
}

void *cl_heap_calloc(struct cl_heap *heap, size_t num, size_t size)
{
    size_t len;
    if (__builtin_mul_overflow(num, size, &len)) {
        return NULL;
    }
    void *p = cl_heap_alloc(heap, len);
    if (p != NULL) {
        memset(p, 0, len);
    }
    return p;
}

void *cl_heap_realloc(struct cl_heap *heap, void *p, size_t size)
{
    size_t whole;
    if (p == NULL) {
        return cl_heap_alloc(heap, size);
    }
    struct cl_heap_block *old = block_of(p);
    if (__builtin_add_overflow(size, sizeof(*old), &whole) || !within(heap, old->size, whole)) {
        return NULL;
    }
    size_t before = old->size;
    leave(heap, old);
    struct cl_heap_block *b = cl_realloc(old, whole);
    if (b == NULL) {
        heap->exhausted = true;
        (void)enter(heap, old, before);
        return NULL;
    }
    return enter(heap, b, whole);
}

void cl_heap_free(struct cl_heap *heap, void *p)
{
    if (p != NULL) {
        struct cl_heap_block *b = block_of(p);
        leave(heap, b);
        cl_free(b);
    }
}

void cl_heap_drop(struct cl_heap *heap)
{
    struct cl_heap_block *b;
    while ((b = LIST_FIRST(&heap->blocks)) != NULL) {
        leave(heap, b);
        cl_free(b);
    }
}
