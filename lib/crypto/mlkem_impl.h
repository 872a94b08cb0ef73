/* crypto/mlkem_impl.h - between the files of ML-KEM: polynomials, their sampling, both
 * implementations. */
#ifndef CL_CRYPTO_MLKEM_IMPL_H
#define CL_CRYPTO_MLKEM_IMPL_H

#include <openssl/evp.h>

#include "crypto/mlkem.h"

#define CL_MLKEM_N     256
#define CL_MLKEM_Q     3329
#define CL_MLKEM_MAX_K 4
/* FIPS 203 table 2: eta2 and the larger eta1 */
#define CL_MLKEM_ETA2  2
#define CL_MLKEM_ETA3  3
#define CL_MLKEM_HASH  32 /* rho, sigma, z, H(ek): all seeds and digests have one length */

/* ---- polynomials (mlkem_poly.c); constant time ---- */

/* 256 coefficients modulo q. One in the NTT domain lies transposed, so that what is done sixteen
 * times lies in a row: coefficient i at CL_MLKEM_AT(i). */
struct cl_poly {
    _Alignas(32) int16_t c[CL_MLKEM_N];
};
#define CL_MLKEM_AT(i) ((((i)&15) << 4) | ((i) >> 4))

/* cl_poly_ntt takes coefficients between -q and q and gives them back reduced, to [0, q);
 * cl_poly_inv_ntt likewise, and takes the factor 1/R of cl_poly_mul_add out again. */
void cl_poly_ntt(struct cl_poly *p);
void cl_poly_inv_ntt(struct cl_poly *p);

/* cl_poly_mul_add adds a * b / R, R being 2^16; a sum of CL_MLKEM_MAX_K products fits without
 * reduction. cl_poly_times_r takes the factor out of a sum that stays in the NTT domain, and
 * reduces it. */
void cl_poly_mul_add(struct cl_poly *sum, const struct cl_poly *a, const struct cl_poly *b);
void cl_poly_times_r(struct cl_poly *p);

/* Reduced afterwards. */
void cl_poly_add(struct cl_poly *to, const struct cl_poly *p);
void cl_poly_sub_from(struct cl_poly *p, const struct cl_poly *from); /* p = from - p */

/* ByteEncode and ByteDecode of 12 bits (FIPS 203 4.2.1), of the NTT domain; 384 bytes. Decoding
 * says whether all coefficients were reduced. */
#define CL_MLKEM_POLY_LEN 384
void cl_poly_encode(uint8_t *out, const struct cl_poly *p);
bool cl_poly_decode(struct cl_poly *p, const uint8_t *in);

/* ByteEncode(Compress()) and Decompress(ByteDecode()) of 1, 4, 5, 10 or 11 bits: 32 * bits bytes;
 * reduced coefficients. */
void cl_poly_compress(uint8_t *out, const struct cl_poly *p, unsigned bits);
void cl_poly_decompress(struct cl_poly *p, const uint8_t *in, unsigned bits);

/* cl_poly_cbd: SamplePolyCBD (FIPS 203 4.2.2) of 64 * eta bytes. */
void cl_poly_cbd(struct cl_poly *p, const uint8_t *in, unsigned eta);

/* ---- hashes and sampling (mlkem_hash.c) ---- */

/* What an operation hashes with; the contexts hold secrets until they are freed. {0} is safe to
 * deinit. */
struct cl_mlkem_hash {
    EVP_MD_CTX *sha3_256;
    EVP_MD_CTX *sha3_512;
    EVP_MD_CTX *shake128;
    EVP_MD_CTX *shake256;
};

/* All of them: false when libcrypto fails. h, g, j and prf: FIPS 203 4.1. */
bool cl_mlkem_hash_init(struct cl_mlkem_hash *hash);
void cl_mlkem_hash_deinit(struct cl_mlkem_hash *hash);
bool cl_mlkem_h(struct cl_mlkem_hash *hash, struct cl_rd in, uint8_t out[CL_MLKEM_HASH]);
bool cl_mlkem_g(struct cl_mlkem_hash *hash, struct cl_rd a, struct cl_rd b,
                uint8_t out[2 * CL_MLKEM_HASH]);
bool cl_mlkem_j(struct cl_mlkem_hash *hash, struct cl_rd z, struct cl_rd ct,
                uint8_t out[CL_MLKEM_HASH]);
/* cl_mlkem_noise: a small polynomial of PRF(seed, n). */
bool cl_mlkem_noise(struct cl_mlkem_hash *hash, struct cl_poly *p,
                    const uint8_t seed[CL_MLKEM_HASH], uint8_t n, unsigned eta);
/* cl_mlkem_uniform: SampleNTT (FIPS 203 4.2.2) of rho, x and y, which are public. */
bool cl_mlkem_uniform(struct cl_mlkem_hash *hash, struct cl_poly *p,
                      const uint8_t rho[CL_MLKEM_HASH], uint8_t x, uint8_t y);

/* ---- the two implementations; lengths have been checked ---- */

/* dk has dk_len bytes, as in FIPS 203 7.1. */
CL_MUST cl_result cl_mlkem_own_keygen(const struct cl_mlkem_set *set, const uint8_t *seed,
                                      uint8_t *ek, uint8_t *dk);
CL_MUST cl_result cl_mlkem_own_encap(const struct cl_mlkem_set *set, const uint8_t *ek,
                                     const uint8_t *random, uint8_t *ct, uint8_t *secret);
CL_MUST cl_result cl_mlkem_own_decap(const struct cl_mlkem_set *set, const uint8_t *dk,
                                     const uint8_t *ct, uint8_t *secret);

bool cl_mlkem_ossl_present(void);
CL_MUST cl_result cl_mlkem_ossl_keygen(const struct cl_mlkem_set *set, const uint8_t *seed,
                                       uint8_t *ek, EVP_PKEY **out);
CL_MUST cl_result cl_mlkem_ossl_encap(const struct cl_mlkem_set *set, const uint8_t *ek,
                                      const uint8_t *random, uint8_t *ct, uint8_t *secret);
CL_MUST cl_result cl_mlkem_ossl_decap(const struct cl_mlkem_set *set, EVP_PKEY *key,
                                      const uint8_t *ct, uint8_t *secret);

#endif
