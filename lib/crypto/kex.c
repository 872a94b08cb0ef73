/* crypto/kex.c - the table of groups, and what all groups have in common: lengths, clean-up.
 *
 * A group is a curve, ML-KEM, or one of each: then its shares and its secret are those of its two
 * parts, one behind the other (RFC 10024). A finite field takes the place of a curve.
 */
#include "crypto/kex_impl.h"

#include "base/mem.h"
#include "base/text.h"

struct row {
    struct cl_group group;
    const struct cl_kex_ops *ops;   /* of its curve */
    uint16_t curve;                 /* which that is; 0: it has none */
    bool kem_first;                 /* the order of the parts */
    const struct cl_mlkem_set *kem; /* NULL: it has none */
};

#define HYBRID(id, name, client, server, secret, bits)                         \
    {                                                                          \
        id, name, name, NULL, client, server, secret, bits, true, false, false \
    }
#define KEM_ALONE(id, name, alias, client, server, bits)                                    \
    {                                                                                       \
        id, name, alias, NULL, client, server, CL_MLKEM_SECRET_LEN, bits, true, true, false \
    }
#define CURVE(id, name, iana, alias, share, secret, bits)                      \
    {                                                                          \
        id, name, iana, alias, share, share, secret, bits, false, false, false \
    }
/* RFC 7919 A: the strength of each */
#define FIELD(id, name, len, bits)                                   \
    {                                                                \
        id, name, name, NULL, len, len, len, bits, false, true, true \
    }

/* In order of preference. RFC 10024: of the hybrid groups, the one with X25519 has its ML-KEM part
 * first, those with the NIST's curves their ECDH part. */
static const struct row rows[] = {
    {HYBRID(CL_GROUP_X25519_MLKEM768, "X25519MLKEM768", 1184 + 32, 1088 + 32, 64, 192),
     &cl_kex_x25519, CL_GROUP_X25519, true, &cl_mlkem_768},
    {HYBRID(CL_GROUP_SECP256R1_MLKEM768, "SecP256r1MLKEM768", 65 + 1184, 65 + 1088, 64, 192),
     &cl_kex_nist, CL_GROUP_SECP256R1, false, &cl_mlkem_768},
    {HYBRID(CL_GROUP_SECP384R1_MLKEM1024, "SecP384r1MLKEM1024", 97 + 1568, 97 + 1568, 80, 256),
     &cl_kex_nist, CL_GROUP_SECP384R1, false, &cl_mlkem_1024},
    {CURVE(CL_GROUP_X25519, "X25519", "x25519", NULL, 32, 32, 128), &cl_kex_x25519, CL_GROUP_X25519,
     false, NULL},
    {CURVE(CL_GROUP_SECP256R1, "P-256", "secp256r1", "prime256v1", 65, 32, 128), &cl_kex_nist,
     CL_GROUP_SECP256R1, false, NULL},
    {CURVE(CL_GROUP_SECP384R1, "P-384", "secp384r1", NULL, 97, 48, 192), &cl_kex_nist,
     CL_GROUP_SECP384R1, false, NULL},
    {CURVE(CL_GROUP_SECP521R1, "P-521", "secp521r1", NULL, 133, 66, 256), &cl_kex_nist,
     CL_GROUP_SECP521R1, false, NULL},
    {KEM_ALONE(CL_GROUP_MLKEM512, "ML-KEM-512", "MLKEM512", 800, 768, 128), NULL, 0, true,
     &cl_mlkem_512},
    {KEM_ALONE(CL_GROUP_MLKEM768, "ML-KEM-768", "MLKEM768", 1184, 1088, 192), NULL, 0, true,
     &cl_mlkem_768},
    {KEM_ALONE(CL_GROUP_MLKEM1024, "ML-KEM-1024", "MLKEM1024", 1568, 1568, 256), NULL, 0, true,
     &cl_mlkem_1024},
    {FIELD(CL_GROUP_FFDHE2048, "ffdhe2048", 256, 103), &cl_kex_ffdhe, CL_GROUP_FFDHE2048, false,
     NULL},
    {FIELD(CL_GROUP_FFDHE3072, "ffdhe3072", 384, 125), &cl_kex_ffdhe, CL_GROUP_FFDHE3072, false,
     NULL},
    {FIELD(CL_GROUP_FFDHE4096, "ffdhe4096", 512, 150), &cl_kex_ffdhe, CL_GROUP_FFDHE4096, false,
     NULL},
    {FIELD(CL_GROUP_FFDHE6144, "ffdhe6144", 768, 175), &cl_kex_ffdhe, CL_GROUP_FFDHE6144, false,
     NULL},
    {FIELD(CL_GROUP_FFDHE8192, "ffdhe8192", 1024, 192), &cl_kex_ffdhe, CL_GROUP_FFDHE8192, false,
     NULL},
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

/* ---- the parts of a group ---- */

static const struct row *row_of(const struct cl_group *group)
{
    for (size_t i = 0; i < NUM_ROWS; i++) {
        if (group != NULL && rows[i].group.id == group->id) {
            return &rows[i];
        }
    }
    return NULL;
}

const struct cl_group *cl_kex_curve_of(const struct cl_group *group)
{
    const struct row *row = row_of(group);
    return row != NULL ? cl_group_by_id(row->curve) : NULL;
}

static size_t curve_len(const struct row *row, enum cl_kex_text text)
{
    const struct cl_group *curve = cl_group_by_id(row->curve);
    if (curve == NULL) {
        return 0;
    }
    return text == CL_KEX_SECRET ? curve->secret_len : curve->client_share_len;
}

static size_t kem_len(const struct row *row, enum cl_kex_text text)
{
    if (row->kem == NULL) {
        return 0;
    }
    return text == CL_KEX_SECRET         ? CL_MLKEM_SECRET_LEN
           : text == CL_KEX_CLIENT_SHARE ? row->kem->ek_len
                                         : row->kem->ct_len;
}

size_t cl_kex_curve_at(const struct cl_group *group, enum cl_kex_text text)
{
    const struct row *row = row_of(group);
    return row != NULL && row->kem_first ? kem_len(row, text) : 0;
}

static size_t kem_at(const struct row *row, enum cl_kex_text text)
{
    return row->kem_first ? 0 : curve_len(row, text);
}

static struct cl_rd curve_part(const struct cl_group *group, enum cl_kex_text text,
                               struct cl_rd whole)
{
    return cl_rd_of(whole.p + cl_kex_curve_at(group, text), curve_len(row_of(group), text));
}

static struct cl_rd kem_part(const struct row *row, enum cl_kex_text text, struct cl_rd whole)
{
    return cl_rd_of(whole.p + kem_at(row, text), kem_len(row, text));
}

/* ---- ML-KEM ---- */

cl_result cl_kex_kem_keygen(struct cl_kex_key *key, const struct cl_rng *rng, uint8_t *share)
{
    const struct row *row = row_of(key->group);
    uint8_t seed[CL_MLKEM_SEED_LEN];
    if (row->kem == NULL) {
        return CL_OK;
    }
    cl_result r = cl_rand(rng, seed, sizeof(seed));
    if (r == CL_OK) {
        r = cl_mlkem_keygen(row->kem, seed, share + kem_at(row, CL_KEX_CLIENT_SHARE), &key->kem);
    }
    cl_wipe(seed, sizeof(seed));
    return r;
}

cl_result cl_kex_kem_encap(const struct cl_group *group, const struct cl_rng *rng,
                           struct cl_rd peer, uint8_t *share, uint8_t *secret)
{
    const struct row *row = row_of(group);
    uint8_t random[CL_MLKEM_RANDOM_LEN];
    if (row->kem == NULL) {
        return CL_OK;
    }
    cl_result r = cl_rand(rng, random, sizeof(random));
    if (r == CL_OK) {
        /* RFC 10024: "the server MUST perform the encapsulation key check described in Section 7.2
         * of FIPS203 on the client's encapsulation key" */
        r = cl_mlkem_encap(row->kem, kem_part(row, CL_KEX_CLIENT_SHARE, peer), random,
                           share + kem_at(row, CL_KEX_SERVER_SHARE),
                           secret + kem_at(row, CL_KEX_SECRET));
    }
    cl_wipe(random, sizeof(random));
    return r;
}

cl_result cl_kex_kem_decap(const struct cl_kex_key *key, struct cl_rd peer, uint8_t *secret)
{
    const struct row *row = row_of(key->group);
    if (row->kem == NULL) {
        return CL_OK;
    }
    return cl_mlkem_decap(key->kem, kem_part(row, CL_KEX_SERVER_SHARE, peer),
                          secret + kem_at(row, CL_KEX_SECRET));
}

/* ---- steps of jobs ---- */

static void deinit_key(struct cl_kex_key *key)
{
    EVP_PKEY_free(key->pkey);
    cl_mlkem_key_free(key->kem);
    cl_wipe(key, sizeof(*key));
}

void cl_kex_key_free(struct cl_kex_key *key)
{
    if (key != NULL) {
        deinit_key(key);
        cl_free(key);
    }
}

static cl_result curve_keygen(struct cl_kex_key *key, const struct cl_rng *rng,
                              enum cl_kex_text text, uint8_t *share)
{
    const struct row *row = row_of(key->group);
    return row->ops != NULL ? row->ops->keygen(key, rng, share + cl_kex_curve_at(key->group, text))
                            : CL_OK;
}

static cl_result curve_agree(const struct cl_kex_key *key, enum cl_kex_text peer_is,
                             struct cl_rd peer, uint8_t *secret)
{
    const struct row *row = row_of(key->group);
    return row->ops != NULL ? row->ops->agree(key, curve_part(key->group, peer_is, peer),
                                              secret + cl_kex_curve_at(key->group, CL_KEX_SECRET))
                            : CL_OK;
}

cl_result cl_kex_keygen(const struct cl_group *group, const struct cl_rng *rng,
                        struct cl_kex_key **out, uint8_t *share)
{
    *out = NULL;
    if (row_of(group) == NULL) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    struct cl_kex_key *key = cl_calloc(1, sizeof(*key));
    if (key == NULL) {
        return CLEAT_ERR_NOMEM;
    }
    key->group = group;
    key->curve = cl_kex_curve_of(group);
    cl_result r = curve_keygen(key, rng, CL_KEX_CLIENT_SHARE, share);
    if (r == CL_OK) {
        r = cl_kex_kem_keygen(key, rng, share);
    }
    if (r != CL_OK) {
        cl_kex_key_free(key);
        return r;
    }
    *out = key;
    return CL_OK;
}

cl_result cl_kex_decap(const struct cl_kex_key *key, struct cl_rd peer, uint8_t *secret)
{
    if (row_of(key->group) == NULL) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    /* RFC 10024: "the client MUST check if the ciphertext length matches the selected group" */
    if (peer.len != key->group->server_share_len) {
        return CLEAT_ERR_BAD_KEY_SHARE;
    }
    cl_result r = curve_agree(key, CL_KEX_SERVER_SHARE, peer, secret);
    if (r == CL_OK) {
        r = cl_kex_kem_decap(key, peer, secret);
    }
    if (r != CL_OK) {
        cl_wipe(secret, key->group->secret_len);
    }
    return r;
}

cl_result cl_kex_encap(const struct cl_group *group, const struct cl_rng *rng, struct cl_rd peer,
                       uint8_t *share, uint8_t *secret)
{
    struct cl_kex_key key = {.group = group, .curve = cl_kex_curve_of(group)};
    if (row_of(group) == NULL) {
        return CLEAT_ERR_UNSUPPORTED;
    }
    if (peer.len != group->client_share_len) {
        return CLEAT_ERR_BAD_KEY_SHARE;
    }
    cl_result r = curve_keygen(&key, rng, CL_KEX_SERVER_SHARE, share);
    if (r == CL_OK) {
        r = curve_agree(&key, CL_KEX_CLIENT_SHARE, peer, secret);
    }
    if (r == CL_OK) {
        r = cl_kex_kem_encap(group, rng, peer, share, secret);
    }
    if (r != CL_OK) {
        cl_wipe(secret, group->secret_len);
    }
    deinit_key(&key);
    return r;
}

static void load_pair(struct cl_kex_key *key, const struct cl_group *curve, const uint8_t *scalar,
                      const uint8_t *share)
{
    key->curve = curve;
    memcpy(key->scalar, scalar, curve->secret_len);
    if (curve->id == CL_GROUP_X25519) {
        memcpy(key->share, share, sizeof(key->share));
    }
}

struct cl_kex_key *cl_kex_key_of(const struct cl_group *group, const uint8_t *scalar,
                                 const uint8_t *share)
{
    struct cl_kex_key *key = cl_calloc(1, sizeof(*key));
    if (key != NULL) {
        key->group = group;
        load_pair(key, cl_kex_curve_of(group), scalar, share);
    }
    return key;
}

cl_result cl_kex_agree_with(const struct cl_group *curve, const uint8_t *scalar,
                            const uint8_t *share, struct cl_rd peer, uint8_t *secret)
{
    struct cl_kex_key key = {.group = curve};
    load_pair(&key, curve, scalar, share);
    const cl_result r = row_of(curve)->ops->agree(&key, peer, secret);
    if (r != CL_OK) {
        cl_wipe(secret, curve->secret_len);
    }
    deinit_key(&key);
    return r;
}
