/* fetch/issuers.h - certificates out of what a caIssuers URL gives (RFC 5280 4.2.2.1): one in DER,
 * a PKCS#7 file of them ("certs-only", RFC 5652 5.1 and 5280's .p7c), or PEM, which is not foreseen
 * and happens. Nothing of a PKCS#7 file but its certificates is looked at. */
#ifndef CL_FETCH_ISSUERS_H
#define CL_FETCH_ISSUERS_H

#include "x509/cert.h"

/* 16: of one answer; a CA's file has its cross-certificates too */
#define CL_FETCH_MAX_ISSUERS 16

/* cl_fetch_issuers parses an answer; out gets the certificates that can be parsed, to be freed, and
 * *num how many there are. BAD_CERTIFICATE: none of these, or it holds no certificate; err (may be
 * NULL) says why. NOMEM. */
CL_MUST cl_result cl_fetch_issuers(struct cl_rd answer,
                                   struct cleat_cert *out[CL_FETCH_MAX_ISSUERS], size_t *num,
                                   struct cleat_error *err);

#endif
