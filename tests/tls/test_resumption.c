/* tests/tls/test_resumption.c - sessions and tickets: when they resume, and everything that must
 * keep them from it. A test that wants a client to offer what it should not gives the session the
 * binding of the new connection by force: what is tested is then the server's judgement. */
#include <string.h>

#include "tls/conn.h"
#include "cleat/tls_options.h"
#include "tls/support_tls.h"

static struct cleat_ticket_keys *keys;

static int setup(void **state)
{
    int r = test_world_setup(state);
    assert_int_equal(cleat_ticket_keys_new(3600, &keys), CLEAT_OK);
    return r;
}

static int teardown(void **state)
{
    cleat_ticket_keys_free(keys);
    return test_world_teardown(state);
}

/* Each test starts at the same time. */
static int at_now(void **state)
{
    (void)state;
    world.now_ms = TEST_NOW_MS;
    return 0;
}

static struct cleat_tls_builder *server(void)
{
    struct cleat_tls_builder *b = test_server_builder();
    assert_int_equal(cleat_tls_builder_tickets(b, keys, 1), CLEAT_OK);
    return b;
}

static struct cleat_tls_builder *asking_server(enum cleat_client_auth mode)
{
    struct cleat_tls_builder *b = server();
    cleat_tls_builder_client_auth(b, mode);
    assert_int_equal(cleat_tls_builder_trust(b, world.ca.store), CLEAT_OK);
    return b;
}

static struct cleat_tls_builder *proving_client(void)
{
    struct cleat_tls_builder *b = test_client_builder();
    assert_int_equal(cleat_tls_builder_credential(b, world.client.chain, world.client.key),
                     CLEAT_OK);
    return b;
}

static struct cleat_tls_session *session_with(struct cleat_tls_builder *c,
                                              struct cleat_tls_builder *s, const char *host)
{
    return test_session_of(test_finish(c), test_finish(s), host);
}

static struct cleat_tls_session *a_session(void)
{
    return session_with(test_client_builder(), server(), "localhost");
}

enum outcome {
    NOT_OFFERED, /* the client keeps it to itself; the handshake is a full one */
    FULL,        /* offered, and silently not taken */
    RESUMED,
};

static void assert_outcome(const char *what, const struct test_pair *p, enum outcome want)
{
    test_assert_ready(p);
    struct cl_rd hello = test_message(&p->client, true, 1, 0);
    struct cl_buf view = {.p = (uint8_t *)(uintptr_t)hello.p, .len = hello.len, .cap = hello.len};
    bool offered = test_ext_find(&view, 0, 41) != 0;
    bool resumed = test_info(&p->client).resumed;
    assert_int_equal(test_info(&p->server).resumed, resumed);
    enum outcome got = !offered ? NOT_OFFERED : resumed ? RESUMED : FULL;
    if (got != want) {
        fail_msg("%s: outcome %d, expected %d (%s)", what, got, want, p->server.log.ticket);
    }
}

/* A second connection with the session; force: offered whatever the client thinks of it. */
static void again(const char *what, struct cleat_tls_builder *c, struct cleat_tls_builder *s,
                  const char *host, struct cleat_tls_session *session, bool force,
                  enum outcome want)
{
    struct test_pair p;
    struct cleat_tls_config *config = test_finish(c);
    if (force) {
        cl_session_binding(config, host, session->binding);
    }
    test_pair_make_for(&p, host, config, test_finish(s), session);
    test_pair_run(&p);
    assert_outcome(what, &p, want);
    test_assert_echo(&p);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

/* ---- who may resume ---- */

static void test_a_session_resumes_and_is_renewed(void **state)
{
    struct cleat_tls_session *session = a_session();
    for (int i = 0; i < 3; i++) {
        struct test_pair p;
        test_pair_make(&p, test_client_config(), test_finish(server()), session);
        test_pair_run(&p);
        assert_outcome("renewed", &p, RESUMED);
        assert_true(test_info(&p.client).peer_authenticated);
        assert_int_equal(test_count_messages(&p.server, true, 11), 0);
        const uint8_t *der;
        size_t len;
        assert_int_equal(cleat_tls_peer_cert(p.client.tls, 0, &der, &len), CLEAT_OK);
        struct cleat_tls_session *next = cleat_tls_take_session(p.client.tls);
        assert_non_null(next);
        assert_memory_not_equal(next->psk.bytes, session->psk.bytes, 32);
        cleat_tls_session_free(session);
        session = next;
        test_pair_drop(&p);
    }
    cleat_tls_session_free(session);
}

static void test_names_are_compared_without_case(void **state)
{
    again("client's case", test_client_builder(), server(), "LocalHost",
          session_with(test_client_builder(), server(), "LOCALHOST."), false, RESUMED);
}

/* CVE-2026-53622 and its kin: a name in another case reaches the same host, and none but that. */
static void test_a_name_in_mixed_case_on_the_wire_is_the_same_host(void **state)
{
    /* "lOcAlHoSt" */
    struct test_edit edit = {
        .type = 1, .edit = test_edit_ext_put, .ext = 0, .hex = "000c0000096c4f63416c486f5374"};
    struct cleat_tls_builder *c = test_client_builder();
    test_builder_edit(c, &edit);
    struct cleat_tls_session *session = session_with(c, server(), "localhost");
    again("same host", test_client_builder(), server(), "localhost", cleat_tls_session_ref(session),
          false, RESUMED);
    again("other host", test_client_builder(), server(), "www.example.test", session, true, FULL);
}

static void test_a_client_offers_a_session_to_its_own_host_only(void **state)
{
    again("other name", test_client_builder(), server(), "www.example.test", a_session(), false,
          NOT_OFFERED);
}

static void test_a_server_takes_a_ticket_for_its_own_name_only(void **state)
{
    again("other name", test_client_builder(), server(), "www.example.test", a_session(), true,
          FULL);
    struct test_edit edit = {.type = 1, .edit = test_edit_ext_remove, .ext = 0};
    struct cleat_tls_session *session = a_session();
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    test_builder_edit(c, &edit);
    test_pair_make(&p, test_finish(c), test_finish(server()), session);
    test_pair_run(&p);
    /* without the name the binder is wrong too, but nobody gets to look at it */
    assert_outcome("no name", &p, FULL);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_a_ticket_is_bound_to_the_configuration_that_made_it(void **state)
{
    static const char *const h2[] = {"h2"};
    static const char *const both[] = {"h2", "http/1.1"};
    struct cleat_tls_builder *s = server();
    assert_int_equal(cleat_tls_builder_binding(s, "tenant 1"), CLEAT_OK);
    again("other binding", test_client_builder(), s, "localhost", a_session(), true, FULL);

    s = server();
    assert_int_equal(cleat_tls_builder_alpn(s, h2, 1), CLEAT_OK);
    again("other protocols", test_client_builder(), s, "localhost", a_session(), true, FULL);

    struct cleat_tls_builder *c = test_client_builder();
    s = server();
    assert_int_equal(cleat_tls_builder_alpn(c, both, 2), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_alpn(s, both, 2), CLEAT_OK);
    struct cleat_tls_session *session = session_with(c, s, "localhost");
    c = test_client_builder();
    s = server();
    assert_int_equal(cleat_tls_builder_alpn(c, h2, 1), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_alpn(s, both, 2), CLEAT_OK);
    again("the client's protocols", c, s, "localhost", session, false, NOT_OFFERED);
}

static void test_a_ticket_is_bound_to_its_virtual_host(void **state)
{
    struct cleat_tls_builder *s = server();
    assert_int_equal(cleat_tls_builder_binding(s, "a"), CLEAT_OK);
    struct cleat_tls_session *session = session_with(test_client_builder(), s, "localhost");
    s = server();
    assert_int_equal(cleat_tls_builder_binding(s, "a"), CLEAT_OK);
    again("same binding", test_client_builder(), s, "localhost", cleat_tls_session_ref(session),
          false, RESUMED);
    s = server();
    assert_int_equal(cleat_tls_builder_binding(s, "b"), CLEAT_OK);
    again("other binding", test_client_builder(), s, "localhost", session, false, FULL);
}

/* CVE-2025-23419: a ticket of a host without client authentication at a host that requires it, the
 * ticket keys shared. */
static void test_resumption_does_not_skip_client_authentication(void **state)
{
    again("made without", proving_client(), asking_server(CLEAT_CLIENT_AUTH_REQUIRED), "localhost",
          a_session(), true, FULL);
    again("made optional, with a certificate", proving_client(),
          asking_server(CLEAT_CLIENT_AUTH_REQUIRED), "localhost",
          session_with(proving_client(), asking_server(CLEAT_CLIENT_AUTH_OPTIONAL), "localhost"),
          true, FULL);
    struct cleat_tls_session *session = a_session();
    struct cleat_tls_config *c = test_client_config();
    struct test_pair p;
    cl_session_binding(c, "localhost", session->binding);
    test_pair_make(&p, c, test_finish(asking_server(CLEAT_CLIENT_AUTH_REQUIRED)), session);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_CERTIFICATE_REQUIRED, 116);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

static void test_a_ticket_is_bound_to_the_authorities_for_clients(void **state)
{
    struct test_ca other = {0};
    test_ca_make(&other, "Other CA");
    struct cleat_tls_session *session =
        session_with(proving_client(), asking_server(CLEAT_CLIENT_AUTH_OPTIONAL), "localhost");
    struct cleat_tls_builder *s = asking_server(CLEAT_CLIENT_AUTH_OPTIONAL);
    assert_int_equal(cleat_tls_builder_trust(s, other.store), CLEAT_OK);
    again("other authorities", test_client_builder(), s, "localhost", session, true, FULL);
    test_ca_drop(&other);
}

static void test_a_resumed_client_is_known_as_before(void **state)
{
    struct cleat_tls_session *session =
        session_with(proving_client(), asking_server(CLEAT_CLIENT_AUTH_REQUIRED), "localhost");
    struct test_pair p;
    const uint8_t *der;
    size_t len;
    struct cl_rd leaf = cl_cert_der(cl_chain_at(world.client.chain, 0));
    test_pair_make(&p, test_finish(proving_client()),
                   test_finish(asking_server(CLEAT_CLIENT_AUTH_REQUIRED)), session);
    test_pair_run(&p);
    assert_outcome("mutual", &p, RESUMED);
    assert_true(test_info(&p.server).peer_authenticated);
    assert_int_equal(cleat_tls_peer_cert(p.server.tls, 0, &der, &len), CLEAT_OK);
    assert_int_equal(len, leaf.len);
    assert_memory_equal(der, leaf.p, len);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
}

/* ---- for how long ---- */

static void test_a_session_ends_with_its_lifetime(void **state)
{
    struct cleat_tls_session *session = a_session();
    assert_int_equal(session->lifetime, 3600);
    world.now_ms = TEST_NOW_MS + 3599999;
    again("last moment", test_client_builder(), server(), "localhost",
          cleat_tls_session_ref(session), false, RESUMED);
    world.now_ms = TEST_NOW_MS + 3600000;
    again("over", test_client_builder(), server(), "localhost", cleat_tls_session_ref(session),
          false, NOT_OFFERED);
    session->lifetime = 604800; /* a client that thinks otherwise */
    again("over for the server", test_client_builder(), server(), "localhost", session, false,
          FULL);
}

static void test_a_session_ends_with_the_servers_certificate(void **state)
{
    static const char *const names[] = {"localhost"};
    struct test_identity id = {0};
    test_identity_until(&id, &world.ca, names, 1, false, (int64_t)(TEST_NOW_MS / 1000) + 100);
    struct cleat_tls_builder *s = test_server_builder_with(&id);
    assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
    struct cleat_tls_session *session = session_with(test_client_builder(), s, "localhost");
    world.now_ms = TEST_NOW_MS + 101000;
    again("the server's certificate has ended", test_client_builder(), server(), "localhost",
          session, false, NOT_OFFERED);
    test_identity_drop(&id);
}

static void test_a_session_ends_with_the_clients_certificate(void **state)
{
    static const char *const names[] = {"client.example.test"};
    struct test_identity id = {0};
    test_identity_until(&id, &world.ca, names, 1, true, (int64_t)(TEST_NOW_MS / 1000) + 100);
    struct cleat_tls_builder *c = test_client_builder();
    assert_int_equal(cleat_tls_builder_credential(c, id.chain, id.key), CLEAT_OK);
    struct cleat_tls_session *session =
        session_with(c, asking_server(CLEAT_CLIENT_AUTH_REQUIRED), "localhost");
    assert_int_equal(session->lifetime, 100);
    session->lifetime = 3600;
    world.now_ms = TEST_NOW_MS + 101000;
    again("the client's certificate has ended", proving_client(),
          asking_server(CLEAT_CLIENT_AUTH_REQUIRED), "localhost", session, true, FULL);
    test_identity_drop(&id);
}

static void test_renewals_end_after_seven_days(void **state)
{
    struct cleat_ticket_keys *weekly;
    assert_int_equal(cleat_ticket_keys_new(604800, &weekly), CLEAT_OK);
    struct cleat_tls_session *session = NULL;
    for (unsigned day = 0; day < 8; day++) {
        struct cleat_tls_builder *s = test_server_builder();
        struct test_pair p;
        world.now_ms = TEST_NOW_MS + UINT64_C(86400000) * day;
        assert_int_equal(cleat_tls_builder_tickets(s, weekly, 1), CLEAT_OK);
        test_pair_make(&p, test_client_config(), test_finish(s), session);
        test_pair_run(&p);
        assert_outcome("renewal", &p, day == 0 || day == 7 ? NOT_OFFERED : RESUMED);
        cleat_tls_session_free(session);
        session = cleat_tls_take_session(p.client.tls);
        assert_non_null(session);
        assert_int_equal(session->lifetime, 604800 - (day % 7) * 86400);
        test_pair_drop(&p);
    }
    cleat_tls_session_free(session);
    cleat_ticket_keys_free(weekly);
}

static void test_a_clock_that_steps_back_does_no_harm(void **state)
{
    struct cleat_tls_session *session = a_session();
    world.now_ms = TEST_NOW_MS - 3600000;
    again("before it was received", test_client_builder(), server(), "localhost",
          cleat_tls_session_ref(session), false, NOT_OFFERED);
    session->received_ms = world.now_ms; /* a client with another clock */
    again("the server's clock", test_client_builder(), server(), "localhost", session, false,
          RESUMED);
}

/* Neither tickets nor modes in its ClientHello, nothing to be taken, nothing offered. */
static void test_a_client_that_does_not_resume_leaves_no_trace(void **state)
{
    for (uint16_t version = CLEAT_TLS_1_2; version <= CLEAT_TLS_1_3; version++) {
        struct cleat_tls_session *session = NULL;
        for (int round = 0; round < 3; round++) {
            struct cleat_tls_builder *c = test_client_builder();
            struct cleat_tls_builder *s = test_server_builder();
            struct test_pair p;
            assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, version), CLEAT_OK);
            assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
            cleat_tls_builder_resumption(c, round == 0);
            test_pair_make(&p, test_finish(c), test_finish(s), session);
            test_pair_run(&p);
            test_assert_ready(&p);
            assert_false(test_info(&p.client).resumed);
            struct cleat_tls_session *got = cleat_tls_take_session(p.client.tls);
            assert_int_equal(got != NULL, round == 0);
            assert_int_equal(test_count_messages(&p.server, true, CL_HT_NEW_SESSION_TICKET),
                             round == 0);
            session = got != NULL ? got : session;
            test_pair_drop(&p);
        }
        cleat_tls_session_free(session);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_session_resumes_and_is_renewed, at_now),
        cmocka_unit_test_setup(test_names_are_compared_without_case, at_now),
        cmocka_unit_test_setup(test_a_name_in_mixed_case_on_the_wire_is_the_same_host, at_now),
        cmocka_unit_test_setup(test_a_client_offers_a_session_to_its_own_host_only, at_now),
        cmocka_unit_test_setup(test_a_server_takes_a_ticket_for_its_own_name_only, at_now),
        cmocka_unit_test_setup(test_a_ticket_is_bound_to_the_configuration_that_made_it, at_now),
        cmocka_unit_test_setup(test_a_ticket_is_bound_to_its_virtual_host, at_now),
        cmocka_unit_test_setup(test_resumption_does_not_skip_client_authentication, at_now),
        cmocka_unit_test_setup(test_a_ticket_is_bound_to_the_authorities_for_clients, at_now),
        cmocka_unit_test_setup(test_a_resumed_client_is_known_as_before, at_now),
        cmocka_unit_test_setup(test_a_session_ends_with_its_lifetime, at_now),
        cmocka_unit_test_setup(test_a_session_ends_with_the_servers_certificate, at_now),
        cmocka_unit_test_setup(test_a_session_ends_with_the_clients_certificate, at_now),
        cmocka_unit_test_setup(test_renewals_end_after_seven_days, at_now),
        cmocka_unit_test_setup(test_a_clock_that_steps_back_does_no_harm, at_now),
        cmocka_unit_test(test_a_client_that_does_not_resume_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
