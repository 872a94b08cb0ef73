/* The public revocation cases of ocsp-crl in CLEAT_TEST_DATA: what each file is, its name and its
 * first line say. Skipped, loudly, when they are not there.
 *
 * Most of the OCSP responses are signed with SHA-1, which is never accepted here. So each is judged
 * twice: as it is, and with those signatures checked by libcrypto, which leaves everything else to
 * the verifier. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "base/pem.h"
#include "cleat/revocation.h"
#include "support_x509.h"
#include "x509/verify_impl.h"

/* 2017-03-05 and 2017-03-09, when the files are to be judged; nothing older than a week counts. */
#define OCSP_TIME 1488672000
#define CRL_TIME  1489017600
#define WEEK      (7 * 86400)

static const struct cl_sig_alg rsa_sha1 = {.name = "sha1WithRSAEncryption",
                                           .key_type = CL_KEY_RSA,
                                           .padding = CL_PAD_PKCS1,
                                           .hash = CL_HASH_SHA1};

struct file {
    struct cl_buf leaf, ca, ca2, proof;
};

static char *read_text(const char *folder, const char *name, size_t *len)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/ocsp-crl/%s/%s", CLEAT_TEST_DATA, folder, name);
    return t_read_file(path, len);
}

/* The first block with each label. */
static void read_file(struct file *f, const char *folder, const char *name)
{
    size_t len;
    struct cl_pem pem;
    struct cl_pem_block block;
    struct cleat_error err = {0};
    bool found = true;
    char *text = read_text(folder, name, &len);
    if (text == NULL) {
        fail_msg("%s cannot be read", name);
    }
    *f = (struct file){0};
    cl_pem_init(&pem, text, len, &err);
    for (;;) {
        if (cl_pem_next(&pem, &block, &found) != CL_OK) {
            fail_msg("%s: %s", name, err.text);
        }
        if (!found) {
            break;
        }
        struct cl_buf *to =
            cl_rd_equal_str(block.label, "CERTIFICATE")        ? &f->leaf
            : cl_rd_equal_str(block.label, "CA CERTIFICATE")   ? &f->ca
            : cl_rd_equal_str(block.label, "CA CERTIFICATE 2") ? &f->ca2
            : cl_rd_equal_str(block.label, "OCSP RESPONSE") || cl_rd_equal_str(block.label, "CRL")
                ? &f->proof
                : NULL;
        if (to != NULL && to->len == 0) {
            assert_int_equal(cl_pem_decode(&pem, &block, to, 1u << 20), CL_OK);
        }
    }
    free(text);
}

static void free_file(struct file *f)
{
    cl_buf_deinit(&f->leaf);
    cl_buf_deinit(&f->ca);
    cl_buf_deinit(&f->ca2);
    cl_buf_deinit(&f->proof);
}

/* A signature with SHA-1, checked by libcrypto. */
static cl_result check_sha1(const struct cl_job_verify *job, struct cl_rd signer_der)
{
    const uint8_t *p = signer_der.p;
    X509 *signer = d2i_X509(NULL, &p, (long)signer_der.len);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const bool good =
        signer != NULL &&
        EVP_DigestVerifyInit(ctx, NULL, EVP_sha1(), NULL, X509_get0_pubkey(signer)) == 1 &&
        EVP_DigestVerify(ctx, job->signature.p, job->signature.len, job->message.p,
                         job->message.len) == 1;
    EVP_MD_CTX_free(ctx);
    X509_free(signer);
    return good ? CL_OK : CLEAT_ERR_BAD_SIGNATURE;
}

/* GOOD, REVOKED or UNKNOWN of the leaf. Most of the chains would be refused before anybody asks
 * about revocation: keys of 1,024 bits, CAs without basic constraints. So the path is set by hand,
 * and only that question asked. */
static enum cl_ocsp_status judge(const struct file *f, struct cl_verify_params params)
{
    const struct cl_buf *files[] = {&f->leaf, &f->ca, &f->ca2};
    struct cleat_cert *certs[3] = {NULL};
    struct cl_verify *v = cl_calloc(1, sizeof(*v));
    enum cl_ocsp_status status = CL_OCSP_UNKNOWN;
    assert_non_null(v);
    v->verdict = cl_calloc(1, sizeof(*v->verdict));
    assert_non_null(v->verdict);
    v->verdict->refs = 1;
    v->verdict->now = params.now;
    v->verdict->revocation = CLEAT_REVOCATION_IF_KNOWN;
    v->max_age = WEEK;
    v->crls = params.crls != NULL ? cleat_crl_set_ref(params.crls) : NULL;
    v->ocsp = params.ocsp != NULL ? cleat_ocsp_set_ref(params.ocsp) : NULL;
    while (v->path.num < 3 && files[v->path.num]->len != 0) {
        const size_t i = v->path.num;
        if (cl_cert_parse(&certs[i], cl_buf_view(files[i]), NULL) != CL_OK) {
            break;
        }
        v->path.certs[v->path.num++] = certs[i];
    }
    const bool complete = v->path.num >= 2;
    v->phase = complete ? CL_PHASE_REVOCATION : CL_PHASE_DONE;
    while (cl_verify_step(v) == CL_VERIFY_NEEDS_JOB) {
        struct cl_job *job = cl_verify_job(v);
        if (job->verify.alg == &rsa_sha1) {
            job->result = check_sha1(&job->verify, v->wanted.signer->der);
            job->status = CL_JOB_DONE;
        } else {
            cl_job_run(job);
        }
    }
    if (complete) {
        status = cleat_verdict_code(v->verdict) == CLEAT_ERR_REVOKED ? CL_OCSP_REVOKED
                 : v->verdict->notes[0].source > CL_NOTE_UNKNOWN     ? CL_OCSP_GOOD
                                                                     : CL_OCSP_UNKNOWN;
    }
    cl_verify_free(v);
    for (size_t i = 0; i < 3; i++) {
        cleat_cert_free(certs[i]);
    }
    return status;
}

struct row {
    const char *name;
    enum cl_ocsp_status says; /* with SHA-1 */
    enum cl_ocsp_status as_it_is;
};
#define G CL_OCSP_GOOD
#define R CL_OCSP_REVOKED
#define U CL_OCSP_UNKNOWN

static enum cl_ocsp_status judge_response(const struct file *f, bool with_sha1)
{
    struct cleat_ocsp_set *set = NULL;
    assert_int_equal(cleat_ocsp_set_new(&set), CLEAT_OK);
    const int added = cleat_ocsp_set_add(set, f->proof.p, f->proof.len, NULL);
    if (added == CLEAT_OK && with_sha1 && set->responses[0]->sig_alg == NULL) {
        set->responses[0]->sig_alg = &rsa_sha1;
    }
    const enum cl_ocsp_status s =
        judge(f, (struct cl_verify_params){.now = OCSP_TIME, .ocsp = set});
    cleat_ocsp_set_free(set);
    return s;
}

static void test_every_response_says_what_its_name_says(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"good_response.pem", G, U},
        {"good_response_sha256.pem", G, G},
        {"good_response_invalid_serial.pem", U, U}, /* the certificate's serial is not DER */
        {"good_response_next_update.pem", G, U},
        {"no_response.pem", U, U},
        {"malformed_request.pem", U, U},
        {"bad_status.pem", U, U},
        {"bad_ocsp_type.pem", U, U},
        {"bad_signature.pem", U, U},
        {"ocsp_sign_direct.pem", G, U},
        {"ocsp_sign_indirect.pem", G, U},
        {"ocsp_sign_indirect_missing.pem", U, U},
        {"ocsp_sign_bad_indirect.pem", U, U},
        {"ocsp_extra_certs.pem", G, U},
        {"has_version.pem", G, U},
        {"responder_name.pem", G, U},
        {"responder_id.pem", G, U},
        {"has_extension.pem", G, U},
        {"revoke_response.pem", R, U},
        {"revoke_response_reason.pem", R, U},
        {"unknown_response.pem", U, U},
        {"multiple_response.pem", U, U},
        {"multiple_response_good_revoked.pem", R, U},
        {"other_response.pem", U, U},
        {"has_single_extension.pem", G, U},
        {"has_critical_single_extension.pem", U, U},
        {"has_critical_response_extension.pem", U, U},
        {"has_critical_ct_extension.pem", G, U},
        {"missing_response.pem", U, U},
        {"stale_response.pem", U, U},
        {"future_response.pem", U, U},
        {"old_response.pem", U, U},
        {"produced_early_response.pem", U, U},
        {"produced_late_response.pem", U, U},
        {"invalid_response.pem", U, U},
        {"invalid_response_data.pem", U, U},
    };
    size_t num_wrong = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct file f;
        read_file(&f, "boringssl/ocsp_unittest", rows[i].name);
        const enum cl_ocsp_status says = judge_response(&f, true);
        const enum cl_ocsp_status as_it_is = judge_response(&f, false);
        if (says != rows[i].says || as_it_is != rows[i].as_it_is) {
            print_message("%s: %d and %d, not %d and %d\n", rows[i].name, says, as_it_is,
                          rows[i].says, rows[i].as_it_is);
            num_wrong++;
        }
        free_file(&f);
    }
    assert_int_equal(num_wrong, 0);
}

static const char *const lists[] = {
    "bad_crldp_has_crlissuer",
    "bad_fake_critical_crlentryextension",
    "bad_fake_critical_extension",
    "bad_idp_contains_wrong_uri",
    "bad_idp_indirectcrl",
    "bad_idp_onlycontainscacerts",
    "bad_idp_onlycontainscacerts_no_basic_constraints",
    "bad_idp_onlycontainsusercerts",
    "bad_idp_uri_and_onlycontainscacerts",
    "bad_idp_uri_and_onlycontainsusercerts",
    "bad_key_rollover_signature",
    "bad_nextupdate_too_old",
    "bad_signature",
    "bad_thisupdate_in_future",
    "bad_thisupdate_too_old",
    "bad_wrong_issuer",
    "good",
    "good_fake_extension",
    "good_fake_extension_no_nextupdate",
    "good_generalizedtime",
    "good_idp_contains_uri",
    "good_idp_onlycontainscacerts",
    "good_idp_onlycontainsusercerts",
    "good_idp_onlycontainsusercerts_no_basic_constraints",
    "good_idp_uri_and_onlycontainscacerts",
    "good_idp_uri_and_onlycontainsusercerts",
    "good_issuer_name_normalization",
    "good_issuer_no_keyusage",
    "good_key_rollover",
    "good_no_crldp",
    "good_no_nextupdate",
    "good_no_version",
    "invalid_garbage_after_crlentryextensions",
    "invalid_garbage_after_extensions",
    "invalid_garbage_after_nextupdate",
    "invalid_garbage_after_revocationdate",
    "invalid_garbage_after_revokedcerts",
    "invalid_garbage_after_signaturevalue",
    "invalid_garbage_after_thisupdate",
    "invalid_garbage_crlentry",
    "invalid_garbage_issuer_name",
    "invalid_garbage_revocationdate",
    "invalid_garbage_revoked_serial_number",
    "invalid_garbage_signaturealgorithm",
    "invalid_garbage_signaturevalue",
    "invalid_garbage_tbs_signature_algorithm",
    "invalid_garbage_tbscertlist",
    "invalid_garbage_thisupdate",
    "invalid_garbage_version",
    "invalid_idp_dpname_choice_extra_data",
    "invalid_idp_empty_sequence",
    "invalid_idp_onlycontains_user_and_ca_certs",
    "invalid_idp_onlycontainsusercerts_v1_leaf",
    "invalid_issuer_keyusage_no_crlsign",
    "invalid_key_rollover_issuer_keyusage_no_crlsign",
    "invalid_mismatched_signature_algorithm",
    "invalid_revoked_empty_sequence",
    "invalid_v1_explicit",
    "invalid_v1_with_crlentryextension",
    "invalid_v1_with_extension",
    "invalid_v3",
    "revoked",
    "revoked_fake_crlentryextension",
    "revoked_generalized_revocationdate",
    "revoked_key_rollover",
    "revoked_no_nextupdate",
};

static void test_every_list_says_what_its_name_says(void **state)
{
    (void)state;
    size_t num_wrong = 0;
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct file f;
        char name[100];
        struct cleat_crl_set *set = NULL;
        /* decision 0040: indirect lists are understood */
        const enum cl_ocsp_status wanted = strncmp(lists[i], "good", 4) == 0         ? G
                                           : strstr(lists[i], "indirectcrl") != NULL ? G
                                           : strncmp(lists[i], "revoked", 7) == 0    ? R
                                                                                     : U;
        (void)snprintf(name, sizeof(name), "%s.pem", lists[i]);
        read_file(&f, "boringssl/crl_unittest", name);
        assert_int_equal(cleat_crl_set_new(&set), CLEAT_OK);
        (void)cleat_crl_set_add_der(set, f.proof.p, f.proof.len, NULL);
        const enum cl_ocsp_status s =
            judge(&f, (struct cl_verify_params){.now = CRL_TIME, .crls = set});
        if (s != wanted) {
            print_message("%s: %d, not %d\n", name, s, wanted);
            num_wrong++;
        }
        cleat_crl_set_free(set);
        free_file(&f);
    }
    assert_int_equal(num_wrong, 0);
}

/* webpki's lists: which parse, and which of those may be used. */
static void test_lists_of_webpki_parse_or_do_not(void **state)
{
    (void)state;
    enum { USABLE, UNUSABLE, MALFORMED };
    static const struct {
        const char *name;
        int is;
    } rows[] = {
        {"crl.valid.der", USABLE},
        {"crl.empty.der", USABLE},
        {"crl.no.entry.exts.der", USABLE},
        {"crl.entry.invalidity.date.der", USABLE},
        {"crl.topbit.serial.der", USABLE},
        {"crl.negative.serial.der", USABLE},
        {"crl.idp.valid.der", USABLE},
        {"crl.idp.only_ca_certs.der", USABLE},
        {"crl.idp.only_user_certs.der", USABLE},
        {"crl.idp.name_relative_to_issuer.der", USABLE},
        {"crl.delta.der", USABLE},                 /* decision 0040 */
        {"crl.idp.indirect_crl.der", USABLE},      /* decision 0040 */
        {"crl.idp.only_some_reasons.der", USABLE}, /* for those reasons */
        {"crl.idp.only_attribute_certs.der", USABLE},
        {"crl.entry.unknown.crit.ext.der", UNUSABLE},
        {"crl.unknown.crit.ext.der", UNUSABLE},
        {"crl.entry.issuer.ext.der", MALFORMED},
        {"crl.entry.empty.ext.seq.der", USABLE},     /* of a real CA */
        {"crl.entry.invalid.reason.der", USABLE},    /* revoked, whatever for */
        {"crl.idp.explicit.false.bool.der", USABLE}, /* as if it were absent */
        {"crl.idp.no_distribution_point_name.der", USABLE},
        {"crl.idp.invalid.name.der", MALFORMED},
        {"crl.idp.invalid.bool.der", MALFORMED},
        {"crl.idp.unknown.tag.der", MALFORMED},
        {"crl.invalid.this.update.time.der", USABLE}, /* the year 1: never current */
        {"crl.missing.next.update.der", USABLE},      /* with a limit to its age */
        {"crl.missing.exts.der", USABLE},             /* refused by the policy rfc5280 */
        {"crl.too.long.crl.number.der", USABLE},      /* only ever compared */
        {"crl.mismatched.sigalg.der", MALFORMED},
        {"crl.negative.crl.number.der", MALFORMED},
        {"crl.wrong.version.der", MALFORMED},
    };
    size_t num_wrong = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t len;
        struct cl_crl *crl = NULL;
        char *der = read_text("webpki/crls", rows[i].name, &len);
        assert_non_null(der);
        const int is = cl_crl_parse(&crl, cl_rd_of(der, len), NULL) != CL_OK ? MALFORMED
                       : crl->unusable != NULL                               ? UNUSABLE
                                                                             : USABLE;
        if (is != rows[i].is) {
            print_message("%s: %d, not %d\n", rows[i].name, is, rows[i].is);
            num_wrong++;
        }
        cl_crl_free(crl);
        free(der);
    }
    assert_int_equal(num_wrong, 0);
}

/* webpki's chains with distribution points, each with a list of its issuer that is not about it
 * or does not say enough: "unknown", and never "good". */
static void test_lists_of_webpki_that_are_not_about_a_chain_say_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *chain;
        const char *list;
    } rows[] = {
        {"invalid_dp_chain", "ee_dp_invalid"}, /* refused: a point with reasons alone */
        {"indirect_dp_chain", "ee_indirect_dp_unknown_status"},
        {"nofullname_dp_chain", "ee_nofullname_dp_unknown_status"},
        {"reasons_dp_chain", "ee_reasons_dp_unknown_status"},
        {"no_crl_ku_chain", "ee_revoked_crl_ku_ee_depth"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        static const char folder[] = "webpki/client_auth_revocation";
        const char *const parts[] = {"ee", "int.a.ca"};
        struct file f = {0};
        struct cl_buf *const to[] = {&f.leaf, &f.ca};
        struct cleat_crl_set *set = NULL;
        char name[100];
        size_t len;
        for (size_t k = 0; k < 2; k++) {
            (void)snprintf(name, sizeof(name), "%s.%s.der", rows[i].chain, parts[k]);
            char *der = read_text(folder, name, &len);
            assert_non_null(der);
            assert_int_equal(cl_buf_append(to[k], der, len, SIZE_MAX), CL_OK);
            free(der);
        }
        (void)snprintf(name, sizeof(name), "%s.crl.der", rows[i].list);
        char *der = read_text(folder, name, &len);
        assert_non_null(der);
        assert_int_equal(cleat_crl_set_new(&set), CLEAT_OK);
        assert_int_equal(cleat_crl_set_add_der(set, (const uint8_t *)der, len, NULL), CLEAT_OK);
        const int64_t now = set->crls[0]->this_update + 1; /* they are of 1986, for a minute */
        assert_int_equal(judge(&f, (struct cl_verify_params){.now = now, .crls = set}),
                         CL_OCSP_UNKNOWN);
        cleat_crl_set_free(set);
        free(der);
        free_file(&f);
    }
}

int main(void)
{
    size_t len;
    char *text = read_text("boringssl/crl_unittest", "good.pem", &len);
    if (text == NULL) {
        (void)fprintf(stderr, "SKIP: no test data at %s/ocsp-crl (set CLEAT_TEST_DATA)\n",
                      CLEAT_TEST_DATA);
        return 0;
    }
    free(text);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_response_says_what_its_name_says),
        cmocka_unit_test(test_every_list_says_what_its_name_says),
        cmocka_unit_test(test_lists_of_webpki_parse_or_do_not),
        cmocka_unit_test(test_lists_of_webpki_that_are_not_about_a_chain_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
