/* crypto/mlkem_poly.c - the ring of ML-KEM (FIPS 203 4.2, 4.3): arithmetic modulo 3329 in 16 bits.
 *
 * Constant time: no branch, no index and no division depends on a coefficient; what leaks is that
 * an encoded key was not reduced. Written as loops over rows of sixteen, which compilers turn into
 * vectors (this file is compiled with -O3): a polynomial in the NTT domain is a matrix of 16 x 16,
 * transposed between the layers whose partners lie 16 or more apart and those where less.
 *
 * Montgomery's form with R = 2^16: multiply() returns a * b / R, between -q and q, for |a * b| less
 * than q * 2^15. The zetas carry one R each.
 */
#include "base/mem.h"
#include "crypto/mlkem_impl.h"

#define Q     CL_MLKEM_Q
#define ROW   16
#define Q_INV (-3327)  /* 1/q mod 2^16 */
#define V     20159    /* 2^26 / q, rounded */
#define R2    1353     /* R^2 mod q */
#define F     1441     /* R^2 / 128 mod q */
#define M33   2580335U /* 2^33 / q, rounded up: exact for numerators below 2^24 */

/* zeta^BitRev7(i) * R mod q: i = 1 to 15, the first four layers */
static const int16_t zetas_far[ROW] = {-1044, -758, -359, -1517, 1493, 1422,  287,   202,
                                       -171,  622,  1577, 182,   962,  -1202, -1474, 1468};

/* Those of the last three layers: a row for partners 8 apart, two for 4, four for 2. */
#define ROWS_NEAR 7
static const int16_t zetas_near[ROWS_NEAR][ROW] = {
    {573, -1325, 264, 383, -829, 1458, -1602, -130, -681, 1017, 732, 608, -1542, 411, -205, -1571},
    {1223, -552, -1293, -282, 516, -320, -1618, 126, -853, -271, 107, -247, -398, -1508, 448, 677},
    {652, 1015, 1491, -1544, -8, -666, -1162, 1469, -90, 830, -1421, -951, 961, -725, -1065, -1275},
    {-1103, -1251, 422, -291, -246, -777, -1590, 418, 817, 1322, -1215, -874, -1185, -1510, -108,
     958},
    {430, 871, 587, -460, 778, 1483, 644, 329, 1097, -1285, -136, 220, -1530, -854, -308, -1460},
    {555, 1550, 177, 1574, 1159, -602, -872, -156, 603, -1465, 1218, -1187, -1278, -870, 996, 1522},
    {843, 105, -235, 1653, -147, 1119, 349, -75, 610, 384, -1335, -1659, 794, 478, 991, 1628},
};

/* The same in the order in which the way back meets them. */
static const int16_t zetas_back[ROWS_NEAR][ROW] = {
    {-1571, -205, 411, -1542, 608, 732, 1017, -681, -130, -1602, 1458, -829, 383, 264, -1325, 573},
    {-1275, -1065, -725, 961, -951, -1421, 830, -90, 1469, -1162, -666, -8, -1544, 1491, 1015, 652},
    {677, 448, -1508, -398, -247, 107, -271, -853, 126, -1618, -320, 516, -282, -1293, -552, 1223},
    {1628, 991, 478, 794, -1659, -1335, 384, 610, -75, 349, 1119, -147, 1653, -235, 105, 843},
    {1522, 996, -870, -1278, -1187, 1218, -1465, 603, -156, -872, -602, 1159, 1574, 177, 1550, 555},
    {-1460, -308, -854, -1530, 220, -136, -1285, 1097, 329, 644, 1483, 778, -460, 587, 871, 430},
    {958, -108, -1510, -1185, -874, -1215, 1322, 817, 418, -1590, -777, -246, -291, 422, -1251,
     -1103},
};

static inline int16_t multiply(int16_t a, int16_t b)
{
    const int32_t product = (int32_t)a * b;
    const int16_t low = (int16_t)((int16_t)product * Q_INV);
    return (int16_t)((int16_t)(product >> 16) - (int16_t)(((int32_t)low * Q) >> 16));
}

/* reduce returns a modulo q, in [0, q). */
static inline int16_t reduce(int16_t a)
{
    const int16_t quotient = (int16_t)((int16_t)(((int32_t)a * V) >> 16) >> 10);
    const int16_t r = (int16_t)(a - quotient * Q - Q); /* -q to 0 */
    return (int16_t)(r + ((r >> 15) & Q));
}

static void reduce_all(struct cl_poly *p)
{
    for (size_t i = 0; i < CL_MLKEM_N; i++) {
        p->c[i] = reduce(p->c[i]);
    }
}

static void transpose(struct cl_poly *p)
{
    struct cl_poly t = *p;
    for (size_t i = 0; i < ROW; i++) {
        for (size_t j = 0; j < ROW; j++) {
            p->c[ROW * i + j] = t.c[ROW * j + i];
        }
    }
    cl_wipe(&t, sizeof(t));
}

/* ---- number-theoretic transform ---- */

/* One zeta for len partners, a multiple of sixteen. */
static void forth_far(int16_t *lo, int16_t *hi, size_t len, int16_t zeta)
{
    for (size_t i = 0; i < len; i++) {
        const int16_t t = multiply(hi[i], zeta);
        hi[i] = (int16_t)(lo[i] - t);
        lo[i] = (int16_t)(lo[i] + t);
    }
}

static void back_far(int16_t *lo, int16_t *hi, size_t len, int16_t zeta)
{
    for (size_t i = 0; i < len; i++) {
        const int16_t t = lo[i];
        lo[i] = reduce((int16_t)(t + hi[i]));
        hi[i] = multiply((int16_t)(hi[i] - t), zeta);
    }
}

/* A zeta for each of sixteen partners. */
static void forth_near(int16_t *lo, int16_t *hi, const int16_t *zetas)
{
    for (size_t i = 0; i < ROW; i++) {
        const int16_t t = multiply(hi[i], zetas[i]);
        hi[i] = (int16_t)(lo[i] - t);
        lo[i] = (int16_t)(lo[i] + t);
    }
}

static void back_near(int16_t *lo, int16_t *hi, const int16_t *zetas)
{
    for (size_t i = 0; i < ROW; i++) {
        const int16_t t = lo[i];
        lo[i] = reduce((int16_t)(t + hi[i]));
        hi[i] = multiply((int16_t)(hi[i] - t), zetas[i]);
    }
}

/* FIPS 203 algorithm 9. A layer adds less than q: eight times q fit into 16 bits. */
void cl_poly_ntt(struct cl_poly *p)
{
    size_t zeta = 1;
    for (size_t len = 128; len >= ROW; len /= 2) {
        for (size_t at = 0; at < CL_MLKEM_N; at += 2 * len) {
            forth_far(&p->c[at], &p->c[at + len], len, zetas_far[zeta++]);
        }
    }
    transpose(p);
    const int16_t(*zetas)[ROW] = zetas_near;
    for (size_t len = 8; len >= 2; len /= 2) {
        for (size_t row = 0; row < ROW; row += 2 * len, zetas++) {
            for (size_t i = row; i < row + len; i++) {
                forth_near(&p->c[ROW * i], &p->c[ROW * (i + len)], *zetas);
            }
        }
    }
    reduce_all(p);
}

/* FIPS 203 algorithm 10. */
void cl_poly_inv_ntt(struct cl_poly *p)
{
    const int16_t(*zetas)[ROW] = zetas_back + ROWS_NEAR;
    reduce_all(p); /* a sum of products comes in */
    for (size_t len = 2; len <= 8; len *= 2) {
        zetas -= ROW / (2 * len);
        for (size_t row = 0; row < ROW; row += 2 * len) {
            for (size_t i = row; i < row + len; i++) {
                back_near(&p->c[ROW * i], &p->c[ROW * (i + len)], zetas[row / (2 * len)]);
            }
        }
    }
    transpose(p);
    size_t zeta = ROW;
    for (size_t len = ROW; len <= 128; len *= 2) {
        for (size_t at = 0; at < CL_MLKEM_N; at += 2 * len) {
            back_far(&p->c[at], &p->c[at + len], len, zetas_far[--zeta]);
        }
    }
    for (size_t i = 0; i < CL_MLKEM_N; i++) {
        p->c[i] = reduce(multiply(p->c[i], F));
    }
}

/* FIPS 203 algorithms 11 and 12: a row of sixteen pairs (a0, a1), (b0, b1), modulo X^2 - gamma.
 * Neighbours have the same gamma but for its sign. */
static void multiply_rows(int16_t *sum, const int16_t *a, const int16_t *b, const int16_t *zetas,
                          int16_t sign)
{
    for (size_t i = 0; i < ROW; i++) {
        const int16_t a0 = a[i];
        const int16_t a1 = a[ROW + i];
        const int16_t b0 = b[i];
        const int16_t b1 = b[ROW + i];
        const int16_t gamma = (int16_t)(sign * zetas[i]);
        sum[i] = (int16_t)(sum[i] + multiply(a0, b0) + multiply(multiply(a1, b1), gamma));
        sum[ROW + i] = (int16_t)(sum[ROW + i] + multiply(a0, b1) + multiply(a1, b0));
    }
}

void cl_poly_mul_add(struct cl_poly *sum, const struct cl_poly *a, const struct cl_poly *b)
{
    for (size_t m = 0; m < ROW / 2; m++) {
        const size_t at = 2 * ROW * m;
        multiply_rows(&sum->c[at], &a->c[at], &b->c[at], zetas_near[3 + m / 2],
                      m % 2 == 0 ? 1 : -1);
    }
}

void cl_poly_times_r(struct cl_poly *p)
{
    for (size_t i = 0; i < CL_MLKEM_N; i++) {
        p->c[i] = reduce(multiply(p->c[i], R2));
    }
}

void cl_poly_add(struct cl_poly *to, const struct cl_poly *p)
{
    for (size_t i = 0; i < CL_MLKEM_N; i++) {
        to->c[i] = reduce((int16_t)(to->c[i] + p->c[i]));
    }
}

void cl_poly_sub_from(struct cl_poly *p, const struct cl_poly *from)
{
    for (size_t i = 0; i < CL_MLKEM_N; i++) {
        p->c[i] = reduce((int16_t)(from->c[i] - p->c[i]));
    }
}

/* ---- bytes ---- */

/* Eight numbers of up to twelve bits. */
__extension__ typedef unsigned __int128 eight;

static inline __attribute__((always_inline)) void pack(uint8_t *out, const uint16_t *in,
                                                       unsigned bits)
{
    for (size_t i = 0; i < CL_MLKEM_N; i += 8, in += 8, out += bits) {
        eight x = 0;
        for (unsigned j = 0; j < 8; j++) {
            x |= (eight)in[j] << (bits * j);
        }
        for (unsigned j = 0; j < bits; j++) {
            out[j] = (uint8_t)(x >> (8 * j));
        }
    }
}

static inline __attribute__((always_inline)) void unpack(uint16_t *out, const uint8_t *in,
                                                         unsigned bits)
{
    for (size_t i = 0; i < CL_MLKEM_N; i += 8, in += bits, out += 8) {
        eight x = 0;
        for (unsigned j = 0; j < bits; j++) {
            x |= (eight)in[j] << (8 * j);
        }
        for (unsigned j = 0; j < 8; j++) {
            out[j] = (uint16_t)((unsigned)(x >> (bits * j)) & ((1U << bits) - 1));
        }
    }
}

/* What is passed down is one constant for each call: the loops are unrolled. */
static void pack_bits(uint8_t *out, const uint16_t *in, unsigned bits)
{
    switch (bits) {
    case 4:
        pack(out, in, 4);
        break;
    case 5:
        pack(out, in, 5);
        break;
    case 10:
        pack(out, in, 10);
        break;
    case 11:
        pack(out, in, 11);
        break;
    case 12:
        pack(out, in, 12);
        break;
    default:
        pack(out, in, 1);
        break;
    }
}

static void unpack_bits(uint16_t *out, const uint8_t *in, unsigned bits)
{
    switch (bits) {
    case 4:
        unpack(out, in, 4);
        break;
    case 5:
        unpack(out, in, 5);
        break;
    case 10:
        unpack(out, in, 10);
        break;
    case 11:
        unpack(out, in, 11);
        break;
    case 12:
        unpack(out, in, 12);
        break;
    default:
        unpack(out, in, 1);
        break;
    }
}

void cl_poly_encode(uint8_t *out, const struct cl_poly *p)
{
    uint16_t plain[CL_MLKEM_N];
    for (size_t i = 0; i < CL_MLKEM_N; i++) {
        plain[i] = (uint16_t)p->c[CL_MLKEM_AT(i)];
    }
    pack_bits(out, plain, 12);
    cl_wipe(plain, sizeof(plain));
}

bool cl_poly_decode(struct cl_poly *p, const uint8_t *in)
{
    uint16_t plain[CL_MLKEM_N];
    uint16_t over = 0;
    unpack_bits(plain, in, 12);
    for (size_t i = 0; i < CL_MLKEM_N; i++) {
        over |= (uint16_t)(Q - 1 - plain[i]); /* negative when it is q or more */
    }
    for (size_t i = 0; i < CL_MLKEM_N; i++) {
        p->c[CL_MLKEM_AT(i)] = (int16_t)plain[i];
    }
    cl_wipe(plain, sizeof(plain));
    return over >> 15 == 0;
}

/* Compress (FIPS 203 4.2.1): round(2^bits * x / q), by a multiplication: a division's time may
 * depend on its operands (KyberSlash). */
void cl_poly_compress(uint8_t *out, const struct cl_poly *p, unsigned bits)
{
    uint16_t small[CL_MLKEM_N];
    const uint32_t mask = (1U << bits) - 1;
    for (size_t i = 0; i < CL_MLKEM_N; i++) {
        const uint32_t n = ((uint32_t)(uint16_t)p->c[i] << bits) + Q / 2;
        small[i] = (uint16_t)((uint32_t)(((uint64_t)n * M33) >> 33) & mask);
    }
    pack_bits(out, small, bits);
    cl_wipe(small, sizeof(small));
}

void cl_poly_decompress(struct cl_poly *p, const uint8_t *in, unsigned bits)
{
    uint16_t small[CL_MLKEM_N];
    unpack_bits(small, in, bits);
    for (size_t i = 0; i < CL_MLKEM_N; i++) {
        p->c[i] = (int16_t)(((uint32_t)small[i] * Q + (1U << (bits - 1))) >> bits);
    }
    cl_wipe(small, sizeof(small));
}

/* ---- small coefficients ---- */

/* Sums of two bits each, of thirty-two at once. */
static void cbd_2(struct cl_poly *p, const uint8_t *in)
{
    for (size_t i = 0; i < CL_MLKEM_N / 2; i++) {
        const unsigned sums = (in[i] & 0x55U) + ((in[i] >> 1) & 0x55U);
        p->c[2 * i] = (int16_t)((int)(sums & 3) - (int)(sums >> 2 & 3));
        p->c[2 * i + 1] = (int16_t)((int)(sums >> 4 & 3) - (int)(sums >> 6));
    }
}

/* Of three bits each. */
static void cbd_3(struct cl_poly *p, const uint8_t *in)
{
    for (size_t i = 0; i < CL_MLKEM_N; i += 4, in += 3) {
        const uint32_t x = in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16;
        const uint32_t sums = (x & 0x249249) + (x >> 1 & 0x249249) + (x >> 2 & 0x249249);
        for (unsigned j = 0; j < 4; j++) {
            p->c[i + j] = (int16_t)((int)(sums >> (6 * j) & 7) - (int)(sums >> (6 * j + 3) & 7));
        }
    }
}

void cl_poly_cbd(struct cl_poly *p, const uint8_t *in, unsigned eta)
{
    if (eta == CL_MLKEM_ETA3) {
        cbd_3(p, in);
    } else {
        cbd_2(p, in);
    }
}
