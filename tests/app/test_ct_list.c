/* tests/app/test_ct_list.c - the list of logs as browsers publish it: what is taken, and what is
 * refused, with the log's place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/text.h"
#include "conn/ct_list.h"
#include "crypto/hash.h"
#include "crypto/key.h"
#include "x509/ct.h"

/* Keys of logs, and what a list says of them. */
#define NUM_KEYS 3
static struct {
    char key[800];
    char id[64];
    uint8_t digest[32];
} made[NUM_KEYS];

static int make_keys(void **state)
{
    static const enum cl_key_type types[NUM_KEYS] = {CL_KEY_EC_P256, CL_KEY_EC_P256,
                                                     CL_KEY_EC_P384};
    for (size_t i = 0; i < NUM_KEYS; i++) {
        struct cleat_key *key = NULL;
        if (cl_key_generate(&key, types[i], 0) != CL_OK) {
            return -1;
        }
        struct cl_rd spki = cl_key_spki(key);
        cl_hash_once(CL_HASH_SHA256, spki.p, spki.len, made[i].digest);
        cl_base64_encode(spki.p, spki.len, made[i].key);
        cl_base64_encode(made[i].digest, 32, made[i].id);
        cleat_key_free(key);
    }
    return 0;
}

/* "$K0" and "$I0" in a text stand for key and ID of the first. */
static struct cl_buf expand(const char *text)
{
    struct cl_buf out = {0};
    for (; *text != '\0'; text++) {
        const char *put = text[0] == '$' && text[1] == 'K'   ? made[text[2] - '0'].key
                          : text[0] == '$' && text[1] == 'I' ? made[text[2] - '0'].id
                                                             : NULL;
        size_t len = put != NULL ? strlen(put) : 1;
        assert_int_equal(cl_buf_append(&out, put != NULL ? put : text, len, 1 << 20), CL_OK);
        text += put != NULL ? 2 : 0;
    }
    return out;
}

static cl_result parse(const char *text, struct cl_ct_list *list, struct cleat_error *err)
{
    struct cl_buf bytes = expand(text);
    *err = (struct cleat_error){0};
    cl_result r = cl_ct_list_read((const char *)bytes.p, bytes.len, list, err);
    cl_buf_deinit(&bytes);
    return r;
}

static const struct cl_ct_log *find(const struct cl_ct_list *list, size_t i)
{
    return cl_ct_find(list->logs, cl_rd_of(made[i].digest, sizeof(made[i].digest)));
}

#define AS_BROWSERS                                                                                \
    "{\"version\":\"67.1\",\"log_list_timestamp\":\"2026-11-01T12:55:18Z\",\"operators\":["        \
    "{\"name\":\"First\",\"email\":[\"a@b.test\"],\"logs\":[{\"description\":\"the 'one' log\","   \
    "\"log_id\":\"$I0\",\"key\":\"$K0\",\"url\":\"https://one.test/\",\"mmd\":86400,\"state\":"    \
    "{\"retired\":{\"timestamp\":\"2026-02-03T04:05:06Z\"}},\"temporal_interval\":"                \
    "{\"start_inclusive\":\"2026-01-01T00:00:00Z\",\"end_exclusive\":\"2026-07-01T00:00:00Z\"}}]," \
    "\"tiled_logs\":[]},{\"name\":\"Second\",\"tiled_logs\":[{\"description\":\"two\","            \
    "\"log_id\":\"$I1\",\"key\":\"$K1\",\"submission_url\":\"https://two.test/\",\"state\":"       \
    "{\"qualified\":{\"timestamp\":\"2026-01-01T00:00:00.5Z\"}}}]}]}"

static void test_a_list_of_version_3_is_taken(void **state)
{
    struct cl_ct_list list;
    struct cleat_error err;
    assert_int_equal(parse(AS_BROWSERS, &list, &err), CL_OK);
    assert_int_equal(list.made, 1793537718);
    assert_int_equal(list.num_passed_over, 0);
    assert_int_equal(cleat_ct_logs_num(list.logs), 2);
    const struct cl_ct_log *log = find(&list, 0);
    assert_non_null(log);
    assert_string_equal(log->description, "the 'one' log");
    assert_string_equal(log->operated_by, "First");
    assert_int_equal(log->state, CLEAT_CT_RETIRED);
    assert_int_equal(log->state_since, 1770091506);
    assert_int_equal(log->not_after_from, 1767225600);
    assert_int_equal(log->not_after_until, 1782864000);
    log = find(&list, 1);
    assert_non_null(log);
    assert_string_equal(log->operated_by, "Second");
    assert_int_equal(log->state, CLEAT_CT_USABLE);
    assert_int_equal(log->not_after_until, 0);
    cleat_ct_logs_free(list.logs);
}

static void test_a_flat_list_has_the_logs_in_use(void **state)
{
    struct cl_ct_list list;
    struct cleat_error err;
    assert_int_equal(
        parse("{\"logs\":[{\"description\":\"x\",\"operator\":\"O\",\"log_id\":\"$I0\","
              "\"key\":\"$K0\"}]}",
              &list, &err),
        CL_OK);
    assert_int_equal(find(&list, 0)->state, CLEAT_CT_USABLE);
    assert_int_equal(list.made, 0);
    cleat_ct_logs_free(list.logs);
}

#define LOG(more) "{\"description\":\"x\",\"log_id\":\"$I0\",\"key\":\"$K0\"" more "}"
#define ONE(log)  "{\"operators\":[{\"name\":\"O\",\"logs\":[" log "]}]}"
#define STATE(s)  ",\"state\":" s
#define USABLE    STATE("{\"usable\":{\"timestamp\":\"2026-01-01T00:00:00Z\"}}")

static void test_each_state_has_its_meaning(void **state)
{
    static const struct {
        const char *text;
        enum cleat_ct_state state;
    } rows[] = {
        {"pending", CLEAT_CT_PENDING}, {"qualified", CLEAT_CT_USABLE},
        {"usable", CLEAT_CT_USABLE},   {"readonly", CLEAT_CT_READONLY},
        {"retired", CLEAT_CT_RETIRED}, {"rejected", CLEAT_CT_REJECTED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[300];
        struct cl_ct_list list;
        struct cleat_error err;
        (void)snprintf(text, sizeof(text),
                       ONE(LOG(STATE("{\"%s\":{\"timestamp\":\"2026-01-01T00:00:00Z\"}}"))),
                       rows[i].text);
        assert_int_equal(parse(text, &list, &err), CL_OK);
        assert_int_equal(find(&list, 0)->state, rows[i].state);
        cleat_ct_logs_free(list.logs);
    }
}

static void test_a_state_that_is_not_known_counts_for_nothing(void **state)
{
    static const char *const rows[] = {
        "{\"operators\":[{\"name\":\"O\",\"logs\":[" LOG(STATE(
            "{\"new\":{}}")) ","
                             "{\"description\":\"y\",\"log_id\":\"$I1\",\"key\":\"$K1\"" USABLE
                             "}]}]}",
        "{\"operators\":[{\"name\":\"O\",\"logs\":[" LOG(
            "") ","
                "{\"description\":\"y\",\"log_id\":\"$I1\",\"key\":\"$K1\"" USABLE "}]}]}",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cl_ct_list list;
        struct cleat_error err;
        assert_int_equal(parse(rows[i], &list, &err), CL_OK);
        assert_int_equal(list.num_passed_over, 1);
        assert_string_equal(list.passed_over, "x");
        assert_null(find(&list, 0));
        assert_non_null(find(&list, 1));
        cleat_ct_logs_free(list.logs);
    }
}

static const struct {
    const char *name;
    const char *json;
    int code;
    const char *text;
} nonsense[] = {
    {"nothing", "", CLEAT_ERR_BAD_CONFIG, "not JSON"},
    {"a number", "7", CLEAT_ERR_BAD_CONFIG, "not JSON"},
    {"another object", "{\"operators\":{}}", CLEAT_ERR_BAD_CONFIG, "no array \"operators\""},
    {"no operators", "{\"operators\":[]}", CLEAT_ERR_BAD_CONFIG, "no log in it"},
    {"no logs", "{\"operators\":[{\"name\":\"O\"}]}", CLEAT_ERR_BAD_CONFIG, "no log in it"},
    {"an operator without a name", "{\"operators\":[{\"logs\":[]}]}", CLEAT_ERR_BAD_CONFIG,
     "an operator has no name"},
    {"an operator that is a text", "{\"operators\":[\"O\"]}", CLEAT_ERR_BAD_CONFIG,
     "an operator has no name"},
    {"logs that are none", "{\"operators\":[{\"name\":\"O\",\"logs\":7}]}", CLEAT_ERR_BAD_CONFIG,
     "not an array"},
    {"a log that is none", ONE("7"), CLEAT_ERR_BAD_CONFIG, "log 1 (without a description)"},
    {"a member twice", ONE(LOG(",\"key\":\"$K0\"")), CLEAT_ERR_BAD_CONFIG, "not JSON"},
    {"a byte that is not UTF-8", ONE("{\"description\":\"\xff\"}"), CLEAT_ERR_BAD_CONFIG,
     "not JSON"},
    {"a NUL", "{\"operators\":\"\\u0000\"}", CLEAT_ERR_BAD_CONFIG, "not JSON"},
    {"no key", ONE("{\"description\":\"x\",\"log_id\":\"$I0\"}"), CLEAT_ERR_BAD_CONFIG,
     "log 1 (x): \"key\""},
    {"no ID", ONE("{\"description\":\"x\",\"key\":\"$K0\"}"), CLEAT_ERR_BAD_CONFIG, "\"log_id\""},
    {"a short ID", ONE("{\"log_id\":\"AAAA\",\"key\":\"$K0\"}"), CLEAT_ERR_BAD_CONFIG,
     "\"log_id\" is not the base64"},
    {"another's ID", ONE("{\"log_id\":\"$I1\",\"key\":\"$K0\"" USABLE "}"), CLEAT_ERR_BAD_CONFIG,
     "\"log_id\" is not the SHA-256"},
    {"a key of another kind", ONE("{\"log_id\":\"$I2\",\"key\":\"$K2\"" USABLE "}"),
     CLEAT_ERR_BAD_KEY, "neither P-256 nor RSA"},
    {"a key that is none",
     ONE("{\"log_id\":\"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\",\"key\":\"\"" USABLE "}"),
     CLEAT_ERR_BAD_KEY, "cannot be read"},
    {"a log twice", ONE(LOG(USABLE) "," LOG(USABLE)), CLEAT_ERR_USAGE, "log 2 (x)"},
    {"two states",
     ONE(LOG(STATE("{\"usable\":{\"timestamp\":\"2026-01-01T00:00:00Z\"},\"retired\":{}}"))),
     CLEAT_ERR_BAD_CONFIG, "one member"},
    {"a state that is a text", ONE(LOG(STATE("\"usable\""))), CLEAT_ERR_BAD_CONFIG, "one member"},
    {"retired at no time", ONE(LOG(STATE("{\"retired\":{}}"))), CLEAT_ERR_BAD_CONFIG,
     "no timestamp"},
    {"a time that is none", ONE(LOG(STATE("{\"usable\":{\"timestamp\":\"soon\"}}"))),
     CLEAT_ERR_BAD_CONFIG, "no timestamp"},
    {"a time with a zone",
     ONE(LOG(STATE("{\"usable\":{\"timestamp\":\"2026-01-01T00:00:00+01:00\"}}"))),
     CLEAT_ERR_BAD_CONFIG, "no timestamp"},
    {"half an interval",
     ONE(LOG(USABLE ",\"temporal_interval\":{\"start_inclusive\":\"2026-01-01T00:00:00Z\"}")),
     CLEAT_ERR_BAD_CONFIG, "temporal_interval"},
    {"an interval backwards",
     ONE(LOG(USABLE ",\"temporal_interval\":{\"start_inclusive\":\"2026-01-01T00:00:00Z\","
                    "\"end_exclusive\":\"2025-01-01T00:00:00Z\"}")),
     CLEAT_ERR_BAD_CONFIG, "temporal_interval"},
    {"a list of no time", "{\"log_list_timestamp\":\"x\",\"operators\":[]}", CLEAT_ERR_BAD_CONFIG,
     "log_list_timestamp"},
    {"a flat log of nobody", "{\"logs\":[" LOG("") "]}", CLEAT_ERR_BAD_CONFIG, "no operator"},
};

static void test_nonsense_is_refused_with_its_place(void **state)
{
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
        struct cl_ct_list list;
        struct cleat_error err;
        const cl_result r = parse(nonsense[i].json, &list, &err);
        if (r != nonsense[i].code || strstr(err.text, nonsense[i].text) == NULL ||
            list.logs != NULL) {
            fail_msg("%s: %d %s", nonsense[i].name, r, err.text);
        }
    }
}

static void test_a_list_cut_off_anywhere_is_refused(void **state)
{
    struct cl_buf bytes = expand(AS_BROWSERS);
    for (size_t len = 0; len < bytes.len; len++) {
        struct cl_ct_list list;
        struct cleat_error err = {0};
        assert_int_equal(cl_ct_list_read((const char *)bytes.p, len, &list, &err),
                         CLEAT_ERR_BAD_CONFIG);
        assert_null(list.logs);
    }
    cl_buf_deinit(&bytes);
}

static void test_deep_and_long_lists_are_refused(void **state)
{
    static char deep[1 << 20];
    struct cl_ct_list list;
    struct cleat_error err = {0};
    memset(deep, '[', sizeof(deep));
    assert_int_equal(cl_ct_list_read(deep, sizeof(deep), &list, &err), CLEAT_ERR_BAD_CONFIG);
    struct cl_buf long_one = {0};
    assert_int_equal(cl_buf_reserve(&long_one, CL_CT_LIST_MAX + 1, CL_CT_LIST_MAX + 1), CL_OK);
    memset(long_one.p, ' ', CL_CT_LIST_MAX + 1);
    err = (struct cleat_error){0};
    assert_int_equal(cl_ct_list_read((const char *)long_one.p, CL_CT_LIST_MAX + 1, &list, &err),
                     CLEAT_ERR_LIMIT);
    cl_buf_deinit(&long_one);
}

/* 100,000 of them: each is looked at at most once, and the first that is wrong ends it. */
static void test_a_hundred_thousand_logs_are_refused(void **state)
{
    struct cl_buf text = {0};
    struct cl_ct_list list;
    struct cleat_error err = {0};
    assert_int_equal(cl_buf_append(&text, "{\"logs\":[{}", 11, CL_CT_LIST_MAX), CL_OK);
    for (size_t i = 0; i < 100000; i++) {
        assert_int_equal(cl_buf_append(&text, ",{}", 3, CL_CT_LIST_MAX), CL_OK);
    }
    assert_int_equal(cl_buf_append(&text, "]}", 2, CL_CT_LIST_MAX), CL_OK);
    assert_int_equal(cl_ct_list_read((const char *)text.p, text.len, &list, &err),
                     CLEAT_ERR_BAD_CONFIG);
    cl_buf_deinit(&text);
}

/* One more than a set takes, each with a key of its own. */
static void test_more_logs_than_a_set_takes_are_refused(void **state)
{
    struct cl_buf text = {0};
    struct cl_ct_list list;
    struct cleat_error err = {0};
    assert_int_equal(cl_buf_append(&text, "{\"logs\":[", 9, CL_CT_LIST_MAX), CL_OK);
    for (size_t i = 0; i <= CL_CT_MAX_LOGS; i++) {
        struct cleat_key *key = NULL;
        char base64[200], id[64];
        uint8_t digest[32];
        assert_int_equal(cl_key_generate(&key, CL_KEY_EC_P256, 0), CL_OK);
        struct cl_rd spki = cl_key_spki(key);
        cl_hash_once(CL_HASH_SHA256, spki.p, spki.len, digest);
        cl_base64_encode(spki.p, spki.len, base64);
        cl_base64_encode(digest, sizeof(digest), id);
        assert_int_equal(cl_buf_printf(&text, CL_CT_LIST_MAX,
                                       "%s{\"operator\":\"O\",\"log_id\":\"%s\",\"key\":\"%s\"}",
                                       i != 0 ? "," : "", id, base64),
                         CL_OK);
        cleat_key_free(key);
    }
    assert_int_equal(cl_buf_append(&text, "]}", 2, CL_CT_LIST_MAX), CL_OK);
    assert_int_equal(cl_ct_list_read((const char *)text.p, text.len, &list, &err), CLEAT_ERR_LIMIT);
    assert_non_null(strstr(err.text, "log 1025 "));
    cl_buf_deinit(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_list_of_version_3_is_taken),
        cmocka_unit_test(test_a_flat_list_has_the_logs_in_use),
        cmocka_unit_test(test_each_state_has_its_meaning),
        cmocka_unit_test(test_a_state_that_is_not_known_counts_for_nothing),
        cmocka_unit_test(test_nonsense_is_refused_with_its_place),
        cmocka_unit_test(test_a_list_cut_off_anywhere_is_refused),
        cmocka_unit_test(test_deep_and_long_lists_are_refused),
        cmocka_unit_test(test_a_hundred_thousand_logs_are_refused),
        cmocka_unit_test(test_more_logs_than_a_set_takes_are_refused),
    };
    return cmocka_run_group_tests(tests, make_keys, NULL);
}
