/* tests/tls/test_client_certificate.c - what a server says when it asks for a client's certificate,
 * and what a client makes of it. */
#include <string.h>

#include "cleat/tls_auth.h"
#include "tls/hs.h"
#include "tls/support_tls.h"
#include "x509/chain.h"

static const uint16_t versions[] = {CLEAT_TLS_1_2, CLEAT_TLS_1_3};

static struct cleat_tls_builder *client(uint16_t version, bool insists)
{
    struct cleat_tls_builder *b = test_client_builder();
    assert_int_equal(cleat_tls_builder_versions(b, version, version), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_credential(b, world.client.chain, world.client.key),
                     CLEAT_OK);
    cleat_tls_builder_insist_on_credential(b, insists);
    return b;
}

static struct cleat_tls_builder *server(void)
{
    struct cleat_tls_builder *b = test_server_builder();
    assert_int_equal(cleat_tls_builder_trust(b, world.ca.store), CLEAT_OK);
    cleat_tls_builder_client_auth(b, CLEAT_CLIENT_AUTH_OPTIONAL);
    return b;
}

/* ---- names of authorities ---- */

/* DistinguishedName[] of a CertificateRequest: the last thing in it, here and in TLS 1.2. */
static struct cl_rd names_of(const struct test_pair *p, size_t len)
{
    struct cl_rd m = test_message(&p->server, true, CL_HT_CERTIFICATE_REQUEST, 0);
    assert_true(m.len >= len + 2);
    return cl_rd_of(m.p + m.len - len - 2, len + 2);
}

static void test_a_server_names_the_authorities_it_is_given(void **state)
{
    static const uint8_t a[] = {0x30, 0x02, 0x31, 0x00};
    static const uint8_t b[] = {0x30, 0x00};
    static const uint8_t all[] = {0, 10, 0, 4, 0x30, 0x02, 0x31, 0x00, 0, 2, 0x30, 0x00};
    static const struct cleat_name names[] = {{a, sizeof(a)}, {b, sizeof(b)}};
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct cleat_tls_builder *s = server();
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_authorities(s, names, 2), CLEAT_OK);
        test_pair_make(&p, test_finish(client(versions[i], false)), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        struct cl_rd got = names_of(&p, sizeof(all) - 2);
        assert_memory_equal(got.p, all, sizeof(all));
        assert_true(test_info(&p.server).peer_authenticated); /* trust is as it was */
        test_pair_drop(&p);
    }
}

static void test_a_server_that_names_none_takes_any(void **state)
{
    struct cl_rd subject = cl_cert_subject_der(cl_chain_at(world.ca.chain, 0));
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        for (int none = 0; none < 2; none++) {
            struct cleat_tls_builder *s = server();
            struct test_pair p;
            assert_int_equal(none ? cleat_tls_builder_authorities(s, NULL, 0) : 0, CLEAT_OK);
            test_pair_make(&p, test_finish(client(versions[i], false)), test_finish(s), NULL);
            test_pair_run(&p);
            test_assert_ready(&p);
            struct cl_rd m = test_message(&p.server, true, CL_HT_CERTIFICATE_REQUEST, 0);
            bool named = memmem(m.p, m.len, subject.p, subject.len) != NULL;
            assert_int_equal(named, !none);
            test_pair_drop(&p);
        }
    }
}

static void test_what_is_no_name_is_refused(void **state)
{
    static const uint8_t bad[] = {0x31, 0x00};
    static uint8_t long_name[16384] = {0x30, 0x82, 0x3f, 0xfc};
    const struct cleat_name rows[] = {{bad, 2}, {long_name, 1}, {long_name, sizeof(long_name)}};
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *b = server();
        assert_int_equal(cleat_tls_builder_authorities(b, &rows[i], 1), CLEAT_ERR_BAD_CONFIG);
        cleat_tls_builder_free(b);
    }
}

/* ---- a client that insists ---- */

/* The world's client has an ECDSA key: each row asks for what it cannot give. */
static void test_a_client_that_insists_says_what_does_not_fit(void **state)
{
    static const struct {
        const char *schemes;
        const char *text;
    } rows[] = {
        {"rsa_pss_rsae_sha256:rsa_pkcs1_sha256", "no signature scheme of the server's"},
        {"ed25519", "it takes the schemes ed25519"},
    };
    for (size_t i = 0; i < TEST_LEN(versions) * TEST_LEN(rows); i++) {
        uint16_t version = versions[i / TEST_LEN(rows)];
        for (int insists = 0; insists < 2; insists++) {
            struct cleat_tls_builder *s = server();
            struct test_pair p;
            assert_int_equal(cleat_tls_builder_signatures(s, rows[i % TEST_LEN(rows)].schemes),
                             CLEAT_OK);
            assert_int_equal(cleat_tls_builder_credential_signatures(s, "ecdsa_secp256r1_sha256"),
                             CLEAT_OK);
            test_pair_make(&p, test_finish(client(version, insists)), test_finish(s), NULL);
            test_pair_run(&p);
            if (insists) {
                test_assert_failed(&p.client, &p.server, CLEAT_ERR_NO_SHARED_SIGNATURE, 40);
                const char *text = cleat_tls_error(p.client.tls)->text;
                assert_non_null(strstr(text, rows[i % TEST_LEN(rows)].text));
                assert_non_null(strstr(text, "ECDSA P-256"));
            } else {
                test_assert_ready(&p);
                assert_false(test_info(&p.server).peer_authenticated);
                assert_true(test_log_has(&p.client, rows[i % TEST_LEN(rows)].text));
            }
            test_pair_drop(&p);
        }
    }
}

static void test_a_client_that_insists_says_that_its_issuer_is_not_named(void **state)
{
    static const uint8_t other[] = {0x30, 0x00};
    static const struct cleat_name name = {other, sizeof(other)};
    for (size_t i = 0; i < TEST_LEN(versions); i++) {
        struct cleat_tls_builder *c = client(versions[i], true);
        struct cleat_tls_builder *s = server();
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_credential_match_issuer(c), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_authorities(s, &name, 1), CLEAT_OK);
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_NO_SHARED_SIGNATURE, 40);
        assert_non_null(strstr(cleat_tls_error(p.client.tls)->text, "none of its issuers"));
        test_pair_drop(&p);
    }
}

static void test_a_client_that_insists_but_has_none_goes_on(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    cleat_tls_builder_insist_on_credential(c, true);
    test_pair_make(&p, test_finish(c), test_finish(server()), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_true(test_log_has(&p.client, "none is configured"));
    test_pair_drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_server_names_the_authorities_it_is_given),
        cmocka_unit_test(test_a_server_that_names_none_takes_any),
        cmocka_unit_test(test_what_is_no_name_is_refused),
        cmocka_unit_test(test_a_client_that_insists_says_what_does_not_fit),
        cmocka_unit_test(test_a_client_that_insists_says_that_its_issuer_is_not_named),
        cmocka_unit_test(test_a_client_that_insists_but_has_none_goes_on),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
