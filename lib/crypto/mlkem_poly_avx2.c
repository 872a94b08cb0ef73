/* crypto/mlkem_poly_avx2.c - see mlkem_poly.h: with vectors of AVX2. */
#include "crypto/keccak.h"

#ifdef CL_KECCAK_X86
#define MLKEM_POLY_OPS cl_poly_avx2
#include "crypto/mlkem_poly.h"
#endif
