/* tests/tls/test_intermediates.c - chains as the web has them: a leaf, intermediates, a root that
 * is not sent; both roles, both versions; certificates that keep no more than what RFC 5280 6 asks.
 */
#include "tls/support_tls.h"

#include <stdio.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ends_verify_chains_with_intermediates),
        cmocka_unit_test(test_certificates_without_key_identifiers_are_accepted),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
