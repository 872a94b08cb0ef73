/* cli/bench_handshake.c - `cleat bench handshake`: whole handshakes in memory. */
#include "cli/bench.h"
#include "cli/cli.h"
#include "measure/handshakes.h"

enum {
    OPT_HELP = 1,
    OPT_JSON,
    OPT_ONLY,
    OPT_SECONDS,
};

/* 0.3 s: the whole table takes about 6 s, and figures differ by a few per cent from run to run */
#define DEFAULT_SECONDS 0.3

static const struct cl_option options[] = {
    {OPT_ONLY, 0, "only", "PATTERN", "measure only what has PATTERN in its name, as \"resumed\""},
    {OPT_SECONDS, 0, "seconds", "S",
     "CPU time for each row, both sides (default: 0.3; 0.01 to 60)"},
    {OPT_JSON, 0, "json", NULL, "as JSON"},
    {OPT_HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "bench handshake",
    .synopsis = "[OPTION]...",
    .about =
        "Runs whole handshakes between our server and our client in memory, 1, 8 and 64 at a\n"
        "time, and tells what each side computes: CPU time of one thread, the best of five\n"
        "passes. X25519 and AES-128-GCM; both sides verify what they are shown. \"asymmetric\" is\n"
        "the share that went into asymmetric cryptography, which no protocol code can avoid.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples =
        "  cleat bench handshake\n"
        "  cleat bench handshake --only 1.3 --seconds 2\n"
        "  cleat bench handshake --json | jq '.handshakes[] | [.id, .in_flight, .server.us]'",
};

struct run {
    bool json;
    const char *only;
    double seconds;
    json_t *results; /* with json */
    struct cl_bench_world world;
};

static const size_t flights[] = {1, 8, 64};
#define NUM_FLIGHTS (sizeof(flights) / sizeof(flights[0]))

/* ---- for people ---- */

static void print_side(const struct cl_handshake_side *side)
{
    char rate[BENCH_GROUPED_SIZE];
    printf(" %9.1f %11s %8.0f %%", side->us, bench_grouped(1e6 / side->us, rate),
           100 * side->jobs_us / side->us);
}

static void print_heading(void)
{
    printf("\n%-30s %9s  %9s %11s %10s %11s %11s %10s\n", "", "", "server:", "per second",
           "asymmetric", "client:", "per second", "asymmetric");
    printf("%-30s %9s  %9s %11s %10s %11s %11s\n", "", "in flight", "us", "and core", "", "us",
           "and core");
}

static void print_row(const struct cl_handshake_kind *kind, size_t in_flight,
                      const struct cl_handshake_figures *f)
{
    printf("%-30s %9zu ", in_flight == flights[0] ? kind->name : "", in_flight);
    print_side(&f->server);
    print_side(&f->client);
    printf("\n");
    (void)fflush(stdout); /* each as soon as it is known, in a pipe too */
}

/* ---- for programs ---- */

static json_t *side_json(const struct cl_handshake_side *side)
{
    return json_pack("{s:f, s:f, s:f, s:f}", "us", side->us, "per_second", 1e6 / side->us,
                     "asymmetric_us", side->jobs_us, "asymmetric_share", side->jobs_us / side->us);
}

static bool add_json(struct run *r, const struct cl_handshake_kind *kind, size_t in_flight,
                     const struct cl_handshake_figures *f)
{
    json_t *row = json_pack("{s:s, s:s, s:I, s:o, s:o}", "id", kind->id, "name", kind->name,
                            "in_flight", (json_int_t)in_flight, "server", side_json(&f->server),
                            "client", side_json(&f->client));
    return json_array_append_new(r->results, row) == 0;
}

/* ---- measuring ---- */

static int tell_failure(const char *what, const struct cleat_error *err, cl_result r)
{
    (void)fprintf(stderr, "cleat bench handshake: %s: %s\n", what,
                  err->code != 0 ? err->text : cleat_error_sentence((int)r));
    return CL_EXIT_FAILURE;
}

static int measure_kind(struct run *r, const struct cl_handshake_kind *kind)
{
    const struct cl_measure_plan plan = {.seconds = r->seconds, .stop = &bench_stop};
    for (size_t i = 0; i < NUM_FLIGHTS && bench_stop == 0; i++) {
        struct cl_handshake_figures f;
        struct cleat_error err = {0};
        cl_result result = cl_handshakes_measure(kind, &r->world, flights[i], &plan, &f, &err);
        if (result != CL_OK) {
            return tell_failure(kind->name, &err, result);
        }
        if (f.server.us == 0) {
            return CL_EXIT_OK; /* interrupted before the first pass */
        }
        if (!r->json) {
            print_row(kind, flights[i], &f);
        } else if (!add_json(r, kind, flights[i], &f)) {
            return CL_EXIT_FAILURE;
        }
    }
    return CL_EXIT_OK;
}

static int measure(struct run *r)
{
    struct cleat_error err = {0};
    const struct cl_handshake_kind *kind;
    cl_result result = cl_bench_world_init(&r->world, &err);
    int code = result == CL_OK ? CL_EXIT_OK : tell_failure("certificates", &err, result);
    for (size_t i = 0; code == CL_EXIT_OK && (kind = cl_handshake_kind_at(i)) != NULL; i++) {
        if (bench_wanted(r->only, kind->id, kind->name) && bench_stop == 0) {
            code = measure_kind(r, kind);
        }
    }
    cl_bench_world_deinit(&r->world);
    return code;
}

static int run(struct run *r)
{
    const struct cl_handshake_kind *kind;
    size_t num = 0;
    for (size_t i = 0; (kind = cl_handshake_kind_at(i)) != NULL; i++) {
        num += bench_wanted(r->only, kind->id, kind->name) ? 1 : 0;
    }
    if (num == 0) {
        return cl_options_complain(&usage, "no handshake has '%s' in its name", r->only);
    }
    json_t *json = NULL;
    bench_catch_interrupt();
    if (r->json && (json = bench_json("handshake")) != NULL) {
        r->results = json_array();
        (void)json_object_set_new(json, "seconds", json_real(r->seconds));
        (void)json_object_set_new(json, "handshakes", r->results);
    } else {
        bench_head(stdout);
        print_heading();
    }
    int code = measure(r);
    return bench_finish(json, r->json, code);
}

int bench_handshake_run(int argc, char **argv)
{
    struct run r = {.seconds = DEFAULT_SECONDS};
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
        case OPT_SECONDS:
            if (!bench_seconds(&o, 0.01, 60, &r.seconds)) {
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
