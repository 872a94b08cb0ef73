/* net/file.h - reading from files without stalling the loop.
 *
 * What the page cache holds is read at once (RWF_NOWAIT); anything else is read by libuv's thread
 * pool and reported later. One read at a time; one loop, one thread.
 */
#ifndef CL_NET_FILE_H
#define CL_NET_FILE_H

#include <stdint.h>
#include <uv.h>

#include "base/result.h"

struct cl_file_read;

/* cl_file_read_new prepares a reader. NOMEM. done gets what cl_file_read_at put off: the number of
 * bytes read (0: end of file) or a negative libuv code. */
CL_MUST cl_result cl_file_read_new(uv_loop_t *loop, void (*done)(void *ctx, ssize_t n), void *ctx,
                                   struct cl_file_read **out);

/* cl_file_read_at reads up to len bytes at offset. Returns how many (0: end of file), UV_EAGAIN:
 * the read goes on, buf and fd have to stay until done; or another negative libuv code. */
ssize_t cl_file_read_at(struct cl_file_read *r, int fd, uint64_t offset, uint8_t *buf, size_t len);

/* cl_file_read_cached reads the first len bytes, should they be in memory already; false: they are
 * not, or there are fewer. */
bool cl_file_read_cached(int fd, uint8_t *to, size_t len);

bool cl_file_read_is_busy(const struct cl_file_read *r);

/* cl_file_read_free: when a read is under way, `released` is called with ctx once buf and fd are
 * free to go, instead of done; else at once. NULL is fine (and then released is not called). */
void cl_file_read_free(struct cl_file_read *r, void (*released)(void *ctx));

#endif
