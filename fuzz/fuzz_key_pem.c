/* fuzz/fuzz_key_pem.c - private keys from PEM; what is read must survive being written. An input
 * that begins with a byte below 3 is DER, to be put into a block of that kind. */
#include <stdlib.h>

#include "base/pem.h"
#include "crypto/key.h"

static void read_text(const char *text, size_t size)
{
    struct cleat_key *key = NULL;
    struct cleat_key *again = NULL;
    struct cleat_error err = {0};
    struct cl_buf pem = {0};
    const int r = cleat_key_from_pem(text, size, &key, &err);
    if ((r == CLEAT_OK) != (key != NULL) || err.code != r) {
        abort();
    }
    if (key != NULL && cl_key_to_pem(key, &pem) == CL_OK) {
        if (cleat_key_from_pem((const char *)pem.p, pem.len, &again, NULL) != CLEAT_OK ||
            !cl_rd_equal(cl_key_spki(key), cl_key_spki(again))) {
            abort();
        }
    }
    cl_buf_deinit(&pem);
    cleat_key_free(again);
    cleat_key_free(key);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const labels[] = {"PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"};
    if (size == 0 || data[0] >= 3) {
        read_text((const char *)data, size);
        return 0;
    }
    struct cl_buf pem = {0};
    if (cl_pem_encode(labels[data[0]], cl_rd_of(data + 1, size - 1), &pem) == CL_OK) {
        read_text((const char *)pem.p, pem.len);
    }
    cl_buf_deinit(&pem);
    return 0;
}
