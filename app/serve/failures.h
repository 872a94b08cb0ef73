/* serve/failures.h - how many lines of one kind go to the log: somebody who makes connections fail
 * by the thousand shall not fill the disk, nor hide what else happens.
 *
 * Time is cut into periods, by whoever calls cl_failures_tick. In each, the first
 * CL_FAILURES_LINES of a kind get their lines; the rest is counted, and told in one line when the
 * period ends. Usable from every thread.
 */
#ifndef CL_SERVE_FAILURES_H
#define CL_SERVE_FAILURES_H

#include "serve/log.h"

/* 10 s: a summary is not older than that */
#define CL_FAILURES_PERIOD_MS 10000
/* 50: in a period and kind: enough to see who and why; some 10 KB */
#define CL_FAILURES_LINES     50
/* 64: kinds told apart, more than there are codes that a peer can provoke; the rest shares one */
#define CL_FAILURES_KINDS     64

struct cl_failures;

/* cl_failures_new writes its summaries to log, which must outlive it. NOMEM. */
CL_MUST cl_result cl_failures_new(struct cl_log *log, struct cl_failures **out);

/* cl_failures_free tells what is still to be told. NULL is fine. */
void cl_failures_free(struct cl_failures *f);

/* cl_failures_count counts one and says whether it gets a line. what: a static text. */
bool cl_failures_count(struct cl_failures *f, const char *what, int code);

/* cl_failures_tick ends a period. */
void cl_failures_tick(struct cl_failures *f);

#endif
