/* tests/bogo/shim_early.h - early data (0-RTT) in the shim. */
#ifndef BOGO_SHIM_EARLY_H
#define BOGO_SHIM_EARLY_H

#include "bogo/shim_conn.h"

/* shim_early_allow makes a server's configuration take early data. */
void shim_early_allow(struct cleat_tls_builder *b);

/* shim_early_offer makes a new client connection offer early data when its session allows it. */
void shim_early_offer(const struct shim_conn *c, const struct shim_state *state);

/* shim_early_check compares what became of it with what the case expects. */
void shim_early_check(const struct shim_conn *c, const struct shim_state *state);

#endif
