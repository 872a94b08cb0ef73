/* tests/base/test_pem.c - PEM: blocks, what may stand around them, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/pem.h"

static const struct {
    const char *name;
    const char *text;
    cl_result result;
    bool found;
} texts[] = {
    {"empty", "", CL_OK, false},
    {"no block", "hello\nworld\n", CL_OK, false},
    {"block", "-----BEGIN X-----\nAAAA\n-----END X-----\n", CL_OK, true},
    {"no final line end", "-----BEGIN X-----\nAAAA\n-----END X-----", CL_OK, true},
    {"CRLF and trailing spaces", "-----BEGIN X-----\r\nAAAA \r\n-----END X----- \r\n", CL_OK, true},
    {"text in front", "subject=CN = x\n-----BEGIN X-----\nAAAA\n-----END X-----\n", CL_OK, true},
    {"no end", "-----BEGIN X-----\nAAAA\n", CLEAT_ERR_BAD_PEM, false},
    {"other label", "-----BEGIN X-----\nAAAA\n-----END Y-----\n", CLEAT_ERR_BAD_PEM, false},
    {"begin in block", "-----BEGIN X-----\n-----BEGIN X-----\nAA==\n-----END X-----\n",
     CLEAT_ERR_BAD_PEM, false},
    {"four dashes", "----BEGIN X-----\nAAAA\n-----END X-----\n", CL_OK, false},
};

static void test_blocks_are_found(void **state)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct cl_pem pem;
        struct cl_pem_block block;
        bool found;
        struct cleat_error err = {0};
        cl_pem_init(&pem, texts[i].text, strlen(texts[i].text), &err);
        cl_result r = cl_pem_next(&pem, &block, &found);
        if (r != texts[i].result || found != texts[i].found) {
            fail_msg("%s", texts[i].name);
        }
        assert_true(r == CL_OK || err.text[0] != '\0');
    }
}

static const struct {
    const char *body;
    bool good;
} bodies[] = {
    {"AAAA", true}, {"AA==", true},    {"", false},     {"A", false},    {"AB==", false},
    {"AAA", false}, {"AA==AA", false}, {"A-AA", false}, {"AA=A", false},
};

static void test_base64_is_strict(void **state)
{
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct cl_pem pem = {0};
        struct cl_buf out = {0};
        struct cl_pem_block block = {.body = cl_rd_str(bodies[i].body)};
        if ((cl_pem_decode(&pem, &block, &out, 100) == CL_OK) != bodies[i].good) {
            fail_msg("\"%s\"", bodies[i].body);
        }
        cl_buf_deinit(&out);
    }
}

static void test_what_is_encoded_is_decoded(void **state)
{
    uint8_t bytes[200];
    for (size_t len = 1; len <= sizeof(bytes); len++) {
        struct cl_buf text = {0};
        struct cl_buf back = {0};
        struct cl_pem pem;
        struct cl_pem_block block;
        bool found;
        memset(bytes, (int)len, len);
        assert_int_equal(cl_pem_encode("THING", cl_rd_of(bytes, len), &text), CL_OK);
        cl_pem_init(&pem, (const char *)text.p, text.len, NULL);
        assert_int_equal(cl_pem_next(&pem, &block, &found), CL_OK);
        assert_true(found && cl_rd_equal_str(block.label, "THING"));
        assert_int_equal(cl_pem_decode(&pem, &block, &back, 1000), CL_OK);
        assert_true(cl_rd_equal(cl_buf_view(&back), cl_rd_of(bytes, len)));
        cl_buf_deinit(&text);
        cl_buf_deinit(&back);
    }
}

static const struct {
    const char *body;
    const char *headers; /* NULL: none */
    const char *rest;
} headed[] = {
    {"MAA=\n", NULL, "MAA=\n"},
    {"Proc-Type: 4,ENCRYPTED\nDEK-Info: X\n\nMAA=\n", "Proc-Type: 4,ENCRYPTED\nDEK-Info: X",
     "\n\nMAA=\n"},
    {"A: b\r\n\r\nMAA=\r\n\n", "A: b", "\r\n\r\nMAA=\r\n\n"},
    {"A: b\nMAA=\n", NULL, "A: b\nMAA=\n"},
};

static void test_headers_are_taken_off_up_to_their_empty_line(void **state)
{
    for (size_t i = 0; i < sizeof(headed) / sizeof(headed[0]); i++) {
        struct cl_pem_block block = {.body = cl_rd_str(headed[i].body)};
        struct cl_rd headers = {0};
        assert_int_equal(cl_pem_take_headers(&block, &headers), headed[i].headers != NULL);
        if (headed[i].headers != NULL) {
            assert_true(cl_rd_equal_str(headers, headed[i].headers));
        }
        assert_true(cl_rd_equal_str(block.body, headed[i].rest));
    }
}

static void test_a_block_with_headers_does_not_decode_as_it_is(void **state)
{
    const char *text = "-----BEGIN X-----\nA: b\n\nMAA=\n-----END X-----\n";
    struct cl_pem pem;
    struct cl_pem_block block;
    struct cl_buf out = {0};
    struct cl_rd headers;
    bool found;
    cl_pem_init(&pem, text, strlen(text), NULL);
    assert_int_equal(cl_pem_next(&pem, &block, &found), CL_OK);
    assert_int_equal(cl_pem_decode(&pem, &block, &out, 100), CLEAT_ERR_BAD_PEM);
    assert_true(cl_pem_take_headers(&block, &headers));
    assert_int_equal(cl_pem_decode(&pem, &block, &out, 100), CL_OK);
    assert_int_equal(out.len, 2);
    cl_buf_deinit(&out);
}

static void test_a_block_longer_than_the_limit_is_refused(void **state)
{
    struct cl_pem pem = {0};
    struct cl_buf out = {0};
    struct cl_pem_block block = {.body = cl_rd_str("AAAAAAAA")};
    assert_int_equal(cl_pem_decode(&pem, &block, &out, 5), CLEAT_ERR_LIMIT);
    assert_int_equal(out.len, 0);
    assert_int_equal(cl_pem_decode(&pem, &block, &out, 6), CL_OK);
    cl_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_are_found),
        cmocka_unit_test(test_base64_is_strict),
        cmocka_unit_test(test_what_is_encoded_is_decoded),
        cmocka_unit_test(test_headers_are_taken_off_up_to_their_empty_line),
        cmocka_unit_test(test_a_block_with_headers_does_not_decode_as_it_is),
        cmocka_unit_test(test_a_block_longer_than_the_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
