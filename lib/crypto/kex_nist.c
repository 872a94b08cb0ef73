/* crypto/kex_nist.c - ECDH on P-256, P-384 and P-521 (RFC 9846 4.3.8.2, 7.4.2; SP 800-56A).
 *
 * Over EC_GROUP and EC_POINT: no key object, no look-up by name. The groups are made once and never
 * change, so threads share them. libcrypto's multiplication by a secret scalar is constant time for
 * these curves; rejection of a scalar shows only that a value nobody uses was out of range.
 */
#include "crypto/kex_impl.h"

#include <pthread.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

#include "base/mem.h"
#include "crypto/ossl.h"

/* 64: a candidate is rejected once in 2^32 (P-256) or less often; a source that fails so often is
 * broken */
#define MAX_TRIES    64
/* RFC 9846 4.3.8.2: UncompressedPointRepresentation begins with legacy_form = 4 */
#define UNCOMPRESSED 4

static struct {
    uint16_t id;
    int nid;
    EC_GROUP *group; /* kept until the process ends */
} curves[] = {
    {CL_GROUP_SECP256R1, NID_X9_62_prime256v1, NULL},
    {CL_GROUP_SECP384R1, NID_secp384r1, NULL},
    {CL_GROUP_SECP521R1, NID_secp521r1, NULL},
};

#define NUM_CURVES (sizeof(curves) / sizeof(curves[0]))

static pthread_once_t curves_once = PTHREAD_ONCE_INIT;

static void make_curves(void)
{
    for (size_t i = 0; i < NUM_CURVES; i++) {
        curves[i].group = EC_GROUP_new_by_curve_name(curves[i].nid);
    }
}

static const EC_GROUP *curve_of(const struct cl_group *group)
{
    if (pthread_once(&curves_once, make_curves) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < NUM_CURVES; i++) {
        if (curves[i].id == group->id) {
            return curves[i].group;
        }
    }
    return NULL;
}

/* draw_scalar fills key->scalar and k with a value in [1, n-1], by rejection. */
static cl_result draw_scalar(struct cl_kex_key *key, const struct cl_rng *rng,
                             const EC_GROUP *curve, BIGNUM *k)
{
    const BIGNUM *order = EC_GROUP_get0_order(curve);
    const size_t len = key->curve->secret_len;
    /* Of the first byte only the bits that the order has: one of P-521's, all of the others'. */
    const uint8_t mask = (uint8_t)(0xff >> (8 * (int)len - BN_num_bits(order)));
    for (int i = 0; i < MAX_TRIES; i++) {
        CL_TRY(cl_rand(rng, key->scalar, len));
        key->scalar[0] &= mask;
        if (BN_bin2bn(key->scalar, (int)len, k) == NULL) {
            return cl_ossl_failed(CLEAT_ERR_NOMEM);
        }
        if (!BN_is_zero(k) && BN_cmp(k, order) < 0) {
            BN_set_flags(k, BN_FLG_CONSTTIME);
            return CL_OK;
        }
    }
    return CLEAT_ERR_RANDOM;
}

static cl_result keygen(struct cl_kex_key *key, const struct cl_rng *rng, uint8_t *share)
{
    const EC_GROUP *curve = curve_of(key->curve);
    if (curve == NULL) {
        return cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    cl_result r = CLEAT_ERR_NOMEM;
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *k = BN_new();
    EC_POINT *point = EC_POINT_new(curve);
    if (ctx == NULL || k == NULL || point == NULL) {
        r = cl_ossl_failed(r);
        goto out;
    }
    r = draw_scalar(key, rng, curve, k);
    if (r != CL_OK) {
        goto out;
    }
    const size_t len = key->curve->client_share_len;
    if (EC_POINT_mul(curve, point, k, NULL, NULL, ctx) != 1 ||
        EC_POINT_point2oct(curve, point, POINT_CONVERSION_UNCOMPRESSED, share, len, ctx) != len) {
        r = cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
out:
    EC_POINT_free(point);
    BN_clear_free(k);
    BN_CTX_free(ctx);
    return r;
}

/* The operands of one agreement; {0} is safe to deinit. */
struct work {
    BN_CTX *ctx;
    BIGNUM *k;
    BIGNUM *x;
    EC_POINT *point;
};

static bool work_init(struct work *w, const EC_GROUP *curve, const struct cl_kex_key *key)
{
    w->ctx = BN_CTX_new();
    w->k = BN_bin2bn(key->scalar, key->curve->secret_len, NULL);
    w->x = BN_new();
    w->point = EC_POINT_new(curve);
    return w->ctx != NULL && w->k != NULL && w->x != NULL && w->point != NULL;
}

static void work_deinit(struct work *w)
{
    EC_POINT_clear_free(w->point);
    BN_clear_free(w->x);
    BN_clear_free(w->k);
    BN_CTX_free(w->ctx);
}

static cl_result agree(const struct cl_kex_key *key, struct cl_rd peer, uint8_t *secret)
{
    const EC_GROUP *curve = curve_of(key->curve);
    /* RFC 9846 4.3.8.2: the uncompressed form only; "peers MUST validate each other's public value
     * Q by ensuring that the point is a valid point on the elliptic curve". The length excludes the
     * point at infinity; the order of these curves is prime. */
    if (curve == NULL || peer.p[0] != UNCOMPRESSED) {
        return curve == NULL ? cl_ossl_failed(CLEAT_ERR_CRYPTO) : CLEAT_ERR_BAD_KEY_SHARE;
    }
    struct work w = {0};
    cl_result r = CL_OK;
    const int len = key->curve->secret_len;
    if (!work_init(&w, curve, key)) {
        r = cl_ossl_failed(CLEAT_ERR_NOMEM);
        goto out;
    }
    if (EC_POINT_oct2point(curve, w.point, peer.p, peer.len, w.ctx) != 1) {
        r = cl_ossl_failed(CLEAT_ERR_BAD_KEY_SHARE);
        goto out;
    }
    BN_set_flags(w.k, BN_FLG_CONSTTIME);
    if (EC_POINT_mul(curve, w.point, NULL, w.point, w.k, w.ctx) != 1 ||
        EC_POINT_is_at_infinity(curve, w.point) ||
        EC_POINT_get_affine_coordinates(curve, w.point, w.x, NULL, w.ctx) != 1 ||
        /* RFC 9846 7.4.2: the x-coordinate as a string of the field's length, zeros kept */
        BN_bn2binpad(w.x, secret, len) != len) {
        r = cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
out:
    work_deinit(&w);
    return r;
}

const struct cl_kex_ops cl_kex_nist = {.keygen = keygen, .agree = agree};
