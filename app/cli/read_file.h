/* cli/read_file.h - a file of the command line, read as a whole. */
#ifndef CL_CLI_READ_FILE_H
#define CL_CLI_READ_FILE_H

#include "base/buf.h"

/* cl_read_file appends a file ("-": standard input) to out, at most max bytes in all. On failure a
 * message is in *why (static storage). */
bool cl_read_file(const char *path, struct cl_buf *out, size_t max, const char **why);

#endif
