/* limbo_verify.c - verification through the resumable verifier, with chains of any length: as the
 * TLS engine does it, DER in, jobs run one by one. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/pem.h"
#include "x509/verify.h"

int cleat_limbo_verify(const struct cleat_verify_options *o, const char *pem, size_t len,
                       struct cleat_verdict **out);

/* 256: limbo's longest chains have 101 */
#define MAX_CERTS 256

static cl_result collect(const char *pem, size_t len, struct cl_buf *bytes, size_t *ends,
                         size_t *num)
{
    struct cl_pem walk;
    cl_pem_init(&walk, pem, len, NULL);
    for (;;) {
        struct cl_pem_block block;
        bool found;
        CL_TRY(cl_pem_next(&walk, &block, &found));
        if (!found) {
            return CL_OK;
        }
        if (*num == MAX_CERTS) {
            return CLEAT_ERR_LIMIT;
        }
        CL_TRY(cl_pem_decode(&walk, &block, bytes, CL_PEM_MAX_LEN));
        ends[(*num)++] = bytes->len;
    }
}

static struct cl_verify_params params_of(const struct cleat_verify_options *o)
{
    return (struct cl_verify_params){
        .trust = o->trust,
        .host = o->host,
        .now = o->now,
        .purpose = o->purpose,
        .policy = o->policy,
        .revocation = o->revocation,
        .crls = o->crls,
        .suffixes = o->suffixes,
        .email = o->email,
        .max_intermediates = o->max_intermediates,
        .initial_policies = o->initial_policies,
        .num_initial_policies = o->num_initial_policies,
        .require_explicit_policy = o->require_explicit_policy,
        .inhibit_policy_mapping = o->inhibit_policy_mapping,
        .inhibit_any_policy = o->inhibit_any_policy,
    };
}

int cleat_limbo_verify(const struct cleat_verify_options *o, const char *pem, size_t len,
                       struct cleat_verdict **out)
{
    struct cl_buf bytes = {0};
    size_t ends[MAX_CERTS];
    struct cl_rd ders[MAX_CERTS];
    size_t num = 0;
    struct cl_verify *v = NULL;
    struct cl_verify_params params = params_of(o);
    cl_result r = collect(pem, len, &bytes, ends, &num);
    for (size_t i = 0; i < num; i++) {
        size_t start = i != 0 ? ends[i - 1] : 0;
        ders[i] = cl_rd_of(bytes.p + start, ends[i] - start);
    }
    r = r == CL_OK ? cl_verify_new(&v, &params, ders, num) : r;
    if (r == CL_OK) {
        while (cl_verify_step(v) == CL_VERIFY_NEEDS_JOB) {
            cl_job_run(cl_verify_job(v));
        }
        *out = cl_verify_take_verdict(v);
    }
    cl_verify_free(v);
    cl_buf_deinit(&bytes);
    return (int)r;
}
