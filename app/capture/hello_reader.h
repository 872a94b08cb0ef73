/* capture/hello_reader.h - a ClientHello out of the bytes of a stream, records taken off
 * (RFC 9846 5.1), in pieces of any length.
 *
 * A change_cipher_spec record in front is skipped: a client sends one before its second ClientHello
 * (RFC 9846 E.4). Anything else than handshake records that begin with a ClientHello is told at the
 * first byte that says so.
 */
#ifndef CL_CAPTURE_HELLO_READER_H
#define CL_CAPTURE_HELLO_READER_H

#include "base/buf.h"

/* 131,400: the longest ClientHello that its own length fields allow (RFC 9846 4.2.2) */
#define CL_HELLO_MAX 131400

enum cl_hello_state {
    CL_HELLO_MORE,  /* bytes are missing */
    CL_HELLO_WHOLE, /* message holds it */
    CL_HELLO_NONE,  /* this is no ClientHello */
    CL_HELLO_FAILED /* memory was short */
};

/* {0} is a reader at the begin of a stream; cl_hello_reader_deinit frees. */
struct cl_hello_reader {
    struct cl_buf message;
    size_t wanted; /* its whole length, once known */
    uint8_t header[5];
    uint8_t header_len;
    bool skipping;   /* in a change_cipher_spec record */
    uint16_t record; /* bytes of the current record still to come */
};

/* cl_hello_reader_feed takes the stream's next bytes. After anything but MORE it is to be deinited.
 */
CL_MUST enum cl_hello_state cl_hello_reader_feed(struct cl_hello_reader *h, struct cl_rd bytes);
void cl_hello_reader_deinit(struct cl_hello_reader *h);

#endif
