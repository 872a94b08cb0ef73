/* bench/main.c - cleat-bench [--quick] [--only ID] [--json FILE]: what our server and client
 * cost, side by side with those of other libraries in the same run. docs/performance.md says how to
 * read it. */
#include <stdio.h>
#include <string.h>

#include "bench/scenario.h"

/* A row: so many handshakes at a time. */
#define HANDSHAKES(name, text, with, again, num)                                                 \
    {                                                                                            \
        BENCH_HANDSHAKE, (name), (text), .setup = (with), .resumed = (again), .in_flight = (num) \
    }
#define ROWS(name, text, with, again)                                                     \
    HANDSHAKES(name, text, with, again, 1), HANDSHAKES(name "-x8", text, with, again, 8), \
        HANDSHAKES(name "-x64", text, with, again, 64)

static struct bench_row rows[] = {
    ROWS("full-ecdsa-p256", "full, ECDSA P-256", BENCH_13_ECDSA, false),
    ROWS("full-rsa-2048", "full, RSA-2048", BENCH_13_RSA, false),
    ROWS("mutual-ecdsa-p256", "mutual, ECDSA P-256", BENCH_13_MUTUAL, false),
    ROWS("resumed", "resumed (psk_dhe_ke)", BENCH_13_ECDSA, true),
    ROWS("full-mlkem", "full, X25519MLKEM768", BENCH_13_MLKEM, false),
    HANDSHAKES("early-data", "resumed, early data", BENCH_13_EARLY, true, 1),
    ROWS("tls12-ecdsa-p256", "full, ECDSA P-256", BENCH_12_ECDSA, false),
    ROWS("tls12-rsa-2048", "full, RSA-2048", BENCH_12_RSA, false),
    ROWS("tls12-resumed", "resumed (ticket)", BENCH_12_ECDSA, true),
    ROWS("client-ecdsa-p256", "TLS 1.3 full, ECDSA P-256", BENCH_13_CLIENT, false),
    ROWS("client-rsa-2048", "TLS 1.3 full, RSA-2048", BENCH_13_CLIENT_RSA, false),
    ROWS("client-resumed", "TLS 1.3 resumed", BENCH_13_CLIENT, true),
    ROWS("client-tls12-ecdsa-p256", "TLS 1.2 full, ECDSA P-256", BENCH_12_CLIENT, false),
    ROWS("client-tls12-resumed", "TLS 1.2 resumed", BENCH_12_CLIENT, true),
    {BENCH_SEAL, "seal-16384", "seal 16,384 bytes", .len = 16384},
    {BENCH_OPEN, "open-16384", "open 16,384 bytes", .len = 16384},
    {BENCH_SEAL, "seal-1400", "seal 1,400 bytes", .len = 1400},
    {BENCH_OPEN, "open-1400", "open 1,400 bytes", .len = 1400},
    {BENCH_SEAL, "seal-100", "seal 100 bytes", .len = 100},
    {BENCH_OPEN, "open-100", "open 100 bytes", .len = 100},
    {BENCH_IDLE, "idle", "libssl by default", .setup = BENCH_13_ECDSA},
    {BENCH_IDLE, "idle-released", "libssl with SSL_MODE_RELEASE_BUFFERS", .setup = BENCH_13_LEAN},
};

#define NUM_ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct bench_plan full_plan = {
    .num_passes = 15,
    .num_handshakes = 40,
    .num_connections = 200,
    .record_bytes = 1 << 23,
};

static const struct bench_plan quick_plan = {
    .num_passes = 2,
    .num_handshakes = 20,
    .num_connections = 20,
    .record_bytes = 1 << 19,
};

struct options {
    bool quick;
    const char *only;
    const char *json;
};

static bool parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            o->quick = true;
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            o->only = argv[++i];
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            o->json = argv[++i];
        } else {
            return false;
        }
    }
    return true;
}

static bool anything_wanted(const struct bench_plan *plan)
{
    for (size_t i = 0; i < NUM_ROWS; i++) {
        if (bench_wanted(plan, &rows[i])) {
            return true;
        }
    }
    return false;
}

static void usage(void)
{
    fprintf(stderr, "usage: cleat-bench [--quick] [--only ID] [--json FILE]\n"
                    "  --quick      about a second; the figures are rough\n"
                    "  --only ID    rows whose id contains ID:");
    for (size_t i = 0; i < NUM_ROWS; i++) {
        fprintf(stderr, " %s", rows[i].id);
    }
    fprintf(stderr, "\n  --json FILE  write the results to FILE too\n");
}

int main(int argc, char **argv)
{
    struct options o = {0};
    struct cl_bench_world world;
    if (!parse(argc, argv, &o)) {
        usage();
        return 2;
    }
    struct bench_plan plan = o.quick ? quick_plan : full_plan;
    plan.only = o.only;
    if (!anything_wanted(&plan)) {
        usage();
        return 2;
    }
    struct cleat_error err = {0};
    bool ok = cl_bench_world_init(&world, &err) == CL_OK;
    if (!ok) {
        fprintf(stderr, "bench: certificates: %s\n", err.text);
    }
    ok = ok && bench_run(rows, NUM_ROWS, &plan, &world);
    cl_bench_world_deinit(&world);
    if (!ok) {
        return 1;
    }
    bench_print_table(rows, NUM_ROWS, &plan);
    if (o.json != NULL && !bench_write_json(o.json, rows, NUM_ROWS, &plan)) {
        fprintf(stderr, "bench: cannot write %s\n", o.json);
        return 1;
    }
    return 0;
}
