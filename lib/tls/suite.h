/* tls/suite.h - the cipher suites, and reading a user's list of names. */
#ifndef CL_TLS_SUITE_H
#define CL_TLS_SUITE_H

#include "base/result.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/key.h"

/* Which kind of key the certificate of a suite of TLS 1.2 must have; TLS 1.3 leaves it open. */
enum cl_suite_auth {
    CL_AUTH_ANY = 0,
    CL_AUTH_ECDSA, /* and EdDSA (RFC 8422 5.10) */
    CL_AUTH_RSA,
};

struct cl_suite {
    uint16_t id;
    uint16_t version; /* the one version that it belongs to */
    enum cl_suite_auth auth;
    const char *name;       /* IANA */
    const char *short_name; /* as people abbreviate it: "AES-128-GCM" */
    enum cl_aead_id aead;
    enum cl_hash_id hash;
    bool by_default;
    const char *openssl_name; /* of TLS 1.2 suites: "ECDHE-RSA-AES128-GCM-SHA256" */
};

/* cl_auth_fits says whether a certificate with a key of this type goes with a suite. */
bool cl_auth_fits(enum cl_suite_auth auth, enum cl_key_type type);

/* cl_suite_by_id returns NULL for a suite that is not built; cl_suite_by_name accepts IANA names
 * and the short ones, ignoring ASCII case; cl_suite_at gives the table row by row, then NULL. */
const struct cl_suite *cl_suite_by_id(uint16_t id);
const struct cl_suite *cl_suite_by_name(const char *name, size_t len);
const struct cl_suite *cl_suite_at(size_t i);

#endif
