/* x509/ext.c - the extensions of a certificate (RFC 5280 4.2): one table, a row per extension that
 * has an inside we read. Form is checked for all of them, also for those nobody asks about later; a
 * malformed extension makes the certificate malformed, so nothing fails open behind it. */
#include "x509/gname.h"

typedef bool parse_fn(struct cleat_cert *cert, struct cl_rd value);

/* Takes the only SEQUENCE in value; it must not be empty. */
static bool sequence(struct cl_rd value, struct cl_rd *body)
{
    return cl_der_get(&value, CL_DER_SEQUENCE, body) && cl_rd_done(&value) && !cl_rd_done(body);
}

static bool parse_ski(struct cleat_cert *cert, struct cl_rd value)
{
    return cl_der_get(&value, CL_DER_OCTET_STRING, &cert->ski) && cl_rd_done(&value) &&
           !cl_rd_done(&cert->ski);
}

static bool parse_key_usage(struct cleat_cert *cert, struct cl_rd value)
{
    struct cl_rd bits;
    uint8_t num_unused;
    uint8_t byte;
    unsigned at = 0;
    if (!cl_der_bits(&value, &bits, &num_unused) || !cl_rd_done(&value) || bits.len > 2) {
        return false;
    }
    while (cl_rd_u8(&bits, &byte)) {
        for (unsigned i = 0; i < 8; i++, at++) {
            if ((byte & (0x80u >> i)) != 0) {
                cert->key_usage = (uint16_t)(cert->key_usage | 1u << at);
            }
        }
    }
    /* RFC 5280 4.2.1.3: "at least one of the bits MUST be set to 1" */
    return cert->key_usage != 0 && cert->key_usage <= 0x1ff;
}

static bool parse_san(struct cleat_cert *cert, struct cl_rd value)
{
    return sequence(value, &cert->san) && cl_gnames_valid(cert->san, &cert->num_sans);
}

static bool parse_issuer_alt(struct cleat_cert *cert, struct cl_rd value)
{
    struct cl_rd names;
    uint32_t num;
    (void)cert;
    return sequence(value, &names) && cl_gnames_valid(names, &num);
}

static bool parse_basic(struct cleat_cert *cert, struct cl_rd value)
{
    struct cl_rd body;
    uint32_t len;
    if (!cl_der_get(&value, CL_DER_SEQUENCE, &body) || !cl_rd_done(&value)) {
        return false;
    }
    /* An explicit FALSE is not DER (X.690 11.5), but occurs in millions of deployed certificates
     * and changes nothing. */
    if (cl_der_peek(&body, CL_DER_BOOLEAN) && !cl_der_bool(&body, &cert->is_ca)) {
        return false;
    }
    if (!cl_rd_done(&body)) {
        if (!cl_der_u32(&body, &len)) {
            return false;
        }
        cert->path_len = len > INT16_MAX ? INT16_MAX : (int)len;
    }
    return cl_rd_done(&body);
}

static bool subtrees_valid(struct cl_rd subtrees)
{
    /* RFC 5280 4.2.1.10: GeneralSubtrees ::= SEQUENCE SIZE (1..MAX) */
    if (cl_rd_done(&subtrees)) {
        return false;
    }
    while (!cl_rd_done(&subtrees)) {
        struct cl_rd subtree;
        struct cl_gname base;
        /* "Within this profile, the minimum and maximum fields are not used ... minimum MUST be
         * zero, and maximum MUST be absent": in DER both are absent then. */
        if (!cl_der_get(&subtrees, CL_DER_SEQUENCE, &subtree) || !cl_gname_next(&subtree, &base) ||
            !cl_rd_done(&subtree)) {
            return false;
        }
    }
    return true;
}

static bool parse_name_constraints(struct cleat_cert *cert, struct cl_rd value)
{
    struct cl_rd body;
    bool permitted;
    bool excluded;
    if (!sequence(value, &body) ||
        !cl_der_optional(&body, CL_DER_CTXC(0), &cert->permitted, &permitted) ||
        !cl_der_optional(&body, CL_DER_CTXC(1), &cert->excluded, &excluded) || !cl_rd_done(&body) ||
        (permitted && !subtrees_valid(cert->permitted)) ||
        (excluded && !subtrees_valid(cert->excluded))) {
        return false;
    }
    cl_constraints_kinds(cert->permitted, &cert->permitted_kinds, &cert->odd_kinds);
    cl_constraints_kinds(cert->excluded, &cert->excluded_kinds, &cert->odd_kinds);
    return true;
}

static bool point_name_valid(struct cl_rd name)
{
    struct cl_rd full;
    uint32_t num;
    if (cl_der_peek(&name, CL_DER_CTXC(0))) {
        return cl_der_get(&name, CL_DER_CTXC(0), &full) && cl_rd_done(&name) &&
               cl_gnames_valid(full, &num);
    }
    return cl_der_get(&name, CL_DER_CTXC(1), &full) && cl_rd_done(&name) && !cl_rd_done(&full);
}

static bool points_valid(struct cl_rd points)
{
    while (!cl_rd_done(&points)) {
        struct cl_rd point;
        struct cl_rd name;
        struct cl_rd reasons;
        struct cl_rd issuer;
        struct cl_rd bits;
        bool has_name;
        bool has_reasons;
        bool has_issuer;
        uint8_t num_unused;
        uint32_t num;
        if (!cl_der_get(&points, CL_DER_SEQUENCE, &point) ||
            !cl_der_optional(&point, CL_DER_CTXC(0), &name, &has_name) ||
            !cl_der_optional(&point, CL_DER_CTX(1), &reasons, &has_reasons) ||
            !cl_der_optional(&point, CL_DER_CTXC(2), &issuer, &has_issuer) || !cl_rd_done(&point)) {
            return false;
        }
        /* RFC 5280 4.2.1.13: "a DistributionPoint MUST NOT consist of only the reasons field" */
        if ((!has_name && !has_issuer) || (has_name && !point_name_valid(name)) ||
            (has_reasons && !cl_der_bits_body(reasons, &bits, &num_unused)) ||
            (has_issuer && !cl_gnames_valid(issuer, &num))) {
            return false;
        }
    }
    return true;
}

static bool parse_crl_points(struct cleat_cert *cert, struct cl_rd value)
{
    return sequence(value, &cert->crl_points) && points_valid(cert->crl_points);
}

static bool parse_freshest(struct cleat_cert *cert, struct cl_rd value)
{
    return sequence(value, &cert->freshest) && points_valid(cert->freshest);
}

/* 128: policies of one certificate; they are compared with each other below */
#define MAX_POLICIES 128

static bool parse_policies(struct cleat_cert *cert, struct cl_rd value)
{
    struct cl_rd rest;
    struct cl_rd seen[MAX_POLICIES];
    size_t num = 0;
    if (!sequence(value, &cert->policies)) {
        return false;
    }
    rest = cert->policies;
    while (!cl_rd_done(&rest)) {
        struct cl_rd info;
        struct cl_rd qualifiers;
        bool present;
        if (num == MAX_POLICIES || !cl_der_get(&rest, CL_DER_SEQUENCE, &info) ||
            !cl_der_oid(&info, &seen[num]) ||
            !cl_der_optional(&info, CL_DER_SEQUENCE, &qualifiers, &present) || !cl_rd_done(&info) ||
            (present && cl_rd_done(&qualifiers))) {
            return false;
        }
        /* RFC 5280 4.2.1.4: "A certificate policy OID MUST NOT appear more than once" */
        for (size_t i = 0; i < num; i++) {
            if (cl_rd_equal(seen[i], seen[num])) {
                return false;
            }
        }
        num++;
    }
    return true;
}

static bool parse_mappings(struct cleat_cert *cert, struct cl_rd value)
{
    struct cl_rd rest;
    if (!sequence(value, &cert->mappings)) {
        return false;
    }
    rest = cert->mappings;
    while (!cl_rd_done(&rest)) {
        struct cl_rd pair;
        struct cl_rd oid;
        if (!cl_der_get(&rest, CL_DER_SEQUENCE, &pair) || !cl_der_oid(&pair, &oid) ||
            !cl_der_oid(&pair, &oid) || !cl_rd_done(&pair)) {
            return false;
        }
    }
    return true;
}

static bool parse_aki(struct cleat_cert *cert, struct cl_rd value)
{
    struct cl_rd body;
    struct cl_rd issuer;
    struct cl_rd serial;
    bool has_issuer;
    bool has_serial;
    uint32_t num;
    if (!cl_der_get(&value, CL_DER_SEQUENCE, &body) || !cl_rd_done(&value) ||
        !cl_der_optional(&body, CL_DER_CTX(0), &cert->aki_key_id, &cert->has_aki_key_id) ||
        !cl_der_optional(&body, CL_DER_CTXC(1), &issuer, &has_issuer) ||
        !cl_der_optional(&body, CL_DER_CTX(2), &serial, &has_serial) || !cl_rd_done(&body)) {
        return false;
    }
    cert->aki_full = has_issuer || has_serial;
    /* RFC 5280 4.2.1.1: "authorityCertIssuer and authorityCertSerialNumber MUST both be present or
     * both be absent" */
    return has_issuer == has_serial && (!has_issuer || cl_gnames_valid(issuer, &num));
}

/* The contents of an INTEGER under an implicit tag, saturating: skip counts are small. */
static bool skip_count(struct cl_rd body, uint32_t *out)
{
    uint8_t first;
    struct cl_rd rest = body;
    if (!cl_rd_u8(&rest, &first) || (first & 0x80) != 0 ||
        (first == 0 && rest.len != 0 && (rest.p[0] & 0x80) == 0)) {
        return false;
    }
    uint64_t value = first;
    uint8_t byte;
    while (cl_rd_u8(&rest, &byte)) {
        value = value > UINT16_MAX ? value : value << 8 | byte;
    }
    *out = value > UINT16_MAX ? UINT16_MAX : (uint32_t)value;
    return true;
}

static bool parse_policy_constraints(struct cleat_cert *cert, struct cl_rd value)
{
    struct cl_rd body;
    struct cl_rd explicit_policy;
    struct cl_rd mapping;
    bool has_explicit;
    bool has_mapping;
    return sequence(value, &body) &&
           cl_der_optional(&body, CL_DER_CTX(0), &explicit_policy, &has_explicit) &&
           cl_der_optional(&body, CL_DER_CTX(1), &mapping, &has_mapping) && cl_rd_done(&body) &&
           (!has_explicit || skip_count(explicit_policy, &cert->require_explicit)) &&
           (!has_mapping || skip_count(mapping, &cert->inhibit_mapping));
}

static bool parse_inhibit_any(struct cleat_cert *cert, struct cl_rd value)
{
    struct cl_rd body;
    return cl_der_integer(&value, &body) && cl_rd_done(&value) &&
           skip_count(body, &cert->inhibit_any);
}

static uint8_t eku_bit(enum cl_oid id)
{
    switch (id) {
    case CL_OID_EKU_ANY:
        return CL_EKU_BIT_ANY;
    case CL_OID_EKU_SERVER:
        return CL_EKU_BIT_SERVER;
    case CL_OID_EKU_CLIENT:
        return CL_EKU_BIT_CLIENT;
    case CL_OID_EKU_OCSP:
        return CL_EKU_BIT_OCSP;
    default:
        return CL_EKU_BIT_OTHER;
    }
}

static bool parse_eku(struct cleat_cert *cert, struct cl_rd value)
{
    struct cl_rd rest;
    if (!sequence(value, &cert->ekus)) {
        return false;
    }
    rest = cert->ekus;
    while (!cl_rd_done(&rest)) {
        struct cl_rd oid;
        if (!cl_der_oid(&rest, &oid)) {
            return false;
        }
        cert->ext_key_usages |= eku_bit(cl_oid_find(oid));
    }
    return true;
}

static bool descriptions_valid(struct cl_rd rest)
{
    while (!cl_rd_done(&rest)) {
        struct cl_rd description;
        struct cl_rd oid;
        struct cl_gname where;
        if (!cl_der_get(&rest, CL_DER_SEQUENCE, &description) || !cl_der_oid(&description, &oid) ||
            !cl_gname_next(&description, &where) || !cl_rd_done(&description)) {
            return false;
        }
    }
    return true;
}

static bool parse_aia(struct cleat_cert *cert, struct cl_rd value)
{
    return sequence(value, &cert->aia) && descriptions_valid(cert->aia);
}

static bool parse_sia(struct cleat_cert *cert, struct cl_rd value)
{
    struct cl_rd body;
    (void)cert;
    return sequence(value, &body) && descriptions_valid(body);
}

static bool parse_sct_list(struct cleat_cert *cert, struct cl_rd value)
{
    struct cl_rd list;
    (void)cert;
    return cl_der_get(&value, CL_DER_OCTET_STRING, &list) && cl_rd_done(&value);
}

/* processed: what the extension says is acted upon when a path is checked, so it may be critical.
 */
static const struct {
    parse_fn *parse;
    enum cl_oid id;
    bool processed;
} rows[] = {
    {parse_ski, CL_OID_EXT_SKI, true},
    {parse_key_usage, CL_OID_EXT_KEY_USAGE, true},
    {parse_san, CL_OID_EXT_SAN, true},
    {parse_issuer_alt, CL_OID_EXT_ISSUER_ALT, false},
    {parse_basic, CL_OID_EXT_BASIC, true},
    {parse_name_constraints, CL_OID_EXT_NAME_CONSTRAINTS, true},
    {parse_crl_points, CL_OID_EXT_CRL_POINTS, true},
    {parse_policies, CL_OID_EXT_POLICIES, true},
    {parse_mappings, CL_OID_EXT_MAPPINGS, true},
    {parse_aki, CL_OID_EXT_AKI, true},
    {parse_policy_constraints, CL_OID_EXT_POLICY_CONSTRAINTS, true},
    {parse_eku, CL_OID_EXT_EKU, true},
    {parse_freshest, CL_OID_EXT_FRESHEST_CRL, true},
    {parse_inhibit_any, CL_OID_EXT_INHIBIT_ANY, true},
    {parse_aia, CL_OID_EXT_AIA, false},
    {parse_sia, CL_OID_EXT_SIA, false},
    {parse_sct_list, CL_OID_EXT_SCT_LIST, false},
};
#define NUM_ROWS (sizeof(rows) / sizeof(rows[0]))

bool cl_ext_next(struct cl_rd *r, struct cl_ext *out)
{
    struct cl_rd body;
    out->critical = false;
    if (!cl_der_get(r, CL_DER_SEQUENCE, &body) || !cl_der_oid(&body, &out->oid) ||
        (cl_der_peek(&body, CL_DER_BOOLEAN) && !cl_der_bool(&body, &out->critical)) ||
        !cl_der_get(&body, CL_DER_OCTET_STRING, &out->value) || !cl_rd_done(&body)) {
        return false;
    }
    out->id = cl_oid_find(out->oid);
    return true;
}

static cl_result bad(struct cleat_error *err, const char *section, const char *what,
                     const struct cl_ext *ext)
{
    char name[96] = "";
    if (ext != NULL && err != NULL) {
        cl_oid_describe(ext->oid, name, sizeof(name));
    }
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CERTIFICATE, .section = section},
                        "malformed certificate: %s%s%s", what, name[0] != '\0' ? ": " : "", name);
}

/* One extension: seen before? its form; may it be critical? */
static cl_result one(struct cleat_cert *cert, const struct cl_ext *ext, struct cleat_error *err)
{
    bool processed = false;
    bool known = ext->id != CL_OID_UNKNOWN && ext->id <= CL_OID_LAST_EXT;
    if (known && cl_cert_has(cert, ext->id)) {
        return bad(err, "RFC 5280 4.2", "an extension occurs twice", ext);
    }
    if (known) {
        cert->present |= CL_EXT_BIT(ext->id);
        cert->critical |= ext->critical ? CL_EXT_BIT(ext->id) : 0;
    }
    for (size_t i = 0; i < NUM_ROWS; i++) {
        if (rows[i].id == ext->id) {
            if (!rows[i].parse(cert, ext->value)) {
                return bad(err, "RFC 5280 4.2", "the inside of an extension", ext);
            }
            processed = rows[i].processed;
        }
    }
    if (ext->critical && !processed && cl_rd_done(&cert->unknown_critical)) {
        cert->unknown_critical = ext->oid;
    }
    return CL_OK;
}

cl_result cl_exts_parse(struct cleat_cert *cert, struct cleat_error *err)
{
    struct cl_rd rest = cert->exts;
    struct cl_rd unknown[CL_CERT_MAX_EXTS];
    size_t num_unknown = 0;
    while (!cl_rd_done(&rest)) {
        struct cl_ext ext;
        if (!cl_ext_next(&rest, &ext)) {
            return bad(err, "RFC 5280 4.1", "extensions", NULL);
        }
        if (cert->num_exts == CL_CERT_MAX_EXTS) {
            return bad(err, "", "more extensions than the limit", NULL);
        }
        cert->num_exts++;
        /* RFC 5280 4.2: "A certificate MUST NOT include more than one instance of a particular
         * extension." */
        for (size_t i = 0; i < num_unknown; i++) {
            if (cl_rd_equal(unknown[i], ext.oid)) {
                return bad(err, "RFC 5280 4.2", "an extension occurs twice", &ext);
            }
        }
        if (ext.id == CL_OID_UNKNOWN || ext.id > CL_OID_LAST_EXT) {
            unknown[num_unknown++] = ext.oid;
        }
        CL_TRY(one(cert, &ext, err));
    }
    return CL_OK;
}

/* TLSFeature ::= SEQUENCE OF INTEGER: the numbers of TLS extensions. 5: status_request. */
bool cl_cert_must_staple(const struct cleat_cert *cert)
{
    struct cl_rd exts = cert->exts;
    struct cl_ext ext;
    while (cl_cert_has(cert, CL_OID_EXT_TLS_FEATURE) && cl_ext_next(&exts, &ext)) {
        struct cl_rd list;
        uint32_t feature;
        if (ext.id != CL_OID_EXT_TLS_FEATURE || !cl_der_get(&ext.value, CL_DER_SEQUENCE, &list)) {
            continue;
        }
        while (cl_der_u32(&list, &feature)) {
            if (feature == 5) {
                return true;
            }
        }
    }
    return false;
}
