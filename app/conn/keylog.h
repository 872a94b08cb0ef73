/* conn/keylog.h - the file that SSLKEYLOGFILE names (RFC 9850): traffic secrets for Wireshark.
 *
 * Opened for appending, mode 0600 when it is made; each line is one write, so that threads and
 * processes may share the file. Usable from every thread.
 */
#ifndef CL_CONN_KEYLOG_H
#define CL_CONN_KEYLOG_H

#include "base/result.h"
#include "cleat/event.h"

/* 2,048: a label, 64 digits of the random, two spaces, newline, and the digits of an ECHConfig of
 * 900 bytes (RFC 9850 2); those in use have 70, secrets at most 64 */
#define CL_KEYLOG_LINE 2048

struct cl_keylog {
    int fd; /* -1: no key log */
};

/* cl_keylog_open opens the file of that name; NULL or "": no key log. A failure is in err
 * (BAD_CONFIG) and leaves *log closed. */
CL_MUST cl_result cl_keylog_open(struct cl_keylog *log, const char *path, struct cleat_error *err);
void cl_keylog_close(struct cl_keylog *log);

static inline bool cl_keylog_is_on(const struct cl_keylog *log)
{
    return log->fd >= 0;
}

/* cl_keylog_event writes the line of a CLEAT_EVENT_SECRET; other events are passed over. To be
 * called from the program's sink. */
void cl_keylog_event(const struct cl_keylog *log, const struct cleat_event *event);

/* cl_keylog_line formats "LABEL <client random> <secret>\n" and returns its length; 0 when it does
 * not fit. The caller wipes it. */
size_t cl_keylog_line(const struct cleat_event *event, char out[CL_KEYLOG_LINE]);

#endif
