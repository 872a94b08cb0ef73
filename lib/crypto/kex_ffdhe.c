/* crypto/kex_ffdhe.c - Diffie-Hellman in the finite fields of RFC 7919, for DHE of TLS 1.2.
 *
 * Over DH and BIGNUM: the exponent comes from our source of randomness, which libcrypto's EVP
 * cannot be given. libcrypto raises to a secret exponent in constant time. A key is used once,
 * for one agreement, and never kept: what somebody learns about a secret from the way in which
 * TLS 1.2 strips its leading zeros (the Raccoon attack) is about a key that is gone.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/kex_impl.h"

#include <pthread.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/dh.h>
#include <openssl/obj_mac.h>

#include "base/mem.h"
#include "crypto/ossl.h"

/* RFC 7919 A: the generator of all of them */
#define GENERATOR 2
/* 4: a draw is refused once in 2^224; a source that fails so often is broken */
#define MAX_TRIES 4

static struct field {
    uint16_t id;
    int nid;
    /* RFC 7919 5.2, A: exponents of this many bits are as strong as the group */
    unsigned exponent_bits;
    uint8_t prime[CL_GROUP_MAX_PRIME];
    size_t len; /* of the prime; 0: memory was short */
} fields[] = {
    {.id = CL_GROUP_FFDHE2048, .nid = NID_ffdhe2048, .exponent_bits = 225},
    {.id = CL_GROUP_FFDHE3072, .nid = NID_ffdhe3072, .exponent_bits = 275},
    {.id = CL_GROUP_FFDHE4096, .nid = NID_ffdhe4096, .exponent_bits = 325},
    {.id = CL_GROUP_FFDHE6144, .nid = NID_ffdhe6144, .exponent_bits = 375},
    {.id = CL_GROUP_FFDHE8192, .nid = NID_ffdhe8192, .exponent_bits = 400},
};

#define NUM_FIELDS (sizeof(fields) / sizeof(fields[0]))

static pthread_once_t primes_once = PTHREAD_ONCE_INIT;

static void read_primes(void)
{
    for (size_t i = 0; i < NUM_FIELDS; i++) {
        struct field *f = &fields[i];
        DH *dh = DH_new_by_nid(f->nid);
        const BIGNUM *p = dh != NULL ? DH_get0_p(dh) : NULL;
        if (p != NULL && BN_num_bytes(p) <= (int)sizeof(f->prime)) {
            f->len = (size_t)BN_bn2bin(p, f->prime);
        }
        DH_free(dh);
    }
}

static const struct field *field_of(const struct cl_group *group)
{
    if (pthread_once(&primes_once, read_primes) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < NUM_FIELDS; i++) {
        if (group != NULL && fields[i].id == group->id && fields[i].len == group->secret_len) {
            return &fields[i];
        }
    }
    return NULL;
}

struct cl_rd cl_group_prime(const struct cl_group *group)
{
    const struct field *f = field_of(group);
    return f != NULL ? cl_rd_of(f->prime, f->len) : cl_rd_of(NULL, 0);
}

const struct cl_group *cl_group_by_prime(struct cl_rd prime, struct cl_rd generator)
{
    if (generator.len != 1 || generator.p[0] != GENERATOR) {
        return NULL;
    }
    for (size_t i = 0; i < NUM_FIELDS; i++) {
        const struct cl_group *group = cl_group_by_id(fields[i].id);
        if (prime.len != 0 && cl_rd_equal(cl_group_prime(group), prime)) {
            return group;
        }
    }
    return NULL;
}

static size_t exponent_len(const struct field *f)
{
    return (f->exponent_bits + 7) / 8;
}

/* A DH of the group with the key's exponent; DH_free wipes it. */
static DH *load_key(const struct field *f, const struct cl_kex_key *key)
{
    DH *dh = DH_new_by_nid(f->nid);
    BIGNUM *x = BN_bin2bn(key->scalar, (int)exponent_len(f), NULL);
    if (dh == NULL || x == NULL || DH_set0_key(dh, NULL, x) != 1) {
        BN_clear_free(x);
        DH_free(dh);
        return NULL;
    }
    BN_set_flags(x, BN_FLG_CONSTTIME);
    return dh;
}

/* An exponent in [2, 2^bits - 1]. That one was refused says nothing about the one that is used. */
static cl_result draw_exponent(const struct field *f, const struct cl_rng *rng, uint8_t *out)
{
    const size_t len = exponent_len(f);
    const uint8_t mask = (uint8_t)(0xff >> (8 * len - f->exponent_bits));
    for (int i = 0; i < MAX_TRIES; i++) {
        uint8_t high = 0;
        CL_TRY(cl_rand(rng, out, len));
        out[0] &= mask;
        for (size_t j = 0; j + 1 < len; j++) {
            high |= out[j];
        }
        if (high != 0 || out[len - 1] > 1) {
            return CL_OK;
        }
    }
    return CLEAT_ERR_RANDOM;
}

static cl_result keygen(struct cl_kex_key *key, const struct cl_rng *rng, uint8_t *share)
{
    const struct field *f = field_of(key->group);
    if (f == NULL) {
        return cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    CL_TRY(draw_exponent(f, rng, key->scalar));
    DH *dh = load_key(f, key);
    if (dh == NULL) {
        return cl_ossl_failed(CLEAT_ERR_NOMEM);
    }
    cl_result r = CL_OK;
    /* With an exponent set, this computes the public value alone. Sent with the zeros in front:
     * every peer reads that, and nothing depends on what it is. */
    if (DH_generate_key(dh) != 1 ||
        BN_bn2binpad(DH_get0_pub_key(dh), share, (int)f->len) != (int)f->len) {
        r = cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    DH_free(dh);
    return r;
}

/* RFC 7919 5.1: "Peers MUST validate each other's public key Y … by ensuring that 1 < Y < p-1."
 * These primes are safe ones: no other small subgroup is left. */
static bool is_valid(const struct field *f, struct cl_rd y)
{
    uint8_t below[CL_GROUP_MAX_PRIME]; /* p - 1: the primes are odd */
    uint8_t high = 0;
    memcpy(below, f->prime, f->len);
    below[f->len - 1] &= 0xfe;
    for (size_t i = 0; i + 1 < y.len; i++) {
        high |= y.p[i];
    }
    return (high != 0 || y.p[y.len - 1] > 1) && memcmp(y.p, below, f->len) < 0;
}

static cl_result agree(const struct cl_kex_key *key, struct cl_rd peer, uint8_t *secret)
{
    const struct field *f = field_of(key->group);
    if (f == NULL) {
        return cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    if (!is_valid(f, peer)) {
        return CLEAT_ERR_BAD_KEY_SHARE;
    }
    DH *dh = load_key(f, key);
    BIGNUM *y = BN_bin2bn(peer.p, (int)peer.len, NULL);
    cl_result r = CL_OK;
    if (dh == NULL || y == NULL) {
        r = cl_ossl_failed(CLEAT_ERR_NOMEM);
    } else if (DH_compute_key_padded(secret, y, dh) != (int)f->len) {
        r = cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    BN_free(y);
    DH_free(dh);
    return r;
}

const struct cl_kex_ops cl_kex_ffdhe = {.keygen = keygen, .agree = agree};
