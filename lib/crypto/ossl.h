/* crypto/ossl.h - how lib/crypto reports what libcrypto did. */
#ifndef CL_CRYPTO_OSSL_H
#define CL_CRYPTO_OSSL_H

#include "base/result.h"

/* cl_ossl_failed empties libcrypto's error queue of this thread and returns NOMEM if the queue says
 * that memory was short, otherwise code. */
CL_MUST cl_result cl_ossl_failed(cl_result code);

#endif
