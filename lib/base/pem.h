/* base/pem.h - PEM (RFC 7468), strict where it matters, tolerant of text between the blocks: of
 * certificates, lists and keys alike. Not constant time: keys are read once, at start-up. */
#ifndef CL_BASE_PEM_H
#define CL_BASE_PEM_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/result.h"

/* 4 MiB: a certificate bundle has 250 KB, a large CRL one or two MB */
#define CL_PEM_MAX_LEN (4u << 20)

struct cl_pem_block {
    struct cl_rd label; /* "CERTIFICATE"; a view into the text */
    struct cl_rd body;  /* base64 with its line ends; a view into the text */
    size_t line;        /* of BEGIN, from 1 */
};

/* A walk over the blocks of a text. */
struct cl_pem {
    struct cl_rd rest;
    size_t line;
    struct cleat_error *err;
};

void cl_pem_init(struct cl_pem *pem, const char *text, size_t len, struct cleat_error *err);

/* cl_pem_next finds the next block: CL_OK with *found false at the end. BAD_PEM: a BEGIN without
 * its END, labels that differ. */
CL_MUST cl_result cl_pem_next(struct cl_pem *pem, struct cl_pem_block *out, bool *found);

/* cl_pem_take_headers takes "Name: value" lines and the empty line behind them (RFC 1421 4.4) off
 * the front of the block's body, as old files of keys have them; false when there are none. Other
 * blocks must not have any (RFC 7468 2): their bodies then do not decode. */
bool cl_pem_take_headers(struct cl_pem_block *block, struct cl_rd *headers);

/* cl_pem_decode appends the block's bytes to out (at most max in all). BAD_PEM when the base64 is
 * not strict or empty, LIMIT, NOMEM. */
CL_MUST cl_result cl_pem_decode(const struct cl_pem *pem, const struct cl_pem_block *block,
                                struct cl_buf *out, size_t max);

/* cl_pem_encode appends der as a block with lines of 64 characters; of a key, the caller wipes out.
 * NOMEM, LIMIT. */
CL_MUST cl_result cl_pem_encode(const char *label, struct cl_rd der, struct cl_buf *out);

#endif
