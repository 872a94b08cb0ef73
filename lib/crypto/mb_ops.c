/* crypto/mb_ops.c - operations on eight lanes: from our bytes to the kernels' words and back.
 *
 * What a kernel takes on trust is checked here: coordinates below the prime (RFC 9846 4.3.8.2), a
 * shared secret that is not all zero (RFC 9846 7.4.2), r and s in range. Every local copy of a
 * secret is wiped.
 */
#include "crypto/mb.h"

#include <string.h>

#include "base/mem.h"

#define X25519_LEN   32
/* RFC 9846 4.3.8.2: UncompressedPointRepresentation begins with legacy_form = 4 */
#define UNCOMPRESSED 4

void cl_mb_words_of(uint64_t *out, const uint8_t *in, size_t len)
{
    for (size_t i = 0; i < len / 8; i++) {
        uint64_t word = 0;
        for (size_t k = 0; k < 8; k++) {
            word = word << 8 | in[len - 8 * (i + 1) + k];
        }
        out[i] = word;
    }
}

static void bytes_of(uint8_t *out, const uint64_t *in, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[len - 1 - i] = (uint8_t)(in[i / 8] >> (8 * (i % 8)));
    }
}

bool cl_mb_below(const uint8_t *a, const uint8_t *b, size_t len)
{
    unsigned borrow = 0;
    for (size_t i = len; i-- != 0;) {
        borrow = ((unsigned)a[i] - b[i] - borrow) >> 8 & 1;
    }
    return borrow != 0;
}

bool cl_mb_in_range(const uint8_t *a, const uint8_t *b, size_t len)
{
    unsigned any = 0;
    for (size_t i = 0; i < len; i++) {
        any |= a[i];
    }
    return cl_mb_below(a, b, len) & (any != 0);
}

/* The bits of the lanes that a status says are well. */
static unsigned well(cl_mb_status status)
{
    unsigned mask = 0;
    for (unsigned i = 0; i < CL_LANES; i++) {
        mask |= ((status >> (4 * i) & 0xf) == 0 ? 1U : 0U) << i;
    }
    return mask;
}

/* Eight numbers and the pointers to them that kernels take. */
struct words8 {
    uint64_t v[CL_LANES][CL_MB_EC_WORDS];
    uint64_t *p[CL_LANES];
};

static void point_to(struct words8 *w)
{
    for (size_t i = 0; i < CL_LANES; i++) {
        w->p[i] = w->v[i];
    }
}

/* Pointers to what is only read, in the type that kernels want. */
#define READ(w) ((const uint64_t *const *)(w).p)

static unsigned ec_pairs(const struct cl_mb_curve *c, struct cl_mb_pair pairs[CL_LANES])
{
    struct words8 k;
    struct words8 x;
    struct words8 y;
    point_to(&k);
    point_to(&x);
    point_to(&y);
    for (size_t i = 0; i < CL_LANES; i++) {
        cl_mb_words_of(k.v[i], pairs[i].scalar, c->len);
    }
    const unsigned good = well(c->public_key(x.p, y.p, NULL, READ(k), NULL));
    for (size_t i = 0; i < CL_LANES; i++) {
        pairs[i].share[0] = UNCOMPRESSED;
        bytes_of(pairs[i].share + 1, x.v[i], c->len);
        bytes_of(pairs[i].share + 1 + c->len, y.v[i], c->len);
    }
    cl_wipe(&k, sizeof(k));
    return good;
}

unsigned cl_mb_make_pairs(const struct cl_mb *mb, const struct cl_mb_curve *curve,
                          struct cl_mb_pair pairs[CL_LANES])
{
    if (curve != NULL) {
        return ec_pairs(curve, pairs);
    }
    const uint8_t *in[CL_LANES];
    uint8_t *out[CL_LANES];
    for (size_t i = 0; i < CL_LANES; i++) {
        in[i] = pairs[i].scalar;
        out[i] = pairs[i].share;
    }
    return well(mb->x25519_public(out, in));
}

/* RFC 7748 6.1: the two points of order 8; 0, 1 and p - 1, of order 2 and 4, is_ordinary knows */
static const uint8_t order_8[2][X25519_LEN] = {
    {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
     0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
     0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
     0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
     0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
};

/* The kernel errs when a number on its way is a few dozen below 2^255 (docs/decisions: 0038): with
 * p - 1, of low order, it reports a secret that is not zero. So what is close to 0, 2^254 or 2^255,
 * which no honest share is, and all points of low order are for the single path. */
static bool is_ordinary(const uint8_t *peer)
{
    unsigned ones = peer[X25519_LEN - 1] | 0xc0U;
    unsigned any = peer[X25519_LEN - 1] & 0x7fU;
    for (size_t i = 8; i < X25519_LEN - 1; i++) {
        ones &= peer[i];
        any |= peer[i];
    }
    bool ok = ones != 0xff && any != 0;
    for (size_t i = 0; i < 2; i++) {
        ok = ok && (memcmp(peer, order_8[i], X25519_LEN - 1) != 0 ||
                    ((peer[X25519_LEN - 1] ^ order_8[i][X25519_LEN - 1]) & 0x7f) != 0);
    }
    return ok;
}

static unsigned x25519_agree(const struct cl_mb *mb, struct cl_mb_agreement lanes[CL_LANES])
{
    static const uint8_t zero[X25519_LEN];
    static const uint8_t base_point[X25519_LEN] = {9}; /* RFC 7748 4.1 */
    const uint8_t *scalar[CL_LANES];
    const uint8_t *peer[CL_LANES];
    uint8_t *secret[CL_LANES];
    for (size_t i = 0; i < CL_LANES; i++) {
        scalar[i] = lanes[i].scalar;
        peer[i] = lanes[i].peer != NULL ? lanes[i].peer : base_point;
        secret[i] = lanes[i].secret;
    }
    unsigned good = well(mb->x25519(secret, scalar, peer));
    for (unsigned i = 0; i < CL_LANES; i++) {
        /* from the base point no number comes that close to 2^255: a million scalars agree */
        const bool ordinary = lanes[i].peer == NULL || is_ordinary(lanes[i].peer);
        if (!ordinary || cl_ct_equal(lanes[i].secret, zero, X25519_LEN)) {
            good &= ~(1U << i);
        }
    }
    return good;
}

/* load_point says whether the coordinates are below the prime, which kernels do not look at. That
 * the point is on the curve they check, and the self-test sees to it that they do. */
static bool load_point(const struct cl_mb_curve *c, const uint8_t *x_bytes, uint64_t *x,
                       uint64_t *y)
{
    cl_mb_words_of(x, x_bytes, c->len);
    cl_mb_words_of(y, x_bytes + c->len, c->len);
    return cl_mb_below(x_bytes, c->prime, c->len) &&
           cl_mb_below(x_bytes + c->len, c->prime, c->len);
}

static unsigned ec_agree(const struct cl_mb_curve *c, struct cl_mb_agreement lanes[CL_LANES])
{
    struct words8 k;
    struct words8 x;
    struct words8 y;
    uint8_t *secret[CL_LANES];
    unsigned good = 0;
    point_to(&k);
    point_to(&x);
    point_to(&y);
    for (unsigned i = 0; i < CL_LANES; i++) {
        cl_mb_words_of(k.v[i], lanes[i].scalar, c->len);
        secret[i] = lanes[i].secret;
        if (lanes[i].peer[0] == UNCOMPRESSED && load_point(c, lanes[i].peer + 1, x.v[i], y.v[i])) {
            good |= 1U << i;
        }
    }
    good &= well(c->ecdh(secret, READ(k), READ(x), READ(y), NULL, NULL));
    cl_wipe(&k, sizeof(k));
    return good;
}

unsigned cl_mb_agree(const struct cl_mb *mb, const struct cl_mb_curve *curve,
                     struct cl_mb_agreement lanes[CL_LANES])
{
    return curve != NULL ? ec_agree(curve, lanes) : x25519_agree(mb, lanes);
}

unsigned cl_mb_make_nonces(const struct cl_mb_curve *curve, uint8_t scalars[][CL_MB_EC_BYTES],
                           struct cl_mb_nonce nonces[CL_LANES])
{
    struct words8 k;
    uint64_t *inverse[CL_LANES];
    uint64_t *r[CL_LANES];
    point_to(&k);
    for (size_t i = 0; i < CL_LANES; i++) {
        cl_mb_words_of(k.v[i], scalars[i], curve->len);
        inverse[i] = nonces[i].inverse;
        r[i] = nonces[i].r;
    }
    const unsigned good = well(curve->setup(inverse, r, READ(k), NULL));
    cl_wipe(&k, sizeof(k));
    cl_wipe(scalars, CL_LANES * sizeof(scalars[0]));
    return good;
}

/* The pointers that signing and verifying share. */
struct signature8 {
    uint8_t *r[CL_LANES];
    uint8_t *s[CL_LANES];
    const uint8_t *digest[CL_LANES];
};

static void point_to_signatures(struct signature8 *p, struct cl_mb_signature lanes[CL_LANES])
{
    for (size_t i = 0; i < CL_LANES; i++) {
        p->r[i] = lanes[i].r;
        p->s[i] = lanes[i].s;
        p->digest[i] = lanes[i].digest;
    }
}

unsigned cl_mb_sign(const struct cl_mb_curve *curve, struct cl_mb_signature lanes[CL_LANES])
{
    struct signature8 p;
    const uint64_t *r[CL_LANES];
    const uint64_t *inverse[CL_LANES];
    const uint64_t *key[CL_LANES];
    point_to_signatures(&p, lanes);
    for (size_t i = 0; i < CL_LANES; i++) {
        r[i] = lanes[i].nonce->r;
        inverse[i] = lanes[i].nonce->inverse;
        key[i] = lanes[i].key;
    }
    return well(curve->complete(p.r, p.s, p.digest, r, inverse, key, NULL));
}

unsigned cl_mb_verify(const struct cl_mb_curve *curve, struct cl_mb_signature lanes[CL_LANES])
{
    struct signature8 p;
    const uint64_t *x[CL_LANES];
    const uint64_t *y[CL_LANES];
    unsigned good = 0;
    point_to_signatures(&p, lanes);
    for (unsigned i = 0; i < CL_LANES; i++) {
        x[i] = lanes[i].x;
        y[i] = lanes[i].y;
        /* FIPS 186-5 6.4.2: "if r and s are not both integers in the interval [1, n - 1],
         * output reject" */
        if (cl_mb_in_range(lanes[i].r, curve->order, curve->len) &&
            cl_mb_in_range(lanes[i].s, curve->order, curve->len)) {
            good |= 1U << i;
        }
    }
    return good & well(curve->verify((const uint8_t *const *)p.r, (const uint8_t *const *)p.s,
                                     p.digest, x, y, NULL, NULL));
}
