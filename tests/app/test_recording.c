/* Recordings: what of a file is read, what is refused, and that a replay finds every change. */
#include "record/recording.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "cli/read_file.h"
#include "record/json.h"
#include "record/names.h"
#include "record/replay.h"

static const struct cl_replay_watch nobody;

static struct cl_buf read_recording(const char *name)
{
    struct cl_buf text = {0};
    const char *why = "";
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/tests/replay/%s.rec", CLEAT_SOURCE_DIR, name);
    if (!cl_read_file(path, &text, CL_REC_MAX_FILE, &why)) {
        fail_msg("%s: %s", path, why);
    }
    return text;
}

static void load(const char *name, struct cl_recording *rec)
{
    struct cl_buf text = read_recording(name);
    struct cleat_error err = {0};
    if (cl_recording_parse(rec, (const char *)text.p, text.len, &err) != CL_OK) {
        fail_msg("%s: %s", name, err.text);
    }
    cl_buf_deinit(&text);
}

/* The first line that has this member. */
static json_t *line_with(const struct cl_recording *rec, const char *key)
{
    for (size_t i = 0; i < rec->num; i++) {
        if (json_object_get(rec->lines[i], key) != NULL) {
            return rec->lines[i];
        }
    }
    fail_msg("no line has \"%s\"", key);
    return NULL;
}

static void set_member(json_t *line, const char *key, const char *json)
{
    json_t *value = json_loads(json, JSON_DECODE_ANY, NULL);
    assert_non_null(value);
    assert_int_equal(json_object_set_new(line, key, value), 0);
}

static struct cl_replay_result run_well(const struct cl_recording *rec)
{
    struct cl_replay_result found;
    struct cleat_error err = {0};
    if (cl_replay_run(rec, &nobody, &found, &err) != CL_OK) {
        fail_msg("%s", err.text);
    }
    return found;
}

/* ---- the file ---- */

static const char head[] = "{\"cleat-recording\":1,\"role\":\"client\",\"secrets\":false}\n";

static void test_what_is_no_recording_is_refused_with_its_line(void **state)
{
    static const struct {
        const char *text, *why;
        bool after_head;
    } rows[] = {
        {"", "this is no recording", false},
        {"hello\n", "line 1: ", false},
        {"[1]\n", "line 1: not a JSON object", false},
        {"{\"cleat-recording\":\"1\"}\n", "this is no recording", false},
        {"{\"cleat-recording\":-1}\n", "this is no recording", false},
        {"{\"cleat-recording\":2,\"role\":\"client\"}\n", "format 2; this version reads", false},
        {"{\"cleat-recording\":1,\"role\":\"server\"}\n", "\"role\" is not", false},
        {"{\"cleat-recording\":1,\"role\":\"client\",\"secrets\":1}\n", "\"secrets\" not", false},
        {"{\"a\":1,\"a\":2}\n", "duplicate", false},
        {"", "line 2: there is no \"config\"", true},
        {"{\"config\":[]}\n{\"open\":\"a\"}\n", "line 2: there is no \"config\"", true},
        {"{\"config\":{}}\n", "line 3: there is no \"open\"", true},
        {"{\"config\":{}}\n{\"open\":7}\n", "line 3: there is no \"open\"", true},
        {"{\"end\":\"closed\"}\n{}\n", "line 3: something follows the end", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_recording rec;
        struct cleat_error err = {0};
        char text[512];
        (void)snprintf(text, sizeof(text), "%s%s", rows[i].after_head ? head : "", rows[i].text);
        assert_int_not_equal(cl_recording_parse(&rec, text, strlen(text), &err), CL_OK);
        if (strstr(err.text, rows[i].why) == NULL) {
            fail_msg("row %zu: %s", i, err.text);
        }
        cl_recording_deinit(&rec);
    }
}

static void test_every_truncation_is_read_or_refused_in_bounds(void **state)
{
    struct cl_buf text = read_recording("no-shared-group");
    for (size_t len = 0; len < text.len; len += 7) {
        char *copy = cl_memdup(text.p, len != 0 ? len : 1); /* its own end, for sanitizers */
        struct cl_recording rec;
        struct cl_replay_result found;
        struct cleat_error err = {0};
        if (cl_recording_parse(&rec, copy, len, &err) == CL_OK) {
            assert_null(rec.end);
            (void)!cl_replay_run(&rec, &nobody, &found, &err);
        }
        cl_recording_deinit(&rec);
        cl_free(copy);
    }
    cl_buf_deinit(&text);
}

static void test_a_changed_digit_breaks_the_digest(void **state)
{
    struct cl_buf text = read_recording("13-ecdsa");
    struct cl_recording rec;
    struct cleat_error err = {0};
    char *at = memmem(text.p, text.len, "\"in\":\"", 6);
    assert_non_null(at);
    at[6 + 2 * 200] = at[6 + 2 * 200] == '0' ? '1' : '0';
    assert_int_equal(cl_recording_parse(&rec, (const char *)text.p, text.len, &err), CL_OK);
    assert_non_null(rec.end);
    assert_false(rec.intact);
    cl_recording_deinit(&rec);
    cl_buf_deinit(&text);
}

/* ---- the configuration ---- */

static void test_a_configuration_that_cannot_be_is_refused(void **state)
{
    static const struct {
        const char *key, *json, *why;
    } rows[] = {
        {"groups", "[]", "\"groups\" is not valid"},
        {"groups", "[65000]", "it uses the group 0xfde8"},
        {"cipher_suites", "[1,2,\"x\"]", "\"cipher_suites\" is not valid"},
        {"cipher_suites", "7", "\"cipher_suites\" is not valid"},
        {"signature_schemes", "[70000]", "\"signature_schemes\" is not valid"},
        {"version_max", "769", "\"version_max\" is not valid"},
        {"version_min", "-1", "\"version_min\" is not valid"},
        {"record_size_limit", "63", "\"record_size_limit\" is not valid"},
        {"psk_modes", "0", "is not valid"},
        {"alpn", "[\"00\"]", "\"alpn\" is not valid"},
        {"alpn", "[\"\"]", "\"alpn\" is not valid"},
        {"raw_pins", "\"0011\"", "\"raw_pins\" is not valid"},
        {"credentials", "[{\"chain\":[],\"public_key\":\"00\"}]", "\"credentials\" is not valid"},
        {"credentials", "[{\"chain\":[\"30\"]}]", "\"credentials\" is not valid"},
        {"psks", "[{\"identity\":\"00\",\"key_len\":8}]", "\"psks\" is not valid"},
        {"psks", "[{\"key_len\":32}]", "\"psks\" is not valid"},
        {"peer_types", "[9]", "\"peer_types\" is not valid"},
        {"anchors", "[\"30\"]", "\"anchors\" is not valid"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_recording rec;
        struct cl_replay_result found;
        struct cleat_error err = {0};
        load("13-ecdsa", &rec);
        set_member((json_t *)rec.config, rows[i].key, rows[i].json);
        assert_int_not_equal(cl_replay_run(&rec, &nobody, &found, &err), CL_OK);
        if (strstr(err.text, rows[i].why) == NULL) {
            fail_msg("row %zu: %s", i, err.text);
        }
        cl_recording_deinit(&rec);
    }
}

/* ---- the replay ---- */

static void test_a_replay_finds_what_is_different(void **state)
{
    static const struct {
        const char *name, *key, *json, *why;
    } rows[] = {
        {"13-ecdsa", "random", "\"00\"", "more random bytes are drawn than the 1"},
        {"13-ecdsa", "step", "\"READY\"", "the step returns NEEDS_JOB; recorded: READY"},
        {"13-ecdsa", "job", "\"sign\"", "recorded: the job sign; now it is keygen"},
        {"13-ecdsa", "out", "\"16030100\"",
         "byte 3 of what is written, in record 1, of type handshake, is"},
        {"13-ecdsa", "events", "[]", "another event: now sent ClientHello"},
        {"13-ecdsa", "values", "[]", "a client handshake traffic secret of 32 bytes is needed"},
        {"13-ecdsa", "used", "1", "bytes of input; recorded: 1"},
        {"13-ecdsa", "written", "0", "98 bytes are taken for sending; recorded: 0"},
        {"13-ecdsa", "opened", "[]", "whose content is not recorded"},
        {"12-ecdsa", "values", "[]", "a client verify_data of 12 bytes is needed"},
        {"13-resumed", "values", "[]", "a psk binder of "},
        {"13-secrets", "data_sha256", "\"00\"", "other application data"},
        {"13-secrets", "data", "3", "bytes is handed out; recorded: 3"},
        {"insecure", "decide", "\"identity\"", "a decision about identity; now it is about peer"},
        {"expired", "error", "{\"code\":\"CERT_REVOKED\",\"text\":\"x\"}",
         "now CERT_EXPIRED, alert 45"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_recording rec;
        load(rows[i].name, &rec);
        set_member(line_with(&rec, rows[i].key), rows[i].key, rows[i].json);
        const struct cl_replay_result found = run_well(&rec);
        if (!found.different || strstr(found.text, rows[i].why) == NULL) {
            fail_msg("row %zu (%s): %s", i, rows[i].key, found.text);
        }
        cl_recording_deinit(&rec);
    }
}

static void test_lines_that_cannot_be_run_are_refused(void **state)
{
    static const struct {
        const char *key, *json, *why;
    } rows[] = {
        {"room", "0", "\"room\" is missing or not valid"},
        {"room", "100000000", "\"room\" is missing or not valid"},
        {"in", "\"0g\"", "\"in\" is missing or not valid"},
        {"random", "7", "\"random\" is missing or not valid"},
        {"step", "\"DANCE\"", "\"step\" is missing or not valid"},
        {"job", "\"decrypt\"", "\"job\" is missing or not valid"},
        {"share", "\"zz\"", "\"share\" is missing or not valid"},
        {"write", "-4", "\"write\" is missing or not valid"},
        {"opaque", "[[0,1000000]]", "\"opaque\" is missing or not valid"},
        {"early_data", "true", "\"early_data\" is missing or not valid"},
        {"ech", "\"0102\"", "\"ech\" is missing or not valid"},
        {"session", "\"0102\"", "\"session\" is missing or not valid"},
        {"open", "\"no name\"", "\"open\" is missing or not valid"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_recording rec;
        struct cl_replay_result found;
        struct cleat_error err = {0};
        load("13-ecdsa", &rec);
        const bool opening = i >= 10;
        json_t *line = opening ? (json_t *)rec.open : line_with(&rec, rows[i].key);
        set_member(line, rows[i].key, rows[i].json);
        if (cl_replay_run(&rec, &nobody, &found, &err) == CL_OK ||
            strstr(err.text, rows[i].why) == NULL) {
            fail_msg("row %zu (%s): %s", i, rows[i].key, err.text);
        }
        cl_recording_deinit(&rec);
    }
}

static void test_a_failure_in_other_words_is_a_remark(void **state)
{
    struct cl_recording rec;
    load("expired", &rec);
    json_t *error = json_object_get(line_with(&rec, "error"), "error");
    (void)json_object_set_new(error, "text", json_string("it is too old"));
    const struct cl_replay_result found = run_well(&rec);
    assert_false(found.different);
    assert_non_null(strstr(found.remark, "it is too old"));
    assert_int_equal(found.error.code, CLEAT_ERR_CERT_EXPIRED);
    cl_recording_deinit(&rec);
}

/* What a recording without secrets may not have, wherever it is. */
static void expect_no_secret(const json_t *o, const char *name)
{
    const char *key;
    json_t *value;
    size_t i;
    assert_null(json_object_get(o, "secret"));
    assert_null(json_object_get(o, "key"));
    json_object_foreach((json_t *)o, key, value)
    {
        expect_no_secret(value, name);
    }
    json_array_foreach(o, i, value)
    {
        expect_no_secret(value, name);
    }
    const char *what = json_string_value(json_object_get(o, "what"));
    if (what != NULL && cl_rec_index(cl_rec_values, CL_REC_NUM_VALUES, what) == CL_REC_NUM_VALUES) {
        fail_msg("%s: %s", name, what);
    }
}

static void test_without_secrets_there_is_no_member_for_one(void **state)
{
    static const char *const names[] = {"13-ecdsa", "13-resumed", "13-psk",    "13-early-data",
                                        "12-ecdsa", "12-resumed", "12-legacy", "ech-accepted"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct cl_recording rec;
        load(names[i], &rec);
        assert_false(rec.secrets);
        for (size_t k = 0; k < rec.num; k++) {
            expect_no_secret(rec.lines[k], names[i]);
            assert_null(json_object_get(rec.lines[k], "bytes"));
        }
        cl_recording_deinit(&rec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_no_recording_is_refused_with_its_line),
        cmocka_unit_test(test_every_truncation_is_read_or_refused_in_bounds),
        cmocka_unit_test(test_a_changed_digit_breaks_the_digest),
        cmocka_unit_test(test_a_configuration_that_cannot_be_is_refused),
        cmocka_unit_test(test_a_replay_finds_what_is_different),
        cmocka_unit_test(test_lines_that_cannot_be_run_are_refused),
        cmocka_unit_test(test_a_failure_in_other_words_is_a_remark),
        cmocka_unit_test(test_without_secrets_there_is_no_member_for_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
