/* agent/cookie_file.c - cookies in files, in the format of Netscape that curl, wget and browsers'
 * exporters share: a line each, seven fields with a tab between:
 *
 *   domain  for-subdomains  path  secure  expires  name  value
 *
 * "#HttpOnly_" in front of a domain says that scripts of a page do not get it; other lines that
 * begin with "#" are comments.
 */
#include <inttypes.h>

#include "agent/cookie_jar_impl.h"
#include "http/chars.h"

#define HTTP_ONLY  "#HttpOnly_"
/* 7: see above; the last may be missing when it is empty */
#define NUM_FIELDS 7
/* 6,000 bytes: name and value have 4,096, a domain 253, a path 1,024 */
#define MAX_LINE   6000

static bool parse_bool(struct cl_rd v, bool *out)
{
    *out = cl_http_equal_fold(v, "TRUE");
    return *out || cl_http_equal_fold(v, "FALSE");
}

/* A host: an IPv6 literal has colons. */
static bool is_host(struct cl_rd v)
{
    for (size_t i = 0; i < v.len; i++) {
        if (!cl_http_ch(v.p[i], CL_CH_REGNAME) && v.p[i] != ':') {
            return false;
        }
    }
    return v.len > 0;
}

static bool is_clean(struct cl_rd v)
{
    for (size_t i = 0; i < v.len; i++) {
        if (v.p[i] < 0x20 || v.p[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

static size_t split(struct cl_rd line, struct cl_rd fields[NUM_FIELDS])
{
    size_t num = 0;
    while (num + 1 < NUM_FIELDS && cl_http_until(&line, '\t', &fields[num])) {
        num++;
    }
    fields[num++] = line;
    return num;
}

/* The wish that a line expresses; false: none. */
static bool parse_line(const struct cl_jar *jar, struct cl_rd line, struct cl_cookie_wish *w)
{
    struct cl_rd f[NUM_FIELDS], prefix;
    bool below;
    uint64_t expires;
    memset(w, 0, sizeof(*w));
    struct cl_rd rest = line;
    if (cl_rd_take(&rest, sizeof(HTTP_ONLY) - 1, &prefix) && cl_rd_equal_str(prefix, HTTP_ONLY)) {
        w->http_only = true;
        line = rest;
    } else if (line.len == 0 || line.p[0] == '#') {
        return false;
    }
    size_t num = split(line, f);
    if (num < NUM_FIELDS - 1 || !parse_bool(f[1], &below) || !parse_bool(f[3], &w->secure) ||
        cl_http_u64(f[4], &expires) != CL_HTTP_U64_OK) {
        return false;
    }
    w->expires = (int64_t)expires;
    w->domain = f[0].len > 0 && f[0].p[0] == '.' ? cl_rd_of(f[0].p + 1, f[0].len - 1) : f[0];
    w->host_only = !below;
    w->path = f[2].len > 0 && f[2].p[0] == '/' ? f[2] : cl_rd_of("/", 1);
    w->name = f[5];
    w->value = num == NUM_FIELDS ? f[6] : cl_rd_of("", 0);
    return is_host(w->domain) && w->name.len > 0 &&
           w->name.len + w->value.len <= CL_COOKIE_MAX_PAIR && is_clean(w->path) &&
           is_clean(w->name) && is_clean(w->value) && memchr(w->name.p, '=', w->name.len) == NULL &&
           memchr(w->name.p, ';', w->name.len) == NULL &&
           (w->value.len == 0 || memchr(w->value.p, ';', w->value.len) == NULL) &&
           (w->host_only || !cl_jar_is_suffix(jar, w->domain));
}

/* "Set-Cookie: a=b; Domain=example.com", as in a dump of heads: it is only known for whom it is
 * when it says so. */
static enum cl_cookie_verdict take_field(struct cl_jar *jar, struct cl_rd field, int64_t now,
                                         bool junk)
{
    struct cl_cookie_line line;
    char host[256];
    enum cl_cookie_verdict v = cl_cookie_parse(&line, cl_http_trim(field), now);
    if (v != CL_COOKIE_STORED) {
        return v;
    }
    if (!is_host(line.domain) || line.domain.len >= sizeof(host) || (junk && line.expires == 0)) {
        return CL_COOKIE_OTHER_DOMAIN;
    }
    memcpy(host, line.domain.p, line.domain.len);
    host[line.domain.len] = '\0';
    const struct cl_cookie_origin origin = {.host = host, .secure = true, .path = cl_rd_of("/", 1)};
    return cl_jar_is_suffix(jar, line.domain) ? CL_COOKIE_PUBLIC_SUFFIX
                                              : cl_jar_take(jar, &origin, cl_http_trim(field), now);
}

static enum cl_cookie_verdict take_line(struct cl_jar *jar, struct cl_rd line, int64_t now,
                                        bool junk)
{
    static const char set_cookie[] = "Set-Cookie:";
    struct cl_rd rest = line, name;
    struct cl_cookie_wish w;
    if (cl_rd_take(&rest, sizeof(set_cookie) - 1, &name) && cl_http_equal_fold(name, set_cookie)) {
        return take_field(jar, rest, now, junk);
    }
    if (!parse_line(jar, line, &w)) {
        return CL_COOKIE_BAD_PAIR;
    }
    if (junk && w.expires == 0) {
        return CL_COOKIE_DELETED;
    }
    return cl_jar_put(jar, &w, now);
}

cl_result cl_jar_read(struct cl_jar *jar, struct cl_rd text, int64_t now, bool junk, size_t *num)
{
    *num = 0;
    while (text.len > 0) {
        struct cl_rd line;
        if (!cl_http_until(&text, '\n', &line)) {
            line = text;
            text.len = 0;
        }
        line.len -= line.len > 0 && line.p[line.len - 1] == '\r' ? 1 : 0;
        if (line.len > MAX_LINE) {
            continue;
        }
        enum cl_cookie_verdict v = take_line(jar, line, now, junk);
        if (v == CL_COOKIE_NO_MEMORY) {
            return CLEAT_ERR_NOMEM;
        }
        *num += v == CL_COOKIE_STORED ? 1 : 0;
    }
    return CL_OK;
}

cl_result cl_jar_write(const struct cl_jar *jar, int64_t now, struct cl_buf *out)
{
    CL_TRY(cl_buf_printf(out, SIZE_MAX,
                         "# Netscape HTTP Cookie File\n"
                         "# Written by cleat get. Whoever reads these can log in with them.\n\n"));
    for (size_t i = 0; i < jar->num; i++) {
        const struct cl_cookie *c = &jar->cookies[i];
        if (c->expires == 0 || c->expires > now) {
            CL_TRY(cl_buf_printf(out, SIZE_MAX, "%s%s%s\t%s\t%s\t%s\t%" PRId64 "\t%s\t%s\n",
                                 c->http_only ? HTTP_ONLY : "", c->host_only ? "" : ".", c->domain,
                                 c->host_only ? "FALSE" : "TRUE", c->path,
                                 c->secure ? "TRUE" : "FALSE", c->expires, c->name, c->value));
        }
    }
    return CL_OK;
}
