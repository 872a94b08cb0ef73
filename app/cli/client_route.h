/* cli/client_route.h - where to connect for an origin, one place after the other, and with which
 * Encrypted Client Hello configuration: the origin itself, what --connect-to says, or what the
 * HTTPS records in DNS say where --ech asks for them (RFC 9460 3, RFC 9848).
 */
#ifndef CL_CLI_CLIENT_ROUTE_H
#define CL_CLI_CLIENT_ROUTE_H

#include "cli/client.h"
#include "dns/https.h"

struct client_way {
    char host[CLIENT_HOST_SIZE];
    uint16_t port;
    struct cl_buf ech; /* ECHConfigList; empty: none */
};

struct client_route {
    struct client_way ways[CL_HTTPS_MAX + 1]; /* those of the records, and the origin itself */
    size_t num;
    size_t at;    /* the one to try */
    bool retried; /* its configuration is the server's answer to another */
};

/* For whom. */
struct client_wish {
    const struct client_target *target;
    bool ech_offered; /* a configuration that --ech gives is for this origin */
    const bool *stop; /* gives up when it is true; NULL: never */
};

/* client_route_find makes the route; for --ech true and hard it runs the loop until DNS has
 * answered. Returns 0 or an exit code (cli/get_codes.h) with the detail in err; GET_EXIT_ECH: --ech
 * hard, and there is no configuration. *out is zero, or found before; the caller deinits it. */
int client_route_find(struct client *c, struct client_route *out, const struct client_wish *wish,
                      struct cleat_error *err);
void client_route_deinit(struct client_route *r);

/* client_route_way: the one to try, after client_route_find has succeeded. */
const struct client_way *client_route_way(const struct client_route *r);

/* client_route_next goes on to the next way; false: there is none. It is for connections that were
 * not made: a failure in TLS is an answer. */
bool client_route_next(struct client *c, struct client_route *r);

/* client_route_renew takes over the configurations of a server that rejected ours (RFC 9849 6.1.6),
 * for one more connection; tls has failed, or is NULL. False: it sent none, the connection was
 * itself the second, or nobody has authenticated the server (-k). */
bool client_route_renew(struct client *c, struct client_route *r, const struct cleat_tls *tls);

#endif
