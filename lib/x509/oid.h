/* x509/oid.h - the object identifiers that this floor knows, in one table. */
#ifndef CL_X509_OID_H
#define CL_X509_OID_H

#include "base/bytes.h"

/* X(id, name for people, contents of the OID). Extensions first: their ids are bit numbers. */
#define CL_OID_LIST(X)                                                                            \
    X(EXT_SKI, "subjectKeyIdentifier", "\x55\x1d\x0e")                                            \
    X(EXT_KEY_USAGE, "keyUsage", "\x55\x1d\x0f")                                                  \
    X(EXT_SAN, "subjectAltName", "\x55\x1d\x11")                                                  \
    X(EXT_ISSUER_ALT, "issuerAltName", "\x55\x1d\x12")                                            \
    X(EXT_BASIC, "basicConstraints", "\x55\x1d\x13")                                              \
    X(EXT_NAME_CONSTRAINTS, "nameConstraints", "\x55\x1d\x1e")                                    \
    X(EXT_CRL_POINTS, "cRLDistributionPoints", "\x55\x1d\x1f")                                    \
    X(EXT_POLICIES, "certificatePolicies", "\x55\x1d\x20")                                        \
    X(EXT_MAPPINGS, "policyMappings", "\x55\x1d\x21")                                             \
    X(EXT_AKI, "authorityKeyIdentifier", "\x55\x1d\x23")                                          \
    X(EXT_POLICY_CONSTRAINTS, "policyConstraints", "\x55\x1d\x24")                                \
    X(EXT_EKU, "extKeyUsage", "\x55\x1d\x25")                                                     \
    X(EXT_FRESHEST_CRL, "freshestCRL", "\x55\x1d\x2e")                                            \
    X(EXT_INHIBIT_ANY, "inhibitAnyPolicy", "\x55\x1d\x36")                                        \
    X(EXT_AIA, "authorityInfoAccess", "\x2b\x06\x01\x05\x05\x07\x01\x01")                         \
    X(EXT_SIA, "subjectInfoAccess", "\x2b\x06\x01\x05\x05\x07\x01\x0b")                           \
    X(EXT_TLS_FEATURE, "tlsFeature", "\x2b\x06\x01\x05\x05\x07\x01\x18")                          \
    X(EXT_SCT_LIST, "signedCertificateTimestampList", "\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02") \
    X(EXT_CT_POISON, "ctPoison", "\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x03")                      \
    X(EXT_NS_CERT_TYPE, "nsCertType", "\x60\x86\x48\x01\x86\xf8\x42\x01\x01")                     \
    X(EXT_NS_COMMENT, "nsComment", "\x60\x86\x48\x01\x86\xf8\x42\x01\x0d")                        \
    X(EXT_SUBJECT_DIRECTORY, "subjectDirectoryAttributes", "\x55\x1d\x09")                        \
    X(EXT_QC_STATEMENTS, "qcStatements", "\x2b\x06\x01\x05\x05\x07\x01\x03")                      \
    X(CRL_NUMBER, "cRLNumber", "\x55\x1d\x14")                                                    \
    X(CRL_REASON, "reasonCode", "\x55\x1d\x15")                                                   \
    X(CRL_INVALIDITY, "invalidityDate", "\x55\x1d\x18")                                           \
    X(CRL_DELTA, "deltaCRLIndicator", "\x55\x1d\x1b")                                             \
    X(CRL_IDP, "issuingDistributionPoint", "\x55\x1d\x1c")                                        \
    X(CRL_CERT_ISSUER, "certificateIssuer", "\x55\x1d\x1d")                                       \
    X(OCSP_BASIC, "id-pkix-ocsp-basic", "\x2b\x06\x01\x05\x05\x07\x30\x01\x01")                   \
    X(OCSP_NONCE, "id-pkix-ocsp-nonce", "\x2b\x06\x01\x05\x05\x07\x30\x01\x02")                   \
    X(OCSP_NOCHECK, "id-pkix-ocsp-nocheck", "\x2b\x06\x01\x05\x05\x07\x30\x01\x05")               \
    X(OCSP_SCT_LIST, "ocspSCTs", "\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x05")                      \
    X(ANY_POLICY, "anyPolicy", "\x55\x1d\x20\x00")                                                \
    X(EKU_ANY, "anyExtendedKeyUsage", "\x55\x1d\x25\x00")                                         \
    X(EKU_SERVER, "serverAuth", "\x2b\x06\x01\x05\x05\x07\x03\x01")                               \
    X(EKU_CLIENT, "clientAuth", "\x2b\x06\x01\x05\x05\x07\x03\x02")                               \
    X(EKU_CODE, "codeSigning", "\x2b\x06\x01\x05\x05\x07\x03\x03")                                \
    X(EKU_EMAIL, "emailProtection", "\x2b\x06\x01\x05\x05\x07\x03\x04")                           \
    X(EKU_TIME, "timeStamping", "\x2b\x06\x01\x05\x05\x07\x03\x08")                               \
    X(EKU_OCSP, "OCSPSigning", "\x2b\x06\x01\x05\x05\x07\x03\x09")                                \
    X(AIA_OCSP, "OCSP", "\x2b\x06\x01\x05\x05\x07\x30\x01")                                       \
    X(AIA_CA_ISSUERS, "caIssuers", "\x2b\x06\x01\x05\x05\x07\x30\x02")                            \
    X(QUALIFIER_CPS, "cps", "\x2b\x06\x01\x05\x05\x07\x02\x01")                                   \
    X(QUALIFIER_NOTICE, "unotice", "\x2b\x06\x01\x05\x05\x07\x02\x02")                            \
    X(POLICY_DV, "domain-validated", "\x67\x81\x0c\x01\x02\x01")                                  \
    X(POLICY_OV, "organization-validated", "\x67\x81\x0c\x01\x02\x02")                            \
    X(POLICY_IV, "individual-validated", "\x67\x81\x0c\x01\x02\x03")                              \
    X(POLICY_EV, "extended-validation", "\x67\x81\x0c\x01\x01")                                   \
    X(AT_CN, "CN", "\x55\x04\x03")                                                                \
    X(AT_SURNAME, "SN", "\x55\x04\x04")                                                           \
    X(AT_SERIAL, "serialNumber", "\x55\x04\x05")                                                  \
    X(AT_C, "C", "\x55\x04\x06")                                                                  \
    X(AT_L, "L", "\x55\x04\x07")                                                                  \
    X(AT_ST, "ST", "\x55\x04\x08")                                                                \
    X(AT_STREET, "STREET", "\x55\x04\x09")                                                        \
    X(AT_O, "O", "\x55\x04\x0a")                                                                  \
    X(AT_OU, "OU", "\x55\x04\x0b")                                                                \
    X(AT_TITLE, "title", "\x55\x04\x0c")                                                          \
    X(AT_POSTAL, "postalCode", "\x55\x04\x11")                                                    \
    X(AT_NAME, "name", "\x55\x04\x29")                                                            \
    X(AT_GIVEN, "GN", "\x55\x04\x2a")                                                             \
    X(AT_BUSINESS, "businessCategory", "\x55\x04\x0f")                                            \
    X(AT_ORG_ID, "organizationIdentifier", "\x55\x04\x61")                                        \
    X(AT_DC, "DC", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19")                                    \
    X(AT_UID, "UID", "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01")                                  \
    X(AT_EMAIL, "emailAddress", "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01")                           \
    X(AT_JURISDICTION_C, "jurisdictionC", "\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03")         \
    X(AT_JURISDICTION_ST, "jurisdictionST", "\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02")       \
    X(AT_JURISDICTION_L, "jurisdictionL", "\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01")         \
    X(CSR_EXTENSIONS, "extensionRequest", "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e")                 \
    X(CSR_CHALLENGE, "challengePassword", "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07")

enum cl_oid {
    CL_OID_UNKNOWN = 0,
#define CL_X(id, name, bytes) CL_OID_##id,
    CL_OID_LIST(CL_X)
#undef CL_X
        CL_OID_COUNT,
};

/* The extensions of certificates have ids up to here, so that a 32-bit mask holds them. */
#define CL_OID_LAST_EXT CL_OID_EXT_QC_STATEMENTS
#define CL_EXT_BIT(id)  (1u << (id))

/* cl_oid_find returns the id of an OID's contents; CL_OID_UNKNOWN. cl_oid_name its name for people;
 * NULL for UNKNOWN. cl_oid_bytes its contents. */
enum cl_oid cl_oid_find(struct cl_rd oid);
const char *cl_oid_name(enum cl_oid id);
struct cl_rd cl_oid_bytes(enum cl_oid id);

/* cl_oid_describe writes the name, or the OID dotted when it is not known, as snprintf does. */
size_t cl_oid_describe(struct cl_rd oid, char *out, size_t cap);

#endif
