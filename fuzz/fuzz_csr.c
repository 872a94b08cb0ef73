/* fuzz/fuzz_csr.c - one certificate request: told from other kinds, parsed, its signature checked.
 */
#include <stdlib.h>

#include "lint_count.h"
#include "x509/csr.h"
#include "x509/kind.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cl_csr *csr = NULL;
    const struct cl_rd der = cl_rd_of(data, size);
    const enum cl_kind kind = cl_kind_of(der);
    const cl_result r = cl_csr_parse(&csr, der, NULL);
    if ((r == CL_OK) != (csr != NULL) || (csr != NULL && kind != CL_KIND_CSR)) {
        abort();
    }
    if (csr != NULL) {
        char name[64];
        const bool good = cl_csr_check(csr, NULL) == CL_OK;
        if (good && csr->sig_alg == NULL) {
            abort();
        }
        for (size_t i = 0; i < cleat_cert_num_sans(&csr->wanted); i++) {
            enum cleat_san_kind san;
            (void)!cleat_cert_san(&csr->wanted, i, &san, name, sizeof(name));
        }
        (void)cl_cert_must_staple(&csr->wanted);
        size_t num_found = 0;
        const struct cl_linting ask = {
            .web = true, .now = 1780272000, .sink = lint_count, .ctx = &num_found};
        cl_lint_csr(&ask, csr);
    }
    cl_csr_free(csr);
    return 0;
}
