/* crypto/ossl.c - see ossl.h. Nothing of ours is ever left in libcrypto's error queue: an
 * application that uses libcrypto too would take it for its own. */
#include "crypto/ossl.h"

#include <openssl/err.h>

cl_result cl_ossl_failed(cl_result code)
{
    const unsigned long error = ERR_peek_error();
    ERR_clear_error();
    return ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE ? CLEAT_ERR_NOMEM : code;
}
