/* tls/pins.h - keys that are known by the SHA-256 of their SubjectPublicKeyInfo (RFC 7469 2.4):
 * sets of them, and whether the server's key is in the configuration's. */
#ifndef CL_TLS_PINS_H
#define CL_TLS_PINS_H

#include "tls/builder.h"
#include "tls/conn.h"

/* cl_pins_add adds "sha256//BASE64", cl_pins_add_key a SubjectPublicKeyInfo, to a set of b's
 * configuration. CLEAT_OK or a code, with the reason in the builder. */
int cl_pins_add(struct cleat_tls_builder *b, struct cl_pins *pins, const char *text);
int cl_pins_add_key(struct cleat_tls_builder *b, struct cl_pins *pins, struct cl_rd spki);
void cl_pins_deinit(struct cl_pins *pins);

/* cl_pins_digest adds a set to a configuration's digest. */
void cl_pins_digest(const struct cl_pins *pins, struct cl_hash *h);

/* cl_pins_find says whether a key is in the set, and where. */
bool cl_pins_find(const struct cl_pins *pins, struct cl_rd spki, size_t *at);

/* cl_pins_check: PIN_MISMATCH when there are pins and the peer's key is none of them. */
CL_MUST cl_result cl_pins_check(struct cleat_tls *tls);

#endif
