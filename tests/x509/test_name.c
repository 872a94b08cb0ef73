/* Names: hosts and addresses, wildcards, distinguished names, public suffixes. */
#include "support_x509.h"

#include "x509/dn.h"
#include "x509/name.h"

static const struct {
    const char *presented;
    const char *host;
    bool match;
} hosts[] = {
    {"example.com", "example.com", true},
    {"example.com", "EXAMPLE.com", true},
    {"Example.Com", "example.com", true},
    {"example.com", "example.com.", true},
    {"example.com", "example.com..", false},
    {"example.com", "www.example.com", false},
    {"www.example.com", "example.com", false},
    {"*.example.com", "www.example.com", true},
    {"*.example.com", "WWW.EXAMPLE.COM.", true},
    {"*.example.com", "a.b.example.com", false},
    {"*.example.com", "example.com", false},
    {"*.example.com", ".example.com", false},
    {"*.example.com", "xn--bcher-kva.example.com", true},
    {"xn--bcher-kva.example", "xn--BCHER-kva.example", true},
    {"w*.example.com", "www.example.com", false},
    {"*w.example.com", "www.example.com", false},
    {"www.*.com", "www.example.com", false},
    {"*.*.example.com", "a.b.example.com", false},
    {"*.com", "example.com", false},
    {"*", "example", false},
    {"*.", "example.", false},
    {"", "example.com", false},
    {"example.com", "", false},
    {"example.com.", "example.com", false},
    {"my_host.example.com", "my_host.example.com", true},
    {"-a.example.com", "-a.example.com", false},
    {"192.0.2.1", "192.0.2.1", false}, /* an address is no DNS name */
    {"exa mple.com", "exa mple.com", false},
    {"localhost", "localhost", true},
};

static struct cleat_cert *cert_with(const struct cl_cert_raw_ext *ext)
{
    struct cl_cert_template tpl = t_template("not.counted.example", NULL, t_key(0), false);
    tpl.num_dns_names = 0;
    tpl.raw_exts = ext;
    tpl.num_raw_exts = 1;
    return t_make(&tpl, NULL, t_key(0)).cert;
}

static struct cleat_cert *cert_for(uint8_t tag, const void *name, size_t len)
{
    uint8_t san[300];
    struct cl_wr w = cl_wr_of(san, sizeof(san));
    struct cl_der_mark seq = cl_der_open(&w, CL_DER_SEQUENCE);
    cl_der_put(&w, tag, cl_rd_of(name, len));
    cl_der_close(&w, seq);
    struct cl_cert_raw_ext ext = {"2.5.29.17", false, cl_rd_of(san, w.len)};
    return cert_with(&ext);
}

static void test_hosts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        struct cleat_cert *cert =
            cert_for(CL_DER_CTX(2), hosts[i].presented, strlen(hosts[i].presented));
        if (cl_cert_matches_host(cert, hosts[i].host) != hosts[i].match) {
            fail_msg("%s for %s", hosts[i].presented, hosts[i].host);
        }
        assert_false(cl_cert_matches_host(cert, "not.counted.example"));
        assert_false(cl_cert_matches_host(cert, NULL));
        cleat_cert_free(cert);
    }
}

static void test_name_with_a_nul_byte_matches_nothing(void **state)
{
    (void)state;
    struct cleat_cert *cert = cert_for(CL_DER_CTX(2), "example.com\0.evil.test", 22);
    assert_false(cl_cert_matches_host(cert, "example.com"));
    cleat_cert_free(cert);
}

static const struct {
    const char *text;
    size_t len; /* 0: not an address */
    uint8_t ip[16];
} ips[] = {
    {"192.0.2.1", 4, {192, 0, 2, 1}},
    {"0.0.0.0", 4, {0}},
    {"255.255.255.255", 4, {255, 255, 255, 255}},
    {"256.0.0.1", 0, {0}},
    {"192.0.2", 0, {0}},
    {"192.0.2.1.", 0, {0}},
    {"192.0.2.01", 0, {0}},
    {"192.0.2.1 ", 0, {0}},
    {"0x7f.0.0.1", 0, {0}},
    {"::", 16, {0}},
    {"::1", 16, {[15] = 1}},
    {"[::1]", 16, {[15] = 1}},
    {"1::", 16, {0, 1}},
    {"2001:db8::ff00:42:8329",
     16,
     {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0x42, 0x83, 0x29}},
    {"1:2:3:4:5:6:7:8", 16, {0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8}},
    {"1:2:3:4:5:6:7:8:9", 0, {0}},
    {"1:2:3:4:5:6:7", 0, {0}},
    {"1::2::3", 0, {0}},
    {"1:2:3:4:5:6:7::8", 0, {0}},
    {":1::2", 0, {0}},
    {"1::2:", 0, {0}},
    {"::ffff:192.0.2.1", 16, {[10] = 0xff, 0xff, 192, 0, 2, 1}},
    {"::192.0.2.1:1", 0, {0}},
    {"12345::", 0, {0}},
    {"fe80::1%eth0", 0, {0}},
    {"[192.0.2.1]", 0, {0}},
    {"[::1", 0, {0}},
    {"", 0, {0}},
    {":", 0, {0}},
    {"g::", 0, {0}},
};

static void test_ip_literals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ips) / sizeof(ips[0]); i++) {
        uint8_t ip[16];
        size_t len = 0;
        bool good = cl_ip_parse(ips[i].text, strlen(ips[i].text), ip, &len);
        if (good != (ips[i].len != 0) ||
            (good && (len != ips[i].len || memcmp(ip, ips[i].ip, len) != 0))) {
            fail_msg("\"%s\"", ips[i].text);
        }
    }
}

static void test_addresses_match_address_names_only(void **state)
{
    (void)state;
    struct cleat_cert *v4 = cert_for(CL_DER_CTX(7), "\xc0\x00\x02\x01", 4);
    struct cleat_cert *dns = cert_for(CL_DER_CTX(2), "192.0.2.1", 9);
    assert_true(cl_cert_matches_host(v4, "192.0.2.1"));
    assert_false(cl_cert_matches_host(v4, "192.0.2.2"));
    assert_false(cl_cert_matches_host(v4, "::ffff:192.0.2.1"));
    assert_false(cl_cert_matches_host(dns, "192.0.2.1"));
    cleat_cert_free(v4);
    cleat_cert_free(dns);
}

/* A Name of one RDN: CN with this string type. */
static void name_of(struct cl_name *out, uint8_t *room, size_t cap, uint8_t tag, const char *value,
                    size_t len)
{
    struct cl_wr w = cl_wr_of(room, cap);
    struct cl_der_mark name = cl_der_open(&w, CL_DER_SEQUENCE);
    struct cl_der_mark set = cl_der_open(&w, CL_DER_SET);
    struct cl_der_mark pair = cl_der_open(&w, CL_DER_SEQUENCE);
    cl_der_put_oid_text(&w, "2.5.4.3");
    cl_der_put(&w, tag, cl_rd_of(value, len));
    cl_der_close(&w, pair);
    cl_der_close(&w, set);
    cl_der_close(&w, name);
    struct cl_rd r = cl_rd_of(room, w.len);
    assert_true(cl_name_parse(&r, out));
}

static const struct {
    uint8_t tag_a;
    const char *a;
    size_t len_a;
    uint8_t tag_b;
    const char *b;
    size_t len_b;
    bool equal;
} dns_names[] = {
    {CL_DER_UTF8_STRING, "Good CA", 7, CL_DER_PRINTABLE_STRING, "good ca", 7, true},
    {CL_DER_UTF8_STRING, "  Good   CA ", 12, CL_DER_UTF8_STRING, "Good CA", 7, true},
    {CL_DER_UTF8_STRING, "GoodCA", 6, CL_DER_UTF8_STRING, "Good CA", 7, false},
    {CL_DER_UTF8_STRING, "\xc3\x84pfel", 6, CL_DER_UTF8_STRING, "\xc3\xa4PFEL", 6, true},
    {CL_DER_UTF8_STRING, "\xc3\x84", 2, CL_DER_BMP_STRING, "\x00\xe4", 2, true},
    {CL_DER_UTF8_STRING, "\xc3\x84", 2, CL_DER_T61_STRING, "\xc4", 1, true},
    {CL_DER_UTF8_STRING, "", 0, CL_DER_PRINTABLE_STRING, " ", 1, true},
    {CL_DER_UTF8_STRING, "a", 1, CL_DER_UTF8_STRING, "b", 1, false},
};

static void test_distinguished_names_compare_without_case_and_spaces(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(dns_names) / sizeof(dns_names[0]); i++) {
        uint8_t room_a[64];
        uint8_t room_b[64];
        struct cl_name a;
        struct cl_name b;
        name_of(&a, room_a, sizeof(room_a), dns_names[i].tag_a, dns_names[i].a, dns_names[i].len_a);
        name_of(&b, room_b, sizeof(room_b), dns_names[i].tag_b, dns_names[i].b, dns_names[i].len_b);
        if (cl_name_equal(&a, &b) != dns_names[i].equal ||
            (dns_names[i].equal && a.hash != b.hash)) {
            fail_msg("row %zu", i);
        }
    }
}

/* RFC 5280 A.1: a common name is a DirectoryString; what the attribute 1.2.3 is nobody knows. */
static void test_known_attributes_are_strings_and_others_compare_as_bytes(void **state)
{
    (void)state;
    static const uint8_t common_name[] = {0x30, 12,   0x31, 10,   0x30, 8, 0x06,
                                          3,    0x55, 0x04, 0x03, 0x04, 1, 'a'};
    static const uint8_t unknown[] = {0x30, 11, 0x31, 9, 0x30, 7, 0x06, 2, 42, 3, 0x04, 1, 'a'};
    static const uint8_t other_case[] = {0x30, 11, 0x31, 9, 0x30, 7, 0x06, 2, 42, 3, 0x04, 1, 'A'};
    struct cl_name a;
    struct cl_name b;
    struct cl_rd r = cl_rd_of(common_name, sizeof(common_name));
    assert_false(cl_name_parse(&r, &a));
    r = cl_rd_of(unknown, sizeof(unknown));
    assert_true(cl_name_parse(&r, &a));
    r = cl_rd_of(other_case, sizeof(other_case));
    assert_true(cl_name_parse(&r, &b));
    assert_true(cl_name_equal(&a, &a) && !cl_name_equal(&a, &b));
}

static void test_names_as_text_are_escaped(void **state)
{
    (void)state;
    uint8_t room[64];
    char text[64];
    struct cl_name name;
    name_of(&name, room, sizeof(room), CL_DER_UTF8_STRING, " a,b+\"c\"\\;\n", 11);
    cl_name_text(&name, text, sizeof(text));
    assert_string_equal(text, "CN=\\ a\\,b\\+\\\"c\\\"\\\\\\;\\0a");
    assert_int_equal(cl_name_text(&name, text, 4), strlen("CN=\\ a\\,b\\+\\\"c\\\"\\\\\\;\\0a"));
    assert_string_equal(text, "CN=");
}

static void test_public_suffixes(void **state)
{
    (void)state;
    static const char list_text[] = "// comment\ncom\nco.uk\n*.ck\n!www.ck\ns3.amazonaws.com\n";
    static const struct {
        const char *name;
        bool suffix;
    } rows[] = {{"com", true},
                {"COM", true},
                {"co.uk", true},
                {"uk", true},
                {"ex.uk", false},
                {"anything.ck", true},
                {"www.ck", false},
                {"a.b.ck", false},
                {"s3.amazonaws.com", true},
                {"amazonaws.com", false}};
    struct cleat_suffix_list *list;
    assert_int_equal(cleat_suffix_list_from_text(list_text, strlen(list_text), &list), CLEAT_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (cleat_suffix_list_has(list, rows[i].name, strlen(rows[i].name)) != rows[i].suffix) {
            fail_msg("%s", rows[i].name);
        }
    }
    cleat_suffix_list_free(list);
    assert_int_equal(cleat_suffix_list_from_text("// only\n", 8, &list), CLEAT_ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_name_with_a_nul_byte_matches_nothing),
        cmocka_unit_test(test_ip_literals),
        cmocka_unit_test(test_addresses_match_address_names_only),
        cmocka_unit_test(test_distinguished_names_compare_without_case_and_spaces),
        cmocka_unit_test(test_known_attributes_are_strings_and_others_compare_as_bytes),
        cmocka_unit_test(test_names_as_text_are_escaped),
        cmocka_unit_test(test_public_suffixes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
