/* crypto/mlkem_own.c - ML-KEM by ourselves: FIPS 203 algorithms 13 to 18.
 *
 * Constant time: the seeds, the private key, what is decrypted and what it leads to neither decide
 * a branch nor choose an address; whether a ciphertext was accepted shows nowhere. Public are the
 * encapsulation key with its rho and the matrix, and the ciphertext. What is secret lies in struct
 * secrets or in arrays beside it, and is wiped.
 */
#include <stddef.h>
#include <string.h>

#include "base/ct.h"
#include "base/mem.h"
#include "crypto/mlkem_impl.h"

struct secrets {
    struct cl_poly noise[CL_MLKEM_MAX_NOISE]; /* s and e; or y, e1 and e2 */
    struct cl_factor vector[CL_MLKEM_MAX_K];  /* s, or y */
    struct cl_poly sum;
    struct cl_poly other;
    uint8_t coins[2 * CL_MLKEM_HASH]; /* what G gives: rho and sigma, or K and r */
    uint8_t message[CL_MLKEM_HASH];
    uint8_t rejected[CL_MLKEM_HASH]; /* K of a ciphertext that is refused */
};

/* What an operation works on, and with. */
struct work {
    const struct cl_mlkem_way *way;
    const struct cl_mlkem_set *set;
    struct cl_poly matrix[CL_MLKEM_MAX_K * CL_MLKEM_MAX_K]; /* of rho; t is put there too */
    struct secrets s;
};

/* What has been used of it. */
static void wipe(struct work *w)
{
    const size_t k = w->set->k;
    cl_wipe(w->s.noise, (2 * k + 1) * sizeof(w->s.noise[0]));
    cl_wipe(w->s.vector, k * sizeof(w->s.vector[0]));
    cl_wipe(&w->s.sum, sizeof(w->s) - offsetof(struct secrets, sum));
}

static struct cl_rd bytes32(const uint8_t *p)
{
    return cl_rd_of(p, CL_MLKEM_HASH);
}

/* num polynomials of noise; the first k become the vector. */
static void make_noise(struct work *w, const uint8_t *seed, unsigned num, unsigned num_eta1)
{
    const struct cl_mlkem_noise noise = {
        .seed = seed,
        .num = (uint8_t)num,
        .num_eta1 = (uint8_t)num_eta1,
        .eta1 = w->set->eta1,
    };
    cl_mlkem_noise(w->way, &noise, w->s.noise);
    for (size_t i = 0; i < w->set->k; i++) {
        w->way->poly->ntt(&w->s.noise[i]);
        w->way->poly->make_factor(&w->s.vector[i], &w->s.noise[i]);
    }
}

/* ---- K-PKE ---- */

/* FIPS 203 algorithm 13; d is the first half of the seed. */
static void make_key(struct work *w, const uint8_t *d, uint8_t *ek, uint8_t *dk)
{
    const struct cl_poly_ops *poly = w->way->poly;
    const unsigned k = w->set->k;
    const uint8_t *rho = w->s.coins;
    cl_mlkem_g(w->way, bytes32(d), cl_rd_of(&w->set->k, 1), w->s.coins);
    cl_ct_public(rho, CL_MLKEM_HASH);
    cl_mlkem_matrix(w->way, w->set, w->matrix, rho, false, NULL);
    make_noise(w, w->s.coins + CL_MLKEM_HASH, 2 * k, 2 * k);
    for (size_t i = 0; i < k; i++) {
        struct cl_poly *e = &w->s.noise[k + i];
        poly->multiply_sum(&w->s.sum, &w->matrix[k * i], w->s.vector, k);
        poly->times_r(&w->s.sum);
        poly->ntt(e);
        poly->add(&w->s.sum, e);
        poly->encode(ek + CL_MLKEM_POLY_LEN * i, &w->s.sum);
        poly->encode(dk + CL_MLKEM_POLY_LEN * i, &w->s.noise[i]);
    }
    memcpy(ek + (size_t)CL_MLKEM_POLY_LEN * k, rho, CL_MLKEM_HASH);
    cl_ct_public(ek, w->set->ek_len);
}

/* The last part of a ciphertext: v of the key's t, the vector and the message. Returns whether t
 * was reduced. */
static bool encrypt_message(struct work *w, const uint8_t *ek, uint8_t *ct)
{
    const struct cl_poly_ops *poly = w->way->poly;
    const unsigned k = w->set->k;
    bool reduced = true;
    for (size_t i = 0; i < k; i++) {
        reduced = poly->decode(&w->matrix[i], ek + CL_MLKEM_POLY_LEN * i) && reduced;
    }
    poly->multiply_sum(&w->s.sum, w->matrix, w->s.vector, k);
    poly->inv_ntt(&w->s.sum);
    poly->add(&w->s.sum, &w->s.noise[2 * k]);
    poly->decompress(&w->s.other, w->s.message, 1);
    poly->add(&w->s.sum, &w->s.other);
    poly->compress(ct, &w->s.sum, w->set->dv);
    return reduced;
}

/* FIPS 203 algorithm 14, of the message and the second half of the coins; the matrix is there.
 * Returns as above. */
static bool encrypt(struct work *w, const uint8_t *ek, uint8_t *ct)
{
    const struct cl_poly_ops *poly = w->way->poly;
    const unsigned k = w->set->k;
    make_noise(w, w->s.coins + CL_MLKEM_HASH, 2 * k + 1, k);
    for (size_t i = 0; i < k; i++) {
        poly->multiply_sum(&w->s.sum, &w->matrix[k * i], w->s.vector, k);
        poly->inv_ntt(&w->s.sum);
        poly->add(&w->s.sum, &w->s.noise[k + i]);
        poly->compress(ct, &w->s.sum, w->set->du);
        ct += (size_t)32 * w->set->du;
    }
    return encrypt_message(w, ek, ct);
}

/* FIPS 203 algorithm 15, into the message. */
static void decrypt(struct work *w, const uint8_t *dk, const uint8_t *ct)
{
    const struct cl_poly_ops *poly = w->way->poly;
    struct cl_poly *u = w->matrix;
    for (size_t i = 0; i < w->set->k; i++) {
        /* our own key: it is reduced */
        (void)poly->decode(&w->s.other, dk + CL_MLKEM_POLY_LEN * i);
        poly->make_factor(&w->s.vector[i], &w->s.other);
        poly->decompress(&u[i], ct, w->set->du);
        poly->ntt(&u[i]);
        ct += (size_t)32 * w->set->du;
    }
    poly->multiply_sum(&w->s.sum, u, w->s.vector, w->set->k);
    poly->inv_ntt(&w->s.sum);
    poly->decompress(&w->s.other, ct, w->set->dv);
    poly->sub_from(&w->s.sum, &w->s.other);
    poly->compress(w->s.message, &w->s.sum, 1);
}

/* ---- ML-KEM ---- */

void cl_mlkem_own_keygen(const struct cl_mlkem_way *way, const struct cl_mlkem_set *set,
                         const uint8_t *seed, uint8_t *ek, uint8_t *dk)
{
    struct work w;
    uint8_t *end = dk + (size_t)CL_MLKEM_POLY_LEN * set->k;
    w.way = way;
    w.set = set;
    cl_ct_secret(seed, CL_MLKEM_SEED_LEN);
    /* FIPS 203 algorithm 16: dk is s, ek, H(ek), z */
    make_key(&w, seed, ek, dk);
    memcpy(end, ek, set->ek_len);
    cl_mlkem_h(way, cl_rd_of(ek, set->ek_len), end + set->ek_len);
    memcpy(end + set->ek_len + CL_MLKEM_HASH, seed + CL_MLKEM_HASH, CL_MLKEM_HASH);
    wipe(&w);
    cl_ct_public(seed, CL_MLKEM_SEED_LEN); /* the caller's to look after */
}

cl_result cl_mlkem_own_encap(const struct cl_mlkem_way *way, const struct cl_mlkem_set *set,
                             const uint8_t *ek, const uint8_t *random, uint8_t *ct, uint8_t *secret)
{
    struct work w;
    uint8_t digest[CL_MLKEM_HASH];
    const struct cl_mlkem_beside h = {.a = cl_rd_of(ek, set->ek_len), .out = digest};
    w.way = way;
    w.set = set;
    cl_ct_secret(random, CL_MLKEM_RANDOM_LEN);
    memcpy(w.s.message, random, CL_MLKEM_HASH);
    /* FIPS 203 algorithm 17 */
    cl_mlkem_matrix(way, set, w.matrix, ek + (size_t)CL_MLKEM_POLY_LEN * set->k, true, &h);
    cl_mlkem_g(way, bytes32(random), bytes32(digest), w.s.coins);
    const bool reduced = encrypt(&w, ek, ct);
    memcpy(secret, w.s.coins, CL_MLKEM_SECRET_LEN);
    cl_ct_public(secret, CL_MLKEM_SECRET_LEN); /* from here on a secret like any other */
    cl_ct_public(ct, set->ct_len);
    cl_ct_public(random, CL_MLKEM_RANDOM_LEN);
    wipe(&w);
    /* FIPS 203 7.2, "modulus check": ByteEncode12(ByteDecode12(ek)) is not the key itself */
    return reduced ? CL_OK : CLEAT_ERR_BAD_KEY_SHARE;
}

void cl_mlkem_own_decap(const struct cl_mlkem_way *way, const struct cl_mlkem_set *set,
                        const uint8_t *dk, const uint8_t *ct, uint8_t *secret)
{
    const uint8_t *ek = dk + (size_t)CL_MLKEM_POLY_LEN * set->k;
    const uint8_t *digest = ek + set->ek_len;
    const uint8_t *z = digest + CL_MLKEM_HASH;
    uint8_t again[CL_MLKEM_MAX_CT];
    struct work w;
    const struct cl_mlkem_beside j = {
        .a = bytes32(z),
        .b = cl_rd_of(ct, set->ct_len),
        .is_shake = true,
        .out = w.s.rejected,
    };
    w.way = way;
    w.set = set;
    cl_ct_secret(dk, (size_t)CL_MLKEM_POLY_LEN * set->k);
    cl_ct_secret(z, CL_MLKEM_HASH);
    /* FIPS 203 algorithm 18: encrypt again what was decrypted, and compare */
    decrypt(&w, dk, ct);
    cl_mlkem_matrix(way, set, w.matrix, ek + (size_t)CL_MLKEM_POLY_LEN * set->k, true, &j);
    cl_mlkem_g(way, bytes32(w.s.message), bytes32(digest), w.s.coins);
    (void)encrypt(&w, ek, again);
    const cl_ct_mask same = cl_ct_hide(0 - (uint32_t)cl_ct_equal(again, ct, set->ct_len));
    for (size_t i = 0; i < CL_MLKEM_SECRET_LEN; i++) {
        secret[i] = ct_select(same, w.s.coins[i], w.s.rejected[i]);
    }
    cl_ct_public(secret, CL_MLKEM_SECRET_LEN);
    cl_wipe(again, sizeof(again));
    wipe(&w);
}
