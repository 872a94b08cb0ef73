/* cli/get_body.h - the request body, from -d, --data-raw, --data-binary and --json. */
#ifndef CL_CLI_GET_BODY_H
#define CL_CLI_GET_BODY_H

#include "cli/get_options.h"

/* Setters of struct get_options (cli/setters.h). Each adds its value to its body as curl does:
 * forms are joined with "&", JSON is not. 0, or the exit code with a message on stderr:
 * CL_EXIT_USAGE, 26 (a file cannot be read). */
int get_body_data(void *options, const struct cl_options *from);
int get_body_raw(void *options, const struct cl_options *from);
int get_body_binary(void *options, const struct cl_options *from);
int get_body_json(void *options, const struct cl_options *from);

/* These add a field to the form of -F. 0, 2, 26 as above. */
int get_body_form(void *options, const struct cl_options *from);
int get_body_form_string(void *options, const struct cl_options *from);

#endif
