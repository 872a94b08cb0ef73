/* cli/client_ct.h - Certificate Transparency on the command line: --ct, and the list of logs. */
#ifndef CL_CLI_CLIENT_CT_H
#define CL_CLI_CLIENT_CT_H

#include "cleat/ct.h"
#include "cli/client_options.h"

struct client_ct {
    enum cleat_ct mode;         /* TOLD with --ct-logs alone */
    struct cleat_ct_logs *logs; /* NULL when mode is OFF */
};

/* client_ct_check: 0, or CL_EXIT_USAGE with a message on stderr about options that do not go
 * together, or a list that is nowhere. */
int client_ct_check(const struct client_options *o, const struct cl_usage *usage);

/* client_ct_open reads the list of options that were checked. Returns 0, GET_EXIT_CA_FILE (err says
 * which file and why) or GET_EXIT_NO_MEMORY. A list that is old is warned about on stderr. *out is
 * to be closed whatever comes back. */
int client_ct_open(const struct client_options *o, struct client_ct *out, struct cleat_error *err);
/* client_ct_names reads the list for the names in it alone: that of --ct-logs (option), or the one
 * that --ct would take, if there is any; *out is NULL else, and the caller's to free. Returns as
 * client_ct_open does; of a list that nobody named what is wrong is a warning on stderr. */
int client_ct_names(const char *option, struct cleat_ct_logs **out, struct cleat_error *err);

void client_ct_close(struct client_ct *ct);

#endif
