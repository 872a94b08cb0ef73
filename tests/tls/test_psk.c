/* tests/tls/test_psk.c - external pre-shared keys (RFC 9846 4.3.11) and the importer (RFC 9258). */
#include <string.h>

#include "cleat/tls_options.h"
#include "cleat/tls_psk.h"
#include "crypto/hash.h"
#include "tls/conn.h"
#include "tls/hs.h"
#include "tls/psk.h"
#include "tls/support_tls.h"

static const uint8_t key_a[32] = {1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t key_b[48] = {9, 8, 7, 6};

static struct cleat_psk psk_of(const char *identity, const uint8_t *key, size_t len)
{
    return (struct cleat_psk){
        .identity = (const uint8_t *)identity,
        .identity_len = strlen(identity),
        .key = key,
        .key_len = len,
    };
}

static struct cleat_tls_builder *with(struct cleat_tls_builder *b, struct cleat_psk psk,
                                      bool imported)
{
    assert_int_equal(imported ? cleat_tls_builder_psk_imported(b, &psk)
                              : cleat_tls_builder_psk(b, &psk),
                     CLEAT_OK);
    return b;
}

/* A server without a certificate. */
static struct cleat_tls_builder *bare_server(void)
{
    struct cleat_tls_builder *b;
    assert_int_equal(cleat_tls_builder_new(CLEAT_SERVER, &b), CLEAT_OK);
    cleat_tls_builder_clock(b, test_clock, NULL);
    return b;
}

static void run(struct test_pair *p, struct cleat_tls_builder *c, struct cleat_tls_builder *s)
{
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
    test_pair_run(p);
}

static void assert_psk(struct test_pair *p, const char *identity)
{
    const struct test_end *ends[] = {&p->client, &p->server};
    test_assert_ready(p);
    for (int i = 0; i < 2; i++) {
        size_t len;
        const uint8_t *name = cleat_tls_psk_identity(ends[i]->tls, &len);
        assert_int_equal(name != NULL, identity != NULL);
        assert_int_equal(len, identity != NULL ? strlen(identity) : 0);
        assert_true(identity == NULL || memcmp(name, identity, len) == 0);
        assert_false(test_info(ends[i]).resumed);
    }
    test_assert_echo(p);
}

/* ---- success ---- */

static void test_a_psk_makes_a_handshake_without_certificates(void **state)
{
    for (int imported = 0; imported < 2; imported++) {
        struct test_pair p;
        struct cleat_psk psk = psk_of("device 7", key_a, sizeof(key_a));
        run(&p, with(test_client_builder(), psk, imported != 0),
            with(bare_server(), psk, imported != 0));
        assert_psk(&p, "device 7");
        assert_int_equal(test_count_messages(&p.client, false, CL_HT_CERTIFICATE), 0);
        assert_false(test_info(&p.server).peer_authenticated);
        test_pair_drop(&p);
    }
}

static void test_each_hash_finds_a_suite(void **state)
{
    static const struct {
        bool imported;
        enum cleat_psk_hash hash;
        const char *suites;
    } rows[] = {
        {false, CLEAT_PSK_SHA384, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"},
        {false, CLEAT_PSK_SHA256, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"},
        {true, CLEAT_PSK_SHA256, "TLS_AES_256_GCM_SHA384"},
        {true, CLEAT_PSK_SHA384, "TLS_AES_128_GCM_SHA256"},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *s = bare_server();
        struct cleat_psk psk = psk_of("x", key_b, sizeof(key_b));
        struct test_pair p;
        psk.hash = rows[i].hash;
        assert_int_equal(cleat_tls_builder_ciphers(s, rows[i].suites), CLEAT_OK);
        run(&p, with(test_client_builder(), psk, rows[i].imported), with(s, psk, rows[i].imported));
        assert_psk(&p, "x");
        test_pair_drop(&p);
    }
}

static void test_several_are_offered_and_the_first_known_is_taken(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    with(c, psk_of("one", key_a, 32), false);
    with(c, psk_of("two", key_b, 48), true);
    with(c, psk_of("three", key_a, 16), false);
    with(s, psk_of("three", key_a, 16), false);
    with(s, psk_of("two", key_b, 48), true);
    run(&p, c, s);
    assert_psk(&p, "two");
    test_pair_drop(&p);
}

static void test_an_unknown_psk_leads_to_a_certificate(void **state)
{
    struct test_pair p;
    run(&p, with(test_client_builder(), psk_of("one", key_a, 32), false),
        with(test_server_builder(), psk_of("other", key_a, 32), false));
    assert_psk(&p, NULL);
    assert_true(test_info(&p.client).peer_authenticated);
    test_pair_drop(&p);
}

static void test_after_a_retry_the_fitting_ones_are_offered_again(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = bare_server();
    struct cleat_psk long_one = psk_of("long", key_b, 48);
    struct test_pair p;
    long_one.hash = CLEAT_PSK_SHA384;
    with(with(c, long_one, false), psk_of("short", key_a, 32), false);
    with(s, psk_of("short", key_a, 32), false);
    assert_int_equal(cleat_tls_builder_groups(c, "X25519:P-256"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_groups(s, "P-256"), CLEAT_OK);
    run(&p, c, s);
    assert_psk(&p, "short");
    assert_true(test_info(&p.client).hello_retry);
    test_pair_drop(&p);
}

static void test_without_dhe_only_where_both_allow_it(void **state)
{
    static const struct {
        unsigned client;
        unsigned server;
        bool works;
        bool dhe;
    } rows[] = {
        {CLEAT_PSK_KE, CLEAT_PSK_KE, true, false},
        {CLEAT_PSK_KE | CLEAT_PSK_DHE_KE, CLEAT_PSK_KE, true, false},
        {CLEAT_PSK_KE | CLEAT_PSK_DHE_KE, CLEAT_PSK_KE | CLEAT_PSK_DHE_KE, true, true},
        {CLEAT_PSK_KE, CLEAT_PSK_KE | CLEAT_PSK_DHE_KE, true, false},
        {CLEAT_PSK_KE, CLEAT_PSK_DHE_KE, false, false},
        {CLEAT_PSK_DHE_KE, CLEAT_PSK_KE, false, false},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_psk psk = psk_of("x", key_a, 32);
        struct cleat_tls_builder *c = with(test_client_builder(), psk, false);
        struct cleat_tls_builder *s = with(bare_server(), psk, false);
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_psk_modes(c, rows[i].client), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_psk_modes(s, rows[i].server), CLEAT_OK);
        run(&p, c, s);
        if (rows[i].works) {
            assert_psk(&p, "x");
            assert_int_equal(test_info(&p.client).group != 0, rows[i].dhe);
            assert_int_equal(test_info(&p.server).group != 0, rows[i].dhe);
        } else {
            assert_int_equal(cleat_tls_error(p.server.tls)->code, CLEAT_ERR_UNKNOWN_PSK);
        }
        test_pair_drop(&p);
    }
}

static void test_a_ticket_goes_before_the_psks(void **state)
{
    struct cleat_ticket_keys *keys;
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
    struct cleat_tls_config *server = test_finish(with(s, psk_of("x", key_a, 32), false));
    test_pair_make(&p, test_client_config(), cleat_tls_config_ref(server), NULL);
    test_pair_run(&p);
    struct cleat_tls_session *session = cleat_tls_take_session(p.client.tls);
    assert_non_null(session);
    test_pair_drop(&p);
    test_pair_make(&p, test_finish(with(test_client_builder(), psk_of("x", key_a, 32), false)),
                   server, session);
    test_pair_run(&p);
    test_assert_ready(&p);
    size_t len;
    assert_true(test_info(&p.server).resumed && test_info(&p.client).resumed);
    assert_null(cleat_tls_psk_identity(p.server.tls, &len));
    test_pair_drop(&p);
    /* a server without those ticket keys takes the PSK, and gives no ticket for it */
    struct cleat_ticket_keys *others;
    assert_int_equal(cleat_ticket_keys_new(0, &others), CLEAT_OK);
    s = test_server_builder();
    assert_int_equal(cleat_tls_builder_tickets(s, others, 2), CLEAT_OK);
    test_pair_make(&p, test_finish(with(test_client_builder(), psk_of("x", key_a, 32), false)),
                   test_finish(with(s, psk_of("x", key_a, 32), false)), session);
    test_pair_run(&p);
    assert_psk(&p, "x");
    assert_int_equal(test_count_messages(&p.server, true, CL_HT_NEW_SESSION_TICKET), 0);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
    cleat_ticket_keys_free(keys);
    cleat_ticket_keys_free(others);
}

/* ---- failures ---- */

static void test_another_key_is_noticed_by_the_binder(void **state)
{
    for (int imported = 0; imported < 2; imported++) {
        struct test_pair p;
        uint8_t wrong[32];
        memcpy(wrong, key_a, sizeof(wrong));
        wrong[31] ^= 1;
        run(&p, with(test_client_builder(), psk_of("x", key_a, 32), imported != 0),
            with(test_server_builder(), psk_of("x", wrong, 32), imported != 0));
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_DECRYPT_ERROR, 51);
        test_pair_drop(&p);
    }
}

static void test_raw_and_imported_do_not_mix(void **state)
{
    struct test_pair p;
    run(&p, with(test_client_builder(), psk_of("x", key_a, 32), false),
        with(bare_server(), psk_of("x", key_a, 32), true));
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_UNKNOWN_PSK, 115);
    test_pair_drop(&p);
    /* nor do contexts */
    struct cleat_psk psk = psk_of("x", key_a, 32);
    psk.context = (const uint8_t *)"here";
    psk.context_len = 4;
    run(&p, with(test_client_builder(), psk, true),
        with(bare_server(), psk_of("x", key_a, 32), true));
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_UNKNOWN_PSK, 115);
    test_pair_drop(&p);
}

static void test_the_label_of_a_binder_tells_the_kinds_apart(void **state)
{
    /* an external PSK whose identity and key are those that the importer makes: only the label of
     * the binder differs */
    struct cl_psk made = {.hash = CL_HASH_SHA256};
    struct test_pair p;
    assert_int_equal(cl_psk_import(&made, cl_rd_str("x"), cl_rd_of(NULL, 0), cl_rd_of(key_a, 32),
                                   CL_HASH_SHA256),
                     CL_OK);
    struct cleat_psk raw = {.identity = made.identity.p,
                            .identity_len = made.identity.len,
                            .key = made.key.bytes,
                            .key_len = made.key.len};
    run(&p, with(test_client_builder(), raw, false),
        with(bare_server(), psk_of("x", key_a, 32), true));
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_DECRYPT_ERROR, 51);
    test_pair_drop(&p);
    cl_buf_deinit(&made.identity);
}

static void test_a_required_certificate_is_not_replaced_by_a_psk(void **state)
{
    struct cleat_tls_builder *s = with(test_server_builder(), psk_of("x", key_a, 32), false);
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
    run(&p, with(test_client_builder(), psk_of("x", key_a, 32), false), s);
    assert_int_equal(cleat_tls_error(p.server.tls)->code, CLEAT_ERR_CERTIFICATE_REQUIRED);
    test_pair_drop(&p);
}

static void test_a_client_without_anchors_takes_no_certificate(void **state)
{
    struct cleat_tls_builder *c;
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_new(CLEAT_CLIENT, &c), CLEAT_OK);
    cleat_tls_builder_clock(c, test_clock, NULL);
    run(&p, with(c, psk_of("x", key_a, 32), false), test_server_builder());
    assert_int_equal(cleat_tls_error(p.client.tls)->code, CLEAT_ERR_UNKNOWN_ISSUER);
    assert_int_equal(p.client.next, CLEAT_TLS_FAILED);
    test_pair_drop(&p);
}

static void test_a_wrong_index_or_a_missing_share_is_refused(void **state)
{
    static const struct {
        const char *hex; /* NULL: the key share is taken out */
        int code;
        uint8_t alert;
    } rows[] = {
        {"0001", CLEAT_ERR_ILLEGAL_PARAMETER, 47},
        {"ffff", CLEAT_ERR_ILLEGAL_PARAMETER, 47},
        {"00", CLEAT_ERR_DECODE, 50},
        {NULL, CLEAT_ERR_MISSING_EXTENSION, 109},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *s = with(bare_server(), psk_of("x", key_a, 32), false);
        struct test_edit edit = {.type = 2, .ext = rows[i].hex != NULL ? 41 : 51};
        struct test_pair p;
        edit.edit = rows[i].hex != NULL ? test_edit_ext_put : test_edit_ext_remove;
        edit.hex = rows[i].hex;
        test_builder_edit(s, &edit);
        run(&p, with(test_client_builder(), psk_of("x", key_a, 32), false), s);
        assert_int_equal(cleat_tls_error(p.client.tls)->code, rows[i].code);
        assert_int_equal(cleat_tls_error(p.client.tls)->alert, rows[i].alert);
        test_pair_drop(&p);
    }
}

static void test_the_builder_refuses_weak_and_double_psks(void **state)
{
    static uint8_t identity[1025];
    const struct cleat_psk bad[] = {
        {identity, 0, key_a, 32, CLEAT_PSK_SHA256, NULL, 0},
        {identity, 1025, key_a, 32, CLEAT_PSK_SHA256, NULL, 0},
        {identity, 1, key_a, 15, CLEAT_PSK_SHA256, NULL, 0},
        {identity, 1, identity, 65, CLEAT_PSK_SHA256, NULL, 0},
        {identity, 1, key_a, 32, (enum cleat_psk_hash)2, NULL, 0},
        {identity, 1, key_a, 32, CLEAT_PSK_SHA256, identity, 1025},
    };
    for (size_t i = 0; i < TEST_LEN(bad); i++) {
        struct cleat_tls_builder *b = bare_server();
        assert_int_equal(cleat_tls_builder_psk(b, &bad[i]), CLEAT_ERR_BAD_CONFIG);
        cleat_tls_builder_free(b);
    }
    struct cleat_tls_builder *b = with(bare_server(), psk_of("x", key_a, 32), false);
    struct cleat_psk again = psk_of("x", key_b, 32);
    assert_int_equal(cleat_tls_builder_psk(b, &again), CLEAT_ERR_BAD_CONFIG);
    assert_int_equal(cleat_tls_builder_psk_modes(b, 0), CLEAT_ERR_BAD_CONFIG);
    assert_int_equal(cleat_tls_builder_psk_modes(b, 4), CLEAT_ERR_BAD_CONFIG);
    cleat_tls_builder_free(b);
}

/* ---- the importer, computed a second time with HMAC alone ---- */

static void hmac(enum cl_hash_id id, const uint8_t *key, size_t key_len, const uint8_t *p,
                 size_t len, uint8_t *out)
{
    struct cl_rd part = cl_rd_of(p, len);
    cl_hmac(id, cl_rd_of(key, key_len), &part, 1, out);
}

static void test_the_importer_derives_what_the_rfc_says(void **state)
{
    static const struct {
        enum cl_hash_id own;
        enum cl_hash_id target;
        uint16_t kdf;
    } rows[] = {
        {CL_HASH_SHA256, CL_HASH_SHA256, 1},
        {CL_HASH_SHA256, CL_HASH_SHA384, 2},
        {CL_HASH_SHA384, CL_HASH_SHA256, 1},
        {CL_HASH_SHA384, CL_HASH_SHA384, 2},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cl_psk psk = {.hash = rows[i].target};
        const uint8_t identity[] = {
            0, 2, 'm', 'e', 0, 3, 'c', 't', 'x', 3, 4, 0, (uint8_t)rows[i].kdf};
        uint8_t zeros[64] = {0};
        uint8_t prk[64];
        uint8_t okm[128];
        uint8_t info[128];
        size_t own = cl_hash_len(rows[i].own);
        size_t target = cl_hash_len(rows[i].target);
        assert_int_equal(cl_psk_import(&psk, cl_rd_str("me"), cl_rd_str("ctx"), cl_rd_of(key_a, 32),
                                       rows[i].own),
                         CL_OK);
        assert_int_equal(psk.identity.len, sizeof(identity));
        assert_memory_equal(psk.identity.p, identity, sizeof(identity));
        /* HKDF-Extract(0, epsk) */
        hmac(rows[i].own, zeros, own, key_a, 32, prk);
        /* HkdfLabel, and HKDF-Expand: T(1) | T(2) */
        size_t at = 0;
        info[at++] = 0;
        info[at++] = (uint8_t)target;
        info[at++] = 17;
        memcpy(info + at, "tls13 derived psk", 17);
        at += 17;
        info[at++] = (uint8_t)own;
        cl_hash_once(rows[i].own, identity, sizeof(identity), info + at);
        at += own;
        info[at++] = 1;
        hmac(rows[i].own, prk, own, info, at, okm);
        uint8_t second[256];
        memcpy(second, okm, own);
        memcpy(second + own, info, at);
        second[own + at - 1] = 2;
        hmac(rows[i].own, prk, own, second, own + at, okm + own);
        assert_int_equal(psk.key.len, target);
        assert_memory_equal(psk.key.bytes, okm, target);
        cl_buf_deinit(&psk.identity);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_psk_makes_a_handshake_without_certificates),
        cmocka_unit_test(test_each_hash_finds_a_suite),
        cmocka_unit_test(test_several_are_offered_and_the_first_known_is_taken),
        cmocka_unit_test(test_an_unknown_psk_leads_to_a_certificate),
        cmocka_unit_test(test_after_a_retry_the_fitting_ones_are_offered_again),
        cmocka_unit_test(test_without_dhe_only_where_both_allow_it),
        cmocka_unit_test(test_a_ticket_goes_before_the_psks),
        cmocka_unit_test(test_another_key_is_noticed_by_the_binder),
        cmocka_unit_test(test_raw_and_imported_do_not_mix),
        cmocka_unit_test(test_the_label_of_a_binder_tells_the_kinds_apart),
        cmocka_unit_test(test_a_required_certificate_is_not_replaced_by_a_psk),
        cmocka_unit_test(test_a_client_without_anchors_takes_no_certificate),
        cmocka_unit_test(test_a_wrong_index_or_a_missing_share_is_refused),
        cmocka_unit_test(test_the_builder_refuses_weak_and_double_psks),
        cmocka_unit_test(test_the_importer_derives_what_the_rfc_says),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
