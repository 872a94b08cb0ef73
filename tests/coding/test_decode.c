/* tests/coding/test_decode.c - what the encoders and the libraries make is decoded, however it is
 * split; what is broken, cut off, or grows beyond all measure is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "support_coding.h"

static const enum cleat_coding all[] = {CLEAT_CODING_GZIP, CLEAT_CODING_DEFLATE, CLEAT_CODING_BR,
                                        CLEAT_CODING_ZSTD};
#define NUM_ALL (sizeof(all) / sizeof(all[0]))

static void expect(const struct cleat_codings *codings, struct cl_rd coded, size_t step,
                   struct cl_rd plain)
{
    struct cl_buf out = {0};
    struct cleat_error err = {0};
    int code = decode(codings, NULL, coded, step, &out, &err);
    if (code != CLEAT_OK || !cl_rd_equal(cl_buf_view(&out), plain)) {
        fail_msg("%s by %zu: %d %s, %zu bytes of %zu", cleat_coding_name(codings->list[0]), step,
                 code, err.text, out.len, plain.len);
    }
    cl_buf_deinit(&out);
}

static void expect_code(const struct cleat_codings *codings, const struct cleat_decoder_options *o,
                        struct cl_rd coded, size_t step, int expected, const char *what)
{
    struct cl_buf out = {0};
    struct cleat_error err = {0};
    int code = decode(codings, o, coded, step, &out, &err);
    if (code != expected || (code != CLEAT_OK && err.code != code)) {
        fail_msg("%s, %s by %zu: %d %s", what, cleat_coding_name(codings->list[0]), step, code,
                 err.text);
    }
    cl_buf_deinit(&out);
}

static void test_every_size_comes_back(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 1000, 16384, 16385, 300000};
    (void)state;
    for (size_t i = 0; i < NUM_ALL; i++) {
        const struct cleat_codings codings = one(all[i]);
        for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
            struct cl_buf plain = {0};
            struct cl_buf coded = {0};
            content(&plain, sizes[k]);
            encode(all[i], 0, CLEAT_ENCODE, cl_buf_view(&plain), 10000, &coded);
            expect(&codings, cl_buf_view(&coded), coded.len + 1, cl_buf_view(&plain));
            expect(&codings, cl_buf_view(&coded), 1000, cl_buf_view(&plain));
            cl_buf_deinit(&plain);
            cl_buf_deinit(&coded);
        }
    }
}

static void test_every_level_comes_back(void **state)
{
    static const int most[] = {9, 9, 11, 19};
    struct cl_buf plain = {0};
    (void)state;
    content(&plain, 20000);
    for (size_t i = 0; i < NUM_ALL; i++) {
        const struct cleat_codings codings = one(all[i]);
        for (int level = 1; level <= most[i]; level++) {
            struct cl_buf coded = {0};
            encode(all[i], level, CLEAT_ENCODE, cl_buf_view(&plain), SIZE_MAX, &coded);
            assert_true(coded.len < plain.len);
            expect(&codings, cl_buf_view(&coded), SIZE_MAX, cl_buf_view(&plain));
            cl_buf_deinit(&coded);
        }
    }
    cl_buf_deinit(&plain);
}

static void test_bodies_split_anywhere_come_back(void **state)
{
    struct cl_buf plain = {0};
    (void)state;
    content(&plain, 300);
    for (size_t i = 0; i < NUM_ALL; i++) {
        const struct cleat_codings codings = one(all[i]);
        struct cl_buf coded = {0};
        encode(all[i], 0, CLEAT_ENCODE, cl_buf_view(&plain), SIZE_MAX, &coded);
        for (size_t step = 1; step < coded.len; step++) {
            expect(&codings, cl_buf_view(&coded), step, cl_buf_view(&plain));
        }
        cl_buf_deinit(&coded);
    }
    cl_buf_deinit(&plain);
}

static void test_what_is_flushed_can_be_decoded_at_once(void **state)
{
    static const char line[] = "a line that somebody waits for\n";
    (void)state;
    for (size_t i = 0; i < NUM_ALL; i++) {
        const struct cleat_codings codings = one(all[i]);
        struct cleat_encoder *e = NULL;
        struct cleat_decoder *d = NULL;
        size_t got = 0;
        assert_int_equal(cleat_encoder_new(all[i], NULL, &e), CLEAT_OK);
        assert_int_equal(cleat_decoder_new(&codings, NULL, &d), CLEAT_OK);
        for (size_t n = 1; n <= 20; n++) {
            struct cleat_http_view v, plain;
            size_t used = 0, at = 0;
            while (cleat_encoder_feed(e, line + at, sizeof(line) - 1 - at, CLEAT_ENCODE_FLUSH,
                                      &used, &v) == CLEAT_HTTP_DATA) {
                at += used;
                size_t taken = 0, from = 0;
                while (cleat_decoder_feed(d, v.p + from, v.len - from, &taken, &plain, NULL) ==
                       CLEAT_HTTP_DATA) {
                    from += taken;
                    got += plain.len;
                }
            }
            assert_int_equal(got, n * (sizeof(line) - 1));
            /* nothing new, nothing to flush */
            assert_int_equal(cleat_encoder_feed(e, NULL, 0, CLEAT_ENCODE_FLUSH, &used, &v),
                             CLEAT_HTTP_MORE);
        }
        cleat_encoder_free(e);
        cleat_decoder_free(d);
    }
}

static void test_codings_upon_each_other_are_undone_from_the_last(void **state)
{
    struct cl_buf plain = {0};
    (void)state;
    content(&plain, 50000);
    for (size_t i = 0; i < NUM_ALL; i++) {
        for (size_t k = 0; k < NUM_ALL; k++) {
            const struct cleat_codings codings = {.num = 2,
                                                  .list = {(uint8_t)all[i], (uint8_t)all[k]}};
            struct cl_buf inner = {0};
            struct cl_buf outer = {0};
            encode(all[i], 0, CLEAT_ENCODE, cl_buf_view(&plain), SIZE_MAX, &inner);
            encode(all[k], 0, CLEAT_ENCODE, cl_buf_view(&inner), SIZE_MAX, &outer);
            expect(&codings, cl_buf_view(&outer), 777, cl_buf_view(&plain));
            expect_code(&codings, NULL, cl_rd_of(outer.p, outer.len - 1), 777,
                        CLEAT_ERR_HTTP_TRUNCATED, "cut off");
            cl_buf_deinit(&inner);
            cl_buf_deinit(&outer);
        }
    }
    cl_buf_deinit(&plain);
}

static void test_a_body_that_is_cut_off_is_told(void **state)
{
    struct cl_buf plain = {0};
    (void)state;
    content(&plain, 300);
    for (size_t i = 0; i < NUM_ALL; i++) {
        const struct cleat_codings codings = one(all[i]);
        struct cl_buf coded = {0};
        encode(all[i], 0, CLEAT_ENCODE, cl_buf_view(&plain), SIZE_MAX, &coded);
        for (size_t len = 1; len < coded.len; len++) {
            expect_code(&codings, NULL, cl_rd_of(coded.p, len), SIZE_MAX, CLEAT_ERR_HTTP_TRUNCATED,
                        "cut off");
        }
        expect_code(&codings, NULL, cl_rd_of(coded.p, 0), SIZE_MAX, CLEAT_OK, "nothing at all");
        cl_buf_deinit(&coded);
    }
    cl_buf_deinit(&plain);
}

static void test_bytes_behind_the_end_are_refused(void **state)
{
    struct cl_buf plain = {0};
    (void)state;
    content(&plain, 300);
    for (size_t i = 0; i < NUM_ALL; i++) {
        const struct cleat_codings codings = one(all[i]);
        struct cl_buf coded = {0};
        encode(all[i], 0, CLEAT_ENCODE, cl_buf_view(&plain), SIZE_MAX, &coded);
        assert_int_equal(cl_buf_append(&coded, "garbage", 7, SUPPORT_MAX), CL_OK);
        for (size_t step = 1; step < coded.len; step++) {
            expect_code(&codings, NULL, cl_buf_view(&coded), step, CLEAT_ERR_CODING, "garbage");
        }
        cl_buf_deinit(&coded);
    }
    cl_buf_deinit(&plain);
}

static void test_members_and_frames_follow_one_another(void **state)
{
    static const enum cleat_coding two[] = {CLEAT_CODING_GZIP, CLEAT_CODING_ZSTD};
    static const uint8_t skippable[] = {0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'x', 'y', 'z'};
    struct cl_buf plain = {0};
    (void)state;
    content(&plain, 900);
    for (size_t i = 0; i < 2; i++) {
        const struct cleat_codings codings = one(two[i]);
        struct cl_buf coded = {0};
        for (size_t at = 0; at < 900; at += 300) {
            encode(two[i], 0, CLEAT_ENCODE, cl_rd_of(plain.p + at, 300), SIZE_MAX, &coded);
            encode(two[i], 0, CLEAT_ENCODE, cl_rd_of(plain.p, 0), SIZE_MAX, &coded); /* empty */
            if (two[i] == CLEAT_CODING_ZSTD) {
                assert_int_equal(cl_buf_append(&coded, skippable, sizeof(skippable), SUPPORT_MAX),
                                 CL_OK);
            }
        }
        for (size_t step = 1; step < coded.len; step++) {
            expect(&codings, cl_buf_view(&coded), step, cl_buf_view(&plain));
        }
        cl_buf_deinit(&coded);
    }
    cl_buf_deinit(&plain);
}

static void test_deflate_without_zlibs_header_is_understood(void **state)
{
    const struct cleat_codings codings = one(CLEAT_CODING_DEFLATE);
    struct cl_buf plain = {0};
    uint8_t coded[2000];
    z_stream z = {0};
    (void)state;
    content(&plain, 1000);
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = plain.p;
    z.avail_in = (uInt)plain.len;
    z.next_out = coded;
    z.avail_out = sizeof(coded);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    for (size_t step = 1; step < z.total_out; step++) {
        expect(&codings, cl_rd_of(coded, z.total_out), step, cl_buf_view(&plain));
    }
    assert_int_equal(deflateEnd(&z), Z_OK);
    cl_buf_deinit(&plain);
}

struct broken_row {
    const char *name;
    enum cleat_coding coding;
    size_t len;
    uint8_t bytes[24];
};

static const struct broken_row broken_rows[] = {
    {"text", CLEAT_CODING_GZIP, 6, "<html>"},
    {"zlib in place of gzip", CLEAT_CODING_GZIP, 8, {0x78, 0x9c, 0x03, 0, 0, 0, 0, 1}},
    {"gzip with a wrong method", CLEAT_CODING_GZIP, 10, {0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 3}},
    {"gzip with a wrong checksum", CLEAT_CODING_GZIP, 20, {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3,
                                                           3,    0,    1, 0, 0, 0, 0, 0, 0, 0}},
    {"gzip with a wrong length", CLEAT_CODING_GZIP, 20, {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3,
                                                         3,    0,    0, 0, 0, 0, 1, 0, 0, 0}},
    {"text", CLEAT_CODING_DEFLATE, 6, "<html>"},
    {"zlib with a wrong checksum", CLEAT_CODING_DEFLATE, 8, {0x78, 0x9c, 3, 0, 0, 0, 0, 2}},
    {"text", CLEAT_CODING_BR, 15, "<!doctype html>"},
    {"a large window (not RFC 7932)", CLEAT_CODING_BR, 4, {0x11, 0x1e, 0, 0}},
    {"text", CLEAT_CODING_ZSTD, 6, "<html>"},
    {"zstd 0.4's format", CLEAT_CODING_ZSTD, 8, {0x24, 0xb5, 0x2f, 0xfd, 0, 0, 0, 0}},
    {"a window of 16 MiB", CLEAT_CODING_ZSTD, 9, {0x28, 0xb5, 0x2f, 0xfd, 0, 0x70, 1, 0, 0}},
    {"a frame of 9 MiB that is its own window",
     CLEAT_CODING_ZSTD,
     12,
     {0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0x90, 0, 1, 0, 0}},
    {"a frame that needs a dictionary",
     CLEAT_CODING_ZSTD,
     10,
     {0x28, 0xb5, 0x2f, 0xfd, 0x21, 7, 0, 1, 0, 0}},
};

static void test_what_is_broken_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(broken_rows) / sizeof(broken_rows[0]); i++) {
        const struct broken_row *row = &broken_rows[i];
        const struct cleat_codings codings = one(row->coding);
        for (size_t step = 1; step <= row->len; step++) {
            expect_code(&codings, NULL, cl_rd_of(row->bytes, row->len), step, CLEAT_ERR_CODING,
                        row->name);
        }
    }
}

static void test_a_window_of_8_mib_is_taken(void **state)
{
    static const uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0, 0x68, 1, 0, 0};
    const struct cleat_codings codings = one(CLEAT_CODING_ZSTD);
    (void)state;
    expect(&codings, cl_rd_of(frame, sizeof(frame)), SIZE_MAX, cl_rd_of(NULL, 0));
}

/* 12 MiB of zeros, in a few bytes. */
static void make_bomb(enum cleat_coding coding, struct cl_buf *out)
{
    const size_t len = 12u << 20;
    uint8_t *zeros = calloc(1, len);
    assert_non_null(zeros);
    encode(coding, 0, CLEAT_ENCODE, cl_rd_of(zeros, len), len, out);
    free(zeros);
}

static void test_bombs_are_stopped_early(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM_ALL; i++) {
        const struct cleat_codings codings = one(all[i]);
        struct cleat_decoder_options o;
        struct cl_buf bomb = {0};
        struct cl_buf out = {0};
        struct cleat_error err = {0};
        make_bomb(all[i], &bomb);
        cleat_decoder_options_init(&o);
        o.max_ratio = 500;
        assert_int_equal(decode(&codings, &o, cl_buf_view(&bomb), SIZE_MAX, &out, &err),
                         CLEAT_ERR_HTTP_TOO_LARGE);
        assert_true(out.len <= 500 * bomb.len || out.len <= 1u << 20);
        assert_non_null(strstr(err.text, "500 times"));
        out.len = 0;
        o.max_ratio = 0;
        o.max_output = 100000;
        err = (struct cleat_error){0};
        assert_int_equal(decode(&codings, &o, cl_buf_view(&bomb), SIZE_MAX, &out, &err),
                         CLEAT_ERR_HTTP_TOO_LARGE);
        assert_true(out.len <= 100000);
        assert_non_null(strstr(err.text, "100000 bytes"));
        out.len = 0;
        o.max_output = UINT64_MAX;
        assert_int_equal(decode(&codings, &o, cl_buf_view(&bomb), SIZE_MAX, &out, NULL), CLEAT_OK);
        assert_int_equal(out.len, 12u << 20);
        cl_buf_deinit(&bomb);
        cl_buf_deinit(&out);
    }
}

/* Deflate's best is 1,032 : 1, which is no bomb yet; two upon each other are. */
static void test_the_default_ratio_takes_all_that_gzip_can_do_once(void **state)
{
    const struct cleat_codings gzip = one(CLEAT_CODING_GZIP);
    const struct cleat_codings twice = {.num = 2, .list = {CLEAT_CODING_GZIP, CLEAT_CODING_GZIP}};
    struct cl_buf once = {0};
    struct cl_buf bomb = {0};
    (void)state;
    make_bomb(CLEAT_CODING_GZIP, &once);
    encode(CLEAT_CODING_GZIP, 9, CLEAT_ENCODE, cl_buf_view(&once), SIZE_MAX, &bomb);
    expect_code(&gzip, NULL, cl_buf_view(&once), SIZE_MAX, CLEAT_OK, "once");
    expect_code(&twice, NULL, cl_buf_view(&bomb), SIZE_MAX, CLEAT_ERR_HTTP_TOO_LARGE, "twice");
    cl_buf_deinit(&once);
    cl_buf_deinit(&bomb);
}

/* What grows in the middle counts, also when little comes out in the end. */
static void test_a_coding_in_the_middle_is_limited_too(void **state)
{
    const struct cleat_codings twice = {.num = 2, .list = {CLEAT_CODING_GZIP, CLEAT_CODING_GZIP}};
    struct cleat_decoder_options o;
    struct cl_buf inner = {0};
    struct cl_buf bomb = {0};
    (void)state;
    for (int i = 0; i < 100000; i++) { /* members with nothing in them */
        static const uint8_t empty[] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3,
                                        3,    0,    0, 0, 0, 0, 0, 0, 0, 0};
        assert_int_equal(cl_buf_append(&inner, empty, sizeof(empty), SUPPORT_MAX), CL_OK);
    }
    encode(CLEAT_CODING_GZIP, 0, CLEAT_ENCODE, cl_buf_view(&inner), SIZE_MAX, &bomb);
    cleat_decoder_options_init(&o);
    expect_code(&twice, &o, cl_buf_view(&bomb), SIZE_MAX, CLEAT_OK, "two megabytes");
    o.max_output = 1u << 20;
    expect_code(&twice, &o, cl_buf_view(&bomb), SIZE_MAX, CLEAT_ERR_HTTP_TOO_LARGE, "above one");
    cl_buf_deinit(&inner);
    cl_buf_deinit(&bomb);
}

static void test_without_codings_bytes_pass(void **state)
{
    const struct cleat_codings none = {0};
    struct cleat_decoder_options o;
    (void)state;
    expect(&none, cl_rd_str("as it is"), 3, cl_rd_str("as it is"));
    cleat_decoder_options_init(&o);
    o.max_output = 4;
    expect_code(&none, &o, cl_rd_str("as it is"), 3, CLEAT_ERR_HTTP_TOO_LARGE, "too long");
}

static void test_wrong_use_is_told(void **state)
{
    struct cleat_decoder *d = NULL;
    struct cleat_encoder *e = NULL;
    struct cleat_codings bad = one(CLEAT_CODING_IDENTITY);
    struct cleat_encoder_options o = {.level = 10};
    struct cleat_http_view v;
    size_t used;
    (void)state;
    assert_int_equal(cleat_decoder_new(&bad, NULL, &d), CLEAT_ERR_USAGE);
    bad.list[0] = 77;
    assert_int_equal(cleat_decoder_new(&bad, NULL, &d), CLEAT_ERR_USAGE);
    bad.num = 6;
    assert_int_equal(cleat_decoder_new(&bad, NULL, &d), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_encoder_new(CLEAT_CODING_IDENTITY, NULL, &e), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_encoder_new(CLEAT_CODING_GZIP, &o, &e), CLEAT_ERR_USAGE);
    o.level = -1;
    assert_int_equal(cleat_encoder_new(CLEAT_CODING_GZIP, &o, &e), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_encoder_new(CLEAT_CODING_GZIP, NULL, &e), CLEAT_OK);
    while (cleat_encoder_feed(e, NULL, 0, CLEAT_ENCODE_END, &used, &v) == CLEAT_HTTP_DATA) {
    }
    assert_int_equal(cleat_encoder_feed(e, NULL, 0, CLEAT_ENCODE_END, &used, &v),
                     CLEAT_HTTP_COMPLETE);
    assert_int_equal(cleat_encoder_feed(e, "x", 1, CLEAT_ENCODE, &used, &v), CLEAT_ERR_USAGE);
    cleat_encoder_free(e);
    cleat_encoder_free(NULL);
    cleat_decoder_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_size_comes_back),
        cmocka_unit_test(test_every_level_comes_back),
        cmocka_unit_test(test_bodies_split_anywhere_come_back),
        cmocka_unit_test(test_what_is_flushed_can_be_decoded_at_once),
        cmocka_unit_test(test_codings_upon_each_other_are_undone_from_the_last),
        cmocka_unit_test(test_a_body_that_is_cut_off_is_told),
        cmocka_unit_test(test_bytes_behind_the_end_are_refused),
        cmocka_unit_test(test_members_and_frames_follow_one_another),
        cmocka_unit_test(test_deflate_without_zlibs_header_is_understood),
        cmocka_unit_test(test_what_is_broken_is_refused),
        cmocka_unit_test(test_a_window_of_8_mib_is_taken),
        cmocka_unit_test(test_bombs_are_stopped_early),
        cmocka_unit_test(test_the_default_ratio_takes_all_that_gzip_can_do_once),
        cmocka_unit_test(test_a_coding_in_the_middle_is_limited_too),
        cmocka_unit_test(test_without_codings_bytes_pass),
        cmocka_unit_test(test_wrong_use_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
