/* cleat/tls_auth.h - who is at the other end, beyond the handshake: channel bindings. */
#ifndef CLEAT_TLS_AUTH_H
#define CLEAT_TLS_AUTH_H

#include "cleat/tls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- channel bindings --------------------------------------------------------------------------
 */

enum cleat_channel_binding {
    CLEAT_BINDING_TLS_EXPORTER,         /* RFC 9266: the one to use, 32 bytes */
    CLEAT_BINDING_TLS_UNIQUE,           /* RFC 5929 3: TLS 1.2 alone, 12 bytes */
    CLEAT_BINDING_TLS_SERVER_END_POINT, /* RFC 5929 4: a hash of the server's certificate */
};
/* 64: the longest hash */
#define CLEAT_CHANNEL_BINDING_MAX 64

/* cleat_tls_channel_binding gives the bytes that both ends of this connection, and no other, have
 * in common, for SCRAM and the like. Both ends get the same. CLEAT_ERR_USAGE before READY or after
 * a failure; CLEAT_ERR_UNSUPPORTED where the type is not defined (tls-unique in TLS 1.3,
 * tls-server-end-point with a certificate signed by EdDSA); CLEAT_ERR_NO_CERTIFICATE when the
 * server's certificate is not at hand: a server that resumed, a client after cleat_tls_forget(). */
int cleat_tls_channel_binding(const struct cleat_tls *tls, enum cleat_channel_binding type,
                              uint8_t out[CLEAT_CHANNEL_BINDING_MAX], size_t *len);

#ifdef __cplusplus
}
#endif
#endif
