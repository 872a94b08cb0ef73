/* crypto/mb_selftest.c - known answers, before a family of kernels is used: a library that was
 * built wrongly computes wrongly (of Debian's 2021.12.1 the Ed25519 kernels do; they are not used).
 *
 * X25519: RFC 7748 5.2. P-256 and P-384: RFC 6979 A.2.5, A.2.6, "sample" with the curve's own hash.
 * RSA needs none: batch.c checks each of its results with the public key.
 */
#include "crypto/mb.h"

#include "base/mem.h"
#include "base/text.h"
#include "crypto/hash.h"

#define X25519_LEN 32

static void digits(uint8_t *out, const char *hex)
{
    size_t len = 0;
    (void)!cl_hex_decode(hex, strlen(hex), out, CL_MB_EC_BYTES, &len);
}

static bool x25519_well(const struct cl_mb *mb)
{
    struct cl_mb_pair pairs[CL_LANES];
    struct cl_mb_agreement lanes[CL_LANES];
    uint8_t public_of_nine[CL_MB_EC_BYTES];
    uint8_t scalar[CL_MB_EC_BYTES];
    uint8_t peer[CL_MB_EC_BYTES];
    uint8_t secret[CL_MB_EC_BYTES];
    memset(pairs, 0, sizeof(pairs));
    digits(public_of_nine, "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    digits(scalar, "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4");
    digits(peer, "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c");
    digits(secret, "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
    for (size_t i = 0; i < CL_LANES; i++) {
        pairs[i].scalar[0] = 9;
        lanes[i] = (struct cl_mb_agreement){.scalar = scalar, .peer = peer};
    }
    bool ok = cl_mb_make_pairs(mb, NULL, pairs) == CL_ALL_LANES &&
              cl_mb_agree(mb, NULL, lanes) == CL_ALL_LANES;
    for (size_t i = 0; i < CL_LANES; i++) {
        ok = ok && memcmp(pairs[i].share, public_of_nine, X25519_LEN) == 0 &&
             memcmp(lanes[i].secret, secret, X25519_LEN) == 0;
    }
    return ok;
}

/* RFC 6979 A.2: private key, public key, nonce, signature. */
struct answers {
    const struct cl_mb_curve *curve;
    enum cl_hash_id hash;
    const char *key;
    const char *x;
    const char *y;
    const char *nonce;
    const char *r;
    const char *s;
};

/* What the answers look like as numbers, and the lanes that they go through. */
struct ec_test {
    uint8_t key[CL_MB_EC_BYTES];
    uint64_t key_words[CL_MB_EC_WORDS];
    uint8_t share[1 + 2 * CL_MB_EC_BYTES];
    uint8_t nonces[CL_LANES][CL_MB_EC_BYTES];
    struct cl_mb_nonce ahead[CL_LANES];
    struct cl_mb_pair pairs[CL_LANES];
    struct cl_mb_agreement lanes[CL_LANES];
    struct cl_mb_signature signatures[CL_LANES];
};

static bool pairs_well(const struct cl_mb_curve *c, struct ec_test *t)
{
    for (size_t i = 0; i < CL_LANES; i++) {
        /* the lane's own order does not matter: half of them get the nonce as their key */
        memcpy(t->pairs[i].scalar, i % 2 == 0 ? t->key : t->nonces[i], c->len);
    }
    bool ok = cl_mb_make_pairs(NULL, c, t->pairs) == CL_ALL_LANES;
    for (size_t i = 0; i < CL_LANES; i += 2) {
        ok = ok && memcmp(t->pairs[i].share, t->share, 1 + 2 * c->len) == 0;
    }
    return ok;
}

/* Either end of an agreement gets the same; a point beside the curve gets nothing. */
static bool agree_well(const struct cl_mb_curve *c, struct ec_test *t)
{
    for (size_t i = 0; i < CL_LANES; i++) {
        t->lanes[i].scalar = t->pairs[i].scalar;
        t->lanes[i].peer = t->pairs[i ^ 1].share;
    }
    bool ok = cl_mb_agree(NULL, c, t->lanes) == CL_ALL_LANES;
    for (size_t i = 0; i < CL_LANES; i++) {
        ok = ok && memcmp(t->lanes[i].secret, t->lanes[0].secret, c->len) == 0;
    }
    t->pairs[5].share[2 * c->len] ^= 1;
    return ok && cl_mb_agree(NULL, c, t->lanes) == (CL_ALL_LANES & ~(1U << 4));
}

static bool signatures_well(const struct cl_mb_curve *c, struct ec_test *t, const struct answers *a)
{
    uint8_t digest[CL_HASH_MAX_LEN];
    uint8_t r[CL_MB_EC_BYTES];
    uint8_t s[CL_MB_EC_BYTES];
    digits(r, a->r);
    digits(s, a->s);
    cl_hash_once(a->hash, "sample", 6, digest);
    cl_mb_words_of(t->key_words, t->key, c->len);
    bool ok = cl_mb_make_nonces(c, t->nonces, t->ahead) == CL_ALL_LANES;
    for (size_t i = 0; i < CL_LANES; i++) {
        struct cl_mb_signature *lane = &t->signatures[i];
        *lane = (struct cl_mb_signature){.key = t->key_words, .nonce = &t->ahead[i]};
        memcpy(lane->digest, digest, c->len);
        cl_mb_words_of(lane->x, t->share + 1, c->len);
        cl_mb_words_of(lane->y, t->share + 1 + c->len, c->len);
    }
    ok = ok && cl_mb_sign(c, t->signatures) == CL_ALL_LANES;
    for (size_t i = 0; i < CL_LANES; i++) {
        ok = ok && memcmp(t->signatures[i].r, r, c->len) == 0 &&
             memcmp(t->signatures[i].s, s, c->len) == 0;
    }
    t->signatures[2].s[0] ^= 1;
    t->signatures[7].digest[c->len - 1] ^= 1;
    return ok && cl_mb_verify(c, t->signatures) == (CL_ALL_LANES & ~(1U << 2) & ~(1U << 7));
}

static bool curve_well(const struct answers *a)
{
    const struct cl_mb_curve *c = a->curve;
    struct ec_test t;
    memset(&t, 0, sizeof(t));
    t.share[0] = 4;
    digits(t.key, a->key);
    digits(t.share + 1, a->x);
    digits(t.share + 1 + c->len, a->y);
    for (size_t i = 0; i < CL_LANES; i++) {
        digits(t.nonces[i], a->nonce);
    }
    return pairs_well(c, &t) && agree_well(c, &t) && signatures_well(c, &t, a);
}

void cl_mb_selftest(struct cl_mb *mb)
{
    const struct answers p256 = {
        .curve = &mb->p256,
        .hash = CL_HASH_SHA256,
        .key = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
        .x = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
        .y = "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
        .nonce = "a6e3c57dd01abe90086538398355dd4c3b17aa873382b0f24d6129493d8aad60",
        .r = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716",
        .s = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
    };
    const struct answers p384 = {
        .curve = &mb->p384,
        .hash = CL_HASH_SHA384,
        .key = "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d8"
               "96d5724e4c70a825f872c9ea60d2edf5",
        .x = "ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64"
             "def8f0ea9055866064a254515480bc13",
        .y = "8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1"
             "288b231c3ae0d4fe7344fd2533264720",
        .nonce = "94ed910d1a099dad3254e9242ae85abde4ba15168eaf0ca87a555fd56d10fbca"
                 "2907e3e83ba95368623b8c4686915cf9",
        .r = "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c"
             "81a648152e44acf96e36dd1e80fabe46",
        .s = "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94f"
             "a329c145786e679e7b82c71a38628ac8",
    };
    mb->has_x25519 = mb->has_x25519 && x25519_well(mb);
    mb->has_p256 = mb->has_p256 && curve_well(&p256);
    mb->has_p384 = mb->has_p384 && curve_well(&p384);
}
