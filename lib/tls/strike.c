/* tls/strike.c - the register of used early data for one process (RFC 9846 8.2). Implementation
 * notes:
 *
 * A use has one bucket where it may stand, by its key; a bucket has 16 places and a lock shared
 * with other buckets. A place is free once its use has expired. A bucket remembers the latest time
 * it was shown: a use that expired before that may have been forgotten and is refused, so that a
 * clock that steps back does not make a replay look new. Keys are bytes of a MAC: evenly spread,
 * and a client that picks its own can fill one bucket, which costs others their early data, never
 * their safety.
 */
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "base/result.h"
#include "cleat/tls_early.h"

/* 16: half full, one bucket in 120 is full; a look-up reads 640 bytes */
#define BUCKET_PLACES 16
/* 64: more than threads that would wait for each other */
#define NUM_LOCKS     64
#define MAX_CAPACITY  (UINT64_C(1) << 28)

struct place {
    uint8_t key[CLEAT_STRIKE_KEY_LEN];
    uint64_t expires_ms; /* 0: never used */
};

struct bucket {
    uint64_t latest_ms;
    struct place places[BUCKET_PLACES];
};

struct cleat_strike_register {
    int refs; /* atomic */
    uint64_t started_ms;
    size_t num_buckets;
    struct bucket *buckets;
    pthread_mutex_t locks[NUM_LOCKS];
};

static void destroy(struct cleat_strike_register *r, size_t num_locks)
{
    for (size_t i = 0; i < num_locks; i++) {
        (void)pthread_mutex_destroy(&r->locks[i]);
    }
    cl_free(r->buckets);
    cl_free(r);
}

int cleat_strike_register_new(size_t capacity, uint64_t started_ms,
                              struct cleat_strike_register **out)
{
    if (capacity == 0 || capacity > MAX_CAPACITY) {
        return CLEAT_ERR_USAGE;
    }
    struct cleat_strike_register *r = cl_calloc(1, sizeof(*r));
    if (r == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    r->refs = 1;
    r->started_ms = started_ms;
    r->num_buckets = (capacity + BUCKET_PLACES - 1) / BUCKET_PLACES;
    r->buckets = cl_calloc(r->num_buckets, sizeof(*r->buckets));
    if (r->buckets == NULL) {
        destroy(r, 0);
        return CLEAT_ERR_NOMEM;
    }
    for (size_t i = 0; i < NUM_LOCKS; i++) {
        if (pthread_mutex_init(&r->locks[i], NULL) != 0) {
            destroy(r, i);
            return CLEAT_ERR_NOMEM;
        }
    }
    *out = r;
    return CLEAT_OK;
}

struct cleat_strike_register *cleat_strike_register_ref(struct cleat_strike_register *r)
{
    __atomic_add_fetch(&r->refs, 1, __ATOMIC_RELAXED);
    return r;
}

void cleat_strike_register_free(struct cleat_strike_register *r)
{
    if (r != NULL && __atomic_sub_fetch(&r->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        destroy(r, NUM_LOCKS);
    }
}

static enum cleat_strike_answer use_in(struct bucket *b, const struct cleat_strike_query *query)
{
    struct place *free_place = NULL;
    if (query->now_ms > b->latest_ms) {
        b->latest_ms = query->now_ms;
    }
    if (query->expires_ms < b->latest_ms) {
        return CLEAT_STRIKE_REFUSED;
    }
    for (size_t i = 0; i < BUCKET_PLACES; i++) {
        struct place *p = &b->places[i];
        bool live = p->expires_ms != 0 && p->expires_ms >= b->latest_ms;
        if (live && memcmp(p->key, query->key, sizeof(p->key)) == 0) {
            return CLEAT_STRIKE_SEEN;
        }
        if (!live && free_place == NULL) {
            free_place = p;
        }
    }
    if (free_place == NULL) {
        return CLEAT_STRIKE_REFUSED;
    }
    memcpy(free_place->key, query->key, sizeof(free_place->key));
    free_place->expires_ms = query->expires_ms;
    return CLEAT_STRIKE_FIRST;
}

enum cleat_strike_answer cleat_strike_register_use(struct cleat_strike_register *r,
                                                   const struct cleat_strike_query *query)
{
    uint64_t where = 0;
    /* RFC 9846 8.2: "When implementations are freshly started, they SHOULD reject 0-RTT as long as
     * any portion of their recording window overlaps the startup time" */
    if (query->opens_ms <= r->started_ms || query->expires_ms == 0) {
        return CLEAT_STRIKE_REFUSED;
    }
    memcpy(&where, query->key, sizeof(where));
    size_t i = (size_t)(where % r->num_buckets);
    pthread_mutex_t *lock = &r->locks[i % NUM_LOCKS];
    if (pthread_mutex_lock(lock) != 0) {
        return CLEAT_STRIKE_REFUSED;
    }
    enum cleat_strike_answer answer = use_in(&r->buckets[i], query);
    (void)pthread_mutex_unlock(lock);
    return answer;
}

static enum cleat_strike_answer use(void *ctx, const struct cleat_strike_query *query)
{
    return cleat_strike_register_use(ctx, query);
}

static void release(void *ctx)
{
    cleat_strike_register_free(ctx);
}

struct cleat_strike cleat_strike_of_register(struct cleat_strike_register *r)
{
    return (struct cleat_strike){
        .use = use,
        .release = release,
        .ctx = cleat_strike_register_ref(r),
    };
}
