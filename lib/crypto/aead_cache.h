/* crypto/aead_cache.h - the expanded keys of a thread: few, wiped when they go.
 *
 * A slot is found by the serial number of its key. It is given up when the key is wiped, when
 * another key needs it (the oldest first), when the thread ends. The pages are left out of core
 * dumps, and a forked child finds them empty. What another thread has expanded of a key that is
 * wiped here stays there until its slot is needed: connections should end where they live.
 */
#ifndef CL_CRYPTO_AEAD_CACHE_H
#define CL_CRYPTO_AEAD_CACHE_H

#include "crypto/aead_kernel.h"

/* 64: as many as a word has bits; 32 connections that are active at the same moment, in 100 KiB
 * of a second-level cache of some MiB */
#define CL_AEAD_NUM_SLOTS 64

struct cl_aead_cache {
    uint64_t serial[CL_AEAD_NUM_SLOTS]; /* of the key; 0: empty */
    uint64_t used;                      /* a bit for each slot that is not empty */
    unsigned oldest;                    /* the slot to give up next when all are used */
    struct cl_aead_slot slots[CL_AEAD_NUM_SLOTS];
};

/* This thread's, or NULL. */
extern _Thread_local struct cl_aead_cache *cl_aead_cache_mine;

/* cl_aead_cache_ready makes this thread's cache unless there is one. NOMEM. */
CL_MUST cl_result cl_aead_cache_ready(void);

/* cl_aead_cache_expand puts a key that is not there into a slot. NOMEM, CRYPTO. */
CL_MUST cl_result cl_aead_cache_expand(struct cl_aead_key *key);

/* cl_aead_cache_drop wipes the slot of a key, if it has one here. */
void cl_aead_cache_drop(const struct cl_aead_key *key);

static inline bool cl_aead_cache_has(const struct cl_aead_key *key)
{
    const struct cl_aead_cache *c = cl_aead_cache_mine;
    return c != NULL && key->serial != 0 && c->serial[key->slot] == key->serial;
}

#endif
