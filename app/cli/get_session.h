/* cli/get_session.h - what all transfers of one `cleat get` share, beside what every client has. */
#ifndef CL_CLI_GET_SESSION_H
#define CL_CLI_GET_SESSION_H

#include "cli/client.h"
#include "cli/get_cookies.h"
#include "cli/get_options.h"
#include "cli/get_pool.h"
#include "cli/get_sessions.h"

struct get_session {
    const struct get_options *options;
    struct client client;
    FILE *dump_file; /* -D */
    struct get_sessions sessions;
    struct get_pool pool;
    struct get_cookies cookies;
    long num_transfers; /* begun so far */
};

/* get_session_init opens everything. Returns 0 or an exit code with the detail in err. *s is to be
 * deinited whatever comes back. */
int get_session_init(struct get_session *s, const struct get_options *o, struct cleat_error *err);
void get_session_deinit(struct get_session *s);

#endif
