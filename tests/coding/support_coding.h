/* tests/coding/support_coding.h - content of several kinds, coded and decoded in pieces. */
#ifndef SUPPORT_CODING_H
#define SUPPORT_CODING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants those before it */
#include <cmocka.h>

#include "base/buf.h"
#include "cleat/coding.h"

/* 64 MiB: above everything that a test makes */
#define SUPPORT_MAX (64u << 20)

/* What coded text looks like: words, and every byte. */
void content(struct cl_buf *out, size_t len);

/* head_with parses a request, or a response, with these field lines. The lines stay where they are.
 */
void request_with(struct cleat_http_head *h, char *room, size_t cap, const char *lines);
void response_with(struct cleat_http_head *h, char *room, size_t cap, const char *lines);

/* encode runs one body through an encoder, `step` bytes at a time, with a flush after each step
 * when op is CLEAT_ENCODE_FLUSH; level 0: the default. Appends to *out. */
void encode(enum cleat_coding coding, int level, enum cleat_encoder_op op, struct cl_rd in,
            size_t step, struct cl_buf *out);

/* decode runs a body through a decoder, `step` bytes at a time, and tells its end. Returns the
 * first code that is a failure, or CLEAT_OK; *out gets what came out. */
int decode(const struct cleat_codings *codings, const struct cleat_decoder_options *o,
           struct cl_rd in, size_t step, struct cl_buf *out, struct cleat_error *err);

/* one makes the list of a single coding. */
struct cleat_codings one(enum cleat_coding coding);

#endif
