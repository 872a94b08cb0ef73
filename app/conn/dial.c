/* conn/dial.c - the stages of dialling.
 *
 * Attempts live in an array beside their state; dns/happy.c says when to begin the next. The first
 * to connect wins, the others are closed. A dial is freed at the end of the callback that ends it;
 * while its stream is still closing after a failure, or a cancellation, `closed` frees it.
 */
#include "conn/dial.h"

#include <stdio.h>

#include "base/mem.h"
#include "cleat/ech.h"
#include "cleat/revocation.h"
#include "cleat/tls_early.h"
#include "conn/capture.h"
#include "conn/tunnel.h"
#include "record/recorder.h"
#include "net/clock.h"
#include "net/timer.h"

struct attempt {
    struct cl_dial *dial;
    struct cl_tcp *tcp; /* NULL: over */
    struct cl_addr addr;
    uint64_t started;
};

#define MAX_ATTEMPTS (2 * CL_HAPPY_MAX_ADDRS)

struct cl_dial {
    struct cl_dial_spec spec;
    struct cl_dial_result result;
    struct cl_dns_query *query;
    struct cl_timer *next_timer; /* Happy Eyeballs */
    struct cl_timer *deadline;
    struct cl_happy happy;
    struct attempt attempts[MAX_ATTEMPTS];
    size_t num_attempts, num_running;
    struct cl_tunnel *tunnel; /* through the proxy, while it is being made */
    struct cl_stream *stream;
    bool capture_held; /* until the secrets of TLS inside a tunnel are known */
    bool over;         /* done has been called, or never will be */
    bool dns_failed;
    const char *dns_reason;
    int tcp_status; /* the first failure */
    char tcp_reasons[240];
    char host[256];
    char server_name[256];
};

/* ---- the end ---- */

static void close_attempts(struct cl_dial *d, const struct attempt *winner)
{
    for (size_t i = 0; i < d->num_attempts; i++) {
        struct attempt *a = &d->attempts[i];
        if (a == winner || a->tcp == NULL) {
            continue;
        }
        if (winner != NULL) {
            cl_trace_tcp_lost(d->spec.trace, &a->addr);
        }
        cl_tcp_free(a->tcp);
        a->tcp = NULL;
    }
}

/* Gives back what the stages before TLS hold. */
static void let_go(struct cl_dial *d)
{
    cl_dns_cancel(d->query);
    d->query = NULL;
    cl_timer_free(d->next_timer);
    cl_timer_free(d->deadline);
    d->next_timer = d->deadline = NULL;
    close_attempts(d, NULL);
    cl_tunnel_cancel(d->tunnel);
    d->tunnel = NULL;
}

static void unhold_capture(struct cl_dial *d)
{
    if (d->capture_held) {
        d->capture_held = false;
        cl_capture_unhold(d->spec.capture);
    }
}

static void free_dial(struct cl_dial *d)
{
    let_go(d);
    unhold_capture(d);
    cleat_tls_config_free(d->spec.tls);
    cleat_tls_session_free(d->spec.session);
    cl_free(d);
}

static void finish(struct cl_dial *d)
{
    d->over = true;
    let_go(d);
    d->spec.done(d->spec.ctx, &d->result);
    free_dial(d);
}

const char *cl_dial_stage_name(enum cl_dial_stage stage)
{
    static const char *const names[] = {"dns", "tcp", "proxy", "proxy", "tls", "done"};
    return names[stage];
}

static void fail(struct cl_dial *d, enum cl_dial_stage stage)
{
    d->result.stage = stage;
    cl_trace_error(d->spec.trace, cl_dial_stage_name(stage), &d->result.error);
    finish(d);
}

/* ---- TLS ---- */

static void note_tls(struct cl_dial *d)
{
    const struct cl_dial_times *times = &d->result.times;
    d->result.times.tls = cl_clock_mono_us();
    cl_trace_tls_ready(d->spec.trace, d->result.tls,
                       times->tls - (times->proxy != 0 ? times->proxy : times->tcp));
    cl_trace_verdict(d->spec.trace, cleat_tls_verdict(d->result.tls),
                     (int64_t)(cl_clock_unix_ms() / 1000), false);
    d->result.early_sent = cl_stream_early_sent(d->stream);
    d->result.early_taken = d->result.early_sent &&
                            cleat_tls_early_data_status(d->result.tls) == CLEAT_EARLY_DATA_ACCEPTED;
}

static void on_ready(void *ctx)
{
    struct cl_dial *d = ctx;
    d->result.tls = cl_stream_tls(d->stream);
    unhold_capture(d);
    if (d->result.tls != NULL) {
        note_tls(d);
    }
    d->result.stage = CL_DIAL_DONE;
    d->result.stream = d->stream;
    cl_stream_handle(d->stream, d->spec.handler, d->spec.ctx);
    finish(d);
}

static void on_decision(void *ctx, enum cleat_decision which)
{
    struct cl_dial *d = ctx;
    struct cleat_tls *tls = cl_stream_tls(d->stream);
    if (which == CLEAT_DECIDE_EVIDENCE && d->spec.evidence != NULL && !d->over) {
        d->spec.evidence(d->spec.ctx, tls);
        return; /* cl_dial_decided comes later */
    }
    if (which == CLEAT_DECIDE_PEER && d->spec.decide != NULL && !d->over) {
        d->spec.decide(d->spec.ctx, tls);
    } else if (which == CLEAT_DECIDE_EVIDENCE) {
        (void)cleat_tls_supply_evidence(tls, NULL);
    } else {
        (void)cleat_tls_refuse(tls, 40, "nobody here can answer this decision");
    }
    cl_stream_decided(d->stream);
}

void cl_dial_decided(struct cl_dial *d)
{
    cl_stream_decided(d->stream);
}

bool cl_dial_peer_is_public(const struct cl_dial *d)
{
    return d->spec.proxy != NULL || cl_addr_is_public(&d->result.peer);
}

static void on_closed(void *ctx, const struct cl_stream_end *end)
{
    struct cl_dial *d = ctx;
    if (d->over) { /* cancelled, or timed out, before */
        free_dial(d);
        return;
    }
    d->result.tls = cl_stream_tls(d->stream);
    if (d->result.tls != NULL) {
        cl_trace_verdict(d->spec.trace, cleat_tls_verdict(d->result.tls),
                         (int64_t)(cl_clock_unix_ms() / 1000), false);
    }
    d->stream = NULL;
    d->result.error = end->error;
    d->result.timed_out = end->cause == CL_STREAM_TIMED_OUT;
    fail(d, CL_DIAL_TLS);
}

static const struct cl_stream_handler dial_handler = {
    .ready = on_ready,
    .decision = on_decision,
    .closed = on_closed,
};

/* All of it or nothing: half a request is of no use. */
static bool offer_early(const struct cl_dial *d, struct cleat_tls *tls)
{
    size_t len = d->spec.early.len;
    return len != 0 && len <= CL_STREAM_MAX_EARLY && d->spec.session != NULL &&
           len <= cleat_tls_session_early_data(d->spec.session) &&
           cleat_tls_offer_early_data(tls) == CLEAT_OK;
}

static void start_tls(struct cl_dial *d, struct cl_tcp *tcp, uint64_t connect_us)
{
    struct cleat_tls *tls = NULL; /* in clear it stays so */
    struct cl_track *track = d->spec.tls != NULL ? cl_track_open(d->spec.recorder) : NULL;
    int code = d->spec.tls == NULL ? CLEAT_OK
                                   : cleat_tls_client_new(d->spec.tls, d->server_name,
                                                          d->spec.session, d->spec.trace, &tls);
    if (code == CLEAT_OK && tls != NULL && d->spec.ech.len != 0) {
        code = cleat_tls_offer_ech(tls, d->spec.ech.p, d->spec.ech.len);
    }
    if (code != CLEAT_OK) {
        cl_tcp_free(tcp);
        cleat_tls_free(tls);
        cl_track_free(track);
        (void)cl_error_set(&d->result.error, (struct cl_why){.code = (cl_result)code},
                           "TLS to \"%s\" cannot be started: %s", d->server_name,
                           cleat_error_sentence(code));
        fail(d, CL_DIAL_TLS);
        return;
    }
    struct cl_stream_setup setup = {.tcp = tcp,
                                    .tls = tls,
                                    .handler = &dial_handler,
                                    .ctx = d,
                                    .track = track,
                                    .handshake_ms = d->spec.timeout_ms + 1000,
                                    /* a tunnel's packets are those of its stream to the proxy */
                                    .capture = d->spec.proxy == NULL ? d->spec.capture : NULL,
                                    .connect_us = connect_us};
    if (tls != NULL && offer_early(d, tls)) {
        setup.early = d->spec.early.p;
        setup.early_len = d->spec.early.len;
    }
    cl_track_begin(track, tls, d->spec.ech, setup.early != NULL);
    if (cl_stream_open(d->spec.hub, &setup, &d->stream) != CL_OK) {
        (void)cl_error_set(&d->result.error, (struct cl_why){.code = CLEAT_ERR_NOMEM},
                           "out of memory");
        fail(d, CL_DIAL_TLS);
    }
}

/* ---- the proxy ---- */

static void on_tunnel(void *ctx, const struct cl_tunnel_result *r)
{
    struct cl_dial *d = ctx;
    d->tunnel = NULL;
    d->result.proxy_status = r->status;
    if (r->tcp == NULL) {
        d->result.error = r->error;
        fail(d, r->in_tls ? CL_DIAL_PROXY_TLS : CL_DIAL_PROXY);
        return;
    }
    d->result.times.proxy = cl_clock_mono_us();
    if (d->spec.tls != NULL) {
        d->capture_held = true;
        cl_capture_hold(d->spec.capture);
    }
    start_tls(d, r->tcp, 0);
}

static void start_tunnel(struct cl_dial *d, struct cl_tcp *tcp, uint64_t connect_us)
{
    const struct cl_tunnel_spec spec = {.hub = d->spec.hub,
                                        .dns = d->spec.dns,
                                        .trace = d->spec.trace,
                                        .capture = d->spec.capture,
                                        .tcp = tcp,
                                        .connect_us = connect_us,
                                        .proxy = d->spec.proxy,
                                        .host = d->host,
                                        .port = d->spec.port,
                                        .family = d->spec.family,
                                        .done = on_tunnel,
                                        .ctx = d};
    const cl_result r = cl_tunnel_open(&spec, &d->tunnel);
    if (r != CL_OK) {
        (void)cl_error_set(&d->result.error, (struct cl_why){.code = r},
                           "the tunnel through %s cannot be started: %s", d->spec.proxy->host,
                           cleat_error_sentence((int)r));
        fail(d, CL_DIAL_PROXY);
    }
}

/* ---- TCP ---- */

/* Who is connected to. */
static const char *next_host(const struct cl_dial *d)
{
    return d->spec.proxy != NULL ? d->spec.proxy->host : d->host;
}

static uint16_t next_port(const struct cl_dial *d)
{
    return d->spec.proxy != NULL ? d->spec.proxy->port : d->spec.port;
}

static void advance(struct cl_dial *d);

static void note_failure(struct cl_dial *d, const struct attempt *a, int status)
{
    char text[CL_ADDR_TEXT_SIZE];
    size_t at = strlen(d->tcp_reasons);
    cl_addr_format_port(&a->addr, text);
    (void)snprintf(d->tcp_reasons + at, sizeof(d->tcp_reasons) - at, "%s%s: %s", at > 0 ? "; " : "",
                   text, uv_strerror(status));
    d->tcp_status = d->tcp_status == 0 ? status : d->tcp_status;
    cl_trace_tcp_failed(d->spec.trace, &a->addr, status, cl_clock_mono_us() - a->started);
}

static void on_connect(void *ctx, int status)
{
    struct attempt *a = ctx;
    struct cl_dial *d = a->dial;
    d->num_running--;
    if (status != 0) {
        note_failure(d, a, status);
        cl_tcp_free(a->tcp);
        a->tcp = NULL;
        cl_happy_failed(&d->happy);
        advance(d);
        return;
    }
    struct cl_tcp *tcp = a->tcp;
    struct sockaddr_storage local;
    d->result.times.tcp = cl_clock_mono_us();
    d->result.peer = a->addr;
    if (cl_tcp_local(tcp, &local)) {
        memcpy(&d->result.local, &local, sizeof(d->result.local));
    }
    cl_trace_tcp_connected(d->spec.trace, &a->addr, &d->result.local,
                           d->result.times.tcp - a->started);
    close_attempts(d, a);
    a->tcp = NULL;
    cl_timer_stop(d->next_timer);
    cl_dns_cancel(d->query);
    d->query = NULL;
    if (d->spec.proxy != NULL) {
        start_tunnel(d, tcp, a->started);
    } else {
        start_tls(d, tcp, a->started);
    }
}

static void start_attempt(struct cl_dial *d, const struct cl_addr *addr)
{
    struct attempt *a = &d->attempts[d->num_attempts++];
    a->dial = d;
    a->addr = *addr;
    a->started = cl_clock_mono_us();
    d->result.num_attempts++;
    cl_trace_tcp_try(d->spec.trace, addr);
    int status = cl_tcp_new(cl_hub_loop(d->spec.hub), &a->tcp) == CL_OK ? 0 : UV_ENOMEM;
    if (status == 0) {
        status = cl_tcp_connect(a->tcp, &a->addr.sa, on_connect, a);
    }
    if (status == 0) {
        d->num_running++;
        return;
    }
    note_failure(d, a, status);
    cl_tcp_free(a->tcp);
    a->tcp = NULL;
    cl_happy_failed(&d->happy);
}

static const char *hint_of_tcp(int status)
{
    switch (status) {
    case UV_ECONNREFUSED:
        return "nothing listens on that port, or a firewall says so";
    case UV_ENETUNREACH:
    case UV_EHOSTUNREACH:
    case UV_EADDRNOTAVAIL:
        return "there is no way to that address from here: check the network";
    case UV_ETIMEDOUT:
        return "the host is down, or a firewall drops what is sent to that port";
    default:
        return NULL;
    }
}

static void fail_before_tls(struct cl_dial *d)
{
    if (d->num_attempts == 0) {
        const struct cl_dns_source *source = cl_dns_source(d->spec.dns);
        const struct cl_why why = {.code = CLEAT_ERR_SYSTEM,
                                   .hint = !d->dns_failed ? "check the spelling of the host name"
                                           : source != NULL
                                               ? source->hint
                                               : "check the network and the name servers in "
                                                 "/etc/resolv.conf"};
        (void)cl_error_set(&d->result.error, why, "could not resolve %s %s: %s",
                           d->spec.proxy != NULL ? "the proxy" : "host", next_host(d),
                           d->dns_reason != NULL ? d->dns_reason : "it has no address");
        fail(d, CL_DIAL_DNS);
        return;
    }
    const struct cl_why why = {.code = CLEAT_ERR_SYSTEM, .hint = hint_of_tcp(d->tcp_status)};
    uint64_t ms = (cl_clock_mono_us() - d->result.times.start) / 1000;
    (void)cl_error_set(&d->result.error, why,
                       "could not connect to %s%s port %u after %llu ms (%s)",
                       d->spec.proxy != NULL ? "the proxy " : "", next_host(d),
                       (unsigned)next_port(d), (unsigned long long)ms, d->tcp_reasons);
    fail(d, CL_DIAL_TCP);
}

/* Does whatever is due: begins attempts, sets the timer, or gives up. May free d. */
static void advance(struct cl_dial *d)
{
    for (;;) {
        struct cl_addr addr;
        uint64_t until = 0, now = cl_clock_mono_us() / 1000;
        switch (cl_happy_next(&d->happy, now, &addr, &until)) {
        case CL_HAPPY_START:
            start_attempt(d, &addr);
            continue;
        case CL_HAPPY_WAIT:
            cl_timer_set(d->next_timer, until - now);
            return;
        case CL_HAPPY_WAIT_DNS:
            return;
        case CL_HAPPY_EXHAUSTED:
            if (d->num_running == 0) {
                fail_before_tls(d);
            }
            return;
        }
    }
}

static void on_next_timer(void *ctx)
{
    advance(ctx);
}

/* ---- DNS ---- */

/* Where the name came from a stranger: looked at after DNS, so that no name hides an address. */
static size_t public_ones(const struct cl_dns_answer *answer, struct cl_addr *out)
{
    size_t num = 0;
    for (size_t i = 0; i < answer->num; i++) {
        if (cl_addr_is_public(&answer->addrs[i])) {
            out[num++] = answer->addrs[i];
        }
    }
    return num;
}

static void on_answer(void *ctx, const struct cl_dns_answer *answer)
{
    struct cl_dial *d = ctx;
    uint64_t now = cl_clock_mono_us();
    if (answer->last) {
        d->query = NULL;
    }
    cl_trace_dns_answer(d->spec.trace, answer, now - d->result.times.start);
    if (answer->num > 0 && d->result.times.dns == 0) {
        d->result.times.dns = now;
    } else if (answer->num == 0 && (d->dns_reason == NULL || answer->failed)) {
        d->dns_reason = answer->reason;
        d->dns_failed = d->dns_failed || answer->failed;
    }
    const struct cl_addr *addrs = answer->addrs;
    size_t num = answer->num;
    struct cl_addr allowed[CL_HAPPY_MAX_ADDRS];
    if (d->spec.public_only && d->spec.proxy == NULL) {
        addrs = allowed;
        num = public_ones(answer, allowed);
        if (num < answer->num) {
            d->dns_reason = "its address is not one of the public internet, which is not allowed "
                            "here";
        }
    }
    cl_happy_answer(&d->happy, answer->kind == CL_DNS_AAAA ? AF_INET6 : AF_INET, addrs, num,
                    now / 1000);
    advance(d);
}

/* ---- the beginning ---- */

static enum cl_dial_stage stage_of(const struct cl_dial *d)
{
    if (d->tunnel != NULL) {
        return cl_tunnel_in_tls(d->tunnel) ? CL_DIAL_PROXY_TLS : CL_DIAL_PROXY;
    }
    return d->stream != NULL ? CL_DIAL_TLS : d->num_attempts != 0 ? CL_DIAL_TCP : CL_DIAL_DNS;
}

const char *cl_dial_doing(const struct cl_dial *d)
{
    static const char *const doing[] = {"looking up the host", "connecting",
                                        "in the TLS handshake with the proxy",
                                        "waiting for the proxy's answer", "in the TLS handshake"};
    return doing[stage_of(d)];
}

static void on_deadline(void *ctx)
{
    static const char *const hints[] = {
        "the name servers in /etc/resolv.conf do not answer",
        "the host is down, or a firewall drops what is sent to that port",
        "is it a proxy of http, without TLS? then write http://",
        "the proxy cannot reach the server, or is no proxy of that kind",
        "something listens there, but does not answer as a TLS server would",
    };
    struct cl_dial *d = ctx;
    enum cl_dial_stage stage = stage_of(d);
    struct cl_stream *stream = d->stream;
    const struct cl_dns_source *source = cl_dns_source(d->spec.dns);
    const char *hint = stage == CL_DIAL_DNS && source != NULL ? source->hint : hints[stage];
    d->result.timed_out = true;
    (void)cl_error_set(&d->result.error, (struct cl_why){.code = CLEAT_ERR_LIMIT, .hint = hint},
                       "%s:%u: timed out after %u ms, %s", d->host, (unsigned)d->spec.port,
                       (unsigned)d->spec.timeout_ms, cl_dial_doing(d));
    if (stream == NULL) {
        fail(d, stage);
        return;
    }
    d->over = true;
    d->result.stage = stage;
    d->result.tls = cl_stream_tls(stream);
    cl_trace_error(d->spec.trace, "tls", &d->result.error);
    d->spec.done(d->spec.ctx, &d->result);
    cl_stream_abort(stream, "timed out");
}

void cl_dial_cancel(struct cl_dial *d)
{
    if (d == NULL || d->over) {
        return;
    }
    d->over = true;
    if (d->stream != NULL) {
        cl_stream_abort(d->stream, "cancelled");
    } else {
        free_dial(d);
    }
}

static cl_result start(struct cl_dial *d)
{
    uv_loop_t *loop = cl_hub_loop(d->spec.hub);
    unsigned kinds = d->spec.family == AF_INET    ? CL_DNS_A
                     : d->spec.family == AF_INET6 ? CL_DNS_AAAA
                                                  : CL_DNS_A | CL_DNS_AAAA;
    struct cl_dns_spec ask = {
        .host = next_host(d), .port = next_port(d), .kinds = kinds, .cb = on_answer, .ctx = d};
    CL_TRY(cl_timer_new(loop, on_next_timer, d, &d->next_timer));
    CL_TRY(cl_timer_new(loop, on_deadline, d, &d->deadline));
    uv_update_time(loop);
    cl_timer_set(d->deadline, d->spec.timeout_ms);
    cl_happy_init(&d->happy, d->spec.family);
    d->result.times.start = cl_clock_mono_us();
    cl_trace_dns_ask(d->spec.trace, next_host(d), d->spec.family);
    return cl_dns_lookup(d->spec.dns, &ask, &d->query);
}

cl_result cl_dial(const struct cl_dial_spec *spec, struct cl_dial **out)
{
    size_t host_len = strlen(spec->host), name_len = strlen(spec->server_name);
    struct cl_dial *d = cl_calloc(1, sizeof(*d));
    if (d == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    if (host_len >= sizeof(d->host) || name_len >= sizeof(d->server_name)) {
        cl_free(d);
        return CLEAT_ERR_USAGE;
    }
    d->spec = *spec;
    d->result.proxy = spec->proxy;
    d->spec.timeout_ms = spec->timeout_ms != 0 ? spec->timeout_ms : CL_DIAL_DEFAULT_MS;
    d->spec.tls = spec->tls != NULL ? cleat_tls_config_ref(spec->tls) : NULL;
    d->spec.session = spec->session != NULL ? cleat_tls_session_ref(spec->session) : NULL;
    memcpy(d->host, spec->host, host_len + 1);
    memcpy(d->server_name, spec->server_name, name_len + 1);
    cl_result r = start(d);
    if (r != CL_OK) {
        free_dial(d);
        return r;
    }
    *out = d;
    return CL_OK;
}
