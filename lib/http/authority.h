/* http/authority.h - host and port (RFC 3986 3.2, RFC 9110 7.2), for URLs, Host and targets. */
#ifndef CL_HTTP_AUTHORITY_H
#define CL_HTTP_AUTHORITY_H

#include "http/chars.h"

struct cl_http_authority {
    struct cl_rd host; /* an IPv6 literal without its brackets */
    uint16_t port;     /* 0: none written */
    bool has_port;
    bool is_ipv4;
    bool is_ipv6;
    bool is_idn; /* bytes above 0x7f */
};

enum cl_http_authority_flaw {
    CL_HTTP_AUTHORITY_FINE,
    CL_HTTP_AUTHORITY_NO_HOST,
    CL_HTTP_AUTHORITY_USERINFO,
    CL_HTTP_AUTHORITY_BAD_BYTE,
    CL_HTTP_AUTHORITY_BAD_IPV6,
    CL_HTTP_AUTHORITY_BAD_IPV4,
    CL_HTTP_AUTHORITY_BAD_PORT,
    CL_HTTP_AUTHORITY_TOO_LONG,
};

/* cl_http_authority_parse reads host [":" port], without user information. Percent-encoded hosts,
 * zone identifiers and hosts that end in a number but are no dotted quad are refused: other
 * software would read them as other hosts. An empty port ("host:") counts as not written. */
CL_RD_MUST enum cl_http_authority_flaw cl_http_authority_parse(struct cl_rd text,
                                                               struct cl_http_authority *out);

/* cl_http_authority_flaw_text says what is wrong, cl_http_authority_flaw_hint what to do. */
const char *cl_http_authority_flaw_text(enum cl_http_authority_flaw flaw);
const char *cl_http_authority_flaw_hint(enum cl_http_authority_flaw flaw);

#endif
