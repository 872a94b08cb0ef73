/* tests/tls/test_intermediates.c - chains as the web has them: a leaf, intermediates, a root that
 * is not sent; both roles, both versions; certificates that keep no more than what RFC 5280 6 asks;
 * intermediates that are missing, and that the application supplies.
 */
#include "tls/support_tls.h"

#include <stdio.h>

#include "cleat/revocation.h"
#include "x509/build.h"
#include "x509/chain.h"

#define DAY               86400
#define MAX_INTERMEDIATES 3

/* A credential below `num` intermediates. */
struct credential {
    struct cleat_chain *chain;
    struct cleat_key *key;
};

static struct cl_cert_template template_for(const char *cn, const struct cleat_key *key)
{
    static uint8_t serial[16] = {7};
    int64_t now = (int64_t)(TEST_NOW_MS / 1000);
    serial[15]++;
    return (struct cl_cert_template){.common_name = cn,
                                     .spki = cl_key_spki(key),
                                     .serial = serial,
                                     .serial_len = sizeof(serial),
                                     .not_before = now - DAY,
                                     .not_after = now + DAY,
                                     .path_len = -1};
}

static void make(struct cleat_cert **out, const struct cl_cert_template *t,
                 const struct cleat_key *signer)
{
    struct cl_buf der = {0};
    assert_int_equal(cl_cert_build(&der, t, signer, NULL), CL_OK);
    assert_int_equal(cl_cert_parse(out, cl_buf_view(&der), NULL), CL_OK);
    cl_buf_deinit(&der);
}

/* plain: without key identifiers, as private PKIs issue them. */
static void credential_make(struct credential *c, size_t num, bool client, bool plain)
{
    static const char *const names[] = {"localhost"};
    struct cleat_key *keys[MAX_INTERMEDIATES + 1] = {0};
    struct cleat_cert *certs[MAX_INTERMEDIATES + 1] = {0};
    const struct cleat_cert *sent[MAX_INTERMEDIATES + 1];
    const struct cleat_cert *issuer = cl_chain_at(world.ca.chain, 0);
    const struct cleat_key *signer = world.ca.key;
    for (size_t i = num + 1; i-- > 0;) {
        char cn[32];
        (void)snprintf(cn, sizeof(cn), i == 0 ? "localhost" : "Intermediate %zu", i);
        assert_int_equal(cl_key_generate(&keys[i], CL_KEY_EC_P256, 0), CL_OK);
        struct cl_cert_template t = template_for(cn, keys[i]);
        t.issuer = issuer;
        t.is_ca = i != 0;
        t.key_usage = i != 0 ? CL_KU_KEY_CERT_SIGN : CL_KU_DIGITAL_SIGNATURE;
        t.no_key_ids = plain;
        if (i == 0) {
            t.dns_names = names;
            t.num_dns_names = 1;
            t.ext_key_usage = client ? CL_EKU_CLIENT_AUTH : CL_EKU_SERVER_AUTH;
        }
        make(&certs[i], &t, signer);
        issuer = certs[i];
        signer = keys[i];
        sent[i] = certs[i];
    }
    assert_int_equal(cl_chain_from_certs(&c->chain, sent, num + 1), CL_OK);
    c->key = cleat_key_ref(keys[0]);
    for (size_t i = 0; i <= num; i++) {
        cleat_key_free(keys[i]);
        cleat_cert_free(certs[i]);
    }
}

static void credential_drop(struct credential *c)
{
    cleat_chain_free(c->chain);
    cleat_key_free(c->key);
}

static void handshake(uint16_t version, size_t num, bool plain)
{
    struct credential server, client;
    struct test_identity id;
    struct test_pair p;
    credential_make(&server, num, false, plain);
    credential_make(&client, num, true, plain);
    id = (struct test_identity){.chain = server.chain, .key = server.key};
    struct cleat_tls_builder *s = test_server_builder_with(&id);
    struct cleat_tls_builder *c = test_client_builder();
    assert_int_equal(cleat_tls_builder_versions(s, version, version), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_versions(c, version, version), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
    assert_int_equal(cleat_tls_builder_credential(c, client.chain, client.key), CLEAT_OK);
    test_pair_make(&p, test_finish(c), test_finish(s), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_true(test_info(&p.server).peer_authenticated);
    assert_int_equal(cleat_verdict_path_num(cleat_tls_verdict(p.client.tls)), num + 2);
    assert_int_equal(cleat_verdict_path_num(cleat_tls_verdict(p.server.tls)), num + 2);
    test_pair_drop(&p);
    credential_drop(&server);
    credential_drop(&client);
}

static void test_both_ends_verify_chains_with_intermediates(void **state)
{
    for (size_t num = 0; num <= MAX_INTERMEDIATES; num++) {
        handshake(CLEAT_TLS_1_3, num, false);
        handshake(CLEAT_TLS_1_2, num, false);
    }
}

/* RFC 5280 4.2.1.1 asks it of CAs, not of those who verify. */
static void test_certificates_without_key_identifiers_are_accepted(void **state)
{
    handshake(CLEAT_TLS_1_3, 1, true);
}

/* ---- what the application supplies (CLEAT_DECIDE_EVIDENCE) ---- */

/* Whose chain lacks its intermediate, what is supplied, and what comes of it. */
struct lacking {
    uint16_t version;
    bool server_asks; /* the client's chain is the incomplete one */
    bool supply;
    enum cleat_revocation revocation;
    int code; /* CLEAT_OK: both get ready */
    uint8_t alert;
};

static struct cleat_tls_builder *that_asks(struct cleat_tls_builder *b, const struct lacking *row,
                                           bool asks)
{
    const struct cleat_revocation_options options = {.mode = row->revocation};
    assert_int_equal(cleat_tls_builder_versions(b, row->version, row->version), CLEAT_OK);
    if (asks) {
        cleat_tls_builder_decide(b, CLEAT_DECIDE_EVIDENCE);
        assert_int_equal(cleat_tls_builder_revocation(b, &options), CLEAT_OK);
    }
    return b;
}

static void make_lacking(struct test_pair *p, const struct lacking *row,
                         const struct credential *full)
{
    const struct cleat_cert *leaf = cl_chain_at(full->chain, 0);
    struct credential alone = {.key = full->key};
    struct test_identity id = *test_identity_of(CL_KEY_EC_P256, false);
    assert_int_equal(cl_chain_from_certs(&alone.chain, &leaf, 1), CL_OK);
    if (!row->server_asks) {
        id = (struct test_identity){.chain = alone.chain, .key = alone.key};
    }
    struct cleat_tls_builder *s = that_asks(test_server_builder_with(&id), row, row->server_asks);
    struct cleat_tls_builder *c = that_asks(test_client_builder(), row, !row->server_asks);
    if (row->server_asks) {
        assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
        cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
        assert_int_equal(cleat_tls_builder_credential(c, alone.chain, alone.key), CLEAT_OK);
    }
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
    cleat_chain_free(alone.chain);
}

static void run_lacking(const struct lacking *row)
{
    struct credential full;
    struct test_pair p;
    credential_make(&full, 1, row->server_asks, false);
    make_lacking(&p, row, &full);
    struct test_end *asks = row->server_asks ? &p.server : &p.client;
    struct test_end *other = row->server_asks ? &p.client : &p.server;
    const struct cleat_evidence evidence = {.certs = full.chain};
    assert_int_equal(cleat_tls_supply_evidence(asks->tls, &evidence), CLEAT_ERR_USAGE);
    test_pair_run(&p);
    assert_int_equal(asks->next, CLEAT_TLS_NEEDS_DECISION);
    assert_int_equal(cleat_tls_decision(asks->tls), CLEAT_DECIDE_EVIDENCE);
    assert_null(cleat_tls_verdict(asks->tls));
    assert_int_equal(cleat_tls_accept_peer(asks->tls), CLEAT_ERR_USAGE);
    test_pair_run(&p);
    assert_int_equal(asks->next, CLEAT_TLS_NEEDS_DECISION);
    assert_int_equal(cleat_tls_supply_evidence(asks->tls, row->supply ? &evidence : NULL),
                     CLEAT_OK);
    assert_int_equal(cleat_tls_supply_evidence(asks->tls, NULL), CLEAT_ERR_USAGE);
    test_pair_run(&p);
    if (row->code == CLEAT_OK) {
        test_assert_ready(&p);
        test_assert_echo(&p);
        assert_int_equal(cleat_verdict_path_num(cleat_tls_verdict(asks->tls)), 3);
    } else {
        test_assert_failed(asks, other, row->code, row->alert);
    }
    test_pair_drop(&p);
    credential_drop(&full);
}

static void test_what_the_application_supplies_is_verified_like_the_rest(void **state)
{
    const int unknown = CLEAT_ERR_REVOCATION_UNKNOWN;
    for (int i = 0; i < 4; i++) {
        const uint16_t version = (i & 1) != 0 ? CLEAT_TLS_1_3 : CLEAT_TLS_1_2;
        const bool server = (i & 2) != 0;
        const struct lacking rows[] = {
            {version, server, true, CLEAT_REVOCATION_OFF, CLEAT_OK, 0},
            {version, server, false, CLEAT_REVOCATION_OFF, CLEAT_ERR_UNKNOWN_ISSUER, 48},
            {version, server, true, CLEAT_REVOCATION_IF_KNOWN, CLEAT_OK, 0},
            {version, server, true, CLEAT_REVOCATION_REQUIRED, unknown, 46},
        };
        for (size_t k = 0; k < TEST_LEN(rows); k++) {
            run_lacking(&rows[k]);
        }
    }
}

static void test_evidence_can_be_refused_and_does_not_outlive_a_connection(void **state)
{
    const struct lacking row = {.version = CLEAT_TLS_1_3};
    struct credential full;
    struct test_pair p;
    for (int refuse = 0; refuse < 2; refuse++) {
        credential_make(&full, 1, false, false);
        make_lacking(&p, &row, &full);
        test_pair_run(&p);
        if (refuse != 0) {
            assert_int_equal(cleat_tls_refuse(p.client.tls, 40, "no time for that"), CLEAT_OK);
            test_pair_run(&p);
            test_assert_failed(&p.client, &p.server, CLEAT_ERR_REFUSED, 40);
        } else { /* supplied, and given up before it is looked at */
            const struct cleat_evidence evidence = {.certs = full.chain};
            assert_int_equal(cleat_tls_supply_evidence(p.client.tls, &evidence), CLEAT_OK);
        }
        test_pair_drop(&p);
        credential_drop(&full);
    }
}

/* ---- sessions are bound to it ---- */

static bool resumes_under(struct cleat_tls_session *session, int64_t max_age,
                          struct cleat_tls_config *server)
{
    const struct cleat_revocation_options options = {.mode = CLEAT_REVOCATION_IF_KNOWN,
                                                     .max_age = max_age};
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_revocation(c, &options), CLEAT_OK);
    test_pair_make(&p, test_finish(c), cleat_tls_config_ref(server), session);
    test_pair_run(&p);
    test_assert_ready(&p);
    bool resumed = test_info(&p.client).resumed;
    test_pair_drop(&p);
    return resumed;
}

static void test_a_session_is_not_resumed_when_responses_may_be_less_old(void **state)
{
    const struct cleat_revocation_options options = {.mode = CLEAT_REVOCATION_IF_KNOWN,
                                                     .max_age = 3600};
    struct cleat_ticket_keys *keys;
    struct cleat_tls_builder *s = test_server_builder();
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_tickets(s, keys, 2), CLEAT_OK);
    cleat_ticket_keys_free(keys);
    struct cleat_tls_config *server = test_finish(s);
    assert_int_equal(cleat_tls_builder_revocation(c, &options), CLEAT_OK);
    test_pair_make(&p, test_finish(c), cleat_tls_config_ref(server), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    struct cleat_tls_session *one = cleat_tls_take_session(p.client.tls);
    struct cleat_tls_session *two = cleat_tls_take_session(p.client.tls);
    test_pair_drop(&p);
    assert_false(resumes_under(one, 600, server));
    assert_true(resumes_under(two, 3600, server));
    cleat_tls_session_free(one);
    cleat_tls_session_free(two);
    cleat_tls_config_free(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ends_verify_chains_with_intermediates),
        cmocka_unit_test(test_certificates_without_key_identifiers_are_accepted),
        cmocka_unit_test(test_what_the_application_supplies_is_verified_like_the_rest),
        cmocka_unit_test(test_evidence_can_be_refused_and_does_not_outlive_a_connection),
        cmocka_unit_test(test_a_session_is_not_resumed_when_responses_may_be_less_old),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
