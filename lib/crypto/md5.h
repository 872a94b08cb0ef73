/* crypto/md5.h - MD5 (RFC 1321), for JA3 alone: it identifies, it protects nothing. */
#ifndef CL_CRYPTO_MD5_H
#define CL_CRYPTO_MD5_H

#include "base/bytes.h"
#include "base/result.h"

#define CL_MD5_LEN 16

/* cl_md5 hashes a view. UNSUPPORTED where libcrypto has no MD5, or is told to do without (FIPS). */
CL_MUST cl_result cl_md5(struct cl_rd view, uint8_t out[CL_MD5_LEN]);

#endif
