/* fuzz/fuzz_pubkey.c - a SubjectPublicKeyInfo, and a signature checked with the key in it. */
#include <stdlib.h>

#include "crypto/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_pubkey *key = NULL;
    const cl_result r = cl_pubkey_parse(&key, cl_rd_of(data, size));
    if ((r == CL_OK) != (key != NULL)) {
        abort();
    }
    const struct cl_sig_alg *alg;
    /* one byte of the input is the length of a signature, taken from the input's end */
    const size_t len = size != 0 && data[size - 1] < size ? data[size - 1] : size;
    for (size_t i = 0; key != NULL && (alg = cl_sig_scheme_at(i)) != NULL; i++) {
        struct cl_job job = {.kind = CL_JOB_VERIFY, .status = CL_JOB_PENDING};
        job.verify = (struct cl_job_verify){.key = key,
                                            .alg = alg,
                                            .message = cl_rd_of("message", 7),
                                            .signature = cl_rd_of(data + size - len, len)};
        cl_job_run(&job);
        if (job.status != CL_JOB_DONE) {
            abort();
        }
    }
    cl_pubkey_free(key);
    return 0;
}
