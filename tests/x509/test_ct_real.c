/* The timestamps of real servers' certificates (limbo's online:: cases) against the logs that a
 * browser knew (ct/logs.json), both of CLEAT_TEST_DATA. Skipped, loudly, when they are not there.
 *
 * The list is of one day: logs that had ended by then are unknown to it. What it knows must be
 * right, and six of the chains have a timestamp of a log in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/text.h"
#include "support_x509.h"
#include "x509/ct.h"

#define MIN_CHAINS 6
/* 20 days: some of the cases are at the certificate's first second, when it was not logged yet */
#define LATER      (20 * 86400)

static json_t *load(const char *name)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/%s", CLEAT_TEST_DATA, name);
    return json_load_file(path, 0, NULL);
}

static const char *text_of(const json_t *o, const char *name)
{
    const char *s = json_string_value(json_object_get(o, name));
    return s != NULL ? s : "";
}

static struct cleat_ct_logs *read_logs(const json_t *file)
{
    struct cleat_ct_logs *logs = NULL;
    size_t i;
    json_t *row;
    assert_int_equal(cleat_ct_logs_new(&logs), CLEAT_OK);
    json_array_foreach(json_object_get(file, "logs"), i, row)
    {
        uint8_t key[600];
        size_t len = 0;
        const char *base64 = text_of(row, "key");
        assert_true(cl_base64_decode(base64, strlen(base64), false, key, sizeof(key), &len));
        const struct cleat_ct_log log = {.key = key,
                                         .key_len = len,
                                         .description = text_of(row, "description"),
                                         .operated_by = text_of(row, "operator")};
        assert_int_equal(cleat_ct_logs_add(logs, &log, NULL), CLEAT_OK);
        /* the log's ID is the hash of its key */
        uint8_t id[CL_CT_ID_LEN];
        base64 = text_of(row, "log_id");
        assert_true(cl_base64_decode(base64, strlen(base64), false, id, sizeof(id), &len));
        assert_non_null(cl_ct_find(logs, cl_rd_of(id, len)));
    }
    return logs;
}

static int64_t time_of(const char *text)
{
    struct tm tm = {0};
    assert_non_null(strptime(text, "%Y-%m-%dT%H:%M:%S", &tm));
    return (int64_t)timegm(&tm);
}

/* The whole chain as one text. */
static struct cleat_chain *chain_of(const json_t *row)
{
    struct cleat_chain *chain = NULL;
    static char text[1 << 17];
    size_t i;
    json_t *pem;
    size_t len = (size_t)snprintf(text, sizeof(text), "%s\n", text_of(row, "peer_certificate"));
    json_array_foreach(json_object_get(row, "untrusted_intermediates"), i, pem)
    {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\n", json_string_value(pem));
        assert_true(len < sizeof(text));
    }
    assert_int_equal(cleat_chain_from_pem(text, len, &chain, NULL), CLEAT_OK);
    return chain;
}

/* The number of its timestamps that are valid; those of known logs all must be. */
static size_t judge(const json_t *row, const struct cleat_ct_logs *logs)
{
    const char *root = json_string_value(json_array_get(json_object_get(row, "trusted_certs"), 0));
    struct cleat_trust_store *trust = NULL;
    struct cleat_chain *chain = chain_of(row);
    struct cleat_verdict *verdict = NULL;
    struct cleat_sct sct;
    size_t num_valid = 0;
    assert_int_equal(cleat_trust_store_from_pem(root, strlen(root), &trust, NULL), CLEAT_OK);
    const struct cleat_verify_options options = {.trust = trust,
                                                 .now = time_of(text_of(row, "validation_time")) +
                                                        LATER,
                                                 .purpose = CLEAT_PURPOSE_SERVER,
                                                 .ct = CLEAT_CT_TOLD,
                                                 .ct_logs = logs};
    assert_int_equal(cleat_verify(&options, chain, &verdict), CLEAT_OK);
    assert_int_equal(cleat_verdict_code(verdict), CLEAT_OK);
    for (size_t i = 0; cleat_verdict_sct(verdict, i, &sct); i++) {
        if (sct.result != CLEAT_SCT_VALID && sct.result != CLEAT_SCT_UNKNOWN_LOG) {
            fail_msg("%s: %s: %s", text_of(row, "id"), sct.description,
                     cleat_sct_result_name(sct.result));
        }
        num_valid += sct.result == CLEAT_SCT_VALID;
    }
    print_message("  %s: %zu of %zu\n", text_of(row, "id"), num_valid,
                  cleat_verdict_num_scts(verdict));
    cleat_verdict_free(verdict);
    cleat_chain_free(chain);
    cleat_trust_store_free(trust);
    return num_valid;
}

static void test_timestamps_of_real_servers_are_valid(void **state)
{
    (void)state;
    json_t *cases = load("limbo/core.json");
    json_t *file = load("ct/logs.json");
    if (cases == NULL || file == NULL) {
        (void)fprintf(stderr, "SKIP: no test data at %s (set CLEAT_TEST_DATA)\n", CLEAT_TEST_DATA);
        json_decref(cases);
        json_decref(file);
        return;
    }
    struct cleat_ct_logs *logs = read_logs(file);
    size_t num_chains = 0;
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(cases, "testcases"), i, row)
    {
        if (strncmp(text_of(row, "id"), "online::", 8) == 0) {
            num_chains += judge(row, logs) >= 1;
        }
    }
    assert_true(num_chains >= MIN_CHAINS);
    cleat_ct_logs_free(logs);
    json_decref(cases);
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timestamps_of_real_servers_are_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
