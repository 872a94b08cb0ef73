/* tests/tls/test_external.c - keys whose private half is elsewhere (cleat/job.h): the signature
 * comes later, is checked before it is used, or does not come at all. */
#include <string.h>

#include "cleat/job.h"
#include "tls/support_tls.h"
#include "x509/chain.h"

static const uint16_t versions[] = {CLEAT_TLS_1_2, CLEAT_TLS_1_3};

/* The identity with its public half alone. */
static struct cleat_key *public_half(const struct test_identity *id)
{
    struct cleat_key *key;
    size_t len;
    const uint8_t *spki = cleat_cert_spki(cleat_chain_at(id->chain, 0), &len);
    assert_int_equal(cleat_key_external(spki, len, &key), CLEAT_OK);
    return key;
}

/* A server and a client, one of which (or both) cannot sign. */
static void make_pair(struct test_pair *p, uint16_t version, const struct test_identity *server,
                      const struct test_identity *client)
{
    struct cleat_tls_builder *s = test_server_builder_with(NULL);
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_key *server_key = public_half(server);
    assert_int_equal(cleat_tls_builder_credential(s, server->chain, server_key), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_versions(s, version, version), CLEAT_OK);
    if (client != NULL) {
        struct cleat_key *client_key = public_half(client);
        assert_int_equal(cleat_tls_builder_credential(c, client->chain, client_key), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
        cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
        cleat_key_free(client_key);
    }
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
    cleat_key_free(server_key);
}

static struct cleat_sign_request request_of(const struct test_end *e)
{
    struct cleat_sign_request r;
    assert_int_equal(e->next, CLEAT_TLS_NEEDS_JOB);
    assert_true(cleat_job_sign_request(cleat_tls_job(e->tls), &r));
    assert_int_equal(r.digest_len, r.scheme == 0x0807 || r.scheme == 0x0808          ? 0
                                   : (r.scheme & 0xff) == 0x03 && r.scheme >> 8 == 5 ? 48
                                                                                     : 32);
    return r;
}

/* What the one who has the key answers. */
static size_t sign(const struct cleat_sign_request *r, const struct cleat_key *key, uint8_t *out,
                   size_t cap)
{
    size_t len;
    assert_int_equal(cleat_key_sign(key, r->scheme, r->message, r->message_len, out, cap, &len),
                     CLEAT_OK);
    assert_true(len <= r->max_len);
    return len;
}

static void answer(struct test_end *e, const struct cleat_key *key)
{
    uint8_t signature[1024];
    struct cleat_sign_request r = request_of(e);
    size_t len = sign(&r, key, signature, sizeof(signature));
    assert_int_equal(cleat_job_signed(cleat_tls_job(e->tls), signature, len), CLEAT_OK);
}

static void test_a_signature_that_comes_later_completes_the_handshake(void **state)
{
    static const enum cl_key_type types[] = {CL_KEY_EC_P256, CL_KEY_EC_P384, CL_KEY_RSA,
                                             CL_KEY_ED25519};
    for (size_t i = 0; i < TEST_LEN(types) * TEST_LEN(versions); i++) {
        const struct test_identity *id = test_identity_of(types[i / 2], false);
        struct test_pair p;
        make_pair(&p, versions[i % 2], id, NULL);
        test_pair_run(&p);
        test_pair_run(&p); /* steps in between do nothing */
        assert_int_equal(p.client.next, CLEAT_TLS_NEEDS_INPUT);
        answer(&p.server, id->key);
        test_pair_run(&p);
        test_assert_ready(&p);
        test_assert_echo(&p);
        test_pair_drop(&p);
    }
}

static void test_a_clients_key_may_be_elsewhere_too(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct test_pair p;
        make_pair(&p, versions[i], &world.server, &world.client);
        test_pair_run(&p);
        answer(&p.server, world.server.key);
        test_pair_run(&p);
        answer(&p.client, world.client.key);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_true(test_info(&p.server).peer_authenticated);
        test_pair_drop(&p);
    }
}

static void test_a_wrong_signature_is_not_used(void **state)
{
    for (int i = 0; i < 4; i++) {
        struct test_pair p;
        uint8_t signature[1024] = {0};
        make_pair(&p, CLEAT_TLS_1_3, &world.server, NULL);
        test_pair_run(&p);
        struct cleat_sign_request r = request_of(&p.server);
        /* one bit; another key's; none; one that is too long for the key */
        size_t len =
            sign(&r, i == 1 ? world.client.key : world.server.key, signature, sizeof(signature));
        signature[20] ^= i == 0 ? 1 : 0;
        len = i == 2 ? 0 : i == 3 ? sizeof(signature) : len;
        assert_int_equal(cleat_job_signed(cleat_tls_job(p.server.tls), signature, len),
                         CLEAT_ERR_BAD_SIGNATURE);
        test_pair_run(&p);
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_JOB_FAILED, 80);
        assert_non_null(strstr(cleat_tls_error(p.server.tls)->text,
                               "the one that came back is not of the certificate's key"));
        test_pair_drop(&p);
    }
}

static void test_a_signature_that_does_not_come_ends_the_connection(void **state)
{
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct test_pair p;
        make_pair(&p, versions[i], &world.server, NULL);
        test_pair_run(&p);
        cleat_job_fail(cleat_tls_job(p.server.tls));
        test_pair_run(&p);
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_JOB_FAILED, 80);
        test_pair_drop(&p);
    }
}

/* By mistake: run here, where the private half is not. */
static void test_running_it_here_fails(void **state)
{
    struct test_pair p;
    make_pair(&p, CLEAT_TLS_1_3, &world.server, NULL);
    test_pair_run(&p);
    cleat_job_run(cleat_tls_job(p.server.tls));
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_JOB_FAILED, 80);
    test_pair_drop(&p);
}

/* What the job has made is the connection's, though nobody has told it yet. */
static void test_a_connection_may_be_freed_between_a_job_and_the_next_step(void **state)
{
    uint8_t out[2 * CLEAT_TLS_MIN_OUTPUT];
    struct cleat_tls_io io = {.out = out, .out_cap = sizeof(out)};
    struct test_pair p;
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    assert_int_equal(cleat_tls_step(p.client.tls, &io), CLEAT_TLS_NEEDS_JOB);
    cleat_job_run(cleat_tls_job(p.client.tls));
    test_pair_drop(&p);
}

static void test_a_connection_may_be_freed_while_it_waits(void **state)
{
    struct test_pair p;
    make_pair(&p, CLEAT_TLS_1_3, &world.server, NULL);
    test_pair_run(&p);
    (void)request_of(&p.server);
    test_pair_drop(&p);
}

static void test_a_job_that_is_done_takes_no_signature(void **state)
{
    struct test_pair p;
    uint8_t signature[1024];
    make_pair(&p, CLEAT_TLS_1_3, &world.server, NULL);
    test_pair_run(&p);
    struct cleat_sign_request r = request_of(&p.server);
    struct cleat_job *job = cleat_tls_job(p.server.tls);
    size_t len = sign(&r, world.server.key, signature, sizeof(signature));
    assert_int_equal(cleat_job_signed(job, signature, len), CLEAT_OK);
    assert_int_equal(cleat_job_signed(job, signature, 0), CLEAT_ERR_USAGE);
    assert_false(cleat_job_sign_request(job, &r));
    test_pair_run(&p);
    test_assert_ready(&p);
    test_pair_drop(&p);
}

static void test_keys_are_what_they_should_be(void **state)
{
    static const uint8_t junk[] = {0x30, 0x03, 0x02, 0x01, 0x00};
    struct cleat_key *key;
    uint8_t out[1024];
    size_t len;
    struct cleat_tls_builder *b = test_server_builder_with(NULL);
    assert_int_equal(cleat_key_external(junk, sizeof(junk), &key), CLEAT_ERR_BAD_KEY);
    assert_null(key);
    key = public_half(&world.client);
    assert_string_equal(cleat_key_kind(key), "ECDSA P-256");
    /* a public half that is another certificate's is as wrong as a private one */
    assert_int_equal(cleat_tls_builder_credential(b, world.server.chain, key),
                     CLEAT_ERR_KEY_MISMATCH);
    cleat_tls_builder_free(b);
    assert_int_equal(cleat_key_sign(key, 0x0403, junk, 5, out, sizeof(out), &len),
                     CLEAT_ERR_JOB_FAILED);
    cleat_key_free(key);
    key = world.server.key;
    assert_int_equal(cleat_key_sign(key, 0x0403, junk, 5, out, 8, &len), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_key_sign(key, 0x0804, junk, 5, out, sizeof(out), &len), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_key_sign(key, 0x1234, junk, 5, out, sizeof(out), &len),
                     CLEAT_ERR_UNSUPPORTED);
    assert_int_equal(len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_signature_that_comes_later_completes_the_handshake),
        cmocka_unit_test(test_a_clients_key_may_be_elsewhere_too),
        cmocka_unit_test(test_a_wrong_signature_is_not_used),
        cmocka_unit_test(test_a_signature_that_does_not_come_ends_the_connection),
        cmocka_unit_test(test_running_it_here_fails),
        cmocka_unit_test(test_a_connection_may_be_freed_while_it_waits),
        cmocka_unit_test(test_a_connection_may_be_freed_between_a_job_and_the_next_step),
        cmocka_unit_test(test_a_job_that_is_done_takes_no_signature),
        cmocka_unit_test(test_keys_are_what_they_should_be),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
