/* http/url.c - http, https, ws and wss URLs (RFC 3986 3, RFC 9110 4.2, RFC 6455 3).
 *
 * Nothing is normalised or repaired: what is accepted is used as it stands, what is doubtful is
 * refused. References are resolved in resolve.c.
 */
#include "http/authority.h"
#include "http/url.h"

#include "base/text.h"

static const struct {
    const char *name;
    uint16_t port;
    bool secure;
    bool websocket;
} schemes[] = {
    {"https", 443, true, false},
    {"http", 80, false, false},
    {"wss", 443, true, true},
    {"ws", 80, false, true},
};

static cl_result bad_url(struct cleat_error *err, struct cl_rd text, const char *what,
                         const char *hint)
{
    struct cl_why why = {.code = CLEAT_ERR_BAD_URL, .section = "RFC 3986 3", .hint = hint};
    return cl_error_set(err, why, "%.*s: %s", CL_HTTP_SHOWN(text), what);
}

struct cl_http_parts cl_http_url_split(struct cl_rd text)
{
    struct cl_http_parts parts = {.path = text};
    struct cl_rd front;
    if (cl_http_until(&parts.path, '#', &front)) {
        parts.path = front;
    }
    struct cl_rd rest = parts.path;
    if (cl_http_until(&rest, '?', &front)) {
        parts.query = rest;
        parts.has_query = true;
        parts.path = front;
    }
    /* scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ): a colon behind something else, or behind
     * a slash, belongs to the path */
    rest = parts.path;
    if (cl_http_until(&rest, ':', &front) && front.len != 0 &&
        cl_http_ch(front.p[0], CL_CH_ALPHA) && memchr(front.p, '/', front.len) == NULL) {
        parts.scheme = front;
        parts.path = rest;
    }
    if (parts.path.len >= 2 && parts.path.p[0] == '/' && parts.path.p[1] == '/') {
        parts.has_authority = true;
        parts.authority = cl_rd_of(parts.path.p + 2, parts.path.len - 2);
        const uint8_t *slash = memchr(parts.authority.p, '/', parts.authority.len);
        size_t len = slash != NULL ? (size_t)(slash - parts.authority.p) : parts.authority.len;
        parts.path = parts.authority;
        if (!cl_rd_take(&parts.path, len, &parts.authority)) {
            parts.path.len = 0;
        }
    }
    return parts;
}

static const char *path_flaw(struct cl_rd v, bool is_query)
{
    for (size_t i = 0; i < v.len; i++) {
        uint8_t c = v.p[i];
        if (c == ' ') {
            return "it has a space";
        }
        if (c < 0x80 && (!cl_http_ch(c, CL_CH_TARGET) || (!is_query && strchr("\\^`{|}", c)))) {
            return "path or query has a character that is not allowed";
        }
    }
    return NULL;
}

static bool find_scheme(struct cleat_http_url *out, struct cl_rd scheme)
{
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (cl_http_equal_fold(scheme, schemes[i].name)) {
            out->scheme = cl_http_view(scheme);
            out->port = schemes[i].port;
            out->secure = schemes[i].secure;
            out->websocket = schemes[i].websocket;
            return true;
        }
    }
    return false;
}

static bool userinfo_ok(struct cl_rd v)
{
    for (size_t i = 0; i < v.len; i++) {
        bool escape = v.p[i] == '%' && i + 2 < v.len && cl_http_ch(v.p[i + 1], CL_CH_HEX) &&
                      cl_http_ch(v.p[i + 2], CL_CH_HEX);
        if (!escape && v.p[i] != ':' && !cl_http_ch(v.p[i], CL_CH_REGNAME)) {
            return false;
        }
    }
    return true;
}

/* authority = [ userinfo "@" ] host [ ":" port ]; a second '@' is refused: where the host begins
 * would be a matter of opinion. */
static int take_authority(struct cleat_http_url *out, struct cl_rd text, struct cl_rd authority,
                          struct cleat_error *err)
{
    struct cl_rd userinfo;
    if (cl_http_until(&authority, '@', &userinfo)) {
        if (!userinfo_ok(userinfo)) {
            return bad_url(err, text, "the user information has a character that is not allowed",
                           "percent-encode it");
        }
        out->userinfo = cl_http_view(userinfo);
    }
    struct cl_http_authority a;
    enum cl_http_authority_flaw flaw = cl_http_authority_parse(authority, &a);
    if (flaw == CL_HTTP_AUTHORITY_USERINFO) {
        return bad_url(err, text, "there is more than one '@' before the path",
                       "write %40 for an '@' in a user name or password");
    }
    if (flaw != CL_HTTP_AUTHORITY_FINE) {
        return bad_url(err, text, cl_http_authority_flaw_text(flaw),
                       cl_http_authority_flaw_hint(flaw));
    }
    out->host = cl_http_view(a.host);
    out->has_port = a.has_port;
    out->port = a.has_port ? a.port : out->port;
    out->is_ipv4 = a.is_ipv4;
    out->is_ipv6 = a.is_ipv6;
    out->is_idn = a.is_idn;
    return CLEAT_OK;
}

int cleat_http_url_parse(struct cleat_http_url *out, const char *url, size_t len,
                         struct cleat_error *err)
{
    struct cl_rd text = cl_rd_of(url, len);
    memset(out, 0, sizeof(*out));
    if (len == 0 || len > CLEAT_HTTP_MAX_URL) {
        return bad_url(err, text, len == 0 ? "it is empty" : "it is longer than 8192 bytes", NULL);
    }
    for (size_t i = 0; i < len; i++) {
        if (text.p[i] < 0x20 || text.p[i] == 0x7f) {
            return bad_url(err, text, "it has a control character", NULL);
        }
    }
    struct cl_http_parts parts = cl_http_url_split(text);
    if (!parts.has_authority || parts.scheme.len == 0) {
        return bad_url(err, text, "it is not an absolute URL", "write it as https://host/path");
    }
    if (!find_scheme(out, parts.scheme)) {
        return bad_url(err, text, "the scheme is not supported", "use https, http, wss or ws");
    }
    int rc = take_authority(out, text, parts.authority, err);
    if (rc != CLEAT_OK) {
        return rc;
    }
    const char *flaw = path_flaw(parts.path, false);
    flaw = flaw != NULL ? flaw : path_flaw(parts.query, true);
    if (flaw != NULL) {
        return bad_url(err, text, flaw, "percent-encode it: a space is %20");
    }
    out->path = parts.path.len != 0 ? cl_http_view(parts.path) : (struct cleat_http_view){"/", 1};
    if (parts.has_query) {
        out->query = cl_http_view(parts.query);
    }
    return CLEAT_OK;
}

/* RFC 3987 3.1: each byte above 0x7f becomes %XX. */
static void put_encoded(struct cl_wr *w, struct cleat_http_view v)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < v.len; i++) {
        uint8_t c = (uint8_t)v.p[i];
        if (c < 0x80) {
            cl_wr_u8(w, c);
        } else {
            cl_wr_u8(w, '%');
            cl_wr_u8(w, (uint8_t)digits[c >> 4]);
            cl_wr_u8(w, (uint8_t)digits[c & 15]);
        }
    }
}

static int finish(const struct cl_wr *w, size_t *out_len)
{
    *out_len = cl_wr_ok(w) ? w->len : 0;
    return cl_wr_ok(w) ? CLEAT_OK : CLEAT_ERR_LIMIT;
}

int cleat_http_url_target(const struct cleat_http_url *url, char *out, size_t cap, size_t *out_len)
{
    struct cl_wr w = cl_wr_of(out, cap);
    put_encoded(&w, url->path);
    if (url->query.p != NULL) {
        cl_wr_u8(&w, '?');
        put_encoded(&w, url->query);
    }
    return finish(&w, out_len);
}

void cl_http_put_port(struct cl_wr *w, uint16_t port)
{
    uint8_t digits[5];
    size_t num = 0;
    do {
        digits[num++] = (uint8_t)('0' + port % 10);
        port /= 10;
    } while (port != 0);
    cl_wr_u8(w, ':');
    while (num != 0) {
        cl_wr_u8(w, digits[--num]);
    }
}

void cl_http_put_host(struct cl_wr *w, const struct cleat_http_url *url)
{
    if (url->is_ipv6) {
        cl_wr_u8(w, '[');
    }
    cl_wr_bytes(w, url->host.p, url->host.len);
    if (url->is_ipv6) {
        cl_wr_u8(w, ']');
    }
}

int cleat_http_url_authority(const struct cleat_http_url *url, char *out, size_t cap,
                             size_t *out_len)
{
    struct cl_wr w = cl_wr_of(out, cap);
    cl_http_put_host(&w, url);
    if (url->port != (url->secure ? 443 : 80)) {
        cl_http_put_port(&w, url->port);
    }
    return finish(&w, out_len);
}

int cleat_http_path_decode(struct cleat_http_view path, char *out, size_t cap, size_t *out_len)
{
    struct cl_rd r = cl_http_rd(path);
    size_t len = 0;
    uint8_t c;
    while (cl_rd_u8(&r, &c)) {
        if (c == '%') {
            uint8_t hi;
            uint8_t lo;
            if (!cl_rd_u8(&r, &hi) || !cl_rd_u8(&r, &lo) || !cl_http_ch(hi, CL_CH_HEX) ||
                !cl_http_ch(lo, CL_CH_HEX)) {
                return CLEAT_ERR_BAD_URL;
            }
            c = (uint8_t)(cl_http_hex(hi) << 4 | cl_http_hex(lo));
            if (c == '\0' || c == '/') {
                return CLEAT_ERR_BAD_URL;
            }
        }
        if (len == cap) {
            return CLEAT_ERR_LIMIT;
        }
        out[len++] = (char)c;
    }
    *out_len = len;
    return CLEAT_OK;
}

bool cl_http_url_host(const struct cleat_http_url *url, char *out, size_t cap)
{
    size_t len = url->host.len;
    if (len > 1 && url->host.p[len - 1] == '.' && !url->is_ipv4) {
        len--;
    }
    if (len == 0 || len >= cap) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = (char)cl_ascii_lower((uint8_t)url->host.p[i]);
    }
    out[len] = '\0';
    return true;
}
