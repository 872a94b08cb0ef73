/* tests/bogo/shim_event.h - what the engine tells during a handshake and the cases ask about
 * afterwards: our certificate, the peer's signature and preferences, traffic secrets. */
#ifndef BOGO_SHIM_EVENT_H
#define BOGO_SHIM_EVENT_H

#include "bogo/shim_config.h"

/* shim_on_event is the sink; ctx is the struct shim_state. */
void shim_on_event(void *ctx, void *user, const struct cleat_event *event);

#endif
