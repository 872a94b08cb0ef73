/* Path building, the proof and misuse: a story a test. Each check at each position: test_matrix.c.
 */
#include "support_x509.h"

#include <stdio.h>

#include "x509/dn.h"

static void test_path_length_counts_only_intermediates_that_are_not_self_issued(void **state)
{
    (void)state;
    struct cl_cert_template tpl = t_template("Root", NULL, t_key(0), true);
    tpl.path_len = 1;
    struct entity root = t_make(&tpl, NULL, t_key(0));
    struct entity a = t_ca("A", &root, 1);
    struct entity a_again = t_ca("A", &a, 2); /* self-issued: key rollover */
    struct entity b = t_ca("B", &a_again, 3);
    struct entity good = t_leaf("leaf.example.com", &a_again, 4);
    struct entity deep = t_leaf("leaf.example.com", &b, 4);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *fine[] = {good.cert, a_again.cert, a.cert};
    const struct cleat_cert *too_long[] = {deep.cert, b.cert, a_again.cert, a.cert};
    assert_int_equal(t_code(&params, fine, 3), CLEAT_OK);
    assert_int_equal(t_code(&params, too_long, 4), CLEAT_ERR_PATH_TOO_LONG);
    cleat_trust_store_free(trust);
    struct entity *all[] = {&root, &a, &a_again, &b, &good, &deep};
    for (size_t i = 0; i < 6; i++) {
        t_free(all[i]);
    }
}

static void test_chain_in_any_order_with_certificates_that_do_not_belong(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct entity a = t_ca("A", &root, 1);
    struct entity b = t_ca("B", &a, 2);
    struct entity stranger = t_ca("Stranger", NULL, 3);
    struct entity leaf = t_leaf("leaf.example.com", &b, 4);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {leaf.cert, root.cert, stranger.cert,
                                        a.cert,    b.cert,    b.cert};
    assert_int_equal(t_code(&params, chain, 6), CLEAT_OK);
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&a);
    t_free(&b);
    t_free(&stranger);
    t_free(&leaf);
}

/* openssl#16861: the expired root must not end the search. */
static void test_expired_cross_signed_root_does_not_hide_the_good_path(void **state)
{
    (void)state;
    struct cl_cert_template tpl = t_template("Old", NULL, t_key(0), true);
    tpl.not_after = T_NOW - 1;
    struct entity old = t_make(&tpl, NULL, t_key(0));
    struct entity fresh = t_ca("New", NULL, 1);
    struct entity crossed = t_ca("New", &old, 1);
    struct entity ca = t_ca("CA", &fresh, 2);
    struct entity leaf = t_leaf("leaf.example.com", &ca, 3);
    const struct entity *anchors[] = {&old, &fresh};
    struct cleat_trust_store *trust = t_trust(anchors, 2);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {leaf.cert, ca.cert, crossed.cert, old.cert};
    assert_int_equal(t_code(&params, chain, 4), CLEAT_OK);
    cleat_trust_store_free(trust);
    const struct entity *only_old[] = {&old};
    trust = t_trust(only_old, 1);
    params.trust = trust;
    assert_int_equal(t_code(&params, chain, 4), CLEAT_ERR_CERT_EXPIRED);
    cleat_trust_store_free(trust);
    struct entity *all[] = {&old, &fresh, &crossed, &ca, &leaf};
    for (size_t i = 0; i < 5; i++) {
        t_free(all[i]);
    }
}

static void test_same_name_other_key_is_tried_and_left(void **state)
{
    (void)state;
    struct cl_cert_template tpl = t_template("CA", NULL, t_key(0), true);
    tpl.no_key_ids = true; /* no hints: the signature decides */
    struct entity wrong = t_make(&tpl, NULL, t_key(0));
    tpl.spki = cl_key_spki(t_key(1));
    struct entity right = t_make(&tpl, NULL, t_key(1));
    tpl = t_template("leaf.example.com", &right, t_key(2), false);
    tpl.no_key_ids = true;
    struct entity leaf = t_make(&tpl, &right, t_key(2));
    const struct entity *anchors[] = {&wrong, &right};
    struct cleat_trust_store *trust = t_trust(anchors, 2);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {leaf.cert};
    assert_int_equal(t_code(&params, chain, 1), CLEAT_OK);
    cleat_trust_store_free(trust);
    trust = t_trust(anchors, 1);
    params.trust = trust;
    assert_int_equal(t_code(&params, chain, 1), CLEAT_ERR_BAD_SIGNATURE);
    cleat_trust_store_free(trust);
    t_free(&wrong);
    t_free(&right);
    t_free(&leaf);
}

static void test_self_signed_leaf_only_when_it_is_an_anchor(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct entity leaf = t_leaf("leaf.example.com", NULL, 1);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {leaf.cert};
    struct cleat_verdict *verdict = t_verify(&params, chain, 1);
    assert_int_equal(cleat_verdict_code(verdict), CLEAT_ERR_SELF_SIGNED);
    assert_string_equal(cleat_verdict_openssl_name(verdict), "DEPTH_ZERO_SELF_SIGNED_CERT");
    assert_non_null(strstr(cleat_verdict_error(verdict)->hint, "--cacert"));
    cleat_verdict_free(verdict);
    cleat_trust_store_free(trust);
    anchor = &leaf;
    trust = t_trust(&anchor, 1);
    params.trust = trust;
    assert_int_equal(t_code(&params, chain, 1), CLEAT_OK);
    params.host = "other.example.com";
    assert_int_equal(t_code(&params, chain, 1), CLEAT_ERR_NAME_MISMATCH);
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&leaf);
}

static void test_missing_intermediate_names_it_and_where_it_is_published(void **state)
{
    (void)state;
    static const uint8_t aia[] = {0x30, 0x1f, 0x30, 0x1d, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05,
                                  0x07, 0x30, 0x02, 0x86, 0x11, 'h',  't',  't',  'p',  ':',  '/',
                                  '/',  'c',  'a',  '.',  't',  'e',  's',  't',  '/',  'c',  'a'};
    const struct cl_cert_raw_ext ext = {"1.3.6.1.5.5.7.1.1", false, {aia, sizeof(aia)}};
    struct entity root = t_ca("Root", NULL, 0);
    struct entity ca = t_ca("Missing CA", &root, 1);
    struct cl_cert_template tpl = t_template("leaf.example.com", &ca, t_key(2), false);
    tpl.raw_exts = &ext;
    tpl.num_raw_exts = 1;
    struct entity leaf = t_make(&tpl, &ca, t_key(2));
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {leaf.cert};
    struct cleat_verdict *verdict = t_verify(&params, chain, 1);
    assert_int_equal(cleat_verdict_code(verdict), CLEAT_ERR_UNKNOWN_ISSUER);
    assert_non_null(strstr(cleat_verdict_error(verdict)->text, "certificate 1 of 1"));
    assert_non_null(strstr(cleat_verdict_error(verdict)->text, "CN=Missing CA"));
    assert_non_null(strstr(cleat_verdict_error(verdict)->hint, "http://ca.test/ca"));
    assert_string_equal(cleat_verdict_openssl_name(verdict), "UNABLE_TO_GET_ISSUER_CERT_LOCALLY");
    cleat_verdict_free(verdict);
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&ca);
    t_free(&leaf);
}

static void test_every_bit_of_a_signed_leaf_flipped_is_never_accepted(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct entity leaf = t_leaf("leaf.example.com", &root, 1);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    struct cl_rd der = cl_cert_der(leaf.cert);
    uint8_t copy[2048];
    assert_true(der.len <= sizeof(copy));
    for (size_t bit = 0; bit < der.len * 8; bit++) {
        struct cl_verify *v;
        struct cl_rd changed = cl_rd_of(copy, der.len);
        memcpy(copy, der.p, der.len);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(cl_verify_new(&v, &params, &changed, 1), CL_OK);
        while (cl_verify_step(v) == CL_VERIFY_NEEDS_JOB) {
            cl_job_run(cl_verify_job(v));
        }
        struct cleat_verdict *verdict = cl_verify_take_verdict(v);
        if (cleat_verdict_code(verdict) == CLEAT_OK) {
            fail_msg("bit %zu flipped, and accepted", bit);
        }
        cleat_verdict_free(verdict);
        cl_verify_free(v);
    }
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&leaf);
}

static void test_proof_lists_every_check_with_its_section(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct entity ca = t_ca("CA", &root, 1);
    struct entity leaf = t_leaf("leaf.example.com", &ca, 2);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {leaf.cert, ca.cert};
    struct cleat_verdict *verdict = t_verify(&params, chain, 2);
    struct cleat_try t;
    struct cleat_check check;
    struct cleat_verify_work work;
    size_t num_signatures = 0;
    assert_int_equal(cleat_verdict_num_tries(verdict), 1);
    assert_true(cleat_verdict_try(verdict, 0, &t));
    assert_true(t.accepted && t.complete);
    assert_int_equal(t.num_certs, 3);
    for (size_t i = 0; i < t.num_checks; i++) {
        assert_true(cleat_verdict_check(verdict, 0, i, &check));
        assert_int_not_equal(check.result, CLEAT_CHECK_FAILED);
        assert_true(strcmp(check.name, "limits") == 0 || check.section[0] != '\0');
        assert_true(check.text[0] != '\0');
        num_signatures += strcmp(check.name, "signature") == 0;
    }
    assert_int_equal(num_signatures, 2);
    assert_false(cleat_verdict_check(verdict, 0, t.num_checks, &check));
    cleat_verdict_work(verdict, &work);
    assert_int_equal(work.num_signatures, 2);
    cleat_verdict_free(verdict);
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&ca);
    t_free(&leaf);
}

static void test_proof_of_a_refusal_ends_with_the_failed_check(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct cl_cert_template tpl = t_template("CA", &root, t_key(1), true);
    tpl.not_after = T_NOW - 3 * 86400;
    struct entity ca = t_make(&tpl, &root, t_key(1));
    struct entity leaf = t_leaf("leaf.example.com", &ca, 2);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {leaf.cert, ca.cert};
    struct cleat_verdict *verdict = t_verify(&params, chain, 2);
    struct cleat_try t;
    struct cleat_check check;
    assert_true(cleat_verdict_try(verdict, 0, &t));
    assert_false(t.accepted);
    assert_true(cleat_verdict_check(verdict, 0, t.num_checks - 1, &check));
    assert_int_equal(check.result, CLEAT_CHECK_FAILED);
    assert_string_equal(check.name, "validity");
    assert_int_equal(check.depth, 1);
    assert_non_null(strstr(cleat_verdict_error(verdict)->text, "certificate 2 of 2, CN=CA"));
    assert_non_null(strstr(cleat_verdict_error(verdict)->text, "expired 3 days ago"));
    assert_string_equal(cleat_verdict_error(verdict)->section, "RFC 5280 6.1.3 (a)(2)");
    cleat_verdict_free(verdict);
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&ca);
    t_free(&leaf);
}

static void test_purpose_client_wants_client_auth(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct cl_cert_template tpl = t_template("user", &root, t_key(1), false);
    static const char *const emails[] = {"user@example.com"};
    tpl.ext_key_usage = CL_EKU_CLIENT_AUTH;
    tpl.num_dns_names = 0;
    tpl.emails = emails;
    tpl.num_emails = 1;
    struct entity user = t_make(&tpl, &root, t_key(1));
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {user.cert};
    params.host = NULL;
    params.email = "user@EXAMPLE.com";
    assert_int_equal(t_code(&params, chain, 1), CLEAT_ERR_BAD_KEY_USAGE);
    params.purpose = CLEAT_PURPOSE_CLIENT;
    assert_int_equal(t_code(&params, chain, 1), CLEAT_OK);
    params.email = "USER@example.com";
    assert_int_equal(t_code(&params, chain, 1), CLEAT_ERR_NAME_MISMATCH);
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&user);
}

static void test_wrong_use_is_refused_not_crashed(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    static const char *const bad_policy[] = {"1.2.x"};
    struct cl_verify *v;
    const struct cleat_cert *chain[] = {root.cert};
    assert_int_equal(cl_verify_new(&v, &params, NULL, 0), CLEAT_ERR_NO_CERTIFICATE);
    params.trust = NULL;
    assert_int_equal(cl_verify_new_certs(&v, &params, chain, 1), CLEAT_ERR_USAGE);
    params = t_params(trust);
    params.initial_policies = bad_policy;
    params.num_initial_policies = 1;
    assert_int_equal(cl_verify_new_certs(&v, &params, chain, 1), CLEAT_ERR_USAGE);
    params = t_params(trust);
    params.policy = (enum cleat_policy)17;
    assert_int_equal(cl_verify_new_certs(&v, &params, chain, 1), CLEAT_ERR_USAGE);
    cleat_trust_store_free(trust);
    t_free(&root);
}

static void test_garbage_for_a_leaf_is_a_verdict(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    struct cl_rd der = cl_rd_str("not a certificate");
    struct cl_verify *v;
    assert_int_equal(cl_verify_new(&v, &params, &der, 1), CL_OK);
    assert_int_equal(cl_verify_step(v), CL_VERIFY_DONE);
    struct cleat_verdict *verdict = cl_verify_take_verdict(v);
    assert_int_equal(cleat_verdict_code(verdict), CLEAT_ERR_BAD_CERTIFICATE);
    assert_null(cleat_verdict_leaf(verdict));
    assert_null(cl_verify_take_verdict(v));
    cleat_verdict_free(verdict);
    cl_verify_free(v);
    cleat_trust_store_free(trust);
    t_free(&root);
}

static void test_failed_job_fails_the_verification(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct entity leaf = t_leaf("leaf.example.com", &root, 1);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {leaf.cert};
    struct cl_verify *v;
    assert_int_equal(cl_verify_new_certs(&v, &params, chain, 1), CL_OK);
    assert_int_equal(cl_verify_step(v), CL_VERIFY_NEEDS_JOB);
    /* not run yet: still needed */
    assert_int_equal(cl_verify_step(v), CL_VERIFY_NEEDS_JOB);
    assert_null(cl_verify_take_verdict(v));
    cl_job_complete(cl_verify_job(v), CLEAT_ERR_JOB_FAILED);
    assert_int_equal(cl_verify_step(v), CL_VERIFY_DONE);
    struct cleat_verdict *verdict = cl_verify_take_verdict(v);
    assert_int_equal(cleat_verdict_code(verdict), CLEAT_ERR_JOB_FAILED);
    cleat_verdict_free(verdict);
    cl_verify_free(v);
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&leaf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_path_length_counts_only_intermediates_that_are_not_self_issued),
        cmocka_unit_test(test_chain_in_any_order_with_certificates_that_do_not_belong),
        cmocka_unit_test(test_expired_cross_signed_root_does_not_hide_the_good_path),
        cmocka_unit_test(test_same_name_other_key_is_tried_and_left),
        cmocka_unit_test(test_self_signed_leaf_only_when_it_is_an_anchor),
        cmocka_unit_test(test_missing_intermediate_names_it_and_where_it_is_published),
        cmocka_unit_test(test_every_bit_of_a_signed_leaf_flipped_is_never_accepted),
        cmocka_unit_test(test_proof_lists_every_check_with_its_section),
        cmocka_unit_test(test_proof_of_a_refusal_ends_with_the_failed_check),
        cmocka_unit_test(test_purpose_client_wants_client_auth),
        cmocka_unit_test(test_wrong_use_is_refused_not_crashed),
        cmocka_unit_test(test_garbage_for_a_leaf_is_a_verdict),
        cmocka_unit_test(test_failed_job_fails_the_verification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
