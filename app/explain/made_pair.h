/* explain/made_pair.h - a certificate and key made for a trial: what would be, if there were one.
 * In memory alone. */
#ifndef CL_EXPLAIN_MADE_PAIR_H
#define CL_EXPLAIN_MADE_PAIR_H

#include "crypto/key.h"
#include "serve/site.h"

/* cl_made_pair returns a self-signed certificate for "localhost" and its key as files that this
 * process can read; made once for each type. NULL when it cannot be made. */
const struct cl_serve_pair *cl_made_pair(enum cl_key_type type);

#endif
