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

enum match {
    MATCH_NO,
    MATCH_YES,
    MATCH_MALFORMED,
};

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

static enum match match_dns(struct cl_rd name, struct cl_rd base, bool excluded)
{
    bool proper;
    bool dotted = base.len != 0 && base.p[0] == '.';
    if (!comparable_dns(name)) {
        return MATCH_MALFORMED;
    }
    if (base.len == 0) {
        return MATCH_YES;
    }
    /* ".example.com" is not in RFC 5280, but deployed. Read so that it permits the least
     * (subdomains) and excludes the most (the domain too). */
    if ((dotted && !cl_rd_skip(&base, 1)) || !cl_dns_valid(base, false)) {
        return MATCH_MALFORMED;
    }
    if (within_domain(name, base, &proper)) {
        return dotted && !excluded && !proper ? MATCH_NO : MATCH_YES;
    }
    /* "*.example.com" could stand for an excluded "bar.example.com". */
    if (excluded && name.p[0] == '*') {
        struct cl_rd parent = name;
        const uint8_t *dot = memchr(base.p, '.', base.len);
        struct cl_rd base_parent = base;
        if (dot != NULL && cl_rd_skip(&parent, 2) &&
            cl_rd_skip(&base_parent, (size_t)(dot - base.p) + 1) &&
            cl_ascii_equal_fold(parent, base_parent)) {
            return MATCH_YES;
        }
    }
    return MATCH_NO;
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

static enum match match_ip(struct cl_rd name, struct cl_rd base)
{
    struct cl_rd address;
    struct cl_rd mask = base;
    if ((base.len != 8 && base.len != 32) || !cl_rd_take(&mask, base.len / 2, &address) ||
        !mask_valid(mask) || (name.len != 4 && name.len != 16)) {
        return MATCH_MALFORMED;
    }
    if (name.len != address.len) {
        return MATCH_NO;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (((name.p[i] ^ address.p[i]) & mask.p[i]) != 0) {
            return MATCH_NO;
        }
    }
    return MATCH_YES;
}

/* A host against "host" (itself only) or ".domain" (what lies below): mailboxes and URIs. */
static enum match match_host(struct cl_rd host, struct cl_rd base)
{
    bool proper;
    if (base.len != 0 && base.p[0] == '.') {
        return !cl_rd_skip(&base, 1) || !cl_dns_valid(base, false) ? MATCH_MALFORMED
               : within_domain(host, base, &proper) && proper      ? MATCH_YES
                                                                   : MATCH_NO;
    }
    if (!cl_dns_valid(base, false)) {
        return MATCH_MALFORMED;
    }
    return cl_ascii_equal_fold(host, base) ? MATCH_YES : MATCH_NO;
}

static enum match match_email(struct cl_rd name, struct cl_rd base)
{
    struct cl_rd local;
    struct cl_rd host;
    struct cl_rd base_local;
    struct cl_rd base_host;
    if (!cl_email_split(name, &local, &host)) {
        return MATCH_MALFORMED;
    }
    if (base.len == 0) {
        return MATCH_YES;
    }
    if (memchr(base.p, '@', base.len) == NULL) {
        return match_host(host, base);
    }
    if (!cl_email_split(base, &base_local, &base_host)) {
        return MATCH_MALFORMED;
    }
    return cl_rd_equal(local, base_local) && cl_ascii_equal_fold(host, base_host) ? MATCH_YES
                                                                                  : MATCH_NO;
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

static enum match match_uri(struct cl_rd name, struct cl_rd base)
{
    struct cl_rd host;
    return uri_host(name, &host) ? match_host(host, base) : MATCH_MALFORMED;
}

static enum match match(const struct cl_gname *name, const struct cl_gname *base, bool excluded,
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
        return cl_name_within(name->value, base->value, work) ? MATCH_YES : MATCH_NO;
    default:
        /* "the application MUST either process the constraint or reject the certificate" */
        return MATCH_MALFORMED;
    }
}

/* One name against the subtrees of one list. *constrained: the list has a base of the name's kind.
 */
static enum match match_list(const struct cl_gname *name, struct cl_rd subtrees, bool excluded,
                             bool *constrained, uint32_t *work)
{
    struct cl_rd subtree;
    struct cl_gname base;
    enum match found = MATCH_NO;
    *constrained = false;
    while (*work <= CL_VERIFY_MAX_NAME_COMPARISONS &&
           cl_der_get(&subtrees, CL_DER_SEQUENCE, &subtree) && take(&subtree, &base)) {
        (*work)++;
        if (base.kind != name->kind) {
            continue;
        }
        *constrained = true;
        enum match one = match(name, &base, excluded, work);
        if (one == MATCH_MALFORMED) {
            return one;
        }
        found = one == MATCH_YES ? MATCH_YES : found;
    }
    return found;
}

static bool refuse(struct cl_fail *fail, const struct subject_name *name,
                   const struct cleat_cert *ca, const char *what)
{
    char text[160] = "";
    char label[CL_LABEL_MAX] = "";
    if (cl_fail_wanted(fail)) {
        cl_gname_text(&name->name, text, sizeof(text));
        cl_cert_label(ca, label);
    }
    fail->openssl = "PERMITTED_VIOLATION";
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
    bool constrained;
    enum match m = match_list(&name->name, ca->excluded, true, &constrained, work);
    if (m == MATCH_YES) {
        bool r = refuse(fail, name, ca, "is excluded by");
        fail->openssl = "EXCLUDED_VIOLATION";
        return r;
    }
    if (m == MATCH_NO) {
        m = match_list(&name->name, ca->permitted, false, &constrained, work);
        if (m == MATCH_NO && constrained) {
            return refuse(fail, name, ca, "is not permitted by");
        }
    }
    if (m == MATCH_MALFORMED) {
        bool r = refuse(fail, name, ca, "cannot be compared with");
        fail->openssl = "UNSUPPORTED_NAME_SYNTAX";
        return r;
    }
    if (*work > CL_VERIFY_MAX_NAME_COMPARISONS) {
        return cl_fail_set(fail, CLEAT_ERR_TOO_COMPLEX, CL_CHECK_NAME_CONSTRAINTS, name->depth,
                           NULL, NULL, "more than %d comparisons of names with name constraints",
                           CL_VERIFY_MAX_NAME_COMPARISONS);
    }
    return true;
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

static bool base_form(const struct cl_gname *base)
{
    struct cl_rd local;
    struct cl_rd host = base->value;
    switch (base->kind) {
    case CLEAT_SAN_DNS:
        return base->value.len == 0 || cl_dns_valid(base->value, false);
    case CLEAT_SAN_IP:
        return match_ip(cl_rd_of(base->value.p, base->value.len / 2), base->value) !=
               MATCH_MALFORMED;
    case CLEAT_SAN_EMAIL:
        if (base->value.len != 0 && memchr(base->value.p, '@', base->value.len) != NULL) {
            return cl_email_split(base->value, &local, &host);
        }
        return base->value.len == 0 || match_host(host, base->value) != MATCH_MALFORMED;
    case CLEAT_SAN_URI:
        return match_host(host, base->value) != MATCH_MALFORMED;
    default:
        return true;
    }
}

bool cl_constraints_form(const struct cleat_cert *cert)
{
    struct cl_rd lists[] = {cert->permitted, cert->excluded};
    for (size_t i = 0; i < 2; i++) {
        struct cl_rd subtree;
        struct cl_gname base;
        while (cl_der_get(&lists[i], CL_DER_SEQUENCE, &subtree) && take(&subtree, &base)) {
            if (!base_form(&base)) {
                return false;
            }
        }
    }
    return true;
}
