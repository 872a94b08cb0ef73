/* tls/cache.h - a server's sessions by ID (RFC 5246 7.4.1.3): bounded, sharded, limited in time. */
#ifndef CL_TLS_CACHE_H
#define CL_TLS_CACHE_H

#include "cleat/session.h"
#include "tls/ticket.h"

#define CL_SESSION_ID_LEN 32

uint32_t cl_cache_lifetime(const struct cleat_session_cache *cache);

/* cl_cache_put keeps a session under a random ID. NOMEM, LIMIT (it is too large). */
CL_MUST cl_result cl_cache_put(struct cleat_session_cache *cache,
                               const uint8_t id[CL_SESSION_ID_LEN], const struct cl_ticket *ticket);

/* cl_cache_get copies a session's state into plain, whose bytes *ticket then views. False when
 * there is none, or it has expired. */
CL_RD_MUST bool cl_cache_get(struct cleat_session_cache *cache, uint64_t now_ms, struct cl_rd id,
                             struct cl_buf *plain, struct cl_ticket *ticket);

/* cl_cache_drop forgets a session, if it is there. */
void cl_cache_drop(struct cleat_session_cache *cache, struct cl_rd id);

#endif
