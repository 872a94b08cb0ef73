/* Hostile chains end soon and clearly; every allocation may fail. */
#include "support_crl.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "allocations.h"
#include "base/pem.h"

/* CPU time of this thread: what else the machine does is not in it. */
static double now_us(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* What one P-256 signature check takes here and now: the unit that a verification is measured in,
 * so that a slow machine changes both. */
static double signature_check_us(void)
{
    struct entity root = t_ca("Unit", NULL, 0);
    const struct cl_pubkey *key = NULL;
    assert_int_equal(cl_cert_pubkey(root.cert, &key), CL_OK);
    double least = 1e9;
    for (int i = 0; i < 20; i++) {
        struct cl_job job = {.kind = CL_JOB_VERIFY,
                             .status = CL_JOB_PENDING,
                             .verify = {.key = key,
                                        .alg = root.cert->sig_alg,
                                        .message = root.cert->tbs,
                                        .signature = root.cert->signature}};
        double start = now_us();
        cl_job_run(&job);
        double took = now_us() - start;
        assert_int_equal(job.result, CL_OK);
        cl_job_reset(&job);
        least = took < least ? took : least;
    }
    t_free(&root);
    return least;
}

/* 500 checks, some 20 ms: fifty times what the worst of these inputs needs, for sanitizers slow us
 * down and libcrypto not. An exponential search is beyond that by orders of magnitude; how far work
 * may go is asserted exactly, in steps. */
#define MAX_CHECKS 500.0

/* A verification, its time without the signature checks, and what must come of it. */
static void judge(const char *what, const struct cl_verify_params *params,
                  const struct cleat_cert *const *chain, size_t num, int expected)
{
    struct cl_verify *v;
    double unit = signature_check_us();
    double start = now_us();
    double jobs = 0;
    assert_int_equal(cl_verify_new_certs(&v, params, chain, num), CL_OK);
    while (cl_verify_step(v) == CL_VERIFY_NEEDS_JOB) {
        double job_start = now_us();
        cl_job_run(cl_verify_job(v));
        jobs += now_us() - job_start;
    }
    struct cleat_verdict *verdict = cl_verify_take_verdict(v);
    double took = now_us() - start - jobs;
    struct cleat_verify_work work;
    cleat_verdict_work(verdict, &work);
    print_message("%s: %.0f us (%.1f signature checks) beside %u signature checks, %u steps, "
                  "%u paths, %u comparisons: %s\n",
                  what, took, took / unit, work.num_signatures, work.num_steps, work.num_tried,
                  work.num_name_comparisons, cleat_verdict_error(verdict)->text);
    assert_int_equal(cleat_verdict_code(verdict), expected);
    assert_true(work.num_signatures <= CL_VERIFY_MAX_SIGNATURES);
    assert_true(work.num_steps <= CL_VERIFY_MAX_STEPS);
    assert_true(work.num_name_comparisons <= CL_VERIFY_MAX_NAME_COMPARISONS + 1);
    assert_true(took < MAX_CHECKS * unit);
    cleat_verdict_free(verdict);
    cl_verify_free(v);
}

#define NUM_CAS 100

enum shape {
    SAME_NAME_SAME_KEY,
    SAME_NAME_SOME_KEYS,
    SOME_NAMES_SOME_KEYS,
};

/* A hundred CAs that could all have issued each other, and a leaf below them; anchored says whether
 * the root is really above. */
static void hostile(enum shape shape, bool anchored, int expected)
{
    static const char *const shapes[] = {"same name, same key", "same name, ten keys",
                                         "three names, ten keys"};
    struct entity cas[NUM_CAS];
    const struct cleat_cert *chain[NUM_CAS + 1];
    char what[64];
    struct entity root = t_ca("Root", NULL, 11);
    struct entity top = t_ca("CA", anchored ? &root : NULL, 0);
    struct entity above = top;
    for (size_t i = 0; i < NUM_CAS; i++) {
        static const char *const names[] = {"CA", "CB", "CC"};
        size_t key = shape == SAME_NAME_SAME_KEY ? 0 : i % 10;
        struct cl_cert_template tpl = t_template(
            shape == SOME_NAMES_SOME_KEYS ? names[i % 3] : "CA", &above, t_key(key), true);
        tpl.no_key_ids = true;
        cas[i] = t_make(&tpl, &above, t_key(key));
        above = cas[i];
        chain[i + 1] = cas[i].cert;
    }
    struct entity leaf = t_leaf("leaf.example.com", &above, 10);
    chain[0] = leaf.cert;
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    (void)snprintf(what, sizeof(what), "%s", shapes[shape]);
    judge(what, &params, chain, NUM_CAS + 1, expected);
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&top);
    t_free(&leaf);
    for (size_t i = 0; i < NUM_CAS; i++) {
        t_free(&cas[i]);
    }
}

static void test_exponential_inputs_end_as_too_complex(void **state)
{
    (void)state;
    hostile(SAME_NAME_SAME_KEY, false, CLEAT_ERR_TOO_COMPLEX);
    hostile(SAME_NAME_SOME_KEYS, false, CLEAT_ERR_TOO_COMPLEX);
    hostile(SOME_NAMES_SOME_KEYS, false, CLEAT_ERR_TOO_COMPLEX);
}

/* Many anchors of one name: each complete path costs a signature check. */
static void test_anchors_of_one_name_are_bounded(void **state)
{
    (void)state;
    struct entity roots[60];
    const struct entity *anchors[60];
    struct cl_cert_template tpl;
    for (size_t i = 0; i < 60; i++) {
        tpl = t_template("Root", NULL, t_key(i % 9), true);
        tpl.no_key_ids = true;
        tpl.not_after += (int64_t)i;
        roots[i] = t_make(&tpl, NULL, t_key(i % 9));
        anchors[i] = &roots[i];
    }
    struct entity other = t_make(&tpl, NULL, t_key(10)); /* the right name, a key nobody has */
    other.key = t_key(10);
    struct entity leaf = t_leaf("leaf.example.com", &other, 11);
    struct cleat_trust_store *trust = t_trust(anchors, 60);
    struct cl_verify_params params = t_params(trust);
    judge("sixty anchors of one name", &params, (const struct cleat_cert *const[]){leaf.cert}, 1,
          CLEAT_ERR_TOO_COMPLEX);
    cleat_trust_store_free(trust);
    for (size_t i = 0; i < 60; i++) {
        t_free(&roots[i]);
    }
    t_free(&other);
    t_free(&leaf);
}

/* num constraints or SANs of the form DNS "nI.test". */
static size_t many_names(uint8_t *out, size_t cap, size_t num, bool constraints)
{
    struct cl_wr w = cl_wr_of(out, cap);
    struct cl_der_mark seq = cl_der_open(&w, CL_DER_SEQUENCE);
    struct cl_der_mark list = {0};
    if (constraints) {
        list = cl_der_open(&w, CL_DER_CTXC(1));
    }
    for (size_t i = 0; i < num; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "%c%zu.test", constraints ? 'c' : 'n', i);
        struct cl_der_mark subtree = {0};
        if (constraints) {
            subtree = cl_der_open(&w, CL_DER_SEQUENCE);
        }
        cl_der_put(&w, CL_DER_CTX(2), cl_rd_str(name));
        if (constraints) {
            cl_der_close(&w, subtree);
        }
    }
    if (constraints) {
        cl_der_close(&w, list);
    }
    cl_der_close(&w, seq);
    assert_true(cl_wr_ok(&w));
    return w.len;
}

static void names_against_constraints(size_t num, int expected)
{
    static uint8_t nc[60000];
    static uint8_t san[60000];
    struct cl_cert_raw_ext nc_ext = {"2.5.29.30", true,
                                     cl_rd_of(nc, many_names(nc, sizeof(nc), num, true))};
    struct cl_cert_raw_ext san_ext = {"2.5.29.17", false,
                                      cl_rd_of(san, many_names(san, sizeof(san), num, false))};
    struct cl_cert_template tpl = t_template("Root", NULL, t_key(0), true);
    tpl.raw_exts = &nc_ext;
    tpl.num_raw_exts = 1;
    struct entity root = t_make(&tpl, NULL, t_key(0));
    tpl = t_template("leaf", &root, t_key(1), false);
    tpl.num_dns_names = 0;
    tpl.raw_exts = &san_ext;
    tpl.num_raw_exts = 1;
    struct entity leaf = t_make(&tpl, &root, t_key(1));
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    char what[64];
    params.host = "n1.test";
    (void)snprintf(what, sizeof(what), "%zu names, %zu constraints", num, num);
    judge(what, &params, (const struct cleat_cert *const[]){leaf.cert}, 1, expected);
    cleat_trust_store_free(trust);
    t_free(&root);
    t_free(&leaf);
}

static void test_names_times_constraints_are_bounded(void **state)
{
    (void)state;
    names_against_constraints(100, CLEAT_OK);
    names_against_constraints(2000, CLEAT_ERR_TOO_COMPLEX);
}

static void test_more_certificates_than_the_limit(void **state)
{
    (void)state;
    struct entity root = t_ca("Root", NULL, 0);
    const struct entity *anchor = &root;
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify_params params = t_params(trust);
    const struct cleat_cert *chain[CL_VERIFY_MAX_CERTS + 1];
    for (size_t i = 0; i <= CL_VERIFY_MAX_CERTS; i++) {
        chain[i] = root.cert;
    }
    assert_int_equal(t_code(&params, chain, CL_VERIFY_MAX_CERTS + 1), CLEAT_ERR_TOO_COMPLEX);
    cleat_trust_store_free(trust);
    t_free(&root);
}

/* ---- every allocation fails once ---- */

/* What a story begins with: PEM. */
struct story {
    struct cl_buf chain;
    struct cl_buf roots;
    struct cl_buf crls;
};

/* Parses chain, store and lists, verifies with policies, name constraints and revocation, looks at
 * the proof. */
static int whole_story(const struct story *s)
{
    struct cleat_chain *chain = NULL;
    struct cleat_trust_store *trust = NULL;
    struct cleat_crl_set *crls = NULL;
    struct cleat_verdict *verdict = NULL;
    static const char *const policies[] = {"1.2.3"};
    int r = cleat_chain_from_pem((const char *)s->chain.p, s->chain.len, &chain, NULL);
    if (r == CLEAT_OK) {
        r = cleat_trust_store_from_pem((const char *)s->roots.p, s->roots.len, &trust, NULL);
    }
    if (r == CLEAT_OK) {
        r = cleat_crl_set_from_pem((const char *)s->crls.p, s->crls.len, &crls, NULL);
    }
    if (r == CLEAT_OK) {
        struct cleat_verify_options o = {.trust = trust,
                                         .host = "leaf.example.com",
                                         .now = T_NOW,
                                         .purpose = CLEAT_PURPOSE_SERVER,
                                         .revocation = CLEAT_REVOCATION_REQUIRED,
                                         .crls = crls,
                                         .initial_policies = policies,
                                         .num_initial_policies = 1,
                                         .require_explicit_policy = true};
        r = cleat_verify(&o, chain, &verdict);
    }
    if (r == CLEAT_OK) {
        r = cleat_verdict_code(verdict);
    }
    cleat_verdict_free(verdict);
    cleat_crl_set_free(crls);
    cleat_trust_store_free(trust);
    cleat_chain_free(chain);
    return r;
}

/* The CA permits example.com alone and maps the policy 1.2.3 to 1.2.4, which the leaf has. */
static void make_story(struct story *s)
{
    static const uint8_t ca_policies[] = {0x30, 6, 0x30, 4, 0x06, 2, 0x2a, 3};
    static const uint8_t leaf_policies[] = {0x30, 6, 0x30, 4, 0x06, 2, 0x2a, 4};
    static const uint8_t mappings[] = {0x30, 10, 0x30, 8, 0x06, 2, 0x2a, 3, 0x06, 2, 0x2a, 4};
    static const uint8_t permitted[] = {0x30, 0x11, 0xa0, 0x0f, 0x30, 0x0d, 0x82, 0x0b, 'e', 'x',
                                        'a',  'm',  'p',  'l',  'e',  '.',  'c',  'o',  'm'};
    static const struct cl_cert_raw_ext ca_exts[] = {
        {"2.5.29.32", false, {ca_policies, sizeof(ca_policies)}},
        {"2.5.29.33", true, {mappings, sizeof(mappings)}},
        {"2.5.29.30", true, {permitted, sizeof(permitted)}}};
    static const struct cl_cert_raw_ext leaf_ext = {
        "2.5.29.32", false, {leaf_policies, sizeof(leaf_policies)}};
    struct entity root = t_ca("Root", NULL, 0);
    struct cl_cert_template tpl = t_template("CA", &root, t_key(1), true);
    tpl.raw_exts = ca_exts;
    tpl.num_raw_exts = 3;
    struct entity ca = t_make(&tpl, &root, t_key(1));
    tpl = t_template("leaf.example.com", &ca, t_key(2), false);
    tpl.raw_exts = &leaf_ext;
    tpl.num_raw_exts = 1;
    struct entity leaf = t_make(&tpl, &ca, t_key(2));
    const struct t_crl of_root = {.issuer = &root};
    const struct t_crl of_ca = {.issuer = &ca, .entries = {{.cert = root.cert}}};
    assert_int_equal(cl_pem_encode("CERTIFICATE", cl_cert_der(leaf.cert), &s->chain), CL_OK);
    assert_int_equal(cl_pem_encode("CERTIFICATE", cl_cert_der(ca.cert), &s->chain), CL_OK);
    assert_int_equal(cl_pem_encode("CERTIFICATE", cl_cert_der(root.cert), &s->roots), CL_OK);
    t_crl_text(&s->crls, &of_root);
    t_crl_text(&s->crls, &of_ca);
    t_free(&root);
    t_free(&ca);
    t_free(&leaf);
}

static void test_nth_allocation_fails_for_every_n(void **state)
{
    (void)state;
    struct story s = {{0}, {0}, {0}};
    size_t n = 1;
    make_story(&s);
    for (;; n++) {
        struct allocations a;
        allocations_watch(&a, n);
        int r = whole_story(&s);
        allocations_leave();
        if (!a.failed) {
            assert_int_equal(r, CLEAT_OK);
            break;
        }
        /* Without memory for its proof a verdict may still be good. */
        if (r != CLEAT_OK && r != CLEAT_ERR_NOMEM) {
            fail_msg("allocation %zu: %s", n, cleat_error_name(r));
        }
    }
    print_message("%zu allocations\n", n);
    assert_true(n > 15);
    cl_buf_deinit(&s.chain);
    cl_buf_deinit(&s.roots);
    cl_buf_deinit(&s.crls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exponential_inputs_end_as_too_complex),
        cmocka_unit_test(test_anchors_of_one_name_are_bounded),
        cmocka_unit_test(test_names_times_constraints_are_bounded),
        cmocka_unit_test(test_more_certificates_than_the_limit),
        cmocka_unit_test(test_nth_allocation_fails_for_every_n),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
