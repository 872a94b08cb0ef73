/* bench/world.c - how servers are set up, in the world of measure/world.h. */
#include "bench/scenario.h"

const struct bench_setup bench_setups[BENCH_NUM_SETUPS] = {
    [BENCH_13_ECDSA] = {.name = "TLS 1.3, ECDSA"},
    [BENCH_13_RSA] = {.name = "TLS 1.3, RSA", .rsa = true},
    [BENCH_13_MUTUAL] = {.name = "TLS 1.3, client certificates", .mutual = true},
    [BENCH_13_EARLY] = {.name = "TLS 1.3, early data", .early = true},
    [BENCH_13_LEAN] = {.name = "TLS 1.3, buffers released", .release_buffers = true},
    [BENCH_12_ECDSA] = {.name = "TLS 1.2, ECDSA", .tls12 = true},
    [BENCH_12_RSA] = {.name = "TLS 1.2, RSA", .tls12 = true, .rsa = true},
};

const struct cl_identity *bench_identity_of(const struct cl_bench_world *world,
                                            const struct bench_setup *setup)
{
    return setup->rsa ? &world->rsa : &world->ecdsa;
}
