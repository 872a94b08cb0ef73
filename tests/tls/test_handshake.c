/* tests/tls/test_handshake.c - whole handshakes of TLS 1.3 between our two ends: every cipher
 * suite, group and kind of credential; full, after a HelloRetryRequest, resumed, both; mutual. */
#include "cleat/tls_options.h"
#include "tls/support_tls.h"

#include <stdio.h>
#include <string.h>

static const char *const suites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                     "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
                                     "TLS_AES_128_CCM_8_SHA256"};
static const char *const groups[] = {"X25519", "P-256", "P-384", "P-521"};
static const struct {
    enum cl_key_type type;
    const char *scheme;
} kinds[] = {
    {CL_KEY_EC_P256, "ecdsa_secp256r1_sha256"},
    {CL_KEY_EC_P384, "ecdsa_secp384r1_sha384"},
    {CL_KEY_EC_P521, "ecdsa_secp521r1_sha512"},
    {CL_KEY_RSA, "rsa_pss_rsae_sha256"},
    {CL_KEY_RSA_PSS, "rsa_pss_pss_sha256"},
    {CL_KEY_ED25519, "ed25519"},
    {CL_KEY_ED448, "ed448"},
};

/* One way to shake hands. */
struct way {
    const char *suite;
    const char *group;
    enum cl_key_type type;
    const char *scheme; /* NULL: whatever fits */
    bool retry;         /* the server does not take the client's first group */
    enum cleat_client_auth auth;
    enum cl_key_type client_type; /* NONE: the client has no certificate */
    struct cleat_ticket_keys *keys;
};

static const char *other_group(const char *group)
{
    return strcmp(group, "X25519") == 0 ? "P-256" : "X25519";
}

static struct cleat_tls_config *server_of(const struct way *w)
{
    struct cleat_tls_builder *b = test_server_builder_with(test_identity_of(w->type, false));
    assert_int_equal(cleat_tls_builder_ciphers(b, w->suite), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_groups(b, w->group), CLEAT_OK);
    if (w->auth != CLEAT_CLIENT_AUTH_NONE) {
        cleat_tls_builder_client_auth(b, w->auth);
        assert_int_equal(cleat_tls_builder_trust(b, world.ca.store), CLEAT_OK);
    }
    if (w->keys != NULL) {
        assert_int_equal(cleat_tls_builder_tickets(b, w->keys, 1), CLEAT_OK);
    }
    return test_finish(b);
}

static struct cleat_tls_config *client_of(const struct way *w)
{
    struct cleat_tls_builder *b = test_client_builder();
    char list[64];
    assert_int_equal(cleat_tls_builder_ciphers(b, w->suite), CLEAT_OK);
    (void)snprintf(list, sizeof(list), "%s:%s", w->retry ? other_group(w->group) : w->group,
                   w->group);
    assert_int_equal(cleat_tls_builder_groups(b, list), CLEAT_OK);
    if (w->client_type != CL_KEY_NONE) {
        const struct test_identity *id = test_identity_of(w->client_type, true);
        assert_int_equal(cleat_tls_builder_credential(b, id->chain, id->key), CLEAT_OK);
    }
    return test_finish(b);
}

static void assert_info(const struct way *w, const struct test_end *e, bool resumed)
{
    struct cleat_tls_info info = test_info(e);
    assert_int_equal(info.version, CLEAT_TLS_1_3);
    assert_string_equal(info.cipher_name, w->suite);
    assert_string_equal(info.group_name, w->group);
    assert_int_equal(info.resumed, resumed);
    assert_int_equal(info.hello_retry, w->retry);
    assert_string_equal(info.server_name, "localhost");
    if (w->scheme != NULL && !resumed) {
        assert_string_equal(info.signature_name, w->scheme);
    }
    if (resumed) {
        assert_null(info.signature_name);
    }
}

/* Shakes hands as told; the session that the client got, if there are ticket keys. */
static struct cleat_tls_session *shake(const struct way *w, struct cleat_tls_session *session)
{
    struct test_pair p;
    test_pair_make(&p, client_of(w), server_of(w), session);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_info(w, &p.client, session != NULL);
    assert_info(w, &p.server, session != NULL);
    assert_true(test_info(&p.client).peer_authenticated);
    assert_int_equal(test_info(&p.server).peer_authenticated,
                     w->auth != CLEAT_CLIENT_AUTH_NONE && w->client_type != CL_KEY_NONE);
    test_assert_echo(&p);
    struct cleat_tls_session *got = cleat_tls_take_session(p.client.tls);
    assert_int_equal(got != NULL, w->keys != NULL);
    test_pair_drop(&p);
    return got;
}

/* Full, then resumed. */
static void shake_twice(struct way w)
{
    assert_int_equal(cleat_ticket_keys_new(0, &w.keys), CLEAT_OK);
    struct cleat_tls_session *first = shake(&w, NULL);
    struct cleat_tls_session *second = shake(&w, first);
    cleat_tls_session_free(first);
    cleat_tls_session_free(second);
    cleat_ticket_keys_free(w.keys);
}

static void test_every_suite_group_and_credential_completes_full(void **state)
{
    for (size_t s = 0; s < TEST_LEN(suites); s++) {
        for (size_t g = 0; g < TEST_LEN(groups); g++) {
            for (size_t k = 0; k < TEST_LEN(kinds); k++) {
                struct way w = {.suite = suites[s], .group = groups[g]};
                w.type = kinds[k].type;
                w.scheme = kinds[k].scheme;
                cleat_tls_session_free(shake(&w, NULL));
            }
        }
    }
}

static void test_every_suite_and_group_resumes(void **state)
{
    for (size_t s = 0; s < TEST_LEN(suites); s++) {
        for (size_t g = 0; g < TEST_LEN(groups); g++) {
            shake_twice(
                (struct way){.suite = suites[s], .group = groups[g], .type = CL_KEY_EC_P256});
        }
    }
}

static void test_every_suite_and_group_completes_after_a_retry_and_resumes(void **state)
{
    for (size_t s = 0; s < TEST_LEN(suites); s++) {
        for (size_t g = 0; g < TEST_LEN(groups); g++) {
            shake_twice((struct way){
                .suite = suites[s], .group = groups[g], .type = CL_KEY_ED25519, .retry = true});
        }
    }
}

static void test_a_client_proves_itself_with_every_kind_of_key(void **state)
{
    for (size_t k = 0; k < TEST_LEN(kinds); k++) {
        for (int mode = CLEAT_CLIENT_AUTH_OPTIONAL; mode <= CLEAT_CLIENT_AUTH_REQUIRED; mode++) {
            shake_twice((struct way){.suite = suites[k % 3],
                                     .group = groups[k % 4],
                                     .type = CL_KEY_EC_P256,
                                     .retry = mode == CLEAT_CLIENT_AUTH_OPTIONAL,
                                     .auth = (enum cleat_client_auth)mode,
                                     .client_type = kinds[k].type});
        }
    }
}

static void test_a_client_without_a_certificate_is_let_in_when_it_is_optional(void **state)
{
    shake_twice((struct way){.suite = suites[0],
                             .group = groups[0],
                             .type = CL_KEY_EC_P256,
                             .auth = CLEAT_CLIENT_AUTH_OPTIONAL});
}

static void test_a_client_without_a_certificate_is_refused_when_it_is_required(void **state)
{
    struct way w = {.suite = suites[0],
                    .group = groups[0],
                    .type = CL_KEY_EC_P256,
                    .auth = CLEAT_CLIENT_AUTH_REQUIRED};
    struct test_pair p;
    test_pair_make(&p, client_of(&w), server_of(&w), NULL);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_CERTIFICATE_REQUIRED, 116);
    test_pair_drop(&p);
}

static void test_a_client_certificate_of_another_authority_is_refused(void **state)
{
    static const char *const names[] = {"client.example.test"};
    struct way w = {.suite = suites[0],
                    .group = groups[0],
                    .type = CL_KEY_EC_P256,
                    .auth = CLEAT_CLIENT_AUTH_OPTIONAL};
    struct test_ca other = {0};
    struct test_identity id = {0};
    struct test_pair p;
    test_ca_make(&other, "Other CA");
    test_identity_make(&id, &other, CL_KEY_EC_P256, names, 1, true);
    struct cleat_tls_builder *b = test_client_builder();
    assert_int_equal(cleat_tls_builder_credential(b, id.chain, id.key), CLEAT_OK);
    test_pair_make(&p, test_finish(b), server_of(&w), NULL);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_UNKNOWN_ISSUER, 48);
    assert_non_null(cleat_tls_verdict(p.server.tls));
    test_pair_drop(&p);
    test_identity_drop(&id);
    test_ca_drop(&other);
}

static uint64_t ticking(void *ctx)
{
    uint64_t *ns = ctx;
    return *ns += 1000;
}

static void test_a_stopwatch_puts_timings_into_the_proof(void **state)
{
    struct cleat_verify_work work[2];
    uint64_t ns = 0;
    for (int with = 0; with < 2; with++) {
        struct way w = {.suite = suites[0], .group = groups[0], .type = CL_KEY_EC_P256};
        struct test_pair p;
        struct cleat_tls_builder *b = test_client_builder();
        if (with != 0) {
            cleat_tls_builder_stopwatch(b, ticking, &ns);
        }
        test_pair_make(&p, test_finish(b), server_of(&w), NULL);
        test_pair_run(&p);
        assert_non_null(cleat_tls_verdict(p.client.tls));
        cleat_verdict_work(cleat_tls_verdict(p.client.tls), &work[with]);
        test_pair_drop(&p);
    }
    assert_true(work[0].total_ns == 0 && work[0].signatures_ns == 0);
    assert_true(work[1].signatures_ns == 1000 * work[1].num_signatures);
    assert_true(work[1].num_signatures > 0 && work[1].total_ns > work[1].signatures_ns);
}

/* A server whose chain does not lead to the client's anchors, whose certificate has ended, or which
 * is for another name, is refused by the client. */
static void test_a_client_refuses_a_server_that_it_cannot_verify(void **state)
{
    static const struct {
        const char *host;
        bool other_ca;
        int64_t ends;
        int code;
        uint8_t alert;
    } rows[] = {
        {"localhost", true, 86400, CLEAT_ERR_UNKNOWN_ISSUER, 48},
        {"localhost", false, -1, CLEAT_ERR_CERT_EXPIRED, 45},
        {"other.example.test", false, 86400, CLEAT_ERR_NAME_MISMATCH, 42},
        {"127.0.0.1", false, 86400, CLEAT_ERR_NAME_MISMATCH, 42},
    };
    static const char *const names[] = {"localhost"};
    struct test_ca other = {0};
    test_ca_make(&other, "Other CA");
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_identity id = {0};
        struct test_pair p;
        test_identity_until(&id, rows[i].other_ca ? &other : &world.ca, names, 1, false,
                            (int64_t)(TEST_NOW_MS / 1000) + rows[i].ends);
        test_pair_make_for(&p, rows[i].host, test_client_config(),
                           test_finish(test_server_builder_with(&id)), NULL);
        test_pair_run(&p);
        test_assert_failed(&p.client, &p.server, rows[i].code, rows[i].alert);
        struct cleat_tls_info info;
        assert_int_equal(cleat_tls_info(p.client.tls, &info), CLEAT_ERR_USAGE);
        assert_int_equal(cleat_tls_info(p.server.tls, &info), CLEAT_ERR_USAGE);
        test_pair_drop(&p);
        test_identity_drop(&id);
    }
    test_ca_drop(&other);
}

static void test_the_cookie_of_a_retry_comes_back(void **state)
{
    struct way w = {.suite = suites[0], .group = "P-384", .type = CL_KEY_EC_P256, .retry = true};
    struct test_pair p;
    test_pair_make(&p, client_of(&w), server_of(&w), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    struct cl_rd retry = test_message(&p.client, false, 2, 0);
    struct cl_buf hrr = {.p = (uint8_t *)(uintptr_t)retry.p, .len = retry.len, .cap = retry.len};
    struct cl_rd second = test_message(&p.client, true, 1, 1);
    struct cl_buf hello = {
        .p = (uint8_t *)(uintptr_t)second.p, .len = second.len, .cap = second.len};
    size_t a = test_ext_find(&hrr, 0, 44);
    size_t b = test_ext_find(&hello, 0, 44);
    assert_true(a != 0 && b != 0);
    assert_memory_equal(hrr.p + a, hello.p + b, 4 + 2 + 32);
    /* RFC 9846 4.2.2: all else is as it was */
    struct cl_rd first = test_message(&p.client, true, 1, 0);
    assert_memory_equal(first.p + 4, second.p + 4, 2 + 32 + 1 + 32);
    test_pair_drop(&p);
}

static void test_without_a_group_in_common_the_server_says_so(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_groups(c, "X25519:P-256"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_groups(s, "P-384:P-521"), CLEAT_OK);
    test_pair_make(&p, test_finish(c), test_finish(s), NULL);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_NO_SHARED_GROUP, 40);
    test_pair_drop(&p);
}

static void test_without_a_suite_in_common_the_server_says_so(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_ciphers(c, "TLS_AES_256_GCM_SHA384"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_ciphers(s, "TLS_AES_128_GCM_SHA256"), CLEAT_OK);
    test_pair_make(&p, test_finish(c), test_finish(s), NULL);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_NO_SHARED_CIPHER, 40);
    assert_non_null(strstr(cleat_tls_error(p.server.tls)->text, "1302"));
    test_pair_drop(&p);
}

static void test_the_ccm_suites_are_off_by_default(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    assert_int_equal(
        cleat_tls_builder_ciphers(c, "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"), CLEAT_OK);
    test_pair_make(&p, test_finish(c), test_server_config(), NULL);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_NO_SHARED_CIPHER, 40);
    test_pair_drop(&p);
}

static void test_the_servers_preference_decides(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_ciphers(c, "AES-128-GCM:AES-256-GCM"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_ciphers(s, "AES-256-GCM:AES-128-GCM"), CLEAT_OK);
    test_pair_make(&p, test_finish(c), test_finish(s), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_int_equal(test_info(&p.client).cipher, 0x1302);
    test_pair_drop(&p);
}

/* A client's list that begins with ChaCha20 is respected in either version, unless it is not to be.
 */
static void test_chacha20_goes_first_where_the_client_has_it_first(void **state)
{
    static const struct {
        const char *client;
        const char *server;
        bool off;
        const char *chosen;
    } rows[] = {
        {"CHACHA20-POLY1305:AES-128-GCM", "AES-128-GCM:CHACHA20-POLY1305", false,
         "TLS_CHACHA20_POLY1305_SHA256"},
        {"AES-128-GCM:CHACHA20-POLY1305", "AES-128-GCM:CHACHA20-POLY1305", false,
         "TLS_AES_128_GCM_SHA256"},
        {"CHACHA20-POLY1305:AES-128-GCM", "AES-128-GCM:CHACHA20-POLY1305", true,
         "TLS_AES_128_GCM_SHA256"},
        {"CHACHA20-POLY1305:AES-128-GCM", "AES-128-GCM", false, "TLS_AES_128_GCM_SHA256"},
        {"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES-128-GCM",
         "ECDHE-ECDSA-AES-128-GCM:ECDHE-ECDSA-CHACHA20-POLY1305", false,
         "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *c = test_client_builder();
        struct cleat_tls_builder *s = test_server_builder();
        uint16_t version = strncmp(rows[i].client, "ECDHE", 5) == 0 ? CLEAT_TLS_1_2 : CLEAT_TLS_1_3;
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_ciphers(c, rows[i].client), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_ciphers(s, rows[i].server), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, version), CLEAT_OK);
        cleat_tls_builder_prefer_chacha20(s, !rows[i].off);
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_string_equal(test_info(&p.client).cipher_name, rows[i].chosen);
        test_pair_drop(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_suite_group_and_credential_completes_full),
        cmocka_unit_test(test_every_suite_and_group_resumes),
        cmocka_unit_test(test_every_suite_and_group_completes_after_a_retry_and_resumes),
        cmocka_unit_test(test_a_client_proves_itself_with_every_kind_of_key),
        cmocka_unit_test(test_a_client_without_a_certificate_is_let_in_when_it_is_optional),
        cmocka_unit_test(test_a_client_without_a_certificate_is_refused_when_it_is_required),
        cmocka_unit_test(test_a_client_certificate_of_another_authority_is_refused),
        cmocka_unit_test(test_a_stopwatch_puts_timings_into_the_proof),
        cmocka_unit_test(test_a_client_refuses_a_server_that_it_cannot_verify),
        cmocka_unit_test(test_the_cookie_of_a_retry_comes_back),
        cmocka_unit_test(test_without_a_group_in_common_the_server_says_so),
        cmocka_unit_test(test_without_a_suite_in_common_the_server_says_so),
        cmocka_unit_test(test_the_ccm_suites_are_off_by_default),
        cmocka_unit_test(test_the_servers_preference_decides),
        cmocka_unit_test(test_chacha20_goes_first_where_the_client_has_it_first),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
