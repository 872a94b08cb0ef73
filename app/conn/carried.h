/* conn/carried.h - a transport that is a stream: what a second stream needs to run inside a first
 * one, as TLS with an origin runs through a proxy, and there inside TLS with the proxy.
 */
#ifndef CL_CONN_CARRIED_H
#define CL_CONN_CARRIED_H

#include "conn/stream.h"

/* 100 ms: how long the end of the stream below may take in good order. Nobody reads it any more. */
#define CL_CARRIED_CLOSE_MS 100

/* cl_carried_new makes of a stream that is ready, and has nothing unread, a cl_tcp: what is sent
 * there is written to the stream, what the stream brings arrives there, and freeing it closes the
 * stream. The stream is taken over; its handler is replaced. NOMEM: nothing has changed. */
CL_MUST cl_result cl_carried_new(struct cl_hub *hub, struct cl_stream *below, struct cl_tcp **out);

#endif
