/* conn/proxy.c - see proxy.h. */
#include "conn/proxy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "cleat/http.h"
#include "http/url.h"

static const struct {
    const char *name;
    enum cl_proxy_kind kind;
} schemes[] = {
    {"http", CL_PROXY_HTTP},
    {"https", CL_PROXY_HTTPS},
    {"socks5", CL_PROXY_SOCKS5},
    {"socks5h", CL_PROXY_SOCKS5H},
};

const char *cl_proxy_scheme(const struct cl_proxy *p)
{
    return schemes[p->kind].name;
}

void cl_proxy_deinit(struct cl_proxy *p)
{
    cleat_tls_config_free(p->tls);
    cl_buf_deinit(&p->fields);
    cl_wipe(p, sizeof(*p));
}

/* ---- URL ---- */

static cl_result bad(struct cleat_error *err, const char *what)
{
    const struct cl_why why = {.code = CLEAT_ERR_BAD_URL,
                               .hint = "write http://HOST:PORT, https://HOST:PORT or "
                                       "socks5h://HOST:PORT"};
    return cl_error_set(err, why, "the URL of the proxy: %s", what);
}

/* Takes "SCHEME://" off the text. */
static cl_result take_scheme(const char **text, struct cl_proxy *out, struct cleat_error *err)
{
    const char *end = strstr(*text, "://");
    out->kind = CL_PROXY_HTTP;
    if (end == NULL) {
        return CL_OK;
    }
    const struct cl_rd scheme = cl_rd_of(*text, (size_t)(end - *text));
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (cl_ascii_equal_fold(scheme, cl_rd_str(schemes[i].name))) {
            out->kind = schemes[i].kind;
            *text = end + 3;
            return CL_OK;
        }
    }
    const struct cl_why why = {.code = CLEAT_ERR_UNSUPPORTED,
                               .hint = "proxies are spoken to by http, https, socks5 and socks5h"};
    return cl_error_set(err, why, "%.*s:// is no protocol of a proxy that is spoken here",
                        scheme.len < 20 ? (int)scheme.len : 20, (const char *)scheme.p);
}

/* What can be put into a field: no byte that ends a line. */
static bool can_be_sent(uint8_t c)
{
    return c >= 0x20 && c != 0x7f;
}

/* Percent-decodes (RFC 3986 2.1); false: too long, a bad escape, or a control byte. */
static bool decode(struct cl_rd in, char *out)
{
    size_t len = 0;
    uint8_t c;
    while (cl_rd_u8(&in, &c)) {
        struct cl_rd digits;
        size_t one;
        if (c == '%' && (!cl_rd_take(&in, 2, &digits) ||
                         !cl_hex_decode((const char *)digits.p, 2, &c, 1, &one))) {
            return false;
        }
        if (len == CL_PROXY_MAX_CREDENTIAL || !can_be_sent(c)) {
            return false;
        }
        out[len++] = (char)c;
    }
    out[len] = '\0';
    return true;
}

/* RFC 7617 2: "a user-id containing a colon character is invalid". */
static bool set_userinfo(struct cl_proxy *p, struct cl_rd info)
{
    const uint8_t *colon = memchr(info.p, ':', info.len);
    const size_t at = colon != NULL ? (size_t)(colon - info.p) : info.len;
    struct cl_rd user, password = info;
    if (!cl_rd_take(&password, at, &user) || (colon != NULL && !cl_rd_skip(&password, 1))) {
        return false;
    }
    p->has_user = true;
    return decode(user, p->user) && decode(password, p->password) && strchr(p->user, ':') == NULL;
}

static cl_result set_host(struct cl_proxy *p, const struct cleat_http_url *url,
                          struct cleat_error *err)
{
    if (url->is_idn || !cl_http_url_host(url, p->host, sizeof(p->host))) {
        return bad(err, url->is_idn ? "its name is not ASCII: write it as xn--..."
                                    : "its name is empty or too long");
    }
    p->port = url->has_port               ? url->port
              : p->kind == CL_PROXY_HTTPS ? CL_PROXY_HTTPS_PORT
                                          : CL_PROXY_DEFAULT_PORT;
    return CL_OK;
}

static cl_result parse_rest(const char *text, struct cl_proxy *out, struct cleat_error *err)
{
    struct cleat_http_url url;
    /* The codec knows http; what stands behind the scheme has the same form for all. */
    cl_result r = cl_buf_printf(&out->fields, CLEAT_HTTP_MAX_URL, "http://%s", text);
    if (r != CL_OK) {
        return r == CLEAT_ERR_LIMIT ? bad(err, "it is too long") : r;
    }
    if (cleat_http_url_parse(&url, (const char *)out->fields.p, out->fields.len, NULL) !=
        CLEAT_OK) {
        r = bad(err, "it is malformed"); /* the codec's detail would have the credentials */
    } else if (url.userinfo.p != NULL &&
               !set_userinfo(out, cl_rd_of(url.userinfo.p, url.userinfo.len))) {
        r = bad(err, "its user name or password is malformed or too long");
    } else {
        r = set_host(out, &url, err);
    }
    cl_buf_deinit(&out->fields); /* which wipes it */
    return r;
}

cl_result cl_proxy_parse(const char *text, struct cl_proxy *out, struct cleat_error *err)
{
    *out = (struct cl_proxy){.kind = CL_PROXY_HTTP};
    CL_TRY(take_scheme(&text, out, err));
    return parse_rest(text, out, err);
}

cl_result cl_proxy_set_user(struct cl_proxy *p, const char *text, struct cleat_error *err)
{
    const char *colon = strchr(text, ':');
    const size_t user_len = colon != NULL ? (size_t)(colon - text) : strlen(text);
    const char *password = colon != NULL ? colon + 1 : "";
    bool fine = user_len <= CL_PROXY_MAX_CREDENTIAL && strlen(password) <= CL_PROXY_MAX_CREDENTIAL;
    for (const char *c = text; *c != '\0'; c++) {
        fine = fine && can_be_sent((uint8_t)*c);
    }
    if (!fine) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_USAGE},
                            "the proxy's user name and password: at most %d bytes each, and no "
                            "control characters",
                            CL_PROXY_MAX_CREDENTIAL);
    }
    p->has_user = true;
    memcpy(p->user, text, user_len);
    p->user[user_len] = '\0';
    (void)snprintf(p->password, sizeof(p->password), "%s", password);
    return CL_OK;
}

/* ---- no_proxy ---- */

/* An address as bytes; the family's length, or 0: it is none. */
static size_t address_of(const char *text, uint8_t out[16])
{
    return inet_pton(AF_INET, text, out) == 1 ? 4 : inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned num)
{
    const uint8_t rest = (uint8_t)(0xff00 >> num % 8);
    return memcmp(a, b, num / 8) == 0 && (num % 8 == 0 || ((a[num / 8] ^ b[num / 8]) & rest) == 0);
}

/* "ADDRESS" or "ADDRESS/BITS"; as curl, 0 bits are all of them. */
static bool has_address(struct cl_rd entry, const uint8_t *address, size_t len)
{
    char text[64];
    uint8_t net[16];
    long bits = (long)len * 8;
    if (entry.len >= sizeof(text)) {
        return false;
    }
    memcpy(text, entry.p, entry.len);
    text[entry.len] = '\0';
    char *slash = strchr(text, '/');
    if (slash != NULL) {
        char *end;
        long given = strtol(slash + 1, &end, 10);
        if (*end != '\0' || end == slash + 1 || given < 0 || given > bits) {
            return false;
        }
        *slash = '\0';
        bits = given != 0 ? given : bits;
    }
    return address_of(text, net) == len && same_bits(net, address, (unsigned)bits);
}

/* A name, for itself and for what is below it. */
static bool has_name(struct cl_rd entry, struct cl_rd host)
{
    struct cl_rd tail = host;
    if (entry.len != 0 && entry.p[entry.len - 1] == '.') {
        entry.len--;
    }
    if (entry.len != 0 && entry.p[0] == '.' && !cl_rd_skip(&entry, 1)) {
        return false;
    }
    if (entry.len == 0 || entry.len > host.len || !cl_rd_skip(&tail, host.len - entry.len)) {
        return false;
    }
    return cl_ascii_equal_fold(entry, tail) &&
           (entry.len == host.len || host.p[host.len - entry.len - 1] == '.');
}

bool cl_proxy_is_exempt(const char *list, const char *host)
{
    static const char separators[] = ", \t";
    struct cl_rd name = cl_rd_str(host);
    uint8_t address[16];
    const size_t address_len = address_of(host, address);
    if (strcmp(list, "*") == 0) {
        return true;
    }
    if (name.len > 1 && name.p[name.len - 1] == '.') {
        name.len--;
    }
    for (const char *at = list + strspn(list, separators); *at != '\0';) {
        const size_t len = strcspn(at, separators);
        const struct cl_rd entry = cl_rd_of(at, len);
        if (address_len != 0 ? has_address(entry, address, address_len) : has_name(entry, name)) {
            return true;
        }
        at += len;
        at += strspn(at, separators);
    }
    return false;
}
