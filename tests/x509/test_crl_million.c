/* A list with a million entries in no order: each is found, and nothing else. How fast, tells
 * bench/x509. */
#include <string.h>

#include "base/mem.h"
#include "support_crl.h"

#define NUM 1000000u

/* Some eight thousand of them are looked up, from all over the list. */
static void look_up(const struct cl_crl *crl, enum t_serials kind)
{
    uint8_t serial[20];
    uint32_t reason;
    int64_t when;
    for (uint32_t n = 0; n < NUM; n += 127) {
        const struct cl_rd number = t_serial(kind, n, serial);
        assert_true(cl_crl_find(crl, &crl->issuer, number, &reason, &when));
        serial[number.len - 1] ^= 0x80; /* another that may be listed, or not */
        const bool other = cl_crl_find(crl, &crl->issuer, number, &reason, &when);
        assert_true(!other || kind == T_COUNTED);
        serial[0] ^= 0x40; /* never */
        assert_false(cl_crl_find(crl, &crl->issuer, number, &reason, &when));
    }
}

static void test_a_million_entries_in_no_order_are_found(void **state)
{
    (void)state;
    static const enum t_serials kinds[] = {T_RANDOM, T_COUNTED};
    struct entity ca = t_ca("CA", NULL, 0);
    for (size_t i = 0; i < 2; i++) {
        struct cl_rd der = t_long_list(&ca, kinds[i], NUM);
        struct cl_crl *crl = NULL;
        assert_int_equal(cl_crl_parse_view(&crl, der, NULL), CL_OK);
        assert_int_equal(crl->num_entries, NUM);
        look_up(crl, kinds[i]);
        cl_crl_free(crl);
        cl_free((void *)(uintptr_t)der.p);
    }
    t_free(&ca);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_million_entries_in_no_order_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
