/* PEM: blocks, what may stand around them, what is refused; chains and trust stores from it. */
#include "support_x509.h"

#include "x509/pem.h"

static const struct {
    const char *name;
    const char *text;
    cl_result result;
    bool found;
} texts[] = {
    {"empty", "", CL_OK, false},
    {"no block", "hello\nworld\n", CL_OK, false},
    {"block", "-----BEGIN X-----\nAAAA\n-----END X-----\n", CL_OK, true},
    {"no final line end", "-----BEGIN X-----\nAAAA\n-----END X-----", CL_OK, true},
    {"CRLF and trailing spaces", "-----BEGIN X-----\r\nAAAA \r\n-----END X----- \r\n", CL_OK, true},
    {"text in front", "subject=CN = x\n-----BEGIN X-----\nAAAA\n-----END X-----\n", CL_OK, true},
    {"no end", "-----BEGIN X-----\nAAAA\n", CLEAT_ERR_BAD_PEM, false},
    {"other label", "-----BEGIN X-----\nAAAA\n-----END Y-----\n", CLEAT_ERR_BAD_PEM, false},
    {"begin in block", "-----BEGIN X-----\n-----BEGIN X-----\nAA==\n-----END X-----\n",
     CLEAT_ERR_BAD_PEM, false},
    {"four dashes", "----BEGIN X-----\nAAAA\n-----END X-----\n", CL_OK, false},
};

static void test_blocks_are_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct cl_pem pem;
        struct cl_pem_block block;
        bool found;
        struct cleat_error err = {0};
        cl_pem_init(&pem, texts[i].text, strlen(texts[i].text), &err);
        cl_result r = cl_pem_next(&pem, &block, &found);
        if (r != texts[i].result || found != texts[i].found) {
            fail_msg("%s", texts[i].name);
        }
        assert_true(r == CL_OK || err.text[0] != '\0');
    }
}

static const struct {
    const char *body;
    bool good;
} bodies[] = {
    {"AAAA", true}, {"AA==", true},    {"", false},     {"A", false},    {"AB==", false},
    {"AAA", false}, {"AA==AA", false}, {"A-AA", false}, {"AA=A", false},
};

static void test_base64_is_strict(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct cl_pem pem = {0};
        struct cl_buf out = {0};
        struct cl_pem_block block = {.body = cl_rd_str(bodies[i].body)};
        if ((cl_pem_decode(&pem, &block, &out, 100) == CL_OK) != bodies[i].good) {
            fail_msg("\"%s\"", bodies[i].body);
        }
        cl_buf_deinit(&out);
    }
}

static void test_what_is_encoded_is_decoded(void **state)
{
    (void)state;
    uint8_t bytes[200];
    for (size_t len = 1; len <= sizeof(bytes); len++) {
        struct cl_buf text = {0};
        struct cl_buf back = {0};
        struct cl_pem pem;
        struct cl_pem_block block;
        bool found;
        memset(bytes, (int)len, len);
        assert_int_equal(cl_pem_encode("THING", cl_rd_of(bytes, len), &text), CL_OK);
        cl_pem_init(&pem, (const char *)text.p, text.len, NULL);
        assert_int_equal(cl_pem_next(&pem, &block, &found), CL_OK);
        assert_true(found && cl_rd_equal_str(block.label, "THING"));
        assert_int_equal(cl_pem_decode(&pem, &block, &back, 1000), CL_OK);
        assert_true(cl_rd_equal(cl_buf_view(&back), cl_rd_of(bytes, len)));
        cl_buf_deinit(&text);
        cl_buf_deinit(&back);
    }
}

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
        cmocka_unit_test(test_blocks_are_found),
        cmocka_unit_test(test_base64_is_strict),
        cmocka_unit_test(test_what_is_encoded_is_decoded),
        cmocka_unit_test(test_chain_keeps_the_order_and_skips_other_blocks),
        cmocka_unit_test(test_chain_errors_name_certificate_and_line),
        cmocka_unit_test(test_trust_store_skips_and_counts_what_it_cannot_parse),
        cmocka_unit_test(test_trust_digest_depends_on_the_set_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
