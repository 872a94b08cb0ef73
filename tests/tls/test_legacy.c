/* tests/tls/test_legacy.c - what TLS 1.2 has for peers that have nothing better: RSA key exchange
 * and AES-CBC with HMAC. Off until named under the profile legacy, told as a warning, and closed to
 * the attacks that they are known for. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "tls/support_tls.h"

#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "cleat/profile.h"
#include "cleat/tls_options.h"
#include "tls/suite.h"
#include "tls/wire.h"
#include "x509/chain.h"

static struct cleat_tls_builder *legacy(struct cleat_tls_builder *b, const char *suites)
{
    assert_int_equal(cleat_tls_builder_profile(b, "legacy"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_versions(b, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_ciphers(b, suites), CLEAT_OK);
    return b;
}

static struct cleat_tls_builder *rsa_server(const char *suites)
{
    return legacy(test_server_builder_with(test_identity_of(CL_KEY_RSA, false)), suites);
}

/* ---- handshakes ---- */

static const struct {
    const char *suite;
    enum cl_key_type key;
    bool rsa; /* key exchange */
    bool cbc;
} rows[] = {
    {"ECDHE-ECDSA-AES128-SHA", CL_KEY_EC_P256, false, true},
    {"ECDHE-ECDSA-AES256-SHA", CL_KEY_ED25519, false, true},
    {"ECDHE-ECDSA-AES128-SHA256", CL_KEY_EC_P384, false, true},
    {"ECDHE-ECDSA-AES256-SHA384", CL_KEY_EC_P256, false, true},
    {"ECDHE-RSA-AES128-SHA", CL_KEY_RSA, false, true},
    {"ECDHE-RSA-AES256-SHA", CL_KEY_RSA_PSS, false, true},
    {"ECDHE-RSA-AES128-SHA256", CL_KEY_RSA, false, true},
    {"ECDHE-RSA-AES256-SHA384", CL_KEY_RSA, false, true},
    {"AES128-GCM-SHA256", CL_KEY_RSA, true, false},
    {"AES256-GCM-SHA384", CL_KEY_RSA, true, false},
    {"AES128-SHA", CL_KEY_RSA, true, true},
    {"AES256-SHA", CL_KEY_RSA, true, true},
    {"AES128-SHA256", CL_KEY_RSA, true, true},
    {"AES256-SHA256", CL_KEY_RSA, true, true},
    {"ECDHE-ECDSA-AES256-CCM", CL_KEY_EC_P256, false, false},
    {"ECDHE-ECDSA-AES256-CCM8", CL_KEY_EC_P256, false, false},
};

/* Takes encrypt_then_mac out of the ClientHello where mac_first says so. */
static void connect_by(struct test_pair *p, size_t row, bool mac_first)
{
    struct test_edit edit = {
        .type = CL_HT_CLIENT_HELLO, .edit = test_edit_ext_remove, .ext = CL_ET_ENCRYPT_THEN_MAC};
    struct cleat_tls_builder *c = legacy(test_client_builder(), rows[row].suite);
    struct cleat_tls_builder *s =
        legacy(test_server_builder_with(test_identity_of(rows[row].key, false)), rows[row].suite);
    if (mac_first) {
        test_builder_edit(c, &edit);
    }
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
    test_pair_run(p);
    test_assert_ready(p);
    assert_int_equal(edit.seen, mac_first);
}

static void test_a_full_handshake_by_each_suite(void **state)
{
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_pair p;
        connect_by(&p, i, false);
        assert_int_equal(test_info(&p.client).cipher,
                         cl_suite_by_name(rows[i].suite, strlen(rows[i].suite))->id);
        assert_true((test_info(&p.client).group_name == NULL) == rows[i].rsa);
        test_assert_echo(&p);
        test_pair_drop(&p);
    }
}

static void test_a_full_handshake_by_each_cbc_suite_without_encrypt_then_mac(void **state)
{
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_pair p;
        if (rows[i].cbc) {
            connect_by(&p, i, true);
            test_assert_echo(&p);
            test_pair_drop(&p);
        }
    }
}

static void test_both_ends_are_warned_of_each_weakness(void **state)
{
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_pair p;
        connect_by(&p, i, false);
        for (int end = 0; end < 2; end++) {
            const struct test_end *e = end ? &p.server : &p.client;
            assert_int_equal(test_log_has(e, "RSA key exchange"), rows[i].rsa);
            assert_int_equal(test_log_has(e, "AES-CBC with HMAC"), rows[i].cbc);
            assert_int_equal(test_log_has(e, "warning"), rows[i].rsa || rows[i].cbc);
        }
        test_pair_drop(&p);
    }
}

static void test_mutual_authentication_with_rsa_key_exchange(void **state)
{
    struct cleat_tls_builder *c = legacy(test_client_builder(), "AES128-SHA");
    struct cleat_tls_builder *s = rsa_server("AES128-SHA");
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                     CLEAT_OK);
    assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
    test_pair_make(&p, test_finish(c), test_finish(s), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_true(test_info(&p.server).peer_authenticated);
    test_assert_echo(&p);
    test_pair_drop(&p);
}

static void test_resumption_keeps_suite_and_order_of_encryption_and_mac(void **state)
{
    static const char *const suites[] = {"ECDHE-RSA-AES128-SHA", "AES256-SHA256"};
    for (size_t i = 0; i < TEST_LEN(suites); i++) {
        struct cleat_ticket_keys *keys;
        struct cleat_tls_builder *s = rsa_server(suites[i]);
        struct test_pair p;
        assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
        struct cleat_tls_config *server = test_finish(s);
        struct cleat_tls_config *client = test_finish(legacy(test_client_builder(), suites[i]));
        test_pair_make(&p, cleat_tls_config_ref(client), cleat_tls_config_ref(server), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        struct cleat_tls_session *session = cleat_tls_take_session(p.client.tls);
        test_pair_drop(&p);
        test_pair_make(&p, client, server, session);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_true(test_info(&p.client).resumed);
        assert_true(test_log_has(&p.server, "AES-CBC with HMAC"));
        test_assert_echo(&p);
        test_pair_drop(&p);
        cleat_tls_session_free(session);
        cleat_ticket_keys_free(keys);
    }
}

static void test_a_certificate_status_comes_with_rsa_key_exchange_too(void **state)
{
    enum { NONE, SENT, PROMISED_ONLY };
    for (int i = NONE; i <= PROMISED_ONLY; i++) {
        struct cleat_tls_builder *s = rsa_server("AES128-SHA");
        struct test_edit edit = {.type = CL_HT_SERVER_HELLO,
                                 .edit = test_edit_ext_put,
                                 .ext = CL_ET_STATUS_REQUEST,
                                 .hex = ""};
        struct test_pair p;
        size_t len;
        if (i == PROMISED_ONLY) {
            test_builder_edit(s, &edit);
        } else if (i == SENT) {
            assert_int_equal(cleat_tls_builder_staple(s, (const uint8_t *)"response", 8), CLEAT_OK);
        }
        test_pair_make(&p, test_finish(legacy(test_client_builder(), "AES128-SHA")), test_finish(s),
                       NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        (void)cleat_tls_peer_staple(p.client.tls, &len);
        assert_int_equal(len, i == SENT ? 8 : 0);
        test_pair_drop(&p);
    }
}

static void test_rsa_key_exchange_serves_a_client_that_takes_no_signature_or_group_of_ours(
    void **state)
{
    for (int i = 0; i < 2; i++) {
        struct cleat_tls_builder *c =
            legacy(test_client_builder(), "ECDHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256");
        struct cleat_tls_builder *s = rsa_server("ECDHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256");
        struct test_pair p;
        assert_int_equal(i == 0 ? cleat_tls_builder_groups(s, "P-521")
                                : cleat_tls_builder_credential_signatures(s, "rsa_pkcs1_sha512"),
                         CLEAT_OK);
        assert_int_equal(cleat_tls_builder_groups(c, "X25519"), CLEAT_OK);
        if (i == 1) {
            assert_int_equal(
                cleat_tls_builder_signatures(c, "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256"),
                CLEAT_OK);
        }
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        assert_string_equal(test_info(&p.client).cipher_name, "TLS_RSA_WITH_AES_128_GCM_SHA256");
        test_pair_drop(&p);
    }
}

/* ---- off until named ---- */

static void test_names_are_refused_under_other_profiles(void **state)
{
    static const char *const profiles[] = {"public", "internal", "high-security", "iot"};
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        for (size_t j = 0; j < TEST_LEN(profiles); j++) {
            struct cleat_tls_builder *b = test_client_builder();
            assert_int_equal(cleat_tls_builder_profile(b, profiles[j]), CLEAT_OK);
            bool weak = rows[i].rsa || rows[i].cbc;
            assert_int_equal(cleat_tls_builder_ciphers(b, rows[i].suite),
                             weak ? CLEAT_ERR_BAD_CONFIG : CLEAT_OK);
            assert_true(!weak || strstr(cleat_tls_builder_error(b)->hint, "--profile legacy"));
            cleat_tls_builder_free(b);
        }
    }
}

static void test_the_profile_alone_switches_nothing_on(void **state)
{
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *s =
            test_server_builder_with(test_identity_of(rows[i].key, false));
        struct test_pair p;
        if (!rows[i].rsa && !rows[i].cbc) {
            cleat_tls_builder_free(s);
            continue;
        }
        assert_int_equal(cleat_tls_builder_profile(s, "legacy"), CLEAT_OK);
        test_pair_make(&p, test_finish(legacy(test_client_builder(), rows[i].suite)),
                       test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_NO_SHARED_CIPHER, 40);
        test_pair_drop(&p);
    }
}

/* ---- what a peer may not do ---- */

static void test_encrypt_then_mac_is_not_for_aead_suites(void **state)
{
    struct test_edit edit = {.type = CL_HT_SERVER_HELLO,
                             .edit = test_edit_ext_put,
                             .ext = CL_ET_ENCRYPT_THEN_MAC,
                             .hex = ""};
    struct cleat_tls_builder *s = rsa_server("AES128-GCM-SHA256");
    struct test_pair p;
    test_builder_edit(s, &edit);
    test_pair_make(&p, test_finish(legacy(test_client_builder(), "AES128-GCM-SHA256:AES128-SHA")),
                   test_finish(s), NULL);
    test_pair_run(&p);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_ILLEGAL_PARAMETER, 47);
    test_pair_drop(&p);
}

static void test_a_certificate_that_may_only_sign_is_not_used_to_encrypt(void **state)
{
    static const char *const names[] = {"localhost"};
    for (int honest = 0; honest < 2; honest++) {
        struct test_identity id;
        test_identity_sign_only(&id, &world.ca, CL_KEY_RSA, names, 1);
        struct cleat_tls_builder *s =
            legacy(test_server_builder_with(honest ? &id : test_identity_of(CL_KEY_RSA, false)),
                   "AES128-SHA");
        struct test_edit edit = {.type = CL_HT_CERTIFICATE, .edit = test_edit_body, .hex = NULL};
        struct cl_buf hex = {0};
        if (!honest) {
            struct cl_rd der = cl_cert_der(cl_chain_at(id.chain, 0));
            assert_int_equal(cl_buf_printf(&hex, SIZE_MAX / 2, "%06zx%06zx", der.len + 3, der.len),
                             CL_OK);
            for (size_t i = 0; i < der.len; i++) {
                assert_int_equal(cl_buf_printf(&hex, SIZE_MAX / 2, "%02x", der.p[i]), CL_OK);
            }
            edit.hex = (const char *)hex.p;
            test_builder_edit(s, &edit);
        }
        struct test_pair p;
        test_pair_make(&p, test_finish(legacy(test_client_builder(), "AES128-SHA")), test_finish(s),
                       NULL);
        test_pair_run(&p);
        if (honest) {
            test_assert_failed(&p.server, &p.client, CLEAT_ERR_NO_SHARED_CIPHER, 40);
        } else {
            test_assert_failed(&p.client, &p.server, CLEAT_ERR_BAD_KEY_USAGE, 43);
        }
        test_pair_drop(&p);
        cl_buf_deinit(&hex);
        test_identity_drop(&id);
    }
}

/* ---- the attacks ---- */

/* What a client sends instead of its premaster secret: a block under the server's key. */
struct forgery {
    const char *name;
    size_t at; /* byte of the block; SIZE_MAX: none */
    uint8_t value;
    int cut;     /* bytes that the ciphertext is longer (or shorter) */
    int moved;   /* how much longer (or shorter) than 48 bytes the secret is */
    bool number; /* the ciphertext is a number as such: value, or with `of_n` the modulus and it */
    bool of_n;
};

static RSA *server_key;
static const struct forgery *forged;

static void put_forgery(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                        size_t start)
{
    uint8_t em[256];
    uint8_t body[2 + 256 + 8] = {0};
    char hex[2 * sizeof(body) + 1];
    size_t len = (size_t)(256 + forged->cut);
    memset(em, 0x77, sizeof(em));
    em[0] = 0;
    em[1] = 2;
    em[256 - 49] = 0;
    em[256 - 48] = 3;
    em[256 - 47] = 3;
    if (forged->at != SIZE_MAX) {
        em[forged->at] = forged->value;
    }
    if (forged->moved != 0) {
        em[256 - 49] = 0x77;
        em[256 - 49 - forged->moved] = 0;
    }
    if (!forged->number) {
        assert_int_equal(RSA_public_encrypt(256, em, body + 2, server_key, RSA_NO_PADDING), 256);
    } else if (forged->of_n) {
        assert_int_equal(BN_bn2binpad(RSA_get0_n(server_key), body + 2, 256), 256);
        body[2 + 255] = (uint8_t)(body[2 + 255] + forged->value); /* n is odd: no carry */
    } else {
        memset(body + 2, forged->value > 1 ? forged->value : 0, 256);
        body[2 + 255] = forged->value;
    }
    body[0] = (uint8_t)(len >> 8);
    body[1] = (uint8_t)len;
    for (size_t i = 0; i < 2 + len; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", body[i]);
    }
    e->hex = hex;
    test_edit_body(e, tls, flight, start);
}

/* What somebody on the wire, or behind the events, sees of a server: the records that it sent, by
 * type and length, and what it told. */
static void put_seen(struct cl_buf *out, const struct test_pair *p)
{
    struct cl_rd records = cl_buf_view(&p->to_client);
    struct cl_rd fragment;
    uint8_t type;
    uint16_t version;
    while (cl_rd_u8(&records, &type) && cl_rd_u16(&records, &version) &&
           cl_rd_vec16(&records, &fragment)) {
        assert_int_equal(
            cl_buf_printf(out, SIZE_MAX / 2, "record %u, %zu bytes\n", type, fragment.len), CL_OK);
    }
    for (size_t i = 0; i < p->server.log.num_messages; i++) {
        assert_int_equal(
            cl_buf_printf(out, SIZE_MAX / 2, "message %u\n", p->server.log.messages[i].type),
            CL_OK);
    }
    for (size_t i = 0; i < p->server.log.num_alerts; i++) {
        assert_int_equal(cl_buf_printf(out, SIZE_MAX / 2, "alert %u %u\n",
                                       p->server.log.alerts[i].sent, p->server.log.alerts[i].alert),
                         CL_OK);
    }
    const struct cleat_error *e = cleat_tls_error(p->server.tls);
    assert_int_equal(cl_buf_printf(out, SIZE_MAX / 2, "%zu jobs, %zu secrets\n%d %s %s %s\n",
                                   p->server.num_jobs, p->server.log.num_secrets, e->code, e->text,
                                   e->section, e->hint != NULL ? e->hint : "-"),
                     CL_OK);
}

/* Bleichenbacher's attack, and those after it: nothing but what anybody can see may differ. The
 * first row is a right block around a secret that the client does not use. Each value of each byte
 * is in tests/guard/even.c, which counts instructions. */
static void test_all_malformed_premaster_secrets_look_alike(void **state)
{
    static const struct forgery forgeries[] = {
        {.name = "right, but another secret", .at = SIZE_MAX},
        {.name = "first byte 1", .at = 0, .value = 1},
        {.name = "block type 0", .at = 1},
        {.name = "block type 1", .at = 1, .value = 1},
        {.name = "block type 3", .at = 1, .value = 3},
        {.name = "zero as the first byte of padding", .at = 2},
        {.name = "zero in the eighth byte of padding", .at = 9},
        {.name = "zero in the middle of the padding", .at = 100},
        {.name = "zero as the last byte of padding", .at = 256 - 50},
        {.name = "no zero in front of the secret", .at = 256 - 49, .value = 1},
        {.name = "version 2.3", .at = 256 - 48, .value = 2},
        {.name = "version 3.0", .at = 256 - 47},
        {.name = "version 3.2", .at = 256 - 47, .value = 2},
        {.name = "version 3.4", .at = 256 - 47, .value = 4},
        {.name = "ciphertext too short", .at = SIZE_MAX, .cut = -1},
        {.name = "ciphertext too long", .at = SIZE_MAX, .cut = 1},
        {.name = "no ciphertext", .at = SIZE_MAX, .cut = -256},
        {.name = "a secret of 47 bytes", .at = SIZE_MAX, .moved = -1},
        {.name = "a secret of 49 bytes", .at = SIZE_MAX, .moved = 1},
        {.name = "a secret of 1 byte", .at = SIZE_MAX, .moved = -47},
        {.name = "no secret", .at = SIZE_MAX, .moved = -48},
        {.name = "a secret of 245 bytes", .at = SIZE_MAX, .moved = 245 - 48},
        {.name = "ciphertext 0", .at = SIZE_MAX, .number = true},
        {.name = "ciphertext 1", .at = SIZE_MAX, .value = 1, .number = true},
        {.name = "ciphertext n - 1", .at = SIZE_MAX, .value = 0xff, .number = true, .of_n = true},
        {.name = "ciphertext n", .at = SIZE_MAX, .number = true, .of_n = true},
        {.name = "ciphertext of ones", .at = SIZE_MAX, .value = 0xff, .number = true},
    };
    const uint8_t *spki = cl_key_spki(test_identity_of(CL_KEY_RSA, false)->key).p;
    server_key = d2i_RSA_PUBKEY(NULL, &spki,
                                (long)cl_key_spki(test_identity_of(CL_KEY_RSA, false)->key).len);
    assert_non_null(server_key);
    struct cl_buf first = {0};
    for (size_t i = 0; i < TEST_LEN(forgeries); i++) {
        struct cl_buf seen = {0};
        struct test_edit edit = {.type = CL_HT_CLIENT_KEY_EXCHANGE, .edit = put_forgery};
        struct cleat_tls_builder *c = legacy(test_client_builder(), "AES128-GCM-SHA256");
        struct test_pair p;
        forged = &forgeries[i];
        test_builder_edit(c, &edit);
        test_pair_make(&p, test_finish(c), test_finish(rsa_server("AES128-GCM-SHA256")), NULL);
        test_pair_run(&p);
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_BAD_RECORD_MAC, 20);
        put_seen(i == 0 ? &first : &seen, &p);
        assert_true(first.len > 100);
        assert_true(i == 0 || cl_rd_equal(cl_buf_view(&seen), cl_buf_view(&first)));
        cl_buf_deinit(&seen);
        test_pair_drop(&p);
    }
    cl_buf_deinit(&first);
    RSA_free(server_key);
}

/* Whatever byte of a record is changed, IV, text, MAC or padding: one answer. */
static void test_all_changed_cbc_records_look_alike(void **state)
{
    static const uint8_t text[50];
    for (int mac_first = 0; mac_first < 2; mac_first++) {
        char first[512] = "";
        for (size_t at = 5; at < 5 + 16 + 48; at++) {
            struct test_pair p;
            connect_by(&p, 4, mac_first);
            size_t before = p.server.in.len;
            test_write(&p.client, &p.server, text, sizeof(text));
            assert_true(p.server.in.len > before + at);
            p.server.in.p[before + at] ^= 0x40;
            test_pair_run(&p);
            test_assert_failed(&p.server, &p.client, CLEAT_ERR_BAD_RECORD_MAC, 20);
            const char *said = cleat_tls_error(p.server.tls)->text;
            if (first[0] == '\0') {
                (void)snprintf(first, sizeof(first), "%s", said);
            }
            assert_string_equal(said, first);
            test_pair_drop(&p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_handshake_by_each_suite),
        cmocka_unit_test(test_a_full_handshake_by_each_cbc_suite_without_encrypt_then_mac),
        cmocka_unit_test(test_both_ends_are_warned_of_each_weakness),
        cmocka_unit_test(test_mutual_authentication_with_rsa_key_exchange),
        cmocka_unit_test(test_resumption_keeps_suite_and_order_of_encryption_and_mac),
        cmocka_unit_test(test_a_certificate_status_comes_with_rsa_key_exchange_too),
        cmocka_unit_test(
            test_rsa_key_exchange_serves_a_client_that_takes_no_signature_or_group_of_ours),
        cmocka_unit_test(test_names_are_refused_under_other_profiles),
        cmocka_unit_test(test_the_profile_alone_switches_nothing_on),
        cmocka_unit_test(test_encrypt_then_mac_is_not_for_aead_suites),
        cmocka_unit_test(test_a_certificate_that_may_only_sign_is_not_used_to_encrypt),
        cmocka_unit_test(test_all_malformed_premaster_secrets_look_alike),
        cmocka_unit_test(test_all_changed_cbc_records_look_alike),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
