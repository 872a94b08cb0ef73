/* base/mem.c - see mem.h. cl_ct_equal must run in constant time: no branch and no index depends on
 * the bytes compared; only the final verdict leaves it. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

static bool (*test_hook)(void *ctx, size_t size);
static void *test_hook_ctx;

void cl_mem_test_hook(bool (*hook)(void *ctx, size_t size), void *ctx)
{
    test_hook = hook;
    test_hook_ctx = ctx;
}

static bool allowed(size_t size)
{
    return test_hook == NULL || test_hook(test_hook_ctx, size);
}

void *cl_alloc(size_t size)
{
    return allowed(size) ? malloc(size != 0 ? size : 1) : NULL;
}

void *cl_calloc(size_t num, size_t size)
{
    return allowed(num * size) ? calloc(num != 0 ? num : 1, size != 0 ? size : 1) : NULL;
}

void *cl_realloc(void *p, size_t size)
{
    return allowed(size) ? realloc(p, size != 0 ? size : 1) : NULL;
}

void *cl_memdup(const void *p, size_t len)
{
    void *copy = cl_alloc(len);
    if (copy != NULL && len != 0) {
        memcpy(copy, p, len);
    }
    return copy;
}

char *cl_strndup(const char *s, size_t len)
{
    char *copy = cl_alloc(len + 1);
    if (copy != NULL) {
        memcpy(copy, s, len);
        copy[len] = '\0';
    }
    return copy;
}

void cl_free(void *p)
{
    free(p);
}

void cl_free_secret(void *p, size_t len)
{
    if (p != NULL) {
        cl_wipe(p, len);
        free(p);
    }
}

void cl_wipe(void *p, size_t len)
{
    if (len != 0) {
        explicit_bzero(p, len);
    }
}

/* The compiler must not find out when all that differs has been seen. */
static inline uint64_t hide(uint64_t x)
{
    __asm__("" : "+r"(x));
    return x;
}

bool cl_ct_equal(const void *a, const void *b, size_t len)
{
    const uint8_t *x = a;
    const uint8_t *y = b;
    uint64_t differ = 0;
    for (; len >= sizeof(uint64_t); len -= sizeof(uint64_t)) {
        uint64_t u;
        uint64_t v;
        memcpy(&u, x, sizeof(u));
        memcpy(&v, y, sizeof(v));
        differ = hide(differ | (u ^ v));
        x += sizeof(u);
        y += sizeof(v);
    }
    for (size_t i = 0; i < len; i++) {
        differ = hide(differ | (uint64_t)(x[i] ^ y[i]));
    }
    return differ == 0;
}
