/* x509/dertime.c - UTCTime and GeneralizedTime (RFC 5280 4.1.2.5) to Unix seconds and back, without
 * the C library's calendar: no locale, no time zone, no 32-bit time_t. */
#include "x509/der.h"

#include <stdio.h>

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar; March is taken as the first
 * month of the year so that the leap day is the last one. */
static int64_t days_from_civil(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year =
        (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = (unsigned)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (unsigned)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

static unsigned month_days(int64_t year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool two_digits(struct cl_rd *r, unsigned *out)
{
    uint8_t tens;
    uint8_t ones;
    if (!cl_rd_u8(r, &tens) || !cl_rd_u8(r, &ones) || tens < '0' || tens > '9' || ones < '0' ||
        ones > '9') {
        return false;
    }
    *out = (unsigned)(tens - '0') * 10 + (unsigned)(ones - '0');
    return true;
}

bool cl_der_time(struct cl_rd *r, int64_t *out)
{
    struct cl_rd at = *r;
    struct cl_rd body;
    uint8_t tag;
    unsigned century = 0;
    unsigned year_in_century;
    unsigned month;
    unsigned day;
    unsigned hour;
    unsigned minute;
    unsigned second;
    if (!cl_der_any(&at, &tag, &body, NULL) ||
        (tag != CL_DER_UTC_TIME && tag != CL_DER_GENERALIZED_TIME)) {
        return false;
    }
    if (tag == CL_DER_GENERALIZED_TIME && !two_digits(&body, &century)) {
        return false;
    }
    /* RFC 5280 4.1.2.5.1: seconds are there, "and MUST be expressed in Greenwich Mean Time (Zulu)"
     */
    if (!two_digits(&body, &year_in_century) || !two_digits(&body, &month) ||
        !two_digits(&body, &day) || !two_digits(&body, &hour) || !two_digits(&body, &minute) ||
        !two_digits(&body, &second) || !cl_rd_equal_str(body, "Z")) {
        return false;
    }
    if (tag == CL_DER_UTC_TIME) {
        century = year_in_century >= 50 ? 19 : 20;
    }
    int64_t year = (int64_t)century * 100 + year_in_century;
    if (month < 1 || month > 12 || day < 1 || day > month_days(year, month) || hour > 23 ||
        minute > 59 || second > 59) {
        return false;
    }
    *out = days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *r = at;
    return true;
}

struct civil {
    int64_t year;
    unsigned month;
    unsigned day;
    unsigned hour;
    unsigned minute;
    unsigned second;
};

static struct civil civil_of(int64_t t)
{
    struct civil c;
    int64_t days = (t >= 0 ? t : t - 86399) / 86400;
    unsigned rest = (unsigned)(t - days * 86400);
    civil_from_days(days, &c.year, &c.month, &c.day);
    c.hour = rest / 3600;
    c.minute = rest / 60 % 60;
    c.second = rest % 60;
    return c;
}

/* 0 and 9999: what GeneralizedTime can say */
#define MIN_TIME (-62167219200LL)
#define MAX_TIME 253402300799LL

void cl_time_text(int64_t t, char *out)
{
    if (t < MIN_TIME || t > MAX_TIME) {
        (void)snprintf(out, CL_TIME_TEXT, "%s", t < 0 ? "before year 0" : "after year 9999");
        return;
    }
    struct civil c = civil_of(t);
    (void)snprintf(out, CL_TIME_TEXT, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)c.year % 10000,
                   c.month % 100, c.day % 100, c.hour % 100, c.minute % 100, c.second % 100);
}

static void put_time(struct cl_wr *w, int64_t t, bool generalized)
{
    if (t < MIN_TIME || t > MAX_TIME) {
        w->failed = true;
        return;
    }
    struct civil c = civil_of(t);
    bool utc = !generalized && c.year >= 1950 && c.year < 2050;
    char text[32];
    int len = snprintf(text, sizeof(text), "%04u%02u%02u%02u%02u%02uZ", (unsigned)c.year % 10000,
                       c.month % 100, c.day % 100, c.hour % 100, c.minute % 100, c.second % 100);
    size_t skip = utc ? 2 : 0;
    cl_der_put(w, utc ? CL_DER_UTC_TIME : CL_DER_GENERALIZED_TIME,
               cl_rd_of(text + skip, (size_t)len - skip));
}

void cl_der_put_time(struct cl_wr *w, int64_t t)
{
    put_time(w, t, false);
}

void cl_der_put_generalized_time(struct cl_wr *w, int64_t t)
{
    put_time(w, t, true);
}
