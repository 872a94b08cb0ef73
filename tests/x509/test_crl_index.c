/* Long lists: every entry is found, and nothing else, however its serial numbers are chosen; lists
 * that are mapped, not copied. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "support_crl.h"

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

static void test_every_entry_is_found_and_nothing_else(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 31, 32, 33, 1000};
    for (enum t_serials kind = T_RANDOM; kind <= T_LENGTHS; kind++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            struct cl_rd der = t_long_list(&ca, kind, sizes[i]);
            struct cl_crl *crl = NULL;
            uint8_t serial[20];
            uint32_t reason;
            int64_t when;
            assert_int_equal(cl_crl_parse(&crl, der, NULL), CL_OK);
            assert_int_equal(crl->num_entries, sizes[i]);
            assert_int_equal(crl->index != NULL, sizes[i] >= 32);
            for (uint32_t n = 0; n < sizes[i]; n++) {
                struct cl_rd number = t_serial(kind, n, serial);
                assert_true(cl_crl_find(crl, &ca.cert->subject, number, &reason, &when));
                assert_int_equal(when, T_NOW - 86400);
                /* of another issuer; a byte longer; another first byte */
                assert_false(cl_crl_find(crl, &(struct cl_name){0}, number, &reason, &when));
                serial[0] = (uint8_t)(serial[0] ^ 0x80);
                assert_false(cl_crl_find(crl, &ca.cert->subject, number, &reason, &when));
            }
            cl_crl_free(crl);
            cl_free((void *)(uintptr_t)der.p);
        }
    }
}

static void count_release(void *ctx)
{
    ++*(int *)ctx;
}

static void test_a_mapped_list_is_not_copied_and_is_released_once(void **state)
{
    (void)state;
    struct cl_rd der = t_long_list(&ca, T_RANDOM, 100);
    struct cleat_crl_set *set = NULL;
    int released = 0;
    struct cleat_error err = {0};
    assert_int_equal(cleat_crl_set_new(&set), CLEAT_OK);
    assert_int_equal(cleat_crl_set_add_mapped(set, der.p, der.len, count_release, &released, &err),
                     CLEAT_OK);
    assert_ptr_equal(set->crls[0]->der.p, der.p);
    assert_int_equal(cleat_crl_set_num(set), 1);
    struct cleat_crl_set *again = cleat_crl_set_ref(set);
    cleat_crl_set_free(set);
    assert_int_equal(released, 0);
    cleat_crl_set_free(again);
    assert_int_equal(released, 1);
    /* one that is refused is released as well */
    assert_int_equal(cleat_crl_set_new(&set), CLEAT_OK);
    assert_int_equal(
        cleat_crl_set_add_mapped(set, der.p, der.len - 1, count_release, &released, &err),
        CLEAT_ERR_BAD_CERTIFICATE);
    assert_int_equal(released, 2);
    assert_int_equal(cleat_crl_set_num(set), 0);
    cleat_crl_set_free(set);
    assert_int_equal(released, 2);
    cl_free((void *)(uintptr_t)der.p);
}

static void test_a_signature_that_was_good_is_remembered_for_its_signer_alone(void **state)
{
    (void)state;
    struct cl_rd der = t_long_list(&ca, T_RANDOM, 40);
    struct cl_crl *crl = NULL;
    struct entity other = t_ca("CA", NULL, 1);
    assert_int_equal(cl_crl_parse(&crl, der, NULL), CL_OK);
    assert_false(cl_crl_known_good(crl, ca.cert));
    cl_crl_note_good(crl, ca.cert);
    assert_true(cl_crl_known_good(crl, ca.cert));
    assert_false(cl_crl_known_good(crl, other.cert));
    cl_crl_note_good(crl, other.cert);
    assert_true(cl_crl_known_good(crl, ca.cert));
    cl_crl_free(crl);
    t_free(&other);
    cl_free((void *)(uintptr_t)der.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_entry_is_found_and_nothing_else),
        cmocka_unit_test(test_a_mapped_list_is_not_copied_and_is_released_once),
        cmocka_unit_test(test_a_signature_that_was_good_is_remembered_for_its_signer_alone),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
