/* crypto/batch_rsa.c - RSA signatures of 2048, 3072 and 4096 bits in lanes.
 *
 * Every signature is turned back with the public key and compared before it is given out: one
 * faulty CRT result gives the factors away. There is no blinding: the kernels work in constant
 * time, and what they sign is a padded digest, never a number of the peer's choice.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bn.h>

#include "base/mem.h"
#include "crypto/batch_impl.h"
#include "crypto/lane_key.h"
#include "crypto/rsa_encode.h"

/* Eight operations; a lane's job, key and bytes. */
struct rsa8 {
    size_t len; /* bytes of the modulus */
    struct cl_job *jobs[CL_LANES];
    size_t num;
    uint8_t in[CL_LANES][CL_MB_RSA_BYTES];
    uint8_t out[CL_LANES][CL_MB_RSA_BYTES];
    uint8_t back[CL_LANES][CL_MB_RSA_BYTES];
};

static size_t bits_of(enum cl_queue queue)
{
    const enum cl_queue first =
        queue >= CL_QUEUE_VERIFY_RSA_2048 ? CL_QUEUE_VERIFY_RSA_2048 : CL_QUEUE_SIGN_RSA_2048;
    return 2048 + 1024 * (size_t)(queue - first);
}

size_t cl_lanes_rsa_scratch(const struct cl_mb *mb, enum cl_queue queue)
{
    const int bits = (int)bits_of(queue);
    const int open = mb->rsa.scratch_len(mb->rsa.public_method(bits));
    const int close =
        queue >= CL_QUEUE_VERIFY_RSA_2048 ? 0 : mb->rsa.scratch_len(mb->rsa.private_method(bits));
    return (size_t)(open > close ? open : close);
}

static unsigned well(cl_mb_status status)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < CL_LANES; i++) {
        mask |= ((status >> (4 * i) & 0xf) == 0 ? 1U : 0U) << i;
    }
    return mask;
}

/* The public operation on eight lanes; n[i] is lane i's modulus. */
static unsigned open_lanes(const struct cl_lanes *l, uint8_t in[][CL_MB_RSA_BYTES],
                           uint8_t out[][CL_MB_RSA_BYTES], cl_mb_words n)
{
    const int bits = (int)bits_of(l->queue);
    const uint8_t *from[CL_LANES];
    uint8_t *to[CL_LANES];
    for (size_t i = 0; i < CL_LANES; i++) {
        from[i] = in[i];
        to[i] = out[i];
    }
    return well(
        l->mb->rsa.public_65537(from, to, n, bits, l->mb->rsa.public_method(bits), l->scratch));
}

/* The private operation; then the public one, to compare. */
static unsigned sign_lanes(const struct cl_lanes *l, struct rsa8 *w)
{
    const int bits = (int)bits_of(l->queue);
    const uint64_t *p[CL_LANES];
    const uint64_t *q[CL_LANES];
    const uint64_t *dp[CL_LANES];
    const uint64_t *dq[CL_LANES];
    const uint64_t *iq[CL_LANES];
    const uint64_t *n[CL_LANES];
    const uint8_t *from[CL_LANES];
    uint8_t *to[CL_LANES];
    for (size_t i = 0; i < CL_LANES; i++) {
        const struct cl_lane_key *key = w->jobs[i]->sign.key->lane;
        p[i] = key->rsa.p;
        q[i] = key->rsa.q;
        dp[i] = key->rsa.dp;
        dq[i] = key->rsa.dq;
        iq[i] = key->rsa.iq;
        n[i] = key->rsa.n;
        from[i] = w->in[i];
        to[i] = w->out[i];
    }
    unsigned good = well(l->mb->rsa.private_crt(from, to, p, q, dp, dq, iq, bits,
                                                l->mb->rsa.private_method(bits), l->scratch));
    good &= open_lanes(l, w->out, w->back, n);
    for (unsigned i = 0; i < CL_LANES; i++) {
        if (memcmp(w->in[i], w->back[i], w->len) != 0) {
            good &= ~(1U << i);
        }
    }
    cl_wipe(l->scratch, cl_lanes_rsa_scratch(l->mb, l->queue));
    return good;
}

/* fill_idle gives lanes without a job the first one's. */
static void fill_idle(struct rsa8 *w)
{
    for (size_t i = w->num; i < CL_LANES; i++) {
        w->jobs[i] = w->jobs[0];
        memcpy(w->in[i], w->in[0], w->len);
    }
}

static void finish_sign(struct cl_job *job, const uint8_t *signature, size_t len)
{
    memcpy(job->sign.signature, signature, len);
    job->sign.signature_len = len;
    cl_job_complete(job, CL_OK);
}

void cl_lanes_sign_rsa(const struct cl_lanes *l)
{
    struct rsa8 w = {.len = bits_of(l->queue) / 8};
    uint8_t digest[CL_HASH_MAX_LEN];
    for (size_t i = 0; i < l->num; i++) {
        const struct cl_job_sign *sign = &l->jobs[i]->sign;
        cl_hash_once(sign->alg->hash, sign->message.p, sign->message.len, digest);
        if (sign->signature_cap >= w.len &&
            cl_rsa_encode(sign->alg, digest, w.in[w.num], w.len) == CL_OK) {
            w.jobs[w.num++] = l->jobs[i];
        } else {
            cl_job_run(l->jobs[i]);
        }
    }
    unsigned good = 0;
    if (w.num != 0) {
        fill_idle(&w);
        good = sign_lanes(l, &w);
    }
    for (size_t i = 0; i < w.num; i++) {
        if ((good >> i & 1) != 0) {
            finish_sign(w.jobs[i], w.out[i], w.len);
        } else {
            cl_job_run(w.jobs[i]);
        }
    }
    cl_wipe(&w, sizeof(w));
}

void cl_lanes_verify_rsa(const struct cl_lanes *l)
{
    struct rsa8 w = {.len = bits_of(l->queue) / 8};
    uint64_t moduli[CL_LANES][CL_MB_RSA_WORDS];
    const uint64_t *n[CL_LANES];
    uint8_t modulus[CL_MB_RSA_BYTES];
    for (size_t i = 0; i < l->num; i++) {
        const struct cl_job_verify *verify = &l->jobs[i]->verify;
        /* RFC 8017 8.1.2, 8.2.2: as long as the modulus; 5.2.2: and below it */
        if (verify->signature.len == w.len &&
            BN_bn2binpad(RSA_get0_n(verify->key->rsa), modulus, (int)w.len) == (int)w.len &&
            cl_mb_below(verify->signature.p, modulus, w.len)) {
            memcpy(w.in[w.num], verify->signature.p, w.len);
            cl_mb_words_of(moduli[w.num], modulus, w.len);
            w.jobs[w.num++] = l->jobs[i];
        } else {
            cl_job_run(l->jobs[i]);
        }
    }
    unsigned good = 0;
    if (w.num != 0) {
        fill_idle(&w);
        for (size_t i = 0; i < CL_LANES; i++) {
            n[i] = moduli[i < w.num ? i : 0];
        }
        good = open_lanes(l, w.in, w.out, n);
    }
    for (size_t i = 0; i < w.num; i++) {
        const struct cl_job_verify *verify = &w.jobs[i]->verify;
        uint8_t digest[CL_HASH_MAX_LEN];
        cl_hash_once(verify->alg->hash, verify->message.p, verify->message.len, digest);
        if ((good >> i & 1) != 0 &&
            cl_rsa_is_encoding(verify->key, verify->alg, digest, w.out[i], w.len)) {
            cl_job_complete(w.jobs[i], CL_OK);
        } else {
            cl_job_run(w.jobs[i]);
        }
    }
}
