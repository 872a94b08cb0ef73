/* Chains and trust stores from PEM: their order, what is skipped, what is told. */
#include "support_x509.h"

#include "base/pem.h"

static void append(struct cl_buf *text, const struct entity *e)
{
    assert_int_equal(cl_pem_encode("CERTIFICATE", cl_cert_der(e->cert), text), CL_OK);
}

static void test_chain_keeps_the_order_and_skips_other_blocks(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct entity leaf = t_leaf("leaf.example.com", &root, 1);
    struct cl_buf text = {0};
    struct cleat_chain *chain;
    append(&text, &leaf);
    assert_int_equal(cl_pem_encode("DH PARAMETERS", cl_rd_str("xyz"), &text), CL_OK);
    append(&text, &root);
    assert_int_equal(cleat_chain_from_pem((char *)text.p, text.len, &chain, NULL), CLEAT_OK);
    assert_int_equal(cl_chain_num(chain), 2);
    assert_true(cl_rd_equal(cl_cert_der(cl_chain_at(chain, 0)), cl_cert_der(leaf.cert)));
    assert_null(cl_chain_at(chain, 2));
    cleat_chain_free(chain);
    cl_buf_deinit(&text);
    t_free(&root);
    t_free(&leaf);
}

static void test_chain_errors_name_certificate_and_line(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct cl_buf text = {0};
    struct cleat_chain *chain;
    struct cleat_error err = {0};
    append(&text, &root);
    assert_int_equal(cl_pem_encode("CERTIFICATE", cl_rd_str("nonsense"), &text), CL_OK);
    assert_int_equal(cleat_chain_from_pem((char *)text.p, text.len, &chain, &err),
                     CLEAT_ERR_BAD_CERTIFICATE);
    assert_non_null(strstr(err.text, "certificate 2 (line "));
    err = (struct cleat_error){0};
    assert_int_equal(cleat_chain_from_pem("hello", 5, &chain, &err), CLEAT_ERR_NO_CERTIFICATE);
    assert_true(err.hint[0] != '\0');
    cl_buf_deinit(&text);
    t_free(&root);
}

static void test_trust_store_skips_and_counts_what_it_cannot_parse(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct cl_buf text = {0};
    struct cleat_trust_store *store;
    struct cleat_error err = {0};
    assert_int_equal(cl_pem_encode("CERTIFICATE", cl_rd_str("nonsense"), &text), CL_OK);
    assert_int_equal(cleat_trust_store_from_pem((char *)text.p, text.len, &store, &err),
                     CLEAT_ERR_NO_CERTIFICATE);
    append(&text, &root);
    append(&text, &root);
    assert_int_equal(cleat_trust_store_from_pem((char *)text.p, text.len, &store, NULL), CLEAT_OK);
    assert_int_equal(cleat_trust_store_num(store), 1);
    assert_int_equal(cleat_trust_store_num_skipped(store), 1);
    cleat_trust_store_free(store);
    cl_buf_deinit(&text);
    t_free(&root);
}

static void test_trust_digest_depends_on_the_set_alone(void **state)
{
    (void)state;
    struct entity a = t_ca("A", NULL, 0);
    struct entity b = t_ca("B", NULL, 1);
    const struct entity *ab[] = {&a, &b};
    const struct entity *bab[] = {&b, &a, &b};
    uint8_t one[32];
    uint8_t two[32];
    uint8_t three[32];
    struct cleat_trust_store *x = t_trust(ab, 2);
    struct cleat_trust_store *y = t_trust(bab, 3);
    struct cleat_trust_store *z = t_trust(ab, 1);
    cl_trust_digest(x, one);
    cl_trust_digest(y, two);
    cl_trust_digest(z, three);
    assert_memory_equal(one, two, 32);
    assert_memory_not_equal(one, three, 32);
    cleat_trust_store_free(x);
    cleat_trust_store_free(y);
    cleat_trust_store_free(z);
    t_free(&a);
    t_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain_keeps_the_order_and_skips_other_blocks),
        cmocka_unit_test(test_chain_errors_name_certificate_and_line),
        cmocka_unit_test(test_trust_store_skips_and_counts_what_it_cannot_parse),
        cmocka_unit_test(test_trust_digest_depends_on_the_set_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
