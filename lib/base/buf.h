/* base/buf.h - a growable byte buffer with an upper bound given at each growth.
 *
 * {0} is an empty buffer, always safe to deinit. Contents are wiped before memory is given back:
 * buffers carry plaintext. A buffer may be lent room to begin with (cl_buf_lend): what fits there
 * costs no allocation.
 */
#ifndef CL_BASE_BUF_H
#define CL_BASE_BUF_H

#include "base/bytes.h"
#include "base/result.h"

struct cl_buf {
    uint8_t *p;
    size_t len;
    size_t cap;
    bool lent; /* p is somebody else's room */
};

/* cl_buf_lend gives an empty buffer cap bytes at p to begin with. They stay their owner's, who
 * keeps them as long as the buffer lives, or until it has outgrown them; the buffer wipes what it
 * leaves. */
static inline void cl_buf_lend(struct cl_buf *b, uint8_t *p, size_t cap)
{
    *b = (struct cl_buf){.p = p, .cap = cap, .lent = true};
}

/* cl_buf_reserve makes sure that `extra` bytes fit behind len. LIMIT when len + extra > max,
 * NOMEM when memory is short; the buffer is unchanged on failure. */
CL_MUST cl_result cl_buf_reserve(struct cl_buf *b, size_t extra, size_t max);

/* cl_buf_append copies len bytes to the end. Failures as cl_buf_reserve. */
CL_MUST cl_result cl_buf_append(struct cl_buf *b, const void *p, size_t len, size_t max);

/* cl_buf_printf appends formatted text (no NUL counted in len). Failures as cl_buf_reserve. */
CL_MUST cl_result cl_buf_printf(struct cl_buf *b, size_t max, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* cl_buf_drop removes n bytes from the front (n <= len). */
void cl_buf_drop(struct cl_buf *b, size_t n);

/* cl_buf_trim gives back what is not used, for buffers that stay as they are. Where memory is short
 * nothing changes. */
void cl_buf_trim(struct cl_buf *b);

/* cl_buf_writer gives a writer over the free room; cl_buf_commit adds what it wrote to len. */
static inline struct cl_wr cl_buf_writer(struct cl_buf *b)
{
    return cl_wr_of(b->p != NULL ? b->p + b->len : NULL, b->cap - b->len);
}

static inline void cl_buf_commit(struct cl_buf *b, const struct cl_wr *w)
{
    b->len += w->len;
}

static inline struct cl_rd cl_buf_view(const struct cl_buf *b)
{
    return cl_rd_of(b->p, b->len);
}

/* cl_buf_deinit wipes and frees, but for lent room, which is only wiped; the buffer is {0}
 * afterwards. */
void cl_buf_deinit(struct cl_buf *b);

#endif
