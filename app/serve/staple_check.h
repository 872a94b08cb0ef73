/* serve/staple_check.h - what an OCSP response says about a certificate of ours, before a client
 * sees it: the library's own verification, with the certificate's issuer as the anchor. */
#ifndef CL_SERVE_STAPLE_CHECK_H
#define CL_SERVE_STAPLE_CHECK_H

#include "base/bytes.h"
#include "base/result.h"
#include "cleat/x509.h"

/* cl_staple_issuer finds who issued the first certificate of chain: among the others, or among
 * roots (or NULL). It makes a store of that one certificate; *out NULL when there is none. NOMEM.
 */
CL_MUST cl_result cl_staple_issuer(const struct cleat_chain *chain,
                                   const struct cleat_trust_store *roots,
                                   struct cleat_trust_store **out);

enum cl_staple_word {
    CL_STAPLE_USELESS, /* forged, about another certificate, out of date, unknown, malformed */
    CL_STAPLE_GOOD,
    CL_STAPLE_REVOKED,
};

struct cl_staple_finding {
    enum cl_staple_word word;
    int64_t this_update;     /* Unix seconds, unless useless */
    int64_t next_update;     /* INT64_MIN: none */
    struct cleat_error what; /* useless, revoked: why */
};

/* cl_staple_check judges len bytes at a moment (Unix seconds). */
void cl_staple_check(const struct cleat_chain *chain, const struct cleat_trust_store *issuer,
                     struct cl_rd response, int64_t now, struct cl_staple_finding *out);

#endif
