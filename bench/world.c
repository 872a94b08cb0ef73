/* bench/world.c - how servers are set up, in the world of measure/world.h. */
#include "bench/scenario.h"

#define SERVER(text, ...)                                 \
    {                                                     \
        .name = (text), .role = CLEAT_SERVER, __VA_ARGS__ \
    }
#define CLIENT(text, ...)                                 \
    {                                                     \
        .name = (text), .role = CLEAT_CLIENT, __VA_ARGS__ \
    }

const struct bench_setup bench_setups[BENCH_NUM_SETUPS] = {
    [BENCH_13_ECDSA] = SERVER("TLS 1.3, ECDSA", .rsa = false),
    [BENCH_13_RSA] = SERVER("TLS 1.3, RSA", .rsa = true),
    [BENCH_13_MUTUAL] = SERVER("TLS 1.3, client certificates", .mutual = true),
    [BENCH_13_EARLY] = SERVER("TLS 1.3, early data", .early = true),
    [BENCH_13_LEAN] = SERVER("TLS 1.3, buffers released", .release_buffers = true),
    [BENCH_12_ECDSA] = SERVER("TLS 1.2, ECDSA", .tls12 = true),
    [BENCH_12_RSA] = SERVER("TLS 1.2, RSA", .tls12 = true, .rsa = true),
    [BENCH_13_MLKEM] = SERVER("TLS 1.3, ML-KEM", .group = "X25519MLKEM768"),
    [BENCH_13_CLIENT] = CLIENT("TLS 1.3, client", .rsa = false),
    [BENCH_13_CLIENT_RSA] = CLIENT("TLS 1.3, client, RSA", .rsa = true),
    [BENCH_12_CLIENT] = CLIENT("TLS 1.2, client", .tls12 = true),
};

const struct cl_identity *bench_identity_of(const struct cl_bench_world *world,
                                            const struct bench_setup *setup)
{
    return setup->rsa ? &world->rsa : &world->ecdsa;
}
