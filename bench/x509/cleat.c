/* bench/x509/cleat.c - the contender cleat. */
#include "bench/x509/x509.h"
#include "crypto/job.h"
#include "x509/fields.h"
#include "x509/verify.h"

static bool parse(struct cl_rd der, unsigned num, struct bench_meter *m)
{
    bool ok = true;
    bench_meter_start(m);
    for (unsigned i = 0; i < num; i++) {
        struct cleat_cert *cert = NULL;
        ok = cl_cert_parse(&cert, der, NULL) == CL_OK && ok;
        cleat_cert_free(cert);
    }
    bench_meter_stop(m);
    return ok;
}

static bool load(const char *pem, size_t len, unsigned num, size_t *num_roots,
                 struct bench_meter *m)
{
    for (unsigned i = 0; i < num; i++) {
        struct cleat_trust_store *store = NULL;
        bench_meter_start(m);
        if (cleat_trust_store_from_pem(pem, len, &store, NULL) != CLEAT_OK) {
            return false;
        }
        bench_meter_stop(m);
        *num_roots = cleat_trust_store_num(store);
        cleat_trust_store_free(store);
    }
    return true;
}

static void *trust_new(struct cl_rd root)
{
    struct cleat_trust_builder *b = NULL;
    struct cleat_trust_store *store = NULL;
    struct cleat_cert *cert = NULL;
    if (cleat_trust_builder_new(&b) == CLEAT_OK && cl_cert_parse(&cert, root, NULL) == CL_OK &&
        cleat_trust_builder_add_cert(b, cert) == CLEAT_OK) {
        (void)cleat_trust_builder_finish(b, &store, NULL);
    }
    cleat_cert_free(cert);
    cleat_trust_builder_free(b);
    return store;
}

static void trust_free(void *anchors)
{
    cleat_trust_store_free(anchors);
}

/* jobs_free: the meter rests while a job runs. */
static bool verify_once(void *anchors, const struct bench_x509_chain *chain, int64_t now,
                        bool jobs_free, struct bench_meter *m)
{
    const struct cl_rd ders[] = {chain->leaf, chain->intermediate};
    struct cl_verify_params params = {
        .trust = anchors, .host = BENCH_X509_HOST, .now = now, .purpose = CLEAT_PURPOSE_SERVER};
    struct cl_verify *v = NULL;
    if (cl_verify_new(&v, &params, ders, 2) != CL_OK) {
        return false;
    }
    while (cl_verify_step(v) == CL_VERIFY_NEEDS_JOB) {
        if (jobs_free) {
            bench_meter_stop(m);
        }
        cl_job_run(cl_verify_job(v));
        if (jobs_free) {
            bench_meter_start(m);
        }
    }
    struct cleat_verdict *verdict = cl_verify_take_verdict(v);
    bool ok = cleat_verdict_code(verdict) == CLEAT_OK;
    cleat_verdict_free(verdict);
    cl_verify_free(v);
    return ok;
}

static bool verify_all(void *anchors, const struct bench_x509_chain *chain, int64_t now,
                       unsigned num, bool jobs_free, struct bench_meter *m)
{
    bool ok = true;
    bench_meter_start(m);
    for (unsigned i = 0; i < num; i++) {
        ok = verify_once(anchors, chain, now, jobs_free, m) && ok;
    }
    bench_meter_stop(m);
    return ok;
}

static bool verify(void *anchors, const struct bench_x509_chain *chain, int64_t now, unsigned num,
                   struct bench_meter *m)
{
    return verify_all(anchors, chain, now, num, false, m);
}

static bool rest(void *anchors, const struct bench_x509_chain *chain, int64_t now, unsigned num,
                 struct bench_meter *m)
{
    return verify_all(anchors, chain, now, num, true, m);
}

const struct bench_x509_ops bench_x509_cleat = {
    .name = "cleat",
    .parse = parse,
    .load = load,
    .trust_new = trust_new,
    .trust_free = trust_free,
    .verify = verify,
    .rest = rest,
};
