/* base/bytes.h - the only way to touch bytes of the wire: a reader that only shrinks, a writer with
 * a capacity given at the start.
 *
 * Reader: {pointer, length}. Every getter returns false, and leaves the reader as it was, when
 * fewer bytes are left than asked for; its result must be used. A length-prefixed vector is taken
 * as a reader of its own. A parser ends by checking cl_rd_done(). A reader is also the type of a
 * view of bytes that somebody else owns.
 *
 * Writer: {pointer, capacity, length}. Failure (no room, or a vector too long for its prefix) is
 * sticky and checked once, with cl_wr_ok(). A vector is opened, filled, closed.
 *
 * All integers are big-endian, as on the wire.
 */
#ifndef CL_BASE_BYTES_H
#define CL_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define CL_RD_MUST __attribute__((warn_unused_result))

struct cl_rd {
    const uint8_t *p;
    size_t len;
};

static inline struct cl_rd cl_rd_of(const void *p, size_t len)
{
    return (struct cl_rd){.p = p, .len = len};
}

static inline struct cl_rd cl_rd_str(const char *s)
{
    return (struct cl_rd){.p = (const uint8_t *)s, .len = strlen(s)};
}

static inline bool cl_rd_done(const struct cl_rd *r)
{
    return r->len == 0;
}

CL_RD_MUST static inline bool cl_rd_u8(struct cl_rd *r, uint8_t *out)
{
    if (r->len == 0) {
        return false;
    }
    *out = *r->p++;
    r->len--;
    return true;
}

CL_RD_MUST bool cl_rd_u16(struct cl_rd *r, uint16_t *out);
CL_RD_MUST bool cl_rd_u24(struct cl_rd *r, uint32_t *out);
CL_RD_MUST bool cl_rd_u32(struct cl_rd *r, uint32_t *out);
CL_RD_MUST bool cl_rd_u64(struct cl_rd *r, uint64_t *out);

/* cl_rd_take gives the next len bytes as a view; cl_rd_copy copies them; cl_rd_skip drops them. */
CL_RD_MUST static inline bool cl_rd_take(struct cl_rd *r, size_t len, struct cl_rd *out)
{
    if (r->len < len) {
        return false;
    }
    struct cl_rd taken = {.p = r->p, .len = len};
    if (len != 0) {
        r->p += len;
        r->len -= len;
    }
    *out = taken;
    return true;
}

CL_RD_MUST bool cl_rd_copy(struct cl_rd *r, void *out, size_t len);
CL_RD_MUST bool cl_rd_skip(struct cl_rd *r, size_t len);

/* Vectors with a length of 8, 16 or 24 bits in front. */
CL_RD_MUST bool cl_rd_vec8(struct cl_rd *r, struct cl_rd *out);
CL_RD_MUST bool cl_rd_vec16(struct cl_rd *r, struct cl_rd *out);
CL_RD_MUST bool cl_rd_vec24(struct cl_rd *r, struct cl_rd *out);

/* cl_rd_equal compares two views; not in constant time. */
CL_RD_MUST bool cl_rd_equal(struct cl_rd a, struct cl_rd b);
CL_RD_MUST bool cl_rd_equal_str(struct cl_rd a, const char *s);

/* cl_rd_without_zeros leaves out the zeros in front of a number, big-endian; not in constant time.
 */
struct cl_rd cl_rd_without_zeros(struct cl_rd number);

struct cl_wr {
    uint8_t *p;
    size_t cap;
    size_t len;
    bool failed;
};

/* An open vector: where its length prefix stands, and how many bytes that prefix has. */
struct cl_wr_mark {
    size_t at;
    uint8_t width;
};

static inline struct cl_wr cl_wr_of(void *p, size_t cap)
{
    return (struct cl_wr){.p = p, .cap = cap};
}

static inline bool cl_wr_ok(const struct cl_wr *w)
{
    return !w->failed;
}

void cl_wr_u8(struct cl_wr *w, uint8_t v);
void cl_wr_u16(struct cl_wr *w, uint16_t v);
void cl_wr_u24(struct cl_wr *w, uint32_t v);
void cl_wr_u32(struct cl_wr *w, uint32_t v);
void cl_wr_u64(struct cl_wr *w, uint64_t v);
void cl_wr_bytes(struct cl_wr *w, const void *p, size_t len);
void cl_wr_view(struct cl_wr *w, struct cl_rd view);
void cl_wr_zeros(struct cl_wr *w, size_t len);

/* cl_wr_reserve makes room for len bytes to be filled in by the caller; NULL when there is none. */
uint8_t *cl_wr_reserve(struct cl_wr *w, size_t len);

struct cl_wr_mark cl_wr_open8(struct cl_wr *w);
struct cl_wr_mark cl_wr_open16(struct cl_wr *w);
struct cl_wr_mark cl_wr_open24(struct cl_wr *w);
void cl_wr_close(struct cl_wr *w, struct cl_wr_mark mark);

#endif
