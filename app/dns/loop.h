/* dns/loop.h - a c-ares channel whose sockets and time-outs are watched by a libuv loop. */
#ifndef CL_DNS_LOOP_H
#define CL_DNS_LOOP_H

/* ares_query is deprecated from 1.28 on for a function that Debian 12's 1.18 does not have */
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <uv.h>

#include "base/result.h"

struct cl_dns_loop;

/* cl_dns_loop_new opens a channel that asks name servers only (no hosts file). NOMEM,
 * CLEAT_ERR_INTERNAL. */
CL_MUST cl_result cl_dns_loop_new(uv_loop_t *loop, struct cl_dns_loop **out,
                                  struct cleat_error *err);
ares_channel cl_dns_loop_channel(const struct cl_dns_loop *l);

/* cl_dns_loop_kick sets the timer anew; call it after every new query. */
void cl_dns_loop_kick(struct cl_dns_loop *l);

/* cl_dns_loop_free ends the channel at once (queries get ARES_EDESTRUCTION) and frees the rest in a
 * later turn of the loop. Never called from inside a c-ares callback. */
void cl_dns_loop_free(struct cl_dns_loop *l);

#endif
