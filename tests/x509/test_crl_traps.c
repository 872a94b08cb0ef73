/* Traps that other verifiers fell into with revocation lists: which distribution point is meant,
 * which of several entries counts, serial numbers that are no numbers of twenty bytes, lists of
 * which a bit was changed.
 *
 * ca is the anchor, and leaf was issued by it; other is another authority. */
#include <string.h>

#include "support_crl.h"

static struct entity ca, leaf, other;

static int make_world(void **state)
{
    (void)state;
    ca = t_ca("CA", NULL, 1);
    other = t_ca("Other", NULL, 2);
    leaf = t_leaf("leaf.example.com", &ca, 3);
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    t_free(&ca);
    t_free(&other);
    t_free(&leaf);
    return 0;
}

#define UNKNOWN CLEAT_ERR_REVOCATION_UNKNOWN
#define REVOKED CLEAT_ERR_REVOKED

static int judge(const struct entity *which, const struct cleat_crl_set *set)
{
    char text[T_TEXT];
    const struct cl_verify_params params = {.crls = set, .revocation = CLEAT_REVOCATION_REQUIRED};
    return t_told(&ca, (const struct cleat_cert *const[]){which->cert}, 1, params, text);
}

static int judge_lists(const struct entity *which, const struct t_crl *crls, size_t num)
{
    struct cleat_crl_set *set = t_crl_set(crls, num);
    const int code = judge(which, set);
    cleat_crl_set_free(set);
    return code;
}

/* ---- distribution points ---- */

#define A "http://a/"
#define B "http://b/"
#define C "http://c/"

/* keyCompromise, and all the others */
#define KEY  0x4000
#define REST 0x3f80

struct point_row {
    const char *name;
    struct t_point points[2]; /* of the certificate */
    size_t num;
    struct t_point idp; /* of the list */
    bool indirect;
    int code;
};

/* A leaf with these points, beside the list and on it: a list that is not about it says nothing,
 * not even "revoked". */
static void check_points(const struct point_row *row)
{
    uint8_t points[600];
    uint8_t idp[300];
    const struct cl_cert_raw_ext ext = {
        "2.5.29.31", false, cl_rd_of(points, t_points(row->points, row->num, points, 600))};
    struct entity pointed =
        row->num != 0 ? t_leaf_with("pointed", &ca, 4, ext) : t_leaf("leaf.example.com", &ca, 4);
    struct t_crl crl = {.issuer = &ca,
                        .idp = cl_rd_of(idp, t_idp(&row->idp, row->indirect, idp, sizeof(idp)))};
    crl.idp.len = crl.idp.len == 2 ? 0 : crl.idp.len; /* an empty one may not be */
    const int unlisted = judge_lists(&pointed, &crl, 1);
    crl.entries[0].cert = pointed.cert;
    const int listed = judge_lists(&pointed, &crl, 1);
    /* what is said for some reasons only is no "good", but "revoked" all the same */
    const bool for_some = row->idp.reasons != 0 || row->points[0].reasons != 0;
    if (unlisted != row->code || (listed == REVOKED) != (row->code == CLEAT_OK || for_some)) {
        fail_msg("%s: %s, listed: %s", row->name, cleat_error_name(unlisted),
                 cleat_error_name(listed));
    }
    t_free(&pointed);
}

/* RFC 5280 6.3.3 (b); webpki (RUSTSEC-2026-0049) looked at the first point alone. */
static void test_every_distribution_point_is_looked_at(void **state)
{
    (void)state;
    const struct point_row rows[] = {
        {"the first of two", {{.uris = {A}}, {.uris = {B}}}, 2, {.uris = {A}}, false, CLEAT_OK},
        {"the second of two", {{.uris = {A}}, {.uris = {B}}}, 2, {.uris = {B}}, false, CLEAT_OK},
        {"the last name of the last point",
         {{.uris = {A}}, {.uris = {A, B}}},
         2,
         {.uris = {C, B}},
         false,
         CLEAT_OK},
        {"neither of two", {{.uris = {A}}, {.uris = {B}}}, 2, {.uris = {C}}, false, UNKNOWN},
        {"behind one of another issuer",
         {{.issuer = other.cert}, {.uris = {A}}},
         2,
         {.uris = {A}},
         false,
         CLEAT_OK},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_points(&rows[i]);
    }
}

static void test_an_issuing_distribution_point_is_matched_in_full(void **state)
{
    (void)state;
    const struct point_row rows[] = {
        {"a list without one", {{.uris = {A}}}, 1, {.reasons = 0}, false, CLEAT_OK},
        {"a certificate without one", {{.reasons = 0}}, 0, {.uris = {A}}, false, UNKNOWN},
        {"the beginning is not enough", {{.uris = {A}}}, 1, {.uris = {A "b"}}, false, UNKNOWN},
        {"nor the same but for case", {{.uris = {A}}}, 1, {.uris = {"http://A/"}}, false, UNKNOWN},
        {"the issuer's name instead",
         {{.reasons = 0}},
         0,
         {.named = ca.cert->subject.der},
         false,
         CLEAT_OK},
        {"another's name instead",
         {{.reasons = 0}},
         0,
         {.named = other.cert->subject.der},
         false,
         UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_points(&rows[i]);
    }
}

/* RFC 5280 4.2.1.13: the CRL issuer's name with one RDN behind it. */
static void test_a_name_relative_to_the_issuer_is_put_together(void **state)
{
    (void)state;
    uint8_t room[300];
    struct cl_wr w = cl_wr_of(room, sizeof(room));
    struct cl_der_mark name = cl_der_open(&w, CL_DER_SEQUENCE);
    cl_wr_view(&w, ca.cert->subject.rdns);
    struct cl_der_mark rdn = cl_der_open(&w, CL_DER_SET);
    struct cl_der_mark attribute = cl_der_open(&w, CL_DER_SEQUENCE);
    cl_der_put_oid_text(&w, "2.5.4.3");
    cl_der_put(&w, CL_DER_UTF8_STRING, cl_rd_str("x"));
    cl_der_close(&w, attribute);
    cl_der_close(&w, rdn);
    cl_der_close(&w, name);
    const struct cl_rd whole = cl_rd_of(room, w.len);
    const struct point_row rows[] = {
        {"both relative", {{.relative = "x"}}, 1, {.relative = "x"}, false, CLEAT_OK},
        {"another", {{.relative = "x"}}, 1, {.relative = "y"}, false, UNKNOWN},
        {"the list's alone", {{.named = whole}}, 1, {.relative = "x"}, false, CLEAT_OK},
        {"the certificate's alone", {{.relative = "x"}}, 1, {.named = whole}, false, CLEAT_OK},
        {"not whole", {{.relative = "y"}}, 1, {.named = whole}, false, UNKNOWN},
        {"a URI is no name", {{.relative = "x"}}, 1, {.uris = {"x"}}, false, UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_points(&rows[i]);
    }
}

/* RFC 5280 6.3.3 (b)(1): with cRLIssuer, "the complete CRL contains an issuing distribution point
 * extension with the indirectCRL boolean asserted". */
static void test_a_point_with_a_crl_issuer_wants_an_indirect_list_of_that_issuer(void **state)
{
    (void)state;
    const struct point_row rows[] = {
        {"direct", {{.uris = {A}, .issuer = ca.cert}}, 1, {.uris = {A}}, false, UNKNOWN},
        {"indirect", {{.uris = {A}, .issuer = ca.cert}}, 1, {.uris = {A}}, true, CLEAT_OK},
        {"of another", {{.uris = {A}, .issuer = other.cert}}, 1, {.uris = {A}}, true, UNKNOWN},
        {"of its name alone",
         {{.issuer = ca.cert}},
         1,
         {.named = ca.cert->subject.der},
         true,
         CLEAT_OK},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_points(&rows[i]);
    }
}

/* RFC 5280 6.3.3 (d): what is not said for all reasons is not "good"; "revoked" is. */
static void test_good_for_some_reasons_is_not_good(void **state)
{
    (void)state;
    const struct point_row rows[] = {
        {"a point for some", {{.uris = {A}, .reasons = KEY}}, 1, {.uris = {A}}, false, UNKNOWN},
        {"points for all of them",
         {{.uris = {A}, .reasons = KEY}, {.uris = {A}, .reasons = REST}},
         2,
         {.uris = {A}},
         false,
         CLEAT_OK},
        {"a list for some", {{.uris = {A}}}, 1, {.uris = {A}, .reasons = KEY}, false, UNKNOWN},
    };
    uint8_t key[20];
    uint8_t rest[20];
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_points(&rows[i]);
    }
    struct t_crl crls[] = {
        {.issuer = &ca,
         .idp = cl_rd_of(key, t_idp(&(struct t_point){.reasons = KEY}, false, key, 20))},
        {.issuer = &ca,
         .idp = cl_rd_of(rest, t_idp(&(struct t_point){.reasons = REST}, false, rest, 20))}};
    assert_int_equal(judge_lists(&leaf, crls, 1), UNKNOWN);
    assert_int_equal(judge_lists(&leaf, crls + 1, 1), UNKNOWN);
    assert_int_equal(judge_lists(&leaf, crls, 2), CLEAT_OK);
    crls[1].entries[0] = (struct t_entry){.cert = leaf.cert, .reason = 4};
    assert_int_equal(judge_lists(&leaf, crls, 2), REVOKED);
    assert_int_equal(judge_lists(&leaf, crls + 1, 1), REVOKED);
}

/* ---- entries ---- */

/* Twice in one list, with reasons of which one is removeFromCRL: short lists are walked through,
 * long ones indexed. */
static void test_of_two_entries_about_a_certificate_the_worse_counts(void **state)
{
    (void)state;
    static const uint8_t reasons[][2] = {{1, 8}, {8, 1}, {6, 8}, {8, 0}, {8, 8}};
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        for (uint32_t others = 0; others <= 40; others += 40) {
            struct t_crl crls[] = {{.issuer = &ca, .number = 5}, {.issuer = &ca, .number = 6}};
            crls[1].num_others = others;
            crls[1].entries[0] = (struct t_entry){.cert = leaf.cert, .reason = reasons[i][0]};
            crls[1].entries[1] = (struct t_entry){.cert = leaf.cert, .reason = reasons[i][1]};
            /* RFC 5280 5.3.1: removeFromCRL "may only appear in delta CRLs": it excuses nobody */
            assert_int_equal(judge_lists(&leaf, crls + 1, 1), REVOKED);
            crls[1].delta_base = 5;
            crls[0].entries[0] = (struct t_entry){.cert = leaf.cert, .reason = 6};
            assert_int_equal(judge_lists(&leaf, crls, 2), i == 4 ? CLEAT_OK : REVOKED);
        }
    }
}

static void test_of_two_lists_the_one_that_names_it_counts(void **state)
{
    (void)state;
    const struct t_crl crls[] = {{.issuer = &ca, .number = 7},
                                 {.issuer = &ca, .number = 6, .entries = {{.cert = leaf.cert}}},
                                 {.issuer = &ca, .number = 7}};
    assert_int_equal(judge_lists(&leaf, crls, 2), REVOKED);
    assert_int_equal(judge_lists(&leaf, crls + 1, 2), REVOKED);
    assert_int_equal(judge_lists(&leaf, crls, 1), CLEAT_OK);
}

/* RFC 5280 4.1.2.2 wants positive ones of at most 20 bytes; CAs have issued others, and a list
 * must find them as they stand. */
static void check_serials(const struct cl_rd *serials, size_t num, uint32_t others)
{
    uint8_t der[T_MAX_DER];
    struct cl_crl *crl = NULL;
    uint32_t reason;
    int64_t when;
    struct t_crl made = {.issuer = &ca, .num_others = others};
    for (size_t i = 0; i < num && i < 4; i++) {
        made.entries[i].serial = serials[i];
    }
    assert_int_equal(cl_crl_parse(&crl, cl_rd_of(der, t_crl_der(&made, der)), NULL), CL_OK);
    assert_int_equal(crl->index != NULL, others != 0);
    for (size_t i = 0; i < num; i++) {
        assert_int_equal(cl_crl_find(crl, &ca.cert->subject, serials[i], &reason, &when), i < 4);
    }
    cl_crl_free(crl);
}

/* Longer than a length of one byte can say: the longer is the later one, whatever it begins with.
 */
static void test_serial_numbers_of_hundreds_of_bytes_are_found(void **state)
{
    (void)state;
    static uint8_t high[400] = {0x7f};
    static uint8_t low[400] = {0x01};
    const struct cl_rd serials[] = {cl_rd_of(high, 255), cl_rd_of(low, 300), cl_rd_of(high, 256),
                                    cl_rd_of(low, 254),  cl_rd_of(low, 256), cl_rd_of(high, 300)};
    check_serials(serials, 6, 0);
    check_serials(serials, 6, 40);
}

static void test_serial_numbers_of_any_length_and_sign_are_told_apart(void **state)
{
    (void)state;
    static uint8_t huge[300] = {0x7f};
    const struct cl_rd serials[] = {
        cl_rd_of("\x00", 1),
        cl_rd_of("\x80", 1),
        cl_rd_of("\x00\x80", 2),
        cl_rd_of("\xff", 1),
        cl_rd_of("\x00\xff", 2),
        cl_rd_of("\xff\x7f", 2),
        cl_rd_of("\x7f", 1),
        cl_rd_of(huge, 20),
        cl_rd_of(huge, 21),
        cl_rd_of(huge, 127),
        cl_rd_of(huge, 128),
        cl_rd_of(huge, sizeof(huge)),
        cl_rd_of(huge, sizeof(huge) - 1),
    };
    const size_t num = sizeof(serials) / sizeof(serials[0]);
    for (uint32_t others = 0; others <= 40; others += 40) {
        for (size_t i = 0; i < num; i++) {
            const struct t_crl made = {
                .issuer = &ca, .num_others = others, .entries = {{.serial = serials[i]}}};
            uint8_t der[T_MAX_DER];
            struct cl_crl *crl = NULL;
            uint32_t reason;
            int64_t when;
            assert_int_equal(cl_crl_parse(&crl, cl_rd_of(der, t_crl_der(&made, der)), NULL), CL_OK);
            assert_int_equal(crl->index != NULL, others != 0);
            for (size_t k = 0; k < num; k++) {
                assert_int_equal(cl_crl_find(crl, &ca.cert->subject, serials[k], &reason, &when),
                                 i == k);
            }
            cl_crl_free(crl);
        }
    }
}

/* ---- signatures, and what was changed ---- */

/* CVE-2026-5194: a digest, or a kind of signature, that does not go with the key. */
static void test_the_algorithm_of_a_list_must_be_that_of_its_signature(void **state)
{
    (void)state;
    /* sha256WithRSAEncryption; ecdsa-with-SHA384, -SHA1; Ed25519 */
    static const uint8_t rsa[] = {0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 11, 5, 0};
    static const uint8_t sha384[] = {0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3};
    static const uint8_t sha1[] = {0x30, 9, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1};
    static const uint8_t ed25519[] = {0x30, 5, 6, 3, 0x2b, 0x65, 0x70};
    const struct cl_rd rows[] = {cl_rd_of(rsa, sizeof(rsa)), cl_rd_of(sha384, sizeof(sha384)),
                                 cl_rd_of(sha1, sizeof(sha1)), cl_rd_of(ed25519, sizeof(ed25519))};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct t_crl crl = {.issuer = &ca, .algorithm = rows[i]};
        assert_int_equal(judge_lists(&leaf, &crl, 1), UNKNOWN);
    }
}

/* Never "good", whatever bit was changed, and whatever the list said before. */
static void test_a_list_with_a_changed_bit_never_says_good(void **state)
{
    (void)state;
    uint8_t der[T_MAX_DER];
    const struct t_crl rows[] = {{.issuer = &ca, .idp = cl_rd_of("\x30\x03\x81\x01\xff", 5)},
                                 {.issuer = &ca, .entries = {{.cert = leaf.cert, .reason = 6}}}};
    for (size_t row = 0; row < 2; row++) {
        const size_t len = t_crl_der(&rows[row], der);
        for (size_t i = 0; i < len; i++) {
            struct cleat_crl_set *set = NULL;
            assert_int_equal(cleat_crl_set_new(&set), CLEAT_OK);
            der[i] ^= (uint8_t)(1u << i % 8);
            (void)cleat_crl_set_add_der(set, der, len, NULL);
            if (judge(&leaf, set) != UNKNOWN) {
                fail_msg("byte %zu of %zu of list %zu", i, len, row);
            }
            der[i] ^= (uint8_t)(1u << i % 8);
            cleat_crl_set_free(set);
        }
    }
}

static void test_a_truncated_list_is_refused(void **state)
{
    (void)state;
    uint8_t der[T_MAX_DER];
    const struct t_crl made = {.issuer = &ca, .entries = {{.cert = leaf.cert, .reason = 6}}};
    const size_t len = t_crl_der(&made, der);
    for (size_t i = 0; i <= len; i++) {
        struct cl_crl *crl = NULL;
        assert_int_equal(cl_crl_parse(&crl, cl_rd_of(der, i), NULL),
                         i == len ? CL_OK : CLEAT_ERR_BAD_CERTIFICATE);
        cl_crl_free(crl);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_distribution_point_is_looked_at),
        cmocka_unit_test(test_an_issuing_distribution_point_is_matched_in_full),
        cmocka_unit_test(test_a_name_relative_to_the_issuer_is_put_together),
        cmocka_unit_test(test_a_point_with_a_crl_issuer_wants_an_indirect_list_of_that_issuer),
        cmocka_unit_test(test_good_for_some_reasons_is_not_good),
        cmocka_unit_test(test_of_two_entries_about_a_certificate_the_worse_counts),
        cmocka_unit_test(test_of_two_lists_the_one_that_names_it_counts),
        cmocka_unit_test(test_serial_numbers_of_any_length_and_sign_are_told_apart),
        cmocka_unit_test(test_serial_numbers_of_hundreds_of_bytes_are_found),
        cmocka_unit_test(test_the_algorithm_of_a_list_must_be_that_of_its_signature),
        cmocka_unit_test(test_a_list_with_a_changed_bit_never_says_good),
        cmocka_unit_test(test_a_truncated_list_is_refused),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
