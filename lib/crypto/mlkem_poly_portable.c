/* crypto/mlkem_poly_portable.c - see mlkem_poly.h: in C that every processor runs. */
#define MLKEM_POLY_OPS cl_poly_portable
#include "crypto/mlkem_poly.h"
