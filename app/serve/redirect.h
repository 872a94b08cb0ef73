/* serve/redirect.h - where an address without TLS sends its clients (RFC 9110 15.4.9): to the same
 * URL over HTTPS. Pure. */
#ifndef CL_SERVE_REDIRECT_H
#define CL_SERVE_REDIRECT_H

#include "base/buf.h"
#include "cleat/http.h"

/* cl_redirect_location appends the https URL of a request to *out: its host, which has to be a
 * valid one, `port` unless that is 443, path and query as they were written. Returns 308; 400 when
 * the request does not say for which host it is, or is not for a resource; 500 without memory. */
int cl_redirect_location(const struct cleat_http_head *request, uint16_t port, struct cl_buf *out);

/* cl_redirect_spares tells whether a request is for a challenge of ACME's (RFC 8555 8.3), which is
 * answered here. */
bool cl_redirect_spares(const struct cleat_http_head *request);

#endif
