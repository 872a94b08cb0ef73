/* fetch/http.c - a request and its response, over as many connections as there are redirects.
 *
 * A fetch is over when `done` has been called, or it was cancelled; it is freed then, or, while its
 * stream is still closing, when that has closed.
 */
#include "fetch/http.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cleat/http.h"
#include "http/url.h"
#include "net/timer.h"

/* 8 interim (1xx) responses: to such a request a server has no reason for one */
#define MAX_INTERIM      8
/* 256: a DNS name has at most 253 bytes */
#define HOST_SIZE        256
/* 4 KiB: a URL, percent-encoded, and five short fields */
#define MAX_REQUEST_HEAD (3 * CL_FETCH_MAX_URL + HOST_SIZE + 512)
/* 4 KiB: of what is posted; an OCSP request has 100 bytes */
#define MAX_POST         4096

struct cl_fetch {
    struct cl_fetch_spec spec;
    struct cl_fetch_result result;
    struct cl_timer *deadline;
    struct cl_dial *dial;
    struct cl_stream *stream;
    struct cl_buf post, request, in, content;
    size_t sent;
    struct cleat_http_head head;
    struct cleat_http_body body;
    unsigned num_interim, num_redirects;
    bool head_done;
    bool hop_over; /* what comes on this connection is of no interest any more */
    bool over;     /* done has been called, or never will be */
    bool going_on; /* a redirect is followed once the stream has closed */
    char asked[CL_FETCH_MAX_URL + 1];
    char url[CL_FETCH_MAX_URL + 1]; /* of this hop */
    char host[HOST_SIZE];
};

static void free_fetch(struct cl_fetch *f)
{
    cl_timer_free(f->deadline);
    cl_dial_cancel(f->dial);
    cleat_tls_config_free(f->spec.tls);
    cl_buf_deinit(&f->post);
    cl_buf_deinit(&f->request);
    cl_buf_deinit(&f->in);
    cl_buf_deinit(&f->content);
    cl_free(f);
}

/* Frees f, now or when its stream has closed. */
static void leave(struct cl_fetch *f)
{
    f->over = f->hop_over = true;
    cl_timer_stop(f->deadline);
    cl_dial_cancel(f->dial);
    f->dial = NULL;
    if (f->stream != NULL) {
        cl_stream_abort(f->stream, NULL);
    } else {
        free_fetch(f);
    }
}

static void finish(struct cl_fetch *f)
{
    f->over = f->hop_over = true;
    f->result.url = f->asked;
    f->result.body = &f->content;
    f->spec.done(f->spec.ctx, &f->result);
    leave(f);
}

static void fail(struct cl_fetch *f, struct cl_why why, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(struct cl_fetch *f, struct cl_why why, const char *fmt, ...)
{
    char text[200];
    va_list ap;
    if (f->over) {
        return;
    }
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    (void)cl_error_set(&f->result.error, why, "%s: %s", f->url, text);
    finish(f);
}

static void fail_http(struct cl_fetch *f, int code)
{
    if (code == CLEAT_ERR_HTTP_TOO_LARGE && f->head_done) {
        fail(f, (struct cl_why){.code = CLEAT_ERR_LIMIT},
             "the answer has more than the %zu bytes that are taken", f->spec.max);
        return;
    }
    fail(f, (struct cl_why){.code = (cl_result)code}, "%s", cleat_error_sentence(code));
}

/* ---- the request ---- */

static void send_more(struct cl_fetch *f)
{
    if (f->sent < f->request.len) {
        f->sent += cl_stream_write(f->stream, f->request.p + f->sent, f->request.len - f->sent);
    }
}

static void on_drained(void *ctx)
{
    struct cl_fetch *f = ctx;
    if (!f->hop_over) {
        send_more(f);
    }
}

static cl_result build_request(struct cl_fetch *f, const struct cleat_http_url *url)
{
    char target[3 * CL_FETCH_MAX_URL], authority[HOST_SIZE + 16];
    size_t target_len, authority_len;
    const bool post = f->spec.content_type != NULL;
    f->request.len = f->sent = 0;
    if (cleat_http_url_target(url, target, sizeof(target), &target_len) != CLEAT_OK ||
        cleat_http_url_authority(url, authority, sizeof(authority), &authority_len) != CLEAT_OK) {
        return CLEAT_ERR_LIMIT;
    }
    CL_TRY(cl_buf_printf(&f->request, MAX_REQUEST_HEAD,
                         "%s %.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: cleat\r\nAccept: %s\r\n"
                         "Connection: close\r\n",
                         post ? "POST" : "GET", (int)target_len, target, (int)authority_len,
                         authority, f->spec.accept));
    if (post) {
        CL_TRY(cl_buf_printf(&f->request, MAX_REQUEST_HEAD,
                             "Content-Type: %s\r\nContent-Length: %zu\r\n", f->spec.content_type,
                             f->post.len));
    }
    CL_TRY(cl_buf_append(&f->request, "\r\n", 2, MAX_REQUEST_HEAD));
    return cl_buf_append(&f->request, f->post.p, f->post.len, MAX_REQUEST_HEAD + MAX_POST);
}

/* ---- the response ---- */

static void end_body(struct cl_fetch *f)
{
    if (f->result.status != 200) {
        fail(f, (struct cl_why){.code = CLEAT_ERR_HTTP_STATUS}, "the server answers %u %s",
             f->result.status, cleat_http_reason((int)f->result.status));
        return;
    }
    finish(f);
}

static void init_head(struct cl_fetch *f)
{
    const char *method = f->spec.content_type != NULL ? "POST" : "GET";
    cleat_http_response_init(&f->head, (struct cleat_http_view){method, strlen(method)});
}

/* Only what was asked for with GET may be asked for elsewhere; a request that was posted is not
 * sent to another place (RFC 9110 15.4). */
static void redirect(struct cl_fetch *f)
{
    char next[2 * CLEAT_HTTP_MAX_URL];
    struct cleat_http_url base;
    size_t len = 0;
    struct cleat_http_view location = cleat_http_find(&f->head, "Location", NULL);
    if (f->num_redirects++ >= CL_FETCH_MAX_REDIRECTS) {
        fail(f, (struct cl_why){.code = CLEAT_ERR_LIMIT}, "more than %d redirects",
             CL_FETCH_MAX_REDIRECTS);
        return;
    }
    if (location.p == NULL || f->spec.content_type != NULL ||
        cleat_http_url_parse(&base, f->url, strlen(f->url), NULL) != CLEAT_OK ||
        cleat_http_url_resolve(&base, location.p, location.len, next, sizeof(next), &len, NULL) !=
            CLEAT_OK ||
        len > CL_FETCH_MAX_URL) {
        fail(f, (struct cl_why){.code = CLEAT_ERR_HTTP_STATUS},
             "the server answers %u with a redirect that is not followed", f->result.status);
        return;
    }
    memcpy(f->url, next, len);
    f->url[len] = '\0';
    f->hop_over = f->going_on = true;
    cl_stream_abort(f->stream, NULL);
}

static bool is_redirect(unsigned status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* The media type, without its parameters. */
static bool is_type(struct cleat_http_view value, const char *type)
{
    const char *end = value.p != NULL ? memchr(value.p, ';', value.len) : NULL;
    size_t len = end != NULL ? (size_t)(end - value.p) : value.len;
    while (len != 0 && (value.p[len - 1] == ' ' || value.p[len - 1] == '\t')) {
        len--;
    }
    return cl_ascii_equal_fold(cl_rd_of(value.p, len), cl_rd_str(type));
}

/* Types are often wrong; a page for people, instead of the thing, is the case worth a word. */
static void check_type(struct cl_fetch *f)
{
    const struct cleat_http_view type = cleat_http_find(&f->head, "Content-Type", NULL);
    const int shown = (int)(type.len < 60 ? type.len : 60);
    if (f->spec.want_type != NULL && !is_type(type, f->spec.want_type)) {
        fail(f, (struct cl_why){.code = CLEAT_ERR_HTTP_STATUS},
             "the server answers with \"%.*s\", not with %s", shown, type.p != NULL ? type.p : "",
             f->spec.want_type);
    } else if (is_type(type, "text/html")) {
        fail(f, (struct cl_why){.code = CLEAT_ERR_HTTP_STATUS},
             "the server answers with a page (%.*s)", shown, type.p);
    }
}

static void begin_body(struct cl_fetch *f)
{
    f->result.status = f->head.status;
    if (is_redirect(f->head.status)) {
        redirect(f);
        return;
    }
    if (f->head.status != 200 || f->head.framing == CLEAT_HTTP_SWITCHED) {
        end_body(f);
        return;
    }
    int code = cleat_http_body_init(&f->body, &f->head, f->spec.max, NULL);
    if (code != CLEAT_OK) {
        fail_http(f, code);
        return;
    }
    check_type(f);
}

static void take_body(struct cl_fetch *f, const uint8_t *p, size_t len)
{
    while (!f->hop_over) {
        struct cleat_http_view content = {0};
        size_t used = 0;
        int r = cleat_http_body_feed(&f->body, p, len, &used, &content, NULL);
        p += used;
        len -= used;
        if (r == CLEAT_HTTP_MORE) {
            return;
        }
        if (r == CLEAT_HTTP_COMPLETE) {
            end_body(f);
        } else if (r != CLEAT_HTTP_DATA) {
            fail_http(f, r);
        } else if (cl_buf_append(&f->content, content.p, content.len, f->spec.max) != CL_OK) {
            fail_http(f, CLEAT_ERR_NOMEM);
        }
    }
}

/* Looks for heads at the front of f->in; the final one is left there, with what follows it. */
static void take_heads(struct cl_fetch *f)
{
    while (!f->head_done && !f->hop_over) {
        int r = cleat_http_head_feed(&f->head, f->in.p, f->in.len, NULL);
        if (r == CLEAT_HTTP_MORE) {
            return;
        }
        if (r != CLEAT_HTTP_COMPLETE || f->num_interim > MAX_INTERIM) {
            fail_http(f, r < 0 ? r : CLEAT_ERR_HTTP_TOO_LARGE);
            return;
        }
        size_t head_len = f->head.len;
        if (f->head.status >= 200 || f->head.status == 101) {
            f->head_done = true;
            begin_body(f);
        } else {
            f->num_interim++;
            init_head(f);
        }
        if (!f->hop_over) {
            cl_buf_drop(&f->in, head_len);
        }
    }
}

static size_t on_data(void *ctx, uint8_t *p, size_t len)
{
    struct cl_fetch *f = ctx;
    if (f->hop_over) {
        return len;
    }
    if (f->head_done) {
        take_body(f, p, len);
        return len;
    }
    if (cl_buf_append(&f->in, p, len, CLEAT_HTTP_MAX_RESPONSE_HEAD + CLEAT_TLS_MAX_RECORD) !=
        CL_OK) {
        fail_http(f, CLEAT_ERR_HTTP_TOO_LARGE);
        return len;
    }
    take_heads(f);
    if (f->head_done && !f->hop_over) {
        take_body(f, f->in.p, f->in.len);
    }
    return len;
}

/* ---- the end of a connection ---- */

static void on_end(struct cl_fetch *f, bool clean, const char *why)
{
    if (f->head_done && cleat_http_body_eof(&f->body, clean, NULL) == CLEAT_OK) {
        end_body(f);
        return;
    }
    fail(f, (struct cl_why){.code = CLEAT_ERR_HTTP_TRUNCATED}, "%s after %zu bytes of the answer",
         why, f->content.len);
}

static void on_eof(void *ctx)
{
    struct cl_fetch *f = ctx;
    if (!f->hop_over) {
        on_end(f, true, "the connection ended");
    }
}

static void start_hop(struct cl_fetch *f);

static void on_closed(void *ctx, const struct cl_stream_end *end)
{
    struct cl_fetch *f = ctx;
    f->stream = NULL;
    if (f->over) {
        free_fetch(f);
    } else if (f->going_on) {
        start_hop(f);
    } else {
        on_end(f, false, end->error.text);
    }
}

static const struct cl_stream_handler handler = {
    .data = on_data,
    .drained = on_drained,
    .eof = on_eof,
    .closed = on_closed,
};

/* ---- connecting ---- */

static void on_dialled(void *ctx, const struct cl_dial_result *r)
{
    struct cl_fetch *f = ctx;
    f->dial = NULL;
    if (r->stage != CL_DIAL_DONE) {
        f->result.timed_out = r->timed_out;
        fail(f, (struct cl_why){.code = (cl_result)r->error.code}, "%s", r->error.text);
        return;
    }
    f->stream = r->stream;
    init_head(f);
    send_more(f);
}

static void on_decide(void *ctx, struct cleat_tls *tls)
{
    (void)cleat_tls_accept_peer(tls);
}

/* The host as certificates and DNS spell it. */
/* Begins a connection to f->url. */
static cl_result connect_to(struct cl_fetch *f, struct cleat_error *err)
{
    struct cleat_http_url url;
    const char *bad = NULL;
    if (cleat_http_url_parse(&url, f->url, strlen(f->url), NULL) != CLEAT_OK || url.websocket) {
        bad = "no URL of http";
    } else if (url.userinfo.p != NULL || url.is_idn ||
               !cl_http_url_host(&url, f->host, sizeof(f->host))) {
        bad = "a URL with a user, or with a name that DNS does not have";
    } else if (url.secure && f->spec.tls == NULL) {
        bad = "https is not used here: what says who is trusted would rest on itself";
    }
    if (bad != NULL) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_URL}, "%s: %s", f->url, bad);
    }
    const bool moved = f->spec.connect_host != NULL && f->num_redirects == 0;
    const struct cl_dial_spec dial = {.hub = f->spec.hub,
                                      .dns = f->spec.dns,
                                      .proxy = f->spec.proxy,
                                      .host = moved ? f->spec.connect_host : f->host,
                                      .port = moved ? f->spec.connect_port : url.port,
                                      .family = AF_UNSPEC,
                                      .timeout_ms = f->spec.connect_ms,
                                      .public_only = f->spec.public_only,
                                      .tls = url.secure ? f->spec.tls : NULL,
                                      .server_name = f->host,
                                      .handler = &handler,
                                      .ctx = f,
                                      .done = on_dialled,
                                      .decide = f->spec.insecure ? on_decide : NULL};
    f->head_done = f->hop_over = f->going_on = false;
    f->num_interim = 0;
    f->in.len = f->content.len = 0;
    cl_result r = build_request(f, &url);
    r = r == CL_OK ? cl_dial(&dial, &f->dial) : r;
    return r == CL_OK ? CL_OK
                      : cl_error_set(err, (struct cl_why){.code = r}, "%s: %s", f->url,
                                     cleat_error_sentence((int)r));
}

static void start_hop(struct cl_fetch *f)
{
    if (connect_to(f, &f->result.error) != CL_OK) {
        finish(f);
    }
}

/* ---- the beginning ---- */

static void on_deadline(void *ctx)
{
    struct cl_fetch *f = ctx;
    f->result.timed_out = true;
    fail(f, (struct cl_why){.code = CLEAT_ERR_LIMIT}, "timed out after %u ms, %s",
         (unsigned)f->spec.timeout_ms,
         f->dial != NULL ? cl_dial_doing(f->dial)
         : f->head_done  ? "inside the answer"
                         : "waiting for the answer");
}

static cl_result prepare(struct cl_fetch *f, struct cleat_error *err)
{
    uv_loop_t *loop = cl_hub_loop(f->spec.hub);
    CL_TRY(cl_buf_append(&f->post, f->spec.post.p, f->spec.post.len, MAX_POST));
    CL_TRY(cl_timer_new(loop, on_deadline, f, &f->deadline));
    uv_update_time(loop);
    cl_timer_set(f->deadline, f->spec.timeout_ms);
    return connect_to(f, err);
}

cl_result cl_fetch_start(const struct cl_fetch_spec *spec, struct cl_fetch **out,
                         struct cleat_error *err)
{
    const size_t len = strlen(spec->url);
    if (len > CL_FETCH_MAX_URL) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                            "%.60s...: the URL has %zu bytes; %d are taken", spec->url, len,
                            CL_FETCH_MAX_URL);
    }
    struct cl_fetch *f = cl_calloc(1, sizeof(*f));
    if (f == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    f->spec = *spec;
    f->spec.timeout_ms = spec->timeout_ms != 0 ? spec->timeout_ms : CL_FETCH_DEFAULT_MS;
    f->spec.connect_ms = spec->connect_ms != 0 ? spec->connect_ms : f->spec.timeout_ms;
    f->spec.tls = spec->tls != NULL ? cleat_tls_config_ref(spec->tls) : NULL;
    memcpy(f->asked, spec->url, len + 1);
    memcpy(f->url, spec->url, len + 1);
    cl_result r = prepare(f, err);
    if (r != CL_OK) {
        free_fetch(f);
        return r;
    }
    *out = f;
    return CL_OK;
}

void cl_fetch_cancel(struct cl_fetch *f)
{
    if (f != NULL && !f->over) {
        leave(f);
    }
}
