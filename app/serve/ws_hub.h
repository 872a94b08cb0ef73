/* serve/ws_hub.h - what the WebSockets of a server share (cl_ws_server), and those of one worker
 * (cl_ws_hub): limits, memory, time. */
#ifndef CL_SERVE_WS_HUB_H
#define CL_SERVE_WS_HUB_H

#include <stdatomic.h>

#include "net/wheel.h"
#include "serve/ws_config.h"
#include "serve/ws_mail.h"

/* Used by all threads. */
struct cl_ws_server {
    const struct cl_ws_config *config;
    atomic_uint num_open;
    atomic_uint num_processes; /* that are not reaped yet */
    struct cl_ws_post post;    /* between the rooms of the workers */
};

struct cl_ws_child;
struct cl_ws_bridge;
struct cl_ws_rooms;
LIST_HEAD(cl_ws_child_list, cl_ws_child);
LIST_HEAD(cl_ws_bridge_list, cl_ws_bridge);

/* One thread's. */
struct cl_ws_hub {
    struct cl_ws_server *server;
    uv_loop_t *loop;
    struct cl_log *errors;
    struct cl_ws_child_list children; /* processes that are not reaped, or not let go of yet */
    struct cl_ws_bridge_list bridges; /* --ws-tcp */
    struct cl_ws_rooms *rooms;        /* --ws-broadcast; NULL: there are none */
    struct cl_dns *dns;               /* for them; NULL: there are none */
    void (*changed)(void *ctx);       /* a process or a bridge has gone */
    void *ctx;
    struct cl_wheel *wheel;
    struct cleat_ws_pool *pool;
};

struct cl_log;

/* cl_ws_server_init prepares what the threads share; the configuration outlives it. */
void cl_ws_server_init(struct cl_ws_server *server, const struct cl_ws_config *config);

/* cl_ws_hub_new: num_threads share the server's memory. The caller sets errors, changed and ctx.
 * NOMEM. cl_ws_hub_free: when cl_ws_hub_is_empty and no WebSocket is left; NULL is fine. */
CL_MUST cl_result cl_ws_hub_new(struct cl_ws_server *server, size_t num_threads, uv_loop_t *loop,
                                struct cl_ws_hub **out);
bool cl_ws_hub_is_empty(const struct cl_ws_hub *hub);

/* cl_ws_hub_abort ends the processes and bridges that are left, at once: serve/ws_child.c,
 * serve/ws_tcp.c. */
void cl_ws_hub_abort(struct cl_ws_hub *hub);
void cl_ws_children_kill(struct cl_ws_hub *hub);
void cl_ws_bridges_abort(struct cl_ws_hub *hub);
void cl_ws_hub_free(struct cl_ws_hub *hub);

/* serve/ws_room.c: the rooms of a worker, hub->rooms. NOMEM. */
CL_MUST cl_result cl_ws_rooms_new(struct cl_ws_hub *hub);
void cl_ws_rooms_free(struct cl_ws_rooms *rooms);

/* cl_ws_take_one counts one up unless there are max of them (0: as many as you like). */
bool cl_ws_take_one(atomic_uint *num, unsigned max);

#endif
