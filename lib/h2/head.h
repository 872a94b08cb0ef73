/* h2/head.h - fields of HTTP/2 into a head as HTTP/1.1 writes it, and back (RFC 9113 8).
 *
 * The head is written as text and read by the strict parser of cleat/http.h, so that whatever looks
 * at requests has one form of them to look at, and none that this parser would refuse. nghttp2 has
 * checked names, values and pseudo-fields before (RFC 9113 8.2, 8.3).
 */
#ifndef CL_H2_HEAD_H
#define CL_H2_HEAD_H

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "base/result.h"
#include "cleat/http.h"

enum cl_h2_pseudo {
    CL_H2_METHOD,
    CL_H2_SCHEME,
    CL_H2_AUTHORITY,
    CL_H2_PATH,
    CL_H2_PROTOCOL,
    CL_H2_STATUS,
    CL_H2_NUM_PSEUDO
};

/* A head that is coming. */
struct cl_h2_collect {
    struct cl_buf pseudo; /* the values, each with a NUL behind it */
    struct {
        bool there;
        size_t at, len;
    } values[CL_H2_NUM_PSEUDO];
    struct cl_buf fields; /* lines of HTTP/1.1, but for cookie and host */
    struct cl_buf cookie; /* the crumbs, joined (RFC 9113 8.2.3) */
    struct cl_buf host;
    bool has_host;
    bool too_large;      /* fields were left out */
    cl_result failure;   /* of taking a field: the first */
    uint32_t size;       /* as RFC 9113 6.5.2 counts */
    uint32_t num_fields; /* cookie crumbs counted one by one */
    struct cl_buf text;  /* what it makes */
    struct cleat_http_head head;
};

/* Of a head that is beyond its limits so much is still read, for HPACK's sake, before the
 * connection is given up: eight times its limits, which costs CPU but no memory. */
#define CL_H2_PATIENCE 8

struct cl_h2_limits {
    uint32_t size;
    uint32_t num_fields;
};

/* cl_h2_collect_begin forgets the last head, whose memory is used again; *c may be NULL before.
 * NOMEM. cl_h2_collect_free gives it back; NULL is fine. */
CL_MUST cl_result cl_h2_collect_begin(struct cl_h2_collect **c);
void cl_h2_collect_free(struct cl_h2_collect *c);

/* cl_h2_collect_add takes a field. False: CL_H2_PATIENCE is over. */
bool cl_h2_collect_add(struct cl_h2_collect *c, struct cl_rd name, struct cl_rd value,
                       const struct cl_h2_limits *limits);

struct cl_h2_expect {
    bool is_response;
    bool to_head, to_connect; /* of a response: what it answers */
    bool ends;                /* no body follows */
};

/* cl_h2_collect_head makes c->head of what was taken: CL_OK, NOMEM, HTTP_TOO_LARGE, or what
 * cleat_http_head_feed says; *out_status is then what to answer, and err says why. */
CL_MUST cl_result cl_h2_collect_head(struct cl_h2_collect *c, const struct cl_h2_expect *expect,
                                     uint16_t *out_status, struct cleat_error *err);

/* cl_h2_collect_trailers likewise: a head of a response whose fields are the trailers. */
CL_MUST cl_result cl_h2_collect_trailers(struct cl_h2_collect *c, struct cleat_error *err);

/* Fields to send: views, which nghttp2 copies, with names in small letters. */
struct cl_h2_fields {
    size_t num;
    nghttp2_nv nv[CLEAT_HTTP_MAX_FIELDS + CL_H2_NUM_PSEUDO];
};

/* cl_h2_fields_add adds a field; cl_h2_fields_of a head's, but for those about the connection (RFC
 * 9113 8.2.2) and Host. */
void cl_h2_fields_add(struct cl_h2_fields *f, const char *name, struct cl_rd value);
void cl_h2_fields_of(struct cl_h2_fields *f, const struct cleat_http_head *head);

#endif
