/* cli/client_proxy.h - through which proxy a command connects: --proxy and its companions, or else
 * the environment, as with curl: https_proxy, http_proxy (for ws://; lower case alone: a server of
 * CGI would set the other from a request), all_proxy, no_proxy.
 */
#ifndef CL_CLI_CLIENT_PROXY_H
#define CL_CLI_CLIENT_PROXY_H

#include "conn/proxy.h"

struct client;

/* client_proxy_for finds the proxy for a host (as in struct client_target), by TLS or not: *out is
 * NULL when there is none for it, else lives as long as the client. 0, or an exit code
 * (cli/get_codes.h) with the reason in err. */
int client_proxy_for(struct client *c, const char *host, uint16_t port, bool secure,
                     const struct cl_proxy **out, struct cleat_error *err);

void client_proxy_close(struct client *c);

#endif
