/* measure/meter.h - CPU time of this thread, while the meter runs: what others do on the machine
 * is not counted. What reading the clock costs is taken off.
 */
#ifndef CL_MEASURE_METER_H
#define CL_MEASURE_METER_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* Sums over all its runs; {0} is a fresh one. */
struct cl_meter {
    int64_t ns;
};

void cl_meter_start(struct cl_meter *m);
void cl_meter_stop(struct cl_meter *m);

/* How long to measure. */
struct cl_measure_plan {
    double seconds;                    /* CPU time for each figure, all passes together */
    const volatile sig_atomic_t *stop; /* not 0: end soon, with what there is */
};

/* 5 passes for a figure: the best of them counts, the one that was disturbed least */
#define CL_MEASURE_PASSES 5

static inline bool cl_measure_stopped(const struct cl_measure_plan *plan)
{
    return plan->stop != NULL && *plan->stop != 0;
}

#endif
