/* conn/trace.c - the two kinds of line, and the events of DNS and TCP. */
#include "conn/trace.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "conn/json_text.h"
#include "conn/trace_line.h"
#include "net/clock.h"

cl_result cl_trace_new(const struct cl_trace_setup *setup, struct cl_trace **out)
{
    struct cl_trace *t = cl_calloc(1, sizeof(*t));
    if (t == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    t->human = setup->human;
    t->json = setup->json;
    t->colour = setup->colour;
    t->start_us = cl_clock_mono_us();
    *out = t;
    return CL_OK;
}

void cl_trace_free(struct cl_trace *t)
{
    cl_free(t);
}

bool cl_trace_want_colour(FILE *f)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return isatty(fileno(f)) && (no_color == NULL || no_color[0] == '\0') &&
           (term == NULL || strcmp(term, "dumb") != 0);
}

/* ---- lines ---- */

static const struct {
    char sign;
    const char *colour; /* of the line, on a terminal */
} marks[] = {
    [CL_TRACE_INFO] = {'*', ""},
    [CL_TRACE_SENT] = {'>', "\033[36m"},
    [CL_TRACE_RECEIVED] = {'<', "\033[35m"},
    [CL_TRACE_GOOD] = {'*', "\033[32m"},
    [CL_TRACE_BAD] = {'*', "\033[31m"},
};

static void say(struct cl_trace *t, enum cl_trace_mark mark, const char *topic, const char *fmt,
                va_list ap)
{
    char text[CL_TRACE_LINE_SIZE];
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    cl_text_make_printable(text);
    const char *on = t->colour ? marks[mark].colour : "";
    double ms = (double)(cl_clock_mono_us() - t->start_us) / 1000;
    (void)fprintf(t->human, "%s%c %8.1f ms  %-4s  %s%s\n", on, marks[mark].sign, ms, topic, text,
                  on[0] != '\0' ? "\033[0m" : "");
}

void cl_trace_say(struct cl_trace *t, enum cl_trace_mark mark, const char *topic, const char *fmt,
                  ...)
{
    if (t != NULL && t->human != NULL) {
        va_list ap;
        va_start(ap, fmt);
        say(t, mark, topic, fmt, ap);
        va_end(ap);
    }
}

void cl_trace_note(struct cl_trace *t, const char *topic, const char *fmt, ...)
{
    if (t == NULL) {
        return;
    }
    va_list ap;
    if (t->human != NULL) {
        va_start(ap, fmt);
        say(t, CL_TRACE_INFO, topic, fmt, ap);
        va_end(ap);
    }
    json_t *line = cl_trace_begin(t, "note");
    if (line != NULL) {
        char text[CL_TRACE_LINE_SIZE];
        va_start(ap, fmt);
        (void)vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        cl_trace_set_text(line, "topic", topic);
        cl_trace_set_text(line, "text", text);
        cl_trace_end(t, line);
    }
}

void cl_trace_set_ms(json_t *line, const char *key, uint64_t us)
{
    (void)json_object_set_new(line, key, json_real((double)us / 1000));
}

json_t *cl_trace_begin(struct cl_trace *t, const char *event)
{
    if (t == NULL || t->json == NULL) {
        return NULL;
    }
    json_t *line = json_object();
    (void)json_object_set_new(line, "schema", json_integer(CL_TRACE_SCHEMA));
    cl_trace_set_ms(line, "t", cl_clock_mono_us() - t->start_us);
    (void)json_object_set_new(line, "event", json_string(event));
    return line;
}

void cl_trace_end(struct cl_trace *t, json_t *line)
{
    if (line != NULL) {
        (void)json_dumpf(line, t->json, JSON_COMPACT | JSON_REAL_PRECISION(9));
        (void)fputc('\n', t->json);
        json_decref(line);
    }
}

void cl_trace_set_text(json_t *line, const char *key, const char *value)
{
    if (line != NULL) {
        json_t *text = value != NULL ? cl_json_text(value, strlen(value)) : json_null();
        (void)json_object_set_new(line, key, text);
    }
}

/* ---- DNS ---- */

void cl_trace_dns_ask(struct cl_trace *t, const char *host, int family)
{
    struct cl_addr literal;
    const char *what = family == AF_INET    ? "IPv4 addresses"
                       : family == AF_INET6 ? "IPv6 addresses"
                                            : "IPv6 and IPv4 addresses";
    if (!cl_addr_parse(host, 0, &literal)) {
        cl_trace_say(t, CL_TRACE_INFO, "dns", "looking up the %s of %s", what, host);
    }
    json_t *line = cl_trace_begin(t, "dns.ask");
    cl_trace_set_text(line, "host", host);
    cl_trace_set_text(line, "what", what);
    cl_trace_end(t, line);
}

void cl_trace_dns_answer(struct cl_trace *t, const struct cl_dns_answer *answer, uint64_t us)
{
    const char *kind = answer->kind == CL_DNS_AAAA ? "AAAA" : "A";
    char text[CL_ADDR_TEXT_SIZE];
    json_t *line = cl_trace_begin(t, "dns.answer");
    json_t *list = line != NULL ? json_array() : NULL;
    bool is_literal = strcmp(answer->source, "literal") == 0; /* people know it already */
    for (size_t i = 0; i < answer->num; i++) {
        cl_addr_format(&answer->addrs[i], text);
        if (!is_literal) {
            cl_trace_say(t, CL_TRACE_INFO, "dns", "%-4s %s (%s, %.1f ms)", kind, text,
                         answer->source, (double)us / 1000);
        }
        (void)json_array_append_new(list, json_string(text));
    }
    if (answer->num == 0 && !is_literal) {
        cl_trace_say(
            t, answer->failed ? CL_TRACE_BAD : CL_TRACE_INFO, "dns", "%-4s none: %s (%s, %.1f ms)",
            kind, answer->reason != NULL ? answer->reason : "", answer->source, (double)us / 1000);
    }
    cl_trace_set_text(line, "kind", kind);
    cl_trace_set_text(line, "source", answer->source);
    (void)json_object_set_new(line, "addresses", list);
    cl_trace_set_text(line, "reason", answer->num == 0 ? answer->reason : NULL);
    cl_trace_set_ms(line, "ms", us);
    cl_trace_end(t, line);
}

/* ---- TCP ---- */

static json_t *begin_tcp(struct cl_trace *t, const char *event, const struct cl_addr *addr,
                         char text[CL_ADDR_TEXT_SIZE])
{
    cl_addr_format_port(addr, text);
    json_t *line = cl_trace_begin(t, event);
    cl_trace_set_text(line, "address", text);
    return line;
}

void cl_trace_tcp_try(struct cl_trace *t, const struct cl_addr *addr)
{
    char text[CL_ADDR_TEXT_SIZE];
    cl_trace_end(t, begin_tcp(t, "tcp.try", addr, text));
    cl_trace_say(t, CL_TRACE_INFO, "tcp", "connecting to %s", text);
}

void cl_trace_tcp_failed(struct cl_trace *t, const struct cl_addr *addr, int status, uint64_t us)
{
    char text[CL_ADDR_TEXT_SIZE];
    json_t *line = begin_tcp(t, "tcp.failed", addr, text);
    cl_trace_set_text(line, "reason", uv_strerror(status));
    cl_trace_set_ms(line, "ms", us);
    cl_trace_end(t, line);
    cl_trace_say(t, CL_TRACE_BAD, "tcp", "%s: %s (%.1f ms)", text, uv_strerror(status),
                 (double)us / 1000);
}

void cl_trace_tcp_lost(struct cl_trace *t, const struct cl_addr *addr)
{
    char text[CL_ADDR_TEXT_SIZE];
    cl_trace_end(t, begin_tcp(t, "tcp.lost", addr, text));
    cl_trace_say(t, CL_TRACE_INFO, "tcp", "%s was slower: given up", text);
}

void cl_trace_tcp_connected(struct cl_trace *t, const struct cl_addr *peer,
                            const struct cl_addr *local, uint64_t us)
{
    char text[CL_ADDR_TEXT_SIZE], from[CL_ADDR_TEXT_SIZE];
    json_t *line = begin_tcp(t, "tcp.connected", peer, text);
    cl_addr_format_port(local, from);
    cl_trace_set_text(line, "local", from);
    cl_trace_set_ms(line, "ms", us);
    cl_trace_end(t, line);
    cl_trace_say(t, CL_TRACE_INFO, "tcp", "connected to %s from %s (%.1f ms)", text, from,
                 (double)us / 1000);
}
