/* x509/signed.c - one signature checked here and now; for tools, which have no batch to wait for.
 */
#include "crypto/job.h"
#include "x509/fields.h"

cl_result cl_signed_by(const struct cleat_cert *signer, const struct cl_sig_alg *alg,
                       struct cl_rd message, struct cl_rd signature)
{
    const struct cl_pubkey *key;
    if (alg == NULL) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    CL_TRY(cl_cert_pubkey(signer, &key));
    if (alg->padding == CL_PAD_PSS && signer->key_type == CL_KEY_RSA_PSS) {
        alg = cl_sig_scheme((uint16_t)(alg->scheme + 5)); /* rsa_pss_rsae_* to rsa_pss_pss_* */
    }
    if (alg == NULL || !cl_sig_alg_fits(alg, signer->key_type)) {
        return CLEAT_ERR_BAD_SIGNATURE;
    }
    struct cl_job job = {
        .kind = CL_JOB_VERIFY,
        .status = CL_JOB_PENDING,
        .verify = {.key = key, .alg = alg, .message = message, .signature = signature}};
    cl_job_run(&job);
    const cl_result r = job.result;
    cl_job_reset(&job);
    return r;
}
