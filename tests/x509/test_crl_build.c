/* Revocation lists that we make are what our own parser reads, entry by entry. */
#include <string.h>

#include "support_x509.h"
#include "x509/crl_build.h"

static struct entity ca;

static int make_world(void **state)
{
    (void)state;
    ca = t_ca("CA", NULL, 0);
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    t_free(&ca);
    return 0;
}

#define BYTES(text) cl_rd_of((const uint8_t *)(text), sizeof(text) - 1)

static struct cl_crl_template template(void)
{
    return (struct cl_crl_template){.issuer = ca.cert,
                                    .this_update = T_NOW,
                                    .next_update = T_NOW + 86400,
                                    .number = BYTES("\x07")};
}

static struct cl_crl *made(const struct cl_crl_template *tpl)
{
    struct cl_buf der = {0};
    struct cl_crl *crl = NULL;
    struct cleat_error err = {0};
    assert_int_equal(cl_crl_build(&der, tpl, ca.key, &err), CL_OK);
    assert_int_equal(cl_crl_parse(&crl, cl_buf_view(&der), &err), CL_OK);
    assert_int_equal(cl_signed_by(ca.cert, crl->sig_alg, crl->tbs, crl->signature), CL_OK);
    cl_buf_deinit(&der);
    return crl;
}

static void test_an_empty_list_is_one(void **state)
{
    (void)state;
    const struct cl_crl_template tpl = template();
    struct cl_crl *crl = made(&tpl);
    assert_int_equal(crl->num_entries, 0);
    assert_int_equal(crl->this_update, T_NOW);
    assert_int_equal(crl->next_update, T_NOW + 86400);
    assert_true(cl_rd_equal(crl->number, BYTES("\x07")));
    assert_true(cl_rd_equal(crl->aki_key_id, ca.cert->ski));
    assert_false(crl->has_idp);
    assert_null(crl->unusable);
    cl_crl_free(crl);
}

static void test_every_entry_comes_back(void **state)
{
    (void)state;
    const struct cl_crl_entry entries[] = {
        {BYTES("\x01"), T_NOW, 0, INT64_MIN},
        {BYTES("\x00\x80"), T_NOW - 5, 1, T_NOW - 86400},
        {BYTES("\x7f\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13"),
         CL_DER_YEAR_2050 + 1, 10, CL_DER_YEAR_2050 + 1},
        {BYTES("\x02"), T_NOW, 0, T_NOW},
    };
    struct cl_buf bytes = {0};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(cl_crl_entry_put(&bytes, &entries[i]), CL_OK);
    }
    struct cl_crl_template tpl = template();
    tpl.entries = cl_buf_view(&bytes);
    struct cl_crl *crl = made(&tpl);
    struct cl_rd rest = crl->entries;
    struct cl_rd whole;
    struct cl_crl_entry entry;
    assert_int_equal(crl->num_entries, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(cl_crl_entry_next(&rest, &entry, &whole));
        assert_true(cl_rd_equal(entry.serial, entries[i].serial));
        assert_int_equal(entry.when, entries[i].when);
        assert_int_equal(entry.reason, entries[i].reason);
        assert_int_equal(entry.invalid_since, entries[i].invalid_since);
    }
    assert_false(cl_crl_entry_next(&rest, &entry, &whole));
    cl_crl_free(crl);
    cl_buf_deinit(&bytes);
}

static void test_a_partitioned_list_says_what_it_is_for(void **state)
{
    (void)state;
    struct cl_buf point = {0};
    assert_int_equal(cl_crl_point_put(&point, "http://crl.test/1.crl"), CL_OK);
    struct cl_crl_template tpl = template();
    tpl.point = cl_buf_view(&point);
    tpl.only_user = true;
    struct cl_crl *crl = made(&tpl);
    assert_true(crl->has_idp);
    assert_true(crl->only_user);
    assert_false(crl->only_ca);
    assert_false(crl->indirect);
    assert_true(cl_rd_equal(crl->point, tpl.point));
    assert_int_equal(crl->reasons, CL_REASONS_ALL);
    cl_crl_free(crl);
    cl_buf_deinit(&point);
}

static void test_what_no_list_may_be_is_not_made(void **state)
{
    (void)state;
    static const uint8_t long_number[21] = {1};
    struct cl_crl_template bad[5];
    for (size_t i = 0; i < 5; i++) {
        bad[i] = template();
    }
    bad[0].number = cl_rd_of(long_number, 21);
    bad[1].number = BYTES("\x80");
    bad[2].number = cl_rd_of(long_number, 0);
    bad[3].next_update = bad[3].this_update;
    bad[4].only_user = bad[4].only_ca = true;
    for (size_t i = 0; i < 5; i++) {
        struct cl_buf der = {0};
        struct cleat_error err = {0};
        assert_int_equal(cl_crl_build(&der, &bad[i], ca.key, &err), CLEAT_ERR_BAD_CONFIG);
        assert_string_not_equal(err.text, "");
        assert_int_equal(der.len, 0);
        cl_buf_deinit(&der);
    }
}

static void test_reasons_are_found_by_name(void **state)
{
    (void)state;
    uint32_t reason = 99;
    assert_true(cl_crl_reason_find("KEYcompromise", 13, &reason));
    assert_int_equal(reason, 1);
    assert_true(cl_crl_reason_find("unspecified", 11, &reason));
    assert_int_equal(reason, 0);
    assert_false(cl_crl_reason_find("", 0, &reason)); /* 7 has no name */
    assert_false(cl_crl_reason_find("key", 3, &reason));
    assert_string_equal(cl_crl_reason_name(6), "certificateHold");
    assert_string_equal(cl_crl_reason_name(11), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_list_is_one),
        cmocka_unit_test(test_every_entry_comes_back),
        cmocka_unit_test(test_a_partitioned_list_says_what_it_is_for),
        cmocka_unit_test(test_what_no_list_may_be_is_not_made),
        cmocka_unit_test(test_reasons_are_found_by_name),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
