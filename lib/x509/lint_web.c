/* x509/lint_web.c - findings about certificates that no verifier refuses: how long they are valid,
 * where their status can be asked, what their key may be used for, how their names are written. One
 * table; the levels are in the rows. "Public" is a certificate that was logged (RFC 6962): the
 * Baseline Requirements bind those who made it, and only advise others. */
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "x509/gname.h"
#include "x509/lint.h"
#include "x509/name.h"

#define DAY 86400

void cl_lint_find(const struct cl_linting *how, const struct cl_finding *head, const char *fmt, ...)
{
    struct cl_finding f = *head;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(f.text, sizeof(f.text), fmt, ap);
    va_end(ap);
    cl_text_make_printable(f.text);
    how->sink(how->ctx, &f);
}

/* A rule writes what is wrong into out, and returns true; a level may be raised. */
struct look {
    const struct cl_linting *how;
    const struct cleat_cert *cert;
    enum cl_lint_level level;
    char out[300];
};
typedef bool broken_fn(struct look *l);

static bool say(struct look *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static bool say(struct look *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(l->out, sizeof(l->out), fmt, ap);
    va_end(ap);
    return true;
}

static bool is_public(const struct cleat_cert *cert)
{
    return cl_cert_has(cert, CL_OID_EXT_SCT_LIST) || cl_cert_has(cert, CL_OID_EXT_CT_POISON);
}

/* ---- how long ---- */

/* CABF BR 6.3.2: "on or after" the first, at most so many days. */
static const struct {
    int64_t from;
    int days;
} lifetimes[] = {
    {1868227200, 47},  /* 2029-03-15 */
    {1805068800, 100}, /* 2027-03-15 */
    {1773532800, 200}, /* 2026-03-15 */
    {1598918400, 398}, /* 2020-09-01 */
};

/* Apple refuses more than 825 days also from CAs that its user added (support.apple.com/103769). */
#define ANYBODYS_LIMIT 825

/* Both ends belong to the validity (RFC 5280 4.1.2.5). */
static int64_t days_of(const struct cleat_cert *cert)
{
    return (cert->not_after - cert->not_before + 1 + DAY - 1) / DAY;
}

static bool lifetime(struct look *l)
{
    const int64_t days = days_of(l->cert);
    size_t i = 0;
    while (i < 4 && l->cert->not_before < lifetimes[i].from) {
        i++;
    }
    if (i == 4 || days <= lifetimes[i].days) {
        return false;
    }
    l->level = is_public(l->cert) || days > ANYBODYS_LIMIT ? CL_LINT_ERROR : CL_LINT_NOTICE;
    return say(l, "it is valid for %lld days; public CAs may give %d at its date%s",
               (long long)days, lifetimes[i].days,
               days > ANYBODYS_LIMIT ? ", and Apple's clients refuse more than 825 of any" : "");
}

static bool backwards(struct look *l)
{
    return l->cert->not_after < l->cert->not_before && say(l, "it ends before it begins");
}

static bool unknown_critical(struct look *l)
{
    char oid[80];
    if (l->cert->unknown_critical.len == 0) {
        return false;
    }
    (void)cl_oid_describe(l->cert->unknown_critical, oid, sizeof(oid));
    return say(l, "it has a critical extension that clients do not know: %s", oid);
}

/* ---- the serial number ---- */

static bool serial_entropy(struct look *l)
{
    return l->cert->serial.len < 8 &&
           say(l, "its serial number has %zu bytes, too few for 64 random bits",
               l->cert->serial.len);
}

/* ---- status ---- */

/* CABF BR 1.6.1: seven days at most since 2026-03-15: short-lived */
static bool short_lived(const struct cleat_cert *cert)
{
    return days_of(cert) <= 7;
}

static bool has_ocsp(const struct cleat_cert *cert)
{
    return cleat_cert_ocsp_url(cert, 0, NULL, 0) != 0;
}

static bool no_status(struct look *l)
{
    return !short_lived(l->cert) && l->cert->crl_points.len == 0 && !has_ocsp(l->cert) &&
           say(l, "nobody can ask whether it was revoked: it names neither a list nor a responder");
}

static bool no_issuer_url(struct look *l)
{
    return cleat_cert_ca_issuers_url(l->cert, 0, NULL, 0) == 0 &&
           say(l, "it does not say where its issuer's certificate is");
}

static bool secure_urls(struct look *l)
{
    typedef size_t url_fn(const struct cleat_cert *cert, size_t i, char *out, size_t cap);
    static url_fn *const kinds[] = {cleat_cert_crl_url, cleat_cert_ocsp_url,
                                    cleat_cert_ca_issuers_url};
    char url[200];
    for (size_t k = 0; k < 3; k++) {
        for (size_t i = 0; i < 8 && kinds[k](l->cert, i, url, sizeof(url)) != 0; i++) {
            if (strncmp(url, "https:", 6) == 0) {
                return say(l, "%s is fetched over TLS, whose certificate may need it", url);
            }
        }
    }
    return false;
}

static bool must_staple(struct look *l)
{
    if (!cl_cert_must_staple(l->cert)) {
        return false;
    }
    if (!has_ocsp(l->cert)) {
        l->level = CL_LINT_ERROR;
        return say(l, "clients insist on a stapled response (must-staple), and it names no "
                      "responder to get one from");
    }
    return say(l, "clients insist on a stapled response (must-staple): the server must never be "
                  "without one");
}

static bool not_logged(struct look *l)
{
    return !is_public(l->cert) &&
           say(l, "it has no signed certificate timestamps: from a public CA, Chrome and Safari "
                  "refuse it unless the server sends some");
}

/* ---- keys ---- */

static bool ec_encipherment(struct look *l)
{
    const unsigned bad = CL_KU_KEY_ENCIPHERMENT | CL_KU_DATA_ENCIPHERMENT;
    return !cl_key_is_rsa(l->cert->key_type) && l->cert->key_type != CL_KEY_NONE &&
           cl_cert_has(l->cert, CL_OID_EXT_KEY_USAGE) && (l->cert->key_usage & bad) != 0 &&
           say(l, "its key usage has encipherment, which a key of type %s cannot do",
               cl_key_type_name(l->cert->key_type));
}

static bool rsa_data_encipherment(struct look *l)
{
    return cl_key_is_rsa(l->cert->key_type) && cl_cert_has(l->cert, CL_OID_EXT_KEY_USAGE) &&
           (l->cert->key_usage & CL_KU_DATA_ENCIPHERMENT) != 0 &&
           say(l, "its key usage has dataEncipherment, which TLS never uses");
}

static bool key_known(struct look *l)
{
    return l->cert->key_type == CL_KEY_NONE &&
           say(l, "its key is of a kind that is not known here");
}

static bool client_too(struct look *l)
{
    const unsigned both = CL_EKU_BIT_SERVER | CL_EKU_BIT_CLIENT;
    return (l->cert->ext_key_usages & both) == both &&
           say(l, "it is for clients, too; browsers' root programs end that during 2026");
}

static bool ca_without_eku(struct look *l)
{
    return !cl_cert_has(l->cert, CL_OID_EXT_EKU) &&
           say(l, "an intermediate without extended key usage may issue for anything");
}

/* ---- names ---- */

typedef bool name_test(struct look *l, const struct cl_gname *name);

static bool any_name(struct look *l, name_test *test)
{
    struct cl_rd names = l->cert->san;
    struct cl_gname name;
    while (cl_gname_next(&names, &name)) {
        if (test(l, &name)) {
            return true;
        }
    }
    return false;
}

static bool has_underscore(struct look *l, const struct cl_gname *name)
{
    return name->kind == CLEAT_SAN_DNS && name->value.len != 0 &&
           memchr(name->value.p, '_', name->value.len) != NULL &&
           say(l, "%.*s has an underscore", (int)name->value.len, (const char *)name->value.p);
}

static bool underscore(struct look *l)
{
    return any_name(l, has_underscore);
}

/* RFC 6125 6.4.3 and RFC 9525 6.3: the whole leftmost label, and no other. */
static bool is_odd_wildcard(struct look *l, const struct cl_gname *name)
{
    struct cl_rd v = name->value;
    if (name->kind != CLEAT_SAN_DNS || v.len == 0 || memchr(v.p, '*', v.len) == NULL) {
        return false;
    }
    return (v.len < 3 || v.p[0] != '*' || v.p[1] != '.' ||
            memchr(v.p + 1, '*', v.len - 1) != NULL) &&
           say(l, "%.*s: a wildcard is the whole first label", (int)v.len, (const char *)v.p);
}

static bool odd_wildcard(struct look *l)
{
    return any_name(l, is_odd_wildcard);
}

/* RFC 6761, 6762 and the like: names that exist in no public zone. */
static bool is_internal(struct look *l, const struct cl_gname *name)
{
    static const char *const suffixes[] = {".local",   ".localhost", ".internal", ".test",
                                           ".invalid", ".home.arpa", ".lan",      ".example"};
    struct cl_rd v = name->value;
    if (name->kind != CLEAT_SAN_DNS || v.len == 0) {
        return false;
    }
    bool internal = memchr(v.p, '.', v.len) == NULL;
    for (size_t i = 0; !internal && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        const size_t len = strlen(suffixes[i]);
        internal = v.len > len &&
                   cl_ascii_equal_fold(cl_rd_of(v.p + v.len - len, len), cl_rd_str(suffixes[i]));
    }
    return internal &&
           say(l, "%.*s is a name that no public CA may certify", (int)v.len, (const char *)v.p);
}

static bool internal_name(struct look *l)
{
    return any_name(l, is_internal);
}

static bool repeated_name(struct look *l)
{
    struct cl_rd outer = l->cert->san;
    struct cl_gname a;
    /* 500: more are compared by nobody */
    for (size_t n = 0; n < 500 && cl_gname_next(&outer, &a); n++) {
        struct cl_rd inner = outer;
        struct cl_gname b;
        for (size_t k = 0; k < 500 && cl_gname_next(&inner, &b); k++) {
            if (a.kind == b.kind && cl_rd_equal(a.value, b.value)) {
                char text[200];
                (void)cl_gname_text(&a, text, sizeof(text));
                return say(l, "%s is there twice", text);
            }
        }
    }
    return false;
}

static bool has_attr(const struct cleat_cert *cert, enum cl_oid id, struct cl_attr *out)
{
    struct cl_rd rest = cert->subject.rdns;
    struct cl_rd set = {0};
    while (cl_name_attr(&rest, &set, out)) {
        if (out->id == id) {
            return true;
        }
    }
    return false;
}

static bool country(struct look *l)
{
    struct cl_attr attr;
    return has_attr(l->cert, CL_OID_AT_C, &attr) &&
           (attr.tag != CL_DER_PRINTABLE_STRING || attr.value.len != 2) &&
           say(l, "its countryName is not a PrintableString of two letters");
}

static bool organizational_unit(struct look *l)
{
    struct cl_attr attr;
    return is_public(l->cert) && has_attr(l->cert, CL_OID_AT_OU, &attr) &&
           say(l, "its subject has an organizational unit, which nobody can validate");
}

static bool no_policy(struct look *l)
{
    return is_public(l->cert) && l->cert->policies.len == 0 &&
           say(l, "it has no certificate policies");
}

#define LEAF    CL_ROLE_LEAF
#define CA      CL_ROLE_CA
#define ALL     (LEAF | CA | CL_ROLE_ANCHOR)
#define ANY     false
#define WEB     true
#define E       CL_LINT_ERROR
#define W       CL_LINT_WARNING
#define N       CL_LINT_NOTICE
#define R(name) name, #name

static const struct row {
    broken_fn *broken;
    const char *rule;
    bool web;
    unsigned roles;
    enum cl_lint_level level;
    const char *section;
    const char *fix;
} rows[] = {
    {R(backwards), ANY, ALL, E, "RFC 5280 4.1.2.5", "have it issued anew"},
    {R(unknown_critical), ANY, ALL, E, "RFC 5280 4.2",
     "clients refuse it: leave it out, or not critical"},
    {R(lifetime), WEB, LEAF, E, "CABF BR 6.3.2", "renew more often, by a program"},
    {R(serial_entropy), WEB, LEAF | CA, W, "CABF BR 7.1", "16 random bytes are usual"},
    {R(no_status), WEB, LEAF | CA, N, "CABF BR 7.1.2.11.2",
     "fine within one's own CA; cleat cert sign --crl-url, --ocsp-url"},
    {R(no_issuer_url), WEB, LEAF | CA, N, "RFC 5280 4.2.2.1",
     "clients that lack the intermediate cannot fetch it; cleat cert sign --issuer-url"},
    {R(secure_urls), ANY, ALL, W, "RFC 5280 8", "publish lists and certificates over http://"},
    {R(must_staple), ANY, LEAF, N, "RFC 7633 4", "cleat serve staples by itself"},
    {R(not_logged), WEB, LEAF, N, "RFC 6962 3.3", "fine from a CA of one's own"},
    {R(ec_encipherment), ANY, LEAF, W, "RFC 8813 3", "digitalSignature alone"},
    {R(rsa_data_encipherment), WEB, LEAF, W, "CABF BR 7.1.2.7.11", "leave it out"},
    {R(key_known), ANY, ALL, W, "RFC 5280 4.1.2.7", "ECDSA P-256, or RSA of 2048 bits or more"},
    {R(client_too), WEB, LEAF, N, "CABF BR 7.1.2.7.10",
     "take a certificate of its own for clients"},
    {R(ca_without_eku), WEB, CA, N, "CABF BR 7.1.2.10.6", "public CAs must limit it"},
    {R(underscore), ANY, LEAF, E, "CABF BR 7.1.4.2.1",
     "choose a name with letters, digits, hyphens"},
    {R(odd_wildcard), ANY, LEAF, E, "RFC 9525 6.3", "\"*.\" and a whole domain"},
    {R(internal_name), WEB, LEAF, N, "CABF BR 7.1.4.2.1", "fine from a CA of one's own"},
    {R(repeated_name), ANY, LEAF, W, "RFC 5280 4.2.1.6", "name it once"},
    {R(country), ANY, ALL, E, "RFC 5280 A.1", "the two letters of ISO 3166-1"},
    {R(organizational_unit), WEB, LEAF, W, "CABF BR 7.1.2.7.2", "leave it out"},
    {R(no_policy), WEB, LEAF, W, "CABF BR 7.1.2.7.9", "have it issued anew"},
};

static void look_over(const struct cl_linting *how, const struct cleat_cert *cert, unsigned role,
                      const char *only_section)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        struct look l = {.how = how, .cert = cert, .level = row->level};
        if ((row->web && !how->web) || (row->roles & role) == 0 ||
            (only_section != NULL && strcmp(row->section, only_section) != 0) || !row->broken(&l)) {
            continue;
        }
        const struct cl_finding head = {
            .rule = row->rule, .level = l.level, .section = row->section, .fix = row->fix};
        cl_lint_find(how, &head, "%s", l.out);
    }
}

void cl_lint_cert(const struct cl_linting *how, const struct cleat_cert *cert)
{
    cl_lint_profile(how, cert);
    look_over(how, cert, cl_lint_role(cert), NULL);
}

/* Of what a request asks for the names and the key's use count; the rest is the CA's to decide. */
void cl_lint_wanted(const struct cl_linting *how, const struct cleat_cert *wanted)
{
    static const char *const sections[] = {"CABF BR 7.1.4.2.1", "RFC 9525 6.3", "RFC 5280 4.2.1.6",
                                           "RFC 5280 A.1",      "RFC 8813 3",   "RFC 5280 4.1.2.7"};
    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
        look_over(how, wanted, LEAF, sections[i]);
    }
}
