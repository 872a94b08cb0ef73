/* x509/lint.c - what RFC 5280 4 and the CA/Browser Forum's Baseline Requirements (version 2) demand
 * of a certificate itself, beyond what validating a path (RFC 5280 6) demands: one table, a row per
 * rule. The policy CLEAT_POLICY_DEFAULT has no rows: these are duties of whoever issues
 * certificates, and deployed private PKIs neglect them without harm. An anchor is trusted for other
 * reasons than its form (RFC 5280 6.1.1 (d)), and every store has roots older than some of these
 * rules: fewer are asked of it. */
#include "x509/lint.h"

#include "base/text.h"
#include "x509/gname.h"
#include "x509/name.h"

struct subject {
    const struct cleat_cert *cert;
    const struct cleat_suffix_list *suffixes;
};

typedef bool rule_fn(const struct subject *s);

static bool absent_or_not_critical(const struct cleat_cert *cert, enum cl_oid ext)
{
    return !cl_cert_is_critical(cert, ext);
}

static bool absent_or_critical(const struct cleat_cert *cert, enum cl_oid ext)
{
    return !cl_cert_has(cert, ext) || cl_cert_is_critical(cert, ext);
}

static bool is_root(const struct cleat_cert *cert)
{
    return cert->self_issued;
}

static bool v3(const struct subject *s)
{
    return s->cert->version == 3;
}

static bool serial_positive(const struct subject *s)
{
    return (s->cert->odd & CL_ODD_SERIAL_SIGN) == 0;
}

static bool serial_short(const struct subject *s)
{
    return (s->cert->odd & CL_ODD_SERIAL_LENGTH) == 0;
}

static bool time_choice(const struct subject *s)
{
    return (s->cert->odd & CL_ODD_TIME_CHOICE) == 0;
}

static bool no_unique_ids(const struct subject *s)
{
    return (s->cert->odd & CL_ODD_UNIQUE_ID) == 0;
}

static bool has_issuer(const struct subject *s)
{
    return !cl_name_empty(&s->cert->issuer);
}

static bool has_subject(const struct subject *s)
{
    return !cl_name_empty(&s->cert->subject);
}

static bool san_critical_without_subject(const struct subject *s)
{
    return has_subject(s) ||
           (cl_cert_has(s->cert, CL_OID_EXT_SAN) && cl_cert_is_critical(s->cert, CL_OID_EXT_SAN));
}

static bool san_not_critical_with_subject(const struct subject *s)
{
    return !has_subject(s) || absent_or_not_critical(s->cert, CL_OID_EXT_SAN);
}

static bool aki_key_id(const struct subject *s)
{
    return is_root(s->cert) || s->cert->has_aki_key_id;
}

static bool aki_not_empty(const struct subject *s)
{
    return !cl_cert_has(s->cert, CL_OID_EXT_AKI) || s->cert->has_aki_key_id;
}

static bool aki_not_critical(const struct subject *s)
{
    return absent_or_not_critical(s->cert, CL_OID_EXT_AKI);
}

static bool aki_key_id_only(const struct subject *s)
{
    return !s->cert->aki_full;
}

static bool root_aki_is_ski(const struct subject *s)
{
    const struct cleat_cert *cert = s->cert;
    return !is_root(cert) || !cert->has_aki_key_id || cl_rd_equal(cert->aki_key_id, cert->ski);
}

static bool has_ski(const struct subject *s)
{
    return s->cert->version < 3 || cl_cert_has(s->cert, CL_OID_EXT_SKI);
}

static bool ski_not_critical(const struct subject *s)
{
    return absent_or_not_critical(s->cert, CL_OID_EXT_SKI);
}

static bool basic_critical(const struct subject *s)
{
    return s->cert->version < 3 || (cl_cert_has(s->cert, CL_OID_EXT_BASIC) &&
                                    cl_cert_is_critical(s->cert, CL_OID_EXT_BASIC));
}

static bool has_key_usage(const struct subject *s)
{
    return s->cert->version < 3 || cl_cert_has(s->cert, CL_OID_EXT_KEY_USAGE);
}

static bool path_len_of_ca(const struct subject *s)
{
    return s->cert->path_len < 0 ||
           (s->cert->is_ca && (!cl_cert_has(s->cert, CL_OID_EXT_KEY_USAGE) ||
                               (s->cert->key_usage & CL_KU_KEY_CERT_SIGN) != 0));
}

static bool cert_sign_of_ca(const struct subject *s)
{
    return s->cert->is_ca || !cl_cert_has(s->cert, CL_OID_EXT_KEY_USAGE) ||
           (s->cert->key_usage & CL_KU_KEY_CERT_SIGN) == 0;
}

static bool constraints_critical(const struct subject *s)
{
    return absent_or_critical(s->cert, CL_OID_EXT_NAME_CONSTRAINTS);
}

static bool constraints_of_ca(const struct subject *s)
{
    return s->cert->is_ca || !cl_cert_has(s->cert, CL_OID_EXT_NAME_CONSTRAINTS);
}

static bool constraints_form(const struct subject *s)
{
    return cl_constraints_form(s->cert);
}

static bool policy_constraints_critical(const struct subject *s)
{
    return absent_or_critical(s->cert, CL_OID_EXT_POLICY_CONSTRAINTS);
}

static bool inhibit_any_critical(const struct subject *s)
{
    return absent_or_critical(s->cert, CL_OID_EXT_INHIBIT_ANY);
}

static bool info_access_not_critical(const struct subject *s)
{
    return absent_or_not_critical(s->cert, CL_OID_EXT_AIA) &&
           absent_or_not_critical(s->cert, CL_OID_EXT_SIA);
}

static bool others_not_critical(const struct subject *s)
{
    return absent_or_not_critical(s->cert, CL_OID_EXT_FRESHEST_CRL) &&
           absent_or_not_critical(s->cert, CL_OID_EXT_SUBJECT_DIRECTORY);
}

static bool ldh_dns_names(const struct subject *s)
{
    struct cl_rd names = s->cert->san;
    struct cl_gname name;
    while (cl_gname_next(&names, &name)) {
        if (name.kind == CLEAT_SAN_DNS && !cl_dns_valid(name.value, true)) {
            return false;
        }
    }
    return true;
}

static bool mailboxes(const struct subject *s)
{
    struct cl_rd names = s->cert->san;
    struct cl_rd local;
    struct cl_rd domain;
    struct cl_gname name;
    while (cl_gname_next(&names, &name)) {
        if (name.kind == CLEAT_SAN_EMAIL && !cl_email_split(name.value, &local, &domain)) {
            return false;
        }
    }
    return true;
}

static bool has_san(const struct subject *s)
{
    return cl_cert_has(s->cert, CL_OID_EXT_SAN);
}

static bool dns_and_ip_only(const struct subject *s)
{
    struct cl_rd names = s->cert->san;
    struct cl_gname name;
    while (cl_gname_next(&names, &name)) {
        if (name.kind != CLEAT_SAN_DNS && name.kind != CLEAT_SAN_IP) {
            return false;
        }
    }
    return true;
}

/* Without a list, what is known is that every top-level domain is a public suffix. */
static bool no_public_wildcard(const struct subject *s)
{
    struct cl_rd names = s->cert->san;
    struct cl_gname name;
    while (cl_gname_next(&names, &name)) {
        if (name.kind != CLEAT_SAN_DNS || name.value.len == 0 || name.value.p[0] != '*') {
            continue;
        }
        if (!cl_rd_skip(&name.value, name.value.len < 2 ? name.value.len : 2) ||
            memchr(name.value.p, '.', name.value.len) == NULL ||
            (s->suffixes != NULL &&
             cleat_suffix_list_has(s->suffixes, (const char *)name.value.p, name.value.len))) {
            return false;
        }
    }
    return true;
}

/* One common name, character for character one of the SANs; an IP address in its one textual form.
 */
static bool common_name_in_san(const struct subject *s)
{
    struct cl_rd rest = s->cert->subject.rdns;
    struct cl_rd set = {0};
    struct cl_attr attr;
    size_t num = 0;
    while (cl_name_attr(&rest, &set, &attr)) {
        char text[300];
        bool found = false;
        struct cl_rd names = s->cert->san;
        struct cl_gname name;
        if (attr.id != CL_OID_AT_CN) {
            continue;
        }
        if (++num > 1) {
            return false;
        }
        size_t len = cl_attr_text(&attr, text, sizeof(text));
        while (!found && cl_gname_next(&names, &name)) {
            char san[300];
            size_t san_len = cl_gname_text(&name, san, sizeof(san));
            found = (name.kind == CLEAT_SAN_DNS || name.kind == CLEAT_SAN_IP) && len == san_len &&
                    len < sizeof(text) && memcmp(text, san, len) == 0;
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static bool has_eku(const struct subject *s)
{
    return cl_cert_has(s->cert, CL_OID_EXT_EKU);
}

static bool no_eku(const struct subject *s)
{
    return !has_eku(s);
}

static bool eku_not_critical(const struct subject *s)
{
    return absent_or_not_critical(s->cert, CL_OID_EXT_EKU);
}

static bool no_any_eku(const struct subject *s)
{
    return (s->cert->ext_key_usages & CL_EKU_BIT_ANY) == 0;
}

static bool not_a_ca(const struct subject *s)
{
    return !s->cert->is_ca;
}

static bool rsa_whole_bytes(const struct subject *s)
{
    const struct cl_pubkey *key;
    if (s->cert->key_type != CL_KEY_RSA && s->cert->key_type != CL_KEY_RSA_PSS) {
        return true;
    }
    return cl_cert_pubkey(s->cert, &key) == CL_OK && cl_pubkey_bits(key) % 8 == 0;
}

#define R      (1u << CLEAT_POLICY_RFC5280)
#define S      (1u << CLEAT_POLICY_WEBPKI_STRICT)
#define W      (1u << CLEAT_POLICY_WEBPKI | S)
#define LEAF   CL_ROLE_LEAF
#define CA     CL_ROLE_CA
#define ANCHOR CL_ROLE_ANCHOR
#define ALL    (LEAF | CA | ANCHOR)

/* A rule is called as its function is. */
#define RULE(name) name, #name

static const struct row {
    rule_fn *holds;
    const char *rule; /* its name in findings */
    unsigned policies;
    unsigned roles;
    cl_result code;
    const char *section;
    const char *what;
} rows[] = {
    {RULE(v3), R | W, LEAF | CA, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.1.2.1",
     "it is not version 3"},
    {RULE(serial_positive), R | W, LEAF | CA, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.1.2.2",
     "its serial number is zero or negative"},
    {RULE(serial_short), R | W, LEAF | CA, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.1.2.2",
     "its serial number has more than 20 bytes"},
    {RULE(has_issuer), R | W, ALL, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.1.2.4",
     "its issuer name is empty"},
    {RULE(time_choice), R | W, LEAF | CA, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.1.2.5",
     "a date before 2050 is a GeneralizedTime"},
    {RULE(has_subject), R | W, CA | ANCHOR, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.1.2.6",
     "a CA's subject name is empty"},
    {RULE(no_unique_ids), R | W, ALL, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.1.2.8",
     "it has a unique identifier"},
    {RULE(aki_key_id), R | W, ALL, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.2.1.1",
     "it has no authority key identifier"},
    {RULE(aki_not_empty), R | W, ALL, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.2.1.1",
     "its authority key identifier has no keyIdentifier"},
    {RULE(aki_not_critical), R | W, ALL, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.2.1.1",
     "its authority key identifier is critical"},
    {RULE(aki_key_id_only), W, ANCHOR, CLEAT_ERR_BAD_CERTIFICATE, "CABF BR 7.1.2.11.1",
     "its authority key identifier names issuer or serial number"},
    {RULE(root_aki_is_ski), R | W, ANCHOR, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.2.1.1",
     "a root's authority key identifier is not its subject key identifier"},
    {RULE(has_ski), R | W, CA, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.2.1.2",
     "a CA has no subject key identifier"},
    {RULE(has_ski), R, ANCHOR, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.2.1.2",
     "a root has no subject key identifier"},
    {RULE(ski_not_critical), R | W, ALL, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.2.1.2",
     "its subject key identifier is critical"},
    {RULE(has_key_usage), R | W, CA, CLEAT_ERR_BAD_KEY_USAGE, "RFC 5280 4.2.1.3",
     "a CA has no key usage"},
    {RULE(cert_sign_of_ca), R | W, ALL, CLEAT_ERR_BAD_KEY_USAGE, "RFC 5280 4.2.1.9",
     "its key usage has keyCertSign, but it is not a CA"},
    {RULE(basic_critical), R | W, CA | ANCHOR, CLEAT_ERR_NOT_A_CA, "RFC 5280 4.2.1.9",
     "a CA's basic constraints are missing or not critical"},
    {RULE(path_len_of_ca), R | W, ALL, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.2.1.9",
     "it has a path length, but may not sign certificates"},
    {RULE(san_critical_without_subject), R | W, LEAF, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.2.1.6",
     "its subject is empty and no critical subject alternative name takes its place"},
    {RULE(ldh_dns_names), R | W, ALL, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.2.1.6",
     "a DNS name is not in preferred name syntax (letters, digits, hyphens)"},
    {RULE(mailboxes), R | W, ALL, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.2.1.6",
     "an rfc822Name is not a mailbox"},
    {RULE(constraints_critical), R, CA | ANCHOR, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.2.1.10",
     "its name constraints are not critical"},
    {RULE(constraints_of_ca), R | W, ALL, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.2.1.10",
     "it has name constraints, but is not a CA"},
    {RULE(constraints_form), R | W, ALL, CLEAT_ERR_NAME_CONSTRAINT, "RFC 5280 4.2.1.10",
     "a base of its name constraints is malformed"},
    {RULE(policy_constraints_critical), R | W, ALL, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.2.1.11",
     "its policy constraints are not critical"},
    {RULE(inhibit_any_critical), R | W, ALL, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.2.1.14",
     "its inhibitAnyPolicy is not critical"},
    {RULE(info_access_not_critical), R | W, ALL, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.2.2",
     "its authority or subject information access is critical"},
    {RULE(others_not_critical), R | W, ALL, CLEAT_ERR_BAD_CERTIFICATE, "RFC 5280 4.2.1",
     "an extension is critical that must not be"},

    {RULE(has_san), W, LEAF, CLEAT_ERR_BAD_CERTIFICATE, "CABF BR 7.1.2.7.12",
     "it has no subject alternative name"},
    {RULE(dns_and_ip_only), W, LEAF, CLEAT_ERR_BAD_CERTIFICATE, "CABF BR 7.1.2.7.12",
     "a subject alternative name is neither a DNS name nor an IP address"},
    {RULE(san_not_critical_with_subject), W, LEAF, CLEAT_ERR_BAD_CERTIFICATE, "CABF BR 7.1.2.7.12",
     "its subject alternative name is critical though it has a subject"},
    {RULE(no_public_wildcard), S, LEAF, CLEAT_ERR_BAD_CERTIFICATE, "CABF BR 3.2.2.6",
     "a wildcard stands directly below a public suffix"},
    {RULE(common_name_in_san), S, LEAF, CLEAT_ERR_BAD_CERTIFICATE, "CABF BR 7.1.4.3",
     "its common name is not exactly one of its subject alternative names"},
    {RULE(has_eku), S, LEAF, CLEAT_ERR_BAD_KEY_USAGE, "CABF BR 7.1.2.7.10",
     "it has no extended key usage"},
    {RULE(eku_not_critical), S, LEAF, CLEAT_ERR_BAD_KEY_USAGE, "CABF BR 7.1.2.7.6",
     "its extended key usage is critical"},
    {RULE(no_any_eku), W, LEAF, CLEAT_ERR_BAD_KEY_USAGE, "CABF BR 7.1.2.7.10",
     "its extended key usage has anyExtendedKeyUsage"},
    {RULE(not_a_ca), W, LEAF, CLEAT_ERR_BAD_CERTIFICATE, "CABF BR 7.1.2.7.8",
     "a CA certificate is used for a server"},
    {RULE(no_eku), S, ANCHOR, CLEAT_ERR_BAD_KEY_USAGE, "CABF BR 7.1.2.1.2",
     "a root has an extended key usage"},
    {RULE(rsa_whole_bytes), W, ALL, CLEAT_ERR_WEAK_KEY, "CABF BR 6.1.5",
     "its RSA modulus is not a whole number of bytes"},
};

bool cl_lint(const struct cleat_cert *cert, enum cl_role role, enum cleat_policy policy,
             const struct cleat_suffix_list *suffixes, size_t depth, struct cl_fail *fail)
{
    struct subject s = {.cert = cert, .suffixes = suffixes};
    if (policy == CLEAT_POLICY_DEFAULT) {
        return true;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if ((rows[i].policies & 1u << policy) == 0 || (rows[i].roles & (unsigned)role) == 0 ||
            rows[i].holds(&s)) {
            continue;
        }
        return cl_fail_set(fail, rows[i].code, CL_CHECK_PROFILE, depth, rows[i].section,
                           "the certificate does not keep to the rules of the chosen policy; it "
                           "must be issued anew",
                           "%s", rows[i].what);
    }
    return true;
}

/* ---- findings ---- */

enum cl_role cl_lint_role(const struct cleat_cert *cert)
{
    return !cert->is_ca ? CL_ROLE_LEAF : cert->self_issued ? CL_ROLE_ANCHOR : CL_ROLE_CA;
}

void cl_lint_profile(const struct cl_linting *how, const struct cleat_cert *cert)
{
    const struct subject s = {.cert = cert, .suffixes = how->suffixes};
    const enum cl_role role = cl_lint_role(cert);
    const unsigned policies = how->web ? R | W : R;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        if ((row->policies & policies) == 0 || (row->roles & (unsigned)role) == 0 ||
            row->holds(&s)) {
            continue;
        }
        /* What only the strict policy asks for is neglected without harm. */
        const struct cl_finding head = {
            .rule = row->rule,
            .level = row->policies == S || role == CL_ROLE_ANCHOR ? CL_LINT_WARNING : CL_LINT_ERROR,
            .section = row->section,
            .fix = "have it issued anew"};
        cl_lint_find(how, &head, "%s", row->what);
    }
}
