/* conn/ct_list.h - the list of Certificate Transparency logs as browsers publish it: JSON, version
 * 3 (operators with "logs" and "tiled_logs"), or flat (one array "logs", each with its operator).
 *
 * A list is trust material: what is wrong in it is refused as a whole, with the log's place and
 * name. What is only not known here (a state that browsers have invented since) counts for nothing,
 * and is counted.
 */
#ifndef CL_CONN_CT_LIST_H
#define CL_CONN_CT_LIST_H

#include "base/result.h"
#include "cleat/ct.h"

/* 4 MiB: Chrome's list has 50 KB, the one with every log there ever was 300 KB */
#define CL_CT_LIST_MAX (4u << 20)

struct cl_ct_list {
    struct cleat_ct_logs *logs; /* the caller's to free */
    int64_t made;               /* Unix seconds, as the list says; 0: it does not */
    size_t num_passed_over;     /* logs without a state that is known */
    char passed_over[96];       /* the first of them */
};

/* cl_ct_list_read makes a set of logs. BAD_CONFIG (no JSON, not such a list, an ID that is not its
 * key's, a log twice, none at all), BAD_KEY, LIMIT, NOMEM; *out is empty then. */
CL_MUST cl_result cl_ct_list_read(const char *text, size_t len, struct cl_ct_list *out,
                                  struct cleat_error *err);

#endif
