/* measure/handshakes.c - see handshakes.h. A meter runs while its side works, and another while
 * that side's jobs do: never two at once.
 */
#include "measure/handshakes.h"

#include <string.h>

#include "base/mem.h"
#include "cleat/batch.h"
#include "crypto/kex.h"
#include "net/clock.h"

/* 32 KiB: the longest flight, certificates and tickets included, fits eight times */
#define WIRE_CAP 32768

/* 2: tickets after a full handshake, what serve sends */
#define NUM_TICKETS 2

static const struct cl_handshake_kind kinds[] = {
    {.id = "1.3-full-ecdsa", .name = "TLS 1.3 full, ECDSA P-256"},
    {.id = "1.3-full-rsa", .name = "TLS 1.3 full, RSA-2048", .rsa = true},
    {.id = "1.3-full-mlkem", .name = "TLS 1.3 full, X25519MLKEM768", .groups = "X25519MLKEM768"},
    {.id = "1.3-resumed", .name = "TLS 1.3 resumed", .resumed = true},
    {.id = "1.3-mutual", .name = "TLS 1.3 mutual", .mutual = true},
    {.id = "1.2-full-ecdsa", .name = "TLS 1.2 full, ECDSA P-256", .tls12 = true},
    {.id = "1.2-resumed", .name = "TLS 1.2 resumed", .tls12 = true, .resumed = true},
};

const struct cl_handshake_kind *cl_handshake_kind_at(size_t i)
{
    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        const char *groups = kinds[k].groups;
        if (groups != NULL && cl_group_by_name(groups, strlen(groups)) == NULL) {
            continue;
        }
        if (i-- == 0) {
            return &kinds[k];
        }
    }
    return NULL;
}

/* One direction of a connection. */
struct wire {
    size_t at;
    size_t len;
    uint8_t bytes[WIRE_CAP];
};

struct pair {
    struct cleat_tls *ends[2]; /* by enum cleat_role */
    bool ready[2];
    struct wire to[2]; /* what that role reads */
};

struct side {
    struct cleat_tls_config *config;
    struct cleat_batch *batch;
    struct cl_meter rest;
    struct cl_meter jobs;
};

struct arena {
    const struct cl_handshake_kind *kind;
    struct side sides[2]; /* by enum cleat_role */
    struct cleat_ticket_keys *tickets;
    struct cleat_tls_session *session; /* to be resumed, or NULL */
    struct cleat_error *err;
    struct pair pairs[CL_HANDSHAKES_MAX];
};

/* ---- configurations ---- */

static int configure_both(struct cleat_tls_builder *b, const struct cl_handshake_kind *kind)
{
    const uint16_t version = kind->tls12 ? CLEAT_TLS_1_2 : CLEAT_TLS_1_3;
    const char *suites = !kind->tls12 ? "TLS_AES_128_GCM_SHA256"
                         : kind->rsa  ? "ECDHE-RSA-AES128-GCM-SHA256"
                                      : "ECDHE-ECDSA-AES128-GCM-SHA256";
    /* In TLS 1.2 the curve of an ECDSA key has to be in the list as well (RFC 8422 5.1.1). */
    const char *groups = kind->groups != NULL ? kind->groups
                         : kind->tls12        ? "X25519:P-256"
                                              : "X25519";
    cleat_tls_builder_clock(b, cl_clock_for_tls, NULL);
    int r = cleat_tls_builder_versions(b, version, version);
    r = r == CLEAT_OK ? cleat_tls_builder_ciphers(b, suites) : r;
    return r == CLEAT_OK ? cleat_tls_builder_groups(b, groups) : r;
}

static int configure_server(struct arena *a, struct cleat_tls_builder *b,
                            const struct cl_bench_world *world)
{
    const struct cl_identity *id = a->kind->rsa ? &world->rsa : &world->ecdsa;
    int r = cleat_ticket_keys_new(0, &a->tickets);
    r = r == CLEAT_OK ? cleat_tls_builder_credential(b, id->chain, id->key) : r;
    r = r == CLEAT_OK ? cleat_tls_builder_tickets(b, a->tickets, NUM_TICKETS) : r;
    if (r == CLEAT_OK && a->kind->mutual) {
        cleat_tls_builder_client_auth(b, CLEAT_CLIENT_AUTH_REQUIRED);
        r = cleat_tls_builder_trust(b, world->trust);
    }
    return r;
}

static int configure_client(struct arena *a, struct cleat_tls_builder *b,
                            const struct cl_bench_world *world)
{
    int r = cleat_tls_builder_trust(b, world->trust);
    if (r == CLEAT_OK && a->kind->mutual) {
        r = cleat_tls_builder_credential(b, world->client.chain, world->client.key);
    }
    return r;
}

static cl_result configure(struct arena *a, enum cleat_role role,
                           const struct cl_bench_world *world)
{
    struct cleat_tls_builder *b;
    CL_TRY((cl_result)cleat_batch_new(&a->sides[role].batch));
    CL_TRY((cl_result)cleat_tls_builder_new(role, &b));
    int r = configure_both(b, a->kind);
    if (r == CLEAT_OK) {
        r = role == CLEAT_SERVER ? configure_server(a, b, world) : configure_client(a, b, world);
    }
    if (r != CLEAT_OK) {
        *a->err = *cleat_tls_builder_error(b);
        cleat_tls_builder_free(b);
        return (cl_result)r;
    }
    return (cl_result)cleat_tls_builder_finish(b, &a->sides[role].config, a->err);
}

static void arena_free(struct arena *a)
{
    if (a == NULL) {
        return;
    }
    for (size_t i = 0; i < CL_HANDSHAKES_MAX; i++) {
        cleat_tls_free(a->pairs[i].ends[CLEAT_SERVER]);
        cleat_tls_free(a->pairs[i].ends[CLEAT_CLIENT]);
    }
    for (size_t i = 0; i < 2; i++) {
        cleat_tls_config_free(a->sides[i].config);
        cleat_batch_free(a->sides[i].batch);
    }
    cleat_tls_session_free(a->session);
    cleat_ticket_keys_free(a->tickets);
    cl_free(a);
}

/* ---- a turn ---- */

/* step_until steps a connection until it needs something: *job (a job), or the peer. */
static cl_result step_until(struct arena *a, struct pair *p, enum cleat_role role, bool *job)
{
    struct wire *in = &p->to[role], *out = &p->to[1 - role];
    struct cleat_tls_io io = {
        .in = in->bytes + in->at,
        .in_len = in->len - in->at,
        .out = out->bytes + out->len,
        .out_cap = WIRE_CAP - out->len,
    };
    enum cleat_tls_next next = cleat_tls_step(p->ends[role], &io);
    in->at += io.in_used;
    out->len += io.out_len;
    *job = next == CLEAT_TLS_NEEDS_JOB;
    p->ready[role] = p->ready[role] || next == CLEAT_TLS_READY;
    if (next == CLEAT_TLS_NEEDS_JOB || next == CLEAT_TLS_NEEDS_INPUT || next == CLEAT_TLS_READY) {
        return CL_OK;
    }
    *a->err = *cleat_tls_error(p->ends[role]);
    return cl_error_set(a->err, (struct cl_why){.code = CLEAT_ERR_INTERNAL},
                        "the handshake in memory has stopped with %d", (int)next);
}

static void run_jobs(struct side *side)
{
    cl_meter_stop(&side->rest);
    cl_meter_start(&side->jobs);
    cleat_batch_run(side->batch, cl_clock_mono_us() / 1000);
    cl_meter_stop(&side->jobs);
    cl_meter_start(&side->rest);
}

/* A turn of one side, with its meter running: all its connections go as far as they get. */
static cl_result turn(struct arena *a, enum cleat_role role, size_t num)
{
    struct pair *waiting[CL_HANDSHAKES_MAX];
    size_t left = 0;
    for (size_t i = 0; i < num; i++) {
        waiting[left++] = &a->pairs[i];
    }
    while (left != 0) {
        size_t num_jobs = 0;
        for (size_t i = 0; i < left; i++) {
            bool job;
            CL_TRY(step_until(a, waiting[i], role, &job));
            if (job) {
                cleat_batch_add(a->sides[role].batch, cleat_tls_job(waiting[i]->ends[role]));
                waiting[num_jobs++] = waiting[i];
            }
        }
        if (num_jobs != 0) {
            run_jobs(&a->sides[role]);
        }
        left = num_jobs;
    }
    return CL_OK;
}

static cl_result metered_turn(struct arena *a, enum cleat_role role, size_t num)
{
    cl_meter_start(&a->sides[role].rest);
    cl_result r = turn(a, role, num);
    cl_meter_stop(&a->sides[role].rest);
    return r;
}

/* ---- a round of handshakes ---- */

static cl_result open_pairs(struct arena *a, enum cleat_role role, size_t num)
{
    int r = CLEAT_OK;
    cl_meter_start(&a->sides[role].rest);
    for (size_t i = 0; r == CLEAT_OK && i < num; i++) {
        struct cleat_tls **out = &a->pairs[i].ends[role];
        r = role == CLEAT_SERVER
                ? cleat_tls_server_new(a->sides[role].config, NULL, out)
                : cleat_tls_client_new(a->sides[role].config, CL_WORLD_NAME, a->session, NULL, out);
    }
    cl_meter_stop(&a->sides[role].rest);
    return (cl_result)r;
}

static void close_pairs(struct arena *a, enum cleat_role role, size_t num)
{
    cl_meter_start(&a->sides[role].rest);
    for (size_t i = 0; i < num; i++) {
        cleat_tls_free(a->pairs[i].ends[role]);
        a->pairs[i].ends[role] = NULL;
    }
    cl_meter_stop(&a->sides[role].rest);
}

static bool all_ready(const struct arena *a, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        if (!a->pairs[i].ready[CLEAT_CLIENT] || !a->pairs[i].ready[CLEAT_SERVER]) {
            return false;
        }
    }
    return true;
}

/* What was measured must be what was asked for. */
static cl_result check(struct arena *a, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        struct cleat_tls_info info;
        const bool resumed = a->session != NULL;
        if (cleat_tls_info(a->pairs[i].ends[CLEAT_SERVER], &info) != CLEAT_OK ||
            info.resumed != resumed) {
            return cl_error_set(a->err, (struct cl_why){.code = CLEAT_ERR_INTERNAL},
                                "a handshake was %s", resumed ? "not resumed" : "resumed");
        }
    }
    return CL_OK;
}

/* 4: turns of both sides that the longest handshake takes, one more for tickets, and some */
#define MAX_TURNS 8

/* num handshakes from beginning to end; the pairs stay open. */
static cl_result shake_hands(struct arena *a, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        struct pair *p = &a->pairs[i];
        for (size_t role = 0; role < 2; role++) {
            p->ready[role] = false;
            p->to[role].at = p->to[role].len = 0;
        }
    }
    CL_TRY(open_pairs(a, CLEAT_CLIENT, num));
    CL_TRY(open_pairs(a, CLEAT_SERVER, num));
    for (size_t t = 0; t < MAX_TURNS && !all_ready(a, num); t++) {
        CL_TRY(metered_turn(a, CLEAT_CLIENT, num));
        CL_TRY(metered_turn(a, CLEAT_SERVER, num));
    }
    CL_TRY(metered_turn(a, CLEAT_CLIENT, num)); /* tickets */
    return all_ready(a, num) ? check(a, num)
                             : cl_error_set(a->err, (struct cl_why){.code = CLEAT_ERR_INTERNAL},
                                            "the handshake in memory does not end");
}

static cl_result one_round(struct arena *a, size_t num)
{
    cl_result r = shake_hands(a, num);
    close_pairs(a, CLEAT_CLIENT, num);
    close_pairs(a, CLEAT_SERVER, num);
    return r;
}

/* ---- measuring ---- */

static cl_result arena_new(struct arena **out, const struct cl_handshake_kind *kind,
                           const struct cl_bench_world *world, struct cleat_error *err)
{
    struct arena *a = cl_calloc(1, sizeof(*a));
    *out = a;
    if (a == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    a->kind = kind;
    a->err = err;
    CL_TRY(configure(a, CLEAT_SERVER, world));
    CL_TRY(configure(a, CLEAT_CLIENT, world));
    if (kind->resumed) {
        CL_TRY(shake_hands(a, 1));
        a->session = cleat_tls_take_session(a->pairs[0].ends[CLEAT_CLIENT]);
        if (a->session == NULL) {
            return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_INTERNAL},
                                "the handshake in memory gave no ticket");
        }
        close_pairs(a, CLEAT_CLIENT, 1);
        close_pairs(a, CLEAT_SERVER, 1);
    }
    return CL_OK;
}

static void keep_best(struct cl_handshake_side *best, const struct side *side, size_t done)
{
    const double num = (double)done * 1000;
    const struct cl_handshake_side pass = {
        .us = (double)(side->rest.ns + side->jobs.ns) / num,
        .jobs_us = (double)side->jobs.ns / num,
    };
    if (best->us == 0 || pass.us < best->us) {
        *best = pass;
    }
}

static cl_result measure_pass(struct arena *a, size_t in_flight, const struct cl_measure_plan *plan,
                              size_t *out_done)
{
    const double slice = plan->seconds * 1e9 / CL_MEASURE_PASSES;
    int64_t ns;
    *out_done = 0;
    for (size_t i = 0; i < 2; i++) {
        a->sides[i].rest = a->sides[i].jobs = (struct cl_meter){0};
    }
    do {
        CL_TRY(one_round(a, in_flight));
        *out_done += in_flight;
        ns = 0;
        for (size_t i = 0; i < 2; i++) {
            ns += a->sides[i].rest.ns + a->sides[i].jobs.ns;
        }
    } while ((double)ns < slice && !cl_measure_stopped(plan));
    return CL_OK;
}

static cl_result measure(struct arena *a, size_t in_flight, const struct cl_measure_plan *plan,
                         struct cl_handshake_figures *out)
{
    CL_TRY(one_round(a, in_flight)); /* counts for nothing: caches and pools fill */
    for (unsigned pass = 0; pass < CL_MEASURE_PASSES && !cl_measure_stopped(plan); pass++) {
        size_t done;
        CL_TRY(measure_pass(a, in_flight, plan, &done));
        keep_best(&out->server, &a->sides[CLEAT_SERVER], done);
        keep_best(&out->client, &a->sides[CLEAT_CLIENT], done);
    }
    return CL_OK;
}

cl_result cl_handshakes_measure(const struct cl_handshake_kind *kind,
                                const struct cl_bench_world *world, size_t in_flight,
                                const struct cl_measure_plan *plan,
                                struct cl_handshake_figures *out, struct cleat_error *err)
{
    struct arena *a = NULL;
    *out = (struct cl_handshake_figures){0};
    cl_result r = in_flight >= 1 && in_flight <= CL_HANDSHAKES_MAX ? arena_new(&a, kind, world, err)
                                                                   : CLEAT_ERR_USAGE;
    r = r == CL_OK ? measure(a, in_flight, plan, out) : r;
    arena_free(a);
    return r;
}
