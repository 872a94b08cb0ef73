/* serve/session.c - see session.h. Implementation notes:
 *
 * Requests of one connection are worked off one after the other. While a response goes out the
 * stream holds back what the client has sent ahead, so that pipelining costs no memory here.
 * Early data (RFC 8470): GET and HEAD are answered at once, the answer travelling ahead of the
 * client's Finished; any other request is read, and its response held until the handshake is done.
 * Deadlines during that time are the handshake's. Who the client is: session_client.c.
 * A session is freed by `closed`, or, when the disk is still writing into its buffer, after that.
 */
#include "serve/session.h"

#include <string.h>

#include "base/mem.h"
#include "serve/demo_visit.h"
#include "serve/page.h"
#include "serve/ws_conn.h"
#include "serve/ws_upgrade.h"

static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";

static void pump(struct cl_session *s);

static void close_session(struct cl_session *s)
{
    s->state = CL_SESSION_CLOSED;
    cl_worker_list(s->worker, s, CL_WORKER_BUSY);
    /* what was said early is no reason to break the handshake off: on_ready closes */
    if (cl_stream_is_ready(s->stream)) {
        cl_stream_close(s->stream);
    }
}

/* ---- requests ---- */

static void become_idle(struct cl_session *s)
{
    s->state = CL_SESSION_IDLE;
    cl_worker_list(s->worker, s, CL_WORKER_IDLE);
    cl_stream_deadline(s->stream, CL_SERVE_KEEP_MS);
}

static void end_exchange(struct cl_session *s)
{
    bool last = s->x->close || s->peer_done;
    cl_file_read_free(s->file, NULL); /* not busy: the response is complete */
    s->file = NULL;
    cl_session_log_request(s);
    cl_exchange_free(s->x);
    s->x = NULL;
    s->num_requests++;
    cl_count_add(&s->worker->counters->requests_h1, 1);
    if (last) {
        close_session(s);
        return;
    }
    become_idle(s);
    cl_stream_resume(s->stream);
}

static bool begin_exchange(struct cl_session *s)
{
    if (cl_exchange_new(s->worker->site, &s->x) != CL_OK) {
        s->state = CL_SESSION_CLOSED;
        cl_stream_abort(s->stream, "out of memory");
        return false;
    }
    s->x->answer.visit = s->visit;
    s->at = 0;
    cl_worker_list(s->worker, s, CL_WORKER_BUSY);
    /* The first request's time runs since the handshake. */
    if (s->num_requests > 0) {
        cl_stream_deadline(s->stream, CL_SERVE_HEADER_MS);
    }
    s->state = CL_SESSION_HEAD;
    return true;
}

static void begin_response(struct cl_session *s)
{
    s->state = CL_SESSION_RESPOND;
    s->mark = 0;
    cl_exchange_seal(s->x);
    cl_stream_deadline(s->stream, CL_SERVE_STALL_MS);
    pump(s);
}

static void begin_body(struct cl_session *s)
{
    s->state = CL_SESSION_BODY;
    s->mark = 0;
    cl_stream_deadline(s->stream, CL_SERVE_STALL_MS);
    if (s->x->interim && cl_stream_is_ready(s->stream)) {
        /* 25 bytes fit: a request is taken only when the response before it has been written.
         * Should they not, the client goes on by itself after a while (RFC 9110 10.1.1). */
        (void)cl_stream_write(s->stream, interim, sizeof(interim) - 1);
    }
}

/* The request has come: what is left is to know who asks. */
static void respond(struct cl_session *s)
{
    if (s->x->answer.must_wait && !cl_stream_is_ready(s->stream)) {
        s->state = CL_SESSION_HELD;
    } else if (cl_session_ask_client(s)) {
        s->state = CL_SESSION_ASKED;
        cl_stream_deadline(s->stream, CL_SERVE_CERTIFICATE_MS);
    } else {
        begin_response(s);
    }
}

/* The request is for a WebSocket, and everything about the client is known. */
static void upgrade(struct cl_session *s)
{
    if (s->x->answer.reply.status != 0 || !cl_ws_upgrade(s)) {
        begin_response(s);
        return;
    }
    cl_exchange_free(s->x);
    s->x = NULL;
}

static void take_upgrade(struct cl_session *s)
{
    /* early data is refused whoever asks */
    if (s->x->early || !cl_session_ask_client(s)) {
        upgrade(s);
    } else if (cl_exchange_keep_head(s->x) == CL_OK) {
        s->state = CL_SESSION_ASKED;
        cl_stream_deadline(s->stream, CL_SERVE_CERTIFICATE_MS);
    } else {
        cl_stream_abort(s->stream, "out of memory");
    }
}

static void take_next(struct cl_session *s, enum cl_exchange_next next)
{
    if (next != CL_EXCHANGE_NEED_MORE && cl_session_deny_client(s)) {
        next = CL_EXCHANGE_RESPOND;
    }
    if (next == CL_EXCHANGE_RESPOND) {
        respond(s);
    } else if (next == CL_EXCHANGE_UPGRADE) {
        take_upgrade(s);
    } else if (next == CL_EXCHANGE_BODY) {
        begin_body(s);
    }
}

static bool is_last_request(const struct cl_session *s)
{
    return s->worker->stopping || s->num_requests + 1 >= CL_SERVE_MAX_REQUESTS;
}

static size_t on_data(void *ctx, uint8_t *p, size_t len)
{
    struct cl_session *s = ctx;
    size_t taken = 0;
    if (!cl_session_check_client(s)) {
        return len;
    }
    if (s->state == CL_SESSION_HANDSHAKE) { /* early data */
        s->state = CL_SESSION_IDLE;
    }
    while (taken < len) {
        size_t used = 0;
        if (s->state == CL_SESSION_IDLE && !begin_exchange(s)) {
            return len;
        }
        if (s->state == CL_SESSION_HEAD) {
            s->x->early = !cl_stream_is_ready(s->stream);
            take_next(s, cl_exchange_head(s->x, p + taken, len - taken, is_last_request(s), &used));
        } else if (s->state == CL_SESSION_HELD || s->state == CL_SESSION_ASKED) {
            /* What follows a held request cannot be left behind, or the handshake would never end,
             * and the client's certificate never come; it is dropped, and the client asks again on
             * another connection (RFC 9112 9.3.2). */
            s->x->close = true;
            s->x->behind += len - taken;
            return len;
        } else if (s->state == CL_SESSION_BODY) {
            take_next(s, cl_exchange_body(s->x, p + taken, len - taken, &used));
        } else {
            return s->state == CL_SESSION_CLOSED ? len : taken;
        }
        taken += used;
    }
    return taken;
}

/* ---- responses ---- */

static void give_file_buf(struct cl_session *s)
{
    cl_pool_give(cl_hub_pool(s->worker->hub), s->file_buf, CL_POOL_BUFFER);
    s->file_buf = NULL;
    s->file_len = 0;
}

/* Sends n bytes of the response, or as many as the stream takes. */
static bool send_filled(struct cl_session *s, const uint8_t *buf, size_t n)
{
    size_t taken = cl_stream_write(s->stream, buf, n);
    cl_exchange_untaken(s->x, s->at, n, taken);
    s->at += taken;
    return taken == n;
}

static void on_file_read(void *ctx, ssize_t n)
{
    struct cl_session *s = ctx;
    enum cl_body_next next;
    size_t len = s->file_len;
    len += cl_body_source_arrived(&s->x->answer.reply.body, s->file_buf + len, CL_POOL_BUFFER - len,
                                  s->file, n, &next);
    if (next == CL_BODY_FAILED) {
        give_file_buf(s);
        cl_stream_abort(s->stream, "the file cannot be read to its end");
        return;
    }
    (void)send_filled(s, s->file_buf, len);
    give_file_buf(s);
    pump(s);
}

static bool have_reader(struct cl_session *s)
{
    if (s->file != NULL || !cl_body_source_uses_file(&s->x->answer.reply.body)) {
        return true;
    }
    return cl_file_read_new(&s->worker->loop, on_file_read, s, &s->file) == CL_OK;
}

/* Writes one buffer of the response. False: not now, or never. */
static bool pump_once(struct cl_session *s)
{
    size_t room = cl_stream_room(s->stream);
    struct cl_pool *pool = cl_hub_pool(s->worker->hub);
    uint8_t *buf = room > 0 ? cl_pool_take(pool) : NULL;
    if (room == 0) {
        cl_stream_want_drained(s->stream);
        return false;
    }
    if (buf == NULL || !have_reader(s)) {
        cl_pool_give(pool, buf, 0);
        cl_stream_abort(s->stream, "out of memory");
        return false;
    }
    enum cl_body_next next;
    size_t cap = room < CL_POOL_BUFFER ? room : CL_POOL_BUFFER;
    size_t n = cl_exchange_fill(s->x, s->at, buf, cap, s->file, &next);
    if (next == CL_BODY_WAIT) {
        s->file_buf = buf;
        s->file_len = n;
        return false;
    }
    bool all = send_filled(s, buf, n);
    cl_pool_give(pool, buf, n);
    if (next == CL_BODY_FAILED) {
        cl_stream_abort(s->stream, "the file cannot be read to its end");
        return false;
    }
    return all;
}

static void pump(struct cl_session *s)
{
    if (s->state != CL_SESSION_RESPOND || s->file_buf != NULL) {
        return;
    }
    uint64_t total = cl_exchange_total(s->x);
    while (s->at < total) {
        if (!pump_once(s)) {
            return;
        }
    }
    end_exchange(s);
}

static void on_drained(void *ctx)
{
    pump(ctx);
}

/* ---- the connection ---- */

/* What early data began goes on as it would have begun now. */
static void go_on_after_early(struct cl_session *s)
{
    switch (s->state) {
    case CL_SESSION_HELD:
        respond(s);
        return;
    case CL_SESSION_BODY:
        begin_body(s);
        return;
    case CL_SESSION_RESPOND:
        cl_stream_deadline(s->stream, CL_SERVE_STALL_MS);
        return;
    case CL_SESSION_CLOSED:
        cl_stream_close(s->stream);
        return;
    default:
        return;
    }
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
    if (s->state != CL_SESSION_ASKED || !cl_session_client_answered(s)) {
        return;
    }
    if (s->x->answer.is_upgrade) {
        upgrade(s);
    } else {
        begin_response(s);
    }
}

static void on_ready(void *ctx)
{
    struct cl_session *s = ctx;
    if (s->state == CL_SESSION_HANDSHAKE) {
        s->state = CL_SESSION_IDLE;
        cl_worker_list(s->worker, s, CL_WORKER_IDLE);
    }
    cl_session_count_ready(s);
    cl_session_log_ready(s);
    if (!cl_session_check_client(s)) {
        return;
    }
    if (cl_stream_tls(s->stream) != NULL) {
        cleat_tls_forget(cl_stream_tls(s->stream));
    }
    go_on_after_early(s);
    if (s->state != CL_SESSION_IDLE && s->state != CL_SESSION_HEAD) {
        return;
    }
    cl_stream_deadline(s->stream, s->worker->stopping ? CL_SERVE_LAST_MS : CL_SERVE_HEADER_MS);
}

static void on_eof(void *ctx)
{
    struct cl_session *s = ctx;
    s->peer_done = true;
    if (s->state != CL_SESSION_RESPOND) {
        close_session(s);
    }
}

/* How far a body, or a response, has come: what the kernel still holds has not arrived. */
static uint64_t moved(const struct cl_session *s)
{
    if (s->state == CL_SESSION_BODY) {
        return s->x->body.total;
    }
    size_t unsent = cl_tcp_unsent(cl_stream_tcp(s->stream));
    return s->at > unsent ? s->at - unsent : 0;
}

static void on_deadline(void *ctx)
{
    struct cl_session *s = ctx;
    if (s->state == CL_SESSION_IDLE) {
        close_session(s);
        return;
    }
    if (s->state == CL_SESSION_HEAD) {
        cl_exchange_refuse(s->x, 408, "The request took too long to arrive.");
        begin_response(s);
        return;
    }
    if (s->state == CL_SESSION_ASKED) {
        cl_session_client_silent(s);
        begin_response(s);
        return;
    }
    if (s->x == NULL) {
        return;
    }
    if (s->file_buf != NULL || moved(s) >= s->mark + CL_SERVE_STALL_BYTES) {
        s->mark = moved(s);
        cl_stream_deadline(s->stream, CL_SERVE_STALL_MS);
    } else if (s->state == CL_SESSION_BODY) {
        cl_exchange_refuse(s->x, 408, "The request's body took too long to arrive.");
        begin_response(s);
    } else {
        cl_stream_abort(s->stream, "the client takes nothing any more");
    }
}

static void free_session(void *ctx)
{
    struct cl_session *s = ctx;
    struct cl_worker *worker = s->worker;
    give_file_buf(s);
    cl_exchange_free(s->x);
    cl_client_id_deinit(&s->client);
    cl_capture_file_end(s->capture);
    cl_demo_visit_free(s->visit);
    cl_worker_session_gone(worker, s);
    cl_free(s);
}

void cl_session_closed(struct cl_session *s, const struct cl_stream_end *end)
{
    if (s->x != NULL && (s->state == CL_SESSION_RESPOND || s->state == CL_SESSION_BODY)) {
        cl_session_log_request(s);
    }
    cl_session_count_end(s, end);
    cl_session_log_end(s, end);
    s->state = CL_SESSION_CLOSED;
    s->stream = NULL;
    if (s->file == NULL) {
        free_session(s);
        return;
    }
    struct cl_file_read *file = s->file;
    s->file = NULL;
    cl_file_read_free(file, free_session);
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

cl_result cl_session_open(struct cl_worker *worker, struct cl_tcp *tcp, bool clear)
{
    struct cleat_tls *tls = NULL;
    struct cl_session *s = cl_calloc(1, sizeof(*s));
    if (s == NULL || (!clear && !make_tls(s, worker->site, &tls))) {
        cl_free(s);
        cl_tcp_free(tcp);
        return CLEAT_ERR_NOMEM;
    }
    s->worker = worker;
    s->list = CL_WORKER_LISTS;
    write_addresses(s, tcp);
    s->capture = cl_captures_begin(worker->site->captures, s->peer);
    /* Without memory for it the connection has no page to show. */
    if (worker->site->demo == NULL || cl_demo_visit_new(tls, s->peer, &s->visit) != CL_OK) {
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

void cl_session_stop(struct cl_session *s)
{
    if (s->ws != NULL) {
        cl_websocket_stop(s->ws);
    } else if (s->state == CL_SESSION_IDLE) {
        /* A connection on which nothing was asked yet may have its first request on the way. */
        if (s->num_requests == 0) {
            cl_stream_deadline(s->stream, CL_SERVE_LAST_MS);
        } else {
            close_session(s);
        }
    } else if (s->x != NULL) {
        s->x->close = true;
    }
}

void cl_session_yield(struct cl_session *s)
{
    if (s->state == CL_SESSION_IDLE) {
        close_session(s);
        cl_worker_list(s->worker, s, CL_WORKER_LEAVING);
    } else if (s->stream != NULL) {
        cl_stream_abort(s->stream, "the server is full, and others wait");
    }
}

void cl_session_abort(struct cl_session *s)
{
    if (s->stream != NULL) {
        cl_stream_abort(s->stream, "the server stops");
    }
}
