/* bench/json.c - the results as JSON: {"schema": 2, …, "rows": [{"id", "cleat": {…}, …}]}. */
#include <jansson.h>

#include "bench/scenario.h"
#include "cleat/batch.h"

static const char *const kind_names[] = {
    [BENCH_HANDSHAKE] = "handshake",
    [BENCH_SEAL] = "seal",
    [BENCH_OPEN] = "open",
    [BENCH_IDLE] = "idle",
};

static json_t *timed(const struct bench_row *row, const struct bench_samples *s)
{
    double best = bench_best(s);
    json_t *o = json_pack("{s:f, s:f}", "ns", best, "median_ns", bench_median(s));
    if (row->len != 0) {
        (void)json_object_set_new(o, "gb_per_second", json_real((double)row->len / best));
    } else {
        (void)json_object_set_new(o, "per_second", json_real(1e9 / best));
    }
    if (s->jobs_ns != 0) {
        (void)json_object_set_new(o, "jobs_ns", json_real(s->jobs_ns));
    }
    if (bench_heap_counted()) {
        (void)json_object_set_new(o, "allocations", json_real(s->num_allocs));
    }
    return o;
}

static double measure(const struct bench_row *row, enum bench_contender which)
{
    return row->kind == BENCH_IDLE ? row->of[which].bytes : bench_best(&row->of[which]);
}

static json_t *row_json(const struct bench_row *row)
{
    json_t *o = json_pack("{s:s, s:s}", "id", row->id, "kind", kind_names[row->kind]);
    if (row->in_flight != 0) {
        (void)json_object_set_new(o, "in_flight", json_integer(row->in_flight));
    }
    double ours = measure(row, BENCH_CLEAT);
    json_t *ratios = json_object();
    for (size_t i = 0; i < BENCH_NUM_CONTENDERS; i++) {
        const struct bench_samples *s = &row->of[i];
        double theirs = measure(row, (enum bench_contender)i);
        if (theirs <= 0 || ours <= 0) {
            continue; /* it does not do this, or is not installed */
        }
        json_t *result =
            row->kind == BENCH_IDLE ? json_pack("{s:f}", "bytes", s->bytes) : timed(row, s);
        (void)json_object_set_new(o, bench_contenders[i]->name, result);
        (void)json_object_set_new(ratios, bench_contenders[i]->name, json_real(theirs / ours));
    }
    (void)json_object_set_new(o, "ratio", ratios);
    return o;
}

bool bench_write_json(const char *path, const struct bench_row *rows, size_t num,
                      const struct bench_plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < num; i++) {
        bool known = rows[i].kind != BENCH_IDLE || bench_heap_counted();
        if (known && bench_wanted(plan, &rows[i]) && measure(&rows[i], BENCH_CLEAT) > 0) {
            (void)json_array_append_new(list, row_json(&rows[i]));
        }
    }
    json_t *versions = json_object();
    for (size_t i = 0; i < BENCH_NUM_CONTENDERS; i++) {
        if (bench_contenders[i] != NULL) {
            (void)json_object_set_new(versions, bench_contenders[i]->name,
                                      json_string(bench_contenders[i]->version()));
        }
    }
    json_t *all =
        json_pack("{s:i, s:o, s:s, s:i, s:o}", "schema", 2, "versions", versions, "kernels",
                  cleat_batch_describe(), "passes", (int)plan->num_passes, "rows", list);
    bool ok =
        all != NULL && json_dump_file(all, path, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0;
    json_decref(all);
    return ok;
}
