/* tests/tls/test_raw_keys.c - raw public keys (RFC 7250) that are agreed on, shown, judged and
 * resumed, in both roles and versions. What breaks the rules is in test_raw_keys_wrong.c. */
#include <string.h>

#include "cleat/session.h"
#include "cleat/tls_auth.h"
#include "tls/support_raw.h"
#include "tls/support_tls.h"
#include "tls/wire.h"

static const uint16_t versions[] = {CLEAT_TLS_1_3, CLEAT_TLS_1_2};

static void run(struct test_pair *p, struct cleat_tls_builder *c, struct cleat_tls_builder *s)
{
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
    test_pair_run(p);
}

static void expect_raw(const struct test_end *e, const struct cleat_key *key)
{
    struct cl_rd want = cl_key_spki(key);
    const uint8_t *der;
    size_t len;
    const uint8_t *spki = cleat_tls_peer_raw_key(e->tls, &len);
    assert_non_null(spki);
    assert_true(cl_rd_equal(cl_rd_of(spki, len), want));
    assert_true(test_info(e).peer_authenticated);
    /* nobody takes it for a certificate */
    assert_int_equal(cleat_tls_peer_cert(e->tls, 0, &der, &len), CLEAT_ERR_NO_CERTIFICATE);
    assert_null(cleat_tls_peer_leaf(e->tls));
    assert_null(cleat_tls_verdict(e->tls));
}

static void expect_certificate(const struct test_end *e)
{
    const uint8_t *p;
    size_t len;
    assert_null(cleat_tls_peer_raw_key(e->tls, &len));
    assert_int_equal(len, 0);
    assert_int_equal(cleat_tls_peer_cert(e->tls, 0, &p, &len), CLEAT_OK);
    assert_true(test_info(e).peer_authenticated);
}

/* ---- who shows what ---- */

static void test_a_server_shows_a_pinned_key(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct test_pair p;
        run(&p, raw_client(versions[i], raw.server), raw_server(versions[i], NULL, raw.server));
        test_assert_ready(&p);
        expect_raw(&p.client, raw.server);
        assert_false(test_info(&p.server).peer_authenticated);
        assert_true(test_log_has(&p.client, "pinned"));
        assert_true(test_log_has(&p.server, "certificate type"));
        test_assert_echo(&p);
        cleat_tls_forget(p.client.tls);
        size_t len;
        assert_null(cleat_tls_peer_raw_key(p.client.tls, &len));
        test_pair_drop(&p);
    }
}

static void test_each_kind_of_key_can_stand_alone(void **state)
{
    static const enum cl_key_type types[] = {CL_KEY_RSA, CL_KEY_EC_P384, CL_KEY_EC_P521,
                                             CL_KEY_ED25519};
    for (size_t i = 0; i < TEST_LEN(types); i++) {
        for (size_t v = 0; v < TEST_LEN(versions); v++) {
            struct cleat_key *key = test_identity_of(types[i], false)->key;
            struct test_pair p;
            run(&p, raw_client(versions[v], key), raw_server(versions[v], NULL, key));
            test_assert_ready(&p);
            expect_raw(&p.client, key);
            test_pair_drop(&p);
        }
    }
}

static void test_both_sides_show_keys(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct cleat_tls_builder *c = raw_client(versions[i], raw.server);
        struct cleat_tls_builder *s = raw_server(versions[i], NULL, raw.server);
        struct test_pair p;
        raw_show(c, raw.client);
        raw_ask(s, raw.client);
        run(&p, c, s);
        test_assert_ready(&p);
        expect_raw(&p.client, raw.server);
        expect_raw(&p.server, raw.client);
        test_assert_echo(&p);
        test_pair_drop(&p);
    }
}

static void test_a_key_stands_on_one_side_and_a_certificate_on_the_other(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct cleat_tls_builder *c = raw_client(versions[i], raw.server);
        struct cleat_tls_builder *s = raw_server(versions[i], NULL, raw.server);
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                         CLEAT_OK);
        assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
        cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
        run(&p, c, s);
        test_assert_ready(&p);
        expect_raw(&p.client, raw.server);
        expect_certificate(&p.server);
        test_pair_drop(&p);

        c = test_client_builder();
        s = test_server_builder();
        assert_int_equal(cleat_tls_builder_versions(c, versions[i], versions[i]), CLEAT_OK);
        raw_show(c, raw.client);
        raw_ask(s, raw.client);
        run(&p, c, s);
        test_assert_ready(&p);
        expect_certificate(&p.client);
        expect_raw(&p.server, raw.client);
        test_pair_drop(&p);
    }
}

/* ---- which type is agreed on ---- */

static void set_types(struct cleat_tls_builder *b, bool raw_first)
{
    const enum cleat_cert_type types[] = {
        raw_first ? CLEAT_CERT_TYPE_RAW_PUBLIC_KEY : CLEAT_CERT_TYPE_X509,
        raw_first ? CLEAT_CERT_TYPE_X509 : CLEAT_CERT_TYPE_RAW_PUBLIC_KEY,
    };
    assert_int_equal(cleat_tls_builder_peer_types(b, types, 2), CLEAT_OK);
}

static void test_the_type_follows_the_clients_order_or_the_servers(void **state)
{
    for (int flags = 0; flags < 16; flags++) {
        bool client_raw_first = (flags & 1) != 0;
        bool server_raw_first = (flags & 2) != 0;
        bool in_order = (flags & 4) != 0;
        uint16_t version = versions[flags >> 3];
        struct cleat_tls_builder *c = raw_client(version, raw.server);
        struct cleat_tls_builder *s =
            server_raw_first ? raw_server(version, NULL, raw.server) : test_server_builder();
        struct test_pair p;
        set_types(c, client_raw_first);
        if (server_raw_first) {
            assert_int_equal(cleat_tls_builder_credential(s, world.server.chain, world.server.key),
                             CLEAT_OK);
        } else {
            raw_show(s, raw.server);
        }
        if (in_order) {
            cleat_tls_builder_credentials_in_order(s);
        }
        run(&p, c, s);
        test_assert_ready(&p);
        if (in_order ? server_raw_first : client_raw_first) {
            expect_raw(&p.client, raw.server);
        } else {
            expect_certificate(&p.client);
        }
        test_pair_drop(&p);
    }
}

static void test_a_server_without_raw_keys_is_verified_by_its_certificate(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct cleat_tls_builder *c = raw_client(versions[i], raw.server);
        struct test_pair p;
        set_types(c, true);
        run(&p, c, test_server_builder());
        test_assert_ready(&p);
        expect_certificate(&p.client);
        test_pair_drop(&p);
    }
}

static void test_without_a_type_in_common_a_server_says_so(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct test_pair p;
        run(&p, raw_client(versions[i], raw.server), test_server_builder());
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_UNSUPPORTED_CERTIFICATE, 40);
        test_pair_drop(&p);

        run(&p, test_client_builder(), raw_server(versions[i], NULL, raw.server));
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_UNSUPPORTED_CERTIFICATE, 40);
        test_pair_drop(&p);

        /* of the client's certificate */
        struct cleat_tls_builder *s = test_server_builder();
        struct cleat_tls_builder *c = test_client_builder();
        assert_int_equal(cleat_tls_builder_versions(c, versions[i], versions[i]), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                         CLEAT_OK);
        raw_ask(s, raw.client);
        run(&p, c, s);
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_UNSUPPORTED_CERTIFICATE, 43);
        test_pair_drop(&p);
    }
}

static void test_a_client_shows_the_key_that_was_agreed_on_or_none(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct cleat_tls_builder *c = test_client_builder();
        struct cleat_tls_builder *s = test_server_builder();
        struct test_pair p;
        /* it has both, the server takes keys alone */
        assert_int_equal(cleat_tls_builder_versions(c, versions[i], versions[i]), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                         CLEAT_OK);
        raw_show(c, raw.client);
        raw_ask(s, raw.client);
        run(&p, c, s);
        test_assert_ready(&p);
        expect_raw(&p.server, raw.client);
        test_pair_drop(&p);

        /* it has a key, the server takes certificates alone: an empty list (RFC 9846 4.5.1.3) */
        c = test_client_builder();
        s = test_server_builder();
        assert_int_equal(cleat_tls_builder_versions(c, versions[i], versions[i]), CLEAT_OK);
        raw_show(c, raw.client);
        assert_int_equal(
            cleat_tls_builder_own_types(
                c, (enum cleat_cert_type[]){CLEAT_CERT_TYPE_X509, CLEAT_CERT_TYPE_RAW_PUBLIC_KEY},
                2),
            CLEAT_OK);
        assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
        cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_OPTIONAL);
        run(&p, c, s);
        test_assert_ready(&p);
        assert_false(test_info(&p.server).peer_authenticated);
        test_pair_drop(&p);
    }
}

static void test_without_a_client_key_an_optional_request_goes_on(void **state)
{
    static const enum cleat_cert_type only_raw[] = {CLEAT_CERT_TYPE_RAW_PUBLIC_KEY};
    for (int required = 0; required < 2; required++) {
        for (size_t i = 0; i < TEST_LEN(versions); i++) {
            struct cleat_tls_builder *c = test_client_builder();
            struct cleat_tls_builder *s = test_server_builder();
            struct test_pair p;
            assert_int_equal(cleat_tls_builder_versions(c, versions[i], versions[i]), CLEAT_OK);
            assert_int_equal(cleat_tls_builder_own_types(c, only_raw, 1), CLEAT_OK);
            raw_ask(s, raw.client);
            cleat_tls_builder_client_auth(s, required != 0 ? CLEAT_CLIENT_AUTH_REQUIRED
                                                           : CLEAT_CLIENT_AUTH_OPTIONAL);
            run(&p, c, s);
            if (required != 0) {
                test_assert_failed(&p.server, &p.client, CLEAT_ERR_CERTIFICATE_REQUIRED,
                                   versions[i] == CLEAT_TLS_1_3 ? 116 : 40);
            } else {
                test_assert_ready(&p);
                assert_false(test_info(&p.server).peer_authenticated);
            }
            test_pair_drop(&p);
        }
    }
}

/* ---- judgement ---- */

static void test_a_key_that_is_not_pinned_is_refused(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct cleat_tls_builder *c = raw_client(versions[i], raw.client);
        struct cleat_tls_builder *s = raw_server(versions[i], NULL, raw.server);
        struct test_pair p;
        run(&p, c, s);
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_UNKNOWN_KEY, 46);
        /* the message tells what to pin */
        char pin[CLEAT_RAW_PIN_LEN + 1];
        cleat_key_pin(raw.server, pin);
        assert_non_null(strstr(cleat_tls_error(p.client.tls)->text, pin));
        test_pair_drop(&p);

        c = raw_client(versions[i], raw.server);
        s = raw_server(versions[i], NULL, raw.server);
        raw_show(c, raw.client);
        raw_ask(s, raw.server);
        run(&p, c, s);
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_UNKNOWN_KEY, 46);
        test_pair_drop(&p);
    }
}

static void test_any_of_several_pins_will_do(void **state)
{
    struct cl_rd spki = cl_key_spki(raw.server);
    struct cleat_tls_builder *c = raw_client(CLEAT_TLS_1_3, raw.client);
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_raw_pin_key(c, spki.p, spki.len), CLEAT_OK);
    run(&p, c, raw_server(CLEAT_TLS_1_3, NULL, raw.server));
    test_assert_ready(&p);
    expect_raw(&p.client, raw.server);
    test_pair_drop(&p);
}

static void test_a_key_is_not_taken_before_the_application_says_so(void **state)
{
    for (int accept = 0; accept < 2; accept++) {
        for (size_t i = 0; i < TEST_LEN(versions); i++) {
            struct cleat_tls_builder *c = raw_client(versions[i], NULL);
            struct test_pair p;
            size_t len;
            cleat_tls_builder_decide(c, CLEAT_DECIDE_PEER);
            run(&p, c, raw_server(versions[i], NULL, raw.server));
            assert_int_equal(p.client.next, CLEAT_TLS_NEEDS_DECISION);
            assert_int_equal(cleat_tls_decision(p.client.tls), CLEAT_DECIDE_PEER);
            assert_non_null(cleat_tls_peer_raw_key(p.client.tls, &len));
            assert_false(p.client.told_ready);
            if (accept != 0) {
                assert_int_equal(cleat_tls_accept_peer(p.client.tls), CLEAT_OK);
                test_pair_run(&p);
                test_assert_ready(&p);
                expect_raw(&p.client, raw.server);
            } else {
                assert_int_equal(cleat_tls_refuse(p.client.tls, 46, "unknown"), CLEAT_OK);
                test_pair_run(&p);
                test_assert_failed(&p.client, &p.server, CLEAT_ERR_REFUSED, 46);
            }
            test_pair_drop(&p);
        }
    }
}

static void test_an_application_may_be_asked_who_a_pinned_key_is(void **state)
{
    struct cleat_tls_builder *c = raw_client(CLEAT_TLS_1_3, raw.server);
    struct test_pair p;
    size_t len;
    cleat_tls_builder_decide(c, CLEAT_DECIDE_IDENTITY);
    run(&p, c, raw_server(CLEAT_TLS_1_3, NULL, raw.server));
    assert_int_equal(cleat_tls_decision(p.client.tls), CLEAT_DECIDE_IDENTITY);
    assert_non_null(cleat_tls_peer_raw_key(p.client.tls, &len));
    assert_int_equal(cleat_tls_accept_peer(p.client.tls), CLEAT_OK);
    test_pair_run(&p);
    test_assert_ready(&p);
    test_pair_drop(&p);
}

/* ---- later ---- */

static void test_a_key_is_shown_after_the_handshake(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    raw_show(c, raw.client);
    raw_ask(s, raw.client);
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_NONE);
    cleat_tls_builder_late_auth(c, true);
    cleat_tls_builder_late_auth(s, true);
    run(&p, c, s);
    test_assert_ready(&p);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(cleat_tls_request_certificate(p.server.tls, true), CLEAT_OK);
        test_pair_run(&p);
        test_assert_ready(&p);
        expect_raw(&p.server, raw.client);
    }
    test_assert_echo(&p);
    test_pair_drop(&p);
}

static void test_the_server_end_point_of_a_raw_key_is_not_defined(void **state)
{
    uint8_t out[CLEAT_CHANNEL_BINDING_MAX];
    size_t len;
    struct test_pair p;
    run(&p, raw_client(CLEAT_TLS_1_3, raw.server), raw_server(CLEAT_TLS_1_3, NULL, raw.server));
    test_assert_ready(&p);
    const enum cleat_channel_binding type = CLEAT_BINDING_TLS_SERVER_END_POINT;
    assert_int_equal(cleat_tls_channel_binding(p.client.tls, type, out, &len),
                     CLEAT_ERR_UNSUPPORTED);
    assert_int_equal(cleat_tls_channel_binding(p.server.tls, type, out, &len),
                     CLEAT_ERR_UNSUPPORTED);
    test_pair_drop(&p);
}

static void test_a_description_names_the_raw_key(void **state)
{
    struct test_pair p;
    char text[300];
    run(&p, raw_client(CLEAT_TLS_1_3, raw.server), raw_server(CLEAT_TLS_1_3, NULL, raw.server));
    struct cl_rd m = test_message(&p.client, false, CL_HT_CERTIFICATE, 0);
    assert_true(cleat_tls_describe(m.p, m.len, text, sizeof(text)) != 0);
    assert_string_equal(text, "91 bytes of raw public key (ECDSA P-256)");
    m = test_message(&p.client, true, CL_HT_CLIENT_HELLO, 0);
    assert_true(cleat_tls_describe(m.p, m.len, text, sizeof(text)) != 0);
    assert_non_null(strstr(text, "server's certificate raw"));
    m = test_message(&p.client, false, CL_HT_ENCRYPTED_EXTENSIONS, 0);
    assert_true(cleat_tls_describe(m.p, m.len, text, sizeof(text)) != 0);
    assert_non_null(strstr(text, "server's certificate raw"));
    test_pair_drop(&p);
}

/* ---- resumption ---- */

struct again {
    const char *what;
    bool other_pin;    /* the client pins one key more */
    bool both_types;   /* the client takes certificates too */
    bool other_client; /* the server pins one key more */
    bool resumes;
};

static struct cleat_ticket_keys *keys;

static void make_pair(struct test_pair *p, uint16_t version, const struct again *a,
                      struct cleat_tls_session *session)
{
    struct cleat_tls_builder *c = raw_client(version, raw.server);
    struct cleat_tls_builder *s = raw_server(version, NULL, raw.server);
    raw_show(c, raw.client);
    raw_ask(s, raw.client);
    assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
    if (a != NULL && a->other_pin) {
        raw_pin(c, raw.client);
    }
    if (a != NULL && a->both_types) {
        set_types(c, true);
    }
    if (a != NULL && a->other_client) {
        raw_pin(s, raw.server);
    }
    test_pair_make(p, test_finish(c), test_finish(s), session);
    test_pair_run(p);
    test_assert_ready(p);
}

/* As a store does it. */
static struct cleat_tls_session *through_bytes(struct cleat_tls_session *session)
{
    uint8_t bytes[8192];
    size_t len = sizeof(bytes);
    struct cleat_tls_session *copy;
    assert_non_null(session);
    assert_int_equal(cleat_tls_session_export(session, bytes, &len), CLEAT_OK);
    assert_int_equal(cleat_tls_session_import(bytes, len, &copy), CLEAT_OK);
    cleat_tls_session_free(session);
    return copy;
}

static void test_a_session_of_raw_keys_resumes_under_the_same_policy_alone(void **state)
{
    static const struct again rows[] = {
        {"the same", false, false, false, true},
        {"another set of pins", true, false, false, false},
        {"other types", false, true, false, false},
        {"another set of the server's pins", false, false, true, false},
    };
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    for (size_t i = 0; i < TEST_LEN(rows) * TEST_LEN(versions); i++) {
        const struct again *a = &rows[i / TEST_LEN(versions)];
        uint16_t version = versions[i % TEST_LEN(versions)];
        struct test_pair p;
        make_pair(&p, version, NULL, NULL);
        struct cleat_tls_session *session = through_bytes(cleat_tls_take_session(p.client.tls));
        test_pair_drop(&p);
        make_pair(&p, version, a, session);
        if (test_info(&p.client).resumed != a->resumes) {
            fail_msg("%s: resumed %d", a->what, !a->resumes);
        }
        expect_raw(&p.client, raw.server);
        expect_raw(&p.server, raw.client);
        test_assert_echo(&p);
        test_pair_drop(&p);
        cleat_tls_session_free(session);
    }
    cleat_ticket_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_server_shows_a_pinned_key),
        cmocka_unit_test(test_each_kind_of_key_can_stand_alone),
        cmocka_unit_test(test_both_sides_show_keys),
        cmocka_unit_test(test_a_key_stands_on_one_side_and_a_certificate_on_the_other),
        cmocka_unit_test(test_the_type_follows_the_clients_order_or_the_servers),
        cmocka_unit_test(test_a_server_without_raw_keys_is_verified_by_its_certificate),
        cmocka_unit_test(test_without_a_type_in_common_a_server_says_so),
        cmocka_unit_test(test_a_client_shows_the_key_that_was_agreed_on_or_none),
        cmocka_unit_test(test_without_a_client_key_an_optional_request_goes_on),
        cmocka_unit_test(test_a_key_that_is_not_pinned_is_refused),
        cmocka_unit_test(test_any_of_several_pins_will_do),
        cmocka_unit_test(test_a_key_is_not_taken_before_the_application_says_so),
        cmocka_unit_test(test_an_application_may_be_asked_who_a_pinned_key_is),
        cmocka_unit_test(test_a_key_is_shown_after_the_handshake),
        cmocka_unit_test(test_the_server_end_point_of_a_raw_key_is_not_defined),
        cmocka_unit_test(test_a_description_names_the_raw_key),
        cmocka_unit_test(test_a_session_of_raw_keys_resumes_under_the_same_policy_alone),
    };
    return cmocka_run_group_tests(tests, raw_setup, raw_teardown);
}
