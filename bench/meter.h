/* bench/meter.h - CPU time of this thread and heap use, while the meter runs. */
#ifndef BENCH_METER_H
#define BENCH_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "measure/meter.h"

/* Sums over all its runs; {0} is a fresh one. */
struct bench_meter {
    struct cl_meter cpu;
    int64_t num_allocs; /* malloc, calloc, realloc and their relatives, of every library */
    int64_t bytes;      /* allocated less freed, with malloc's overhead */
};

void bench_meter_start(struct bench_meter *m);
void bench_meter_stop(struct bench_meter *m);

/* bench_heap_counted says whether allocations are seen: not under a sanitizer, which has its own
 * malloc. */
bool bench_heap_counted(void);

#endif
