/* x509/gname.c - see gname.h. */
#include "x509/gname.h"

#include <stdio.h>

#include "x509/name.h"

/* The tag of each kind, by CLEAT_SAN_*: constructed where the CHOICE's member is. */
static const uint8_t tags[] = {
    [CLEAT_SAN_OTHER] = CL_DER_CTXC(0),     [CLEAT_SAN_EMAIL] = CL_DER_CTX(1),
    [CLEAT_SAN_DNS] = CL_DER_CTX(2),        [CLEAT_SAN_X400] = CL_DER_CTXC(3),
    [CLEAT_SAN_DIRECTORY] = CL_DER_CTXC(4), [CLEAT_SAN_EDI] = CL_DER_CTXC(5),
    [CLEAT_SAN_URI] = CL_DER_CTX(6),        [CLEAT_SAN_IP] = CL_DER_CTX(7),
    [CLEAT_SAN_RID] = CL_DER_CTX(8),
};

static const char *const kind_names[] = {
    [CLEAT_SAN_OTHER] = "otherName",   [CLEAT_SAN_EMAIL] = "email",
    [CLEAT_SAN_DNS] = "DNS",           [CLEAT_SAN_X400] = "x400Address",
    [CLEAT_SAN_DIRECTORY] = "dirName", [CLEAT_SAN_EDI] = "ediPartyName",
    [CLEAT_SAN_URI] = "URI",           [CLEAT_SAN_IP] = "IP",
    [CLEAT_SAN_RID] = "registeredID",
};

const char *cleat_san_kind_name(enum cleat_san_kind kind)
{
    return (unsigned)kind < sizeof(kind_names) / sizeof(kind_names[0]) ? kind_names[kind] : "?";
}

static bool form_valid(struct cl_gname *name)
{
    struct cl_name parsed;
    struct cl_rd inner = name->value;
    switch (name->kind) {
    case CLEAT_SAN_EMAIL:
    case CLEAT_SAN_DNS:
    case CLEAT_SAN_URI:
        return cl_der_string_valid(CL_DER_IA5_STRING, name->value);
    case CLEAT_SAN_DIRECTORY:
        if (!cl_name_parse(&inner, &parsed) || !cl_rd_done(&inner)) {
            return false;
        }
        name->value = parsed.rdns;
        return true;
    case CLEAT_SAN_RID:
        return cl_der_oid_valid(name->value);
    default:
        return true;
    }
}

bool cl_gname_next(struct cl_rd *r, struct cl_gname *out)
{
    uint8_t tag;
    if (!cl_der_any(r, &tag, &out->value, NULL)) {
        return false;
    }
    unsigned number = tag & 0x1f;
    if (number >= sizeof(tags) || tags[number] != tag) {
        return false;
    }
    out->kind = (enum cleat_san_kind)number;
    return form_valid(out);
}

bool cl_gnames_valid(struct cl_rd names, uint32_t *num)
{
    struct cl_gname name;
    *num = 0;
    while (!cl_rd_done(&names)) {
        if (!cl_gname_next(&names, &name) ||
            (name.kind == CLEAT_SAN_IP && name.value.len != 4 && name.value.len != 16)) {
            return false;
        }
        (*num)++;
    }
    return *num != 0;
}

bool cl_email_split(struct cl_rd email, struct cl_rd *local, struct cl_rd *domain)
{
    const uint8_t *at = email.len != 0 ? memchr(email.p, '@', email.len) : NULL;
    if (at == NULL || !cl_rd_take(&email, (size_t)(at - email.p), local) ||
        !cl_rd_skip(&email, 1) || local->len == 0) {
        return false;
    }
    *domain = email;
    return memchr(email.p, '@', email.len) == NULL && cl_dns_valid(email, false);
}

static size_t ip_text(struct cl_rd ip, char *out, size_t cap)
{
    unsigned words[8];
    if (ip.len == 4) {
        return (size_t)snprintf(out, cap, "%u.%u.%u.%u", ip.p[0], ip.p[1], ip.p[2], ip.p[3]);
    }
    if (ip.len != 16) {
        return (size_t)snprintf(out, cap, "(address of %zu bytes)", ip.len);
    }
    for (size_t i = 0; i < 8; i++) {
        words[i] = (unsigned)ip.p[2 * i] << 8 | ip.p[2 * i + 1];
    }
    /* RFC 5952 4.2: the longest run of zeros, the first of equals, and only if longer than one */
    size_t best = 8;
    size_t best_len = 1;
    for (size_t i = 0; i < 8; i++) {
        size_t run = 0;
        while (i + run < 8 && words[i + run] == 0) {
            run++;
        }
        if (run > best_len) {
            best = i;
            best_len = run;
        }
    }
    char text[48];
    size_t len = 0;
    for (size_t i = 0; i < 8; i++) {
        if (i == best) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, "::");
            i += best_len - 1;
            continue;
        }
        bool colon = i != 0 && i != best + best_len;
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%x", colon ? ":" : "", words[i]);
    }
    return (size_t)snprintf(out, cap, "%s", text);
}

/* Text from a certificate, its control bytes made visible. */
static size_t plain_text(struct cl_rd value, char *out, size_t cap)
{
    struct cl_attr attr = {.tag = CL_DER_IA5_STRING, .value = value};
    return cl_attr_text(&attr, out, cap);
}

size_t cl_gname_text(const struct cl_gname *name, char *out, size_t cap)
{
    struct cl_name dn;
    struct cl_rd inner;
    struct cl_rd oid;
    switch (name->kind) {
    case CLEAT_SAN_EMAIL:
    case CLEAT_SAN_DNS:
    case CLEAT_SAN_URI:
        return plain_text(name->value, out, cap);
    case CLEAT_SAN_IP:
        return ip_text(name->value, out, cap);
    case CLEAT_SAN_RID:
        return cl_oid_text(name->value, out, cap);
    case CLEAT_SAN_DIRECTORY:
        dn.rdns = name->value;
        return cl_name_text(&dn, out, cap);
    case CLEAT_SAN_OTHER:
        inner = name->value;
        if (cl_der_oid(&inner, &oid)) {
            return cl_oid_text(oid, out, cap);
        }
        return (size_t)snprintf(out, cap, "(malformed)");
    default:
        return (size_t)snprintf(out, cap, "(%zu bytes)", name->value.len);
    }
}
