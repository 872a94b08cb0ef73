/* Every check of a path: accepted as it should be, refused when it is violated - at each position
 * of chains of two to five certificates where it has a meaning there. */
#include "support_x509.h"

#include <stdio.h>

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

static void path_len_0(struct cl_cert_template *t)
{
    t->path_len = 0;
}

/* An RSA key of 1,024 bits, all ones: odd, and nobody checks that it is a product. */
static void weak_key(struct cl_cert_template *t)
{
    t->spki = t_weak_key();
    t->no_key_ids = true;
}

/* NameConstraints of each kind, the first base permitted, the second excluded; every certificate
 * below has a directory name, the leaf a DNS name alone: other kinds constrain nothing here. */
static const uint8_t nc_dir_other[] = {0x30, 0x18, 0xa0, 0x16, 0x30, 0x14, 0xa4, 0x12, 0x30,
                                       0x10, 0x31, 0x0e, 0x30, 0x0c, 0x06, 0x03, 0x55, 0x04,
                                       0x0a, 0x0c, 0x05, 'O',  't',  'h',  'e',  'r'};
static const uint8_t nc_ip_none[] = {0x30, 0x0e, 0xa1, 0x0c, 0x30, 0x0a, 0x87, 0x08,
                                     0,    0,    0,    0,    0,    0,    0,    0};
static const uint8_t nc_email_none[] = {0x30, 0x0a, 0xa0, 0x08, 0x30, 0x06,
                                        0x81, 0x04, 'x',  '.',  'x',  'x'};
static const struct cl_cert_raw_ext raw_dir = {
    "2.5.29.30", true, {nc_dir_other, sizeof(nc_dir_other)}};
static const struct cl_cert_raw_ext raw_ip = {"2.5.29.30", true, {nc_ip_none, sizeof(nc_ip_none)}};
static const struct cl_cert_raw_ext raw_email = {
    "2.5.29.30", true, {nc_email_none, sizeof(nc_email_none)}};

static void permits_other_directory(struct cl_cert_template *t)
{
    t->raw_exts = &raw_dir;
    t->num_raw_exts = 1;
}

static void excludes_all_addresses(struct cl_cert_template *t)
{
    t->raw_exts = &raw_ip;
    t->num_raw_exts = 1;
}

static void permits_other_mailboxes(struct cl_cert_template *t)
{
    t->raw_exts = &raw_email;
    t->num_raw_exts = 1;
}

static const uint8_t skip_mapping_0[] = {0x30, 0x03, 0x80, 0x01, 0x00};
static const struct cl_cert_raw_ext raw_unmarked = {
    "2.5.29.36", false, {skip_mapping_0, sizeof(skip_mapping_0)}};

static void policy_constraints_not_critical(struct cl_cert_template *t)
{
    t->raw_exts = &raw_unmarked;
    t->num_raw_exts = 1;
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
    {"RSA-1024", weak_key, ROLE_LEAF | ROLE_MIDDLE | ROLE_ANCHOR, CLEAT_POLICY_DEFAULT,
     CLEAT_ERR_WEAK_KEY},
    {"directory name not permitted", permits_other_directory, ROLE_MIDDLE | ROLE_ANCHOR,
     CLEAT_POLICY_DEFAULT, CLEAT_ERR_NAME_CONSTRAINT},
    {"no addresses", excludes_all_addresses, ROLE_MIDDLE | ROLE_ANCHOR, CLEAT_POLICY_DEFAULT,
     CLEAT_OK},
    {"no mailboxes", permits_other_mailboxes, ROLE_MIDDLE | ROLE_ANCHOR, CLEAT_POLICY_DEFAULT,
     CLEAT_OK},
    {"policy constraints not critical, rfc5280", policy_constraints_not_critical, ROLE_MIDDLE,
     CLEAT_POLICY_RFC5280, CLEAT_ERR_BAD_CERTIFICATE},
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
    assert_true(num_cases > 200);
}

/* A path length of 0 at each position: fine with no intermediate below, too long with one. */
static void test_matrix_path_length_at_each_position(void **state)
{
    (void)state;
    for (size_t num = 2; num <= MAX_CHAIN; num++) {
        for (size_t at = 1; at < num; at++) {
            char text[400];
            const struct spoil s = {"path length 0", path_len_0, ROLE_MIDDLE, CLEAT_POLICY_DEFAULT,
                                    at == 1 ? CLEAT_OK : CLEAT_ERR_PATH_TOO_LONG};
            if (judge(num, at, &s, text, sizeof(text)) != s.code) {
                fail_msg("at %zu of %zu: %s", at, num, text);
            }
        }
    }
}

/* One bit of one signature flipped, at each position below the anchor. */
static void test_matrix_signature_broken_at_each_position(void **state)
{
    (void)state;
    for (size_t num = 2; num <= MAX_CHAIN; num++) {
        for (size_t at = 0; at + 1 < num; at++) {
            struct entity chain[MAX_CHAIN];
            struct cl_rd ders[MAX_CHAIN];
            uint8_t copy[2048];
            for (size_t i = num; i-- > 0;) {
                char cn[32];
                struct entity *issuer = i + 1 < num ? &chain[i + 1] : NULL;
                (void)snprintf(cn, sizeof(cn), "Level %zu", i);
                struct cl_cert_template tpl = t_template(cn, issuer, t_key(i), i != 0);
                chain[i] = t_make(&tpl, issuer, t_key(i));
                ders[i] = cl_cert_der(chain[i].cert);
            }
            assert_true(ders[at].len <= sizeof(copy));
            memcpy(copy, ders[at].p, ders[at].len);
            copy[ders[at].len - 1] ^= 1; /* the last byte of s: DER all the same */
            ders[at] = cl_rd_of(copy, ders[at].len);
            const struct entity *anchor = &chain[num - 1];
            struct cleat_trust_store *trust = t_trust(&anchor, 1);
            struct cl_verify_params params = t_params(trust);
            struct cl_verify *v;
            assert_int_equal(cl_verify_new(&v, &params, ders, num - 1), CL_OK);
            while (cl_verify_step(v) == CL_VERIFY_NEEDS_JOB) {
                cl_job_run(cl_verify_job(v));
            }
            struct cleat_verdict *verdict = cl_verify_take_verdict(v);
            assert_int_equal(cleat_verdict_code(verdict), CLEAT_ERR_BAD_SIGNATURE);
            cleat_verdict_free(verdict);
            cl_verify_free(v);
            cleat_trust_store_free(trust);
            for (size_t i = 0; i < num; i++) {
                t_free(&chain[i]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrix_each_check_violated_at_each_position),
        cmocka_unit_test(test_matrix_path_length_at_each_position),
        cmocka_unit_test(test_matrix_signature_broken_at_each_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
