/* Revocation by OCSP responses: whose word counts, about whom, for how long.
 *
 * root - ca - leaf; responder and two that may not be one below ca; other beside ca. */
#include <stdio.h>
#include <string.h>

#include "support_crl.h"
#include "support_ocsp.h"

static struct entity root, ca, leaf, stapling, other;
static struct entity responder, unappointed, expired, foreign, same_name;

/* TLS feature status_request (RFC 7633) */
static const uint8_t feature[] = {0x30, 3, 2, 1, 5};

static struct entity make_stapling(void)
{
    return t_leaf_with(
        "stapling", &ca, 4,
        (struct cl_cert_raw_ext){"1.3.6.1.5.5.7.1.24", false, cl_rd_of(feature, sizeof(feature))});
}

static int make_world(void **state)
{
    (void)state;
    root = t_ca("Root", NULL, 0);
    ca = t_ca("CA", &root, 1);
    other = t_ca("Other", &root, 2);
    same_name = t_ca("CA", &root, 3);
    leaf = t_leaf("leaf.example.com", &ca, 4);
    stapling = make_stapling();
    responder = t_responder("Responder", &ca, 5, true, true, 0);
    unappointed = t_responder("Responder", &ca, 5, false, false, 0);
    expired = t_responder("Responder", &ca, 5, true, true, T_NOW - 1);
    foreign = t_responder("Responder", &other, 5, true, true, 0);
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    struct entity *all[] = {&root,      &ca,          &leaf,    &stapling, &other,
                            &responder, &unappointed, &expired, &foreign,  &same_name};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        t_free(all[i]);
    }
    return 0;
}

/* The verdict on a leaf when the responses (and lists) given are all there is. */
static int judge(const struct entity *which, struct cl_verify_params params, char *text)
{
    const struct cleat_cert *chain[] = {which->cert, ca.cert};
    return t_told(&root, chain, 2, params, text);
}

#define ABOUT_LEAF                           \
    {                                        \
        .cert = leaf.cert, .issuer = ca.cert \
    }

struct row {
    const char *name;
    struct t_ocsp response;
    int code; /* with hard-fail */
    const char *says;
};

static void check_row(const struct row *row)
{
    char text[T_TEXT];
    struct t_ocsp all[] = {{.signer = &root, .answers = {{.cert = ca.cert, .issuer = root.cert}}},
                           row->response};
    struct cl_verify_params params = {.revocation = CLEAT_REVOCATION_REQUIRED};
    struct cleat_ocsp_set *set = t_ocsp_set(all, 2);
    params.ocsp = set;
    const int code = judge(&leaf, params, text);
    if (code != row->code || strstr(text, row->says) == NULL) {
        fail_msg("%s: %d, %s", row->name, code, text);
    }
    params.revocation = CLEAT_REVOCATION_IF_KNOWN;
    if (judge(&leaf, params, text) != (code == CLEAT_ERR_REVOCATION_UNKNOWN ? CLEAT_OK : code)) {
        fail_msg("%s: soft-fail: %s", row->name, text);
    }
    cleat_ocsp_set_free(set);
}

static void check_rows(const struct row *rows, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        check_row(&rows[i]);
    }
}
#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

/* What a row says of the leaf, in short. */
#define ANSWER(...)                                       \
    {                                                     \
        .cert = leaf.cert, .issuer = ca.cert, __VA_ARGS__ \
    }
#define UNKNOWN CLEAT_ERR_REVOCATION_UNKNOWN

static void test_the_issuer_or_whom_it_appointed_must_have_signed(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"the issuer itself", {.signer = &ca, .answers = {ABOUT_LEAF}}, CLEAT_OK, "good"},
        {"named by its key",
         {.signer = &ca, .by_key = true, .answers = {ABOUT_LEAF}},
         CLEAT_OK,
         "good"},
        {"a forged signature",
         {.signer = &ca, .bad_signature = true, .answers = {ABOUT_LEAF}},
         UNKNOWN,
         "not signed by the issuer"},
        {"signed by another CA of the same name",
         {.signer = &same_name, .certs = {&same_name}, .answers = {ABOUT_LEAF}},
         UNKNOWN,
         "not signed by the issuer"},
        {"a responder that the issuer appointed",
         {.signer = &responder, .certs = {&responder}, .answers = {ABOUT_LEAF}},
         CLEAT_OK,
         "good"},
        {"its certificate comes second",
         {.signer = &responder, .certs = {&other, &responder}, .answers = {ABOUT_LEAF}},
         CLEAT_OK,
         "good"},
        {"a responder whose certificate is missing",
         {.signer = &responder, .answers = {ABOUT_LEAF}},
         UNKNOWN,
         "not signed by the issuer"},
        {"a responder without OCSPSigning",
         {.signer = &unappointed, .certs = {&unappointed}, .answers = {ABOUT_LEAF}},
         UNKNOWN,
         "not signed by the issuer"},
        {"a responder that has expired",
         {.signer = &expired, .certs = {&expired}, .answers = {ABOUT_LEAF}},
         UNKNOWN,
         "not signed by the issuer"},
        {"a responder that another CA appointed",
         {.signer = &foreign, .certs = {&foreign}, .answers = {ABOUT_LEAF}},
         UNKNOWN,
         "not signed by the issuer"},
    };
    CHECK(rows);
}

static void test_every_answer_is_looked_at(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"CertID with SHA-256",
         {.signer = &ca, .answers = {ANSWER(.sha256 = true)}},
         CLEAT_OK,
         "good"},
        {"revoked",
         {.signer = &ca, .answers = {ANSWER(.status = CL_OCSP_REVOKED)}},
         CLEAT_ERR_REVOKED,
         "keyCompromise"},
        {"unknown",
         {.signer = &ca, .answers = {ANSWER(.status = CL_OCSP_UNKNOWN)}},
         UNKNOWN,
         "does not know the certificate"},
        {"CVE-2026-3832: the second answer says revoked",
         {.signer = &ca, .answers = {ABOUT_LEAF, ANSWER(.status = CL_OCSP_REVOKED)}},
         CLEAT_ERR_REVOKED,
         ""},
        {"others are answered first",
         {.signer = &ca,
          .answers = {{.cert = other.cert, .issuer = root.cert, .status = CL_OCSP_REVOKED},
                      ABOUT_LEAF}},
         CLEAT_OK,
         "good"},
        {"about another certificate",
         {.signer = &ca, .answers = {{.cert = other.cert, .issuer = root.cert}}},
         UNKNOWN,
         "no OCSP response"},
        {"about the same serial number of another issuer of that name",
         {.signer = &ca, .answers = {{.cert = leaf.cert, .issuer = same_name.cert}}},
         UNKNOWN,
         "no OCSP response"},
        {"no answer", {.signer = &ca}, UNKNOWN, "no OCSP response"},
        {"tryLater", {.signer = &ca, .response_status = 3}, UNKNOWN, "answered with an error"},
        {"an unknown critical extension of the response",
         {.signer = &ca, .unknown_critical = true, .answers = {ABOUT_LEAF}},
         UNKNOWN,
         "critical extension"},
        {"an unknown critical extension of the answer",
         {.signer = &ca, .answers = {ANSWER(.unknown_critical = true)}},
         UNKNOWN,
         "critical extension"},
    };
    CHECK(rows);
}

static void test_a_response_must_be_current(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"out of date",
         {.signer = &ca, .answers = {ANSWER(.next_update = T_NOW - 1)}},
         UNKNOWN,
         "out of date"},
        {"from the future",
         {.signer = &ca, .answers = {ANSWER(.this_update = T_NOW + 301)}},
         UNKNOWN,
         "from the future"},
        {"a clock that differs by minutes",
         {.signer = &ca, .answers = {ANSWER(.this_update = T_NOW + 299)}},
         CLEAT_OK,
         "good"},
        {"without nextUpdate, six days old",
         {.signer = &ca, .answers = {ANSWER(.this_update = T_NOW - 6 * 86400, .next_update = -1)}},
         CLEAT_OK,
         "no nextUpdate"},
        {"without nextUpdate, eight days old",
         {.signer = &ca, .answers = {ANSWER(.this_update = T_NOW - 8 * 86400, .next_update = -1)}},
         UNKNOWN,
         "older than is allowed"},
        {"made before the certificate was",
         {.signer = &ca, .produced_at = T_NOW - 2 * T_YEAR, .answers = {ABOUT_LEAF}},
         UNKNOWN,
         "not valid"},
    };
    CHECK(rows);
}

/* What each source must say, and what it may leave to the other. */
static void test_each_source_has_its_own_policy(void **state)
{
    (void)state;
    const struct t_ocsp good[] = {
        {.signer = &root, .answers = {{.cert = ca.cert, .issuer = root.cert}}},
        {.signer = &ca, .answers = {ABOUT_LEAF}}};
    const struct t_crl clean[] = {{.issuer = &root}, {.issuer = &ca}};
    const struct t_crl naming[] = {{.issuer = &root},
                                   {.issuer = &ca, .entries = {{.cert = leaf.cert}}}};
    const struct {
        const char *name;
        const struct t_crl *lists;
        bool responses;
        enum cleat_revocation mode;
        enum cleat_source from_crls;
        enum cleat_source from_ocsp;
        int code;
    } rows[] = {
        {"responses are enough", NULL, true, CLEAT_REVOCATION_REQUIRED, 0, 0, CLEAT_OK},
        {"lists are enough", clean, false, CLEAT_REVOCATION_REQUIRED, 0, 0, CLEAT_OK},
        {"responses do not make up for lists", NULL, true, CLEAT_REVOCATION_IF_KNOWN,
         CLEAT_SOURCE_REQUIRED, 0, CLEAT_ERR_REVOCATION_UNKNOWN},
        {"lists do not make up for responses", clean, false, CLEAT_REVOCATION_IF_KNOWN, 0,
         CLEAT_SOURCE_REQUIRED, CLEAT_ERR_REVOCATION_UNKNOWN},
        {"required, with nothing else asked", NULL, false, CLEAT_REVOCATION_OFF,
         CLEAT_SOURCE_REQUIRED, 0, CLEAT_ERR_REVOCATION_UNKNOWN},
        {"both, and both are there", clean, true, CLEAT_REVOCATION_REQUIRED, CLEAT_SOURCE_REQUIRED,
         CLEAT_SOURCE_REQUIRED, CLEAT_OK},
        {"a list revokes what a response calls good", naming, true, CLEAT_REVOCATION_IF_KNOWN, 0, 0,
         CLEAT_ERR_REVOKED},
        {"a source that is off is not asked", naming, true, CLEAT_REVOCATION_REQUIRED,
         CLEAT_SOURCE_OFF, 0, CLEAT_OK},
        {"and counts for nothing", clean, false, CLEAT_REVOCATION_REQUIRED, CLEAT_SOURCE_OFF, 0,
         CLEAT_ERR_REVOCATION_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[T_TEXT];
        struct cleat_ocsp_set *ocsp = rows[i].responses ? t_ocsp_set(good, 2) : NULL;
        struct cleat_crl_set *crls = rows[i].lists != NULL ? t_crl_set(rows[i].lists, 2) : NULL;
        const int code = judge(&leaf,
                               (struct cl_verify_params){.revocation = rows[i].mode,
                                                         .from_crls = rows[i].from_crls,
                                                         .from_ocsp = rows[i].from_ocsp,
                                                         .crls = crls,
                                                         .ocsp = ocsp},
                               text);
        if (code != rows[i].code) {
            fail_msg("%s: %d, %s", rows[i].name, code, text);
        }
        cleat_ocsp_set_free(ocsp);
        cleat_crl_set_free(crls);
    }
}

struct staple_row {
    const char *name;
    const struct entity *leaf;
    struct t_ocsp staple;
    bool asked;
    bool malformed;
    int code;
    const char *says;
};

/* required: by the options, not by the certificate. */
static void check_staple(const struct staple_row *row, bool required)
{
    char text[T_TEXT];
    uint8_t der[T_MAX_DER];
    size_t len = row->staple.signer != NULL ? t_ocsp_der(&row->staple, der) : 0;
    len -= row->malformed ? 1 : 0;
    const int code = judge(row->leaf,
                           (struct cl_verify_params){.staple = cl_rd_of(der, len),
                                                     .staple_asked = row->asked,
                                                     .staple_required = required},
                           text);
    if (code != row->code || strstr(text, row->says) == NULL) {
        fail_msg("%s: %d, %s", row->name, code, text);
    }
}

/* RFC 7633: the certificate demands a staple; the handshake asked for one, or did not. */
static void test_a_certificate_that_demands_a_staple_needs_a_good_one(void **state)
{
    (void)state;
    const struct t_answer about = {.cert = stapling.cert, .issuer = ca.cert};
    struct t_answer stale = about;
    struct t_answer revoked = about;
    stale.next_update = T_NOW - 1;
    revoked.status = CL_OCSP_REVOKED;
    const struct staple_row rows[] = {
        {"good", &stapling, {.signer = &ca, .answers = {about}}, true, false, CLEAT_OK, "stapled"},
        {"none", &stapling, {0}, true, false, CLEAT_ERR_REVOCATION_UNKNOWN, "there is none"},
        {"stale",
         &stapling,
         {.signer = &ca, .answers = {stale}},
         true,
         false,
         CLEAT_ERR_REVOCATION_UNKNOWN,
         "out of date"},
        {"malformed",
         &stapling,
         {.signer = &ca, .answers = {about}},
         true,
         true,
         CLEAT_ERR_REVOCATION_UNKNOWN,
         "malformed"},
        {"about another",
         &stapling,
         {.signer = &ca, .answers = {ABOUT_LEAF}},
         true,
         false,
         CLEAT_ERR_REVOCATION_UNKNOWN,
         "there is none"},
        {"revoked",
         &stapling,
         {.signer = &ca, .answers = {revoked}},
         true,
         false,
         CLEAT_ERR_REVOKED,
         "revoked"},
        {"not asked for", &stapling, {0}, false, false, CLEAT_OK, "switched off"},
        {"not demanded", &leaf, {0}, true, false, CLEAT_OK, ""},
        {"not demanded, and useless",
         &leaf,
         {.signer = &ca, .answers = {stale}},
         true,
         false,
         CLEAT_OK,
         ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_staple(&rows[i], false);
    }
}

static void test_a_staple_that_the_options_demand_must_be_good(void **state)
{
    (void)state;
    struct t_answer stale = ABOUT_LEAF;
    struct t_answer unknown = ABOUT_LEAF;
    stale.next_update = T_NOW - 1;
    unknown.status = CL_OCSP_UNKNOWN;
    const int missing = CLEAT_ERR_REVOCATION_UNKNOWN;
    const struct staple_row rows[] = {
        {"good", &leaf, {.signer = &ca, .answers = {ABOUT_LEAF}}, true, false, CLEAT_OK, ""},
        {"none", &leaf, {0}, true, false, missing, "is demanded, and there is none"},
        {"none, not asked for", &leaf, {0}, false, false, missing, "there is none"},
        {"stale", &leaf, {.signer = &ca, .answers = {stale}}, true, false, missing, "date"},
        {"unknown", &leaf, {.signer = &ca, .answers = {unknown}}, true, false, missing, ""},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        check_staple(&rows[i], true);
    }
}

/* Nobody would look at the staple, so that none can be demanded, not even by the certificate. */
static void test_no_staple_is_demanded_with_ocsp_off(void **state)
{
    (void)state;
    char text[T_TEXT];
    struct cl_verify_params params = {.from_ocsp = CLEAT_SOURCE_OFF, .staple_asked = true};
    assert_int_equal(judge(&stapling, params, text), CLEAT_OK);
}

/* RFC 6960 4.2.2.2.1: without id-pkix-ocsp-nocheck the responder may have been revoked itself. */
static void test_a_responder_that_was_revoked_says_nothing(void **state)
{
    (void)state;
    char text[T_TEXT];
    struct entity checked = t_responder("Checked", &ca, 5, true, false, 0);
    const struct t_ocsp all[] = {
        {.signer = &root, .answers = {{.cert = ca.cert, .issuer = root.cert}}},
        {.signer = &checked, .certs = {&checked}, .answers = {ABOUT_LEAF}}};
    const struct t_crl naming = {.issuer = &ca, .entries = {{.cert = checked.cert}}};
    struct cleat_ocsp_set *ocsp = t_ocsp_set(all, 2);
    struct cleat_crl_set *crls = t_crl_set(&naming, 1);
    struct cl_verify_params params = {.from_ocsp = CLEAT_SOURCE_REQUIRED, .ocsp = ocsp};
    assert_int_equal(judge(&leaf, params, text), CLEAT_OK);
    params.crls = crls;
    assert_int_equal(judge(&leaf, params, text), CLEAT_ERR_REVOCATION_UNKNOWN);
    cleat_ocsp_set_free(ocsp);
    cleat_crl_set_free(crls);
    t_free(&checked);
}

/* Any byte of a good response changed: never more than it said before. */
static void test_a_changed_response_never_says_good(void **state)
{
    (void)state;
    uint8_t der[T_MAX_DER];
    char text[T_TEXT];
    const struct t_ocsp good = {
        .signer = &responder, .certs = {&responder}, .answers = {ABOUT_LEAF}};
    const size_t len = t_ocsp_der(&good, der);
    for (size_t i = 0; i < len; i++) {
        struct cleat_ocsp_set *set = NULL;
        assert_int_equal(cleat_ocsp_set_new(&set), CLEAT_OK);
        der[i] ^= 0x01;
        const int added = cleat_ocsp_set_add(set, der, len, NULL);
        const int code = judge(&leaf,
                               (struct cl_verify_params){.ocsp = set,
                                                         .revocation = CLEAT_REVOCATION_REQUIRED,
                                                         .from_ocsp = CLEAT_SOURCE_REQUIRED},
                               text);
        if (code == CLEAT_OK) {
            fail_msg("byte %zu of %zu (%d)", i, len, added);
        }
        der[i] ^= 0x01;
        cleat_ocsp_set_free(set);
    }
}

static void test_a_truncated_response_is_refused(void **state)
{
    (void)state;
    uint8_t der[T_MAX_DER];
    struct cl_ocsp *response;
    const struct t_ocsp good = {
        .signer = &responder, .certs = {&responder}, .answers = {ABOUT_LEAF}};
    const size_t len = t_ocsp_der(&good, der);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(cl_ocsp_parse(&response, cl_rd_of(der, i), NULL),
                         CLEAT_ERR_BAD_CERTIFICATE);
    }
    assert_int_equal(cl_ocsp_parse(&response, cl_rd_of(der, len), NULL), CL_OK);
    cl_ocsp_free(response);
}

static void test_a_request_names_the_certificate_as_the_response_does(void **state)
{
    (void)state;
    uint8_t request[CLEAT_OCSP_MAX_REQUEST];
    uint8_t der[T_MAX_DER];
    uint8_t nonce[32] = {7};
    size_t len;
    struct cl_ocsp *response;
    struct cl_ocsp_answer answer;
    const struct t_ocsp good = {
        .signer = &ca, .answers = {ABOUT_LEAF}, .nonce = cl_rd_of(nonce, sizeof(nonce))};
    assert_int_equal(cleat_ocsp_request(leaf.cert, ca.cert, nonce, sizeof(nonce), request,
                                        sizeof(request), &len),
                     CLEAT_OK);
    const size_t der_len = t_ocsp_der(&good, der);
    assert_int_equal(cl_ocsp_parse(&response, cl_rd_of(der, der_len), NULL), CL_OK);
    assert_true(cl_rd_equal(response->nonce, cl_rd_of(nonce, sizeof(nonce))));
    struct cl_rd rest = response->answers;
    assert_true(cl_ocsp_next(&rest, &answer));
    assert_non_null(memmem(request, len, answer.issuer_name_hash.p, answer.issuer_name_hash.len));
    assert_non_null(memmem(request, len, answer.issuer_key_hash.p, answer.issuer_key_hash.len));
    assert_non_null(memmem(request, len, nonce, sizeof(nonce)));
    cl_ocsp_free(response);
    assert_int_equal(cleat_ocsp_request(leaf.cert, ca.cert, nonce, 0, request, 20, &len),
                     CLEAT_ERR_LIMIT);
    assert_int_equal(len, 0);
    assert_int_equal(cleat_ocsp_request(leaf.cert, ca.cert, request, 129, request, 512, &len),
                     CLEAT_ERR_USAGE);
}

static void test_an_answer_to_another_request_is_not_added(void **state)
{
    static const uint8_t asked[32] = {7}, stale[32] = {8};
    static const struct {
        struct cl_rd carried;
        bool required;
        int code;
    } rows[] = {
        {{asked, sizeof(asked)}, true, CLEAT_OK},
        {{asked, sizeof(asked)}, false, CLEAT_OK},
        {{stale, sizeof(stale)}, true, CLEAT_ERR_OCSP_NONCE},
        {{stale, sizeof(stale)}, false, CLEAT_ERR_OCSP_NONCE},
        {{asked, sizeof(asked) - 1}, false, CLEAT_ERR_OCSP_NONCE},
        {{NULL, 0}, true, CLEAT_ERR_OCSP_NONCE},
        {{NULL, 0}, false, CLEAT_OK},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct t_ocsp good = {
            .signer = &ca, .answers = {ABOUT_LEAF}, .nonce = rows[i].carried};
        uint8_t der[T_MAX_DER];
        const size_t len = t_ocsp_der(&good, der);
        struct cleat_error err = {0};
        struct cleat_ocsp_set *set;
        assert_int_equal(cleat_ocsp_set_new(&set), CLEAT_OK);
        assert_int_equal(
            cleat_ocsp_set_add_answer(set, der, len, asked, sizeof(asked), rows[i].required, &err),
            rows[i].code);
        assert_int_equal(cleat_ocsp_set_num(set), rows[i].code == CLEAT_OK);
        assert_int_equal(err.code, rows[i].code);
        cleat_ocsp_set_free(set);
    }
}

/* ---- sets that share what they hold ---- */

static void test_a_set_shares_the_responses_of_another_that_goes(void **state)
{
    const struct t_ocsp good = {
        .signer = &responder, .certs = {&responder}, .answers = {ABOUT_LEAF}};
    char text[512];
    struct cleat_ocsp_set *all, *one = t_ocsp_set(&good, 1);
    assert_int_equal(cleat_ocsp_set_new(&all), CLEAT_OK);
    for (size_t i = 0; i < CL_OCSP_MAX; i++) {
        assert_int_equal(cleat_ocsp_set_add_set(all, one), CLEAT_OK);
    }
    assert_int_equal(cleat_ocsp_set_add_set(all, one), CLEAT_ERR_LIMIT);
    assert_int_equal(cleat_ocsp_set_num(all), CL_OCSP_MAX);
    cleat_ocsp_set_free(one);
    const struct cl_verify_params params = {
        .revocation = CLEAT_REVOCATION_REQUIRED, .from_crls = CLEAT_SOURCE_OFF, .ocsp = all};
    struct cl_verify_params unasked = params;
    unasked.ocsp = NULL;
    /* the CA's certificate has no response: only the leaf is looked at, under the CA as anchor */
    const struct cleat_cert *chain[] = {leaf.cert};
    assert_int_equal(t_told(&ca, chain, 1, params, text), CLEAT_OK);
    assert_int_equal(t_told(&ca, chain, 1, unasked, text), CLEAT_ERR_REVOCATION_UNKNOWN);
    cleat_ocsp_set_free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_issuer_or_whom_it_appointed_must_have_signed),
        cmocka_unit_test(test_every_answer_is_looked_at),
        cmocka_unit_test(test_a_response_must_be_current),
        cmocka_unit_test(test_each_source_has_its_own_policy),
        cmocka_unit_test(test_a_certificate_that_demands_a_staple_needs_a_good_one),
        cmocka_unit_test(test_a_staple_that_the_options_demand_must_be_good),
        cmocka_unit_test(test_no_staple_is_demanded_with_ocsp_off),
        cmocka_unit_test(test_a_responder_that_was_revoked_says_nothing),
        cmocka_unit_test(test_a_changed_response_never_says_good),
        cmocka_unit_test(test_a_truncated_response_is_refused),
        cmocka_unit_test(test_a_request_names_the_certificate_as_the_response_does),
        cmocka_unit_test(test_an_answer_to_another_request_is_not_added),
        cmocka_unit_test(test_a_set_shares_the_responses_of_another_that_goes),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
