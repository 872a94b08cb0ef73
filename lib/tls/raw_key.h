/* tls/raw_key.h - raw public keys (RFC 7250): what the types of certificates mean for a
 * configuration, and the peer's bare key. The extensions are in ext_cert_types.c. */
#ifndef CL_TLS_RAW_KEY_H
#define CL_TLS_RAW_KEY_H

#include "cleat/tls_rawkey.h"
#include "tls/conn.h"

/* X.509 and raw public keys: the types that are known */
#define CL_CERT_TYPE_COUNT 2

/* cl_cert_type_name returns "X.509" or "raw public key". */
const char *cl_cert_type_name(uint8_t type);

/* cl_cert_type_of returns what a credential shows. */
uint8_t cl_cert_type_of(const struct cl_credential *credential);

/* cl_own_types writes what a client can show, in order of preference, and returns how many. */
size_t cl_own_types(const struct cleat_tls_config *config, uint8_t out[CL_CERT_TYPE_COUNT]);

/* cl_takes_cert_type says whether the configuration takes a type from the peer. */
bool cl_takes_cert_type(const struct cleat_tls_config *config, uint8_t type);

/* cl_client_type_select: a server agrees on the type of the client's certificate, if it will ask
 * for one. UNSUPPORTED_CERTIFICATE when there is none in common. */
CL_MUST cl_result cl_client_type_select(struct cleat_tls *tls);

/* cl_raw_key_take reads the peer's key, which stands alone in tls->peer_chain. */
CL_MUST cl_result cl_raw_key_take(struct cleat_tls *tls);

/* cl_raw_key_judge: is the peer's key pinned? UNKNOWN_KEY when it is not. */
CL_MUST cl_result cl_raw_key_judge(struct cleat_tls *tls);

/* cl_raw_key_spki returns the peer's raw key, a SubjectPublicKeyInfo; empty when there is none. */
struct cl_rd cl_raw_key_spki(const struct cleat_tls *tls);

/* cl_peer_pubkey gives the key that the peer's signature is checked with, of its leaf or its own;
 * a view. cl_peer_key_type: of the same, without parsing it. */
CL_MUST cl_result cl_peer_pubkey(const struct cleat_tls *tls, const struct cl_pubkey **out);
enum cl_key_type cl_peer_key_type(const struct cleat_tls *tls);

#endif
