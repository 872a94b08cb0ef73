/* agent/cookie.c - take a Set-Cookie field apart. */
#include "agent/cookie.h"

#include "base/text.h"
#include "http/chars.h"

const char *cl_cookie_verdict_text(enum cl_cookie_verdict verdict)
{
    static const char *const texts[] = {
        [CL_COOKIE_STORED] = "kept",
        [CL_COOKIE_DELETED] = "deleted: it has expired",
        [CL_COOKIE_BAD_PAIR] = "refused: it is not written NAME=VALUE",
        [CL_COOKIE_BAD_BYTE] = "refused: it has a control byte",
        [CL_COOKIE_TOO_LONG] = "refused: name and value have more than 4096 bytes",
        [CL_COOKIE_BAD_DOMAIN] = "refused: its domain is not ASCII",
        [CL_COOKIE_OTHER_DOMAIN] = "refused: the host is not within its domain",
        [CL_COOKIE_PUBLIC_SUFFIX] = "refused: its domain is a public suffix",
        [CL_COOKIE_NOT_SECURE] = "refused: it is Secure, or one of its name is, and this is not",
        [CL_COOKIE_BAD_PREFIX] = "refused: its name promises what its attributes do not hold",
        [CL_COOKIE_NO_MEMORY] = "lost: out of memory",
    };
    return texts[verdict];
}

/* RFC 6265bis 5.6 1: %x00-08, %x0A-1F and %x7F end it all. */
static bool has_control(struct cl_rd v)
{
    for (size_t i = 0; i < v.len; i++) {
        if ((v.p[i] < 0x20 && v.p[i] != '\t') || v.p[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

/* What stands in front of the next `c`, or all of it. */
static struct cl_rd cut(struct cl_rd *rest, uint8_t c)
{
    struct cl_rd part;
    if (!cl_http_until(rest, c, &part)) {
        part = *rest;
        *rest = cl_rd_of(rest->p + rest->len, 0);
    }
    return part;
}

/* ---- attributes: each a function (RFC 6265bis 5.6.1 to 5.6.6) ---- */

struct parse {
    struct cl_cookie_line *out;
    int64_t now;
    bool has_max_age;
    bool bad_domain;
};

static int64_t until(const struct parse *p, int64_t time)
{
    const int64_t latest = p->now + CL_COOKIE_MAX_AGE;
    return time > latest ? latest : time > 0 ? time : 1; /* 0 is for sessions */
}

static void take_expires(struct parse *p, struct cl_rd v)
{
    int64_t time;
    if (!p->has_max_age && cl_cookie_date(v, &time)) {
        p->out->expires = until(p, time);
    }
}

static void take_max_age(struct parse *p, struct cl_rd v)
{
    bool negative = v.len > 0 && v.p[0] == '-';
    struct cl_rd digits = negative ? cl_rd_of(v.p + 1, v.len - 1) : v;
    uint64_t n = 0;
    if (digits.len == 0 || !cl_http_all(digits, CL_CH_DIGIT)) {
        return;
    }
    const bool huge = cl_http_u64(digits, &n) != CL_HTTP_U64_OK || n > CL_COOKIE_MAX_AGE;
    p->has_max_age = true;
    p->out->expires = negative || (n == 0 && !huge)
                          ? 1
                          : until(p, p->now + (huge ? CL_COOKIE_MAX_AGE : (int64_t)n));
}

static void take_domain(struct parse *p, struct cl_rd v)
{
    if (v.len > 0 && v.p[0] == '.') {
        v = cl_rd_of(v.p + 1, v.len - 1);
    }
    p->bad_domain = false;
    for (size_t i = 0; i < v.len; i++) {
        p->bad_domain = p->bad_domain || v.p[i] >= 0x80;
    }
    p->out->domain = v;
}

static void take_path(struct parse *p, struct cl_rd v)
{
    p->out->path = v.len > 0 && v.p[0] == '/' ? v : cl_rd_of("", 0);
}

static void take_secure(struct parse *p, struct cl_rd v)
{
    (void)v;
    p->out->secure = true;
}

static void take_http_only(struct parse *p, struct cl_rd v)
{
    (void)v;
    p->out->http_only = true;
}

static void take_attribute(struct parse *p, struct cl_rd attribute)
{
    static const struct {
        const char *name;
        void (*take)(struct parse *p, struct cl_rd v);
    } rows[] = {
        {"Expires", take_expires}, {"Max-Age", take_max_age}, {"Domain", take_domain},
        {"Path", take_path},       {"Secure", take_secure},   {"HttpOnly", take_http_only},
    };
    struct cl_rd value = attribute;
    struct cl_rd name = cl_http_trim(cut(&value, '='));
    value = cl_http_trim(value);
    for (size_t i = 0; value.len <= CL_COOKIE_MAX_ATTRIBUTE && i < sizeof(rows) / sizeof(rows[0]);
         i++) {
        if (cl_http_equal_fold(name, rows[i].name)) {
            rows[i].take(p, value);
        }
    }
}

enum cl_cookie_verdict cl_cookie_parse(struct cl_cookie_line *out, struct cl_rd field, int64_t now)
{
    struct parse p = {.out = out, .now = now};
    memset(out, 0, sizeof(*out));
    out->path = out->domain = cl_rd_of("", 0);
    if (has_control(field)) {
        return CL_COOKIE_BAD_BYTE;
    }
    struct cl_rd pair = cut(&field, ';');
    /* A pair without "=" is a cookie without a name for RFC 6265bis; some servers read such a one
     * as a name. As curl: none at all. */
    if (!cl_http_until(&pair, '=', &out->name)) {
        return CL_COOKIE_BAD_PAIR;
    }
    out->name = cl_http_trim(out->name);
    out->value = cl_http_trim(pair);
    if (out->name.len == 0) {
        return CL_COOKIE_BAD_PAIR;
    }
    if (out->name.len + out->value.len > CL_COOKIE_MAX_PAIR) {
        return CL_COOKIE_TOO_LONG;
    }
    while (field.len > 0) {
        take_attribute(&p, cut(&field, ';'));
    }
    const struct cl_rd kept[] = {out->name, out->value, out->domain, out->path};
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        if (kept[i].len > 0 && memchr(kept[i].p, '\t', kept[i].len) != NULL) {
            return CL_COOKIE_BAD_BYTE;
        }
    }
    return p.bad_domain ? CL_COOKIE_BAD_DOMAIN : CL_COOKIE_STORED;
}
