/* http/date.h - HTTP dates (RFC 9110 5.6.7). Times in Unix seconds. */
#ifndef CL_HTTP_DATE_H
#define CL_HTTP_DATE_H

#include "base/bytes.h"

/* 30: "Sun, 06 Nov 1994 08:49:37 GMT" and a NUL */
#define CL_HTTP_DATE_SIZE 30

/* cl_http_date_format writes an IMF-fixdate and a NUL. Times outside the years 1-9999 are clamped.
 */
void cl_http_date_format(int64_t unix_seconds, char out[CL_HTTP_DATE_SIZE]);

/* cl_http_date_parse reads the three forms: IMF-fixdate, RFC 850, asctime. now decides the century
 * of RFC 850's two-digit year (RFC 9110 5.6.7: not more than 50 years ahead). false: not a date. */
CL_RD_MUST bool cl_http_date_parse(struct cl_rd text, int64_t now, int64_t *out);

#endif
