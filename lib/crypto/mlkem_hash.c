/* crypto/mlkem_hash.c - the hash functions of ML-KEM (FIPS 203 4.1) through libcrypto's EVP, and
 * what is sampled from them (4.2.2).
 *
 * The algorithms are fetched once. Contexts live as long as an operation: libcrypto wipes them when
 * they are freed, and they have held secrets. libcrypto before 3.3 gives out of SHAKE once only, so
 * SampleNTT asks for as many bytes as suffice nearly always, and starts anew in the other cases.
 */
#include <pthread.h>

#include "base/mem.h"
#include "crypto/mlkem_impl.h"

/* 504: three blocks of SHAKE128, 336 candidates of which 256 must be below q: too few once in 120
 */
#define UNIFORM_LEN      504
/* 1,176: seven blocks; too few with a probability below 2^-500 */
#define UNIFORM_LEN_MORE 1176

static pthread_once_t fetched_once = PTHREAD_ONCE_INIT;
static EVP_MD *sha3_256; /* kept until the process ends */
static EVP_MD *sha3_512;
static EVP_MD *shake128;
static EVP_MD *shake256;

static void fetch(void)
{
    sha3_256 = EVP_MD_fetch(NULL, "SHA3-256", NULL);
    sha3_512 = EVP_MD_fetch(NULL, "SHA3-512", NULL);
    shake128 = EVP_MD_fetch(NULL, "SHAKE128", NULL);
    shake256 = EVP_MD_fetch(NULL, "SHAKE256", NULL);
}

bool cl_mlkem_hash_init(struct cl_mlkem_hash *hash)
{
    *hash = (struct cl_mlkem_hash){0};
    if (pthread_once(&fetched_once, fetch) != 0 || sha3_256 == NULL || sha3_512 == NULL ||
        shake128 == NULL || shake256 == NULL) {
        return false;
    }
    hash->sha3_256 = EVP_MD_CTX_new();
    hash->sha3_512 = EVP_MD_CTX_new();
    hash->shake128 = EVP_MD_CTX_new();
    hash->shake256 = EVP_MD_CTX_new();
    return hash->sha3_256 != NULL && hash->sha3_512 != NULL && hash->shake128 != NULL &&
           hash->shake256 != NULL;
}

void cl_mlkem_hash_deinit(struct cl_mlkem_hash *hash)
{
    EVP_MD_CTX_free(hash->sha3_256);
    EVP_MD_CTX_free(hash->sha3_512);
    EVP_MD_CTX_free(hash->shake128);
    EVP_MD_CTX_free(hash->shake256);
    *hash = (struct cl_mlkem_hash){0};
}

static bool take_in(EVP_MD_CTX *ctx, const EVP_MD *md, struct cl_rd a, struct cl_rd b)
{
    return EVP_DigestInit_ex2(ctx, md, NULL) == 1 && EVP_DigestUpdate(ctx, a.p, a.len) == 1 &&
           (b.len == 0 || EVP_DigestUpdate(ctx, b.p, b.len) == 1);
}

bool cl_mlkem_h(struct cl_mlkem_hash *hash, struct cl_rd in, uint8_t out[CL_MLKEM_HASH])
{
    return take_in(hash->sha3_256, sha3_256, in, cl_rd_of(NULL, 0)) &&
           EVP_DigestFinal_ex(hash->sha3_256, out, NULL) == 1;
}

bool cl_mlkem_g(struct cl_mlkem_hash *hash, struct cl_rd a, struct cl_rd b,
                uint8_t out[2 * CL_MLKEM_HASH])
{
    return take_in(hash->sha3_512, sha3_512, a, b) &&
           EVP_DigestFinal_ex(hash->sha3_512, out, NULL) == 1;
}

bool cl_mlkem_j(struct cl_mlkem_hash *hash, struct cl_rd z, struct cl_rd ct,
                uint8_t out[CL_MLKEM_HASH])
{
    return take_in(hash->shake256, shake256, z, ct) &&
           EVP_DigestFinalXOF(hash->shake256, out, CL_MLKEM_HASH) == 1;
}

bool cl_mlkem_noise(struct cl_mlkem_hash *hash, struct cl_poly *p,
                    const uint8_t seed[CL_MLKEM_HASH], uint8_t n, unsigned eta)
{
    uint8_t bytes[64 * CL_MLKEM_ETA3];
    const bool ok =
        take_in(hash->shake256, shake256, cl_rd_of(seed, CL_MLKEM_HASH), cl_rd_of(&n, 1)) &&
        EVP_DigestFinalXOF(hash->shake256, bytes, (size_t)64 * eta) == 1;
    if (ok) {
        cl_poly_cbd(p, bytes, eta);
    }
    cl_wipe(bytes, sizeof(bytes));
    return ok;
}

/* FIPS 203 algorithm 7: two candidates of twelve bits in three bytes. All of it is public. */
static bool fill_uniform(struct cl_poly *p, const uint8_t *in, size_t len)
{
    size_t num = 0;
    for (size_t i = 0; i + 3 <= len && num < CL_MLKEM_N; i += 3) {
        const unsigned a = in[i] | (in[i + 1] & 15U) << 8;
        const unsigned b = in[i + 1] >> 4 | (unsigned)in[i + 2] << 4;
        p->c[CL_MLKEM_AT(num)] = (int16_t)a;
        num += a < CL_MLKEM_Q ? 1 : 0;
        if (num < CL_MLKEM_N) {
            p->c[CL_MLKEM_AT(num)] = (int16_t)b;
            num += b < CL_MLKEM_Q ? 1 : 0;
        }
    }
    return num == CL_MLKEM_N;
}

bool cl_mlkem_uniform(struct cl_mlkem_hash *hash, struct cl_poly *p,
                      const uint8_t rho[CL_MLKEM_HASH], uint8_t x, uint8_t y)
{
    const uint8_t at[2] = {x, y};
    uint8_t bytes[UNIFORM_LEN_MORE];
    for (size_t len = UNIFORM_LEN;; len = UNIFORM_LEN_MORE) {
        if (!take_in(hash->shake128, shake128, cl_rd_of(rho, CL_MLKEM_HASH),
                     cl_rd_of(at, sizeof(at))) ||
            EVP_DigestFinalXOF(hash->shake128, bytes, len) != 1) {
            return false;
        }
        if (fill_uniform(p, bytes, len)) {
            return true;
        }
        if (len == UNIFORM_LEN_MORE) {
            return false;
        }
    }
}
