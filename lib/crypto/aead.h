/* crypto/aead.h - authenticated encryption.
 *
 * A connection keeps a key as its bytes (struct cl_aead_key). What a cipher makes of them, about a
 * KiB, lies in a small cache of each thread (aead_cache.h) and is made again when it is no longer
 * there: some 0.15 us. Which code computes is chosen once for the process (aead_kernel.h): Intel's
 * ipsec-mb where it is installed, fits the processor and gives known answers, else libcrypto.
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

/* A key for one direction; one thread at a time, but not always the same one. {0} is no key. It may
 * be copied and moved as bytes; each copy is wiped. */
struct cl_aead_key {
    uint64_t serial; /* a number that no other key of the process has; 0: no key */
    uint16_t slot;   /* where the cache of the thread that used it last may have it */
    uint8_t id;
    bool seals; /* else it opens */
    uint8_t bytes[CL_AEAD_MAX_KEY_LEN];
};

/* cl_aead_key_init makes a key of key_len bytes, which it copies. NOMEM (the thread has no cache
 * yet), CRYPTO (libcrypto does not know the cipher); key is {0} then. cl_aead_key_wipe drops it
 * from this thread's cache too. */
CL_MUST cl_result cl_aead_key_init(struct cl_aead_key *key, enum cl_aead_id id,
                                   const uint8_t *bytes, bool seals);
void cl_aead_key_wipe(struct cl_aead_key *key);

/* cl_aead_seal encrypts the concatenation of num inputs and writes ciphertext and tag to out, which
 * has room for all inputs plus tag_len. An input may lie exactly where its ciphertext goes; any
 * other overlap is forbidden. NOMEM, CRYPTO. */
CL_MUST cl_result cl_aead_seal(struct cl_aead_key *key, const uint8_t nonce[CL_AEAD_NONCE_LEN],
                               struct cl_rd aad, const struct cl_rd *in, size_t num, uint8_t *out);

/* cl_aead_open decrypts len bytes (ciphertext and tag) in place; *out_len is len - tag_len.
 * BAD_RECORD_MAC when authentication fails (or len < tag_len): where the ciphertext was there are
 * zeros then. NOMEM, CRYPTO: nothing has been decrypted. */
CL_MUST cl_result cl_aead_open(struct cl_aead_key *key, const uint8_t nonce[CL_AEAD_NONCE_LEN],
                               struct cl_rd aad, uint8_t *inout, size_t len, size_t *out_len);

/* cl_aead_describe says in one line what computes each cipher, in static storage. Any thread. */
const char *cl_aead_describe(void);

/* cl_aead_switch lets libcrypto compute all that is expanded from now on, or ends that. For tests
 * and comparisons. Any thread. */
void cl_aead_switch(bool others_than_libcrypto);

#endif
