/* Our verdict beside libcrypto's, on several thousand chains: valid ones with two random changes
 * each.
 *
 * Both get the same anchors, chain, time, host and purpose. Where they differ, the difference must
 * be a row of the table below, with its reason; a difference that no row explains fails the test.
 * Rows are about how the two are meant to differ, not about single cases.
 */
#include "pick.h"
#include "support_x509.h"

#include <stdio.h>

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#define NUM_CHAINS 4000
#define MAX_CHAIN  4

/* ---- changes ---- */
static const uint8_t nc_example[] = {0x30, 0x11, 0xa0, 0x0f, 0x30, 0x0d, 0x82, 0x0b, 'e', 'x',
                                     'a',  'm',  'p',  'l',  'e',  '.',  'c',  'o',  'm'};
static const uint8_t nc_other[] = {0x30, 0x10, 0xa0, 0x0e, 0x30, 0x0c, 0x82, 0x0a, 'o',
                                   't',  'h',  'e',  'r',  '.',  't',  'e',  's',  't'};
static const uint8_t nc_not[] = {0x30, 0x11, 0xa1, 0x0f, 0x30, 0x0d, 0x82, 0x0b, 'e', 'x',
                                 'a',  'm',  'p',  'l',  'e',  '.',  'c',  'o',  'm'};
static const uint8_t eku_email[] = {0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
                                    0x01, 0x05, 0x05, 0x07, 0x03, 0x04};
static const uint8_t eku_any[] = {0x30, 0x06, 0x06, 0x04, 0x55, 0x1d, 0x25, 0x00};

static const struct cl_cert_raw_ext raws[] = {
    {"2.5.29.30", true, {nc_example, sizeof(nc_example)}},
    {"2.5.29.30", true, {nc_other, sizeof(nc_other)}},
    {"2.5.29.30", true, {nc_not, sizeof(nc_not)}},
    {"2.5.29.37", false, {eku_email, sizeof(eku_email)}},
    {"2.5.29.37", false, {eku_any, sizeof(eku_any)}},
    {"1.3.6.1.4.1.99999.1", true, {eku_any, sizeof(eku_any)}},
    {"1.3.6.1.4.1.99999.1", false, {eku_any, sizeof(eku_any)}},
};

static const char *const hosts[] = {"leaf.example.com",  "*.example.com",    "*.com",
                                    "other.example.com", "LEAF.example.com", "*.leaf.example.com"};

enum change {
    C_NONE,
    C_EXPIRED,
    C_EARLY,
    C_NOT_CA,
    C_CA,
    C_PATH_LEN_0,
    C_NO_CERT_SIGN,
    C_NO_USAGE,
    C_CLIENT_ONLY,
    C_NO_EKU,
    C_RAW,
    C_HOST,
    C_NO_KEY_IDS,
    C_NAME,      /* the CA has the name of the one above it */
    C_WRONG_KEY, /* signed with a key that is not the issuer's */
    C_MISSING,   /* not sent */
    C_COUNT,
};

struct plan {
    size_t num;
    unsigned change[MAX_CHAIN];
    unsigned detail[MAX_CHAIN];
};

static void change(struct cl_cert_template *t, unsigned what, unsigned detail)
{
    switch (what) {
    case C_EXPIRED:
        t->not_after = T_NOW - 1 - detail;
        break;
    case C_EARLY:
        t->not_before = T_NOW + 1 + detail;
        break;
    case C_NOT_CA:
        t->is_ca = false;
        break;
    case C_CA:
        t->is_ca = true;
        break;
    case C_PATH_LEN_0:
        t->path_len = t->is_ca ? (int)(detail % 2) : -1;
        break;
    case C_NO_CERT_SIGN:
        t->key_usage = CL_KU_DIGITAL_SIGNATURE;
        break;
    case C_NO_USAGE:
        t->key_usage = 0;
        break;
    case C_CLIENT_ONLY:
        t->ext_key_usage = CL_EKU_CLIENT_AUTH;
        break;
    case C_NO_EKU:
        t->ext_key_usage = 0;
        break;
    case C_RAW:
        t->raw_exts = &raws[detail % (sizeof(raws) / sizeof(raws[0]))];
        t->num_raw_exts = 1;
        t->ext_key_usage = 0;
        break;
    case C_HOST:
        t->dns_names = &hosts[detail % (sizeof(hosts) / sizeof(hosts[0]))];
        t->num_dns_names = 1;
        break;
    case C_NO_KEY_IDS:
        t->no_key_ids = true;
        break;
    default:
        break;
    }
}

static struct plan make_plan(void)
{
    struct plan p = {.num = 2 + pick(MAX_CHAIN - 1)};
    for (unsigned i = pick(3); i > 0; i--) {
        size_t at = pick((unsigned)p.num);
        p.change[at] = pick(C_COUNT);
        p.detail[at] = pick(1000);
    }
    return p;
}

static void make_chain(const struct plan *p, struct entity *chain)
{
    for (size_t i = p->num; i-- > 0;) {
        struct entity *issuer = i + 1 < p->num ? &chain[i + 1] : NULL;
        struct entity wrong = {.key = t_key(9)};
        char cn[32];
        size_t level = p->change[i] == C_NAME && issuer != NULL ? i + 1 : i;
        (void)snprintf(cn, sizeof(cn), "Level %zu", level);
        struct cl_cert_template tpl = t_template(cn, issuer, t_key(i), i != 0);
        change(&tpl, p->change[i], p->detail[i]);
        if (p->change[i] == C_WRONG_KEY && issuer != NULL) {
            wrong.cert = issuer->cert;
            chain[i] = t_make(&tpl, &wrong, t_key(i));
            chain[i].key = t_key(i);
        } else {
            chain[i] = t_make(&tpl, issuer, t_key(i));
        }
    }
}

/* ---- the two verdicts ---- */
static X509 *to_x509(const struct cleat_cert *cert)
{
    struct cl_rd der = cl_cert_der(cert);
    const unsigned char *p = der.p;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    assert_non_null(x);
    return x;
}

static int their_code(const struct plan *p, const struct entity *chain)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *others = sk_X509_new_null();
    X509 *leaf = to_x509(chain[0].cert);
    X509 *root = to_x509(chain[p->num - 1].cert);
    assert_true(store != NULL && ctx != NULL && others != NULL);
    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    for (size_t i = 1; i + 1 < p->num; i++) {
        if (p->change[i] != C_MISSING) {
            assert_true(sk_X509_push(others, to_x509(chain[i].cert)) > 0);
        }
    }
    assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, others), 1);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, T_NOW);
    assert_int_equal(X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER), 1);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
                                               X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    assert_int_equal(X509_VERIFY_PARAM_set1_host(param, "leaf.example.com", 0), 1);
    int ok = X509_verify_cert(ctx);
    int code = ok == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
    if (ok != 1 && code == X509_V_OK) {
        code = X509_V_ERR_UNSPECIFIED;
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    sk_X509_pop_free(others, X509_free);
    X509_free(leaf);
    X509_free(root);
    return code;
}

static struct cleat_verdict *our_verdict(const struct plan *p, const struct entity *chain)
{
    const struct cleat_cert *sent[MAX_CHAIN];
    const struct entity *anchor = &chain[p->num - 1];
    size_t num = 0;
    sent[num++] = chain[0].cert;
    for (size_t i = 1; i + 1 < p->num; i++) {
        if (p->change[i] != C_MISSING) {
            sent[num++] = chain[i].cert;
        }
    }
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    struct cleat_verdict *verdict = t_verify(&params, sent, num);
    cleat_trust_store_free(trust);
    return verdict;
}

/* ---- how the two are meant to differ ---- */
static bool ca_with_ekus(const struct plan *p, const struct entity *chain)
{
    for (size_t i = 1; i < p->num; i++) {
        if (cl_cert_has(chain[i].cert, CL_OID_EXT_EKU)) {
            return true;
        }
    }
    return false;
}

static bool eku_any_leaf(const struct plan *p, const struct entity *chain)
{
    (void)p;
    return (chain[0].cert->ext_key_usages & CL_EKU_BIT_ANY) != 0;
}

static bool no_basic_constraints(const struct plan *p, const struct entity *chain)
{
    for (size_t i = 1; i < p->num; i++) {
        if (!cl_cert_has(chain[i].cert, CL_OID_EXT_BASIC)) {
            return true;
        }
    }
    return false;
}

static bool same_name_as_issuer(const struct plan *p, const struct entity *chain)
{
    for (size_t i = 0; i + 1 < p->num; i++) {
        if (chain[i].cert->self_issued) {
            return true;
        }
    }
    return false;
}

static const struct difference {
    bool ours_accepts;
    bool (*applies)(const struct plan *p, const struct entity *chain);
    const char *why;
} differences[] = {
    {true, ca_with_ekus,
     "libcrypto does not take anyExtendedKeyUsage in a CA for serverAuth; RFC 5280 4.2.1.12 says "
     "that "
     "it stands for every usage"},
    {true, eku_any_leaf,
     "libcrypto does not take anyExtendedKeyUsage in a leaf for serverAuth; RFC 5280 4.2.1.12 says "
     "that it stands for every usage (the policy WEBPKI refuses it)"},
    {false, no_basic_constraints,
     "libcrypto takes an issuer without basic constraints for a CA when its key usage has "
     "keyCertSign; RFC 5280 6.1.4 (k) demands the extension of version 3 certificates"},
    {true, same_name_as_issuer,
     "libcrypto takes a certificate with its issuer's name for self-signed when it has no key "
     "identifiers, and stops there; we go on to the issuer of that name with another key"},
};
#define NUM_DIFFERENCES (sizeof(differences) / sizeof(differences[0]))

static void describe(const struct plan *p, char *out, size_t cap)
{
    static const char *const names[C_COUNT] = {"-",          "expired",   "early",       "not-ca",
                                               "ca",         "pathlen",   "no-certsign", "no-ku",
                                               "client-eku", "no-eku",    "raw",         "host",
                                               "no-keyids",  "same-name", "wrong-key",   "missing"};
    size_t len = 0;
    for (size_t i = 0; i < p->num && len < cap; i++) {
        len += (size_t)snprintf(out + len, cap - len, " %s/%u", names[p->change[i]], p->detail[i]);
    }
}

static void test_differences_from_libcrypto_are_explained(void **state)
{
    (void)state;
    size_t counts[NUM_DIFFERENCES] = {0};
    size_t num_accepted = 0;
    size_t num_unexplained = 0;
    for (size_t n = 0; n < NUM_CHAINS; n++) {
        struct plan p = make_plan();
        struct entity chain[MAX_CHAIN];
        make_chain(&p, chain);
        struct cleat_verdict *verdict = our_verdict(&p, chain);
        bool ours = cleat_verdict_code(verdict) == CLEAT_OK;
        int code = their_code(&p, chain);
        size_t row = 0;
        num_accepted += ours;
        while (ours != (code == X509_V_OK) && row < NUM_DIFFERENCES &&
               (differences[row].ours_accepts != ours || !differences[row].applies(&p, chain))) {
            row++;
        }
        if (ours != (code == X509_V_OK)) {
            char text[200];
            describe(&p, text, sizeof(text));
            if (row < NUM_DIFFERENCES) {
                counts[row]++;
            } else {
                num_unexplained++;
                print_message("chain %zu (%s ): we say %s %s, libcrypto %s\n", n, text,
                              cleat_error_name(cleat_verdict_code(verdict)),
                              cleat_verdict_error(verdict)->text,
                              X509_verify_cert_error_string(code));
            }
        }
        cleat_verdict_free(verdict);
        for (size_t i = 0; i < p.num; i++) {
            t_free(&chain[i]);
        }
    }
    print_message("%d chains, %zu accepted\n", NUM_CHAINS, num_accepted);
    for (size_t i = 0; i < NUM_DIFFERENCES; i++) {
        print_message("%4zu %s: %s\n", counts[i],
                      differences[i].ours_accepts ? "only we accept" : "only libcrypto accepts",
                      differences[i].why);
    }
    assert_true(num_accepted > NUM_CHAINS / 5 && num_accepted < NUM_CHAINS * 4 / 5);
    assert_int_equal(num_unexplained, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_differences_from_libcrypto_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
