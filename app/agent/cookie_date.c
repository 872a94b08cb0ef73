/* agent/cookie_date.c - dates as servers have written them since 1994 (RFC 6265 5.1.1): tokens in
 * any order, with whatever between them. */
#include <time.h>

#include "agent/cookie.h"
#include "base/text.h"

struct date {
    int hour, minute, second, day, month, year; /* month: 0 is January */
    bool has_time, has_day, has_month, has_year;
};

/* RFC 6265 5.1.1: delimiter = %x09 / %x20-2F / %x3B-40 / %x5B-60 / %x7B-7E */
static bool is_delimiter(uint8_t c)
{
    return c == '\t' || (c >= 0x20 && c <= 0x2f) || (c >= 0x3b && c <= 0x40) ||
           (c >= 0x5b && c <= 0x60) || (c >= 0x7b && c <= 0x7e);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* low to high digits, and no more of them behind. */
static bool take_number(struct cl_rd *r, size_t low, size_t high, int *out)
{
    size_t n = 0;
    *out = 0;
    while (n < r->len && n <= high && is_digit(r->p[n])) {
        *out = *out * 10 + (r->p[n] - '0');
        n++;
    }
    return n >= low && n <= high && cl_rd_skip(r, n);
}

static bool take_colon(struct cl_rd *r)
{
    return r->len > 0 && r->p[0] == ':' && cl_rd_skip(r, 1);
}

/* time = 1*2DIGIT ":" 1*2DIGIT ":" 1*2DIGIT ( non-digit *OCTET ) */
static bool take_time(struct date *d, struct cl_rd token)
{
    return take_number(&token, 1, 2, &d->hour) && take_colon(&token) &&
           take_number(&token, 1, 2, &d->minute) && take_colon(&token) &&
           take_number(&token, 1, 2, &d->second);
}

static bool take_month(struct date *d, struct cl_rd token)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    struct cl_rd v;
    if (!cl_rd_take(&token, 3, &v)) {
        return false;
    }
    for (int i = 0; i < 12; i++) {
        if (cl_ascii_equal_fold(v, cl_rd_of(names + 3 * (size_t)i, 3))) {
            d->month = i;
            return true;
        }
    }
    return false;
}

static void take_token(struct date *d, struct cl_rd token)
{
    struct cl_rd rest = token;
    if (!d->has_time && take_time(d, token)) {
        d->has_time = true;
    } else if (!d->has_day && take_number(&rest, 1, 2, &d->day)) {
        d->has_day = true;
    } else if (!d->has_month && take_month(d, token)) {
        d->has_month = true;
    } else if (!d->has_year && take_number(&token, 2, 4, &d->year)) {
        d->has_year = true;
    }
}

bool cl_cookie_date(struct cl_rd text, int64_t *out)
{
    struct date d = {0};
    while (text.len > 0) {
        size_t n = 0;
        struct cl_rd token;
        while (n < text.len && !is_delimiter(text.p[n])) {
            n++;
        }
        if (!cl_rd_take(&text, n, &token)) {
            return false;
        }
        if (token.len > 0) {
            take_token(&d, token);
        } else if (!cl_rd_skip(&text, 1)) {
            return false;
        }
    }
    d.year += d.year >= 70 && d.year <= 99 ? 1900 : d.year < 70 ? 2000 : 0;
    if (!d.has_time || !d.has_day || !d.has_month || !d.has_year || d.day < 1 || d.year < 1601 ||
        d.hour > 23 || d.minute > 59 || d.second > 59) {
        return false;
    }
    struct tm tm = {.tm_year = d.year - 1900,
                    .tm_mon = d.month,
                    .tm_mday = d.day,
                    .tm_hour = d.hour,
                    .tm_min = d.minute,
                    .tm_sec = d.second};
    *out = timegm(&tm);
    return tm.tm_mday == d.day; /* 30 February becomes a day of March */
}
