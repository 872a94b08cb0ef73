/* tests/tls/test_identity.c - who may come in: asked of the application once the chain is verified,
 * in either role and version; what it learns about the peer; resumption keeps the identity. */
#include "tls/support_tls.h"

#include <string.h>

static void expect_client_identity(const struct cleat_cert *leaf)
{
    char text[128];
    enum cleat_san_kind kind;
    uint8_t ours[32], theirs[32];
    assert_non_null(leaf);
    assert_true(cleat_cert_subject(leaf, text, sizeof(text)) > 0);
    assert_string_equal(text, "CN=client.example.test");
    assert_true(cleat_cert_issuer(leaf, text, sizeof(text)) > 0);
    assert_string_equal(text, "CN=Test CA");
    assert_true(cleat_cert_san(leaf, 0, &kind, text, sizeof(text)));
    assert_string_equal(text, "client.example.test");
    cleat_cert_fingerprint(cleat_chain_at(world.client.chain, 0), ours);
    cleat_cert_fingerprint(leaf, theirs);
    assert_memory_equal(ours, theirs, 32);
}

static struct cleat_tls_builder *server_with(uint16_t version, unsigned decisions)
{
    struct cleat_tls_builder *s = test_server_builder();
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
    assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_versions(s, version, version), CLEAT_OK);
    cleat_tls_builder_decide(s, decisions);
    return s;
}

static struct cleat_tls_builder *client_with(uint16_t version, unsigned decisions)
{
    struct cleat_tls_builder *c = test_client_builder();
    assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                     CLEAT_OK);
    assert_int_equal(cleat_tls_builder_versions(c, version, version), CLEAT_OK);
    cleat_tls_builder_decide(c, decisions);
    return c;
}

static void decide(uint16_t version, bool server_decides, bool accept)
{
    struct test_pair p;
    test_pair_make(&p,
                   test_finish(client_with(version, server_decides ? CLEAT_DECIDE_NOTHING
                                                                   : CLEAT_DECIDE_IDENTITY)),
                   test_finish(server_with(version, server_decides ? CLEAT_DECIDE_IDENTITY
                                                                   : CLEAT_DECIDE_NOTHING)),
                   NULL);
    struct test_end *decides = server_decides ? &p.server : &p.client;
    assert_null(cleat_tls_peer_leaf(decides->tls));
    test_pair_run(&p);
    assert_int_equal(decides->next, CLEAT_TLS_NEEDS_DECISION);
    assert_int_equal(cleat_tls_decision(decides->tls), CLEAT_DECIDE_IDENTITY);
    /* it has been verified already */
    assert_int_equal(cleat_verdict_code(cleat_tls_verdict(decides->tls)), CLEAT_OK);
    if (server_decides) {
        expect_client_identity(cleat_tls_peer_leaf(decides->tls));
    }
    if (accept) {
        assert_int_equal(cleat_tls_accept_peer(decides->tls), CLEAT_OK);
        test_pair_run(&p);
        test_assert_ready(&p);
        test_assert_echo(&p);
        expect_client_identity(cleat_tls_peer_leaf(p.server.tls));
        cleat_tls_forget(p.server.tls);
        assert_null(cleat_tls_peer_leaf(p.server.tls));
    } else {
        assert_int_equal(cleat_tls_refuse(decides->tls, 49, "not on the list"), CLEAT_OK);
        test_pair_run(&p);
        test_assert_failed(decides, server_decides ? &p.client : &p.server, CLEAT_ERR_REFUSED, 49);
    }
    test_pair_drop(&p);
}

static void test_the_application_says_who_may_come_in(void **state)
{
    for (int i = 0; i < 8; i++) {
        decide((i & 1) != 0 ? CLEAT_TLS_1_3 : CLEAT_TLS_1_2, (i & 2) != 0, (i & 4) != 0);
    }
}

static void test_a_chain_that_does_not_verify_is_never_asked_about(void **state)
{
    struct test_ca other;
    struct test_identity stranger = {0};
    struct test_pair p;
    static const char *const names[] = {"client.example.test"};
    test_ca_make(&other, "Other CA");
    test_identity_make(&stranger, &other, CL_KEY_EC_P256, names, 1, true);
    struct cleat_tls_builder *c = test_client_builder();
    assert_int_equal(cleat_tls_builder_credential(c, stranger.chain, stranger.key), CLEAT_OK);
    test_pair_make(&p, test_finish(c),
                   test_finish(server_with(CLEAT_TLS_1_3, CLEAT_DECIDE_IDENTITY)), NULL);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_UNKNOWN_ISSUER, 48);
    assert_null(cleat_tls_peer_leaf(p.server.tls));
    test_pair_drop(&p);
    test_identity_drop(&stranger);
    test_ca_drop(&other);
}

static void test_a_resumed_session_has_the_same_identity(void **state)
{
    struct cleat_ticket_keys *keys;
    struct test_pair p;
    struct cleat_tls_builder *s = server_with(CLEAT_TLS_1_3, CLEAT_DECIDE_NOTHING);
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
    cleat_ticket_keys_free(keys);
    struct cleat_tls_config *server = test_finish(s);
    struct cleat_tls_config *client = test_finish(client_with(CLEAT_TLS_1_3, CLEAT_DECIDE_NOTHING));
    test_pair_make(&p, cleat_tls_config_ref(client), cleat_tls_config_ref(server), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    struct cleat_tls_session *session = cleat_tls_take_session(p.client.tls);
    assert_non_null(session);
    test_pair_drop(&p);
    test_pair_make(&p, client, server, session);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_true(test_info(&p.server).resumed);
    expect_client_identity(cleat_tls_peer_leaf(p.server.tls));
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_application_says_who_may_come_in),
        cmocka_unit_test(test_a_chain_that_does_not_verify_is_never_asked_about),
        cmocka_unit_test(test_a_resumed_session_has_the_same_identity),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
