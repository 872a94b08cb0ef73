/* bench/crl/main.c - cleat-bench-crl [--quick] [--entries N] [--json FILE]: what a revocation list
 * with a million entries costs, ours beside libcrypto's code, on the same bytes in the same run.
 *
 * The list is made anew: random serial numbers in no order, every third entry with a reason, signed
 * with a P-256 key, in a file that Cleat maps. docs/performance.md says how to read it. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "bench/crl/crl.h"
#include "cleat/version.h"

#define NUM_CONTENDERS 2
/* 1e30 ns: no time yet */
#define NEVER          1e30

static const struct bench_crl_ops *const contenders[NUM_CONTENDERS] = {&bench_crl_cleat,
                                                                       &bench_crl_libcrypto};

enum figure { LOAD, SIGNATURE, FIRST, LISTED, UNLISTED, HEAP, RSS, NUM_FIGURES };

static const struct {
    const char *id;
    const char *title;
    double unit; /* of what is printed, in nanoseconds or bytes */
    const char *format;
} figures[NUM_FIGURES] = {
    [LOAD] = {"load", "load and index, ms", 1e6, "%.1f"},
    [SIGNATURE] = {"signature", "check the signature, ms", 1e6, "%.1f"},
    [FIRST] = {"first", "first look-up, ms", 1e6, "%.3f"},
    [LISTED] = {"listed", "look up one that is listed, us", 1e3, "%.2f"},
    [UNLISTED] = {"unlisted", "look up one that is not, us", 1e3, "%.2f"},
    [HEAP] = {"heap", "heap, MiB", 1048576, "%.1f"},
    [RSS] = {"rss", "memory of its own (RssAnon), MiB", 1048576, "%.1f"},
};

struct plan {
    unsigned num_passes;
    uint32_t num_entries;
    uint32_t num_lookups;
    const char *json;
};

/* Resident pages that are no file's, in bytes. */
static double resident(void)
{
    char line[200];
    double kib = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "RssAnon:", 8) == 0) {
            kib = strtod(line + 8, NULL);
        }
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return kib * 1024;
}

static void keep_least(double *best, const struct bench_meter *m, double num)
{
    const double ns = (double)m->cpu.ns / num;
    *best = ns < *best ? ns : *best;
}

static bool look_up(const struct bench_crl_ops *ops, void *list, const struct plan *plan,
                    double best[NUM_FIGURES])
{
    struct bench_meter first = {0};
    struct bench_meter listed = {0};
    struct bench_meter unlisted = {0};
    /* each kind of look-up in an order of its own, all over the list */
    const bool ok = ops->find(list, plan->num_entries, 0, 1, true, &first) &&
                    ops->find(list, plan->num_entries, 1, plan->num_lookups, true, &listed) &&
                    ops->find(list, plan->num_entries, 1, plan->num_lookups, false, &unlisted);
    keep_least(&best[FIRST], &first, 1);
    keep_least(&best[LISTED], &listed, plan->num_lookups);
    keep_least(&best[UNLISTED], &unlisted, plan->num_lookups);
    return ok;
}

static bool run_one(const struct bench_crl_ops *ops, const struct bench_crl_world *world,
                    const struct plan *plan, double best[NUM_FIGURES])
{
    struct bench_meter load = {0};
    struct bench_meter check = {0};
    const double before = resident();
    void *list = ops->load(world, &load);
    if (list == NULL) {
        return false;
    }
    bool ok = look_up(ops, list, plan, best);
    keep_least(&best[LOAD], &load, 1);
    best[HEAP] = (double)load.bytes;
    /* the first pass tells: later ones get what malloc has kept of those before */
    const double own = resident() - before;
    best[RSS] = best[RSS] == NEVER || own > best[RSS] ? own : best[RSS];
    ok = ops->check(list, world, &check) && ok;
    keep_least(&best[SIGNATURE], &check, 1);
    ops->drop(list);
    return ok;
}

static void print_table(const struct plan *plan, const struct bench_crl_world *world,
                        double best[NUM_CONTENDERS][NUM_FIGURES])
{
    printf("\nA revocation list with %u entries (%.1f MiB), CPU of one thread; best of %u passes. "
           "cleat %s, %s.\n\n",
           plan->num_entries, (double)world->len / 1048576, plan->num_passes, cleat_version(),
           OpenSSL_version(OPENSSL_VERSION));
    printf("| %-34s | %10s | %10s | %12s |\n", "what", "cleat", "libcrypto", "libcrypto x");
    printf("| ---------------------------------- | ---------: | ---------: | -----------: |\n");
    for (size_t i = 0; i < NUM_FIGURES; i++) {
        printf("| %-34s |", figures[i].title);
        for (size_t c = 0; c < NUM_CONTENDERS; c++) {
            char text[32];
            (void)snprintf(text, sizeof(text), figures[i].format, best[c][i] / figures[i].unit);
            printf(" %10s |", text);
        }
        if (best[0][i] > 0) {
            printf(" %10.1f x |\n", best[1][i] / best[0][i]);
        } else {
            printf(" %12s |\n", "-");
        }
    }
}

static bool write_json(const struct plan *plan, const struct bench_crl_world *world,
                       double best[NUM_CONTENDERS][NUM_FIGURES])
{
    json_t *all = json_pack("{s:i, s:i, s:I, s:i}", "schema", 1, "entries", (int)plan->num_entries,
                            "bytes", (json_int_t)world->len, "passes", (int)plan->num_passes);
    for (size_t c = 0; c < NUM_CONTENDERS; c++) {
        json_t *one = json_object();
        for (size_t i = 0; i < NUM_FIGURES; i++) {
            char key[40];
            (void)snprintf(key, sizeof(key), "%s_%s", figures[i].id, i < HEAP ? "ns" : "bytes");
            (void)json_object_set_new(one, key, json_real(best[c][i]));
        }
        (void)json_object_set_new(all, contenders[c]->name, one);
    }
    const bool ok = all != NULL && json_dump_file(all, plan->json, JSON_INDENT(2)) == 0;
    json_decref(all);
    return ok;
}

/* 10 to 4,000,000: at 40 bytes an entry, within what a list may have */
static bool read_number(const char *text, uint32_t *out)
{
    char *end;
    errno = 0;
    const unsigned long n = strtoul(text, &end, 10);
    *out = (uint32_t)n;
    return errno == 0 && *end == '\0' && n >= 10 && n <= 4000000;
}

static bool read_plan(int argc, char **argv, struct plan *plan)
{
    *plan = (struct plan){.num_passes = 5, .num_entries = 1000000, .num_lookups = 200000};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            *plan = (struct plan){
                .num_passes = 1, .num_entries = 20000, .num_lookups = 5000, .json = plan->json};
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            plan->json = argv[++i];
        } else if (strcmp(argv[i], "--entries") != 0 || i + 1 == argc ||
                   !read_number(argv[++i], &plan->num_entries)) {
            return false;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct plan plan;
    struct bench_crl_world world;
    double best[NUM_CONTENDERS][NUM_FIGURES];
    if (!read_plan(argc, argv, &plan)) {
        fprintf(stderr, "usage: cleat-bench-crl [--quick] [--entries N] [--json FILE]\n");
        return 2;
    }
    for (size_t c = 0; c < NUM_CONTENDERS; c++) {
        for (size_t i = 0; i < NUM_FIGURES; i++) {
            best[c][i] = NEVER;
        }
    }
    bool ok = bench_crl_world_make(&world, plan.num_entries);
    for (unsigned pass = 0; pass < plan.num_passes && ok; pass++) {
        for (size_t c = 0; c < NUM_CONTENDERS && ok; c++) {
            ok = run_one(contenders[c], &world, &plan, best[c]);
            if (!ok) {
                fprintf(stderr, "bench: %s does not complete\n", contenders[c]->name);
            }
        }
    }
    if (ok) {
        print_table(&plan, &world, best);
    }
    if (ok && plan.json != NULL && !write_json(&plan, &world, best)) {
        fprintf(stderr, "bench: cannot write %s\n", plan.json);
        ok = false;
    }
    bench_crl_world_drop(&world);
    return ok ? 0 : 1;
}
