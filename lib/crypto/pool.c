/* crypto/pool.c - see pool.h.
 *
 * All state, the counters included, lies in the pages that are wiped in a forked child: there the
 * pool is empty without anybody noticing the fork.
 */
#include "crypto/pool.h"

#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "crypto/rand.h"

/* 64: a candidate for a scalar is rejected once in 2^32 or less often */
#define MAX_TRIES 64

/* Eight of a kind, used from the last to the first. */
struct set {
    unsigned left;
    uint64_t made_ms;
};

struct pairs {
    struct set set;
    struct cl_mb_pair of[CL_LANES];
};

struct nonces {
    struct set set;
    struct cl_mb_nonce of[CL_LANES];
};

struct cl_key_pool {
    uint64_t now_ms;
    struct pairs pairs[CL_POOL_NUM_PAIRS];
    struct nonces nonces[CL_POOL_NUM_PAIRS]; /* none for X25519 */
};

cl_result cl_key_pool_new(struct cl_key_pool **out)
{
    *out = NULL;
    void *p = mmap(NULL, sizeof(struct cl_key_pool), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return CLEAT_ERR_NOMEM;
    }
    if (madvise(p, sizeof(struct cl_key_pool), MADV_DONTDUMP) != 0 ||
        madvise(p, sizeof(struct cl_key_pool), MADV_WIPEONFORK) != 0) {
        (void)munmap(p, sizeof(struct cl_key_pool));
        return CLEAT_ERR_UNSUPPORTED;
    }
    *out = p;
    return CL_OK;
}

void cl_key_pool_wipe(struct cl_key_pool *pool)
{
    cl_wipe(pool, sizeof(*pool));
}

void cl_key_pool_free(struct cl_key_pool *pool)
{
    if (pool != NULL) {
        cl_key_pool_wipe(pool);
        (void)munmap(pool, sizeof(*pool));
    }
}

void cl_key_pool_age(struct cl_key_pool *pool, uint64_t now_ms)
{
    for (size_t i = 0; i < CL_POOL_NUM_PAIRS; i++) {
        struct pairs *p = &pool->pairs[i];
        struct nonces *n = &pool->nonces[i];
        /* unsigned: a clock that went back has passed the limit too */
        if (p->set.left != 0 && now_ms - p->set.made_ms > CL_POOL_MAX_AGE_MS) {
            cl_wipe(p, sizeof(*p));
        }
        if (n->set.left != 0 && now_ms - n->set.made_ms > CL_POOL_MAX_AGE_MS) {
            cl_wipe(n, sizeof(*n));
        }
    }
    pool->now_ms = now_ms;
}

static const struct cl_mb_curve *curve_of(const struct cl_mb *mb, enum cl_pool_kind kind)
{
    return kind == CL_POOL_P256 ? &mb->p256 : kind == CL_POOL_P384 ? &mb->p384 : NULL;
}

/* draw makes a private key or a nonce: uniform in [1, n-1] by rejection; 32 bytes for X25519, which
 * clamps them itself (RFC 7748 5). */
static bool draw(const struct cl_mb_curve *curve, uint8_t *out)
{
    const size_t len = curve != NULL ? curve->len : 32;
    for (int i = 0; i < MAX_TRIES; i++) {
        if (cl_rand(&cl_rng_system, out, len) != CL_OK) {
            return false;
        }
        if (curve == NULL || cl_mb_in_range(out, curve->order, len)) {
            return true;
        }
    }
    return false;
}

static bool make_pairs(struct cl_key_pool *pool, const struct cl_mb *mb, enum cl_pool_kind kind)
{
    struct pairs *p = &pool->pairs[kind];
    const struct cl_mb_curve *curve = curve_of(mb, kind);
    bool ok = true;
    for (size_t i = 0; i < CL_LANES && ok; i++) {
        ok = draw(curve, p->of[i].scalar);
    }
    if (!ok || cl_mb_make_pairs(mb, curve, p->of) != CL_ALL_LANES) {
        cl_wipe(p, sizeof(*p));
        return false;
    }
    p->set = (struct set){.left = CL_LANES, .made_ms = pool->now_ms};
    return true;
}

bool cl_key_pool_pair(struct cl_key_pool *pool, const struct cl_mb *mb, enum cl_pool_kind kind,
                      struct cl_mb_pair *out)
{
    struct pairs *p = &pool->pairs[kind];
    if (p->set.left == 0 && !make_pairs(pool, mb, kind)) {
        return false;
    }
    struct cl_mb_pair *taken = &p->of[--p->set.left];
    *out = *taken;
    cl_wipe(taken, sizeof(*taken));
    return true;
}

size_t cl_key_pool_lend(struct cl_key_pool *pool, struct cl_mb_agreement *lanes, size_t num)
{
    struct pairs *p = &pool->pairs[CL_POOL_X25519];
    const size_t room = CL_LANES - p->set.left;
    num = num < room ? num : room;
    for (size_t i = 0; i < num; i++) {
        struct cl_mb_pair *pair = &p->of[p->set.left + i];
        if (!draw(NULL, pair->scalar)) {
            return i;
        }
        lanes[i] = (struct cl_mb_agreement){.scalar = pair->scalar};
    }
    return num;
}

void cl_key_pool_keep(struct cl_key_pool *pool, const struct cl_mb_agreement *lanes, size_t num,
                      bool well)
{
    struct pairs *p = &pool->pairs[CL_POOL_X25519];
    for (size_t i = 0; i < num; i++) {
        struct cl_mb_pair *pair = &p->of[p->set.left + i];
        if (!well) {
            cl_wipe(pair, sizeof(*pair));
            continue;
        }
        memcpy(pair->share, lanes[i].secret, sizeof(lanes[i].secret));
    }
    if (well && num != 0) {
        /* pairs that are there already keep their age, and these take it on */
        p->set.made_ms = p->set.left == 0 ? pool->now_ms : p->set.made_ms;
        p->set.left += (unsigned)num;
    }
}

static bool make_nonces(struct cl_key_pool *pool, const struct cl_mb *mb, enum cl_pool_kind kind)
{
    struct nonces *n = &pool->nonces[kind];
    const struct cl_mb_curve *curve = curve_of(mb, kind);
    uint8_t scalars[CL_LANES][CL_MB_EC_BYTES];
    bool ok = curve != NULL;
    for (size_t i = 0; i < CL_LANES && ok; i++) {
        ok = draw(curve, scalars[i]);
    }
    ok = ok && cl_mb_make_nonces(curve, scalars, n->of) == CL_ALL_LANES;
    cl_wipe(scalars, sizeof(scalars));
    if (!ok) {
        cl_wipe(n, sizeof(*n));
        return false;
    }
    n->set = (struct set){.left = CL_LANES, .made_ms = pool->now_ms};
    return true;
}

bool cl_key_pool_nonce(struct cl_key_pool *pool, const struct cl_mb *mb, enum cl_pool_kind kind,
                       struct cl_mb_nonce *out)
{
    struct nonces *n = &pool->nonces[kind];
    if (n->set.left == 0 && !make_nonces(pool, mb, kind)) {
        return false;
    }
    struct cl_mb_nonce *taken = &n->of[--n->set.left];
    *out = *taken;
    cl_wipe(taken, sizeof(*taken));
    return true;
}

unsigned cl_key_pool_left(const struct cl_key_pool *pool, enum cl_pool_kind kind, bool nonces)
{
    return nonces ? pool->nonces[kind].set.left : pool->pairs[kind].set.left;
}
