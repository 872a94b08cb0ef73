/* watch/page.h - /metrics over plain HTTP: one text, made by whoever looks at the targets, for
 * whoever asks. One request a connection; everything is bounded.
 */
#ifndef CL_WATCH_PAGE_H
#define CL_WATCH_PAGE_H

#include "base/buf.h"
#include "conn/stream.h"
#include "dns/addr.h"

/* 32: Prometheus servers come with one or two connections */
#define CL_WATCH_PAGE_MAX_CLIENTS 32
/* 10 s: for the request, and for each time that the client takes nothing of the answer */
#define CL_WATCH_PAGE_MS          10000

struct cl_watch_page;

/* cl_watch_page_new listens at addr (port 0: a free one, which *addr then has). SYSTEM (err says
 * why), NOMEM. */
CL_MUST cl_result cl_watch_page_new(struct cl_hub *hub, struct cl_addr *addr,
                                    struct cl_watch_page **out, struct cleat_error *err);

/* cl_watch_page_set gives the text that is answered from now on; the page takes the buffer. */
void cl_watch_page_set(struct cl_watch_page *page, struct cl_buf *text);

/* cl_watch_page_free stops listening and hangs up; memory goes in later turns. NULL is fine. */
void cl_watch_page_free(struct cl_watch_page *page);

#endif
