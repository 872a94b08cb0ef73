/* dns/addr.h - an IP address with its port, as a value. */
#ifndef CL_DNS_ADDR_H
#define CL_DNS_ADDR_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bytes.h"

struct cl_addr {
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    };
};

/* 64: "[" + 45 + "%" + zone (15) + "]:" + 5 would be 69; zones are written as numbers, so 64 do */
#define CL_ADDR_TEXT_SIZE 64

/* cl_addr_parse reads an IP literal (IPv6 with or without brackets, no zone) and sets the port.
 * false: not a literal. */
CL_RD_MUST bool cl_addr_parse(const char *text, uint16_t port, struct cl_addr *out);

/* cl_addr_format writes "192.0.2.1" or "2001:db8::1"; cl_addr_format_port adds the port:
 * "192.0.2.1:443", "[2001:db8::1]:443". Always NUL-terminated. */
void cl_addr_format(const struct cl_addr *a, char out[CL_ADDR_TEXT_SIZE]);
void cl_addr_format_port(const struct cl_addr *a, char out[CL_ADDR_TEXT_SIZE]);

uint16_t cl_addr_port(const struct cl_addr *a);
void cl_addr_set_port(struct cl_addr *a, uint16_t port);

/* cl_addr_equal compares family, address and port. */
CL_RD_MUST bool cl_addr_equal(const struct cl_addr *a, const struct cl_addr *b);

/* cl_addr_is_loopback: 127.0.0.0/8 or ::1. */
CL_RD_MUST bool cl_addr_is_loopback(const struct cl_addr *a);

/* cl_addr_is_public: an address of the whole internet. false for what only exists here or nearby,
 * as the registries of special addresses say (RFC 6890): loopback, private, shared, link-local,
 * unique local, multicast, documentation; and for IPv6 addresses that stand for one of IPv4. */
CL_RD_MUST bool cl_addr_is_public(const struct cl_addr *a);

#endif
