/* x509/fields.h - what is inside a parsed certificate; for lib/x509 alone. All readers are views
 * into the certificate's own DER. */
#ifndef CL_X509_FIELDS_H
#define CL_X509_FIELDS_H

#include <stdatomic.h>

#include "x509/build.h"
#include "x509/cert.h"
#include "x509/der.h"
#include "x509/oid.h"

/* 64: real certificates have about ten extensions; unknown ones are compared with each other */
#define CL_CERT_MAX_EXTS 64

/* Extended key usages as a mask. */
#define CL_EKU_BIT_ANY    0x01u
#define CL_EKU_BIT_SERVER 0x02u
#define CL_EKU_BIT_CLIENT 0x04u
#define CL_EKU_BIT_OCSP   0x08u
#define CL_EKU_BIT_OTHER  0x80u

/* Departures from the profile of RFC 5280 4 that parsing lets pass and lint.c reports. */
#define CL_ODD_TIME_CHOICE   0x01u /* GeneralizedTime for a year before 2050 */
#define CL_ODD_SERIAL_SIGN   0x02u /* negative or zero serial number */
#define CL_ODD_SERIAL_LENGTH 0x04u /* more than 20 bytes */
#define CL_ODD_UNIQUE_ID     0x08u /* issuerUniqueID or subjectUniqueID */

/* Skip counts of policy constraints that are absent. */
#define CL_NO_LIMIT UINT32_MAX

struct cl_name {
    struct cl_rd der;  /* the Name, header and all */
    struct cl_rd rdns; /* its contents */
    uint64_t hash;     /* the same for names that compare equal (dn.h) */
};

struct cleat_cert {
    _Atomic unsigned num_refs;
    uint8_t version; /* 1, 2, 3 */
    bool self_issued;
    uint8_t odd;
    struct cl_rd der;
    struct cl_rd tbs; /* what is signed, header and all */
    struct cl_rd serial;
    struct cl_name issuer;
    struct cl_name subject;
    int64_t not_before;
    int64_t not_after;
    struct cl_rd spki;
    struct cl_rd key_oid;
    struct cl_rd sig_oid;
    struct cl_rd signature;
    const struct cl_sig_alg *sig_alg; /* NULL: not accepted */
    enum cl_key_type key_type;
    _Atomic(struct cl_pubkey *) pubkey;

    struct cl_rd exts; /* contents of the SEQUENCE OF Extension */
    uint16_t num_exts;
    uint32_t present;              /* CL_EXT_BIT of known extensions */
    uint32_t critical;             /* likewise */
    struct cl_rd unknown_critical; /* OID of the first critical extension not processed, or empty */
    bool is_ca;
    int path_len;           /* -1: no limit */
    uint16_t key_usage;     /* CL_KU_*; meaningful when present */
    uint8_t ext_key_usages; /* CL_EKU_BIT_* */
    bool aki_full;          /* has authorityCertIssuer or authorityCertSerialNumber */
    bool has_aki_key_id;
    struct cl_rd aki_key_id;
    struct cl_rd ski;
    struct cl_rd san; /* contents of GeneralNames */
    uint32_t num_sans;
    struct cl_rd permitted; /* contents of GeneralSubtrees */
    struct cl_rd excluded;
    uint16_t permitted_kinds; /* 1 << CLEAT_SAN_*: which kinds of names they constrain */
    uint16_t excluded_kinds;
    uint16_t odd_kinds;    /* of which a base is malformed, or there are no rules for matching */
    struct cl_rd ekus;     /* contents: OIDs */
    struct cl_rd policies; /* contents: PolicyInformation */
    struct cl_rd mappings;
    uint32_t require_explicit; /* CL_NO_LIMIT when absent */
    uint32_t inhibit_mapping;
    uint32_t inhibit_any;
    struct cl_rd aia;        /* contents: AccessDescription */
    struct cl_rd crl_points; /* contents: DistributionPoint */
    struct cl_rd freshest;   /* likewise */
};

static inline bool cl_cert_has(const struct cleat_cert *cert, enum cl_oid ext)
{
    return (cert->present & CL_EXT_BIT(ext)) != 0;
}

static inline bool cl_cert_is_critical(const struct cleat_cert *cert, enum cl_oid ext)
{
    return (cert->critical & CL_EXT_BIT(ext)) != 0;
}

/* cl_cert_must_staple: TLS feature has status_request (RFC 7633 4.2.2). */
bool cl_cert_must_staple(const struct cleat_cert *cert);

/* One extension, as the walk over cert->exts gives it. */
struct cl_ext {
    enum cl_oid id;
    struct cl_rd oid;
    bool critical;
    struct cl_rd value; /* inside the OCTET STRING */
};

/* cl_ext_next takes the next Extension; false when it is malformed. */
CL_RD_MUST bool cl_ext_next(struct cl_rd *r, struct cl_ext *out);

/* cl_exts_parse fills in the fields from cert->exts. BAD_CERTIFICATE; err says which. */
CL_MUST cl_result cl_exts_parse(struct cleat_cert *cert, struct cleat_error *err);

/* cl_constraints_kinds adds the kinds of names that the subtrees constrain to two masks. */
void cl_constraints_kinds(struct cl_rd subtrees, uint16_t *kinds, uint16_t *odd);

/* cl_alg_signature reads an AlgorithmIdentifier of a signature: *alg NULL when it is not accepted;
 * false when it is malformed. cl_alg_key gives the kind of key of a SubjectPublicKeyInfo. */
CL_RD_MUST bool cl_alg_signature(struct cl_rd algorithm, struct cl_rd *oid,
                                 const struct cl_sig_alg **alg);
CL_RD_MUST bool cl_alg_key(struct cl_rd spki, struct cl_rd *oid, enum cl_key_type *type);

/* cl_alg_key_bytes gives what the BIT STRING of a SubjectPublicKeyInfo holds: what identifiers of
 * keys are hashes of. */
CL_RD_MUST bool cl_alg_key_bytes(struct cl_rd spki, struct cl_rd *out);

/* cl_alg_signature_name names an OID of a signature or key algorithm, known but refused ones
 * ("sha1WithRSAEncryption") included; NULL. */
const char *cl_alg_name(struct cl_rd oid);

/* cl_signed_by checks a signature with the key of a certificate, here and now: BAD_SIGNATURE,
 * UNSUPPORTED (alg NULL: it is not accepted), BAD_KEY, NOMEM. */
CL_MUST cl_result cl_signed_by(const struct cleat_cert *signer, const struct cl_sig_alg *alg,
                               struct cl_rd message, struct cl_rd signature);

/* cl_alg_put writes the AlgorithmIdentifier of a signature algorithm for X.509; false when there is
 * none. */
CL_RD_MUST bool cl_alg_put(struct cl_wr *w, const struct cl_sig_alg *alg);

#endif
