/* conn/capture_file.h - blocks of a capture into a file or pipe. Blocks the thread. */
#ifndef CL_CONN_CAPTURE_FILE_H
#define CL_CONN_CAPTURE_FILE_H

#include "base/result.h"

/* cl_capture_file_write writes all of it, or, to a regular file, nothing: blocks that were begun
 * and cannot be finished are cut off again, so that the file stays whole. Returns 0 or the errno.
 */
CL_MUST int cl_capture_file_write(int fd, const uint8_t *p, size_t len);

#endif
