/* crypto/sealed.h - private keys encrypted with a passphrase: PKCS#8 (RFC 5958 3), and the old way
 * of PEM (RFC 1421) for reading.
 *
 * The cryptography is libcrypto's. What a file asks for is looked at before any of it is done: a
 * hostile file could ask for hours. Passphrases are UTF-8 without a NUL behind them, and the
 * caller's to wipe; what comes out is wiped by the buffer that holds it.
 */
#ifndef CL_CRYPTO_SEALED_H
#define CL_CRYPTO_SEALED_H

#include "base/buf.h"
#include "base/result.h"

/* 1,024 bytes: OpenSSL's prompt takes as many */
#define CL_PASSPHRASE_MAX        1024
/* 10 million: two seconds of one core. Real files have 1 to 1,000,000 */
#define CL_SEALED_MAX_ITERATIONS 10000000u
/* 600,000: what OWASP asks of PBKDF2 with HMAC-SHA-256; 0.13 s each time the key is read */
#define CL_SEALED_ITERATIONS     600000
/* 64 KiB: an RSA key of 16,384 bits has 10 KB */
#define CL_SEALED_MAX_LEN        65536
/* "PBES2: PBKDF2, hmacWithSHA256, 2048 iterations, AES-256-CBC" has 60 */
#define CL_SEALED_TEXT           160

/* cl_sealed_describe writes how an EncryptedPrivateKeyInfo was encrypted, for people. BAD_KEY. */
CL_MUST cl_result cl_sealed_describe(char out[CL_SEALED_TEXT], struct cl_rd der);

/* cl_sealed_open decrypts one, and appends PKCS#8. BAD_PASSPHRASE; BAD_KEY: it is none;
 * UNSUPPORTED: an algorithm that libcrypto has not, or not any more; LIMIT: too many iterations;
 * NOMEM. err says it in words. */
CL_MUST cl_result cl_sealed_open(struct cl_buf *out, struct cl_rd der, struct cl_rd passphrase,
                                 struct cleat_error *err);

/* cl_sealed_open_pem does so with the body of a PEM block that has headers (base/pem.h), decoded,
 * and appends what the block's label promises. Failures as above. */
CL_MUST cl_result cl_sealed_open_pem(struct cl_buf *out, struct cl_rd headers, struct cl_rd body,
                                     struct cl_rd passphrase, struct cleat_error *err);

/* cl_sealed_make appends an EncryptedPrivateKeyInfo of a PKCS#8 PrivateKeyInfo: PBES2 with PBKDF2,
 * HMAC-SHA-256, CL_SEALED_ITERATIONS, AES-256-CBC. BAD_PASSPHRASE (empty, too long), BAD_KEY,
 * NOMEM, CRYPTO. */
CL_MUST cl_result cl_sealed_make(struct cl_buf *out, struct cl_rd pkcs8, struct cl_rd passphrase,
                                 struct cleat_error *err);

#endif
