/* x509/dane.c - sets of TLSA records (RFC 6698), and the comparison of a record with a certificate.
 *
 * A set is kept in the order of RFC 4034 6.3, without doubles: DNS turns records round from answer
 * to answer, and the same records must mean the same. A record whose numbers are not known is kept,
 * to be told, and never matches.
 */
#include "x509/dane.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"
#include "x509/fields.h"

/* The digests by matching type; 0 (Full) has none. */
static const struct {
    enum cl_hash_id hash;
    size_t len;
} digests[] = {
    [CLEAT_TLSA_SHA2_256] = {CL_HASH_SHA256, 32},
    [CLEAT_TLSA_SHA2_512] = {CL_HASH_SHA512, 64},
};

/* ---- a set's life ---- */

int cleat_dane_new(struct cleat_dane **out)
{
    *out = cl_calloc(1, sizeof(**out));
    if (*out == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    (*out)->num_refs = 1;
    return CLEAT_OK;
}

struct cleat_dane *cleat_dane_ref(const struct cleat_dane *set)
{
    /* The count is not part of what is immutable. */
    struct cleat_dane *own = (struct cleat_dane *)(uintptr_t)set;
    atomic_fetch_add_explicit(&own->num_refs, 1, memory_order_relaxed);
    return own;
}

static void record_deinit(struct cl_tlsa *record)
{
    cl_free(record->data);
    cleat_cert_free(record->cert);
}

void cleat_dane_free(struct cleat_dane *set)
{
    if (set != NULL && atomic_fetch_sub_explicit(&set->num_refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < set->num; i++) {
            record_deinit(&set->records[i]);
        }
        cl_free(set);
    }
}

void cleat_dane_check_names(struct cleat_dane *set, bool on)
{
    set->check_names = on;
}

size_t cleat_dane_num(const struct cleat_dane *set)
{
    return set->num;
}

size_t cleat_dane_num_usable(const struct cleat_dane *set)
{
    return set->num_usable;
}

static struct cleat_tlsa public_view(const struct cl_tlsa *record)
{
    return (struct cleat_tlsa){.usage = record->usage,
                               .selector = record->selector,
                               .matching = record->matching,
                               .usable = record->usable,
                               .data = record->data,
                               .len = record->len};
}

bool cleat_dane_at(const struct cleat_dane *set, size_t i, struct cleat_tlsa *out)
{
    if (i >= set->num) {
        return false;
    }
    *out = public_view(&set->records[i]);
    return true;
}

/* ---- being filled ---- */

static const struct cl_why malformed = {
    .code = CLEAT_ERR_BAD_TLSA, .section = "RFC 6698 2.1", .hint = "copy the whole record"};

static cl_result check_whole(struct cl_tlsa *record, struct cleat_error *err)
{
    struct cleat_error inner = {0};
    struct cl_pubkey *key = NULL;
    const struct cl_rd data = cl_rd_of(record->data, record->len);
    cl_result r;
    if (record->selector == CLEAT_TLSA_CERT) {
        r = cl_cert_parse(&record->cert, data, &inner);
    } else {
        r = cl_pubkey_parse(&key, data);
        cl_pubkey_free(key);
    }
    record->usable = r == CL_OK;
    if (r == CL_OK || r == CLEAT_ERR_NOMEM || r == CLEAT_ERR_UNSUPPORTED) {
        return r == CLEAT_ERR_NOMEM ? r : CL_OK;
    }
    return cl_error_set(
        err, malformed, "a TLSA record %u %u 0 has %s whole: its %zu bytes are none: %s",
        record->usage, record->selector,
        record->selector == CLEAT_TLSA_CERT ? "a certificate" : "a public key", record->len,
        inner.text[0] != '\0' ? inner.text : cleat_error_sentence((int)r));
}

/* RFC 6698 4.1: "usable" is what is known, and well-formed. What is known and malformed is refused.
 */
static cl_result check(struct cl_tlsa *record, struct cleat_error *err)
{
    record->usable = record->usage <= CLEAT_TLSA_DANE_EE && record->selector <= CLEAT_TLSA_SPKI &&
                     record->matching <= CLEAT_TLSA_SHA2_512;
    if (!record->usable) {
        return CL_OK;
    }
    if (record->matching == CLEAT_TLSA_FULL) {
        return check_whole(record, err);
    }
    if (record->len != digests[record->matching].len) {
        return cl_error_set(err, malformed,
                            "the digest of a TLSA record %u %u %u has %zu bytes instead of %zu",
                            record->usage, record->selector, record->matching, record->len,
                            digests[record->matching].len);
    }
    return CL_OK;
}

/* RFC 4034 6.3: by the RDATA as bytes. */
static int compare(const struct cl_tlsa *a, const struct cl_tlsa *b)
{
    const uint8_t x[] = {a->usage, a->selector, a->matching};
    const uint8_t y[] = {b->usage, b->selector, b->matching};
    int order = memcmp(x, y, sizeof(x));
    if (order == 0) {
        order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);
    }
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

/* Takes over what the record owns, also when it is there already; false: there is no room. */
static bool insert(struct cleat_dane *set, struct cl_tlsa *record)
{
    size_t at = 0;
    int order = 1;
    while (at < set->num && (order = compare(&set->records[at], record)) < 0) {
        at++;
    }
    if (at < set->num && order == 0) {
        record_deinit(record);
        return true;
    }
    if (set->num == CLEAT_DANE_MAX_RECORDS) {
        record_deinit(record);
        return false;
    }
    memmove(&set->records[at + 1], &set->records[at], (set->num - at) * sizeof(set->records[0]));
    set->records[at] = *record;
    set->num++;
    set->num_usable += record->usable;
    return true;
}

int cleat_dane_add(struct cleat_dane *set, uint8_t usage, uint8_t selector, uint8_t matching,
                   const uint8_t *data, size_t len, struct cleat_error *err)
{
    struct cl_tlsa record = {
        .usage = usage, .selector = selector, .matching = matching, .len = len};
    if (len > CLEAT_TLSA_MAX_DATA) {
        return (int)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                                 "a TLSA record of %zu bytes: a record of DNS has at most %d", len,
                                 CLEAT_TLSA_MAX_DATA);
    }
    if (len == 0) {
        return (int)cl_error_set(err, malformed, "a TLSA record without data");
    }
    record.data = cl_memdup(data, len);
    if (record.data == NULL) {
        return (int)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    }
    cl_result r = check(&record, err);
    if (r != CL_OK) {
        record_deinit(&record);
        return (int)r;
    }
    return insert(set, &record)
               ? CLEAT_OK
               : (int)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                                   "more than %d TLSA records", CLEAT_DANE_MAX_RECORDS);
}

int cleat_dane_add_wire(struct cleat_dane *set, const uint8_t *rdata, size_t len,
                        struct cleat_error *err)
{
    struct cl_rd r = cl_rd_of(rdata, len);
    uint8_t usage, selector, matching;
    if (!cl_rd_u8(&r, &usage) || !cl_rd_u8(&r, &selector) || !cl_rd_u8(&r, &matching)) {
        return (int)cl_error_set(err, malformed,
                                 "a TLSA record of %zu bytes: usage, selector and matching type "
                                 "alone take 3",
                                 len);
    }
    return cleat_dane_add(set, usage, selector, matching, r.p, r.len, err);
}

/* ---- comparison ---- */

struct cl_tlsa_subject cl_tlsa_subject_of(const struct cleat_cert *cert)
{
    return (struct cl_tlsa_subject){.content = {cert->der, cert->spki}};
}

struct cl_tlsa_subject cl_tlsa_subject_of_key(struct cl_rd spki)
{
    return (struct cl_tlsa_subject){.content = {{0}, spki}};
}

/* Public values: no constant time needed. */
bool cl_tlsa_matches(const struct cl_tlsa *record, struct cl_tlsa_subject *subject)
{
    const struct cl_rd wanted = cl_rd_of(record->data, record->len);
    if (!record->usable || subject->content[record->selector].len == 0) {
        return false;
    }
    const struct cl_rd content = subject->content[record->selector];
    if (record->matching == CLEAT_TLSA_FULL) {
        return cl_rd_equal(wanted, content);
    }
    uint8_t *digest = subject->digest[record->selector][record->matching - 1];
    bool *have = &subject->have[record->selector][record->matching - 1];
    if (!*have) {
        cl_hash_once(digests[record->matching].hash, content.p, content.len, digest);
        *have = true;
    }
    return cl_rd_equal(wanted, cl_rd_of(digest, digests[record->matching].len));
}

/* RFC 7671 9: "the client SHOULD ignore all records with a weaker digest"; Full(0) is no digest,
 * and stays beside them. */
bool cl_tlsa_is_weaker(const struct cleat_dane *set, const struct cl_tlsa *record)
{
    for (size_t i = 0; i < set->num && record->matching != CLEAT_TLSA_FULL; i++) {
        const struct cl_tlsa *other = &set->records[i];
        if (other->usable && record->usable && other->usage == record->usage &&
            other->selector == record->selector && other->matching > record->matching) {
            return true;
        }
    }
    return false;
}

bool cl_dane_needs_trust(const struct cleat_dane *set)
{
    for (size_t i = 0; set != NULL && i < set->num; i++) {
        if (set->records[i].usable && set->records[i].usage >= CLEAT_TLSA_DANE_TA) {
            return false;
        }
    }
    return true;
}

static bool is_for_keys(const struct cl_tlsa *record)
{
    return record->usable && record->usage == CLEAT_TLSA_DANE_EE &&
           record->selector == CLEAT_TLSA_SPKI;
}

bool cl_dane_takes_keys(const struct cleat_dane *set)
{
    for (size_t i = 0; set != NULL && i < set->num; i++) {
        if (is_for_keys(&set->records[i])) {
            return true;
        }
    }
    return false;
}

const struct cl_tlsa *cl_dane_match_key(const struct cleat_dane *set, struct cl_rd spki)
{
    struct cl_tlsa_subject subject = cl_tlsa_subject_of_key(spki);
    for (size_t i = 0; set != NULL && i < set->num; i++) {
        const struct cl_tlsa *record = &set->records[i];
        if (is_for_keys(record) && !cl_tlsa_is_weaker(set, record) &&
            cl_tlsa_matches(record, &subject)) {
            return record;
        }
    }
    return NULL;
}

/* ---- for others ---- */

void cl_dane_digest(const struct cleat_dane *set, uint8_t out[32])
{
    struct cl_hash h;
    const uint8_t names = set->check_names;
    cl_hash_init(&h, CL_HASH_SHA256);
    cl_hash_update(&h, &names, 1);
    for (size_t i = 0; i < set->num; i++) {
        const struct cl_tlsa *record = &set->records[i];
        uint8_t head[6];
        struct cl_wr w = cl_wr_of(head, sizeof(head));
        cl_wr_u8(&w, record->usage);
        cl_wr_u8(&w, record->selector);
        cl_wr_u8(&w, record->matching);
        cl_wr_u24(&w, (uint32_t)record->len);
        cl_hash_update(&h, head, sizeof(head));
        cl_hash_update(&h, record->data, record->len);
    }
    cl_hash_peek(&h, out);
}

void cl_tlsa_label(const struct cl_tlsa *record, char out[CL_TLSA_LABEL_MAX])
{
    /* 8: enough to tell records apart by eye */
    const size_t shown = record->len < 8 ? record->len : 8;
    char hex[2 * 8 + 1];
    cl_hex_encode(record->data, shown, hex);
    (void)snprintf(out, CL_TLSA_LABEL_MAX, "%u %u %u %s%s", record->usage, record->selector,
                   record->matching, hex, record->len > shown ? "..." : "");
}

int cleat_tlsa_data(const struct cleat_cert *cert, uint8_t selector, uint8_t matching, uint8_t *out,
                    size_t cap, size_t *out_len)
{
    *out_len = 0;
    if (selector > CLEAT_TLSA_SPKI || matching > CLEAT_TLSA_SHA2_512) {
        return CLEAT_ERR_USAGE;
    }
    const struct cl_rd content = selector == CLEAT_TLSA_CERT ? cert->der : cert->spki;
    const size_t len = matching == CLEAT_TLSA_FULL ? content.len : digests[matching].len;
    if (len > cap) {
        return CLEAT_ERR_LIMIT;
    }
    if (matching == CLEAT_TLSA_FULL) {
        memcpy(out, content.p, len);
    } else {
        cl_hash_once(digests[matching].hash, content.p, content.len, out);
    }
    *out_len = len;
    return CLEAT_OK;
}

size_t cleat_tlsa_text(const struct cleat_tlsa *record, char *out, size_t cap)
{
    int head = snprintf(out, cap, "%u %u %u ", record->usage, record->selector, record->matching);
    size_t at = head > 0 ? (size_t)head : 0;
    for (size_t i = 0; i < record->len; i++, at += 2) {
        if (at + 2 < cap) { /* never half a byte */
            cl_hex_encode(&record->data[i], 1, out + at);
        }
    }
    return at;
}

size_t cleat_tlsa_owner(const char *host, uint16_t port, char *out, size_t cap)
{
    size_t len = strlen(host);
    len -= len > 0 && host[len - 1] == '.';
    int n = snprintf(out, cap, "_%u._tcp.%.*s", port, len < INT32_MAX ? (int)len : 0, host);
    return n > 0 ? (size_t)n : 0;
}
