/* Our verdict beside libcrypto's, on chains of which bytes were changed: a leaf or an intermediate
 * whose TBSCertificate has one or two random changes, signed anew so that the signature is right
 * and everything else is looked at.
 *
 * Where the two differ, the difference must be a row of the table below, with its reason. A DER
 * reader refuses what the letter of the standards forbids; libcrypto lets much of it pass. The
 * other direction is the one that matters: what we accept and libcrypto does not must be rare and
 * right.
 */
#include "pick.h"
#include "support_x509.h"

#include <stdio.h>

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#define NUM_CHAINS 6000

/* ---- one chain: root, CA, leaf; extensions of many kinds, so that there is much to be hit ---- */
static const uint8_t policies[] = {0x30, 0x06, 0x30, 0x04, 0x06, 0x02, 0x2a, 0x03};
static const uint8_t nc_example[] = {0x30, 0x11, 0xa0, 0x0f, 0x30, 0x0d, 0x82, 0x0b, 'e', 'x',
                                     'a',  'm',  'p',  'l',  'e',  '.',  'c',  'o',  'm'};
static const struct cl_cert_raw_ext leaf_exts[] = {
    {"2.5.29.32", false, {policies, sizeof(policies)}},
};
static const struct cl_cert_raw_ext ca_exts[] = {
    {"2.5.29.32", false, {policies, sizeof(policies)}},
    {"2.5.29.30", true, {nc_example, sizeof(nc_example)}},
};

static struct entity root, ca, leaf;

static int make_world(void **state)
{
    (void)state;
    root = t_ca("Root", NULL, 0);
    struct cl_cert_template tpl = t_template("CA", &root, t_key(1), true);
    tpl.raw_exts = ca_exts;
    tpl.num_raw_exts = 2;
    tpl.path_len = 0;
    ca = t_make(&tpl, &root, t_key(1));
    tpl = t_template("leaf.example.com", &ca, t_key(2), false);
    tpl.raw_exts = leaf_exts;
    tpl.num_raw_exts = 1;
    leaf = t_make(&tpl, &ca, t_key(2));
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    t_free(&root);
    t_free(&ca);
    t_free(&leaf);
    return 0;
}

static void mutate(uint8_t *p, size_t len)
{
    for (unsigned i = 1 + pick(2); i > 0; i--) {
        const size_t at = pick((unsigned)len);
        switch (pick(4)) {
        case 0:
            p[at] ^= (uint8_t)(1u << pick(8));
            break;
        case 1:
            p[at] = (uint8_t)pick(256);
            break;
        case 2:
            p[at]++;
            break;
        default: /* two neighbours change places */
            if (at + 1 < len) {
                const uint8_t first = p[at];
                p[at] = p[at + 1];
                p[at + 1] = first;
            }
        }
    }
}

/* ---- the two verdicts ---- */
static X509 *to_x509(struct cl_rd der)
{
    const unsigned char *p = der.p;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    if (x != NULL && p != der.p + der.len) {
        X509_free(x);
        x = NULL;
    }
    return x;
}

static int their_code(struct cl_rd leaf_der, struct cl_rd ca_der)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *others = sk_X509_new_null();
    X509 *subject = to_x509(leaf_der);
    X509 *middle = to_x509(ca_der);
    X509 *anchor = to_x509(cl_cert_der(root.cert));
    int code = X509_V_ERR_UNSPECIFIED;
    assert_true(store != NULL && ctx != NULL && others != NULL && anchor != NULL);
    assert_int_equal(X509_STORE_add_cert(store, anchor), 1);
    if (middle != NULL) {
        assert_true(sk_X509_push(others, middle) > 0);
    }
    if (subject != NULL && X509_STORE_CTX_init(ctx, store, subject, others) == 1) {
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
        X509_VERIFY_PARAM_set_time(param, T_NOW);
        assert_int_equal(X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER), 1);
        X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                                   X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        assert_int_equal(X509_VERIFY_PARAM_set1_host(param, "leaf.example.com", 0), 1);
        const int ok = X509_verify_cert(ctx);
        code = ok == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
        code = ok != 1 && code == X509_V_OK ? X509_V_ERR_UNSPECIFIED : code;
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    sk_X509_pop_free(others, X509_free);
    X509_free(subject);
    X509_free(anchor);
    return code;
}

static struct cleat_verdict *our_verdict(struct cl_rd leaf_der, struct cl_rd ca_der)
{
    const struct entity *anchor = &root;
    const struct cl_rd ders[] = {leaf_der, ca_der};
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    struct cl_verify *v;
    assert_int_equal(cl_verify_new(&v, &params, ders, 2), CL_OK);
    while (cl_verify_step(v) == CL_VERIFY_NEEDS_JOB) {
        cl_job_run(cl_verify_job(v));
    }
    struct cleat_verdict *verdict = cl_verify_take_verdict(v);
    cl_verify_free(v);
    cleat_trust_store_free(trust);
    return verdict;
}

/* ---- how the two are meant to differ ---- */
static bool not_der(const struct cleat_verdict *ours, struct cl_rd leaf_der, struct cl_rd ca_der)
{
    (void)leaf_der;
    (void)ca_der;
    return strstr(cleat_verdict_error(ours)->text, "malformed certificate") != NULL;
}

static bool names_another_key(struct cl_rd child, struct cl_rd issuer)
{
    struct cleat_cert *a;
    struct cleat_cert *b;
    assert_int_equal(cl_cert_parse(&a, child, NULL), CL_OK);
    assert_int_equal(cl_cert_parse(&b, issuer, NULL), CL_OK);
    const bool another = (a->has_aki_key_id && cl_cert_has(b, CL_OID_EXT_SKI) &&
                          !cl_rd_equal(a->aki_key_id, b->ski));
    cleat_cert_free(a);
    cleat_cert_free(b);
    return another;
}

static bool key_id_differs(const struct cleat_verdict *ours, struct cl_rd leaf_der,
                           struct cl_rd ca_der)
{
    (void)ours;
    return names_another_key(leaf_der, ca_der) || names_another_key(ca_der, cl_cert_der(root.cert));
}

static const struct difference {
    bool ours_accepts;
    bool (*applies)(const struct cleat_verdict *ours, struct cl_rd leaf_der, struct cl_rd ca_der);
    const char *why;
} differences[] = {
    {false, not_der, "it is not DER, or not the grammar of RFC 5280 A: libcrypto reads on"},
    {true, key_id_differs,
     "the authority key identifier is not the issuer's subject key identifier: RFC 5280 4.2.1.1 "
     "has "
     "it to help in path building; we take it as a hint (name and signature are right), libcrypto "
     "as a condition"},
};
#define NUM_DIFFERENCES (sizeof(differences) / sizeof(differences[0]))

struct tally {
    size_t counts[NUM_DIFFERENCES];
    size_t num_accepted;
    size_t num_unexplained;
};

static void compare(struct tally *tally, size_t n, struct cl_rd leaf_der, struct cl_rd ca_der)
{
    struct cleat_verdict *verdict = our_verdict(leaf_der, ca_der);
    const bool ours = cleat_verdict_code(verdict) == CLEAT_OK;
    const int code = their_code(leaf_der, ca_der);
    size_t row = 0;
    tally->num_accepted += ours;
    if (ours != (code == X509_V_OK)) {
        while (row < NUM_DIFFERENCES && (differences[row].ours_accepts != ours ||
                                         !differences[row].applies(verdict, leaf_der, ca_der))) {
            row++;
        }
        if (row < NUM_DIFFERENCES) {
            tally->counts[row]++;
        } else {
            tally->num_unexplained++;
            print_message("chain %zu: we say %s %s, libcrypto %s\n", n,
                          cleat_error_name(cleat_verdict_code(verdict)),
                          cleat_verdict_error(verdict)->text, X509_verify_cert_error_string(code));
        }
    }
    cleat_verdict_free(verdict);
}

static void test_differences_over_changed_bytes_are_explained(void **state)
{
    (void)state;
    struct tally tally = {{0}, 0, 0};
    for (size_t n = 0; n < NUM_CHAINS; n++) {
        const bool of_leaf = pick(2) == 0;
        const struct entity *whose = of_leaf ? &leaf : &ca;
        uint8_t tbs[T_MAX_DER];
        uint8_t der[T_MAX_DER];
        assert_true(whose->cert->tbs.len <= sizeof(tbs));
        memcpy(tbs, whose->cert->tbs.p, whose->cert->tbs.len);
        mutate(tbs, whose->cert->tbs.len);
        const size_t len = t_sign(cl_rd_of(tbs, whose->cert->tbs.len), (struct cl_rd){0},
                                  of_leaf ? ca.key : root.key, der);
        compare(&tally, n, of_leaf ? cl_rd_of(der, len) : cl_cert_der(leaf.cert),
                of_leaf ? cl_cert_der(ca.cert) : cl_rd_of(der, len));
    }
    print_message("%d chains, %zu accepted\n", NUM_CHAINS, tally.num_accepted);
    for (size_t i = 0; i < NUM_DIFFERENCES; i++) {
        print_message("%4zu %s: %s\n", tally.counts[i],
                      differences[i].ours_accepts ? "only we accept" : "only libcrypto accepts",
                      differences[i].why);
    }
    assert_true(tally.num_accepted > NUM_CHAINS / 20);
    assert_int_equal(tally.num_unexplained, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_differences_over_changed_bytes_are_explained),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
