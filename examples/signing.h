/* signing.h - what signing_server and signer say to each other: a packet each way for a signature,
 * over a UNIX socket that keeps packets whole (SOCK_SEQPACKET), on one machine. */
#ifndef SIGNING_H
#define SIGNING_H

#include <stdint.h>
#include <sys/un.h>

struct signing_request {
    uint64_t id; /* comes back with the answer */
    uint16_t scheme;
    uint16_t len;
    uint8_t message[256]; /* TLS 1.3: 64 spaces, 33 bytes of context, a zero, a digest */
};

struct signing_answer {
    uint64_t id;
    uint16_t len; /* 0: refused */
    uint8_t signature[1024];
};

/* signing_socket connects to the signer that listens at path, or, with `listening`, listens there.
 * A descriptor, or -1. */
int signing_socket(const char *path, int listening);

#endif
