/* base/buf.c - see buf.h. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

/* 256: most handshake messages fit, and malloc's own overhead is small beside it */
#define BUF_MIN_CAP 256

static void give_back(struct cl_buf *b)
{
    if (b->lent) {
        cl_wipe(b->p, b->cap);
    } else {
        cl_free_secret(b->p, b->cap);
    }
}

cl_result cl_buf_reserve(struct cl_buf *b, size_t extra, size_t max)
{
    if (b->len > max || extra > max - b->len) {
        return CLEAT_ERR_LIMIT;
    }
    size_t need = b->len + extra;
    if (need <= b->cap && b->p != NULL) {
        return CL_OK;
    }
    size_t cap = b->cap < BUF_MIN_CAP ? BUF_MIN_CAP : b->cap;
    while (cap < need) {
        cap = cap <= SIZE_MAX / 2 ? cap * 2 : need;
    }
    if (cap > max) {
        cap = max > 0 ? max : 1;
    }
    /* not realloc: the old block may hold plaintext and must be wiped */
    uint8_t *p = cl_alloc(cap);
    if (p == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    if (b->len != 0) {
        memcpy(p, b->p, b->len);
    }
    give_back(b);
    b->p = p;
    b->cap = cap;
    b->lent = false;
    return CL_OK;
}

cl_result cl_buf_append(struct cl_buf *b, const void *p, size_t len, size_t max)
{
    CL_TRY(cl_buf_reserve(b, len, max));
    if (len != 0) {
        memcpy(b->p + b->len, p, len);
        b->len += len;
    }
    return CL_OK;
}

cl_result cl_buf_printf(struct cl_buf *b, size_t max, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int need = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (need < 0) {
        return CLEAT_ERR_INTERNAL;
    }
    CL_TRY(cl_buf_reserve(b, (size_t)need + 1, max < SIZE_MAX ? max + 1 : max));
    va_start(ap, fmt);
    (void)vsnprintf((char *)b->p + b->len, (size_t)need + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)need;
    return CL_OK;
}

void cl_buf_trim(struct cl_buf *b)
{
    uint8_t *p = !b->lent && b->len != 0 && b->len < b->cap ? cl_memdup(b->p, b->len) : NULL;
    if (p != NULL) {
        give_back(b);
        b->p = p;
        b->cap = b->len;
    }
}

void cl_buf_drop(struct cl_buf *b, size_t n)
{
    if (n >= b->len) {
        b->len = 0;
        return;
    }
    if (n != 0) {
        memmove(b->p, b->p + n, b->len - n);
        b->len -= n;
    }
}

void cl_buf_deinit(struct cl_buf *b)
{
    give_back(b);
    *b = (struct cl_buf){0};
}
