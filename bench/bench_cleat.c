/* bench/bench_cleat.c - the contender Cleat: the jobs of each turn run as one batch, which is what
 * `cleat serve` does. */
#include "bench/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cleat/batch.h"
#include "cleat/tls_early.h"
#include "cleat/version.h"

/* 65,536: uses that the strike register holds; those of a run are fewer in any window */
#define NUM_STRIKES    65536
/* 3,600,000 ms: it has been running for an hour, as a long-running server's has */
#define STRIKES_AGE_MS 3600000

/* What a program keeps for all its connections. */
struct context {
    enum cleat_role role;
    bool offer;
    struct cleat_tls_session *session; /* clients: kept */
    struct cleat_tls_config *config;
    struct cleat_ticket_keys *tickets;
    struct cleat_strike_register *strikes;
    struct cleat_batch *batch;
};

static uint64_t wall_clock(void *ctx)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME_COARSE, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void ctx_free(void *p)
{
    struct context *ctx = p;
    cleat_tls_session_free(ctx->session);
    cleat_tls_config_free(ctx->config);
    cleat_ticket_keys_free(ctx->tickets);
    cleat_strike_register_free(ctx->strikes);
    cleat_batch_free(ctx->batch);
    free(ctx);
}

static bool set_up_server(struct context *ctx, struct cleat_tls_builder *b,
                          const struct bench_setup *setup, const struct cl_bench_world *world)
{
    const struct cl_identity *id = bench_identity_of(world, setup);
    if (cleat_ticket_keys_new(0, &ctx->tickets) != CLEAT_OK ||
        cleat_tls_builder_credential(b, id->chain, id->key) != CLEAT_OK ||
        cleat_tls_builder_tickets(b, ctx->tickets, BENCH_NUM_TICKETS) != CLEAT_OK) {
        return false;
    }
    if (setup->mutual) {
        cleat_tls_builder_client_auth(b, CLEAT_CLIENT_AUTH_REQUIRED);
        return cleat_tls_builder_trust(b, world->trust) == CLEAT_OK;
    }
    if (setup->early) {
        uint64_t started = wall_clock(NULL) - STRIKES_AGE_MS;
        if (cleat_strike_register_new(NUM_STRIKES, started, &ctx->strikes) != CLEAT_OK) {
            return false;
        }
        struct cleat_strike strike = cleat_strike_of_register(ctx->strikes);
        return cleat_tls_builder_early_data(b, &strike, 0, 0) == CLEAT_OK;
    }
    return true;
}

/* As a peer it verifies nothing: nobody measures it. */
static bool set_up_client(struct cleat_tls_builder *b, const struct bench_setup *setup,
                          const struct cl_bench_world *world)
{
    if (setup->role == CLEAT_CLIENT) {
        return cleat_tls_builder_trust(b, world->trust) == CLEAT_OK;
    }
    cleat_tls_builder_decide(b, CLEAT_DECIDE_PEER);
    return true;
}

static const char *suites_of(const struct bench_setup *setup)
{
    return !setup->tls12 ? "TLS_AES_128_GCM_SHA256"
           : setup->rsa  ? "ECDHE-RSA-AES128-GCM-SHA256"
                         : "ECDHE-ECDSA-AES128-GCM-SHA256";
}

static bool configure(struct context *ctx, const struct bench_setup *setup,
                      const struct cl_bench_world *world)
{
    uint16_t version = setup->tls12 ? CLEAT_TLS_1_2 : CLEAT_TLS_1_3;
    struct cleat_tls_builder *b;
    if (cleat_batch_new(&ctx->batch) != CLEAT_OK ||
        cleat_tls_builder_new(ctx->role, &b) != CLEAT_OK) {
        return false;
    }
    cleat_tls_builder_clock(b, wall_clock, NULL);
    if (cleat_tls_builder_versions(b, version, version) != CLEAT_OK ||
        cleat_tls_builder_groups(b, bench_groups(setup)) != CLEAT_OK ||
        cleat_tls_builder_ciphers(b, suites_of(setup)) != CLEAT_OK ||
        !(ctx->role == CLEAT_SERVER ? set_up_server(ctx, b, setup, world)
                                    : set_up_client(b, setup, world))) {
        fprintf(stderr, "bench: cleat: %s\n", cleat_tls_builder_error(b)->text);
        cleat_tls_builder_free(b);
        return false;
    }
    struct cleat_error err = {0};
    if (cleat_tls_builder_finish(b, &ctx->config, &err) != CLEAT_OK) {
        fprintf(stderr, "bench: cleat: %s\n", err.text);
        return false;
    }
    return true;
}

static bool supports(const struct bench_setup *setup, enum cleat_role role)
{
    struct cleat_tls_builder *b = NULL;
    /* its client shows no certificate here, and sends no early data: libssl's does */
    bool ok = role == CLEAT_SERVER || !(setup->mutual || setup->early);
    ok = ok && cleat_tls_builder_new(role, &b) == CLEAT_OK &&
         cleat_tls_builder_groups(b, bench_groups(setup)) == CLEAT_OK;
    cleat_tls_builder_free(b);
    return ok;
}

static void *ctx_new(const struct bench_setup *setup, enum cleat_role role,
                     const struct cl_bench_world *world)
{
    struct context *ctx = calloc(1, sizeof(*ctx));
    if (ctx == NULL) {
        return NULL;
    }
    ctx->role = role;
    if (!configure(ctx, setup, world)) {
        ctx_free(ctx);
        return NULL;
    }
    return ctx;
}

static void *conn_new(void *p)
{
    struct context *ctx = p;
    struct cleat_tls *tls;
    int code = ctx->role == CLEAT_SERVER
                   ? cleat_tls_server_new(ctx->config, ctx, &tls)
                   : cleat_tls_client_new(ctx->config, "localhost",
                                          ctx->offer ? ctx->session : NULL, ctx, &tls);
    return code == CLEAT_OK ? tls : NULL;
}

static void conn_free(void *conn)
{
    cleat_tls_free(conn);
}

/* One step over the wires. */
static enum cleat_tls_next step_once(struct cleat_tls *tls, struct bench_wire *in,
                                     struct bench_wire *out, struct cleat_tls_io *io)
{
    *io = (struct cleat_tls_io){
        .in = in->bytes + in->at,
        .in_len = in->len - in->at,
        .out = out->bytes + out->len,
        .out_cap = sizeof(out->bytes) - out->len,
    };
    enum cleat_tls_next next = cleat_tls_step(tls, io);
    in->at += io->in_used;
    out->len += io->out_len;
    return next;
}

/* step_until steps a connection until it needs something: a job (true), or the peer. */
static bool step_until(struct bench_turn *turn)
{
    struct cleat_tls_io io;
    enum cleat_tls_next next;
    do {
        next = step_once(turn->conn, turn->in, turn->out, &io);
        if (next == CLEAT_TLS_NEEDS_DECISION) {
            cleat_tls_accept_peer(turn->conn);
        }
        /* early data: a server would read its request here */
    } while (next == CLEAT_TLS_HAS_DATA || next == CLEAT_TLS_NEEDS_DECISION);
    turn->progress = next == CLEAT_TLS_READY ? BENCH_READY : BENCH_WAITS;
    if (next != CLEAT_TLS_READY && next != CLEAT_TLS_NEEDS_INPUT && next != CLEAT_TLS_NEEDS_JOB) {
        fprintf(stderr, "bench: cleat: %s\n", cleat_tls_error(turn->conn)->text);
        turn->progress = BENCH_FAILED;
    }
    return next == CLEAT_TLS_NEEDS_JOB;
}

static bool metering;
static enum cleat_role metered_role;
static int64_t metered_ns;

int64_t bench_cleat_jobs(bool on, enum cleat_role role)
{
    metering = on;
    metered_role = role;
    return metered_ns;
}

static void run_batch(const struct context *ctx)
{
    bool metered = metering && ctx->role == metered_role;
    struct bench_meter meter = {0};
    if (metered) {
        bench_meter_start(&meter);
    }
    cleat_batch_run(ctx->batch, wall_clock(NULL));
    if (metered) {
        bench_meter_stop(&meter);
        metered_ns += meter.cpu.ns;
    }
}

static void step(void *p, struct bench_turn *turns, size_t num)
{
    struct context *ctx = p;
    struct bench_turn *waiting[BENCH_MAX_IN_FLIGHT];
    size_t left = 0;
    for (size_t i = 0; i < num; i++) {
        waiting[left++] = &turns[i];
    }
    while (left != 0) {
        size_t num_jobs = 0;
        for (size_t i = 0; i < left; i++) {
            if (step_until(waiting[i])) {
                cleat_batch_add(ctx->batch, cleat_tls_job(waiting[i]->conn));
                waiting[num_jobs++] = waiting[i];
            }
        }
        if (num_jobs != 0) {
            run_batch(ctx);
        }
        left = num_jobs;
    }
}

static bool is_resumed(void *conn)
{
    struct cleat_tls_info info;
    return cleat_tls_info(conn, &info) == CLEAT_OK && info.resumed;
}

static bool took_early(void *conn)
{
    return cleat_tls_early_data_status(conn) == CLEAT_EARLY_DATA_ACCEPTED;
}

static bool seal(void *conn, const uint8_t *data, size_t len, size_t num, struct bench_wire *out)
{
    for (size_t i = 0; i < num; i++) {
        struct cleat_tls_io io = {
            .out = out->bytes + out->len,
            .out_cap = sizeof(out->bytes) - out->len,
        };
        size_t written;
        if (cleat_tls_write(conn, &io, data, len, &written) != CLEAT_OK || written != len) {
            return false;
        }
        out->len += out->discard ? 0 : io.out_len;
    }
    return true;
}

static bool open_records(void *conn, struct bench_wire *in, size_t len, size_t num)
{
    struct cleat_tls_io io = {0};
    for (size_t i = 0; i < num; i++) {
        io.in = in->bytes + in->at;
        io.in_len = in->len - in->at;
        if (cleat_tls_step(conn, &io) != CLEAT_TLS_HAS_DATA || io.data_len != len) {
            return false;
        }
        in->at += io.in_used;
    }
    return true;
}

static void offer(void *ctx, bool on)
{
    ((struct context *)ctx)->offer = on;
}

static bool drain(void *conn, struct bench_wire *in, struct bench_wire *out)
{
    struct cleat_tls_io io;
    enum cleat_tls_next next;
    do {
        next = step_once(conn, in, out, &io);
    } while (next == CLEAT_TLS_READY && in->at < in->len);
    return next == CLEAT_TLS_READY || next == CLEAT_TLS_NEEDS_INPUT;
}

static bool keep(void *p, void *conn)
{
    struct context *ctx = p;
    cleat_tls_session_free(ctx->session);
    ctx->session = cleat_tls_take_session(conn);
    return ctx->session != NULL;
}

const struct bench_ops bench_cleat = {
    .name = "cleat",
    .version = cleat_version,
    .supports = supports,
    .ctx_new = ctx_new,
    .ctx_free = ctx_free,
    .conn_new = conn_new,
    .conn_free = conn_free,
    .step = step,
    .is_resumed = is_resumed,
    .took_early = took_early,
    .seal = seal,
    .open = open_records,
    .offer = offer,
    .drain = drain,
    .keep = keep,
};
