/* What a refusal says: for each failure of the usual table the certificate, the values that
 * decided, what to do about it, and OpenSSL's name for it, which people search for. */
#include "support_x509.h"

#include <stdio.h>

#include "crypto/key.h"

/* A refusal must have all of these. */
struct expected {
    int code;
    const char *openssl;
    const char *text[4];
    const char *hint;
};

static void expect(const struct cl_verify_params *params, const struct cleat_cert *const *chain,
                   size_t num, const struct expected *e)
{
    struct cleat_verdict *verdict = t_verify(params, chain, num);
    const struct cleat_error *error = cleat_verdict_error(verdict);
    print_message("%s\n  [%s] %s\n", error->text, error->section, error->hint);
    assert_string_equal(cleat_error_name(cleat_verdict_code(verdict)), cleat_error_name(e->code));
    assert_string_equal(cleat_verdict_openssl_name(verdict), e->openssl);
    for (size_t i = 0; i < 4 && e->text[i] != NULL; i++) {
        if (strstr(error->text, e->text[i]) == NULL) {
            fail_msg("\"%s\" is not in \"%s\"", e->text[i], error->text);
        }
    }
    if (strstr(error->hint, e->hint) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", e->hint, error->hint);
    }
    assert_true(error->section[0] != '\0');
    cleat_verdict_free(verdict);
}

/* Root, CA and leaf, of which one may have been changed. */
struct set {
    struct entity root, ca, leaf;
    struct cleat_trust_store *trust;
};

typedef void change_fn(struct cl_cert_template *tpl);

static struct set make(change_fn *change_ca, change_fn *change_leaf)
{
    struct set s = {.root = t_ca("Root", NULL, 0)};
    const struct entity *anchor = &s.root;
    struct cl_cert_template tpl = t_template("Issuing CA", &s.root, t_key(1), true);
    if (change_ca != NULL) {
        change_ca(&tpl);
    }
    s.ca = t_make(&tpl, &s.root, t_key(1));
    tpl = t_template("leaf.example.com", &s.ca, t_key(2), false);
    if (change_leaf != NULL) {
        change_leaf(&tpl);
    }
    s.leaf = t_make(&tpl, &s.ca, t_key(2));
    s.trust = t_trust(&anchor, 1);
    return s;
}

static void drop(struct set *s)
{
    cleat_trust_store_free(s->trust);
    t_free(&s->root);
    t_free(&s->ca);
    t_free(&s->leaf);
}

/* The whole chain of a set, with default parameters. */
static void expect_of(change_fn *change_ca, change_fn *change_leaf, const struct expected *e)
{
    struct set s = make(change_ca, change_leaf);
    struct cl_verify_params params = t_params(s.trust);
    expect(&params, (const struct cleat_cert *const[]){s.leaf.cert, s.ca.cert}, 2, e);
    drop(&s);
}

static void end_3_days_ago(struct cl_cert_template *tpl)
{
    tpl->not_after = T_NOW - 3 * 86400;
}

static void test_expired_leaf(void **state)
{
    expect_of(NULL, end_3_days_ago,
              &(struct expected){CLEAT_ERR_CERT_EXPIRED,
                                 "CERT_HAS_EXPIRED",
                                 {"certificate 1 of 2, CN=leaf.example.com", "expired 3 days ago",
                                  "notAfter 2026-05-29T00:00:00Z", "now 2026-06-01T00:00:00Z"},
                                 "the server must renew its certificate"});
}

static void test_expired_intermediate(void **state)
{
    expect_of(end_3_days_ago, NULL,
              &(struct expected){CLEAT_ERR_CERT_EXPIRED,
                                 "CERT_HAS_EXPIRED",
                                 {"certificate 2 of 2, CN=Issuing CA", "expired 3 days ago"},
                                 "a newer certificate of this issuer is needed"});
}

static void begin_in_2_hours(struct cl_cert_template *tpl)
{
    tpl->not_before = T_NOW + 7200;
}

static void test_not_yet_valid(void **state)
{
    expect_of(NULL, begin_in_2_hours,
              &(struct expected){CLEAT_ERR_CERT_NOT_YET_VALID,
                                 "CERT_NOT_YET_VALID",
                                 {"certificate 1 of 2", "not valid for another 2 hours",
                                  "notBefore 2026-06-01T02:00:00Z"},
                                 "check this machine's clock"});
}

static void test_wrong_host(void **state)
{
    struct set s = make(NULL, NULL);
    struct cl_verify_params params = t_params(s.trust);
    params.host = "www.example.net";
    expect(&params, (const struct cleat_cert *const[]){s.leaf.cert, s.ca.cert}, 2,
           &(struct expected){
               CLEAT_ERR_NAME_MISMATCH,
               "HOSTNAME_MISMATCH",
               {"certificate 1 of 2", "it is not for www.example.net but for leaf.example.com"},
               "is this the right server"});
    params.host = "192.0.2.1";
    expect(&params, (const struct cleat_cert *const[]){s.leaf.cert, s.ca.cert}, 2,
           &(struct expected){CLEAT_ERR_NAME_MISMATCH,
                              "IP_ADDRESS_MISMATCH",
                              {"it is not for 192.0.2.1"},
                              "is this the right server"});
    drop(&s);
}

static void without_names(struct cl_cert_template *tpl)
{
    tpl->num_dns_names = 0;
}

static void test_common_name_alone_is_told_not_to_count(void **state)
{
    expect_of(NULL, without_names,
              &(struct expected){CLEAT_ERR_NAME_MISMATCH,
                                 "HOSTNAME_MISMATCH",
                                 {"no subject alternative names"},
                                 "the common name does not count (RFC 9525)"});
}

/* caIssuers http://ca.test/ca */
static const uint8_t aia[] = {0x30, 0x1f, 0x30, 0x1d, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05,
                              0x07, 0x30, 0x02, 0x86, 0x11, 'h',  't',  't',  'p',  ':',  '/',
                              '/',  'c',  'a',  '.',  't',  'e',  's',  't',  '/',  'c',  'a'};
static const struct cl_cert_raw_ext raw_aia = {"1.3.6.1.5.5.7.1.1", false, {aia, sizeof(aia)}};

static void with_aia(struct cl_cert_template *tpl)
{
    tpl->raw_exts = &raw_aia;
    tpl->num_raw_exts = 1;
}

static void test_missing_intermediate_that_is_published(void **state)
{
    struct set s = make(NULL, with_aia);
    struct cl_verify_params params = t_params(s.trust);
    expect(&params, (const struct cleat_cert *const[]){s.leaf.cert}, 1,
           &(struct expected){CLEAT_ERR_UNKNOWN_ISSUER,
                              "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
                              {"certificate 1 of 1", "its issuer CN=Issuing CA"},
                              "the server does not send the intermediate CN=Issuing CA; it is "
                              "published at http://ca.test/ca; the server should send it"});
    params.host = NULL;
    params.purpose = CLEAT_PURPOSE_ANY;
    drop(&s);
}

static void test_missing_intermediate_that_is_not(void **state)
{
    struct set s = make(NULL, NULL);
    struct cl_verify_params params = t_params(s.trust);
    expect(&params, (const struct cleat_cert *const[]){s.leaf.cert}, 1,
           &(struct expected){CLEAT_ERR_UNKNOWN_ISSUER,
                              "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
                              {"certificate 1 of 1", "CN=Issuing CA"},
                              "the server should send the intermediate CN=Issuing CA"});
    drop(&s);
}

static void test_unknown_root(void **state)
{
    struct set s = make(NULL, NULL);
    struct entity other = t_ca("Another Root", NULL, 5);
    const struct entity *anchor = &other;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    expect(&params, (const struct cleat_cert *const[]){s.leaf.cert, s.ca.cert}, 2,
           &(struct expected){CLEAT_ERR_UNKNOWN_ISSUER,
                              "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
                              {"certificate 2 of 2, CN=Issuing CA", "its issuer CN=Root"},
                              "the root CN=Root is not in the trust store"});
    expect(&params, (const struct cleat_cert *const[]){s.leaf.cert, s.ca.cert, s.root.cert}, 3,
           &(struct expected){CLEAT_ERR_UNKNOWN_ISSUER,
                              "SELF_SIGNED_CERT_IN_CHAIN",
                              {"certificate 3 of 3, CN=Root", "not in the trust store"},
                              "add it to the trust store (--cacert FILE)"});
    cleat_trust_store_free(trust);
    t_free(&other);
    drop(&s);
}

static void test_self_signed(void **state)
{
    struct set s = make(NULL, NULL);
    struct entity own = t_leaf("leaf.example.com", NULL, 6);
    struct cl_verify_params params = t_params(s.trust);
    expect(&params, (const struct cleat_cert *const[]){own.cert}, 1,
           &(struct expected){CLEAT_ERR_SELF_SIGNED,
                              "DEPTH_ZERO_SELF_SIGNED_CERT",
                              {"certificate 1 of 1", "self-signed and not in the trust store"},
                              "add it to the trust store (--cacert FILE)"});
    t_free(&own);
    drop(&s);
}

static void for_clients(struct cl_cert_template *tpl)
{
    tpl->ext_key_usage = CL_EKU_CLIENT_AUTH;
}

static void without_cert_sign(struct cl_cert_template *tpl)
{
    tpl->key_usage = CL_KU_CRL_SIGN;
}

static void test_wrong_usage(void **state)
{
    expect_of(NULL, for_clients,
              &(struct expected){CLEAT_ERR_BAD_KEY_USAGE,
                                 "INVALID_PURPOSE",
                                 {"certificate 1 of 2", "is clientAuth, not serverAuth"},
                                 "the server needs a certificate issued for serverAuth"});
    expect_of(without_cert_sign, NULL,
              &(struct expected){CLEAT_ERR_BAD_KEY_USAGE,
                                 "KEYUSAGE_NO_CERTSIGN",
                                 {"certificate 2 of 2", "no keyCertSign"},
                                 "it may not issue certificates"});
}

static void test_chain_in_the_wrong_order_with_the_leaf_not_first(void **state)
{
    struct set s = make(NULL, NULL);
    struct cl_verify_params params = t_params(s.trust);
    expect(&params, (const struct cleat_cert *const[]){s.ca.cert, s.leaf.cert}, 2,
           &(struct expected){CLEAT_ERR_BAD_KEY_USAGE,
                              "INVALID_PURPOSE",
                              {"certificate 1 of 2", "Issuing CA"},
                              "wrong order: certificate 2, CN=leaf.example.com, must come first"});
    drop(&s);
}

static const uint8_t nc_other[] = {0x30, 0x10, 0xa0, 0x0e, 0x30, 0x0c, 0x82, 0x0a, 'o',
                                   't',  'h',  'e',  'r',  '.',  't',  'e',  's',  't'};
static const uint8_t nc_not[] = {0x30, 0x11, 0xa1, 0x0f, 0x30, 0x0d, 0x82, 0x0b, 'e', 'x',
                                 'a',  'm',  'p',  'l',  'e',  '.',  'c',  'o',  'm'};
static const struct cl_cert_raw_ext raw_other = {"2.5.29.30", true, {nc_other, sizeof(nc_other)}};
static const struct cl_cert_raw_ext raw_not = {"2.5.29.30", true, {nc_not, sizeof(nc_not)}};

static void for_other_names(struct cl_cert_template *tpl)
{
    tpl->raw_exts = &raw_other;
    tpl->num_raw_exts = 1;
}

static void not_for_example(struct cl_cert_template *tpl)
{
    tpl->raw_exts = &raw_not;
    tpl->num_raw_exts = 1;
}

static void test_constraint_violated(void **state)
{
    expect_of(for_other_names, NULL,
              &(struct expected){
                  CLEAT_ERR_NAME_CONSTRAINT,
                  "PERMITTED_VIOLATION",
                  {"certificate 1 of 2", "leaf.example.com is not permitted by", "CN=Issuing CA"},
                  "a certificate from another CA is needed"});
    expect_of(not_for_example, NULL,
              &(struct expected){
                  CLEAT_ERR_NAME_CONSTRAINT,
                  "EXCLUDED_VIOLATION",
                  {"certificate 1 of 2", "leaf.example.com is excluded by", "CN=Issuing CA"},
                  "a certificate from another CA is needed"});
}

/* Replaces the first bytes that equal `from` by as many of `to`. */
static void replace(uint8_t *der, size_t len, const void *from, const void *to, size_t num,
                    bool all)
{
    for (size_t i = 0; i + num <= len; i++) {
        if (memcmp(der + i, from, num) == 0) {
            memcpy(der + i, to, num);
            if (!all) {
                return;
            }
        }
    }
}

/* A leaf whose DER is changed after signing; its signature is looked at last of all. */
static void expect_changed(const void *from, const void *to, size_t num, const struct expected *e)
{
    struct set s = make(NULL, NULL);
    struct cl_verify_params params = t_params(s.trust);
    struct cl_rd der = cl_cert_der(s.leaf.cert);
    struct cleat_cert *changed = NULL;
    uint8_t copy[2048];
    assert_true(der.len <= sizeof(copy));
    memcpy(copy, der.p, der.len);
    replace(copy, der.len, from, to, num, true);
    assert_int_equal(cl_cert_parse(&changed, cl_rd_of(copy, der.len), NULL), CL_OK);
    expect(&params, (const struct cleat_cert *const[]){changed, s.ca.cert}, 2, e);
    cleat_cert_free(changed);
    drop(&s);
}

static void test_weak_signature_algorithm(void **state)
{
    /* ecdsa-with-SHA256 to ecdsa-with-SHA224 */
    expect_changed("\x2a\x86\x48\xce\x3d\x04\x03\x02", "\x2a\x86\x48\xce\x3d\x04\x03\x01", 8,
                   &(struct expected){CLEAT_ERR_WEAK_KEY,
                                      "CA_MD_TOO_WEAK",
                                      {"certificate 1 of 2", "ecdsa-with-SHA224"},
                                      "it must be issued anew, signed with SHA-256 or better"});
}

static void test_key_of_a_kind_not_supported(void **state)
{
    /* secp256r1 to an arc that no curve has */
    expect_changed("\x2a\x86\x48\xce\x3d\x03\x01\x07", "\x2a\x86\x48\xce\x3d\x03\x01\x77", 8,
                   &(struct expected){CLEAT_ERR_UNSUPPORTED_CERTIFICATE,
                                      "UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY",
                                      {"certificate 1 of 2", "EC (curve not known)"},
                                      "ECDSA on P-256"});
}

static void test_signature_that_is_wrong(void **state)
{
    expect_changed(
        "leaf.example.com", "deaf.example.com", 16,
        &(struct expected){
            CLEAT_ERR_NAME_MISMATCH, "HOSTNAME_MISMATCH", {"but for deaf.example.com"}, ""});
    struct set s = make(NULL, NULL);
    struct cl_verify_params params = t_params(s.trust);
    struct entity twin = t_ca("Issuing CA", &s.root, 7);
    struct cl_cert_template tpl = t_template("leaf.example.com", &twin, t_key(2), false);
    struct entity leaf = t_make(&tpl, &twin, t_key(2));
    expect(&params, (const struct cleat_cert *const[]){leaf.cert, s.ca.cert}, 2,
           &(struct expected){CLEAT_ERR_BAD_SIGNATURE,
                              "CERT_SIGNATURE_FAILURE",
                              {"certificate 1 of 2", "not made with the key of CN=Issuing CA"},
                              "another certificate of the same name issued it"});
    t_free(&twin);
    t_free(&leaf);
    drop(&s);
}

static void test_weak_key(void **state)
{
    struct set s = make(NULL, NULL);
    struct cl_verify_params params = t_params(s.trust);
    struct cl_cert_template tpl = t_template("leaf.example.com", &s.ca, t_key(2), false);
    tpl.spki = t_weak_key();
    struct entity leaf = t_make(&tpl, &s.ca, t_key(2));
    expect(&params, (const struct cleat_cert *const[]){leaf.cert, s.ca.cert}, 2,
           &(struct expected){CLEAT_ERR_WEAK_KEY,
                              "EE_KEY_TOO_SMALL",
                              {"certificate 1 of 2", "RSA key has 1024 bits, fewer than 2048"},
                              "a new key of at least 2048 bits"});
    t_free(&leaf);
    drop(&s);
}

static void not_a_ca(struct cl_cert_template *tpl)
{
    tpl->is_ca = false;
}

static void test_issuer_that_is_no_ca(void **state)
{
    expect_of(not_a_ca, NULL,
              &(struct expected){CLEAT_ERR_NOT_A_CA,
                                 "INVALID_CA",
                                 {"certificate 2 of 2, CN=Issuing CA", "has no basic constraints"},
                                 "not a CA's was used to issue others"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expired_leaf),
        cmocka_unit_test(test_expired_intermediate),
        cmocka_unit_test(test_not_yet_valid),
        cmocka_unit_test(test_wrong_host),
        cmocka_unit_test(test_common_name_alone_is_told_not_to_count),
        cmocka_unit_test(test_missing_intermediate_that_is_published),
        cmocka_unit_test(test_missing_intermediate_that_is_not),
        cmocka_unit_test(test_unknown_root),
        cmocka_unit_test(test_self_signed),
        cmocka_unit_test(test_wrong_usage),
        cmocka_unit_test(test_chain_in_the_wrong_order_with_the_leaf_not_first),
        cmocka_unit_test(test_constraint_violated),
        cmocka_unit_test(test_weak_signature_algorithm),
        cmocka_unit_test(test_key_of_a_kind_not_supported),
        cmocka_unit_test(test_signature_that_is_wrong),
        cmocka_unit_test(test_weak_key),
        cmocka_unit_test(test_issuer_that_is_no_ca),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
