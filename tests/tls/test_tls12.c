/* tests/tls/test_tls12.c - whole handshakes of TLS 1.2 between our two ends. */
#include "tls/support_tls.h"

#include <string.h>

#include "crypto/key.h"

static struct cleat_tls_builder *at_12(struct cleat_tls_builder *b)
{
    assert_int_equal(cleat_tls_builder_versions(b, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    return b;
}

static struct cleat_tls_builder *at_both(struct cleat_tls_builder *b)
{
    assert_int_equal(cleat_tls_builder_versions(b, CLEAT_TLS_1_2, CLEAT_TLS_1_3), CLEAT_OK);
    return b;
}

static void assert_echo(struct test_pair *p)
{
    test_write(&p->client, &p->server, "ping", 4);
    test_pair_run(p);
    assert_int_equal(p->server.data.len, 4);
    test_write(&p->server, &p->client, "pong!", 5);
    test_pair_run(p);
    assert_int_equal(p->client.data.len, 5);
    assert_memory_equal(p->client.data.p, "pong!", 5);
}

static struct cleat_tls_info info_of(const struct test_end *e)
{
    struct cleat_tls_info info;
    assert_int_equal(cleat_tls_info(e->tls, &info), CLEAT_OK);
    return info;
}

static void assert_same_export(struct test_pair *p)
{
    uint8_t a[48];
    uint8_t b[48];
    assert_int_equal(cleat_tls_export(p->client.tls, "EXPORTER-x", (const uint8_t *)"c", 1, a, 48),
                     CLEAT_OK);
    assert_int_equal(cleat_tls_export(p->server.tls, "EXPORTER-x", (const uint8_t *)"c", 1, b, 48),
                     CLEAT_OK);
    assert_memory_equal(a, b, 48);
    assert_int_equal(cleat_tls_export(p->server.tls, "EXPORTER-x", NULL, 0, b, 48), CLEAT_OK);
    assert_memory_not_equal(a, b, 48);
}

static void test_a_full_handshake_by_each_suite_and_key(void **state)
{
    static const struct {
        const char *suite;
        enum cl_key_type key;
    } rows[] = {
        {"ECDHE-ECDSA-AES128-GCM-SHA256", CL_KEY_EC_P256},
        {"ECDHE-ECDSA-AES256-GCM-SHA384", CL_KEY_EC_P384},
        {"ECDHE-ECDSA-CHACHA20-POLY1305", CL_KEY_ED25519},
        {"ECDHE-ECDSA-AES128-CCM", CL_KEY_EC_P521},
        {"ECDHE-ECDSA-AES128-CCM8", CL_KEY_EC_P256},
        {"ECDHE-RSA-AES128-GCM-SHA256", CL_KEY_RSA},
        {"ECDHE-RSA-AES256-GCM-SHA384", CL_KEY_RSA},
        {"ECDHE-RSA-CHACHA20-POLY1305", CL_KEY_RSA},
    };
    static const char *const names[] = {"localhost"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct test_identity id;
        struct cleat_tls_builder *s;
        struct cleat_tls_builder *c = at_12(test_client_builder());
        struct test_pair p;
        test_identity_make(&id, &world.ca, rows[i].key, names, 1, false);
        assert_int_equal(cleat_tls_builder_new(CLEAT_SERVER, &s), CLEAT_OK);
        cleat_tls_builder_clock(s, test_clock, NULL);
        (void)at_12(s);
        assert_int_equal(cleat_tls_builder_credential(s, id.chain, id.key), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_ciphers(s, rows[i].suite), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_ciphers(c, rows[i].suite), CLEAT_OK);
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_int_equal(info_of(&p.client).version, CLEAT_TLS_1_2);
        assert_echo(&p);
        assert_same_export(&p);
        test_pair_drop(&p);
        test_identity_drop(&id);
    }
}

static void test_a_server_of_12_alone_answers_a_client_of_both(void **state)
{
    struct test_pair p;
    test_pair_make(&p, test_finish(at_both(test_client_builder())),
                   test_finish(at_12(test_server_builder())), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_int_equal(info_of(&p.server).version, CLEAT_TLS_1_2);
    assert_string_equal(info_of(&p.server).group_name, "X25519");
    assert_echo(&p);
    test_pair_drop(&p);
}

static void test_a_client_of_12_alone_is_served_by_a_server_of_both(void **state)
{
    struct test_pair p;
    test_pair_make(&p, test_finish(at_12(test_client_builder())),
                   test_finish(at_both(test_server_builder())), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_int_equal(info_of(&p.client).version, CLEAT_TLS_1_2);
    test_pair_drop(&p);
}

static void test_mutual_authentication(void **state)
{
    struct cleat_tls_builder *c = at_12(test_client_builder());
    struct cleat_tls_builder *s = at_both(test_server_builder());
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                     CLEAT_OK);
    assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
    test_pair_make(&p, test_finish(c), test_finish(s), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_true(info_of(&p.server).peer_authenticated);
    assert_echo(&p);
    test_pair_drop(&p);
}

static void test_a_missing_client_certificate_is_a_handshake_failure(void **state)
{
    struct cleat_tls_builder *s = at_both(test_server_builder());
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
    test_pair_make(&p, test_finish(at_12(test_client_builder())), test_finish(s), NULL);
    test_pair_run(&p);
    assert_int_equal(cleat_tls_error(p.server.tls)->code, CLEAT_ERR_CERTIFICATE_REQUIRED);
    assert_int_equal(cleat_tls_error(p.server.tls)->alert, 40);
    assert_int_equal(cleat_tls_error(p.client.tls)->code, CLEAT_ERR_PEER_ALERT);
    test_pair_drop(&p);
}

static void test_a_ticket_resumes(void **state)
{
    struct cleat_ticket_keys *keys;
    struct cleat_tls_builder *s = at_both(test_server_builder());
    struct test_pair p;
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_tickets(s, keys, 2), CLEAT_OK);
    struct cleat_tls_config *client = test_finish(at_12(test_client_builder()));
    struct cleat_tls_config *server = test_finish(s);
    test_pair_make(&p, cleat_tls_config_ref(client), cleat_tls_config_ref(server), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    struct cleat_tls_session *session = cleat_tls_take_session(p.client.tls);
    assert_non_null(session);
    test_pair_drop(&p);
    test_pair_make(&p, client, server, session);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_true(info_of(&p.client).resumed);
    assert_true(info_of(&p.server).resumed);
    assert_echo(&p);
    assert_same_export(&p);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
    cleat_ticket_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_handshake_by_each_suite_and_key),
        cmocka_unit_test(test_a_server_of_12_alone_answers_a_client_of_both),
        cmocka_unit_test(test_a_client_of_12_alone_is_served_by_a_server_of_both),
        cmocka_unit_test(test_mutual_authentication),
        cmocka_unit_test(test_a_missing_client_certificate_is_a_handshake_failure),
        cmocka_unit_test(test_a_ticket_resumes),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
