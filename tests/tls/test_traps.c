/* tests/tls/test_traps.c - what other peers do and BoringSSL's runner found: which certificate is
 * shown to whom, bytes that come too early, bytes that TLS 1.2 alone does not send. */
#include <string.h>

#include "tls/conn.h"
#include "tls/support_tls.h"

static struct cleat_tls_builder *at_12(struct cleat_tls_builder *b)
{
    assert_int_equal(cleat_tls_builder_versions(b, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    return b;
}

static struct cleat_tls_builder *with(struct cleat_tls_builder *b, enum cl_key_type type)
{
    const struct test_identity *id = test_identity_of(type, false);
    assert_int_equal(cleat_tls_builder_credential(b, id->chain, id->key), CLEAT_OK);
    return b;
}

static void join(struct test_pair *p, struct cleat_tls_builder *c, struct cleat_tls_builder *s)
{
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
    test_pair_run(p);
}

/* ---- which certificate ---- */

/* RFC 8422 5.3: the key of the server's certificate respects the client's list of curves. */
static void test_a_certificate_on_a_curve_the_client_lacks_is_not_shown_in_tls_12(void **state)
{
    struct cleat_tls_builder *c = at_12(test_client_builder());
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_groups(c, "X25519"), CLEAT_OK);
    join(&p, c, at_12(test_server_builder())); /* ECDSA P-256 */
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_NO_SHARED_GROUP, 40);
    test_pair_drop(&p);
}

static void test_another_certificate_is_shown_where_the_curve_does_not_fit(void **state)
{
    struct cleat_tls_builder *c = at_12(test_client_builder());
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_groups(c, "X25519"), CLEAT_OK);
    join(&p, c, with(at_12(test_server_builder()), CL_KEY_RSA));
    test_assert_ready(&p);
    test_pair_drop(&p);
}

/* The server was told that P-256 is fine; the client has not said so. */
static void test_a_client_refuses_a_certificate_on_a_curve_it_did_not_offer(void **state)
{
    struct test_edit edit = {
        .type = 1, .edit = test_edit_ext_put, .ext = 10, .hex = "0004001d0017"};
    struct cleat_tls_builder *c = at_12(test_client_builder());
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_groups(c, "X25519"), CLEAT_OK);
    test_builder_edit(c, &edit);
    join(&p, c, at_12(test_server_builder()));
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_ILLEGAL_PARAMETER, 47);
    assert_non_null(strstr(cleat_tls_error(p.client.tls)->text, "curve"));
    test_pair_drop(&p);
}

static void test_a_credential_signs_with_its_own_schemes(void **state)
{
    struct cleat_tls_builder *s = with(test_server_builder(), CL_KEY_RSA);
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_credential_signatures(s, "rsa_pss_rsae_sha512"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_signatures(c, "rsa_pss_rsae_sha256:rsa_pss_rsae_sha512"
                                                     ":ecdsa_secp384r1_sha384"),
                     CLEAT_OK);
    join(&p, c, s);
    test_assert_ready(&p);
    assert_string_equal(test_info(&p.client).signature_name, "rsa_pss_rsae_sha512");
    test_pair_drop(&p);
}

static void test_the_first_credential_is_taken_where_order_counts(void **state)
{
    for (int in_order = 0; in_order < 2; in_order++) {
        struct cleat_tls_builder *s;
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_new(CLEAT_SERVER, &s), CLEAT_OK);
        cleat_tls_builder_clock(s, test_clock, NULL);
        (void)with(with(s, CL_KEY_RSA), CL_KEY_EC_P256);
        if (in_order) {
            cleat_tls_builder_credentials_in_order(s);
        }
        join(&p, test_client_builder(), s);
        test_assert_ready(&p);
        assert_string_equal(test_info(&p.client).signature_name,
                            in_order ? "rsa_pss_rsae_sha256" : "ecdsa_secp256r1_sha256");
        test_pair_drop(&p);
    }
}

static void test_an_option_of_a_credential_needs_one(void **state)
{
    struct cleat_tls_builder *b;
    assert_int_equal(cleat_tls_builder_new(CLEAT_SERVER, &b), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_credential_match_issuer(b), CLEAT_ERR_BAD_CONFIG);
    assert_int_equal(cleat_tls_builder_credential_signatures(b, "ed25519"), CLEAT_ERR_BAD_CONFIG);
    cleat_tls_builder_free(b);
}

static struct cleat_tls_builder *client_for(struct cleat_tls_builder *c)
{
    assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                     CLEAT_OK);
    assert_int_equal(cleat_tls_builder_credential_match_issuer(c), CLEAT_OK);
    return c;
}

static struct cleat_tls_builder *asking(struct cleat_tls_builder *s, struct cleat_trust_store *cas)
{
    assert_int_equal(cleat_tls_builder_trust(s, cas), CLEAT_OK);
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_OPTIONAL);
    return s;
}

/* RFC 9846 4.3.4, RFC 5246 7.4.4: the names that a CertificateRequest carries. */
static void test_a_client_certificate_bound_to_its_issuer_waits_for_its_name(void **state)
{
    struct test_ca stranger;
    test_ca_make(&stranger, "Another CA");
    for (int i = 0; i < 4; i++) {
        bool named = i % 2 == 0;
        struct cleat_tls_builder *c = client_for(test_client_builder());
        struct test_pair p;
        c = i < 2 ? c : at_12(c);
        join(&p, c,
             asking(i < 2 ? test_server_builder() : at_12(test_server_builder()),
                    named ? world.ca.store : stranger.store));
        test_assert_ready(&p);
        assert_int_equal(test_info(&p.server).peer_authenticated, named);
        test_pair_drop(&p);
    }
    test_ca_drop(&stranger);
}

static void edit_types(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                       size_t start)
{
    (void)e;
    (void)tls;
    assert_int_equal(flight->p[start + 4], 2);
    flight->p[start + 5] = 1; /* rsa_sign, twice: no ecdsa_sign */
    flight->p[start + 6] = 1;
}

/* RFC 5246 7.4.4: certificate_types */
static void test_a_client_shows_no_certificate_of_a_type_that_is_not_taken(void **state)
{
    struct test_edit edit = {.type = 13, .edit = edit_types};
    struct cleat_tls_builder *c = at_12(test_client_builder());
    struct cleat_tls_builder *s = asking(at_12(test_server_builder()), world.ca.store);
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                     CLEAT_OK);
    test_builder_edit(s, &edit);
    join(&p, c, s);
    test_assert_ready(&p);
    assert_false(test_info(&p.server).peer_authenticated);
    test_pair_drop(&p);
}

/* ---- too early ---- */

static void edit_append(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                        size_t start)
{
    static const uint8_t begun[] = {0x14, 0, 0};
    (void)e;
    (void)tls;
    (void)start;
    assert_int_equal(cl_buf_append(flight, begun, sizeof(begun), 1 << 20), CL_OK);
}

static const struct {
    uint8_t message; /* which ends a flight */
    bool by_server;
    uint16_t version;
} ends[] = {
    {1, false, CLEAT_TLS_1_3},  {1, false, CLEAT_TLS_1_2},  {14, true, CLEAT_TLS_1_2},
    {20, false, CLEAT_TLS_1_2}, {20, false, CLEAT_TLS_1_3}, {20, true, CLEAT_TLS_1_2},
};

static void test_bytes_behind_the_end_of_a_flight_are_refused(void **state)
{
    for (size_t i = 0; i < TEST_LEN(ends); i++) {
        struct test_edit edit = {.type = ends[i].message, .edit = edit_append};
        struct cleat_tls_builder *c = test_client_builder();
        struct cleat_tls_builder *s = test_server_builder();
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_versions(c, ends[i].version, ends[i].version), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_versions(s, ends[i].version, ends[i].version), CLEAT_OK);
        test_builder_edit(ends[i].by_server ? s : c, &edit);
        join(&p, c, s);
        print_message("%zu\n", i);
        test_assert_failed(ends[i].by_server ? &p.client : &p.server, NULL,
                           CLEAT_ERR_UNEXPECTED_MESSAGE, 10);
        test_pair_drop(&p);
    }
}

/* ---- what goes out ---- */

/* RFC 5246 7.4.1.2: the session ID is that of a session to be resumed; there is none. */
static void test_a_client_of_tls_12_alone_sends_no_session_id(void **state)
{
    struct test_pair p;
    join(&p, at_12(test_client_builder()), test_server_builder());
    struct cl_rd hello = test_message(&p.client, true, 1, 0);
    assert_int_equal(hello.p[4 + 2 + 32], 0);
    test_pair_drop(&p);
}

/* RFC 8422 5.2 has no place for it in a ServerHello; servers send it. */
static void test_supported_groups_in_a_server_hello_of_tls_12_is_ignored(void **state)
{
    struct test_edit edit = {.type = 2, .edit = test_edit_ext_append, .ext = 10, .hex = "0002001d"};
    struct cleat_tls_builder *s = at_12(test_server_builder());
    struct test_pair p;
    test_builder_edit(s, &edit);
    join(&p, at_12(test_client_builder()), s);
    test_assert_ready(&p);
    test_pair_drop(&p);
}

/* ---- who resumes ---- */

static struct cleat_tls_session *first_session(struct cleat_tls_config *c,
                                               struct cleat_tls_config *s)
{
    return test_session_of(cleat_tls_config_ref(c), cleat_tls_config_ref(s), "localhost");
}

/* A resumption, to the point where the client's application is asked. */
static void resume_asked(struct test_pair *p, struct cleat_tls_config *c,
                         struct cleat_tls_config *s, struct cleat_tls_session *session)
{
    test_pair_make(p, cleat_tls_config_ref(c), cleat_tls_config_ref(s), session);
    test_pair_run(p);
    assert_int_equal(p->client.next, CLEAT_TLS_NEEDS_DECISION);
    assert_int_equal(cleat_tls_decision(p->client.tls), CLEAT_DECIDE_RESUMED);
}

/* A session keeps an authentication that the application may not hold true any more. */
static void test_a_resumed_peer_can_be_judged_anew(void **state)
{
    for (uint16_t version = CLEAT_TLS_1_2; version <= CLEAT_TLS_1_3; version++) {
        struct cleat_tls_builder *cb = test_client_builder();
        struct cleat_tls_builder *sb = test_server_builder();
        struct cleat_ticket_keys *keys;
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_versions(cb, version, version), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_versions(sb, version, version), CLEAT_OK);
        cleat_tls_builder_decide(cb, CLEAT_DECIDE_RESUMED);
        assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_tickets(sb, keys, 1), CLEAT_OK);
        struct cleat_tls_config *c = test_finish(cb);
        struct cleat_tls_config *s = test_finish(sb);
        struct cleat_tls_session *session = first_session(c, s);

        resume_asked(&p, c, s, session);
        assert_int_equal(cleat_tls_accept_peer(p.client.tls), CLEAT_OK);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_true(test_info(&p.client).resumed);
        test_pair_drop(&p);

        resume_asked(&p, c, s, session);
        assert_int_equal(cleat_tls_refuse(p.client.tls, 46, "revoked since"), CLEAT_OK);
        test_pair_run(&p);
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_REFUSED, 46);
        test_pair_drop(&p);

        cleat_tls_session_free(session);
        cleat_tls_config_free(c);
        cleat_tls_config_free(s);
        cleat_ticket_keys_free(keys);
    }
}

/* RFC 9846 4.2.2: a PSK that goes with the suite stays in the second ClientHello. */
static void test_a_psk_may_not_vanish_after_a_retry(void **state)
{
    struct test_edit edit = {.type = 1, .skip = 1, .edit = test_edit_ext_remove, .ext = 41};
    struct cleat_tls_builder *cb = test_client_builder();
    struct cleat_tls_builder *sb = test_server_builder();
    struct cleat_ticket_keys *keys;
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_groups(cb, "P-256:X25519"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_groups(sb, "X25519"), CLEAT_OK);
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_tickets(sb, keys, 1), CLEAT_OK);
    struct cleat_tls_config *s = test_finish(sb);
    struct cleat_tls_config *c = test_finish(cb);
    struct cleat_tls_session *session = first_session(c, s);
    cleat_tls_config_free(c);
    cb = test_client_builder();
    assert_int_equal(cleat_tls_builder_groups(cb, "P-256:X25519"), CLEAT_OK);
    test_builder_edit(cb, &edit);
    test_pair_make(&p, test_finish(cb), s, session);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_MISSING_EXTENSION, 109);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
    cleat_ticket_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_certificate_on_a_curve_the_client_lacks_is_not_shown_in_tls_12),
        cmocka_unit_test(test_another_certificate_is_shown_where_the_curve_does_not_fit),
        cmocka_unit_test(test_a_client_refuses_a_certificate_on_a_curve_it_did_not_offer),
        cmocka_unit_test(test_a_credential_signs_with_its_own_schemes),
        cmocka_unit_test(test_the_first_credential_is_taken_where_order_counts),
        cmocka_unit_test(test_an_option_of_a_credential_needs_one),
        cmocka_unit_test(test_a_client_certificate_bound_to_its_issuer_waits_for_its_name),
        cmocka_unit_test(test_a_client_shows_no_certificate_of_a_type_that_is_not_taken),
        cmocka_unit_test(test_bytes_behind_the_end_of_a_flight_are_refused),
        cmocka_unit_test(test_a_client_of_tls_12_alone_sends_no_session_id),
        cmocka_unit_test(test_a_psk_may_not_vanish_after_a_retry),
        cmocka_unit_test(test_a_resumed_peer_can_be_judged_anew),
        cmocka_unit_test(test_supported_groups_in_a_server_hello_of_tls_12_is_ignored),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
