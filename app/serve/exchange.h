/* serve/exchange.h - one request of HTTP/1.1 and the answer to it (serve/answer.h) on the wire,
 * without the connection around them.
 *
 * Bytes in: cl_exchange_head takes the request's head, cl_exchange_body drops its body. Bytes out:
 * cl_exchange_fill gives the response piece by piece. Decides nothing about time.
 */
#ifndef CL_SERVE_EXCHANGE_H
#define CL_SERVE_EXCHANGE_H

#include "net/file.h"
#include "serve/answer.h"

struct cl_exchange {
    struct cl_answer answer;
    struct cleat_http_head head;
    struct cleat_http_body body;
    struct cl_buf pending;  /* head that came in pieces */
    struct cl_buf out_head; /* of the response, once it is sealed */
    bool close;             /* the connection ends with this response */
    bool interim;           /* 100 Continue goes out before the body is read */
    bool early;             /* bytes now come as early data */
    size_t behind;          /* bytes that have come behind the head, with CL_EXCHANGE_UPGRADE */
};

/* CL_EXCHANGE_NEED_MORE: all was taken, and more is needed; _BODY: the head is complete and a body
 * follows; _RESPOND: the response is ready; _UPGRADE: the request is for a WebSocket, and nothing
 * is decided; the head's bytes are there as long as those that were given, or longer after
 * cl_exchange_keep_head. */
enum cl_exchange_next {
    CL_EXCHANGE_NEED_MORE,
    CL_EXCHANGE_BODY,
    CL_EXCHANGE_RESPOND,
    CL_EXCHANGE_UPGRADE,
};

/* cl_exchange_new: NOMEM. cl_exchange_free: NULL is fine. */
CL_MUST cl_result cl_exchange_new(const struct cl_site *site, struct cl_exchange **out);
void cl_exchange_free(struct cl_exchange *x);

/* cl_exchange_head takes bytes of the head; *out_used says how many. want_close: the connection is
 * to end after this response anyway. A bad request ends in CL_EXCHANGE_RESPOND too, with close set:
 * what follows it on the connection must not be looked at. */
enum cl_exchange_next cl_exchange_head(struct cl_exchange *x, const uint8_t *p, size_t len,
                                       bool want_close, size_t *out_used);

/* cl_exchange_body takes and drops bytes of the body. */
enum cl_exchange_next cl_exchange_body(struct cl_exchange *x, const uint8_t *p, size_t len,
                                       size_t *out_used);

/* cl_exchange_keep_head copies the bytes of a complete head, so that it can be asked later. NOMEM.
 */
CL_MUST cl_result cl_exchange_keep_head(struct cl_exchange *x);

/* cl_exchange_begun tells whether any byte of the request has come. */
bool cl_exchange_begun(const struct cl_exchange *x);

/* cl_exchange_refuse replaces the response by a page with this status, and closes. Also what
 * time-outs do (408). */
void cl_exchange_refuse(struct cl_exchange *x, int status, const char *text);

/* cl_exchange_seal makes the response's head of the answer, which is not changed any more. Out of
 * memory the response is empty, and the connection ends. */
void cl_exchange_seal(struct cl_exchange *x);

/* cl_exchange_total returns the sealed response's length, head included; cl_exchange_body_bytes
 * how many of the first `at` bytes are body. */
uint64_t cl_exchange_total(const struct cl_exchange *x);
uint64_t cl_exchange_body_bytes(const struct cl_exchange *x, uint64_t at);

/* cl_exchange_fill writes the response from position `at` into buf, at most cap bytes (> 0): the
 * head again if need be, the body once and in order (serve/body_source.h, which explains *next and
 * `file`). Returns the number of bytes that are in buf. */
size_t cl_exchange_fill(struct cl_exchange *x, uint64_t at, uint8_t *buf, size_t cap,
                        struct cl_file_read *file, enum cl_body_next *next);

/* cl_exchange_untaken tells that of n bytes, filled in from position `at`, only the first `taken`
 * went out: the others are filled in again. */
void cl_exchange_untaken(struct cl_exchange *x, uint64_t at, size_t n, size_t taken);

#endif
