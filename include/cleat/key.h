/* cleat/key.h - private keys. */
#ifndef CLEAT_KEY_H
#define CLEAT_KEY_H

#include "cleat/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* struct cleat_key is a private key: immutable, reference-counted, usable from any thread. */
struct cleat_key;

/* cleat_key_from_pem reads the first private key of a PEM text of len bytes: PKCS#8 ("PRIVATE KEY",
 * RFC 5958), SEC1 ("EC PRIVATE KEY", RFC 5915) or PKCS#1 ("RSA PRIVATE KEY", RFC 8017); RSA of at
 * least 2048 bits, RSA-PSS, ECDSA on P-256, P-384 and P-521, Ed25519. Other PEM blocks in front are
 * skipped. *out is the caller's, to be freed with cleat_key_free. Returns CLEAT_OK,
 * CLEAT_ERR_BAD_PEM (no such block, or damaged), CLEAT_ERR_NEEDS_PASSPHRASE (encrypted),
 * CLEAT_ERR_BAD_KEY, CLEAT_ERR_UNSUPPORTED, CLEAT_ERR_NOMEM; err (may be NULL) gets the detail. */
int cleat_key_from_pem(const char *pem, size_t len, struct cleat_key **out,
                       struct cleat_error *err);

/* cleat_key_from_encrypted_pem reads the first private key too, and decrypts it when it is
 * encrypted: PKCS#8 ("ENCRYPTED PRIVATE KEY") with PBES2, or with SHA-1 and 3DES, and PEM's old way
 * ("DEK-Info:"). passphrase: passphrase_len bytes of UTF-8, the caller's to wipe; it is not looked
 * at when the key is not encrypted. Returns what cleat_key_from_pem returns, and
 * CLEAT_ERR_BAD_PASSPHRASE, CLEAT_ERR_LIMIT (the file asks for more than 10,000,000 iterations);
 * CLEAT_ERR_UNSUPPORTED also for encryption that libcrypto has in its legacy provider alone. */
int cleat_key_from_encrypted_pem(const char *pem, size_t len, const char *passphrase,
                                 size_t passphrase_len, struct cleat_key **out,
                                 struct cleat_error *err);

/* cleat_key_ref adds a reference and returns key; cleat_key_free drops one (NULL is fine) and wipes
 * the key with the last. */
struct cleat_key *cleat_key_ref(struct cleat_key *key);
void cleat_key_free(struct cleat_key *key);

/* cleat_key_kind returns what the key is, for people: "RSA", "ECDSA P-256", … Static storage. */
const char *cleat_key_kind(const struct cleat_key *key);

#ifdef __cplusplus
}
#endif
#endif
