/* crypto/keccak_avx2.c - see keccak.h: four states in AVX2; and one with BMI2's rotations and
 * and-not, which is faster than four vectors of which one lane counts.
 *
 * Compiled for these instructions (CMakeLists.txt): mlkem_way.c calls it where they are.
 */
#include "crypto/keccak.h"

#ifdef CL_KECCAK_X86

typedef uint64_t four __attribute__((vector_size(32)));

#define KECCAK_WORD    uint64_t
#define KECCAK_ROUND   round_of_one
#define KECCAK_PERMUTE permute_one
#include "crypto/keccak_rounds.h"

#define KECCAK_WORD    four
#define KECCAK_ROUND   round_of_four
#define KECCAK_PERMUTE permute_four
#include "crypto/keccak_rounds.h"

const struct cl_keccak cl_keccak_bmi2 = {1, permute_one};
const struct cl_keccak cl_keccak_avx2_4 = {4, permute_four};

#endif
