/* serve/log.h - lines to a file, a terminal or a pipe, without ever blocking the one who writes
 * them.
 *
 * A thread of the log's own does the writing. When the receiver does not keep up and the queue is
 * full, lines are dropped, counted, and the loss is told in a line of its own. Usable from every
 * thread.
 */
#ifndef CL_SERVE_LOG_H
#define CL_SERVE_LOG_H

#include "base/result.h"

struct cl_log;

/* 1 MiB: some 5,000 access lines, several seconds of a disk that hangs */
#define CL_LOG_QUEUE 1048576
/* 8 KiB: a line longer than that is cut */
#define CL_LOG_LINE  8192

/* cl_log_new writes to fd; owned: closes it at the end. NOMEM. */
CL_MUST cl_result cl_log_new(int fd, bool owned, struct cl_log **out);

/* cl_log_free writes what is queued (waiting for the receiver two seconds at the most), then frees.
 * NULL is fine. */
void cl_log_free(struct cl_log *log);

/* cl_log_line queues a line; the newline is added. Control characters are replaced by '?'. NULL:
 * the line is dropped. */
void cl_log_line(struct cl_log *log, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* cl_log_bytes queues bytes that are complete lines already. */
void cl_log_bytes(struct cl_log *log, const char *p, size_t len);

#endif
