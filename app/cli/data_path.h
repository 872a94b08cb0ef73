/* cli/data_path.h - where a user's data lie (XDG Base Directory Specification). */
#ifndef CL_CLI_DATA_PATH_H
#define CL_CLI_DATA_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* cl_data_path writes the path of name below $XDG_DATA_HOME, or ~/.local/share. False when there is
 * no home or it is too long. */
bool cl_data_path(const char *name, char *out, size_t cap);

#endif
