/* TLSA records in a verification (RFC 6698, RFC 7671): every usage, selector and matching type
 * against what it is about; the rules of each usage; sets; and what the proof says. */
#include "support_x509.h"

#include <stdio.h>
#include <stdlib.h>

#include "cleat/dane.h"
#include "x509/dane.h"

struct world {
    struct entity root, inter, leaf, other;
    struct cleat_trust_store *trust;   /* the root */
    struct cleat_trust_store *foreign; /* another */
};

static int set_up(void **state)
{
    static struct world w;
    w.root = t_ca("Root", NULL, 0);
    w.inter = t_ca("Inter", &w.root, 1);
    w.leaf = t_leaf("leaf.example.com", &w.inter, 2);
    w.other = t_ca("Other", NULL, 3);
    w.trust = t_trust((const struct entity *[]){&w.root}, 1);
    w.foreign = t_trust((const struct entity *[]){&w.other}, 1);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    t_free(&w->root);
    t_free(&w->inter);
    t_free(&w->leaf);
    t_free(&w->other);
    cleat_trust_store_free(w->trust);
    cleat_trust_store_free(w->foreign);
    return 0;
}

/* ---- records ---- */

static void add_about(struct cleat_dane *set, const struct cleat_cert *cert, uint8_t usage,
                      uint8_t selector, uint8_t matching)
{
    static uint8_t data[CLEAT_TLSA_MAX_DATA];
    size_t len;
    assert_int_equal(cleat_tlsa_data(cert, selector, matching, data, sizeof(data), &len), CLEAT_OK);
    assert_int_equal(cleat_dane_add(set, usage, selector, matching, data, len, NULL), CLEAT_OK);
}

static struct cleat_dane *set_about(const struct cleat_cert *cert, uint8_t usage, uint8_t selector,
                                    uint8_t matching)
{
    struct cleat_dane *set;
    assert_int_equal(cleat_dane_new(&set), CLEAT_OK);
    if (cert != NULL) {
        add_about(set, cert, usage, selector, matching);
    }
    return set;
}

static struct cleat_dane *set_of_text(const char *text)
{
    struct cleat_error err = {0};
    struct cleat_dane *set = set_about(NULL, 0, 0, 0);
    if (cleat_dane_add_text(set, NULL, text, strlen(text), NULL, &err) != CLEAT_OK) {
        fail_msg("%s: %s", text, err.text);
    }
    return set;
}

/* The verdict on leaf and intermediate; set is freed. */
static struct cleat_verdict *judge(const struct cl_verify_params *params,
                                   const struct cleat_cert *const *chain, size_t num,
                                   struct cleat_dane *set)
{
    struct cl_verify_params p = *params;
    p.dane = set;
    struct cleat_verdict *verdict = t_verify(&p, chain, num);
    cleat_dane_free(set);
    return verdict;
}

static int code_of(const struct cl_verify_params *params, const struct cleat_cert *const *chain,
                   size_t num, struct cleat_dane *set)
{
    struct cleat_verdict *verdict = judge(params, chain, num, set);
    int code = cleat_verdict_code(verdict);
    cleat_verdict_free(verdict);
    return code;
}

#define CHAIN(w) ((const struct cleat_cert *[]){(w)->leaf.cert, (w)->inter.cert})

/* ---- every usage, selector, matching type ---- */

enum about { ABOUT_LEAF, ABOUT_INTER, ABOUT_ROOT, ABOUT_OTHER };

/* By RFC 6698 2.1.1 and RFC 7671 5, in other words than the code's. */
static bool is_good(uint8_t usage, uint8_t matching, enum about about, bool trusted,
                    bool root_presented)
{
    switch (usage) {
    case CLEAT_TLSA_DANE_EE:
        return about == ABOUT_LEAF;
    case CLEAT_TLSA_PKIX_EE:
        return about == ABOUT_LEAF && trusted;
    case CLEAT_TLSA_PKIX_TA:
        return (about == ABOUT_INTER || about == ABOUT_ROOT) && trusted;
    default: /* a digest does not tell the certificate that it is of */
        return about == ABOUT_INTER ||
               (about == ABOUT_ROOT && (root_presented || matching == CLEAT_TLSA_FULL));
    }
}

static void judge_combination(const struct world *w, unsigned n)
{
    const struct entity *const entities[] = {&w->leaf, &w->inter, &w->root, &w->other};
    const uint8_t usage = n % 4, selector = n / 4 % 2, matching = (uint8_t)(n / 8 % 3);
    const enum about about = (enum about)(n / 24 % 4);
    const bool trusted = n / 96 % 2 != 0, root_presented = n / 192 % 2 != 0;
    const struct cleat_cert *chain[] = {w->leaf.cert, w->inter.cert, w->root.cert};
    struct cl_verify_params p = t_params(trusted ? w->trust : w->foreign);
    int code = code_of(&p, chain, root_presented ? 3 : 2,
                       set_about(entities[about]->cert, usage, selector, matching));
    bool good = is_good(usage, matching, about, trusted, root_presented);
    if ((code == CLEAT_OK) != good) {
        fail_msg("%u %u %u about %u, trusted %d, root presented %d: %s", usage, selector, matching,
                 about, trusted, root_presented, cleat_error_name(code));
    }
}

static void test_every_usage_selector_and_matching_type_means_what_rfc_7671_says(void **state)
{
    for (unsigned n = 0; n < 384; n++) {
        judge_combination(*state, n);
    }
}

static void test_without_a_match_the_code_is_its_own_and_openssls_is_dane_no_match(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(w->trust);
    for (uint8_t usage = 0; usage < 4; usage++) {
        struct cleat_verdict *verdict =
            judge(&p, CHAIN(w), 2, set_about(w->other.cert, usage, 1, 1));
        assert_int_equal(cleat_verdict_code(verdict), CLEAT_ERR_DANE_NO_MATCH);
        assert_string_equal(cleat_verdict_openssl_name(verdict), "DANE_NO_MATCH");
        assert_int_equal(cleat_verdict_error(verdict)->alert, 42);
        cleat_verdict_free(verdict);
    }
}

/* ---- DANE-EE(3) ---- */

static void test_dane_ee_looks_neither_at_names_nor_at_dates_nor_at_issuers(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(NULL); /* no trust store at all */
    p.host = "elsewhere.example";
    for (int64_t shift = -2; shift <= 2; shift++) {
        p.now = T_NOW + shift * T_YEAR; /* not yet, still, no longer valid */
        assert_int_equal(code_of(&p, CHAIN(w), 1, set_about(w->leaf.cert, 3, 1, 1)), CLEAT_OK);
        assert_int_equal(code_of(&p, CHAIN(w), 1, set_about(w->leaf.cert, 3, 0, 0)), CLEAT_OK);
    }
}

static void test_dane_ee_accepts_a_self_signed_leaf_whose_path_is_itself(void **state)
{
    struct cl_cert_template tpl = t_template("self.example.com", NULL, t_key(4), false);
    struct entity self = t_make(&tpl, NULL, t_key(4));
    struct cl_verify_params p = t_params(NULL);
    struct cleat_verdict *verdict =
        judge(&p, (const struct cleat_cert *[]){self.cert}, 1, set_about(self.cert, 3, 1, 2));
    assert_int_equal(cleat_verdict_code(verdict), CLEAT_OK);
    assert_int_equal(cleat_verdict_path_num(verdict), 1);
    assert_true(cl_verdict_is_by_key(verdict));
    cleat_verdict_free(verdict);
    t_free(&self);
}

static void test_dane_ee_checks_the_name_when_it_is_told_to(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(NULL);
    struct cleat_dane *set = set_about(w->leaf.cert, 3, 1, 1);
    cleat_dane_check_names(set, true);
    assert_int_equal(code_of(&p, CHAIN(w), 2, cleat_dane_ref(set)), CLEAT_OK);
    p.host = "elsewhere.example";
    assert_int_equal(code_of(&p, CHAIN(w), 2, set), CLEAT_ERR_NAME_MISMATCH);
}

static void test_dane_ee_takes_no_weak_key(void **state)
{
    struct world *w = *state;
    struct cl_cert_template tpl = t_template("leaf.example.com", &w->inter, t_key(2), false);
    tpl.spki = t_weak_key();
    tpl.no_key_ids = true;
    struct entity weak = t_make(&tpl, &w->inter, t_key(2));
    struct cl_verify_params p = t_params(NULL);
    assert_int_equal(
        code_of(&p, (const struct cleat_cert *[]){weak.cert}, 1, set_about(weak.cert, 3, 1, 1)),
        CLEAT_ERR_WEAK_KEY);
    t_free(&weak);
}

/* ---- DANE-TA(2) ---- */

static void test_dane_ta_checks_name_and_dates(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(NULL);
    p.host = "elsewhere.example";
    assert_int_equal(code_of(&p, CHAIN(w), 2, set_about(w->inter.cert, 2, 0, 1)),
                     CLEAT_ERR_NAME_MISMATCH);
    p = t_params(NULL);
    p.now = T_NOW + 2 * T_YEAR;
    assert_int_equal(code_of(&p, CHAIN(w), 2, set_about(w->inter.cert, 2, 1, 1)),
                     CLEAT_ERR_CERT_EXPIRED);
}

static void test_dane_ta_needs_a_path_not_only_a_certificate_in_the_chain(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(w->trust);
    /* the authority is there, but has issued nothing here */
    const struct cleat_cert *chain[] = {w->leaf.cert, w->inter.cert, w->other.cert};
    assert_int_equal(code_of(&p, chain, 3, set_about(w->other.cert, 2, 0, 1)),
                     CLEAT_ERR_DANE_NO_MATCH);
}

static void test_dane_ta_checks_the_signature_of_what_it_issued(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(NULL);
    struct entity twin = t_ca("Inter", &w->root, 5); /* the same name, another key */
    const struct cleat_cert *chain[] = {w->leaf.cert, twin.cert};
    assert_int_equal(code_of(&p, chain, 2, set_about(twin.cert, 2, 0, 1)), CLEAT_ERR_BAD_SIGNATURE);
    assert_int_equal(code_of(&p, CHAIN(w), 1, set_about(twin.cert, 2, 1, 0)),
                     CLEAT_ERR_BAD_SIGNATURE);
    t_free(&twin);
}

static void test_a_bare_key_that_is_not_in_the_chain_is_an_anchor(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(NULL);
    struct cleat_verdict *verdict =
        judge(&p, CHAIN(w), 2, set_about(w->root.cert, 2, 1, 0)); /* signs the intermediate */
    assert_int_equal(cleat_verdict_code(verdict), CLEAT_OK);
    assert_int_equal(cleat_verdict_path_num(verdict), 3);
    cleat_verdict_free(verdict);
    /* the leaf's own issuer, without any certificate but the leaf */
    assert_int_equal(code_of(&p, CHAIN(w), 1, set_about(w->inter.cert, 2, 1, 0)), CLEAT_OK);
    /* its name and its dates count as ever */
    p.host = "elsewhere.example";
    assert_int_equal(code_of(&p, CHAIN(w), 1, set_about(w->inter.cert, 2, 1, 0)),
                     CLEAT_ERR_NAME_MISMATCH);
}

static void test_a_whole_certificate_in_a_record_is_an_anchor_that_need_not_be_sent(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(NULL);
    assert_int_equal(code_of(&p, CHAIN(w), 1, set_about(w->inter.cert, 2, 0, 0)), CLEAT_OK);
    assert_int_equal(code_of(&p, CHAIN(w), 1, set_about(w->root.cert, 2, 0, 0)),
                     CLEAT_ERR_DANE_NO_MATCH); /* the intermediate is missing */
}

static void test_an_authoritys_record_never_names_the_leaf(void **state)
{
    struct world *w = *state;
    struct cl_cert_template tpl = t_template("leaf.example.com", NULL, t_key(4), true);
    static const char *const names[] = {"leaf.example.com"};
    tpl.dns_names = names;
    tpl.num_dns_names = 1;
    struct entity self = t_make(&tpl, NULL, t_key(4));
    const struct cleat_cert *chain[] = {self.cert, w->inter.cert};
    struct cl_verify_params p = t_params(NULL);
    assert_int_equal(code_of(&p, chain, 1, set_about(self.cert, 2, 0, 1)), CLEAT_ERR_DANE_NO_MATCH);
    assert_int_equal(code_of(&p, chain, 1, set_about(self.cert, 2, 0, 0)), CLEAT_ERR_DANE_NO_MATCH);
    t_free(&self);
}

static void test_what_dane_ta_names_needs_no_certificate_timestamps(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(w->trust);
    p.ct = CLEAT_CT_REQUIRED;
    assert_int_equal(code_of(&p, CHAIN(w), 2, set_about(w->inter.cert, 2, 1, 1)), CLEAT_OK);
    assert_int_equal(code_of(&p, CHAIN(w), 2, set_about(w->leaf.cert, 3, 1, 1)), CLEAT_OK);
    assert_int_equal(code_of(&p, CHAIN(w), 2, set_about(w->leaf.cert, 1, 1, 1)),
                     CLEAT_ERR_NOT_TRANSPARENT);
}

/* ---- PKIX-TA(0), PKIX-EE(1) ---- */

static void test_pkix_usages_make_ordinary_verification_stricter_never_laxer(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(w->trust);
    p.host = "elsewhere.example";
    assert_int_equal(code_of(&p, CHAIN(w), 2, set_about(w->leaf.cert, 1, 1, 1)),
                     CLEAT_ERR_NAME_MISMATCH);
    p = t_params(w->trust);
    p.now = T_NOW + 2 * T_YEAR;
    assert_int_equal(code_of(&p, CHAIN(w), 2, set_about(w->inter.cert, 0, 1, 1)),
                     CLEAT_ERR_CERT_EXPIRED);
    p = t_params(w->foreign);
    assert_int_equal(code_of(&p, CHAIN(w), 2, set_about(w->leaf.cert, 1, 1, 1)),
                     CLEAT_ERR_UNKNOWN_ISSUER);
}

static void test_pkix_ta_goes_on_to_the_path_that_has_the_authority(void **state)
{
    struct world *w = *state;
    /* the same intermediate, issued by two roots that are both trusted */
    struct cl_cert_template tpl = t_template("Inter", &w->other, t_key(1), true);
    struct entity cross = t_make(&tpl, &w->other, t_key(1));
    const struct entity *const anchors[] = {&w->root, &w->other};
    struct cleat_trust_store *both = t_trust(anchors, 2);
    const struct cleat_cert *chain[] = {w->leaf.cert, w->inter.cert, cross.cert};
    struct cl_verify_params p = t_params(both);
    for (int i = 0; i < 2; i++) {
        const struct cleat_cert *root = anchors[i]->cert;
        struct cleat_verdict *verdict = judge(&p, chain, 3, set_about(root, 0, 0, 2));
        assert_int_equal(cleat_verdict_code(verdict), CLEAT_OK);
        const struct cleat_cert *top = cleat_verdict_path_at(verdict, 2);
        assert_true(cl_rd_equal(cl_cert_der(top), cl_cert_der(root)));
        cleat_verdict_free(verdict);
    }
    t_free(&cross);
    cleat_trust_store_free(both);
}

/* ---- sets ---- */

static void test_without_a_usable_record_the_chain_is_verified_as_without_records(void **state)
{
    struct world *w = *state;
    static const char *const texts[] = {"", "4 1 1 00", "3 2 1 00", "3 1 3 00", "255 255 255 00"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct cl_verify_params p = t_params(w->trust);
        struct cleat_dane *set = set_of_text(texts[i]);
        assert_int_equal(cleat_dane_num_usable(set), 0);
        assert_int_equal(code_of(&p, CHAIN(w), 2, cleat_dane_ref(set)), CLEAT_OK);
        p.trust = w->foreign;
        assert_int_equal(code_of(&p, CHAIN(w), 2, set), CLEAT_ERR_UNKNOWN_ISSUER);
    }
}

static void test_without_a_usable_record_a_trust_store_is_needed(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(NULL);
    struct cl_verify *v = NULL;
    struct cleat_dane *unusable = set_of_text("3 1 9 00");
    struct cleat_dane *pkix = set_about(w->leaf.cert, 1, 1, 1);
    p.dane = unusable;
    assert_int_equal(cl_verify_new_certs(&v, &p, CHAIN(w), 2), CLEAT_ERR_USAGE);
    p.dane = pkix;
    assert_int_equal(cl_verify_new_certs(&v, &p, CHAIN(w), 2), CLEAT_ERR_USAGE);
    cleat_dane_free(unusable);
    cleat_dane_free(pkix);
}

static void test_an_unusable_record_beside_a_usable_one_does_not_weaken_it(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(w->trust);
    struct cleat_dane *set = set_about(w->other.cert, 3, 1, 1);
    assert_int_equal(cleat_dane_add_text(set, NULL, "3 1 7 00\n9 9 9 00", 17, NULL, NULL),
                     CLEAT_OK);
    assert_int_equal(code_of(&p, CHAIN(w), 2, set), CLEAT_ERR_DANE_NO_MATCH);
}

static void test_of_two_digests_of_the_same_the_stronger_alone_counts(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(w->trust);
    for (uint8_t usage = 0; usage < 4; usage++) {
        const bool leaf = usage == 1 || usage == 3;
        const struct cleat_cert *right = leaf ? w->leaf.cert : w->inter.cert;
        struct cleat_dane *set = set_about(right, usage, 1, 1);
        add_about(set, w->other.cert, usage, 1, 2); /* wrong, and stronger */
        assert_int_equal(code_of(&p, CHAIN(w), 2, cleat_dane_ref(set)), CLEAT_ERR_DANE_NO_MATCH);
        add_about(set, right, usage, 0, 1); /* of another selector: its own strongest */
        assert_int_equal(code_of(&p, CHAIN(w), 2, set), CLEAT_OK);
    }
}

static void test_a_whole_value_counts_beside_digests(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(w->trust);
    struct cleat_dane *set = set_about(w->leaf.cert, 3, 1, 0);
    add_about(set, w->other.cert, 3, 1, 2);
    assert_int_equal(code_of(&p, CHAIN(w), 2, set), CLEAT_OK);
}

static void test_one_matching_record_is_enough(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(w->trust);
    struct cleat_dane *set = set_about(w->other.cert, 3, 1, 1); /* the next key, published early */
    add_about(set, w->leaf.cert, 3, 1, 1);
    assert_int_equal(code_of(&p, CHAIN(w), 2, set), CLEAT_OK);
    set = set_about(w->other.cert, 2, 0, 0); /* no path leads there */
    add_about(set, w->root.cert, 0, 0, 1);
    assert_int_equal(code_of(&p, CHAIN(w), 2, set), CLEAT_OK);
}

static void test_the_order_of_records_does_not_matter(void **state)
{
    struct world *w = *state;
    uint8_t a[32], b[32], c[32];
    struct cleat_dane *one = set_about(w->leaf.cert, 3, 1, 1);
    add_about(one, w->inter.cert, 2, 0, 1);
    struct cleat_dane *two = set_about(w->inter.cert, 2, 0, 1);
    add_about(two, w->leaf.cert, 3, 1, 1);
    add_about(two, w->leaf.cert, 3, 1, 1); /* twice is once */
    cl_dane_digest(one, a);
    cl_dane_digest(two, b);
    assert_memory_equal(a, b, sizeof(a));
    assert_int_equal(cleat_dane_num(two), 2);
    cleat_dane_check_names(two, true);
    cl_dane_digest(two, c);
    assert_memory_not_equal(a, c, sizeof(a));
    cleat_dane_free(one);
    cleat_dane_free(two);
}

static void test_more_than_64_records_are_refused(void **state)
{
    struct cleat_error err = {0};
    struct cleat_dane *set = set_about(NULL, 0, 0, 0);
    uint8_t digest[32] = {0};
    for (uint8_t i = 0; i < CLEAT_DANE_MAX_RECORDS; i++) {
        digest[0] = i;
        assert_int_equal(cleat_dane_add(set, 3, 1, 1, digest, 32, NULL), CLEAT_OK);
    }
    assert_int_equal(cleat_dane_add(set, 3, 1, 1, digest, 32, NULL), CLEAT_OK); /* there already */
    digest[0] = 255;
    assert_int_equal(cleat_dane_add(set, 3, 1, 1, digest, 32, &err), CLEAT_ERR_LIMIT);
    assert_non_null(strstr(err.text, "64"));
    assert_int_equal(cleat_dane_num(set), CLEAT_DANE_MAX_RECORDS);
    cleat_dane_free(set);
}

static void test_a_malformed_record_is_refused_with_the_reason(void **state)
{
    static const struct {
        uint8_t usage, selector, matching;
        size_t len;
    } rows[] = {
        {3, 1, 1, 31}, {3, 1, 1, 33}, {3, 1, 2, 32}, {3, 0, 1, 64}, {3, 1, 1, 0},
        {9, 9, 9, 0},  {2, 0, 0, 20}, {2, 1, 0, 20}, {3, 0, 0, 1},  {0, 1, 0, 1},
    };
    uint8_t data[64] = {0x30};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cleat_error err = {0};
        struct cleat_dane *set = set_about(NULL, 0, 0, 0);
        assert_int_equal(cleat_dane_add(set, rows[i].usage, rows[i].selector, rows[i].matching,
                                        data, rows[i].len, &err),
                         CLEAT_ERR_BAD_TLSA);
        assert_true(err.text[0] != '\0');
        assert_int_equal(cleat_dane_num(set), 0);
        cleat_dane_free(set);
    }
}

/* Under ASan and valgrind: nothing behind the bytes is read. */
static void test_rdata_that_ends_too_early_is_refused(void **state)
{
    static const uint8_t whole[4] = {3, 1, 1, 0};
    for (size_t len = 0; len <= sizeof(whole); len++) {
        struct cleat_dane *set = set_about(NULL, 0, 0, 0);
        uint8_t *rdata = malloc(len != 0 ? len : 1);
        assert_non_null(rdata);
        memcpy(rdata, whole, len);
        assert_int_equal(cleat_dane_add_wire(set, rdata, len, NULL), CLEAT_ERR_BAD_TLSA);
        free(rdata);
        cleat_dane_free(set);
    }
}

static void test_longer_than_a_record_of_dns_is_refused(void **state)
{
    static uint8_t data[CLEAT_TLSA_MAX_DATA + 1];
    struct cleat_dane *set = set_about(NULL, 0, 0, 0);
    assert_int_equal(cleat_dane_add(set, 9, 0, 0, data, sizeof(data), NULL), CLEAT_ERR_LIMIT);
    assert_int_equal(cleat_dane_add(set, 9, 0, 0, data, sizeof(data) - 1, NULL), CLEAT_OK);
    cleat_dane_free(set);
}

/* ---- the proof ---- */

static bool find_check(const struct cleat_verdict *verdict, const char *name,
                       struct cleat_check *out)
{
    for (size_t i = 0; i < cleat_verdict_num_tries(verdict); i++) {
        for (size_t n = 0; cleat_verdict_check(verdict, i, n, out); n++) {
            if (strcmp(out->name, name) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void test_the_proof_says_which_record_matched_which_certificate(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(w->trust);
    struct cleat_check check;
    struct cleat_tlsa_told told;
    struct cleat_dane *set = set_about(w->inter.cert, 2, 0, 1);
    add_about(set, w->other.cert, 3, 1, 1);
    struct cleat_verdict *verdict = judge(&p, CHAIN(w), 2, set);
    assert_int_equal(cleat_verdict_num_tlsa(verdict), 2);
    assert_true(cleat_verdict_tlsa(verdict, 0, &told));
    assert_int_equal(told.result, CLEAT_TLSA_COUNTED);
    assert_int_equal(told.certificate, 2);
    assert_int_equal(told.record.len, 32);
    assert_true(cleat_verdict_tlsa(verdict, 1, &told));
    assert_int_equal(told.result, CLEAT_TLSA_NO_MATCH);
    assert_int_equal(told.certificate, 0);
    assert_false(cleat_verdict_tlsa(verdict, 2, &told));
    assert_true(find_check(verdict, "TLSA records", &check));
    assert_int_equal(check.result, CLEAT_CHECK_PASSED);
    assert_non_null(strstr(check.text, "2 0 1"));
    assert_non_null(strstr(check.text, "certificate 2 of 2"));
    assert_true(find_check(verdict, "trust anchor", &check));
    assert_non_null(strstr(check.text, "is what TLSA record 2 0 1"));
    cleat_verdict_free(verdict);
}

static void test_the_proof_says_what_dane_ee_does_not_look_at(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(NULL);
    struct cleat_check check;
    struct cleat_verdict *verdict = judge(&p, CHAIN(w), 2, set_about(w->leaf.cert, 3, 1, 1));
    assert_true(find_check(verdict, "host name", &check));
    assert_int_equal(check.result, CLEAT_CHECK_SKIPPED);
    assert_non_null(strstr(check.text, "RFC 7671 5.1"));
    assert_true(find_check(verdict, "validity", &check));
    assert_int_equal(check.result, CLEAT_CHECK_SKIPPED);
    assert_true(find_check(verdict, "public key", &check));
    assert_int_equal(check.result, CLEAT_CHECK_PASSED);
    cleat_verdict_free(verdict);
}

static void test_a_refusal_says_what_the_certificate_has_and_what_a_record_says(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(w->trust);
    struct cleat_check check;
    struct cleat_dane *set = set_about(w->other.cert, 3, 1, 1);
    struct cleat_tlsa record;
    char text[80];
    assert_true(cleat_dane_at(set, 0, &record));
    (void)cleat_tlsa_text(&record, text, 17); /* the first five bytes */
    struct cleat_verdict *verdict = judge(&p, CHAIN(w), 2, set);
    const struct cleat_error *e = cleat_verdict_error(verdict);
    assert_non_null(strstr(e->text, "SHA2-256 of its key"));
    assert_non_null(strstr(e->text, text));
    assert_non_null(strstr(e->hint, "RFC 7671 8.1"));
    assert_string_equal(e->section, "RFC 6698 4.1");
    assert_true(find_check(verdict, "TLSA records", &check));
    assert_int_equal(check.result, CLEAT_CHECK_FAILED);
    cleat_verdict_free(verdict);
}

static void test_the_proof_says_that_no_record_is_usable(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(w->trust);
    struct cleat_check check;
    struct cleat_tlsa_told told;
    struct cleat_verdict *verdict = judge(&p, CHAIN(w), 2, set_of_text("3 1 9 0102"));
    assert_true(find_check(verdict, "TLSA records", &check));
    assert_int_equal(check.result, CLEAT_CHECK_SKIPPED);
    assert_true(cleat_verdict_tlsa(verdict, 0, &told));
    assert_int_equal(told.result, CLEAT_TLSA_UNUSABLE);
    cleat_verdict_free(verdict);
}

/* ---- what is remembered ---- */

static void test_a_remembered_verdict_is_not_carried_over_to_other_records(void **state)
{
    struct world *w = *state;
    struct cleat_verify_cache *cache;
    assert_int_equal(cleat_verify_cache_new(16, 0, &cache), CLEAT_OK);
    struct cl_verify_params p = t_params(w->trust);
    p.cache = cache;
    for (int i = 0; i < 2; i++) {
        struct cleat_verdict *verdict = judge(&p, CHAIN(w), 2, set_about(w->leaf.cert, 3, 1, 1));
        assert_int_equal(cleat_verdict_code(verdict), CLEAT_OK);
        assert_int_equal(cleat_verdict_remembered(verdict, NULL), i == 1);
        assert_int_equal(cleat_verdict_num_tlsa(verdict), 1); /* also of a remembered one */
        cleat_verdict_free(verdict);
    }
    assert_int_equal(code_of(&p, CHAIN(w), 2, set_about(w->other.cert, 3, 1, 1)),
                     CLEAT_ERR_DANE_NO_MATCH);
    p.trust = w->foreign;
    assert_int_equal(code_of(&p, CHAIN(w), 2, NULL), CLEAT_ERR_UNKNOWN_ISSUER);
    cleat_verify_cache_free(cache);
}

/* ---- running out of memory ---- */

static bool fail_nth(void *ctx, size_t size)
{
    return (*(int *)ctx)-- != 0;
}

static void test_without_memory_nothing_is_accepted(void **state)
{
    struct world *w = *state;
    struct cl_verify_params p = t_params(NULL);
    struct cleat_dane *set = set_about(w->root.cert, 2, 1, 0);
    p.dane = set;
    for (int n = 0; n < 60; n++) {
        int left = n;
        struct cl_verify *v = NULL;
        cl_mem_test_hook(fail_nth, &left);
        cl_result r = cl_verify_new_certs(&v, &p, CHAIN(w), 1); /* no path: its issuer is missing */
        while (r == CL_OK && cl_verify_step(v) == CL_VERIFY_NEEDS_JOB) {
            cl_job_run(cl_verify_job(v));
        }
        cl_mem_test_hook(NULL, NULL);
        if (r == CL_OK) {
            struct cleat_verdict *verdict = cl_verify_take_verdict(v);
            assert_int_not_equal(cleat_verdict_code(verdict), CLEAT_OK);
            cleat_verdict_free(verdict);
        }
        cl_verify_free(v);
    }
    cleat_dane_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_usage_selector_and_matching_type_means_what_rfc_7671_says),
        cmocka_unit_test(test_without_a_match_the_code_is_its_own_and_openssls_is_dane_no_match),
        cmocka_unit_test(test_dane_ee_looks_neither_at_names_nor_at_dates_nor_at_issuers),
        cmocka_unit_test(test_dane_ee_accepts_a_self_signed_leaf_whose_path_is_itself),
        cmocka_unit_test(test_dane_ee_checks_the_name_when_it_is_told_to),
        cmocka_unit_test(test_dane_ee_takes_no_weak_key),
        cmocka_unit_test(test_dane_ta_checks_name_and_dates),
        cmocka_unit_test(test_dane_ta_needs_a_path_not_only_a_certificate_in_the_chain),
        cmocka_unit_test(test_dane_ta_checks_the_signature_of_what_it_issued),
        cmocka_unit_test(test_a_bare_key_that_is_not_in_the_chain_is_an_anchor),
        cmocka_unit_test(test_a_whole_certificate_in_a_record_is_an_anchor_that_need_not_be_sent),
        cmocka_unit_test(test_an_authoritys_record_never_names_the_leaf),
        cmocka_unit_test(test_what_dane_ta_names_needs_no_certificate_timestamps),
        cmocka_unit_test(test_pkix_usages_make_ordinary_verification_stricter_never_laxer),
        cmocka_unit_test(test_pkix_ta_goes_on_to_the_path_that_has_the_authority),
        cmocka_unit_test(test_without_a_usable_record_the_chain_is_verified_as_without_records),
        cmocka_unit_test(test_without_a_usable_record_a_trust_store_is_needed),
        cmocka_unit_test(test_an_unusable_record_beside_a_usable_one_does_not_weaken_it),
        cmocka_unit_test(test_of_two_digests_of_the_same_the_stronger_alone_counts),
        cmocka_unit_test(test_a_whole_value_counts_beside_digests),
        cmocka_unit_test(test_one_matching_record_is_enough),
        cmocka_unit_test(test_the_order_of_records_does_not_matter),
        cmocka_unit_test(test_more_than_64_records_are_refused),
        cmocka_unit_test(test_a_malformed_record_is_refused_with_the_reason),
        cmocka_unit_test(test_rdata_that_ends_too_early_is_refused),
        cmocka_unit_test(test_longer_than_a_record_of_dns_is_refused),
        cmocka_unit_test(test_the_proof_says_which_record_matched_which_certificate),
        cmocka_unit_test(test_the_proof_says_what_dane_ee_does_not_look_at),
        cmocka_unit_test(test_a_refusal_says_what_the_certificate_has_and_what_a_record_says),
        cmocka_unit_test(test_the_proof_says_that_no_record_is_usable),
        cmocka_unit_test(test_a_remembered_verdict_is_not_carried_over_to_other_records),
        cmocka_unit_test(test_without_memory_nothing_is_accepted),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
