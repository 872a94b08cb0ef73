/* bench/crl/cleat.c - the contender cleat: the file is mapped, and indexed by serial number. */
#include <stdlib.h>
#include <sys/mman.h>

#include "bench/crl/crl.h"
#include "cleat/revocation.h"
#include "crypto/job.h"
#include "x509/crl.h"

struct mapping {
    void *p;
    size_t len;
};

static void unmap(void *ctx)
{
    struct mapping *m = ctx;
    (void)munmap(m->p, m->len);
    free(m);
}

static struct cleat_crl_set *map_list(const struct bench_crl_world *world)
{
    struct cleat_crl_set *set = NULL;
    struct mapping *m = malloc(sizeof(*m));
    if (m == NULL) {
        return NULL;
    }
    *m = (struct mapping){mmap(NULL, world->len, PROT_READ, MAP_PRIVATE, world->fd, 0), world->len};
    if (m->p == MAP_FAILED || cleat_crl_set_new(&set) != CLEAT_OK) {
        free(m);
        return NULL;
    }
    if (cleat_crl_set_add_mapped(set, m->p, m->len, unmap, m, NULL) != CLEAT_OK) {
        cleat_crl_set_free(set);
        set = NULL;
    }
    return set;
}

static void *load(const struct bench_crl_world *world, struct bench_meter *m)
{
    bench_meter_start(m);
    struct cleat_crl_set *set = map_list(world);
    bench_meter_stop(m);
    return set;
}

static void drop(void *list)
{
    cleat_crl_set_free(list);
}

static bool check(void *list, const struct bench_crl_world *world, struct bench_meter *m)
{
    const struct cleat_crl_set *set = list;
    const struct cl_crl *crl = set->crls[0];
    const struct cl_pubkey *key = NULL;
    bench_meter_start(m);
    bool ok = cl_cert_pubkey(world->ca, &key) == CL_OK;
    struct cl_job job = {
        .kind = CL_JOB_VERIFY,
        .status = CL_JOB_PENDING,
        .verify = {
            .key = key, .alg = crl->sig_alg, .message = crl->tbs, .signature = crl->signature}};
    if (ok) {
        cl_job_run(&job);
        ok = job.result == CL_OK;
        cl_job_reset(&job);
    }
    bench_meter_stop(m);
    return ok;
}

static bool find(void *list, uint32_t num_entries, uint32_t first, uint32_t num, bool listed,
                 struct bench_meter *m)
{
    const struct cleat_crl_set *set = list;
    const struct cl_crl *crl = set->crls[0];
    uint8_t serial[BENCH_CRL_SERIAL];
    uint32_t reason;
    int64_t when;
    bool ok = true;
    bench_meter_start(m);
    for (uint32_t i = first; i < first + num; i++) {
        bench_crl_serial(bench_crl_at(i, num_entries), listed, serial);
        ok = cl_crl_find(crl, &crl->issuer, cl_rd_of(serial, sizeof(serial)), &reason, &when) ==
                 listed &&
             ok;
    }
    bench_meter_stop(m);
    return ok;
}

const struct bench_crl_ops bench_crl_cleat = {
    .name = "cleat", .load = load, .drop = drop, .check = check, .find = find};
