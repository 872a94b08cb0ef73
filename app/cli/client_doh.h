/* cli/client_doh.h - DNS over HTTPS for a command: --doh-url and its companion. */
#ifndef CL_CLI_CLIENT_DOH_H
#define CL_CLI_CLIENT_DOH_H

#include "cleat/error.h"
#include "fetch/doh.h"

struct client;

struct client_doh {
    struct cl_doh *doh;           /* NULL: none */
    struct cl_dns *dns;           /* that finds the server itself */
    struct cleat_tls_config *tls; /* with it */
};

/* client_doh_open lets c->dns ask the server of --doh-url, if there is one. 0, or an exit code
 * (cli/get_codes.h) with the reason in err. */
int client_doh_open(struct client *c, struct cleat_error *err);

/* client_doh_close: before c->dns is freed. */
void client_doh_close(struct client *c);

#endif
