/* x509/name.c - is this certificate for that host? RFC 9525 6: DNS names and IP addresses of the
 * subject alternative names, nothing else; the common name never counts. */
#include "x509/name.h"

#include "base/text.h"
#include "x509/gname.h"

/* ---- IP literals ---- */
static bool parse_v4(const char *text, size_t len, uint8_t *out)
{
    size_t at = 0;
    for (size_t i = 0; i < 4; i++) {
        unsigned value = 0;
        size_t start = at;
        while (at < len && text[at] >= '0' && text[at] <= '9' && at - start < 3) {
            value = value * 10 + (unsigned)(text[at++] - '0');
        }
        /* RFC 3986 3.2.2 dec-octet: no leading zeros */
        if (at == start || value > 255 || (at - start > 1 && text[start] == '0')) {
            return false;
        }
        out[i] = (uint8_t)value;
        if (i < 3 && (at >= len || text[at++] != '.')) {
            return false;
        }
    }
    return at == len;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    uint8_t lower = cl_ascii_lower((uint8_t)c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* One group of hexadecimal digits; the number of characters, 0 when there is none. */
static size_t v6_group(const char *text, size_t len, unsigned *out)
{
    size_t at = 0;
    *out = 0;
    while (at < len && at < 4 && hex_digit(text[at]) >= 0) {
        *out = *out << 4 | (unsigned)hex_digit(text[at++]);
    }
    return at;
}

/* RFC 4291 2.2: up to eight groups, one "::" for a run of zero groups, an IPv4 address as the last
 * two. */
static bool parse_v6(const char *text, size_t len, uint8_t out[16])
{
    uint8_t bytes[16] = {0};
    size_t num = 0;
    size_t gap = SIZE_MAX;
    size_t at = 0;
    if (len >= 2 && text[0] == ':' && text[1] == ':') {
        gap = 0;
        at = 2;
    }
    while (at < len) {
        unsigned group;
        if (num <= 12 && memchr(text + at, ':', len - at) == NULL &&
            parse_v4(text + at, len - at, bytes + num)) {
            num += 4;
            at = len;
            break;
        }
        size_t used = v6_group(text + at, len - at, &group);
        if (used == 0 || num > 14) {
            return false;
        }
        bytes[num++] = (uint8_t)(group >> 8);
        bytes[num++] = (uint8_t)group;
        at += used;
        if (at == len) {
            break;
        }
        if (text[at++] != ':' || at == len) {
            return false;
        }
        if (text[at] == ':') {
            if (gap != SIZE_MAX) {
                return false;
            }
            gap = num;
            at++;
        }
    }
    if (gap == SIZE_MAX ? num != 16 : num > 14) {
        return false;
    }
    memset(out, 0, 16);
    gap = gap == SIZE_MAX ? num : gap;
    memcpy(out, bytes, gap);
    memcpy(out + 16 - (num - gap), bytes + gap, num - gap);
    return true;
}

bool cl_ip_parse(const char *text, size_t text_len, uint8_t out[16], size_t *len)
{
    if (text_len >= 2 && text[0] == '[' && text[text_len - 1] == ']') {
        *len = 16;
        return parse_v6(text + 1, text_len - 2, out);
    }
    if (parse_v4(text, text_len, out)) {
        *len = 4;
        return true;
    }
    *len = 16;
    return parse_v6(text, text_len, out);
}

/* ---- DNS names ---- */
#define MAX_DNS_NAME  253 /* RFC 1034 3.1: 255 bytes on the wire */
#define MAX_DNS_LABEL 63

/* underscore: allowed in names that are asked for (RFC 8552 names resolve, whatever their owners
 * think) and, where only matching is at stake, in names that are presented. */
static bool name_valid(struct cl_rd name, bool underscore)
{
    size_t label = 0;
    bool digits = true;
    uint8_t last = '.';
    uint8_t c;
    if (name.len == 0 || name.len > MAX_DNS_NAME) {
        return false;
    }
    while (cl_rd_u8(&name, &c)) {
        if (c == '.') {
            if (label == 0 || last == '-') {
                return false;
            }
            label = 0;
            digits = true;
            last = c;
            continue;
        }
        bool digit = c >= '0' && c <= '9';
        uint8_t lower = cl_ascii_lower(c);
        if (!digit && !(lower >= 'a' && lower <= 'z') && c != '-' && !(underscore && c == '_')) {
            return false;
        }
        if (++label > MAX_DNS_LABEL || (label == 1 && c == '-')) {
            return false;
        }
        digits = digits && digit;
        last = c;
    }
    return label != 0 && last != '-' && !digits;
}

static bool is_wildcard(struct cl_rd name)
{
    return name.len >= 2 && name.p[0] == '*' && name.p[1] == '.';
}

bool cl_dns_valid(struct cl_rd name, bool wildcard)
{
    if (wildcard && is_wildcard(name)) {
        return cl_rd_skip(&name, 2) && name_valid(name, false);
    }
    return name_valid(name, false);
}

bool cl_dns_matches(struct cl_rd presented, struct cl_rd reference)
{
    if (!is_wildcard(presented)) {
        return name_valid(presented, true) && cl_ascii_equal_fold(presented, reference);
    }
    /* RFC 9525 6.3: "the wildcard character ... appears only as the complete content of the
     * left-most label" and "matches exactly one label". A wildcard below a top-level domain is
     * nobody's. */
    const uint8_t *dot = memchr(reference.p, '.', reference.len);
    if (!cl_rd_skip(&presented, 2) || memchr(presented.p, '.', presented.len) == NULL ||
        !name_valid(presented, true) || dot == NULL || dot == reference.p) {
        return false;
    }
    struct cl_rd parent = reference;
    return cl_rd_skip(&parent, (size_t)(dot - reference.p) + 1) &&
           cl_ascii_equal_fold(presented, parent);
}

static bool matches_ip(const struct cleat_cert *cert, struct cl_rd ip)
{
    struct cl_rd names = cert->san;
    struct cl_gname name;
    while (cl_gname_next(&names, &name)) {
        if (name.kind == CLEAT_SAN_IP && cl_rd_equal(name.value, ip)) {
            return true;
        }
    }
    return false;
}

static bool matches_dns(const struct cleat_cert *cert, struct cl_rd host)
{
    struct cl_rd names = cert->san;
    struct cl_gname name;
    while (cl_gname_next(&names, &name)) {
        if (name.kind == CLEAT_SAN_DNS && cl_dns_matches(name.value, host)) {
            return true;
        }
    }
    return false;
}

bool cl_cert_matches_host(const struct cleat_cert *cert, const char *host)
{
    uint8_t ip[16];
    size_t ip_len;
    if (host == NULL || host[0] == '\0') {
        return false;
    }
    struct cl_rd name = cl_rd_str(host);
    if (cl_ip_parse(host, name.len, ip, &ip_len)) {
        return matches_ip(cert, cl_rd_of(ip, ip_len));
    }
    if (name.p[name.len - 1] == '.') {
        name.len--;
    }
    return name_valid(name, true) && matches_dns(cert, name);
}

bool cleat_cert_matches_host(const struct cleat_cert *cert, const char *host)
{
    return cl_cert_matches_host(cert, host);
}

bool cl_cert_matches_email(const struct cleat_cert *cert, const char *email)
{
    struct cl_rd local;
    struct cl_rd domain;
    struct cl_rd names = cert->san;
    struct cl_gname name;
    if (email == NULL || !cl_email_split(cl_rd_str(email), &local, &domain)) {
        return false;
    }
    while (cl_gname_next(&names, &name)) {
        struct cl_rd their_local;
        struct cl_rd their_domain;
        /* RFC 5280 7.5: the local part by bytes, the host name without case */
        if (name.kind == CLEAT_SAN_EMAIL &&
            cl_email_split(name.value, &their_local, &their_domain) &&
            cl_rd_equal(local, their_local) && cl_ascii_equal_fold(domain, their_domain)) {
            return true;
        }
    }
    return false;
}
