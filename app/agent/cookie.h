/* agent/cookie.h - a Set-Cookie field taken apart (RFC 6265 5.2, in the form that its revision,
 * draft-ietf-httpbis-rfc6265bis, gives it), and the dates in it. Pure; what is done with the result
 * is decided by cookie_jar.h.
 */
#ifndef CL_AGENT_COOKIE_H
#define CL_AGENT_COOKIE_H

#include "base/bytes.h"

/* 4,096 bytes of name and value together, 1,024 of an attribute: RFC 6265bis 5.6 */
#define CL_COOKIE_MAX_PAIR      4096
#define CL_COOKIE_MAX_ATTRIBUTE 1024
/* 400 days: RFC 6265bis 5.5; nobody's login is forgotten that comes back within a year */
#define CL_COOKIE_MAX_AGE       (400 * 86400)

/* What became of a cookie. */
enum cl_cookie_verdict {
    CL_COOKIE_STORED,
    CL_COOKIE_DELETED,  /* it has expired: so servers delete one */
    CL_COOKIE_BAD_PAIR, /* no "=", or no name */
    CL_COOKIE_BAD_BYTE, /* a control byte, or a tab, which files of cookies cannot hold */
    CL_COOKIE_TOO_LONG,
    CL_COOKIE_BAD_DOMAIN,    /* not ASCII */
    CL_COOKIE_OTHER_DOMAIN,  /* the host is not within it */
    CL_COOKIE_PUBLIC_SUFFIX, /* "co.uk": it would be for everybody below */
    CL_COOKIE_NOT_SECURE,    /* Secure, over plain HTTP; or in the way of one that is Secure */
    CL_COOKIE_BAD_PREFIX,    /* __Secure- or __Host- without what they promise */
    CL_COOKIE_NO_MEMORY,
};

/* cl_cookie_verdict_text is for people: "its domain is a public suffix". */
const char *cl_cookie_verdict_text(enum cl_cookie_verdict verdict);

/* Views into the field's value. */
struct cl_cookie_line {
    struct cl_rd name, value;
    struct cl_rd domain; /* without a dot in front; empty: none */
    struct cl_rd path;   /* empty: none that counts */
    int64_t expires;     /* Unix seconds; 0: with the session; now or before: delete it */
    bool secure, http_only;
};

/* cl_cookie_parse reads the value of a Set-Cookie field; now in Unix seconds, above 0. STORED: *out
 * is filled; BAD_PAIR, BAD_BYTE, TOO_LONG, BAD_DOMAIN: ignore the field. */
enum cl_cookie_verdict cl_cookie_parse(struct cl_cookie_line *out, struct cl_rd field, int64_t now);

/* cl_cookie_date reads a date as loosely as RFC 6265 5.1.1 says. False: it is none. */
CL_RD_MUST bool cl_cookie_date(struct cl_rd text, int64_t *out);

#endif
