/* measure/primitives_jobs.c - see primitives_jobs.h. */
#include "measure/primitives_jobs.h"

#include "net/clock.h"

cl_result cl_jobs_run(struct cl_bench_kit *kit, struct cl_job *jobs, size_t num, size_t batch)
{
    for (size_t at = 0; at < num;) {
        size_t end = batch == 0 ? num : at + batch;
        end = end < num ? end : num;
        for (; at < end; at++) {
            if (batch == 0) {
                cl_job_run(&jobs[at]);
            } else {
                cleat_batch_add(kit->batch, (struct cleat_job *)&jobs[at]);
            }
        }
        if (batch != 0) {
            cleat_batch_run(kit->batch, cl_clock_mono_us() / 1000);
        }
    }
    for (size_t i = 0; i < num; i++) {
        CL_TRY(jobs[i].result);
    }
    return CL_OK;
}
