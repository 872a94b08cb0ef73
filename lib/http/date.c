/* http/date.c - HTTP dates (RFC 9110 5.6.7), without the locale and without libc's time functions.
 *
 * Days are counted in the proleptic Gregorian calendar, in years that begin in March, so that the
 * leap day is the last of its year.
 */
#include "http/date.h"

#include "http/chars.h"

#define DAY          86400
/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z */
#define FIRST_SECOND (-62135596800)
#define LAST_SECOND  253402300799

static const char day_names[7][10] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                      "Thursday", "Friday", "Saturday"};
static const char month_names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

struct civil {
    int64_t year;
    unsigned month; /* 1-12 */
    unsigned day;   /* 1-31 */
    unsigned hour, minute, second;
    unsigned weekday; /* 0 = Sunday */
};

/* Days since 1970-01-01. */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    unsigned m = month <= 2 ? month + 9 : month - 3; /* 0 = March */
    int64_t in_year = (153 * (int64_t)m + 2) / 5 + (int64_t)day - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + in_year - 719468;
}

static struct civil civil_of(int64_t t)
{
    int64_t days = (t - FIRST_SECOND) / DAY; /* since 0001-01-01, a Monday */
    int64_t rest = (t - FIRST_SECOND) % DAY;
    struct civil c = {.weekday = (unsigned)((days + 1) % 7)};
    int64_t n = days + 306; /* since 0000-03-01 */
    int64_t era = n / 146097;
    int64_t in_era = n % 146097;
    int64_t y = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    int64_t in_year = in_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * in_year + 2) / 153;
    c.day = (unsigned)(in_year - (153 * m + 2) / 5 + 1);
    c.month = (unsigned)(m < 10 ? m + 3 : m - 9);
    c.year = era * 400 + y + (c.month <= 2 ? 1 : 0);
    c.hour = (unsigned)(rest / 3600);
    c.minute = (unsigned)(rest / 60 % 60);
    c.second = (unsigned)(rest % 60);
    return c;
}

static void put_digits(char *out, unsigned value, unsigned num)
{
    while (num != 0) {
        out[--num] = (char)('0' + value % 10);
        value /= 10;
    }
}

void cl_http_date_format(int64_t unix_seconds, char out[CL_HTTP_DATE_SIZE])
{
    int64_t t = unix_seconds < FIRST_SECOND ? FIRST_SECOND : unix_seconds;
    struct civil c = civil_of(t > LAST_SECOND ? LAST_SECOND : t);
    memcpy(out, "Day, 00 Mon 0000 00:00:00 GMT", CL_HTTP_DATE_SIZE);
    memcpy(out, day_names[c.weekday], 3);
    put_digits(out + 5, c.day, 2);
    memcpy(out + 8, month_names[c.month - 1], 3);
    put_digits(out + 12, (unsigned)c.year, 4);
    put_digits(out + 17, c.hour, 2);
    put_digits(out + 20, c.minute, 2);
    put_digits(out + 23, c.second, 2);
}

static bool take_text(struct cl_rd *r, const char *text)
{
    struct cl_rd v;
    return cl_rd_take(r, strlen(text), &v) && cl_rd_equal_str(v, text);
}

static bool take_digits(struct cl_rd *r, unsigned num, unsigned *out)
{
    struct cl_rd v;
    uint64_t n = 0;
    if (!cl_rd_take(r, num, &v) || cl_http_u64(v, &n) != CL_HTTP_U64_OK) {
        return false;
    }
    *out = (unsigned)n;
    return true;
}

static bool take_month(struct cl_rd *r, unsigned *out)
{
    struct cl_rd v;
    if (!cl_rd_take(r, 3, &v)) {
        return false;
    }
    for (unsigned i = 0; i < 12; i++) {
        if (cl_rd_equal_str(v, month_names[i])) {
            *out = i + 1;
            return true;
        }
    }
    return false;
}

/* time-of-day = hour ":" minute ":" second; a leap second is 60 */
static bool take_time(struct cl_rd *r, struct civil *c)
{
    return take_digits(r, 2, &c->hour) && take_text(r, ":") && take_digits(r, 2, &c->minute) &&
           take_text(r, ":") && take_digits(r, 2, &c->second) && c->hour < 24 && c->minute < 60 &&
           c->second <= 60;
}

/* "06 Nov 1994 08:49:37 GMT", behind "Sun, " */
static bool parse_imf(struct cl_rd r, struct civil *c)
{
    unsigned year = 0;
    bool ok = take_digits(&r, 2, &c->day) && take_text(&r, " ") && take_month(&r, &c->month) &&
              take_text(&r, " ") && take_digits(&r, 4, &year) && take_text(&r, " ") &&
              take_time(&r, c) && take_text(&r, " GMT") && cl_rd_done(&r);
    c->year = year;
    return ok;
}

/* "06-Nov-94 08:49:37 GMT", behind "Sunday, ". RFC 9110 5.6.7: a year that "appears to be more than
 * 50 years in the future" is "the most recent year in the past that had the same last two digits"
 */
static bool parse_rfc850(struct cl_rd r, int64_t now, struct civil *c)
{
    unsigned year = 0;
    bool ok = take_digits(&r, 2, &c->day) && take_text(&r, "-") && take_month(&r, &c->month) &&
              take_text(&r, "-") && take_digits(&r, 2, &year) && take_text(&r, " ") &&
              take_time(&r, c) && take_text(&r, " GMT") && cl_rd_done(&r);
    int64_t this_year = now >= FIRST_SECOND && now <= LAST_SECOND ? civil_of(now).year : 1970;
    c->year = this_year - this_year % 100 + (int64_t)year;
    if (c->year > this_year + 50) {
        c->year -= 100;
    } else if (c->year <= this_year - 50) {
        c->year += 100;
    }
    return ok;
}

/* "Nov  6 08:49:37 1994", behind "Sun " */
static bool parse_asctime(struct cl_rd r, struct civil *c)
{
    unsigned year = 0;
    bool ok = take_month(&r, &c->month) && take_text(&r, " ") &&
              (r.len != 0 && r.p[0] == ' ' ? take_text(&r, " ") && take_digits(&r, 1, &c->day)
                                           : take_digits(&r, 2, &c->day)) &&
              take_text(&r, " ") && take_time(&r, c) && take_text(&r, " ") &&
              take_digits(&r, 4, &year) && cl_rd_done(&r);
    c->year = year;
    return ok;
}

static unsigned days_in_month(int64_t year, unsigned month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

bool cl_http_date_parse(struct cl_rd text, int64_t now, int64_t *out)
{
    struct civil c = {0};
    bool ok = false;
    for (unsigned i = 0; i < 7 && !ok; i++) {
        struct cl_rd full = text;
        struct cl_rd brief = text;
        char abbrev[4] = {day_names[i][0], day_names[i][1], day_names[i][2], '\0'};
        if (take_text(&full, day_names[i]) && take_text(&full, ", ")) {
            ok = parse_rfc850(full, now, &c);
        } else if (take_text(&brief, abbrev)) {
            struct cl_rd rest = brief;
            ok = take_text(&rest, ", ") ? parse_imf(rest, &c)
                                        : take_text(&brief, " ") && parse_asctime(brief, &c);
        }
    }
    if (!ok || c.year < 1 || c.day < 1 || c.day > days_in_month(c.year, c.month)) {
        return false;
    }
    *out = days_of(c.year, c.month, c.day) * DAY + (int64_t)c.hour * 3600 + (int64_t)c.minute * 60 +
           (int64_t)c.second;
    return true;
}
