/* serve/page.h - responses with a small HTML page, for what no file answers. */
#ifndef CL_SERVE_PAGE_H
#define CL_SERVE_PAGE_H

#include "base/buf.h"

/* 4 KiB: fields and page of the longest */
#define CL_PAGE_MAX 4096

struct cl_page {
    int status;
    const char *text;         /* one sentence for people; NULL: the status's reason alone */
    int64_t now;              /* Unix seconds, for Date */
    const char *extra_fields; /* complete lines, or NULL */
};

/* cl_page_build appends field lines (none that frame the body) and the body. NOMEM. */
CL_MUST cl_result cl_page_build(const struct cl_page *page, struct cl_buf *fields,
                                struct cl_buf *body);

/* cl_page_wrong_port builds what a client gets in clear that speaks plain HTTP on the TLS port:
 * 400, and the https:// URL to use. request is what it sent (its Host is used when it is there and
 * whole), local the address it reached. NOMEM. */
CL_MUST cl_result cl_page_wrong_port(const uint8_t *request, size_t len, const char *local,
                                     struct cl_buf *out);

#endif
