/* Certificates: what is built is what is parsed and shown; what is mutated is refused. */
#include "support_x509.h"

#include <stdio.h>
#include <stdlib.h>

static void test_what_is_built_is_shown(void **state)
{
    (void)state;
    static const char *const names[] = {"example.com", "*.example.com"};
    static const char *const ips[] = {"192.0.2.1", "2001:db8::1", "::"};
    static const char *const emails[] = {"a@example.com"};
    struct entity root = t_ca("Root", NULL, 0);
    struct cl_cert_template tpl = t_template("example.com", &root, t_key(1), false);
    tpl.organization = "Example, Inc.";
    tpl.dns_names = names;
    tpl.num_dns_names = 2;
    tpl.ip_addresses = ips;
    tpl.num_ip_addresses = 3;
    tpl.emails = emails;
    tpl.num_emails = 1;
    tpl.ext_key_usage = CL_EKU_SERVER_AUTH | CL_EKU_CLIENT_AUTH;
    tpl.key_usage = CL_KU_DIGITAL_SIGNATURE | CL_KU_DECIPHER_ONLY;
    struct entity leaf = t_make(&tpl, &root, t_key(1));
    char text[200];
    uint8_t fingerprint[32];
    enum cleat_san_kind kind;
    assert_int_equal(cleat_cert_version(leaf.cert), 3);
    cleat_cert_subject(leaf.cert, text, sizeof(text));
    assert_string_equal(text, "CN=example.com,O=Example\\, Inc.");
    cleat_cert_issuer(leaf.cert, text, sizeof(text));
    assert_string_equal(text, "CN=Root");
    cleat_cert_common_name(leaf.cert, text, sizeof(text));
    assert_string_equal(text, "example.com");
    cleat_cert_serial(leaf.cert, text, sizeof(text));
    assert_int_equal(strlen(text), 32);
    assert_true(cleat_cert_not_before(leaf.cert) == tpl.not_before);
    assert_true(cleat_cert_not_after(leaf.cert) == tpl.not_after);
    cleat_cert_key_kind(leaf.cert, text, sizeof(text));
    assert_string_equal(text, "ECDSA P-256");
    assert_int_equal(cleat_cert_key_bits(leaf.cert), 256);
    cleat_cert_signature_kind(leaf.cert, text, sizeof(text));
    assert_string_equal(text, "ecdsa-with-SHA256");
    cleat_cert_key_usage(leaf.cert, text, sizeof(text));
    assert_string_equal(text, "digitalSignature, decipherOnly");
    cleat_cert_ext_key_usage(leaf.cert, text, sizeof(text));
    assert_string_equal(text, "serverAuth, clientAuth");
    assert_int_equal(cleat_cert_num_sans(leaf.cert), 6);
    assert_true(cleat_cert_san(leaf.cert, 3, &kind, text, sizeof(text)));
    assert_int_equal(kind, CLEAT_SAN_IP);
    assert_string_equal(text, "2001:db8::1");
    assert_true(cleat_cert_san(leaf.cert, 4, &kind, text, sizeof(text)));
    assert_string_equal(text, "::");
    assert_false(cleat_cert_san(leaf.cert, 6, &kind, text, sizeof(text)));
    assert_int_equal(cleat_cert_spki_pin(leaf.cert, text, sizeof(text)), 44);
    cleat_cert_fingerprint(leaf.cert, fingerprint);
    assert_false(cleat_cert_is_ca(leaf.cert));
    assert_true(cleat_cert_is_ca(root.cert));
    assert_int_equal(cleat_cert_path_len(root.cert), -1);
    assert_true(cleat_cert_is_self_issued(root.cert));
    assert_true(cl_cert_allows_digital_signature(leaf.cert));
    assert_false(cl_cert_allows_digital_signature(root.cert));
    t_free(&root);
    t_free(&leaf);
}

static void test_every_kind_of_key_signs_and_verifies(void **state)
{
    (void)state;
    static const struct {
        enum cl_key_type type;
        unsigned bits;
        int code;
    } rows[] = {{CL_KEY_EC_P256, 0, CLEAT_OK},    {CL_KEY_EC_P384, 0, CLEAT_OK},
                {CL_KEY_EC_P521, 0, CLEAT_OK},    {CL_KEY_ED25519, 0, CLEAT_OK},
                {CL_KEY_ED448, 0, CLEAT_OK},      {CL_KEY_RSA, 2048, CLEAT_OK},
                {CL_KEY_RSA_PSS, 2048, CLEAT_OK}, {CL_KEY_RSA, 1024, CLEAT_ERR_WEAK_KEY}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cleat_key *key;
        cl_result r = cl_key_generate(&key, rows[i].type, rows[i].bits);
        if (r != CL_OK) {
            /* a library that refuses to make such a key is right too */
            print_message("no key of %u bits of kind %d\n", rows[i].bits, (int)rows[i].type);
            assert_int_equal(rows[i].code, CLEAT_ERR_WEAK_KEY);
            continue;
        }
        struct cl_cert_template tpl = t_template("Root", NULL, key, true);
        struct entity root = t_make(&tpl, NULL, key);
        struct entity leaf = t_leaf("leaf.example.com", &root, 1);
        const struct entity *anchor = &root;
        struct cleat_trust_store *trust = t_trust(&anchor, 1);
        struct cl_verify_params params = t_params(trust);
        params.policy = CLEAT_POLICY_WEBPKI_STRICT;
        const struct cleat_cert *chain[] = {leaf.cert};
        assert_int_equal(t_code(&params, chain, 1), rows[i].code);
        cleat_trust_store_free(trust);
        t_free(&root);
        t_free(&leaf);
        cleat_key_free(key);
    }
}

static void test_template_errors_say_what_is_wrong(void **state)
{
    (void)state;
    static const char *const bad_dns[] = {"bücher.example"};
    static const char *const bad_ip[] = {"192.0.2.256"};
    static const char *const bad_email[] = {"nobody"};
    static const char long_name[] = "a name of more than sixty-four bytes, which RFC 5280 does not "
                                    "allow in a common name";
    for (size_t i = 0; i < 7; i++) {
        struct cl_cert_template tpl = t_template("x", NULL, t_key(0), false);
        struct cl_buf out = {0};
        struct cleat_error err = {0};
        switch (i) {
        case 0:
            tpl.dns_names = bad_dns;
            break;
        case 1:
            tpl.ip_addresses = bad_ip;
            tpl.num_ip_addresses = 1;
            break;
        case 2:
            tpl.emails = bad_email;
            tpl.num_emails = 1;
            break;
        case 3:
            tpl.common_name = long_name;
            break;
        case 4:
            tpl.not_after = tpl.not_before - 1;
            break;
        case 5:
            tpl.serial_len = 21;
            break;
        default:
            tpl.not_after = INT64_MAX;
            break;
        }
        assert_int_equal(cl_cert_build(&out, &tpl, t_key(0), &err), CLEAT_ERR_BAD_CONFIG);
        assert_true(strlen(err.text) > 20);
        cl_buf_deinit(&out);
    }
}

static void test_truncated_at_every_length_is_refused(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct cl_rd der = cl_cert_der(root.cert);
    for (size_t len = 0; len < der.len; len++) {
        struct cleat_cert *cert;
        struct cleat_error err = {0};
        /* a copy of its own, so that a read past its end is seen */
        uint8_t *copy = malloc(len != 0 ? len : 1);
        assert_non_null(copy);
        memcpy(copy, der.p, len);
        assert_int_equal(cl_cert_parse(&cert, cl_rd_of(copy, len), &err),
                         CLEAT_ERR_BAD_CERTIFICATE);
        assert_true(err.text[0] != '\0');
        free(copy);
    }
    t_free(&root);
}

static void test_trailing_byte_is_refused(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct cl_rd der = cl_cert_der(root.cert);
    uint8_t copy[2048] = {0};
    struct cleat_cert *cert;
    memcpy(copy, der.p, der.len);
    assert_int_equal(cl_cert_parse(&cert, cl_rd_of(copy, der.len + 1), NULL),
                     CLEAT_ERR_BAD_CERTIFICATE);
    t_free(&root);
}

/* Extensions with an inside that is not what it should be, or that occur twice. */
static const struct {
    const char *name;
    const char *oid;
    const char *value;
    size_t len;
    bool good;
} exts[] = {
    {"unknown", "1.2.3.4", "anything", 8, true},
    {"EKU once more", "2.5.29.37", "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01", 12, false},
    {"empty policies", "2.5.29.32", "\x30\x00", 2, false},
    {"policy twice", "2.5.29.32", "\x30\x0a\x30\x03\x06\x01\x2a\x30\x03\x06\x01\x2a", 12, false},
    {"one policy", "2.5.29.32", "\x30\x05\x30\x03\x06\x01\x2a", 7, true},
    {"empty constraints", "2.5.29.30", "\x30\x00", 2, false},
    {"empty subtrees", "2.5.29.30", "\x30\x02\xa0\x00", 4, false},
    {"minimum in a subtree", "2.5.29.30", "\x30\x08\xa0\x06\x30\x04\x82\x01x\x80", 10, false},
    {"empty policy constraints", "2.5.29.36", "\x30\x00", 2, false},
    {"negative skip", "2.5.29.36", "\x30\x03\x80\x01\x80", 5, false},
    {"inhibitAny", "2.5.29.54", "\x02\x01\x00", 3, true},
    {"inhibitAny padded", "2.5.29.54", "\x02\x02\x00\x01", 4, false},
    {"empty AIA", "1.3.6.1.5.5.7.1.1", "\x30\x00", 2, false},
    {"empty CRL points", "2.5.29.31", "\x30\x00", 2, false},
    {"CRL point of reasons only", "2.5.29.31", "\x30\x06\x30\x04\x81\x02\x01\x02", 8, false},
    {"empty issuer names", "2.5.29.18", "\x30\x00", 2, false},
    {"trailing byte", "2.5.29.54", "\x02\x01\x00\x00", 4, false},
};

static void test_insides_of_extensions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(exts) / sizeof(exts[0]); i++) {
        struct cl_cert_raw_ext raw = {
            exts[i].oid, false, {(const uint8_t *)exts[i].value, exts[i].len}};
        struct cl_cert_template tpl = t_template("x", NULL, t_key(0), false);
        struct cl_buf der = {0};
        struct cleat_cert *cert = NULL;
        tpl.raw_exts = &raw;
        tpl.num_raw_exts = 1;
        assert_int_equal(cl_cert_build(&der, &tpl, t_key(0), NULL), CL_OK);
        cl_result r = cl_cert_parse(&cert, cl_buf_view(&der), NULL);
        if ((r == CL_OK) != exts[i].good) {
            fail_msg("%s", exts[i].name);
        }
        cleat_cert_free(cert);
        cl_buf_deinit(&der);
    }
}

static void test_unknown_extension_twice_is_refused(void **state)
{
    (void)state;
    struct cl_cert_raw_ext raw[2] = {{"1.2.3.4", false, {(const uint8_t *)"a", 1}},
                                     {"1.2.3.4", false, {(const uint8_t *)"b", 1}}};
    struct cl_cert_template tpl = t_template("x", NULL, t_key(0), false);
    struct cl_buf der = {0};
    struct cleat_cert *cert = NULL;
    struct cleat_error err = {0};
    tpl.raw_exts = raw;
    tpl.num_raw_exts = 2;
    assert_int_equal(cl_cert_build(&der, &tpl, t_key(0), NULL), CL_OK);
    assert_int_equal(cl_cert_parse(&cert, cl_buf_view(&der), &err), CLEAT_ERR_BAD_CERTIFICATE);
    assert_non_null(strstr(err.text, "twice"));
    cl_buf_deinit(&der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_built_is_shown),
        cmocka_unit_test(test_every_kind_of_key_signs_and_verifies),
        cmocka_unit_test(test_template_errors_say_what_is_wrong),
        cmocka_unit_test(test_truncated_at_every_length_is_refused),
        cmocka_unit_test(test_trailing_byte_is_refused),
        cmocka_unit_test(test_insides_of_extensions),
        cmocka_unit_test(test_unknown_extension_twice_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
