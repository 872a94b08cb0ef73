/* bench/samples.c - best and middle of what was measured. The best is what the code costs; how far
 * the middle is from it tells how noisy the machine was. */
#include <stdlib.h>
#include <string.h>

#include "bench/scenario.h"

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_best(const struct bench_samples *s)
{
    double best = s->num != 0 ? s->ns[0] : 0;
    for (unsigned i = 1; i < s->num; i++) {
        best = s->ns[i] < best ? s->ns[i] : best;
    }
    return best;
}

double bench_median(const struct bench_samples *s)
{
    double sorted[BENCH_MAX_PASSES];
    if (s->num == 0) {
        return 0;
    }
    memcpy(sorted, s->ns, s->num * sizeof(sorted[0]));
    qsort(sorted, s->num, sizeof(sorted[0]), by_size);
    return sorted[s->num / 2];
}
