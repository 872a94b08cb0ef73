/* crypto/keccak.h - Keccak-f[1600] (FIPS 202 3.3), one state or several side by side: what ML-KEM
 * hashes with. Everything else that is hashed is libcrypto's (docs/decisions/0052).
 *
 * Constant time: logic and rotations by constants, no table.
 */
#ifndef CL_CRYPTO_KECCAK_H
#define CL_CRYPTO_KECCAK_H

#include <stdint.h>

#define CL_KECCAK_WORDS     25
#define CL_KECCAK_MAX_LANES 8

/* A permutation of a number of states at once. Word i of state j is words[lanes * i + j]; words are
 * aligned to 64 bytes. */
struct cl_keccak {
    unsigned lanes;
    void (*permute)(uint64_t *words);
};

extern const struct cl_keccak cl_keccak_portable;

/* Only for processors that have the instructions, and only where the compiler knew them:
 * CL_KECCAK_X86 says whether these exist. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define CL_KECCAK_X86 1
extern const struct cl_keccak cl_keccak_bmi2;
extern const struct cl_keccak cl_keccak_avx2_4;
extern const struct cl_keccak cl_keccak_avx512_4;
extern const struct cl_keccak cl_keccak_avx512_8;
#endif

/* Added to a state in each round. */
#define CL_KECCAK_ROUNDS 24
extern const uint64_t cl_keccak_constants[CL_KECCAK_ROUNDS];

#endif
