/* crypto/mb.h - Intel's crypto_mb: kernels that do an operation for eight connections at once.
 *
 * The library is not linked: it is loaded at the first use, if it is installed and the processor
 * has AVX-512 IFMA, and each family of kernels must give known answers before it is used
 * (docs/decisions/0038-crypto-mb.md). Only batch.c and pool.c call the functions below.
 *
 * A kernel takes eight lanes. What a lane says is a promise in one direction: a lane that reports
 * success is right; what any other lane's outcome is, the single path (libcrypto) decides. So
 * errors are the same with and without, and a wrong lane costs time but decides nothing.
 */
#ifndef CL_CRYPTO_MB_H
#define CL_CRYPTO_MB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CL_LANES        8
#define CL_ALL_LANES    0xffU /* a bit for each */
/* 6 words, 48 bytes: P-384, the largest curve that is used */
#define CL_MB_EC_WORDS  6
#define CL_MB_EC_BYTES  48
/* 64 words, 512 bytes: RSA-4096 */
#define CL_MB_RSA_WORDS 64
#define CL_MB_RSA_BYTES 512

typedef uint32_t cl_mb_status; /* four bits a lane, 0: well */
typedef const uint64_t *const cl_mb_words[CL_LANES];
typedef const uint8_t *const cl_mb_bytes[CL_LANES];

/* Kernels of a NIST curve. Numbers are little-endian words; digests, r, s and secrets big-endian
 * bytes as long as the field. z NULL: affine. */
struct cl_mb_curve {
    size_t len; /* bytes of a field element */
    const uint8_t *prime;
    const uint8_t *order; /* both big-endian */
    cl_mb_status (*public_key)(uint64_t *const x[], uint64_t *const y[], uint64_t *const z[],
                               cl_mb_words scalar, uint8_t *scratch);
    cl_mb_status (*ecdh)(uint8_t *const secret[], cl_mb_words scalar, cl_mb_words x, cl_mb_words y,
                         const uint64_t *const z[], uint8_t *scratch);
    cl_mb_status (*setup)(uint64_t *const inverse[], uint64_t *const r[], cl_mb_words nonce,
                          uint8_t *scratch);
    cl_mb_status (*complete)(uint8_t *const r[], uint8_t *const s[], cl_mb_bytes digest,
                             cl_mb_words r_ahead, cl_mb_words inverse, cl_mb_words key,
                             uint8_t *scratch);
    cl_mb_status (*verify)(cl_mb_bytes r, cl_mb_bytes s, cl_mb_bytes digest, cl_mb_words x,
                           cl_mb_words y, const uint64_t *const z[], uint8_t *scratch);
};

struct cl_mb_rsa {
    const void *(*private_method)(int bits);
    const void *(*public_method)(int bits);
    int (*scratch_len)(const void *method);
    cl_mb_status (*private_crt)(cl_mb_bytes in, uint8_t *const out[], cl_mb_words p, cl_mb_words q,
                                cl_mb_words dp, cl_mb_words dq, cl_mb_words iq, int bits,
                                const void *method, uint8_t *scratch);
    cl_mb_status (*public_65537)(cl_mb_bytes in, uint8_t *const out[], cl_mb_words n, int bits,
                                 const void *method, uint8_t *scratch);
};

struct cl_mb {
    bool has_x25519; /* the family is loaded and gives known answers */
    bool has_p256;
    bool has_p384;
    bool has_rsa;
    cl_mb_status (*x25519_public)(uint8_t *const out[], cl_mb_bytes scalar);
    cl_mb_status (*x25519)(uint8_t *const secret[], cl_mb_bytes scalar, cl_mb_bytes peer);
    struct cl_mb_curve p256;
    struct cl_mb_curve p384;
    struct cl_mb_rsa rsa;
};

/* cl_mb returns the kernels that this process may use, or NULL: not built, not installed, not for
 * this processor, or switched off. Any thread. */
const struct cl_mb *cl_mb(void);

/* cl_mb_switch turns the kernels off and on again for the process; cl_mb_describe says what there
 * is or why there is nothing, in static storage. */
void cl_mb_switch(bool on);
const char *cl_mb_describe(void);

/* cl_mb_selftest clears the has_ flags of families that do not give known answers. */
void cl_mb_selftest(struct cl_mb *mb);

/* cl_mb_words_of turns len big-endian bytes (a multiple of 8) into words. */
void cl_mb_words_of(uint64_t *out, const uint8_t *in, size_t len);

/* cl_mb_below says whether a < b, numbers of len big-endian bytes, in constant time; cl_mb_in_range
 * whether 0 < a < b. */
bool cl_mb_below(const uint8_t *a, const uint8_t *b, size_t len);
bool cl_mb_in_range(const uint8_t *a, const uint8_t *b, size_t len);

/* ---- operations on eight lanes; each returns a bit for each lane that is well ---- */

/* A key pair: X25519 uses 32 bytes of each, a NIST curve len of scalar and 1 + 2 * len of share. */
struct cl_mb_pair {
    uint8_t scalar[CL_MB_EC_BYTES];
    uint8_t share[1 + 2 * CL_MB_EC_BYTES];
};

/* A key agreement: scalar and peer as in a pair; peer's length has been checked. X25519: peer NULL
 * is the base point, so that the secret is the share that belongs to the scalar. */
struct cl_mb_agreement {
    const uint8_t *scalar;
    const uint8_t *peer;
    uint8_t secret[CL_MB_EC_BYTES];
};

/* The half of an ECDSA signature that depends on neither key nor message. */
struct cl_mb_nonce {
    uint64_t inverse[CL_MB_EC_WORDS];
    uint64_t r[CL_MB_EC_WORDS];
};

/* curve NULL: X25519. */
unsigned cl_mb_make_pairs(const struct cl_mb *mb, const struct cl_mb_curve *curve,
                          struct cl_mb_pair pairs[CL_LANES]);
unsigned cl_mb_agree(const struct cl_mb *mb, const struct cl_mb_curve *curve,
                     struct cl_mb_agreement lanes[CL_LANES]);

struct cl_mb_signature {
    const uint64_t *key;
    const struct cl_mb_nonce *nonce;
    uint8_t digest[CL_MB_EC_BYTES]; /* the number that is signed, as long as the order */
    uint8_t r[CL_MB_EC_BYTES];
    uint8_t s[CL_MB_EC_BYTES];
    uint64_t x[CL_MB_EC_WORDS]; /* of the public key, for verification */
    uint64_t y[CL_MB_EC_WORDS];
};

/* cl_mb_make_nonces overwrites the scalars with what they become. */
unsigned cl_mb_make_nonces(const struct cl_mb_curve *curve, uint8_t scalars[][CL_MB_EC_BYTES],
                           struct cl_mb_nonce nonces[CL_LANES]);
unsigned cl_mb_sign(const struct cl_mb_curve *curve, struct cl_mb_signature lanes[CL_LANES]);
unsigned cl_mb_verify(const struct cl_mb_curve *curve, struct cl_mb_signature lanes[CL_LANES]);

#endif
