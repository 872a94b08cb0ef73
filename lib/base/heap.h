/* base/heap.h - the memory of a foreign library's object, as a list of its blocks, counted and
 * limited.
 *
 * Not every library can be trusted with running out of memory: what it holds then is given back
 * without it. 32 bytes a block; {0} is an empty heap without a limit.
 */
#ifndef CL_BASE_HEAP_H
#define CL_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

struct cl_heap_block;

struct cl_heap {
    LIST_HEAD(cl_heap_blocks, cl_heap_block) blocks;
    size_t used;    /* bytes held, blocks' heads included */
    size_t max;     /* limit for used; 0: none */
    bool refused;   /* something was asked for beyond the limit */
    bool exhausted; /* there was no memory, although it was within the limit */
};

/* cl_heap_alloc, _calloc and _realloc return NULL when memory is short, or the limit reached. p:
 * from the same heap; NULL is fine. */
void *cl_heap_alloc(struct cl_heap *heap, size_t size);
void *cl_heap_calloc(struct cl_heap *heap, size_t num, size_t size);
void *cl_heap_realloc(struct cl_heap *heap, void *p, size_t size);
void cl_heap_free(struct cl_heap *heap, void *p);

/* cl_heap_drop frees every block that is left. */
void cl_heap_drop(struct cl_heap *heap);

#endif
