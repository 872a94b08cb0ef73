/* The second half of the matrix: what more than one certificate decides - policies, mappings, name
 * constraints of each kind - and what only other bytes can violate: versions and algorithms. At
 * each position of chains of two to five certificates. */
#include "support_x509.h"

#include <stdio.h>

#define MAX_CHAIN 5
#define MAX_EXTS  3

/* What each certificate of a chain is made with. */
struct level {
    struct cl_cert_raw_ext exts[MAX_EXTS];
    size_t num_exts;
};

static void add(struct level *level, const char *oid, bool critical, struct cl_rd value)
{
    assert_true(level->num_exts < MAX_EXTS);
    level->exts[level->num_exts++] = (struct cl_cert_raw_ext){oid, critical, value};
}

/* A name of every kind that can be constrained. */
static struct cl_rd all_names(uint8_t *room, size_t cap)
{
    struct cl_wr w = cl_wr_of(room, cap);
    struct cl_der_mark list = cl_der_open(&w, CL_DER_SEQUENCE);
    cl_der_put(&w, CL_DER_CTX(CLEAT_SAN_DNS), cl_rd_str("leaf.example.com"));
    cl_der_put(&w, CL_DER_CTX(CLEAT_SAN_EMAIL), cl_rd_str("me@example.com"));
    cl_der_put(&w, CL_DER_CTX(CLEAT_SAN_URI), cl_rd_str("https://www.example.com/me"));
    cl_der_put(&w, CL_DER_CTX(CLEAT_SAN_IP), cl_rd_of("\xc0\x00\x02\x01", 4));
    cl_der_put(&w, CL_DER_CTX(CLEAT_SAN_IP), cl_rd_of(" \x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16));
    cl_der_close(&w, list);
    assert_true(cl_wr_ok(&w));
    return cl_rd_of(room, w.len);
}

static void make(size_t num, const struct level *levels, struct entity *chain)
{
    uint8_t room[160];
    struct level leaf = levels[0];
    add(&leaf, "2.5.29.17", false, all_names(room, sizeof(room)));
    for (size_t i = num; i-- > 0;) {
        struct entity *issuer = i + 1 < num ? &chain[i + 1] : NULL;
        char cn[32];
        (void)snprintf(cn, sizeof(cn), "Level %zu", i);
        struct cl_cert_template tpl = t_template(cn, issuer, t_key(i), i != 0);
        tpl.organization = "Own";
        tpl.raw_exts = i == 0 ? leaf.exts : levels[i].exts;
        tpl.num_raw_exts = i == 0 ? leaf.num_exts : levels[i].num_exts;
        tpl.num_dns_names = 0;
        chain[i] = t_make(&tpl, issuer, t_key(i));
    }
}

/* Has the chain judged; which of it is sent as other bytes is ders' business (NULL: as it is). */
static int judge(size_t num, const struct entity *chain, const struct cl_rd *ders,
                 struct cl_verify_params params)
{
    struct cl_rd own[MAX_CHAIN];
    const struct entity *anchor = &chain[num - 1];
    struct cleat_trust_store *trust = t_trust(&anchor, 1);
    struct cl_verify *v;
    params.trust = trust;
    for (size_t i = 0; i < num; i++) {
        own[i] = ders != NULL ? ders[i] : cl_cert_der(chain[i].cert);
    }
    assert_int_equal(cl_verify_new(&v, &params, own, num - 1), CL_OK);
    while (cl_verify_step(v) == CL_VERIFY_NEEDS_JOB) {
        cl_job_run(cl_verify_job(v));
    }
    struct cleat_verdict *verdict = cl_verify_take_verdict(v);
    const int code = cleat_verdict_code(verdict);
    cleat_verdict_free(verdict);
    cl_verify_free(v);
    cleat_trust_store_free(trust);
    return code;
}

static void drop(size_t num, struct entity *chain)
{
    for (size_t i = 0; i < num; i++) {
        t_free(&chain[i]);
    }
}

/* ---- policies ---- */
#define DER(x) cl_rd_of(x, sizeof(x))
static const uint8_t policy_3[] = {0x30, 6, 0x30, 4, 0x06, 2, 0x2a, 3};
static const uint8_t policy_4[] = {0x30, 6, 0x30, 4, 0x06, 2, 0x2a, 4};
static const uint8_t policy_any[] = {0x30, 8, 0x30, 6, 0x06, 4, 0x55, 0x1d, 0x20, 0};
static const uint8_t map_3_4[] = {0x30, 10, 0x30, 8, 0x06, 2, 0x2a, 3, 0x06, 2, 0x2a, 4};
static const uint8_t inhibit_0[] = {0x02, 1, 0};
static const uint8_t no_mapping_0[] = {0x30, 3, 0x81, 1, 0};

enum policy_case {
    P_GOOD,       /* 1.2.3 everywhere */
    P_NONE,       /* one certificate has no policies */
    P_OTHER,      /* one has another */
    P_ANY,        /* one has anyPolicy */
    P_ANY_ASKED,  /* and the application forbids it */
    P_ANY_FORBID, /* and the CA above forbids it */
    P_MAPPED,     /* one maps 1.2.3 to 1.2.4, and those below have that */
    P_MAPPED_NOT, /* but those below have 1.2.3 all the same */
    P_MAP_ASKED,  /* the application forbids mapping */
    P_MAP_FORBID, /* the CA above does */
    P_COUNT,
};

static const struct {
    const char *name;
    int code;
    size_t lowest;  /* the position where it makes sense, at least */
    size_t highest; /* and how far below the anchor's */
} policy_cases[P_COUNT] = {
    [P_GOOD] = {"1.2.3 everywhere", CLEAT_OK, 0, 1},
    [P_NONE] = {"no policies", CLEAT_ERR_POLICY_VIOLATION, 0, 1},
    [P_OTHER] = {"another policy", CLEAT_ERR_POLICY_VIOLATION, 0, 1},
    [P_ANY] = {"anyPolicy", CLEAT_OK, 0, 1},
    [P_ANY_ASKED] = {"anyPolicy, inhibited by the application", CLEAT_ERR_POLICY_VIOLATION, 0, 1},
    [P_ANY_FORBID] = {"anyPolicy, inhibited above", CLEAT_ERR_POLICY_VIOLATION, 0, 2},
    [P_MAPPED] = {"mapped", CLEAT_OK, 1, 1},
    [P_MAPPED_NOT] = {"mapped, not followed", CLEAT_ERR_POLICY_VIOLATION, 1, 1},
    [P_MAP_ASKED] = {"mapping inhibited by the application", CLEAT_ERR_POLICY_VIOLATION, 1, 1},
    [P_MAP_FORBID] = {"mapping inhibited above", CLEAT_ERR_POLICY_VIOLATION, 1, 2},
};

static void policy_levels(size_t num, size_t at, enum policy_case which, struct level *levels)
{
    const bool maps = which >= P_MAPPED;
    for (size_t i = 0; i + 1 < num; i++) {
        const bool below = maps && which != P_MAPPED_NOT && i < at;
        struct cl_rd policy = below ? DER(policy_4) : DER(policy_3);
        if (i == at && which != P_GOOD && !maps) {
            policy = which == P_OTHER ? DER(policy_4) : DER(policy_any);
        }
        if (i != at || which != P_NONE) {
            add(&levels[i], "2.5.29.32", false, policy);
        }
    }
    if (maps) {
        add(&levels[at], "2.5.29.33", true, DER(map_3_4));
    }
    if (which == P_ANY_FORBID) {
        add(&levels[at + 1], "2.5.29.54", true, DER(inhibit_0));
    }
    if (which == P_MAP_FORBID) {
        add(&levels[at + 1], "2.5.29.36", true, DER(no_mapping_0));
    }
}

static void test_matrix_policies_at_each_position(void **state)
{
    (void)state;
    static const char *const initial[] = {"1.2.3"};
    for (size_t num = 2; num <= MAX_CHAIN; num++) {
        for (size_t c = 0; c < P_COUNT; c++) {
            for (size_t at = policy_cases[c].lowest; at + policy_cases[c].highest < num; at++) {
                struct level levels[MAX_CHAIN] = {{{{0}}, 0}};
                struct entity chain[MAX_CHAIN];
                struct cl_verify_params params = t_params(NULL);
                params.initial_policies = initial;
                params.num_initial_policies = 1;
                params.require_explicit_policy = true;
                params.inhibit_any_policy = c == P_ANY_ASKED;
                params.inhibit_policy_mapping = c == P_MAP_ASKED;
                policy_levels(num, at, (enum policy_case)c, levels);
                make(num, levels, chain);
                const int code = judge(num, chain, NULL, params);
                if (code != policy_cases[c].code) {
                    fail_msg("%s at %zu of %zu: %s", policy_cases[c].name, at, num,
                             cleat_error_name(code));
                }
                drop(num, chain);
            }
        }
    }
}

/* ---- name constraints ---- */
/* Each kind of name that the leaf has, a base that holds it and one that does not: tag, contents.
 */
static const uint8_t dir_own[] = {0x30, 14, 0x31, 12, 0x30, 10,  0x06, 3,
                                  0x55, 4,  10,   12, 3,    'O', 'w',  'n'};
static const uint8_t dir_other[] = {0x30, 14, 0x31, 12, 0x30, 10,  0x06, 3,
                                    0x55, 4,  10,   12, 3,    'F', 'o',  'e'};
static const struct {
    const char *kind;
    uint8_t tag;
    struct cl_rd own;
    struct cl_rd other;
} kinds[] = {
    {"DNS", 0x82, {(const uint8_t *)"example.com", 11}, {(const uint8_t *)"example.net", 11}},
    {"IPv4",
     0x87,
     {(const uint8_t *)"\xc0\x00\x02\x00\xff\xff\xff\x00", 8},
     {(const uint8_t *)"\x0a\x00\x00\x00\xff\x00\x00\x00", 8}},
    {"IPv6",
     0x87,
     {(const uint8_t *)" \x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\0"
                       "\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0",
      32},
     {(const uint8_t *)"\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
                       "\xff\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
      32}},
    {"mailbox", 0x81, {(const uint8_t *)"example.com", 11}, {(const uint8_t *)"example.net", 11}},
    {"URI", 0x86, {(const uint8_t *)".example.com", 12}, {(const uint8_t *)".example.net", 12}},
    {"directory", 0xa4, {dir_own, sizeof(dir_own)}, {dir_other, sizeof(dir_other)}},
};

/* One subtree, permitted or excluded. IP addresses are permitted in pairs: the leaf has one of each
 * version, and a list that permits addresses of one version permits none of the other. */
static struct cl_rd subtrees(uint8_t *room, size_t cap, size_t kind, bool own, bool permitted)
{
    struct cl_wr w = cl_wr_of(room, cap);
    struct cl_der_mark all = cl_der_open(&w, CL_DER_SEQUENCE);
    struct cl_der_mark list = cl_der_open(&w, permitted ? CL_DER_CTXC(0) : CL_DER_CTXC(1));
    const size_t pair = kinds[kind].tag != 0x87 ? kind : 3 - kind; /* rows 1 and 2 */
    for (size_t i = 0; i < 2; i++) {
        const size_t k = i == 0 ? kind : pair;
        struct cl_der_mark subtree = cl_der_open(&w, CL_DER_SEQUENCE);
        cl_der_put(&w, kinds[k].tag, i == 0 && !own ? kinds[k].other : kinds[k].own);
        cl_der_close(&w, subtree);
        if (!permitted || pair == kind) {
            break;
        }
    }
    cl_der_close(&w, list);
    cl_der_close(&w, all);
    assert_true(cl_wr_ok(&w));
    return cl_rd_of(room, w.len);
}

static void test_matrix_name_constraints_of_each_kind_at_each_position(void **state)
{
    (void)state;
    for (size_t num = 2; num <= MAX_CHAIN; num++) {
        for (size_t i = 0; i < 4 * sizeof(kinds) / sizeof(kinds[0]); i++) {
            const bool own = (i & 1) != 0;
            const bool permitted = (i & 2) != 0;
            for (size_t at = 1; at < num; at++) {
                struct level levels[MAX_CHAIN] = {{{{0}}, 0}};
                struct entity chain[MAX_CHAIN];
                uint8_t room[120];
                add(&levels[at], "2.5.29.30", true,
                    subtrees(room, sizeof(room), i / 4, own, permitted));
                make(num, levels, chain);
                const int code = judge(num, chain, NULL, t_params(NULL));
                if (code != (own == permitted ? CLEAT_OK : CLEAT_ERR_NAME_CONSTRAINT)) {
                    fail_msg("%s %s %s at %zu of %zu: %s", kinds[i / 4].kind, own ? "own" : "other",
                             permitted ? "permitted" : "excluded", at, num, cleat_error_name(code));
                }
                drop(num, chain);
            }
        }
    }
}

/* ---- other bytes ---- */
enum bytes_case {
    B_SAME,
    B_VERSION_1, /* no version, no extensions */
    B_OUTER_ALG, /* the two algorithm identifiers differ */
    B_SHA1,      /* both say ecdsa-with-SHA1 */
    B_SHA224,
    B_COUNT,
};

static const uint8_t alg_sha1[] = {0x30, 9, 0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1};
static const uint8_t alg_sha224[] = {0x30, 10, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 1};
static const uint8_t alg_sha384[] = {0x30, 10, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3};

/* The TBSCertificate field by field: [0] version, serial, algorithm, …, [3] extensions. */
static size_t remake(const struct entity *e, const struct cleat_key *issuer_key,
                     enum bytes_case which, uint8_t *out)
{
    uint8_t room[T_MAX_DER];
    struct cl_rd tbs = e->cert->tbs;
    struct cl_rd fields;
    struct cl_rd outer = {0};
    struct cl_rd inner = {0};
    struct cl_wr w = cl_wr_of(room, sizeof(room));
    struct cl_der_mark all = cl_der_open(&w, CL_DER_SEQUENCE);
    assert_true(cl_der_get(&tbs, CL_DER_SEQUENCE, &fields));
    if (which == B_SHA1 || which == B_SHA224) {
        inner = outer = which == B_SHA1 ? DER(alg_sha1) : DER(alg_sha224);
    } else if (which == B_OUTER_ALG) {
        outer = DER(alg_sha384);
    }
    for (size_t i = 0; !cl_rd_done(&fields); i++) {
        struct cl_rd whole;
        struct cl_rd body;
        uint8_t tag;
        assert_true(cl_der_any(&fields, &tag, &body, &whole));
        if (which != B_VERSION_1 || (tag != CL_DER_CTXC(0) && tag != CL_DER_CTXC(3))) {
            cl_wr_view(&w, i == 2 && inner.len != 0 ? inner : whole);
        }
    }
    cl_der_close(&w, all);
    assert_true(cl_wr_ok(&w));
    return t_sign(cl_rd_of(room, w.len), outer, issuer_key, out);
}

static void test_matrix_versions_and_algorithms_at_each_position(void **state)
{
    (void)state;
    /* a certificate above the leaf that does not parse is not there: its issuer is not found */
    static const int codes[B_COUNT][2] = {
        [B_SAME] = {CLEAT_OK, CLEAT_OK},
        [B_VERSION_1] = {CLEAT_ERR_NAME_MISMATCH, CLEAT_ERR_NOT_A_CA},
        [B_OUTER_ALG] = {CLEAT_ERR_BAD_CERTIFICATE, CLEAT_ERR_UNKNOWN_ISSUER},
        [B_SHA1] = {CLEAT_ERR_WEAK_KEY, CLEAT_ERR_WEAK_KEY},
        [B_SHA224] = {CLEAT_ERR_WEAK_KEY, CLEAT_ERR_WEAK_KEY},
    };
    for (size_t num = 2; num <= MAX_CHAIN; num++) {
        struct level levels[MAX_CHAIN] = {{{{0}}, 0}};
        struct entity chain[MAX_CHAIN];
        make(num, levels, chain);
        for (size_t at = 0; at + 1 < num; at++) {
            for (int c = 0; c < B_COUNT; c++) {
                struct cl_rd ders[MAX_CHAIN];
                uint8_t other[T_MAX_DER];
                for (size_t i = 0; i < num; i++) {
                    ders[i] = cl_cert_der(chain[i].cert);
                }
                ders[at] = cl_rd_of(
                    other, remake(&chain[at], chain[at + 1].key, (enum bytes_case)c, other));
                const int code = judge(num, chain, ders, t_params(NULL));
                if (code != codes[c][at != 0]) {
                    fail_msg("case %d at %zu of %zu: %s", c, at, num, cleat_error_name(code));
                }
            }
        }
        drop(num, chain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrix_policies_at_each_position),
        cmocka_unit_test(test_matrix_name_constraints_of_each_kind_at_each_position),
        cmocka_unit_test(test_matrix_versions_and_algorithms_at_each_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
