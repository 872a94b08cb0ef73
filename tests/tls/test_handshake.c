/* tests/tls/test_handshake.c - whole handshakes of TLS 1.3 between our two ends. */
#include "tls/support_tls.h"

#include <string.h>

static void assert_echo(struct test_pair *p)
{
    test_write(&p->client, &p->server, "ping", 4);
    test_pair_run(p);
    assert_int_equal(p->server.data.len, 4);
    assert_memory_equal(p->server.data.p, "ping", 4);
    test_write(&p->server, &p->client, "pong!", 5);
    test_pair_run(p);
    assert_int_equal(p->client.data.len, 5);
    assert_memory_equal(p->client.data.p, "pong!", 5);
    p->client.data.len = 0;
    p->server.data.len = 0;
}

static void test_a_full_handshake_carries_data_both_ways(void **state)
{
    struct test_pair p;
    test_pair_make(&p, test_finish(test_client_builder()), test_finish(test_server_builder()),
                   NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    struct cleat_tls_info info;
    assert_int_equal(cleat_tls_info(p.client.tls, &info), CLEAT_OK);
    assert_int_equal(info.version, CLEAT_TLS_1_3);
    assert_string_equal(info.cipher_name, "TLS_AES_128_GCM_SHA256");
    assert_string_equal(info.group_name, "X25519");
    assert_string_equal(info.signature_name, "ecdsa_secp256r1_sha256");
    assert_true(info.peer_authenticated);
    assert_false(info.resumed);
    assert_echo(&p);
    test_pair_drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_handshake_carries_data_both_ways),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
