/* cli/client_revocation.h - what the command line says about revocation: which sources count, how
 * strictly, the files with lists and responses, and whether more is to be fetched (which
 * client_evidence.h does).
 */
#ifndef CL_CLI_CLIENT_REVOCATION_H
#define CL_CLI_CLIENT_REVOCATION_H

#include "cleat/revocation.h"
#include "cli/client_options.h"

struct client_revocation {
    struct cleat_revocation_options options; /* views of the two sets */
    struct cleat_crl_set *crls;              /* NULL: no list was given */
    struct cleat_ocsp_set *ocsp;             /* NULL: no response was given */
    bool fetch;                              /* what they do not say */
};

/* client_revocation_check: 0, or CL_EXIT_USAGE with a message on stderr about a --revocation that
 * is not understood or options that do not go together. */
int client_revocation_check(const struct client_options *o, const struct cl_usage *usage);

/* client_revocation_open reads the files of options that were checked. Long DER lists stay mapped
 * until the last reference to the set is gone. Returns 0, GET_EXIT_REVOCATION_FILE (err says which
 * file and why) or GET_EXIT_NO_MEMORY. *out is to be closed whatever comes back. */
int client_revocation_open(const struct client_options *o, struct client_revocation *out,
                           struct cleat_error *err);
void client_revocation_close(struct client_revocation *r);

/* client_revocation_exit: exit_code, or that of --cert-status when it is why a handshake failed. */
int client_revocation_exit(const struct client_options *o, int exit_code,
                           const struct cleat_error *err);

#endif
