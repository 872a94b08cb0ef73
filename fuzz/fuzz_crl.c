/* fuzz/fuzz_crl.c - one revocation list: parsed, and a serial number looked up in it. */
#include <stdlib.h>

#include "x509/crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_crl *crl = NULL;
    const uint8_t serial[] = {0x12, 0x34};
    uint32_t reason;
    int64_t when;
    const cl_result r = cl_crl_parse(&crl, cl_rd_of(data, size), NULL);
    if ((r == CL_OK) != (crl != NULL)) {
        abort();
    }
    if (crl != NULL) {
        if (cl_crl_find(crl, &crl->issuer, cl_rd_of(serial, sizeof(serial)), &reason, &when) &&
            reason > 255) {
            abort();
        }
    }
    cl_crl_free(crl);
    return 0;
}
