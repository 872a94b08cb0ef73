/* http/chars.h - classes of bytes (RFC 9110 5.6.2, RFC 3986 2 and 3), and small steps over text.
 *
 * Text is read through struct cl_rd, which only shrinks.
 */
#ifndef CL_HTTP_CHARS_H
#define CL_HTTP_CHARS_H

#include "base/bytes.h"
#include "cleat/http.h"

enum {
    CL_CH_TOKEN = 1,   /* tchar (RFC 9110 5.6.2) */
    CL_CH_VALUE = 2,   /* field-vchar, SP, HTAB (RFC 9110 5.5) */
    CL_CH_TARGET = 4,  /* visible ASCII without '"', '#', '<', '>': see target.c */
    CL_CH_REGNAME = 8, /* unreserved, sub-delims (RFC 3986 3.2.2), without '%' */
    CL_CH_DIGIT = 16,
    CL_CH_HEX = 32,
    CL_CH_ALPHA = 64,
    CL_CH_ETAG = 128, /* etagc (RFC 9110 8.8.3) */
};

extern const uint8_t cl_http_chars[256];

static inline bool cl_http_ch(uint8_t c, uint8_t classes)
{
    return (cl_http_chars[c] & classes) != 0;
}

/* cl_http_all tells whether every byte of a view is in one of the classes (true for an empty one).
 */
bool cl_http_all(struct cl_rd v, uint8_t classes);

/* cl_http_skip_value returns the first index from `at` on whose byte is not CL_CH_VALUE, or end. */
size_t cl_http_skip_value(const uint8_t *p, size_t at, size_t end);

/* cl_http_until takes what stands before the first byte `c` and skips that byte; false, and nothing
 * taken, when there is none. */
CL_RD_MUST bool cl_http_until(struct cl_rd *r, uint8_t c, struct cl_rd *out);

/* cl_http_trim removes optional white space (SP, HTAB) from both ends. */
struct cl_rd cl_http_trim(struct cl_rd v);

/* cl_http_hex gives the value of a hexadecimal digit; c must be one. */
static inline uint8_t cl_http_hex(uint8_t c)
{
    return (uint8_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
}

/* cl_http_equal_fold compares with a C string, ignoring ASCII case. */
bool cl_http_equal_fold(struct cl_rd v, const char *s);

/* cl_http_u64 reads 1*DIGIT as a number up to INT64_MAX. */
enum cl_http_u64_verdict {
    CL_HTTP_U64_OK,
    CL_HTTP_U64_BAD,
    CL_HTTP_U64_HUGE,
};
enum cl_http_u64_verdict cl_http_u64(struct cl_rd v, uint64_t *out);

static inline struct cl_rd cl_http_rd(struct cleat_http_view v)
{
    return cl_rd_of(v.p, v.len);
}

static inline struct cleat_http_view cl_http_view(struct cl_rd r)
{
    return (struct cleat_http_view){.p = (const char *)r.p, .len = r.len};
}

/* What an error text shows of a peer's text: at most 80 bytes. For "%.*s". */
#define CL_HTTP_SHOWN(v) (int)((v).len < 80 ? (v).len : 80), (const char *)(v).p

#endif
