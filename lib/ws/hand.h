/* ws/hand.h - what both sides of the opening handshake need (RFC 6455 4). */
#ifndef CL_WS_HAND_H
#define CL_WS_HAND_H

#include "base/result.h"
#include "cleat/ws.h"
#include "http/chars.h"

/* 28 characters: 20 bytes in base64 */
#define CL_WS_ACCEPT_SIZE 29

/* cl_ws_accept_of computes the value of Sec-WebSocket-Accept for a key as sent (RFC 6455 4.2.2). */
void cl_ws_accept_of(struct cl_rd key, char out[CL_WS_ACCEPT_SIZE]);

/* cl_ws_single finds a field that may stand once: p NULL when it is missing; false when there are
 * several. */
CL_RD_MUST bool cl_ws_single(const struct cleat_http_head *head, const char *name,
                             struct cleat_http_view *out);

/* cl_ws_origin_allowed tells whether a policy lets an origin connect to a request's host. */
CL_RD_MUST bool cl_ws_origin_allowed(const struct cleat_ws_accept *policy,
                                     struct cleat_http_view origin, struct cleat_http_view host);

/* cl_ws_copy_out copies a head that was built to the caller's buffer: LIMIT when it does not fit.
 */
CL_MUST cl_result cl_ws_copy_out(struct cl_rd built, char *out, size_t cap, size_t *out_len);

#endif
