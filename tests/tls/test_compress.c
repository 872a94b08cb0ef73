/* tests/tls/test_compress.c - the algorithms of tls/compress.h by themselves: what they compress
 * comes back, and what strangers send takes no more room than they announced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tls/compress.h"

/* 131,400: the longest message (tls/conn.h) */
#define MAX_LEN 131400
#define ROOM    (4 * MAX_LEN)

#define FOR_EACH(alg)                                              \
    for (size_t nth_ = 0; cl_compression_at(nth_) != NULL; nth_++) \
        for (const struct cl_compression *alg = cl_compression_at(nth_); alg != NULL; alg = NULL)

/* Something between text and noise, as certificates are. */
static void fill(uint8_t *p, size_t len)
{
    uint32_t x = 12345;
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525 + 1013904223;
        p[i] = i % 3 == 0 ? (uint8_t)(x >> 24) : (uint8_t)("certificate"[i % 11]);
    }
}

static struct cl_buf packed(const struct cl_compression *alg, const uint8_t *p, size_t len)
{
    struct cl_buf out = {0};
    assert_int_equal(alg->compress(cl_rd_of(p, len), &out, ROOM), CL_OK);
    assert_true(out.len != 0);
    return out;
}

static void test_what_is_compressed_comes_back(void **state)
{
    static const size_t sizes[] = {1, 2, 100, 3000, 65536, MAX_LEN};
    uint8_t *plain = malloc(MAX_LEN);
    uint8_t *back = malloc(MAX_LEN);
    fill(plain, MAX_LEN);
    FOR_EACH(alg)
    {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            struct cl_buf out = packed(alg, plain, sizes[i]);
            memset(back, 0xee, MAX_LEN);
            assert_int_equal(alg->expand(cl_buf_view(&out), back, sizes[i]), CL_OK);
            assert_memory_equal(back, plain, sizes[i]);
            assert_true(sizes[i] < 3000 || out.len < sizes[i]);
            cl_buf_deinit(&out);
        }
    }
    free(plain);
    free(back);
}

static void test_it_is_appended(void **state)
{
    FOR_EACH(alg)
    {
        struct cl_buf out = {0};
        uint8_t back[5];
        assert_int_equal(cl_buf_append(&out, "head", 4, ROOM), CL_OK);
        assert_int_equal(alg->compress(cl_rd_str("hello"), &out, ROOM), CL_OK);
        assert_memory_equal(out.p, "head", 4);
        struct cl_rd r = cl_buf_view(&out);
        assert_true(cl_rd_skip(&r, 4));
        assert_int_equal(alg->expand(r, back, 5), CL_OK);
        assert_memory_equal(back, "hello", 5);
        cl_buf_deinit(&out);
    }
}

static void test_another_length_than_announced_is_refused(void **state)
{
    uint8_t plain[3000];
    uint8_t back[3100];
    fill(plain, sizeof(plain));
    FOR_EACH(alg)
    {
        struct cl_buf out = packed(alg, plain, sizeof(plain));
        for (size_t len = 1; len < sizeof(back); len += len < 2900 ? 97 : 1) {
            memset(back, 0xee, sizeof(back));
            cl_result r = alg->expand(cl_buf_view(&out), back, len);
            assert_int_equal(r, len == sizeof(plain) ? CL_OK : CLEAT_ERR_DECODE);
            /* nothing behind what was announced is touched */
            for (size_t i = len; i < sizeof(back); i++) {
                assert_int_equal(back[i], 0xee);
            }
        }
        cl_buf_deinit(&out);
    }
}

static void test_every_truncation_and_every_tail_is_refused(void **state)
{
    uint8_t plain[3000];
    uint8_t back[3000];
    fill(plain, sizeof(plain));
    FOR_EACH(alg)
    {
        struct cl_buf out = packed(alg, plain, sizeof(plain));
        for (size_t len = 0; len < out.len; len++) {
            assert_int_equal(alg->expand(cl_rd_of(out.p, len), back, sizeof(back)),
                             CLEAT_ERR_DECODE);
        }
        assert_int_equal(cl_buf_append(&out, "", 1, ROOM), CL_OK);
        assert_int_equal(alg->expand(cl_buf_view(&out), back, sizeof(back)), CLEAT_ERR_DECODE);
        cl_buf_deinit(&out);
    }
}

static void test_two_streams_in_a_row_are_refused(void **state)
{
    uint8_t back[10];
    FOR_EACH(alg)
    {
        struct cl_buf out = {0};
        assert_int_equal(alg->compress(cl_rd_str("hello"), &out, ROOM), CL_OK);
        assert_int_equal(alg->compress(cl_rd_str("hello"), &out, ROOM), CL_OK);
        assert_int_equal(alg->expand(cl_buf_view(&out), back, 10), CLEAT_ERR_DECODE);
        assert_int_equal(alg->expand(cl_buf_view(&out), back, 5), CLEAT_ERR_DECODE);
        cl_buf_deinit(&out);
    }
}

/* ---- bombs ---- */

static bool count(void *ctx, size_t size)
{
    *(size_t *)ctx += size;
    return true;
}

/* The whole memory that an expansion asks for, whatever becomes of it. */
static size_t cost(const struct cl_compression *alg, struct cl_rd in, size_t len)
{
    size_t sum = 0;
    uint8_t *back = malloc(len);
    cl_mem_test_hook(count, &sum);
    assert_int_equal(alg->expand(in, back, len), CLEAT_ERR_DECODE);
    cl_mem_test_hook(NULL, NULL);
    free(back);
    return sum;
}

static void test_a_bomb_expands_to_no_more_than_was_announced(void **state)
{
    size_t len = (size_t)16 << 20;
    uint8_t *zeros = calloc(1, len);
    FOR_EACH(alg)
    {
        struct cl_buf out = {0};
        assert_int_equal(alg->compress(cl_rd_of(zeros, len), &out, 2 * len), CL_OK);
        assert_true(out.len < len / 100);
        assert_true(cost(alg, cl_buf_view(&out), 1000) <= 2U << 20);
        assert_true(cost(alg, cl_buf_view(&out), MAX_LEN) <= 2U << 20);
        cl_buf_deinit(&out);
    }
    free(zeros);
}

static void test_damage_is_refused_or_harmless(void **state)
{
    uint8_t plain[500];
    uint8_t back[500];
    fill(plain, sizeof(plain));
    FOR_EACH(alg)
    {
        struct cl_buf out = packed(alg, plain, sizeof(plain));
        for (size_t i = 0; i < out.len; i++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                out.p[i] ^= (uint8_t)(1U << bit);
                cl_result r = alg->expand(cl_buf_view(&out), back, sizeof(back));
                assert_true(r == CL_OK || r == CLEAT_ERR_DECODE);
                out.p[i] ^= (uint8_t)(1U << bit);
            }
        }
        cl_buf_deinit(&out);
    }
}

static void test_names_find_their_algorithm(void **state)
{
    assert_null(cl_compression_by_name("deflate", 7));
    assert_null(cl_compression_by_name("", 0));
    assert_int_equal(cl_compression_by_name("zlib", 4)->id, 1);
    FOR_EACH(alg)
    {
        assert_ptr_equal(cl_compression_by_name(alg->name, strlen(alg->name)), alg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_compressed_comes_back),
        cmocka_unit_test(test_it_is_appended),
        cmocka_unit_test(test_another_length_than_announced_is_refused),
        cmocka_unit_test(test_every_truncation_and_every_tail_is_refused),
        cmocka_unit_test(test_two_streams_in_a_row_are_refused),
        cmocka_unit_test(test_a_bomb_expands_to_no_more_than_was_announced),
        cmocka_unit_test(test_damage_is_refused_or_harmless),
        cmocka_unit_test(test_names_find_their_algorithm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
