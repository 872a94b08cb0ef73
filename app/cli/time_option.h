/* cli/time_option.h - points in time on the command line. */
#ifndef CL_CLI_TIME_OPTION_H
#define CL_CLI_TIME_OPTION_H

#include "cli/options.h"

#include <stdint.h>

/* time_option_set reads 2026-06-01, 2026-06-01T12:00:00Z or @UNIX as Unix seconds; else it
 * complains and returns CL_EXIT_USAGE. */
int time_option_set(int64_t *out, const struct cl_options *o);

#endif
