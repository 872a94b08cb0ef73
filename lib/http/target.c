/* http/target.c - the request target and its four forms (RFC 9112 3.2).
 *
 * Characters: visible ASCII without '"', '#', '<' and '>', and in the path without '\'. That is
 * more than RFC 3986 allows ("|^`{}[]") because browsers send those as they stand; a fragment, a
 * byte above 0x7f and a control byte are never accepted.
 */
#include "http/authority.h"
#include "http/head.h"
#include "http/url.h"

static cl_result bad(struct cleat_http_head *h, struct cleat_error *err, struct cl_rd target,
                     const char *section, const char *what)
{
    struct cl_why why = {.code = CLEAT_ERR_HTTP_SYNTAX, .section = section};
    return cl_http_refuse(
        h, cl_error_set(err, why, "request target \"%.*s\": %s", CL_HTTP_SHOWN(target), what));
}

/* path and query of an origin-form or absolute-form target; `parts` are views into it */
static cl_result take_path(struct cleat_http_head *h, struct cl_rd target,
                           struct cl_http_parts parts, struct cleat_error *err)
{
    if (parts.path.len != 0 && memchr(parts.path.p, '\\', parts.path.len) != NULL) {
        return bad(h, err, target, "RFC 9112 3.2.1", "a backslash in the path");
    }
    if (parts.has_query) {
        h->query = cl_http_span(h, parts.query);
    }
    h->path = cl_http_span(h, parts.path);
    return CL_OK;
}

static cl_result take_authority(struct cleat_http_head *h, struct cl_rd target,
                                struct cl_rd authority, bool port_required, struct cleat_error *err)
{
    struct cl_http_authority a;
    enum cl_http_authority_flaw flaw = cl_http_authority_parse(authority, &a);
    if (flaw != CL_HTTP_AUTHORITY_FINE) {
        return bad(h, err, target, "RFC 9112 3.2", cl_http_authority_flaw_text(flaw));
    }
    /* RFC 9110 9.3.6: "A server MUST reject a CONNECT request that targets an empty or invalid port
     * number" */
    if (port_required && !a.has_port) {
        return bad(h, err, target, "RFC 9110 9.3.6", "CONNECT needs host and port");
    }
    h->authority = cl_http_span(h, authority);
    return CL_OK;
}

static cl_result take_absolute(struct cleat_http_head *h, struct cl_rd target,
                               struct cleat_error *err)
{
    struct cl_http_parts parts = cl_http_url_split(target);
    bool scheme_ok =
        cl_http_equal_fold(parts.scheme, "http") || cl_http_equal_fold(parts.scheme, "https");
    if (!scheme_ok || !parts.has_authority) {
        return bad(h, err, target, "RFC 9112 3.2", "neither a path nor an http or https URL");
    }
    h->form = CLEAT_HTTP_ABSOLUTE_FORM;
    /* user information is refused with the other characters that no host has (RFC 9110 4.2.4) */
    CL_TRY(take_authority(h, target, parts.authority, false, err));
    return take_path(h, target, parts, err);
}

cl_result cl_http_target_parse(struct cleat_http_head *h, struct cl_rd method, struct cl_rd target,
                               struct cleat_error *err)
{
    if (target.len == 0 || !cl_http_all(target, CL_CH_TARGET)) {
        return bad(h, err, target, "RFC 9112 3.2",
                   target.len == 0 ? "it is empty" : "it has a character that is not allowed");
    }
    /* RFC 9112 3.2.3: authority-form "is only used for CONNECT requests", which have no other */
    if (cl_rd_equal_str(method, "CONNECT")) {
        h->form = CLEAT_HTTP_AUTHORITY_FORM;
        return take_authority(h, target, target, true, err);
    }
    if (target.p[0] == '/') {
        struct cl_http_parts parts = {.path = target, .query = target};
        parts.has_query = cl_http_until(&parts.query, '?', &parts.path);
        h->form = CLEAT_HTTP_ORIGIN_FORM;
        return take_path(h, target, parts, err);
    }
    /* RFC 9112 3.2.4: asterisk-form "is only used for a server-wide OPTIONS request" */
    if (cl_rd_equal_str(target, "*") && cl_rd_equal_str(method, "OPTIONS")) {
        h->form = CLEAT_HTTP_ASTERISK_FORM;
        return CL_OK;
    }
    return take_absolute(h, target, err);
}
