/* cli/run_tool.h - another program, run to its end. */
#ifndef CL_CLI_RUN_TOOL_H
#define CL_CLI_RUN_TOOL_H

#include "base/buf.h"
#include "base/result.h"

/* 64 KiB of what a program says; the rest is read and left out */
#define RUN_TOOL_MAX_OUTPUT 65536

/* run_tool runs argv[0], found on the PATH, with argv (no shell) and an empty standard input; what
 * it prints on standard output and standard error is appended to out, which may be NULL. Returns
 * its exit code; 128 and the signal that ended it; 127 when it cannot be started. */
int run_tool(const char *const *argv, struct cl_buf *out);

/* run_tool_find says whether a program of that name is on the PATH, or is there when it has a
 * slash. */
bool run_tool_find(const char *name);

/* run_tool_last_line gives the last line of its output that is not empty, for messages: a copy with
 * control characters made printable. */
void run_tool_last_line(const struct cl_buf *out, char *line, size_t cap);

#endif
