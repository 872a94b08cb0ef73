/* conn/tunnel_socks.c - SOCKS 5 (RFC 1928) with user name and password (RFC 1929): a method is
 * agreed on, credentials are shown where they are wanted, and CONNECT is asked for. */
#include <stdio.h>
#include <string.h>

#include "conn/tunnel_impl.h"

enum { VERSION = 5, AUTH_VERSION = 1, COMMAND_CONNECT = 1 };
enum { METHOD_NONE = 0, METHOD_PASSWORD = 2, METHOD_NOT_ACCEPTABLE = 255 };
enum { ADDRESS_IPV4 = 1, ADDRESS_NAME = 3, ADDRESS_IPV6 = 4 };
/* 255: lengths are one byte (RFC 1929 2, RFC 1928 4) */
#define MAX_TEXT 255

/* What is waited for. */
enum { WAIT_METHOD, WAIT_AUTH, WAIT_ADDRESS, WAIT_REPLY };

static enum cl_tunnel_next refuse(struct cl_tunnel *t, const char *section, const char *hint,
                                  const char *what)
{
    const struct cl_why why = {.code = CLEAT_ERR_REFUSED, .section = section, .hint = hint};
    (void)cl_error_set(&t->result.error, why, "the SOCKS proxy %s port %u %s", t->spec.proxy->host,
                       (unsigned)t->spec.proxy->port, what);
    return CL_TUNNEL_FAILED;
}

static bool put(struct cl_tunnel *t, const void *p, size_t len)
{
    return cl_buf_append(&t->out, p, len, CL_TUNNEL_MAX_OUT) == CL_OK;
}

static bool put_byte(struct cl_tunnel *t, unsigned byte)
{
    const uint8_t b = (uint8_t)byte;
    return put(t, &b, 1);
}

static bool put_text(struct cl_tunnel *t, const char *text)
{
    const size_t len = strlen(text);
    return len <= MAX_TEXT && put_byte(t, (unsigned)len) && put(t, text, len);
}

static enum cl_tunnel_next out_of_memory(struct cl_tunnel *t)
{
    (void)cl_error_set(&t->result.error, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    return CL_TUNNEL_FAILED;
}

/* ---- which address ---- */

static void on_address(void *ctx, const struct cl_dns_answer *answer)
{
    struct cl_tunnel *t = ctx;
    const bool first = !t->has_address && answer->num != 0;
    t->query = answer->last ? NULL : t->query;
    if (first) {
        t->address = answer->addrs[0];
        t->has_address = true;
    }
    t->no_address = answer->last && !t->has_address;
    if (t->step == WAIT_ADDRESS && (first || t->no_address)) {
        cl_tunnel_go_on(t);
    }
}

/* A name is looked up here for socks5, and for socks5h left to the proxy. */
static cl_result find_address(struct cl_tunnel *t)
{
    const unsigned kinds = t->spec.family == AF_INET    ? CL_DNS_A
                           : t->spec.family == AF_INET6 ? CL_DNS_AAAA
                                                        : CL_DNS_A | CL_DNS_AAAA;
    const struct cl_dns_spec ask = {
        .host = t->spec.host, .port = t->spec.port, .kinds = kinds, .cb = on_address, .ctx = t};
    t->has_address = cl_addr_parse(t->spec.host, t->spec.port, &t->address);
    return t->has_address || t->spec.proxy->kind == CL_PROXY_SOCKS5H
               ? CL_OK
               : cl_dns_lookup(t->spec.dns, &ask, &t->query);
}

static cl_result begin(struct cl_tunnel *t)
{
    const bool has_user = t->spec.proxy->has_user;
    const uint8_t hello[] = {VERSION, has_user ? 2 : 1, METHOD_NONE, METHOD_PASSWORD};
    CL_TRY(find_address(t));
    return cl_buf_append(&t->out, hello, has_user ? 4 : 3, CL_TUNNEL_MAX_OUT);
}

/* ---- what is sent ---- */

static bool put_host(struct cl_tunnel *t)
{
    const struct cl_addr *a = &t->address;
    if (!t->has_address) {
        return put_byte(t, ADDRESS_NAME) && put_text(t, t->spec.host);
    }
    return a->sa.sa_family == AF_INET6 ? put_byte(t, ADDRESS_IPV6) && put(t, &a->in6.sin6_addr, 16)
                                       : put_byte(t, ADDRESS_IPV4) && put(t, &a->in.sin_addr, 4);
}

static enum cl_tunnel_next ask_for_host(struct cl_tunnel *t)
{
    const uint8_t head[] = {VERSION, COMMAND_CONNECT, 0};
    if (t->no_address) {
        return refuse(t, NULL, "with socks5h:// the proxy looks the name up",
                      "is given addresses, and the name of the server has none");
    }
    if (!t->has_address && t->spec.proxy->kind == CL_PROXY_SOCKS5) {
        t->step = WAIT_ADDRESS;
        return CL_TUNNEL_MORE;
    }
    t->step = WAIT_REPLY;
    cl_trace_note(t->spec.trace, "prxy", "SOCKS CONNECT %s port %u", t->spec.host,
                  (unsigned)t->spec.port);
    return put(t, head, sizeof(head)) && put_host(t) && put_byte(t, t->spec.port >> 8) &&
                   put_byte(t, t->spec.port & 0xff)
               ? CL_TUNNEL_MORE
               : out_of_memory(t);
}

static enum cl_tunnel_next show_credentials(struct cl_tunnel *t)
{
    const struct cl_proxy *p = t->spec.proxy;
    if (strlen(p->user) > MAX_TEXT || strlen(p->password) > MAX_TEXT) {
        return refuse(t, "RFC 1929 2", NULL, "takes user names and passwords of 255 bytes at most");
    }
    t->step = WAIT_AUTH;
    return put_byte(t, AUTH_VERSION) && put_text(t, p->user) && put_text(t, p->password)
               ? CL_TUNNEL_MORE
               : out_of_memory(t);
}

/* ---- what comes ---- */

static enum cl_tunnel_next take_method(struct cl_tunnel *t, uint8_t version, uint8_t method)
{
    if (version != VERSION) {
        return refuse(t, "RFC 1928 3", "is it a proxy of HTTP? then write http://",
                      "does not answer as SOCKS 5");
    }
    if (method == METHOD_NONE) {
        return ask_for_host(t);
    }
    if (method == METHOD_PASSWORD && t->spec.proxy->has_user) {
        return show_credentials(t);
    }
    return refuse(t, "RFC 1928 3", t->spec.proxy->has_user ? NULL : "give -U USER:PASSWORD",
                  method == METHOD_NOT_ACCEPTABLE ? "takes none of the ways to log in"
                                                  : "wants a way to log in that was not offered");
}

static const char *reason_of(unsigned reply)
{
    static const char *const reasons[] = {
        NULL,
        "fails: a general failure (1)",
        "does not allow this connection (2)",
        "finds the network unreachable (3)",
        "finds the host unreachable (4)",
        "is refused by the server (5)",
        "gives up: the time to live has expired (6)",
        "does not know CONNECT (7)",
        "does not know this kind of address (8)",
    };
    return reply < sizeof(reasons) / sizeof(reasons[0]) ? reasons[reply]
                                                        : "answers with an unknown code";
}

/* RFC 1928 6: the address of the proxy's end is read over: it says nothing that is needed. */
static enum cl_tunnel_next take_reply(struct cl_tunnel *t)
{
    struct cl_rd r = cl_buf_view(&t->in), bound;
    uint8_t version, reply, reserved, kind, len = 0;
    if (!cl_rd_u8(&r, &version) || !cl_rd_u8(&r, &reply)) {
        return CL_TUNNEL_MORE;
    }
    if (version != VERSION) {
        return refuse(t, "RFC 1928 6", NULL, "does not answer as SOCKS 5");
    }
    if (reply != 0) {
        return refuse(t, "RFC 1928 6", NULL, reason_of(reply));
    }
    if (!cl_rd_u8(&r, &reserved) || !cl_rd_u8(&r, &kind)) {
        return CL_TUNNEL_MORE;
    }
    if (kind == ADDRESS_NAME && !cl_rd_u8(&r, &len)) {
        return CL_TUNNEL_MORE;
    }
    if (kind != ADDRESS_NAME && kind != ADDRESS_IPV4 && kind != ADDRESS_IPV6) {
        return refuse(t, "RFC 1928 6", NULL, "answers with an unknown kind of address");
    }
    const size_t address_len = kind == ADDRESS_IPV4 ? 4 : kind == ADDRESS_IPV6 ? 16 : len;
    if (!cl_rd_take(&r, address_len + 2, &bound)) {
        return CL_TUNNEL_MORE;
    }
    cl_buf_drop(&t->in, t->in.len - r.len);
    return CL_TUNNEL_OPEN;
}

static enum cl_tunnel_next take(struct cl_tunnel *t)
{
    struct cl_rd r = cl_buf_view(&t->in);
    uint8_t version, code;
    if (t->step == WAIT_REPLY) {
        return take_reply(t);
    }
    if (t->step == WAIT_ADDRESS) {
        return t->has_address || t->no_address ? ask_for_host(t) : CL_TUNNEL_MORE;
    }
    if (!cl_rd_u8(&r, &version) || !cl_rd_u8(&r, &code)) {
        return CL_TUNNEL_MORE;
    }
    cl_buf_drop(&t->in, 2);
    if (t->in.len != 0 && (t->step != WAIT_METHOD || version == VERSION)) {
        return refuse(t, "RFC 1928 3", NULL, "answers what was not asked yet");
    }
    if (t->step == WAIT_METHOD) {
        return take_method(t, version, code);
    }
    return code == 0 ? ask_for_host(t)
                     : refuse(t, "RFC 1929 2", "the user name or the password is wrong",
                              "does not take the user name and password");
}

const struct cl_tunnel_protocol cl_tunnel_socks = {.begin = begin, .take = take};
