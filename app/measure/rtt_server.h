/* measure/rtt_server.h - the server at the other end of the line: it answers every request with the
 * same short response, and leaves closing to its clients.
 */
#ifndef CL_MEASURE_RTT_SERVER_H
#define CL_MEASURE_RTT_SERVER_H

#include "conn/stream.h"
#include "dns/addr.h"

struct cl_rtt_server;

/* cl_rtt_server_new listens on 127.0.0.1, at a port that the kernel chooses; *addr says where.
 * NOMEM, SYSTEM. */
CL_MUST cl_result cl_rtt_server_new(struct cl_hub *hub, struct cl_rtt_server **out,
                                    struct cl_addr *addr);

/* cl_rtt_server_use sets the configuration and the limit of a handshake for connections from now
 * on; a reference is taken. */
void cl_rtt_server_use(struct cl_rtt_server *server, struct cleat_tls_config *config,
                       uint32_t handshake_ms);

/* cl_rtt_server_free stops listening and aborts what is open: run the loop to the end of it before
 * the hub is freed. NULL is fine. */
void cl_rtt_server_stop(struct cl_rtt_server *server);
void cl_rtt_server_free(struct cl_rtt_server *server);

#endif
