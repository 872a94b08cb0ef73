/* tests/tls/test_choice.c - what two ends agree on beyond keys: application protocol, certificate
 * by name and by signature algorithms, decisions of the application, exporters. */
#include "tls/support_tls.h"

#include <string.h>

#include "x509/chain.h"

/* ---- ALPN ---- */

static void test_the_servers_first_common_protocol_is_agreed(void **state)
{
    static const struct {
        const char *client[3];
        const char *server[3];
        const char *agreed; /* NULL: none */
    } rows[] = {
        {{"h2", "http/1.1", NULL}, {"http/1.1", "h2", NULL}, "http/1.1"},
        {{"h2", "http/1.1", NULL}, {"h2", NULL}, "h2"},
        {{"h2", NULL}, {NULL}, NULL},
        {{NULL}, {"h2", NULL}, NULL},
        {{NULL}, {NULL}, NULL},
        {{"h", "h2", NULL}, {"h2", "h", NULL}, "h2"},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *b[] = {test_client_builder(), test_server_builder()};
        const char *const *lists[] = {rows[i].client, rows[i].server};
        struct test_pair p;
        for (int k = 0; k < 2; k++) {
            size_t num = 0;
            while (lists[k][num] != NULL) {
                num++;
            }
            assert_int_equal(cleat_tls_builder_alpn(b[k], lists[k], num), CLEAT_OK);
        }
        test_pair_make(&p, test_finish(b[0]), test_finish(b[1]), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        if (rows[i].agreed == NULL) {
            assert_null(test_info(&p.client).alpn);
            assert_null(test_info(&p.server).alpn);
        } else {
            assert_string_equal(test_info(&p.client).alpn, rows[i].agreed);
            assert_string_equal(test_info(&p.server).alpn, rows[i].agreed);
        }
        test_pair_drop(&p);
    }
}

static void test_without_a_common_protocol_the_server_refuses(void **state)
{
    static const char *const theirs[] = {"h2", "h2c"};
    static const char *const ours[] = {"http/1.1", "h"};
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_alpn(c, theirs, 2), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_alpn(s, ours, 2), CLEAT_OK);
    test_pair_make(&p, test_finish(c), test_finish(s), NULL);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_NO_SHARED_ALPN, 120);
    test_pair_drop(&p);
}

static void test_protocol_names_that_cannot_be_are_refused_by_the_builder(void **state)
{
    static const char *const empty[] = {"h2", ""};
    char long_name[257];
    const char *const too_long[] = {long_name};
    struct cleat_tls_builder *b = test_client_builder();
    assert_int_equal(cleat_tls_builder_alpn(b, empty, 2), CLEAT_ERR_BAD_CONFIG);
    cleat_tls_builder_free(b);
    memset(long_name, 'a', 256);
    long_name[256] = '\0';
    b = test_client_builder();
    assert_int_equal(cleat_tls_builder_alpn(b, too_long, 1), CLEAT_ERR_BAD_CONFIG);
    cleat_tls_builder_free(b);
}

/* ---- certificates by name ---- */

static struct test_identity plain, wild, rsa, ecdsa;

static struct cleat_tls_config *many_names(void)
{
    struct cleat_tls_builder *b = test_server_builder();
    assert_int_equal(cleat_tls_builder_credential(b, plain.chain, plain.key), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_credential(b, wild.chain, wild.key), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_credential(b, rsa.chain, rsa.key), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_credential(b, ecdsa.chain, ecdsa.key), CLEAT_OK);
    return test_finish(b);
}

static int make_many(void **state)
{
    static const char *const plain_names[] = {"a.example.test", "b.example.test"};
    static const char *const wild_names[] = {"*.wild.test"};
    static const char *const both_names[] = {"both.example.test"};
    int r = test_world_setup(state);
    test_identity_make(&plain, &world.ca, CL_KEY_EC_P256, plain_names, 2, false);
    test_identity_make(&wild, &world.ca, CL_KEY_EC_P256, wild_names, 1, false);
    test_identity_make(&rsa, &world.ca, CL_KEY_RSA, both_names, 1, false);
    test_identity_make(&ecdsa, &world.ca, CL_KEY_EC_P384, both_names, 1, false);
    return r;
}

static int drop_many(void **state)
{
    test_identity_drop(&plain);
    test_identity_drop(&wild);
    test_identity_drop(&rsa);
    test_identity_drop(&ecdsa);
    return test_world_teardown(state);
}

static void assert_served(const struct test_pair *p, const struct test_identity *id)
{
    const uint8_t *der;
    size_t len;
    struct cl_rd want = cl_cert_der(cl_chain_at(id->chain, 0));
    assert_int_equal(cleat_tls_peer_cert(p->client.tls, 0, &der, &len), CLEAT_OK);
    assert_int_equal(len, want.len);
    assert_memory_equal(der, want.p, len);
    assert_int_equal(cleat_tls_own_cert(p->server.tls, 0, &der, &len), CLEAT_OK);
    assert_int_equal(len, want.len);
    assert_memory_equal(der, want.p, len);
    assert_int_equal(cleat_tls_own_cert(p->server.tls, cleat_chain_num(id->chain), &der, &len),
                     CLEAT_ERR_NO_CERTIFICATE);
    assert_int_equal(cleat_tls_own_cert(p->client.tls, 0, &der, &len), CLEAT_ERR_NO_CERTIFICATE);
}

static void test_the_name_chooses_the_certificate(void **state)
{
    static const struct {
        const char *host;
        const struct test_identity *id;
    } rows[] = {
        {"localhost", &world.server},
        {"www.example.test", &world.server},
        {"WWW.Example.TEST", &world.server},
        {"a.example.test", &plain},
        {"b.example.test.", &plain},
        {"B.EXAMPLE.test", &plain},
        {"x.wild.test", &wild},
        {"X.Wild.Test", &wild},
        {"both.example.test", &ecdsa},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_pair p;
        test_pair_make_for(&p, rows[i].host, test_client_config(), many_names(), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_served(&p, rows[i].id);
        test_pair_drop(&p);
    }
}

static void test_a_name_that_no_certificate_covers_gets_the_first(void **state)
{
    static const char *const hosts[] = {"nobody.example.test", "a.b.wild.test", "wild.test"};
    for (size_t i = 0; i < TEST_LEN(hosts); i++) {
        struct test_pair p;
        test_pair_make_for(&p, hosts[i], test_client_config(), many_names(), NULL);
        test_pair_run(&p);
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_NAME_MISMATCH, 42);
        assert_true(test_log_has(&p.server, "no certificate is for this name"));
        test_pair_drop(&p);
    }
}

static void test_an_address_is_not_sent_as_a_name(void **state)
{
    static const char *const hosts[] = {"127.0.0.1", "::1"};
    for (size_t i = 0; i < TEST_LEN(hosts); i++) {
        struct cleat_tls_builder *c = test_client_builder();
        struct test_pair p;
        cleat_tls_builder_decide(c, CLEAT_DECIDE_PEER);
        test_pair_make_for(&p, hosts[i], test_finish(c), many_names(), NULL);
        test_pair_run(&p);
        assert_int_equal(p.client.next, CLEAT_TLS_NEEDS_DECISION);
        assert_int_equal(cleat_tls_accept_peer(p.client.tls), CLEAT_OK);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_null(test_info(&p.server).server_name);
        test_pair_drop(&p);
    }
}

static void test_names_that_are_none_are_refused_at_once(void **state)
{
    static const char *const hosts[] = {"", ".", "a b", "a..b", "-a.test", "ex\xc3\xa4mple", "a/b"};
    struct cleat_tls_config *config = test_client_config();
    for (size_t i = 0; i < TEST_LEN(hosts); i++) {
        struct cleat_tls *tls = NULL;
        if (cleat_tls_client_new(config, hosts[i], NULL, NULL, &tls) != CLEAT_ERR_USAGE) {
            fail_msg("\"%s\" was taken as a name", hosts[i]);
        }
    }
    cleat_tls_config_free(config);
}

static void test_the_clients_signature_algorithms_choose_the_certificate(void **state)
{
    static const struct {
        const char *list;
        const struct test_identity *id;
        const char *scheme;
    } rows[] = {
        {"rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256", &rsa, "rsa_pss_rsae_sha256"},
        {"rsa_pss_rsae_sha512:ecdsa_secp256r1_sha256", &rsa, "rsa_pss_rsae_sha512"},
        {"ecdsa_secp384r1_sha384:rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256", &ecdsa,
         "ecdsa_secp384r1_sha384"},
        {"rsa_pss_rsae_sha256:ecdsa_secp384r1_sha384:ecdsa_secp256r1_sha256", &ecdsa,
         "ecdsa_secp384r1_sha384"},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *c = test_client_builder();
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_signatures(c, rows[i].list), CLEAT_OK);
        test_pair_make_for(&p, "both.example.test", test_finish(c), many_names(), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_served(&p, rows[i].id);
        assert_string_equal(test_info(&p.client).signature_name, rows[i].scheme);
        assert_string_equal(test_info(&p.server).signature_name, rows[i].scheme);
        test_pair_drop(&p);
    }
}

static void test_without_a_fitting_key_the_server_says_so(void **state)
{
    static const char *const lists[] = {"ed25519", "rsa_pss_pss_sha256",
                                        "rsa_pkcs1_sha256:rsa_pkcs1_sha512"};
    for (size_t i = 0; i < TEST_LEN(lists); i++) {
        struct cleat_tls_builder *c = test_client_builder();
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_signatures(c, lists[i]), CLEAT_OK);
        test_pair_make_for(&p, "both.example.test", test_finish(c), many_names(), NULL);
        test_pair_run(&p);
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_NO_SHARED_SIGNATURE, 40);
        test_pair_drop(&p);
    }
}

/* ---- decisions ---- */

static struct cleat_tls_config *asking_server(void)
{
    struct cleat_tls_builder *b = test_server_builder();
    cleat_tls_builder_decide(b, CLEAT_DECIDE_CONFIG);
    return test_finish(b);
}

static void test_the_application_chooses_the_configuration(void **state)
{
    static const char *const protocols[] = {"h2"};
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_client_hello hello;
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_alpn(c, protocols, 1), CLEAT_OK);
    test_pair_make_for(&p, "A.example.test", test_finish(c), asking_server(), NULL);
    test_pair_run(&p);
    assert_int_equal(p.server.next, CLEAT_TLS_NEEDS_DECISION);
    assert_int_equal(cleat_tls_decision(p.server.tls), CLEAT_DECIDE_CONFIG);
    assert_int_equal(cleat_tls_client_hello(p.server.tls, &hello), CLEAT_OK);
    assert_string_equal(hello.server_name, "a.example.test");
    assert_int_equal(hello.alpn_len, 3);
    assert_memory_equal(hello.alpn, "\2h2", 3);
    struct cl_rd sent = test_message(&p.client, true, 1, 0);
    assert_int_equal(hello.len, sent.len);
    assert_memory_equal(hello.bytes, sent.p, sent.len);
    struct cleat_tls_config *chosen = many_names();
    assert_int_equal(cleat_tls_accept_peer(p.server.tls), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_tls_choose_config(p.server.tls, chosen), CLEAT_OK);
    assert_int_equal(cleat_tls_choose_config(p.server.tls, chosen), CLEAT_ERR_USAGE);
    cleat_tls_config_free(chosen);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_served(&p, &plain);
    test_pair_drop(&p);
}

static void test_the_application_refuses_with_its_alert(void **state)
{
    struct test_pair p;
    test_pair_make(&p, test_client_config(), asking_server(), NULL);
    test_pair_run(&p);
    assert_int_equal(cleat_tls_refuse(p.server.tls, 112, "no such host here"), CLEAT_OK);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_REFUSED, 112);
    assert_string_equal(cleat_tls_error(p.server.tls)->text, "no such host here");
    assert_int_equal(cleat_tls_refuse(p.server.tls, 112, "again"), CLEAT_ERR_USAGE);
    test_pair_drop(&p);
}

static void test_an_undecided_connection_waits(void **state)
{
    struct test_pair p;
    struct cl_buf out = {0};
    test_pair_make(&p, test_client_config(), asking_server(), NULL);
    test_pair_run(&p);
    for (int i = 0; i < 3; i++) {
        test_end_step(&p.server, &out, 0);
        assert_int_equal(p.server.next, CLEAT_TLS_NEEDS_DECISION);
        assert_int_equal(out.len, 0);
    }
    cl_buf_deinit(&out);
    test_pair_drop(&p);
}

/* The peer's chain is the application's to judge, in either role; nothing goes on before it has. */
static void decide_peer(bool server_decides, bool accept)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                     CLEAT_OK);
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
    assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
    cleat_tls_builder_decide(server_decides ? s : c, CLEAT_DECIDE_PEER);
    test_pair_make(&p, test_finish(c), test_finish(s), NULL);
    test_pair_run(&p);
    struct test_end *decides = server_decides ? &p.server : &p.client;
    assert_int_equal(decides->next, CLEAT_TLS_NEEDS_DECISION);
    assert_int_equal(cleat_tls_decision(decides->tls), CLEAT_DECIDE_PEER);
    const uint8_t *der;
    size_t len;
    assert_int_equal(cleat_tls_peer_cert(decides->tls, 0, &der, &len), CLEAT_OK);
    struct cleat_tls_info info;
    assert_int_equal(cleat_tls_info(decides->tls, &info), CLEAT_ERR_USAGE);
    if (accept) {
        assert_int_equal(cleat_tls_accept_peer(decides->tls), CLEAT_OK);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_true(test_info(decides).peer_authenticated);
        assert_null(cleat_tls_verdict(decides->tls));
        test_assert_echo(&p);
    } else {
        assert_int_equal(cleat_tls_refuse(decides->tls, 42, "pin mismatch"), CLEAT_OK);
        test_pair_run(&p);
        test_assert_failed(decides, server_decides ? &p.client : &p.server, CLEAT_ERR_REFUSED, 42);
    }
    test_pair_drop(&p);
}

static void test_the_application_judges_the_peer(void **state)
{
    for (int i = 0; i < 4; i++) {
        decide_peer((i & 1) != 0, (i & 2) != 0);
    }
}

/* ---- exporters ---- */

static void export(const struct test_end *e, const char *label, const char *context, size_t len,
                   uint8_t out[64])
{
    assert_int_equal(
        cleat_tls_export(e->tls, label, (const uint8_t *)context, strlen(context), out, len),
        CLEAT_OK);
}

static void test_exporters_agree_and_depend_on_label_context_and_length(void **state)
{
    struct test_pair p;
    uint8_t client[64] = {0};
    uint8_t server[64] = {0};
    uint8_t other[64] = {0};
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    assert_int_equal(cleat_tls_export(p.client.tls, "EXPORTER-x", NULL, 0, client, 32),
                     CLEAT_ERR_USAGE);
    test_pair_run(&p);
    export(&p.client, "EXPORTER-x", "context", 64, client);
    export(&p.server, "EXPORTER-x", "context", 64, server);
    assert_memory_equal(client, server, 64);
    export(&p.server, "EXPORTER-y", "context", 64, other);
    assert_memory_not_equal(client, other, 64);
    export(&p.server, "EXPORTER-x", "Context", 64, other);
    assert_memory_not_equal(client, other, 64);
    export(&p.server, "EXPORTER-x", "", 64, other);
    assert_memory_not_equal(client, other, 64);
    export(&p.server, "EXPORTER-x", "context", 63, other);
    assert_memory_not_equal(client, other, 32);
    test_pair_drop(&p);
}

static void test_exporters_have_limits(void **state)
{
    static uint8_t big[8161];
    char label[251];
    struct test_pair p;
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    test_pair_run(&p);
    memset(label, 'x', 250);
    label[250] = '\0';
    assert_int_equal(cleat_tls_export(p.client.tls, label, NULL, 0, big, 32), CLEAT_ERR_USAGE);
    label[249] = '\0';
    assert_int_equal(cleat_tls_export(p.client.tls, label, NULL, 0, big, 32), CLEAT_OK);
    assert_int_equal(cleat_tls_export(p.client.tls, "x", NULL, 0, big, 0), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_tls_export(p.client.tls, "x", NULL, 0, big, 8161), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_tls_export(p.client.tls, "x", NULL, 0, big, 8160), CLEAT_OK);
    test_pair_drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_servers_first_common_protocol_is_agreed),
        cmocka_unit_test(test_without_a_common_protocol_the_server_refuses),
        cmocka_unit_test(test_protocol_names_that_cannot_be_are_refused_by_the_builder),
        cmocka_unit_test(test_the_name_chooses_the_certificate),
        cmocka_unit_test(test_a_name_that_no_certificate_covers_gets_the_first),
        cmocka_unit_test(test_an_address_is_not_sent_as_a_name),
        cmocka_unit_test(test_names_that_are_none_are_refused_at_once),
        cmocka_unit_test(test_the_clients_signature_algorithms_choose_the_certificate),
        cmocka_unit_test(test_without_a_fitting_key_the_server_says_so),
        cmocka_unit_test(test_the_application_chooses_the_configuration),
        cmocka_unit_test(test_the_application_refuses_with_its_alert),
        cmocka_unit_test(test_an_undecided_connection_waits),
        cmocka_unit_test(test_the_application_judges_the_peer),
        cmocka_unit_test(test_exporters_agree_and_depend_on_label_context_and_length),
        cmocka_unit_test(test_exporters_have_limits),
    };
    return cmocka_run_group_tests(tests, make_many, drop_many);
}
