/* Certificate requests: made and read back, refused when they are not what RFC 2986 says; and what
 * tells the kinds of DER values apart. */
#include "support_x509.h"

#include "x509/csr.h"
#include "x509/dn.h"
#include "x509/kind.h"

static const char *const dns[] = {"a.example.com", "*.b.example.com"};
static const char *const ips[] = {"192.0.2.1"};
/* TLSFeature { 5 } */
static const uint8_t staple[] = {0x30, 0x03, 0x02, 0x01, 0x05};
static const struct cl_cert_raw_ext must_staple = {
    "1.3.6.1.5.5.7.1.24", false, {staple, sizeof(staple)}};

static struct cl_cert_template template(void)
{
    return (struct cl_cert_template){
        .common_name = "a.example.com",
        .path_len = -1,
        .dns_names = dns,
        .num_dns_names = 2,
        .ip_addresses = ips,
        .num_ip_addresses = 1,
        .raw_exts = &must_staple,
        .num_raw_exts = 1,
    };
}

static void build(struct cl_buf *der, const struct cl_cert_template *tpl)
{
    struct cleat_error err = {0};
    if (cl_csr_build(der, tpl, t_key(0), &err) != CL_OK) {
        fail_msg("%s", err.text);
    }
}

static struct cl_csr *parse(struct cl_rd der)
{
    struct cl_csr *csr = NULL;
    struct cleat_error err = {0};
    if (cl_csr_parse(&csr, der, &err) != CL_OK) {
        fail_msg("%s", err.text);
    }
    return csr;
}

static void expect_refused(struct cl_rd der, const char *words)
{
    struct cl_csr *csr = NULL;
    struct cleat_error err = {0};
    assert_int_equal(cl_csr_parse(&csr, der, &err), CLEAT_ERR_BAD_CERTIFICATE);
    assert_null(csr);
    if (strstr(err.text, words) == NULL) {
        fail_msg("\"%s\" instead of \"%s\"", err.text, words);
    }
}

static void test_a_request_says_what_the_template_said(void **state)
{
    (void)state;
    const struct cl_cert_template tpl = template();
    struct cl_buf der = {0};
    struct cleat_error err = {0};
    char text[200];
    build(&der, &tpl);
    struct cl_csr *csr = parse(cl_buf_view(&der));
    assert_int_equal(cl_csr_check(csr, &err), CL_OK);
    (void)cl_name_text(&csr->wanted.subject, text, sizeof(text));
    assert_string_equal(text, "CN=a.example.com");
    assert_int_equal(csr->wanted.num_sans, 3);
    assert_true(cl_cert_must_staple(&csr->wanted));
    assert_false(cl_cert_has(&csr->wanted, CL_OID_EXT_SKI));
    assert_true(cl_rd_equal(csr->wanted.spki, cl_key_spki(t_key(0))));
    assert_false(csr->has_challenge);
    cl_csr_free(csr);
    cl_buf_deinit(&der);
}

static void test_a_request_without_extensions_has_no_attribute(void **state)
{
    (void)state;
    const struct cl_cert_template tpl = {.common_name = "bare", .path_len = -1};
    struct cl_buf der = {0};
    build(&der, &tpl);
    struct cl_csr *csr = parse(cl_buf_view(&der));
    assert_int_equal(csr->wanted.exts.len, 0);
    assert_int_equal(cl_csr_check(csr, NULL), CL_OK);
    cl_csr_free(csr);
    cl_buf_deinit(&der);
}

static void test_names_that_are_none_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"a b"};
    struct cl_cert_template tpl = template();
    struct cl_buf der = {0};
    struct cleat_error err = {0};
    tpl.dns_names = bad;
    tpl.num_dns_names = 1;
    assert_int_equal(cl_csr_build(&der, &tpl, t_key(0), &err), CLEAT_ERR_BAD_CONFIG);
    assert_non_null(strstr(err.text, "a b"));
    cl_buf_deinit(&der);
}

/* Whatever byte of what is signed is changed: it does not parse, or its signature is wrong. */
static void test_no_byte_can_be_changed(void **state)
{
    (void)state;
    const struct cl_cert_template tpl = template();
    struct cl_buf der = {0};
    size_t num_parsed = 0;
    build(&der, &tpl);
    for (size_t i = 0; i < der.len; i++) {
        struct cl_csr *csr = NULL;
        der.p[i] ^= 0x01;
        if (cl_csr_parse(&csr, cl_buf_view(&der), NULL) == CL_OK) {
            num_parsed++;
            assert_int_not_equal(cl_csr_check(csr, NULL), CL_OK);
        }
        cl_csr_free(csr);
        der.p[i] ^= 0x01;
    }
    assert_true(num_parsed > 100);
    cl_buf_deinit(&der);
}

static void test_every_shorter_request_and_a_longer_one_are_refused(void **state)
{
    (void)state;
    const struct cl_cert_template tpl = template();
    struct cl_buf der = {0};
    build(&der, &tpl);
    for (size_t len = 0; len < der.len; len++) {
        struct cl_csr *csr = NULL;
        assert_int_equal(cl_csr_parse(&csr, cl_rd_of(der.p, len), NULL), CLEAT_ERR_BAD_CERTIFICATE);
    }
    assert_int_equal(cl_buf_append(&der, "", 1, 4096), CL_OK);
    expect_refused(cl_buf_view(&der), "SEQUENCE of three fields");
    cl_buf_deinit(&der);
}

/* ---- requests that the builder does not make ---- */

/* attributes: the inside of [0] */
static void hand_made(struct cl_buf *out, uint32_t version, struct cl_rd attributes)
{
    static const uint8_t algorithm[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
                                        0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    static const uint8_t empty[] = {0x30, 0x00};
    assert_int_equal(cl_buf_reserve(out, 1000, 1000), CL_OK);
    struct cl_wr w = cl_buf_writer(out);
    struct cl_der_mark all = cl_der_open(&w, CL_DER_SEQUENCE);
    struct cl_der_mark info = cl_der_open(&w, CL_DER_SEQUENCE);
    cl_der_put_u32(&w, version);
    cl_wr_bytes(&w, empty, sizeof(empty)); /* subject */
    cl_wr_view(&w, cl_key_spki(t_key(0)));
    cl_der_put(&w, CL_DER_CTXC(0), attributes);
    cl_der_close(&w, info);
    cl_wr_bytes(&w, algorithm, sizeof(algorithm));
    cl_der_put_bits(&w, cl_rd_str("sig"), 0);
    cl_der_close(&w, all);
    assert_true(cl_wr_ok(&w));
    cl_buf_commit(out, &w);
}

#define CHALLENGE                                                          \
    "\x30\x13\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07\x31\x06\x0c\x04" \
    "abcd"

static void test_attributes_are_what_they_may_be(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        uint32_t version;
        const char *words; /* NULL: parses */
    } rows[] = {
        {"", 0, 0, NULL},
        {CHALLENGE, sizeof(CHALLENGE) - 1, 0, NULL},
        {"", 0, 1, "version"},
        {"\x30\x00", 2, 0, "an attribute"},
        {"\x30\x06\x06\x02\x2a\x03\x31\x00", 8, 0, "an attribute"}, /* no value */
        {"\x02\x01\x00", 3, 0, "an attribute"},
        /* Extensions is empty */
        {"\x30\x0f\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x02\x30\x00", 17, 0,
         "an attribute"},
        /* BIT STRING with seven unused bits that are not all zero */
        {"\x30\x1c\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e\x31\x0f\x30\x0d\x30\x0b\x06\x03\x55"
         "\x1d\x0f\x04\x04\x03\x02\x07\xff",
         30, 0, "keyUsage"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_buf der = {0};
        hand_made(&der, rows[i].version, cl_rd_of(rows[i].bytes, rows[i].len));
        if (rows[i].words != NULL) {
            expect_refused(cl_buf_view(&der), rows[i].words);
        } else {
            struct cl_csr *csr = parse(cl_buf_view(&der));
            assert_int_equal(csr->has_challenge, rows[i].len != 0);
            assert_int_not_equal(cl_csr_check(csr, NULL), CL_OK);
            cl_csr_free(csr);
        }
        cl_buf_deinit(&der);
    }
}

/* ---- kinds ---- */

static void test_each_kind_is_known_by_its_shape(void **state)
{
    (void)state;
    const struct cl_cert_template tpl = template();
    struct entity ca = t_ca("Root", NULL, 1);
    struct cl_buf der = {0};
    build(&der, &tpl);
    assert_int_equal(cl_kind_of(cl_buf_view(&der)), CL_KIND_CSR);
    assert_int_equal(cl_kind_of(cl_cert_der(ca.cert)), CL_KIND_CERT);
    assert_int_equal(cl_kind_of(cl_key_spki(t_key(0))), CL_KIND_PUBLIC);
    static const struct {
        const char *bytes;
        size_t len;
        enum cl_kind kind;
    } rows[] = {
        {"\x30\x07\x02\x01\x00\x30\x00\x04\x00", 9, CL_KIND_PKCS8},
        {"\x30\x04\x30\x00\x04\x00", 6, CL_KIND_PKCS8_SEALED},
        {"\x30\x05\x02\x01\x01\x04\x00", 7, CL_KIND_SEC1},
        {"\x30\x09\x02\x01\x00\x02\x01\x05\x02\x01\x03", 11, CL_KIND_PKCS1},
        {"\x30\x05\x02\x01\x00\x04\x00", 7, CL_KIND_NONE}, /* SEC 1 has version 1 */
        {"\x30\x07\x02\x01\x03\x30\x00\x04\x00", 9, CL_KIND_NONE},
        {"\x30\x00", 2, CL_KIND_NONE},
        {"\x30\x04\x30\x00\x04\x00\x00", 7, CL_KIND_NONE}, /* something behind */
        {"", 0, CL_KIND_NONE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(cl_kind_of(cl_rd_of(rows[i].bytes, rows[i].len)), rows[i].kind);
    }
    for (int kind = 1; kind < CL_KIND_COUNT; kind++) {
        assert_int_equal(cl_kind_of_label(cl_rd_str(cl_kind_label((enum cl_kind)kind))), kind);
        assert_non_null(cl_kind_name((enum cl_kind)kind));
    }
    assert_int_equal(cl_kind_of_label(cl_rd_str("NEW CERTIFICATE REQUEST")), CL_KIND_CSR);
    assert_int_equal(cl_kind_of_label(cl_rd_str("DH PARAMETERS")), CL_KIND_NONE);
    t_free(&ca);
    cl_buf_deinit(&der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_says_what_the_template_said),
        cmocka_unit_test(test_a_request_without_extensions_has_no_attribute),
        cmocka_unit_test(test_names_that_are_none_are_refused),
        cmocka_unit_test(test_no_byte_can_be_changed),
        cmocka_unit_test(test_every_shorter_request_and_a_longer_one_are_refused),
        cmocka_unit_test(test_attributes_are_what_they_may_be),
        cmocka_unit_test(test_each_kind_is_known_by_its_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
