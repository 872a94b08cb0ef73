/* http/authority.c - see authority.h. */
#include "http/authority.h"

/* 255: the longest domain name (RFC 1035 2.3.4); IDN hosts may be longer before conversion */
#define MAX_HOST 255

static const struct {
    const char *text;
    const char *hint;
} flaw_rows[] = {
    [CL_HTTP_AUTHORITY_FINE] = {"nothing", NULL},
    [CL_HTTP_AUTHORITY_NO_HOST] = {"there is no host", "write it as https://host/path"},
    [CL_HTTP_AUTHORITY_USERINFO] = {"it holds user information", "remove what stands before '@'"},
    [CL_HTTP_AUTHORITY_BAD_BYTE] = {"the host has a character that is not allowed",
                                    "a host has letters, digits, '-', '.' and '_'"},
    [CL_HTTP_AUTHORITY_BAD_IPV6] = {"the IPv6 literal is not valid",
                                    "write it as [2001:db8::1], without a zone"},
    [CL_HTTP_AUTHORITY_BAD_IPV4] = {"the host ends in a number but is no IPv4 address",
                                    "write all four decimal numbers: 127.0.0.1"},
    [CL_HTTP_AUTHORITY_BAD_PORT] = {"the port is not a number from 1 to 65535", NULL},
    [CL_HTTP_AUTHORITY_TOO_LONG] = {"the host is longer than 255 bytes", NULL},
};

const char *cl_http_authority_flaw_text(enum cl_http_authority_flaw flaw)
{
    return flaw_rows[flaw].text;
}

const char *cl_http_authority_flaw_hint(enum cl_http_authority_flaw flaw)
{
    return flaw_rows[flaw].hint;
}

/* dec-octet (RFC 3986 3.2.2): no leading zeros, so that nobody reads it as octal. */
static bool is_octet(struct cl_rd v)
{
    uint64_t n = 0;
    if (v.len > 3 || cl_http_u64(v, &n) != CL_HTTP_U64_OK || n > 255) {
        return false;
    }
    return v.len == 1 || v.p[0] != '0';
}

static bool is_ipv4(struct cl_rd v)
{
    struct cl_rd part;
    for (int i = 0; i < 3; i++) {
        if (!cl_http_until(&v, '.', &part) || !is_octet(part)) {
            return false;
        }
    }
    return is_octet(v);
}

/* h16 *( ":" h16 ) with an IPv4 address allowed as the last two groups when `may_v4`. Gives the
 * number of groups, -1 when it is malformed. */
static int num_groups(struct cl_rd v, bool may_v4)
{
    int num = 0;
    while (v.len != 0) {
        struct cl_rd group = v;
        bool last = !cl_http_until(&v, ':', &group);
        if (last && may_v4 && is_ipv4(group)) {
            return num + 2;
        }
        if (group.len == 0 || group.len > 4 || !cl_http_all(group, CL_CH_HEX)) {
            return -1;
        }
        num++;
        if (last) {
            return num;
        }
        if (v.len == 0) {
            return -1; /* ends in ':' */
        }
    }
    return num;
}

/* RFC 3986 3.2.2, IPv6address: eight groups, or fewer around one "::". */
static bool is_ipv6(struct cl_rd v)
{
    const uint8_t *gap = v.len != 0 ? memmem(v.p, v.len, "::", 2) : NULL;
    if (gap == NULL) {
        return num_groups(v, true) == 8;
    }
    struct cl_rd left;
    struct cl_rd right = v;
    if (!cl_rd_take(&right, (size_t)(gap - v.p), &left) || !cl_rd_skip(&right, 2)) {
        return false;
    }
    int num_left = num_groups(left, false);
    int num_right = num_groups(right, true);
    return num_left >= 0 && num_right >= 0 && num_left + num_right <= 7;
}

/* Whether resolvers would read the host as a number: its last label is one, decimal or "0x...". */
static bool ends_in_a_number(struct cl_rd host)
{
    struct cl_rd label = host;
    struct cl_rd before;
    if (label.len != 0 && label.p[label.len - 1] == '.') {
        label.len--;
    }
    while (cl_http_until(&label, '.', &before)) {
    }
    if (label.len >= 2 && label.p[0] == '0' && (label.p[1] | 32) == 'x') {
        return cl_rd_skip(&label, 2) && cl_http_all(label, CL_CH_HEX);
    }
    return label.len != 0 && cl_http_all(label, CL_CH_DIGIT);
}

static enum cl_http_authority_flaw check_name(struct cl_http_authority *a)
{
    if (a->host.len == 0) {
        return CL_HTTP_AUTHORITY_NO_HOST;
    }
    if (a->host.len > MAX_HOST) {
        return CL_HTTP_AUTHORITY_TOO_LONG;
    }
    for (size_t i = 0; i < a->host.len; i++) {
        if (a->host.p[i] >= 0x80) {
            a->is_idn = true;
        } else if (!cl_http_ch(a->host.p[i], CL_CH_REGNAME)) {
            return a->host.p[i] == '@' ? CL_HTTP_AUTHORITY_USERINFO : CL_HTTP_AUTHORITY_BAD_BYTE;
        }
    }
    a->is_ipv4 = is_ipv4(a->host);
    if (!a->is_ipv4 && ends_in_a_number(a->host)) {
        return CL_HTTP_AUTHORITY_BAD_IPV4;
    }
    return CL_HTTP_AUTHORITY_FINE;
}

static enum cl_http_authority_flaw check_port(struct cl_rd text, struct cl_http_authority *a)
{
    uint64_t n = 0;
    if (text.len == 0) {
        return CL_HTTP_AUTHORITY_FINE;
    }
    if (cl_http_u64(text, &n) != CL_HTTP_U64_OK || n == 0 || n > 65535) {
        return CL_HTTP_AUTHORITY_BAD_PORT;
    }
    a->port = (uint16_t)n;
    a->has_port = true;
    return CL_HTTP_AUTHORITY_FINE;
}

static enum cl_http_authority_flaw parse_literal(struct cl_rd text, struct cl_http_authority *out)
{
    uint8_t colon = 0;
    if (!cl_rd_skip(&text, 1) || !cl_http_until(&text, ']', &out->host) || !is_ipv6(out->host)) {
        return CL_HTTP_AUTHORITY_BAD_IPV6;
    }
    out->is_ipv6 = true;
    if (cl_rd_done(&text)) {
        return CL_HTTP_AUTHORITY_FINE;
    }
    if (!cl_rd_u8(&text, &colon) || colon != ':') {
        return CL_HTTP_AUTHORITY_BAD_BYTE;
    }
    return check_port(text, out);
}

enum cl_http_authority_flaw cl_http_authority_parse(struct cl_rd text,
                                                    struct cl_http_authority *out)
{
    *out = (struct cl_http_authority){0};
    if (text.len == 0) {
        return CL_HTTP_AUTHORITY_NO_HOST;
    }
    if (text.p[0] == '[') {
        return parse_literal(text, out);
    }
    struct cl_rd rest = text;
    if (!cl_http_until(&rest, ':', &out->host)) {
        out->host = text;
        return check_name(out);
    }
    enum cl_http_authority_flaw flaw = check_name(out);
    return flaw != CL_HTTP_AUTHORITY_FINE ? flaw : check_port(rest, out);
}
