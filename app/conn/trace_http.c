/* conn/trace_http.c - the trace's lines about HTTP, and about failures. */
#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"
#include "conn/json_text.h"
#include "conn/trace_line.h"

/* Whose values give access: a trace is made to be shown to others. */
static const char *const hidden[] = {"authorization", "proxy-authorization", "cookie",
                                     "set-cookie"};

/* Copies one line, printable, with its value hidden if it is a credential. */
static void copy_line(const char *p, size_t len, char *out, size_t cap)
{
    const char *colon = memchr(p, ':', len);
    size_t name_len = colon != NULL ? (size_t)(colon - p) : 0;
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]) && name_len > 0; i++) {
        if (cl_ascii_equal_fold(cl_rd_of(p, name_len), cl_rd_str(hidden[i]))) {
            (void)snprintf(out, cap, "%.*s: (%zu bytes, hidden)", (int)name_len, p,
                           len - name_len - 1);
            return;
        }
    }
    size_t n = len < cap - 1 ? len : cap - 1;
    for (size_t i = 0; i < n; i++) {
        out[i] = cl_ascii_printable((char)p[i]);
    }
    out[n] = '\0';
}

static void set_stream(json_t *line, uint32_t stream)
{
    if (stream != 0) {
        (void)json_object_set_new(line, "stream", json_integer(stream));
    }
}

static void tell_head(struct cl_trace *t, json_t *line, bool sent, const char *head, size_t len)
{
    json_t *list = line != NULL ? json_array() : NULL;
    const char *colour = sent ? "\033[36m" : "\033[35m";
    while (len > 0) {
        char text[8192];
        const char *end = memchr(head, '\n', len);
        size_t line_len = end != NULL ? (size_t)(end - head) : len;
        size_t step = end != NULL ? line_len + 1 : line_len;
        line_len -= line_len > 0 && head[line_len - 1] == '\r' ? 1 : 0;
        copy_line(head, line_len, text, sizeof(text));
        if (t->human != NULL) {
            (void)fprintf(t->human, "%s%c %s%s\n", t->colour ? colour : "", sent ? '>' : '<', text,
                          t->colour ? "\033[0m" : "");
        }
        if (line_len > 0) {
            (void)json_array_append_new(list,
                                        line != NULL ? cl_json_text(text, strlen(text)) : NULL);
        }
        head += step;
        len -= step;
    }
    (void)json_object_set_new(line, "lines", list);
    cl_trace_end(t, line);
}

/* A head that is written as HTTP/1.1 has it, with the version that it goes by; else nothing. */
static void spell_version(struct cl_buf *out, const char *head, size_t len)
{
    static const char older[] = "HTTP/1.1";
    const size_t older_len = sizeof(older) - 1;
    const char *end = memchr(head, '\r', len);
    const char *at = end != NULL ? memmem(head, (size_t)(end - head), older, older_len) : NULL;
    if (at == NULL) {
        return;
    }
    const size_t before = (size_t)(at - head);
    if (cl_buf_append(out, head, before, SIZE_MAX) != CL_OK ||
        cl_buf_append(out, "HTTP/2", 6, SIZE_MAX) != CL_OK ||
        cl_buf_append(out, at + older_len, len - before - older_len, SIZE_MAX) != CL_OK) {
        cl_buf_deinit(out);
    }
}

void cl_trace_http_head(struct cl_trace *t, uint32_t stream, bool sent, const char *head,
                        size_t len)
{
    if (t == NULL) {
        return;
    }
    struct cl_buf text = {0};
    if (stream != 0) {
        cl_trace_say(t, CL_TRACE_INFO, "http", "stream %" PRIu32 ": %s", stream,
                     sent ? "request" : "response");
        spell_version(&text, head, len);
    }
    json_t *line = cl_trace_begin(t, sent ? "http.request" : "http.response");
    set_stream(line, stream);
    tell_head(t, line, sent, text.len > 0 ? (const char *)text.p : head,
              text.len > 0 ? text.len : len);
    cl_buf_deinit(&text);
}

void cl_trace_proxy_head(struct cl_trace *t, bool sent, const char *head, size_t len)
{
    if (t != NULL) {
        tell_head(t, cl_trace_begin(t, sent ? "proxy.request" : "proxy.response"), sent, head, len);
    }
}

void cl_trace_http_body(struct cl_trace *t, uint32_t stream, bool sent, uint64_t bytes)
{
    const char *what = sent ? "sent" : "received";
    if (stream != 0) {
        cl_trace_say(t, CL_TRACE_INFO, "http", "stream %" PRIu32 ": body of %" PRIu64 " bytes %s",
                     stream, bytes, what);
    } else {
        cl_trace_say(t, CL_TRACE_INFO, "http", "body: %" PRIu64 " bytes %s", bytes, what);
    }
    json_t *line = cl_trace_begin(t, "http.body");
    set_stream(line, stream);
    (void)json_object_set_new(line, "sent", json_boolean(sent));
    (void)json_object_set_new(line, "bytes", json_integer((json_int_t)bytes));
    cl_trace_end(t, line);
}

void cl_trace_error(struct cl_trace *t, const char *stage, const struct cleat_error *error)
{
    json_t *line = cl_trace_begin(t, "error");
    if (line == NULL) {
        return;
    }
    cl_trace_set_text(line, "stage", stage);
    cl_trace_set_text(line, "code", cleat_error_name(error->code));
    cl_trace_set_text(line, "text", error->text);
    cl_trace_set_text(line, "section", error->section[0] != '\0' ? error->section : NULL);
    cl_trace_set_text(line, "hint", error->hint[0] != '\0' ? error->hint : NULL);
    if (error->alert != 0) {
        cl_trace_set_text(line, "alert", cleat_alert_name(error->alert));
        (void)json_object_set_new(line, "from_peer", json_boolean(error->from_peer));
    }
    cl_trace_end(t, line);
}
