/* cli/bench_crypto.c - `cleat bench crypto`: what this machine computes, primitive by primitive. */
#include "base/mem.h"
#include "cli/bench.h"
#include "cli/cli.h"
#include "measure/primitives.h"

enum {
    OPT_HELP = 1,
    OPT_JSON,
    OPT_LIST,
    OPT_ONLY,
    OPT_SECONDS,
};

/* 0.05 s: the whole table takes about 10 s, and figures differ by a few per cent from run to run */
#define DEFAULT_SECONDS 0.05

static const struct cl_option options[] = {
    {OPT_ONLY, 0, "only", "PATTERN", "measure only what has PATTERN in its name, as \"x25519\""},
    {OPT_SECONDS, 0, "seconds", "S", "CPU time for each figure (default: 0.05; 0.001 to 60)"},
    {OPT_LIST, 0, "list", NULL, "print the names, and measure nothing"},
    {OPT_JSON, 0, "json", NULL, "as JSON"},
    {OPT_HELP, 'h', "help", NULL, "print this text"},
};

static const struct cl_usage usage = {
    .command = "bench crypto",
    .synopsis = "[OPTION]...",
    .about =
        "Measures the primitives of TLS as the library uses them, in CPU time of one thread, the\n"
        "best of five passes: key exchange and signatures alone and in batches of 1, 8 and 64\n"
        "jobs, ciphers and hashes for records of 16 KiB, 1,400 and 100 bytes.",
    .options = options,
    .num_options = sizeof(options) / sizeof(options[0]),
    .examples = "  cleat bench crypto\n"
                "  cleat bench crypto --only ecdsa --seconds 1\n"
                "  cleat bench crypto --json | jq '.primitives[] | [.name, .us.alone]'",
};

struct run {
    bool json, list;
    const char *only;
    double seconds;
    json_t *results;                /* with json */
    enum cl_primitive_family shown; /* whose heading was printed last */
    bool any_shown;
};

static const char *const way_names[CL_WAY_COUNT] = {"alone", "batch_1", "batch_8", "batch_64"};

/* ---- for people ---- */

static void print_heading(struct run *r, enum cl_primitive_family family)
{
    if (r->any_shown && r->shown == family) {
        return;
    }
    r->any_shown = true;
    r->shown = family;
    static const struct {
        const char *title;
        bool jobs;
    } titles[] = {
        [CL_FAMILY_KEX] = {"key exchange", true},
        [CL_FAMILY_KEM] = {"ML-KEM, by who computes it", false},
        [CL_FAMILY_SIGNATURE] = {"signatures", true},
        [CL_FAMILY_AEAD] = {"records", false},
        [CL_FAMILY_HASH] = {"hashes, key derivation", false},
    };
    if (titles[family].jobs) {
        printf("\n%-38s %38s %12s\n", "", "us for each, jobs in a batch:", "at best");
        printf("%-38s %8s %9s %9s %9s %12s\n", titles[family].title, "alone", "1", "8", "64",
               "per second");
    } else {
        printf("\n%-32s %8s %9s %10s %12s\n", titles[family].title, "bytes", "us", "GB/s",
               "per second");
    }
}

static void print_jobs(const struct cl_primitive *p, const double us[CL_WAY_COUNT])
{
    char number[BENCH_GROUPED_SIZE];
    double best = 0;
    printf("%-38s", p->name);
    for (size_t way = 0; way < CL_WAY_COUNT; way++) {
        if (us[way] > 0) {
            printf(" %*.2f", way == 0 ? 8 : 9, us[way]);
            best = best == 0 || us[way] < best ? us[way] : best;
        } else {
            printf(" %*s", way == 0 ? 8 : 9, "-");
        }
    }
    printf(" %12s\n", best > 0 ? bench_grouped(1e6 / best, number) : "-");
}

static void print_bulk(const struct cl_primitive *p, double us)
{
    char bytes[BENCH_GROUPED_SIZE], number[BENCH_GROUPED_SIZE], rate[BENCH_GROUPED_SIZE];
    if (us == 0) {
        printf("%-32s interrupted\n", p->name);
        return;
    }
    (void)snprintf(rate, sizeof(rate), "%.2f", (double)p->bytes / us / 1000);
    printf("%-32s %8s %9.3f %10s %12s\n", p->name,
           p->bytes != 0 ? bench_grouped((double)p->bytes, bytes) : "", us,
           p->bytes != 0 ? rate : "", bench_grouped(1e6 / us, number));
}

/* ---- for programs ---- */

static json_t *to_json(const struct cl_primitive *p, const double us[CL_WAY_COUNT])
{
    static const char *const families[] = {
        [CL_FAMILY_KEX] = "key exchange",    [CL_FAMILY_KEM] = "ML-KEM",
        [CL_FAMILY_SIGNATURE] = "signature", [CL_FAMILY_AEAD] = "record",
        [CL_FAMILY_HASH] = "hash",
    };
    json_t *times = json_object(), *rates = json_object();
    for (size_t way = 0; way < CL_WAY_COUNT; way++) {
        if (us[way] > 0) {
            (void)json_object_set_new(times, way_names[way], json_real(us[way]));
            (void)json_object_set_new(rates, way_names[way], json_real(1e6 / us[way]));
        }
    }
    json_t *row = json_pack("{s:s, s:s, s:s, s:o, s:o}", "id", p->id, "name", p->name, "family",
                            families[p->family], "us", times, "per_second", rates);
    if (row != NULL && p->bytes != 0) {
        (void)json_object_set_new(row, "bytes", json_integer((json_int_t)p->bytes));
        if (us[CL_WAY_ALONE] > 0) {
            (void)json_object_set_new(row, "bytes_per_second",
                                      json_real((double)p->bytes / us[CL_WAY_ALONE] * 1e6));
        }
    }
    return row;
}

/* ---- measuring ---- */

static bool show(struct run *r, const struct cl_primitive *p, const double us[CL_WAY_COUNT])
{
    if (r->json) {
        return json_array_append_new(r->results, to_json(p, us)) == 0;
    }
    print_heading(r, p->family);
    if (p->jobs) {
        print_jobs(p, us);
    } else {
        print_bulk(p, us[CL_WAY_ALONE]);
    }
    (void)fflush(stdout); /* each as soon as it is known, in a pipe too */
    return true;
}

static int measure(struct run *r, const struct cl_primitive *rows, size_t num)
{
    struct cl_bench_kit *kit = NULL;
    const struct cl_measure_plan plan = {.seconds = r->seconds, .stop = &bench_stop};
    cl_result result = cl_bench_kit_new(&kit);
    bool shown = true;
    for (size_t i = 0; result == CL_OK && shown && i < num && bench_stop == 0; i++) {
        double us[CL_WAY_COUNT];
        result = cl_primitive_measure(kit, &rows[i], &plan, us);
        if (result == CL_OK && us[CL_WAY_ALONE] > 0) {
            shown = show(r, &rows[i], us);
        } else if (result != CL_OK) {
            (void)fprintf(stderr, "cleat bench crypto: %s: %s\n", rows[i].name,
                          cleat_error_sentence((int)result));
        }
    }
    cl_bench_kit_free(kit);
    return result == CL_OK && shown ? CL_EXIT_OK : CL_EXIT_FAILURE;
}

/* What --only leaves: the id or the name has it, letters of either case being the same. */
static size_t choose(struct cl_primitive *rows, const char *only)
{
    size_t num = cl_primitives_list(rows, CL_PRIMITIVES_MAX), kept = 0;
    for (size_t i = 0; i < num; i++) {
        if (bench_wanted(only, rows[i].id, rows[i].name)) {
            rows[kept++] = rows[i];
        }
    }
    return kept;
}

static int run(struct run *r)
{
    struct cl_primitive *rows = cl_calloc(CL_PRIMITIVES_MAX, sizeof(*rows));
    if (rows == NULL) {
        return CL_EXIT_FAILURE;
    }
    size_t num = choose(rows, r->only);
    int code = CL_EXIT_OK;
    json_t *json = NULL;
    if (num == 0) {
        code = cl_options_complain(&usage, "nothing has '%s' in its name; --list prints the names",
                                   r->only);
    } else if (r->list) {
        for (size_t i = 0; i < num; i++) {
            printf("%-34s %s\n", rows[i].id, rows[i].name);
        }
    } else {
        bench_catch_interrupt();
        if (r->json && (json = bench_json("crypto")) != NULL) {
            r->results = json_array();
            (void)json_object_set_new(json, "seconds", json_real(r->seconds));
            (void)json_object_set_new(json, "primitives", r->results);
        } else {
            bench_head(stdout);
        }
        code = bench_finish(json, r->json, measure(r, rows, num));
    }
    cl_free(rows);
    return code;
}

int bench_crypto_run(int argc, char **argv)
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
        case OPT_LIST:
            r.list = true;
            break;
        case OPT_ONLY:
            r.only = o.value;
            break;
        case OPT_SECONDS:
            if (!bench_seconds(&o, 0.001, 60, &r.seconds)) {
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
