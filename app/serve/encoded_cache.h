/* serve/encoded_cache.h - files compressed in memory, and kept there while the room lasts.
 *
 * A file is compressed as a whole when it is first asked for with a coding, by the worker that
 * asks: 1 MiB of text takes 5 ms with zstd, 25 with gzip or br. Then it is there for all workers,
 * for as long as the file's inode, time and size stay what they were; what was used longest ago
 * goes first. Any thread.
 */
#ifndef CL_SERVE_ENCODED_CACHE_H
#define CL_SERVE_ENCODED_CACHE_H

#include <sys/stat.h>

#include "base/result.h"
#include "cleat/coding.h"

/* 1 KiB: below it a coding saves no packet */
#define CL_ENCODED_MIN_FILE 1024
/* 1 MiB: above it a worker's other connections would wait too long */
#define CL_ENCODED_MAX_FILE 1048576
/* 32 MiB: some hundred pages of a large site, in each of three codings */
#define CL_ENCODED_BUDGET   (32u << 20)

struct cl_encoded_cache;

/* Compressed bytes, shared by the answers that send them. */
struct cl_encoded {
    int refs;
    size_t len;
    uint8_t bytes[];
};

/* cl_encoded_cache_new makes an empty one that keeps at most `budget` bytes. NOMEM. */
CL_MUST cl_result cl_encoded_cache_new(size_t budget, struct cl_encoded_cache **out);
/* cl_encoded_cache_free: NULL is fine. What answers still hold lives on. */
void cl_encoded_cache_free(struct cl_encoded_cache *cache);

/* cl_encoded_get returns the file's bytes in this coding, to be given back with cl_encoded_release.
 * NULL: it is not worth it (less than a tenth would be saved), memory is short, the file changes
 * right now, or must be waited for because it is on disk: who sends it as it is brings it into
 * memory. st: of fd. */
struct cl_encoded *cl_encoded_get(struct cl_encoded_cache *cache, int fd, const struct stat *st,
                                  enum cleat_coding coding);
/* cl_encoded_release: NULL is fine. */
void cl_encoded_release(struct cl_encoded *e);

/* cl_encoded_cache_used returns how many bytes are kept now. */
size_t cl_encoded_cache_used(struct cl_encoded_cache *cache);

#endif
