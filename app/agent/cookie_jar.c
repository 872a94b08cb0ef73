/* agent/cookie_jar.c - take, keep and send cookies. */
#include "agent/cookie_jar.h"

#include <stdlib.h>

#include "agent/cookie_jar_impl.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/chars.h"

/* 254: a DNS name has at most 253 bytes */
#define MAX_DOMAIN 254

cl_result cl_jar_new(struct cl_jar **out)
{
    *out = cl_calloc(1, sizeof(**out));
    if (*out == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    (*out)->cookies = cl_calloc(CL_JAR_MAX, sizeof(*(*out)->cookies));
    (*out)->suffixes = psl_latest(NULL);
    if ((*out)->cookies == NULL || (*out)->suffixes == NULL) {
        cl_jar_free(*out);
        *out = NULL;
        return CLEAT_ERR_NOMEM;
    }
    return CL_OK;
}

static void forget(struct cl_cookie *c)
{
    cl_free(c->name);
    cl_free_secret(c->value, c->value != NULL ? strlen(c->value) : 0);
    cl_free(c->domain);
    cl_free(c->path);
    *c = (struct cl_cookie){0};
}

void cl_jar_free(struct cl_jar *jar)
{
    if (jar == NULL) {
        return;
    }
    for (size_t i = 0; i < jar->num; i++) {
        forget(&jar->cookies[i]);
    }
    psl_free(jar->suffixes);
    cl_free(jar->cookies);
    cl_free(jar);
}

size_t cl_jar_num(const struct cl_jar *jar)
{
    return jar->num;
}

bool cl_jar_is_suffix(const struct cl_jar *jar, struct cl_rd domain)
{
    char name[MAX_DOMAIN];
    if (domain.len >= sizeof(name)) {
        return true;
    }
    for (size_t i = 0; i < domain.len; i++) {
        name[i] = (char)cl_ascii_lower(domain.p[i]);
    }
    name[domain.len] = '\0';
    return psl_is_public_suffix(jar->suffixes, name) != 0;
}

/* ---- the place of a cookie ---- */

static void drop(struct cl_jar *jar, size_t i)
{
    forget(&jar->cookies[i]);
    jar->num--;
    memmove(&jar->cookies[i], &jar->cookies[i + 1], (jar->num - i) * sizeof(jar->cookies[0]));
    jar->cookies[jar->num] = (struct cl_cookie){0};
}

static void drop_expired(struct cl_jar *jar, int64_t now)
{
    for (size_t i = jar->num; i-- > 0;) {
        if (jar->cookies[i].expires != 0 && jar->cookies[i].expires <= now) {
            drop(jar, i);
        }
    }
}

static bool same_text(const char *a, struct cl_rd b)
{
    return strlen(a) == b.len && memcmp(a, b.p, b.len) == 0;
}

static bool same_fold(const char *a, struct cl_rd b)
{
    return cl_ascii_equal_fold(cl_rd_str(a), b);
}

static size_t find(const struct cl_jar *jar, const struct cl_cookie_wish *w)
{
    for (size_t i = 0; i < jar->num; i++) {
        const struct cl_cookie *c = &jar->cookies[i];
        if (same_text(c->name, w->name) && same_fold(c->domain, w->domain) &&
            c->host_only == w->host_only && same_text(c->path, w->path)) {
            return i;
        }
    }
    return jar->num;
}

/* Makes room, in the domain and in all, by dropping what was not used for the longest time. */
static void make_room(struct cl_jar *jar, struct cl_rd domain)
{
    size_t in_domain = 0, oldest = 0, oldest_here = jar->num;
    for (size_t i = 0; i < jar->num; i++) {
        const struct cl_cookie *c = &jar->cookies[i];
        oldest = c->used < jar->cookies[oldest].used ? i : oldest;
        if (same_fold(c->domain, domain)) {
            in_domain++;
            oldest_here = oldest_here == jar->num || c->used < jar->cookies[oldest_here].used
                              ? i
                              : oldest_here;
        }
    }
    if (in_domain >= CL_JAR_MAX_PER_DOMAIN) {
        drop(jar, oldest_here);
    } else if (jar->num >= CL_JAR_MAX) {
        drop(jar, oldest);
    }
}

static bool has_prefix(struct cl_rd name, const char *prefix)
{
    struct cl_rd v;
    return cl_rd_take(&name, strlen(prefix), &v) && cl_http_equal_fold(v, prefix);
}

/* RFC 6265bis 5.7 20 and 21, without regard to case. */
static bool keeps_its_promise(const struct cl_cookie_wish *w)
{
    if (has_prefix(w->name, "__Host-")) {
        return w->secure && w->host_only && cl_rd_equal_str(w->path, "/");
    }
    return !has_prefix(w->name, "__Secure-") || w->secure;
}

static bool fill(struct cl_cookie *c, const struct cl_cookie_wish *w)
{
    *c = (struct cl_cookie){.name = cl_strndup((const char *)w->name.p, w->name.len),
                            .value = cl_strndup((const char *)w->value.p, w->value.len),
                            .domain = cl_strndup((const char *)w->domain.p, w->domain.len),
                            .path = cl_strndup((const char *)w->path.p, w->path.len),
                            .expires = w->expires,
                            .host_only = w->host_only,
                            .secure = w->secure,
                            .http_only = w->http_only};
    if (c->name == NULL || c->value == NULL || c->domain == NULL || c->path == NULL) {
        forget(c);
        return false;
    }
    for (char *p = c->domain; *p != '\0'; p++) {
        *p = (char)cl_ascii_lower((uint8_t)*p);
    }
    return true;
}

enum cl_cookie_verdict cl_jar_put(struct cl_jar *jar, const struct cl_cookie_wish *wish,
                                  int64_t now)
{
    struct cl_cookie fresh;
    if (!keeps_its_promise(wish)) {
        return CL_COOKIE_BAD_PREFIX;
    }
    drop_expired(jar, now);
    size_t at = find(jar, wish);
    if (wish->expires != 0 && wish->expires <= now) {
        if (at < jar->num) {
            drop(jar, at);
        }
        return CL_COOKIE_DELETED;
    }
    if (!fill(&fresh, wish)) {
        return CL_COOKIE_NO_MEMORY;
    }
    fresh.created = fresh.used = ++jar->clock;
    if (at < jar->num) { /* RFC 6265 5.3 11.3: it stays as old as the one before */
        fresh.created = jar->cookies[at].created;
        forget(&jar->cookies[at]);
    } else {
        make_room(jar, wish->domain);
        at = jar->num++;
    }
    jar->cookies[at] = fresh;
    return CL_COOKIE_STORED;
}

/* ---- a Set-Cookie field ---- */

/* RFC 6265 5.1.3 */
static bool domain_matches(struct cl_rd host, bool is_ip, struct cl_rd domain)
{
    if (cl_ascii_equal_fold(host, domain)) {
        return true;
    }
    if (is_ip || domain.len == 0 || host.len <= domain.len) {
        return false;
    }
    size_t at = host.len - domain.len;
    return host.p[at - 1] == '.' && cl_ascii_equal_fold(cl_rd_of(host.p + at, domain.len), domain);
}

/* RFC 6265 5.1.4: all of the path in front of its last "/". */
static struct cl_rd default_path(struct cl_rd path)
{
    size_t len = path.len;
    while (len > 0 && path.p[len - 1] != '/') {
        len--;
    }
    return len <= 1 || path.p[0] != '/' ? cl_rd_of("/", 1) : cl_rd_of(path.p, len - 1);
}

/* RFC 6265 5.1.4 */
static bool path_matches(struct cl_rd path, const char *of_cookie)
{
    size_t len = strlen(of_cookie);
    if (path.len < len || memcmp(path.p, of_cookie, len) != 0) {
        return false;
    }
    return path.len == len || of_cookie[len - 1] == '/' || path.p[len] == '/';
}

/* RFC 6265bis 5.7 6 to 9: for whom it is. */
static enum cl_cookie_verdict settle_domain(const struct cl_jar *jar,
                                            const struct cl_cookie_origin *origin,
                                            struct cl_rd domain, struct cl_cookie_wish *w)
{
    struct cl_rd host = cl_rd_str(origin->host);
    w->host_only = domain.len == 0 || (origin->is_ip && cl_ascii_equal_fold(host, domain));
    w->domain = w->host_only ? host : domain;
    if (w->host_only) {
        return CL_COOKIE_STORED;
    }
    if (!origin->is_ip && cl_jar_is_suffix(jar, domain)) {
        if (!cl_ascii_equal_fold(host, domain)) {
            return CL_COOKIE_PUBLIC_SUFFIX;
        }
        w->host_only = true;
    }
    return domain_matches(host, origin->is_ip, domain) ? CL_COOKIE_STORED : CL_COOKIE_OTHER_DOMAIN;
}

/* RFC 6265bis 5.7 16: what came without protection does not take the place of what is Secure. */
static bool hides_a_secure_one(const struct cl_jar *jar, const struct cl_cookie_wish *w)
{
    for (size_t i = 0; i < jar->num; i++) {
        const struct cl_cookie *c = &jar->cookies[i];
        if (c->secure && same_text(c->name, w->name) &&
            (domain_matches(cl_rd_str(c->domain), false, w->domain) ||
             domain_matches(w->domain, false, cl_rd_str(c->domain))) &&
            path_matches(w->path, c->path)) {
            return true;
        }
    }
    return false;
}

enum cl_cookie_verdict cl_jar_take(struct cl_jar *jar, const struct cl_cookie_origin *origin,
                                   struct cl_rd field, int64_t now)
{
    struct cl_cookie_line line;
    enum cl_cookie_verdict v = cl_cookie_parse(&line, field, now);
    struct cl_cookie_wish w = {.name = line.name,
                               .value = line.value,
                               .path = line.path.len > 0 ? line.path : default_path(origin->path),
                               .expires = line.expires,
                               .secure = line.secure,
                               .http_only = line.http_only};
    if (v != CL_COOKIE_STORED) {
        return v;
    }
    v = settle_domain(jar, origin, line.domain, &w);
    if (v != CL_COOKIE_STORED) {
        return v;
    }
    if (!origin->secure && (w.secure || hides_a_secure_one(jar, &w))) {
        return CL_COOKIE_NOT_SECURE;
    }
    if (has_prefix(w.name, "__Host-") && (line.domain.len > 0 || line.path.len == 0)) {
        return CL_COOKIE_BAD_PREFIX; /* both have to be said, not only to come out so */
    }
    return cl_jar_put(jar, &w, now);
}

/* ---- a Cookie field ---- */

static bool is_for(const struct cl_cookie *c, const struct cl_cookie_origin *o, int64_t now)
{
    struct cl_rd host = cl_rd_str(o->host);
    return (c->expires == 0 || c->expires > now) && (!c->secure || o->secure) &&
           (c->host_only ? same_fold(c->domain, host)
                         : domain_matches(host, o->is_ip, cl_rd_str(c->domain))) &&
           path_matches(o->path, c->path);
}

/* RFC 6265 5.4 2: longer paths first, then older cookies. */
static int by_order(const void *a, const void *b)
{
    const struct cl_cookie *x = *(struct cl_cookie *const *)a;
    const struct cl_cookie *y = *(struct cl_cookie *const *)b;
    size_t x_len = strlen(x->path), y_len = strlen(y->path);
    if (x_len != y_len) {
        return x_len > y_len ? -1 : 1;
    }
    return x->created < y->created ? -1 : x->created > y->created;
}

cl_result cl_jar_header(struct cl_jar *jar, const struct cl_cookie_origin *origin, int64_t now,
                        struct cl_buf *out)
{
    struct cl_cookie *list[CL_JAR_MAX];
    size_t num = 0, begin = out->len;
    for (size_t i = 0; i < jar->num; i++) {
        if (is_for(&jar->cookies[i], origin, now)) {
            list[num++] = &jar->cookies[i];
        }
    }
    qsort(list, num, sizeof(list[0]), by_order);
    for (size_t i = 0; i < num && i < CL_JAR_MAX_SENT; i++) {
        size_t len = strlen(list[i]->name) + strlen(list[i]->value) + 3;
        if (out->len - begin + len > CL_JAR_MAX_HEADER) {
            break;
        }
        list[i]->used = ++jar->clock;
        CL_TRY(cl_buf_printf(out, SIZE_MAX, "%s%s=%s", i > 0 ? "; " : "", list[i]->name,
                             list[i]->value));
    }
    return CL_OK;
}
