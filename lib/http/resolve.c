/* http/resolve.c - resolving references against a base URL (RFC 3986 5.2, 5.3), for redirects. */
#include "http/chars.h"
#include "http/url.h"

/* The segment at the front of a path: "/x" up to the next slash, or "x". */
static struct cl_rd take_segment(struct cl_rd *path)
{
    struct cl_rd segment = *path;
    size_t from = path->len != 0 && path->p[0] == '/' ? 1 : 0;
    const uint8_t *slash = path->len > from ? memchr(path->p + from, '/', path->len - from) : NULL;
    if (slash == NULL || !cl_rd_take(path, (size_t)(slash - path->p), &segment)) {
        path->len = 0;
    }
    return segment;
}

/* Removes the last segment and its slash from what was written behind `from`. */
static void drop_segment(struct cl_wr *w, size_t from)
{
    while (w->len > from) {
        w->len--;
        if (w->p[w->len] == '/') {
            return;
        }
    }
}

/* RFC 3986 5.2.4, remove_dot_segments, of a path that begins with '/'. ".." at the root stays
 * there; a path that ends in a dot segment keeps its slash. */
static void put_path(struct cl_wr *w, size_t from, struct cl_rd path)
{
    while (path.len != 0) {
        struct cl_rd segment = take_segment(&path);
        bool dot = cl_rd_equal_str(segment, "/.");
        bool dotdot = cl_rd_equal_str(segment, "/..");
        if (dotdot) {
            drop_segment(w, from);
        }
        if (!dot && !dotdot) {
            cl_wr_view(w, segment);
        } else if (path.len == 0) {
            cl_wr_u8(w, '/');
        }
    }
}

static void put_query(struct cl_wr *w, bool has, struct cl_rd query)
{
    if (has) {
        cl_wr_u8(w, '?');
        cl_wr_view(w, query);
    }
}

static void put_base(struct cl_wr *w, const struct cleat_http_url *base)
{
    cl_wr_bytes(w, base->scheme.p, base->scheme.len);
    cl_wr_bytes(w, "://", 3);
    cl_http_put_host(w, base);
    if (base->has_port) {
        cl_http_put_port(w, base->port);
    }
}

/* RFC 3986 5.2.3: the reference replaces what stands behind the last slash of the base's path. The
 * base's path and the reference are joined in `w` behind `from`, then cleaned there. */
static void put_merged(struct cl_wr *w, const struct cleat_http_url *base, struct cl_rd ref)
{
    char joined[2 * CLEAT_HTTP_MAX_URL];
    struct cl_wr j = cl_wr_of(joined, sizeof(joined));
    size_t keep = base->path.len;
    while (keep != 0 && base->path.p[keep - 1] != '/') {
        keep--;
    }
    cl_wr_bytes(&j, base->path.p, keep);
    cl_wr_view(&j, ref);
    if (!cl_wr_ok(&j)) {
        w->failed = true;
        return;
    }
    put_path(w, w->len, cl_rd_of(joined, j.len));
}

int cleat_http_url_resolve(const struct cleat_http_url *base, const char *ref, size_t ref_len,
                           char *out, size_t cap, size_t *out_len, struct cleat_error *err)
{
    struct cl_rd text = cl_rd_of(ref, ref_len);
    struct cl_why why = {.code = CLEAT_ERR_BAD_URL, .section = "RFC 3986 5.2"};
    *out_len = 0;
    if (ref_len > CLEAT_HTTP_MAX_URL) {
        return cl_error_set(err, why, "a reference of %zu bytes, more than %d", ref_len,
                            CLEAT_HTTP_MAX_URL);
    }
    struct cl_http_parts parts = cl_http_url_split(text);
    struct cl_wr w = cl_wr_of(out, cap);
    if (parts.scheme.len != 0) {
        if (!parts.has_authority) {
            return cl_error_set(err, why, "%.*s: a scheme without a host", CL_HTTP_SHOWN(text));
        }
        cl_wr_view(&w, parts.scheme);
        cl_wr_bytes(&w, "://", 3);
        cl_wr_view(&w, parts.authority);
    } else if (parts.has_authority) {
        cl_wr_bytes(&w, base->scheme.p, base->scheme.len);
        cl_wr_bytes(&w, "://", 3);
        cl_wr_view(&w, parts.authority);
    } else {
        put_base(&w, base);
    }
    if (parts.scheme.len != 0 || parts.has_authority ||
        (parts.path.len != 0 && parts.path.p[0] == '/')) {
        put_path(&w, w.len, parts.path);
        put_query(&w, parts.has_query, parts.query);
    } else if (parts.path.len != 0) {
        put_merged(&w, base, parts.path);
        put_query(&w, parts.has_query, parts.query);
    } else {
        cl_wr_bytes(&w, base->path.p, base->path.len);
        bool own = parts.has_query;
        put_query(&w, own || base->query.p != NULL, own ? parts.query : cl_http_rd(base->query));
    }
    if (!cl_wr_ok(&w)) {
        return CLEAT_ERR_LIMIT;
    }
    *out_len = w.len;
    return CLEAT_OK;
}
