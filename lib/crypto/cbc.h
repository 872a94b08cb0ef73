/* crypto/cbc.h - AES in CBC mode with HMAC, as records of TLS 1.2 are protected by it (RFC 5246
 * 6.2.3.2, RFC 7366).
 *
 * For peers that have nothing better. Opening is in place, and for MAC-then-encrypt in constant
 * time: whether padding or MAC is wrong, and how long the padding is, can be seen neither in the
 * result nor in the time; only the length of what was received can.
 */
#ifndef CL_CRYPTO_CBC_H
#define CL_CRYPTO_CBC_H

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/hash.h"

#define CL_CBC_BLOCK         16
/* 11: sequence number, type and version; the length follows (RFC 5246 6.2.3.1) */
#define CL_CBC_HEAD          11
/* 320: the IV, the longest MAC, and padding of the greatest length there is */
#define CL_CBC_MAX_EXPANSION (CL_CBC_BLOCK + 48 + 256)

struct cl_cbc; /* a keyed context for one direction; one thread at a time */

struct cl_cbc_params {
    size_t key_len; /* 16 or 32 */
    const uint8_t *key;
    enum cl_hash_id hash;   /* SHA-1, SHA-256 or SHA-384 */
    const uint8_t *mac_key; /* as long as the hash */
    bool encrypt_then_mac;  /* RFC 7366 */
    bool seal;
};

/* cl_cbc_new makes a context; the keys are copied. NOMEM, CRYPTO. The caller frees it, which wipes
 * the keys. */
CL_MUST cl_result cl_cbc_new(struct cl_cbc **out, const struct cl_cbc_params *params);
void cl_cbc_free(struct cl_cbc *c);

/* cl_cbc_overhead returns what sealing adds at most; cl_cbc_sealed_len how long len bytes become.
 */
size_t cl_cbc_overhead(const struct cl_cbc *c);
size_t cl_cbc_sealed_len(const struct cl_cbc *c, size_t len);

/* cl_cbc_seal writes IV, ciphertext and MAC of text to out, cl_cbc_sealed_len bytes, with as little
 * padding as possible. iv has been drawn at random. text must not overlap out. CRYPTO. */
CL_MUST cl_result cl_cbc_seal(struct cl_cbc *c, const uint8_t head[CL_CBC_HEAD],
                              const uint8_t iv[CL_CBC_BLOCK], struct cl_rd text, uint8_t *out);

/* cl_cbc_open decrypts len bytes in place; the text is *out_len bytes at CL_CBC_BLOCK. Whatever is
 * wrong with them: BAD_RECORD_MAC, and the bytes are undefined. */
CL_MUST cl_result cl_cbc_open(struct cl_cbc *c, const uint8_t head[CL_CBC_HEAD], uint8_t *inout,
                              size_t len, size_t *out_len);

#endif
