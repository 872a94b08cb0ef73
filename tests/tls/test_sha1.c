/* tests/tls/test_sha1.c - signatures with SHA-1 (and MD5) are never made, asked for or taken, in
 * any profile, version or role (RFC 9155, RFC 9846 4.3.3). Those in certificates are in
 * tests/x509/test_matrix_paths.c. */
#include "tls/support_tls.h"

#include <string.h>

#include "cleat/profile.h"
#include "cleat/tls_options.h"
#include "tls/wire.h"

/* SignatureScheme: 0x01 and 0x02 are MD5 and SHA-1 of TLS 1.2's pairs (RFC 5246 7.4.1.4.1) */
#define IS_OLD(scheme) ((scheme) >> 8 == 1 || (scheme) >> 8 == 2)

static struct cleat_tls_builder *versions(struct cleat_tls_builder *b, uint16_t only)
{
    assert_int_equal(cleat_tls_builder_versions(b, only, only), CLEAT_OK);
    return b;
}

static void run(struct test_pair *p, struct cleat_tls_builder *c, struct cleat_tls_builder *s)
{
    test_pair_make(p, test_finish(c), test_finish(s), NULL);
    test_pair_run(p);
}

static void test_no_profile_lets_such_a_scheme_be_named(void **state)
{
    static const char *const names[] = {"rsa_pkcs1_sha1", "ecdsa_sha1", "RSA+SHA1", "ECDSA+SHA1",
                                        "RSA+MD5",        "dsa_sha1",   "SHA1"};
    const char *profile;
    for (size_t i = 0; (profile = cleat_profile_name(i)) != NULL; i++) {
        for (size_t j = 0; j < TEST_LEN(names); j++) {
            struct cleat_tls_builder *b = test_client_builder();
            assert_int_equal(cleat_tls_builder_profile(b, profile), CLEAT_OK);
            assert_int_equal(cleat_tls_builder_signatures(b, names[j]), CLEAT_ERR_BAD_CONFIG);
            cleat_tls_builder_free(b);
        }
    }
}

static void check_schemes(struct cl_rd list)
{
    uint16_t scheme;
    assert_true(list.len != 0);
    while (cl_rd_u16(&list, &scheme)) {
        assert_false(IS_OLD(scheme));
    }
}

static void check_extension(struct cl_rd message, uint16_t type)
{
    struct cl_buf copy = {0};
    assert_int_equal(cl_buf_append(&copy, message.p, message.len, message.len), CL_OK);
    const size_t at = test_ext_find(&copy, 0, type);
    assert_true(at != 0);
    struct cl_rd rest = cl_rd_of(copy.p + at + 4, copy.len - at - 4);
    struct cl_rd list;
    assert_true(cl_rd_vec16(&rest, &list));
    check_schemes(list);
    cl_buf_deinit(&copy);
}

/* type, certificate_types, then the schemes (RFC 5246 7.4.4) */
static void check_request_12(struct cl_rd message)
{
    struct cl_rd types, list;
    assert_true(cl_rd_skip(&message, 4) && cl_rd_vec8(&message, &types) &&
                cl_rd_vec16(&message, &list));
    check_schemes(list);
}

static void test_no_profile_offers_or_asks_for_one(void **state)
{
    const char *profile;
    for (size_t i = 0; (profile = cleat_profile_name(i)) != NULL; i++) {
        for (uint16_t version = CLEAT_TLS_1_2; version <= CLEAT_TLS_1_3; version++) {
            struct cleat_tls_builder *c = test_client_builder();
            struct cleat_tls_builder *s =
                test_server_builder_with(test_identity_of(CL_KEY_EC_P384, false));
            struct test_pair p;
            assert_int_equal(cleat_tls_builder_profile(c, profile), CLEAT_OK);
            assert_int_equal(cleat_tls_builder_profile(s, profile), CLEAT_OK);
            assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
            cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_OPTIONAL);
            run(&p, versions(c, version), versions(s, version));
            check_extension(test_message(&p.client, true, CL_HT_CLIENT_HELLO, 0),
                            CL_ET_SIGNATURE_ALGORITHMS);
            if (test_count_messages(&p.server, true, CL_HT_CERTIFICATE_REQUEST) == 1) {
                struct cl_rd request = test_message(&p.server, true, CL_HT_CERTIFICATE_REQUEST, 0);
                if (version == CLEAT_TLS_1_2) {
                    check_request_12(request);
                } else {
                    check_extension(request, CL_ET_SIGNATURE_ALGORITHMS);
                }
            }
            test_pair_drop(&p);
        }
    }
}

/* A client that takes SHA-1 alone, or says nothing, which means the same in TLS 1.2. */
static void test_no_server_signs_for_a_client_that_takes_nothing_else(void **state)
{
    static const char *const suites[] = {"ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA",
                                         "DHE-RSA-AES128-GCM-SHA256"};
    for (size_t i = 0; i < TEST_LEN(suites) * 2; i++) {
        struct test_edit edit = {.type = CL_HT_CLIENT_HELLO,
                                 .edit = i % 2 == 0 ? test_edit_ext_put : test_edit_ext_remove,
                                 .ext = CL_ET_SIGNATURE_ALGORITHMS,
                                 .hex = "0006020102030101"};
        struct cleat_tls_builder *ends[] = {
            test_client_builder(), test_server_builder_with(test_identity_of(CL_KEY_RSA, false))};
        struct test_pair p;
        for (int end = 0; end < 2; end++) {
            assert_int_equal(cleat_tls_builder_profile(ends[end], "legacy"), CLEAT_OK);
            assert_int_equal(cleat_tls_builder_ciphers(ends[end], suites[i / 2]), CLEAT_OK);
        }
        test_builder_edit(ends[0], &edit);
        run(&p, versions(ends[0], CLEAT_TLS_1_2), versions(ends[1], CLEAT_TLS_1_2));
        test_assert_failed(&p.server, &p.client, CLEAT_ERR_NO_SHARED_SIGNATURE, 40);
        assert_int_equal(test_count_messages(&p.server, true, CL_HT_SERVER_KEY_EXCHANGE), 0);
        test_pair_drop(&p);
    }
    struct test_edit edit = {.type = CL_HT_CLIENT_HELLO,
                             .edit = test_edit_ext_put,
                             .ext = CL_ET_SIGNATURE_ALGORITHMS,
                             .hex = "000402010203"};
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    test_builder_edit(c, &edit);
    run(&p, versions(c, CLEAT_TLS_1_3), versions(test_server_builder(), CLEAT_TLS_1_3));
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_NO_SHARED_SIGNATURE, 40);
    test_pair_drop(&p);
}

/* Puts the scheme of e->hex at byte e->ext. */
static void put_scheme(struct test_edit *e, struct cleat_tls *tls, struct cl_buf *flight,
                       size_t start)
{
    struct cl_buf scheme = test_hex(e->hex);
    assert_true(flight->len >= start + e->ext + 2);
    memcpy(flight->p + start + e->ext, scheme.p, 2);
    cl_buf_deinit(&scheme);
}

static const char *const old_schemes[] = {"0201", "0203", "0202", "0101", "0103"};

/* The scheme stands behind the parameters: curve type, X25519, a share of 32 bytes. */
static void test_no_client_takes_one_in_a_server_key_exchange(void **state)
{
    for (size_t i = 0; i < TEST_LEN(old_schemes); i++) {
        struct test_edit edit = {.type = CL_HT_SERVER_KEY_EXCHANGE,
                                 .edit = put_scheme,
                                 .ext = 4 + 1 + 2 + 1 + 32,
                                 .hex = old_schemes[i]};
        struct cleat_tls_builder *c = test_client_builder();
        struct cleat_tls_builder *s = test_server_builder_with(test_identity_of(CL_KEY_RSA, false));
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_profile(c, "legacy"), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_groups(c, "X25519"), CLEAT_OK);
        test_builder_edit(s, &edit);
        run(&p, versions(c, CLEAT_TLS_1_2), versions(s, CLEAT_TLS_1_2));
        test_assert_failed(&p.client, &p.server, CLEAT_ERR_ILLEGAL_PARAMETER, 47);
        assert_int_equal(edit.seen, 1);
        test_pair_drop(&p);
    }
}

static void test_nobody_takes_one_in_a_certificate_verify(void **state)
{
    for (size_t i = 0; i < TEST_LEN(old_schemes) * 3; i++) {
        struct test_edit edit = {.type = CL_HT_CERTIFICATE_VERIFY,
                                 .edit = put_scheme,
                                 .ext = 4,
                                 .hex = old_schemes[i / 3]};
        const bool by_client = i % 3 != 0; /* of TLS 1.3 and 1.2; else by a server of 1.3 */
        const uint16_t version = i % 3 == 2 ? CLEAT_TLS_1_2 : CLEAT_TLS_1_3;
        struct cleat_tls_builder *c = test_client_builder();
        struct cleat_tls_builder *s = test_server_builder();
        struct test_pair p;
        assert_int_equal(cleat_tls_builder_profile(c, "legacy"), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_profile(s, "legacy"), CLEAT_OK);
        assert_int_equal(cleat_tls_builder_credential(c, world.client.chain, world.client.key),
                         CLEAT_OK);
        assert_int_equal(cleat_tls_builder_trust(s, world.ca.store), CLEAT_OK);
        cleat_tls_builder_client_auth(s, CLEAT_CLIENT_AUTH_REQUIRED);
        test_builder_edit(by_client ? c : s, &edit);
        run(&p, versions(c, version), versions(s, version));
        test_assert_failed(by_client ? &p.server : &p.client, by_client ? &p.client : &p.server,
                           CLEAT_ERR_ILLEGAL_PARAMETER, 47);
        assert_int_equal(edit.seen, 1);
        test_pair_drop(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_profile_lets_such_a_scheme_be_named),
        cmocka_unit_test(test_no_profile_offers_or_asks_for_one),
        cmocka_unit_test(test_no_server_signs_for_a_client_that_takes_nothing_else),
        cmocka_unit_test(test_no_client_takes_one_in_a_server_key_exchange),
        cmocka_unit_test(test_nobody_takes_one_in_a_certificate_verify),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
