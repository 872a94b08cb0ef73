/* crypto/hash.h - SHA-2 (and SHA-1 for formats that demand it), running and one-shot; HMAC; HKDF.
 *
 * None of these can fail: contexts live in the caller's storage and the algorithms are built in.
 */
#ifndef CL_CRYPTO_HASH_H
#define CL_CRYPTO_HASH_H

#include "base/bytes.h"
#include "base/mem.h"

enum cl_hash_id {
    CL_HASH_NONE = 0,
    CL_HASH_SHA1, /* WebSocket handshakes and OCSP key hashes only; never for a signature */
    CL_HASH_SHA256,
    CL_HASH_SHA384,
    CL_HASH_SHA512,
};

#define CL_HASH_MAX_LEN   64
#define CL_HASH_MAX_BLOCK 128

/* cl_hash_len returns the digest's length in bytes (0 for CL_HASH_NONE), cl_hash_name its name
 * ("SHA-256"). */
size_t cl_hash_len(enum cl_hash_id id);
const char *cl_hash_name(enum cl_hash_id id);

/* A running hash. Copy by assignment. Plain data; wipe it when what was hashed is secret. */
struct cl_hash {
    _Alignas(8) uint8_t state[216]; /* SHA512_CTX, the largest; asserted in hash.c */
    uint8_t id;
};

void cl_hash_init(struct cl_hash *h, enum cl_hash_id id);
void cl_hash_update(struct cl_hash *h, const void *p, size_t len);
/* cl_hash_peek gives the digest of what has been hashed so far and lets the hash run on. */
void cl_hash_peek(const struct cl_hash *h, uint8_t *out);
void cl_hash_once(enum cl_hash_id id, const void *p, size_t len, uint8_t *out);

/* HMAC's two hashes with the padded key already in them, as chaining values: set up once for a key,
 * good for any number of messages. Plain data; secret. */
struct cl_hmac_key {
    _Alignas(8) uint8_t inner[CL_HASH_MAX_LEN];
    _Alignas(8) uint8_t outer[CL_HASH_MAX_LEN];
    uint8_t id;
};

/* cl_hmac_key_init prepares a key; cl_hmac_run computes HMAC (RFC 2104) of the concatenation of num
 * parts with it. */
void cl_hmac_key_init(struct cl_hmac_key *k, enum cl_hash_id id, struct cl_rd key);
void cl_hmac_run(const struct cl_hmac_key *k, const struct cl_rd *parts, size_t num, uint8_t *out);

/* cl_hmac_run_ct computes HMAC of head (shorter than a block, its bytes may be secret) and the
 * first len bytes of data, in time that does not depend on len, only on min_len <= len <= max_len
 * (hash_ct.c). SHA-1, SHA-256 and SHA-384. */
struct cl_ct_text {
    struct cl_rd head;
    const uint8_t *data; /* max_len bytes */
    size_t min_len;
    size_t len; /* secret */
    size_t max_len;
};
void cl_hmac_run_ct(const struct cl_hmac_key *k, const struct cl_ct_text *text, uint8_t *out);

/* cl_hmac computes HMAC (RFC 2104) of the concatenation of num parts. */
void cl_hmac(enum cl_hash_id id, struct cl_rd key, const struct cl_rd *parts, size_t num,
             uint8_t *out);

/* cl_hkdf_extract and cl_hkdf_expand: RFC 5869 2.2, 2.3. out_len is at most 255 digests (asserted
 * by the callers: all lengths are the protocol's own). The _key forms take a salt, and make or take
 * a PRK, that is prepared for several uses. */
void cl_hkdf_extract(enum cl_hash_id id, struct cl_rd salt, struct cl_rd ikm,
                     struct cl_secret *out);
void cl_hkdf_extract_key(const struct cl_hmac_key *salt, struct cl_rd ikm, struct cl_hmac_key *out);
void cl_hkdf_expand(enum cl_hash_id id, struct cl_rd prk, struct cl_rd info, uint8_t *out,
                    size_t out_len);
void cl_hkdf_expand_key(const struct cl_hmac_key *prk, struct cl_rd info, uint8_t *out,
                        size_t out_len);

/* cl_hkdf_expand_label: HKDF-Expand-Label of RFC 9846 7.1. label without its "tls13 " prefix, at
 * most 249 bytes; context at most 255. */
void cl_hkdf_expand_label(enum cl_hash_id id, struct cl_rd secret, const char *label,
                          struct cl_rd context, uint8_t *out, size_t out_len);
void cl_hkdf_expand_label_key(const struct cl_hmac_key *secret, const char *label,
                              struct cl_rd context, uint8_t *out, size_t out_len);

#endif
