/* Where connections tell of fingerprints: the event, and the decision before anything is computed.
 */
#include <stdio.h>

#include "cleat/fingerprint.h"
#include "cleat/tls_options.h"
#include "tls/support_ech.h"

static void ja4_of(struct cl_rd message, char out[CLEAT_JA4_LEN + 1])
{
    size_t len = CLEAT_JA4_LEN + 1;
    assert_int_equal(cleat_fingerprint(CLEAT_JA4, 't', message.p, message.len, out, &len, NULL),
                     CLEAT_OK);
}

static unsigned count(const struct test_end *e, const char *text)
{
    struct cl_buf all = {0};
    unsigned num = 0;
    assert_int_equal(cl_buf_append(&all, e->log.text.p, e->log.text.len, SIZE_MAX / 2), CL_OK);
    assert_int_equal(cl_buf_append(&all, "", 1, SIZE_MAX / 2), CL_OK);
    for (const char *at = (const char *)all.p; (at = strstr(at, text)) != NULL; at++) {
        num++;
    }
    cl_buf_deinit(&all);
    return num;
}

/* ---- the event ---- */

static void test_nothing_is_told_unless_it_is_wanted(void **state)
{
    struct test_pair p;
    test_pair_make(&p, test_client_config(), test_server_config(), NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_int_equal(count(&p.client, "fingerprint"), 0);
    assert_int_equal(count(&p.server, "fingerprint"), 0);
    test_pair_drop(&p);
}

/* With a HelloRetryRequest there are two ClientHellos. */
static void test_both_ends_tell_the_same_of_every_hello(void **state)
{
    for (int retry = 0; retry < 2; retry++) {
        struct cleat_tls_builder *c = test_client_builder();
        struct cleat_tls_builder *s = test_server_builder();
        struct test_pair p;
        char ja4[CLEAT_JA4_LEN + 1];
        char line[120];
        cleat_tls_builder_fingerprints(c, true);
        cleat_tls_builder_fingerprints(s, true);
        if (retry) {
            assert_int_equal(cleat_tls_builder_groups(c, "X25519:P-384"), CLEAT_OK);
            assert_int_equal(cleat_tls_builder_groups(s, "P-384"), CLEAT_OK);
        }
        test_pair_make(&p, test_finish(c), test_finish(s), NULL);
        test_pair_run(&p);
        test_assert_ready(&p);
        for (size_t nth = 0; nth <= (size_t)retry; nth++) {
            ja4_of(test_message(&p.client, true, 1, nth), ja4);
            (void)snprintf(line, sizeof(line), " %s\n", ja4);
            assert_true(count(&p.client, line) >= 1);
            assert_true(count(&p.server, line) >= 1);
        }
        assert_int_equal(count(&p.client, "fingerprint sent"), 1 + retry);
        assert_int_equal(count(&p.server, "fingerprint received"), 1 + retry);
        test_pair_drop(&p);
    }
}

/* What the network saw is the outer ClientHello; the inner one is a message of its own. */
static void test_of_an_encrypted_hello_the_outer_one_is_told(void **state)
{
    struct test_ech ech;
    const struct test_ech *keys[] = {&ech};
    struct test_pair p;
    char outer[CLEAT_JA4_LEN + 1];
    char inner[CLEAT_JA4_LEN + 1];
    test_ech_make(&ech, NULL, 7);
    struct cleat_tls_builder *c = test_ech_client();
    struct cleat_tls_builder *s = test_ech_server(keys, 1, 0);
    cleat_tls_builder_fingerprints(c, true);
    cleat_tls_builder_fingerprints(s, true);
    test_ech_pair(&p, c, s, &ech, NULL);
    test_pair_run(&p);
    test_assert_ready(&p);
    ja4_of(test_message(&p.server, false, 1, 0), outer);
    ja4_of(test_message(&p.server, false, 1, 1), inner);
    assert_string_not_equal(outer, inner);
    assert_int_equal(count(&p.server, "fingerprint received"), 1);
    assert_int_equal(count(&p.client, "fingerprint sent"), 1);
    assert_int_equal(count(&p.server, outer), 1);
    assert_int_equal(count(&p.client, outer), 1);
    assert_int_equal(count(&p.server, inner), 0);
    test_pair_drop(&p);
    test_ech_drop(&ech);
}

/* ---- the decision ---- */

static struct cleat_tls_builder *asking(struct cleat_tls_builder *b, unsigned more)
{
    cleat_tls_builder_decide(b, CLEAT_DECIDE_HELLO | more);
    return b;
}

static void test_the_application_sees_the_hello_before_any_work(void **state)
{
    struct cleat_client_hello hello;
    struct test_pair p;
    test_pair_make(&p, test_client_config(), test_finish(asking(test_server_builder(), 0)), NULL);
    test_pair_run(&p);
    assert_int_equal(p.server.next, CLEAT_TLS_NEEDS_DECISION);
    assert_int_equal(cleat_tls_decision(p.server.tls), CLEAT_DECIDE_HELLO);
    assert_int_equal(p.server.num_jobs, 0);
    assert_int_equal(cleat_tls_client_hello(p.server.tls, &hello), CLEAT_OK);
    const struct cl_rd sent = test_message(&p.client, true, 1, 0);
    assert_int_equal(hello.len, sent.len);
    assert_memory_equal(hello.bytes, sent.p, sent.len);
    assert_string_equal(hello.server_name, "localhost");
    assert_int_equal(cleat_tls_accept_peer(p.server.tls), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_tls_accept_hello(p.server.tls), CLEAT_OK);
    assert_int_equal(cleat_tls_accept_hello(p.server.tls), CLEAT_ERR_USAGE);
    assert_int_equal(cleat_tls_client_hello(p.server.tls, &hello), CLEAT_ERR_USAGE);
    test_pair_run(&p);
    test_assert_ready(&p);
    test_assert_echo(&p);
    test_pair_drop(&p);
}

static void test_a_hello_is_refused_with_the_alert_of_the_application(void **state)
{
    struct test_pair p;
    test_pair_make(&p, test_client_config(), test_finish(asking(test_server_builder(), 0)), NULL);
    test_pair_run(&p);
    assert_int_equal(cleat_tls_refuse(p.server.tls, 40, "not this one"), CLEAT_OK);
    test_pair_run(&p);
    test_assert_failed(&p.server, &p.client, CLEAT_ERR_REFUSED, 40);
    assert_int_equal(p.server.num_jobs, 0);
    assert_int_equal(test_count_messages(&p.server, true, 2), 0);
    test_pair_drop(&p);
}

/* First the outer ClientHello, then, with the inner one, which configuration. */
static void test_an_encrypted_hello_is_asked_about_before_it_is_opened(void **state)
{
    struct test_ech ech;
    const struct test_ech *keys[] = {&ech};
    struct cleat_client_hello hello;
    struct test_pair p;
    test_ech_make(&ech, NULL, 7);
    struct cleat_tls_builder *s = asking(test_ech_server(keys, 1, 0), CLEAT_DECIDE_CONFIG);
    struct cleat_tls_config *config = test_finish(s);
    test_ech_pair(&p, test_ech_client(), test_ech_server(keys, 1, 0), &ech, NULL);
    cleat_tls_free(p.server.tls);
    assert_int_equal(cleat_tls_server_new(config, &p.server, &p.server.tls), CLEAT_OK);
    test_pair_run(&p);
    assert_int_equal(cleat_tls_decision(p.server.tls), CLEAT_DECIDE_HELLO);
    assert_int_equal(cleat_tls_client_hello(p.server.tls, &hello), CLEAT_OK);
    assert_string_equal(hello.server_name, TEST_ECH_PUBLIC);
    assert_false(test_log_has(&p.server, "Encrypted Client Hello"));
    assert_int_equal(cleat_tls_accept_hello(p.server.tls), CLEAT_OK);
    test_pair_run(&p);
    assert_int_equal(cleat_tls_decision(p.server.tls), CLEAT_DECIDE_CONFIG);
    assert_int_equal(cleat_tls_client_hello(p.server.tls, &hello), CLEAT_OK);
    assert_string_equal(hello.server_name, TEST_ECH_HOST);
    assert_true(test_log_has(&p.server, "Encrypted Client Hello accepted"));
    assert_int_equal(cleat_tls_choose_config(p.server.tls, config), CLEAT_OK);
    cleat_tls_config_free(config);
    test_pair_run(&p);
    test_assert_ready(&p);
    test_pair_drop(&p);
    test_ech_drop(&ech);
}

/* Asked once: the second ClientHello differs as RFC 9846 4.2.2 allows, and no more. */
static void test_a_retry_does_not_ask_again(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct cleat_tls_builder *s = asking(test_server_builder(), 0);
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_groups(c, "X25519:P-384"), CLEAT_OK);
    assert_int_equal(cleat_tls_builder_groups(s, "P-384"), CLEAT_OK);
    test_pair_make(&p, test_finish(c), test_finish(s), NULL);
    test_pair_run(&p);
    assert_int_equal(cleat_tls_accept_hello(p.server.tls), CLEAT_OK);
    test_pair_run(&p);
    test_assert_ready(&p);
    assert_true(test_info(&p.server).hello_retry);
    test_pair_drop(&p);
}

static void test_tls_1_2_is_asked_about_too(void **state)
{
    struct cleat_tls_builder *c = test_client_builder();
    struct test_pair p;
    assert_int_equal(cleat_tls_builder_versions(c, CLEAT_TLS_1_2, CLEAT_TLS_1_2), CLEAT_OK);
    test_pair_make(&p, test_finish(c), test_finish(asking(test_server_builder(), 0)), NULL);
    test_pair_run(&p);
    assert_int_equal(cleat_tls_accept_hello(p.server.tls), CLEAT_OK);
    test_pair_run(&p);
    test_assert_ready(&p);
    test_pair_drop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_told_unless_it_is_wanted),
        cmocka_unit_test(test_both_ends_tell_the_same_of_every_hello),
        cmocka_unit_test(test_of_an_encrypted_hello_the_outer_one_is_told),
        cmocka_unit_test(test_the_application_sees_the_hello_before_any_work),
        cmocka_unit_test(test_a_hello_is_refused_with_the_alert_of_the_application),
        cmocka_unit_test(test_an_encrypted_hello_is_asked_about_before_it_is_opened),
        cmocka_unit_test(test_a_retry_does_not_ask_again),
        cmocka_unit_test(test_tls_1_2_is_asked_about_too),
    };
    return cmocka_run_group_tests(tests, test_world_setup, test_world_teardown);
}
