/* crypto/key.h - private and public keys of signatures, and the signature algorithms.
 *
 * struct cleat_key (public, cleat/key.h) is a private key: immutable, reference-counted, usable
 * from any thread. struct cl_pubkey is a public key taken from a SubjectPublicKeyInfo.
 */
#ifndef CL_CRYPTO_KEY_H
#define CL_CRYPTO_KEY_H

#include "base/buf.h"
#include "cleat/key.h"
#include "crypto/hash.h"
#include "crypto/rand.h"

enum cl_key_type {
    CL_KEY_NONE = 0,
    CL_KEY_RSA,     /* rsaEncryption */
    CL_KEY_RSA_PSS, /* id-RSASSA-PSS: may sign with PSS only */
    CL_KEY_EC_P256,
    CL_KEY_EC_P384,
    CL_KEY_EC_P521,
    CL_KEY_ED25519,
    CL_KEY_ED448,
    CL_KEY_ML_DSA_44, /* RFC 9881; where libcrypto has it (3.5) */
    CL_KEY_ML_DSA_65,
    CL_KEY_ML_DSA_87,
};

/* cl_key_type_name returns "RSA", "RSA-PSS", "ECDSA P-256", "Ed25519", … */
const char *cl_key_type_name(enum cl_key_type type);

static inline bool cl_key_is_rsa(enum cl_key_type type)
{
    return type == CL_KEY_RSA || type == CL_KEY_RSA_PSS;
}

static inline bool cl_key_is_ml_dsa(enum cl_key_type type)
{
    return type >= CL_KEY_ML_DSA_44 && type <= CL_KEY_ML_DSA_87;
}

enum cl_padding {
    CL_PAD_NONE = 0, /* ECDSA, EdDSA, ML-DSA */
    CL_PAD_PKCS1,
    CL_PAD_PSS, /* salt as long as the digest; MGF1 with the same hash */
};

/* How a signature is made and checked. Everything that a verifier must bind is here: the digest is
 * part of the algorithm, and so is the kind of key. */
struct cl_sig_alg {
    const char *name;          /* "ecdsa_secp256r1_sha256" or "sha256WithRSAEncryption" */
    uint16_t scheme;           /* IANA TLS SignatureScheme; 0 when TLS has none for it */
    enum cl_key_type key_type; /* CL_KEY_NONE: any ECDSA curve (X.509 and TLS 1.2) */
    enum cl_padding padding;
    enum cl_hash_id hash; /* CL_HASH_NONE: EdDSA and ML-DSA sign the message itself */
    bool tls13;           /* allowed in CertificateVerify of TLS 1.3 (RFC 9846 4.3.3) */
    bool tls12;
    bool by_name_only; /* not among the defaults */
};

/* The TLS signature schemes that this build can do, in order of preference, without PKCS#1 v1.5
 * ones for handshakes of TLS 1.3 (tls13 says so). cl_sig_scheme_at returns NULL past the end. */
const struct cl_sig_alg *cl_sig_scheme(uint16_t scheme);
const struct cl_sig_alg *cl_sig_scheme_at(size_t i);
const struct cl_sig_alg *cl_sig_scheme_by_name(const char *name, size_t len);

/* cl_ml_dsa_available says whether the libcrypto that is loaded has ML-DSA; without it the schemes
 * are unknown here, and so are keys. */
bool cl_ml_dsa_available(void);

/* cl_sig_alg_fits says whether a key of this type may be used with this algorithm. */
bool cl_sig_alg_fits(const struct cl_sig_alg *alg, enum cl_key_type type);

/* ---- private keys ---- */
enum cl_key_type cl_key_type(const struct cleat_key *key);
unsigned cl_key_bits(const struct cleat_key *key);

/* cl_key_spki returns the DER SubjectPublicKeyInfo; a view into the key. */
struct cl_rd cl_key_spki(const struct cleat_key *key);

/* cl_key_max_signature returns the longest signature in bytes that the key can make. */
size_t cl_key_max_signature(const struct cleat_key *key);

/* cl_key_generate makes a new private key of a type; bits matters for RSA alone. NOMEM, CRYPTO,
 * UNSUPPORTED. */
CL_MUST cl_result cl_key_generate(struct cleat_key **out, enum cl_key_type type, unsigned bits);

/* cl_key_to_pkcs8 appends a PrivateKeyInfo in DER; cl_key_to_pem appends it in PEM. The caller
 * wipes the buffer. UNSUPPORTED: the key is elsewhere. */
CL_MUST cl_result cl_key_to_pkcs8(const struct cleat_key *key, struct cl_buf *out);
CL_MUST cl_result cl_key_to_pem(const struct cleat_key *key, struct cl_buf *out);

/* ---- public keys ---- */
struct cl_pubkey;

/* cl_spki_type says of which kind a DER SubjectPublicKeyInfo is by its outside alone, without
 * making a key of it; CL_KEY_NONE when it is none, or of a kind not known. */
enum cl_key_type cl_spki_type(struct cl_rd der);

/* cl_pubkey_parse makes a public key from a DER SubjectPublicKeyInfo. BAD_KEY when it is malformed
 * or not a valid key (point not on the curve, even modulus …), UNSUPPORTED for an algorithm or
 * curve not known. Point compression is accepted in certificates of no policy: refused. RSA above
 * 16,384 bits is refused (work). */
CL_MUST cl_result cl_pubkey_parse(struct cl_pubkey **out, struct cl_rd spki);
void cl_pubkey_free(struct cl_pubkey *key);
enum cl_key_type cl_pubkey_type(const struct cl_pubkey *key);
unsigned cl_pubkey_bits(const struct cl_pubkey *key);

#endif
