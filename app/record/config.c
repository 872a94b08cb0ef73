/* record/config.c - see config.h. A row for each field that has an influence on a client. */
#include "record/config.h"

#include <stddef.h>
#include <string.h>

#include "base/mem.h"
#include "cleat/job.h"
#include "cleat/tls_psk.h"
#include "record/json.h"
#include "tls/psk.h"
#include "tls/raw_key.h"
#include "x509/chain.h"

/* 65,536: a certificate; the longest known has 20 KB (post-quantum) */
#define MAX_DER     65536
/* 256: anchors that could end one chain; a name has two or three */
#define MAX_ANCHORS 256
/* 1 MiB: a session is a ticket of up to 64 KB and a certificate */
#define MAX_SESSION (1u << 20)

static cl_result bad(struct cleat_error *err, const char *what)
{
    return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_BAD_CONFIG},
                        "the configuration's \"%s\" is not valid", what);
}

/* ---- numbers and switches ---- */

struct field {
    const char *name;
    size_t at;
    size_t size;
    uint64_t max;
};

#define FIELD(name, max)                                                 \
    {                                                                    \
#name, offsetof(struct cleat_tls_config, name),                  \
            sizeof(((const struct cleat_tls_config *)NULL)->name), (max) \
    }
static const struct field fields[] = {
    FIELD(decisions, 31),
    FIELD(psk_modes, CLEAT_PSK_DHE_KE | CLEAT_PSK_KE),
    FIELD(ask_status, 1),
    FIELD(version_min, UINT16_MAX), /* both are checked together */
    FIELD(version_max, UINT16_MAX),
    FIELD(min_rsa_bits, 16384),
    FIELD(legacy, 1),
    FIELD(without_master_secret, 1),
    FIELD(fallback, 1),
    FIELD(false_start, CLEAT_FALSE_START_ALWAYS),
    FIELD(insist_on_credential, 1),
    FIELD(credentials_in_order, 1),
    FIELD(rekey_records, INT64_MAX),
    FIELD(record_size_limit, 16385),
    FIELD(pad_to, 16384),
    FIELD(max_fragment, 16384),
    FIELD(small_first_records, 1),
    FIELD(grease, 1),
    FIELD(permute, 1),
    FIELD(ech_grease, CL_ECH_GREASE_OFF),
    FIELD(late_auth, 1),
    FIELD(ask_tickets, 1),
    FIELD(no_resumption, 1),
    FIELD(ask_tickets_new, CL_CONFIG_MAX_TICKETS),
    FIELD(ask_tickets_resumed, CL_CONFIG_MAX_TICKETS),
};
#define NUM_FIELDS (sizeof(fields) / sizeof(fields[0]))

/* A field is an unsigned integer of 1, 2, 4 or 8 bytes in the machine's order. */
static uint64_t get_field(const struct cleat_tls_config *c, const struct field *f)
{
    const uint8_t *at = (const uint8_t *)c + f->at;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    switch (f->size) {
    case 1:
        return *at;
    case 2:
        memcpy(&u16, at, sizeof(u16));
        return u16;
    case 4:
        memcpy(&u32, at, sizeof(u32));
        return u32;
    default:
        memcpy(&u64, at, sizeof(u64));
        return u64;
    }
}

static void set_field(struct cleat_tls_config *c, const struct field *f, uint64_t n)
{
    uint8_t *at = (uint8_t *)c + f->at;
    const uint8_t u8 = (uint8_t)n;
    const uint16_t u16 = (uint16_t)n;
    const uint32_t u32 = (uint32_t)n;
    const void *from = f->size == 1   ? (const void *)&u8
                       : f->size == 2 ? (const void *)&u16
                       : f->size == 4 ? (const void *)&u32
                                      : (const void *)&n;
    memcpy(at, from, f->size);
}

static cl_result read_fields(const json_t *o, struct cleat_tls_config *c, struct cleat_error *err)
{
    for (size_t i = 0; i < NUM_FIELDS; i++) {
        uint64_t n;
        if (!cl_rec_get_number(o, fields[i].name, fields[i].max, &n)) {
            return bad(err, fields[i].name);
        }
        set_field(c, &fields[i], n);
    }
    const uint16_t limit = c->record_size_limit, most = c->max_fragment;
    if (c->version_min < CLEAT_TLS_1_2 || c->version_min > c->version_max ||
        c->version_max > CLEAT_TLS_1_3) {
        return bad(err, "version_max");
    }
    if ((limit != 0 && limit < 64) || (most != 0 && most < 64) || c->psk_modes == 0) {
        return bad(err, limit != 0 && limit < 64 ? "record_size_limit" : "max_fragment");
    }
    return CL_OK;
}

/* ---- lists of numbers ---- */

static void put_numbers(json_t *o, const char *key, const uint16_t *numbers, size_t num)
{
    json_t *list = json_array();
    for (size_t i = 0; i < num; i++) {
        (void)json_array_append_new(list, json_integer(numbers[i]));
    }
    (void)json_object_set_new(o, key, list);
}

/* Reads a list of at most max numbers of 16 bits. */
static bool get_numbers(const json_t *o, const char *key, uint16_t *out, size_t max, size_t *num)
{
    const json_t *list;
    *num = 0;
    if (!cl_rec_get_list(o, key, max, &list)) {
        return false;
    }
    for (; *num < json_array_size(list); (*num)++) {
        const json_t *item = json_array_get(list, *num);
        const json_int_t n = json_integer_value(item);
        if (!json_is_integer(item) || n < 0 || n > UINT16_MAX) {
            return false;
        }
        out[*num] = (uint16_t)n;
    }
    return true;
}

static const void *suite_of(uint16_t id)
{
    return cl_suite_by_id(id);
}

static const void *group_of(uint16_t id)
{
    const struct cl_group *group = cl_group_by_id(id);
    return group != NULL && !group->finite_field ? group : NULL;
}

static const void *field_of(uint16_t id)
{
    const struct cl_group *group = cl_group_by_id(id);
    return group != NULL && group->finite_field ? group : NULL;
}

static const void *scheme_of(uint16_t id)
{
    return cl_sig_scheme(id);
}

static const void *compression_of(uint16_t id)
{
    const struct cl_compression *c;
    size_t i = 0;
    while ((c = cl_compression_at(i)) != NULL && c->id != id) {
        i++;
    }
    return c;
}

/* What is negotiated, by number. */
struct choices {
    const char *name;
    const char *what;
    const void *(*find)(uint16_t id);
    size_t min;
};
static const struct choices suites = {"cipher_suites", "cipher suite", suite_of, 1};
static const struct choices groups = {"groups", "group", group_of, 1};
static const struct choices dhe_groups = {"dhe_groups", "group for DHE", field_of, 0};
static const struct choices schemes = {"signature_schemes", "signature scheme", scheme_of, 1};
static const struct choices compressions = {"cert_compressions", "compression of certificates",
                                            compression_of, 0};

static cl_result read_choices(const json_t *o, const struct choices *kind, const void **out,
                              size_t cap, size_t *num, struct cleat_error *err)
{
    uint16_t ids[CL_CONFIG_MAX_SUITES];
    if (!get_numbers(o, kind->name, ids, cap, num) || *num < kind->min) {
        return bad(err, kind->name);
    }
    for (size_t i = 0; i < *num; i++) {
        out[i] = kind->find(ids[i]);
        if (out[i] == NULL) {
            return cl_error_set(err, (struct cl_why){.code = CLEAT_ERR_UNSUPPORTED},
                                "it uses the %s 0x%04x, which this build, or its libcrypto, does "
                                "not have",
                                kind->what, ids[i]);
        }
    }
    return CL_OK;
}

static void write_choices(const struct cleat_tls_config *c, json_t *o)
{
    uint16_t ids[CL_CONFIG_MAX_SUITES];
    for (size_t i = 0; i < c->num_suites; i++) {
        ids[i] = c->suites[i]->id;
    }
    put_numbers(o, suites.name, ids, c->num_suites);
    for (size_t i = 0; i < c->num_groups; i++) {
        ids[i] = c->groups[i]->id;
    }
    put_numbers(o, groups.name, ids, c->num_groups);
    for (size_t i = 0; i < c->num_fields; i++) {
        ids[i] = c->fields[i]->id;
    }
    if (c->num_fields != 0) { /* so that others stay as they were before there was DHE */
        put_numbers(o, dhe_groups.name, ids, c->num_fields);
    }
    for (size_t i = 0; i < c->num_schemes; i++) {
        ids[i] = c->schemes[i]->scheme;
    }
    put_numbers(o, schemes.name, ids, c->num_schemes);
    for (size_t i = 0; i < c->num_compressions; i++) {
        ids[i] = c->compressions[i]->id;
    }
    put_numbers(o, compressions.name, ids, c->num_compressions);
}

static cl_result read_all_choices(const json_t *o, struct cleat_tls_config *c,
                                  struct cleat_error *err)
{
    CL_TRY(read_choices(o, &suites, (const void **)c->suites, CL_CONFIG_MAX_SUITES, &c->num_suites,
                        err));
    CL_TRY(read_choices(o, &groups, (const void **)c->groups, CL_CONFIG_MAX_GROUPS, &c->num_groups,
                        err));
    if (json_object_get(o, dhe_groups.name) != NULL) {
        CL_TRY(read_choices(o, &dhe_groups, (const void **)c->fields, CL_CONFIG_MAX_FIELDS,
                            &c->num_fields, err));
    }
    CL_TRY(read_choices(o, &schemes, (const void **)c->schemes, CL_CONFIG_MAX_SCHEMES,
                        &c->num_schemes, err));
    return read_choices(o, &compressions, (const void **)c->compressions, CL_COMPRESS_MAX,
                        &c->num_compressions, err);
}

/* ---- certificates and keys ---- */

static void write_types(json_t *o, const char *key, const uint8_t *types, size_t num)
{
    uint16_t numbers[CL_CERT_TYPE_COUNT];
    for (size_t i = 0; i < num; i++) {
        numbers[i] = types[i];
    }
    put_numbers(o, key, numbers, num);
}

static cl_result read_types(const json_t *o, const char *key, struct cleat_tls_builder *b,
                            int (*set)(struct cleat_tls_builder *, const enum cleat_cert_type *,
                                       size_t),
                            struct cleat_error *err)
{
    uint16_t numbers[CL_CERT_TYPE_COUNT];
    enum cleat_cert_type types[CL_CERT_TYPE_COUNT];
    size_t num;
    if (!get_numbers(o, key, numbers, CL_CERT_TYPE_COUNT, &num)) {
        return bad(err, key);
    }
    for (size_t i = 0; i < num; i++) {
        types[i] = (enum cleat_cert_type)numbers[i];
    }
    return num == 0 || set(b, types, num) == CLEAT_OK ? CL_OK : bad(err, key);
}

static json_t *write_chain(const struct cleat_chain *chain)
{
    json_t *list = json_array();
    for (size_t i = 0; chain != NULL && i < cl_chain_num(chain); i++) {
        const struct cl_rd der = cl_cert_der(cl_chain_at(chain, i));
        (void)json_array_append_new(list, cl_rec_hex(der.p, der.len));
    }
    return list;
}

static json_t *write_credentials(const struct cleat_tls_config *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->num_credentials; i++) {
        const struct cl_rd spki = cl_key_spki(c->credentials[i].key);
        (void)json_array_append_new(list, json_pack("{s:o, s:o}", "chain",
                                                    write_chain(c->credentials[i].chain),
                                                    "public_key", cl_rec_hex(spki.p, spki.len)));
    }
    return list;
}

/* An empty list is no chain: a raw public key. */
static bool read_chain(const json_t *o, struct cleat_chain **out)
{
    struct cl_buf der[CL_CHAIN_MAX] = {{0}};
    struct cl_rd views[CL_CHAIN_MAX];
    const json_t *list;
    bool ok = cl_rec_get_list(o, "chain", CL_CHAIN_MAX, &list);
    const size_t num = ok ? json_array_size(list) : 0;
    for (size_t i = 0; i < num; i++) {
        ok = ok && cl_rec_take_hex(json_array_get(list, i), MAX_DER, &der[i]);
        views[i] = cl_buf_view(&der[i]);
    }
    ok = ok && (num == 0 || cl_chain_from_der(out, views, num, NULL) == CL_OK);
    for (size_t i = 0; i < num; i++) {
        cl_buf_deinit(&der[i]);
    }
    return ok;
}

static bool read_credential(const json_t *o, struct cleat_tls_builder *b)
{
    struct cl_buf spki = {0};
    struct cleat_chain *chain = NULL;
    struct cleat_key *key = NULL;
    bool ok = read_chain(o, &chain) && cl_rec_get_hex(o, "public_key", MAX_DER, &spki) &&
              cleat_key_external(spki.p, spki.len, &key) == CLEAT_OK;
    ok = ok && (chain != NULL ? cleat_tls_builder_credential(b, chain, key)
                              : cleat_tls_builder_raw_key(b, key)) == CLEAT_OK;
    cl_buf_deinit(&spki);
    cleat_chain_free(chain);
    cleat_key_free(key);
    return ok;
}

static cl_result read_credentials(const json_t *o, struct cleat_tls_builder *b,
                                  struct cleat_error *err)
{
    const json_t *list;
    bool ok = cl_rec_get_list(o, "credentials", CL_CONFIG_MAX_CREDENTIALS, &list);
    for (size_t i = 0; ok && i < json_array_size(list); i++) {
        ok = read_credential(json_array_get(list, i), b);
    }
    return ok ? CL_OK : bad(err, "credentials");
}

static cl_result read_pins(const json_t *o, const char *key, struct cl_pins *out,
                           struct cleat_error *err)
{
    struct cl_buf pins = {0};
    bool ok = cl_rec_get_hex(o, key, CL_PIN_MAX * CL_PIN_LEN, &pins) && pins.len % CL_PIN_LEN == 0;
    if (ok && pins.len != 0) {
        out->items = cl_memdup(pins.p, pins.len);
        ok = out->items != NULL;
        out->num = ok ? pins.len / CL_PIN_LEN : 0;
    }
    cl_buf_deinit(&pins);
    return ok ? CL_OK : bad(err, key);
}

static cl_result read_all_pins(const json_t *o, struct cleat_tls_config *c, struct cleat_error *err)
{
    CL_TRY(read_pins(o, "raw_pins", &c->raw_pins, err));
    return json_object_get(o, "pins") != NULL ? read_pins(o, "pins", &c->pins, err) : CL_OK;
}

/* ---- pre-shared keys ---- */

static json_t *write_psks(const struct cleat_tls_config *c, bool secrets)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->num_psks && i < CL_PSK_MAX_OFFERED; i++) {
        const struct cl_psk *psk = &c->psks[i];
        json_t *o = json_object();
        cl_rec_put_hex(o, "identity", psk->identity.p, psk->identity.len);
        cl_rec_put_hex(o, "name", psk->name.p, psk->name.len);
        cl_rec_put_number(o, "key_len", psk->key.len);
        (void)json_object_set_new(o, "sha384", json_boolean(psk->hash == CL_HASH_SHA384));
        (void)json_object_set_new(o, "imported", json_boolean(psk->imported));
        if (secrets) {
            cl_rec_put_hex(o, "key", psk->key.bytes, psk->key.len);
        }
        (void)json_array_append_new(list, o);
    }
    return list;
}

static bool read_psk(const json_t *o, struct cl_psk *psk)
{
    struct cl_buf key = {0};
    uint64_t len;
    bool sha384;
    bool ok = cl_rec_get_hex(o, "identity", UINT16_MAX / 2, &psk->identity) &&
              cl_rec_get_hex(o, "name", UINT16_MAX / 2, &psk->name) &&
              cl_rec_get_number(o, "key_len", CL_SECRET_MAX, &len) && len >= CL_PSK_MIN_KEY &&
              cl_rec_get_bool(o, "sha384", &sha384) &&
              cl_rec_get_bool(o, "imported", &psk->imported) &&
              cl_rec_get_hex(o, "key", CL_SECRET_MAX, &key) && (key.len == 0 || key.len == len) &&
              psk->identity.len != 0;
    if (ok) {
        psk->hash = sha384 ? CL_HASH_SHA384 : CL_HASH_SHA256;
        psk->binder_label = psk->imported ? CL_BINDER_IMPORTED : CL_BINDER_EXTERNAL;
        psk->key.len = (uint8_t)len;
        if (key.len != 0) {
            memcpy(psk->key.bytes, key.p, key.len);
        }
    }
    cl_buf_deinit(&key);
    return ok;
}

static cl_result read_psks(const json_t *o, struct cleat_tls_config *c, struct cleat_error *err)
{
    const json_t *list;
    if (!cl_rec_get_list(o, "psks", CL_PSK_MAX_OFFERED, &list)) {
        return bad(err, "psks");
    }
    if (json_array_size(list) == 0) {
        return CL_OK;
    }
    c->psks = cl_calloc(json_array_size(list), sizeof(*c->psks));
    if (c->psks == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    c->num_psks = json_array_size(list);
    for (size_t i = 0; i < c->num_psks; i++) {
        if (!read_psk(json_array_get(list, i), &c->psks[i])) {
            return bad(err, "psks");
        }
    }
    return CL_OK;
}

/* ---- application protocols ---- */

static json_t *write_alpn(const struct cleat_tls_config *c)
{
    struct cl_rd list = cl_buf_view(&c->alpn), name;
    json_t *out = json_array();
    while (cl_rd_vec8(&list, &name)) {
        (void)json_array_append_new(out, cl_rec_hex(name.p, name.len));
    }
    return out;
}

/* 16: as many as `cleat get` takes */
#define MAX_ALPN 16

static cl_result read_alpn(const json_t *o, struct cleat_tls_builder *b, struct cleat_error *err)
{
    struct cl_buf names[MAX_ALPN] = {{0}};
    const char *texts[MAX_ALPN];
    const json_t *list;
    bool ok = cl_rec_get_list(o, "alpn", MAX_ALPN, &list);
    const size_t num = ok ? json_array_size(list) : 0;
    for (size_t i = 0; ok && i < num; i++) {
        ok = cl_rec_take_hex(json_array_get(list, i), UINT8_MAX, &names[i]) &&
             memchr(names[i].p, '\0', names[i].len) == NULL &&
             cl_buf_append(&names[i], "", 1, UINT8_MAX + 2) == CL_OK;
        texts[i] = (const char *)names[i].p;
    }
    ok = ok && (num == 0 || cleat_tls_builder_alpn(b, texts, num) == CLEAT_OK);
    for (size_t i = 0; i < num; i++) {
        cl_buf_deinit(&names[i]);
    }
    return ok ? CL_OK : bad(err, "alpn");
}

/* ---- all of it ---- */

json_t *cl_rec_config_write(const struct cleat_tls_config *c, bool secrets)
{
    json_t *o = json_object();
    for (size_t i = 0; i < NUM_FIELDS; i++) {
        cl_rec_put_number(o, fields[i].name, get_field(c, &fields[i]));
    }
    write_choices(c, o);
    (void)json_object_set_new(o, "alpn", write_alpn(c));
    write_types(o, "peer_types", c->peer_types, c->num_peer_types);
    write_types(o, "own_types", c->own_types, c->num_own_types);
    cl_rec_put_hex(o, "raw_pins", c->raw_pins.items, c->raw_pins.num * CL_PIN_LEN);
    if (c->pins.num != 0) { /* so that others stay as they were before there were such pins */
        cl_rec_put_hex(o, "pins", c->pins.items, c->pins.num * CL_PIN_LEN);
    }
    (void)json_object_set_new(o, "credentials", write_credentials(c));
    (void)json_object_set_new(o, "psks", write_psks(c, secrets));
    if (c->trust != NULL) {
        /* one of them, so that there are some where the handshake never gets to a chain */
        const struct cl_rd der = cl_cert_der(cl_trust_indexed(c->trust, 0));
        (void)json_object_set_new(o, "anchors", json_pack("[o]", cl_rec_hex(der.p, der.len)));
    }
    return o;
}

cl_result cl_rec_config_read(const json_t *o, struct cleat_tls_builder *b, struct cleat_error *err)
{
    CL_TRY(read_fields(o, b->config, err));
    CL_TRY(read_all_choices(o, b->config, err));
    CL_TRY(read_alpn(o, b, err));
    CL_TRY(read_types(o, "peer_types", b, cleat_tls_builder_peer_types, err));
    CL_TRY(read_types(o, "own_types", b, cleat_tls_builder_own_types, err));
    CL_TRY(read_all_pins(o, b->config, err));
    CL_TRY(read_credentials(o, b, err));
    return read_psks(o, b->config, err);
}

/* ---- anchors ---- */

static void add_anchors(const struct cleat_trust_store *store, const struct cleat_cert *cert,
                        json_t *list)
{
    const struct cleat_cert *anchor;
    size_t at = 0;
    while (json_array_size(list) < MAX_ANCHORS &&
           (anchor = cl_trust_related(store, cert, &at)) != NULL) {
        const struct cl_rd der = cl_cert_der(anchor);
        (void)json_array_append_new(list, cl_rec_hex(der.p, der.len));
    }
}

json_t *cl_rec_anchors_write(const struct cleat_trust_store *store, struct cl_rd chain)
{
    json_t *list = json_array();
    struct cl_rd der;
    while (cl_rd_vec24(&chain, &der)) {
        struct cleat_cert *cert = NULL;
        if (cl_cert_parse(&cert, der, NULL) == CL_OK) {
            add_anchors(store, cert, list);
        }
        cleat_cert_free(cert);
    }
    return list;
}

cl_result cl_rec_anchors_read(const json_t *list, struct cleat_trust_builder *b,
                              struct cleat_error *err)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct cl_buf der = {0};
        struct cleat_cert *cert = NULL;
        bool ok = i < MAX_ANCHORS && cl_rec_take_hex(json_array_get(list, i), MAX_DER, &der) &&
                  cl_cert_parse(&cert, cl_buf_view(&der), NULL) == CL_OK &&
                  cleat_trust_builder_add_cert(b, cert) == CLEAT_OK;
        cleat_cert_free(cert);
        cl_buf_deinit(&der);
        if (!ok) {
            return bad(err, "anchors");
        }
    }
    return CL_OK;
}

/* ---- the session that is offered ---- */

json_t *cl_rec_session_write(const struct cleat_tls_session *session, bool secrets)
{
    struct cleat_tls_session copy = *session;
    uint8_t *bytes = cl_alloc(MAX_SESSION);
    size_t len = MAX_SESSION;
    json_t *value = NULL;
    if (!secrets) {
        cl_wipe(copy.psk.bytes, sizeof(copy.psk.bytes));
    }
    if (bytes != NULL && cleat_tls_session_export(&copy, bytes, &len) == CLEAT_OK) {
        value = cl_rec_hex(bytes, len);
    }
    cl_free_secret(bytes, bytes != NULL ? MAX_SESSION : 0);
    cl_wipe(&copy, sizeof(copy));
    return value;
}

cl_result cl_rec_session_read(const json_t *value, const struct cleat_tls_config *config,
                              const char *server_name, struct cleat_tls_session **out)
{
    struct cl_buf bytes = {0};
    cl_result r = cl_rec_take_hex(value, MAX_SESSION, &bytes) ? CL_OK : CLEAT_ERR_DECODE;
    if (r == CL_OK) {
        r = (cl_result)cleat_tls_session_import(bytes.p, bytes.len, out);
    }
    /* The anchors are fewer than they were, and a session is bound to all of them. */
    if (r == CL_OK) {
        cl_session_binding(config, server_name, (*out)->binding);
    }
    cl_buf_deinit(&bytes);
    return r;
}
