/* Revocation by lists: which list speaks for a certificate, and what happens when none does.
 *
 * root - ca - leaf; other is a second authority under the root, stranger has another root. */
#include "support_crl.h"

#include <stdio.h>
#include <string.h>

static struct entity root, ca, leaf, other, its_leaf, stranger;
static struct entity pointed; /* a leaf whose distribution point names `other` as cRLIssuer */

/* IssuingDistributionPoint: onlyContainsUserCerts, onlyContainsCACerts, indirectCRL,
 * onlyContainsAttributeCerts */
static const uint8_t idp_user[] = {0x30, 3, 0x81, 1, 0xff};
static const uint8_t idp_ca[] = {0x30, 3, 0x82, 1, 0xff};
static const uint8_t idp_indirect[] = {0x30, 3, 0x84, 1, 0xff};
static const uint8_t idp_attribute[] = {0x30, 3, 0x85, 1, 0xff};
/* fullName URI "http://a/" */
static const uint8_t idp_uri[] = {0x30, 15,  0xa0, 13,  0xa0, 11,  0x86, 9,  'h',
                                  't',  't', 'p',  ':', '/',  '/', 'a',  '/'};
/* onlySomeReasons keyCompromise */
static const uint8_t idp_reasons[] = {0x30, 4, 0x83, 2, 6, 0x40};

#define IDP(x) cl_rd_of(x, sizeof(x))

static struct entity make_pointed(void)
{
    uint8_t room[300];
    const struct t_point point = {.issuer = other.cert};
    const size_t len = t_points(&point, 1, room, sizeof(room));
    return t_leaf_with("pointed", &ca, 4,
                       (struct cl_cert_raw_ext){"2.5.29.31", false, cl_rd_of(room, len)});
}

static int make_world(void **state)
{
    (void)state;
    root = t_ca("Root", NULL, 0);
    ca = t_ca("CA", &root, 1);
    other = t_ca("Other", &root, 2);
    stranger = t_ca("Other", NULL, 3);
    leaf = t_leaf("leaf.example.com", &ca, 4);
    its_leaf = t_leaf("leaf.example.com", &other, 5);
    pointed = make_pointed();
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    struct entity *all[] = {&root, &ca, &leaf, &other, &its_leaf, &stranger, &pointed};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        t_free(all[i]);
    }
    return 0;
}

/* The verdict on which[0] with these lists, every certificate needing one. */
static int judge(const struct entity *which, const struct t_crl *crls, size_t num,
                 enum cleat_revocation mode, char *text)
{
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cleat_crl_set *set = t_crl_set(crls, num);
    struct cl_verify_params params = t_params(trust);
    params.crls = set;
    params.revocation = mode;
    const struct cleat_cert *chain[] = {which->cert, ca.cert, other.cert, stranger.cert};
    struct cleat_verdict *verdict = t_verify(&params, chain, 4);
    const int code = cleat_verdict_code(verdict);
    (void)snprintf(text, 401, "%s", cleat_verdict_error(verdict)->text);
    cleat_verdict_free(verdict);
    cleat_crl_set_free(set);
    cleat_trust_store_free(trust);
    return code;
}

static void test_what_a_list_is_good_for(void **state)
{
    (void)state;
    const struct t_crl rows[] = {
        {.issuer = &ca},
        {.issuer = &ca, .entries = {{.cert = its_leaf.cert}}},
        {.issuer = &ca, .entries = {{.cert = leaf.cert, .reason = 1}}},
        {.issuer = &ca, .idp = IDP(idp_user)},
        {.issuer = &ca, .idp = IDP(idp_ca)},
        {.issuer = &ca, .idp = IDP(idp_attribute)},
        {.issuer = &ca, .idp = IDP(idp_uri)},
        {.issuer = &ca, .idp = IDP(idp_reasons)},
        {.issuer = &ca, .idp = IDP(idp_indirect)},
        {.issuer = &ca, .this_update = T_NOW + 1},
        {.issuer = &ca, .next_update = T_NOW - 1},
        {.issuer = &ca, .next_update = -1},
        {.issuer = &ca, .unknown_critical = true},
        {.issuer = &ca, .entries = {{.cert = its_leaf.cert, .unknown_critical = true}}},
        {.issuer = &ca, .bad_signature = true},
        {.issuer = &other},
        {.issuer = &ca, .number = 2, .delta_base = 1},
        /* certificateIssuer where it may not stand: RFC 5280 5.3.3 */
        {.issuer = &ca, .entries = {{.cert = its_leaf.cert, .issuer = other.cert}}},
    };
    static const struct {
        const char *name;
        int code;
        const char *says;
    } wanted[] = {
        {"an empty list", CLEAT_OK, ""},
        {"a list of others", CLEAT_OK, ""},
        {"listed", CLEAT_ERR_REVOKED, "keyCompromise"},
        {"for user certificates", CLEAT_OK, ""},
        {"for CA certificates", CLEAT_ERR_REVOCATION_UNKNOWN, "no CRL for it"},
        {"for attribute certificates", CLEAT_ERR_REVOCATION_UNKNOWN, "no CRL for it"},
        {"for another distribution point", CLEAT_ERR_REVOCATION_UNKNOWN, "no CRL for it"},
        {"for some reasons only", CLEAT_ERR_REVOCATION_UNKNOWN, ""},
        {"indirect, and the issuer's", CLEAT_OK, ""},
        {"from the future", CLEAT_ERR_REVOCATION_UNKNOWN, "from the future"},
        {"out of date", CLEAT_ERR_REVOCATION_UNKNOWN, "out of date"},
        {"without nextUpdate", CLEAT_ERR_REVOCATION_UNKNOWN, "nextUpdate"},
        {"unknown critical extension", CLEAT_ERR_REVOCATION_UNKNOWN, "not understood"},
        {"unknown critical extension of an entry", CLEAT_ERR_REVOCATION_UNKNOWN, "not understood"},
        {"signature wrong", CLEAT_ERR_REVOCATION_UNKNOWN, "signature"},
        {"of another authority", CLEAT_ERR_REVOCATION_UNKNOWN, "no CRL for it"},
        {"a delta without its base", CLEAT_ERR_REVOCATION_UNKNOWN, "no CRL for it"},
        {"certificateIssuer in a direct list", CLEAT_ERR_REVOCATION_UNKNOWN, "not understood"},
    };
    char text[401];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct t_crl crls[] = {{.issuer = &root}, rows[i]};
        const int code = judge(&leaf, crls, 2, CLEAT_REVOCATION_REQUIRED, text);
        if (code != wanted[i].code || strstr(text, wanted[i].says) == NULL) {
            fail_msg("%s: %s: %s", wanted[i].name, cleat_error_name(code), text);
        }
        /* where a list is not demanded, only what is listed is refused */
        assert_int_equal(judge(&leaf, crls, 2, CLEAT_REVOCATION_IF_KNOWN, text),
                         code == CLEAT_ERR_REVOKED ? code : CLEAT_OK);
    }
}

static void test_a_revoked_intermediate_is_named(void **state)
{
    (void)state;
    const struct t_crl crls[] = {{.issuer = &root, .entries = {{.cert = ca.cert}}},
                                 {.issuer = &ca}};
    char text[401];
    assert_int_equal(judge(&leaf, crls, 2, CLEAT_REVOCATION_IF_KNOWN, text), CLEAT_ERR_REVOKED);
    assert_non_null(strstr(text, "CN=CA"));
}

static void test_a_delta_adds_and_removes(void **state)
{
    (void)state;
    char text[401];
    struct t_crl crls[] = {
        {.issuer = &root},
        {.issuer = &ca, .number = 5},
        {.issuer = &ca, .number = 6, .delta_base = 5, .entries = {{.cert = leaf.cert}}}};
    assert_int_equal(judge(&leaf, crls, 3, CLEAT_REVOCATION_REQUIRED, text), CLEAT_ERR_REVOKED);
    crls[1].entries[0] = (struct t_entry){.cert = leaf.cert, .reason = 6};
    crls[2].entries[0].reason = 8; /* removeFromCRL */
    assert_int_equal(judge(&leaf, crls, 3, CLEAT_REVOCATION_REQUIRED, text), CLEAT_OK);
    crls[2].delta_base = 6; /* it does not go with a base of 5 */
    assert_int_equal(judge(&leaf, crls, 3, CLEAT_REVOCATION_REQUIRED, text), CLEAT_ERR_REVOKED);
}

/* RFC 5280 6.3.3 (b)(1): the list of another authority, when the distribution point says so. */
static void test_an_indirect_list_speaks_for_whom_the_distribution_point_names(void **state)
{
    (void)state;
    char text[401];
    const struct t_entry listed = {.cert = pointed.cert, .issuer = ca.cert};
    struct t_crl crls[] = {{.issuer = &root}, {.issuer = &other, .idp = IDP(idp_indirect)}};
    assert_int_equal(judge(&pointed, crls, 2, CLEAT_REVOCATION_REQUIRED, text), CLEAT_OK);
    crls[1].entries[0] = listed;
    assert_int_equal(judge(&pointed, crls, 2, CLEAT_REVOCATION_REQUIRED, text), CLEAT_ERR_REVOKED);
    /* one that does not name it is not asked about it, even if it lists it */
    crls[1].entries[0].cert = leaf.cert;
    assert_int_equal(judge(&leaf, crls, 2, CLEAT_REVOCATION_IF_KNOWN, text), CLEAT_OK);
    /* and a list of that authority that is not indirect says nothing */
    crls[1] = (struct t_crl){.issuer = &other};
    assert_int_equal(judge(&pointed, crls, 2, CLEAT_REVOCATION_REQUIRED, text),
                     CLEAT_ERR_REVOCATION_UNKNOWN);
}

static void test_entries_of_an_indirect_list_belong_to_the_issuer_named_last(void **state)
{
    (void)state;
    char text[401];
    struct t_crl crls[] = {{.issuer = &root}, {.issuer = &other, .idp = IDP(idp_indirect)}};
    struct t_entry *entries = crls[1].entries;
    entries[0].cert = pointed.cert; /* this number, but of Other's own */
    assert_int_equal(judge(&pointed, crls, 2, CLEAT_REVOCATION_REQUIRED, text), CLEAT_OK);
    entries[0] = (struct t_entry){.cert = its_leaf.cert, .issuer = ca.cert};
    entries[1].cert = pointed.cert; /* follows one of CA's */
    assert_int_equal(judge(&pointed, crls, 2, CLEAT_REVOCATION_REQUIRED, text), CLEAT_ERR_REVOKED);
    entries[1].issuer = root.cert;
    assert_int_equal(judge(&pointed, crls, 2, CLEAT_REVOCATION_REQUIRED, text), CLEAT_OK);
}

/* RFC 5280 6.3.3 (f): "the trust anchor for the certification path MUST be the same" */
static void test_an_indirect_list_of_the_same_name_under_another_root_counts_for_nothing(
    void **state)
{
    (void)state;
    char text[401];
    const struct t_crl crls[] = {{.issuer = &root},
                                 {.issuer = &stranger, .idp = IDP(idp_indirect)}};
    assert_int_equal(judge(&pointed, crls, 2, CLEAT_REVOCATION_REQUIRED, text),
                     CLEAT_ERR_REVOCATION_UNKNOWN);
    assert_non_null(strstr(text, "signature"));
}

static void release(void *ctx)
{
    ++*(int *)ctx;
}

static void test_a_set_shares_the_lists_of_another_that_goes(void **state)
{
    const struct t_crl list = {.issuer = &ca, .entries = {{.cert = leaf.cert}}};
    struct cleat_crl_set *made = t_crl_set(&list, 1), *one, *all;
    const struct cl_rd der = made->crls[0]->der;
    int num_released = 0;
    assert_int_equal(cleat_crl_set_new(&one), CLEAT_OK);
    assert_int_equal(cleat_crl_set_new(&all), CLEAT_OK);
    assert_int_equal(cleat_crl_set_add_mapped(one, der.p, der.len, release, &num_released, NULL),
                     CLEAT_OK);
    for (size_t i = 0; i < CL_CRL_MAX; i++) {
        assert_int_equal(cleat_crl_set_add_set(all, one), CLEAT_OK);
    }
    assert_int_equal(cleat_crl_set_add_set(all, one), CLEAT_ERR_LIMIT);
    assert_int_equal(cleat_crl_set_num(all), CL_CRL_MAX);
    cleat_crl_set_free(one);
    assert_int_equal(num_released, 0); /* somebody still looks at it */
    const struct cl_verify_params params = {.revocation = CLEAT_REVOCATION_IF_KNOWN, .crls = all};
    const struct cleat_cert *chain[] = {leaf.cert};
    char text[512];
    assert_int_equal(t_told(&ca, chain, 1, params, text), CLEAT_ERR_REVOKED);
    cleat_crl_set_free(all);
    assert_int_equal(num_released, 1);
    cleat_crl_set_free(made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_list_is_good_for),
        cmocka_unit_test(test_a_revoked_intermediate_is_named),
        cmocka_unit_test(test_a_delta_adds_and_removes),
        cmocka_unit_test(test_an_indirect_list_speaks_for_whom_the_distribution_point_names),
        cmocka_unit_test(test_entries_of_an_indirect_list_belong_to_the_issuer_named_last),
        cmocka_unit_test(
            test_an_indirect_list_of_the_same_name_under_another_root_counts_for_nothing),
        cmocka_unit_test(test_a_set_shares_the_lists_of_another_that_goes),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
