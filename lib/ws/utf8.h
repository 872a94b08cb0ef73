/* ws/utf8.h - is it UTF-8 (RFC 3629), piece by piece: a bad byte is found in the piece that has it.
 *
 * {0} is the beginning of a text.
 */
#ifndef CL_WS_UTF8_H
#define CL_WS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cl_ws_utf8 {
    uint8_t need;   /* bytes that the character which the last piece ended in still lacks */
    uint8_t lo, hi; /* what its next byte may be */
};

/* cl_ws_utf8_feed looks at the next len bytes and returns how many of them can be the beginning of
 * UTF-8: len when all are fine, else the position of the first byte that cannot stand there. */
size_t cl_ws_utf8_feed(struct cl_ws_utf8 *u, const uint8_t *p, size_t len);

/* cl_ws_utf8_plain does the same byte by byte. */
size_t cl_ws_utf8_plain(struct cl_ws_utf8 *u, const uint8_t *p, size_t len);

/* cl_ws_utf8_done tells whether the text may end here. */
static inline bool cl_ws_utf8_done(const struct cl_ws_utf8 *u)
{
    return u->need == 0;
}

#endif
