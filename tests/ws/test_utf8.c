/* tests/ws/test_utf8.c - UTF-8 and masking: the fast forms agree with the plain ones everywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support_ws.h"
#include "ws/mask.h"
#include "ws/utf8.h"

#include <stdlib.h>

/* RFC 3629 by arithmetic: can [lo, hi] hold a code point of a form whose least is `least`? */
static bool possible(uint32_t lo, uint32_t hi, uint32_t least)
{
    lo = lo < least ? least : lo;
    hi = hi > 0x10ffff ? 0x10ffff : hi;
    lo = lo >= 0xd800 && lo <= 0xdfff ? 0xe000 : lo;
    return lo <= hi;
}

/* Returns how many bytes of p can begin UTF-8: after each byte the range of what the character may
 * become must hold a code point. */
static size_t expected(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len;) {
        size_t more = p[i] < 0x80 ? 0 : p[i] < 0xe0 ? 1 : p[i] < 0xf0 ? 2 : 3;
        static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if ((p[i] >= 0x80 && p[i] < 0xc0) || p[i] >= 0xf8) {
            return i;
        }
        uint32_t c = more == 0 ? p[i] : p[i] & (0x3fu >> more);
        for (size_t k = 0; k <= more && i + k < len; k++) {
            if (k != 0) {
                if ((p[i + k] & 0xc0) != 0x80) {
                    return i + k;
                }
                c = c << 6 | (p[i + k] & 0x3f);
            }
            size_t left = 6 * (more - k);
            if (!possible(c << left, (c << left) + (1u << left) - 1, least[more])) {
                return i + k;
            }
        }
        i += more + 1;
    }
    return len;
}

/* All forms, at several places of a longer text, must say the same. */
static void agree(const uint8_t *p, size_t len, size_t fine)
{
    static const size_t offsets[] = {0, 1, 29, 30, 31, 32, 61, 62, 63, 64, 95, 125, 127, 128};
    uint8_t text[320];
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        size_t at = offsets[i];
        memset(text, 'x', sizeof(text));
        memcpy(text + at, p, len);
        /* the rest stays away: what follows would end a cut character */
        struct cl_ws_utf8 a = {0};
        struct cl_ws_utf8 b = {0};
        assert_int_equal(cl_ws_utf8_feed(&a, text, at + len), at + fine);
        assert_int_equal(cl_ws_utf8_plain(&b, text, at + len), at + fine);
        if (fine == len) {
            assert_int_equal(a.need, b.need);
        }
        /* and with text behind it: an unfinished character is an error there */
        bool cut = fine == len && a.need != 0;
        size_t whole = fine == len && !cut ? sizeof(text) : at + fine;
        a = (struct cl_ws_utf8){0};
        assert_int_equal(cl_ws_utf8_feed(&a, text, sizeof(text)), whole);
    }
}

static void test_every_two_bytes_are_judged_by_arithmetic(void **state)
{
    for (unsigned v = 0; v < 0x10000; v++) {
        uint8_t p[2] = {(uint8_t)(v >> 8), (uint8_t)v};
        agree(p, 2, expected(p, 2));
    }
}

static void test_three_and_four_bytes_at_every_border_are_judged_by_arithmetic(void **state)
{
    static const uint8_t some[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
                                   0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0,
                                   0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xfc, 0xfe, 0xff};
    size_t num = sizeof(some);
    for (size_t i = 0; i < num * num * num * num; i++) {
        uint8_t p[4] = {some[i % num], some[i / num % num], some[i / num / num % num],
                        some[i / num / num / num]};
        struct cl_ws_utf8 u = {0};
        size_t fine = expected(p, 4);
        assert_int_equal(cl_ws_utf8_plain(&u, p, 4), fine);
        if (i % 16 == 0) {
            agree(p, 4, fine);
        }
    }
}

/* Appends a code point. */
static size_t encode(uint8_t *p, uint32_t c)
{
    if (c < 0x80) {
        p[0] = (uint8_t)c;
        return 1;
    }
    size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};
    p[0] = (uint8_t)(leads[more] | c >> 6 * more);
    for (size_t k = 1; k <= more; k++) {
        p[k] = (uint8_t)(0x80 | (c >> 6 * (more - k) & 0x3f));
    }
    return more + 1;
}

static void test_every_code_point_is_fine_and_every_surrogate_is_not(void **state)
{
    uint8_t text[256];
    size_t len = 0;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        if (c >= 0xd800 && c <= 0xdfff) {
            uint8_t one[4];
            struct cl_ws_utf8 u = {0};
            assert_int_equal(cl_ws_utf8_feed(&u, one, encode(one, c)), 1);
            continue;
        }
        len += encode(text + len, c);
        if (len > sizeof(text) - 4 || c == 0x10ffff) {
            struct cl_ws_utf8 u = {0};
            assert_int_equal(cl_ws_utf8_feed(&u, text, len), len);
            assert_true(cl_ws_utf8_done(&u));
            len = 0;
        }
    }
}

static uint32_t random_point(uint32_t *seed)
{
    static const uint32_t most[] = {0x80, 0x800, 0xd800, 0x110000};
    uint32_t c;
    do {
        c = support_random(seed) % most[support_random(seed) % 4];
    } while (c >= 0xd800 && c <= 0xdfff);
    return c;
}

static void test_a_text_cut_anywhere_and_damaged_anywhere_fails_at_the_same_byte(void **state)
{
    uint32_t seed = 20261121;
    uint8_t text[600];
    for (int round = 0; round < 3000; round++) {
        size_t len = 0;
        while (len < 500) {
            len += encode(text + len, random_point(&seed));
        }
        if (round % 4 != 0) {
            text[support_random(&seed) % len] = (uint8_t)support_random(&seed);
        }
        struct cl_ws_utf8 whole = {0};
        struct cl_ws_utf8 plain = {0};
        struct cl_ws_utf8 pieces = {0};
        size_t fine = cl_ws_utf8_plain(&plain, text, len);
        assert_int_equal(cl_ws_utf8_feed(&whole, text, len), fine);
        size_t at = 0;
        while (at < len) {
            size_t step = 1 + support_random(&seed) % 200;
            step = step < len - at ? step : len - at;
            size_t got = cl_ws_utf8_feed(&pieces, text + at, step);
            at += got;
            if (got != step) {
                break;
            }
        }
        assert_int_equal(at, fine);
        assert_int_equal(whole.need, plain.need);
        assert_int_equal(fine == len ? pieces.need : plain.need, plain.need);
    }
}

static void test_masking_is_the_same_at_every_length_and_offset(void **state)
{
    static const uint8_t key[4] = {0x01, 0x80, 0xfe, 0x37};
    uint8_t src[300];
    uint8_t a[300];
    uint8_t b[300];
    for (size_t i = 0; i < sizeof(src); i++) {
        src[i] = (uint8_t)(i * 7);
    }
    for (size_t len = 0; len <= 200; len++) {
        for (uint64_t at = 0; at < 8; at++) {
            size_t from = len % 13;
            memset(a, 0xaa, sizeof(a));
            memset(b, 0xaa, sizeof(b));
            cl_ws_mask(a + from, src + from, len, key, at);
            cl_ws_mask_plain(b + from, src + from, len, key, at);
            assert_memory_equal(a, b, sizeof(a));
            cl_ws_mask(a + from, a + from, len, key, at);
            assert_memory_equal(a + from, src + from, len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_two_bytes_are_judged_by_arithmetic),
        cmocka_unit_test(test_three_and_four_bytes_at_every_border_are_judged_by_arithmetic),
        cmocka_unit_test(test_every_code_point_is_fine_and_every_surrogate_is_not),
        cmocka_unit_test(test_a_text_cut_anywhere_and_damaged_anywhere_fails_at_the_same_byte),
        cmocka_unit_test(test_masking_is_the_same_at_every_length_and_offset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
