/* serve/server.h - the whole server: addresses, workers, signals. */
#ifndef CL_SERVE_SERVER_H
#define CL_SERVE_SERVER_H

#include "serve/site.h"

/* cl_serve runs until SIGINT or SIGTERM: then it stops accepting, lets what is in flight finish
 * within the grace time, and returns; a second signal makes it leave at once. Messages go to
 * stderr. Returns CL_OK after an orderly end; a failure to start is in err. */
CL_MUST cl_result cl_serve(const struct cl_serve_options *options, struct cleat_error *err);

#endif
