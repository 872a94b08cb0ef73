/* capture/packet.h - a captured packet, taken apart: link layer, IP, TCP.
 *
 * Link layers: Ethernet (with VLAN tags and PPPoE), Linux cooked captures (SLL, SLL2), raw IP, BSD
 * loopback. IPv4, and IPv6 with its extension headers. Fragments are told, not put together:
 * TCP avoids them. Tunnels are not looked into. Pure: views into the packet, nothing is kept.
 */
#ifndef CL_CAPTURE_PACKET_H
#define CL_CAPTURE_PACKET_H

#include "base/bytes.h"
#include "dns/addr.h"

enum cl_packet_kind {
    CL_PACKET_OTHER,    /* not TCP, or not to be read */
    CL_PACKET_FRAGMENT, /* of IP */
    CL_PACKET_TCP,
};

struct cl_segment {
    struct cl_addr from; /* with port */
    struct cl_addr to;
    uint32_t seq;
    bool syn;
    bool ends; /* FIN or RST */
    bool cut;  /* data is not all that was on the wire */
    struct cl_rd data;
};

/* cl_packet_knows says whether packets of a link type (LINKTYPE_… or DLT_…) can be read. */
CL_RD_MUST bool cl_packet_knows(int link_type);

/* cl_packet_parse fills *out when it returns TCP. */
enum cl_packet_kind cl_packet_parse(int link_type, struct cl_rd packet, struct cl_segment *out);

#endif
