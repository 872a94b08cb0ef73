/* serve/ws_child.h - a process behind a WebSocket (`--ws-exec`): its three pipes, its end.
 *
 * It leads a group of its own, so that what it started ends with it. What it writes to stderr goes
 * to the log. Callbacks come from the loop.
 */
#ifndef CL_SERVE_WS_CHILD_H
#define CL_SERVE_WS_CHILD_H

#include "serve/ws_hub.h"

/* 500 ms: from the end of its stdin to SIGTERM: who reads until the end goes by itself. 5 s: from
 * there to SIGKILL. 1 s: after its own end, for output that others of its group still hold */
#define CL_WS_CHILD_EOF_MS    500
#define CL_WS_CHILD_TERM_MS   5000
#define CL_WS_CHILD_OUTPUT_MS 1000

struct cl_ws_child;

struct cl_ws_child_handler {
    /* Where its output is to go; NULL: nowhere now, and reading is off until cl_ws_child_read. */
    uint8_t *(*room)(void *ctx, size_t *len);
    /* len bytes of output are in the room last given. */
    void (*output)(void *ctx, size_t len);
    /* There will be no more output. */
    void (*ended)(void *ctx);
    /* What cl_ws_child_write left over has gone, or nobody will ever read it. */
    void (*written)(void *ctx);
};

struct cl_ws_child_spec {
    char **argv; /* ends with NULL, as does env; both are read during the call only */
    char **env;
    const char *name; /* for the log; copied */
    const struct cl_ws_child_handler *handler;
    void *ctx;
};

/* cl_ws_child_new starts a process. 0 or a negative libuv code. */
int cl_ws_child_new(struct cl_ws_hub *hub, const struct cl_ws_child_spec *spec,
                    struct cl_ws_child **out);

/* cl_ws_child_write writes bytes, and a newline when asked for, to its stdin. True: all of them
 * have gone; false: they stay the caller's, unchanged, until `written` or cl_ws_child_end. */
bool cl_ws_child_write(struct cl_ws_child *c, const uint8_t *p, size_t len, bool newline);

/* cl_ws_child_read switches the reading of its output on or off. */
void cl_ws_child_read(struct cl_ws_child *c, bool on);

/* cl_ws_child_end lets it go: no callback comes any more; it is ended, reaped and freed. NULL is
 * fine. cl_ws_child_kill ends it at once. */
void cl_ws_child_end(struct cl_ws_child *c);
void cl_ws_child_kill(struct cl_ws_child *c);

#endif
