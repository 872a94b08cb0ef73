/* tests/allocations.h - counts what the library allocates, and lets one allocation fail. */
#ifndef TESTS_ALLOCATIONS_H
#define TESTS_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct allocations {
    size_t num;     /* made, or tried, since allocations_watch */
    size_t fail_at; /* the number of the one that fails; 0: none */
    bool failed;
};

static inline bool allocations_hook(void *ctx, size_t size)
{
    struct allocations *a = ctx;
    (void)size;
    if (++a->num == a->fail_at) {
        a->failed = true;
        return false;
    }
    return true;
}

/* allocations_watch counts from now on and lets number fail_at fail; allocations_leave ends it. */
static inline void allocations_watch(struct allocations *a, size_t fail_at)
{
    *a = (struct allocations){.fail_at = fail_at};
    cl_mem_test_hook(allocations_hook, a);
}

static inline void allocations_leave(void)
{
    cl_mem_test_hook(NULL, NULL);
}

#endif
