/* crypto/premaster.c - RSA key exchange of TLS 1.2: the premaster secret under RSAES-PKCS1-v1_5
 * (RFC 5246 7.4.7.1, RFC 8017 7.2).
 *
 * Constant time: what the decryption gives, and whether it is what it should be. The answer to a
 * wrong one is implicit rejection: a secret drawn beforehand takes its place, the handshake goes
 * on, and both Finished messages cannot match. libcrypto does the RSA operation alone, blinded and
 * to a number of fixed length; its own handling of the padding differs between its versions.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/key_impl.h"

#include "base/ct.h"
#include "base/mem.h"
#include "crypto/job.h"
#include "crypto/ossl.h"

/* RFC 8017 7.2.1: EM = 0x00 || 0x02 || PS || 0x00 || M */
#define PS_AT 2

/* Random bytes that are not zero. */
static cl_result fill_nonzero(const struct cl_rng *rng, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = 0;
        while (out[i] == 0) {
            CL_TRY(cl_rand(rng, &out[i], 1));
        }
    }
    return CL_OK;
}

cl_result cl_premaster_encrypt(struct cl_job_premaster *job)
{
    uint8_t em[CL_RSA_MAX_BITS / 8] = {0};
    RSA *rsa = job->peer->rsa;
    const size_t len = rsa != NULL ? (size_t)RSA_size(rsa) : 0;
    if (job->peer->alg.type != CL_KEY_RSA || len > sizeof(em) || len > job->encrypted_cap ||
        len < CL_PREMASTER_LEN + PS_AT + 9) {
        return CLEAT_ERR_BAD_KEY;
    }
    uint8_t *secret = em + len - CL_PREMASTER_LEN;
    em[1] = 2;
    cl_result r = fill_nonzero(job->rng, em + PS_AT, len - CL_PREMASTER_LEN - 1 - PS_AT);
    if (r == CL_OK) {
        r = cl_rand(job->rng, secret, CL_PREMASTER_LEN);
    }
    if (r == CL_OK) {
        secret[0] = (uint8_t)(job->version >> 8);
        secret[1] = (uint8_t)job->version;
        memcpy(job->secret, secret, CL_PREMASTER_LEN);
        job->encrypted_len = len;
        if (RSA_public_encrypt((int)len, em, job->encrypted, rsa, RSA_NO_PADDING) != (int)len) {
            r = cl_ossl_failed(CLEAT_ERR_CRYPTO);
        }
    }
    cl_wipe(em, sizeof(em));
    return r;
}

/* Is this a premaster secret of the right length and version under a right padding? */
static cl_ct_mask check_block(const uint8_t *em, size_t len, uint16_t version)
{
    const size_t secret_at = len - CL_PREMASTER_LEN;
    cl_ct_mask good = ct_eq(em[0], 0) & ct_eq(em[1], 2) & ct_eq(em[secret_at - 1], 0);
    for (size_t i = PS_AT; i < secret_at - 1; i++) {
        good &= ~ct_eq(em[i], 0);
    }
    /* RFC 5246 7.4.7.1: "the version number in the PreMasterSecret is the version offered by the
     * client in the ClientHello.client_version" */
    return good & ct_eq(em[secret_at], version >> 8) & ct_eq(em[secret_at + 1], version & 0xff);
}

cl_result cl_premaster_decrypt(struct cl_job_premaster *job)
{
    uint8_t em[CL_RSA_MAX_BITS / 8] = {0};
    if (job->key->external) {
        return CLEAT_ERR_JOB_FAILED;
    }
    RSA *rsa = job->key->pub.rsa;
    const size_t len = rsa != NULL ? (size_t)RSA_size(rsa) : 0;
    if (job->key->pub.alg.type != CL_KEY_RSA || len > sizeof(em) ||
        len < CL_PREMASTER_LEN + PS_AT + 9) {
        return CLEAT_ERR_USAGE;
    }
    CL_TRY(cl_rand(job->rng, job->secret, CL_PREMASTER_LEN));
    /* Of another length than the modulus, or above it: everybody can see that. It leaves zeros. */
    if (job->ciphertext.len != len ||
        RSA_private_decrypt((int)len, job->ciphertext.p, em, rsa, RSA_NO_PADDING) != (int)len) {
        CL_TRY(cl_ossl_failed(CL_OK));
        memset(em, 0, sizeof(em));
    }
    cl_ct_secret(em, sizeof(em));
    const cl_ct_mask good = check_block(em, len, job->version);
    for (size_t i = 0; i < CL_PREMASTER_LEN; i++) {
        job->secret[i] = ct_select(good, em[len - CL_PREMASTER_LEN + i], job->secret[i]);
    }
    cl_ct_public(job->secret, CL_PREMASTER_LEN); /* from here on a secret like any other */
    cl_wipe(em, sizeof(em));
    return CL_OK;
}
