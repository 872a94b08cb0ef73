/* explain/second_hello.h - the ClientHello that a client would send after a HelloRetryRequest. */
#ifndef CL_EXPLAIN_SECOND_HELLO_H
#define CL_EXPLAIN_SECOND_HELLO_H

#include "base/buf.h"
#include "crypto/kex.h"

/* cl_second_hello_build appends the first message with one key share, for the group asked for, the
 * cookie, and without early_data and pre_shared_key (RFC 9846 4.2.2). DECODE, NOMEM, or why no
 * share can be made. */
CL_MUST cl_result cl_second_hello_build(struct cl_rd first, const struct cl_group *group,
                                        struct cl_rd cookie, struct cl_buf *out);

#endif
