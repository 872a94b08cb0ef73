/* crypto/mlkem_own.c - ML-KEM by ourselves, where libcrypto has none: FIPS 203 algorithms 13 to 18.
 *
 * Constant time: the seeds, the private key, what is decrypted and what it leads to neither decide
 * a branch nor choose an address; whether a ciphertext was accepted shows nowhere. Public are the
 * encapsulation key with its rho, and the ciphertext. Everything secret lies in struct work or in
 * arrays beside it, and is wiped.
 */
#include <string.h>

#include "base/ct.h"
#include "base/mem.h"
#include "crypto/mlkem_impl.h"
#include "crypto/ossl.h"

struct work {
    struct cl_mlkem_hash hash;
    struct cl_poly vector[CL_MLKEM_MAX_K]; /* s, or y; in the NTT domain */
    struct cl_poly sum;
    struct cl_poly other;
    uint8_t coins[2 * CL_MLKEM_HASH]; /* what G gives: rho and sigma, or K and r */
    uint8_t message[CL_MLKEM_HASH];
    uint8_t rejected[CL_MLKEM_HASH]; /* K of a ciphertext that is refused */
};

static void work_deinit(struct work *w)
{
    cl_mlkem_hash_deinit(&w->hash);
    cl_wipe(w, sizeof(*w));
}

/* num polynomials of noise, n counting them, in the NTT domain. */
static bool make_vector(struct work *w, const struct cl_mlkem_set *set, const uint8_t *seed)
{
    for (uint8_t i = 0; i < set->k; i++) {
        if (!cl_mlkem_noise(&w->hash, &w->vector[i], seed, i, set->eta1)) {
            return false;
        }
        cl_poly_ntt(&w->vector[i]);
    }
    return true;
}

/* A row of the matrix (or, transposed, a column) times the vector, into w->sum. */
static bool multiply_row(struct work *w, const struct cl_mlkem_set *set, const uint8_t *rho,
                         uint8_t row, bool transposed)
{
    memset(&w->sum, 0, sizeof(w->sum));
    for (uint8_t j = 0; j < set->k; j++) {
        /* FIPS 203 algorithm 13: A[i][j] is of rho, j, i */
        if (!cl_mlkem_uniform(&w->hash, &w->other, rho, transposed ? row : j,
                              transposed ? j : row)) {
            return false;
        }
        cl_poly_mul_add(&w->sum, &w->other, &w->vector[j]);
    }
    return true;
}

/* ---- K-PKE ---- */

/* FIPS 203 algorithm 13; d is the first half of the seed. */
static bool make_key(struct work *w, const struct cl_mlkem_set *set, const uint8_t *d, uint8_t *ek,
                     uint8_t *dk)
{
    const uint8_t *rho = w->coins;
    const uint8_t *sigma = w->coins + CL_MLKEM_HASH;
    if (!cl_mlkem_g(&w->hash, cl_rd_of(d, CL_MLKEM_HASH), cl_rd_of(&set->k, 1), w->coins)) {
        return false;
    }
    cl_ct_public(rho, CL_MLKEM_HASH);
    if (!make_vector(w, set, sigma)) {
        return false;
    }
    for (uint8_t i = 0; i < set->k; i++) {
        if (!multiply_row(w, set, rho, i, false) ||
            !cl_mlkem_noise(&w->hash, &w->other, sigma, (uint8_t)(set->k + i), set->eta1)) {
            return false;
        }
        cl_poly_times_r(&w->sum);
        cl_poly_ntt(&w->other);
        cl_poly_add(&w->sum, &w->other);
        cl_poly_encode(ek + (size_t)CL_MLKEM_POLY_LEN * i, &w->sum);
        cl_poly_encode(dk + (size_t)CL_MLKEM_POLY_LEN * i, &w->vector[i]);
    }
    memcpy(ek + (size_t)CL_MLKEM_POLY_LEN * set->k, rho, CL_MLKEM_HASH);
    cl_ct_public(ek, set->ek_len);
    return true;
}

/* The last part of a ciphertext: v of the key's t, the vector and the message. *reduced says
 * whether t was. */
static bool encrypt_message(struct work *w, const struct cl_mlkem_set *set, const uint8_t *ek,
                            const uint8_t *seed, uint8_t *ct, bool *reduced)
{
    memset(&w->sum, 0, sizeof(w->sum));
    *reduced = true;
    for (uint8_t i = 0; i < set->k; i++) {
        *reduced = cl_poly_decode(&w->other, ek + (size_t)CL_MLKEM_POLY_LEN * i) && *reduced;
        cl_poly_mul_add(&w->sum, &w->other, &w->vector[i]);
    }
    cl_poly_inv_ntt(&w->sum);
    if (!cl_mlkem_noise(&w->hash, &w->other, seed, (uint8_t)(2 * set->k), CL_MLKEM_ETA2)) {
        return false;
    }
    cl_poly_add(&w->sum, &w->other);
    cl_poly_decompress(&w->other, w->message, 1);
    cl_poly_add(&w->sum, &w->other);
    cl_poly_compress(ct, &w->sum, set->dv);
    return true;
}

/* FIPS 203 algorithm 14, of w->message with the randomness seed. *reduced as above. */
static bool encrypt(struct work *w, const struct cl_mlkem_set *set, const uint8_t *ek,
                    const uint8_t *seed, uint8_t *ct, bool *reduced)
{
    const uint8_t *rho = ek + (size_t)CL_MLKEM_POLY_LEN * set->k;
    if (!make_vector(w, set, seed)) {
        return false;
    }
    for (uint8_t i = 0; i < set->k; i++) {
        if (!multiply_row(w, set, rho, i, true) ||
            !cl_mlkem_noise(&w->hash, &w->other, seed, (uint8_t)(set->k + i), CL_MLKEM_ETA2)) {
            return false;
        }
        cl_poly_inv_ntt(&w->sum);
        cl_poly_add(&w->sum, &w->other);
        cl_poly_compress(ct, &w->sum, set->du);
        ct += (size_t)32 * set->du;
    }
    return encrypt_message(w, set, ek, seed, ct, reduced);
}

/* FIPS 203 algorithm 15, into w->message. */
static void decrypt(struct work *w, const struct cl_mlkem_set *set, const uint8_t *dk,
                    const uint8_t *ct)
{
    memset(&w->sum, 0, sizeof(w->sum));
    for (uint8_t i = 0; i < set->k; i++) {
        /* our own key: it is reduced */
        (void)cl_poly_decode(&w->vector[0], dk + (size_t)CL_MLKEM_POLY_LEN * i);
        cl_poly_decompress(&w->other, ct, set->du);
        ct += (size_t)32 * set->du;
        cl_poly_ntt(&w->other);
        cl_poly_mul_add(&w->sum, &w->other, &w->vector[0]);
    }
    cl_poly_inv_ntt(&w->sum);
    cl_poly_decompress(&w->other, ct, set->dv);
    cl_poly_sub_from(&w->sum, &w->other);
    cl_poly_compress(w->message, &w->sum, 1);
}

/* ---- ML-KEM ---- */

cl_result cl_mlkem_own_keygen(const struct cl_mlkem_set *set, const uint8_t *seed, uint8_t *ek,
                              uint8_t *dk)
{
    struct work w;
    uint8_t *end = dk + (size_t)CL_MLKEM_POLY_LEN * set->k;
    cl_ct_secret(seed, CL_MLKEM_SEED_LEN);
    /* FIPS 203 algorithm 16: dk is s, ek, H(ek), z */
    const bool ok = cl_mlkem_hash_init(&w.hash) && make_key(&w, set, seed, ek, dk) &&
                    cl_mlkem_h(&w.hash, cl_rd_of(ek, set->ek_len), end + set->ek_len);
    if (ok) {
        memcpy(end, ek, set->ek_len);
        memcpy(end + set->ek_len + CL_MLKEM_HASH, seed + CL_MLKEM_HASH, CL_MLKEM_HASH);
    }
    work_deinit(&w);
    cl_ct_public(seed, CL_MLKEM_SEED_LEN); /* the caller's to look after */
    return ok ? CL_OK : cl_ossl_failed(CLEAT_ERR_CRYPTO);
}

cl_result cl_mlkem_own_encap(const struct cl_mlkem_set *set, const uint8_t *ek,
                             const uint8_t *random, uint8_t *ct, uint8_t *secret)
{
    struct work w;
    uint8_t digest[CL_MLKEM_HASH];
    bool reduced = false;
    cl_ct_secret(random, CL_MLKEM_RANDOM_LEN);
    memcpy(w.message, random, CL_MLKEM_HASH);
    /* FIPS 203 algorithm 17 */
    const bool ok = cl_mlkem_hash_init(&w.hash) &&
                    cl_mlkem_h(&w.hash, cl_rd_of(ek, set->ek_len), digest) &&
                    cl_mlkem_g(&w.hash, cl_rd_of(random, CL_MLKEM_HASH),
                               cl_rd_of(digest, sizeof(digest)), w.coins) &&
                    encrypt(&w, set, ek, w.coins + CL_MLKEM_HASH, ct, &reduced);
    if (ok) {
        memcpy(secret, w.coins, CL_MLKEM_SECRET_LEN);
    }
    cl_ct_public(secret, CL_MLKEM_SECRET_LEN); /* from here on a secret like any other */
    cl_ct_public(ct, set->ct_len);
    cl_ct_public(random, CL_MLKEM_RANDOM_LEN);
    work_deinit(&w);
    if (!ok) {
        return cl_ossl_failed(CLEAT_ERR_CRYPTO);
    }
    /* FIPS 203 7.2, "modulus check": ByteEncode12(ByteDecode12(ek)) is not the key itself */
    return reduced ? CL_OK : CLEAT_ERR_BAD_KEY_SHARE;
}

cl_result cl_mlkem_own_decap(const struct cl_mlkem_set *set, const uint8_t *dk, const uint8_t *ct,
                             uint8_t *secret)
{
    const uint8_t *ek = dk + (size_t)CL_MLKEM_POLY_LEN * set->k;
    const uint8_t *digest = ek + set->ek_len;
    const uint8_t *z = digest + CL_MLKEM_HASH;
    uint8_t again[CL_MLKEM_MAX_CT];
    bool reduced;
    struct work w;
    /* FIPS 203 algorithm 18: encrypt again what was decrypted, and compare */
    bool ok = cl_mlkem_hash_init(&w.hash);
    cl_ct_secret(dk, (size_t)CL_MLKEM_POLY_LEN * set->k);
    cl_ct_secret(z, CL_MLKEM_HASH);
    if (ok) {
        decrypt(&w, set, dk, ct);
        ok = cl_mlkem_g(&w.hash, cl_rd_of(w.message, CL_MLKEM_HASH),
                        cl_rd_of(digest, CL_MLKEM_HASH), w.coins) &&
             cl_mlkem_j(&w.hash, cl_rd_of(z, CL_MLKEM_HASH), cl_rd_of(ct, set->ct_len),
                        w.rejected) &&
             encrypt(&w, set, ek, w.coins + CL_MLKEM_HASH, again, &reduced);
    }
    if (ok) {
        const cl_ct_mask same = cl_ct_hide(0 - (uint32_t)cl_ct_equal(again, ct, set->ct_len));
        for (size_t i = 0; i < CL_MLKEM_SECRET_LEN; i++) {
            secret[i] = ct_select(same, w.coins[i], w.rejected[i]);
        }
    }
    cl_ct_public(secret, CL_MLKEM_SECRET_LEN);
    cl_wipe(again, sizeof(again));
    work_deinit(&w);
    return ok ? CL_OK : cl_ossl_failed(CLEAT_ERR_CRYPTO);
}
