/* measure/connects.c - see connects.h. A lane makes one connection after the other; there are as
 * many lanes as connections at a time.
 */
#include "measure/connects.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "measure/alarm.h"
#include "net/clock.h"

/* 200 ms: how long SIGINT is not noticed at most, as a signal alone does not wake the loop */
#define WAKE_US 200000

/* 1,000 ms: a server answers our close_notify within a round trip, or not at all */
#define CLOSE_MS 1000

struct lane {
    struct cl_connects *owner;
    struct cl_dial *dial;     /* NULL: not dialling */
    struct cl_stream *stream; /* NULL: not established */
    struct cl_trace *trace;
    bool first; /* of all: it counts for nothing */
    bool resumed;
    struct cl_connects_sample sample; /* counted when the stream has ended well */
};

struct cl_connects {
    struct cl_connects_setup setup;
    char host[CL_ADDR_TEXT_SIZE]; /* the address that the first connection found */
    struct cleat_tls_session *session;
    struct cl_alarm *alarm; /* only wakes the loop */
    struct cl_connects_first *first;
    struct cl_connects_report *report;
    struct lane *lanes;
    size_t num_lanes;
    size_t num_running;
    size_t num_started;
    size_t failed_in_a_row;
};

/* ---- a connection ---- */

static void take_session(struct cl_connects *c, struct cleat_tls *tls)
{
    struct cleat_tls_session *newest = c->setup.resume ? cleat_tls_take_session(tls) : NULL;
    if (newest != NULL) {
        cleat_tls_session_free(c->session);
        c->session = newest;
    }
}

static void on_eof(void *ctx)
{
    struct lane *lane = ctx;
    take_session(lane->owner, cl_stream_tls(lane->stream));
    cl_stream_close(lane->stream);
}

static void on_deadline(void *ctx)
{
    struct lane *lane = ctx;
    take_session(lane->owner, cl_stream_tls(lane->stream));
    cl_stream_abort(lane->stream, NULL);
}

/* Failures are one kind when they happened at one stage with one code and alert. */
static void count_failure(struct cl_connects *c, enum cl_dial_stage stage, bool timed_out,
                          const struct cleat_error *error)
{
    struct cl_connects_report *report = c->report;
    struct cl_connects_failure *f = report->failures;
    size_t i = 0;
    c->failed_in_a_row++;
    report->num_failed++;
    while (i < report->num_failures &&
           (f[i].stage != stage || f[i].timed_out != timed_out || f[i].error.code != error->code ||
            f[i].error.alert != error->alert || f[i].error.from_peer != error->from_peer)) {
        i++;
    }
    if (i == CL_CONNECTS_MAX_FAILURES) {
        i--;
    } else if (i == report->num_failures) {
        report->num_failures++;
        f[i] =
            (struct cl_connects_failure){.stage = stage, .timed_out = timed_out, .error = *error};
    }
    f[i].num++;
}

static void count_success(const struct lane *lane)
{
    struct cl_connects *c = lane->owner;
    c->failed_in_a_row = 0;
    c->report->samples[c->report->num_ok++] = lane->sample;
    c->report->num_resumed += lane->resumed ? 1 : 0;
}

/* In TLS 1.3 a server may refuse our certificate, or the lack of one, when for us the handshake is
 * over (RFC 9846 4.5.2): its alert makes a failure of the success. */
static void on_closed(void *ctx, const struct cl_stream_end *end)
{
    struct lane *lane = ctx;
    struct cl_connects *c = lane->owner;
    const bool refused = end->cause == CL_STREAM_TLS;
    lane->stream = NULL;
    c->num_running--;
    if (lane->first && refused) {
        c->first->stage = CL_DIAL_TLS;
        c->first->error = end->error;
    } else if (!lane->first && refused) {
        count_failure(c, CL_DIAL_TLS, false, &end->error);
    } else if (!lane->first) {
        count_success(lane);
    }
}

static const struct cl_stream_handler handler = {
    .eof = on_eof, .deadline = on_deadline, .closed = on_closed};

static uint32_t span(uint64_t from, uint64_t to)
{
    return to <= from ? 0 : to - from < UINT32_MAX ? (uint32_t)(to - from) : UINT32_MAX;
}

static void note_sample(struct lane *lane, const struct cl_dial_result *r)
{
    struct cleat_tls_info info;
    lane->sample = (struct cl_connects_sample){
        .tcp_us = span(r->times.dns != 0 ? r->times.dns : r->times.start, r->times.tcp),
        .tls_us = span(r->times.tcp, r->times.tls)};
    lane->resumed = cleat_tls_info(r->tls, &info) == CLEAT_OK && info.resumed;
}

static void note_first(struct cl_connects_first *out, const struct cl_dial_result *r)
{
    struct cleat_tls_info info;
    out->stage = r->stage;
    out->timed_out = r->timed_out;
    out->error = r->error;
    out->peer = r->peer;
    if (r->stage == CL_DIAL_DONE && cleat_tls_info(r->tls, &info) == CLEAT_OK) {
        out->version = info.version;
        (void)snprintf(out->cipher, sizeof(out->cipher), "%s", info.cipher_name);
        (void)snprintf(out->group, sizeof(out->group), "%s",
                       info.group_name != NULL ? info.group_name : "");
        (void)snprintf(out->signature, sizeof(out->signature), "%s",
                       info.signature_name != NULL ? info.signature_name : "");
    }
}

static void on_dialled(void *ctx, const struct cl_dial_result *r)
{
    struct lane *lane = ctx;
    struct cl_connects *c = lane->owner;
    lane->dial = NULL;
    if (lane->first) {
        note_first(c->first, r);
    }
    if (r->stage != CL_DIAL_DONE) {
        c->num_running--;
        if (!lane->first) {
            count_failure(c, r->stage, r->timed_out, &r->error);
        }
        return;
    }
    note_sample(lane, r);
    lane->stream = r->stream;
    cl_stream_finish(lane->stream);
    cl_stream_deadline(lane->stream, CLOSE_MS);
}

static void on_decide(void *ctx, struct cleat_tls *tls)
{
    const struct lane *lane = ctx;
    const struct cl_connects_setup *setup = &lane->owner->setup;
    if (setup->decide != NULL) {
        setup->decide(setup->ctx, tls, lane->first);
    } else {
        (void)cleat_tls_refuse(tls, 40, "nobody here can answer this decision");
    }
}

static cl_result dial(struct lane *lane, const char *host)
{
    const struct cl_connects_setup *setup = &lane->owner->setup;
    struct cl_dial_spec spec = {
        .hub = setup->hub,
        .dns = setup->dns,
        .trace = lane->trace,
        .host = host,
        .port = setup->port,
        .family = setup->family,
        .timeout_ms = setup->timeout_ms,
        .tls = setup->config,
        .server_name = setup->server_name,
        .session = lane->owner->session,
        .handler = &handler,
        .ctx = lane,
        .done = on_dialled,
        .decide = on_decide,
    };
    CL_TRY(cl_dial(&spec, &lane->dial));
    lane->owner->num_running++;
    return CL_OK;
}

/* Gives up what is under way, and waits until all of it is gone. */
static void give_up_all(struct cl_connects *c, struct lane *lanes, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        if (lanes[i].dial != NULL) {
            cl_dial_cancel(lanes[i].dial);
            lanes[i].dial = NULL;
            c->num_running--;
            if (c->report != NULL) {
                c->report->num_unfinished++;
            }
        } else if (lanes[i].stream != NULL) {
            cl_stream_abort(lanes[i].stream, NULL);
        }
    }
    while (c->num_running != 0 && uv_run(cl_hub_loop(c->setup.hub), UV_RUN_ONCE) != 0) {
    }
}

static bool stopped(const struct cl_connects *c)
{
    return c->setup.stop != NULL && *c->setup.stop != 0;
}

static void on_alarm(void *ctx)
{
}

/* A turn of the loop, which waits at most until then (cl_clock_mono_us()), or until WAKE_US. */
static void turn(struct cl_connects *c, uint64_t until)
{
    const uint64_t wake = cl_clock_mono_us() + WAKE_US;
    cl_alarm_at(c->alarm, until < wake ? until : wake);
    (void)uv_run(cl_hub_loop(c->setup.hub), UV_RUN_ONCE);
}

cl_result cl_connects_first(struct cl_connects *c, struct cl_trace *trace,
                            struct cl_connects_first *out)
{
    struct lane lane = {.owner = c, .trace = trace, .first = true};
    *out = (struct cl_connects_first){0};
    c->first = out;
    CL_TRY(dial(&lane, c->setup.host));
    while (c->num_running != 0 && !stopped(c)) {
        turn(c, UINT64_MAX);
    }
    give_up_all(c, &lane, 1);
    if (out->stage == CL_DIAL_DONE) {
        cl_addr_format(&out->peer, c->host);
    }
    return stopped(c) ? CLEAT_ERR_REFUSED : CL_OK;
}

/* ---- all of them ---- */

struct run {
    const struct cl_connects_limits *limits;
    uint64_t begin; /* cl_clock_mono_us() */
    uint64_t end;
};

static struct lane *free_lane(struct cl_connects *c)
{
    for (size_t i = 0; i < c->num_lanes; i++) {
        if (c->lanes[i].dial == NULL && c->lanes[i].stream == NULL) {
            return &c->lanes[i];
        }
    }
    return NULL;
}

static uint64_t due(const struct cl_connects *c, const struct run *r)
{
    double rate = r->limits->rate;
    return rate > 0 ? r->begin + (uint64_t)((double)c->num_started * 1e6 / rate) : r->begin;
}

/* Begins what may begin now, and lets the loop do a turn. */
static cl_result start_some(struct cl_connects *c, const struct run *r)
{
    struct lane *lane;
    while (c->num_started < r->limits->num && (lane = free_lane(c)) != NULL) {
        uint64_t when = due(c, r);
        if (when > cl_clock_mono_us()) {
            turn(c, when < r->end ? when : r->end);
            return CL_OK;
        }
        CL_TRY(dial(lane, c->host));
        c->num_started++;
    }
    turn(c, r->end);
    return CL_OK;
}

static bool is_over(const struct cl_connects *c, const struct run *r)
{
    const bool may_begin =
        c->num_started < r->limits->num && c->failed_in_a_row < CL_CONNECTS_GIVE_UP;
    return stopped(c) || cl_clock_mono_us() >= r->end || (!may_begin && c->num_running == 0);
}

static cl_result run_all(struct cl_connects *c, struct run *r)
{
    r->begin = cl_clock_mono_us();
    r->end = r->begin + (uint64_t)(r->limits->seconds * 1e6);
    while (!is_over(c, r)) {
        if (c->failed_in_a_row < CL_CONNECTS_GIVE_UP) {
            CL_TRY(start_some(c, r));
        } else {
            turn(c, r->end);
        }
    }
    return CL_OK;
}

cl_result cl_connects_run(struct cl_connects *c, const struct cl_connects_limits *limits,
                          struct cl_connects_report *out)
{
    struct run r = {.limits = limits};
    struct cl_meter meter = {0};
    *out = (struct cl_connects_report){0};
    out->samples = cl_calloc(limits->num, sizeof(*out->samples));
    c->lanes = cl_calloc(limits->concurrency, sizeof(*c->lanes));
    c->num_lanes = limits->concurrency;
    c->report = out;
    if (out->samples == NULL || c->lanes == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    for (size_t i = 0; i < c->num_lanes; i++) {
        c->lanes[i].owner = c;
    }
    cl_meter_start(&meter);
    cl_result result = run_all(c, &r);
    cl_meter_stop(&meter);
    out->seconds = (double)(cl_clock_mono_us() - r.begin) / 1e6;
    out->cpu_seconds = (double)meter.ns / 1e9;
    out->gave_up = c->failed_in_a_row >= CL_CONNECTS_GIVE_UP;
    give_up_all(c, c->lanes, c->num_lanes);
    return result;
}

void cl_connects_report_deinit(struct cl_connects_report *report)
{
    cl_free(report->samples);
    *report = (struct cl_connects_report){0};
}

/* ---- the object ---- */

cl_result cl_connects_new(const struct cl_connects_setup *setup, struct cl_connects **out)
{
    struct cl_connects *c = cl_calloc(1, sizeof(*c));
    if (c == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    c->setup = *setup;
    cl_result r = cl_alarm_new(cl_hub_loop(setup->hub), on_alarm, c, &c->alarm);
    if (r != CL_OK) {
        cl_free(c);
        return r;
    }
    *out = c;
    return CL_OK;
}

void cl_connects_free(struct cl_connects *c)
{
    if (c != NULL) {
        cleat_tls_session_free(c->session);
        cl_alarm_free(c->alarm);
        cl_free(c->lanes);
        cl_free(c);
    }
}
