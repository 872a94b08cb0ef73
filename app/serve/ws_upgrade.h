/* serve/ws_upgrade.h - from a request to a WebSocket: everything is checked before the 101. */
#ifndef CL_SERVE_WS_UPGRADE_H
#define CL_SERVE_WS_UPGRADE_H

#include "serve/session.h"

/* cl_ws_upgrade judges a request whose answer has not been begun. True: a WebSocket has it. False:
 * the refusal is its answer. */
bool cl_ws_upgrade(struct cl_exchange *x, const struct cleat_http_head *head);

#endif
