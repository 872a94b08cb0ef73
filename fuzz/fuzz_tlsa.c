/* fuzz/fuzz_tlsa.c - TLSA records, as text and as RDATA: what is taken is well-formed, and its own
 * text is taken again. */
#include <stdlib.h>

#include "base/mem.h"
#include "x509/dane.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_again(const struct cleat_tlsa *record)
{
    const size_t len = cleat_tlsa_text(record, NULL, 0);
    char *text = cl_alloc(len + 1);
    struct cleat_dane *set = NULL;
    if (text != NULL && cleat_dane_new(&set) == CLEAT_OK) {
        if (cleat_tlsa_text(record, text, len + 1) != len ||
            cleat_dane_add_text(set, NULL, text, len, NULL, NULL) != CLEAT_OK ||
            cleat_dane_num(set) != 1 || cleat_dane_num_usable(set) != record->usable) {
            abort();
        }
    }
    cleat_dane_free(set);
    cl_free(text);
}

static void look(const struct cleat_dane *set)
{
    struct cleat_tlsa record;
    uint8_t digest[32];
    char label[CL_TLSA_LABEL_MAX];
    if (cleat_dane_num(set) > CLEAT_DANE_MAX_RECORDS ||
        cleat_dane_num_usable(set) > cleat_dane_num(set)) {
        abort();
    }
    for (size_t i = 0; cleat_dane_at(set, i, &record); i++) {
        if (record.len == 0 ||
            (record.usable && record.matching == CLEAT_TLSA_SHA2_256 && record.len != 32)) {
            abort();
        }
        cl_tlsa_label(&set->records[i], label);
        read_again(&record);
    }
    cl_dane_digest(set, digest);
    (void)cl_dane_match_key(set, cl_rd_of(digest, sizeof(digest)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cleat_dane *set = NULL;
    size_t num_others;
    if (cleat_dane_new(&set) != CLEAT_OK) {
        return 0;
    }
    (void)cleat_dane_add_text(set, "_443._tcp.example.com", (const char *)data, size, &num_others,
                              NULL);
    look(set);
    (void)cleat_dane_add_wire(set, data, size, NULL);
    look(set);
    cleat_dane_free(set);
    return 0;
}
