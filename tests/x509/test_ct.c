/* Certificate Transparency: which timestamps count, and how many are enough. Logs are the keys 0 to
 * 3; 0 and 1 have one operator. */
#include <stdio.h>
#include <string.h>

#include "support_ct.h"
#include "support_ocsp.h"
#include "x509/verify_impl.h"

#define DAY 86400

static struct entity root, ca, other;

static int make_world(void **state)
{
    (void)state;
    root = t_ca("Root", NULL, 5);
    ca = t_ca("CA", &root, 6);
    other = t_ca("CA", &root, 7);
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    t_free(&root);
    t_free(&ca);
    t_free(&other);
    return 0;
}

/* The logs 0 to 3, of which the last one may be in another state. */
static struct cleat_ct_logs *make_logs(const struct cleat_ct_log *last)
{
    static const char *const operators[] = {"One", "One", "Two", "Three"};
    struct cleat_ct_logs *logs = NULL;
    assert_int_equal(cleat_ct_logs_new(&logs), CLEAT_OK);
    for (size_t i = 0; i < 4; i++) {
        struct entity log = t_ca("log", NULL, i);
        struct cleat_ct_log row = i == 3 && last != NULL ? *last : (struct cleat_ct_log){0};
        row.key = log.cert->spki.p;
        row.key_len = log.cert->spki.len;
        row.description = "a log";
        row.operated_by = operators[i];
        assert_int_equal(cleat_ct_logs_add(logs, &row, NULL), CLEAT_OK);
        assert_int_equal(cleat_ct_logs_add(logs, &row, NULL), CLEAT_ERR_USAGE); /* twice */
        t_free(&log);
    }
    return logs;
}

#define TEXT 500

static struct cleat_verdict *judge(const struct entity *leaf, struct cl_verify_params params)
{
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    const struct cleat_cert *chain[] = {leaf->cert, ca.cert};
    struct cl_verify_params whole = t_params(trust);
    params.trust = trust;
    params.now = whole.now;
    params.purpose = CLEAT_PURPOSE_SERVER;
    params.ct = params.ct != CLEAT_CT_OFF ? params.ct : CLEAT_CT_REQUIRED;
    struct cleat_verdict *verdict = t_verify(&params, chain, 2);
    cleat_trust_store_free(trust);
    return verdict;
}

struct row {
    const char *name;
    struct t_sct scts[4];
    size_t num;
    int64_t life;
    struct cleat_ct_log last;
    int code;
    enum cleat_sct_result result; /* of the last timestamp */
};

static void check_row(const struct row *row)
{
    struct cleat_ct_logs *logs = make_logs(&row->last);
    struct entity leaf = t_logged(row->scts, row->num, &ca, row->life);
    struct cleat_verdict *verdict = judge(&leaf, (struct cl_verify_params){.ct_logs = logs});
    struct cleat_sct sct;
    if (cleat_verdict_code(verdict) != row->code) {
        fail_msg("%s: %d %s", row->name, cleat_verdict_code(verdict),
                 cleat_verdict_error(verdict)->text);
    }
    cleat_verdict_free(verdict);
    /* told, and accepted, when nothing is required */
    verdict = judge(&leaf, (struct cl_verify_params){.ct_logs = logs, .ct = CLEAT_CT_TOLD});
    assert_int_equal(cleat_verdict_code(verdict), CLEAT_OK);
    assert_int_equal(cleat_verdict_num_scts(verdict), row->num);
    if (row->num != 0) {
        assert_true(cleat_verdict_sct(verdict, row->num - 1, &sct));
        if (sct.result != row->result) {
            fail_msg("%s: %s", row->name, cleat_sct_result_name(sct.result));
        }
    }
    assert_false(cleat_verdict_sct(verdict, row->num, &sct));
    cleat_verdict_free(verdict);
    t_free(&leaf);
    cleat_ct_logs_free(logs);
}

#define FEW CLEAT_ERR_NOT_TRANSPARENT

static void test_number_and_operators_are_those_of_browsers(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"two of two operators", {{0}, {.key = 2}}, 2, 90 * DAY, {0}, CLEAT_OK, CLEAT_SCT_VALID},
        {"none", {{0}}, 0, 90 * DAY, {0}, FEW, CLEAT_SCT_VALID},
        {"one", {{0}}, 1, 90 * DAY, {0}, FEW, CLEAT_SCT_VALID},
        {"two of one operator", {{0}, {.key = 1}}, 2, 90 * DAY, {0}, FEW, CLEAT_SCT_VALID},
        {"two of one log", {{0}, {0}}, 2, 90 * DAY, {0}, FEW, CLEAT_SCT_VALID},
        {"180 days need two", {{0}, {.key = 2}}, 2, 180 * DAY, {0}, CLEAT_OK, CLEAT_SCT_VALID},
        {"more need three", {{0}, {.key = 2}}, 2, 180 * DAY + 1, {0}, FEW, CLEAT_SCT_VALID},
        {"three are three",
         {{0}, {.key = 1}, {.key = 2}},
         3,
         300 * DAY,
         {0},
         CLEAT_OK,
         CLEAT_SCT_VALID},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_row(&rows[i]);
    }
}

static void test_what_a_timestamp_is_good_for(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"a log that is not known",
         {{0}, {.key = 5}},
         2,
         90 * DAY,
         {0},
         FEW,
         CLEAT_SCT_UNKNOWN_LOG},
        {"a forged one",
         {{0}, {.key = 3, .bad_signature = true}},
         2,
         90 * DAY,
         {0},
         FEW,
         CLEAT_SCT_BAD_SIGNATURE},
        {"of version 2",
         {{0}, {.key = 3, .version = 1}},
         2,
         90 * DAY,
         {0},
         FEW,
         CLEAT_SCT_MALFORMED},
        {"from the future",
         {{0}, {.key = 3, .timestamp = (T_NOW + 2) * 1000}},
         2,
         90 * DAY,
         {0},
         FEW,
         CLEAT_SCT_FUTURE},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_row(&rows[i]);
    }
}

static void test_the_state_of_a_log_counts(void **state)
{
    (void)state;
    const int64_t since = T_NOW - 3600;
    const struct row rows[] = {
        {"a log read only",
         {{0}, {.key = 3}},
         2,
         90 * DAY,
         {.state = CLEAT_CT_READONLY},
         CLEAT_OK,
         CLEAT_SCT_VALID},
        {"a log pending",
         {{0}, {.key = 3}},
         2,
         90 * DAY,
         {.state = CLEAT_CT_PENDING},
         FEW,
         CLEAT_SCT_LOG_STATE},
        {"a log rejected",
         {{0}, {.key = 3}},
         2,
         90 * DAY,
         {.state = CLEAT_CT_REJECTED},
         FEW,
         CLEAT_SCT_LOG_STATE},
        {"a log that retired before",
         {{0}, {.key = 3}},
         2,
         90 * DAY,
         {.state = CLEAT_CT_RETIRED, .state_since = since},
         FEW,
         CLEAT_SCT_LOG_STATE},
        {"a log that retired after",
         {{0}, {.key = 3}},
         2,
         90 * DAY,
         {.state = CLEAT_CT_RETIRED, .state_since = since + 1},
         CLEAT_OK,
         CLEAT_SCT_VALID},
        {"within the log's interval",
         {{0}, {.key = 3}},
         2,
         90 * DAY,
         {.not_after_from = T_NOW, .not_after_until = T_NOW + T_YEAR},
         CLEAT_OK,
         CLEAT_SCT_VALID},
        {"beyond the log's interval",
         {{0}, {.key = 3}},
         2,
         90 * DAY,
         {.not_after_from = T_NOW, .not_after_until = T_NOW + DAY},
         FEW,
         CLEAT_SCT_LOG_INTERVAL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_row(&rows[i]);
    }
}

/* A precertificate names its issuer's key: timestamps go with no other. */
static void test_timestamps_of_another_issuer_do_not_count(void **state)
{
    (void)state;
    const struct t_sct scts[] = {{.key = 0}, {.key = 2}};
    uint8_t list[1024];
    uint8_t value[1100];
    struct cleat_ct_logs *logs = make_logs(NULL);
    struct cl_cert_template tpl = t_template("logged", &ca, t_key(4), false);
    struct entity without = t_make(&tpl, &ca, t_key(4));
    const size_t len = t_scts(scts, 2, without.cert, other.cert, list, sizeof(list));
    struct cl_wr w = cl_wr_of(value, sizeof(value));
    cl_der_put(&w, CL_DER_OCTET_STRING, cl_rd_of(list, len));
    struct cl_cert_raw_ext ext = {"1.3.6.1.4.1.11129.2.4.2", false, cl_rd_of(value, w.len)};
    tpl.raw_exts = &ext;
    tpl.num_raw_exts = 1;
    struct entity leaf = t_make(&tpl, &ca, t_key(4));
    struct cleat_verdict *verdict = judge(&leaf, (struct cl_verify_params){.ct_logs = logs});
    assert_int_equal(cleat_verdict_code(verdict), FEW);
    cleat_verdict_free(verdict);
    t_free(&leaf);
    t_free(&without);
    cleat_ct_logs_free(logs);
}

/* In the TLS extension they are about the certificate as it is. */
static void test_timestamps_may_come_from_the_handshake(void **state)
{
    (void)state;
    const struct t_sct scts[] = {{.key = 0}, {.key = 2}};
    uint8_t list[1024];
    struct cleat_sct sct;
    struct cleat_ct_logs *logs = make_logs(NULL);
    struct cl_cert_template tpl = t_template("leaf", &ca, t_key(4), false);
    tpl.not_after = tpl.not_before + 90 * DAY;
    tpl.not_before = T_NOW - DAY;
    tpl.not_after = T_NOW + 60 * DAY;
    struct entity leaf = t_make(&tpl, &ca, t_key(4));
    const size_t len = t_scts(scts, 2, leaf.cert, NULL, list, sizeof(list));
    struct cl_verify_params params = {.ct_logs = logs, .scts = cl_rd_of(list, len)};
    struct cleat_verdict *verdict = judge(&leaf, params);
    assert_int_equal(cleat_verdict_code(verdict), CLEAT_OK);
    assert_true(cleat_verdict_sct(verdict, 1, &sct));
    assert_int_equal(sct.source, CLEAT_SCT_TLS);
    assert_string_equal(sct.operated_by, "Two");
    cleat_verdict_free(verdict);
    /* no byte of it may change, nor be missing */
    for (size_t i = 0; i < len; i++) {
        list[i] ^= 0x10;
        verdict = judge(&leaf, params);
        assert_int_equal(cleat_verdict_code(verdict), FEW);
        cleat_verdict_free(verdict);
        list[i] ^= 0x10;
        params.scts.len = i;
        verdict = judge(&leaf, params);
        assert_int_equal(cleat_verdict_code(verdict), FEW);
        cleat_verdict_free(verdict);
        params.scts.len = len;
    }
    t_free(&leaf);
    cleat_ct_logs_free(logs);
}

/* Logs 2 and 3, of two operators, have both retired after they timestamped. */
static struct cleat_ct_logs *make_retired(void)
{
    static const char *const operators[] = {"Two", "Three"};
    struct cleat_ct_logs *logs = NULL;
    assert_int_equal(cleat_ct_logs_new(&logs), CLEAT_OK);
    for (size_t i = 0; i < 2; i++) {
        struct entity log = t_ca("log", NULL, i + 2);
        const struct cleat_ct_log row = {.key = log.cert->spki.p,
                                         .key_len = log.cert->spki.len,
                                         .operated_by = operators[i],
                                         .state = CLEAT_CT_RETIRED,
                                         .state_since = T_NOW};
        assert_int_equal(cleat_ct_logs_add(logs, &row, NULL), CLEAT_OK);
        t_free(&log);
    }
    return logs;
}

static void test_one_log_at_least_must_be_at_work(void **state)
{
    (void)state;
    const struct t_sct scts[] = {{.key = 2}, {.key = 3}};
    struct cleat_sct sct;
    struct cleat_ct_logs *logs = make_retired();
    struct entity leaf = t_logged(scts, 2, &ca, 90 * DAY);
    struct cleat_verdict *verdict = judge(&leaf, (struct cl_verify_params){.ct_logs = logs});
    assert_int_equal(cleat_verdict_code(verdict), FEW);
    assert_non_null(strstr(cleat_verdict_error(verdict)->text, "have retired"));
    /* what was looked at is told, though it was refused */
    assert_int_equal(cleat_verdict_num_scts(verdict), 2);
    assert_true(cleat_verdict_sct(verdict, 0, &sct));
    assert_int_equal(sct.result, CLEAT_SCT_VALID);
    assert_int_equal(sct.state, CLEAT_CT_RETIRED);
    assert_int_equal(sct.state_since, T_NOW);
    cleat_verdict_free(verdict);
    t_free(&leaf);
    cleat_ct_logs_free(logs);
}

/* A server can replace them, a certificate cannot. */
static void test_a_retired_log_counts_in_certificates_alone(void **state)
{
    (void)state;
    const struct t_sct scts[] = {{.key = 0}, {.key = 3}};
    uint8_t list[1024];
    struct cleat_sct sct;
    const struct cleat_ct_log retired = {.state = CLEAT_CT_RETIRED, .state_since = T_NOW};
    struct cleat_ct_logs *logs = make_logs(&retired);
    struct cl_cert_template tpl = t_template("leaf", &ca, t_key(4), false);
    tpl.not_before = T_NOW - DAY;
    tpl.not_after = T_NOW + 60 * DAY;
    struct entity leaf = t_make(&tpl, &ca, t_key(4));
    const size_t len = t_scts(scts, 2, leaf.cert, NULL, list, sizeof(list));
    struct cleat_verdict *verdict =
        judge(&leaf, (struct cl_verify_params){.ct_logs = logs, .scts = cl_rd_of(list, len)});
    assert_int_equal(cleat_verdict_code(verdict), FEW);
    assert_true(cleat_verdict_sct(verdict, 1, &sct));
    assert_int_equal(sct.result, CLEAT_SCT_LOG_STATE);
    cleat_verdict_free(verdict);
    t_free(&leaf);
    cleat_ct_logs_free(logs);
}

static void test_a_key_that_is_no_logs_is_refused(void **state)
{
    (void)state;
    struct cleat_ct_logs *logs = NULL;
    const uint8_t junk[] = {0x30, 0x03, 0x02, 0x01, 0x05};
    const struct cleat_ct_log log = {.key = junk, .key_len = sizeof(junk), .operated_by = "One"};
    const struct cleat_ct_log nobodys = {.key = junk, .key_len = sizeof(junk)};
    struct cleat_error err = {0};
    assert_int_equal(cleat_ct_logs_new(&logs), CLEAT_OK);
    assert_int_equal(cleat_ct_logs_add(logs, &log, &err), CLEAT_ERR_BAD_KEY);
    assert_int_equal(cleat_ct_logs_add(logs, &nobodys, &err), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_ct_logs_num(logs), 0);
    struct cleat_ct_logs *again = cleat_ct_logs_ref(logs);
    cleat_ct_logs_free(logs);
    cleat_ct_logs_free(again);
    cleat_ct_logs_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number_and_operators_are_those_of_browsers),
        cmocka_unit_test(test_what_a_timestamp_is_good_for),
        cmocka_unit_test(test_the_state_of_a_log_counts),
        cmocka_unit_test(test_timestamps_of_another_issuer_do_not_count),
        cmocka_unit_test(test_timestamps_may_come_from_the_handshake),
        cmocka_unit_test(test_one_log_at_least_must_be_at_work),
        cmocka_unit_test(test_a_retired_log_counts_in_certificates_alone),
        cmocka_unit_test(test_a_key_that_is_no_logs_is_refused),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
