/* http/trailers.c - trailers: read as the fields of a head are, and held to fewer names. */
#include "http/trailers.h"

#include "http/head.h"

/* RFC 9110 6.5.1: "… fields that … are … for message framing, message routing, authentication,
 * request modifiers, response controls, or payload processing". What is of no harm and has uses
 * behind a body (checksums, signatures, ETag, Date, statuses of RPC) stays. */
static const char *const names[] = {
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-range",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "location",
    "max-forwards",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
};

bool cl_http_is_no_trailer(struct cl_rd name)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (cl_http_equal_fold(name, names[i])) {
            return true;
        }
    }
    return false;
}

cl_result cl_http_trailers_check(const struct cleat_http_head *h, struct cleat_error *err)
{
    const struct cl_why why = {.code = CLEAT_ERR_HTTP_SYNTAX, .section = "RFC 9110 6.5.1"};
    for (size_t i = 0; i < h->num_fields; i++) {
        const struct cl_rd name = cl_http_rd_span(h, h->fields[i].name);
        if (cl_http_is_no_trailer(name)) {
            return cl_error_set(err, why, "%.*s as a trailer", CL_HTTP_SHOWN(name));
        }
    }
    return CL_OK;
}

int cleat_http_trailers_parse(struct cleat_http_head *h, const void *text, size_t len,
                              struct cleat_error *err)
{
    cl_http_fields_init(h, CLEAT_HTTP_MAX_TRAILER_FIELDS);
    const int code = cleat_http_head_feed(h, text, len, err);
    if (code < 0) {
        return code;
    }
    if (code != CLEAT_HTTP_COMPLETE || h->len != len) {
        const struct cl_why why = {.code = CLEAT_ERR_HTTP_SYNTAX, .section = "RFC 9112 7.1.2"};
        return cl_error_set(err, why, "a trailer section that is not complete");
    }
    h->framing = CLEAT_HTTP_NO_BODY;
    return cl_http_trailers_check(h, err);
}
