/* ws/utf8.c - see utf8.h.
 *
 * The plain form is RFC 3629's table. The fast form takes 32 bytes at a time where the processor
 * has AVX2, by the method of Keiser and Lemire ("Validating UTF-8 in less than one instruction per
 * byte", 2021): every pair of neighbouring bytes is classified through three tables of 16 entries
 * by their nibbles, and a bit that all three agree on is an error; third and fourth bytes are
 * compared with where a lead byte wants them. When it finds an error the plain form says where. The
 * fast form never ends inside a character: the last one is left to the plain form, which keeps the
 * state.
 */
#include "ws/utf8.h"

#include <string.h>

/* What may follow a lead byte: how many bytes, and the range of the first of them (RFC 3629 4). */
struct lead {
    uint8_t from, to;
    uint8_t need, lo, hi;
};

static const struct lead leads[] = {
    {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf}, {0xe1, 0xec, 2, 0x80, 0xbf},
    {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf}, {0xf0, 0xf0, 3, 0x90, 0xbf},
    {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

static bool begin(struct cl_ws_utf8 *u, uint8_t c)
{
    for (size_t i = 0; i < sizeof(leads) / sizeof(leads[0]); i++) {
        if (c >= leads[i].from && c <= leads[i].to) {
            *u = (struct cl_ws_utf8){leads[i].need, leads[i].lo, leads[i].hi};
            return true;
        }
    }
    return false;
}

/* Takes one byte; false when it cannot stand here. */
static bool take(struct cl_ws_utf8 *u, uint8_t c)
{
    if (u->need == 0) {
        return c < 0x80 || begin(u, c);
    }
    if (c < u->lo || c > u->hi) {
        return false;
    }
    *u = (struct cl_ws_utf8){(uint8_t)(u->need - 1), 0x80, 0xbf};
    return true;
}

size_t cl_ws_utf8_plain(struct cl_ws_utf8 *u, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!take(u, p[i])) {
            return i;
        }
    }
    return len;
}

#if defined(__x86_64__)
#include <immintrin.h>

#define FAST __attribute__((target("avx2")))

/* Errors of a pair of bytes, a bit each. The names say what the pair is. */
enum {
    TOO_SHORT = 1,       /* a lead byte and no continuation */
    TOO_LONG = 2,        /* ASCII and a continuation */
    OVERLONG_3 = 4,      /* e0 80..9f */
    SURROGATE = 8,       /* ed a0..bf */
    OVERLONG_2 = 16,     /* c0, c1 and a continuation */
    TOO_LARGE = 32,      /* f4 90.., f5.. and a continuation */
    TOO_LARGE_1000 = 64, /* f5.. 80..8f; with f0 80..8f: overlong */
    OVERLONG_4 = 64,
    TWO_CONTINUATIONS = 128, /* right only where a lead byte wants it */
};

#define CARRY (TOO_SHORT | TOO_LONG | TWO_CONTINUATIONS)

/* By the high nibble of the first byte. */
static const uint8_t first_high[16] = {
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TOO_LONG,
    TWO_CONTINUATIONS,
    TWO_CONTINUATIONS,
    TWO_CONTINUATIONS,
    TWO_CONTINUATIONS,
    TOO_SHORT | OVERLONG_2,
    TOO_SHORT,
    TOO_SHORT | OVERLONG_3 | SURROGATE,
    TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4,
};

/* By its low nibble. */
static const uint8_t first_low[16] = {
    CARRY | OVERLONG_2 | OVERLONG_3 | OVERLONG_4,
    CARRY | OVERLONG_2,
    CARRY,
    CARRY,
    CARRY | TOO_LARGE,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000 | SURROGATE,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
    CARRY | TOO_LARGE | TOO_LARGE_1000,
};

/* By the high nibble of the second byte. */
#define CONTINUED (TOO_LONG | OVERLONG_2 | TWO_CONTINUATIONS)
static const uint8_t second_high[16] = {
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    CONTINUED | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4,
    CONTINUED | OVERLONG_3 | TOO_LARGE,
    CONTINUED | SURROGATE | TOO_LARGE,
    CONTINUED | SURROGATE | TOO_LARGE,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
    TOO_SHORT,
};

FAST static inline __m256i lookup(const uint8_t table[16], __m256i nibbles)
{
    __m128i half = _mm_loadu_si128((const __m128i *)(const void *)table);
    return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(half), nibbles);
}

FAST static inline __m256i high_nibbles(__m256i v)
{
    return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(0x0f));
}

/* The block moved back by 1, 2 or 3 bytes, with the end of the one before in front. */
#define MOVED(now, before, n) \
    _mm256_alignr_epi8((now), _mm256_permute2x128_si256((before), (now), 0x21), 16 - (n))

/* Anything but zero: an error in the block, or between the two. */
FAST static inline __m256i judge(__m256i now, __m256i before)
{
    __m256i one = MOVED(now, before, 1);
    __m256i pair = _mm256_and_si256(lookup(first_high, high_nibbles(one)),
                                    lookup(first_low, _mm256_and_si256(one, _mm256_set1_epi8(15))));
    pair = _mm256_and_si256(pair, lookup(second_high, high_nibbles(now)));
    /* 0x80 where the byte two before is e0.., or the byte three before is f0.. */
    __m256i third = _mm256_subs_epu8(MOVED(now, before, 2), _mm256_set1_epi8(0xe0 - 0x80));
    __m256i fourth = _mm256_subs_epu8(MOVED(now, before, 3), _mm256_set1_epi8(0xf0 - 0x80));
    __m256i wanted = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
    return _mm256_xor_si256(wanted, pair);
}

/* How many bytes at the front are fine for sure; it begins, and what it returns ends, between
 * characters. A multiple of 32 less the character that is cut, or less because of an error. */
FAST static size_t fast_front(const uint8_t *p, size_t len)
{
    __m256i before = _mm256_setzero_si256();
    size_t i = 0;
    for (; len - i >= 32; i += 32) {
        __m256i now = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
        if (_mm256_movemask_epi8(_mm256_or_si256(now, before)) != 0) {
            __m256i bad = judge(now, before);
            if (!_mm256_testz_si256(bad, bad)) {
                break;
            }
        }
        before = now;
    }
    /* back to where the last character begins: at most three continuation bytes and a lead byte */
    for (size_t k = 0; k < 4 && i != 0 && p[i - 1] >= 0x80; k++) {
        i--;
        if (p[i] >= 0xc0) {
            break;
        }
    }
    return i;
}
#endif

/* 64: below that the plain form is as fast */
#define FAST_MIN 64

size_t cl_ws_utf8_feed(struct cl_ws_utf8 *u, const uint8_t *p, size_t len)
{
    size_t i = 0;
    while (u->need != 0 && i < len) {
        if (!take(u, p[i])) {
            return i;
        }
        i++;
    }
#if defined(__x86_64__)
    if (len - i >= FAST_MIN && __builtin_cpu_supports("avx2")) {
        i += fast_front(p + i, len - i);
    }
#endif
    while (len - i >= sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, p + i, sizeof(word));
        if (u->need == 0 && (word & 0x8080808080808080u) == 0) {
            i += sizeof(word);
            continue;
        }
        size_t fine = cl_ws_utf8_plain(u, p + i, sizeof(word));
        i += fine;
        if (fine != sizeof(word)) {
            return i;
        }
    }
    return i + cl_ws_utf8_plain(u, p + i, len - i);
}
