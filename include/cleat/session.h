/* cleat/session.h - where sessions are kept: a server's cache by session ID (TLS 1.2), ticket keys
 * from outside, a client's store. docs/sessions.md has the sizes.
 *
 * Functions returning int: CLEAT_OK (0) or a negative code of cleat/error.h. All objects here are
 * reference-counted or freed once, and used by any thread at any time unless it says otherwise.
 */
#ifndef CLEAT_SESSION_H
#define CLEAT_SESSION_H

#include "cleat/tls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a server's cache (RFC 5246 7.4.1.3) ----------------------------------------------------- */

struct cleat_session_cache;

/* cleat_session_cache_new makes a cache of at most memory bytes (65,536 or more), tables included.
 * A session is forgotten after lifetime seconds (60 to 604,800; 0: 86,400, as tickets), or when
 * room is needed: then the one not used for longest goes. It is split into shards, each with its
 * own lock, so that threads seldom meet. CLEAT_ERR_BAD_CONFIG, CLEAT_ERR_NOMEM. */
int cleat_session_cache_new(size_t memory, uint32_t lifetime, struct cleat_session_cache **out);
struct cleat_session_cache *cleat_session_cache_ref(struct cleat_session_cache *cache);
/* cleat_session_cache_free drops a reference; the last one wipes every session. */
void cleat_session_cache_free(struct cleat_session_cache *cache);

struct cleat_session_cache_stats {
    size_t num;         /* sessions held */
    size_t memory;      /* bytes, tables included */
    uint64_t hits;      /* looked up and found */
    uint64_t misses;    /* not found */
    uint64_t expired;   /* found too late */
    uint64_t evictions; /* dropped for want of room */
};
void cleat_session_cache_stats(struct cleat_session_cache *cache,
                               struct cleat_session_cache_stats *out);

/* cleat_tls_builder_session_cache: servers: clients of TLS 1.2 that do not take tickets resume by
 * session ID. A session is bound as a ticket is (cleat_tls_builder_binding). A reference is taken;
 * NULL: no cache, the default. */
int cleat_tls_builder_session_cache(struct cleat_tls_builder *b, struct cleat_session_cache *cache);

/* ---- ticket keys from outside ---------------------------------------------------------------- */

/* The two lengths of a key file of nginx's ssl_session_ticket_key: 16 bytes of name, the rest is
 * secret. */
#define CLEAT_TICKET_KEY_SHORT 48
#define CLEAT_TICKET_KEY_LONG  80
/* 8: keys in use at once: the one that seals, and seven hours or days that still open */
#define CLEAT_TICKET_KEYS_MAX  8

struct cleat_ticket_key {
    const uint8_t *bytes;
    size_t len;
};

/* cleat_ticket_keys_set puts num keys (1 to CLEAT_TICKET_KEYS_MAX) in place of all there are, at
 * once for every thread: the first seals, all open. From then on the ring does not rotate by
 * itself: whoever sets keys replaces them. Machines given the same bytes open each other's tickets.
 * CLEAT_ERR_BAD_CONFIG: a length other than 48 or 80, a name twice, a count out of range. */
int cleat_ticket_keys_set(struct cleat_ticket_keys *keys, const struct cleat_ticket_key *list,
                          size_t num);

/* cleat_tls_builder_ticket_keys: as cleat_tls_builder_tickets, with the number of tickets that the
 * profile says. */
int cleat_tls_builder_ticket_keys(struct cleat_tls_builder *b, struct cleat_ticket_keys *keys);

/* cleat_ticket_keys_publish writes the keys of a ring that rotates by itself, CLEAT_TICKET_KEY_LONG
 * bytes each, for others to take with cleat_ticket_keys_set: the sealing one, the next, older ones.
 * The next one is made a whole lifetime before it seals, so that there is time. now: Unix time in
 * milliseconds. *num: how many fit into out, then how many there are. The bytes are secret.
 * CLEAT_ERR_LIMIT (*num says how many), CLEAT_ERR_RANDOM, CLEAT_ERR_USAGE (the keys were set). */
int cleat_ticket_keys_publish(struct cleat_ticket_keys *keys, uint64_t now,
                              uint8_t (*out)[CLEAT_TICKET_KEY_LONG], size_t *num);

/* ---- a client's store ------------------------------------------------------------------------ */

struct cleat_session_store;

/* cleat_session_store_new makes a store of at most max sessions (1 to 100,000); the one not used
 * for longest makes room. Freeing wipes. CLEAT_ERR_BAD_CONFIG, CLEAT_ERR_NOMEM. */
int cleat_session_store_new(size_t max, struct cleat_session_store **out);
void cleat_session_store_free(struct cleat_session_store *store);

/* cleat_session_store_put keeps a session (a reference is taken) under a name: what a connection
 * must have in common to use it, as "host:port" and the policy; at most 511 bytes. At most
 * CLEAT_SESSION_STORE_PER_NAME are kept for a name, the newest. CLEAT_ERR_USAGE (name too long),
 * CLEAT_ERR_NOMEM. */
#define CLEAT_SESSION_STORE_PER_NAME 4
int cleat_session_store_put(struct cleat_session_store *store, const char *name,
                            struct cleat_tls_session *session);

/* cleat_session_store_take gives the newest session of a name that is valid at now (Unix time in
 * milliseconds), the caller's to free, or NULL. Tickets of TLS 1.3 leave the store by it, each is
 * for one connection (RFC 9846 C.4); sessions of TLS 1.2 stay. What has expired is dropped. */
struct cleat_tls_session *cleat_session_store_take(struct cleat_session_store *store,
                                                   const char *name, uint64_t now);

/* cleat_session_store_drop forgets a session under every name (its ticket or ID counts). */
void cleat_session_store_drop(struct cleat_session_store *store,
                              const struct cleat_tls_session *session);

size_t cleat_session_store_num(struct cleat_session_store *store);

/* cleat_session_store_export writes what is valid at now as bytes, which are secret; *len is the
 * capacity of out, then the length; CLEAT_ERR_LIMIT sets *len to what is needed.
 * cleat_session_store_import adds the sessions of such bytes; CLEAT_ERR_DECODE for anything else
 * (another format's version, too): then nothing is added. */
int cleat_session_store_export(struct cleat_session_store *store, uint64_t now, uint8_t *out,
                               size_t *len);
int cleat_session_store_import(struct cleat_session_store *store, const uint8_t *bytes, size_t len,
                               uint64_t now);

#ifdef __cplusplus
}
#endif
#endif
