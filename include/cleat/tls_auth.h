/* cleat/tls_auth.h - who is at the other end, beyond the handshake: a client's certificate that is
 * asked for later, pins, and channel bindings. */
#ifndef CLEAT_TLS_AUTH_H
#define CLEAT_TLS_AUTH_H

#include "cleat/tls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- which certificates ------------------------------------------------------------------------
 */

/* cleat_tls_builder_authorities: the names of authorities that a server sends with its request for
 * a client's certificate (RFC 9846 4.3.4), instead of the subjects of its trust set: each a DER
 * Name, copied. With num 0 it names none, which means any. What is trusted does not change.
 * BAD_CONFIG for what is no DER sequence, and for more than 16,384 bytes in all. */
struct cleat_name {
    const uint8_t *der;
    size_t len;
};
int cleat_tls_builder_authorities(struct cleat_tls_builder *b, const struct cleat_name *names,
                                  size_t num);

/* cleat_tls_builder_insist_on_credential: a client that has credentials, and meets a server that
 * asks for a certificate and takes none of them, fails with CLEAT_ERR_NO_SHARED_SIGNATURE
 * (handshake_failure), whose text names what the server takes and what there is. Default: it
 * answers with none and lets the server decide (RFC 9846 4.5.1.3). */
void cleat_tls_builder_insist_on_credential(struct cleat_tls_builder *b, bool on);

/* ---- pins --------------------------------------------------------------------------------------
 */

/* cleat_tls_builder_pin: a client demands that the server's key is one of those that are pinned,
 * whatever else is verified (RFC 7469 2.6, as curl's --pinnedpubkey): the key of its certificate,
 * not of any issuer, or its raw public key. "sha256//" and the base64 of the SHA-256 of the key's
 * SubjectPublicKeyInfo (RFC 7469 2.4); cleat_tls_builder_pin_key: the same for a whole
 * SubjectPublicKeyInfo in DER. May be repeated: any of them will do, so give the next key's pin as
 * well (a backup), or a server that has to change its key is out of reach.
 *
 * It is looked at before anything else about the server's key, also before CLEAT_DECIDE_PEER, and
 * fails with CLEAT_ERR_PIN_MISMATCH (certificate_unknown). It makes nothing trusted that is not:
 * the chain is verified all the same, a raw public key needs cleat_tls_builder_raw_pin() or the
 * application's decision. A session is resumed only under the pins that it was made with. When the
 * server rejects ECH the connection ends in any case, and its certificate for the public name is
 * not compared (RFC 9849 6.1.7).
 *
 * CLEAT_OK, CLEAT_ERR_BAD_CONFIG (not a pin, not a key), CLEAT_ERR_LIMIT (more than 64),
 * CLEAT_ERR_NOMEM. finish refuses pins for a server, and beside external PSKs, with which a server
 * shows no key. */
int cleat_tls_builder_pin(struct cleat_tls_builder *b, const char *pin);
int cleat_tls_builder_pin_key(struct cleat_tls_builder *b, const uint8_t *spki, size_t len);

/* ---- ending a connection with an alert ----------------------------------------------------------
 */

/* cleat_tls_abort ends the connection with a fatal alert (RFC 9846 6.2) and a reason: for what only
 * the application can see, as a certificate that was revoked meanwhile (access_denied, 49). The
 * alert is appended to io->out, now or, where there is no room, by the next cleat_tls_step();
 * nothing else can be sent or received any more, and cleat_tls_error() has the reason. At any time.
 * CLEAT_ERR_CLOSED after a failure or cleat_tls_close(); CLEAT_ERR_USAGE for close_notify (0) and
 * user_canceled (90), which are no errors. */
int cleat_tls_abort(struct cleat_tls *tls, struct cleat_tls_io *io, uint8_t alert,
                    const char *reason);

/* ---- after the handshake ------------------------------------------------------------------------
 */

/* cleat_tls_builder_late_auth: post-handshake client authentication (RFC 9846 4.7.2), TLS 1.3 only.
 * A client offers it, and answers with its credential that fits, or with none; a server may ask,
 * and needs anchors or CLEAT_DECIDE_PEER. Default: off. It costs 224 bytes a connection. Not for
 * HTTP/2 (RFC 9113 9.2.3): where that was agreed on, a client refuses to be asked. */
void cleat_tls_builder_late_auth(struct cleat_tls_builder *b, bool on);

/* cleat_tls_request_certificate: a server asks its client for a certificate now; the request goes
 * out with the next cleat_tls_step() or cleat_tls_write(). While the answer is waited for, data
 * flows as before. It is verified like one in the handshake (by the configuration's anchors, or by
 * a CLEAT_DECIDE_PEER decision), with jobs; then cleat_tls_info() says peer_authenticated, and
 * cleat_tls_peer_cert() tells by whom. From the answer's first message until its end the client
 * counts as not authenticated, and with an empty answer it stays so, whatever it was before; where
 * required, an empty answer ends the connection (certificate_required).
 *
 * CLEAT_ERR_USAGE: not a server, before READY, or a request is still unanswered.
 * CLEAT_ERR_UNSUPPORTED: the client did not offer it, TLS 1.2, HTTP/2, or it is not switched on.
 * CLEAT_ERR_CLOSED, CLEAT_ERR_NOMEM, CLEAT_ERR_RANDOM. */
int cleat_tls_request_certificate(struct cleat_tls *tls, bool required);

/* cleat_tls_certificate_pending tells whether such a request still waits for the end of its answer.
 */
bool cleat_tls_certificate_pending(const struct cleat_tls *tls);

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
 * tls-server-end-point with a certificate signed by EdDSA or a raw public key);
 * CLEAT_ERR_NO_CERTIFICATE when the server's certificate is not at hand: a server that resumed, a
 * client after cleat_tls_forget(). */
int cleat_tls_channel_binding(const struct cleat_tls *tls, enum cleat_channel_binding type,
                              uint8_t out[CLEAT_CHANNEL_BINDING_MAX], size_t *len);

#ifdef __cplusplus
}
#endif
#endif
