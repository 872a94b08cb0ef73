/* bench/meter.c - see meter.h.
 *
 * malloc and its relatives are defined here, over glibc's own: so the calls of libcrypto and libssl
 * are counted too. The program has one thread. Time is measure/meter.h's: what others do on a
 * shared machine disturbs caches, but is not counted.
 */
#include "bench/meter.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static int64_t num_allocs;
static int64_t live_bytes;

#ifndef BENCH_NO_HEAP_COUNT

/* 8: the size field in front of each of glibc's chunks */
#define CHUNK_OVERHEAD 8

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t num, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *p);

static void *count(void *p)
{
    if (p != NULL) {
        num_allocs++;
        live_bytes += (int64_t)malloc_usable_size(p) + CHUNK_OVERHEAD;
    }
    return p;
}

static void discount(void *p)
{
    if (p != NULL) {
        live_bytes -= (int64_t)malloc_usable_size(p) + CHUNK_OVERHEAD;
    }
}

void *malloc(size_t size)
{
    return count(__libc_malloc(size));
}

void *calloc(size_t num, size_t size)
{
    return count(__libc_calloc(num, size));
}

void *realloc(void *p, size_t size)
{
    discount(p);
    void *moved = __libc_realloc(p, size);
    if (moved == NULL && size != 0) {
        live_bytes += p != NULL ? (int64_t)malloc_usable_size(p) + CHUNK_OVERHEAD : 0;
    }
    return count(moved);
}

void *memalign(size_t alignment, size_t size)
{
    return count(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *p = memalign(alignment, size);
    if (p == NULL) {
        return ENOMEM;
    }
    *out = p;
    return 0;
}

void free(void *p)
{
    discount(p);
    __libc_free(p);
}

bool bench_heap_counted(void)
{
    return true;
}

#else

bool bench_heap_counted(void)
{
    return false;
}

#endif

void bench_meter_start(struct bench_meter *m)
{
    m->num_allocs -= num_allocs;
    m->bytes -= live_bytes;
    cl_meter_start(&m->cpu);
}

void bench_meter_stop(struct bench_meter *m)
{
    cl_meter_stop(&m->cpu);
    m->num_allocs += num_allocs;
    m->bytes += live_bytes;
}
