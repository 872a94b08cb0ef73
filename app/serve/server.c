/* serve/server.c - see server.h. The main thread has a loop for signals alone; every worker has its
 * own sockets (SO_REUSEPORT) and shares nothing but the site.
 */
#include "serve/server.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"
#include "cleat/batch.h"
#include "serve/captures.h"
#include "serve/demo.h"
#include "serve/staples.h"
#include "serve/worker.h"

/* 1,000, 4: when there were that many connections, and no more than a quarter of them are left, the
 * memory that they took goes back to the system; malloc alone would keep most of it */
#define TRIM_MIN   1000
#define TRIM_SHARE 4
/* 100: no more than that have come in a period after so many as above: they stay, and what their
 * handshakes took all at once goes back */
#define TRIM_QUIET 100

struct server {
    struct cl_site site;
    struct cl_worker *workers;
    struct cl_counters *counters;                      /* of each worker */
    size_t num_workers;                                /* started */
    struct cl_serve_address told[CL_SERVE_MAX_LISTEN]; /* bound, to be told when workers accept */
    size_t num_told;
    uv_loop_t loop;
    uv_signal_t on_int;
    uv_signal_t on_term;
    uv_signal_t on_hup;
    uv_async_t worker_done;
    uv_timer_t period;
    atomic_size_t num_done;
    uint64_t num_came;  /* connections, by the last period's end */
    uint64_t came_then; /* ... when memory was given back because they had become few */
    bool stopping;
    bool had_terminal; /* at the start: without it SIGHUP is for us, with it perhaps its end */
};

/* A connection with a file open needs two descriptors. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static cl_result bind_error(struct cleat_error *err, const char *address, int code)
{
    struct cl_why why = {.code = CLEAT_ERR_BAD_CONFIG};
    if (code == EADDRINUSE) {
        why.hint = "another program listens there (see: ss -ltnp); stop it, or choose another "
                   "address with --listen";
        return cl_error_set(err, why, "the address %s is in use", address);
    }
    if (code == EACCES) {
        why.hint = "ports below 1024 need CAP_NET_BIND_SERVICE";
    }
    return cl_error_set(err, why, "cannot listen on %s: %s", address, strerror(code));
}

/* One socket for every worker on one address. */
static cl_result bind_address(struct server *server, size_t num_threads,
                              const struct cl_serve_address *wanted, struct cleat_error *err)
{
    const struct cl_serve_options *o = server->site.options;
    struct sockaddr_storage address = {0};
    char text[CL_ADDR_TEXT_SIZE];
    memcpy(&address, &wanted->addr, sizeof(wanted->addr));
    cl_addr_format_port(&wanted->addr, text);
    for (size_t i = 0; i < num_threads; i++) {
        struct cl_worker *w = &server->workers[i];
        int fd = cl_listener_bind(&address, i == 0);
        bool absent = fd == -EAFNOSUPPORT || fd == -EADDRNOTAVAIL;
        if (i == 0 && absent && o->default_listen) {
            fprintf(stderr, "cleat: warning: %s is left out: %s\n", text, strerror(-fd));
            return CL_OK;
        }
        if (fd < 0) {
            return bind_error(err, text, -fd);
        }
        w->ports[w->num_ports].clear = wanted->clear;
        w->ports[w->num_ports].redirect = wanted->redirect;
        w->ports[w->num_ports++].fd = fd;
    }
    if (!wanted->clear && server->site.https_port == 0) {
        struct cl_addr bound;
        memcpy(&bound, &address, sizeof(bound));
        server->site.https_port = cl_addr_port(&bound);
    }
    if (!o->quiet || cl_addr_port(&wanted->addr) == 0) {
        struct cl_serve_address *told = &server->told[server->num_told++];
        told->clear = wanted->clear;
        told->redirect = wanted->redirect;
        memcpy(&told->addr, &address, sizeof(told->addr));
    }
    return CL_OK;
}

/* Once connections are accepted, and signals handled: who reads it may rely on both. */
static void tell_addresses(const struct server *server)
{
    char text[CL_ADDR_TEXT_SIZE];
    for (size_t i = 0; i < server->num_told; i++) {
        const struct cl_serve_address *told = &server->told[i];
        cl_addr_format_port(&told->addr, text);
        cl_log_line(server->site.errors, "cleat: listening on http%s://%s (%zu thread%s)%s",
                    told->clear ? "" : "s", text, server->num_workers,
                    server->num_workers == 1 ? "" : "s",
                    told->redirect ? ": all are sent to https"
                    : told->clear  ? ": in clear, for tests on this machine only"
                                   : "");
    }
}

static void close_sockets(struct server *server, size_t from, size_t num_threads)
{
    for (size_t i = from; i < num_threads; i++) {
        for (size_t k = 0; k < server->workers[i].num_ports; k++) {
            close(server->workers[i].ports[k].fd);
        }
    }
}

static cl_result bind_all(struct server *server, size_t num_threads, struct cleat_error *err)
{
    const struct cl_serve_options *o = server->site.options;
    cl_result result = CL_OK;
    for (size_t i = 0; i < o->num_listen && result == CL_OK; i++) {
        result = bind_address(server, num_threads, &o->listen[i], err);
    }
    if (result == CL_OK && server->workers[0].num_ports == 0) {
        result = cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                              "there is no address to listen on");
    }
    if (result != CL_OK) {
        close_sockets(server, 0, num_threads);
    }
    return result;
}

/* ---- running ---- */

static size_t count_open(const struct server *server)
{
    size_t num = 0;
    for (size_t i = 0; i < server->num_workers; i++) {
        num += atomic_load(&server->workers[i].num_open);
    }
    return num;
}

static void stop_workers(struct server *server, enum cl_worker_stop level)
{
    for (size_t i = 0; i < server->num_workers; i++) {
        cl_worker_stop(&server->workers[i], level);
    }
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;
    const char *name = number == SIGINT ? "SIGINT" : number == SIGHUP ? "SIGHUP" : "SIGTERM";
    if (server->stopping) {
        cl_log_line(server->site.errors, "cleat: %s again: leaving at once", name);
        stop_workers(server, CL_WORKER_ABORT);
        return;
    }
    server->stopping = true;
    if (!server->site.options->quiet) {
        cl_log_line(server->site.errors,
                    "cleat: %s: no new connections; %zu open ones have up to %u s to finish", name,
                    count_open(server), server->site.options->grace_s);
    }
    stop_workers(server, CL_WORKER_FINISH);
}

static bool has_terminal(void)
{
    int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
    }
    return fd >= 0;
}

static void on_reload(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;
    struct cleat_error err = {0};
    if (server->stopping) {
        return;
    }
    if (server->had_terminal && !has_terminal()) {
        on_signal(handle, number); /* whoever started us has gone */
        return;
    }
    if (server->site.captures != NULL) {
        cl_captures_recount(server->site.captures);
    }
    cl_result result = cl_site_reload(&server->site, &err);
    if (result != CL_OK) {
        bool hint = err.hint[0] != '\0';
        cl_error_set(&err, (struct cl_why){.code = result}, "%s", cleat_error_sentence(result));
        cl_log_line(server->site.errors,
                    "cleat: SIGHUP: nothing is changed, the certificates in use stay: %s%s%s",
                    err.text, hint ? "; hint: " : "", err.hint);
        return;
    }
    cl_log_line(server->site.errors,
                "cleat: SIGHUP: certificates, keys and CAs were read again, for new connections; "
                "%zu open ones go on",
                count_open(server));
}

/* In the worker's thread. */
static void on_worker_done(void *ctx)
{
    struct server *server = ctx;
    atomic_fetch_add(&server->num_done, 1);
    uv_async_send(&server->worker_done);
}

static void end_if_all_done(uv_async_t *async)
{
    struct server *server = async->data;
    if (atomic_load(&server->num_done) < server->num_workers ||
        uv_is_closing((uv_handle_t *)async)) {
        return;
    }
    uv_close((uv_handle_t *)&server->on_int, NULL);
    uv_close((uv_handle_t *)&server->on_term, NULL);
    uv_close((uv_handle_t *)&server->on_hup, NULL);
    uv_close((uv_handle_t *)&server->worker_done, NULL);
    uv_close((uv_handle_t *)&server->period, NULL);
    cl_staples_stop(server->site.staples);
}

/* Of a thousand connections a quarter is left. */
static bool have_most_gone(struct server *server)
{
    size_t most = 0;
    for (size_t i = 0; i < server->num_workers; i++) {
        most += atomic_load(&server->workers[i].num_most);
    }
    if (most < TRIM_MIN || count_open(server) > most / TRIM_SHARE) {
        return false;
    }
    for (size_t i = 0; i < server->num_workers; i++) {
        atomic_store(&server->workers[i].num_most, 0);
    }
    return true;
}

/* A thousand connections have come, and hardly any in this period. */
static bool have_most_come(struct server *server)
{
    struct cl_counters sum;
    cl_counters_sum(server->counters, server->num_workers, &sum);
    const uint64_t came = cl_count_read(&sum.connections);
    const bool quiet = came - server->num_came <= TRIM_QUIET;
    server->num_came = came;
    if (!quiet || came - server->came_then < TRIM_MIN) {
        return false;
    }
    server->came_then = came;
    return true;
}

static void give_memory_back(struct server *server)
{
    const bool gone = have_most_gone(server);
    if (have_most_come(server) || gone) {
        (void)malloc_trim(0);
    }
}

static void on_period(uv_timer_t *period)
{
    struct server *server = period->data;
    cl_failures_tick(server->site.failures);
    give_memory_back(server);
}

static void open_main_loop(struct server *server)
{
    server->had_terminal = has_terminal();
    uv_loop_init(&server->loop);
    uv_async_init(&server->loop, &server->worker_done, end_if_all_done);
    uv_signal_init(&server->loop, &server->on_int);
    uv_signal_init(&server->loop, &server->on_term);
    uv_signal_init(&server->loop, &server->on_hup);
    server->worker_done.data = server;
    uv_timer_init(&server->loop, &server->period);
    server->period.data = server;
    server->on_int.data = server;
    server->on_term.data = server;
    server->on_hup.data = server;
    uv_signal_start(&server->on_int, on_signal, SIGINT);
    uv_signal_start(&server->on_term, on_signal, SIGTERM);
    uv_signal_start(&server->on_hup, on_reload, SIGHUP);
    uv_timer_start(&server->period, on_period, CL_FAILURES_PERIOD_MS, CL_FAILURES_PERIOD_MS);
}

static cl_result start_workers(struct server *server, size_t num_threads, struct cleat_error *err)
{
    for (size_t i = 0; i < num_threads; i++) {
        struct cl_worker *w = &server->workers[i];
        w->site = &server->site;
        w->counters = &server->counters[i];
        w->num_workers = num_threads;
        w->done = on_worker_done;
        w->done_ctx = server;
        int status = cl_worker_start(w);
        if (status != 0) {
            close_sockets(server, i + 1, num_threads);
            return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_INTERNAL},
                                "worker %zu cannot start: %s", i, uv_strerror(status));
        }
        server->num_workers++;
    }
    return CL_OK;
}

static cl_result run(struct server *server, size_t num_threads, struct cleat_error *err)
{
    CL_TRY(bind_all(server, num_threads, err));
    open_main_loop(server);
    /* first, so that the first connection gets what an earlier run has left */
    cl_result result = cl_staples_new(&server->site, &server->loop, &server->site.staples);
    if (result == CL_OK) {
        result = start_workers(server, num_threads, err);
    }
    if (result == CL_OK) {
        tell_addresses(server);
        cl_staples_start(server->site.staples);
    } else {
        stop_workers(server, CL_WORKER_ABORT);
        uv_async_send(&server->worker_done);
    }
    uv_run(&server->loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < server->num_workers; i++) {
        cl_worker_join(&server->workers[i]);
    }
    cl_staples_free(server->site.staples);
    uv_run(&server->loop, UV_RUN_DEFAULT);
    uv_loop_close(&server->loop);
    return result;
}

static cl_result open_captures(struct cl_site *site, struct cleat_error *err)
{
    const struct cl_serve_options *o = site->options;
    const struct cl_captures_setup setup = {
        .dir = o->pcap,
        .max_files = o->pcap_max_files != 0 ? o->pcap_max_files : CL_CAPTURES_MAX_FILES,
        .max_bytes = o->pcap_max_bytes != 0 ? o->pcap_max_bytes : CL_CAPTURES_MAX_BYTES,
        .log = site->errors,
        .verbose = o->verbose > 0};
    return o->pcap != NULL ? cl_captures_new(&setup, &site->captures, err) : CL_OK;
}

static cl_result make_workers(struct server *server, size_t num)
{
    server->workers = cl_calloc(num, sizeof(*server->workers));
    server->counters = cl_calloc(num, sizeof(*server->counters));
    if (server->workers == NULL || server->counters == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    /* looks for crypto_mb and tries it: not while the first client waits */
    (void)cleat_batch_describe();
    return server->site.options->demo ? cl_demo_new(server->counters, num, &server->site.demo)
                                      : CL_OK;
}

cl_result cl_serve(const struct cl_serve_options *options, struct cleat_error *err)
{
    struct server server = {0};
    size_t num_threads = options->threads != 0 ? options->threads : uv_available_parallelism();
    num_threads = num_threads < CL_SERVE_MAX_THREADS ? num_threads : CL_SERVE_MAX_THREADS;
    raise_file_limit();
    CL_TRY(cl_site_load(&server.site, options, err));
    cl_result result = open_captures(&server.site, err);
    if (result == CL_OK) {
        result = make_workers(&server, num_threads);
    }
    if (result == CL_OK) {
        result = run(&server, num_threads, err);
    }
    cl_site_deinit(&server.site);
    cl_free(server.counters);
    cl_free(server.workers);
    return result;
}
