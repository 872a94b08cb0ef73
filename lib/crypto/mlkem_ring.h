/* crypto/mlkem_ring.h - see mlkem_poly.h: the ring, arithmetic modulo 3329 in 16 bits (FIPS
 * 203 4.3).
 *
 * A polynomial is sixteen rows of sixteen coefficients: between the layers of the NTT whose
 * partners lie 16 or more apart and those where less, it is a matrix that is transposed.
 *
 * Montgomery's form with R = 2^16: multiply() returns a * b / R, between -q and q, for |a * b| less
 * than q * 2^15. The zetas carry one R each.
 */
#ifndef CL_CRYPTO_MLKEM_RING_H
#define CL_CRYPTO_MLKEM_RING_H

#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "crypto/mlkem_impl.h"

#define Q     CL_MLKEM_Q
#define ROW   16
#define Q_INV (-3327) /* 1/q mod 2^16 */
#define V     20159   /* 2^26 / q, rounded */
#define R2    1353    /* R^2 mod q */
#define F     1441    /* R^2 / 128 mod q */
#define ONE   (-1044) /* R mod q */

/* zeta^BitRev7(i) * R mod q: i = 1 to 15, the first four layers */
static const int16_t zetas_far[ROW] = {-1044, -758, -359, -1517, 1493, 1422,  287,   202,
                                       -171,  622,  1577, 182,   962,  -1202, -1474, 1468};

/* Those of the last three layers: a row for partners 8 apart, two for 4, four for 2. */
#define ROWS_NEAR 7
static const _Alignas(32) int16_t zetas_near[ROWS_NEAR][ROW] = {
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
static const _Alignas(32) int16_t zetas_back[ROWS_NEAR][ROW] = {
    {-1571, -205, 411, -1542, 608, 732, 1017, -681, -130, -1602, 1458, -829, 383, 264, -1325, 573},
    {-1275, -1065, -725, 961, -951, -1421, 830, -90, 1469, -1162, -666, -8, -1544, 1491, 1015, 652},
    {677, 448, -1508, -398, -247, 107, -271, -853, 126, -1618, -320, 516, -282, -1293, -552, 1223},
    {1628, 991, 478, 794, -1659, -1335, 384, 610, -75, 349, 1119, -147, 1653, -235, 105, 843},
    {1522, 996, -870, -1278, -1187, 1218, -1465, 603, -156, -872, -602, 1159, 1574, 177, 1550, 555},
    {-1460, -308, -854, -1530, 220, -136, -1285, 1097, 329, 644, 1483, 778, -460, 587, 871, 430},
    {958, -108, -1510, -1185, -874, -1215, 1322, 817, 418, -1590, -777, -246, -291, 422, -1251,
     -1103},
};

/* zeta^(2 * BitRev7(i) + 1) * R mod q, what pair i is multiplied modulo, behind R itself. */
static const _Alignas(32) int16_t gammas[ROW][ROW] = {
    {ONE, -1103, ONE, 1103, ONE, 430, ONE, -430, ONE, 555, ONE, -555, ONE, 843, ONE, -843},
    {ONE, -1251, ONE, 1251, ONE, 871, ONE, -871, ONE, 1550, ONE, -1550, ONE, 105, ONE, -105},
    {ONE, 422, ONE, -422, ONE, 587, ONE, -587, ONE, 177, ONE, -177, ONE, -235, ONE, 235},
    {ONE, -291, ONE, 291, ONE, -460, ONE, 460, ONE, 1574, ONE, -1574, ONE, 1653, ONE, -1653},
    {ONE, -246, ONE, 246, ONE, 778, ONE, -778, ONE, 1159, ONE, -1159, ONE, -147, ONE, 147},
    {ONE, -777, ONE, 777, ONE, 1483, ONE, -1483, ONE, -602, ONE, 602, ONE, 1119, ONE, -1119},
    {ONE, -1590, ONE, 1590, ONE, 644, ONE, -644, ONE, -872, ONE, 872, ONE, 349, ONE, -349},
    {ONE, 418, ONE, -418, ONE, 329, ONE, -329, ONE, -156, ONE, 156, ONE, -75, ONE, 75},
    {ONE, 817, ONE, -817, ONE, 1097, ONE, -1097, ONE, 603, ONE, -603, ONE, 610, ONE, -610},
    {ONE, 1322, ONE, -1322, ONE, -1285, ONE, 1285, ONE, -1465, ONE, 1465, ONE, 384, ONE, -384},
    {ONE, -1215, ONE, 1215, ONE, -136, ONE, 136, ONE, 1218, ONE, -1218, ONE, -1335, ONE, 1335},
    {ONE, -874, ONE, 874, ONE, 220, ONE, -220, ONE, -1187, ONE, 1187, ONE, -1659, ONE, 1659},
    {ONE, -1185, ONE, 1185, ONE, -1530, ONE, 1530, ONE, -1278, ONE, 1278, ONE, 794, ONE, -794},
    {ONE, -1510, ONE, 1510, ONE, -854, ONE, 854, ONE, -870, ONE, 870, ONE, 478, ONE, -478},
    {ONE, -108, ONE, 108, ONE, -308, ONE, 308, ONE, 996, ONE, -996, ONE, 991, ONE, -991},
    {ONE, 958, ONE, -958, ONE, -1460, ONE, 1460, ONE, 1522, ONE, -1522, ONE, 1628, ONE, -1628},
};

/* ---- rows ---- */

typedef int16_t row __attribute__((vector_size(2 * ROW)));
typedef uint16_t wrapping __attribute__((vector_size(2 * ROW))); /* the same, modulo 2^16 */

static inline row *rows_of(struct cl_poly *p)
{
    return (row *)(void *)p->c;
}

static inline const row *read_rows(const int16_t *c)
{
    return (const row *)(const void *)c;
}

static inline row all(int16_t x)
{
    return x - (row){0};
}

/* The upper half of each product. MLKEM_PLAIN: as for processors that nothing is known of. */
#if defined(__AVX2__) && !defined(MLKEM_PLAIN)

static inline row multiply_high(row a, row b)
{
    return (row)_mm256_mulhi_epi16((__m256i)a, (__m256i)b);
}

#elif defined(__SSE2__) && !defined(MLKEM_PLAIN)

static inline row multiply_high(row a, row b)
{
    union {
        row r;
        __m128i half[2];
    } x = {.r = a}, y = {.r = b};
    x.half[0] = _mm_mulhi_epi16(x.half[0], y.half[0]);
    x.half[1] = _mm_mulhi_epi16(x.half[1], y.half[1]);
    return x.r;
}

#else

static inline row multiply_high(row a, row b)
{
    typedef int32_t wide __attribute__((vector_size(4 * ROW)));
    const wide product = __builtin_convertvector(a, wide) * __builtin_convertvector(b, wide);
    return __builtin_convertvector(product >> 16, row);
}

#endif

static inline row multiply(row a, row b)
{
    const row low = (row)((wrapping)a * ((wrapping)b * (uint16_t)Q_INV));
    return multiply_high(a, b) - multiply_high(low, all(Q));
}

/* reduce returns a modulo q, in [0, q). */
static inline row reduce(row a)
{
    const row quotient = multiply_high(a, all(V)) >> 10;
    const row r = a - quotient * Q - Q; /* -q to 0 */
    return r + ((r >> 15) & Q);
}

/* ---- the matrix of 16 x 16 ---- */

/* Of each half of a and b: the lower four of both, one by one in turn; the upper four. */
#define ZIP_LOW(a, b) \
    __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 8, 24, 9, 25, 10, 26, 11, 27)
#define ZIP_HIGH(a, b) \
    __builtin_shufflevector(a, b, 4, 20, 5, 21, 6, 22, 7, 23, 12, 28, 13, 29, 14, 30, 15, 31)
/* The lower halves of a and b; the upper ones. */
#define JOIN_LOW(a, b) \
    __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23)
#define JOIN_HIGH(a, b) \
    __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31)

/* A third of the transposition of eight rows' halves: zipped three times, they are transposed. */
static inline __attribute__((always_inline)) void zip(row out[8], const row in[8])
{
    for (size_t i = 0; i < 4; i++) {
        out[2 * i] = ZIP_LOW(in[i], in[i + 4]);
        out[2 * i + 1] = ZIP_HIGH(in[i], in[i + 4]);
    }
}

static inline __attribute__((always_inline)) void transpose_halves(row out[8], const row in[8])
{
    row once[8];
    row twice[8];
    zip(once, in);
    zip(twice, once);
    zip(out, twice);
}

static void transpose(row *rows)
{
    row top[8];
    row bottom[8];
    transpose_halves(top, rows);
    transpose_halves(bottom, rows + 8);
    for (size_t i = 0; i < 8; i++) {
        rows[i] = JOIN_LOW(top[i], bottom[i]);
        rows[i + 8] = JOIN_HIGH(top[i], bottom[i]);
    }
}

/* ---- number-theoretic transform ---- */

/* num rows, their partners, and a zeta for each column. */
static inline void forth(row *lo, row *hi, size_t num, row zeta)
{
    for (size_t i = 0; i < num; i++) {
        const row t = multiply(hi[i], zeta);
        hi[i] = lo[i] - t;
        lo[i] = lo[i] + t;
    }
}

static inline void back(row *lo, row *hi, size_t num, row zeta)
{
    for (size_t i = 0; i < num; i++) {
        const row t = lo[i];
        lo[i] = t + hi[i];
        hi[i] = multiply(hi[i] - t, zeta);
    }
}

static inline void reduce_all(row *rows)
{
    for (size_t i = 0; i < ROW; i++) {
        rows[i] = reduce(rows[i]);
    }
}

/* FIPS 203 algorithm 9. A layer adds less than q: eight times q fit into 16 bits. */
static void ntt(struct cl_poly *p)
{
    row *rows = rows_of(p);
    const int16_t *far = zetas_far + 1;
    const int16_t(*near)[ROW] = zetas_near;
    for (size_t num = 8; num >= 1; num /= 2) {
        for (size_t at = 0; at < ROW; at += 2 * num) {
            forth(rows + at, rows + at + num, num, all(*far++));
        }
    }
    transpose(rows);
    for (size_t num = 8; num >= 2; num /= 2) {
        for (size_t at = 0; at < ROW; at += 2 * num) {
            forth(rows + at, rows + at + num, num, *read_rows(*near++));
        }
    }
    transpose(rows);
    reduce_all(rows);
}

/* FIPS 203 algorithm 10. A layer doubles what may be in its lower half: of q three layers make
 * eight times q, which fit into 16 bits. */
static void inv_ntt(struct cl_poly *p)
{
    row *rows = rows_of(p);
    const int16_t *far = zetas_far + ROW;
    const int16_t(*near)[ROW] = zetas_back + ROWS_NEAR;
    transpose(rows);
    for (size_t num = 2; num <= 8; num *= 2) {
        near -= ROW / (2 * num);
        for (size_t at = 0; at < ROW; at += 2 * num) {
            back(rows + at, rows + at + num, num, *read_rows(near[at / (2 * num)]));
        }
    }
    transpose(rows);
    reduce_all(rows);
    for (size_t num = 1; num <= 8; num *= 2) {
        for (size_t at = 0; at < ROW; at += 2 * num) {
            back(rows + at, rows + at + num, num, all(*--far));
        }
        if (num == 4) {
            reduce_all(rows);
        }
    }
    for (size_t i = 0; i < ROW; i++) {
        rows[i] = reduce(multiply(rows[i], all(F)));
    }
}

/* ---- products ---- */

/* (a0, a1) * (b0, b1) modulo X^2 - gamma is a0 * b0 + a1 * b1 * gamma, a0 * b1 + a1 * b0. */
static void make_factor(struct cl_factor *f, const struct cl_poly *p)
{
    const row *from = read_rows(p->c);
    row *even = (row *)(void *)f->even;
    row *odd = (row *)(void *)f->odd;
    for (size_t i = 0; i < ROW; i++) {
        even[i] = multiply(from[i], *read_rows(gammas[i]));
        odd[i] = __builtin_shufflevector(from[i], from[i], 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13,
                                         12, 15, 14);
    }
}

#if defined(__AVX2__) && !defined(MLKEM_PLAIN)

/* The sums of neighbours, sixteen of each, as remainders of sixteen bits in their places. */
static inline row join_sums(__m256i even, __m256i odd)
{
    const __m256i low = _mm256_blend_epi16(even, _mm256_slli_epi32(odd, 16), 0xaa);
    const __m256i high = _mm256_blend_epi16(_mm256_srli_epi32(even, 16), odd, 0xaa);
    const __m256i times = _mm256_mullo_epi16(low, _mm256_set1_epi16(Q_INV));
    return (row)_mm256_sub_epi16(high, _mm256_mulhi_epi16(times, _mm256_set1_epi16(Q)));
}

static void multiply_sum(struct cl_poly *out, const struct cl_poly *a, const struct cl_factor *b,
                         unsigned num)
{
    for (size_t i = 0; i < CL_MLKEM_N; i += ROW) {
        __m256i even = _mm256_setzero_si256();
        __m256i odd = _mm256_setzero_si256();
        for (size_t j = 0; j < num; j++) {
            const __m256i x = *(const __m256i *)(const void *)&a[j].c[i];
            const __m256i y = *(const __m256i *)(const void *)&b[j].even[i];
            const __m256i z = *(const __m256i *)(const void *)&b[j].odd[i];
            even = _mm256_add_epi32(even, _mm256_madd_epi16(x, y));
            odd = _mm256_add_epi32(odd, _mm256_madd_epi16(x, z));
        }
        *(row *)(void *)&out->c[i] = join_sums(even, odd);
    }
}

#else

static inline int16_t montgomery(int32_t product)
{
    const int16_t low = (int16_t)((uint32_t)product * (uint32_t)Q_INV);
    return (int16_t)((product >> 16) - ((int32_t)low * Q >> 16));
}

static inline int32_t pair(const int16_t *a, const int16_t *b)
{
    return (int32_t)a[0] * b[0] + (int32_t)a[1] * b[1];
}

static void multiply_sum(struct cl_poly *out, const struct cl_poly *a, const struct cl_factor *b,
                         unsigned num)
{
    int32_t even[CL_MLKEM_N / 2] = {0};
    int32_t odd[CL_MLKEM_N / 2] = {0};
    for (size_t j = 0; j < num; j++) {
        for (size_t i = 0; i < CL_MLKEM_N / 2; i++) {
            even[i] += pair(&a[j].c[2 * i], &b[j].even[2 * i]);
            odd[i] += pair(&a[j].c[2 * i], &b[j].odd[2 * i]);
        }
    }
    for (size_t i = 0; i < CL_MLKEM_N / 2; i++) {
        out->c[2 * i] = montgomery(even[i]);
        out->c[2 * i + 1] = montgomery(odd[i]);
    }
    cl_wipe(even, sizeof(even));
    cl_wipe(odd, sizeof(odd));
}

#endif

static void times_r(struct cl_poly *p)
{
    row *rows = rows_of(p);
    for (size_t i = 0; i < ROW; i++) {
        rows[i] = reduce(multiply(rows[i], all(R2)));
    }
}

static void add(struct cl_poly *to, const struct cl_poly *p)
{
    row *rows = rows_of(to);
    for (size_t i = 0; i < ROW; i++) {
        rows[i] = reduce(rows[i] + read_rows(p->c)[i]);
    }
}

static void sub_from(struct cl_poly *p, const struct cl_poly *from)
{
    row *rows = rows_of(p);
    for (size_t i = 0; i < ROW; i++) {
        rows[i] = reduce(read_rows(from->c)[i] - rows[i]);
    }
}

#endif
