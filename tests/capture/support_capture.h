/* Packets and ClientHellos made by hand, and what was told of them. */
#ifndef CL_SUPPORT_CAPTURE_H
#define CL_SUPPORT_CAPTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "capture/flows.h"

#define ETHERNET 1

/* Records of one ClientHello: message_len bytes of message in records of at most record_len. */
struct hello_bytes {
    uint8_t message[2000];
    size_t message_len;
    uint8_t records[4000];
    size_t records_len;
};
void make_hello(struct hello_bytes *h, size_t message_len, size_t record_len);

/* What a sink was told: the number, and the last one. */
struct told {
    unsigned num;
    unsigned wanted; /* 0: all of them */
    uint8_t message[4000];
    size_t len;
    struct cl_hello last;
};
bool tell(void *ctx, const struct cl_hello *hello);

/* A segment from 192.0.2.1:40000 to 192.0.2.2:443 as a packet of Ethernet. */
struct packet {
    uint8_t p[4100];
    size_t len;
};
struct packet_flags {
    bool syn;
    bool fin;
    uint16_t port; /* 0: 40000 */
};
struct packet make_packet(uint32_t seq, const void *data, size_t len, struct packet_flags flags);

#endif
