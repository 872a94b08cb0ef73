/* net/small_file.h - a file of the configuration, read as a whole: certificates, keys. Blocks: for
 * starting, not for a loop that serves. */
#ifndef CL_NET_SMALL_FILE_H
#define CL_NET_SMALL_FILE_H

#include <sys/stat.h>

#include "base/buf.h"

struct cl_small_file {
    const char *what; /* for messages: "the certificate" */
    const char *path;
    size_t max;  /* bytes; more is an error */
    bool secret; /* warns on stderr when others may read or write it */
};

/* cl_small_file_read appends the file to *out. BAD_CONFIG (it cannot be read, it is too long),
 * NOMEM; err names the file. */
CL_MUST cl_result cl_small_file_read(const struct cl_small_file *file, struct cl_buf *out,
                                     struct cleat_error *err);

/* cl_secret_file_is_open tells whether a file that holds secrets can be read or written by others
 * than its owner, and then warns on stderr; more: what that leads to, or "". */
bool cl_secret_file_is_open(const char *what, const char *path, const struct stat *st,
                            const char *more);

/* cl_secret_file_warnings switches the warnings of this file off and on, for a second reading of
 * the same files. For all threads: the program's only one calls it. */
void cl_secret_file_warnings(bool on);

#endif
