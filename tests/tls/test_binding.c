/* tests/tls/test_binding.c - channel bindings (RFC 9266, RFC 5929), and how many tickets a client
 * asks for (RFC 9149). */
#include <string.h>

#include "cleat/tls_auth.h"
#include "cleat/tls_options.h"
#include "crypto/hash.h"
#include "tls/support_tls.h"
#include "x509/chain.h"

static void make(struct test_pair *p, uint16_t version, enum cl_key_type type)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_server_builder_with(test_identity_of(type, false));
    assert_int_equal(cleat_tls_builder_versions(c, version, version), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_versions(s, version, version), CLEAT_OK);
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
    test_pair_run(p);
    test_assert_ready(p);
}

static size_t both(const struct test_pair *p, enum cleat_channel_binding type, uint8_t *out)
{
    uint8_t other[CLEAT_CHANNEL_BINDING_MAX];
    size_t len[2];
    assert_int_equal(cleat_tls_channel_binding(p->client.tls, type, out, &len[0]), CLEAT_OK);
    assert_int_equal(cleat_tls_channel_binding(p->server.tls, type, other, &len[1]), CLEAT_OK);
    assert_int_equal(len[0], len[1]);
    assert_memory_equal(out, other, len[0]);
    return len[0];
}

static void test_tls_exporter_is_the_exporter_of_its_label(void **state)
{
    for (uint16_t version = CLEAT_TLS_1_2; version <= CLEAT_TLS_1_3; version++) {
        uint8_t a[CLEAT_CHANNEL_BINDING_MAX];
        uint8_t b[CLEAT_CHANNEL_BINDING_MAX];
        struct test_pair p;
        make(&p, version, CL_KEY_EC_P256);
        assert_int_equal(both(&p, CLEAT_BINDING_TLS_EXPORTER, a), 32);
        assert_int_equal(cleat_tls_export(p.server.tls, "EXPORTER-Channel-Binding",
                                          (const uint8_t *)"", 0, b, 32),
                         CLEAT_OK);
        assert_memory_equal(a, b, 32);
        test_pair_drop(&p);
        make(&p, version, CL_KEY_EC_P256);
        both(&p, CLEAT_BINDING_TLS_EXPORTER, b);
        assert_memory_not_equal(a, b, 32);
        test_pair_drop(&p);
    }
}

static void test_tls_unique_is_the_first_finished_of_tls_12_alone(void **state)
{
    uint8_t out[CLEAT_CHANNEL_BINDING_MAX];
    size_t len;
    struct test_pair p;
    make(&p, CLEAT_TLS_1_2, CL_KEY_EC_P256);
    assert_int_equal(both(&p, CLEAT_BINDING_TLS_UNIQUE, out), 12);
    struct cl_rd finished = test_message(&p.client, true, 20, 0);
    assert_memory_equal(out, finished.p + 4, 12);
    test_pair_drop(&p);
    make(&p, CLEAT_TLS_1_3, CL_KEY_EC_P256);
    assert_int_equal(cleat_tls_channel_binding(p.client.tls, CLEAT_BINDING_TLS_UNIQUE, out, &len),
                     CLEAT_ERR_UNSUPPORTED);
    assert_int_equal(len, 0);
    test_pair_drop(&p);
}

static void test_server_end_point_is_a_hash_of_the_servers_certificate(void **state)
{
    uint8_t out[CLEAT_CHANNEL_BINDING_MAX];
    uint8_t digest[CLEAT_CHANNEL_BINDING_MAX];
    size_t len;
    struct test_pair p;
    make(&p, CLEAT_TLS_1_3, CL_KEY_EC_P384);
    /* the CA signs with ECDSA P-256 and SHA-256 */
    struct cl_rd der = cl_cert_der(cl_chain_at(test_identity_of(CL_KEY_EC_P384, false)->chain, 0));
    cl_hash_once(CL_HASH_SHA256, der.p, der.len, digest);
    assert_int_equal(both(&p, CLEAT_BINDING_TLS_SERVER_END_POINT, out), 32);
    assert_memory_equal(out, digest, 32);
    cleat_tls_forget(p.client.tls);
    assert_int_equal(
        cleat_tls_channel_binding(p.client.tls, CLEAT_BINDING_TLS_SERVER_END_POINT, out, &len),
        CLEAT_ERR_NO_CERTIFICATE);
    test_pair_drop(&p);
}

static void test_there_is_none_before_the_end_of_the_handshake(void **state)
{
    uint8_t out[CLEAT_CHANNEL_BINDING_MAX];
    size_t len;
    struct test_pair p;
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    for (int type = 0; type < 3; type++) {
        assert_int_equal(
            cleat_tls_channel_binding(p.client.tls, (enum cleat_channel_binding)type, out, &len),
            CLEAT_ERR_USAGE);
    }
    test_pair_drop(&p);
}

/* ---- tickets asked for ---- */

static void test_a_server_sends_as_many_tickets_as_are_asked_for(void **state)
{
    static const struct {
        int full; /* -1: not asked */
        int resumed;
        unsigned configured;
        size_t expected[2]; /* after a full handshake, after a resumption */
    } rows[] = {
        {-1, 0, 2, {2, 1}}, {1, 1, 2, {1, 1}}, {5, 3, 2, {5, 3}},  {8, 0, 1, {8, 0}},
        {1, 8, 8, {1, 8}},  {4, 4, 0, {0, 0}}, {-1, 0, 1, {1, 1}},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_ticket_keys *keys;
        struct cleat_tls_builder *c = test_client_builder();
        struct cleat_tls_builder *s = test_server_builder();
        struct cleat_tls_session *session = NULL;
        assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_tickets(s, keys, rows[i].configured), CLEAT_OK);
        if (rows[i].full >= 0) {
            assert_int_equal(
                cleat_tls_builder_ask_tickets(c, (unsigned)rows[i].full, (unsigned)rows[i].resumed),
                CLEAT_OK);
        }
        struct cleat_tls_config *client = test_finish(c);
        struct cleat_tls_config *server = test_finish(s);
        for (int round = 0; round < 2; round++) {
            struct test_pair p;
            struct cleat_tls_session *next;
            size_t num = 0;
            test_pair_make(&p, cleat_tls_config_ref(client), cleat_tls_config_ref(server), session);
            test_pair_run(&p);
            test_assert_ready(&p);
            assert_int_equal(test_info(&p.client).resumed, session != NULL);
            assert_int_equal(test_count_messages(&p.server, true, 4),
                             rows[i].expected[session != NULL]);
            while ((next = cleat_tls_take_session(p.client.tls)) != NULL) {
                cleat_tls_session_free(session);
                session = next;
                num++;
            }
            assert_int_equal(num, test_count_messages(&p.server, true, 4));
            test_pair_drop(&p);
        }
        cleat_tls_session_free(session);
        cleat_tls_config_free(client);
        cleat_tls_config_free(server);
        cleat_ticket_keys_free(keys);
    }
}

static void test_more_than_the_bound_is_not_sent(void **state)
{
    struct cleat_ticket_keys *keys;
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = test_server_builder();
    struct test_edit edit = {.type = 1, .edit = test_edit_ext_put, .ext = 58, .hex = "ffff"};
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_ask_tickets(c, 1, 1), CLEAT_OK);
    test_builder_edit(c, &edit);
    assert_int_equal(cleat_ticket_keys_new(0, &keys), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_tickets(s, keys, 1), CLEAT_OK);
    test_pair_make(&p, test_finish(c), test_finish(s), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_int_equal(test_count_messages(&p.server, true, 4), 8);
    test_pair_drop(&p);
    cleat_ticket_keys_free(keys);
    c = test_client_builder();
    assert_int_equal(cleat_tls_builder_ask_tickets(c, 9, 1), CLEAT_ERR_BAD_CONFIG);
    cleat_tls_builder_free(c);
}

static void test_malformed_ticket_requests_are_refused(void **state)
{
    static const struct {
        bool by_client;
        const char *hex;
        int code;
        uint8_t alert;
    } rows[] = {
        {true, "01", CLEAT_ERR_DECODE, 50},
        {true, "010203", CLEAT_ERR_DECODE, 50},
        {false, "", CLEAT_ERR_DECODE, 50},
        {false, "0102", CLEAT_ERR_DECODE, 50},
    };
    for (size_t i = 0; i < TEST_LEN(rows); i++) {
        struct cleat_tls_builder *c = test_client_builder();
        struct cleat_tls_builder *s = test_server_builder();
        struct test_edit edit = {.edit = test_edit_ext_put, .ext = 58, .hex = rows[i].hex};
        struct test_pair p;
        edit.type = rows[i].by_client ? 1 : 8;
        assert_int_equal(cleat_tls_builder_ask_tickets(c, 1, 1), CLEAT_OK);
        test_builder_edit(rows[i].by_client ? c : s, &edit);
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_failed(rows[i].by_client ? &p.server : &p.client,
                           rows[i].by_client ? &p.client : &p.server, rows[i].code, rows[i].alert);
        test_pair_drop(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls_exporter_is_the_exporter_of_its_label),
        cmocka_unit_test(test_tls_unique_is_the_first_finished_of_tls_12_alone),
        cmocka_unit_test(test_server_end_point_is_a_hash_of_the_servers_certificate),
        cmocka_unit_test(test_there_is_none_before_the_end_of_the_handshake),
        cmocka_unit_test(test_a_server_sends_as_many_tickets_as_are_asked_for),
        cmocka_unit_test(test_more_than_the_bound_is_not_sent),
        cmocka_unit_test(test_malformed_ticket_requests_are_refused),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
