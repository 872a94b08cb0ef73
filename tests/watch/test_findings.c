/* What is found wrong with a target, from facts and time alone. */
#include "support_watch.h"

#include <stdio.h>
#include <string.h>

#include "x509/oid.h"

static const struct cl_rd nothing;

/* What is found about one served leaf. */
static const char *of_leaf(int64_t lifetime, int64_t left)
{
    static char text[200];
    struct world w;
    w_begin(&w);
    struct entity leaf = w_leaf(&w, lifetime, lifetime - 1 - left);
    (void)w_serve(&w, &leaf, NULL, nothing);
    (void)snprintf(text, sizeof(text), "%s", w_found(&w));
    t_free(&leaf);
    w_end(&w);
    return text;
}

static void test_a_third_left_warns_and_a_sixth_acts_whatever_the_lifetime(void **state)
{
    static const int64_t days[] = {6, 47, 90, 100, 200, 398};
    for (size_t i = 0; i < sizeof(days) / sizeof(days[0]); i++) {
        const int64_t life = days[i] * W_DAY;
        assert_string_equal(of_leaf(life, life - 1), "");
        assert_string_equal(of_leaf(life, life / 3 + 1), "");
        assert_string_equal(of_leaf(life, life / 3), "expires-soon");
        assert_string_equal(of_leaf(life, life / 6 + 1), "expires-soon");
        assert_string_equal(of_leaf(life, life / 6), "expires-now");
        assert_string_equal(of_leaf(life, 0), "expires-now");
        assert_string_equal(of_leaf(life, -1), "expired");
        assert_string_equal(of_leaf(life, -1000 * W_DAY), "expired");
    }
}

static void test_limits_may_be_times(void **state)
{
    struct world w;
    w_begin(&w);
    w.limits = (struct cl_watch_limits){.warn = {30 * W_DAY, 0}, .act = {7 * W_DAY, 0}};
    struct entity leaf = w_leaf(&w, 47 * W_DAY, 17 * W_DAY);
    (void)w_serve(&w, &leaf, NULL, nothing);
    assert_string_equal(w_found(&w), "expires-soon");
    w.facts.at = T_NOW - 2 * W_DAY;
    assert_string_equal(w_found(&w), "");
    w.facts.at = T_NOW + 23 * W_DAY;
    assert_string_equal(w_found(&w), "expires-now");
    t_free(&leaf);
    w_end(&w);
}

static void test_not_yet_valid_is_told_and_is_not_untrusted(void **state)
{
    assert_string_equal(of_leaf(90 * W_DAY, 91 * W_DAY), "not-yet-valid");
}

static void test_expired_and_untrusted_are_told_apart_and_together(void **state)
{
    struct world w;
    w_begin(&w);
    struct entity stranger = t_ca("Stranger", NULL, 2);
    struct cl_cert_template tpl = t_template("leaf.example.com", &stranger, t_key(3), false);
    struct entity valid = t_make(&tpl, &stranger, t_key(3));
    tpl.not_after = T_NOW - W_DAY;
    struct entity expired = t_make(&tpl, &stranger, t_key(3));
    (void)w_serve(&w, &valid, NULL, nothing);
    (void)w_serve(&w, &expired, NULL, nothing);
    assert_string_equal(w_found(&w), "untrusted expired untrusted addresses-differ");
    t_free(&valid);
    t_free(&expired);
    t_free(&stranger);
    w_end(&w);
}

static void test_an_issuer_that_has_expired_is_expired(void **state)
{
    struct world w;
    w_begin(&w);
    struct cl_cert_template tpl = t_template("Old intermediate", &w.ca, t_key(2), true);
    tpl.not_after = T_NOW - W_DAY;
    struct entity middle = t_make(&tpl, &w.ca, t_key(2));
    struct entity leaf = t_leaf("leaf.example.com", &middle, 3);
    (void)w_serve(&w, &leaf, &middle, nothing);
    assert_string_equal(w_found(&w), "expired");
    assert_non_null(strstr(w.findings.items[0].text, "certificate 2 of 2"));
    t_free(&leaf);
    t_free(&middle);
    w_end(&w);
}

static void test_an_issuer_that_ends_before_its_leaf_is_told(void **state)
{
    struct world w;
    w_begin(&w);
    struct cl_cert_template tpl = t_template("Short intermediate", &w.ca, t_key(2), true);
    tpl.not_after = T_NOW + 10 * W_DAY; /* less than a third, which is nothing by itself */
    struct entity middle = t_make(&tpl, &w.ca, t_key(2));
    struct entity leaf = t_leaf("leaf.example.com", &middle, 3);
    (void)w_serve(&w, &leaf, &middle, nothing);
    assert_string_equal(w_found(&w), "issuer-ends-first");
    t_free(&leaf);
    t_free(&middle);
    w_end(&w);
}

static void test_another_name_is_told_with_the_names_that_are_there(void **state)
{
    struct world w;
    w_begin(&w);
    struct entity leaf = t_leaf("www.example.org", &w.ca, 1);
    (void)w_serve(&w, &leaf, NULL, nothing);
    assert_string_equal(w_found(&w), "name-mismatch");
    assert_string_equal(w.findings.items[0].text,
                        "it is not for leaf.example.com but for www.example.org");
    t_free(&leaf);
    w_end(&w);
}

/* ---- staples ---- */

static struct entity must_staple(const struct world *w)
{
    /* RFC 7633 4.1: SEQUENCE OF INTEGER, status_request is 5 */
    static const uint8_t feature[] = {0x30, 0x03, 0x02, 0x01, 0x05};
    const struct cl_cert_raw_ext ext = {.oid = "1.3.6.1.5.5.7.1.24",
                                        .value = {feature, sizeof(feature)}};
    struct cl_cert_template tpl = t_template("leaf.example.com", &w->ca, t_key(1), false);
    tpl.raw_exts = &ext;
    tpl.num_raw_exts = 1;
    return t_make(&tpl, &w->ca, t_key(1));
}

static const char *of_staple(bool demanded, bool expected, const struct t_answer *answer)
{
    struct world w;
    uint8_t der[T_MAX_DER];
    struct cl_rd staple = {0};
    static char text[200];
    w_begin(&w);
    w.facts.expect_staple = expected;
    struct entity leaf = demanded ? must_staple(&w) : w_leaf(&w, 90 * W_DAY, W_DAY);
    if (answer != NULL) {
        struct t_ocsp ocsp = {.signer = &w.ca, .answers = {*answer}};
        ocsp.answers[0].cert = leaf.cert;
        ocsp.answers[0].issuer = w.ca.cert;
        staple = cl_rd_of(der, t_ocsp_der(&ocsp, der));
    }
    (void)w_serve(&w, &leaf, NULL, staple);
    (void)snprintf(text, sizeof(text), "%s", w_found(&w));
    t_free(&leaf);
    w_end(&w);
    return text;
}

static void test_unstapled_bad_staple_and_revoked_are_told_apart(void **state)
{
    const struct t_answer good = {.status = CL_OCSP_GOOD};
    const struct t_answer revoked = {.status = CL_OCSP_REVOKED};
    const struct t_answer unknown = {.status = CL_OCSP_UNKNOWN};
    const struct t_answer old = {.status = CL_OCSP_GOOD,
                                 .this_update = T_NOW - 20 * W_DAY,
                                 .next_update = T_NOW - 10 * W_DAY};
    assert_string_equal(of_staple(false, false, NULL), "");
    assert_string_equal(of_staple(false, true, NULL), "unstapled");
    assert_string_equal(of_staple(true, false, NULL), "unstapled");
    for (int demanded = 0; demanded < 2; demanded++) {
        assert_string_equal(of_staple(demanded, false, &good), "");
        assert_string_equal(of_staple(demanded, false, &revoked), "revoked");
        assert_string_equal(of_staple(demanded, false, &old), "bad-staple");
        assert_string_equal(of_staple(demanded, false, &unknown), "bad-staple");
    }
}

/* ---- files ---- */

static void test_a_file_is_compared_with_what_is_served(void **state)
{
    struct world w;
    w_begin(&w);
    struct entity old = w_leaf(&w, 90 * W_DAY, 30 * W_DAY), new = w_leaf(&w, 90 * W_DAY, W_DAY);
    (void)w_serve(&w, &old, NULL, nothing);
    w_disk(&w, &old, NULL);
    assert_string_equal(w_found(&w), "");
    cl_watch_facts_reset(&w.facts);
    assert_int_equal(cl_watch_facts_room(&w.facts, 2), CL_OK);
    (void)w_serve(&w, &old, NULL, nothing);
    w_disk(&w, &new, NULL);
    assert_string_equal(w_found(&w), "reload-needed");
    cl_watch_facts_reset(&w.facts);
    assert_int_equal(cl_watch_facts_room(&w.facts, 2), CL_OK);
    (void)w_serve(&w, &new, NULL, nothing);
    w_disk(&w, &old, NULL);
    assert_string_equal(w_found(&w), "disk-mismatch");
    cl_watch_facts_reset(&w.facts);
    assert_int_equal(cl_watch_facts_room(&w.facts, 2), CL_OK);
    (void)w_serve(&w, &new, NULL, nothing);
    w_disk(&w, &new, &w.ca);
    assert_string_equal(w_found(&w), "chain-differs");
    t_free(&old);
    t_free(&new);
    w_end(&w);
}

static void test_a_key_of_another_certificate_is_told(void **state)
{
    struct world w;
    w_begin(&w);
    struct entity leaf = w_leaf(&w, 90 * W_DAY, W_DAY);
    w.facts.host = NULL;
    w_disk(&w, &leaf, NULL);
    w.facts.key = CL_WATCH_KEY_SAME;
    assert_string_equal(w_found(&w), "");
    w.facts.key = CL_WATCH_KEY_DIFFERS;
    assert_string_equal(w_found(&w), "key-mismatch");
    t_free(&leaf);
    w_end(&w);
}

static void test_a_file_of_roots_is_judged_by_time_alone(void **state)
{
    struct world w;
    w_begin(&w);
    struct entity root = t_ca("Some root", NULL, 2);
    w.facts.host = NULL;
    w_disk(&w, &root, NULL);
    assert_string_equal(w_found(&w), "");
    w.facts.at = T_NOW + T_YEAR / 2 - 10 * W_DAY;
    assert_string_equal(w_found(&w), "expires-now");
    t_free(&root);
    w_end(&w);
}

/* ---- what could not be looked at ---- */

static void test_what_could_not_be_looked_at_is_no_finding(void **state)
{
    static const struct {
        enum cl_watch_reach reach;
        const char *id;
    } rows[] = {{CL_WATCH_NO_ADDRESS, "no-address"},
                {CL_WATCH_NO_CONNECTION, "no-connection"},
                {CL_WATCH_NO_HANDSHAKE, "no-handshake"},
                {CL_WATCH_UNREADABLE, "unreadable"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world w;
        w_begin(&w);
        struct cl_watch_side *side = &w.facts.served[w.facts.num_served++];
        side->reach = rows[i].reach;
        (void)cl_error_set(&side->error, (struct cl_why){.code = CLEAT_ERR_SYSTEM}, "why");
        assert_string_equal(w_found(&w), rows[i].id);
        assert_int_equal(cl_watch_worst(&w.findings), CL_WATCH_UNCHECKED);
        w_end(&w);
    }
}

static void test_findings_beyond_the_limit_are_not_taken_for_none(void **state)
{
    struct cl_watch_findings lost = {.lost = true};
    assert_int_equal(cl_watch_worst(&lost), CL_WATCH_UNCHECKED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_third_left_warns_and_a_sixth_acts_whatever_the_lifetime),
        cmocka_unit_test(test_limits_may_be_times),
        cmocka_unit_test(test_not_yet_valid_is_told_and_is_not_untrusted),
        cmocka_unit_test(test_expired_and_untrusted_are_told_apart_and_together),
        cmocka_unit_test(test_an_issuer_that_has_expired_is_expired),
        cmocka_unit_test(test_an_issuer_that_ends_before_its_leaf_is_told),
        cmocka_unit_test(test_another_name_is_told_with_the_names_that_are_there),
        cmocka_unit_test(test_unstapled_bad_staple_and_revoked_are_told_apart),
        cmocka_unit_test(test_a_file_is_compared_with_what_is_served),
        cmocka_unit_test(test_a_key_of_another_certificate_is_told),
        cmocka_unit_test(test_a_file_of_roots_is_judged_by_time_alone),
        cmocka_unit_test(test_what_could_not_be_looked_at_is_no_finding),
        cmocka_unit_test(test_findings_beyond_the_limit_are_not_taken_for_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
