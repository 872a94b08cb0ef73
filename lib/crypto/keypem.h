/* crypto/keypem.h - PEM blocks (RFC 7468) of private keys. */
#ifndef CL_CRYPTO_KEYPEM_H
#define CL_CRYPTO_KEYPEM_H

#include "base/buf.h"

/* 64 KiB: an RSA key of 16,384 bits is 13 KiB of PEM; parameters and text in front are small */
#define CL_KEYPEM_MAX_BLOCK 65536

/* A block: its label, what stands between its lines, and whether RFC 1421 headers say that it is
 * encrypted. Views into the text. */
struct cl_keypem_block {
    struct cl_rd label;
    struct cl_rd body;
    bool encrypted;
};

/* cl_keypem_next takes the next block off the front of text. False when there is none; then *broken
 * says whether a BEGIN line stands there without its END line. */
CL_RD_MUST bool cl_keypem_next(struct cl_rd *text, struct cl_keypem_block *out, bool *broken);

/* cl_keypem_decode writes the bytes of a block to out, which is empty; the caller wipes it
 * (deinit). BAD_PEM, NOMEM. */
CL_MUST cl_result cl_keypem_decode(const struct cl_keypem_block *block, struct cl_buf *out);

/* cl_keypem_append writes der as a block with this label. NOMEM. */
CL_MUST cl_result cl_keypem_append(struct cl_buf *out, const char *label, struct cl_rd der);

#endif
