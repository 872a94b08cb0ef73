/* crypto/pbe_impl.h - between sealed.c, pkcs12_read.c and pkcs12_write.c: encryption with a
 * passphrase (RFC 8018, and RFC 7292 appendix C) as the file says it was made: what it is called,
 * how much work it asks for, and whether this libcrypto has it. All of it is known before any work.
 */
#ifndef CL_CRYPTO_PBE_IMPL_H
#define CL_CRYPTO_PBE_IMPL_H

#include <openssl/x509.h>

#include "base/buf.h"
#include "crypto/sealed.h"

struct cl_pbe {
    char text[CL_SEALED_TEXT]; /* "PBES2: PBKDF2, hmacWithSHA256, 2048 iterations, AES-256-CBC" */
    uint64_t iterations;       /* UINT64_MAX: beyond every limit, or not told */
    bool known;
    bool outdated; /* libcrypto has it in its legacy provider, which is not loaded */
};

/* cl_pbe_describe never fails: what is malformed is not known. */
void cl_pbe_describe(struct cl_pbe *out, const X509_ALGOR *algorithm);

/* cl_pbe_accept takes the work from what is left; LIMIT or UNSUPPORTED when it must not be done.
 * what ("the private key") is what was encrypted. */
CL_MUST cl_result cl_pbe_accept(const X509_ALGOR *algorithm, uint64_t *work_left, const char *what,
                                struct cleat_error *err);

/* A passphrase as libcrypto wants it: with a NUL behind it. */
struct cl_pbe_word {
    char text[CL_PASSPHRASE_MAX + 1];
    int len;
};

/* cl_pbe_word_init copies; BAD_PASSPHRASE when it is too long or has a NUL inside. The caller wipes
 * it in any case. */
CL_MUST cl_result cl_pbe_word_init(struct cl_pbe_word *out, struct cl_rd passphrase,
                                   struct cleat_error *err);

#endif
