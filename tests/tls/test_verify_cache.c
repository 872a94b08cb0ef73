/* tests/tls/test_verify_cache.c - connections whose peer shows a chain that was verified before:
 * what is saved, and what is demanded all the same. */
#include <string.h>

#include "cleat/tls_options.h"
#include "tls/support_tls.h"
#include "tls/wire.h"

static const uint16_t versions[] = {CLEAT_TLS_1_2, CLEAT_TLS_1_3};

static struct cleat_verify_cache *new_cache(void)
{
    struct cleat_verify_cache *cache;
    assert_int_equal(cleat_verify_cache_new(0, 0, &cache), CLEAT_OK);
    return cache;
}

static struct cleat_tls_builder *client(uint16_t version, const struct test_identity *id)
{
    struct cleat_tls_builder *b = test_client_builder();
    assert_int_equal(cleat_tls_builder_versions(b, version, version), CLEAT_OK);
    if (id != NULL) {
        assert_int_equal(cleat_tls_builder_credential(b, id->chain, id->key), CLEAT_OK);
    }
    return b;
}

static struct cleat_tls_builder *server(struct cleat_verify_cache *cache)
{
    struct cleat_tls_builder *b = test_server_builder();
    assert_int_equal(cleat_tls_builder_trust(b, world.ca.store), CLEAT_OK);
    cleat_tls_builder_client_auth(b, CLEAT_CLIENT_AUTH_REQUIRED);
    cleat_tls_builder_verify_cache(b, cache);
    return b;
}

static bool remembered(const struct test_end *e)
{
    const struct cleat_verdict *verdict = cleat_tls_verdict(e->tls);
    assert_non_null(verdict);
    assert_int_equal(cleat_verdict_code(verdict), CLEAT_OK);
    return cleat_verdict_remembered(verdict, NULL);
}

static void test_a_client_that_comes_again_costs_one_signature_check_less(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct cleat_verify_cache *cache = new_cache();
        struct cleat_tls_config *s = test_finish(server(cache));
        size_t num_jobs[2];
        for (int again = 0; again < 2; again++) {
            struct test_pair p;
            test_pair_make(&p, test_finish(client(versions[i], &world.client)),
                           cleat_tls_config_ref(s), NULL);
            test_pair_run(&p);
            test_assert_ready(&p);
            assert_true(test_info(&p.server).peer_authenticated);
            assert_int_equal(remembered(&p.server), again);
            assert_int_equal(test_log_has(&p.server, "the same chain was verified before"), again);
            num_jobs[again] = p.server.num_jobs;
            test_assert_echo(&p);
            test_pair_drop(&p);
        }
        assert_int_equal(num_jobs[1], num_jobs[0] - 1);
        cleat_tls_config_free(s);
        cleat_verify_cache_free(cache);
    }
}

static void test_a_client_remembers_a_server_by_its_name(void **state)
{
    static const char *const names[] = {"localhost", "other.test"};
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct cleat_verify_cache *cache = new_cache();
        struct cleat_tls_builder *b = client(versions[i], NULL);
        struct test_identity both;
        test_identity_make(&both, &world.ca, CL_KEY_EC_P256, names, 2, false);
        cleat_tls_builder_verify_cache(b, cache);
        struct cleat_tls_config *c = test_finish(b);
        struct cleat_tls_config *s = test_finish(test_server_builder_with(&both));
        for (size_t k = 0; k < 4; k++) {
            struct test_pair p;
            test_pair_make_for(&p, names[k % 2], cleat_tls_config_ref(c), cleat_tls_config_ref(s),
                               NULL);
            test_pair_run(&p);
            test_assert_ready(&p);
            assert_int_equal(remembered(&p.client), k >= 2);
            test_pair_drop(&p);
        }
        cleat_tls_config_free(c);
        cleat_tls_config_free(s);
        test_identity_drop(&both);
        cleat_verify_cache_free(cache);
    }
}

/* The chain is known; who shows it still has to prove that the key is his. */
static void test_a_remembered_chain_without_its_key_is_refused(void **state)
{
    struct cleat_verify_cache *cache = new_cache();
    struct cleat_tls_config *s = test_finish(server(cache));
    for (int steals = 0; steals < 2; steals++) {
        struct cleat_tls_builder *b = client(CLEAT_TLS_1_3, &world.client);
        struct test_edit edit = {
            .type = CL_HT_CERTIFICATE_VERIFY, .edit = test_edit_flip, .ext = 20};
        struct test_pair p;
        if (steals != 0) {
            test_builder_edit(b, &edit);
        }
        test_pair_make(&p, test_finish(b), cleat_tls_config_ref(s), NULL);
        test_pair_run(&p);
        if (steals != 0) {
            test_assert_failed(&p.server, &p.client, CLEAT_ERR_DECRYPT_ERROR, 51);
        } else {
            test_assert_ready(&p);
        }
        test_pair_drop(&p);
    }
    cleat_tls_config_free(s);
    cleat_verify_cache_free(cache);
}

static void test_another_configuration_with_other_anchors_is_not_fooled(void **state)
{
    struct cleat_verify_cache *cache = new_cache();
    struct test_ca other;
    test_ca_make(&other, "another CA");
    for (int is_other = 0; is_other < 2; is_other++) {
        struct cleat_tls_builder *b = server(cache);
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_trust(b, is_other != 0 ? other.store : world.ca.store),
                         CLEAT_OK);
        test_pair_make(&p, test_finish(client(CLEAT_TLS_1_3, &world.client)), test_finish(b), NULL);
        test_pair_run(&p);
        if (is_other != 0) {
            test_assert_failed(&p.server, &p.client, CLEAT_ERR_UNKNOWN_ISSUER, 48);
        } else {
            test_assert_ready(&p);
        }
        test_pair_drop(&p);
    }
    test_ca_drop(&other);
    cleat_verify_cache_free(cache);
}

static void test_a_certificate_that_has_expired_meanwhile_is_refused(void **state)
{
    static const char *const names[] = {"client.test"};
    struct cleat_verify_cache *cache = new_cache();
    struct cleat_tls_config *s = test_finish(server(cache));
    struct test_identity brief;
    test_identity_until(&brief, &world.ca, names, 1, true, (int64_t)(TEST_NOW_MS / 1000) + 60);
    for (int i = 0; i < 3; i++) {
        struct test_pair p;
        world.now_ms = TEST_NOW_MS + (i == 0 ? 0 : i == 1 ? 60000 : 61000);
        test_pair_make(&p, test_finish(client(CLEAT_TLS_1_3, &brief)), cleat_tls_config_ref(s),
                       NULL);
        test_pair_run(&p);
        if (i == 2) {
            test_assert_failed(&p.server, &p.client, CLEAT_ERR_CERT_EXPIRED, 45);
        } else {
            test_assert_ready(&p);
            assert_int_equal(remembered(&p.server), i == 1);
        }
        test_pair_drop(&p);
    }
    world.now_ms = TEST_NOW_MS;
    test_identity_drop(&brief);
    cleat_tls_config_free(s);
    cleat_verify_cache_free(cache);
}

static void test_without_a_cache_every_chain_is_verified(void **state)
{
    struct cleat_verify_cache *cache = new_cache();
    struct cleat_tls_builder *b = server(cache);
    cleat_tls_builder_verify_cache(b, NULL);
    struct cleat_tls_config *s = test_finish(b);
    for (int i = 0; i < 2; i++) {
        struct test_pair p;
        test_pair_make(&p, test_finish(client(CLEAT_TLS_1_3, &world.client)),
                       cleat_tls_config_ref(s), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_false(remembered(&p.server));
        test_pair_drop(&p);
    }
    cleat_tls_config_free(s);
    cleat_verify_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_client_that_comes_again_costs_one_signature_check_less),
        cmocka_unit_test(test_a_client_remembers_a_server_by_its_name),
        cmocka_unit_test(test_a_remembered_chain_without_its_key_is_refused),
        cmocka_unit_test(test_another_configuration_with_other_anchors_is_not_fooled),
        cmocka_unit_test(test_a_certificate_that_has_expired_meanwhile_is_refused),
        cmocka_unit_test(test_without_a_cache_every_chain_is_verified),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
