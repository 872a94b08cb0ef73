/* crypto/aead.h - authenticated encryption with a key that is set once.
 *
 * Nonces are 12 bytes and the caller's to keep unique. Sealing gathers from several places and may
 * write over its only input; opening is in place.
 */
#ifndef CL_CRYPTO_AEAD_H
#define CL_CRYPTO_AEAD_H

#include "base/bytes.h"
#include "base/result.h"

enum cl_aead_id {
    CL_AEAD_AES_128_GCM = 0,
    CL_AEAD_AES_256_GCM,
    CL_AEAD_CHACHA20_POLY1305,
    CL_AEAD_AES_128_CCM,
    CL_AEAD_AES_128_CCM_8,
    CL_AEAD_AES_256_CCM,
    CL_AEAD_AES_256_CCM_8,
    CL_AEAD_COUNT,
};

#define CL_AEAD_NONCE_LEN   12
#define CL_AEAD_MAX_KEY_LEN 32
#define CL_AEAD_MAX_TAG_LEN 16

struct cl_aead_info {
    const char *name;
    uint8_t key_len;
    uint8_t tag_len;
    /* Records of full size that may be sealed under one key (RFC 9846 5.5). */
    uint64_t max_records;
};

const struct cl_aead_info *cl_aead_info(enum cl_aead_id id);

struct cl_aead; /* a keyed context; one thread at a time */

/* cl_aead_new makes a context for sealing (seal) or opening with a key of key_len bytes, which it
 * copies. NOMEM, CRYPTO. The caller frees it; freeing wipes the key. */
CL_MUST cl_result cl_aead_new(struct cl_aead **out, enum cl_aead_id id, const uint8_t *key,
                              bool seal);
void cl_aead_free(struct cl_aead *a);

/* cl_aead_seal encrypts the concatenation of num inputs and writes ciphertext and tag to out, which
 * has room for all inputs plus tag_len. An input may lie exactly where its ciphertext goes; any
 * other overlap is forbidden. CRYPTO. */
CL_MUST cl_result cl_aead_seal(struct cl_aead *a, const uint8_t nonce[CL_AEAD_NONCE_LEN],
                               struct cl_rd aad, const struct cl_rd *in, size_t num, uint8_t *out);

/* cl_aead_open decrypts len bytes (ciphertext and tag) in place; *out_len is len - tag_len.
 * BAD_RECORD_MAC when authentication fails (or len < tag_len); the bytes are then undefined and
 * must not be used. */
CL_MUST cl_result cl_aead_open(struct cl_aead *a, const uint8_t nonce[CL_AEAD_NONCE_LEN],
                               struct cl_rd aad, uint8_t *inout, size_t len, size_t *out_len);

#endif
