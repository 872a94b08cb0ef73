/* capture/flows.h - TCP streams, put together as far as a ClientHello goes and no further.
 *
 * Each direction of a connection is a flow of its own. One whose SYN was seen is read from its
 * first byte, segments in any order, repeated or overlapping: of bytes that come twice the first
 * count. Elsewhere a ClientHello is taken up where a segment begins with one; bytes of one that was
 * told already are not told again. Captures are written by strangers: the number of flows and the
 * bytes kept for them are bounded, and the flow that has been quiet for longest gives way.
 */
#ifndef CL_CAPTURE_FLOWS_H
#define CL_CAPTURE_FLOWS_H

#include "capture/hellos.h"
#include "capture/packet.h"

struct cl_flows;

/* cl_flows_new: sink gets the ClientHellos, counts what is counted; both outlive the flows. NULL:
 * memory is short. cl_flows_free counts what is unfinished as incomplete; NULL is fine. */
struct cl_flows *cl_flows_new(cl_hello_sink sink, void *ctx, struct cl_hello_counts *counts);
void cl_flows_free(struct cl_flows *f);

/* cl_flows_take takes the next segment. *more: the sink wants more. NOMEM. */
CL_MUST cl_result cl_flows_take(struct cl_flows *f, const struct cl_segment *s, int64_t time_us,
                                bool *more);

#endif
