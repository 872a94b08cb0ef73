/* tests/http/support_http.c - see support_http.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "support_http.h"

#define MAX_TEXT (1 << 20)

struct driver {
    const struct stream *s;
    struct seen *seen;
    struct cleat_http_head head;
    struct cleat_http_body body;
    size_t at; /* bytes of the stream that are done with */
    enum { IN_HEAD, IN_BODY, CLOSED, STOPPED } state;
};

#define SAY(d, ...) assert_int_equal(cl_buf_printf(&(d)->seen->text, MAX_TEXT, __VA_ARGS__), CL_OK)

static void begin_message(struct driver *d)
{
    struct cleat_http_view method = {d->s->method, d->s->method != NULL ? strlen(d->s->method) : 0};
    memset(&d->head, 0xa5, sizeof(d->head));
    if (d->s->is_response) {
        cleat_http_response_init(&d->head, method);
    } else {
        cleat_http_request_init(&d->head);
    }
    d->state = IN_HEAD;
}

#define VIEW(h, span) (int)(span).len, (h)->base + (span).at

static void tell_head(struct driver *d)
{
    const struct cleat_http_head *h = &d->head;
    SAY(d, "head %.*s %.*s 1.%u %u '%.*s' form=%u framing=%u length=%llu keep=%d upgrade=%d ",
        VIEW(h, h->method), VIEW(h, h->target), h->minor, h->status, VIEW(h, h->reason), h->form,
        h->framing, (unsigned long long)h->content_length, h->keep_alive, h->upgrade);
    SAY(d, "expect=%u authority='%.*s' path='%.*s' query=%d'%.*s'\n", h->expect,
        VIEW(h, h->authority), VIEW(h, h->path), h->query.at != 0, VIEW(h, h->query));
    for (size_t i = 0; i < h->num_fields; i++) {
        SAY(d, "  %.*s: '%.*s'\n", VIEW(h, h->fields[i].name), VIEW(h, h->fields[i].value));
    }
}

static void note_failure(struct driver *d, int code, int status, const struct cleat_error *err)
{
    assert_int_equal(err->code, code);
    SAY(d, "\nerror %s %d: %s\n", cleat_error_name(code), status, err->text);
    d->seen->code = code;
    d->seen->reply_status = status;
    d->state = STOPPED;
}

static void on_head(struct driver *d)
{
    struct cleat_error err = {0};
    tell_head(d);
    d->at += d->head.len;
    assert_true(d->seen->num_messages < MAX_SEEN);
    d->seen->messages[d->seen->num_messages++] =
        (struct seen_message){.status = d->head.status,
                              .framing = d->head.framing,
                              .content_length = d->head.content_length};
    if (d->s->skip_bodies) {
        d->head.framing = CLEAT_HTTP_NO_BODY;
    }
    assert_int_equal(cleat_http_body_init(&d->body, &d->head, UINT64_MAX, &err), CLEAT_OK);
    d->state = IN_BODY;
}

static void on_body_end(struct driver *d)
{
    const struct cleat_http_head *h = &d->head;
    d->seen->messages[d->seen->num_messages - 1].complete = true;
    SAY(d, "\nend\n");
    if (h->framing == CLEAT_HTTP_SWITCHED || (!h->is_response && h->upgrade) ||
        (!h->is_response && h->form == CLEAT_HTTP_AUTHORITY_FORM)) {
        d->seen->switched = true;
        d->state = STOPPED;
    } else if (!h->keep_alive) {
        d->state = CLOSED;
    } else {
        begin_message(d);
    }
}

static bool step_head(struct driver *d, const char *p, size_t len)
{
    struct cleat_error err = {0};
    int rc = cleat_http_head_feed(&d->head, p, len, &err);
    if (rc == CLEAT_HTTP_COMPLETE) {
        on_head(d);
    } else if (rc != CLEAT_HTTP_MORE) {
        note_failure(d, rc, d->head.reply_status, &err);
    }
    return rc != CLEAT_HTTP_MORE;
}

static bool step_body(struct driver *d, const char *p, size_t len)
{
    struct cleat_error err = {0};
    struct cleat_http_view content;
    size_t used;
    int rc = cleat_http_body_feed(&d->body, p, len, &used, &content, &err);
    assert_true(used <= len);
    d->at += used;
    if (rc == CLEAT_HTTP_DATA) {
        d->seen->messages[d->seen->num_messages - 1].content_len += content.len;
        assert_true(content.len != 0 && content.p >= p && content.p + content.len <= p + used);
        assert_int_equal(cl_buf_append(&d->seen->text, content.p, content.len, MAX_TEXT), CL_OK);
    } else if (rc == CLEAT_HTTP_COMPLETE) {
        on_body_end(d);
    } else if (rc == CLEAT_HTTP_MORE) {
        assert_int_equal(used, len);
    } else {
        note_failure(d, rc, cleat_http_reply_status(rc), &err);
    }
    return rc != CLEAT_HTTP_MORE;
}

/* Everything up to `upto` has arrived. */
static void arrive(struct driver *d, size_t upto)
{
    bool progress = true;
    while (progress && d->state != STOPPED) {
        size_t len = upto - d->at;
        char *copy = malloc(len != 0 ? len : 1);
        assert_non_null(copy);
        memcpy(copy, d->s->bytes + d->at, len);
        if (d->state == IN_HEAD) {
            progress = step_head(d, copy, len);
        } else if (d->state == IN_BODY) {
            progress = step_body(d, copy, len);
        } else {
            for (; d->at < upto && strchr("\r\n", d->s->bytes[d->at]) != NULL; d->at++) {
            }
            d->seen->after_close = d->seen->after_close || d->at < upto;
            progress = false;
        }
        free(copy);
    }
}

void run_cut(const struct stream *s, size_t first, size_t step, struct seen *out)
{
    struct driver d = {.s = s, .seen = out};
    struct cleat_error err = {0};
    memset(out, 0, sizeof(*out));
    begin_message(&d);
    for (size_t upto = first != 0 ? first : step; upto < s->len; upto += step) {
        arrive(&d, upto);
    }
    arrive(&d, s->len);
    if (d.state == IN_HEAD) {
        size_t rest = s->len - d.at;
        out->in_message = cleat_http_head_eof(&d.head, rest, &err) != CLEAT_OK;
    } else if (d.state == IN_BODY) {
        out->in_message = cleat_http_body_eof(&d.body, true, &err) != CLEAT_OK;
    }
    SAY(&d, "\nin_message=%d switched=%d after_close=%d", out->in_message, out->switched,
        out->after_close);
}

static void compare(const char *name, size_t first, size_t step, const struct stream *s,
                    const struct seen *whole)
{
    struct seen cut;
    run_cut(s, first, step, &cut);
    if (cut.text.len != whole->text.len || memcmp(cut.text.p, whole->text.p, cut.text.len) != 0) {
        fail_msg("%s: cut at %zu by %zu:\n%.*s\nwhole:\n%.*s", name, first, step, (int)cut.text.len,
                 (char *)cut.text.p, (int)whole->text.len, (char *)whole->text.p);
    }
    seen_deinit(&cut);
}

void run_every_way(const char *name, const struct stream *s, struct seen *out)
{
    run_cut(s, s->len, s->len + 1, out);
    compare(name, 0, 1, s, out);
    for (size_t at = 1; at < s->len; at++) {
        compare(name, at, s->len, s, out);
    }
}

void seen_deinit(struct seen *s)
{
    cl_buf_deinit(&s->text);
}
