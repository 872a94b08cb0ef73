/* bench/args.h - what the small benchmarks have in common: their options, and results as JSON. */
#ifndef BENCH_ARGS_H
#define BENCH_ARGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cleat/version.h"

struct bench_args {
    const char *only; /* NULL: all rows; else those whose id contains it */
    const char *file; /* NULL, or where JSON goes */
    bool quick;
};

static inline bool bench_args_parse(struct bench_args *a, int argc, char **argv)
{
    *a = (struct bench_args){0};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            a->quick = true;
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            a->only = argv[++i];
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            a->file = argv[++i];
        } else {
            fprintf(stderr, "usage: %s [--quick] [--only ID] [--json FILE]\n", argv[0]);
            return false;
        }
    }
    return true;
}

static inline bool bench_args_wants(const struct bench_args *a, const char *id)
{
    return a->only == NULL || strstr(id, a->only) != NULL;
}

/* bench_args_write takes the results. 0, or 1 when the file cannot be written. */
static inline int bench_args_write(const struct bench_args *a, json_t *results)
{
    json_t *root =
        json_pack("{s:i, s:s, s:o}", "schema", 1, "cleat", cleat_version(), "results", results);
    const int rc =
        a->file != NULL && (root == NULL || json_dump_file(root, a->file, JSON_INDENT(2)) != 0);
    json_decref(root);
    return rc;
}

#endif
