/* cli/get_print_curl.h - --print-curl: the command line, as curl would have it. */
#ifndef CL_CLI_GET_PRINT_CURL_H
#define CL_CLI_GET_PRINT_CURL_H

#include <stdbool.h>
#include <stdio.h>

/* get_print_curl writes, to out, the curl command that makes the same request as these words of
 * `cleat get`, which have been parsed before: quoted for a POSIX shell, on one line unless a value
 * has line ends. Options that curl does not have are named on err, each in a line that begins with
 * "#". Returns an exit code: 0, or 23 when it cannot be written. */
int get_print_curl(int argc, char **argv, FILE *out, FILE *err);

/* get_print_curl_lacks tells whether curl has no option of that name. */
bool get_print_curl_lacks(const char *name);

#endif
