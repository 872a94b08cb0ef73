/* cli/cert_watch_show.c - what `cleat cert watch` found, for people: a line for each target, what
 * is wrong below it.
 */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "cli/cert_watch.h"
#include "conn/trace.h"

/* 48: longer names of targets push their own line to the right */
#define MAX_COLUMN 48

/* How a severity is called, in which colour. */
static const struct {
    const char *name;
    const char *colour;
} states[] = {
    [CL_WATCH_NOTE] = {"fine", "\033[32m"},
    [CL_WATCH_UNCHECKED] = {"unchecked", "\033[35m"},
    [CL_WATCH_WARNING] = {"warning", "\033[33m"},
    [CL_WATCH_CRITICAL] = {"critical", "\033[31m"},
};
#define NUM_STATES (sizeof(states) / sizeof(states[0]))

const char *cert_watch_state(const struct cl_watch_report *report)
{
    return states[cl_watch_worst(report->findings)].name;
}

/* What is written where. */
struct paper {
    FILE *out;
    bool colour;
    int column; /* of what follows the target's name */
};

/* Padded to `width` without its colour. */
static void put_state(const struct paper *p, enum cl_watch_severity severity, const char *text,
                      int width)
{
    const int len = (int)strlen(text);
    (void)fprintf(p->out, "%s%s%s%*s", p->colour ? states[severity].colour : "", text,
                  p->colour ? "\033[0m" : "", width > len ? width - len : 0, "");
}

/* Until when, and how much of it is left. */
static void put_time(const struct paper *p, const struct cleat_cert *leaf, int64_t now)
{
    const int64_t from = cl_cert_not_before(leaf), until = cl_cert_not_after(leaf);
    char left[CL_WATCH_SPAN_SIZE], of[CL_WATCH_LEFT_SIZE], day[CL_WATCH_TIME_SIZE];
    cl_watch_time_text(now < from ? from : until, false, day);
    if (now > until) {
        cl_watch_span_text(now - until, left);
        (void)fprintf(p->out, "expired %s ago, on %.10s", left, day);
    } else if (now < from) {
        cl_watch_span_text(from - now, left);
        (void)fprintf(p->out, "valid in %s, from %.10s", left, day);
    } else {
        cl_watch_left_text(until - now, until - from + 1, of);
        (void)fprintf(p->out, "%s, until %.10s", of, day);
    }
}

static void put_issuer(const struct paper *p, const struct cleat_cert *leaf)
{
    char issuer[80];
    issuer[0] = '\0';
    (void)cleat_cert_issuer(leaf, issuer, sizeof(issuer));
    cl_text_make_printable(issuer);
    /* the common name, or what comes first */
    issuer[strcspn(issuer, ",")] = '\0';
    (void)fprintf(p->out, "  by %s", strncmp(issuer, "CN=", 3) == 0 ? issuer + 3 : issuer);
}

/* Which of several places a finding is about. */
static void put_place(const struct paper *p, const struct cl_watch_facts *f,
                      const struct cl_watch_side *side)
{
    if (side != NULL && side->on_disk && f->host != NULL) {
        (void)fputs(" (in the file)", p->out);
    } else if (side != NULL && f->many_addresses && !side->on_disk && side->address[0] != '\0') {
        (void)fprintf(p->out, " (%s)", side->address);
    }
}

static void put_finding(const struct paper *p, const struct cl_watch_facts *f,
                        const struct cl_watch_finding *finding)
{
    const struct cl_watch_kind *kind = cl_watch_kind(finding->kind);
    (void)fputs("           ", p->out);
    put_state(p, kind->severity, kind->id, 0);
    put_place(p, f, finding->side);
    (void)fprintf(p->out, ": %s\n", finding->text);
    if (finding->hint[0] != '\0') {
        (void)fprintf(p->out, "             fix: %s\n", finding->hint);
    }
}

static void put_target(const struct paper *p, const struct cl_watch_report *report)
{
    const struct cl_watch_facts *f = report->facts;
    const enum cl_watch_severity worst = cl_watch_worst(report->findings);
    const struct cl_watch_side *side = cl_watch_shown(f);
    put_state(p, worst, states[worst].name, 11);
    (void)fprintf(p->out, "%-*s  ", p->column, f->name);
    if (side != NULL) {
        put_time(p, cl_watch_leaf(side), f->at);
        put_issuer(p, cl_watch_leaf(side));
    } else {
        (void)fputs("not seen", p->out);
    }
    (void)fputc('\n', p->out);
    for (size_t i = 0; i < report->findings->num; i++) {
        put_finding(p, f, &report->findings->items[i]);
    }
}

static int widest(const struct cert_watch_news *news)
{
    size_t column = 0;
    for (size_t i = 0; i < news->num; i++) {
        const size_t len = strlen(news->reports[i].facts->name);
        column = len > column && len <= MAX_COLUMN ? len : column;
    }
    return (int)column;
}

static void put_summary(const struct paper *p, const struct cert_watch_news *news)
{
    size_t counts[NUM_STATES] = {0};
    char when[CL_WATCH_TIME_SIZE];
    for (size_t i = 0; i < news->num; i++) {
        counts[cl_watch_worst(news->reports[i].findings)]++;
    }
    cl_watch_time_text(news->at, true, when);
    (void)fprintf(p->out, "%s: %zu target%s", when, news->num, news->num == 1 ? "" : "s");
    for (size_t i = 0; i < NUM_STATES; i++) {
        if (counts[i] != 0) {
            (void)fprintf(p->out, ", %zu %s", counts[i], states[i].name);
        }
    }
    (void)fputc('\n', p->out);
}

void cert_watch_print(const struct cert_watch_news *news, FILE *out)
{
    const struct paper p = {
        .out = out, .colour = cl_trace_want_colour(out), .column = widest(news)};
    for (size_t i = 0; i < news->num; i++) {
        if (!news->quiet || cl_watch_worst(news->reports[i].findings) != CL_WATCH_NOTE) {
            put_target(&p, &news->reports[i]);
        }
    }
    if (!news->quiet && news->num > 1) {
        put_summary(&p, news);
    }
    (void)fflush(out);
}
