/* Traps that other verifiers fell into with OCSP responses: who may sign, which of several answers
 * counts, hashes and algorithms that nobody knows, times that make no sense.
 *
 * ca is the anchor, and leaf was issued by it; other is another authority. */
#include <stdio.h>
#include <string.h>

#include "support_crl.h"
#include "support_ocsp.h"

static struct entity ca, leaf, other, below;

static int make_world(void **state)
{
    (void)state;
    ca = t_ca("CA", NULL, 1);
    other = t_ca("Other", NULL, 2);
    below = t_ca("Below", &ca, 5);
    leaf = t_leaf("leaf.example.com", &ca, 3);
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    t_free(&ca);
    t_free(&other);
    t_free(&below);
    t_free(&leaf);
    return 0;
}

#define UNKNOWN CLEAT_ERR_REVOCATION_UNKNOWN
#define REVOKED CLEAT_ERR_REVOKED

#define ANSWER(...)                                       \
    {                                                     \
        .cert = leaf.cert, .issuer = ca.cert, __VA_ARGS__ \
    }

struct row {
    const char *name;
    struct t_ocsp response;
    int code;
};

static void check_rows(const struct row *rows, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        char text[T_TEXT];
        struct cleat_ocsp_set *set = t_ocsp_set(&rows[i].response, 1);
        const struct cl_verify_params params = {.ocsp = set,
                                                .revocation = CLEAT_REVOCATION_REQUIRED};
        const int code =
            t_told(&ca, (const struct cleat_cert *const[]){leaf.cert}, 1, params, text);
        if (code != rows[i].code) {
            fail_msg("%s: %s, %s", rows[i].name, cleat_error_name(code), text);
        }
        cleat_ocsp_set_free(set);
    }
}
#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

/* CVE-2026-3832: an answer behind the first one. Of several the worst counts. */
static void test_of_several_answers_the_worst_counts_in_any_order(void **state)
{
    (void)state;
    const struct t_answer good = ANSWER(.this_update = 0);
    const struct t_answer revoked = ANSWER(.status = CL_OCSP_REVOKED);
    const struct t_answer unknown = ANSWER(.status = CL_OCSP_UNKNOWN);
    const struct t_answer stale = ANSWER(.status = CL_OCSP_REVOKED, .next_update = T_NOW - 1);
    const struct t_answer strange = ANSWER(.status = CL_OCSP_REVOKED, .unknown_critical = true);
    const struct t_answer others = {.cert = other.cert, .issuer = other.cert};
    const struct row rows[] = {
        {"good, revoked", {.signer = &ca, .answers = {good, revoked}}, REVOKED},
        {"revoked, good", {.signer = &ca, .answers = {revoked, good}}, REVOKED},
        {"revoked last of four",
         {.signer = &ca, .answers = {others, good, good, revoked}},
         REVOKED},
        {"good, unknown", {.signer = &ca, .answers = {good, unknown}}, UNKNOWN},
        {"unknown, good", {.signer = &ca, .answers = {unknown, good}}, UNKNOWN},
        {"unknown, revoked", {.signer = &ca, .answers = {unknown, revoked}}, REVOKED},
        {"good twice", {.signer = &ca, .answers = {good, good}}, CLEAT_OK},
        {"good, and another's", {.signer = &ca, .answers = {good, others}}, CLEAT_OK},
        {"revoked with an unknown critical extension, good",
         {.signer = &ca, .answers = {strange, good}},
         UNKNOWN},
        {"good, revoked with an unknown critical extension",
         {.signer = &ca, .answers = {good, strange}},
         UNKNOWN},
        /* what is out of date is no answer */
        {"stale revoked, good", {.signer = &ca, .answers = {stale, good}}, CLEAT_OK},
        {"stale revoked", {.signer = &ca, .answers = {stale}}, UNKNOWN},
    };
    CHECK(rows);
}

/* The same serial number under another issuer's name or key; hashes of another kind. */
static void test_an_answer_is_about_one_issuer_and_one_serial_number(void **state)
{
    (void)state;
    struct entity same_name = t_ca("CA", NULL, 6);
    struct entity its_leaf = t_leaf("leaf.example.com", &other, 3);
    const struct row rows[] = {
        {"another key of the issuer's name",
         {.signer = &ca, .answers = {{.cert = leaf.cert, .issuer = same_name.cert}}},
         UNKNOWN},
        {"another name of the issuer's key",
         {.signer = &ca, .answers = {{.cert = its_leaf.cert, .issuer = ca.cert}}},
         UNKNOWN},
        {"hashes with SHA-256", {.signer = &ca, .answers = {ANSWER(.sha256 = true)}}, CLEAT_OK},
        {"SHA-1 hashes that are called SHA-256",
         {.signer = &ca, .answers = {ANSWER(.hash_oid = "2.16.840.1.101.3.4.2.1")}},
         UNKNOWN},
        {"hashes called MD5",
         {.signer = &ca, .answers = {ANSWER(.hash_oid = "1.2.840.113549.2.5")}},
         UNKNOWN},
        {"hashes of a kind that nobody knows, revoked",
         {.signer = &ca,
          .answers = {ANSWER(.hash_oid = "1.3.6.1.4.1.99999.2", .status = CL_OCSP_REVOKED)}},
         UNKNOWN},
        {"and one that is known behind it",
         {.signer = &ca,
          .answers = {ANSWER(.hash_oid = "1.3.6.1.4.1.99999.2"), ANSWER(.sha256 = true)}},
         CLEAT_OK},
    };
    CHECK(rows);
    t_free(&same_name);
    t_free(&its_leaf);
}

/* A responder's certificate with any value of extended key usage and any key usage. */
static struct entity responder_with(struct cl_rd eku, unsigned key_usage, bool unknown_critical,
                                    int64_t not_before)
{
    static const uint8_t null[] = {5, 0};
    const struct cl_cert_raw_ext exts[] = {
        {"2.5.29.37", false, eku}, {"1.3.6.1.4.1.99999.1", true, cl_rd_of(null, sizeof(null))}};
    struct cl_cert_template tpl = t_template("Responder", &ca, t_key(7), false);
    tpl.ext_key_usage = 0;
    tpl.key_usage = key_usage;
    tpl.raw_exts = exts;
    tpl.num_raw_exts = unknown_critical ? 2 : 1;
    tpl.not_before = not_before;
    return t_make(&tpl, &ca, t_key(7));
}

/* RFC 6960 4.2.2.2: OCSPSigning, by name, in a certificate that the issuer itself has issued. */
static void test_a_delegated_responder_must_have_been_appointed_by_the_issuer(void **state)
{
    (void)state;
    static const uint8_t ocsp[] = {0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 9};
    static const uint8_t any[] = {0x30, 6, 6, 4, 0x55, 0x1d, 0x25, 0};
    const struct cl_rd signing = cl_rd_of(ocsp, sizeof(ocsp));
    const int64_t since = T_NOW - T_YEAR / 2;
    struct entity made[] = {
        responder_with(signing, CL_KU_DIGITAL_SIGNATURE, false, since),
        responder_with(signing, 0, false, since),
        responder_with(cl_rd_of(any, sizeof(any)), CL_KU_DIGITAL_SIGNATURE, false, since),
        responder_with(signing, CL_KU_KEY_AGREEMENT, false, since),
        responder_with(signing, CL_KU_DIGITAL_SIGNATURE, true, since),
        responder_with(signing, CL_KU_DIGITAL_SIGNATURE, false, T_NOW + 1),
        t_responder("Responder", &below, 7, true, true, 0),
        t_responder("Responder", &other, 7, true, true, 0),
        t_responder("Responder", NULL, 7, true, true, 0),
        t_responder("Responder", &ca, 7, true, true, T_NOW - 1),
        t_responder("Responder", &ca, 7, false, true, 0),
    };
    static const struct {
        const char *name;
        int code;
    } wanted[] = {
        {"appointed", CLEAT_OK},
        {"appointed, without key usage", CLEAT_OK},
        {"anyExtendedKeyUsage is not OCSPSigning", UNKNOWN},
        {"a key usage without digitalSignature", UNKNOWN},
        {"an unknown critical extension", UNKNOWN},
        {"not valid yet", UNKNOWN},
        {"appointed by an authority below the issuer", UNKNOWN},
        {"appointed by another authority", UNKNOWN},
        {"appointed by itself", UNKNOWN},
        {"expired", UNKNOWN},
        {"no OCSPSigning", UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        const struct row row = {
            wanted[i].name,
            {.signer = &made[i], .certs = {&made[i], &below}, .answers = {ANSWER(.sha256 = true)}},
            wanted[i].code};
        check_rows(&row, 1);
    }
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        t_free(&made[i]);
    }
}

static void test_who_is_named_must_be_who_signed(void **state)
{
    (void)state;
    struct entity responder = t_responder("Responder", &ca, 7, true, true, 0);
    const struct row rows[] = {
        {"the issuer signed, another is named",
         {.signer = &ca, .named = &other, .answers = {ANSWER(.sha256 = true)}},
         UNKNOWN},
        {"a responder signed, the issuer is named",
         {.signer = &responder,
          .named = &ca,
          .certs = {&responder},
          .answers = {ANSWER(.sha256 = true)}},
         UNKNOWN},
        {"the leaf answers for itself",
         {.signer = &leaf, .certs = {&leaf}, .answers = {ANSWER(.sha256 = true)}},
         UNKNOWN},
    };
    CHECK(rows);
    t_free(&responder);
}

/* CVE-2026-5194: a digest, or a kind of signature, that does not go with the key. */
static void test_the_algorithm_of_a_response_must_be_that_of_its_signature(void **state)
{
    (void)state;
    /* sha256WithRSAEncryption; ecdsa-with-SHA384, -SHA1; an OID that nobody knows */
    static const uint8_t rsa[] = {0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 11, 5, 0};
    static const uint8_t sha384[] = {0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3};
    static const uint8_t sha1[] = {0x30, 9, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1};
    static const uint8_t nobodys[] = {0x30, 5, 6, 3, 0x2b, 0x65, 0x7f};
    const struct cl_rd algorithms[] = {cl_rd_of(rsa, sizeof(rsa)), cl_rd_of(sha384, sizeof(sha384)),
                                       cl_rd_of(sha1, sizeof(sha1)),
                                       cl_rd_of(nobodys, sizeof(nobodys))};
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++) {
        char name[40];
        (void)snprintf(name, sizeof(name), "algorithm %zu", i);
        const struct row row = {
            name,
            {.signer = &ca, .algorithm = algorithms[i], .answers = {ANSWER(.sha256 = true)}},
            UNKNOWN};
        check_rows(&row, 1);
    }
}

static void test_times_that_make_no_sense_prove_nothing(void **state)
{
    (void)state;
    const struct row rows[] = {
        {"nextUpdate before thisUpdate",
         {.signer = &ca,
          .answers = {ANSWER(.this_update = T_NOW - 60, .next_update = T_NOW - 120)}},
         UNKNOWN},
        {"thisUpdate and nextUpdate in the future",
         {.signer = &ca, .answers = {ANSWER(.this_update = T_NOW + 3600)}},
         UNKNOWN},
        {"without nextUpdate, from the future",
         {.signer = &ca, .answers = {ANSWER(.this_update = T_NOW + 3600, .next_update = -1)}},
         UNKNOWN},
        {"without nextUpdate, old, revoked",
         {.signer = &ca,
          .answers = {ANSWER(.this_update = T_NOW - 8 * 86400, .next_update = -1,
                             .status = CL_OCSP_REVOKED)}},
         UNKNOWN},
        {"made after the certificate's end",
         {.signer = &ca, .produced_at = T_NOW + T_YEAR, .answers = {ANSWER(.sha256 = true)}},
         UNKNOWN},
    };
    CHECK(rows);
}

/* A response about the leaf that other responders, of other authorities, have signed, beside the
 * issuer's own: it neither helps nor harms. */
static void test_responses_of_strangers_change_nothing(void **state)
{
    (void)state;
    char text[T_TEXT];
    const struct cleat_cert *const chain[] = {leaf.cert};
    const struct t_ocsp all[] = {
        {.signer = &other, .answers = {ANSWER(.status = CL_OCSP_REVOKED)}},
        {.signer = &ca, .answers = {ANSWER(.sha256 = true)}},
        {.signer = &other, .answers = {ANSWER(.status = CL_OCSP_REVOKED)}}};
    struct cl_verify_params params = {.revocation = CLEAT_REVOCATION_REQUIRED};
    struct cleat_ocsp_set *set = t_ocsp_set(all, 3);
    params.ocsp = set;
    assert_int_equal(t_told(&ca, chain, 1, params, text), CLEAT_OK);
    cleat_ocsp_set_free(set);
    set = t_ocsp_set(all, 1);
    params.ocsp = set;
    assert_int_equal(t_told(&ca, chain, 1, params, text), UNKNOWN);
    cleat_ocsp_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_several_answers_the_worst_counts_in_any_order),
        cmocka_unit_test(test_an_answer_is_about_one_issuer_and_one_serial_number),
        cmocka_unit_test(test_a_delegated_responder_must_have_been_appointed_by_the_issuer),
        cmocka_unit_test(test_who_is_named_must_be_who_signed),
        cmocka_unit_test(test_the_algorithm_of_a_response_must_be_that_of_its_signature),
        cmocka_unit_test(test_times_that_make_no_sense_prove_nothing),
        cmocka_unit_test(test_responses_of_strangers_change_nothing),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
