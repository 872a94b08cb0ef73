/* conn/tunnel_http.c - CONNECT (RFC 9110 9.3.6, RFC 9112 3.2.3) and the proxy's answer, which is
 * read as strictly as a server's. A body of a refusal is not read. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cleat/version.h"
#include "conn/tunnel_impl.h"

/* 8 interim (1xx) responses: to CONNECT a proxy has no reason for one */
#define MAX_INTERIM 8

/* The user's own fields have one of that name. */
static bool has_field(const struct cl_proxy *p, const char *name)
{
    struct cl_rd rest = cl_buf_view(&p->fields);
    while (rest.len != 0) {
        const uint8_t *colon = memchr(rest.p, ':', rest.len);
        const uint8_t *end = memchr(rest.p, '\n', rest.len);
        if (colon == NULL || end == NULL) {
            return false;
        }
        if (cl_ascii_equal_fold(cl_rd_of(rest.p, (size_t)(colon - rest.p)), cl_rd_str(name))) {
            return true;
        }
        if (!cl_rd_skip(&rest, (size_t)(end - rest.p) + 1)) {
            return false;
        }
    }
    return false;
}

/* RFC 7617 2 */
static cl_result add_credentials(struct cl_tunnel *t)
{
    const struct cl_proxy *p = t->spec.proxy;
    char base64[CL_BASE64_LEN(2 * CL_PROXY_MAX_CREDENTIAL + 1) + 1];
    struct cl_buf both = {0};
    cl_result r = cl_buf_printf(&both, CL_TUNNEL_MAX_OUT, "%s:%s", p->user, p->password);
    if (r == CL_OK) {
        cl_base64_encode(both.p, both.len, base64);
        r = cl_buf_printf(&t->out, CL_TUNNEL_MAX_OUT, "Proxy-Authorization: Basic %s\r\n", base64);
    }
    cl_wipe(base64, sizeof(base64));
    cl_buf_deinit(&both);
    return r;
}

static cl_result begin(struct cl_tunnel *t)
{
    const struct cl_proxy *p = t->spec.proxy;
    char authority[300];
    const char *form = strchr(t->spec.host, ':') != NULL ? "[%s]:%u" : "%s:%u";
    (void)snprintf(authority, sizeof(authority), form, t->spec.host, (unsigned)t->spec.port);
    CL_TRY(cl_buf_printf(&t->out, CL_TUNNEL_MAX_OUT, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n",
                         authority, authority));
    if (!has_field(p, "User-Agent")) {
        CL_TRY(
            cl_buf_printf(&t->out, CL_TUNNEL_MAX_OUT, "User-Agent: cleat/%s\r\n", cleat_version()));
    }
    if (p->has_user && !has_field(p, "Proxy-Authorization")) {
        CL_TRY(add_credentials(t));
    }
    CL_TRY(cl_buf_append(&t->out, p->fields.p, p->fields.len, CL_TUNNEL_MAX_OUT));
    CL_TRY(cl_buf_append(&t->out, "\r\n", 2, CL_TUNNEL_MAX_OUT));
    cleat_http_response_init(&t->head, (struct cleat_http_view){"CONNECT", 7});
    cl_trace_proxy_head(t->spec.trace, true, (const char *)t->out.p, t->out.len);
    return CL_OK;
}

/* ---- the answer ---- */

static const char *hint_of(const struct cl_tunnel *t)
{
    switch (t->head.status) {
    case 407:
        return t->spec.proxy->has_user ? "the user name or the password is wrong, or the proxy "
                                         "wants another scheme than Basic"
                                       : "give -U USER:PASSWORD";
    case 403:
    case 405:
        return "the proxy does not connect to that host or port; --noproxy HOST goes without it";
    case 502:
    case 503:
    case 504:
        return "the proxy could not reach the server: it says so, not the server";
    default:
        return NULL;
    }
}

static enum cl_tunnel_next refuse(struct cl_tunnel *t)
{
    const struct cl_why why = {
        .code = CLEAT_ERR_HTTP_STATUS, .section = "RFC 9110 9.3.6", .hint = hint_of(t)};
    struct cleat_http_view wants = {0};
    if (t->head.status == 407) {
        wants = cleat_http_find(&t->head, "Proxy-Authenticate", NULL);
    }
    (void)cl_error_set(&t->result.error, why,
                       "the proxy %s port %u answers %u %s to CONNECT %s port %u%s%.*s%s",
                       t->spec.proxy->host, (unsigned)t->spec.proxy->port, t->head.status,
                       cleat_http_reason(t->head.status), t->spec.host, (unsigned)t->spec.port,
                       wants.p != NULL ? " (" : "", wants.len < 80 ? (int)wants.len : 80,
                       wants.p != NULL ? wants.p : "", wants.p != NULL ? ")" : "");
    return CL_TUNNEL_FAILED;
}

static enum cl_tunnel_next refuse_head(struct cl_tunnel *t, const struct cleat_error *detail)
{
    const struct cl_why why = {.code = (cl_result)detail->code, .section = detail->section};
    (void)cl_error_set(&t->result.error, why, "the answer of the proxy %s port %u: %s",
                       t->spec.proxy->host, (unsigned)t->spec.proxy->port, detail->text);
    return CL_TUNNEL_FAILED;
}

static enum cl_tunnel_next take(struct cl_tunnel *t)
{
    for (;;) {
        struct cleat_error detail = {0};
        const int r = cleat_http_head_feed(&t->head, t->in.p, t->in.len, &detail);
        if (r == CLEAT_HTTP_MORE) {
            return CL_TUNNEL_MORE;
        }
        if (r != CLEAT_HTTP_COMPLETE) {
            return refuse_head(t, &detail);
        }
        cl_trace_proxy_head(t->spec.trace, false, (const char *)t->in.p, t->head.len);
        /* 101 would be another protocol than the tunnel that was asked for. */
        if (t->head.status >= 200 || t->head.status == 101) {
            break;
        }
        if (++t->num_interim > MAX_INTERIM) {
            (void)cl_error_set(&detail, (struct cl_why){.code = CLEAT_ERR_HTTP_TOO_LARGE},
                               "more than %d interim responses", MAX_INTERIM);
            return refuse_head(t, &detail);
        }
        cl_buf_drop(&t->in, t->head.len);
        cleat_http_response_init(&t->head, (struct cleat_http_view){"CONNECT", 7});
    }
    t->result.status = t->head.status;
    if (t->head.status / 100 != 2) {
        return refuse(t);
    }
    cl_buf_drop(&t->in, t->head.len);
    return CL_TUNNEL_OPEN;
}

const struct cl_tunnel_protocol cl_tunnel_http = {.begin = begin, .take = take};
