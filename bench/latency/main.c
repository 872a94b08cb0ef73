/* bench/latency/main.c - cleat-bench-latency [--quick] [--json FILE]: what a lone handshake waits
 * for a server that collects the jobs of a turn into batches, beside one that runs each at once.
 *
 * One client makes one connection at a time and takes the time from connect() until its handshake
 * is ready. The servers take turns, so that what the machine does meanwhile meets all alike.
 */
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cleat/batch.h"
#include "latency.h"
#include "measure/world.h"
#include "net/clock.h"

/* 2,000: a median of which other load moves little; 100 tell whether it works */
#define NUM_ROUNDS 2000
#define NUM_QUICK  100

static struct row {
    const char *id;
    const char *title;
    bool loop;
    bool single; /* batches run their jobs one by one: nothing is made ahead either */
    double us[NUM_ROUNDS];
} rows[] = {
    {"batches", "event loop, batches (as `cleat serve`)", true, false, {0}},
    {"loop", "event loop, the same without crypto_mb", true, true, {0}},
    {"blocking", "blocking, each job at once, no loop", false, true, {0}},
};

#define NUM_ROWS (sizeof(rows) / sizeof(rows[0]))

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static struct cleat_tls_config *make_config(enum cleat_role role,
                                            const struct cl_bench_world *world)
{
    struct cleat_tls_config *config = NULL;
    struct cleat_tls_builder *b = NULL;
    if (cleat_tls_builder_new(role, &b) != CLEAT_OK) {
        return NULL;
    }
    cleat_tls_builder_clock(b, cl_clock_for_tls, NULL);
    cleat_tls_builder_decide(b, role == CLEAT_CLIENT ? CLEAT_DECIDE_PEER : CLEAT_DECIDE_NOTHING);
    if (cleat_tls_builder_groups(b, "X25519") != CLEAT_OK ||
        (role == CLEAT_SERVER &&
         cleat_tls_builder_credential(b, world->ecdsa.chain, world->ecdsa.key) != CLEAT_OK)) {
        cleat_tls_builder_free(b);
        return NULL;
    }
    return cleat_tls_builder_finish(b, &config, NULL) == CLEAT_OK ? config : NULL;
}

/* Sends close_notify and waits for the server to go, so that the next handshake is alone. */
static void leave(struct cleat_tls *tls, int fd)
{
    uint8_t buf[4096];
    struct cleat_tls_io io = {.out = buf, .out_cap = sizeof(buf)};
    if (cleat_tls_close(tls, &io) == CLEAT_OK) {
        (void)!send(fd, buf, io.out_len, MSG_NOSIGNAL);
    }
    shutdown(fd, SHUT_WR);
    while (recv(fd, buf, sizeof(buf), 0) > 0) {
    }
}

static bool handshake(struct cleat_tls_config *config, uint16_t port, double *us)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct cleat_tls *tls = NULL;
    const struct timeval patience = {.tv_sec = 10}; /* then the server hangs */
    const int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && cleat_tls_client_new(config, CL_WORLD_NAME, NULL, NULL, &tls) == CLEAT_OK;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    double began = now_us();
    ok = ok && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 && latency_step(tls, fd);
    *us = now_us() - began;
    if (ok) {
        leave(tls, fd);
    }
    cleat_tls_free(tls);
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

static bool measure(struct cleat_tls_config *client, const uint16_t *ports, size_t rounds)
{
    double warm;
    for (size_t i = 0; i < rounds; i++) {
        for (size_t k = 0; k < NUM_ROWS; k++) {
            uint16_t port = ports[rows[k].loop ? 0 : 1];
            cleat_batch_single(rows[k].single);
            /* one that does not count: the server before has left other things in the caches */
            if (!handshake(client, port, &warm) || !handshake(client, port, &rows[k].us[i])) {
                fprintf(stderr, "bench: latency: a handshake failed (%s)\n", rows[k].id);
                return false;
            }
        }
    }
    cleat_batch_single(false);
    return true;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static bool report(size_t rounds, const char *path)
{
    json_t *list = json_array();
    printf("A lone full handshake over loopback (X25519, ECDSA P-256), wall clock, %zu of each in "
           "turns:\n\n| server | least us | a quarter below | median us |\n"
           "| --- | ---: | ---: | ---: |\n",
           rounds);
    for (size_t k = 0; k < NUM_ROWS; k++) {
        struct row *row = &rows[k];
        qsort(row->us, rounds, sizeof(row->us[0]), by_size);
        double least = row->us[0], quarter = row->us[rounds / 4], median = row->us[rounds / 2];
        printf("| %s | %.1f | %.1f | %.1f |\n", row->title, least, quarter, median);
        (void)json_array_append_new(list,
                                    json_pack("{s:s, s:f, s:f, s:f}", "id", row->id, "least_us",
                                              least, "quarter_us", quarter, "median_us", median));
    }
    json_t *all = json_pack("{s:i, s:s, s:i, s:o}", "schema", 1, "kernels", cleat_batch_describe(),
                            "rounds", (int)rounds, "rows", list);
    bool ok = path == NULL || json_dump_file(all, path, JSON_INDENT(2)) == 0;
    json_decref(all);
    return ok;
}

int main(int argc, char **argv)
{
    struct cl_bench_world world = {0};
    struct latency_server *servers[2] = {NULL, NULL};
    const char *json = NULL;
    size_t rounds = NUM_ROUNDS;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            rounds = NUM_QUICK;
        } else if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            json = argv[++i];
        } else {
            fprintf(stderr, "usage: cleat-bench-latency [--quick] [--json FILE]\n");
            return 2;
        }
    }
    struct cleat_tls_config *server = NULL, *client = NULL;
    bool ok = cl_bench_world_init(&world, NULL) == CL_OK;
    if (ok) {
        server = make_config(CLEAT_SERVER, &world);
        client = make_config(CLEAT_CLIENT, &world);
    }
    ok = server != NULL && client != NULL;
    uint16_t ports[2] = {0, 0};
    for (int i = 0; i < 2 && ok; i++) {
        servers[i] = latency_server_new(i == 0, server);
        ok = servers[i] != NULL;
        ports[i] = ok ? latency_server_port(servers[i]) : 0;
    }
    ok = ok && measure(client, ports, rounds) && report(rounds, json);
    latency_server_free(servers[0]);
    latency_server_free(servers[1]);
    cleat_tls_config_free(server);
    cleat_tls_config_free(client);
    cl_bench_world_deinit(&world);
    return ok ? 0 : 1;
}
