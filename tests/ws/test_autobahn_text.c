/* tests/ws/test_autobahn_text.c - section 6 of the public suite for WebSocket: text, valid and not,
 * in one frame, in fragments, byte by byte; and how early it is found out. The byte sequences are
 * those of Markus Kuhn's UTF-8 stress test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "support_ws.h"

#include <stdio.h>

struct text {
    const char *id;
    bool valid;
    size_t len;
    const char *bytes;
};

#define GOOD(id, text)                   \
    {                                    \
        id, true, sizeof(text) - 1, text \
    }
#define BAD(id, text)                     \
    {                                     \
        id, false, sizeof(text) - 1, text \
    }

/* "kosme" in Greek, with an accent. */
#define KOSME "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5"

static const struct text texts[] = {
    GOOD("6.2: mixed", "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!"),
    GOOD("6.2: kosme", KOSME),
    BAD("6.3: a surrogate behind text", KOSME "\xed\xa0\x80"
                                              "edited"),
    GOOD("6.5.1", "hello$world"),
    GOOD("6.5.2", "hello\xc2\xa2world"),
    GOOD("6.5.3", "hello\xe2\x82\xacworld"),
    GOOD("6.5.4", "hello\xf0\xa4\xad\xa2world"),
    GOOD("6.7.1", "\x00"),
    GOOD("6.7.2", "\xc2\x80"),
    GOOD("6.7.3", "\xe0\xa0\x80"),
    GOOD("6.7.4", "\xf0\x90\x80\x80"),
    BAD("6.8.1", "\xf8\x88\x80\x80\x80"),
    BAD("6.8.2", "\xfc\x84\x80\x80\x80\x80"),
    GOOD("6.9.1", "\x7f"),
    GOOD("6.9.2", "\xdf\xbf"),
    GOOD("6.9.3", "\xef\xbf\xbf"),
    GOOD("6.9.4", "\xf4\x8f\xbf\xbf"),
    BAD("6.10.1", "\xf7\xbf\xbf\xbf"),
    BAD("6.10.2", "\xfb\xbf\xbf\xbf\xbf"),
    BAD("6.10.3", "\xfd\xbf\xbf\xbf\xbf\xbf"),
    GOOD("6.11.1", "\xed\x9f\xbf"),
    GOOD("6.11.2", "\xee\x80\x80"),
    GOOD("6.11.3", "\xef\xbf\xbd"),
    GOOD("6.11.4", "\xf4\x8f\xbf\xbf"),
    BAD("6.11.5", "\xf4\x90\x80\x80"),
    BAD("6.12.1", "\x80"),
    BAD("6.12.2", "\xbf"),
    BAD("6.12.3", "\x80\xbf"),
    BAD("6.12.4", "\x80\xbf\x80"),
    BAD("6.12.5", "\x80\xbf\x80\xbf"),
    BAD("6.12.6", "\x80\xbf\x80\xbf\x80"),
    BAD("6.12.7", "\x80\xbf\x80\xbf\x80\xbf"),
    BAD("6.12.8", "\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\xa0\xb0"),
    BAD("6.13.1", "\xc0 \xc1 \xc2 \xc3 \xdd \xde "),
    BAD("6.13.2", "\xe0 \xe1 \xe2 \xed \xee "),
    BAD("6.13.3", "\xf0 \xf1 \xf2 \xf5 \xf6 "),
    BAD("6.13.4", "\xf8 \xf9 \xfa "),
    BAD("6.13.5", "\xfc "),
    BAD("6.14.1", "\xc0"),
    BAD("6.14.2", "\xe0\x80"),
    BAD("6.14.3", "\xf0\x80\x80"),
    BAD("6.14.4", "\xf8\x80\x80\x80"),
    BAD("6.14.5", "\xfc\x80\x80\x80\x80"),
    BAD("6.14.6", "\xdf"),
    BAD("6.14.7", "\xef\xbf"),
    BAD("6.14.8", "\xf7\xbf\xbf"),
    BAD("6.14.9", "\xfb\xbf\xbf\xbf"),
    BAD("6.14.10", "\xfd\xbf\xbf\xbf\xbf"),
    BAD("6.15.1", "\xc0\xe0\x80\xf0\x80\x80\xf8\x80\x80\x80\xfc\x80\x80\x80\x80\xdf\xef\xbf"),
    BAD("6.16.1", "\xfe"),
    BAD("6.16.2", "\xff"),
    BAD("6.16.3", "\xfe\xfe\xff\xff"),
    BAD("6.17.1", "\xc0\xaf"),
    BAD("6.17.2", "\xe0\x80\xaf"),
    BAD("6.17.3", "\xf0\x80\x80\xaf"),
    BAD("6.17.4", "\xf8\x80\x80\x80\xaf"),
    BAD("6.17.5", "\xfc\x80\x80\x80\x80\xaf"),
    BAD("6.18.1", "\xc1\xbf"),
    BAD("6.18.2", "\xe0\x9f\xbf"),
    BAD("6.18.3", "\xf0\x8f\xbf\xbf"),
    BAD("6.18.4", "\xf8\x87\xbf\xbf\xbf"),
    BAD("6.18.5", "\xfc\x83\xbf\xbf\xbf\xbf"),
    BAD("6.19.1", "\xc0\x80"),
    BAD("6.19.2", "\xe0\x80\x80"),
    BAD("6.19.3", "\xf0\x80\x80\x80"),
    BAD("6.19.4", "\xf8\x80\x80\x80\x80"),
    BAD("6.19.5", "\xfc\x80\x80\x80\x80\x80"),
    BAD("6.20.1", "\xed\xa0\x80"),
    BAD("6.20.2", "\xed\xad\xbf"),
    BAD("6.20.3", "\xed\xae\x80"),
    BAD("6.20.4", "\xed\xaf\xbf"),
    BAD("6.20.5", "\xed\xb0\x80"),
    BAD("6.20.6", "\xed\xbe\x80"),
    BAD("6.20.7", "\xed\xbf\xbf"),
    BAD("6.21.1", "\xed\xa0\x80\xed\xb0\x80"),
    BAD("6.21.2", "\xed\xa0\x80\xed\xbf\xbf"),
    BAD("6.21.3", "\xed\xad\xbf\xed\xb0\x80"),
    BAD("6.21.4", "\xed\xad\xbf\xed\xbf\xbf"),
    BAD("6.21.5", "\xed\xae\x80\xed\xb0\x80"),
    BAD("6.21.6", "\xed\xae\x80\xed\xbf\xbf"),
    BAD("6.21.7", "\xed\xaf\xbf\xed\xb0\x80"),
    BAD("6.21.8", "\xed\xaf\xbf\xed\xbf\xbf"),
    GOOD("6.23.1", "\xef\xbf\xb9"),
    GOOD("6.23.2", "\xef\xbf\xba"),
    GOOD("6.23.3", "\xef\xbf\xbb"),
    GOOD("6.23.4", "\xef\xbf\xbc"),
    GOOD("6.23.5", "\xef\xbf\xbd"),
    GOOD("6.23.6", "\xef\xbf\xbe"),
    GOOD("6.23.7", "\xef\xbf\xbf"),
};

/* Sends a text in fragments of `part` bytes, the stream cut in steps; checks the answer. */
static void run(const struct text *t, bool is_client, size_t part, size_t step)
{
    struct echo e;
    struct cl_buf wire = {0};
    struct cl_buf got = {0};
    struct cl_buf expected = {0};
    size_t at = 0;
    do {
        size_t len = t->len - at < part ? t->len - at : part;
        support_frame(&wire, !is_client, at + len == t->len, 0, at == 0 ? TEXT : CONT,
                      t->bytes + at, len);
        at += len;
    } while (at < t->len);
    support_frame(&wire, !is_client, true, 0, CLOSE, "\x03\xe8", 2);
    support_echo_init(&e, is_client, NULL);
    support_feed_cut(&e, wire.p, wire.len, step);
    support_trace(&e.sent, is_client, &got);
    if (t->valid) {
        support_word(&expected, 'T', t->bytes, t->len);
    }
    support_word(&expected, 'C', t->valid ? "\x03\xe8" : "\x03\xef", 2);
    if (strcmp(support_text(&got), support_text(&expected)) != 0) {
        fail_msg("%s in parts of %zu: got %s, expected %s", t->id, part, (char *)got.p,
                 (char *)expected.p);
    }
    assert_int_equal(e.err.code, t->valid ? CLEAT_OK : CLEAT_ERR_WS_UTF8);
    support_echo_deinit(&e);
    cl_buf_deinit(&wire);
    cl_buf_deinit(&got);
    cl_buf_deinit(&expected);
}

static void run_all(const struct text *t)
{
    static const size_t parts[] = {SIZE_MAX, 1, 2, 3};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        run(t, false, parts[i], SIZE_MAX / 2);
        run(t, true, parts[i], SIZE_MAX / 2);
        run(t, false, parts[i], 1);
        run(t, true, parts[i], 1);
    }
}

static void test_valid_text_is_echoed_and_other_text_is_refused(void **state)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        run_all(&texts[i]);
    }
}

/* 6.6: every beginning of a word: valid where a character ends. */
static void test_beginnings_of_a_word_are_valid_where_a_character_ends(void **state)
{
    static const bool valid[] = {false, true,  false, false, true, false,
                                 true,  false, true,  false, true};
    for (size_t len = 1; len < sizeof(KOSME); len++) {
        const struct text t = {"6.6", valid[len - 1], len, KOSME};
        run_all(&t);
    }
}

/* 6.22: code points that are no characters are valid UTF-8. */
static void test_code_points_that_are_no_characters_are_valid(void **state)
{
    for (uint32_t plane = 0; plane <= 16; plane++) {
        for (uint8_t last = 0xbe; last <= 0xbf; last++) {
            uint32_t c = plane << 16 | (0xff40u + last);
            char bytes[4] = {(char)(0xf0 | c >> 18), (char)(0x80 | (c >> 12 & 0x3f)), '\xbf',
                             (char)last};
            struct text t = {"6.22", true, 4, bytes};
            if (plane == 0) {
                t.len = 3;
                bytes[0] = '\xef';
                bytes[1] = '\xbf';
                bytes[2] = (char)last;
            }
            run_all(&t);
        }
    }
}

/* 6.1: messages and fragments of no bytes. */
static void test_empty_fragments_are_part_of_the_message(void **state)
{
    struct echo e;
    struct cl_buf wire = {0};
    struct cl_buf got = {0};
    support_frame(&wire, true, true, 0, TEXT, "", 0);
    support_frame(&wire, true, false, 0, TEXT, "", 0);
    support_frame(&wire, true, false, 0, CONT, "", 0);
    support_frame(&wire, true, true, 0, CONT, "", 0);
    support_frame(&wire, true, false, 0, TEXT, "", 0);
    support_frame(&wire, true, false, 0, CONT, "middle", 6);
    support_frame(&wire, true, true, 0, CONT, "", 0);
    support_echo_init(&e, false, NULL);
    support_feed_cut(&e, wire.p, wire.len, 5);
    support_trace(&e.sent, false, &got);
    assert_string_equal(support_text(&got), "T() T() T(middle)");
    support_echo_deinit(&e);
    cl_buf_deinit(&wire);
    cl_buf_deinit(&got);
}

/* 6.4.1 to 6.4.4: nothing valid can begin with f4 90, whatever follows; the frame, or the fragment,
 * is not complete when it is found out. */
static void test_text_fails_at_the_first_byte_that_cannot_be_right(void **state)
{
    static const char wrong[] = KOSME "\xf4\x90\x80\x80"
                                      "edited";
    const size_t bad_at = sizeof(KOSME) - 1 + 1;
    for (int in_fragments = 0; in_fragments < 2; in_fragments++) {
        struct echo e;
        struct cl_buf wire = {0};
        support_echo_init(&e, true, NULL);
        if (in_fragments) {
            for (size_t i = 0; i < sizeof(wrong) - 1; i++) {
                support_frame(&wire, false, false, 0, i == 0 ? TEXT : CONT, wrong + i, 1);
            }
        } else {
            support_frame(&wire, false, true, 0, TEXT, wrong, sizeof(wrong) - 1);
        }
        size_t good = in_fragments ? 3 * bad_at + 2 : 2 + bad_at;
        support_feed(&e, wire.p, good);
        assert_int_equal(e.err.code, CLEAT_OK);
        assert_int_equal(e.sent.len, 0);
        support_feed(&e, wire.p + good, 1);
        assert_int_equal(e.err.code, CLEAT_ERR_WS_UTF8);
        assert_non_null(strstr(e.err.text, "byte 0x90 at position 12"));
        assert_string_equal(e.err.section, "RFC 6455 8.1");
        support_echo_deinit(&e);
        cl_buf_deinit(&wire);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_text_is_echoed_and_other_text_is_refused),
        cmocka_unit_test(test_beginnings_of_a_word_are_valid_where_a_character_ends),
        cmocka_unit_test(test_code_points_that_are_no_characters_are_valid),
        cmocka_unit_test(test_empty_fragments_are_part_of_the_message),
        cmocka_unit_test(test_text_fails_at_the_first_byte_that_cannot_be_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
