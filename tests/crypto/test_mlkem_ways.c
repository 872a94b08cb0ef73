/* tests/crypto/test_mlkem_ways.c - the parts that our own ML-KEM is made of: hashes in lanes
 * against libcrypto's, polynomials by definition, each way of computing against the portable one;
 * and that a way which computes wrongly is found out. */
#include "support_crypto.h"

#include <string.h>

#include <openssl/evp.h>

#include "base/ct.h"
#include "crypto/mlkem_impl.h"

static const enum cl_mlkem_who own[] = {CL_MLKEM_PORTABLE, CL_MLKEM_AVX2, CL_MLKEM_AVX512};
#define NUM_OWN (sizeof(own) / sizeof(own[0]))

/* The way to compute; NULL: it is not here. */
static const struct cl_mlkem_way *way_of(size_t i)
{
    return cl_mlkem_use(own[i]) ? cl_mlkem_way() : NULL;
}

static int use_the_fastest(void **state)
{
    return cl_mlkem_use(CL_MLKEM_FASTEST) ? 0 : -1;
}

/* Numbers that are the same in every run. */
static uint32_t next_number(void)
{
    static uint64_t x = 0x9e3779b97f4a7c15;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return (uint32_t)(x >> 32);
}

static void fill(uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)next_number();
    }
}

/* Coefficients from `from` to q - 1, the ends more often than others. */
static void fill_poly(struct cl_poly *p, int from)
{
    for (size_t i = 0; i < CL_MLKEM_N; i++) {
        const uint32_t x = next_number();
        const int range = CL_MLKEM_Q - from;
        p->c[i] = (int16_t)(x % 8 == 0   ? from
                            : x % 8 == 1 ? CL_MLKEM_Q - 1
                                         : from + (int)(x / 8 % (uint32_t)range));
    }
}

/* ---- hashes ---- */

static void expected_hash(const char *name, const uint8_t *in, size_t len, uint8_t *out,
                          size_t out_len)
{
    EVP_MD *md = EVP_MD_fetch(NULL, name, NULL);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const bool xof = strncmp(name, "SHAKE", 5) == 0;
    assert_int_equal(EVP_DigestInit_ex(ctx, md, NULL), 1);
    assert_int_equal(EVP_DigestUpdate(ctx, in, len), 1);
    assert_int_equal(
        xof ? EVP_DigestFinalXOF(ctx, out, out_len) : EVP_DigestFinal_ex(ctx, out, NULL), 1);
    EVP_MD_CTX_free(ctx);
    EVP_MD_free(md);
}

/* Messages around each multiple of a block, in one piece and in two. */
static void test_hashes_of_all_lengths_are_libcryptos(void **state)
{
    uint8_t in[420];
    uint8_t got[64];
    uint8_t expected[64];
    fill(in, sizeof(in));
    for (size_t i = 0; i < NUM_OWN; i++) {
        const struct cl_mlkem_way *way = way_of(i);
        for (size_t len = 0; way != NULL && len <= sizeof(in); len++) {
            expected_hash("SHA3-256", in, len, expected, 32);
            cl_mlkem_h(way, cl_rd_of(in, len), got);
            assert_memory_equal(got, expected, 32);
            const size_t half = len * 2 / 3;
            expected_hash("SHA3-512", in, len, expected, 64);
            cl_mlkem_g(way, cl_rd_of(in, half), cl_rd_of(in + half, len - half), got);
            assert_memory_equal(got, expected, 64);
        }
    }
}

/* FIPS 203 algorithm 7 as it is written, of libcrypto's SHAKE128. */
static void expected_uniform(struct cl_poly *p, const uint8_t *rho, uint8_t x, uint8_t y)
{
    uint8_t in[34];
    uint8_t stream[5 * CL_MLKEM_BLOCK];
    size_t num = 0;
    memcpy(in, rho, 32);
    in[32] = x;
    in[33] = y;
    expected_hash("SHAKE128", in, sizeof(in), stream, sizeof(stream));
    for (size_t i = 0; num < CL_MLKEM_N; i += 3) {
        assert_true(i + 3 <= sizeof(stream));
        const unsigned a = stream[i] + 256U * (stream[i + 1] % 16U);
        const unsigned b = stream[i + 1] / 16U + 16U * stream[i + 2];
        if (a < CL_MLKEM_Q) {
            p->c[num++] = (int16_t)a;
        }
        if (b < CL_MLKEM_Q && num < CL_MLKEM_N) {
            p->c[num++] = (int16_t)b;
        }
    }
}

static const struct cl_mlkem_set *const sets[] = {&cl_mlkem_512, &cl_mlkem_768, &cl_mlkem_1024};

/* The matrix, and a hash of any length beside it: shorter than what the other lanes do, and longer.
 */
static void one_matrix(const struct cl_mlkem_way *way, const struct cl_mlkem_set *set, size_t len)
{
    struct cl_poly got[CL_MLKEM_MAX_K * CL_MLKEM_MAX_K];
    uint8_t rho[CL_MLKEM_HASH];
    uint8_t in[3000];
    uint8_t digest[CL_MLKEM_HASH];
    uint8_t expected[CL_MLKEM_HASH];
    const bool is_shake = len % 2 != 0;
    fill(rho, sizeof(rho));
    fill(in, len);
    const struct cl_mlkem_beside beside = {
        .a = cl_rd_of(in, len / 5),
        .b = cl_rd_of(in + len / 5, len - len / 5),
        .is_shake = is_shake,
        .out = digest,
    };
    cl_mlkem_matrix(way, set, got, rho, is_shake, len != 0 ? &beside : NULL);
    for (uint8_t i = 0; i < set->k; i++) {
        for (uint8_t j = 0; j < set->k; j++) {
            struct cl_poly one;
            expected_uniform(&one, rho, is_shake ? i : j, is_shake ? j : i);
            assert_memory_equal(got[set->k * i + j].c, one.c, sizeof(one.c));
        }
    }
    if (len != 0) {
        expected_hash(is_shake ? "SHAKE256" : "SHA3-256", in, len, expected, sizeof(expected));
        assert_memory_equal(digest, expected, sizeof(digest));
    }
}

/* 40 matrices of up to sixteen: some polynomials need a fourth block. */
static void test_the_matrix_is_sampled_as_the_standard_says(void **state)
{
    for (size_t i = 0; i < NUM_OWN; i++) {
        const struct cl_mlkem_way *way = way_of(i);
        for (size_t n = 0; way != NULL && n < 40; n++) {
            one_matrix(way, sets[n % 3], n * 37 * (n % 4) / 2);
        }
    }
}

static unsigned bit(const uint8_t *bytes, size_t i)
{
    return (unsigned)(bytes[i / 8] >> (i % 8)) & 1;
}

/* FIPS 203 algorithm 8 as it is written, of libcrypto's SHAKE256. */
static void expected_noise(struct cl_poly *p, const uint8_t *seed, uint8_t n, unsigned eta)
{
    uint8_t in[33];
    uint8_t bytes[64 * CL_MLKEM_ETA3];
    memcpy(in, seed, 32);
    in[32] = n;
    expected_hash("SHAKE256", in, sizeof(in), bytes, (size_t)64 * eta);
    for (size_t i = 0; i < CL_MLKEM_N; i++) {
        int sum = 0;
        for (size_t j = 0; j < eta; j++) {
            sum += (int)bit(bytes, 2 * i * eta + j) - (int)bit(bytes, (2 * i + 1) * eta + j);
        }
        p->c[i] = (int16_t)sum;
    }
}

static void test_noise_is_sampled_as_the_standard_says(void **state)
{
    for (size_t i = 0; i < NUM_OWN; i++) {
        const struct cl_mlkem_way *way = way_of(i);
        for (uint8_t num = 1; way != NULL && num <= CL_MLKEM_MAX_NOISE; num++) {
            struct cl_poly got[CL_MLKEM_MAX_NOISE];
            uint8_t seed[CL_MLKEM_HASH];
            fill(seed, sizeof(seed));
            const struct cl_mlkem_noise noise = {seed, num, num / 2, CL_MLKEM_ETA3};
            cl_mlkem_noise(way, &noise, got);
            for (uint8_t n = 0; n < num; n++) {
                struct cl_poly one;
                expected_noise(&one, seed, n, n < num / 2 ? CL_MLKEM_ETA3 : CL_MLKEM_ETA2);
                assert_memory_equal(got[n].c, one.c, sizeof(one.c));
            }
        }
    }
}

/* Blocks in which nearly everything is taken, or refused, whatever is there already. */
static void test_rejection_is_the_same_in_every_way(void **state)
{
    for (size_t i = 1; i < NUM_OWN; i++) {
        const struct cl_mlkem_way *way = way_of(i);
        for (unsigned n = 0; way != NULL && n < 2000; n++) {
            uint8_t block[CL_MLKEM_BLOCK + 8];
            struct cl_poly a = {0};
            struct cl_poly b = {0};
            const unsigned num = n % CL_MLKEM_N;
            fill(block, sizeof(block));
            for (size_t k = 0; k < sizeof(block); k++) {
                block[k] = n % 5 == 0 ? 0xff : n % 5 == 1 ? (uint8_t)(block[k] & 0x7c) : block[k];
            }
            const unsigned got = way->poly->sample_uniform(&a, num, block);
            assert_int_equal(got, cl_poly_portable.sample_uniform(&b, num, block));
            assert_memory_equal(a.c, b.c, got * sizeof(a.c[0]));
        }
    }
}

/* ---- polynomials ---- */

static int modulo(int64_t x)
{
    return (int)((x % CL_MLKEM_Q + CL_MLKEM_Q) % CL_MLKEM_Q);
}

/* The product modulo X^256 + 1. */
static void expected_product(struct cl_poly *out, const struct cl_poly *a, const struct cl_poly *b)
{
    for (size_t i = 0; i < CL_MLKEM_N; i++) {
        int64_t sum = 0;
        for (size_t j = 0; j < CL_MLKEM_N; j++) {
            const size_t k = (i + CL_MLKEM_N - j) % CL_MLKEM_N;
            sum += (j <= i ? 1 : -1) * (int64_t)a->c[j] * b->c[k];
        }
        out->c[i] = (int16_t)modulo(sum);
    }
}

/* There, multiplied, and back: a sum of one to four products. */
static void one_sum(const struct cl_poly_ops *ops, unsigned num)
{
    struct cl_poly a[CL_MLKEM_MAX_K];
    struct cl_poly b;
    struct cl_poly got;
    struct cl_poly one;
    struct cl_poly sum = {0};
    struct cl_factor factors[CL_MLKEM_MAX_K];
    for (unsigned i = 0; i < num; i++) {
        fill_poly(&a[i], i % 2 == 0 ? 1 - CL_MLKEM_Q : 0);
        fill_poly(&b, 1 - CL_MLKEM_Q);
        expected_product(&one, &a[i], &b);
        for (size_t k = 0; k < CL_MLKEM_N; k++) {
            sum.c[k] = (int16_t)modulo(sum.c[k] + one.c[k]);
        }
        ops->ntt(&a[i]);
        ops->ntt(&b);
        ops->make_factor(&factors[i], &b);
    }
    ops->multiply_sum(&got, a, factors, num);
    ops->inv_ntt(&got);
    assert_memory_equal(got.c, sum.c, sizeof(sum.c));
}

static void test_products_are_those_of_the_definition(void **state)
{
    for (size_t i = 0; i < NUM_OWN; i++) {
        const struct cl_mlkem_way *way = way_of(i);
        for (unsigned n = 0; way != NULL && n < 12; n++) {
            one_sum(way->poly, 1 + n % CL_MLKEM_MAX_K);
        }
    }
}

/* What the portable way gives for the same, where there is no simple definition. */
static void one_transform(const struct cl_poly_ops *ops)
{
    struct cl_poly a;
    struct cl_poly b;
    struct cl_poly c;
    fill_poly(&a, 1 - CL_MLKEM_Q);
    b = a;
    ops->ntt(&a);
    cl_poly_portable.ntt(&b);
    assert_memory_equal(a.c, b.c, sizeof(a.c));
    fill_poly(&c, 1 - CL_MLKEM_Q);
    ops->add(&a, &c);
    cl_poly_portable.add(&b, &c);
    assert_memory_equal(a.c, b.c, sizeof(a.c));
    fill_poly(&c, 0);
    ops->sub_from(&a, &c);
    cl_poly_portable.sub_from(&b, &c);
    assert_memory_equal(a.c, b.c, sizeof(a.c));
    ops->times_r(&a);
    cl_poly_portable.times_r(&b);
    assert_memory_equal(a.c, b.c, sizeof(a.c));
    fill_poly(&a, 1 - CL_MLKEM_Q);
    b = a;
    ops->inv_ntt(&a);
    cl_poly_portable.inv_ntt(&b);
    assert_memory_equal(a.c, b.c, sizeof(a.c));
}

static void test_transforms_are_the_same_in_every_way(void **state)
{
    for (size_t i = 1; i < NUM_OWN; i++) {
        const struct cl_mlkem_way *way = way_of(i);
        for (unsigned n = 0; way != NULL && n < 200; n++) {
            one_transform(way->poly);
        }
    }
}

/* Bits of polynomials as they are on the wire, the lowest first. */
static unsigned number_at(const uint8_t *bytes, size_t i, unsigned bits)
{
    unsigned x = 0;
    for (unsigned j = 0; j < bits; j++) {
        x |= bit(bytes, i * bits + j) << j;
    }
    return x;
}

/* Compress and Decompress by multiplication, against the definition by division. */
static void one_compression(const struct cl_poly_ops *ops, unsigned bits, unsigned first)
{
    struct cl_poly p;
    struct cl_poly back;
    uint8_t out[32 * 11 + 1];
    for (unsigned i = 0; i < CL_MLKEM_N; i++) {
        p.c[i] = (int16_t)((first + i) % CL_MLKEM_Q);
    }
    out[32 * bits] = 0xa5;
    ops->compress(out, &p, bits);
    assert_int_equal(out[32 * bits], 0xa5);
    ops->decompress(&back, out, bits);
    for (unsigned i = 0; i < CL_MLKEM_N; i++) {
        /* twice, so that half of q is whole */
        const unsigned x = (unsigned)p.c[i];
        const unsigned small = ((2 * x << bits) + CL_MLKEM_Q) / (2 * CL_MLKEM_Q) % (1U << bits);
        assert_int_equal(number_at(out, i, bits), small);
        assert_int_equal(back.c[i], (small * 2 * CL_MLKEM_Q + (1U << bits)) / (2U << bits));
    }
}

static void test_compression_rounds_as_the_standard_says(void **state)
{
    static const unsigned widths[] = {1, 4, 5, 10, 11};
    for (size_t i = 0; i < NUM_OWN; i++) {
        const struct cl_mlkem_way *way = way_of(i);
        for (size_t w = 0; way != NULL && w < sizeof(widths) / sizeof(widths[0]); w++) {
            for (unsigned x = 0; x < CL_MLKEM_Q; x += CL_MLKEM_N - 1) {
                one_compression(way->poly, widths[w], x);
            }
        }
    }
}

static void test_encoding_is_of_twelve_bits(void **state)
{
    for (size_t i = 0; i < NUM_OWN; i++) {
        const struct cl_mlkem_way *way = way_of(i);
        for (unsigned n = 0; way != NULL && n < 20; n++) {
            struct cl_poly p;
            struct cl_poly back;
            uint8_t out[CL_MLKEM_POLY_LEN + 1];
            fill_poly(&p, 0);
            out[CL_MLKEM_POLY_LEN] = 0xa5;
            way->poly->encode(out, &p);
            assert_int_equal(out[CL_MLKEM_POLY_LEN], 0xa5);
            for (size_t k = 0; k < CL_MLKEM_N; k++) {
                assert_int_equal(number_at(out, k, 12), p.c[k]);
            }
            assert_true(way->poly->decode(&back, out));
            assert_memory_equal(back.c, p.c, sizeof(p.c));
        }
    }
}

/* ---- ways that compute wrongly ---- */

static void permute_wrongly(uint64_t *words)
{
    cl_keccak_portable.permute(words);
    words[24] ^= UINT64_C(1) << 63;
}

static void multiply_wrongly(struct cl_poly *out, const struct cl_poly *a,
                             const struct cl_factor *b, unsigned num)
{
    cl_poly_portable.multiply_sum(out, a, b, num);
    out->c[255] = (int16_t)(out->c[255] + 1);
}

static void test_a_way_that_computes_wrongly_is_found_out(void **state)
{
    static const struct cl_keccak bad_keccak = {1, permute_wrongly};
    struct cl_poly_ops bad_poly = cl_poly_portable;
    const struct cl_mlkem_way good = {&cl_keccak_portable, &cl_keccak_portable, &cl_keccak_portable,
                                      &cl_poly_portable};
    bad_poly.multiply_sum = multiply_wrongly;
    struct cl_mlkem_way bad[] = {good, good, good, good};
    bad[0].one = &bad_keccak;
    bad[1].matrix = &bad_keccak;
    bad[2].noise = &bad_keccak;
    bad[3].poly = &bad_poly;
    assert_true(cl_mlkem_way_well(&good));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(cl_mlkem_way_well(&bad[i]));
    }
}

#define EACH(test) cmocka_unit_test_teardown(test, use_the_fastest)

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH(test_hashes_of_all_lengths_are_libcryptos),
        EACH(test_the_matrix_is_sampled_as_the_standard_says),
        EACH(test_noise_is_sampled_as_the_standard_says),
        EACH(test_rejection_is_the_same_in_every_way),
        EACH(test_products_are_those_of_the_definition),
        EACH(test_transforms_are_the_same_in_every_way),
        EACH(test_compression_rounds_as_the_standard_says),
        EACH(test_encoding_is_of_twelve_bits),
        cmocka_unit_test(test_a_way_that_computes_wrongly_is_found_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
