/* measure/primitives_jobs.h - how the jobs of a turn are run, for the families that are jobs. */
#ifndef CL_MEASURE_PRIMITIVES_JOBS_H
#define CL_MEASURE_PRIMITIVES_JOBS_H

#include "crypto/job.h"
#include "measure/primitives_impl.h"

/* cl_jobs_run does the jobs, `batch` in a batch (0: without one), and returns what made the first
 * fail. */
CL_MUST cl_result cl_jobs_run(struct cl_bench_kit *kit, struct cl_job *jobs, size_t num,
                              size_t batch);

#endif
