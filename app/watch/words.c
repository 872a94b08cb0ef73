/* watch/words.c - durations, shares of a lifetime and times, read and written (findings.h). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "watch/findings.h"

#define MINUTE       60
#define HOUR         3600
#define DAY          86400
/* ten years: beyond it somebody has mistaken the unit */
#define MAX_DURATION (3653LL * DAY)

/* A number in decimal digits alone; *rest is behind it. */
static bool number(const char *text, int64_t *out, const char **rest)
{
    int64_t n = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (n > MAX_DURATION) {
            return false;
        }
        n = n * 10 + (*p - '0');
    }
    *out = n;
    *rest = p;
    return p != text;
}

bool cl_watch_duration_parse(const char *text, int64_t *out)
{
    static const struct {
        const char *unit;
        int64_t seconds;
    } units[] = {{"", 1}, {"s", 1}, {"m", MINUTE}, {"h", HOUR}, {"d", DAY}, {"w", 7 * DAY}};
    int64_t n;
    const char *unit;
    if (!number(text, &n, &unit)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(unit, units[i].unit) == 0) {
            *out = n * units[i].seconds;
            return *out <= MAX_DURATION;
        }
    }
    return false;
}

bool cl_watch_share_parse(const char *text, struct cl_watch_share *out)
{
    int64_t n, m = 0;
    const char *rest;
    if (!number(text, &n, &rest)) {
        return false;
    }
    if (strcmp(rest, "%") == 0) {
        *out = (struct cl_watch_share){n, 100};
        return n <= 100;
    }
    if (*rest == '/') {
        bool whole = number(rest + 1, &m, &rest) && *rest == '\0';
        *out = (struct cl_watch_share){n, m};
        return whole && m > 0 && n <= m && m <= 1000000;
    }
    *out = (struct cl_watch_share){0, 0};
    return cl_watch_duration_parse(text, &out->num);
}

void cl_watch_span_text(int64_t seconds, char out[CL_WATCH_SPAN_SIZE])
{
    static const struct {
        int64_t from;
        int64_t unit;
        const char *name;
    } rows[] = {{2 * DAY, DAY, "day"}, {2 * HOUR, HOUR, "hour"}, {2 * MINUTE, MINUTE, "minute"}};
    int64_t n = seconds;
    const char *name = "second";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (seconds >= rows[i].from) {
            n = seconds / rows[i].unit;
            name = rows[i].name;
            break;
        }
    }
    (void)snprintf(out, CL_WATCH_SPAN_SIZE, "%" PRId64 " %s%s", n, name, n == 1 ? "" : "s");
}

void cl_watch_left_text(int64_t left, int64_t lifetime, char out[CL_WATCH_LEFT_SIZE])
{
    char part[CL_WATCH_SPAN_SIZE], whole[CL_WATCH_SPAN_SIZE];
    cl_watch_span_text(left, part);
    cl_watch_span_text(lifetime, whole);
    char *unit = strchr(part, ' ');
    if (unit != NULL && strcmp(unit, strchr(whole, ' ')) == 0) {
        *unit = '\0';
    }
    (void)snprintf(out, CL_WATCH_LEFT_SIZE, "%s of %s left", part, whole);
}

void cl_watch_time_text(int64_t t, bool iso, char out[CL_WATCH_TIME_SIZE])
{
    struct tm tm;
    const time_t seconds = (time_t)t;
    const char *format = iso ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M UTC";
    if (gmtime_r(&seconds, &tm) == NULL || strftime(out, CL_WATCH_TIME_SIZE, format, &tm) == 0) {
        (void)snprintf(out, CL_WATCH_TIME_SIZE, "%" PRId64, t);
    }
}
