/* cli/get_source.h - where the body of a request comes from: whatever can be read piece by piece
 * (bytes at hand, a file, standard input, a form that is put together while it is sent).
 *
 * An exchange reads as much as the connection takes, and no more. It may be sent a second time
 * (redirects, connections that turned out to be dead), which only sources that can go back allow.
 */
#ifndef CL_CLI_GET_SOURCE_H
#define CL_CLI_GET_SOURCE_H

#include <sys/types.h>

#include "base/bytes.h"
#include "base/result.h"

/* Of a body whose length is not known before it ends. */
#define GET_LENGTH_UNKNOWN UINT64_MAX

/* What `read` returns beside a number of bytes. */
#define GET_SOURCE_END    0
#define GET_SOURCE_LATER  (-1)
#define GET_SOURCE_FAILED (-2)

struct get_source;

struct get_source_calls {
    /* Writes 1 to cap bytes to p, and returns how many. END: there are no more. LATER: none are
     * there yet; get_source_wake() tells when. FAILED: err says why (exit code 26). */
    ssize_t (*read)(struct get_source *s, uint8_t *p, size_t cap, struct cleat_error *err);
    /* Goes back to the beginning; false: that cannot be done. */
    bool (*rewind)(struct get_source *s);
};

/* The first member of each kind's own struct. */
struct get_source {
    const struct get_source_calls *calls;
    uint64_t len; /* of the whole body, or GET_LENGTH_UNKNOWN */

    /* the exchange's: whom get_source_wake() calls */
    void (*wake)(void *ctx);
    void *wake_ctx;
};

/* get_source_wake: a source whose `read` returned LATER calls it, from the loop, when there is
 * more, the end, or a failure. */
void get_source_wake(struct get_source *s);

#endif
