/* cli/explain_show.h - what `cleat explain-hello` prints: for people as it goes, for programs one
 * JSON document at the end. */
#ifndef CL_CLI_EXPLAIN_SHOW_H
#define CL_CLI_EXPLAIN_SHOW_H

#include <jansson.h>
#include <stdbool.h>

#include "cleat/fingerprint.h"
#include "explain/advice.h"
#include "explain/notes.h"

/* One ClientHello and all that was found out about it. */
struct cl_explained {
    const char *file;
    size_t number;               /* in all files, from 1 */
    char origin[160];            /* "192.0.2.1:40000 to 192.0.2.2:443", or empty */
    char ja4[CLEAT_JA4_LEN + 1]; /* of the message as it was recorded; empty: it has none */
    const struct cl_serve_options *options;
    const struct cl_rehearsal *r;
    const struct cl_advice *advice; /* of a refused one */
    const struct cl_notes *notes;
};

void cl_explain_show(const struct cl_explained *e);
json_t *cl_explain_json(const struct cl_explained *e);

#endif
