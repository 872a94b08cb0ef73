/* Long lists: every entry is found, and nothing else, however its serial numbers are chosen; lists
 * that are mapped, not copied. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cleat/revocation.h"
#include "support_x509.h"
#include "x509/crl.h"

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

static uint32_t draw(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed;
}

/* The n-th serial number of a kind: random ones, counted ones, ones that differ in the last byte of
 * twenty alone, ones of every length. */
enum kind { RANDOM, COUNTED, LAST_BYTES, LENGTHS };

static struct cl_rd serial_of(enum kind kind, uint32_t n, uint8_t out[20])
{
    uint32_t seed = n + 1;
    memset(out, 0x11, 20);
    switch (kind) {
    case RANDOM:
        for (size_t i = 0; i < 16; i += 4) {
            const uint32_t word = draw(&seed) & 0x7fffffff;
            memcpy(out + i, &word, 4);
        }
        out[0] = (uint8_t)((out[0] & 0x7f) | 1);
        return cl_rd_of(out, 16);
    case COUNTED:
        out[0] = 1;
        out[1] = (uint8_t)(n >> 16);
        out[2] = (uint8_t)(n >> 8);
        out[3] = (uint8_t)n;
        return cl_rd_of(out, 4);
    case LAST_BYTES:
        out[18] = (uint8_t)(n >> 8);
        out[19] = (uint8_t)n;
        return cl_rd_of(out, 20);
    default:
        out[0] = (uint8_t)(1 + n / 20 % 127);
        return cl_rd_of(out, 1 + n % 20);
    }
}

/* A list of num entries, in an order that is not theirs; the bytes are the caller's to free. */
static struct cl_rd make_list(enum kind kind, uint32_t num)
{
    const size_t cap = 300 + (size_t)num * 48;
    uint8_t *tbs = cl_alloc(cap);
    uint8_t *out = cl_alloc(cap + 300);
    uint8_t serial[20];
    assert_non_null(tbs);
    assert_non_null(out);
    struct cl_wr w = cl_wr_of(tbs, cap);
    struct cl_der_mark list = cl_der_open(&w, CL_DER_SEQUENCE);
    cl_der_put_u32(&w, 1);
    assert_true(cl_alg_put(&w, cl_sig_scheme(0x0403)));
    cl_wr_view(&w, ca.cert->subject.der);
    cl_der_put_time(&w, T_NOW - 3600);
    cl_der_put_time(&w, T_NOW + 86400);
    struct cl_der_mark entries = cl_der_open(&w, CL_DER_SEQUENCE);
    for (uint32_t i = 0; i < num; i++) {
        struct cl_der_mark entry = cl_der_open(&w, CL_DER_SEQUENCE);
        cl_der_put(&w, CL_DER_INTEGER, serial_of(kind, (i * 7919u) % num, serial));
        cl_der_put_time(&w, T_NOW - 86400);
        cl_der_close(&w, entry);
    }
    cl_der_close(&w, entries);
    cl_der_close(&w, list);
    assert_true(cl_wr_ok(&w));
    struct cl_wr whole = cl_wr_of(out, cap + 300);
    struct cl_der_mark crl = cl_der_open(&whole, CL_DER_SEQUENCE);
    cl_wr_view(&whole, cl_rd_of(tbs, w.len));
    assert_true(cl_alg_put(&whole, cl_sig_scheme(0x0403)));
    cl_der_put_bits(&whole, cl_rd_of("signature", 9), 0);
    cl_der_close(&whole, crl);
    assert_true(cl_wr_ok(&whole));
    cl_free(tbs);
    return cl_rd_of(out, whole.len);
}

static void test_every_entry_is_found_and_nothing_else(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 31, 32, 33, 1000};
    for (enum kind kind = RANDOM; kind <= LENGTHS; kind++) {
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            struct cl_rd der = make_list(kind, sizes[i]);
            struct cl_crl *crl = NULL;
            uint8_t serial[20];
            uint32_t reason;
            int64_t when;
            assert_int_equal(cl_crl_parse(&crl, der, NULL), CL_OK);
            assert_int_equal(crl->num_entries, sizes[i]);
            assert_int_equal(crl->index != NULL, sizes[i] >= 32);
            for (uint32_t n = 0; n < sizes[i]; n++) {
                struct cl_rd number = serial_of(kind, n, serial);
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
    struct cl_rd der = make_list(RANDOM, 100);
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
    struct cl_rd der = make_list(RANDOM, 40);
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
