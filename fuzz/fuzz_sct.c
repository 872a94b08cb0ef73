/* fuzz/fuzz_sct.c - certificate timestamps: a list, or a certificate with one inside, whose
 * precertificate is made anew. */
#include <stdlib.h>

#include "x509/ct.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A precertificate is never longer than its certificate. */
static void check_message(const struct cleat_cert *cert, const struct cl_sct *sct)
{
    struct cl_buf message = {0};
    const cl_result r = cl_sct_message(&message, sct, cert, cert);
    if (r == CL_OK && message.len > cert->der.len + sct->extensions.len + 64) {
        abort();
    }
    cl_buf_deinit(&message);
}

static size_t walk(struct cl_rd list, const struct cleat_cert *cert)
{
    struct cl_sct sct;
    bool ok;
    size_t num = 0;
    while (cl_sct_next(&list, &sct, &ok)) {
        if (ok && sct.log_id.len != CL_CT_ID_LEN) {
            abort();
        }
        if (ok && cert != NULL && num < CL_SCT_MAX) {
            check_message(cert, &sct);
        }
        num++;
    }
    return num;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_rd whole = cl_rd_of(data, size);
    struct cl_rd list;
    struct cleat_cert *cert = NULL;
    if (cl_rd_vec16(&whole, &list)) {
        (void)walk(list, NULL);
    }
    if (cl_cert_parse(&cert, cl_rd_of(data, size), NULL) == CL_OK) {
        if (cl_sct_embedded(cert, &list)) {
            (void)walk(list, cert);
        }
        check_message(cert, &(struct cl_sct){0});
    }
    cleat_cert_free(cert);
    return 0;
}
