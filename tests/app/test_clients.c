/* Who may come in: rules against certificates made on the spot, and how clients are logged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "serve/clients.h"
#include "x509/build.h"

static struct cleat_key *key;

static int make_key(void **state)
{
    return cl_key_generate(&key, CL_KEY_EC_P256, 0) == CL_OK ? 0 : -1;
}

static int drop_key(void **state)
{
    cleat_key_free(key);
    return 0;
}

static struct cleat_cert *make(const char *cn, const char *dns, const char *email, const char *ip)
{
    static const uint8_t serial[] = {1, 2, 3};
    struct cl_buf der = {0};
    struct cleat_cert *cert = NULL;
    struct cl_cert_template t = {.common_name = cn,
                                 .spki = cl_key_spki(key),
                                 .serial = serial,
                                 .serial_len = sizeof(serial),
                                 .not_before = 1780000000,
                                 .not_after = 1790000000,
                                 .path_len = -1,
                                 .dns_names = &dns,
                                 .num_dns_names = dns != NULL,
                                 .emails = &email,
                                 .num_emails = email != NULL,
                                 .ip_addresses = &ip,
                                 .num_ip_addresses = ip != NULL,
                                 .key_usage = CL_KU_DIGITAL_SIGNATURE};
    assert_int_equal(cl_cert_build(&der, &t, key, NULL), CL_OK);
    assert_int_equal(cl_cert_parse(&cert, cl_buf_view(&der), NULL), CL_OK);
    cl_buf_deinit(&der);
    return cert;
}

static bool fits(const char *rule, const struct cleat_cert *cert)
{
    struct cl_clients *clients = NULL;
    struct cleat_error err = {0};
    char why[CL_CLIENT_WHY];
    if (cl_clients_new(&rule, 1, &clients, &err) != CL_OK) {
        fail_msg("%s: %s", rule, err.text);
    }
    bool ok = cl_clients_allow(clients, cert, why, sizeof(why));
    assert_true(why[0] != '\0');
    assert_int_equal(strstr(why, rule) != NULL, ok);
    cl_clients_free(clients);
    return ok;
}

static const struct {
    const char *rule;
    bool fits;
} rows[] = {
    {"host.example.test", true},
    {"HOST.Example.TEST", true},
    {"DNS:host.example.test", true},
    {"*.example.test", true},
    {"*.test", false},
    {"example.test", false},
    {"ost.example.test", false},
    {"host.example.test.evil", false},
    {"alice@example.test", true},
    {"email:alice@EXAMPLE.test", true},
    {"Alice@example.test", false},
    {"alice@example.test.evil", false},
    {"lice@example.test", false},
    {"alice@other.test", false},
    {"192.0.2.7", true},
    {"IP:192.0.2.7", true},
    {"192.0.2.8", false},
    {"CN:Alice Example", true},
    {"CN:alice example", false},
    {"DNS:alice", false},
    {"cn:Alice", false},
    {"spiffe://example.test/alice", false},
    {"URI:host.example.test", false}, /* a name of another kind */
    {"0000000000000000000000000000000000000000000000000000000000000000", false},
};

static void test_rules_fit_names_of_their_kind_only(void **state)
{
    struct cleat_cert *cert =
        make("Alice Example", "host.example.test", "alice@example.test", "192.0.2.7");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (fits(rows[i].rule, cert) != rows[i].fits) {
            fail_msg("%s", rows[i].rule);
        }
    }
    cleat_cert_free(cert);
}

static void test_a_fingerprint_fits_its_certificate(void **state)
{
    struct cleat_cert *cert = make("a", "a.test", NULL, NULL);
    uint8_t digest[32];
    char hex[65], colons[8 + 96] = "sha256:";
    cleat_cert_fingerprint(cert, digest);
    cl_hex_encode(digest, 32, hex);
    for (size_t i = 0; i < 32; i++) {
        (void)snprintf(colons + 7 + 3 * i, 4, "%02X%s", digest[i], i < 31 ? ":" : "");
    }
    assert_true(fits(hex, cert));
    assert_true(fits(colons, cert));
    hex[0] = hex[0] == '0' ? '1' : '0';
    assert_false(fits(hex, cert));
    cleat_cert_free(cert);
}

static void test_a_common_name_is_no_alternative_name(void **state)
{
    struct cleat_cert *cert = make("host.example.test", "other.test", NULL, NULL);
    assert_false(fits("host.example.test", cert));
    assert_true(fits("CN:host.example.test", cert));
    cleat_cert_free(cert);
}

static void test_a_wildcard_in_a_certificate_is_not_every_host(void **state)
{
    struct cleat_cert *cert = make("a", "*.example.test", NULL, NULL);
    assert_false(fits("host.example.test", cert));
    cleat_cert_free(cert);
}

static void test_nobody_is_let_in_without_a_certificate(void **state)
{
    assert_false(fits("a.test", NULL));
    char why[CL_CLIENT_WHY];
    assert_true(cl_clients_allow(NULL, NULL, why, sizeof(why)));
}

static void test_rules_that_name_nobody_are_refused(void **state)
{
    static const char *const bad[] = {"",     "DNS:",     "email:x", "@x.test", "x@",
                                      "IP:x", "sha256:0", "CN:",     "a b",     "*.",
                                      "URI:", "*",        ".test",   "a,b",     "sha256:zz"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct cl_clients *clients = NULL;
        struct cleat_error err = {0};
        if (cl_clients_new(&bad[i], 1, &clients, &err) != CLEAT_ERR_BAD_CONFIG) {
            fail_msg("'%s' was taken", bad[i]);
        }
        assert_null(clients);
        assert_non_null(strstr(err.text, "--client-allow"));
    }
}

static void test_the_binding_differs_with_the_rules(void **state)
{
    const char *const lists[][2] = {
        {"a.test", "b.test"}, {"b.test", "a.test"}, {"a.test", NULL}, {"CN:a.test", NULL}};
    char texts[5][128];
    cl_clients_binding(NULL, texts[4], sizeof(texts[4]));
    for (size_t i = 0; i < 4; i++) {
        struct cl_clients *clients = NULL;
        assert_int_equal(cl_clients_new(lists[i], lists[i][1] != NULL ? 2 : 1, &clients, NULL),
                         CL_OK);
        cl_clients_binding(clients, texts[i], sizeof(texts[i]));
        cl_clients_free(clients);
    }
    for (size_t i = 0; i < 5; i++) {
        for (size_t k = 0; k < i; k++) {
            assert_string_not_equal(texts[i], texts[k]);
        }
    }
}

static void test_a_client_in_a_log_stays_within_its_columns(void **state)
{
    struct cleat_cert *cert = make("Eve \"] \n\x1b[31m", NULL, NULL, NULL);
    struct cl_client_id id = {0};
    assert_int_equal(cl_client_id_fill(&id, cert), CL_OK);
    for (size_t i = 0; i < id.user.len; i++) {
        assert_true(id.user.p[i] > 0x20 && id.user.p[i] < 0x7f && id.user.p[i] != '"');
    }
    size_t quotes = 0;
    for (size_t i = 0; i < id.columns.len; i++) {
        assert_true(id.columns.p[i] >= 0x20 && id.columns.p[i] < 0x7f);
        quotes += id.columns.p[i] == '"';
    }
    assert_int_equal(quotes, 6);
    cl_client_id_deinit(&id);
    cleat_cert_free(cert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_fit_names_of_their_kind_only),
        cmocka_unit_test(test_a_fingerprint_fits_its_certificate),
        cmocka_unit_test(test_a_common_name_is_no_alternative_name),
        cmocka_unit_test(test_a_wildcard_in_a_certificate_is_not_every_host),
        cmocka_unit_test(test_nobody_is_let_in_without_a_certificate),
        cmocka_unit_test(test_rules_that_name_nobody_are_refused),
        cmocka_unit_test(test_the_binding_differs_with_the_rules),
        cmocka_unit_test(test_a_client_in_a_log_stays_within_its_columns),
    };
    return cmocka_run_group_tests(tests, make_key, drop_key);
}
