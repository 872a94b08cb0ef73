/* base/text.h - hexadecimal, base64, and ASCII without the locale: comparison, what is printable.
 */
#ifndef CL_BASE_TEXT_H
#define CL_BASE_TEXT_H

#include "base/bytes.h"
#include "base/result.h"

/* cl_hex_encode writes 2*len lower-case digits and a NUL to out. */
void cl_hex_encode(const uint8_t *p, size_t len, char *out);

/* cl_hex_decode reads an even number of digits (either case) from s; false when s is anything else
 * or longer than cap bytes. */
CL_RD_MUST bool cl_hex_decode(const char *s, size_t len, uint8_t *out, size_t cap, size_t *out_len);

/* cl_base64_encode writes standard base64 with padding and a NUL; out holds
 * CL_BASE64_LEN(len) + 1 bytes. */
#define CL_BASE64_LEN(len) (((len) + 2) / 3 * 4)
void cl_base64_encode(const uint8_t *p, size_t len, char *out);

/* cl_base64_decode reads standard base64 strictly: padding required, unused bits zero, no other
 * character (RFC 4648 3.3, 3.5). White space (space, tab, CR, LF) is skipped when skip_space. */
CL_RD_MUST bool cl_base64_decode(const char *s, size_t len, bool skip_space, uint8_t *out,
                                 size_t cap, size_t *out_len);

/* cl_ascii_printable gives '?' for an ASCII control character and else the byte itself;
 * cl_text_make_printable does so with a whole string. What strangers wrote must not reach a
 * terminal or a log as it is. Only ASCII control bytes are replaced: names may be UTF-8 and readers
 * want to see them. */
static inline char cl_ascii_printable(char c)
{
    return (uint8_t)c < 0x20 || c == 0x7f ? '?' : c;
}
void cl_text_make_printable(char *s);

/* cl_ascii_lower lower-cases A-Z only. cl_ascii_equal_fold compares views, ignoring ASCII case. */
static inline uint8_t cl_ascii_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}
CL_RD_MUST bool cl_ascii_equal_fold(struct cl_rd a, struct cl_rd b);

#endif
