/* capture/packet.c - see packet.h; RFC 791, RFC 8200, RFC 9293; tcpdump.org's list of link types.
 */
#include "capture/packet.h"

#include <pcap/dlt.h>

/* 8: IPv6 extension headers in a row; real packets have one or two (RFC 8504 5.3) */
#define MAX_IPV6_HEADERS 8
/* 4: VLAN tags in a row; two is what provider bridges do (IEEE 802.1ad) */
#define MAX_TAGS         4

#define ETHER_IPV4  0x0800
#define ETHER_IPV6  0x86dd
#define ETHER_PPPOE 0x8864
#define PPP_IPV4    0x0021
#define PPP_IPV6    0x0057

#define PROTOCOL_TCP 6

/* ---- link layer: what is left is an IP packet ---- */

static bool is_tag(uint16_t ether_type)
{
    return ether_type == 0x8100 || ether_type == 0x88a8 || ether_type == 0x9100;
}

static bool strip_pppoe(struct cl_rd *r)
{
    uint16_t protocol;
    return cl_rd_skip(r, 6) && cl_rd_u16(r, &protocol) &&
           (protocol == PPP_IPV4 || protocol == PPP_IPV6);
}

static bool strip_ether_type(struct cl_rd *r)
{
    uint16_t type;
    bool ok = cl_rd_u16(r, &type);
    for (int i = 0; ok && is_tag(type) && i < MAX_TAGS; i++) {
        ok = cl_rd_skip(r, 2) && cl_rd_u16(r, &type);
    }
    if (ok && type == ETHER_PPPOE) {
        return strip_pppoe(r);
    }
    return ok && (type == ETHER_IPV4 || type == ETHER_IPV6);
}

static bool strip_ethernet(struct cl_rd *r)
{
    return cl_rd_skip(r, 12) && strip_ether_type(r);
}

static bool strip_sll(struct cl_rd *r)
{
    return cl_rd_skip(r, 14) && strip_ether_type(r);
}

static bool strip_sll2(struct cl_rd *r)
{
    uint16_t type;
    return cl_rd_u16(r, &type) && cl_rd_skip(r, 18) && (type == ETHER_IPV4 || type == ETHER_IPV6);
}

/* The address family in the byte order of the machine that captured, and of its numbering: the
 * version in the IP header says the same more simply. */
static bool strip_loopback(struct cl_rd *r)
{
    return cl_rd_skip(r, 4);
}

static bool strip_nothing(struct cl_rd *r)
{
    return true;
}

static const struct {
    int link_type;
    bool (*strip)(struct cl_rd *r);
} links[] = {
    {DLT_EN10MB, strip_ethernet}, {DLT_LINUX_SLL, strip_sll}, {DLT_LINUX_SLL2, strip_sll2},
    {DLT_NULL, strip_loopback},   {DLT_LOOP, strip_loopback}, {DLT_RAW, strip_nothing},
    {DLT_IPV4, strip_nothing},    {DLT_IPV6, strip_nothing},
};

static bool strip_link(int link_type, struct cl_rd *r)
{
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        if (links[i].link_type == link_type) {
            return links[i].strip(r);
        }
    }
    return false;
}

bool cl_packet_knows(int link_type)
{
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        if (links[i].link_type == link_type) {
            return true;
        }
    }
    return false;
}

/* ---- IP: what is left is TCP's part ---- */

/* Padding of the link layer goes; a packet whose length is 0 was to be cut by the network card and
 * has what was captured (RFC 2675 apart, IPv6 says so for jumbograms alone). */
static void limit(struct cl_rd *r, size_t len, bool *cut)
{
    *cut = len > r->len;
    if (len != 0 && len < r->len) {
        r->len = len;
    }
}

static enum cl_packet_kind strip_ipv4(struct cl_rd *r, struct cl_segment *out)
{
    struct cl_rd head = *r;
    struct cl_rd skipped;
    uint8_t version;
    uint8_t protocol;
    uint16_t total;
    uint16_t fragment;
    out->from.in.sin_family = AF_INET;
    out->to.in.sin_family = AF_INET;
    if (!cl_rd_u8(&head, &version) || !cl_rd_skip(&head, 1) || !cl_rd_u16(&head, &total) ||
        !cl_rd_skip(&head, 2) || !cl_rd_u16(&head, &fragment) || !cl_rd_skip(&head, 1) ||
        !cl_rd_u8(&head, &protocol) || !cl_rd_skip(&head, 2) ||
        !cl_rd_copy(&head, &out->from.in.sin_addr, 4) ||
        !cl_rd_copy(&head, &out->to.in.sin_addr, 4)) {
        return CL_PACKET_OTHER;
    }
    const size_t header_len = 4 * (size_t)(version & 15);
    if (header_len < 20 || (total != 0 && total < header_len)) {
        return CL_PACKET_OTHER;
    }
    limit(r, total, &out->cut);
    if (protocol != PROTOCOL_TCP || !cl_rd_take(r, header_len, &skipped)) {
        return CL_PACKET_OTHER;
    }
    return (fragment & 0x3fff) != 0 ? CL_PACKET_FRAGMENT : CL_PACKET_TCP;
}

/* Hop-by-hop options, routing, fragment, authentication, destination options (RFC 8200 4). */
static bool strip_extension(struct cl_rd *r, uint8_t *next, bool *fragment)
{
    const uint8_t type = *next;
    uint8_t len;
    uint16_t offset;
    switch (type) {
    case 0:
    case 43:
    case 60:
        return cl_rd_u8(r, next) && cl_rd_u8(r, &len) && cl_rd_skip(r, 6 + 8 * (size_t)len);
    case 51:
        return cl_rd_u8(r, next) && cl_rd_u8(r, &len) && cl_rd_skip(r, 6 + 4 * (size_t)len);
    case 44:
        if (!cl_rd_u8(r, next) || !cl_rd_skip(r, 1) || !cl_rd_u16(r, &offset) ||
            !cl_rd_skip(r, 4)) {
            return false;
        }
        *fragment = *fragment || (offset & 0xfff9) != 0;
        return true;
    default:
        return false;
    }
}

static enum cl_packet_kind strip_ipv6(struct cl_rd *r, struct cl_segment *out)
{
    uint16_t payload;
    uint8_t next;
    bool fragment = false;
    out->from.in6.sin6_family = AF_INET6;
    out->to.in6.sin6_family = AF_INET6;
    if (!cl_rd_skip(r, 4) || !cl_rd_u16(r, &payload) || !cl_rd_u8(r, &next) || !cl_rd_skip(r, 1) ||
        !cl_rd_copy(r, &out->from.in6.sin6_addr, 16) ||
        !cl_rd_copy(r, &out->to.in6.sin6_addr, 16)) {
        return CL_PACKET_OTHER;
    }
    limit(r, payload, &out->cut);
    for (int i = 0; next != PROTOCOL_TCP && !fragment && i < MAX_IPV6_HEADERS; i++) {
        if (!strip_extension(r, &next, &fragment)) {
            return CL_PACKET_OTHER;
        }
    }
    if (fragment) {
        return next == PROTOCOL_TCP ? CL_PACKET_FRAGMENT : CL_PACKET_OTHER;
    }
    return next == PROTOCOL_TCP ? CL_PACKET_TCP : CL_PACKET_OTHER;
}

/* ---- TCP ---- */

static bool parse_tcp(struct cl_rd r, struct cl_segment *out)
{
    uint16_t from;
    uint16_t to;
    uint8_t offset;
    uint8_t flags;
    if (!cl_rd_u16(&r, &from) || !cl_rd_u16(&r, &to) || !cl_rd_u32(&r, &out->seq) ||
        !cl_rd_skip(&r, 4) || !cl_rd_u8(&r, &offset) || !cl_rd_u8(&r, &flags) ||
        !cl_rd_skip(&r, 6) || offset >> 4 < 5 || !cl_rd_skip(&r, 4 * (size_t)(offset >> 4) - 20)) {
        return false;
    }
    cl_addr_set_port(&out->from, from);
    cl_addr_set_port(&out->to, to);
    out->syn = (flags & 2) != 0;
    out->ends = (flags & (1 | 4)) != 0;
    out->data = r;
    return true;
}

enum cl_packet_kind cl_packet_parse(int link_type, struct cl_rd packet, struct cl_segment *out)
{
    struct cl_rd r = packet;
    *out = (struct cl_segment){0};
    if (!strip_link(link_type, &r) || r.len == 0) {
        return CL_PACKET_OTHER;
    }
    const uint8_t version = r.p[0] >> 4;
    const enum cl_packet_kind kind = version == 4   ? strip_ipv4(&r, out)
                                     : version == 6 ? strip_ipv6(&r, out)
                                                    : CL_PACKET_OTHER;
    if (kind == CL_PACKET_TCP && !parse_tcp(r, out)) {
        return CL_PACKET_OTHER;
    }
    return kind;
}
