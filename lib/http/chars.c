/* http/chars.c - see chars.h. The table is the sum of the CL_CH_ classes of each byte;
 * tests/http/test_chars.c derives it again from the ABNF. */
#include "http/chars.h"

#include <endian.h>

#include "base/text.h"

/* clang-format off */
const uint8_t cl_http_chars[256] = {
      0,   0,   0,   0,   0,   0,   0,   0,   0,   2,   0,   0,   0,   0,   0,   0, /* 0x00 */
      0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0, /* 0x10 */
      2, 143,   2, 131, 143, 135, 143, 143, 142, 142, 143, 143, 142, 143, 143, 134, /* 0x20 */
    191, 191, 191, 191, 191, 191, 191, 191, 191, 191, 134, 142, 130, 142, 130, 134, /* 0x30 */
    134, 239, 239, 239, 239, 239, 239, 207, 207, 207, 207, 207, 207, 207, 207, 207, /* 0x40 */
    207, 207, 207, 207, 207, 207, 207, 207, 207, 207, 207, 134, 134, 134, 135, 143, /* 0x50 */
    135, 239, 239, 239, 239, 239, 239, 207, 207, 207, 207, 207, 207, 207, 207, 207, /* 0x60 */
    207, 207, 207, 207, 207, 207, 207, 207, 207, 207, 207, 134, 135, 134, 143,   0, /* 0x70 */
    130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, /* 0x80 */
    130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, /* 0x90 */
    130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, /* 0xa0 */
    130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, /* 0xb0 */
    130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, /* 0xc0 */
    130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, /* 0xd0 */
    130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, /* 0xe0 */
    130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, 130, /* 0xf0 */
};
/* clang-format on */

#define EACH(byte) (0x0101010101010101U * (byte))

/* Looks at eight bytes at a time: the lowest flag of `bad` stands in the first byte that is below
 * 0x20 or is 0x7f. */
size_t cl_http_skip_value(const uint8_t *p, size_t at, size_t end)
{
    while (end - at >= sizeof(uint64_t)) {
        uint64_t v;
        memcpy(&v, p + at, sizeof(v));
        v = le64toh(v);
        uint64_t del = v ^ EACH(0x7f);
        uint64_t bad = (((v - EACH(0x20)) & ~v) | ((del - EACH(0x01)) & ~del)) & EACH(0x80);
        if (bad == 0) {
            at += sizeof(v);
            continue;
        }
        at += (size_t)__builtin_ctzll(bad) / 8;
        if (p[at] != '\t') {
            return at;
        }
        at++;
    }
    while (at < end && cl_http_ch(p[at], CL_CH_VALUE)) {
        at++;
    }
    return at;
}

bool cl_http_all(struct cl_rd v, uint8_t classes)
{
    if (classes == CL_CH_VALUE) {
        return cl_http_skip_value(v.p, 0, v.len) == v.len;
    }
    for (size_t i = 0; i < v.len; i++) {
        if (!cl_http_ch(v.p[i], classes)) {
            return false;
        }
    }
    return true;
}

bool cl_http_until(struct cl_rd *r, uint8_t c, struct cl_rd *out)
{
    const uint8_t *found = r->len != 0 ? memchr(r->p, c, r->len) : NULL;
    if (found == NULL) {
        return false;
    }
    return cl_rd_take(r, (size_t)(found - r->p), out) && cl_rd_skip(r, 1);
}

struct cl_rd cl_http_trim(struct cl_rd v)
{
    while (v.len != 0 && (v.p[0] == ' ' || v.p[0] == '\t')) {
        v.p++;
        v.len--;
    }
    while (v.len != 0 && (v.p[v.len - 1] == ' ' || v.p[v.len - 1] == '\t')) {
        v.len--;
    }
    return v;
}

bool cl_http_equal_fold(struct cl_rd v, const char *s)
{
    return cl_ascii_equal_fold(v, cl_rd_str(s));
}

enum cl_http_u64_verdict cl_http_u64(struct cl_rd v, uint64_t *out)
{
    if (v.len == 0 || !cl_http_all(v, CL_CH_DIGIT)) {
        return CL_HTTP_U64_BAD;
    }
    uint64_t n = 0;
    for (size_t i = 0; i < v.len; i++) {
        uint64_t digit = (uint64_t)(v.p[i] - '0');
        if (n > ((uint64_t)INT64_MAX - digit) / 10) {
            return CL_HTTP_U64_HUGE;
        }
        n = n * 10 + digit;
    }
    *out = n;
    return CL_HTTP_U64_OK;
}
