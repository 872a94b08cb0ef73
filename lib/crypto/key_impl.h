/* crypto/key_impl.h - between spki.c, key.c, pubkey.c, sign.c and verify.c: what keys are made of.
 *
 * RSA and ECDSA run on libcrypto's RSA and EC_KEY: through EVP each operation pays for look-ups by
 * name. EdDSA and ML-DSA have no other door than EVP. An EC_KEY copies its curve, which costs more
 * than checking a certificate: public keys are kept as points, and borrow one (ec_key.c) for each
 * operation.
 */
#ifndef CL_CRYPTO_KEY_IMPL_H
#define CL_CRYPTO_KEY_IMPL_H

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/key.h"

/* 16,384: beyond it a single verification takes tens of milliseconds */
#define CL_RSA_MAX_BITS  16384
/* 4,627: ML-DSA-87 (FIPS 204, table 2); no other signature is longer */
#define CL_SIGNATURE_MAX 4627

/* What a key says about itself, from its AlgorithmIdentifier. */
struct cl_key_alg {
    enum cl_key_type type;
    enum cl_hash_id pss_hash; /* RSA-PSS: the only hash it may be used with; NONE: any */
};

/* 133: an uncompressed point of P-521 (RFC 5480 2.2) */
#define CL_EC_MAX_POINT 133

struct cl_pubkey {
    struct cl_key_alg alg;
    unsigned bits;
    RSA *rsa;
    EC_KEY *ec;        /* of private keys alone */
    EVP_PKEY *evp;     /* EdDSA and ML-DSA */
    uint8_t point_len; /* 0: no EC key */
    uint8_t point[CL_EC_MAX_POINT];
};

struct cleat_key {
    _Atomic unsigned num_refs;
    struct cl_pubkey pub; /* its rsa and ec hold the private part too */
    bool external;        /* the private part is elsewhere: there is the public one alone */
    EVP_PKEY *pkey;
    struct cl_lane_key *lane; /* the private numbers as kernels take them (lane_key.h), or NULL */
    uint8_t *spki;
    size_t spki_len;
};

/* The pieces of a SubjectPublicKeyInfo (RFC 5280 4.1.2.7); key is the BIT STRING's bytes. */
struct cl_spki {
    struct cl_key_alg alg;
    struct cl_rd key;
};

/* cl_spki_parse: BAD_KEY when malformed, UNSUPPORTED for another algorithm or curve. */
CL_MUST cl_result cl_spki_parse(struct cl_spki *out, struct cl_rd der);

/* cl_spki_rsa_key takes modulus and exponent from an RSAPublicKey (RFC 8017 A.1.1). BAD_KEY. */
CL_MUST cl_result cl_spki_rsa_key(struct cl_rd der, struct cl_rd *n, struct cl_rd *e);

/* cl_spki_ecdsa_numbers takes r and s from an Ecdsa-Sig-Value (RFC 3279 2.2.3), without leading
 * zeros. BAD_SIGNATURE for anything but DER of two numbers >= 0. */
CL_MUST cl_result cl_spki_ecdsa_numbers(struct cl_rd der, struct cl_rd *r, struct cl_rd *s);

/* cl_key_type_nid returns libcrypto's number of an EC key type's curve, 0 for other types;
 * cl_hash_nid and cl_hash_md the number and the fetched digest of a hash (NULL if not available).
 */
int cl_key_type_nid(enum cl_key_type type);
/* cl_key_type_evp_name: what libcrypto calls it, for keys that go through EVP; NULL for others. */
const char *cl_key_type_evp_name(enum cl_key_type type);
int cl_hash_nid(enum cl_hash_id id);
const EVP_MD *cl_hash_md(enum cl_hash_id id);

/* cl_ec_take lends an EC_KEY of a curve whose public half is this point, for the use of the caller
 * alone, until cl_ec_put. BAD_KEY when the point is not on the curve, NOMEM, CRYPTO. */
CL_MUST cl_result cl_ec_take(EC_KEY **out, enum cl_key_type curve, const uint8_t *point,
                             size_t len);
void cl_ec_put(enum cl_key_type curve, EC_KEY *ec);

/* cl_pkcs8_append appends a PrivateKeyInfo in DER, and takes it over; NULL is one that libcrypto
 * could not make. NOMEM, CRYPTO. */
CL_MUST cl_result cl_pkcs8_append(struct cl_buf *out, PKCS8_PRIV_KEY_INFO *info);

/* cl_pubkey_deinit frees what a public key holds. */
void cl_pubkey_deinit(struct cl_pubkey *key);

/* cl_pubkey_may_use says whether key and algorithm go together, the key's own restriction (RSA-PSS)
 * included. */
bool cl_pubkey_may_use(const struct cl_pubkey *key, const struct cl_sig_alg *alg);

/* cl_sign and cl_verify are the jobs (crypto/job.h). */
CL_MUST cl_result cl_sign(const struct cleat_key *key, const struct cl_sig_alg *alg,
                          struct cl_rd message, struct cl_wr *out);
CL_MUST cl_result cl_verify(const struct cl_pubkey *key, const struct cl_sig_alg *alg,
                            struct cl_rd message, struct cl_rd signature);

/* cl_premaster_encrypt and cl_premaster_decrypt likewise (premaster.c). BAD_KEY: the peer's key is
 * not for encryption. */
struct cl_job_premaster;
CL_MUST cl_result cl_premaster_encrypt(struct cl_job_premaster *job);
CL_MUST cl_result cl_premaster_decrypt(struct cl_job_premaster *job);

#endif
