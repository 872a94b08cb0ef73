/* http/range.h - the fields of conditional and range requests (RFC 9110 8.8, 13, 14). Pure
 * functions on views; times in Unix seconds.
 */
#ifndef CL_HTTP_RANGE_H
#define CL_HTTP_RANGE_H

#include "base/bytes.h"

/* A satisfiable byte range, first and last inclusive, both below the size of the representation. */
struct cl_http_range {
    uint64_t first;
    uint64_t last;
};

/* 16: more ranges in one request are an attack or a broken client; the field is then ignored */
#define CL_HTTP_MAX_RANGES 16

enum cl_http_range_verdict {
    CL_HTTP_RANGE_IGNORE,        /* another unit, malformed, or too many: answer 200 */
    CL_HTTP_RANGE_OK,            /* answer 206 */
    CL_HTTP_RANGE_UNSATISFIABLE, /* answer 416 */
};

/* cl_http_range_parse reads a Range field (RFC 9110 14.2) for a representation of size bytes. With
 * OK, out holds the *out_num satisfiable ranges, sorted, those that overlap or touch merged. */
enum cl_http_range_verdict cl_http_range_parse(struct cl_rd field, uint64_t size,
                                               struct cl_http_range out[CL_HTTP_MAX_RANGES],
                                               size_t *out_num);

/* cl_http_etag_valid tells whether text is one entity tag: "..." or W/"..." (RFC 9110 8.8.3). */
CL_RD_MUST bool cl_http_etag_valid(struct cl_rd text);

/* cl_http_etag_listed tells whether a list of entity tags (If-Match, If-None-Match) holds `etag`,
 * or is "*". weak: weak comparison (If-None-Match), else strong (If-Match) (RFC 9110 8.8.3.2). A
 * list that is malformed matches nothing from there on. */
CL_RD_MUST bool cl_http_etag_listed(struct cl_rd list, struct cl_rd etag, bool weak);

/* cl_http_if_range_holds tells whether If-Range permits a partial answer (RFC 9110 13.1.5): the
 * strong etag is the same, or the date is exactly last_modified, that being at least a minute
 * before now (so that the date is a strong validator, RFC 9110 8.8.2.2). etag may be weak: then it
 * never holds. */
CL_RD_MUST bool cl_http_if_range_holds(struct cl_rd field, struct cl_rd etag, int64_t last_modified,
                                       int64_t now);

#endif
