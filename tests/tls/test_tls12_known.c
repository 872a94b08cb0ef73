/* tests/tls/test_tls12_known.c - known answers of TLS 1.2: the PRF's published vectors, whole
 * handshakes with fixed randomness whose bytes are frozen, and the same handshakes computed anew
 * with libcrypto's own X25519, TLS1-PRF and AEADs, from what crossed the wire. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <string.h>

#include "cleat/tls_options.h"
#include "tls/prf.h"
#include "tls/support_tls.h"
#include "tls/wire.h"

/* ---- the PRF ---- */

/* The vectors that were published on the IETF TLS working group's list for TLS 1.2's PRF. */
static void test_the_prf_agrees_with_published_vectors(void **state)
{
    static const struct {
        enum cl_hash_id hash;
        const char *secret;
        const char *seed;
        const char *output;
    } rows[] = {
        {CL_HASH_SHA256, "9bbe436ba940f017b17652849a71db35", "a0ba9f936cda311827a6f796ffd5198c",
         "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e"
         "14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5"
         "a72e5a5110fff70187347b66"},
        {CL_HASH_SHA384, "b80b733d6ceefcdc71566ea48e5567df", "cd665cf6a8447dd6ff8b27555edb7465",
         "7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b123"
         "3c9146a0e534cb400fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd"
         "4abfdad05d9184259b5bf8cd4d90fa0d31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a2"
         "6854308d5eaa3be85e0990703d73e56f"},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cl_buf secret = test_hex(rows[i].secret);
        struct cl_buf seed = test_hex(rows[i].seed);
        struct cl_buf wanted = test_hex(rows[i].output);
        uint8_t out[256];
        cl_prf_once(rows[i].hash, cl_buf_view(&secret), "test label", cl_buf_view(&seed),
                    cl_rd_of(NULL, 0), out, wanted.len);
        assert_memory_equal(out, wanted.p, wanted.len);
        cl_buf_deinit(&secret);
        cl_buf_deinit(&seed);
        cl_buf_deinit(&wanted);
    }
}

/* ---- handshakes with fixed randomness ---- */

struct scripted {
    uint64_t counter;
    uint8_t drawn[64][32]; /* every draw of 32 bytes: one of them is the private key */
    size_t num;
};

static int draw(void *ctx, uint8_t *out, size_t len)
{
    struct scripted *s = ctx;
    int r = test_fixed_random(&s->counter, out, len);
    if (len == 32 && s->num < TEST_LEN(s->drawn)) {
        memcpy(s->drawn[s->num++], out, 32);
    }
    return r;
}

struct run {
    struct scripted client;
    struct scripted server;
    struct test_pair pair;
};

static void run_handshake(struct run *r, const char *suite)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_server_builder();
    memset(r, 0, sizeof(*r));
    r->client.counter = 1000;
    r->server.counter = 2000;
    cleat_tls_builder_random(c, draw, &r->client);
    cleat_tls_builder_random(s, draw, &r->server);
    /* nothing but what the test is about, so that other extensions do not change the bytes */
    cleat_tls_builder_grease(c, false);
    cleat_tls_builder_permute(c, false);
    cleat_tls_builder_ask_status(c, false);
    assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_ciphers(c, suite), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_groups(c, "X25519"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_signatures(c, "ed25519"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_ciphers(s, suite), CLEAT_OK);
    test_pair_make(&r->pair, test_finish(c), test_finish(s), NULL);
    test_pair_run(&r->pair);
    test_assert_ready(&r->pair);
    test_assert_echo(&r->pair);
}

static void hex_digest(const struct cl_buf *bytes, char out[17])
{
    struct cl_hash h;
    uint8_t digest[CL_HASH_MAX_LEN];
    cl_hash_init(&h, CL_HASH_SHA256);
    cl_hash_update(&h, bytes->p, bytes->len);
    cl_hash_peek(&h, digest);
    for (size_t i = 0; i < 8; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
    }
}

/* ---- anew, with libcrypto ---- */

static const struct known {
    const char *suite;
    const char *aead;   /* libcrypto's */
    const char *digest; /* of the PRF */
    size_t key_len;
    size_t iv_len; /* 4: the explicit nonce follows; 12: XORed with the number */
    const char *to_server;
    const char *to_client; /* SHA-256 of all bytes, its first eight */
} knowns[] = {
    {"ECDHE-ECDSA-AES128-GCM-SHA256", "AES-128-GCM", "SHA256", 16, 4, "7ff5c166a4bdcfac",
     "914104001ff78afe"},
    {"ECDHE-ECDSA-AES256-GCM-SHA384", "AES-256-GCM", "SHA384", 32, 4, "f17bcb006b50c7e3",
     "43f2d2ed4e232991"},
    {"ECDHE-ECDSA-CHACHA20-POLY1305", "ChaCha20-Poly1305", "SHA256", 32, 12, "c9c1175138df37e7",
     "8664f47cbd8ed2ec"},
};

static void prf(const char *digest, const uint8_t *secret, size_t secret_len, const char *label,
                struct cl_rd seed, uint8_t *out, size_t out_len)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, (void *)(uintptr_t)secret,
                                          secret_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)(uintptr_t)label,
                                          strlen(label)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, (void *)(uintptr_t)seed.p, seed.len),
        OSSL_PARAM_construct_end(),
    };
    assert_int_equal(EVP_KDF_derive(ctx, out, out_len, params), 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

static bool x25519(const uint8_t private_key[32], const uint8_t share[32], uint8_t out[32])
{
    EVP_PKEY *ours = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private_key, 32);
    EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, share, 32);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ours, NULL);
    size_t len = 32;
    bool ok = EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, theirs) == 1 &&
              EVP_PKEY_derive(ctx, out, &len) == 1;
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(ours);
    EVP_PKEY_free(theirs);
    return ok;
}

/* SHA-2 over the handshake messages in clear, from the records as they crossed. */
static size_t transcript_hash(const struct known *k, struct run *r, uint8_t out[64])
{
    static const struct {
        bool by_server;
        uint8_t type;
    } order[] = {{false, 1}, {true, 2}, {true, 11}, {true, 12}, {true, 14}, {false, 16}};
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned len = 0;
    assert_int_equal(EVP_DigestInit_ex(md, EVP_get_digestbyname(k->digest), NULL), 1);
    for (size_t i = 0; i < TEST_LEN(order); i++) {
        const struct test_end *e = order[i].by_server ? &r->pair.server : &r->pair.client;
        struct cl_rd m = test_message(e, true, order[i].type, 0);
        assert_int_equal(EVP_DigestUpdate(md, m.p, m.len), 1);
    }
    assert_int_equal(EVP_DigestFinal_ex(md, out, &len), 1);
    EVP_MD_CTX_free(md);
    return len;
}

/* The first record behind change_cipher_spec: the Finished, sealed. */
static struct cl_rd sealed_finished(const struct cl_buf *bytes)
{
    struct cl_rd all = cl_buf_view(bytes);
    bool behind = false;
    while (all.len > 5) {
        struct cl_rd header;
        struct cl_rd body;
        assert_true(cl_rd_take(&all, 5, &header));
        assert_true(cl_rd_take(&all, (size_t)(header.p[3] << 8 | header.p[4]), &body));
        if (behind) {
            return body;
        }
        behind = header.p[0] == CL_CT_CHANGE_CIPHER_SPEC;
    }
    fail_msg("no Finished");
    return all;
}

static void open_record(const struct known *k, const uint8_t *key, const uint8_t *iv,
                        struct cl_rd body, uint8_t out[16])
{
    static const uint8_t aad[13] = {0, 0, 0, 0, 0, 0, 0, 0, 22, 3, 3, 0, 16};
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, k->aead, NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t nonce[12] = {0};
    size_t explicit_len = 12 - k->iv_len;
    int n = 0;
    memcpy(nonce, iv, k->iv_len);
    memcpy(nonce + k->iv_len, body.p, explicit_len);
    assert_int_equal(body.len, explicit_len + 16 + 16);
    assert_int_equal(EVP_DecryptInit_ex2(ctx, cipher, key, nonce, NULL), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16,
                                         (void *)(uintptr_t)(body.p + explicit_len + 16)),
                     1);
    assert_int_equal(EVP_DecryptUpdate(ctx, NULL, &n, aad, sizeof(aad)), 1);
    assert_int_equal(EVP_DecryptUpdate(ctx, out, &n, body.p + explicit_len, 16), 1);
    assert_int_equal(EVP_DecryptFinal_ex(ctx, out + n, &n), 1);
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
}

/* The client's private key is one of the bytes that it drew: the one whose public key it sent. */
static void find_premaster(struct run *r, uint8_t out[32])
{
    struct cl_rd exchange = test_message(&r->pair.client, true, CL_HT_CLIENT_KEY_EXCHANGE, 0);
    struct cl_rd params = test_message(&r->pair.server, true, CL_HT_SERVER_KEY_EXCHANGE, 0);
    static const uint8_t base[32] = {9};
    uint8_t public_key[32];
    for (size_t i = 0; i < r->client.num; i++) {
        if (x25519(r->client.drawn[i], base, public_key) &&
            memcmp(public_key, exchange.p + 5, 32) == 0) {
            assert_true(x25519(r->client.drawn[i], params.p + 8, out));
            return;
        }
    }
    fail_msg("none of %zu draws is the private key", r->client.num);
}

static void check_anew(const struct known *k, struct run *r)
{
    uint8_t premaster[32];
    uint8_t hash[64];
    uint8_t master[48];
    uint8_t randoms[64];
    uint8_t block[2 * 32 + 2 * 12];
    uint8_t finished[16];
    uint8_t wanted[16] = {CL_HT_FINISHED, 0, 0, 12};
    find_premaster(r, premaster);
    size_t hash_len = transcript_hash(k, r, hash);
    prf(k->digest, premaster, 32, "extended master secret", cl_rd_of(hash, hash_len), master, 48);
    assert_memory_equal(master, test_secret(&r->pair.client, "CLIENT_RANDOM")->bytes, 48);
    memcpy(randoms, test_message(&r->pair.server, true, CL_HT_SERVER_HELLO, 0).p + 6, 32);
    memcpy(randoms + 32, test_message(&r->pair.client, true, CL_HT_CLIENT_HELLO, 0).p + 6, 32);
    prf(k->digest, master, 48, "key expansion", cl_rd_of(randoms, 64), block,
        2 * (k->key_len + k->iv_len));
    open_record(k, block, block + 2 * k->key_len, sealed_finished(&r->pair.to_server), finished);
    prf(k->digest, master, 48, "client finished", cl_rd_of(hash, hash_len), wanted + 4, 12);
    assert_memory_equal(finished, wanted, 16);
    open_record(k, block + k->key_len, block + 2 * k->key_len + k->iv_len,
                sealed_finished(&r->pair.to_client), finished);
    assert_memory_equal(finished, wanted, 4);
}

static void test_handshakes_are_what_libcrypto_computes_from_the_wire(void **state)
{
    for (size_t i = 0; i < TEST_LEN(knowns); i++) {
        struct run *r = cl_calloc(1, sizeof(*r));
        assert_non_null(r);
        run_handshake(r, knowns[i].suite);
        check_anew(&knowns[i], r);
        test_pair_drop(&r->pair);
        cl_free(r);
    }
}

static void test_the_bytes_of_fixed_handshakes_do_not_change(void **state)
{
    for (size_t i = 0; i < TEST_LEN(knowns); i++) {
        struct run *r = cl_calloc(1, sizeof(*r));
        char up[17];
        char down[17];
        assert_non_null(r);
        run_handshake(r, knowns[i].suite);
        hex_digest(&r->pair.to_server, up);
        hex_digest(&r->pair.to_client, down);
        if (strcmp(up, knowns[i].to_server) != 0 || strcmp(down, knowns[i].to_client) != 0) {
            fail_msg("%s: \"%s\", \"%s\"", knowns[i].suite, up, down);
        }
        test_pair_drop(&r->pair);
        cl_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_prf_agrees_with_published_vectors),
        cmocka_unit_test(test_handshakes_are_what_libcrypto_computes_from_the_wire),
        cmocka_unit_test(test_the_bytes_of_fixed_handshakes_do_not_change),
    };
    return cmocka_run_group_tests(tests, test_fixed_world_setup, test_world_teardown);
}
