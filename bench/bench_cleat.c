/* bench/bench_cleat.c - the contender Cleat: a server connection, its jobs run where they arise. */
#include "bench/scenario.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cleat/version.h"

/* What a server keeps for all its connections. */
struct context {
    struct cleat_tls_config *config;
    struct cleat_ticket_keys *tickets;
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
    cleat_tls_config_free(ctx->config);
    cleat_ticket_keys_free(ctx->tickets);
    free(ctx);
}

static bool configure(struct context *ctx, const struct bench_identity *id)
{
    struct cleat_tls_builder *b;
    if (cleat_ticket_keys_new(0, &ctx->tickets) != CLEAT_OK ||
        cleat_tls_builder_new(CLEAT_SERVER, &b) != CLEAT_OK) {
        return false;
    }
    cleat_tls_builder_clock(b, wall_clock, NULL);
    if (cleat_tls_builder_credential(b, id->chain, id->key) != CLEAT_OK ||
        cleat_tls_builder_groups(b, "X25519") != CLEAT_OK ||
        cleat_tls_builder_ciphers(b, "TLS_AES_128_GCM_SHA256") != CLEAT_OK ||
        cleat_tls_builder_tickets(b, ctx->tickets, BENCH_NUM_TICKETS) != CLEAT_OK) {
        cleat_tls_builder_free(b);
        return false;
    }
    struct cleat_error err = {0};
    if (cleat_tls_builder_finish(b, &ctx->config, &err) != CLEAT_OK) {
        fprintf(stderr, "bench: %s\n", err.text);
        return false;
    }
    return true;
}

static void *ctx_new(const struct bench_identity *id, bool release_buffers)
{
    struct context *ctx = calloc(1, sizeof(*ctx));
    if (ctx != NULL && !configure(ctx, id)) {
        ctx_free(ctx);
        return NULL;
    }
    return ctx;
}

static void *conn_new(void *ctx)
{
    struct cleat_tls *tls;
    return cleat_tls_server_new(((struct context *)ctx)->config, NULL, &tls) == CLEAT_OK ? tls
                                                                                         : NULL;
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

static enum bench_progress step(void *conn, struct bench_wire *in, struct bench_wire *out)
{
    struct cleat_tls_io io;
    enum cleat_tls_next next = step_once(conn, in, out, &io);
    while (next == CLEAT_TLS_NEEDS_JOB) {
        cleat_job_run(cleat_tls_job(conn));
        next = step_once(conn, in, out, &io);
    }
    if (next == CLEAT_TLS_READY) {
        return BENCH_READY;
    }
    if (next != CLEAT_TLS_NEEDS_INPUT) {
        fprintf(stderr, "bench: cleat: %s\n", cleat_tls_error(conn)->text);
        return BENCH_FAILED;
    }
    return BENCH_WAITS;
}

static bool is_resumed(void *conn)
{
    struct cleat_tls_info info;
    return cleat_tls_info(conn, &info) == CLEAT_OK && info.resumed;
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

const struct bench_ops bench_cleat = {
    .name = "cleat",
    .version = cleat_version,
    .ctx_new = ctx_new,
    .ctx_free = ctx_free,
    .conn_new = conn_new,
    .conn_free = conn_free,
    .step = step,
    .is_resumed = is_resumed,
    .seal = seal,
    .open = open_records,
};
