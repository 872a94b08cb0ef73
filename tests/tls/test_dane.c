/* tests/tls/test_dane.c - servers verified by TLSA records (cleat/dane.h) in handshakes: both
 * versions, certificates and raw public keys, sessions and remembered chains that are not carried
 * over to other records. */
#include <string.h>

#include "cleat/dane.h"
#include "cleat/session.h"
#include "cleat/tls_options.h"
#include "tls/support_ech.h"
#include "tls/support_raw.h"
#include "tls/support_tls.h"

static const uint16_t versions[] = {CLEAT_TLS_1_3, CLEAT_TLS_1_2};

static struct cleat_ticket_keys *keys; /* of servers that issue tickets */

static struct cleat_dane *new_set(void)
{
    struct cleat_dane *set;
    assert_int_equal(cleat_dane_new(&set), CLEAT_OK);
    return set;
}

static struct cleat_dane *about(const struct cleat_cert *cert, uint8_t usage, uint8_t selector,
                                uint8_t matching)
{
    static uint8_t data[CLEAT_TLSA_MAX_DATA];
    size_t len;
    struct cleat_dane *set = new_set();
    assert_int_equal(cleat_tlsa_data(cert, selector, matching, data, sizeof(data), &len), CLEAT_OK);
    assert_int_equal(cleat_dane_add(set, usage, selector, matching, data, len, NULL), CLEAT_OK);
    return set;
}

static struct cleat_dane *about_key(const struct cleat_key *key)
{
    struct cl_rd spki = cl_key_spki(key);
    uint8_t digest[32];
    struct cleat_dane *set = new_set();
    cl_hash_once(CL_HASH_SHA256, spki.p, spki.len, digest);
    assert_int_equal(cleat_dane_add(set, 3, 1, 1, digest, sizeof(digest), NULL), CLEAT_OK);
    return set;
}

static const struct cleat_cert *server_cert(void)
{
    return cleat_chain_at(world.server.chain, 0);
}

static const struct cleat_cert *ca_cert(void)
{
    return cleat_chain_at(world.ca.chain, 0);
}

/* Takes over set; the world's trust store stays. */
static struct cleat_tls_builder *client(uint16_t version, struct cleat_dane *set)
{
    struct cleat_tls_builder *b = test_client_builder();
    assert_int_equal(cleat_tls_builder_versions(b, version, version), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_dane(b, set), CLEAT_OK);
    cleat_dane_free(set);
    return b;
}

static void run(struct test_pair *p, const char *host, struct cleat_tls_builder *c,
                struct cleat_tls_builder *s)
{
    test_pair_make_for(p, host, test_finish(c), test_finish(s), NULL);
    test_pair_run(p);
}

static void test_every_usage_is_accepted_and_refused_in_both_versions(void **state)
{
    static const struct {
        uint8_t usage;
        bool of_ca;
        int code;
    } rows[] = {
        {0, true, CLEAT_OK},
        {1, false, CLEAT_OK},
        {3, false, CLEAT_OK},
        {0, false, CLEAT_ERR_DANE_NO_MATCH},
        {1, true, CLEAT_ERR_DANE_NO_MATCH},
        {2, true, CLEAT_ERR_DANE_NO_MATCH}, /* the server does not send its CA */
        {3, true, CLEAT_ERR_DANE_NO_MATCH},
    };
    for (size_t i = 0; i < TEST_LEN(rows) * TEST_LEN(versions); i++) {
        const size_t row = i / TEST_LEN(versions);
        struct test_pair p;
        run(&p, "localhost",
            client(versions[i % TEST_LEN(versions)],
                   about(rows[row].of_ca ? ca_cert() : server_cert(), rows[row].usage, 1, 1)),
            test_server_builder());
        if (rows[row].code == CLEAT_OK) {
            test_assert_ready(&p);
            assert_int_equal(cleat_verdict_num_tlsa(cleat_tls_verdict(p.client.tls)), 1);
            test_assert_echo(&p);
        } else {
            test_assert_failed(&p.client, &p.server, rows[row].code, 42);
        }
        test_pair_drop(&p);
    }
}

static void test_a_record_with_the_cas_key_trusts_a_ca_that_is_not_sent(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct test_pair p;
        run(&p, "localhost", client(versions[i], about(ca_cert(), 2, 1, 0)), test_server_builder());
        test_assert_ready(&p);
        test_pair_drop(&p);
    }
}

/* A client without any trust store, an expired certificate, another name. */
static void test_a_key_in_a_record_is_all_that_dane_ee_looks_at(void **state)
{
    static const char *const names[] = {"elsewhere.test"};
    const int64_t expired = (int64_t)(TEST_NOW_MS / 1000) - 86400;
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct test_identity id;
        struct test_pair p;
        test_identity_until(&id, &world.ca, names, 1, false, expired);
        struct cleat_tls_builder *c =
            client(versions[i], about(cleat_chain_at(id.chain, 0), 3, 1, 1));
        assert_int_equal(cleat_tls_builder_trust(c, NULL), CLEAT_OK);
        struct cleat_tls_builder *s = test_server_builder_with(&id);
        assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
        run(&p, "localhost", c, s);
        test_assert_ready(&p);
        assert_true(test_info(&p.client).peer_authenticated);
        assert_true(test_log_has(&p.client, "a TLSA record names it"));
        test_assert_echo(&p);
        /* its end says nothing about the session either */
        struct cleat_tls_session *session = cleat_tls_take_session(p.client.tls);
        assert_non_null(session);
        test_pair_drop(&p);
        c = client(versions[i], about(cleat_chain_at(id.chain, 0), 3, 1, 1));
        assert_int_equal(cleat_tls_builder_trust(c, NULL), CLEAT_OK);
        s = test_server_builder_with(&id);
        assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
        test_pair_make(&p, test_finish(c), test_finish(s), session);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_true(test_info(&p.client).resumed);
        cleat_tls_session_free(session);
        test_pair_drop(&p);
        test_identity_drop(&id);
    }
    cleat_ticket_keys_free(keys);
}

static void test_dane_ta_still_looks_at_the_name(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct test_pair p;
        run(&p, "elsewhere.test", client(versions[i], about(ca_cert(), 2, 0, 0)),
            test_server_builder());
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_NAME_MISMATCH, 42);
        test_pair_drop(&p);
    }
}

/* ---- raw public keys ---- */

static struct cleat_tls_builder *raw_by_record(uint16_t version, struct cleat_dane *set)
{
    struct cleat_tls_builder *b = raw_client(version, NULL);
    assert_int_equal(cleat_tls_builder_dane(b, set), CLEAT_OK);
    cleat_dane_free(set);
    return b;
}

static void test_a_record_vouches_for_a_raw_public_key(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct test_pair p;
        run(&p, "localhost", raw_by_record(versions[i], about_key(raw.server)),
            raw_server(versions[i], NULL, raw.server));
        test_assert_ready(&p);
        assert_true(test_info(&p.client).peer_authenticated);
        test_assert_echo(&p);
        test_pair_drop(&p);
        run(&p, "localhost", raw_by_record(versions[i], about_key(raw.client)),
            raw_server(versions[i], NULL, raw.server));
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_DANE_NO_MATCH, 42);
        test_pair_drop(&p);
    }
}

/* RFC 7671 5.1: a bare key is nobody's certificate, and no authority issued it. */
static void test_records_other_than_3_1_vouch_for_no_raw_key(void **state)
{
    struct cl_rd spki = cl_key_spki(raw.server);
    for (uint8_t usage = 0; usage < 3; usage++) {
        struct cleat_tls_config *config = NULL;
        struct cleat_error err = {0};
        struct cleat_dane *set = new_set();
        assert_int_equal(cleat_dane_add(set, usage, 1, 0, spki.p, spki.len, NULL), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_finish(raw_by_record(CLEAT_TLS_1_3, set), &config, &err),
                         CLEAT_ERR_BAD_CONFIG);
    }
}

/* ---- sessions and remembered chains ---- */

static struct cleat_tls_builder *ticket_server(void)
{
    struct cleat_tls_builder *b = test_server_builder();
    assert_int_equal(cleat_tls_builder_tickets(b, keys, 1), CLEAT_OK);
    return b;
}

static struct cleat_tls_session *session_of(uint16_t version, struct cleat_dane *set)
{
    return test_session_of(test_finish(client(version, set)), test_finish(ticket_server()),
                           "localhost");
}

static void test_a_session_is_resumed_under_the_same_records_alone(void **state)
{
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    for (size_t i = 0; i < 6 * TEST_LEN(versions); i++) {
        const uint16_t version = versions[i % TEST_LEN(versions)];
        const size_t row = i / TEST_LEN(versions);
        struct cleat_dane *first = row == 4 ? NULL : about(server_cert(), 3, 1, 1);
        struct cleat_dane *then = row == 0   ? about(server_cert(), 3, 1, 1)
                                  : row == 1 ? about(server_cert(), 3, 1, 2)
                                  : row == 2 ? NULL
                                  : row == 3 ? new_set()
                                  : row == 4 ? about(server_cert(), 3, 1, 1)
                                             : about(ca_cert(), 3, 1, 1);
        struct cleat_tls_session *session = session_of(version, first);
        struct test_pair p;
        test_pair_make(&p, test_finish(client(version, then)), test_finish(ticket_server()),
                       session);
        test_pair_run(&p);
        if (row == 5) { /* another key's: with the session it would have been let in */
            test_assert_failed(&p.client, NULL, CLEAT_ERR_DANE_NO_MATCH, 42);
        } else {
            test_assert_ready(&p);
            assert_int_equal(test_info(&p.client).resumed, row == 0);
        }
        test_pair_drop(&p);
        cleat_tls_session_free(session);
    }
    cleat_ticket_keys_free(keys);
}

static void test_a_remembered_chain_is_verified_anew_under_other_records(void **state)
{
    struct cleat_verify_cache *cache;
    assert_int_equal(cleat_verify_cache_new(0, 0, &cache), CLEAT_OK);
    for (int i = 0; i < 3; i++) {
        struct cleat_tls_builder *c =
            client(CLEAT_TLS_1_3, about(i < 2 ? server_cert() : ca_cert(), 3, 1, 1));
        struct test_pair p;
        cleat_tls_builder_verify_cache(c, cache);
        run(&p, "localhost", c, test_server_builder());
        if (i == 2) {
            test_assert_failed(&p.client, &p.server, CLEAT_ERR_DANE_NO_MATCH, 42);
        } else {
            test_assert_ready(&p);
            assert_int_equal(cleat_verdict_remembered(cleat_tls_verdict(p.client.tls), NULL), i);
        }
        test_pair_drop(&p);
    }
    cleat_verify_cache_free(cache);
}

/* ---- ECH ---- */

/* RFC 9849 6.1.7: the outer name is another server's: a record of the inner one must not vouch for
 * it, and with it for a list of keys. */
static void test_a_server_that_rejects_ech_is_not_verified_by_the_inner_names_records(void **state)
{
    struct test_ech ours, theirs;
    struct test_pair p;
    struct test_ca stranger;
    struct test_identity id;
    static const char *const names[] = {TEST_ECH_PUBLIC, TEST_ECH_HOST};
    test_ech_make(&ours, NULL, 1);
    test_ech_make(&theirs, NULL, 2);
    test_ca_make(&stranger, "nobody's CA");
    test_identity_make(&id, &stranger, CL_KEY_EC_P256, names, 2, false);
    for (int rejects = 0; rejects < 2; rejects++) {
        struct cleat_tls_builder *c = test_ech_client();
        struct cleat_dane *set = about(cleat_chain_at(id.chain, 0), 3, 1, 1);
        assert_int_equal(cleat_tls_builder_dane(c, set), CLEAT_OK);
        cleat_dane_free(set);
        struct cleat_tls_builder *s = test_server_builder_with(&id);
        struct cleat_ech_keys *ech_keys = NULL;
        assert_int_equal(cleat_ech_keys_new(&ech_keys), CLEAT_OK);
        assert_int_equal(
            cleat_ech_keys_add_pem(ech_keys, theirs.pem, strlen(theirs.pem), true, NULL), CLEAT_OK);
        cleat_tls_builder_ech_keys(s, ech_keys);
        cleat_ech_keys_free(ech_keys);
        test_ech_pair(&p, c, s, rejects ? &ours : &theirs, NULL);
        test_pair_run(&p);
        if (rejects) {
            test_assert_failed(&p.client, NULL, CLEAT_ERR_UNKNOWN_ISSUER, 48);
        } else {
            test_assert_ready(&p);
        }
        test_pair_drop(&p);
    }
    test_identity_drop(&id);
    test_ca_drop(&stranger);
    test_ech_drop(&ours);
    test_ech_drop(&theirs);
}

/* ---- configurations ---- */

static void test_builders_refuse_records_that_nobody_would_look_at(void **state)
{
    struct cleat_tls_config *config = NULL;
    struct cleat_dane *set = about(server_cert(), 3, 1, 1);
    struct cleat_tls_builder *s = test_server_builder();
    assert_int_equal(cleat_tls_builder_dane(s, set), CLEAT_ERR_BAD_CONFIG);
    assert_int_equal(cleat_tls_builder_finish(s, &config, NULL), CLEAT_ERR_BAD_CONFIG);
    struct cleat_tls_builder *c = client(CLEAT_TLS_1_3, set);
    cleat_tls_builder_decide(c, CLEAT_DECIDE_PEER);
    assert_int_equal(cleat_tls_builder_finish(c, &config, NULL), CLEAT_ERR_BAD_CONFIG);
}

static void test_only_records_that_vouch_alone_do_without_a_trust_store(void **state)
{
    struct cleat_dane *sets[] = {about(server_cert(), 0, 1, 1), about(server_cert(), 1, 1, 1),
                                 about(server_cert(), 2, 1, 1), about(server_cert(), 3, 1, 1),
                                 new_set()};
    for (size_t i = 0; i < TEST_LEN(sets); i++) {
        struct cleat_tls_config *config = NULL;
        struct cleat_tls_builder *c = client(CLEAT_TLS_1_3, sets[i]);
        assert_int_equal(cleat_tls_builder_trust(c, NULL), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_finish(c, &config, NULL),
                         i == 2 || i == 3 ? CLEAT_OK : CLEAT_ERR_BAD_CONFIG);
        cleat_tls_config_free(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_usage_is_accepted_and_refused_in_both_versions),
        cmocka_unit_test(test_a_record_with_the_cas_key_trusts_a_ca_that_is_not_sent),
        cmocka_unit_test(test_a_key_in_a_record_is_all_that_dane_ee_looks_at),
        cmocka_unit_test(test_dane_ta_still_looks_at_the_name),
        cmocka_unit_test(test_a_record_vouches_for_a_raw_public_key),
        cmocka_unit_test(test_records_other_than_3_1_vouch_for_no_raw_key),
        cmocka_unit_test(test_a_session_is_resumed_under_the_same_records_alone),
        cmocka_unit_test(test_a_remembered_chain_is_verified_anew_under_other_records),
        cmocka_unit_test(test_a_server_that_rejects_ech_is_not_verified_by_the_inner_names_records),
        cmocka_unit_test(test_builders_refuse_records_that_nobody_would_look_at),
        cmocka_unit_test(test_only_records_that_vouch_alone_do_without_a_trust_store),
    };
    return cmocka_run_group_tests(tests, raw_setup, raw_teardown);
}
