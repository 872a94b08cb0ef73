/* cli/get_response.c - what a transfer does with the response: facts of its head, -i, -I and -D,
 * the body to where it goes. */
#include <inttypes.h>
#include <stdio.h>

#include "base/pem.h"
#include "cleat/ech.h"
#include "cli/get_codes.h"
#include "cli/get_conn.h"
#include "cli/get_resume.h"
#include "cli/get_transfer.h"
#include "conn/staple.h"
#include "http/chars.h"
#include "net/clock.h"

#define HTTP_TOO_EARLY          425 /* RFC 8470 5.2 */
#define HTTP_CONTINUE           100
#define HTTP_NOT_SATISFIABLE    416
#define HTTP_EXPECTATION_FAILED 417
/* 1 ms: from the callback of a head to the loop */
#define AT_ONCE_MS              1

/* ---- the connection ---- */

/* What the server has sent, as PEM. */
static void note_certs(struct get_facts *f, const struct cleat_tls *tls)
{
    const uint8_t *der;
    size_t len;
    f->certs.len = 0;
    f->num_certs = 0;
    while (cleat_tls_peer_cert(tls, (size_t)f->num_certs, &der, &len) == CLEAT_OK) {
        if (cl_pem_encode("CERTIFICATE", cl_rd_of(der, len), &f->certs) != CL_OK) {
            return;
        }
        f->num_certs++;
    }
}

static void note_tls(struct get_facts *f, const struct cleat_tls *tls)
{
    struct cleat_tls_info info;
    if (tls == NULL || cleat_tls_info(tls, &info) != CLEAT_OK) {
        return;
    }
    const struct {
        char *out;
        size_t cap;
        const char *text;
    } rows[] = {
        {f->tls_version, sizeof(f->tls_version),
         info.version == CLEAT_TLS_1_2 ? "TLSv1.2" : "TLSv1.3"},
        {f->tls_cipher, sizeof(f->tls_cipher), info.cipher_name},
        {f->tls_group, sizeof(f->tls_group), info.group_name},
        {f->tls_signature, sizeof(f->tls_signature), info.signature_name},
        {f->tls_alpn, sizeof(f->tls_alpn), info.alpn},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        (void)snprintf(rows[i].out, rows[i].cap, "%s", rows[i].text != NULL ? rows[i].text : "");
    }
    struct cl_staple staple;
    cl_staple_of(tls, &staple);
    f->tls_ocsp_bytes = (long)staple.ocsp_len;
    f->tls_scts = (long)staple.num_scts;
    (void)snprintf(f->tls_ocsp_status, sizeof(f->tls_ocsp_status), "%s", staple.ocsp_status);
    (void)snprintf(f->tls_ech, sizeof(f->tls_ech), "%s",
                   cleat_ech_status_name(cleat_tls_ech_status(tls)));
    f->resumed = info.resumed;
    note_certs(f, tls);
    f->hello_retry = info.hello_retry;
}

static uint64_t since(const struct get_transfer *t, uint64_t at)
{
    return at > t->start_us ? at - t->start_us : 0;
}

/* What a connection took that was there already is 0. */
static void on_placed(void *ctx, const struct get_conn *c, const struct cleat_tls *tls, bool own)
{
    struct get_transfer *t = ctx;
    struct get_facts *f = &t->facts;
    const struct get_conn_facts *from = &c->facts;
    f->time_namelookup = since(t, from->times.dns);
    f->time_connect = since(t, from->times.tcp);
    f->time_appconnect = since(t, from->times.tls);
    f->num_connects += own ? from->num_connects : 0;
    f->proxy_used = from->proxied;
    f->http_connect = from->proxy_status != 0 ? (long)from->proxy_status : f->http_connect;
    f->ssl_verify_result = from->verify_result;
    f->conn_id = c->id;
    if (from->has_peer) {
        cl_addr_format(&from->peer, f->remote_ip);
        cl_addr_format(&from->local, f->local_ip);
        f->remote_port = cl_addr_port(&from->peer);
        f->local_port = cl_addr_port(&from->local);
    }
    f->tls_early_bytes = !own || !from->early_sent ? 0
                         : from->early_taken       ? (long)t->request.len
                                                   : -(long)t->request.len; /* as curl */
    (void)snprintf(f->tls_early_data, sizeof(f->tls_early_data), "%s",
                   own && from->early_taken  ? "accepted"
                   : own && from->early_sent ? "rejected"
                                             : "not-sent");
    note_tls(f, tls);
}

/* ---- the request ---- */

static void on_begun(void *ctx, bool early)
{
    struct get_transfer *t = ctx;
    t->early_taken = early;
    t->facts.time_pretransfer = since(t, cl_clock_mono_us());
    t->facts.size_request += t->request.len;
    if (!t->hop.with_body) {
        t->facts.time_posttransfer = t->facts.time_pretransfer;
    } else if (t->upload.held) {
        cl_timer_set(t->expect_timer, GET_EXPECT_WAIT_MS);
    }
}

static void on_sent(void *ctx, uint64_t bytes)
{
    struct get_transfer *t = ctx;
    t->facts.size_upload += bytes;
    t->facts.time_posttransfer = since(t, cl_clock_mono_us());
    cl_trace_http_body(t->s->client.trace, t->x.stream, true, bytes);
}

static void on_first(void *ctx)
{
    struct get_transfer *t = ctx;
    t->facts.time_starttransfer = since(t, cl_clock_mono_us());
}

/* ---- the response's head ---- */

static void copy_text(char *out, size_t cap, struct cleat_http_view v)
{
    (void)snprintf(out, cap, "%.*s", v.p != NULL ? (int)v.len : 0, v.p != NULL ? v.p : "");
}

/* "HTTP/1.1 200" and "HTTP/2 200" say which. */
static void note_version(struct get_facts *f, struct cl_rd text)
{
    const char *space = memchr(text.p, ' ', text.len);
    const size_t len = space != NULL ? (size_t)(space - (const char *)text.p) : 0;
    if (len > 5) {
        (void)snprintf(f->http_version, sizeof(f->http_version), "%.*s", (int)len - 5,
                       (const char *)text.p + 5);
    }
}

static void note_head(struct get_transfer *t, const struct cleat_http_head *head)
{
    struct get_facts *f = &t->facts;
    struct cleat_http_view location = cleat_http_find(head, "Location", NULL);
    f->http_code = head->status;
    f->num_headers = head->num_fields;
    copy_text(f->content_type, sizeof(f->content_type),
              cleat_http_find(head, "Content-Type", NULL));
    t->follow = false;
    t->next[0] = f->redirect_url[0] = '\0';
    if (location.p == NULL || !get_hop_is_redirect(head->status)) {
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
static bool emit_head(struct get_transfer *t, struct cl_rd text)
{
    const struct get_options *o = t->s->options;
    t->facts.size_header += text.len;
    if (t->s->dump_file != NULL && (fwrite(text.p, 1, text.len, t->s->dump_file) != text.len ||
                                    fflush(t->s->dump_file) != 0)) {
        get_hop_fail(t, GET_EXIT_WRITE, "http", (struct cl_why){.code = CLEAT_ERR_SYSTEM},
                     "cannot write to %s", o->dump_header);
        return false;
    }
    if ((o->include || o->head) && !get_output_head(&t->out, text.p, text.len)) {
        get_hop_end(t, GET_EXIT_WRITE, "http");
        return false;
    }
    return true;
}

static void fail_status(struct get_transfer *t)
{
    get_hop_fail(t, GET_EXIT_HTTP_ERROR, "http", (struct cl_why){.code = CLEAT_ERR_HTTP_STATUS},
                 "the server answers %ld %s", t->facts.http_code,
                 cleat_http_reason((int)t->facts.http_code));
}

/* -C: false: the response does not go on with the file. */
static bool check_resume(struct get_transfer *t, const struct cleat_http_head *head)
{
    char why[120];
    switch (get_resume_judge(head, t->resume_at, why, sizeof(why))) {
    case GET_RESUME_GO_ON:
        return true;
    case GET_RESUME_WHOLE:
        cl_trace_note(t->s->client.trace, "http",
                      "nothing is missing: the file has %" PRIu64 " bytes", t->resume_at);
        t->drop_body = true;
        return true;
    case GET_RESUME_CANNOT:
        break;
    }
    get_hop_fail(t, GET_EXIT_RANGE, "http",
                 (struct cl_why){.code = CLEAT_ERR_HTTP_STATUS,
                                 .section = "RFC 9110 14.4",
                                 .hint = "without -C the file is fetched from its beginning"},
                 "-C %" PRIu64 ": %s", t->resume_at, why);
    return false;
}

static bool begin_body(struct get_transfer *t, const struct cleat_http_head *head)
{
    const bool is_end = t->resume_at > 0 && head->status == HTTP_NOT_SATISFIABLE;
    note_head(t, head);
    t->drop_body = t->follow;
    if (head->status >= 400 && t->s->options->fail && !is_end) {
        fail_status(t);
        return false;
    }
    if (head->framing == CLEAT_HTTP_SWITCHED) {
        get_hop_fail(t, GET_EXIT_WEIRD_REPLY, "http",
                     (struct cl_why){.code = CLEAT_ERR_HTTP_SYNTAX},
                     "the server switches to another protocol without being asked");
        return false;
    }
    if (t->resume_at > 0 && !t->follow && !head->to_head && !check_resume(t, head)) {
        return false;
    }
    t->out.total = head->framing == CLEAT_HTTP_LENGTH ? head->content_length : 0;
    if (t->s->options->compressed) {
        get_decode_begin(&t->decode, head);
        t->out.total = t->decode.codings.num == 0 ? t->out.total : 0; /* not what is written */
    }
    return true;
}

/* Keeps the head for -w, the cookies for the next request, and what --retry wants to know. */
static void keep_head(struct get_transfer *t, const struct cleat_http_head *head, struct cl_rd text)
{
    const struct cleat_http_view after = cleat_http_find(head, "Retry-After", NULL);
    t->facts.head.len = 0;
    if (cl_buf_append(&t->facts.head, text.p, text.len, SIZE_MAX) != CL_OK) {
        t->facts.head.len = 0; /* then -w has no fields */
    }
    t->retry_after_s =
        after.p != NULL ? get_retry_after(cl_http_rd(after), (int64_t)(cl_clock_unix_ms() / 1000))
                        : 0;
    get_cookies_take(&t->s->cookies, &t->target, head);
}

/* What a body that is held back waits for: 100 lets it go; another answer, and it is not sent.
 * True: the same request is to be sent once more, without the question. */
static bool heed_expect(struct get_transfer *t, const struct cleat_http_head *head)
{
    if (!t->upload.held) {
        return false;
    }
    if (head->status == HTTP_CONTINUE) {
        cl_timer_set(t->expect_timer, AT_ONCE_MS);
    } else if (head->status >= 200) {
        cl_timer_stop(t->expect_timer);
        cl_trace_note(t->s->client.trace, "http", "the body is not sent: the server has answered");
    }
    return head->status == HTTP_EXPECTATION_FAILED && t->hop.expect;
}

static bool on_head(void *ctx, const struct cleat_http_head *head, struct cl_rd text)
{
    struct get_transfer *t = ctx;
    if (t->hop_over) {
        return false;
    }
    cl_trace_http_head(t->s->client.trace, t->x.stream, false, (const char *)text.p, text.len);
    if (head->status == HTTP_TOO_EARLY && t->early_taken) {
        t->too_early = t->drop_body = true; /* the same again, once this response is over */
        t->follow = false;
        return true;
    }
    if (heed_expect(t, head)) {
        t->expect_refused = t->drop_body = true;
        t->follow = false;
        return true;
    }
    keep_head(t, head, text);
    if (!emit_head(t, text)) {
        return false;
    }
    note_version(&t->facts, text);
    return (head->status < 200 && head->status != 101) || begin_body(t, head);
}

/* ---- the response's body ---- */

static bool on_data(void *ctx, const uint8_t *p, size_t len)
{
    struct get_transfer *t = ctx;
    if (t->hop_over) {
        return false;
    }
    if (t->drop_body) {
        return true;
    }
    t->facts.size_download += len;
    const int code = get_decode_write(&t->decode, &t->out, p, len, &t->err);
    if (code != 0) {
        get_hop_end(t, code, "http");
    }
    return code == 0;
}

static void on_end(void *ctx, uint64_t bytes)
{
    struct get_transfer *t = ctx;
    cl_trace_http_body(t->s->client.trace, t->x.stream, false, bytes);
    const int code = t->hop_over ? 0 : get_decode_end(&t->decode, &t->err);
    if (t->facts.http_code >= 400 && t->s->options->fail_with_body && !t->hop_over) {
        fail_status(t);
    }
    get_hop_end(t, code, "http");
}

static void on_failed(void *ctx, const struct get_failure *failure)
{
    struct get_transfer *t = ctx;
    if (t->hop_over) {
        return;
    }
    t->again = failure->again;
    if (failure->again == GET_UNPLACED) {
        t->hop_over = true;
        return;
    }
    t->err = *failure->err;
    if (failure->told) {
        t->hop_over = true;
        t->exit_code = failure->exit_code;
        t->stage = failure->stage;
    }
    get_hop_end(t, failure->exit_code, failure->stage);
}

const struct get_exchange_handler get_response_handler = {
    .placed = on_placed,
    .begun = on_begun,
    .sent = on_sent,
    .first = on_first,
    .head = on_head,
    .data = on_data,
    .end = on_end,
    .failed = on_failed,
};
