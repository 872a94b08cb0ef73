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
};

/* 262,144: a batch of records stays within the second-level cache */
#define BATCH_BYTES     262144
/* 22 = 5 + 1 + 16: a record's header, inner type and tag */
#define RECORD_OVERHEAD 22
/* 100: a connection is idle after it has been used: a small record each way */
#define IDLE_ECHO       100

/* What a contender needs throughout. */
struct stand {
    const struct bench_ops *ops;
    void *servers[BENCH_NUM_SETUPS];
    SSL_SESSION *sessions[BENCH_NUM_SETUPS]; /* to be resumed */
    struct bench_pair records;
};

/* Everything that a run holds; too large for the stack. */
struct run {
    const struct bench_plan *plan;
    bool needs[BENCH_NUM_SETUPS]; /* what rows are wanted for */
    bool needs_records;
    SSL_CTX *clients[BENCH_NUM_SETUPS];
    struct stand stands[BENCH_NUM_CONTENDERS];
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
        s->ns[s->num++] = (double)m->ns / (double)num;
    }
    s->num_allocs = (double)m->num_allocs / (double)num;
}

/* ---- handshakes ---- */

/* The ticket that came last: early data is taken once with each. */
static bool keep_session(struct stand *stand, const struct bench_pair *p, enum bench_setup_id setup)
{
    SSL_SESSION_free(stand->sessions[setup]);
    stand->sessions[setup] = SSL_get1_session(p->client);
    return stand->sessions[setup] != NULL;
}

static bool handshakes(struct run *run, struct stand *stand, struct bench_row *row, size_t which)
{
    enum bench_setup_id setup = row->setup;
    struct bench_meter meter = {0};
    struct bench_pair *pairs = run->pairs;
    struct bench_ends_of of = {.server_ctx = stand->servers[setup],
                               .client_ctx = run->clients[setup]};
    size_t done = 0;
    bool ok = true;
    for (size_t i = 0; i < row->in_flight; i++) {
        pairs[i].ops = stand->ops;
        pairs[i].early = row->resumed && bench_setups[setup].early;
    }
    for (; done < run->plan->num_handshakes && ok; done += row->in_flight) {
        of.session = row->resumed ? stand->sessions[setup] : NULL;
        ok = bench_pairs_connect(pairs, row->in_flight, &of, &meter);
        ok = ok && (!pairs->early || keep_session(stand, pairs, setup));
        for (size_t i = 0; i < row->in_flight; i++) {
            bench_pair_close(&pairs[i], &meter);
        }
    }
    pairs->early = false;
    add_sample(&row->of[which], &meter, done);
    return ok;
}

/* ---- records ---- */

static size_t num_records(const struct bench_plan *plan, size_t len)
{
    size_t batch = BATCH_BYTES / (len + RECORD_OVERHEAD);
    size_t wanted = plan->record_bytes / len;
    return wanted < batch ? wanted + 1 : batch;
}

static bool seal_records(struct run *run, struct stand *stand, struct bench_row *row, size_t which)
{
    struct bench_pair *p = &stand->records;
    struct bench_meter meter = {0};
    size_t num = num_records(run->plan, row->len);
    size_t total = 0;
    bool ok = true;
    bench_wire_reset(&p->to_client);
    p->to_client.discard = true;
    while (total * row->len < run->plan->record_bytes && ok) {
        bench_meter_start(&meter);
        ok = p->ops->seal(p->server, run->data, row->len, num, &p->to_client);
        bench_meter_stop(&meter);
        total += num;
    }
    p->to_client.discard = false;
    add_sample(&row->of[which], &meter, total);
    return ok;
}

static bool open_records(struct run *run, struct stand *stand, struct bench_row *row, size_t which)
{
    struct bench_pair *p = &stand->records;
    struct bench_meter meter = {0};
    size_t num = num_records(run->plan, row->len);
    size_t total = 0;
    bool ok = true;
    while (total * row->len < run->plan->record_bytes && ok) {
        bench_wire_reset(&p->to_server);
        for (size_t i = 0; i < num && ok; i++) {
            ok = SSL_write(p->client, run->data, (int)row->len) == (int)row->len;
        }
        bench_meter_start(&meter);
        ok = ok && p->ops->open(p->server, &p->to_server, row->len, num);
        bench_meter_stop(&meter);
        total += num;
    }
    add_sample(&row->of[which], &meter, total);
    return ok;
}

/* ---- idle connections ---- */

static bool idle(struct run *run, struct stand *stand, struct bench_row *row, size_t which)
{
    unsigned num = run->plan->num_connections;
    struct bench_meter meter = {0};
    struct bench_meter ignored = {0};
    struct bench_pair *p = run->pairs;
    const struct bench_ends_of of = {.server_ctx = stand->servers[row->setup],
                                     .client_ctx = run->clients[row->setup]};
    void **servers = calloc(num, sizeof(*servers));
    bool ok = servers != NULL;
    p->ops = stand->ops;
    for (unsigned i = 0; i < num && ok; i++) {
        ok = bench_pairs_connect(p, 1, &of, &meter);
        ok = ok && bench_pair_echo(p, IDLE_ECHO, &meter);
        bench_pair_drop_client(p);
        servers[i] = p->server;
        p->server = NULL;
    }
    for (unsigned i = 0; servers != NULL && i < num; i++) {
        p->server = servers[i];
        bench_pair_close(p, &ignored);
    }
    free(servers);
    row->of[which].bytes = (double)meter.bytes / num;
    return ok;
}

/* ---- all together ---- */

static bool (*const runners[])(struct run *, struct stand *, struct bench_row *, size_t) = {
    [BENCH_HANDSHAKE] = handshakes,
    [BENCH_SEAL] = seal_records,
    [BENCH_OPEN] = open_records,
    [BENCH_IDLE] = idle,
};

static void stand_drop(struct stand *s)
{
    struct bench_meter ignored = {0};
    bench_pair_close(&s->records, &ignored);
    for (size_t i = 0; i < BENCH_NUM_SETUPS; i++) {
        SSL_SESSION_free(s->sessions[i]);
        if (s->servers[i] != NULL) {
            s->ops->ctx_free(s->servers[i]);
        }
    }
}

/* A full handshake with each server gives the session for its resumptions. */
static bool make_server(struct run *run, struct stand *s, enum bench_setup_id setup,
                        const struct cl_bench_world *world)
{
    struct bench_meter ignored = {0};
    struct bench_pair *p = run->pairs;
    s->servers[setup] = s->ops->ctx_new(&bench_setups[setup], world);
    p->ops = s->ops;
    const struct bench_ends_of of = {.server_ctx = s->servers[setup],
                                     .client_ctx = run->clients[setup]};
    bool ok = s->servers[setup] != NULL && bench_pairs_connect(p, 1, &of, &ignored) &&
              keep_session(s, p, setup);
    bench_pair_close(p, &ignored);
    if (!ok) {
        fprintf(stderr, "bench: %s: no server for %s\n", s->ops->name, bench_setups[setup].name);
    }
    return ok;
}

static bool stand_make(struct run *run, struct stand *s, const struct cl_bench_world *world)
{
    struct bench_meter ignored = {0};
    for (size_t i = 0; i < BENCH_NUM_SETUPS; i++) {
        if (run->needs[i] && !make_server(run, s, (enum bench_setup_id)i, world)) {
            return false;
        }
    }
    s->records.ops = s->ops;
    if (!run->needs_records) {
        return true;
    }
    const struct bench_ends_of of = {.server_ctx = s->servers[BENCH_13_ECDSA],
                                     .client_ctx = run->clients[BENCH_13_ECDSA]};
    return bench_pairs_connect(&s->records, 1, &of, &ignored) &&
           bench_pair_echo(&s->records, sizeof(run->data), &ignored);
}

static void find_needs(struct run *run, const struct bench_row *rows, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        bool wanted = bench_wanted(run->plan, &rows[i]);
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
            struct stand *stand = &run->stands[which];
            if (!runners[row->kind](run, stand, row, which)) {
                fprintf(stderr, "bench: %s: %s does not complete\n", stand->ops->name, row->id);
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
    for (size_t i = 0; i < BENCH_NUM_SETUPS && ok; i++) {
        run.clients[i] = bench_client_ctx_new(&bench_setups[i], world);
        ok = run.clients[i] != NULL;
    }
    for (size_t i = 0; i < BENCH_NUM_CONTENDERS && ok; i++) {
        run.stands[i].ops = bench_contenders[i];
        ok = stand_make(&run, &run.stands[i], world);
    }
    for (unsigned pass = 0; pass < plan->num_passes && ok; pass++) {
        ok = run_pass(&run, rows, num, pass == 0);
    }
    for (size_t i = 0; i < BENCH_NUM_CONTENDERS; i++) {
        if (run.stands[i].ops != NULL) {
            stand_drop(&run.stands[i]);
        }
    }
    for (size_t i = 0; i < BENCH_NUM_SETUPS; i++) {
        SSL_CTX_free(run.clients[i]);
    }
    return ok;
}
