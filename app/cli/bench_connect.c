/* cli/bench_connect.c - `cleat bench connect`: new TLS connections to a server.
 *
 * It is for measuring one's own server, not for harming another's: away from this machine the
 * number, the concurrency and the rate are bounded (docs/decisions/0045-bench-connect-bounds.md).
 */
#include "cli/bench_connect.h"

#include <string.h>

#include "base/mem.h"
#include "cli/bench.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/client_explain.h"
#include "cli/get_codes.h"

enum {
    OPT_HEADING = 0,
    OPT_ALPN,
    OPT_CONCURRENCY,
    OPT_HELP,
    OPT_JSON,
    OPT_NUMBER,
    OPT_RATE,
    OPT_RESUME,
    OPT_SECONDS,
};

/* What is done unless something else is said: enough for a p90, over in seconds. */
#define DEFAULT_NUMBER      100
#define DEFAULT_CONCURRENCY 8
#define DEFAULT_SECONDS     30
/* 50 in a second: what a busy page with all its visitors makes; nobody's server notices it */
#define DEFAULT_RATE        50

/* Away from loopback: less than one client of a load test makes, and for an hour at most. */
#define REMOTE_NUMBER      10000
#define REMOTE_CONCURRENCY 64
#define REMOTE_RATE        200
/* On loopback: what memory for samples and descriptors allow. */
#define MAX_NUMBER         1000000
#define MAX_CONCURRENCY    1000
#define MAX_SECONDS        3600

/* 15,000 ms: a connection that takes longer is a failure, unless --connect-timeout says more */
#define TIMEOUT_MS 15000

static const struct cl_option rows[] = {
    {OPT_HEADING, 0, "Load", NULL, NULL},
    {OPT_NUMBER, 'n', "number", "N", "make N connections (default: 100)"},
    {OPT_CONCURRENCY, 'c', "concurrency", "N", "so many at a time (default: 8)"},
    {OPT_RATE, 0, "rate", "N",
     "begin at most N in a second (default: 50; on loopback as many as go)"},
    {OPT_SECONDS, 0, "seconds", "S", "end after S seconds, whatever is left (default: 30)"},
    {OPT_RESUME, 0, "resume", NULL, "resume the session of a connection before"},

    {OPT_HEADING, 0, "Output", NULL, NULL},
    {OPT_JSON, 0, "json", NULL, "as JSON"},
    CLIENT_TRACE_ROWS,

    {OPT_HEADING, 0, "Connection", NULL, NULL},
    CLIENT_CONNECTION_ROWS,

    {OPT_HEADING, 0, "TLS", NULL, NULL},
    CLIENT_TLS_ROWS,
    {OPT_ALPN, 0, "alpn", "LIST", "application protocols to offer (default: none)"},

    {OPT_HEADING, 0, "Other", NULL, NULL},
    {OPT_HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "bench connect",
    .synopsis = "[OPTION]... HOST[:PORT]",
    .about =
        "Makes many new TLS connections to a server, closes each as soon as it is established,\n"
        "and tells how long TCP and TLS took. A first connection, which counts for nothing,\n"
        "finds the address that all others go to; -v and --trace-json tell its story. To other\n"
        "machines it makes at most 10,000 connections, 64 at a time and 200 in a second.",
    .options = rows,
    .num_options = sizeof(rows) / sizeof(rows[0]),
    .examples = "  cleat bench connect --cacert ca.pem localhost:8443\n"
                "  cleat bench connect -n 2000 -c 64 --resume --cacert ca.pem localhost:8443\n"
                "  cleat bench connect --tls-max 1.2 --rate 5 --json example.com | jq .tls_ms.p90",
};

/* ---- the command line ---- */

static int set_rate(struct bench_connect_options *o, const struct cl_options *from)
{
    long rate;
    o->has_rate = cl_options_number(from, 1, MAX_NUMBER, &rate);
    o->rate = o->has_rate ? (double)rate : 0;
    return o->has_rate ? 0 : CL_EXIT_USAGE;
}

static int set(struct bench_connect_options *o, int id, const struct cl_options *from)
{
    int code = client_options_set(&o->client, id, from);
    if (code != CL_SETTERS_UNKNOWN) {
        return code;
    }
    switch (id) {
    case OPT_NUMBER:
        return cl_options_number(from, 1, MAX_NUMBER, &o->num) ? 0 : CL_EXIT_USAGE;
    case OPT_CONCURRENCY:
        return cl_options_number(from, 1, MAX_CONCURRENCY, &o->concurrency) ? 0 : CL_EXIT_USAGE;
    case OPT_RATE:
        return set_rate(o, from);
    case OPT_SECONDS:
        return bench_seconds(from, 0.1, MAX_SECONDS, &o->seconds) ? 0 : CL_EXIT_USAGE;
    case OPT_RESUME:
        o->resume = true;
        return 0;
    case OPT_JSON:
        o->json = true;
        return 0;
    case OPT_ALPN:
        o->client.alpn = from->value;
        return 0;
    case OPT_HELP:
        o->help = true;
        return 0;
    default:
        return CL_EXIT_USAGE;
    }
}

static int parse(struct bench_connect_options *o, int argc, char **argv)
{
    struct cl_options options;
    int id, code = 0;
    cl_options_init(&options, &usage, argc, argv);
    while (code == 0 && (id = cl_options_next(&options)) != CL_OPTIONS_END) {
        if (id == CL_OPTIONS_ERROR) {
            return CL_EXIT_USAGE;
        }
        if (id != CL_OPTIONS_OPERAND) {
            code = set(o, id, &options);
        } else if (o->target != NULL) {
            code =
                cl_options_complain(&usage, "unexpected '%s': one server at a time", options.value);
        } else {
            o->target = options.value;
        }
    }
    if (code != 0 || o->help) {
        return code;
    }
    if (o->target == NULL) {
        return cl_options_complain(&usage, "no server given: write HOST or HOST:PORT");
    }
    return client_options_check(&o->client, &usage);
}

/* ---- the bounds ---- */

static int too_much(const char *option, long most, long given)
{
    return cl_options_complain(
        &usage,
        "%s: at most %ld to another machine, not %ld; for more run it on the "
        "server itself",
        option, most, given);
}

/* What may be done to this peer. 0, or the exit code with a message on stderr. */
static int set_limits(struct bench_connect_result *r)
{
    const struct bench_connect_options *o = r->options;
    r->loopback = cl_addr_is_loopback(&r->first.peer);
    r->limits = (struct cl_connects_limits){
        .num = (size_t)o->num,
        .concurrency = (size_t)o->concurrency,
        .rate = o->has_rate || r->loopback ? o->rate : DEFAULT_RATE,
        .seconds = o->seconds,
    };
    if (r->loopback) {
        return 0;
    }
    if (o->num > REMOTE_NUMBER) {
        return too_much("-n", REMOTE_NUMBER, o->num);
    }
    if (o->concurrency > REMOTE_CONCURRENCY) {
        return too_much("-c", REMOTE_CONCURRENCY, o->concurrency);
    }
    return o->rate > REMOTE_RATE ? too_much("--rate", REMOTE_RATE, (long)o->rate) : 0;
}

/* ---- running ---- */

struct run {
    struct client client;
    struct bench_connect_result result;
    struct client_target target;
    struct cl_connects *connects;
};

/* -k: the first is verified all the same, for the story. */
static void on_decide(void *ctx, struct cleat_tls *tls, bool first)
{
    struct run *run = ctx;
    if (first) {
        (void)client_accept_any(&run->client, run->target.host, tls);
    } else {
        (void)cleat_tls_accept_peer(tls);
    }
}

static void report(const struct client_options *o, int code, struct cleat_error *error, bool of_tls)
{
    if (of_tls) {
        client_explain(error, o, false);
    }
    (void)fprintf(stderr, "cleat bench connect: (%d) %s\n", code,
                  error->text[0] != '\0' ? error->text : cleat_error_sentence(error->code));
    client_tell_detail(error, code == GET_EXIT_VERIFY);
}

static int set_up(struct run *run, char host[CLIENT_HOST_SIZE], struct cleat_error *err)
{
    const struct client_options *o = &run->result.options->client;
    uint16_t port;
    if (!client_connect_to(&o->connect_tos, run->target.host, run->target.port, host, &port, err)) {
        return GET_EXIT_USAGE;
    }
    const struct cl_connects_setup setup = {
        .hub = run->client.hub,
        .dns = run->client.dns,
        .config = run->client.config,
        .server_name = run->target.host,
        .host = host,
        .port = port,
        .family = o->family,
        .timeout_ms = o->connect_timeout_ms != 0 ? (uint32_t)o->connect_timeout_ms : TIMEOUT_MS,
        .resume = run->result.options->resume,
        .stop = &bench_stop,
        .decide = o->insecure ? on_decide : NULL,
        .ctx = run,
    };
    cl_result r = cl_connects_new(&setup, &run->connects);
    if (r != CL_OK) {
        (void)cl_error_set(err, (struct cl_why){.code = r}, "%s", cleat_error_sentence((int)r));
        return GET_EXIT_NO_MEMORY;
    }
    return 0;
}

/* The first connection. 0, or the exit code with a message on stderr. */
static int first(struct run *run)
{
    struct cl_connects_first *f = &run->result.first;
    struct cl_trace *trace = run->client.trace;
    cl_result r = cl_connects_first(run->connects, trace, f);
    run->client.trace = NULL; /* what follows would be the same story many times */
    int code = 0;
    if (bench_stop != 0) {
        code = BENCH_EXIT_INTERRUPTED;
    } else if (r != CL_OK) {
        (void)cl_error_set(&f->error, (struct cl_why){.code = r}, "cannot start: %s",
                           cleat_error_sentence((int)r));
        code = GET_EXIT_CONNECT;
    } else if (f->stage != CL_DIAL_DONE) {
        code = get_exit_of_stage(f->stage, f->timed_out, &f->error);
    }
    if (code != 0 && bench_stop == 0) {
        report(&run->result.options->client, code, &f->error, f->stage == CL_DIAL_TLS);
    }
    cl_trace_free(trace);
    return code;
}

/* Of the failures, that of the kind that happened most. */
static int exit_code(const struct cl_connects_report *report)
{
    const struct cl_connects_failure *most = NULL;
    for (size_t i = 0; i < report->num_failures; i++) {
        most = most == NULL || report->failures[i].num > most->num ? &report->failures[i] : most;
    }
    return most != NULL ? get_exit_of_stage(most->stage, most->timed_out, &most->error) : 0;
}

static int measure(struct run *run)
{
    struct bench_connect_result *r = &run->result;
    int code = first(run);
    code = code == 0 ? set_limits(r) : code;
    if (code != 0) {
        return code;
    }
    if (!r->options->json) {
        bench_connect_plan(r);
    }
    cl_result result = cl_connects_run(run->connects, &r->limits, &r->report);
    if (result != CL_OK) {
        struct cleat_error err = {0};
        (void)cl_error_set(&err, (struct cl_why){.code = result}, "the run was cut short: %s",
                           cleat_error_sentence((int)result));
        report(&r->options->client, GET_EXIT_NO_MEMORY, &err, false);
        return GET_EXIT_NO_MEMORY;
    }
    for (size_t i = 0; i < r->report.num_failures; i++) {
        if (r->report.failures[i].stage == CL_DIAL_TLS) {
            client_explain(&r->report.failures[i].error, &r->options->client, false);
        }
    }
    if (!r->options->json) {
        bench_connect_print(r);
    }
    return exit_code(&r->report);
}

static int run_with(struct run *run)
{
    const struct bench_connect_options *o = run->result.options;
    struct cleat_error err = {0};
    char host[CLIENT_HOST_SIZE];
    run->result.target = &run->target;
    int code = client_target_parse(&run->target, o->target, strlen(o->target), &err);
    if (code == 0) {
        code = client_init(&run->client, &o->client, &err);
        code = code == 0 ? set_up(run, host, &err) : code;
        if (code == 0) {
            bench_catch_interrupt();
            json_t *json = o->json ? bench_json("connect") : NULL;
            code = measure(run);
            bench_connect_json(json, &run->result);
            code = bench_finish(json, o->json, code);
        }
        cl_connects_free(run->connects);
        client_deinit(&run->client);
    }
    if (err.code != 0) {
        report(&o->client, code, &err, false);
    }
    cl_connects_report_deinit(&run->result.report);
    return code;
}

int bench_connect_run(int argc, char **argv)
{
    struct bench_connect_options o = {
        .num = DEFAULT_NUMBER, .concurrency = DEFAULT_CONCURRENCY, .seconds = DEFAULT_SECONDS};
    struct run *run = cl_calloc(1, sizeof(*run));
    int code = run != NULL ? parse(&o, argc, argv) : CL_EXIT_FAILURE;
    if (code == 0 && o.help) {
        cl_options_help(&usage, stdout);
    } else if (code == 0) {
        run->result.options = &o;
        code = run_with(run);
    }
    cl_free(run);
    client_options_deinit(&o.client);
    return code;
}
