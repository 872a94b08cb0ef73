/* serve/encoded_cache.c - see encoded_cache.h. Compressing happens outside the lock: two workers
 * may do the same work once. */
#include "serve/encoded_cache.h"

#include <pthread.h>
#include <string.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/file.h"

/* 1,024 entries, those of files that are not worth it too: 100 KB */
#define MAX_ENTRIES 1024
/* as many chains: a look-up passes some four entries when it is full */
#define NUM_CHAINS  256

/* What a file was when it was compressed. */
struct key {
    uint64_t dev, ino, size;
    int64_t seconds, nanoseconds;
    uint64_t coding;
};

struct entry {
    LIST_ENTRY(entry) chain;
    TAILQ_ENTRY(entry) age;
    struct key key;
    struct cl_encoded *encoded; /* NULL: not worth it */
};

LIST_HEAD(chain, entry);
TAILQ_HEAD(ages, entry);

struct cl_encoded_cache {
    pthread_mutex_t mutex;
    size_t budget, used, num;
    struct chain chains[NUM_CHAINS];
    struct ages ages; /* the one used last in front */
};

cl_result cl_encoded_cache_new(size_t budget, struct cl_encoded_cache **out)
{
    struct cl_encoded_cache *c = cl_calloc(1, sizeof(*c));
    if (c == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    pthread_mutex_init(&c->mutex, NULL);
    TAILQ_INIT(&c->ages);
    c->budget = budget;
    *out = c;
    return CL_OK;
}

void cl_encoded_release(struct cl_encoded *e)
{
    if (e != NULL && __atomic_sub_fetch(&e->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        cl_free(e);
    }
}

static void drop(struct cl_encoded_cache *c, struct entry *e)
{
    LIST_REMOVE(e, chain);
    TAILQ_REMOVE(&c->ages, e, age);
    c->num--;
    c->used -= e->encoded != NULL ? e->encoded->len : 0;
    cl_encoded_release(e->encoded);
    cl_free(e);
}

void cl_encoded_cache_free(struct cl_encoded_cache *c)
{
    if (c == NULL) {
        return;
    }
    while (!TAILQ_EMPTY(&c->ages)) {
        drop(c, TAILQ_FIRST(&c->ages));
    }
    pthread_mutex_destroy(&c->mutex);
    cl_free(c);
}

size_t cl_encoded_cache_used(struct cl_encoded_cache *c)
{
    pthread_mutex_lock(&c->mutex);
    size_t used = c->used;
    pthread_mutex_unlock(&c->mutex);
    return used;
}

static struct key key_of(const struct stat *st, enum cleat_coding coding)
{
    return (struct key){
        .dev = (uint64_t)st->st_dev,
        .ino = (uint64_t)st->st_ino,
        .size = (uint64_t)st->st_size,
        .seconds = st->st_mtim.tv_sec,
        .nanoseconds = st->st_mtim.tv_nsec,
        .coding = (uint64_t)coding,
    };
}

static struct chain *chain_of(struct cl_encoded_cache *c, const struct key *k)
{
    return &c->chains[(k->ino * 3 + k->coding) % NUM_CHAINS];
}

/* Under the lock. */
static struct entry *find(struct cl_encoded_cache *c, const struct key *k)
{
    struct entry *e;
    LIST_FOREACH(e, chain_of(c, k), chain)
    {
        if (memcmp(&e->key, k, sizeof(*k)) == 0) {
            TAILQ_REMOVE(&c->ages, e, age);
            TAILQ_INSERT_HEAD(&c->ages, e, age);
            return e;
        }
    }
    return NULL;
}

static struct cl_encoded *share(struct cl_encoded *encoded)
{
    if (encoded != NULL) {
        (void)__atomic_add_fetch(&encoded->refs, 1, __ATOMIC_RELAXED);
    }
    return encoded;
}

/* Keeps what was made, or that it is not worth it. No room for it is no failure. */
static void keep(struct cl_encoded_cache *c, const struct key *k, struct cl_encoded *encoded)
{
    const size_t len = encoded != NULL ? encoded->len : 0;
    struct entry *e = len <= c->budget ? cl_calloc(1, sizeof(*e)) : NULL;
    if (e == NULL) {
        return;
    }
    e->key = *k;
    e->encoded = share(encoded);
    pthread_mutex_lock(&c->mutex);
    struct entry *before = find(c, k);
    if (before != NULL) {
        drop(c, before);
    }
    LIST_INSERT_HEAD(chain_of(c, k), e, chain);
    TAILQ_INSERT_HEAD(&c->ages, e, age);
    c->num++;
    c->used += len;
    while (c->used > c->budget || c->num > MAX_ENTRIES) {
        drop(c, TAILQ_LAST(&c->ages, ages));
    }
    pthread_mutex_unlock(&c->mutex);
}

enum outcome {
    MADE,
    WORTHLESS,
    NOT_NOW,
};

static enum outcome encode(struct cl_rd plain, enum cleat_coding coding, struct cl_buf *out)
{
    const struct cleat_encoder_options o = {.size = plain.len};
    const size_t max = plain.len - plain.len / 10;
    struct cleat_encoder *e = NULL;
    enum outcome outcome = NOT_NOW;
    int code = cleat_encoder_new(coding, &o, &e);
    while (code >= 0) {
        struct cleat_http_view v;
        size_t used;
        code = cleat_encoder_feed(e, plain.p, plain.len, CLEAT_ENCODE_END, &used, &v);
        if (code == CLEAT_HTTP_COMPLETE) {
            outcome = MADE;
            break;
        }
        cl_result kept = code < 0 ? CL_OK : cl_buf_append(out, v.p, v.len, max);
        if (kept != CL_OK || code < 0 || !cl_rd_skip(&plain, used)) {
            outcome = kept == CLEAT_ERR_LIMIT ? WORTHLESS : NOT_NOW;
            break;
        }
    }
    cleat_encoder_free(e);
    return outcome;
}

/* The file as it is now; still the one of `st` when it has been read. */
static enum outcome make(int fd, const struct stat *st, enum cleat_coding coding,
                         struct cl_encoded **out)
{
    const size_t len = (size_t)st->st_size;
    struct cl_buf coded = {0};
    struct stat after;
    enum outcome outcome = NOT_NOW;
    uint8_t *plain = cl_alloc(len);
    if (plain != NULL && cl_file_read_cached(fd, plain, len) && fstat(fd, &after) == 0 &&
        after.st_size == st->st_size && after.st_mtim.tv_sec == st->st_mtim.tv_sec &&
        after.st_mtim.tv_nsec == st->st_mtim.tv_nsec) {
        outcome = encode(cl_rd_of(plain, len), coding, &coded);
    }
    if (outcome == MADE) {
        struct cl_encoded *e = cl_alloc(sizeof(*e) + coded.len);
        outcome = e != NULL ? MADE : NOT_NOW;
        if (e != NULL) {
            *e = (struct cl_encoded){.refs = 1, .len = coded.len};
            memcpy(e->bytes, coded.p, coded.len);
            *out = e;
        }
    }
    cl_buf_deinit(&coded);
    cl_free(plain);
    return outcome;
}

struct cl_encoded *cl_encoded_get(struct cl_encoded_cache *cache, int fd, const struct stat *st,
                                  enum cleat_coding coding)
{
    const struct key k = key_of(st, coding);
    struct cl_encoded *encoded = NULL;
    if (st->st_size < CL_ENCODED_MIN_FILE || st->st_size > CL_ENCODED_MAX_FILE) {
        return NULL;
    }
    pthread_mutex_lock(&cache->mutex);
    const struct entry *e = find(cache, &k);
    encoded = e != NULL ? share(e->encoded) : NULL;
    pthread_mutex_unlock(&cache->mutex);
    if (e != NULL) {
        return encoded;
    }
    if (make(fd, st, coding, &encoded) != NOT_NOW) {
        keep(cache, &k, encoded);
    }
    return encoded;
}
