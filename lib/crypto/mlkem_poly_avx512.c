/* crypto/mlkem_poly_avx512.c - see mlkem_poly.h: with AVX-512. */
#include "crypto/keccak.h"

#ifdef CL_KECCAK_X86
#define MLKEM_POLY_OPS cl_poly_avx512
#include "crypto/mlkem_poly.h"
#endif
