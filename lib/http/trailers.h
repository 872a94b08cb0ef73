/* http/trailers.h - which fields must not be trailers. */
#ifndef CL_HTTP_TRAILERS_H
#define CL_HTTP_TRAILERS_H

#include "base/result.h"
#include "http/chars.h"

/* cl_http_is_no_trailer tells whether a field of that name must not be a trailer (RFC 9110 6.5.1):
 * it would frame, route or authenticate the message, or say how to read its content. */
bool cl_http_is_no_trailer(struct cl_rd name);

/* cl_http_trailers_check looks at each field: HTTP_SYNTAX. */
CL_MUST cl_result cl_http_trailers_check(const struct cleat_http_head *h, struct cleat_error *err);

#endif
