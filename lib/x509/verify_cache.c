/* x509/verify_cache.c - see verify_cache.h. Sixteen shards with a lock each; within one the chain
 * that was not met for longest makes room. A remembered verdict is never written to again, but for
 * its count of references: threads may read it at the same time.
 */
#include "x509/verify_cache.h"

#include <pthread.h>

#include "base/mem.h"
#include "x509/verify_impl.h"

/* 16: threads that look up at the same time seldom want the same lock; it is also the least number
 * of chains */
#define NUM_SHARDS       16
/* 4,096: 256 a shard, which a look-up walks through in a quarter of a microsecond */
#define MAX_CHAINS       4096
#define DEFAULT_CHAINS   512
/* 600: who was verified ten minutes ago is looked at again */
#define DEFAULT_LIFETIME 600
/* 86,400: a day; whoever wants longer trusts, and does not verify */
#define MAX_LIFETIME     86400
/* 16,384 bytes of certificates, 4 paths tried: chains of the web have 3,000 to 6,000 and one or
 * two; a peer must not fill memory with what it likes */
#define MAX_CHAIN_BYTES  16384
#define MAX_TRIES        4

struct entry {
    uint8_t key[CL_VERIFY_KEY_LEN];
    struct cleat_verdict *verdict; /* NULL: free */
    int64_t until; /* the last second in which it holds; it does since verdict->now */
    uint64_t used;
};

struct shard {
    pthread_mutex_t lock;
    struct entry *entries;
    uint64_t clock; /* counts uses */
    uint64_t hits;
    uint64_t misses;
    uint64_t evictions;
};

struct cleat_verify_cache {
    int refs; /* atomic */
    uint32_t lifetime;
    size_t per_shard;
    struct shard shards[NUM_SHARDS];
};

uint64_t cl_verify_number(void)
{
    static uint64_t last;
    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

/* ---- its life ---- */

int cleat_verify_cache_new(size_t max_chains, uint32_t lifetime, struct cleat_verify_cache **out)
{
    *out = NULL;
    max_chains = max_chains != 0 ? max_chains : DEFAULT_CHAINS;
    lifetime = lifetime != 0 ? lifetime : DEFAULT_LIFETIME;
    if (max_chains < NUM_SHARDS || max_chains > MAX_CHAINS || lifetime > MAX_LIFETIME) {
        return CLEAT_ERR_BAD_CONFIG;
    }
    struct cleat_verify_cache *c = cl_calloc(1, sizeof(*c));
    if (c == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    c->refs = 1;
    c->lifetime = lifetime;
    c->per_shard = max_chains / NUM_SHARDS;
    for (size_t i = 0; i < NUM_SHARDS; i++) {
        c->shards[i].entries = cl_calloc(c->per_shard, sizeof(struct entry));
        if (c->shards[i].entries == NULL) {
            cleat_verify_cache_free(c);
            return CLEAT_ERR_NOMEM;
        }
        (void)pthread_mutex_init(&c->shards[i].lock, NULL);
    }
    *out = c;
    return CLEAT_OK;
}

struct cleat_verify_cache *cleat_verify_cache_ref(struct cleat_verify_cache *cache)
{
    __atomic_add_fetch(&cache->refs, 1, __ATOMIC_RELAXED);
    return cache;
}

static void clear_shard(const struct cleat_verify_cache *c, struct shard *s)
{
    for (size_t i = 0; i < c->per_shard; i++) {
        cleat_verdict_free(s->entries[i].verdict);
        s->entries[i] = (struct entry){0};
    }
}

void cleat_verify_cache_free(struct cleat_verify_cache *cache)
{
    if (cache == NULL || __atomic_sub_fetch(&cache->refs, 1, __ATOMIC_ACQ_REL) != 0) {
        return;
    }
    for (size_t i = 0; i < NUM_SHARDS && cache->shards[i].entries != NULL; i++) {
        clear_shard(cache, &cache->shards[i]);
        cl_free(cache->shards[i].entries);
        (void)pthread_mutex_destroy(&cache->shards[i].lock);
    }
    cl_free(cache);
}

void cleat_verify_cache_clear(struct cleat_verify_cache *cache)
{
    for (size_t i = 0; i < NUM_SHARDS; i++) {
        struct shard *s = &cache->shards[i];
        (void)pthread_mutex_lock(&s->lock);
        clear_shard(cache, s);
        (void)pthread_mutex_unlock(&s->lock);
    }
}

void cleat_verify_cache_read(struct cleat_verify_cache *cache,
                             struct cleat_verify_cache_numbers *out)
{
    *out = (struct cleat_verify_cache_numbers){.max_chains = cache->per_shard * NUM_SHARDS};
    for (size_t i = 0; i < NUM_SHARDS; i++) {
        struct shard *s = &cache->shards[i];
        (void)pthread_mutex_lock(&s->lock);
        for (size_t k = 0; k < cache->per_shard; k++) {
            out->num_chains += s->entries[k].verdict != NULL ? 1 : 0;
        }
        out->hits += s->hits;
        out->misses += s->misses;
        out->evictions += s->evictions;
        (void)pthread_mutex_unlock(&s->lock);
    }
}

/* ---- the question ---- */

static void add_number(struct cl_hash *h, uint64_t number)
{
    uint8_t bytes[8];
    struct cl_wr w = cl_wr_of(bytes, sizeof(bytes));
    cl_wr_u64(&w, number);
    cl_hash_update(h, bytes, sizeof(bytes));
}

static void add_bytes(struct cl_hash *h, const void *p, size_t len)
{
    add_number(h, len);
    cl_hash_update(h, p, len);
}

/* A text that is not there is another than an empty one. */
static void add_text(struct cl_hash *h, const char *text)
{
    add_number(h, text != NULL);
    if (text != NULL) {
        add_bytes(h, text, strlen(text));
    }
}

void cl_verify_cache_key(const struct cl_verify_params *p, const struct cl_rd *chain_der,
                         size_t num, uint8_t out[CL_VERIFY_KEY_LEN])
{
    struct cl_hash h;
    uint8_t trust[32] = {0};
    uint8_t dane[32] = {0};
    const uint8_t head[] = {
        (uint8_t)p->purpose,        (uint8_t)p->policy,        (uint8_t)p->revocation,
        (uint8_t)p->from_crls,      (uint8_t)p->from_ocsp,     p->staple_asked,
        p->require_explicit_policy, p->inhibit_policy_mapping, p->inhibit_any_policy,
        p->staple_required,         p->trust != NULL,          p->dane != NULL,
    };
    if (p->trust != NULL) {
        cl_trust_digest(p->trust, trust);
    }
    if (p->dane != NULL) {
        cl_dane_digest(p->dane, dane);
    }
    cl_hash_init(&h, CL_HASH_SHA256);
    cl_hash_update(&h, head, sizeof(head));
    cl_hash_update(&h, trust, sizeof(trust));
    cl_hash_update(&h, dane, sizeof(dane));
    add_number(&h, p->crls != NULL ? p->crls->number : 0);
    add_number(&h, (uint64_t)p->max_revocation_age);
    add_bytes(&h, p->staple.p, p->staple.len);
    add_number(&h, (uint64_t)p->ct);
    add_number(&h, p->ct_logs != NULL ? p->ct_logs->number : 0);
    add_bytes(&h, p->scts.p, p->scts.len);
    add_number(&h, p->ocsp != NULL ? p->ocsp->num : 0);
    for (size_t i = 0; p->ocsp != NULL && i < p->ocsp->num; i++) {
        add_bytes(&h, p->ocsp->responses[i]->der.p, p->ocsp->responses[i]->der.len);
    }
    add_number(&h, p->suffixes != NULL ? cl_suffix_list_number(p->suffixes) : 0);
    add_number(&h, (uint64_t)(int64_t)p->max_intermediates);
    add_text(&h, p->host);
    add_text(&h, p->email);
    add_number(&h, p->num_initial_policies);
    for (size_t i = 0; i < p->num_initial_policies; i++) {
        add_text(&h, p->initial_policies[i]);
    }
    add_number(&h, num);
    for (size_t i = 0; i < num; i++) {
        add_bytes(&h, chain_der[i].p, chain_der[i].len);
    }
    cl_hash_peek(&h, out);
}

/* ---- how long the answer holds ---- */

/* Something begins at `first` or ends after `last`: from then on the verdict might be another. */
static void bound(int64_t *until, int64_t now, int64_t first, int64_t last)
{
    if (first > now && first - 1 < *until) {
        *until = first - 1;
    }
    if (last >= now && last < *until) {
        *until = last;
    }
}

/* What was published at this_update is too old some time. */
static void bound_by_age(int64_t *until, const struct cl_verify *v, int64_t this_update,
                         int64_t otherwise)
{
    const int64_t max_age = v->max_age != 0 ? v->max_age : otherwise;
    if (max_age != 0) {
        bound(until, v->verdict->now, this_update, this_update + max_age);
    }
}

static void bound_by_response(int64_t *until, const struct cl_verify *v,
                              const struct cl_ocsp *response)
{
    const int64_t now = v->verdict->now;
    struct cl_rd rest = response->answers;
    struct cl_ocsp_answer answer;
    while (cl_ocsp_next(&rest, &answer)) {
        bound(until, now, answer.this_update, answer.next_update);
        bound_by_age(until, v, answer.this_update,
                     answer.next_update == INT64_MIN ? CL_OCSP_DEFAULT_AGE : 0);
    }
    for (size_t i = 0; i < response->num_certs; i++) {
        bound(until, now, response->certs[i]->not_before, response->certs[i]->not_after);
    }
}

/* Of the certificates all that were presented count: one that is not on the path may have signed a
 * revocation list. So do all lists, used or not. */
static int64_t holds_until(const struct cleat_verdict *verdict, const struct cl_verify *v,
                           uint32_t lifetime)
{
    const struct cleat_crl_set *crls = v->crls;
    int64_t now = verdict->now;
    int64_t until = now > INT64_MAX - (int64_t)lifetime ? INT64_MAX : now + (int64_t)lifetime;
    for (size_t i = 0; i < verdict->path.num; i++) {
        bound(&until, now, verdict->path.certs[i]->not_before, verdict->path.certs[i]->not_after);
    }
    for (size_t i = 0; i < verdict->num_pool; i++) {
        const struct cleat_cert *cert = verdict->pool[i].cert;
        bound(&until, now, cert->not_before, cert->not_after);
    }
    for (size_t i = 0; crls != NULL && i < crls->num; i++) {
        const struct cl_crl *crl = crls->crls[i];
        bound(&until, now, crl->this_update, crl->next_update);
        bound_by_age(&until, v, crl->this_update, 0);
    }
    if (v->staple != NULL) {
        bound_by_response(&until, v, v->staple);
    }
    for (size_t i = 0; v->ocsp != NULL && i < v->ocsp->num; i++) {
        bound_by_response(&until, v, v->ocsp->responses[i]);
    }
    return until;
}

/* ---- asking and remembering ---- */

static struct shard *shard_of(struct cleat_verify_cache *cache, const uint8_t *key)
{
    return &cache->shards[key[0] % NUM_SHARDS];
}

static struct entry *entry_of(const struct cleat_verify_cache *cache, struct shard *s,
                              const uint8_t *key)
{
    for (size_t i = 0; i < cache->per_shard; i++) {
        struct entry *e = &s->entries[i];
        if (e->verdict != NULL && memcmp(e->key, key, CL_VERIFY_KEY_LEN) == 0) {
            return e;
        }
    }
    return NULL;
}

/* A clock that went back makes no old answer new. */
static bool holds(const struct entry *e, int64_t now)
{
    return now >= e->verdict->now && now <= e->until;
}

struct cleat_verdict *cl_verify_cache_find(struct cleat_verify_cache *cache,
                                           const uint8_t key[CL_VERIFY_KEY_LEN], int64_t now)
{
    struct shard *s = shard_of(cache, key);
    struct cleat_verdict *found = NULL;
    (void)pthread_mutex_lock(&s->lock);
    struct entry *e = entry_of(cache, s, key);
    if (e != NULL && holds(e, now)) {
        found = cl_verdict_ref(e->verdict);
        e->used = ++s->clock;
        s->hits++;
    } else {
        s->misses++;
    }
    (void)pthread_mutex_unlock(&s->lock);
    return found;
}

static bool small_enough(const struct cleat_verdict *verdict)
{
    size_t len = 0;
    for (size_t i = 0; i < verdict->num_pool; i++) {
        len += verdict->pool[i].cert->der.len;
    }
    return len <= MAX_CHAIN_BYTES && verdict->num_tries <= MAX_TRIES;
}

/* The place for a key: its own, a free one, or that of what was not used for longest. */
static struct entry *room_for(const struct cleat_verify_cache *cache, struct shard *s,
                              const uint8_t *key)
{
    struct entry *oldest = entry_of(cache, s, key);
    for (size_t i = 0; oldest == NULL && i < cache->per_shard; i++) {
        oldest = s->entries[i].verdict == NULL ? &s->entries[i] : NULL;
    }
    if (oldest != NULL) {
        return oldest;
    }
    oldest = &s->entries[0];
    for (size_t i = 1; i < cache->per_shard; i++) {
        oldest = s->entries[i].used < oldest->used ? &s->entries[i] : oldest;
    }
    s->evictions++;
    return oldest;
}

void cl_verify_cache_add(struct cleat_verify_cache *cache, const uint8_t key[CL_VERIFY_KEY_LEN],
                         const struct cleat_verdict *verdict, const struct cl_verify *v)
{
    struct cleat_verdict *copy = small_enough(verdict) ? cl_verdict_remember(verdict) : NULL;
    if (copy == NULL) {
        return;
    }
    struct shard *s = shard_of(cache, key);
    (void)pthread_mutex_lock(&s->lock);
    struct entry *e = room_for(cache, s, key);
    struct cleat_verdict *old = e->verdict;
    *e = (struct entry){
        .verdict = copy, .until = holds_until(verdict, v, cache->lifetime), .used = ++s->clock};
    memcpy(e->key, key, CL_VERIFY_KEY_LEN);
    (void)pthread_mutex_unlock(&s->lock);
    cleat_verdict_free(old);
}
