/* crypto/batch_kex.c - key shares and key agreements in lanes: of a group with ML-KEM, the curve's
 * part; the other part of each job is done by itself.
 *
 * A server's job (ENCAP) takes a pair from the pool, then agrees; a client's are the two halves of
 * that. Which lane a job has decides nothing about it. Lanes that are left make pairs.
 */
#include "base/mem.h"
#include "crypto/batch_impl.h"
#include "crypto/kex_impl.h"

/* The jobs that go on to an agreement, and what they do it with. */
struct agreements {
    struct cl_job *jobs[CL_LANES];
    struct cl_mb_pair pairs[CL_LANES]; /* ENCAP */
    struct cl_mb_agreement lanes[CL_LANES];
    size_t num;
};

static void finish_keygen(struct cl_job *job, const struct cl_mb_pair *pair)
{
    struct cl_job_kex *kex = &job->kex;
    cl_result r = CLEAT_ERR_NOMEM;
    kex->key = cl_kex_key_of(kex->group, pair->scalar, pair->share);
    if (kex->key != NULL) {
        memcpy(kex->share + cl_kex_curve_at(kex->group, CL_KEX_CLIENT_SHARE), pair->share,
               kex->key->curve->client_share_len);
        r = cl_kex_kem_keygen(kex->key, kex->rng, kex->share);
    }
    if (r == CL_OK) {
        kex->share_len = kex->group->client_share_len;
    } else {
        cl_kex_key_free(kex->key);
        kex->key = NULL;
    }
    cl_job_complete(job, r);
}

/* secret is of the curve. */
static void finish_agreement(struct cl_job *job, const struct cl_mb_pair *pair,
                             const uint8_t *secret)
{
    struct cl_job_kex *kex = &job->kex;
    const struct cl_group *curve = cl_kex_curve_of(kex->group);
    cl_result r;
    memcpy(kex->secret + cl_kex_curve_at(kex->group, CL_KEX_SECRET), secret, curve->secret_len);
    if (job->kind == CL_JOB_ENCAP) {
        memcpy(kex->share + cl_kex_curve_at(kex->group, CL_KEX_SERVER_SHARE), pair->share,
               curve->server_share_len);
        r = cl_kex_kem_encap(kex->group, kex->rng, kex->peer_share, kex->share, kex->secret);
        kex->share_len = r == CL_OK ? kex->group->server_share_len : 0;
    } else {
        r = cl_kex_kem_decap(kex->key, kex->peer_share, kex->secret);
    }
    if (r == CL_OK) {
        kex->secret_len = kex->group->secret_len;
    } else {
        cl_wipe(kex->secret, sizeof(kex->secret));
    }
    cl_job_complete(job, r);
}

/* Where the peer's share on the curve begins. */
static const uint8_t *peer_point(const struct cl_job *job)
{
    return job->kex.peer_share.p + cl_kex_curve_at(job->kex.group, job->kind == CL_JOB_ENCAP
                                                                       ? CL_KEX_CLIENT_SHARE
                                                                       : CL_KEX_SERVER_SHARE);
}

/* With the pair that it has already: the single path would make another. */
static void agree_singly(struct cl_job *job, const struct cl_mb_pair *pair)
{
    if (job->kind == CL_JOB_DECAP) {
        cl_job_run(job);
        return;
    }
    const struct cl_group *curve = cl_kex_curve_of(job->kex.group);
    uint8_t secret[CL_GROUP_MAX_SECRET];
    const cl_result r =
        cl_kex_agree_with(curve, pair->scalar, pair->share,
                          cl_rd_of(peer_point(job), curve->client_share_len), secret);
    if (r == CL_OK) {
        finish_agreement(job, pair, secret);
    } else {
        cl_job_complete(job, r);
    }
    cl_wipe(secret, sizeof(secret));
}

/* collect gives each job its pair and completes those that want no more than that. */
static void collect(const struct cl_lanes *l, struct agreements *a)
{
    const enum cl_pool_kind kind = (enum cl_pool_kind)l->queue;
    for (size_t i = 0; i < l->num; i++) {
        struct cl_job *job = l->jobs[i];
        struct cl_mb_pair *pair = &a->pairs[a->num];
        if (job->kind != CL_JOB_DECAP && !cl_key_pool_pair(l->pool, l->mb, kind, pair)) {
            cl_job_run(job);
            continue;
        }
        if (job->kind == CL_JOB_KEYGEN) {
            finish_keygen(job, pair);
            continue;
        }
        a->lanes[a->num] = (struct cl_mb_agreement){
            .scalar = job->kind == CL_JOB_DECAP ? job->kex.key->scalar : pair->scalar,
            .peer = peer_point(job),
        };
        a->jobs[a->num++] = job;
    }
}

/* agree_in_lanes returns a bit for each agreement that is well. Idle lanes make key pairs for jobs
 * to come (X25519), or do what the first one does. */
static unsigned agree_in_lanes(const struct cl_lanes *l, struct agreements *a)
{
    const size_t idle = CL_LANES - a->num;
    const size_t lent =
        l->queue == CL_QUEUE_X25519 ? cl_key_pool_lend(l->pool, &a->lanes[a->num], idle) : 0;
    for (size_t i = a->num + lent; i < CL_LANES; i++) {
        a->lanes[i] = a->lanes[0];
    }
    const unsigned good = cl_mb_agree(l->mb, cl_lanes_curve(l->mb, l->queue), a->lanes);
    const unsigned lent_bits = ((1U << lent) - 1) << a->num;
    cl_key_pool_keep(l->pool, &a->lanes[a->num], lent, (good & lent_bits) == lent_bits);
    return good;
}

/* Even one agreement over X25519 is for the lanes when the pool is empty: it costs 12 us more than
 * singly, and the seven pairs that come with it save the 33 us of making eight. */
static bool pays(const struct cl_lanes *l, const struct agreements *a)
{
    return a->num >= l->min || (a->num != 0 && l->queue == CL_QUEUE_X25519 &&
                                cl_key_pool_left(l->pool, CL_POOL_X25519, false) == 0);
}

void cl_lanes_kex(const struct cl_lanes *l)
{
    struct agreements a;
    unsigned good = 0;
    a.num = 0;
    collect(l, &a);
    if (pays(l, &a)) {
        good = agree_in_lanes(l, &a);
    }
    for (size_t i = 0; i < a.num; i++) {
        if ((good >> i & 1) != 0) {
            finish_agreement(a.jobs[i], &a.pairs[i], a.lanes[i].secret);
        } else {
            agree_singly(a.jobs[i], &a.pairs[i]);
        }
    }
    cl_wipe(&a, sizeof(a));
}
