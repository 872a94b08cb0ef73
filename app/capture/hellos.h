/* capture/hellos.h - every ClientHello of a file or a network interface, one after the other.
 *
 * A file is told apart by its first bytes: a packet capture (pcap or pcapng, by libpcap), TLS
 * records as they went over the wire, a handshake message with its 4-byte header, or either of the
 * two as hexadecimal digits. In captures ClientHellos are looked for at the begin of a TCP
 * connection and at the begin of any later segment (behind a proxy's CONNECT, behind STARTTLS,
 * after a HelloRetryRequest); streams are put together no further than that (capture/flows.h).
 */
#ifndef CL_CAPTURE_HELLOS_H
#define CL_CAPTURE_HELLOS_H

#include <signal.h>

#include "base/bytes.h"
#include "base/result.h"
#include "dns/addr.h"

struct cl_hello {
    struct cl_rd message; /* with its 4-byte header; valid during the call */
    bool has_origin;      /* from a capture: what follows is known */
    int64_t time_us;      /* when its last packet was captured, Unix microseconds */
    struct cl_addr from;
    struct cl_addr to;
};

/* A sink gets each ClientHello as it is complete, and returns whether it wants more. */
typedef bool (*cl_hello_sink)(void *ctx, const struct cl_hello *hello);

/* What was seen, and what was left aside and why. */
struct cl_hello_counts {
    uint64_t hellos;
    uint64_t packets;
    uint64_t segments;   /* of TCP, with data */
    uint64_t fragments;  /* of IP: not put together */
    uint64_t cut;        /* packets of which the capture kept a part only (its snapshot length) */
    uint64_t incomplete; /* ClientHellos that began and did not end */
    uint64_t crowded;    /* streams given up because there were too many at once */
};

/* cl_hellos_read reads a file ("-": standard input) to its end, or until the sink wants no more.
 * SYSTEM: it cannot be opened or read. DECODE: it is none of the kinds above, or is damaged
 * (UNSUPPORTED: packets of another link layer); the ClientHellos before the damage have been told.
 * NOMEM. err gets the detail. */
CL_MUST cl_result cl_hellos_read(const char *path, cl_hello_sink sink, void *ctx,
                                 struct cl_hello_counts *counts, struct cleat_error *err);

/* How long cl_hellos_watch listens. */
struct cl_hello_watch {
    const char *interface; /* "any": all of them */
    const char *filter;    /* a capture filter of libpcap's, or NULL: every TCP packet */
    unsigned seconds;      /* 0: until the sink wants no more or *stop is set */
    const volatile sig_atomic_t *stop;
};

/* cl_hellos_watch captures from an interface, which takes CAP_NET_RAW. SYSTEM: libpcap says no. */
CL_MUST cl_result cl_hellos_watch(const struct cl_hello_watch *watch, cl_hello_sink sink, void *ctx,
                                  struct cl_hello_counts *counts, struct cleat_error *err);

#endif
