/* base/text.c - see text.h. Not constant time: keys in PEM are decoded once, at start-up. */
#include "base/text.h"

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void cl_hex_encode(const uint8_t *p, size_t len, char *out)
{
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = hex_digits[p[i] >> 4];
        out[2 * i + 1] = hex_digits[p[i] & 15];
    }
    out[2 * len] = '\0';
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

bool cl_hex_decode(const char *s, size_t len, uint8_t *out, size_t cap, size_t *out_len)
{
    if (len % 2 != 0 || len / 2 > cap) {
        return false;
    }
    for (size_t i = 0; i < len / 2; i++) {
        int high = hex_value(s[2 * i]);
        int low = hex_value(s[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high * 16 + low);
    }
    *out_len = len / 2;
    return true;
}

void cl_base64_encode(const uint8_t *p, size_t len, char *out)
{
    while (len > 0) {
        size_t take = len < 3 ? len : 3;
        uint32_t v = (uint32_t)p[0] << 16;
        v |= take > 1 ? (uint32_t)p[1] << 8 : 0;
        v |= take > 2 ? (uint32_t)p[2] : 0;
        out[0] = base64_digits[v >> 18];
        out[1] = base64_digits[(v >> 12) & 63];
        out[2] = take > 1 ? base64_digits[(v >> 6) & 63] : '=';
        out[3] = take > 2 ? base64_digits[v & 63] : '=';
        out += 4;
        p += take;
        len -= take;
    }
    *out = '\0';
}

/* The value of each character of the alphabet plus one; 0 for all others. */
static const uint8_t base64_values[256] = {
    ['+'] = 63, ['/'] = 64, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56, ['4'] = 57, ['5'] = 58,
    ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,
    ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,  ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12,
    ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20,
    ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28,
    ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32, ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36,
    ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44,
    ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48, ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52,
};

static int base64_value(char c)
{
    return (int)base64_values[(uint8_t)c] - 1;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Four characters of the alphabet at once, which is nearly all of any text; false: look closer. */
static bool base64_quad(const char *s, uint8_t *out)
{
    int v[4];
    for (size_t i = 0; i < 4; i++) {
        v[i] = base64_value(s[i]);
    }
    if ((v[0] | v[1] | v[2] | v[3]) < 0) {
        return false;
    }
    uint32_t bits =
        (uint32_t)v[0] << 18 | (uint32_t)v[1] << 12 | (uint32_t)v[2] << 6 | (uint32_t)v[3];
    out[0] = (uint8_t)(bits >> 16);
    out[1] = (uint8_t)(bits >> 8);
    out[2] = (uint8_t)bits;
    return true;
}

bool cl_base64_decode(const char *s, size_t len, bool skip_space, uint8_t *out, size_t cap,
                      size_t *out_len)
{
    uint32_t bits = 0;
    size_t num = 0;
    size_t pad = 0;
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        while (num % 4 == 0 && pad == 0 && len - i >= 4 && cap - n >= 3 &&
               base64_quad(s + i, out + n)) {
            n += 3;
            i += 4;
        }
        if (i == len) {
            break;
        }
        if (skip_space && is_space(s[i])) {
            continue;
        }
        int v = base64_value(s[i]);
        if (s[i] == '=' && num % 4 >= 2) {
            pad++;
            v = 0;
        } else if (v < 0 || pad > 0) {
            return false;
        }
        bits = (bits << 6) | (uint32_t)v;
        num++;
        if (num % 4 != 0) {
            continue;
        }
        size_t take = 3 - pad;
        /* RFC 4648 3.5: pad bits must be zero */
        if (pad > 2 || n + take > cap || (bits & ((1U << (8 * pad)) - 1)) != 0) {
            return false;
        }
        for (size_t k = 0; k < take; k++) {
            out[n++] = (uint8_t)(bits >> (16 - 8 * k));
        }
        bits = 0;
    }
    if (num % 4 != 0) {
        return false;
    }
    *out_len = n;
    return true;
}

bool cl_ascii_equal_fold(struct cl_rd a, struct cl_rd b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (cl_ascii_lower(a.p[i]) != cl_ascii_lower(b.p[i])) {
            return false;
        }
    }
    return true;
}

void cl_text_make_printable(char *s)
{
    for (; *s != '\0'; s++) {
        *s = cl_ascii_printable(*s);
    }
}
