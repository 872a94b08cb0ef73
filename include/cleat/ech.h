/* cleat/ech.h - Encrypted Client Hello (RFC 9849), both sides.
 *
 * A client that has a server's ECHConfigList (from an HTTPS record, RFC 9848, or from a file) sends
 * the ClientHello that counts, the inner one, encrypted inside of another, the outer one, which
 * names only the server's public name. A server that cannot decrypt it goes on with the outer one:
 * the client then authenticates the public name, and the connection ends with
 * CLEAT_ERR_ECH_REJECTED; cleat_tls_ech_retry_configs() has what the next connection should use.
 */
#ifndef CLEAT_ECH_H
#define CLEAT_ECH_H

#include "cleat/tls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- clients ---------------------------------------------------------------------------------
 */

/* cleat_tls_offer_ech offers ECH on a client connection, before its first step, with the first
 * usable configuration of an ECHConfigList (RFC 9849 4, with its length in front; copied).
 * CLEAT_ERR_BAD_ECH_CONFIG when the list is malformed; CLEAT_ERR_UNSUPPORTED when none of its
 * configurations can be used here, or TLS 1.3 is off: nothing is offered then, and what to do is
 * the caller's decision. CLEAT_ERR_USAGE, CLEAT_ERR_NOMEM. A session of TLS 1.2 is not offered
 * beside ECH. Server name, PSKs and early data go into the inner ClientHello; the ALPN list, the
 * groups and the key share stand in both. */
int cleat_tls_offer_ech(struct cleat_tls *tls, const uint8_t *list, size_t len);

/* cleat_tls_builder_ech_grease: whether a client that offers no ECH sends an extension that looks
 * as if it did (RFC 9849 6.2). Default: as cleat_tls_builder_grease(). */
void cleat_tls_builder_ech_grease(struct cleat_tls_builder *b, bool on);

/* cleat_tls_ech_public_name: after a rejection, the name that the server has to be authenticated
 * for, instead of the connection's (for CLEAT_DECIDE_PEER; the built-in verification does it by
 * itself). NULL otherwise. Owned by the connection. */
const char *cleat_tls_ech_public_name(const struct cleat_tls *tls);

/* cleat_tls_ech_retry_configs returns the ECHConfigList that the server sent with its rejection,
 * once the connection has failed with CLEAT_ERR_ECH_REJECTED: use it for one more connection. NULL,
 * and *len 0, when the server sent none: it has securely switched ECH off, and the next attempt may
 * go without. NULL after any other failure, which says nothing about ECH. Owned by the connection.
 */
const uint8_t *cleat_tls_ech_retry_configs(const struct cleat_tls *tls, size_t *len);

/* ---- both --------------------------------------------------------------------------------------
 */

enum cleat_ech_status {
    CLEAT_ECH_NONE,     /* not offered; of a server: no encrypted_client_hello, or ECH is off */
    CLEAT_ECH_GREASE,   /* client: a dummy was sent */
    CLEAT_ECH_OFFERED,  /* client: not answered yet */
    CLEAT_ECH_ACCEPTED, /* the inner ClientHello is what counts */
    CLEAT_ECH_REJECTED, /* the outer one; of a server: that may have been a dummy */
};

/* cleat_tls_ech_status: at any time; final once a ServerHello is there. */
enum cleat_ech_status cleat_tls_ech_status(const struct cleat_tls *tls);

/* cleat_ech_status_name returns "none", "grease", "offered", "accepted", "rejected". */
const char *cleat_ech_status_name(enum cleat_ech_status status);

/* ---- servers -----------------------------------------------------------------------------------
 */

/* Configurations with their private keys: filled, given to a builder, and not changed afterwards.
 * New keys go into a new configuration of the server (the old ones among them for as long as
 * clients may have them cached). */
struct cleat_ech_keys;

/* 64: a key an hour for two days, and some; 4: of one config_id, each costs a decryption for any
 * client that names it (RFC 9849 4.1 wants them distinct) */
#define CLEAT_ECH_MAX_KEYS    64
#define CLEAT_ECH_MAX_SAME_ID 4

int cleat_ech_keys_new(struct cleat_ech_keys **out);
struct cleat_ech_keys *cleat_ech_keys_ref(struct cleat_ech_keys *keys);
void cleat_ech_keys_free(struct cleat_ech_keys *keys);

/* cleat_ech_keys_add adds an ECHConfig (without the list's length) and its private key as RFC 9180
 * 7.1.2 serializes it; with retry, clients whose ECH is rejected are given it, in the order of
 * adding. CLEAT_ERR_BAD_ECH_CONFIG, CLEAT_ERR_KEY_MISMATCH, CLEAT_ERR_LIMIT, CLEAT_ERR_NOMEM; err
 * (may be NULL) gets the detail. */
int cleat_ech_keys_add(struct cleat_ech_keys *keys, const uint8_t *config, size_t config_len,
                       const uint8_t *private_key, size_t key_len, bool retry,
                       struct cleat_error *err);

/* cleat_ech_keys_add_pem adds what `cleat ech keygen` writes (and OpenSSL, and others:
 * draft-farrell-tls-pemesni): one PRIVATE KEY block, and an ECHCONFIG block with an ECHConfigList,
 * whose configurations of that key are added. Failures as above, CLEAT_ERR_BAD_PEM,
 * CLEAT_ERR_BAD_KEY. */
int cleat_ech_keys_add_pem(struct cleat_ech_keys *keys, const char *text, size_t len, bool retry,
                           struct cleat_error *err);

/* cleat_tls_builder_ech_keys lets a server accept ECH. With CLEAT_DECIDE_CONFIG the keys that count
 * are those of the configuration that the connection begins with, and the question is about the
 * inner ClientHello. The flights of such a server are padded for each client that sends the
 * extension (RFC 9849 6.1.3): to 512 bytes, or with certificates to a multiple of 4,096. A
 * reference is taken; keys that hold none: CLEAT_ERR_BAD_CONFIG. */
int cleat_tls_builder_ech_keys(struct cleat_tls_builder *b, struct cleat_ech_keys *keys);

/* cleat_tls_builder_ech_backend: the server stands behind one that decrypts (RFC 9849 3.1, split
 * mode): it takes inner ClientHellos as they are, and confirms them. By default they are refused.
 */
void cleat_tls_builder_ech_backend(struct cleat_tls_builder *b, bool on);

/* ---- configurations ----------------------------------------------------------------------------
 */

/* 8: HKDF with three hashes and three AEADs make nine, nobody publishes more than three */
#define CLEAT_ECH_MAX_SUITES     8
/* 133: an uncompressed point of P-521, the longest public key of a KEM that is known here */
#define CLEAT_ECH_MAX_PUBLIC_KEY 133

struct cleat_ech_suite {
    uint16_t kdf;  /* RFC 9180 7.2 */
    uint16_t aead; /* RFC 9180 7.3 */
};

/* What goes into a new configuration; 0 and NULL mean the default. */
struct cleat_ech_params {
    const char *public_name; /* required: a DNS name (A-labels) */
    const char *kem;         /* "X25519" (default), "P-256", "P-384", "P-521" */
    struct cleat_ech_suite suites[CLEAT_ECH_MAX_SUITES]; /* default: HKDF-SHA256, AES-128-GCM */
    size_t num_suites;
    uint8_t max_name_len; /* default: 0, not known */
    int config_id;        /* 0 to 255; -1: random */
};

/* cleat_ech_generate makes a key pair and its configuration as PEM, in the form of
 * cleat_ech_keys_add_pem. *out is NUL-terminated and the caller's: cleat_ech_pem_free wipes and
 * frees it. CLEAT_ERR_BAD_CONFIG, CLEAT_ERR_NOMEM, CLEAT_ERR_RANDOM, CLEAT_ERR_CRYPTO. */
int cleat_ech_generate(const struct cleat_ech_params *params, char **out, struct cleat_error *err);
void cleat_ech_pem_free(char *pem);

/* One ECHConfig, for display. Views into the list that was given. */
struct cleat_ech_config {
    const uint8_t *bytes; /* the whole */
    size_t len;
    uint16_t version;     /* 0xfe0d; what follows is there for this one alone */
    const char *unusable; /* why a client of this library passes over it; NULL: it does not */
    uint8_t config_id;
    uint16_t kem;
    const char *kem_name; /* NULL: not known */
    const uint8_t *public_key;
    size_t public_key_len;
    const uint8_t *suites; /* pairs of 16-bit numbers: KDF, AEAD */
    size_t suites_len;
    uint8_t max_name_len;
    const char *public_name; /* not NUL-terminated */
    size_t public_name_len;
    const uint8_t *extensions;
    size_t extensions_len;
};

/* cleat_ech_list_get parses the i-th configuration of an ECHConfigList. CLEAT_OK;
 * CLEAT_ERR_BAD_ECH_CONFIG: the list is malformed, whichever i; CLEAT_ERR_USAGE: past its end. */
int cleat_ech_list_get(const uint8_t *list, size_t len, size_t i, struct cleat_ech_config *out);

/* cleat_ech_kdf_name and cleat_ech_aead_name: "HKDF-SHA256", "AES-128-GCM"; NULL: not known. */
const char *cleat_ech_kdf_name(uint16_t kdf);
const char *cleat_ech_aead_name(uint16_t aead);

#ifdef __cplusplus
}
#endif
#endif
