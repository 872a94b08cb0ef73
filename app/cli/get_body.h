/* cli/get_body.h - the request body, from -d, --data-raw, --data-binary and --json. */
#ifndef CL_CLI_GET_BODY_H
#define CL_CLI_GET_BODY_H

#include "cli/get_options.h"

/* Each adds its value to o->body as curl does: forms are joined with "&", JSON is not. 0, or the
 * exit code with a message on stderr: CL_EXIT_USAGE, 26 (a file cannot be read). */
int get_body_data(struct get_options *o, const struct cl_options *from);
int get_body_raw(struct get_options *o, const struct cl_options *from);
int get_body_binary(struct get_options *o, const struct cl_options *from);
int get_body_json(struct get_options *o, const struct cl_options *from);

#endif
