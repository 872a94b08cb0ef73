/* fuzz/lint_count.h - what a linter finds, looked at and counted; for the targets that lint. */
#ifndef CL_FUZZ_LINT_COUNT_H
#define CL_FUZZ_LINT_COUNT_H

#include <stdlib.h>

#include "x509/lint.h"

/* A sink (struct cl_linting) whose ctx is a size_t: every finding is said in words, and under a
 * name. */
static void lint_count(void *ctx, const struct cl_finding *finding)
{
    size_t *num = ctx;
    (*num)++;
    if (finding->rule == NULL || finding->text[0] == '\0' || finding->section[0] == '\0') {
        abort();
    }
}

#endif
