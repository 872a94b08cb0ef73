/* ws/pool_impl.h - the pool's insides, for pool.c and codec.c alone. */
#ifndef CL_WS_POOL_IMPL_H
#define CL_WS_POOL_IMPL_H

#include "ws/pool.h"

/* 4 KiB: a first buffer that holds what is usual; 72 KiB: a full queue and its headers, a larger
 * buffer is not kept */
#define SPARE_BUF_MIN    4096
#define SPARE_BUF_MAX    73728
/* 16 buffers and 8 states: what a turn of an event loop has in hand at the same time, and little
 * beside what the connections themselves hold */
#define MAX_SPARE_BUFS   16
#define MAX_SPARE_CODECS 8

struct cleat_ws_pool {
    size_t refs;
    size_t budget;
    size_t used;
    size_t num_bufs;
    struct cl_buf bufs[MAX_SPARE_BUFS];
    struct cl_ws_codec *codecs;
    size_t num_codecs;
};

#endif
