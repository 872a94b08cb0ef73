/* crypto/rsa_encode.h - the paddings of RSA signatures that are made or checked in lanes. */
#ifndef CL_CRYPTO_RSA_ENCODE_H
#define CL_CRYPTO_RSA_ENCODE_H

#include "crypto/key_impl.h"

/* cl_rsa_encode writes the encoded message of a digest, len bytes (a modulus of 8 * len bits):
 * EMSA-PSS (RFC 8017 9.1.1) with a fresh salt as long as the digest, or EMSA-PKCS1-v1_5 (9.2).
 * RANDOM; USAGE when the algorithm has another padding or the digest does not fit. */
CL_MUST cl_result cl_rsa_encode(const struct cl_sig_alg *alg, const uint8_t *digest, uint8_t *em,
                                size_t len);

/* cl_rsa_is_encoding says whether em, what a signature turned into, encodes the digest. */
bool cl_rsa_is_encoding(const struct cl_pubkey *key, const struct cl_sig_alg *alg,
                        const uint8_t *digest, const uint8_t *em, size_t len);

#endif
