/* cleat/tls_options.h - what a TLS configuration can have besides the essentials of cleat/tls.h.
 *
 * Every setter is called between cleat_tls_builder_new() and cleat_tls_builder_finish(), and
 * returns CLEAT_OK, CLEAT_ERR_NOMEM or CLEAT_ERR_BAD_CONFIG (cleat_tls_builder_error tells the
 * detail).
 */
#ifndef CLEAT_TLS_OPTIONS_H
#define CLEAT_TLS_OPTIONS_H

#include <stdbool.h>

#include "cleat/tls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- records --------------------------------------------------------------------------------- */

/* cleat_tls_builder_record_size_limit: the longest record that we are willing to take, 64 to 16,385
 * bytes of plaintext (RFC 8449; in TLS 1.3 content type and padding count, so 16,385 is the
 * protocol's own limit). A client offers the extension when this is set; a server always answers
 * it, and keeps to its client's limit, with 16,385 where this is not set. Longer records are then a
 * record_overflow. */
int cleat_tls_builder_record_size_limit(struct cleat_tls_builder *b, unsigned limit);

/* cleat_tls_builder_padding: pad what is written so that the plaintext of each record, with its
 * content type, is a multiple of this many bytes (RFC 9846 5.4), or as long as a record may be. 0
 * or 1: no padding (default). At most 16,384. Handshake messages and alerts are not padded (but for
 * Encrypted Client Hello, cleat/ech.h); TLS 1.2 cannot pad. It hides lengths within the multiple,
 * not how many records there are, nor when. */
int cleat_tls_builder_padding(struct cleat_tls_builder *b, unsigned multiple);

/* cleat_tls_builder_small_first_records: write records of 1,350 bytes, which fit into a TCP segment
 * each, until 54,000 bytes have been written, and again after a second without writing: so the
 * receiver can decrypt what has arrived while a slow start is still under way. Then records are as
 * long as they may be. Default: off. */
void cleat_tls_builder_small_first_records(struct cleat_tls_builder *b, bool on);

/* cleat_tls_builder_max_fragment: the longest plaintext of a record that we send, 64 to 16,384
 * bytes; 0: as long as the peer takes (default). For receivers with little memory that cannot say
 * so by themselves (RFC 8449), and for short waits on slow lines. Handshake messages are cut too.
 */
int cleat_tls_builder_max_fragment(struct cleat_tls_builder *b, unsigned max);

/* ---- TLS 1.2 -----------------------------------------------------------------------------------
 */

/* cleat_tls_builder_renegotiation_ends: a client of TLS 1.2 that asks for renegotiation is never
 * obeyed. By default a server answers with the warning no_renegotiation (RFC 5246 7.2.2) and goes
 * on, until it has been asked 32 times without data in between; on: the alert is fatal at once. */
void cleat_tls_builder_renegotiation_ends(struct cleat_tls_builder *b, bool on);

/* ---- what a client says ------------------------------------------------------------------------
 */

/* cleat_tls_builder_grease: add reserved values to a client's lists of suites, groups, key shares,
 * versions, signature schemes and extensions (RFC 8701), which every server must ignore.
 * cleat_tls_builder_permute: send a client's extensions in an order drawn anew for each connection.
 * Both keep servers tolerant of what is new; default: on. For a ClientHello that is the same each
 * time: both off. */
void cleat_tls_builder_grease(struct cleat_tls_builder *b, bool on);
void cleat_tls_builder_permute(struct cleat_tls_builder *b, bool on);

/* cleat_tls_builder_resumption: off, a client offers no session, takes none, and asks for no
 * tickets: nobody can recognise it by them (RFC 9846 C.4), and each handshake is a full one.
 * Default: on. */
void cleat_tls_builder_resumption(struct cleat_tls_builder *b, bool on);

/* cleat_tls_builder_ask_tickets: how many session tickets a client wants after a full handshake and
 * after a resumption (RFC 9149), 0 to 8 each. A server with ticket keys sends as many, up to 8,
 * whatever number it is configured to send by itself, if that is not 0. Default: not asked. */
int cleat_tls_builder_ask_tickets(struct cleat_tls_builder *b, unsigned full, unsigned resumed);

/* ---- False Start (RFC 7918) -------------------------------------------------------------------
 */

enum cleat_false_start {
    CLEAT_FALSE_START_OFF,
    CLEAT_FALSE_START_WITH_ALPN, /* where server and client agreed on an ALPN protocol */
    CLEAT_FALSE_START_ALWAYS,
};

/* cleat_tls_builder_false_start: a client of TLS 1.2 may write as soon as its own Finished is out,
 * which saves a round trip, in full handshakes with a forward-secret key exchange and an AEAD with
 * a tag of 16 bytes. Servers that cannot stand it are from before ALPN. Until READY the data has
 * been sent to the holder of the certificate, but whether somebody changed the negotiation on the
 * way is not known yet. Default: off. */
void cleat_tls_builder_false_start(struct cleat_tls_builder *b, enum cleat_false_start mode);

/* cleat_tls_false_started: cleat_tls_write() works although READY is still to come (step until
 * NEEDS_INPUT, then ask). cleat_tls_info() and cleat_tls_export() work too. False after READY. */
bool cleat_tls_false_started(const struct cleat_tls *tls);

/* ---- peers that come again -------------------------------------------------------------------
 */

/* cleat_tls_builder_verify_cache: the peers' chains that verify are remembered in this cache (see
 * cleat/x509.h), of which a reference is taken; NULL, the default: every chain is verified. For
 * servers whose clients show certificates, and for clients that connect to the same names again.
 * Possession of the key is proven in every handshake all the same, and the application's decisions
 * are asked. Chains that the application verifies (CLEAT_DECIDE_PEER) are none of the cache's. */
void cleat_tls_builder_verify_cache(struct cleat_tls_builder *b, struct cleat_verify_cache *cache);

/* ---- what a server chooses -------------------------------------------------------------------
 */

/* cleat_tls_builder_prefer_chacha20: a server takes ChaCha20-Poly1305 before its other suites where
 * the client's list begins with it: clients without AES instructions say so in this way. Default:
 * on; without effect where the configuration has no such suite. */
void cleat_tls_builder_prefer_chacha20(struct cleat_tls_builder *b, bool on);

/* ---- proofs that travel with a certificate ----------------------------------------------------
 */

/* cleat_tls_builder_staple gives the credential added last an OCSP response: a DER OCSPResponse
 * (RFC 6960 4.2.1) of 1 to 65,531 bytes, copied. It is sent with the certificate to peers that ask
 * (RFC 6066 8, RFC 9846 4.5.1.1), as it is: nothing about it is checked. A fresh response needs a
 * new configuration; tickets stay good when binding, trust and ALPN list are the same. BAD_CONFIG
 * without a credential. */
int cleat_tls_builder_staple(struct cleat_tls_builder *b, const uint8_t *response, size_t len);

/* cleat_tls_config_with_staples makes a configuration that differs from another one only in the
 * OCSP responses of some credentials: for servers that fetch new ones while connections use the old
 * configuration, which stays as it is. Certificates, keys and everything that is shared (tickets,
 * caches, anchors, ECH keys) are the same objects, and sessions of one are resumed under the other.
 * A credential is named by its number, from 0, in the order in which they were added; of those not
 * named the response stays what it is. The new one keeps what it needs of the old. CLEAT_OK,
 * CLEAT_ERR_USAGE (no such credential, it has no certificate, or a response of more than 65,531
 * bytes), CLEAT_ERR_LIMIT (together with its timestamps it does not fit into a message),
 * CLEAT_ERR_NOMEM. */
struct cleat_staple {
    size_t credential;
    const uint8_t *response; /* OCSPResponse, copied */
    size_t len;              /* 0: it has none any more */
    uint64_t until_ms;       /* not sent from then on (Unix time, by the configuration's clock); 0:
                                until it is replaced */
};
int cleat_tls_config_with_staples(struct cleat_tls_config *config,
                                  const struct cleat_staple *staples, size_t num,
                                  struct cleat_tls_config **out);

/* cleat_tls_config_chain returns the chain of a credential, by the same number; NULL: a raw public
 * key, or no such credential. The configuration's. */
const struct cleat_chain *cleat_tls_config_chain(const struct cleat_tls_config *config,
                                                 size_t credential);

/* cleat_tls_builder_scts gives the credential added last its certificate's timestamps: a
 * SignedCertificateTimestampList (RFC 6962 3.3) with its outer 16-bit length, copied. BAD_CONFIG
 * for anything that is not such a list, or without a credential. */
int cleat_tls_builder_scts(struct cleat_tls_builder *b, const uint8_t *list, size_t len);

/* cleat_tls_builder_cert_compression: in which algorithms Certificate messages may be compressed
 * (RFC 8879), of us and of the peer, first is preferred: "brotli", "zstd" and "zlib", separated by
 * ':' or ','; "none" for no compression. TLS 1.3 alone. Default: all that the library was built
 * with, in this order. A server compresses its certificates in cleat_tls_builder_finish(), with all
 * that goes along, and once only; a client when it is asked for one. What would save nothing goes
 * out as it is. A peer's is refused when it announces more than 131,400 bytes, or 64 for each byte.
 * CLEAT_OK, CLEAT_ERR_BAD_CONFIG (unknown, or not built in). */
int cleat_tls_builder_cert_compression(struct cleat_tls_builder *b, const char *list);

/* cleat_tls_builder_ask_status: whether to ask the peer for both. Default: clients do, servers do
 * not ask their clients. */
void cleat_tls_builder_ask_status(struct cleat_tls_builder *b, bool ask);

/* cleat_tls_peer_staple returns the OCSP response (DER) that the peer sent for its own certificate,
 * cleat_tls_peer_scts its SignedCertificateTimestampList with its outer length; *len in bytes.
 * NULL, and *len 0, when there is none: not sent, or the handshake was a resumption. There from the
 * moment the application is asked about the peer, until cleat_tls_forget(). Form is checked,
 * content is not. */
const uint8_t *cleat_tls_peer_staple(const struct cleat_tls *tls, size_t *len);
const uint8_t *cleat_tls_peer_scts(const struct cleat_tls *tls, size_t *len);

#ifdef __cplusplus
}
#endif
#endif
