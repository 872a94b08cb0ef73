/* x509/crl.c - see crl.h. */
#include "x509/crl.h"

#include "base/mem.h"
#include "crypto/hash.h"
#include "x509/dn.h"
#include "x509/gname.h"

static cl_result bad(struct cleat_error *err, const char *section, const char *what)
{
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CERTIFICATE, .section = section},
                        "malformed certificate revocation list: %s", what);
}

static bool reasons_of(struct cl_rd body, uint16_t *out)
{
    struct cl_rd bits;
    uint8_t num_unused;
    uint8_t byte;
    unsigned at = 0;
    *out = 0;
    if (!cl_der_bits_body(body, &bits, &num_unused) || bits.len > 2) {
        return false;
    }
    while (cl_rd_u8(&bits, &byte)) {
        for (unsigned i = 0; i < 8; i++, at++) {
            if ((byte & (0x80u >> i)) != 0) {
                *out = (uint16_t)(*out | 1u << at);
            }
        }
    }
    *out &= CL_REASONS_ALL;
    return true;
}

/* BOOLEAN under an implicit tag; DEFAULT FALSE, so it stands there only when true. */
static bool flag(struct cl_rd *r, uint8_t tag, bool *out)
{
    struct cl_rd body;
    uint8_t value = 0;
    *out = false;
    if (!cl_der_peek(r, tag)) {
        return true;
    }
    if (!cl_der_get(r, tag, &body) || !cl_rd_u8(&body, &value) || !cl_rd_done(&body) ||
        (value != 0 && value != 0xff)) {
        return false;
    }
    *out = value != 0;
    return true;
}

/* DistributionPointName ::= CHOICE { fullName [0], nameRelativeToCRLIssuer [1] }, nothing behind.
 */
static bool point_valid(struct cl_rd point)
{
    struct cl_rd body;
    uint32_t num;
    if (cl_der_peek(&point, CL_DER_CTXC(0))) {
        return cl_der_get(&point, CL_DER_CTXC(0), &body) && cl_rd_done(&point) &&
               cl_gnames_valid(body, &num);
    }
    return cl_der_get(&point, CL_DER_CTXC(1), &body) && cl_rd_done(&point) && body.len != 0;
}

static bool parse_idp(struct cl_crl *crl, struct cl_rd value)
{
    struct cl_rd body;
    struct cl_rd reasons;
    bool has_point;
    bool has_reasons;
    crl->has_idp = true;
    /* RFC 5280 5.2.5: "MUST NOT issue CRLs where the DER encoding of the issuing distribution point
     * extension is an empty sequence" */
    if (!cl_der_get(&value, CL_DER_SEQUENCE, &body) || !cl_rd_done(&value) || cl_rd_done(&body) ||
        !cl_der_optional(&body, CL_DER_CTXC(0), &crl->point, &has_point) ||
        (has_point && !point_valid(crl->point)) || !flag(&body, CL_DER_CTX(1), &crl->only_user) ||
        !flag(&body, CL_DER_CTX(2), &crl->only_ca) ||
        !cl_der_optional(&body, CL_DER_CTX(3), &reasons, &has_reasons) ||
        !flag(&body, CL_DER_CTX(4), &crl->indirect) ||
        !flag(&body, CL_DER_CTX(5), &crl->only_attribute) || !cl_rd_done(&body)) {
        return false;
    }
    return !has_reasons || reasons_of(reasons, &crl->reasons);
}

static bool parse_number(struct cl_rd value, struct cl_rd *out)
{
    return cl_der_integer(&value, out) && cl_rd_done(&value) && (out->p[0] & 0x80) == 0;
}

static bool parse_aki(struct cl_crl *crl, struct cl_rd value)
{
    struct cl_rd body;
    bool present;
    return cl_der_get(&value, CL_DER_SEQUENCE, &body) && cl_rd_done(&value) &&
           cl_der_optional(&body, CL_DER_CTX(0), &crl->aki_key_id, &present);
}

static bool parse_ext(struct cl_crl *crl, const struct cl_ext *ext)
{
    switch (ext->id) {
    case CL_OID_CRL_NUMBER:
        crl->number_critical = ext->critical;
        return parse_number(ext->value, &crl->number);
    case CL_OID_CRL_DELTA:
        crl->is_delta = true;
        return parse_number(ext->value, &crl->base_number);
    case CL_OID_CRL_IDP:
        return parse_idp(crl, ext->value);
    case CL_OID_EXT_AKI:
        return parse_aki(crl, ext->value);
    default:
        /* RFC 5280 5.2: "If a CRL contains a critical extension that the application cannot
         * process, then the application MUST NOT use that CRL to determine the status of
         * certificates." */
        if (ext->critical) {
            crl->unusable = "it has a critical extension that is not understood";
        }
        return true;
    }
}

static bool parse_exts(struct cl_crl *crl, struct cl_rd exts)
{
    uint64_t seen = 0;
    while (!cl_rd_done(&exts)) {
        struct cl_ext ext;
        if (!cl_ext_next(&exts, &ext)) {
            return false;
        }
        /* One of each kind that is read; OID ids of CRL extensions are below 64. */
        if (ext.id != CL_OID_UNKNOWN && ext.id < 64) {
            if ((seen >> ext.id & 1) != 0) {
                return false;
            }
            seen |= 1ULL << ext.id;
        }
        if (!parse_ext(crl, &ext)) {
            return false;
        }
    }
    return true;
}

struct entry {
    struct cl_rd serial;
    struct cl_rd issuer; /* GeneralNames of certificateIssuer, empty when absent */
    int64_t when;
    int64_t invalid_since; /* INT64_MIN: absent */
    uint32_t reason;
    bool unknown_critical;
    bool has_exts;
};

static bool parse_entry_exts(struct cl_rd exts, struct entry *out)
{
    while (!cl_rd_done(&exts)) {
        struct cl_ext ext;
        struct cl_rd body;
        if (!cl_ext_next(&exts, &ext)) {
            return false;
        }
        if (ext.id == CL_OID_CRL_REASON) {
            if (!cl_der_get(&ext.value, CL_DER_ENUMERATED, &body) || body.len != 1 ||
                !cl_rd_done(&ext.value)) {
                return false;
            }
            out->reason = body.p[0];
        } else if (ext.id == CL_OID_CRL_CERT_ISSUER) {
            uint32_t num;
            if (!cl_der_get(&ext.value, CL_DER_SEQUENCE, &out->issuer) || !cl_rd_done(&ext.value) ||
                !cl_gnames_valid(out->issuer, &num)) {
                return false;
            }
        } else if (ext.id == CL_OID_CRL_INVALIDITY) {
            if (!cl_der_time(&ext.value, &out->invalid_since)) {
                out->invalid_since = INT64_MIN; /* nobody's verdict depends on it */
            }
        } else if (ext.critical) {
            out->unknown_critical = true;
        }
    }
    return true;
}

static bool next_entry(struct cl_rd *entries, struct entry *out)
{
    struct cl_rd body;
    struct cl_rd exts;
    *out = (struct entry){.invalid_since = INT64_MIN};
    return cl_der_get(entries, CL_DER_SEQUENCE, &body) && cl_der_integer(&body, &out->serial) &&
           cl_der_time(&body, &out->when) &&
           cl_der_optional(&body, CL_DER_SEQUENCE, &exts, &out->has_exts) && cl_rd_done(&body) &&
           (!out->has_exts || parse_entry_exts(exts, out));
}

bool cl_crl_entry_next(struct cl_rd *entries, struct cl_crl_entry *out, struct cl_rd *whole)
{
    struct entry entry;
    const struct cl_rd start = *entries;
    if (!next_entry(entries, &entry)) {
        return false;
    }
    *whole = cl_rd_of(start.p, start.len - entries->len);
    *out = (struct cl_crl_entry){.serial = entry.serial,
                                 .when = entry.when,
                                 .reason = entry.reason,
                                 .invalid_since = entry.invalid_since};
    return true;
}

/* RFC 5280 5.1.2.1: extensions, of entries too, are for version 2 */
static bool check_entries(struct cl_crl *crl, uint32_t version)
{
    struct cl_rd rest = crl->entries;
    while (!cl_rd_done(&rest)) {
        struct entry entry;
        if (!next_entry(&rest, &entry) || (entry.has_exts && version != 1)) {
            return false;
        }
        crl->num_entries++;
        /* RFC 5280 5.3: the same rule for extensions of entries; 5.3.3: certificateIssuer belongs
         * into an indirect list */
        if (entry.unknown_critical || (entry.issuer.len != 0 && !crl->indirect)) {
            crl->unusable = "an entry has a critical extension that is not understood";
        }
    }
    return true;
}

static bool parse_tbs(struct cl_crl *crl, struct cl_rd tbs, struct cl_rd *algorithm)
{
    struct cl_rd field;
    struct cl_rd exts;
    bool present;
    uint32_t version = 0;
    if (cl_der_peek(&tbs, CL_DER_INTEGER) && (!cl_der_u32(&tbs, &version) || version != 1)) {
        return false;
    }
    if (!cl_der_get(&tbs, CL_DER_SEQUENCE, algorithm) || !cl_name_parse(&tbs, &crl->issuer) ||
        !cl_der_time(&tbs, &crl->this_update)) {
        return false;
    }
    if ((cl_der_peek(&tbs, CL_DER_UTC_TIME) || cl_der_peek(&tbs, CL_DER_GENERALIZED_TIME)) &&
        !cl_der_time(&tbs, &crl->next_update)) {
        return false;
    }
    /* RFC 5280 5.1.2.6: "When there are no revoked certificates, the revoked certificates list MUST
     * be absent." */
    if (!cl_der_optional(&tbs, CL_DER_SEQUENCE, &crl->entries, &present) ||
        (present && cl_rd_done(&crl->entries)) ||
        !cl_der_optional(&tbs, CL_DER_CTXC(0), &field, &present) || !cl_rd_done(&tbs)) {
        return false;
    }
    if (present && (version != 1 || !cl_der_get(&field, CL_DER_SEQUENCE, &exts) ||
                    !cl_rd_done(&field) || cl_rd_done(&exts) || !parse_exts(crl, exts))) {
        return false;
    }
    return check_entries(crl, version);
}

static cl_result parse(struct cl_crl *crl, struct cleat_error *err)
{
    struct cl_rd all = crl->der;
    struct cl_rd body;
    struct cl_rd tbs;
    struct cl_rd algorithm;
    struct cl_rd tbs_algorithm;
    struct cl_rd oid;
    uint8_t tag;
    if (!cl_der_get(&all, CL_DER_SEQUENCE, &body) || !cl_rd_done(&all) ||
        !cl_der_any(&body, &tag, &tbs, &crl->tbs) || tag != CL_DER_SEQUENCE ||
        !cl_der_get(&body, CL_DER_SEQUENCE, &algorithm) ||
        !cl_der_bits_octets(&body, &crl->signature) || !cl_rd_done(&body)) {
        return bad(err, "RFC 5280 5.1", "not a SEQUENCE of three fields in DER");
    }
    if (!parse_tbs(crl, tbs, &tbs_algorithm)) {
        return bad(err, "RFC 5280 5.1.2", "its TBSCertList");
    }
    if (!cl_rd_equal(algorithm, tbs_algorithm) ||
        !cl_alg_signature(algorithm, &oid, &crl->sig_alg)) {
        return bad(err, "RFC 5280 5.1.1.2", "its signature algorithms");
    }
    return CL_OK;
}

/* der: the caller's, or behind the struct when there is room for it. */
static cl_result parse_into(struct cl_crl **out, struct cl_rd der, size_t room,
                            struct cleat_error *err)
{
    *out = NULL;
    struct cl_crl *crl = cl_alloc(sizeof(*crl) + room);
    if (crl == NULL) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    }
    *crl = (struct cl_crl){
        .num_refs = 1, .der = der, .next_update = INT64_MIN, .reasons = CL_REASONS_ALL};
    if (room != 0) {
        uint8_t *copy = (uint8_t *)(crl + 1);
        memcpy(copy, der.p, der.len);
        crl->der = cl_rd_of(copy, der.len);
    }
    cl_result r = parse(crl, err);
    if (r == CL_OK && cl_crl_index(crl) != CL_OK) {
        r = cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    }
    if (r != CL_OK) {
        cl_crl_free(crl);
        return r;
    }
    *out = crl;
    return CL_OK;
}

cl_result cl_crl_parse(struct cl_crl **out, struct cl_rd der, struct cleat_error *err)
{
    return parse_into(out, der, der.len, err);
}

cl_result cl_crl_parse_view(struct cl_crl **out, struct cl_rd der, struct cleat_error *err)
{
    return parse_into(out, der, 0, err);
}

struct cl_crl *cl_crl_ref(struct cl_crl *crl)
{
    atomic_fetch_add_explicit(&crl->num_refs, 1, memory_order_relaxed);
    return crl;
}

void cl_crl_free(struct cl_crl *crl)
{
    if (crl != NULL && atomic_fetch_sub_explicit(&crl->num_refs, 1, memory_order_acq_rel) == 1) {
        if (crl->release != NULL) {
            crl->release(crl->release_ctx);
        }
        cl_free(crl->index);
        cl_free(crl->heads);
        cl_free(crl);
    }
}

/* Is the issuer of an entry, by its certificateIssuer, this one? */
static bool issued_by(struct cl_rd names, const struct cl_name *issuer)
{
    struct cl_gname name;
    struct cl_name dn;
    while (cl_gname_next(&names, &name)) {
        if (name.kind == CLEAT_SAN_DIRECTORY && cl_name_of(name.value, &dn) &&
            cl_name_equal(&dn, issuer)) {
            return true;
        }
    }
    return false;
}

/* Of several entries about one certificate the worse counts: the first one, unless it takes the
 * certificate off the list (RFC 5280 5.3.1: 8, removeFromCRL) and a later one does not. True: this
 * one decides. */
static bool decides(const struct entry *entry, struct entry *out)
{
    *out = *entry;
    return entry->reason != CL_REASON_REMOVE;
}

/* By the index: all entries are certificates of the list's own issuer. */
static bool find_indexed(const struct cl_crl *crl, struct cl_rd serial, struct entry *out)
{
    size_t place;
    struct entry entry;
    bool found = false;
    if (!cl_crl_index_find(crl, serial, &place)) {
        return false;
    }
    for (; place < crl->num_entries; place++) {
        const uint32_t at = crl->index[place];
        struct cl_rd rest = cl_rd_of(crl->entries.p + at, crl->entries.len - at);
        if (!next_entry(&rest, &entry) || !cl_rd_equal(entry.serial, serial)) {
            break;
        }
        found = true;
        if (decides(&entry, out)) {
            break;
        }
    }
    return found;
}

static bool find_walking(const struct cl_crl *crl, const struct cl_name *issuer,
                         struct cl_rd serial, struct entry *out)
{
    struct cl_rd rest = crl->entries;
    struct cl_rd current = {0};
    struct entry entry;
    bool found = false;
    while (next_entry(&rest, &entry)) {
        /* RFC 5280 5.3.3: absent, "the certificate issuer for the entry is the same as that for the
         * preceding entry", and in the first one the list's */
        current = entry.issuer.len != 0 ? entry.issuer : current;
        if (cl_rd_equal(entry.serial, serial) &&
            (current.len != 0 ? issued_by(current, issuer) : cl_name_equal(&crl->issuer, issuer))) {
            found = true;
            if (decides(&entry, out)) {
                break;
            }
        }
    }
    return found;
}

bool cl_crl_find(const struct cl_crl *crl, const struct cl_name *issuer, struct cl_rd serial,
                 uint32_t *reason, int64_t *when)
{
    struct entry entry;
    if (crl->index != NULL
            ? !cl_name_equal(&crl->issuer, issuer) || !find_indexed(crl, serial, &entry)
            : !find_walking(crl, issuer, serial, &entry)) {
        return false;
    }
    *reason = entry.reason;
    *when = entry.when;
    return true;
}

int cl_crl_number_compare(struct cl_rd a, struct cl_rd b)
{
    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }
    return a.len == 0 ? 0 : memcmp(a.p, b.p, a.len);
}

/* ---- who signed it ---- */

/* The first writer claims good_signer, fills it in and publishes it; nobody writes it again. */
enum { SIGNER_NONE = 0, SIGNER_CLAIMED, SIGNER_KNOWN };

void cl_crl_note_good(const struct cl_crl *crl, const struct cleat_cert *signer)
{
    /* What is remembered is not part of what is immutable. */
    struct cl_crl *own = (struct cl_crl *)(uintptr_t)crl;
    unsigned none = SIGNER_NONE;
    if (atomic_compare_exchange_strong(&own->signer_state, &none, SIGNER_CLAIMED)) {
        cl_hash_once(CL_HASH_SHA256, signer->der.p, signer->der.len, own->good_signer);
        atomic_store_explicit(&own->signer_state, SIGNER_KNOWN, memory_order_release);
    }
}

bool cl_crl_known_good(const struct cl_crl *crl, const struct cleat_cert *signer)
{
    uint8_t digest[32];
    struct cl_crl *own = (struct cl_crl *)(uintptr_t)crl;
    if (atomic_load_explicit(&own->signer_state, memory_order_acquire) != SIGNER_KNOWN) {
        return false;
    }
    cl_hash_once(CL_HASH_SHA256, signer->der.p, signer->der.len, digest);
    return memcmp(digest, crl->good_signer, sizeof(digest)) == 0;
}
