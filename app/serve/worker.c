/* serve/worker.c - see worker.h. */
#include "serve/worker.h"

#include <string.h>
#include <unistd.h>

#include "serve/session.h"

/* 5 s: between two lines about failing accepts */
#define ACCEPT_ERROR_MS 5000

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

static void on_incoming(void *ctx, struct cl_tcp *tcp)
{
    struct cl_worker_port *port = ctx;
    struct cl_worker *w = port->worker;
    if (cl_session_open(w, tcp, port->clear) != CL_OK) {
        tell_accept_error(w, UV_ENOMEM);
        return;
    }
    w->num_sessions++;
    atomic_store(&w->num_open, w->num_sessions);
    if (w->num_sessions > atomic_load(&w->num_most)) {
        atomic_store(&w->num_most, w->num_sessions);
    }
    if (w->num_sessions >= w->site->options->max_connections) {
        hold_listeners(w, true);
    }
}

static const struct cl_listener_handler listener_handler = {
    .incoming = on_incoming,
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
    w->grace = NULL;
    cl_ws_hub_free(w->ws);
    w->ws = NULL;
    cl_hub_free(w->hub);
    pthread_mutex_lock(&w->wake_mutex);
    w->wake_closed = true;
    pthread_mutex_unlock(&w->wake_mutex);
    uv_close((uv_handle_t *)&w->wake, NULL);
}

void cl_worker_session_gone(struct cl_worker *w)
{
    w->num_sessions--;
    atomic_store(&w->num_open, w->num_sessions);
    if (!w->stopping) {
        hold_listeners(w, false);
    }
    end_if_done(w);
}

static void abort_sessions(struct cl_worker *w)
{
    struct cl_session *s;
    TAILQ_FOREACH(s, &w->sessions, link)
    {
        cl_session_abort(s);
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
        struct cl_session *s;
        TAILQ_FOREACH(s, &w->sessions, link)
        {
            cl_session_stop(s);
        }
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
    TAILQ_INIT(&w->sessions);
    pthread_mutex_init(&w->wake_mutex, NULL);
    int status = uv_loop_init(&w->loop);
    if (status != 0) {
        return status;
    }
    status = uv_async_init(&w->loop, &w->wake, on_wake);
    w->wake.data = w;
    if (status != 0 || cl_hub_new(&w->loop, &w->hub) != CL_OK ||
        cl_timer_new(&w->loop, on_grace_over, w, &w->grace) != CL_OK) {
        return status != 0 ? status : UV_ENOMEM;
    }
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
