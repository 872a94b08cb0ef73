/* cli/bench_connect.h - `cleat bench connect`: its options, and its output. */
#ifndef CL_CLI_BENCH_CONNECT_H
#define CL_CLI_BENCH_CONNECT_H

#include <jansson.h>

#include "cli/client_options.h"
#include "cli/client_target.h"
#include "measure/connects.h"

struct bench_connect_options {
    struct client_options client;
    const char *target;
    bool json, resume, help;
    bool has_rate; /* --rate was given */
    long num;
    long concurrency;
    double rate;
    double seconds;
};

/* What happened. */
struct bench_connect_result {
    const struct bench_connect_options *options;
    const struct client_target *target;
    struct cl_connects_limits limits; /* as they were applied */
    bool loopback;
    struct cl_connects_first first;
    struct cl_connects_report report;
};

/* bench_connect_plan prints what is going to be done, bench_connect_print what came of it. */
void bench_connect_plan(const struct bench_connect_result *r);
void bench_connect_print(const struct bench_connect_result *r);

/* bench_connect_json adds the same to a JSON object. */
void bench_connect_json(json_t *json, const struct bench_connect_result *r);

#endif
