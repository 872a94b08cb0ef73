/* measure/primitives.c - the list of primitives, and the loop that measures a row of it. */
#include "measure/primitives_impl.h"

#include <ctype.h>

#include "base/mem.h"

/* ---- the list ---- */

struct cl_primitive *cl_primitive_add(struct cl_primitive_list *list,
                                      enum cl_primitive_family family,
                                      const struct cl_primitive_ops *ops)
{
    if (list->num == list->cap) {
        return NULL;
    }
    struct cl_primitive *row = &list->rows[list->num++];
    *row = (struct cl_primitive){.family = family, .ops = ops};
    return row;
}

void cl_primitive_lower(struct cl_primitive *row)
{
    for (char *p = row->id; *p != '\0'; p++) {
        *p = *p == ' ' ? '-' : (char)tolower((unsigned char)*p);
    }
}

size_t cl_primitives_list(struct cl_primitive *out, size_t cap)
{
    struct cl_primitive_list list = {.rows = out, .cap = cap};
    cl_primitives_add_kex(&list);
    cl_primitives_add_kems(&list);
    cl_primitives_add_signatures(&list);
    cl_primitives_add_aeads(&list);
    cl_primitives_add_hashes(&list);
    return list.num;
}

/* ---- the kit ---- */

cl_result cl_bench_kit_new(struct cl_bench_kit **out)
{
    struct cl_bench_kit *kit = cl_calloc(1, sizeof(*kit));
    if (kit == NULL || cleat_batch_new(&kit->batch) != CLEAT_OK) {
        cl_free(kit);
        return CLEAT_ERR_NOMEM;
    }
    *out = kit;
    return CL_OK;
}

void cl_bench_kit_free(struct cl_bench_kit *kit)
{
    if (kit == NULL) {
        return;
    }
    for (size_t i = 0; i < kit->num_keys; i++) {
        cleat_key_free(kit->keys[i].key);
    }
    cleat_batch_free(kit->batch);
    cl_free(kit);
}

cl_result cl_kit_key(struct cl_bench_kit *kit, enum cl_key_type type, unsigned bits,
                     struct cleat_key **out)
{
    for (size_t i = 0; i < kit->num_keys; i++) {
        if (kit->keys[i].type == type && kit->keys[i].bits == bits) {
            *out = kit->keys[i].key;
            return CL_OK;
        }
    }
    if (kit->num_keys == CL_KIT_MAX_KEYS) {
        return CLEAT_ERR_LIMIT;
    }
    CL_TRY(cl_key_generate(out, type, bits));
    kit->keys[kit->num_keys++] = (struct cl_kit_key){type, bits, *out};
    return CL_OK;
}

/* ---- measuring ---- */

size_t cl_primitive_batch(enum cl_primitive_way way)
{
    static const size_t batches[CL_WAY_COUNT] = {
        [CL_WAY_BATCH_1] = 1, [CL_WAY_BATCH_8] = 8, [CL_WAY_BATCH_64] = 64};
    return batches[way];
}

static cl_result turn(struct cl_primitive_run *r, size_t num, size_t batch, struct cl_meter *m)
{
    const struct cl_primitive_ops *ops = r->p->ops;
    if (ops->ready != NULL) {
        CL_TRY(ops->ready(r, num));
    }
    cl_meter_start(m);
    cl_result result = ops->run(r, num, batch);
    cl_meter_stop(m);
    return result;
}

/* The first turn is of the fewest operations and counts for nothing: caches and pools fill, and it
 * tells how long a turn will be. */
static cl_result measure_way(struct cl_primitive_run *r, const struct cl_measure_plan *plan,
                             size_t batch, double *out_us)
{
    const double slice = plan->seconds * 1e9 / CL_MEASURE_PASSES;
    struct cl_meter first = {0};
    size_t num = batch == 0 ? 1 : batch;
    CL_TRY(turn(r, num, batch, &first));
    if ((double)first.ns / (double)num * CL_PRIMITIVE_TURN < slice) {
        num = CL_PRIMITIVE_TURN;
    }
    double best = 0;
    for (unsigned pass = 0; pass < CL_MEASURE_PASSES; pass++) {
        struct cl_meter m = {0};
        size_t done = 0;
        do {
            if (cl_measure_stopped(plan)) {
                return CL_OK;
            }
            CL_TRY(turn(r, num, batch, &m));
            done += num;
        } while ((double)m.ns < slice);
        double us = (double)m.ns / 1000 / (double)done;
        best = pass == 0 || us < best ? us : best;
    }
    *out_us = best;
    return CL_OK;
}

cl_result cl_primitive_measure(struct cl_bench_kit *kit, const struct cl_primitive *p,
                               const struct cl_measure_plan *plan, double out_us[CL_WAY_COUNT])
{
    struct cl_primitive_run r = {.p = p, .kit = kit};
    for (size_t way = 0; way < CL_WAY_COUNT; way++) {
        out_us[way] = 0;
    }
    cl_result result = p->ops->open(&r);
    const size_t num_ways = p->jobs ? CL_WAY_COUNT : 1;
    for (size_t way = 0; result == CL_OK && way < num_ways; way++) {
        const size_t batch = cl_primitive_batch((enum cl_primitive_way)way);
        result = cl_measure_stopped(plan) ? CL_OK : measure_way(&r, plan, batch, &out_us[way]);
    }
    p->ops->close(&r);
    return result;
}
