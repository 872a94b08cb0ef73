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
#include "serve/site.h"

struct cl_session;
struct cl_worker;
TAILQ_HEAD(cl_session_list, cl_session);

enum cl_worker_stop {
    CL_WORKER_RUN = 0,
    CL_WORKER_FINISH, /* no new connections; what is in flight gets its grace */
    CL_WORKER_ABORT,  /* at once */
};

/* A bound socket. */
struct cl_worker_port {
    struct cl_worker *worker;
    struct cl_listener *listener;
    int fd;     /* taken over */
    bool clear; /* no TLS there */
};

struct cl_worker {
    const struct cl_site *site;
    size_t num_workers; /* of the server */
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
    struct cl_ws_hub *ws; /* NULL: there are no WebSockets */
    struct cl_timer *grace;
    struct cl_session_list sessions;
    size_t num_sessions;
    atomic_size_t num_open; /* the same, for others to read */
    atomic_size_t num_most; /* the most there were since somebody set it to 0 */
    bool stopping;
    bool ending;
    uint64_t last_accept_error; /* loop time: not one line each, please */
};

/* cl_worker_start prepares the loop and starts the thread; 0 or a negative libuv code. */
int cl_worker_start(struct cl_worker *w);

/* cl_worker_stop may be called from any thread, repeatedly, with a rising level. */
void cl_worker_stop(struct cl_worker *w, enum cl_worker_stop level);

/* cl_worker_join waits for the end of the thread. */
void cl_worker_join(struct cl_worker *w);

/* For sessions: one has gone. */
void cl_worker_session_gone(struct cl_worker *w);

#endif
