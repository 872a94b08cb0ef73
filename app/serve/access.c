/* serve/access.c - see access.h. */
#include "serve/access.h"

#include <stdio.h>
#include <time.h>

#include "serve/clients.h"

/* 8 KiB: more than a note's two buffers can hold */
#define MAX_NOTE 8192
/* 256: six numbers and the longest sentence */
#define MAX_WS   256

/* How many bytes from here on stand for themselves. */
static size_t plain_run(const uint8_t *p, size_t len)
{
    size_t n = 0;
    while (n < len && p[n] >= 0x20 && p[n] < 0x7f && p[n] != '"' && p[n] != '\\') {
        n++;
    }
    return n;
}

void cl_access_escape(struct cl_buf *out, const void *p, size_t len, size_t max)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *bytes = p;
    size_t end = out->len + max;
    for (size_t i = 0; i < len;) {
        uint8_t c = bytes[i];
        char text[4] = {'\\', 'x', digits[c >> 4], digits[c & 15]};
        size_t run = plain_run(bytes + i, len - i);
        run = run < end - out->len ? run : end - out->len;
        size_t n = run > 0 ? run : sizeof(text);
        if (out->len + n > end ||
            cl_buf_append(out, run > 0 ? (const char *)bytes + i : text, n, MAX_NOTE) != CL_OK) {
            return;
        }
        i += run > 0 ? run : 1;
    }
}

static void quote(struct cl_buf *out, struct cleat_http_view v)
{
    (void)!cl_buf_append(out, "\"", 1, MAX_NOTE);
    if (v.p != NULL) {
        cl_access_escape(out, v.p, v.len, CL_ACCESS_MAX_FIELD);
    } else {
        (void)!cl_buf_append(out, "-", 1, MAX_NOTE);
    }
    (void)!cl_buf_append(out, "\"", 1, MAX_NOTE);
}

void cl_access_note_head(struct cl_access_note *note, const struct cleat_http_head *head,
                         unsigned major)
{
    struct cleat_http_view method = cleat_http_text(head, head->method);
    struct cleat_http_view target = cleat_http_text(head, head->target);
    cl_access_escape(&note->request, method.p, method.len, CLEAT_HTTP_MAX_METHOD * 4);
    cl_access_escape(&note->request, " ", 1, 1);
    cl_access_escape(&note->request, target.p, target.len, CL_ACCESS_MAX_REQUEST);
    const char *version = major == 2 ? " HTTP/2.0" : head->minor == 0 ? " HTTP/1.0" : " HTTP/1.1";
    cl_access_escape(&note->request, version, 9, 9);
    quote(&note->agent, cleat_http_find(head, "referer", NULL));
    (void)!cl_buf_append(&note->agent, " ", 1, MAX_NOTE);
    quote(&note->agent, cleat_http_find(head, "user-agent", NULL));
}

void cl_access_note_text(struct cl_access_note *note, const void *p, size_t len)
{
    const uint8_t *bytes = p;
    size_t line = 0;
    while (line < len && bytes[line] != '\r' && bytes[line] != '\n') {
        line++;
    }
    cl_access_escape(&note->request, p, line, CL_ACCESS_MAX_REQUEST);
}

void cl_access_deinit(struct cl_access_note *note)
{
    cl_buf_deinit(&note->request);
    cl_buf_deinit(&note->agent);
}

static const char *or_dash(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : "-";
}

/* " ws CODE WHO ...", or nothing. */
static void format_ws(const struct cl_access_ws *ws, char *out, size_t cap)
{
    out[0] = '\0';
    if (ws == NULL) {
        return;
    }
    (void)snprintf(out, cap, " ws %u %s \"%s\" %llu %llu %llu %llu %llu", (unsigned)ws->code,
                   ws->who, ws->sentence, (unsigned long long)ws->messages_in,
                   (unsigned long long)ws->bytes_in, (unsigned long long)ws->messages_out,
                   (unsigned long long)ws->bytes_out, (unsigned long long)ws->messages_dropped);
}

size_t cl_access_format(const struct cl_access *a, char *out, size_t cap)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct cl_buf sni = {0};
    struct cl_rd user = a->client != NULL ? cl_buf_view(&a->client->user) : (struct cl_rd){0};
    struct cl_rd client = a->client != NULL && a->client->columns.len > 0
                              ? cl_buf_view(&a->client->columns)
                              : cl_rd_str(a->client != NULL ? "\"-\" \"-\" - \"-\"" : "");
    char ws[MAX_WS];
    struct tm tm = {0};
    time_t t = (time_t)a->time;
    gmtime_r(&t, &tm);
    if (a->sni != NULL) {
        cl_access_escape(&sni, a->sni, strlen(a->sni), CL_ACCESS_MAX_FIELD);
    }
    format_ws(a->ws, ws, sizeof(ws));
    int n = snprintf(
        out, cap,
        "%s - %.*s [%02d/%s/%04d:%02d:%02d:%02d +0000] \"%.*s\" %03d %llu %.*s %llu.%06llu %s %s "
        "%s "
        "%s %s %.*s %s %s%s%.*s%s\n",
        a->address, user.len > 0 ? (int)user.len : 1, user.len > 0 ? (const char *)user.p : "-",
        tm.tm_mday, months[tm.tm_mon % 12], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec,
        (int)a->note->request.len, (const char *)a->note->request.p, a->status,
        (unsigned long long)a->bytes, a->note->agent.len > 0 ? (int)a->note->agent.len : 7,
        a->note->agent.len > 0 ? (const char *)a->note->agent.p : "\"-\" \"-\"",
        (unsigned long long)(a->us / 1000000), (unsigned long long)(a->us % 1000000),
        or_dash(a->version), or_dash(a->cipher), or_dash(a->group),
        a->early     ? "early"
        : a->resumed ? "resumed"
                     : "full",
        or_dash(a->alpn), sni.len > 0 ? (int)sni.len : 1, sni.len > 0 ? (const char *)sni.p : "-",
        or_dash(a->ja4), or_dash(a->ja3), a->client != NULL ? " " : "", (int)client.len,
        (const char *)client.p, ws);
    cl_buf_deinit(&sni);
    if (n < 0 || cap == 0) {
        return 0;
    }
    if ((size_t)n >= cap) {
        out[cap - 2] = '\n';
        return cap - 1;
    }
    return (size_t)n;
}
