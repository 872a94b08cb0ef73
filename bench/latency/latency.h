/* bench/latency/latency.h - servers that a lone handshake is timed against, each in a thread of its
 * own on an ephemeral port of 127.0.0.1. */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "cleat/tls.h"

struct latency_server;

/* latency_server_new starts one; NULL when it cannot. loop: with app/conn's event loop and batches,
 * as `cleat serve` has them; else one connection after another with blocking calls, each job run
 * where it comes up. config must outlive it. */
struct latency_server *latency_server_new(bool loop, struct cleat_tls_config *config);

uint16_t latency_server_port(const struct latency_server *s);

/* latency_server_free stops it and waits for its thread. NULL is fine. */
void latency_server_free(struct latency_server *s);

/* latency_step steps a connection on a blocking socket until it is ready (true) or fails; jobs run
 * at once. */
bool latency_step(struct cleat_tls *tls, int fd);

#endif
