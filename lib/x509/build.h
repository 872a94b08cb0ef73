/* x509/build.h - makes certificates: a template becomes a TBSCertificate, a SIGN job its signature.
 *
 * For local CAs and tests; whatever verify.c's RFC 5280 policy demands of a certificate is put in.
 */
#ifndef CL_X509_BUILD_H
#define CL_X509_BUILD_H

#include "base/buf.h"
#include "crypto/job.h"
#include "x509/cert.h"

/* Bits of key usage, in the order of RFC 5280 4.2.1.3. */
#define CL_KU_DIGITAL_SIGNATURE 0x0001
#define CL_KU_NON_REPUDIATION   0x0002
#define CL_KU_KEY_ENCIPHERMENT  0x0004
#define CL_KU_DATA_ENCIPHERMENT 0x0008
#define CL_KU_KEY_AGREEMENT     0x0010
#define CL_KU_KEY_CERT_SIGN     0x0020
#define CL_KU_CRL_SIGN          0x0040
#define CL_KU_ENCIPHER_ONLY     0x0080
#define CL_KU_DECIPHER_ONLY     0x0100

/* Extended key usages of the template. */
#define CL_EKU_SERVER_AUTH 0x01
#define CL_EKU_CLIENT_AUTH 0x02

/* An extension that the template does not know; value is the DER inside the OCTET STRING. */
struct cl_cert_raw_ext {
    const char *oid; /* dotted */
    bool critical;
    struct cl_rd value;
};

/* What to make. Everything is borrowed for the call. Serial: 1 to 20 bytes, big-endian, made
 * positive and minimal by the builder (give 16 random ones). */
struct cl_cert_template {
    const char *common_name;         /* UTF-8, at most 64 bytes; NULL: none */
    const char *organization;        /* likewise */
    struct cl_rd subject_der;        /* a whole Name instead of these two; empty: none */
    const struct cleat_cert *issuer; /* NULL: self-signed */
    struct cl_rd spki;               /* DER SubjectPublicKeyInfo of the subject's key */
    const uint8_t *serial;
    size_t serial_len;
    int64_t not_before; /* Unix seconds */
    int64_t not_after;
    bool is_ca;
    int path_len; /* -1: no limit */
    const char *const *dns_names;
    size_t num_dns_names;
    const char *const *ip_addresses; /* literals */
    size_t num_ip_addresses;
    const char *const *emails;
    size_t num_emails;
    unsigned key_usage;     /* CL_KU_*; 0: no extension */
    unsigned ext_key_usage; /* CL_EKU_*; 0: no extension */
    const char *crl_url;    /* of cRLDistributionPoints; NULL: none */
    const char *ocsp_url;   /* of authorityInfoAccess: the responder, */
    const char *issuer_url; /* and the issuer's certificate */
    const struct cl_cert_raw_ext *raw_exts;
    size_t num_raw_exts;
    bool no_key_ids; /* leave out subject and authority key identifiers */
};

/* A certificate being made. {0} is safe to deinit. */
struct cl_cert_build {
    struct cl_buf tbs;
    struct cl_job job;
    const struct cl_sig_alg *alg;
    uint8_t *signature;
    size_t signature_cap;
};

/* cl_cert_build_start writes the TBSCertificate and fills in build->job, a SIGN job with the
 * issuer's key (the subject's own when self-signed). alg NULL: the natural one of the key.
 * BAD_CONFIG (a name that is not valid, times out of range …; err says), UNSUPPORTED, LIMIT, NOMEM.
 */
CL_MUST cl_result cl_cert_build_start(struct cl_cert_build *build,
                                      const struct cl_cert_template *tpl,
                                      const struct cleat_key *key, const struct cl_sig_alg *alg,
                                      struct cleat_error *err);

/* cl_cert_build_finish appends the certificate's DER to out, once the job is DONE. The job's result
 * if it failed; NOMEM, LIMIT. */
CL_MUST cl_result cl_cert_build_finish(struct cl_cert_build *build, struct cl_buf *out);

void cl_cert_build_deinit(struct cl_cert_build *build);

/* cl_cert_build does all of it here and now: start, cl_job_run, finish. */
CL_MUST cl_result cl_cert_build(struct cl_buf *out, const struct cl_cert_template *tpl,
                                const struct cleat_key *key, struct cleat_error *err);

#endif
