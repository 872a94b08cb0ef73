/* crypto/hpke_impl.h - between hpke.c, hpke_kem.c and hpke_key.c: HPKE's labeled HKDF, and the KEM.
 */
#ifndef CL_CRYPTO_HPKE_IMPL_H
#define CL_CRYPTO_HPKE_IMPL_H

#include "crypto/hpke.h"

/* 10: "HPKE" and three ids, the longer of the two suite_ids (RFC 9180 4.1, 5.1) */
#define CL_HPKE_SUITE_ID_LEN 10

/* Who derives: the hash, and the suite_id that goes into each label. */
struct cl_hpke_kdf {
    enum cl_hash_id hash;
    uint8_t suite_id[CL_HPKE_SUITE_ID_LEN];
    uint8_t suite_id_len;
};

/* LabeledExtract and LabeledExpand (RFC 9180 4). info is at most CL_HPKE_MAX_INFO bytes: three
 * public keys of P-521, or an exporter's context; LIMIT otherwise. */
#define CL_HPKE_MAX_INFO (3 * CL_HPKE_MAX_PUBLIC)
void cl_hpke_extract(const struct cl_hpke_kdf *kdf, struct cl_rd salt, const char *label,
                     struct cl_rd ikm, struct cl_secret *out);
CL_MUST cl_result cl_hpke_expand(const struct cl_hpke_kdf *kdf, const struct cl_secret *prk,
                                 const char *label, struct cl_rd info, uint8_t *out,
                                 size_t out_len);

/* cl_hpke_kem_kdf is how a KEM derives: with its own hash and "KEM" and its id. */
void cl_hpke_kem_kdf(struct cl_hpke_kdf *out, const struct cl_hpke_kem *kem);

/* What a KEM's two ends agree on: AuthEncap and AuthDecap with sender, Encap and Decap without
 * (RFC 9180 4.1). Failures as the setups'. */
CL_MUST cl_result cl_hpke_encap(const struct cl_hpke_key *ephemeral,
                                const struct cl_hpke_key *sender, struct cl_rd public_key,
                                struct cl_secret *out);
CL_MUST cl_result cl_hpke_decap(const struct cl_hpke_key *key, const struct cl_hpke_key *sender,
                                struct cl_rd enc, struct cl_secret *out);

/* cl_hpke_kem_secret makes the shared secret of what was agreed (RFC 9180 4.1, ExtractAndExpand);
 * keys: enc, the receiver's public key and, in mode auth, the sender's. */
CL_MUST cl_result cl_hpke_kem_secret(const struct cl_hpke_kem *kem, struct cl_rd agreed,
                                     const struct cl_rd *keys, size_t num, struct cl_secret *out);

#endif
