/* fuzz/fuzz_pkcs12.c - PKCS#12 files and encrypted keys: looked at, opened with the passphrases "w"
 * and none, with and without a MAC. What the MAC has passed must come out the same way twice.
 * Inputs that ask for much work are left out here, as they would be slow and not wrong. */
#include <stdlib.h>

#include "crypto/pkcs12.h"

/* Bytes that stand for a number of iterations above 8,191: three bytes of contents, or a large two.
 */
static bool is_slow(const uint8_t *p, size_t size)
{
    for (size_t i = 0; i + 2 < size; i++) {
        if (p[i] == 0x02 && (p[i + 1] == 0x03 || p[i + 1] == 0x04 ||
                             (p[i + 1] == 0x02 && p[i + 2] >= 0x20 && p[i + 2] < 0x80))) {
            return true;
        }
    }
    return false;
}

static size_t open_file(struct cl_rd file, const char *word, bool without_mac)
{
    struct cl_pkcs12 p12;
    struct cleat_error err = {0};
    const cl_result r = cl_pkcs12_open(&p12, file, cl_rd_str(word), without_mac, &err);
    const size_t num = p12.num_bags;
    if (err.code != r || (r != CL_OK && num != 0) ||
        (r == CL_OK && p12.mac[0] == '\0' && !without_mac)) {
        abort();
    }
    for (size_t i = 0; i < num; i++) {
        const struct cl_pkcs12_bag *bag = &p12.bags[i];
        if (strlen(bag->name) > CL_PKCS12_NAME_MAX || bag->id_len > CL_PKCS12_ID_MAX ||
            (bag->what != CL_PKCS12_OTHER) != (bag->der.len != 0)) {
            abort();
        }
    }
    cl_pkcs12_deinit(&p12);
    return r == CL_OK ? num + 1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const words[] = {"w", ""};
    const struct cl_rd file = cl_rd_of(data, size);
    struct cl_pkcs12 seen;
    struct cl_buf plain = {0};
    char text[CL_SEALED_TEXT];
    if (is_slow(data, size)) {
        return 0;
    }
    const cl_result looked = cl_pkcs12_look(&seen, file, NULL);
    for (size_t i = 0; i < 2; i++) {
        const size_t strict = open_file(file, words[i], false);
        const size_t lax = open_file(file, words[i], true);
        if ((strict != 0 && strict != lax) || (lax != 0 && looked != CL_OK)) {
            abort();
        }
    }
    const bool described = cl_sealed_describe(text, file) == CL_OK;
    if (cl_sealed_open(&plain, file, cl_rd_str("w"), NULL) == CL_OK && !described) {
        abort();
    }
    cl_buf_deinit(&plain);
    return 0;
}
