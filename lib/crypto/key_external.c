/* crypto/key_external.c - keys whose private half is elsewhere, and jobs done by who has it
 * (cleat/job.h). What comes back is checked with the public half before it is used: whoever makes
 * signatures for us is not trusted to make the right ones. */
#include "cleat/job.h"

#include <string.h>

#include "base/mem.h"
#include "crypto/job.h"
#include "crypto/key_impl.h"

_Static_assert(CLEAT_MAX_DIGEST >= CL_HASH_MAX_LEN, "room for every digest");

/* ---- keys ---- */

static cl_result fill(struct cleat_key *key, struct cl_rd spki)
{
    struct cl_pubkey *pub;
    CL_TRY(cl_pubkey_parse(&pub, spki));
    key->pub = *pub; /* all that it holds goes along */
    cl_free(pub);
    key->spki = cl_alloc(spki.len);
    if (key->spki == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    memcpy(key->spki, spki.p, spki.len);
    key->spki_len = spki.len;
    return CL_OK;
}

int cleat_key_external(const uint8_t *spki, size_t len, struct cleat_key **out)
{
    struct cleat_key *key = cl_calloc(1, sizeof(*key));
    *out = NULL;
    if (key == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    key->num_refs = 1;
    key->external = true;
    cl_result r = fill(key, cl_rd_of(spki, len));
    if (r != CL_OK) {
        cleat_key_free(key);
        return (int)r;
    }
    *out = key;
    return CLEAT_OK;
}

int cleat_key_sign(const struct cleat_key *key, uint16_t scheme, const uint8_t *message,
                   size_t message_len, uint8_t *out, size_t cap, size_t *len)
{
    struct cl_wr w = cl_wr_of(out, cap);
    const struct cl_sig_alg *alg = cl_sig_scheme(scheme);
    *len = 0;
    if (alg == NULL) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    /* RFC 5246 7.4.1.4.1: in TLS 1.2 the hash is meant, not the curve */
    struct cl_sig_alg any_curve = *alg;
    if (alg->padding == CL_PAD_NONE && alg->hash != CL_HASH_NONE) {
        any_curve.key_type = CL_KEY_NONE;
        alg = &any_curve;
    }
    cl_result r = cl_sign(key, alg, cl_rd_of(message, message_len), &w);
    *len = r == CL_OK ? w.len : 0;
    return (int)r;
}

/* ---- jobs ---- */

static bool waits_for_signature(const struct cl_job *job)
{
    return job->kind == CL_JOB_SIGN && job->status == CL_JOB_PENDING && job->sign.key->external;
}

bool cleat_job_sign_request(const struct cleat_job *handle, struct cleat_sign_request *out)
{
    const struct cl_job *job = (const struct cl_job *)handle;
    if (!waits_for_signature(job)) {
        return false;
    }
    const struct cl_job_sign *sign = &job->sign;
    *out = (struct cleat_sign_request){
        .key = sign->key,
        .scheme = sign->alg->scheme,
        .scheme_name = sign->alg->name,
        .message = sign->message.p,
        .message_len = sign->message.len,
        .digest_len = cl_hash_len(sign->alg->hash),
        .max_len = cl_key_max_signature(sign->key),
    };
    if (out->digest_len != 0) {
        cl_hash_once(sign->alg->hash, sign->message.p, sign->message.len, out->digest);
    }
    return true;
}

int cleat_job_signed(struct cleat_job *handle, const uint8_t *signature, size_t len)
{
    struct cl_job *job = (struct cl_job *)handle;
    if (!waits_for_signature(job)) {
        return CLEAT_ERR_USAGE;
    }
    struct cl_job_sign *sign = &job->sign;
    cl_result r = CLEAT_ERR_BAD_SIGNATURE;
    if (len <= sign->signature_cap) {
        r = cl_verify(&sign->key->pub, sign->alg, sign->message, cl_rd_of(signature, len));
    }
    if (r == CL_OK) {
        memcpy(sign->signature, signature, len);
        sign->signature_len = len;
    }
    cl_job_complete(job, r);
    return (int)r;
}

void cleat_job_fail(struct cleat_job *handle)
{
    cl_job_complete((struct cl_job *)handle, CLEAT_ERR_JOB_FAILED);
}
