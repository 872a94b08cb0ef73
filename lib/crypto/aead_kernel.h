/* crypto/aead_kernel.h - the code that computes AEAD ciphers, and what it expands keys into.
 *
 * A kernel works on a slot: an expanded key and the kernel's scratch space, so that nothing secret
 * is ever on the stack. Kernels compare tags in constant time and check no lengths: aead.c has.
 */
#ifndef CL_CRYPTO_AEAD_KERNEL_H
#define CL_CRYPTO_AEAD_KERNEL_H

#include <openssl/evp.h>

#include "crypto/aead.h"

/* 1,280: ipsec-mb's struct gcm_key_data, aligned to 64: 1,264 bytes since 2.0, 1,008 before */
#define CL_AEAD_SCHEDULE_LEN 1280
/* 256: the larger of ipsec-mb's contexts, ChaCha20-Poly1305's, has 208 bytes */
#define CL_AEAD_SCRATCH_LEN  256

struct cl_aead_slot {
    _Alignas(64) uint8_t schedule[CL_AEAD_SCHEDULE_LEN];
    _Alignas(64) uint8_t scratch[CL_AEAD_SCRATCH_LEN]; /* of one call */
    uint8_t tag[CL_AEAD_MAX_TAG_LEN];                  /* that a record should have */
    const struct cl_aead_kernel *kernel;
    EVP_CIPHER_CTX **ctx; /* libcrypto's; made when it is needed first, and the cache's to free */
    uint8_t id;
};

struct cl_aead_kernel {
    /* Makes of a key what seal or open needs; the slot's kernel, ctx and id are set. */
    cl_result (*expand)(struct cl_aead_slot *slot, const struct cl_aead_key *key);
    /* Makes libcrypto forget the key; NULL: there is nothing but the slot, which the cache wipes */
    void (*drop)(struct cl_aead_slot *slot);
    bool (*seal)(struct cl_aead_slot *slot, const uint8_t *nonce, struct cl_rd aad,
                 const struct cl_rd *in, size_t num, uint8_t *out);
    /* The tag stands behind len bytes of text. False: it is not right. */
    bool (*open)(struct cl_aead_slot *slot, const uint8_t *nonce, struct cl_rd aad, uint8_t *inout,
                 size_t len);
};

/* libcrypto's; NULL when it does not know the cipher (aead_ossl.c). */
const struct cl_aead_kernel *cl_aead_ossl(enum cl_aead_id id);

/* What there is beside libcrypto, and one line about it (aead_ipsec.c). */
struct cl_aead_table {
    const struct cl_aead_kernel *of[CL_AEAD_COUNT]; /* NULL: libcrypto's */
    char description[160];
};
void cl_aead_ipsec(struct cl_aead_table *table);

/* cl_aead_kernel_well says whether a kernel gives known answers (aead_selftest.c). */
bool cl_aead_kernel_well(const struct cl_aead_kernel *kernel, enum cl_aead_id id);

/* cl_aead_kernel_of: the kernel that the process uses for a cipher; NULL: none (aead.c). */
const struct cl_aead_kernel *cl_aead_kernel_of(enum cl_aead_id id);

/* cl_aead_gather copies the inputs to where their ciphertext goes. */
void cl_aead_gather(uint8_t *out, const struct cl_rd *in, size_t num);

#endif
