/* ws/ext.h - negotiating permessage-deflate (RFC 6455 9, RFC 7692 5 and 7.1). Any other extension
 * is passed over by a server, and an error for a client, who has not offered it. */
#ifndef CL_WS_EXT_H
#define CL_WS_EXT_H

#include "base/buf.h"
#include "cleat/ws.h"

/* cl_ws_ext_offer appends the value of a client's Sec-WebSocket-Extensions. */
CL_MUST cl_result cl_ws_ext_offer(const struct cleat_ws_deflate *want, struct cl_buf *out);

/* cl_ws_ext_accept goes through what a client offers, takes the first offer that can be met, and
 * fills out->deflate and out->extensions (off and empty when there is none). WS_HANDSHAKE when the
 * field cannot be read. */
CL_MUST cl_result cl_ws_ext_accept(struct cleat_ws_upgrade *out,
                                   const struct cleat_http_head *request,
                                   const struct cleat_ws_deflate *want, struct cleat_error *err);

/* cl_ws_ext_agreed checks a server's answer against what was offered, and fills the same. */
CL_MUST cl_result cl_ws_ext_agreed(struct cleat_ws_upgrade *out,
                                   const struct cleat_http_head *response,
                                   const struct cleat_ws_deflate *offered, struct cleat_error *err);

#endif
