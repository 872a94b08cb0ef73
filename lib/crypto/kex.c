/* crypto/kex.c - the table of groups, and what all groups have in common: lengths, clean-up. */
#include "crypto/kex_impl.h"

#include "base/mem.h"
#include "base/text.h"

struct row {
    struct cl_group group;
    const struct cl_kex_ops *ops;
};

/* In order of preference. */
static const struct row rows[] = {
    {{CL_GROUP_X25519, "X25519", "x25519", NULL, 32, 32, 32, 128}, &cl_kex_x25519},
    {{CL_GROUP_SECP256R1, "P-256", "secp256r1", "prime256v1", 65, 65, 32, 128}, &cl_kex_nist},
    {{CL_GROUP_SECP384R1, "P-384", "secp384r1", NULL, 97, 97, 48, 192}, &cl_kex_nist},
    {{CL_GROUP_SECP521R1, "P-521", "secp521r1", NULL, 133, 133, 66, 256}, &cl_kex_nist},
};

#define NUM_ROWS (sizeof(rows) / sizeof(rows[0]))

const struct cl_group *cl_group_at(size_t i)
{
    return i < NUM_ROWS ? &rows[i].group : NULL;
}

const struct cl_group *cl_group_by_id(uint16_t id)
{
    for (size_t i = 0; i < NUM_ROWS; i++) {
        if (rows[i].group.id == id) {
            return &rows[i].group;
        }
    }
    return NULL;
}

const struct cl_group *cl_group_by_name(const char *name, size_t len)
{
    const struct cl_rd wanted = cl_rd_of(name, len);
    for (size_t i = 0; i < NUM_ROWS; i++) {
        const struct cl_group *g = &rows[i].group;
        if (cl_ascii_equal_fold(wanted, cl_rd_str(g->name)) ||
            cl_ascii_equal_fold(wanted, cl_rd_str(g->iana_name)) ||
            (g->openssl_alias != NULL &&
             cl_ascii_equal_fold(wanted, cl_rd_str(g->openssl_alias)))) {
            return g;
        }
    }
    return NULL;
}

static const struct cl_kex_ops *ops_of(const struct cl_group *group)
{
    for (size_t i = 0; i < NUM_ROWS; i++) {
        if (group != NULL && rows[i].group.id == group->id) {
            return rows[i].ops;
        }
    }
    return NULL;
}

static void deinit_key(struct cl_kex_key *key)
{
    EVP_PKEY_free(key->pkey);
    cl_wipe(key, sizeof(*key));
}

void cl_kex_key_free(struct cl_kex_key *key)
{
    if (key != NULL) {
        deinit_key(key);
        cl_free(key);
    }
}

cl_result cl_kex_keygen(const struct cl_group *group, const struct cl_rng *rng,
                        struct cl_kex_key **out, uint8_t *share)
{
    const struct cl_kex_ops *ops = ops_of(group);
    *out = NULL;
    if (ops == NULL) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    struct cl_kex_key *key = cl_calloc(1, sizeof(*key));
    if (key == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    key->group = group;
    const cl_result r = ops->keygen(key, rng, share);
    if (r != CL_OK) {
        cl_kex_key_free(key);
        return r;
    }
    *out = key;
    return CL_OK;
}

static cl_result agree(const struct cl_kex_ops *ops, const struct cl_kex_key *key,
                       struct cl_rd peer, uint8_t *secret)
{
    const cl_result r = ops->agree(key, peer, secret);
    if (r != CL_OK) {
        cl_wipe(secret, key->group->secret_len);
    }
    return r;
}

cl_result cl_kex_decap(const struct cl_kex_key *key, struct cl_rd peer, uint8_t *secret)
{
    const struct cl_kex_ops *ops = ops_of(key->group);
    if (ops == NULL) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    if (peer.len != key->group->server_share_len) {
        return CLEAT_ERR_BAD_KEY_SHARE;
    }
    return agree(ops, key, peer, secret);
}

cl_result cl_kex_encap(const struct cl_group *group, const struct cl_rng *rng, struct cl_rd peer,
                       uint8_t *share, uint8_t *secret)
{
    const struct cl_kex_ops *ops = ops_of(group);
    struct cl_kex_key key = {.group = group};
    if (ops == NULL) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    if (peer.len != group->client_share_len) {
        return CLEAT_ERR_BAD_KEY_SHARE;
    }
    cl_result r = ops->keygen(&key, rng, share);
    if (r == CL_OK) {
        r = agree(ops, &key, peer, secret);
    }
    deinit_key(&key);
    return r;
}

static void load_pair(struct cl_kex_key *key, const struct cl_group *group, const uint8_t *scalar,
                      const uint8_t *share)
{
    key->group = group;
    memcpy(key->scalar, scalar, group->secret_len);
    if (group->id == CL_GROUP_X25519) {
        memcpy(key->share, share, sizeof(key->share));
    }
}

struct cl_kex_key *cl_kex_key_of(const struct cl_group *group, const uint8_t *scalar,
                                 const uint8_t *share)
{
    struct cl_kex_key *key = cl_calloc(1, sizeof(*key));
    if (key != NULL) {
        load_pair(key, group, scalar, share);
    }
    return key;
}

cl_result cl_kex_agree_with(const struct cl_group *group, const uint8_t *scalar,
                            const uint8_t *share, struct cl_rd peer, uint8_t *secret)
{
    struct cl_kex_key key = {0};
    load_pair(&key, group, scalar, share);
    const cl_result r = agree(ops_of(group), &key, peer, secret);
    deinit_key(&key);
    return r;
}
