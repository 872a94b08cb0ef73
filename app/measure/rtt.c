/* measure/rtt.c - see rtt.h. A trip is one connection, from TCP to the first byte of the response;
 * the loop runs until its stream is gone.
 */
#include "measure/rtt.h"

#include <string.h>

#include "base/mem.h"
#include "cleat/tls_early.h"
#include "cleat/tls_options.h"
#include "measure/alarm.h"
#include "measure/relay.h"
#include "measure/rtt_server.h"
#include "net/clock.h"

/* 10 s, and ten round trips: no handshake takes half as many */
#define HANDSHAKE_MS     10000
#define HANDSHAKE_DELAYS 10

/* 1,024 uses of tickets, more than a run has; and an hour ago, as with a server that has been
 * running for long: what could have been used before it started is refused */
#define NUM_STRIKES    1024
#define STRIKES_AGE_MS 3600000

/* clang-format off */
static const struct cl_rtt_kind kinds[] = {
    {.id = "1.2-full", .name = "TLS 1.2 full", .tls12 = true, .ready = 3, .first_byte = 4},
    {.id = "1.2-false-start", .name = "TLS 1.2 full, False Start", .tls12 = true,
     .false_start = true, .ready = 2, .first_byte = 3},
    {.id = "1.2-resumed", .name = "TLS 1.2 resumed", .tls12 = true, .resumed = true,
     .ready = 2, .first_byte = 3},
    {.id = "1.3-full", .name = "TLS 1.3 full", .ready = 2, .first_byte = 3},
    {.id = "1.3-retry", .name = "TLS 1.3 full, HelloRetryRequest", .retry = true,
     .ready = 3, .first_byte = 4},
    {.id = "1.3-resumed", .name = "TLS 1.3 resumed", .resumed = true, .ready = 2, .first_byte = 3},
    {.id = "1.3-early", .name = "TLS 1.3 resumed, 0-RTT", .resumed = true, .early = true,
     .ready = 2, .first_byte = 2},
};
/* clang-format on */

const struct cl_rtt_kind *cl_rtt_kind_at(size_t i)
{
    return i < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[i] : NULL;
}

static const uint8_t request[] = "GET / HTTP/1.1\r\nHost: " CL_WORLD_NAME "\r\n\r\n";
#define REQUEST_LEN (sizeof(request) - 1)

struct cl_rtt {
    const struct cl_bench_world *world;
    uv_loop_t loop;
    bool has_loop;
    struct cl_hub *hub;
    struct cl_rtt_server *server;
    struct cl_relay *relay;
    struct cleat_ticket_keys *tickets;
    struct cleat_strike_register *strikes;
};

/* ---- configurations ---- */

static int configure_both(struct cleat_tls_builder *b, const struct cl_rtt_kind *kind,
                          const char *groups)
{
    const uint16_t version = kind->tls12 ? CLEAT_TLS_1_2 : CLEAT_TLS_1_3;
    cleat_tls_builder_clock(b, cl_clock_for_tls, NULL);
    int r = cleat_tls_builder_versions(b, version, version);
    return r == CLEAT_OK ? cleat_tls_builder_groups(b, groups) : r;
}

static int configure_server(struct cl_rtt *rtt, const struct cl_rtt_kind *kind,
                            struct cleat_tls_builder *b)
{
    int r = configure_both(b, kind, kind->retry ? "X25519" : "X25519:P-256");
    if (r == CLEAT_OK) {
        r = cleat_tls_builder_credential(b, rtt->world->ecdsa.chain, rtt->world->ecdsa.key);
    }
    if (r == CLEAT_OK) {
        r = cleat_tls_builder_tickets(b, rtt->tickets, 1);
    }
    if (r == CLEAT_OK && kind->early) {
        struct cleat_strike strike = cleat_strike_of_register(rtt->strikes);
        r = cleat_tls_builder_early_data(b, &strike, 0, 0);
    }
    return r;
}

/* A client sends a share for the group that it prefers: where the server has not got that one, it
 * asks for another. */
static int configure_client(struct cl_rtt *rtt, const struct cl_rtt_kind *kind,
                            struct cleat_tls_builder *b)
{
    int r = configure_both(b, kind, kind->retry ? "P-256:X25519" : "X25519:P-256");
    cleat_tls_builder_false_start(b, kind->false_start ? CLEAT_FALSE_START_ALWAYS
                                                       : CLEAT_FALSE_START_OFF);
    return r == CLEAT_OK ? cleat_tls_builder_trust(b, rtt->world->trust) : r;
}

static cl_result make_config(struct cl_rtt *rtt, const struct cl_rtt_kind *kind,
                             enum cleat_role role, struct cleat_tls_config **out,
                             struct cleat_error *err)
{
    struct cleat_tls_builder *b;
    int r = cleat_tls_builder_new(role, &b);
    if (r != CLEAT_OK) {
        return (cl_result)r;
    }
    r = role == CLEAT_SERVER ? configure_server(rtt, kind, b) : configure_client(rtt, kind, b);
    if (r != CLEAT_OK) {
        *err = *cleat_tls_builder_error(b);
        cleat_tls_builder_free(b);
        return (cl_result)r;
    }
    return (cl_result)cleat_tls_builder_finish(b, out, err);
}

/* ---- a trip ---- */

struct trip {
    struct cl_rtt *rtt;
    const struct cl_rtt_kind *kind;
    struct cleat_tls_config *config;
    struct cleat_tls_session *session; /* to be offered, or NULL */
    struct cleat_tls_session *ticket;  /* that has come */
    unsigned delay_ms;
    uint64_t start;
    uint64_t ready;
    uint64_t first_byte;
    struct cl_tcp *tcp;
    struct cl_alarm *alarm;
    struct cl_stream *stream;
    struct cleat_error *err;
    bool over;
};

static void fail(struct trip *t, cl_result code, const char *why)
{
    (void)cl_error_set(t->err, (struct cl_why){.code = code}, "%s: %s", t->kind->name, why);
}

/* What was measured must be what was asked for. */
static void check(struct trip *t, const struct cleat_tls *tls)
{
    struct cleat_tls_info info;
    const struct cl_rtt_kind *kind = t->kind;
    const bool resumed = t->session != NULL, early = resumed && kind->early;
    if (cleat_tls_info(tls, &info) != CLEAT_OK ||
        info.version != (kind->tls12 ? CLEAT_TLS_1_2 : CLEAT_TLS_1_3) || info.resumed != resumed ||
        info.hello_retry != kind->retry ||
        (cleat_tls_early_data_status(tls) == CLEAT_EARLY_DATA_ACCEPTED) != early) {
        fail(t, CLEAT_ERR_INTERNAL, "the handshake was of another kind");
    }
}

static void on_ready(void *ctx)
{
    struct trip *t = ctx;
    t->ready = cl_clock_mono_us() - t->start;
    if (!cl_stream_early_sent(t->stream)) {
        (void)cl_stream_write(t->stream, request, REQUEST_LEN);
    }
    cl_stream_deadline(t->stream, HANDSHAKE_MS + HANDSHAKE_DELAYS * t->delay_ms);
}

static size_t on_data(void *ctx, uint8_t *p, size_t len)
{
    struct trip *t = ctx;
    t->first_byte = cl_clock_mono_us() - t->start;
    check(t, cl_stream_tls(t->stream));
    if (t->ticket == NULL) {
        t->ticket = cleat_tls_take_session(cl_stream_tls(t->stream));
    }
    cl_stream_abort(t->stream, NULL);
    return len;
}

static void on_closed(void *ctx, const struct cl_stream_end *end)
{
    struct trip *t = ctx;
    t->over = true;
    t->stream = NULL;
    if (t->first_byte == 0 && t->err->code == 0) {
        *t->err = end->error;
    }
    if (t->first_byte == 0) {
        fail(t, CLEAT_ERR_SYSTEM, "no response has come");
    }
}

static const struct cl_stream_handler client_handler = {
    .ready = on_ready, .data = on_data, .closed = on_closed};

/* The time that SYN and SYN-ACK would have taken is over. */
static void on_tcp_round_trip(void *ctx)
{
    struct trip *t = ctx;
    struct cleat_tls *tls = NULL;
    struct cl_stream_setup setup = {.tcp = t->tcp, .handler = &client_handler, .ctx = t};
    setup.handshake_ms = HANDSHAKE_MS + HANDSHAKE_DELAYS * t->delay_ms;
    t->tcp = NULL;
    int r = cleat_tls_client_new(t->config, CL_WORLD_NAME, t->session, NULL, &tls);
    if (r == CLEAT_OK && t->session != NULL && t->kind->early) {
        r = cleat_tls_offer_early_data(tls);
        setup.early = request;
        setup.early_len = REQUEST_LEN;
    }
    setup.tls = tls;
    if (r != CLEAT_OK) {
        cleat_tls_free(tls);
        cl_tcp_free(setup.tcp);
    } else if (cl_stream_open(t->rtt->hub, &setup, &t->stream) == CL_OK) {
        return;
    }
    fail(t, CLEAT_ERR_INTERNAL, "TLS cannot be started");
    t->over = true;
}

static void on_connected(void *ctx, int status)
{
    struct trip *t = ctx;
    if (status != 0) {
        fail(t, CLEAT_ERR_SYSTEM, uv_strerror(status));
        t->over = true;
        return;
    }
    cl_alarm_at(t->alarm, t->start + (uint64_t)t->delay_ms * 1000);
}

static cl_result start_trip(struct trip *t)
{
    struct cl_addr addr = cl_relay_addr(t->rtt->relay);
    cl_relay_delay(t->rtt->relay, (uint64_t)t->delay_ms * 500);
    CL_TRY(cl_alarm_new(&t->rtt->loop, on_tcp_round_trip, t, &t->alarm));
    CL_TRY(cl_tcp_new(&t->rtt->loop, &t->tcp));
    t->start = cl_clock_mono_us();
    return cl_tcp_connect(t->tcp, &addr.sa, on_connected, t) == 0 ? CL_OK : CLEAT_ERR_SYSTEM;
}

/* One connection over a line with this delay. */
static cl_result run_trip(struct trip *t, unsigned delay_ms, const volatile sig_atomic_t *stop)
{
    t->delay_ms = delay_ms;
    t->over = false;
    t->ready = t->first_byte = 0;
    cl_result r = start_trip(t);
    while (r == CL_OK && !t->over && *stop == 0) {
        (void)uv_run(&t->rtt->loop, UV_RUN_ONCE);
    }
    cl_tcp_free(t->tcp);
    cl_alarm_free(t->alarm);
    t->tcp = NULL;
    t->alarm = NULL;
    if (t->stream != NULL) {
        cl_stream_abort(t->stream, NULL);
    }
    while (t->stream != NULL) {
        (void)uv_run(&t->rtt->loop, UV_RUN_ONCE);
    }
    if (*stop != 0) {
        return CLEAT_ERR_REFUSED;
    }
    return r == CL_OK ? (cl_result)t->err->code : r;
}

static cl_result measure(struct trip *t, unsigned delay_ms, const volatile sig_atomic_t *stop)
{
    struct cleat_tls_config *server = NULL;
    CL_TRY(make_config(t->rtt, t->kind, CLEAT_SERVER, &server, t->err));
    cl_rtt_server_use(t->rtt->server, server, HANDSHAKE_MS + HANDSHAKE_DELAYS * delay_ms);
    cleat_tls_config_free(server);
    CL_TRY(make_config(t->rtt, t->kind, CLEAT_CLIENT, &t->config, t->err));
    if (t->kind->resumed) {
        CL_TRY(run_trip(t, 0, stop));
        t->session = t->ticket;
        t->ticket = NULL;
        if (t->session == NULL) {
            fail(t, CLEAT_ERR_INTERNAL, "the server gave no ticket");
            return CLEAT_ERR_INTERNAL;
        }
    }
    return run_trip(t, delay_ms, stop);
}

cl_result cl_rtt_measure(struct cl_rtt *rtt, const struct cl_rtt_kind *kind, unsigned delay_ms,
                         const volatile sig_atomic_t *stop, struct cl_rtt_times *out,
                         struct cleat_error *err)
{
    struct trip t = {.rtt = rtt, .kind = kind, .err = err};
    cl_result r = measure(&t, delay_ms, stop);
    out->ready_us = t.ready;
    out->first_byte_us = t.first_byte;
    cleat_tls_session_free(t.session);
    cleat_tls_session_free(t.ticket);
    cleat_tls_config_free(t.config);
    return r;
}

/* ---- the whole ---- */

static cl_result set_up(struct cl_rtt *rtt)
{
    struct cl_addr addr;
    if (uv_loop_init(&rtt->loop) != 0) {
        return CLEAT_ERR_SYSTEM;
    }
    rtt->has_loop = true;
    CL_TRY(cl_hub_new(&rtt->loop, &rtt->hub));
    CL_TRY((cl_result)cleat_ticket_keys_new(0, &rtt->tickets));
    CL_TRY((cl_result)cleat_strike_register_new(NUM_STRIKES, cl_clock_unix_ms() - STRIKES_AGE_MS,
                                                &rtt->strikes));
    CL_TRY(cl_rtt_server_new(rtt->hub, &rtt->server, &addr));
    return cl_relay_new(&rtt->loop, &addr, 0, &rtt->relay);
}

cl_result cl_rtt_new(const struct cl_bench_world *world, struct cl_rtt **out)
{
    struct cl_rtt *rtt = cl_calloc(1, sizeof(*rtt));
    if (rtt == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    rtt->world = world;
    cl_result r = set_up(rtt);
    if (r != CL_OK) {
        cl_rtt_free(rtt);
        return r;
    }
    *out = rtt;
    return CL_OK;
}

void cl_rtt_free(struct cl_rtt *rtt)
{
    if (rtt == NULL) {
        return;
    }
    if (rtt->has_loop) {
        cl_relay_free(rtt->relay);
        cl_rtt_server_stop(rtt->server);
        (void)uv_run(&rtt->loop, UV_RUN_DEFAULT);
        cl_hub_free(rtt->hub);
        (void)uv_run(&rtt->loop, UV_RUN_DEFAULT);
        (void)uv_loop_close(&rtt->loop);
    }
    cl_rtt_server_free(rtt->server);
    cleat_ticket_keys_free(rtt->tickets);
    cleat_strike_register_free(rtt->strikes);
    cl_free(rtt);
}
