/* tests/tls/test_psk_12.c - external PSKs in TLS 1.2 (RFC 8442, RFC 5489, RFC 4279): by suites that
 * are named, with raw PSKs, and only where both ends have the same one. */
#include "tls/support_tls.h"

#include <string.h>

#include "cleat/profile.h"
#include "cleat/tls_options.h"
#include "cleat/tls_psk.h"
#include "tls/suite.h"
#include "tls/wire.h"

static const uint8_t key_a[32] = {1, 2, 3};
static const uint8_t key_b[32] = {4, 5, 6};

static void add_psk(struct cleat_tls_builder *b, const char *identity, const uint8_t *key)
{
    const struct cleat_psk psk = {.identity = (const uint8_t *)identity,
                                  .identity_len = strlen(identity),
                                  .key = key,
                                  .key_len = 32};
    assert_int_equal(cleat_tls_builder_psk(b, &psk), CLEAT_OK);
}

/* A server has no certificate. */
static struct cleat_tls_builder *bare(enum cleat_role role, const char *suites)
{
    struct cleat_tls_builder *b =
        role == CLEAT_SERVER ? test_server_builder_with(NULL) : test_client_builder();
    assert_int_equal(cleat_tls_builder_profile(b, "legacy"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_versions(b, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_ciphers(b, suites), CLEAT_OK);
    return b;
}

static struct cleat_tls_builder *with_psk(enum cleat_role role, const char *suites)
{
    struct cleat_tls_builder *b = bare(role, suites);
    add_psk(b, "a device", key_a);
    return b;
}

static void run(struct test_pair *p, struct cleat_tls_builder *c, struct cleat_tls_builder *s)
{
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
    test_pair_run(p);
}

static const char *const suites[] = {
    "ECDHE-PSK-AES128-GCM-SHA256", "ECDHE-PSK-AES256-GCM-SHA384", "ECDHE-PSK-CHACHA20-POLY1305",
    "ECDHE-PSK-AES128-CBC-SHA",    "ECDHE-PSK-AES256-CBC-SHA",    "ECDHE-PSK-AES128-CBC-SHA256",
    "ECDHE-PSK-AES256-CBC-SHA384", "PSK-AES128-GCM-SHA256",       "PSK-AES256-GCM-SHA384",
    "PSK-CHACHA20-POLY1305",       "PSK-AES128-CBC-SHA",          "PSK-AES256-CBC-SHA",
    "PSK-AES128-CBC-SHA256",       "PSK-AES256-CBC-SHA384",
};

static void test_a_handshake_by_each_suite(void **state)
{
    for (size_t i = 0; i < TEST_LEN(suites); i++) {
        for (int hint = 0; hint < 2; hint++) {
            struct cleat_tls_builder *s = with_psk(CLEAT_SERVER, suites[i]);
            struct test_pair p;
            size_t len;
            if (hint) {
                assert_int_equal(cleat_tls_builder_psk_hint(s, (const uint8_t *)"which?", 6),
                                 CLEAT_OK);
            }
            run(&p, with_psk(CLEAT_CLIENT, suites[i]), s);
            test_assert_ready(&p);
            assert_int_equal(test_info(&p.client).cipher,
                             cl_suite_by_name(suites[i], strlen(suites[i]))->id);
            assert_memory_equal(cleat_tls_psk_identity(p.server.tls, &len), "a device", 8);
            assert_memory_equal(cleat_tls_psk_identity(p.client.tls, &len), "a device", 8);
            assert_false(test_info(&p.client).peer_authenticated); /* which is of certificates */
            test_assert_echo(&p);
            test_pair_drop(&p);
        }
    }
}

static void test_only_aead_with_ecdhe_may_be_named_without_the_profile_legacy(void **state)
{
    for (size_t i = 0; i < TEST_LEN(suites); i++) {
        struct cleat_tls_builder *b;
        assert_int_equal(cleat_tls_builder_new(CLEAT_CLIENT, &b), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_ciphers(b, suites[i]),
                         i < 3 ? CLEAT_OK : CLEAT_ERR_BAD_CONFIG);
        cleat_tls_builder_free(b);
    }
}

static void test_an_unknown_identity_is_told(void **state)
{
    struct cleat_tls_builder *c = bare(CLEAT_CLIENT, suites[0]);
    struct test_pair p;
    add_psk(c, "another device", key_a);
    run(&p, c, with_psk(CLEAT_SERVER, suites[0]));
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_UNKNOWN_PSK, 115);
    test_pair_drop(&p);
}

static void test_another_key_fails_at_finished(void **state)
{
    for (size_t i = 0; i < TEST_LEN(suites); i++) {
        struct cleat_tls_builder *c = bare(CLEAT_CLIENT, suites[i]);
        struct test_pair p;
        add_psk(c, "a device", key_b);
        run(&p, c, with_psk(CLEAT_SERVER, suites[i]));
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_BAD_RECORD_MAC, 20);
        test_pair_drop(&p);
    }
}

static void test_without_a_psk_the_suites_are_not_offered_or_taken(void **state)
{
    struct test_pair p;
    struct cleat_tls_builder *c = test_client_builder();
    assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    assert_int_equal(
        cleat_tls_builder_ciphers(c, "ECDHE-PSK-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"),
        CLEAT_OK);
    struct cleat_tls_builder *s = test_server_builder();
    assert_int_equal(
        cleat_tls_builder_ciphers(s, "ECDHE-PSK-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"),
        CLEAT_OK);
    add_psk(s, "a device", key_a);
    run(&p, c, s);
    test_assert_ready(&p);
    assert_string_equal(test_info(&p.client).cipher_name,
                        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
    test_pair_drop(&p);
}

static void test_an_imported_psk_is_for_tls_13_alone(void **state)
{
    const struct cleat_psk psk = {
        .identity = (const uint8_t *)"a device", .identity_len = 8, .key = key_a, .key_len = 32};
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_psk_imported(s, &psk), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_ciphers(s, suites[0]), CLEAT_OK);
    run(&p, with_psk(CLEAT_CLIENT, suites[0]), s);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_NO_SHARED_CIPHER, 40);
    test_pair_drop(&p);
}

static void test_a_required_client_certificate_is_not_replaced_by_a_psk(void **state)
{
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_ciphers(s, suites[0]), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
    add_psk(s, "a device", key_a);
    run(&p, with_psk(CLEAT_CLIENT, suites[0]), s);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_NO_SHARED_CIPHER, 40);
    test_pair_drop(&p);
}

static void test_an_optional_client_certificate_is_not_asked_for_beside_a_psk(void **state)
{
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_ciphers(s, suites[0]), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_OPTIONAL);
    add_psk(s, "a device", key_a);
    run(&p, with_psk(CLEAT_CLIENT, suites[0]), s);
    test_assert_ready(&p);
    assert_int_equal(test_count_messages(&p.client, false, CL_HT_CERTIFICATE_REQUEST), 0);
    test_pair_drop(&p);
}

/* A session goes back to a PSK; when the server does not know that any more, neither the session.
 */
static void test_a_session_lives_as_long_as_its_psk_is_known(void **state)
{
    for (int known = 0; known < 2; known++) {
        struct cleat_ticket_keys *keys;
        struct cleat_tls_builder *s = with_psk(CLEAT_SERVER, suites[0]);
        struct cleat_tls_builder *later = bare(CLEAT_SERVER, suites[0]);
        struct cleat_tls_config *client = test_finish(with_psk(CLEAT_CLIENT, suites[0]));
        struct test_pair p;
        size_t len;
        assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_tickets(later, keys, 1), CLEAT_OK);
        add_psk(later, known ? "a device" : "another", known ? key_a : key_b);
        test_pair_make(&p, cleat_tls_config_ref(client), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        struct cleat_tls_session *session = cleat_tls_take_session(p.client.tls);
        assert_non_null(session);
        test_pair_drop(&p);
        test_pair_make(&p, client, test_finish(later), session);
        test_pair_run(&p);
        if (known) {
            test_assert_ready(&p);
            assert_true(test_info(&p.server).resumed);
            assert_memory_equal(cleat_tls_psk_identity(p.server.tls, &len), "a device", 8);
        } else {
            assert_string_equal(p.server.log.ticket, "refused: its PSK is not known any more");
            test_assert_failed(&p.server, &p.client, CLEAT_ERR_UNKNOWN_PSK, 115);
        }
        test_pair_drop(&p);
        cleat_tls_session_free(session);
        cleat_ticket_keys_free(keys);
    }
}

static void test_malformed_key_exchange_messages_are_refused(void **state)
{
    static const struct {
        uint8_t type;
        const char *suite;
        const char *hex;
    } rows[] = {
        {CL_HT_SERVER_KEY_EXCHANGE, "ECDHE-PSK-AES128-GCM-SHA256", ""},
        {CL_HT_SERVER_KEY_EXCHANGE, "ECDHE-PSK-AES128-GCM-SHA256", "0001"},
        {CL_HT_SERVER_KEY_EXCHANGE, "ECDHE-PSK-AES128-GCM-SHA256", "0000"},
        {CL_HT_SERVER_KEY_EXCHANGE, "ECDHE-PSK-AES128-GCM-SHA256", "000003001d00"},
        {CL_HT_SERVER_KEY_EXCHANGE, "ECDHE-PSK-AES128-GCM-SHA256", "000003001d010100"},
        {CL_HT_CLIENT_KEY_EXCHANGE, "ECDHE-PSK-AES128-GCM-SHA256", "00"},
        {CL_HT_CLIENT_KEY_EXCHANGE, "ECDHE-PSK-AES128-GCM-SHA256", "0008612064657669636500"},
        {CL_HT_CLIENT_KEY_EXCHANGE, "PSK-AES128-GCM-SHA256", "0008612064657669636500"},
        {CL_HT_CLIENT_KEY_EXCHANGE, "PSK-AES128-GCM-SHA256", "00096120646576696365"},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_edit edit = {.type = rows[i].type, .edit = test_edit_body, .hex = rows[i].hex};
        bool by_server = rows[i].type == CL_HT_SERVER_KEY_EXCHANGE;
        struct cleat_tls_builder *c = with_psk(CLEAT_CLIENT, rows[i].suite);
        struct cleat_tls_builder *s = with_psk(CLEAT_SERVER, rows[i].suite);
        struct test_pair p;
        test_builder_edit(by_server ? s : c, &edit);
        run(&p, c, s);
        test_assert_failed(by_server ? &p.client : &p.server, by_server ? &p.server : &p.client,
                           CLEAT_ERR_DECODE, 50);
        test_pair_drop(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_handshake_by_each_suite),
        cmocka_unit_test(test_only_aead_with_ecdhe_may_be_named_without_the_profile_legacy),
        cmocka_unit_test(test_an_unknown_identity_is_told),
        cmocka_unit_test(test_another_key_fails_at_finished),
        cmocka_unit_test(test_without_a_psk_the_suites_are_not_offered_or_taken),
        cmocka_unit_test(test_an_imported_psk_is_for_tls_13_alone),
        cmocka_unit_test(test_a_required_client_certificate_is_not_replaced_by_a_psk),
        cmocka_unit_test(test_an_optional_client_certificate_is_not_asked_for_beside_a_psk),
        cmocka_unit_test(test_a_session_lives_as_long_as_its_psk_is_known),
        cmocka_unit_test(test_malformed_key_exchange_messages_are_refused),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
