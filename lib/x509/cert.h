/* x509/cert.h - a parsed certificate: immutable, reference-counted, owner of its DER; every field
 * is a view into it. Parsing checks form only; what the fields mean together is verify.c's
 * business. The fields themselves are in fields.h, for this floor alone. */
#ifndef CL_X509_CERT_H
#define CL_X509_CERT_H

#include "base/bytes.h"
#include "base/result.h"
#include "cleat/x509.h"
#include "crypto/key.h"

/* 65,536: real certificates have 1 to 4 KB, with post-quantum keys and many names perhaps 40 */
#define CL_CERT_MAX_LEN (1u << 16)

/* cl_cert_parse copies der and parses it. BAD_CERTIFICATE (err says which field), LIMIT, NOMEM. A
 * key or signature algorithm that this build does not know is no parse error. */
CL_MUST cl_result cl_cert_parse(struct cleat_cert **out, struct cl_rd der, struct cleat_error *err);

struct cl_rd cl_cert_der(const struct cleat_cert *cert);
struct cl_rd cl_cert_spki(const struct cleat_cert *cert);
struct cl_rd cl_cert_subject_der(const struct cleat_cert *cert);
struct cl_rd cl_cert_issuer_der(const struct cleat_cert *cert);

/* cl_cert_pubkey gives the certificate's key, made at the first call, owned by the certificate. Any
 * thread. BAD_KEY, UNSUPPORTED, NOMEM. */
CL_MUST cl_result cl_cert_pubkey(const struct cleat_cert *cert, const struct cl_pubkey **out);

/* cl_cert_key_type tells the kind of key from its algorithm identifier alone; CL_KEY_NONE for one
 * not known. */
enum cl_key_type cl_cert_key_type(const struct cleat_cert *cert);

static inline int64_t cl_cert_not_before(const struct cleat_cert *cert)
{
    return cleat_cert_not_before(cert);
}

static inline int64_t cl_cert_not_after(const struct cleat_cert *cert)
{
    return cleat_cert_not_after(cert);
}

/* cl_cert_sig_alg tells how the certificate itself is signed; NULL for an algorithm that is not
 * known or not accepted (MD5, SHA-1, DSA, PSS with other parameters …). */
const struct cl_sig_alg *cl_cert_sig_alg(const struct cleat_cert *cert);

/* cl_cert_allows_digital_signature: Key Usage is absent or has digitalSignature (RFC 5280 4.2.1.3).
 */
bool cl_cert_allows_digital_signature(const struct cleat_cert *cert);
/* cl_cert_allows_key_encipherment: likewise, for RSA key exchange (RFC 5246 7.4.2). */
bool cl_cert_allows_key_encipherment(const struct cleat_cert *cert);

#endif
