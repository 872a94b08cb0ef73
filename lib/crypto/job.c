/* crypto/job.c - see job.h. A row for each kind; the operations are in kex.c, sign.c, verify.c and
 * premaster.c.
 */
#include "crypto/job.h"

#include "base/mem.h"
#include "crypto/kex_impl.h"
#include "crypto/key_impl.h"

static cl_result run_keygen(struct cl_job *job)
{
    struct cl_job_kex *kex = &job->kex;
    CL_TRY(cl_kex_keygen(kex->group, kex->rng, &kex->key, kex->share));
    kex->share_len = kex->group->client_share_len;
    return CL_OK;
}

static cl_result run_encap(struct cl_job *job)
{
    struct cl_job_kex *kex = &job->kex;
    if (cl_job_kex_secret(kex) == NULL) {
        return CLEAT_ERR_USAGE;
    }
    CL_TRY(cl_kex_encap(kex->group, kex->rng, kex->peer_share, kex->share, cl_job_kex_secret(kex)));
    kex->share_len = kex->group->server_share_len;
    kex->secret_len = kex->group->secret_len;
    return CL_OK;
}

static cl_result run_decap(struct cl_job *job)
{
    struct cl_job_kex *kex = &job->kex;
    if (kex->key == NULL || kex->key->group != kex->group || cl_job_kex_secret(kex) == NULL) {
        return CLEAT_ERR_USAGE;
    }
    CL_TRY(cl_kex_decap(kex->key, kex->peer_share, cl_job_kex_secret(kex)));
    kex->secret_len = kex->group->secret_len;
    return CL_OK;
}

static cl_result run_sign(struct cl_job *job)
{
    struct cl_job_sign *sign = &job->sign;
    struct cl_wr out = cl_wr_of(sign->signature, sign->signature_cap);
    CL_TRY(cl_sign(sign->key, sign->alg, sign->message, &out));
    sign->signature_len = out.len;
    return CL_OK;
}

static cl_result run_verify(struct cl_job *job)
{
    const struct cl_job_verify *verify = &job->verify;
    return cl_verify(verify->key, verify->alg, verify->message, verify->signature);
}

static cl_result run_encrypt(struct cl_job *job)
{
    return cl_premaster_encrypt(&job->premaster);
}

static cl_result run_decrypt(struct cl_job *job)
{
    return cl_premaster_decrypt(&job->premaster);
}

static cl_result (*const runs[])(struct cl_job *job) = {
    [CL_JOB_KEYGEN] = run_keygen,   [CL_JOB_ENCAP] = run_encap,   [CL_JOB_DECAP] = run_decap,
    [CL_JOB_SIGN] = run_sign,       [CL_JOB_VERIFY] = run_verify, [CL_JOB_ENCRYPT] = run_encrypt,
    [CL_JOB_DECRYPT] = run_decrypt,
};

void cl_job_run(struct cl_job *job)
{
    const size_t kind = (size_t)job->kind;
    const bool known = kind < sizeof(runs) / sizeof(runs[0]) && runs[kind] != NULL;
    cl_job_complete(job, known ? runs[kind](job) : CLEAT_ERR_USAGE);
}

void cl_job_complete(struct cl_job *job, cl_result result)
{
    job->result = result;
    job->status = CL_JOB_DONE;
}

void cl_job_reset(struct cl_job *job)
{
    cl_wipe(job, sizeof(*job));
}
