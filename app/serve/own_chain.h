/* serve/own_chain.h - the server's own certificate chain, looked over at start. */
#ifndef CL_SERVE_OWN_CHAIN_H
#define CL_SERVE_OWN_CHAIN_H

#include "base/bytes.h"
#include "cleat/key.h"
#include "cleat/x509.h"

/* cl_own_chain_roots reads the system's roots, which clients are likely to have too; NULL when
 * there are none. */
struct cleat_trust_store *cl_own_chain_roots(void);

/* cl_own_chain_warn says on stderr what clients will find wrong with the chain of this file:
 * expired, incomplete, in the wrong order, weak, without names, for another use, with its root. */
void cl_own_chain_warn(const char *path, const struct cleat_chain *chain,
                       const struct cleat_trust_store *roots);

/* cl_own_chain_warn_staple says on stderr when the OCSP response of this file, which is sent as it
 * is, helps nobody: out of date, about another certificate, forged, or that it says "revoked".
 * Nothing where the issuer is neither in the chain nor among roots (or NULL): it cannot be judged.
 */
void cl_own_chain_warn_staple(const char *path, struct cl_rd response,
                              const struct cleat_chain *chain,
                              const struct cleat_trust_store *roots);

/* cl_own_chain_owner finds the certificate of the chain that this key belongs to: its number from
 * 1; 0: none. */
size_t cl_own_chain_owner(const struct cleat_chain *chain, const struct cleat_key *key);

#endif
