/* crypto/batch.c - see cleat/batch.h: jobs are sorted into queues, one for each set of kernels, and
 * run eight at a time. The queues are lists through the jobs themselves: adding allocates nothing.
 *
 * What a kernel does for fewer than eight costs as much as for eight. From how many jobs on it wins
 * was measured (docs/performance.md, "Batches") with crypto_mb 2021.12.1 and libcrypto 3.0.
 */
#include "cleat/batch.h"

#include "base/mem.h"
#include "crypto/batch_impl.h"
#include "crypto/kex_impl.h"
#include "crypto/lane_key.h"

struct queue {
    struct cl_job *first;
    struct cl_job **end;
};

struct cleat_batch {
    struct queue queues[CL_QUEUE_COUNT];
    struct cl_key_pool *pool;
    bool pool_tried;
    uint8_t *scratch; /* of the RSA kernels, 64-byte aligned by hand */
    size_t scratch_len;
};

/* 64: what the RSA kernels' vectors are aligned to */
#define SCRATCH_ALIGNMENT 64

/* us for a call of the kernel, and for one single operation: the smallest number that wins */
static const struct {
    void (*run)(const struct cl_lanes *l);
    unsigned min;
} kinds[CL_QUEUE_COUNT] = {
    [CL_QUEUE_X25519] = {cl_lanes_kex, 2},                 /* 50, 38 */
    [CL_QUEUE_P256] = {cl_lanes_kex, 3},                   /* 117, 53 */
    [CL_QUEUE_P384] = {cl_lanes_kex, 1},                   /* 501, 751 */
    [CL_QUEUE_SIGN_P256] = {cl_lanes_sign_ecdsa, 1},       /* 0.5 and 5.9 ahead, 24 */
    [CL_QUEUE_SIGN_P384] = {cl_lanes_sign_ecdsa, 1},       /* 0.8 and 25 ahead, 788 */
    [CL_QUEUE_SIGN_RSA_2048] = {cl_lanes_sign_rsa, 3},     /* 665 + 28, 340 + 19 */
    [CL_QUEUE_SIGN_RSA_3072] = {cl_lanes_sign_rsa, 2},     /* 3336 + 67, 1970 + 41 */
    [CL_QUEUE_SIGN_RSA_4096] = {cl_lanes_sign_rsa, 2},     /* 6589 + 117, 4541 + 71 */
    [CL_QUEUE_VERIFY_P256] = {cl_lanes_verify_ecdsa, 3},   /* 157, 76 */
    [CL_QUEUE_VERIFY_P384] = {cl_lanes_verify_ecdsa, 2},   /* 673, 670 */
    [CL_QUEUE_VERIFY_RSA_2048] = {cl_lanes_verify_rsa, 2}, /* 28, 19 */
    [CL_QUEUE_VERIFY_RSA_3072] = {cl_lanes_verify_rsa, 2}, /* 67, 41 */
    [CL_QUEUE_VERIFY_RSA_4096] = {cl_lanes_verify_rsa, 2}, /* 117, 71 */
};

/* ---- which queue a job belongs to ---- */

static enum cl_queue queue_of_group(const struct cl_group *group)
{
    const struct cl_group *curve = cl_kex_curve_of(group);
    switch (curve != NULL ? curve->id : 0) {
    case CL_GROUP_X25519:
        return CL_QUEUE_X25519;
    case CL_GROUP_SECP256R1:
        return CL_QUEUE_P256;
    case CL_GROUP_SECP384R1:
        return CL_QUEUE_P384;
    default:
        return CL_QUEUE_SINGLE;
    }
}

/* Shares of another length and keys of another group are for the single path to refuse; so are
 * sources of randomness that are not the system's: they must see the same calls as ever. */
static enum cl_queue queue_of_kex(const struct cl_job *job)
{
    const struct cl_job_kex *kex = &job->kex;
    bool fits = kex->group != NULL;
    if (fits && job->kind != CL_JOB_DECAP) {
        fits = kex->rng != NULL && cl_rng_is_system(kex->rng);
    }
    if (fits && job->kind == CL_JOB_ENCAP) {
        fits = kex->peer_share.len == kex->group->client_share_len;
    }
    if (fits && job->kind == CL_JOB_DECAP) {
        fits = kex->key != NULL && kex->key->group == kex->group &&
               kex->peer_share.len == kex->group->server_share_len;
    }
    return fits ? queue_of_group(kex->group) : CL_QUEUE_SINGLE;
}

/* queue_of_key: p256 and rsa_2048 are the first of their family's queues. */
static enum cl_queue queue_of_key(const struct cl_pubkey *key, enum cl_queue p256,
                                  enum cl_queue rsa_2048)
{
    switch (key->alg.type) {
    case CL_KEY_EC_P256:
        return p256;
    case CL_KEY_EC_P384:
        return p256 + 1;
    case CL_KEY_RSA:
    case CL_KEY_RSA_PSS:
        return cl_lane_rsa_fits(key) ? rsa_2048 + (key->bits - 2048) / 1024 : CL_QUEUE_SINGLE;
    default:
        return CL_QUEUE_SINGLE;
    }
}

static enum cl_queue queue_of(const struct cl_job *job)
{
    switch (job->kind) {
    case CL_JOB_KEYGEN:
    case CL_JOB_ENCAP:
    case CL_JOB_DECAP:
        return queue_of_kex(job);
    case CL_JOB_SIGN:
        return job->sign.key->lane != NULL && cl_pubkey_may_use(&job->sign.key->pub, job->sign.alg)
                   ? queue_of_key(&job->sign.key->pub, CL_QUEUE_SIGN_P256, CL_QUEUE_SIGN_RSA_2048)
                   : CL_QUEUE_SINGLE;
    case CL_JOB_VERIFY:
        return cl_pubkey_may_use(job->verify.key, job->verify.alg)
                   ? queue_of_key(job->verify.key, CL_QUEUE_VERIFY_P256, CL_QUEUE_VERIFY_RSA_2048)
                   : CL_QUEUE_SINGLE;
    default:
        return CL_QUEUE_SINGLE;
    }
}

/* ---- running ---- */

const struct cl_mb_curve *cl_lanes_curve(const struct cl_mb *mb, enum cl_queue queue)
{
    switch (queue) {
    case CL_QUEUE_P256:
    case CL_QUEUE_SIGN_P256:
    case CL_QUEUE_VERIFY_P256:
        return &mb->p256;
    case CL_QUEUE_P384:
    case CL_QUEUE_SIGN_P384:
    case CL_QUEUE_VERIFY_P384:
        return &mb->p384;
    default:
        return NULL;
    }
}

static bool needs_scratch(enum cl_queue queue)
{
    return (queue >= CL_QUEUE_SIGN_RSA_2048 && queue <= CL_QUEUE_SIGN_RSA_4096) ||
           (queue >= CL_QUEUE_VERIFY_RSA_2048 && queue <= CL_QUEUE_VERIFY_RSA_4096);
}

/* scratch_for returns aligned scratch for the RSA kernels, kept for the next time. */
static uint8_t *scratch_for(struct cleat_batch *b, const struct cl_mb *mb, enum cl_queue queue)
{
    const size_t len = cl_lanes_rsa_scratch(mb, queue) + SCRATCH_ALIGNMENT;
    if (len > b->scratch_len) {
        cl_free(b->scratch); /* wiped after each use */
        b->scratch = cl_alloc(len);
        b->scratch_len = b->scratch != NULL ? len : 0;
    }
    if (b->scratch == NULL) {
        return NULL;
    }
    const size_t over = (uintptr_t)b->scratch % SCRATCH_ALIGNMENT;
    return b->scratch + (over == 0 ? 0 : SCRATCH_ALIGNMENT - over);
}

static void run_single(struct cl_job **jobs, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        cl_job_run(jobs[i]);
    }
}

/* run_some does up to eight jobs of a queue. */
static void run_some(struct cleat_batch *b, const struct cl_mb *mb, enum cl_queue queue,
                     struct cl_job **jobs, size_t num)
{
    struct cl_lanes l = {
        .mb = mb,
        .pool = b->pool,
        .queue = queue,
        .min = kinds[queue].min,
        .jobs = jobs,
        .num = num,
    };
    const bool pooled = queue < CL_QUEUE_VERIFY_P256 && !needs_scratch(queue);
    bool fits = mb != NULL && kinds[queue].run != NULL && (!pooled || b->pool != NULL);
    /* Key exchange decides for itself: a pair made ahead wins even for one. */
    if (fits && queue > CL_QUEUE_P384) {
        fits = num >= l.min;
    }
    if (fits && needs_scratch(queue)) {
        l.scratch = scratch_for(b, mb, queue);
        fits = l.scratch != NULL;
    }
    if (!fits) {
        run_single(jobs, num);
        return;
    }
    kinds[queue].run(&l);
}

static void run_queue(struct cleat_batch *b, const struct cl_mb *mb, enum cl_queue queue)
{
    struct queue *q = &b->queues[queue];
    struct cl_job *job = q->first;
    *q = (struct queue){0};
    while (job != NULL) {
        struct cl_job *jobs[CL_LANES];
        size_t num = 0;
        while (job != NULL && num < CL_LANES) {
            jobs[num++] = job;
            struct cl_job *next = job->next;
            job->next = NULL;
            job = next;
        }
        run_some(b, mb, queue, jobs, num);
    }
}

/* ---- the public side ---- */

int cleat_batch_new(struct cleat_batch **out)
{
    *out = cl_calloc(1, sizeof(**out));
    return *out != NULL ? CLEAT_OK : CLEAT_ERR_NOMEM;
}

void cleat_batch_free(struct cleat_batch *b)
{
    if (b != NULL) {
        cl_key_pool_free(b->pool);
        cl_free(b->scratch);
        cl_free(b);
    }
}

void cleat_batch_add(struct cleat_batch *b, struct cleat_job *handle)
{
    struct cl_job *job = (struct cl_job *)handle;
    struct queue *q = &b->queues[queue_of(job)];
    job->next = NULL;
    if (q->first == NULL) {
        q->first = job;
    } else {
        *q->end = job;
    }
    q->end = &job->next;
}

void cleat_batch_run(struct cleat_batch *b, uint64_t now_ms)
{
    const struct cl_mb *mb = cl_mb();
    if (mb != NULL && b->pool == NULL && !b->pool_tried) {
        b->pool_tried = true;
        (void)!cl_key_pool_new(&b->pool); /* NULL: what needs it runs singly */
    }
    if (b->pool != NULL) {
        cl_key_pool_age(b->pool, now_ms);
    }
    for (size_t i = 0; i < CL_QUEUE_COUNT; i++) {
        run_queue(b, mb, (enum cl_queue)i);
    }
}

void cleat_batch_rest(struct cleat_batch *b)
{
    if (b->pool != NULL) {
        cl_key_pool_wipe(b->pool);
    }
}

const char *cleat_batch_describe(void)
{
    return cl_mb_describe();
}

void cleat_batch_single(bool on)
{
    cl_mb_switch(!on);
}
