/* tests/base/test_text.c - hexadecimal, and what a terminal may get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/text.h"

static void test_hexadecimal_comes_back(void **state)
{
    const uint8_t bytes[] = {0x00, 0x1f, 0xa0, 0xff};
    char text[2 * sizeof(bytes) + 1];
    uint8_t again[sizeof(bytes)];
    size_t len = 0;
    cl_hex_encode(bytes, sizeof(bytes), text);
    assert_string_equal(text, "001fa0ff");
    assert_true(cl_hex_decode("001Fa0fF", 8, again, sizeof(again), &len));
    assert_int_equal(len, sizeof(bytes));
    assert_memory_equal(again, bytes, sizeof(bytes));
}

static void test_what_is_not_hexadecimal_is_refused(void **state)
{
    static const char *const wrong[] = {"0", "0g", "g0", " 0", "0x00", "0011223344"};
    uint8_t out[4];
    size_t len;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(cl_hex_decode(wrong[i], strlen(wrong[i]), out, sizeof(out), &len));
    }
}

static void test_control_bytes_are_replaced_and_utf_8_stays(void **state)
{
    char text[] = "a\x1b[2J\t\x7f\r\n z\xc3\xa9\xff";
    cl_text_make_printable(text);
    assert_string_equal(text, "a?[2J???? z\xc3\xa9\xff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hexadecimal_comes_back),
        cmocka_unit_test(test_what_is_not_hexadecimal_is_refused),
        cmocka_unit_test(test_control_bytes_are_replaced_and_utf_8_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
