/* cleat/tls_rawkey.h - raw public keys (RFC 7250): a peer shows its bare key, a
 * SubjectPublicKeyInfo, in place of a certificate. TLS 1.3 and 1.2, servers and clients.
 *
 * A bare key says nothing about who holds it. It is trusted when the configuration pins it, or when
 * the application takes the decision over (CLEAT_DECIDE_PEER); there is no third way. Names are not
 * verified: a pinned key is the identity. A session that a raw key made is resumed only under a
 * configuration with the same types and pins.
 */
#ifndef CLEAT_TLS_RAWKEY_H
#define CLEAT_TLS_RAWKEY_H

#include "cleat/tls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a Certificate message holds; numbers of IANA's registry "TLS Certificate Types". */
enum cleat_cert_type {
    CLEAT_CERT_TYPE_X509 = 0,
    CLEAT_CERT_TYPE_RAW_PUBLIC_KEY = 2,
};

/* ---- ours -------------------------------------------------------------------------------------
 */

/* cleat_tls_builder_raw_key adds a credential without a certificate: the key's public half is what
 * the peer is shown. It stands beside those of cleat_tls_builder_credential() and is used only for
 * a peer that says it takes raw public keys (server_certificate_type, client_certificate_type); a
 * server that has both kinds follows the client's order, or its own with
 * cleat_tls_builder_credentials_in_order(). cleat_tls_builder_credential_signatures() applies to
 * it, staples and SCTs do not. A reference to key is taken. CLEAT_OK, CLEAT_ERR_LIMIT,
 * CLEAT_ERR_NOMEM. */
int cleat_tls_builder_raw_key(struct cleat_tls_builder *b, struct cleat_key *key);

/* cleat_tls_builder_own_types: clients: the types that client_certificate_type offers, in order of
 * preference (RFC 7250 4.1). Default: those of the credentials, in their order. 1 or 2 types, none
 * twice, else CLEAT_ERR_BAD_CONFIG. */
int cleat_tls_builder_own_types(struct cleat_tls_builder *b, const enum cleat_cert_type *types,
                                size_t num);

/* ---- the peer's -------------------------------------------------------------------------------
 */

/* cleat_tls_builder_peer_types: what is taken from the peer, in order of preference. Default: X.509
 * certificates alone. A client offers the list in server_certificate_type; a server that asks for a
 * client's certificate takes the first that the client offers too, and refuses a client that offers
 * none (unsupported_certificate). 1 or 2 types, none twice, else CLEAT_ERR_BAD_CONFIG. With raw
 * public keys in the list, finish demands pins or CLEAT_DECIDE_PEER; with X.509 in it, anchors or
 * CLEAT_DECIDE_PEER; pins together with CLEAT_DECIDE_PEER are refused, because nobody would look at
 * them. */
int cleat_tls_builder_peer_types(struct cleat_tls_builder *b, const enum cleat_cert_type *types,
                                 size_t num);

/* cleat_tls_builder_raw_pin adds a key to those that are trusted: "sha256//" and the base64 of the
 * SHA-256 of its SubjectPublicKeyInfo, the form of RFC 7469 and of curl's --pinnedpubkey.
 * cleat_tls_builder_raw_pin_key: the same for a whole SubjectPublicKeyInfo in DER. May be repeated:
 * a peer that changes keys has two for a while. CLEAT_OK, CLEAT_ERR_BAD_CONFIG (not a pin, not a
 * key), CLEAT_ERR_LIMIT (more than 64), CLEAT_ERR_NOMEM. */
int cleat_tls_builder_raw_pin(struct cleat_tls_builder *b, const char *pin);
int cleat_tls_builder_raw_pin_key(struct cleat_tls_builder *b, const uint8_t *spki, size_t len);

/* cleat_tls_peer_raw_key returns the SubjectPublicKeyInfo that the peer has shown, or NULL when it
 * has shown a certificate or nothing; also in the CLEAT_DECIDE_PEER, CLEAT_DECIDE_IDENTITY and
 * CLEAT_DECIDE_RESUMED decisions, and after a resumption. A view that lives until the connection,
 * or cleat_tls_forget(), ends it. cleat_tls_peer_cert() and cleat_tls_peer_leaf() know no raw
 * keys, and there is no verdict on one. */
const uint8_t *cleat_tls_peer_raw_key(const struct cleat_tls *tls, size_t *len);

/* ---- pins -------------------------------------------------------------------------------------
 */

/* 52: "sha256//", 44 characters */
#define CLEAT_RAW_PIN_LEN 52

/* cleat_raw_key_pin writes the pin of a SubjectPublicKeyInfo with its NUL; cleat_key_pin that of a
 * private key's public half. */
void cleat_raw_key_pin(const uint8_t *spki, size_t len, char out[CLEAT_RAW_PIN_LEN + 1]);
void cleat_key_pin(const struct cleat_key *key, char out[CLEAT_RAW_PIN_LEN + 1]);

#ifdef __cplusplus
}
#endif
#endif
