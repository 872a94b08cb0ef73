/* explain/lists.c - see lists.h. */
#include "explain/lists.h"

#include <stdio.h>
#include <string.h>

#include "cleat/tls_rawkey.h"
#include "crypto/kex.h"
#include "tls/config.h"
#include "tls/grease.h"
#include "tls/raw_key.h"

static const struct {
    const char *name;
    const char *key;
} rows[CL_LIST_NUM] = {
    [CL_LIST_VERSIONS] = {"TLS versions", "versions"},
    [CL_LIST_SUITES] = {"cipher suites", "cipher_suites"},
    [CL_LIST_GROUPS] = {"groups", "groups"},
    [CL_LIST_SHARES] = {"key shares", "key_shares"},
    [CL_LIST_SCHEMES] = {"signature algorithms", "signature_algorithms"},
    [CL_LIST_ALPN] = {"application protocols", "alpn"},
    [CL_LIST_CERT_TYPES] = {"server's certificate types", "server_certificate_types"},
};

const char *cl_list_name(enum cl_list list)
{
    return rows[list].name;
}

const char *cl_list_key(enum cl_list list)
{
    return rows[list].key;
}

static void add(struct cl_names *out, const char *name)
{
    if (out->num == CL_NAMES_MAX) {
        out->left_out++;
        return;
    }
    (void)snprintf(out->items[out->num++], sizeof(out->items[0]), "%s", name);
}

static void add_number(struct cl_names *out, uint16_t id)
{
    char text[8];
    (void)snprintf(text, sizeof(text), "0x%04x", id);
    add(out, text);
}

static void add_id(struct cl_names *out, uint16_t id, const char *name)
{
    if (name != NULL) {
        add(out, name);
    } else if (!cl_is_grease(id)) {
        add_number(out, id);
    }
}

/* ---- names ---- */

static const char *version_name(uint16_t id)
{
    static const char *const names[] = {"SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};
    return id >= 0x0300 && id <= 0x0304 ? names[id - 0x0300] : NULL;
}

/* Signalling values are no suites (RFC 5746 3.3, RFC 7507 2). */
static const char *suite_name(uint16_t id)
{
    const struct cl_suite *suite = cl_suite_by_id(id);
    return suite != NULL ? suite->name : NULL;
}

static bool is_signal(uint16_t id)
{
    return id == 0x00ff || id == 0x5600;
}

static const char *group_name(uint16_t id)
{
    const struct cl_group *group = cl_group_by_id(id);
    return group != NULL ? group->name : NULL;
}

static const char *scheme_name(uint16_t id)
{
    const struct cl_sig_alg *alg = cl_sig_scheme(id);
    return alg != NULL ? alg->name : NULL;
}

/* ---- offered ---- */

bool cl_offers_version(const struct cl_rehearsal *r, uint16_t version)
{
    if (r->offer.versions.p != NULL) {
        return cl_list16_has(r->offer.versions, version);
    }
    return version <= CLEAT_TLS_1_2 && r->offer.legacy_version >= version;
}

static void offered_versions(const struct cl_rehearsal *r, struct cl_names *out)
{
    struct cl_rd list = r->offer.versions;
    uint16_t id;
    if (list.p == NULL && r->offer.legacy_version != 0) {
        const uint16_t id_12 = r->offer.legacy_version;
        add_id(out, id_12, version_name(id_12 > CLEAT_TLS_1_2 ? CLEAT_TLS_1_2 : id_12));
    }
    while (cl_rd_u16(&list, &id)) {
        add_id(out, id, version_name(id));
    }
}

static void offered_ids(struct cl_rd list, const char *(*name_of)(uint16_t id),
                        struct cl_names *out)
{
    uint16_t id;
    while (cl_rd_u16(&list, &id)) {
        if (name_of != suite_name || !is_signal(id)) {
            add_id(out, id, name_of(id));
        }
    }
}

static void offered_shares(const struct cl_rehearsal *r, struct cl_names *out)
{
    struct cl_rd list = r->offer.key_shares;
    struct cl_rd share;
    uint16_t id;
    while (cl_rd_u16(&list, &id) && cl_rd_vec16(&list, &share)) {
        add_id(out, id, group_name(id));
    }
}

static void offered_alpn(const struct cl_rehearsal *r, struct cl_names *out)
{
    struct cl_rd list = r->offer.alpn;
    struct cl_rd name;
    while (cl_rd_vec8(&list, &name)) {
        char text[sizeof(out->items[0])];
        size_t len = name.len < sizeof(text) - 1 ? name.len : sizeof(text) - 1;
        for (size_t i = 0; i < len; i++) {
            text[i] = (char)(name.p[i] > 0x20 && name.p[i] < 0x7f ? name.p[i] : '?');
        }
        text[len] = '\0';
        add(out, text);
    }
}

static void offered_types(const struct cl_rehearsal *r, struct cl_names *out)
{
    struct cl_rd list = r->offer.server_types;
    uint8_t type;
    if (list.p == NULL) {
        add(out, cl_cert_type_name(CLEAT_CERT_TYPE_X509));
    }
    while (cl_rd_u8(&list, &type)) {
        if (type == CLEAT_CERT_TYPE_X509 || type == CLEAT_CERT_TYPE_RAW_PUBLIC_KEY) {
            add(out, cl_cert_type_name(type));
        } else {
            add_number(out, type);
        }
    }
}

void cl_names_offered(const struct cl_rehearsal *r, enum cl_list list, struct cl_names *out)
{
    out->num = out->left_out = 0;
    switch (list) {
    case CL_LIST_VERSIONS:
        offered_versions(r, out);
        break;
    case CL_LIST_SUITES:
        offered_ids(r->offer.suites, suite_name, out);
        break;
    case CL_LIST_GROUPS:
        offered_ids(r->offer.groups, group_name, out);
        break;
    case CL_LIST_SHARES:
        offered_shares(r, out);
        break;
    case CL_LIST_SCHEMES:
        offered_ids(r->offer.schemes, scheme_name, out);
        break;
    case CL_LIST_ALPN:
        offered_alpn(r, out);
        break;
    case CL_LIST_CERT_TYPES:
        offered_types(r, out);
        break;
    case CL_LIST_NUM:
        break;
    }
}

/* ---- allowed ---- */

static uint16_t version_here(const struct cl_rehearsal *r)
{
    const struct cl_told *t = cl_rehearsal_find(r, "version");
    return t == NULL ? 0 : strcmp(t->value, "TLS 1.3") == 0 ? CLEAT_TLS_1_3 : CLEAT_TLS_1_2;
}

static void allowed_suites(const struct cl_rehearsal *r, struct cl_names *out)
{
    const struct cleat_tls_config *c = r->config;
    const uint16_t version = version_here(r);
    for (size_t i = 0; i < c->num_suites; i++) {
        const uint16_t v = c->suites[i]->version;
        if (version != 0 ? v == version : v >= c->version_min && v <= c->version_max) {
            add(out, c->suites[i]->name);
        }
    }
}

static void allowed_alpn(const struct cl_rehearsal *r, struct cl_names *out)
{
    struct cl_rd list = cl_buf_view(&r->config->alpn);
    struct cl_rd name;
    while (cl_rd_vec8(&list, &name)) {
        char text[sizeof(out->items[0])];
        (void)snprintf(text, sizeof(text), "%.*s", (int)name.len, (const char *)name.p);
        add(out, text);
    }
}

static void allowed_types(const struct cl_rehearsal *r, struct cl_names *out)
{
    bool has[2] = {false, false};
    for (size_t i = 0; i < r->config->num_credentials; i++) {
        has[r->config->credentials[i].chain == NULL] = true;
    }
    if (has[0]) {
        add(out, cl_cert_type_name(CLEAT_CERT_TYPE_X509));
    }
    if (has[1]) {
        add(out, cl_cert_type_name(CLEAT_CERT_TYPE_RAW_PUBLIC_KEY));
    }
}

void cl_names_allowed(const struct cl_rehearsal *r, enum cl_list list, struct cl_names *out)
{
    const struct cleat_tls_config *c = r->config;
    out->num = out->left_out = 0;
    switch (list) {
    case CL_LIST_VERSIONS:
        for (uint16_t v = c->version_max; v >= c->version_min; v--) {
            add(out, version_name(v));
        }
        break;
    case CL_LIST_SUITES:
        allowed_suites(r, out);
        break;
    case CL_LIST_GROUPS:
        for (size_t i = 0; i < c->num_groups; i++) {
            add(out, c->groups[i]->name);
        }
        for (size_t i = 0; i < c->num_fields; i++) {
            add(out, c->fields[i]->name);
        }
        break;
    case CL_LIST_SCHEMES:
        for (size_t i = 0; i < c->num_schemes; i++) {
            add(out, c->schemes[i]->name);
        }
        break;
    case CL_LIST_ALPN:
        allowed_alpn(r, out);
        break;
    case CL_LIST_CERT_TYPES:
        allowed_types(r, out);
        break;
    default:
        break;
    }
}

/* ---- */

void cl_names_join(const struct cl_names *names, const char *separator, char *out, size_t cap)
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < names->num; i++) {
        const size_t left = names->num - i + names->left_out;
        /* 16: what is said about those left out */
        if (at + strlen(names->items[i]) + strlen(separator) + 16 > cap) {
            (void)snprintf(out + at, cap - at, " and %zu more", left);
            return;
        }
        at +=
            (size_t)snprintf(out + at, cap - at, "%s%s", i != 0 ? separator : "", names->items[i]);
    }
}

enum cl_list cl_list_of_code(int code)
{
    static const struct {
        int code;
        enum cl_list list;
    } about[] = {
        {CLEAT_ERR_PROTOCOL_VERSION, CL_LIST_VERSIONS},
        {CLEAT_ERR_NO_SHARED_CIPHER, CL_LIST_SUITES},
        {CLEAT_ERR_NO_SHARED_GROUP, CL_LIST_GROUPS},
        {CLEAT_ERR_NO_SHARED_SIGNATURE, CL_LIST_SCHEMES},
        {CLEAT_ERR_NO_SHARED_ALPN, CL_LIST_ALPN},
        {CLEAT_ERR_UNSUPPORTED_CERTIFICATE, CL_LIST_CERT_TYPES},
    };
    for (size_t i = 0; i < sizeof(about) / sizeof(about[0]); i++) {
        if (about[i].code == code) {
            return about[i].list;
        }
    }
    return CL_LIST_NUM;
}

size_t cl_names_common(const struct cl_names *a, const struct cl_names *b)
{
    size_t num = 0;
    for (size_t i = 0; i < a->num; i++) {
        for (size_t k = 0; k < b->num; k++) {
            num += strcmp(a->items[i], b->items[k]) == 0;
        }
    }
    return num;
}
