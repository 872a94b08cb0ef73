/* serve/answer.c - see answer.h. */
#include "serve/answer.h"

#include <stdio.h>
#include <string.h>

#include "http/write.h"
#include "net/clock.h"
#include "serve/demo.h"
#include "serve/page.h"
#include "serve/protected.h"
#include "serve/redirect.h"

/* RFC 9110 15.5.6: a 405 MUST have it */
#define ALLOW_FIELD "Allow: GET, HEAD\r\n"

/* https://www.w3.org/TR/upgrade-insecure-requests/ 3.1 */
#define UPGRADE_FIELD "Content-Security-Policy: upgrade-insecure-requests\r\n"

/* Methods that RFC 9110 9 and RFC 5789 define: known, but most are not for files (405); any other
 * is not known here (501). */
static const char *const known_methods[] = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
};

void cl_answer_init(struct cl_answer *a, const struct cl_site *site)
{
    *a = (struct cl_answer){.site = site, .reply = CL_STATIC_REPLY_INIT};
}

void cl_answer_deinit(struct cl_answer *a)
{
    cl_static_reply_deinit(&a->reply);
    cl_access_deinit(&a->note);
}

static bool is_method(const struct cleat_http_head *head, const char *name)
{
    return cleat_http_is(cleat_http_text(head, head->method), name);
}

/* What may be a replay is answered at once when that changes nothing. */
static bool is_safe(const struct cleat_http_head *head)
{
    return head->framing == CLEAT_HTTP_NO_BODY &&
           (is_method(head, "GET") || is_method(head, "HEAD"));
}

static bool method_is_known(const struct cleat_http_head *head)
{
    for (size_t i = 0; i < sizeof(known_methods) / sizeof(known_methods[0]); i++) {
        if (is_method(head, known_methods[i])) {
            return true;
        }
    }
    return false;
}

static void stamp(struct cl_answer *a)
{
    if (a->began == 0) {
        a->began = cl_clock_mono_us();
        a->now = (int64_t)(cl_clock_unix_ms() / 1000);
    }
}

/* 512: the fields of every answer, and those of one status */
#define MAX_FIELDS 512

static void answer_page(struct cl_answer *a, int status, const char *text, bool without_body)
{
    char fields[MAX_FIELDS];
    struct cl_page page = {
        .status = status,
        .text = text,
        .now = a->now,
        .extra_fields = fields,
    };
    struct cl_static_reply *reply = &a->reply;
    (void)snprintf(fields, sizeof(fields), "%s%s", cl_site_fields(a->site, a->secure),
                   status == 405 ? ALLOW_FIELD : "");
    cl_static_reply_deinit(reply);
    reply->status = status;
    if (cl_page_build(&page, &reply->fields, &reply->body.memory) != CL_OK) {
        /* Out of memory: the status alone. */
        reply->fields.len = reply->body.memory.len = 0;
        a->last = true;
    }
    reply->length = reply->body.memory.len;
    if (without_body) {
        cl_body_source_deinit(&reply->body);
    }
}

void cl_answer_refuse(struct cl_answer *a, int status, const char *text)
{
    stamp(a);
    a->last = a->at_once = true;
    answer_page(a, status, text, a->is_head);
}

void cl_answer_refuse_text(struct cl_answer *a, int status, const char *text, const void *came,
                           size_t came_len)
{
    if (a->note.request.len == 0 && a->site->access != NULL) {
        cl_access_note_text(&a->note, came, came_len);
    }
    cl_answer_refuse(a, status, text);
}

static cl_result write_common(struct cl_answer *a)
{
    const char *fields = cl_site_fields(a->site, a->secure);
    return cl_buf_append(&a->reply.fields, fields, strlen(fields), CL_HTTP_MAX_WRITTEN_HEAD);
}

/* RFC 9110 9.3.7: what the server itself can do. */
static cl_result answer_options(struct cl_answer *a)
{
    struct cl_static_reply *reply = &a->reply;
    cl_static_reply_deinit(reply);
    reply->status = 204;
    CL_TRY(cl_http_write_date(&reply->fields, a->now));
    CL_TRY(cl_http_write_field_str(&reply->fields, "Allow", "GET, HEAD, OPTIONS"));
    return write_common(a);
}

/* RFC 9110 15.4.9: 308, which keeps the method. */
static cl_result answer_redirect(struct cl_answer *a, const struct cleat_http_head *head)
{
    static const char text[] = "308 Permanent Redirect\n";
    struct cl_static_reply *reply = &a->reply;
    struct cl_buf location = {0};
    const int status = cl_redirect_location(head, a->site->https_port, &location);
    if (status != 308) {
        cl_buf_deinit(&location);
        answer_page(a, status, "The request does not say for which host it is.", a->is_head);
        return CL_OK;
    }
    cl_static_reply_deinit(reply);
    reply->status = status;
    reply->length = sizeof(text) - 1;
    cl_result rc = cl_http_write_date(&reply->fields, a->now);
    if (rc == CL_OK) {
        rc = write_common(a);
    }
    if (rc == CL_OK) {
        rc = cl_http_write_field(&reply->fields, cl_rd_str("Location"), cl_buf_view(&location));
    }
    cl_buf_deinit(&location);
    CL_TRY(rc);
    CL_TRY(cl_http_write_field_str(&reply->fields, "Content-Type", "text/plain; charset=utf-8"));
    return a->is_head ? CL_OK
                      : cl_buf_append(&reply->body.memory, text, sizeof(text) - 1, sizeof(text));
}

static cl_result answer_file(struct cl_answer *a, const struct cleat_http_head *head)
{
    struct cl_static_ask ask = {
        .request = head,
        .now = a->now,
        .extra_fields = cl_site_fields(a->site, a->secure),
        .kept = a->kept,
        .html_fields =
            a->secure && a->site->options != NULL && a->site->options->web.upgrade_insecure
                ? UPGRADE_FIELD
                : NULL,
    };
    cl_static_reply_deinit(&a->reply);
    return cl_static_answer(&a->site->files, &ask, &a->reply);
}

static cl_result write_demo(struct cl_answer *a, const struct cl_demo_answer *d)
{
    struct cl_static_reply *reply = &a->reply;
    size_t num = 0;
    const struct cl_demo_field *fields = cl_demo_fields(&num);
    reply->status = d->status;
    reply->length = d->body_len;
    CL_TRY(cl_http_write_date(&reply->fields, a->now));
    CL_TRY(write_common(a));
    for (size_t i = 0; i < num; i++) {
        CL_TRY(cl_http_write_field_str(&reply->fields, fields[i].name, fields[i].value));
    }
    if (d->caching != NULL) {
        CL_TRY(cl_http_write_field_str(&reply->fields, "Cache-Control", d->caching));
    }
    if (d->etag != NULL) {
        CL_TRY(cl_http_write_field_str(&reply->fields, "ETag", d->etag));
    }
    if (d->type != NULL) {
        CL_TRY(cl_http_write_field_str(&reply->fields, "Content-Type", d->type));
    }
    return a->is_head ? CL_OK
                      : cl_buf_append(&reply->body.memory, d->body, d->body_len, CL_DEMO_MAX_BODY);
}

static cl_result answer_demo(struct cl_answer *a, const struct cleat_http_head *head)
{
    struct cl_demo_answer d;
    if (a->visit == NULL) {
        return CLEAT_ERR_NOMEM; /* when the connection began */
    }
    cl_result rc = cl_demo_ask(a->site->demo, a->visit, head, &d);
    a->leave = d.last;
    a->quiet = d.quiet;
    cl_static_reply_deinit(&a->reply);
    if (rc == CL_OK && d.status != 200 && d.status != 304) {
        answer_page(a, d.status, NULL, a->is_head);
    } else if (rc == CL_OK) {
        rc = write_demo(a, &d);
    }
    cl_demo_answer_deinit(&d);
    return rc;
}

static void answer(struct cl_answer *a, const struct cleat_http_head *head)
{
    cl_result rc = CL_OK;
    if (head->expect == CLEAT_HTTP_EXPECT_UNKNOWN) {
        a->last = a->at_once = true;
        answer_page(a, 417, "Only 100-continue can be expected.", a->is_head);
    } else if (!method_is_known(head)) {
        answer_page(a, 501, "This server does not know the method.", false);
    } else if (a->redirects && (a->site->demo != NULL || !cl_redirect_spares(head))) {
        rc = answer_redirect(a, head);
    } else if (head->form == CLEAT_HTTP_ASTERISK_FORM) {
        rc = answer_options(a);
    } else if (a->site->demo != NULL && !a->redirects) {
        rc = answer_demo(a, head);
    } else {
        rc = answer_file(a, head);
    }
    if (rc != CL_OK) {
        cl_answer_refuse(a, 500, NULL);
    }
}

/* Where there are WebSockets, a path of theirs, and whoever asks for one. */
static bool is_for_websocket(const struct cl_answer *a, const struct cleat_http_head *head,
                             const char *protocol)
{
    const struct cl_ws_server *ws = a->site->ws;
    return ws != NULL && !a->redirects &&
           (protocol != NULL || cleat_ws_wants_upgrade(head) ||
            cl_ws_config_find(ws->config, cleat_http_text(head, head->path)) != NULL);
}

/* RFC 8441 4: over HTTP/2 a WebSocket is asked for by its :protocol. False: it is not, and the
 * answer says so. */
static bool is_asked_rightly(struct cl_answer *a, unsigned major, const char *protocol)
{
    if (major == 1 || (protocol != NULL && strcmp(protocol, "websocket") == 0)) {
        return true;
    }
    if (protocol != NULL) {
        cl_answer_refuse(a, 501, "Of the protocols there are this server knows websocket alone.");
    } else {
        cl_answer_refuse(a, 400, "There is a WebSocket here: ask for it by an extended CONNECT.");
    }
    return false;
}

/* RFC 9110 10.1.1: who waits for a 100 gets a final answer at once where that is a refusal. Whether
 * the body comes all the same cannot be known. */
static bool refuses_body(const struct cl_answer *a, const struct cleat_http_head *head)
{
    return head->framing != CLEAT_HTTP_NO_BODY && a->reply.status >= 400 &&
           head->expect == CLEAT_HTTP_EXPECT_CONTINUE;
}

enum cl_answer_next cl_answer_request(struct cl_answer *a, const struct cleat_http_head *head,
                                      unsigned major, const char *protocol)
{
    stamp(a);
    a->early = head->early;
    a->is_head = is_method(head, "HEAD");
    a->is_protected = !a->redirects && cl_protected_holds(a->site->protected, head);
    /* a certificate can be asked for after the handshake only */
    a->must_wait = a->early && (!is_safe(head) || a->is_protected);
    if (a->site->access != NULL) {
        cl_access_note_head(&a->note, head, major);
    }
    if (is_for_websocket(a, head, protocol)) {
        a->is_upgrade = is_asked_rightly(a, major, protocol);
        return a->is_upgrade ? CL_ANSWER_WEBSOCKET : CL_ANSWER_READY;
    }
    answer(a, head);
    if (refuses_body(a, head)) {
        a->last = a->at_once = true;
    }
    return CL_ANSWER_READY;
}
