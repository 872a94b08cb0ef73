/* tls/suite.h - the cipher suites, and reading a user's list of names. */
#ifndef CL_TLS_SUITE_H
#define CL_TLS_SUITE_H

#include "base/result.h"
#include "cleat/tls.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/key.h"

/* Which kind of key the certificate of a suite of TLS 1.2 must have; TLS 1.3 leaves it open. */
enum cl_suite_auth {
    CL_AUTH_ANY = 0,
    CL_AUTH_ECDSA, /* and EdDSA (RFC 8422 5.10) */
    CL_AUTH_RSA,
    CL_AUTH_PSK, /* none: an external PSK takes its place */
};

/* How a suite of TLS 1.2 agrees on its premaster secret; in TLS 1.3 that is not the suite's. */
enum cl_suite_kx {
    CL_KX_ANY = 0,
    CL_KX_ECDHE,
    CL_KX_RSA,
    CL_KX_DHE,       /* in a finite field of RFC 7919 */
    CL_KX_ECDHE_PSK, /* an external PSK takes the certificate's place */
    CL_KX_DHE_PSK,
    CL_KX_PSK,
    CL_KX_NUM,
};

struct cl_suite {
    uint16_t id;
    uint16_t version; /* the one version that it belongs to */
    enum cl_suite_auth auth;
    const char *name;       /* IANA */
    const char *short_name; /* as people abbreviate it: "AES-128-GCM" */
    enum cl_aead_id aead;   /* unless mac says otherwise */
    enum cl_hash_id hash;   /* of the key schedule */
    bool by_default;
    const char *openssl_name; /* of TLS 1.2 suites: "ECDHE-RSA-AES128-GCM-SHA256" */
    enum cl_suite_kx kx;
    enum cl_hash_id mac; /* AES-CBC with HMAC by this hash; NONE: an AEAD */
    uint8_t cbc_key_len;
};

/* What is wrong with a suite that only the profile "legacy" may name. */
struct cl_weakness {
    const char *what;
    const char *text;
};

/* cl_suite_weakness returns the i-th weakness of a suite, then NULL; most have none. */
const struct cl_weakness *cl_suite_weakness(const struct cl_suite *suite, size_t i);

/* cl_suite_has_share says whether both ends send a share of a group (in TLS 1.2). */
static inline bool cl_suite_has_share(const struct cl_suite *suite)
{
    return suite->kx != CL_KX_ANY && suite->kx != CL_KX_RSA && suite->kx != CL_KX_PSK;
}

/* cl_suite_is_dhe says whether that group is a finite field. */
static inline bool cl_suite_is_dhe(const struct cl_suite *suite)
{
    return suite->kx == CL_KX_DHE || suite->kx == CL_KX_DHE_PSK;
}

/* cl_suite_fits_h2: RFC 9113 9.2.2 and appendix A: no suite of TLS 1.2 without an ephemeral key
 * exchange, or without an AEAD, is one for HTTP/2. */
static inline bool cl_suite_fits_h2(const struct cl_suite *suite)
{
    return suite->version != CLEAT_TLS_1_2 ||
           (cl_suite_has_share(suite) && suite->mac == CL_HASH_NONE);
}

/* cl_alpn_is_h2 says whether a protocol of ALPN is HTTP/2, which has rules for TLS (9.2). */
static inline bool cl_alpn_is_h2(struct cl_rd protocol)
{
    return cl_rd_equal(protocol, cl_rd_str("h2"));
}

/* cl_suite_max_records returns how many records may be sealed under one key. */
uint64_t cl_suite_max_records(const struct cl_suite *suite);

/* cl_auth_fits says whether a certificate with a key of this type goes with a suite. */
bool cl_auth_fits(enum cl_suite_auth auth, enum cl_key_type type);

/* cl_suite_is_chacha20 says whether a suite is ChaCha20-Poly1305's; NULL is none. */
bool cl_suite_is_chacha20(const struct cl_suite *suite);

/* cl_suite_by_id returns NULL for a suite that is not built; cl_suite_by_name accepts IANA names
 * and the short ones, ignoring ASCII case; cl_suite_at gives the table row by row, then NULL. */
const struct cl_suite *cl_suite_by_id(uint16_t id);
const struct cl_suite *cl_suite_by_name(const char *name, size_t len);
const struct cl_suite *cl_suite_at(size_t i);

#endif
