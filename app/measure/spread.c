/* measure/spread.c - see spread.h. */
#include "measure/spread.h"

#include <stdbool.h>
#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y ? 1 : 0;
}

static uint32_t percentile(const uint32_t *us, size_t num, size_t percent)
{
    size_t rank = (num * percent + 99) / 100;
    return us[rank > 0 ? rank - 1 : 0];
}

void cl_spread_of(uint32_t *us, size_t num, struct cl_spread *out)
{
    double sum = 0;
    qsort(us, num, sizeof(*us), by_value);
    for (size_t i = 0; i < num; i++) {
        sum += us[i];
    }
    *out = (struct cl_spread){
        .min = us[0],
        .p50 = percentile(us, num, 50),
        .p90 = percentile(us, num, 90),
        .p99 = percentile(us, num, 99),
        .max = us[num - 1],
        .mean = sum / (double)num,
    };
}

/* The i-th bound in microseconds: 0, 10, 15, 20, 30, 50, 70, 100, 150, … */
static uint32_t bound(size_t i)
{
    static const uint32_t steps[] = {10, 15, 20, 30, 50, 70};
    if (i == 0) {
        return 0;
    }
    uint64_t value = steps[(i - 1) % 6];
    for (size_t power = (i - 1) / 6; power > 0 && value < UINT32_MAX; power--) {
        value *= 10;
    }
    return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

size_t cl_histogram(const uint32_t *us, size_t num, struct cl_bar out[CL_MAX_BARS])
{
    size_t num_bars = 0, at = 0;
    for (size_t i = 0; at < num && num_bars < CL_MAX_BARS; i++) {
        struct cl_bar bar = {.from = bound(i), .to = bound(i + 1)};
        const bool last = bar.to == UINT32_MAX;
        while (at < num && (us[at] < bar.to || last)) {
            bar.num++;
            at++;
        }
        if (bar.num != 0 || num_bars != 0) {
            out[num_bars++] = bar;
        }
    }
    return num_bars;
}
