/* The system's trust store: every root parses, and re-verifies against the store. */
#include "support_x509.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define BUNDLE "/etc/ssl/certs/ca-certificates.crt"

static double now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static char *bundle(size_t *len)
{
    char *pem = t_read_file(BUNDLE, len);
    if (pem == NULL) {
        print_message("SKIP: no %s (package ca-certificates)\n", BUNDLE);
        skip();
    }
    return pem;
}

static void test_system_bundle_parses_without_a_loss(void **state)
{
    (void)state;
    size_t len = 0;
    struct cleat_trust_store *store;
    struct cleat_error err = {0};
    char *pem = bundle(&len);
    double start = now_us();
    int r = cleat_trust_store_from_pem(pem, len, &store, &err);
    double took = now_us() - start;
    free(pem);
    assert_int_equal(r, CLEAT_OK);
    print_message("%zu anchors of %zu bytes of PEM in %.0f us\n", cleat_trust_store_num(store), len,
                  took);
    assert_int_equal(cleat_trust_store_num_skipped(store), 0);
    assert_true(cleat_trust_store_num(store) > 50);
    cleat_trust_store_free(store);
}

static void test_system_roots_verify_against_the_store(void **state)
{
    (void)state;
    size_t len = 0;
    struct cleat_trust_store *store;
    char *pem = bundle(&len);
    assert_int_equal(cleat_trust_store_from_pem(pem, len, &store, NULL), CLEAT_OK);
    free(pem);
    for (size_t i = 0; i < cleat_trust_store_num(store); i++) {
        const struct cleat_cert *root = cleat_trust_store_at(store, i);
        struct cl_verify_params params = {
            .trust = store, .now = cleat_cert_not_before(root) + 1, .purpose = CLEAT_PURPOSE_ANY};
        struct cleat_verdict *verdict = t_verify(&params, &root, 1);
        struct cleat_ext_info ext;
        if (cleat_verdict_code(verdict) != CLEAT_OK) {
            fail_msg("%s", cleat_verdict_error(verdict)->text);
        }
        for (size_t k = 0; k < cleat_cert_num_exts(root); k++) {
            assert_true(cleat_cert_ext(root, k, &ext));
        }
        assert_false(cleat_cert_ext(root, cleat_cert_num_exts(root), &ext));
        cleat_verdict_free(verdict);
    }
    cleat_trust_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_system_bundle_parses_without_a_loss),
        cmocka_unit_test(test_system_roots_verify_against_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
