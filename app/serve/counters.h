/* serve/counters.h - what the server adds up, one set for each worker: the worker's thread writes,
 * whoever wants to know reads the sums (conn/counts.h). Kept always: a few additions a connection.
 */
#ifndef CL_SERVE_COUNTERS_H
#define CL_SERVE_COUNTERS_H

#include <stddef.h>

#include "conn/counts.h"

/* 128: two lines of a cache, so that no worker's writes disturb another's (neighbouring lines are
 * fetched in pairs) */
#define CL_COUNTERS_GAP 128

struct cl_counters {
    struct cl_hub_counts hub;
    cl_count connections; /* accepted */
    cl_count closed;
    cl_count handshakes; /* finished */
    cl_count resumed;    /* of those */
    cl_count failed;     /* handshakes that did not come to their end */
    cl_count requests_h1;
    cl_count requests_h2;
    cl_count websockets; /* upgraded */
    char gap[CL_COUNTERS_GAP];
};

/* cl_counters_sum adds up num sets, into *out, which nobody else has. */
void cl_counters_sum(const struct cl_counters *sets, size_t num, struct cl_counters *out);

#endif
