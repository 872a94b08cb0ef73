/* crypto/hash.c - see hash.h; FIPS 180-4, RFC 2104, RFC 5869, RFC 9846 7.1.
 *
 * The SHA functions are called directly, with contexts in the caller's storage: through EVP a
 * digest of 32 bytes costs six times as much and can fail. They are deprecated by name only. Copies
 * of a state are wiped, as HMAC and HKDF run over secrets.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/hash.h"

#include <openssl/sha.h>

_Static_assert(sizeof(SHA_CTX) <= sizeof(((struct cl_hash *)0)->state), "SHA-1 state fits");
_Static_assert(sizeof(SHA256_CTX) <= sizeof(((struct cl_hash *)0)->state), "SHA-256 state fits");
_Static_assert(sizeof(SHA512_CTX) <= sizeof(((struct cl_hash *)0)->state), "SHA-512 state fits");

static const struct {
    const char *name;
    uint8_t len;
    uint8_t block;
    uint8_t state_len;
} hashes[] = {
    [CL_HASH_NONE] = {"none", 0, 1, 0},
    [CL_HASH_SHA1] = {"SHA-1", 20, 64, sizeof(SHA_CTX)},
    [CL_HASH_SHA256] = {"SHA-256", 32, 64, sizeof(SHA256_CTX)},
    [CL_HASH_SHA384] = {"SHA-384", 48, 128, sizeof(SHA512_CTX)},
    [CL_HASH_SHA512] = {"SHA-512", 64, 128, sizeof(SHA512_CTX)},
};

size_t cl_hash_len(enum cl_hash_id id)
{
    return hashes[id].len;
}

const char *cl_hash_name(enum cl_hash_id id)
{
    return hashes[id].name;
}

void cl_hash_init(struct cl_hash *h, enum cl_hash_id id)
{
    h->id = (uint8_t)id;
    switch (id) {
    case CL_HASH_SHA1:
        (void)SHA1_Init((SHA_CTX *)(void *)h->state);
        break;
    case CL_HASH_SHA256:
        (void)SHA256_Init((SHA256_CTX *)(void *)h->state);
        break;
    case CL_HASH_SHA384:
        (void)SHA384_Init((SHA512_CTX *)(void *)h->state);
        break;
    case CL_HASH_SHA512:
        (void)SHA512_Init((SHA512_CTX *)(void *)h->state);
        break;
    case CL_HASH_NONE:
        break;
    }
}

void cl_hash_update(struct cl_hash *h, const void *p, size_t len)
{
    if (len == 0) {
        return;
    }
    switch ((enum cl_hash_id)h->id) {
    case CL_HASH_SHA1:
        (void)SHA1_Update((SHA_CTX *)(void *)h->state, p, len);
        break;
    case CL_HASH_SHA256:
        (void)SHA256_Update((SHA256_CTX *)(void *)h->state, p, len);
        break;
    case CL_HASH_SHA384:
        (void)SHA384_Update((SHA512_CTX *)(void *)h->state, p, len);
        break;
    case CL_HASH_SHA512:
        (void)SHA512_Update((SHA512_CTX *)(void *)h->state, p, len);
        break;
    case CL_HASH_NONE:
        break;
    }
}

/* finish writes the digest and wipes the state. */
static void finish(struct cl_hash *h, uint8_t *out)
{
    switch ((enum cl_hash_id)h->id) {
    case CL_HASH_SHA1:
        (void)SHA1_Final(out, (SHA_CTX *)(void *)h->state);
        break;
    case CL_HASH_SHA256:
        (void)SHA256_Final(out, (SHA256_CTX *)(void *)h->state);
        break;
    case CL_HASH_SHA384:
        (void)SHA384_Final(out, (SHA512_CTX *)(void *)h->state);
        break;
    case CL_HASH_SHA512:
        (void)SHA512_Final(out, (SHA512_CTX *)(void *)h->state);
        break;
    case CL_HASH_NONE:
        break;
    }
    cl_wipe(h->state, hashes[h->id].state_len);
}

void cl_hash_peek(const struct cl_hash *h, uint8_t *out)
{
    struct cl_hash copy;
    copy.id = h->id;
    memcpy(copy.state, h->state, hashes[h->id].state_len);
    finish(&copy, out);
}

void cl_hash_once(enum cl_hash_id id, const void *p, size_t len, uint8_t *out)
{
    struct cl_hash h;
    cl_hash_init(&h, id);
    cl_hash_update(&h, p, len);
    finish(&h, out);
}

void cl_hmac_key_init(struct cl_hmac_key *k, enum cl_hash_id id, struct cl_rd key)
{
    uint8_t pad[CL_HASH_MAX_BLOCK] = {0};
    const size_t block = hashes[id].block;
    if (key.len > block) {
        cl_hash_once(id, key.p, key.len, pad);
    } else if (key.len != 0) {
        memcpy(pad, key.p, key.len);
    }
    /* Over the whole array: a loop of constant length is done in a few vector instructions. */
    for (size_t i = 0; i < sizeof(pad); i++) {
        pad[i] ^= 0x36;
    }
    cl_hash_init(&k->inner, id);
    cl_hash_update(&k->inner, pad, block);
    for (size_t i = 0; i < sizeof(pad); i++) {
        pad[i] ^= 0x36 ^ 0x5c;
    }
    cl_hash_init(&k->outer, id);
    cl_hash_update(&k->outer, pad, block);
    cl_wipe(pad, sizeof(pad));
}

void cl_hmac_run(const struct cl_hmac_key *k, const struct cl_rd *parts, size_t num, uint8_t *out)
{
    const size_t state_len = hashes[k->inner.id].state_len;
    uint8_t digest[CL_HASH_MAX_LEN];
    struct cl_hash h;
    h.id = k->inner.id;
    memcpy(h.state, k->inner.state, state_len);
    for (size_t i = 0; i < num; i++) {
        cl_hash_update(&h, parts[i].p, parts[i].len);
    }
    finish(&h, digest);
    memcpy(h.state, k->outer.state, state_len);
    cl_hash_update(&h, digest, hashes[h.id].len);
    finish(&h, out);
    cl_wipe(digest, sizeof(digest));
}

void cl_hmac(enum cl_hash_id id, struct cl_rd key, const struct cl_rd *parts, size_t num,
             uint8_t *out)
{
    struct cl_hmac_key k;
    cl_hmac_key_init(&k, id, key);
    cl_hmac_run(&k, parts, num, out);
    cl_wipe(&k, sizeof(k));
}

void cl_hkdf_extract(enum cl_hash_id id, struct cl_rd salt, struct cl_rd ikm, struct cl_secret *out)
{
    /* RFC 5869 2.2: "if not provided, [salt] is set to a string of HashLen zeros", which is what an
     * empty HMAC key is padded to. */
    uint8_t prk[CL_HASH_MAX_LEN];
    cl_hmac(id, salt, &ikm, 1, prk);
    memset(out, 0, sizeof(*out));
    out->len = hashes[id].len;
    memcpy(out->bytes, prk, out->len);
    cl_wipe(prk, sizeof(prk));
}

void cl_hkdf_expand_key(const struct cl_hmac_key *prk, struct cl_rd info, uint8_t *out,
                        size_t out_len)
{
    const size_t len = hashes[prk->inner.id].len;
    uint8_t block[CL_HASH_MAX_LEN];
    /* RFC 5869 2.3: T(i) = HMAC(PRK, T(i-1) | info | i), i a single byte */
    for (uint8_t i = 1; out_len != 0; i++) {
        const struct cl_rd parts[] = {
            cl_rd_of(block, i == 1 ? 0 : len),
            info,
            cl_rd_of(&i, 1),
        };
        cl_hmac_run(prk, parts, 3, block);
        const size_t take = out_len < len ? out_len : len;
        memcpy(out, block, take);
        out += take;
        out_len -= take;
    }
    cl_wipe(block, sizeof(block));
}

void cl_hkdf_expand(enum cl_hash_id id, struct cl_rd prk, struct cl_rd info, uint8_t *out,
                    size_t out_len)
{
    struct cl_hmac_key k;
    cl_hmac_key_init(&k, id, prk);
    cl_hkdf_expand_key(&k, info, out, out_len);
    cl_wipe(&k, sizeof(k));
}

void cl_hkdf_expand_label_key(const struct cl_hmac_key *secret, const char *label,
                              struct cl_rd context, uint8_t *out, size_t out_len)
{
    /* RFC 9846 7.1: struct { uint16 length; opaque label<7..255> = "tls13 " + Label;
     * opaque context<0..255>; } HkdfLabel; */
    uint8_t info[2 + 1 + 255 + 1 + 255];
    struct cl_wr w = cl_wr_of(info, sizeof(info));
    cl_wr_u16(&w, (uint16_t)out_len);
    struct cl_wr_mark mark = cl_wr_open8(&w);
    cl_wr_bytes(&w, "tls13 ", 6);
    cl_wr_view(&w, cl_rd_str(label));
    cl_wr_close(&w, mark);
    mark = cl_wr_open8(&w);
    cl_wr_view(&w, context);
    cl_wr_close(&w, mark);
    cl_hkdf_expand_key(secret, cl_rd_of(info, w.len), out, out_len);
}

void cl_hkdf_expand_label(enum cl_hash_id id, struct cl_rd secret, const char *label,
                          struct cl_rd context, uint8_t *out, size_t out_len)
{
    struct cl_hmac_key k;
    cl_hmac_key_init(&k, id, secret);
    cl_hkdf_expand_label_key(&k, label, context, out, out_len);
    cl_wipe(&k, sizeof(k));
}
