/* Every check of a path: accepted as it should be, refused when it is violated - at each position
 * of chains of two to five certificates where it has a meaning there. */
#include "support_x509.h"

#include <stdio.h>

#include "x509/dn.h"

/* One way to spoil a certificate, and what the verdict is then. role says where it makes sense. */
enum role {
    ROLE_LEAF = 1,
    ROLE_MIDDLE = 2,
    ROLE_ANCHOR = 4,
};

static const uint8_t eku_client[] = {0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
                                     0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
/* NameConstraints: permitted DNS "other.test"; excluded DNS "example.com" */
static const uint8_t nc_permitted[] = {0x30, 0x10, 0xa0, 0x0e, 0x30, 0x0c, 0x82, 0x0a, 'o',
                                       't',  'h',  'e',  'r',  '.',  't',  'e',  's',  't'};
static const uint8_t nc_excluded[] = {0x30, 0x11, 0xa1, 0x0f, 0x30, 0x0d, 0x82, 0x0b, 'e', 'x',
                                      'a',  'm',  'p',  'l',  'e',  '.',  'c',  'o',  'm'};
static const uint8_t require_explicit_0[] = {0x30, 0x03, 0x80, 0x01, 0x00};
static const uint8_t null_value[] = {0x05, 0x00};

static const struct cl_cert_raw_ext raw_unknown = {
    "1.3.6.1.4.1.99999.1", true, {null_value, sizeof(null_value)}};
static const struct cl_cert_raw_ext raw_eku = {
    "2.5.29.37", false, {eku_client, sizeof(eku_client)}};
static const struct cl_cert_raw_ext raw_permitted = {
    "2.5.29.30", true, {nc_permitted, sizeof(nc_permitted)}};
static const struct cl_cert_raw_ext raw_excluded = {
    "2.5.29.30", true, {nc_excluded, sizeof(nc_excluded)}};
static const struct cl_cert_raw_ext raw_explicit = {
    "2.5.29.36", true, {require_explicit_0, sizeof(require_explicit_0)}};
static const struct cl_cert_raw_ext raw_poison = {
    "1.3.6.1.4.1.11129.2.4.3", true, {null_value, sizeof(null_value)}};

static void expired(struct cl_cert_template *t)
{
    t->not_after = T_NOW - 1;
}

static void not_yet(struct cl_cert_template *t)
{
    t->not_before = T_NOW + 1;
}

static void last_second(struct cl_cert_template *t)
{
    t->not_before = T_NOW;
    t->not_after = T_NOW;
}

static void unknown_critical(struct cl_cert_template *t)
{
    t->raw_exts = &raw_unknown;
    t->num_raw_exts = 1;
}

static void poison(struct cl_cert_template *t)
{
    t->raw_exts = &raw_poison;
    t->num_raw_exts = 1;
}

static void not_a_ca(struct cl_cert_template *t)
{
    t->is_ca = false;
    t->key_usage = CL_KU_DIGITAL_SIGNATURE;
}

static void no_cert_sign(struct cl_cert_template *t)
{
    t->key_usage = CL_KU_CRL_SIGN;
}

static void no_digital_signature(struct cl_cert_template *t)
{
    t->key_usage = CL_KU_NON_REPUDIATION;
}

static void client_only(struct cl_cert_template *t)
{
    t->ext_key_usage = 0;
    t->raw_exts = &raw_eku;
    t->num_raw_exts = 1;
}

static void permits_others(struct cl_cert_template *t)
{
    t->raw_exts = &raw_permitted;
    t->num_raw_exts = 1;
}

static void excludes(struct cl_cert_template *t)
{
    t->raw_exts = &raw_excluded;
    t->num_raw_exts = 1;
}

static void wants_policy(struct cl_cert_template *t)
{
    t->raw_exts = &raw_explicit;
    t->num_raw_exts = 1;
}

static void other_name(struct cl_cert_template *t)
{
    static const char *const names[] = {"other.example.com"};
    t->dns_names = names;
}

static void no_san(struct cl_cert_template *t)
{
    t->num_dns_names = 0;
}

static void ca_leaf(struct cl_cert_template *t)
{
    t->is_ca = true;
}

static void no_key_ids(struct cl_cert_template *t)
{
    t->no_key_ids = true;
}

static const struct spoil {
    const char *name;
    void (*change)(struct cl_cert_template *t);
    unsigned roles;
    enum cleat_policy policy;
    int code;
} spoils[] = {
    {"nothing", NULL, ROLE_LEAF | ROLE_MIDDLE | ROLE_ANCHOR, CLEAT_POLICY_DEFAULT, CLEAT_OK},
    {"nothing, rfc5280", NULL, ROLE_LEAF, CLEAT_POLICY_RFC5280, CLEAT_OK},
    {"nothing, webpki", NULL, ROLE_LEAF, CLEAT_POLICY_WEBPKI, CLEAT_OK},
    {"nothing, strict", NULL, ROLE_LEAF, CLEAT_POLICY_WEBPKI_STRICT, CLEAT_OK},
    {"last second", last_second, ROLE_LEAF | ROLE_MIDDLE | ROLE_ANCHOR, CLEAT_POLICY_DEFAULT,
     CLEAT_OK},
    {"expired", expired, ROLE_LEAF | ROLE_MIDDLE | ROLE_ANCHOR, CLEAT_POLICY_DEFAULT,
     CLEAT_ERR_CERT_EXPIRED},
    {"not yet valid", not_yet, ROLE_LEAF | ROLE_MIDDLE | ROLE_ANCHOR, CLEAT_POLICY_DEFAULT,
     CLEAT_ERR_CERT_NOT_YET_VALID},
    {"unknown critical", unknown_critical, ROLE_LEAF | ROLE_MIDDLE | ROLE_ANCHOR,
     CLEAT_POLICY_DEFAULT, CLEAT_ERR_UNKNOWN_CRITICAL},
    {"precertificate", poison, ROLE_LEAF, CLEAT_POLICY_DEFAULT, CLEAT_ERR_UNKNOWN_CRITICAL},
    {"not a CA", not_a_ca, ROLE_MIDDLE | ROLE_ANCHOR, CLEAT_POLICY_DEFAULT, CLEAT_ERR_NOT_A_CA},
    {"no keyCertSign", no_cert_sign, ROLE_MIDDLE | ROLE_ANCHOR, CLEAT_POLICY_DEFAULT,
     CLEAT_ERR_BAD_KEY_USAGE},
    {"no digitalSignature", no_digital_signature, ROLE_LEAF, CLEAT_POLICY_DEFAULT,
     CLEAT_ERR_BAD_KEY_USAGE},
    {"client only", client_only, ROLE_LEAF | ROLE_MIDDLE | ROLE_ANCHOR, CLEAT_POLICY_DEFAULT,
     CLEAT_ERR_BAD_KEY_USAGE},
    {"permits others", permits_others, ROLE_MIDDLE | ROLE_ANCHOR, CLEAT_POLICY_DEFAULT,
     CLEAT_ERR_NAME_CONSTRAINT},
    {"excludes", excludes, ROLE_MIDDLE | ROLE_ANCHOR, CLEAT_POLICY_DEFAULT,
     CLEAT_ERR_NAME_CONSTRAINT},
    {"wants a policy", wants_policy, ROLE_MIDDLE, CLEAT_POLICY_DEFAULT, CLEAT_ERR_POLICY_VIOLATION},
    {"other name", other_name, ROLE_LEAF, CLEAT_POLICY_DEFAULT, CLEAT_ERR_NAME_MISMATCH},
    {"common name only", no_san, ROLE_LEAF, CLEAT_POLICY_DEFAULT, CLEAT_ERR_NAME_MISMATCH},
    {"CA as leaf", ca_leaf, ROLE_LEAF, CLEAT_POLICY_DEFAULT, CLEAT_OK},
    {"CA as leaf, webpki", ca_leaf, ROLE_LEAF, CLEAT_POLICY_WEBPKI, CLEAT_ERR_BAD_CERTIFICATE},
    {"no key ids", no_key_ids, ROLE_LEAF | ROLE_MIDDLE | ROLE_ANCHOR, CLEAT_POLICY_DEFAULT,
     CLEAT_OK},
    {"no key ids, rfc5280", no_key_ids, ROLE_LEAF | ROLE_MIDDLE | ROLE_ANCHOR, CLEAT_POLICY_RFC5280,
     CLEAT_ERR_BAD_CERTIFICATE},
};

#define MAX_CHAIN 5

/* Makes a chain of num certificates, the anchor last, with one of them spoilt, and has it judged.
 */
static int judge(size_t num, size_t position, const struct spoil *s, char *text, size_t cap)
{
    struct entity chain[MAX_CHAIN];
    const struct cleat_cert *presented[MAX_CHAIN];
    for (size_t i = num; i-- > 0;) {
        char cn[32];
        bool leaf = i == 0;
        struct entity *issuer = i + 1 < num ? &chain[i + 1] : NULL;
        (void)snprintf(cn, sizeof(cn), "%s", leaf ? "leaf.example.com" : "");
        if (!leaf) {
            (void)snprintf(cn, sizeof(cn), "CA %zu", i);
        }
        struct cl_cert_template tpl = t_template(cn, issuer, t_key(i), !leaf);
        if (i == position && s->change != NULL) {
            s->change(&tpl);
        }
        chain[i] = t_make(&tpl, issuer, t_key(i));
        presented[i] = chain[i].cert;
    }
    const struct entity *anchor = &chain[num - 1];
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    params.policy = s->policy;
    struct cleat_verdict *verdict = t_verify(&params, presented, num - 1);
    int code = cleat_verdict_code(verdict);
    assert_int_equal(cleat_verdict_path_num(verdict), code == CLEAT_OK ? num : 0);
    (void)snprintf(text, cap, "%s", cleat_verdict_error(verdict)->text);
    cleat_verdict_free(verdict);
    cleat_trust_store_free(trust);
    for (size_t i = 0; i < num; i++) {
        t_free(&chain[i]);
    }
    return code;
}

static void test_matrix_each_check_violated_at_each_position(void **state)
{
    (void)state;
    size_t num_cases = 0;
    for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++) {
        const struct spoil *s = &spoils[i];
        for (size_t num = 2; num <= MAX_CHAIN; num++) {
            for (size_t at = 0; at < num; at++) {
                unsigned role = at == 0 ? ROLE_LEAF : at + 1 == num ? ROLE_ANCHOR : ROLE_MIDDLE;
                char text[400];
                if ((s->roles & role) == 0) {
                    continue;
                }
                /* RFC 5280 4.2.1.1: a self-signed certificate needs no AKI, a CA a SKI all the same
                 */
                int code = judge(num, at, s, text, sizeof(text));
                num_cases++;
                if (code != s->code) {
                    fail_msg("%s at %zu of %zu: %s instead of %s (%s)", s->name, at, num,
                             cleat_error_name(code), cleat_error_name(s->code), text);
                }
            }
        }
    }
    assert_true(num_cases > 150);
}

/* ---- single stories ---- */
static void test_path_length_counts_only_intermediates_that_are_not_self_issued(void **state)
{
    (void)state;
    struct cl_cert_template tpl = t_template("Root", NULL, t_key(0), true);
    tpl.path_len = 1;
    struct entity root = t_make(&tpl, NULL, t_key(0));
    struct entity a = t_ca("A", &root, 1);
    struct entity a_again = t_ca("A", &a, 2); /* self-issued: key rollover */
    struct entity b = t_ca("B", &a_again, 3);
    struct entity good = t_leaf("leaf.example.com", &a_again, 4);
    struct entity deep = t_leaf("leaf.example.com", &b, 4);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *fine[] = {good.cert, a_again.cert, a.cert};
    const struct cleat_cert *too_long[] = {deep.cert, b.cert, a_again.cert, a.cert};
    assert_int_equal(t_code(&params, fine, 3), CLEAT_OK);
    assert_int_equal(t_code(&params, too_long, 4), CLEAT_ERR_PATH_TOO_LONG);
    cleat_trust_store_free(trust);
    struct entity *all[] = {&root, &a, &a_again, &b, &good, &deep};
    for (size_t i = 0; i < 6; i++) {
        t_free(all[i]);
    }
}

static void test_chain_in_any_order_with_certificates_that_do_not_belong(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct entity a = t_ca("A", &root, 1);
    struct entity b = t_ca("B", &a, 2);
    struct entity stranger = t_ca("Stranger", NULL, 3);
    struct entity leaf = t_leaf("leaf.example.com", &b, 4);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {leaf.cert, root.cert, stranger.cert,
                                        a.cert,    b.cert,    b.cert};
    assert_int_equal(t_code(&params, chain, 6), CLEAT_OK);
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&a);
    t_free(&b);
    t_free(&stranger);
    t_free(&leaf);
}

/* openssl#16861: the expired root must not end the search. */
static void test_expired_cross_signed_root_does_not_hide_the_good_path(void **state)
{
    (void)state;
    struct cl_cert_template tpl = t_template("Old", NULL, t_key(0), true);
    tpl.not_after = T_NOW - 1;
    struct entity old = t_make(&tpl, NULL, t_key(0));
    struct entity fresh = t_ca("New", NULL, 1);
    struct entity crossed = t_ca("New", &old, 1);
    struct entity ca = t_ca("CA", &fresh, 2);
    struct entity leaf = t_leaf("leaf.example.com", &ca, 3);
    const struct entity *anchors[] = {&old, &fresh};
    struct cleat_trust_store *trust = t_trust(anchors, 2);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {leaf.cert, ca.cert, crossed.cert, old.cert};
    assert_int_equal(t_code(&params, chain, 4), CLEAT_OK);
    cleat_trust_store_free(trust);
    const struct entity *only_old[] = {&old};
    trust = t_trust(only_old, 1);
    params.trust = trust;
    assert_int_equal(t_code(&params, chain, 4), CLEAT_ERR_CERT_EXPIRED);
    cleat_trust_store_free(trust);
    struct entity *all[] = {&old, &fresh, &crossed, &ca, &leaf};
    for (size_t i = 0; i < 5; i++) {
        t_free(all[i]);
    }
}

static void test_same_name_other_key_is_tried_and_left(void **state)
{
    (void)state;
    struct cl_cert_template tpl = t_template("CA", NULL, t_key(0), true);
    tpl.no_key_ids = true; /* no hints: the signature decides */
    struct entity wrong = t_make(&tpl, NULL, t_key(0));
    tpl.spki = cl_key_spki(t_key(1));
    struct entity right = t_make(&tpl, NULL, t_key(1));
    tpl = t_template("leaf.example.com", &right, t_key(2), false);
    tpl.no_key_ids = true;
    struct entity leaf = t_make(&tpl, &right, t_key(2));
    const struct entity *anchors[] = {&wrong, &right};
    struct cleat_trust_store *trust = t_trust(anchors, 2);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {leaf.cert};
    assert_int_equal(t_code(&params, chain, 1), CLEAT_OK);
    cleat_trust_store_free(trust);
    trust = t_trust(anchors, 1);
    params.trust = trust;
    assert_int_equal(t_code(&params, chain, 1), CLEAT_ERR_BAD_SIGNATURE);
    cleat_trust_store_free(trust);
    t_free(&wrong);
    t_free(&right);
    t_free(&leaf);
}

static void test_self_signed_leaf_only_when_it_is_an_anchor(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct entity leaf = t_leaf("leaf.example.com", NULL, 1);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {leaf.cert};
    struct cleat_verdict *verdict = t_verify(&params, chain, 1);
    assert_int_equal(cleat_verdict_code(verdict), CLEAT_ERR_SELF_SIGNED);
    assert_string_equal(cleat_verdict_openssl_name(verdict), "DEPTH_ZERO_SELF_SIGNED_CERT");
    assert_non_null(strstr(cleat_verdict_error(verdict)->hint, "--cacert"));
    cleat_verdict_free(verdict);
    cleat_trust_store_free(trust);
    anchor = &leaf;
    trust = t_trust(&anchor, 1);
    params.trust = trust;
    assert_int_equal(t_code(&params, chain, 1), CLEAT_OK);
    params.host = "other.example.com";
    assert_int_equal(t_code(&params, chain, 1), CLEAT_ERR_NAME_MISMATCH);
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&leaf);
}

static void test_missing_intermediate_names_it_and_where_it_is_published(void **state)
{
    (void)state;
    static const uint8_t aia[] = {0x30, 0x1f, 0x30, 0x1d, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05,
                                  0x07, 0x30, 0x02, 0x86, 0x11, 'h',  't',  't',  'p',  ':',  '/',
                                  '/',  'c',  'a',  '.',  't',  'e',  's',  't',  '/',  'c',  'a'};
    const struct cl_cert_raw_ext ext = {"1.3.6.1.5.5.7.1.1", false, {aia, sizeof(aia)}};
    struct entity root = t_ca("Root", NULL, 0);
    struct entity ca = t_ca("Missing CA", &root, 1);
    struct cl_cert_template tpl = t_template("leaf.example.com", &ca, t_key(2), false);
    tpl.raw_exts = &ext;
    tpl.num_raw_exts = 1;
    struct entity leaf = t_make(&tpl, &ca, t_key(2));
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {leaf.cert};
    struct cleat_verdict *verdict = t_verify(&params, chain, 1);
    assert_int_equal(cleat_verdict_code(verdict), CLEAT_ERR_UNKNOWN_ISSUER);
    assert_non_null(strstr(cleat_verdict_error(verdict)->text, "certificate 1 of 1"));
    assert_non_null(strstr(cleat_verdict_error(verdict)->text, "CN=Missing CA"));
    assert_non_null(strstr(cleat_verdict_error(verdict)->hint, "http://ca.test/ca"));
    assert_string_equal(cleat_verdict_openssl_name(verdict), "UNABLE_TO_GET_ISSUER_CERT_LOCALLY");
    cleat_verdict_free(verdict);
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&ca);
    t_free(&leaf);
}

static void test_every_bit_of_a_signed_leaf_flipped_is_never_accepted(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct entity leaf = t_leaf("leaf.example.com", &root, 1);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    struct cl_rd der = cl_cert_der(leaf.cert);
    uint8_t copy[2048];
    assert_true(der.len <= sizeof(copy));
    for (size_t bit = 0; bit < der.len * 8; bit++) {
        struct cl_verify *v;
        struct cl_rd changed = cl_rd_of(copy, der.len);
        memcpy(copy, der.p, der.len);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(cl_verify_new(&v, &params, &changed, 1), CL_OK);
        while (cl_verify_step(v) == CL_VERIFY_NEEDS_JOB) {
            cl_job_run(cl_verify_job(v));
        }
        struct cleat_verdict *verdict = cl_verify_take_verdict(v);
        if (cleat_verdict_code(verdict) == CLEAT_OK) {
            fail_msg("bit %zu flipped, and accepted", bit);
        }
        cleat_verdict_free(verdict);
        cl_verify_free(v);
    }
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&leaf);
}

static void test_proof_lists_every_check_with_its_section(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct entity ca = t_ca("CA", &root, 1);
    struct entity leaf = t_leaf("leaf.example.com", &ca, 2);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {leaf.cert, ca.cert};
    struct cleat_verdict *verdict = t_verify(&params, chain, 2);
    struct cleat_try t;
    struct cleat_check check;
    struct cleat_verify_work work;
    size_t num_signatures = 0;
    assert_int_equal(cleat_verdict_num_tries(verdict), 1);
    assert_true(cleat_verdict_try(verdict, 0, &t));
    assert_true(t.accepted && t.complete);
    assert_int_equal(t.num_certs, 3);
    for (size_t i = 0; i < t.num_checks; i++) {
        assert_true(cleat_verdict_check(verdict, 0, i, &check));
        assert_int_not_equal(check.result, CLEAT_CHECK_FAILED);
        assert_true(strcmp(check.name, "limits") == 0 || check.section[0] != '\0');
        assert_true(check.text[0] != '\0');
        num_signatures += strcmp(check.name, "signature") == 0;
    }
    assert_int_equal(num_signatures, 2);
    assert_false(cleat_verdict_check(verdict, 0, t.num_checks, &check));
    cleat_verdict_work(verdict, &work);
    assert_int_equal(work.num_signatures, 2);
    cleat_verdict_free(verdict);
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&ca);
    t_free(&leaf);
}

static void test_proof_of_a_refusal_ends_with_the_failed_check(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct cl_cert_template tpl = t_template("CA", &root, t_key(1), true);
    tpl.not_after = T_NOW - 3 * 86400;
    struct entity ca = t_make(&tpl, &root, t_key(1));
    struct entity leaf = t_leaf("leaf.example.com", &ca, 2);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {leaf.cert, ca.cert};
    struct cleat_verdict *verdict = t_verify(&params, chain, 2);
    struct cleat_try t;
    struct cleat_check check;
    assert_true(cleat_verdict_try(verdict, 0, &t));
    assert_false(t.accepted);
    assert_true(cleat_verdict_check(verdict, 0, t.num_checks - 1, &check));
    assert_int_equal(check.result, CLEAT_CHECK_FAILED);
    assert_string_equal(check.name, "validity");
    assert_int_equal(check.depth, 1);
    assert_non_null(strstr(cleat_verdict_error(verdict)->text, "certificate 2 of 2, CN=CA"));
    assert_non_null(strstr(cleat_verdict_error(verdict)->text, "expired 3 days ago"));
    assert_string_equal(cleat_verdict_error(verdict)->section, "RFC 5280 6.1.3 (a)(2)");
    cleat_verdict_free(verdict);
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&ca);
    t_free(&leaf);
}

static void test_purpose_client_wants_client_auth(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct cl_cert_template tpl = t_template("user", &root, t_key(1), false);
    static const char *const emails[] = {"user@example.com"};
    tpl.ext_key_usage = CL_EKU_CLIENT_AUTH;
    tpl.num_dns_names = 0;
    tpl.emails = emails;
    tpl.num_emails = 1;
    struct entity user = t_make(&tpl, &root, t_key(1));
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {user.cert};
    params.host = NULL;
    params.email = "user@EXAMPLE.com";
    assert_int_equal(t_code(&params, chain, 1), CLEAT_ERR_BAD_KEY_USAGE);
    params.purpose = CLEAT_PURPOSE_CLIENT;
    assert_int_equal(t_code(&params, chain, 1), CLEAT_OK);
    params.email = "USER@example.com";
    assert_int_equal(t_code(&params, chain, 1), CLEAT_ERR_NAME_MISMATCH);
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&user);
}

static void test_wrong_use_is_refused_not_crashed(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    static const char *const bad_policy[] = {"1.2.x"};
    struct cl_verify *v;
    const struct cleat_cert *chain[] = {root.cert};
    assert_int_equal(cl_verify_new(&v, &params, NULL, 0), CLEAT_ERR_NO_CERTIFICATE);
    params.trust = NULL;
    assert_int_equal(cl_verify_new_certs(&v, &params, chain, 1), CLEAT_ERR_USAGE);
    params = t_params(trust);
    params.initial_policies = bad_policy;
    params.num_initial_policies = 1;
    assert_int_equal(cl_verify_new_certs(&v, &params, chain, 1), CLEAT_ERR_USAGE);
    params = t_params(trust);
    params.policy = (enum cleat_policy)17;
    assert_int_equal(cl_verify_new_certs(&v, &params, chain, 1), CLEAT_ERR_USAGE);
    cleat_trust_store_free(trust);
    t_free(&root);
}

static void test_garbage_for_a_leaf_is_a_verdict(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    struct cl_rd der = cl_rd_str("not a certificate");
    struct cl_verify *v;
    assert_int_equal(cl_verify_new(&v, &params, &der, 1), CL_OK);
    assert_int_equal(cl_verify_step(v), CL_VERIFY_DONE);
    struct cleat_verdict *verdict = cl_verify_take_verdict(v);
    assert_int_equal(cleat_verdict_code(verdict), CLEAT_ERR_BAD_CERTIFICATE);
    assert_null(cleat_verdict_leaf(verdict));
    assert_null(cl_verify_take_verdict(v));
    cleat_verdict_free(verdict);
    cl_verify_free(v);
    cleat_trust_store_free(trust);
    t_free(&root);
}

static void test_failed_job_fails_the_verification(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    struct entity leaf = t_leaf("leaf.example.com", &root, 1);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[] = {leaf.cert};
    struct cl_verify *v;
    assert_int_equal(cl_verify_new_certs(&v, &params, chain, 1), CL_OK);
    assert_int_equal(cl_verify_step(v), CL_VERIFY_NEEDS_JOB);
    /* not run yet: still needed */
    assert_int_equal(cl_verify_step(v), CL_VERIFY_NEEDS_JOB);
    assert_null(cl_verify_take_verdict(v));
    cl_job_complete(cl_verify_job(v), CLEAT_ERR_JOB_FAILED);
    assert_int_equal(cl_verify_step(v), CL_VERIFY_DONE);
    struct cleat_verdict *verdict = cl_verify_take_verdict(v);
    assert_int_equal(cleat_verdict_code(verdict), CLEAT_ERR_JOB_FAILED);
    cleat_verdict_free(verdict);
    cl_verify_free(v);
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&leaf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrix_each_check_violated_at_each_position),
        cmocka_unit_test(test_path_length_counts_only_intermediates_that_are_not_self_issued),
        cmocka_unit_test(test_chain_in_any_order_with_certificates_that_do_not_belong),
        cmocka_unit_test(test_expired_cross_signed_root_does_not_hide_the_good_path),
        cmocka_unit_test(test_same_name_other_key_is_tried_and_left),
        cmocka_unit_test(test_self_signed_leaf_only_when_it_is_an_anchor),
        cmocka_unit_test(test_missing_intermediate_names_it_and_where_it_is_published),
        cmocka_unit_test(test_every_bit_of_a_signed_leaf_flipped_is_never_accepted),
        cmocka_unit_test(test_proof_lists_every_check_with_its_section),
        cmocka_unit_test(test_proof_of_a_refusal_ends_with_the_failed_check),
        cmocka_unit_test(test_purpose_client_wants_client_auth),
        cmocka_unit_test(test_wrong_use_is_refused_not_crashed),
        cmocka_unit_test(test_garbage_for_a_leaf_is_a_verdict),
        cmocka_unit_test(test_failed_job_fails_the_verification),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
