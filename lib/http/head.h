/* http/head.h - what the files of the head parser share: head.c scans and cuts lines, target.c
 * reads the request line's target, frame.c decides what the fields mean for the message. */
#ifndef CL_HTTP_HEAD_H
#define CL_HTTP_HEAD_H

#include "base/result.h"
#include "http/chars.h"

/* cl_http_refuse ends the parsing: notes the status that a server answers for `code` (unless one is
 * noted already) and returns code. */
cl_result cl_http_refuse(struct cleat_http_head *h, cl_result code);

/* cl_http_target_parse checks the request target against the method (RFC 9112 3.2) and notes its
 * form, path, query and authority. */
CL_MUST cl_result cl_http_target_parse(struct cleat_http_head *h, struct cl_rd method,
                                       struct cl_rd target, struct cleat_error *err);

/* cl_http_frame decides, from the complete fields, how long the message is (RFC 9112 6.3), whether
 * the connection stays, and checks Host. */
CL_MUST cl_result cl_http_frame(struct cleat_http_head *h, struct cleat_error *err);

/* cl_http_fields_init prepares for fields without a first line: trailers. */
void cl_http_fields_init(struct cleat_http_head *h, uint8_t max_fields);

static inline struct cleat_http_span cl_http_span(const struct cleat_http_head *h, struct cl_rd v)
{
    size_t at = (size_t)((const char *)v.p - h->base);
    return (struct cleat_http_span){.at = (uint16_t)at, .len = (uint16_t)v.len};
}

static inline struct cl_rd cl_http_rd_span(const struct cleat_http_head *h,
                                           struct cleat_http_span s)
{
    return cl_rd_of(h->base + s.at, s.len);
}

#endif
