/* serve/worker.h - one thread of the server: its loop, its listeners, its connections. */
#ifndef CL_SERVE_WORKER_H
#define CL_SERVE_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/queue.h>
#include <uv.h>

#include "conn/stream.h"
#include "net/listener.h"
#include "net/timer.h"
#include "serve/counters.h"
#include "serve/kept_files.h"
#include "serve/site.h"

struct cl_session;
struct cl_worker;
TAILQ_HEAD(cl_session_list, cl_session);

/* 1 s: a handshake that takes longer, or a connection on which nothing is asked for longer, may be
 * ended when somebody else waits for its place; most handshakes are done in a tenth of that */
#define CL_WORKER_YIELD_MS 1000
/* 100 ms: who is told to go has that long to close; and while somebody waits we look again */
#define CL_WORKER_LOOK_MS  100

/* What a session is doing, as far as its worker cares. In each list the longest comes first. */
enum cl_worker_list {
    CL_WORKER_HANDSHAKES, /* not finished */
    CL_WORKER_IDLE,       /* between requests */
    CL_WORKER_BUSY,
    CL_WORKER_LEAVING, /* told to go, because somebody waits */
    CL_WORKER_LISTS,
};

enum cl_worker_stop {
    CL_WORKER_RUN = 0,
    CL_WORKER_FINISH, /* no new connections; what is in flight gets its grace */
    CL_WORKER_ABORT,  /* at once */
};

/* A bound socket. */
struct cl_worker_port {
    struct cl_worker *worker;
    struct cl_listener *listener;
    int fd;        /* taken over */
    bool clear;    /* no TLS there */
    bool redirect; /* likewise, and all are sent to HTTPS */
};

struct cl_worker {
    const struct cl_site *site;
    struct cl_counters *counters; /* outlive it */
    size_t num_workers;           /* of the server */
    pthread_t thread;
    struct cl_worker_port ports[CL_SERVE_MAX_LISTEN];
    size_t num_ports;
    void (*done)(void *ctx); /* called from the thread, last of all */
    void *done_ctx;

    /* The rest is the thread's own, but for stop, wake, num_open and num_most. */
    atomic_int stop;
    pthread_mutex_t wake_mutex; /* wake may be used by others until it is closed */
    bool wake_closed;
    uv_async_t wake;
    uv_loop_t loop;
    struct cl_hub *hub;
    struct cl_kept_files *kept;
    struct cl_ws_hub *ws; /* NULL: there are no WebSockets */
    struct cl_timer *grace;
    struct cl_timer *look;
    struct cl_session_list sessions[CL_WORKER_LISTS];
    size_t num_sessions;
    atomic_size_t num_open; /* the same, for others to read */
    atomic_size_t num_most; /* the most there were since somebody set it to 0 */
    bool stopping;
    bool ending;
    uint64_t last_accept_error; /* loop time: not one line each, please */
    uint64_t last_full;         /* likewise */
};

/* cl_worker_start prepares the loop and starts the thread; 0 or a negative libuv code. */
int cl_worker_start(struct cl_worker *w);

/* cl_worker_stop may be called from any thread, repeatedly, with a rising level. */
void cl_worker_stop(struct cl_worker *w, enum cl_worker_stop level);

/* cl_worker_join waits for the end of the thread. */
void cl_worker_join(struct cl_worker *w);

/* For sessions: one belongs into this list now (the first time it is not in any); it has gone. */
void cl_worker_list(struct cl_worker *w, struct cl_session *s, enum cl_worker_list list);
void cl_worker_session_gone(struct cl_worker *w, struct cl_session *s);

#endif
