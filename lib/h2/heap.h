/* h2/heap.h - the memory of one connection's nghttp2 session.
 *
 * nghttp2 is not to be called any more after it has run out of memory, not even to free what it
 * holds (a stream may be left with an item that is freed): then cl_heap_drop gives the blocks back
 * without it. A session has some tens.
 */
#ifndef CL_H2_HEAP_H
#define CL_H2_HEAP_H

#include <nghttp2/nghttp2.h>

#include "base/heap.h"

/* cl_h2_heap_mem gives nghttp2 the functions; the heap outlives the session. */
nghttp2_mem cl_h2_heap_mem(struct cl_heap *heap);

#endif
