/* crypto/pool.h - what a handshake needs that does not depend on its peer, made eight at a time:
 * ephemeral key pairs, and the halves of ECDSA signatures that depend on neither key nor message.
 *
 * Each is handed out once and wiped as it goes. They lie in pages of their own that a core dump
 * leaves out and a forked child finds empty. What is older than CL_POOL_MAX_AGE_MS is never used.
 * Randomness is the system's alone: whoever brings a source of their own gets nothing from here.
 */
#ifndef CL_CRYPTO_POOL_H
#define CL_CRYPTO_POOL_H

#include "base/result.h"
#include "crypto/mb.h"

/* 10 s: a thread with any load uses eight in far less; so long can a secret be found in memory
 * before it is needed */
#define CL_POOL_MAX_AGE_MS 10000

enum cl_pool_kind {
    CL_POOL_X25519,
    CL_POOL_P256,
    CL_POOL_P384,
    CL_POOL_NUM_PAIRS, /* the kinds above are of key pairs */
};

struct cl_key_pool; /* one thread at a time */

/* cl_key_pool_new: NOMEM; UNSUPPORTED when the system cannot keep the pages from a child or a core
 * dump. The caller frees the pool, which wipes it. */
CL_MUST cl_result cl_key_pool_new(struct cl_key_pool **out);
void cl_key_pool_free(struct cl_key_pool *pool);

/* cl_key_pool_wipe drops all that has been made. */
void cl_key_pool_wipe(struct cl_key_pool *pool);

/* cl_key_pool_age drops what is too old at now_ms, of a clock that does not go back (if it does,
 * everything is dropped). What is made from now on is made at now_ms. */
void cl_key_pool_age(struct cl_key_pool *pool, uint64_t now_ms);

/* cl_key_pool_pair and cl_key_pool_nonce (P-256 or P-384) take one, which is the caller's to wipe;
 * when there is none, eight are made. False when that fails: RANDOM, or kernels that do not work.
 */
bool cl_key_pool_pair(struct cl_key_pool *pool, const struct cl_mb *mb, enum cl_pool_kind kind,
                      struct cl_mb_pair *out);
bool cl_key_pool_nonce(struct cl_key_pool *pool, const struct cl_mb *mb, enum cl_pool_kind kind,
                       struct cl_mb_nonce *out);

/* An agreement over X25519 that leaves lanes idle makes pairs in them: cl_key_pool_lend fills in up
 * to num lanes, as many as there is room for pairs, and returns how many; cl_key_pool_keep takes
 * what came of these lanes, if all of them are well. In between the pool is not used otherwise. */
size_t cl_key_pool_lend(struct cl_key_pool *pool, struct cl_mb_agreement *lanes, size_t num);
void cl_key_pool_keep(struct cl_key_pool *pool, const struct cl_mb_agreement *lanes, size_t num,
                      bool well);

/* cl_key_pool_left returns how many pairs, or nonces, are ready. */
unsigned cl_key_pool_left(const struct cl_key_pool *pool, enum cl_pool_kind kind, bool nonces);

#endif
