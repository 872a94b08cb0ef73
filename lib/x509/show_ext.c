/* x509/show_ext.c - each extension as one short line for people: one table of functions. */
#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"
#include "x509/gname.h"

struct line {
    char *out;
    size_t cap;
    size_t len;
};

static void say(struct line *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(struct line *l, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (l->len < l->cap) {
        int n = vsnprintf(l->out + l->len, l->cap - l->len, fmt, ap);
        l->len += n > 0 ? (size_t)n : 0;
    }
    va_end(ap);
}

static void say_item(struct line *l, const char *text)
{
    say(l, "%s%s", l->len != 0 ? ", " : "", text);
}

static void say_hex(struct line *l, struct cl_rd bytes)
{
    uint8_t byte;
    for (size_t i = 0; cl_rd_u8(&bytes, &byte); i++) {
        say(l, "%02x", byte);
    }
}

typedef void say_fn(struct line *l, const struct cleat_cert *cert, struct cl_rd value);

static void say_names(struct line *l, struct cl_rd names)
{
    struct cl_gname name;
    while (cl_gname_next(&names, &name)) {
        char text[200];
        cl_gname_text(&name, text, sizeof(text));
        say(l, "%s%s:%s", l->len != 0 ? ", " : "", cleat_san_kind_name(name.kind), text);
    }
}

static void say_ski(struct line *l, const struct cleat_cert *cert, struct cl_rd value)
{
    (void)value;
    say_hex(l, cert->ski);
}

static void say_aki(struct line *l, const struct cleat_cert *cert, struct cl_rd value)
{
    (void)value;
    say_hex(l, cert->aki_key_id);
    if (cert->aki_full) {
        say_item(l, "with issuer and serial number");
    }
}

static void say_key_usage(struct line *l, const struct cleat_cert *cert, struct cl_rd value)
{
    (void)value;
    l->len = cleat_cert_key_usage(cert, l->out, l->cap);
}

static void say_eku(struct line *l, const struct cleat_cert *cert, struct cl_rd value)
{
    (void)value;
    l->len = cleat_cert_ext_key_usage(cert, l->out, l->cap);
}

static void say_san(struct line *l, const struct cleat_cert *cert, struct cl_rd value)
{
    (void)value;
    say_names(l, cert->san);
}

static void say_basic(struct line *l, const struct cleat_cert *cert, struct cl_rd value)
{
    (void)value;
    say(l, "CA:%s", cert->is_ca ? "yes" : "no");
    if (cert->path_len >= 0) {
        say(l, ", path length %d", cert->path_len);
    }
}

static void say_subtree(struct line *l, const struct cl_gname *base)
{
    char text[128];
    if (base->kind == CLEAT_SAN_IP && (base->value.len == 8 || base->value.len == 32)) {
        struct cl_gname part = {CLEAT_SAN_IP, cl_rd_of(base->value.p, base->value.len / 2)};
        cl_gname_text(&part, text, sizeof(text));
        say(l, " IP:%s", text);
        part.value.p += base->value.len / 2;
        cl_gname_text(&part, text, sizeof(text));
        say(l, "/%s", text);
        return;
    }
    cl_gname_text(base, text, sizeof(text));
    say(l, " %s:%s", cleat_san_kind_name(base->kind), text);
}

static void say_subtrees(struct line *l, const char *what, struct cl_rd subtrees)
{
    struct cl_rd subtree;
    struct cl_gname base;
    if (cl_rd_done(&subtrees)) {
        return;
    }
    say_item(l, what);
    while (cl_der_get(&subtrees, CL_DER_SEQUENCE, &subtree) && cl_gname_next(&subtree, &base)) {
        say_subtree(l, &base);
    }
}

static void say_constraints(struct line *l, const struct cleat_cert *cert, struct cl_rd value)
{
    (void)value;
    say_subtrees(l, "permitted", cert->permitted);
    say_subtrees(l, "excluded", cert->excluded);
}

static void say_crl_points(struct line *l, const struct cleat_cert *cert, struct cl_rd value)
{
    char url[200];
    (void)value;
    for (size_t i = 0; cleat_cert_crl_url(cert, i, url, sizeof(url)) != 0; i++) {
        say_item(l, url);
    }
}

static void say_policies(struct line *l, const struct cleat_cert *cert, struct cl_rd value)
{
    struct cl_rd rest = cert->policies;
    struct cl_rd info;
    struct cl_rd oid;
    (void)value;
    while (cl_der_get(&rest, CL_DER_SEQUENCE, &info) && cl_der_oid(&info, &oid)) {
        char text[96];
        cl_oid_describe(oid, text, sizeof(text));
        say_item(l, text);
    }
}

static void say_mappings(struct line *l, const struct cleat_cert *cert, struct cl_rd value)
{
    struct cl_rd rest = cert->mappings;
    struct cl_rd pair;
    struct cl_rd from;
    struct cl_rd to;
    (void)value;
    while (cl_der_get(&rest, CL_DER_SEQUENCE, &pair) && cl_der_oid(&pair, &from) &&
           cl_der_oid(&pair, &to)) {
        char text[96];
        cl_oid_text(from, text, sizeof(text));
        say_item(l, text);
        cl_oid_text(to, text, sizeof(text));
        say(l, " -> %s", text);
    }
}

static void say_policy_constraints(struct line *l, const struct cleat_cert *cert,
                                   struct cl_rd value)
{
    (void)value;
    if (cert->require_explicit != CL_NO_LIMIT) {
        say(l, "explicit policy after %u certificates", cert->require_explicit);
    }
    if (cert->inhibit_mapping != CL_NO_LIMIT) {
        say(l, "%sno mapping after %u certificates", l->len != 0 ? ", " : "",
            cert->inhibit_mapping);
    }
}

static void say_inhibit_any(struct line *l, const struct cleat_cert *cert, struct cl_rd value)
{
    (void)value;
    say(l, "after %u certificates", cert->inhibit_any);
}

static void say_aia(struct line *l, const struct cleat_cert *cert, struct cl_rd value)
{
    struct cl_rd rest = cert->aia;
    struct cl_rd description;
    (void)value;
    while (cl_der_get(&rest, CL_DER_SEQUENCE, &description)) {
        struct cl_rd oid;
        struct cl_gname where;
        char method[96];
        char text[200];
        if (!cl_der_oid(&description, &oid) || !cl_gname_next(&description, &where)) {
            return;
        }
        cl_oid_describe(oid, method, sizeof(method));
        cl_gname_text(&where, text, sizeof(text));
        say_item(l, method);
        say(l, " %s", text);
    }
}

static void say_tls_feature(struct line *l, const struct cleat_cert *cert, struct cl_rd value)
{
    struct cl_rd list;
    uint32_t feature;
    (void)cert;
    if (!cl_der_get(&value, CL_DER_SEQUENCE, &list)) {
        return;
    }
    while (cl_der_u32(&list, &feature)) {
        char text[32];
        (void)snprintf(text, sizeof(text), "%u", feature);
        say_item(l, feature == 5 ? "status_request (must-staple)" : text);
    }
}

/* RFC 6962 3.3: a list of SCTs, each with its length in front. */
static void say_scts(struct line *l, const struct cleat_cert *cert, struct cl_rd value)
{
    struct cl_rd octets;
    struct cl_rd list;
    struct cl_rd sct;
    unsigned num = 0;
    (void)cert;
    if (cl_der_get(&value, CL_DER_OCTET_STRING, &octets) && cl_rd_vec16(&octets, &list)) {
        while (cl_rd_vec16(&list, &sct)) {
            num++;
        }
    }
    say(l, "%u timestamp%s", num, num == 1 ? "" : "s");
}

static void say_raw(struct line *l, const struct cleat_cert *cert, struct cl_rd value)
{
    /* 24: enough to recognise it */
    struct cl_rd head = cl_rd_of(value.p, value.len < 24 ? value.len : 24);
    (void)cert;
    say(l, "%zu bytes: ", value.len);
    say_hex(l, head);
    if (value.len > head.len) {
        say(l, "...");
    }
}

static const struct {
    enum cl_oid id;
    say_fn *say;
} rows[] = {
    {CL_OID_EXT_SKI, say_ski},
    {CL_OID_EXT_AKI, say_aki},
    {CL_OID_EXT_KEY_USAGE, say_key_usage},
    {CL_OID_EXT_EKU, say_eku},
    {CL_OID_EXT_SAN, say_san},
    {CL_OID_EXT_BASIC, say_basic},
    {CL_OID_EXT_NAME_CONSTRAINTS, say_constraints},
    {CL_OID_EXT_CRL_POINTS, say_crl_points},
    {CL_OID_EXT_POLICIES, say_policies},
    {CL_OID_EXT_MAPPINGS, say_mappings},
    {CL_OID_EXT_POLICY_CONSTRAINTS, say_policy_constraints},
    {CL_OID_EXT_INHIBIT_ANY, say_inhibit_any},
    {CL_OID_EXT_AIA, say_aia},
    {CL_OID_EXT_TLS_FEATURE, say_tls_feature},
    {CL_OID_EXT_SCT_LIST, say_scts},
};

size_t cleat_cert_num_exts(const struct cleat_cert *cert)
{
    return cert->num_exts;
}

bool cleat_cert_ext(const struct cleat_cert *cert, size_t i, struct cleat_ext_info *out)
{
    struct cl_rd rest = cert->exts;
    struct cl_ext ext;
    say_fn *how = say_raw;
    do {
        if (cl_rd_done(&rest) || !cl_ext_next(&rest, &ext)) {
            return false;
        }
    } while (i-- != 0);
    memset(out, 0, sizeof(*out));
    cl_oid_text(ext.oid, out->oid, sizeof(out->oid));
    cl_oid_describe(ext.oid, out->name, sizeof(out->name));
    out->critical = ext.critical;
    out->known = cl_oid_name(ext.id) != NULL;
    for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
        how = rows[k].id == ext.id ? rows[k].say : how;
    }
    struct line line = {.out = out->text, .cap = sizeof(out->text)};
    how(&line, cert, ext.value);
    return true;
}
