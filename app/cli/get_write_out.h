/* cli/get_write_out.h - --write-out: a format with %{variables}, as curl has it. */
#ifndef CL_CLI_GET_WRITE_OUT_H
#define CL_CLI_GET_WRITE_OUT_H

#include <stdio.h>

#include "cli/get_facts.h"

/* get_write_out expands a format (@FILE and @- are read) onto out; "%{stderr}", "%{stdout}" and
 * "%output{FILE}" change where the rest goes, "%{onerror}" is the end unless the transfer failed.
 * %{json} is an object with every variable, "%header{NAME}" a field of the response,
 * "%time{FORMAT}" now. An unknown variable is told on standard error and left out. false: FILE
 * cannot be read (a message is on standard error). */
bool get_write_out(const char *format, const struct get_facts *facts, FILE *out);

#endif
