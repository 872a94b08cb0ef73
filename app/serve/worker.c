/* serve/worker.c - see worker.h. */
#include "serve/worker.h"

#include <string.h>
#include <unistd.h>

#include "serve/session.h"

/* 5 s: between two lines about failing accepts */
#define ACCEPT_ERROR_MS 5000
/* 60 s: between two lines about a worker that is full */
#define FULL_MS         60000

static void hold_listeners(struct cl_worker *w, bool hold)
{
    for (size_t i = 0; i < w->num_ports; i++) {
        if (w->ports[i].listener != NULL) {
            cl_listener_hold(w->ports[i].listener, hold);
        }
    }
}

static void tell_accept_error(struct cl_worker *w, int status)
{
    uint64_t now = uv_now(&w->loop);
    if (w->last_accept_error == 0 || now - w->last_accept_error > ACCEPT_ERROR_MS) {
        w->last_accept_error = now;
        cl_log_line(w->site->errors, "cleat: a connection could not be accepted: %s",
                    uv_strerror(status));
    }
}

static void on_accept_error(void *ctx, int status)
{
    const struct cl_worker_port *port = ctx;
    tell_accept_error(port->worker, status);
}

/* ---- places ---- */

void cl_worker_list(struct cl_worker *w, struct cl_session *s, enum cl_worker_list list)
{
    if (s->list != CL_WORKER_LISTS) {
        TAILQ_REMOVE(&w->sessions[s->list], s, link);
    }
    s->list = list;
    s->listed = uv_now(&w->loop);
    TAILQ_INSERT_TAIL(&w->sessions[list], s, link);
}

static bool is_full(const struct cl_worker *w)
{
    return w->num_sessions >= w->site->options->max_connections;
}

static bool somebody_waits(const struct cl_worker *w)
{
    for (size_t i = 0; i < w->num_ports; i++) {
        const struct cl_listener *l = w->ports[i].listener;
        if (l != NULL && cl_listener_is_waited_for(l)) {
            return true;
        }
    }
    return false;
}

static struct cl_session *longest(const struct cl_worker *w, enum cl_worker_list list, uint64_t ms)
{
    struct cl_session *s = TAILQ_FIRST(&w->sessions[list]);
    return s != NULL && uv_now(&w->loop) - s->listed >= ms ? s : NULL;
}

/* One at a time. Those who take their time with the handshake first: whoever wants to keep others
 * out does. */
static struct cl_session *who_yields(const struct cl_worker *w)
{
    if (!TAILQ_EMPTY(&w->sessions[CL_WORKER_LEAVING])) {
        return longest(w, CL_WORKER_LEAVING, CL_WORKER_LOOK_MS);
    }
    struct cl_session *s = longest(w, CL_WORKER_HANDSHAKES, CL_WORKER_YIELD_MS);
    return s != NULL ? s : longest(w, CL_WORKER_IDLE, CL_WORKER_YIELD_MS);
}

static void make_room(struct cl_worker *w)
{
    uint64_t now = uv_now(&w->loop);
    struct cl_session *s = who_yields(w);
    if (s != NULL) {
        cl_session_yield(s);
    }
    if (w->last_full == 0 || now - w->last_full > FULL_MS) {
        w->last_full = now;
        cl_log_line(w->site->errors,
                    "cleat: all %u connections of a worker are taken (--max-connections), and "
                    "others wait: unfinished handshakes and idle connections are ended",
                    w->site->options->max_connections);
    }
    cl_timer_set(w->look, CL_WORKER_LOOK_MS);
}

static void on_waiting(void *ctx)
{
    const struct cl_worker_port *port = ctx;
    make_room(port->worker);
}

static void on_look(void *ctx)
{
    struct cl_worker *w = ctx;
    if (!w->stopping && is_full(w) && somebody_waits(w)) {
        make_room(w);
    }
}

static void on_incoming(void *ctx, struct cl_tcp *tcp)
{
    struct cl_worker_port *port = ctx;
    struct cl_worker *w = port->worker;
    if (cl_session_open(port, tcp) != CL_OK) {
        tell_accept_error(w, UV_ENOMEM);
        return;
    }
    cl_count_add(&w->counters->connections, 1);
    w->num_sessions++;
    atomic_store(&w->num_open, w->num_sessions);
    if (w->num_sessions > atomic_load(&w->num_most)) {
        atomic_store(&w->num_most, w->num_sessions);
    }
    if (is_full(w)) {
        hold_listeners(w, true);
    }
}

static const struct cl_listener_handler listener_handler = {
    .incoming = on_incoming,
    .waiting = on_waiting,
    .error = on_accept_error,
};

static void close_listeners(struct cl_worker *w)
{
    for (size_t i = 0; i < w->num_ports; i++) {
        cl_listener_free(w->ports[i].listener);
        w->ports[i].listener = NULL;
    }
}

/* Lets go of everything, so that the loop runs out of work. */
static void end_if_done(struct cl_worker *w)
{
    if (!w->stopping || w->ending || w->num_sessions > 0 ||
        (w->ws != NULL && !cl_ws_hub_is_empty(w->ws))) {
        return;
    }
    w->ending = true;
    cl_timer_free(w->grace);
    cl_timer_free(w->look);
    w->grace = w->look = NULL;
    cl_ws_hub_free(w->ws);
    w->ws = NULL;
    cl_hub_free(w->hub);
    cl_kept_files_free(w->kept);
    w->kept = NULL;
    pthread_mutex_lock(&w->wake_mutex);
    w->wake_closed = true;
    pthread_mutex_unlock(&w->wake_mutex);
    uv_close((uv_handle_t *)&w->wake, NULL);
}

void cl_worker_session_gone(struct cl_worker *w, struct cl_session *s)
{
    TAILQ_REMOVE(&w->sessions[s->list], s, link);
    cl_count_add(&w->counters->closed, 1);
    w->num_sessions--;
    atomic_store(&w->num_open, w->num_sessions);
    if (!w->stopping) {
        hold_listeners(w, false);
    }
    end_if_done(w);
}

static void abort_sessions(struct cl_worker *w)
{
    for (size_t i = 0; i < CL_WORKER_LISTS; i++) {
        struct cl_session *s;
        TAILQ_FOREACH(s, &w->sessions[i], link)
        {
            cl_session_abort(s);
        }
    }
}

/* Stopping moves sessions from list to list. */
static void stop_sessions(struct cl_worker *w)
{
    for (size_t i = 0; i < CL_WORKER_LISTS; i++) {
        struct cl_session *s = TAILQ_FIRST(&w->sessions[i]);
        while (s != NULL) {
            struct cl_session *next = TAILQ_NEXT(s, link);
            cl_session_stop(s);
            s = next;
        }
    }
    if (w->ws != NULL) {
        cl_ws_hub_abort(w->ws);
    }
}

static void on_websockets_changed(void *ctx)
{
    end_if_done(ctx);
}

static void on_grace_over(void *ctx)
{
    struct cl_worker *w = ctx;
    cl_log_line(w->site->errors, "cleat: the grace time is over: %zu connections are cut",
                w->num_sessions);
    abort_sessions(w);
}

static void on_wake(uv_async_t *wake)
{
    struct cl_worker *w = wake->data;
    int level = atomic_load(&w->stop);
    if (level == CL_WORKER_RUN || w->ending) {
        return;
    }
    if (!w->stopping) {
        w->stopping = true;
        close_listeners(w);
        cl_timer_set(w->grace, (uint64_t)w->site->options->grace_s * 1000);
        stop_sessions(w);
    }
    if (level == CL_WORKER_ABORT) {
        abort_sessions(w);
    }
    end_if_done(w);
}

static void *run(void *arg)
{
    struct cl_worker *w = arg;
    uv_run(&w->loop, UV_RUN_DEFAULT);
    uv_loop_close(&w->loop);
    w->done(w->done_ctx);
    return NULL;
}

static int listen_all(struct cl_worker *w)
{
    int status = 0;
    for (size_t i = 0; i < w->num_ports; i++) {
        struct cl_worker_port *port = &w->ports[i];
        port->worker = w;
        if (status == 0) {
            status = cl_listener_new(&w->loop, port->fd, &listener_handler, port, &port->listener);
        } else {
            close(port->fd);
        }
    }
    return status;
}

int cl_worker_start(struct cl_worker *w)
{
    for (size_t i = 0; i < CL_WORKER_LISTS; i++) {
        TAILQ_INIT(&w->sessions[i]);
    }
    pthread_mutex_init(&w->wake_mutex, NULL);
    int status = uv_loop_init(&w->loop);
    if (status != 0) {
        return status;
    }
    status = uv_async_init(&w->loop, &w->wake, on_wake);
    w->wake.data = w;
    if (status != 0 || cl_hub_new(&w->loop, &w->hub) != CL_OK ||
        cl_kept_files_new(&w->kept) != CL_OK ||
        cl_timer_new(&w->loop, on_grace_over, w, &w->grace) != CL_OK ||
        cl_timer_new(&w->loop, on_look, w, &w->look) != CL_OK) {
        return status != 0 ? status : UV_ENOMEM;
    }
    cl_hub_count(w->hub, &w->counters->hub);
    if (w->site->ws != NULL &&
        cl_ws_hub_new(w->site->ws, w->num_workers, &w->loop, &w->ws) != CL_OK) {
        return UV_ENOMEM;
    }
    if (w->ws != NULL) {
        w->ws->errors = w->site->errors;
        w->ws->changed = on_websockets_changed;
        w->ws->ctx = w;
    }
    status = listen_all(w);
    if (status == 0) {
        status = -pthread_create(&w->thread, NULL, run, w);
    }
    return status;
}

void cl_worker_stop(struct cl_worker *w, enum cl_worker_stop level)
{
    atomic_store(&w->stop, (int)level);
    pthread_mutex_lock(&w->wake_mutex);
    if (!w->wake_closed) {
        uv_async_send(&w->wake);
    }
    pthread_mutex_unlock(&w->wake_mutex);
}

void cl_worker_join(struct cl_worker *w)
{
    pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->wake_mutex);
}
