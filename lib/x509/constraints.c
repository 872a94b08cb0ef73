/* x509/constraints.c - name constraints (RFC 5280 4.2.1.10, 6.1.3 (b) and (c)).
 *
 * Instead of carrying permitted and excluded sets down the path, every certificate's names are
 * compared with the constraints of every certificate above it: the same result, no sets to
 * intersect. The number of comparisons is bounded. What cannot be judged - a malformed base, a
 * malformed name of a constrained kind, a kind whose matching RFC 5280 does not define - is
 * refused.
 */
#include "x509/path.h"

#include "base/text.h"
#include "x509/gname.h"
#include "x509/name.h"

/* A name of a certificate below, and which certificate it is from. */
struct subject_name {
    struct cl_gname name;
    size_t depth;
};

/* Takes a GeneralName whose form was checked when the certificate was parsed. */
static bool take(struct cl_rd *r, struct cl_gname *out)
{
    uint8_t tag;
    if (!cl_der_any(r, &tag, &out->value, NULL)) {
        return false;
    }
    out->kind = (enum cleat_san_kind)(tag & 0x1f);
    if (out->kind == CLEAT_SAN_DIRECTORY) {
        struct cl_rd inner = out->value;
        return cl_der_get(&inner, CL_DER_SEQUENCE, &out->value);
    }
    return true;
}

/* name is base, or ends in "." base. */
static bool within_domain(struct cl_rd name, struct cl_rd base, bool *proper)
{
    *proper = name.len > base.len;
    if (name.len < base.len) {
        return false;
    }
    struct cl_rd tail = name;
    if (!cl_rd_skip(&tail, name.len - base.len) || !cl_ascii_equal_fold(tail, base)) {
        return false;
    }
    return !*proper || name.p[name.len - base.len - 1] == '.';
}

/* Names with underscores are no host names, but they are deployed and can be compared all the same.
 */
static bool comparable_dns(struct cl_rd name)
{
    uint8_t copy[256];
    if (name.len == 0 || name.len > sizeof(copy)) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        copy[i] = name.p[i] == '_' ? 'x' : name.p[i];
    }
    return cl_dns_valid(cl_rd_of(copy, name.len), true);
}

/* base without its dot, if it begins with one. ".example.com" is not in RFC 5280, but deployed. It
 * is read so that it permits the least (subdomains) and excludes the most (the domain too). */
static bool undot(struct cl_rd *base)
{
    return base->len != 0 && base->p[0] == '.' && cl_rd_skip(base, 1);
}

static bool match_dns(struct cl_rd name, struct cl_rd base, bool excluded)
{
    bool proper;
    bool dotted = undot(&base);
    if (base.len == 0) {
        return true;
    }
    if (within_domain(name, base, &proper)) {
        return !dotted || excluded || proper;
    }
    /* "*.example.com" could stand for an excluded "bar.example.com". */
    if (excluded && name.p[0] == '*') {
        struct cl_rd parent = name;
        const uint8_t *dot = memchr(base.p, '.', base.len);
        struct cl_rd base_parent = base;
        return dot != NULL && cl_rd_skip(&parent, 2) &&
               cl_rd_skip(&base_parent, (size_t)(dot - base.p) + 1) &&
               cl_ascii_equal_fold(parent, base_parent);
    }
    return false;
}

static bool mask_valid(struct cl_rd mask)
{
    bool ended = false;
    uint8_t byte;
    while (cl_rd_u8(&mask, &byte)) {
        for (int bit = 7; bit >= 0; bit--) {
            bool one = (byte >> bit & 1) != 0;
            if (one && ended) {
                return false;
            }
            ended = ended || !one;
        }
    }
    return true;
}

static bool match_ip(struct cl_rd name, struct cl_rd base)
{
    size_t len = base.len / 2;
    if (name.len != len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (((name.p[i] ^ base.p[i]) & base.p[len + i]) != 0) {
            return false;
        }
    }
    return true;
}

/* A host against "host" (itself only) or ".domain" (what lies below): mailboxes and URIs. */
static bool match_host(struct cl_rd host, struct cl_rd base)
{
    bool proper;
    return undot(&base) ? within_domain(host, base, &proper) && proper
                        : cl_ascii_equal_fold(host, base);
}

static bool match_email(struct cl_rd name, struct cl_rd base)
{
    struct cl_rd local;
    struct cl_rd host;
    struct cl_rd base_local;
    struct cl_rd base_host;
    if (base.len == 0) {
        return true;
    }
    if (!cl_email_split(name, &local, &host)) {
        return false;
    }
    if (memchr(base.p, '@', base.len) == NULL) {
        return match_host(host, base);
    }
    return cl_email_split(base, &base_local, &base_host) && cl_rd_equal(local, base_local) &&
           cl_ascii_equal_fold(host, base_host);
}

/* The host of "scheme://user@host:port/…". RFC 5280 4.2.1.10: a URI without an authority, or with
 * an IP address for a host, is refused when there is a constraint on URIs. */
static bool uri_host(struct cl_rd uri, struct cl_rd *host)
{
    uint8_t c;
    do {
        if (!cl_rd_u8(&uri, &c)) {
            return false;
        }
    } while (c != ':');
    struct cl_rd slashes;
    if (!cl_rd_take(&uri, 2, &slashes) || !cl_rd_equal_str(slashes, "//")) {
        return false;
    }
    size_t end = 0;
    while (end < uri.len && strchr("/?#", uri.p[end]) == NULL) {
        end++;
    }
    uri.len = end;
    const uint8_t *at = uri.len != 0 ? memrchr(uri.p, '@', uri.len) : NULL;
    if (at != NULL && !cl_rd_skip(&uri, (size_t)(at - uri.p) + 1)) {
        return false;
    }
    const uint8_t *colon = uri.len != 0 ? memchr(uri.p, ':', uri.len) : NULL;
    *host = cl_rd_of(uri.p, colon != NULL ? (size_t)(colon - uri.p) : uri.len);
    return cl_dns_valid(*host, false);
}

static bool match_uri(struct cl_rd name, struct cl_rd base)
{
    struct cl_rd host;
    return uri_host(name, &host) && match_host(host, base);
}

static bool match(const struct cl_gname *name, const struct cl_gname *base, bool excluded,
                  uint32_t *work)
{
    switch (name->kind) {
    case CLEAT_SAN_DNS:
        return match_dns(name->value, base->value, excluded);
    case CLEAT_SAN_IP:
        return match_ip(name->value, base->value);
    case CLEAT_SAN_EMAIL:
        return match_email(name->value, base->value);
    case CLEAT_SAN_URI:
        return match_uri(name->value, base->value);
    case CLEAT_SAN_DIRECTORY:
        return cl_name_within(name->value, base->value, work);
    default:
        return false; /* kept out by comparable() and cl_constraints_kinds() */
    }
}

/* Can this name be judged by constraints of its kind? "the application MUST either process the
 * constraint or reject the certificate" */
static bool comparable(const struct cl_gname *name)
{
    struct cl_rd local;
    struct cl_rd host;
    switch (name->kind) {
    case CLEAT_SAN_DNS:
        return comparable_dns(name->value);
    case CLEAT_SAN_IP:
        return name->value.len == 4 || name->value.len == 16;
    case CLEAT_SAN_EMAIL:
        return cl_email_split(name->value, &local, &host);
    case CLEAT_SAN_URI:
        return uri_host(name->value, &host);
    default:
        return name->kind == CLEAT_SAN_DIRECTORY;
    }
}

/* Is one base of the list a match for the name? */
static bool match_list(const struct cl_gname *name, struct cl_rd subtrees, bool excluded,
                       uint32_t *work)
{
    struct cl_rd subtree;
    struct cl_gname base;
    while (*work <= CL_VERIFY_MAX_NAME_COMPARISONS &&
           cl_der_get(&subtrees, CL_DER_SEQUENCE, &subtree) && take(&subtree, &base)) {
        (*work)++;
        if (base.kind == name->kind && match(name, &base, excluded, work)) {
            return true;
        }
    }
    return false;
}

static bool refuse(struct cl_fail *fail, const struct subject_name *name,
                   const struct cleat_cert *ca, const char *what, const char *openssl)
{
    char text[160] = "";
    char label[CL_LABEL_MAX] = "";
    if (cl_fail_wanted(fail)) {
        cl_gname_text(&name->name, text, sizeof(text));
        cl_cert_label(ca, label);
    }
    fail->openssl = openssl;
    return cl_fail_set(fail, CLEAT_ERR_NAME_CONSTRAINT, CL_CHECK_NAME_CONSTRAINTS, name->depth,
                       NULL,
                       "the issuing CA may not issue for this name; a certificate from another CA "
                       "is needed",
                       "its %s name %s %s the name constraints of %s",
                       cleat_san_kind_name(name->name.kind), text, what, label);
}

static bool check_name(const struct subject_name *name, const struct cleat_cert *ca, uint32_t *work,
                       struct cl_fail *fail)
{
    unsigned kind = 1u << name->name.kind;
    if (((ca->permitted_kinds | ca->excluded_kinds) & kind) == 0) {
        return true;
    }
    if ((ca->odd_kinds & kind) != 0 || !comparable(&name->name)) {
        return refuse(fail, name, ca, "cannot be compared with", "UNSUPPORTED_NAME_SYNTAX");
    }
    if ((ca->excluded_kinds & kind) != 0 && match_list(&name->name, ca->excluded, true, work)) {
        return refuse(fail, name, ca, "is excluded by", "EXCLUDED_VIOLATION");
    }
    bool permitted =
        (ca->permitted_kinds & kind) == 0 || match_list(&name->name, ca->permitted, false, work);
    if (*work > CL_VERIFY_MAX_NAME_COMPARISONS) {
        return cl_fail_set(fail, CLEAT_ERR_TOO_COMPLEX, CL_CHECK_NAME_CONSTRAINTS, name->depth,
                           NULL, NULL, "more than %d comparisons of names with name constraints",
                           CL_VERIFY_MAX_NAME_COMPARISONS);
    }
    return permitted || refuse(fail, name, ca, "is not permitted by", "PERMITTED_VIOLATION");
}

/* RFC 5280 4.2.1.10: without a mailbox among the SANs, "the rfc822Name constraint MUST be applied
 * to the attribute of type emailAddress in the subject distinguished name". */
static bool check_subject_emails(const struct cleat_cert *cert, size_t depth,
                                 const struct cleat_cert *ca, uint32_t *work, struct cl_fail *fail)
{
    struct cl_rd rest = cert->subject.rdns;
    struct cl_rd set = {0};
    struct cl_attr attr;
    while (cl_name_attr(&rest, &set, &attr)) {
        if (attr.id != CL_OID_AT_EMAIL) {
            continue;
        }
        struct subject_name name = {.name = {CLEAT_SAN_EMAIL, attr.value}, .depth = depth};
        if (!check_name(&name, ca, work, fail)) {
            return false;
        }
    }
    return true;
}

static bool check_cert(const struct cleat_cert *cert, size_t depth, const struct cleat_cert *ca,
                       uint32_t *work, struct cl_fail *fail)
{
    struct cl_rd names = cert->san;
    struct subject_name name = {.depth = depth};
    bool has_email = false;
    if (!cl_name_empty(&cert->subject)) {
        name.name = (struct cl_gname){CLEAT_SAN_DIRECTORY, cert->subject.rdns};
        if (!check_name(&name, ca, work, fail)) {
            return false;
        }
    }
    while (take(&names, &name.name)) {
        has_email = has_email || name.name.kind == CLEAT_SAN_EMAIL;
        if (!check_name(&name, ca, work, fail)) {
            return false;
        }
    }
    return has_email || check_subject_emails(cert, depth, ca, work, fail);
}

bool cl_constraints_check(const struct cl_path *path, uint32_t *work, struct cl_fail *fail)
{
    for (size_t k = path->num; k-- > 1;) {
        const struct cleat_cert *ca = path->certs[k];
        if (!cl_cert_has(ca, CL_OID_EXT_NAME_CONSTRAINTS)) {
            continue;
        }
        for (size_t j = k; j-- > 0;) {
            /* RFC 5280 6.1.3 (b): "If certificate i is self-issued and it is not the final
             * certificate in the path, skip this step" */
            if (j != 0 && path->certs[j]->self_issued) {
                continue;
            }
            if (!check_cert(path->certs[j], j, ca, work, fail)) {
                return false;
            }
        }
    }
    return true;
}

/* Is the base well formed? strict: by the letter of RFC 5280, which knows no DNS base with a dot in
 * front (it permits zero labels more, too). */
static bool base_form(const struct cl_gname *base, bool strict)
{
    struct cl_rd local;
    struct cl_rd host = base->value;
    struct cl_rd mask = base->value;
    switch (base->kind) {
    case CLEAT_SAN_DNS:
        return base->value.len == 0 || ((!undot(&host) || !strict) && cl_dns_valid(host, false));
    case CLEAT_SAN_IP:
        return (base->value.len == 8 || base->value.len == 32) &&
               cl_rd_skip(&mask, base->value.len / 2) && mask_valid(mask);
    case CLEAT_SAN_EMAIL:
        if (base->value.len == 0) {
            return true;
        }
        if (memchr(base->value.p, '@', base->value.len) != NULL) {
            return cl_email_split(base->value, &local, &host);
        }
        (void)undot(&host);
        return cl_dns_valid(host, false);
    case CLEAT_SAN_URI:
        (void)undot(&host);
        return cl_dns_valid(host, false);
    case CLEAT_SAN_DIRECTORY:
        return true;
    default:
        return strict; /* allowed, but there are no rules for matching it */
    }
}

void cl_constraints_kinds(struct cl_rd subtrees, uint16_t *kinds, uint16_t *odd)
{
    struct cl_rd subtree;
    struct cl_gname base;
    while (cl_der_get(&subtrees, CL_DER_SEQUENCE, &subtree) && take(&subtree, &base)) {
        *kinds = (uint16_t)(*kinds | 1u << base.kind);
        *odd = (uint16_t)(*odd | (base_form(&base, false) ? 0 : 1u << base.kind));
    }
}

bool cl_constraints_form(const struct cleat_cert *cert)
{
    struct cl_rd lists[] = {cert->permitted, cert->excluded};
    for (size_t i = 0; i < 2; i++) {
        struct cl_rd subtree;
        struct cl_gname base;
        while (cl_der_get(&lists[i], CL_DER_SEQUENCE, &subtree) && take(&subtree, &base)) {
            if (!base_form(&base, true)) {
                return false;
            }
        }
    }
    return true;
}
