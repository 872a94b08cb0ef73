/* DER, times, OIDs: what is accepted and what is not. */
#include "support_x509.h"

#include "x509/der.h"

static const struct {
    const char *name;
    const char *bytes;
    size_t len;
    bool good;
} elements[] = {
    {"short", "\x04\x01x", 3, true},
    {"empty", "\x04\x00", 2, true},
    {"truncated", "\x04\x02x", 3, false},
    {"no length", "\x04", 1, false},
    {"indefinite", "\x24\x80\x00\x00", 4, false},
    {"long form of a short length", "\x04\x81\x01x", 4, false},
    {"length with a leading zero", "\x04\x82\x00\x01x", 5, false},
    {"five length bytes", "\x04\x85\x01\x00\x00\x00\x00", 7, false},
    {"huge length", "\x04\x84\xff\xff\xff\xff", 6, false},
    {"multi-byte tag", "\x1f\x01\x01x", 4, false},
};

static void test_element_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
        struct cl_rd r = cl_rd_of(elements[i].bytes, elements[i].len);
        struct cl_rd body;
        uint8_t tag;
        if (cl_der_any(&r, &tag, &body, NULL) != elements[i].good) {
            fail_msg("%s", elements[i].name);
        }
        assert_int_equal(r.len, elements[i].good ? 0 : elements[i].len);
    }
}

static void test_long_lengths_are_minimal(void **state)
{
    (void)state;
    uint8_t bytes[300] = {0x04, 0x81, 0x80};
    struct cl_rd r = cl_rd_of(bytes, 3 + 0x80);
    struct cl_rd body;
    assert_true(cl_der_get(&r, CL_DER_OCTET_STRING, &body));
    assert_int_equal(body.len, 0x80);
    bytes[1] = 0x82;
    bytes[2] = 0x00;
    bytes[3] = 0x80;
    r = cl_rd_of(bytes, 4 + 0x80);
    assert_false(cl_der_get(&r, CL_DER_OCTET_STRING, &body));
    bytes[2] = 0x01;
    bytes[3] = 0x00;
    r = cl_rd_of(bytes, 4 + 0x100);
    assert_true(cl_der_get(&r, CL_DER_OCTET_STRING, &body));
}

static const struct {
    const char *bytes;
    size_t len;
    bool good;
    bool is_u32;
} integers[] = {
    {"\x02\x01\x00", 3, true, true},
    {"\x02\x01\x7f", 3, true, true},
    {"\x02\x01\xff", 3, true, false},
    {"\x02\x02\x00\x80", 4, true, true},
    {"\x02\x02\x00\x7f", 4, false, false},
    {"\x02\x02\xff\x80", 4, false, false},
    {"\x02\x02\xff\x7f", 4, true, false},
    {"\x02\x00", 2, false, false},
    {"\x02\x05\x00\xff\xff\xff\xff", 7, true, true},
    {"\x02\x05\x01\x00\x00\x00\x00", 7, true, false},
};

static void test_integers_are_minimal(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++) {
        struct cl_rd r = cl_rd_of(integers[i].bytes, integers[i].len);
        struct cl_rd again = r;
        struct cl_rd body;
        uint32_t value;
        if (cl_der_integer(&r, &body) != integers[i].good ||
            cl_der_u32(&again, &value) != integers[i].is_u32) {
            fail_msg("integer %zu", i);
        }
    }
}

static void test_booleans_are_00_or_ff(void **state)
{
    (void)state;
    struct cl_rd yes = cl_rd_of("\x01\x01\xff", 3);
    struct cl_rd one = cl_rd_of("\x01\x01\x01", 3);
    struct cl_rd two = cl_rd_of("\x01\x02\xff\xff", 4);
    bool value = false;
    assert_true(cl_der_bool(&yes, &value));
    assert_true(value);
    assert_false(cl_der_bool(&one, &value));
    assert_false(cl_der_bool(&two, &value));
}

static void test_bit_strings_have_zero_unused_bits(void **state)
{
    (void)state;
    struct cl_rd good = cl_rd_of("\x03\x02\x05\xa0", 4);
    struct cl_rd set = cl_rd_of("\x03\x02\x05\xb0", 4);
    struct cl_rd eight = cl_rd_of("\x03\x02\x08\x00", 4);
    struct cl_rd none = cl_rd_of("\x03\x01\x01", 3);
    struct cl_rd missing = cl_rd_of("\x03\x00", 2);
    struct cl_rd bytes;
    uint8_t num_unused;
    assert_true(cl_der_bits(&good, &bytes, &num_unused));
    assert_int_equal(num_unused, 5);
    assert_false(cl_der_bits(&set, &bytes, &num_unused));
    assert_false(cl_der_bits(&eight, &bytes, &num_unused));
    assert_false(cl_der_bits(&none, &bytes, &num_unused));
    assert_false(cl_der_bits(&missing, &bytes, &num_unused));
}

static const struct {
    const char *text; /* UTCTime when it has 13 characters */
    bool good;
    int64_t value;
} times[] = {
    {"700101000000Z", true, 0},
    {"260601000000Z", true, T_NOW},
    {"491231235959Z", true, 2524607999},
    {"500101000000Z", true, -631152000},
    {"20500101000000Z", true, 2524608000},
    {"99991231235959Z", true, 253402300799},
    {"000229000000Z", true, 951782400},
    {"010229000000Z", false, 0},
    {"19000229000000Z", false, 0},
    {"260631000000Z", false, 0},
    {"261301000000Z", false, 0},
    {"260600000000Z", false, 0},
    {"260601240000Z", false, 0},
    {"260601006000Z", false, 0},
    {"260601000060Z", false, 0},
    {"2606010000Z", false, 0},
    {"260601000000+0100", false, 0},
    {"20260601000000.5Z", false, 0},
    {"260601000000", false, 0},
    {"26060100000aZ", false, 0},
};

static void test_times_in_the_forms_of_rfc5280_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        uint8_t der[64];
        int64_t value = 0;
        bool utc = strlen(times[i].text) == 13 || strlen(times[i].text) == 11 ||
                   strchr(times[i].text, '+') != NULL || strlen(times[i].text) == 12;
        struct cl_wr w = cl_wr_of(der, sizeof(der));
        cl_der_put(&w, utc ? CL_DER_UTC_TIME : CL_DER_GENERALIZED_TIME, cl_rd_str(times[i].text));
        struct cl_rd r = cl_rd_of(der, w.len);
        if (cl_der_time(&r, &value) != times[i].good ||
            (times[i].good && value != times[i].value)) {
            fail_msg("%s: %lld", times[i].text, (long long)value);
        }
    }
}

static void test_times_written_are_read_back(void **state)
{
    (void)state;
    for (int64_t t = -3000000000LL; t < 253402300800LL; t += 86400LL * 317 + 12345) {
        uint8_t der[32];
        int64_t back;
        struct cl_wr w = cl_wr_of(der, sizeof(der));
        cl_der_put_time(&w, t);
        struct cl_rd r = cl_rd_of(der, w.len);
        assert_true(cl_wr_ok(&w) && cl_der_time(&r, &back));
        assert_true(back == t);
        /* RFC 5280 4.1.2.5: UTCTime for the years it can tell */
        assert_true((der[0] == CL_DER_UTC_TIME) == (t >= -631152000LL && t < CL_DER_YEAR_2050));
    }
}

static void test_oids_both_ways(void **state)
{
    (void)state;
    static const char *const good[] = {"0.0", "1.2.840.113549.1.1.11", "2.5.29.32.0", "2.999.3",
                                       "1.3.6.1.4.1.4294967295"};
    static const char *const bad[] = {"", "1", "3.1", "1.40", "1.2.", "1..2", "1.02", "1.2.x"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        uint8_t oid[32];
        char text[64];
        size_t len;
        assert_true(cl_oid_from_text(good[i], oid, sizeof(oid), &len));
        assert_true(cl_der_oid_valid(cl_rd_of(oid, len)));
        assert_int_equal(cl_oid_text(cl_rd_of(oid, len), text, sizeof(text)), strlen(good[i]));
        assert_string_equal(text, good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t oid[32];
        size_t len;
        assert_false(cl_oid_from_text(bad[i], oid, sizeof(oid), &len));
    }
    assert_false(cl_der_oid_valid(cl_rd_of("\x2a\x80\x01", 3)));
    assert_false(cl_der_oid_valid(cl_rd_of("\x2a\x81", 2)));
    assert_false(cl_der_oid_valid(cl_rd_of("", 0)));
}

static void test_string_types_hold_their_characters(void **state)
{
    (void)state;
    assert_true(cl_der_string_valid(CL_DER_PRINTABLE_STRING, cl_rd_str("A b-c.1")));
    assert_false(cl_der_string_valid(CL_DER_PRINTABLE_STRING, cl_rd_str("a;b")));
    assert_false(cl_der_string_valid(CL_DER_PRINTABLE_STRING, cl_rd_of("a\0b", 3)));
    assert_true(cl_der_string_valid(CL_DER_UTF8_STRING, cl_rd_str("\xc3\xa4\xe2\x82\xac")));
    assert_false(cl_der_string_valid(CL_DER_UTF8_STRING, cl_rd_str("\xc0\x80")));
    assert_false(cl_der_string_valid(CL_DER_UTF8_STRING, cl_rd_str("\xed\xa0\x80")));
    assert_false(cl_der_string_valid(CL_DER_UTF8_STRING, cl_rd_str("\xf4\x90\x80\x80")));
    assert_false(cl_der_string_valid(CL_DER_UTF8_STRING, cl_rd_str("\xe2\x82")));
    assert_false(cl_der_string_valid(CL_DER_IA5_STRING, cl_rd_str("\xe4")));
    assert_false(cl_der_string_valid(CL_DER_BMP_STRING, cl_rd_str("abc")));
    assert_false(cl_der_string_valid(CL_DER_OCTET_STRING, cl_rd_str("abc")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_element_headers),
        cmocka_unit_test(test_long_lengths_are_minimal),
        cmocka_unit_test(test_integers_are_minimal),
        cmocka_unit_test(test_booleans_are_00_or_ff),
        cmocka_unit_test(test_bit_strings_have_zero_unused_bits),
        cmocka_unit_test(test_times_in_the_forms_of_rfc5280_only),
        cmocka_unit_test(test_times_written_are_read_back),
        cmocka_unit_test(test_oids_both_ways),
        cmocka_unit_test(test_string_types_hold_their_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
