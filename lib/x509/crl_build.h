/* x509/crl_build.h - makes revocation lists (RFC 5280 5): version 2, complete, of one issuer's own
 * certificates, with authority key identifier and number; on request for one distribution point, or
 * for end entities or CAs alone. */
#ifndef CL_X509_CRL_BUILD_H
#define CL_X509_CRL_BUILD_H

#include "x509/crl.h"

/* 20: RFC 5280 5.2.3, "conforming CRL issuers MUST NOT use CRLNumber values longer than 20 octets"
 */
#define CL_CRL_NUMBER_MAX 20

struct cl_crl_template {
    const struct cleat_cert *issuer;
    int64_t this_update; /* Unix seconds */
    int64_t next_update;
    struct cl_rd number;  /* contents of a non-negative INTEGER */
    struct cl_rd entries; /* contents of revokedCertificates, as cl_crl_entry_put writes them */
    struct cl_rd point;   /* DistributionPointName as in struct cl_crl; empty: none */
    bool only_user;
    bool only_ca;
};

/* cl_crl_build appends a list as DER to out. BAD_CONFIG (err says), UNSUPPORTED, LIMIT, NOMEM. */
CL_MUST cl_result cl_crl_build(struct cl_buf *out, const struct cl_crl_template *tpl,
                               const struct cleat_key *key, struct cleat_error *err);

/* cl_crl_entry_put appends one; LIMIT when entries would have more than CL_CRL_MAX_LEN. */
CL_MUST cl_result cl_crl_entry_put(struct cl_buf *entries, const struct cl_crl_entry *entry);

/* cl_crl_point_put appends DistributionPointName with this URL as its fullName. */
CL_MUST cl_result cl_crl_point_put(struct cl_buf *out, const char *url);

/* cl_crl_reason_name names a reasonCode, "keyCompromise"; "unknown". cl_crl_reason_find finds it by
 * name, upper and lower case alike. */
const char *cl_crl_reason_name(uint32_t reason);
CL_RD_MUST bool cl_crl_reason_find(const char *name, size_t len, uint32_t *reason);

#endif
