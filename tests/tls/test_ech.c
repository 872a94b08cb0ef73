/* tests/tls/test_ech.c - Encrypted Client Hello (RFC 9849), our client against our server: accepted
 * and rejected, with a HelloRetryRequest, resumed, with early data, with a dummy. */
#include <string.h>

#include "cleat/tls_options.h"
#include "tls/conn.h"
#include "tls/support_ech.h"

static struct test_ech key, other;
static const struct test_ech *const only_key[] = {&key};
static const struct test_ech *const only_other[] = {&other};

static int setup(void **state)
{
    test_world_setup(state);
    test_ech_make(&key, NULL, 7);
    test_ech_make(&other, NULL, 8);
    return 0;
}

static int teardown(void **state)
{
    test_ech_drop(&key);
    test_ech_drop(&other);
    return test_world_teardown(state);
}

static void assert_accepted(struct test_pair *p)
{
    test_assert_ready(p);
    assert_int_equal(cleat_tls_ech_status(p->client.tls), CLEAT_ECH_ACCEPTED);
    assert_int_equal(cleat_tls_ech_status(p->server.tls), CLEAT_ECH_ACCEPTED);
    assert_string_equal(test_info(&p->server).server_name, TEST_ECH_HOST);
    assert_null(cleat_tls_ech_public_name(p->client.tls));
    test_assert_echo(p);
    /* the name of the host is nowhere in what crossed; the public one is */
    assert_false(test_has_bytes(&p->to_server, TEST_ECH_HOST));
    assert_false(test_has_bytes(&p->to_client, TEST_ECH_HOST));
    assert_true(test_has_bytes(&p->to_server, TEST_ECH_PUBLIC));
}

static void test_the_inner_name_is_served_and_never_seen_on_the_wire(void **state)
{
    static const char *const kems[] = {"X25519", "P-256", "P-384", "P-521"};
    for (size_t i = 0; i < TEST_LEN(kems); i++) {
        struct test_ech made;
        const struct test_ech *const keys[] = {&other, &made};
        struct test_pair p;
        test_ech_make(&made, kems[i], 7);
        test_ech_pair(&p, test_ech_client(), test_ech_server(keys, 2, 0), &made, NULL);
        test_pair_run(&p);
        assert_accepted(&p);
        test_pair_drop(&p);
        test_ech_drop(&made);
    }
}

static void test_without_ech_the_name_is_seen(void **state)
{
    struct test_pair p;
    test_ech_pair(&p, test_ech_client(), test_ech_server(only_key, 1, 0), NULL, NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_true(test_has_bytes(&p.to_server, TEST_ECH_HOST));
    test_pair_drop(&p);
}

static struct cleat_tls_builder *needs_retry(struct cleat_tls_builder *server)
{
    assert_int_equal(cleat_tls_builder_groups(server, "P-384"), CLEAT_OK);
    return server;
}

static void test_a_retry_request_is_confirmed_and_answered_by_both_hellos(void **state)
{
    struct test_pair p;
    test_ech_pair(&p, test_ech_client(), needs_retry(test_ech_server(only_key, 1, 0)), &key, NULL);
    test_pair_run(&p);
    assert_true(test_info(&p.client).hello_retry);
    assert_accepted(&p);
    /* beside ECH our server sends no cookie: Go's clients would refer to one that they do not send
     */
    struct cl_rd retry = test_message(&p.server, true, CL_HT_SERVER_HELLO, 0);
    const struct cl_buf copy = {.p = (uint8_t *)(uintptr_t)retry.p, .len = retry.len};
    assert_int_equal(test_ext_find(&copy, 0, CL_ET_COOKIE), 0);
    assert_int_not_equal(test_ext_find(&copy, 0, CL_ET_ENCRYPTED_CLIENT_HELLO), 0);
    test_pair_drop(&p);
}

/* What a client does that was told new configurations: once more, with them. */
static void test_a_rejection_gives_configurations_that_then_work(void **state)
{
    for (int retried = 0; retried < 2; retried++) {
        struct test_pair p;
        struct test_ech fresh = {0};
        size_t len;
        struct cleat_tls_builder *s = test_ech_server(only_other, 1, 0);
        test_ech_pair(&p, test_ech_client(), retried ? needs_retry(s) : s, &key, NULL);
        test_pair_run(&p);
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_ECH_REJECTED, 121);
        assert_false(p.client.told_ready);
        assert_null(cleat_tls_take_session(p.client.tls));
        assert_string_equal(cleat_tls_ech_public_name(p.client.tls), TEST_ECH_PUBLIC);
        assert_int_equal(cleat_tls_ech_status(p.client.tls), CLEAT_ECH_REJECTED);
        const uint8_t *list = cleat_tls_ech_retry_configs(p.client.tls, &len);
        assert_int_equal(len, other.list.len);
        assert_memory_equal(list, other.list.p, len);
        assert_int_equal(cl_buf_append(&fresh.list, list, len, len), CL_OK);
        assert_false(test_has_bytes(&p.to_server, TEST_ECH_HOST));
        test_pair_drop(&p);
        test_ech_pair(&p, test_ech_client(), test_ech_server(only_other, 1, 0), &fresh, NULL);
        test_pair_run(&p);
        assert_accepted(&p);
        test_pair_drop(&p);
        test_ech_drop(&fresh);
    }
}

static void test_keys_that_are_hidden_decrypt_but_are_not_given_out(void **state)
{
    const struct test_ech *const keys[] = {&other, &key};
    struct test_ech third;
    struct test_pair p;
    size_t len;
    test_ech_make(&third, NULL, 9);
    test_ech_pair(&p, test_ech_client(), test_ech_server(keys, 2, 1), &other, NULL);
    test_pair_run(&p);
    assert_accepted(&p);
    test_pair_drop(&p);
    test_ech_pair(&p, test_ech_client(), test_ech_server(keys, 2, 1), &third, NULL);
    test_pair_run(&p);
    const uint8_t *list = cleat_tls_ech_retry_configs(p.client.tls, &len);
    assert_int_equal(len, key.list.len);
    assert_memory_equal(list, key.list.p, len);
    test_pair_drop(&p);
    test_ech_drop(&third);
}

/* RFC 9849 6.1.6: "the client can regard ECH as securely disabled by the server". */
static void test_a_server_without_ech_rejects_without_configurations(void **state)
{
    for (int old = 0; old < 2; old++) {
        struct cleat_tls_builder *s = test_ech_server(NULL, 0, 0);
        struct test_pair p;
        size_t len;
        if (old) {
            assert_int_equal(cleat_tls_builder_versions(s, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
        }
        test_ech_pair(&p, test_ech_client(), s, &key, NULL);
        test_pair_run(&p);
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_ECH_REJECTED, 121);
        assert_null(cleat_tls_ech_retry_configs(p.client.tls, &len));
        assert_int_equal(len, 0);
        assert_null(cleat_tls_take_session(p.client.tls));
        test_pair_drop(&p);
    }
}

/* RFC 9849 6.1.6: a failed authentication is no "secure signal to disable ECH". */
static void test_a_rejection_by_a_stranger_gives_no_configurations(void **state)
{
    struct cleat_tls_builder *s = test_server_builder(); /* a certificate for localhost */
    struct cleat_ech_keys *set;
    struct test_pair p;
    size_t len;
    assert_int_equal(cleat_ech_keys_new(&set), CLEAT_OK);
    assert_int_equal(cleat_ech_keys_add_pem(set, other.pem, strlen(other.pem), true, NULL),
                     CLEAT_OK);
    assert_int_equal(cleat_tls_builder_ech_keys(s, set), CLEAT_OK);
    cleat_ech_keys_free(set);
    test_ech_pair(&p, test_ech_client(), s, &key, NULL);
    test_pair_run(&p);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_NAME_MISMATCH, 42);
    assert_non_null(strstr(cleat_tls_error(p.client.tls)->text, TEST_ECH_PUBLIC));
    assert_null(cleat_tls_ech_retry_configs(p.client.tls, &len));
    test_pair_drop(&p);
}

static struct cleat_tls_builder *with_client_certificate(void)
{
    struct cleat_tls_builder *b = test_ech_client();
    assert_int_equal(cleat_tls_builder_credential(b, world.client.chain, world.client.key),
                     CLEAT_OK);
    return b;
}

static struct cleat_tls_builder *asking(const struct test_ech *const *keys)
{
    struct cleat_tls_builder *b = test_ech_server(keys, 1, 0);
    assert_int_equal(cleat_tls_builder_trust(b, world.ca.store), CLEAT_OK);
    cleat_tls_builder_client_auth(b, CLEAT_CLIENT_AUTH_OPTIONAL);
    return b;
}

/* RFC 9849 6.1.7. */
static void test_a_client_certificate_is_not_shown_to_who_rejects(void **state)
{
    struct test_pair p;
    test_ech_pair(&p, with_client_certificate(), asking(only_key), &key, NULL);
    test_pair_run(&p);
    assert_accepted(&p);
    assert_non_null(cleat_tls_peer_leaf(p.server.tls));
    test_pair_drop(&p);
    test_ech_pair(&p, with_client_certificate(), asking(only_other), &key, NULL);
    test_pair_run(&p);
    assert_int_equal(cleat_tls_error(p.client.tls)->code, CLEAT_ERR_ECH_REJECTED);
    assert_null(cleat_tls_peer_leaf(p.server.tls));
    test_pair_drop(&p);
}

/* ---- resumption ---- */

static struct cleat_ticket_keys *ticket_keys;

static struct cleat_tls_builder *resuming(const struct test_ech *const *keys, size_t num)
{
    struct cleat_tls_builder *b = test_ech_server(keys, num, 0);
    if (ticket_keys == NULL) {
        assert_int_equal(cleat_ticket_keys_new(0, &ticket_keys), CLEAT_OK);
    }
    assert_int_equal(cleat_tls_builder_tickets(b, ticket_keys, 1), CLEAT_OK);
    return b;
}

static struct cleat_tls_session *session_of(uint16_t version, const struct test_ech *offered)
{
    struct cleat_tls_builder *s = resuming(only_key, 1);
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_versions(s, CLEAT_TLS_1_2, version), CLEAT_OK);
    test_ech_pair(&p, test_ech_client(), s, offered, NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    struct cleat_tls_session *session = cleat_tls_take_session(p.client.tls);
    assert_non_null(session);
    test_pair_drop(&p);
    return session;
}

static void test_a_session_is_resumed_by_the_inner_hello_and_hidden(void **state)
{
    for (int retried = 0; retried < 2; retried++) {
        struct cleat_tls_session *session = session_of(CLEAT_TLS_1_3, retried ? NULL : &key);
        struct cleat_tls_builder *s = resuming(only_key, 1);
        struct test_pair p;
        test_ech_pair(&p, test_ech_client(), retried ? needs_retry(s) : s, &key, session);
        test_pair_run(&p);
        assert_true(test_info(&p.server).resumed);
        test_assert_ready(&p);
        assert_int_equal(cleat_tls_ech_status(p.client.tls), CLEAT_ECH_ACCEPTED);
        assert_false(test_has_bytes(&p.to_server, TEST_ECH_HOST));
        /* the ticket itself is not seen: what is in its place is random (RFC 9849 6.1.2) */
        assert_null(memmem(p.to_server.p, p.to_server.len, session->ticket.p, 16));
        cleat_tls_session_free(session);
        test_pair_drop(&p);
    }
}

static void test_a_session_of_tls_12_is_not_offered_beside_ech(void **state)
{
    struct cleat_tls_session *session = session_of(CLEAT_TLS_1_2, NULL);
    struct test_pair p;
    test_ech_pair(&p, test_ech_client(), resuming(only_key, 1), &key, session);
    test_pair_run(&p);
    assert_accepted(&p);
    assert_false(test_info(&p.client).resumed);
    cleat_tls_session_free(session);
    test_pair_drop(&p);
}

static void test_a_session_is_not_used_when_ech_is_rejected(void **state)
{
    struct cleat_tls_session *session = session_of(CLEAT_TLS_1_3, &key);
    struct test_pair p;
    test_ech_pair(&p, test_ech_client(), resuming(only_other, 1), &key, session);
    test_pair_run(&p);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_ECH_REJECTED, 121);
    assert_null(cleat_tls_take_session(p.client.tls));
    cleat_tls_session_free(session);
    test_pair_drop(&p);
}

/* ---- the dummy ---- */

static void test_a_client_without_a_configuration_sends_a_dummy(void **state)
{
    for (int retried = 0; retried < 2; retried++) {
        struct cleat_tls_builder *s = test_ech_server(only_key, 1, 0);
        struct cleat_tls_builder *c = test_ech_client();
        struct test_pair p;
        size_t len;
        cleat_tls_builder_ech_grease(c, true);
        test_ech_pair(&p, c, retried ? needs_retry(s) : s, NULL, NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_int_equal(cleat_tls_ech_status(p.client.tls), CLEAT_ECH_GREASE);
        assert_int_equal(cleat_tls_ech_status(p.server.tls), CLEAT_ECH_REJECTED);
        assert_null(cleat_tls_ech_public_name(p.client.tls));
        /* RFC 9849 6.2.1: "It MUST NOT save the "retry_configs" value" */
        assert_null(cleat_tls_ech_retry_configs(p.client.tls, &len));
        test_assert_echo(&p);
        test_pair_drop(&p);
    }
}

static void test_a_dummy_follows_the_other_grease_unless_told_otherwise(void **state)
{
    static const struct {
        bool all;
        int own; /* -1: not set */
        enum cleat_ech_status status;
    } rows[] = {
        {true, -1, CLEAT_ECH_GREASE},
        {false, -1, CLEAT_ECH_NONE},
        {true, 0, CLEAT_ECH_NONE},
        {false, 1, CLEAT_ECH_GREASE},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *c = test_ech_client();
        struct test_pair p;
        cleat_tls_builder_grease(c, rows[i].all);
        if (rows[i].own >= 0) {
            cleat_tls_builder_ech_grease(c, rows[i].own != 0);
        }
        test_ech_pair(&p, c, test_ech_server(only_key, 1, 0), NULL, NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_int_equal(cleat_tls_ech_status(p.client.tls), rows[i].status);
        test_pair_drop(&p);
    }
}

/* ---- what is told ---- */

static void test_the_key_log_tells_what_the_outer_hello_was_encrypted_with(void **state)
{
    struct test_pair p;
    test_ech_pair(&p, test_ech_client(), test_ech_server(only_key, 1, 0), &key, NULL);
    test_pair_run(&p);
    const struct cl_secret *ours = test_secret(&p.client, "ECH_SECRET");
    const struct cl_secret *theirs = test_secret(&p.server, "ECH_SECRET");
    assert_int_equal(ours->len, 32);
    assert_memory_equal(ours->bytes, theirs->bytes, 32);
    assert_true(test_log_has(&p.client, "offered: the public name that can be seen"));
    test_pair_drop(&p);
}

static void test_padding_hides_how_long_the_name_is(void **state)
{
    static const char *const hosts[] = {"a.example.test", "quite-a-long-name.example.test"};
    size_t lens[2];
    for (size_t i = 0; i < TEST_LEN(hosts); i++) {
        struct test_pair p;
        test_pair_make_for(&p, hosts[i], test_client_config(),
                           test_finish(test_ech_server(only_key, 1, 0)), NULL);
        assert_int_equal(cleat_tls_offer_ech(p.client.tls, key.list.p, key.list.len), CLEAT_OK);
        struct cl_buf out = {0};
        test_end_step(&p.client, &out, 0);
        while (p.client.next == CLEAT_TLS_NEEDS_JOB) {
            cleat_job_run(cleat_tls_job(p.client.tls));
            test_end_step(&p.client, &out, 0);
        }
        lens[i] = out.len;
        cl_buf_deinit(&out);
        test_pair_drop(&p);
    }
    assert_int_equal(lens[0], lens[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_inner_name_is_served_and_never_seen_on_the_wire),
        cmocka_unit_test(test_without_ech_the_name_is_seen),
        cmocka_unit_test(test_a_retry_request_is_confirmed_and_answered_by_both_hellos),
        cmocka_unit_test(test_a_rejection_gives_configurations_that_then_work),
        cmocka_unit_test(test_keys_that_are_hidden_decrypt_but_are_not_given_out),
        cmocka_unit_test(test_a_server_without_ech_rejects_without_configurations),
        cmocka_unit_test(test_a_rejection_by_a_stranger_gives_no_configurations),
        cmocka_unit_test(test_a_client_certificate_is_not_shown_to_who_rejects),
        cmocka_unit_test(test_a_session_is_resumed_by_the_inner_hello_and_hidden),
        cmocka_unit_test(test_a_session_of_tls_12_is_not_offered_beside_ech),
        cmocka_unit_test(test_a_session_is_not_used_when_ech_is_rejected),
        cmocka_unit_test(test_a_client_without_a_configuration_sends_a_dummy),
        cmocka_unit_test(test_a_dummy_follows_the_other_grease_unless_told_otherwise),
        cmocka_unit_test(test_the_key_log_tells_what_the_outer_hello_was_encrypted_with),
        cmocka_unit_test(test_padding_hides_how_long_the_name_is),
    };
    int failed = cmocka_run_group_tests(tests, setup, teardown);
    cleat_ticket_keys_free(ticket_keys);
    return failed;
}
