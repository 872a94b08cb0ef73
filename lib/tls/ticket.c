/* tls/ticket.c - see ticket.h. The ring of keys is shared by threads under a mutex that is held for
 * a copy of one key, never for cryptography. */
#include "tls/ticket.h"

#include <pthread.h>
#include <string.h>

#include "crypto/aead.h"

#define KEY_NAME_LEN       16
#define KEY_LEN            32
/* 2^31: half of what random 96-bit nonces allow under one key (NIST SP 800-38D 8.3: 2^32) */
#define KEY_MAX_TICKETS    (UINT64_C(1) << 31)
/* 3: the current key, the one before, and one more when the count limit rotated early */
#define NUM_KEYS           3
#define DEFAULT_LIFETIME   86400
#define MIN_LIFETIME       3600
#define TICKET_FORMAT      2
#define FLAG_AUTHENTICATED 1

struct ticket_key {
    uint8_t name[KEY_NAME_LEN];
    uint8_t key[KEY_LEN];
    uint64_t created_ms;
    uint64_t num_sealed;
    bool valid;
};

struct cleat_ticket_keys {
    int refs;
    uint32_t lifetime;
    pthread_mutex_t lock;
    struct ticket_key keys[NUM_KEYS]; /* newest first */
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

/* A clock that steps back must not keep a key for ever: an age that is negative counts as expired
 * for sealing. */
static bool fresh(const struct cleat_ticket_keys *keys, const struct ticket_key *key,
                  uint64_t now_ms)
{
    return key->valid && now_ms >= key->created_ms &&
           now_ms - key->created_ms < (uint64_t)keys->lifetime * 1000 &&
           key->num_sealed < KEY_MAX_TICKETS;
}

static cl_result current_key(struct cleat_ticket_keys *keys, const struct cl_rng *rng,
                             uint64_t now_ms, struct ticket_key *out)
{
    cl_result r = CL_OK;
    (void)pthread_mutex_lock(&keys->lock);
    if (!fresh(keys, &keys->keys[0], now_ms)) {
        struct ticket_key made = {.created_ms = now_ms, .valid = true};
        r = cl_rand(rng, made.name, sizeof(made.name));
        if (r == CL_OK) {
            r = cl_rand(rng, made.key, sizeof(made.key));
        }
        if (r == CL_OK) {
            cl_wipe(&keys->keys[NUM_KEYS - 1], sizeof(keys->keys[0]));
            memmove(&keys->keys[1], &keys->keys[0], (NUM_KEYS - 1) * sizeof(keys->keys[0]));
            keys->keys[0] = made;
        }
        cl_wipe(&made, sizeof(made));
    }
    if (r == CL_OK) {
        keys->keys[0].num_sealed++;
        *out = keys->keys[0];
    }
    (void)pthread_mutex_unlock(&keys->lock);
    return r;
}

/* A key opens for its own time as the current one and as long again. */
static bool find_key(struct cleat_ticket_keys *keys, struct cl_rd name, uint64_t now_ms,
                     struct ticket_key *out)
{
    bool found = false;
    (void)pthread_mutex_lock(&keys->lock);
    for (size_t i = 0; i < NUM_KEYS && !found; i++) {
        const struct ticket_key *key = &keys->keys[i];
        if (key->valid && memcmp(key->name, name.p, KEY_NAME_LEN) == 0) {
            uint64_t age = now_ms > key->created_ms ? now_ms - key->created_ms : 0;
            found = age < (uint64_t)keys->lifetime * 2000;
            *out = *key;
        }
    }
    (void)pthread_mutex_unlock(&keys->lock);
    return found;
}

static void build_state(struct cl_wr *w, const struct cl_ticket *t)
{
    cl_wr_u8(w, TICKET_FORMAT);
    cl_wr_u16(w, t->version);
    cl_wr_u16(w, t->suite);
    cl_wr_u64(w, t->created_ms);
    cl_wr_u64(w, t->expires_ms);
    cl_wr_u64(w, t->began_ms);
    cl_wr_u32(w, t->age_add);
    cl_wr_u32(w, t->early_max);
    cl_wr_u8(w, t->peer_authenticated ? FLAG_AUTHENTICATED : 0);
    const struct cl_rd small[] = {cl_rd_of(t->psk.bytes, t->psk.len), t->digest, t->server_name,
                                  t->alpn};
    for (size_t i = 0; i < 4; i++) {
        struct cl_wr_mark m = cl_wr_open8(w);
        cl_wr_view(w, small[i]);
        cl_wr_close(w, m);
    }
    struct cl_wr_mark m = cl_wr_open16(w);
    cl_wr_view(w, t->peer_cert);
    cl_wr_close(w, m);
}

static bool parse_state(struct cl_rd r, struct cl_ticket *t)
{
    uint8_t format;
    uint8_t flags;
    struct cl_rd psk;
    *t = (struct cl_ticket){0};
    if (!cl_rd_u8(&r, &format) || format != TICKET_FORMAT || !cl_rd_u16(&r, &t->version) ||
        !cl_rd_u16(&r, &t->suite) || !cl_rd_u64(&r, &t->created_ms) ||
        !cl_rd_u64(&r, &t->expires_ms) || !cl_rd_u64(&r, &t->began_ms) ||
        !cl_rd_u32(&r, &t->age_add) || !cl_rd_u32(&r, &t->early_max) || !cl_rd_u8(&r, &flags) ||
        !cl_rd_vec8(&r, &psk) || !cl_rd_vec8(&r, &t->digest) || !cl_rd_vec8(&r, &t->server_name) ||
        !cl_rd_vec8(&r, &t->alpn) || !cl_rd_vec16(&r, &t->peer_cert) || !cl_rd_done(&r) ||
        psk.len > CL_SECRET_MAX) {
        return false;
    }
    t->psk.len = (uint8_t)psk.len;
    memcpy(t->psk.bytes, psk.p, psk.len);
    t->peer_authenticated = (flags & FLAG_AUTHENTICATED) != 0;
    return true;
}

static cl_result seal_with(const struct ticket_key *key, const struct cl_rng *rng,
                           struct cl_rd state, struct cl_buf *out)
{
    const struct cl_aead_info *info = cl_aead_info(CL_AEAD_AES_256_GCM);
    size_t need = KEY_NAME_LEN + CL_AEAD_NONCE_LEN + state.len + info->tag_len;
    struct cl_aead *aead;
    CL_TRY(cl_buf_reserve(out, need, out->len + need));
    uint8_t *at = out->p + out->len;
    memcpy(at, key->name, KEY_NAME_LEN);
    CL_TRY(cl_rand(rng, at + KEY_NAME_LEN, CL_AEAD_NONCE_LEN));
    CL_TRY(cl_aead_new(&aead, CL_AEAD_AES_256_GCM, key->key, true));
    cl_result r = cl_aead_seal(aead, at + KEY_NAME_LEN, cl_rd_of(at, KEY_NAME_LEN), &state, 1,
                               at + KEY_NAME_LEN + CL_AEAD_NONCE_LEN);
    cl_aead_free(aead);
    if (r == CL_OK) {
        out->len += need;
    }
    return r;
}

cl_result cl_ticket_seal(struct cleat_ticket_keys *keys, const struct cl_rng *rng, uint64_t now_ms,
                         const struct cl_ticket *ticket, struct cl_buf *out)
{
    struct ticket_key key = {0};
    uint8_t state[CL_TICKET_MAX_LEN];
    cl_result r = current_key(keys, rng, now_ms, &key);
    if (r == CL_OK) {
        struct cl_wr w = cl_wr_of(state, sizeof(state));
        build_state(&w, ticket);
        r = cl_wr_ok(&w) ? seal_with(&key, rng, cl_rd_of(state, w.len), out) : CLEAT_ERR_LIMIT;
        cl_wipe(state, w.len);
    }
    cl_wipe(&key, sizeof(key));
    return r;
}

bool cl_ticket_open(struct cleat_ticket_keys *keys, uint64_t now_ms, struct cl_rd sealed,
                    struct cl_buf *plain, struct cl_ticket *ticket)
{
    struct cl_rd name;
    struct cl_rd nonce;
    struct ticket_key key = {0};
    struct cl_aead *aead = NULL;
    bool ok = false;
    size_t len;
    if (sealed.len > CL_TICKET_MAX_LEN || !cl_rd_take(&sealed, KEY_NAME_LEN, &name) ||
        !cl_rd_take(&sealed, CL_AEAD_NONCE_LEN, &nonce) || !find_key(keys, name, now_ms, &key)) {
        goto out;
    }
    plain->len = 0;
    if (cl_buf_append(plain, sealed.p, sealed.len, CL_TICKET_MAX_LEN) != CL_OK ||
        cl_aead_new(&aead, CL_AEAD_AES_256_GCM, key.key, false) != CL_OK ||
        cl_aead_open(aead, nonce.p, name, plain->p, plain->len, &len) != CL_OK) {
        goto out;
    }
    plain->len = len;
    ok = parse_state(cl_buf_view(plain), ticket);
out:
    cl_aead_free(aead);
    cl_wipe(&key, sizeof(key));
    return ok;
}
