/* cli/bench_rtt.c - `cleat bench rtt`: what each kind of handshake costs in round trips, shown over
 * a line of ours that is as long as the user says.
 */
#include "cli/bench.h"
#include "cli/cli.h"
#include "measure/rtt.h"

enum {
    OPT_HELP = 1,
    OPT_DELAY,
    OPT_JSON,
    OPT_ONLY,
    OPT_RUNS,
};

/* 50 ms: across a continent. At least 10: below it what a busy machine keeps waiting is taken for a
 * round trip; at most 2,000: more than a line over a satellite. */
#define DEFAULT_DELAY 50
#define MIN_DELAY     10
#define MAX_DELAY     2000
/* 3 runs: the fastest of them is the one that was disturbed least */
#define DEFAULT_RUNS  3
#define MAX_RUNS      99

static const struct cl_option options[] = {
    {OPT_DELAY, 0, "delay", "MS",
     "the round-trip time, half of it each way (default: 50; 10 to 2000)"},
    {OPT_RUNS, 'n', "runs", "N", "connections of each kind; the fastest counts (default: 3)"},
    {OPT_ONLY, 0, "only", "PATTERN", "only what has PATTERN in its name, as \"1.3\""},
    {OPT_JSON, 0, "json", NULL, "as JSON"},
    {OPT_HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "bench rtt",
    .synopsis = "[OPTION]...",
    .about =
        "Shows what each kind of handshake costs in round trips: our client fetches a page from\n"
        "our server through a relay on loopback that holds back everything for half of the\n"
        "round-trip time. Times begin with the TCP connection, whose own round trip counts.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat bench rtt --delay 120\n"
                "  cleat bench rtt --only 0-RTT --json | jq '.handshakes[].first_byte'",
};

struct run {
    bool json;
    const char *only;
    long delay;
    long runs;
    json_t *results; /* with json */
    struct cl_rtt *rtt;
    struct cl_bench_world world;
};

/* One of the two moments of a connection. */
struct moment {
    double ms;
    double computing_ms; /* without the delay */
    unsigned round_trips;
    unsigned expected;
};

/* ---- for people ---- */

static void print_moment(const struct moment *m)
{
    printf(" %8.1f %9u", m->ms, m->round_trips);
}

static void print_row(const struct cl_rtt_kind *kind, const struct moment *ready,
                      const struct moment *first)
{
    printf("%-34s", kind->name);
    print_moment(ready);
    print_moment(first);
    printf(" %12.1f", first->computing_ms);
    if (ready->round_trips != ready->expected || first->round_trips != first->expected) {
        printf("  expected %u and %u: is the machine busy?", ready->expected, first->expected);
    }
    printf("\n");
    (void)fflush(stdout); /* each as soon as it is known, in a pipe too */
}

static void print_heading(const struct run *r)
{
    printf("A line of %ld ms, %g ms each way; the fastest of %ld for each. TCP's own round trip "
           "counts.\n\n",
           r->delay, (double)r->delay / 2, r->runs);
    printf("%-34s %18s %18s %12s\n", "", "TLS is ready", "response begins", "response");
    printf("%-34s %8s %9s %8s %9s %12s\n", "", "ms", "trips", "ms", "trips", "at no delay");
}

/* ---- for programs ---- */

static json_t *moment_json(const struct moment *m)
{
    return json_pack("{s:f, s:f, s:i, s:i}", "ms", m->ms, "computing_ms", m->computing_ms,
                     "round_trips", (int)m->round_trips, "expected_round_trips", (int)m->expected);
}

static bool add_json(struct run *r, const struct cl_rtt_kind *kind, const struct moment *ready,
                     const struct moment *first)
{
    json_t *row = json_pack("{s:s, s:s, s:o, s:o}", "id", kind->id, "name", kind->name, "ready",
                            moment_json(ready), "first_byte", moment_json(first));
    return json_array_append_new(r->results, row) == 0;
}

/* ---- measuring ---- */

/* The fastest of so many runs over a line with this delay: waiting can only take longer. */
static cl_result measure_line(struct run *r, const struct cl_rtt_kind *kind, unsigned delay,
                              double *out_ready, double *out_first, struct cleat_error *err)
{
    *out_ready = *out_first = 0;
    for (long i = 0; i < r->runs; i++) {
        struct cl_rtt_times times;
        CL_TRY(cl_rtt_measure(r->rtt, kind, delay, &bench_stop, &times, err));
        const double ready = (double)times.ready_us / 1000;
        const double first = (double)times.first_byte_us / 1000;
        *out_ready = i == 0 || ready < *out_ready ? ready : *out_ready;
        *out_first = i == 0 || first < *out_first ? first : *out_first;
    }
    return CL_OK;
}

/* How often the delay fits into what the line has added. */
static void deduce(const struct run *r, struct moment *m)
{
    const double added = m->ms - m->computing_ms;
    m->round_trips = added > 0 ? (unsigned)(added / (double)r->delay + 0.5) : 0;
}

static int tell_failure(const char *what, const struct cleat_error *err, cl_result r)
{
    (void)fprintf(stderr, "cleat bench rtt: %s: %s\n", what,
                  err->code != 0 ? err->text : cleat_error_sentence((int)r));
    return CL_EXIT_FAILURE;
}

static int measure_kind(struct run *r, const struct cl_rtt_kind *kind)
{
    struct cleat_error err = {0};
    struct moment ready = {.expected = kind->ready}, first = {.expected = kind->first_byte};
    struct cl_rtt_times first_of_all; /* counts for nothing: memory and caches fill */
    cl_result result = cl_rtt_measure(r->rtt, kind, 0, &bench_stop, &first_of_all, &err);
    if (result == CL_OK) {
        result = measure_line(r, kind, 0, &ready.computing_ms, &first.computing_ms, &err);
    }
    if (result == CL_OK) {
        result = measure_line(r, kind, (unsigned)r->delay, &ready.ms, &first.ms, &err);
    }
    if (bench_stop != 0) {
        return CL_EXIT_OK;
    }
    if (result != CL_OK) {
        return tell_failure(kind->name, &err, result);
    }
    deduce(r, &ready);
    deduce(r, &first);
    if (r->json) {
        return add_json(r, kind, &ready, &first) ? CL_EXIT_OK : CL_EXIT_FAILURE;
    }
    print_row(kind, &ready, &first);
    return CL_EXIT_OK;
}

static int measure(struct run *r)
{
    struct cleat_error err = {0};
    const struct cl_rtt_kind *kind;
    cl_result result = cl_bench_world_init(&r->world, &err);
    result = result == CL_OK ? cl_rtt_new(&r->world, &r->rtt) : result;
    int code = result == CL_OK ? CL_EXIT_OK : tell_failure("server and relay", &err, result);
    for (size_t i = 0; code == CL_EXIT_OK && (kind = cl_rtt_kind_at(i)) != NULL; i++) {
        if (bench_wanted(r->only, kind->id, kind->name) && bench_stop == 0) {
            code = measure_kind(r, kind);
        }
    }
    cl_rtt_free(r->rtt);
    cl_bench_world_deinit(&r->world);
    return code;
}

static int run(struct run *r)
{
    const struct cl_rtt_kind *kind;
    size_t num = 0;
    for (size_t i = 0; (kind = cl_rtt_kind_at(i)) != NULL; i++) {
        num += bench_wanted(r->only, kind->id, kind->name) ? 1 : 0;
    }
    if (num == 0) {
        return cl_options_complain(&usage, "no handshake has '%s' in its name", r->only);
    }
    json_t *json = NULL;
    bench_catch_interrupt();
    if (r->json && (json = bench_json("rtt")) != NULL) {
        r->results = json_array();
        (void)json_object_set_new(json, "delay_ms", json_integer(r->delay));
        (void)json_object_set_new(json, "runs", json_integer(r->runs));
        (void)json_object_set_new(json, "handshakes", r->results);
    } else {
        print_heading(r);
    }
    int code = measure(r);
    return bench_finish(json, r->json, code);
}

int bench_rtt_run(int argc, char **argv)
{
    struct run r = {.delay = DEFAULT_DELAY, .runs = DEFAULT_RUNS};
    struct cl_options o;
    cl_options_init(&o, &usage, argc, argv);
    for (;;) {
        switch (cl_options_next(&o)) {
        case CL_OPTIONS_END:
            return run(&r);
        case OPT_HELP:
            cl_options_help(&usage, stdout);
            return CL_EXIT_OK;
        case OPT_JSON:
            r.json = true;
            break;
        case OPT_ONLY:
            r.only = o.value;
            break;
        case OPT_DELAY:
            if (!cl_options_number(&o, MIN_DELAY, MAX_DELAY, &r.delay)) {
                return CL_EXIT_USAGE;
            }
            break;
        case OPT_RUNS:
            if (!cl_options_number(&o, 1, MAX_RUNS, &r.runs)) {
                return CL_EXIT_USAGE;
            }
            break;
        case CL_OPTIONS_OPERAND:
            return cl_options_complain(&usage, "unexpected '%s'", o.value);
        default:
            return CL_EXIT_USAGE;
        }
    }
}
