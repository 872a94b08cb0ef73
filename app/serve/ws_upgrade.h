/* serve/ws_upgrade.h - from a request to a WebSocket: everything is checked before the 101. */
#ifndef CL_SERVE_WS_UPGRADE_H
#define CL_SERVE_WS_UPGRADE_H

#include "serve/session.h"

/* cl_ws_upgrade judges the complete head of s->x. True: a WebSocket has taken the stream over, s->x
 * is not needed any more. False: the refusal is the response in s->x; the connection closes after
 * it. */
bool cl_ws_upgrade(struct cl_session *s);

#endif
