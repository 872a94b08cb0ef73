/* base/mem.h - allocation, secrets, constant-time comparison.
 *
 * All heap memory of the library comes from here, so that tests can count allocations and make the
 * n-th one fail (cl_mem_test_hook). Sizes in bytes.
 */
#ifndef CL_BASE_MEM_H
#define CL_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* cl_alloc, cl_calloc, cl_realloc and cl_strndup return NULL when memory is short; cl_free(NULL) is
 * fine. cl_strndup copies at most len bytes and adds a NUL. */
void *cl_alloc(size_t size) __attribute__((malloc, warn_unused_result));
void *cl_calloc(size_t num, size_t size) __attribute__((malloc, warn_unused_result));
void *cl_realloc(void *p, size_t size) __attribute__((warn_unused_result));
void *cl_memdup(const void *p, size_t len) __attribute__((warn_unused_result));
char *cl_strndup(const char *s, size_t len) __attribute__((malloc, warn_unused_result));
void cl_free(void *p);

/* cl_free_secret wipes len bytes at p, then frees it. NULL is fine. */
void cl_free_secret(void *p, size_t len);

/* cl_wipe overwrites memory in a way that the compiler does not remove. */
void cl_wipe(void *p, size_t len);

/* cl_ct_equal compares in time that depends on len only. Two empty strings are equal. */
bool cl_ct_equal(const void *a, const void *b, size_t len) __attribute__((warn_unused_result));

/* A symmetric secret of at most 64 bytes (the longest hash). {0} is empty and safe to wipe. */
#define CL_SECRET_MAX 64
struct cl_secret {
    uint8_t len;
    uint8_t bytes[CL_SECRET_MAX];
};

static inline void cl_secret_wipe(struct cl_secret *s)
{
    cl_wipe(s, sizeof(*s));
}

/* cl_mem_test_hook makes every later allocation ask hook first, which returns false to let it fail;
 * NULL removes the hook. For tests only; not thread-safe. */
void cl_mem_test_hook(bool (*hook)(void *ctx, size_t size), void *ctx);

#endif
