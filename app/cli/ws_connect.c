/* cli/ws_connect.c - dial, and the opening handshake (RFC 6455 4.1). */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cleat/version.h"
#include "cli/client_explain.h"
#include "cli/get_codes.h"
#include "cli/ws_session.h"
#include "net/clock.h"

/* 32 KiB: the longest URL, percent-encoded, and fields */
#define MAX_REQUEST 32768
/* 10 interim responses (1xx) before the final one: servers send one or two */
#define MAX_INTERIM 10

void ws_session_fail(struct ws_session *s, int exit_code, const char *stage, struct cl_why why,
                     const char *fmt, ...)
{
    if (s->exit_code != 0) {
        return;
    }
    if (s->err.code == 0) {
        char text[sizeof(s->err.text)];
        va_list ap;
        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        (void)cl_error_set(&s->err, why, "%s", text);
    }
    s->exit_code = exit_code;
    s->stage = stage;
    s->over = s->over || !s->open;
}

/* ---- the request ---- */

/* "Name: value" taken apart; the strings are ours. */
static bool add_field(struct ws_session *s, const char *line)
{
    const char *colon = strchr(line, ':');
    if (colon == NULL) {
        ws_session_fail(s, WS_EXIT_USAGE, "upgrade", (struct cl_why){.code = CLEAT_ERR_USAGE},
                        "-H \"%s\": write \"Name: value\"", line);
        return false;
    }
    const char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t')) {
        len--;
    }
    struct cleat_ws_field *f = &s->fields[s->num_fields++];
    f->name = cl_strndup(line, (size_t)(colon - line));
    f->value = cl_strndup(value, len);
    return f->name != NULL && f->value != NULL;
}

static bool make_fields(struct ws_session *s)
{
    const struct cl_words *headers = &s->options->headers;
    bool own_agent = false;
    s->fields = cl_calloc(headers->num + 1, sizeof(*s->fields));
    for (size_t i = 0; s->fields != NULL && i < headers->num; i++) {
        if (!add_field(s, headers->items[i])) {
            return false;
        }
        own_agent =
            own_agent || cl_ascii_equal_fold(cl_rd_str(s->fields[i].name), cl_rd_str("User-Agent"));
    }
    char agent[64];
    (void)snprintf(agent, sizeof(agent), "User-Agent: cleat/%s", cleat_version());
    return s->fields != NULL && (own_agent || add_field(s, agent));
}

bool ws_connect_request(struct ws_session *s, bool http2)
{
    const struct ws_options *o = s->options;
    s->request.len = s->request_sent = 0;
    bool fine = (s->fields != NULL || make_fields(s)) &&
                cl_buf_reserve(&s->request, MAX_REQUEST, MAX_REQUEST) == CL_OK;
    if (fine) {
        s->offer = (struct cleat_ws_offer){.origin = o->origin,
                                           .subprotocols = o->subprotocols.items,
                                           .num_subprotocols = o->subprotocols.num,
                                           .fields = s->fields,
                                           .num_fields = s->num_fields,
                                           .http2 = http2};
        cleat_ws_deflate_init(&s->offer.deflate, false);
        s->offer.deflate.on = !o->no_deflate;
        int code = cleat_ws_request_write(&s->offer, &s->target.url, s->key, (char *)s->request.p,
                                          s->request.cap, &s->request.len, &s->err);
        if (code == CLEAT_OK) {
            return true;
        }
        ws_session_fail(s, WS_EXIT_USAGE, "upgrade", (struct cl_why){.code = (cl_result)code},
                        "the request cannot be made: %s", cleat_error_sentence(code));
    }
    ws_session_fail(s, WS_EXIT_USAGE, "upgrade", (struct cl_why){.code = CLEAT_ERR_NOMEM},
                    "out of memory");
    return false;
}

static void send_request(struct ws_session *s)
{
    s->request_sent += cl_stream_write(s->stream, s->request.p + s->request_sent,
                                       s->request.len - s->request_sent);
}

/* ---- the response ---- */

static void give_up(struct ws_session *s)
{
    cl_stream_abort(s->stream, NULL);
}

/* What is wrong with the answer: no WebSocket here, or WebSocket done wrongly. */
static void refuse_response(struct ws_session *s, int code)
{
    bool upgraded = s->head.status == 101 && code == CLEAT_ERR_WS_HANDSHAKE;
    ws_session_fail(s, upgraded ? WS_EXIT_PROTOCOL : WS_EXIT_CONNECT, "upgrade",
                    (struct cl_why){.code = (cl_result)code}, "%s", cleat_error_sentence(code));
    give_up(s);
}

static bool next_head(struct ws_session *s)
{
    bool interim = s->head.status >= 100 && s->head.status < 200 && s->head.status != 101;
    if (interim && ++s->num_interim <= MAX_INTERIM) {
        cl_buf_drop(&s->response, s->head.len);
        cleat_http_response_init(&s->head, (struct cleat_http_view){"GET", 3});
        return true;
    }
    return false;
}

/* Looks at what has come. How many bytes behind the head are not its own: in *out_behind, and true,
 * when it is the right one. */
static bool read_head(struct ws_session *s, size_t *out_behind)
{
    for (;;) {
        int r = cleat_http_head_feed(&s->head, s->response.p, s->response.len, &s->err);
        if (r == CLEAT_HTTP_MORE) {
            return false;
        }
        if (r != CLEAT_HTTP_COMPLETE) {
            refuse_response(s, r);
            return false;
        }
        cl_trace_http_head(s->client.trace, 0, false, (const char *)s->response.p, s->head.len);
        if (next_head(s)) {
            continue;
        }
        r = cleat_ws_response_check(&s->upgrade, &s->head, &s->offer, s->key, &s->err);
        if (r != CLEAT_OK) {
            refuse_response(s, r);
            return false;
        }
        *out_behind = s->response.len - s->head.len;
        return true;
    }
}

static size_t on_data(void *ctx, uint8_t *p, size_t len)
{
    struct ws_session *s = ctx;
    size_t behind;
    if (s->exit_code != 0) {
        return len;
    }
    /* The longest head, and what may come with it. */
    if (cl_buf_append(&s->response, p, len, CLEAT_HTTP_MAX_RESPONSE_HEAD + CL_POOL_BUFFER) !=
        CL_OK) {
        refuse_response(s, CLEAT_ERR_HTTP_TOO_LARGE);
        return len;
    }
    if (!read_head(s, &behind)) {
        return len;
    }
    struct cl_stream *stream = s->stream;
    if (ws_session_opened(s) != 0) {
        cl_stream_abort(stream, NULL);
        return len;
    }
    return len - behind + cl_ws_stream_take(&s->ws, p + len - behind, behind);
}

static void on_drained(void *ctx)
{
    send_request(ctx);
}

static void on_deadline(void *ctx)
{
    struct ws_session *s = ctx;
    ws_session_fail(s, WS_EXIT_CONNECT, "upgrade", (struct cl_why){.code = CLEAT_ERR_LIMIT},
                    "no answer to the upgrade within %u seconds", WS_UPGRADE_MS / 1000);
    give_up(s);
}

static void on_closed(void *ctx, const struct cl_stream_end *end)
{
    struct ws_session *s = ctx;
    struct cleat_error why = end->error;
    s->stream = NULL;
    if (s->exit_code == 0 && why.code != 0) {
        client_explain(&why, &s->options->client, true);
        s->err = why;
    }
    ws_session_fail(s, WS_EXIT_CONNECT, "upgrade", (struct cl_why){.code = CLEAT_ERR_TRUNCATED},
                    "the server closed the connection without an answer to the upgrade");
    s->over = true;
}

static const struct cl_stream_handler handler = {
    .data = on_data,
    .drained = on_drained,
    .deadline = on_deadline,
    .closed = on_closed,
};

/* ---- dialling ---- */

static void on_decide(void *ctx, struct cleat_tls *tls)
{
    struct ws_session *s = ctx;
    (void)client_accept_any(&s->client, s->target.host, tls);
}

static void on_evidence(void *ctx, struct cleat_tls *tls)
{
    struct ws_session *s = ctx;
    client_evidence_ask(&s->client.evidence, s->target.host, s->dial, tls);
}

static void dial(struct ws_session *s);

/* One more connection: with what a server that rejected ECH has sent, or to the next place of the
 * route, where none was made. */
static bool by_another_way(struct ws_session *s, const struct cl_dial_result *r)
{
    return client_route_renew(&s->client, &s->route, r->tls) ||
           ((r->stage == CL_DIAL_DNS || r->stage == CL_DIAL_TCP) &&
            client_route_next(&s->client, &s->route));
}

static bool speaks_h2(const struct cleat_tls *tls)
{
    struct cleat_tls_info info;
    return tls != NULL && cleat_tls_info(tls, &info) == CLEAT_OK && info.alpn != NULL &&
           strcmp(info.alpn, "h2") == 0;
}

static void on_dialled(void *ctx, const struct cl_dial_result *r)
{
    struct ws_session *s = ctx;
    s->dial = NULL;
    client_evidence_stop(&s->client.evidence);
    if (r->stage != CL_DIAL_DONE && by_another_way(s, r)) {
        dial(s);
        return;
    }
    if (r->stage != CL_DIAL_DONE) {
        s->err = r->error;
        client_evidence_explain(&s->client.evidence, &s->err);
        if (r->stage == CL_DIAL_TLS && !r->timed_out) {
            client_explain(&s->err, &s->options->client, false);
        }
        ws_session_fail(s, WS_EXIT_CONNECT, "connect", (struct cl_why){0}, "cannot connect");
        return;
    }
    if (speaks_h2(r->tls)) {
        ws_connect_h2(s, r->stream);
        return;
    }
    s->stream = r->stream;
    cleat_http_response_init(&s->head, (struct cleat_http_view){"GET", 3});
    cl_trace_http_head(s->client.trace, 0, true, (const char *)s->request.p, s->request.len);
    send_request(s);
    cl_stream_deadline(s->stream, WS_UPGRADE_MS);
}

static void dial(struct ws_session *s)
{
    const struct client_options *o = &s->options->client;
    const struct client_way *way = client_route_way(&s->route);
    struct cleat_tls_config *config = NULL;
    const struct cl_proxy *proxy;
    int code = client_proxy_for(&s->client, s->target.host, s->target.port, s->target.url.secure,
                                &proxy, &s->err);
    if (code != 0) {
        ws_session_fail(s, code == GET_EXIT_USAGE ? WS_EXIT_USAGE : WS_EXIT_CONNECT, "connect",
                        (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
        return;
    }
    if (s->target.url.secure) {
        config =
            client_config(&s->client, s->target.host, s->target.port, s->older, &code, &s->err);
        if (config == NULL) {
            ws_session_fail(s, code == GET_EXIT_USAGE ? WS_EXIT_USAGE : WS_EXIT_CONNECT, "connect",
                            (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
            return;
        }
    }
    struct cl_dial_spec spec = {
        .hub = s->client.hub,
        .dns = s->client.dns,
        .trace = s->client.trace,
        .capture = s->client.pcap.capture,
        .proxy = proxy,
        .host = way->host,
        .port = way->port,
        .family = o->family,
        .timeout_ms = (uint32_t)o->connect_timeout_ms,
        .tls = config,
        .server_name = s->target.host,
        .ech = cl_buf_view(&way->ech),
        .handler = &handler,
        .ctx = s,
        .done = on_dialled,
        .decide = on_decide,
        .evidence = on_evidence,
    };
    cl_result rc = cl_dial(&spec, &s->dial);
    if (rc != CL_OK) {
        ws_session_fail(s, WS_EXIT_CONNECT, "connect", (struct cl_why){.code = rc},
                        "cannot connect: %s", cleat_error_sentence((int)rc));
    }
}

void ws_connect_again(struct ws_session *s)
{
    dial(s);
}

void ws_connect_start(struct ws_session *s)
{
    const struct client_wish wish = {.target = &s->target, .ech_offered = true, .stop = &s->over};
    if (!ws_connect_request(s, false)) {
        return;
    }
    const int code = client_route_find(&s->client, &s->route, &wish, &s->err);
    if (code == 0 && !s->over) {
        dial(s);
    } else {
        ws_session_fail(s, code == GET_EXIT_USAGE ? WS_EXIT_USAGE : WS_EXIT_CONNECT, "connect",
                        (struct cl_why){.code = CLEAT_ERR_CLOSED}, "ended before it was connected");
    }
}

void ws_connect_cancel(struct ws_session *s)
{
    client_evidence_stop(&s->client.evidence);
    cl_dial_cancel(s->dial);
    s->dial = NULL;
    ws_connect_h2_cancel(s);
    if (s->stream != NULL) {
        cl_stream_abort(s->stream, NULL);
    }
}
