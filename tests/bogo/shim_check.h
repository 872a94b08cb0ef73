/* tests/bogo/shim_check.h - is what was agreed what the case expects? */
#ifndef BOGO_SHIM_CHECK_H
#define BOGO_SHIM_CHECK_H

#include "bogo/shim_conn.h"

/* shim_check_handshake exits with 1 and the difference at the first expectation that is not met. */
void shim_check_handshake(const struct shim_conn *c, const struct shim_state *state,
                          bool is_resume);

#endif
