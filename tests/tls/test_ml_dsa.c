/* tests/tls/test_ml_dsa.c - certificates and handshakes with ML-DSA keys (FIPS 204, RFC 9881),
 * where libcrypto has them (3.5). */
#include <stdio.h>
#include <string.h>

#include "crypto/version.h"
#include "tls/hs.h"
#include "tls/support_tls.h"

static const struct {
    enum cl_key_type type;
    const char *scheme;
    uint16_t number;
} rows[] = {
    {CL_KEY_ML_DSA_44, "mldsa44", 0x0904},
    {CL_KEY_ML_DSA_65, "mldsa65", 0x0905},
    {CL_KEY_ML_DSA_87, "mldsa87", 0x0906},
};

static void need_ml_dsa(void)
{
    if (!cl_ml_dsa_available()) {
        print_message("SKIP: %s has no ML-DSA (3.5 or later has)\n", cl_crypto_version());
        skip();
    }
}

static void make_identity(struct test_identity *id, enum cl_key_type type, bool client)
{
    static const char *const names[] = {"localhost"};
    test_identity_make(id, &world.ca, type, names, 1, client);
}

static struct cleat_tls_builder *with_scheme(struct cleat_tls_builder *b, const char *scheme)
{
    char list[100];
    (void)snprintf(list, sizeof(list), "%s:ecdsa_secp256r1_sha256", scheme);
    assert_int_equal(cleat_tls_builder_signatures(b, list), CLEAT_OK);
    return b;
}

static void test_a_server_and_a_client_prove_themselves_by_each_size(void **state)
{
    need_ml_dsa();
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_identity server;
        struct test_identity client;
        make_identity(&server, rows[i].type, false);
        make_identity(&client, rows[i].type, true);
        struct cleat_tls_builder *s = test_server_builder_with(&server);
        struct cleat_tls_builder *c = with_scheme(test_client_builder(), rows[i].scheme);
        struct test_pair p;
        (void)with_scheme(s, rows[i].scheme);
        assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
        cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
        assert_int_equal(cleat_tls_builder_credential(c, client.chain, client.key), CLEAT_OK);
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_string_equal(test_info(&p.client).signature_name, rows[i].scheme);
        assert_true(test_info(&p.server).peer_authenticated);
        struct cl_rd verify = test_message(&p.server, true, CL_HT_CERTIFICATE_VERIFY, 0);
        assert_int_equal(verify.p[4] << 8 | verify.p[5], rows[i].number);
        test_assert_echo(&p);
        test_pair_drop(&p);
        test_identity_drop(&server);
        test_identity_drop(&client);
    }
}

static void test_it_is_used_only_where_the_client_names_it(void **state)
{
    need_ml_dsa();
    struct test_identity id;
    struct test_pair p;
    make_identity(&id, CL_KEY_ML_DSA_65, false);
    test_pair_make(&p, test_client_config(), test_finish(test_server_builder_with(&id)), NULL);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_NO_SHARED_SIGNATURE, 40);
    test_pair_drop(&p);
    test_identity_drop(&id);
}

static void test_it_is_not_for_tls_12(void **state)
{
    need_ml_dsa();
    struct test_identity id;
    struct test_pair p;
    make_identity(&id, CL_KEY_ML_DSA_44, false);
    struct cleat_tls_builder *c = with_scheme(test_client_builder(), "mldsa44");
    assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    test_pair_make(&p, test_finish(c), test_finish(test_server_builder_with(&id)), NULL);
    test_pair_run(&p);
    assert_int_equal(p.server.next, CLEAT_TLS_FAILED);
    assert_int_equal(cleat_tls_error(p.server.tls)->alert, 40);
    test_pair_drop(&p);
    test_identity_drop(&id);
}

static void test_a_wrong_signature_is_refused(void **state)
{
    need_ml_dsa();
    struct test_identity id;
    struct test_pair p;
    struct test_edit edit = {.type = CL_HT_CERTIFICATE_VERIFY, .edit = test_edit_flip, .ext = 600};
    make_identity(&id, CL_KEY_ML_DSA_87, false);
    struct cleat_tls_builder *s = test_server_builder_with(&id);
    test_builder_edit(s, &edit);
    test_pair_make(&p, test_finish(with_scheme(test_client_builder(), "mldsa87")), test_finish(s),
                   NULL);
    test_pair_run(&p);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_DECRYPT_ERROR, 51);
    test_pair_drop(&p);
    test_identity_drop(&id);
}

/* Where it is missing the names are unknown, the numbers too, and no key can be made. */
static void test_without_it_nothing_is_promised(void **state)
{
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *b = test_client_builder();
        struct cleat_key *key = NULL;
        bool has = cl_ml_dsa_available();
        int r = cleat_tls_builder_signatures(b, rows[i].scheme);
        assert_int_equal(r, has ? CLEAT_OK : CLEAT_ERR_BAD_CONFIG);
        assert_int_equal(cl_sig_scheme(rows[i].number) != NULL, has);
        r = cl_key_generate(&key, rows[i].type, 0);
        assert_int_equal(r, has ? CLEAT_OK : CLEAT_ERR_UNSUPPORTED);
        cleat_key_free(key);
        cleat_tls_builder_free(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_server_and_a_client_prove_themselves_by_each_size),
        cmocka_unit_test(test_it_is_used_only_where_the_client_names_it),
        cmocka_unit_test(test_it_is_not_for_tls_12),
        cmocka_unit_test(test_a_wrong_signature_is_refused),
        cmocka_unit_test(test_without_it_nothing_is_promised),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
