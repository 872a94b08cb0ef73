/* conn/tunnel.c - the bytes of a tunnel being made. See tunnel.h.
 *
 * A tunnel is over when done was called or it was cancelled. After a success its stream has another
 * owner (conn/carried.h), and it is freed at once; after a failure when the stream has closed.
 */
#include "conn/tunnel.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "conn/carried.h"
#include "conn/tunnel_impl.h"

static const struct cl_tunnel_protocol *protocol_of(const struct cl_tunnel *t)
{
    static const struct cl_tunnel_protocol *const protocols[] = {
        [CL_PROXY_HTTP] = &cl_tunnel_http,
        [CL_PROXY_HTTPS] = &cl_tunnel_http,
        [CL_PROXY_SOCKS5] = &cl_tunnel_socks,
        [CL_PROXY_SOCKS5H] = &cl_tunnel_socks,
    };
    return protocols[t->spec.proxy->kind];
}

/* ---- the end ---- */

static void free_tunnel(struct cl_tunnel *t)
{
    cl_dns_cancel(t->query);
    cl_buf_deinit(&t->in);
    cl_buf_deinit(&t->out);
    cl_free(t);
}

static void leave(struct cl_tunnel *t)
{
    t->over = true;
    if (t->stream != NULL) {
        cl_stream_abort(t->stream, NULL);
    } else {
        free_tunnel(t);
    }
}

/* result.error says why. */
static void fail(struct cl_tunnel *t)
{
    if (t->over) {
        return;
    }
    t->over = true;
    if (!t->result.in_tls) {
        t->result.error.alert = 0; /* nobody is told */
    }
    t->result.tls = t->stream != NULL ? cl_stream_tls(t->stream) : t->result.tls;
    t->spec.done(t->spec.ctx, &t->result);
    leave(t);
}

static void fail_without_memory(struct cl_tunnel *t)
{
    (void)cl_error_set(&t->result.error, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    fail(t);
}

/* What comes to mind when a proxy ends the connection before it has said anything. */
static const char *hint_of_end(const struct cl_tunnel *t)
{
    const bool tls = t->spec.proxy->kind == CL_PROXY_HTTPS;
    return t->in.len != 0     ? NULL
           : !tls             ? "perhaps the proxy speaks TLS: then write https://"
           : t->result.in_tls ? "perhaps the proxy does not speak TLS: then write http://"
                              : NULL;
}

static void fail_ended(struct cl_tunnel *t, const char *how)
{
    const struct cl_why why = {.code = CLEAT_ERR_TRUNCATED, .hint = hint_of_end(t)};
    (void)cl_error_set(&t->result.error, why, "the proxy %s port %u %s", t->spec.proxy->host,
                       (unsigned)t->spec.proxy->port, how);
    fail(t);
}

/* ---- the conversation ---- */

static void send_more(struct cl_tunnel *t)
{
    if (t->sent < t->out.len) {
        t->sent += cl_stream_write(t->stream, t->out.p + t->sent, t->out.len - t->sent);
    }
}

/* The host does not speak before it was spoken to: bytes behind the answer are the proxy's own, and
 * would be taken for the host's (request smuggling's sister). */
static void open_it(struct cl_tunnel *t)
{
    if (t->in.len != 0) {
        const struct cl_why why = {.code = CLEAT_ERR_HTTP_AMBIGUOUS,
                                   .section = "RFC 9110 9.3.6",
                                   .hint = "refused: they would be taken for the server's"};
        (void)cl_error_set(&t->result.error, why,
                           "the proxy %s port %u sends %zu bytes behind its answer, before the "
                           "server was asked for anything",
                           t->spec.proxy->host, (unsigned)t->spec.proxy->port, t->in.len);
        fail(t);
        return;
    }
    t->result.tls = cl_stream_tls(t->stream);
    if (cl_carried_new(t->spec.hub, t->stream, &t->result.tcp) != CL_OK) {
        fail_without_memory(t);
        return;
    }
    t->stream = NULL;
    t->over = true;
    t->spec.done(t->spec.ctx, &t->result);
    leave(t);
}

void cl_tunnel_go_on(struct cl_tunnel *t)
{
    const enum cl_tunnel_next next = protocol_of(t)->take(t);
    if (next == CL_TUNNEL_OPEN) {
        open_it(t);
    } else if (next == CL_TUNNEL_FAILED) {
        fail(t);
    } else {
        send_more(t);
    }
}

static size_t on_data(void *ctx, uint8_t *p, size_t len)
{
    struct cl_tunnel *t = ctx;
    if (t->over) {
        return len;
    }
    /* The longest head, and a record that ends it. */
    if (cl_buf_append(&t->in, p, len, CLEAT_HTTP_MAX_RESPONSE_HEAD + CL_POOL_BUFFER) != CL_OK) {
        fail_without_memory(t);
    } else {
        cl_tunnel_go_on(t);
    }
    return len;
}

static void on_drained(void *ctx)
{
    send_more(ctx);
}

static void on_ready(void *ctx)
{
    struct cl_tunnel *t = ctx;
    struct cleat_tls_info info;
    t->ready = true;
    if (cl_stream_tls(t->stream) != NULL &&
        cleat_tls_info(cl_stream_tls(t->stream), &info) == CLEAT_OK) {
        cl_trace_note(t->spec.trace, "prxy", "TLS with the proxy: %s, %s%s",
                      info.version == CLEAT_TLS_1_2 ? "TLSv1.2" : "TLSv1.3", info.cipher_name,
                      t->spec.proxy->insecure ? "; its certificate is not verified" : "");
    }
    if (protocol_of(t)->begin(t) != CL_OK) {
        fail_without_memory(t);
        return;
    }
    send_more(t);
}

/* ---- the stream ---- */

static void on_decision(void *ctx, enum cleat_decision which)
{
    struct cl_tunnel *t = ctx;
    struct cleat_tls *tls = cl_stream_tls(t->stream);
    if (which == CLEAT_DECIDE_PEER && t->spec.proxy->insecure) {
        (void)cleat_tls_accept_peer(tls);
    } else {
        (void)cleat_tls_refuse(tls, 40, "nobody here can answer this decision");
    }
    cl_stream_decided(t->stream);
}

static void on_eof(void *ctx)
{
    struct cl_tunnel *t = ctx;
    if (!t->over) {
        fail_ended(t, t->in.len != 0 ? "ends the connection inside its answer"
                                     : "ends the connection without an answer");
    }
}

static void on_failed(void *ctx, const struct cleat_error *error)
{
    struct cl_tunnel *t = ctx;
    const struct cleat_verdict *verdict = cleat_tls_verdict(cl_stream_tls(t->stream));
    const bool refused = verdict != NULL && cleat_verdict_code(verdict) != CLEAT_OK;
    t->result.in_tls = !t->ready;
    (void)cl_error_set(&t->result.error,
                       (struct cl_why){.code = (cl_result)error->code,
                                       .alert = error->alert,
                                       .section = error->section,
                                       .hint = refused
                                                   ? "--proxy-cacert FILE trusts another CA for "
                                                     "the proxy; --proxy-insecure accepts any "
                                                     "certificate of it"
                                                   : error->hint},
                       "TLS with the proxy %s: %s", t->spec.proxy->host, error->text);
    t->result.error.from_peer = error->from_peer;
    fail(t);
}

static void on_closed(void *ctx, const struct cl_stream_end *end)
{
    struct cl_tunnel *t = ctx;
    if (t->over) {
        free_tunnel(t);
        return;
    }
    t->result.tls = cl_stream_tls(t->stream);
    t->result.in_tls = !t->ready;
    t->stream = NULL;
    if (end->cause == CL_STREAM_NETWORK || end->cause == CL_STREAM_TRUNCATED) {
        fail_ended(t, "cuts the connection off without an answer");
        return;
    }
    t->result.error = end->error;
    fail(t);
}

static const struct cl_stream_handler handler = {
    .ready = on_ready,
    .data = on_data,
    .drained = on_drained,
    .eof = on_eof,
    .decision = on_decision,
    .failed = on_failed,
    .closed = on_closed,
};

/* ---- the beginning ---- */

cl_result cl_tunnel_open(const struct cl_tunnel_spec *spec, struct cl_tunnel **out)
{
    const struct cl_proxy *proxy = spec->proxy;
    struct cleat_tls *tls = NULL;
    struct cl_tunnel *t = cl_calloc(1, sizeof(*t));
    int code = t != NULL ? CLEAT_OK : CLEAT_ERR_NOMEM;
    if (code == CLEAT_OK && proxy->kind == CL_PROXY_HTTPS) {
        code = cleat_tls_client_new(proxy->tls, proxy->host, NULL, NULL, &tls);
    }
    if (code != CLEAT_OK) {
        cl_tcp_free(spec->tcp);
        cl_free(t);
        return (cl_result)code;
    }
    t->spec = *spec;
    const struct cl_stream_setup setup = {.tcp = spec->tcp,
                                          .tls = tls,
                                          .handler = &handler,
                                          .ctx = t,
                                          .handshake_ms = UINT32_MAX,
                                          .capture = spec->capture,
                                          .connect_us = spec->connect_us};
    if (cl_stream_open(spec->hub, &setup, &t->stream) != CL_OK) {
        cl_free(t);
        return CLEAT_ERR_NOMEM;
    }
    *out = t;
    return CL_OK;
}

bool cl_tunnel_in_tls(const struct cl_tunnel *t)
{
    return !t->ready;
}

void cl_tunnel_cancel(struct cl_tunnel *t)
{
    if (t != NULL && !t->over) {
        leave(t);
    }
}
