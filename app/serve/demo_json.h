/* serve/demo_json.h - the two answers of the page in JSON. See demo.h. */
#ifndef CL_SERVE_DEMO_JSON_H
#define CL_SERVE_DEMO_JSON_H

#include <jansson.h>

#include "cleat/x509.h"
#include "serve/counters.h"
#include "serve/demo_visit.h"

/* Goes up when a member changes its meaning or goes away; new ones may come at any time. */
#define CL_DEMO_SCHEMA 1

/* cl_demo_connection_json tells all that is known of a visit's connection; NULL when memory is
 * short. roots: those that browsers are likely to have too, or NULL. */
json_t *cl_demo_connection_json(const struct cl_demo_visit *visit,
                                const struct cleat_trust_store *roots);

/* cl_demo_counters_json tells sums over all connections; NULL likewise. */
json_t *cl_demo_counters_json(const struct cl_counters *sums, uint64_t up_us);

#endif
