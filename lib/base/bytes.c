/* base/bytes.c - see bytes.h. */
#include "base/bytes.h"

static bool rd_uint(struct cl_rd *r, size_t width, uint64_t *out)
{
    if (r->len < width) {
        return false;
    }
    uint64_t v = 0;
    for (size_t i = 0; i < width; i++) {
        v = (v << 8) | r->p[i];
    }
    r->p += width;
    r->len -= width;
    *out = v;
    return true;
}

bool cl_rd_u16(struct cl_rd *r, uint16_t *out)
{
    uint64_t v;
    if (!rd_uint(r, 2, &v)) {
        return false;
    }
    *out = (uint16_t)v;
    return true;
}

bool cl_rd_u24(struct cl_rd *r, uint32_t *out)
{
    uint64_t v;
    if (!rd_uint(r, 3, &v)) {
        return false;
    }
    *out = (uint32_t)v;
    return true;
}

bool cl_rd_u32(struct cl_rd *r, uint32_t *out)
{
    uint64_t v;
    if (!rd_uint(r, 4, &v)) {
        return false;
    }
    *out = (uint32_t)v;
    return true;
}

bool cl_rd_u64(struct cl_rd *r, uint64_t *out)
{
    return rd_uint(r, 8, out);
}

bool cl_rd_copy(struct cl_rd *r, void *out, size_t len)
{
    struct cl_rd view;
    if (!cl_rd_take(r, len, &view)) {
        return false;
    }
    if (len != 0) {
        memcpy(out, view.p, len);
    }
    return true;
}

bool cl_rd_skip(struct cl_rd *r, size_t len)
{
    struct cl_rd view;
    return cl_rd_take(r, len, &view);
}

static bool rd_vec(struct cl_rd *r, size_t width, struct cl_rd *out)
{
    struct cl_rd rest = *r;
    uint64_t len;
    if (!rd_uint(&rest, width, &len) || !cl_rd_take(&rest, (size_t)len, out)) {
        return false;
    }
    *r = rest;
    return true;
}

bool cl_rd_vec8(struct cl_rd *r, struct cl_rd *out)
{
    return rd_vec(r, 1, out);
}

bool cl_rd_vec16(struct cl_rd *r, struct cl_rd *out)
{
    return rd_vec(r, 2, out);
}

bool cl_rd_vec24(struct cl_rd *r, struct cl_rd *out)
{
    return rd_vec(r, 3, out);
}

bool cl_rd_equal(struct cl_rd a, struct cl_rd b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

struct cl_rd cl_rd_without_zeros(struct cl_rd number)
{
    struct cl_rd rest = number;
    uint8_t byte;
    while (cl_rd_u8(&rest, &byte) && byte == 0) {
        number = rest;
    }
    return number;
}

bool cl_rd_equal_str(struct cl_rd a, const char *s)
{
    return cl_rd_equal(a, cl_rd_str(s));
}

uint8_t *cl_wr_reserve(struct cl_wr *w, size_t len)
{
    if (w->failed || w->cap - w->len < len) {
        w->failed = true;
        return NULL;
    }
    uint8_t *at = w->p + w->len;
    w->len += len;
    return at;
}

static void put_uint(uint8_t *at, size_t width, uint64_t v)
{
    for (size_t i = width; i > 0; i--) {
        at[i - 1] = (uint8_t)v;
        v >>= 8;
    }
}

static void wr_uint(struct cl_wr *w, size_t width, uint64_t v)
{
    uint8_t *at = cl_wr_reserve(w, width);
    if (at != NULL) {
        put_uint(at, width, v);
    }
}

void cl_wr_u8(struct cl_wr *w, uint8_t v)
{
    wr_uint(w, 1, v);
}

void cl_wr_u16(struct cl_wr *w, uint16_t v)
{
    wr_uint(w, 2, v);
}

void cl_wr_u24(struct cl_wr *w, uint32_t v)
{
    if (v > 0xffffff) {
        w->failed = true;
    }
    wr_uint(w, 3, v);
}

void cl_wr_u32(struct cl_wr *w, uint32_t v)
{
    wr_uint(w, 4, v);
}

void cl_wr_u64(struct cl_wr *w, uint64_t v)
{
    wr_uint(w, 8, v);
}

void cl_wr_bytes(struct cl_wr *w, const void *p, size_t len)
{
    uint8_t *at = cl_wr_reserve(w, len);
    if (at != NULL && len != 0) {
        memcpy(at, p, len);
    }
}

void cl_wr_view(struct cl_wr *w, struct cl_rd view)
{
    cl_wr_bytes(w, view.p, view.len);
}

void cl_wr_zeros(struct cl_wr *w, size_t len)
{
    uint8_t *at = cl_wr_reserve(w, len);
    if (at != NULL && len != 0) {
        memset(at, 0, len);
    }
}

static struct cl_wr_mark wr_open(struct cl_wr *w, uint8_t width)
{
    struct cl_wr_mark mark = {.at = w->len, .width = width};
    cl_wr_zeros(w, width);
    return mark;
}

struct cl_wr_mark cl_wr_open8(struct cl_wr *w)
{
    return wr_open(w, 1);
}

struct cl_wr_mark cl_wr_open16(struct cl_wr *w)
{
    return wr_open(w, 2);
}

struct cl_wr_mark cl_wr_open24(struct cl_wr *w)
{
    return wr_open(w, 3);
}

void cl_wr_close(struct cl_wr *w, struct cl_wr_mark mark)
{
    if (w->failed) {
        return;
    }
    uint64_t len = w->len - mark.at - mark.width;
    if (len >> (8 * mark.width) != 0) {
        w->failed = true;
        return;
    }
    put_uint(w->p + mark.at, mark.width, len);
}
