/* cli/get_response.c - what a transfer does with the response: facts of its head, -i, -I and -D,
 * the body to where it goes. */
#include <inttypes.h>
#include <stdio.h>

#include "cleat/ech.h"
#include "cli/get_codes.h"
#include "cli/get_conn.h"
#include "cli/get_transfer.h"
#include "conn/staple.h"
#include "net/clock.h"

#define HTTP_TOO_EARLY 425 /* RFC 8470 5.2 */

/* ---- the connection ---- */

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
}

static void on_sent(void *ctx, uint64_t bytes)
{
    struct get_transfer *t = ctx;
    t->facts.size_upload += bytes;
    cl_trace_http_body(t->s->client.trace, true, bytes);
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

static bool begin_body(struct get_transfer *t, const struct cleat_http_head *head)
{
    note_head(t, head);
    if (head->status >= 400 && t->s->options->fail) {
        fail_status(t);
        return false;
    }
    if (head->framing == CLEAT_HTTP_SWITCHED) {
        get_hop_fail(t, GET_EXIT_WEIRD_REPLY, "http",
                     (struct cl_why){.code = CLEAT_ERR_HTTP_SYNTAX},
                     "the server switches to another protocol without being asked");
        return false;
    }
    t->drop_body = t->follow;
    t->out.total = head->framing == CLEAT_HTTP_LENGTH ? head->content_length : 0;
    return true;
}

static bool on_head(void *ctx, const struct cleat_http_head *head, struct cl_rd text)
{
    struct get_transfer *t = ctx;
    if (t->hop_over) {
        return false;
    }
    cl_trace_http_head(t->s->client.trace, false, (const char *)text.p, text.len);
    if (head->status == HTTP_TOO_EARLY && t->early_taken) {
        t->too_early = t->drop_body = true; /* the same again, once this response is over */
        t->follow = false;
        return true;
    }
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
    if (!get_output_write(&t->out, p, len)) {
        get_hop_end(t, GET_EXIT_WRITE, "http");
        return false;
    }
    return true;
}

static void on_end(void *ctx, uint64_t bytes)
{
    struct get_transfer *t = ctx;
    cl_trace_http_body(t->s->client.trace, false, bytes);
    if (t->facts.http_code >= 400 && t->s->options->fail_with_body && !t->hop_over) {
        fail_status(t);
    }
    get_hop_end(t, 0, "http");
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
