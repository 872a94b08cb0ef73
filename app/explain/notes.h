/* explain/notes.h - what is worth knowing about an answer beside the answer: what nearly went
 * wrong, what costs, what only the running server or the client can tell. */
#ifndef CL_EXPLAIN_NOTES_H
#define CL_EXPLAIN_NOTES_H

#include "explain/rehearsal.h"

/* 24: one for each thing that is looked at, and weaknesses */
#define CL_NOTES_MAX 24

struct cl_note {
    char what[32]; /* for programs: "server_name"; as long as it means the same it is the same */
    char text[384];
};

struct cl_notes {
    struct cl_note items[CL_NOTES_MAX];
    size_t num;
};

/* cl_notes_make looks at a rehearsal under the options that it was made with; now: Unix seconds. */
void cl_notes_make(const struct cl_rehearsal *r, const struct cl_serve_options *o, int64_t now,
                   struct cl_notes *out);

/* cl_credential_file names the certificate, or raw key, that was chosen; NULL: none. */
const char *cl_credential_file(const struct cl_rehearsal *r, const struct cl_serve_options *o);

#endif
