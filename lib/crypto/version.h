/* crypto/version.h - which libcrypto is at work. */
#ifndef CL_CRYPTO_VERSION_H
#define CL_CRYPTO_VERSION_H

/* cl_crypto_version returns the text of the libcrypto that is loaded, "OpenSSL 3.0.17 1 Jul 2025".
 * Static storage. */
const char *cl_crypto_version(void);

#endif
