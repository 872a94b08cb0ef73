/* tests/http/test_write.c - building heads and chunks, and that nothing can be injected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "http/chars.h"
#include "http/write.h"

static void assert_text(struct cl_buf *b, const char *text)
{
    assert_int_equal(b->len, strlen(text));
    assert_memory_equal(b->p, text, b->len);
    cl_buf_deinit(b);
}

static void test_a_request_head_is_written_as_it_is_read(void **state)
{
    struct cl_buf b = {0};
    struct cleat_http_head h;
    assert_int_equal(cl_http_write_request(&b, cl_rd_str("GET"), cl_rd_str("/a?b")), CL_OK);
    assert_int_equal(cl_http_write_field_str(&b, "Host", "h"), CL_OK);
    assert_int_equal(cl_http_write_field_u64(&b, "Content-Length", 0), CL_OK);
    assert_int_equal(cl_http_write_end(&b), CL_OK);
    cleat_http_request_init(&h);
    assert_int_equal(cleat_http_head_feed(&h, b.p, b.len, NULL), CLEAT_HTTP_COMPLETE);
    assert_text(&b, "GET /a?b HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
}

static void test_a_response_head_has_reason_and_date(void **state)
{
    struct cl_buf b = {0};
    assert_int_equal(cl_http_write_response(&b, 404), CL_OK);
    assert_int_equal(cl_http_write_date(&b, 784111777), CL_OK);
    assert_int_equal(cl_http_write_field_u64(&b, "N", UINT64_MAX), CL_OK);
    assert_int_equal(cl_http_write_response(&b, 799), CL_OK);
    assert_int_equal(cl_http_write_response(&b, 99), CLEAT_ERR_USAGE);
    assert_int_equal(cl_http_write_response(&b, 1000), CLEAT_ERR_USAGE);
    assert_text(&b, "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                    "N: 18446744073709551615\r\nHTTP/1.1 799 \r\n");
}

static void test_every_byte_that_could_inject_is_refused_and_nothing_is_written(void **state)
{
    struct cl_buf b = {0};
    for (int c = 0; c < 256; c++) {
        const uint8_t text[] = {'a', (uint8_t)c, 'b'};
        struct cl_rd v = cl_rd_of(text, 3);
        bool token = cl_http_ch((uint8_t)c, CL_CH_TOKEN);
        bool value = c == '\t' || (c >= ' ' && c != 0x7f);
        size_t before = b.len;
        assert_int_equal(cl_http_write_field(&b, v, cl_rd_str("x")),
                         token ? CL_OK : CLEAT_ERR_USAGE);
        assert_int_equal(b.len - before, token ? 8 : 0);
        before = b.len;
        assert_int_equal(cl_http_write_field(&b, cl_rd_str("x"), v),
                         value ? CL_OK : CLEAT_ERR_USAGE);
        assert_int_equal(b.len - before, value ? 8 : 0);
        assert_int_equal(cl_http_write_request(&b, v, cl_rd_str("/")),
                         token ? CL_OK : CLEAT_ERR_USAGE);
        if (c <= ' ' || c >= 0x7f) {
            assert_int_equal(cl_http_write_request(&b, cl_rd_str("GET"), v), CLEAT_ERR_USAGE);
        }
    }
    assert_int_equal(cl_http_write_field_str(&b, "x", " a"), CLEAT_ERR_USAGE);
    assert_int_equal(cl_http_write_field_str(&b, "x", "a\t"), CLEAT_ERR_USAGE);
    assert_int_equal(cl_http_write_field_str(&b, "", "a"), CLEAT_ERR_USAGE);
    assert_int_equal(cl_http_write_request(&b, cl_rd_str("GET"), cl_rd_str("")), CLEAT_ERR_USAGE);
    cl_buf_deinit(&b);
}

static bool refuse_all(void *ctx, size_t size)
{
    return false;
}

static void test_short_memory_leaves_the_buffer_as_it_was(void **state)
{
    static char value[300];
    struct cl_buf b = {0};
    memset(value, 'v', sizeof(value) - 1);
    assert_int_equal(cl_http_write_response(&b, 200), CL_OK);
    size_t before = b.len;
    cl_mem_test_hook(refuse_all, NULL);
    assert_int_equal(cl_http_write_field_str(&b, "x", value), CLEAT_ERR_NOMEM);
    cl_mem_test_hook(NULL, NULL);
    assert_int_equal(b.len, before);
    cl_buf_deinit(&b);
}

static void test_chunks_are_decoded_to_what_was_encoded(void **state)
{
    static char content[70000];
    struct cl_buf b = {0};
    struct cleat_http_head h = {.framing = CLEAT_HTTP_CHUNKED};
    struct cleat_http_body body;
    struct cleat_http_view v;
    size_t sum = 0;
    size_t at = 0;
    size_t used;
    int rc;
    memset(content, 'c', sizeof(content));
    assert_int_equal(cl_http_write_chunk(&b, cl_rd_of(content, 0), SIZE_MAX), CL_OK);
    assert_int_equal(b.len, 0);
    assert_int_equal(cl_http_write_chunk(&b, cl_rd_of(content, 1), SIZE_MAX), CL_OK);
    assert_int_equal(cl_http_write_chunk(&b, cl_rd_of(content, 16), SIZE_MAX), CL_OK);
    assert_int_equal(cl_http_write_chunk(&b, cl_rd_of(content, 70000), SIZE_MAX), CL_OK);
    assert_int_equal(cl_http_write_chunk(&b, cl_rd_of(content, 70000), b.len), CLEAT_ERR_LIMIT);
    assert_int_equal(cl_buf_append(&b, CL_HTTP_LAST_CHUNK, 5, SIZE_MAX), CL_OK);
    assert_int_equal(cleat_http_body_init(&body, &h, UINT64_MAX, NULL), CLEAT_OK);
    while ((rc = cleat_http_body_feed(&body, b.p + at, b.len - at, &used, &v, NULL)) ==
           CLEAT_HTTP_DATA) {
        sum += v.len;
        at += used;
    }
    assert_int_equal(rc, CLEAT_HTTP_COMPLETE);
    assert_int_equal(sum, 70017);
    assert_int_equal(at + used, b.len);
    cl_buf_deinit(&b);
    uint8_t head[CL_HTTP_CHUNK_HEAD_MAX];
    assert_int_equal(cl_http_chunk_head(head, SIZE_MAX), 18);
    assert_memory_equal(head, "ffffffffffffffff\r\n", 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request_head_is_written_as_it_is_read),
        cmocka_unit_test(test_a_response_head_has_reason_and_date),
        cmocka_unit_test(test_every_byte_that_could_inject_is_refused_and_nothing_is_written),
        cmocka_unit_test(test_short_memory_leaves_the_buffer_as_it_was),
        cmocka_unit_test(test_chunks_are_decoded_to_what_was_encoded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
