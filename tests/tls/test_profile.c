/* tests/tls/test_profile.c - the profiles: what `cleat profile` prints is what hellos offer and
 * servers choose. */
#include <string.h>

#include "cleat/tls_options.h"
#include "tls/profile.h"
#include "tls/support_tls.h"
#include "tls/wire.h"

static struct cleat_tls_builder *with_profile(struct cleat_tls_builder *b, const char *name)
{
    assert_int_equal(cleat_tls_builder_profile(b, name), CLEAT_OK);
    return b;
}

static bool is_grease(uint16_t v)
{
    return (v & 0x0f0f) == 0x0a0a && (v >> 8) == (v & 0xff);
}

/* The numbers of a list, without GREASE and signalling values. */
static size_t numbers(struct cl_rd list, uint16_t *out, size_t cap)
{
    uint16_t v;
    size_t num = 0;
    while (cl_rd_u16(&list, &v)) {
        if (!is_grease(v) && v != CL_SCSV_RENEGOTIATION) {
            assert_in_range(num, 0, cap - 1);
            out[num++] = v;
        }
    }
    return num;
}

struct hello {
    struct cl_rd suites;
    struct cl_rd groups;
    struct cl_rd schemes;
    struct cl_rd versions;
};

/* Reads a ClientHello anew, as RFC 9846 4.2.2 writes it. */
static struct hello read_hello(struct cl_rd whole)
{
    struct hello h = {0};
    struct cl_rd skipped;
    struct cl_rd extensions;
    struct cl_rd body;
    uint16_t type;
    assert_true(cl_rd_take(&whole, 4 + 2 + 32, &skipped) && cl_rd_vec8(&whole, &skipped) &&
                cl_rd_vec16(&whole, &h.suites) && cl_rd_vec8(&whole, &skipped) &&
                cl_rd_vec16(&whole, &extensions) && cl_rd_done(&whole));
    while (cl_rd_u16(&extensions, &type) && cl_rd_vec16(&extensions, &body)) {
        bool ok = true;
        switch (type) {
        case CL_ET_SUPPORTED_GROUPS:
            ok = cl_rd_vec16(&body, &h.groups);
            break;
        case CL_ET_SIGNATURE_ALGORITHMS:
            ok = cl_rd_vec16(&body, &h.schemes);
            break;
        case CL_ET_SUPPORTED_VERSIONS:
            ok = cl_rd_vec8(&body, &h.versions);
            break;
        default:
            break;
        }
        assert_true(ok);
    }
    return h;
}

static void test_a_client_offers_exactly_what_its_profile_says(void **state)
{
    const char *name;
    for (size_t i = 0; (name = cleat_profile_name(i)) != NULL; i++) {
        struct cleat_tls_config says = {0};
        struct test_pair p;
        uint16_t got[64];
        size_t n = 0;
        assert_true(cl_profile_fill(cl_profile_by_name(name), &says));
        test_pair_make(&p, test_finish(with_profile(test_client_builder(), name)),
                       test_server_config(), NULL);
        test_pair_run(&p);
        struct hello h = read_hello(test_message(&p.client, true, CL_HT_CLIENT_HELLO, 0));
        size_t num = numbers(h.suites, got, 64);
        for (size_t k = 0; k < says.num_suites; k++) {
            if (says.suites[k]->version >= says.version_min &&
                says.suites[k]->version <= says.version_max) {
                assert_int_equal(got[n++], says.suites[k]->id);
            }
        }
        assert_int_equal(num, n);
        assert_int_equal(numbers(h.groups, got, 64), says.num_groups);
        for (size_t k = 0; k < says.num_groups; k++) {
            assert_int_equal(got[k], says.groups[k]->id);
        }
        assert_int_equal(numbers(h.schemes, got, 64), says.num_schemes);
        for (size_t k = 0; k < says.num_schemes; k++) {
            assert_int_equal(got[k], says.schemes[k]->scheme);
        }
        num = numbers(h.versions, got, 64);
        assert_int_equal(num, says.version_max - says.version_min + 1);
        assert_int_equal(got[0], says.version_max);
        assert_int_equal(got[num - 1], says.version_min);
        test_pair_drop(&p);
    }
}

/* One suite or group at a time: the server takes it if and only if its profile has it. */
static void test_a_server_takes_exactly_what_its_profile_says(void **state)
{
    const char *name;
    const struct cl_suite *suite;
    for (size_t i = 0; (name = cleat_profile_name(i)) != NULL; i++) {
        struct cleat_tls_config says = {0};
        assert_true(cl_profile_fill(cl_profile_by_name(name), &says));
        for (size_t k = 0; (suite = cl_suite_at(k)) != NULL; k++) {
            if (suite->auth == CL_AUTH_PSK) {
                continue; /* not offered without a PSK; in no profile */
            }
            enum cl_key_type key = suite->auth == CL_AUTH_RSA || strcmp(name, "high-security") != 0
                                       ? (suite->auth == CL_AUTH_RSA ? CL_KEY_RSA : CL_KEY_EC_P256)
                                       : CL_KEY_EC_P384;
            struct test_pair p;
            bool listed = false;
            for (size_t m = 0; m < says.num_suites; m++) {
                listed = listed || (says.suites[m] == suite && suite->version >= says.version_min);
            }
            if (key == CL_KEY_RSA && says.min_rsa_bits > 2048) {
                assert_false(listed); /* these profiles have no suite of TLS 1.2 */
                continue;
            }
            struct cleat_tls_builder *c = test_client_builder();
            assert_int_equal(cleat_tls_builder_profile(c, "legacy"), CLEAT_OK);
            assert_int_equal(cleat_tls_builder_versions(c, suite->version, suite->version),
                             CLEAT_OK);
            assert_int_equal(cleat_tls_builder_ciphers(c, suite->name), CLEAT_OK);
            test_pair_make(&p, test_finish(c),
                           test_finish(with_profile(
                               test_server_builder_with(test_identity_of(key, false)), name)),
                           NULL);
            test_pair_run(&p);
            assert_int_equal(p.server.next == CLEAT_TLS_READY, listed);
            test_pair_drop(&p);
        }
    }
}

static void test_high_security_refuses_a_short_rsa_key_of_either_end(void **state)
{
    struct cleat_tls_builder *s = with_profile(
        test_server_builder_with(test_identity_of(CL_KEY_RSA, false)), "high-security");
    struct cleat_tls_config *none = NULL;
    struct cleat_error err;
    assert_int_equal(cleat_tls_builder_finish(s, &none, &err), CLEAT_ERR_WEAK_KEY);
    struct test_pair p;
    test_pair_make(&p, test_finish(with_profile(test_client_builder(), "high-security")),
                   test_finish(test_server_builder_with(test_identity_of(CL_KEY_RSA, false))),
                   NULL);
    test_pair_run(&p);
    test_assert_failed(&p.client, &p.server, CLEAT_ERR_WEAK_KEY, 43);
    test_pair_drop(&p);
}

static void test_a_configuration_without_a_profile_is_as_public(void **state)
{
    struct cleat_tls_config *plain = test_client_config();
    struct cleat_tls_config *named = test_finish(with_profile(test_client_builder(), "public"));
    assert_int_equal(plain->num_suites, named->num_suites);
    assert_memory_equal(plain->suites, named->suites, sizeof(plain->suites));
    assert_int_equal(plain->version_min, CLEAT_TLS_1_2);
    assert_int_equal(plain->version_max, CLEAT_TLS_1_3);
    assert_int_equal(plain->min_rsa_bits, named->min_rsa_bits);
    assert_false(plain->without_master_secret);
    cleat_tls_config_free(plain);
    cleat_tls_config_free(named);
}

static void test_a_name_that_is_none_is_refused(void **state)
{
    struct cleat_tls_builder *b = test_client_builder();
    assert_int_equal(cleat_tls_builder_profile(b, "Public"), CLEAT_ERR_BAD_CONFIG);
    assert_int_equal(cleat_profile_ticket_lifetime("secure"), 0);
    cleat_tls_builder_free(b);
}

/* What is set after a profile refines it; suites of versions not named stay. */
static void test_a_list_of_one_versions_suites_leaves_the_others(void **state)
{
    struct cleat_tls_builder *b = with_profile(test_client_builder(), "public");
    assert_int_equal(cleat_tls_builder_ciphers(b, "ECDHE-RSA-AES256-GCM-SHA384"), CLEAT_OK);
    struct cleat_tls_config *c = test_finish(b);
    assert_int_equal(c->num_suites, 4);
    assert_int_equal(c->suites[0]->id, 0xc030);
    assert_int_equal(c->suites[1]->id, 0x1301);
    cleat_tls_config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_client_offers_exactly_what_its_profile_says),
        cmocka_unit_test(test_a_server_takes_exactly_what_its_profile_says),
        cmocka_unit_test(test_high_security_refuses_a_short_rsa_key_of_either_end),
        cmocka_unit_test(test_a_configuration_without_a_profile_is_as_public),
        cmocka_unit_test(test_a_name_that_is_none_is_refused),
        cmocka_unit_test(test_a_list_of_one_versions_suites_leaves_the_others),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
