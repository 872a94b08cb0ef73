/* base/ct.h - the vocabulary of code that runs in constant time: masks instead of conditions.
 *
 * A mask is all ones (true) or zero (false). None of these branches or looks up memory by its
 * arguments; all numbers are below 2^31. With -DCLEAT_CT_CHECK (the preset `ct`) secrets can be
 * marked as undefined memory, so that valgrind reports each branch and each address that depends on
 * them; cl_ct_public says which results may be known.
 */
#ifndef CL_BASE_CT_H
#define CL_BASE_CT_H

#include <stddef.h>
#include <stdint.h>

#ifdef CLEAT_CT_CHECK
#include <valgrind/memcheck.h>
#define cl_ct_secret(p, len) ((void)VALGRIND_MAKE_MEM_UNDEFINED((p), (len)))
#define cl_ct_public(p, len) ((void)VALGRIND_MAKE_MEM_DEFINED((p), (len)))
#else
#define cl_ct_secret(p, len) ((void)(p), (void)(len))
#define cl_ct_public(p, len) ((void)(p), (void)(len))
#endif

typedef uint32_t cl_ct_mask;

/* The compiler must not find out that a mask has two values only and make a branch of it. */
static inline cl_ct_mask cl_ct_hide(cl_ct_mask m)
{
    __asm__("" : "+r"(m));
    return m;
}

/* a < b */
static inline cl_ct_mask ct_lt(size_t a, size_t b)
{
    return cl_ct_hide(0 - (((uint32_t)a - (uint32_t)b) >> 31));
}

static inline cl_ct_mask ct_eq(size_t a, size_t b)
{
    uint32_t x = (uint32_t)a ^ (uint32_t)b;
    return cl_ct_hide(((x | (0 - x)) >> 31) - 1);
}

/* ct_byte returns v where the mask is true, otherwise 0. */
static inline uint8_t ct_byte(cl_ct_mask m, uint8_t v)
{
    return (uint8_t)(m & v);
}

/* ct_select returns a where the mask is true, otherwise b. */
static inline uint8_t ct_select(cl_ct_mask m, uint8_t a, uint8_t b)
{
    return (uint8_t)((m & a) | (~m & b));
}

#endif
