/* measure/primitives_impl.h - between primitives.c and the families: how a row is run. */
#ifndef CL_MEASURE_PRIMITIVES_IMPL_H
#define CL_MEASURE_PRIMITIVES_IMPL_H

#include "cleat/batch.h"
#include "crypto/key.h"
#include "measure/primitives.h"

/* 64: operations between two readings of the clock, and jobs in the largest batch */
#define CL_PRIMITIVE_TURN 64

/* 8: kinds of keys in the list, and room to spare */
#define CL_KIT_MAX_KEYS 16

struct cl_kit_key {
    enum cl_key_type type;
    unsigned bits;
    struct cleat_key *key;
};

struct cl_bench_kit {
    struct cleat_batch *batch;
    struct cl_kit_key keys[CL_KIT_MAX_KEYS];
    size_t num_keys;
};

/* cl_kit_key returns a key of this kind, made at the first call; the kit's. */
CL_MUST cl_result cl_kit_key(struct cl_bench_kit *kit, enum cl_key_type type, unsigned bits,
                             struct cleat_key **out);

/* A row being measured. */
struct cl_primitive_run {
    const struct cl_primitive *p;
    struct cl_bench_kit *kit;
    void *state; /* what open made */
};

/* What a family can do. Only `run` is measured. */
struct cl_primitive_ops {
    cl_result (*open)(struct cl_primitive_run *r);
    /* Before each turn of num operations (1 to CL_PRIMITIVE_TURN). NULL: nothing to do. */
    cl_result (*ready)(struct cl_primitive_run *r, size_t num);
    /* num operations, `batch` in a batch (0: without). */
    cl_result (*run)(struct cl_primitive_run *r, size_t num, size_t batch);
    void (*close)(struct cl_primitive_run *r);
};

/* Each family adds its rows. */
struct cl_primitive_list {
    struct cl_primitive *rows;
    size_t num;
    size_t cap;
};
/* cl_primitive_add returns a new row, zero but for these fields; NULL: no room. */
struct cl_primitive *cl_primitive_add(struct cl_primitive_list *list,
                                      enum cl_primitive_family family,
                                      const struct cl_primitive_ops *ops);
/* cl_primitive_lower writes the id as all are written: lower case, "-" for a space. */
void cl_primitive_lower(struct cl_primitive *row);
void cl_primitives_add_kex(struct cl_primitive_list *list);
void cl_primitives_add_kems(struct cl_primitive_list *list);
void cl_primitives_add_signatures(struct cl_primitive_list *list);
void cl_primitives_add_aeads(struct cl_primitive_list *list);
void cl_primitives_add_hashes(struct cl_primitive_list *list);

#endif
