/* bench/run.c - runs the rows: passes over all of them, the contenders in turns within each, so
 * that what the machine is doing meanwhile meets all alike. */
#include "bench/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/pair.h"

const struct bench_ops *const bench_contenders[BENCH_NUM_CONTENDERS] = {
    [BENCH_CLEAT] = &bench_cleat,
    [BENCH_LIBSSL] = &bench_libssl,
#ifdef BENCH_HAS_GNUTLS
    [BENCH_GNUTLS] = &bench_gnutls,
#endif
#ifdef BENCH_HAS_WOLFSSL
    [BENCH_WOLFSSL] = &bench_wolfssl,
#endif
};

const struct bench_ops *bench_peer_for(const struct bench_setup *setup)
{
    enum cleat_role role = setup->role == CLEAT_CLIENT ? CLEAT_SERVER : CLEAT_CLIENT;
    return bench_libssl.supports(setup, role)  ? &bench_libssl
           : bench_cleat.supports(setup, role) ? &bench_cleat
                                               : NULL;
}

bool bench_takes(enum bench_contender which, const struct bench_row *row)
{
    const struct bench_setup *setup = &bench_setups[row->setup];
    return bench_contenders[which] != NULL && bench_contenders[which]->supports(setup, setup->role);
}

/* 262,144: a batch of records stays within the second-level cache */
#define BATCH_BYTES     262144
/* 22 = 5 + 1 + 16: a record's header, inner type and tag */
#define RECORD_OVERHEAD 22
/* 100: a connection is idle after it has been used: a small record each way */
#define IDLE_ECHO       100

/* Everything that a run holds; too large for the stack. */
struct run {
    const struct bench_plan *plan;
    bool needs[BENCH_NUM_SETUPS]; /* what rows are wanted for */
    bool needs_records;
    struct bench_stand stands[BENCH_NUM_CONTENDERS][BENCH_NUM_SETUPS];
    struct bench_pair records[BENCH_NUM_CONTENDERS];
    struct bench_pair pairs[BENCH_MAX_IN_FLIGHT];
    uint8_t data[16384];
};

bool bench_wanted(const struct bench_plan *plan, const struct bench_row *row)
{
    return plan->only == NULL || strstr(row->id, plan->only) != NULL;
}

static void add_sample(struct bench_samples *s, const struct bench_meter *m, size_t num)
{
    if (s->num < BENCH_MAX_PASSES) {
        s->ns[s->num++] = (double)m->cpu.ns / (double)num;
    }
    s->num_allocs = (double)m->num_allocs / (double)num;
}

/* ---- handshakes ---- */

static bool handshakes(struct run *run, struct bench_row *row, size_t which,
                       struct bench_meter *meter, size_t *done)
{
    const struct bench_stand *stand = &run->stands[which][row->setup];
    struct bench_pair *pairs = run->pairs;
    bool early = row->resumed && stand->early;
    bool ok = true;
    for (*done = 0; *done < run->plan->num_handshakes && ok; *done += row->in_flight) {
        ok = bench_pairs_connect(stand, pairs, row->in_flight, row->resumed, meter);
        /* The ticket that came last: early data is taken once with each. */
        ok = ok && (!early || bench_pair_keep(pairs));
        for (size_t i = 0; i < row->in_flight; i++) {
            bench_pair_close(&pairs[i], meter);
        }
    }
    return ok;
}

/* How much of it are asymmetric operations, in a pass that does not count. */
static bool handshakes_jobs(struct run *run, struct bench_row *row)
{
    struct bench_samples *s = &row->of[BENCH_CLEAT];
    struct bench_meter ignored = {0};
    size_t done;
    enum cleat_role role = bench_setups[row->setup].role;
    int64_t began = bench_cleat_jobs(true, role);
    bool ok = handshakes(run, row, BENCH_CLEAT, &ignored, &done);
    double ns = (double)(bench_cleat_jobs(false, role) - began) / (double)done;
    s->jobs_ns = s->jobs_ns == 0 || ns < s->jobs_ns ? ns : s->jobs_ns;
    return ok;
}

static bool measure_handshakes(struct run *run, struct bench_row *row, size_t which)
{
    struct bench_meter meter = {0};
    size_t done;
    bool ok = handshakes(run, row, which, &meter, &done);
    add_sample(&row->of[which], &meter, done);
    return ok && (which != BENCH_CLEAT || handshakes_jobs(run, row));
}

/* ---- records ---- */

static size_t num_records(const struct bench_plan *plan, size_t len)
{
    size_t batch = BATCH_BYTES / (len + RECORD_OVERHEAD);
    size_t wanted = plan->record_bytes / len;
    return wanted < batch ? wanted + 1 : batch;
}

static bool seal_records(struct run *run, struct bench_row *row, size_t which)
{
    struct bench_pair *p = &run->records[which];
    struct bench_meter meter = {0};
    size_t num = num_records(run->plan, row->len);
    size_t total = 0;
    bool ok = true;
    bench_wire_reset(&p->to_peer);
    p->to_peer.discard = true;
    while (total * row->len < run->plan->record_bytes && ok) {
        bench_meter_start(&meter);
        ok = p->stand->own.ops->seal(p->own, run->data, row->len, num, &p->to_peer);
        bench_meter_stop(&meter);
        total += num;
    }
    p->to_peer.discard = false;
    add_sample(&row->of[which], &meter, total);
    return ok;
}

static bool open_records(struct run *run, struct bench_row *row, size_t which)
{
    struct bench_pair *p = &run->records[which];
    struct bench_meter meter = {0};
    size_t num = num_records(run->plan, row->len);
    size_t total = 0;
    bool ok = true;
    while (total * row->len < run->plan->record_bytes && ok) {
        bench_wire_reset(&p->to_own);
        ok = p->stand->peer.ops->seal(p->peer, run->data, row->len, num, &p->to_own);
        bench_meter_start(&meter);
        ok = ok && p->stand->own.ops->open(p->own, &p->to_own, row->len, num);
        bench_meter_stop(&meter);
        total += num;
    }
    add_sample(&row->of[which], &meter, total);
    return ok;
}

/* ---- idle connections ---- */

static bool idle(struct run *run, struct bench_row *row, size_t which)
{
    const struct bench_stand *stand = &run->stands[which][row->setup];
    unsigned num = run->plan->num_connections;
    struct bench_meter meter = {0};
    struct bench_meter ignored = {0};
    struct bench_pair *p = run->pairs;
    void **conns = calloc(num, sizeof(*conns));
    bool ok = conns != NULL;
    for (unsigned i = 0; i < num && ok; i++) {
        ok = bench_pairs_connect(stand, p, 1, false, &meter);
        ok = ok && bench_pair_echo(p, IDLE_ECHO, &meter);
        bench_pair_drop_peer(p);
        conns[i] = p->own;
        p->own = NULL;
    }
    for (unsigned i = 0; conns != NULL && i < num; i++) {
        p->own = conns[i];
        bench_pair_close(p, &ignored);
    }
    free(conns);
    row->of[which].bytes = (double)meter.bytes / num;
    return ok;
}

/* ---- all together ---- */

static bool (*const runners[])(struct run *, struct bench_row *, size_t) = {
    [BENCH_HANDSHAKE] = measure_handshakes,
    [BENCH_SEAL] = seal_records,
    [BENCH_OPEN] = open_records,
    [BENCH_IDLE] = idle,
};

static void drop_side(const struct bench_side *side)
{
    if (side->ctx != NULL) {
        side->ops->ctx_free(side->ctx);
    }
}

/* A full handshake in each setup gives the session for its resumptions. */
static bool make_stand(struct run *run, size_t which, enum bench_setup_id id,
                       const struct cl_bench_world *world)
{
    const struct bench_setup *setup = &bench_setups[id];
    enum cleat_role other = setup->role == CLEAT_CLIENT ? CLEAT_SERVER : CLEAT_CLIENT;
    struct bench_stand *stand = &run->stands[which][id];
    struct bench_meter ignored = {0};
    struct bench_pair *p = run->pairs;
    stand->role = setup->role;
    stand->early = setup->early;
    stand->own.ops = bench_contenders[which];
    stand->own.ctx = stand->own.ops->ctx_new(setup, setup->role, world);
    stand->peer.ops = bench_peer_for(setup);
    stand->peer.ctx = stand->peer.ops->ctx_new(setup, other, world);
    bool ok = stand->own.ctx != NULL && stand->peer.ctx != NULL &&
              bench_pairs_connect(stand, p, 1, false, &ignored) && bench_pair_keep(p);
    if (stand->own.ctx != NULL && stand->peer.ctx != NULL) {
        bench_pair_close(p, &ignored);
    }
    if (!ok) {
        fprintf(stderr, "bench: %s: cannot do %s\n", stand->own.ops->name, setup->name);
    }
    return ok;
}

static bool make_stands(struct run *run, size_t which, const struct cl_bench_world *world)
{
    const struct bench_ops *ops = bench_contenders[which];
    struct bench_meter ignored = {0};
    for (size_t i = 0; ops != NULL && i < BENCH_NUM_SETUPS; i++) {
        if (run->needs[i] && ops->supports(&bench_setups[i], bench_setups[i].role) &&
            !make_stand(run, which, (enum bench_setup_id)i, world)) {
            return false;
        }
    }
    if (ops == NULL || !run->needs_records) {
        return true;
    }
    return bench_pairs_connect(&run->stands[which][BENCH_13_ECDSA], &run->records[which], 1, false,
                               &ignored) &&
           bench_pair_echo(&run->records[which], sizeof(run->data), &ignored);
}

static void drop_stands(struct run *run)
{
    struct bench_meter ignored = {0};
    for (size_t which = 0; which < BENCH_NUM_CONTENDERS; which++) {
        if (run->records[which].stand != NULL) {
            bench_pair_close(&run->records[which], &ignored);
        }
        for (size_t i = 0; i < BENCH_NUM_SETUPS; i++) {
            drop_side(&run->stands[which][i].own);
            drop_side(&run->stands[which][i].peer);
        }
    }
}

static void find_needs(struct run *run, const struct bench_row *rows, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        bool wanted = bench_wanted(run->plan, &rows[i]) && bench_takes(BENCH_CLEAT, &rows[i]) &&
                      bench_peer_for(&bench_setups[rows[i].setup]) != NULL;
        bool records = rows[i].kind == BENCH_SEAL || rows[i].kind == BENCH_OPEN;
        run->needs_records = run->needs_records || (wanted && records);
        run->needs[rows[i].setup] = run->needs[rows[i].setup] || wanted;
    }
}

static bool run_pass(struct run *run, struct bench_row *rows, size_t num, bool first)
{
    for (size_t i = 0; i < num; i++) {
        struct bench_row *row = &rows[i];
        if (!bench_wanted(run->plan, row) || (row->kind == BENCH_IDLE && !first)) {
            continue;
        }
        for (size_t which = 0; which < BENCH_NUM_CONTENDERS; which++) {
            if (run->stands[which][row->setup].own.ctx != NULL &&
                !runners[row->kind](run, row, which)) {
                fprintf(stderr, "bench: %s: %s does not complete\n", bench_contenders[which]->name,
                        row->id);
                return false;
            }
        }
    }
    return true;
}

bool bench_run(struct bench_row *rows, size_t num, const struct bench_plan *plan,
               const struct cl_bench_world *world)
{
    static struct run run;
    bool ok = true;
    run.plan = plan;
    find_needs(&run, rows, num);
    for (size_t i = 0; i < BENCH_NUM_CONTENDERS && ok; i++) {
        ok = make_stands(&run, i, world);
    }
    for (unsigned pass = 0; pass < plan->num_passes && ok; pass++) {
        ok = run_pass(&run, rows, num, pass == 0);
    }
    drop_stands(&run);
    return ok;
}
