/* crypto/mlkem_sample.h - see mlkem_poly.h: polynomials out of what hashes give (FIPS 203 4.2.2).
 */
#include "crypto/mlkem_impl.h"
#include "crypto/mlkem_ring.h"

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

static void sample_noise(struct cl_poly *p, const uint8_t *in, unsigned eta)
{
    if (eta == CL_MLKEM_ETA3) {
        cbd_3(p, in);
    } else {
        cbd_2(p, in);
    }
}

/* ---- uniform coefficients: all of it is public ---- */

/* accept appends candidates that are below q, at most room, and returns how many. */
#if defined(__AVX2__) && !defined(MLKEM_PLAIN)

#define ACCEPT_BYTES 24

/* Sixteen candidates; 8 bytes behind theirs are read too, and not looked at. */
static inline __m256i candidates(const uint8_t *in)
{
    const __m256i places = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 7, 8, 9, 10, 10, 11));
    const __m256i halves =
        _mm256_permutevar8x32_epi32(_mm256_loadu_si256((const __m256i *)(const void *)in),
                                    _mm256_setr_epi32(0, 1, 2, 7, 3, 4, 5, 7));
    const __m256i pairs = _mm256_shuffle_epi8(halves, places);
    return _mm256_and_si256(_mm256_blend_epi16(pairs, _mm256_srli_epi16(pairs, 4), 0xaa),
                            _mm256_set1_epi16(0xfff));
}

#ifdef __AVX512VBMI2__

static inline unsigned accept(int16_t *out, unsigned room, const uint8_t *in)
{
    const __m256i x = candidates(in);
    const __mmask16 good = _mm256_cmplt_epi16_mask(x, _mm256_set1_epi16(Q));
    const unsigned num = (unsigned)__builtin_popcount(good);
    const unsigned taken = num < room ? num : room;
    _mm256_mask_storeu_epi16(out, (__mmask16)((1U << taken) - 1),
                             _mm256_maskz_compress_epi16(good, x));
    return taken;
}

#else

/* Which bytes of four candidates to take, for each set of those that are good. */
static const uint8_t chosen[16][8] = {
    {0, 0, 0, 0, 0, 0, 0, 0}, {0, 1, 0, 0, 0, 0, 0, 0}, {2, 3, 0, 0, 0, 0, 0, 0},
    {0, 1, 2, 3, 0, 0, 0, 0}, {4, 5, 0, 0, 0, 0, 0, 0}, {0, 1, 4, 5, 0, 0, 0, 0},
    {2, 3, 4, 5, 0, 0, 0, 0}, {0, 1, 2, 3, 4, 5, 0, 0}, {6, 7, 0, 0, 0, 0, 0, 0},
    {0, 1, 6, 7, 0, 0, 0, 0}, {2, 3, 6, 7, 0, 0, 0, 0}, {0, 1, 2, 3, 6, 7, 0, 0},
    {4, 5, 6, 7, 0, 0, 0, 0}, {0, 1, 4, 5, 6, 7, 0, 0}, {2, 3, 4, 5, 6, 7, 0, 0},
    {0, 1, 2, 3, 4, 5, 6, 7},
};

static inline unsigned accept(int16_t *out, unsigned room, const uint8_t *in)
{
    _Alignas(32) int16_t all_of_them[ROW];
    const __m256i x = candidates(in);
    const __m256i good = _mm256_cmpgt_epi16(_mm256_set1_epi16(Q), x);
    unsigned mask = (unsigned)_mm_movemask_epi8(
        _mm_packs_epi16(_mm256_castsi256_si128(good), _mm256_extracti128_si256(good, 1)));
    unsigned num = 0;
    _mm256_store_si256((__m256i *)(void *)all_of_them, x);
    if (room < ROW) { /* whole vectors are written below */
        for (size_t i = 0; i < ROW && num < room; i++, mask >>= 1) {
            out[num] = all_of_them[i];
            num += mask & 1;
        }
        return num;
    }
    for (size_t i = 0; i < ROW; i += 4, mask >>= 4) {
        const __m128i four = _mm_loadl_epi64((const __m128i *)(const void *)&all_of_them[i]);
        const __m128i which = _mm_loadl_epi64((const __m128i *)(const void *)chosen[mask & 15]);
        _mm_storel_epi64((__m128i *)(void *)&out[num], _mm_shuffle_epi8(four, which));
        num += (unsigned)__builtin_popcount(mask & 15);
    }
    return num;
}

#endif
#else

#define ACCEPT_BYTES 3

/* Two candidates of twelve bits in three bytes. */
static inline unsigned accept(int16_t *out, unsigned room, const uint8_t *in)
{
    const int a = in[0] | (in[1] & 15) << 8;
    const int b = in[1] >> 4 | in[2] << 4;
    unsigned num = 0;
    out[0] = (int16_t)a;
    num += a < Q;
    if (num < room) {
        out[num] = (int16_t)b;
        num += b < Q;
    }
    return num;
}

#endif

/* FIPS 203 algorithm 7, of a block of SHAKE128. */
static unsigned sample_uniform(struct cl_poly *p, unsigned num, const uint8_t *block)
{
    for (size_t i = 0; i < CL_MLKEM_BLOCK && num < CL_MLKEM_N; i += ACCEPT_BYTES) {
        num += accept(&p->c[num], CL_MLKEM_N - num, block + i);
    }
    return num;
}
