/* tls/ech_keys.c - a server's ECH keys: a set that is filled once and then shared; and new ones. */
#include "base/pem.h"
#include "tls/builder.h"
#include "tls/ech_config.h"

/* 8 KiB: a key and a list of some configurations; as PEM, a third more */
#define MAX_PEM 8192

struct cleat_ech_keys {
    int refs; /* atomic */
    size_t num;
    struct cl_ech_key keys[CLEAT_ECH_MAX_KEYS];
};

int cleat_ech_keys_new(struct cleat_ech_keys **out)
{
    *out = cl_calloc(1, sizeof(**out));
    if (*out == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    (*out)->refs = 1;
    return CLEAT_OK;
}

struct cleat_ech_keys *cleat_ech_keys_ref(struct cleat_ech_keys *keys)
{
    __atomic_add_fetch(&keys->refs, 1, __ATOMIC_RELAXED);
    return keys;
}

static void deinit_key(struct cl_ech_key *key)
{
    cl_buf_deinit(&key->bytes);
    cl_kex_key_free(key->job_key);
    cl_wipe(key, sizeof(*key));
}

void cleat_ech_keys_free(struct cleat_ech_keys *keys)
{
    if (keys == NULL || __atomic_sub_fetch(&keys->refs, 1, __ATOMIC_ACQ_REL) != 0) {
        return;
    }
    for (size_t i = 0; i < keys->num; i++) {
        deinit_key(&keys->keys[i]);
    }
    cl_free_secret(keys, sizeof(*keys));
}

const struct cl_ech_key *cl_ech_keys_at(const struct cleat_ech_keys *keys, size_t i)
{
    return i < keys->num ? &keys->keys[i] : NULL;
}

bool cl_ech_keys_retry(const struct cleat_ech_keys *keys, struct cl_wr *w)
{
    bool any = false;
    struct cl_wr_mark list = cl_wr_open16(w);
    for (size_t i = 0; i < keys->num; i++) {
        if (keys->keys[i].retry) {
            cl_wr_view(w, keys->keys[i].config.whole);
            any = true;
        }
    }
    cl_wr_close(w, list);
    return any;
}

size_t cl_ech_keys_retry_len(const struct cleat_ech_keys *keys)
{
    size_t len = 2;
    for (size_t i = 0; i < keys->num; i++) {
        len += keys->keys[i].retry ? keys->keys[i].config.whole.len : 0;
    }
    return len;
}

/* ---- adding ---- */

#define WHY(name) ((struct cl_why){.code = CLEAT_ERR_##name, .section = "RFC 9849 4"})

static cl_result check_room(const struct cleat_ech_keys *keys, uint8_t id, struct cleat_error *err)
{
    size_t same = 0;
    for (size_t i = 0; i < keys->num; i++) {
        same += keys->keys[i].config.id == id ? 1 : 0;
    }
    if (keys->num == CLEAT_ECH_MAX_KEYS) {
        return cl_error_set(err, WHY(LIMIT), "more than %d ECH configurations", CLEAT_ECH_MAX_KEYS);
    }
    if (same == CLEAT_ECH_MAX_SAME_ID) {
        return cl_error_set(err,
                            (struct cl_why){.code = CLEAT_ERR_LIMIT,
                                            .section = "RFC 9849 4.1",
                                            .hint = "make a new one with another config_id"},
                            "more than %d ECH configurations with config_id %u",
                            CLEAT_ECH_MAX_SAME_ID, id);
    }
    return CL_OK;
}

/* What it has when it fails is the caller's to deinit. */
static cl_result keep(struct cl_ech_key *k, struct cl_rd config, const struct cl_hpke_key *key,
                      bool retry)
{
    CL_TRY(cl_buf_append(&k->bytes, config.p, config.len, CL_ECH_MAX_LIST));
    struct cl_rd rest = cl_buf_view(&k->bytes);
    if (!cl_ech_config_next(&rest, &k->config)) {
        return CLEAT_ERR_INTERNAL;
    }
    k->key = *key;
    k->job_key = cl_hpke_job_key(key);
    k->retry = retry;
    return k->job_key != NULL ? CL_OK : CLEAT_ERR_NOMEM;
}

static cl_result add(struct cleat_ech_keys *keys, struct cl_rd config,
                     const struct cl_hpke_key *key, bool retry, struct cleat_error *err)
{
    struct cl_ech_key *k = &keys->keys[keys->num < CLEAT_ECH_MAX_KEYS ? keys->num : 0];
    struct cl_ech_config c;
    struct cl_rd rest = config;
    if (!cl_ech_config_next(&rest, &c) || !cl_rd_done(&rest) || c.version != CL_ECH_VERSION) {
        return cl_error_set(err, WHY(BAD_ECH_CONFIG),
                            "these %zu bytes are not an ECHConfig of version 0xfe0d", config.len);
    }
    if (c.kem != key->kem->id ||
        !cl_rd_equal(c.public_key, cl_rd_of(key->public_key, key->kem->public_len))) {
        return cl_error_set(err, WHY(KEY_MISMATCH),
                            "the private key does not belong to the ECH configuration %u of %.*s",
                            c.id, (int)c.public_name.len, (const char *)c.public_name.p);
    }
    CL_TRY(check_room(keys, c.id, err));
    const cl_result r = keep(k, config, key, retry);
    keys->num++;
    /* what clients are given fits into the extension that gives it */
    const bool fits = r == CL_OK && cl_ech_keys_retry_len(keys) <= UINT16_MAX - 2;
    if (!fits) {
        keys->num--;
        deinit_key(k);
    }
    return fits || r != CL_OK
               ? r
               : cl_error_set(err, WHY(LIMIT), "the ECH configurations take more than 64 KiB");
}

int cleat_ech_keys_add(struct cleat_ech_keys *keys, const uint8_t *config, size_t config_len,
                       const uint8_t *private_key, size_t key_len, bool retry,
                       struct cleat_error *err)
{
    struct cl_rd rest = cl_rd_of(config, config_len);
    struct cl_ech_config c;
    struct cl_hpke_key key = {0};
    if (!cl_ech_config_next(&rest, &c) || c.version != CL_ECH_VERSION) {
        c.kem = 0;
    }
    const struct cl_hpke_kem *kem = cl_hpke_kem_by_id(c.kem);
    if (kem == NULL) {
        return (int)cl_error_set(err, WHY(BAD_ECH_CONFIG),
                                 "these %zu bytes are not an ECHConfig of version 0xfe0d with a "
                                 "KEM that is known",
                                 config_len);
    }
    cl_result r = cl_hpke_key_of(&key, kem, cl_rd_of(private_key, key_len));
    if (r == CL_OK) {
        r = add(keys, cl_rd_of(config, config_len), &key, retry, err);
    } else {
        r = cl_error_set(err, (struct cl_why){.code = r}, "%zu bytes are not a private key of %s",
                         key_len, kem->name);
    }
    cl_wipe(&key, sizeof(key));
    return (int)r;
}

/* ---- PEM ---- */

struct pem_parts {
    struct cl_hpke_key key;
    struct cl_buf list;
};

static cl_result take_block(struct pem_parts *parts, const struct cl_pem *pem,
                            const struct cl_pem_block *block)
{
    struct cl_buf der = {0};
    if (cl_rd_equal_str(block->label, "ECHCONFIG")) {
        parts->list.len = 0;
        return cl_pem_decode(pem, block, &parts->list, CL_ECH_MAX_LIST);
    }
    if (!cl_rd_equal_str(block->label, "PRIVATE KEY")) {
        return CL_OK;
    }
    cl_result r = cl_pem_decode(pem, block, &der, MAX_PEM);
    if (r == CL_OK) {
        r = cl_hpke_key_parse(&parts->key, cl_buf_view(&der));
    }
    if (r != CL_OK && r != CLEAT_ERR_NOMEM) {
        r = cl_error_set(pem->err, (struct cl_why){.code = r},
                         "the private key at line %zu is not one of X25519, P-256, P-384 or P-521",
                         block->line);
    }
    cl_buf_deinit(&der);
    return r;
}

static cl_result read_parts(struct pem_parts *parts, const char *text, size_t len,
                            struct cleat_error *err)
{
    struct cl_pem pem;
    struct cl_pem_block block;
    bool found = true;
    cl_pem_init(&pem, text, len, err);
    while (found) {
        CL_TRY(cl_pem_next(&pem, &block, &found));
        if (found) {
            CL_TRY(take_block(parts, &pem, &block));
        }
    }
    if (parts->key.kem == NULL || parts->list.len == 0) {
        return cl_error_set(err,
                            (struct cl_why){.code = CLEAT_ERR_BAD_PEM,
                                            .hint = "`cleat ech keygen` writes such files"},
                            "there is no %s block",
                            parts->key.kem == NULL ? "PRIVATE KEY" : "ECHCONFIG");
    }
    return CL_OK;
}

static cl_result add_parts(struct cleat_ech_keys *keys, const struct pem_parts *parts, bool retry,
                           struct cleat_error *err)
{
    struct cl_rd configs;
    size_t num = 0;
    if (!cl_ech_list_open(cl_buf_view(&parts->list), &configs)) {
        return cl_error_set(err, WHY(BAD_ECH_CONFIG), "the ECHCONFIG block is no ECHConfigList");
    }
    const struct cl_rd public_key = cl_rd_of(parts->key.public_key, parts->key.kem->public_len);
    struct cl_ech_config c;
    while (!cl_rd_done(&configs) && cl_ech_config_next(&configs, &c)) {
        if (c.version == CL_ECH_VERSION && cl_rd_equal(c.public_key, public_key)) {
            CL_TRY(add(keys, c.whole, &parts->key, retry, err));
            num++;
        }
    }
    return num != 0 ? CL_OK
                    : cl_error_set(err, WHY(KEY_MISMATCH),
                                   "none of the ECH configurations is for the private key");
}

int cleat_ech_keys_add_pem(struct cleat_ech_keys *keys, const char *text, size_t len, bool retry,
                           struct cleat_error *err)
{
    struct pem_parts parts = {0};
    cl_result r = read_parts(&parts, text, len, err);
    if (r == CL_OK) {
        r = add_parts(keys, &parts, retry, err);
    }
    cl_buf_deinit(&parts.list);
    cl_wipe(&parts.key, sizeof(parts.key));
    return (int)r;
}

/* ---- new ones ---- */

static cl_result make(const struct cleat_ech_params *params, const struct cl_hpke_kem *kem,
                      struct cl_buf *pem)
{
    struct cl_hpke_key key = {0};
    struct cl_buf der = {0};
    struct cl_buf list = {0};
    uint8_t id = (uint8_t)params->config_id;
    cl_result r = params->config_id < 0 ? cl_rand(&cl_rng_system, &id, 1) : CL_OK;
    if (r == CL_OK) {
        r = cl_hpke_key_generate(&key, kem, &cl_rng_system);
    }
    if (r == CL_OK) {
        r = cl_ech_config_build(params, id, &key, &list);
    }
    if (r == CL_OK) {
        r = cl_hpke_key_build(&key, &der);
    }
    if (r == CL_OK) {
        r = cl_pem_encode("PRIVATE KEY", cl_buf_view(&der), pem);
    }
    if (r == CL_OK) {
        r = cl_pem_encode("ECHCONFIG", cl_buf_view(&list), pem);
    }
    if (r == CL_OK) {
        r = cl_buf_append(pem, "", 1, CL_PEM_MAX_LEN);
    }
    cl_wipe(&key, sizeof(key));
    cl_buf_deinit(&der);
    cl_buf_deinit(&list);
    return r;
}

int cleat_ech_generate(const struct cleat_ech_params *params, char **out, struct cleat_error *err)
{
    const char *name = params->kem != NULL ? params->kem : "X25519";
    const struct cl_hpke_kem *kem = cl_hpke_kem_by_name(name, strlen(name));
    struct cl_buf pem = {0};
    *out = NULL;
    if (kem == NULL || params->config_id > UINT8_MAX) {
        return (int)cl_error_set(err, WHY(BAD_CONFIG),
                                 kem == NULL ? "there is no KEM \"%.40s\"; there are X25519, "
                                               "P-256, P-384 and P-521"
                                             : "a config_id is 0 to 255 (KEM %.40s)",
                                 name);
    }
    cl_result r = make(params, kem, &pem);
    if (r == CLEAT_ERR_BAD_CONFIG) {
        r = cl_error_set(err, WHY(BAD_CONFIG),
                         "\"%.255s\" is not a host name that clients take as a public name, or a "
                         "suite is not known",
                         params->public_name != NULL ? params->public_name : "");
    }
    if (r != CL_OK) {
        cl_buf_deinit(&pem);
        return (int)r;
    }
    *out = (char *)pem.p;
    return CLEAT_OK;
}

void cleat_ech_pem_free(char *pem)
{
    if (pem != NULL) {
        cl_free_secret(pem, strlen(pem));
    }
}

/* ---- a configuration's setters ---- */

int cleat_tls_builder_ech_keys(struct cleat_tls_builder *b, struct cleat_ech_keys *keys)
{
    if (b->config->role != CLEAT_SERVER || keys->num == 0) {
        return (int)cl_error_set(&b->error, WHY(BAD_CONFIG),
                                 keys->num == 0 ? "no ECH key is among those given"
                                                : "ECH keys are a server's");
    }
    cleat_ech_keys_free(b->config->ech_keys);
    b->config->ech_keys = cleat_ech_keys_ref(keys);
    return CLEAT_OK;
}

void cleat_tls_builder_ech_backend(struct cleat_tls_builder *b, bool on)
{
    b->config->ech_backend = on;
}

void cleat_tls_builder_ech_grease(struct cleat_tls_builder *b, bool on)
{
    b->config->ech_grease = on ? CL_ECH_GREASE_ON : CL_ECH_GREASE_OFF;
}
