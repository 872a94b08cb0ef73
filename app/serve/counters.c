/* serve/counters.c - see counters.h. */
#include "serve/counters.h"

static void add_hub(struct cl_hub_counts *out, const struct cl_hub_counts *set)
{
    cl_count_add(&out->bytes_in, cl_count_read(&set->bytes_in));
    cl_count_add(&out->bytes_out, cl_count_read(&set->bytes_out));
    cl_count_add(&out->jobs, cl_count_read(&set->jobs));
    for (size_t i = 0; i < CL_HUB_LANES; i++) {
        cl_count_add(&out->batches[i], cl_count_read(&set->batches[i]));
    }
}

/* Ends before beginnings: read the other way round, more might have ended than had begun. */
void cl_counters_sum(const struct cl_counters *sets, size_t num, struct cl_counters *out)
{
    *out = (struct cl_counters){0};
    for (size_t i = 0; i < num; i++) {
        const struct cl_counters *set = &sets[i];
        add_hub(&out->hub, &set->hub);
        cl_count_add(&out->closed, cl_count_read(&set->closed));
        cl_count_add(&out->resumed, cl_count_read(&set->resumed));
        cl_count_add(&out->handshakes, cl_count_read(&set->handshakes));
        cl_count_add(&out->failed, cl_count_read(&set->failed));
        cl_count_add(&out->connections, cl_count_read(&set->connections));
        cl_count_add(&out->requests_h1, cl_count_read(&set->requests_h1));
        cl_count_add(&out->requests_h2, cl_count_read(&set->requests_h2));
        cl_count_add(&out->websockets, cl_count_read(&set->websockets));
    }
}
