/* crypto/batch_ecdsa.c - ECDSA on P-256 and P-384 in lanes (FIPS 186-5 6.4). */
#include "base/mem.h"
#include "crypto/batch_impl.h"
#include "crypto/lane_key.h"

#define TAG_INTEGER  0x02
#define TAG_SEQUENCE 0x30

/* FIPS 186-5 6.4.1: "the leftmost min(N, hashlen) bits of H", as a number of len bytes. */
static void number_of_digest(enum cl_hash_id hash, struct cl_rd message, uint8_t *out, size_t len)
{
    uint8_t digest[CL_HASH_MAX_LEN];
    const size_t hash_len = cl_hash_len(hash);
    cl_hash_once(hash, message.p, message.len, digest);
    const size_t zeros = hash_len < len ? len - hash_len : 0;
    memset(out, 0, zeros);
    memcpy(out + zeros, digest, len - zeros);
}

static void put_integer(struct cl_wr *w, const uint8_t *p, size_t len)
{
    while (len > 1 && p[0] == 0) {
        p++;
        len--;
    }
    cl_wr_u8(w, TAG_INTEGER);
    const struct cl_wr_mark mark = cl_wr_open8(w);
    if ((p[0] & 0x80) != 0) {
        cl_wr_u8(w, 0);
    }
    cl_wr_bytes(w, p, len);
    cl_wr_close(w, mark);
}

/* RFC 3279 2.2.3: Ecdsa-Sig-Value ::= SEQUENCE { r INTEGER, s INTEGER }; of these curves its length
 * is below 128. */
static cl_result put_signature(struct cl_job_sign *sign, const struct cl_mb_signature *lane,
                               size_t len)
{
    struct cl_wr w = cl_wr_of(sign->signature, sign->signature_cap);
    cl_wr_u8(&w, TAG_SEQUENCE);
    const struct cl_wr_mark mark = cl_wr_open8(&w);
    put_integer(&w, lane->r, len);
    put_integer(&w, lane->s, len);
    cl_wr_close(&w, mark);
    sign->signature_len = w.len;
    return cl_wr_ok(&w) ? CL_OK : CLEAT_ERR_USAGE;
}

void cl_lanes_sign_ecdsa(const struct cl_lanes *l)
{
    const struct cl_mb_curve *curve = cl_lanes_curve(l->mb, l->queue);
    const enum cl_pool_kind kind = l->queue == CL_QUEUE_SIGN_P256 ? CL_POOL_P256 : CL_POOL_P384;
    struct cl_mb_nonce nonces[CL_LANES];
    struct cl_mb_signature lanes[CL_LANES];
    struct cl_job *jobs[CL_LANES];
    size_t num = 0;
    for (size_t i = 0; i < l->num; i++) {
        struct cl_job_sign *sign = &l->jobs[i]->sign;
        if (!cl_key_pool_nonce(l->pool, l->mb, kind, &nonces[num])) {
            cl_job_run(l->jobs[i]);
            continue;
        }
        lanes[num].key = sign->key->lane->d;
        lanes[num].nonce = &nonces[num];
        number_of_digest(sign->alg->hash, sign->message, lanes[num].digest, curve->len);
        jobs[num++] = l->jobs[i];
    }
    for (size_t i = num; i < CL_LANES && num != 0; i++) {
        lanes[i] = lanes[0]; /* the same signature again, which nobody gets */
    }
    const unsigned good = num != 0 ? cl_mb_sign(curve, lanes) : 0;
    for (size_t i = 0; i < num; i++) {
        if ((good >> i & 1) != 0) {
            cl_job_complete(jobs[i], put_signature(&jobs[i]->sign, &lanes[i], curve->len));
        } else {
            cl_job_run(jobs[i]); /* a digest not below the order: once in 2^32 */
        }
    }
    cl_wipe(nonces, sizeof(nonces));
    cl_wipe(lanes, sizeof(lanes));
}

/* put_number writes a number as len bytes; false when it is longer. */
static bool put_number(uint8_t *out, struct cl_rd number, size_t len)
{
    if (number.len > len) {
        return false;
    }
    memset(out, 0, len - number.len);
    memcpy(out + len - number.len, number.p, number.len);
    return true;
}

/* load_lane fills a lane; false for what is not DER: the single path refuses it. */
static bool load_lane(const struct cl_job_verify *verify, struct cl_mb_signature *lane, size_t len)
{
    struct cl_rd r;
    struct cl_rd s;
    if (cl_spki_ecdsa_numbers(verify->signature, &r, &s) != CL_OK || !put_number(lane->r, r, len) ||
        !put_number(lane->s, s, len)) {
        return false;
    }
    number_of_digest(verify->alg->hash, verify->message, lane->digest, len);
    /* it was checked when the key was parsed, and begins with the form's byte */
    cl_mb_words_of(lane->x, verify->key->point + 1, len);
    cl_mb_words_of(lane->y, verify->key->point + 1 + len, len);
    return true;
}

void cl_lanes_verify_ecdsa(const struct cl_lanes *l)
{
    const struct cl_mb_curve *curve = cl_lanes_curve(l->mb, l->queue);
    struct cl_mb_signature lanes[CL_LANES];
    struct cl_job *jobs[CL_LANES];
    size_t num = 0;
    for (size_t i = 0; i < l->num; i++) {
        if (load_lane(&l->jobs[i]->verify, &lanes[num], curve->len)) {
            jobs[num++] = l->jobs[i];
        } else {
            cl_job_run(l->jobs[i]);
        }
    }
    for (size_t i = num; i < CL_LANES && num != 0; i++) {
        lanes[i] = lanes[0];
    }
    const unsigned good = num != 0 ? cl_mb_verify(curve, lanes) : 0;
    for (size_t i = 0; i < num; i++) {
        if ((good >> i & 1) != 0) {
            cl_job_complete(jobs[i], CL_OK);
        } else {
            cl_job_run(jobs[i]);
        }
    }
}
