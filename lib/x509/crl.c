/* x509/crl.c - see crl.h. */
#include "x509/crl.h"

#include "base/mem.h"
#include "x509/dn.h"
#include "x509/gname.h"
#include "base/pem.h"
#include "x509/verify_cache.h"

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

static bool parse_idp(struct cl_crl *crl, struct cl_rd value)
{
    struct cl_rd body;
    struct cl_rd reasons;
    bool has_point;
    bool has_reasons;
    crl->has_idp = true;
    if (!cl_der_get(&value, CL_DER_SEQUENCE, &body) || !cl_rd_done(&value) ||
        !cl_der_optional(&body, CL_DER_CTXC(0), &crl->point, &has_point) ||
        !flag(&body, CL_DER_CTX(1), &crl->only_user) ||
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
    uint32_t reason;
    bool unknown_critical;
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
        } else if (ext.critical && ext.id != CL_OID_CRL_INVALIDITY) {
            out->unknown_critical = true;
        }
    }
    return true;
}

static bool next_entry(struct cl_rd *entries, struct entry *out)
{
    struct cl_rd body;
    struct cl_rd exts;
    bool present;
    *out = (struct entry){0};
    return cl_der_get(entries, CL_DER_SEQUENCE, &body) && cl_der_integer(&body, &out->serial) &&
           cl_der_time(&body, &out->when) &&
           cl_der_optional(&body, CL_DER_SEQUENCE, &exts, &present) && cl_rd_done(&body) &&
           (!present || parse_entry_exts(exts, out));
}

static bool check_entries(struct cl_crl *crl)
{
    struct cl_rd rest = crl->entries;
    while (!cl_rd_done(&rest)) {
        struct entry entry;
        if (!next_entry(&rest, &entry)) {
            return false;
        }
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
    if (!cl_der_optional(&tbs, CL_DER_SEQUENCE, &crl->entries, &present) ||
        !cl_der_optional(&tbs, CL_DER_CTXC(0), &field, &present) || !cl_rd_done(&tbs)) {
        return false;
    }
    if (present && (version != 1 || !cl_der_get(&field, CL_DER_SEQUENCE, &exts) ||
                    !cl_rd_done(&field) || cl_rd_done(&exts) || !parse_exts(crl, exts))) {
        return false;
    }
    return check_entries(crl);
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

cl_result cl_crl_parse(struct cl_crl **out, struct cl_rd der, struct cleat_error *err)
{
    *out = NULL;
    struct cl_crl *crl = cl_alloc(sizeof(*crl) + der.len);
    if (crl == NULL) {
        return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    }
    *crl = (struct cl_crl){.next_update = INT64_MIN, .reasons = CL_REASONS_ALL};
    uint8_t *copy = (uint8_t *)(crl + 1);
    if (der.len != 0) {
        memcpy(copy, der.p, der.len);
    }
    crl->der = cl_rd_of(copy, der.len);
    cl_result r = parse(crl, err);
    if (r != CL_OK) {
        cl_crl_free(crl);
        return r;
    }
    *out = crl;
    return CL_OK;
}

void cl_crl_free(struct cl_crl *crl)
{
    cl_free(crl);
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

bool cl_crl_find(const struct cl_crl *crl, const struct cl_name *issuer, struct cl_rd serial,
                 uint32_t *reason, int64_t *when)
{
    struct cl_rd rest = crl->entries;
    struct cl_rd current = {0};
    struct entry entry;
    while (next_entry(&rest, &entry)) {
        /* RFC 5280 5.3.3: absent, "the certificate issuer for the entry is the same as that for the
         * preceding entry", and in the first one the list's */
        current = entry.issuer.len != 0 ? entry.issuer : current;
        if (cl_rd_equal(entry.serial, serial) &&
            (current.len != 0 ? issued_by(current, issuer) : cl_name_equal(&crl->issuer, issuer))) {
            *reason = entry.reason;
            *when = entry.when;
            return true;
        }
    }
    return false;
}

int cl_crl_number_compare(struct cl_rd a, struct cl_rd b)
{
    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }
    return a.len == 0 ? 0 : memcmp(a.p, b.p, a.len);
}

/* ---- sets ---- */
static cl_result add_block(struct cleat_crl_set *set, struct cl_pem *pem,
                           const struct cl_pem_block *block)
{
    struct cl_buf der = {0};
    if (set->num == CL_CRL_MAX) {
        return cl_error_set(pem->err, (struct cl_why){.code = CLEAT_ERR_LIMIT},
                            "more than %d revocation lists", CL_CRL_MAX);
    }
    cl_result r = cl_pem_decode(pem, block, &der, CL_CRL_MAX_LEN);
    if (r == CL_OK) {
        r = cl_crl_parse(&set->crls[set->num], cl_buf_view(&der), pem->err);
    }
    cl_buf_deinit(&der);
    if (r == CL_OK) {
        set->num++;
    }
    return r;
}

static cl_result read_blocks(struct cleat_crl_set *set, struct cl_pem *pem)
{
    for (;;) {
        struct cl_pem_block block;
        bool found;
        CL_TRY(cl_pem_next(pem, &block, &found));
        if (!found) {
            break;
        }
        if (cl_rd_equal_str(block.label, "X509 CRL")) {
            CL_TRY(add_block(set, pem, &block));
        }
    }
    return set->num != 0 ? CL_OK
                         : cl_error_set(pem->err, (struct cl_why){.code = CLEAT_ERR_NO_CERTIFICATE},
                                        "there is no X509 CRL block in this text");
}

int cleat_crl_set_from_pem(const char *pem, size_t len, struct cleat_crl_set **out,
                           struct cleat_error *err)
{
    struct cl_pem walk;
    *out = NULL;
    struct cleat_crl_set *set = cl_calloc(1, sizeof(*set));
    if (set == NULL) {
        return (int)cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_NOMEM}, "out of memory");
    }
    set->num_refs = 1;
    set->number = cl_verify_number();
    cl_pem_init(&walk, pem, len, err);
    cl_result r = read_blocks(set, &walk);
    if (r != CL_OK) {
        cleat_crl_set_free(set);
        return (int)r;
    }
    *out = set;
    return CLEAT_OK;
}

struct cleat_crl_set *cleat_crl_set_ref(const struct cleat_crl_set *set)
{
    /* The count is not part of what is immutable. */
    struct cleat_crl_set *own = (struct cleat_crl_set *)(uintptr_t)set;
    atomic_fetch_add_explicit(&own->num_refs, 1, memory_order_relaxed);
    return own;
}

void cleat_crl_set_free(struct cleat_crl_set *set)
{
    if (set != NULL && atomic_fetch_sub_explicit(&set->num_refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < set->num; i++) {
            cl_crl_free(set->crls[i]);
        }
        cl_free(set);
    }
}

size_t cleat_crl_set_num(const struct cleat_crl_set *set)
{
    return set->num;
}
