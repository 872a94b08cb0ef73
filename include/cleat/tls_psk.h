/* cleat/tls_psk.h - external pre-shared keys: secrets that both ends were given beforehand (RFC
 * 9846 2.2, 4.3.11), raw or through the importer (RFC 9258). Raw ones can be used in TLS 1.2 too
 * (RFC 5489, RFC 4279), by cipher suites that are off until cleat_tls_builder_ciphers names them:
 * ECDHE-PSK-AES128-GCM-SHA256, ECDHE-PSK-AES256-GCM-SHA384, ECDHE-PSK-CHACHA20-POLY1305; and under
 * the profile legacy those with AES-CBC or without ECDHE. A client uses its first raw PSK there.
 *
 * A PSK authenticates both ends: there are no certificates in such a handshake. RFC 9257 says how
 * to use them: one key for each pair of peers, with full entropy, never a password; import them.
 */
#ifndef CLEAT_TLS_PSK_H
#define CLEAT_TLS_PSK_H

#include "cleat/tls.h"

#ifdef __cplusplus
extern "C" {
#endif

enum cleat_psk_hash {
    CLEAT_PSK_SHA256, /* RFC 9846 4.3.11: the default where a PSK was made without one */
    CLEAT_PSK_SHA384,
};

struct cleat_psk {
    const uint8_t *identity; /* 1 to 1,024 bytes; it travels in clear */
    size_t identity_len;
    const uint8_t *key; /* 16 to 64 bytes */
    size_t key_len;
    enum cleat_psk_hash hash; /* raw: of the suites that it is used with; imported: its KDF's */
    const uint8_t *context;   /* imported: what both ends bind it to, as their names; or NULL */
    size_t context_len;       /* at most 1,024 */
};

/* cleat_tls_builder_psk adds a raw PSK, cleat_tls_builder_psk_imported one that is used through the
 * importer, with either hash. What *psk points to is copied, and wiped with the configuration. A
 * client offers the first 8 identities (an imported PSK has two), behind a session's ticket; a
 * server takes the first that it knows, at most 4,096 in all. For keys in a database a server
 * answers CLEAT_DECIDE_CONFIG with a configuration that has the one key. Without a certificate (a
 * server) or anchors (a client) PSKs are all that a configuration can do. BAD_CONFIG for lengths
 * out of range and identities given twice. A server that requires client certificates takes no PSK,
 * and none issues tickets after one: they would not say who the client is. */
int cleat_tls_builder_psk(struct cleat_tls_builder *b, const struct cleat_psk *psk);
int cleat_tls_builder_psk_imported(struct cleat_tls_builder *b, const struct cleat_psk *psk);

/* cleat_tls_builder_psk_modes: with (EC)DHE (default) or without, which gives up forward secrecy:
 * whoever learns the PSK later reads what was recorded. A server that allows both prefers (EC)DHE;
 * tickets are always used with it. */
enum cleat_psk_mode {
    CLEAT_PSK_DHE_KE = 1,
    CLEAT_PSK_KE = 2,
};
int cleat_tls_builder_psk_modes(struct cleat_tls_builder *b, unsigned modes);

/* cleat_tls_builder_psk_hint: what a server of TLS 1.2 tells its clients about the identity that it
 * wants, in clear, at most 128 bytes (RFC 4279 5.2: SHOULD NOT, unless both ends have agreed on its
 * meaning). Default: nothing. Our clients ignore hints. */
int cleat_tls_builder_psk_hint(struct cleat_tls_builder *b, const uint8_t *hint, size_t len);

/* cleat_tls_psk_identity returns the identity, as it was given to the builder, of the external PSK
 * that the handshake used (a server of TLS 1.2: or the session that it resumed), and its length;
 * NULL and 0 when it used none. Lives as long as the
 * connection. */
const uint8_t *cleat_tls_psk_identity(const struct cleat_tls *tls, size_t *len);

#ifdef __cplusplus
}
#endif
#endif
