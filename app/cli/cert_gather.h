/* cli/cert_gather.h - for a chain at hand: what is missing to verify it, fetched here and now. */
#ifndef CL_CLI_CERT_GATHER_H
#define CL_CLI_CERT_GATHER_H

#include "cli/client_evidence.h"

/* cert_gather runs a gathering to its end: spec->done is called, once, before it returns 0. spec:
 * verify, chain, aia_public_only, done and ctx. Otherwise it returns an exit code with the detail
 * in err. */
int cert_gather(const struct client_options *o, const struct client_revocation *revocation,
                struct cl_gather_spec *spec, struct cleat_error *err);

#endif
