/* capture/tcp_flow.h - the packets of a TCP connection, put together from what was read from and
 * written to its socket: IPv4 or IPv6 and TCP, from SYN to FIN or RST, numbers and checksums right.
 *
 * They are what a reader of captures needs, not what the kernels exchanged: no packet is lost or
 * sent twice, options beyond those of the SYN are missing, and the windows are wide open. What the
 * peer has acknowledged is the kernel's word, at the time when somebody asked. Pure: no I/O, no
 * clock.
 */
#ifndef CL_CAPTURE_TCP_FLOW_H
#define CL_CAPTURE_TCP_FLOW_H

#include "base/buf.h"
#include "dns/addr.h"

enum cl_tcp_side {
    CL_TCP_US,
    CL_TCP_PEER,
};

struct cl_tcp_flow_end {
    uint8_t ip[16];
    uint16_t port;
    uint16_t ip_id;  /* of the next packet */
    uint32_t next;   /* sequence number of the next byte */
    uint32_t acked;  /* up to where the other end has it, as far as is known */
    uint32_t told;   /* up to where a packet of the other end has said so */
    bool has_closed; /* FIN is sent */
};

struct cl_tcp_flow {
    struct cl_tcp_flow_end ends[2]; /* by enum cl_tcp_side */
    size_t ip_len;                  /* of an address: 4 or 16 */
    size_t mss;
    bool is_reset;
    const char *comment; /* for the next packet, then NULL again; a text that stays till then */
};

struct cl_tcp_flow_setup {
    struct cl_addr us;
    struct cl_addr peer;
    size_t mss;       /* of the connection; 0: not known */
    uint32_t isn[2];  /* where the two ends begin to count */
    bool from_us;     /* we opened the connection */
    uint64_t syn_ns;  /* Unix nanoseconds, when it was asked for */
    uint64_t open_ns; /* when it was there */
};

/* cl_tcp_flow_open begins a flow and appends SYN, SYN/ACK and ACK, as blocks of a pcapng file, to
 * out. IPv4 addresses mapped into IPv6 become IPv4, as they were on the wire. LIMIT or NOMEM, as
 * all below; then some of the packets may be missing. */
CL_MUST cl_result cl_tcp_flow_open(struct cl_tcp_flow *f, struct cl_buf *out,
                                   const struct cl_tcp_flow_setup *setup);

/* cl_tcp_flow_unsent takes the kernel's word for how many of our bytes (the FIN counts as one) the
 * peer has not acknowledged. Appends an ACK when there is some to tell. */
CL_MUST cl_result cl_tcp_flow_unsent(struct cl_tcp_flow *f, struct cl_buf *out, uint64_t unix_ns,
                                     size_t unsent);

/* cl_tcp_flow_data appends bytes that one side has sent, in segments, and now and then the other's
 * ACK of those before. */
CL_MUST cl_result cl_tcp_flow_data(struct cl_tcp_flow *f, struct cl_buf *out, uint64_t unix_ns,
                                   enum cl_tcp_side from, struct cl_rd bytes);

/* cl_tcp_flow_close appends a FIN, unless that side has closed before; cl_tcp_flow_reset an RST, as
 * the last packet there is. */
CL_MUST cl_result cl_tcp_flow_close(struct cl_tcp_flow *f, struct cl_buf *out, uint64_t unix_ns,
                                    enum cl_tcp_side from);
CL_MUST cl_result cl_tcp_flow_reset(struct cl_tcp_flow *f, struct cl_buf *out, uint64_t unix_ns,
                                    enum cl_tcp_side from);

/* cl_tcp_flow_end appends the ACKs that are still owed. */
CL_MUST cl_result cl_tcp_flow_end(struct cl_tcp_flow *f, struct cl_buf *out, uint64_t unix_ns);

#endif
