/* tests/tls/test_prf.c - the PRF of TLS 1.2 gives what libcrypto's TLS1-PRF gives, and a schedule
 * without a PSK what one with a PSK of zeros gives (RFC 9846 7.1). */
#include "support_tls.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "tls/prf.h"
#include "tls/schedule.h"

/* 200: key blocks have up to 136 bytes */
#define MAX_OUT 200

static void evp_prf(const char *hash, struct cl_rd secret, struct cl_rd seed, uint8_t *out,
                    size_t out_len)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)hash, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, (void *)(uintptr_t)secret.p,
                                          secret.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)(uintptr_t)seed.p, seed.len),
        OSSL_PARAM_construct_end(),
    };
    assert_int_equal(EVP_KDF_derive(ctx, out, out_len, params), 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

/* From one word to all that a test needs: the value of a counter, hashed. */
static void fill(uint8_t *p, size_t len)
{
    static uint32_t counter;
    for (size_t i = 0; i < len; i++) {
        uint8_t digest[32];
        counter++;
        cl_hash_once(CL_HASH_SHA256, &counter, sizeof(counter), digest);
        p[i] = digest[0];
    }
}

static void test_the_prf_equals_libcryptos(void **state)
{
    static const char label[] = "extended master secret";
    static const struct {
        enum cl_hash_id id;
        const char *name;
    } hashes[] = {{CL_HASH_SHA256, "SHA256"}, {CL_HASH_SHA384, "SHA384"}};
    uint8_t seed[sizeof(label) - 1 + 2 * 96], secret[160], expected[MAX_OUT], out[MAX_OUT];
    for (size_t n = 0; n < 2; n++) {
        for (size_t i = 1; i <= MAX_OUT; i++) {
            const size_t a = i % 97, b = (7 * i) % 97, secret_len = 1 + (11 * i) % 160;
            const size_t label_len = sizeof(label) - 1;
            struct cl_hmac_key key;
            memcpy(seed, label, label_len);
            fill(seed + label_len, a + b);
            fill(secret, secret_len);
            evp_prf(hashes[n].name, cl_rd_of(secret, secret_len), cl_rd_of(seed, label_len + a + b),
                    expected, i);
            cl_hmac_key_init(&key, hashes[n].id, cl_rd_of(secret, secret_len));
            cl_prf(&key, label, cl_rd_of(seed + label_len, a), cl_rd_of(seed + label_len + a, b),
                   out, i);
            assert_memory_equal(out, expected, i);
        }
    }
}

static void test_no_psk_is_a_psk_of_zeros(void **state)
{
    static const uint8_t zeros[CL_HASH_MAX_LEN];
    static const enum cl_hash_id hashes[] = {CL_HASH_SHA256, CL_HASH_SHA384};
    uint8_t shared[32], transcript[CL_HASH_MAX_LEN];
    fill(shared, sizeof(shared));
    fill(transcript, sizeof(transcript));
    for (size_t n = 0; n < 2; n++) {
        struct cl_schedule without, with;
        struct cl_secret a, b;
        cl_schedule_early(&without, hashes[n], cl_rd_of(NULL, 0));
        cl_schedule_early(&with, hashes[n], cl_rd_of(zeros, cl_hash_len(hashes[n])));
        for (int stage = 0; stage < 3; stage++) {
            cl_schedule_derive(&without, "s hs traffic", transcript, &a);
            cl_schedule_derive(&with, "s hs traffic", transcript, &b);
            assert_int_equal(a.len, cl_hash_len(hashes[n]));
            assert_memory_equal(a.bytes, b.bytes, a.len);
            const struct cl_rd ikm = cl_rd_of(shared, stage == 0 ? sizeof(shared) : 0);
            cl_schedule_next(&without, ikm);
            cl_schedule_next(&with, ikm);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_prf_equals_libcryptos),
        cmocka_unit_test(test_no_psk_is_a_psk_of_zeros),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
