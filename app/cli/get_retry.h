/* cli/get_retry.h - --retry: which failures may pass by themselves, and how long to wait. As curl.
 */
#ifndef CL_CLI_GET_RETRY_H
#define CL_CLI_GET_RETRY_H

#include "cli/get_options.h"

/* 1 s at first, doubled each time, 10 minutes at most: curl's */
#define GET_RETRY_FIRST_MS 1000
#define GET_RETRY_MAX_MS   600000

/* What an attempt has come to. */
struct get_attempt {
    int exit_code;
    bool refused;          /* nobody listens there (ECONNREFUSED) */
    long status;           /* 0: no answer */
    int64_t retry_after_s; /* what Retry-After says; 0: nothing */
};

struct get_retries {
    long num;          /* that were made */
    uint64_t next_ms;  /* how long the next one waits; 0: not decided yet */
    uint64_t began_us; /* when the first attempt did */
};

/* get_retry_next tells whether there is another attempt, after *wait_ms, and counts it. now_us: of
 * the clock of began_us. */
bool get_retry_next(struct get_retries *r, const struct get_options *o,
                    const struct get_attempt *attempt, uint64_t now_us, uint64_t *wait_ms);

/* get_retry_after reads a Retry-After field: seconds, or a date. At most six hours; 0: neither. */
int64_t get_retry_after(struct cl_rd value, int64_t now);

#endif
