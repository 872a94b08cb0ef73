/* bench/pair.h - a contender's connection and its client, joined by two wires. */
#ifndef BENCH_PAIR_H
#define BENCH_PAIR_H

#include <openssl/ssl.h>

#include "bench/scenario.h"

/* {0} is safe to close. */
struct bench_pair {
    const struct bench_ops *ops;
    void *server;
    SSL *client;
    bool client_done;
    bool server_done;
    bool early; /* the client sends early data, which must be accepted */
    struct bench_ends client_ends;
    struct bench_wire to_server;
    struct bench_wire to_client;
};

/* bench_client_ctx_new makes the configuration of the client that every contender meets: as the
 * setup says, X25519, AES-128-GCM, no verification (nobody measures it). */
SSL_CTX *bench_client_ctx_new(const struct bench_setup *setup, const struct cl_bench_world *world);

/* bench_libssl.c: what both ends of libssl are set to. */
bool bench_version(SSL_CTX *ctx, const struct bench_setup *setup);
bool bench_use_identity(SSL_CTX *ctx, const struct cl_identity *id);

/* Where the connections of a handshake come from. */
struct bench_ends_of {
    void *server_ctx;
    SSL_CTX *client_ctx;
    SSL_SESSION *session; /* offered, and must then be accepted; or NULL */
};

/* bench_pairs_connect makes both ends of num pairs (of one contender, at most BENCH_MAX_IN_FLIGHT)
 * and runs their handshakes, all of them a turn at a time, until all are ready and the clients have
 * read the tickets. The meter runs while the servers work. False after a message on stderr; close
 * the pairs in either case. */
bool bench_pairs_connect(struct bench_pair *pairs, size_t num, const struct bench_ends_of *of,
                         struct bench_meter *meter);

/* bench_pair_echo carries a record of len bytes each way and compares; the meter as above. */
bool bench_pair_echo(struct bench_pair *pair, size_t len, struct bench_meter *meter);

/* bench_pair_close frees the server's end, with the meter running, and the client's. */
void bench_pair_close(struct bench_pair *pair, struct bench_meter *meter);
void bench_pair_drop_client(struct bench_pair *pair);

#endif
