/* bench/x509/main.c - cleat-bench-x509 [--quick] [--only ID] [--json FILE]: what parsing, loading
 * and verifying certificates costs. docs/performance.md says how to read it. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "bench/x509/x509.h"
#include "cleat/version.h"

#define NUM_CONTENDERS 3
/* 1e30 ns: no time yet */
#define NEVER          1e30

static const struct bench_x509_ops *const contenders[NUM_CONTENDERS] = {
    &bench_x509_cleat, &bench_x509_libcrypto, &bench_x509_gnutls};

enum kind { PARSE, LOAD, VERIFY, REST };

static struct row {
    enum kind kind;
    const char *id;
    const char *title;
    bool rsa;
    double best[NUM_CONTENDERS]; /* ns for one */
    double allocs[NUM_CONTENDERS];
    size_t num_roots;
} rows[] = {
    {PARSE, "parse", "parse one certificate", false, {0}, {0}, 0},
    {LOAD, "load-store", "load the system's roots", false, {0}, {0}, 0},
    {VERIFY, "verify-ecdsa", "verify leaf + intermediate, P-256", false, {0}, {0}, 0},
    {REST, "verify-ecdsa-rest", "  without its two signature checks", false, {0}, {0}, 0},
    {VERIFY, "verify-rsa", "verify leaf + intermediate, RSA-2048", true, {0}, {0}, 0},
    {REST, "verify-rsa-rest", "  without its two signature checks", true, {0}, {0}, 0},
};
#define NUM_ROWS (sizeof(rows) / sizeof(rows[0]))

struct plan {
    unsigned num_passes;
    unsigned num_each; /* of the small things; stores are loaded once a pass */
    const char *only;
    const char *json;
};

static bool wanted(const struct plan *plan, const struct row *row)
{
    return plan->only == NULL || strstr(row->id, plan->only) != NULL;
}

static bool run_one(const struct bench_x509_ops *ops, const struct bench_x509_world *world,
                    const struct plan *plan, struct row *row, void *anchors, size_t which)
{
    const struct bench_x509_chain *chain = row->rsa ? &world->rsa : &world->ecdsa;
    struct bench_meter m = {0};
    unsigned num = row->kind == LOAD ? 1 : plan->num_each;
    size_t num_roots = 0;
    bool ok = false;
    switch (row->kind) {
    case PARSE:
        ok = ops->parse(chain->leaf, num, &m);
        break;
    case LOAD:
        ok = ops->load(world->bundle, world->bundle_len, num, &num_roots, &m);
        row->num_roots = num_roots;
        break;
    case VERIFY:
        ok = ops->verify(anchors, chain, world->now, num, &m);
        break;
    case REST:
        ok = ops->rest(anchors, chain, world->now, num, &m);
        break;
    }
    double ns = (double)m.cpu.ns / num;
    row->allocs[which] = (double)m.num_allocs / num;
    row->best[which] = ns < row->best[which] ? ns : row->best[which];
    return ok;
}

static bool can(const struct bench_x509_ops *ops, const struct bench_x509_world *world,
                const struct row *row)
{
    return ops->parse != NULL && (row->kind != REST || ops->rest != NULL) &&
           (row->kind != LOAD || world->bundle != NULL);
}

static bool run(const struct bench_x509_world *world, const struct plan *plan)
{
    void *anchors[NUM_CONTENDERS][2] = {{0}};
    bool ok = true;
    for (size_t c = 0; c < NUM_CONTENDERS; c++) {
        bool there = contenders[c]->trust_new != NULL;
        anchors[c][0] = there ? contenders[c]->trust_new(world->ecdsa.root) : NULL;
        anchors[c][1] = there ? contenders[c]->trust_new(world->rsa.root) : NULL;
    }
    for (unsigned pass = 0; pass < plan->num_passes && ok; pass++) {
        for (size_t i = 0; i < NUM_ROWS && ok; i++) {
            for (size_t c = 0; c < NUM_CONTENDERS && ok && wanted(plan, &rows[i]); c++) {
                ok = !can(contenders[c], world, &rows[i]) ||
                     run_one(contenders[c], world, plan, &rows[i], anchors[c][rows[i].rsa], c);
                if (!ok) {
                    fprintf(stderr, "bench: %s: %s does not complete\n", contenders[c]->name,
                            rows[i].id);
                }
            }
        }
    }
    for (size_t c = 0; c < NUM_CONTENDERS; c++) {
        for (size_t k = 0; k < 2 && contenders[c]->trust_free != NULL; k++) {
            contenders[c]->trust_free(anchors[c][k]);
        }
    }
    return ok;
}

static void number(double value, double unit, const char *format)
{
    char text[32] = "-";
    if (value < NEVER) {
        (void)snprintf(text, sizeof(text), format, value / unit);
    }
    printf(" %12s |", text);
}

static void print_table(const struct plan *plan)
{
    bool gnutls = bench_x509_gnutls.version != NULL;
    printf("\nCertificates, CPU of one thread; best of %u passes. cleat %s, %s, GnuTLS %s.\n\n",
           plan->num_passes, cleat_version(), OpenSSL_version(OPENSSL_VERSION),
           gnutls ? bench_x509_gnutls.version() : "(absent)");
    printf("| %-37s |", "what");
    static const char *const headings[] = {"cleat us",     "libcrypto us", "GnuTLS us",
                                           "libcrypto x",  "GnuTLS x",     "cleat allocs",
                                           "libc. allocs", "GnuTLS allocs"};
    static const char rule[] = "--------------------------------------";
    for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++) {
        printf(" %12s |", headings[i]);
    }
    printf("\n| %.37s |", rule);
    for (size_t i = 0; i < sizeof(headings) / sizeof(headings[0]); i++) {
        printf(" %.11s: |", rule);
    }
    putchar('\n');
    for (size_t i = 0; i < NUM_ROWS; i++) {
        const struct row *row = &rows[i];
        if (!wanted(plan, row)) {
            continue;
        }
        printf("| %-37s |", row->title);
        for (size_t c = 0; c < NUM_CONTENDERS; c++) {
            number(row->best[c], 1e3, "%.2f");
        }
        for (size_t c = 1; c < NUM_CONTENDERS; c++) {
            number(row->best[c] < NEVER ? row->best[c] / row->best[0] : NEVER, 1, "%.1f x");
        }
        for (size_t c = 0; c < NUM_CONTENDERS; c++) {
            number(row->best[c] < NEVER && bench_heap_counted() ? row->allocs[c] : NEVER, 1,
                   "%.0f");
        }
        putchar('\n');
    }
}

static bool write_json(const struct plan *plan)
{
    json_t *list = json_array();
    for (size_t i = 0; i < NUM_ROWS; i++) {
        json_t *o = json_pack("{s:s}", "id", rows[i].id);
        for (size_t c = 0; c < NUM_CONTENDERS; c++) {
            if (rows[i].best[c] < NEVER) {
                (void)json_object_set_new(o, contenders[c]->name,
                                          json_pack("{s:f, s:f}", "ns", rows[i].best[c],
                                                    "allocations", rows[i].allocs[c]));
            }
        }
        (void)json_array_append_new(list, o);
    }
    json_t *all =
        json_pack("{s:i, s:i, s:o}", "schema", 1, "passes", (int)plan->num_passes, "rows", list);
    bool ok = all != NULL && json_dump_file(all, plan->json, JSON_INDENT(2)) == 0;
    json_decref(all);
    return ok;
}

int main(int argc, char **argv)
{
    struct plan plan = {.num_passes = 40, .num_each = 50};
    struct bench_x509_world world;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            plan.num_passes = 3;
            plan.num_each = 10;
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            plan.only = argv[++i];
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            plan.json = argv[++i];
        } else {
            fprintf(stderr, "usage: cleat-bench-x509 [--quick] [--only ID] [--json FILE]\n");
            return 2;
        }
    }
    for (size_t i = 0; i < NUM_ROWS; i++) {
        for (size_t c = 0; c < NUM_CONTENDERS; c++) {
            rows[i].best[c] = NEVER;
        }
    }
    bool ok = bench_x509_world_make(&world) && run(&world, &plan);
    bench_x509_world_drop(&world);
    if (ok) {
        print_table(&plan);
    }
    if (ok && plan.json != NULL && !write_json(&plan)) {
        fprintf(stderr, "bench: cannot write %s\n", plan.json);
        ok = false;
    }
    return ok ? 0 : 1;
}
