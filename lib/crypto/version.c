/* crypto/version.c - see version.h. */
#include "crypto/version.h"

#include <openssl/crypto.h>

const char *cl_crypto_version(void)
{
    return OpenSSL_version(OPENSSL_VERSION);
}
