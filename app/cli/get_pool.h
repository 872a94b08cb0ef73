/* cli/get_pool.h - the connections of one `cleat get`: which one an exchange goes to.
 *
 * A connection is for one origin: host and port, and whether --ech's configuration was offered;
 * everything else that it depends on is the same for the whole run. Names that a certificate has
 * beside that of the origin do not make it a connection of theirs.
 */
#ifndef CL_CLI_GET_POOL_H
#define CL_CLI_GET_POOL_H

#include "cli/get_conn.h"
#include "cli/get_sessions.h"

struct get_pool {
    struct client *client;
    struct get_sessions *sessions;
    TAILQ_HEAD(, get_conn) conns;
    TAILQ_HEAD(, get_origin) origins;
    long num_made;
};

void get_pool_init(struct get_pool *p, struct client *client, struct get_sessions *sessions);

/* get_pool_place puts an exchange on a connection that is there, one that is being made, or a new
 * one. Outside of callbacks; for --ech true it runs the loop. Returns 0; GET_POOL_LATER: there is
 * no room now, try again when something has happened; or an exit code with the detail in err. */
#define GET_POOL_LATER (-1)
int get_pool_place(struct get_pool *p, struct get_exchange *x, const struct client_wish *wish,
                   struct cleat_error *err);

/* get_pool_close ends all connections in good order, and frees everything. */
void get_pool_close(struct get_pool *p);

#endif
