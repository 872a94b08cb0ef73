/* x509/chain.h - an ordered list of certificates, leaf first: what a server sends. */
#ifndef CL_X509_CHAIN_H
#define CL_X509_CHAIN_H

#include "x509/cert.h"

/* 32: deployed chains have 2 to 5 certificates; a file with more is not a chain */
#define CL_CHAIN_MAX 32

/* cl_chain_from_der makes a chain of num certificates, leaf first. NO_CERTIFICATE, BAD_CERTIFICATE
 * (err names its number), LIMIT, NOMEM. */
CL_MUST cl_result cl_chain_from_der(struct cleat_chain **out, const struct cl_rd *der, size_t num,
                                    struct cleat_error *err);

/* cl_chain_from_certs makes a chain of references to certificates. */
CL_MUST cl_result cl_chain_from_certs(struct cleat_chain **out,
                                      const struct cleat_cert *const *certs, size_t num);

size_t cl_chain_num(const struct cleat_chain *chain);
const struct cleat_cert *cl_chain_at(const struct cleat_chain *chain, size_t i);

#endif
