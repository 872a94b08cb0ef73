/* measure/spread.h - how times are spread: percentiles, and a histogram whose steps grow with the
 * values, so that few slow ones do not hide the many.
 */
#ifndef CL_MEASURE_SPREAD_H
#define CL_MEASURE_SPREAD_H

#include <stddef.h>
#include <stdint.h>

/* Microseconds. */
struct cl_spread {
    uint32_t min;
    uint32_t p50;
    uint32_t p90;
    uint32_t p99;
    uint32_t max;
    double mean;
};

/* cl_spread_of sorts num (at least 1) values; a percentile is the least of them that is not below
 * that share (nearest rank). */
void cl_spread_of(uint32_t *us, size_t num, struct cl_spread *out);

struct cl_bar {
    uint32_t from; /* from <= value < to */
    uint32_t to;
    size_t num;
};

/* 61: six steps for each power of ten that fits into 32 bits, and one below */
#define CL_MAX_BARS 61

/* cl_histogram counts sorted values into bars, from that of the least to that of the greatest, and
 * returns how many bars there are. Bounds are 1, 1.5, 2, 3, 5 and 7 times powers of ten. */
size_t cl_histogram(const uint32_t *us, size_t num, struct cl_bar out[CL_MAX_BARS]);

#endif
