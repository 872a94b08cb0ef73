/* cli/client_evidence.h - for a server's chain: what is missing to verify it, fetched while the
 * handshake waits (--revocation, --aia). One chain at a time.
 */
#ifndef CL_CLI_CLIENT_EVIDENCE_H
#define CL_CLI_CLIENT_EVIDENCE_H

#include "cli/client_revocation.h"
#include "conn/dial.h"
#include "fetch/gather.h"

struct client_evidence {
    const struct client_options *options;
    const struct client_revocation *revocation;
    const struct cleat_trust_store *trust;
    const struct cleat_dane *dane; /* of the server that is dialled, or NULL; the client's */
    struct cl_trace *trace;
    struct cl_hub *hub;
    struct cl_dns *dns;
    struct cl_fetch_cache *cache;   /* NULL: none is wanted */
    struct cleat_tls_config *https; /* for URLs of https */
    struct cl_gather *gather;       /* under way, or NULL */
    struct cleat_tls *tls;          /* that waits for it */
    struct cl_dial *dial;
    char failure[400]; /* why the first thing that was asked for did not come, or "" */
};

/* client_evidence_wanted: options by which anything is fetched. */
bool client_evidence_wanted(const struct client_options *o, const struct client_revocation *r);

/* client_evidence_open prepares; the members down to dns are set by the caller. Returns 0 or an
 * exit code with the detail in err. client_evidence_close is fine on {0}. */
int client_evidence_open(struct client_evidence *e, struct cleat_error *err);
void client_evidence_close(struct client_evidence *e);

/* client_evidence_ask answers CLEAT_DECIDE_EVIDENCE on tls, of a dial to host, later. */
void client_evidence_ask(struct client_evidence *e, const char *host, struct cl_dial *dial,
                         struct cleat_tls *tls);

/* client_evidence_stop: the dial is over, the answer does not matter any more. Nothing under way is
 * fine. */
void client_evidence_stop(struct client_evidence *e);

/* client_evidence_explain adds to a verdict of "not known" why it is not. */
void client_evidence_explain(const struct client_evidence *e, struct cleat_error *err);

/* client_evidence_gather starts for a chain that is at hand; the rest of *spec is filled in. NOMEM.
 */
CL_MUST cl_result client_evidence_gather(struct client_evidence *e, struct cl_gather_spec *spec);

#endif
