/* h2/heap.h - the memory of one connection's nghttp2 session, as a list of its blocks.
 *
 * nghttp2 is not to be called any more after it has run out of memory, not even to free what it
 * holds (a stream may be left with an item that is freed): then the blocks are given back without
 * it. 16 bytes a block; a session has some tens.
 */
#ifndef CL_H2_HEAP_H
#define CL_H2_HEAP_H

#include <nghttp2/nghttp2.h>
#include <sys/queue.h>

struct cl_h2_block;
LIST_HEAD(cl_h2_heap, cl_h2_block);

/* cl_h2_heap_mem gives nghttp2 the functions; the heap outlives the session. */
nghttp2_mem cl_h2_heap_mem(struct cl_h2_heap *heap);

/* cl_h2_heap_drop frees every block that is left. */
void cl_h2_heap_drop(struct cl_h2_heap *heap);

#endif
