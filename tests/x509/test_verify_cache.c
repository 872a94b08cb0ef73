/* Chains that were verified before: what is found again, what is not, and for how long.
 *
 * root - ca - leaf; below stranger there is a leaf of the same name. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "support_crl.h"
#include "x509/verify_cache.h"
#include "x509/verify_impl.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static struct entity root, ca, leaf, brief, stranger, its_leaf;
static struct cleat_trust_store *ours, *theirs, *both;
static struct cleat_crl_set *nobody, *nobody_again, *revoking, *short_lived, *to_come;

static struct entity make_brief(void)
{
    struct cl_cert_template tpl = t_template("brief", &ca, t_key(5), false);
    tpl.not_after = T_NOW + 60;
    return t_make(&tpl, &ca, t_key(5));
}

static int make_world(void **state)
{
    root = t_ca("Root", NULL, 0);
    ca = t_ca("CA", &root, 1);
    leaf = t_leaf("leaf.example.com", &ca, 2);
    stranger = t_ca("Stranger", NULL, 3);
    its_leaf = t_leaf("leaf.example.com", &stranger, 4);
    brief = make_brief();
    const struct entity *anchors[] = {&root, &stranger};
    ours = t_trust(anchors, 1);
    theirs = t_trust(anchors + 1, 1);
    both = t_trust(anchors, 2);
    const struct t_crl of_root = {.issuer = &root};
    const struct t_crl good[] = {{.issuer = &ca}, of_root};
    const struct t_crl bad[] = {{.issuer = &ca, .entries = {{leaf.cert}, {brief.cert}}}, of_root};
    const struct t_crl hasty[] = {{.issuer = &ca, .next_update = T_NOW + 30}, of_root};
    const struct t_crl late[] = {
        {.issuer = &ca},
        of_root,
        {.issuer = &ca, .entries = {{leaf.cert}}, .this_update = T_NOW + 20, .number = 9}};
    nobody = t_crl_set(good, LEN(good));
    nobody_again = t_crl_set(good, LEN(good));
    revoking = t_crl_set(bad, LEN(bad));
    short_lived = t_crl_set(hasty, LEN(hasty));
    to_come = t_crl_set(late, LEN(late));
    return 0;
}

static int free_world(void **state)
{
    struct entity *all[] = {&root, &ca, &leaf, &brief, &stranger, &its_leaf};
    struct cleat_crl_set *sets[] = {nobody, nobody_again, revoking, short_lived, to_come};
    for (size_t i = 0; i < LEN(all); i++) {
        t_free(all[i]);
    }
    for (size_t i = 0; i < LEN(sets); i++) {
        cleat_crl_set_free(sets[i]);
    }
    cleat_trust_store_free(ours);
    cleat_trust_store_free(theirs);
    cleat_trust_store_free(both);
    return 0;
}

static struct cleat_verify_cache *new_cache(size_t max_chains, uint32_t lifetime)
{
    struct cleat_verify_cache *cache;
    assert_int_equal(cleat_verify_cache_new(max_chains, lifetime, &cache), CLEAT_OK);
    return cache;
}

static struct cleat_verify_cache_numbers numbers(struct cleat_verify_cache *cache)
{
    struct cleat_verify_cache_numbers n;
    cleat_verify_cache_read(cache, &n);
    return n;
}

/* The verdict on one leaf with the CA beside it. */
static struct cleat_verdict *judge(const struct cl_verify_params *p, const struct entity *which)
{
    const struct cleat_cert *chain[] = {which->cert, ca.cert};
    return t_verify(p, chain, 2);
}

static bool is_remembered(const struct cl_verify_params *p, const struct entity *which, int code)
{
    struct cleat_verdict *verdict = judge(p, which);
    bool remembered = cleat_verdict_remembered(verdict, NULL);
    assert_int_equal(cleat_verdict_code(verdict), code);
    cleat_verdict_free(verdict);
    return remembered;
}

static struct cl_verify_params params_of(struct cleat_verify_cache *cache)
{
    struct cl_verify_params p = t_params(ours);
    p.cache = cache;
    return p;
}

static void assert_same_proof(const struct cleat_verdict *a, const struct cleat_verdict *b)
{
    assert_int_equal(cleat_verdict_code(a), cleat_verdict_code(b));
    assert_int_equal(cleat_verdict_num_tries(a), cleat_verdict_num_tries(b));
    assert_int_equal(cleat_verdict_path_num(a), cleat_verdict_path_num(b));
    for (size_t i = 0; i < cleat_verdict_path_num(a); i++) {
        assert_true(cl_rd_equal(cl_cert_der(cleat_verdict_path_at(a, i)),
                                cl_cert_der(cleat_verdict_path_at(b, i))));
    }
    struct cleat_check x;
    struct cleat_check y;
    for (size_t i = 0; cleat_verdict_check(a, 0, i, &x); i++) {
        assert_true(cleat_verdict_check(b, 0, i, &y));
        assert_string_equal(x.name, y.name);
        assert_string_equal(x.text, y.text);
        assert_int_equal(x.result, y.result);
    }
    assert_true(
        cl_rd_equal(cl_cert_der(cleat_verdict_leaf(a)), cl_cert_der(cleat_verdict_leaf(b))));
}

static void test_a_chain_that_comes_again_gets_the_same_verdict_without_work(void **state)
{
    struct cleat_verify_cache *cache = new_cache(0, 0);
    struct cl_verify_params p = params_of(cache);
    struct cleat_verify_work work;
    int64_t since = 0;
    struct cleat_verdict *first = judge(&p, &leaf);
    assert_false(cleat_verdict_remembered(first, &since));
    p.now += 10;
    struct cleat_verdict *second = judge(&p, &leaf);
    assert_true(cleat_verdict_remembered(second, &since));
    assert_int_equal(since, T_NOW);
    assert_same_proof(first, second);
    cleat_verdict_work(second, &work);
    assert_int_equal(work.num_signatures, 0);
    cleat_verdict_free(first);
    cleat_verify_cache_free(cache); /* the verdict outlives it */
    assert_int_equal(cleat_verdict_path_num(second), 3);
    cleat_verdict_free(second);
}

/* What a question is made of: with any of it changed the chain is verified anew. */
struct change {
    const char *name;
    void (*apply)(struct cl_verify_params *p);
    int code;
};

static void other_host(struct cl_verify_params *p)
{
    p->host = "other.example.com";
}

static void no_host(struct cl_verify_params *p)
{
    p->host = NULL;
}

static void client(struct cl_verify_params *p)
{
    p->purpose = CLEAT_PURPOSE_CLIENT;
}

static void any_purpose(struct cl_verify_params *p)
{
    p->purpose = CLEAT_PURPOSE_ANY;
}

static void strict(struct cl_verify_params *p)
{
    p->policy = CLEAT_POLICY_RFC5280;
}

static void other_anchors(struct cl_verify_params *p)
{
    p->trust = theirs;
}

static void more_anchors(struct cl_verify_params *p)
{
    p->trust = both;
}

static void no_ca(struct cl_verify_params *p)
{
    p->max_intermediates = -1;
}

static void mailbox(struct cl_verify_params *p)
{
    p->email = "a@example.com";
}

static void explicit_policy(struct cl_verify_params *p)
{
    p->require_explicit_policy = true;
}

static void initial_policy(struct cl_verify_params *p)
{
    static const char *const oids[] = {"1.2.3"};
    p->initial_policies = oids;
    p->num_initial_policies = 1;
}

static void revocation(struct cl_verify_params *p)
{
    p->revocation = CLEAT_REVOCATION_REQUIRED;
}

static void list_that_revokes(struct cl_verify_params *p)
{
    p->revocation = CLEAT_REVOCATION_IF_KNOWN;
    p->crls = revoking;
}

static void long_ago(struct cl_verify_params *p)
{
    p->now = T_NOW - 1;
}

static void after_the_lifetime(struct cl_verify_params *p)
{
    p->now = T_NOW + 101;
}

static void after_the_end(struct cl_verify_params *p)
{
    p->now = T_NOW + T_YEAR;
}

static const struct change changes[] = {
    {"another host", other_host, CLEAT_ERR_NAME_MISMATCH},
    {"no host", no_host, CLEAT_OK},
    {"another purpose", client, CLEAT_ERR_BAD_KEY_USAGE},
    {"any purpose", any_purpose, CLEAT_OK},
    {"another policy", strict, CLEAT_OK},
    {"other anchors", other_anchors, CLEAT_ERR_UNKNOWN_ISSUER},
    {"more anchors", more_anchors, CLEAT_OK},
    {"fewer intermediates", no_ca, CLEAT_ERR_PATH_TOO_LONG},
    {"a mailbox", mailbox, CLEAT_ERR_NAME_MISMATCH},
    {"an explicit policy", explicit_policy, CLEAT_ERR_POLICY_VIOLATION},
    {"an initial policy", initial_policy, CLEAT_OK},
    {"revocation is to be known", revocation, CLEAT_ERR_REVOCATION_UNKNOWN},
    {"a list that revokes", list_that_revokes, CLEAT_ERR_REVOKED},
    {"a clock that went back", long_ago, CLEAT_OK},
    {"after the lifetime", after_the_lifetime, CLEAT_OK},
    {"after the certificate's end", after_the_end, CLEAT_ERR_CERT_EXPIRED},
};

static void test_a_question_that_differs_is_not_answered_from_memory(void **state)
{
    for (size_t i = 0; i < LEN(changes); i++) {
        struct cleat_verify_cache *cache = new_cache(16, 100);
        struct cl_verify_params p = params_of(cache);
        print_message("  %s\n", changes[i].name);
        assert_false(is_remembered(&p, &leaf, CLEAT_OK));
        assert_true(is_remembered(&p, &leaf, CLEAT_OK));
        changes[i].apply(&p);
        assert_false(is_remembered(&p, &leaf, changes[i].code));
        /* what was accepted by the changed question is remembered for it */
        assert_int_equal(is_remembered(&p, &leaf, changes[i].code), changes[i].code == CLEAT_OK);
        cleat_verify_cache_free(cache);
    }
}

static void test_other_certificates_or_another_order_are_another_question(void **state)
{
    struct cleat_verify_cache *cache = new_cache(0, 0);
    struct cl_verify_params p = params_of(cache);
    const struct cleat_cert *alone[] = {leaf.cert, ca.cert};
    const struct cleat_cert *more[] = {leaf.cert, ca.cert, root.cert};
    const struct cleat_cert *turned[] = {leaf.cert, root.cert, ca.cert};
    assert_int_equal(t_code(&p, alone, 2), CLEAT_OK);
    assert_int_equal(t_code(&p, alone, 1), CLEAT_ERR_UNKNOWN_ISSUER);
    assert_int_equal(t_code(&p, more, 3), CLEAT_OK);
    assert_int_equal(t_code(&p, turned, 3), CLEAT_OK);
    assert_int_equal(numbers(cache).hits, 0);
    assert_int_equal(numbers(cache).num_chains, 3);
    cleat_verify_cache_free(cache);
}

static void test_a_refusal_is_not_remembered(void **state)
{
    struct cleat_verify_cache *cache = new_cache(0, 0);
    struct cl_verify_params p = params_of(cache);
    for (int i = 0; i < 3; i++) {
        assert_false(is_remembered(&p, &its_leaf, CLEAT_ERR_UNKNOWN_ISSUER));
    }
    assert_int_equal(numbers(cache).num_chains, 0);
    assert_int_equal(numbers(cache).misses, 3);
    cleat_verify_cache_free(cache);
}

static void test_a_new_list_that_revokes_counts_at_once(void **state)
{
    struct cleat_verify_cache *cache = new_cache(0, 0);
    struct cl_verify_params p = params_of(cache);
    p.revocation = CLEAT_REVOCATION_REQUIRED;
    p.crls = nobody;
    assert_false(is_remembered(&p, &leaf, CLEAT_OK));
    assert_true(is_remembered(&p, &leaf, CLEAT_OK));
    p.crls = nobody_again; /* the same lists, but a set of its own */
    assert_false(is_remembered(&p, &leaf, CLEAT_OK));
    p.crls = revoking;
    assert_false(is_remembered(&p, &leaf, CLEAT_ERR_REVOKED));
    cleat_verify_cache_free(cache);
}

/* How long the answer holds, in seconds after T_NOW: until something begins or ends. */
static void test_an_answer_holds_until_something_that_it_rests_on_changes(void **state)
{
    const struct {
        const char *name;
        const struct entity *leaf;
        const struct cleat_crl_set *crls;
        int64_t last; /* the last second */
        int then;
    } rows[] = {
        {"the lifetime", &leaf, NULL, 100, CLEAT_OK},
        {"the end of the leaf", &brief, NULL, 60, CLEAT_ERR_CERT_EXPIRED},
        {"the next update of a list", &leaf, short_lived, 30, CLEAT_ERR_REVOCATION_UNKNOWN},
        {"the beginning of a list", &leaf, to_come, 19, CLEAT_ERR_REVOKED},
    };
    for (size_t i = 0; i < LEN(rows); i++) {
        struct cleat_verify_cache *cache = new_cache(0, 100);
        struct cl_verify_params p = params_of(cache);
        print_message("  %s\n", rows[i].name);
        p.crls = rows[i].crls;
        p.revocation = rows[i].crls != NULL ? CLEAT_REVOCATION_REQUIRED : CLEAT_REVOCATION_OFF;
        assert_false(is_remembered(&p, rows[i].leaf, CLEAT_OK));
        p.now = T_NOW + rows[i].last;
        assert_true(is_remembered(&p, rows[i].leaf, CLEAT_OK));
        p.now++;
        assert_false(is_remembered(&p, rows[i].leaf, rows[i].then));
        cleat_verify_cache_free(cache);
    }
}

/* Leaves for names of their own, so that each is a chain of its own. */
static void test_there_are_never_more_chains_than_allowed(void **state)
{
    struct cleat_verify_cache *cache = new_cache(32, 0);
    struct cl_verify_params p = params_of(cache);
    p.purpose = CLEAT_PURPOSE_ANY;
    p.host = NULL;
    for (int i = 0; i < 200; i++) {
        p.max_intermediates = 1 + i; /* a question of its own */
        assert_false(is_remembered(&p, &leaf, CLEAT_OK));
        assert_true(is_remembered(&p, &leaf, CLEAT_OK)); /* the newest is there */
        assert_true(numbers(cache).num_chains <= 32);
    }
    struct cleat_verify_cache_numbers n = numbers(cache);
    assert_int_equal(n.max_chains, 32);
    assert_int_equal(n.evictions, 200 - n.num_chains);
    assert_int_equal(n.hits, 200);
    cleat_verify_cache_clear(cache);
    assert_int_equal(numbers(cache).num_chains, 0);
    assert_false(is_remembered(&p, &leaf, CLEAT_OK));
    cleat_verify_cache_free(cache);
}

/* A verification that had neither lists nor responses. */
static const struct cl_verify no_sources;

static void test_what_was_not_met_for_longest_makes_room(void **state)
{
    struct cleat_verify_cache *cache = new_cache(32, 0); /* two a shard */
    struct cl_verify_params p = params_of(cache);
    uint8_t key[CL_VERIFY_KEY_LEN] = {0};
    struct cleat_verdict *verdict = judge(&p, &leaf);
    cleat_verify_cache_clear(cache);
    for (uint8_t i = 0; i < 2; i++) {
        key[1] = i;
        cl_verify_cache_add(cache, key, verdict, &no_sources);
    }
    key[1] = 0; /* is met */
    cleat_verdict_free(cl_verify_cache_find(cache, key, T_NOW));
    key[1] = 2;
    cl_verify_cache_add(cache, key, verdict, &no_sources);
    for (uint8_t i = 0; i < 3; i++) {
        key[1] = i;
        struct cleat_verdict *found = cl_verify_cache_find(cache, key, T_NOW);
        assert_int_equal(found != NULL, i != 1);
        cleat_verdict_free(found);
    }
    cleat_verdict_free(verdict);
    cleat_verify_cache_free(cache);
}

/* Sixty certificates besides: more than 16,384 bytes. */
static void test_a_large_chain_is_not_remembered(void **state)
{
    struct cleat_verify_cache *cache = new_cache(0, 0);
    struct cl_verify_params p = params_of(cache);
    struct entity others[60];
    const struct cleat_cert *chain[62] = {leaf.cert, ca.cert};
    for (size_t i = 0; i < LEN(others); i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "n%zu.example.com", i);
        others[i] = t_leaf(name, &stranger, 6);
        chain[2 + i] = others[i].cert;
    }
    for (int i = 0; i < 2; i++) {
        struct cleat_verdict *verdict = t_verify(&p, chain, LEN(chain));
        assert_int_equal(cleat_verdict_code(verdict), CLEAT_OK);
        assert_false(cleat_verdict_remembered(verdict, NULL));
        cleat_verdict_free(verdict);
    }
    for (size_t i = 0; i < LEN(others); i++) {
        t_free(&others[i]);
    }
    cleat_verify_cache_free(cache);
}

static void test_sizes_and_lifetimes_out_of_range_are_refused(void **state)
{
    struct cleat_verify_cache *cache;
    assert_int_equal(cleat_verify_cache_new(15, 0, &cache), CLEAT_ERR_BAD_CONFIG);
    assert_int_equal(cleat_verify_cache_new(4097, 0, &cache), CLEAT_ERR_BAD_CONFIG);
    assert_int_equal(cleat_verify_cache_new(0, 86401, &cache), CLEAT_ERR_BAD_CONFIG);
    assert_null(cache);
    cleat_verify_cache_free(NULL);
}

/* ---- against verification without a memory ---- */

static uint32_t seed = 1;

static uint32_t draw(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % below;
}

static struct cl_verify_params random_question(void)
{
    const struct cleat_trust_store *stores[] = {ours, theirs, both};
    const struct cleat_crl_set *sets[] = {NULL, nobody, revoking, short_lived, to_come};
    static const char *const hosts[] = {"leaf.example.com", "LEAF.example.com", "x.example.com",
                                        NULL};
    static const int64_t moments[] = {0, 1, 19, 20, 30, 31, 60, 61, 100, 101, -1, 86400 * 400};
    struct cl_verify_params p = t_params(stores[draw(3)]);
    p.host = hosts[draw(4)];
    p.now = T_NOW + moments[draw(LEN(moments))];
    p.purpose = (enum cleat_purpose)draw(3);
    p.policy = (enum cleat_policy)draw(4);
    p.crls = sets[draw(LEN(sets))];
    p.revocation = (enum cleat_revocation)draw(3);
    p.max_intermediates = (int)draw(3) - 1;
    return p;
}

static void test_random_questions_get_the_answers_of_a_verifier_without_memory(void **state)
{
    const struct cleat_cert *all[] = {leaf.cert, brief.cert, its_leaf.cert,
                                      ca.cert,   root.cert,  stranger.cert};
    struct cleat_verify_cache *cache = new_cache(256, 100);
    for (int i = 0; i < 6000; i++) {
        const struct cleat_cert *chain[4];
        struct cl_verify_params p = random_question();
        chain[0] = all[draw(3)];
        for (size_t k = 1; k < LEN(chain); k++) {
            chain[k] = all[draw(LEN(all))];
        }
        size_t num = 2 + draw(2);
        chain[1] = draw(2) == 0 ? ca.cert : chain[1];
        int fresh = t_code(&p, chain, num);
        p.cache = cache;
        assert_int_equal(t_code(&p, chain, num), fresh);
        assert_int_equal(t_code(&p, chain, num), fresh);
    }
    struct cleat_verify_cache_numbers n = numbers(cache);
    print_message("  %llu hits, %llu misses, %llu evictions\n", (unsigned long long)n.hits,
                  (unsigned long long)n.misses, (unsigned long long)n.evictions);
    assert_true(n.hits > 500 && n.evictions > 0);
    cleat_verify_cache_free(cache);
}

/* ---- threads ---- */

static void *ask_often(void *ctx)
{
    struct cl_verify_params p = params_of(ctx);
    size_t refused = 0;
    for (int i = 0; i < 400; i++) {
        const struct cleat_cert *chain[] = {leaf.cert, ca.cert};
        struct cl_verify *v;
        p.max_intermediates = 1 + i % 40; /* more questions than there is room for */
        if (cl_verify_new_certs(&v, &p, chain, 2) != CL_OK) {
            return NULL;
        }
        while (cl_verify_step(v) == CL_VERIFY_NEEDS_JOB) {
            cl_job_run(cl_verify_job(v));
        }
        struct cleat_verdict *verdict = cl_verify_take_verdict(v);
        cl_verify_free(v);
        refused += cleat_verdict_code(verdict) != CLEAT_OK ||
                   cleat_verdict_path_num(verdict) != 3 ||
                   !cleat_cert_matches_host(cleat_verdict_leaf(verdict), "leaf.example.com");
        cleat_verdict_free(verdict);
    }
    return refused == 0 ? ctx : NULL;
}

static void test_threads_share_it(void **state)
{
    struct cleat_verify_cache *cache = new_cache(16, 0);
    pthread_t threads[4];
    for (size_t i = 0; i < LEN(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, cache), 0);
    }
    for (size_t i = 0; i < LEN(threads); i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, cache);
    }
    cleat_verify_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_chain_that_comes_again_gets_the_same_verdict_without_work),
        cmocka_unit_test(test_a_question_that_differs_is_not_answered_from_memory),
        cmocka_unit_test(test_other_certificates_or_another_order_are_another_question),
        cmocka_unit_test(test_a_refusal_is_not_remembered),
        cmocka_unit_test(test_a_new_list_that_revokes_counts_at_once),
        cmocka_unit_test(test_an_answer_holds_until_something_that_it_rests_on_changes),
        cmocka_unit_test(test_there_are_never_more_chains_than_allowed),
        cmocka_unit_test(test_what_was_not_met_for_longest_makes_room),
        cmocka_unit_test(test_a_large_chain_is_not_remembered),
        cmocka_unit_test(test_sizes_and_lifetimes_out_of_range_are_refused),
        cmocka_unit_test(test_random_questions_get_the_answers_of_a_verifier_without_memory),
        cmocka_unit_test(test_threads_share_it),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
