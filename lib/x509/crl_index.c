/* x509/crl_index.c - where each serial number of a long list stands, so that one of a million
 * entries is found with some twenty comparisons.
 *
 * The index holds four bytes an entry: offsets into the list's own bytes, in the order of the
 * serial numbers. Each comparison there waits for memory, so that the beginnings of every sixteenth
 * serial number stand together besides, half a byte an entry, and only the last few comparisons
 * look into the list. Sorting, not hashing: a CA that chooses its serial numbers badly, or with
 * malice, makes nothing slow. Lists of other issuers' certificates have none: whose entry it is
 * depends on those before it.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "x509/crl.h"

/* 32: fewer are walked through as fast */
#define MIN_INDEXED 32

/* 16: entries that share a head; as many as one line of the processor's cache holds offsets */
#define PER_HEAD 16

/* While sorting: length and first seven bytes decide nearly always. */
struct place {
    uint64_t head;
    uint32_t at;
};

bool cl_crl_serial_at(const struct cl_crl *crl, uint32_t at, struct cl_rd *serial)
{
    struct cl_rd rest = cl_rd_of(crl->entries.p + at, crl->entries.len - at);
    struct cl_rd body;
    return cl_der_get(&rest, CL_DER_SEQUENCE, &body) && cl_der_integer(&body, serial);
}

/* Length, then the first seven bytes: in the order of cl_crl_number_compare. Of those that are too
 * long for that the bytes do not count, for their lengths come first. */
static uint64_t head_of(struct cl_rd serial)
{
    const bool fits = serial.len < 0xff;
    uint64_t head = fits ? serial.len : 0xff;
    for (size_t i = 0; i < 7; i++) {
        head = head << 8 | (fits && i < serial.len ? serial.p[i] : 0);
    }
    return head;
}

/* By serial number; of equal ones the first in the list first. */
static int compare_places(const void *a, const void *b, void *crl)
{
    const struct place *x = a;
    const struct place *y = b;
    struct cl_rd p;
    struct cl_rd q;
    if (x->head != y->head) {
        return x->head < y->head ? -1 : 1;
    }
    if (cl_crl_serial_at(crl, x->at, &p) && cl_crl_serial_at(crl, y->at, &q)) {
        const int order = cl_crl_number_compare(p, q);
        if (order != 0) {
            return order;
        }
    }
    return x->at < y->at ? -1 : x->at > y->at;
}

static void collect(const struct cl_crl *crl, struct place *places)
{
    struct cl_rd rest = crl->entries;
    struct cl_rd entry;
    struct cl_rd serial;
    for (size_t i = 0; i < crl->num_entries; i++) {
        const uint32_t at = (uint32_t)(crl->entries.len - rest.len);
        if (!cl_der_get(&rest, CL_DER_SEQUENCE, &entry) || !cl_der_integer(&entry, &serial)) {
            return; /* parsed before: it cannot be */
        }
        places[i] = (struct place){.head = head_of(serial), .at = at};
    }
}

static size_t num_heads(const struct cl_crl *crl)
{
    return (crl->num_entries + PER_HEAD - 1) / PER_HEAD;
}

cl_result cl_crl_index(struct cl_crl *crl)
{
    if (crl->num_entries < MIN_INDEXED || crl->indirect) {
        return CL_OK;
    }
    struct place *places = cl_calloc(crl->num_entries, sizeof(*places));
    crl->index = cl_calloc(crl->num_entries, sizeof(*crl->index));
    crl->heads = cl_calloc(num_heads(crl), sizeof(*crl->heads));
    if (places == NULL || crl->index == NULL || crl->heads == NULL) {
        cl_free(places);
        return CLEAT_ERR_NOMEM;
    }
    collect(crl, places);
    qsort_r(places, crl->num_entries, sizeof(*places), compare_places, crl);
    for (size_t i = 0; i < crl->num_entries; i++) {
        crl->index[i] = places[i].at;
        if (i % PER_HEAD == 0) {
            crl->heads[i / PER_HEAD] = places[i].head;
        }
    }
    cl_free(places);
    return CL_OK;
}

/* Where the first entry can stand that is not below head, by the heads alone: *low to *high. */
static void narrow(const struct cl_crl *crl, uint64_t head, size_t *low, size_t *high)
{
    size_t from = 0;
    size_t num = num_heads(crl);
    const size_t end = num;
    while (num != 0) {
        const size_t half = num / 2;
        if (crl->heads[from + half] < head) {
            from += half + 1;
            num -= half + 1;
        } else {
            num = half;
        }
    }
    size_t to = from;
    for (size_t step = 1; to < end && crl->heads[to] == head; step *= 2) {
        to = end - to > step ? to + step : end; /* may go too far, never not far enough */
    }
    *low = from != 0 ? (from - 1) * PER_HEAD + 1 : 0;
    *high = to < end ? to * PER_HEAD : crl->num_entries;
}

bool cl_crl_index_find(const struct cl_crl *crl, struct cl_rd serial, size_t *place)
{
    size_t low;
    size_t high;
    struct cl_rd other;
    narrow(crl, head_of(serial), &low, &high);
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (!cl_crl_serial_at(crl, crl->index[middle], &other)) {
            return false;
        }
        if (cl_crl_number_compare(other, serial) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    if (low == crl->num_entries || !cl_crl_serial_at(crl, crl->index[low], &other) ||
        !cl_rd_equal(other, serial)) {
        return false;
    }
    *place = low;
    return true;
}
