/* x509/csr.h - certificate requests (PKCS#10, RFC 2986): parsed strictly, checked, and made. */
#ifndef CL_X509_CSR_H
#define CL_X509_CSR_H

#include "x509/fields.h"

struct cl_csr {
    struct cl_rd der;
    struct cl_rd info; /* CertificationRequestInfo, what is signed, header and all */
    /* What is asked for, in the fields that a certificate would have: subject, spki, key_type, and
     * what extensionRequest says (RFC 2985 5.4.2). Never referenced, never freed by itself. */
    struct cleat_cert wanted;
    struct cl_rd sig_oid;
    const struct cl_sig_alg *sig_alg; /* NULL: not accepted */
    struct cl_rd signature;
    bool has_challenge; /* challengePassword: sent in clear, ignored here */
};

/* cl_csr_parse copies der and parses it. BAD_CERTIFICATE (err says what), LIMIT, NOMEM. The
 * signature is not looked at. cl_csr_free takes NULL. */
CL_MUST cl_result cl_csr_parse(struct cl_csr **out, struct cl_rd der, struct cleat_error *err);
void cl_csr_free(struct cl_csr *csr);

/* cl_csr_check verifies that whoever made the request has the key (RFC 2986 3, note 2).
 * BAD_SIGNATURE, BAD_KEY, UNSUPPORTED, NOMEM; err says it in words. */
CL_MUST cl_result cl_csr_check(const struct cl_csr *csr, struct cleat_error *err);

/* cl_csr_build appends the request for a certificate like tpl to out: its names, and of its
 * extensions those that the subject decides (no key identifiers); spki, serial, validity and issuer
 * are not read. Failures as cl_cert_build. */
CL_MUST cl_result cl_csr_build(struct cl_buf *out, const struct cl_cert_template *tpl,
                               const struct cleat_key *key, struct cleat_error *err);

#endif
