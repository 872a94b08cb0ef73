/* capture/pcapng_write.h - capture files in the pcapng format (draft-ietf-opsawg-pcapng): one
 * section, one interface, packets, and the secrets that decrypt them. Wireshark, tshark and libpcap
 * read them.
 *
 * Every function appends one or two whole blocks to a buffer, or nothing: a file that ends between
 * two calls is complete. Blocks are big-endian on every machine. No I/O.
 */
#ifndef CL_CAPTURE_PCAPNG_WRITE_H
#define CL_CAPTURE_PCAPNG_WRITE_H

#include "base/buf.h"

/* 4 MiB: what a buffer of blocks may grow to; a stream sends or receives 33 KiB at a time */
#define CL_PCAPNG_MAX_BUFFER (4u << 20)
/* 1,024 bytes: of a text in an option; more is cut */
#define CL_PCAPNG_MAX_TEXT   1024

/* What stands at the head of the file. */
struct cl_pcapng_about {
    const char *application; /* "cleat 0.1.0 serve" */
    const char *comment;     /* on the section, or NULL */
    const char *interface;   /* what the packets went through, in words */
};

/* cl_pcapng_begin appends the section's head and the description of its one interface: packets are
 * raw IP, times nanoseconds. LIMIT (the buffer is full) or NOMEM; so do the others. */
CL_MUST cl_result cl_pcapng_begin(struct cl_buf *out, const struct cl_pcapng_about *about);

/* cl_pcapng_secrets appends lines of a TLS key log (RFC 9850). They count for what comes behind. */
CL_MUST cl_result cl_pcapng_secrets(struct cl_buf *out, struct cl_rd lines);

struct cl_pcapng_packet {
    uint64_t unix_ns;
    struct cl_rd head; /* IP and TCP; the packet is head and body, one behind the other */
    struct cl_rd body;
    bool sent;           /* by us; else received */
    const char *comment; /* or NULL */
};

CL_MUST cl_result cl_pcapng_packet(struct cl_buf *out, const struct cl_pcapng_packet *packet);

#endif
