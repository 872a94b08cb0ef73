/* x509/trust.h - a set of trust anchors: immutable, reference-counted, indexed by subject name. */
#ifndef CL_X509_TRUST_H
#define CL_X509_TRUST_H

#include "x509/cert.h"

/* 4,096: the system's bundle has 150, an enterprise's perhaps 500 */
#define CL_TRUST_MAX_ANCHORS 4096

/* cl_trust_digest gives SHA-256 over the SHA-256 digests of all anchors in ascending order: the
 * same for the same set, whatever its order. Made once, with the store. */
void cl_trust_digest(const struct cleat_trust_store *store, uint8_t out[32]);

/* cl_trust_find gives the anchors whose subject hashes as this name does: *num of them from the
 * index returned on (cl_trust_indexed). Equal hashes are not yet equal names. */
size_t cl_trust_find(const struct cleat_trust_store *store, uint64_t name_hash, size_t *num);
const struct cleat_cert *cl_trust_indexed(const struct cleat_trust_store *store, size_t i);

/* cl_trust_related returns the first anchor from *at on whose subject is, by its hash, the
 * certificate's issuer or its subject, and moves *at behind it; NULL when there is none. */
const struct cleat_cert *cl_trust_related(const struct cleat_trust_store *store,
                                          const struct cleat_cert *cert, size_t *at);

/* cl_trust_subjects: the anchors' subjects (DER Names), for certificate_authorities (RFC 9846). */
struct cl_rd cl_trust_subject_at(const struct cleat_trust_store *store, size_t i);

#endif
