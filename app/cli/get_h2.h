/* cli/get_h2.h - HTTP/2 on a connection; and before it is one, for early data. */
#ifndef CL_CLI_GET_H2_H
#define CL_CLI_GET_H2_H

#include "cli/get_conn.h"

extern const struct get_protocol get_h2;

/* get_h2_early makes the connection's HTTP/2 with the request of x in it, and c->early of what it
 * sends: to a server with which HTTP/2 was spoken before. False: memory is short, or the request is
 * none that HTTP/2 could carry. get_h2_drop: it was in vain, also when nothing was made. */
bool get_h2_early(struct get_conn *c, struct get_exchange *x);
void get_h2_drop(struct get_conn *c);

#endif
