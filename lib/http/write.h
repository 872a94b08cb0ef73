/* http/write.h - building heads and chunks.
 *
 * Heads are written piece by piece into a buffer; every piece is checked, so that nothing from
 * outside can add a line (RFC 9110 5.5: no CR, LF or NUL in a value). A piece that is refused
 * leaves the buffer as it was.
 */
#ifndef CL_HTTP_WRITE_H
#define CL_HTTP_WRITE_H

#include "base/buf.h"
#include "cleat/http.h"

/* 64 KiB: more than a peer would accept */
#define CL_HTTP_MAX_WRITTEN_HEAD 65536

/* cl_http_write_request begins a request: method (a token), target (visible ASCII), HTTP/1.1.
 * USAGE when one of them is not that; LIMIT, NOMEM as cl_buf_append. */
CL_MUST cl_result cl_http_write_request(struct cl_buf *out, struct cl_rd method,
                                        struct cl_rd target);

/* cl_http_write_response begins a response, HTTP/1.1, with the registered reason phrase.
 * USAGE when status is not in 100-999. */
CL_MUST cl_result cl_http_write_response(struct cl_buf *out, int status);

/* cl_http_write_field adds a field. USAGE when name is no token or value has control bytes (tab is
 * fine) or white space at its ends. The other forms take a C string and a number. */
CL_MUST cl_result cl_http_write_field(struct cl_buf *out, struct cl_rd name, struct cl_rd value);
CL_MUST cl_result cl_http_write_field_str(struct cl_buf *out, const char *name, const char *value);
CL_MUST cl_result cl_http_write_field_u64(struct cl_buf *out, const char *name, uint64_t value);

/* cl_http_digits gives a number in decimal, a view into room. 20: 64 bits */
#define CL_HTTP_MAX_DIGITS 20
struct cl_rd cl_http_digits(char room[CL_HTTP_MAX_DIGITS], uint64_t value);

/* cl_http_write_date adds "Date: <IMF-fixdate>" of a time in Unix seconds. */
CL_MUST cl_result cl_http_write_date(struct cl_buf *out, int64_t unix_seconds);

/* cl_http_write_end adds the empty line that ends the head. */
CL_MUST cl_result cl_http_write_end(struct cl_buf *out);

/* 18: 16 hexadecimal digits, CR LF */
#define CL_HTTP_CHUNK_HEAD_MAX 18
/* What stands behind a chunk's content, and the chunk that ends a body without trailers. */
#define CL_HTTP_CHUNK_TAIL     "\r\n"
#define CL_HTTP_LAST_CHUNK     "0\r\n\r\n"

/* cl_http_chunk_head writes the line in front of len > 0 bytes of chunk content and returns its
 * length; for gathering writes: head, content, CL_HTTP_CHUNK_TAIL. */
size_t cl_http_chunk_head(uint8_t out[CL_HTTP_CHUNK_HEAD_MAX], size_t len);

/* cl_http_write_chunk appends content as one chunk (nothing when it is empty: an empty chunk would
 * end the body). Failures as cl_buf_append. */
CL_MUST cl_result cl_http_write_chunk(struct cl_buf *out, struct cl_rd content, size_t max);

#endif
