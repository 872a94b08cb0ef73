/* cli/get_exchange.c - a request and its response on an established stream. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/get_codes.h"
#include "cli/client_explain.h"
#include "cli/get_transfer.h"
#include "net/clock.h"

#define HTTP_TOO_EARLY 425 /* RFC 8470 5.2 */

/* ---- sending ---- */

static void send_more(struct get_transfer *t)
{
    struct cl_rd parts[2] = {cl_buf_view(&t->request), t->hop.with_body
                                                           ? cl_buf_view(&t->s->options->body)
                                                           : cl_rd_of(NULL, 0)};
    size_t at = 0;
    for (size_t i = 0; i < 2; i++) {
        size_t done = t->sent > at ? t->sent - at : 0;
        at += parts[i].len;
        if (done < parts[i].len) {
            size_t want = parts[i].len - done;
            size_t took = cl_stream_write(t->stream, parts[i].p + done, want);
            t->sent += took;
            if (took < want) {
                return;
            }
        }
    }
    if (t->hop.with_body) {
        t->facts.size_upload += parts[1].len;
        cl_trace_http_body(t->s->client.trace, true, parts[1].len);
    }
}

static bool all_sent(const struct get_transfer *t)
{
    size_t body = t->hop.with_body ? t->s->options->body.len : 0;
    return t->sent == t->request.len + body;
}

void get_exchange_start(struct get_transfer *t)
{
    struct cleat_http_view method = {t->hop.method, strlen(t->hop.method)};
    cleat_http_response_init(&t->head, method);
    t->facts.time_pretransfer = cl_clock_mono_us() - t->start_us;
    t->facts.size_request += t->request.len;
    cl_trace_http_head(t->s->client.trace, true, (const char *)t->request.p, t->request.len);
    t->sent = t->early_taken ? t->request.len : 0;
    send_more(t);
}

static void on_drained(void *ctx)
{
    struct get_transfer *t = ctx;
    if (!t->hop_over && !all_sent(t)) {
        send_more(t);
    }
}

/* ---- the response's head ---- */

static void fail_http(struct get_transfer *t, int code)
{
    const char *sentence = cleat_error_sentence(code);
    get_hop_fail(t, GET_EXIT_WEIRD_REPLY, "http", (struct cl_why){.code = (cl_result)code}, "%s",
                 sentence);
}

static void copy_text(char *out, size_t cap, struct cleat_http_view v)
{
    (void)snprintf(out, cap, "%.*s", v.p != NULL ? (int)v.len : 0, v.p != NULL ? v.p : "");
}

static void note_head(struct get_transfer *t)
{
    struct get_facts *f = &t->facts;
    struct cleat_http_view location = cleat_http_find(&t->head, "Location", NULL);
    f->http_code = t->head.status;
    f->num_headers = t->head.num_fields;
    (void)snprintf(f->http_version, sizeof(f->http_version), "1.%u", (unsigned)t->head.minor);
    copy_text(f->content_type, sizeof(f->content_type),
              cleat_http_find(&t->head, "Content-Type", NULL));
    t->follow = false;
    t->next[0] = f->redirect_url[0] = '\0';
    if (location.p == NULL || !get_hop_is_redirect(t->head.status)) {
        return;
    }
    t->follow = t->s->options->location;
    size_t len = 0;
    struct cleat_error ignored = {0}; /* a Location that makes no sense matters only with -L */
    if (cleat_http_url_resolve(&t->target.url, location.p, location.len, t->next,
                               sizeof(t->next) - 1, &len,
                               t->follow ? &t->err : &ignored) != CLEAT_OK) {
        len = 0;
    }
    t->next[len] = '\0';
    if (!t->follow) {
        memcpy(f->redirect_url, t->next, len + 1);
    }
}

/* Writes the head where -i, -I and -D want it. */
static bool emit_head(struct get_transfer *t)
{
    const struct get_options *o = t->s->options;
    const char *head = (const char *)t->in.p;
    t->facts.size_header += t->head.len;
    cl_trace_http_head(t->s->client.trace, false, head, t->head.len);
    if (t->s->dump_file != NULL && (fwrite(head, 1, t->head.len, t->s->dump_file) != t->head.len ||
                                    fflush(t->s->dump_file) != 0)) {
        get_hop_fail(t, GET_EXIT_WRITE, "http", (struct cl_why){.code = CLEAT_ERR_SYSTEM},
                     "cannot write to %s", o->dump_header);
        return false;
    }
    if ((o->include || o->head) && !get_output_head(&t->out, head, t->head.len)) {
        get_hop_end(t, GET_EXIT_WRITE, "http");
        return false;
    }
    return true;
}

static void begin_body(struct get_transfer *t)
{
    const struct get_options *o = t->s->options;
    note_head(t);
    if (t->head.status >= 400 && o->fail) {
        get_hop_fail(t, GET_EXIT_HTTP_ERROR, "http", (struct cl_why){.code = CLEAT_ERR_HTTP_STATUS},
                     "the server answers %u %s", (unsigned)t->head.status,
                     cleat_http_reason(t->head.status));
        return;
    }
    if (t->head.framing == CLEAT_HTTP_SWITCHED) {
        get_hop_fail(t, GET_EXIT_WEIRD_REPLY, "http",
                     (struct cl_why){.code = CLEAT_ERR_HTTP_SYNTAX},
                     "the server switches to another protocol without being asked");
        return;
    }
    t->drop_body = t->follow;
    t->out.total = t->head.framing == CLEAT_HTTP_LENGTH ? t->head.content_length : 0;
    int code = cleat_http_body_init(&t->body, &t->head, UINT64_MAX, &t->err);
    if (code != CLEAT_OK) {
        fail_http(t, code);
    }
}

/* Moves a complete head out of the way; what follows it stays in t->in. */
static void take_head(struct get_transfer *t)
{
    bool interim = t->head.status < 200 && t->head.status != 101;
    if (t->head.status == HTTP_TOO_EARLY && t->early_taken && !t->too_early) {
        cl_trace_http_head(t->s->client.trace, false, (const char *)t->in.p, t->head.len);
        t->too_early = true;
        get_hop_end(t, 0, "http");
        return;
    }
    if (!emit_head(t)) {
        return;
    }
    if (!interim) {
        t->head_done = true;
        begin_body(t);
    } else if (++t->num_interim > GET_MAX_INTERIM) {
        fail_http(t, CLEAT_ERR_HTTP_TOO_LARGE);
        return;
    }
    cl_buf_drop(&t->in, t->head.len);
    if (interim) {
        struct cleat_http_view method = {t->hop.method, strlen(t->hop.method)};
        cleat_http_response_init(&t->head, method);
    }
}

/* ---- the response's body ---- */

static void end_body(struct get_transfer *t)
{
    const struct get_options *o = t->s->options;
    cl_trace_http_body(t->s->client.trace, false, t->body.total);
    if (t->head.status >= 400 && o->fail_with_body) {
        get_hop_fail(t, GET_EXIT_HTTP_ERROR, "http", (struct cl_why){.code = CLEAT_ERR_HTTP_STATUS},
                     "the server answers %u %s", (unsigned)t->head.status,
                     cleat_http_reason(t->head.status));
        return;
    }
    get_hop_end(t, 0, "http");
}

static void take_body(struct get_transfer *t, const uint8_t *p, size_t len)
{
    for (;;) {
        struct cleat_http_view content = {0};
        size_t used = 0;
        int r = cleat_http_body_feed(&t->body, p, len, &used, &content, &t->err);
        p += used;
        len -= used;
        if (r == CLEAT_HTTP_COMPLETE) {
            end_body(t);
            return;
        }
        if (r == CLEAT_HTTP_MORE) {
            return;
        }
        if (r != CLEAT_HTTP_DATA) {
            get_hop_fail(t, GET_EXIT_RECEIVE, "http", (struct cl_why){.code = (cl_result)r}, "%s",
                         cleat_error_sentence(r));
            return;
        }
        t->facts.size_download += t->drop_body ? 0 : content.len;
        if (!t->drop_body && !get_output_write(&t->out, content.p, content.len)) {
            get_hop_end(t, GET_EXIT_WRITE, "http");
            return;
        }
    }
}

static size_t on_data(void *ctx, uint8_t *p, size_t len)
{
    struct get_transfer *t = ctx;
    if (t->hop_over) {
        return len;
    }
    if (t->facts.time_starttransfer == 0) {
        t->facts.time_starttransfer = cl_clock_mono_us() - t->start_us;
    }
    if (t->head_done) {
        take_body(t, p, len);
        return len;
    }
    if (cl_buf_append(&t->in, p, len, CLEAT_HTTP_MAX_RESPONSE_HEAD + CLEAT_TLS_MAX_RECORD) !=
        CL_OK) {
        fail_http(t, CLEAT_ERR_HTTP_TOO_LARGE);
        return len;
    }
    while (!t->head_done && !t->hop_over) {
        int r = cleat_http_head_feed(&t->head, t->in.p, t->in.len, &t->err);
        if (r == CLEAT_HTTP_MORE) {
            return len;
        }
        if (r != CLEAT_HTTP_COMPLETE) {
            fail_http(t, r);
            return len;
        }
        take_head(t);
    }
    if (!t->hop_over) {
        take_body(t, t->in.p, t->in.len);
    }
    return len;
}

/* ---- the end ---- */

void get_exchange_where(const struct get_transfer *t, char out[GET_WHERE_SIZE])
{
    if (!t->head_done) {
        (void)snprintf(out, GET_WHERE_SIZE, "%s",
                       !all_sent(t)     ? "sending the request"
                       : t->in.len == 0 ? "waiting for the response"
                                        : "inside the response's head");
    } else if (t->head.framing == CLEAT_HTTP_LENGTH) {
        (void)snprintf(out, GET_WHERE_SIZE, "after %" PRIu64 " of %" PRIu64 " bytes of the body",
                       t->body.total, t->head.content_length);
    } else {
        (void)snprintf(out, GET_WHERE_SIZE, "after %" PRIu64 " bytes of the body", t->body.total);
    }
}

#define GAVE_UP_HINT "the server, or something between, gave up: try again, and look at its log"

/* The connection has ended before the response was complete; `clean`: by close_notify. */
static void on_early_end(struct get_transfer *t, bool clean, const struct cleat_error *why)
{
    struct cleat_error detail = {0};
    const struct cl_why truncated = {
        .code = CLEAT_ERR_HTTP_TRUNCATED, .section = "RFC 9112 8", .hint = GAVE_UP_HINT};
    if (!t->head_done && t->in.len == 0) {
        get_hop_fail(t, GET_EXIT_EMPTY, "http", (struct cl_why){.code = CLEAT_ERR_HTTP_TRUNCATED},
                     "empty reply: the server closed the connection without an answer%s",
                     clean ? "" : " (and without close_notify)");
        return;
    }
    if (!t->head_done) {
        get_hop_fail(t, GET_EXIT_RECEIVE, "http", truncated,
                     "the connection ended inside the response's head");
        return;
    }
    if (cleat_http_body_eof(&t->body, clean, &detail) == CLEAT_OK) {
        end_body(t);
        return;
    }
    if (t->head.framing == CLEAT_HTTP_UNTIL_CLOSE) {
        t->err = why != NULL ? *why : detail;
        get_hop_end(t, GET_EXIT_RECEIVE, "tls");
    } else if (t->head.framing == CLEAT_HTTP_LENGTH) {
        get_hop_fail(t, GET_EXIT_PARTIAL, "http", truncated,
                     "the connection ended after %" PRIu64 " of %" PRIu64 " bytes of the body",
                     t->body.total, t->head.content_length);
    } else {
        get_hop_fail(t, GET_EXIT_PARTIAL, "http", truncated,
                     "the connection ended after %" PRIu64 " bytes, before the last chunk",
                     t->body.total);
    }
}

static void on_eof(void *ctx)
{
    struct get_transfer *t = ctx;
    if (!t->hop_over) {
        on_early_end(t, true, NULL);
    }
}

static void on_closed(void *ctx, const struct cl_stream_end *end)
{
    struct get_transfer *t = ctx;
    get_sessions_keep(&t->s->sessions, &t->target, t->config, cl_stream_tls(t->stream));
    t->stream = NULL;
    t->stream_gone = true;
    if (t->hop_over) {
        return;
    }
    if (end->cause == CL_STREAM_TRUNCATED) {
        on_early_end(t, false, &end->error);
        return;
    }
    int code = all_sent(t) ? GET_EXIT_RECEIVE : GET_EXIT_SEND;
    if (end->cause == CL_STREAM_NETWORK) {
        char where[GET_WHERE_SIZE];
        get_exchange_where(t, where);
        get_hop_fail(t, code, "tcp",
                     (struct cl_why){.code = CLEAT_ERR_SYSTEM, .hint = GAVE_UP_HINT},
                     "the connection failed: %s, %s", end->error.text, where);
        return;
    }
    t->err = end->error;
    client_explain(&t->err, &t->s->options->client, true);
    get_hop_end(t, code, "tls");
}

const struct cl_stream_handler get_exchange_handler = {
    .data = on_data,
    .drained = on_drained,
    .eof = on_eof,
    .closed = on_closed,
};
