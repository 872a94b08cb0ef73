/* tests/coding/test_memory.c - every allocation fails once: nothing leaks, and it is told; limits
 * of memory hold, and what coders say they take is what they take. */
#include <stdio.h>

#include "allocations.h"
#include "support_coding.h"

static const enum cleat_coding all[] = {CLEAT_CODING_GZIP, CLEAT_CODING_DEFLATE, CLEAT_CODING_BR,
                                        CLEAT_CODING_ZSTD};
#define NUM_ALL (sizeof(all) / sizeof(all[0]))

static int run_encoder(enum cleat_coding coding, struct cl_rd in)
{
    struct cleat_encoder *e = NULL;
    int code = cleat_encoder_new(coding, NULL, &e);
    if (code != CLEAT_OK) {
        return code;
    }
    do {
        struct cleat_http_view v;
        size_t used;
        code = cleat_encoder_feed(e, in.p, in.len, CLEAT_ENCODE_END, &used, &v);
        assert_true(code < 0 || cl_rd_skip(&in, used));
    } while (code == CLEAT_HTTP_DATA);
    if (code < 0) {
        struct cleat_http_view v;
        size_t used;
        assert_int_equal(cleat_encoder_feed(e, in.p, in.len, CLEAT_ENCODE_END, &used, &v),
                         CLEAT_ERR_USAGE);
    }
    cleat_encoder_free(e);
    return code < 0 ? code : CLEAT_OK;
}

static void test_encoders_survive_every_failed_allocation(void **state)
{
    struct cl_buf plain = {0};
    (void)state;
    content(&plain, 30000);
    for (size_t i = 0; i < NUM_ALL; i++) {
        struct allocations allocations;
        allocations_watch(&allocations, 0);
        assert_int_equal(run_encoder(all[i], cl_buf_view(&plain)), CLEAT_OK);
        const size_t total = allocations.num;
        for (size_t n = 1; n <= total; n++) {
            allocations_watch(&allocations, n);
            assert_int_equal(run_encoder(all[i], cl_buf_view(&plain)), CLEAT_ERR_NOMEM);
        }
        allocations_leave();
        /* libzstd's memory is its own */
        assert_true(total >= (all[i] == CLEAT_CODING_ZSTD ? 1 : 4));
    }
    cl_buf_deinit(&plain);
}

static void test_decoders_survive_every_failed_allocation(void **state)
{
    struct cl_buf plain = {0};
    (void)state;
    content(&plain, 5000);
    for (size_t i = 0; i < NUM_ALL; i++) {
        const struct cleat_codings codings = one(all[i]);
        struct cl_buf coded = {0};
        struct cl_buf out = {0};
        encode(all[i], 0, CLEAT_ENCODE, cl_buf_view(&plain), SIZE_MAX, &coded);
        struct allocations allocations;
        allocations_watch(&allocations, 0);
        assert_int_equal(decode(&codings, NULL, cl_buf_view(&coded), 100, &out, NULL), CLEAT_OK);
        cl_buf_deinit(&out);
        const size_t total = allocations.num;
        for (size_t n = 1; n <= total; n++) {
            allocations_watch(&allocations, n);
            assert_int_equal(decode(&codings, NULL, cl_buf_view(&coded), 100, &out, NULL),
                             CLEAT_ERR_NOMEM);
            cl_buf_deinit(&out);
        }
        allocations_leave();
        assert_true(total >= 2);
        cl_buf_deinit(&coded);
    }
    cl_buf_deinit(&plain);
}

/* Decodes until the end or the first failure; *most: what the decoder took at most. */
static int run_decoder(enum cleat_coding coding, const struct cleat_decoder_options *o,
                       struct cl_rd in, size_t *most)
{
    const struct cleat_codings codings = one(coding);
    struct cleat_decoder *d = NULL;
    struct cleat_http_view v;
    size_t used;
    int code;
    *most = 0;
    assert_int_equal(cleat_decoder_new(&codings, o, &d), CLEAT_OK);
    assert_true(cleat_decoder_memory(d) < 1024);
    while ((code = cleat_decoder_feed(d, in.p, in.len, &used, &v, NULL)) == CLEAT_HTTP_DATA) {
        size_t now = cleat_decoder_memory(d);
        *most = now > *most ? now : *most;
        assert_true(cl_rd_skip(&in, used));
    }
    cleat_decoder_free(d);
    return code;
}

static void test_decoders_stay_within_their_memory(void **state)
{
    /* what a body of 3 MiB takes: the documented least, and a limit that is too little */
    static const struct {
        enum cleat_coding coding;
        size_t at_most, too_little;
    } rows[] = {
        {CLEAT_CODING_GZIP, 64 << 10, 30000},
        {CLEAT_CODING_DEFLATE, 64 << 10, 30000},
        {CLEAT_CODING_BR, 17 << 20, 1 << 20},
        {CLEAT_CODING_ZSTD, 9 << 20, 200000},
    };
    struct cl_buf plain = {0};
    (void)state;
    content(&plain, 3 << 20);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cleat_decoder_options o;
        struct cl_buf coded = {0};
        size_t most;
        cleat_decoder_options_init(&o);
        encode(rows[i].coding, 0, CLEAT_ENCODE, cl_buf_view(&plain), SIZE_MAX, &coded);
        assert_int_equal(run_decoder(rows[i].coding, &o, cl_buf_view(&coded), &most),
                         CLEAT_HTTP_MORE);
        if (most > rows[i].at_most || most < 20000) {
            fail_msg("%s takes %zu", cleat_coding_name(rows[i].coding), most);
        }
        o.max_memory = rows[i].too_little;
        int code = run_decoder(rows[i].coding, &o, cl_buf_view(&coded), &most);
        if (code != CLEAT_ERR_HTTP_TOO_LARGE && code != CLEAT_ERR_CODING) {
            fail_msg("%s within %zu: %d", cleat_coding_name(rows[i].coding), o.max_memory, code);
        }
        cl_buf_deinit(&coded);
    }
    cl_buf_deinit(&plain);
}

static void test_encoders_take_what_is_documented(void **state)
{
    static const size_t at_most[] = {300 << 10, 300 << 10, 8 << 20, 4 << 20};
    struct cl_buf plain = {0};
    (void)state;
    content(&plain, 3 << 20);
    for (size_t i = 0; i < NUM_ALL; i++) {
        struct cleat_encoder *e = NULL;
        size_t most = 0;
        struct cl_rd in = cl_buf_view(&plain);
        struct cleat_http_view v;
        size_t used;
        assert_int_equal(cleat_encoder_new(all[i], NULL, &e), CLEAT_OK);
        while (cleat_encoder_feed(e, in.p, in.len, CLEAT_ENCODE_END, &used, &v) ==
               CLEAT_HTTP_DATA) {
            size_t now = cleat_encoder_memory(e);
            most = now > most ? now : most;
            assert_true(cl_rd_skip(&in, used));
        }
        cleat_encoder_free(e);
        if (most > at_most[i] || most < at_most[i] / 4) {
            fail_msg("%s takes %zu", cleat_coding_name(all[i]), most);
        }
    }
    cl_buf_deinit(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_encoders_survive_every_failed_allocation),
        cmocka_unit_test(test_decoders_survive_every_failed_allocation),
        cmocka_unit_test(test_decoders_stay_within_their_memory),
        cmocka_unit_test(test_encoders_take_what_is_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
