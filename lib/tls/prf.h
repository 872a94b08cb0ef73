/* tls/prf.h - the key derivation of TLS 1.2 (RFC 5246 5, 6.3, 8.1; RFC 7627 4). */
#ifndef CL_TLS_PRF_H
#define CL_TLS_PRF_H

#include "crypto/hash.h"

/* cl_prf: PRF(secret, label, seed) with the secret's hash; the seed is the concatenation of two
 * parts. cl_prf_once prepares a secret that is used only once. */
void cl_prf(const struct cl_hmac_key *secret, const char *label, struct cl_rd seed_a,
            struct cl_rd seed_b, uint8_t *out, size_t out_len);
void cl_prf_once(enum cl_hash_id hash, struct cl_rd secret, const char *label, struct cl_rd seed_a,
                 struct cl_rd seed_b, uint8_t *out, size_t out_len);

#endif
