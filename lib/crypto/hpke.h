/* crypto/hpke.h - Hybrid Public Key Encryption (RFC 9180): modes base and auth.
 *
 * The KEMs are DHKEM over the groups of kex.h, whose operations are jobs (crypto/job.h): who must
 * not compute one himself lets a job agree and goes on with cl_hpke_setup_agreed. A context seals
 * or opens messages in order, each under its own nonce; a message that does not open does not move
 * the sequence on.
 */
#ifndef CL_CRYPTO_HPKE_H
#define CL_CRYPTO_HPKE_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/mem.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/kex.h"
#include "crypto/rand.h"

/* RFC 9180 7.1 */
#define CL_HPKE_P256              0x0010
#define CL_HPKE_P384              0x0011
#define CL_HPKE_P521              0x0012
#define CL_HPKE_X25519            0x0020
/* RFC 9180 7.2 */
#define CL_HPKE_HKDF_SHA256       0x0001
#define CL_HPKE_HKDF_SHA384       0x0002
#define CL_HPKE_HKDF_SHA512       0x0003
/* RFC 9180 7.3 */
#define CL_HPKE_AES_128_GCM       0x0001
#define CL_HPKE_AES_256_GCM       0x0002
#define CL_HPKE_CHACHA20_POLY1305 0x0003
#define CL_HPKE_EXPORT_ONLY       0xffff

/* 133: an uncompressed point of P-521; 66: its scalar */
#define CL_HPKE_MAX_PUBLIC  133
#define CL_HPKE_MAX_PRIVATE 66
#define CL_HPKE_TAG_LEN     16

struct cl_hpke_kem {
    uint16_t id;
    const char *name; /* "X25519", as the group's */
    uint16_t group;
    enum cl_hash_id hash;
    uint8_t public_len; /* Npk, and Nenc */
    uint8_t private_len;
};

/* cl_hpke_kem_by_id and cl_hpke_kem_by_name (the group's names) return NULL for one that is not
 * built. cl_hpke_kdf_name and cl_hpke_aead_name likewise: "HKDF-SHA256", "AES-128-GCM". */
const struct cl_hpke_kem *cl_hpke_kem_by_id(uint16_t id);
const struct cl_hpke_kem *cl_hpke_kem_by_name(const char *name, size_t len);
const char *cl_hpke_kdf_name(uint16_t id);
const char *cl_hpke_aead_name(uint16_t id);

/* What goes with a KEM: ids of a key derivation function and of an AEAD. */
struct cl_hpke_suite {
    uint16_t kdf;
    uint16_t aead;
};

/* A key pair: plain data, secret; wipe it. The private key as RFC 9180 7.1.2 serializes it. */
struct cl_hpke_key {
    const struct cl_hpke_kem *kem;
    uint8_t private_key[CL_HPKE_MAX_PRIVATE];
    uint8_t public_key[CL_HPKE_MAX_PUBLIC];
};

/* cl_hpke_key_generate makes a pair; cl_hpke_key_of computes the public key to a private one, which
 * BAD_KEY says is none. cl_hpke_key_derive: DeriveKeyPair (RFC 9180 7.1.3). */
CL_MUST cl_result cl_hpke_key_generate(struct cl_hpke_key *out, const struct cl_hpke_kem *kem,
                                       const struct cl_rng *rng);
CL_MUST cl_result cl_hpke_key_of(struct cl_hpke_key *out, const struct cl_hpke_kem *kem,
                                 struct cl_rd private_key);
CL_MUST cl_result cl_hpke_key_derive(struct cl_hpke_key *out, const struct cl_hpke_kem *kem,
                                     struct cl_rd ikm);

/* cl_hpke_key_parse reads a PrivateKeyInfo (RFC 5958), cl_hpke_key_build appends one. BAD_KEY,
 * UNSUPPORTED for a key of another kind, NOMEM, CRYPTO. */
CL_MUST cl_result cl_hpke_key_parse(struct cl_hpke_key *out, struct cl_rd der);
CL_MUST cl_result cl_hpke_key_build(const struct cl_hpke_key *key, struct cl_buf *out);

struct cl_hpke; /* a context of one direction; one thread at a time */

/* What both setups begin with. sender: in mode auth, the sender's key (of a receiver, its public
 * half counts); NULL in mode base. */
struct cl_hpke_setup {
    struct cl_hpke_suite suite;
    struct cl_rd info;
    const struct cl_hpke_key *sender;
};

/* cl_hpke_setup_s encapsulates to public_key: SetupBaseS or SetupAuthS (RFC 9180 5.1). enc has room
 * for CL_HPKE_MAX_PUBLIC bytes, of which public_len are written. ephemeral, if not NULL, is used
 * instead of a new pair: for published vectors. BAD_KEY_SHARE: not a public key of this KEM;
 * UNSUPPORTED, NOMEM, RANDOM, CRYPTO. The caller frees *out.
 * cl_hpke_setup_r: SetupBaseR or SetupAuthR; failures likewise. */
CL_MUST cl_result cl_hpke_setup_s(struct cl_hpke **out, const struct cl_hpke_setup *setup,
                                  const struct cl_hpke_kem *kem, struct cl_rd public_key,
                                  const struct cl_rng *rng, const struct cl_hpke_key *ephemeral,
                                  uint8_t *enc);
CL_MUST cl_result cl_hpke_setup_r(struct cl_hpke **out, const struct cl_hpke_setup *setup,
                                  const struct cl_hpke_key *key, struct cl_rd enc);

/* cl_hpke_job_key makes of a receiver's key what a job takes (DECAP); NULL: memory is short. The
 * caller frees it: cl_kex_key_free, which wipes. */
struct cl_kex_key *cl_hpke_job_key(const struct cl_hpke_key *key);

/* What a job (crypto/job.h) agreed on over the KEM's group: ENCAP with the receiver's public key as
 * the peer's share, and enc as ours; or DECAP with the receiver's key, and enc as the peer's. */
struct cl_hpke_agreement {
    const struct cl_hpke_kem *kem;
    struct cl_rd public_key; /* the receiver's */
    struct cl_rd enc;
    struct cl_rd secret; /* the job's */
    bool seal;           /* the context is the sender's */
};

/* cl_hpke_setup_agreed is the rest of SetupBaseS or SetupBaseR. UNSUPPORTED, NOMEM, CRYPTO; USAGE
 * in mode auth, which agrees twice. The caller frees *out. */
CL_MUST cl_result cl_hpke_setup_agreed(struct cl_hpke **out, const struct cl_hpke_setup *setup,
                                       const struct cl_hpke_agreement *agreement);
void cl_hpke_free(struct cl_hpke *h); /* wipes; NULL is fine */

/* cl_hpke_shared_secret is what the KEM agreed on: for key logs (RFC 9850 2). */
struct cl_rd cl_hpke_shared_secret(const struct cl_hpke *h);

/* cl_hpke_seal writes in.len + CL_HPKE_TAG_LEN bytes to out, which may be where in lies.
 * cl_hpke_open decrypts len bytes in place; *out_len is what is left. LIMIT when the context has no
 * nonces left, UNSUPPORTED when it only exports, BAD_RECORD_MAC when authentication fails (the
 * bytes are then lost), CRYPTO. */
CL_MUST cl_result cl_hpke_seal(struct cl_hpke *h, struct cl_rd aad, struct cl_rd in, uint8_t *out);
CL_MUST cl_result cl_hpke_open(struct cl_hpke *h, struct cl_rd aad, uint8_t *inout, size_t len,
                               size_t *out_len);

/* cl_hpke_export: Context.Export (RFC 9180 5.3). USAGE when out_len is more than 255 digests, LIMIT
 * for a context of more than CL_HPKE_MAX_EXPORT_CONTEXT bytes. */
#define CL_HPKE_MAX_EXPORT_CONTEXT 256
CL_MUST cl_result cl_hpke_export(const struct cl_hpke *h, struct cl_rd context, uint8_t *out,
                                 size_t out_len);

#endif
