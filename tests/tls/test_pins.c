/* tests/tls/test_pins.c - pins of a server's key (RFC 7469 2.4, curl's --pinnedpubkey): who is let
 * in, what comes before what, and sessions. */
#include <string.h>

#include "cleat/session.h"
#include "cleat/tls_auth.h"
#include "cleat/tls_options.h"
#include "cleat/tls_psk.h"
#include "tls/support_ech.h"
#include "tls/support_raw.h"
#include "tls/support_tls.h"

static const uint16_t versions[] = {CLEAT_TLS_1_3, CLEAT_TLS_1_2};

static void pin(struct cleat_tls_builder *b, const struct cleat_key *key)
{
    char text[CLEAT_RAW_PIN_LEN + 1];
    cleat_key_pin(key, text);
    assert_int_equal(cleat_tls_builder_pin(b, text), CLEAT_OK);
}

/* A client of one version that pins a key. */
static struct cleat_tls_builder *pinning(uint16_t version, const struct cleat_key *key)
{
    struct cleat_tls_builder *c = test_client_builder();
    assert_int_equal(cleat_tls_builder_versions(c, version, version), CLEAT_OK);
    pin(c, key);
    return c;
}

static void run(struct test_pair *p, struct cleat_tls_builder *c, struct cleat_tls_builder *s)
{
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
    test_pair_run(p);
}

static void assert_refused(const struct test_pair *p)
{
    test_assert_failed(&p->client, &p->server, CLEAT_ERR_PIN_MISMATCH, 46);
    assert_false(p->client.told_ready);
}

/* ---- who is let in ---- */

static void test_a_certificate_with_the_pinned_key_is_taken(void **state)
{
    static const enum cl_key_type types[] = {CL_KEY_EC_P256, CL_KEY_RSA, CL_KEY_ED25519};
    for (size_t i = 0; i < TEST_LEN(types) * TEST_LEN(versions); i++) {
        const struct test_identity *id = test_identity_of(types[i / TEST_LEN(versions)], false);
        struct test_pair p;
        run(&p, pinning(versions[i % TEST_LEN(versions)], id->key), test_server_builder_with(id));
        test_assert_ready(&p);
        assert_true(test_info(&p.client).peer_authenticated);
        assert_true(test_log_has(&p.client, "it is pin 1 of 1"));
        test_assert_echo(&p);
        test_pair_drop(&p);
    }
}

static void test_another_key_is_refused_though_its_chain_is_good(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct test_pair p;
        char seen[CLEAT_RAW_PIN_LEN + 1], pinned[CLEAT_RAW_PIN_LEN + 1];
        run(&p, pinning(versions[i], raw.server), test_server_builder());
        assert_refused(&p);
        cleat_key_pin(world.server.key, seen);
        cleat_key_pin(raw.server, pinned);
        assert_non_null(strstr(cleat_tls_error(p.client.tls)->text, seen));
        assert_non_null(strstr(cleat_tls_error(p.client.tls)->text, pinned));
        test_pair_drop(&p);
    }
}

static void test_a_backup_pin_is_as_good(void **state)
{
    struct cleat_tls_builder *c = pinning(CLEAT_TLS_1_3, raw.server);
    struct cl_rd spki = cl_key_spki(world.server.key);
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_pin_key(c, spki.p, spki.len), CLEAT_OK);
    run(&p, c, test_server_builder());
    test_assert_ready(&p);
    assert_true(test_log_has(&p.client, "it is pin 2 of 2"));
    test_pair_drop(&p);
}

static void test_an_issuers_key_is_not_the_servers(void **state)
{
    struct test_pair p;
    run(&p, pinning(CLEAT_TLS_1_3, world.ca.key), test_server_builder());
    assert_refused(&p);
    test_pair_drop(&p);
}

static void test_a_pin_makes_no_bad_chain_good(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct test_pair p;
        world.now_ms = TEST_NOW_MS + UINT64_C(1000) * 86400 * 400; /* expired */
        run(&p, pinning(versions[i], world.server.key), test_server_builder());
        world.now_ms = TEST_NOW_MS;
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_CERT_EXPIRED, 45);
        test_pair_drop(&p);
    }
}

static void test_many_pins_are_counted_in_the_message(void **state)
{
    struct cleat_tls_builder *c = pinning(CLEAT_TLS_1_3, raw.server);
    struct test_pair p;
    pin(c, raw.client);
    pin(c, world.ca.key);
    pin(c, world.client.key);
    run(&p, c, test_server_builder());
    assert_refused(&p);
    assert_non_null(strstr(cleat_tls_error(p.client.tls)->text, "= and 2 more"));
    test_pair_drop(&p);
}

/* ---- before whom ---- */

static void test_pins_come_before_the_applications_decision(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct cleat_tls_builder *c = pinning(versions[i], raw.server);
        struct test_pair p;
        cleat_tls_builder_decide(c, CLEAT_DECIDE_PEER);
        run(&p, c, test_server_builder());
        assert_refused(&p);
        test_pair_drop(&p);

        c = pinning(versions[i], world.server.key);
        cleat_tls_builder_decide(c, CLEAT_DECIDE_PEER);
        run(&p, c, test_server_builder());
        assert_int_equal(p.client.next, CLEAT_TLS_NEEDS_DECISION);
        assert_int_equal(cleat_tls_accept_peer(p.client.tls), CLEAT_OK);
        test_pair_run(&p);
        test_assert_ready(&p);
        test_pair_drop(&p);
    }
}

static void test_a_raw_key_must_be_both_trusted_and_pinned(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct cleat_tls_builder *c = raw_client(versions[i], raw.server);
        struct test_pair p;
        pin(c, raw.server);
        run(&p, c, raw_server(versions[i], NULL, raw.server));
        test_assert_ready(&p);
        test_pair_drop(&p);

        c = raw_client(versions[i], raw.server);
        pin(c, raw.client);
        run(&p, c, raw_server(versions[i], NULL, raw.server));
        assert_refused(&p);
        test_pair_drop(&p);

        c = raw_client(versions[i], raw.client);
        pin(c, raw.server);
        run(&p, c, raw_server(versions[i], NULL, raw.server));
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_UNKNOWN_KEY, 46);
        test_pair_drop(&p);
    }
}

/* The certificate for the public name has another key; what has to reach the application is that
 * ECH was rejected, with the configurations to try. */
static void test_pins_are_not_for_the_name_of_a_server_that_rejects_ech(void **state)
{
    struct test_ech old, current;
    const struct test_ech *const keys[] = {&current};
    struct cleat_tls_builder *c = test_ech_client();
    struct test_pair p;
    test_ech_make(&old, NULL, 1);
    test_ech_make(&current, NULL, 2);
    pin(c, raw.server);
    test_ech_pair(&p, c, test_ech_server(keys, 1, 0), &old, NULL);
    test_pair_run(&p);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_ECH_REJECTED, 121);
    assert_false(p.client.told_ready);
    test_pair_drop(&p);

    /* accepted, the inner certificate is looked at */
    c = test_ech_client();
    pin(c, raw.server);
    test_ech_pair(&p, c, test_ech_server(keys, 1, 0), &current, NULL);
    test_pair_run(&p);
    assert_refused(&p);
    test_pair_drop(&p);
    test_ech_drop(&old);
    test_ech_drop(&current);
}

/* ---- what was verified before ---- */

static struct cleat_ticket_keys *tickets;

static struct cleat_tls_builder *with_tickets(void)
{
    struct cleat_tls_builder *s = test_server_builder();
    assert_int_equal(cleat_tls_builder_tickets(s, tickets, 1), CLEAT_OK);
    return s;
}

static struct cleat_tls_session *first_session(struct cleat_tls_builder *c)
{
    struct test_pair p;
    run(&p, c, with_tickets());
    test_assert_ready(&p);
    struct cleat_tls_session *session = cleat_tls_take_session(p.client.tls);
    assert_non_null(session);
    test_pair_drop(&p);
    return session;
}

static void again(struct test_pair *p, struct cleat_tls_builder *c,
                  struct cleat_tls_session *session)
{
    test_pair_make(p, test_finish(c), test_finish(with_tickets()), session);
    test_pair_run(p);
    cleat_tls_session_free(session);
}

static struct cleat_tls_builder *plain(uint16_t version)
{
    struct cleat_tls_builder *c = test_client_builder();
    assert_int_equal(cleat_tls_builder_versions(c, version, version), CLEAT_OK);
    return c;
}

static void test_a_session_goes_around_no_pin(void **state)
{
    assert_int_equal(cleat_ticket_keys_new(0, &tickets), CLEAT_OK);
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        const uint16_t v = versions[i];
        struct test_pair p;
        /* the same pin: resumed */
        again(&p, pinning(v, world.server.key), first_session(pinning(v, world.server.key)));
        test_assert_ready(&p);
        assert_true(test_info(&p.client).resumed);
        test_pair_drop(&p);
        /* made without a pin, or with another: the key is shown again, and judged */
        again(&p, pinning(v, raw.server), first_session(plain(v)));
        assert_refused(&p);
        test_pair_drop(&p);
        again(&p, pinning(v, raw.server), first_session(pinning(v, world.server.key)));
        assert_refused(&p);
        test_pair_drop(&p);
        /* another set with the key in it: a full handshake */
        struct cleat_tls_builder *c = pinning(v, raw.server);
        pin(c, world.server.key);
        again(&p, c, first_session(pinning(v, world.server.key)));
        test_assert_ready(&p);
        assert_false(test_info(&p.client).resumed);
        test_pair_drop(&p);
    }
    cleat_ticket_keys_free(tickets);
}

static void test_a_remembered_verdict_goes_around_no_pin(void **state)
{
    struct cleat_verify_cache *cache;
    struct test_pair p;
    assert_int_equal(cleat_verify_cache_new(16, 0, &cache), CLEAT_OK);
    for (int round = 0; round < 3; round++) {
        struct cleat_tls_builder *c =
            round < 2 ? plain(CLEAT_TLS_1_3) : pinning(CLEAT_TLS_1_3, raw.server);
        cleat_tls_builder_verify_cache(c, cache);
        run(&p, c, test_server_builder());
        if (round < 2) {
            test_assert_ready(&p);
            assert_int_equal(test_log_has(&p.client, "was verified before"), round == 1);
        } else {
            assert_refused(&p);
        }
        test_pair_drop(&p);
    }
    cleat_verify_cache_free(cache);
}

/* ---- configurations ---- */

static int finish(struct cleat_tls_builder *b)
{
    struct cleat_tls_config *config = NULL;
    struct cleat_error err = {0};
    int code = cleat_tls_builder_finish(b, &config, &err);
    assert_true(code == CLEAT_OK || err.text[0] != '\0');
    cleat_tls_config_free(config);
    return code;
}

static void test_what_is_no_pin_is_refused(void **state)
{
    static const char *const rows[] = {
        "",
        "sha256//",
        "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=;",
        "sha512//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "SHA256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *c = test_client_builder();
        assert_int_equal(cleat_tls_builder_pin(c, rows[i]), CLEAT_ERR_BAD_CONFIG);
        assert_int_equal(finish(c), CLEAT_ERR_BAD_CONFIG);
    }
    struct cl_rd spki = cl_key_spki(raw.server);
    struct cleat_tls_builder *c = test_client_builder();
    assert_int_equal(cleat_tls_builder_pin_key(c, spki.p, spki.len - 1), CLEAT_ERR_BAD_CONFIG);
    assert_int_equal(finish(c), CLEAT_ERR_BAD_CONFIG);
}

static void test_more_than_64_pins_are_refused(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct cl_rd spki = cl_key_spki(raw.server);
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(cleat_tls_builder_pin_key(c, spki.p, spki.len), CLEAT_OK);
    }
    assert_int_equal(cleat_tls_builder_pin_key(c, spki.p, spki.len), CLEAT_ERR_LIMIT);
    assert_int_equal(finish(c), CLEAT_ERR_LIMIT);
}

static void test_pins_that_nobody_would_look_at_are_refused(void **state)
{
    static const uint8_t key[32] = {1};
    struct cleat_tls_builder *s = test_server_builder();
    pin(s, raw.client);
    assert_int_equal(finish(s), CLEAT_ERR_BAD_CONFIG);
    struct cleat_tls_builder *c = pinning(CLEAT_TLS_1_3, raw.server);
    const struct cleat_psk psk = {
        .identity = key, .identity_len = 1, .key = key, .key_len = sizeof(key)};
    assert_int_equal(cleat_tls_builder_psk(c, &psk), CLEAT_OK);
    assert_int_equal(finish(c), CLEAT_ERR_BAD_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_certificate_with_the_pinned_key_is_taken),
        cmocka_unit_test(test_another_key_is_refused_though_its_chain_is_good),
        cmocka_unit_test(test_a_backup_pin_is_as_good),
        cmocka_unit_test(test_an_issuers_key_is_not_the_servers),
        cmocka_unit_test(test_a_pin_makes_no_bad_chain_good),
        cmocka_unit_test(test_many_pins_are_counted_in_the_message),
        cmocka_unit_test(test_pins_come_before_the_applications_decision),
        cmocka_unit_test(test_a_raw_key_must_be_both_trusted_and_pinned),
        cmocka_unit_test(test_pins_are_not_for_the_name_of_a_server_that_rejects_ech),
        cmocka_unit_test(test_a_session_goes_around_no_pin),
        cmocka_unit_test(test_a_remembered_verdict_goes_around_no_pin),
        cmocka_unit_test(test_what_is_no_pin_is_refused),
        cmocka_unit_test(test_more_than_64_pins_are_refused),
        cmocka_unit_test(test_pins_that_nobody_would_look_at_are_refused),
    };
    return cmocka_run_group_tests(tests, raw_setup, raw_teardown);
}
