/* tests/tls/test_dhe.c - DHE of TLS 1.2 in the groups of RFC 7919: off until it is named, told as a
 * warning, in a group that both ends name or know; values that must be refused. */
#include "tls/support_tls.h"

#include <stdio.h>
#include <string.h>

#include "cleat/profile.h"
#include "cleat/tls_options.h"
#include "cleat/tls_psk.h"
#include "crypto/kex.h"
#include "tls/suite.h"
#include "tls/wire.h"

#define DHE "DHE-RSA-AES128-GCM-SHA256"

static const char *const suites[] = {
    "DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-CHACHA20-POLY1305",
    "DHE-RSA-AES128-CCM",        "DHE-RSA-AES256-CCM",        "DHE-RSA-AES128-CCM8",
    "DHE-RSA-AES256-CCM8",       "DHE-RSA-AES128-SHA",        "DHE-RSA-AES256-SHA",
    "DHE-RSA-AES128-SHA256",     "DHE-RSA-AES256-SHA256",
};

static const char *const psk_suites[] = {
    "DHE-PSK-AES128-GCM-SHA256", "DHE-PSK-AES256-GCM-SHA384", "DHE-PSK-CHACHA20-POLY1305",
    "DHE-PSK-AES128-CBC-SHA",    "DHE-PSK-AES256-CBC-SHA",    "DHE-PSK-AES128-CBC-SHA256",
    "DHE-PSK-AES256-CBC-SHA384",
};

static const char *const fields[] = {"ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144",
                                     "ffdhe8192"};

static struct cleat_tls_builder *legacy(struct cleat_tls_builder *b, const char *ciphers,
                                        const char *groups)
{
    assert_int_equal(cleat_tls_builder_profile(b, "legacy"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_ciphers(b, ciphers), CLEAT_OK);
    if (groups != NULL) {
        assert_int_equal(cleat_tls_builder_groups(b, groups), CLEAT_OK);
    }
    return b;
}

/* Both speak TLS 1.3 too: the client offers it, the server does not. */
static struct cleat_tls_builder *client(const char *ciphers, const char *groups)
{
    return legacy(test_client_builder(), ciphers, groups);
}

static struct cleat_tls_builder *server(const char *ciphers, const char *groups)
{
    struct cleat_tls_builder *b =
        legacy(test_server_builder_with(test_identity_of(CL_KEY_RSA, false)), ciphers, groups);
    assert_int_equal(cleat_tls_builder_versions(b, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    return b;
}

static void run(struct test_pair *p, struct cleat_tls_builder *c, struct cleat_tls_builder *s)
{
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
    test_pair_run(p);
}

static void assert_group(const struct test_pair *p, const char *name)
{
    test_assert_ready(p);
    assert_string_equal(test_info(&p->client).group_name, name);
    assert_string_equal(test_info(&p->server).group_name, name);
}

/* ---- handshakes ---- */

static void test_a_full_handshake_by_each_suite(void **state)
{
    for (size_t i = 0; i < TEST_LEN(suites); i++) {
        struct test_pair p;
        run(&p, client(suites[i], NULL), server(suites[i], NULL));
        assert_group(&p, "ffdhe2048");
        assert_int_equal(test_info(&p.client).cipher,
                         cl_suite_by_name(suites[i], strlen(suites[i]))->id);
        test_assert_echo(&p);
        test_pair_drop(&p);
    }
}

static void test_both_ends_are_warned(void **state)
{
    for (size_t i = 0; i < TEST_LEN(suites); i++) {
        const bool cbc = cl_suite_by_name(suites[i], strlen(suites[i]))->mac != CL_HASH_NONE;
        struct test_pair p;
        run(&p, client(suites[i], NULL), server(suites[i], NULL));
        for (int end = 0; end < 2; end++) {
            const struct test_end *e = end ? &p.server : &p.client;
            assert_true(test_log_has(e, "warning"));
            assert_true(test_log_has(e, "DHE key exchange"));
            assert_int_equal(test_log_has(e, "AES-CBC with HMAC"), cbc);
        }
        test_pair_drop(&p);
    }
}

static void test_each_group_that_is_named_is_used(void **state)
{
    for (size_t i = 0; i < TEST_LEN(fields); i++) {
        struct test_pair p;
        run(&p, client(DHE, fields[i]), server(DHE, fields[i]));
        assert_group(&p, fields[i]);
        test_assert_echo(&p);
        test_pair_drop(&p);
    }
}

static void test_mutual_authentication(void **state)
{
    struct cleat_tls_builder *c = client(DHE, NULL);
    struct cleat_tls_builder *s = server(DHE, NULL);
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                     CLEAT_OK);
    assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
    cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
    run(&p, c, s);
    test_assert_ready(&p);
    assert_true(test_info(&p.server).peer_authenticated);
    test_assert_echo(&p);
    test_pair_drop(&p);
}

static void test_resumption_warns_too(void **state)
{
    struct cleat_ticket_keys *keys;
    struct cleat_tls_builder *s = server(DHE, NULL);
    struct test_pair p;
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
    struct cleat_tls_config *server_config = test_finish(s);
    struct cleat_tls_config *client_config = test_finish(client(DHE, NULL));
    test_pair_make(&p, cleat_tls_config_ref(client_config), cleat_tls_config_ref(server_config),
                   NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    struct cleat_tls_session *session = cleat_tls_take_session(p.client.tls);
    test_pair_drop(&p);
    test_pair_make(&p, client_config, server_config, session);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_true(test_info(&p.client).resumed);
    assert_true(test_log_has(&p.server, "DHE key exchange"));
    test_assert_echo(&p);
    test_pair_drop(&p);
    cleat_tls_session_free(session);
    cleat_ticket_keys_free(keys);
}

static void test_without_the_extended_master_secret_too(void **state)
{
    struct test_edit edit = {.type = CL_HT_CLIENT_HELLO,
                             .edit = test_edit_ext_remove,
                             .ext = CL_ET_EXTENDED_MASTER_SECRET};
    struct cleat_tls_builder *c = client(DHE, NULL);
    struct test_pair p;
    test_builder_edit(c, &edit);
    run(&p, c, server(DHE, NULL));
    assert_group(&p, "ffdhe2048");
    test_assert_echo(&p);
    test_pair_drop(&p);
}

static struct cleat_tls_builder *with_psk(struct cleat_tls_builder *b, uint8_t last)
{
    uint8_t key[32] = {1, 2, 3, [31] = last};
    const struct cleat_psk psk = {
        .identity = (const uint8_t *)"device", .identity_len = 6, .key = key, .key_len = 32};
    assert_int_equal(cleat_tls_builder_psk(b, &psk), CLEAT_OK);
    return b;
}

static void test_a_psk_beside_dhe_by_each_suite(void **state)
{
    for (size_t i = 0; i < TEST_LEN(psk_suites); i++) {
        for (int hint = 0; hint < 2; hint++) {
            struct cleat_tls_builder *s = with_psk(server(psk_suites[i], NULL), 0);
            struct test_pair p;
            if (hint) {
                assert_int_equal(cleat_tls_builder_psk_hint(s, (const uint8_t *)"one", 3),
                                 CLEAT_OK);
            }
            run(&p, with_psk(client(psk_suites[i], "ffdhe3072"), 0), s);
            assert_group(&p, "ffdhe3072");
            assert_true(test_log_has(&p.server, "PSK with DHE"));
            test_assert_echo(&p);
            test_pair_drop(&p);
        }
    }
}

static void test_another_psk_ends_the_handshake(void **state)
{
    struct test_pair p;
    run(&p, with_psk(client(psk_suites[0], NULL), 0), with_psk(server(psk_suites[0], NULL), 1));
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_BAD_RECORD_MAC, 20);
    test_pair_drop(&p);
}

/* The Raccoon attack needs a key that is used twice. */
static void test_every_handshake_has_keys_of_its_own(void **state)
{
    struct cleat_tls_config *s = test_finish(server(DHE, NULL));
    struct cleat_tls_config *c = test_finish(client(DHE, NULL));
    uint8_t seen[2][2][256];
    for (int i = 0; i < 2; i++) {
        struct test_pair p;
        test_pair_make(&p, cleat_tls_config_ref(c), cleat_tls_config_ref(s), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        struct cl_rd ske = test_message(&p.server, true, CL_HT_SERVER_KEY_EXCHANGE, 0);
        struct cl_rd cke = test_message(&p.client, true, CL_HT_CLIENT_KEY_EXCHANGE, 0);
        /* a header of 4 bytes, prime and generator behind their lengths, the value's length */
        memcpy(seen[0][i], ske.p + 4 + 2 + 256 + 2 + 1 + 2, 256);
        assert_int_equal(cke.len, 4 + 2 + 256);
        memcpy(seen[1][i], cke.p + 4 + 2, 256);
        test_pair_drop(&p);
    }
    assert_memory_not_equal(seen[0][0], seen[0][1], 256);
    assert_memory_not_equal(seen[1][0], seen[1][1], 256);
    cleat_tls_config_free(s);
    cleat_tls_config_free(c);
}

/* ---- which group: RFC 7919 4 ---- */

static void test_the_servers_order_counts_among_the_clients_groups(void **state)
{
    static const struct {
        const char *client;
        const char *server;
        const char *expected;
    } rows[] = {
        {"ffdhe2048:ffdhe3072", "ffdhe3072:ffdhe2048", "ffdhe3072"},
        {"ffdhe3072:ffdhe2048", "ffdhe2048:ffdhe3072", "ffdhe2048"},
        {"X25519:ffdhe3072", NULL, "ffdhe3072"},
        {"ffdhe8192:ffdhe4096", NULL, "ffdhe4096"},
        {NULL, "ffdhe4096:P-256", "ffdhe4096"},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_pair p;
        run(&p, client(DHE, rows[i].client), server(DHE, rows[i].server));
        assert_group(&p, rows[i].expected);
        test_pair_drop(&p);
    }
}

/* Runs a client whose supported_groups is hex (NULL: it has none). */
static void run_listing(struct test_pair *p, const char *hex, const char *client_suites,
                        const char *server_suites, const char *server_groups)
{
    struct test_edit edit = {.type = CL_HT_CLIENT_HELLO,
                             .edit = hex != NULL ? test_edit_ext_put : test_edit_ext_remove,
                             .ext = CL_ET_SUPPORTED_GROUPS,
                             .hex = hex};
    struct cleat_tls_builder *c = client(client_suites, NULL);
    assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    test_builder_edit(c, &edit);
    run(p, c, server(server_suites, server_groups));
    assert_int_equal(edit.seen, 1);
}

static void test_a_client_that_names_no_group_for_dhe_gets_the_smallest(void **state)
{
    static const char *const lists[] = {NULL, "0002001d", "0004001d0017", "000400ff0200"};
    for (size_t i = 0; i < TEST_LEN(lists); i++) {
        struct test_pair p;
        run_listing(&p, lists[i], DHE, DHE, "ffdhe4096:ffdhe2048:ffdhe3072");
        assert_group(&p, "ffdhe2048");
        assert_true(test_log_has(&p.server, "the client names none for DHE"));
        test_pair_drop(&p);
    }
}

/* RFC 7919 4: "MUST NOT select an FFDHE cipher suite … insufficient_security(71)" */
static void test_a_client_that_names_groups_unknown_here_gets_no_dhe(void **state)
{
    static const char *const lists[] = {"00020104", "000201ff", "00040105001d", "000400170123"};
    for (size_t i = 0; i < TEST_LEN(lists); i++) {
        struct test_pair p;
        run_listing(&p, lists[i], DHE, DHE, NULL);
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_NO_SHARED_GROUP, 71);
        test_pair_drop(&p);
        run_listing(&p, lists[i], DHE ":AES128-GCM-SHA256", DHE ":AES128-GCM-SHA256", NULL);
        test_assert_ready(&p);
        assert_string_equal(test_info(&p.client).cipher_name, "TLS_RSA_WITH_AES_128_GCM_SHA256");
        test_pair_drop(&p);
    }
}

static void test_without_a_common_curve_dhe_is_chosen_and_the_other_way_round(void **state)
{
    static const char both[] = "ECDHE-RSA-AES128-GCM-SHA256:" DHE;
    static const char other[] = DHE ":ECDHE-RSA-AES128-GCM-SHA256";
    struct test_pair p;
    run_listing(&p, "00040100001e", both, both, NULL); /* X448 */
    assert_group(&p, "ffdhe2048");
    test_pair_drop(&p);
    run_listing(&p, "00040104001d", other, other, NULL);
    assert_group(&p, "X25519");
    assert_false(test_log_has(&p.server, "warning"));
    test_pair_drop(&p);
}

/* ---- off until named ---- */

static void test_the_names_are_refused_under_other_profiles(void **state)
{
    static const char *const profiles[] = {"public", "internal", "high-security", "iot"};
    for (size_t i = 0; i < TEST_LEN(suites) + TEST_LEN(psk_suites); i++) {
        const char *name = i < TEST_LEN(suites) ? suites[i] : psk_suites[i - TEST_LEN(suites)];
        for (size_t j = 0; j < TEST_LEN(profiles); j++) {
            struct cleat_tls_builder *b = test_client_builder();
            assert_int_equal(cleat_tls_builder_profile(b, profiles[j]), CLEAT_OK);
            assert_int_equal(cleat_tls_builder_ciphers(b, name), CLEAT_ERR_BAD_CONFIG);
            assert_non_null(strstr(cleat_tls_builder_error(b)->hint, "--profile legacy"));
            cleat_tls_builder_free(b);
        }
    }
}

static void test_no_profile_alone_has_dhe(void **state)
{
    const char *profile;
    for (size_t i = 0; (profile = cleat_profile_name(i)) != NULL; i++) {
        struct cleat_tls_builder *s = test_server_builder_with(test_identity_of(CL_KEY_RSA, false));
        struct cleat_tls_builder *c = client(DHE, NULL);
        struct test_pair p;
        if (strcmp(profile, "public") != 0 && strcmp(profile, "legacy") != 0) {
            cleat_tls_builder_free(s); /* no TLS 1.2 at all */
            cleat_tls_builder_free(c);
            continue;
        }
        assert_int_equal(cleat_tls_builder_profile(s, profile), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
        run(&p, c, s);
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_NO_SHARED_CIPHER, 40);
        test_pair_drop(&p);
    }
}

/* Whether the first ClientHello lists a group from 256 to 511. */
static bool lists_fields(struct cleat_tls_builder *c)
{
    struct test_pair p;
    bool found = false;
    run(&p, c, server(DHE, NULL));
    struct cl_rd hello = test_message(&p.client, true, CL_HT_CLIENT_HELLO, 0);
    struct cl_buf copy = {0};
    assert_int_equal(cl_buf_append(&copy, hello.p, hello.len, hello.len), CL_OK);
    size_t at = test_ext_find(&copy, 0, CL_ET_SUPPORTED_GROUPS);
    assert_true(at != 0);
    size_t len = (size_t)copy.p[at + 4] << 8 | copy.p[at + 5];
    for (size_t i = 0; i < len; i += 2) {
        found = found || copy.p[at + 6 + i] == 0x01;
    }
    cl_buf_deinit(&copy);
    test_pair_drop(&p);
    return found;
}

static void test_clients_name_finite_fields_only_beside_dhe(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    assert_false(lists_fields(c));
    c = test_client_builder();
    assert_int_equal(cleat_tls_builder_profile(c, "legacy"), CLEAT_OK);
    assert_false(lists_fields(c));
    assert_false(lists_fields(client("AES128-SHA", NULL)));
    assert_true(lists_fields(client(DHE, NULL)));
    assert_true(lists_fields(client(DHE, "X25519:ffdhe8192")));
}

static void test_a_finite_field_without_a_suite_that_uses_it_is_refused(void **state)
{
    for (int legacy_too = 0; legacy_too < 2; legacy_too++) {
        struct cleat_tls_builder *b = test_client_builder();
        struct cleat_tls_config *config = NULL;
        struct cleat_error error;
        if (legacy_too) {
            assert_int_equal(cleat_tls_builder_profile(b, "legacy"), CLEAT_OK);
        }
        assert_int_equal(cleat_tls_builder_groups(b, "X25519:ffdhe2048"), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_finish(b, &config, &error), CLEAT_ERR_BAD_CONFIG);
        assert_non_null(strstr(error.text, "ffdhe2048"));
        assert_non_null(strstr(error.hint, "--profile legacy"));
        assert_null(config);
    }
}

/* ---- never in TLS 1.3 ---- */

static void test_tls_1_3_never_agrees_on_a_finite_field(void **state)
{
    struct test_edit edit = {.type = CL_HT_CLIENT_HELLO,
                             .edit = test_edit_ext_put,
                             .ext = CL_ET_SUPPORTED_GROUPS,
                             .hex = "00020100"};
    struct test_edit no_shares = {.type = CL_HT_CLIENT_HELLO,
                                  .edit = test_edit_ext_put,
                                  .ext = CL_ET_KEY_SHARE,
                                  .hex = "0000"};
    struct cleat_tls_builder *s = server(DHE, NULL);
    struct cleat_tls_builder *c = client(DHE, NULL);
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_versions(s, CLEAT_TLS_1_2, CLEAT_TLS_1_3), CLEAT_OK);
    test_builder_edit(c, &edit);
    run(&p, c, s);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_ILLEGAL_PARAMETER, 47); /* its shares */
    test_pair_drop(&p);
    s = legacy(test_server_builder(), DHE, NULL);
    c = client(DHE, NULL);
    test_builder_edit(c, &no_shares); /* so that the server asks for one of X25519 */
    run(&p, c, s);
    assert_true(test_count_messages(&p.server, true, CL_HT_SERVER_HELLO) >= 1);
    assert_false(test_log_has(&p.server, "retry: ffdhe"));
    test_pair_drop(&p);
}

static void test_a_retry_for_a_finite_field_is_refused(void **state)
{
    /* key_share of a HelloRetryRequest: ffdhe2048, which the client named, for TLS 1.2 */
    struct test_edit edit = {.type = CL_HT_SERVER_HELLO,
                             .edit = test_edit_ext_put,
                             .ext = CL_ET_KEY_SHARE,
                             .hex = "0100"};
    struct cleat_tls_builder *s = test_server_builder();
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_groups(s, "P-384"), CLEAT_OK);
    test_builder_edit(s, &edit);
    run(&p, client(DHE, "X25519:P-384:ffdhe2048"), s);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_ILLEGAL_PARAMETER, 47);
    test_pair_drop(&p);
}

/* ---- what a peer may not do ---- */

static void put_hex(struct cl_buf *out, struct cl_rd bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        assert_int_equal(cl_buf_printf(out, SIZE_MAX / 2, "%02x", bytes.p[i]), CL_OK);
    }
}

static void put_vec16(struct cl_buf *out, struct cl_rd bytes)
{
    assert_int_equal(cl_buf_printf(out, SIZE_MAX / 2, "%04zx", bytes.len), CL_OK);
    put_hex(out, bytes);
}

static struct cl_rd prime_of(uint16_t id)
{
    return cl_group_prime(cl_group_by_id(id));
}

/* What is sent in place of a public value: the group's prime plus `above`, or a small number. */
static const struct value {
    const char *name;
    bool near_prime;
    int number;
    size_t zeros; /* in front */
    bool good;
} values[] = {
    {"0", false, 0, 0, false},
    {"1", false, 1, 0, false},
    {"2", false, 2, 0, true},
    {"2 behind 255 zeros", false, 2, 255, true},
    {"2 behind 256 zeros", false, 2, 256, true},
    {"1 behind 255 zeros", false, 1, 255, false},
    {"256 zeros", false, 0, 255, false},
    {"p - 2", true, -2, 0, true},
    {"p - 2 behind a zero", true, -2, 1, true},
    {"p - 1", true, -1, 0, false},
    {"p", true, 0, 0, false},
};

static struct cl_rd value_bytes(const struct value *v, uint8_t room[600])
{
    const struct cl_rd prime = prime_of(CL_GROUP_FFDHE2048);
    memset(room, 0, v->zeros);
    if (!v->near_prime) {
        room[v->zeros] = (uint8_t)v->number;
        return cl_rd_of(room, v->zeros + 1);
    }
    memcpy(room + v->zeros, prime.p, prime.len);
    room[v->zeros + prime.len - 1] = (uint8_t)(0xff + v->number);
    return cl_rd_of(room, v->zeros + prime.len);
}

/* A good value that is not the client's own leads to other keys: its Finished cannot be read. */
static void test_clients_public_values_are_checked(void **state)
{
    for (size_t i = 0; i < TEST_LEN(values); i++) {
        struct cl_buf hex = {0};
        uint8_t room[600];
        struct test_edit edit = {.type = CL_HT_CLIENT_KEY_EXCHANGE, .edit = test_edit_body};
        struct cleat_tls_builder *c = client(DHE, NULL);
        struct test_pair p;
        put_vec16(&hex, value_bytes(&values[i], room));
        edit.hex = (const char *)hex.p;
        test_builder_edit(c, &edit);
        run(&p, c, server(DHE, NULL));
        if (values[i].good) {
            test_assert_failed(&p.server, &p.client, CLEAT_ERR_BAD_RECORD_MAC, 20);
        } else {
            test_assert_failed(&p.server, &p.client, CLEAT_ERR_BAD_KEY_SHARE, 47);
            assert_non_null(strstr(cleat_tls_error(p.server.tls)->section, "RFC 7919 5.1"));
        }
        test_pair_drop(&p);
        cl_buf_deinit(&hex);
    }
}

static void test_malformed_client_key_exchanges_are_refused(void **state)
{
    static const struct {
        const char *hex;
        int code;
        uint8_t alert;
    } rows[] = {
        {"", CLEAT_ERR_DECODE, 50},         {"00", CLEAT_ERR_DECODE, 50},
        {"0000", CLEAT_ERR_DECODE, 50},     {"000105", CLEAT_ERR_BAD_RECORD_MAC, 20},
        {"00010500", CLEAT_ERR_DECODE, 50}, {"000205", CLEAT_ERR_DECODE, 50},
        {"0105", CLEAT_ERR_DECODE, 50},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_edit edit = {
            .type = CL_HT_CLIENT_KEY_EXCHANGE, .edit = test_edit_body, .hex = rows[i].hex};
        struct cleat_tls_builder *c = client(DHE, NULL);
        struct test_pair p;
        test_builder_edit(c, &edit);
        run(&p, c, server(DHE, NULL));
        test_assert_failed(&p.server, &p.client, rows[i].code, rows[i].alert);
        test_pair_drop(&p);
    }
}

static void test_a_public_value_longer_than_the_prime_is_refused(void **state)
{
    struct cl_buf hex = {0};
    uint8_t room[257];
    struct test_edit edit = {.type = CL_HT_CLIENT_KEY_EXCHANGE, .edit = test_edit_body};
    struct cleat_tls_builder *c = client(DHE, NULL);
    struct test_pair p;
    memset(room, 1, sizeof(room));
    put_vec16(&hex, cl_rd_of(room, sizeof(room)));
    edit.hex = (const char *)hex.p;
    test_builder_edit(c, &edit);
    run(&p, c, server(DHE, NULL));
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_BAD_KEY_SHARE, 47);
    assert_non_null(strstr(cleat_tls_error(p.server.tls)->text, "257 bytes"));
    test_pair_drop(&p);
    cl_buf_deinit(&hex);
}

/* Runs a client against a server that says this in its ServerKeyExchange. The parameters are looked
 * at before the signature over them. */
static void run_params(struct test_pair *p, struct cl_rd prime, struct cl_rd generator,
                       struct cl_rd value)
{
    struct cl_buf hex = {0};
    struct test_edit edit = {.type = CL_HT_SERVER_KEY_EXCHANGE, .edit = test_edit_body};
    struct cleat_tls_builder *s = server(DHE, NULL);
    put_vec16(&hex, prime);
    put_vec16(&hex, generator);
    put_vec16(&hex, value);
    assert_int_equal(cl_buf_printf(&hex, SIZE_MAX / 2, "0804000100"), CL_OK);
    edit.hex = (const char *)hex.p;
    test_builder_edit(s, &edit);
    run(p, client(DHE, "X25519:ffdhe2048:ffdhe3072"), s);
    assert_int_equal(edit.seen, 1);
    cl_buf_deinit(&hex);
}

static void test_clients_refuse_groups_that_are_not_of_rfc_7919(void **state)
{
    static const uint8_t two[] = {2}, three[] = {3}, zero[] = {0};
    const struct cl_rd prime = prime_of(CL_GROUP_FFDHE2048);
    uint8_t other[256];
    memcpy(other, prime.p, sizeof(other));
    other[100] ^= 1;
    const struct {
        struct cl_rd prime;
        struct cl_rd generator;
    } rows[] = {
        {cl_rd_of(other, sizeof(other)), cl_rd_of(two, 1)}, /* of its own */
        {prime, cl_rd_of(three, 1)},
        {prime, cl_rd_of(zero, 1)},
        {cl_rd_of(prime.p, 128), cl_rd_of(two, 1)}, /* 1,024 bits */
        {cl_rd_of(prime.p, 64), cl_rd_of(two, 1)},  /* Logjam: 512 bits */
        {cl_rd_of(zero, 1), cl_rd_of(two, 1)},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct test_pair p;
        run_params(&p, rows[i].prime, rows[i].generator, cl_rd_of(three, 1));
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_NO_SHARED_GROUP, 71);
        assert_non_null(strstr(cleat_tls_error(p.client.tls)->text, "a group of its own"));
        assert_non_null(strstr(cleat_tls_error(p.client.tls)->hint, "RFC 7919"));
        test_pair_drop(&p);
    }
}

static void test_clients_refuse_groups_that_they_did_not_name(void **state)
{
    static const uint8_t two[] = {2}, three[] = {3};
    static const uint16_t others[] = {CL_GROUP_FFDHE4096, CL_GROUP_FFDHE6144, CL_GROUP_FFDHE8192};
    for (size_t i = 0; i < TEST_LEN(others); i++) {
        struct test_pair p;
        run_params(&p, prime_of(others[i]), cl_rd_of(two, 1), cl_rd_of(three, 1));
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_ILLEGAL_PARAMETER, 47);
        assert_non_null(strstr(cleat_tls_error(p.client.tls)->text, "ffdhe"));
        test_pair_drop(&p);
    }
}

/* With a PSK nothing is signed: a good value gets as far as the server's Finished. */
static void test_servers_public_values_are_checked(void **state)
{
    static const uint8_t two[] = {0, 0, 2};
    uint8_t room[600], prime[1 + 256] = {0};
    memcpy(prime + 1, prime_of(CL_GROUP_FFDHE2048).p, 256);
    for (size_t i = 0; i < TEST_LEN(values) * 2; i++) {
        const struct value *v = &values[i / 2];
        const size_t zeros = i % 2; /* in front of prime and generator */
        struct cl_buf hex = {0};
        struct test_edit edit = {.type = CL_HT_SERVER_KEY_EXCHANGE, .edit = test_edit_body};
        struct cleat_tls_builder *s = with_psk(server(psk_suites[0], NULL), 0);
        struct test_pair p;
        put_vec16(&hex, cl_rd_of(NULL, 0)); /* the hint */
        put_vec16(&hex, cl_rd_of(prime + 1 - zeros, 256 + zeros));
        put_vec16(&hex, cl_rd_of(two + 2 - 2 * zeros, 1 + 2 * zeros));
        put_vec16(&hex, value_bytes(v, room));
        edit.hex = (const char *)hex.p;
        test_builder_edit(s, &edit);
        run(&p, with_psk(client(psk_suites[0], NULL), 0), s);
        if (v->good) {
            test_assert_failed(&p.server, &p.client, CLEAT_ERR_BAD_RECORD_MAC, 20);
        } else {
            test_assert_failed(&p.client, &p.server, CLEAT_ERR_BAD_KEY_SHARE, 47);
            assert_non_null(strstr(cleat_tls_error(p.client.tls)->text, "the server's key share"));
        }
        test_pair_drop(&p);
        cl_buf_deinit(&hex);
    }
}

static void test_malformed_server_key_exchanges_are_refused(void **state)
{
    static const char *const bodies[] = {"",
                                         "00",
                                         "0000",
                                         "000105",
                                         "0001050000",
                                         "00010500010200",
                                         "0001050001020000",
                                         "0001050001020001"};
    for (size_t i = 0; i < TEST_LEN(bodies); i++) {
        struct test_edit edit = {
            .type = CL_HT_SERVER_KEY_EXCHANGE, .edit = test_edit_body, .hex = bodies[i]};
        struct cleat_tls_builder *s = server(DHE, NULL);
        struct test_pair p;
        test_builder_edit(s, &edit);
        run(&p, client(DHE, NULL), s);
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_DECODE, 50);
        test_pair_drop(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_handshake_by_each_suite),
        cmocka_unit_test(test_both_ends_are_warned),
        cmocka_unit_test(test_each_group_that_is_named_is_used),
        cmocka_unit_test(test_mutual_authentication),
        cmocka_unit_test(test_resumption_warns_too),
        cmocka_unit_test(test_without_the_extended_master_secret_too),
        cmocka_unit_test(test_a_psk_beside_dhe_by_each_suite),
        cmocka_unit_test(test_another_psk_ends_the_handshake),
        cmocka_unit_test(test_every_handshake_has_keys_of_its_own),
        cmocka_unit_test(test_the_servers_order_counts_among_the_clients_groups),
        cmocka_unit_test(test_a_client_that_names_no_group_for_dhe_gets_the_smallest),
        cmocka_unit_test(test_a_client_that_names_groups_unknown_here_gets_no_dhe),
        cmocka_unit_test(test_without_a_common_curve_dhe_is_chosen_and_the_other_way_round),
        cmocka_unit_test(test_the_names_are_refused_under_other_profiles),
        cmocka_unit_test(test_no_profile_alone_has_dhe),
        cmocka_unit_test(test_clients_name_finite_fields_only_beside_dhe),
        cmocka_unit_test(test_a_finite_field_without_a_suite_that_uses_it_is_refused),
        cmocka_unit_test(test_tls_1_3_never_agrees_on_a_finite_field),
        cmocka_unit_test(test_a_retry_for_a_finite_field_is_refused),
        cmocka_unit_test(test_clients_public_values_are_checked),
        cmocka_unit_test(test_malformed_client_key_exchanges_are_refused),
        cmocka_unit_test(test_a_public_value_longer_than_the_prime_is_refused),
        cmocka_unit_test(test_clients_refuse_groups_that_are_not_of_rfc_7919),
        cmocka_unit_test(test_clients_refuse_groups_that_they_did_not_name),
        cmocka_unit_test(test_servers_public_values_are_checked),
        cmocka_unit_test(test_malformed_server_key_exchanges_are_refused),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
