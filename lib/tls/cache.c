/* tls/cache.c - see cache.h. Each shard is a hash table with chains, and a list in order of use.
 *
 * Invariants: a shard's memory, tables included, never exceeds its share; the bytes of a session
 * are wiped before they are freed. IDs are our own random bytes, so their first bytes serve as
 * hash: a client chooses only what it asks for, never what is kept.
 */
#include "tls/cache.h"

#include <pthread.h>
#include <string.h>

/* 16: threads that look up at the same time seldom want the same lock */
#define NUM_SHARDS       16
/* 65,536: below it a shard would hold a dozen sessions */
#define MIN_MEMORY       65536
#define MIN_LIFETIME     60
#define DEFAULT_LIFETIME 86400
/* 512: an entry without a client certificate takes about 240 bytes, one with it 800; a chain then
 * has two or fewer */
#define BYTES_PER_BUCKET 512

struct entry {
    struct entry *next_in_bucket;
    struct entry *newer;
    struct entry *older;
    uint64_t expires_ms;
    uint32_t len; /* of state */
    uint8_t id[CL_SESSION_ID_LEN];
    uint8_t state[];
};

struct shard {
    pthread_mutex_t lock;
    struct entry **buckets;
    struct entry *newest;
    struct entry *oldest;
    size_t memory;
    size_t num;
    uint64_t hits;
    uint64_t misses;
    uint64_t expired;
    uint64_t evictions;
};

struct cleat_session_cache {
    int refs; /* atomic */
    uint32_t lifetime;
    size_t share; /* memory of a shard */
    size_t num_buckets;
    struct shard shards[NUM_SHARDS];
};

static size_t entry_size(const struct entry *e)
{
    return sizeof(*e) + e->len;
}

/* What it costs: malloc adds a header of 8 bytes and rounds up to 16. */
static size_t entry_cost(const struct entry *e)
{
    return (entry_size(e) + 8 + 15) / 16 * 16;
}

static cl_result init_shards(struct cleat_session_cache *c)
{
    for (size_t i = 0; i < NUM_SHARDS; i++) {
        c->shards[i].buckets = cl_calloc(c->num_buckets, sizeof(struct entry *));
        if (c->shards[i].buckets == NULL) {
            return CLEAT_ERR_NOMEM;
        }
        c->shards[i].memory = c->num_buckets * sizeof(struct entry *);
        (void)pthread_mutex_init(&c->shards[i].lock, NULL);
    }
    return CL_OK;
}

int cleat_session_cache_new(size_t memory, uint32_t lifetime, struct cleat_session_cache **out)
{
    lifetime = lifetime != 0 ? lifetime : DEFAULT_LIFETIME;
    if (memory < MIN_MEMORY || lifetime < MIN_LIFETIME || lifetime > CL_TICKET_MAX_LIFETIME) {
        return CLEAT_ERR_BAD_CONFIG;
    }
    struct cleat_session_cache *c = cl_calloc(1, sizeof(*c));
    if (c == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    c->refs = 1;
    c->lifetime = lifetime;
    c->share = (memory - sizeof(*c)) / NUM_SHARDS;
    c->num_buckets = 1;
    while (c->num_buckets * BYTES_PER_BUCKET < c->share) {
        c->num_buckets *= 2;
    }
    if (init_shards(c) != CL_OK) {
        cleat_session_cache_free(c);
        return CLEAT_ERR_NOMEM;
    }
    *out = c;
    return CLEAT_OK;
}

struct cleat_session_cache *cleat_session_cache_ref(struct cleat_session_cache *cache)
{
    __atomic_add_fetch(&cache->refs, 1, __ATOMIC_RELAXED);
    return cache;
}

uint32_t cl_cache_lifetime(const struct cleat_session_cache *cache)
{
    return cache->lifetime;
}

static struct shard *shard_of(struct cleat_session_cache *cache, const uint8_t *id)
{
    return &cache->shards[id[0] % NUM_SHARDS];
}

static struct entry **bucket_of(const struct cleat_session_cache *cache, struct shard *s,
                                const uint8_t *id)
{
    uint64_t hash;
    memcpy(&hash, id + 1, sizeof(hash));
    return &s->buckets[hash & (cache->num_buckets - 1)];
}

/* ---- with the shard's lock held ---- */

/* What is compared is not secret beyond its own look-up: an ID that is not kept tells nothing. */
static struct entry *find(const struct cleat_session_cache *cache, struct shard *s,
                          const uint8_t *id)
{
    struct entry *e = *bucket_of(cache, s, id);
    while (e != NULL && memcmp(e->id, id, CL_SESSION_ID_LEN) != 0) {
        e = e->next_in_bucket;
    }
    return e;
}

static void unlist(struct shard *s, struct entry *e)
{
    *(e->newer != NULL ? &e->newer->older : &s->newest) = e->older;
    *(e->older != NULL ? &e->older->newer : &s->oldest) = e->newer;
    e->newer = NULL;
    e->older = NULL;
}

static void list_first(struct shard *s, struct entry *e)
{
    e->older = s->newest;
    *(s->newest != NULL ? &s->newest->newer : &s->oldest) = e;
    s->newest = e;
}

static void drop(const struct cleat_session_cache *cache, struct shard *s, struct entry *e)
{
    struct entry **at = bucket_of(cache, s, e->id);
    while (*at != e) {
        at = &(*at)->next_in_bucket;
    }
    *at = e->next_in_bucket;
    unlist(s, e);
    s->memory -= entry_cost(e);
    s->num--;
    cl_free_secret(e, entry_size(e));
}

static void add(const struct cleat_session_cache *cache, struct shard *s, struct entry *e)
{
    struct entry *same = find(cache, s, e->id);
    if (same != NULL) {
        drop(cache, s, same);
    }
    while (s->oldest != NULL && s->memory + entry_cost(e) > cache->share) {
        s->evictions++;
        drop(cache, s, s->oldest);
    }
    struct entry **bucket = bucket_of(cache, s, e->id);
    e->next_in_bucket = *bucket;
    *bucket = e;
    list_first(s, e);
    s->memory += entry_cost(e);
    s->num++;
}

/* ---- */

void cleat_session_cache_free(struct cleat_session_cache *cache)
{
    if (cache == NULL || __atomic_sub_fetch(&cache->refs, 1, __ATOMIC_ACQ_REL) != 0) {
        return;
    }
    for (size_t i = 0; i < NUM_SHARDS && cache->shards[i].buckets != NULL; i++) {
        struct shard *s = &cache->shards[i];
        while (s->oldest != NULL) {
            drop(cache, s, s->oldest);
        }
        cl_free(s->buckets);
        (void)pthread_mutex_destroy(&s->lock);
    }
    cl_free(cache);
}

cl_result cl_cache_put(struct cleat_session_cache *cache, const uint8_t id[CL_SESSION_ID_LEN],
                       const struct cl_ticket *ticket)
{
    uint8_t state[CL_TICKET_MAX_LEN];
    struct cl_wr w = cl_wr_of(state, sizeof(state));
    struct shard *s = shard_of(cache, id);
    cl_ticket_build_state(&w, ticket);
    struct entry *e = cl_wr_ok(&w) ? cl_calloc(1, sizeof(*e) + w.len) : NULL;
    if (e != NULL) {
        e->len = (uint32_t)w.len;
        e->expires_ms = ticket->expires_ms;
        memcpy(e->id, id, CL_SESSION_ID_LEN);
        memcpy(e->state, state, w.len);
    }
    bool ok = cl_wr_ok(&w);
    cl_wipe(state, sizeof(state));
    if (e == NULL) {
        return ok ? CLEAT_ERR_NOMEM : CLEAT_ERR_LIMIT;
    }
    if (cache->num_buckets * sizeof(struct entry *) + entry_cost(e) > cache->share) {
        cl_free_secret(e, entry_size(e));
        return CLEAT_ERR_LIMIT;
    }
    (void)pthread_mutex_lock(&s->lock);
    add(cache, s, e);
    (void)pthread_mutex_unlock(&s->lock);
    return CL_OK;
}

static bool copy_out(struct shard *s, struct entry *e, struct cl_buf *plain)
{
    plain->len = 0;
    unlist(s, e);
    list_first(s, e);
    s->hits++;
    return cl_buf_append(plain, e->state, e->len, CL_TICKET_MAX_LEN) == CL_OK;
}

bool cl_cache_get(struct cleat_session_cache *cache, uint64_t now_ms, struct cl_rd id,
                  struct cl_buf *plain, struct cl_ticket *ticket)
{
    bool found = false;
    if (id.len != CL_SESSION_ID_LEN) {
        return false;
    }
    struct shard *s = shard_of(cache, id.p);
    (void)pthread_mutex_lock(&s->lock);
    struct entry *e = find(cache, s, id.p);
    if (e == NULL) {
        s->misses++;
    } else if (now_ms >= e->expires_ms) {
        s->expired++;
        drop(cache, s, e);
    } else {
        found = copy_out(s, e, plain);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return found && cl_ticket_parse_state(cl_buf_view(plain), ticket);
}

void cl_cache_drop(struct cleat_session_cache *cache, struct cl_rd id)
{
    if (id.len != CL_SESSION_ID_LEN) {
        return;
    }
    struct shard *s = shard_of(cache, id.p);
    (void)pthread_mutex_lock(&s->lock);
    struct entry *e = find(cache, s, id.p);
    if (e != NULL) {
        drop(cache, s, e);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

void cleat_session_cache_stats(struct cleat_session_cache *cache,
                               struct cleat_session_cache_stats *out)
{
    *out = (struct cleat_session_cache_stats){.memory = sizeof(*cache)};
    for (size_t i = 0; i < NUM_SHARDS; i++) {
        struct shard *s = &cache->shards[i];
        (void)pthread_mutex_lock(&s->lock);
        out->num += s->num;
        out->memory += s->memory;
        out->hits += s->hits;
        out->misses += s->misses;
        out->expired += s->expired;
        out->evictions += s->evictions;
        (void)pthread_mutex_unlock(&s->lock);
    }
}
