/* tls/grease.h - reserved values and a shuffled order in our ClientHello, so that servers and boxes
 * on the way stay tolerant of what they do not know (RFC 8701). */
#ifndef CL_TLS_GREASE_H
#define CL_TLS_GREASE_H

#include "base/bytes.h"
#include "base/result.h"

struct cleat_tls;

/* cl_is_grease: RFC 8701 2: both bytes equal and of the form 0x?a */
static inline bool cl_is_grease(uint16_t v)
{
    return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

/* 32: rows of the table of extensions, and room */
#define CL_GREASE_MAX_ROWS 32

/* Where a value stands; each place has its own. */
enum cl_grease_place {
    CL_GREASE_SUITE,
    CL_GREASE_GROUP, /* in supported_groups and in key_share */
    CL_GREASE_VERSION,
    CL_GREASE_SCHEME,
    CL_GREASE_FIRST_EXTENSION,
    CL_GREASE_LAST_EXTENSION,
    CL_GREASE_NUM,
};

/* What was drawn for a handshake; both ClientHellos of it have the same. */
struct cl_grease {
    uint8_t seed[CL_GREASE_NUM];
    uint8_t order[CL_GREASE_MAX_ROWS]; /* of the table's rows */
};

/* cl_grease_draw draws values and order from the configuration's randomness, if it wants any. */
CL_MUST cl_result cl_grease_draw(struct cleat_tls *tls);

/* cl_grease_value returns one of 0x0a0a, 0x1a1a … 0xfafa. */
uint16_t cl_grease_value(const struct cleat_tls *tls, enum cl_grease_place place);

/* cl_grease_number writes the place's value as 16 bits; nothing when there is no GREASE. */
void cl_grease_number(const struct cleat_tls *tls, enum cl_grease_place place, struct cl_wr *w);

/* cl_grease_extension writes an extension of that type with `zeros` bytes of body. */
void cl_grease_extension(const struct cleat_tls *tls, enum cl_grease_place place, size_t zeros,
                         struct cl_wr *w);

#endif
