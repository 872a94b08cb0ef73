/* crypto/md5.c - see md5.h. Fetched, so that a libcrypto that is to use approved algorithms only
 * has its way. */
#include "crypto/md5.h"

#include <pthread.h>

#include <openssl/evp.h>

#include "crypto/ossl.h"

static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static EVP_MD *md5;

static void fetch(void)
{
    md5 = EVP_MD_fetch(NULL, "MD5", NULL);
}

cl_result cl_md5(struct cl_rd view, uint8_t out[CL_MD5_LEN])
{
    if (pthread_once(&fetch_once, fetch) != 0 || md5 == NULL ||
        EVP_Digest(view.p, view.len, out, NULL, md5, NULL) != 1) {
        return cl_ossl_failed(CLEAT_ERR_UNSUPPORTED);
    }
    return CL_OK;
}
