/* bench/crl/crl.h - a long revocation list, and who reads it. Times are the thread's CPU time while
 * the meter runs. */
#ifndef BENCH_CRL_CRL_H
#define BENCH_CRL_CRL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "bench/meter.h"

struct cleat_cert;

struct bench_crl_world {
    int fd; /* of the list's file, which has no name any more; -1: none */
    size_t len;
    struct cl_rd ca_der; /* whose key has signed it */
    struct cleat_cert *ca;
};

bool bench_crl_world_make(struct bench_crl_world *world, uint32_t num_entries);
void bench_crl_world_drop(struct bench_crl_world *world);

/* bench_crl_serial: the n-th serial number of those that are listed, or of as many that are not. */
#define BENCH_CRL_SERIAL 16
void bench_crl_serial(uint32_t n, bool listed, uint8_t out[BENCH_CRL_SERIAL]);

struct bench_crl_ops {
    const char *name;
    /* From the file to a list in which can be looked up; NULL: it failed. */
    void *(*load)(const struct bench_crl_world *world, struct bench_meter *m);
    void (*drop)(void *list);
    bool (*check)(void *list, const struct bench_crl_world *world, struct bench_meter *m);
    /* num look-ups from number `first` on, all over the list of num_entries; false: one said
     * otherwise than it had to. */
    bool (*find)(void *list, uint32_t num_entries, uint32_t first, uint32_t num, bool listed,
                 struct bench_meter *m);
};

extern const struct bench_crl_ops bench_crl_cleat;
extern const struct bench_crl_ops bench_crl_libcrypto;

/* bench_crl_at: which serial number the i-th look-up asks for. */
static inline uint32_t bench_crl_at(uint32_t i, uint32_t num_entries)
{
    return (uint32_t)(i * 2654435761ull % num_entries);
}

#endif
