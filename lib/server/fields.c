/* server/fields.c - fields that the application sends: written safely, and checked all the same. */
#include "http/trailers.h"
#include "server/server.h"

/* 65,535: spans are of 16 bits; more than a client would take */
#define MAX_FIELDS_LEN UINT16_MAX

/* Those that are the library's. */
static const char *const own[] = {
    "connection", "content-length", "keep-alive", "proxy-connection", "transfer-encoding",
};

static bool is_own(struct cl_rd name)
{
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (name.len > 1 && (name.p[1] | 32) == own[i][1] && cl_http_equal_fold(name, own[i])) {
            return true;
        }
    }
    return false;
}

/* The next line, without its CR LF. */
static bool take_line(struct cl_rd *rest, struct cl_rd *out)
{
    uint8_t lf = 0;
    return cl_http_until(rest, '\r', out) && cl_rd_u8(rest, &lf) && lf == '\n';
}

static struct cleat_http_span span_of(const char *base, struct cl_rd v)
{
    return (struct cleat_http_span){.at = (uint16_t)((const char *)v.p - base),
                                    .len = (uint16_t)v.len};
}

cl_result cl_server_fields(struct cleat_http_head *h, const char *p, size_t len, bool is_trailers,
                           bool *out_upgrade)
{
    struct cl_rd rest = cl_rd_of(p, len);
    struct cl_rd value, name;
    h->base = p;
    h->num_fields = 0;
    *out_upgrade = false;
    if (len > MAX_FIELDS_LEN) {
        return CLEAT_ERR_USAGE;
    }
    while (!cl_rd_done(&rest)) {
        if (!take_line(&rest, &value) || !cl_http_until(&value, ':', &name) || name.len == 0 ||
            !cl_http_all(name, CL_CH_TOKEN) || !cl_http_all(value, CL_CH_VALUE) ||
            h->num_fields == CLEAT_HTTP_MAX_FIELDS) {
            return CLEAT_ERR_USAGE;
        }
        if (is_own(name) || (is_trailers && cl_http_is_no_trailer(name))) {
            return CLEAT_ERR_USAGE;
        }
        *out_upgrade = *out_upgrade || cl_http_equal_fold(name, "upgrade");
        h->fields[h->num_fields].name = span_of(p, name);
        h->fields[h->num_fields].value = span_of(p, cl_http_trim(value));
        h->num_fields++;
    }
    return CL_OK;
}

int cleat_http_field_write(char *out, size_t cap, size_t *len, const char *name,
                           struct cleat_http_view value)
{
    const struct cl_rd n = cl_rd_str(name);
    const struct cl_rd v = cl_http_rd(value);
    if (n.len == 0 || !cl_http_all(n, CL_CH_TOKEN) || !cl_http_all(v, CL_CH_VALUE) ||
        cl_http_trim(v).len != v.len || *len > cap) {
        return CLEAT_ERR_USAGE;
    }
    struct cl_wr w = cl_wr_of(out + *len, cap - *len);
    cl_wr_view(&w, n);
    cl_wr_bytes(&w, ": ", 2);
    cl_wr_view(&w, v);
    cl_wr_bytes(&w, "\r\n", 2);
    if (!cl_wr_ok(&w)) {
        return CLEAT_ERR_LIMIT;
    }
    *len += w.len;
    return CLEAT_OK;
}

bool cleat_http_is_early_safe(const struct cleat_http_head *request)
{
    const struct cleat_http_view method = cleat_http_text(request, request->method);
    return !request->early || (request->framing == CLEAT_HTTP_NO_BODY &&
                               (cleat_http_is(method, "GET") || cleat_http_is(method, "HEAD")));
}
