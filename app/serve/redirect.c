/* serve/redirect.c - see redirect.h. The host is the client's own word: whoever sends another than
 * that of his URL is sent there himself, and nobody else. It is parsed, so that nothing but a host
 * gets into the field; the target has visible ASCII only, or the parser would have refused it. */
#include "serve/redirect.h"

#include "http/authority.h"

#define CHALLENGES "/.well-known/acme-challenge/"
/* the scheme, the longest host, and a port around a target */
#define MAX_URL    (CLEAT_HTTP_MAX_TARGET + 300)

static cl_result write_url(const struct cl_http_authority *host, uint16_t port,
                           const struct cleat_http_head *request, struct cl_buf *out)
{
    struct cleat_http_view path = cleat_http_text(request, request->path);
    struct cleat_http_view query = cleat_http_text(request, request->query);
    const bool v6 = host->is_ipv6;
    CL_TRY(cl_buf_printf(out, MAX_URL, "https://%s%.*s%s", v6 ? "[" : "", (int)host->host.len,
                         (const char *)host->host.p, v6 ? "]" : ""));
    if (port != 443) {
        CL_TRY(cl_buf_printf(out, MAX_URL, ":%u", port));
    }
    CL_TRY(path.len > 0 ? cl_buf_append(out, path.p, path.len, MAX_URL)
                        : cl_buf_append(out, "/", 1, MAX_URL));
    if (request->query.at == 0) {
        return CL_OK;
    }
    CL_TRY(cl_buf_append(out, "?", 1, MAX_URL));
    return cl_buf_append(out, query.p, query.len, MAX_URL);
}

int cl_redirect_location(const struct cleat_http_head *request, uint16_t port, struct cl_buf *out)
{
    struct cl_http_authority host;
    struct cl_rd authority = cl_http_rd(cleat_http_text(request, request->authority));
    if ((request->form != CLEAT_HTTP_ORIGIN_FORM && request->form != CLEAT_HTTP_ABSOLUTE_FORM) ||
        authority.len == 0 || cl_http_authority_parse(authority, &host) != CL_HTTP_AUTHORITY_FINE ||
        host.is_idn) {
        return 400;
    }
    return write_url(&host, port, request, out) == CL_OK ? 308 : 500;
}

bool cl_redirect_spares(const struct cleat_http_head *request)
{
    struct cleat_http_view path = cleat_http_text(request, request->path);
    const size_t len = sizeof(CHALLENGES) - 1;
    return path.len > len && memcmp(path.p, CHALLENGES, len) == 0;
}
