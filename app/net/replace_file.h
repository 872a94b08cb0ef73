/* net/replace_file.h - a file that is replaced as a whole: readers see the old one or the new one.
 * Blocks: for small files.
 */
#ifndef CL_NET_REPLACE_FILE_H
#define CL_NET_REPLACE_FILE_H

#include <sys/types.h>

#include "base/bytes.h"
#include "base/result.h"

/* cl_replace_file writes bytes to a new file beside path (its name, a dot, six letters), with mode
 * and on the disk, and renames it. On failure what was at path stays. SYSTEM (err, which may be
 * NULL, names path; errno says why, too), NOMEM. */
CL_MUST cl_result cl_replace_file(const char *path, struct cl_rd bytes, mode_t mode,
                                  struct cleat_error *err);

#endif
