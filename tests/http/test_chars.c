/* tests/http/test_chars.c - the table of byte classes against the ABNF, written a second time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "http/chars.h"

static bool in(int c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

static void test_every_byte_has_the_classes_of_the_abnf(void **state)
{
    for (int c = 0; c < 256; c++) {
        bool digit = c >= '0' && c <= '9';
        bool alpha = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool visible = c > ' ' && c < 0x7f;
        bool above = c >= 0x80;
        bool expected[8] = {
            digit || alpha || in(c, "!#$%&'*+-.^_`|~"),
            visible || above || c == ' ' || c == '\t',
            visible && !in(c, "\"#<>"),
            digit || alpha || in(c, "-._~!$&'()*+,;="),
            digit,
            digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'),
            alpha,
            (visible && c != '"') || above,
        };
        for (int i = 0; i < 8; i++) {
            if (cl_http_ch((uint8_t)c, (uint8_t)(1 << i)) != expected[i]) {
                fail_msg("byte 0x%02x, class %d", c, 1 << i);
            }
        }
    }
}

static void test_numbers_are_read_up_to_63_bits(void **state)
{
    uint64_t n = 7;
    assert_int_equal(cl_http_u64(cl_rd_str("9223372036854775807"), &n), CL_HTTP_U64_OK);
    assert_true(n == INT64_MAX);
    assert_int_equal(cl_http_u64(cl_rd_str("9223372036854775808"), &n), CL_HTTP_U64_HUGE);
    assert_int_equal(cl_http_u64(cl_rd_str("0000000000000000000000012"), &n), CL_HTTP_U64_OK);
    assert_true(n == 12);
    assert_int_equal(cl_http_u64(cl_rd_str(""), &n), CL_HTTP_U64_BAD);
    assert_int_equal(cl_http_u64(cl_rd_str("1a"), &n), CL_HTTP_U64_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_has_the_classes_of_the_abnf),
        cmocka_unit_test(test_numbers_are_read_up_to_63_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
