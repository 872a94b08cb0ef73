/* crypto/hpke_kem.c - DHKEM (RFC 9180 4.1, 7.1): key pairs, and the secret two ends agree on.
 *
 * The curves are kex.h's, which check public keys and refuse an all-zero outcome (RFC 9180 7.1.4).
 * A pair is made by the group's key generation, from randomness that is the private key itself.
 */
#include "crypto/hpke_impl.h"

#include "base/text.h"
#include "crypto/kex_impl.h"

static const struct cl_hpke_kem kems[] = {
    {CL_HPKE_X25519, "X25519", CL_GROUP_X25519, CL_HASH_SHA256, 32, 32},
    {CL_HPKE_P256, "P-256", CL_GROUP_SECP256R1, CL_HASH_SHA256, 65, 32},
    {CL_HPKE_P384, "P-384", CL_GROUP_SECP384R1, CL_HASH_SHA384, 97, 48},
    {CL_HPKE_P521, "P-521", CL_GROUP_SECP521R1, CL_HASH_SHA512, 133, 66},
};

#define NUM_KEMS (sizeof(kems) / sizeof(kems[0]))

const struct cl_hpke_kem *cl_hpke_kem_by_id(uint16_t id)
{
    for (size_t i = 0; i < NUM_KEMS; i++) {
        if (kems[i].id == id) {
            return &kems[i];
        }
    }
    return NULL;
}

const struct cl_hpke_kem *cl_hpke_kem_by_name(const char *name, size_t len)
{
    const struct cl_group *group = cl_group_by_name(name, len);
    for (size_t i = 0; group != NULL && i < NUM_KEMS; i++) {
        if (kems[i].group == group->id) {
            return &kems[i];
        }
    }
    return NULL;
}

void cl_hpke_extract(const struct cl_hpke_kdf *kdf, struct cl_rd salt, const char *label,
                     struct cl_rd ikm, struct cl_secret *out)
{
    /* RFC 9180 4: labeled_ikm = concat("HPKE-v1", suite_id, label, ikm) */
    const struct cl_rd parts[] = {cl_rd_str("HPKE-v1"), cl_rd_of(kdf->suite_id, kdf->suite_id_len),
                                  cl_rd_str(label), ikm};
    uint8_t prk[CL_HASH_MAX_LEN];
    cl_hmac(kdf->hash, salt, parts, sizeof(parts) / sizeof(parts[0]), prk);
    out->len = (uint8_t)cl_hash_len(kdf->hash);
    memcpy(out->bytes, prk, out->len);
    cl_wipe(prk, sizeof(prk));
}

cl_result cl_hpke_expand(const struct cl_hpke_kdf *kdf, const struct cl_secret *prk,
                         const char *label, struct cl_rd info, uint8_t *out, size_t out_len)
{
    /* RFC 9180 4: labeled_info = concat(I2OSP(L, 2), "HPKE-v1", suite_id, label, info); 32: no
     * label is longer than "info_hash" and the like */
    uint8_t labeled[2 + 7 + CL_HPKE_SUITE_ID_LEN + 32 + CL_HPKE_MAX_INFO];
    struct cl_wr w = cl_wr_of(labeled, sizeof(labeled));
    cl_wr_u16(&w, (uint16_t)out_len);
    cl_wr_view(&w, cl_rd_str("HPKE-v1"));
    cl_wr_bytes(&w, kdf->suite_id, kdf->suite_id_len);
    cl_wr_view(&w, cl_rd_str(label));
    cl_wr_view(&w, info);
    if (!cl_wr_ok(&w)) {
        return CLEAT_ERR_LIMIT;
    }
    cl_hkdf_expand(kdf->hash, cl_rd_of(prk->bytes, prk->len), cl_rd_of(labeled, w.len), out,
                   out_len);
    return CL_OK;
}

void cl_hpke_kem_kdf(struct cl_hpke_kdf *out, const struct cl_hpke_kem *kem)
{
    /* RFC 9180 4.1: suite_id = concat("KEM", I2OSP(kem_id, 2)) */
    struct cl_wr w = cl_wr_of(out->suite_id, sizeof(out->suite_id));
    cl_wr_view(&w, cl_rd_str("KEM"));
    cl_wr_u16(&w, kem->id);
    out->suite_id_len = (uint8_t)w.len;
    out->hash = kem->hash;
}

/* A source that has one string to give. */
struct once {
    struct cl_rd bytes;
};

static int fill_once(void *ctx, uint8_t *out, size_t len)
{
    struct once *once = ctx;
    return cl_rd_copy(&once->bytes, out, len) ? 0 : -1;
}

cl_result cl_hpke_key_of(struct cl_hpke_key *out, const struct cl_hpke_kem *kem,
                         struct cl_rd private_key)
{
    memset(out, 0, sizeof(*out));
    if (private_key.len != kem->private_len) {
        return CLEAT_ERR_BAD_KEY;
    }
    struct once once = {private_key};
    const struct cl_rng rng = {fill_once, &once};
    struct cl_kex_key *pair = NULL;
    cl_result r = cl_kex_keygen(cl_group_by_id(kem->group), &rng, &pair, out->public_key);
    if (r == CLEAT_ERR_RANDOM) {
        r = CLEAT_ERR_BAD_KEY; /* the group wanted another value: not in [1, n-1] */
    } else if (r == CL_OK && !cl_ct_equal(pair->scalar, private_key.p, private_key.len)) {
        r = CLEAT_ERR_BAD_KEY; /* beyond P-521's order: the group drops those bits */
    }
    cl_kex_key_free(pair);
    if (r == CL_OK) {
        out->kem = kem;
        memcpy(out->private_key, private_key.p, private_key.len);
    }
    return r;
}

cl_result cl_hpke_key_generate(struct cl_hpke_key *out, const struct cl_hpke_kem *kem,
                               const struct cl_rng *rng)
{
    struct cl_kex_key *pair = NULL;
    memset(out, 0, sizeof(*out));
    CL_TRY(cl_kex_keygen(cl_group_by_id(kem->group), rng, &pair, out->public_key));
    out->kem = kem;
    memcpy(out->private_key, pair->scalar, kem->private_len);
    cl_kex_key_free(pair);
    return CL_OK;
}

cl_result cl_hpke_key_derive(struct cl_hpke_key *out, const struct cl_hpke_kem *kem,
                             struct cl_rd ikm)
{
    struct cl_hpke_kdf kdf;
    struct cl_secret prk = {0};
    uint8_t bytes[CL_HPKE_MAX_PRIVATE];
    cl_result r = CLEAT_ERR_BAD_KEY;
    cl_hpke_kem_kdf(&kdf, kem);
    cl_hpke_extract(&kdf, cl_rd_of(NULL, 0), "dkp_prk", ikm, &prk);
    if (kem->id == CL_HPKE_X25519) {
        r = cl_hpke_expand(&kdf, &prk, "sk", cl_rd_of(NULL, 0), bytes, kem->private_len);
        r = r == CL_OK ? cl_hpke_key_of(out, kem, cl_rd_of(bytes, kem->private_len)) : r;
    }
    /* RFC 9180 7.1.3: candidates, by a counter of one byte, until one lies in [1, order - 1]; of
     * the first byte only the order's bits count, which is P-521's one */
    for (unsigned i = 0; kem->id != CL_HPKE_X25519 && r == CLEAT_ERR_BAD_KEY && i < 256; i++) {
        const uint8_t counter = (uint8_t)i;
        r = cl_hpke_expand(&kdf, &prk, "candidate", cl_rd_of(&counter, 1), bytes, kem->private_len);
        bytes[0] &= kem->id == CL_HPKE_P521 ? 0x01 : 0xff;
        r = r == CL_OK ? cl_hpke_key_of(out, kem, cl_rd_of(bytes, kem->private_len)) : r;
    }
    cl_wipe(bytes, sizeof(bytes));
    cl_secret_wipe(&prk);
    return r;
}

struct cl_kex_key *cl_hpke_job_key(const struct cl_hpke_key *key)
{
    return cl_kex_key_of(cl_group_by_id(key->kem->group), key->private_key, key->public_key);
}

static cl_result agree(const struct cl_hpke_key *key, struct cl_rd peer, uint8_t *out)
{
    const struct cl_group *group = cl_group_by_id(key->kem->group);
    if (peer.len != key->kem->public_len) {
        return CLEAT_ERR_BAD_KEY_SHARE;
    }
    return cl_kex_agree_with(group, key->private_key, key->public_key, peer, out);
}

cl_result cl_hpke_kem_secret(const struct cl_hpke_kem *kem, struct cl_rd agreed,
                             const struct cl_rd *keys, size_t num, struct cl_secret *out)
{
    uint8_t context[CL_HPKE_MAX_INFO]; /* enc, pkRm and in mode auth pkSm */
    struct cl_wr w = cl_wr_of(context, sizeof(context));
    struct cl_hpke_kdf kdf;
    struct cl_secret prk = {0};
    for (size_t i = 0; i < num; i++) {
        cl_wr_view(&w, keys[i]);
    }
    cl_hpke_kem_kdf(&kdf, kem);
    cl_hpke_extract(&kdf, cl_rd_of(NULL, 0), "eae_prk", agreed, &prk);
    out->len = (uint8_t)cl_hash_len(kem->hash); /* Nsecret */
    const cl_result r =
        cl_hpke_expand(&kdf, &prk, "shared_secret", cl_rd_of(context, w.len), out->bytes, out->len);
    cl_secret_wipe(&prk);
    return r;
}

static struct cl_rd public_of(const struct cl_hpke_key *key)
{
    return cl_rd_of(key->public_key, key->kem->public_len);
}

cl_result cl_hpke_encap(const struct cl_hpke_key *ephemeral, const struct cl_hpke_key *sender,
                        struct cl_rd public_key, struct cl_secret *out)
{
    uint8_t agreed[2 * CL_GROUP_MAX_SECRET];
    const size_t len = ephemeral->kem->private_len; /* as long as the agreed x-coordinate */
    if (sender != NULL && sender->kem != ephemeral->kem) {
        return CLEAT_ERR_USAGE;
    }
    cl_result r = agree(ephemeral, public_key, agreed);
    if (r == CL_OK && sender != NULL) {
        r = agree(sender, public_key, agreed + len);
    }
    if (r == CL_OK) {
        const struct cl_rd keys[] = {public_of(ephemeral), public_key,
                                     sender != NULL ? public_of(sender) : cl_rd_of(NULL, 0)};
        r = cl_hpke_kem_secret(ephemeral->kem, cl_rd_of(agreed, sender != NULL ? 2 * len : len),
                               keys, 3, out);
    }
    cl_wipe(agreed, sizeof(agreed));
    return r;
}

cl_result cl_hpke_decap(const struct cl_hpke_key *key, const struct cl_hpke_key *sender,
                        struct cl_rd enc, struct cl_secret *out)
{
    uint8_t agreed[2 * CL_GROUP_MAX_SECRET];
    const size_t len = key->kem->private_len;
    if (sender != NULL && sender->kem != key->kem) {
        return CLEAT_ERR_USAGE;
    }
    cl_result r = agree(key, enc, agreed);
    if (r == CL_OK && sender != NULL) {
        r = agree(key, public_of(sender), agreed + len);
    }
    if (r == CL_OK) {
        const struct cl_rd keys[] = {enc, public_of(key),
                                     sender != NULL ? public_of(sender) : cl_rd_of(NULL, 0)};
        r = cl_hpke_kem_secret(key->kem, cl_rd_of(agreed, sender != NULL ? 2 * len : len), keys, 3,
                               out);
    }
    cl_wipe(agreed, sizeof(agreed));
    return r;
}
