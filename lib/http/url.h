/* http/url.h - the five parts of a URI reference (RFC 3986 4.1, 5.2); shared by url.c and
 * resolve.c. The rest is in cleat/http.h. */
#ifndef CL_HTTP_URL_H
#define CL_HTTP_URL_H

#include "base/bytes.h"
#include "base/result.h"
#include "cleat/http.h"

struct cl_http_parts {
    struct cl_rd scheme; /* empty: none; not checked beyond its first letter */
    struct cl_rd authority;
    struct cl_rd path;
    struct cl_rd query;
    bool has_authority;
    bool has_query;
};

/* cl_http_url_split takes a reference apart as RFC 3986 B does, without judging it; the fragment is
 * dropped. */
struct cl_http_parts cl_http_url_split(struct cl_rd text);

/* cl_http_put_host and cl_http_put_port write the host of a URL, in brackets when it is an IPv6
 * literal, and ":port". */
void cl_http_put_host(struct cl_wr *w, const struct cleat_http_url *url);
void cl_http_put_port(struct cl_wr *w, uint16_t port);

/* cl_http_url_host writes the host as names are looked up and compared: in lower case, without the
 * dot behind it, with a NUL. false: it is empty, or does not fit into cap bytes. A name that is not
 * ASCII (is_idn) has to be converted instead. */
CL_RD_MUST bool cl_http_url_host(const struct cleat_http_url *url, char *out, size_t cap);

#endif
