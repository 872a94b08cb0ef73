/* crypto/aead.c - see aead.h: what ciphers there are, who computes them, and the way to them. */
#include "crypto/aead.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"
#include "crypto/aead_cache.h"

/* RFC 9846 5.5: AES-GCM keeps its margin for 2^24.5 full-size records. 2^24.5, rounded down. */
#define MAX_RECORDS_GCM      UINT64_C(23726566)
/* RFC 9846 5.5: "the record sequence number would wrap before the safety limit is reached" */
#define MAX_RECORDS_CHACHA20 UINT64_MAX
/* RFC 9846 names no limit for CCM; RFC 9147 4.5.3 and RFC 9001 6.6 both arrive at 2^23 (and at
 * 2^21.5 forgeries, fewer with the short tag) from the same analysis. */
#define MAX_RECORDS_CCM      (UINT64_C(1) << 23)

static const struct cl_aead_info infos[CL_AEAD_COUNT] = {
    [CL_AEAD_AES_128_GCM] = {"AES-128-GCM", 16, 16, MAX_RECORDS_GCM},
    [CL_AEAD_AES_256_GCM] = {"AES-256-GCM", 32, 16, MAX_RECORDS_GCM},
    [CL_AEAD_CHACHA20_POLY1305] = {"ChaCha20-Poly1305", 32, 16, MAX_RECORDS_CHACHA20},
    [CL_AEAD_AES_128_CCM] = {"AES-128-CCM", 16, 16, MAX_RECORDS_CCM},
    [CL_AEAD_AES_128_CCM_8] = {"AES-128-CCM-8", 16, 8, MAX_RECORDS_CCM},
    [CL_AEAD_AES_256_CCM] = {"AES-256-CCM", 32, 16, MAX_RECORDS_CCM},
    [CL_AEAD_AES_256_CCM_8] = {"AES-256-CCM-8", 32, 8, MAX_RECORDS_CCM},
};

const struct cl_aead_info *cl_aead_info(enum cl_aead_id id)
{
    return &infos[id];
}

/* ---- who computes ---- */

static struct cl_aead_table table;
static pthread_once_t choose_once = PTHREAD_ONCE_INIT;
static atomic_bool switched_off;

static void choose(void)
{
    cl_aead_ipsec(&table);
}

const struct cl_aead_kernel *cl_aead_kernel_of(enum cl_aead_id id)
{
    if (pthread_once(&choose_once, choose) != 0 || table.of[id] == NULL ||
        atomic_load_explicit(&switched_off, memory_order_relaxed)) {
        return cl_aead_ossl(id);
    }
    return table.of[id];
}

const char *cl_aead_describe(void)
{
    if (pthread_once(&choose_once, choose) != 0 ||
        atomic_load_explicit(&switched_off, memory_order_relaxed)) {
        return "libcrypto: all else is switched off";
    }
    return table.description;
}

void cl_aead_switch(bool others_than_libcrypto)
{
    atomic_store_explicit(&switched_off, !others_than_libcrypto, memory_order_relaxed);
}

/* ---- keys ---- */

/* 2^64 keys are not made in a process's life, so numbers do not come back. */
static atomic_uint_fast64_t last_serial;

cl_result cl_aead_key_init(struct cl_aead_key *key, enum cl_aead_id id, const uint8_t *bytes,
                           bool seals)
{
    *key = (struct cl_aead_key){0};
    CL_TRY(cl_aead_cache_ready());
    if (cl_aead_kernel_of(id) == NULL) {
        return CLEAT_ERR_CRYPTO;
    }
    key->serial = atomic_fetch_add_explicit(&last_serial, 1, memory_order_relaxed) + 1;
    key->id = (uint8_t)id;
    key->seals = seals;
    memcpy(key->bytes, bytes, infos[id].key_len);
    return CL_OK;
}

void cl_aead_key_wipe(struct cl_aead_key *key)
{
    cl_aead_cache_drop(key);
    cl_wipe(key, sizeof(*key));
}

/* ---- the way to a kernel ---- */

static inline cl_result find(struct cl_aead_key *key, struct cl_aead_slot **out)
{
    if (!cl_aead_cache_has(key)) {
        CL_TRY(cl_aead_cache_expand(key));
    }
    *out = &cl_aead_cache_mine->slots[key->slot];
    return CL_OK;
}

void cl_aead_gather(uint8_t *out, const struct cl_rd *in, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        if (in[i].len != 0 && in[i].p != out) {
            memcpy(out, in[i].p, in[i].len);
        }
        out += in[i].len;
    }
}

/* libcrypto counts in int. */
static bool fits(const struct cl_rd *in, size_t num, struct cl_rd aad)
{
    size_t room = INT_MAX - CL_AEAD_MAX_TAG_LEN;
    for (size_t i = 0; i < num; i++) {
        if (in[i].len > room) {
            return false;
        }
        room -= in[i].len;
    }
    return aad.len <= INT_MAX;
}

cl_result cl_aead_seal(struct cl_aead_key *key, const uint8_t nonce[CL_AEAD_NONCE_LEN],
                       struct cl_rd aad, const struct cl_rd *in, size_t num, uint8_t *out)
{
    struct cl_aead_slot *slot;
    if (!key->seals || !fits(in, num, aad)) {
        return CLEAT_ERR_CRYPTO;
    }
    CL_TRY(find(key, &slot));
    return slot->kernel->seal(slot, nonce, aad, in, num, out) ? CL_OK : CLEAT_ERR_CRYPTO;
}

cl_result cl_aead_open(struct cl_aead_key *key, const uint8_t nonce[CL_AEAD_NONCE_LEN],
                       struct cl_rd aad, uint8_t *inout, size_t len, size_t *out_len)
{
    const size_t tag_len = infos[key->id].tag_len;
    struct cl_aead_slot *slot;
    *out_len = 0;
    if (key->seals) {
        return CLEAT_ERR_CRYPTO;
    }
    if (len < tag_len || len > INT_MAX || aad.len > INT_MAX) {
        return CLEAT_ERR_BAD_RECORD_MAC;
    }
    CL_TRY(find(key, &slot));
    if (!slot->kernel->open(slot, nonce, aad, inout, len - tag_len)) {
        cl_wipe(inout, len - tag_len);
        return CLEAT_ERR_BAD_RECORD_MAC;
    }
    *out_len = len - tag_len;
    return CL_OK;
}
