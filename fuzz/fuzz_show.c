/* fuzz/fuzz_show.c - any file as `cleat cert show` and `cert convert` take it: found out, taken
 * apart, opened with a passphrase, and shown for people and as JSON. The first byte says which. */
#include <stdlib.h>

#include "cli/show_items.h"

/* 16: each encrypted item costs a key derivation */
#define MAX_ITEMS 16

static void show(const struct cert_items *list, struct show_wish *w, FILE *out)
{
    for (size_t i = 0; i < list->num && i < MAX_ITEMS; i++) {
        struct cleat_error err = {0};
        struct facts f = {.out = out, .object = out == NULL ? json_object() : NULL, .now = 1};
        if (list->items[i].kind == CL_KIND_NONE || list->items[i].kind >= CL_KIND_COUNT) {
            abort();
        }
        (void)!show_item(&f, &list->items[i], w, &err);
        json_decref(f.object);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *nowhere;
    struct cert_items list = {0};
    struct cleat_error err = {0};
    struct cert_opening how = {.passphrase = {.from = "env:HOME"}};
    struct show_wish w = {.path = "input", .max_entries = 5, .how = &how};
    if (nowhere == NULL) {
        nowhere = fopen("/dev/null", "w");
    }
    if (size == 0 || nowhere == NULL) {
        return 0;
    }
    const bool as_json = (data[0] & 1) != 0;
    if ((data[0] & 2) == 0) {
        how.passphrase.from = NULL;
    }
    const cl_result r = cert_items_parse(&list, "input", cl_rd_of(data + 1, size - 1), &err);
    if ((r == CL_OK) != (err.code == 0) || (r == CL_OK && list.num == 0)) {
        abort();
    }
    if (r == CL_OK) {
        show(&list, &w, as_json ? NULL : nowhere);
    }
    cert_items_deinit(&list);
    cl_passphrase_deinit(&how.passphrase);
    return 0;
}
