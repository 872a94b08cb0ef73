/* x509/show.c - certificates for people: the accessors of cleat/x509.h that give text or single
 * values. */
#include <stdio.h>

#include "base/text.h"
#include "x509/gname.h"

static size_t put_text(char *out, size_t cap, const char *text)
{
    int len = snprintf(out, cap, "%s", text);
    return len > 0 ? (size_t)len : 0;
}

static size_t none(char *out, size_t cap)
{
    if (cap != 0) {
        out[0] = '\0';
    }
    return 0;
}

const uint8_t *cleat_cert_der(const struct cleat_cert *cert, size_t *len)
{
    *len = cert->der.len;
    return cert->der.p;
}

const uint8_t *cleat_cert_spki(const struct cleat_cert *cert, size_t *len)
{
    *len = cert->spki.len;
    return cert->spki.p;
}

int cleat_cert_version(const struct cleat_cert *cert)
{
    return cert->version;
}

size_t cleat_cert_subject(const struct cleat_cert *cert, char *out, size_t cap)
{
    return cl_name_text(&cert->subject, out, cap);
}

size_t cleat_cert_issuer(const struct cleat_cert *cert, char *out, size_t cap)
{
    return cl_name_text(&cert->issuer, out, cap);
}

size_t cleat_cert_common_name(const struct cleat_cert *cert, char *out, size_t cap)
{
    struct cl_attr cn;
    return cl_name_common_name(&cert->subject, &cn) ? cl_attr_text(&cn, out, cap) : none(out, cap);
}

size_t cleat_cert_serial(const struct cleat_cert *cert, char *out, size_t cap)
{
    char text[2 * 64 + 1];
    cl_hex_encode(cert->serial.p, cert->serial.len, text);
    return put_text(out, cap, text);
}

int64_t cleat_cert_not_before(const struct cleat_cert *cert)
{
    return cert->not_before;
}

int64_t cleat_cert_not_after(const struct cleat_cert *cert)
{
    return cert->not_after;
}

bool cleat_cert_is_self_issued(const struct cleat_cert *cert)
{
    return cert->self_issued;
}

static size_t alg_text(struct cl_rd oid, char *out, size_t cap)
{
    const char *name = cl_alg_name(oid);
    return name != NULL ? put_text(out, cap, name) : cl_oid_text(oid, out, cap);
}

size_t cleat_cert_key_kind(const struct cleat_cert *cert, char *out, size_t cap)
{
    return cert->key_type != CL_KEY_NONE ? put_text(out, cap, cl_key_type_name(cert->key_type))
                                         : alg_text(cert->key_oid, out, cap);
}

unsigned cleat_cert_key_bits(const struct cleat_cert *cert)
{
    const struct cl_pubkey *key;
    return cl_cert_pubkey(cert, &key) == CL_OK ? cl_pubkey_bits(key) : 0;
}

size_t cleat_cert_signature_kind(const struct cleat_cert *cert, char *out, size_t cap)
{
    return alg_text(cert->sig_oid, out, cap);
}

void cleat_cert_fingerprint(const struct cleat_cert *cert, uint8_t out[32])
{
    cl_hash_once(CL_HASH_SHA256, cert->der.p, cert->der.len, out);
}

size_t cleat_cert_spki_pin(const struct cleat_cert *cert, char *out, size_t cap)
{
    uint8_t digest[32];
    char text[CL_BASE64_LEN(sizeof(digest)) + 1];
    cl_hash_once(CL_HASH_SHA256, cert->spki.p, cert->spki.len, digest);
    cl_base64_encode(digest, sizeof(digest), text);
    return put_text(out, cap, text);
}

bool cleat_cert_is_ca(const struct cleat_cert *cert)
{
    return cert->is_ca;
}

int cleat_cert_path_len(const struct cleat_cert *cert)
{
    return cert->path_len;
}

size_t cleat_cert_num_sans(const struct cleat_cert *cert)
{
    return cert->num_sans;
}

bool cleat_cert_san(const struct cleat_cert *cert, size_t i, enum cleat_san_kind *kind, char *out,
                    size_t cap)
{
    struct cl_rd names = cert->san;
    struct cl_gname name;
    for (size_t k = 0; cl_gname_next(&names, &name); k++) {
        if (k == i) {
            *kind = name.kind;
            (void)cl_gname_text(&name, out, cap);
            return true;
        }
    }
    return false;
}

/* A list under construction: items with ", " between. */
struct list {
    char *out;
    size_t cap;
    size_t len;
};

static void add(struct list *l, const char *text)
{
    size_t room = l->len < l->cap ? l->cap - l->len : 0;
    int n =
        snprintf(room != 0 ? l->out + l->len : NULL, room, "%s%s", l->len != 0 ? ", " : "", text);
    l->len += n > 0 ? (size_t)n : 0;
}

static const char *const key_usages[] = {
    "digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
    "keyCertSign",      "cRLSign",        "encipherOnly",    "decipherOnly",
};

size_t cleat_cert_key_usage(const struct cleat_cert *cert, char *out, size_t cap)
{
    struct list list = {.out = out, .cap = cap};
    (void)none(out, cap);
    for (size_t i = 0; i < sizeof(key_usages) / sizeof(key_usages[0]); i++) {
        if ((cert->key_usage & 1u << i) != 0) {
            add(&list, key_usages[i]);
        }
    }
    return list.len;
}

size_t cleat_cert_ext_key_usage(const struct cleat_cert *cert, char *out, size_t cap)
{
    struct list list = {.out = out, .cap = cap};
    struct cl_rd rest = cert->ekus;
    struct cl_rd oid;
    (void)none(out, cap);
    while (cl_der_oid(&rest, &oid)) {
        char text[96];
        cl_oid_describe(oid, text, sizeof(text));
        add(&list, text);
    }
    return list.len;
}

static size_t access_url(const struct cleat_cert *cert, enum cl_oid method, size_t i, char *out,
                         size_t cap)
{
    struct cl_rd rest = cert->aia;
    struct cl_rd description;
    while (cl_der_get(&rest, CL_DER_SEQUENCE, &description)) {
        struct cl_rd oid;
        struct cl_gname where;
        if (cl_der_oid(&description, &oid) && cl_gname_next(&description, &where) &&
            cl_rd_equal(oid, cl_oid_bytes(method)) && where.kind == CLEAT_SAN_URI && i-- == 0) {
            return cl_gname_text(&where, out, cap);
        }
    }
    return none(out, cap);
}

size_t cleat_cert_ca_issuers_url(const struct cleat_cert *cert, size_t i, char *out, size_t cap)
{
    return access_url(cert, CL_OID_AIA_CA_ISSUERS, i, out, cap);
}

size_t cleat_cert_ocsp_url(const struct cleat_cert *cert, size_t i, char *out, size_t cap)
{
    return access_url(cert, CL_OID_AIA_OCSP, i, out, cap);
}

size_t cleat_cert_crl_url(const struct cleat_cert *cert, size_t i, char *out, size_t cap)
{
    struct cl_rd points = cert->crl_points;
    struct cl_rd point;
    while (cl_der_get(&points, CL_DER_SEQUENCE, &point)) {
        struct cl_rd name;
        struct cl_rd full;
        struct cl_gname url;
        if (!cl_der_get(&point, CL_DER_CTXC(0), &name) ||
            !cl_der_get(&name, CL_DER_CTXC(0), &full)) {
            continue;
        }
        while (cl_gname_next(&full, &url)) {
            if (url.kind == CLEAT_SAN_URI && i-- == 0) {
                return cl_gname_text(&url, out, cap);
            }
        }
    }
    return none(out, cap);
}
