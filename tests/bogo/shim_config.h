/* tests/bogo/shim_config.h - from options to a configuration of the engine. */
#ifndef BOGO_SHIM_CONFIG_H
#define BOGO_SHIM_CONFIG_H

#include "bogo/shim_flags.h"
#include "cleat/tls.h"

/* What all connections of the process share. */
struct shim_state {
    struct cleat_ticket_keys *ticket_keys;
    struct cleat_session_cache *cache; /* server: sessions of TLS 1.2 by ID */
    struct cleat_tls_session *session; /* client: to be offered next */
    struct cleat_tls_session *offered; /* client: in this connection */
    uint64_t start_ms;                 /* the clock stands still, but for -resumption-delay */
    uint64_t delay_ms;
    uint16_t peer_scheme; /* of the newest full handshake */
    uint16_t group;
    struct shim_list peer_prefs;     /* the peer's signature_algorithms */
    uint8_t last_received;           /* type of the newest handshake message */
    struct shim_bytes request_names; /* of the newest CertificateRequest: DistinguishedName[] */
    struct shim_bytes request_types; /* ClientCertificateType[] of TLS 1.2 */
    uint8_t secrets[2][64];          /* newest application traffic secrets: client's, server's */
    size_t secret_len;
    char early_why[120];      /* what the server said about early data */
    long age_skew;            /* seconds that the client's idea of its ticket's age is ahead */
    struct shim_bytes staple; /* of the newest full handshake */
    struct shim_bytes scts;
    uint8_t sent_leaf[32]; /* SHA-256 of the leaf, or raw public key, that we sent last */
    bool has_sent_leaf;
};

/* shim_make_config exits with 89 when the options ask for what the engine cannot do. */
struct cleat_tls_config *shim_make_config(const struct shim_options *o, struct shim_state *state);

/* shim_read_file returns the contents with a NUL behind them, or exits; the caller's to free. */
char *shim_read_file(const char *path, size_t *len);

/* shim_copy: the process's, to its end. */
struct shim_bytes shim_copy(const uint8_t *p, size_t len);

/* shim_fingerprint: SHA-256 of what a credential shows: its leaf, or its raw public key. */
void shim_fingerprint(const struct shim_credential *c, uint8_t out[32]);

/* shim_names_of_hex: DER names in hexadecimal, separated by commas, as DistinguishedName[]; what
 * begins with '<' is none. The process's, to its end. */
struct shim_bytes shim_names_of_hex(const char *text);

/* shim_fail prints and exits with 1. */
_Noreturn void shim_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
