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
    void *ecdsa;
    void *rsa;
    void *lean;           /* ecdsa with SSL_MODE_RELEASE_BUFFERS */
    SSL_SESSION *session; /* to be resumed with ecdsa */
    struct bench_pair records;
};

/* Everything that a run holds; too large for the stack. */
struct run {
    const struct bench_plan *plan;
    SSL_CTX *client;
    struct stand stands[BENCH_NUM_CONTENDERS];
    struct bench_pair pair;
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

static bool handshakes(struct run *run, struct stand *stand, struct bench_row *row, size_t which)
{
    struct bench_meter meter = {0};
    bool ok = true;
    run->pair.ops = stand->ops;
    for (unsigned i = 0; i < run->plan->num_handshakes && ok; i++) {
        ok = bench_pair_connect(&run->pair, row->rsa ? stand->rsa : stand->ecdsa, run->client,
                                row->resumed ? stand->session : NULL, &meter);
        bench_pair_close(&run->pair, &meter);
    }
    add_sample(&row->of[which], &meter, run->plan->num_handshakes);
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
    struct bench_pair *p = &run->pair;
    void **servers = calloc(num, sizeof(*servers));
    bool ok = servers != NULL;
    p->ops = stand->ops;
    for (unsigned i = 0; i < num && ok; i++) {
        ok = bench_pair_connect(p, row->release_buffers ? stand->lean : stand->ecdsa, run->client,
                                NULL, &meter);
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
    SSL_SESSION_free(s->session);
    void *const contexts[] = {s->ecdsa, s->rsa, s->lean};
    for (size_t i = 0; i < sizeof(contexts) / sizeof(contexts[0]); i++) {
        if (contexts[i] != NULL) {
            s->ops->ctx_free(contexts[i]);
        }
    }
}

/* The connection for the records gives the session for the resumptions too. */
static bool stand_make(struct run *run, struct stand *s, const struct bench_world *world)
{
    struct bench_meter ignored = {0};
    s->ecdsa = s->ops->ctx_new(&world->ecdsa, false);
    s->rsa = s->ops->ctx_new(&world->rsa, false);
    s->lean = s->ops->ctx_new(&world->ecdsa, true);
    if (s->ecdsa == NULL || s->rsa == NULL || s->lean == NULL) {
        fprintf(stderr, "bench: %s: no configuration\n", s->ops->name);
        return false;
    }
    s->records.ops = s->ops;
    if (!bench_pair_connect(&s->records, s->ecdsa, run->client, NULL, &ignored) ||
        !bench_pair_echo(&s->records, sizeof(run->data), &ignored)) {
        return false;
    }
    s->session = SSL_get1_session(s->records.client);
    return s->session != NULL;
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
               const struct bench_world *world)
{
    static struct run run;
    bool ok = true;
    run.plan = plan;
    run.client = bench_client_ctx_new();
    ok = run.client != NULL;
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
    SSL_CTX_free(run.client);
    return ok;
}
