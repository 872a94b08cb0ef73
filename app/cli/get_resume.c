/* cli/get_resume.c - see get_resume.h. */
#include "cli/get_resume.h"

#include <inttypes.h>
#include <stdio.h>

#include "http/chars.h"

#define HTTP_PARTIAL         206
#define HTTP_NOT_SATISFIABLE 416

/* "bytes 5-9/10", where the last number may be a "*", or the first two (RFC 9110 14.4). */
static bool parse_content_range(struct cleat_http_view v, uint64_t *first, uint64_t *whole)
{
    struct cl_rd rest = cl_http_rd(v), part, from;
    *first = *whole = UINT64_MAX;
    if (v.p == NULL || !cl_http_until(&rest, ' ', &part) || !cl_http_equal_fold(part, "bytes") ||
        !cl_http_until(&rest, '/', &part)) {
        return false;
    }
    if (!cl_rd_equal_str(rest, "*") && cl_http_u64(rest, whole) != CL_HTTP_U64_OK) {
        return false;
    }
    return cl_rd_equal_str(part, "*") ||
           (cl_http_until(&part, '-', &from) && cl_http_u64(from, first) == CL_HTTP_U64_OK);
}

static enum get_resume cannot(char *why, size_t cap, const char *fmt, uint64_t number)
{
    (void)snprintf(why, cap, fmt, number);
    return GET_RESUME_CANNOT;
}

enum get_resume get_resume_judge(const struct cleat_http_head *head, uint64_t offset, char *why,
                                 size_t cap)
{
    uint64_t first, whole;
    const bool known =
        parse_content_range(cleat_http_find(head, "Content-Range", NULL), &first, &whole);
    why[0] = '\0';
    if (head->status == HTTP_PARTIAL) {
        return !known ? cannot(why, cap, "the server does not say which part it sends", 0)
               : first == offset
                   ? GET_RESUME_GO_ON
                   : cannot(why, cap, "the server sends what begins at %" PRIu64, first);
    }
    if (head->status == HTTP_NOT_SATISFIABLE) {
        return known && whole != UINT64_MAX && whole != offset
                   ? cannot(why, cap, "the server's file has %" PRIu64 " bytes", whole)
                   : GET_RESUME_WHOLE;
    }
    if (head->status == 200 && head->framing == CLEAT_HTTP_LENGTH &&
        head->content_length == offset) {
        return GET_RESUME_WHOLE;
    }
    return cannot(why, cap,
                  head->status < 300 ? "the server answers %" PRIu64 ": it does not know ranges"
                                     : "the server answers %" PRIu64,
                  head->status);
}
