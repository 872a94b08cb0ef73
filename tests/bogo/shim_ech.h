/* tests/bogo/shim_ech.h - Encrypted Client Hello: what the runner's flags set and expect. */
#ifndef BOGO_SHIM_ECH_H
#define BOGO_SHIM_ECH_H

#include "bogo/shim_conn.h"

/* shim_set_ech gives a configuration its keys, or its dummy. */
void shim_set_ech(struct cleat_tls_builder *b, const struct shim_options *o);
/* shim_offer_ech: a client's configuration; exits where it must be usable and is not. */
void shim_offer_ech(const struct shim_conn *c);
/* shim_check_ech_name: when the peer is to be verified. shim_check_ech: after the handshake.
 * shim_check_ech_retry: after a failure. */
void shim_check_ech_name(const struct shim_conn *c, const struct shim_options *o);
void shim_check_ech(const struct shim_conn *c, const struct shim_options *o);
void shim_check_ech_retry(const struct shim_conn *c, const struct shim_options *o);

#endif
