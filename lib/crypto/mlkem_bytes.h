/* crypto/mlkem_bytes.h - see mlkem_poly.h: polynomials as bytes (FIPS 203 4.2.1). */
#include <string.h>

#include "base/mem.h"
#include "crypto/mlkem_impl.h"
#include "crypto/mlkem_ring.h"

/* Numbers of up to twelve bits, four of them in a word: number i is n[AT(i)]. */
struct words {
    union {
        uint16_t n[CL_MLKEM_N];
        uint64_t four[CL_MLKEM_N / 4];
    };
};
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define AT(i)          (i)
#define ON_THE_WIRE(x) (x)
#else
#define AT(i)          ((i) ^ 3)
#define ON_THE_WIRE(x) __builtin_bswap64(x)
#endif

#define EACH_32 0x0000000100000001U /* times this: in either half of a word */

static inline __attribute__((always_inline)) void pack(uint8_t *out, struct words *w, unsigned bits)
{
    for (size_t i = 0; i < CL_MLKEM_N / 4; i++) {
        const uint64_t x = w->four[i];
        const uint64_t two = (x & 0xffff * EACH_32) | (x >> 16 & 0xffff * EACH_32) << bits;
        w->four[i] = (two & 0xffffffff) | two >> 32 << (2 * bits);
    }
    for (size_t i = 0; i < CL_MLKEM_N / 4; i += 2, out += bits) {
        const uint64_t low = ON_THE_WIRE(w->four[i] | w->four[i + 1] << (4 * bits));
        const uint64_t high = ON_THE_WIRE(w->four[i + 1] >> (64 - 4 * bits));
        memcpy(out, &low, bits < 8 ? bits : 8);
        if (bits > 8) {
            memcpy(out + 8, &high, bits - 8);
        }
    }
}

static inline __attribute__((always_inline)) void unpack(struct words *w, const uint8_t *in,
                                                         unsigned bits)
{
    const uint64_t one = ((1U << bits) - 1) * EACH_32;
    const uint64_t two = (1U << (2 * bits)) - 1;
    for (size_t i = 0; i < CL_MLKEM_N / 4; i += 2, in += bits) {
        uint64_t low = 0;
        uint64_t high = 0;
        memcpy(&low, in, bits < 8 ? bits : 8);
        if (bits > 8) {
            memcpy(&high, in + 8, bits - 8);
        }
        w->four[i] = ON_THE_WIRE(low) & (two << (2 * bits) | two);
        w->four[i + 1] = ON_THE_WIRE(low) >> (4 * bits) | ON_THE_WIRE(high) << (64 - 4 * bits);
    }
    for (size_t i = 0; i < CL_MLKEM_N / 4; i++) {
        const uint64_t x = (w->four[i] & two) | w->four[i] >> (2 * bits) << 32;
        w->four[i] = (x & one) | (x >> bits & one) << 16;
    }
}

/* ---- twelve bits, as they are ---- */

static void encode(uint8_t *out, const struct cl_poly *p)
{
    struct words w;
    for (size_t i = 0; i < CL_MLKEM_N; i++) {
        w.n[AT(i)] = (uint16_t)p->c[i];
    }
    pack(out, &w, 12);
    cl_wipe(&w, sizeof(w));
}

static bool decode(struct cl_poly *p, const uint8_t *in)
{
    struct words w;
    uint16_t over = 0;
    unpack(&w, in, 12);
    for (size_t i = 0; i < CL_MLKEM_N; i++) {
        over |= (uint16_t)(Q - 1 - w.n[AT(i)]); /* negative when it is q or more */
        p->c[i] = (int16_t)w.n[AT(i)];
    }
    cl_wipe(&w, sizeof(w));
    return over >> 15 == 0;
}

/* ---- fewer ---- */

/* Compress (FIPS 203 4.2.1): round(2^bits * x / q), by a multiplication: a division's time may
 * depend on its operands (KyberSlash). 645084 is 2^31 / q, rounded up; what is added rounds, and is
 * less than a half by so much that all x come out right (a test tries them). */
static inline __attribute__((always_inline)) void compress_to(uint8_t *out, const struct cl_poly *p,
                                                              unsigned bits)
{
    const uint32_t mask = (1U << bits) - 1;
    const uint32_t half = (1U << (30 - bits)) - 500;
    struct words w;
    for (size_t i = 0; i < CL_MLKEM_N; i++) {
        const uint32_t x = (uint16_t)p->c[i] * 645084U + half;
        w.n[AT(i)] = (uint16_t)(x >> (31 - bits) & mask);
    }
    pack(out, &w, bits);
    cl_wipe(&w, sizeof(w));
}

static inline __attribute__((always_inline)) void decompress_from(struct cl_poly *p,
                                                                  const uint8_t *in, unsigned bits)
{
    struct words w;
    unpack(&w, in, bits);
    for (size_t i = 0; i < CL_MLKEM_N; i++) {
        p->c[i] = (int16_t)(((uint32_t)w.n[AT(i)] * Q + (1U << (bits - 1))) >> bits);
    }
    cl_wipe(&w, sizeof(w));
}

/* What is passed down is a constant: loops are unrolled, and shifts are by constants. */
static void compress(uint8_t *out, const struct cl_poly *p, unsigned bits)
{
    switch (bits) {
    case 4:
        compress_to(out, p, 4);
        break;
    case 5:
        compress_to(out, p, 5);
        break;
    case 10:
        compress_to(out, p, 10);
        break;
    case 11:
        compress_to(out, p, 11);
        break;
    default:
        compress_to(out, p, 1);
        break;
    }
}

static void decompress(struct cl_poly *p, const uint8_t *in, unsigned bits)
{
    switch (bits) {
    case 4:
        decompress_from(p, in, 4);
        break;
    case 5:
        decompress_from(p, in, 5);
        break;
    case 10:
        decompress_from(p, in, 10);
        break;
    case 11:
        decompress_from(p, in, 11);
        break;
    default:
        decompress_from(p, in, 1);
        break;
    }
}
