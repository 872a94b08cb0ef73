/* fetch/cache.h - what was fetched, in files of one folder, until it expires.
 *
 * A cache is a convenience: what it cannot read or write is as if it were not there, and nothing in
 * it is trusted, for the verifier judges what comes from it like what comes from the network. Files
 * are named by a hash of what was asked for; their modification time is when they expire. Written
 * under another name and renamed, so that a reader has all of a file or none. Blocks for the time
 * of a look into a folder: for the command line, not for a loop that serves. One thread.
 */
#ifndef CL_FETCH_CACHE_H
#define CL_FETCH_CACHE_H

#include "net/mapped.h"

/* 256 MiB, 512 files: the lists of a dozen large CAs, and responses for as many hosts */
#define CL_FETCH_CACHE_MAX_BYTES (256u << 20)
#define CL_FETCH_CACHE_MAX_FILES 512

struct cl_fetch_cache;

/* cl_fetch_cache_new opens a folder, making it (and those above it) with mode 0700; dir NULL: the
 * user's, $XDG_CACHE_HOME/cleat or ~/.cache/cleat. A folder that others may write to is not used.
 * Always makes a cache, which keeps nothing when there is no folder: NULL when memory is short. */
struct cl_fetch_cache *cl_fetch_cache_new(const char *dir);
void cl_fetch_cache_free(struct cl_fetch_cache *cache);

/* What a file is the answer to: its kind ("ocsp", "crl", "aia"), the URL, and what was posted or
 * added to it. */
struct cl_fetch_key {
    const char *kind;
    const char *url;
    struct cl_rd request;
};

/* cl_fetch_cache_find gives the answer that is kept and has not expired at now (Unix seconds); NULL
 * when there is none, or it is longer than max. To be freed. */
struct cl_mapped *cl_fetch_cache_find(struct cl_fetch_cache *cache, const struct cl_fetch_key *key,
                                      size_t max, int64_t now);

/* cl_fetch_cache_keep keeps an answer until it expires, and makes room: what has expired goes, then
 * what expires next. */
void cl_fetch_cache_keep(struct cl_fetch_cache *cache, const struct cl_fetch_key *key,
                         struct cl_rd answer, int64_t expires);

/* cl_fetch_cache_problem says why something was not kept, for who asks; NULL: nothing went wrong.
 */
const char *cl_fetch_cache_problem(const struct cl_fetch_cache *cache);

#endif
