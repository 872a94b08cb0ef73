/* tls/ext_versions.c - supported_versions (RFC 9846 4.3.1) and cookie (4.3.2). */
#include "tls/ech.h"
#include "tls/ext.h"

cl_result cl_ext_supported_versions_parse(struct cleat_tls *tls, unsigned message,
                                          struct cl_rd body)
{
    if (message == CL_EXT_CH) {
        struct cl_rd list;
        if (!cl_rd_vec8(&body, &list) || !cl_rd_done(&body) || list.len == 0 || list.len % 2 != 0) {
            return cl_tls_decode_error(tls, "supported_versions", "RFC 9846 4.3.1");
        }
        tls->hs->parsed.versions = list;
        return CL_OK;
    }
    if (!cl_rd_u16(&body, &tls->hs->server_hello.version) || !cl_rd_done(&body)) {
        return cl_tls_decode_error(tls, "supported_versions", "RFC 9846 4.3.1");
    }
    return CL_OK;
}

bool cl_ext_supported_versions_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    if (message != CL_EXT_CH) {
        cl_wr_u16(w, CLEAT_TLS_1_3);
        return true;
    }
    if (tls->config->version_max < CLEAT_TLS_1_3) {
        return false;
    }
    struct cl_wr_mark list = cl_wr_open8(w);
    cl_grease_number(tls, CL_GREASE_VERSION, w);
    /* RFC 9849 6.1: the inner ClientHello "MUST NOT offer to negotiate TLS 1.2 or below" */
    uint16_t min = cl_ech_form(tls) == CL_ECH_INNER ? CLEAT_TLS_1_3 : tls->config->version_min;
    for (uint16_t v = tls->config->version_max; v >= min; v--) {
        cl_wr_u16(w, v);
    }
    cl_wr_close(w, list);
    return true;
}

cl_result cl_ext_cookie_parse(struct cleat_tls *tls, unsigned message, struct cl_rd body)
{
    struct cl_rd cookie;
    if (!cl_rd_vec16(&body, &cookie) || !cl_rd_done(&body) || cl_rd_done(&cookie)) {
        return cl_tls_decode_error(tls, "cookie", "RFC 9846 4.3.2");
    }
    if (message == CL_EXT_CH) {
        tls->hs->parsed.cookie = cookie;
    } else {
        tls->hs->server_hello.cookie = cookie;
    }
    return CL_OK;
}

bool cl_ext_cookie_build(struct cleat_tls *tls, unsigned message, struct cl_wr *w)
{
    const struct cl_buf *cookie = &tls->hs->cookie;
    if (cookie->len == 0) {
        return false;
    }
    struct cl_wr_mark m = cl_wr_open16(w);
    cl_wr_view(w, cl_buf_view(cookie));
    cl_wr_close(w, m);
    return true;
}
