/* cli/cert_fetch.h - the chain that a server sends, whatever it is worth, with the verdict on it.
 */
#ifndef CL_CLI_CERT_FETCH_H
#define CL_CLI_CERT_FETCH_H

#include "base/buf.h"
#include "cleat/x509.h"
#include "cli/client_options.h"

struct cert_fetched {
    struct cleat_chain *chain;
    struct cleat_verdict *verdict; /* NULL: there are no CA certificates to verify with */
    struct cl_buf staple;          /* OCSPResponse that came with the chain; empty: none */
    struct cl_buf scts;            /* SignedCertificateTimestampList of the TLS extension */
    bool from_public; /* the server's address is one of the whole internet, or known to a
                       * proxy alone */
    struct cleat_error err;
};

/* cert_fetch connects to an https URL, takes the chain and hangs up. trust: of these only cacert
 * and capath matter. Returns 0 or an exit code of cli/get_codes.h with the detail in out->err. */
int cert_fetch(const char *url, const struct client_options *trust, struct cert_fetched *out);
void cert_fetched_deinit(struct cert_fetched *f);

#endif
