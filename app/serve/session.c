/* serve/session.c - see session.h. Implementation notes:
 *
 * Deadlines until the handshake is done are the stream's own. Who the client is: session_client.c;
 * HTTP: session_http.c. A session is freed by `closed`, or, when the disk is still writing into
 * buffers of its exchanges, after that.
 */
#include "serve/session.h"

#include <string.h>

#include "base/mem.h"
#include "net/clock.h"
#include "serve/demo_visit.h"
#include "serve/page.h"
#include "serve/ws_conn.h"

static void out_of_memory(struct cl_session *s)
{
    s->state = CL_SESSION_CLOSED;
    cl_stream_abort(s->stream, "out of memory");
}

static size_t on_data(void *ctx, uint8_t *p, size_t len)
{
    struct cl_session *s = ctx;
    if (!cl_session_check_client(s)) {
        return len;
    }
    if (s->state == CL_SESSION_HANDSHAKE && cl_session_begin_http(s) != CL_OK) { /* early data */
        out_of_memory(s);
    }
    if (s->state == CL_SESSION_CLOSED) {
        return len;
    }
    return cl_session_take(s, p, len);
}

static void on_drained(void *ctx)
{
    cl_session_run(ctx);
}

static void on_decision(void *ctx, enum cleat_decision which)
{
    if (which == CLEAT_DECIDE_HELLO) {
        cl_session_decide_hello(ctx);
    } else {
        cl_session_decide_client(ctx, which);
    }
}

static void on_certificate(void *ctx)
{
    struct cl_session *s = ctx;
    struct cl_exchange *x;
    if (s->state != CL_SESSION_HTTP || s->ask_until == 0 || !cl_session_client_answered(s)) {
        return;
    }
    s->ask_until = 0;
    s->now = cl_clock_mono_us();
    TAILQ_FOREACH(x, &s->exchanges, link)
    {
        if (x->state == CL_EXCHANGE_ASKED) {
            cl_exchange_certified(x);
        }
    }
    cl_session_run(s);
}

/* What early data began goes on as it would have begun now. */
static void go_on_after_early(struct cl_session *s)
{
    struct cl_exchange *x;
    TAILQ_FOREACH(x, &s->exchanges, link)
    {
        cl_exchange_ready(x);
    }
}

static void on_ready(void *ctx)
{
    struct cl_session *s = ctx;
    cl_session_count_ready(s);
    cl_session_log_ready(s);
    if (!cl_session_check_client(s)) {
        return;
    }
    if (s->state == CL_SESSION_CLOSED) {
        cl_stream_close(s->stream);
        return;
    }
    if (s->state == CL_SESSION_HANDSHAKE && cl_session_begin_http(s) != CL_OK) {
        out_of_memory(s);
        return;
    }
    if (cl_stream_tls(s->stream) != NULL) {
        cleat_tls_forget(cl_stream_tls(s->stream));
    }
    s->now = cl_clock_mono_us();
    go_on_after_early(s);
    cl_session_run(s);
}

static void on_eof(void *ctx)
{
    struct cl_session *s = ctx;
    if (s->state == CL_SESSION_HTTP) {
        (void)cleat_http_server_eof(s->http);
        cl_session_run(s);
    }
}

static void on_deadline(void *ctx)
{
    cl_session_due(ctx);
}

static void free_session(struct cl_session *s)
{
    struct cl_worker *worker = s->worker;
    cl_client_id_deinit(&s->client);
    cl_capture_file_end(s->capture);
    cl_demo_visit_free(s->visit);
    cl_worker_session_gone(worker, s);
    cl_free(s);
}

void cl_session_release(struct cl_session *s)
{
    s->num_reads--;
    if (s->stream == NULL && s->num_reads == 0) {
        free_session(s);
    }
}

void cl_session_closed(struct cl_session *s, const struct cl_stream_end *end)
{
    cl_session_drop_http(s);
    cl_session_count_end(s, end);
    cl_session_log_end(s, end);
    s->state = CL_SESSION_CLOSED;
    s->stream = NULL;
    if (s->num_reads == 0) {
        free_session(s);
    }
}

static void on_closed(void *ctx, const struct cl_stream_end *end)
{
    cl_session_closed(ctx, end);
}

/* Somebody speaks plain HTTP to this port and is told where to go. */
static void on_failed(void *ctx, const struct cleat_error *error)
{
    struct cl_session *s = ctx;
    struct cl_buf reply = {0};
    size_t len = 0;
    if (error->code != CLEAT_ERR_HTTP_ON_TLS_PORT) {
        return;
    }
    const uint8_t *p = cl_stream_clear_input(s->stream, &len);
    if (cl_page_wrong_port(p, len, s->local, &reply) == CL_OK) {
        cl_stream_reply_clear(s->stream, reply.p, reply.len);
    }
    cl_buf_deinit(&reply);
}

static const struct cl_stream_handler handler = {
    .ready = on_ready,
    .data = on_data,
    .drained = on_drained,
    .eof = on_eof,
    .decision = on_decision,
    .certificate = on_certificate,
    .failed = on_failed,
    .deadline = on_deadline,
    .closed = on_closed,
};

static void write_addresses(struct cl_session *s, const struct cl_tcp *tcp)
{
    struct sockaddr_storage address;
    struct cl_addr addr;
    if (cl_tcp_peer(tcp, &address)) {
        memcpy(&addr, &address, sizeof(addr));
        cl_addr_format_port(&addr, s->peer);
    }
    if (cl_tcp_local(tcp, &address)) {
        memcpy(&addr, &address, sizeof(addr));
        cl_addr_format_port(&addr, s->local);
    }
}

static bool make_tls(struct cl_session *s, const struct cl_site *site, struct cleat_tls **out)
{
    struct cleat_tls_config *config = cl_site_tls(site);
    int code = cleat_tls_server_new(config, s, out);
    cleat_tls_config_free(config); /* the connection has its own reference */
    return code == CLEAT_OK;
}

cl_result cl_session_open(const struct cl_worker_port *port, struct cl_tcp *tcp)
{
    struct cl_worker *worker = port->worker;
    struct cleat_tls *tls = NULL;
    struct cl_session *s = cl_calloc(1, sizeof(*s));
    if (s == NULL || (!port->clear && !make_tls(s, worker->site, &tls))) {
        cl_free(s);
        cl_tcp_free(tcp);
        return CLEAT_ERR_NOMEM;
    }
    s->worker = worker;
    s->redirects = port->redirect;
    s->list = CL_WORKER_LISTS;
    TAILQ_INIT(&s->exchanges);
    write_addresses(s, tcp);
    s->capture = cl_captures_begin(worker->site->captures, s->peer);
    /* Without memory for it the connection has no page to show. */
    if (worker->site->demo == NULL || port->redirect ||
        cl_demo_visit_new(tls, s->peer, &s->visit) != CL_OK) {
        s->visit = NULL;
    }
    struct cl_stream_setup setup = {.tcp = tcp,
                                    .tls = tls,
                                    .handler = &handler,
                                    .ctx = s,
                                    .capture = cl_capture_file_capture(s->capture)};
    if (cl_stream_open(worker->hub, &setup, &s->stream) != CL_OK) {
        cl_capture_file_end(s->capture);
        cl_demo_visit_free(s->visit);
        cl_free(s);
        return CLEAT_ERR_NOMEM;
    }
    cl_worker_list(worker, s, CL_WORKER_HANDSHAKES);
    return CL_OK;
}

/* The WebSockets of HTTP/2 end like any other; what else is in flight is answered. */
static void stop_http(struct cl_session *s)
{
    struct cl_exchange *x;
    TAILQ_FOREACH(x, &s->exchanges, link)
    {
        if (x->ws != NULL) {
            cl_websocket_stop(x->ws);
        }
    }
    (void)cleat_http_server_shutdown(s->http, cl_clock_mono_us());
    cl_session_run(s);
}

void cl_session_stop(struct cl_session *s)
{
    if (s->ws != NULL) {
        cl_websocket_stop(s->ws);
    } else if (s->state == CL_SESSION_HTTP) {
        stop_http(s);
    }
}

void cl_session_yield(struct cl_session *s)
{
    if (s->stream == NULL) {
        return;
    }
    if (s->list != CL_WORKER_IDLE || s->state != CL_SESSION_HTTP) {
        cl_stream_abort(s->stream, "the server is full, and others wait");
        return;
    }
    /* HTTP/2: the GOAWAY that says so; HTTP/1.1 has nothing to say */
    (void)cleat_http_server_shutdown(s->http, cl_clock_mono_us());
    (void)cl_session_send_output(s);
    cl_session_close(s);
    cl_worker_list(s->worker, s, CL_WORKER_LEAVING);
}

void cl_session_abort(struct cl_session *s)
{
    if (s->stream != NULL) {
        cl_stream_abort(s->stream, "the server stops");
    }
}
