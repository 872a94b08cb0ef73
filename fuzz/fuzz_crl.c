/* fuzz/fuzz_crl.c - one revocation list: parsed, serial numbers looked up in it, each that it has
 * among them, and its entries carried over into the next one. */
#include <stdlib.h>

#include "lint_count.h"
#include "x509/crl_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every entry that a list was parsed with is given once, and is the same when it is written anew.
 */
static void walk(const struct cl_crl *crl)
{
    struct cl_rd rest = crl->entries;
    struct cl_rd whole;
    struct cl_crl_entry entry;
    size_t num = 0;
    while (cl_crl_entry_next(&rest, &entry, &whole)) {
        struct cl_buf again = {0};
        struct cl_crl_entry back;
        if (cl_crl_entry_put(&again, &entry) == CL_OK) {
            struct cl_rd r = cl_buf_view(&again);
            if (!cl_crl_entry_next(&r, &back, &whole) || !cl_rd_equal(back.serial, entry.serial) ||
                back.when != entry.when || back.reason != entry.reason ||
                back.invalid_since != entry.invalid_since) {
                abort();
            }
        }
        cl_buf_deinit(&again);
        num++;
    }
    if (num != crl->num_entries) {
        abort();
    }
}

/* 64: entries that are looked up; more make runs slow, and reach nothing else */
#define MAX_LOOKUPS 64

/* Whatever a list of its own issuer's certificates names is found in it, indexed or not. */
static void find_all(const struct cl_crl *crl)
{
    struct cl_rd rest = crl->entries;
    for (size_t i = 0; i < crl->num_entries && i < MAX_LOOKUPS; i++) {
        const uint32_t at = (uint32_t)(crl->entries.len - rest.len);
        struct cl_rd entry;
        struct cl_rd serial;
        uint32_t reason;
        int64_t when;
        if (!cl_crl_serial_at(crl, at, &serial) || !cl_der_get(&rest, CL_DER_SEQUENCE, &entry) ||
            (!cl_crl_find(crl, &crl->issuer, serial, &reason, &when) && crl->unusable == NULL &&
             !crl->indirect)) {
            abort();
        }
    }
}

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
        find_all(crl);
        walk(crl);
        size_t num_found = 0;
        const struct cl_linting ask = {
            .web = true, .now = 1780272000, .sink = lint_count, .ctx = &num_found};
        cl_lint_crl(&ask, crl);
    }
    cl_crl_free(crl);
    return 0;
}
