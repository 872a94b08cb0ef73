/* x509/kind.h - what a DER value is, by its shape alone: certificate, request, list or key; and
 * lists of timestamps, which are not DER. Whether it is a good one is its parser's business. */
#ifndef CL_X509_KIND_H
#define CL_X509_KIND_H

#include "base/bytes.h"

enum cl_kind {
    CL_KIND_NONE = 0,
    CL_KIND_CERT,
    CL_KIND_CSR,          /* PKCS#10 */
    CL_KIND_CRL,          /* RFC 5280 5 */
    CL_KIND_PKCS8,        /* private key */
    CL_KIND_PKCS8_SEALED, /* private key, encrypted */
    CL_KIND_SEC1,         /* private key of an elliptic curve, RFC 5915 */
    CL_KIND_PKCS1,        /* private key of RSA, RFC 8017 A.1.2 */
    CL_KIND_PUBLIC,       /* SubjectPublicKeyInfo */
    CL_KIND_OCSP,         /* OCSPResponse, RFC 6960 4.2.1 */
    CL_KIND_SCTS,         /* SignedCertificateTimestampList, RFC 6962 3.3; or one timestamp */
    CL_KIND_PKCS12,       /* RFC 7292, which is BER: told by its beginning */
    CL_KIND_COUNT,
};

/* cl_kind_of looks at one whole value; NONE for what it does not know, and when anything is
 * left behind it. */
enum cl_kind cl_kind_of(struct cl_rd der);

/* cl_kind_of_label gives the kind that a PEM label promises, old spellings included (RFC 7468);
 * NONE for others. cl_kind_label is the label to write, cl_kind_name a name for people:
 * "certificate request". NULL for NONE. */
enum cl_kind cl_kind_of_label(struct cl_rd label);
const char *cl_kind_label(enum cl_kind kind);
const char *cl_kind_name(enum cl_kind kind);

/* cl_kind_sct_list gives the contents of a list of timestamps, with its length in front, whole or
 * in an OCTET STRING; empty (p NULL) when the bytes are no list: one timestamp, or something else.
 */
struct cl_rd cl_kind_sct_list(struct cl_rd bytes);

static inline bool cl_kind_is_private(enum cl_kind kind)
{
    return kind >= CL_KIND_PKCS8 && kind <= CL_KIND_PKCS1;
}

#endif
