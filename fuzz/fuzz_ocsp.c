/* fuzz/fuzz_ocsp.c - one OCSP response: parsed, and every answer of it walked through. */
#include <stdlib.h>

#include "x509/ocsp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_ocsp *response = NULL;
    const cl_result r = cl_ocsp_parse(&response, cl_rd_of(data, size), NULL);
    if ((r == CL_OK) != (response != NULL)) {
        abort();
    }
    if (response != NULL && response->response_status == 0) {
        struct cl_rd rest = response->answers;
        struct cl_ocsp_answer answer;
        size_t num = 0;
        while (cl_ocsp_next(&rest, &answer)) {
            num++;
            for (size_t i = 0; i < response->num_certs; i++) {
                if (cl_ocsp_is_about(&answer, response->certs[i], response->certs[i]) &&
                    answer.hash == CL_HASH_NONE) {
                    abort();
                }
                (void)!cl_ocsp_named_by(response, response->certs[i]);
            }
        }
        if (num != response->num_answers || !cl_rd_done(&rest)) {
            abort();
        }
    }
    cl_ocsp_free(response);
    return 0;
}
