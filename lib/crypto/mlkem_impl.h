/* crypto/mlkem_impl.h - between the files of ML-KEM: polynomials, their sampling, the ways of
 * computing, both implementations. */
#ifndef CL_CRYPTO_MLKEM_IMPL_H
#define CL_CRYPTO_MLKEM_IMPL_H

#include <openssl/evp.h>

#include "crypto/keccak.h"
#include "crypto/mlkem.h"

#define CL_MLKEM_N         256
#define CL_MLKEM_Q         3329
#define CL_MLKEM_MAX_K     4
/* FIPS 203 table 2: eta2 and the larger eta1 */
#define CL_MLKEM_ETA2      2
#define CL_MLKEM_ETA3      3
#define CL_MLKEM_HASH      32  /* rho, sigma, z, H(ek): all seeds and digests have one length */
#define CL_MLKEM_BLOCK     168 /* of SHAKE128 */
/* y, e1 and e2 of an encryption */
#define CL_MLKEM_MAX_NOISE (2 * CL_MLKEM_MAX_K + 1)

/* ---- polynomials (mlkem_ring.h); constant time ---- */

/* 256 coefficients modulo q. */
struct cl_poly {
    _Alignas(64) int16_t c[CL_MLKEM_N];
};

/* A polynomial of the NTT domain that others are multiplied with: what the even and the odd
 * coefficients of products need of it. */
struct cl_factor {
    _Alignas(64) int16_t even[CL_MLKEM_N];
    _Alignas(64) int16_t odd[CL_MLKEM_N];
};

/* ByteEncode of 12 bits (FIPS 203 4.2.1), in bytes */
#define CL_MLKEM_POLY_LEN 384

/* Polynomials are reduced, to [0, q), where nothing else is said. */
struct cl_poly_ops {
    /* Takes coefficients between -q and q. */
    void (*ntt)(struct cl_poly *p);
    /* Takes what multiply_sum gives, and takes its factor 1/R out again. */
    void (*inv_ntt)(struct cl_poly *p);
    /* The sum of num products a[i] * b[i] / R, between -q and q; R is 2^16, num at most MAX_K. */
    void (*make_factor)(struct cl_factor *f, const struct cl_poly *p);
    void (*multiply_sum)(struct cl_poly *out, const struct cl_poly *a, const struct cl_factor *b,
                         unsigned num);
    /* Takes the factor out of a sum that stays in the NTT domain. */
    void (*times_r)(struct cl_poly *p);
    /* The other one may be between -q and q. sub_from: p = from - p. */
    void (*add)(struct cl_poly *to, const struct cl_poly *p);
    void (*sub_from)(struct cl_poly *p, const struct cl_poly *from);
    /* ByteEncode and ByteDecode of 12 bits. Decoding says whether all coefficients were reduced. */
    void (*encode)(uint8_t *out, const struct cl_poly *p);
    bool (*decode)(struct cl_poly *p, const uint8_t *in);
    /* ByteEncode(Compress()) and Decompress(ByteDecode()) of 1, 4, 5, 10 or 11 bits: 32 * bits
     * bytes. */
    void (*compress)(uint8_t *out, const struct cl_poly *p, unsigned bits);
    void (*decompress)(struct cl_poly *p, const uint8_t *in, unsigned bits);
    /* SamplePolyCBD of 64 * eta bytes; between -eta and eta. */
    void (*sample_noise)(struct cl_poly *p, const uint8_t *in, unsigned eta);
    /* SampleNTT of a block of SHAKE128, of which 8 bytes more can be read; num coefficients are
     * there already. Returns how many there are now. */
    unsigned (*sample_uniform)(struct cl_poly *p, unsigned num, const uint8_t *block);
};

extern const struct cl_poly_ops cl_poly_portable;
#ifdef CL_KECCAK_X86
extern const struct cl_poly_ops cl_poly_avx2;
extern const struct cl_poly_ops cl_poly_avx512;
#endif

/* ---- ways of computing (mlkem_way.c) ---- */

struct cl_mlkem_way {
    const struct cl_keccak *one;    /* one sponge */
    const struct cl_keccak *matrix; /* many short ones, perhaps a long one beside them */
    const struct cl_keccak *noise;  /* up to MAX_NOISE short ones */
    const struct cl_poly_ops *poly;
};

/* cl_mlkem_way returns how our own code computes in this process, the fastest way that the
 * processor has and that gave known answers; NULL: not even the portable one did. */
const struct cl_mlkem_way *cl_mlkem_way(void);
/* cl_mlkem_way_well says whether a way gives known answers (mlkem_selftest.c). */
bool cl_mlkem_way_well(const struct cl_mlkem_way *way);

/* ---- hashes and sampling (mlkem_hash.c) ---- */

/* H and G: FIPS 203 4.1. */
void cl_mlkem_h(const struct cl_mlkem_way *way, struct cl_rd in, uint8_t out[CL_MLKEM_HASH]);
void cl_mlkem_g(const struct cl_mlkem_way *way, struct cl_rd a, struct cl_rd b,
                uint8_t out[2 * CL_MLKEM_HASH]);

/* What is hashed while the matrix is made: H, or J, of a and b. */
struct cl_mlkem_beside {
    struct cl_rd a;
    struct cl_rd b;
    bool is_shake;
    uint8_t *out; /* CL_MLKEM_HASH bytes */
};

/* cl_mlkem_matrix: k * k polynomials of the NTT domain, row by row, of rho, which is public. */
void cl_mlkem_matrix(const struct cl_mlkem_way *way, const struct cl_mlkem_set *set,
                     struct cl_poly *out, const uint8_t rho[CL_MLKEM_HASH], bool transposed,
                     const struct cl_mlkem_beside *beside);

/* cl_mlkem_noise: num small polynomials of PRF(seed, 0), PRF(seed, 1), ..., the first num_eta1 of
 * them with eta1, the rest with eta2. */
struct cl_mlkem_noise {
    const uint8_t *seed; /* CL_MLKEM_HASH bytes */
    uint8_t num;
    uint8_t num_eta1;
    uint8_t eta1;
};
void cl_mlkem_noise(const struct cl_mlkem_way *way, const struct cl_mlkem_noise *noise,
                    struct cl_poly *out);

/* ---- the two implementations; lengths have been checked ---- */

/* dk has dk_len bytes, as in FIPS 203 7.1. Ours fails never; encap returns BAD_KEY_SHARE. */
void cl_mlkem_own_keygen(const struct cl_mlkem_way *way, const struct cl_mlkem_set *set,
                         const uint8_t *seed, uint8_t *ek, uint8_t *dk);
CL_MUST cl_result cl_mlkem_own_encap(const struct cl_mlkem_way *way, const struct cl_mlkem_set *set,
                                     const uint8_t *ek, const uint8_t *random, uint8_t *ct,
                                     uint8_t *secret);
void cl_mlkem_own_decap(const struct cl_mlkem_way *way, const struct cl_mlkem_set *set,
                        const uint8_t *dk, const uint8_t *ct, uint8_t *secret);

bool cl_mlkem_ossl_present(void);
CL_MUST cl_result cl_mlkem_ossl_keygen(const struct cl_mlkem_set *set, const uint8_t *seed,
                                       uint8_t *ek, EVP_PKEY **out);
CL_MUST cl_result cl_mlkem_ossl_encap(const struct cl_mlkem_set *set, const uint8_t *ek,
                                      const uint8_t *random, uint8_t *ct, uint8_t *secret);
CL_MUST cl_result cl_mlkem_ossl_decap(const struct cl_mlkem_set *set, EVP_PKEY *key,
                                      const uint8_t *ct, uint8_t *secret);

#endif
