/* crypto/hmac.c - HMAC and HKDF (hash.h); RFC 2104, RFC 5869, RFC 9846 7.1.
 *
 * A handshake computes about forty MACs of a block or two. So short texts are put together in one
 * place, padded here (FIPS 180-4 5.1) and handed to libcrypto's compression block by block, from
 * chaining values in which the key is already: a MAC of up to 55 bytes costs two compressions and
 * little else. Constant time as the compression is: what runs depends on lengths alone, which are
 * the protocol's. Everything on the stack that held a secret is wiped.
 */
#include <endian.h>

#include "crypto/hash_impl.h"

/* 256: texts of a handshake fit with their padding, the PRF's longest of 34 + 48 + 64 among them;
 * longer ones run through libcrypto's own buffering */
#define SHORT_LEN 256

/* What a MAC is computed in. Chaining values are copied at the greatest length: copies of constant
 * length are a few instructions. */
struct scratch {
    struct cl_hash h;
    uint8_t text[SHORT_LEN];
};

static void scratch_wipe(struct scratch *s)
{
    cl_wipe(s, sizeof(*s));
}

/* The most that is put together: room for the padding stays. */
static size_t most_of(const struct cl_hash_alg *alg)
{
    return SHORT_LEN - 1U - 2U * alg->word;
}

/* pad ends a text of len bytes, which follows one block, and returns its new length. */
static size_t pad(const struct cl_hash_alg *alg, uint8_t *text, size_t len)
{
    const size_t block = alg->block;
    const size_t padded = (len + 1 + 2U * alg->word + block - 1) & ~(block - 1);
    const uint32_t bits = htobe32((uint32_t)(len + block) * 8);
    text[len] = 0x80;
    memset(text + len + 1, 0, padded - len - 1);
    memcpy(text + padded - sizeof(bits), &bits, sizeof(bits));
    return padded;
}

/* The inner digest is in the text: finish makes the MAC of it, in the same place. */
static void finish(struct scratch *s, const struct cl_hmac_key *k, const struct cl_hash_alg *alg)
{
    memcpy(s->text + alg->len, alg->tail, sizeof(alg->tail));
    memcpy(s->h.state, k->outer, sizeof(k->outer));
    alg->compress(&s->h, s->text);
    cl_hash_put_chain(&s->h, s->text);
}

/* mac_of makes the MAC of a text of at most most_of() bytes, in its place. */
static void mac_of(struct scratch *s, const struct cl_hmac_key *k, size_t len)
{
    const struct cl_hash_alg *alg = cl_hash_alg(k->id);
    const size_t padded = pad(alg, s->text, len);
    s->h.id = k->id;
    memcpy(s->h.state, k->inner, sizeof(k->inner));
    for (size_t i = 0; i < padded; i += alg->block) {
        alg->compress(&s->h, s->text + i);
    }
    cl_hash_put_chain(&s->h, s->text);
    finish(s, k, alg);
}

void cl_hmac_key_init(struct cl_hmac_key *k, enum cl_hash_id id, struct cl_rd key)
{
    const struct cl_hash_alg *alg = cl_hash_alg(id);
    uint8_t start[CL_HASH_MAX_LEN];
    struct cl_hash h;
    uint8_t block[CL_HASH_MAX_BLOCK] = {0};
    if (key.len > alg->block) {
        cl_hash_once(id, key.p, key.len, block);
    } else if (key.len != 0) {
        memcpy(block, key.p, key.len);
    }
    k->id = (uint8_t)id;
    cl_hash_init(&h, id);
    memcpy(start, h.state, sizeof(start));
    /* Over the whole array: a loop of constant length is done in a few vector instructions. */
    for (size_t i = 0; i < sizeof(block); i++) {
        block[i] ^= 0x36;
    }
    alg->compress(&h, block);
    memcpy(k->inner, h.state, sizeof(k->inner));
    for (size_t i = 0; i < sizeof(block); i++) {
        block[i] ^= 0x36 ^ 0x5c;
    }
    memcpy(h.state, start, sizeof(start));
    alg->compress(&h, block);
    memcpy(k->outer, h.state, sizeof(k->outer));
    cl_wipe(h.state, sizeof(k->outer));
    cl_wipe(block, sizeof(block));
}

/* Of any length: what is too long to be put together first. */
static void mac_of_parts(struct scratch *s, const struct cl_hmac_key *k, const struct cl_rd *parts,
                         size_t num)
{
    cl_hash_resume(&s->h, (enum cl_hash_id)k->id, k->inner);
    for (size_t i = 0; i < num; i++) {
        cl_hash_update(&s->h, parts[i].p, parts[i].len);
    }
    cl_hash_peek(&s->h, s->text);
    finish(s, k, cl_hash_alg(k->id));
}

void cl_hmac_run(const struct cl_hmac_key *k, const struct cl_rd *parts, size_t num, uint8_t *out)
{
    struct scratch s;
    const struct cl_hash_alg *alg = cl_hash_alg(k->id);
    const size_t most = most_of(alg);
    size_t len = 0;
    for (size_t i = 0; i < num && len <= most; i++) {
        if (parts[i].len <= most - len && parts[i].len != 0) {
            memcpy(s.text + len, parts[i].p, parts[i].len);
        }
        len += parts[i].len;
    }
    if (len <= most) {
        mac_of(&s, k, len);
    } else {
        mac_of_parts(&s, k, parts, num);
    }
    memcpy(out, s.text, alg->len);
    scratch_wipe(&s);
}

void cl_hmac(enum cl_hash_id id, struct cl_rd key, const struct cl_rd *parts, size_t num,
             uint8_t *out)
{
    struct cl_hmac_key k;
    cl_hmac_key_init(&k, id, key);
    cl_hmac_run(&k, parts, num, out);
    cl_wipe(&k, sizeof(k));
}

/* ---- HKDF ---- */

void cl_hkdf_extract(enum cl_hash_id id, struct cl_rd salt, struct cl_rd ikm, struct cl_secret *out)
{
    /* RFC 5869 2.2: "if not provided, [salt] is set to a string of HashLen zeros", which is what an
     * empty HMAC key is padded to. ikm may be where the result goes. */
    uint8_t prk[CL_HASH_MAX_LEN];
    cl_hmac(id, salt, &ikm, 1, prk);
    memset(out, 0, sizeof(*out));
    out->len = (uint8_t)cl_hash_len(id);
    memcpy(out->bytes, prk, out->len);
    cl_wipe(prk, sizeof(prk));
}

void cl_hkdf_extract_key(const struct cl_hmac_key *salt, struct cl_rd ikm, struct cl_hmac_key *out)
{
    const enum cl_hash_id id = (enum cl_hash_id)salt->id;
    uint8_t prk[CL_HASH_MAX_LEN];
    cl_hmac_run(salt, &ikm, 1, prk);
    cl_hmac_key_init(out, id, cl_rd_of(prk, cl_hash_len(id)));
    cl_wipe(prk, sizeof(prk));
}

void cl_hkdf_expand_key(const struct cl_hmac_key *prk, struct cl_rd info, uint8_t *out,
                        size_t out_len)
{
    const size_t len = cl_hash_alg(prk->id)->len;
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

/* 514: all of it that is not opaque, and two opaque vectors at their longest */
#define LABEL_MAX (2 + 1 + 255 + 1 + 255)

/* RFC 9846 7.1: struct { uint16 length; opaque label<7..255> = "tls13 " + Label;
 * opaque context<0..255>; } HkdfLabel; returns its length. */
static size_t put_label(uint8_t *to, size_t out_len, struct cl_rd name, struct cl_rd context)
{
    const uint8_t head[] = {(uint8_t)(out_len >> 8),
                            (uint8_t)out_len,
                            (uint8_t)(6 + name.len),
                            't',
                            'l',
                            's',
                            '1',
                            '3',
                            ' '};
    memcpy(to, head, sizeof(head));
    memcpy(to + sizeof(head), name.p, name.len);
    size_t len = sizeof(head) + name.len;
    to[len++] = (uint8_t)context.len;
    if (context.len != 0) {
        memcpy(to + len, context.p, context.len);
    }
    return len + context.len;
}

void cl_hkdf_expand_label_key(const struct cl_hmac_key *secret, const char *label,
                              struct cl_rd context, uint8_t *out, size_t out_len)
{
    const struct cl_hash_alg *alg = cl_hash_alg(secret->id);
    const struct cl_rd name = cl_rd_str(label);
    struct scratch s;
    /* 11: what put_label adds, and T(1)'s number */
    if (out_len <= alg->len && 11 + name.len + context.len <= most_of(alg)) {
        const size_t len = put_label(s.text, out_len, name, context);
        s.text[len] = 1;
        mac_of(&s, secret, len + 1);
        memcpy(out, s.text, out_len);
        scratch_wipe(&s);
        return;
    }
    uint8_t info[LABEL_MAX];
    const size_t len = put_label(info, out_len, name, context);
    cl_hkdf_expand_key(secret, cl_rd_of(info, len), out, out_len);
}

void cl_hkdf_expand_label(enum cl_hash_id id, struct cl_rd secret, const char *label,
                          struct cl_rd context, uint8_t *out, size_t out_len)
{
    struct cl_hmac_key k;
    cl_hmac_key_init(&k, id, secret);
    cl_hkdf_expand_label_key(&k, label, context, out, out_len);
    cl_wipe(&k, sizeof(k));
}
