/* The recordings of `cleat ws`: what is read from a file, what is refused, how answers are
 * compared.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/ws_replay.h"

/* Loads text as a recording. */
static cl_result load(struct ws_replay *r, const char *text, struct cleat_error *err)
{
    char path[] = "/tmp/cleat-test-replay-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
    *err = (struct cleat_error){0};
    cl_result rc = ws_replay_load(r, path, err);
    (void)unlink(path);
    return rc;
}

#define OPEN "{\"schema\":1,\"t\":0,\"event\":\"open\",\"url\":\"ws://a/\"}\n"
#define SENT \
    "{\"schema\":1,\"t\":1.5,\"event\":\"message\",\"direction\":\"sent\",\"type\":\"text\","
#define CAME    "{\"schema\":1,\"t\":20,\"event\":\"message\",\"direction\":\"received\",\"type\":"
#define A_STORY OPEN SENT "\"text\":\"a\\u0000b\"}\n" CAME "\"binary\",\"base64\":\"AP8=\"}\n"

static void test_a_recording_gives_messages_and_times_in_order(void **state)
{
    struct ws_replay r;
    struct cleat_error err;
    assert_int_equal(load(&r, A_STORY "{\"schema\":1,\"t\":30,\"event\":\"close\"}\n", &err),
                     CL_OK);
    const struct ws_recorded *item = ws_replay_to_send(&r);
    assert_non_null(item);
    assert_int_equal(item->at_us, 1500);
    assert_false(item->binary);
    assert_int_equal(item->len, 3);
    assert_memory_equal(item->p, "a\0b", 3);
    ws_replay_sent(&r);
    assert_null(ws_replay_to_send(&r));
    assert_int_equal(ws_replay_missing(&r), 1);
    assert_int_equal(r.end_us, 30000);
    ws_replay_deinit(&r);
}

static void test_answers_are_compared_byte_by_byte(void **state)
{
    static const struct {
        const char *name, *bytes, *word;
        size_t len;
        bool binary, same;
    } rows[] = {
        {"the same", "\x00\xff", "", 2, true, true},
        {"text", "\x00\xff", "is text, the recording's is binary", 2, false, false},
        {"another byte", "\x00\xfe", "differs from byte 1 on", 2, true, false},
        {"shorter", "\x00", "(1 bytes; 2 in the recording)", 1, true, false},
        {"longer", "\x00\xff\x00", "differs from byte 2 on", 3, true, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ws_replay r;
        struct cleat_error err;
        char why[WS_REPLAY_WHY] = "";
        print_message("%s\n", rows[i].name);
        assert_int_equal(load(&r, A_STORY, &err), CL_OK);
        assert_int_equal(
            ws_replay_compare(&r, rows[i].binary, (const uint8_t *)rows[i].bytes, rows[i].len, why),
            rows[i].same);
        assert_non_null(strstr(why, rows[i].word));
        assert_int_equal(ws_replay_missing(&r), 0);
        assert_false(ws_replay_compare(&r, true, (const uint8_t *)"", 0, why));
        assert_non_null(strstr(why, "that the recording has not"));
        ws_replay_deinit(&r);
    }
}

static void test_what_is_no_recording_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text, *word;
    } rows[] = {
        {OPEN "not JSON\n", "line 2: "},
        {OPEN OPEN "[]\n", "line 3: \"schema\" is not 1"},
        {"{\"schema\":2,\"t\":0,\"event\":\"open\"}\n", "line 1: \"schema\" is not 1"},
        {"{\"schema\":1,\"event\":\"open\",\"t\":-1}\n", "\"event\" or \"t\""},
        {"{\"schema\":1,\"event\":\"open\",\"t\":1e300}\n", "\"event\" or \"t\""},
        {"{\"schema\":1,\"t\":0}\n", "\"event\" or \"t\""},
        {SENT "\"bytes\":1}\n", "neither \"text\" nor \"base64\""},
        {SENT "\"base64\":\"A\"}\n", "not base64"},
        {"{\"schema\":1,\"t\":0,\"event\":\"message\",\"text\":\"a\"}\n", "no \"direction\""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ws_replay r;
        struct cleat_error err;
        print_message("%s", rows[i].text);
        assert_int_equal(load(&r, rows[i].text, &err), CLEAT_ERR_BAD_CONFIG);
        assert_non_null(strstr(err.text, rows[i].word));
        ws_replay_deinit(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_recording_gives_messages_and_times_in_order),
        cmocka_unit_test(test_answers_are_compared_byte_by_byte),
        cmocka_unit_test(test_what_is_no_recording_is_refused_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
