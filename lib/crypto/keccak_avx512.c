/* crypto/keccak_avx512.c - see keccak.h: four and eight states in AVX-512, which has rotations, and
 * any logic of three operands as one instruction. Four take three quarters of the time of eight.
 *
 * Constant time: valgrind 3.19 cannot run it, so the preset `ct` does not see it. The rounds are
 * the same lines of C as keccak_avx2.c's, which it does see; what differs are the three macros
 * below, each one instruction without branch, address or latency that depends on data.
 *
 * Compiled for these instructions (CMakeLists.txt): mlkem_way.c calls it where they are.
 */
#include "crypto/keccak.h"

#ifdef CL_KECCAK_X86

#include <immintrin.h>

/* The third operand as a truth table: a ^ b ^ c, and a ^ (~b & c). */
#define XOR3 0x96
#define CHI  0xd2

#define KECCAK_WORD          __m256i
#define KECCAK_ROUND         round_of_four
#define KECCAK_PERMUTE       permute_four
#define KECCAK_XOR3(a, b, c) _mm256_ternarylogic_epi64(a, b, c, XOR3)
#define KECCAK_CHI(a, b, c)  _mm256_ternarylogic_epi64(a, b, c, CHI)
#define KECCAK_ROTATE(a, n)  _mm256_rol_epi64(a, n)
#include "crypto/keccak_rounds.h"

#define KECCAK_WORD          __m512i
#define KECCAK_ROUND         round_of_eight
#define KECCAK_PERMUTE       permute_eight
#define KECCAK_XOR3(a, b, c) _mm512_ternarylogic_epi64(a, b, c, XOR3)
#define KECCAK_CHI(a, b, c)  _mm512_ternarylogic_epi64(a, b, c, CHI)
#define KECCAK_ROTATE(a, n)  _mm512_rol_epi64(a, n)
#include "crypto/keccak_rounds.h"

const struct cl_keccak cl_keccak_avx512_4 = {4, permute_four};
const struct cl_keccak cl_keccak_avx512_8 = {8, permute_eight};

#endif
