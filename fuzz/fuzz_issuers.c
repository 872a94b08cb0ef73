/* fuzz/fuzz_issuers.c - what a caIssuers URL gave: a certificate, a PKCS#7 file of them, or PEM. */
#include <stdlib.h>

#include "fetch/issuers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cleat_cert *certs[CL_FETCH_MAX_ISSUERS];
    size_t num = 0;
    const cl_result r = cl_fetch_issuers(cl_rd_of(data, size), certs, &num, NULL);
    if ((r == CL_OK) != (num != 0) || num > CL_FETCH_MAX_ISSUERS) {
        abort();
    }
    for (size_t i = 0; i < num; i++) {
        cleat_cert_free(certs[i]);
    }
    return 0;
}
