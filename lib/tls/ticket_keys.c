/* tls/ticket_keys.c - see ticket_keys.h. Shared by threads under a mutex that is held for a copy of
 * one key, never for cryptography (but for making a new one).
 *
 * Rotation: the next key is made when the one before it begins to seal, a lifetime before its own
 * turn, and opens from then on; so machines that are handed the published keys know it in time. A
 * key that has sealed opens for a lifetime after its last ticket.
 */
#include "tls/ticket_keys.h"

#include <pthread.h>
#include <string.h>

#include "crypto/hash.h"

/* 2^31: half of what random 96-bit nonces allow under one key (NIST SP 800-38D 8.3: 2^32) */
#define KEY_MAX_TICKETS  (UINT64_C(1) << 31)
/* 3: the current key, the one before, and one more when the count limit rotated early */
#define NUM_ROTATING     3
#define DEFAULT_LIFETIME 86400
#define MIN_LIFETIME     3600

struct cleat_ticket_keys {
    int refs;
    uint32_t lifetime;
    pthread_mutex_t lock;
    bool set_from_outside;
    struct cl_ticket_key next;                        /* not when set from outside */
    struct cl_ticket_key keys[CLEAT_TICKET_KEYS_MAX]; /* newest first; [0] seals */
};

int cleat_ticket_keys_new(uint32_t lifetime, struct cleat_ticket_keys **out)
{
    if (lifetime == 0) {
        lifetime = DEFAULT_LIFETIME;
    }
    if (lifetime < MIN_LIFETIME || lifetime > CL_TICKET_MAX_LIFETIME) {
        return CLEAT_ERR_BAD_CONFIG;
    }
    struct cleat_ticket_keys *keys = cl_calloc(1, sizeof(*keys));
    if (keys == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    if (pthread_mutex_init(&keys->lock, NULL) != 0) {
        cl_free(keys);
        return CLEAT_ERR_NOMEM;
    }
    keys->refs = 1;
    keys->lifetime = lifetime;
    *out = keys;
    return CLEAT_OK;
}

struct cleat_ticket_keys *cleat_ticket_keys_ref(struct cleat_ticket_keys *keys)
{
    __atomic_add_fetch(&keys->refs, 1, __ATOMIC_RELAXED);
    return keys;
}

void cleat_ticket_keys_free(struct cleat_ticket_keys *keys)
{
    if (keys != NULL && __atomic_sub_fetch(&keys->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        (void)pthread_mutex_destroy(&keys->lock);
        cl_free_secret(keys, sizeof(*keys));
    }
}

uint32_t cl_ticket_lifetime(const struct cleat_ticket_keys *keys)
{
    return keys->lifetime;
}

/* HKDF-Extract with a label for salt: keys of other programs' files are not used as they are. */
static void derive(struct cl_ticket_key *key, size_t len)
{
    struct cl_rd secret = cl_rd_of(key->bytes + CL_TICKET_NAME_LEN, len - CL_TICKET_NAME_LEN);
    memcpy(key->name, key->bytes, CL_TICKET_NAME_LEN);
    cl_hmac(CL_HASH_SHA256, cl_rd_str("cleat session ticket key"), &secret, 1, key->key);
    key->valid = true;
}

static cl_result make(const struct cl_rng *rng, struct cl_ticket_key *key)
{
    *key = (struct cl_ticket_key){0};
    CL_TRY(cl_rand(rng, key->bytes, sizeof(key->bytes)));
    derive(key, sizeof(key->bytes));
    return CL_OK;
}

/* ---- with the lock held ---- */

/* A clock that steps back must not keep a key for ever: an age that is negative counts as expired
 * for sealing. */
static bool fresh(const struct cleat_ticket_keys *keys, uint64_t now_ms)
{
    const struct cl_ticket_key *key = &keys->keys[0];
    bool young = now_ms >= key->began_ms &&
                 now_ms - key->began_ms < (uint64_t)keys->lifetime * UINT64_C(1000);
    return key->valid && (young || keys->set_from_outside) && key->num_sealed < KEY_MAX_TICKETS;
}

static cl_result rotate(struct cleat_ticket_keys *keys, const struct cl_rng *rng, uint64_t now_ms)
{
    struct cl_ticket_key after;
    if (!keys->next.valid) {
        CL_TRY(make(rng, &keys->next));
    }
    CL_TRY(make(rng, &after));
    cl_wipe(&keys->keys[NUM_ROTATING - 1], sizeof(keys->keys[0]));
    memmove(&keys->keys[1], &keys->keys[0], (NUM_ROTATING - 1) * sizeof(keys->keys[0]));
    keys->keys[0] = keys->next;
    keys->keys[0].began_ms = now_ms;
    keys->next = after;
    cl_wipe(&after, sizeof(after));
    return CL_OK;
}

static cl_result freshen(struct cleat_ticket_keys *keys, const struct cl_rng *rng, uint64_t now_ms)
{
    if (fresh(keys, now_ms)) {
        return CL_OK;
    }
    return keys->set_from_outside ? CLEAT_ERR_LIMIT : rotate(keys, rng, now_ms);
}

/* A key opens for its own time as the current one and as long again. */
static bool opens(const struct cleat_ticket_keys *keys, const struct cl_ticket_key *key,
                  uint64_t now_ms)
{
    uint64_t age = now_ms > key->began_ms ? now_ms - key->began_ms : 0;
    return key->valid && (keys->set_from_outside || key == &keys->next ||
                          age < (uint64_t)keys->lifetime * UINT64_C(2000));
}

/* ---- */

cl_result cl_ticket_key_current(struct cleat_ticket_keys *keys, const struct cl_rng *rng,
                                uint64_t now_ms, struct cl_ticket_key *out)
{
    (void)pthread_mutex_lock(&keys->lock);
    cl_result r = freshen(keys, rng, now_ms);
    if (r == CL_OK) {
        keys->keys[0].num_sealed++;
        *out = keys->keys[0];
    }
    (void)pthread_mutex_unlock(&keys->lock);
    return r;
}

bool cl_ticket_key_find(struct cleat_ticket_keys *keys, struct cl_rd name, uint64_t now_ms,
                        struct cl_ticket_key *out)
{
    bool found = false;
    if (name.len != CL_TICKET_NAME_LEN) {
        return false;
    }
    (void)pthread_mutex_lock(&keys->lock);
    for (size_t i = 0; i <= CLEAT_TICKET_KEYS_MAX && !found; i++) {
        const struct cl_ticket_key *key = i == 0 ? &keys->next : &keys->keys[i - 1];
        if (opens(keys, key, now_ms) && memcmp(key->name, name.p, CL_TICKET_NAME_LEN) == 0) {
            found = true;
            *out = *key;
        }
    }
    (void)pthread_mutex_unlock(&keys->lock);
    return found;
}

static bool valid_list(const struct cleat_ticket_key *list, size_t num)
{
    bool ok = num >= 1 && num <= CLEAT_TICKET_KEYS_MAX;
    for (size_t i = 0; ok && i < num; i++) {
        ok = list[i].len == CLEAT_TICKET_KEY_SHORT || list[i].len == CLEAT_TICKET_KEY_LONG;
        for (size_t j = 0; ok && j < i; j++) {
            ok = memcmp(list[i].bytes, list[j].bytes, CL_TICKET_NAME_LEN) != 0;
        }
    }
    return ok;
}

int cleat_ticket_keys_set(struct cleat_ticket_keys *keys, const struct cleat_ticket_key *list,
                          size_t num)
{
    struct cl_ticket_key made[CLEAT_TICKET_KEYS_MAX] = {0};
    if (!valid_list(list, num)) {
        return CLEAT_ERR_BAD_CONFIG;
    }
    for (size_t i = 0; i < num; i++) {
        memcpy(made[i].bytes, list[i].bytes, list[i].len);
        derive(&made[i], list[i].len);
    }
    (void)pthread_mutex_lock(&keys->lock);
    /* the same key set again goes on counting */
    for (size_t i = 0; i < num; i++) {
        for (size_t j = 0; j < CLEAT_TICKET_KEYS_MAX; j++) {
            if (keys->keys[j].valid &&
                memcmp(keys->keys[j].key, made[i].key, CL_TICKET_KEY_LEN) == 0) {
                made[i].num_sealed = keys->keys[j].num_sealed;
            }
        }
    }
    memcpy(keys->keys, made, sizeof(made));
    cl_wipe(&keys->next, sizeof(keys->next));
    keys->set_from_outside = true;
    (void)pthread_mutex_unlock(&keys->lock);
    cl_wipe(made, sizeof(made));
    return CLEAT_OK;
}

static int write_out(const struct cleat_ticket_keys *keys, uint64_t now,
                     uint8_t (*out)[CLEAT_TICKET_KEY_LONG], size_t *num)
{
    const struct cl_ticket_key *list[NUM_ROTATING + 1] = {&keys->keys[0], &keys->next};
    size_t n = 2;
    for (size_t i = 1; i < NUM_ROTATING; i++) {
        if (opens(keys, &keys->keys[i], now)) {
            list[n++] = &keys->keys[i];
        }
    }
    size_t cap = *num;
    *num = n;
    if (cap < n) {
        return CLEAT_ERR_LIMIT;
    }
    for (size_t i = 0; i < n; i++) {
        memcpy(out[i], list[i]->bytes, CLEAT_TICKET_KEY_LONG);
    }
    return CLEAT_OK;
}

int cleat_ticket_keys_publish(struct cleat_ticket_keys *keys, uint64_t now,
                              uint8_t (*out)[CLEAT_TICKET_KEY_LONG], size_t *num)
{
    (void)pthread_mutex_lock(&keys->lock);
    int r = keys->set_from_outside ? CLEAT_ERR_USAGE : (int)freshen(keys, &cl_rng_system, now);
    if (r == CLEAT_OK) {
        r = write_out(keys, now, out, num);
    }
    (void)pthread_mutex_unlock(&keys->lock);
    return r;
}
