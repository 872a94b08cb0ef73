/* cli/get_done.h - what is told about a transfer that is over. */
#ifndef CL_CLI_GET_DONE_H
#define CL_CLI_GET_DONE_H

#include "cli/get_facts.h"
#include "cli/get_options.h"

/* get_done writes what -w asks for, draws --timing, and says what of --slo was missed. facts has
 * the exit code so far; returns the one to end with, which facts has as well. */
int get_done(const struct get_options *o, struct get_facts *facts);

#endif
